#include "format/batches.h"
#include "support/faulty_allocator.h"

enum { ROUNDS = 150, EVENTS_MAX = 400, ALONE_BYTES_MAX = 150 };

static grove__packing packing_of(int round)
{
    return round % 3 == 0   ? RAW
           : round % 3 == 1 ? grove__batch_packing_usual()
                            : grove__batch_packing_sealed(19);
}

Test(batch, every_list_comes_back_exactly)
{
    test_random random = test_random_of("every_list_comes_back_exactly");
    grove__events decoded;
    grove__events_init(&decoded, &grove__allocator_system);
    for (int round = 0; round < ROUNDS; round++) {
        test_history history =
            test_history_generate(&random, TYPES[test_random_below(&random, TYPE_COUNT)],
                                  test_random_below(&random, EVENTS_MAX));
        grove__events events;
        grove_buffer block;
        grove_buffer again;
        grove__events_init(&events, &grove__allocator_system);
        grove_buffer_init(&block, &grove__allocator_system);
        grove_buffer_init(&again, &grove__allocator_system);
        test_history_append(&history, 0, history.count, &events);
        encode(&events, history.type, history.reach, packing_of(round), &block);
        decode_all(grove_buffer_view(&block), history.type, &decoded);
        test_events_check_same(&events, &decoded);
        test_events_check(&decoded, history.type);
        test_history_check(&history, 0, history.count, &decoded);
        encode(&decoded, history.type, history.reach, packing_of(round), &again);
        cr_assert(
            grove__bytes_equal(grove_buffer_view(&block), grove_buffer_view(&again)));
        grove_buffer_release(&block);
        grove_buffer_release(&again);
        grove__events_release(&events);
        test_history_free(&history);
    }
    grove__events_release(&decoded);
}

Test(batch, a_decoded_list_goes_on_as_the_one_it_was)
{
    test_random random = test_random_of("a_decoded_list_goes_on_as_the_one_it_was");
    for (int round = 0; round < ROUNDS; round++) {
        test_history history =
            test_history_generate(&random, TYPES[round % TYPE_COUNT],
                                  1 + test_random_below(&random, EVENTS_MAX));
        size_t middle = test_random_below(&random, history.count);
        grove__events whole;
        grove__events events;
        grove__events second;
        grove_buffer block;
        grove__events_init(&whole, &grove__allocator_system);
        grove__events_init(&events, &grove__allocator_system);
        grove__events_init(&second, &grove__allocator_system);
        grove_buffer_init(&block, &grove__allocator_system);
        test_history_append(&history, 0, history.count, &whole);
        test_history_append(&history, 0, middle, &events);
        encode(&events, history.type, history.reach, packing_of(round), &block);
        decode_all(grove_buffer_view(&block), history.type, &events);
        if (round % 2 == 0) {
            test_history_append(&history, middle, history.count, &events);
        } else {
            /* As roll-up does: both were stored. */
            test_history_append(&history, middle, history.count, &second);
            grove_buffer_reset(&block);
            encode(&second, history.type, history.reach, RAW, &block);
            decode_all(grove_buffer_view(&block), history.type, &second);
            cr_assert_eq(grove__events_append_list(&events, history.type, &second, 0,
                                                   second.count, NULL),
                         GROVE_OK);
        }
        test_events_check_same(&whole, &events);
        grove_buffer_release(&block);
        grove__events_release(&whole);
        grove__events_release(&events);
        grove__events_release(&second);
        test_history_free(&history);
    }
}

/* What of a list a decoder was asked for, and nothing else. */
static void check_parts(grove__events *events, uint32_t parts, grove__events *part)
{
    bool has_operations = (parts & GROVE__DECODE_OPERATIONS) != 0;
    bool has_graph = (parts & GROVE__DECODE_GRAPH) != 0 || has_operations;
    bool has_contents = (parts & GROVE__DECODE_CONTENTS) != 0;
    bool has_times = (parts & GROVE__DECODE_TIMESTAMPS) != 0;
    cr_assert_eq(part->count, events->count);
    cr_assert_eq(part->id_run_count, has_graph ? events->id_run_count : 0);
    cr_assert_eq(part->parent_run_count, has_graph ? events->parent_run_count : 0);
    cr_assert_eq(part->time_run_count, has_times ? events->time_run_count : 0);
    grove_operations all = grove__events_operations(events);
    grove_operations some = grove__events_operations(part);
    cr_assert_eq(some.count, has_operations ? all.count : 0);
    for (size_t index = 0; index < some.count; index++) {
        grove_operation expected = all.items[index];
        expected.content = has_contents ? expected.content : (grove_bytes){NULL, 0};
        test_operation_check_equal(&some.items[index], &expected, index);
    }
    bool has_bytes = part->content.size + part->scratch.size > 0;
    cr_assert_eq(has_bytes, has_operations && has_contents);
}

Test(batch, parts_are_read_without_the_others)
{
    test_random random = test_random_of("parts_are_read_without_the_others");
    for (size_t number = 0; number < sizeof TYPES / sizeof *TYPES; number++) {
        test_history history = test_history_generate(&random, TYPES[number], 200);
        grove__events events;
        grove__events part;
        grove_buffer block;
        grove_error error;
        grove__events_init(&events, &grove__allocator_system);
        grove_buffer_init(&block, &grove__allocator_system);
        test_history_append(&history, 0, history.count, &events);
        encode(&events, history.type, history.reach, RAW, &block);
        for (uint32_t parts = 0; parts <= GROVE__DECODE_ALL; parts++) {
            grove__events_init(&part, &grove__allocator_system);
            cr_assert_eq(
                decode(grove_buffer_view(&block), history.type, parts, &part, &error),
                GROVE_OK);
            check_parts(&events, parts, &part);
            grove__events_release(&part);
        }
        grove_buffer_release(&block);
        grove__events_release(&events);
        test_history_free(&history);
    }
}

Test(batch, a_content_that_nobody_asks_for_is_not_touched)
{
    grove__events events;
    grove_buffer block;
    grove__block opened;
    grove__batch_header header;
    grove_error error;
    grove__events_init(&events, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    append(&events, id_of("a", 0), NULL, 0,
           (grove_operation){TEST_TYPING_INSERT, 3, 9, grove_bytes_of("abc")});
    encode(&events, &test_type_typing, 0, RAW, &block);
    cr_assert_eq(grove__batch_open(grove_buffer_view(&block), &opened, &header, NULL),
                 GROVE_OK);
    cr_assert_eq(opened.frames[2].id, GROVE__FRAME_CONTENT);
    size_t content = opened.frames[2].offset;
    block.data[content] ^= 1;
    uint32_t parts = GROVE__DECODE_ALL & ~(uint32_t)GROVE__DECODE_CONTENTS;
    cr_assert_eq(decode(grove_buffer_view(&block), &test_type_typing, GROVE__DECODE_ALL,
                        &events, &error),
                 GROVE_CORRUPT);
    cr_assert_eq(
        decode(grove_buffer_view(&block), &test_type_typing, parts, &events, &error),
        GROVE_OK);
    cr_assert_eq(events.count, 3);
    grove_buffer_release(&block);
    grove__events_release(&events);
}

static grove_operation typed(const char *text)
{
    return (grove_operation){TEST_TYPING_INSERT, (uint32_t)strlen(text), 0,
                             grove_bytes_of(text)};
}

Test(batch, a_typed_character_takes_few_bytes)
{
    grove__events events;
    grove_buffer block;
    grove__events_init(&events, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    grove_event_id before = id_of("sixteen bytes id", 99999);
    append(&events, id_of("sixteen bytes id", 100000), &before, 1, typed("x"));
    encode(&events, &test_type_typing, 5, grove__batch_packing_usual(), &block);
    cr_assert_lt(block.size, ALONE_BYTES_MAX, "%zu bytes", block.size);
    grove_buffer_release(&block);
    grove__events_release(&events);
}

Test(batch, an_empty_list_is_a_batch_without_frames)
{
    grove__events events;
    grove_buffer block;
    grove__block opened;
    grove__batch_header header;
    grove__events_init(&events, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    encode(&events, &test_type_typing, 7, grove__batch_packing_usual(), &block);
    cr_assert_eq(grove__batch_open(grove_buffer_view(&block), &opened, &header, NULL),
                 GROVE_OK);
    cr_assert_eq(header.event_count, 0);
    cr_assert_eq(header.reach, 7);
    cr_assert_not(header.is_one_head);
    cr_assert_eq(opened.frame_count, 0);
    decode_all(grove_buffer_view(&block), &test_type_typing, &events);
    cr_assert_eq(events.count, 0);
    grove_buffer_release(&block);
    grove__events_release(&events);
}

Test(batch, a_batch_is_placed_after_it_was_encoded)
{
    grove__events events;
    grove_buffer block;
    grove__block opened;
    grove__batch_header header;
    grove__events_init(&events, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    grove_event_id before = id_of("a", 4);
    append(&events, id_of("a", 5), &before, 1, deletes(10));
    encode(&events, &test_type_typing, 41, RAW, &block);
    const uint64_t most = GROVE_DOCUMENT_EVENTS_MAX - 10;
    const uint64_t clocks[] = {0, 41, 42, most - 1, most, most + 1, 40};
    for (size_t index = 0; index < sizeof clocks / sizeof *clocks; index++) {
        grove__batch_place(block.data, clocks[index]);
        grove_status status =
            grove__batch_open(grove_buffer_view(&block), &opened, &header, NULL);
        cr_assert_eq(status, index < 5 ? GROVE_OK : GROVE_CORRUPT, "%zu", index);
        if (status == GROVE_OK) {
            cr_assert_eq(header.first_clock, clocks[index]);
            cr_assert_eq(header.reach, 41);
            cr_assert_eq(header.event_count, 10);
            cr_assert(header.is_one_head);
        }
    }
    grove__batch_place(block.data, 42);
    decode_all(grove_buffer_view(&block), &test_type_typing, &events);
    grove_buffer_release(&block);
    grove__events_release(&events);
}

Test(batch, a_root_reaches_back_to_the_beginning)
{
    grove__events events;
    grove_buffer block;
    grove__block opened;
    grove__batch_header header;
    grove__events_init(&events, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    grove_event_id before = id_of("a", 4);
    append(&events, id_of("a", 5), &before, 1, deletes(10));
    append(&events, id_of("b", 0), NULL, 0, deletes(10));
    encode(&events, &test_type_typing, 41, RAW, &block);
    cr_assert_eq(grove__batch_open(grove_buffer_view(&block), &opened, &header, NULL),
                 GROVE_OK);
    cr_assert_eq(header.reach, 0);
    grove_buffer_release(&block);
    grove__events_release(&events);
}

/* The naive heads of a history: events that no event has as a parent. */
static size_t heads_of(const test_history *history, bool *is_head)
{
    size_t heads = history->count;
    memset(is_head, 1, history->count);
    for (size_t event = 0; event < history->count; event++) {
        const grove_event_run *run = &history->runs[event];
        for (size_t each = 0; each < run->parent_count; each++) {
            for (size_t other = 0; other < event; other++) {
                if (is_head[other] &&
                    test_id_equal(&history->runs[other].first, &run->parents[each])) {
                    is_head[other] = false;
                    heads--;
                }
            }
        }
    }
    return heads;
}

Test(batch, the_header_lists_the_heads)
{
    test_random random = test_random_of("the_header_lists_the_heads");
    for (int round = 0; round < ROUNDS / 3; round++) {
        bool is_head[EVENTS_MAX];
        test_history history = test_history_generate(
            &random, &test_type_typing, 1 + test_random_below(&random, EVENTS_MAX - 1));
        size_t heads = heads_of(&history, is_head);
        grove__events events;
        grove_buffer block;
        grove__block opened;
        grove__batch_header header;
        grove__events_init(&events, &grove__allocator_system);
        grove_buffer_init(&block, &grove__allocator_system);
        test_history_append(&history, 0, history.count, &events);
        encode(&events, history.type, history.reach, RAW, &block);
        cr_assert_eq(grove__batch_open(grove_buffer_view(&block), &opened, &header, NULL),
                     GROVE_OK);
        cr_assert_eq(header.is_one_head, heads == 1);
        grove_reader fields = grove_reader_of(opened.fields);
        (void)grove_reader_bytes(&fields, 16);
        cr_assert_eq(grove_reader_varint(&fields), heads > 64 ? 0 : heads);
        size_t at = history.count;
        for (size_t index = 0; index < heads && heads <= 64; index++) {
            at -= grove_reader_varint(&fields);
            cr_assert(is_head[at]);
        }
        cr_assert(grove_reader_done(&fields));
        grove_buffer_release(&block);
        grove__events_release(&events);
        test_history_free(&history);
    }
}

Test(batch, heads_are_listed_up_to_sixty_four)
{
    for (uint64_t heads = 63; heads <= 65; heads++) {
        grove__events events;
        grove_buffer block;
        grove__block opened;
        grove__batch_header header;
        grove__events_init(&events, &grove__allocator_system);
        grove_buffer_init(&block, &grove__allocator_system);
        for (uint64_t head = 0; head < heads; head++) {
            append(&events, id_of("a", head), NULL, 0, deletes(1));
        }
        encode(&events, &test_type_typing, 0, RAW, &block);
        cr_assert_eq(grove__batch_open(grove_buffer_view(&block), &opened, &header, NULL),
                     GROVE_OK);
        cr_assert_eq(opened.fields.data[16], heads <= 64 ? heads : 0);
        cr_assert_not(header.is_one_head);
        decode_all(grove_buffer_view(&block), &test_type_typing, &events);
        grove_buffer_release(&block);
        grove__events_release(&events);
    }
}

/* ---- Limits ---- */

Test(batch, limits_can_be_reached)
{
    static grove_event_id parents[GROVE_EVENT_PARENTS_MAX];
    grove__events events;
    grove__events decoded;
    grove_buffer block;
    grove__events_init(&events, &grove__allocator_system);
    grove__events_init(&decoded, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    const uint64_t last = GROVE_DOCUMENT_EVENTS_MAX - 1;
    grove_event_id id = id_of("", last);
    id.replica.size = GROVE_REPLICA_BYTES_MAX;
    memset(id.replica.bytes, 0xff, GROVE_REPLICA_BYTES_MAX);
    for (uint64_t index = 0; index < GROVE_EVENT_PARENTS_MAX; index++) {
        parents[index] = id_of("p", last - index);
    }
    append(&events, id, parents, GROVE_EVENT_PARENTS_MAX, deletes(1));
    append(&events, id_of("b", 0), &id, 1, deletes(GROVE_BATCH_EVENTS_MAX - 1));
    encode(&events, &test_type_typing, 1, RAW, &block);
    cr_assert_eq(events.count, GROVE_BATCH_EVENTS_MAX);
    decode_all(grove_buffer_view(&block), &test_type_typing, &decoded);
    test_events_check_same(&events, &decoded);
    grove_buffer_release(&block);
    grove__events_release(&events);
    grove__events_release(&decoded);
}

Test(batch, a_failed_allocation_is_no_memory_and_leaks_nothing)
{
    test_random random =
        test_random_of("a_failed_allocation_is_no_memory_and_leaks_nothing");
    for (int round = 0; round < TYPE_COUNT; round++) {
        const grove_document_type *type = TYPES[round];
        test_history history = test_history_generate(&random, type, 150);
        bool has_failed = true;
        for (size_t nth = 1; has_failed; nth++) {
            faulty_allocator faulty;
            faulty_allocator_init(&faulty, 0);
            grove__events events;
            grove_buffer block;
            grove_error error;
            grove__events_init(&events, &faulty.allocator);
            grove_buffer_init(&block, &faulty.allocator);
            grove_buffer_append(&block, "before", 6);
            test_history_append(&history, 0, history.count, &events);
            faulty.fails_at = faulty.calls + nth;
            grove_status status =
                grove__batch_encode(&events, type, history.reach,
                                    grove__batch_packing_sealed(1), &block, NULL);
            if (status != GROVE_OK) {
                cr_assert_eq(block.size, 6);
            } else {
                grove_bytes bytes = {block.data + 6, block.size - 6};
                status = decode(bytes, type, GROVE__DECODE_ALL, &events, &error);
                cr_assert_eq(events.count, status == GROVE_OK ? history.count : 0);
            }
            has_failed = faulty.has_failed;
            cr_assert_eq(status, has_failed ? GROVE_NO_MEMORY : GROVE_OK);
            grove__events_release(&events);
            grove_buffer_release(&block);
            faulty_allocator_finish(&faulty);
        }
        test_history_free(&history);
    }
}
