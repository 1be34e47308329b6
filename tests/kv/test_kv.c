#include "kv_fixture.h"

#include "support/faulty_allocator.h"
#include "support/faulty_backend.h"
#include "support/random.h"

/* A key or a value of `size` equal bytes. */
static grove_bytes repeat(uint8_t *room, uint8_t byte, size_t size)
{
    memset(room, byte, size);
    grove_bytes bytes = {room, size};
    return bytes;
}

KV_TEST(kv, what_is_put_is_got_until_it_is_removed)
{
    grove__txn txn;
    grove_bytes value;
    kv_begin(fixture, GROVE_TXN_WRITE, &txn);
    kv_put(&txn, "a", "one");
    kv_put(&txn, "b", "");
    kv_put(&txn, "a", "two");
    kv_commit(fixture, &txn);

    kv_begin(fixture, GROVE_TXN_READ, &txn);
    cr_assert_eq(
        grove__kv_get(&txn, GROVE__TABLE_GROUPS, grove_bytes_of("a"), &value, NULL),
        GROVE_OK);
    assert_bytes(value, "two");
    cr_assert_eq(
        grove__kv_get(&txn, GROVE__TABLE_GROUPS, grove_bytes_of("b"), &value, NULL),
        GROVE_OK);
    cr_assert_eq(value.size, 0);
    value = grove_bytes_of("untouched");
    cr_assert_eq(
        grove__kv_get(&txn, GROVE__TABLE_GROUPS, grove_bytes_of("c"), &value, NULL),
        GROVE_NONE);
    cr_assert_eq(
        grove__kv_get(&txn, GROVE__TABLE_META, grove_bytes_of("a"), &value, NULL),
        GROVE_NONE, "tables are apart");
    assert_bytes(value, "untouched");
    grove__txn_abort(&txn);

    kv_begin(fixture, GROVE_TXN_WRITE, &txn);
    cr_assert_eq(grove__kv_remove(&txn, GROVE__TABLE_GROUPS, grove_bytes_of("a"), NULL),
                 GROVE_OK);
    cr_assert_eq(grove__kv_remove(&txn, GROVE__TABLE_GROUPS, grove_bytes_of("a"), NULL),
                 GROVE_NONE);
    cr_assert_eq(
        grove__kv_get(&txn, GROVE__TABLE_GROUPS, grove_bytes_of("a"), &value, NULL),
        GROVE_NONE);
    kv_commit(fixture, &txn);
}

KV_TEST(kv, an_aborted_transaction_leaves_nothing_and_ends_once)
{
    grove__txn txn;
    grove_bytes value;
    kv_begin(fixture, GROVE_TXN_WRITE, &txn);
    kv_put(&txn, "a", "one");
    grove__txn_abort(&txn);
    grove__txn_abort(&txn);
    kv_begin(fixture, GROVE_TXN_READ, &txn);
    cr_assert_eq(
        grove__kv_get(&txn, GROVE__TABLE_GROUPS, grove_bytes_of("a"), &value, NULL),
        GROVE_NONE);
    kv_commit(fixture, &txn);
    grove__txn_abort(&txn);
}

KV_TEST(kv, a_cursor_gives_all_keys_in_order_and_finds_both_sides_of_one)
{
    static const char *const KEYS[] = {"a", "a\x01", "ab", "b", "\xff", "\xff\xff"};
    enum { KEY_COUNT = sizeof KEYS / sizeof *KEYS };
    static const struct {
        grove_seek seek;
        const char *key;
        const char *found; /* NULL: none */
    } SEEKS[] = {
        {GROVE_SEEK_AT_OR_AFTER, "", "a"},
        {GROVE_SEEK_AT_OR_AFTER, "a", "a"},
        {GROVE_SEEK_AT_OR_AFTER, "aa", "ab"},
        {GROVE_SEEK_AT_OR_AFTER, "\xff\xff\xff", NULL},
        {GROVE_SEEK_BEFORE, "", "\xff\xff"},
        {GROVE_SEEK_BEFORE, "a", NULL},
        {GROVE_SEEK_BEFORE, "a\x01", "a"},
        {GROVE_SEEK_BEFORE, "c", "b"},
        {GROVE_SEEK_BEFORE, "\xff\xff\xff", "\xff\xff"},
    };
    grove__txn txn;
    grove__cursor cursor;
    grove_bytes key;
    grove_bytes value;
    kv_begin(fixture, GROVE_TXN_WRITE, &txn);
    for (size_t index = KEY_COUNT; index > 0; index--) {
        kv_put(&txn, KEYS[index - 1], KEYS[index - 1]);
    }
    kv_commit(fixture, &txn);

    kv_begin(fixture, GROVE_TXN_READ, &txn);
    cr_assert_eq(grove__cursor_open(&txn, GROVE__TABLE_GROUPS, &cursor, NULL), GROVE_OK);
    grove_status status = grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER,
                                             grove_bytes_of(""), &key, &value, NULL);
    for (size_t index = 0; index < KEY_COUNT; index++) {
        cr_assert_eq(status, GROVE_OK);
        assert_bytes(key, KEYS[index]);
        assert_bytes(value, KEYS[index]);
        status = grove__cursor_next(&cursor, &key, &value, NULL);
    }
    cr_assert_eq(status, GROVE_NONE);
    for (size_t index = 0; index < sizeof SEEKS / sizeof *SEEKS; index++) {
        status = grove__cursor_seek(&cursor, SEEKS[index].seek,
                                    grove_bytes_of(SEEKS[index].key), &key, &value, NULL);
        cr_assert_eq(status, SEEKS[index].found == NULL ? GROVE_NONE : GROVE_OK);
        if (SEEKS[index].found != NULL) {
            assert_bytes(key, SEEKS[index].found);
        }
    }
    grove__cursor_close(&cursor);
    grove__txn_abort(&txn);
}

KV_TEST(kv, remove_prefix_removes_what_begins_so_and_nothing_else)
{
    static const char *const KEYS[] = {"a", "b", "b\x01", "ba", "bb", "b\xff", "c", "cb"};
    grove__txn txn;
    grove_bytes value;
    uint64_t removed = 99;
    kv_begin(fixture, GROVE_TXN_WRITE, &txn);
    for (size_t index = 0; index < sizeof KEYS / sizeof *KEYS; index++) {
        kv_put(&txn, KEYS[index], "value");
    }
    cr_assert_eq(grove__kv_remove_prefix(&txn, GROVE__TABLE_GROUPS, grove_bytes_of("b"),
                                         &removed, NULL),
                 GROVE_OK);
    cr_assert_eq(removed, 5);
    cr_assert_eq(grove__kv_remove_prefix(&txn, GROVE__TABLE_GROUPS, grove_bytes_of("b"),
                                         NULL, NULL),
                 GROVE_OK);
    cr_assert_eq(grove__kv_remove_prefix(&txn, GROVE__TABLE_GROUPS,
                                         grove_bytes_of("\xff"), &removed, NULL),
                 GROVE_OK);
    cr_assert_eq(removed, 0);
    for (size_t index = 0; index < sizeof KEYS / sizeof *KEYS; index++) {
        cr_assert_eq(grove__kv_get(&txn, GROVE__TABLE_GROUPS, grove_bytes_of(KEYS[index]),
                                   &value, NULL),
                     KEYS[index][0] == 'b' ? GROVE_NONE : GROVE_OK);
    }
    kv_commit(fixture, &txn);
}

KV_TEST(kv, keys_and_values_reach_their_limits)
{
    static uint8_t room[GROVE__KV_KEY_BYTES_MAX];
    grove__txn txn;
    grove_error error = {.status = GROVE_OK};
    grove_bytes value;
    uint8_t *bytes = NULL;
    kv_begin(fixture, GROVE_TXN_WRITE, &txn);
    for (size_t size = GROVE__KV_KEY_BYTES_MAX - 1; size <= sizeof room; size++) {
        grove_bytes key = repeat(room, 0xff, size);
        cr_assert_eq(
            grove__kv_put(&txn, GROVE__TABLE_META, key, grove_bytes_of("deep"), &error),
            GROVE_OK);
        cr_assert_eq(grove__kv_get(&txn, GROVE__TABLE_META, key, &value, NULL), GROVE_OK);
        assert_bytes(value, "deep");
    }
    uint64_t over = fixture->backend->value_bytes_max + 1;
    cr_assert_eq(grove__kv_put_room(&txn, GROVE__TABLE_META, grove_bytes_of("k"),
                                    (size_t)over, &bytes, &error),
                 GROVE_LIMIT);
    cr_assert_eq(error.status, GROVE_LIMIT);
    cr_assert_null(bytes);
    cr_assert_neq(error.message[0], '\0');
    kv_put(&txn, "still", "usable");
    kv_commit(fixture, &txn);
}

KV_TEST(kv, statistics_count_entries_and_readers)
{
    grove__txn txn;
    grove__txn reader;
    grove_backend_statistics statistics;
    kv_begin(fixture, GROVE_TXN_WRITE, &txn);
    kv_put(&txn, "a", "one");
    kv_put(&txn, "b", "two");
    kv_commit(fixture, &txn);
    kv_begin(fixture, GROVE_TXN_READ, &reader);
    cr_assert_eq(grove__kv_statistics(&fixture->kv, &statistics, NULL), GROVE_OK);
    cr_assert_eq(statistics.entries, 2);
    cr_assert_eq(statistics.readers, 1);
    cr_assert_eq(statistics.size_limit_bytes, fixture->options.size_limit_bytes);
    cr_assert_leq(statistics.free_bytes, statistics.size_bytes);
    grove__txn_abort(&reader);
    cr_assert_eq(grove__kv_statistics(&fixture->kv, &statistics, NULL), GROVE_OK);
    cr_assert_eq(statistics.readers, 0);
    cr_assert_eq(grove__kv_sync(&fixture->kv, NULL), GROVE_OK);
}

/* ---- K1 ---- */

/* Every call on a transaction, in turn; each must say GROVE_FAILED. */
static void assert_all_calls_failed(grove__txn *txn, grove__cursor *cursor)
{
    const grove__table table = GROVE__TABLE_GROUPS;
    const grove_bytes key = grove_bytes_of("a");
    grove_error error = {.status = GROVE_OK};
    grove_bytes value = grove_bytes_of("untouched");
    grove_bytes found = value;
    grove__cursor other;
    uint8_t *room = NULL;
    uint64_t removed = 7;
    cr_assert_eq(grove__kv_get(txn, table, key, &value, &error), GROVE_FAILED);
    cr_assert_eq(error.status, GROVE_FAILED);
    cr_assert_eq(grove__kv_put(txn, table, key, value, NULL), GROVE_FAILED);
    cr_assert_eq(grove__kv_put_room(txn, table, key, 1, &room, NULL), GROVE_FAILED);
    cr_assert_eq(grove__kv_remove(txn, table, key, NULL), GROVE_FAILED);
    cr_assert_eq(grove__kv_remove_prefix(txn, table, key, &removed, NULL), GROVE_FAILED);
    cr_assert_eq(grove__cursor_open(txn, table, &other, NULL), GROVE_FAILED);
    if (cursor != NULL) {
        cr_assert_eq(
            grove__cursor_seek(cursor, GROVE_SEEK_AT_OR_AFTER, key, &found, &value, NULL),
            GROVE_FAILED);
        cr_assert_eq(grove__cursor_next(cursor, &found, &value, NULL), GROVE_FAILED);
    }
    assert_bytes(value, "untouched");
    assert_bytes(found, "untouched");
    cr_assert_null(room);
    cr_assert_eq(removed, 7);
}

/* Makes each call that can fail, stopping at the first that does. */
static grove_status make_every_call(grove__txn *txn, grove__cursor *cursor,
                                    bool *cursor_is_open, grove_error *error_out)
{
    const grove__table table = GROVE__TABLE_GROUPS;
    grove_bytes key;
    grove_bytes value;
    grove_status status =
        grove__kv_put(txn, table, grove_bytes_of("a"), grove_bytes_of("1"), error_out);
    if (status == GROVE_OK) {
        status = grove__kv_put(txn, table, grove_bytes_of("b"), grove_bytes_of("2"),
                               error_out);
    }
    if (status == GROVE_OK) {
        status = grove__kv_get(txn, table, grove_bytes_of("a"), &value, error_out);
    }
    if (status == GROVE_OK) {
        status =
            grove__kv_remove_prefix(txn, table, grove_bytes_of("b"), NULL, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__kv_put(txn, table, grove_bytes_of("b"), grove_bytes_of("2"),
                               error_out);
    }
    if (status == GROVE_OK) {
        status = grove__cursor_open(txn, table, cursor, error_out);
        *cursor_is_open = status == GROVE_OK;
    }
    if (status == GROVE_OK) {
        status = grove__cursor_seek(cursor, GROVE_SEEK_AT_OR_AFTER, grove_bytes_of("a"),
                                    &key, &value, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__cursor_next(cursor, &key, &value, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__kv_remove(txn, table, grove_bytes_of("a"), error_out);
    }
    return status;
}

/* Fails the n-th call with `status`; true when there was an n-th. */
static bool fail_nth_call(kv_fixture *fixture, size_t nth, grove_status status)
{
    faulty_backend faulty;
    grove__kv kv;
    grove__txn txn;
    grove__cursor cursor;
    grove_error error = {.status = GROVE_OK};
    bool cursor_is_open = false;
    faulty_backend_init(&faulty, fixture->backend, nth, status);
    fixture->options.context = &faulty;
    grove_status got = grove__kv_open(&faulty.table, &fixture->options, &kv, &error);
    if (got == GROVE_OK) {
        got = grove__txn_begin(&kv, GROVE_TXN_WRITE, &txn, &error);
        if (got == GROVE_OK) {
            got = make_every_call(&txn, &cursor, &cursor_is_open, &error);
            if (got != GROVE_OK) {
                cr_assert(txn.failed);
                assert_all_calls_failed(&txn, cursor_is_open ? &cursor : NULL);
            }
            if (cursor_is_open) {
                grove__cursor_close(&cursor);
            }
            grove_status committed =
                grove__txn_commit(&txn, got == GROVE_OK ? &error : NULL);
            cr_assert(txn.ended);
            cr_assert(got == GROVE_OK || committed == GROVE_FAILED);
            got = got == GROVE_OK ? committed : got;
            grove__txn_abort(&txn);
        }
        if (got == GROVE_OK) {
            got = grove__kv_sync(&kv, &error);
        }
        grove__kv_close(&kv);
    }
    faulty_backend_finish(&faulty);
    if (faulty.has_failed) {
        cr_assert_eq(got, status, "%s", faulty.failed_call);
        cr_assert_eq(error.status, status, "%s", faulty.failed_call);
    }
    return faulty.has_failed;
}

static void fail_every_call(const char *backend)
{
    static const grove_status FINAL[] = {GROVE_IO, GROVE_CORRUPT, GROVE_FULL,
                                         GROVE_NO_MEMORY};
    for (size_t index = 0; index < sizeof FINAL / sizeof *FINAL; index++) {
        size_t nth = 1;
        kv_fixture fixture;
        kv_fixture_prepare(&fixture, backend);
        while (fail_nth_call(&fixture, nth, FINAL[index])) {
            nth++;
        }
        cr_assert_gt(nth, 14, "every call was failed once");
        temp_dir_remove(&fixture.dir);
    }
}

Test(kv, after_a_final_failure_only_abort_reaches_lmdb)
{
    fail_every_call("lmdb");
}

Test(kv, after_a_final_failure_only_abort_reaches_memory)
{
    fail_every_call("memory");
}

KV_TEST(kv, a_read_transaction_goes_on_after_a_failed_read)
{
    faulty_backend faulty;
    grove__kv kv;
    grove__txn txn;
    grove_bytes value;
    /* 1 open, 2 begin, 3 get */
    faulty_backend_init(&faulty, fixture->backend, 3, GROVE_CORRUPT);
    temp_dir dir;
    temp_dir_make(&dir);
    grove_backend_options options = fixture->options;
    options.path = dir.path;
    options.context = &faulty;
    cr_assert_eq(grove__kv_open(&faulty.table, &options, &kv, NULL), GROVE_OK);
    cr_assert_eq(grove__txn_begin(&kv, GROVE_TXN_READ, &txn, NULL), GROVE_OK);
    cr_assert_eq(
        grove__kv_get(&txn, GROVE__TABLE_META, grove_bytes_of("a"), &value, NULL),
        GROVE_CORRUPT);
    cr_assert_eq(
        grove__kv_get(&txn, GROVE__TABLE_META, grove_bytes_of("a"), &value, NULL),
        GROVE_NONE);
    grove__txn_abort(&txn);
    grove__kv_close(&kv);
    faulty_backend_finish(&faulty);
    temp_dir_remove(&dir);
}

/* ---- Memory ---- */

static void fail_every_allocation(const char *backend)
{
    for (size_t nth = 1;; nth++) {
        kv_fixture fixture;
        faulty_allocator faulty;
        grove__txn txn;
        grove__cursor cursor;
        bool cursor_is_open = false;
        kv_fixture_prepare(&fixture, backend);
        faulty_allocator_init(&faulty, nth);
        fixture.options.allocator = &faulty.allocator;
        grove_status status = grove__kv_open(fixture.backend, &fixture.options,
                                             &fixture.kv, &fixture.error);
        if (status == GROVE_OK) {
            status = grove__txn_begin(&fixture.kv, GROVE_TXN_WRITE, &txn, NULL);
            if (status == GROVE_OK) {
                status = make_every_call(&txn, &cursor, &cursor_is_open, NULL);
                if (cursor_is_open) {
                    grove__cursor_close(&cursor);
                }
                if (status == GROVE_OK) {
                    status = grove__txn_commit(&txn, NULL);
                }
                grove__txn_abort(&txn);
            }
            grove__kv_close(&fixture.kv);
        }
        faulty_allocator_finish(&faulty);
        temp_dir_remove(&fixture.dir);
        if (!faulty.has_failed) {
            cr_assert_eq(status, GROVE_OK);
            return;
        }
        cr_assert_eq(status, GROVE_NO_MEMORY, "allocation %zu", nth);
    }
}

Test(kv, out_of_memory_is_reported_and_leaks_nothing_on_lmdb)
{
    fail_every_allocation("lmdb");
}

Test(kv, out_of_memory_is_reported_and_leaks_nothing_on_memory)
{
    fail_every_allocation("memory");
}

/* ---- Against a model ---- */

enum { MODEL_KEYS = 64, MODEL_STEPS = 4000 };

/* The value of each one-byte key plus one; 0: none. */
typedef struct model {
    uint32_t values[MODEL_KEYS];
} model;

static grove_bytes model_key(uint8_t *room, size_t index)
{
    *room = (uint8_t)(index * 4);
    return (grove_bytes){room, 1};
}

static void assert_scan_equals(grove__txn *txn, const model *expected)
{
    grove__cursor cursor;
    grove_bytes key;
    grove_bytes value;
    cr_assert_eq(grove__cursor_open(txn, GROVE__TABLE_COMMITS, &cursor, NULL), GROVE_OK);
    grove_status status = grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER,
                                             (grove_bytes){NULL, 0}, &key, &value, NULL);
    for (size_t index = 0; index < MODEL_KEYS; index++) {
        if (expected->values[index] == 0) {
            continue;
        }
        cr_assert_eq(status, GROVE_OK);
        cr_assert_eq(key.data[0], index * 4);
        cr_assert_eq(value.size, sizeof(uint32_t));
        cr_assert_eq(memcmp(value.data, &expected->values[index], value.size), 0);
        status = grove__cursor_next(&cursor, &key, &value, NULL);
    }
    cr_assert_eq(status, GROVE_NONE);
    grove__cursor_close(&cursor);
}

KV_TEST(kv, random_changes_leave_what_a_model_says)
{
    static model now;
    static model committed;
    test_random random = test_random_of("random_changes_leave_what_a_model_says");
    grove__txn txn;
    kv_begin(fixture, GROVE_TXN_WRITE, &txn);
    for (size_t step = 0; step < MODEL_STEPS; step++) {
        uint8_t room;
        size_t index = test_random_below(&random, MODEL_KEYS);
        grove_bytes key = model_key(&room, index);
        switch (test_random_below(&random, 16)) {
        case 0:
            kv_commit(fixture, &txn);
            committed = now;
            kv_begin(fixture, GROVE_TXN_WRITE, &txn);
            break;
        case 1:
            grove__txn_abort(&txn);
            now = committed;
            kv_begin(fixture, GROVE_TXN_READ, &txn);
            assert_scan_equals(&txn, &committed);
            grove__txn_abort(&txn);
            kv_begin(fixture, GROVE_TXN_WRITE, &txn);
            break;
        case 2:
            assert_scan_equals(&txn, &now);
            break;
        case 3:
        case 4:
        case 5:
        case 6:
            cr_assert_eq(grove__kv_remove(&txn, GROVE__TABLE_COMMITS, key, NULL),
                         now.values[index] == 0 ? GROVE_NONE : GROVE_OK);
            now.values[index] = 0;
            break;
        default: {
            uint32_t value = (uint32_t)step + 1;
            cr_assert_eq(grove__kv_put(&txn, GROVE__TABLE_COMMITS, key,
                                       (grove_bytes){(uint8_t *)&value, sizeof value},
                                       NULL),
                         GROVE_OK);
            now.values[index] = value;
        }
        }
    }
    kv_commit(fixture, &txn);
    kv_begin(fixture, GROVE_TXN_READ, &txn);
    assert_scan_equals(&txn, &now);
    grove__txn_abort(&txn);
}
