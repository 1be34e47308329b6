/*
 * Who made which event: clocks to ids and back.
 *
 * Replicas are interned: within one structure each has a number, given in
 * order of first mention, which means nothing elsewhere. Ids are runs.
 *
 *   I1  `runs` ascend by clock. A run lasts to the next run's clock, the last
 *       one to `end`; but a run before `base` is a single event (a head that
 *       the base was given with, between events that are not held).
 *   I2  Runs from `base` on are as long as they can be: consecutive clocks
 *       with consecutive sequences of one replica.
 *   I3  Each replica has an index of its runs by sequence. They do not
 *       overlap. They need not ascend with the clock, nor be without gaps: a
 *       replica may have worked on two branches that arrive one by one.
 */
#ifndef GROVE_GRAPH_IDS_H
#define GROVE_GRAPH_IDS_H

#include "graph/index.h"

typedef struct grove__ids_run {
    uint64_t clock;
    uint64_t sequence;
    uint32_t replica;
} grove__ids_run;

typedef struct grove__ids_replica {
    uint64_t next; /* 1 + the greatest known sequence; 0: none */
    grove__index runs;
    grove_replica name;
} grove__ids_replica;

typedef struct grove__ids {
    const grove_allocator *allocator;
    uint64_t base;
    uint64_t end; /* clock of the next event */
    grove__ids_run *runs;
    size_t run_count, run_capacity;
    grove__ids_replica *replicas;
    size_t replica_count, replica_capacity;
    grove__index names; /* replicas by their bytes */
} grove__ids;

/* Events with consecutive clocks and consecutive sequences of one replica. */
typedef struct grove__id_span {
    uint64_t clock;
    uint64_t sequence;
    uint64_t count;
    uint32_t replica;
    size_t run; /* for grove__ids_next */
} grove__id_span;

/* No events; the next one gets the clock `base`. `allocator` is borrowed. */
void grove__ids_init(grove__ids *ids, const grove_allocator *allocator, uint64_t base);
void grove__ids_release(grove__ids *ids);

/*
 * The number of a replica, a new one at its first mention. O(log replicas).
 * GROVE_INVALID: not 1 to GROVE_REPLICA_BYTES_MAX bytes; GROVE_NO_MEMORY.
 */
grove_status grove__ids_intern(grove__ids *ids, const grove_replica *name,
                               uint32_t *replica_out, grove_error *error_out);

/* The same without making one: GROVE__INDEX_NONE when it was not mentioned. */
uint32_t grove__ids_find_replica(const grove__ids *ids, const grove_replica *name);

/* The name of a replica; borrowed until another is interned. */
const grove_replica *grove__ids_name(const grove__ids *ids, uint32_t replica);

/*
 * 1 + the greatest sequence known of a replica, or 0. With all replicas this
 * is the version vector of what is held: what lies behind the base, but for
 * the base's heads, only the store knows.
 */
uint64_t grove__ids_next_sequence(const grove__ids *ids, uint32_t replica);

/*
 * Where an event is, and how many follow it with both clock and sequence: the
 * span begins at the event. False: not held; if there is a base, the store
 * may know better. O(log runs of the replica), O(1) for its last run.
 */
bool grove__ids_find(const grove__ids *ids, uint32_t replica, uint64_t sequence,
                     grove__id_span *span_out);

/* The least known sequence of a replica after `sequence`; UINT64_MAX: none. */
uint64_t grove__ids_known_after(const grove__ids *ids, uint32_t replica,
                                uint64_t sequence);

/*
 * Who made the event at `clock`, and those that follow with both clock and
 * sequence. False: not held. O(log runs).
 */
bool grove__ids_at(const grove__ids *ids, uint64_t clock, grove__id_span *span_out);

/* The run of ids after the one that the span is of. False: there is none. */
bool grove__ids_next(const grove__ids *ids, grove__id_span *span);

/* Negative, zero, positive: by the replicas' bytes, then by sequence. */
int grove__ids_compare(const grove__ids *ids, uint32_t replica, uint64_t sequence,
                       uint32_t other_replica, uint64_t other_sequence);

/* Makes room, so that one grove__ids_append of this replica cannot fail. */
bool grove__ids_reserve(grove__ids *ids, uint32_t replica);

/* The next `count` events are the replica's from `sequence` on, all unknown. */
void grove__ids_append(grove__ids *ids, uint32_t replica, uint64_t sequence,
                       uint64_t count);

/* For the heads a base is given with: one event, `clock` below the base and
 * above every clock so far. */
void grove__ids_append_behind(grove__ids *ids, uint64_t clock, uint32_t replica,
                              uint64_t sequence);

#endif
