#include "graph/walk.h"

#include "base/assert.h"
#include "base/error.h"

void grove__walk_init(grove__walk *walk, const grove__graph *graph)
{
    *walk = (grove__walk){.graph = graph, .allocator = graph->allocator};
}

void grove__walk_release(grove__walk *walk)
{
    if (walk == NULL || walk->allocator == NULL) {
        return;
    }
    const grove_allocator *allocator = walk->allocator;
    grove__deallocate(allocator, walk->heap.items,
                      walk->heap.capacity * sizeof *walk->heap.items);
    grove__range_list_release(&walk->only[0], allocator);
    grove__range_list_release(&walk->only[1], allocator);
    grove__deallocate(allocator, walk->passed,
                      walk->passed_capacity * sizeof *walk->passed);
    grove__deallocate(allocator, walk->clocks,
                      walk->clock_capacity * sizeof *walk->clocks);
    grove__deallocate(allocator, walk->sorted,
                      walk->sorted_capacity * sizeof *walk->sorted);
    *walk = (grove__walk){0};
}

/* Greatest clock first. Versions that have it in common come in any order:
 * only when all that is left is one version do equal ones matter. */
static bool is_later(const void *context, const grove__heap_item *item,
                     const grove__heap_item *other)
{
    (void)context;
    return item->key > other->key;
}

static bool is_equal(const grove__heap_item *item, const grove__heap_item *other)
{
    return item->key == other->key && item->rest_count == other->rest_count &&
           (item->rest_count == 0 ||
            memcmp(item->rest, other->rest, item->rest_count * sizeof *item->rest) == 0);
}

bool grove__walk_reserve(grove__walk *walk, size_t more)
{
    return grove__heap_reserve(&walk->heap, walk->allocator, more);
}

void grove__walk_push(grove__walk *walk, grove__heap_item item)
{
    walk->open += item.mark != GROVE__SIDE_BOTH;
    grove__heap_push(&walk->heap, item, is_later, NULL);
}

void grove__walk_push_clock(grove__walk *walk, uint64_t clock, uint32_t mark)
{
    grove__walk_push(walk, (grove__heap_item){.key = clock + 1, .mark = mark});
}

void grove__walk_push_clocks(grove__walk *walk, const uint64_t *clocks, size_t count,
                             uint32_t mark)
{
    for (size_t index = 0; index < count; index++) {
        grove__walk_push_clock(walk, clocks[index], mark);
    }
}

grove__heap_item grove__walk_pop(grove__walk *walk)
{
    grove__heap_item item = grove__heap_pop(&walk->heap, is_later, NULL);
    walk->open -= item.mark != GROVE__SIDE_BOTH;
    walk->steps++;
    return item;
}

grove__heap_item grove__walk_pop_equals(grove__walk *walk)
{
    grove__heap_item item = grove__walk_pop(walk);
    while (walk->heap.count > 0 && is_equal(&walk->heap.items[0], &item)) {
        item.mark |= grove__walk_pop(walk).mark;
    }
    return item;
}

void grove__walk_restart(grove__walk *walk)
{
    walk->heap.count = 0;
    walk->open = 0;
    walk->only[0].count = 0;
    walk->only[1].count = 0;
    walk->passed_count = 0;
    walk->clock_count = 0;
    /* Another graph may have taken the place of a larger one. */
    if (walk->run >= walk->graph->run_count) {
        walk->run = 0;
    }
}

grove__graph_view grove__walk_run(grove__walk *walk, const grove__heap_item *item)
{
    walk->run = grove__graph_find_near(walk->graph, item->key - 1, walk->run);
    return grove__graph_run_at(walk->graph, walk->run);
}

void grove__walk_check(const grove__walk *walk, grove__frontier version)
{
    for (size_t index = 0; index < version.count; index++) {
        GROVE_ASSERT_ARG(version.clocks[index] < walk->graph->end);
        GROVE_ASSERT_ARG(index == 0 || version.clocks[index - 1] < version.clocks[index]);
    }
}

void grove__walk_take(grove__walk *walk, uint64_t clock)
{
    GROVE_ASSERT(walk->clock_count < walk->clock_capacity);
    walk->clocks[walk->clock_count++] = clock;
}

bool grove__walk_reserve_clocks(grove__walk *walk, size_t count)
{
    return grove__array_reserve_more(walk->allocator, (void **)&walk->clocks,
                                     &walk->clock_capacity, walk->clock_count, count,
                                     sizeof *walk->clocks);
}

grove_status grove__walk_lack(grove__walk *walk, uint64_t from, grove_error *error_out)
{
    walk->needed = (grove__range){from, walk->graph->base};
    return grove__fail(error_out, GROVE_HISTORY_REMOVED,
                       "the events from clock %llu to %llu are needed and not held",
                       (unsigned long long)from,
                       (unsigned long long)walk->graph->base - 1);
}

bool grove__walk_has_all(const grove__walk *walk, const grove__hidden *left,
                         grove__side side)
{
    return left->heads[side] + left->heads[GROVE__SIDE_BOTH] ==
           walk->graph->base_head_count;
}

bool grove__walk_has_none(const grove__hidden *left, grove__side side)
{
    return left->items[side] + left->items[GROVE__SIDE_BOTH] == 0;
}

grove__hidden grove__walk_sort_hidden(grove__walk *walk)
{
    grove__hidden left = {{0}, {0}};
    grove__heap_item *items = walk->heap.items;
    size_t count = walk->heap.count;
    while (walk->heap.count > 0) {
        grove__heap_item item = grove__walk_pop(walk);
        items[walk->heap.count] = item;
    }
    for (size_t low = 0, high = count; low + 1 < high; low++, high--) {
        grove__heap_item item = items[low];
        items[low] = items[high - 1];
        items[high - 1] = item;
    }
    size_t kept = 0;
    for (size_t index = 0; index < count; index++) {
        if (kept > 0 && items[kept - 1].key == items[index].key) {
            items[kept - 1].mark |= items[index].mark;
        } else {
            items[kept++] = items[index];
        }
    }
    walk->heap.count = kept;
    for (size_t index = 0; index < kept; index++) {
        left.items[items[index].mark]++;
        left.heads[items[index].mark] +=
            grove__graph_is_base_head(walk->graph, items[index].key - 1);
    }
    return left;
}

uint64_t grove__walk_least_open(const grove__walk *walk)
{
    size_t index = walk->heap.count - 1;
    while (index > 0 && walk->heap.items[index].mark == GROVE__SIDE_BOTH) {
        index--;
    }
    return walk->heap.items[index].key - 1;
}
