#include "graph/version.h"

#include "base/assert.h"
#include "base/error.h"

/* Marks while reducing: a clock of the set that nothing reached yet, and one
 * that was reached from another. Their union is the latter. */
enum { SET = 1, REACHED = 3 };

grove_status grove__version_sort(grove__walk *walk, const uint64_t *clocks, size_t count,
                                 grove__frontier *sorted_out, grove_error *error_out)
{
    grove__walk_restart(walk);
    if (!grove__array_reserve_more(walk->allocator, (void **)&walk->sorted,
                                   &walk->sorted_capacity, 0, count,
                                   sizeof *walk->sorted)) {
        return grove__fail_memory(error_out);
    }
    bool ascends = true;
    for (size_t index = 0; index < count; index++) {
        walk->sorted[index] = clocks[index];
        ascends = ascends && (index == 0 || clocks[index - 1] < clocks[index]);
    }
    if (!ascends) {
        if (!grove__walk_reserve(walk, count)) {
            return grove__fail_memory(error_out);
        }
        grove__walk_push_clocks(walk, clocks, count, GROVE__SIDE_BOTH);
        for (size_t left = count; left > 0; left--) {
            walk->sorted[left - 1] = grove__walk_pop(walk).key - 1;
            if (left < count && walk->sorted[left - 1] == walk->sorted[left]) {
                return grove__fail(error_out, GROVE_INVALID, "clock %llu is given twice",
                                   (unsigned long long)walk->sorted[left]);
            }
        }
    }
    *sorted_out = (grove__frontier){walk->sorted, count};
    return GROVE_OK;
}

/* All items are behind the base, and so is `clock`, which is none of them. */
static grove_status contains_hidden(grove__walk *walk, uint64_t clock, bool *contains_out,
                                    grove_error *error_out)
{
    grove__hidden left = grove__walk_sort_hidden(walk);
    if (!grove__walk_has_all(walk, &left, GROVE__SIDE_A) &&
        !grove__graph_is_base_head(walk->graph, clock)) {
        return grove__walk_lack(walk, clock + 1, error_out);
    }
    *contains_out = grove__walk_has_all(walk, &left, GROVE__SIDE_A);
    return GROVE_OK;
}

/* Pushes those of the clocks that may have `clock` in their history; true if
 * it is one of them. Room is reserved. */
static bool push_later(grove__walk *walk, grove__frontier version, uint64_t clock)
{
    for (size_t index = version.count; index > 0; index--) {
        if (version.clocks[index - 1] <= clock) {
            return version.clocks[index - 1] == clock;
        }
        grove__walk_push_clock(walk, version.clocks[index - 1], GROVE__SIDE_A);
    }
    return false;
}

grove_status grove__version_contains(grove__walk *walk, grove__frontier version,
                                     uint64_t clock, bool *contains_out,
                                     grove_error *error_out)
{
    grove__walk_check(walk, version);
    grove__walk_restart(walk);
    if (!grove__walk_reserve(walk, version.count)) {
        return grove__fail_memory(error_out);
    }
    bool contains = push_later(walk, version, clock);
    while (!contains && walk->heap.count > 0) {
        if (grove__walk_is_behind(walk)) {
            return contains_hidden(walk, clock, contains_out, error_out);
        }
        grove__heap_item item = grove__walk_pop(walk);
        grove__graph_view run = grove__walk_run(walk, &item);
        while (grove__walk_is_in(walk, run)) {
            (void)grove__walk_pop(walk);
        }
        if (!grove__walk_reserve(walk, run.parents.count)) {
            return grove__fail_memory(error_out);
        }
        contains = run.from <= clock || push_later(walk, run.parents, clock);
    }
    *contains_out = contains;
    return GROVE_OK;
}

static void reverse_clocks(grove__walk *walk)
{
    for (size_t low = 0, high = walk->clock_count; low + 1 < high; low++, high--) {
        uint64_t clock = walk->clocks[low];
        walk->clocks[low] = walk->clocks[high - 1];
        walk->clocks[high - 1] = clock;
    }
}

/* Decides about the clocks that are left when all items are behind the base:
 * a head there has no descendants behind the base, nor has the latest item
 * any among the others; everything else is before some head. */
static grove_status reduce_hidden(grove__walk *walk, grove_error *error_out)
{
    grove__hidden left = grove__walk_sort_hidden(walk);
    for (size_t index = 0; index < walk->heap.count; index++) {
        const grove__heap_item *item = &walk->heap.items[index];
        if (item->mark != SET) {
            continue;
        }
        if (index == 0 || grove__graph_is_base_head(walk->graph, item->key - 1)) {
            grove__walk_take(walk, item->key - 1);
        } else if (!grove__walk_has_all(walk, &left, GROVE__SIDE_A)) {
            return grove__walk_lack(walk, grove__walk_least_open(walk) + 1, error_out);
        }
    }
    return GROVE_OK;
}

/* Takes the clocks marked SET that nothing reaches, latest first. */
static grove_status reduce_items(grove__walk *walk, grove_error *error_out)
{
    while (walk->open > 0) {
        if (grove__walk_is_behind(walk)) {
            return reduce_hidden(walk, error_out);
        }
        grove__heap_item item = grove__walk_pop_equals(walk);
        if (item.mark == SET) {
            grove__walk_take(walk, item.key - 1);
        }
        grove__graph_view run = grove__walk_run(walk, &item);
        while (grove__walk_is_in(walk, run)) {
            (void)grove__walk_pop(walk);
        }
        if (!grove__walk_reserve(walk, run.parents.count)) {
            return grove__fail_memory(error_out);
        }
        grove__walk_push_clocks(walk, run.parents.clocks, run.parents.count, REACHED);
    }
    return GROVE_OK;
}

grove_status grove__version_reduce(grove__walk *walk, const uint64_t *clocks,
                                   size_t count, grove__frontier *version_out,
                                   grove_error *error_out)
{
    GROVE_ASSERT_ARG(walk->clocks == NULL || clocks != walk->clocks);
    grove__walk_restart(walk);
    if (!grove__walk_reserve(walk, count) || !grove__walk_reserve_clocks(walk, count)) {
        return grove__fail_memory(error_out);
    }
    for (size_t index = 0; index < count; index++) {
        GROVE_ASSERT_ARG(clocks[index] < walk->graph->end);
        grove__walk_push_clock(walk, clocks[index], SET);
    }
    grove_status status = reduce_items(walk, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    reverse_clocks(walk);
    *version_out = (grove__frontier){walk->clocks, walk->clock_count};
    return GROVE_OK;
}

grove_status grove__version_is_minimal(grove__walk *walk, grove__frontier clocks,
                                       bool *is_minimal_out, grove_error *error_out)
{
    grove__walk_check(walk, clocks);
    grove__walk_restart(walk);
    if (!grove__walk_reserve(walk, clocks.count) ||
        !grove__walk_reserve_clocks(walk, clocks.count)) {
        return grove__fail_memory(error_out);
    }
    /* A head has no descendants, and the greatest has none among the others:
     * the walk has to ask only after the rest. */
    for (size_t index = 0; index < clocks.count; index++) {
        bool is_sure = index + 1 == clocks.count ||
                       grove__graph_is_head(walk->graph, clocks.clocks[index]);
        grove__walk_push_clock(walk, clocks.clocks[index], is_sure ? REACHED : SET);
    }
    size_t asked = walk->open;
    grove_status status = reduce_items(walk, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    *is_minimal_out = walk->clock_count == asked;
    return GROVE_OK;
}
