/*
 * Building and walking lists of events; what a list is: event_list.h.
 */
#ifndef GROVE_FORMAT_EVENTS_H
#define GROVE_FORMAT_EVENTS_H

#include "format/event_list.h"

void grove__events_init(grove__events *events, const grove_allocator *allocator);
void grove__events_release(grove__events *events);
/* Empties the list; keeps the memory. */
void grove__events_reset(grove__events *events);

/*
 * Appends a run. Ids are checked against the list (E4, E5), not against a
 * document's graph. Joins it with the last run wherever `type` and E1, E2
 * allow: of the run's operation, the last one takes as many events as it can.
 * Amortized O(1) for a run that goes on from the last event.
 * GROVE_INVALID: an empty or too long replica, count 0, a parent twice, a
 * parent of the run itself, an event that an earlier one names as its parent;
 * GROVE_LIMIT: GROVE_BATCH_EVENTS_MAX, GROVE_EVENT_PARENTS_MAX,
 * GROVE_DOCUMENT_EVENTS_MAX, GROVE_CONTENT_BYTES_MAX;
 * GROVE_REPLICA_REUSED: an id that the list holds already; GROVE_NO_MEMORY.
 */
grove_status grove__events_append(grove__events *events, const grove_document_type *type,
                                  const grove_event_run *run, grove_error *error_out);

/* The same of a timed type, with the Lamport times of the run's parents.
 * GROVE_CORRUPT: the list has one of them, with another time. */
grove_status grove__events_append_timed(grove__events *events,
                                        const grove_document_type *type,
                                        const grove_event_run *run, const uint64_t *times,
                                        grove_error *error_out);

/*
 * Appends events `from` to `from + count - 1` of another list of the same
 * type, in time O(runs) of both; ids of parents that are in this list become
 * indexes, those of parents that stay behind in the other one get their times
 * (E6). For roll-up and seal: a list cut and joined anywhere, then joined
 * again, is the same list, as long as an operation that can take another can
 * take each beginning of it. Contents are copied; `other` only has its
 * contents set. Statuses as append; GROVE_CORRUPT: a parent is in this list and
 * has another time than the other one was told.
 */
grove_status grove__events_append_list(grove__events *events,
                                       const grove_document_type *type,
                                       grove__events *other, uint32_t from,
                                       uint32_t count, grove_error *error_out);

/* Events of a list, `count` from `from` on. */
typedef struct grove__events_range {
    uint32_t from, count;
} grove__events_range;

/* The same for several ranges, which ascend and do not overlap, in time O(runs)
 * of both altogether. All of them or none. */
grove_status grove__events_append_ranges(grove__events *events,
                                         const grove_document_type *type,
                                         grove__events *other,
                                         const grove__events_range *ranges, size_t count,
                                         grove_error *error_out);

/* All operations, with their contents set; borrowed until the list changes. */
grove_operations grove__events_operations(grove__events *events);

/*
 * Walking a list run by run: each run is as long as one grove_event_run can
 * be. `parents` is room for GROVE_EVENT_PARENTS_MAX ids, used by `run_out`.
 */
typedef struct grove__events_cursor {
    grove__events *events;
    const grove_document_type *type;
    uint32_t event;
    size_t id_run, parent_run, time_run, operation;
    uint32_t in_time_run;
    /* What is left of the operation before `operation`; count 0: nothing. */
    grove_operation rest;
    grove_event_id *parents;
} grove__events_cursor;

void grove__events_cursor_init(grove__events_cursor *cursor, grove__events *events,
                               const grove_document_type *type, grove_event_id *parents);
/* False at the end. Contents are borrowed from the list. */
bool grove__events_cursor_next(grove__events_cursor *cursor, grove_event_run *run_out);

#endif
