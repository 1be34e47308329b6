/* What a handle knows of each replica. */
#include "base/bytes.h"
#include "base/error.h"
#include "document/document.h"

/* Takes in a stored run, as far as the handle has its events. */
static grove_status add_run(grove_document *document, grove_bytes key, grove_bytes value,
                            grove_buffer *scratch, grove_error *error_out)
{
    grove__run_record run;
    grove_event_id id;
    memset(&id, 0, sizeof id);
    grove_status status = grove__run_record_decode(value, &run, error_out);
    if (status == GROVE_OK) {
        status =
            grove__key_parse_event(key, scratch, &id.replica, &id.sequence, error_out);
    }
    if (status != GROVE_OK || run.clock >= document->stored) {
        return status;
    }
    uint64_t count = run.count < document->stored - run.clock
                         ? run.count
                         : document->stored - run.clock;
    return grove__vector_raise(&document->vector, &id.replica, id.sequence + count)
               ? GROVE_OK
               : grove__fail_memory(error_out);
}

grove_status grove__document_vector(grove_document *document, grove__txn *txn,
                                    grove_error *error_out)
{
    grove__cursor cursor;
    grove_status status =
        grove__cursor_open(txn, GROVE__TABLE_REPLICAS, &cursor, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__vector_reset(&document->vector);
    grove__key prefix;
    grove__key_of_document(&prefix, document->id);
    grove_buffer scratch;
    grove_buffer_init(&scratch, document->allocator);
    grove_bytes key;
    grove_bytes value;
    status = grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove__key_view(&prefix),
                                &key, &value, error_out);
    while (status == GROVE_OK && grove__bytes_begin_with(key, grove__key_view(&prefix))) {
        status = add_run(document, key, value, &scratch, error_out);
        if (status == GROVE_OK) {
            status = grove__cursor_next(&cursor, &key, &value, error_out);
        }
    }
    grove_buffer_release(&scratch);
    grove__cursor_close(&cursor);
    if (status != GROVE_OK && status != GROVE_NONE) {
        return status;
    }
    return grove__vector_raise_all(&document->vector, &document->unsaved)
               ? GROVE_OK
               : grove__fail_memory(error_out);
}

grove_status grove_document_version_vector(grove_document *document,
                                           grove_version_vector *vector_out,
                                           grove_error *error_out)
{
    grove_status status = grove__document_check_live(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__txn txn;
    status = grove__txn_begin(&document->store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status == GROVE_OK) {
        status = grove__document_look_again(document, &txn, error_out);
        if (status == GROVE_OK) {
            status = grove__document_vector(document, &txn, error_out);
        }
        grove__txn_abort(&txn);
    }
    if (status == GROVE_OK) {
        *vector_out = grove__vector_view(&document->vector);
    }
    return status;
}
