#include "kv/value.h"

#include "kv_fixture.h"

#include "base/hash.h"
#include "support/faulty_allocator.h"
#include "support/faulty_backend.h"
#include "support/random.h"

static const grove__table TABLE = GROVE__TABLE_SNAPSHOTS;

enum { KEY_BYTES = 3, PART_KEY_BYTES = KEY_BYTES + 8 };

static const uint8_t KEY_BEFORE[] = {'k', 0, 0};
static const uint8_t KEY[] = {'k', 0, 1};
static const uint8_t KEY_AFTER[] = {'k', 0, 2};

static grove_bytes key_of(const uint8_t *key)
{
    return (grove_bytes){key, KEY_BYTES};
}

static grove_bytes part_key_of(uint8_t *room, const uint8_t *key, uint64_t number)
{
    memcpy(room, key, KEY_BYTES);
    grove_write_u64(room + KEY_BYTES, number);
    return (grove_bytes){room, PART_KEY_BYTES};
}

static size_t payload_bytes_max(const grove__kv *kv)
{
    return kv->part_bytes - GROVE__PART_OVERHEAD_BYTES;
}

/* Bytes that differ from place to place and from seed to seed. */
static grove_bytes make_value(uint64_t seed, size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    cr_assert_not_null(bytes);
    test_random random = {seed};
    test_random_bytes(&random, bytes, size);
    return (grove_bytes){bytes, size};
}

static void free_value(grove_bytes value)
{
    free((void *)(uintptr_t)value.data);
}

static void put_value(grove__txn *txn, const uint8_t *key, grove_bytes value)
{
    grove_error error;
    cr_assert_eq(grove__value_put(txn, TABLE, key_of(key), value, &error), GROVE_OK, "%s",
                 error.message);
}

static void assert_value(grove__txn *txn, const uint8_t *key, grove_bytes expected)
{
    grove_error error;
    grove_buffer joined;
    grove_bytes value;
    grove_buffer_init(&joined, &grove__allocator_system);
    cr_assert_eq(grove__value_get(txn, TABLE, key_of(key), &joined, &value, &error),
                 GROVE_OK, "%s", error.message);
    cr_assert_eq(value.size, expected.size);
    cr_assert(value.size == 0 || memcmp(value.data, expected.data, value.size) == 0);
    bool is_view = expected.size <= payload_bytes_max(txn->kv);
    cr_assert_eq(joined.data == NULL, is_view, "a single part is a view");
    grove_buffer_release(&joined);
}

static size_t count_parts(grove__txn *txn, const uint8_t *key)
{
    uint8_t room[PART_KEY_BYTES];
    grove_bytes part;
    size_t count = 0;
    while (grove__kv_get(txn, TABLE, part_key_of(room, key, count), &part, NULL) ==
           GROVE_OK) {
        count++;
    }
    return count;
}

KV_TEST(value, sizes_around_the_edges_of_parts_come_back_as_they_were)
{
    size_t payload = payload_bytes_max(&fixture->kv);
    const struct {
        size_t size, parts;
    } SIZES[] = {
        {0, 1},
        {1, 1},
        {payload - 1, 1},
        {payload, 1},
        {payload + 1, 2},
        {2 * payload - 1, 2},
        {2 * payload, 2},
        {2 * payload + 1, 3},
        {40 * payload + 7, 41},
    };
    grove__txn txn;
    for (size_t index = 0; index < sizeof SIZES / sizeof *SIZES; index++) {
        grove_bytes value = make_value(index, SIZES[index].size);
        kv_begin(fixture, GROVE_TXN_WRITE, &txn);
        put_value(&txn, KEY, value);
        assert_value(&txn, KEY, value);
        kv_commit(fixture, &txn);
        kv_begin(fixture, GROVE_TXN_READ, &txn);
        assert_value(&txn, KEY, value);
        cr_assert_eq(count_parts(&txn, KEY), SIZES[index].parts);
        grove__txn_abort(&txn);
        free_value(value);
    }
}

KV_TEST(value, parts_have_the_documented_bytes)
{
    grove__txn txn;
    uint8_t room[PART_KEY_BYTES];
    grove_bytes part;
    grove_bytes value = make_value(1, payload_bytes_max(&fixture->kv) + 1);
    kv_begin(fixture, GROVE_TXN_WRITE, &txn);
    put_value(&txn, KEY, value);
    cr_assert_eq(grove__kv_get(&txn, TABLE, part_key_of(room, KEY, 0), &part, NULL),
                 GROVE_OK);
    cr_assert_eq(part.size, fixture->kv.part_bytes);
    cr_assert_eq((fixture->kv.part_bytes + 16) % fixture->backend->page_bytes, 0);
    cr_assert_eq(part.data[part.size - 9], 0);
    cr_assert_eq(grove__kv_get(&txn, TABLE, part_key_of(room, KEY, 1), &part, NULL),
                 GROVE_OK);
    cr_assert_eq(part.size, 10);
    cr_assert_eq(part.data[0], value.data[value.size - 1]);
    cr_assert_eq(part.data[1], 1);
    cr_assert_eq(grove_read_u64(part.data + 2),
                 grove__hash((grove_bytes){part.data, 2}, 1));
    kv_commit(fixture, &txn);
    free_value(value);
}

KV_TEST(value, a_new_value_replaces_a_longer_one_and_touches_no_neighbour)
{
    size_t payload = payload_bytes_max(&fixture->kv);
    const size_t SIZES[] = {5 * payload, 2 * payload + 1, 7 * payload, 0, 3 * payload, 1};
    grove_bytes neighbour = make_value(99, 2 * payload + 5);
    grove__txn txn;
    kv_begin(fixture, GROVE_TXN_WRITE, &txn);
    put_value(&txn, KEY_BEFORE, neighbour);
    put_value(&txn, KEY_AFTER, neighbour);
    for (size_t index = 0; index < sizeof SIZES / sizeof *SIZES; index++) {
        grove_bytes value = make_value(index, SIZES[index]);
        put_value(&txn, KEY, value);
        assert_value(&txn, KEY, value);
        free_value(value);
    }
    cr_assert_eq(grove__value_remove(&txn, TABLE, key_of(KEY), NULL), GROVE_OK);
    cr_assert_eq(count_parts(&txn, KEY), 0);
    cr_assert_eq(grove__value_remove(&txn, TABLE, key_of(KEY), NULL), GROVE_NONE);
    assert_value(&txn, KEY_BEFORE, neighbour);
    assert_value(&txn, KEY_AFTER, neighbour);
    kv_commit(fixture, &txn);
    free_value(neighbour);
}

KV_TEST(value, what_was_never_stored_is_none)
{
    grove__txn txn;
    grove_buffer joined;
    grove_bytes value = grove_bytes_of("untouched");
    grove_buffer_init(&joined, &grove__allocator_system);
    kv_begin(fixture, GROVE_TXN_READ, &txn);
    cr_assert_eq(grove__value_get(&txn, TABLE, key_of(KEY), &joined, &value, NULL),
                 GROVE_NONE);
    assert_bytes(value, "untouched");
    grove__txn_abort(&txn);
    grove_buffer_release(&joined);
}

KV_TEST(value, over_the_limit_is_refused_and_changes_nothing)
{
    grove__txn txn;
    grove_error error = {.status = GROVE_OK};
    uint8_t byte = 0;
    grove_bytes too_large = {&byte, GROVE_VALUE_BYTES_MAX + 1};
    kv_begin(fixture, GROVE_TXN_WRITE, &txn);
    put_value(&txn, KEY, (grove_bytes){&byte, 1});
    cr_assert_eq(grove__value_put(&txn, TABLE, key_of(KEY), too_large, &error),
                 GROVE_LIMIT);
    cr_assert_eq(error.status, GROVE_LIMIT);
    assert_value(&txn, KEY, (grove_bytes){&byte, 1});
    kv_commit(fixture, &txn);
}

/* ---- Damage ---- */

/* What is done to a value of three parts; parts count from 0. */
typedef enum damage_kind {
    DAMAGE_REMOVE,   /* part `number` */
    DAMAGE_FLIP,     /* a bit of part `number`, `at` bytes from its end */
    DAMAGE_FIRST,    /* a bit of the first byte of part `number` */
    DAMAGE_SHORTEN,  /* part `number` to its first `at` bytes */
    DAMAGE_SWAP,     /* parts `number` and `at` */
    DAMAGE_REWRITE,  /* part `number`: `at` bytes of payload, flag, true hash */
    DAMAGE_STRAY_KEY /* an entry whose key has `at` bytes after the value's */
} damage_kind;

typedef struct part_damage {
    damage_kind kind;
    uint64_t number;
    size_t at;
    uint8_t flag;
    /* The number that the message has to name. */
    const char *named;
} part_damage;

/* A copy of a stored part, to be freed. */
static grove_bytes copy_part(grove__txn *txn, uint64_t number)
{
    uint8_t room[PART_KEY_BYTES];
    grove_bytes part;
    cr_assert_eq(grove__kv_get(txn, TABLE, part_key_of(room, KEY, number), &part, NULL),
                 GROVE_OK);
    uint8_t *copy = malloc(part.size + 1);
    cr_assert_not_null(copy);
    memcpy(copy, part.data, part.size);
    return (grove_bytes){copy, part.size};
}

static void put_part(grove__txn *txn, uint64_t number, grove_bytes part)
{
    uint8_t room[PART_KEY_BYTES];
    cr_assert_eq(grove__kv_put(txn, TABLE, part_key_of(room, KEY, number), part, NULL),
                 GROVE_OK);
}

static void rewrite_part(grove__txn *txn, const part_damage *damage)
{
    grove_bytes payload = make_value(5, damage->at + GROVE__PART_OVERHEAD_BYTES);
    uint8_t *bytes = (uint8_t *)(uintptr_t)payload.data;
    bytes[damage->at] = damage->flag;
    grove_write_u64(bytes + damage->at + 1,
                    grove__hash((grove_bytes){bytes, damage->at + 1}, damage->number));
    put_part(txn, damage->number, payload);
    free_value(payload);
}

static void flip(grove__txn *txn, uint64_t number, bool from_begin, size_t at)
{
    grove_bytes part = copy_part(txn, number);
    uint8_t *bytes = (uint8_t *)(uintptr_t)part.data;
    bytes[from_begin ? at : part.size - at] ^= 1;
    put_part(txn, number, part);
    free_value(part);
}

static void do_damage(grove__txn *txn, const part_damage *damage)
{
    uint8_t room[PART_KEY_BYTES + 8] = {0};
    grove_bytes part = {NULL, 0};
    grove_bytes other = {NULL, 0};
    switch (damage->kind) {
    case DAMAGE_REMOVE:
        cr_assert_eq(
            grove__kv_remove(txn, TABLE, part_key_of(room, KEY, damage->number), NULL),
            GROVE_OK);
        break;
    case DAMAGE_FLIP:
        flip(txn, damage->number, false, damage->at);
        break;
    case DAMAGE_FIRST:
        flip(txn, damage->number, true, 0);
        break;
    case DAMAGE_SHORTEN:
        part = copy_part(txn, damage->number);
        put_part(txn, damage->number, (grove_bytes){part.data, damage->at});
        break;
    case DAMAGE_SWAP:
        part = copy_part(txn, damage->number);
        other = copy_part(txn, damage->at);
        put_part(txn, damage->number, other);
        put_part(txn, damage->at, part);
        break;
    case DAMAGE_REWRITE:
        rewrite_part(txn, damage);
        break;
    case DAMAGE_STRAY_KEY:
        memcpy(room, KEY, KEY_BYTES);
        cr_assert_eq(grove__kv_put(txn, TABLE,
                                   (grove_bytes){room, KEY_BYTES + damage->at},
                                   grove_bytes_of("stray"), NULL),
                     GROVE_OK);
        break;
    }
    free_value(part);
    free_value(other);
}

static void assert_corrupt(grove__txn *txn, const part_damage *damage, size_t index)
{
    grove_error error = {.status = GROVE_OK};
    grove_buffer joined;
    grove_bytes value = grove_bytes_of("untouched");
    grove_buffer_init(&joined, &grove__allocator_system);
    cr_assert_eq(grove__value_get(txn, TABLE, key_of(KEY), &joined, &value, &error),
                 GROVE_CORRUPT, "damage %zu", index);
    cr_assert_eq(error.status, GROVE_CORRUPT);
    cr_assert_not_null(strstr(error.message, damage->named), "damage %zu: '%s' in '%s'",
                       index, damage->named, error.message);
    assert_bytes(value, "untouched");
    cr_assert_eq(joined.size, 0);
    cr_assert_not(txn->failed, "the backend did nothing wrong");
    grove_buffer_release(&joined);
}

KV_TEST(value, every_damage_to_parts_is_corrupt_and_names_the_part)
{
    size_t full = payload_bytes_max(&fixture->kv);
    const part_damage DAMAGES[] = {
        {DAMAGE_REMOVE, 0, 0, 0, "part 0 of a value is missing"},
        {DAMAGE_REMOVE, 1, 0, 0, "part 1 of a value is missing"},
        {DAMAGE_REMOVE, 2, 0, 0, "part 2 of a value is missing"},
        {DAMAGE_FIRST, 0, 0, 0, "part 0 of 3 of a value is damaged"},
        {DAMAGE_FIRST, 1, 0, 0, "part 1 of 3 of a value is damaged"},
        {DAMAGE_FIRST, 2, 0, 0, "part 2 of 3 of a value is damaged"},
        {DAMAGE_FLIP, 1, 10, 0, "part 1 of 3 of a value is damaged"},
        {DAMAGE_FLIP, 0, 9, 0, "part 0 of 3 of a value is damaged"},
        {DAMAGE_FLIP, 2, 9, 0, "part 2 of 3 of a value is damaged"},
        {DAMAGE_FLIP, 1, 8, 0, "part 1 of 3 of a value is damaged"},
        {DAMAGE_FLIP, 2, 1, 0, "part 2 of 3 of a value is damaged"},
        {DAMAGE_SHORTEN, 0, 0, 0, "part 0 of a value is damaged"},
        {DAMAGE_SHORTEN, 1, 8, 0, "part 1 of a value is damaged"},
        {DAMAGE_SHORTEN, 2, 9, 0, "part 2 of 3 of a value is damaged"},
        {DAMAGE_SHORTEN, 0, full, 0, "part 0 of 3 of a value is damaged"},
        {DAMAGE_SWAP, 0, 1, 0, "part 0 of 3 of a value is damaged"},
        {DAMAGE_SWAP, 1, 2, 0, "part 1 of 3 of a value is damaged"},
        {DAMAGE_REWRITE, 1, full, 1, "part 2 of a value is surplus"},
        {DAMAGE_REWRITE, 3, 1, 1, "part 3 of a value is surplus"},
        {DAMAGE_REWRITE, 2, 1, 0, "part 3 of a value is missing"},
        {DAMAGE_REWRITE, 1, full, 2, "part 1 of 3 of a value is damaged"},
        {DAMAGE_REWRITE, 1, full - 1, 0, "part 1 of 3 of a value has the wrong size"},
        {DAMAGE_REWRITE, 0, 0, 0, "part 0 of 3 of a value has the wrong size"},
        {DAMAGE_REWRITE, 2, full + 1, 1, "part 2 of 3 of a value has the wrong size"},
        {DAMAGE_REWRITE, 2, 0, 1, "part 2 of 3 of a value has the wrong size"},
        {DAMAGE_REWRITE, 4, 1, 1, "part 3 of a value is missing"},
        {DAMAGE_STRAY_KEY, 0, 0, 0, "after part 0 of a value comes a key"},
        {DAMAGE_STRAY_KEY, 0, 7, 0, "after part 0 of a value comes a key"},
        {DAMAGE_STRAY_KEY, 0, 9, 0, "after part 1 of a value comes a key"},
    };
    grove_bytes value = make_value(3, 2 * full + 100);
    grove__txn txn;
    for (size_t index = 0; index < sizeof DAMAGES / sizeof *DAMAGES; index++) {
        kv_begin(fixture, GROVE_TXN_WRITE, &txn);
        put_value(&txn, KEY, value);
        assert_value(&txn, KEY, value);
        do_damage(&txn, &DAMAGES[index]);
        assert_corrupt(&txn, &DAMAGES[index], index);
        grove__txn_abort(&txn);
    }
    free_value(value);
}

KV_TEST(value, damage_to_a_single_part_is_corrupt_too)
{
    const part_damage DAMAGES[] = {
        {DAMAGE_FIRST, 0, 0, 0, "part 0 of 1 of a value is damaged"},
        {DAMAGE_FLIP, 0, 9, 0, "part 0 of 1 of a value is damaged"},
        {DAMAGE_FLIP, 0, 1, 0, "part 0 of 1 of a value is damaged"},
        {DAMAGE_SHORTEN, 0, 8, 0, "part 0 of a value is damaged"},
        {DAMAGE_REWRITE, 0, 5, 0, "part 1 of a value is missing"},
        {DAMAGE_REWRITE, 1, 1, 1, "part 1 of a value is surplus"},
    };
    grove__txn txn;
    for (size_t index = 0; index < sizeof DAMAGES / sizeof *DAMAGES; index++) {
        kv_begin(fixture, GROVE_TXN_WRITE, &txn);
        put_value(&txn, KEY, grove_bytes_of("hello"));
        do_damage(&txn, &DAMAGES[index]);
        assert_corrupt(&txn, &DAMAGES[index], index);
        grove__txn_abort(&txn);
    }
}

KV_TEST(value, parts_of_another_build_s_size_are_read)
{
    size_t part_bytes = fixture->kv.part_bytes;
    grove_bytes value = make_value(4, 3 * part_bytes);
    grove__txn txn;
    grove_buffer joined;
    grove_bytes got;
    grove_buffer_init(&joined, &grove__allocator_system);
    kv_begin(fixture, GROVE_TXN_WRITE, &txn);
    fixture->kv.part_bytes = 512 - 16;
    put_value(&txn, KEY, value);
    fixture->kv.part_bytes = part_bytes;
    cr_assert_eq(grove__value_get(&txn, TABLE, key_of(KEY), &joined, &got, NULL),
                 GROVE_OK);
    cr_assert_eq(got.size, value.size);
    cr_assert_eq(memcmp(got.data, value.data, value.size), 0);
    kv_commit(fixture, &txn);
    grove_buffer_release(&joined);
    free_value(value);
}

/* ---- The order of reading ---- */

/* A cursor that hands out unreadable parts: their bytes come only once it has
 * come to the end, as if the disk were slow. */
enum { SLOW_PARTS_MAX = 64 };

static struct {
    size_t count;
    struct {
        uint8_t *bytes;
        grove_bytes stored;
    } parts[SLOW_PARTS_MAX];
} slow;

static grove_status give_slowly(grove_status status, grove_bytes *value_out)
{
    if (status == GROVE_NONE) {
        for (size_t index = 0; index < slow.count; index++) {
            memcpy(slow.parts[index].bytes, slow.parts[index].stored.data,
                   slow.parts[index].stored.size);
        }
    } else if (status == GROVE_OK) {
        cr_assert_lt(slow.count, SLOW_PARTS_MAX);
        uint8_t *bytes = calloc(1, value_out->size);
        cr_assert_not_null(bytes);
        slow.parts[slow.count].bytes = bytes;
        slow.parts[slow.count++].stored = *value_out;
        value_out->data = bytes;
    }
    return status;
}

static grove_status slow_seek(grove_backend_cursor *cursor, grove_seek seek,
                              grove_bytes key, grove_bytes *key_out,
                              grove_bytes *value_out, grove_error *error_out)
{
    return give_slowly(grove_backend_find("lmdb")->cursor_seek(cursor, seek, key, key_out,
                                                               value_out, error_out),
                       value_out);
}

static grove_status slow_next(grove_backend_cursor *cursor, grove_bytes *key_out,
                              grove_bytes *value_out, grove_error *error_out)
{
    return give_slowly(
        grove_backend_find("lmdb")->cursor_next(cursor, key_out, value_out, error_out),
        value_out);
}

Test(value, no_part_is_read_before_the_last_one_is_found)
{
    kv_fixture fixture;
    grove__txn txn;
    kv_fixture_prepare(&fixture, "lmdb");
    grove_backend backend = *fixture.backend;
    backend.cursor_seek = slow_seek;
    backend.cursor_next = slow_next;
    fixture.backend = &backend;
    kv_fixture_open(&fixture);
    grove_bytes value = make_value(6, 5 * fixture.kv.part_bytes);
    kv_begin(&fixture, GROVE_TXN_WRITE, &txn);
    put_value(&txn, KEY, value);
    kv_commit(&fixture, &txn);
    kv_begin(&fixture, GROVE_TXN_READ, &txn);
    assert_value(&txn, KEY, value);
    grove__txn_abort(&txn);
    for (size_t index = 0; index < slow.count; index++) {
        free(slow.parts[index].bytes);
    }
    free_value(value);
    grove__kv_close(&fixture.kv);
    temp_dir_remove(&fixture.dir);
}

/* A cursor that says of every part that it has 2 GB. */
static grove_status boast(grove_status status, grove_bytes *value_out)
{
    if (status == GROVE_OK) {
        value_out->size = (size_t)grove_backend_find("lmdb")->value_bytes_max;
    }
    return status;
}

static grove_status boasting_seek(grove_backend_cursor *cursor, grove_seek seek,
                                  grove_bytes key, grove_bytes *key_out,
                                  grove_bytes *value_out, grove_error *error_out)
{
    return boast(grove_backend_find("lmdb")->cursor_seek(cursor, seek, key, key_out,
                                                         value_out, error_out),
                 value_out);
}

static grove_status boasting_next(grove_backend_cursor *cursor, grove_bytes *key_out,
                                  grove_bytes *value_out, grove_error *error_out)
{
    return boast(
        grove_backend_find("lmdb")->cursor_next(cursor, key_out, value_out, error_out),
        value_out);
}

Test(value, parts_of_more_than_a_value_may_have_are_corrupt_before_they_are_read)
{
    kv_fixture fixture;
    grove__txn txn;
    kv_fixture_prepare(&fixture, "lmdb");
    grove_backend backend = *fixture.backend;
    backend.cursor_seek = boasting_seek;
    backend.cursor_next = boasting_next;
    fixture.backend = &backend;
    kv_fixture_open(&fixture);
    grove_bytes value = make_value(6, 10 * fixture.kv.part_bytes);
    kv_begin(&fixture, GROVE_TXN_WRITE, &txn);
    put_value(&txn, KEY, value);
    const part_damage none = {.named = "takes a value over GROVE_VALUE_BYTES_MAX"};
    assert_corrupt(&txn, &none, 0);
    grove__txn_abort(&txn);
    free_value(value);
    grove__kv_close(&fixture.kv);
    temp_dir_remove(&fixture.dir);
}

/* ---- Failures ---- */

/* Puts, gets and removes a value of three parts, until something fails. */
static grove_status make_every_call(grove__kv *kv, grove_bytes value,
                                    const grove_allocator *allocator)
{
    grove__txn txn;
    grove_buffer joined;
    grove_bytes got;
    grove_buffer_init(&joined, allocator);
    grove_status status = grove__txn_begin(kv, GROVE_TXN_WRITE, &txn, NULL);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__value_put(&txn, TABLE, key_of(KEY), value, NULL);
    if (status == GROVE_OK) {
        grove_bytes shorter = {value.data, value.size / 2};
        status = grove__value_put(&txn, TABLE, key_of(KEY), shorter, NULL);
    }
    if (status == GROVE_OK) {
        status = grove__value_get(&txn, TABLE, key_of(KEY), &joined, &got, NULL);
        cr_assert(status == GROVE_OK || joined.size == 0);
    }
    if (status == GROVE_OK) {
        cr_assert_eq(got.size, value.size / 2);
        status = grove__value_remove(&txn, TABLE, key_of(KEY), NULL);
    }
    if (status == GROVE_OK) {
        status = grove__txn_commit(&txn, NULL);
    }
    grove__txn_abort(&txn);
    grove_buffer_release(&joined);
    return status;
}

KV_TEST(value, every_failing_backend_call_is_passed_on)
{
    temp_dir dir;
    temp_dir_make(&dir);
    grove_bytes value = make_value(8, 3 * fixture->kv.part_bytes);
    for (size_t nth = 2;; nth++) {
        faulty_backend faulty;
        grove__kv kv;
        grove_backend_options options = fixture->options;
        faulty_backend_init(&faulty, fixture->backend, nth, GROVE_IO);
        options.path = dir.path;
        options.context = &faulty;
        cr_assert_eq(grove__kv_open(&faulty.table, &options, &kv, NULL), GROVE_OK);
        grove_status status = make_every_call(&kv, value, options.allocator);
        grove__kv_close(&kv);
        faulty_backend_finish(&faulty);
        if (!faulty.has_failed) {
            cr_assert_eq(status, GROVE_OK);
            break;
        }
        cr_assert_eq(status, GROVE_IO, "%s", faulty.failed_call);
    }
    free_value(value);
    temp_dir_remove(&dir);
}

KV_TEST(value, out_of_memory_is_reported_and_leaks_nothing)
{
    temp_dir dir;
    temp_dir_make(&dir);
    grove_bytes value = make_value(9, 3 * fixture->kv.part_bytes);
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        grove__kv kv;
        grove_backend_options options = fixture->options;
        faulty_allocator_init(&faulty, nth);
        options.path = dir.path;
        options.allocator = &faulty.allocator;
        grove_status status = grove__kv_open(fixture->backend, &options, &kv, NULL);
        if (status == GROVE_OK) {
            status = make_every_call(&kv, value, &faulty.allocator);
            grove__kv_close(&kv);
        }
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            cr_assert_eq(status, GROVE_OK);
            break;
        }
        cr_assert_eq(status, GROVE_NO_MEMORY, "allocation %zu", nth);
    }
    free_value(value);
    temp_dir_remove(&dir);
}

/* ---- Against a model ---- */

enum { MODEL_KEYS = 8, MODEL_STEPS = 400 };

KV_TEST(value, random_values_come_back_as_they_were)
{
    static grove_bytes values[MODEL_KEYS];
    test_random random = test_random_of("random_values_come_back_as_they_were");
    grove__txn txn;
    kv_begin(fixture, GROVE_TXN_WRITE, &txn);
    for (size_t step = 0; step < MODEL_STEPS; step++) {
        size_t index = test_random_below(&random, MODEL_KEYS);
        const uint8_t key[KEY_BYTES] = {'r', 0, (uint8_t)index};
        switch (test_random_below(&random, 8)) {
        case 0:
            kv_commit(fixture, &txn);
            kv_begin(fixture, GROVE_TXN_WRITE, &txn);
            break;
        case 1:
            cr_assert_eq(grove__value_remove(&txn, TABLE, key_of(key), NULL),
                         values[index].data == NULL ? GROVE_NONE : GROVE_OK);
            free_value(values[index]);
            values[index].data = NULL;
            break;
        default: {
            size_t parts = test_random_below(&random, 6);
            size_t size = parts * payload_bytes_max(&fixture->kv);
            size += test_random_below(&random, 3) * test_random_below(&random, 2000);
            free_value(values[index]);
            values[index] = make_value(step, size);
            put_value(&txn, key, values[index]);
        }
        }
        if (values[index].data != NULL) {
            assert_value(&txn, key, values[index]);
        }
    }
    for (size_t index = 0; index < MODEL_KEYS; index++) {
        const uint8_t key[KEY_BYTES] = {'r', 0, (uint8_t)index};
        if (values[index].data != NULL) {
            assert_value(&txn, key, values[index]);
        }
        free_value(values[index]);
    }
    kv_commit(fixture, &txn);
}

/* --- for a salvage --- */

static grove_status get_alone(kv_fixture *fixture, grove__txn *txn, grove_bytes expected)
{
    grove_buffer joined;
    grove_bytes value;
    grove_buffer_init(&joined, &grove__allocator_system);
    grove_status status =
        grove__value_get_alone(txn, TABLE, key_of(KEY), &joined, &value, &fixture->error);
    cr_assert(status != GROVE_OK || (value.size == expected.size &&
                                     memcmp(value.data, expected.data, value.size) == 0));
    grove_buffer_release(&joined);
    return status;
}

KV_TEST(value, is_had_alone_whatever_lies_beside_its_parts)
{
    grove__txn txn;
    uint8_t room[PART_KEY_BYTES + 1] = {0};
    grove_bytes junk = grove_bytes_of("junk");
    grove_bytes value = make_value(5, 2 * payload_bytes_max(&fixture->kv) + 1);
    kv_begin(fixture, GROVE_TXN_WRITE, &txn);
    cr_assert_eq(get_alone(fixture, &txn, value), GROVE_NONE);
    put_value(&txn, KEY, value);
    cr_assert_eq(get_alone(fixture, &txn, value), GROVE_OK);
    grove_bytes key = part_key_of(room, KEY, 3);
    cr_assert_eq(grove__kv_put(&txn, TABLE, key, junk, NULL), GROVE_OK);
    key = part_key_of(room, KEY, 1);
    key.size++;
    cr_assert_eq(grove__kv_put(&txn, TABLE, key, junk, NULL), GROVE_OK);
    cr_assert_eq(get_alone(fixture, &txn, value), GROVE_OK);
    cr_assert_eq(grove__kv_remove(&txn, TABLE, part_key_of(room, KEY, 1), NULL),
                 GROVE_OK);
    cr_assert_eq(get_alone(fixture, &txn, value), GROVE_CORRUPT);
    grove__txn_abort(&txn);
    free_value(value);
}
