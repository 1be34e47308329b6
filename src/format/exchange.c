#include "format/exchange.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"

enum {
    MAGIC_BYTES = 8,
    VERSION = 1,
    TYPE_NAME_BYTES = GROVE_TYPE_NAME_BYTES_MAX + 1,
    HEADER_BODY_BYTES = MAGIC_BYTES + 1 + TYPE_NAME_BYTES + 4,
    CHECKSUM_BYTES = 8
};

static const char MAGIC[] = "GROVE_EX";

static void append_checksum(grove_buffer *buffer, size_t from)
{
    if (!buffer->failed) {
        grove_bytes body = {buffer->data + from, buffer->size - from};
        grove_buffer_u64(buffer, grove__hash(body, 0));
    }
}

void grove__exchange_header_encode(const grove__exchange_header *header,
                                   grove_buffer *bytes_out)
{
    size_t from = bytes_out->size;
    grove_buffer_append(bytes_out, MAGIC, MAGIC_BYTES);
    grove_buffer_u8(bytes_out, VERSION);
    grove_buffer_append(bytes_out, header->type_name, TYPE_NAME_BYTES);
    grove_buffer_u32(bytes_out, header->type_format);
    append_checksum(bytes_out, from);
}

void grove__exchange_item_encode(grove__exchange_kind kind, uint64_t payload_bytes,
                                 grove_buffer *bytes_out)
{
    grove_buffer_u8(bytes_out, (uint8_t)kind);
    grove_buffer_u64(bytes_out, payload_bytes);
}

void grove__exchange_end_encode(uint64_t events, grove_buffer *bytes_out)
{
    grove__exchange_item_encode(GROVE__EXCHANGE_END, sizeof events, bytes_out);
    grove_buffer_u64(bytes_out, events);
}

static grove_status fail(uint64_t offset, const char *fault, grove_error *error_out)
{
    return grove__fail_at(error_out, GROVE_MALFORMED, offset,
                          "an export %s, at byte %llu", fault,
                          (unsigned long long)offset);
}

/* Whether a name has at least one byte and one zero, and zeros from then on. */
static bool name_is_sound(const uint8_t *name)
{
    size_t bytes = 0;
    while (bytes < TYPE_NAME_BYTES && name[bytes] != 0) {
        bytes++;
    }
    bool is_sound = bytes > 0 && bytes < TYPE_NAME_BYTES;
    for (; bytes < TYPE_NAME_BYTES; bytes++) {
        is_sound = is_sound && name[bytes] == 0;
    }
    return is_sound;
}

grove_status grove__exchange_header_decode(grove_reader *reader,
                                           grove__exchange_header *header_out,
                                           grove_error *error_out)
{
    size_t from = reader->offset;
    grove_bytes magic = grove_reader_bytes(reader, MAGIC_BYTES);
    if (magic.size != MAGIC_BYTES || memcmp(magic.data, MAGIC, MAGIC_BYTES) != 0) {
        return fail(from, "does not begin as one", error_out);
    }
    uint8_t version = grove_reader_u8(reader);
    if (!reader->failed && version > VERSION) {
        return grove__fail(error_out, GROVE_FORMAT_NEWER,
                           "the export has format %u, this library knows up to %d",
                           (unsigned)version, VERSION);
    }
    grove_bytes name = grove_reader_bytes(reader, TYPE_NAME_BYTES);
    uint32_t format = grove_reader_u32(reader);
    uint64_t checksum = grove_reader_u64(reader);
    if (reader->failed || version == 0) {
        return fail(reader->offset, "has no sound header", error_out);
    }
    if (checksum !=
            grove__hash((grove_bytes){reader->data + from, HEADER_BODY_BYTES}, 0) ||
        !name_is_sound(name.data)) {
        return fail(from, "has a damaged header", error_out);
    }
    memcpy(header_out->type_name, name.data, TYPE_NAME_BYTES);
    header_out->type_format = format;
    return GROVE_OK;
}

grove_status grove__exchange_item_decode(grove_reader *reader,
                                         grove__exchange_item *item_out,
                                         grove_error *error_out)
{
    size_t from = reader->offset;
    uint8_t kind = grove_reader_u8(reader);
    uint64_t bytes = grove_reader_u64(reader);
    if (reader->failed || kind > GROVE__EXCHANGE_BATCH ||
        bytes > grove_reader_left(reader)) {
        return fail(from, "is cut short, or has an item of another kind", error_out);
    }
    size_t offset = reader->offset;
    grove_bytes payload = grove_reader_bytes(reader, (size_t)bytes);
    if (kind == GROVE__EXCHANGE_END && grove_reader_left(reader) > 0) {
        return fail(reader->offset, "goes on after its end", error_out);
    }
    *item_out = (grove__exchange_item){(grove__exchange_kind)kind, payload, offset};
    return GROVE_OK;
}

grove_status grove__exchange_end_decode(const grove__exchange_item *item,
                                        uint64_t *events_out, grove_error *error_out)
{
    if (item->payload.size != sizeof *events_out) {
        return fail(item->offset, "has an end of another size", error_out);
    }
    *events_out = grove_read_u64(item->payload.data);
    return GROVE_OK;
}

/* --- ids --- */

void grove__exchange_ids_encode(const grove_replica *replicas, size_t replica_count,
                                const grove__exchange_run *runs, size_t run_count,
                                grove_buffer *bytes_out)
{
    size_t from = bytes_out->size;
    grove_buffer_varint(bytes_out, replica_count);
    for (size_t index = 0; index < replica_count; index++) {
        grove_buffer_u8(bytes_out, replicas[index].size);
        grove_buffer_append(bytes_out, replicas[index].bytes, replicas[index].size);
    }
    grove_buffer_varint(bytes_out, run_count);
    for (size_t index = 0; index < run_count; index++) {
        grove_buffer_varint(bytes_out, runs[index].replica);
        grove_buffer_varint(bytes_out, runs[index].count);
    }
    append_checksum(bytes_out, from);
}

/* Where a reader stands within the whole export. */
static uint64_t place_of(const grove__exchange_item *item, const grove_reader *reader)
{
    return item->offset + reader->offset;
}

/* Appends the replicas; their number is bounded by the bytes that are left. */
static grove_status decode_replicas(const grove__exchange_item *item,
                                    grove_reader *reader, grove_buffer *replicas_out,
                                    uint64_t *count_out, grove_error *error_out)
{
    uint64_t count = grove_reader_varint(reader);
    if (reader->failed || count > grove_reader_left(reader) / 2) {
        return fail(place_of(item, reader), "names more replicas than fit", error_out);
    }
    for (uint64_t index = 0; index < count; index++) {
        grove_replica replica;
        memset(&replica, 0, sizeof replica);
        replica.size = grove_reader_u8(reader);
        if (replica.size == 0 || replica.size > GROVE_REPLICA_BYTES_MAX) {
            return fail(place_of(item, reader), "has a replica of no or too many bytes",
                        error_out);
        }
        grove_bytes bytes = grove_reader_bytes(reader, replica.size);
        if (reader->failed) {
            return fail(place_of(item, reader), "is cut short in a replica", error_out);
        }
        memcpy(replica.bytes, bytes.data, bytes.size);
        grove_buffer_append(replicas_out, &replica, sizeof replica);
    }
    *count_out = count;
    return replicas_out->failed ? grove__fail_memory(error_out) : GROVE_OK;
}

/* Appends the runs; `next` has the next sequence of each replica. */
static grove_status decode_runs(const grove__exchange_item *item, grove_reader *reader,
                                uint64_t *next, uint64_t replica_count,
                                grove_buffer *runs_out, uint64_t *events_out,
                                grove_error *error_out)
{
    uint64_t count = grove_reader_varint(reader);
    uint64_t events = 0;
    uint64_t last = UINT64_MAX;
    if (reader->failed || count > grove_reader_left(reader) / 2) {
        return fail(place_of(item, reader), "has more runs of ids than fit", error_out);
    }
    for (uint64_t index = 0; index < count; index++) {
        uint64_t replica = grove_reader_varint(reader);
        uint64_t run = grove_reader_varint(reader);
        if (reader->failed || replica >= replica_count || replica == last || run == 0 ||
            run > GROVE_DOCUMENT_EVENTS_MAX - events) {
            return fail(place_of(item, reader), "has a run of ids that cannot be",
                        error_out);
        }
        grove__exchange_run record = {(uint32_t)replica, next[replica], run};
        grove_buffer_append(runs_out, &record, sizeof record);
        next[replica] += run;
        events += run;
        last = replica;
    }
    *events_out = events;
    return runs_out->failed ? grove__fail_memory(error_out) : GROVE_OK;
}

static grove_status decode_ids(const grove__exchange_item *item, grove_bytes body,
                               const grove_allocator *allocator,
                               grove_buffer *replicas_out, grove_buffer *runs_out,
                               uint64_t *events_out, grove_error *error_out)
{
    grove_reader reader = grove_reader_of(body);
    uint64_t replicas = 0;
    uint64_t events = 0;
    grove_status status =
        decode_replicas(item, &reader, replicas_out, &replicas, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    size_t bytes = (size_t)replicas * sizeof(uint64_t);
    uint64_t *next = bytes == 0 ? NULL : grove__allocate_zeroed(allocator, bytes);
    if (next == NULL) {
        return bytes == 0 ? fail(place_of(item, &reader), "names no replica", error_out)
                          : grove__fail_memory(error_out);
    }
    status = decode_runs(item, &reader, next, replicas, runs_out, &events, error_out);
    for (uint64_t index = 0; status == GROVE_OK && index < replicas; index++) {
        if (next[index] == 0) {
            status = fail(item->offset, "names a replica without events", error_out);
        }
    }
    if (status == GROVE_OK && !grove_reader_done(&reader)) {
        status = fail(place_of(item, &reader), "has bytes after its ids", error_out);
    }
    grove__deallocate(allocator, next, bytes);
    if (status == GROVE_OK) {
        *events_out = events;
    }
    return status;
}

grove_status grove__exchange_ids_decode(const grove__exchange_item *item,
                                        const grove_allocator *allocator,
                                        grove_buffer *replicas_out,
                                        grove_buffer *runs_out, uint64_t *events_out,
                                        grove_error *error_out)
{
    if (item->payload.size < CHECKSUM_BYTES) {
        return fail(item->offset, "has ids that are cut short", error_out);
    }
    grove_bytes body = {item->payload.data, item->payload.size - CHECKSUM_BYTES};
    if (grove_read_u64(body.data + body.size) != grove__hash(body, 0)) {
        return fail(item->offset, "has damaged ids", error_out);
    }
    return decode_ids(item, body, allocator, replicas_out, runs_out, events_out,
                      error_out);
}
