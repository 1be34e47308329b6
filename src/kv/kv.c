#include "kv/kv.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/error.h"

enum {
    VALUE_BYTES_MAX_LEAST = 1 << 20,
    PAGE_BYTES_LEAST = 512,
    PAGE_BYTES_MOST = 65536,
    /* LMDB, among others, heads each large value with this much. */
    PART_HEAD_BYTES = 16
};

static const char *const TABLE_NAMES[GROVE__TABLE_COUNT] = {
    [GROVE__TABLE_STORE] = "store",       [GROVE__TABLE_META] = "meta",
    [GROVE__TABLE_EVENTS] = "events",     [GROVE__TABLE_SNAPSHOTS] = "snapshots",
    [GROVE__TABLE_REPLICAS] = "replicas", [GROVE__TABLE_PENDING] = "pending",
    [GROVE__TABLE_GROUPS] = "groups",     [GROVE__TABLE_COMMITS] = "commits",
    [GROVE__TABLE_CLOCKS] = "clocks",
};

const char *grove__table_name(grove__table table)
{
    return TABLE_NAMES[table];
}

grove_status grove__kv_explain(const grove__kv *kv, grove_status status,
                               grove_error *error_out)
{
    if (status != GROVE_OK && status != GROVE_NONE && error_out != NULL &&
        (error_out->status != status || error_out->message[0] == '\0')) {
        return grove__fail(error_out, status,
                           "the backend '%s' failed with %s and said no more",
                           kv->backend->name, grove_status_name(status));
    }
    return status;
}

/* After a call on a transaction: K1. */
static grove_status settle(grove__txn *txn, grove_status status, grove_error *error_out)
{
    bool is_answer = status == GROVE_OK || status == GROVE_NONE || status == GROVE_LIMIT;
    if (!is_answer && txn->mode != GROVE_TXN_READ) {
        txn->failed = true;
    }
    return grove__kv_explain(txn->kv, status, error_out);
}

/* A backend gave something that its contract excludes: its tree is broken. */
static grove_status fail_contract(grove__txn *txn, const char *what,
                                  grove_error *error_out)
{
    return settle(txn,
                  grove__fail(error_out, GROVE_CORRUPT,
                              "the backend '%s' gave %s: its data is damaged",
                              txn->kv->backend->name, what),
                  error_out);
}

/* Before a call on a transaction: K1. */
static grove_status check_usable(const grove__txn *txn, grove_error *error_out)
{
    GROVE_ASSERT(!txn->ended);
    if (txn->failed) {
        return grove__fail(error_out, GROVE_FAILED,
                           "an earlier failure left this transaction unusable; abort it");
    }
    return GROVE_OK;
}

static void assert_key(grove_bytes key)
{
    GROVE_ASSERT(key.data != NULL);
    GROVE_ASSERT(key.size >= 1 && key.size <= GROVE__KV_KEY_BYTES_MAX);
}

static bool is_value_sound(const grove__kv *kv, grove_bytes value)
{
    return value.size <= kv->backend->value_bytes_max &&
           (value.data != NULL || value.size == 0);
}

static bool has_all_functions(const grove_backend *backend)
{
    return backend->open != NULL && backend->close != NULL &&
           backend->is_forked != NULL && backend->sync != NULL &&
           backend->statistics != NULL && backend->readers != NULL &&
           backend->identity != NULL && backend->reclaim != NULL &&
           backend->grow != NULL && backend->copy != NULL && backend->pin_open != NULL &&
           backend->pin_move != NULL && backend->pin_close != NULL &&
           backend->pin_least != NULL && backend->watch_open != NULL &&
           backend->watch_wait != NULL && backend->watch_descriptor != NULL &&
           backend->watch_close != NULL && backend->begin != NULL &&
           backend->commit != NULL && backend->abort != NULL && backend->get != NULL &&
           backend->put != NULL && backend->remove != NULL &&
           backend->cursor_open != NULL && backend->cursor_close != NULL &&
           backend->cursor_seek != NULL && backend->cursor_next != NULL;
}

static grove_status check_backend(const grove_backend *backend, grove_error *error_out)
{
    if (backend->abi != GROVE_BACKEND_ABI) {
        return grove__fail(error_out, GROVE_INVALID,
                           "the backend has interface version %lu; this library needs %u",
                           (unsigned long)backend->abi, GROVE_BACKEND_ABI);
    }
    if (backend->name == NULL || !has_all_functions(backend)) {
        return grove__fail(error_out, GROVE_INVALID,
                           "the backend lacks a name or one of its functions");
    }
    uint32_t page_bytes = backend->page_bytes;
    if (backend->key_bytes_max < GROVE__KV_KEY_BYTES_MAX ||
        backend->value_bytes_max < VALUE_BYTES_MAX_LEAST ||
        page_bytes < PAGE_BYTES_LEAST || page_bytes > PAGE_BYTES_MOST) {
        return grove__fail(error_out, GROVE_INVALID,
                           "the backend '%s' has a limit outside its contract: keys of "
                           "%zu, values of %llu or pages of %lu bytes",
                           backend->name, backend->key_bytes_max,
                           (unsigned long long)backend->value_bytes_max,
                           (unsigned long)page_bytes);
    }
    return GROVE_OK;
}

grove_status grove__kv_open(const grove_backend *backend,
                            const grove_backend_options *options, grove__kv *kv_out,
                            grove_error *error_out)
{
    GROVE_ASSERT(options->allocator != NULL);
    grove_status status = check_backend(backend, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__kv kv = {
        .backend = backend,
        .allocator = options->allocator,
        .part_bytes = (size_t)GROVE_PART_PAGES * backend->page_bytes - PART_HEAD_BYTES,
    };
    grove_backend_options filled = *options;
    filled.table_names = TABLE_NAMES;
    filled.table_count = GROVE__TABLE_COUNT;
    status =
        grove__kv_explain(&kv, backend->open(&filled, &kv.env, error_out), error_out);
    if (status == GROVE_OK) {
        *kv_out = kv;
    }
    return status;
}

void grove__kv_close(grove__kv *kv)
{
    kv->backend->close(kv->env);
    kv->env = NULL;
}

grove_status grove__kv_sync(grove__kv *kv, grove_error *error_out)
{
    return grove__kv_explain(kv, kv->backend->sync(kv->env, error_out), error_out);
}

grove_status grove__kv_statistics(grove__kv *kv, grove_backend_statistics *statistics_out,
                                  grove_error *error_out)
{
    grove_status status = kv->backend->statistics(kv->env, statistics_out, error_out);
    return grove__kv_explain(kv, status, error_out);
}

grove_status grove__txn_begin(grove__kv *kv, grove_txn_mode mode, grove__txn *txn_out,
                              grove_error *error_out)
{
    grove_backend_txn *backend_txn = NULL;
    grove_status status = kv->backend->begin(kv->env, mode, &backend_txn, error_out);
    if (status == GROVE_OK) {
        *txn_out = (grove__txn){.kv = kv, .backend_txn = backend_txn, .mode = mode};
    }
    return grove__kv_explain(kv, status, error_out);
}

grove_status grove__txn_commit(grove__txn *txn, grove_error *error_out)
{
    grove_status status = check_usable(txn, error_out);
    if (status != GROVE_OK) {
        grove__txn_abort(txn);
        return status;
    }
    status = txn->kv->backend->commit(txn->backend_txn, error_out);
    txn->ended = true;
    return grove__kv_explain(txn->kv, status, error_out);
}

void grove__txn_abort(grove__txn *txn)
{
    if (!txn->ended) {
        txn->kv->backend->abort(txn->backend_txn);
        txn->ended = true;
    }
}

grove_status grove__kv_get(grove__txn *txn, grove__table table, grove_bytes key,
                           grove_bytes *value_out, grove_error *error_out)
{
    GROVE_ASSERT(table < GROVE__TABLE_COUNT);
    assert_key(key);
    grove_bytes value;
    grove_status status = check_usable(txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = txn->kv->backend->get(txn->backend_txn, table, key, &value, error_out);
    if (status != GROVE_OK) {
        return settle(txn, status, error_out);
    }
    if (!is_value_sound(txn->kv, value)) {
        return fail_contract(txn, "a value beyond its limits", error_out);
    }
    *value_out = value;
    return GROVE_OK;
}

grove_status grove__kv_put_room(grove__txn *txn, grove__table table, grove_bytes key,
                                size_t bytes, uint8_t **room_out, grove_error *error_out)
{
    GROVE_ASSERT(table < GROVE__TABLE_COUNT);
    GROVE_ASSERT(txn->mode != GROVE_TXN_READ);
    assert_key(key);
    const grove_backend *backend = txn->kv->backend;
    uint8_t *room = NULL;
    grove_status status = check_usable(txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (bytes > backend->value_bytes_max) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "a value of %zu bytes is over the backend's limit of %llu",
                           bytes, (unsigned long long)backend->value_bytes_max);
    }
    txn->changes++;
    status = backend->put(txn->backend_txn, table, key, bytes, &room, error_out);
    if (status != GROVE_OK) {
        return settle(txn, status, error_out);
    }
    *room_out = room;
    return GROVE_OK;
}

grove_status grove__kv_put(grove__txn *txn, grove__table table, grove_bytes key,
                           grove_bytes value, grove_error *error_out)
{
    uint8_t *room;
    grove_status status =
        grove__kv_put_room(txn, table, key, value.size, &room, error_out);
    if (status == GROVE_OK && value.size > 0) {
        memcpy(room, value.data, value.size);
    }
    return status;
}

grove_status grove__kv_remove(grove__txn *txn, grove__table table, grove_bytes key,
                              grove_error *error_out)
{
    GROVE_ASSERT(table < GROVE__TABLE_COUNT);
    GROVE_ASSERT(txn->mode != GROVE_TXN_READ);
    assert_key(key);
    grove_status status = check_usable(txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    txn->changes++;
    status = txn->kv->backend->remove(txn->backend_txn, table, key, error_out);
    return settle(txn, status, error_out);
}

/* Removes the first entry with the prefix. GROVE_NONE: there is none. */
static grove_status remove_first(grove__cursor *cursor, grove__table table,
                                 grove_bytes prefix, grove_error *error_out)
{
    grove_bytes key = {NULL, 0};
    grove_bytes value = {NULL, 0};
    grove_status status = grove__cursor_seek(cursor, GROVE_SEEK_AT_OR_AFTER, prefix, &key,
                                             &value, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (!grove__bytes_begin_with(key, prefix)) {
        return GROVE_NONE;
    }
    /* The cursor's copy: the backend's bytes go with the entry. */
    grove_bytes own_key = {cursor->key, cursor->key_bytes};
    status = grove__kv_remove(cursor->txn, table, own_key, error_out);
    if (status == GROVE_NONE) {
        return fail_contract(cursor->txn, "a key that it then did not find", error_out);
    }
    return status;
}

grove_status grove__kv_remove_prefix(grove__txn *txn, grove__table table,
                                     grove_bytes prefix, uint64_t *removed_out,
                                     grove_error *error_out)
{
    GROVE_ASSERT(txn->mode != GROVE_TXN_READ);
    assert_key(prefix);
    grove__cursor cursor;
    uint64_t removed = 0;
    grove_status status = grove__cursor_open(txn, table, &cursor, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    while ((status = remove_first(&cursor, table, prefix, error_out)) == GROVE_OK) {
        removed++;
    }
    grove__cursor_close(&cursor);
    if (status != GROVE_NONE) {
        return status;
    }
    if (removed_out != NULL) {
        *removed_out = removed;
    }
    return GROVE_OK;
}

grove_status grove__cursor_open(grove__txn *txn, grove__table table,
                                grove__cursor *cursor_out, grove_error *error_out)
{
    GROVE_ASSERT(table < GROVE__TABLE_COUNT);
    grove_backend_cursor *backend_cursor = NULL;
    grove_status status = check_usable(txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = txn->kv->backend->cursor_open(txn->backend_txn, table, &backend_cursor,
                                           error_out);
    if (status == GROVE_OK) {
        cursor_out->txn = txn;
        cursor_out->backend_cursor = backend_cursor;
        cursor_out->is_at_entry = false;
    }
    return settle(txn, status, error_out);
}

void grove__cursor_close(grove__cursor *cursor)
{
    GROVE_ASSERT(!cursor->txn->ended);
    cursor->txn->kv->backend->cursor_close(cursor->backend_cursor);
    cursor->backend_cursor = NULL;
}

/* Whether what a cursor came to is within K2. */
static grove_status check_entry(grove__txn *txn, grove_bytes key, grove_bytes value,
                                grove_error *error_out)
{
    if (key.data == NULL || key.size == 0 || key.size > GROVE__KV_KEY_BYTES_MAX) {
        return fail_contract(txn, "a key beyond its limits", error_out);
    }
    if (!is_value_sound(txn->kv, value)) {
        return fail_contract(txn, "a value beyond its limits", error_out);
    }
    return GROVE_OK;
}

static void remember(grove__cursor *cursor, grove_bytes key)
{
    memcpy(cursor->key, key.data, key.size);
    cursor->key_bytes = key.size;
    cursor->changes = cursor->txn->changes;
    cursor->is_at_entry = true;
}

grove_status grove__cursor_seek(grove__cursor *cursor, grove_seek seek, grove_bytes key,
                                grove_bytes *key_out, grove_bytes *value_out,
                                grove_error *error_out)
{
    GROVE_ASSERT(key.size <= GROVE__KV_KEY_BYTES_MAX);
    grove__txn *txn = cursor->txn;
    grove_bytes found;
    grove_bytes value;
    grove_status status = check_usable(txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    cursor->is_at_entry = false;
    status = txn->kv->backend->cursor_seek(cursor->backend_cursor, seek, key, &found,
                                           &value, error_out);
    if (status != GROVE_OK) {
        return settle(txn, status, error_out);
    }
    status = check_entry(txn, found, value, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    int order = grove__bytes_compare(found, key);
    bool is_there =
        seek == GROVE_SEEK_AT_OR_AFTER ? order >= 0 : order < 0 || key.size == 0;
    if (!is_there) {
        return fail_contract(txn, "a key on the wrong side of the one sought", error_out);
    }
    remember(cursor, found);
    *key_out = found;
    *value_out = value;
    return GROVE_OK;
}

grove_status grove__cursor_next(grove__cursor *cursor, grove_bytes *key_out,
                                grove_bytes *value_out, grove_error *error_out)
{
    grove__txn *txn = cursor->txn;
    grove_bytes found;
    grove_bytes value;
    grove_status status = check_usable(txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    GROVE_ASSERT(cursor->is_at_entry);
    GROVE_ASSERT(cursor->changes == txn->changes);
    cursor->is_at_entry = false;
    status =
        txn->kv->backend->cursor_next(cursor->backend_cursor, &found, &value, error_out);
    if (status != GROVE_OK) {
        return settle(txn, status, error_out);
    }
    status = check_entry(txn, found, value, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_bytes last = {cursor->key, cursor->key_bytes};
    if (grove__bytes_compare(last, found) >= 0) {
        return fail_contract(txn, "keys out of order", error_out);
    }
    remember(cursor, found);
    *key_out = found;
    *value_out = value;
    return GROVE_OK;
}
