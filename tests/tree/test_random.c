/*
 * Random programs of several replicas, each with a tree of its own: events
 * come in random batches, snapshots are taken in between, some of which forget
 * what nothing that comes can need; and every tree is as the oracle says.
 */
#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "program.h"
#include "support/faulty_allocator.h"

static tree_program program;

typedef struct random_run {
    uint32_t replicas;
    grove__tree *trees[ORACLE_REPLICAS_MAX];
    /* The same events in trees that never were a snapshot. */
    grove__tree *twins[ORACLE_REPLICAS_MAX];
    uint64_t settled[ORACLE_REPLICAS_MAX];
    test_random *random;
    size_t forgotten; /* places that only a twin still has */
} random_run;

static uint32_t below(const random_run *run, uint32_t bound)
{
    return (uint32_t)test_random_below(run->random, bound);
}

static void begin(random_run *run, test_random *random)
{
    memset(run, 0, sizeof *run);
    program_clear(&program);
    run->random = random;
    run->replicas = 2 + below(run, ORACLE_REPLICAS_MAX - 1);
    for (uint32_t replica = 0; replica < run->replicas; replica++) {
        run->trees[replica] = program_tree(&grove__allocator_system);
        run->twins[replica] = program_tree(&grove__allocator_system);
    }
}

static void end(const random_run *run)
{
    for (uint32_t replica = 0; replica < run->replicas; replica++) {
        grove__tree_free(run->trees[replica]);
        grove__tree_free(run->twins[replica]);
    }
}

static void edit(const random_run *run, uint32_t replica)
{
    uint32_t event = program_draw(&program, replica, run->random);
    cr_assert_eq(program_apply(&program, run->trees[replica], &event, 1, NULL), GROVE_OK);
    cr_assert_eq(program_apply(&program, run->twins[replica], &event, 1, NULL), GROVE_OK);
}

/* What another knows and the replica does not, in a random causal order, up to
 * `most` events. */
static uint32_t draw_missing(const random_run *run, uint32_t replica, uint32_t from,
                             uint32_t most, uint32_t *events_out)
{
    uint32_t count = 0;
    oracle_set known = program.known[replica];
    bool is_more = true;
    while (is_more && count < most) {
        uint32_t start = below(run, program.oracle.count);
        is_more = false;
        for (uint32_t step = 0; !is_more && step < program.oracle.count; step++) {
            uint32_t event = (start + step) % program.oracle.count;
            if (oracle_has(&program.known[from], event) && !oracle_has(&known, event) &&
                oracle_is_within(&program.oracle.events[event].past, &known)) {
                events_out[count++] = event;
                oracle_include(&known, event);
                is_more = true;
            }
        }
    }
    return count;
}

static void exchange(const random_run *run, uint32_t replica, uint32_t from,
                     uint32_t most)
{
    static uint32_t events[ORACLE_EVENTS_MAX];
    uint32_t count =
        program.oracle.count == 0 ? 0 : draw_missing(run, replica, from, most, events);
    for (uint32_t index = 0; index < count;) {
        uint32_t some = 1 + below(run, count - index);
        cr_assert_eq(
            program_apply(&program, run->trees[replica], events + index, some, NULL),
            GROVE_OK);
        for (; some > 0; some--, index++) {
            cr_assert_eq(
                program_apply(&program, run->twins[replica], events + index, 1, NULL),
                GROVE_OK);
            oracle_include(&program.known[replica], events[index]);
        }
    }
}

/* Whether all events up to a time, and one of it, are known to a set, so that
 * what is made with this knowledge is later. */
static bool knows_until(const oracle_set *set, uint64_t time)
{
    bool is_there = false;
    for (uint32_t event = 0; event < program.oracle.count; event++) {
        if (program.oracle.events[event].time <= time && !oracle_has(set, event)) {
            return false;
        }
        is_there = is_there || program.oracle.events[event].time == time;
    }
    return is_there;
}

/* Whether nothing that comes to a replica is concurrent with an event up to a
 * time: neither what others will make, nor what is on its way. */
static bool is_settled(const random_run *run, uint32_t replica, uint64_t time)
{
    for (uint32_t other = 0; other < run->replicas; other++) {
        if (!knows_until(&program.known[other], time)) {
            return false;
        }
    }
    for (uint32_t event = 0; event < program.oracle.count; event++) {
        if (!oracle_has(&program.known[replica], event) &&
            !knows_until(&program.oracle.events[event].past, time)) {
            return false;
        }
    }
    return true;
}

/* Mostly all is forgotten that may be. */
static void reload(random_run *run, uint32_t replica)
{
    uint64_t settled = 0;
    while (is_settled(run, replica, settled + 1)) {
        settled++;
    }
    if (below(run, 4) == 0) {
        settled = below(run, (uint32_t)settled + 1);
    }
    if (settled > run->settled[replica]) {
        run->settled[replica] = settled;
    }
    program_reload(&run->trees[replica], settled);
}

/* All get to know all, and some forget what is settled by that. */
static void meet(random_run *run)
{
    for (uint32_t replica = 1; replica < run->replicas; replica++) {
        exchange(run, 0, replica, UINT32_MAX);
    }
    for (uint32_t replica = 1; replica < run->replicas; replica++) {
        exchange(run, replica, 0, UINT32_MAX);
    }
    for (uint32_t replica = 0; replica < run->replicas; replica++) {
        if (below(run, 2) == 0) {
            reload(run, replica);
        }
    }
}

static void expect_same_bytes(const grove__tree *tree, const grove__tree *other,
                              uint64_t settled)
{
    grove_type_buffers snapshots[2];
    program_encode(tree, settled, &snapshots[0]);
    program_encode(other, settled, &snapshots[1]);
    cr_assert(grove__bytes_equal(grove_buffer_view(&snapshots[0].structure),
                                 grove_buffer_view(&snapshots[1].structure)));
    cr_assert(grove__bytes_equal(grove_buffer_view(&snapshots[0].content),
                                 grove_buffer_view(&snapshots[1].content)));
    program_release(&snapshots[0]);
    program_release(&snapshots[1]);
}

/* The tree, and what was loaded now and then, are as the oracle says. */
static void check(random_run *run, uint32_t replica)
{
    static oracle_state expected;
    const oracle_set *known = &program.known[replica];
    const tree_digest digest = program_digest(run->twins[replica]);
    oracle_make(&program.oracle, known, &expected);
    oracle_compare(&program.oracle, known, &expected, run->trees[replica]);
    oracle_compare(&program.oracle, known, &expected, run->twins[replica]);
    cr_assert(program_is_digest(run->trees[replica], &digest));
    run->forgotten += run->twins[replica]->place_count - run->trees[replica]->place_count;
    expect_same_bytes(run->trees[replica], run->twins[replica], run->settled[replica]);
}

/* How many places were forgotten, summed over all looks. */
static size_t run_program(test_random *random, uint32_t events)
{
    random_run run;
    begin(&run, random);
    while (program.oracle.count < events) {
        uint32_t replica = below(&run, run.replicas);
        uint32_t chance = below(&run, 16);
        if (chance < 8) {
            edit(&run, replica);
        } else if (chance < 13) {
            exchange(&run, replica, below(&run, run.replicas), 1 + below(&run, 20));
        } else if (chance < 14) {
            reload(&run, replica);
        } else if (chance < 15) {
            check(&run, replica);
        } else {
            meet(&run);
        }
    }
    meet(&run);
    const tree_digest digest = program_digest(run.twins[0]);
    for (uint32_t replica = 0; replica < run.replicas; replica++) {
        check(&run, replica);
        cr_assert(program_is_digest(run.trees[replica], &digest));
    }
    end(&run);
    return run.forgotten;
}

Test(random, small_programs_are_as_the_oracle_says)
{
    test_random random = test_random_of("random");
    size_t forgotten = 0;
    for (uint32_t round = 0; round < 6000; round++) {
        forgotten += run_program(&random, 1 + (uint32_t)test_random_below(&random, 40));
    }
    (void)fprintf(stderr, "random: %zu places forgotten\n", forgotten);
    cr_assert_gt(forgotten, 1000);
}

Test(random, large_programs_are_as_the_oracle_says)
{
    test_random random = test_random_of("random");
    size_t forgotten = 0;
    for (uint32_t round = 0; round < 10; round++) {
        forgotten +=
            run_program(&random, 300 + (uint32_t)test_random_below(&random, 200));
    }
    (void)fprintf(stderr, "random: %zu places forgotten\n", forgotten);
    cr_assert_gt(forgotten, 100);
}

/* --- hostile events --- */

enum { HOSTILE_EVENTS = 40, CONTENT_MAX = 64 };

/* A program that all know, as one tree. */
static grove__tree *run_together(test_random *random)
{
    program_clear(&program);
    while (program.oracle.count < HOSTILE_EVENTS) {
        uint32_t replica = (uint32_t)test_random_below(random, 3);
        (void)program_draw(&program, replica, random);
        program_learn(&program, (uint32_t)test_random_below(random, 3), replica);
    }
    return program_run(&program, program.oracle.count);
}

/* An event of the program with some bytes changed, or of nothing but those. */
static grove_operation draw_hostile(test_random *random, uint8_t *bytes)
{
    const oracle_event *event =
        &program.oracle.events[test_random_below(random, program.oracle.count)];
    grove_operation operation = {
        (uint8_t)event->kind, 1, 0, {bytes, event->content_bytes}};
    memcpy(bytes, event->content, event->content_bytes);
    uint64_t way = test_random_below(random, 4);
    if (way == 0) {
        operation.kind = (uint8_t)test_random_below(random, 7);
        operation.content.size = test_random_below(random, CONTENT_MAX);
        test_random_bytes(random, bytes, operation.content.size);
    } else if (way == 1) {
        operation.kind = (uint8_t)test_random_below(random, 6);
    }
    for (uint64_t change = way; change < 4 && operation.content.size > 0; change++) {
        bytes[test_random_below(random, operation.content.size)] =
            (uint8_t)test_random_below(random, change % 2 == 0 ? 16 : 256);
    }
    return operation;
}

Test(random, hostile_events_are_refused_and_leave_the_tree_or_make_a_sound_one)
{
    enum { ROUNDS = 300, TRIES = 60 };
    const grove_document_type *type = grove_type_tree();
    test_random random = test_random_of("random");
    uint32_t refused = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint8_t bytes[3][ORACLE_CONTENT_MAX];
        grove__tree *tree = run_together(&random);
        tree_digest digest = program_digest(tree);
        for (uint32_t try = 0; try < TRIES; try++) {
            grove_operation items[3];
            grove_stamp_run runs[3];
            grove_error error = {GROVE_OK, 0, ""};
            for (uint32_t index = 0; index < 3; index++) {
                items[index] = draw_hostile(&random, bytes[index]);
                runs[index] = (grove_stamp_run){
                    &program.oracle.replicas[test_random_below(&random, 4)],
                    test_random_below(&random, 60), 1 + test_random_below(&random, 60),
                    1};
            }
            uint64_t count = 1 + test_random_below(&random, 3);
            grove_status status =
                type->state_apply(type, tree, (grove_operations){items, count},
                                  (grove_stamps){runs, count}, &error);
            const char *fault = grove__tree_check(tree);
            cr_assert_null(fault, "%s", fault);
            if (status == GROVE_OK) {
                digest = program_digest(tree);
                program_reload(&tree, 0);
            } else {
                cr_assert_eq(status, GROVE_CORRUPT);
                cr_assert_lt(error.offset, count);
                refused++;
            }
            cr_assert(program_is_digest(tree, &digest));
        }
        grove__tree_free(tree);
    }
    cr_assert_gt(refused, ROUNDS * TRIES / 4);
    cr_assert_lt(refused, ROUNDS * TRIES);
}

/* --- without memory --- */

/* A batch of events with the n-th allocation failing: none of them is applied;
 * then they are. */
Test(random, batches_without_memory_leave_the_tree_as_it_was)
{
    test_random random = test_random_of("random");
    for (uint32_t round = 0; round < 60; round++) {
        static uint32_t events[HOSTILE_EVENTS];
        grove__tree *whole = run_together(&random);
        const tree_digest last = program_digest(whole);
        uint32_t first = (uint32_t)test_random_below(&random, HOSTILE_EVENTS);
        for (uint32_t event = 0; event < HOSTILE_EVENTS; event++) {
            events[event] = event;
        }
        bool has_failed = true;
        for (size_t nth = 1; has_failed; nth++) {
            faulty_allocator faulty;
            faulty_allocator_init(&faulty, 0);
            grove__tree *tree = program_tree(&faulty.allocator);
            cr_assert_eq(program_apply(&program, tree, events, first, NULL), GROVE_OK);
            const tree_digest before = program_digest(tree);
            faulty.fails_at = faulty.calls + nth;
            grove_status status = program_apply(&program, tree, events + first,
                                                HOSTILE_EVENTS - first, NULL);
            has_failed = faulty.has_failed;
            faulty.fails_at = 0;
            const char *fault = grove__tree_check(tree);
            cr_assert_null(fault, "%s", fault);
            cr_assert_eq(status, has_failed ? GROVE_NO_MEMORY : GROVE_OK);
            if (has_failed) {
                cr_assert(program_is_digest(tree, &before));
                cr_assert_eq(program_apply(&program, tree, events + first,
                                           HOSTILE_EVENTS - first, NULL),
                             GROVE_OK);
            }
            cr_assert(program_is_digest(tree, &last));
            expect_same_bytes(tree, whole, 0);
            grove__tree_free(tree);
            faulty_allocator_finish(&faulty);
        }
        grove__tree_free(whole);
    }
}
