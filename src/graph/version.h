/* What one version has in its history, and what is a version. See walk.h for
 * what may be given, what walks cost, and what lies behind a base. */
#ifndef GROVE_GRAPH_VERSION_H
#define GROVE_GRAPH_VERSION_H

#include "graph/walk.h"

/*
 * The clocks, given in any order, ascending, as the walk's own copy: borrowed
 * until the next sort. Walks nowhere: O(n), or O(n log n) if they do not
 * ascend. GROVE_INVALID: one is given twice.
 */
grove_status grove__version_sort(grove__walk *walk, const uint64_t *clocks, size_t count,
                                 grove__frontier *sorted_out, grove_error *error_out);

/* Whether the event at `clock` is in the version's history, or is one of its
 * heads. Never lacks history for a clock from the base on. */
grove_status grove__version_contains(grove__walk *walk, grove__frontier version,
                                     uint64_t clock, bool *contains_out,
                                     grove_error *error_out);

/* The version that any clocks of the graph make, in any order, also repeated:
 * those that no other one comes after. The clocks must not be an answer of
 * the same walk. */
grove_status grove__version_reduce(grove__walk *walk, const uint64_t *clocks,
                                   size_t count, grove__frontier *version_out,
                                   grove_error *error_out);

/*
 * Whether ascending, distinct clocks are a version: none comes after another.
 * Costs no walk when each but the greatest is a head of the graph.
 */
grove_status grove__version_is_minimal(grove__walk *walk, grove__frontier clocks,
                                       bool *is_minimal_out, grove_error *error_out);

#endif
