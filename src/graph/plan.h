/*
 * The way through a part of a graph that a replay takes: an order of its
 * events in which parents come first, and before each chain the events that
 * have to be left, or entered again, to be at the version of its parents.
 *
 * As long as it can a plan goes on with what the last events made possible.
 * Of several chains that begin at one place the one that least comes after is
 * first, by estimate: a branch that has to be left and entered again is then
 * a smaller one. (Eg-walker's authors plan so as well; a bad order costs
 * several times as much where there are long branches.)
 *
 *     0 -- 1 ------- 4         order    0 1 2 3 4
 *      \             /         before 2: leave 1
 *       2 -- 3 -----           before 4: enter 1
 *
 * Some of the events may be known to the state already: these come first.
 */
#ifndef GROVE_GRAPH_PLAN_H
#define GROVE_GRAPH_PLAN_H

#include "graph/chains.h"

typedef struct grove__plan {
    const grove_allocator *allocator;
    grove__chains chains;
    struct grove__plan_chain *states; /* of each chain */
    size_t state_capacity;
    grove__heap ready; /* marks are numbers of chains */
    grove__range_list leave, enter;
    uint32_t *heap; /* numbers of chains, the greatest first */
    size_t heap_count, heap_capacity;
    size_t met[4]; /* how many in the heap are on which side */
    uint32_t last; /* the chain before; GROVE__CHAIN_NONE: the base */
    uint64_t turn;
    grove__range new_events;
    uint64_t steps; /* chains met so far: what it cost */
} grove__plan;

/* A chain, and what has to be done before it: the latest events first, and
 * neighbours joined. Borrowed until the next step. */
typedef struct grove__plan_step {
    grove__range events;
    bool is_new;
    grove__ranges leave;
    grove__ranges enter;
} grove__plan_step;

/* No plan; owns nothing. The allocator is borrowed. */
void grove__plan_init(grove__plan *plan, const grove_allocator *allocator);
void grove__plan_release(grove__plan *plan);

/*
 * Begins a plan for the events of some clocks (as grove__chains_make takes
 * them) that all come after a version that the replay is at. The parents of
 * events that are not in `new_events` are not in it either, and each range is
 * either in it or not. s chains with p parents cost O((s + p) log (s + p)).
 * GROVE_NO_MEMORY.
 */
grove_status grove__plan_begin(grove__plan *plan, const grove__graph *graph,
                               grove__ranges clocks, grove__range new_events,
                               grove_error *error_out);

/*
 * The next step. GROVE_NONE: that was all. GROVE_NO_MEMORY. Cost: O(log s) for
 * each chain left or entered, for each of their parents, and for each in both
 * versions that has a later clock than one that is left.
 */
grove_status grove__plan_next(grove__plan *plan, grove__plan_step *step_out,
                              grove_error *error_out);

#endif
