#include <criterion/criterion.h>

#include "model.h"
#include "support/faulty_allocator.h"

static int compare_ids(const graph_model *model, uint32_t event, uint32_t other)
{
    grove_replica a = model_replica(model->replica[event]);
    grove_replica b = model_replica(model->replica[other]);
    int order = strncmp((const char *)a.bytes, (const char *)b.bytes, sizeof a.bytes);
    if (order != 0) {
        return order;
    }
    return (model->sequence[event] > model->sequence[other]) -
           (model->sequence[event] < model->sequence[other]);
}

/* Event by event: of those whose parents have come, the least id. */
static void put_in_order(const graph_model *model, uint64_t set, uint32_t *order_out)
{
    uint64_t left = set;
    while (left != 0) {
        uint32_t least = UINT32_MAX;
        for (uint32_t event = 0; event < model->count; event++) {
            if ((left >> event & 1) != 0 && (model->parents[event] & left) == 0 &&
                (least == UINT32_MAX || compare_ids(model, event, least) < 0)) {
                least = event;
            }
        }
        *order_out++ = least;
        left &= ~(UINT64_C(1) << least);
    }
}

static void check_order(graph_subject *subject, const graph_model *model, uint64_t set,
                        uint64_t cuts)
{
    grove__range ranges[MODEL_EVENTS_MAX];
    size_t count = model_ranges_of(set, cuts, ranges);
    cr_assert_eq(grove__order_make(&subject->order, &subject->graph,
                                   (grove__ranges){ranges, count}, NULL),
                 GROVE_OK);
    uint32_t expected[MODEL_EVENTS_MAX];
    put_in_order(model, set, expected);
    uint32_t at = 0;
    for (size_t index = 0; index < subject->order.ranges.count; index++) {
        grove__range range = subject->order.ranges.items[index];
        cr_assert(range.from < range.end);
        cr_assert(index == 0 || range.from != range.end ||
                  subject->order.ranges.items[index - 1].end != range.from);
        for (uint64_t event = range.from; event < range.end; event++) {
            cr_assert_eq(event, expected[at]);
            at++;
        }
    }
    cr_assert_eq(at, (uint32_t)__builtin_popcountll(set));
}

static void check_all_sets(const graph_model *model, void *context)
{
    (void)context;
    graph_subject subject;
    subject_init(&subject, model, 0, &grove__allocator_system);
    for (uint64_t set = 0; set <= model_first(model->count); set++) {
        check_order(&subject, model, set, UINT64_C(1) << 2);
    }
    subject_release(&subject);
}

Test(order, every_set_of_every_graph_of_up_to_5_events_by_up_to_3_replicas)
{
    for (uint32_t count = 0; count <= 4; count++) {
        for (uint32_t replicas = 0; replicas < 81; replicas++) {
            model_each(count, replicas, check_all_sets, NULL);
        }
    }
    for (uint32_t replicas = 0; replicas < 243; replicas += 7) {
        model_each(5, replicas, check_all_sets, NULL);
    }
}

Test(order, random_graphs_in_whatever_order_they_arrived)
{
    test_random random = test_random_of("order");
    for (uint32_t round = 0; round < 2000; round++) {
        graph_model model;
        graph_model shuffled;
        uint32_t renamed[MODEL_EVENTS_MAX];
        model_random(&model, &random, 1 + (uint32_t)test_random_below(&random, 64), 5,
                     round % 10);
        model_shuffle(&model, &random, &shuffled, renamed);
        graph_subject subject;
        subject_init(&subject, &shuffled, 0, &grove__allocator_system);
        check_order(&subject, &shuffled, model_first(shuffled.count), 0);
        uint64_t set = test_random_next(&random) & model_first(shuffled.count);
        check_order(&subject, &shuffled, set, UINT64_C(1) << 9);
        /* The same events in the same order, under other clocks. */
        uint32_t expected[MODEL_EVENTS_MAX];
        put_in_order(&model, model_first(model.count), expected);
        check_order(&subject, &shuffled, model_first(shuffled.count), 0);
        uint32_t at = 0;
        for (size_t index = 0; index < subject.order.ranges.count; index++) {
            grove__range range = subject.order.ranges.items[index];
            for (uint64_t event = range.from; event < range.end; event++) {
                cr_assert_eq(event, renamed[expected[at]]);
                at++;
            }
        }
        subject_release(&subject);
    }
}

Test(order, ranges_must_ascend_lie_inside_and_not_behind_the_base)
{
    graph_model model = {0};
    for (uint32_t event = 0; event < 6; event++) {
        model_add(&model, 0, event == 0 ? 0 : UINT64_C(1) << (event - 1));
    }
    graph_subject subject;
    subject_init(&subject, &model, 2, &grove__allocator_system);
    const struct {
        grove__range ranges[2];
        size_t count;
        grove_status status;
    } cases[] = {
        {{{0}}, 0, GROVE_OK},
        {{{2, 6}}, 1, GROVE_OK},
        {{{2, 3}, {3, 6}}, 2, GROVE_OK},
        {{{2, 7}}, 1, GROVE_INVALID},
        {{{3, 3}}, 1, GROVE_INVALID},
        {{{4, 3}}, 1, GROVE_INVALID},
        {{{2, 4}, {3, 5}}, 2, GROVE_INVALID},
        {{{4, 5}, {2, 3}}, 2, GROVE_INVALID},
        {{{1, 3}}, 1, GROVE_HISTORY_REMOVED},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        cr_assert_eq(grove__order_make(
                         &subject.order, &subject.graph,
                         (grove__ranges){cases[index].ranges, cases[index].count}, NULL),
                     cases[index].status, "case %zu", index);
    }
    subject_release(&subject);
}

Test(order, a_failed_allocation_is_said_and_leaks_nothing)
{
    test_random random = {5};
    graph_model model;
    model_random(&model, &random, 60, 3, 8);
    graph_subject subject;
    subject_init(&subject, &model, 0, &grove__allocator_system);
    grove__range all = {0, 60};
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        grove__order order;
        grove__order_init(&order, &faulty.allocator);
        grove_status status =
            grove__order_make(&order, &subject.graph, (grove__ranges){&all, 1}, NULL);
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        cr_assert_eq(order.ranges.count == 0, faulty.has_failed);
        grove__order_release(&order);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            break;
        }
    }
    subject_release(&subject);
}
