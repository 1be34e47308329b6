#include "tree/operation.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "support/faulty_allocator.h"
#include "support/random.h"

#define BYTES(text)                               \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }

static grove_status decode(uint8_t kind, grove_bytes content,
                           grove__tree_operation *operation_out, grove_error *error_out)
{
    const grove_operation operation = {kind, 1, 0, content};
    return grove__tree_operation_decode(&operation, operation_out, error_out);
}

/* --- there and back --- */

typedef struct written_case {
    const char *claim;
    grove__tree_operation operation;
    grove_bytes content;
} written_case;

static const written_case WRITTEN[] = {
    {"a put at the beginning below the root",
     {.kind = GROVE_TREE_PUT},
     BYTES("\0\0\0\0\0\0\0\0")},
    {"a put right of what the same replica made just before",
     {.kind = GROVE_TREE_PUT,
      .parent = {GROVE__TREE_REFERENCE_OWN, 2, {NULL, 0}},
      .anchor = {GROVE__TREE_REFERENCE_OWN, 1, {NULL, 0}},
      .id = BYTES("\0\xff"),
      .type = BYTES("p\xc3\xa4"),
      .attributes = BYTES("\1a\1\0\2ab\2\3\1"),
      .metadata = BYTES("who")},
     BYTES("\5\0\6\0\2\0\xff\3p\xc3\xa4\x0a\1a\1\0\2ab\2\3\1\3who")},
    {"a move left of what another replica made first",
     {.kind = GROVE_TREE_MOVE,
      .node = {GROVE__TREE_REFERENCE_OTHER, 0, BYTES("x")},
      .parent = {GROVE__TREE_REFERENCE_OTHER, 100, BYTES("yz")},
      .anchor = {GROVE__TREE_REFERENCE_OTHER, 0, BYTES("\0")},
      .is_left = true},
     BYTES("\2\1x\xca\1\2yz\5\1\0\0")},
    {"a move to below the root",
     {.kind = GROVE_TREE_MOVE, .node = {GROVE__TREE_REFERENCE_OWN, 1, {NULL, 0}}},
     BYTES("\3\0\0\0\0\0\0")},
    {"an attribute of the root is set to an empty text",
     {.kind = GROVE_TREE_SET, .name = BYTES("n"), .value = BYTES("\5")},
     BYTES("\0\0\1n\1\5\0")},
    {"and unset",
     {.kind = GROVE_TREE_UNSET, .name = BYTES("n"), .metadata = BYTES("\0")},
     BYTES("\0\0\1n\1\0")},
    {"a node is deleted",
     {.kind = GROVE_TREE_DELETE, .node = {GROVE__TREE_REFERENCE_OWN, 64, {NULL, 0}}},
     BYTES("\x81\1\0\0")},
    {"and restored",
     {.kind = GROVE_TREE_RESTORE, .node = {GROVE__TREE_REFERENCE_OWN, 65, {NULL, 0}}},
     BYTES("\x83\1\0\0")},
};

static void check_reference(const grove__tree_reference *reference,
                            const grove__tree_reference *expected, const char *claim)
{
    cr_expect_eq(reference->kind, expected->kind, "%s", claim);
    cr_expect_eq(reference->number, expected->number, "%s", claim);
    cr_expect(grove__bytes_equal(reference->replica, expected->replica), "%s", claim);
}

static void check_same(const grove__tree_operation *operation,
                       const grove__tree_operation *expected, const char *claim)
{
    cr_expect_eq(operation->kind, expected->kind, "%s", claim);
    cr_expect_eq(operation->is_left, expected->is_left, "%s", claim);
    check_reference(&operation->node, &expected->node, claim);
    check_reference(&operation->parent, &expected->parent, claim);
    check_reference(&operation->anchor, &expected->anchor, claim);
    const grove_bytes pairs[][2] = {
        {operation->id, expected->id},
        {operation->type, expected->type},
        {operation->attributes, expected->attributes},
        {operation->name, expected->name},
        {operation->value, expected->value},
        {operation->metadata, expected->metadata},
    };
    for (size_t index = 0; index < sizeof pairs / sizeof *pairs; index++) {
        cr_expect(grove__bytes_equal(pairs[index][0], pairs[index][1]), "%s: bytes %zu",
                  claim, index);
    }
}

Test(operation, of_each_kind_has_this_content_and_comes_back)
{
    for (size_t index = 0; index < sizeof WRITTEN / sizeof *WRITTEN; index++) {
        const written_case *written = &WRITTEN[index];
        grove__tree_operation decoded;
        grove_buffer content;
        grove_buffer_init(&content, &grove__allocator_system);
        grove__tree_operation_encode(&written->operation, &content);
        cr_expect(grove__bytes_equal(grove_buffer_view(&content), written->content), "%s",
                  written->claim);
        cr_assert_eq(
            decode((uint8_t)written->operation.kind, written->content, &decoded, NULL),
            GROVE_OK, "%s", written->claim);
        check_same(&decoded, &written->operation, written->claim);
        grove_buffer_release(&content);
    }
}

/* Fields of a schema are the same bytes: what the type stores in columns is
 * what it decodes. */
Test(operation, is_well_formed_to_the_schema)
{
    const grove_document_type type = {.schema = &grove__tree_schema};
    for (size_t index = 0; index < sizeof WRITTEN / sizeof *WRITTEN; index++) {
        const grove_operation operation = {(uint8_t)WRITTEN[index].operation.kind, 1, 0,
                                           WRITTEN[index].content};
        cr_expect_eq(grove_schema_operation_check(&type, &operation, NULL), GROVE_OK,
                     "%s", WRITTEN[index].claim);
    }
}

/* --- what is not well-formed --- */

typedef struct malformed_case {
    const char *claim;
    uint8_t kind;
    grove_bytes content;
    size_t offset;
} malformed_case;

static const malformed_case MALFORMED[] = {
    {"nothing at all", GROVE_TREE_PUT, {NULL, 0}, 0},
    {"a kind that there is not", 6, BYTES("\0\0\0"), 0},
    {"no metadata", GROVE_TREE_DELETE, BYTES("\3\0"), 2},
    {"something after the end", GROVE_TREE_DELETE, BYTES("\3\0\0\0"), 3},
    {"a number that is longer than it must be", GROVE_TREE_DELETE, BYTES("\x83\0\0\0"),
     0},
    {"a number of more than 64 bits", GROVE_TREE_DELETE,
     BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\2\0\0"), 0},
    {"bytes beyond the end", GROVE_TREE_DELETE, BYTES("\3\0\2x"), 3},
    {"the root with a replica's name", GROVE_TREE_SET, BYTES("\0\1x\1n\1\0\0"), 3},
    {"an own event with a replica's name", GROVE_TREE_DELETE, BYTES("\3\1x\0"), 3},
    {"an own event that is the event itself", GROVE_TREE_DELETE, BYTES("\1\0\0"), 2},
    {"another's event without a name", GROVE_TREE_DELETE, BYTES("\2\0\0"), 2},
    {"left of the beginning", GROVE_TREE_MOVE, BYTES("\3\0\0\0\1\0\0"), 6},
    {"an anchor that is the event itself", GROVE_TREE_PUT, BYTES("\0\0\2\0\0\0\0\0"), 4},
    {"an anchor of another without a name", GROVE_TREE_PUT, BYTES("\0\0\4\0\0\0\0\0"), 4},
    {"a type that is not UTF-8", GROVE_TREE_PUT, BYTES("\0\0\0\0\0\1\xff\0\0"), 7},
    {"a name that is empty", GROVE_TREE_UNSET, BYTES("\0\0\0\0"), 3},
    {"a name that is not UTF-8", GROVE_TREE_UNSET, BYTES("\0\0\1\x80\0"), 4},
    {"no value", GROVE_TREE_SET, BYTES("\0\0\1n\0\0"), 5},
    {"a value of no kind", GROVE_TREE_SET, BYTES("\0\0\1n\1\7\0"), 6},
    {"a value that goes on", GROVE_TREE_SET, BYTES("\0\0\1n\2\0\0\0"), 7},
    {"attributes that end within a name", GROVE_TREE_PUT, BYTES("\0\0\0\0\0\0\2\2a\0"),
     9},
    {"an attribute without a value", GROVE_TREE_PUT, BYTES("\0\0\0\0\0\0\2\1a\0"), 9},
    {"an attribute with a value of no kind", GROVE_TREE_PUT,
     BYTES("\0\0\0\0\0\0\4\1a\1\7\0"), 11},
    {"an attribute without a name", GROVE_TREE_PUT, BYTES("\0\0\0\0\0\0\3\0\1\0\0"), 10},
    {"an attribute twice", GROVE_TREE_PUT, BYTES("\0\0\0\0\0\0\x8\1a\1\0\1a\1\0\0"), 15},
    {"attributes in another order", GROVE_TREE_PUT,
     BYTES("\0\0\0\0\0\0\x8\1b\1\0\1a\1\0\0"), 15},
};

static const grove__tree_operation UNTOUCHED = {.metadata = BYTES("untouched")};

Test(operation, that_is_malformed_is_refused_with_the_place_of_the_fault)
{
    for (size_t index = 0; index < sizeof MALFORMED / sizeof *MALFORMED; index++) {
        const malformed_case *bad = &MALFORMED[index];
        grove__tree_operation decoded = UNTOUCHED;
        grove_error error = {GROVE_OK, 0, ""};
        cr_expect_eq(decode(bad->kind, bad->content, &decoded, &error), GROVE_CORRUPT,
                     "%s", bad->claim);
        cr_expect_eq(error.status, GROVE_CORRUPT, "%s", bad->claim);
        cr_expect_eq(error.offset, bad->offset, "%s: %llu", bad->claim,
                     (unsigned long long)error.offset);
        cr_expect_eq(decoded.metadata.size, UNTOUCHED.metadata.size, "%s", bad->claim);
        cr_expect_eq(decode(bad->kind, bad->content, &decoded, NULL), GROVE_CORRUPT);
    }
}

Test(operation, that_stands_for_more_than_one_event_or_has_a_position_is_refused)
{
    static const grove_operation bad[] = {
        {GROVE_TREE_DELETE, 0, 0, BYTES("\3\0\0")},
        {GROVE_TREE_DELETE, 2, 0, BYTES("\3\0\0")},
        {GROVE_TREE_DELETE, 1, 1, BYTES("\3\0\0")},
    };
    grove__tree_operation decoded;
    for (size_t index = 0; index < sizeof bad / sizeof *bad; index++) {
        cr_expect_eq(grove__tree_operation_decode(&bad[index], &decoded, NULL),
                     GROVE_CORRUPT);
    }
}

/* Each content, cut anywhere, is malformed, and one byte more as well. */
Test(operation, that_is_cut_or_goes_on_is_refused)
{
    uint8_t bytes[64];
    for (size_t index = 0; index < sizeof WRITTEN / sizeof *WRITTEN; index++) {
        const written_case *written = &WRITTEN[index];
        grove__tree_operation decoded;
        grove_error error = {GROVE_OK, 0, ""};
        for (size_t size = 0; size <= written->content.size + 1; size++) {
            if (size == written->content.size) {
                continue;
            }
            memset(bytes, 0, sizeof bytes);
            memcpy(bytes, written->content.data,
                   size < written->content.size ? size : written->content.size);
            cr_expect_eq(decode((uint8_t)written->operation.kind,
                                (grove_bytes){bytes, size}, &decoded, &error),
                         GROVE_CORRUPT, "%s, %zu bytes", written->claim, size);
            cr_expect_leq(error.offset, size);
        }
    }
}

/* Whatever decodes is said by no other content. */
Test(operation, that_decodes_encodes_to_the_same_bytes)
{
    enum { ROUNDS = 20000 };
    test_random random = test_random_of("operation");
    uint32_t well = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        const written_case *written =
            &WRITTEN[test_random_below(&random, sizeof WRITTEN / sizeof *WRITTEN)];
        uint8_t bytes[64];
        grove__tree_operation decoded;
        memcpy(bytes, written->content.data, written->content.size);
        uint64_t changes = test_random_below(&random, 3);
        for (uint64_t change = 0; change < changes; change++) {
            bytes[test_random_below(&random, written->content.size)] =
                (uint8_t)test_random_below(&random, change == 0 ? 8 : 256);
        }
        const grove_bytes content = {bytes, written->content.size};
        if (decode((uint8_t)written->operation.kind, content, &decoded, NULL) !=
            GROVE_OK) {
            continue;
        }
        grove_buffer again;
        grove_buffer_init(&again, &grove__allocator_system);
        grove__tree_operation_encode(&decoded, &again);
        cr_assert(grove__bytes_equal(grove_buffer_view(&again), content));
        grove_buffer_release(&again);
        well++;
    }
    cr_assert_gt(well, ROUNDS / 4);
}

/* --- limits --- */

/* An operation with bytes of one kind of a size. */
typedef struct limit_case {
    const char *claim;
    grove_tree_kind kind;
    size_t bytes_max;
    size_t offset_of_bytes;
} limit_case;

static const limit_case LIMITS[] = {
    {"an id", GROVE_TREE_PUT, GROVE_NODE_ID_BYTES_MAX,
     offsetof(grove__tree_operation, id)},
    {"a type", GROVE_TREE_PUT, GROVE_NODE_TYPE_BYTES_MAX,
     offsetof(grove__tree_operation, type)},
    {"a name", GROVE_TREE_UNSET, GROVE_ATTRIBUTE_NAME_BYTES_MAX,
     offsetof(grove__tree_operation, name)},
    {"metadata", GROVE_TREE_UNSET, GROVE_TREE_METADATA_BYTES_MAX,
     offsetof(grove__tree_operation, metadata)},
    {"a replica", GROVE_TREE_DELETE, GROVE_REPLICA_BYTES_MAX,
     offsetof(grove__tree_operation, node) + offsetof(grove__tree_reference, replica)},
};

Test(operation, at_a_limit_is_taken_and_one_above_refused)
{
    static uint8_t letters[GROVE_TREE_METADATA_BYTES_MAX + 1];
    memset(letters, 'x', sizeof letters);
    for (size_t index = 0; index < sizeof LIMITS / sizeof *LIMITS; index++) {
        const limit_case *limit = &LIMITS[index];
        for (size_t size = limit->bytes_max - 1; size <= limit->bytes_max + 1; size++) {
            const grove_bytes bytes = {letters, size};
            grove__tree_operation operation = {
                .kind = limit->kind,
                .node = {GROVE__TREE_REFERENCE_OTHER, 0, BYTES("x")}};
            grove__tree_operation decoded;
            grove_buffer content;
            operation.name = (grove_bytes){letters, 1};
            memcpy((uint8_t *)&operation + limit->offset_of_bytes, &bytes, sizeof bytes);
            grove_buffer_init(&content, &grove__allocator_system);
            grove__tree_operation_encode(&operation, &content);
            cr_expect_eq(
                decode((uint8_t)limit->kind, grove_buffer_view(&content), &decoded, NULL),
                size <= limit->bytes_max ? GROVE_OK : GROVE_CORRUPT, "%s of %zu bytes",
                limit->claim, size);
            grove_buffer_release(&content);
        }
    }
}

Test(operation, names_events_up_to_the_limit_of_sequences)
{
    static const struct {
        grove__tree_reference reference;
        bool is_well;
    } cases[] = {
        {{GROVE__TREE_REFERENCE_OWN, GROVE_DOCUMENT_EVENTS_MAX - 1, {NULL, 0}}, true},
        {{GROVE__TREE_REFERENCE_OWN, GROVE_DOCUMENT_EVENTS_MAX, {NULL, 0}}, false},
        {{GROVE__TREE_REFERENCE_OTHER, GROVE_DOCUMENT_EVENTS_MAX - 1, BYTES("x")}, true},
        {{GROVE__TREE_REFERENCE_OTHER, GROVE_DOCUMENT_EVENTS_MAX, BYTES("x")}, false},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        const grove__tree_operation operation = {.kind = GROVE_TREE_MOVE,
                                                 .node = cases[index].reference,
                                                 .parent = cases[index].reference,
                                                 .anchor = cases[index].reference,
                                                 .is_left = true};
        grove__tree_operation decoded;
        grove_buffer content;
        grove_buffer_init(&content, &grove__allocator_system);
        grove__tree_operation_encode(&operation, &content);
        cr_expect_eq(decode(GROVE_TREE_MOVE, grove_buffer_view(&content), &decoded, NULL),
                     cases[index].is_well ? GROVE_OK : GROVE_CORRUPT, "case %zu", index);
        if (cases[index].is_well) {
            check_same(&decoded, &operation, "a far reference");
        }
        grove_buffer_release(&content);
    }
}

/* --- values --- */

Test(value, of_each_kind_has_these_bytes_and_comes_back)
{
    const uint64_t nan_bits = UINT64_C(0x7ff4000000000001);
    double nan;
    memcpy(&nan, &nan_bits, sizeof nan);
    const struct {
        grove_value value;
        grove_bytes bytes;
    } cases[] = {
        {grove_value_null(), BYTES("\0")},
        {grove_value_boolean(false), BYTES("\1")},
        {grove_value_boolean(true), BYTES("\2")},
        {grove_value_integer(0), BYTES("\3\0")},
        {grove_value_integer(-1), BYTES("\3\1")},
        {grove_value_integer(64), BYTES("\3\x80\1")},
        {grove_value_integer(INT64_MAX),
         BYTES("\3\xfe\xff\xff\xff\xff\xff\xff\xff\xff\1")},
        {grove_value_integer(INT64_MIN),
         BYTES("\3\xff\xff\xff\xff\xff\xff\xff\xff\xff\1")},
        {grove_value_double(0.0), BYTES("\4\0\0\0\0\0\0\0\0")},
        {grove_value_double(-0.0), BYTES("\4\x80\0\0\0\0\0\0\0")},
        {grove_value_double(1.5), BYTES("\4\x3f\xf8\0\0\0\0\0\0")},
        {grove_value_double(nan), BYTES("\4\x7f\xf4\0\0\0\0\0\1")},
        {grove_value_text(grove_bytes_of("")), BYTES("\5")},
        {grove_value_text(grove_bytes_of("\xe2\x82\xac")), BYTES("\5\xe2\x82\xac")},
        {grove_value_bytes((grove_bytes)BYTES("\0\xff")), BYTES("\6\0\xff")},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        const grove_value *value = &cases[index].value;
        grove_value decoded;
        grove_buffer bytes;
        grove_buffer_init(&bytes, &grove__allocator_system);
        grove__tree_value_encode(value, &bytes);
        cr_expect(grove__bytes_equal(grove_buffer_view(&bytes), cases[index].bytes),
                  "case %zu", index);
        cr_assert(grove__tree_value_decode(cases[index].bytes, &decoded), "case %zu",
                  index);
        cr_expect_eq(decoded.kind, value->kind);
        cr_expect_eq(decoded.boolean, value->boolean);
        cr_expect_eq(decoded.integer, value->integer);
        cr_expect_eq(memcmp(&decoded.number, &value->number, sizeof nan), 0);
        cr_expect(grove__bytes_equal(decoded.bytes, value->bytes));
        grove_buffer_release(&bytes);
    }
}

Test(value, that_is_malformed_is_refused)
{
    static const grove_bytes bad[] = {
        {NULL, 0},
        BYTES("\0\0"),
        BYTES("\2x"),
        BYTES("\3"),
        BYTES("\3\x80\0"),
        BYTES("\3\x80"),
        BYTES("\3\0\0"),
        BYTES("\4\0\0\0\0\0\0\0"),
        BYTES("\4\0\0\0\0\0\0\0\0\0"),
        BYTES("\5\x80"),
        BYTES("\5\xed\xa0\x80"), /* half of a surrogate pair */
        BYTES("\7"),
        BYTES("\xff"),
    };
    for (size_t index = 0; index < sizeof bad / sizeof *bad; index++) {
        grove_value value = grove_value_integer(77);
        cr_expect_not(grove__tree_value_decode(bad[index], &value), "case %zu", index);
        cr_expect_eq(value.integer, 77, "case %zu", index);
    }
}

/* --- attributes --- */

Test(attributes, come_back_one_after_the_other)
{
    static const char *const names[] = {"a", "aa", "b"};
    grove_buffer bytes;
    grove__tree_written written;
    grove_buffer_init(&bytes, &grove__allocator_system);
    for (int64_t index = 0; index < 3; index++) {
        const grove_attribute attribute = {grove_bytes_of(names[index]),
                                           grove_value_integer(index)};
        grove__tree_attribute_encode(&attribute, &bytes);
    }
    const grove_bytes expected = BYTES("\1a\2\3\0\2aa\2\3\2\1b\2\3\4");
    cr_assert(grove__bytes_equal(grove_buffer_view(&bytes), expected));
    grove_reader reader = grove_reader_of(grove_buffer_view(&bytes));
    for (int64_t index = 0; index < 3; index++) {
        grove_value value;
        cr_assert(grove__tree_attribute_next(&reader, &written));
        cr_assert(grove__bytes_equal(written.name, grove_bytes_of(names[index])));
        cr_assert(grove__tree_value_decode(written.value, &value));
        cr_assert_eq(value.integer, index);
    }
    cr_assert_not(grove__tree_attribute_next(&reader, &written));
    grove_buffer_release(&bytes);
}

Test(attributes, without_memory_leave_a_failed_buffer)
{
    const grove_attribute attribute = {grove_bytes_of("n"), grove_value_null()};
    const grove__tree_operation operation = {.kind = GROVE_TREE_PUT};
    bool has_failed = true;
    for (size_t nth = 1; has_failed; nth++) {
        faulty_allocator faulty;
        grove_buffer bytes;
        faulty_allocator_init(&faulty, nth);
        grove_buffer_init(&bytes, &faulty.allocator);
        grove__tree_attribute_encode(&attribute, &bytes);
        cr_assert_eq(bytes.failed, faulty.has_failed);
        grove__tree_operation_encode(&operation, &bytes);
        cr_assert_eq(bytes.failed, faulty.has_failed);
        grove_buffer_release(&bytes);
        faulty_allocator_finish(&faulty);
        has_failed = faulty.has_failed;
    }
}
