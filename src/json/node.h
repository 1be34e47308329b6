/*
 * Which nodes of a tree are JSON, and what they are.
 *
 * A node's type says its kind: "object", "array" or "value". A member of an
 * object has its key in the attribute "key", and an id that follows from its
 * parent's and the key, so that a member that two replicas make is one node.
 * An element of an array has no "key". A scalar is in the attribute "value";
 * what is no JSON there (nothing, bytes, a double that is not finite) counts
 * as null. The value of the document is the root's member with the empty key.
 *
 * Whatever else is below a node is not shown: deleted nodes, those of other
 * types, elements below an object and members below an array, as concurrent
 * changes of a node's kind leave them, and members that were moved elsewhere.
 */
#ifndef GROVE_JSON_NODE_H
#define GROVE_JSON_NODE_H

#include "json/value.h"

enum { GROVE__JSON_ID_BYTES = 20 };

/* A node that shows. */
typedef struct grove__json_view {
    grove_node node;
    grove__json_kind kind;
    grove_bytes key; /* of a member; borrowed until the handle changes */
} grove__json_view;

/* "object", "array" or "value". */
grove_bytes grove__json_type_of(grove__json_kind kind);
grove_bytes grove__json_key_name(void);
grove_bytes grove__json_value_name(void);

/* What the document's value is a member of. */
static inline grove__json_view grove__json_root(void)
{
    const grove__json_view root = {GROVE_NODE_ROOT, GROVE__JSON_OBJECT, {NULL, 0}};
    return root;
}

/* The id of an object's member. */
grove_status grove__json_member_id(const grove_document *document, grove_node object,
                                   grove_bytes key, uint8_t id_out[GROVE__JSON_ID_BYTES],
                                   grove_error *error_out);

/* The kind that a node's type says, key left out; GROVE_NONE: it is of another
 * type. */
grove_status grove__json_kind_of(const grove_document *document, grove_node node,
                                 grove__json_view *view_out, grove_error *error_out);

/* An object's member; GROVE_NONE: none shows with this key. */
grove_status grove__json_member(const grove_document *document, grove_node object,
                                grove_bytes key, grove__json_view *view_out,
                                grove_error *error_out);

/* The first child of a container that shows, and the next one behind a child;
 * GROVE_NONE: there is none. */
grove_status grove__json_first(const grove_document *document,
                               const grove__json_view *container,
                               grove__json_view *view_out, grove_error *error_out);
grove_status grove__json_next(const grove_document *document,
                              const grove__json_view *container,
                              const grove__json_view *child, grove__json_view *view_out,
                              grove_error *error_out);

/* How many children of a container show. O(children). */
grove_status grove__json_count(const grove_document *document,
                               const grove__json_view *container, size_t *count_out,
                               grove_error *error_out);

/* The scalar of a node of that kind; a text is borrowed until the handle
 * changes. */
grove_status grove__json_scalar(const grove_document *document, grove_node node,
                                grove_value *scalar_out, grove_error *error_out);

#endif
