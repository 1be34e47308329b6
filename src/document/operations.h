/*
 * The operations of events from several places, to be found by clock: those
 * that a merge sees again, and those it merges.
 */
#ifndef GROVE_DOCUMENT_OPERATIONS_H
#define GROVE_DOCUMENT_OPERATIONS_H

#include "document/document.h"

typedef struct grove__operation_list {
    const grove_document_type *type;
    grove_buffer items; /* ascending by clock, without overlap */
    size_t near;        /* the one that was asked for last */
    grove_buffer owned; /* grove__events *, whose contents are in use */
} grove__operation_list;

/* An empty list for a document's operations. */
void grove__operation_list_init(grove__operation_list *list,
                                const grove_document *document);
void grove__operation_list_release(grove__operation_list *list);

/* Appends those of the events of a list that have clocks from `from` to
 * `end` - 1, after all that the list has. Contents are borrowed from `events`.
 * GROVE_NO_MEMORY. */
grove_status grove__operation_list_add(grove__operation_list *list, grove__events *events,
                                       uint64_t first_clock, uint64_t from, uint64_t end,
                                       grove_error *error_out);

/* Reads them from the store, with contents or without. */
grove_status grove__operation_list_read(grove__operation_list *list,
                                        grove_document *document, grove__txn *txn,
                                        uint64_t from, uint64_t end, bool with_contents,
                                        grove_error *error_out);

/* The operation of the event at `clock`, which the list has, and of as many
 * after it as it stands for, up to `end`. O(1) for the next one, else
 * O(log operations). */
grove_operation grove__operation_list_get(grove__operation_list *list, uint64_t clock,
                                          uint64_t end);

#endif
