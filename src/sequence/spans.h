/*
 * The elements of a sequence in their order, as spans in a B-tree.
 *
 * An element is whatever stands in the sequence: a character, a node among its
 * siblings. It has a number: that of the event that inserted it, or, from
 * GROVE__SPANS_BEFORE on, one that stands for what was there before the first
 * event, whose count is not known: a span of as many as there are numbers.
 *
 * A span is consecutive elements with consecutive numbers that were inserted
 * together and are in the same state:
 *
 *     first  count  left  right  state  is_dead
 *     12     5      7     END    1      no        elements 12 .. 16
 *
 * `left` is the element that stood directly left of the first one when it was
 * inserted; each further one has the one before. `right` is the element that
 * stood right of all of them. The state is the one at the version that is
 * being looked at (prepare): 0, not inserted; 1, there; 1 + n, deleted by n
 * events. Dead is what any event ever deleted: the state in the result
 * (effect).
 *
 *   S1  Leaves lie at one depth and are linked from left to right; the first
 *       is number 0.
 *   S2  A node has for each child how many elements below it are there at the
 *       version that is being looked at, how many in the result, and the
 *       greatest number from GROVE__SPANS_BEFORE on (0: none), in which these
 *       ascend through the whole sequence.
 *   S3  Each leaf and node knows its parent and its slot there.
 *   S4  `where` has a piece for each span of inserted elements, with its leaf.
 *
 *     node    [ 9 3 | 4 4 ]       prepare and effect, of each child
 *              /       \
 *     leaf  [s s s] > [s s]
 *
 * Leaves and nodes are numbers into growing arrays: nothing points. All
 * functions but _reserve need no memory.
 */
#ifndef GROVE_SEQUENCE_SPANS_H
#define GROVE_SEQUENCE_SPANS_H

#include "sequence/where.h"

#ifdef GROVE_TINY_LIMITS
enum { GROVE__SPANS_LEAF = 4, GROVE__SPANS_NODE = 4 };
#else
enum { GROVE__SPANS_LEAF = 32, GROVE__SPANS_NODE = 16 };
#endif

#define GROVE__SPANS_BEFORE (UINT32_C(1) << 31)
#define GROVE__SPANS_BEFORE_COUNT (GROVE__SPANS_BEFORE - 2)
/* Origins at the very beginning and end of the sequence. */
#define GROVE__SPANS_START (UINT32_MAX - 1)
#define GROVE__SPANS_END UINT32_MAX
#define GROVE__SPANS_NONE UINT32_MAX

typedef struct grove__span {
    uint32_t first;
    uint32_t count;
    uint32_t left, right;
    uint32_t state;
    bool is_dead;
} grove__span;

typedef struct grove__spans_leaf {
    uint32_t count, next, parent, slot;
    grove__span items[GROVE__SPANS_LEAF];
} grove__spans_leaf;

typedef struct grove__spans_node {
    uint32_t count, parent, slot;
    uint32_t child[GROVE__SPANS_NODE];
    uint32_t prepare[GROVE__SPANS_NODE];
    uint32_t effect[GROVE__SPANS_NODE];
    uint32_t before[GROVE__SPANS_NODE];
} grove__spans_node;

typedef struct grove__spans {
    const grove_allocator *allocator;
    grove__spans_leaf *leaves;
    size_t leaf_count, leaf_capacity;
    grove__spans_node *nodes;
    size_t node_count, node_capacity;
    uint32_t root; /* a leaf when height is 0 */
    uint32_t height;
    grove__where where;
} grove__spans;

/* A span by its leaf and index. Where a span is to be put, the index may be
 * the leaf's count. */
typedef struct grove__place {
    uint32_t leaf;
    uint32_t index;
} grove__place;

/* Nothing, not even what was before; owns nothing. */
void grove__spans_init(grove__spans *spans, const grove_allocator *allocator);
void grove__spans_release(grove__spans *spans);

/* Only what was before; memory is kept. False: no memory, nothing changed. */
bool grove__spans_clear(grove__spans *spans);

/* Makes room, so that four spans can be put. Amortized O(1). */
bool grove__spans_reserve(grove__spans *spans);

static inline const grove__span *grove__spans_at(const grove__spans *spans,
                                                 grove__place place)
{
    return &spans->leaves[place.leaf].items[place.index];
}

/* Elements of a span that are there at the version, or in the result. */
static inline uint32_t grove__span_prepare(const grove__span *span)
{
    return span->state == 1 ? span->count : 0;
}
static inline uint32_t grove__span_effect(const grove__span *span)
{
    return span->is_dead ? 0 : span->count;
}

/* A place at the end of a leaf becomes the first of the next one. False: it
 * is the end of the sequence. */
bool grove__spans_normalize(const grove__spans *spans, grove__place *place);

/* What grove__spans_seek finds. */
typedef struct grove__spans_found {
    grove__place place;
    uint32_t offset; /* of the element within the span */
    uint64_t effect; /* elements of the result left of the span */
} grove__spans_found;

/* The nth element, from 1, that is there at the version. False: there are not
 * so many. O(log spans). */
bool grove__spans_seek(const grove__spans *spans, uint64_t nth,
                       grove__spans_found *found_out);

/* The span of an element, which there is. O(log spans) for one from before,
 * else O(1). */
grove__place grove__spans_locate(const grove__spans *spans, uint32_t number);

/* Elements of the result left of a span. O(log spans). */
uint64_t grove__spans_effect_before(const grove__spans *spans, grove__place place);

/* Negative, zero, positive, as one stands left of the other. O(height). */
int grove__spans_compare(const grove__spans *spans, grove__place place,
                         grove__place other);

/* Puts a span before the one at the place, and returns where it is then. */
grove__place grove__spans_put(grove__spans *spans, grove__place place, grove__span span);

/* Cuts a span after its first `count` elements and returns where that part is
 * then; the rest follows it in the same leaf. */
grove__place grove__spans_cut(grove__spans *spans, grove__place place, uint32_t count);

/* Changes a span's state, or appends elements to it, and all sums. */
void grove__spans_change(grove__spans *spans, grove__place place, uint32_t state,
                         bool is_dead);
void grove__spans_extend(grove__spans *spans, grove__place place, uint32_t more);

/* Bytes of memory that are held. */
size_t grove__spans_bytes(const grove__spans *spans);

/* NULL if S1 to S4 hold, else a sentence about the first fault. O(spans). */
const char *grove__spans_check(const grove__spans *spans);

#endif
