/* Reading what is stored of a document: records, batches, ids. */
#include "base/bytes.h"
#include "base/checked.h"
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
    document->bytes_read += reader->bytes.size;
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

grove_status grove__batch_border(grove_document *document, grove__txn *txn,
                                 uint64_t start, uint64_t bound, uint64_t target,
                                 uint64_t *border_out, grove_error *error_out)
{
    grove__batch_reader reader;
    grove__batch_reader_init(&reader, document->allocator);
    grove_status status = GROVE_OK;
    uint64_t border = start;
    uint64_t reach = bound;
    while (status == GROVE_OK && (border > target || reach < border || border == start)) {
        if (border <= document->meta.base_clock) {
            status = grove__fail(error_out, GROVE_HISTORY_REMOVED,
                                 "events before clock %llu were removed by a compaction",
                                 (unsigned long long)document->meta.base_clock);
            break;
        }
        status = grove__batch_find(document, txn, border - 1, &border, error_out);
        if (status == GROVE_OK) {
            status = grove__batch_read(document, txn, border, &reader, error_out);
        }
        if (status == GROVE_OK) {
            reach = grove__min_u64(reach, reader.header.reach);
        }
    }
    grove__batch_reader_release(&reader);
    if (status == GROVE_OK) {
        *border_out = border;
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
    if (pieces_out->size > bytes_before) {
        reverse_pieces((grove__piece *)(void *)(pieces_out->data + bytes_before),
                       (pieces_out->size - bytes_before) / sizeof(grove__piece));
    }
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

grove_status grove__replica_run_of(grove_document *document, grove__txn *txn,
                                   const grove_event_id *id, grove__replica_run *run_out,
                                   grove_error *error_out)
{
    grove__replica_run run;
    grove_status status =
        run_before(document, txn, &id->replica, id->sequence + 1, &run, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (id->sequence - run.sequence >= run.count) {
        return GROVE_NONE;
    }
    *run_out = run;
    return GROVE_OK;
}

grove_status grove__document_clock_of(grove_document *document, grove__txn *txn,
                                      const grove_replica *replica, uint64_t sequence,
                                      uint64_t *clock_out, grove_error *error_out)
{
    grove__replica_run run;
    grove_event_id id = {*replica, sequence};
    grove_status status = grove__replica_run_of(document, txn, &id, &run, error_out);
    if (status == GROVE_OK) {
        *clock_out = run.clock + (sequence - run.sequence);
    }
    return status;
}
