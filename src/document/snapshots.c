/* Making snapshots, and thinning out the older ones. */
#include "base/alloc.h"
#include "base/error.h"
#include "document/change.h"
#include "graph/critical.h"

/* Texts below this are stored as they are. See docs/BENCHMARKS.md. */
enum { RAW_BYTES_MAX = 4096, PERCENT = 100 };

/* A snapshot has the state of a merge when more events than this came since
 * its base clock: to see fewer again costs less than to read what is known. */
enum { MERGE_EVENTS_MAX = 2048 };

/* The heads of the handle's version as records. */
static grove_status encode_heads(grove_document *document, grove_buffer *heads_out,
                                 grove_error *error_out)
{
    grove__frontier heads = grove__graph_heads(&document->graph);
    for (size_t index = 0; index < heads.count; index++) {
        grove__head head;
        memset(&head, 0, sizeof head);
        head.clock = heads.clocks[index];
        grove__id_span span;
        (void)grove__ids_at(&document->graph.ids, head.clock, &span);
        head.id.replica = *grove__ids_name(&document->graph.ids, span.replica);
        head.id.sequence = span.sequence;
        head.time = grove__graph_time(&document->graph, head.clock);
        grove_buffer_append(heads_out, &head, sizeof head);
    }
    return heads_out->failed ? grove__fail_memory(error_out) : GROVE_OK;
}

/*
 * The newest critical clock at or before the end, as far as the graph tells;
 * else where history begins, which is one always. Events that come later may
 * undo that, so that it is a hint for readers, who ask the graph.
 */
static grove_status find_base_clock(grove_document *document, uint64_t *base_out,
                                    grove_error *error_out)
{
    const grove__graph *graph = &document->graph;
    uint64_t base = document->meta.base_clock;
    grove_status status =
        grove__critical_at_or_before(graph, graph->end, &base, error_out);
    if (status != GROVE_OK && status != GROVE_HISTORY_REMOVED) {
        return status;
    }
    *base_out = base;
    return GROVE_OK;
}

/* The state's two frames. */
static grove_status encode_state(const grove_document *document, uint64_t settled,
                                 grove_type_buffers *buffers, grove_error *error_out)
{
    const grove_document_type *type = document->type;
    return type->timed != NULL && settled > 0
               ? type->timed->state_encode_settled(type, document->state, settled,
                                                   buffers, error_out)
               : type->state_encode(type, document->state, buffers, error_out);
}

grove_status grove__document_encode_snapshot(grove_document *document, grove__txn *txn,
                                             uint64_t settled, grove_buffer *block_out,
                                             grove_error *error_out)
{
    const grove_document_type *type = document->type;
    grove_type_buffers buffers;
    memset(&buffers, 0, sizeof buffers);
    grove_buffer heads;
    grove_buffer merge;
    grove_buffer_init(&merge, document->allocator);
    grove_buffer_init(&buffers.structure, document->allocator);
    grove_buffer_init(&buffers.content, document->allocator);
    grove_buffer_init(&heads, document->allocator);
    grove_status status = encode_state(document, settled, &buffers, error_out);
    if (status == GROVE_OK) {
        status = encode_heads(document, &heads, error_out);
    }
    uint64_t base_clock = 0;
    if (status == GROVE_OK) {
        status = find_base_clock(document, &base_clock, error_out);
    }
    if (status == GROVE_OK && type->merge != NULL &&
        document->graph.end - base_clock > MERGE_EVENTS_MAX) {
        status = grove__merge_state_encode(document, txn, &merge, error_out);
        if (status == GROVE_OK) {
            /* The graph reaches further back since. */
            status = find_base_clock(document, &base_clock, error_out);
        }
    }
    if (status == GROVE_OK) {
        grove__snapshot_header header = {
            .clock = document->stored + document->unsaved.count,
            .base_clock = base_clock,
            .type_format = type->format,
            .head_count = (uint32_t)(heads.size / sizeof(grove__head)),
        };
        grove__packing packing = {document->level, RAW_BYTES_MAX, &document->packer};
        grove__snapshot_frames frames = {
            .structure = grove_buffer_view(&buffers.structure),
            .content = grove_buffer_view(&buffers.content),
            .merge = grove_buffer_view(&merge),
        };
        status =
            grove__snapshot_encode(&header, (const grove__head *)(const void *)heads.data,
                                   &frames, packing, block_out, error_out);
    }
    grove_buffer_release(&merge);
    grove_buffer_release(&heads);
    grove_buffer_release(&buffers.content);
    grove_buffer_release(&buffers.structure);
    return status;
}

grove_status grove__document_put_snapshot(grove_document *document, grove__txn *txn,
                                          grove__change *change, uint64_t clock,
                                          uint64_t floor, grove_bytes block,
                                          grove_error *error_out)
{
    grove_buffer pieces;
    grove_buffer_init(&pieces, document->allocator);
    grove_status status = GROVE_OK;
    if (document->exists) {
        status = grove__pieces_read(document, txn, GROVE__TABLE_SNAPSHOTS,
                                    GROVE__PIECES_MAX, &pieces, error_out);
    }
    const grove__piece *snapshots = (const grove__piece *)(const void *)pieces.data;
    size_t count = pieces.size / sizeof *snapshots;
    bool drop[GROVE__PIECES_MAX];
    if (status == GROVE_OK && count > 0 && snapshots[count - 1].clock > clock) {
        status = grove__fail(error_out, GROVE_CORRUPT,
                             "there is a snapshot of clock %llu, beyond the last event",
                             (unsigned long long)snapshots[count - 1].clock);
    }
    if (status == GROVE_OK) {
        uint64_t bytes_max =
            change->meta.batch_bytes / PERCENT * document->policy.older_percent;
        /* One of the same clock is replaced, and counts as none. */
        size_t older =
            count > 0 && snapshots[count - 1].clock == clock ? count - 1 : count;
        grove__thin_snapshots(snapshots, older, clock, bytes_max, drop);
        for (size_t index = 0; index < count; index++) {
            if (index >= older || drop[index] || snapshots[index].clock < floor) {
                grove__change_remove_snapshot(change, document, &snapshots[index]);
            }
        }
        grove__change_put_snapshot(change, document, clock, block);
    }
    grove_buffer_release(&pieces);
    return status;
}
