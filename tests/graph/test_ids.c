#include <criterion/criterion.h>

#include "graph/ids.h"
#include "model.h"
#include "support/faulty_allocator.h"

static uint32_t intern(grove__ids *ids, const char *name)
{
    grove_replica replica = {.size = (uint8_t)strlen(name)};
    memcpy(replica.bytes, name, replica.size);
    uint32_t number;
    cr_assert_eq(grove__ids_intern(ids, &replica, &number, NULL), GROVE_OK);
    return number;
}

static void append(grove__ids *ids, uint32_t replica, uint64_t sequence, uint64_t count)
{
    cr_assert(grove__ids_reserve(ids, replica));
    grove__ids_append(ids, replica, sequence, count);
}

static void expect_span(grove__id_span span, uint64_t clock, uint32_t replica,
                        uint64_t sequence, uint64_t count)
{
    cr_assert_eq(span.clock, clock);
    cr_assert_eq(span.replica, replica);
    cr_assert_eq(span.sequence, sequence);
    cr_assert_eq(span.count, count);
}

Test(ids, a_replica_gets_one_number_for_good)
{
    grove__ids ids;
    grove__ids_init(&ids, &grove__allocator_system, 0);
    uint32_t a = intern(&ids, "a");
    uint32_t ab = intern(&ids, "ab");
    uint32_t first = intern(&ids, "A");
    cr_assert(a != ab && ab != first && a != first);
    cr_assert_eq(intern(&ids, "a"), a);
    cr_assert_eq(intern(&ids, "ab"), ab);
    cr_assert_eq(intern(&ids, "A"), first);
    cr_assert_eq(ids.replica_count, 3);
    cr_assert_eq(grove__ids_name(&ids, ab)->size, 2);
    grove_replica unknown = {.size = 1, .bytes = {'b'}};
    cr_assert_eq(grove__ids_find_replica(&ids, &unknown), GROVE__INDEX_NONE);
    unknown.bytes[0] = '\0';
    cr_assert_eq(grove__ids_find_replica(&ids, &unknown), GROVE__INDEX_NONE);
    grove__ids_release(&ids);
}

Test(ids, a_replica_has_1_to_64_bytes)
{
    grove__ids ids;
    grove__ids_init(&ids, &grove__allocator_system, 0);
    grove_replica name = {.size = 0};
    uint32_t number = 77;
    grove_error error = {0};
    cr_assert_eq(grove__ids_intern(&ids, &name, &number, &error), GROVE_INVALID);
    name.size = GROVE_REPLICA_BYTES_MAX + 1;
    cr_assert_eq(grove__ids_intern(&ids, &name, &number, &error), GROVE_INVALID);
    cr_assert_eq(number, 77);
    cr_assert_neq(error.message[0], '\0');
    name.size = GROVE_REPLICA_BYTES_MAX;
    cr_assert_eq(grove__ids_intern(&ids, &name, &number, NULL), GROVE_OK);
    cr_assert_eq(number, 0);
    grove__ids_release(&ids);
}

Test(ids, runs_join_only_where_clocks_and_sequences_both_go_on)
{
    grove__ids ids;
    grove__ids_init(&ids, &grove__allocator_system, 0);
    uint32_t a = intern(&ids, "a");
    uint32_t b = intern(&ids, "b");
    append(&ids, a, 0, 3);
    append(&ids, a, 3, 2); /* joins */
    append(&ids, b, 5, 1);
    append(&ids, a, 5, 1); /* another came between */
    append(&ids, a, 9, 1); /* a gap */
    append(&ids, a, 7, 1); /* an earlier one, late */
    append(&ids, a, 8, 1); /* joins */
    cr_assert_eq(ids.run_count, 5);
    cr_assert_eq(ids.end, 10);
    grove__id_span span;
    cr_assert(grove__ids_find(&ids, a, 1, &span));
    expect_span(span, 1, a, 1, 4);
    cr_assert(grove__ids_find(&ids, a, 8, &span));
    expect_span(span, 9, a, 8, 1);
    cr_assert(grove__ids_find(&ids, a, 9, &span));
    expect_span(span, 7, a, 9, 1);
    cr_assert_not(grove__ids_find(&ids, a, 6, &span));
    cr_assert_not(grove__ids_find(&ids, a, 10, &span));
    cr_assert_not(grove__ids_find(&ids, b, 4, &span));
    cr_assert(grove__ids_at(&ids, 8, &span));
    expect_span(span, 8, a, 7, 2);
    cr_assert(grove__ids_at(&ids, 5, &span));
    expect_span(span, 5, b, 5, 1);
    cr_assert_not(grove__ids_at(&ids, 10, &span));
    cr_assert_eq(grove__ids_next_sequence(&ids, a), 10);
    cr_assert_eq(grove__ids_next_sequence(&ids, b), 6);
    cr_assert_eq(grove__ids_known_after(&ids, a, 5), 7);
    cr_assert_eq(grove__ids_known_after(&ids, a, 4), 5);
    cr_assert_eq(grove__ids_known_after(&ids, a, 2), 3);
    cr_assert_eq(grove__ids_known_after(&ids, a, 9), UINT64_MAX);
    cr_assert_eq(grove__ids_known_after(&ids, b, 0), 5);
    grove__ids_release(&ids);
}

Test(ids, heads_behind_the_base_are_single_events)
{
    grove__ids ids;
    grove__ids_init(&ids, &grove__allocator_system, 10);
    uint32_t a = intern(&ids, "a");
    uint32_t b = intern(&ids, "b");
    cr_assert(grove__ids_reserve(&ids, a));
    grove__ids_append_behind(&ids, 4, a, 2);
    cr_assert(grove__ids_reserve(&ids, b));
    grove__ids_append_behind(&ids, 9, b, 7);
    append(&ids, b, 8, 2); /* goes on after the head, but is a run of its own */
    grove__id_span span;
    cr_assert(grove__ids_at(&ids, 4, &span));
    expect_span(span, 4, a, 2, 1);
    cr_assert_not(grove__ids_at(&ids, 5, &span));
    cr_assert_not(grove__ids_at(&ids, 3, &span));
    cr_assert(grove__ids_at(&ids, 9, &span));
    expect_span(span, 9, b, 7, 1);
    cr_assert(grove__ids_find(&ids, b, 9, &span));
    expect_span(span, 11, b, 9, 1);
    cr_assert_not(grove__ids_find(&ids, a, 3, &span));
    cr_assert_not(grove__ids_find(&ids, b, 6, &span));
    cr_assert_eq(grove__ids_next_sequence(&ids, b), 10);
    grove__ids_release(&ids);
}

Test(ids, compare_by_bytes_a_prefix_first_then_by_sequence)
{
    grove__ids ids;
    grove__ids_init(&ids, &grove__allocator_system, 0);
    uint32_t last = intern(&ids, "\xff");
    uint32_t ab = intern(&ids, "ab");
    uint32_t a = intern(&ids, "a");
    cr_assert_lt(grove__ids_compare(&ids, a, 9, ab, 0), 0);
    cr_assert_gt(grove__ids_compare(&ids, last, 0, ab, 9), 0);
    cr_assert_lt(grove__ids_compare(&ids, a, 3, a, 4), 0);
    cr_assert_gt(grove__ids_compare(&ids, a, UINT64_C(1) << 40, a, 4), 0);
    cr_assert_eq(grove__ids_compare(&ids, ab, 4, ab, 4), 0);
    grove__ids_release(&ids);
}

Test(ids, random_ids_are_found_both_ways)
{
    test_random random = test_random_of("ids");
    for (uint32_t round = 0; round < 300; round++) {
        graph_model model;
        graph_model shuffled;
        uint32_t renamed[MODEL_EVENTS_MAX];
        model_random(&model, &random, 60, 5, 1 + round % 9);
        model_shuffle(&model, &random, &shuffled, renamed);
        graph_subject subject;
        subject_init(&subject, &shuffled, 0, &grove__allocator_system);
        const grove__ids *ids = &subject.graph.ids;
        for (uint32_t event = 0; event < shuffled.count; event++) {
            uint32_t replica = subject.replicas[shuffled.replica[event]];
            grove__id_span by_id;
            grove__id_span by_clock;
            cr_assert(grove__ids_find(ids, replica, shuffled.sequence[event], &by_id));
            cr_assert(grove__ids_at(ids, event, &by_clock));
            cr_assert_eq(by_id.clock, event);
            cr_assert_eq(by_clock.replica, replica);
            cr_assert_eq(by_clock.sequence, shuffled.sequence[event]);
            cr_assert_eq(by_id.count, by_clock.count);
            for (uint32_t next = event + 1; next < event + by_id.count; next++) {
                cr_assert_eq(shuffled.replica[next], shuffled.replica[event]);
                cr_assert_eq(shuffled.sequence[next],
                             shuffled.sequence[event] + next - event);
            }
        }
        for (uint32_t replica = 0; replica < 5; replica++) {
            cr_assert_eq(grove__ids_next_sequence(ids, subject.replicas[replica]),
                         model.next[replica]);
        }
        subject_release(&subject);
    }
}

Test(ids, a_failed_allocation_leaves_them_as_they_were)
{
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        grove__ids ids;
        grove__ids_init(&ids, &faulty.allocator, 0);
        grove_status status = GROVE_OK;
        uint32_t made = 0;
        for (uint32_t number = 0; number < 20 && status == GROVE_OK; number++) {
            grove_replica name = {.size = 1, .bytes = {(uint8_t)(number * 37)}};
            uint32_t replica;
            status = grove__ids_intern(&ids, &name, &replica, NULL);
            made += status == GROVE_OK;
            if (status == GROVE_OK && !grove__ids_reserve(&ids, replica)) {
                status = GROVE_NO_MEMORY;
            }
            if (status == GROVE_OK) {
                grove__ids_append(&ids, replica, 0, 1);
            }
        }
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        cr_assert_eq(ids.replica_count, made);
        cr_assert_leq(ids.end, made);
        grove__ids_release(&ids);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            break;
        }
    }
}
