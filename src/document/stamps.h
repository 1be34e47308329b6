/*
 * Lamport times, for documents of a type with a grove_timed_type, and the
 * stamps that its state is told with operations.
 *
 * Times are derived: an event gets its own from its parents when it enters the
 * graph. Stored are those that a reader cannot derive as it may lack what they
 * come from: of parents that lie outside a batch, and of a snapshot's heads.
 * They are compared wherever the graph has the event. What waits has none, and
 * what a peer says of the events of an import is not looked at.
 */
#ifndef GROVE_DOCUMENT_STAMPS_H
#define GROVE_DOCUMENT_STAMPS_H

#include "document/document.h"

static inline bool grove__document_is_timed(const grove_document *document)
{
    return document->type->timed != NULL;
}

/* Appends grove_stamp_run records of events that the graph has, clocks `from`
 * to `end` - 1. Replicas are borrowed from the graph until it names another.
 * Nothing for types that are not timed. GROVE_NO_MEMORY. */
grove_status grove__stamps_add(const grove_document *document, uint64_t from,
                               uint64_t end, grove_buffer *runs, grove_error *error_out);
grove_stamps grove__stamps_view(const grove_buffer *runs);

/* Whether the event at `clock` may have the time that is said of it: it has
 * the one in the graph, if it is there. GROVE_CORRUPT. */
grove_status grove__stamps_check(const grove_document *document, uint64_t clock,
                                 uint64_t time, grove_error *error_out);

/* What a list says of the time of an event outside that its first one has as a
 * parent; 0: nothing. */
uint64_t grove__stamps_said(const grove__events *events, const grove_event_id *id);

/* The least of these clocks of which the graph lacks the time; UINT64_MAX: it
 * has all, or the type is not timed. */
uint64_t grove__stamps_lacking(const grove_document *document, const uint64_t *clocks,
                               size_t count);

/* Makes the graph reach back so far that it has the time of the event at
 * `clock`. Statuses as grove__document_deepen. */
grove_status grove__stamps_deepen(grove_document *document, grove__txn *txn,
                                  uint64_t clock, grove_error *error_out);

/* The time of the event at `clock`. Statuses as grove__document_deepen. */
grove_status grove__stamps_time(grove_document *document, grove__txn *txn, uint64_t clock,
                                uint64_t *time_out, grove_error *error_out);

#endif
