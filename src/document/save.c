/*
 * Saving: the unsaved events become a batch, or the end of a batch that small
 * ones before it are rolled into; with them may come a snapshot.
 *
 * All of it is prepared from one read transaction and written by one change,
 * which goes through only if nothing else changed the document meanwhile; else
 * it is prepared anew.
 */
#include "base/assert.h"
#include "base/error.h"
#include "commit/options.h"
#include "document/pending.h"

/* How often a save is prepared anew when others write the same document. */
enum { ATTEMPTS_MAX = 16, SETTLE_FAN_OUT = 2 };
/* From this one on it is prepared inside the write transaction: turns are
 * handed round, so that of several who save one document all the others would
 * have their turn between our look at it and our own. */
enum { ATTEMPTS_OUTSIDE = 2 };

typedef struct save_attempt {
    grove_document *document;
    grove__change change;
    grove__events merged;  /* what is rolled up, with the unsaved events */
    grove_buffer block;    /* the batch */
    grove_buffer snapshot; /* its block; empty: none */
    grove_buffer runs;     /* grove__replica_run records by replica index */
    grove_buffer waiting;  /* blocks of events that wait */
    uint64_t batch_clock;
    size_t rolled; /* stored batches that the new one replaces */
} save_attempt;

static void attempt_init(save_attempt *attempt, grove_document *document)
{
    attempt->document = document;
    grove__change_init(&attempt->change, document);
    grove__events_init(&attempt->merged, document->allocator);
    grove_buffer_init(&attempt->block, document->allocator);
    grove_buffer_init(&attempt->snapshot, document->allocator);
    grove_buffer_init(&attempt->runs, document->allocator);
    grove_buffer_init(&attempt->waiting, document->allocator);
    attempt->batch_clock = document->stored;
    attempt->rolled = 0;
}

static void attempt_release(save_attempt *attempt)
{
    grove__change_release(&attempt->change);
    grove__events_release(&attempt->merged);
    grove_buffer_release(&attempt->block);
    grove_buffer_release(&attempt->snapshot);
    grove_buffer_release(&attempt->runs);
    grove_buffer_release(&attempt->waiting);
}

/* Makes `batches` true for the meta record the handle has. */
static grove_status know_batches(grove_document *document, grove__txn *txn,
                                 grove_error *error_out)
{
    grove__pieces *batches = &document->batches;
    if (batches->is_known && batches->revision == document->meta.revision) {
        return GROVE_OK;
    }
    batches->is_known = false;
    grove_buffer_reset(&batches->items);
    if (document->exists) {
        grove_status status =
            grove__pieces_read(document, txn, GROVE__TABLE_EVENTS, GROVE__PIECES_MAX,
                               &batches->items, error_out);
        if (status != GROVE_OK) {
            return status;
        }
    }
    batches->is_known = true;
    batches->revision = document->meta.revision;
    return GROVE_OK;
}

/*
 * How many stored batches are rolled into the new one. None from before the
 * newest snapshot, so that a load never decodes what the snapshot has; when a
 * snapshot is made now, all that came since the one before it. None that a
 * seal made.
 */
static size_t plan_rollup(const save_attempt *attempt, bool makes_snapshot)
{
    const grove_document *document = attempt->document;
    const grove__meta_record *meta = &document->meta;
    grove__piece pieces[GROVE__PIECES_MAX + 1];
    size_t count = document->batches.items.size / sizeof *pieces;
    GROVE_ASSERT(count <= GROVE__PIECES_MAX);
    if (count > 0) {
        memcpy(pieces, document->batches.items.data, count * sizeof *pieces);
    }
    pieces[count] = (grove__piece){
        .clock = document->stored,
        .events = document->unsaved.count,
        .bytes = document->unsaved.content.size,
    };
    count++;
    uint64_t newest =
        meta->snapshot_clock == GROVE__NO_SNAPSHOT ? 0 : meta->snapshot_clock;
    uint64_t first_clock =
        makes_snapshot || newest < meta->sealed_clock ? meta->sealed_clock : newest;
    size_t first = 0;
    size_t joined = 1;
    for (size_t index = 0; index < count; index++) {
        first += pieces[index].clock < first_clock ? 1 : 0;
    }
    grove__rollup_limits limits = grove__rollup_limits_usual();
    if (makes_snapshot) {
        limits.fan_out = SETTLE_FAN_OUT;
        while (joined < count - first && pieces[count - 1 - joined].clock >= newest) {
            joined++;
        }
    }
    size_t taken = grove__rollup_plan(pieces + first, count - first, joined, &limits);
    return taken == 0 ? 0 : taken - 1;
}

/* Appends the last `count` stored batches to `merged` and finds its reach. */
static grove_status merge_batches(save_attempt *attempt, grove__txn *txn, size_t count,
                                  uint64_t *reach_out, grove_error *error_out)
{
    grove_document *document = attempt->document;
    const grove_buffer *items = &document->batches.items;
    const grove__piece *pieces = (const grove__piece *)(const void *)items->data;
    size_t piece_count = items->size / sizeof *pieces;
    uint64_t first_clock = pieces[piece_count - count].clock;
    grove__batch_reader reader;
    grove__events events;
    grove__batch_reader_init(&reader, document->allocator);
    grove__events_init(&events, document->allocator);
    grove_status status = GROVE_OK;
    uint64_t reach = first_clock;
    for (size_t index = piece_count - count; status == GROVE_OK && index < piece_count;
         index++) {
        status =
            grove__batch_read(document, txn, pieces[index].clock, &reader, error_out);
        if (status == GROVE_OK) {
            /* Reaches that end inside the merged batch are no longer any. */
            reach = reader.header.reach < reach ? reader.header.reach : reach;
            status = grove__batch_decode(&reader.block, document->type, GROVE__DECODE_ALL,
                                         &events, error_out);
        }
        if (status == GROVE_OK) {
            status = grove__events_append_list(&attempt->merged, document->type, &events,
                                               0, events.count, error_out);
        }
    }
    grove__events_release(&events);
    grove__batch_reader_release(&reader);
    if (status == GROVE_OK) {
        attempt->rolled = count;
        attempt->batch_clock = first_clock;
        *reach_out = reach;
    }
    return status;
}

static grove_status prepare_batch(save_attempt *attempt, grove__txn *txn,
                                  bool makes_snapshot, grove_error *error_out)
{
    grove_document *document = attempt->document;
    grove__events *events = &document->unsaved;
    uint64_t reach;
    grove_status status =
        grove__document_reach(document, txn, events, document->stored, &reach, error_out);
    if (status == GROVE_OK) {
        status = grove__document_check_reach(document, reach, error_out);
    }
    if (status == GROVE_OK) {
        status = know_batches(document, txn, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    size_t count = plan_rollup(attempt, makes_snapshot);
    if (count > 0) {
        uint64_t merged_reach;
        status = merge_batches(attempt, txn, count, &merged_reach, error_out);
        if (status == GROVE_OK) {
            status = grove__events_append_list(&attempt->merged, document->type, events,
                                               0, events->count, error_out);
        }
        if (status == GROVE_CORRUPT) {
            /* A damaged batch is no reason to refuse new events. */
            attempt->rolled = 0;
            attempt->batch_clock = document->stored;
        } else if (status != GROVE_OK) {
            return status;
        } else {
            events = &attempt->merged;
            reach = reach < merged_reach ? reach : merged_reach;
        }
    }
    grove__packing packing = grove__batch_packing_usual();
    packing.level = document->level;
    packing.packer = &document->packer;
    status = grove__batch_encode(events, document->type, reach, packing, &attempt->block,
                                 error_out);
    if (status == GROVE_OK) {
        grove__batch_place(attempt->block.data, attempt->batch_clock);
    }
    return status;
}

/*
 * Puts the runs of the new events into the table `replicas`: they extend the
 * replica's newest run or begin one. Every replica's sequences must go on
 * where the store left them.
 */
static grove_status put_runs(save_attempt *attempt, grove__txn *txn,
                             grove_error *error_out)
{
    grove_document *document = attempt->document;
    const grove__events *events = &document->unsaved;
    grove__replica_run *runs = (grove__replica_run *)(void *)grove_buffer_reserve(
        &attempt->runs, events->replica_count * sizeof *runs);
    if (runs == NULL) {
        return grove__fail_memory(error_out);
    }
    memset(runs, 0, events->replica_count * sizeof *runs);
    uint64_t clock = document->stored;
    for (size_t index = 0; index < events->id_run_count; index++) {
        const grove__id_run *added = &events->id_runs[index];
        const grove_replica *replica = &events->replicas[added->replica];
        grove__replica_run *run = &runs[added->replica];
        if (run->count == 0 && document->exists) {
            grove_status status =
                grove__replica_run_newest(document, txn, replica, run, error_out);
            if (status != GROVE_OK && status != GROVE_NONE) {
                return status;
            }
        }
        if (run->sequence + run->count != added->sequence) {
            return grove__fail(
                error_out, GROVE_REPLICA_REUSED,
                "the store has %llu events of a replica of which event %llu is "
                "saved now: two writers share it",
                (unsigned long long)(run->sequence + run->count),
                (unsigned long long)added->sequence);
        }
        if (run->count == 0 || run->clock + run->count != clock) {
            *run = (grove__replica_run){added->sequence, clock, 0};
        }
        run->count += added->count;
        clock += added->count;
        uint8_t record[GROVE__RUN_RECORD_BYTES];
        grove__run_record_encode(&(grove__run_record){run->clock, run->count}, record);
        grove__key key;
        grove__key_of_event(&key, document->id, replica, run->sequence);
        grove__write_set_put(&attempt->change.set, GROVE__TABLE_REPLICAS,
                             grove__key_view(&key), (grove_bytes){record, sizeof record});
    }
    return GROVE_OK;
}

/* Encodes the snapshot that goes with this save, if the type can make one. */
static grove_status prepare_snapshot(save_attempt *attempt, grove__txn *txn,
                                     bool *makes_snapshot, grove_error *error_out)
{
    grove_document *document = attempt->document;
    grove_snapshot_facts facts = grove_document_snapshot_facts(document);
    *makes_snapshot = document->wants_snapshot ||
                      grove_document_should_snapshot(&document->policy, &facts);
    if (!*makes_snapshot) {
        return GROVE_OK;
    }
    grove_status status =
        grove__document_encode_snapshot(document, txn, 0, &attempt->snapshot, error_out);
    if (status == GROVE_NONE || status == GROVE_LIMIT) {
        /* A snapshot that cannot be is no reason to refuse events. */
        grove_buffer_reset(&attempt->snapshot);
        *makes_snapshot = false;
        return GROVE_OK;
    }
    return status;
}

static grove_status prepare(save_attempt *attempt, grove__txn *txn,
                            grove_error *error_out)
{
    grove_document *document = attempt->document;
    grove__change *change = &attempt->change;
    bool makes_snapshot = false;
    grove_status status = prepare_snapshot(attempt, txn, &makes_snapshot, error_out);
    uint64_t end = document->stored + document->unsaved.count;
    if (status == GROVE_OK && document->unsaved.count > 0) {
        status = prepare_batch(attempt, txn, makes_snapshot, error_out);
        if (status == GROVE_OK) {
            status = put_runs(attempt, txn, error_out);
        }
        if (status != GROVE_OK) {
            return status;
        }
        const grove_buffer *items = &document->batches.items;
        const grove__piece *pieces = (const grove__piece *)(const void *)items->data;
        size_t count = items->size / sizeof *pieces;
        for (size_t index = count - attempt->rolled; index < count; index++) {
            grove__change_remove_batch(change, document, &pieces[index]);
        }
        grove__change_put_batch(change, document, attempt->batch_clock,
                                grove_buffer_view(&attempt->block));
        change->meta.events = end;
        grove__write_set_touch(
            &change->set, &(grove__touch){GROVE__TOUCH_DOCUMENT, document->id,
                                          document->stored, document->unsaved.count});
    }
    if (status == GROVE_OK && grove__pending_has_changes(document)) {
        status = grove__pending_save(document, change, &attempt->waiting, error_out);
    }
    if (status == GROVE_OK && makes_snapshot) {
        status = grove__document_put_snapshot(document, txn, change, end, 0,
                                              grove_buffer_view(&attempt->snapshot),
                                              error_out);
    }
    return status;
}

/* Finds the batches after the newest snapshot among those that are known. */
static void count_tail(grove_document *document)
{
    const grove_buffer *items = &document->batches.items;
    const grove__piece *pieces = (const grove__piece *)(const void *)items->data;
    uint64_t newest = document->meta.snapshot_clock == GROVE__NO_SNAPSHOT
                          ? 0
                          : document->meta.snapshot_clock;
    document->tail_batches = 0;
    document->tail_bytes = 0;
    for (size_t index = 0; index < items->size / sizeof *pieces; index++) {
        if (pieces[index].clock + pieces[index].events > newest) {
            document->tail_batches++;
            document->tail_bytes += pieces[index].bytes;
        }
    }
}

/* After the change went through: what the handle now knows. */
static void adopt(save_attempt *attempt, grove_save_result *result, uint64_t commit)
{
    grove_document *document = attempt->document;
    result->commit = commit;
    result->first_clock = document->stored;
    result->events = document->unsaved.count;
    result->made_snapshot = attempt->snapshot.size > 0;
    result->rolled_up_batches = (uint32_t)attempt->rolled;
    if (document->unsaved.count > 0) {
        document->stored += document->unsaved.count;
        document->unsaved_reach = UINT64_MAX;
        grove__document_hold(document);
        document->tail_operations +=
            document->unsaved.operations.size / sizeof(grove_operation);
        grove__piece piece = {
            .clock = attempt->batch_clock,
            .events = document->stored - attempt->batch_clock,
            .bytes = attempt->block.size,
        };
        grove__document_replace_batches(document, attempt->rolled, &piece);
        count_tail(document);
        grove__events_reset(&document->unsaved);
        document->made_first = UINT64_MAX;
    }
    if (attempt->snapshot.size > 0) {
        document->tail_operations = 0;
        document->tail_batches = 0;
        document->tail_bytes = 0;
        document->damaged_snapshots = 0;
    }
    document->wants_snapshot = false;
    grove__pending_saved(document);
}

void grove__document_replace_batches(grove_document *document, size_t replaced,
                                     const grove__piece *piece)
{
    grove__pieces *batches = &document->batches;
    size_t piece_bytes = sizeof *piece;
    batches->items.size -= replaced * piece_bytes;
    if (batches->items.size == GROVE__PIECES_MAX * piece_bytes) {
        batches->items.size -= piece_bytes;
        memmove(batches->items.data, batches->items.data + piece_bytes,
                batches->items.size);
    }
    grove_buffer_append(&batches->items, piece, piece_bytes);
    batches->is_known = !batches->items.failed;
    batches->revision = document->meta.revision;
}

/* One attempt, from `txn`, which it ends. GROVE_CONFLICT: another may work. */
static grove_status save_once(grove_document *document, grove__txn *txn, grove_bytes meta,
                              grove_save_result *result, grove_error *error_out)
{
    save_attempt attempt;
    attempt_init(&attempt, document);
    grove__write_set_meta(&attempt.change.set, meta);
    grove_status status = prepare(&attempt, txn, error_out);
    uint64_t commit = 0;
    bool has_change = document->unsaved.count > 0 || attempt.snapshot.size > 0 ||
                      grove__pending_has_changes(document);
    bool is_writer = txn->mode != GROVE_TXN_READ;
    if (!is_writer || status != GROVE_OK || !has_change) {
        grove__txn_abort(txn);
    }
    if (status == GROVE_OK && has_change) {
        status = grove__change_commit(&attempt.change, document, is_writer ? txn : NULL,
                                      &commit, error_out);
    }
    if (status == GROVE_OK) {
        adopt(&attempt, result, commit);
    }
    attempt_release(&attempt);
    return status;
}

/* Merges events that waited, if what they waited for has come. */
static grove_status place_waiting(grove_document *document, grove__txn *txn,
                                  grove_error *error_out)
{
    if (document->meta.pending == 0 && document->pending.items.size == 0) {
        return GROVE_OK;
    }
    grove__pending_mark waiting;
    grove_status status = grove__pending_load(document, txn, error_out);
    if (status == GROVE_OK && document->pending.is_tried) {
        return GROVE_OK;
    }
    if (status == GROVE_OK) {
        status = grove__pending_mark_of(document, &waiting, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove__document_mark mark = grove__document_mark_of(document);
    grove__addition *adding = grove__addition_new(document, txn);
    status = adding == NULL ? grove__fail_memory(error_out)
                            : grove__pending_place(document, adding, error_out);
    if (status == GROVE_OK && document->graph.end > mark.end) {
        status = grove__document_take_unsaved(document, txn, mark.end, error_out);
        document->made_last = document->made_last && status != GROVE_OK;
    }
    if (status != GROVE_OK) {
        grove__document_rewind(document, &mark);
        grove__pending_rewind(document, &waiting);
    }
    grove__addition_free(adding);
    grove__pending_mark_release(&waiting);
    /* One that does not fit is no reason to refuse what is saved here. */
    return status == GROVE_MALFORMED || status == GROVE_LIMIT ? GROVE_OK : status;
}

/* Looks at the store and makes the handle ready to save after what is there. */
static grove_status catch_up(grove_document *document, grove__txn *txn,
                             const uint64_t *expected, grove_error *error_out)
{
    grove_status status = grove__document_look_again(document, txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (expected != NULL && *expected != document->meta.events) {
        return grove__fail(error_out, GROVE_CONFLICT,
                           "the save expects clock %llu, the stored document is at %llu",
                           (unsigned long long)*expected,
                           (unsigned long long)document->meta.events);
    }
    status = grove__document_take_in(document, txn, error_out);
    return status == GROVE_OK ? place_waiting(document, txn, error_out) : status;
}

grove_status grove_document_save(grove_document *document, const uint64_t *expected,
                                 grove_save_result *result_out, grove_error *error_out)
{
    return grove_document_save_with(document, expected, NULL, result_out, error_out);
}

grove_status grove_document_save_with(grove_document *document, const uint64_t *expected,
                                      const grove_commit_options *options,
                                      grove_save_result *result_out,
                                      grove_error *error_out)
{
    grove_bytes meta;
    grove_status status = grove__commit_options_meta(options, &meta, error_out);
    if (status == GROVE_OK) {
        status = grove__document_check_live(document, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove_save_result result = {0};
    status = GROVE_CONFLICT;
    for (int attempts = 0; status == GROVE_CONFLICT; attempts++) {
        if (attempts == ATTEMPTS_MAX) {
            return grove__fail(error_out, GROVE_BUSY,
                               "others changed the document before each of %d attempts",
                               ATTEMPTS_MAX);
        }
        grove__txn txn;
        status = grove__txn_begin(&document->store->kv,
                                  attempts < ATTEMPTS_OUTSIDE ? GROVE_TXN_READ
                                                              : GROVE_TXN_WRITE,
                                  &txn, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        status = catch_up(document, &txn, expected, error_out);
        if (status != GROVE_OK ||
            (document->unsaved.count == 0 && !document->wants_snapshot &&
             !grove__pending_has_changes(document))) {
            grove__txn_abort(&txn);
            break;
        }
        status = save_once(document, &txn, meta, &result, error_out);
    }
    if (status == GROVE_OK && result_out != NULL) {
        *result_out = result;
    }
    return status;
}
