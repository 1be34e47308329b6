#include "format/snapshot.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/error.h"

enum {
    FIXED_BYTES = 24,      /* clock, base clock, type's format, number of heads */
    HEAD_FIXED_BYTES = 17, /* clock, size of the replica, sequence */
    HEAD_BYTES_MIN = HEAD_FIXED_BYTES + 1
};

/* The block's fields end well before a size_t does. */
_Static_assert(GROVE__BLOCK_FIELDS_BYTES_MAX / HEAD_BYTES_MIN < 4096,
               "few enough heads for any reader");

/* What the encoder's caller must have made true. */
static void assert_header(const grove__snapshot_header *header, const grove__head *heads)
{
    GROVE_ASSERT(header->clock <= GROVE_DOCUMENT_EVENTS_MAX);
    GROVE_ASSERT(header->base_clock <= header->clock);
    GROVE_ASSERT((header->head_count == 0) == (header->clock == 0));
    for (uint32_t index = 0; index < header->head_count; index++) {
        const grove__head *head = &heads[index];
        GROVE_ASSERT(index == 0 || head->clock > heads[index - 1].clock);
        GROVE_ASSERT(head->id.replica.size >= 1);
        GROVE_ASSERT(head->id.replica.size <= GROVE_REPLICA_BYTES_MAX);
        GROVE_ASSERT(head->id.sequence < GROVE_DOCUMENT_EVENTS_MAX);
        GROVE_ASSERT((head->time > 0) == (heads[0].time > 0));
    }
    /* The newest event has none after it. */
    GROVE_ASSERT(header->clock == 0 ||
                 heads[header->head_count - 1].clock == header->clock - 1);
}

static void write_fields(const grove__snapshot_header *header, const grove__head *heads,
                         grove_buffer *fields)
{
    grove_buffer_u64(fields, header->clock);
    grove_buffer_u64(fields, header->base_clock);
    grove_buffer_u32(fields, header->type_format);
    grove_buffer_u32(fields, header->head_count);
    for (uint32_t index = 0; index < header->head_count; index++) {
        const grove_replica *replica = &heads[index].id.replica;
        grove_buffer_u64(fields, heads[index].clock);
        grove_buffer_u8(fields, replica->size);
        grove_buffer_append(fields, replica->bytes, replica->size);
        grove_buffer_u64(fields, heads[index].id.sequence);
    }
}

static void write_times(const grove__head *heads, uint32_t head_count,
                        grove_buffer *times)
{
    for (uint32_t index = 0; index < head_count && heads[index].time > 0; index++) {
        grove_buffer_varint(times, heads[index].time);
    }
}

grove_status grove__snapshot_encode(const grove__snapshot_header *header,
                                    const grove__head *heads,
                                    const grove__snapshot_frames *contents,
                                    grove__packing packing, grove_buffer *block_out,
                                    grove_error *error_out)
{
    if (header->head_count > GROVE__BLOCK_FIELDS_BYTES_MAX / HEAD_BYTES_MIN) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "a snapshot of %lu heads does not fit a block's fields",
                           (unsigned long)header->head_count);
    }
    assert_header(header, heads);
    grove_buffer fields;
    grove_buffer times;
    grove_buffer_init(&fields, block_out->allocator);
    grove_buffer_init(&times, block_out->allocator);
    write_fields(header, heads, &fields);
    write_times(heads, header->head_count, &times);
    grove__frame frames[4] = {
        {GROVE__SNAPSHOT_FRAME_STRUCTURE, contents->structure, packing, NULL, 0},
        {GROVE__SNAPSHOT_FRAME_CONTENT, contents->content, packing, NULL, 0},
    };
    size_t frame_count = 2;
    if (contents->merge.size > 0) {
        frames[frame_count++] = (grove__frame){GROVE__SNAPSHOT_FRAME_MERGE,
                                               contents->merge, packing, NULL, 0};
    }
    if (times.size > 0) {
        frames[frame_count++] = (grove__frame){
            GROVE__SNAPSHOT_FRAME_TIMES, grove_buffer_view(&times), packing, NULL, 0};
    }
    grove_status status;
    if (fields.failed || times.failed) {
        status = grove__fail_memory(error_out);
    } else {
        status = grove__block_encode(GROVE__BLOCK_SNAPSHOT, 0, grove_buffer_view(&fields),
                                     frames, frame_count, block_out, error_out);
    }
    grove_buffer_release(&times);
    grove_buffer_release(&fields);
    return status;
}

/* The fixed part of the fields. */
static grove_status read_header(const grove__block *block, grove_reader *fields,
                                grove__snapshot_header *header, grove_error *error_out)
{
    header->clock = grove_reader_u64(fields);
    header->base_clock = grove_reader_u64(fields);
    header->type_format = grove_reader_u32(fields);
    header->head_count = grove_reader_u32(fields);
    if (fields->failed) {
        return grove__fail_at(error_out, GROVE_CORRUPT,
                              block->fields_offset + fields->offset,
                              "a snapshot's fields are too short");
    }
    if (header->clock > GROVE_DOCUMENT_EVENTS_MAX) {
        return grove__fail_at(error_out, GROVE_CORRUPT, block->fields_offset,
                              "a snapshot's clock is %llu",
                              (unsigned long long)header->clock);
    }
    if (header->base_clock > header->clock) {
        return grove__fail_at(error_out, GROVE_CORRUPT, block->fields_offset + 8,
                              "a snapshot's base clock lies after its clock");
    }
    if (header->head_count > grove_reader_left(fields) / HEAD_BYTES_MIN ||
        (header->head_count == 0) != (header->clock == 0)) {
        return grove__fail_at(error_out, GROVE_CORRUPT, block->fields_offset + 20,
                              "a snapshot at clock %llu claims %lu heads",
                              (unsigned long long)header->clock,
                              (unsigned long)header->head_count);
    }
    return GROVE_OK;
}

/* One head; `clock_min` is what its clock is at least. */
static grove_status read_head(const grove__block *block, grove_reader *fields,
                              uint64_t clock_min, uint64_t clock_end, grove__head *head,
                              grove_error *error_out)
{
    uint64_t offset = block->fields_offset + fields->offset;
    memset(head, 0, sizeof *head);
    head->clock = grove_reader_u64(fields);
    size_t replica_bytes = grove_reader_u8(fields);
    grove_bytes replica = grove_reader_bytes(fields, replica_bytes);
    head->id.sequence = grove_reader_u64(fields);
    if (fields->failed) {
        return grove__fail_at(error_out, GROVE_CORRUPT, offset,
                              "a snapshot's fields end within a head");
    }
    if (head->clock < clock_min || head->clock >= clock_end) {
        return grove__fail_at(error_out, GROVE_CORRUPT, offset,
                              "a snapshot's heads do not ascend below its clock");
    }
    if (replica.size < 1 || replica.size > GROVE_REPLICA_BYTES_MAX) {
        return grove__fail_at(error_out, GROVE_CORRUPT, offset + 8,
                              "a head's replica has %zu bytes", replica.size);
    }
    if (head->id.sequence >= GROVE_DOCUMENT_EVENTS_MAX) {
        return grove__fail_at(error_out, GROVE_CORRUPT, offset + 9 + replica.size,
                              "a head's sequence is %llu",
                              (unsigned long long)head->id.sequence);
    }
    head->id.replica.size = (uint8_t)replica.size;
    memcpy(head->id.replica.bytes, replica.data, replica.size);
    return GROVE_OK;
}

/* All heads, appended to `heads_out` unless that is NULL. */
static grove_status read_heads(const grove__block *block, grove_reader *fields,
                               const grove__snapshot_header *header,
                               grove_buffer *heads_out, grove_error *error_out)
{
    uint64_t clock_min = 0;
    for (uint32_t index = 0; index < header->head_count; index++) {
        grove__head head;
        grove_status status =
            read_head(block, fields, clock_min, header->clock, &head, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        clock_min = head.clock + 1;
        if (heads_out != NULL) {
            grove_buffer_append(heads_out, &head, sizeof head);
        }
    }
    uint64_t offset = block->fields_offset + fields->offset;
    if (clock_min != header->clock) {
        return grove__fail_at(error_out, GROVE_CORRUPT, offset,
                              "a snapshot's last head is not its newest event");
    }
    if (!grove_reader_done(fields)) {
        return grove__fail_at(error_out, GROVE_CORRUPT, offset,
                              "a snapshot's fields have %zu bytes left over",
                              grove_reader_left(fields));
    }
    return GROVE_OK;
}

grove_status grove__snapshot_open(grove_bytes bytes, grove__block *block_out,
                                  grove__snapshot_header *header_out,
                                  grove_buffer *heads_out, grove_error *error_out)
{
    grove__block block;
    grove__snapshot_header header;
    grove_status status =
        grove__block_open(bytes, GROVE__BLOCK_SNAPSHOT, &block, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_reader fields = grove_reader_of(block.fields);
    status = read_header(&block, &fields, &header, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    size_t heads_bytes = heads_out == NULL ? 0 : heads_out->size;
    bool had_failed = heads_out != NULL && heads_out->failed;
    status = read_heads(&block, &fields, &header, heads_out, error_out);
    if (status == GROVE_OK && heads_out != NULL && heads_out->failed) {
        status = grove__fail_memory(error_out);
    }
    if (status != GROVE_OK) {
        if (heads_out != NULL) {
            heads_out->size = heads_bytes;
            heads_out->failed = had_failed;
        }
        return status;
    }
    *block_out = block;
    *header_out = header;
    return GROVE_OK;
}

/* Whether there is a time for each head, and it can be. */
static grove_status check_times(grove_bytes times, const grove__head *heads,
                                size_t head_count, grove_error *error_out)
{
    grove_reader reader = grove_reader_of(times);
    for (size_t index = 0; index < head_count; index++) {
        size_t offset = reader.offset;
        uint64_t time = grove_reader_varint(&reader);
        /* Each event on the way to it is one before it. */
        if (reader.failed || time == 0 || time > heads[index].clock + 1) {
            return grove__fail_at(error_out, GROVE_CORRUPT, offset,
                                  "times: a head has none, or one that cannot be");
        }
    }
    return grove_reader_done(&reader)
               ? GROVE_OK
               : grove__fail_at(error_out, GROVE_CORRUPT, reader.offset,
                                "times: more than heads");
}

grove_status grove__snapshot_times(const grove__block *block,
                                   const grove_allocator *allocator, grove__head *heads,
                                   size_t head_count, grove_error *error_out)
{
    grove_buffer buffer;
    grove_bytes times = {NULL, 0};
    grove_buffer_init(&buffer, allocator);
    grove_status status = grove__block_frame_view(block, GROVE__SNAPSHOT_FRAME_TIMES,
                                                  &buffer, &times, error_out);
    if (status == GROVE_OK) {
        status = check_times(times, heads, head_count, error_out);
    }
    grove_reader reader = grove_reader_of(times);
    for (size_t index = 0; status == GROVE_OK && index < head_count; index++) {
        heads[index].time = grove_reader_varint(&reader);
    }
    grove_buffer_release(&buffer);
    return status;
}
