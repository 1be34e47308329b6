/* Making one node of a tree be what an item of a value says. */
#ifndef GROVE_JSON_PUT_H
#define GROVE_JSON_PUT_H

#include "json/node.h"

/* What is changed, and from where what goes into it is taken. */
typedef struct grove__json_change {
    grove_document *document;
    grove_bytes metadata;
    const grove__json_value *value;
} grove__json_change;

/* Where a value goes. */
typedef struct grove__json_target {
    grove__json_view parent; /* an object, an array, or the root */
    grove_bytes key;         /* in an object; borrowed */
    bool is_shown;           /* there is something, and it is: */
    grove__json_view view;
    grove_tree_place place; /* in an array: of what is put */
} grove__json_target;

/* Right behind a child of `parent`; GROVE_NODE_NONE: before all others. */
static inline grove_tree_place grove__json_place_after(grove_node parent,
                                                       grove_node sibling)
{
    const grove_tree_place first = {parent, GROVE_TREE_FIRST, GROVE_NODE_NONE};
    const grove_tree_place after = {parent, GROVE_TREE_AFTER, sibling};
    return sibling == GROVE_NODE_NONE ? first : after;
}

/*
 * A change is one step for grove_tree_undo, and none at all if it fails: `end`
 * takes the status of what was done since `begin` and gives it back, after it
 * took everything back if it is a failure.
 */
grove_status grove__json_begin(grove_document *document, grove_error *error_out);
grove_status grove__json_end(grove_document *document, grove_status status,
                             grove_error *error_out);

/* The member of an object with this key, there or not. */
grove_status grove__json_target_member(const grove_document *document, grove_node object,
                                       grove_bytes key, grove__json_target *target_out,
                                       grove_error *error_out);

/*
 * Makes the target be of the kind of item `index`, with its scalar; what is in
 * a container stays, if it was of this kind before. No event says what is so
 * already.
 */
grove_status grove__json_put(const grove__json_change *change,
                             const grove__json_target *target, size_t index,
                             grove_node *node_out, grove_error *error_out);

#endif
