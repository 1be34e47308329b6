#include <criterion/criterion.h>

#include "base/alloc.h"
#include "format/events.h"
#include "support/faulty_allocator.h"
#include "support/ledger_type.h"
#include "support/random_events.h"

enum { ROUNDS = 150, EVENTS_MAX = 400 };

static grove_event_id id_of(const char *replica, uint64_t sequence)
{
    grove_event_id id;
    memset(&id, 0, sizeof id);
    id.replica.size = (uint8_t)strlen(replica);
    memcpy(id.replica.bytes, replica, id.replica.size);
    id.sequence = sequence;
    return id;
}

/* A run of one replica after `parents`, of `count` typed bytes at 0. */
static grove_event_run run_of(grove_event_id first, const grove_event_id *parents,
                              size_t parent_count, uint32_t count)
{
    static const uint8_t text[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    cr_assert_lt(count, sizeof text);
    return (grove_event_run){first,
                             parents,
                             parent_count,
                             1000,
                             {TEST_TYPING_INSERT, count, 0, {text, count}}};
}

static grove_status append(grove__events *events, const grove_event_run *run)
{
    grove_error error = {GROVE_OK, 0, {0}};
    grove_status status = grove__events_append(events, &test_type_typing, run, &error);
    cr_assert_eq(error.status, status);
    cr_assert(status == GROVE_OK || error.message[0] != '\0');
    return status;
}

/* Types one byte after the other. */
static void type_bytes(grove__events *events, uint32_t count)
{
    for (uint32_t index = 0; index < count; index++) {
        grove_event_id before = id_of("a", index - 1u);
        uint8_t byte = (uint8_t)index;
        grove_event_run run = {id_of("a", index),
                               &before,
                               index > 0,
                               1000,
                               {TEST_TYPING_INSERT, 1, index, {&byte, 1}}};
        cr_assert_eq(append(events, &run), GROVE_OK);
    }
}

Test(events, typing_is_one_run_of_everything)
{
    grove__events events;
    grove__events_init(&events, &grove__allocator_system);
    type_bytes(&events, 1000);
    cr_assert_eq(events.count, 1000);
    cr_assert_eq(events.id_run_count, 1);
    cr_assert_eq(events.parent_run_count, 1);
    cr_assert_eq(events.time_run_count, 1);
    grove_operations operations = grove__events_operations(&events);
    cr_assert_eq(operations.count, 1);
    cr_assert_eq(operations.items[0].content.size, 1000);
    for (size_t index = 0; index < 1000; index++) {
        cr_assert_eq(operations.items[0].content.data[index], (uint8_t)index);
    }
    grove__events_release(&events);
}

enum { TYPE_COUNT = 4 };
static const grove_document_type *const TYPES[TYPE_COUNT] = {
    &test_type_typing, &test_type_payload, &test_type_mixed, &ledger_type};

static test_history generate(test_random *random)
{
    size_t count = test_random_below(random, EVENTS_MAX);
    return test_history_generate(random, TYPES[test_random_below(random, TYPE_COUNT)],
                                 count);
}

Test(events, a_list_holds_what_was_appended)
{
    test_random random = test_random_of("a_list_holds_what_was_appended");
    for (int round = 0; round < ROUNDS; round++) {
        test_history history = generate(&random);
        grove__events events;
        grove__events_init(&events, &grove__allocator_system);
        /* Contents may be set at any time in between. */
        size_t middle = test_random_below(&random, history.count + 1);
        test_history_append(&history, 0, middle, &events);
        test_history_check(&history, 0, middle, &events);
        test_history_append(&history, middle, history.count, &events);
        test_events_check(&events, history.type);
        test_history_check(&history, 0, history.count, &events);
        grove__events_release(&events);
        test_history_free(&history);
    }
}

Test(events, runs_that_a_cursor_yields_make_the_same_list)
{
    test_random random = test_random_of("runs_that_a_cursor_yields_make_the_same_list");
    grove_event_id *room = test_allocate(GROVE_EVENT_PARENTS_MAX * sizeof *room);
    for (int round = 0; round < ROUNDS; round++) {
        test_history history = generate(&random);
        grove__events events;
        grove__events copy;
        grove__events_init(&events, &grove__allocator_system);
        grove__events_init(&copy, &grove__allocator_system);
        test_history_append(&history, 0, history.count, &events);
        grove__events_cursor cursor;
        grove_event_run run;
        grove__events_cursor_init(&cursor, &events, history.type, room);
        while (grove__events_cursor_next(&cursor, &run)) {
            cr_assert_eq(test_history_append_run(&history, &run, &copy, NULL), GROVE_OK);
        }
        test_events_check_same(&events, &copy);
        grove__events_release(&events);
        grove__events_release(&copy);
        test_history_free(&history);
    }
    free(room);
}

static void append_part(grove__events *events, const grove_document_type *type,
                        grove__events *other, uint32_t from, uint32_t count)
{
    cr_assert_eq(grove__events_append_list(events, type, other, from, count, NULL),
                 GROVE_OK);
}

Test(events, a_list_cut_and_joined_anywhere_is_the_same_list)
{
    test_random random =
        test_random_of("a_list_cut_and_joined_anywhere_is_the_same_list");
    for (int round = 0; round < ROUNDS / 10; round++) {
        test_history history = generate(&random);
        uint32_t count = (uint32_t)history.count;
        grove__events whole;
        grove__events first;
        grove__events second;
        grove__events_init(&whole, &grove__allocator_system);
        grove__events_init(&first, &grove__allocator_system);
        grove__events_init(&second, &grove__allocator_system);
        test_history_append(&history, 0, count, &whole);
        for (uint32_t at = 0; at <= count; at++) {
            grove__events_reset(&first);
            grove__events_reset(&second);
            append_part(&first, history.type, &whole, 0, at);
            append_part(&second, history.type, &whole, at, count - at);
            test_events_check_runs(&first, history.type);
            test_events_check_runs(&second, history.type);
            test_history_check(&history, at, count, &second);
            append_part(&first, history.type, &second, 0, count - at);
            test_events_check_same(&whole, &first);
        }
        grove__events_release(&whole);
        grove__events_release(&first);
        grove__events_release(&second);
        test_history_free(&history);
    }
}

/* Ranges of a list, one after the other or all at once. */
Test(events, of_several_ranges_are_those_of_each)
{
    enum { RANGES_MAX = 200 };
    test_random random = test_random_of("of_several_ranges_are_those_of_each");
    static grove__events_range ranges[RANGES_MAX];
    for (int round = 0; round < 2 * ROUNDS; round++) {
        test_history history = generate(&random);
        uint32_t count = (uint32_t)history.count;
        grove__events whole;
        grove__events first;
        grove__events second;
        grove__events_init(&whole, &grove__allocator_system);
        grove__events_init(&first, &grove__allocator_system);
        grove__events_init(&second, &grove__allocator_system);
        test_history_append(&history, 0, count, &whole);
        size_t range_count = 0;
        uint32_t stride = 1 + (uint32_t)test_random_below(&random, 20);
        for (uint32_t at = 0; at < count && range_count < RANGES_MAX; range_count++) {
            at += (uint32_t)test_random_below(&random, stride);
            at = at < count ? at : count;
            uint32_t taken = (uint32_t)test_random_below(&random, stride);
            taken = taken < count - at ? taken : count - at;
            ranges[range_count] = (grove__events_range){at, taken};
            append_part(&first, history.type, &whole, at, taken);
            at += taken;
        }
        cr_assert_eq(grove__events_append_ranges(&second, history.type, &whole, ranges,
                                                 range_count, NULL),
                     GROVE_OK);
        test_events_check_runs(&second, history.type);
        test_events_check_same(&first, &second);
        grove__events_release(&whole);
        grove__events_release(&first);
        grove__events_release(&second);
        test_history_free(&history);
    }
}

/* Joins `count` neighbouring lists in a random order. */
static void join_all(test_random *random, const grove_document_type *type,
                     grove__events *parts, size_t count)
{
    while (count > 1) {
        size_t at = test_random_below(random, count - 1);
        append_part(&parts[at], type, &parts[at + 1], 0, parts[at + 1].count);
        grove__events_release(&parts[at + 1]);
        memmove(&parts[at + 1], &parts[at + 2], (count - at - 2) * sizeof *parts);
        count--;
    }
}

Test(events, many_pieces_joined_in_any_order_are_the_same_list)
{
    enum { PIECES = 20 };
    test_random random =
        test_random_of("many_pieces_joined_in_any_order_are_the_same_list");
    for (int round = 0; round < ROUNDS; round++) {
        test_history history = generate(&random);
        grove__events whole;
        grove__events parts[PIECES];
        grove__events_init(&whole, &grove__allocator_system);
        test_history_append(&history, 0, history.count, &whole);
        size_t at = 0;
        for (size_t index = 0; index < PIECES; index++) {
            size_t left = history.count - at;
            size_t take =
                index + 1 == PIECES ? left : test_random_below(&random, left + 1);
            take = index + 1 < PIECES && take > 30 ? 30 : take;
            grove__events_init(&parts[index], &grove__allocator_system);
            test_history_append(&history, at, at + take, &parts[index]);
            at += take;
        }
        join_all(&random, history.type, parts, PIECES);
        test_events_check_same(&whole, &parts[0]);
        grove__events_release(&whole);
        grove__events_release(&parts[0]);
        test_history_free(&history);
    }
}

/* Deletes at 5, 5 and 4: forward twice, then one, or one, then back twice. */
Test(events, what_the_last_operation_takes_may_move_every_border_after_it)
{
    grove__events whole;
    grove__events first;
    grove__events second;
    grove__events_init(&whole, &grove__allocator_system);
    grove__events_init(&first, &grove__allocator_system);
    grove__events_init(&second, &grove__allocator_system);
    static const uint64_t positions[] = {5, 5, 4, 4, 3, 3, 2};
    for (uint64_t index = 0; index < 7; index++) {
        grove_event_id before = id_of("a", index - 1);
        grove_event_run run = {id_of("a", index),
                               &before,
                               index > 0,
                               0,
                               {TEST_TYPING_DELETE, 1, positions[index], {NULL, 0}}};
        cr_assert_eq(append(&whole, &run), GROVE_OK);
        cr_assert_eq(append(index == 0 ? &first : &second, &run), GROVE_OK);
    }
    cr_assert_eq(grove__events_operations(&whole).count, 4);
    cr_assert_eq(grove__events_operations(&second).items[0].kind, TEST_TYPING_BACKWARD);
    append_part(&first, &test_type_typing, &second, 0, second.count);
    test_events_check_same(&whole, &first);
    grove__events_release(&whole);
    grove__events_release(&first);
    grove__events_release(&second);
}

Test(events, a_parent_in_the_list_is_named_by_its_index_and_vanishes_before_its_event)
{
    grove__events events;
    grove__events_init(&events, &grove__allocator_system);
    grove_event_id outside = id_of("z", 7);
    grove_event_id first = id_of("a", 0);
    grove_event_id last = id_of("a", 2);
    grove_event_run runs[] = {run_of(id_of("a", 0), &outside, 1, 3),
                              run_of(id_of("b", 5), &last, 1, 2),
                              run_of(id_of("c", 9), &first, 1, 1)};
    for (size_t index = 0; index < 3; index++) {
        cr_assert_eq(append(&events, &runs[index]), GROVE_OK);
    }
    cr_assert_eq(events.id_run_count, 3);
    cr_assert_eq(events.parent_run_count, 2);
    cr_assert_eq(events.parents[0].sequence, 7);
    cr_assert(grove__replica_equal(&events.replicas[events.parents[0].replica],
                                   &outside.replica));
    cr_assert_eq(events.parent_runs[1].event, 5);
    cr_assert_eq(events.parents[1].replica, GROVE__PARENT_INSIDE);
    cr_assert_eq(events.parents[1].sequence, 0);
    grove__events_release(&events);
}

/* Runs refused after a.0 to a.9 on a parent outside (z.7), with b.3. */
static grove_status append_refused(grove__events *events, int number)
{
    grove_event_id last = id_of("a", 9);
    grove_event_id twice[] = {id_of("a", 9), id_of("y", 1), id_of("a", 9)};
    grove_event_id many[12];
    grove_event_id long_replica = id_of("a", 10);
    grove_event_id no_replica = id_of("", 10);
    grove_event_id own = id_of("c", 3);
    grove_event_id too_far = id_of("c", GROVE_DOCUMENT_EVENTS_MAX);
    grove_event_run run = run_of(id_of("a", 10), &last, 1, 1);
    long_replica.replica.size = GROVE_REPLICA_BYTES_MAX + 1;
    for (size_t index = 0; index < 12; index++) {
        many[index] = id_of("y", index % 11);
    }
    switch (number) {
    case 0: /* GROVE_INVALID */
        run.operation.count = 0;
        break;
    case 1:
        run.first = no_replica;
        break;
    case 2:
        run.first = long_replica;
        break;
    case 3:
        run.parents = &no_replica;
        break;
    case 4:
        run = run_of(id_of("c", 0), twice, 3, 1);
        break;
    case 5:
        run = run_of(id_of("c", 0), many, 12, 1);
        break;
    case 6:
        run = run_of(id_of("c", 3), &own, 1, 1);
        break;
    case 7:
        run = run_of(id_of("c", 0), &own, 1, 10);
        break;
    case 8:
        run = run_of(id_of("z", 5), &last, 1, 3);
        break;
    case 9: /* GROVE_REPLICA_REUSED */
        run = run_of(id_of("a", 9), &last, 1, 1);
        break;
    case 10:
        run = run_of(id_of("b", 0), &last, 1, 4);
        break;
    case 11:
        run = run_of(id_of("b", 3), &last, 1, 1);
        break;
    case 12: /* GROVE_LIMIT */
        run.first.sequence = GROVE_DOCUMENT_EVENTS_MAX;
        break;
    case 13:
        run = run_of(id_of("a", GROVE_DOCUMENT_EVENTS_MAX - 2), &last, 1, 3);
        break;
    case 14:
        run = run_of(id_of("c", 0), &too_far, 1, 1);
        break;
    case 15:
        run.operation.content.size = GROVE_CONTENT_BYTES_MAX + 1;
        break;
    case 16:
        run.operation.count = GROVE_BATCH_EVENTS_MAX;
        break;
    default:
        return GROVE_OK;
    }
    return append(events, &run);
}

Test(events, what_is_refused_changes_nothing)
{
    grove__events events;
    grove__events before;
    grove__events_init(&events, &grove__allocator_system);
    grove__events_init(&before, &grove__allocator_system);
    grove_event_id outside = id_of("z", 7);
    grove_event_id last = id_of("a", 9);
    grove_event_run runs[] = {run_of(id_of("b", 3), &outside, 1, 1),
                              run_of(id_of("a", 0), &outside, 1, 10)};
    for (size_t index = 0; index < 2; index++) {
        cr_assert_eq(append(&events, &runs[index]), GROVE_OK);
        cr_assert_eq(append(&before, &runs[index]), GROVE_OK);
    }
    for (int number = 0; number <= 16; number++) {
        grove_status expected = number < 9    ? GROVE_INVALID
                                : number < 12 ? GROVE_REPLICA_REUSED
                                              : GROVE_LIMIT;
        cr_assert_eq(append_refused(&events, number), expected, "number %d", number);
        test_events_check_same(&before, &events);
        test_events_check(&events, &test_type_typing);
    }
    /* And what comes next fits as if nothing had happened. */
    grove_event_run next = run_of(id_of("a", 10), &last, 1, 1);
    next.operation.position = 10;
    cr_assert_eq(append(&events, &next), GROVE_OK);
    cr_assert_eq(events.id_run_count, 2);
    cr_assert_eq(events.parent_run_count, 2);
    cr_assert_eq(grove__events_operations(&events).count, 2);
    grove__events_release(&events);
    grove__events_release(&before);
}

Test(events, typing_stops_at_an_id_that_is_taken)
{
    grove__events events;
    grove__events_init(&events, &grove__allocator_system);
    grove_event_id outside = id_of("b", 3);
    grove_event_run later = run_of(id_of("a", 5), &outside, 1, 2);
    cr_assert_eq(append(&events, &later), GROVE_OK);
    for (uint64_t sequence = 0; sequence <= 5; sequence++) {
        grove_event_id before = id_of("a", sequence - 1);
        grove_event_run run = run_of(id_of("a", sequence), &before, sequence > 0, 1);
        cr_assert_eq(append(&events, &run),
                     sequence < 5 ? GROVE_OK : GROVE_REPLICA_REUSED);
    }
    for (uint64_t sequence = 0; sequence <= 3; sequence++) {
        grove_event_id before = id_of("b", sequence - 1);
        grove_event_run run = run_of(id_of("b", sequence), &before, sequence > 0, 1);
        cr_assert_eq(append(&events, &run), sequence < 3 ? GROVE_OK : GROVE_INVALID);
    }
    test_events_check(&events, &test_type_typing);
    grove__events_release(&events);
}

Test(events, a_list_that_is_refused_changes_nothing)
{
    grove__events events;
    grove__events before;
    grove__events other;
    grove__events_init(&events, &grove__allocator_system);
    grove__events_init(&before, &grove__allocator_system);
    grove__events_init(&other, &grove__allocator_system);
    type_bytes(&events, 10);
    type_bytes(&before, 10);
    /* New events, a merge, and at last one that is there already. */
    grove_event_id parents[] = {id_of("a", 9), id_of("c", 1), id_of("q", 0)};
    grove_event_run runs[] = {
        run_of(id_of("c", 0), parents, 1, 2), run_of(id_of("d", 0), parents, 3, 2),
        run_of(id_of("a", 20), parents, 1, 5), run_of(id_of("a", 8), NULL, 0, 1)};
    for (size_t index = 0; index < 4; index++) {
        cr_assert_eq(append(&other, &runs[index]), GROVE_OK);
    }
    cr_assert_eq(grove__events_append_list(&events, &test_type_typing, &other, 0,
                                           other.count, NULL),
                 GROVE_REPLICA_REUSED);
    test_events_check_same(&before, &events);
    test_events_check(&events, &test_type_typing);
    /* What was taken back is not found as a parent. */
    grove_event_id gone = id_of("a", 21);
    grove_event_run next = run_of(id_of("e", 0), &gone, 1, 1);
    cr_assert_eq(append(&events, &next), GROVE_OK);
    cr_assert_neq(events.parents[0].replica, GROVE__PARENT_INSIDE);
    grove__events_reset(&events);
    type_bytes(&events, 10);
    cr_assert_eq(grove__events_append_list(&events, &test_type_typing, &other, 0,
                                           other.count - 1, NULL),
                 GROVE_OK);
    test_events_check(&events, &test_type_typing);
    cr_assert_eq(events.count, 10 + other.count - 1);
    grove__events_release(&events);
    grove__events_release(&before);
    grove__events_release(&other);
}

Test(events, a_parent_in_the_list_has_the_time_that_is_said_of_it)
{
    const grove_event_id first = id_of("ann", 1);
    const grove_event_id before = id_of("ann", 0);
    for (uint64_t time = 0; time < 12; time++) {
        const uint64_t outside = 7;
        grove__events events;
        grove__events whole;
        grove_error error = {GROVE_OK, 0, {0}};
        grove_event_run run = run_of(first, &before, 1, 1);
        grove_event_run next = run_of(id_of("bob", 0), &first, 1, 1);
        grove__events_init(&whole, &grove__allocator_system);
        grove__events_init(&events, &grove__allocator_system);
        cr_assert_eq(
            grove__events_append_timed(&whole, &ledger_type, &run, &outside, NULL),
            GROVE_OK);
        /* 0: nothing is said. */
        grove_status wanted = time == 0 || time == 8 ? GROVE_OK : GROVE_CORRUPT;
        cr_assert_eq(
            grove__events_append_timed(&events, &ledger_type, &next, &time, NULL),
            GROVE_OK);
        cr_assert_eq(
            grove__events_append_list(&whole, &ledger_type, &events, 0, 1, &error),
            wanted);
        cr_assert_eq(whole.count, wanted == GROVE_OK ? 2 : 1);
        cr_assert(wanted == GROVE_CORRUPT || grove__event_ids_time(&whole, 1) == 9);
        grove__events_release(&events);
        grove__events_release(&whole);
    }
}

Test(events, parents_up_to_their_limit_are_kept_in_order)
{
    enum { LIMIT = GROVE_EVENT_PARENTS_MAX };
    static grove_event_id parents[LIMIT + 1];
    static grove_event_id room[LIMIT];
    for (size_t index = 0; index <= LIMIT; index++) {
        parents[index] = id_of("p", (index * 7919) % (LIMIT + 1));
    }
    for (size_t count = LIMIT - 1; count <= LIMIT + 1; count++) {
        grove__events events;
        grove__events_init(&events, &grove__allocator_system);
        grove_event_run run = run_of(id_of("a", 0), parents, count, 1);
        cr_assert_eq(append(&events, &run), count <= LIMIT ? GROVE_OK : GROVE_LIMIT);
        if (count <= LIMIT) {
            grove__events_cursor cursor;
            grove_event_run found;
            grove__events_cursor_init(&cursor, &events, &test_type_typing, room);
            cr_assert(grove__events_cursor_next(&cursor, &found));
            cr_assert_eq(found.parent_count, count);
            for (size_t index = 0; index < count; index++) {
                cr_assert(test_id_equal(&found.parents[index], &parents[index]));
            }
        }
        grove__events_release(&events);
    }
}

/* Appends `count` deletes at 0 by one replica. */
static grove_status append_deletes(grove__events *events, uint64_t sequence,
                                   uint32_t count)
{
    grove_event_id before = id_of("a", sequence - 1);
    grove_event_run run = {
        id_of("a", sequence),
        &before,
        sequence > 0,
        0,
        {count == 1 ? TEST_TYPING_DELETE : TEST_TYPING_FORWARD, count, 0, {NULL, 0}}};
    return append(events, &run);
}

Test(events, a_list_takes_events_up_to_the_limit_of_a_batch)
{
    grove__events events;
    grove__events other;
    grove__events_init(&events, &grove__allocator_system);
    grove__events_init(&other, &grove__allocator_system);
    const uint32_t limit = GROVE_BATCH_EVENTS_MAX;
    cr_assert_eq(append_deletes(&events, 0, limit - 1), GROVE_OK);
    cr_assert_eq(append_deletes(&other, limit, 2), GROVE_OK);
    cr_assert_eq(append_deletes(&events, limit - 1, 1), GROVE_OK);
    cr_assert_eq(append_deletes(&events, limit, 1), GROVE_LIMIT);
    cr_assert_eq(
        grove__events_append_list(&events, &test_type_typing, &other, 0, 1, NULL),
        GROVE_LIMIT);
    cr_assert_eq(events.count, limit);
    cr_assert_eq(grove__events_operations(&events).count, 1);
    grove__events_release(&events);
    grove__events_release(&other);
}

Test(events, sequences_end_at_their_limit)
{
    grove__events events;
    grove__events_init(&events, &grove__allocator_system);
    cr_assert_eq(append_deletes(&events, GROVE_DOCUMENT_EVENTS_MAX - 2, 1), GROVE_OK);
    cr_assert_eq(append_deletes(&events, GROVE_DOCUMENT_EVENTS_MAX - 1, 1), GROVE_OK);
    cr_assert_eq(append_deletes(&events, GROVE_DOCUMENT_EVENTS_MAX, 1), GROVE_LIMIT);
    cr_assert_eq(events.count, 2);
    grove__events_release(&events);
}

/* Enough replicas and runs that both are searched through an order. */
Test(events, many_replicas_whose_sequences_descend_are_told_apart)
{
    enum { REPLICAS = 300, ROUNDS_BACK = 20 };
    grove__events events;
    grove__events_init(&events, &grove__allocator_system);
    for (uint64_t round = 0; round < ROUNDS_BACK; round++) {
        for (unsigned number = 0; number < REPLICAS; number++) {
            char name[8];
            (void)snprintf(name, sizeof name, "%x", number * 7919 % REPLICAS + 1);
            uint64_t sequence = (ROUNDS_BACK - round) * 10;
            grove_event_id later = id_of(name, sequence + 11);
            grove_event_run run = run_of(id_of(name, sequence), &later, round > 0, 5);
            cr_assert_eq(append(&events, &run), GROVE_OK);
            run = run_of(id_of(name, sequence + 4), NULL, 0, 2);
            cr_assert_eq(append(&events, &run), GROVE_REPLICA_REUSED);
        }
    }
    cr_assert_eq(events.replica_count, REPLICAS);
    cr_assert_eq(events.id_run_count, REPLICAS * ROUNDS_BACK);
    for (size_t index = REPLICAS; index < events.parent_run_count; index++) {
        const grove__parent_run *run = &events.parent_runs[index];
        cr_assert_eq(events.parents[run->first].replica, GROVE__PARENT_INSIDE);
        cr_assert_eq(events.parents[run->first].sequence, run->event - REPLICAS * 5 + 1);
    }
    grove__events_release(&events);
}

Test(events, a_failed_allocation_leaves_the_list_as_it_was)
{
    test_random random = test_random_of("a_failed_allocation_leaves_the_list_as_it_was");
    for (int round = 0; round < TYPE_COUNT; round++) {
        test_history history =
            test_history_generate(&random, TYPES[round], 100 + 50 * (size_t)round);
        grove__events whole;
        grove__events_init(&whole, &grove__allocator_system);
        test_history_append(&history, 0, history.count, &whole);
        bool has_failed = true;
        for (size_t nth = 1; has_failed; nth++) {
            faulty_allocator faulty;
            faulty_allocator_init(&faulty, nth);
            grove__events events;
            grove__events_init(&events, &faulty.allocator);
            for (size_t index = 0; index < history.count; index++) {
                grove_status status = test_history_append_run(
                    &history, &history.runs[index], &events, NULL);
                if (status == GROVE_OK) {
                    continue;
                }
                cr_assert_eq(status, GROVE_NO_MEMORY);
                test_history_check(&history, 0, index, &events);
                index--;
            }
            test_events_check_same(&whole, &events);
            has_failed = faulty.has_failed;
            grove__events_release(&events);
            faulty_allocator_finish(&faulty);
        }
        grove__events_release(&whole);
        test_history_free(&history);
    }
}

Test(events, a_failed_allocation_while_joining_leaves_the_list_as_it_was)
{
    test_random random =
        test_random_of("a_failed_allocation_while_joining_leaves_the_list_as_it_was");
    for (int round = 0; round < TYPE_COUNT; round++) {
        test_history history = test_history_generate(&random, TYPES[round], 120);
        size_t middle = test_random_below(&random, history.count);
        grove__events whole;
        grove__events rest;
        grove__events_init(&whole, &grove__allocator_system);
        grove__events_init(&rest, &grove__allocator_system);
        test_history_append(&history, 0, history.count, &whole);
        test_history_append(&history, middle, history.count, &rest);
        bool has_failed = true;
        for (size_t nth = 1; has_failed; nth++) {
            faulty_allocator faulty;
            faulty_allocator_init(&faulty, 0);
            grove__events events;
            grove__events_init(&events, &faulty.allocator);
            test_history_append(&history, 0, middle, &events);
            faulty.fails_at = faulty.calls + nth;
            grove_status status = grove__events_append_list(&events, history.type, &rest,
                                                            0, rest.count, NULL);
            if (faulty.has_failed) {
                cr_assert_eq(status, GROVE_NO_MEMORY);
                test_history_check(&history, 0, middle, &events);
                append_part(&events, history.type, &rest, 0, rest.count);
            }
            test_events_check_same(&whole, &events);
            has_failed = faulty.has_failed;
            grove__events_release(&events);
            faulty_allocator_finish(&faulty);
        }
        grove__events_release(&whole);
        grove__events_release(&rest);
        test_history_free(&history);
    }
}

Test(events, a_reset_list_is_as_new)
{
    test_random random = test_random_of("a_reset_list_is_as_new");
    grove__events events;
    grove__events_init(&events, &grove__allocator_system);
    for (int round = 0; round < ROUNDS; round++) {
        test_history history = generate(&random);
        grove__events_reset(&events);
        test_history_append(&history, 0, history.count, &events);
        test_history_check(&history, 0, history.count, &events);
        test_events_check(&events, history.type);
        test_history_free(&history);
    }
    grove__events_release(&events);
}
