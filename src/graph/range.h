/* Ranges of clocks, and lists of them. */
#ifndef GROVE_GRAPH_RANGE_H
#define GROVE_GRAPH_RANGE_H

#include "base/alloc.h"

/* The clocks `from` to `end` - 1. */
typedef struct grove__range {
    uint64_t from;
    uint64_t end;
} grove__range;

/* Borrowed ranges, none empty. */
typedef struct grove__ranges {
    const grove__range *items;
    size_t count;
} grove__ranges;

/* A growing list of ranges. All zeros: an empty list that owns nothing. */
typedef struct grove__range_list {
    grove__range *items;
    size_t count;
    size_t capacity;
} grove__range_list;

void grove__range_list_release(grove__range_list *list, const grove_allocator *allocator);

/*
 * Appends a range; an empty one is left out, and one that begins where the
 * last ends extends it. Amortized O(1). False: no memory, no change.
 */
bool grove__range_list_append(grove__range_list *list, const grove_allocator *allocator,
                              uint64_t from, uint64_t end);

/* The same for lists in descending order: one that ends where the last begins
 * extends it. */
bool grove__range_list_append_below(grove__range_list *list,
                                    const grove_allocator *allocator, uint64_t from,
                                    uint64_t end);

/* The last becomes the first. */
void grove__range_list_reverse(grove__range_list *list);

static inline grove__ranges grove__range_list_view(const grove__range_list *list)
{
    return (grove__ranges){list->items, list->count};
}

#endif
