/*
 * Programs for trees: replicas that edit what they know, as the calls of
 * grove/tree.h let them, and get to know what others did. And the handing of
 * their events to trees through the type's table.
 */
#ifndef GROVE_TESTS_TREE_PROGRAM_H
#define GROVE_TESTS_TREE_PROGRAM_H

#include "oracle.h"

typedef struct tree_program {
    tree_oracle oracle;
    oracle_set known[ORACLE_REPLICAS_MAX];   /* of each replica */
    uint64_t sequences[ORACLE_REPLICAS_MAX]; /* of its next event */
} tree_program;

/* A place for a node, in numbers of a state. */
typedef struct program_place {
    uint32_t parent;
    grove_tree_where where;
    uint32_t sibling;
} program_place;

void program_clear(tree_program *program);

/* Makes an event of a replica's, on all it knows. */
uint32_t program_add(tree_program *program, uint32_t replica, oracle_event *event);

/* An event that takes back the last program_add. */
void program_forget(tree_program *program, uint32_t event, const oracle_set *known);

/* The names of a node and a place in an event, for a state of what the replica
 * knows. `moved` is the node that goes there; ORACLE_NONE: a new one. */
uint32_t program_put_of(const tree_program *program, const oracle_state *state,
                        const oracle_set *known, uint32_t node);
void program_go(const tree_program *program, const oracle_state *state,
                const oracle_set *known, program_place place, uint32_t moved,
                oracle_event *event);

/*
 * An edit. Nodes are said by their ids: "": the root, or, of a put, a new one
 * whose id the library makes; ".": the first of those. A put and a set write
 * the number of the event as attribute "x", a put the replica's name as type.
 */
typedef struct program_edit {
    grove_tree_kind kind;
    const char *node;
    const char *parent;
    grove_tree_where where;
    const char *sibling;
} program_edit;

/* Does an edit on all that a replica knows. False: the call would say that it
 * cannot be. */
bool program_do(tree_program *program, uint32_t replica, const program_edit *edit);

/* Makes a random event of a replica's that the calls would let it make. */
uint32_t program_draw(tree_program *program, uint32_t replica, test_random *random);

/* A replica gets to know all that another knows. */
void program_learn(tree_program *program, uint32_t replica, uint32_t from);

/* Values, encoded. */
oracle_bytes program_integer(int64_t number);

/* --- trees --- */

grove__tree *program_tree(const grove_allocator *allocator);

/* Hands events to a tree at once, in this order. */
grove_status program_apply(const tree_program *program, grove__tree *tree,
                           const uint32_t *events, uint32_t count,
                           grove_error *error_out);

void program_encode(const grove__tree *tree, uint64_t settled,
                    grove_type_buffers *buffers);
grove_type_frames program_frames(const grove_type_buffers *buffers);
void program_release(grove_type_buffers *buffers);
grove__tree *program_decode(const grove_type_buffers *buffers);

/* A tree with all events up to `count`, in the order they were made in. */
grove__tree *program_run(const tree_program *program, uint32_t count);

enum { OUTLINE_MAX = 512 };

/* What shows of a tree, as ids in brackets: "A(B,C(D)),E". */
void program_outline(const grove__tree *tree, bool deleted_too, char *text_out);

/* Puts in the tree's place what comes back from its snapshot. */
void program_reload(grove__tree **tree, uint64_t settled);

typedef struct tree_digest {
    uint8_t bytes[GROVE_DIGEST_BYTES];
} tree_digest;

tree_digest program_digest(const grove__tree *tree);
bool program_is_digest(const grove__tree *tree, const tree_digest *digest);

/* The next order of the numbers; false: that was the last. */
bool program_next_order(uint32_t *order, uint32_t count);

/* Whether each event comes after all it knows, but for what `known` has. */
bool program_is_causal(const tree_program *program, const oracle_set *known,
                       const uint32_t *order, uint32_t count);

#endif
