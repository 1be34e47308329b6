#include <criterion/criterion.h>

#include "graph/chains.h"
#include "model.h"
#include "support/faulty_allocator.h"

/* Chains of a set of a model's events, in ranges that are cut. */
typedef struct chains_case {
    const graph_model *model;
    const graph_subject *subject;
    uint64_t set;
    uint64_t cuts;
    bool by_replica;
} chains_case;

static bool goes_on(const chains_case *given, uint32_t event)
{
    const graph_model *model = given->model;
    if (!model_follows(model, given->set, given->cuts, event)) {
        return false;
    }
    return !given->by_replica ||
           (model->replica[event] == model->replica[event - 1] &&
            model->sequence[event] == model->sequence[event - 1] + 1);
}

/* The chains are all events, each as long as it may be. */
static void check_pieces(const chains_case *given, const grove__chains *chains)
{
    uint64_t left = given->set;
    for (size_t index = 0; index < chains->count; index++) {
        const grove__chain *chain = &chains->items[index];
        cr_assert(chain->from < chain->end && chain->end <= given->model->count);
        for (uint64_t event = chain->from; event < chain->end; event++) {
            cr_assert_eq(left & model_first(event + 1), UINT64_C(1) << event,
                         "all events, ascending");
            cr_assert_eq(goes_on(given, (uint32_t)event), event > chain->from);
            left &= ~(UINT64_C(1) << event);
        }
        grove__graph_view run = grove__graph_run_at(&given->subject->graph, chain->run);
        cr_assert(run.from <= chain->from && chain->end <= run.end);
        if (given->by_replica) {
            uint32_t replica = given->model->replica[chain->from];
            cr_assert_eq(chain->replica, given->subject->replicas[replica]);
            cr_assert_eq(chain->sequence, given->model->sequence[chain->from]);
        }
    }
    cr_assert_eq(left, 0);
}

/* A first event's parents that are among the events are the ends of chains. */
static void check_parents(const chains_case *given, const grove__chains *chains)
{
    size_t edges = 0;
    for (size_t index = 0; index < chains->count; index++) {
        const grove__chain *chain = &chains->items[index];
        model_clocks parents =
            model_clocks_of(given->model->parents[chain->from] & given->set);
        cr_assert_eq(chain->parent_count, parents.count);
        cr_assert_eq(chain->parents, edges);
        for (size_t parent = 0; parent < parents.count; parent++) {
            uint32_t number = chains->parents[edges + parent];
            cr_assert_lt(number, index);
            cr_assert_eq(chains->items[number].end, parents.clocks[parent] + 1);
        }
        edges += parents.count;
    }
    cr_assert_eq(chains->edge_count, edges);
}

/* Whether a chain has another as its parent. */
static bool has_parent(const grove__chains *chains, uint32_t child, size_t parent)
{
    const grove__chain *chain = &chains->items[child];
    for (uint32_t index = 0; index < chain->parent_count; index++) {
        if (chains->parents[chain->parents + index] == parent) {
            return true;
        }
    }
    return false;
}

/* A chain's children are those that have it as a parent, each once. */
static void check_children(const grove__chains *chains)
{
    size_t edges = 0;
    for (size_t index = 0; index < chains->count; index++) {
        uint64_t children = 0;
        for (uint32_t edge = chains->items[index].first_edge; edge != GROVE__CHAIN_NONE;
             edge = chains->edges[edge].next) {
            uint32_t child = chains->edges[edge].chain;
            cr_assert_lt(child, chains->count);
            cr_assert_eq(children >> child & 1, 0);
            cr_assert(has_parent(chains, child, index));
            children |= UINT64_C(1) << child;
            edges++;
        }
    }
    cr_assert_eq(edges, chains->edge_count);
}

static bool make(const chains_case *given, grove__chains *chains)
{
    grove__range ranges[MODEL_EVENTS_MAX];
    size_t count = model_ranges_of(given->set, given->cuts, ranges);
    return grove__chains_make(chains, &given->subject->graph,
                              (grove__ranges){ranges, count}, given->by_replica);
}

static void check(const chains_case *given, grove__chains *chains)
{
    cr_assert(make(given, chains));
    check_pieces(given, chains);
    check_parents(given, chains);
    check_children(chains);
}

static void check_all_sets(const graph_model *model, void *context)
{
    graph_subject subject;
    subject_init(&subject, model, 0, &grove__allocator_system);
    chains_case given = {.model = model, .subject = &subject};
    for (uint64_t set = 0; set <= model_first(model->count); set++) {
        for (uint32_t cut = 0; cut <= model->count; cut++) {
            given.set = set;
            given.cuts = cut == model->count ? UINT64_MAX : UINT64_C(1) << cut;
            given.by_replica = false;
            check(&given, context);
            given.by_replica = true;
            check(&given, context);
        }
    }
    subject_release(&subject);
}

Test(chains, every_set_of_every_graph_of_up_to_5_events)
{
    grove__chains chains;
    grove__chains_init(&chains, &grove__allocator_system);
    for (uint32_t count = 0; count <= 5; count++) {
        /* By one replica, by two that take turns, and by three. */
        const uint32_t replicas[] = {0, 30, 9, 157};
        for (size_t index = 0; index < 4; index++) {
            model_each(count, replicas[index], check_all_sets, &chains);
        }
    }
    grove__chains_release(&chains);
}

Test(chains, random_graphs_in_whatever_order_they_arrived)
{
    test_random random = test_random_of("chains");
    grove__chains chains;
    grove__chains_init(&chains, &grove__allocator_system);
    for (uint32_t round = 0; round < 2000; round++) {
        graph_model made;
        graph_model model;
        uint32_t renamed[MODEL_EVENTS_MAX];
        model_random(&made, &random, 1 + (uint32_t)test_random_below(&random, 64), 5,
                     round % 10);
        model_shuffle(&made, &random, &model, renamed);
        uint64_t base = round % 3 == 0 ? test_random_below(&random, model.count) : 0;
        graph_subject subject;
        subject_init(&subject, &model, base, &grove__allocator_system);
        uint64_t all = model_first(model.count) & ~model_first(base);
        chains_case given = {&model, &subject, all, 0, round % 2 == 0};
        check(&given, &chains);
        given.set &= test_random_next(&random) | test_random_next(&random);
        given.cuts = test_random_next(&random) & test_random_next(&random);
        check(&given, &chains);
        subject_release(&subject);
    }
    grove__chains_release(&chains);
}

/* A parent. */
#define ON(event) (UINT64_C(1) << (event))

/* Expects the clocks at which chains begin. */
static void check_beginnings(const chains_case *given, uint64_t expected)
{
    grove__chains chains;
    grove__chains_init(&chains, &grove__allocator_system);
    check(given, &chains);
    uint64_t beginnings = 0;
    for (size_t index = 0; index < chains.count; index++) {
        beginnings |= UINT64_C(1) << chains.items[index].from;
    }
    cr_assert_eq(beginnings, expected, "%#llx", (unsigned long long)beginnings);
    grove__chains_release(&chains);
}

/*     0 1   3 4   clocks that follow without a space have the one before as
 *      \ \ /      only parent; 2 has none, 3 has 1 and 2, 5 has 1
 *     2 ---       */
static void make_pictured(graph_model *model)
{
    *model = (graph_model){0};
    model_add(model, 0, 0);
    model_add(model, 0, ON(0));
    model_add(model, 0, 0);
    model_add(model, 0, ON(1) | ON(2));
    model_add(model, 0, ON(3));
    model_add(model, 0, ON(1));
    model_add(model, 1, ON(5));
    model_add(model, 1, ON(6));
}

Test(chains, the_graph_in_the_header)
{
    graph_model model;
    make_pictured(&model);
    graph_subject subject;
    subject_init(&subject, &model, 0, &grove__allocator_system);
    chains_case given = {&model, &subject, model_first(8), 0, false};
    check_beginnings(&given, ON(0) | ON(2) | ON(3) | ON(5));
    /* 6 is the first of another replica. */
    given.by_replica = true;
    check_beginnings(&given, ON(0) | ON(2) | ON(3) | ON(5) | ON(6));
    /* Ranges that touch cut, wherever they do. */
    given.cuts = ON(1) | ON(2) | ON(7);
    check_beginnings(&given, model_first(8) & ~ON(4));
    subject_release(&subject);
}

Test(chains, children_that_are_not_asked_for_cut_nothing)
{
    /* 3 is a second child of 0, and 4 goes on from it in the same run. */
    graph_model model = {0};
    model_add(&model, 0, 0);
    model_add(&model, 0, ON(0));
    model_add(&model, 0, ON(1));
    model_add(&model, 0, ON(0));
    model_add(&model, 0, ON(3));
    graph_subject subject;
    subject_init(&subject, &model, 0, &grove__allocator_system);
    chains_case given = {&model, &subject, model_first(5), 0, false};
    check_beginnings(&given, ON(0) | ON(1) | ON(3));
    given.set = model_first(5) & ~ON(3);
    check_beginnings(&given, ON(0) | ON(4));
    subject_release(&subject);
}

Test(chains, a_failed_allocation_is_said_and_chains_can_be_made_again)
{
    /* A run of 32 events, and on every second of them another. */
    graph_model model = {0};
    for (uint32_t event = 0; event < 32; event++) {
        model_add(&model, 0, event == 0 ? 0 : ON(event - 1));
    }
    for (uint32_t event = 0; event < 32; event += 2) {
        model_add(&model, 1, ON(event));
    }
    graph_subject subject;
    subject_init(&subject, &model, 0, &grove__allocator_system);
    chains_case given = {&model, &subject, model_first(48), ON(7), true};
    chains_case uncut = {&model, &subject, model_first(32), 0, false};
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        grove__chains chains;
        grove__chains_init(&chains, &faulty.allocator);
        cr_assert_eq(make(&given, &chains), !faulty.has_failed);
        check(&uncut, &chains);
        grove__chains_release(&chains);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            /* Items, edges, parents, cuts and scratch, some grown. */
            cr_assert_gt(nth, 5);
            break;
        }
    }
    subject_release(&subject);
}

/* Shapes that turn careless searches quadratic. What they cost is counted. */
typedef enum shape {
    SHAPE_COMB,     /* a chain; on each of its events hangs another */
    SHAPE_LADDER,   /* both of two merge the two before them */
    SHAPE_BRANCHES, /* two that take turns and never merge */
    SHAPE_FAN,      /* all on the first event */
    SHAPES,
    SHAPE_CHAIN
} shape;

static grove__frontier parents_in(shape form, uint64_t clock, uint64_t *room)
{
    grove__frontier parents = {room, clock > 0};
    room[0] = clock - 1;
    if (form == SHAPE_COMB) {
        room[0] = clock % 2 == 1 || clock == 0 ? clock - 1 : clock - 2;
    } else if (form == SHAPE_LADDER && clock >= 4) {
        room[0] = clock / 2 * 2 - 2;
        room[1] = room[0] + 1;
        parents.count = 2;
    } else if (form == SHAPE_BRANCHES || form == SHAPE_LADDER) {
        room[0] = clock < 3 ? 0 : clock - 2;
    } else if (form == SHAPE_FAN) {
        room[0] = 0;
    }
    return parents;
}

typedef struct cost {
    uint64_t steps;
    uint64_t chains;
    uint64_t cuts;
} cost;

/* Some clocks of a graph as chains. */
static cost count_cost(const graph_subject *subject, grove__ranges clocks)
{
    grove__chains chains;
    grove__chains_init(&chains, &grove__allocator_system);
    cr_assert(grove__chains_make(&chains, &subject->graph, clocks, false));
    cost counted = {chains.steps, chains.count, chains.cut_count};
    grove__chains_release(&chains);
    return counted;
}

static cost count_shape(shape form, uint64_t count)
{
    graph_model none = {0};
    graph_subject subject;
    subject_init(&subject, &none, 0, &grove__allocator_system);
    for (uint64_t clock = 0; clock < count; clock++) {
        uint64_t room[2];
        (void)subject_append(&subject, clock % 2, 1, parents_in(form, clock, room));
    }
    grove__range all = {0, count};
    cost counted = count_cost(&subject, (grove__ranges){&all, 1});
    subject_release(&subject);
    return counted;
}

Test(chains, a_chain_is_one_piece_whoever_made_its_events)
{
    cost counted = count_shape(SHAPE_CHAIN, 4096);
    cr_assert_eq(counted.chains, 1);
    cr_assert_eq(counted.steps, 0);
}

Test(chains, parents_are_found_in_no_more_than_n_log_n_steps_on_any_shape)
{
    for (shape form = 0; form < SHAPES; form++) {
        cost few = count_shape(form, 4096);
        cost many = count_shape(form, UINT64_C(8) * 4096);
        cr_assert_geq(few.chains, 4000, "shape %d", (int)form);
        cr_assert_geq(few.steps, 4000, "shape %d", (int)form);
        cr_assert_leq(few.steps, UINT64_C(2) * 4096 * 13, "shape %d: %llu", (int)form,
                      (unsigned long long)few.steps);
        cr_assert_leq(many.steps, few.steps * 8 * 3 / 2, "shape %d: %llu, %llu",
                      (int)form, (unsigned long long)few.steps,
                      (unsigned long long)many.steps);
        cr_assert_leq(many.cuts, UINT64_C(2) * 8 * 4096, "one for each parent");
    }
}

enum { PARENTS = 100, PIECES = 1000 };

Test(chains, a_run_in_many_ranges_cuts_after_its_parents_once)
{
    /* Pairs of events; a run that merges the first of each, in pieces. */
    graph_model none = {0};
    graph_subject subject;
    subject_init(&subject, &none, 0, &grove__allocator_system);
    uint64_t parents[PARENTS];
    for (size_t index = 0; index < PARENTS; index++) {
        parents[index] = 2 * index;
        (void)subject_append(&subject, 0, 2, (grove__frontier){NULL, 0});
    }
    (void)subject_append(&subject, 0, UINT64_C(2) * PIECES,
                         (grove__frontier){parents, PARENTS});
    grove__range clocks[PIECES + 1] = {{0, UINT64_C(2) * PARENTS + 1}};
    for (size_t index = 1; index < PIECES; index++) {
        uint64_t from = UINT64_C(2) * (PARENTS + index);
        clocks[index] = (grove__range){from, from + 1};
    }
    cost counted = count_cost(&subject, (grove__ranges){clocks, PIECES});
    cr_assert_eq(counted.chains, 2 * PARENTS + PIECES);
    cr_assert_eq(counted.cuts, PARENTS);
    subject_release(&subject);
}
