/*
 * Where the work of an event is: from event numbers to leaves of spans.h, for
 * insertions, and to the elements that were deleted, for deletions.
 *
 * Numbers come in pieces: consecutive ones whose elements are one span, or
 * that deleted consecutive elements, forwards or backwards. Only where a piece
 * begins is anything kept, so that a piece of a million is as cheap as one of
 * two. Beginnings are bits, found with a tree of words: a bit on level n + 1
 * says that a word on level n is not zero.
 *
 *     level 1   1 0 1 ...                    one bit for each word below
 *               |   |
 *     level 0   1000100.. 00000000.. 0000001..
 *               ^   ^                      ^
 *     value     7   9                      2       leaf, or deleted element
 */
#ifndef GROVE_SEQUENCE_WHERE_H
#define GROVE_SEQUENCE_WHERE_H

#include <grove/types.h>

enum { GROVE__WHERE_LEVELS = 5 };

/* Numbers stay below this: what the levels can hold. */
#define GROVE__WHERE_NUMBERS_MAX (UINT32_C(1) << 30)

typedef struct grove__where {
    const grove_allocator *allocator;
    uint32_t capacity; /* numbers there is room for, a multiple of 64 */
    uint32_t end;      /* no piece begins here or after */
    uint64_t *levels[GROVE__WHERE_LEVELS];
    uint64_t *deletions; /* bits, of beginnings: it is a deletion, */
    uint64_t *backwards; /* and goes backwards */
    uint32_t *values;    /* of beginnings */
    /* All of these lie in one piece of memory, which begins with level 0. */
    size_t bytes;
} grove__where;

/* A piece, from its beginning. */
typedef struct grove__where_piece {
    uint32_t first;
    uint32_t value; /* a leaf, or the element that `first` deleted */
    bool is_deletion;
    bool is_backward;
} grove__where_piece;

/* Knows nothing, owns nothing yet. The allocator is borrowed. */
void grove__where_init(grove__where *where, const grove_allocator *allocator);
/* Gives all memory back. */
void grove__where_release(grove__where *where);
/* Forgets all pieces; keeps the memory. O(numbers / 64). */
void grove__where_clear(grove__where *where);

/* Makes room for numbers below `end`, at most GROVE__WHERE_NUMBERS_MAX.
 * Amortized O(1) a number. False: no memory, and nothing changed. */
bool grove__where_reserve(grove__where *where, uint32_t end);

/* Begins a piece at its first number, for which there is room, or changes it.
 * O(1). */
void grove__where_put(grove__where *where, grove__where_piece piece);

/* The piece that has the number: the last one to begin at or before it, which
 * there is. O(levels). */
grove__where_piece grove__where_find(const grove__where *where, uint32_t number);

/* Where the first piece after `number` begins, or `end` if that is less. */
uint32_t grove__where_next(const grove__where *where, uint32_t number, uint32_t end);

#endif
