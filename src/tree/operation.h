/*
 * The operations of a tree: what an event says, and the content that says it.
 *
 * An event names nodes and places by the events that made them: a node by a
 * put of it, a place by the put or move that made it. So an event needs no
 * ids but its own put's, and most names are small numbers: how many events of
 * the same replica lie between.
 *
 * Contents are those of a schema (grove/sys/document_type.h), so that each
 * field becomes a column. docs/FORMAT.md, "Tree operations", is normative.
 *
 *   reference   two fields, a number and bytes:
 *                 0      the root; as an anchor: the beginning of the list
 *                 2d+1   the event that the same replica made d > 0 before
 *                 2s+2   the event with the sequence s of the replica whose
 *                        name the bytes are, another one
 *               the bytes are empty but for the last
 *   anchor      the same with twice the number, + 1: left of it
 *   value       a tag, and what it holds (see below)
 *   attributes  of each: the size of the name as LEB128, the name, the size of
 *               the value as LEB128, the value
 *
 *   kind     fields
 *   PUT      parent, anchor, id, type, attributes, metadata
 *   SET      node, name, value, metadata
 *   UNSET    node, name, metadata
 *   MOVE     node, parent, anchor, metadata
 *   DELETE   node, metadata
 *   RESTORE  node, metadata
 *
 *   value    0 null, 1 false, 2 true, 3 and a zigzag LEB128, 4 and the 8 bytes
 *            of a double (big-endian), 5 and UTF-8, 6 and bytes
 */
#ifndef GROVE_TREE_OPERATION_H
#define GROVE_TREE_OPERATION_H

#include <grove/sys/document_type.h>
#include <grove/tree.h>

extern const grove_schema grove__tree_schema;

typedef enum grove__tree_reference_kind {
    GROVE__TREE_REFERENCE_NONE = 0, /* the root, or the beginning of a list */
    GROVE__TREE_REFERENCE_OWN = 1,
    GROVE__TREE_REFERENCE_OTHER = 2
} grove__tree_reference_kind;

/* The event that made a node or a place. */
typedef struct grove__tree_reference {
    grove__tree_reference_kind kind;
    /* OWN: how many events before, at least 1; OTHER: the sequence. */
    uint64_t number;
    /* OTHER: the replica's name; borrowed. */
    grove_bytes replica;
} grove__tree_reference;

/* What an event says; what its kind does not have is empty. All is borrowed. */
typedef struct grove__tree_operation {
    grove_tree_kind kind;
    grove__tree_reference node; /* of a put: NONE, the event itself makes it */
    grove__tree_reference parent;
    grove__tree_reference anchor; /* in the parent's list of places */
    bool is_left;                 /* of the anchor; else right of it */
    grove_bytes id;               /* empty: made of the event's own id */
    grove_bytes type;
    grove_bytes attributes; /* encoded */
    grove_bytes name;
    grove_bytes value; /* encoded */
    grove_bytes metadata;
} grove__tree_operation;

/* Appends the content of an operation. */
void grove__tree_operation_encode(const grove__tree_operation *operation,
                                  grove_buffer *content);

/*
 * The way back; borrows the content. Checks all that can be checked without a
 * tree: fields fill the content, sizes are within grove/limits.h, names, types
 * and texts are UTF-8, no attribute occurs twice, a reference has one form.
 * GROVE_CORRUPT with the offset in the content.
 */
grove_status grove__tree_operation_decode(const grove_operation *operation,
                                          grove__tree_operation *operation_out,
                                          grove_error *error_out);

/* Appends a value with its tag. */
void grove__tree_value_encode(const grove_value *value, grove_buffer *bytes);
/* The way back; borrows the bytes. False: they are no value. */
bool grove__tree_value_decode(grove_bytes bytes, grove_value *value_out);

/* Appends an attribute to an operation's `attributes`. */
void grove__tree_attribute_encode(const grove_attribute *attribute, grove_buffer *bytes);
/* The next attribute of an operation that was decoded. False: that was all. */
typedef struct grove__tree_written {
    grove_bytes name;
    grove_bytes value; /* encoded */
} grove__tree_written;
bool grove__tree_attribute_next(grove_reader *attributes,
                                grove__tree_written *written_out);

#endif
