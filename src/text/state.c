#include "text/state.h"

#include <inttypes.h>

#include <grove/text.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/utf8.h"

grove_status grove__text_new(const grove_allocator *allocator, grove__text **text_out)
{
    grove__text *text = grove__allocate(allocator, sizeof *text);
    if (text == NULL) {
        return GROVE_NO_MEMORY;
    }
    grove__rope_init(&text->rope, allocator);
    *text_out = text;
    return GROVE_OK;
}

void grove__text_free(grove__text *text)
{
    if (text != NULL) {
        const grove_allocator *allocator = text->rope.allocator;
        grove__rope_release(&text->rope);
        grove__deallocate(allocator, text, sizeof *text);
    }
}

/* Whether each operation fits the text that those before it leave. */
static grove_status check_fit(const grove__text *text, grove_operations operations,
                              grove_error *error_out)
{
    uint64_t length = text->rope.points;
    for (size_t index = 0; index < operations.count; index++) {
        const grove_operation *operation = &operations.items[index];
        bool inserts = operation->kind == GROVE_TEXT_INSERT;
        uint64_t end = operation->position + (inserts ? 0 : operation->count);
        if (end > length) {
            return grove__fail_at(error_out, GROVE_CORRUPT, index,
                                  "operation %zu reaches beyond the text: %" PRIu32
                                  " at %" PRIu64 " of %" PRIu64 " code points",
                                  index, operation->count, operation->position, length);
        }
        length += inserts ? operation->count : 0 - (uint64_t)operation->count;
    }
    return GROVE_OK;
}

grove_status grove__text_apply(grove__text *text, grove_operations operations,
                               grove_error *error_out)
{
    grove_status status = check_fit(text, operations, error_out);
    for (size_t index = 0; status == GROVE_OK && index < operations.count; index++) {
        const grove_operation *operation = &operations.items[index];
        if (operation->kind != GROVE_TEXT_INSERT) {
            grove__rope_delete(&text->rope, operation->position, operation->count);
        } else if (grove__rope_insert(&text->rope, operation->position,
                                      operation->content, operation->count) != GROVE_OK) {
            status = grove__fail_memory(error_out);
        }
    }
    return status;
}

/* Appends the whole text; the room is reserved. */
static void append_text(const grove__rope *rope, grove_buffer *buffer)
{
    grove__rope_chunks chunks;
    grove__rope_chunk chunk;
    grove__rope_chunks_init(&chunks, rope, 0);
    while (grove__rope_chunks_next(&chunks, &chunk)) {
        grove_buffer_append(buffer, chunk.utf8.data, chunk.utf8.size);
    }
}

grove_status grove__text_encode(const grove__text *text, grove_type_buffers *buffers,
                                grove_error *error_out)
{
    size_t structure_bytes = buffers->structure.size;
    if (text->rope.bytes > GROVE_FRAME_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "the text is larger than GROVE_FRAME_BYTES_MAX");
    }
    if (buffers->structure.failed || buffers->content.failed) {
        return grove__fail_memory(error_out);
    }
    grove_buffer_varint(&buffers->structure, text->rope.points);
    if (buffers->structure.failed ||
        grove_buffer_reserve(&buffers->content, (size_t)text->rope.bytes) == NULL) {
        buffers->structure.size = structure_bytes;
        buffers->structure.failed = false;
        buffers->content.failed = false;
        return grove__fail_memory(error_out);
    }
    append_text(&text->rope, &buffers->content);
    return GROVE_OK;
}

/* Checks the two frames against each other. */
static grove_status check_frames(grove_type_frames frames, size_t *points_out,
                                 grove_error *error_out)
{
    size_t points = 0;
    size_t offset = 0;
    grove_reader reader = grove_reader_of(frames.structure);
    uint64_t length = grove_reader_varint(&reader);
    if (!grove_reader_done(&reader)) {
        return grove__fail_at(error_out, GROVE_CORRUPT, reader.offset,
                              "the structure of a text is not one number");
    }
    if (!grove__utf8_check(frames.content, &points, &offset)) {
        return grove__fail_at(error_out, GROVE_CORRUPT, offset,
                              "the content of a text is not UTF-8");
    }
    if (points != length || length > GROVE_DOCUMENT_EVENTS_MAX) {
        return grove__fail_at(error_out, GROVE_CORRUPT, 0,
                              "the structure of a text has %" PRIu64
                              " code points, its content %zu",
                              length, points);
    }
    *points_out = points;
    return GROVE_OK;
}

grove_status grove__text_decode(const grove_allocator *allocator,
                                grove_type_frames frames, grove__text **text_out,
                                grove_error *error_out)
{
    size_t points = 0;
    grove__text *text = NULL;
    grove_status status = check_frames(frames, &points, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__text_new(allocator, &text);
    if (status == GROVE_OK) {
        status = grove__rope_build(&text->rope, frames.content, points);
    }
    if (status != GROVE_OK) {
        grove__text_free(text);
        return grove__fail_memory(error_out);
    }
    *text_out = text;
    return GROVE_OK;
}
