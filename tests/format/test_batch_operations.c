/* How operations are ordered, and such that break what a list promises. */
#include "format/batch_operations.h"

#include "format/batches.h"

static grove_operation lying_operations[5];
static size_t lying_count;

static grove_status lying_decode(const grove_document_type *type,
                                 grove_type_frames frames, uint64_t event_count,
                                 grove_buffer *operations_out, grove_buffer *scratch_out,
                                 grove_error *error_out)
{
    (void)type, (void)frames, (void)event_count, (void)scratch_out, (void)error_out;
    grove_buffer_append(operations_out, lying_operations,
                        lying_count * sizeof *lying_operations);
    return operations_out->failed ? GROVE_NO_MEMORY : GROVE_OK;
}

static grove_status decode_lying_parts(grove_bytes block, uint32_t parts,
                                       grove__events *events, size_t operations)
{
    grove_document_type type = test_type_typing;
    grove_error error;
    type.operations_decode = lying_decode;
    lying_count = operations;
    return decode(block, &type, parts, events, &error);
}

static grove_status decode_lying(grove_bytes block, grove__events *events,
                                 size_t operations)
{
    return decode_lying_parts(block, GROVE__DECODE_ALL, events, operations);
}

Test(batch_operations, a_type_whose_operations_do_not_fit_the_events_is_corrupt)
{
    grove__events events;
    grove_buffer block;
    grove__events_init(&events, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    grove_event_id first = id_of("a", 0);
    append(&events, first, NULL, 0, deletes(1));
    append(&events, id_of("b", 0), &first, 1, deletes(2));
    append(&events, id_of("b", 2), &first, 1, deletes(2));
    encode(&events, &test_type_typing, 0, RAW, &block);
    /* By events: 1 | 2 | 2. */
    static const struct {
        uint32_t counts[3];
        bool fits;
    } cases[] = {
        {{1, 2, 2}, true},  {{1, 2, 1}, false}, {{1, 2, 3}, false},
        {{2, 1, 2}, false}, {{1, 3, 1}, false}, {{0, 3, 2}, false},
        {{1, 4, 0}, false}, {{5, 0, 0}, false}, {{1, 2, UINT32_MAX}, false},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        for (size_t each = 0; each < 3; each++) {
            lying_operations[each] = deletes(cases[index].counts[each]);
        }
        cr_assert_eq(decode_lying(grove_buffer_view(&block), &events, 3),
                     cases[index].fits ? GROVE_OK : GROVE_CORRUPT, "case %zu", index);
    }
    for (size_t each = 0; each < 3; each++) {
        lying_operations[each] = deletes(cases[0].counts[each]);
    }
    cr_assert_eq(decode_lying(grove_buffer_view(&block), &events, 2), GROVE_CORRUPT);
    lying_operations[2].content.size = GROVE_CONTENT_BYTES_MAX + 1;
    cr_assert_eq(decode_lying(grove_buffer_view(&block), &events, 3), GROVE_CORRUPT);
    grove_buffer_release(&block);
    grove__events_release(&events);
}

/* Turns of two who type: a 0; b 0 and 1; a 1 and 2. */
static void append_turns(grove__events *events)
{
    grove_event_id first = id_of("a", 0);
    grove_event_id second = id_of("b", 1);
    append(events, first, NULL, 0,
           (grove_operation){TEST_TYPING_INSERT, 1, 0, grove_bytes_of("1")});
    append(events, id_of("b", 0), &first, 1,
           (grove_operation){TEST_TYPING_INSERT, 2, 9, grove_bytes_of("xy")});
    append(events, id_of("a", 1), &second, 1,
           (grove_operation){TEST_TYPING_INSERT, 2, 1, grove_bytes_of("23")});
}

Test(batch_operations, they_are_stored_replica_after_replica)
{
    grove__events events;
    grove__events decoded;
    grove_type_buffers buffers = {.structure_cut_count = 0};
    grove_buffer block;
    grove__events_init(&events, &grove__allocator_system);
    grove__events_init(&decoded, &grove__allocator_system);
    grove_buffer_init(&buffers.structure, &grove__allocator_system);
    grove_buffer_init(&buffers.content, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    append_turns(&events);
    cr_assert_eq(
        grove__batch_operations_encode(&events, &test_type_typing, &buffers, NULL),
        GROVE_OK);
    /* Counts above two bits of kind, and positions. */
    static const uint8_t expected[] = {1 << 2, 0, 2 << 2, 1, 2 << 2, 9};
    cr_assert_eq(buffers.structure.size, sizeof expected);
    cr_assert_eq(memcmp(buffers.structure.data, expected, sizeof expected), 0);
    cr_assert(
        grove__bytes_equal(grove_buffer_view(&buffers.content), grove_bytes_of("123xy")));
    encode(&events, &test_type_typing, 0, RAW, &block);
    decode_all(grove_buffer_view(&block), &test_type_typing, &decoded);
    test_events_check_same(&events, &decoded);
    grove_buffer_release(&buffers.structure);
    grove_buffer_release(&buffers.content);
    grove_buffer_release(&block);
    grove__events_release(&events);
    grove__events_release(&decoded);
}

Test(batch_operations, a_type_whose_operations_do_not_fit_the_replicas_is_corrupt)
{
    grove__events events;
    grove_buffer block;
    grove__events_init(&events, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    append_turns(&events);
    encode(&events, &test_type_typing, 0, RAW, &block);
    /* Stored by events: 1 2 | 2. */
    static const struct {
        size_t operations;
        uint32_t counts[5];
        bool fits;
    } cases[] = {
        {3, {1, 2, 2}, true},           {5, {1, 1, 1, 1, 1}, true},
        {4, {1, 2, 1, 1}, true},        {2, {3, 2}, false},
        {3, {2, 1, 2}, false},          {2, {1, 4}, false},
        {3, {1, 1, 3}, false},          {3, {1, 2, 1}, false},
        {3, {1, 2, 3}, false},          {2, {1, 2}, false},
        {4, {1, 2, 2, 1}, false},       {4, {1, 0, 2, 2}, false},
        {4, {1, 2, 2, 0}, false},       {0, {0}, false},
        {3, {1, 2, UINT32_MAX}, false},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        for (size_t each = 0; each < cases[index].operations; each++) {
            lying_operations[each] = deletes(cases[index].counts[each]);
        }
        cr_assert_eq(
            decode_lying(grove_buffer_view(&block), &events, cases[index].operations),
            cases[index].fits ? GROVE_OK : GROVE_CORRUPT, "case %zu", index);
    }
    grove_buffer_release(&block);
    grove__events_release(&events);
}

Test(batch_operations, content_that_no_operation_has_does_not_shift_what_comes_after)
{
    grove__events events;
    grove_buffer block;
    grove__events_init(&events, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    grove_event_id before = id_of("a", 2);
    append(&events, id_of("a", 0), NULL, 0,
           (grove_operation){TEST_TYPING_INSERT, 3, 9, grove_bytes_of("abc")});
    encode(&events, &test_type_typing, 0, RAW, &block);
    lying_operations[0] = deletes(3);
    cr_assert_eq(decode_lying(grove_buffer_view(&block), &events, 1), GROVE_OK);
    append(&events, id_of("a", 3), &before, 1,
           (grove_operation){TEST_TYPING_INSERT, 1, 0, grove_bytes_of("x")});
    grove_operations operations = grove__events_operations(&events);
    cr_assert_eq(operations.count, 2);
    cr_assert(grove__bytes_equal(operations.items[1].content, grove_bytes_of("x")));
    grove_buffer_release(&block);
    grove__events_release(&events);
}

Test(batch_operations, a_type_that_gives_contents_which_were_left_out_is_corrupt)
{
    grove__events events;
    grove_buffer block;
    grove__events_init(&events, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    append(&events, id_of("a", 0), NULL, 0,
           (grove_operation){TEST_TYPING_INSERT, 3, 9, grove_bytes_of("abc")});
    encode(&events, &test_type_typing, 0, RAW, &block);
    lying_operations[0] =
        (grove_operation){TEST_TYPING_INSERT, 3, 9, grove_bytes_of("abc")};
    uint32_t parts = GROVE__DECODE_GRAPH | GROVE__DECODE_OPERATIONS;
    cr_assert_eq(decode_lying_parts(grove_buffer_view(&block), parts, &events, 1),
                 GROVE_CORRUPT);
    lying_operations[0].content.size = 0;
    cr_assert_eq(decode_lying_parts(grove_buffer_view(&block), parts, &events, 1),
                 GROVE_OK);
    grove_buffer_release(&block);
    grove__events_release(&events);
}
