#include "format/vector.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "format/event_ids.h"
#include "support/faulty_allocator.h"
#include "support/random.h"
#include "support/test_types.h"

static grove_replica numbered(uint64_t number)
{
    char name[24];
    (void)snprintf(name, sizeof name, "%llx", (unsigned long long)(number * 2654435761u));
    grove_replica replica = {.size = (uint8_t)strlen(name)};
    memcpy(replica.bytes, name, strlen(name));
    return replica;
}

/* Against an array by number. */
Test(vector, keeps_the_greatest_of_each_of_many_replicas_in_any_order)
{
    enum { REPLICAS = 500, STEPS = 5000 };
    test_random random = test_random_of("vector");
    static uint64_t expected[REPLICAS];
    static size_t came[REPLICAS];
    size_t count = 0;
    grove__vector vector;
    grove__vector_init(&vector, &grove__allocator_system);
    for (int round = 0; round < 3; round++) {
        count = 0;
        memset(expected, 0, sizeof expected);
        grove__vector_reset(&vector);
        for (int step = 0; step < STEPS; step++) {
            uint64_t number = test_random_below(&random, REPLICAS);
            uint64_t next = 1 + test_random_below(&random, 100);
            grove_replica replica = numbered(number);
            cr_assert(grove__vector_raise(&vector, &replica, next));
            if (expected[number] == 0) {
                came[count++] = (size_t)number;
            }
            expected[number] = expected[number] < next ? next : expected[number];
            number = test_random_below(&random, REPLICAS);
            replica = numbered(number);
            cr_assert_eq(grove__vector_next(&vector, &replica), expected[number]);
        }
        grove_version_vector view = grove__vector_view(&vector);
        cr_assert_eq(view.count, count);
        for (size_t index = 0; index < count; index++) {
            grove_replica replica = numbered(came[index]);
            cr_assert(grove__replica_equal(&view.entries[index].replica, &replica));
            cr_assert_eq(view.entries[index].sequence, expected[came[index]]);
        }
    }
    grove__vector_release(&vector);
}

Test(vector, is_as_it_was_when_there_is_no_memory)
{
    enum { REPLICAS = 100 };
    bool has_failed = true;
    for (size_t nth = 1; has_failed; nth++) {
        faulty_allocator faulty;
        grove__vector vector;
        faulty_allocator_init(&faulty, nth);
        grove__vector_init(&vector, &faulty.allocator);
        for (uint64_t number = 0; number < REPLICAS; number++) {
            grove_replica replica = numbered(number);
            if (!grove__vector_raise(&vector, &replica, number + 1)) {
                cr_assert(faulty.has_failed);
                cr_assert_eq(grove__vector_view(&vector).count, number);
                cr_assert_eq(grove__vector_next(&vector, &replica), 0);
                cr_assert(grove__vector_raise(&vector, &replica, number + 1));
            }
            cr_assert_eq(grove__vector_next(&vector, &replica), number + 1);
        }
        has_failed = faulty.has_failed;
        grove__vector_release(&vector);
        faulty_allocator_finish(&faulty);
    }
}

/* A list of events of several replicas in turns. */
static void make_list(grove__events *list, uint32_t replicas, uint32_t turns)
{
    for (uint32_t turn = 0; turn < turns; turn++) {
        grove_event_run run = {
            .first = {.replica = numbered(turn % replicas), .sequence = turn / replicas},
            .operation = {TEST_TYPING_INSERT, 1, 0, grove_bytes_of("x")}};
        cr_assert_eq(grove__events_append(list, &test_type_typing, &run, NULL), GROVE_OK);
    }
}

/* Events by their ids, one by one. */
Test(vector, tells_the_events_of_a_list_that_it_lacks)
{
    enum { REPLICAS = 3, TURNS = 9 };
    for (uint32_t way = 0; way < 4 * 4 * 4; way++) {
        static const uint64_t KNOWN[] = {0, 1, 2, UINT64_MAX};
        const uint64_t known[REPLICAS] = {KNOWN[way % 4], KNOWN[way / 4 % 4],
                                          KNOWN[way / 16]};
        grove__vector vector;
        grove__events list;
        grove__events lacking;
        grove__vector_init(&vector, &grove__allocator_system);
        grove__events_init(&list, &grove__allocator_system);
        grove__events_init(&lacking, &grove__allocator_system);
        make_list(&list, REPLICAS, TURNS);
        for (uint32_t number = 0; number < REPLICAS; number++) {
            grove_replica replica = numbered(number);
            cr_assert(grove__vector_raise(&vector, &replica, known[number]));
        }
        cr_assert_eq(grove__vector_append_lacking(&vector, &test_type_typing, &list, 1,
                                                  TURNS - 1, &lacking, NULL),
                     GROVE_OK);
        uint32_t event = 0;
        for (uint32_t turn = 1; turn < TURNS - 1; turn++) {
            if (turn / REPLICAS < known[turn % REPLICAS]) {
                continue;
            }
            const grove_replica replica = numbered(turn % REPLICAS);
            cr_assert_lt(event, lacking.count);
            const grove__parent is = grove__event_ids_at(&lacking, event++);
            cr_assert_eq(is.sequence, turn / REPLICAS);
            cr_assert(grove__replica_equal(&lacking.replicas[is.replica], &replica));
        }
        cr_assert_eq(lacking.count, event);
        grove__events_release(&lacking);
        grove__events_release(&list);
        grove__vector_release(&vector);
    }
}
