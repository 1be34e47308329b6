#include "format/clock_row.h"

#include "base/assert.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/hash.h"

enum { FORMAT = 1, SEED = 7, CHECKSUM_BYTES = 8 };

void grove__clock_row_encode(const grove__commit_clock *items, size_t count,
                             grove_buffer *row_out)
{
    GROVE_ASSERT(count > 0);
    size_t start = row_out->size;
    grove_buffer_u8(row_out, FORMAT);
    grove_buffer_varint(row_out, count);
    grove_buffer_varint(row_out, items[0].clock);
    for (size_t index = 1; index < count; index++) {
        GROVE_ASSERT(items[index].commit > items[index - 1].commit);
        grove_buffer_varint(row_out, items[index].commit - items[index - 1].commit);
    }
    for (size_t index = 1; index < count; index++) {
        GROVE_ASSERT(items[index].clock >= items[index - 1].clock);
        grove_buffer_varint(row_out, items[index].clock - items[index - 1].clock);
    }
    if (!row_out->failed) {
        grove_bytes row = {row_out->data + start, row_out->size - start};
        grove_buffer_u64(row_out, grove__hash(row, SEED));
    }
}

/* Checks the outside of a row and gives what lies between. */
static grove_status open_row(grove_bytes row, grove_reader *reader_out,
                             grove_error *error_out)
{
    if (row.size <= CHECKSUM_BYTES) {
        return grove__fail(error_out, GROVE_CORRUPT, "a row of clocks has %zu bytes",
                           row.size);
    }
    if (row.data[0] > FORMAT) {
        return grove__fail(error_out, GROVE_FORMAT_NEWER,
                           "a row of clocks has format %d, this library knows up to %d",
                           row.data[0], FORMAT);
    }
    grove_bytes body = {row.data, row.size - CHECKSUM_BYTES};
    if (row.data[0] != FORMAT ||
        grove_read_u64(row.data + body.size) != grove__hash(body, SEED)) {
        return grove__fail_at(error_out, GROVE_CORRUPT, body.size,
                              "a row of clocks has format 0 or a wrong checksum");
    }
    *reader_out = grove_reader_of(body);
    (void)grove_reader_u8(reader_out);
    return GROVE_OK;
}

/* Reads `count` commits, then as many clocks; false: they contradict. */
static bool read_items(grove_reader *reader, uint64_t first_commit, size_t count,
                       grove__commit_clock *items)
{
    bool is_sound = true;
    items[0] = (grove__commit_clock){first_commit, grove_reader_varint(reader)};
    for (size_t index = 1; index < count; index++) {
        uint64_t gap = grove_reader_varint(reader);
        is_sound = is_sound && gap > 0 &&
                   grove__add_u64(items[index - 1].commit, gap, &items[index].commit);
    }
    for (size_t index = 1; index < count; index++) {
        uint64_t gap = grove_reader_varint(reader);
        is_sound = is_sound && gap <= GROVE_DOCUMENT_EVENTS_MAX &&
                   grove__add_u64(items[index - 1].clock, gap, &items[index].clock);
    }
    return is_sound && grove_reader_done(reader) &&
           items[count - 1].clock <= GROVE_DOCUMENT_EVENTS_MAX;
}

grove_status grove__clock_row_decode(uint64_t first_commit, grove_bytes row,
                                     grove_buffer *items_out, grove_error *error_out)
{
    grove_reader reader;
    grove_status status = open_row(row, &reader, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    uint64_t count = grove_reader_varint(&reader);
    /* Each but the first takes at least two bytes. */
    if (reader.failed || count == 0 || count - 1 > grove_reader_left(&reader) / 2) {
        return grove__fail_at(error_out, GROVE_CORRUPT, reader.offset,
                              "a row of clocks has fewer commits than it says");
    }
    size_t bytes;
    bool had_failed = items_out->failed;
    grove__commit_clock *items = NULL;
    if (grove__multiply_size((size_t)count, sizeof *items, &bytes)) {
        items = (grove__commit_clock *)(void *)grove_buffer_reserve(items_out, bytes);
    }
    if (items == NULL) {
        items_out->failed = had_failed;
        return grove__fail_memory(error_out);
    }
    if (!read_items(&reader, first_commit, (size_t)count, items)) {
        return grove__fail_at(error_out, GROVE_CORRUPT, reader.offset,
                              "a row of clocks contradicts itself");
    }
    grove_buffer_grow(items_out, bytes);
    return GROVE_OK;
}
