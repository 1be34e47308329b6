#include <signal.h>

#include <criterion/criterion.h>

#include "base/alloc.h"
#include "support/faulty_allocator.h"
#include "support/random_events.h"

enum { ROUNDS = 200, OPERATIONS_MAX = 300 };

/* What an encoder wrote, and what a decoder makes of it. */
typedef struct schema_stage {
    const grove_document_type *type;
    grove_type_buffers buffers;
    grove_buffer operations;
    grove_buffer scratch;
    grove_error error;
} schema_stage;

static void stage_init(schema_stage *stage, const grove_document_type *type,
                       const grove_allocator *allocator)
{
    memset(stage, 0, sizeof *stage);
    stage->type = type;
    grove_buffer_init(&stage->buffers.structure, allocator);
    grove_buffer_init(&stage->buffers.content, allocator);
    grove_buffer_init(&stage->operations, allocator);
    grove_buffer_init(&stage->scratch, allocator);
}

static void stage_release(schema_stage *stage)
{
    grove_buffer_release(&stage->buffers.structure);
    grove_buffer_release(&stage->buffers.content);
    grove_buffer_release(&stage->operations);
    grove_buffer_release(&stage->scratch);
}

static grove_status encode(schema_stage *stage, const grove_operation *items,
                           size_t count)
{
    return grove_schema_operations_encode(stage->type, (grove_operations){items, count},
                                          &stage->buffers, &stage->error);
}

static grove_status decode_frames(schema_stage *stage, grove_bytes structure,
                                  grove_bytes content, uint64_t event_count)
{
    grove_buffer_reset(&stage->operations);
    grove_buffer_reset(&stage->scratch);
    return grove_schema_operations_decode(
        stage->type, (grove_type_frames){structure, content, false}, event_count,
        &stage->operations, &stage->scratch, &stage->error);
}

static grove_status decode(schema_stage *stage, uint64_t event_count)
{
    return decode_frames(stage, grove_buffer_view(&stage->buffers.structure),
                         grove_buffer_view(&stage->buffers.content), event_count);
}

static void check_decoded(const schema_stage *stage, const grove_operation *items,
                          size_t count)
{
    const grove_operation *decoded =
        (const grove_operation *)(void *)stage->operations.data;
    cr_assert_eq(stage->operations.size, count * sizeof *items);
    for (size_t index = 0; index < count; index++) {
        test_operation_check_equal(&decoded[index], &items[index], index);
    }
}

/* The same operations come without their contents. */
static void check_without_contents(schema_stage *stage, const grove_operation *items,
                                   size_t count)
{
    grove_type_frames frames = {
        grove_buffer_view(&stage->buffers.structure), {NULL, 0}, true};
    grove_buffer_reset(&stage->operations);
    grove_buffer_reset(&stage->scratch);
    cr_assert_eq(grove_schema_operations_decode(stage->type, frames, count,
                                                &stage->operations, &stage->scratch,
                                                &stage->error),
                 GROVE_OK);
    const grove_operation *decoded =
        (const grove_operation *)(void *)stage->operations.data;
    cr_assert_eq(stage->operations.size, count * sizeof *items);
    cr_assert_eq(stage->scratch.size, 0);
    for (size_t index = 0; index < count; index++) {
        grove_operation expected = items[index];
        expected.content = (grove_bytes){NULL, 0};
        test_operation_check_equal(&decoded[index], &expected, index);
    }
}

/* The operations of a random history. */
static grove_operation *operations_of(const test_history *history)
{
    grove_operation *items = test_allocate(history->count * sizeof *items);
    for (size_t index = 0; index < history->count; index++) {
        items[index] = history->runs[index].operation;
    }
    return items;
}

Test(schema, operations_of_all_kinds_round_trip)
{
    test_random random = test_random_of("operations_of_all_kinds_round_trip");
    for (int round = 0; round < ROUNDS; round++) {
        size_t count = test_random_below(&random, OPERATIONS_MAX);
        test_history history = test_history_generate(
            &random, round % 4 == 0 ? &test_type_payload : &test_type_mixed, count);
        grove_operation *items = operations_of(&history);
        schema_stage stage;
        stage_init(&stage, history.type, &grove__allocator_system);
        cr_assert_eq(encode(&stage, items, count), GROVE_OK);
        cr_assert_eq(decode(&stage, count), GROVE_OK);
        check_decoded(&stage, items, count);
        check_without_contents(&stage, items, count);
        size_t last = 0;
        for (size_t cut = 0; cut < stage.buffers.structure_cut_count; cut++) {
            cr_assert_gt(stage.buffers.structure_cuts[cut], last);
            last = stage.buffers.structure_cuts[cut];
        }
        cr_assert(last == 0 || last < stage.buffers.structure.size);
        free(items);
        stage_release(&stage);
        test_history_free(&history);
    }
}

Test(schema, operations_are_never_joined)
{
    grove_operation last = {0, 1, 0, {(const uint8_t *)"a", 1}};
    const grove_operation next = {0, 1, 0, {(const uint8_t *)"b", 1}};
    cr_assert_not(grove_schema_operation_join(&test_type_payload, &last, &next));
    cr_assert_eq(last.count, 1);
}

Test(schema, operations_are_never_cut, .signal = SIGABRT)
{
    const grove_operation whole = {0, 1, 0, {(const uint8_t *)"a", 1}};
    grove_operation first;
    grove_operation rest;
    grove_schema_operation_cut(&test_type_payload, &whole, 0, &first, &rest);
}

Test(schema, payloads_are_decoded_without_a_copy)
{
    schema_stage stage;
    stage_init(&stage, &test_type_payload, &grove__allocator_system);
    const grove_operation items[] = {{0, 1, 0, grove_bytes_of("first")},
                                     {0, 1, 0, {NULL, 0}},
                                     {0, 1, 0, grove_bytes_of("third")}};
    cr_assert_eq(encode(&stage, items, 3), GROVE_OK);
    static const uint8_t structure[] = {0x80, 0x01, 5, 0, 5};
    cr_assert_eq(stage.buffers.structure.size, sizeof structure);
    cr_assert_arr_eq(stage.buffers.structure.data, structure, sizeof structure);
    cr_assert_eq(decode(&stage, 3), GROVE_OK);
    check_decoded(&stage, items, 3);
    const grove_operation *decoded =
        (const grove_operation *)(void *)stage.operations.data;
    cr_assert_eq(decoded[0].content.data, stage.buffers.content.data);
    cr_assert_eq(decoded[2].content.data, stage.buffers.content.data + 5);
    cr_assert_eq(stage.scratch.size, 0);
    stage_release(&stage);
}

/* The example of docs/FORMAT.md. */
Test(schema, columns_are_where_the_format_says)
{
    static const uint8_t point[] = {0x96, 0x01, 0x05};
    static const uint8_t pair[] = {1, 'x', 7, 2, 'y', 'z'};
    const grove_operation items[] = {{TEST_MIXED_PLACED, 1, 10, grove_bytes_of("ab")},
                                     {TEST_MIXED_POINT, 1, 9, {point, sizeof point}},
                                     {TEST_MIXED_PING, 1, 0, {NULL, 0}},
                                     {TEST_MIXED_PING, 1, 0, {NULL, 0}},
                                     {TEST_MIXED_PAIR, 1, 0, {pair, sizeof pair}}};
    static const uint8_t structure[] = {
        0x05, 0x01, 0x43, 0x02, /* kinds: one of 5, one of 1, two of 3, one of 2 */
        0x14, 0x01,             /* positions: +10, -1 */
        0x96, 0x01, 0x05,       /* point: 150; -3 */
        0x01, 0x07, 0x02,       /* pair: 1 byte; 7; 2 bytes */
        0x00, 0x00,             /* ping */
        0x02,                   /* placed: 2 bytes */
    };
    schema_stage stage;
    stage_init(&stage, &test_type_mixed, &grove__allocator_system);
    cr_assert_eq(encode(&stage, items, 5), GROVE_OK);
    cr_assert_eq(stage.buffers.structure.size, sizeof structure);
    cr_assert_arr_eq(stage.buffers.structure.data, structure, sizeof structure);
    cr_assert_eq(stage.buffers.content.size, 5);
    cr_assert_arr_eq(stage.buffers.content.data, "abxyz", 5);
    stage_release(&stage);
}

typedef struct refusal {
    const char *name;
    grove_operation operation;
    grove_status status;
} refusal;

Test(schema, what_does_not_fit_the_schema_is_refused)
{
    static const uint8_t bytes[] = {0x81, 0x01, 0x80, 0x00, 5, 'x'};
    static const uint8_t pair[] = {1, 'x', 7, 0, 0};
    const grove_bytes none = {NULL, 0};
    const refusal refusals[] = {
        {"fits", {TEST_MIXED_PING, 1, 0, none}, GROVE_OK},
        {"kind", {TEST_MIXED_KINDS, 1, 0, none}, GROVE_INVALID},
        {"count 0", {TEST_MIXED_PING, 0, 0, none}, GROVE_INVALID},
        {"count 2", {TEST_MIXED_PING, 2, 0, none}, GROVE_INVALID},
        {"position", {TEST_MIXED_PING, 1, 1, none}, GROVE_INVALID},
        {"content of none", {TEST_MIXED_PING, 1, 0, {bytes, 1}}, GROVE_INVALID},
        {"fields missing", {TEST_MIXED_POINT, 1, 0, {bytes, 2}}, GROVE_INVALID},
        {"longer than needed", {TEST_MIXED_POINT, 1, 0, {bytes, 4}}, GROVE_INVALID},
        {"bytes too few", {TEST_MIXED_PAIR, 1, 0, {bytes + 4, 2}}, GROVE_INVALID},
        {"fields left over", {TEST_MIXED_PAIR, 1, 0, {pair, 5}}, GROVE_INVALID},
        {"too large",
         {TEST_MIXED_BYTES, 1, 0, {bytes, GROVE_CONTENT_BYTES_MAX + 1}},
         GROVE_LIMIT},
        {"as large as may be",
         {TEST_MIXED_BYTES, 1, 0, {bytes, GROVE_CONTENT_BYTES_MAX}},
         GROVE_OK},
    };
    for (size_t index = 0; index < sizeof refusals / sizeof *refusals; index++) {
        const refusal *each = &refusals[index];
        grove_error error = {GROVE_OK, 0, {0}};
        cr_assert_eq(
            grove_schema_operation_check(&test_type_mixed, &each->operation, &error),
            each->status, "%s", each->name);
        cr_assert_eq(error.status, each->status, "%s", each->name);
        if (each->status == GROVE_OK) {
            continue;
        }
        schema_stage stage;
        stage_init(&stage, &test_type_mixed, &grove__allocator_system);
        cr_assert_eq(encode(&stage, &each->operation, 1), each->status, "%s", each->name);
        cr_assert_eq(stage.buffers.structure.size, 0);
        stage_release(&stage);
    }
}

typedef struct lie {
    const char *name;
    uint64_t event_count;
    size_t structure_size;
    uint8_t structure[28];
    size_t content_size;
} lie;

static const lie LIES[] = {
    {"no kinds", 1, 0, {0}, 0},
    {"kind beyond the schema", 1, 2, {TEST_MIXED_KINDS, 0}, 0},
    {"kind 63", 1, 2, {63, 0}, 0},
    {"run of the same kind twice", 2, 4, {3, 3, 0, 0}, 0},
    {"run beyond the events", 1, 3, {0x43, 0, 0}, 0},
    {"run beyond all numbers",
     3,
     10,
     {0xc3, 255, 255, 255, 255, 255, 255, 255, 255, 1},
     0},
    {"fewer kinds than events", 2, 2, {3, 0}, 0},
    {"kind longer than needed", 1, 3, {0x83, 0x00, 0}, 0},
    {"zeros missing", 2, 2, {0x43, 0}, 0},
    {"zeros that are not", 1, 2, {3, 1}, 0},
    {"bytes left over", 1, 3, {3, 0, 0}, 0},
    {"position missing", 1, 1, {4}, 0},
    {"position over 64 bits",
     1,
     11,
     {4, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2},
     0},
    {"field missing", 1, 3, {1, 0, 0}, 0},
    {"content missing", 1, 2, {0, 2}, 1},
    {"content left over", 1, 2, {0, 2}, 3},
    {"field too large", 1, 6, {0, 0x81, 0x80, 0x80, 0x80, 0x04}, 1},
    {"fields that wrap to what is there",
     2,
     25,
     {0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 0x80, 0x80,
      0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1,    0,    0,    0, 1},
     1},
    {"content without a field", 1, 2, {3, 0}, 1},
};

Test(schema, a_lie_is_corrupt_and_says_where)
{
    static const uint8_t content[4] = {1, 2, 3, 4};
    for (size_t index = 0; index < sizeof LIES / sizeof *LIES; index++) {
        const lie *each = &LIES[index];
        schema_stage stage;
        stage_init(&stage, &test_type_mixed, &grove__allocator_system);
        cr_assert_eq(
            decode_frames(&stage, (grove_bytes){each->structure, each->structure_size},
                          (grove_bytes){content, each->content_size}, each->event_count),
            GROVE_CORRUPT, "%s", each->name);
        cr_assert_eq(stage.error.status, GROVE_CORRUPT, "%s", each->name);
        cr_assert_leq(stage.error.offset, each->structure_size, "%s", each->name);
        cr_assert_neq(stage.error.message[0], '\0');
        cr_assert_eq(stage.operations.size, 0);
        cr_assert_eq(stage.scratch.size, 0);
        stage_release(&stage);
    }
}

Test(schema, damaged_columns_fail_or_decode_to_what_the_schema_allows)
{
    test_random random =
        test_random_of("damaged_columns_fail_or_decode_to_what_the_schema_allows");
    for (int round = 0; round < ROUNDS / 10; round++) {
        size_t count = 1 + test_random_below(&random, 30);
        test_history history = test_history_generate(&random, &test_type_mixed, count);
        grove_operation *items = operations_of(&history);
        schema_stage stage;
        stage_init(&stage, history.type, &grove__allocator_system);
        cr_assert_eq(encode(&stage, items, count), GROVE_OK);
        grove_buffer *structure = &stage.buffers.structure;
        for (size_t bit = 0; bit < structure->size * 8; bit++) {
            structure->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            grove_status status = decode(&stage, count);
            structure->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            cr_assert(status == GROVE_OK || status == GROVE_CORRUPT);
            const grove_operation *decoded =
                (const grove_operation *)(void *)stage.operations.data;
            for (size_t index = 0; status == GROVE_OK && index < count; index++) {
                cr_assert_eq(
                    grove_schema_operation_check(history.type, &decoded[index], NULL),
                    GROVE_OK);
            }
        }
        /* Any shorter column is missing something. */
        for (size_t size = 0; size < structure->size; size++) {
            cr_assert_eq(decode_frames(&stage, (grove_bytes){structure->data, size},
                                       grove_buffer_view(&stage.buffers.content), count),
                         GROVE_CORRUPT);
        }
        free(items);
        stage_release(&stage);
        test_history_free(&history);
    }
}

Test(schema, a_lying_event_count_costs_no_memory)
{
    grove__budget budget;
    grove__budget_init(&budget, &grove__allocator_system, 1 << 16);
    schema_stage stage;
    stage_init(&stage, &test_type_mixed, &budget.allocator);
    /* A run of 2^28 operations of each kind, in five bytes. */
    for (uint64_t kind = 0; kind < TEST_MIXED_KINDS; kind++) {
        grove_buffer_reset(&stage.buffers.structure);
        grove_buffer_varint(&stage.buffers.structure,
                            (uint64_t)(GROVE_BATCH_EVENTS_MAX - 1) * 64 + kind);
        for (int byte = 0; byte < 20; byte++) {
            grove_buffer_u8(&stage.buffers.structure, 0);
        }
        cr_assert_eq(decode(&stage, GROVE_BATCH_EVENTS_MAX), GROVE_CORRUPT);
    }
    stage_release(&stage);
    cr_assert_eq(atomic_load(&budget.used), 0);
}

Test(schema, limits_of_kinds_and_fields_can_be_used)
{
    static const grove_field_type fields[GROVE_SCHEMA_FIELDS_MAX] = {
        GROVE_FIELD_BYTES, GROVE_FIELD_UNSIGNED};
    static grove_schema_kind kinds[GROVE_SCHEMA_KINDS_MAX];
    for (size_t index = 0; index < GROVE_SCHEMA_KINDS_MAX; index++) {
        kinds[index] = (grove_schema_kind){"kind", true, GROVE_SCHEMA_FIELDS_MAX, fields};
    }
    const grove_schema schema = {GROVE_SCHEMA_KINDS_MAX, kinds};
    grove_document_type type = test_type_mixed;
    type.schema = &schema;
    test_random random = test_random_of("limits_of_kinds_and_fields_can_be_used");
    test_history history = test_history_generate(&random, &type, OPERATIONS_MAX);
    grove_operation *items = operations_of(&history);
    schema_stage stage;
    stage_init(&stage, &type, &grove__allocator_system);
    cr_assert_eq(encode(&stage, items, OPERATIONS_MAX), GROVE_OK);
    cr_assert_eq(decode(&stage, OPERATIONS_MAX), GROVE_OK);
    check_decoded(&stage, items, OPERATIONS_MAX);
    cr_assert_leq(stage.buffers.structure_cut_count, GROVE_TYPE_CUTS_MAX);
    free(items);
    stage_release(&stage);
    test_history_free(&history);
}

Test(schema, a_failed_allocation_is_no_memory_and_leaks_nothing)
{
    test_random random =
        test_random_of("a_failed_allocation_is_no_memory_and_leaks_nothing");
    test_history history = test_history_generate(&random, &test_type_mixed, 100);
    grove_operation *items = operations_of(&history);
    bool has_failed = true;
    for (size_t nth = 1; has_failed; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        schema_stage stage;
        stage_init(&stage, history.type, &faulty.allocator);
        grove_status status = encode(&stage, items, history.count);
        if (status == GROVE_OK) {
            status = decode(&stage, history.count);
        }
        has_failed = faulty.has_failed;
        cr_assert_eq(status, has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        stage_release(&stage);
        faulty_allocator_finish(&faulty);
    }
    free(items);
    test_history_free(&history);
}
