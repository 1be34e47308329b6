/*
 * An ordered index of items that are known by their numbers: things that are
 * appended to some array for good, and looked up by a key of their own.
 *
 * Keys mostly arrive in ascending order, and then the index is one sorted
 * array. They need not: a stranger chooses them. Then
 *
 *   X1  the array is a row of sorted pieces, whose sizes are the powers of two
 *       that `count` is the sum of, greatest first (13 = 8 + 4 + 1).
 *
 * Adding an item appends a piece of one and merges equal pieces, as adding
 * one to a binary number carries:
 *
 *     [2 4 7 9][1 5][3]   + 6   ->   [2 4 7 9][1 5][3][6]
 *                               ->   [2 4 7 9][1 5][3 6]
 *                               ->   [2 4 7 9][1 3 5 6]
 *                               ->   [1 2 3 4 5 6 7 9]
 *
 * Adding: amortized O(log n), and O(1) in ascending order. Looking up:
 * O(log n) when sorted, else O(log^2 n). No order of arrival is quadratic.
 */
#ifndef GROVE_GRAPH_INDEX_H
#define GROVE_GRAPH_INDEX_H

#include "base/alloc.h"

/* "No such item". */
#define GROVE__INDEX_NONE UINT32_MAX

/* How items compare; keys are distinct. */
typedef struct grove__index_rule {
    const void *context;
    const void *(*key_of)(const void *context, uint32_t item);
    /* Negative, zero or positive as the first comes before, is, or comes
     * after the second. */
    int (*compare)(const void *key, const void *other);
} grove__index_rule;

/* All zeros: an empty index that owns nothing. */
typedef struct grove__index {
    uint32_t *items; /* `capacity`, then half as many for merging */
    uint32_t count;  /* at most UINT32_MAX / 2 */
    uint32_t capacity;
    bool is_shuffled; /* not one sorted array, but X1 */
} grove__index;

void grove__index_release(grove__index *index, const grove_allocator *allocator);

/* Makes room for one item more. False: no memory, or too many items. */
bool grove__index_reserve(grove__index *index, const grove_allocator *allocator);

/* Adds an item with a key that is not there yet, into reserved room. */
void grove__index_add(grove__index *index, grove__index_rule rule, uint32_t item);

/* The item with the greatest key at or before `key`. */
uint32_t grove__index_at_or_before(const grove__index *index, grove__index_rule rule,
                                   const void *key);

/* The item with the least key after `key`. */
uint32_t grove__index_after(const grove__index *index, grove__index_rule rule,
                            const void *key);

#endif
