/*
 * Large graphs of shapes that turn careless walks quadratic or worse. What a
 * walk costs is counted, in items that it takes, not timed.
 */
#include <criterion/criterion.h>

#include "model.h"

static grove__frontier one(const uint64_t *clock)
{
    return (grove__frontier){clock, 1};
}

static void start(graph_subject *subject)
{
    graph_model none = {0};
    subject_init(subject, &none, 0, &grove__allocator_system);
}

static uint64_t add(graph_subject *subject, uint32_t replica, grove__frontier parents)
{
    uint32_t number = subject->replicas[replica];
    grove__arrival arrival = {
        number, grove__ids_next_sequence(&subject->graph.ids, number), 1, parents, 0};
    grove__verdict verdict;
    cr_assert_eq(
        grove__arrival_add(&subject->graph, &subject->walk, &arrival, &verdict, NULL),
        GROVE_OK);
    return verdict.clock;
}

static uint64_t count_in(grove__ranges ranges)
{
    uint64_t count = 0;
    for (size_t index = 0; index < ranges.count; index++) {
        count += ranges.items[index].end - ranges.items[index].from;
    }
    return count;
}

/* Everything that can be asked of two heads; the costliest question's steps. */
static uint64_t ask_everything(graph_subject *subject, uint64_t a, uint64_t b)
{
    grove__walk *walk = &subject->walk;
    uint64_t most = 0;
    uint64_t before = walk->steps;
    bool contains;
    grove__relation relation;
    grove__ranges only_a;
    grove__ranges only_b;
    grove__conflict conflict;
    grove__frontier reduced;
    const uint64_t clocks[] = {a, b, a / 2, b / 2, 0};
    for (int question = 0; question < 7; question++) {
        grove_status status = GROVE_OK;
        switch (question) {
        case 0:
            status = grove__version_contains(walk, one(&a), 0, &contains, NULL);
            break;
        case 1:
            status = grove__version_contains(walk, one(&a), b, &contains, NULL);
            break;
        case 2:
            status = grove__difference_compare(walk, one(&a), one(&b), &relation, NULL);
            break;
        case 3:
            status =
                grove__difference_find(walk, one(&a), one(&b), &only_a, &only_b, NULL);
            break;
        case 4:
            status = grove__difference_base(walk, one(&a), one(&b), &conflict, NULL);
            break;
        case 5:
            status = grove__difference_history(walk, one(&a), &only_a, NULL);
            break;
        default:
            status = grove__version_reduce(walk, clocks, 5, &reduced, NULL);
            break;
        }
        cr_assert_eq(status, GROVE_OK);
        most = walk->steps - before > most ? walk->steps - before : most;
        before = walk->steps;
    }
    grove__range all = {0, subject->graph.end};
    cr_assert_eq(grove__order_make(&subject->order, &subject->graph,
                                   (grove__ranges){&all, 1}, NULL),
                 GROVE_OK);
    cr_assert_eq(count_in(grove__range_list_view(&subject->order.ranges)),
                 subject->graph.end);
    /* Each piece, and a search for each parent. */
    cr_assert_leq(subject->order.steps,
                  40 * (subject->graph.run_count + subject->graph.parent_count + 1));
    return most;
}

enum { BRANCH_EVENTS = 100000 };

Test(shapes, two_branches_of_100000_events_that_arrive_alternately)
{
    graph_subject subject;
    start(&subject);
    uint64_t heads[2];
    heads[0] = heads[1] = add(&subject, 0, (grove__frontier){NULL, 0});
    for (uint32_t event = 0; event < 2 * BRANCH_EVENTS; event++) {
        heads[event % 2] = add(&subject, event % 2, one(&heads[event % 2]));
    }
    /* The first event follows the root directly; all others do not. */
    cr_assert_eq(subject.graph.run_count, 2 * BRANCH_EVENTS);
    cr_assert_eq(subject.walk.steps, 0, "one parent needs no walk");
    cr_assert_leq(ask_everything(&subject, heads[0], heads[1]), 2 * BRANCH_EVENTS + 10);
    grove__conflict conflict;
    cr_assert_eq(grove__difference_base(&subject.walk, one(&heads[0]), one(&heads[1]),
                                        &conflict, NULL),
                 GROVE_OK);
    cr_assert_eq(conflict.base.count, 1);
    cr_assert_eq(conflict.base.clocks[0], 0);
    cr_assert_eq(conflict.range_count, 2 * BRANCH_EVENTS);
    /* One branch, then the other; only the root has a neighbour. */
    cr_assert_eq(subject.order.ranges.count, 2 * BRANCH_EVENTS);
    uint64_t steps = subject.walk.steps;
    (void)add(&subject, 2, grove__graph_heads(&subject.graph));
    cr_assert_eq(subject.walk.steps, steps, "heads are minimal without a walk");
    subject_release(&subject);
}

Test(shapes, two_branches_of_100000_events_one_after_the_other)
{
    graph_subject subject;
    start(&subject);
    uint64_t root = add(&subject, 0, (grove__frontier){NULL, 0});
    uint64_t heads[2] = {root, root};
    for (uint32_t event = 0; event < 2 * BRANCH_EVENTS; event++) {
        uint64_t *head = &heads[event / BRANCH_EVENTS];
        *head = add(&subject, event / BRANCH_EVENTS, one(head));
    }
    cr_assert_eq(subject.graph.run_count, 2);
    cr_assert_leq(ask_everything(&subject, heads[0], heads[1]), 10);
    subject_release(&subject);
}

Test(shapes, one_replica_on_two_branches_of_100000_events)
{
    /* The branches alternate in sequence and arrive one after the other: the
     * second fills the gaps of the first. */
    graph_subject subject;
    start(&subject);
    for (uint64_t branch = 0; branch < 2; branch++) {
        for (uint64_t event = 0; event < BRANCH_EVENTS; event++) {
            uint64_t parent = subject.graph.end - 1;
            grove__arrival arrival = {
                subject.replicas[0], 2 * event + branch, 1, {&parent, event > 0}, 0};
            grove__verdict verdict;
            cr_assert_eq(grove__arrival_add(&subject.graph, &subject.walk, &arrival,
                                            &verdict, NULL),
                         GROVE_OK);
        }
    }
    cr_assert_eq(subject.graph.run_count, 2);
    for (uint64_t sequence = 0; sequence < 2 * BRANCH_EVENTS; sequence++) {
        grove__id_span span;
        cr_assert(
            grove__ids_find(&subject.graph.ids, subject.replicas[0], sequence, &span));
        cr_assert_eq(span.clock, sequence / 2 + (sequence % 2) * BRANCH_EVENTS);
    }
    subject_release(&subject);
}

enum { HEADS = 1000 };

Test(shapes, a_thousand_heads_merged_at_once)
{
    graph_subject subject;
    start(&subject);
    uint64_t root = add(&subject, 0, (grove__frontier){NULL, 0});
    for (uint32_t round = 0; round < HEADS; round++) {
        uint64_t middle = add(&subject, 1, one(&root));
        (void)add(&subject, 2, one(&middle));
    }
    cr_assert_eq(grove__graph_head_count(&subject.graph), HEADS);
    uint64_t merge = add(&subject, 3, grove__graph_heads(&subject.graph));
    uint64_t after = add(&subject, 3, one(&merge));
    uint64_t aside = add(&subject, 4, one(&root));
    cr_assert_leq(ask_everything(&subject, after, aside), 4 * HEADS);
    subject_release(&subject);
}

Test(shapes, a_thousand_heads_merged_one_by_one)
{
    graph_subject subject;
    start(&subject);
    uint64_t roots[HEADS];
    for (uint32_t round = 0; round < HEADS; round++) {
        roots[round] = add(&subject, 1, (grove__frontier){NULL, 0});
    }
    uint64_t parents[2] = {roots[0], roots[1]};
    parents[1] = add(&subject, 2, (grove__frontier){parents, 2});
    for (uint32_t round = 2; round < HEADS; round++) {
        parents[0] = roots[round];
        parents[1] = add(&subject, 2, (grove__frontier){parents, 2});
    }
    cr_assert_eq(grove__graph_head_count(&subject.graph), 1);
    cr_assert_eq(subject.walk.steps, 0, "heads are minimal without a walk");
    cr_assert_leq(ask_everything(&subject, parents[1], roots[5]), 4 * HEADS);
    subject_release(&subject);
}

Test(shapes, versions_of_a_thousand_heads)
{
    graph_subject subject;
    start(&subject);
    static uint64_t a[HEADS];
    static uint64_t b[HEADS];
    uint64_t root = add(&subject, 0, (grove__frontier){NULL, 0});
    for (uint32_t head = 0; head < HEADS; head++) {
        a[head] = add(&subject, head % 4, one(&root));
        a[head] = add(&subject, head % 4, one(&a[head]));
    }
    for (uint32_t head = 0; head < HEADS; head++) {
        b[head] = add(&subject, head % 3, one(&a[head]));
    }
    grove__frontier version_a = {a, HEADS};
    grove__frontier version_b = {b, HEADS};
    grove__relation relation;
    grove__ranges only_a;
    grove__ranges only_b;
    grove__conflict conflict;
    cr_assert_eq(
        grove__difference_compare(&subject.walk, version_a, version_b, &relation, NULL),
        GROVE_OK);
    cr_assert_eq(relation, GROVE__RELATION_BEFORE);
    cr_assert_eq(grove__difference_find(&subject.walk, version_a, version_b, &only_a,
                                        &only_b, NULL),
                 GROVE_OK);
    cr_assert_eq(count_in(only_a), 0);
    cr_assert_eq(count_in(only_b), HEADS);
    cr_assert_eq(
        grove__difference_base(&subject.walk, version_a, version_b, &conflict, NULL),
        GROVE_OK);
    cr_assert_leq(subject.walk.steps, 20 * HEADS);
    subject_release(&subject);
}

enum { RUNGS = 10000 };

Test(shapes, a_ladder_of_10000_merges)
{
    graph_subject subject;
    start(&subject);
    uint64_t merge = add(&subject, 0, (grove__frontier){NULL, 0});
    uint64_t first = merge;
    for (uint32_t rung = 0; rung < RUNGS; rung++) {
        uint64_t sides[2];
        sides[0] = add(&subject, 0, one(&merge));
        sides[1] = add(&subject, 1, one(&merge));
        merge = add(&subject, rung % 3, (grove__frontier){sides, 2});
    }
    uint64_t aside = add(&subject, 2, one(&first));
    cr_assert_leq(subject.walk.steps, 0);
    cr_assert_leq(ask_everything(&subject, merge, aside), 4 * RUNGS + 10);
    /* Where the two sides of the newest rung part is near. */
    uint64_t steps = subject.walk.steps;
    uint64_t sides[2] = {merge - 2, merge - 1};
    grove__conflict conflict;
    cr_assert_eq(grove__difference_base(&subject.walk, one(&sides[0]), one(&sides[1]),
                                        &conflict, NULL),
                 GROVE_OK);
    cr_assert_eq(conflict.base.clocks[0], merge - 3);
    cr_assert_leq(subject.walk.steps - steps, 5);
    subject_release(&subject);
}

Test(shapes, a_crossed_ladder_of_10000_rungs)
{
    /* Both sides of a rung merge both sides of the one before: the paths to
     * the first rung are as many as 2 to the number of rungs. */
    graph_subject subject;
    start(&subject);
    uint64_t sides[2];
    sides[0] = add(&subject, 0, (grove__frontier){NULL, 0});
    sides[1] = add(&subject, 1, (grove__frontier){NULL, 0});
    for (uint32_t rung = 0; rung < RUNGS; rung++) {
        uint64_t next = add(&subject, 0, (grove__frontier){sides, 2});
        sides[1] = add(&subject, 1, (grove__frontier){sides, 2});
        sides[0] = next;
    }
    cr_assert_leq(subject.walk.steps, 4 * RUNGS);
    cr_assert_leq(ask_everything(&subject, sides[0], sides[1]), 8 * RUNGS);
    subject_release(&subject);
}
