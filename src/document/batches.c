/* Reading what is stored of a document: records, batches, ids. */
#include "base/bytes.h"
#include "base/error.h"
#include "document/document.h"
#include "kv/value.h"

grove_status grove__document_meta_read(grove__txn *txn, grove_bytes id,
                                       grove__meta_record *meta_out,
                                       grove_error *error_out)
{
    grove__key key;
    grove__key_of_document(&key, id);
    grove_bytes bytes;
    grove_status status =
        grove__kv_get(txn, GROVE__TABLE_META, grove__key_view(&key), &bytes, error_out);
    if (status == GROVE_NONE) {
        return grove__fail(error_out, GROVE_NONE, "there is no document of this id");
    }
    if (status != GROVE_OK) {
        return status;
    }
    return grove__meta_record_decode(bytes, meta_out, error_out);
}

void grove__batch_reader_init(grove__batch_reader *reader,
                              const grove_allocator *allocator)
{
    grove_buffer_init(&reader->joined, allocator);
    reader->bytes = (grove_bytes){NULL, 0};
}

void grove__batch_reader_release(grove__batch_reader *reader)
{
    grove_buffer_release(&reader->joined);
}

grove_status grove__batch_read(grove_document *document, grove__txn *txn, uint64_t clock,
                               grove__batch_reader *reader, grove_error *error_out)
{
    grove__key key;
    grove__key_of_clock(&key, document->id, clock);
    grove_status status =
        grove__value_get(txn, GROVE__TABLE_EVENTS, grove__key_view(&key), &reader->joined,
                         &reader->bytes, error_out);
    if (status == GROVE_NONE) {
        return grove__fail(error_out, GROVE_CORRUPT, "the batch at clock %llu is missing",
                           (unsigned long long)clock);
    }
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__batch_open(reader->bytes, &reader->block, &reader->header, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    reader->block.packer = &document->packer;
    if (reader->header.first_clock != clock || reader->header.event_count == 0) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "the batch at clock %llu says that it begins at %llu",
                           (unsigned long long)clock,
                           (unsigned long long)reader->header.first_clock);
    }
    return GROVE_OK;
}

/*
 * The newest <document, clock, part> key of the document before `key`, parsed.
 * GROVE_NONE: there is none.
 */
static grove_status seek_before(grove__cursor *cursor, const grove__key *key,
                                grove_bytes id, grove_buffer *scratch,
                                grove__piece *piece_out, grove_error *error_out)
{
    grove_bytes found;
    grove_bytes value;
    grove_status status = grove__cursor_seek(
        cursor, GROVE_SEEK_BEFORE, grove__key_view(key), &found, &value, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    uint64_t part;
    status =
        grove__key_parse_clock_part(found, scratch, &piece_out->clock, &part, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (!grove__bytes_equal(grove_buffer_view(scratch), id)) {
        return GROVE_NONE;
    }
    piece_out->bytes = grove__value_bytes(cursor->txn->kv, part, value.size);
    return GROVE_OK;
}

grove_status grove__batch_find(grove_document *document, grove__txn *txn, uint64_t clock,
                               uint64_t *first_clock_out, grove_error *error_out)
{
    grove__cursor cursor;
    grove_status status =
        grove__cursor_open(txn, GROVE__TABLE_EVENTS, &cursor, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_buffer scratch;
    grove_buffer_init(&scratch, document->allocator);
    grove__key key;
    grove__key_of_clock(&key, document->id, clock + 1);
    grove__piece piece;
    status = seek_before(&cursor, &key, document->id, &scratch, &piece, error_out);
    if (status == GROVE_NONE) {
        status = grove__fail(error_out, GROVE_CORRUPT,
                             "no batch holds the event at clock %llu",
                             (unsigned long long)clock);
    }
    grove_buffer_release(&scratch);
    grove__cursor_close(&cursor);
    if (status == GROVE_OK) {
        *first_clock_out = piece.clock;
    }
    return status;
}

/* Turns a list from newest to oldest round. */
static void reverse_pieces(grove__piece *pieces, size_t count)
{
    for (size_t low = 0, high = count; low + 1 < high; low++) {
        high--;
        grove__piece swapped = pieces[low];
        pieces[low] = pieces[high];
        pieces[high] = swapped;
    }
}

grove_status grove__pieces_read(grove_document *document, grove__txn *txn,
                                grove__table table, size_t count_max,
                                grove_buffer *pieces_out, grove_error *error_out)
{
    grove__cursor cursor;
    grove_status status = grove__cursor_open(txn, table, &cursor, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    size_t bytes_before = pieces_out->size;
    grove_buffer scratch;
    grove_buffer_init(&scratch, document->allocator);
    grove__key key;
    grove__key_of_clock(&key, document->id, UINT64_MAX);
    uint64_t end = document->meta.events;
    for (size_t count = 0; count < count_max; count++) {
        grove__piece piece;
        status = seek_before(&cursor, &key, document->id, &scratch, &piece, error_out);
        if (status != GROVE_OK) {
            break;
        }
        piece.events = 0;
        if (table == GROVE__TABLE_EVENTS) {
            if (piece.clock >= end) {
                status =
                    grove__fail(error_out, GROVE_CORRUPT,
                                "a batch begins at clock %llu, beyond the last event",
                                (unsigned long long)piece.clock);
                break;
            }
            piece.events = end - piece.clock;
            end = piece.clock;
        }
        grove_buffer_append(pieces_out, &piece, sizeof piece);
        grove__key_of_clock(&key, document->id, piece.clock);
    }
    grove_buffer_release(&scratch);
    grove__cursor_close(&cursor);
    if (status == GROVE_NONE) {
        status = GROVE_OK;
    }
    if (status == GROVE_OK && pieces_out->failed) {
        status = grove__fail_memory(error_out);
    }
    if (status != GROVE_OK) {
        pieces_out->size = bytes_before;
        return status;
    }
    reverse_pieces((grove__piece *)(void *)(pieces_out->data + bytes_before),
                   (pieces_out->size - bytes_before) / sizeof(grove__piece));
    return GROVE_OK;
}

/* The newest run of `replica` that begins before `sequence`. GROVE_NONE. */
static grove_status run_before(grove_document *document, grove__txn *txn,
                               const grove_replica *replica, uint64_t sequence,
                               grove__replica_run *run_out, grove_error *error_out)
{
    grove__cursor cursor;
    grove_status status =
        grove__cursor_open(txn, GROVE__TABLE_REPLICAS, &cursor, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__key key;
    grove__key_of_event(&key, document->id, replica, sequence);
    grove_bytes found;
    grove_bytes value;
    status = grove__cursor_seek(&cursor, GROVE_SEEK_BEFORE, grove__key_view(&key), &found,
                                &value, error_out);
    grove__key prefix;
    grove__key_of_replica(&prefix, document->id, replica);
    if (status == GROVE_OK && !grove__bytes_begin_with(found, grove__key_view(&prefix))) {
        status = GROVE_NONE;
    }
    grove__run_record record;
    if (status == GROVE_OK) {
        status = grove__run_record_decode(value, &record, error_out);
    }
    if (status == GROVE_OK && found.size != prefix.size + 8) {
        status = grove__fail(error_out, GROVE_CORRUPT,
                             "a key of table replicas has %zu bytes", found.size);
    }
    if (status == GROVE_OK) {
        run_out->sequence = grove_read_u64(found.data + prefix.size);
        run_out->clock = record.clock;
        run_out->count = record.count;
    }
    grove__cursor_close(&cursor);
    return status;
}

grove_status grove__replica_run_newest(grove_document *document, grove__txn *txn,
                                       const grove_replica *replica,
                                       grove__replica_run *run_out,
                                       grove_error *error_out)
{
    return run_before(document, txn, replica, UINT64_MAX, run_out, error_out);
}

grove_status grove__document_clock_of(grove_document *document, grove__txn *txn,
                                      const grove_replica *replica, uint64_t sequence,
                                      uint64_t *clock_out, grove_error *error_out)
{
    grove__replica_run run;
    grove_status status =
        run_before(document, txn, replica, sequence + 1, &run, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (sequence - run.sequence >= run.count) {
        return GROVE_NONE;
    }
    *clock_out = run.clock + (sequence - run.sequence);
    return GROVE_OK;
}

/* Whether an entry of table `replicas` is a run that has `clock`, and then the
 * event's id. GROVE_NONE: it is another run. */
static grove_status read_id(grove_bytes key, grove_bytes value, uint64_t clock,
                            grove_buffer *scratch, grove_event_id *id_out,
                            grove_error *error_out)
{
    grove__run_record record;
    grove_status status = grove__run_record_decode(value, &record, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (clock < record.clock || clock - record.clock >= record.count) {
        return GROVE_NONE;
    }
    grove_event_id id;
    memset(&id, 0, sizeof id);
    status = grove__key_parse_event(key, scratch, &id.replica, &id.sequence, error_out);
    if (status == GROVE_OK) {
        id.sequence += clock - record.clock;
        *id_out = id;
    }
    return status;
}

grove_status grove__document_id_at(grove_document *document, grove__txn *txn,
                                   uint64_t clock, grove_event_id *id_out,
                                   grove_error *error_out)
{
    grove__cursor cursor;
    grove_status status =
        grove__cursor_open(txn, GROVE__TABLE_REPLICAS, &cursor, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_buffer scratch;
    grove_buffer_init(&scratch, document->allocator);
    grove__key prefix;
    grove__key_of_document(&prefix, document->id);
    grove_bytes key;
    grove_bytes value;
    status = grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove__key_view(&prefix),
                                &key, &value, error_out);
    bool is_found = false;
    while (status == GROVE_OK && !is_found &&
           grove__bytes_begin_with(key, grove__key_view(&prefix))) {
        status = read_id(key, value, clock, &scratch, id_out, error_out);
        is_found = status == GROVE_OK;
        if (status == GROVE_NONE) {
            status = grove__cursor_next(&cursor, &key, &value, error_out);
        }
    }
    grove_buffer_release(&scratch);
    grove__cursor_close(&cursor);
    if (status == GROVE_NONE || (status == GROVE_OK && !is_found)) {
        status = grove__fail(error_out, GROVE_CORRUPT,
                             "no replica has the event at clock %llu",
                             (unsigned long long)clock);
    }
    return status;
}
