/*
 * The order of siblings whose places have names: Fugue (Weidner and Kleppmann,
 * "The Art of the Fugue: Minimizing Interleaving in Collaborative Text
 * Editing", 2023, section 3), as lists of elements that stay for good.
 *
 * Where tracker.h sees only what is concurrent and knows places by positions,
 * here each element names another of its list, its anchor, and stands right or
 * left of it: so the elements of a list are a tree, and their order is that of
 * a walk that meets what is left of an element, the element, what is right.
 *
 *     a, then b right of a, c right of b; at once d right of a
 *
 *         a               order   a d b c   if d is later than b, else a b c d
 *          \\              a row that one replica puts, each element right of
 *          d  b           the one before, is a branch: rows do not mix
 *              \
 *               c
 *
 * Elements on one side of one anchor are ordered by a rule of the caller's,
 * the later the nearer to the anchor. So what is newest always goes directly
 * next to its anchor, in O(1).
 *
 *   F1  Elements are numbers from 0 on, in the order in which they were added,
 *       but for fugue_load; an element's anchor was added before it.
 *   F2  `next` and `previous` link a list in its order; `right` and `left` are
 *       the nearest elements on that side, `sibling` the next further away.
 *
 * An element costs 24 bytes.
 */
#ifndef GROVE_SEQUENCE_FUGUE_H
#define GROVE_SEQUENCE_FUGUE_H

#include <grove/types.h>

/* No element; as an anchor: the beginning of the list, which nothing is left
 * of. Elements stay below 2^31 - 1. */
#define GROVE__FUGUE_NONE UINT32_C(0x7fffffff)

typedef struct grove__fugue_links {
    uint32_t anchor : 31;
    uint32_t is_left : 1; /* of the anchor */
    uint32_t next, previous;
    uint32_t right, left;
    uint32_t sibling;
} grove__fugue_links;

/* A list: its ends, and what is right of its beginning. */
typedef struct grove__fugue_list {
    uint32_t first, last;
    uint32_t right;
} grove__fugue_list;

#define GROVE__FUGUE_EMPTY                                      \
    {                                                           \
        GROVE__FUGUE_NONE, GROVE__FUGUE_NONE, GROVE__FUGUE_NONE \
    }

/* Elements of any number of lists. */
typedef struct grove__fugue {
    const grove_allocator *allocator;
    grove__fugue_links *links;
    size_t count, capacity;
} grove__fugue;

/* Whether an element is later than another. */
typedef struct grove__fugue_order {
    const void *context;
    bool (*is_later)(const void *context, uint32_t element, uint32_t other);
} grove__fugue_order;

/* Where an element goes in its list. */
typedef struct grove__fugue_place {
    uint32_t anchor;
    bool is_left;
} grove__fugue_place;

/* No elements; owns nothing. The allocator is borrowed. */
void grove__fugue_init(grove__fugue *fugue, const grove_allocator *allocator);
void grove__fugue_release(grove__fugue *fugue);

/* Makes room for so many more elements. False: no memory, or too many. */
bool grove__fugue_reserve(grove__fugue *fugue, size_t more);

/*
 * Adds the next element to a list, into reserved room; its anchor is of the
 * list. O(1) if it is the latest there, else a step for each later one, and
 * for each of those that hang on the last of these in a row.
 */
void grove__fugue_add(grove__fugue *fugue, grove__fugue_list *list,
                      grove__fugue_order order, grove__fugue_place place);

/* Takes the newest element out again, which is of the list. */
void grove__fugue_take_back(grove__fugue *fugue, grove__fugue_list *list);

/*
 * The place of a new element between two elements of a list, next to each
 * other but for elements that no new one is to name: GROVE__FUGUE_NONE for the
 * beginning or the end. O(1).
 */
grove__fugue_place grove__fugue_between(const grove__fugue *fugue,
                                        const grove__fugue_list *list, uint32_t left,
                                        uint32_t right);

/*
 * Adds the next `count` elements to an empty list, whose order they are in, as
 * other lists were saved. The caller has checked that each anchor is one of
 * them, or none and then not left of it, and that no element hangs on itself,
 * however indirectly. False: the order is not that of their tree, or not by
 * the rule; there is nothing left to do with the elements then. O(count).
 */
bool grove__fugue_load(grove__fugue *fugue, grove__fugue_list *list,
                       grove__fugue_order order, const grove__fugue_place *places,
                       size_t count);

/* NULL if F1, F2 hold for a list and its order is that of its tree, else a
 * sentence about the first fault. O(elements), for tests. */
const char *grove__fugue_check(const grove__fugue *fugue, const grove__fugue_list *list,
                               grove__fugue_order order);

#endif
