/*
 * Small document types to test with.
 *
 *   test_type_typing   runs that join: typed bytes and directed deletes
 *   test_type_payload  a schema of one kind with one field of bytes
 *   test_type_mixed    a schema with every sort of field and kind
 *
 * None has a state: test_type's state functions fail the test.
 */
#ifndef GROVE_TESTS_TEST_TYPES_H
#define GROVE_TESTS_TEST_TYPES_H

#include <criterion/criterion.h>

#include <grove/sys/document_type.h>

/* State functions of types that are only listed, stored and read. */
static inline grove_status test_state_new(const grove_document_type *type,
                                          const grove_allocator *allocator,
                                          void **state_out)
{
    (void)type, (void)allocator, (void)state_out;
    cr_assert_fail("a test type has no state");
    return GROVE_UNSUPPORTED;
}

static inline void test_state_free(const grove_document_type *type, void *state)
{
    (void)type, (void)state;
}

static inline grove_status test_state_apply(const grove_document_type *type, void *state,
                                            grove_operations operations,
                                            grove_stamps stamps, grove_error *error_out)
{
    (void)type, (void)state, (void)operations, (void)stamps, (void)error_out;
    cr_assert_fail("a test type has no state");
    return GROVE_UNSUPPORTED;
}

static inline grove_status test_state_encode(const grove_document_type *type,
                                             const void *state,
                                             grove_type_buffers *buffers,
                                             grove_error *error_out)
{
    (void)type, (void)state, (void)buffers, (void)error_out;
    cr_assert_fail("a test type has no state");
    return GROVE_UNSUPPORTED;
}

static inline grove_status test_state_decode(const grove_document_type *type,
                                             const grove_allocator *allocator,
                                             grove_type_frames frames, void **state_out,
                                             grove_error *error_out)
{
    (void)type, (void)allocator, (void)frames, (void)state_out, (void)error_out;
    cr_assert_fail("a test type has no state");
    return GROVE_UNSUPPORTED;
}

static inline uint64_t test_state_bytes(const grove_document_type *type,
                                        const void *state)
{
    (void)type, (void)state;
    return 0;
}

/*
 * Typing. An insert has `count` bytes of content that go to `position` and
 * after it. Of deletes the k-th event deletes at `position` (forward) or at
 * `position + count - 1 - k` (backward); a single delete has no direction.
 */
enum {
    TEST_TYPING_INSERT = 0,
    TEST_TYPING_DELETE = 1,
    TEST_TYPING_FORWARD = 2,
    TEST_TYPING_BACKWARD = 3
};

static inline grove_status test_typing_check(const grove_document_type *type,
                                             const grove_operation *operation,
                                             grove_error *error_out)
{
    (void)type, (void)error_out;
    size_t bytes = operation->kind == TEST_TYPING_INSERT ? operation->count : 0;
    bool is_single = operation->count == 1;
    bool is_fit = operation->kind <= TEST_TYPING_BACKWARD && operation->count > 0 &&
                  operation->content.size == bytes &&
                  (operation->kind == TEST_TYPING_INSERT ||
                   is_single == (operation->kind == TEST_TYPING_DELETE));
    return is_fit ? GROVE_OK : GROVE_INVALID;
}

static inline bool test_typing_join(const grove_document_type *type,
                                    grove_operation *last, const grove_operation *next)
{
    (void)type;
    bool is_insert = last->kind == TEST_TYPING_INSERT;
    if (is_insert != (next->kind == TEST_TYPING_INSERT)) {
        return false;
    }
    if (is_insert) {
        if (next->position != last->position + last->count) {
            return false;
        }
        last->count += next->count;
        return true;
    }
    if (last->kind != TEST_TYPING_BACKWARD && next->kind != TEST_TYPING_BACKWARD &&
        next->position == last->position) {
        last->kind = TEST_TYPING_FORWARD;
        last->count += next->count;
        return true;
    }
    if (last->kind != TEST_TYPING_FORWARD && next->kind != TEST_TYPING_FORWARD &&
        next->position + next->count == last->position) {
        last->kind = TEST_TYPING_BACKWARD;
        last->count += next->count;
        last->position = next->position;
        return true;
    }
    return false;
}

static inline void test_typing_cut(const grove_document_type *type,
                                   const grove_operation *operation, uint32_t count,
                                   grove_operation *first_out, grove_operation *rest_out)
{
    (void)type;
    cr_assert(count > 0 && count < operation->count);
    uint32_t left = operation->count - count;
    uint64_t position = operation->position;
    *first_out = *operation;
    *rest_out = *operation;
    first_out->count = count;
    rest_out->count = left;
    if (operation->kind == TEST_TYPING_INSERT) {
        first_out->content.size = count;
        rest_out->content.size = left;
        rest_out->content.data = operation->content.data + count;
        rest_out->position = position + count;
        return;
    }
    if (operation->kind == TEST_TYPING_BACKWARD) {
        first_out->position = position + left;
    }
    first_out->kind = count == 1 ? TEST_TYPING_DELETE : operation->kind;
    rest_out->kind = left == 1 ? TEST_TYPING_DELETE : operation->kind;
}

static inline grove_status test_typing_encode(const grove_document_type *type,
                                              grove_operations operations,
                                              grove_type_buffers *buffers,
                                              grove_error *error_out)
{
    (void)type, (void)error_out;
    for (size_t index = 0; index < operations.count; index++) {
        const grove_operation *item = &operations.items[index];
        grove_buffer_varint(&buffers->structure, (uint64_t)item->count << 2 | item->kind);
        grove_buffer_varint(&buffers->structure, item->position);
        grove_buffer_append(&buffers->content, item->content.data, item->content.size);
    }
    return buffers->structure.failed || buffers->content.failed ? GROVE_NO_MEMORY
                                                                : GROVE_OK;
}

static inline grove_status test_typing_decode(
    const grove_document_type *type, grove_type_frames frames, uint64_t event_count,
    grove_buffer *operations_out, grove_buffer *scratch_out, grove_error *error_out)
{
    (void)scratch_out;
    grove_reader reader = grove_reader_of(frames.structure);
    grove_reader content = grove_reader_of(frames.content);
    uint64_t events = 0;
    bool is_fit = true;
    while (is_fit && !reader.failed && events < event_count) {
        uint64_t head = grove_reader_varint(&reader);
        uint64_t position = grove_reader_varint(&reader);
        grove_operation item = {(uint32_t)(head & 3), 0, position, {NULL, 0}};
        is_fit = head >> 2 <= event_count - events;
        item.count = is_fit ? (uint32_t)(head >> 2) : 0;
        bool has_content = item.kind == TEST_TYPING_INSERT && !frames.is_content_left_out;
        if (has_content) {
            item.content = grove_reader_bytes(&content, item.count);
        }
        is_fit = is_fit && (frames.is_content_left_out ||
                            test_typing_check(type, &item, NULL) == GROVE_OK);
        events += item.count;
        grove_buffer_append(operations_out, &item, sizeof item);
    }
    if (operations_out->failed) {
        return GROVE_NO_MEMORY;
    }
    if (!is_fit || !grove_reader_done(&reader) || !grove_reader_done(&content)) {
        if (error_out != NULL) {
            *error_out = (grove_error){GROVE_CORRUPT, reader.offset, "typing"};
        }
        return GROVE_CORRUPT;
    }
    return GROVE_OK;
}

static const grove_document_type test_type_typing = {
    .abi = GROVE_DOCUMENT_TYPE_ABI,
    .name = "test-typing",
    .format = 1,
    .capabilities = GROVE_TYPE_CONCURRENT,
    .operation_check = test_typing_check,
    .operation_join = test_typing_join,
    .operation_cut = test_typing_cut,
    .operations_encode = test_typing_encode,
    .operations_decode = test_typing_decode,
    .state_new = test_state_new,
    .state_free = test_state_free,
    .state_apply = test_state_apply,
    .state_encode = test_state_encode,
    .state_decode = test_state_decode,
    .state_bytes = test_state_bytes,
};

static const grove_field_type test_fields_bytes[] = {GROVE_FIELD_BYTES};
static const grove_field_type test_fields_point[] = {GROVE_FIELD_UNSIGNED,
                                                     GROVE_FIELD_SIGNED};
static const grove_field_type test_fields_pair[] = {
    GROVE_FIELD_BYTES, GROVE_FIELD_UNSIGNED, GROVE_FIELD_BYTES};

static const grove_schema_kind test_kinds_payload[] = {
    {"payload", false, 1, test_fields_bytes}};
static const grove_schema test_schema_payload = {1, test_kinds_payload};

enum {
    TEST_MIXED_BYTES = 0,  /* one field of bytes: contents without a size */
    TEST_MIXED_POINT = 1,  /* numbers, with a position */
    TEST_MIXED_PAIR = 2,   /* bytes twice */
    TEST_MIXED_PING = 3,   /* nothing at all */
    TEST_MIXED_PLACE = 4,  /* a position only */
    TEST_MIXED_PLACED = 5, /* one field of bytes, with a position */
    TEST_MIXED_KINDS = 6
};
static const grove_schema_kind test_kinds_mixed[TEST_MIXED_KINDS] = {
    {"bytes", false, 1, test_fields_bytes},
    {"point", true, 2, test_fields_point},
    {"pair", false, 3, test_fields_pair},
    {"ping", false, 0, NULL},
    {"place", true, 0, NULL},
    {"placed", true, 1, test_fields_bytes}};
static const grove_schema test_schema_mixed = {TEST_MIXED_KINDS, test_kinds_mixed};

#define TEST_SCHEMA_TYPE(type_name, type_schema)                            \
    {                                                                       \
        .abi = GROVE_DOCUMENT_TYPE_ABI, .name = (type_name), .format = 1,   \
        .capabilities = GROVE_TYPE_CONCURRENT, .schema = (type_schema),     \
        .operation_check = grove_schema_operation_check,                    \
        .operation_join = grove_schema_operation_join,                      \
        .operation_cut = grove_schema_operation_cut,                        \
        .operations_encode = grove_schema_operations_encode,                \
        .operations_decode = grove_schema_operations_decode,                \
        .state_new = test_state_new, .state_free = test_state_free,         \
        .state_apply = test_state_apply, .state_encode = test_state_encode, \
        .state_decode = test_state_decode, .state_bytes = test_state_bytes, \
    }

static const grove_document_type test_type_payload =
    TEST_SCHEMA_TYPE("test-payload", &test_schema_payload);
static const grove_document_type test_type_mixed =
    TEST_SCHEMA_TYPE("test-mixed", &test_schema_mixed);

#endif
