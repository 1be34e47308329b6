/*
 * A walker on its way through events: what merging, and what others that need
 * a walker, have in common. See merging.h.
 */
#ifndef GROVE_DOCUMENT_WALKING_H
#define GROVE_DOCUMENT_WALKING_H

#include "document/operations.h"

typedef struct grove__walking {
    grove_document *document;
    grove__txn *txn;
    const grove__merge_job *job; /* NULL: nothing is merged */
    grove__merge *merge;
    grove__operation_list operations;
    grove_buffer edits;  /* grove_operation records, for the state */
    grove_buffer stamps; /* grove_stamp_run records of them, for timed types */
} grove__walking;

void grove__walking_init(grove__walking *work, grove_document *document, grove__txn *txn,
                         grove__merge *merge);
void grove__walking_release(grove__walking *work);

/* Empties the walker at a critical clock; makes it, if there is none. */
grove_status grove__walking_begin(grove__walking *work, uint64_t base,
                                  grove_error *error_out);

/* The version that the walker looks from; borrowed until it moves. */
grove__frontier grove__walking_version(const grove__merge *merge);

/* Takes events out of that version, and others in. */
grove_status grove__walking_move(grove__walking *work, grove__ranges leave,
                                 grove__ranges enter, grove_error *error_out);

/* Brings together the operations from clock `from` on: stored ones, those of
 * the job, and unsaved ones. */
grove_status grove__walking_gather(grove__walking *work, uint64_t from,
                                   grove_error *error_out);

/*
 * Applies events, those of `merged` with edits and before them the others. They
 * are all that come after the walker's base, or, when it `goes_on`, after what
 * it holds. Each range lies within `merged` or outside.
 */
grove_status grove__walking_ranges(grove__walking *work, grove__ranges events,
                                   grove__range merged, bool goes_on,
                                   grove_error *error_out);
/* The same for one range, at the end of which the walker then is. */
grove_status grove__walking_events(grove__walking *work, grove__range events,
                                   grove__range merged, bool goes_on,
                                   grove_error *error_out);

/* Makes edits of operations as they are: nothing is concurrent with them. */
grove_status grove__walking_copy(grove__walking *work, uint64_t from, uint64_t end,
                                 grove_error *error_out);

/* 1 + the least clock of a parent that the job's events have before them. */
uint64_t grove__walking_reach(const grove__graph *graph, const grove__merge_job *job);

/* Finds the critical clocks from the newest one at or before the job's events
 * on, the base; takes older events into the graph if it has to. */
grove_status grove__walking_base(grove__walking *work, uint64_t *base_out,
                                 grove_error *error_out);

/* The job's status for an operation that does not fit. */
grove_status grove__walking_misfit(const grove__walking *work, grove_error *error_out);

/* --- merge_state.c --- */

/* Takes the walker's state from the snapshot that was loaded, where that saves
 * seeing its events again. If it cannot be used, they are seen again. */
void grove__merge_state_restore(grove__walking *work);

#endif
