/*
 * Taking in what others saved before what is unsaved here.
 *
 *         before                             after
 *     ----|----------------|        ----|------------|----------|
 *         | unsaved: O, D               | missing:   | unsaved: O
 *                                       | D, N
 *
 * N: what is new here; O: what only this handle has; D: what both have, as
 * when two handles of a store were given what one peer sent. The state has O
 * and D already and takes N.
 */
#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"
#include "document/addition.h"

/* What of the tail was read. */
typedef struct tail_part {
    uint64_t batches, bytes;
} tail_part;

/* Appends the stored events that the handle lacks to a list. */
static grove_status read_missing(grove_document *document, grove__txn *txn,
                                 grove__events *missing, tail_part *read,
                                 grove_error *error_out)
{
    grove__batch_reader reader;
    grove__events events;
    grove__batch_reader_init(&reader, document->allocator);
    grove__events_init(&events, document->allocator);
    uint64_t clock = document->stored;
    grove_status status = GROVE_OK;
    while (status == GROVE_OK && clock < document->meta.events) {
        uint64_t first = 0;
        status = grove__batch_find(document, txn, clock, &first, error_out);
        if (status == GROVE_OK) {
            status = grove__batch_read(document, txn, first, &reader, error_out);
        }
        if (status == GROVE_OK) {
            status = grove__batch_decode(&reader.block, document->type, GROVE__DECODE_ALL,
                                         &events, error_out);
        }
        uint64_t end = first + events.count;
        if (status == GROVE_OK && (end <= clock || end > document->meta.events)) {
            status =
                grove__fail(error_out, GROVE_CORRUPT, "a batch is missing at clock %llu",
                            (unsigned long long)clock);
        }
        if (status == GROVE_OK) {
            status = grove__events_append_list(missing, document->type, &events,
                                               (uint32_t)(clock - first),
                                               (uint32_t)(end - clock), error_out);
        }
        if (status == GROVE_OK) {
            read->batches++;
            read->bytes += reader.bytes.size;
        }
        clock = end;
    }
    grove__events_release(&events);
    grove__batch_reader_release(&reader);
    return status;
}

/* --- what both have --- */

/*
 * Appends the events of a list that another one lacks. Of each replica both go
 * on from the same stored event, so the longer one has all of the shorter
 * one's.
 */
static grove_status append_lacking(const grove_document *document, grove__events *list,
                                   const grove__events *other, grove__events *lacking,
                                   grove_error *error_out)
{
    grove__vector known;
    grove__vector_init(&known, document->allocator);
    grove_status status =
        grove__vector_raise_all(&known, other)
            ? grove__vector_append_lacking(&known, document->type, list, 0, list->count,
                                           lacking, error_out)
            : grove__fail_memory(error_out);
    grove__vector_release(&known);
    return status;
}

/* Compares a run of the missing events, as far as unsaved ones have its ids,
 * with these. Those that were made here are nobody else's whatever they say. */
static grove_status compare_run(grove__addition *adding, const grove_event_run *run,
                                grove_error *error_out)
{
    const grove_document *document = adding->document;
    grove_status status = grove__addition_begin(adding, run, error_out);
    if (status == GROVE_OK) {
        status = grove__addition_drop_known(adding, error_out);
    }
    uint64_t known_end = run->first.sequence;
    if (status == GROVE_DUPLICATE) {
        known_end += run->operation.count;
    } else if (status == GROVE_OK) {
        known_end = adding->run.first.sequence;
    }
    if (status == GROVE_REPLICA_REUSED ||
        (known_end > document->made_first &&
         grove__replica_equal(&run->first.replica, &document->replica))) {
        return grove__fail(error_out, GROVE_REPLICA_REUSED,
                           "another writer saved events of a replica that has unsaved "
                           "ones here");
    }
    return status == GROVE_DUPLICATE ? GROVE_OK : status;
}

/* Nobody saved other events by the ids of unsaved ones. */
static grove_status compare_all(grove_document *document, grove__txn *txn,
                                grove__events *missing, grove_error *error_out)
{
    grove__events_cursor cursor;
    grove_event_run run;
    grove__addition *adding = grove__addition_new(document, txn);
    if (adding == NULL) {
        return grove__fail_memory(error_out);
    }
    grove_status status = GROVE_OK;
    grove__events_cursor_init(&cursor, missing, document->type, adding->given);
    while (status == GROVE_OK && grove__events_cursor_next(&cursor, &run)) {
        status = compare_run(adding, &run, error_out);
    }
    grove__addition_free(adding);
    return status;
}

/* --- into graph and state --- */

/* The usual case: nothing is in both. */
static grove_status insert_missing(grove_document *document, grove__txn *txn,
                                   grove__events *missing, grove_error *error_out)
{
    grove__graph old = document->graph;
    grove__graph anew;
    grove__list_part part = {missing, document->stored, 0, missing->count};
    grove_status status = grove__document_order_anew(
        document, txn, missing, &document->unsaved, &anew, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    document->graph = anew;
    status = grove__document_apply_list(document, txn, &part, UINT64_MAX, GROVE_CORRUPT,
                                        error_out);
    grove__graph_release(status == GROVE_OK ? &old : &document->graph);
    if (status != GROVE_OK) {
        document->graph = old;
        document->merge.is_warm = false;
    }
    return status;
}

/* With events that are in both, of which `rest` is what is left unsaved: what
 * is new comes after the unsaved ones into graph and state, like an import, and
 * then all get their order. */
static grove_status merge_shared(grove_document *document, grove__txn *txn,
                                 grove__events *missing, grove__events *rest,
                                 grove_error *error_out)
{
    grove__graph anew;
    grove_status status =
        grove__document_order_anew(document, txn, missing, rest, &anew, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__events *unsaved = &document->unsaved;
    grove__document_mark mark = grove__document_mark_of(document);
    grove__list_part part = {unsaved, document->stored, unsaved->count, unsaved->count};
    uint32_t shared = unsaved->count - rest->count;
    status = append_lacking(document, missing, unsaved, unsaved, error_out);
    if (status == GROVE_OK && unsaved->count - part.from != missing->count - shared) {
        status = grove__fail(error_out, GROVE_CORRUPT,
                             "stored events do not go on from those of their replicas");
    }
    if (status == GROVE_OK) {
        part.end = unsaved->count;
        status = grove__document_add_stored(document, txn, &part, error_out);
    }
    if (status == GROVE_OK && part.from < part.end) {
        status = grove__document_apply_list(document, txn, &part, UINT64_MAX,
                                            GROVE_CORRUPT, error_out);
    }
    if (status != GROVE_OK) {
        grove__graph_release(&anew);
        grove__document_rewind(document, &mark);
        return status;
    }
    grove__graph_release(&document->graph);
    document->graph = anew;
    document->merge.is_warm = false;
    grove__events all = *unsaved;
    *unsaved = *rest;
    *rest = all;
    return GROVE_OK;
}

static grove_status take_missing(grove_document *document, grove__txn *txn,
                                 grove__events *missing, grove__events *rest,
                                 grove_error *error_out)
{
    grove_status status =
        append_lacking(document, &document->unsaved, missing, rest, error_out);
    uint32_t shared = document->unsaved.count - rest->count;
    if (status == GROVE_OK && shared > 0) {
        status = compare_all(document, txn, missing, error_out);
    }
    if (status == GROVE_OK && missing->count > shared && rest->count > 0 &&
        !grove__document_merges(document)) {
        status =
            grove__fail(error_out, GROVE_UNSUPPORTED,
                        "others saved events that are concurrent with unsaved ones, and "
                        "documents of type %s cannot merge them",
                        document->type->name);
    }
    if (status != GROVE_OK) {
        return status;
    }
    return shared > 0 ? merge_shared(document, txn, missing, rest, error_out)
                      : insert_missing(document, txn, missing, error_out);
}

/* Takes in stored events before unsaved ones. */
static grove_status merge_stored(grove_document *document, grove__txn *txn,
                                 grove_error *error_out)
{
    tail_part read = {0, 0};
    grove__events missing;
    grove__events rest;
    grove__events_init(&missing, document->allocator);
    grove__events_init(&rest, document->allocator);
    grove_status status = read_missing(document, txn, &missing, &read, error_out);
    if (status == GROVE_OK) {
        status = take_missing(document, txn, &missing, &rest, error_out);
    }
    if (status == GROVE_OK) {
        document->stored = document->meta.events;
        document->tail_operations += missing.operations.size / sizeof(grove_operation);
        document->tail_batches += read.batches;
        document->tail_bytes += read.bytes;
        document->made_last = false;
        grove__document_find_reach(document);
    }
    grove__events_release(&missing);
    grove__events_release(&rest);
    return status;
}

grove_status grove__document_take_in(grove_document *document, grove__txn *txn,
                                     grove_error *error_out)
{
    if (document->stored == document->meta.events) {
        return GROVE_OK;
    }
    if (document->stored < document->meta.base_clock) {
        return grove__fail(error_out, GROVE_HISTORY_REMOVED,
                           "a compaction removed events that this handle lacks; load the "
                           "document anew");
    }
    grove_status status = document->unsaved.count == 0
                              ? grove__document_load_tail(document, txn, error_out)
                              : merge_stored(document, txn, error_out);
    grove__document_hold(document);
    document->pending.is_tried = false;
    /* Another handle may have gone on with this one's replica. */
    const grove__ids *ids = &document->graph.ids;
    uint32_t number = grove__ids_find_replica(ids, &document->replica);
    if (number != GROVE__INDEX_NONE) {
        document->next_sequence = grove__max_u64(document->next_sequence,
                                                 grove__ids_next_sequence(ids, number));
    }
    return status;
}
