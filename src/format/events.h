/*
 * A list of events in memory, in causal order, as runs.
 *
 *   E1  Each property of the events is an array of runs of its own; runs are
 *       as long as they can be, with E2 as the only exception.
 *   E2  An operation never reaches across the start of an id run or of a
 *       parent run, so that a graph run's operations are whole.
 *   E3  A parent inside the list is named by its index, any other by its id.
 *       An event without an entry in `parent_runs` has the event before it in
 *       the list as its only parent; the first event always has an entry.
 *   E4  Parents are distinct, at most GROVE_EVENT_PARENTS_MAX.
 *   E5  Within the list an id occurs once.
 */
#ifndef GROVE_FORMAT_EVENTS_H
#define GROVE_FORMAT_EVENTS_H

#include <grove/sys/document_type.h>

#include "format/sorted.h"

/* `replica` of a parent that is named by its index in the list. */
#define GROVE__PARENT_INSIDE UINT32_MAX

typedef struct grove__id_run {
    uint32_t replica; /* index into `replicas` */
    uint32_t count;
    uint64_t sequence; /* of the first event */
    uint32_t event;    /* index of the first event */
} grove__id_run;

typedef struct grove__parent {
    uint32_t replica;  /* index into `replicas`, or GROVE__PARENT_INSIDE */
    uint64_t sequence; /* or the parent's index in the list */
} grove__parent;

typedef struct grove__parent_run {
    uint32_t event; /* index of the event that has these parents */
    uint32_t first; /* into `parents` */
    uint32_t count; /* 0: a root */
} grove__parent_run;

typedef struct grove__time_run {
    int64_t timestamp;
    uint32_t count;
} grove__time_run;

/* What the list knows of a replica, to find most ids without a search. */
typedef struct grove__replica_span {
    uint64_t end;         /* 1 + the greatest sequence in the list; 0: none */
    uint64_t outside_end; /* the same of parents named by their id */
    uint32_t last_run;    /* the id run that was added last */
} grove__replica_span;

typedef struct grove__events {
    const grove_allocator *allocator;
    uint32_t count;
    grove_replica *replicas;
    size_t replica_count, replica_capacity;
    grove__id_run *id_runs;
    size_t id_run_count, id_run_capacity;
    grove__parent_run *parent_runs;
    size_t parent_run_count, parent_run_capacity;
    grove__parent *parents;
    size_t parent_count, parent_capacity;
    grove__time_run *time_runs;
    size_t time_run_count, time_run_capacity;
    /* grove_operation records. Their contents lie one after the other in
     * `content`; the pointers are set by grove__events_operations. */
    grove_buffer operations;
    grove_buffer content;
    /* Bytes that decoded contents which are not in `content` point into. */
    grove_buffer scratch;
    bool contents_in_order;
    /* The first operations, this many, have their contents set, for `content`
     * being at this place. */
    size_t contents_set;
    const uint8_t *contents_place;
    /* Derived, of each replica; and the orders of `replicas`, `id_runs` and
     * `parents`, which cover what a search needed so far. */
    grove__replica_span *spans;
    size_t span_capacity;
    grove__sorted sorted_replicas, sorted_ids, sorted_parents;
} grove__events;

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

/*
 * Appends events `from` to `from + count - 1` of another list of the same
 * type, in time O(runs) of both; ids of parents that are in this list become
 * indexes. For roll-up and seal: a list cut and joined anywhere, then joined
 * again, is the same list, as long as an operation that can take another can
 * take each beginning of it. Contents are copied; `other` only has its
 * contents set. Statuses as append.
 */
grove_status grove__events_append_list(grove__events *events,
                                       const grove_document_type *type,
                                       grove__events *other, uint32_t from,
                                       uint32_t count, grove_error *error_out);

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
