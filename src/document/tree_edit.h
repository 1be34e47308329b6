/*
 * Editing a tree through a handle: how an edit becomes an event, and what has
 * to be known to undo it.
 *
 *   U1  `undo` and `redo` are rows of records, each row ended by a mark: a
 *       change. A record has what one event of this handle's replica changed,
 *       as it was before.
 *   U2  Undoing a change makes events that put back what it changed where the
 *       tree still has what the event wrote; their records are a change of the
 *       other row. So redo is undo of an undo.
 *   U3  An event that puts back what an earlier one of the handle's wrote
 *       stands in for that: `stand_ins` has which for which. So a row is undone
 *       record by record, as long as nobody else wrote in between.
 */
#ifndef GROVE_DOCUMENT_TREE_EDIT_H
#define GROVE_DOCUMENT_TREE_EDIT_H

#include "document/document.h"
#include "tree/operation.h"
#include "tree/tree.h"

typedef enum grove__tree_record_kind {
    GROVE__TREE_RECORD_MARK,     /* the records of a change end here */
    GROVE__TREE_RECORD_NEW,      /* the node was put */
    GROVE__TREE_RECORD_TYPE,     /* the node was put again; `name` is the type */
    GROVE__TREE_RECORD_PLACE,    /* it was moved; it stood at `place` */
    GROVE__TREE_RECORD_VALUE,    /* the attribute `name` was written */
    GROVE__TREE_RECORD_DELETION, /* it was deleted */
    GROVE__TREE_RECORD_RESTORAL  /* it was restored */
} grove__tree_record_kind;

typedef struct grove__tree_record {
    grove__tree_record_kind kind;
    uint32_t node;
    uint32_t name; /* of the tree's names */
    uint32_t place;
    size_t value_size; /* what it was, at the end of the values; 0: unset */
    uint64_t sequence; /* of the event */
    /* The event of the handle's that wrote what was there before, or for which
     * that stood in; UINT64_MAX: there is none. */
    uint64_t before;
} grove__tree_record;

/* An event that stands in for another, for what a record of the kind is of. */
typedef struct grove__tree_stand_in {
    uint64_t sequence;
    uint64_t for_sequence;
    grove__tree_record_kind kind;
} grove__tree_stand_in;

/* --- tree_edit.c --- */

/* The tree of a document that can be edited. */
grove_status grove__tree_editable(const grove_document *document, grove__tree **tree_out,
                                  grove_error *error_out);

/* Whether a document is a tree, and a tree has a node. GROVE_INVALID. */
grove_status grove__tree_check_type(const grove_document *document,
                                    grove_error *error_out);
grove_status grove__tree_check_node(const grove__tree *tree, grove_node node,
                                    grove_error *error_out);

/* A place as an operation names it. */
typedef struct grove__tree_spot {
    uint32_t parent;
    grove__fugue_place place;
} grove__tree_spot;

/* Makes an event of an operation, of which `node` and where it goes (`spot`,
 * or NULL) are filled in here; notes what it changes. */
grove_status grove__tree_emit(grove_document *document, grove__tree_operation *operation,
                              uint32_t node, const grove__tree_spot *spot,
                              grove_error *error_out);

/* Directly where the place is, among what stands there now. */
grove__tree_spot grove__tree_spot_of(const grove__tree *tree, uint32_t place);

/* --- tree_undo.c --- */

/* Notes what an event is about to change; its values are encoded. */
grove_status grove__tree_remember(grove_document *document,
                                  const grove__tree_operation *operation, uint32_t node,
                                  grove_error *error_out);
/* Takes back what was noted last, of an event that was not made. */
void grove__tree_forget(grove_document *document, size_t records, size_t values);
/* Ends a change: the records since the last mark are one. What was undone
 * cannot be redone then, unless this is an undo or redo. */
void grove__tree_close_change(grove_document *document);

#endif
