/* Transactions, entries and cursors, watched. */
#include "watch.h"

grove_status grove__check_try_begin(grove__check *check, grove_txn_mode mode,
                                    grove__check_txn *txn_out)
{
    grove_error error;
    grove__watch_init(&error);
    void *untouched = check;
    grove_backend_txn *txn = untouched;
    grove_status status = check->backend->begin(check->env, mode, &txn, &error);
    grove__watch_error(check, status, &error, "begin");
    grove__watch_pointer(check, status, txn, untouched, "begin");
    txn_out->check = check;
    txn_out->txn = status == GROVE_OK ? txn : NULL;
    return status;
}

grove__check_txn grove__check_begin(grove__check *check, grove_txn_mode mode)
{
    grove__check_txn txn = {check, NULL};
    if (!grove__check_has_failed(check)) {
        grove__check_status(check, grove__check_try_begin(check, mode, &txn), GROVE_OK,
                            mode != GROVE_TXN_READ ? "begin of a write transaction"
                                                   : "begin of a read transaction");
    }
    return txn;
}

grove_status grove__check_try_commit(grove__check_txn *txn)
{
    grove_error error;
    grove__watch_init(&error);
    grove_status status = txn->check->backend->commit(txn->txn, &error);
    txn->txn = NULL;
    grove__watch_error(txn->check, status, &error, "commit");
    return status;
}

void grove__check_commit(grove__check_txn *txn)
{
    if (grove__check_has_failed(txn->check)) {
        grove__check_abort(txn);
    } else {
        grove__check_status(txn->check, grove__check_try_commit(txn), GROVE_OK, "commit");
    }
}

void grove__check_abort(grove__check_txn *txn)
{
    if (txn->txn != NULL) {
        txn->check->backend->abort(txn->txn);
        txn->txn = NULL;
    }
}

static bool is_usable(const grove__check_txn *txn)
{
    return txn->txn != NULL && !grove__check_has_failed(txn->check);
}

/* Entries */

static grove_status put_room(grove__check_txn *txn, uint32_t table, grove_bytes key,
                             size_t bytes, uint8_t **room_out)
{
    grove__check *check = txn->check;
    grove_error error;
    grove__watch_init(&error);
    void *untouched = check;
    uint8_t *room = untouched;
    grove_bytes lent = grove__watch_lend(key);
    grove_status status =
        check->backend->put(txn->txn, table, lent, bytes, &room, &error);
    grove__watch_take(check, lent);
    grove__watch_error(check, status, &error, "put");
    grove__watch_pointer(check, status, room, untouched, "put");
    if (status == GROVE_OK) {
        *room_out = room;
    }
    return status;
}

grove_status grove__check_try_put(grove__check_txn *txn, uint32_t table, grove_bytes key,
                                  grove_bytes value)
{
    uint8_t *room;
    grove_status status = put_room(txn, table, key, value.size, &room);
    if (status == GROVE_OK && value.size > 0) {
        memcpy(room, value.data, value.size);
    }
    return status;
}

grove_status grove__check_try_put_room(grove__check_txn *txn, uint32_t table,
                                       grove_bytes key, size_t bytes)
{
    uint8_t *room;
    return put_room(txn, table, key, bytes, &room);
}

void grove__check_put(grove__check_txn *txn, uint32_t table, grove_bytes key,
                      grove_bytes value)
{
    if (is_usable(txn)) {
        grove__check_status(txn->check, grove__check_try_put(txn, table, key, value),
                            GROVE_OK, "put");
    }
}

grove_status grove__check_try_remove(grove__check_txn *txn, uint32_t table,
                                     grove_bytes key)
{
    grove_error error;
    grove__watch_init(&error);
    grove_bytes lent = grove__watch_lend(key);
    grove_status status = txn->check->backend->remove(txn->txn, table, lent, &error);
    grove__watch_take(txn->check, lent);
    grove__watch_error(txn->check, status, &error, "remove");
    return status;
}

void grove__check_remove(grove__check_txn *txn, uint32_t table, grove_bytes key)
{
    if (is_usable(txn)) {
        grove__check_status(txn->check, grove__check_try_remove(txn, table, key),
                            GROVE_OK, "remove");
    }
}

grove_status grove__check_try_get(grove__check_txn *txn, uint32_t table, grove_bytes key,
                                  grove_bytes *value_out)
{
    grove_error error;
    grove__watch_init(&error);
    grove_bytes value = grove__watch_untouched();
    grove_bytes lent = grove__watch_lend(key);
    grove_status status = txn->check->backend->get(txn->txn, table, lent, &value, &error);
    grove__watch_take(txn->check, lent);
    grove__watch_error(txn->check, status, &error, "get");
    grove__watch_bytes(txn->check, status, value, "get");
    if (status == GROVE_OK) {
        *value_out = value;
    }
    return status;
}

void grove__check_holds(grove__check_txn *txn, uint32_t table, grove_bytes key,
                        grove_bytes value)
{
    grove_bytes found = {NULL, 0};
    if (!is_usable(txn)) {
        return;
    }
    grove__check_status(txn->check, grove__check_try_get(txn, table, key, &found),
                        GROVE_OK, "get of an entry that is there");
    if (!grove__check_has_failed(txn->check)) {
        grove__check_that(txn->check, found.size == value.size,
                          "get gave a value of %zu bytes, not %zu", found.size,
                          value.size);
        grove__check_that(txn->check,
                          found.size != value.size || grove__check_equal(found, value),
                          "get gave another value of %zu bytes", found.size);
    }
}

void grove__check_lacks(grove__check_txn *txn, uint32_t table, grove_bytes key)
{
    grove_bytes found;
    if (is_usable(txn)) {
        grove__check_status(txn->check, grove__check_try_get(txn, table, key, &found),
                            GROVE_NONE, "get of an entry that is not there");
    }
}

void grove__check_save(grove__check *check, uint32_t table, grove_bytes key,
                       grove_bytes value)
{
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_put(&txn, table, key, value);
    grove__check_commit(&txn);
}

void grove__check_finds(grove__check *check, uint32_t table, grove_bytes key,
                        grove_bytes value)
{
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_READ);
    grove__check_holds(&txn, table, key, value);
    grove__check_abort(&txn);
}

void grove__check_misses(grove__check *check, uint32_t table, grove_bytes key)
{
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_READ);
    grove__check_lacks(&txn, table, key);
    grove__check_abort(&txn);
}

/* Cursors */

grove__check_cursor grove__check_cursor_open(grove__check_txn *txn, uint32_t table)
{
    grove__check *check = txn->check;
    grove__check_cursor cursor = {check, NULL};
    if (!is_usable(txn)) {
        return cursor;
    }
    grove_error error;
    grove__watch_init(&error);
    void *untouched = check;
    grove_backend_cursor *opened = untouched;
    grove_status status = check->backend->cursor_open(txn->txn, table, &opened, &error);
    grove__watch_error(check, status, &error, "cursor_open");
    grove__watch_pointer(check, status, opened, untouched, "cursor_open");
    grove__check_status(check, status, GROVE_OK, "cursor_open");
    if (status == GROVE_OK) {
        cursor.cursor = opened;
    }
    return cursor;
}

void grove__check_cursor_close(grove__check_cursor *cursor)
{
    if (cursor->cursor != NULL) {
        cursor->check->backend->cursor_close(cursor->cursor);
        cursor->cursor = NULL;
    }
}

/* What a cursor gave, watched. */
static grove_status cursor_result(grove__check *check, grove_status status,
                                  const grove_bytes given[2], grove_bytes *key_out,
                                  grove_bytes *value_out)
{
    grove__watch_bytes(check, status, given[0], "a cursor's key");
    grove__watch_bytes(check, status, given[1], "a cursor's value");
    if (status == GROVE_OK) {
        *key_out = given[0];
        *value_out = given[1];
    }
    return status;
}

grove_status grove__check_try_seek(grove__check_cursor *cursor, grove_seek seek,
                                   grove_bytes key, grove_bytes *key_out,
                                   grove_bytes *value_out)
{
    grove_error error;
    grove__watch_init(&error);
    grove_bytes given[2] = {grove__watch_untouched(), grove__watch_untouched()};
    grove_bytes lent = grove__watch_lend(key);
    grove_status status = cursor->check->backend->cursor_seek(
        cursor->cursor, seek, lent, &given[0], &given[1], &error);
    grove__watch_take(cursor->check, lent);
    grove__watch_error(cursor->check, status, &error, "cursor_seek");
    return cursor_result(cursor->check, status, given, key_out, value_out);
}

grove_status grove__check_try_next(grove__check_cursor *cursor, grove_bytes *key_out,
                                   grove_bytes *value_out)
{
    grove_error error;
    grove__watch_init(&error);
    grove_bytes given[2] = {grove__watch_untouched(), grove__watch_untouched()};
    grove_status status =
        cursor->check->backend->cursor_next(cursor->cursor, &given[0], &given[1], &error);
    grove__watch_error(cursor->check, status, &error, "cursor_next");
    return cursor_result(cursor->check, status, given, key_out, value_out);
}

static void check_given(grove__check *check, grove_status status, grove_bytes given,
                        grove_bytes wanted, const char *doing)
{
    grove__check_status(check, status, wanted.size > 0 ? GROVE_OK : GROVE_NONE, doing);
    if (!grove__check_has_failed(check) && wanted.size > 0) {
        grove__check_that(check, grove__check_equal(given, wanted),
                          "%s gave another key: %zu bytes, not these %zu", doing,
                          given.size, wanted.size);
    }
}

void grove__check_seek(grove__check_cursor *cursor, grove_seek seek, grove_bytes key,
                       grove_bytes wanted)
{
    grove_bytes given = {NULL, 0};
    grove_bytes value;
    if (cursor->cursor == NULL || grove__check_has_failed(cursor->check)) {
        return;
    }
    grove_status status = grove__check_try_seek(cursor, seek, key, &given, &value);
    check_given(cursor->check, status, given, wanted,
                seek == GROVE_SEEK_BEFORE ? "a seek before a key"
                                          : "a seek at or after a key");
}

void grove__check_next(grove__check_cursor *cursor, grove_bytes wanted)
{
    grove_bytes given = {NULL, 0};
    grove_bytes value;
    if (cursor->cursor == NULL || grove__check_has_failed(cursor->check)) {
        return;
    }
    grove_status status = grove__check_try_next(cursor, &given, &value);
    check_given(cursor->check, status, given, wanted, "cursor_next");
}
