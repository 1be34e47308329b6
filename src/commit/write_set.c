#include "commit/write_set.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/error.h"
#include "kv/value.h"

typedef enum change_kind { CHANGE_PUT, CHANGE_PUT_VALUE, CHANGE_REMOVE } change_kind;

/* A place in `bytes`: an offset, since the buffer moves as it grows. */
typedef struct span {
    size_t offset;
    size_t bytes;
} span;

typedef struct change {
    change_kind kind;
    grove__table table;
    span key;
    span copied;          /* CHANGE_PUT */
    grove_bytes borrowed; /* CHANGE_PUT_VALUE */
} change;

typedef enum expectation_kind {
    EXPECT_ABSENT,
    EXPECT_PRESENT,
    EXPECT_VALUE,
    EXPECT_PINS
} expectation_kind;

typedef struct expectation {
    expectation_kind kind;
    grove__table table;
    span key;
    span value;
    uint64_t pin_name; /* EXPECT_PINS */
    uint64_t pin_least;
} expectation;

void grove__write_set_init(grove__write_set *set, const grove_allocator *allocator)
{
    grove_buffer_init(&set->changes, allocator);
    grove_buffer_init(&set->expectations, allocator);
    grove_buffer_init(&set->touches, allocator);
    grove_buffer_init(&set->bytes, allocator);
    set->frees_space = false;
    set->borrowed_bytes = 0;
    set->meta = (grove_bytes){NULL, 0};
}

void grove__write_set_release(grove__write_set *set)
{
    grove_buffer_release(&set->changes);
    grove_buffer_release(&set->expectations);
    grove_buffer_release(&set->touches);
    grove_buffer_release(&set->bytes);
}

void grove__write_set_reset(grove__write_set *set)
{
    grove_buffer_reset(&set->changes);
    grove_buffer_reset(&set->expectations);
    grove_buffer_reset(&set->touches);
    grove_buffer_reset(&set->bytes);
    set->frees_space = false;
    set->borrowed_bytes = 0;
    set->meta = (grove_bytes){NULL, 0};
}

static span keep(grove__write_set *set, grove_bytes bytes)
{
    span kept = {set->bytes.size, bytes.size};
    grove_buffer_append(&set->bytes, bytes.data, bytes.size);
    return kept;
}

static grove_bytes view(const grove__write_set *set, span kept)
{
    return (grove_bytes){set->bytes.data + kept.offset, kept.bytes};
}

void grove__write_set_expect(grove__write_set *set, grove__table table, grove_bytes key,
                             const grove_bytes *value)
{
    expectation added = {EXPECT_ABSENT, table, keep(set, key), {0, 0}, 0, 0};
    if (value != NULL) {
        added.kind = EXPECT_VALUE;
        added.value = keep(set, *value);
    }
    grove_buffer_append(&set->expectations, &added, sizeof added);
}

void grove__write_set_expect_present(grove__write_set *set, grove__table table,
                                     grove_bytes key)
{
    expectation added = {EXPECT_PRESENT, table, keep(set, key), {0, 0}, 0, 0};
    grove_buffer_append(&set->expectations, &added, sizeof added);
}

void grove__write_set_expect_pins(grove__write_set *set, uint64_t name, uint64_t least)
{
    expectation added = {EXPECT_PINS, GROVE__TABLE_STORE, {0, 0}, {0, 0}, name, least};
    grove_buffer_append(&set->expectations, &added, sizeof added);
}

void grove__write_set_put(grove__write_set *set, grove__table table, grove_bytes key,
                          grove_bytes value)
{
    change added = {CHANGE_PUT, table, keep(set, key), keep(set, value), {NULL, 0}};
    grove_buffer_append(&set->changes, &added, sizeof added);
}

void grove__write_set_put_value(grove__write_set *set, grove__table table,
                                grove_bytes key, grove_bytes value)
{
    change added = {CHANGE_PUT_VALUE, table, keep(set, key), {0, 0}, value};
    set->borrowed_bytes += value.size;
    grove_buffer_append(&set->changes, &added, sizeof added);
}

void grove__write_set_remove(grove__write_set *set, grove__table table,
                             grove_bytes prefix)
{
    change added = {CHANGE_REMOVE, table, keep(set, prefix), {0, 0}, {NULL, 0}};
    grove_buffer_append(&set->changes, &added, sizeof added);
}

void grove__write_set_touch(grove__write_set *set, const grove__touch *touch)
{
    grove_buffer_append(&set->touches, touch, sizeof *touch);
}

void grove__write_set_meta(grove__write_set *set, grove_bytes meta)
{
    GROVE_ASSERT(meta.size <= GROVE_COMMIT_META_BYTES_MAX);
    set->meta = meta;
}

grove_status grove__commit_newest(grove__txn *txn, uint64_t *commit_out,
                                  grove_error *error_out)
{
    grove__cursor cursor;
    grove_status status =
        grove__cursor_open(txn, GROVE__TABLE_COMMITS, &cursor, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_bytes key;
    grove_bytes value;
    uint64_t commit = 0;
    status = grove__cursor_seek(&cursor, GROVE_SEEK_BEFORE, (grove_bytes){NULL, 0}, &key,
                                &value, error_out);
    if (status == GROVE_OK) {
        status = grove__key_parse_commit(key, &commit, error_out);
    } else if (status == GROVE_NONE) {
        status = GROVE_OK;
    }
    grove__cursor_close(&cursor);
    if (status == GROVE_OK) {
        *commit_out = commit;
    }
    return status;
}

static grove_status fail_conflict(grove_error *error_out)
{
    return grove__fail(error_out, GROVE_CONFLICT,
                       "the store has moved on since this change was prepared");
}

/* One of those about a key. */
static grove_status check_entry(grove__txn *txn, const grove__write_set *set,
                                const expectation *expected, grove_error *error_out)
{
    grove_bytes value;
    grove_status status =
        grove__kv_get(txn, expected->table, view(set, expected->key), &value, error_out);
    if (status != GROVE_OK && status != GROVE_NONE) {
        return status;
    }
    bool is_absent = status == GROVE_NONE;
    if (is_absent != (expected->kind == EXPECT_ABSENT) ||
        (expected->kind == EXPECT_VALUE &&
         !grove__bytes_equal(value, view(set, expected->value)))) {
        return fail_conflict(error_out);
    }
    return GROVE_OK;
}

grove_status grove__write_set_check(grove_store *store, grove__txn *txn,
                                    const grove__write_set *set, grove_error *error_out)
{
    size_t count = set->expectations.size / sizeof(expectation);
    const expectation *expected =
        (const expectation *)(const void *)set->expectations.data;
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < count; index++, expected++) {
        if (expected->kind != EXPECT_PINS) {
            status = check_entry(txn, set, expected, error_out);
        } else if (grove__kv_pin_least(&store->kv, expected->pin_name) <
                   expected->pin_least) {
            status = fail_conflict(error_out);
        }
    }
    return status;
}

static grove_status apply_change(grove__txn *txn, const grove__write_set *set,
                                 const change *wanted, grove_error *error_out)
{
    grove_bytes key = view(set, wanted->key);
    switch (wanted->kind) {
    case CHANGE_PUT:
        return grove__kv_put(txn, wanted->table, key, view(set, wanted->copied),
                             error_out);
    case CHANGE_PUT_VALUE:
        return grove__value_put(txn, wanted->table, key, wanted->borrowed, error_out);
    case CHANGE_REMOVE:
        return grove__kv_remove_prefix(txn, wanted->table, key, NULL, error_out);
    }
    GROVE_ASSERT(false);
    return GROVE_INVALID;
}

/* Numbers the commit and writes its record. */
static grove_status write_commit_record(grove_store *store, grove__txn *txn,
                                        const grove__write_set *set, int64_t time,
                                        uint64_t *commit_out, grove_error *error_out)
{
    uint64_t commit;
    grove_status status = grove__commit_newest(txn, &commit, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    commit++;
    grove_buffer record;
    grove_buffer_init(&record, store->allocator);
    const grove__touch *touches = (const grove__touch *)(const void *)set->touches.data;
    grove__commit_record_encode(time, set->meta, touches,
                                set->touches.size / sizeof *touches, &record);
    if (record.failed) {
        status = grove__fail_memory(error_out);
    } else {
        grove__key key;
        grove__key_of_commit(&key, commit);
        status = grove__kv_put(txn, GROVE__TABLE_COMMITS, grove__key_view(&key),
                               grove_buffer_view(&record), error_out);
    }
    grove_buffer_release(&record);
    if (status == GROVE_OK) {
        *commit_out = commit;
    }
    return status;
}

grove_status grove__write_set_apply(grove_store *store, grove__txn *txn,
                                    const grove__write_set *set, int64_t time,
                                    uint64_t *commit_out, grove_error *error_out)
{
    grove_status status = GROVE_OK;
    uint64_t commit = 0;
    const change *wanted = (const change *)(const void *)set->changes.data;
    size_t count = set->changes.size / sizeof *wanted;
    for (size_t index = 0; status == GROVE_OK && index < count; index++) {
        status = apply_change(txn, set, &wanted[index], error_out);
    }
    if (status == GROVE_OK && set->touches.size > 0) {
        status = write_commit_record(store, txn, set, time, &commit, error_out);
    }
    if (status == GROVE_OK) {
        *commit_out = commit;
    }
    return status;
}

size_t grove__write_set_bytes(const grove__write_set *set)
{
    return set->bytes.size + set->borrowed_bytes;
}

bool grove__write_set_has_failed(const grove__write_set *set)
{
    return set->changes.failed || set->expectations.failed || set->touches.failed ||
           set->bytes.failed;
}
