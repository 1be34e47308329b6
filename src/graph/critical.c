/*
 * One scan from the last event backwards. Clock c is critical exactly when no
 * event from c on, and no head, has a parent below c - 1: for in any order
 * that puts parents first, all of the history of event c - 1 comes before it,
 * and so does nothing else. Inside a run the parent is the event before, so a
 * run decides for all its clocks at once.
 */
#include "graph/critical.h"

#include "base/checked.h"
#include "base/error.h"

/* `reach`: 1 + the least parent of all events, and heads, after those that
 * are still to be scanned; no clock above it is critical, and from there on
 * all are that end a piece of a run. */
typedef struct scan {
    const grove__graph *graph;
    uint64_t reach;
    size_t run; /* the next run to scan is number `run` - 1 */
} scan;

static scan begin_scan(const grove__graph *graph)
{
    uint64_t least = grove__graph_least_head(graph);
    return (scan){
        .graph = graph,
        .reach = least == UINT64_MAX ? 0 : least + 1,
        .run = graph->run_count,
    };
}

/* The critical clocks that end with an event of the next run, perhaps none.
 * False: all runs were scanned. */
static bool scan_run(scan *state, grove__range *clocks_out)
{
    if (state->run == 0) {
        return false;
    }
    grove__graph_view run = grove__graph_run_at(state->graph, --state->run);
    uint64_t last = grove__min_u64(run.end, state->reach);
    *clocks_out = (grove__range){run.from + 1, grove__max_u64(last, run.from) + 1};
    uint64_t reach = run.parents.count == 0 ? 0 : run.parents.clocks[0] + 1;
    state->reach = grove__min_u64(state->reach, reach);
    return true;
}

/* After the scan: whether the base itself is critical. A second head of the
 * base would be a parent since, or still a head, and below the first. */
static bool is_base_critical(const scan *state)
{
    return state->graph->base == 0 || state->reach >= state->graph->base;
}

/* Goes on with the scan until a clock at or before `clock` was found. False:
 * no memory. */
static bool collect(scan *state, uint64_t clock, const grove_allocator *allocator,
                    grove__range_list *clocks_out)
{
    grove__range clocks;
    clocks_out->count = 0;
    while (scan_run(state, &clocks)) {
        if (!grove__range_list_append_below(clocks_out, allocator, clocks.from,
                                            clocks.end)) {
            return false;
        }
        if (clocks.from < clocks.end && clocks.from <= clock) {
            return true;
        }
    }
    uint64_t base = state->graph->base;
    return !is_base_critical(state) ||
           grove__range_list_append_below(clocks_out, allocator, base, base + 1);
}

grove_status grove__critical_all(const grove__graph *graph,
                                 const grove_allocator *allocator,
                                 grove__range_list *clocks_out, grove_error *error_out)
{
    scan state = begin_scan(graph);
    if (!collect(&state, 0, allocator, clocks_out)) {
        clocks_out->count = 0;
        return grove__fail_memory(error_out);
    }
    grove__range_list_reverse(clocks_out);
    return GROVE_OK;
}

static grove_status fail_none(const grove__graph *graph, uint64_t clock,
                              grove_error *error_out)
{
    return grove__fail(error_out, GROVE_HISTORY_REMOVED,
                       "no version from clock %llu to %llu is critical",
                       (unsigned long long)graph->base, (unsigned long long)clock);
}

grove_status grove__critical_since(const grove__graph *graph, uint64_t clock,
                                   uint64_t bound, const grove_allocator *allocator,
                                   grove__range_list *clocks_out, grove_error *error_out)
{
    scan state = begin_scan(graph);
    state.reach = grove__min_u64(state.reach, bound);
    if (!collect(&state, clock, allocator, clocks_out)) {
        clocks_out->count = 0;
        return grove__fail_memory(error_out);
    }
    grove__range_list_reverse(clocks_out);
    if (clocks_out->count == 0 || clocks_out->items[0].from > clock) {
        clocks_out->count = 0;
        return fail_none(graph, clock, error_out);
    }
    return GROVE_OK;
}

grove_status grove__critical_at_or_before(const grove__graph *graph, uint64_t clock,
                                          uint64_t *critical_out, grove_error *error_out)
{
    scan state = begin_scan(graph);
    grove__range clocks;
    while (scan_run(&state, &clocks)) {
        if (clocks.from < clocks.end && clocks.from <= clock) {
            *critical_out = grove__min_u64(clock, clocks.end - 1);
            return GROVE_OK;
        }
    }
    if (clock >= graph->base && is_base_critical(&state)) {
        *critical_out = graph->base;
        return GROVE_OK;
    }
    return fail_none(graph, clock, error_out);
}
