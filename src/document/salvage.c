/*
 * Copying what is sound of a document.
 *
 *     clocks   0 ....... base ......... snapshot ......... end ..... events
 *              history   | batches that are kept            | lost
 *
 * What is kept is a chain of sound batches, and a sound snapshot in it unless
 * it begins with the first event. It is written to the new store and verified
 * there, with a replay. What does not pass is taken for damaged as well, and
 * the next best chain is tried: each try knows of one damaged piece more, so
 * that they come to an end.
 */
#include "document/salvage.h"

#include "base/checked.h"
#include "base/error.h"
#include "commit/commit.h"
#include "document/salvage_plan.h"
#include "kv/value.h"

const char *grove_loss_kind_name(grove_loss_kind kind)
{
    static const char *const NAMES[] = {
        [GROVE_LOSS_WHOLE] = "whole",     [GROVE_LOSS_EVENTS] = "events",
        [GROVE_LOSS_HISTORY] = "history", [GROVE_LOSS_SNAPSHOT] = "snapshot",
        [GROVE_LOSS_PENDING] = "pending", [GROVE_LOSS_IDS] = "ids",
        [GROVE_LOSS_CRASH] = "crash",
    };
    return (size_t)kind < sizeof NAMES / sizeof *NAMES ? NAMES[kind] : "?";
}

void grove__losses_add(grove__losses *losses, const grove_loss *what)
{
    losses->count++;
    if (losses->each != NULL && !losses->stopped) {
        losses->stopped = !losses->each(losses->context, what);
    }
}

typedef struct salvage_work {
    grove__survey source;
    const grove__survey_options *options;
    grove_store *destination;
    grove__salvage_chain kept;
    /* Something was written, which has to go before the next try. */
    bool is_written;
    /* Clocks before this one have ids; those of some had to be made up. */
    uint64_t ids_end;
    grove__range made_up;
    grove_buffer blocks; /* values to put, one after the other, */
    grove_buffer values; /* and value_place records */
    grove__meta_record meta;
    grove_error *error_out;
} salvage_work;

typedef struct value_place {
    grove__table table;
    grove__key key;
    size_t offset;
    size_t bytes;
} value_place;

/* --- writing --- */

static grove_status fail_memory(const salvage_work *work)
{
    return grove__fail_memory(work->error_out);
}

/* Copies a value of the source. GROVE_CORRUPT: it cannot be read after all. */
static grove_status copy_value(salvage_work *work, grove__table table,
                               const grove__key *key)
{
    grove_bytes bytes;
    grove_status status =
        grove__survey_value(&work->source, table, grove__key_view(key), &bytes);
    if (status != GROVE_OK) {
        if (work->error_out != NULL) {
            *work->error_out = work->source.error;
        }
        return status;
    }
    value_place place = {table, *key, work->blocks.size, bytes.size};
    grove_buffer_append(&work->blocks, bytes.data, bytes.size);
    grove_buffer_append(&work->values, &place, sizeof place);
    return work->blocks.failed || work->values.failed ? fail_memory(work) : GROVE_OK;
}

/* Copies the batches, or the snapshots, of the chain. */
static grove_status copy_pieces(salvage_work *work, grove__table table)
{
    bool is_batch = table == GROVE__TABLE_EVENTS;
    size_t count;
    const grove__survey_piece *pieces = grove__survey_pieces(
        is_batch ? &work->source.batches : &work->source.snapshots, &count);
    grove__meta_record *meta = &work->meta;
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < count; index++) {
        const grove__survey_piece *piece = &pieces[index];
        uint64_t end = piece->clock + piece->events;
        if (!piece->is_sound || piece->clock < work->kept.base || end > work->kept.end) {
            continue;
        }
        grove__key key;
        grove__key_of_clock(&key, work->source.id, piece->clock);
        status = copy_value(work, table, &key);
        if (is_batch) {
            meta->batches++;
            meta->batch_bytes += piece->bytes;
        } else {
            meta->snapshots++;
            meta->snapshot_bytes += piece->bytes;
            meta->snapshot_clock = piece->clock;
            meta->newest_snapshot_bytes = piece->bytes;
        }
    }
    return status;
}

static grove_status copy_waiting(salvage_work *work)
{
    size_t count;
    const grove__survey_piece *pieces =
        grove__survey_pieces(&work->source.pending, &count);
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < count; index++) {
        if (pieces[index].is_sound) {
            grove__key key;
            grove__key_of_event(&key, work->source.id, &pieces[index].id.replica,
                                pieces[index].id.sequence);
            status = copy_value(work, GROVE__TABLE_PENDING, &key);
            work->meta.pending += pieces[index].events;
        }
    }
    return status;
}

/* The record of what is kept; counts are added as pieces are copied. */
static grove_status begin_meta(salvage_work *work)
{
    const grove__survey *source = &work->source;
    bool is_all = source->has_meta && work->kept.end == source->meta.events;
    grove__meta_record *meta = &work->meta;
    *meta = (grove__meta_record){
        .type_format = source->meta.type_format,
        .incarnation = source->meta.incarnation,
        .revision = source->meta.revision + 1,
        .events = work->kept.end,
        .base_clock = work->kept.base,
        .snapshot_clock = GROVE__NO_SNAPSHOT,
        .sealed_clock = grove__min_u64(source->meta.sealed_clock, work->kept.end),
    };
    memcpy(meta->type_name, source->meta.type_name, sizeof meta->type_name);
    return is_all ? GROVE_OK
                  : grove__store_random(work->destination, &meta->incarnation,
                                        sizeof meta->incarnation, work->error_out);
}

/* Puts the runs of the replicas of all events that there ever were. */
static void put_runs(salvage_work *work, grove__write_set *set)
{
    const grove__ids *ids = &work->source.ids;
    uint64_t clock = 0;
    while (clock < work->kept.end) {
        grove__id_span span;
        grove__key key;
        uint8_t bytes[GROVE__RUN_RECORD_BYTES];
        (void)grove__ids_at(ids, clock, &span);
        uint64_t count = grove__min_u64(span.count, work->kept.end - clock);
        grove__run_record_encode(&(grove__run_record){clock, count}, bytes);
        grove__key_of_event(&key, work->source.id, grove__ids_name(ids, span.replica),
                            span.sequence);
        grove__write_set_put(set, GROVE__TABLE_REPLICAS, grove__key_view(&key),
                             (grove_bytes){bytes, sizeof bytes});
        clock += count;
    }
}

/* Lets the destination have nothing of the document. */
static void remove_all(const salvage_work *work, grove__write_set *set)
{
    static const grove__table TABLES[] = {
        GROVE__TABLE_META,     GROVE__TABLE_EVENTS,  GROVE__TABLE_SNAPSHOTS,
        GROVE__TABLE_REPLICAS, GROVE__TABLE_PENDING,
    };
    for (size_t index = 0; index < sizeof TABLES / sizeof *TABLES; index++) {
        grove__write_set_remove(set, TABLES[index],
                                grove__key_view(&work->source.prefix));
    }
}

static void put_all(salvage_work *work, grove__write_set *set)
{
    const value_place *places = (const value_place *)(const void *)work->values.data;
    for (size_t index = 0; index < work->values.size / sizeof *places; index++) {
        grove_bytes block = {work->blocks.data + places[index].offset,
                             places[index].bytes};
        grove__write_set_put_value(set, places[index].table,
                                   grove__key_view(&places[index].key), block);
    }
    put_runs(work, set);
    uint8_t record[GROVE__META_RECORD_BYTES];
    grove__meta_record_encode(&work->meta, record);
    grove__write_set_put(set, GROVE__TABLE_META, grove__key_view(&work->source.prefix),
                         (grove_bytes){record, sizeof record});
}

/* Writes the chain, or nothing, in place of what was written before. */
static grove_status write(salvage_work *work)
{
    grove__write_set set;
    grove__write_set_init(&set, work->destination->allocator);
    remove_all(work, &set);
    if (work->kept.is_found) {
        put_all(work, &set);
    }
    if (work->kept.is_found && work->kept.end > 0) {
        grove__write_set_touch(&set, &(grove__touch){GROVE__TOUCH_DOCUMENT,
                                                     work->source.id, 0, work->kept.end});
    } else if (work->is_written) {
        grove__write_set_touch(
            &set, &(grove__touch){GROVE__TOUCH_DOCUMENT, work->source.id, 0, 0});
    }
    grove_status status = grove__commit(work->destination, &set, NULL, work->error_out);
    grove__write_set_release(&set);
    work->is_written = work->is_written || status == GROVE_OK;
    return status;
}

static grove_status copy_chain(salvage_work *work)
{
    grove_buffer_reset(&work->blocks);
    grove_buffer_reset(&work->values);
    grove_status status = begin_meta(work);
    if (status == GROVE_OK) {
        status = copy_pieces(work, GROVE__TABLE_EVENTS);
    }
    if (status == GROVE_OK) {
        status = copy_pieces(work, GROVE__TABLE_SNAPSHOTS);
    }
    return status == GROVE_OK ? copy_waiting(work) : status;
}

/* --- learning --- */

/* Takes the piece at a clock, or the batch that has it, for damaged. False: it
 * was so before, or there is none. */
static bool blame(grove_buffer *list, uint64_t clock)
{
    size_t count;
    grove__survey_piece *pieces = grove__survey_pieces(list, &count);
    for (size_t index = 0; index < count; index++) {
        bool has_clock = pieces[index].clock == clock ||
                         (pieces[index].clock < clock &&
                          clock - pieces[index].clock < pieces[index].events);
        if (has_clock && pieces[index].is_sound) {
            pieces[index].is_sound = false;
            return true;
        }
    }
    return false;
}

/* Gives up the newest piece of the chain. */
static bool blame_end(salvage_work *work)
{
    const grove__salvage_chain *kept = &work->kept;
    return kept->base < kept->end ? blame(&work->source.batches, kept->end - 1)
                                  : blame(&work->source.snapshots, kept->end);
}

/* What a try that did not pass says of the pieces of the source, of which at
 * least one is taken for damaged. False: it says nothing. */
static bool learn(salvage_work *work, const grove__survey *written)
{
    grove__survey *source = &work->source;
    const grove_buffer *theirs[] = {&written->batches, &written->snapshots};
    grove_buffer *ours[] = {&source->batches, &source->snapshots};
    bool has_learnt = false;
    for (size_t list = 0; list < 2; list++) {
        size_t count;
        const grove__survey_piece *pieces = grove__survey_pieces(theirs[list], &count);
        for (size_t index = 0; index < count; index++) {
            if (!pieces[index].is_sound) {
                has_learnt |= blame(ours[list], pieces[index].clock);
            }
        }
    }
    uint64_t stop = written->graph_end;
    if (written->type != NULL) {
        stop = grove__min_u64(stop, written->replay_end);
    }
    if (!has_learnt && stop < work->kept.end) {
        has_learnt = blame(&source->batches, stop);
    }
    return has_learnt || blame_end(work);
}

/* Whether what was written is sound; else, whether it makes sense to try
 * another chain. */
static grove_status check(salvage_work *work, bool *is_sound_out, bool *goes_on_out)
{
    grove__findings findings = {.each = NULL};
    grove__survey_options options = *work->options;
    options.replay = true;
    options.is_salvage = false;
    options.guess = NULL;
    grove__txn txn;
    grove_status status =
        grove__txn_begin(&work->destination->kv, GROVE_TXN_READ, &txn, work->error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__survey written;
    grove__survey_init(&written, work->destination, &txn, work->source.id, &options,
                       &findings);
    status = grove__survey_make(&written);
    if (status != GROVE_OK && work->error_out != NULL) {
        *work->error_out = written.error;
    }
    *is_sound_out = findings.count == 0;
    if (status == GROVE_OK && !*is_sound_out) {
        *goes_on_out = learn(work, &written);
    }
    grove__survey_release(&written);
    grove__txn_abort(&txn);
    return status;
}

/* Tries chain after chain. */
static grove_status keep_best(salvage_work *work)
{
    bool is_sound = false;
    bool goes_on = true;
    grove_status status = GROVE_OK;
    while (status == GROVE_OK && !is_sound) {
        work->kept = goes_on ? grove__salvage_choose(&work->source)
                             : (grove__salvage_chain){.is_found = false};
        if (!work->kept.is_found) {
            return work->is_written ? write(work) : GROVE_OK;
        }
        if (work->kept.end > work->ids_end) {
            goes_on = blame_end(work);
            continue;
        }
        status = copy_chain(work);
        if (grove__finding_is(status) || status == GROVE_FAILED) {
            /* It could be read when it was looked at. */
            goes_on = blame_end(work);
            status = GROVE_OK;
            continue;
        }
        if (status == GROVE_OK) {
            status = write(work);
        }
        if (status == GROVE_OK) {
            status = check(work, &is_sound, &goes_on);
        }
    }
    return status;
}

/* --- saying what is lost --- */

static void lose(const salvage_work *work, grove__losses *losses, grove_loss loss)
{
    loss.table = grove__table_name(GROVE__TABLE_META);
    loss.name = work->source.id;
    grove__losses_add(losses, &loss);
}

/* Tells of the snapshots and of what waited. */
static void report_pieces(const salvage_work *work, grove__losses *losses)
{
    const grove__survey *source = &work->source;
    size_t count;
    const grove__survey_piece *pieces = grove__survey_pieces(&source->snapshots, &count);
    uint64_t found = 0;
    for (size_t index = 0; index < count; index++) {
        uint64_t clock = pieces[index].clock;
        found++;
        if (!pieces[index].is_sound && clock >= work->kept.base &&
            clock <= work->kept.end) {
            lose(work, losses,
                 (grove_loss){.kind = GROVE_LOSS_SNAPSHOT,
                              .first_clock = clock,
                              .end_clock = clock,
                              .message = "a snapshot is damaged; others or the events "
                                         "take its place"});
        }
    }
    if (source->has_meta && found < source->meta.snapshots) {
        lose(work, losses,
             (grove_loss){.kind = GROVE_LOSS_SNAPSHOT,
                          .first_clock = work->kept.base,
                          .end_clock = work->kept.end,
                          .message = "a snapshot is missing at one of these clocks"});
    }
    if (source->has_meta && work->meta.pending < source->meta.pending) {
        lose(work, losses,
             (grove_loss){.kind = GROVE_LOSS_PENDING,
                          .message = "events that waited for others are damaged or "
                                     "missing"});
    }
}

static void report(const salvage_work *work, grove__losses *losses,
                   grove__salvage_result *result)
{
    const grove__meta_record *meta = &work->source.meta;
    uint64_t before = losses->count;
    if (!work->kept.is_found) {
        lose(work, losses,
             (grove_loss){.kind = GROVE_LOSS_WHOLE,
                          .end_clock = meta->events,
                          .message = "neither the first batches of the document are "
                                     "sound nor a snapshot"});
        *result = (grove__salvage_result){.events_lost = meta->events};
        return;
    }
    if (work->kept.base > meta->base_clock) {
        lose(work, losses,
             (grove_loss){.kind = GROVE_LOSS_HISTORY,
                          .first_clock = meta->base_clock,
                          .end_clock = work->kept.base,
                          .message =
                              work->kept.is_critical
                                  ? "events are kept as part of a snapshot only"
                                  : "events are kept as part of a snapshot only, which "
                                    "has several heads: texts can be read, but new "
                                    "events have no place"});
    }
    if (work->kept.end < meta->events) {
        lose(work, losses,
             (grove_loss){.kind = GROVE_LOSS_EVENTS,
                          .first_clock = work->kept.end,
                          .end_clock = meta->events,
                          .message = "the newest events are damaged, or depend on what "
                                     "is"});
    }
    if (work->made_up.from < grove__min_u64(work->made_up.end, work->kept.base)) {
        lose(work, losses,
             (grove_loss){.kind = GROVE_LOSS_IDS,
                          .first_clock = work->made_up.from,
                          .end_clock = grove__min_u64(work->made_up.end, work->kept.base),
                          .message = "which replicas made some of the removed events is "
                                     "no longer known"});
    }
    report_pieces(work, losses);
    *result = (grove__salvage_result){
        .is_copied = true,
        .is_whole = losses->count == before,
        .events = work->kept.end,
        .events_lost = meta->events - grove__min_u64(work->kept.end, meta->events),
    };
}

/* --- all of it --- */

/* A batch that did not fit the graph is of no use. */
static void blame_graph(grove__survey *source)
{
    (void)blame(&source->batches, source->graph_end);
}

static grove_status salvage(salvage_work *work)
{
    grove__survey *source = &work->source;
    grove_status status = grove__survey_make(source);
    if (status != GROVE_OK || source->is_unreadable) {
        if (status != GROVE_OK && work->error_out != NULL) {
            *work->error_out = source->error;
        }
        return status;
    }
    if (source->meta.type_name[0] == '\0') {
        return GROVE_OK;
    }
    blame_graph(source);
    uint64_t end = source->meta.events;
    size_t count;
    const grove__survey_piece *batches = grove__survey_pieces(&source->batches, &count);
    if (count > 0) {
        end = grove__max_u64(end, batches[count - 1].clock + batches[count - 1].events);
    }
    status = grove__survey_rebuild_ids(source, end, &work->made_up, &work->ids_end);
    if (status != GROVE_OK && work->error_out != NULL) {
        *work->error_out = source->error;
    }
    return status == GROVE_OK ? keep_best(work) : status;
}

/* How many pieces a document has that are sound as those of a type. */
static grove_status count_sound(grove_store *source, grove__txn *txn, grove_bytes id,
                                const grove__survey_options *options, size_t *count_out,
                                grove_error *error_out)
{
    grove__findings findings = {.each = NULL};
    grove__survey survey;
    grove__survey_init(&survey, source, txn, id, options, &findings);
    grove_status status = grove__survey_make(&survey);
    if (status != GROVE_OK && error_out != NULL) {
        *error_out = survey.error;
    }
    const grove_buffer *lists[] = {&survey.batches, &survey.snapshots, &survey.pending};
    *count_out = 0;
    for (size_t list = 0; list < 3; list++) {
        size_t count;
        const grove__survey_piece *pieces = grove__survey_pieces(lists[list], &count);
        for (size_t index = 0; index < count; index++) {
            *count_out += pieces[index].is_sound ? 1 : 0;
        }
    }
    grove__survey_release(&survey);
    return status;
}

/* The one type that all sound pieces of a document without a record are of;
 * NULL: there is none, or several. */
static grove_status guess_type(grove_store *source, grove__txn *txn, grove_bytes id,
                               const grove__survey_options *options,
                               const grove_document_type **type_out,
                               grove_error *error_out)
{
    grove__survey_options with = *options;
    size_t all = 0;
    size_t fitting = 0;
    const grove_document_type *fits = NULL;
    grove_status status = count_sound(source, txn, id, &with, &all, error_out);
    for (size_t index = 0; status == GROVE_OK && all > 0; index++) {
        with.guess = index < options->type_count
                         ? options->types[index]
                         : grove__document_type_at(index - options->type_count);
        if (with.guess == NULL) {
            break;
        }
        size_t sound = 0;
        status = count_sound(source, txn, id, &with, &sound, error_out);
        if (status == GROVE_OK && sound == all) {
            fits = with.guess;
            fitting++;
        }
    }
    if (status == GROVE_OK) {
        *type_out = fitting == 1 ? fits : NULL;
    }
    return status;
}

grove_status grove__salvage_document(grove_store *source, grove__txn *txn, grove_bytes id,
                                     const grove__survey_options *options,
                                     grove_store *destination, grove__losses *losses,
                                     grove__salvage_result *result_out,
                                     grove_error *error_out)
{
    grove__findings findings = {.each = NULL};
    grove__survey_options with = *options;
    with.is_salvage = true;
    with.replay = false;
    grove__meta_record meta;
    grove_status status = grove__document_meta_read(txn, id, &meta, error_out);
    if (grove__finding_is(status) || status == GROVE_FAILED) {
        status = guess_type(source, txn, id, &with, &with.guess, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    salvage_work work = {
        .options = options, .destination = destination, .error_out = error_out};
    grove__survey_init(&work.source, source, txn, id, &with, &findings);
    grove_buffer_init(&work.blocks, source->allocator);
    grove_buffer_init(&work.values, source->allocator);
    status = salvage(&work);
    if (status == GROVE_OK) {
        report(&work, losses, result_out);
    }
    grove_buffer_release(&work.values);
    grove_buffer_release(&work.blocks);
    grove__survey_release(&work.source);
    return status;
}
