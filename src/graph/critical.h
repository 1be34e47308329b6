/*
 * Critical versions: the truth over a graph.
 *
 * Here a critical version is named by its clock, the number of events up to
 * it: clock c is critical when the first c events have one head, the event
 * c - 1, and every other event of the graph comes after it. Clock 0, the empty
 * version, is critical always. (Versions of several heads that split the
 * events so are not counted: the event that merges them follows and is.)
 *
 * At a critical clock nothing before it will be looked at by those after it:
 * a replay may forget all it knows there. The events between two critical
 * clocks next to each other are a zone, and a zone of more than one event
 * holds concurrency.
 *
 * An event that arrives later can undo that a clock is critical; it never
 * makes an older clock so.
 */
#ifndef GROVE_GRAPH_CRITICAL_H
#define GROVE_GRAPH_CRITICAL_H

#include "graph/graph.h"

/*
 * Appends all critical clocks from the base on to `clocks_out`, as ascending
 * ranges; the list is emptied first. O(runs + parents + heads). Clocks behind
 * the base are not decided. GROVE_NO_MEMORY; the list is then empty.
 */
grove_status grove__critical_all(const grove__graph *graph,
                                 const grove_allocator *allocator,
                                 grove__range_list *clocks_out, grove_error *error_out);

/*
 * Appends the range of critical clocks that has the newest one at or before
 * `clock`, and all ranges after it, as above, as if the graph had further
 * events that have no parent before clock `bound` - 1 (UINT64_MAX: it has
 * none). O(runs after the first answer).
 * GROVE_HISTORY_REMOVED: there is none at or before `clock` from the base on;
 * GROVE_NO_MEMORY. The list is then empty.
 */
grove_status grove__critical_since(const grove__graph *graph, uint64_t clock,
                                   uint64_t bound, const grove_allocator *allocator,
                                   grove__range_list *clocks_out, grove_error *error_out);

/*
 * The newest critical clock at or before `clock`. O(runs after the answer).
 * GROVE_HISTORY_REMOVED: there is none from the base on, and the base is not
 * clock 0.
 */
grove_status grove__critical_at_or_before(const grove__graph *graph, uint64_t clock,
                                          uint64_t *critical_out, grove_error *error_out);

#endif
