/*
 * Runs of events that are handed in with ids and parents of their own: what
 * adding one and importing many have in common.
 */
#ifndef GROVE_DOCUMENT_ADDITION_H
#define GROVE_DOCUMENT_ADDITION_H

#include "document/known.h"

/* A run that is being added: what is left of it, and its parents' clocks. */
typedef struct grove__addition {
    grove_document *document;
    grove__txn *txn;
    grove__known known;
    grove_event_id given[GROVE_EVENT_PARENTS_MAX]; /* room for callers' parents */
    grove_event_run run;
    grove_event_id parent; /* of the rest of a run that is partly known */
    uint64_t clocks[GROVE_EVENT_PARENTS_MAX];
    /* For an import: known events whose content is gone count as known, and
     * those from clock `own` on, which it brought itself, as a fault. */
    bool is_import;
    uint64_t own;
    /* The record that the handle knows is that of `txn`. */
    bool has_looked;
    /* After a failure to find its place: it may have one when the event
     * `missing` has come. */
    bool waits;
    grove_event_id missing;
} grove__addition;

/* Room for one at a time; on the heap, as it is large. NULL: no memory. */
grove__addition *grove__addition_new(grove_document *document, grove__txn *txn);
/* Accepts NULL. */
void grove__addition_free(grove__addition *adding);

/* Checks a run in itself, and makes it the one that is added. Borrowed.
 * GROVE_INVALID, GROVE_LIMIT. */
grove_status grove__addition_begin(grove__addition *adding, const grove_event_run *run,
                                   grove_error *error_out);

/* Takes off the run what is known. GROVE_DUPLICATE: that is all of it;
 * GROVE_REPLICA_REUSED: other events have these ids; GROVE_HISTORY_REMOVED:
 * known, but nothing is left to compare it with; for imports also
 * GROVE_MALFORMED: twice in one, and GROVE_LIMIT: GROVE_IMPORT_STEPS_MAX. */
grove_status grove__addition_drop_known(grove__addition *adding, grove_error *error_out);

/*
 * Finds the place of the rest: its parents as the graph takes them, borrowed
 * until the next walk. Takes older events into the graph if it has to.
 *
 *   GROVE_UNKNOWN_PARENT   waits
 *   GROVE_REPLICA_REUSED   not the replica's next, but a later one: waits
 *   GROVE_HISTORY_REMOVED  what is needed to place or to merge it is gone
 *   GROVE_UNSUPPORTED      concurrent, and the type cannot merge
 *   GROVE_INVALID, GROVE_LIMIT, GROVE_CONFLICT
 */
grove_status grove__addition_place(grove__addition *adding, grove__frontier *parents_out,
                                   grove_error *error_out);

#endif
