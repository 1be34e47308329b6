/*
 * Events that arrive: the way new runs enter a graph, and the checks that
 * keep strangers from breaking it.
 *
 * What arrives may be known already, whole or in part: a batch is received
 * twice, a peer sends more than was asked for. Events are the same when their
 * id is, and then so must be their parents; comparing the contents is the
 * caller's, who is told where the known events are.
 *
 * Parents that are not minimal are refused, not reduced: a peer that sends
 * them breaks the rules, and two stores that reduced the same event
 * differently would hold different events under one id.
 */
#ifndef GROVE_GRAPH_ARRIVAL_H
#define GROVE_GRAPH_ARRIVAL_H

#include "graph/version.h"

/*
 * `count` events of one replica with consecutive sequences. The first has the
 * given parents, as clocks in any order; each further one has the event before
 * it. Parents may lie anywhere.
 *
 * With a base the caller sees to it, by asking the store, that no event of
 * the run lies behind the base (leading ones are left off; the base's heads
 * alone may stay), and that parents behind the base are there.
 */
typedef struct grove__arrival {
    uint32_t replica; /* from grove__ids_intern */
    uint64_t sequence;
    uint64_t count;
    grove__frontier parents;
    uint64_t time; /* Lamport time of the first event; 0: times are not kept */
} grove__arrival;

/* What was found; which parts are set is said below. */
typedef struct grove__verdict {
    uint64_t known;
    uint64_t clock;
    size_t parent;
} grove__verdict;

/*
 * Whether a run can be added, without adding it. Of the run, `known` leading
 * events are known; the rest would get clocks from the graph's end on. A
 * partly known run's rest has the last known event as parent. *verdict_out
 * is set with each of the first four statuses, else untouched.
 *
 *   GROVE_OK              `known` < count leading events are known (the caller
 *                         compares their contents); `clock` is that of the
 *                         first event if it is known, else the graph's end
 *   GROVE_DUPLICATE       all are known with the same parents: `known` is
 *                         count, `clock` that of the first. Further ones need
 *                         not follow with their clocks: grove__ids_find
 *   GROVE_REPLICA_REUSED  the event at `clock`, the run's number `known`, is
 *                         known with other parents
 *   GROVE_UNKNOWN_PARENT  `parent` is the index of one that is not below the
 *                         graph's end, `clock` what it was given as
 *   GROVE_INVALID         no events; a parent twice; parents not minimal
 *   GROVE_LIMIT           GROVE_EVENT_PARENTS_MAX; clocks or sequences would
 *                         reach GROVE_DOCUMENT_EVENTS_MAX
 *   GROVE_HISTORY_REMOVED parents behind the base that cannot be told to be
 *                         minimal (walk->needed says which events would do),
 *                         or unknown events before one behind the base
 *   GROVE_NO_MEMORY
 *
 * Sequences need not be the replica's next: whoever wants them without gaps
 * compares with grove__ids_next_sequence. Parents of events behind the base
 * are not compared.
 *
 * Cost: O(1) for a run that follows the last event; O(p log p + k log runs) for
 * p parents and k pieces of known events. To this comes a walk, down to the
 * least parent that is neither a head nor the greatest, if there is one.
 */
grove_status grove__arrival_check(grove__walk *walk, const grove__arrival *arrival,
                                  grove__verdict *verdict_out, grove_error *error_out);

/*
 * Checks the same and appends what is new. On GROVE_OK `clock` is that of the
 * first new event: the run's events from number `known` on are there. On any
 * other status nothing has changed. `walk` is one of `graph`.
 */
grove_status grove__arrival_add(grove__graph *graph, grove__walk *walk,
                                const grove__arrival *arrival,
                                grove__verdict *verdict_out, grove_error *error_out);

#endif
