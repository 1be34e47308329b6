#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "format/record.h"
#include "support/faulty_allocator.h"

static const grove_bytes META = {(const uint8_t *)"who", 3};

static grove__meta_record sound_meta(void)
{
    return (grove__meta_record){
        .type_name = "text",
        .type_format = 1,
        .incarnation = 9,
        .events = 100,
        .base_clock = 10,
        .batches = 1,
        .batch_bytes = 200,
        .snapshots = 2,
        .snapshot_bytes = 50,
        .snapshot_clock = 90,
        .newest_snapshot_bytes = 30,
        .sealed_clock = 40,
    };
}

static grove_status decode_meta(const grove__meta_record *record)
{
    uint8_t bytes[GROVE__META_RECORD_BYTES];
    grove__meta_record decoded;
    grove_error error;
    grove__meta_record_encode(record, bytes);
    return grove__meta_record_decode((grove_bytes){bytes, sizeof bytes}, &decoded,
                                     &error);
}

Test(record, of_a_document_is_refused_when_its_clocks_contradict_each_other)
{
    grove__meta_record record = sound_meta();
    cr_assert_eq(decode_meta(&record), GROVE_OK);
    record.base_clock = 101;
    cr_assert_eq(decode_meta(&record), GROVE_CORRUPT);
    record = sound_meta();
    record.snapshot_clock = 101;
    cr_assert_eq(decode_meta(&record), GROVE_CORRUPT);
    record.snapshot_clock = 9;
    cr_assert_eq(decode_meta(&record), GROVE_CORRUPT);
    record.snapshot_clock = GROVE__NO_SNAPSHOT;
    cr_assert_eq(decode_meta(&record), GROVE_CORRUPT);
    record.snapshots = 0;
    cr_assert_eq(decode_meta(&record), GROVE_CORRUPT);
    record.base_clock = 0;
    cr_assert_eq(decode_meta(&record), GROVE_OK);
    record.sealed_clock = 101;
    cr_assert_eq(decode_meta(&record), GROVE_CORRUPT);
    record = sound_meta();
    record.events = GROVE_DOCUMENT_EVENTS_MAX + 1;
    cr_assert_eq(decode_meta(&record), GROVE_CORRUPT);
    record = sound_meta();
    record.type_name[0] = '\0';
    cr_assert_eq(decode_meta(&record), GROVE_CORRUPT);
    record = sound_meta();
    memset(record.type_name, 'x', sizeof record.type_name);
    cr_assert_eq(decode_meta(&record), GROVE_CORRUPT);
}

Test(record, of_a_later_version_says_so)
{
    uint8_t bytes[GROVE__META_RECORD_BYTES];
    grove__meta_record meta = sound_meta();
    grove_error error;
    grove__meta_record_encode(&meta, bytes);
    bytes[0] = 2;
    cr_assert_eq(
        grove__meta_record_decode((grove_bytes){bytes, sizeof bytes}, &meta, &error),
        GROVE_FORMAT_NEWER);
    uint8_t store_bytes[GROVE__STORE_RECORD_BYTES];
    grove__store_record store = {.format = 2, .incarnation = 1, .created = 1};
    grove__store_record_encode(&store, store_bytes);
    cr_assert_eq(grove__store_record_decode(
                     (grove_bytes){store_bytes, sizeof store_bytes}, &store, &error),
                 GROVE_FORMAT_NEWER);
    grove_buffer touches;
    grove_buffer_init(&touches, &grove__allocator_system);
    const uint8_t commit[] = {2, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
    int64_t time;
    grove_bytes meta_read;
    cr_assert_eq(grove__commit_record_decode((grove_bytes){commit, sizeof commit}, &time,
                                             &meta_read, &touches, &error),
                 GROVE_FORMAT_NEWER);
    grove_buffer_release(&touches);
}

/* Decodes what may be any of the records; only the right one is taken. */
static int count_taken(grove_bytes bytes)
{
    grove__store_record store;
    grove__meta_record meta;
    grove__run_record run;
    grove_buffer touches;
    int64_t time;
    grove_bytes meta_read;
    grove_buffer_init(&touches, &grove__allocator_system);
    int taken = 0;
    taken += grove__store_record_decode(bytes, &store, NULL) == GROVE_OK;
    taken += grove__meta_record_decode(bytes, &meta, NULL) == GROVE_OK;
    taken += grove__run_record_decode(bytes, &run, NULL) == GROVE_OK;
    taken +=
        grove__commit_record_decode(bytes, &time, &meta_read, &touches, NULL) == GROVE_OK;
    grove__aging_record aging;
    taken += grove__aging_record_decode(bytes, &aging, NULL) == GROVE_OK;
    grove_buffer_reset(&touches);
    taken += grove__incarnations_record_decode(bytes, &touches, NULL) == GROVE_OK;
    grove_buffer_release(&touches);
    return taken;
}

static void check_every_change(uint8_t *bytes, size_t size)
{
    cr_assert_eq(count_taken((grove_bytes){bytes, size}), 1);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert_eq(count_taken((grove_bytes){bytes, size}), 0, "bit %zu", bit);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t left = 0; left < size; left++) {
        cr_assert_eq(count_taken((grove_bytes){bytes, left}), 0, "%zu bytes", left);
    }
}

Test(record, with_any_bit_changed_or_any_end_cut_off_is_refused)
{
    uint8_t meta_bytes[GROVE__META_RECORD_BYTES];
    grove__meta_record meta = sound_meta();
    grove__meta_record_encode(&meta, meta_bytes);
    check_every_change(meta_bytes, sizeof meta_bytes);
    uint8_t store_bytes[GROVE__STORE_RECORD_BYTES];
    grove__store_record_encode(
        &(grove__store_record){1, 5, -5, 6, 7, GROVE_DURABILITY_RELAXED}, store_bytes);
    check_every_change(store_bytes, sizeof store_bytes);
    uint8_t run_bytes[GROVE__RUN_RECORD_BYTES];
    grove__run_record_encode(&(grove__run_record){5, 6}, run_bytes);
    check_every_change(run_bytes, sizeof run_bytes);
    grove_buffer commit;
    grove_buffer_init(&commit, &grove__allocator_system);
    grove__touch touches[] = {{GROVE__TOUCH_DOCUMENT, grove_bytes_of("a"), 1, 2},
                              {GROVE__TOUCH_GROUP, grove_bytes_of("b"), 0, 0}};
    grove__commit_record_encode(-77, META, touches, 2, &commit);
    check_every_change(commit.data, commit.size);
    const grove__incarnation incarnations[] = {{0, 5}, {9, 6}};
    grove_buffer_reset(&commit);
    grove__incarnations_record_encode(incarnations, 2, &commit);
    check_every_change(commit.data, commit.size);
    grove_buffer_release(&commit);
    uint8_t aging_bytes[GROVE__AGING_RECORD_BYTES];
    grove__aging_record_encode(&(grove__aging_record){512, 7, 8}, aging_bytes);
    check_every_change(aging_bytes, sizeof aging_bytes);
}

Test(record, of_a_run_stays_within_all_clocks)
{
    uint8_t bytes[GROVE__RUN_RECORD_BYTES];
    grove__run_record run = {GROVE_DOCUMENT_EVENTS_MAX - 5, 5};
    grove_bytes view = {bytes, sizeof bytes};
    grove__run_record_encode(&run, bytes);
    cr_assert_eq(grove__run_record_decode(view, &run, NULL), GROVE_OK);
    run.count = 6;
    grove__run_record_encode(&run, bytes);
    cr_assert_eq(grove__run_record_decode(view, &run, NULL), GROVE_CORRUPT);
    run.count = 0;
    grove__run_record_encode(&run, bytes);
    cr_assert_eq(grove__run_record_decode(view, &run, NULL), GROVE_CORRUPT);
}

/* Makes the checksum of a changed record true. */
static void seal(uint8_t *bytes, size_t size, uint64_t seed)
{
    grove_write_u64(bytes + size - 8, grove__hash((grove_bytes){bytes, size - 8}, seed));
}

Test(record, of_format_0_is_refused)
{
    uint8_t bytes[GROVE__META_RECORD_BYTES];
    grove__meta_record meta = sound_meta();
    grove__meta_record_encode(&meta, bytes);
    bytes[0] = 0;
    seal(bytes, sizeof bytes, 2);
    cr_assert_eq(
        grove__meta_record_decode((grove_bytes){bytes, sizeof bytes}, &meta, NULL),
        GROVE_CORRUPT);
    grove__store_record store = {.format = 0, .incarnation = 1, .created = 1};
    grove__store_record_encode(&store, bytes);
    grove_bytes store_bytes = {bytes, GROVE__STORE_RECORD_BYTES};
    cr_assert_eq(grove__store_record_decode(store_bytes, &store, NULL), GROVE_CORRUPT);
    grove_buffer touches;
    int64_t time;
    grove_bytes meta_read;
    grove_buffer_init(&touches, &grove__allocator_system);
    uint8_t commit[] = {0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
    seal(commit, sizeof commit, 4);
    cr_assert_eq(grove__commit_record_decode((grove_bytes){commit, sizeof commit}, &time,
                                             &meta_read, &touches, NULL),
                 GROVE_CORRUPT);
    grove_buffer_release(&touches);
}

Test(record, has_zeros_after_the_name_of_a_type)
{
    grove__meta_record record = sound_meta();
    for (size_t at = 5; at < sizeof record.type_name; at++) {
        record = sound_meta();
        record.type_name[at] = 'x';
        cr_assert_eq(decode_meta(&record), GROVE_CORRUPT);
    }
}

Test(record, of_a_commit_names_no_events_beyond_all_clocks)
{
    const uint64_t end = GROVE_DOCUMENT_EVENTS_MAX;
    const struct {
        uint64_t first_clock;
        uint64_t count;
        grove_status status;
    } cases[] = {{0, end, GROVE_OK},          {end, 0, GROVE_OK},
                 {end - 1, 1, GROVE_OK},      {end, 1, GROVE_CORRUPT},
                 {end + 1, 0, GROVE_CORRUPT}, {1, UINT64_MAX, GROVE_CORRUPT}};
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        const grove__touch touch = {GROVE__TOUCH_DOCUMENT, grove_bytes_of("a"),
                                    cases[index].first_clock, cases[index].count};
        grove_buffer record;
        grove_buffer touches;
        int64_t time;
        grove_bytes meta_read;
        grove_buffer_init(&record, &grove__allocator_system);
        grove_buffer_init(&touches, &grove__allocator_system);
        grove__commit_record_encode(0, META, &touch, 1, &record);
        cr_assert_eq(grove__commit_record_decode(grove_buffer_view(&record), &time,
                                                 &meta_read, &touches, NULL),
                     cases[index].status);
        cr_assert_eq(touches.size,
                     cases[index].status == GROVE_OK ? sizeof(grove__touch) : 0);
        grove_buffer_release(&record);
        grove_buffer_release(&touches);
    }
}

Test(record, of_a_commit_says_no_more_than_the_limit)
{
    static uint8_t said[GROVE_COMMIT_META_BYTES_MAX + 1];
    const grove__touch touch = {GROVE__TOUCH_GROUP, grove_bytes_of("a"), 0, 0};
    const struct {
        size_t bytes;
        grove_status status;
    } cases[] = {{0, GROVE_OK},
                 {GROVE_COMMIT_META_BYTES_MAX - 1, GROVE_OK},
                 {GROVE_COMMIT_META_BYTES_MAX, GROVE_OK},
                 {GROVE_COMMIT_META_BYTES_MAX + 1, GROVE_CORRUPT}};
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        grove_buffer record;
        grove_buffer touches;
        int64_t time;
        grove_bytes read = {NULL, 0};
        grove_buffer_init(&record, &grove__allocator_system);
        grove_buffer_init(&touches, &grove__allocator_system);
        grove__commit_record_encode(0, (grove_bytes){said, cases[index].bytes}, &touch, 1,
                                    &record);
        cr_assert_eq(grove__commit_record_decode(grove_buffer_view(&record), &time, &read,
                                                 &touches, NULL),
                     cases[index].status);
        cr_assert_eq(read.size, cases[index].status == GROVE_OK ? cases[index].bytes : 0);
        grove_buffer_release(&record);
        grove_buffer_release(&touches);
    }
}

static grove_status decode_incarnations(const grove__incarnation *items, size_t count)
{
    grove_buffer record;
    grove_buffer read;
    grove_buffer_init(&record, &grove__allocator_system);
    grove_buffer_init(&read, &grove__allocator_system);
    grove__incarnations_record_encode(items, count, &record);
    grove_status status =
        grove__incarnations_record_decode(grove_buffer_view(&record), &read, NULL);
    cr_assert_eq(read.size, status == GROVE_OK ? count * sizeof *items : 0);
    grove_buffer_release(&record);
    grove_buffer_release(&read);
    return status;
}

Test(record, of_incarnations_ascends_within_the_limit)
{
    static grove__incarnation items[GROVE_INCARNATIONS_MAX + 1];
    for (size_t index = 0; index <= GROVE_INCARNATIONS_MAX; index++) {
        items[index] = (grove__incarnation){index, 77};
    }
    cr_assert_eq(decode_incarnations(items, 0), GROVE_CORRUPT);
    cr_assert_eq(decode_incarnations(items, 1), GROVE_OK);
    cr_assert_eq(decode_incarnations(items, GROVE_INCARNATIONS_MAX - 1), GROVE_OK);
    cr_assert_eq(decode_incarnations(items, GROVE_INCARNATIONS_MAX), GROVE_OK);
    cr_assert_eq(decode_incarnations(items, GROVE_INCARNATIONS_MAX + 1), GROVE_CORRUPT);
    items[1].first_commit = 0;
    cr_assert_eq(decode_incarnations(items, 2), GROVE_CORRUPT);
    items[1].first_commit = UINT64_MAX;
    cr_assert_eq(decode_incarnations(items, 2), GROVE_CORRUPT);
    items[1].first_commit = UINT64_MAX - 1;
    cr_assert_eq(decode_incarnations(items, 2), GROVE_OK);
}

Test(record, of_a_commit_is_not_read_without_memory)
{
    const grove__touch touch = {GROVE__TOUCH_GROUP, grove_bytes_of("a"), 0, 0};
    grove_buffer record;
    grove_buffer touches;
    int64_t time = 4711;
    grove_bytes meta_read;
    faulty_allocator faulty;
    faulty_allocator_init(&faulty, 1);
    grove_buffer_init(&record, &grove__allocator_system);
    grove_buffer_init(&touches, &faulty.allocator);
    grove__commit_record_encode(0, META, &touch, 1, &record);
    cr_assert_eq(grove__commit_record_decode(grove_buffer_view(&record), &time,
                                             &meta_read, &touches, NULL),
                 GROVE_NO_MEMORY);
    cr_assert_eq(time, 4711);
    cr_assert(touches.size == 0 && !touches.failed);
    grove_buffer_release(&record);
    grove_buffer_release(&touches);
    faulty_allocator_finish(&faulty);
}
