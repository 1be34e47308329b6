#include <criterion/criterion.h>

#include "model.h"
#include "support/faulty_allocator.h"

static void check_needed(const graph_subject *subject, grove_status status)
{
    cr_assert_eq(status, GROVE_HISTORY_REMOVED);
    cr_assert_lt(subject->walk.needed.from, subject->graph.base);
    cr_assert_eq(subject->walk.needed.end, subject->graph.base);
}

static grove__relation relation_of(uint64_t a, uint64_t b)
{
    if (a == b) {
        return GROVE__RELATION_EQUAL;
    }
    if ((a & ~b) == 0) {
        return GROVE__RELATION_BEFORE;
    }
    return (b & ~a) == 0 ? GROVE__RELATION_AFTER : GROVE__RELATION_CONCURRENT;
}

/* Whether V splits the union as a base does. */
static bool is_base(const graph_model *model, uint64_t base, uint64_t history_a,
                    uint64_t history_b)
{
    uint64_t history = model_history(model, base);
    if ((history & ~(history_a & history_b)) != 0) {
        return false;
    }
    for (uint32_t event = 0; event < model->count; event++) {
        bool is_after = ((history_a | history_b) & ~history) >> event & 1;
        if (is_after && (history & ~model->ancestors[event]) != 0) {
            return false;
        }
    }
    return true;
}

static void check_base(graph_subject *subject, const graph_model *model, uint64_t a,
                       uint64_t b, bool is_certain)
{
    model_clocks clocks_a = model_clocks_of(a);
    model_clocks clocks_b = model_clocks_of(b);
    uint64_t history_a = model_history(model, a);
    uint64_t history_b = model_history(model, b);
    grove__conflict conflict;
    grove_status status =
        grove__difference_base(&subject->walk, model_frontier(&clocks_a),
                               model_frontier(&clocks_b), &conflict, NULL);
    if (status != GROVE_OK) {
        check_needed(subject, status);
        cr_assert_not(is_certain);
        return;
    }
    uint64_t base = model_bits_of_frontier(conflict.base);
    cr_assert(is_base(model, base, history_a, history_b));
    uint64_t sides[4] = {0};
    for (size_t index = 0; index < conflict.range_count; index++) {
        const grove__sided_range *range = &conflict.ranges[index];
        cr_assert(range->from < range->end);
        cr_assert(index == 0 || range[-1].end < range->from ||
                  (range[-1].end == range->from && range[-1].side != range->side));
        sides[range->side] |= model_first(range->end) & ~model_first(range->from);
    }
    uint64_t after = ~model_history(model, base);
    cr_assert_eq(sides[GROVE__SIDE_A], history_a & ~history_b & after);
    cr_assert_eq(sides[GROVE__SIDE_B], history_b & ~history_a & after);
    cr_assert_eq(sides[GROVE__SIDE_BOTH], history_a & history_b & after);
    if (model->count > 5) {
        return;
    }
    for (uint64_t other = 0; other <= model_first(model->count); other++) {
        if (model_is_version(model, other) &&
            is_base(model, other, history_a, history_b)) {
            cr_assert_eq(model_history(model, other) & after, 0, "there is a newer base");
        }
    }
}

static void check_pair(graph_subject *subject, const graph_model *model, uint64_t a,
                       uint64_t b)
{
    model_clocks clocks_a = model_clocks_of(a);
    model_clocks clocks_b = model_clocks_of(b);
    uint64_t history_a = model_history(model, a);
    uint64_t history_b = model_history(model, b);
    uint64_t behind = model_first(subject->graph.base);
    /* Nothing is asked of what lies behind the base when both have it all. */
    bool is_certain = (behind & ~(history_a & history_b)) == 0;
    grove__ranges only_a;
    grove__ranges only_b;
    grove_status status =
        grove__difference_find(&subject->walk, model_frontier(&clocks_a),
                               model_frontier(&clocks_b), &only_a, &only_b, NULL);
    if (status == GROVE_OK) {
        model_check_ranges(only_a);
        model_check_ranges(only_b);
        cr_assert_eq(model_bits_of_ranges(only_a), history_a & ~history_b);
        cr_assert_eq(model_bits_of_ranges(only_b), history_b & ~history_a);
    } else {
        check_needed(subject, status);
        cr_assert_not(is_certain);
    }
    grove__relation relation;
    status = grove__difference_compare(&subject->walk, model_frontier(&clocks_a),
                                       model_frontier(&clocks_b), &relation, NULL);
    if (status == GROVE_OK) {
        cr_assert_eq(relation, relation_of(history_a, history_b));
    } else {
        check_needed(subject, status);
        cr_assert_not(is_certain);
    }
    check_base(subject, model, a, b, behind == 0);
}

static void check_all_pairs(const graph_model *model, void *context)
{
    (void)context;
    for (uint64_t base = 0; base <= model->count; base++) {
        graph_subject subject;
        subject_init(&subject, model, base, &grove__allocator_system);
        for (uint64_t a = 0; a <= model_first(model->count); a++) {
            for (uint64_t b = 0; b <= model_first(model->count); b++) {
                if (model_is_version(model, a) && model_is_version(model, b)) {
                    check_pair(&subject, model, a, b);
                }
            }
        }
        subject_release(&subject);
    }
}

Test(difference, every_pair_of_versions_of_every_graph_of_up_to_5_events)
{
    for (uint32_t count = 0; count <= 5; count++) {
        model_each(count, 0, check_all_pairs, NULL);
    }
}

Test(difference, random_pairs_of_random_graphs)
{
    test_random random = test_random_of("difference");
    for (uint32_t round = 0; round < 1000; round++) {
        graph_model model;
        model_random(&model, &random, 1 + (uint32_t)test_random_below(&random, 64), 3,
                     round % 10);
        uint64_t base = round % 2 == 0 ? 0 : test_random_below(&random, model.count + 1);
        graph_subject subject;
        subject_init(&subject, &model, base, &grove__allocator_system);
        uint64_t all = model_first(model.count);
        for (int pick = 0; pick < 8; pick++) {
            uint64_t a = test_random_next(&random) & test_random_next(&random) & all;
            uint64_t b = test_random_next(&random) & test_random_next(&random) & all;
            uint64_t part = model_first(test_random_below(&random, model.count + 1));
            check_pair(&subject, &model, model_reduce(&model, a),
                       model_reduce(&model, b));
            check_pair(&subject, &model, model_reduce(&model, a & part),
                       model_reduce(&model, all));
            check_pair(&subject, &model, model_reduce(&model, part),
                       model_reduce(&model, b & all));
        }
        subject_release(&subject);
    }
}

Test(difference, asking_again_with_the_needed_events_ends_in_an_answer)
{
    test_random random = test_random_of("needed");
    for (uint32_t round = 0; round < 500; round++) {
        graph_model model;
        model_random(&model, &random, 64, 3, 1 + round % 9);
        uint64_t base = test_random_below(&random, 65);
        model_clocks a = model_clocks_of(
            model_reduce(&model, test_random_next(&random) & test_random_next(&random)));
        model_clocks b = model_clocks_of(
            model_reduce(&model, test_random_next(&random) & test_random_next(&random)));
        for (;;) {
            graph_subject subject;
            subject_init(&subject, &model, base, &grove__allocator_system);
            grove__conflict conflict;
            grove_status status = grove__difference_base(
                &subject.walk, model_frontier(&a), model_frontier(&b), &conflict, NULL);
            grove__range needed = subject.walk.needed;
            subject_release(&subject);
            if (status == GROVE_OK) {
                break;
            }
            cr_assert_eq(status, GROVE_HISTORY_REMOVED);
            cr_assert_lt(needed.from, base);
            base = needed.from;
        }
    }
}

Test(difference, what_both_have_behind_the_base_is_not_asked_for)
{
    /* 0 <- 1 <- 4 and 0 <- 2 <- 3 lie behind the base. */
    graph_model model = {0};
    const uint64_t parents[] = {0, 1, 1, 4, 2};
    for (uint32_t event = 0; event < 5; event++) {
        model_add(&model, 0, parents[event]);
    }
    graph_subject subject;
    subject_init(&subject, &model, 5, &grove__allocator_system);
    const struct {
        uint64_t a[2];
        uint64_t b[2];
        size_t a_count;
        size_t b_count;
        uint64_t needed;
    } cases[] = {
        {{1}, {2}, 1, 1, 1},       {{1}, {1, 2}, 1, 2, 2}, {{1, 2}, {1, 3}, 2, 2, 2},
        {{2, 4}, {3, 4}, 2, 2, 2}, {{3}, {4}, 1, 1, 3},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        grove__ranges only_a;
        grove__ranges only_b;
        cr_assert_eq(grove__difference_find(
                         &subject.walk,
                         (grove__frontier){cases[index].a, cases[index].a_count},
                         (grove__frontier){cases[index].b, cases[index].b_count}, &only_a,
                         &only_b, NULL),
                     GROVE_HISTORY_REMOVED);
        cr_assert_eq(subject.walk.needed.from, cases[index].needed, "case %zu", index);
        cr_assert_eq(subject.walk.needed.end, 5);
    }
    subject_release(&subject);
}

Test(difference, the_history_of_a_version_is_in_few_ranges)
{
    /* Two branches from event 2: 3 to 5 and 6 to 9; 10 merges them. */
    graph_model model = {0};
    for (uint32_t event = 0; event < 10; event++) {
        uint64_t parent = event == 0 ? 0 : UINT64_C(1) << (event - 1);
        model_add(&model, event >= 6, event == 6 ? 4 : parent);
    }
    model_add(&model, 0, UINT64_C(1) << 5 | UINT64_C(1) << 9);
    graph_subject subject;
    subject_init(&subject, &model, 0, &grove__allocator_system);
    uint64_t clock = 8;
    grove__ranges history;
    cr_assert_eq(grove__difference_history(&subject.walk, (grove__frontier){&clock, 1},
                                           &history, NULL),
                 GROVE_OK);
    cr_assert_eq(history.count, 2);
    cr_assert(history.items[0].from == 0 && history.items[0].end == 3);
    cr_assert(history.items[1].from == 6 && history.items[1].end == 9);
    clock = 10;
    cr_assert_eq(grove__difference_history(&subject.walk, (grove__frontier){&clock, 1},
                                           &history, NULL),
                 GROVE_OK);
    cr_assert_eq(history.count, 1);
    cr_assert_eq(history.items[0].end, 11);
    subject_release(&subject);
}

Test(difference, a_walk_goes_on_when_a_smaller_graph_takes_the_place)
{
    graph_model model = {0};
    for (uint32_t event = 0; event < 9; event++) {
        model_add(&model, 0, event < 2 ? 0 : UINT64_C(1) << (event - 2));
    }
    graph_subject subject;
    subject_init(&subject, &model, 0, &grove__allocator_system);
    uint64_t a = 8;
    uint64_t b = 7;
    grove__relation relation;
    cr_assert_eq(grove__difference_compare(&subject.walk, (grove__frontier){&a, 1},
                                           (grove__frontier){&b, 1}, &relation, NULL),
                 GROVE_OK);
    graph_subject smaller;
    model.count = 2;
    subject_init(&smaller, &model, 0, &grove__allocator_system);
    grove__graph_release(&subject.graph);
    subject.graph = smaller.graph;
    smaller.graph = (grove__graph){0};
    subject_release(&smaller);
    a = 1;
    b = 0;
    cr_assert_eq(grove__difference_compare(&subject.walk, (grove__frontier){&a, 1},
                                           (grove__frontier){&b, 1}, &relation, NULL),
                 GROVE_OK);
    cr_assert_eq(relation, GROVE__RELATION_CONCURRENT);
    subject_release(&subject);
}

Test(difference, a_base_may_have_several_heads)
{
    /* 0 and 1 are roots; 2 and 3 both merge them. */
    graph_model model = {0};
    model_add(&model, 0, 0);
    model_add(&model, 1, 0);
    model_add(&model, 0, 3);
    model_add(&model, 1, 3);
    graph_subject subject;
    subject_init(&subject, &model, 0, &grove__allocator_system);
    uint64_t a = 2;
    uint64_t b = 3;
    grove__conflict conflict;
    cr_assert_eq(grove__difference_base(&subject.walk, (grove__frontier){&a, 1},
                                        (grove__frontier){&b, 1}, &conflict, NULL),
                 GROVE_OK);
    cr_assert_eq(model_bits_of_frontier(conflict.base), 3);
    cr_assert_eq(conflict.range_count, 2);
    cr_assert_eq(conflict.ranges[0].side, GROVE__SIDE_A);
    cr_assert_eq(conflict.ranges[1].side, GROVE__SIDE_B);
    subject_release(&subject);
}

Test(difference, a_failed_allocation_is_said_and_leaks_nothing)
{
    test_random random = {11};
    graph_model model;
    model_random(&model, &random, 60, 3, 8);
    model_clocks a = model_clocks_of(model_reduce(&model, 0x00ffff00ff00f0f));
    model_clocks b = model_clocks_of(model_reduce(&model, 0xf0f00f0f00ff000));
    for (size_t nth = 1;; nth++) {
        graph_subject subject;
        subject_init(&subject, &model, 0, &grove__allocator_system);
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        grove__walk walk;
        grove__walk_init(&walk, &subject.graph);
        walk.allocator = &faulty.allocator;
        grove__ranges only_a = {NULL, 99};
        grove__ranges only_b = {NULL, 99};
        grove__relation relation;
        grove__conflict conflict = {.range_count = 99};
        grove_status status = grove__difference_compare(
            &walk, model_frontier(&a), model_frontier(&b), &relation, NULL);
        if (status == GROVE_OK) {
            status = grove__difference_find(&walk, model_frontier(&a), model_frontier(&b),
                                            &only_a, &only_b, NULL);
            cr_assert(status == GROVE_OK || (only_a.count == 99 && only_b.count == 99));
        }
        if (status == GROVE_OK) {
            status = grove__difference_base(&walk, model_frontier(&a), model_frontier(&b),
                                            &conflict, NULL);
            cr_assert(status == GROVE_OK || conflict.range_count == 99);
        }
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        grove__walk_release(&walk);
        faulty_allocator_finish(&faulty);
        subject_release(&subject);
        if (!faulty.has_failed) {
            break;
        }
    }
}
