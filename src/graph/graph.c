#include "graph/graph.h"

#include "base/assert.h"
#include "base/error.h"
#include "graph/array.h"

/* Marks a slot of `heads` as empty. It is no part of any clock, and masking
 * it keeps the slots in order for the binary search. */
#define HEAD_GONE (UINT64_C(1) << 63)

static grove_status check_base(uint64_t base, const grove__head *heads, size_t head_count,
                               grove_error *error_out)
{
    if (base >= GROVE_DOCUMENT_EVENTS_MAX) {
        return grove__fail(error_out, GROVE_LIMIT, "a graph cannot begin at clock %llu",
                           (unsigned long long)base);
    }
    uint64_t next = 0;
    for (size_t index = 0; index < head_count; index++) {
        if (heads[index].clock < next || heads[index].clock >= base) {
            return grove__fail(error_out, GROVE_INVALID,
                               "the heads at clock %llu do not ascend to it",
                               (unsigned long long)base);
        }
        if (heads[index].id.sequence >= GROVE_DOCUMENT_EVENTS_MAX) {
            return grove__fail(error_out, GROVE_LIMIT, "a head has the sequence %llu",
                               (unsigned long long)heads[index].id.sequence);
        }
        next = heads[index].clock + 1;
    }
    if (next != base) {
        return grove__fail(error_out, GROVE_INVALID,
                           "the event before clock %llu is always a head there",
                           (unsigned long long)base);
    }
    return GROVE_OK;
}

static grove_status add_base_heads(grove__graph *graph, const grove__head *heads,
                                   size_t head_count, grove_error *error_out)
{
    size_t bytes = head_count * sizeof *graph->heads;
    graph->base_head_count = head_count;
    graph->base_heads = grove__allocate(graph->allocator, bytes);
    graph->base_head_times = grove__allocate(graph->allocator, bytes);
    if (graph->base_heads == NULL || graph->base_head_times == NULL) {
        return grove__fail_memory(error_out);
    }
    if (!grove__array_reserve_more(graph->allocator, (void **)&graph->heads,
                                   &graph->head_capacity, 0, head_count,
                                   sizeof *graph->heads)) {
        return grove__fail_memory(error_out);
    }
    for (size_t index = 0; index < head_count; index++) {
        const grove_event_id *id = &heads[index].id;
        uint32_t replica;
        grove_status status =
            grove__ids_intern(&graph->ids, &id->replica, &replica, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        grove__id_span span;
        if (grove__ids_find(&graph->ids, replica, id->sequence, &span)) {
            return grove__fail(error_out, GROVE_INVALID, "two heads have one id");
        }
        if (!grove__ids_reserve(&graph->ids, replica)) {
            return grove__fail_memory(error_out);
        }
        grove__ids_append_behind(&graph->ids, heads[index].clock, replica, id->sequence);
        graph->base_heads[index] = heads[index].clock;
        graph->base_head_times[index] = heads[index].time;
        graph->heads[graph->head_slots++] = heads[index].clock;
    }
    return GROVE_OK;
}

grove_status grove__graph_init(grove__graph *graph, const grove_allocator *allocator,
                               uint64_t base, const grove__head *heads, size_t head_count,
                               grove_error *error_out)
{
    grove_status status = check_base(base, heads, head_count, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__graph made = {.allocator = allocator, .base = base, .end = base};
    grove__ids_init(&made.ids, allocator, base);
    if (head_count > 0) {
        status = add_base_heads(&made, heads, head_count, error_out);
        if (status != GROVE_OK) {
            grove__graph_release(&made);
            return status;
        }
    }
    *graph = made;
    return GROVE_OK;
}

void grove__graph_release(grove__graph *graph)
{
    if (graph == NULL || graph->allocator == NULL) {
        return;
    }
    const grove_allocator *allocator = graph->allocator;
    grove__deallocate(allocator, graph->runs, graph->run_capacity * sizeof *graph->runs);
    grove__deallocate(allocator, graph->parents,
                      graph->parent_capacity * sizeof *graph->parents);
    grove__deallocate(allocator, graph->heads,
                      graph->head_capacity * sizeof *graph->heads);
    grove__deallocate(allocator, graph->base_heads,
                      graph->base_head_count * sizeof *graph->base_heads);
    grove__deallocate(allocator, graph->base_head_times,
                      graph->base_head_count * sizeof *graph->base_head_times);
    grove__ids_release(&graph->ids);
    *graph = (grove__graph){0};
}

static void sweep_heads(grove__graph *graph)
{
    size_t kept = 0;
    for (size_t slot = 0; slot < graph->head_slots; slot++) {
        if ((graph->heads[slot] & HEAD_GONE) == 0) {
            graph->heads[kept++] = graph->heads[slot];
        }
    }
    graph->head_slots = kept;
    graph->heads_gone = 0;
}

grove__frontier grove__graph_heads(grove__graph *graph)
{
    if (graph->heads_gone > 0) {
        sweep_heads(graph);
    }
    return (grove__frontier){graph->heads, graph->head_slots};
}

size_t grove__graph_head_count(const grove__graph *graph)
{
    return graph->head_slots - graph->heads_gone;
}

uint64_t grove__graph_least_head(const grove__graph *graph)
{
    for (size_t slot = 0; slot < graph->head_slots; slot++) {
        if ((graph->heads[slot] & HEAD_GONE) == 0) {
            return graph->heads[slot];
        }
    }
    return UINT64_MAX;
}

bool grove__graph_has_one_head(const grove__graph *graph)
{
    return grove__graph_head_count(graph) == 1;
}

/* The slot that holds `clock`, or stands empty for it; `head_slots`: none. */
static size_t find_head(const grove__graph *graph, uint64_t clock)
{
    size_t low = 0;
    size_t high = graph->head_slots;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((graph->heads[middle] & ~HEAD_GONE) < clock) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < graph->head_slots && (graph->heads[low] & ~HEAD_GONE) == clock) {
        return low;
    }
    return graph->head_slots;
}

bool grove__graph_is_head(const grove__graph *graph, uint64_t clock)
{
    size_t slot = find_head(graph, clock);
    return slot < graph->head_slots && graph->heads[slot] == clock;
}

/* The number of a base head; their number: it is none. */
static size_t find_base_head(const grove__graph *graph, uint64_t clock)
{
    size_t low = 0;
    size_t high = graph->base_head_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (graph->base_heads[middle] < clock) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool is_there = low < graph->base_head_count && graph->base_heads[low] == clock;
    return is_there ? low : graph->base_head_count;
}

bool grove__graph_is_base_head(const grove__graph *graph, uint64_t clock)
{
    return find_base_head(graph, clock) < graph->base_head_count;
}

/* The last run in [low, high) that begins at or before the clock. */
static size_t find_between(const grove__graph *graph, uint64_t clock, size_t low,
                           size_t high)
{
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (graph->runs[middle].from <= clock) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t grove__graph_find_near(const grove__graph *graph, uint64_t clock, size_t run)
{
    GROVE_ASSERT(clock >= graph->base && clock < graph->end && run < graph->run_count);
    size_t low = run;
    size_t high = run + 1;
    size_t step = 1;
    while (graph->runs[low].from > clock) {
        high = low;
        low = low > step ? low - step : 0;
        step *= 2;
    }
    while (high < graph->run_count && graph->runs[high].from <= clock) {
        low = high;
        high = graph->run_count - high > step ? high + step : graph->run_count;
        step *= 2;
    }
    return find_between(graph, clock, low, high);
}

size_t grove__graph_find(const grove__graph *graph, uint64_t clock)
{
    GROVE_ASSERT(clock >= graph->base && clock < graph->end);
    size_t last = graph->run_count - 1;
    if (graph->runs[last].from <= clock) {
        return last;
    }
    return find_between(graph, clock, 0, last);
}

grove__graph_view grove__graph_run_at(const grove__graph *graph, size_t run)
{
    GROVE_ASSERT(run < graph->run_count);
    const grove__graph_run *found = &graph->runs[run];
    return (grove__graph_view){
        .from = found->from,
        .end = run + 1 < graph->run_count ? found[1].from : graph->end,
        .parents = {found->parent_count == 0 ? NULL
                                             : &graph->parents[found->parent_first],
                    found->parent_count},
        .time = found->time,
    };
}

grove__frontier grove__graph_parents(const grove__graph *graph, uint64_t clock,
                                     uint64_t *before)
{
    grove__graph_view run = grove__graph_run_at(graph, grove__graph_find(graph, clock));
    if (run.from == clock) {
        return run.parents;
    }
    *before = clock - 1;
    return (grove__frontier){before, 1};
}

uint64_t grove__graph_time(const grove__graph *graph, uint64_t clock)
{
    if (clock < graph->base) {
        size_t head = find_base_head(graph, clock);
        return head < graph->base_head_count ? graph->base_head_times[head] : 0;
    }
    /* Those that are asked for are mostly new. */
    const grove__graph_run *run =
        &graph->runs[grove__graph_find_near(graph, clock, graph->run_count - 1)];
    return run->time == 0 ? 0 : run->time + (clock - run->from);
}

uint64_t grove__graph_time_after(const grove__graph *graph, grove__frontier parents)
{
    uint64_t greatest = 0;
    for (size_t index = 0; index < parents.count; index++) {
        uint64_t time = grove__graph_time(graph, parents.clocks[index]);
        if (time == 0) {
            return 0;
        }
        greatest = time > greatest ? time : greatest;
    }
    return greatest + 1;
}

/* The event before, held by the last run, is the only parent. */
static bool goes_on(const grove__graph *graph, grove__frontier parents)
{
    return graph->run_count > 0 && parents.count == 1 &&
           parents.clocks[0] == graph->end - 1;
}

/* The parents are all heads, borrowed from the graph: the new event takes
 * their place. */
static bool are_own_heads(const grove__graph *graph, grove__frontier parents)
{
    return parents.count > 0 && parents.clocks == graph->heads;
}

static bool reserve_run(grove__graph *graph, grove__frontier parents)
{
    if (goes_on(graph, parents)) {
        return true;
    }
    return graph->parent_count + parents.count <= UINT32_MAX &&
           grove__array_reserve_more(graph->allocator, (void **)&graph->parents,
                                     &graph->parent_capacity, graph->parent_count,
                                     parents.count, sizeof *graph->parents) &&
           grove__array_reserve(graph->allocator, (void **)&graph->runs,
                                &graph->run_capacity, graph->run_count,
                                sizeof *graph->runs);
}

/* `last` becomes a head, its run's parents cease to be. Room is reserved. */
static void advance_heads(grove__graph *graph, uint64_t last, grove__frontier parents)
{
    if (are_own_heads(graph, parents)) {
        GROVE_ASSERT(parents.count == graph->head_slots && graph->heads_gone == 0);
        graph->heads[0] = last;
        graph->head_slots = 1;
        return;
    }
    if (parents.count == 1 && graph->head_slots > 0 &&
        graph->heads[graph->head_slots - 1] == parents.clocks[0]) {
        graph->heads[graph->head_slots - 1] = last;
        return;
    }
    for (size_t index = 0; index < parents.count; index++) {
        size_t slot = find_head(graph, parents.clocks[index]);
        if (slot < graph->head_slots && graph->heads[slot] == parents.clocks[index]) {
            graph->heads[slot] |= HEAD_GONE;
            graph->heads_gone++;
        }
    }
    graph->heads[graph->head_slots++] = last;
    /* Sweeping no more than was emptied keeps it O(1) an event. */
    if (graph->heads_gone > graph->head_slots / 2) {
        sweep_heads(graph);
    }
}

bool grove__graph_reserve(grove__graph *graph, uint32_t replica, grove__frontier parents)
{
    if (!reserve_run(graph, parents) || !grove__ids_reserve(&graph->ids, replica)) {
        return false;
    }
    /* Own heads must not move, and need no slot. */
    return are_own_heads(graph, parents) ||
           grove__array_reserve(graph->allocator, (void **)&graph->heads,
                                &graph->head_capacity, graph->head_slots,
                                sizeof *graph->heads);
}

grove_status grove__graph_append(grove__graph *graph, uint32_t replica, uint64_t sequence,
                                 uint64_t count, grove__frontier parents, uint64_t time,
                                 grove_error *error_out)
{
    GROVE_ASSERT(count > 0 && count <= GROVE_DOCUMENT_EVENTS_MAX - graph->end);
    GROVE_ASSERT(time == 0 || !goes_on(graph, parents) ||
                 time == grove__graph_time_after(graph, parents));
    if (!grove__graph_reserve(graph, replica, parents)) {
        return grove__fail_memory(error_out);
    }
    if (!goes_on(graph, parents)) {
        graph->runs[graph->run_count++] = (grove__graph_run){
            .from = graph->end,
            .parent_first = (uint32_t)graph->parent_count,
            .parent_count = (uint32_t)parents.count,
            .time = time,
        };
        if (parents.count > 0) {
            memcpy(&graph->parents[graph->parent_count], parents.clocks,
                   parents.count * sizeof *parents.clocks);
            graph->parent_count += parents.count;
        }
    }
    grove__ids_append(&graph->ids, replica, sequence, count);
    graph->end += count;
    advance_heads(graph, graph->end - 1, parents);
    return GROVE_OK;
}
