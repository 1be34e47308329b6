/*
 * Writes the first inputs of each fuzzer: valid keys, blocks, snapshots,
 * batches, records, text operations, trackers, trees, exports, dumps and JSON,
 * from which a fuzzer finds its way.
 * `make-seeds DIRECTORY` fills the directories of the fuzzers' names in
 * DIRECTORY, which must exist.
 */
#include <stdio.h>
#include <stdlib.h>

#include <grove/backend_memory.h>
#include <grove/dump.h>
#include <grove/grove.h>

#include "base/alloc.h"
#include "format/batch.h"
#include "format/block.h"
#include "format/clock_row.h"
#include "format/commits.h"
#include "format/exchange.h"
#include "format/key.h"
#include "format/record.h"
#include "format/snapshot.h"
#include "schema_type.h"
#include "seeds.h"
#include "sequence/tracker_bytes.h"
#include "text/operation.h"

static void write_keys(const char *directory)
{
    const grove_bytes document = grove_bytes_of("a document of 25 bytes...");
    const grove_replica replica = {4, {'r', 0, 'x', 0xff}};
    grove__key key;
    grove__key_of_document(&key, document);
    seeds_write(directory, "key/meta", grove__key_view(&key));
    grove__key_of_document(&key, grove_bytes_of("8 bytes!"));
    seeds_write(directory, "key/meta-full-group", grove__key_view(&key));
    grove__key_of_clock(&key, document, 1000000);
    seeds_write(directory, "key/clock", grove__key_view(&key));
    grove__key_add_number(&key, 3);
    seeds_write(directory, "key/clock-part", grove__key_view(&key));
    grove__key_of_event(&key, document, &replica, 77);
    seeds_write(directory, "key/event", grove__key_view(&key));
    grove__key_of_group(&key, grove_bytes_of("group"));
    grove__key_add_number(&key, 0);
    seeds_write(directory, "key/group-part", grove__key_view(&key));
    grove__key_of_commit(&key, 4711);
    seeds_write(directory, "key/commit", grove__key_view(&key));
}

static grove_bytes prose(void)
{
    return grove_bytes_of("An event happens before another, or after it, or neither: "
                          "an event that happens before another is before it, and an "
                          "event that happens after it is after it.");
}

static void write_blocks(const char *directory)
{
    const size_t cuts[] = {50, 100};
    const grove__packing raw = {0, 0, NULL};
    const grove__packing zstd = {3, 0, NULL};
    const grove__frame frames[] = {
        {1, grove_bytes_of("raw bytes"), raw, NULL, 0},
        {2, prose(), zstd, NULL, 0},
        {3, {NULL, 0}, raw, NULL, 0},
        {9, prose(), zstd, cuts, 2},
    };
    const grove_bytes fields = grove_bytes_of("fields");
    const grove_bytes none = {NULL, 0};
    grove_buffer block;
    grove_buffer_init(&block, &grove__allocator_system);
    seeds_expect(
        grove__block_encode(GROVE__BLOCK_EVENTS, 9, fields, frames, 4, &block, NULL));
    seeds_write(directory, "block/events", grove_buffer_view(&block));
    grove_buffer_reset(&block);
    seeds_expect(
        grove__block_encode(GROVE__BLOCK_STATE, 0, none, frames, 1, &block, NULL));
    seeds_write(directory, "block/state-raw", grove_buffer_view(&block));
    grove_buffer_reset(&block);
    seeds_expect(
        grove__block_encode(GROVE__BLOCK_STATE, 0, none, frames + 1, 1, &block, NULL));
    seeds_write(directory, "block/state-zstd", grove_buffer_view(&block));
    grove_buffer_reset(&block);
    seeds_expect(grove__block_encode(GROVE__BLOCK_STATE, 0, none, NULL, 0, &block, NULL));
    seeds_write(directory, "block/empty", grove_buffer_view(&block));
    grove_buffer_release(&block);
}

static void write_snapshots(const char *directory)
{
    const grove__packing packing = {3, 64, NULL};
    const grove_bytes none = {NULL, 0};
    const grove__head heads[] = {
        {7, {{5, {'a', 'l', 'i', 'c', 'e'}}, 5}, 0},
        {99, {{3, {'b', 'o', 'b'}}, 61}, 0},
    };
    const grove__snapshot_header empty = {0, 0, 1, 0};
    const grove__snapshot_header two = {100, 3, 1, 2};
    grove_buffer block;
    grove_buffer_init(&block, &grove__allocator_system);
    seeds_expect(grove__snapshot_encode(&empty, NULL,
                                        &(grove__snapshot_frames){none, none, {NULL, 0}},
                                        packing, &block, NULL));
    seeds_write(directory, "snapshot/empty", grove_buffer_view(&block));
    grove_buffer_reset(&block);
    seeds_expect(grove__snapshot_encode(
        &two, heads,
        &(grove__snapshot_frames){grove_bytes_of("structure"), prose(), {NULL, 0}},
        packing, &block, NULL));
    seeds_write(directory, "snapshot/two-heads", grove_buffer_view(&block));
    seeds_write(directory, "block/snapshot", grove_buffer_view(&block));
    const grove__head timed[] = {{7, heads[0].id, 8}, {99, heads[1].id, 61}};
    grove_buffer_reset(&block);
    seeds_expect(grove__snapshot_encode(
        &two, timed,
        &(grove__snapshot_frames){grove_bytes_of("structure"), none, {NULL, 0}}, packing,
        &block, NULL));
    seeds_write(directory, "snapshot/times", grove_buffer_view(&block));
    grove_buffer_release(&block);
}

/* As fuzz/text.c takes them. */
static void write_text(const char *directory, const char *name,
                       grove_operations operations)
{
    grove_type_buffers buffers = {.structure_cut_count = 0};
    grove_buffer seed;
    uint32_t events = 0;
    grove_buffer_init(&buffers.structure, &grove__allocator_system);
    grove_buffer_init(&buffers.content, &grove__allocator_system);
    grove_buffer_init(&seed, &grove__allocator_system);
    for (size_t index = 0; index < operations.count; index++) {
        events += operations.items[index].count;
    }
    seeds_expect(grove__text_operations_encode(operations, &buffers, NULL));
    grove_buffer_u32(&seed, events);
    grove_buffer_u8(&seed, (uint8_t)(buffers.structure.size >> 8));
    grove_buffer_u8(&seed, (uint8_t)buffers.structure.size);
    grove_buffer_append(&seed, buffers.structure.data, buffers.structure.size);
    grove_buffer_append(&seed, buffers.content.data, buffers.content.size);
    seeds_write(directory, name, grove_buffer_view(&seed));
    grove_buffer_release(&buffers.structure);
    grove_buffer_release(&buffers.content);
    grove_buffer_release(&seed);
}

static void write_texts(const char *directory)
{
    const grove_operation edits[] = {
        {GROVE_TEXT_INSERT, 6, 0, grove_bytes_of("gr\xc3\xb6ve!")},
        {GROVE_TEXT_DELETE, 1, 5, {NULL, 0}},
        {GROVE_TEXT_DELETE, 2, 0, {NULL, 0}},
        {GROVE_TEXT_BACKSPACE, 2, 1, {NULL, 0}},
        {GROVE_TEXT_INSERT, (uint32_t)prose().size, 0, prose()},
        {GROVE_TEXT_DELETE, 40, 50, {NULL, 0}},
        {GROVE_TEXT_INSERT, 1, 1, grove_bytes_of("\xf0\x9f\x8c\xb3")},
    };
    write_text(directory, "text/edits", (grove_operations){edits, 7});
    write_text(directory, "text/insert", (grove_operations){edits, 1});
    write_text(directory, "text/empty", (grove_operations){NULL, 0});
}

static bool is_before(const void *context, uint32_t event, uint32_t other)
{
    (void)context;
    return event < other;
}

/* As fuzz/tracker.c takes them, with a call of each kind. */
static void write_tracker(const char *directory, const char *name,
                          const grove__tracker *tracker, uint32_t events)
{
    static const uint8_t calls[] = {0, 3,  0, 5, 1, 2,   0, 3, 2, 9, 0,    4,
                                    5, 99, 0, 1, 3, 6,   0, 0, 8, 0, 0x7f, 9,
                                    9, 5,  0, 9, 2, 255, 0, 0, 0, 0, 0,    0};
    grove_buffer seed;
    grove_buffer_init(&seed, &grove__allocator_system);
    grove_buffer_u32(&seed, events);
    grove_buffer_u8(&seed, sizeof calls / 4);
    grove_buffer_append(&seed, calls, sizeof calls);
    seeds_expect(grove__tracker_encode(tracker, events, &seed));
    seeds_write(directory, name, grove_buffer_view(&seed));
    grove_buffer_release(&seed);
}

/* Two who edit at once, in turns: one deletes what both have typed. */
static void write_trackers(const char *directory)
{
    grove__tracker tracker;
    grove__deletion deletion;
    uint64_t effect;
    grove__tracker_init(&tracker, &grove__allocator_system,
                        (grove__event_order){NULL, is_before});
    seeds_expect(grove__tracker_clear(&tracker));
    write_tracker(directory, "tracker/empty", &tracker, 0);
    for (uint32_t round = 0; round < 30; round++) {
        uint32_t event = round * 15;
        seeds_expect(grove__tracker_insert(&tracker, event, 5, round * 2, &effect, NULL));
        seeds_expect(grove__tracker_retreat(&tracker, event, event + 5, NULL));
        seeds_expect(
            grove__tracker_insert(&tracker, event + 5, 4, round * 2, &effect, NULL));
        seeds_expect(grove__tracker_advance(&tracker, event, event + 5, NULL));
        for (uint32_t done = 0; done < 6; done += deletion.count) {
            seeds_expect(grove__tracker_delete(&tracker, event + 9 + done, 6 - done,
                                               round * 2, round % 2 != 0, &deletion,
                                               NULL));
        }
        if (round == 0) {
            write_tracker(directory, "tracker/small", &tracker, 15);
        }
    }
    seeds_expect(grove__tracker_retreat(&tracker, 200, 400, NULL));
    write_tracker(directory, "tracker/turns", &tracker, 450);
    grove__tracker_release(&tracker);
}

static grove_event_id event_id(const char *replica, uint64_t sequence)
{
    grove_event_id id = {{(uint8_t)strlen(replica), {0}}, sequence};
    memcpy(id.replica.bytes, replica, strlen(replica));
    return id;
}

static void append(grove__events *events, const grove_document_type *type,
                   grove_event_id first, const grove_event_id *parents,
                   size_t parent_count, grove_operation operation)
{
    const grove_event_run run = {first, parents, parent_count,
                                 1700000000000 + (int64_t)events->count * 150, operation};
    seeds_expect(grove__events_append(events, type, &run, NULL));
}

static void write_batch(const char *directory, const char *name, grove__events *events,
                        const grove_document_type *type, grove__packing packing)
{
    grove_buffer block;
    grove_buffer_init(&block, &grove__allocator_system);
    seeds_expect(grove__batch_encode(events, type, 1, packing, &block, NULL));
    seeds_write(directory, name, grove_buffer_view(&block));
    grove_buffer_release(&block);
}

/* Typing by two replicas: a branch, a merge, parents of another batch. */
static void write_text_batches(const char *directory)
{
    const grove_document_type *type = grove_type_text();
    const grove__packing zstd = {3, 0, NULL};
    const grove_event_id outside[] = {event_id("carol", 7), event_id("alice", 3)};
    const grove_event_id fork[] = {event_id("alice", 5)};
    const grove_event_id merge[] = {event_id("alice", 120), event_id("bob", 4)};
    const grove_operation hello = {GROVE_TEXT_INSERT, 5, 0, grove_bytes_of("hello")};
    const grove_operation more = {GROVE_TEXT_INSERT, 112, 5, {prose().data, 112}};
    const grove_operation gone = {GROVE_TEXT_DELETE, 1, 3, {NULL, 0}};
    grove__events events;
    grove__events_init(&events, &grove__allocator_system);
    write_batch(directory, "batch/empty", &events, type, zstd);
    append(&events, type, event_id("alice", 4), outside, 2, hello);
    append(&events, type, event_id("alice", 9), &merge[0], 0, more);
    write_batch(directory, "batch/text-roots", &events, type, zstd);
    append(&events, type, event_id("bob", 0), fork, 1, hello);
    append(&events, type, event_id("carol", 8), merge, 2, gone);
    write_batch(directory, "batch/text-merge", &events, type, zstd);
    append(&events, type, event_id("alice", 121), &merge[0], 1, hello);
    append(&events, type, event_id("bob", 5), &merge[1], 1, more);
    write_batch(directory, "batch/text-turns", &events, type, zstd);
    grove__events_release(&events);
}

static void write_schema_batch(const char *directory)
{
    const grove__packing raw = {0, 0, NULL};
    static const char *const contents[] = {"\5bytes", "\7\3\2xy", ""};
    static const size_t sizes[] = {6, 5, 0};
    grove__events events;
    grove__events_init(&events, &grove__allocator_system);
    for (uint32_t index = 0; index < 9; index++) {
        const uint32_t kind = index % 3;
        const grove_operation operation = {
            kind,
            1,
            kind == 1 ? index : 0,
            {(const uint8_t *)contents[kind], sizes[kind]}};
        const grove_event_id before = event_id("alice", index - 1);
        append(&events, &FUZZ_SCHEMA_TYPE, event_id("alice", index), &before,
               index == 0 ? 0 : 1, operation);
    }
    write_batch(directory, "batch/schema", &events, &FUZZ_SCHEMA_TYPE, raw);
    grove__events_release(&events);
}

/* Two who write at once and merge, of a timed type; what it goes on from is in
 * another batch. */
static void write_timed_batch(const char *directory)
{
    const grove__packing raw = {0, 0, NULL};
    const grove_event_id outside[] = {event_id("carol", 7), event_id("alice", 3)};
    const grove_event_id merge[] = {event_id("alice", 4), event_id("bob", 0)};
    const grove_event_run runs[] = {
        {merge[0], outside, 2, 0, {2, 1, 0, {NULL, 0}}},
        {merge[1], outside + 1, 1, 0, {2, 1, 0, {NULL, 0}}},
        {event_id("bob", 1), merge, 2, 0, {2, 1, 0, {NULL, 0}}},
        {event_id("carol", 8), outside, 1, 0, {2, 1, 0, {NULL, 0}}},
    };
    const uint64_t times[][2] = {{300, 7}, {7, 0}, {301, 8}, {300, 0}};
    grove__events events;
    grove__events_init(&events, &grove__allocator_system);
    for (size_t index = 0; index < sizeof runs / sizeof *runs; index++) {
        seeds_expect(grove__events_append_timed(&events, &FUZZ_TIMED_TYPE, &runs[index],
                                                times[index], NULL));
    }
    write_batch(directory, "batch/timed", &events, &FUZZ_TIMED_TYPE, raw);
    grove__events_release(&events);
}

/* A record behind its kind: see record.c. */
static void write_record(const char *directory, const char *name, uint8_t kind,
                         grove_bytes record)
{
    grove_buffer seed;
    grove_buffer_init(&seed, &grove__allocator_system);
    grove_buffer_u8(&seed, kind);
    grove_buffer_append(&seed, record.data, record.size);
    seeds_write(directory, name, grove_buffer_view(&seed));
    grove_buffer_release(&seed);
}

static void write_records(const char *directory)
{
    const grove__store_record store = {
        GROVE__STORE_FORMAT, 4711, 1700000000000, 4713, 4714, GROVE_DURABILITY_RELAXED};
    const grove__meta_record meta = {.type_name = "text",
                                     .type_format = 1,
                                     .incarnation = 4712,
                                     .revision = 17,
                                     .events = 1000,
                                     .batches = 3,
                                     .batch_bytes = 2000,
                                     .snapshots = 1,
                                     .snapshot_bytes = 300,
                                     .snapshot_clock = 900,
                                     .newest_snapshot_bytes = 300};
    const grove__run_record run = {700, 300};
    const grove__touch touches[] = {
        {GROVE__TOUCH_GROUP, grove_bytes_of("group"), 0, 0},
        {GROVE__TOUCH_DOCUMENT, grove_bytes_of("document"), 700, 300},
    };
    uint8_t bytes[GROVE__META_RECORD_BYTES];
    grove_buffer commit;
    grove__store_record_encode(&store, bytes);
    write_record(directory, "record/store", 0,
                 (grove_bytes){bytes, GROVE__STORE_RECORD_BYTES});
    grove__meta_record_encode(&meta, bytes);
    write_record(directory, "record/meta", 1,
                 (grove_bytes){bytes, GROVE__META_RECORD_BYTES});
    grove__run_record_encode(&run, bytes);
    write_record(directory, "record/run", 2,
                 (grove_bytes){bytes, GROVE__RUN_RECORD_BYTES});
    grove_buffer_init(&commit, &grove__allocator_system);
    grove__commit_record_encode(1700000000000, grove_bytes_of("meta"), touches, 2,
                                &commit);
    write_record(directory, "record/commit", 3, grove_buffer_view(&commit));
    grove__aging_record_encode(&(grove__aging_record){2048, 100000, 0}, bytes);
    write_record(directory, "record/aging", 4,
                 (grove_bytes){bytes, GROVE__AGING_RECORD_BYTES});
    const grove__incarnation incarnations[] = {{0, 4711}, {259, 4713}};
    grove_buffer_reset(&commit);
    grove__incarnations_record_encode(incarnations, 2, &commit);
    write_record(directory, "record/incarnations", 5, grove_buffer_view(&commit));
    const grove__commit_clock row[] = {{7, 1000}, {8, 1003}, {49, 1004}};
    grove_buffer_reset(&commit);
    grove__clock_row_encode(row, 3, &commit);
    write_record(directory, "record/clock-row", 6, grove_buffer_view(&commit));
    grove_buffer_release(&commit);
}

/* The columns of a pack, and in front how many commits: see commits.c. */
static void write_commits(const char *directory)
{
    const grove__touch touches[] = {
        {GROVE__TOUCH_DOCUMENT, grove_bytes_of("document"), 0, 300},
        {GROVE__TOUCH_GROUP, grove_bytes_of("group"), 0, 0},
        {GROVE__TOUCH_DOCUMENT, grove_bytes_of("document"), 300, 1},
        {GROVE__TOUCH_DOCUMENT, grove_bytes_of("document"), 0, 0},
    };
    const grove__commits_entry entries[] = {{1700000000000, 2, {NULL, 0}},
                                            {1700000000007, 1, grove_bytes_of("meta")},
                                            {1700000000001, 1, {NULL, 0}}};
    grove__commits commits;
    grove__block block;
    grove_buffer pack;
    grove_buffer seed;
    grove__commits_init(&commits, &grove__allocator_system);
    grove_buffer_init(&pack, &grove__allocator_system);
    grove_buffer_init(&seed, &grove__allocator_system);
    commits.first = 513;
    grove_buffer_append(&commits.entries, entries, sizeof entries);
    grove_buffer_append(&commits.touches, touches, sizeof touches);
    seeds_expect(grove__commits_encode(&commits, &pack, NULL));
    seeds_expect(
        grove__block_open(grove_buffer_view(&pack), GROVE__BLOCK_COMMITS, &block, NULL));
    grove_buffer_u8(&seed, 0);
    grove_buffer_u8(&seed, 3);
    seeds_expect(grove__block_frame_decode(&block, 1, &seed, NULL));
    seeds_write(directory, "commits/three", grove_buffer_view(&seed));
    grove_buffer_release(&seed);
    grove_buffer_release(&pack);
    grove__commits_release(&commits);
}

static bool append_bytes(void *context, grove_bytes bytes)
{
    grove_buffer_append(context, bytes.data, bytes.size);
    return true;
}

/* An export as it is, and taken apart: see exchange.c. */
static void write_export(const char *directory, const char *name, const char *parts_name,
                         grove_document *document)
{
    grove_buffer seed;
    grove_buffer parts;
    grove__exchange_header header;
    grove__exchange_item item = {.kind = GROVE__EXCHANGE_IDS};
    grove_buffer_init(&seed, &grove__allocator_system);
    grove_buffer_init(&parts, &grove__allocator_system);
    grove_buffer_u8(&seed, 0);
    grove_buffer_u8(&parts, 1);
    seeds_expect(grove_document_export(document, NULL, append_bytes, &seed, NULL));
    seeds_write(directory, name, grove_buffer_view(&seed));
    grove_reader reader = grove_reader_of((grove_bytes){seed.data + 1, seed.size - 1});
    seeds_expect(grove__exchange_header_decode(&reader, &header, NULL));
    seeds_expect(grove__exchange_item_decode(&reader, &item, NULL));
    while (item.kind != GROVE__EXCHANGE_END) {
        size_t bytes = item.payload.size - (item.kind == GROVE__EXCHANGE_IDS ? 8 : 0);
        grove_buffer_u8(&parts, (uint8_t)item.kind);
        grove_buffer_u8(&parts, (uint8_t)(bytes >> 8));
        grove_buffer_u8(&parts, (uint8_t)bytes);
        grove_buffer_append(&parts, item.payload.data, bytes);
        seeds_expect(grove__exchange_item_decode(&reader, &item, NULL));
    }
    seeds_write(directory, parts_name, grove_buffer_view(&parts));
    grove_buffer_release(&parts);
    grove_buffer_release(&seed);
}

/* An event of another replica that is concurrent with the document's last. */
static void add_fork(grove_document *document)
{
    const grove_event_id parent = {{2, {'a', 'a'}}, 2};
    const grove_event_run run = {
        .first = {{2, {'b', 'b'}}, 0},
        .parents = &parent,
        .parent_count = 1,
        .timestamp = 1700000000000,
        .operation = {GROVE_TEXT_INSERT, 4, 1, grove_bytes_of("fork")},
    };
    seeds_expect(grove_document_add(document, &run, NULL));
}

static int64_t fixed_time(void *context)
{
    (void)context;
    return 1700000000000;
}

static bool fixed_bytes(void *context, void *bytes, size_t size)
{
    (void)context;
    memset(bytes, 1, size);
    return true;
}

/* A store as its dump; `mode` says what dump.c does with it. */
static void write_dump(const char *directory, const char *name, uint8_t mode,
                       grove_store *store)
{
    grove_buffer seed;
    grove_buffer_init(&seed, &grove__allocator_system);
    grove_buffer_u8(&seed, mode);
    seeds_expect(grove_store_dump(store, append_bytes, &seed, NULL, NULL));
    seeds_write(directory, name, grove_buffer_view(&seed));
    grove_buffer_release(&seed);
}

/* Two more commits, the second with a meta; those before them are not kept. */
static void trim(grove_document *document, grove_store *store)
{
    grove_feed_retention retention = {1, 0};
    grove_commit_options options = GROVE_COMMIT_OPTIONS_INIT;
    options.meta = grove_bytes_of("meta %");
    seeds_expect(grove_text_insert(document, 0, grove_bytes_of("1"), NULL));
    seeds_expect(grove_document_save(document, NULL, NULL, NULL));
    seeds_expect(grove_feed_retention_set(store, &retention, NULL));
    seeds_expect(grove_feed_trim(store, 100, NULL, NULL));
    seeds_expect(grove_text_insert(document, 0, grove_bytes_of("2"), NULL));
    seeds_expect(grove_document_save_with(document, NULL, &options, NULL, NULL));
}

/* What a store of one document, that has a group as well, gives away. */
static void write_stores(const char *directory)
{
    const grove_clock clock = {NULL, fixed_time};
    const grove_random random = {NULL, fixed_bytes};
    grove_store_options store_options = GROVE_STORE_OPTIONS_INIT;
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    grove_compact_options compact = GROVE_COMPACT_OPTIONS_INIT;
    grove_store *store = NULL;
    grove_document *document = NULL;
    store_options.backend = grove_backend_find("memory");
    store_options.clock = &clock;
    store_options.random = &random;
    options.replica = (grove_replica){2, {'a', 'a'}};
    options.policy.automatic = false;
    compact.window_events = 0;
    seeds_expect(grove_store_open("seeds", &store_options, &store, NULL));
    seeds_expect(
        grove_document_open(store, grove_bytes_of("a"), &options, &document, NULL));
    seeds_expect(grove_text_insert(document, 0, grove_bytes_of("text"), NULL));
    add_fork(document);
    seeds_expect(grove_text_delete(document, 2, 2, NULL));
    seeds_expect(grove_document_save(document, NULL, NULL, NULL));
    seeds_expect(grove_group_save(store, grove_bytes_of("a group"), grove_bytes_of("1"),
                                  NULL, NULL));
    write_export(directory, "exchange/whole", "exchange/whole-parts", document);
    write_dump(directory, "dump/whole", 0, store);
    write_dump(directory, "dump/whole-forged", 1, store);
    seeds_expect(grove_document_compact(document, &compact, NULL, NULL));
    seeds_expect(grove_text_insert(document, 1, grove_bytes_of("more"), NULL));
    seeds_expect(grove_document_save(document, NULL, NULL, NULL));
    write_export(directory, "exchange/snapshot", "exchange/snapshot-parts", document);
    write_dump(directory, "dump/snapshot", 1, store);
    write_dump(directory, "dump/snapshot-resealed", 2, store);
    trim(document, store);
    write_dump(directory, "dump/trimmed", 0, store);
    write_dump(directory, "dump/trimmed-forged", 1, store);
    grove_document_close(document);
    grove_store_close(store);
}

int main(int argument_count, char **arguments)
{
    if (argument_count != 2) {
        (void)fprintf(stderr, "usage: make-seeds DIRECTORY\n");
        return 2;
    }
    write_keys(arguments[1]);
    write_blocks(arguments[1]);
    write_snapshots(arguments[1]);
    write_text_batches(arguments[1]);
    write_schema_batch(arguments[1]);
    write_timed_batch(arguments[1]);
    write_records(arguments[1]);
    write_commits(arguments[1]);
    write_texts(arguments[1]);
    write_trackers(arguments[1]);
    seeds_write_trees(arguments[1]);
    write_stores(arguments[1]);
    seeds_write_json(arguments[1]);
    return EXIT_SUCCESS;
}
