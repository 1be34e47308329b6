/* What is in a document's batches, snapshots and runs that wait. */
#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"
#include "document/pending.h"
#include "document/stamps.h"
#include "document/verify.h"
#include "kv/value.h"

grove_status grove__survey_draft(grove__survey *survey, grove_document **draft_out)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    /* Of other types only the graph is made, and graphs are all alike. */
    options.type = survey->type != NULL ? survey->type : grove_type_opaque();
    grove_document *draft = NULL;
    grove_status status =
        grove__document_new(survey->store, survey->id, &options, &draft, &survey->error);
    if (status == GROVE_OK) {
        draft->meta = survey->meta;
        draft->exists = true;
        *draft_out = draft;
    }
    return status;
}

/* What of a batch can be decoded. */
static uint32_t batch_parts(const grove__survey *survey)
{
    return survey->type != NULL ? GROVE__DECODE_ALL
                                : GROVE__DECODE_GRAPH | GROVE__DECODE_TIMESTAMPS;
}

/* Verifies the frames that nobody else will decode: those with ids from
 * `first` on. */
static grove_status check_frames(grove__survey *survey, const grove__block *block,
                                 uint8_t first)
{
    grove_buffer buffer;
    grove_buffer_init(&buffer, survey->store->allocator);
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < block->frame_count; index++) {
        if (block->frames[index].id >= first) {
            grove_bytes frame;
            status = grove__block_frame_view(block, block->frames[index].id, &buffer,
                                             &frame, &survey->error);
        }
    }
    grove_buffer_release(&buffer);
    return status;
}

/* --- snapshots --- */

/* Whether a type's walker can be made of what a snapshot has of a merge. */
static bool by_clock(const void *context, uint64_t clock, uint64_t other)
{
    (void)context;
    return clock < other;
}

static grove_status check_merge(grove__survey *survey, const grove__snapshot_header *is,
                                grove_bytes merge)
{
    const grove_document_type *type = survey->type;
    if (merge.size == 0 || type->merge == NULL) {
        return GROVE_OK;
    }
    grove_reader reader = grove_reader_of(merge);
    uint64_t base = grove_reader_varint(&reader);
    if (reader.failed || base > is->base_clock) {
        return grove__fail(&survey->error, GROVE_CORRUPT,
                           "the state of a merge has no base, or one at clock %llu, "
                           "behind the snapshot's",
                           (unsigned long long)base);
    }
    void *walker = NULL;
    grove__packer_release(&survey->packer);
    grove_status status = type->merge->walker_new(
        type, survey->store->allocator, (grove_id_order){NULL, by_clock}, &walker);
    if (status != GROVE_OK) {
        return grove__fail_memory(&survey->error);
    }
    status = type->merge->walker_decode(
        type, walker, base, is->clock,
        grove_reader_bytes(&reader, grove_reader_left(&reader)), &survey->error);
    type->merge->walker_free(type, walker);
    return status;
}

/* Makes a snapshot's state, and gives it back again. */
static grove_status check_state(grove__survey *survey, const grove__block *block,
                                const grove__snapshot_header *is)
{
    const grove_document_type *type = survey->type;
    if (type == NULL) {
        return check_frames(survey, block, 0);
    }
    if (is->type_format > type->format) {
        return grove__fail(&survey->error, GROVE_FORMAT_NEWER,
                           "the snapshot has format %lu of type %s, this library knows "
                           "up to %lu",
                           (unsigned long)is->type_format, type->name,
                           (unsigned long)type->format);
    }
    grove_buffer buffers[3];
    grove_bytes frames[3];
    grove_status status = GROVE_OK;
    for (uint8_t index = 0; index < 3; index++) {
        grove_buffer_init(&buffers[index], survey->store->allocator);
        if (status == GROVE_OK) {
            uint8_t id = (uint8_t)(GROVE__SNAPSHOT_FRAME_STRUCTURE + index);
            status = grove__block_frame_view(block, id, &buffers[index], &frames[index],
                                             &survey->error);
        }
    }
    void *state = NULL;
    if (status == GROVE_OK) {
        status = type->state_decode(
            type, survey->store->allocator,
            (grove_type_frames){.structure = frames[0], .content = frames[1]}, &state,
            &survey->error);
    }
    if (status == GROVE_OK) {
        type->state_free(type, state);
        status = check_merge(survey, is, frames[2]);
    }
    for (size_t index = 0; index < 3; index++) {
        grove_buffer_release(&buffers[index]);
    }
    return status == GROVE_OK
               ? check_frames(survey, block, GROVE__SNAPSHOT_FRAME_MERGE + 1)
               : status;
}

static grove__head *heads_of(const grove__survey *survey,
                             const grove__survey_piece *snapshot)
{
    return (grove__head *)(void *)survey->heads.data + snapshot->head_first;
}

/* Whether the heads are events that have these clocks. */
static grove_status check_head_ids(grove__survey *survey,
                                   const grove__survey_piece *snapshot)
{
    const grove__head *heads = heads_of(survey, snapshot);
    for (size_t index = 0; survey->ids_are_sound && index < snapshot->head_count;
         index++) {
        grove__id_span span;
        if (!grove__ids_at(&survey->ids, heads[index].clock, &span) ||
            span.sequence != heads[index].id.sequence ||
            !grove__replica_equal(grove__ids_name(&survey->ids, span.replica),
                                  &heads[index].id.replica)) {
            return grove__fail(&survey->error, GROVE_CORRUPT,
                               "a head of the snapshot is not the event at clock %llu",
                               (unsigned long long)heads[index].clock);
        }
    }
    return GROVE_OK;
}

static grove_status check_snapshot(grove__survey *survey, grove__survey_piece *snapshot,
                                   grove_bytes key)
{
    const grove__meta_record *meta = &survey->meta;
    if (survey->has_meta &&
        (snapshot->clock < meta->base_clock || snapshot->clock > meta->events)) {
        return grove__fail(&survey->error, GROVE_CORRUPT,
                           "there is a snapshot at clock %llu; the document has events "
                           "from %llu to %llu",
                           (unsigned long long)snapshot->clock,
                           (unsigned long long)meta->base_clock,
                           (unsigned long long)meta->events);
    }
    grove_bytes bytes;
    grove__block block;
    grove__snapshot_header header;
    grove_status status =
        grove__survey_value(survey, GROVE__TABLE_SNAPSHOTS, key, &bytes);
    if (status == GROVE_OK) {
        status = grove__snapshot_open(bytes, &block, &header, NULL, &survey->error);
    }
    if (status == GROVE_OK) {
        block.packer = &survey->packer;
        status = check_state(survey, &block, &header);
    }
    if (status == GROVE_OK && survey->type != NULL && survey->type->timed != NULL) {
        status = grove__snapshot_times(&block, survey->store->allocator,
                                       heads_of(survey, snapshot), snapshot->head_count,
                                       &survey->error);
    }
    return status == GROVE_OK ? check_head_ids(survey, snapshot) : status;
}

static grove_status check_snapshots(grove__survey *survey)
{
    size_t count;
    grove__survey_piece *pieces = grove__survey_pieces(&survey->snapshots, &count);
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && !survey->is_unreadable && index < count;
         index++) {
        if (pieces[index].is_sound) {
            grove__key key;
            grove__key_of_clock(&key, survey->id, pieces[index].clock);
            grove_bytes view = grove__key_view(&key);
            status = check_snapshot(survey, &pieces[index], view);
            pieces[index].is_sound = status == GROVE_OK;
            status = grove__survey_judge(survey, status, GROVE_FINDING_SNAPSHOT,
                                         GROVE__TABLE_SNAPSHOTS, view);
        }
    }
    return status;
}

/* --- batches --- */

/* Keeps a batch's ids, and looks whether the runs of replicas say the same. */
static grove_status check_ids(grove__survey *survey, const grove__events *events,
                              uint64_t clock)
{
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < events->id_run_count; index++) {
        const grove__id_run *run = &events->id_runs[index];
        grove__survey_run kept = {clock + run->event, run->count, run->sequence, 0};
        status = grove__ids_intern(&survey->names, &events->replicas[run->replica],
                                   &kept.replica, &survey->error);
        if (status == GROVE_OK && survey->options->is_salvage) {
            grove_buffer_append(&survey->batch_runs, &kept, sizeof kept);
            status =
                survey->batch_runs.failed ? grove__fail_memory(&survey->error) : GROVE_OK;
        }
        uint64_t at = kept.clock;
        while (status == GROVE_OK && survey->ids_are_sound &&
               at < kept.clock + kept.count) {
            grove__id_span span;
            if (!grove__ids_at(&survey->ids, at, &span) ||
                span.sequence != kept.sequence + (at - kept.clock) ||
                !grove__replica_equal(grove__ids_name(&survey->ids, span.replica),
                                      &events->replicas[run->replica])) {
                return grove__fail(&survey->error, GROVE_CORRUPT,
                                   "the runs of replicas have another event at clock "
                                   "%llu than the batch",
                                   (unsigned long long)at);
            }
            at += span.count;
        }
    }
    return status;
}

/* By their clocks. There are few. */
static void sort_heads(grove__head *heads, size_t count)
{
    for (size_t end = 1; end < count; end++) {
        grove__head moved = heads[end];
        size_t at = end;
        for (; at > 0 && heads[at - 1].clock > moved.clock; at--) {
            heads[at] = heads[at - 1];
        }
        heads[at] = moved;
    }
}

/* The heads at the base, by the parents of the first event after it: one, the
 * event before, but after some salvages. */
static grove_status find_base_heads(grove__survey *survey, const grove__events *events,
                                    grove_buffer *heads_out)
{
    const grove__parent_run *run = &events->parent_runs[0];
    const grove__ids *ids = &survey->ids;
    uint64_t base = survey->meta.base_clock;
    uint64_t newest = 0;
    for (uint32_t index = 0; index < run->count; index++) {
        const grove__parent *parent = &events->parents[run->first + index];
        grove__head head;
        memset(&head, 0, sizeof head);
        head.clock = base - 1;
        head.id.replica = events->replicas[parent->replica];
        head.id.sequence = parent->sequence;
        head.time = grove__document_is_timed(survey->draft) ? parent->time : 0;
        uint32_t replica = grove__ids_find_replica(ids, &head.id.replica);
        grove__id_span span;
        if (survey->ids_are_sound && replica != GROVE__INDEX_NONE &&
            grove__ids_find(ids, replica, parent->sequence, &span)) {
            head.clock = span.clock;
        }
        newest = grove__max_u64(newest, head.clock);
        grove_buffer_append(heads_out, &head, sizeof head);
    }
    if (heads_out->failed) {
        return grove__fail_memory(&survey->error);
    }
    if (run->count == 0 || newest != base - 1) {
        return grove__fail(&survey->error, GROVE_CORRUPT,
                           "the first event after the base clock %llu does not go on "
                           "from the one before it",
                           (unsigned long long)base);
    }
    sort_heads((grove__head *)(void *)heads_out->data, run->count);
    return GROVE_OK;
}

/* Begins the graph at the base: with the heads of a snapshot there, else with
 * those that the first batch names. */
static grove_status begin_graph(grove__survey *survey, const grove__events *events)
{
    uint64_t base = survey->meta.base_clock;
    grove_buffer found;
    grove_buffer_init(&found, survey->store->allocator);
    const grove__head *heads = NULL;
    size_t head_count = 0;
    size_t count;
    const grove__survey_piece *snapshots =
        grove__survey_pieces(&survey->snapshots, &count);
    grove_status status = GROVE_OK;
    if (base > 0 && count > 0 && snapshots[0].is_sound && snapshots[0].clock == base) {
        heads = heads_of(survey, &snapshots[0]);
        head_count = snapshots[0].head_count;
    } else if (base > 0) {
        status = find_base_heads(survey, events, &found);
        heads = (const grove__head *)(const void *)found.data;
        head_count = found.size / sizeof *heads;
    }
    grove_document *draft = survey->draft;
    if (status == GROVE_OK) {
        status = grove__graph_init(&draft->graph, draft->allocator, base, heads,
                                   head_count, &survey->error);
    }
    if (status == GROVE_OK) {
        grove__walk_init(&draft->walk, &draft->graph);
    }
    grove_buffer_release(&found);
    return status;
}

/* Whether the snapshot's heads are those of the graph, which ends at its
 * clock. */
static grove_status check_heads(grove__survey *survey, grove__survey_piece *snapshot)
{
    grove__graph *graph = &survey->draft->graph;
    const grove__head *given = heads_of(survey, snapshot);
    grove__frontier heads = grove__graph_heads(graph);
    bool agree = heads.count == snapshot->head_count;
    for (size_t index = 0; agree && index < heads.count; index++) {
        agree = heads.clocks[index] == given[index].clock &&
                grove__graph_time(graph, heads.clocks[index]) == given[index].time;
    }
    if (agree) {
        return GROVE_OK;
    }
    grove__key key;
    grove__key_of_clock(&key, survey->id, snapshot->clock);
    snapshot->is_sound = false;
    return grove__survey_judge(
        survey,
        grove__fail(&survey->error, GROVE_CORRUPT,
                    "the heads of the snapshot at clock %llu are not those that its "
                    "events have",
                    (unsigned long long)snapshot->clock),
        GROVE_FINDING_SNAPSHOT, GROVE__TABLE_SNAPSHOTS, grove__key_view(&key));
}

/* Adds a batch to the graph, as far as each snapshot's clock in turn. */
static grove_status add_to_graph(grove__survey *survey, grove__events *events,
                                 uint64_t clock)
{
    size_t count;
    grove__survey_piece *snapshots = grove__survey_pieces(&survey->snapshots, &count);
    grove__list_part part = {events, clock, 0, 0};
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index <= count; index++) {
        uint64_t end = clock + events->count;
        if (index < count &&
            (snapshots[index].clock < clock + part.from || snapshots[index].clock > end ||
             !snapshots[index].is_sound)) {
            continue;
        }
        end = index < count ? snapshots[index].clock : end;
        part.end = (uint32_t)(end - clock);
        if (part.end > part.from) {
            status = grove__document_add_list(survey->draft, survey->txn, &part,
                                              &survey->error);
            part.from = part.end;
        }
        if (status == GROVE_OK && index < count) {
            status = check_heads(survey, &snapshots[index]);
        }
    }
    return status;
}

/* Takes a batch into the graph, where that has come so far. */
static grove_status check_graph(grove__survey *survey, const grove__survey_piece *batch,
                                grove__events *events)
{
    grove_document *draft = survey->draft;
    uint64_t reach = 0;
    grove_status status = GROVE_OK;
    if (batch->clock == survey->meta.base_clock) {
        status = begin_graph(survey, events);
    }
    if (status == GROVE_OK) {
        status = grove__document_reach(draft, survey->txn, events, batch->clock, &reach,
                                       &survey->error);
    }
    if (status == GROVE_OK && reach != batch->reach) {
        status = grove__fail(&survey->error, GROVE_CORRUPT,
                             "the batch says that it reaches back to %llu, and it does "
                             "to %llu",
                             (unsigned long long)batch->reach, (unsigned long long)reach);
    }
    if (status == GROVE_OK) {
        status = add_to_graph(survey, events, batch->clock);
    }
    if (status == GROVE_OK) {
        survey->graph_end = batch->clock + batch->events;
    }
    return status;
}

static grove_status check_batch(grove__survey *survey, grove__survey_piece *batch,
                                grove__events *events)
{
    grove__key key;
    grove__key_of_clock(&key, survey->id, batch->clock);
    grove_bytes view = grove__key_view(&key);
    grove_bytes bytes;
    grove__block block;
    grove__batch_header header;
    grove_status status = grove__survey_value(survey, GROVE__TABLE_EVENTS, view, &bytes);
    if (status == GROVE_OK) {
        status = grove__batch_open(bytes, &block, &header, &survey->error);
    }
    if (status == GROVE_OK) {
        block.packer = &survey->packer;
        status = grove__batch_decode(&block, survey->type, batch_parts(survey), events,
                                     &survey->error);
    }
    if (status == GROVE_OK) {
        status = check_frames(survey, &block,
                              survey->type != NULL ? GROVE__FRAME_TIMESTAMPS + 1
                                                   : GROVE__FRAME_OPERATIONS);
    }
    batch->is_sound = status == GROVE_OK;
    if (!batch->is_sound) {
        return grove__survey_judge(survey, status, GROVE_FINDING_BATCH,
                                   GROVE__TABLE_EVENTS, view);
    }
    status = grove__survey_judge(survey, check_ids(survey, events, batch->clock),
                                 GROVE_FINDING_REPLICAS, GROVE__TABLE_REPLICAS,
                                 grove__key_view(&survey->prefix));
    if (status == GROVE_OK && survey->graph_end == batch->clock) {
        status = grove__survey_judge(survey, check_graph(survey, batch, events),
                                     GROVE_FINDING_GRAPH, GROVE__TABLE_EVENTS, view);
    }
    return status;
}

static grove_status check_batches(grove__survey *survey)
{
    grove__events events;
    grove__events_init(&events, survey->store->allocator);
    size_t count;
    grove__survey_piece *pieces = grove__survey_pieces(&survey->batches, &count);
    grove_status status = grove__survey_draft(survey, &survey->draft);
    survey->graph_end = survey->meta.base_clock;
    for (size_t index = 0; status == GROVE_OK && !survey->is_unreadable && index < count;
         index++) {
        if (pieces[index].is_sound) {
            status = check_batch(survey, &pieces[index], &events);
        }
    }
    grove__events_release(&events);
    return status;
}

/* --- what waits --- */

/* Decodes a run that waits, of a type whose operations are not known. */
static grove_status decode_graph(grove__survey *survey, grove_bytes bytes,
                                 const grove_event_id *id, grove__events *events)
{
    grove__block block;
    grove__batch_header header;
    grove_status status = grove__batch_open(bytes, &block, &header, &survey->error);
    if (status == GROVE_OK) {
        block.packer = &survey->packer;
        status =
            grove__batch_decode(&block, NULL, batch_parts(survey) | GROVE__DECODE_WAITING,
                                events, &survey->error);
    }
    if (status == GROVE_OK &&
        (events->id_run_count != 1 || events->id_runs[0].sequence != id->sequence ||
         !grove__replica_equal(&events->replicas[events->id_runs[0].replica],
                               &id->replica))) {
        status = grove__fail(&survey->error, GROVE_CORRUPT,
                             "what is stored of an event that waits is not one run of "
                             "it");
    }
    return status == GROVE_OK ? check_frames(survey, &block, GROVE__FRAME_OPERATIONS)
                              : status;
}

static grove_status check_waiting(grove__survey *survey, grove__survey_piece *piece,
                                  grove_bytes key)
{
    grove__events events;
    grove__pending_item item = {.events = &events};
    grove_bytes bytes;
    grove__events_init(&events, survey->store->allocator);
    grove_status status = grove__survey_value(survey, GROVE__TABLE_PENDING, key, &bytes);
    if (status == GROVE_OK) {
        status = survey->type != NULL
                     ? grove__pending_decode(survey->draft, &piece->id, bytes, &item,
                                             &survey->error)
                     : decode_graph(survey, bytes, &piece->id, &events);
    }
    if (status == GROVE_OK) {
        piece->events = events.count;
        piece->bytes = bytes.size;
    }
    grove__events_release(&events);
    return status;
}

static grove_status check_pending(grove__survey *survey)
{
    size_t count;
    grove__survey_piece *pieces = grove__survey_pieces(&survey->pending, &count);
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && !survey->is_unreadable && index < count;
         index++) {
        grove__key key;
        grove__key_of_event(&key, survey->id, &pieces[index].id.replica,
                            pieces[index].id.sequence);
        grove_bytes view = grove__key_view(&key);
        status = check_waiting(survey, &pieces[index], view);
        pieces[index].is_sound = status == GROVE_OK;
        status = grove__survey_judge(survey, status, GROVE_FINDING_PENDING,
                                     GROVE__TABLE_PENDING, view);
    }
    return status;
}

grove_status grove__survey_read_events(grove__survey *survey)
{
    grove_status status = check_snapshots(survey);
    if (status == GROVE_OK && !survey->is_unreadable) {
        status = check_batches(survey);
    }
    return status == GROVE_OK && !survey->is_unreadable ? check_pending(survey) : status;
}
