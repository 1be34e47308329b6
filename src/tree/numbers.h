/*
 * Finding numbered things by keys that they hold themselves: a hash table of
 * their numbers alone, with open addressing, at most 7/8 full.
 */
#ifndef GROVE_TREE_NUMBERS_H
#define GROVE_TREE_NUMBERS_H

#include <grove/types.h>

#define GROVE__NUMBERS_NONE UINT32_MAX

/* All zeros: an empty table that owns nothing. */
typedef struct grove__numbers {
    uint32_t *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
} grove__numbers;

/* The hash of a thing's key. */
typedef struct grove__numbers_rule {
    const void *context;
    uint64_t (*hash_of)(const void *context, uint32_t number);
} grove__numbers_rule;

void grove__numbers_release(grove__numbers *numbers, const grove_allocator *allocator);

/* Makes room for `count` numbers in all. False: no memory. Amortized O(1) for
 * each. */
bool grove__numbers_reserve(grove__numbers *numbers, const grove_allocator *allocator,
                            size_t count, grove__numbers_rule rule);

/* Adds a number that is not there, into reserved room. */
void grove__numbers_add(grove__numbers *numbers, uint64_t hash, uint32_t number);

/* Takes out one that is there. */
void grove__numbers_remove(grove__numbers *numbers, grove__numbers_rule rule,
                           uint32_t number);

/* A hash of two numbers. */
static inline uint64_t grove__numbers_hash(uint64_t a, uint64_t b)
{
    uint64_t mixed = a * UINT64_C(0x9e3779b97f4a7c15) ^ (b + UINT64_C(0x7f4a7c15));
    mixed = (mixed ^ mixed >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return mixed ^ mixed >> 32;
}

/* The slot where the search for a hash begins, and the next. Numbers with this
 * hash are in the slots from there to the first empty one. */
static inline size_t grove__numbers_first(const grove__numbers *numbers, uint64_t hash)
{
    return (size_t)hash & (numbers->capacity - 1);
}
static inline size_t grove__numbers_next(const grove__numbers *numbers, size_t slot)
{
    return (slot + 1) & (numbers->capacity - 1);
}

#endif
