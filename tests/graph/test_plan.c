#include <criterion/criterion.h>

#include "graph/plan.h"
#include "model.h"
#include "support/faulty_allocator.h"

/* A plan for a set of a model's events, some of which are new. */
typedef struct plan_case {
    const graph_model *model;
    const graph_subject *subject;
    uint64_t set;
    grove__range new_events;
} plan_case;

static uint64_t new_of(const plan_case *given)
{
    return given->set & model_first(given->new_events.end) &
           ~model_first(given->new_events.from);
}

/* Where ranges are cut, so that none is of known events and new ones. */
static uint64_t cuts_of(const plan_case *given)
{
    uint64_t cuts = 0;
    if (given->new_events.from < MODEL_EVENTS_MAX) {
        cuts |= UINT64_C(1) << given->new_events.from;
    }
    if (given->new_events.end < MODEL_EVENTS_MAX) {
        cuts |= UINT64_C(1) << given->new_events.end;
    }
    return cuts;
}

/* The first events of all chains. */
static uint64_t firsts_of(const plan_case *given)
{
    uint64_t firsts = 0;
    for (uint32_t event = 0; event < given->model->count; event++) {
        if ((given->set >> event & 1) != 0 &&
            !model_follows(given->model, given->set, cuts_of(given), event)) {
            firsts |= UINT64_C(1) << event;
        }
    }
    return firsts;
}

/* The chain that an event is the first of, as a set. */
static uint64_t chain_of(const plan_case *given, uint64_t firsts, uint32_t first)
{
    uint32_t end = first + 1;
    while (end < given->model->count &&
           (given->set & ~firsts & (UINT64_C(1) << end)) != 0) {
        end++;
    }
    return model_first(end) & ~model_first(first);
}

/* How many chains come after one, itself too. */
static uint32_t weigh(const plan_case *given, uint64_t firsts, uint32_t first)
{
    uint32_t weight = 1;
    for (uint32_t other = 0; other < given->model->count; other++) {
        weight += (firsts >> other & 1) != 0 &&
                  (given->model->ancestors[other] >> first & 1) != 0;
    }
    return weight;
}

/* Of the chains whose parents have come: known before new, what became possible
 * last, what weighs least, what arrived first. */
static uint32_t choose(const plan_case *given, uint64_t firsts, uint64_t left,
                       const uint32_t *turns)
{
    uint32_t best = MODEL_EVENTS_MAX;
    uint64_t best_key = 0;
    for (uint32_t first = given->model->count; first-- > 0;) {
        if ((firsts & left & (UINT64_C(1) << first)) == 0 ||
            (given->model->parents[first] & left) != 0) {
            continue;
        }
        uint64_t is_known = 1 - (new_of(given) >> first & 1);
        uint64_t key = is_known << 32 | (uint64_t)turns[first] << 16 |
                       (0xffff - weigh(given, firsts, first));
        if (best == MODEL_EVENTS_MAX || key >= best_key) {
            best = first;
            best_key = key;
        }
    }
    return best;
}

/* Ranges of whole chains, the latest first, neighbours joined. */
static uint64_t bits_of(const plan_case *given, uint64_t firsts, grove__ranges ranges)
{
    uint64_t bits = model_bits_of_ranges(ranges);
    for (size_t index = 0; index < ranges.count; index++) {
        cr_assert(index == 0 || ranges.items[index].end < ranges.items[index - 1].from);
    }
    for (uint32_t first = 0; first < given->model->count; first++) {
        uint64_t chain = chain_of(given, firsts, first);
        cr_assert((firsts >> first & 1) == 0 || (bits & chain) == 0 ||
                  (bits & chain) == chain);
    }
    return bits;
}

/* What a step takes out and in is what lies between the two versions. */
static void check_moves(const plan_case *given, uint64_t firsts, uint64_t before,
                        const grove__plan_step *step)
{
    uint64_t parents = given->model->parents[step->events.from];
    uint64_t after = model_history(given->model, parents) & given->set;
    uint64_t leave = bits_of(given, firsts, step->leave);
    uint64_t enter = bits_of(given, firsts, step->enter);
    cr_assert_eq(leave & enter, 0);
    cr_assert_eq(leave, before & ~after, "%#llx", (unsigned long long)leave);
    cr_assert_eq(enter, after & ~before, "%#llx", (unsigned long long)enter);
}

static grove_status begin(const plan_case *given, grove__plan *plan)
{
    grove__range ranges[MODEL_EVENTS_MAX];
    size_t count = model_ranges_of(given->set, cuts_of(given), ranges);
    return grove__plan_begin(plan, &given->subject->graph, (grove__ranges){ranges, count},
                             given->new_events, NULL);
}

static void check(const plan_case *given, grove__plan *plan)
{
    const graph_model *model = given->model;
    uint64_t firsts = firsts_of(given);
    uint64_t left = given->set;
    uint64_t before = 0;
    uint32_t turns[MODEL_EVENTS_MAX] = {0};
    grove__plan_step step;
    cr_assert_eq(begin(given, plan), GROVE_OK);
    for (uint32_t turn = 1; left != 0; turn++) {
        cr_assert_eq(grove__plan_next(plan, &step, NULL), GROVE_OK);
        cr_assert(step.events.from < step.events.end && step.events.end <= model->count);
        uint64_t events = model_first(step.events.end) & ~model_first(step.events.from);
        bool is_new = (new_of(given) & events) != 0;
        cr_assert_eq(left & events, events, "no event comes twice");
        cr_assert_eq(model->parents[step.events.from] & left, 0, "parents come first");
        cr_assert(!is_new || (left & ~new_of(given)) == 0, "known events come first");
        cr_assert_eq(step.is_new, is_new);
        uint32_t first = choose(given, firsts, left, turns);
        cr_assert_eq(step.events.from, first, "%llu, not %u",
                     (unsigned long long)step.events.from, first);
        cr_assert_eq(events, chain_of(given, firsts, first));
        check_moves(given, firsts, before, &step);
        before = model_history(model, UINT64_C(1) << (step.events.end - 1)) & given->set;
        left &= ~events;
        for (uint32_t other = 0; other < model->count; other++) {
            if ((model->parents[other] & events) != 0) {
                turns[other] = turn;
            }
        }
    }
    step.events.from = 99;
    for (size_t again = 0; again < 2; again++) {
        cr_assert_eq(grove__plan_next(plan, &step, NULL), GROVE_NONE);
        cr_assert_eq(step.events.from, 99, "nothing is written");
    }
}

/* Whether all that lies between two events of the set is of it too, and no
 * known event has a new parent. */
static bool may_be_planned(const plan_case *given)
{
    const graph_model *model = given->model;
    uint64_t known = given->set & ~new_of(given);
    uint64_t before = model_history(model, given->set) & ~given->set;
    for (uint32_t event = 0; event < model->count; event++) {
        if (((before >> event & 1) != 0 && (model->ancestors[event] & given->set) != 0) ||
            ((known >> event & 1) != 0 && (model->parents[event] & new_of(given)) != 0)) {
            return false;
        }
    }
    return true;
}

static void check_all_sets(const graph_model *model, void *context)
{
    graph_subject subject;
    subject_init(&subject, model, 0, &grove__allocator_system);
    plan_case given = {.model = model, .subject = &subject};
    for (given.set = 0; given.set <= model_first(model->count); given.set++) {
        for (uint64_t from = 0; from <= model->count; from++) {
            for (uint64_t end = from; end <= model->count; end++) {
                given.new_events = (grove__range){from, end};
                if (may_be_planned(&given)) {
                    check(&given, context);
                }
            }
        }
    }
    subject_release(&subject);
}

Test(plan, every_set_of_every_graph_of_up_to_5_events_some_of_them_new)
{
    grove__plan plan;
    grove__plan_init(&plan, &grove__allocator_system);
    for (uint32_t count = 0; count <= 5; count++) {
        model_each(count, 30, check_all_sets, &plan);
    }
    grove__plan_release(&plan);
}

Test(plan, random_graphs)
{
    test_random random = test_random_of("plan");
    grove__plan plan;
    grove__plan_init(&plan, &grove__allocator_system);
    for (uint32_t round = 0; round < 3000; round++) {
        graph_model model;
        model_random(&model, &random, 1 + (uint32_t)test_random_below(&random, 64), 5,
                     round % 10);
        uint64_t base = round % 3 == 0 ? test_random_below(&random, model.count) : 0;
        graph_subject subject;
        subject_init(&subject, &model, base, &grove__allocator_system);
        plan_case given = {&model, &subject, model_first(model.count), {0, UINT64_MAX}};
        given.set &= ~model_first(base);
        check(&given, &plan);
        given.new_events.from = test_random_below(&random, model.count);
        check(&given, &plan);
        /* What comes after some version, and new ones that others follow. */
        given.set &=
            ~model_history(&model, test_random_next(&random) & test_random_next(&random) &
                                       model_first(base + 20));
        given.new_events.end = given.new_events.from + test_random_below(&random, 9);
        given.new_events.end += may_be_planned(&given) ? 0 : MODEL_EVENTS_MAX;
        check(&given, &plan);
        subject_release(&subject);
    }
    grove__plan_release(&plan);
}

/* --- named cases --- */

typedef struct text {
    char bytes[500];
    size_t size;
} text;

static void say(text *way, const char *before, grove__range range, const char *after)
{
    int size = range.end == range.from + 1
                   ? snprintf(way->bytes + way->size, sizeof way->bytes - way->size,
                              "%s%llu%s", before, (unsigned long long)range.from, after)
                   : snprintf(way->bytes + way->size, sizeof way->bytes - way->size,
                              "%s%llu..%llu%s", before, (unsigned long long)range.from,
                              (unsigned long long)range.end - 1, after);
    way->size += (size_t)size;
    cr_assert_lt(way->size, sizeof way->bytes);
}

/* Expects a way through all of a model's events: what is left (-), what is
 * entered (+), and chains, known ones in brackets. */
static void check_way(const graph_model *model, grove__range new_events,
                      const char *expected)
{
    graph_subject subject;
    subject_init(&subject, model, 0, &grove__allocator_system);
    plan_case given = {model, &subject, model_first(model->count), new_events};
    grove__plan plan;
    grove__plan_init(&plan, &grove__allocator_system);
    check(&given, &plan);
    cr_assert_eq(begin(&given, &plan), GROVE_OK);
    text way = {.size = 0};
    grove__plan_step step;
    while (grove__plan_next(&plan, &step, NULL) == GROVE_OK) {
        for (size_t index = 0; index < step.leave.count; index++) {
            say(&way, " -", step.leave.items[index], "");
        }
        for (size_t index = 0; index < step.enter.count; index++) {
            say(&way, " +", step.enter.items[index], "");
        }
        say(&way, step.is_new ? " " : " [", step.events, step.is_new ? "" : "]");
    }
    cr_assert_str_eq(way.bytes, expected);
    grove__plan_release(&plan);
    subject_release(&subject);
}

/* A parent; all of them. */
#define ON(event) (UINT64_C(1) << (event))
#define ALL_NEW ((grove__range){0, UINT64_MAX})

static graph_model model_of(const uint64_t *parents, uint32_t count)
{
    graph_model model = {0};
    for (uint32_t event = 0; event < count; event++) {
        model_add(&model, event % 2, parents[event]);
    }
    return model;
}

Test(plan, a_branch_is_left_and_entered_again_where_it_is_merged)
{
    /*  0 -- 1 ------- 4
     *   \            /
     *    2 -- 3 ----    */
    const uint64_t parents[] = {0, ON(0), ON(0), ON(2), ON(1) | ON(3)};
    graph_model model = model_of(parents, 5);
    check_way(&model, ALL_NEW, " 0 1 -1 2..3 +1 4");
}

Test(plan, two_that_take_turns_are_taken_one_after_the_other)
{
    /*  0 -- 1 -- 3 -- 5
     *   \
     *    2 -- 4 -- 6       */
    const uint64_t parents[] = {0, ON(0), ON(0), ON(1), ON(2), ON(3), ON(4)};
    graph_model model = model_of(parents, 7);
    check_way(&model, ALL_NEW, " 0 1 3 5 -5 -3 -1 2 4 6");
    /* When 5 and 6 alone are new, 6 is what became possible last. */
    check_way(&model, (grove__range){5, 7},
              " [0] [1] [3] -3 -1 [2] [4] 6 -6 -4 -2 +3 +1 5");
}

Test(plan, of_branches_the_one_that_less_comes_after_is_first)
{
    /*       2 -- 3
     *      /    /
     *  0 -- 1 --- 4
     *   \    \
     *    6    5       */
    const uint64_t parents[] = {0, ON(0), ON(0), ON(1) | ON(2), ON(1), ON(1), ON(0)};
    graph_model model = model_of(parents, 7);
    check_way(&model, ALL_NEW, " 0 6 -6 2 -2 1 +2 3 -2..3 4 -4 5");
}

Test(plan, known_events_come_first_whatever_they_weigh)
{
    /*  0 -- 1
     *   \
     *    2 -- 3 -- 5     2 has another child, 4
     *     \
     *      4              */
    const uint64_t parents[] = {0, ON(0), ON(0), ON(2), ON(2), ON(3)};
    graph_model model = model_of(parents, 6);
    check_way(&model, ALL_NEW, " 0 1 -1 2 4 -4 3 5");
    check_way(&model, (grove__range){1, 2}, " [0] [2] [4] -4 [3] [5] -5 -2..3 1");
}

Test(plan, two_roots_share_nothing)
{
    /*  0 -- 1 -- 4      2 -- 3 ---- 4 merges 1 and 3 */
    const uint64_t parents[] = {0, ON(0), 0, ON(2), ON(1) | ON(3)};
    graph_model model = model_of(parents, 5);
    check_way(&model, ALL_NEW, " 0..1 -0..1 2..3 +0..1 4");
}

Test(plan, a_failed_allocation_leaves_a_plan_that_can_begin_again)
{
    /* Enough chains, and enough ranges to leave, for arrays to grow. */
    graph_model model = {0};
    for (uint32_t event = 0; event < 60; event++) {
        model_add(&model, event % 3, event < 3 ? 0 : ON(event - 3));
    }
    model_add(&model, 0, ON(57) | ON(58) | ON(59));
    graph_subject subject;
    subject_init(&subject, &model, 0, &grove__allocator_system);
    plan_case given = {&model, &subject, model_first(61), {30, 61}};
    bool has_begun_and_failed = false;
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        grove__plan plan;
        grove__plan_init(&plan, &faulty.allocator);
        grove__plan_step step = {.events = {99, 99}};
        grove_status status = begin(&given, &plan);
        bool has_begun = status == GROVE_OK;
        while (status == GROVE_OK) {
            step.events.from = 99;
            status = grove__plan_next(&plan, &step, NULL);
        }
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_NONE);
        cr_assert_eq(step.events.from, 99, "nothing is written");
        has_begun_and_failed |= has_begun && faulty.has_failed;
        check(&given, &plan);
        grove__plan_release(&plan);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            break;
        }
    }
    cr_assert(has_begun_and_failed);
    subject_release(&subject);
}
