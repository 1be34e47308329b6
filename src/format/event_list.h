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
 *   E6  Of a timed type an event with an entry in `parent_runs` has its Lamport
 *       time there, if the times of all its parents are known: those of parents
 *       outside are told. Any other event's is 1 + that of the one before it.
 */
#ifndef GROVE_FORMAT_EVENT_LIST_H
#define GROVE_FORMAT_EVENT_LIST_H

#include <grove/sys/document_type.h>

#include "format/sorted.h"

/* `replica` of a parent that is named by its index in the list. */
#define GROVE__PARENT_INSIDE UINT32_MAX

typedef struct grove__id_run {
    uint32_t replica; /* index into `replicas` */
    uint32_t count;
    uint64_t sequence; /* of the first event */
    uint32_t event;    /* index of the first event */
    uint32_t before;   /* the replica's id run before it, or UINT32_MAX */
} grove__id_run;

typedef struct grove__parent {
    uint32_t replica;  /* index into `replicas`, or GROVE__PARENT_INSIDE */
    uint64_t sequence; /* or the parent's index in the list */
    uint64_t time;     /* outside: its Lamport time; 0: not known. Inside: 0 */
} grove__parent;

typedef struct grove__parent_run {
    uint32_t event; /* index of the event that has these parents */
    uint32_t first; /* into `parents` */
    uint32_t count; /* 0: a root */
    uint64_t time;  /* of the event; 0: not known, or of no timed type */
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

#endif
