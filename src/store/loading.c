#include "store/loading.h"

#include "base/error.h"
#include "commit/age.h"

/* A step is made when it has this much to write. */
enum { STEP_BYTES = 4 << 20 };

static grove_bytes store_key(void)
{
    return grove_bytes_of("store");
}

grove_bytes grove__loading_key(void)
{
    return grove_bytes_of("unfinished");
}

static grove_bytes record_of(const grove__loading *loading)
{
    return (grove_bytes){loading->record, sizeof loading->record};
}

grove_status grove__loading_look(grove__txn *txn, grove_error *error_out)
{
    grove_bytes value;
    grove_status status =
        grove__kv_get(txn, GROVE__TABLE_STORE, grove__loading_key(), &value, error_out);
    return status == GROVE_OK
               ? grove__fail(error_out, GROVE_INVALID,
                             "a dump was being loaded there and did not come to its end: "
                             "remove what is there and load it again")
               : status;
}

/* Whether a table has no entries. */
static grove_status check_empty(grove__txn *txn, grove__table table,
                                grove_error *error_out)
{
    grove__cursor cursor;
    grove_bytes key;
    grove_bytes value;
    grove_status status = grove__cursor_open(txn, table, &cursor, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__cursor_seek(&cursor, GROVE_SEEK_BEFORE, (grove_bytes){NULL, 0}, &key,
                                &value, error_out);
    grove__cursor_close(&cursor);
    if (status == GROVE_OK) {
        return grove__fail(error_out, GROVE_INVALID,
                           "there is a store already, and it is not empty");
    }
    return status == GROVE_NONE ? GROVE_OK : status;
}

/* Reads the record of a store that holds nothing. */
static grove_status look(grove__loading *loading, grove_error *error_out)
{
    grove__txn txn;
    grove_bytes value;
    grove_status status =
        grove__txn_begin(&loading->store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    for (int table = 0; status == GROVE_OK && table < GROVE__TABLE_COUNT; table++) {
        if (table != GROVE__TABLE_STORE) {
            status = check_empty(&txn, (grove__table)table, error_out);
        }
    }
    if (status == GROVE_OK) {
        status = grove__kv_get(&txn, GROVE__TABLE_STORE, store_key(), &value, error_out);
        if (status == GROVE_NONE ||
            (status == GROVE_OK && value.size != sizeof loading->record)) {
            status = grove__fail(error_out, GROVE_CONFLICT, "the store is gone");
        }
    }
    if (status == GROVE_OK) {
        memcpy(loading->record, value.data, sizeof loading->record);
    }
    grove__txn_abort(&txn);
    return status;
}

/* Begins the next step. */
static void reset(grove__loading *loading)
{
    grove_buffer *values = (grove_buffer *)(void *)loading->values.data;
    for (size_t index = 0; index < loading->values.size / sizeof *values; index++) {
        grove_buffer_release(&values[index]);
    }
    grove_buffer_reset(&loading->values);
    grove__write_set_release(&loading->set);
    grove__write_set_init(&loading->set, loading->store->allocator);
    loading->bytes = 0;
}

/* Writes what has gathered. */
static grove_status step(grove__loading *loading, grove_error *error_out)
{
    grove_bytes record = record_of(loading);
    grove__write_set_expect(&loading->set, GROVE__TABLE_STORE, grove__loading_key(),
                            &record);
    grove_status status = grove__commit(loading->store, &loading->set, NULL, error_out);
    reset(loading);
    return status;
}

grove_status grove__loading_begin(grove_store *store, grove__loading *loading_out,
                                  grove_error *error_out)
{
    grove__loading loading = {.store = store};
    grove__write_set_init(&loading.set, store->allocator);
    grove_buffer_init(&loading.values, store->allocator);
    grove_status status = look(&loading, error_out);
    if (status == GROVE_OK) {
        grove__key first;
        grove_bytes record = record_of(&loading);
        grove__key_of_commit(&first, 1);
        grove__write_set_expect(&loading.set, GROVE__TABLE_STORE, store_key(), &record);
        grove__write_set_expect(&loading.set, GROVE__TABLE_COMMITS,
                                grove__key_view(&first), NULL);
        grove__write_set_remove(&loading.set, GROVE__TABLE_STORE, store_key());
        grove__write_set_put(&loading.set, GROVE__TABLE_STORE, grove__loading_key(),
                             record);
        status = grove__commit(store, &loading.set, NULL, error_out);
    }
    reset(&loading);
    if (status != GROVE_OK) {
        grove__loading_release(&loading);
        return status;
    }
    *loading_out = loading;
    return GROVE_OK;
}

void grove__loading_release(grove__loading *loading)
{
    reset(loading);
    grove__write_set_release(&loading->set);
    grove_buffer_release(&loading->values);
}

static grove_status count(grove__loading *loading, size_t bytes, grove_error *error_out)
{
    loading->bytes += bytes;
    return loading->bytes >= STEP_BYTES ? step(loading, error_out) : GROVE_OK;
}

grove_status grove__loading_put(grove__loading *loading, grove__table table,
                                grove_bytes key, grove_bytes record,
                                grove_error *error_out)
{
    grove__write_set_put(&loading->set, table, key, record);
    return count(loading, key.size + record.size, error_out);
}

grove_status grove__loading_put_value(grove__loading *loading, grove__table table,
                                      grove_bytes key, grove_buffer *value,
                                      grove_error *error_out)
{
    size_t bytes = value->size;
    grove_buffer_append(&loading->values, value, sizeof *value);
    if (loading->values.failed) {
        return grove__fail_memory(error_out);
    }
    grove__write_set_put_value(&loading->set, table, key, grove_buffer_view(value));
    grove_buffer_init(value, loading->store->allocator);
    return count(loading, key.size + bytes, error_out);
}

/* Adds how long commits are kept to the next step. */
static grove_status put_retention(grove__loading *loading,
                                  const grove__aging_record *wanted,
                                  grove_error *error_out)
{
    grove__txn txn;
    grove__aging_record record;
    grove_status status =
        grove__txn_begin(&loading->store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__age_read(&txn, &record, error_out);
    if (status == GROVE_OK) {
        record.commits_max = wanted->commits_max;
        record.age_ms_max = wanted->age_ms_max;
        status = grove__age_write(&txn, &record, &loading->set, error_out);
    }
    grove__txn_abort(&txn);
    return status;
}

grove_status grove__loading_age(grove__loading *loading,
                                const grove__aging_record *wanted, grove_error *error_out)
{
    grove__age_result result;
    grove_status status = step(loading, error_out);
    while (status == GROVE_OK) {
        status = grove__age_prepare(loading->store, 1, &loading->set, &result, error_out);
        if (status == GROVE_OK) {
            status = step(loading, error_out);
        }
    }
    return status == GROVE_NONE ? put_retention(loading, wanted, error_out) : status;
}

grove_status grove__loading_end(grove__loading *loading, grove_error *error_out)
{
    grove_status status = step(loading, error_out);
    if (status == GROVE_OK) {
        grove__write_set_remove(&loading->set, GROVE__TABLE_STORE, grove__loading_key());
        grove__write_set_put(&loading->set, GROVE__TABLE_STORE, store_key(),
                             record_of(loading));
        status = step(loading, error_out);
    }
    return status;
}
