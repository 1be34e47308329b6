/* From the store to a state: snapshot, then the batches after it. */
#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"
#include "document/operations.h"
#include "document/stamps.h"
#include "kv/value.h"

/* A snapshot's bytes as a state, with its heads; nothing is kept on failure. */
static grove_status decode_snapshot(grove_document *document, grove_bytes bytes,
                                    uint64_t clock, grove_buffer *heads, void **state_out,
                                    grove_error *error_out)
{
    grove__block block;
    grove__snapshot_header header;
    grove_status status = grove__snapshot_open(bytes, &block, &header, heads, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    block.packer = &document->packer;
    if (grove__document_is_timed(document)) {
        status = grove__snapshot_times(&block, document->allocator,
                                       (grove__head *)(void *)heads->data,
                                       header.head_count, error_out);
        if (status != GROVE_OK) {
            return status;
        }
    }
    if (header.clock != clock) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "the snapshot at clock %llu says that it is of clock %llu",
                           (unsigned long long)clock, (unsigned long long)header.clock);
    }
    if (header.type_format > document->type->format) {
        return grove__fail(
            error_out, GROVE_FORMAT_NEWER,
            "the snapshot has format %u of type %s, this program knows up to %u",
            (unsigned)header.type_format, document->type->name,
            (unsigned)document->type->format);
    }
    grove_buffer structure;
    grove_buffer content;
    grove_buffer_init(&structure, document->allocator);
    grove_buffer_init(&content, document->allocator);
    grove_type_frames frames = {.is_content_left_out = false};
    status = grove__block_frame_view(&block, GROVE__SNAPSHOT_FRAME_STRUCTURE, &structure,
                                     &frames.structure, error_out);
    if (status == GROVE_OK) {
        status = grove__block_frame_view(&block, GROVE__SNAPSHOT_FRAME_CONTENT, &content,
                                         &frames.content, error_out);
    }
    if (status == GROVE_OK) {
        status = document->type->state_decode(document->type, document->allocator, frames,
                                              state_out, error_out);
        bool has_merge = document->type->merge != NULL && block.frame_count > 2;
        document->merge.state_clock = has_merge ? clock : GROVE__NO_SNAPSHOT;
    }
    grove_buffer_release(&structure);
    grove_buffer_release(&content);
    return status;
}

/* Begins at the snapshot of `clock`. GROVE_CORRUPT: it cannot be used. */
static grove_status load_snapshot(grove_document *document, grove__txn *txn,
                                  uint64_t clock, grove_error *error_out)
{
    grove__key key;
    grove__key_of_clock(&key, document->id, clock);
    grove_buffer joined;
    grove_buffer heads;
    grove_buffer_init(&joined, document->allocator);
    grove_buffer_init(&heads, document->allocator);
    grove_bytes bytes;
    void *state = NULL;
    grove_status status = grove__value_get(
        txn, GROVE__TABLE_SNAPSHOTS, grove__key_view(&key), &joined, &bytes, error_out);
    if (status == GROVE_OK) {
        document->bytes_read += bytes.size;
        status = decode_snapshot(document, bytes, clock, &heads, &state, error_out);
    } else if (status == GROVE_NONE) {
        status =
            grove__fail(error_out, GROVE_CORRUPT, "the snapshot at clock %llu is missing",
                        (unsigned long long)clock);
    }
    if (status == GROVE_OK) {
        status = grove__graph_init(&document->graph, document->allocator, clock,
                                   (const grove__head *)(const void *)heads.data,
                                   heads.size / sizeof(grove__head), error_out);
        if (status == GROVE_OK) {
            grove__walk_init(&document->walk, &document->graph);
            document->state = state;
            document->stored = clock;
        } else {
            document->type->state_free(document->type, state);
        }
    }
    grove_buffer_release(&heads);
    grove_buffer_release(&joined);
    return status;
}

/* Begins with the empty state. */
static grove_status load_nothing(grove_document *document, grove_error *error_out)
{
    grove_status status =
        grove__graph_init(&document->graph, document->allocator, 0, NULL, 0, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status =
        document->type->state_new(document->type, document->allocator, &document->state);
    if (status != GROVE_OK) {
        grove__graph_release(&document->graph);
        return grove__fail_memory(error_out);
    }
    grove__walk_init(&document->walk, &document->graph);
    document->stored = 0;
    return GROVE_OK;
}

/* Begins at the newest of the snapshots up to `clock` that is sound, counting
 * those that are not. GROVE_NONE: there is none. */
static grove_status load_older(grove_document *document, grove__txn *txn, uint64_t clock,
                               grove_error *error_out)
{
    grove_buffer pieces;
    grove_buffer_init(&pieces, document->allocator);
    grove_status status = grove__pieces_read(document, txn, GROVE__TABLE_SNAPSHOTS,
                                             GROVE__PIECES_MAX, &pieces, error_out);
    const grove__piece *snapshots = (const grove__piece *)(const void *)pieces.data;
    size_t index = pieces.size / sizeof *snapshots;
    bool is_loaded = false;
    while (status == GROVE_OK && !is_loaded && index > 0) {
        index--;
        if (snapshots[index].clock > clock ||
            snapshots[index].clock < document->meta.base_clock) {
            continue;
        }
        status = load_snapshot(document, txn, snapshots[index].clock, error_out);
        is_loaded = status == GROVE_OK;
        if (status == GROVE_CORRUPT) {
            document->damaged_snapshots++;
            status = GROVE_OK;
        }
    }
    grove_buffer_release(&pieces);
    return status == GROVE_OK && !is_loaded ? GROVE_NONE : status;
}

/*
 * Begins at the newest snapshot that is sound, and not beyond what a view of
 * the past shows; one that is damaged costs a replay from the one before, not
 * the document.
 */
static grove_status load_newest(grove_document *document, grove__txn *txn,
                                grove_error *error_out)
{
    uint64_t newest = document->meta.snapshot_clock;
    uint64_t end = document->meta.events;
    if (newest == GROVE__NO_SNAPSHOT) {
        return load_nothing(document, error_out);
    }
    grove_status status = GROVE_NONE;
    if (newest <= end) {
        status = load_snapshot(document, txn, newest, error_out);
        if (status != GROVE_CORRUPT) {
            return status;
        }
        document->damaged_snapshots = 1;
        end = newest - 1;
        /* The next save makes good for it. */
        document->wants_snapshot = true;
    }
    if (newest > 0) {
        grove_status older = load_older(document, txn, end, error_out);
        status = older == GROVE_NONE ? status : older;
    }
    bool may_begin_empty = document->meta.base_clock == 0 || document->meta.events == 0;
    if (may_begin_empty && (status == GROVE_CORRUPT || status == GROVE_NONE)) {
        return load_nothing(document, error_out);
    }
    if (status == GROVE_NONE) {
        return grove__fail(error_out, GROVE_HISTORY_REMOVED,
                           "a compaction removed what the document was at clock %llu",
                           (unsigned long long)document->meta.events);
    }
    return status;
}

/* The state takes operations as they are, and who listens is told. */
static grove_status take_operations(grove_document *document, grove_operations operations,
                                    grove_stamps stamps, grove_status misfit,
                                    grove_error *error_out)
{
    const grove_document_type *type = document->type;
    grove_status status =
        type->state_apply(type, document->state, operations, stamps, error_out);
    if (status == GROVE_OK) {
        grove__document_report(document, operations);
    } else if (status == GROVE_CORRUPT && misfit != GROVE_CORRUPT) {
        status = grove__fail(error_out, misfit,
                             "an operation does not fit what was there when it was made");
    } else if (status != GROVE_CORRUPT && operations.count > 1) {
        /* Some of the operations may be in the state (D4). */
        document->failed = true;
    }
    return status;
}

/* The same for some events of a list, whose operations may have to be cut. */
static grove_status take_cut(grove_document *document, const grove__list_part *part,
                             grove_stamps stamps, grove_status misfit,
                             grove_error *error_out)
{
    uint64_t clock = part->first_clock + part->from;
    uint64_t end = part->first_clock + part->end;
    grove__operation_list list;
    grove_buffer cut;
    grove__operation_list_init(&list, document);
    grove_buffer_init(&cut, document->allocator);
    grove_status status = grove__operation_list_add(
        &list, part->events, part->first_clock, clock, end, error_out);
    while (status == GROVE_OK && clock < end) {
        grove_operation operation = grove__operation_list_get(&list, clock, end);
        grove_buffer_append(&cut, &operation, sizeof operation);
        clock += operation.count;
    }
    if (status == GROVE_OK && cut.failed) {
        status = grove__fail_memory(error_out);
    }
    if (status == GROVE_OK) {
        grove_operations operations = {(const grove_operation *)(const void *)cut.data,
                                       cut.size / sizeof(grove_operation)};
        status = take_operations(document, operations, stamps, misfit, error_out);
    }
    grove_buffer_release(&cut);
    grove__operation_list_release(&list);
    return status;
}

/* The state takes events of a list, which the graph has. */
static grove_status take_part(grove_document *document, const grove__list_part *part,
                              grove_status misfit, grove_error *error_out)
{
    grove_buffer runs;
    grove_buffer_init(&runs, document->allocator);
    grove_status status =
        grove__stamps_add(document, part->first_clock + part->from,
                          part->first_clock + part->end, &runs, error_out);
    grove_stamps stamps = grove__stamps_view(&runs);
    if (status == GROVE_OK && part->from == 0 && part->end == part->events->count) {
        status = take_operations(document, grove__events_operations(part->events), stamps,
                                 misfit, error_out);
    } else if (status == GROVE_OK) {
        status = take_cut(document, part, stamps, misfit, error_out);
    }
    grove_buffer_release(&runs);
    return status;
}

/* Whether the events from `clock` on are a chain that goes on from all that
 * was there before. */
static bool is_chain(const grove__graph *graph, uint64_t clock)
{
    return grove__graph_has_one_head(graph) &&
           grove__graph_run_at(graph, graph->run_count - 1).from <= clock;
}

grove_status grove__document_apply_list(grove_document *document, grove__txn *txn,
                                        const grove__list_part *part, uint64_t bound,
                                        grove_status misfit, grove_error *error_out)
{
    uint64_t from = part->first_clock + part->from;
    if (document->type->merge == NULL || is_chain(&document->graph, from)) {
        return take_part(document, part, misfit, error_out);
    }
    grove__merge_job job = {
        .from = from,
        .end = part->first_clock + part->end,
        .bound = bound,
        .events = part->events,
        .events_clock = part->first_clock,
        .misfit = misfit,
    };
    return grove__document_merge(document, txn, &job, error_out);
}

/* A batch that is to be taken in, and what is known of those after it. */
typedef struct tail_batch {
    uint64_t clock;
    uint64_t bound; /* their least reach, or UINT64_MAX */
} tail_batch;

/* Takes in a batch from `stored` on. On failure the handle is as it was, or
 * failed. */
static grove_status load_batch(grove_document *document, grove__txn *txn,
                               const tail_batch *batch, grove__batch_reader *reader,
                               grove__events *events, grove_error *error_out)
{
    uint64_t clock = batch->clock;
    grove_status status = grove__batch_read(document, txn, clock, reader, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    uint64_t end = clock + reader->header.event_count;
    if (end <= document->stored || (end > document->meta.events && !document->is_past)) {
        return grove__fail(
            error_out, GROVE_CORRUPT,
            "the batch at clock %llu ends at %llu; the document has %llu events",
            (unsigned long long)clock, (unsigned long long)end,
            (unsigned long long)document->meta.events);
    }
    status = grove__batch_decode(&reader->block, document->type,
                                 GROVE__DECODE_GRAPH | GROVE__DECODE_OPERATIONS |
                                     GROVE__DECODE_CONTENTS,
                                 events, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    size_t bytes = reader->bytes.size;
    /* A view of the past may end inside. */
    end = grove__min_u64(end, document->meta.events);
    grove__list_part part = {events, clock, (uint32_t)(document->stored - clock),
                             (uint32_t)(end - clock)};
    status = grove__document_add_stored(document, txn, &part, error_out);
    if (status == GROVE_OK) {
        status = grove__document_apply_list(document, txn, &part, batch->bound,
                                            GROVE_CORRUPT, error_out);
    }
    if (status != GROVE_OK && document->graph.end != document->stored &&
        grove__document_cut_graph(document, document->stored, NULL) != GROVE_OK) {
        document->failed = true;
    }
    if (status == GROVE_OK) {
        document->stored = end;
        document->tail_batches++;
        document->tail_bytes += bytes;
        document->tail_operations += events->operations.size / sizeof(grove_operation);
    }
    return status;
}

/*
 * Lists the batches from the one with the event `stored` on, and what each
 * may assume of those after it: a version that is critical until some batch is
 * only so when no later one reaches behind it.
 */
static grove_status list_tail(grove_document *document, grove__txn *txn,
                              grove__batch_reader *reader, grove_buffer *tail,
                              grove_error *error_out)
{
    tail_batch batch = {0, UINT64_MAX};
    grove_status status =
        grove__batch_find(document, txn, document->stored, &batch.clock, error_out);
    while (status == GROVE_OK && batch.clock < document->meta.events) {
        status = grove__batch_read(document, txn, batch.clock, reader, error_out);
        if (status == GROVE_OK) {
            batch.bound = reader->header.reach;
            grove_buffer_append(tail, &batch, sizeof batch);
            batch.clock += reader->header.event_count;
        }
    }
    if (status == GROVE_OK && tail->failed) {
        status = grove__fail_memory(error_out);
    }
    tail_batch *batches = (tail_batch *)(void *)tail->data;
    uint64_t bound = UINT64_MAX;
    for (size_t index = tail->size / sizeof *batches; status == GROVE_OK && index > 0;
         index--) {
        uint64_t reach = batches[index - 1].bound;
        batches[index - 1].bound = bound;
        bound = reach < bound ? reach : bound;
    }
    return status;
}

grove_status grove__document_load_tail(grove_document *document, grove__txn *txn,
                                       grove_error *error_out)
{
    if (document->stored >= document->meta.events) {
        return GROVE_OK;
    }
    grove__batch_reader reader;
    grove__events events;
    grove_buffer tail;
    grove__batch_reader_init(&reader, document->allocator);
    grove__events_init(&events, document->allocator);
    grove_buffer_init(&tail, document->allocator);
    grove_status status = list_tail(document, txn, &reader, &tail, error_out);
    const tail_batch *batches = (const tail_batch *)(const void *)tail.data;
    for (size_t index = 0; status == GROVE_OK && index < tail.size / sizeof *batches;
         index++) {
        status = load_batch(document, txn, &batches[index], &reader, &events, error_out);
    }
    grove_buffer_release(&tail);
    grove__events_release(&events);
    grove__batch_reader_release(&reader);
    return status;
}

grove_status grove__document_load_state(grove_document *document, grove__txn *txn,
                                        grove_error *error_out)
{
    grove_status status = load_newest(document, txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__document_load_tail(document, txn, error_out);
    if (status != GROVE_OK) {
        document->type->state_free(document->type, document->state);
        document->state = NULL;
        grove__walk_release(&document->walk);
        grove__graph_release(&document->graph);
    }
    return status;
}
