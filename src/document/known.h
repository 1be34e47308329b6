/*
 * Comparing what arrives with the events that are known by the same ids: the
 * same id with other content is an error, never a choice.
 *
 * Known events are read a batch at a time and gone through in order, with a
 * mark every few runs to go back or on from: many that arrive in the order in
 * which they are stored cost one look each, and within a batch any order costs
 * O(log runs).
 */
#ifndef GROVE_DOCUMENT_KNOWN_H
#define GROVE_DOCUMENT_KNOWN_H

#include "document/document.h"

/* A cursor, before the run that begins at a clock. */
typedef struct grove__known_mark {
    grove__events_cursor cursor;
    uint64_t clock;
} grove__known_mark;

typedef struct grove__known {
    grove_document *document;
    grove__txn *txn;
    grove__events batch;    /* the one that was read last */
    grove__events *events;  /* it, or the unsaved ones; NULL: none */
    uint64_t first_clock;   /* of `events` */
    const uint8_t *content; /* where its contents were, */
    uint32_t count;         /* and how many it had: what came later is not set */
    grove__events_cursor cursor;
    grove_event_run run; /* what the cursor gave last, */
    uint64_t clock;      /* and its clock */
    uint64_t steps;      /* runs gone through so far: what it cost */
    grove_buffer marks;  /* grove__known_mark, ascending */
    uint64_t furthest;   /* clock that was reached in `events`, */
    uint32_t since_mark; /* and how many runs it is from the last mark */
    grove_event_id parents[GROVE_EVENT_PARENTS_MAX];
} grove__known;

void grove__known_init(grove__known *known, grove_document *document, grove__txn *txn);
void grove__known_release(grove__known *known);

/*
 * Compares the beginning of a run with the known events at `clock`, as far as
 * these are one run too: parents, time, operation. GROVE_DUPLICATE: *count_out
 * events are the same; GROVE_REPLICA_REUSED: they are not.
 * GROVE_HISTORY_REMOVED: their content is gone; at least one is known.
 */
grove_status grove__known_compare(grove__known *known, const grove_event_run *run,
                                  uint64_t clock, uint32_t *count_out,
                                  grove_error *error_out);

#endif
