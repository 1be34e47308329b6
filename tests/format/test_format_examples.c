/*
 * The examples of docs/FORMAT.md: blocks of code that begin with "```hex NAME".
 * Each has a check here, and each check its example. Names that begin with
 * "bad-" are examples of what is refused.
 */
#include <ctype.h>
#include <stdio.h>

#include <criterion/criterion.h>

#include <grove/sys/document_type.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "format/column.h"
#include "format/examples.h"
#include "format/clock_row.h"
#include "format/key.h"
#include "format/record.h"
#include "format/snapshot.h"

enum { EXAMPLE_BYTES_MAX = 4096, NAME_BYTES = 64, LINE_BYTES = 256 };

typedef struct example {
    char name[NAME_BYTES];
    size_t size;
    uint8_t bytes[EXAMPLE_BYTES_MAX];
} example;

static void assert_key(const grove__key *key, grove_bytes page)
{
    assert_bytes(grove__key_view(key), page);
}

/* ---- Numbers ---- */

static void check_varints(grove_bytes page)
{
    static const uint64_t values[] = {0, 127, 128, 300, UINT64_MAX};
    grove_reader reader = grove_reader_of(page);
    grove_buffer again;
    grove_buffer_init(&again, &grove__allocator_system);
    for (size_t index = 0; index < sizeof values / sizeof *values; index++) {
        cr_assert_eq(grove_reader_varint(&reader), values[index]);
        grove_buffer_varint(&again, values[index]);
    }
    cr_assert(grove_reader_done(&reader));
    assert_bytes(grove_buffer_view(&again), page);
    grove_buffer_release(&again);
}

static void check_signed(grove_bytes page)
{
    static const int64_t values[] = {0, -1, 1, -64, 64, INT64_MIN};
    grove_reader reader = grove_reader_of(page);
    grove_buffer again;
    grove_buffer_init(&again, &grove__allocator_system);
    for (size_t index = 0; index < sizeof values / sizeof *values; index++) {
        cr_assert_eq(grove_reader_signed(&reader), values[index]);
        grove_buffer_signed(&again, values[index]);
    }
    cr_assert(grove_reader_done(&reader));
    assert_bytes(grove_buffer_view(&again), page);
    grove_buffer_release(&again);
}

static void check_column_numbers(grove_bytes page)
{
    static const uint64_t values[] = {191, 192, 12479, 12480, 12480 + 65536};
    grove_reader reader = grove_reader_of(page);
    grove_buffer again;
    grove_buffer_init(&again, &grove__allocator_system);
    for (size_t index = 0; index < sizeof values / sizeof *values; index++) {
        cr_assert_eq(grove__column_get(&reader, &reader), values[index]);
        grove__column_put(&again, &again, values[index]);
    }
    cr_assert(grove_reader_done(&reader));
    assert_bytes(grove_buffer_view(&again), page);
    grove_buffer_release(&again);
}

/* ---- Keys and parts ---- */

/* The key of a document, both ways. */
static void check_document(grove_bytes page, grove_bytes document)
{
    grove__key key;
    grove_buffer parsed;
    grove_buffer_init(&parsed, &grove__allocator_system);
    cr_assert_eq(grove__key_parse_document(page, &parsed, NULL), GROVE_OK);
    cr_assert(grove__bytes_equal(grove_buffer_view(&parsed), document));
    grove_buffer_release(&parsed);
    grove__key_of_document(&key, document);
    assert_key(&key, page);
}

static void check_key_meta(grove_bytes page)
{
    check_document(page, grove_bytes_of("notes/2026"));
}

static void check_key_full_group(grove_bytes page)
{
    check_document(page, grove_bytes_of("journal!"));
}

static void check_key_nuls(grove_bytes page)
{
    check_document(page, (grove_bytes){(const uint8_t *)"a\0\0", 3});
}

static void check_key_events(grove_bytes page)
{
    grove__key key;
    grove__key_of_clock(&key, grove_bytes_of("notes"), 1000);
    grove__key_add_number(&key, 2);
    assert_key(&key, page);
}

static void check_key_replicas(grove_bytes page)
{
    const grove_replica replica = {3, {'b', 'o', 'b'}};
    grove__key key;
    grove__key_of_event(&key, grove_bytes_of("notes"), &replica, 61);
    assert_key(&key, page);
}

static void check_key_groups(grove_bytes page)
{
    grove__key key;
    grove__key_of_group(&key, grove_bytes_of("counter"));
    grove__key_add_number(&key, 0);
    assert_key(&key, page);
}

static void check_key_commits(grove_bytes page)
{
    grove__key key;
    grove__key_of_commit(&key, 258);
    assert_key(&key, page);
}

static void check_key_clocks(grove_bytes page)
{
    grove__key key;
    grove__key_of_document_commit(&key, grove_bytes_of("notes"), 258);
    assert_key(&key, page);
}

static void check_bad_document_key(grove_bytes page)
{
    grove_buffer parsed;
    grove_buffer_init(&parsed, &grove__allocator_system);
    cr_assert_eq(grove__key_parse_document(page, &parsed, NULL), GROVE_CORRUPT);
    grove_buffer_release(&parsed);
}

/* As the page describes a part; tests/kv/ shows that the code makes such. */
static void check_part(grove_bytes page)
{
    grove_buffer part;
    grove_buffer_init(&part, &grove__allocator_system);
    grove_buffer_append(&part, "grove", 5);
    grove_buffer_u8(&part, 1);
    grove_buffer_u64(&part, grove__hash(grove_buffer_view(&part), 0));
    assert_bytes(grove_buffer_view(&part), page);
    grove_buffer_release(&part);
}

/* ---- Blocks and snapshots ---- */

static const grove__packing RAW = {0, 0, NULL};

/* A state without fields: its only frame is read, and encoded again raw. */
static void check_state(grove_bytes page, grove_bytes content, bool is_same_again)
{
    grove__block block;
    grove_bytes view;
    grove_buffer buffer;
    grove_buffer_init(&buffer, &grove__allocator_system);
    cr_assert_eq(grove__block_open(page, GROVE__BLOCK_STATE, &block, NULL), GROVE_OK);
    cr_assert_eq(block.fields.size, 0);
    cr_assert_eq(grove__block_frame_view(&block, 1, &buffer, &view, NULL), GROVE_OK);
    cr_assert(grove__bytes_equal(view, content));
    if (is_same_again) {
        const grove__frame frame = {1, content, RAW, NULL, 0};
        grove_buffer_reset(&buffer);
        cr_assert_eq(grove__block_encode(GROVE__BLOCK_STATE, 0, (grove_bytes){NULL, 0},
                                         &frame, block.frame_count, &buffer, NULL),
                     GROVE_OK);
        assert_bytes(grove_buffer_view(&buffer), page);
    }
    grove_buffer_release(&buffer);
}

static void check_block_raw(grove_bytes page)
{
    check_state(page, grove_bytes_of("hello"), true);
}

static void check_block_empty(grove_bytes page)
{
    check_state(page, (grove_bytes){NULL, 0}, true);
}

static void check_block_zstd(grove_bytes page)
{
    uint8_t content[100];
    memset(content, 'a', sizeof content);
    check_state(page, (grove_bytes){content, sizeof content}, false);
}

static void check_bad_block(grove_bytes page)
{
    grove__block block;
    grove_error error;
    cr_assert_eq(grove__block_open(page, GROVE__BLOCK_STATE, &block, &error),
                 GROVE_CORRUPT);
    cr_assert_null(strstr(error.message, "checksum"), "%s", error.message);
}

static void check_snapshot_again(grove_bytes page, const grove__snapshot_header *header,
                                 const grove__head *heads, grove_bytes structure,
                                 grove_bytes content)
{
    grove__block block;
    grove__snapshot_header read;
    grove_buffer buffer;
    grove_bytes view;
    grove_buffer_init(&buffer, &grove__allocator_system);
    cr_assert_eq(grove__snapshot_open(page, &block, &read, &buffer, NULL), GROVE_OK);
    cr_assert_eq(read.clock, header->clock);
    cr_assert_eq(read.base_clock, header->base_clock);
    cr_assert_eq(read.type_format, header->type_format);
    cr_assert_eq(read.head_count, header->head_count);
    cr_assert_eq(buffer.size, header->head_count * sizeof *heads);
    cr_assert(buffer.size == 0 || memcmp(buffer.data, heads, buffer.size) == 0);
    cr_assert_eq(grove__block_frame_view(&block, 1, &buffer, &view, NULL), GROVE_OK);
    cr_assert(grove__bytes_equal(view, structure));
    cr_assert_eq(grove__block_frame_view(&block, 2, &buffer, &view, NULL), GROVE_OK);
    cr_assert(grove__bytes_equal(view, content));
    grove_buffer_reset(&buffer);
    cr_assert_eq(
        grove__snapshot_encode(header, heads,
                               &(grove__snapshot_frames){structure, content, {NULL, 0}},
                               RAW, &buffer, NULL),
        GROVE_OK);
    assert_bytes(grove_buffer_view(&buffer), page);
    grove_buffer_release(&buffer);
}

static void check_snapshot(grove_bytes page)
{
    grove__head heads[2];
    memset(heads, 0, sizeof heads);
    heads[0] = (grove__head){7, {{5, {'a', 'l', 'i', 'c', 'e'}}, 5}, 0};
    heads[1] = (grove__head){99, {{3, {'b', 'o', 'b'}}, 61}, 0};
    const grove__snapshot_header header = {100, 3, 1, 2};
    check_snapshot_again(page, &header, heads, grove_bytes_of("structure"),
                         grove_bytes_of("content"));
}

static void check_snapshot_empty(grove_bytes page)
{
    const grove__snapshot_header header = {0, 0, 1, 0};
    const grove_bytes none = {NULL, 0};
    check_snapshot_again(page, &header, NULL, none, none);
}

static void timed_heads(grove__head heads[2], uint64_t first, uint64_t second)
{
    memset(heads, 0, 2 * sizeof *heads);
    heads[0] = (grove__head){1, {{1, {'a'}}, 1}, first};
    heads[1] = (grove__head){2, {{1, {'b'}}, 0}, second};
}

static void check_snapshot_times(grove_bytes page)
{
    const grove__snapshot_header header = {3, 0, 1, 2};
    grove__block block;
    grove__snapshot_header read;
    grove__head said[2];
    grove__head heads[2];
    grove_buffer buffer;
    grove_buffer_init(&buffer, &grove__allocator_system);
    timed_heads(said, 2, 1);
    timed_heads(heads, 0, 0);
    cr_assert_eq(
        grove__snapshot_encode(
            &header, said,
            &(grove__snapshot_frames){grove_bytes_of("state"), {NULL, 0}, {NULL, 0}}, RAW,
            &buffer, NULL),
        GROVE_OK);
    assert_bytes(grove_buffer_view(&buffer), page);
    cr_assert_eq(grove__snapshot_open(page, &block, &read, NULL, NULL), GROVE_OK);
    cr_assert_eq(grove__snapshot_times(&block, &grove__allocator_system, heads, 2, NULL),
                 GROVE_OK);
    cr_assert(heads[0].time == 2 && heads[1].time == 1);
    grove_buffer_release(&buffer);
}

static void check_bad_snapshot_times(grove_bytes page)
{
    grove__block block;
    grove__snapshot_header read;
    grove__head heads[2];
    grove_error error;
    timed_heads(heads, 0, 0);
    cr_assert_eq(grove__snapshot_open(page, &block, &read, NULL, NULL), GROVE_OK);
    cr_assert_eq(
        grove__snapshot_times(&block, &grove__allocator_system, heads, 2, &error),
        GROVE_CORRUPT);
    cr_assert_str_eq(error.message, "times: a head has none, or one that cannot be");
}

static void check_bad_snapshot(grove_bytes page)
{
    grove__block block;
    grove__snapshot_header header;
    grove_error error;
    cr_assert_eq(grove__block_open(page, GROVE__BLOCK_SNAPSHOT, &block, NULL), GROVE_OK);
    cr_assert_eq(grove__snapshot_open(page, &block, &header, NULL, &error),
                 GROVE_CORRUPT);
    cr_assert_not_null(strstr(error.message, "newest event"));
}

/* ---- Text ---- */

static const char CONTENT[] = "\xc3\xa9"
                              "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                              "a";
enum { CONTENT_BYTES = sizeof CONTENT - 1, TEXT_EVENTS = 45 };

/* The operations of the examples: kinds 0 insert, 1 delete. */
static const grove_operation TEXT_OPERATIONS[] = {
    {0, 40, 0, {(const uint8_t *)CONTENT, CONTENT_BYTES - 1}},
    {1, 1, 39, {NULL, 0}},
    {1, 3, 2, {NULL, 0}},
    {0, 1, 36, {(const uint8_t *)CONTENT + CONTENT_BYTES - 1, 1}},
};

enum { TEXT_OPERATION_COUNT = sizeof TEXT_OPERATIONS / sizeof *TEXT_OPERATIONS };

static grove_status decode_text(grove_bytes structure, grove_bytes content,
                                uint64_t events, grove_buffer *operations)
{
    const grove_type_frames frames = {structure, content, false};
    grove_buffer scratch;
    grove_buffer_init(&scratch, &grove__allocator_system);
    grove_status status = grove_type_text()->operations_decode(
        grove_type_text(), frames, events, operations, &scratch, NULL);
    grove_buffer_release(&scratch);
    return status;
}

static void check_text_operations(grove_bytes page)
{
    const grove_operations all = {TEXT_OPERATIONS, TEXT_OPERATION_COUNT};
    grove_type_buffers buffers = {.structure_cut_count = 0};
    grove_buffer operations;
    grove_buffer_init(&buffers.structure, &grove__allocator_system);
    grove_buffer_init(&buffers.content, &grove__allocator_system);
    grove_buffer_init(&operations, &grove__allocator_system);
    cr_assert_eq(decode_text(page, grove_bytes_of(CONTENT), TEXT_EVENTS, &operations),
                 GROVE_OK);
    cr_assert_eq(operations.size, sizeof TEXT_OPERATIONS);
    const grove_operation *decoded =
        (const grove_operation *)(const void *)operations.data;
    for (size_t index = 0; index < TEXT_OPERATION_COUNT; index++) {
        cr_assert_eq(decoded[index].kind, TEXT_OPERATIONS[index].kind);
        cr_assert_eq(decoded[index].count, TEXT_OPERATIONS[index].count);
        cr_assert_eq(decoded[index].position, TEXT_OPERATIONS[index].position);
        cr_assert(
            grove__bytes_equal(decoded[index].content, TEXT_OPERATIONS[index].content));
    }
    cr_assert_eq(
        grove_type_text()->operations_encode(grove_type_text(), all, &buffers, NULL),
        GROVE_OK);
    assert_bytes(grove_buffer_view(&buffers.structure), page);
    grove_buffer_release(&operations);
    grove_buffer_release(&buffers.structure);
    grove_buffer_release(&buffers.content);
}

static void check_text_operations_content(grove_bytes page)
{
    assert_bytes(grove_bytes_of(CONTENT), page);
}

static void check_bad_text_operations(grove_bytes page)
{
    grove_buffer operations;
    grove_buffer_init(&operations, &grove__allocator_system);
    cr_assert_eq(decode_text(page, (grove_bytes){NULL, 0}, 2, &operations),
                 GROVE_CORRUPT);
    grove_buffer_release(&operations);
}

static const char GRUEN[] = "Gr\xc3\xbcn";

static void check_text_state(grove_bytes page)
{
    const grove_document_type *type = grove_type_text();
    const grove_type_frames frames = {page, grove_bytes_of(GRUEN), false};
    grove_type_buffers buffers = {.structure_cut_count = 0};
    void *state = NULL;
    grove_buffer_init(&buffers.structure, &grove__allocator_system);
    grove_buffer_init(&buffers.content, &grove__allocator_system);
    cr_assert_eq(type->state_decode(type, &grove__allocator_system, frames, &state, NULL),
                 GROVE_OK);
    cr_assert_eq(type->state_encode(type, state, &buffers, NULL), GROVE_OK);
    assert_bytes(grove_buffer_view(&buffers.structure), page);
    assert_bytes(grove_buffer_view(&buffers.content), frames.content);
    type->state_free(type, state);
    grove_buffer_release(&buffers.structure);
    grove_buffer_release(&buffers.content);
}

static void check_text_state_content(grove_bytes page)
{
    assert_bytes(grove_bytes_of(GRUEN), page);
}

/* ---- Groups and records ---- */

static void check_group_state(grove_bytes page)
{
    check_state(page, grove_bytes_of("42"), true);
}

static void check_record_store(grove_bytes page)
{
    grove__store_record record;
    uint8_t again[GROVE__STORE_RECORD_BYTES];
    cr_assert_eq(grove__store_record_decode(page, &record, NULL), GROVE_OK);
    cr_assert_eq(record.incarnation, UINT64_C(0x0102030405060708));
    cr_assert_eq(record.created, INT64_C(1700000000000));
    cr_assert_eq(record.place, 42);
    cr_assert_eq(record.boot, 7);
    cr_assert_eq(record.durability, GROVE_DURABILITY_RELAXED);
    grove__store_record_encode(&record, again);
    assert_bytes((grove_bytes){again, sizeof again}, page);
}

static void check_record_meta(grove_bytes page)
{
    grove__meta_record record;
    uint8_t again[GROVE__META_RECORD_BYTES];
    cr_assert_eq(grove__meta_record_decode(page, &record, NULL), GROVE_OK);
    cr_assert_str_eq(record.type_name, "text");
    cr_assert_eq(record.events, 1000);
    cr_assert_eq(record.batches, 2);
    cr_assert_eq(record.snapshot_clock, 900);
    grove__meta_record_encode(&record, again);
    assert_bytes((grove_bytes){again, sizeof again}, page);
}

static void check_record_run(grove_bytes page)
{
    grove__run_record record;
    uint8_t again[GROVE__RUN_RECORD_BYTES];
    cr_assert_eq(grove__run_record_decode(page, &record, NULL), GROVE_OK);
    cr_assert_eq(record.clock, 7);
    cr_assert_eq(record.count, 300);
    grove__run_record_encode(&record, again);
    assert_bytes((grove_bytes){again, sizeof again}, page);
}

static void check_record_commit(grove_bytes page)
{
    grove_buffer touches;
    grove_buffer again;
    grove_buffer_init(&touches, &grove__allocator_system);
    grove_buffer_init(&again, &grove__allocator_system);
    int64_t time;
    grove_bytes meta;
    cr_assert_eq(grove__commit_record_decode(page, &time, &meta, &touches, NULL),
                 GROVE_OK);
    cr_assert(grove__bytes_equal(meta, grove_bytes_of("bob")));
    const grove__touch *touch = (const grove__touch *)(const void *)touches.data;
    cr_assert_eq(touches.size, 2 * sizeof *touch);
    cr_assert(grove__bytes_equal(touch[0].name, grove_bytes_of("notes")));
    cr_assert_eq(touch[0].first_clock, 1000);
    cr_assert_eq(touch[1].kind, GROVE__TOUCH_GROUP);
    grove__commit_record_encode(time, meta, touch, 2, &again);
    assert_bytes(grove_buffer_view(&again), page);
    grove_buffer_release(&again);
    grove_buffer_release(&touches);
}

static void check_record_aging(grove_bytes page)
{
    grove__aging_record record;
    uint8_t again[GROVE__AGING_RECORD_BYTES];
    cr_assert_eq(grove__aging_record_decode(page, &record, NULL), GROVE_OK);
    cr_assert_eq(record.aged, 2048);
    cr_assert_eq(record.commits_max, 100000);
    cr_assert_eq(record.age_ms_max, 0);
    grove__aging_record_encode(&record, again);
    assert_bytes((grove_bytes){again, sizeof again}, page);
}

static void check_record_incarnations(grove_bytes page)
{
    grove_buffer list;
    grove_buffer again;
    grove_buffer_init(&list, &grove__allocator_system);
    grove_buffer_init(&again, &grove__allocator_system);
    cr_assert_eq(grove__incarnations_record_decode(page, &list, NULL), GROVE_OK);
    const grove__incarnation *items = (const grove__incarnation *)(const void *)list.data;
    cr_assert_eq(list.size, 2 * sizeof *items);
    cr_assert_eq(items[0].first_commit, 0);
    cr_assert_eq(items[1].first_commit, 259);
    grove__incarnations_record_encode(items, 2, &again);
    assert_bytes(grove_buffer_view(&again), page);
    grove_buffer_release(&again);
    grove_buffer_release(&list);
}

static void check_clock_row(grove_bytes page)
{
    const grove__commit_clock expected[] = {{258, 1000}, {259, 1003}, {300, 1004}};
    grove_buffer items;
    grove_buffer again;
    grove_buffer_init(&items, &grove__allocator_system);
    grove_buffer_init(&again, &grove__allocator_system);
    cr_assert_eq(grove__clock_row_decode(258, page, &items, NULL), GROVE_OK);
    cr_assert_eq(items.size, sizeof expected);
    cr_assert_eq(memcmp(items.data, expected, sizeof expected), 0);
    grove__clock_row_encode(expected, 3, &again);
    assert_bytes(grove_buffer_view(&again), page);
    grove_buffer_release(&again);
    grove_buffer_release(&items);
}

/* ---- The page ---- */

static const struct {
    const char *name;
    void (*check)(grove_bytes page);
} CHECKS[] = {
    {"varints", check_varints},
    {"signed", check_signed},
    {"column-numbers", check_column_numbers},
    {"key-meta", check_key_meta},
    {"key-full-group", check_key_full_group},
    {"key-nuls", check_key_nuls},
    {"key-events", check_key_events},
    {"key-replicas", check_key_replicas},
    {"key-groups", check_key_groups},
    {"key-commits", check_key_commits},
    {"key-clocks", check_key_clocks},
    {"bad-key-padding", check_bad_document_key},
    {"bad-key-empty-group", check_bad_document_key},
    {"bad-key-short", check_bad_document_key},
    {"part", check_part},
    {"block-raw", check_block_raw},
    {"block-zstd", check_block_zstd},
    {"block-empty", check_block_empty},
    {"bad-block-size", check_bad_block},
    {"snapshot", check_snapshot},
    {"snapshot-empty", check_snapshot_empty},
    {"snapshot-times", check_snapshot_times},
    {"bad-snapshot-times", check_bad_snapshot_times},
    {"bad-snapshot-head", check_bad_snapshot},
    {"text-operations", check_text_operations},
    {"text-operations-content", check_text_operations_content},
    {"text-operations-of-two", check_order_example},
    {"bad-text-operations-of-two", check_bad_order_example},
    {"bad-text-operations-position", check_bad_text_operations},
    {"bad-text-operations-events", check_bad_text_operations},
    {"text-state", check_text_state},
    {"text-state-content", check_text_state_content},
    {"merge-state", check_merge_state_example},
    {"tree-operations", check_tree_operations_example},
    {"tree-operations-content", check_tree_operations_content_example},
    {"tree-state", check_tree_state_example},
    {"tree-state-content", check_tree_state_content_example},
    {"bad-tree-state-base", check_bad_tree_state_example},
    {"tree-digest", check_tree_digest_example},
    {"group-state", check_group_state},
    {"graph", check_graph_example},
    {"bad-graph-id", check_bad_graph_example},
    {"bad-graph-parent", check_bad_graph_example},
    {"graph-times", check_timed_graph_example},
    {"bad-graph-times", check_bad_timed_graph_example},
    {"timestamps", check_timestamps_example},
    {"batch", check_batch_example},
    {"schema-operations", check_schema_example},
    {"schema-operations-content", check_schema_content_example},
    {"bad-schema-operations", check_bad_schema_example},
    {"record-store", check_record_store},
    {"record-meta", check_record_meta},
    {"record-run", check_record_run},
    {"exchange", check_exchange_example},
    {"exchange-ids", check_exchange_ids_example},
    {"bad-exchange-ids", check_bad_exchange_ids_example},
    {"record-commit", check_record_commit},
    {"record-aging", check_record_aging},
    {"record-incarnations", check_record_incarnations},
    {"clock-row", check_clock_row},
};

enum { CHECK_COUNT = sizeof CHECKS / sizeof *CHECKS };

/* Appends the bytes of one line, up to its remark. */
static void parse_line(const char *line, example *into)
{
    while (*line != '\0' && *line != '|') {
        if (isspace((unsigned char)*line)) {
            line++;
            continue;
        }
        char digits[3] = {line[0], line[1], '\0'};
        char *end;
        unsigned long byte = strtoul(digits, &end, 16);
        cr_assert_eq(end, digits + 2, "%s: no byte: %s", into->name, line);
        cr_assert_lt(into->size, EXAMPLE_BYTES_MAX);
        into->bytes[into->size++] = (uint8_t)byte;
        line += 2;
    }
}

/* The next example; false at the end of the page. */
static bool next_example(FILE *page, example *into)
{
    static const char start[] = "```hex ";
    char line[LINE_BYTES];
    bool is_inside = false;
    into->size = 0;
    while (fgets(line, sizeof line, page) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (is_inside && strcmp(line, "```") == 0) {
            return true;
        }
        if (is_inside) {
            parse_line(line, into);
        } else if (strncmp(line, start, sizeof start - 1) == 0) {
            is_inside = true;
            (void)snprintf(into->name, sizeof into->name, "%.*s", NAME_BYTES - 1,
                           line + sizeof start - 1);
        }
    }
    cr_assert_not(is_inside, "%s has no end", into->name);
    return false;
}

Test(format_examples, the_page_says_what_the_code_does)
{
    bool is_seen[CHECK_COUNT] = {false};
    example of;
    FILE *page = fopen(GROVE_SOURCE_DIR "/docs/FORMAT.md", "r");
    cr_assert_not_null(page);
    while (next_example(page, &of)) {
        size_t index = 0;
        while (index < CHECK_COUNT && strcmp(CHECKS[index].name, of.name) != 0) {
            index++;
        }
        cr_assert_lt(index, CHECK_COUNT, "no check for the example %s", of.name);
        cr_assert_not(is_seen[index], "%s occurs twice", of.name);
        is_seen[index] = true;
        (void)fprintf(stderr, "example %s\n", of.name);
        /* A copy of its own size: a sanitizer sees reads beyond it. */
        uint8_t *copy = malloc(of.size);
        cr_assert_not_null(copy);
        memcpy(copy, of.bytes, of.size);
        CHECKS[index].check((grove_bytes){copy, of.size});
        free(copy);
    }
    (void)fclose(page);
    for (size_t index = 0; index < CHECK_COUNT; index++) {
        cr_assert(is_seen[index], "the page has no example %s", CHECKS[index].name);
    }
}
