/* Batches: see batch.h. */
#include "format/batch.h"

#include "base/assert.h"
#include "base/error.h"
#include "format/batch_columns.h"
#include "format/batch_operations.h"

enum {
    FIRST_CLOCK_OFFSET = 0,
    REACH_OFFSET = 8,
    HEADS_OFFSET = 16,
    /* Measured: zstd's tables cost more than they save on shorter frames. */
    CONTENT_RAW_BYTES_MAX = 96,
    COLUMNS_RAW_BYTES_MAX = 512,
    USUAL_LEVEL = 3,
    FRAMES = 4
};

grove__packing grove__batch_packing_usual(void)
{
    return (grove__packing){USUAL_LEVEL, CONTENT_RAW_BYTES_MAX, NULL};
}

grove__packing grove__batch_packing_sealed(int level)
{
    return (grove__packing){level, CONTENT_RAW_BYTES_MAX, NULL};
}

/* The frames of a batch while they are written. */
typedef struct batch_frames {
    grove__frame_buffer graph;
    grove__frame_buffer times;
    grove_type_buffers operations;
    grove_buffer fields;
} batch_frames;

static void init_frames(batch_frames *frames, const grove_allocator *allocator)
{
    memset(frames, 0, sizeof *frames);
    grove_buffer_init(&frames->graph.bytes, allocator);
    grove_buffer_init(&frames->times.bytes, allocator);
    grove_buffer_init(&frames->operations.structure, allocator);
    grove_buffer_init(&frames->operations.content, allocator);
    grove_buffer_init(&frames->fields, allocator);
}

static void release_frames(batch_frames *frames)
{
    grove_buffer_release(&frames->graph.bytes);
    grove_buffer_release(&frames->times.bytes);
    grove_buffer_release(&frames->operations.structure);
    grove_buffer_release(&frames->operations.content);
    grove_buffer_release(&frames->fields);
}

/* Whether the list has Lamport times of parents outside to be written. */
static grove__graph_times times_of(const grove__events *events,
                                   const grove_document_type *type)
{
    for (size_t index = 0; type->timed != NULL && index < events->parent_count; index++) {
        if (events->parents[index].replica != GROVE__PARENT_INSIDE) {
            return events->parents[index].time > 0 ? GROVE__GRAPH_TIMES_ALL
                                                   : GROVE__GRAPH_TIMES_NONE;
        }
    }
    return GROVE__GRAPH_TIMES_NONE;
}

static grove_status fill_frames(batch_frames *frames, grove__events *events,
                                const grove_document_type *type, uint64_t reach,
                                grove_error *error_out)
{
    grove_buffer_u64(&frames->fields, 0);
    grove_buffer_u64(&frames->fields, grove__batch_has_root(events) ? 0 : reach);
    if (grove__batch_heads_encode(events, &frames->fields) != GROVE_OK ||
        grove__batch_graph_encode(events, times_of(events, type), &frames->graph) !=
            GROVE_OK ||
        grove__batch_times_encode(events, &frames->times) != GROVE_OK) {
        return grove__fail_memory(error_out);
    }
    return grove__batch_operations_encode(events, type, &frames->operations, error_out);
}

grove_status grove__batch_encode(grove__events *events, const grove_document_type *type,
                                 uint64_t reach, grove__packing packing,
                                 grove_buffer *block_out, grove_error *error_out)
{
    GROVE_ASSERT(events->count <= GROVE_BATCH_EVENTS_MAX);
    GROVE_ASSERT(reach <= GROVE_DOCUMENT_EVENTS_MAX);
    batch_frames frames;
    init_frames(&frames, events->allocator);
    grove_status status = fill_frames(&frames, events, type, reach, error_out);
    if (status == GROVE_OK) {
        grove__packing columns = packing;
        if (columns.raw_bytes_max < COLUMNS_RAW_BYTES_MAX) {
            columns.raw_bytes_max = COLUMNS_RAW_BYTES_MAX;
        }
        const grove_type_buffers *operations = &frames.operations;
        const grove__frame all[FRAMES] = {
            {GROVE__FRAME_GRAPH, grove_buffer_view(&frames.graph.bytes), columns,
             frames.graph.cuts, frames.graph.cut_count},
            {GROVE__FRAME_OPERATIONS, grove_buffer_view(&operations->structure), columns,
             operations->structure_cuts, operations->structure_cut_count},
            {GROVE__FRAME_CONTENT, grove_buffer_view(&operations->content), packing, NULL,
             0},
            {GROVE__FRAME_TIMESTAMPS, grove_buffer_view(&frames.times.bytes), columns,
             frames.times.cuts, frames.times.cut_count}};
        /* A frame that is absent reads as an empty one, and takes no entry. */
        grove__frame written[FRAMES];
        size_t count = 0;
        for (size_t index = 0; index < FRAMES; index++) {
            if (all[index].bytes.size > 0) {
                written[count++] = all[index];
            }
        }
        status = grove__block_encode(GROVE__BLOCK_EVENTS, events->count,
                                     grove_buffer_view(&frames.fields), written, count,
                                     block_out, error_out);
    }
    release_frames(&frames);
    return status;
}

void grove__batch_place(uint8_t *block, uint64_t first_clock)
{
    GROVE_ASSERT(first_clock <= GROVE_DOCUMENT_EVENTS_MAX);
    uint8_t field[8];
    grove_write_u64(field, first_clock);
    grove__block_patch_fields(block, FIRST_CLOCK_OFFSET, field, sizeof field);
}

/* Verifies the list of heads; that they are the heads only the graph says. */
static bool check_heads(grove_reader *fields, uint32_t event_count, bool *is_one_out)
{
    uint64_t heads = grove_reader_varint(fields);
    uint64_t left = event_count;
    if (heads > GROVE__BATCH_HEADS_MAX || heads > event_count) {
        return false;
    }
    for (uint64_t index = 0; index < heads; index++) {
        uint64_t distance = grove_reader_varint(fields);
        /* Nothing comes after the last event, so it is always a head. */
        if (distance == 0 || distance > left || (index == 0 && distance != 1)) {
            return false;
        }
        left -= distance;
    }
    *is_one_out = heads == 1;
    return grove_reader_done(fields);
}

grove_status grove__batch_open(grove_bytes bytes, grove__block *block_out,
                               grove__batch_header *header_out, grove_error *error_out)
{
    grove__block block;
    grove_status status =
        grove__block_open(bytes, GROVE__BLOCK_EVENTS, &block, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__batch_header header = {0, 0, block.event_count, false};
    grove_reader fields = grove_reader_of(block.fields);
    header.first_clock = grove_reader_u64(&fields);
    header.reach = grove_reader_u64(&fields);
    if (fields.failed || header.event_count > GROVE_BATCH_EVENTS_MAX ||
        header.first_clock > GROVE_DOCUMENT_EVENTS_MAX - header.event_count) {
        return grove__fail_at(error_out, GROVE_CORRUPT, block.fields_offset,
                              "a batch with a clock or count that cannot be");
    }
    /* A batch that has no place yet has the first clock 0. */
    if (header.reach >
        (header.first_clock > 0 ? header.first_clock : GROVE_DOCUMENT_EVENTS_MAX)) {
        return grove__fail_at(error_out, GROVE_CORRUPT,
                              block.fields_offset + REACH_OFFSET,
                              "a batch whose parents come after it");
    }
    if (!check_heads(&fields, header.event_count, &header.is_one_head)) {
        return grove__fail_at(error_out, GROVE_CORRUPT,
                              block.fields_offset + fields.offset,
                              "a batch with heads that cannot be");
    }
    *block_out = block;
    *header_out = header;
    return GROVE_OK;
}

/* What the header says of the graph, against the graph. */
static grove_status check_fields(const grove__block *block, const grove__events *events,
                                 grove_error *error_out)
{
    grove_buffer heads;
    grove_buffer_init(&heads, events->allocator);
    grove_status status = grove__batch_heads_encode(events, &heads);
    if (status != GROVE_OK) {
        status = grove__fail_memory(error_out);
    } else if (heads.size != block->fields.size - HEADS_OFFSET ||
               memcmp(heads.data, block->fields.data + HEADS_OFFSET, heads.size) != 0) {
        status =
            grove__fail_at(error_out, GROVE_CORRUPT, block->fields_offset + HEADS_OFFSET,
                           "fields: other heads than those of the graph");
    } else if (grove__batch_has_root(events) &&
               grove_read_u64(block->fields.data + REACH_OFFSET) != 0) {
        status =
            grove__fail_at(error_out, GROVE_CORRUPT, block->fields_offset + REACH_OFFSET,
                           "fields: a reach, though an event is a root");
    }
    grove_buffer_release(&heads);
    return status;
}

/* Which times a graph has to have. */
static grove__graph_times times_in(const grove_document_type *type, uint32_t parts)
{
    if ((parts & GROVE__DECODE_WAITING) != 0 || (type != NULL && type->timed == NULL)) {
        return GROVE__GRAPH_TIMES_NONE;
    }
    return type == NULL ? GROVE__GRAPH_TIMES_ANY : GROVE__GRAPH_TIMES_ALL;
}

static grove_status decode_graph(const grove__block *block, grove__graph_times times,
                                 grove_buffer *buffer, grove__events *events,
                                 grove_error *error_out)
{
    grove_bytes frame;
    grove_status status =
        grove__block_frame_view(block, GROVE__FRAME_GRAPH, buffer, &frame, error_out);
    if (status == GROVE_OK) {
        status = grove__batch_graph_decode(frame, block->event_count, times, events,
                                           error_out);
    }
    return status == GROVE_OK ? check_fields(block, events, error_out) : status;
}

static grove_status decode_times(const grove__block *block, grove_buffer *buffer,
                                 grove__events *events, grove_error *error_out)
{
    grove_bytes frame;
    grove_status status = grove__block_frame_view(block, GROVE__FRAME_TIMESTAMPS, buffer,
                                                  &frame, error_out);
    if (status == GROVE_OK) {
        status = grove__batch_times_decode(frame, block->event_count, events, error_out);
    }
    return status;
}

static bool has_frame(const grove__block *block, uint8_t id)
{
    for (size_t index = 0; index < block->frame_count; index++) {
        if (block->frames[index].id == id) {
            return true;
        }
    }
    return false;
}

static grove_status decode_operations(const grove__block *block, grove_buffer *buffer,
                                      const grove_document_type *type, bool has_contents,
                                      grove__events *events, grove_error *error_out)
{
    grove_bytes structure;
    grove_status status = grove__block_frame_view(block, GROVE__FRAME_OPERATIONS, buffer,
                                                  &structure, error_out);
    if (status == GROVE_OK && has_contents && has_frame(block, GROVE__FRAME_CONTENT)) {
        status = grove__block_frame_decode(block, GROVE__FRAME_CONTENT, &events->content,
                                           error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    return grove__batch_operations_decode(structure, has_contents, type, events,
                                          error_out);
}

grove_status grove__batch_decode(const grove__block *block,
                                 const grove_document_type *type, uint32_t parts,
                                 grove__events *events, grove_error *error_out)
{
    grove__events_reset(events);
    /* Frames that are stored raw are read where they lie. */
    grove_buffer buffer;
    grove_buffer_init(&buffer, events->allocator);
    grove_status status = GROVE_OK;
    if ((parts & (GROVE__DECODE_GRAPH | GROVE__DECODE_OPERATIONS)) != 0) {
        status = decode_graph(block, times_in(type, parts), &buffer, events, error_out);
    }
    if (status == GROVE_OK && (parts & GROVE__DECODE_OPERATIONS) != 0) {
        bool has_contents = (parts & GROVE__DECODE_CONTENTS) != 0;
        status = decode_operations(block, &buffer, type, has_contents, events, error_out);
    }
    if (status == GROVE_OK && (parts & GROVE__DECODE_TIMESTAMPS) != 0) {
        status = decode_times(block, &buffer, events, error_out);
    }
    events->count = block->event_count;
    if (status != GROVE_OK) {
        grove__events_reset(events);
    }
    grove_buffer_release(&buffer);
    return status;
}
