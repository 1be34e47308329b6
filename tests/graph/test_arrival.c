#include <criterion/criterion.h>

#include "model.h"
#include "support/faulty_allocator.h"

#define MAX GROVE_DOCUMENT_EVENTS_MAX

enum { END = 9 };

/*
 * The graph of the table below, as clock: replica/sequence <- parents.
 *
 *     0: 0/0    1: 0/1    2: 0/2     a run
 *     3: 1/0 <- 1    4: 1/1          a branch by replica 1
 *     5: 0/3 <- 2                    replica 0 went on, later
 *     6: 2/0 <- 4, 5                 the merge
 *     7: 0/6 <- 0                    replica 0 elsewhere, with a gap
 *     8: 0/7 <- 1                    and elsewhere again
 */
static void build(graph_subject *subject)
{
    graph_model model = {0};
    const uint64_t parents[] = {0, 1, 2, 2, 8, 4, 48, 1, 2};
    const uint32_t replicas[] = {0, 0, 0, 1, 1, 0, 2, 0, 0};
    for (uint32_t event = 0; event < END; event++) {
        if (event == 7) {
            model.next[0] = 6;
        }
        model_add(&model, replicas[event], parents[event]);
    }
    subject_init(subject, &model, 0, &grove__allocator_system);
}

typedef struct arrival_case {
    const char *claim;
    uint32_t replica;
    uint64_t sequence;
    uint64_t count;
    size_t parent_count;
    uint64_t parents[3];
    grove_status status;
    uint64_t known;
    uint64_t clock;
} arrival_case;

static const arrival_case cases[] = {
    {"a root", 3, 0, 5, 0, {0}, GROVE_OK, 0, END},
    {"parents in any order", 3, 0, 1, 2, {7, 6}, GROVE_OK, 0, END},
    {"a gap before", 1, 9, 1, 1, {4}, GROVE_OK, 0, END},
    {"into a gap", 0, 4, 2, 1, {5}, GROVE_OK, 0, END},
    {"no events", 3, 0, 0, 1, {7}, GROVE_INVALID, 0, 0},
    {"an unknown parent", 3, 0, 1, 2, {6, END}, GROVE_UNKNOWN_PARENT, 0, END},
    {"a parent from nowhere",
     3,
     0,
     1,
     1,
     {UINT64_MAX},
     GROVE_UNKNOWN_PARENT,
     0,
     UINT64_MAX},
    {"a parent twice", 3, 0, 1, 2, {7, 7}, GROVE_INVALID, 0, 0},
    {"a parent before another", 3, 0, 1, 2, {6, 0}, GROVE_INVALID, 0, 0},
    {"in the same run", 3, 0, 1, 2, {1, 2}, GROVE_INVALID, 0, 0},
    {"before the second of three", 3, 0, 1, 3, {1, 6, 7}, GROVE_INVALID, 0, 0},
    {"three that are not", 3, 0, 1, 3, {2, 3, 7}, GROVE_OK, 0, END},
    {"known whole", 0, 0, 3, 0, {0}, GROVE_DUPLICATE, 3, 0},
    {"known inside a run", 0, 1, 1, 1, {0}, GROVE_DUPLICATE, 1, 1},
    {"known over two runs", 0, 1, 3, 1, {0}, GROVE_DUPLICATE, 3, 1},
    {"a known merge", 2, 0, 1, 2, {5, 4}, GROVE_DUPLICATE, 1, 6},
    {"half known", 1, 1, 4, 1, {3}, GROVE_OK, 1, 4},
    {"half known over two runs", 0, 0, 5, 0, {0}, GROVE_OK, 4, 0},
    {"another parent", 1, 0, 1, 1, {2}, GROVE_REPLICA_REUSED, 0, 3},
    {"a parent less", 2, 0, 1, 1, {5}, GROVE_REPLICA_REUSED, 0, 6},
    {"a root that is none", 1, 1, 1, 0, {0}, GROVE_REPLICA_REUSED, 0, 4},
    {"no root that is one", 0, 0, 1, 1, {6}, GROVE_REPLICA_REUSED, 0, 0},
    {"known, but not that way", 0, 3, 4, 1, {2}, GROVE_REPLICA_REUSED, 3, 7},
    {"known after an unknown one", 0, 5, 2, 1, {5}, GROVE_REPLICA_REUSED, 1, 7},
    {"known by ids, not by parents", 0, 6, 2, 1, {0}, GROVE_REPLICA_REUSED, 1, 8},
    {"greatest sequence", 3, MAX - 1, 1, 0, {0}, GROVE_OK, 0, END},
    {"sequence too great", 3, MAX, 1, 0, {0}, GROVE_LIMIT, 0, 0},
    {"sequences too great", 3, MAX - 2, 3, 0, {0}, GROVE_LIMIT, 0, 0},
    {"sum overflows", 3, UINT64_MAX, 2, 0, {0}, GROVE_LIMIT, 0, 0},
    {"too many", 3, 0, UINT64_MAX, 0, {0}, GROVE_LIMIT, 0, 0},
    {"as many as fit", 3, 0, MAX - END, 0, {0}, GROVE_OK, 0, END},
    {"one more than fits", 3, 0, MAX - END + 1, 0, {0}, GROVE_LIMIT, 0, 0},
};

Test(arrival, each_run_gets_its_verdict)
{
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        const arrival_case *given = &cases[index];
        graph_subject subject;
        build(&subject);
        grove__arrival arrival = {subject.replicas[given->replica],
                                  given->sequence,
                                  given->count,
                                  {given->parents, given->parent_count},
                                  0};
        grove__verdict checked = {99, 99, 99};
        grove_error error = {0};
        cr_assert_eq(grove__arrival_check(&subject.walk, &arrival, &checked, &error),
                     given->status, "%s: %s", given->claim, error.message);
        grove__verdict added = {99, 99, 99};
        cr_assert_eq(
            grove__arrival_add(&subject.graph, &subject.walk, &arrival, &added, &error),
            given->status, "%s: added", given->claim);
        bool is_answered = given->status == GROVE_OK ||
                           given->status == GROVE_DUPLICATE ||
                           given->status == GROVE_REPLICA_REUSED ||
                           given->status == GROVE_UNKNOWN_PARENT;
        if (is_answered) {
            cr_assert_eq(checked.known, given->known, "%s: known", given->claim);
            cr_assert_eq(checked.clock, given->clock, "%s: clock", given->claim);
            cr_assert_eq(added.known, given->known, "%s: known", given->claim);
            cr_assert_eq(added.clock, given->status == GROVE_OK ? END : given->clock);
            cr_assert_eq(checked.parent, given->status == GROVE_UNKNOWN_PARENT
                                             ? given->parent_count - 1
                                             : 0);
        } else {
            cr_assert(checked.clock == 99 && added.clock == 99, "%s: untouched",
                      given->claim);
        }
        uint64_t end =
            given->status == GROVE_OK ? END + given->count - given->known : END;
        cr_assert_eq(subject.graph.end, end, "%s: end", given->claim);
        cr_assert_eq(subject.graph.ids.end, end);
        if (given->status != GROVE_OK) {
            cr_assert_neq(error.message[0], '\0');
        }
        subject_release(&subject);
    }
}

Test(arrival, the_rest_of_a_half_known_run_hangs_on_its_last_known_event)
{
    graph_subject subject;
    build(&subject);
    uint64_t parent = 3;
    grove__arrival arrival = {subject.replicas[1], 1, 4, {&parent, 1}, 0};
    grove__verdict verdict;
    cr_assert_eq(
        grove__arrival_add(&subject.graph, &subject.walk, &arrival, &verdict, NULL),
        GROVE_OK);
    uint64_t before;
    grove__frontier parents = grove__graph_parents(&subject.graph, END, &before);
    cr_assert_eq(parents.count, 1);
    cr_assert_eq(parents.clocks[0], 4);
    parents = grove__graph_parents(&subject.graph, END + 1, &before);
    cr_assert_eq(parents.clocks[0], END);
    cr_assert_eq(subject.graph.end, END + 3);
    cr_assert_eq(
        grove__arrival_add(&subject.graph, &subject.walk, &arrival, &verdict, NULL),
        GROVE_DUPLICATE);
    cr_assert_eq(verdict.known, 4);
    subject_release(&subject);
}

Test(arrival, the_graphs_own_heads_may_be_the_parents)
{
    graph_subject subject;
    graph_model none = {0};
    subject_init(&subject, &none, 0, &grove__allocator_system);
    grove__verdict verdict;
    for (uint64_t event = 0; event < 200; event++) {
        grove__arrival root = {subject.replicas[0], event, 1, {NULL, 0}, 0};
        cr_assert_eq(
            grove__arrival_add(&subject.graph, &subject.walk, &root, &verdict, NULL),
            GROVE_OK);
    }
    uint64_t steps = subject.walk.steps;
    for (uint64_t event = 0; event < 50; event++) {
        grove__arrival merge = {subject.replicas[1], event, 1,
                                grove__graph_heads(&subject.graph), 0};
        cr_assert_eq(
            grove__arrival_add(&subject.graph, &subject.walk, &merge, &verdict, NULL),
            GROVE_OK);
        cr_assert_eq(grove__graph_head_count(&subject.graph), 1);
    }
    cr_assert_eq(subject.walk.steps, steps, "heads are minimal without a walk");
    uint64_t before;
    cr_assert_eq(grove__graph_parents(&subject.graph, 200, &before).count, 200);
    subject_release(&subject);
}

Test(arrival, as_many_parents_as_the_limit_allows)
{
    graph_subject subject;
    graph_model none = {0};
    subject_init(&subject, &none, 0, &grove__allocator_system);
    static uint64_t parents[GROVE_EVENT_PARENTS_MAX + 1];
    grove__verdict verdict;
    for (uint64_t event = 0; event <= GROVE_EVENT_PARENTS_MAX; event++) {
        parents[event] = GROVE_EVENT_PARENTS_MAX - event;
        grove__arrival root = {subject.replicas[0], event, 1, {NULL, 0}, 0};
        cr_assert_eq(
            grove__arrival_add(&subject.graph, &subject.walk, &root, &verdict, NULL),
            GROVE_OK);
    }
    const grove_status statuses[] = {GROVE_LIMIT, GROVE_OK, GROVE_OK};
    for (size_t less = 0; less < 3; less++) {
        grove__arrival merge = {subject.replicas[1],
                                less,
                                1,
                                {parents, GROVE_EVENT_PARENTS_MAX + 1 - less},
                                0};
        cr_assert_eq(
            grove__arrival_add(&subject.graph, &subject.walk, &merge, &verdict, NULL),
            statuses[less]);
    }
    subject_release(&subject);
}

Test(arrival, behind_the_base_what_cannot_be_told_is_asked_for)
{
    /* 0 <- 1 and 0 <- 2 lie behind the base; 3 <- 1 does not. */
    graph_model model = {0};
    model_add(&model, 0, 0);
    model_add(&model, 0, 1);
    model_add(&model, 1, 1);
    model_add(&model, 0, 2);
    const struct {
        const char *claim;
        uint32_t replica;
        uint64_t sequence;
        uint64_t count;
        size_t parent_count;
        uint64_t parents[2];
        grove_status status;
        uint64_t needed;
    } given[] = {
        {"from a head of the base", 2, 0, 1, 1, {2}, GROVE_OK, 0},
        {"from behind the heads", 2, 0, 1, 1, {0}, GROVE_OK, 0},
        {"both heads", 2, 0, 1, 2, {1, 2}, GROVE_OK, 0},
        {"a head and its own child", 2, 0, 1, 2, {1, 3}, GROVE_INVALID, 0},
        {"another head and the child", 2, 0, 1, 2, {2, 3}, GROVE_OK, 0},
        {"something behind and a head", 2, 0, 1, 2, {0, 2}, GROVE_HISTORY_REMOVED, 1},
        {"something behind and the child", 2, 0, 1, 2, {0, 3}, GROVE_HISTORY_REMOVED, 1},
        {"the head itself", 1, 0, 1, 1, {0}, GROVE_DUPLICATE, 0},
        {"the head and more", 1, 0, 3, 1, {0}, GROVE_OK, 0},
        {"what lies before a head", 0, 0, 2, 0, {0}, GROVE_HISTORY_REMOVED, 0},
    };
    for (size_t index = 0; index < sizeof given / sizeof *given; index++) {
        graph_subject subject;
        subject_init(&subject, &model, 3, &grove__allocator_system);
        grove__arrival arrival = {subject.replicas[given[index].replica],
                                  given[index].sequence,
                                  given[index].count,
                                  {given[index].parents, given[index].parent_count},
                                  0};
        grove__verdict verdict;
        cr_assert_eq(
            grove__arrival_add(&subject.graph, &subject.walk, &arrival, &verdict, NULL),
            given[index].status, "%s", given[index].claim);
        if (given[index].status == GROVE_HISTORY_REMOVED) {
            cr_assert_eq(subject.walk.needed.from, given[index].needed);
            cr_assert_eq(subject.walk.needed.end, 3);
            cr_assert_eq(subject.graph.end, 4);
        }
        subject_release(&subject);
    }
}

/* The longest run of events that goes on from `event` by ids and parents. */
static uint32_t find_chain(const graph_model *model, uint32_t event, uint32_t *chain)
{
    uint32_t count = 1;
    chain[0] = event;
    for (uint32_t next = event + 1; next < model->count; next++) {
        uint32_t last = chain[count - 1];
        if (model->replica[next] == model->replica[last] &&
            model->sequence[next] == model->sequence[last] + 1 &&
            model->parents[next] == UINT64_C(1) << last) {
            chain[count++] = next;
        }
    }
    return count;
}

Test(arrival, runs_cut_anywhere_and_sent_again_make_the_same_graph)
{
    test_random random = test_random_of("arrival");
    for (uint32_t round = 0; round < 1000; round++) {
        graph_model model;
        model_random(&model, &random, 60, 4, 1 + round % 6);
        graph_model none = {0};
        graph_subject subject;
        subject_init(&subject, &none, 0, &grove__allocator_system);
        uint64_t clocks[MODEL_EVENTS_MAX];
        uint64_t done = 0;
        while (done != model_first(model.count)) {
            uint32_t event = (uint32_t)test_random_below(&random, model.count);
            if ((model.parents[event] & ~done) != 0) {
                continue;
            }
            uint32_t chain[MODEL_EVENTS_MAX];
            uint32_t length = find_chain(&model, event, chain);
            uint32_t count = 1 + (uint32_t)test_random_below(&random, length);
            uint32_t known = 0;
            while (known < count && (done >> chain[known] & 1) != 0) {
                known++;
            }
            model_clocks parents = model_clocks_of(model.parents[event]);
            for (size_t index = 0; index < parents.count; index++) {
                parents.clocks[index] = clocks[parents.clocks[index]];
            }
            grove__arrival arrival = {subject.replicas[model.replica[event]],
                                      model.sequence[event], count,
                                      model_frontier(&parents), 0};
            grove__verdict verdict;
            uint64_t end = subject.graph.end;
            grove_status status = grove__arrival_add(&subject.graph, &subject.walk,
                                                     &arrival, &verdict, NULL);
            cr_assert_eq(status, known == count ? GROVE_DUPLICATE : GROVE_OK);
            cr_assert_eq(verdict.known, known);
            cr_assert_eq(verdict.clock, known == count ? clocks[event] : end);
            for (uint32_t index = known; index < count; index++) {
                clocks[chain[index]] = end + index - known;
                done |= UINT64_C(1) << chain[index];
            }
        }
        for (uint32_t event = 0; event < model.count; event++) {
            uint64_t before;
            grove__frontier found =
                grove__graph_parents(&subject.graph, clocks[event], &before);
            uint64_t expected = 0;
            for (uint32_t parent = 0; parent < event; parent++) {
                if ((model.parents[event] >> parent & 1) != 0) {
                    expected |= UINT64_C(1) << clocks[parent];
                }
            }
            cr_assert_eq(model_bits_of_frontier(found), expected);
        }
        subject_release(&subject);
    }
}

Test(arrival, a_failed_allocation_changes_nothing)
{
    graph_model model;
    test_random random = {23};
    model_random(&model, &random, 40, 3, 7);
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        grove__graph graph;
        cr_assert_eq(grove__graph_init(&graph, &faulty.allocator, 0, NULL, 0, NULL),
                     GROVE_OK);
        grove__walk walk;
        grove__walk_init(&walk, &graph);
        grove_status status = GROVE_OK;
        for (uint32_t event = 0; event < model.count && status == GROVE_OK; event++) {
            grove_replica name = model_replica(model.replica[event]);
            model_clocks parents = model_clocks_of(model.parents[event]);
            grove__arrival arrival = {0, model.sequence[event], 1,
                                      model_frontier(&parents), 0};
            status = grove__ids_intern(&graph.ids, &name, &arrival.replica, NULL);
            grove__verdict verdict;
            if (status == GROVE_OK) {
                status = grove__arrival_add(&graph, &walk, &arrival, &verdict, NULL);
            }
            cr_assert_eq(graph.end, event + (status == GROVE_OK));
        }
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        grove__walk_release(&walk);
        grove__graph_release(&graph);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            break;
        }
    }
}
