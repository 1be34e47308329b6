#include <criterion/criterion.h>

#include "model.h"
#include "support/faulty_allocator.h"

static grove__head head(uint64_t clock, uint32_t replica, uint64_t sequence)
{
    return (grove__head){clock, {model_replica(replica), sequence}, 0};
}

Test(graph, a_base_is_given_with_exactly_its_heads)
{
    const struct {
        const char *claim;
        uint64_t base;
        size_t count;
        grove__head heads[2];
        grove_status status;
    } cases[] = {
        {"no base, no heads", 0, 0, {{0}}, GROVE_OK},
        {"no base with a head", 0, 1, {head(0, 0, 0)}, GROVE_INVALID},
        {"a base without heads", 5, 0, {{0}}, GROVE_INVALID},
        {"one head", 5, 1, {head(4, 0, 0)}, GROVE_OK},
        {"the event before the base is no head", 5, 1, {head(3, 0, 0)}, GROVE_INVALID},
        {"a head at the base", 5, 1, {head(5, 0, 0)}, GROVE_INVALID},
        {"two heads", 5, 2, {head(0, 0, 0), head(4, 1, 0)}, GROVE_OK},
        {"not ascending", 5, 2, {head(4, 0, 0), head(0, 1, 0)}, GROVE_INVALID},
        {"twice the same clock", 5, 2, {head(4, 0, 0), head(4, 1, 0)}, GROVE_INVALID},
        {"twice the same id", 5, 2, {head(3, 0, 7), head(4, 0, 7)}, GROVE_INVALID},
        {"one replica, two branches", 5, 2, {head(3, 0, 7), head(4, 0, 5)}, GROVE_OK},
        {"no replica", 1, 1, {{0, {{0, {0}}, 0}, 0}}, GROVE_INVALID},
        {"greatest sequence",
         1,
         1,
         {head(0, 0, GROVE_DOCUMENT_EVENTS_MAX - 1)},
         GROVE_OK},
        {"sequence too great",
         1,
         1,
         {head(0, 0, GROVE_DOCUMENT_EVENTS_MAX)},
         GROVE_LIMIT},
        {"greatest base",
         GROVE_DOCUMENT_EVENTS_MAX - 1,
         1,
         {head(GROVE_DOCUMENT_EVENTS_MAX - 2, 0, 0)},
         GROVE_OK},
        {"base too great",
         GROVE_DOCUMENT_EVENTS_MAX,
         1,
         {head(GROVE_DOCUMENT_EVENTS_MAX - 1, 0, 0)},
         GROVE_LIMIT},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, 0);
        grove__graph graph = {0};
        grove_error error = {0};
        grove_status status =
            grove__graph_init(&graph, &faulty.allocator, cases[index].base,
                              cases[index].heads, cases[index].count, &error);
        cr_assert_eq(status, cases[index].status, "%s", cases[index].claim);
        if (status == GROVE_OK) {
            grove__frontier heads = grove__graph_heads(&graph);
            cr_assert_eq(heads.count, cases[index].count, "%s", cases[index].claim);
            cr_assert_eq(graph.end, cases[index].base);
        } else {
            cr_assert_null(graph.allocator, "%s: outputs touched", cases[index].claim);
            cr_assert_neq(error.message[0], '\0');
        }
        grove__graph_release(&graph);
        faulty_allocator_finish(&faulty);
    }
}

/* Runs, parents and heads after each event, against the model. */
static void check_structure(const graph_model *model, void *context)
{
    (void)context;
    graph_model grown = {0};
    graph_subject subject;
    subject_init(&subject, &grown, 0, &grove__allocator_system);
    for (uint32_t event = 0; event < model->count; event++) {
        model_add(&grown, model->replica[event], model->parents[event]);
        subject_add(&subject, model, event);
        uint64_t heads = model_reduce(&grown, model_first(grown.count));
        cr_assert_eq(grove__graph_head_count(&subject.graph),
                     (size_t)__builtin_popcountll(heads));
        cr_assert_eq(grove__graph_least_head(&subject.graph),
                     (uint64_t)__builtin_ctzll(heads));
        cr_assert_eq(grove__graph_has_one_head(&subject.graph), heads == UINT64_C(1)
                                                                             << event);
        for (uint32_t other = 0; other <= event; other++) {
            cr_assert_eq(grove__graph_is_head(&subject.graph, other),
                         (heads >> other & 1) != 0);
        }
        if (event % 2 == 0) {
            cr_assert_eq(model_bits_of_frontier(grove__graph_heads(&subject.graph)),
                         heads);
        }
    }
    uint32_t event = 0;
    for (size_t run = 0; run < subject.graph.run_count; run++) {
        grove__graph_view view = grove__graph_run_at(&subject.graph, run);
        cr_assert_eq(view.from, event);
        cr_assert(event == 0 || model->parents[event] != UINT64_C(1) << (event - 1),
                  "runs are as long as they can be");
        for (; event < view.end; event++) {
            uint64_t before;
            grove__frontier parents =
                grove__graph_parents(&subject.graph, event, &before);
            cr_assert_eq(model_bits_of_frontier(parents), model->parents[event]);
            cr_assert_eq(grove__graph_find(&subject.graph, event), run);
            for (size_t near = 0; near < subject.graph.run_count; near++) {
                cr_assert_eq(grove__graph_find_near(&subject.graph, event, near), run);
            }
        }
    }
    cr_assert_eq(event, model->count);
    subject_release(&subject);
}

Test(graph, every_graph_of_up_to_5_events_keeps_its_runs_and_heads)
{
    for (uint32_t count = 0; count <= 5; count++) {
        model_each(count, 0, check_structure, NULL);
    }
}

Test(graph, random_graphs_keep_their_runs_and_heads)
{
    test_random random = test_random_of("graph");
    for (uint32_t round = 0; round < 1000; round++) {
        graph_model model;
        model_random(&model, &random, 1 + round % 64, 3, round % 11);
        check_structure(&model, NULL);
    }
}

Test(graph, a_million_sequential_events_take_less_than_4_kib)
{
    faulty_allocator faulty;
    faulty_allocator_init(&faulty, 0);
    graph_subject subject;
    graph_model none = {0};
    subject_init(&subject, &none, 0, &faulty.allocator);
    size_t bytes_before = faulty.bytes;
    for (uint64_t event = 0; event < 1000000; event++) {
        uint64_t parent = event - 1;
        grove__arrival arrival = {subject.replicas[0], event, 1, {&parent, event > 0}, 0};
        grove__verdict verdict;
        cr_assert_eq(
            grove__arrival_add(&subject.graph, &subject.walk, &arrival, &verdict, NULL),
            GROVE_OK);
    }
    cr_assert_eq(subject.graph.end, 1000000);
    cr_assert_eq(subject.graph.run_count, 1);
    cr_assert_lt(faulty.bytes_peak, 4096, "%zu bytes at most, %zu before",
                 faulty.bytes_peak, bytes_before);
    subject_release(&subject);
    faulty_allocator_finish(&faulty);
}

Test(graph, many_heads_that_each_go_on_are_not_moved_each_time)
{
    enum { HEADS = 20000 };
    graph_subject subject;
    graph_model none = {0};
    subject_init(&subject, &none, 0, &grove__allocator_system);
    for (uint64_t event = 0; event < HEADS; event++) {
        cr_assert_eq(grove__graph_append(&subject.graph, subject.replicas[0], event, 1,
                                         (grove__frontier){NULL, 0}, 0, NULL),
                     GROVE_OK);
    }
    size_t slots_most = 0;
    for (uint64_t event = 0; event < 3 * HEADS; event++) {
        cr_assert_eq(grove__graph_append(&subject.graph, subject.replicas[0],
                                         HEADS + event, 1, (grove__frontier){&event, 1},
                                         0, NULL),
                     GROVE_OK);
        slots_most =
            subject.graph.head_slots > slots_most ? subject.graph.head_slots : slots_most;
        cr_assert_eq(grove__graph_head_count(&subject.graph), HEADS);
    }
    cr_assert_gt(slots_most, HEADS + HEADS / 4, "the slots are swept too often");
    cr_assert_leq(slots_most, 2 * HEADS + 1, "the slots are never swept");
    cr_assert_eq(grove__graph_least_head(&subject.graph), 3 * HEADS);
    cr_assert_eq(grove__graph_heads(&subject.graph).count, HEADS);
    subject_release(&subject);
}

Test(graph, its_own_heads_may_be_the_parents_and_do_not_move)
{
    for (uint64_t heads = 1; heads <= 40; heads++) {
        /* This allocator moves whatever grows. */
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, 0);
        graph_subject subject;
        graph_model none = {0};
        subject_init(&subject, &none, 0, &faulty.allocator);
        grove__graph *graph = &subject.graph;
        uint32_t replica = subject.replicas[0];
        for (uint64_t event = 0; event < heads; event++) {
            cr_assert_eq(grove__graph_append(graph, replica, 2 * event, 1,
                                             (grove__frontier){NULL, 0}, 0, NULL),
                         GROVE_OK);
        }
        grove__frontier parents = grove__graph_heads(graph);
        cr_assert(grove__graph_reserve(graph, replica, parents));
        cr_assert_eq(parents.clocks, grove__graph_heads(graph).clocks);
        size_t calls = faulty.calls;
        cr_assert_eq(grove__graph_append(graph, replica, 2 * heads, 1, parents, 0, NULL),
                     GROVE_OK);
        cr_assert_eq(faulty.calls, calls, "all room was there");
        cr_assert_eq(grove__graph_head_count(graph), 1);
        cr_assert_eq(grove__graph_least_head(graph), heads);
        uint64_t before;
        parents = grove__graph_parents(graph, heads, &before);
        cr_assert_eq(model_bits_of_frontier(parents), model_first(heads));
        subject_release(&subject);
        faulty_allocator_finish(&faulty);
    }
}

Test(graph, a_failed_allocation_changes_nothing)
{
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        grove__graph graph = {0};
        grove__head heads[] = {head(2, 0, 1), head(4, 1, 0)};
        grove_status status =
            grove__graph_init(&graph, &faulty.allocator, 5, heads, 2, NULL);
        cr_assert_eq(status == GROVE_OK, graph.allocator != NULL);
        uint64_t parents[] = {2, 4};
        for (uint64_t event = 0; event < 20 && status == GROVE_OK; event++) {
            size_t runs = graph.run_count;
            size_t head_count = grove__graph_head_count(&graph);
            status = grove__graph_append(&graph, 0, 2 + event, 1,
                                         (grove__frontier){parents, 2}, 0, NULL);
            cr_assert_eq(graph.end, 5 + event + (status == GROVE_OK));
            cr_assert_eq(graph.ids.end, graph.end);
            cr_assert_eq(graph.run_count, runs + (status == GROVE_OK));
            if (status != GROVE_OK) {
                cr_assert_eq(grove__graph_head_count(&graph), head_count);
            }
        }
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        grove__graph_release(&graph);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            break;
        }
    }
}

/* All events that are held, the heads of the base, and no others. */
static void check_times(const grove__graph *graph, const graph_model *model)
{
    uint64_t base_heads = model_reduce(model, model_first(graph->base));
    for (uint32_t event = 0; event < model->count; event++) {
        bool is_known = event >= graph->base || (base_heads >> event & 1) != 0;
        cr_assert_eq(grove__graph_time(graph, event), is_known ? model->time[event] : 0);
        model_clocks parents = model_clocks_of(model->parents[event]);
        for (size_t index = 0; index < parents.count; index++) {
            is_known = is_known && grove__graph_time(graph, parents.clocks[index]) > 0;
        }
        if (is_known) {
            cr_assert_eq(grove__graph_time_after(graph, model_frontier(&parents)),
                         model->time[event]);
        }
        const uint64_t before = graph->base - 1;
        uint64_t clocks[] = {event, before};
        if (graph->base > 0 && event < before && (base_heads >> event & 1) == 0) {
            cr_assert_eq(grove__graph_time_after(graph, (grove__frontier){clocks, 2}), 0);
        }
    }
    for (size_t run = 0; run < graph->run_count; run++) {
        grove__graph_view view = grove__graph_run_at(graph, run);
        cr_assert_eq(view.time, model->time[view.from]);
    }
}

Test(graph, keeps_the_lamport_times_of_what_it_holds)
{
    test_random random = test_random_of("graph times");
    for (int round = 0; round < 300; round++) {
        graph_model model;
        graph_subject subject;
        model_random(&model, &random, 40, 4, (uint32_t)round % 9);
        subject_init(&subject, &model, test_random_below(&random, 41),
                     &grove__allocator_system);
        check_times(&subject.graph, &model);
        subject_release(&subject);
    }
}

Test(graph, knows_no_times_where_none_are_kept)
{
    const grove__head heads[] = {head(0, 0, 0), head(2, 1, 0)};
    const uint64_t parents[] = {0, 2};
    grove__graph graph;
    cr_assert_eq(grove__graph_init(&graph, &grove__allocator_system, 3, heads, 2, NULL),
                 GROVE_OK);
    cr_assert_eq(
        grove__graph_append(&graph, 0, 1, 4, (grove__frontier){parents, 2}, 0, NULL),
        GROVE_OK);
    for (uint64_t clock = 0; clock < graph.end; clock++) {
        cr_assert_eq(grove__graph_time(&graph, clock), 0);
    }
    cr_assert_eq(grove__graph_time_after(&graph, (grove__frontier){parents, 2}), 0);
    cr_assert_eq(grove__graph_time_after(&graph, (grove__frontier){NULL, 0}), 1);
    grove__graph_release(&graph);
}
