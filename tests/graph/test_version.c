#include <criterion/criterion.h>

#include "model.h"
#include "graph/version.h"
#include "support/faulty_allocator.h"

static void check_needed(const graph_subject *subject, grove_status status)
{
    cr_assert_eq(status, GROVE_HISTORY_REMOVED);
    cr_assert_lt(subject->walk.needed.from, subject->graph.base);
    cr_assert_eq(subject->walk.needed.end, subject->graph.base);
}

/* What contains, reduce and is_minimal say of one set of events. */
static void check_set(graph_subject *subject, const graph_model *model, uint64_t set)
{
    uint64_t base = subject->graph.base;
    model_clocks clocks = model_clocks_of(set);
    grove__frontier given = model_frontier(&clocks);
    bool is_version = model_is_version(model, set);
    bool is_minimal = false;
    grove_status status =
        grove__version_is_minimal(&subject->walk, given, &is_minimal, NULL);
    if (status == GROVE_OK) {
        cr_assert_eq(is_minimal, is_version);
    } else {
        check_needed(subject, status);
    }
    cr_assert(status == GROVE_OK || clocks.clocks[0] < base);
    grove__frontier reduced;
    status = grove__version_reduce(&subject->walk, clocks.clocks, clocks.count, &reduced,
                                   NULL);
    if (status == GROVE_OK) {
        cr_assert_eq(model_bits_of_frontier(reduced), model_reduce(model, set));
    } else {
        check_needed(subject, status);
    }
    cr_assert(status == GROVE_OK || clocks.clocks[0] < base);
    if (!is_version) {
        return;
    }
    uint64_t history = model_history(model, set);
    for (uint32_t event = 0; event < model->count; event++) {
        bool contains = false;
        status = grove__version_contains(&subject->walk, given, event, &contains, NULL);
        if (status == GROVE_OK) {
            cr_assert_eq(contains, (history >> event & 1) != 0);
        } else {
            check_needed(subject, status);
            cr_assert_lt(event, base);
            cr_assert_eq(subject->walk.needed.from, event + 1);
        }
    }
}

static void check_all_sets(const graph_model *model, void *context)
{
    (void)context;
    for (uint64_t base = 0; base <= model->count; base++) {
        graph_subject subject;
        subject_init(&subject, model, base, &grove__allocator_system);
        for (uint64_t set = 0; set <= model_first(model->count); set++) {
            check_set(&subject, model, set);
        }
        subject_release(&subject);
    }
}

Test(version, every_set_of_every_graph_of_up_to_5_events_behind_every_base)
{
    for (uint32_t count = 0; count <= 5; count++) {
        model_each(count, 0, check_all_sets, NULL);
    }
}

Test(version, random_sets_of_random_graphs)
{
    test_random random = test_random_of("version");
    for (uint32_t round = 0; round < 1000; round++) {
        graph_model model;
        model_random(&model, &random, 1 + (uint32_t)test_random_below(&random, 64), 3,
                     round % 10);
        uint64_t base = round % 2 == 0 ? 0 : test_random_below(&random, model.count + 1);
        graph_subject subject;
        subject_init(&subject, &model, base, &grove__allocator_system);
        for (int pick = 0; pick < 8; pick++) {
            uint64_t set = test_random_next(&random) & test_random_next(&random) &
                           model_first(model.count);
            check_set(&subject, &model, set);
            check_set(&subject, &model, model_reduce(&model, set));
        }
        subject_release(&subject);
    }
}

Test(version, what_has_all_heads_of_the_base_has_all_behind_it)
{
    /* 0 <- 1 and 0 <- 2; from the base on 3 <- 1, 2 and 4 <- 1. */
    graph_model model = {0};
    model_add(&model, 0, 0);
    model_add(&model, 0, 1);
    model_add(&model, 1, 1);
    model_add(&model, 0, 6);
    model_add(&model, 1, 2);
    graph_subject subject;
    subject_init(&subject, &model, 3, &grove__allocator_system);
    const struct {
        uint64_t version;
        uint64_t clock;
        grove_status status;
        bool contains;
    } cases[] = {
        {3, 0, GROVE_OK, true},
        {3, 1, GROVE_OK, true},
        {4, 1, GROVE_OK, true},
        {4, 2, GROVE_OK, false},
        {2, 1, GROVE_OK, false},
        {4, 3, GROVE_OK, false},
        {4, 0, GROVE_HISTORY_REMOVED, false},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        bool contains = false;
        grove_error error = {0};
        cr_assert_eq(grove__version_contains(&subject.walk,
                                             (grove__frontier){&cases[index].version, 1},
                                             cases[index].clock, &contains, &error),
                     cases[index].status);
        cr_assert_eq(contains, cases[index].contains, "case %zu", index);
    }
    cr_assert_eq(subject.walk.needed.from, 1);
    cr_assert_eq(subject.walk.needed.end, 3);
    subject_release(&subject);
}

Test(version, behind_the_base_only_what_is_open_is_asked_for)
{
    /* 0 <- 1 <- 2 <- 3 and 0 <- 4 lie behind the base. */
    graph_model model = {0};
    for (uint32_t event = 0; event < 4; event++) {
        model_add(&model, 0, event == 0 ? 0 : UINT64_C(1) << (event - 1));
    }
    model_add(&model, 1, 1);
    graph_subject subject;
    subject_init(&subject, &model, 5, &grove__allocator_system);
    const struct {
        uint64_t clocks[3];
        size_t count;
        grove_status status;
        uint64_t version;
        uint64_t needed;
    } cases[] = {
        {{2}, 1, GROVE_OK, 4, 0},
        {{1, 3}, 2, GROVE_HISTORY_REMOVED, 0, 2},
        {{1, 2, 3}, 3, GROVE_HISTORY_REMOVED, 0, 2},
        {{3, 4}, 2, GROVE_OK, 24, 0},
        {{0, 3, 4}, 3, GROVE_OK, 24, 0},
        {{2, 4}, 2, GROVE_HISTORY_REMOVED, 0, 3},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        grove__frontier version;
        cr_assert_eq(grove__version_reduce(&subject.walk, cases[index].clocks,
                                           cases[index].count, &version, NULL),
                     cases[index].status, "case %zu", index);
        if (cases[index].status == GROVE_OK) {
            cr_assert_eq(model_bits_of_frontier(version), cases[index].version);
        } else {
            cr_assert_eq(subject.walk.needed.from, cases[index].needed);
        }
    }
    subject_release(&subject);
}

Test(version, clocks_that_are_heads_but_for_the_greatest_need_no_walk)
{
    graph_model model = {0};
    model_add(&model, 0, 0);
    model_add(&model, 0, 0);
    model_add(&model, 0, 2);
    model_add(&model, 0, 4);
    graph_subject subject;
    subject_init(&subject, &model, 0, &grove__allocator_system);
    const uint64_t clocks[] = {0, 2};
    bool is_minimal = false;
    cr_assert_eq(grove__version_is_minimal(&subject.walk, (grove__frontier){clocks, 2},
                                           &is_minimal, NULL),
                 GROVE_OK);
    cr_assert(is_minimal);
    cr_assert_eq(subject.walk.steps, 0);
    subject_release(&subject);
}

Test(version, reduce_takes_any_order_and_repetition)
{
    graph_model model = {0};
    model_add(&model, 0, 0);
    model_add(&model, 0, 1);
    model_add(&model, 1, 1);
    graph_subject subject;
    subject_init(&subject, &model, 0, &grove__allocator_system);
    const uint64_t clocks[] = {2, 0, 1, 2, 1, 0};
    grove__frontier version;
    cr_assert_eq(grove__version_reduce(&subject.walk, clocks, 6, &version, NULL),
                 GROVE_OK);
    cr_assert_eq(model_bits_of_frontier(version), 6);
    cr_assert_eq(grove__version_reduce(&subject.walk, NULL, 0, &version, NULL), GROVE_OK);
    cr_assert_eq(version.count, 0);
    subject_release(&subject);
}

Test(version, sort_gives_clocks_ascending_and_refuses_a_pair)
{
    graph_model none = {0};
    graph_subject subject;
    subject_init(&subject, &none, 0, &grove__allocator_system);
    const uint64_t clocks[] = {5, 1, 9, 0, 7, 1};
    grove__frontier sorted = {NULL, 99};
    cr_assert_eq(grove__version_sort(&subject.walk, clocks, 6, &sorted, NULL),
                 GROVE_INVALID);
    cr_assert_eq(sorted.count, 99);
    cr_assert_eq(grove__version_sort(&subject.walk, clocks, 5, &sorted, NULL), GROVE_OK);
    cr_assert_eq(sorted.count, 5);
    cr_assert_eq(model_bits_of_frontier(sorted), 0x2a3);
    cr_assert_eq(grove__version_sort(&subject.walk, clocks, 0, &sorted, NULL), GROVE_OK);
    cr_assert_eq(sorted.count, 0);
    subject_release(&subject);
}

Test(version, a_failed_allocation_is_said_and_leaks_nothing)
{
    test_random random = {7};
    graph_model model;
    model_random(&model, &random, 60, 3, 8);
    uint64_t all = model_reduce(&model, model_first(60));
    model_clocks clocks = model_clocks_of(model_first(60));
    model_clocks heads = model_clocks_of(all);
    uint64_t shuffled[] = {9, 3, 5};
    for (size_t nth = 1;; nth++) {
        graph_subject subject;
        subject_init(&subject, &model, 0, &grove__allocator_system);
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        grove__walk walk;
        grove__walk_init(&walk, &subject.graph);
        walk.allocator = &faulty.allocator;
        grove__frontier found = {NULL, 99};
        bool answer;
        grove_status status =
            grove__version_contains(&walk, model_frontier(&heads), 0, &answer, NULL);
        if (status == GROVE_OK) {
            status = grove__version_sort(&walk, shuffled, 3, &found, NULL);
        }
        if (status == GROVE_OK) {
            status = grove__version_reduce(&walk, clocks.clocks, 60, &found, NULL);
        }
        if (status == GROVE_OK) {
            cr_assert_eq(model_bits_of_frontier(found), all);
            status =
                grove__version_is_minimal(&walk, model_frontier(&clocks), &answer, NULL);
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
