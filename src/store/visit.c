#include "store/visit.h"

#include "base/bytes.h"
#include "base/error.h"

/* The next key that does not begin so: makes the last byte one more; bytes that
 * are full already fall off. False: there is no such key. */
static bool increment(grove__key *key)
{
    while (key->size > 0 && key->bytes[key->size - 1] == UINT8_MAX) {
        key->size--;
    }
    if (key->size == 0) {
        return false;
    }
    key->bytes[key->size - 1]++;
    return true;
}

void grove__visit_behind_name(grove__key *key_out, grove_bytes name)
{
    grove__key_of_document(key_out, name);
    /* The last byte is a mark of at most 9. */
    (void)increment(key_out);
}

void grove__visit_behind_key(grove__key *key_out, grove_bytes key)
{
    memcpy(key_out->bytes, key.data, key.size);
    key_out->size = key.size;
    if (key.size < GROVE__KV_KEY_BYTES_MAX) {
        key_out->bytes[key_out->size++] = 0;
    } else if (!increment(key_out)) {
        /* No key is behind this one, which is the last there can be. */
        key_out->size = key.size;
    }
}

/*
 * After a failure to find what comes at or after `from`: passes over what
 * begins so, then over what begins with one byte less, and so on. False: there
 * is nothing left.
 */
static bool skip(grove__key *from)
{
    if (from->size > 0) {
        from->size--;
    }
    return increment(from);
}

static bool is_damage(grove_status status)
{
    return status == GROVE_CORRUPT || status == GROVE_FAILED;
}

/* Finds the entry at or after `from`. */
static grove_status seek(grove__txn *txn, grove__table table, const grove__key *from,
                         grove__visit_entry *entry, grove_error *error)
{
    grove__cursor cursor;
    grove_status status = grove__cursor_open(txn, table, &cursor, error);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove__key_view(from),
                                &entry->key, &entry->value, error);
    grove__cursor_close(&cursor);
    if (status == GROVE_OK) {
        grove__visit_behind_key(&entry->next, entry->key);
    }
    return status;
}

grove_status grove__visit_table(const grove__visitor *visitor, grove__table table,
                                const grove__key *prefix, grove__key from,
                                grove_error *error_out)
{
    bool is_lost = false; /* since the last entry that was found */
    bool stops = false;
    grove_error error;
    if (from.size == 0) {
        from.bytes[from.size++] = 0;
    }
    while (!stops) {
        grove__txn txn;
        grove__visit_entry entry = {.txn = &txn, .table = table};
        grove_status status =
            grove__txn_begin(&visitor->store->kv, GROVE_TXN_READ, &txn, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        status = seek(&txn, table, &from, &entry, &error);
        if (is_damage(status)) {
            grove__txn_abort(&txn);
            if (!is_lost) {
                visitor->unreadable(visitor->context, table, grove__key_view(&from),
                                    &error);
            }
            is_lost = true;
            if (!skip(&from)) {
                return GROVE_OK;
            }
            continue;
        }
        is_lost = false;
        bool is_end = status == GROVE_NONE ||
                      (status == GROVE_OK &&
                       !grove__bytes_begin_with(entry.key, grove__key_view(prefix)));
        if (status == GROVE_OK && !is_end) {
            status = visitor->entry(visitor->context, &entry, &stops, &error);
        }
        grove__txn_abort(&txn);
        if (is_end) {
            return GROVE_OK;
        }
        if (status != GROVE_OK) {
            if (error_out != NULL) {
                *error_out = error;
            }
            return status;
        }
        from = entry.next;
    }
    return GROVE_OK;
}

grove_status grove__visit_after(const char *table_name, grove_bytes name,
                                grove__table *table_out, grove__key *from_out,
                                grove_error *error_out)
{
    grove__table table = GROVE__TABLE_STORE;
    from_out->size = 0;
    if (table_name == NULL) {
        *table_out = table;
        return GROVE_OK;
    }
    while (strcmp(grove__table_name(table), table_name) != 0) {
        if (++table == GROVE__TABLE_COUNT) {
            return grove__fail(error_out, GROVE_INVALID, "there is no table '%s'",
                               table_name);
        }
    }
    if (table == GROVE__TABLE_STORE) {
        table++;
    } else if (table == GROVE__TABLE_COMMITS && name.size > 0) {
        if (name.size > sizeof(uint64_t)) {
            return grove__fail(error_out, GROVE_INVALID, "a commit has 8 bytes, not %zu",
                               name.size);
        }
        grove__visit_behind_key(from_out, name);
    } else if (name.size > 0) {
        grove_status status = grove__key_check_document(name, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        grove__visit_behind_name(from_out, name);
    }
    *table_out = table;
    return GROVE_OK;
}
