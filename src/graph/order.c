#include "graph/order.h"

#include "base/error.h"
#include "graph/chains.h"

typedef struct order_work {
    const grove__graph *graph;
    const grove_allocator *allocator;
    grove__chains chains;
    uint32_t *waits;   /* for each chain: parents that have not come */
    grove__heap ready; /* marks are numbers of chains */
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
    grove__deallocate(work->allocator, work->waits,
                      work->chains.count * sizeof *work->waits);
    grove__chains_release(&work->chains);
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

static bool is_least_id(const void *context, const grove__heap_item *item,
                        const grove__heap_item *other)
{
    const order_work *work = context;
    const grove__chain *a = &work->chains.items[item->mark];
    const grove__chain *b = &work->chains.items[other->mark];
    return grove__ids_compare(&work->graph->ids, a->replica, a->sequence, b->replica,
                              b->sequence) < 0;
}

static bool add_ready(order_work *work, size_t chain)
{
    if (!grove__heap_reserve(&work->ready, work->allocator, 1)) {
        return false;
    }
    grove__heap_push(&work->ready, (grove__heap_item){.mark = (uint32_t)chain},
                     is_least_id, work);
    return true;
}

static bool put_in_order(order_work *work, grove__order *order)
{
    const grove__chains *chains = &work->chains;
    for (size_t index = 0; index < chains->count; index++) {
        work->waits[index] = chains->items[index].parent_count;
        if (work->waits[index] == 0 && !add_ready(work, index)) {
            return false;
        }
    }
    while (work->ready.count > 0) {
        uint32_t index = grove__heap_pop(&work->ready, is_least_id, work).mark;
        const grove__chain *next = &chains->items[index];
        work->steps++;
        if (!grove__range_list_append(&order->ranges, order->allocator, next->from,
                                      next->end)) {
            return false;
        }
        for (uint32_t edge = next->first_edge; edge != GROVE__CHAIN_NONE;
             edge = chains->edges[edge].next) {
            uint32_t waiting = chains->edges[edge].chain;
            if (--work->waits[waiting] == 0 && !add_ready(work, waiting)) {
                return false;
            }
        }
    }
    return true;
}

/* Cuts the events into chains, and makes room to count their parents. */
static bool make_chains(order_work *work, grove__ranges clocks)
{
    grove__chains_init(&work->chains, work->allocator);
    if (!grove__chains_make(&work->chains, work->graph, clocks, true)) {
        return false;
    }
    work->steps += work->chains.steps;
    if (work->chains.count > 0) {
        work->waits =
            grove__allocate(work->allocator, work->chains.count * sizeof *work->waits);
    }
    return work->chains.count == 0 || work->waits != NULL;
}

grove_status grove__order_make(grove__order *order, const grove__graph *graph,
                               grove__ranges clocks, grove_error *error_out)
{
    grove_status status = check_ranges(graph, clocks, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    order_work work = {.graph = graph, .allocator = order->allocator};
    order->ranges.count = 0;
    if (!make_chains(&work, clocks) || !put_in_order(&work, order)) {
        order->ranges.count = 0;
        status = grove__fail_memory(error_out);
    }
    order->steps += work.steps;
    release_work(&work);
    return status;
}
