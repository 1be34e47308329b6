/*
 * The state of a tree: its nodes, and what is known of the events that made
 * them, so that whatever comes late still finds its turn.
 *
 *     nodes       0 root    1 "a"    2 "b"
 *                            |        |
 *     places      0 <--------+        1, then moved: 2
 *                 of node 1, below 0  of node 2: 1 below 0, 2 below 1
 *
 * A place is what a put or a move makes: an element in the list of places of
 * the parent it leads to, for good, with the stamp of its event. A node stands
 * at one of its places; the others are empty, but stay, as anchors of others
 * (sequence/fugue.h) and as what a node goes back to.
 *
 *   T1  Of the places of a node one is its base: the earliest put of it, or
 *       where it stood when what was before was settled. All later ones that
 *       may still be undone are in the log, `moves`, in the order of their
 *       stamps (move.c).
 *   T2  A node stands at its base or at the place of the latest move of it
 *       that had effect at its turn. So nodes make a tree below the root.
 *   T3  Of an attribute the state has the write with the latest stamp, which
 *       may be that it was unset; of a node's type and of its deletion too.
 *   T4  Between two calls of grove__tree_apply the journal is empty, unless a
 *       change is open (grove__tree_begin).
 *
 * Nodes, places and attributes are numbers into growing arrays: nothing points.
 * Memory: 48 bytes a node, 56 a place with its links and 8 for finding it; 40
 * an attribute and 8 for finding it, without names and values.
 */
#ifndef GROVE_TREE_TREE_H
#define GROVE_TREE_TREE_H

#include <grove/sys/document_type.h>
#include <grove/tree.h>

#include "graph/index.h"
#include "sequence/fugue.h"
#include "tree/names.h"
#include "tree/numbers.h"
#include "tree/stamp.h"

#define GROVE__TREE_NONE GROVE__FUGUE_NONE

/* What a move's `before` says when it has had no effect. */
#define GROVE__TREE_NO_EFFECT (GROVE__TREE_NONE - 1)

typedef struct grove__tree_node {
    uint32_t place; /* where it stands; _NONE: the root */
    uint32_t base;
    uint32_t made; /* the put that names it, where no id was given; else any */
    uint32_t id;   /* of `ids`; _NONE: made by the library */
    uint32_t type; /* of `names` */
    grove__fugue_list children;
    uint32_t child_count; /* that stand here and are not deleted */
    uint32_t attribute;   /* the first; _NONE */
    uint32_t deletion;    /* of `deletions`; _NONE: it never was */
    uint32_t typed;       /* the put that wrote the type */
} grove__tree_node;

/* The links are those of the element with the same number in `fugue`. */
typedef struct grove__tree_place_record {
    grove__stamp stamp;
    uint32_t node : 31;
    uint32_t is_put : 1;
    uint32_t parent;
    uint32_t before; /* of a move: where the node stood, or _NO_EFFECT */
    /* What a handle knows of a place to which it took a node back: the empty
     * one of the same list that it stands in for; _NONE. It is not stored. */
    uint32_t home;
} grove__tree_place_record;

typedef struct grove__tree_attribute {
    grove__stamp stamp;
    uint32_t node;
    uint32_t name; /* of `names` */
    uint32_t next; /* of the node; _NONE */
    uint32_t size; /* of the encoded value in `values`; 0: unset */
    uint64_t value;
} grove__tree_attribute;

typedef struct grove__tree_deletion {
    grove__stamp stamp;
    uint32_t is_deleted;
} grove__tree_deletion;

typedef struct grove__tree {
    const grove_allocator *allocator;
    /* All that comes knows all events up to this time. */
    uint64_t settled;
    grove__tree_node *nodes;
    size_t node_count, node_capacity;
    grove__tree_place_record *places;
    size_t place_count, place_capacity;
    grove__fugue fugue;
    grove__tree_attribute *attributes;
    size_t attribute_count, attribute_capacity;
    grove__tree_deletion *deletions;
    size_t deletion_count, deletion_capacity;
    uint32_t *moves;
    size_t move_count, move_capacity;
    uint64_t redone;     /* moves that were undone and done again, so far */
    grove_buffer values; /* of attributes, encoded */
    uint64_t value_garbage;
    grove__names names; /* of types and attributes */
    grove__names ids;   /* given ones */
    size_t id_count;    /* of `id_nodes` */
    size_t printed_ids; /* of these: in the form of ids that the library makes */
    uint32_t *id_nodes; /* of each of `ids`; _NONE: its put was taken back */
    size_t id_node_capacity;
    grove__names replicas;
    grove__numbers place_numbers;     /* by replica and sequence */
    grove__numbers attribute_numbers; /* by node and name */
    /* Moves on their way into the log, and room for the log meanwhile. */
    uint32_t *arrivals;
    size_t arrival_count, arrival_capacity;
    grove_buffer journal;
    bool is_open; /* a change has begun: the journal stays */
} grove__tree;

/* The root alone. GROVE_NO_MEMORY. */
grove_status grove__tree_new(const grove_allocator *allocator, grove__tree **tree_out);
/* Accepts NULL. */
void grove__tree_free(grove__tree *tree);

/* Whether an event with one stamp comes after one with another: by time, then
 * by the replica's bytes, then by sequence. */
bool grove__tree_is_later(const grove__tree *tree, grove__stamp stamp,
                          grove__stamp other);

/* --- apply.c --- */

/*
 * Applies operations with their stamps, in any causal order. On failure the
 * tree is as it was. GROVE_CORRUPT, with the index as the offset: one does not
 * fit. GROVE_LIMIT: too many nodes, places or attributes; GROVE_NO_MEMORY.
 */
grove_status grove__tree_apply(grove__tree *tree, grove_operations operations,
                               grove_stamps stamps, grove_error *error_out);

/* --- journal.c: taking changes back --- */

typedef enum grove__tree_entry_kind {
    GROVE__TREE_ENTRY_PLACE,     /* `number` was added */
    GROVE__TREE_ENTRY_NODE,      /* `number` was added, and stands somewhere */
    GROVE__TREE_ENTRY_ATTRIBUTE, /* `number` was added */
    GROVE__TREE_ENTRY_DELETION,  /* of node `number`: was added */
    GROVE__TREE_ENTRY_MOVE,      /* place `number` came into the log, at its end */
    /* Those that have a past: */
    GROVE__TREE_ENTRY_BASE,  /* of node `number`, was `other` */
    GROVE__TREE_ENTRY_TYPE,  /* of node `number`, was `other`, put `size` */
    GROVE__TREE_ENTRY_VALUE, /* of attribute `number`, was all but `other` */
    GROVE__TREE_ENTRY_FLAG   /* of node `number`, was `other`, with the stamp */
} grove__tree_entry_kind;

/* What something was before it changed; which members count says the kind. */
typedef struct grove__tree_before {
    grove__stamp stamp;
    uint64_t value;
    uint32_t size;
    uint32_t other;
} grove__tree_before;

/* An entry of the journal, behind what it has of the past. */
typedef struct grove__tree_entry {
    grove__tree_entry_kind kind;
    uint32_t number;
} grove__tree_entry;

/* Appends an entry; `before` is NULL for kinds that have none. GROVE_NO_MEMORY,
 * and nothing is appended. */
grove_status grove__tree_note(grove__tree *tree, grove__tree_entry_kind kind,
                              uint32_t number, const grove__tree_before *before);
/* Undoes what the journal has beyond its first `bytes`. */
void grove__tree_take_back(grove__tree *tree, size_t bytes);

/* From here on what is applied can be taken back, if it is later than all the
 * tree had: until one of the two that end it. */
void grove__tree_begin(grove__tree *tree);
void grove__tree_end(grove__tree *tree);
void grove__tree_cancel(grove__tree *tree);

/* --- move.c: where nodes stand --- */

/* Takes the arrivals into the log, for which there is room: a step for each
 * later move of its node where that never had anything below it; else, or if
 * these become more than the log has, undoes all moves that are later than one
 * of them, and does them again in their order. */
void grove__tree_settle(grove__tree *tree);

/* Lets all nodes stand, of a tree that was loaded: at their bases, which make a
 * tree, and then does all moves, in any order so far, in theirs. */
void grove__tree_stand_all(grove__tree *tree);

/* Whether a node is another or above it. O(depth). */
bool grove__tree_is_above(const grove__tree *tree, uint32_t node, uint32_t below);

/* Puts a node to a place where it did not stand, and counts children. */
void grove__tree_stand(grove__tree *tree, uint32_t node, uint32_t place);

/* Makes a node, which has a deletion, deleted or not, and counts children. */
void grove__tree_set_deleted(grove__tree *tree, uint32_t node, bool is_deleted);

/* --- id.c: the ids of nodes --- */

/* The node with an id; _NONE. */
uint32_t grove__tree_find(const grove__tree *tree, grove_bytes id);
/* The id of a node. */
void grove__tree_id(const grove__tree *tree, uint32_t node, grove_tree_id_bytes *id_out);
/* The id that the library makes for the node which an event puts. */
void grove__tree_print_id(grove_bytes replica, uint64_t sequence,
                          grove_tree_id_bytes *id_out);
/* Appends a dot and a number to an id that has room for it. */
void grove__tree_extend_id(grove_tree_id_bytes *id, uint64_t number);
/* Whether an id has that form. */
bool grove__tree_is_printed_id(grove_bytes id);
/* The node that has an id of that form because none was given; _NONE. */
uint32_t grove__tree_find_printed(const grove__tree *tree, grove_bytes id);
/* The place of the put whose event the id of a node names, given or not; _NONE:
 * there is none, or it is another node's. */
uint32_t grove__tree_naming_put(const grove__tree *tree, uint32_t node);

/* --- read.c --- */

/* The place that an event made; _NONE. */
uint32_t grove__tree_place_of(const grove__tree *tree, grove_bytes replica,
                              uint64_t sequence);

static inline bool grove__tree_is_deleted(const grove__tree *tree, uint32_t node)
{
    uint32_t deletion = tree->nodes[node].deletion;
    return deletion != GROVE__TREE_NONE && tree->deletions[deletion].is_deleted != 0;
}
/* The parent of a node; _NONE for the root. */
static inline uint32_t grove__tree_parent(const grove__tree *tree, uint32_t node)
{
    uint32_t place = tree->nodes[node].place;
    return place == GROVE__TREE_NONE ? GROVE__TREE_NONE : tree->places[place].parent;
}
/* Whether a node stands at a place. */
static inline bool grove__tree_is_current(const grove__tree *tree, uint32_t place)
{
    return tree->nodes[tree->places[place].node].place == place;
}
/* The next place of its list from `place` on (forwards or backwards) where a
 * node stands that may be seen. */
uint32_t grove__tree_pass(const grove__tree *tree, uint32_t place, bool forwards,
                          bool deleted_too);
uint32_t grove__tree_step(const grove__tree *tree, uint32_t node, grove_tree_way way,
                          bool deleted_too);
/* The node after one in a walk below `top`, depth first, with `*depth` its
 * depth; _NONE at the end. `descends`: also to what is below the node. */
uint32_t grove__tree_next(const grove__tree *tree, uint32_t top, uint32_t node,
                          bool descends, bool deleted_too, uint32_t *depth);

/* The record of an attribute, unset or not; _NONE. */
uint32_t grove__tree_attribute_of(const grove__tree *tree, uint32_t node,
                                  grove_bytes name);
/* Its encoded value; empty: unset. */
static inline grove_bytes grove__tree_value_at(const grove__tree *tree,
                                               uint32_t attribute)
{
    const grove__tree_attribute *record = &tree->attributes[attribute];
    return (grove_bytes){tree->values.data + record->value, record->size};
}
/* An attribute with its name, for sorting. */
typedef struct grove__tree_named {
    grove_bytes name;
    uint32_t attribute;
} grove__tree_named;
/* Replaces the buffer by a node's attributes (grove__tree_named), unset ones
 * too, in the order of their names. False: no memory. */
bool grove__tree_sort_attributes(const grove__tree *tree, uint32_t node,
                                 grove_buffer *named_out);

/* --- state.c, digest.c --- */

/* The columns of a snapshot; events at or before the time `settled` are known
 * to all that will come. */
grove_status grove__tree_encode(const grove__tree *tree, uint64_t settled,
                                grove_type_buffers *buffers, grove_error *error_out);
grove_status grove__tree_decode(const grove_allocator *allocator,
                                grove_type_frames frames, grove__tree **tree_out,
                                grove_error *error_out);
/* See grove_tree_digest. */
grove_status grove__tree_digest(const grove__tree *tree, uint8_t *digest_out,
                                grove_error *error_out);

/* NULL if T1 to T4 and all links hold, else a sentence about the first fault.
 * For tests. */
const char *grove__tree_check(const grove__tree *tree);

#endif
