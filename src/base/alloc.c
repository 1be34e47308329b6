#include "base/alloc.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"

static void *system_allocate(void *context, size_t bytes)
{
    (void)context;
    return malloc(bytes);
}

static void *system_reallocate(void *context, void *memory, size_t bytes_old,
                               size_t bytes_new)
{
    (void)context;
    (void)bytes_old;
    return realloc(memory, bytes_new);
}

static void system_deallocate(void *context, void *memory, size_t bytes)
{
    (void)context;
    (void)bytes;
    free(memory);
}

const grove_allocator grove__allocator_system = {
    .context = NULL,
    .allocate = system_allocate,
    .reallocate = system_reallocate,
    .deallocate = system_deallocate,
};

void *grove__allocate(const grove_allocator *allocator, size_t bytes)
{
    GROVE_ASSERT(bytes > 0);
    return allocator->allocate(allocator->context, bytes);
}

void *grove__allocate_zeroed(const grove_allocator *allocator, size_t bytes)
{
    void *memory = grove__allocate(allocator, bytes);
    if (memory != NULL) {
        memset(memory, 0, bytes);
    }
    return memory;
}

void *grove__reallocate(const grove_allocator *allocator, void *memory, size_t bytes_old,
                        size_t bytes_new)
{
    GROVE_ASSERT(bytes_new > 0);
    if (memory == NULL) {
        GROVE_ASSERT(bytes_old == 0);
        return grove__allocate(allocator, bytes_new);
    }
    return allocator->reallocate(allocator->context, memory, bytes_old, bytes_new);
}

void grove__deallocate(const grove_allocator *allocator, void *memory, size_t bytes)
{
    if (memory != NULL) {
        allocator->deallocate(allocator->context, memory, bytes);
    }
}

bool grove__array_reserve(const grove_allocator *allocator, void **items,
                          size_t *capacity, size_t count, size_t item_bytes)
{
    GROVE_ASSERT(count <= *capacity);
    if (count < *capacity) {
        return true;
    }
    size_t capacity_new = *capacity < 8 ? 8 : *capacity + *capacity / 2;
    size_t bytes_new;
    if (!grove__multiply_size(capacity_new, item_bytes, &bytes_new)) {
        return false;
    }
    void *grown = grove__reallocate(allocator, *items, *capacity * item_bytes, bytes_new);
    if (grown == NULL) {
        return false;
    }
    *items = grown;
    *capacity = capacity_new;
    return true;
}

bool grove__array_reserve_to(const grove_allocator *allocator, void **items,
                             size_t *capacity, size_t count, size_t item_bytes)
{
    if (count <= *capacity) {
        return true;
    }
    size_t more = *capacity + *capacity / 8;
    size_t capacity_new = count > more ? count : more;
    size_t bytes_new;
    if (!grove__multiply_size(capacity_new, item_bytes, &bytes_new)) {
        return false;
    }
    void *grown = grove__reallocate(allocator, *items, *capacity * item_bytes, bytes_new);
    if (grown == NULL) {
        return false;
    }
    *items = grown;
    *capacity = capacity_new;
    return true;
}

/* Takes `bytes` from the budget, or leaves it as it is. */
static bool budget_take(grove__budget *budget, size_t bytes)
{
    size_t used = atomic_load_explicit(&budget->used, memory_order_relaxed);
    do {
        if (bytes > budget->limit - used) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(
        &budget->used, &used, used + bytes, memory_order_relaxed, memory_order_relaxed));
    return true;
}

static void budget_return(grove__budget *budget, size_t bytes)
{
    size_t before = atomic_fetch_sub_explicit(&budget->used, bytes, memory_order_relaxed);
    GROVE_ASSERT(before >= bytes);
}

static void *budget_allocate(void *context, size_t bytes)
{
    grove__budget *budget = context;
    if (!budget_take(budget, bytes)) {
        return NULL;
    }
    void *memory = grove__allocate(budget->under, bytes);
    if (memory == NULL) {
        budget_return(budget, bytes);
    }
    return memory;
}

static void *budget_reallocate(void *context, void *memory, size_t bytes_old,
                               size_t bytes_new)
{
    grove__budget *budget = context;
    size_t more = bytes_new > bytes_old ? bytes_new - bytes_old : 0;
    if (!budget_take(budget, more)) {
        return NULL;
    }
    void *moved = grove__reallocate(budget->under, memory, bytes_old, bytes_new);
    if (moved == NULL) {
        budget_return(budget, more);
    } else if (bytes_new < bytes_old) {
        budget_return(budget, bytes_old - bytes_new);
    }
    return moved;
}

static void budget_deallocate(void *context, void *memory, size_t bytes)
{
    grove__budget *budget = context;
    grove__deallocate(budget->under, memory, bytes);
    budget_return(budget, bytes);
}

void grove__budget_init(grove__budget *budget, const grove_allocator *under, size_t limit)
{
    budget->allocator.context = budget;
    budget->allocator.allocate = budget_allocate;
    budget->allocator.reallocate = budget_reallocate;
    budget->allocator.deallocate = budget_deallocate;
    budget->under = under;
    budget->limit = limit;
    atomic_init(&budget->used, 0);
}
