/*
 * Plans for graphs too large for a model: ways that are right, short, and found
 * in few steps. What they cost is counted, not timed.
 */
#include <criterion/criterion.h>

#include "base/checked.h"
#include "graph/plan.h"
#include "model.h"

static void start(graph_subject *subject)
{
    graph_model none = {0};
    subject_init(subject, &none, 0, &grove__allocator_system);
}

enum { WIDE_EVENTS = 2000, WIDE_WORDS = (WIDE_EVENTS + 63) / 64, WIDE_HEADS = 9 };

/* A set of events of a graph that is too large for a model. */
typedef struct wide_set {
    uint64_t words[WIDE_WORDS];
} wide_set;

static bool has(const wide_set *set, uint64_t event)
{
    return (set->words[event / 64] >> event % 64 & 1) != 0;
}

static void join(wide_set *set, const wide_set *other)
{
    for (size_t word = 0; word < WIDE_WORDS; word++) {
        set->words[word] |= other->words[word];
    }
}

/* Takes events into a set, or out of it; none was there, or all were. */
static void move(wide_set *set, grove__ranges ranges, bool enters)
{
    for (size_t index = 0; index < ranges.count; index++) {
        for (uint64_t event = ranges.items[index].from; event < ranges.items[index].end;
             event++) {
            cr_assert_eq(has(set, event), !enters);
            set->words[event / 64] ^= UINT64_C(1) << event % 64;
        }
    }
}

/* Branches that merge one another; each event's history, itself too. */
static void make_wide(graph_subject *subject, test_random *random, wide_set *histories)
{
    uint64_t heads[WIDE_HEADS];
    uint64_t root = subject_append(subject, 0, 1, (grove__frontier){NULL, 0});
    histories[root] = (wide_set){{1}};
    for (size_t head = 0; head < WIDE_HEADS; head++) {
        heads[head] = root;
    }
    for (uint32_t event = 1; event < WIDE_EVENTS; event++) {
        uint64_t *head = &heads[test_random_below(random, WIDE_HEADS)];
        uint64_t other = heads[test_random_below(random, WIDE_HEADS)];
        uint64_t parents[] = {*head, *head};
        size_t count = 1;
        if (test_random_below(random, 3) > 0 || has(&histories[*head], other)) {
            /* It goes on with its branch alone. */
        } else if (has(&histories[other], *head)) {
            parents[0] = other;
        } else {
            parents[other > *head] = other;
            count = 2;
        }
        *head = subject_append(subject, event % 3, 1, (grove__frontier){parents, count});
        histories[event] = histories[parents[0]];
        join(&histories[event], &histories[parents[count - 1]]);
        histories[event].words[event / 64] |= UINT64_C(1) << event % 64;
    }
}

/* Follows a plan for all events; those from a clock on are new. */
static void check_wide(const graph_subject *subject, const wide_set *histories,
                       uint64_t new_from)
{
    grove__plan plan;
    grove__plan_init(&plan, &grove__allocator_system);
    grove__range parts[] = {{0, new_from}, {new_from, WIDE_EVENTS}};
    cr_assert_eq(grove__plan_begin(&plan, &subject->graph, (grove__ranges){parts, 2},
                                   parts[1], NULL),
                 GROVE_OK);
    cr_assert_gt(plan.chains.count, 256);
    wide_set at = {{0}};
    wide_set done = {{0}};
    uint64_t total = 0;
    grove__plan_step step;
    while (grove__plan_next(&plan, &step, NULL) == GROVE_OK) {
        move(&at, step.leave, false);
        move(&at, step.enter, true);
        wide_set expected = {{0}};
        uint64_t before;
        grove__frontier parents =
            grove__graph_parents(&subject->graph, step.events.from, &before);
        for (size_t index = 0; index < parents.count; index++) {
            cr_assert(has(&done, parents.clocks[index]));
            join(&expected, &histories[parents.clocks[index]]);
        }
        cr_assert_arr_eq(&at, &expected, sizeof at);
        cr_assert_eq(step.is_new, total >= new_from, "known events come first");
        cr_assert_eq(step.is_new, step.events.from >= new_from);
        move(&done, (grove__ranges){&step.events, 1}, true);
        at = histories[step.events.end - 1];
        total += step.events.end - step.events.from;
    }
    cr_assert_eq(total, WIDE_EVENTS);
    grove__plan_release(&plan);
}

Test(plan_large, random_graphs_of_more_chains_than_are_weighed_one_by_one)
{
    test_random random = test_random_of("large plan");
    static wide_set histories[WIDE_EVENTS];
    for (uint32_t round = 0; round < 5; round++) {
        graph_subject subject;
        start(&subject);
        make_wide(&subject, &random, histories);
        check_wide(&subject, histories, 1 + test_random_below(&random, WIDE_EVENTS - 1));
        subject_release(&subject);
    }
}

/* --- shapes --- */

static uint64_t add_root(graph_subject *subject)
{
    return subject_append(subject, 0, 1, (grove__frontier){NULL, 0});
}

static uint64_t add(graph_subject *subject, uint64_t count, uint64_t parent)
{
    return subject_append(subject, 0, count, (grove__frontier){&parent, 1});
}

static uint64_t add_merge(graph_subject *subject, uint64_t count, uint64_t a, uint64_t b)
{
    uint64_t parents[] = {grove__min_u64(a, b), grove__max_u64(a, b)};
    return subject_append(subject, 0, count, (grove__frontier){parents, 2});
}

static uint64_t count_in(grove__ranges ranges)
{
    uint64_t count = 0;
    for (size_t index = 0; index < ranges.count; index++) {
        count += ranges.items[index].end - ranges.items[index].from;
    }
    return count;
}

typedef struct cost {
    uint64_t moved; /* events left and entered */
    size_t chains;
    size_t edges;
    uint64_t chain_steps;
    uint64_t plan_steps;
} cost;

/* Begins a plan for all events. */
static void begin(grove__plan *plan, const graph_subject *subject)
{
    grove__range all = {0, subject->graph.end};
    grove__plan_init(plan, &grove__allocator_system);
    cr_assert_eq(
        grove__plan_begin(plan, &subject->graph, (grove__ranges){&all, 1}, all, NULL),
        GROVE_OK);
}

/* What a plan for all events costs. */
static cost count_cost(const graph_subject *subject)
{
    grove__plan plan;
    begin(&plan, subject);
    cost counted = {0, plan.chains.count, plan.chains.edge_count, plan.chains.steps, 0};
    uint64_t events = 0;
    grove__plan_step step;
    while (grove__plan_next(&plan, &step, NULL) == GROVE_OK) {
        counted.moved += count_in(step.leave) + count_in(step.enter);
        events += step.events.end - step.events.from;
    }
    cr_assert_eq(events, subject->graph.end);
    counted.plan_steps = plan.steps;
    grove__plan_release(&plan);
    return counted;
}

/* How many events are left and entered when taken as they arrived. */
static uint64_t count_moved_as_stored(graph_subject *subject)
{
    uint64_t moved = 0;
    for (size_t index = 1; index < subject->graph.run_count; index++) {
        grove__graph_view run = grove__graph_run_at(&subject->graph, index);
        uint64_t before = run.from - 1;
        grove__ranges leave;
        grove__ranges enter;
        cr_assert_eq(grove__difference_find(&subject->walk, (grove__frontier){&before, 1},
                                            run.parents, &leave, &enter, NULL),
                     GROVE_OK);
        moved += count_in(leave) + count_in(enter);
    }
    return moved;
}

enum { ROUNDS = 300, TYPED = 5 };

/* A main line and two long branches, at which three write at once. The
 * branches merge the line often; the line merges them too, or never. */
static void make_branches(graph_subject *subject, bool merges_back)
{
    start(subject);
    uint64_t line = add_root(subject);
    uint64_t branches[] = {add(subject, TYPED, line), add(subject, TYPED, line)};
    line = add(subject, TYPED, line);
    for (size_t round = 0; round < ROUNDS; round++) {
        line = add(subject, TYPED, line);
        for (size_t index = 0; index < 2; index++) {
            uint64_t *branch = &branches[index];
            *branch = round % (5 + 2 * index) == 4
                          ? add_merge(subject, TYPED, *branch, line)
                          : add(subject, TYPED, *branch);
            if (merges_back && round % 10 == 4 + 5 * index) {
                line = add_merge(subject, TYPED, line, *branch);
            }
        }
    }
}

Test(plan_large, long_branches_are_seldom_left)
{
    for (size_t merges_back = 0; merges_back < 2; merges_back++) {
        graph_subject subject;
        make_branches(&subject, merges_back == 1);
        cost counted = count_cost(&subject);
        uint64_t as_stored = count_moved_as_stored(&subject);
        uint64_t bound = 3 * subject.graph.end;
        cr_assert_leq(counted.moved, bound, "%llu", (unsigned long long)counted.moved);
        cr_assert_gt(as_stored, bound * (merges_back == 1 ? 3 : 50), "%llu",
                     (unsigned long long)as_stored);
        subject_release(&subject);
    }
}

enum { TEETH = 500, ROUNDS_OF_SMALL = 10 };

Test(plan_large, of_many_chains_those_of_the_smaller_branch_are_first)
{
    /* Two combs on one root; the smaller one's events arrive among those of
     * the larger one. */
    graph_subject subject;
    start(&subject);
    uint64_t large = add_root(&subject);
    uint64_t small = large;
    static bool is_small[1 + 2 * TEETH + 2 * (TEETH / ROUNDS_OF_SMALL)];
    uint64_t small_count = 0;
    for (size_t tooth = 0; tooth < TEETH; tooth++) {
        large = add(&subject, 1, large);
        (void)add(&subject, 1, large);
        if (tooth % ROUNDS_OF_SMALL == 0) {
            small = add(&subject, 1, small);
            is_small[small] = true;
            is_small[add(&subject, 1, small)] = true;
            small_count += 2;
        }
    }
    grove__plan plan;
    begin(&plan, &subject);
    cr_assert_gt(plan.chains.count, 256);
    grove__plan_step step;
    /* The newest two are one chain. */
    for (uint64_t index = 0; index < small_count; index++) {
        cr_assert_eq(grove__plan_next(&plan, &step, NULL), GROVE_OK);
        cr_assert_eq(is_small[step.events.from], index > 0, "step %llu",
                     (unsigned long long)index);
    }
    grove__plan_release(&plan);
    subject_release(&subject);
}

enum { LONG = 1000 };

Test(plan_large, up_to_256_chains_are_counted_and_of_more_the_events)
{
    for (uint64_t count = 254; count <= 259; count++) {
        graph_subject subject;
        start(&subject);
        uint64_t root = add_root(&subject);
        uint64_t parent = add(&subject, 1, root);
        (void)add(&subject, 1, parent);
        (void)add(&subject, 1, parent);
        uint64_t long_from = subject.graph.end;
        (void)add(&subject, LONG, root);
        while (subject.graph.end < long_from + LONG + count - 5) {
            (void)add(&subject, 1, root);
        }
        grove__plan plan;
        begin(&plan, &subject);
        cr_assert_eq(plan.chains.count, count);
        uint64_t order[300];
        grove__plan_step step;
        for (size_t index = 0; index < count; index++) {
            cr_assert_eq(grove__plan_next(&plan, &step, NULL), GROVE_OK);
            order[index] = step.events.from;
        }
        if (count <= 256) {
            cr_assert_eq(order[1], long_from, "one chain");
            cr_assert_eq(order[count - 3], parent, "three chains");
        } else {
            cr_assert_eq(order[count - 1], long_from, "most events");
        }
        grove__plan_release(&plan);
        subject_release(&subject);
    }
}

enum { HEADS = 1000, RUNGS = 10000, BRANCH_EVENTS = 100000 };

typedef void make_shape(graph_subject *subject);

static void make_ladder(graph_subject *subject)
{
    uint64_t merge = add_root(subject);
    for (size_t rung = 0; rung < RUNGS; rung++) {
        uint64_t a = add(subject, 1, merge);
        merge = add_merge(subject, 1, a, add(subject, 1, merge));
    }
}

static void make_crossed_ladder(graph_subject *subject)
{
    uint64_t a = add_root(subject);
    uint64_t b = add_root(subject);
    for (size_t rung = 0; rung < RUNGS; rung++) {
        uint64_t next = add_merge(subject, 1, a, b);
        b = add_merge(subject, 1, a, b);
        a = next;
    }
}

static void make_alternating(graph_subject *subject)
{
    uint64_t heads[2];
    heads[0] = heads[1] = add_root(subject);
    for (size_t event = 0; event < 2 * BRANCH_EVENTS; event++) {
        heads[event % 2] = add(subject, 1, heads[event % 2]);
    }
}

static void make_one_after_the_other(graph_subject *subject)
{
    uint64_t root = add_root(subject);
    (void)add(subject, BRANCH_EVENTS, root);
    (void)add(subject, BRANCH_EVENTS, root);
}

static void make_merged_at_once(graph_subject *subject)
{
    uint64_t root = add_root(subject);
    for (size_t head = 0; head < HEADS; head++) {
        (void)add(subject, 1, add(subject, 1, root));
    }
    (void)subject_append(subject, 1, 1, grove__graph_heads(&subject->graph));
    (void)add(subject, 1, root);
}

/* Each merge reaches back behind all merges before it. */
static void make_merged_one_by_one(graph_subject *subject)
{
    for (size_t head = 0; head < HEADS; head++) {
        (void)add_root(subject);
    }
    uint64_t merge = 0;
    for (uint64_t head = 1; head < HEADS; head++) {
        merge = add_merge(subject, 1, head, merge);
    }
}

Test(plan_large, takes_a_few_steps_for_each_chain_and_parent_on_any_shape)
{
    static const struct {
        const char *name;
        make_shape *make;
        size_t chains;
    } shapes[] = {
        {"ladder", make_ladder, 3 * RUNGS + 1},
        {"crossed ladder", make_crossed_ladder, 2 * RUNGS + 2},
        {"alternating", make_alternating, 2 * BRANCH_EVENTS + 1},
        {"one after the other", make_one_after_the_other, 3},
        {"merged at once", make_merged_at_once, HEADS + 3},
        {"merged one by one", make_merged_one_by_one, 2 * HEADS - 1},
    };
    for (size_t index = 0; index < sizeof shapes / sizeof *shapes; index++) {
        graph_subject subject;
        start(&subject);
        shapes[index].make(&subject);
        cost counted = count_cost(&subject);
        cr_assert_eq(counted.chains, shapes[index].chains, "%s: %zu", shapes[index].name,
                     counted.chains);
        cr_assert_gt(counted.plan_steps, 0);
        cr_assert_leq(counted.plan_steps, 2 * (counted.chains + counted.edges),
                      "%s: %llu", shapes[index].name,
                      (unsigned long long)counted.plan_steps);
        /* Up to 18 to find what is far enough, and as many to find it there. */
        cr_assert_leq(counted.chain_steps, 36 * counted.edges, "%s: %llu",
                      shapes[index].name, (unsigned long long)counted.chain_steps);
        subject_release(&subject);
    }
}
