/*
 * Documents of type `tree`: nodes with attributes below one root, edited by
 * several replicas at once. The handles and their threads: grove/document.h.
 *
 * Edits change the handle's tree at once and become events that the next save
 * stores. What concurrent edits make of a tree does not depend on the order in
 * which they arrive (docs/TREE.md says how, and from where):
 *
 *   - Of writes of one attribute the latest wins, in the order of events: by
 *     Lamport time, then by replica. No clock on a wall decides anything.
 *   - Of moves of one node the latest wins, but for those that would make a
 *     cycle at their turn, which have no effect.
 *   - Siblings stay in the order in which they were put; what two replicas put
 *     at one place, each in a row, is not mixed.
 *   - A deleted node hides all below it; edits of what is hidden are kept, and
 *     show when it is restored.
 *
 * Nodes are named by numbers. A number holds while the handle is open, of a
 * view of the past as well, but not beyond a grove_tree_cancel of the change
 * that put the node, nor after an import that adopted a snapshot. In another
 * handle the same node has another number; its id is the same everywhere.
 *
 * Every function here says GROVE_INVALID for a document of another type and
 * for a node that there is not. Edits say GROVE_INVALID for views of the past,
 * and GROVE_LIMIT or GROVE_NO_MEMORY where they must; on failure nothing has
 * changed. An edit is one event. Its cost: O(log n) and the bytes, besides
 * what is said there.
 */
#ifndef GROVE_TREE_H
#define GROVE_TREE_H

#include <grove/document.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint32_t grove_node;

/* The root: always there, without type and parent; it may have attributes. It
 * is neither moved nor deleted. Its id is empty. */
#define GROVE_NODE_ROOT 0u
#define GROVE_NODE_NONE UINT32_MAX

/* The kinds of a tree's operations. Each stands for one event. What their
 * contents look like says docs/FORMAT.md. */
typedef enum grove_tree_kind {
    GROVE_TREE_PUT = 0,
    GROVE_TREE_SET = 1,
    GROVE_TREE_UNSET = 2,
    GROVE_TREE_MOVE = 3,
    GROVE_TREE_DELETE = 4,
    GROVE_TREE_RESTORE = 5
} grove_tree_kind;

/* --- values --- */

typedef enum grove_value_kind {
    GROVE_VALUE_NULL = 0,
    GROVE_VALUE_BOOLEAN = 1,
    GROVE_VALUE_INTEGER = 2,
    GROVE_VALUE_DOUBLE = 3,
    GROVE_VALUE_TEXT = 4, /* UTF-8 */
    GROVE_VALUE_BYTES = 5
} grove_value_kind;

/* What an attribute holds; `kind` says which member counts. */
typedef struct grove_value {
    grove_value_kind kind;
    bool boolean;
    int64_t integer;
    double number; /* any bits, also those of a NaN, are kept */
    grove_bytes bytes;
} grove_value;

typedef struct grove_attribute {
    grove_bytes name; /* UTF-8, 1 to GROVE_ATTRIBUTE_NAME_BYTES_MAX bytes */
    grove_value value;
} grove_attribute;

/* Values of each kind. */
static inline grove_value grove_value_null(void)
{
    grove_value value = {GROVE_VALUE_NULL, false, 0, 0.0, {NULL, 0}};
    return value;
}
/* The same, of a boolean. */
static inline grove_value grove_value_boolean(bool boolean)
{
    grove_value value = {GROVE_VALUE_BOOLEAN, boolean, 0, 0.0, {NULL, 0}};
    return value;
}
/* The same, of an integer. */
static inline grove_value grove_value_integer(int64_t integer)
{
    grove_value value = {GROVE_VALUE_INTEGER, false, integer, 0.0, {NULL, 0}};
    return value;
}
/* The same, of a double. */
static inline grove_value grove_value_double(double number)
{
    grove_value value = {GROVE_VALUE_DOUBLE, false, 0, number, {NULL, 0}};
    return value;
}
/* The same, of UTF-8, which is borrowed. */
static inline grove_value grove_value_text(grove_bytes utf8)
{
    grove_value value = {GROVE_VALUE_TEXT, false, 0, 0.0, {NULL, 0}};
    value.bytes = utf8;
    return value;
}
/* The same, of bytes, which are borrowed. */
static inline grove_value grove_value_bytes(grove_bytes bytes)
{
    grove_value value = {GROVE_VALUE_BYTES, false, 0, 0.0, {NULL, 0}};
    value.bytes = bytes;
    return value;
}

/* --- editing --- */

/* A place among siblings. */
typedef enum grove_tree_where {
    GROVE_TREE_LAST = 0,
    GROVE_TREE_FIRST = 1,
    GROVE_TREE_BEFORE = 2, /* `sibling` */
    GROVE_TREE_AFTER = 3   /* `sibling` */
} grove_tree_where;

/* Where a node goes. `sibling` counts for GROVE_TREE_BEFORE and _AFTER, and is
 * a child of `parent`, other than the node itself; it may be deleted. */
typedef struct grove_tree_place {
    grove_node parent;
    grove_tree_where where;
    grove_node sibling;
} grove_tree_place;

/* A node to put. All is borrowed for the call. */
typedef struct grove_tree_item {
    /* At most GROVE_NODE_ID_BYTES_MAX bytes, any; empty: the library makes one
     * that nobody else makes (see grove_tree_id). */
    grove_bytes id;
    /* UTF-8, at most GROVE_NODE_TYPE_BYTES_MAX bytes; may be empty. */
    grove_bytes type;
    /* Each name at most once. */
    const grove_attribute *attributes;
    size_t attribute_count;
} grove_tree_item;

/*
 * Puts a node. `metadata`, here and below, is at most
 * GROVE_TREE_METADATA_BYTES_MAX opaque bytes that are kept with the event, for
 * grove_tree_history: who it was, what for. *node_out may be NULL.
 *
 * Where others put a node with the same id at the same time the two are one,
 * as if this put were a move and writes of the type and the attributes.
 *
 *   GROVE_INVALID    no such parent or sibling; a name twice; a text that is
 *                    not UTF-8
 *   GROVE_CONFLICT   there is a node with this id, perhaps a deleted one
 */
GROVE_API grove_status grove_tree_put(grove_document *document,
                                      const grove_tree_item *item, grove_tree_place place,
                                      grove_bytes metadata, grove_node *node_out,
                                      grove_error *error_out);

/*
 * Puts a node that there may be already: with the id of one it moves that one
 * to the place, and writes its type and the attributes (others stay); deleted
 * it stays. The id must be given. GROVE_INVALID: also if that would move it
 * under itself.
 */
GROVE_API grove_status grove_tree_put_again(grove_document *document,
                                            const grove_tree_item *item,
                                            grove_tree_place place, grove_bytes metadata,
                                            grove_node *node_out, grove_error *error_out);

/* Sets an attribute. GROVE_INVALID: the name or a text is not UTF-8, or the
 * name is empty. */
GROVE_API grove_status grove_tree_set(grove_document *document, grove_node node,
                                      grove_bytes name, const grove_value *value,
                                      grove_bytes metadata, grove_error *error_out);

/* Takes an attribute away, which is a write as well. GROVE_NONE: it has none
 * of this name, and no event was made. */
GROVE_API grove_status grove_tree_unset(grove_document *document, grove_node node,
                                        grove_bytes name, grove_bytes metadata,
                                        grove_error *error_out);

/*
 * Moves a node with all below it. Cost: also O(depth of the place).
 * GROVE_INVALID: the root; under itself or below; no such sibling.
 */
GROVE_API grove_status grove_tree_move(grove_document *document, grove_node node,
                                       grove_tree_place place, grove_bytes metadata,
                                       grove_error *error_out);

/* Deletes a node, which hides it and all below. GROVE_INVALID: the root;
 * GROVE_NONE: it is deleted already, and no event was made. */
GROVE_API grove_status grove_tree_delete(grove_document *document, grove_node node,
                                         grove_bytes metadata, grove_error *error_out);

/* Takes a deletion back. GROVE_NONE: it is not deleted itself (something above
 * it may be), and no event was made. */
GROVE_API grove_status grove_tree_restore(grove_document *document, grove_node node,
                                          grove_bytes metadata, grove_error *error_out);

/*
 * Begins a change of several edits that are one for grove_tree_undo, and that
 * grove_tree_cancel takes back as a whole. Until its end no function of
 * grove/document.h that changes the handle or the store works on it: they say
 * GROVE_INVALID. GROVE_INVALID: one has begun already.
 */
GROVE_API grove_status grove_tree_begin(grove_document *document, grove_error *error_out);

/* Ends the change; its edits are a chain of events. GROVE_INVALID: none has
 * begun. */
GROVE_API grove_status grove_tree_end(grove_document *document, grove_error *error_out);

/* Ends the change and takes back all it did: there never were such events.
 * O(edits taken back + runs of events in memory). GROVE_INVALID: none has
 * begun. GROVE_NO_MEMORY: the handle is then failed, only close is left. */
GROVE_API grove_status grove_tree_cancel(grove_document *document,
                                         grove_error *error_out);

/*
 * Undoes the newest change that was made with this handle and is not undone,
 * by new events that put back what it changed, where that is still as it left
 * it: what others made of it since stays. Redo undoes the newest undo. Each
 * edit is a change by itself unless it is between grove_tree_begin and _end.
 * What was undone cannot be redone after another edit.
 *
 * GROVE_NONE: there is nothing to undo, or to redo. GROVE_INVALID: a change
 * has begun.
 */
GROVE_API grove_status grove_tree_undo(grove_document *document, grove_bytes metadata,
                                       grove_error *error_out);
GROVE_API grove_status grove_tree_redo(grove_document *document, grove_bytes metadata,
                                       grove_error *error_out);

/* --- reading --- */

typedef struct grove_tree_id_bytes {
    uint8_t bytes[GROVE_NODE_ID_BYTES_MAX];
    size_t size;
} grove_tree_id_bytes;

/*
 * A node's id. One that the library made is printable: the replica's bytes in
 * hexadecimal (lower case), a dot, and the sequence of the event that put it;
 * a dot and a number more, if a node was given that id before. Given as the id
 * of an item it names the same node.
 */
GROVE_API grove_status grove_tree_id(const grove_document *document, grove_node node,
                                     grove_tree_id_bytes *id_out, grove_error *error_out);

/* The node with an id, deleted or not. O(log n). GROVE_NONE. */
GROVE_API grove_status grove_tree_find(const grove_document *document, grove_bytes id,
                                       grove_node *node_out, grove_error *error_out);

typedef struct grove_tree_info {
    grove_bytes type;  /* borrowed until the handle changes */
    grove_node parent; /* GROVE_NODE_NONE: the root */
    bool is_deleted;   /* itself */
    uint32_t children; /* that are not deleted */
} grove_tree_info;

/* What a node is. O(1). */
GROVE_API grove_status grove_tree_info_get(const grove_document *document,
                                           grove_node node, grove_tree_info *info_out,
                                           grove_error *error_out);

/* Whether the node can be seen: neither it nor one above it is deleted.
 * O(depth). */
GROVE_API grove_status grove_tree_is_visible(const grove_document *document,
                                             grove_node node, bool *is_visible_out,
                                             grove_error *error_out);

/* An attribute's value; borrowed until the handle changes. O(log names).
 * GROVE_NONE: the node has none of this name. */
GROVE_API grove_status grove_tree_get(const grove_document *document, grove_node node,
                                      grove_bytes name, grove_value *value_out,
                                      grove_error *error_out);

/* Called for an attribute, which is borrowed for the call; false stops. */
typedef bool (*grove_tree_attribute_fn)(void *context, const grove_attribute *attribute);

/* All attributes of a node, in the order of their names' bytes.
 * O(attributes x log). */
GROVE_API grove_status grove_tree_attributes(const grove_document *document,
                                             grove_node node,
                                             grove_tree_attribute_fn each, void *context,
                                             grove_error *error_out);

/* A step from a node to another. */
typedef enum grove_tree_way {
    GROVE_TREE_TO_PARENT = 0,
    GROVE_TREE_TO_FIRST = 1,   /* child */
    GROVE_TREE_TO_LAST = 2,    /* child */
    GROVE_TREE_TO_NEXT = 3,    /* sibling */
    GROVE_TREE_TO_PREVIOUS = 4 /* sibling */
} grove_tree_way;

enum {
    /* Deleted nodes are there as others are. Without it a step passes over
     * them, and a walk over all below them too. */
    GROVE_TREE_DELETED_TOO = 1u << 0
};

/*
 * Where a step leads: GROVE_NODE_NONE when there is no such node. O(1), and a
 * step for each deleted or moved sibling that is passed over.
 */
GROVE_API grove_status grove_tree_step(const grove_document *document, grove_node node,
                                       grove_tree_way way, unsigned flags,
                                       grove_node *node_out, grove_error *error_out);

/* The index-th child, from 0. O(children). GROVE_NONE: there are fewer. */
GROVE_API grove_status grove_tree_child(const grove_document *document, grove_node node,
                                        uint64_t index, unsigned flags,
                                        grove_node *child_out, grove_error *error_out);

/* Called for a node, `depth` levels below where the walk began; false stops. */
typedef bool (*grove_tree_fn)(void *context, grove_node node, uint32_t depth);

/*
 * A node and what is below it, down to `depth_max` levels (UINT32_MAX: all),
 * depth first, each before its children. Needs no memory, however deep the
 * tree is. The callback must not change the handle.
 */
GROVE_API grove_status grove_tree_walk(const grove_document *document, grove_node node,
                                       uint32_t depth_max, unsigned flags,
                                       grove_tree_fn each, void *context,
                                       grove_error *error_out);

/* What nodes are looked for; what is NULL does not count. */
typedef struct grove_tree_query {
    const grove_bytes *type;
    const grove_bytes *name;  /* they have such an attribute */
    const grove_value *value; /* with this value; needs a name */
} grove_tree_query;

/* The nodes below a node, and itself, that fit, in the order of a walk.
 * O(nodes walked). The callback must not change the handle. */
GROVE_API grove_status grove_tree_search(const grove_document *document, grove_node node,
                                         const grove_tree_query *query, unsigned flags,
                                         grove_tree_fn each, void *context,
                                         grove_error *error_out);

/* How many nodes there are, deleted and hidden ones and the root included.
 * Their numbers are those below it. O(1). */
GROVE_API grove_status grove_tree_count(const grove_document *document,
                                        uint64_t *count_out, grove_error *error_out);

/*
 * The way from the root to a node, both included, into `nodes`, of which there
 * is room for `capacity`; *count_out: how many they are. O(depth).
 * GROVE_LIMIT: more than there is room for; *count_out is set all the same.
 */
GROVE_API grove_status grove_tree_path(const grove_document *document, grove_node node,
                                       grove_node *nodes, size_t capacity,
                                       size_t *count_out, grove_error *error_out);

/*
 * A digest of what shows and what is hidden: 256 bits (BLAKE2b, RFC 7693) of a
 * canonical form that docs/FORMAT.md has. Replicas with equal trees have equal
 * digests, and no others have. `digest_out` has room for GROVE_DIGEST_BYTES.
 * O(nodes + attributes x log).
 */
GROVE_API grove_status grove_tree_digest(const grove_document *document,
                                         uint8_t *digest_out, grove_error *error_out);

/* An event of a tree. All is borrowed for the call. */
typedef struct grove_tree_event {
    grove_event_id id;
    int64_t timestamp; /* ms since 1970-01-01T00:00:00Z */
    grove_tree_kind kind;
    grove_node node;
    grove_node parent; /* of a put or a move: the new one; else _NONE */
    grove_bytes type;  /* of a put */
    grove_bytes name;  /* of a set or unset */
    grove_value value; /* of a set */
    grove_bytes metadata;
} grove_tree_event;

typedef bool (*grove_tree_event_fn)(void *context, const grove_tree_event *event);

/*
 * The stored events that touched a node, in the order of their arrival: its
 * puts, moves, writes, deletions. Those that a compaction removed are not told,
 * nor unsaved ones. Reads all stored events of the document: O(events). false
 * stops. The callback must not change the handle.
 */
GROVE_API grove_status grove_tree_history(grove_document *document, grove_node node,
                                          grove_tree_event_fn each, void *context,
                                          grove_error *error_out);

#ifdef __cplusplus
}
#endif

#endif
