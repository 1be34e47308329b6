/*
 * Writing events for another store: batch by batch, each read in a transaction
 * of its own, so that no callback keeps a state of the store alive.
 */
#include "base/alloc.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"
#include "document/document.h"
#include "format/exchange.h"
#include "graph/heap.h"
#include "kv/value.h"

typedef struct export_work {
    grove_document *document;
    grove__vector known; /* by the other side */
    grove_write_fn write;
    void *context;
    grove_buffer bytes; /* what is written next */
    uint64_t clock;     /* what comes next */
    uint64_t end;
    uint64_t events; /* in the batches that were written */
} export_work;

static grove_status write_out(export_work *work, grove_error *error_out)
{
    if (work->bytes.failed) {
        return grove__fail_memory(error_out);
    }
    bool goes_on = work->write(work->context, grove_buffer_view(&work->bytes));
    grove_buffer_reset(&work->bytes);
    return goes_on ? GROVE_OK
                   : grove__fail(error_out, GROVE_FAILED, "the export was stopped");
}

/* --- the ids of what was removed --- */

/* Runs of the table `replicas`, sorted by clock through a heap. */
typedef struct removed_ids {
    grove_buffer replicas; /* grove_replica */
    grove_buffer found;    /* grove__exchange_run, as they are found */
    grove__heap heap;      /* by clock; marks are their numbers */
    bool is_known;         /* the other side knows all of them */
} removed_ids;

static bool is_earlier(const void *context, const grove__heap_item *item,
                       const grove__heap_item *other)
{
    (void)context;
    return item->key < other->key;
}

/* Notes one run, as far as it lies before `end`. */
static grove_status add_removed(export_work *work, removed_ids *ids, grove_bytes key,
                                grove_bytes value, uint64_t end, grove_buffer *scratch,
                                grove_error *error_out)
{
    grove__run_record record;
    grove_event_id id;
    memset(&id, 0, sizeof id);
    grove_status status = grove__run_record_decode(value, &record, error_out);
    if (status == GROVE_OK) {
        status =
            grove__key_parse_event(key, scratch, &id.replica, &id.sequence, error_out);
    }
    if (status != GROVE_OK || record.clock >= end) {
        return status;
    }
    uint64_t count =
        record.count < end - record.clock ? record.count : end - record.clock;
    size_t replica_count = ids->replicas.size / sizeof(grove_replica);
    const grove_replica *replicas =
        (const grove_replica *)(const void *)ids->replicas.data;
    if (replica_count == 0 ||
        !grove__replica_equal(&replicas[replica_count - 1], &id.replica)) {
        grove_buffer_append(&ids->replicas, &id.replica, sizeof id.replica);
        replica_count++;
    }
    grove__exchange_run run = {(uint32_t)(replica_count - 1), id.sequence, count};
    size_t number = ids->found.size / sizeof run;
    grove_buffer_append(&ids->found, &run, sizeof run);
    if (ids->replicas.failed || ids->found.failed ||
        !grove__heap_reserve(&ids->heap, work->document->allocator, 1)) {
        return grove__fail_memory(error_out);
    }
    grove__heap_push(&ids->heap,
                     (grove__heap_item){.key = record.clock, .mark = (uint32_t)number},
                     is_earlier, NULL);
    ids->is_known = ids->is_known &&
                    grove__vector_next(&work->known, &id.replica) >= id.sequence + count;
    return GROVE_OK;
}

static grove_status find_removed(export_work *work, removed_ids *ids, grove__txn *txn,
                                 uint64_t end, grove_error *error_out)
{
    grove__cursor cursor;
    grove_status status =
        grove__cursor_open(txn, GROVE__TABLE_REPLICAS, &cursor, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__key prefix;
    grove__key_of_document(&prefix, work->document->id);
    grove_buffer scratch;
    grove_buffer_init(&scratch, work->document->allocator);
    grove_bytes key;
    grove_bytes value;
    status = grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove__key_view(&prefix),
                                &key, &value, error_out);
    while (status == GROVE_OK && grove__bytes_begin_with(key, grove__key_view(&prefix))) {
        status = add_removed(work, ids, key, value, end, &scratch, error_out);
        if (status == GROVE_OK) {
            status = grove__cursor_next(&cursor, &key, &value, error_out);
        }
    }
    grove_buffer_release(&scratch);
    grove__cursor_close(&cursor);
    return status == GROVE_NONE ? GROVE_OK : status;
}

/* Appends the item of ids, in the order of clocks. */
static grove_status encode_removed(export_work *work, removed_ids *ids,
                                   grove_error *error_out)
{
    const grove__exchange_run *found =
        (const grove__exchange_run *)(const void *)ids->found.data;
    grove_buffer runs;
    grove_buffer payload;
    grove_buffer_init(&runs, work->document->allocator);
    grove_buffer_init(&payload, work->document->allocator);
    while (ids->heap.count > 0) {
        grove__exchange_run run =
            found[grove__heap_pop(&ids->heap, is_earlier, NULL).mark];
        grove__exchange_run *joined = (grove__exchange_run *)(void *)runs.data;
        size_t count = runs.size / sizeof run;
        if (count > 0 && joined[count - 1].replica == run.replica) {
            joined[count - 1].count += run.count;
        } else {
            grove_buffer_append(&runs, &run, sizeof run);
        }
    }
    grove__exchange_ids_encode((const grove_replica *)(const void *)ids->replicas.data,
                               ids->replicas.size / sizeof(grove_replica),
                               (const grove__exchange_run *)(const void *)runs.data,
                               runs.size / sizeof(grove__exchange_run), &payload);
    grove__exchange_item_encode(GROVE__EXCHANGE_IDS, payload.size, &work->bytes);
    grove_buffer_append(&work->bytes, payload.data, payload.size);
    bool failed = runs.failed || payload.failed || work->bytes.failed;
    grove_buffer_release(&runs);
    grove_buffer_release(&payload);
    return failed ? grove__fail_memory(error_out) : GROVE_OK;
}

/* Appends the item of the newest snapshot. */
static grove_status copy_snapshot(export_work *work, grove__txn *txn,
                                  grove_error *error_out)
{
    grove__key key;
    grove_buffer joined;
    grove_bytes bytes = {NULL, 0};
    grove__key_of_clock(&key, work->document->id, work->document->meta.snapshot_clock);
    grove_buffer_init(&joined, work->document->allocator);
    grove_status status = grove__value_get(
        txn, GROVE__TABLE_SNAPSHOTS, grove__key_view(&key), &joined, &bytes, error_out);
    if (status == GROVE_NONE) {
        status = grove__fail(error_out, GROVE_CORRUPT, "the newest snapshot is missing");
    }
    if (status == GROVE_OK) {
        grove__exchange_item_encode(GROVE__EXCHANGE_SNAPSHOT, bytes.size, &work->bytes);
        grove_buffer_append(&work->bytes, bytes.data, bytes.size);
    }
    grove_buffer_release(&joined);
    return status;
}

/* Appends ids and snapshot when the other side lacks removed events. */
static grove_status begin_with_removed(export_work *work, grove__txn *txn,
                                       grove_error *error_out)
{
    const grove_document *document = work->document;
    work->clock = document->meta.base_clock;
    if (work->clock == 0) {
        return GROVE_OK;
    }
    removed_ids ids = {.is_known = true};
    grove_buffer_init(&ids.replicas, document->allocator);
    grove_buffer_init(&ids.found, document->allocator);
    grove_status status = find_removed(work, &ids, txn, work->clock, error_out);
    if (status == GROVE_OK && !ids.is_known) {
        /* Nothing is left out then. */
        grove__vector_reset(&work->known);
        status = encode_removed(work, &ids, error_out);
        if (status == GROVE_OK) {
            status = copy_snapshot(work, txn, error_out);
        }
    }
    grove_buffer_release(&ids.replicas);
    grove_buffer_release(&ids.found);
    grove__deallocate(document->allocator, ids.heap.items,
                      ids.heap.capacity * sizeof *ids.heap.items);
    return status;
}

/* --- batches --- */

/* Appends the item of the next batch, if the other side lacks some of it. */
static grove_status export_batch(export_work *work, uint64_t first,
                                 grove__batch_reader *reader, grove_error *error_out)
{
    grove_document *document = work->document;
    grove__events events;
    grove__events lacking;
    grove_buffer block;
    grove__events_init(&events, document->allocator);
    grove__events_init(&lacking, document->allocator);
    grove_buffer_init(&block, document->allocator);
    grove_status status = grove__batch_decode(&reader->block, document->type,
                                              GROVE__DECODE_ALL, &events, error_out);
    uint64_t before = work->clock;
    if (status == GROVE_OK) {
        uint64_t end = grove__min_u64(first + events.count, work->end);
        status = grove__vector_append_lacking(
            &work->known, document->type, &events, (uint32_t)(before - first),
            (uint32_t)(end - first), &lacking, error_out);
        work->clock = end;
    }
    grove_bytes bytes = reader->bytes;
    if (status == GROVE_OK && lacking.count < events.count && lacking.count > 0) {
        grove__packing packing = grove__batch_packing_usual();
        packing.packer = &document->packer;
        status =
            grove__batch_encode(&lacking, document->type, 0, packing, &block, error_out);
        bytes = grove_buffer_view(&block);
    }
    if (status == GROVE_OK && lacking.count > 0) {
        grove__exchange_item_encode(GROVE__EXCHANGE_BATCH, bytes.size, &work->bytes);
        grove_buffer_append(&work->bytes, bytes.data, bytes.size);
        work->events += lacking.count;
    }
    work->clock = status == GROVE_OK ? work->clock : before;
    grove_buffer_release(&block);
    grove__events_release(&lacking);
    grove__events_release(&events);
    return status;
}

/* Exports the batch with the event at `work->clock`. */
static grove_status export_next(export_work *work, grove_error *error_out)
{
    grove_document *document = work->document;
    grove__txn txn;
    grove_status status =
        grove__txn_begin(&document->store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__batch_reader reader;
    grove__batch_reader_init(&reader, document->allocator);
    status = grove__document_look(document, &txn, error_out);
    if (status == GROVE_OK && work->clock < document->meta.base_clock) {
        status = grove__fail(error_out, GROVE_HISTORY_REMOVED,
                             "a compaction removed events during the export");
    }
    uint64_t first = 0;
    if (status == GROVE_OK) {
        status = grove__batch_find(document, &txn, work->clock, &first, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__batch_read(document, &txn, first, &reader, error_out);
    }
    if (status == GROVE_OK && first + reader.header.event_count <= work->clock) {
        status = grove__fail(error_out, GROVE_CORRUPT,
                             "no batch holds the event at clock %llu",
                             (unsigned long long)work->clock);
    }
    if (status == GROVE_OK) {
        status = export_batch(work, first, &reader, error_out);
    }
    grove__batch_reader_release(&reader);
    grove__txn_abort(&txn);
    return status;
}

/* Header, and what was removed. */
static grove_status export_beginning(export_work *work, grove_error *error_out)
{
    grove_document *document = work->document;
    grove__txn txn;
    grove_status status =
        grove__txn_begin(&document->store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__document_look(document, &txn, error_out);
    if (status == GROVE_OK && !document->exists) {
        status =
            grove__fail(error_out, GROVE_NONE, "nothing of this document is stored yet");
    }
    if (status == GROVE_OK) {
        grove__exchange_header header = {.type_format = document->meta.type_format};
        memcpy(header.type_name, document->meta.type_name, sizeof header.type_name);
        grove__exchange_header_encode(&header, &work->bytes);
        work->end = document->meta.events;
        status = begin_with_removed(work, &txn, error_out);
    }
    grove__txn_abort(&txn);
    return status == GROVE_OK ? write_out(work, error_out) : status;
}

static grove_status take_known(export_work *work, const grove_version_vector *known,
                               grove_error *error_out)
{
    size_t count = known == NULL ? 0 : known->count;
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < count; index++) {
        const grove_event_id *entry = &known->entries[index];
        status = grove__key_check_replica(&entry->replica, error_out);
        if (status == GROVE_OK &&
            !grove__vector_raise(&work->known, &entry->replica, entry->sequence)) {
            status = grove__fail_memory(error_out);
        }
    }
    return status;
}

grove_status grove_document_export(grove_document *document,
                                   const grove_version_vector *known,
                                   grove_write_fn write, void *context,
                                   grove_error *error_out)
{
    grove_status status = grove__document_check_live(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    export_work work = {.document = document, .write = write, .context = context};
    grove_buffer_init(&work.bytes, document->allocator);
    grove__vector_init(&work.known, document->allocator);
    status = take_known(&work, known, error_out);
    if (status == GROVE_OK) {
        status = export_beginning(&work, error_out);
    }
    while (status == GROVE_OK && work.clock < work.end) {
        status = export_next(&work, error_out);
        if (status == GROVE_OK && work.bytes.size > 0) {
            status = write_out(&work, error_out);
        }
    }
    if (status == GROVE_OK) {
        grove__exchange_end_encode(work.events, &work.bytes);
        status = write_out(&work, error_out);
    }
    grove__vector_release(&work.known);
    grove_buffer_release(&work.bytes);
    return status;
}
