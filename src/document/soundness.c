#include "document/soundness.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "document/stamps.h"
#include "format/sorted.h"

/* A run of a replica. */
typedef struct run {
    uint64_t clock;
    uint64_t sequence;
    uint64_t count;
    uint32_t replica; /* index into `replicas` */
} run;

/* A snapshot that events have yet to reach. */
typedef struct due_snapshot {
    uint64_t clock;
    size_t head_first; /* into `heads` */
    size_t head_count;
} due_snapshot;

struct grove__soundness {
    const grove_allocator *allocator;
    grove__meta_record meta;
    /* Never stored: its graph takes the events. Its type is the document's, or
     * stands in for one that is not known here. */
    grove_document *draft;
    bool knows_type;
    grove_buffer replicas; /* grove_replica records, ascending */
    grove_buffer runs;     /* run records, replica after replica */
    grove__sorted by_clock;
    uint64_t run_events;
    bool has_begun;         /* the runs are complete */
    grove_buffer snapshots; /* due_snapshot records, ascending */
    grove_buffer heads;     /* grove__head records of them */
    size_t snapshots_met;
    grove__events events; /* of the batch that is looked at */
    grove_event_id last_pending;
};

static grove_status fail(grove_error *error_out, const char *fault)
{
    return grove__fail(error_out, GROVE_CORRUPT, "the document %s", fault);
}

/* --- beginning and end --- */

/* Whether the record can be one, as far as its numbers tell. */
static grove_status check_meta(const grove__meta_record *meta, grove_error *error_out)
{
    uint8_t bytes[GROVE__META_RECORD_BYTES];
    grove__meta_record again;
    grove__meta_record_encode(meta, bytes);
    return grove__meta_record_decode((grove_bytes){bytes, sizeof bytes}, &again,
                                     error_out);
}

/* Takes the table of a type if it is the document's and knows its format. */
static void try_type(grove__soundness *soundness, const grove_document_type *type)
{
    if (strcmp(type->name, soundness->meta.type_name) == 0 &&
        soundness->meta.type_format <= type->format) {
        soundness->draft->type = type;
        soundness->knows_type = true;
    }
}

/* The table of the document's type, or one that takes any graph. */
static void choose_type(grove__soundness *soundness)
{
    const grove_document_type *type;
    soundness->draft->type = grove_type_opaque();
    for (size_t index = 0; (type = grove__document_type_at(index)) != NULL; index++) {
        try_type(soundness, type);
    }
}

grove_status grove__soundness_new(grove_store *store, grove_bytes id,
                                  const grove__meta_record *said,
                                  grove__soundness **soundness_out,
                                  grove_error *error_out)
{
    const grove_allocator *allocator = store->allocator;
    grove__meta_record meta = {.type_format = said->type_format,
                               .incarnation = said->incarnation,
                               .revision = said->revision,
                               .events = said->events,
                               .base_clock = said->base_clock,
                               .snapshot_clock = GROVE__NO_SNAPSHOT,
                               .sealed_clock = said->sealed_clock};
    memcpy(meta.type_name, said->type_name, sizeof meta.type_name);
    if (meta.events > GROVE_DOCUMENT_EVENTS_MAX || meta.base_clock > meta.events) {
        return fail(error_out, "has clocks that cannot be");
    }
    grove__soundness *soundness = grove__allocate_zeroed(allocator, sizeof *soundness);
    if (soundness == NULL) {
        return grove__fail_memory(error_out);
    }
    soundness->allocator = allocator;
    soundness->meta = meta;
    grove_buffer_init(&soundness->replicas, allocator);
    grove_buffer_init(&soundness->runs, allocator);
    grove_buffer_init(&soundness->snapshots, allocator);
    grove_buffer_init(&soundness->heads, allocator);
    grove__events_init(&soundness->events, allocator);
    grove_status status =
        grove__document_new(store, id, NULL, &soundness->draft, error_out);
    if (status != GROVE_OK) {
        grove__soundness_free(soundness);
        return status;
    }
    choose_type(soundness);
    *soundness_out = soundness;
    return GROVE_OK;
}

void grove__soundness_free(grove__soundness *soundness)
{
    if (soundness == NULL) {
        return;
    }
    grove_document_close(soundness->draft);
    grove__sorted_release(&soundness->by_clock, soundness->allocator);
    grove_buffer_release(&soundness->replicas);
    grove_buffer_release(&soundness->runs);
    grove_buffer_release(&soundness->snapshots);
    grove_buffer_release(&soundness->heads);
    grove__events_release(&soundness->events);
    grove__deallocate(soundness->allocator, soundness, sizeof *soundness);
}

/* --- runs --- */

static const run *runs_of(const grove__soundness *soundness, size_t *count_out)
{
    *count_out = soundness->runs.size / sizeof(run);
    return (const run *)(const void *)soundness->runs.data;
}

static const grove_replica *replica_at(const grove__soundness *soundness, size_t index)
{
    return (const grove_replica *)(const void *)soundness->replicas.data + index;
}

grove_status grove__soundness_run(grove__soundness *soundness,
                                  const grove_event_id *first, grove__run_record said,
                                  grove_error *error_out)
{
    size_t replica_count = soundness->replicas.size / sizeof(grove_replica);
    size_t run_count;
    const run *runs = runs_of(soundness, &run_count);
    grove_status status = grove__key_check_replica(&first->replica, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    uint64_t events = soundness->meta.events;
    if (said.count == 0 || said.clock > events || said.count > events - said.clock ||
        first->sequence > GROVE_DOCUMENT_EVENTS_MAX - said.count) {
        return fail(error_out, "has a run of events beyond its last");
    }
    uint64_t expected = 0;
    int order = 1;
    if (replica_count > 0) {
        order = grove__bytes_compare(
            grove__replica_bytes(&first->replica),
            grove__replica_bytes(replica_at(soundness, replica_count - 1)));
    }
    if (order == 0) {
        expected = runs[run_count - 1].sequence + runs[run_count - 1].count;
    }
    if (order < 0 || first->sequence != expected) {
        return fail(error_out,
                    "has runs that leave sequences out, or stand out of order");
    }
    if (order > 0) {
        grove_buffer_append(&soundness->replicas, &first->replica, sizeof first->replica);
        replica_count++;
    }
    run added = {said.clock, first->sequence, said.count, (uint32_t)(replica_count - 1)};
    grove_buffer_append(&soundness->runs, &added, sizeof added);
    soundness->run_events += said.count;
    if (soundness->runs.failed || soundness->replicas.failed) {
        return grove__fail_memory(error_out);
    }
    return soundness->run_events > events
               ? fail(error_out, "has more events in runs than it has")
               : GROVE_OK;
}

static int compare_clocks(const void *a, const void *b)
{
    uint64_t clock = ((const run *)a)->clock;
    uint64_t other = ((const run *)b)->clock;
    return (clock > other) - (clock < other);
}

/* The run with the event at `clock`; NULL: there is none. */
static const run *run_at(const grove__soundness *soundness, uint64_t clock)
{
    size_t count;
    const run *runs = runs_of(soundness, &count);
    grove__sorted_items items = {runs, sizeof *runs, compare_clocks};
    run key = {.clock = clock};
    uint32_t found = grove__sorted_floor(&soundness->by_clock, &items, &key);
    return found == GROVE__SORTED_NONE || clock - runs[found].clock >= runs[found].count
               ? NULL
               : &runs[found];
}

/* Whether the runs have each clock once: none begins in another, and together
 * they are as many as there are clocks. */
static grove_status check_runs(grove__soundness *soundness, grove_error *error_out)
{
    size_t count;
    const run *runs = runs_of(soundness, &count);
    grove__sorted_items items = {runs, sizeof *runs, compare_clocks};
    if (!grove__sorted_cover(&soundness->by_clock, soundness->allocator, &items, count)) {
        return grove__fail_memory(error_out);
    }
    for (size_t index = 0; index < count; index++) {
        if (run_at(soundness, runs[index].clock + runs[index].count - 1) !=
            &runs[index]) {
            return fail(error_out, "has two runs with one clock");
        }
    }
    return soundness->run_events == soundness->meta.events
               ? GROVE_OK
               : fail(error_out, "has events that are in no run");
}

/* --- events --- */

/* Begins the draft's graph behind the last event that was removed. Of a timed
 * type the first batch, if there is one, says the time of that. */
static grove_status begin_graph(grove__soundness *soundness, const grove__events *first,
                                grove_error *error_out)
{
    grove_document *draft = soundness->draft;
    uint64_t base = soundness->meta.base_clock;
    grove__head head;
    memset(&head, 0, sizeof head);
    if (base > 0) {
        const run *last = run_at(soundness, base - 1);
        if (last == NULL) {
            return fail(error_out, "has events that are in no run");
        }
        head.clock = base - 1;
        head.id.replica = *replica_at(soundness, last->replica);
        head.id.sequence = last->sequence + (base - 1 - last->clock);
        head.time = first == NULL ? 0 : grove__stamps_said(first, &head.id);
    }
    grove_status status = grove__graph_init(&draft->graph, draft->allocator, base, &head,
                                            base > 0 ? 1 : 0, error_out);
    if (status == GROVE_OK) {
        grove__walk_init(&draft->walk, &draft->graph);
    }
    return status;
}

/* Before the first piece that is no run. */
static grove_status begin(grove__soundness *soundness, grove_error *error_out)
{
    if (soundness->has_begun) {
        return GROVE_OK;
    }
    grove_status status = check_runs(soundness, error_out);
    if (status == GROVE_OK) {
        status = begin_graph(soundness, NULL, error_out);
    }
    soundness->has_begun = status == GROVE_OK;
    return status;
}

/* Whether all frames of a block are what its directory says. */
static grove_status check_frames(const grove__block *block, grove_buffer *scratch,
                                 grove_error *error_out)
{
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < block->frame_count; index++) {
        grove_bytes bytes;
        status = grove__block_frame_view(block, block->frames[index].id, scratch, &bytes,
                                         error_out);
    }
    return status;
}

/* Decodes a state, for the faults that it may have. */
static grove_status check_state(const grove__soundness *soundness,
                                const grove__block *block, grove_error *error_out)
{
    const grove_document_type *type = soundness->draft->type;
    grove_type_frames frames = {{NULL, 0}, {NULL, 0}, false};
    grove_buffer structure;
    grove_buffer content;
    grove_buffer_init(&structure, soundness->allocator);
    grove_buffer_init(&content, soundness->allocator);
    grove_status status = check_frames(block, &structure, error_out);
    if (status == GROVE_OK) {
        status = grove__block_frame_view(block, GROVE__SNAPSHOT_FRAME_STRUCTURE,
                                         &structure, &frames.structure, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__block_frame_view(block, GROVE__SNAPSHOT_FRAME_CONTENT, &content,
                                         &frames.content, error_out);
    }
    if (status == GROVE_OK && soundness->knows_type) {
        void *state = NULL;
        status =
            type->state_decode(type, soundness->allocator, frames, &state, error_out);
        if (status == GROVE_OK) {
            type->state_free(type, state);
        }
    }
    grove_buffer_release(&structure);
    grove_buffer_release(&content);
    return status;
}

grove_status grove__soundness_snapshot(grove__soundness *soundness, uint64_t clock,
                                       grove_bytes bytes, grove_error *error_out)
{
    grove__meta_record *meta = &soundness->meta;
    grove_status status = begin(soundness, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (clock < meta->base_clock || clock > meta->events ||
        (meta->snapshots > 0 && clock <= meta->snapshot_clock)) {
        return fail(error_out, "has a snapshot out of place");
    }
    grove__block block;
    grove__snapshot_header header;
    due_snapshot due = {clock, soundness->heads.size / sizeof(grove__head), 0};
    status = grove__snapshot_open(bytes, &block, &header, &soundness->heads, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (header.clock != clock) {
        return fail(error_out, "has a snapshot that is one of another clock");
    }
    if (soundness->knows_type && header.type_format > soundness->draft->type->format) {
        return grove__fail(error_out, GROVE_FORMAT_NEWER,
                           "the snapshot has a later format of type %s", meta->type_name);
    }
    block.packer = &soundness->draft->packer;
    due.head_count = header.head_count;
    if (grove__document_is_timed(soundness->draft)) {
        grove__head *heads =
            (grove__head *)(void *)soundness->heads.data + due.head_first;
        status = grove__snapshot_times(&block, soundness->allocator, heads,
                                       due.head_count, error_out);
        if (status != GROVE_OK) {
            return status;
        }
    }
    grove_buffer_append(&soundness->snapshots, &due, sizeof due);
    if (soundness->snapshots.failed) {
        return grove__fail_memory(error_out);
    }
    meta->snapshots++;
    meta->snapshot_bytes += bytes.size;
    meta->snapshot_clock = clock;
    meta->newest_snapshot_bytes = bytes.size;
    return check_state(soundness, &block, error_out);
}

/* Whether the events so far have the heads that a snapshot says. */
static bool heads_agree(const grove__soundness *soundness, const due_snapshot *due)
{
    grove__graph *graph = &soundness->draft->graph;
    grove__frontier heads = grove__graph_heads(graph);
    const grove__head *said =
        (const grove__head *)(const void *)soundness->heads.data + due->head_first;
    bool agree = heads.count == due->head_count;
    for (size_t index = 0; agree && index < heads.count; index++) {
        grove__id_span span;
        uint64_t time = grove__graph_time(graph, heads.clocks[index]);
        agree = heads.clocks[index] == said[index].clock &&
                (time == 0 || time == said[index].time) &&
                grove__ids_at(&graph->ids, heads.clocks[index], &span) &&
                span.sequence == said[index].id.sequence &&
                grove__replica_equal(grove__ids_name(&graph->ids, span.replica),
                                     &said[index].id.replica);
    }
    return agree;
}

/* The clock of the next snapshot, when the events so far agree with all that
 * are due. GROVE_CORRUPT. */
static grove_status meet_snapshots(grove__soundness *soundness, uint64_t *next_out,
                                   grove_error *error_out)
{
    const due_snapshot *due =
        (const due_snapshot *)(const void *)soundness->snapshots.data;
    size_t count = soundness->snapshots.size / sizeof *due;
    size_t *met = &soundness->snapshots_met;
    for (; *met < count && due[*met].clock == soundness->draft->graph.end; (*met)++) {
        if (!heads_agree(soundness, &due[*met])) {
            return fail(error_out, "has a snapshot of another version than its events");
        }
    }
    *next_out = *met < count ? due[*met].clock : UINT64_MAX;
    return GROVE_OK;
}

/* Whether the batch's events have the ids that runs give to their clocks. */
static grove_status check_ids(const grove__soundness *soundness, uint64_t first_clock,
                              grove_error *error_out)
{
    const grove__events *events = &soundness->events;
    for (size_t index = 0; index < events->id_run_count; index++) {
        const grove__id_run *ids = &events->id_runs[index];
        uint64_t clock = first_clock + ids->event;
        uint64_t sequence = ids->sequence;
        uint64_t end = clock + ids->count;
        while (clock < end) {
            const run *said = run_at(soundness, clock);
            if (said == NULL || sequence != said->sequence + (clock - said->clock) ||
                !grove__replica_equal(&events->replicas[ids->replica],
                                      replica_at(soundness, said->replica))) {
                return fail(error_out, "has a batch with other ids than its runs say");
            }
            uint64_t next = said->clock + said->count;
            next = next < end ? next : end;
            sequence += next - clock;
            clock = next;
        }
    }
    return GROVE_OK;
}

/* The batch's events into the graph, with a stop at each snapshot. */
static grove_status add_events(grove__soundness *soundness, uint64_t first_clock,
                               grove_error *error_out)
{
    grove__events *events = &soundness->events;
    grove__list_part part = {events, first_clock, 0, 0};
    while (part.from < events->count) {
        uint64_t next;
        grove_status status = meet_snapshots(soundness, &next, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        uint64_t left = next - (first_clock + part.from);
        part.end =
            left < events->count - part.from ? part.from + (uint32_t)left : events->count;
        status = grove__document_add_list(soundness->draft, NULL, &part, error_out);
        if (status != GROVE_OK) {
            return status == GROVE_NO_MEMORY
                       ? status
                       : fail(error_out, "has events that contradict each other");
        }
        part.from = part.end;
    }
    return GROVE_OK;
}

/* Decodes a block of events into `events`; `waiting`: GROVE__DECODE_WAITING, or
 * 0. */
static grove_status decode(grove__soundness *soundness, grove_bytes bytes,
                           uint32_t waiting, grove__batch_header *header_out,
                           grove_error *error_out)
{
    const grove_document_type *type =
        soundness->knows_type ? soundness->draft->type : NULL;
    grove__block block;
    grove_status status = grove__batch_open(bytes, &block, header_out, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    block.packer = &soundness->draft->packer;
    if (soundness->knows_type) {
        return grove__batch_decode(&block, type, GROVE__DECODE_ALL | waiting,
                                   &soundness->events, error_out);
    }
    grove_buffer scratch;
    grove_buffer_init(&scratch, soundness->allocator);
    status = check_frames(&block, &scratch, error_out);
    grove_buffer_release(&scratch);
    return status == GROVE_OK
               ? grove__batch_decode(&block, type,
                                     GROVE__DECODE_GRAPH | GROVE__DECODE_TIMESTAMPS,
                                     &soundness->events, error_out)
               : status;
}

grove_status grove__soundness_batch(grove__soundness *soundness, uint64_t clock,
                                    grove_bytes bytes, grove_error *error_out)
{
    grove__batch_header header;
    grove_document *draft = soundness->draft;
    grove_status status = begin(soundness, error_out);
    if (status == GROVE_OK) {
        status = decode(soundness, bytes, 0, &header, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    if (header.first_clock != clock || clock != draft->graph.end ||
        header.event_count == 0 || header.event_count > soundness->meta.events - clock) {
        return fail(error_out, "has a batch out of place");
    }
    if (clock == soundness->meta.base_clock && grove__document_is_timed(draft)) {
        grove__walk_release(&draft->walk);
        grove__graph_release(&draft->graph);
        status = begin_graph(soundness, &soundness->events, error_out);
    }
    if (status == GROVE_OK) {
        status = check_ids(soundness, clock, error_out);
    }
    uint64_t reach = 0;
    if (status == GROVE_OK) {
        status = grove__document_reach(draft, NULL, &soundness->events, clock, &reach,
                                       error_out);
        if (status == GROVE_CORRUPT) {
            status = fail(error_out, "has an event with a parent that is not known");
        }
    }
    if (status == GROVE_OK && reach != header.reach) {
        status = fail(error_out, "has a batch with another reach than its parents say");
    }
    if (status == GROVE_OK) {
        status = add_events(soundness, clock, error_out);
    }
    soundness->meta.batches++;
    soundness->meta.batch_bytes += bytes.size;
    return status;
}

/* --- events that wait --- */

static int compare_ids(const grove_event_id *a, const grove_event_id *b)
{
    int order = grove__bytes_compare(grove__replica_bytes(&a->replica),
                                     grove__replica_bytes(&b->replica));
    return order != 0 ? order : (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

/* Whether the events are one run that begins with this one. */
static bool is_one_run(const grove__soundness *soundness, const grove_event_id *first)
{
    const grove__events *events = &soundness->events;
    size_t operations = events->operations.size / sizeof(grove_operation);
    return events->id_run_count == 1 && events->parent_run_count == 1 &&
           events->time_run_count == 1 && (operations == 1 || !soundness->knows_type) &&
           events->id_runs[0].sequence == first->sequence &&
           grove__replica_equal(&events->replicas[events->id_runs[0].replica],
                                &first->replica);
}

grove_status grove__soundness_pending(grove__soundness *soundness,
                                      const grove_event_id *first, grove_bytes bytes,
                                      grove_error *error_out)
{
    grove__meta_record *meta = &soundness->meta;
    grove__batch_header header;
    grove_status status = begin(soundness, error_out);
    if (status == GROVE_OK) {
        status = grove__key_check_replica(&first->replica, error_out);
    }
    if (status == GROVE_OK) {
        status = decode(soundness, bytes, GROVE__DECODE_WAITING, &header, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    if (meta->pending > 0 && compare_ids(first, &soundness->last_pending) <= 0) {
        return fail(error_out, "has events that wait out of order");
    }
    if (header.first_clock != 0 || header.reach != 0 || !is_one_run(soundness, first)) {
        return fail(error_out, "has events that wait and are not one run");
    }
    if (soundness->events.count > GROVE_PENDING_EVENTS_MAX - meta->pending) {
        return fail(error_out, "has too many events that wait");
    }
    soundness->last_pending = *first;
    meta->pending += soundness->events.count;
    return GROVE_OK;
}

grove_status grove__soundness_end(grove__soundness *soundness,
                                  grove__meta_record *meta_out, grove_error *error_out)
{
    uint64_t next = UINT64_MAX;
    grove_status status = begin(soundness, error_out);
    if (status == GROVE_OK) {
        status = meet_snapshots(soundness, &next, error_out);
    }
    if (status == GROVE_OK && soundness->draft->graph.end != soundness->meta.events) {
        status = fail(error_out, "lacks batches");
    }
    if (status == GROVE_OK) {
        status = check_meta(&soundness->meta, error_out);
    }
    if (status == GROVE_OK) {
        *meta_out = soundness->meta;
    }
    return status;
}
