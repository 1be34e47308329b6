/*
 * Adopting an export: what is stored of the document becomes what it was where
 * it was exported, snapshot, retained events, clocks and all.
 *
 * Everything is verified first on a handle of its own, the draft, that is never
 * stored: its graph takes the retained events, whose heads at the snapshot's
 * clock must be the snapshot's, and its state, the snapshot, takes those after.
 */
#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "document/change.h"
#include "document/exchange.h"
#include "document/stamps.h"

typedef struct adopt_work {
    grove__exchange *exchange;
    grove_document *document;
    grove_document *draft;
    grove__snapshot_header snapshot;
    grove_buffer heads;  /* grove__head records of the snapshot */
    grove_buffer stored; /* the snapshot, for this store */
    grove__events all;   /* the retained events */
    grove_buffer block;  /* their batch, for this store */
    uint64_t base;
    uint64_t end;
} adopt_work;

static grove_status fail(const char *fault, grove_error *error_out)
{
    return grove__fail(error_out, GROVE_MALFORMED, "an export %s", fault);
}

static const grove_replica *replicas_of(const adopt_work *work)
{
    return (const grove_replica *)(const void *)work->exchange->replicas.data;
}

static const grove__exchange_run *runs_of(const adopt_work *work, size_t *count_out)
{
    *count_out = work->exchange->runs.size / sizeof(grove__exchange_run);
    return (const grove__exchange_run *)(const void *)work->exchange->runs.data;
}

/* --- verifying --- */

/* The state of the snapshot becomes the draft's. */
static grove_status read_snapshot(adopt_work *work, grove_error *error_out)
{
    const grove__exchange_item *item = &work->exchange->snapshot;
    const grove_document_type *type = work->document->type;
    grove__block block;
    grove_status status = grove__snapshot_open(item->payload, &block, &work->snapshot,
                                               &work->heads, error_out);
    if (status != GROVE_OK) {
        return grove__exchange_fault(item, status, error_out);
    }
    if (work->snapshot.clock < work->base || work->snapshot.clock > work->end ||
        work->base == 0) {
        return fail("has a snapshot that its events do not lead to", error_out);
    }
    if (work->snapshot.type_format > type->format) {
        return grove__fail(error_out, GROVE_FORMAT_NEWER,
                           "the snapshot has a later format of type %s", type->name);
    }
    block.packer = &work->document->packer;
    grove_buffer structure;
    grove_buffer content;
    grove_type_frames frames = {{NULL, 0}, {NULL, 0}, false};
    grove_buffer_init(&structure, work->document->allocator);
    grove_buffer_init(&content, work->document->allocator);
    status = grove__block_frame_view(&block, GROVE__SNAPSHOT_FRAME_STRUCTURE, &structure,
                                     &frames.structure, error_out);
    if (status == GROVE_OK) {
        status = grove__block_frame_view(&block, GROVE__SNAPSHOT_FRAME_CONTENT, &content,
                                         &frames.content, error_out);
    }
    if (status == GROVE_OK && type->timed != NULL) {
        status = grove__snapshot_times(&block, work->document->allocator,
                                       (grove__head *)(void *)work->heads.data,
                                       work->snapshot.head_count, error_out);
    }
    if (status == GROVE_OK) {
        status = type->state_decode(type, work->document->allocator, frames,
                                    &work->draft->state, error_out);
    }
    if (status == GROVE_OK) {
        /* Without the state of a merge, which nobody could verify. */
        grove__snapshot_frames kept = {frames.structure, frames.content, {NULL, 0}};
        grove__packing packing = grove__batch_packing_usual();
        packing.packer = &work->document->packer;
        status = grove__snapshot_encode(
            &work->snapshot, (const grove__head *)(const void *)work->heads.data, &kept,
            packing, &work->stored, error_out);
    }
    grove_buffer_release(&structure);
    grove_buffer_release(&content);
    return grove__exchange_fault(item, status, error_out);
}

/* Whether the sequences of the events go on without gaps. */
static grove_status check_gaps(const adopt_work *work, grove_error *error_out)
{
    const grove__events *all = &work->all;
    grove__vector known;
    grove__vector_init(&known, work->document->allocator);
    grove_status status = grove__exchange_removed(work->exchange, &known, error_out);
    for (size_t index = 0; status == GROVE_OK && index < all->id_run_count; index++) {
        const grove__id_run *run = &all->id_runs[index];
        const grove_replica *replica = &all->replicas[run->replica];
        if (run->sequence != grove__vector_next(&known, replica)) {
            status = fail("has events whose sequences do not go on", error_out);
        } else if (!grove__vector_raise(&known, replica, run->sequence + run->count)) {
            status = grove__fail_memory(error_out);
        }
    }
    grove__vector_release(&known);
    return status;
}

/* Whether replicas are named once, and sequences go on without gaps. */
static grove_status check_sequences(const adopt_work *work, grove_error *error_out)
{
    size_t removed = work->exchange->replicas.size / sizeof(grove_replica);
    size_t run_count;
    const grove__exchange_run *runs = runs_of(work, &run_count);
    grove__ids *ids = &work->draft->graph.ids;
    for (size_t index = 0; index < removed; index++) {
        /* The draft's graph has nothing but the base's head yet, of the last
         * run's replica. */
        uint32_t number;
        size_t before = ids->replica_count;
        grove_status status =
            grove__ids_intern(ids, &replicas_of(work)[index], &number, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        if (ids->replica_count == before && index != runs[run_count - 1].replica) {
            return fail("names a replica twice", error_out);
        }
    }
    return check_gaps(work, error_out);
}

/* Begins the draft's graph at the last event that was removed. */
static grove_status begin_graph(adopt_work *work, grove_error *error_out)
{
    size_t count;
    const grove__exchange_run *runs = runs_of(work, &count);
    const grove__exchange_run *last = &runs[count - 1];
    grove__head head;
    memset(&head, 0, sizeof head);
    head.clock = work->base - 1;
    head.id.replica = replicas_of(work)[last->replica];
    head.id.sequence = last->sequence + last->count - 1;
    grove_document *draft = work->draft;
    if (grove__document_is_timed(draft)) {
        const grove__head *heads = (const grove__head *)(const void *)work->heads.data;
        head.time = work->snapshot.clock == work->base
                        ? heads[work->snapshot.head_count - 1].time
                        : grove__stamps_said(&work->all, &head.id);
        if (head.time == 0) {
            return fail("has events that do not go on from those without history",
                        error_out);
        }
    }
    grove_status status = grove__graph_init(&draft->graph, draft->allocator, work->base,
                                            &head, 1, error_out);
    if (status == GROVE_OK) {
        grove__walk_init(&draft->walk, &draft->graph);
    }
    return status;
}

/* Whether the heads of the draft's graph are the snapshot's. */
static bool heads_agree(const adopt_work *work)
{
    grove__graph *graph = &work->draft->graph;
    grove__frontier heads = grove__graph_heads(graph);
    const grove__head *given = (const grove__head *)(const void *)work->heads.data;
    bool agree = heads.count == work->heads.size / sizeof *given;
    for (size_t index = 0; agree && index < heads.count; index++) {
        grove__id_span span;
        agree = heads.clocks[index] == given[index].clock &&
                grove__graph_time(graph, given[index].clock) == given[index].time &&
                grove__ids_at(&graph->ids, heads.clocks[index], &span) &&
                span.sequence == given[index].id.sequence &&
                grove__replica_equal(grove__ids_name(&graph->ids, span.replica),
                                     &given[index].id.replica);
    }
    return agree;
}

/* The graph takes all events, the state those after the snapshot. */
static grove_status replay(adopt_work *work, grove_error *error_out)
{
    grove_document *draft = work->draft;
    uint32_t known = (uint32_t)(work->snapshot.clock - work->base);
    grove__list_part before = {&work->all, work->base, 0, known};
    grove__list_part after = {&work->all, work->base, known, work->all.count};
    grove_status status =
        grove__document_add_list(draft, work->exchange->txn, &before, error_out);
    if (status == GROVE_OK && !heads_agree(work)) {
        status =
            fail("has a snapshot of another version than its events make", error_out);
    }
    if (status == GROVE_OK) {
        status = grove__document_add_list(draft, work->exchange->txn, &after, error_out);
    }
    if (status == GROVE_OK && after.from < after.end) {
        status = grove__document_apply_list(draft, work->exchange->txn, &after,
                                            UINT64_MAX, GROVE_MALFORMED, error_out);
    }
    return status == GROVE_CORRUPT || status == GROVE_HISTORY_REMOVED
               ? fail("has events that contradict each other", error_out)
               : status;
}

static grove_status read_batches(adopt_work *work, grove_error *error_out)
{
    grove__exchange *exchange = work->exchange;
    const grove__exchange_item *items =
        (const grove__exchange_item *)(const void *)exchange->batches.data;
    grove__events events;
    grove__events_init(&events, work->document->allocator);
    grove_status status = GROVE_OK;
    for (size_t index = 0;
         status == GROVE_OK && index < exchange->batches.size / sizeof *items; index++) {
        status = grove__exchange_decode(exchange, &items[index], &events, error_out);
        if (status == GROVE_OK) {
            status = grove__exchange_fault(
                &items[index],
                grove__events_append_list(&work->all, work->document->type, &events, 0,
                                          events.count, error_out),
                error_out);
        }
    }
    grove__events_release(&events);
    if (status == GROVE_OK && work->all.count != exchange->events) {
        status = fail("has another number of events than its end says", error_out);
    }
    return status;
}

static grove_status verify(adopt_work *work, grove_error *error_out)
{
    grove_status status = read_batches(work, error_out);
    if (status == GROVE_OK) {
        status = read_snapshot(work, error_out);
    }
    if (status == GROVE_OK) {
        status = begin_graph(work, error_out);
    }
    if (status == GROVE_OK) {
        work->draft->stored = work->base;
        work->draft->meta.base_clock = work->base;
        work->draft->meta.events = work->end;
        status = check_sequences(work, error_out);
    }
    return status == GROVE_OK ? replay(work, error_out) : status;
}

/* --- storing --- */

/* The retained events as one batch of this store. */
static grove_status encode_events(adopt_work *work, grove_error *error_out)
{
    if (work->all.count == 0) {
        return GROVE_OK;
    }
    uint64_t reach;
    grove__packing packing = grove__batch_packing_usual();
    packing.packer = &work->document->packer;
    grove_status status = grove__document_reach(
        work->draft, work->exchange->txn, &work->all, work->base, &reach, error_out);
    if (status == GROVE_OK) {
        status = grove__batch_encode(&work->all, work->document->type, reach, packing,
                                     &work->block, error_out);
    }
    if (status == GROVE_OK) {
        grove__batch_place(work->block.data, work->base);
    }
    return status;
}

static void put_run(adopt_work *work, grove__change *change, const grove_replica *replica,
                    uint64_t sequence, grove__run_record run)
{
    uint8_t record[GROVE__RUN_RECORD_BYTES];
    grove__key key;
    grove__run_record_encode(&run, record);
    grove__key_of_event(&key, work->document->id, replica, sequence);
    grove__write_set_put(&change->set, GROVE__TABLE_REPLICAS, grove__key_view(&key),
                         (grove_bytes){record, sizeof record});
}

static void put_runs(adopt_work *work, grove__change *change)
{
    size_t count;
    const grove__exchange_run *runs = runs_of(work, &count);
    uint64_t clock = 0;
    for (size_t index = 0; index < count; index++) {
        put_run(work, change, &replicas_of(work)[runs[index].replica],
                runs[index].sequence, (grove__run_record){clock, runs[index].count});
        clock += runs[index].count;
    }
    for (size_t index = 0; index < work->all.id_run_count; index++) {
        const grove__id_run *run = &work->all.id_runs[index];
        put_run(work, change, &work->all.replicas[run->replica], run->sequence,
                (grove__run_record){clock, run->count});
        clock += run->count;
    }
}

static grove_status store(adopt_work *work, grove_error *error_out)
{
    static const grove__table TABLES[] = {GROVE__TABLE_EVENTS, GROVE__TABLE_SNAPSHOTS,
                                          GROVE__TABLE_REPLICAS, GROVE__TABLE_PENDING,
                                          GROVE__TABLE_CLOCKS};
    grove_document *document = work->document;
    grove__change change;
    grove__key key;
    grove__key_of_document(&key, document->id);
    grove__change_init(&change, document);
    for (size_t index = 0; index < sizeof TABLES / sizeof *TABLES; index++) {
        grove__write_set_remove(&change.set, TABLES[index], grove__key_view(&key));
    }
    grove__meta_record meta = {.type_format = document->type->format,
                               .revision = change.meta.revision,
                               .events = work->end,
                               .base_clock = work->base};
    memcpy(meta.type_name, document->type->name, strlen(document->type->name));
    grove_status status = grove__store_random(document->store, &meta.incarnation,
                                              sizeof meta.incarnation, error_out);
    change.meta = meta;
    grove__change_put_snapshot(&change, document, work->snapshot.clock,
                               grove_buffer_view(&work->stored));
    if (work->block.size > 0) {
        grove__change_put_batch(&change, document, work->base,
                                grove_buffer_view(&work->block));
    }
    put_runs(work, &change);
    grove__write_set_touch(
        &change.set, &(grove__touch){GROVE__TOUCH_DOCUMENT, document->id, 0, work->end});
    if (status == GROVE_OK) {
        status = grove__change_commit(&change, document, NULL, NULL, error_out);
    }
    grove__change_release(&change);
    return status;
}

/* Loads into the handle what was stored. */
static grove_status reload(adopt_work *work, grove_error *error_out)
{
    grove_document *document = work->document;
    void (*on_edit)(grove_document *, const grove_operation *) = document->merge.on_edit;
    grove__document_unload(document);
    /* Who listens is told of the whole, when it is there. */
    document->merge.on_edit = NULL;
    grove__txn txn;
    grove_status status =
        grove__txn_begin(&document->store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status == GROVE_OK) {
        status = grove__document_fill(document, &txn, true, UINT64_MAX, error_out);
        grove__txn_abort(&txn);
    }
    document->merge.on_edit = on_edit;
    document->failed = status != GROVE_OK;
    if (status == GROVE_OK) {
        grove__document_hold(document);
    }
    return status;
}

grove_status grove__document_adopt(grove__exchange *exchange, grove_error *error_out)
{
    grove_document *document = exchange->document;
    adopt_work work = {.exchange = exchange,
                       .document = document,
                       .base = exchange->removed,
                       .end = exchange->removed + exchange->events};
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = document->type;
    if (exchange->events > GROVE_DOCUMENT_EVENTS_MAX - exchange->removed) {
        return fail("has more events than a document can have", error_out);
    }
    grove_status status = grove__document_new(document->store, document->id, &options,
                                              &work.draft, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_buffer_init(&work.heads, document->allocator);
    grove_buffer_init(&work.stored, document->allocator);
    grove_buffer_init(&work.block, document->allocator);
    grove__events_init(&work.all, document->allocator);
    status = verify(&work, error_out);
    if (status == GROVE_OK) {
        status = encode_events(&work, error_out);
    }
    if (status == GROVE_OK) {
        status = store(&work, error_out);
    }
    uint64_t replaced = grove__text_points(document);
    if (status == GROVE_OK) {
        status = reload(&work, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__text_report_all(document, replaced, error_out);
    }
    grove__events_release(&work.all);
    grove_buffer_release(&work.block);
    grove_buffer_release(&work.stored);
    grove_buffer_release(&work.heads);
    grove_document_close(work.draft);
    return status;
}
