/* A snapshot now, and the history below the floor removed. */
#include "base/checked.h"
#include "base/error.h"
#include "document/change.h"
#include "document/stamps.h"

enum { ATTEMPTS_MAX = 16 };

/*
 * The floor: the newest border between batches at or before `target` that is a
 * critical version: all that is to come hangs on it, and nothing below is
 * needed to merge. The end of all events is one when it has one head.
 */
static grove_status find_floor(grove_document *document, grove__txn *txn, uint64_t target,
                               uint64_t *floor_out, grove_error *error_out)
{
    uint64_t events = document->meta.events;
    uint64_t bound = grove__graph_least_head(&document->graph) + 1;
    if (target >= events && bound >= events) {
        *floor_out = events;
        return GROVE_OK;
    }
    grove_status status =
        grove__batch_border(document, txn, events, bound, target, floor_out, error_out);
    if (status == GROVE_HISTORY_REMOVED) {
        *floor_out = document->meta.base_clock;
        return GROVE_OK;
    }
    return status;
}

/* Encodes the snapshot of what is stored. Whatever comes later has the event
 * before the floor in its history, and so all up to its time. */
static grove_status encode_snapshot(grove_document *source, grove__txn *txn,
                                    uint64_t floor, grove_buffer *snapshot,
                                    grove_error *error_out)
{
    uint64_t settled = 0;
    grove_status status = GROVE_OK;
    if (floor > 0 && grove__document_is_timed(source)) {
        status = grove__stamps_time(source, txn, floor - 1, &settled, error_out);
    }
    if (status == GROVE_OK) {
        status =
            grove__document_encode_snapshot(source, txn, settled, snapshot, error_out);
    }
    return status == GROVE_NONE
               ? grove__fail(error_out, GROVE_UNSUPPORTED,
                             "no snapshot can be made of this document now: hand in its "
                             "state and save, then compact")
               : status;
}

/* Removes the batches that lie before the floor. */
static void remove_batches(grove__change *change, grove_document *document,
                           const grove_buffer *pieces, uint64_t floor,
                           grove_compact_result *result)
{
    const grove__piece *batches = (const grove__piece *)(const void *)pieces->data;
    for (size_t index = 0; index < pieces->size / sizeof *batches; index++) {
        if (batches[index].clock >= floor) {
            break;
        }
        grove__change_remove_batch(change, document, &batches[index]);
        result->removed_events += batches[index].events;
        result->removed_batches++;
    }
    change->meta.base_clock = grove__max_u64(change->meta.base_clock, floor);
    result->base_clock = change->meta.base_clock;
}

/*
 * Prepares the change. `source` is a handle whose state is exactly what is
 * stored; it is the document's own where that is so.
 */
static grove_status prepare(grove_document *document, grove_document *source,
                            grove__txn *txn, uint64_t window, grove__change *change,
                            grove_buffer *snapshot, grove_compact_result *result,
                            grove_error *error_out)
{
    uint64_t events = source->meta.events;
    grove_status status = grove__kv_reclaim(&document->store->kv, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    uint64_t target = events - grove__min_u64(events, window);
    target =
        grove__min_u64(target, grove__handle_least_clock(document->store, document->id));
    grove_buffer pieces;
    grove_buffer_init(&pieces, document->allocator);
    uint64_t floor = 0;
    status = find_floor(source, txn, target, &floor, error_out);
    if (status == GROVE_OK) {
        status = encode_snapshot(source, txn, floor, snapshot, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__pieces_read(source, txn, GROVE__TABLE_EVENTS, SIZE_MAX, &pieces,
                                    error_out);
    }
    if (status == GROVE_OK) {
        uint64_t bytes_before = change->meta.batch_bytes + change->meta.snapshot_bytes;
        remove_batches(change, document, &pieces, floor, result);
        change->set.frees_space = true;
        if (floor > source->meta.base_clock) {
            grove__write_set_expect_pins(&change->set, grove__handle_name(document->id),
                                         floor);
        }
        status = grove__document_put_snapshot(source, txn, change, events, floor,
                                              grove_buffer_view(snapshot), error_out);
        uint64_t bytes_kept =
            change->meta.batch_bytes + change->meta.snapshot_bytes - snapshot->size;
        result->removed_bytes = bytes_before - grove__min_u64(bytes_before, bytes_kept);
        result->snapshot_clock = events;
    }
    grove_buffer_release(&pieces);
    return status;
}

/* One attempt, from `txn`, which it ends. */
static grove_status compact_once(grove_document *document, grove__txn *txn,
                                 uint64_t window, grove_compact_result *result,
                                 grove_error *error_out)
{
    grove_document *copy = NULL;
    grove_status status = GROVE_OK;
    if (document->unsaved.count == 0) {
        status = grove__document_take_in(document, txn, error_out);
    } else {
        status = grove__document_open_stored(document, txn, &copy, error_out);
    }
    if (status != GROVE_OK) {
        grove__txn_abort(txn);
        return status;
    }
    grove__change change;
    grove_buffer snapshot;
    grove__change_init(&change, document);
    grove_buffer_init(&snapshot, document->allocator);
    status = prepare(document, copy != NULL ? copy : document, txn, window, &change,
                     &snapshot, result, error_out);
    grove__txn_abort(txn);
    if (status == GROVE_OK) {
        status = grove__change_commit(&change, document, NULL, NULL, error_out);
    }
    if (status == GROVE_OK && copy == NULL) {
        document->tail_operations = 0;
        document->tail_batches = 0;
        document->tail_bytes = 0;
        document->damaged_snapshots = 0;
        document->wants_snapshot = false;
    }
    grove_buffer_release(&snapshot);
    grove__change_release(&change);
    grove_document_close(copy);
    return status;
}

grove_status grove_document_compact(grove_document *document,
                                    const grove_compact_options *options,
                                    grove_compact_result *result_out,
                                    grove_error *error_out)
{
    grove_status status = grove__document_check_live(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_compact_options complete = GROVE_COMPACT_OPTIONS_INIT;
    if (options != NULL && options->size == sizeof complete) {
        complete = *options;
    } else if (options != NULL) {
        return grove__fail(error_out, GROVE_INVALID,
                           "grove_compact_options: initialize it with "
                           "GROVE_COMPACT_OPTIONS_INIT");
    }
    status = GROVE_CONFLICT;
    grove_compact_result result;
    for (int attempts = 0; status == GROVE_CONFLICT; attempts++) {
        if (attempts == ATTEMPTS_MAX) {
            return grove__fail(error_out, GROVE_BUSY,
                               "others changed the document before each of %d attempts",
                               ATTEMPTS_MAX);
        }
        grove__txn txn;
        memset(&result, 0, sizeof result);
        status = grove__document_begin_change(document, &txn, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        status = compact_once(document, &txn, complete.window_events, &result, error_out);
    }
    if (status == GROVE_OK && result_out != NULL) {
        *result_out = result;
    }
    return status;
}
