#include "graph/order.h"

#include "base/assert.h"
#include "base/checked.h"
#include "base/error.h"
#include "graph/heap.h"

#define NO_EDGE UINT32_MAX

/* Events that follow one another in every order: each but the first has only
 * the one before it as parent, none but the last has other children among the
 * events; and, for an order by id, one replica made them one after another. */
typedef struct order_piece {
    uint64_t from;
    uint64_t end;
    uint64_t sequence;
    size_t run; /* of the graph */
    uint32_t replica;
    uint32_t waits_for; /* parents that have not come */
    uint32_t first_edge;
    uint32_t last_parent; /* the latest piece it waits for, or NO_EDGE */
    uint64_t weight;      /* by branch: events on it and after it */
} order_piece;

/* A piece that waits for another: a list for each piece waited for. */
typedef struct order_edge {
    uint32_t piece;
    uint32_t next;
} order_edge;

typedef struct order_work {
    const grove__graph *graph;
    const grove_allocator *allocator;
    uint64_t *cuts; /* after parents inside runs */
    size_t cut_count, cut_capacity;
    order_piece *pieces;
    size_t piece_count, piece_capacity;
    order_edge *edges;
    size_t edge_count, edge_capacity;
    grove__heap ready; /* marks are numbers of pieces */
    bool is_by_branch;
    uint64_t turn; /* by branch: pieces that were put in order */
    uint64_t steps;
} order_work;

void grove__order_init(grove__order *order, const grove_allocator *allocator)
{
    *order = (grove__order){.allocator = allocator};
}

void grove__order_release(grove__order *order)
{
    if (order == NULL || order->allocator == NULL) {
        return;
    }
    grove__range_list_release(&order->ranges, order->allocator);
    *order = (grove__order){0};
}

static void release_work(order_work *work)
{
    grove__deallocate(work->allocator, work->cuts,
                      work->cut_capacity * sizeof *work->cuts);
    grove__deallocate(work->allocator, work->pieces,
                      work->piece_capacity * sizeof *work->pieces);
    grove__deallocate(work->allocator, work->edges,
                      work->edge_capacity * sizeof *work->edges);
    grove__deallocate(work->allocator, work->ready.items,
                      work->ready.capacity * sizeof *work->ready.items);
}

static grove_status check_ranges(const grove__graph *graph, grove__ranges clocks,
                                 grove_error *error_out)
{
    uint64_t next = 0;
    for (size_t index = 0; index < clocks.count; index++) {
        const grove__range *range = &clocks.items[index];
        if (range->from < next || range->end <= range->from || range->end > graph->end) {
            return grove__fail(error_out, GROVE_INVALID,
                               "the clocks to put in order do not ascend to %llu",
                               (unsigned long long)graph->end);
        }
        next = range->end;
    }
    if (clocks.count > 0 && clocks.items[0].from < graph->base) {
        return grove__fail(error_out, GROVE_HISTORY_REMOVED,
                           "events before clock %llu are needed and not held",
                           (unsigned long long)graph->base);
    }
    return GROVE_OK;
}

/* Cuts. */

static bool is_least_cut(const void *context, const grove__heap_item *item,
                         const grove__heap_item *other)
{
    (void)context;
    return item->key < other->key;
}

/* The parents of the range's runs cut the runs they lie in, unless they are
 * the last there. */
static bool add_cuts(order_work *work, grove__range range)
{
    const grove__graph *graph = work->graph;
    size_t run = grove__graph_find(graph, range.from);
    size_t near = run;
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
            if (!grove__heap_reserve(&work->ready, work->allocator, 1)) {
                return false;
            }
            grove__heap_push(&work->ready, (grove__heap_item){.key = parent + 1},
                             is_least_cut, NULL);
        }
    }
    return true;
}

/* All cuts inside runs, ascending, some more than once. */
static bool make_cuts(order_work *work, grove__ranges clocks)
{
    for (size_t index = 0; index < clocks.count; index++) {
        if (!add_cuts(work, clocks.items[index])) {
            return false;
        }
    }
    if (!grove__array_reserve_more(work->allocator, (void **)&work->cuts,
                                   &work->cut_capacity, 0, work->ready.count,
                                   sizeof *work->cuts)) {
        return false;
    }
    while (work->ready.count > 0) {
        work->cuts[work->cut_count++] =
            grove__heap_pop(&work->ready, is_least_cut, NULL).key;
    }
    return true;
}

/* Pieces. */

/* The pieces of a range; `*cut` is the first cut after its beginning. */
static bool add_pieces(order_work *work, grove__range range, size_t *cut)
{
    size_t run = grove__graph_find(work->graph, range.from);
    grove__graph_view view = grove__graph_run_at(work->graph, run);
    grove__id_span span = {.clock = range.from, .count = range.end - range.from};
    bool is_held =
        work->is_by_branch || grove__ids_at(&work->graph->ids, range.from, &span);
    while (range.from < range.end) {
        GROVE_ASSERT(is_held);
        if (view.end == range.from) {
            view = grove__graph_run_at(work->graph, ++run);
        }
        while (*cut < work->cut_count && work->cuts[*cut] <= range.from) {
            ++*cut;
        }
        uint64_t end =
            grove__min_u64(grove__min_u64(range.end, view.end), span.clock + span.count);
        if (*cut < work->cut_count) {
            end = grove__min_u64(end, work->cuts[*cut]);
        }
        if (work->piece_count == NO_EDGE ||
            !grove__array_reserve(work->allocator, (void **)&work->pieces,
                                  &work->piece_capacity, work->piece_count,
                                  sizeof *work->pieces)) {
            return false;
        }
        work->pieces[work->piece_count++] = (order_piece){
            .from = range.from,
            .end = end,
            .sequence = span.sequence + (range.from - span.clock),
            .run = run,
            .replica = span.replica,
            .first_edge = NO_EDGE,
            .last_parent = NO_EDGE,
        };
        range.from = end;
        if (span.clock + span.count == end && end < range.end) {
            is_held = grove__ids_next(&work->graph->ids, &span);
        }
    }
    return true;
}

static bool make_pieces(order_work *work, grove__ranges clocks)
{
    size_t cut = 0;
    for (size_t index = 0; index < clocks.count; index++) {
        if (!add_pieces(work, clocks.items[index], &cut)) {
            return false;
        }
    }
    return true;
}

/* The piece that ends with the event, looked for from `piece` on downwards;
 * `piece_count`: it is not among the events. */
static size_t find_piece(order_work *work, uint64_t clock, size_t piece)
{
    size_t low = piece;
    size_t high = piece + 1;
    size_t step = 1;
    while (low > 0 && work->pieces[low].from > clock) {
        high = low;
        low = low > step ? low - step : 0;
        step *= 2;
        work->steps++;
    }
    while (high - low > 1) {
        work->steps++;
        size_t middle = low + (high - low) / 2;
        if (work->pieces[middle].from <= clock) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const order_piece *found = &work->pieces[low];
    if (clock < found->from || clock >= found->end) {
        return work->piece_count;
    }
    GROVE_ASSERT(found->end == clock + 1);
    return low;
}

static bool add_edge(order_work *work, size_t waiting, uint64_t parent)
{
    size_t found = find_piece(work, parent, waiting);
    if (found == work->piece_count) {
        return true;
    }
    if (work->edge_count == NO_EDGE ||
        !grove__array_reserve(work->allocator, (void **)&work->edges,
                              &work->edge_capacity, work->edge_count,
                              sizeof *work->edges)) {
        return false;
    }
    work->edges[work->edge_count] =
        (order_edge){(uint32_t)waiting, work->pieces[found].first_edge};
    work->pieces[found].first_edge = (uint32_t)work->edge_count++;
    work->pieces[waiting].waits_for++;
    work->pieces[waiting].last_parent = (uint32_t)found;
    return true;
}

/* Lets each piece wait for those of its parents that are among the events. */
static bool make_edges(order_work *work)
{
    for (size_t index = 0; index < work->piece_count; index++) {
        uint64_t from = work->pieces[index].from;
        grove__graph_view run = grove__graph_run_at(work->graph, work->pieces[index].run);
        uint64_t before = from - 1;
        grove__frontier parents = {&before, 1};
        if (run.from == from) {
            parents = run.parents;
        }
        for (size_t parent = 0; parent < parents.count; parent++) {
            if (!add_edge(work, index, parents.clocks[parent])) {
                return false;
            }
        }
    }
    return true;
}

/* The order. */

/* What hangs on several pieces is counted with the latest of them, so that no
 * event is counted twice. */
static void weigh(order_work *work)
{
    for (size_t index = work->piece_count; index > 0; index--) {
        order_piece *piece = &work->pieces[index - 1];
        piece->weight += piece->end - piece->from;
        if (piece->last_parent != NO_EDGE) {
            work->pieces[piece->last_parent].weight += piece->weight;
        }
    }
}

static bool is_least_id(const void *context, const grove__heap_item *item,
                        const grove__heap_item *other)
{
    const order_work *work = context;
    const order_piece *a = &work->pieces[item->mark];
    const order_piece *b = &work->pieces[other->mark];
    return grove__ids_compare(&work->graph->ids, a->replica, a->sequence, b->replica,
                              b->sequence) < 0;
}

/* Keys are the turns at which pieces became ready. */
static bool is_on_branch(const void *context, const grove__heap_item *item,
                         const grove__heap_item *other)
{
    const order_work *work = context;
    if (item->key != other->key) {
        return item->key > other->key;
    }
    return work->pieces[item->mark].weight < work->pieces[other->mark].weight;
}

static bool add_ready(order_work *work, size_t piece)
{
    if (!grove__heap_reserve(&work->ready, work->allocator, 1)) {
        return false;
    }
    grove__heap_item item = {.key = work->turn, .mark = (uint32_t)piece};
    if (work->is_by_branch) {
        grove__heap_push(&work->ready, item, is_on_branch, work);
    } else {
        grove__heap_push(&work->ready, item, is_least_id, work);
    }
    return true;
}

static uint32_t take_ready(order_work *work)
{
    return work->is_by_branch ? grove__heap_pop(&work->ready, is_on_branch, work).mark
                              : grove__heap_pop(&work->ready, is_least_id, work).mark;
}

static bool put_in_order(order_work *work, grove__order *order)
{
    for (size_t index = 0; index < work->piece_count; index++) {
        if (work->pieces[index].waits_for == 0 && !add_ready(work, index)) {
            return false;
        }
    }
    while (work->ready.count > 0) {
        const order_piece *next = &work->pieces[take_ready(work)];
        work->steps++;
        work->turn++;
        if (!grove__range_list_append(&order->ranges, order->allocator, next->from,
                                      next->end)) {
            return false;
        }
        for (uint32_t edge = next->first_edge; edge != NO_EDGE;
             edge = work->edges[edge].next) {
            uint32_t waiting = work->edges[edge].piece;
            if (--work->pieces[waiting].waits_for == 0 && !add_ready(work, waiting)) {
                return false;
            }
        }
    }
    return true;
}

static grove_status make(grove__order *order, const grove__graph *graph,
                         grove__ranges clocks, bool is_by_branch, grove_error *error_out)
{
    grove_status status = check_ranges(graph, clocks, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    order_work work = {
        .graph = graph, .allocator = order->allocator, .is_by_branch = is_by_branch};
    order->ranges.count = 0;
    bool is_made =
        make_cuts(&work, clocks) && make_pieces(&work, clocks) && make_edges(&work);
    if (is_made && is_by_branch) {
        weigh(&work);
    }
    if (!is_made || !put_in_order(&work, order)) {
        order->ranges.count = 0;
        status = grove__fail_memory(error_out);
    }
    order->steps += work.steps;
    release_work(&work);
    return status;
}

grove_status grove__order_make(grove__order *order, const grove__graph *graph,
                               grove__ranges clocks, grove_error *error_out)
{
    return make(order, graph, clocks, false, error_out);
}

grove_status grove__order_make_by_branch(grove__order *order, const grove__graph *graph,
                                         grove__ranges clocks, grove_error *error_out)
{
    return make(order, graph, clocks, true, error_out);
}
