/* Room for several more items in a growing array. */
#ifndef GROVE_GRAPH_ARRAY_H
#define GROVE_GRAPH_ARRAY_H

#include "base/alloc.h"

/* As grove__array_reserve, for `more` items; they cost amortized O(1) each. */
static inline bool grove__array_reserve_more(const grove_allocator *allocator,
                                             void **items, size_t *capacity, size_t count,
                                             size_t more, size_t item_bytes)
{
    while (*capacity - count < more) {
        if (!grove__array_reserve(allocator, items, capacity, *capacity, item_bytes)) {
            return false;
        }
    }
    return true;
}

#endif
