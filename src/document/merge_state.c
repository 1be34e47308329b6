/* What a snapshot has of a merge: the state of a walker. */
#include "base/error.h"
#include "document/walking.h"
#include "graph/critical.h"
#include "graph/difference.h"
#include "kv/value.h"

/* Makes the version that the walker looks from that of all events. */
static grove_status move_to_heads(grove__walking *work, grove_error *error_out)
{
    grove__merge *merge = work->merge;
    grove__frontier heads = grove__graph_heads(&work->document->graph);
    grove__ranges leave;
    grove__ranges enter;
    grove_status status =
        grove__difference_find(&work->document->walk, grove__walking_version(merge),
                               heads, &leave, &enter, error_out);
    if (status == GROVE_OK) {
        status = grove__walking_move(work, leave, enter, error_out);
    }
    if (status == GROVE_OK) {
        grove_buffer_reset(&merge->version);
        grove_buffer_append(&merge->version, heads.clocks,
                            heads.count * sizeof *heads.clocks);
        status = merge->version.failed ? grove__fail_memory(error_out) : GROVE_OK;
    }
    return status;
}

/* Lets the handle's walker see all that it has not seen yet. */
static grove_status see_all(grove__walking *work, grove_error *error_out)
{
    grove_document *document = work->document;
    grove__merge *merge = work->merge;
    uint64_t end = document->graph.end;
    bool goes_on = merge->is_warm && merge->end >= document->meta.base_clock;
    uint64_t from = merge->end;
    grove_status status = GROVE_OK;
    merge->is_warm = false;
    if (!goes_on) {
        status = grove__walking_base(work, &from, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__walking_gather(work, from, error_out);
    }
    if (status == GROVE_OK && !goes_on) {
        status = grove__walking_begin(work, from, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__walking_events(work, (grove__range){from, end},
                                       (grove__range){end, end}, goes_on, error_out);
    }
    return status;
}

grove_status grove__merge_state_encode(grove_document *document, grove__txn *txn,
                                       grove_buffer *bytes_out, grove_error *error_out)
{
    const grove_document_type *type = document->type;
    grove__merge *merge = &document->merge;
    uint64_t end = document->graph.end;
    grove__merge_job job = {.from = end,
                            .end = end,
                            .bound = UINT64_MAX,
                            .events = &document->unsaved,
                            .events_clock = document->stored,
                            .misfit = GROVE_CORRUPT};
    grove__walking work;
    grove__walking_init(&work, document, txn, merge);
    work.job = &job;
    grove_status status = see_all(&work, error_out);
    if (status == GROVE_OK) {
        status = move_to_heads(&work, error_out);
    }
    merge->is_warm = status == GROVE_OK;
    if (status == GROVE_OK) {
        grove_buffer_varint(bytes_out, merge->base);
        status = type->merge->walker_encode(type, merge->walker, end, bytes_out);
        if (status != GROVE_OK || bytes_out->failed) {
            status = grove__fail_memory(error_out);
        }
    }
    grove__walking_release(&work);
    return status;
}

/* Gives the walker the state that it had when it had seen the events, if the
 * job can go on from that. GROVE_NONE: it cannot. */
static grove_status take_state(grove__walking *work, grove__range events,
                               grove_bytes bytes, grove_error *error_out)
{
    grove_document *document = work->document;
    const grove_document_type *type = document->type;
    grove__merge *merge = work->merge;
    if (events.from > grove__walking_reach(&document->graph, work->job) ||
        events.from < document->meta.base_clock || events.end > work->job->from) {
        return GROVE_NONE;
    }
    grove_status status = GROVE_OK;
    if (document->graph.base > events.from) {
        /* The ids of what it holds, which decide between siblings. */
        status = grove__document_deepen(document, work->txn, events.from,
                                        document->graph.end, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__walking_begin(work, events.from, error_out);
    }
    if (status == GROVE_OK) {
        status = type->merge->walker_decode(type, merge->walker, events.from, events.end,
                                            bytes, error_out);
        merge->end = events.end;
    }
    return status;
}

/* The state and the heads in a snapshot become the walker's. */
static grove_status decode_state(grove__walking *work, grove_bytes snapshot,
                                 grove_error *error_out)
{
    grove_document *document = work->document;
    grove__merge *merge = work->merge;
    grove__block block;
    grove__snapshot_header header;
    grove_buffer heads;
    grove_buffer scratch;
    grove_buffer_init(&heads, document->allocator);
    grove_buffer_init(&scratch, document->allocator);
    grove_bytes bytes = {NULL, 0};
    grove_status status =
        grove__snapshot_open(snapshot, &block, &header, &heads, error_out);
    if (status == GROVE_OK) {
        block.packer = &document->packer;
        status = grove__block_frame_view(&block, GROVE__SNAPSHOT_FRAME_MERGE, &scratch,
                                         &bytes, error_out);
    }
    grove_reader reader = grove_reader_of(bytes);
    uint64_t base = grove_reader_varint(&reader);
    if (status == GROVE_OK && (reader.failed || base > header.clock)) {
        status =
            grove__fail(error_out, GROVE_CORRUPT, "the state of a merge has no base");
    }
    if (status == GROVE_OK) {
        status = take_state(work, (grove__range){base, header.clock},
                            grove_reader_bytes(&reader, grove_reader_left(&reader)),
                            error_out);
    }
    const grove__head *items = (const grove__head *)(const void *)heads.data;
    grove_buffer_reset(&merge->version);
    for (size_t index = 0; status == GROVE_OK && index < header.head_count; index++) {
        grove_buffer_append(&merge->version, &items[index].clock, sizeof(uint64_t));
    }
    grove_buffer_release(&scratch);
    grove_buffer_release(&heads);
    return status;
}

/* Takes the state from the snapshot that was loaded, where that saves seeing
 * its events again. If it cannot be used, they are seen again. */
void grove__merge_state_restore(grove__walking *work)
{
    grove_document *document = work->document;
    grove__merge *merge = work->merge;
    uint64_t clock = merge->state_clock;
    grove_status status =
        grove__critical_since(&document->graph, work->job->from, work->job->bound,
                              document->allocator, &merge->critical, NULL);
    if (status == GROVE_OK && merge->critical.items[0].end > clock) {
        return;
    }
    grove__key key;
    grove_buffer joined;
    grove_bytes bytes;
    grove__key_of_clock(&key, document->id, clock);
    grove_buffer_init(&joined, document->allocator);
    status = grove__value_get(work->txn, GROVE__TABLE_SNAPSHOTS, grove__key_view(&key),
                              &joined, &bytes, NULL);
    if (status == GROVE_OK) {
        document->bytes_read += bytes.size;
        status = decode_state(work, bytes, NULL);
    }
    merge->is_warm = status == GROVE_OK && !merge->version.failed;
    merge->state_clock = GROVE__NO_SNAPSHOT;
    grove_buffer_release(&joined);
}
