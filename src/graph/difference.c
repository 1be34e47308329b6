#include "graph/difference.h"

#include "base/assert.h"
#include "base/checked.h"
#include "base/error.h"

typedef enum walk_goal { GOAL_DIFFERENCE, GOAL_COMPARE, GOAL_BASE } walk_goal;

/* A version as one item. Room is reserved. */
static void push_version(grove__walk *walk, grove__frontier version, uint32_t mark)
{
    grove__heap_item item = {.mark = mark};
    if (version.count > 0) {
        item.key = version.clocks[version.count - 1] + 1;
        item.rest = version.clocks;
        item.rest_count = (uint32_t)version.count - 1;
    }
    grove__walk_push(walk, item);
}

/* Notes that the clocks `from` to `end` - 1 were passed. */
static bool pass_range(grove__walk *walk, walk_goal goal, uint64_t from, uint64_t end,
                       uint32_t mark)
{
    if (from == end) {
        return true;
    }
    if (goal != GOAL_BASE) {
        return mark == GROVE__SIDE_BOTH ||
               grove__range_list_append_below(&walk->only[mark - 1], walk->allocator,
                                              from, end);
    }
    if (walk->passed_count > 0) {
        grove__sided_range *last = &walk->passed[walk->passed_count - 1];
        if (last->from == end && (uint32_t)last->side == mark) {
            last->from = from;
            return true;
        }
    }
    if (!grove__array_reserve(walk->allocator, (void **)&walk->passed,
                              &walk->passed_capacity, walk->passed_count,
                              sizeof *walk->passed)) {
        return false;
    }
    walk->passed[walk->passed_count++] =
        (grove__sided_range){from, end, (grove__side)mark};
    return true;
}

/* The version of the last item is the base; all else was passed. */
static bool take_base(grove__walk *walk, const grove__heap_item *item)
{
    if (item->key == 0) {
        return true;
    }
    if (!grove__walk_reserve_clocks(walk, (size_t)item->rest_count + 1)) {
        return false;
    }
    for (size_t index = 0; index < item->rest_count; index++) {
        grove__walk_take(walk, item->rest[index]);
    }
    grove__walk_take(walk, item->key - 1);
    return true;
}

/*
 * Passes a run from the item down to its first event, and takes up on the way
 * what of the heap lies in it. The run's parents go onto the heap: with
 * GOAL_BASE as one version, for two paths meet only where they know the same.
 */
static bool pass_run(grove__walk *walk, walk_goal goal, grove__heap_item item)
{
    grove__graph_view run = grove__walk_run(walk, &item);
    uint64_t end = item.key;
    uint32_t mark = item.mark;
    for (;;) {
        if (!grove__walk_reserve(walk, item.rest_count)) {
            return false;
        }
        grove__walk_push_clocks(walk, item.rest, item.rest_count, item.mark);
        if (!grove__walk_is_in(walk, run)) {
            break;
        }
        item = grove__walk_pop(walk);
        if ((mark | item.mark) != mark) {
            if (!pass_range(walk, goal, item.key, end, mark)) {
                return false;
            }
            end = item.key;
            mark |= item.mark;
        }
        if (goal == GOAL_BASE && walk->heap.count == 0 && item.rest_count == 0) {
            return pass_range(walk, goal, item.key, end, mark) && take_base(walk, &item);
        }
    }
    if (!pass_range(walk, goal, run.from, end, mark)) {
        return false;
    }
    if (goal == GOAL_BASE) {
        if (!grove__walk_reserve(walk, 1)) {
            return false;
        }
        push_version(walk, run.parents, mark);
        return true;
    }
    if (!grove__walk_reserve(walk, run.parents.count)) {
        return false;
    }
    grove__walk_push_clocks(walk, run.parents.clocks, run.parents.count, mark);
    return true;
}

/* All items are behind the base: what they say of the two versions. */
static grove_status difference_hidden(grove__walk *walk, grove_error *error_out)
{
    grove__hidden left = grove__walk_sort_hidden(walk);
    bool a_has_all = grove__walk_has_all(walk, &left, GROVE__SIDE_A);
    bool b_has_all = grove__walk_has_all(walk, &left, GROVE__SIDE_B);
    if (a_has_all && b_has_all) {
        return GROVE_OK;
    }
    bool passed;
    if (a_has_all && grove__walk_has_none(&left, GROVE__SIDE_B)) {
        passed = pass_range(walk, GOAL_DIFFERENCE, 0, walk->graph->base, GROVE__SIDE_A);
    } else if (b_has_all && grove__walk_has_none(&left, GROVE__SIDE_A)) {
        passed = pass_range(walk, GOAL_DIFFERENCE, 0, walk->graph->base, GROVE__SIDE_B);
    } else {
        return grove__walk_lack(walk, grove__walk_least_open(walk), error_out);
    }
    return passed ? GROVE_OK : grove__fail_memory(error_out);
}

/*
 * The same for a comparison: `only` says for a (bit 0) and b (bit 1) whether
 * something is only there. A base head that only one version has is such.
 */
static grove_status compare_hidden(grove__walk *walk, uint32_t *only,
                                   grove_error *error_out)
{
    grove__hidden left = grove__walk_sort_hidden(walk);
    bool none_of_a = grove__walk_has_none(&left, GROVE__SIDE_A);
    bool none_of_b = grove__walk_has_none(&left, GROVE__SIDE_B);
    if (left.heads[GROVE__SIDE_A] > 0 || none_of_b) {
        *only |= GROVE__SIDE_A;
    }
    if (left.heads[GROVE__SIDE_B] > 0 || none_of_a) {
        *only |= GROVE__SIDE_B;
    }
    if (*only == GROVE__SIDE_BOTH || none_of_a || none_of_b ||
        grove__walk_has_all(walk, &left, GROVE__SIDE_A) ||
        grove__walk_has_all(walk, &left, GROVE__SIDE_B)) {
        return GROVE_OK;
    }
    return grove__walk_lack(walk, grove__walk_least_open(walk), error_out);
}

static grove_status begin_two(grove__walk *walk, walk_goal goal, grove__frontier a,
                              grove__frontier b, grove_error *error_out)
{
    grove__walk_check(walk, a);
    grove__walk_check(walk, b);
    grove__walk_restart(walk);
    if (!grove__walk_reserve(walk, goal == GOAL_BASE ? 2 : a.count + b.count)) {
        return grove__fail_memory(error_out);
    }
    if (goal == GOAL_BASE) {
        push_version(walk, a, GROVE__SIDE_A);
        push_version(walk, b, GROVE__SIDE_B);
    } else {
        grove__walk_push_clocks(walk, a.clocks, a.count, GROVE__SIDE_A);
        grove__walk_push_clocks(walk, b.clocks, b.count, GROVE__SIDE_B);
    }
    return GROVE_OK;
}

static uint32_t sides_seen(const grove__walk *walk)
{
    return (walk->only[0].count > 0 ? GROVE__SIDE_A : 0u) |
           (walk->only[1].count > 0 ? GROVE__SIDE_B : 0u);
}

grove_status grove__difference_compare(grove__walk *walk, grove__frontier a,
                                       grove__frontier b, grove__relation *relation_out,
                                       grove_error *error_out)
{
    grove_status status = begin_two(walk, GOAL_COMPARE, a, b, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    uint32_t only = 0;
    while (walk->open > 0 && only != GROVE__SIDE_BOTH) {
        if (grove__walk_is_behind(walk)) {
            status = compare_hidden(walk, &only, error_out);
            if (status != GROVE_OK) {
                return status;
            }
            break;
        }
        if (!pass_run(walk, GOAL_COMPARE, grove__walk_pop_equals(walk))) {
            return grove__fail_memory(error_out);
        }
        only = sides_seen(walk);
    }
    static const grove__relation relations[] = {
        GROVE__RELATION_EQUAL,
        GROVE__RELATION_AFTER,
        GROVE__RELATION_BEFORE,
        GROVE__RELATION_CONCURRENT,
    };
    *relation_out = relations[only];
    return GROVE_OK;
}

grove_status grove__difference_find(grove__walk *walk, grove__frontier a,
                                    grove__frontier b, grove__ranges *only_a_out,
                                    grove__ranges *only_b_out, grove_error *error_out)
{
    grove_status status = begin_two(walk, GOAL_DIFFERENCE, a, b, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    while (walk->open > 0) {
        if (grove__walk_is_behind(walk)) {
            status = difference_hidden(walk, error_out);
            if (status != GROVE_OK) {
                return status;
            }
            break;
        }
        if (!pass_run(walk, GOAL_DIFFERENCE, grove__walk_pop_equals(walk))) {
            return grove__fail_memory(error_out);
        }
    }
    grove__range_list_reverse(&walk->only[0]);
    grove__range_list_reverse(&walk->only[1]);
    *only_a_out = grove__range_list_view(&walk->only[0]);
    *only_b_out = grove__range_list_view(&walk->only[1]);
    return GROVE_OK;
}

grove_status grove__difference_history(grove__walk *walk, grove__frontier version,
                                       grove__ranges *history_out, grove_error *error_out)
{
    grove__ranges none;
    return grove__difference_find(walk, version, (grove__frontier){NULL, 0}, history_out,
                                  &none, error_out);
}

/* Different versions are left, all behind the base, `item` the latest: where
 * they meet is at or before the greatest clock of each of them. */
static grove_status base_hidden(grove__walk *walk, const grove__heap_item *item,
                                grove_error *error_out)
{
    uint64_t least = item->key - 1;
    for (size_t index = 0; index < walk->heap.count; index++) {
        least = grove__min_u64(least, walk->heap.items[index].key);
    }
    return grove__walk_lack(walk, least, error_out);
}

static void reverse_passed(grove__walk *walk)
{
    for (size_t low = 0, high = walk->passed_count; low + 1 < high; low++, high--) {
        grove__sided_range range = walk->passed[low];
        walk->passed[low] = walk->passed[high - 1];
        walk->passed[high - 1] = range;
    }
}

grove_status grove__difference_base(grove__walk *walk, grove__frontier a,
                                    grove__frontier b, grove__conflict *conflict_out,
                                    grove_error *error_out)
{
    GROVE_ASSERT_ARG(walk->clocks == NULL ||
                     (a.clocks != walk->clocks && b.clocks != walk->clocks));
    grove_status status = begin_two(walk, GOAL_BASE, a, b, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    while (walk->heap.count > 0) {
        grove__heap_item item = grove__walk_pop_equals(walk);
        if (walk->heap.count == 0) {
            if (!take_base(walk, &item)) {
                return grove__fail_memory(error_out);
            }
            break;
        }
        if (item.key <= walk->graph->base) {
            return base_hidden(walk, &item, error_out);
        }
        if (!pass_run(walk, GOAL_BASE, item)) {
            return grove__fail_memory(error_out);
        }
    }
    reverse_passed(walk);
    *conflict_out = (grove__conflict){
        .base = {walk->clocks, walk->clock_count},
        .ranges = walk->passed,
        .range_count = walk->passed_count,
    };
    return GROVE_OK;
}
