#include "graph/chains.h"

#include "base/assert.h"
#include "base/checked.h"

void grove__chains_init(grove__chains *chains, const grove_allocator *allocator)
{
    *chains = (grove__chains){.allocator = allocator};
}

void grove__chains_release(grove__chains *chains)
{
    const grove_allocator *allocator = chains->allocator;
    grove__deallocate(allocator, chains->items, chains->capacity * sizeof *chains->items);
    grove__deallocate(allocator, chains->edges,
                      chains->edge_capacity * sizeof *chains->edges);
    grove__deallocate(allocator, chains->parents,
                      chains->parent_capacity * sizeof *chains->parents);
    grove__deallocate(allocator, chains->cuts,
                      chains->cut_capacity * sizeof *chains->cuts);
    grove__deallocate(allocator, chains->scratch.items,
                      chains->scratch.capacity * sizeof *chains->scratch.items);
    grove__chains_init(chains, allocator);
}

/* Cuts. */

static bool is_least_cut(const void *context, const grove__heap_item *item,
                         const grove__heap_item *other)
{
    (void)context;
    return item->key < other->key;
}

/* The parents of the runs that begin in the range cut the runs they lie in,
 * unless they are the last there. */
static bool add_cuts(grove__chains *chains, grove__range range)
{
    const grove__graph *graph = chains->graph;
    size_t run = grove__graph_find(graph, range.from);
    size_t near = run;
    if (grove__graph_run_at(graph, run).from < range.from) {
        run++;
    }
    for (; run < graph->run_count; run++) {
        grove__graph_view view = grove__graph_run_at(graph, run);
        if (view.from >= range.end) {
            break;
        }
        for (size_t index = 0; index < view.parents.count; index++) {
            uint64_t parent = view.parents.clocks[index];
            if (parent < graph->base) {
                continue;
            }
            near = grove__graph_find_near(graph, parent, near);
            if (grove__graph_run_at(graph, near).end == parent + 1) {
                continue;
            }
            if (!grove__heap_reserve(&chains->scratch, chains->allocator, 1)) {
                return false;
            }
            grove__heap_push(&chains->scratch, (grove__heap_item){.key = parent + 1},
                             is_least_cut, NULL);
        }
    }
    return true;
}

/* All cuts inside runs, ascending, some more than once. */
static bool make_cuts(grove__chains *chains, grove__ranges clocks)
{
    for (size_t index = 0; index < clocks.count; index++) {
        if (!add_cuts(chains, clocks.items[index])) {
            return false;
        }
    }
    if (!grove__array_reserve_more(chains->allocator, (void **)&chains->cuts,
                                   &chains->cut_capacity, 0, chains->scratch.count,
                                   sizeof *chains->cuts)) {
        return false;
    }
    while (chains->scratch.count > 0) {
        chains->cuts[chains->cut_count++] =
            grove__heap_pop(&chains->scratch, is_least_cut, NULL).key;
    }
    return true;
}

/* Chains. */

/* The chains of a range; `*cut` is the first cut after its beginning. */
static bool add_chains(grove__chains *chains, grove__range range, bool by_replica,
                       size_t *cut)
{
    size_t run = grove__graph_find(chains->graph, range.from);
    grove__graph_view view = grove__graph_run_at(chains->graph, run);
    grove__id_span span = {.clock = range.from, .count = range.end - range.from};
    bool is_held = !by_replica || grove__ids_at(&chains->graph->ids, range.from, &span);
    while (range.from < range.end) {
        GROVE_ASSERT(is_held);
        if (view.end == range.from) {
            view = grove__graph_run_at(chains->graph, ++run);
        }
        while (*cut < chains->cut_count && chains->cuts[*cut] <= range.from) {
            ++*cut;
        }
        uint64_t end =
            grove__min_u64(grove__min_u64(range.end, view.end), span.clock + span.count);
        if (*cut < chains->cut_count) {
            end = grove__min_u64(end, chains->cuts[*cut]);
        }
        if (chains->count == GROVE__CHAIN_NONE ||
            !grove__array_reserve(chains->allocator, (void **)&chains->items,
                                  &chains->capacity, chains->count,
                                  sizeof *chains->items)) {
            return false;
        }
        chains->items[chains->count++] = (grove__chain){
            .from = range.from,
            .end = end,
            .sequence = span.sequence + (range.from - span.clock),
            .run = run,
            .replica = span.replica,
            .first_edge = GROVE__CHAIN_NONE,
        };
        range.from = end;
        if (span.clock + span.count == end && end < range.end) {
            is_held = grove__ids_next(&chains->graph->ids, &span);
        }
    }
    return true;
}

static bool make_chains(grove__chains *chains, grove__ranges clocks, bool by_replica)
{
    size_t cut = 0;
    for (size_t index = 0; index < clocks.count; index++) {
        if (!add_chains(chains, clocks.items[index], by_replica, &cut)) {
            return false;
        }
    }
    return true;
}

/* The chain that ends with the event, looked for from `chain` on downwards;
 * the count: it is not among the events. */
static size_t find_piece(grove__chains *chains, uint64_t clock, size_t chain)
{
    size_t low = chain;
    size_t high = chain + 1;
    size_t step = 1;
    while (low > 0 && chains->items[low].from > clock) {
        high = low;
        low = low > step ? low - step : 0;
        step *= 2;
        chains->steps++;
    }
    while (high - low > 1) {
        chains->steps++;
        size_t middle = low + (high - low) / 2;
        if (chains->items[middle].from <= clock) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const grove__chain *found = &chains->items[low];
    if (clock < found->from || clock >= found->end) {
        return chains->count;
    }
    GROVE_ASSERT(found->end == clock + 1);
    return low;
}

static bool add_edge(grove__chains *chains, size_t waiting, uint64_t parent)
{
    size_t found = find_piece(chains, parent, waiting);
    if (found == chains->count) {
        return true;
    }
    if (chains->edge_count == GROVE__CHAIN_NONE ||
        !grove__array_reserve(chains->allocator, (void **)&chains->parents,
                              &chains->parent_capacity, chains->edge_count,
                              sizeof *chains->parents) ||
        !grove__array_reserve(chains->allocator, (void **)&chains->edges,
                              &chains->edge_capacity, chains->edge_count,
                              sizeof *chains->edges)) {
        return false;
    }
    chains->edges[chains->edge_count] =
        (grove__chain_edge){(uint32_t)waiting, chains->items[found].first_edge};
    chains->items[found].first_edge = (uint32_t)chains->edge_count;
    chains->parents[chains->edge_count++] = (uint32_t)found;
    chains->items[waiting].parent_count++;
    return true;
}

/* Makes each chain the child of its parents that are among the events. */
static bool make_edges(grove__chains *chains)
{
    for (size_t index = 0; index < chains->count; index++) {
        uint64_t from = chains->items[index].from;
        chains->items[index].parents = (uint32_t)chains->edge_count;
        grove__graph_view run =
            grove__graph_run_at(chains->graph, chains->items[index].run);
        uint64_t before = from - 1;
        grove__frontier parents = {&before, 1};
        if (run.from == from) {
            parents = run.parents;
        }
        for (size_t parent = 0; parent < parents.count; parent++) {
            if (!add_edge(chains, index, parents.clocks[parent])) {
                return false;
            }
        }
    }
    return true;
}

bool grove__chains_make(grove__chains *chains, const grove__graph *graph,
                        grove__ranges clocks, bool by_replica)
{
    chains->graph = graph;
    chains->count = 0;
    chains->edge_count = 0;
    chains->cut_count = 0;
    chains->scratch.count = 0;
    return make_cuts(chains, clocks) && make_chains(chains, clocks, by_replica) &&
           make_edges(chains);
}
