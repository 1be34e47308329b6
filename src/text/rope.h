/*
 * A long text that is cheap to edit anywhere: a B-tree whose leaves hold UTF-8
 * and whose inner nodes hold, for each child, how many code points and bytes
 * lie below it. Positions and counts are code points.
 *
 *   R1  All leaves lie at one depth, `height` nodes below the rope. A rope
 *       without text has height 0 and perhaps no leaf.
 *   R2  A leaf holds whole code points. One that is not the root holds
 *       LEAF_BYTES_MIN to LEAF_BYTES bytes.
 *   R3  An inner node has NODE_CHILDREN_MIN to NODE_CHILDREN children, the
 *       root at least 2.
 *   R4  The sums in a node are those of its children, the rope's are those of
 *       its root.
 *   R5  `place`, if set, is a leaf with the way to it and one pair of offsets
 *       within it that name the same place.
 *
 * grove__rope_check checks all of these.
 *
 * A leaf is a plain array: inserting moves what follows. In leaves of a
 * kilobyte that is less than a third of what an edit costs, and all that a gap
 * could save; without one, a leaf can be handed out as one piece. A leaf whose
 * bytes and code points are equally many is ASCII, where offsets of both kinds
 * are the same.
 *
 * Deleting and freeing allocate nothing. Reading changes nothing, so several
 * threads may read a rope that nobody changes.
 */
#ifndef GROVE_TEXT_ROPE_H
#define GROVE_TEXT_ROPE_H

#include <grove/types.h>

#ifdef GROVE_TINY_LIMITS
enum { GROVE__ROPE_LEAF_BYTES = 16, GROVE__ROPE_NODE_CHILDREN = 4 };
#else
enum { GROVE__ROPE_LEAF_BYTES = 1008, GROVE__ROPE_NODE_CHILDREN = 32 };
#endif

enum {
    GROVE__ROPE_LEAF_BYTES_MIN = GROVE__ROPE_LEAF_BYTES / 4 - 1,
    GROVE__ROPE_NODE_CHILDREN_MIN =
        GROVE__ROPE_NODE_CHILDREN < 8 ? 2 : GROVE__ROPE_NODE_CHILDREN / 4,
    /* More than any address space can hold, as nodes have two children. */
    GROVE__ROPE_HEIGHT_MAX = 40
};

typedef struct grove__rope_node grove__rope_node;

/* What hangs below a node: nodes, or at the bottom leaves. */
typedef union grove__rope_child {
    grove__rope_node *node;
    uint8_t *leaf;
} grove__rope_child;

struct grove__rope_node {
    size_t count;
    uint64_t points[GROVE__ROPE_NODE_CHILDREN];
    uint64_t bytes[GROVE__ROPE_NODE_CHILDREN];
    grove__rope_child children[GROVE__ROPE_NODE_CHILDREN];
};

/* A step of the way from the root to a leaf: a node and which child of it. */
typedef struct grove__rope_step {
    grove__rope_node *node;
    size_t index;
} grove__rope_step;

/* Where the last edit was; the next is usually there too. */
typedef struct grove__rope_place {
    bool is_set;
    uint8_t *leaf;
    uint64_t start; /* code points before the leaf */
    size_t leaf_points, leaf_bytes;
    /* An offset within the leaf in code points, and the same in bytes. */
    size_t point, byte;
    grove__rope_step steps[GROVE__ROPE_HEIGHT_MAX];
} grove__rope_place;

typedef struct grove__rope {
    const grove_allocator *allocator;
    grove__rope_child root;
    size_t height;
    uint64_t points, bytes;
    grove__rope_place place;
} grove__rope;

/* An empty rope, which owns nothing yet. The allocator is borrowed. */
void grove__rope_init(grove__rope *rope, const grove_allocator *allocator);
/* Gives all memory back; the rope is then as after init. */
void grove__rope_release(grove__rope *rope);

/*
 * Fills an empty rope with checked UTF-8 of `points` code points. O(bytes);
 * leaves are about seven eighths full. GROVE_NO_MEMORY: the rope is empty.
 */
grove_status grove__rope_build(grove__rope *rope, grove_bytes utf8, uint64_t points);

/*
 * Inserts checked UTF-8 of `points` code points at `position`, at most the
 * length. O(log length + bytes), without the log close to the last edit.
 * GROVE_NO_MEMORY: the text is as it was.
 */
grove_status grove__rope_insert(grove__rope *rope, uint64_t position, grove_bytes utf8,
                                uint64_t points);

/* Deletes the code points [position, position + count), which exist. */
void grove__rope_delete(grove__rope *rope, uint64_t position, uint64_t count);

/*
 * Walking the text in pieces of whole code points, borrowed until the rope
 * next changes.
 */
typedef struct grove__rope_chunk {
    grove_bytes utf8;
    uint64_t points;
} grove__rope_chunk;

typedef struct grove__rope_chunks {
    const grove__rope *rope;
    uint64_t skip; /* code points of the next leaf that are left out */
    bool is_done;
    grove__rope_step steps[GROVE__ROPE_HEIGHT_MAX];
} grove__rope_chunks;

/* Starts at `position`, at most the length. O(log length). */
void grove__rope_chunks_init(grove__rope_chunks *chunks, const grove__rope *rope,
                             uint64_t position);
/* The next piece, never empty; false at the end. */
bool grove__rope_chunks_next(grove__rope_chunks *chunks, grove__rope_chunk *chunk_out);

/*
 * Copies up to `count` code points from `position` (at most the length) on:
 * as many whole ones as there are and as fit into `capacity` bytes. Returns
 * the bytes; *points_out the code points.
 */
size_t grove__rope_read(const grove__rope *rope, uint64_t position, uint64_t count,
                        uint8_t *buffer, size_t capacity, uint64_t *points_out);

/* NULL if R1 to R5 hold and all text is UTF-8, else a sentence about the first
 * fault found. O(bytes). */
const char *grove__rope_check(const grove__rope *rope);

/* What rope_build.c and rope.c share: frees a tree of the given height. */
void grove__rope_tree_free(const grove_allocator *allocator, grove__rope_child root,
                           size_t height);

#endif
