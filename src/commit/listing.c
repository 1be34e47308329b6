#include "commit/listing.h"

#include "base/bytes.h"
#include "base/error.h"
#include "format/key.h"

/* So many names are read at a time: no callback keeps a transaction open. */
#ifdef GROVE_TINY_LIMITS
enum { SLICE_NAMES_MAX = 3 };
#else
enum { SLICE_NAMES_MAX = 256 };
#endif

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

/* What a listing looks for, and one slice of what it found. */
typedef struct listing {
    grove_bytes prefix;
    grove__key key;     /* where the next look begins */
    grove_buffer name;  /* the one that was found last */
    grove_buffer names; /* of the slice, one after the other */
    size_t sizes[SLICE_NAMES_MAX];
    size_t count;
    bool is_done;
} listing;

/* Finds the next name; `is_done` when there is none. */
static grove_status find_next(grove__cursor *cursor, listing *wanted,
                              grove_error *error_out)
{
    grove__key prefix_key;
    grove_bytes found;
    grove_bytes value;
    grove__key_of_prefix(&prefix_key, wanted->prefix);
    grove_status status =
        grove__cursor_seek(cursor, GROVE_SEEK_AT_OR_AFTER, grove__key_view(&wanted->key),
                           &found, &value, error_out);
    if (status == GROVE_NONE ||
        (status == GROVE_OK &&
         !grove__bytes_begin_with(found, grove__key_view(&prefix_key)))) {
        wanted->is_done = true;
        return GROVE_OK;
    }
    if (status == GROVE_OK) {
        status = grove__key_parse_name(found, &wanted->name, error_out);
    }
    if (status == GROVE_OK) {
        grove__key_of_document(&wanted->key, grove_buffer_view(&wanted->name));
        grove__key_add_number(&wanted->key, UINT64_MAX);
    }
    return status;
}

/* Fills a slice, from a transaction of its own. */
static grove_status read_slice(grove_store *store, grove__table table, listing *wanted,
                               grove_error *error_out)
{
    grove__txn txn;
    grove__cursor cursor;
    grove_status status = grove__txn_begin(&store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    wanted->count = 0;
    grove_buffer_reset(&wanted->names);
    status = grove__cursor_open(&txn, table, &cursor, error_out);
    if (status == GROVE_OK) {
        while (status == GROVE_OK && wanted->count < SLICE_NAMES_MAX) {
            status = find_next(&cursor, wanted, error_out);
            if (status != GROVE_OK || wanted->is_done) {
                break;
            }
            /* A prefix that ends in NULs shares its bytes with shorter names.
             * */
            grove_bytes name = grove_buffer_view(&wanted->name);
            if (grove__bytes_begin_with(name, wanted->prefix)) {
                grove_buffer_append(&wanted->names, name.data, name.size);
                wanted->sizes[wanted->count++] = name.size;
            }
        }
        grove__cursor_close(&cursor);
    }
    grove__txn_abort(&txn);
    if (status == GROVE_OK && (wanted->names.failed || wanted->name.failed)) {
        status = grove__fail_memory(error_out);
    }
    return status;
}

/* False: no more is wanted. */
static bool hand_out(const listing *wanted, grove_list_fn each, void *context)
{
    grove_bytes names = grove_buffer_view(&wanted->names);
    for (size_t index = 0; index < wanted->count; index++) {
        if (!each(context, (grove_bytes){names.data, wanted->sizes[index]})) {
            return false;
        }
        names.data += wanted->sizes[index];
    }
    return true;
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
    listing wanted = {.prefix = prefix};
    grove_buffer_init(&wanted.name, store->allocator);
    grove_buffer_init(&wanted.names, store->allocator);
    first_key(&wanted.key, prefix, after);
    grove_status status = GROVE_OK;
    bool goes_on = true;
    while (status == GROVE_OK && goes_on && !wanted.is_done) {
        status = read_slice(store, table, &wanted, error_out);
        if (status == GROVE_OK) {
            goes_on = hand_out(&wanted, each, context);
        }
    }
    grove_buffer_release(&wanted.name);
    grove_buffer_release(&wanted.names);
    return status;
}
