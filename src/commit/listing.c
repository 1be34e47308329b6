#include "commit/listing.h"

#include "base/bytes.h"
#include "base/error.h"
#include "format/key.h"

/* The first key that may be listed: that of `prefix`, or behind `after`. */
static void first_key(grove__key *key_out, grove_bytes prefix, grove_bytes after)
{
    grove__key_of_prefix(key_out, prefix);
    if (key_out->size == 0) {
        /* No key comes before this one. */
        key_out->bytes[0] = 0;
        key_out->size = 1;
    }
    if (after.size == 0) {
        return;
    }
    grove__key behind;
    grove__key_of_document(&behind, after);
    /* No name's key is a prefix of another's, so that what begins with this
     * name's ends before the key followed by all ones. */
    grove__key_add_number(&behind, UINT64_MAX);
    if (grove__bytes_compare(grove__key_view(&behind), grove__key_view(key_out)) > 0) {
        *key_out = behind;
    }
}

/* What a listing looks for and where it goes. */
typedef struct listing {
    grove_bytes prefix;
    grove_list_fn each;
    void *context;
} listing;

/* Lists from `key` on; stops at the prefix's end or at will. */
static grove_status list_from(grove__cursor *cursor, grove__key *key,
                              const listing *wanted, grove_buffer *name,
                              grove_error *error_out)
{
    grove__key prefix_key;
    grove__key_of_prefix(&prefix_key, wanted->prefix);
    for (;;) {
        grove_bytes found;
        grove_bytes value;
        grove_status status =
            grove__cursor_seek(cursor, GROVE_SEEK_AT_OR_AFTER, grove__key_view(key),
                               &found, &value, error_out);
        if (status == GROVE_NONE ||
            (status == GROVE_OK &&
             !grove__bytes_begin_with(found, grove__key_view(&prefix_key)))) {
            return GROVE_OK;
        }
        if (status != GROVE_OK) {
            return status;
        }
        status = grove__key_parse_name(found, name, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        /* A prefix that ends in NULs shares its bytes with shorter names. */
        if (grove__bytes_begin_with(grove_buffer_view(name), wanted->prefix) &&
            !wanted->each(wanted->context, grove_buffer_view(name))) {
            return GROVE_OK;
        }
        grove__key_of_document(key, grove_buffer_view(name));
        grove__key_add_number(key, UINT64_MAX);
    }
}

grove_status grove__listing_run(grove_store *store, grove__table table,
                                grove_bytes prefix, grove_bytes after, grove_list_fn each,
                                void *context, grove_error *error_out)
{
    if (prefix.size > GROVE_DOCUMENT_ID_BYTES_MAX ||
        after.size > GROVE_DOCUMENT_ID_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "a prefix or a name has more than %d bytes",
                           GROVE_DOCUMENT_ID_BYTES_MAX);
    }
    grove__txn txn;
    grove_status status = grove__txn_begin(&store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__cursor cursor;
    status = grove__cursor_open(&txn, table, &cursor, error_out);
    if (status == GROVE_OK) {
        grove_buffer name;
        grove_buffer_init(&name, store->allocator);
        grove__key key;
        first_key(&key, prefix, after);
        listing wanted = {prefix, each, context};
        status = list_from(&cursor, &key, &wanted, &name, error_out);
        grove_buffer_release(&name);
        grove__cursor_close(&cursor);
    }
    grove__txn_abort(&txn);
    return status;
}
