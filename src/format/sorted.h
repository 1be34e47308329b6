/*
 * The order of items that are only ever added at the end of an array, for
 * the question: which is the greatest at or below this key?
 *
 *   O1  `numbers` holds 0 to count-1, in sorted runs as long as the powers of
 *       two in `count`, the longest first: 13 items are runs of 8, 4 and 1.
 *   O2  Behind them is room for half as many again, to merge in.
 *
 * Adding an item merges the runs whose lengths it makes equal, as carrying in
 * a binary counter does: n items cost O(n log n) comparisons whatever order
 * they come in, and O(n) when they come sorted. A question costs O(log² n).
 * Items must not change their place in the order while they are in it.
 */
#ifndef GROVE_FORMAT_SORTED_H
#define GROVE_FORMAT_SORTED_H

#include <grove/types.h>

#define GROVE__SORTED_NONE UINT32_MAX

typedef struct grove__sorted {
    uint32_t *numbers;
    size_t count, capacity;
} grove__sorted;

/* The array that is ordered; it may move between calls. */
typedef struct grove__sorted_items {
    const void *items;
    size_t item_bytes;
    /* Negative, zero or positive; also called with a key in place of `a`. */
    int (*compare)(const void *a, const void *b);
} grove__sorted_items;

/* Gives the memory back; the order is then empty. Zeros are an empty order. */
void grove__sorted_release(grove__sorted *sorted, const grove_allocator *allocator);

/* Adds the items up to number `count` - 1. False: no memory; items that were
 * added stay. */
bool grove__sorted_cover(grove__sorted *sorted, const grove_allocator *allocator,
                         const grove__sorted_items *items, size_t count);

/* The number of the greatest item at or below `key` (any of several that are
 * equal), or GROVE__SORTED_NONE. */
uint32_t grove__sorted_floor(const grove__sorted *sorted,
                             const grove__sorted_items *items, const void *key);

#endif
