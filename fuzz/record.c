/*
 * Records: whatever a decoder takes is encoded to the same bytes again. The
 * first byte of an input says which record the others are; they are tried as
 * they are, then with their checksum made true.
 */
#include "target.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "format/clock_row.h"
#include "format/record.h"

enum {
    KIND_STORE = 0,
    KIND_META = 1,
    KIND_RUN = 2,
    KIND_COMMIT = 3,
    KIND_AGING = 4,
    KIND_INCARNATIONS = 5,
    KIND_CLOCK_ROW = 6,
    KIND_COUNT = 7
};

enum { CHECKSUM_BYTES = 8 };

static void check_same(const void *again, size_t again_bytes, grove_bytes record)
{
    FUZZ_CHECK(grove__bytes_equal((grove_bytes){again, again_bytes}, record));
}

static void check_store(grove_bytes bytes)
{
    grove__store_record record;
    uint8_t again[GROVE__STORE_RECORD_BYTES];
    if (grove__store_record_decode(bytes, &record, NULL) == GROVE_OK) {
        grove__store_record_encode(&record, again);
        check_same(again, sizeof again, bytes);
    }
}

static void check_meta(grove_bytes bytes)
{
    grove__meta_record record;
    uint8_t again[GROVE__META_RECORD_BYTES];
    if (grove__meta_record_decode(bytes, &record, NULL) == GROVE_OK) {
        FUZZ_CHECK(record.base_clock <= record.events);
        grove__meta_record_encode(&record, again);
        check_same(again, sizeof again, bytes);
    }
}

static void check_run(grove_bytes bytes)
{
    grove__run_record record;
    uint8_t again[GROVE__RUN_RECORD_BYTES];
    if (grove__run_record_decode(bytes, &record, NULL) == GROVE_OK) {
        FUZZ_CHECK(record.count > 0);
        grove__run_record_encode(&record, again);
        check_same(again, sizeof again, bytes);
    }
}

static void check_commit(grove_bytes bytes)
{
    int64_t time;
    grove_bytes meta;
    grove__budget budget;
    grove_buffer touches;
    grove_buffer again;
    grove__budget_init(&budget, &grove__allocator_system, FUZZ_MEMORY_BYTES);
    grove_buffer_init(&touches, &budget.allocator);
    grove_buffer_init(&again, &grove__allocator_system);
    if (grove__commit_record_decode(bytes, &time, &meta, &touches, NULL) == GROVE_OK) {
        const grove__touch *items = (const grove__touch *)(const void *)touches.data;
        FUZZ_CHECK(meta.size <= GROVE_COMMIT_META_BYTES_MAX);
        grove__commit_record_encode(time, meta, items, touches.size / sizeof *items,
                                    &again);
        check_same(again.data, again.size, bytes);
    } else {
        FUZZ_CHECK(touches.size == 0);
    }
    grove_buffer_release(&touches);
    grove_buffer_release(&again);
}

static void check_aging(grove_bytes bytes)
{
    grove__aging_record record;
    uint8_t again[GROVE__AGING_RECORD_BYTES];
    if (grove__aging_record_decode(bytes, &record, NULL) == GROVE_OK) {
        grove__aging_record_encode(&record, again);
        check_same(again, sizeof again, bytes);
    }
}

/* Records that decode to a list of items, of which 0 are none. */
static void check_list(unsigned kind, grove_bytes bytes)
{
    grove__budget budget;
    grove_buffer items;
    grove_buffer again;
    grove__budget_init(&budget, &grove__allocator_system, FUZZ_MEMORY_BYTES);
    grove_buffer_init(&items, &budget.allocator);
    grove_buffer_init(&again, &grove__allocator_system);
    if (kind == KIND_INCARNATIONS &&
        grove__incarnations_record_decode(bytes, &items, NULL) == GROVE_OK) {
        const grove__incarnation *list =
            (const grove__incarnation *)(const void *)items.data;
        grove__incarnations_record_encode(list, items.size / sizeof *list, &again);
        check_same(again.data, again.size, bytes);
    } else if (kind == KIND_CLOCK_ROW &&
               grove__clock_row_decode(7, bytes, &items, NULL) == GROVE_OK) {
        const grove__commit_clock *row =
            (const grove__commit_clock *)(const void *)items.data;
        grove__clock_row_encode(row, items.size / sizeof *row, &again);
        check_same(again.data, again.size, bytes);
    } else {
        FUZZ_CHECK(items.size == 0);
    }
    grove_buffer_release(&items);
    grove_buffer_release(&again);
}

static void check_record(unsigned kind, grove_bytes bytes)
{
    switch (kind) {
    case KIND_STORE:
        check_store(bytes);
        break;
    case KIND_META:
        check_meta(bytes);
        break;
    case KIND_RUN:
        check_run(bytes);
        break;
    case KIND_COMMIT:
        check_commit(bytes);
        break;
    case KIND_AGING:
        check_aging(bytes);
        break;
    default:
        check_list(kind, bytes);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    unsigned kind = data[0] % KIND_COUNT;
    size_t bytes = size - 1;
    uint8_t *record = malloc(bytes > 0 ? bytes : 1);
    FUZZ_CHECK(record != NULL);
    memcpy(record, data + 1, bytes);
    check_record(kind, (grove_bytes){record, bytes});
    if (bytes >= CHECKSUM_BYTES) {
        /* The seed of a record's checksum is its kind, from 1. */
        size_t body = bytes - CHECKSUM_BYTES;
        grove_write_u64(record + body,
                        grove__hash((grove_bytes){record, body}, kind + 1));
        check_record(kind, (grove_bytes){record, bytes});
    }
    free(record);
    return 0;
}
