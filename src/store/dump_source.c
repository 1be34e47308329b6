#include "store/dump_source.h"

#include "base/assert.h"
#include "base/error.h"
#include "format/dump_line.h"

enum { READ_BYTES = 1 << 16 };

void grove__dump_source_init(grove__dump_source *source, const grove_allocator *allocator,
                             grove_read_fn read, void *context)
{
    *source = (grove__dump_source){.read = read, .context = context};
    grove_buffer_init(&source->text, allocator);
}

void grove__dump_source_release(grove__dump_source *source)
{
    grove_buffer_release(&source->text);
}

/* The end of the next line among what was read; NULL: it is not there. */
static const uint8_t *find_end(const grove__dump_source *source)
{
    size_t left = source->text.size - source->at;
    return left == 0 ? NULL : memchr(source->text.data + source->at, '\n', left);
}

/* Reads more behind what is left. */
static grove_status read_more(grove__dump_source *source, grove_error *error_out)
{
    grove_buffer *text = &source->text;
    size_t left = text->size - source->at;
    if (left > 0) {
        memmove(text->data, text->data + source->at, left);
    }
    text->size = left;
    source->at = 0;
    uint8_t *room = grove_buffer_reserve(text, READ_BYTES);
    if (room == NULL) {
        return grove__fail_memory(error_out);
    }
    size_t bytes = 0;
    if (!source->read(source->context, room, READ_BYTES, &bytes)) {
        return grove__fail(error_out, GROVE_FAILED, "the dump could not be read further");
    }
    GROVE_ASSERT_ARG(bytes <= READ_BYTES);
    grove_buffer_grow(text, bytes);
    source->has_ended = bytes == 0;
    return GROVE_OK;
}

grove_status grove__dump_source_next(grove__dump_source *source, grove_bytes *line_out,
                                     grove_error *error_out)
{
    const uint8_t *end = find_end(source);
    while (end == NULL && !source->has_ended &&
           source->text.size - source->at < GROVE__DUMP_LINE_BYTES_MAX) {
        grove_status status = read_more(source, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        end = find_end(source);
    }
    size_t left = source->text.size - source->at;
    if (left == 0) {
        return GROVE_NONE;
    }
    source->line++;
    source->offset = source->next_offset;
    const uint8_t *begin = source->text.data + source->at;
    size_t bytes = end == NULL ? left : (size_t)(end - begin);
    if (end == NULL || bytes >= GROVE__DUMP_LINE_BYTES_MAX) {
        return grove__fail(error_out, GROVE_MALFORMED, "%s",
                           bytes >= GROVE__DUMP_LINE_BYTES_MAX
                               ? "it is longer than any line of a dump"
                               : "the dump is cut short");
    }
    *line_out = (grove_bytes){begin, bytes};
    source->at += bytes + 1;
    source->next_offset += bytes + 1;
    return GROVE_OK;
}
