/*
 * Taking in an export: its events are placed one run after the other, those
 * without a place wait, and the new ones are merged together at the end.
 */
#include "base/alloc.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"
#include "document/exchange.h"
#include "document/pending.h"

typedef struct import_work {
    grove__exchange exchange;
    grove_document *document;
    grove__txn *txn;
    grove__addition *adding;
    grove_import_result result;
    uint64_t decoded; /* events of batches so far */
} import_work;

grove_status grove__exchange_fault(const grove__exchange_item *item, grove_status status,
                                   grove_error *error_out)
{
    if (status != GROVE_CORRUPT && status != GROVE_INVALID) {
        return status;
    }
    if (error_out != NULL) {
        error_out->status = GROVE_MALFORMED;
        error_out->offset += item->offset;
    }
    return GROVE_MALFORMED;
}

static grove_status fail(uint64_t offset, const char *fault, grove_error *error_out)
{
    return grove__fail_at(error_out, GROVE_MALFORMED, offset,
                          "an export %s, at byte %llu", fault,
                          (unsigned long long)offset);
}

grove_status grove__exchange_decode(const grove__exchange *exchange,
                                    const grove__exchange_item *item,
                                    grove__events *events, grove_error *error_out)
{
    grove__block block;
    grove__batch_header header;
    grove_status status = grove__batch_open(item->payload, &block, &header, error_out);
    if (status == GROVE_OK) {
        block.packer = &exchange->document->packer;
        status = grove__batch_decode(&block, exchange->document->type, GROVE__DECODE_ALL,
                                     events, error_out);
    }
    return grove__exchange_fault(item, status, error_out);
}

/* --- taking apart --- */

static grove_status check_header(const import_work *work, grove_error *error_out)
{
    const grove__exchange_header *header = &work->exchange.header;
    const grove_document_type *type = work->document->type;
    if (strcmp(header->type_name, type->name) != 0) {
        return grove__fail(
            error_out, GROVE_INVALID,
            "the export is of a document of type %s, this one is of type %s",
            header->type_name, type->name);
    }
    if (header->type_format > type->format) {
        return grove__fail(error_out, GROVE_FORMAT_NEWER,
                           "the export has format %u of type %s, this program knows up "
                           "to %u",
                           (unsigned)header->type_format, type->name,
                           (unsigned)type->format);
    }
    return GROVE_OK;
}

/* Takes an item; they come in a fixed order, of which `*stage` is reached. */
static grove_status take_item(grove__exchange *exchange, const grove__exchange_item *item,
                              grove__exchange_kind *stage, grove_error *error_out)
{
    bool fits = false;
    switch (item->kind) {
    case GROVE__EXCHANGE_IDS:
        fits = *stage == GROVE__EXCHANGE_END;
        exchange->ids = *item;
        break;
    case GROVE__EXCHANGE_SNAPSHOT:
        fits = *stage == GROVE__EXCHANGE_IDS;
        exchange->snapshot = *item;
        exchange->has_snapshot = true;
        break;
    case GROVE__EXCHANGE_BATCH:
        fits = *stage != GROVE__EXCHANGE_IDS;
        grove_buffer_append(&exchange->batches, item, sizeof *item);
        break;
    case GROVE__EXCHANGE_END:
        fits = *stage != GROVE__EXCHANGE_IDS;
        break;
    default:
        break;
    }
    if (!fits) {
        return fail(item->offset, "has its items in another order", error_out);
    }
    *stage = item->kind;
    return exchange->batches.failed ? grove__fail_memory(error_out) : GROVE_OK;
}

static grove_status take_apart(import_work *work, grove_bytes bytes,
                               grove_error *error_out)
{
    grove__exchange *exchange = &work->exchange;
    grove_reader reader = grove_reader_of(bytes);
    grove_status status =
        grove__exchange_header_decode(&reader, &exchange->header, error_out);
    if (status == GROVE_OK) {
        status = check_header(work, error_out);
    }
    /* Before the first item the stage is the kind that never comes before. */
    grove__exchange_kind stage = GROVE__EXCHANGE_END;
    grove__exchange_item item = {GROVE__EXCHANGE_IDS, {NULL, 0}, 0};
    do {
        if (status == GROVE_OK) {
            status = grove__exchange_item_decode(&reader, &item, error_out);
        }
        if (status == GROVE_OK) {
            status = take_item(exchange, &item, &stage, error_out);
        }
    } while (status == GROVE_OK && item.kind != GROVE__EXCHANGE_END);
    if (status == GROVE_OK) {
        status = grove__exchange_end_decode(&item, &exchange->events, error_out);
    }
    if (status == GROVE_OK && exchange->has_snapshot) {
        status = grove__exchange_ids_decode(&exchange->ids, work->document->allocator,
                                            &exchange->replicas, &exchange->runs,
                                            &exchange->removed, error_out);
    }
    return status;
}

/* --- adopting --- */

grove_status grove__exchange_removed(const grove__exchange *exchange,
                                     grove__vector *vector, grove_error *error_out)
{
    const grove_replica *replicas =
        (const grove_replica *)(const void *)exchange->replicas.data;
    const grove__exchange_run *runs =
        (const grove__exchange_run *)(const void *)exchange->runs.data;
    for (size_t index = 0; index < exchange->runs.size / sizeof *runs; index++) {
        const grove__exchange_run *run = &runs[index];
        if (!grove__vector_raise(vector, &replicas[run->replica],
                                 run->sequence + run->count)) {
            return grove__fail_memory(error_out);
        }
    }
    return GROVE_OK;
}

/* Whether all events whose history was removed there are known here. */
static grove_status knows_removed(import_work *work, bool *knows_out,
                                  grove_error *error_out)
{
    const grove__exchange *exchange = &work->exchange;
    const grove_replica *replicas =
        (const grove_replica *)(const void *)exchange->replicas.data;
    const grove__exchange_run *runs =
        (const grove__exchange_run *)(const void *)exchange->runs.data;
    *knows_out = true;
    for (size_t index = 0; *knows_out && index < exchange->runs.size / sizeof *runs;
         index++) {
        uint64_t clock;
        grove_status status = grove__document_find(
            work->document, work->txn, &replicas[runs[index].replica],
            runs[index].sequence + runs[index].count - 1, &clock, error_out);
        if (status != GROVE_OK && status != GROVE_NONE) {
            return status;
        }
        *knows_out = status == GROVE_OK;
    }
    return GROVE_OK;
}

/* Makes an empty vector that of all that the export has. */
static grove_status find_theirs(const grove__exchange *exchange, grove__vector *theirs,
                                grove_error *error_out)
{
    const grove__exchange_item *batches =
        (const grove__exchange_item *)(const void *)exchange->batches.data;
    grove__events events;
    grove__events_init(&events, exchange->document->allocator);
    grove_status status = grove__exchange_removed(exchange, theirs, error_out);
    for (size_t index = 0;
         status == GROVE_OK && index < exchange->batches.size / sizeof *batches;
         index++) {
        status = grove__exchange_decode(exchange, &batches[index], &events, error_out);
        if (status == GROVE_OK && !grove__vector_raise_all(theirs, &events)) {
            status = grove__fail_memory(error_out);
        }
    }
    grove__events_release(&events);
    return status;
}

/* Whether the export has all events that are known here. */
static grove_status is_dominated(import_work *work, bool *dominated_out,
                                 grove_error *error_out)
{
    grove_document *document = work->document;
    grove__vector theirs;
    grove__vector_init(&theirs, document->allocator);
    grove_status status = grove__document_vector(document, work->txn, error_out);
    if (status == GROVE_OK) {
        status = find_theirs(&work->exchange, &theirs, error_out);
    }
    grove_version_vector ours = grove__vector_view(&document->vector);
    *dominated_out = true;
    for (size_t index = 0; status == GROVE_OK && *dominated_out && index < ours.count;
         index++) {
        const grove_event_id *entry = &ours.entries[index];
        *dominated_out = grove__vector_next(&theirs, &entry->replica) >= entry->sequence;
    }
    grove__vector_release(&theirs);
    return status;
}

/* Whether the export is to replace what is here. */
static grove_status choose(import_work *work, bool *adopts_out, grove_error *error_out)
{
    grove_document *document = work->document;
    bool knows = true;
    bool is_dominated_here = false;
    *adopts_out = false;
    if (!work->exchange.has_snapshot) {
        return GROVE_OK;
    }
    grove_status status = knows_removed(work, &knows, error_out);
    if (status == GROVE_OK && !knows) {
        status = is_dominated(work, &is_dominated_here, error_out);
    }
    if (status != GROVE_OK || knows || !is_dominated_here) {
        return status;
    }
    if (document->unsaved.count > 0) {
        return grove__fail(error_out, GROVE_CONFLICT,
                           "the export replaces the document, which has unsaved events: "
                           "save or close it first");
    }
    *adopts_out = true;
    return GROVE_OK;
}

/* --- adding --- */

/* Places a run, or lets it wait. */
static grove_status add_run(import_work *work, const grove__exchange_item *item,
                            const grove_event_run *run, grove_error *error_out)
{
    grove__addition *adding = work->adding;
    grove__frontier parents = {NULL, 0};
    grove_status status = grove__addition_begin(adding, run, error_out);
    if (status != GROVE_OK) {
        return grove__exchange_fault(item, status, error_out);
    }
    status = grove__addition_drop_known(adding, error_out);
    if (status == GROVE_DUPLICATE) {
        work->result.known += run->operation.count;
        return GROVE_OK;
    }
    if (status != GROVE_OK) {
        return status;
    }
    work->result.known += run->operation.count - adding->run.operation.count;
    status = grove__addition_place(adding, &parents, error_out);
    if (status == GROVE_OK) {
        return grove__document_append(work->document, &adding->run, parents, error_out);
    }
    if (adding->waits || status == GROVE_HISTORY_REMOVED) {
        uint64_t known = 0;
        status = grove__pending_add(work->document, &adding->run,
                                    status == GROVE_HISTORY_REMOVED, &known, error_out);
        work->result.known += known;
        return status;
    }
    return grove__exchange_fault(item, status, error_out);
}

static grove_status add_batch(import_work *work, const grove__exchange_item *item,
                              grove__events *events, grove_error *error_out)
{
    grove_status status =
        grove__exchange_decode(&work->exchange, item, events, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    work->decoded += events->count;
    grove__events_cursor cursor;
    grove_event_run run;
    grove__events_cursor_init(&cursor, events, work->document->type, work->adding->given);
    while (status == GROVE_OK && grove__events_cursor_next(&cursor, &run)) {
        status = add_run(work, item, &run, error_out);
    }
    return status;
}

static grove_status add_batches(import_work *work, grove_error *error_out)
{
    const grove__exchange_item *batches =
        (const grove__exchange_item *)(const void *)work->exchange.batches.data;
    grove__events events;
    grove__events_init(&events, work->document->allocator);
    grove_status status = GROVE_OK;
    for (size_t index = 0;
         status == GROVE_OK && index < work->exchange.batches.size / sizeof *batches;
         index++) {
        status = add_batch(work, &batches[index], &events, error_out);
    }
    if (status == GROVE_OK && work->decoded != work->exchange.events) {
        status = fail(0, "has another number of events than its end says", error_out);
    }
    grove__events_release(&events);
    return status;
}

/* Counts what waits of the items from number `first` on. */
static void count_waiting(import_work *work, size_t first)
{
    const grove__pending *pending = &work->document->pending;
    const grove__pending_item *items =
        (const grove__pending_item *)(const void *)pending->items.data;
    for (size_t index = first; index < pending->items.size / sizeof *items; index++) {
        work->result.waiting += items[index].is_gone ? 0 : items[index].count;
        work->result.aside +=
            items[index].is_gone || !items[index].is_aside ? 0 : items[index].count;
    }
}

/* Adds all events, and those that waited for them if it `places` these, and
 * merges the new ones. */
static grove_status add_and_merge(import_work *work, uint64_t from, bool places,
                                  bool *were_placed_out, grove_error *error_out)
{
    grove_document *document = work->document;
    work->adding->own = from;
    work->adding->known.events = NULL;
    work->adding->known.steps = 0;
    work->decoded = 0;
    work->result = (grove_import_result){.events = 0};
    *were_placed_out = false;
    grove_status status = add_batches(work, error_out);
    uint64_t end = document->graph.end;
    if (status == GROVE_OK && places) {
        /* Those that waited may be known twice. */
        work->adding->own = UINT64_MAX;
        status = grove__pending_place(document, work->adding, error_out);
        *were_placed_out = document->graph.end > end;
    }
    if (status == GROVE_OK && document->graph.end > from) {
        status = grove__document_take_unsaved(document, work->txn, from, error_out);
    }
    return status;
}

/* Adds all events and merges them; or takes everything back. */
static grove_status merge_all(import_work *work, grove_error *error_out)
{
    grove_document *document = work->document;
    grove__pending_mark waiting;
    grove_status status = grove__pending_load(document, work->txn, error_out);
    if (status == GROVE_OK) {
        status = grove__pending_mark_of(document, &waiting, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove__document_mark mark = grove__document_mark_of(document);
    bool were_placed = false;
    status = add_and_merge(work, mark.end, true, &were_placed, error_out);
    if (were_placed && (status == GROVE_MALFORMED || status == GROVE_LIMIT)) {
        /* What waited may be what does not fit: it goes on waiting. */
        grove__document_rewind(document, &mark);
        grove__pending_rewind(document, &waiting);
        status = add_and_merge(work, mark.end, false, &were_placed, error_out);
    }
    if (status == GROVE_OK) {
        work->result.events = document->graph.end - mark.end;
        count_waiting(work, waiting.items.size / sizeof(grove__pending_item));
        document->made_last = document->made_last && work->result.events == 0;
    } else {
        grove__document_rewind(document, &mark);
        grove__pending_rewind(document, &waiting);
    }
    grove__pending_mark_release(&waiting);
    return status;
}

static grove_status import_bytes(import_work *work, grove_bytes bytes,
                                 grove_error *error_out)
{
    grove_document *document = work->document;
    bool adopts = false;
    grove_status status = take_apart(work, bytes, error_out);
    if (status == GROVE_OK) {
        status = grove__document_look_again(document, work->txn, error_out);
    }
    if (status == GROVE_OK) {
        /* What others saved comes first, so that it is known. */
        status = grove__document_take_in(document, work->txn, error_out);
    }
    if (status == GROVE_OK) {
        status = choose(work, &adopts, error_out);
    }
    if (status == GROVE_OK && adopts) {
        status = grove__document_adopt(&work->exchange, error_out);
        work->result.adopted = status == GROVE_OK;
        work->result.events = work->exchange.removed + work->exchange.events;
    } else if (status == GROVE_OK) {
        status = merge_all(work, error_out);
    }
    return status;
}

grove_status grove_document_import(grove_document *document, grove_bytes bytes,
                                   grove_import_result *result_out,
                                   grove_error *error_out)
{
    grove_status status = grove__document_check_live(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__txn txn;
    import_work work = {.exchange = {.document = document, .txn = &txn},
                        .document = document,
                        .txn = &txn};
    work.adding = grove__addition_new(document, &txn);
    if (work.adding == NULL) {
        return grove__fail_memory(error_out);
    }
    work.adding->is_import = true;
    grove_buffer_init(&work.exchange.batches, document->allocator);
    grove_buffer_init(&work.exchange.replicas, document->allocator);
    grove_buffer_init(&work.exchange.runs, document->allocator);
    status = grove__txn_begin(&document->store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status == GROVE_OK) {
        status = import_bytes(&work, bytes, error_out);
        grove__txn_abort(&txn);
    }
    grove_buffer_release(&work.exchange.runs);
    grove_buffer_release(&work.exchange.replicas);
    grove_buffer_release(&work.exchange.batches);
    grove__addition_free(work.adding);
    if (status == GROVE_OK && result_out != NULL) {
        *result_out = work.result;
    }
    return status;
}

grove_status grove_document_pending(grove_document *document, uint64_t *events_out,
                                    uint64_t *aside_out, grove_error *error_out)
{
    grove_status status = grove__document_check_live(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__txn txn;
    status = grove__txn_begin(&document->store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    uint64_t aside = 0;
    grove__addition *adding = grove__addition_new(document, &txn);
    status = adding == NULL ? grove__fail_memory(error_out)
                            : grove__document_look(document, &txn, error_out);
    if (status == GROVE_OK) {
        status = grove__pending_load(document, &txn, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__pending_count_aside(document, adding, &aside, error_out);
    }
    grove__addition_free(adding);
    grove__txn_abort(&txn);
    if (status != GROVE_OK) {
        return status;
    }
    *events_out = document->pending.events;
    if (aside_out != NULL) {
        *aside_out = aside;
    }
    return GROVE_OK;
}
