/*
 * An order of events that does not depend on how they arrived.
 *
 * Of all events whose parents have come, the next is the one with the least
 * id: by the bytes of its replica (as memcmp, a prefix first), then by its
 * sequence. Two graphs with the same events give the same order, whatever
 * their clocks are; and one replica's work on a branch stays together until
 * it waits for another's.
 */
#ifndef GROVE_GRAPH_ORDER_H
#define GROVE_GRAPH_ORDER_H

#include "graph/graph.h"

/* An order, and the memory it is made in. */
typedef struct grove__order {
    const grove_allocator *allocator;
    grove__range_list ranges; /* all clocks, in the order; neighbours joined */
    uint64_t steps;           /* chains taken and looked at so far: what it cost */
} grove__order;

void grove__order_init(grove__order *order, const grove_allocator *allocator);
/* Accepts NULL. */
void grove__order_release(grove__order *order);

/*
 * Puts the events of some clocks (ascending ranges that do not touch the same
 * clock twice) in order. Parents that are not among them count as come. The
 * events are cut into chains: where a run, or an id run, or a range begins,
 * and after each parent; s chains with p parents cost O((s + p) log (s + p))
 * and some 100 bytes each while it works. Iterative.
 *
 *   GROVE_INVALID          a range is empty, out of order, or beyond the end
 *   GROVE_HISTORY_REMOVED  a range begins behind the base
 *   GROVE_NO_MEMORY        also for 2^32 - 1 chains
 */
grove_status grove__order_make(grove__order *order, const grove__graph *graph,
                               grove__ranges clocks, grove_error *error_out);

#endif
