/*
 * The one way to memory. Every allocation of the library goes through a
 * grove_allocator, and within a store through its budget.
 *
 * Sizes are given back on release, so that a budget needs no headers of its
 * own. The structures that allocate know their capacities anyway.
 */
#ifndef GROVE_BASE_ALLOC_H
#define GROVE_BASE_ALLOC_H

#include <stdatomic.h>

#include <grove/types.h>

/* malloc, realloc and free. */
extern const grove_allocator grove__allocator_system;

/* `bytes` > 0 of unset memory, or NULL. */
void *grove__allocate(const grove_allocator *allocator, size_t bytes);
/* The same, of zeros. */
void *grove__allocate_zeroed(const grove_allocator *allocator, size_t bytes);
/* As realloc; `memory` NULL with bytes_old 0 allocates. */
void *grove__reallocate(const grove_allocator *allocator, void *memory, size_t bytes_old,
                        size_t bytes_new);
/* Accepts NULL. */
void grove__deallocate(const grove_allocator *allocator, void *memory, size_t bytes);

/*
 * Makes room for one more item in a growing array: `*items` holds
 * `*capacity` items of `item_bytes`, of which `count` are used. Grows by half.
 * False when there is no memory; nothing has changed then.
 */
bool grove__array_reserve(const grove_allocator *allocator, void **items,
                          size_t *capacity, size_t count, size_t item_bytes);

/* Makes room for `count` items in all. Grows by an eighth, for large arrays of
 * which little is to stand empty, or to what is asked for. */
bool grove__array_reserve_to(const grove_allocator *allocator, void **items,
                             size_t *capacity, size_t count, size_t item_bytes);

/*
 * An allocator with a budget in front of another. `used` never exceeds
 * `limit`. Threads may share it.
 */
typedef struct grove__budget {
    grove_allocator allocator; /* hand this out; its context is the budget */
    const grove_allocator *under;
    size_t limit;
    atomic_size_t used;
} grove__budget;

void grove__budget_init(grove__budget *budget, const grove_allocator *under,
                        size_t limit);

#endif
