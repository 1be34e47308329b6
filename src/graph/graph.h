/*
 * The event graph of a document in memory: who happened before whom.
 *
 * An event is named by its clock: its number in the order of arrival. Every
 * prefix is causally closed. A graph may begin at a base: the events before
 * it are not held, but for the ids of the heads that the first `base` events
 * have.
 *
 *   G1  A parent has a smaller clock than its child. Parents are ascending,
 *       distinct, and minimal: none is an ancestor of another. (Behind the
 *       base minimality may not be decidable; arrival.h says what then.)
 *   G2  `runs` ascend by clock and cover `base` to `end`. The first event of
 *       a run has the parents `parents[parent_first]` and on; each further
 *       one has the event before it. Runs are as long as they can be: no
 *       run's parents are exactly the event before it, except the first's.
 *   G3  `heads` are the events without children, ascending, among slots that
 *       stand empty until enough of them are swept out.
 *   G4  With a base: `base_heads` ascend, the last one is base - 1, and each
 *       has its id in `ids`. Each event before the base is one of them or an
 *       ancestor of one.
 *   G5  Where Lamport times are kept, each run and each base head has its own:
 *       a run's is 1 + the greatest of its parents, 1 without any. The graph
 *       keeps them for types that are timed; else they are 0.
 *
 * So a version that has all base heads in its history has everything behind
 * the base in it, and one that has some of them has others of them not: which
 * is all that can be said of what lies behind the base.
 *
 * Memory: 24 bytes a run and 8 a parent, 36 an id run, about 200 a replica.
 */
#ifndef GROVE_GRAPH_GRAPH_H
#define GROVE_GRAPH_GRAPH_H

#include "format/snapshot.h"
#include "graph/ids.h"
#include "graph/range.h"

/* A version: the clocks of its heads, ascending, distinct. None: the empty
 * version, before every event. Borrowed. */
typedef struct grove__frontier {
    const uint64_t *clocks;
    size_t count;
} grove__frontier;

typedef struct grove__graph_run {
    uint64_t from;
    uint32_t parent_first;
    uint32_t parent_count;
    uint64_t time; /* Lamport time of the first event, each further one + 1 */
} grove__graph_run;

typedef struct grove__graph {
    const grove_allocator *allocator;
    uint64_t base;
    uint64_t end; /* clock of the next event */
    grove__graph_run *runs;
    size_t run_count, run_capacity;
    uint64_t *parents;
    size_t parent_count, parent_capacity;
    uint64_t *heads;
    size_t head_slots, head_capacity;
    size_t heads_gone;
    uint64_t *base_heads;
    uint64_t *base_head_times;
    size_t base_head_count;
    grove__ids ids; /* read it with the functions of ids.h */
} grove__graph;

/*
 * A graph whose next event gets the clock `base`, with the heads that the
 * events before have. `allocator` is borrowed. O(heads).
 *
 *   GROVE_INVALID    base 0 with heads; a base without; clocks that do not
 *                    ascend to base - 1; an id twice, or one without replica
 *   GROVE_LIMIT      the base, or a sequence, is GROVE_DOCUMENT_EVENTS_MAX
 *   GROVE_NO_MEMORY
 */
grove_status grove__graph_init(grove__graph *graph, const grove_allocator *allocator,
                               uint64_t base, const grove__head *heads, size_t head_count,
                               grove_error *error_out);
/* Accepts NULL and a graph of zeros. */
void grove__graph_release(grove__graph *graph);

/* The version of all events. Borrowed until the next event. Amortized O(1),
 * else O(heads): it sweeps the slots, so threads must not share it. */
grove__frontier grove__graph_heads(grove__graph *graph);
size_t grove__graph_head_count(const grove__graph *graph);
/* Whether the event has no children. O(log heads). */
bool grove__graph_is_head(const grove__graph *graph, uint64_t clock);
/* The least head; UINT64_MAX without any. O(heads). */
uint64_t grove__graph_least_head(const grove__graph *graph);

/*
 * Whether the version of all events has one head. Asked after a run was
 * appended it answers for each event of the run: the hint at append that the
 * event is a critical version. critical.h has the truth.
 */
bool grove__graph_has_one_head(const grove__graph *graph);

/* A run of events: the first has the parents, the others the event before. */
typedef struct grove__graph_view {
    uint64_t from;
    uint64_t end;
    grove__frontier parents;
    uint64_t time; /* Lamport time of the first event; 0: times are not kept */
} grove__graph_view;

/* The number of the run with the event at `clock`, base <= clock < end.
 * O(log runs), O(1) in the last run. */
size_t grove__graph_find(const grove__graph *graph, uint64_t clock);
/* The same, looked for from the run number `run` on, up or down: O(log d) for
 * one that is d runs away. */
size_t grove__graph_find_near(const grove__graph *graph, uint64_t clock, size_t run);
/* A run by its number. Runs number + 1, + 2, ... follow it. Parents are
 * borrowed until the next event. */
grove__graph_view grove__graph_run_at(const grove__graph *graph, size_t run);
/* The parents of an event, base <= clock < end. `before` is room for one
 * clock, used by the answer. O(log runs). */
grove__frontier grove__graph_parents(const grove__graph *graph, uint64_t clock,
                                     uint64_t *before);

/* Whether the event before the base is one of its heads. O(log heads). */
bool grove__graph_is_base_head(const grove__graph *graph, uint64_t clock);

/* The Lamport time of an event before the end; 0: not known, as times are not
 * kept, or the event lies behind the base and is no head of it. O(log runs). */
uint64_t grove__graph_time(const grove__graph *graph, uint64_t clock);
/* The time of an event that has these parents; 0: that of one is not known.
 * O(parents log runs). */
uint64_t grove__graph_time_after(const grove__graph *graph, grove__frontier parents);

/* Makes room, so that appending one run of this replica with these parents
 * cannot fail. False: no memory, or a counter of 32 bits is full. */
bool grove__graph_reserve(grove__graph *graph, uint32_t replica, grove__frontier parents);

/*
 * Appends a run without a check: it must keep G1 and be unknown. Parents must
 * not lie inside the graph, but for what grove__graph_heads gives, which stays
 * in place until the run is there. `time` is that of its first event (G5), 0
 * where times are not kept. For runs of others: arrival.h.
 * Amortized O(parents log heads); O(1) for one that goes on from the last.
 * GROVE_NO_MEMORY, also when a counter of 32 bits is full; nothing changes.
 */
grove_status grove__graph_append(grove__graph *graph, uint32_t replica, uint64_t sequence,
                                 uint64_t count, grove__frontier parents, uint64_t time,
                                 grove_error *error_out);

#endif
