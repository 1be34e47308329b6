#include "format/block.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/hash.h"

/* The fixed part of a block; block.h has the whole picture. */
enum {
    MAGIC_BYTES = 8,
    VERSION_OFFSET = 8,
    EVENT_COUNT_OFFSET = 9,
    FIELDS_BYTES_OFFSET = 13,
    FIELDS_OFFSET = 15,
    FRAME_COUNT_BYTES = 1,
    ENTRY_BYTES = 14,
    CHECKSUM_BYTES = 4,
    /* Of a block without fields and frames. */
    HEADER_BYTES_MIN = FIELDS_OFFSET + FRAME_COUNT_BYTES + CHECKSUM_BYTES
};

enum { BLOCK_VERSION = 1 };

/* Seed of the header's checksum; a frame's is its id, which may be equal: the
 * two are never mistaken for each other. */
enum { HEADER_SEED = 0 };

/* More does not come out of a zstd frame: 128 KB in a block of 4 bytes. */
enum { ZSTD_RATIO_MAX = 32768 };

static const char MAGICS[][MAGIC_BYTES + 1] = {
    [GROVE__BLOCK_EVENTS] = "GROVE_EG",
    [GROVE__BLOCK_SNAPSHOT] = "GROVE_SN",
    [GROVE__BLOCK_STATE] = "GROVE_ST",
    [GROVE__BLOCK_COMMITS] = "GROVE_CM",
};

static uint32_t header_checksum(const uint8_t *block, size_t bytes)
{
    return grove__hash_u32((grove_bytes){block, bytes}, HEADER_SEED);
}

/* Where the header's checksum stands. */
static size_t header_checksum_offset(size_t fields_bytes, size_t frame_count)
{
    return FIELDS_OFFSET + fields_bytes + FRAME_COUNT_BYTES + ENTRY_BYTES * frame_count;
}

/* Room at a buffer's end, or NULL: the caller reports it, and the buffer is
 * as it was. */
static uint8_t *reserve(grove_buffer *buffer, size_t bytes)
{
    bool had_failed = buffer->failed;
    uint8_t *room = grove_buffer_reserve(buffer, bytes);
    buffer->failed = had_failed;
    return room;
}

/* ---- Encoding ---- */

/* Sizes within their limits; gives what the block takes at most. */
static grove_status check_sizes(grove_bytes fields, const grove__frame *frames,
                                size_t frame_count, size_t *bytes_out,
                                grove_error *error_out)
{
    if (fields.size > GROVE__BLOCK_FIELDS_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "a block's fields have %zu bytes, more than %d", fields.size,
                           GROVE__BLOCK_FIELDS_BYTES_MAX);
    }
    uint64_t bytes = header_checksum_offset(fields.size, frame_count) + CHECKSUM_BYTES;
    for (size_t index = 0; index < frame_count; index++) {
        if (frames[index].bytes.size > GROVE_FRAME_BYTES_MAX) {
            return grove__fail(error_out, GROVE_LIMIT,
                               "frame %d has %zu bytes, more than the %llu of "
                               "GROVE_FRAME_BYTES_MAX",
                               frames[index].id, frames[index].bytes.size,
                               (unsigned long long)GROVE_FRAME_BYTES_MAX);
        }
        GROVE_ASSERT(index == 0 || frames[index].id > frames[index - 1].id);
        bytes += frames[index].bytes.size;
    }
    if (bytes > GROVE_VALUE_BYTES_MAX || bytes > SIZE_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "a block has %llu bytes, more than the %llu of "
                           "GROVE_VALUE_BYTES_MAX",
                           (unsigned long long)bytes,
                           (unsigned long long)GROVE_VALUE_BYTES_MAX);
    }
    *bytes_out = (size_t)bytes;
    return GROVE_OK;
}

/*
 * Writes a frame to `room`, which has as many bytes as the frame. Compressed
 * where that is asked for and brings it to 15/16, else as it is.
 */
static grove_status write_frame(const grove__frame *frame, grove__packer *packer,
                                uint8_t *room, grove__block_frame *entry_out)
{
    grove_bytes bytes = frame->bytes;
    entry_out->id = frame->id;
    entry_out->decoded_bytes = (uint32_t)bytes.size;
    size_t packed_bytes;
    grove_status status = GROVE_NONE;
    if (frame->packing.level != 0 && bytes.size >= frame->packing.raw_bytes_max) {
        grove__columns columns = {bytes, frame->cuts, frame->cut_count};
        status = grove__packer_pack(packer, frame->packing.level, &columns, room,
                                    bytes.size - (bytes.size + 15) / 16, &packed_bytes);
    }
    switch (status) {
    case GROVE_OK:
        entry_out->codec = GROVE__CODEC_ZSTD;
        entry_out->stored_bytes = (uint32_t)packed_bytes;
        break;
    case GROVE_NONE:
        entry_out->codec = GROVE__CODEC_RAW;
        entry_out->stored_bytes = (uint32_t)bytes.size;
        if (bytes.size > 0) {
            memcpy(room, bytes.data, bytes.size);
        }
        break;
    default:
        return status;
    }
    grove_bytes stored = {room, entry_out->stored_bytes};
    entry_out->checksum = grove__hash_u32(stored, entry_out->id);
    return GROVE_OK;
}

static uint8_t *write_entry(uint8_t *to, const grove__block_frame *entry)
{
    to[0] = entry->id;
    to[1] = entry->codec;
    grove_write_u32(to + 2, entry->stored_bytes);
    grove_write_u32(to + 6, entry->decoded_bytes);
    grove_write_u32(to + 10, entry->checksum);
    return to + ENTRY_BYTES;
}

/* All of the header but the directory's entries and the checksum. Returns
 * where the directory begins. */
static uint8_t *write_start(uint8_t *block, grove__block_kind kind, uint32_t event_count,
                            grove_bytes fields, size_t frame_count)
{
    memcpy(block, MAGICS[kind], MAGIC_BYTES);
    block[VERSION_OFFSET] = BLOCK_VERSION;
    grove_write_u32(block + EVENT_COUNT_OFFSET, event_count);
    block[FIELDS_BYTES_OFFSET] = (uint8_t)(fields.size >> 8);
    block[FIELDS_BYTES_OFFSET + 1] = (uint8_t)fields.size;
    if (fields.size > 0) {
        memcpy(block + FIELDS_OFFSET, fields.data, fields.size);
    }
    block[FIELDS_OFFSET + fields.size] = (uint8_t)frame_count;
    return block + FIELDS_OFFSET + fields.size + FRAME_COUNT_BYTES;
}

/* Writes all frames from `offset` on, and their entries. */
static grove_status write_frames(const grove__frame *frames, size_t frame_count,
                                 grove__packer *own, uint8_t *block, uint8_t *entry,
                                 size_t *offset)
{
    for (size_t index = 0; index < frame_count; index++) {
        grove__packer *packer = frames[index].packing.packer;
        grove__block_frame written;
        grove_status status = write_frame(&frames[index], packer != NULL ? packer : own,
                                          block + *offset, &written);
        if (status != GROVE_OK) {
            return status;
        }
        entry = write_entry(entry, &written);
        *offset += written.stored_bytes;
    }
    return GROVE_OK;
}

grove_status grove__block_encode(grove__block_kind kind, uint32_t event_count,
                                 grove_bytes fields, const grove__frame *frames,
                                 size_t frame_count, grove_buffer *block_out,
                                 grove_error *error_out)
{
    GROVE_ASSERT(frame_count <= GROVE__BLOCK_FRAMES_MAX);
    GROVE_ASSERT(kind == GROVE__BLOCK_EVENTS || event_count == 0);
    if (event_count > GROVE_BATCH_EVENTS_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "a block has %lu events, more than the %lu of "
                           "GROVE_BATCH_EVENTS_MAX",
                           (unsigned long)event_count,
                           (unsigned long)GROVE_BATCH_EVENTS_MAX);
    }
    size_t bytes_max = 0;
    grove_status status = check_sizes(fields, frames, frame_count, &bytes_max, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    uint8_t *block = reserve(block_out, bytes_max);
    if (block == NULL) {
        return grove__fail_memory(error_out);
    }

    uint8_t *entry = write_start(block, kind, event_count, fields, frame_count);
    size_t checksum_offset = header_checksum_offset(fields.size, frame_count);
    size_t bytes = checksum_offset + CHECKSUM_BYTES;
    grove__packer own;
    grove__packer_init(&own, block_out->allocator);
    status = write_frames(frames, frame_count, &own, block, entry, &bytes);
    grove__packer_release(&own);
    if (status != GROVE_OK) {
        return grove__fail_memory(error_out);
    }
    grove_write_u32(block + checksum_offset, header_checksum(block, checksum_offset));
    grove_buffer_grow(block_out, bytes);
    return GROVE_OK;
}

void grove__block_patch_fields(uint8_t *block, size_t offset, const uint8_t *fields,
                               size_t bytes)
{
    size_t fields_bytes =
        (size_t)block[FIELDS_BYTES_OFFSET] << 8 | block[FIELDS_BYTES_OFFSET + 1];
    GROVE_ASSERT(offset <= fields_bytes && bytes <= fields_bytes - offset);
    memcpy(block + FIELDS_OFFSET + offset, fields, bytes);
    size_t checksum_offset =
        header_checksum_offset(fields_bytes, block[FIELDS_OFFSET + fields_bytes]);
    grove_write_u32(block + checksum_offset, header_checksum(block, checksum_offset));
}

/* ---- Decoding ---- */

/* Magic, version, event count. */
static grove_status check_start(grove_bytes bytes, grove__block_kind kind,
                                uint32_t *event_count_out, grove_error *error_out)
{
    if (bytes.size < MAGIC_BYTES + 1 ||
        memcmp(bytes.data, MAGICS[kind], MAGIC_BYTES) != 0) {
        return grove__fail_at(error_out, GROVE_CORRUPT, 0,
                              "a block does not begin with %s", MAGICS[kind]);
    }
    uint8_t version = bytes.data[VERSION_OFFSET];
    if (version > BLOCK_VERSION) {
        return grove__fail_at(error_out, GROVE_FORMAT_NEWER, VERSION_OFFSET,
                              "a block has version %d; this library knows up to %d",
                              version, BLOCK_VERSION);
    }
    if (version < BLOCK_VERSION) {
        return grove__fail_at(error_out, GROVE_CORRUPT, VERSION_OFFSET,
                              "a block has version %d, which never was", version);
    }
    if (bytes.size < HEADER_BYTES_MIN) {
        return grove__fail_at(error_out, GROVE_CORRUPT, bytes.size,
                              "a block ends within its header");
    }
    uint32_t event_count = grove_read_u32(bytes.data + EVENT_COUNT_OFFSET);
    if (event_count > (kind == GROVE__BLOCK_EVENTS ? GROVE_BATCH_EVENTS_MAX : 0)) {
        return grove__fail_at(error_out, GROVE_CORRUPT, EVENT_COUNT_OFFSET,
                              "a block claims %lu events", (unsigned long)event_count);
    }
    *event_count_out = event_count;
    return GROVE_OK;
}

/* One entry of the directory: the codec against the sizes. */
static grove_status check_entry(const grove__block_frame *frame, size_t entry_offset,
                                grove_error *error_out)
{
    switch (frame->codec) {
    case GROVE__CODEC_RAW:
        if (frame->stored_bytes != frame->decoded_bytes) {
            return grove__fail_at(error_out, GROVE_CORRUPT, entry_offset + 6,
                                  "raw frame %d claims %lu bytes in %lu", frame->id,
                                  (unsigned long)frame->decoded_bytes,
                                  (unsigned long)frame->stored_bytes);
        }
        return GROVE_OK;
    case GROVE__CODEC_ZSTD:
        if (frame->stored_bytes >= frame->decoded_bytes ||
            frame->decoded_bytes > (uint64_t)frame->stored_bytes * ZSTD_RATIO_MAX) {
            return grove__fail_at(error_out, GROVE_CORRUPT, entry_offset + 6,
                                  "zstd frame %d claims %lu bytes in %lu", frame->id,
                                  (unsigned long)frame->decoded_bytes,
                                  (unsigned long)frame->stored_bytes);
        }
        return GROVE_OK;
    default:
        return grove__fail_at(error_out, GROVE_CORRUPT, entry_offset + 1,
                              "frame %d has the unknown codec %d", frame->id,
                              frame->codec);
    }
}

/* The directory and where each frame lies. */
static grove_status read_directory(grove__block *block, size_t directory_offset,
                                   grove_error *error_out)
{
    const uint8_t *bytes = block->bytes.data;
    uint64_t offset =
        directory_offset + ENTRY_BYTES * block->frame_count + CHECKSUM_BYTES;
    for (size_t index = 0; index < block->frame_count; index++) {
        size_t entry_offset = directory_offset + ENTRY_BYTES * index;
        const uint8_t *entry = bytes + entry_offset;
        grove__block_frame *frame = &block->frames[index];
        frame->id = entry[0];
        frame->codec = entry[1];
        frame->stored_bytes = grove_read_u32(entry + 2);
        frame->decoded_bytes = grove_read_u32(entry + 6);
        frame->checksum = grove_read_u32(entry + 10);
        frame->offset = (size_t)offset;
        if (index > 0 && frame->id <= block->frames[index - 1].id) {
            return grove__fail_at(error_out, GROVE_CORRUPT, entry_offset,
                                  "frame %d follows frame %d", frame->id,
                                  block->frames[index - 1].id);
        }
        grove_status status = check_entry(frame, entry_offset, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        offset += frame->stored_bytes;
        if (offset > block->bytes.size) {
            return grove__fail_at(error_out, GROVE_CORRUPT, entry_offset + 2,
                                  "frame %d reaches beyond its block", frame->id);
        }
    }
    if (offset != block->bytes.size) {
        return grove__fail_at(error_out, GROVE_CORRUPT, offset,
                              "a block has %llu bytes after its last frame",
                              (unsigned long long)(block->bytes.size - offset));
    }
    return GROVE_OK;
}

grove_status grove__block_open(grove_bytes bytes, grove__block_kind kind,
                               grove__block *block_out, grove_error *error_out)
{
    grove__block block;
    block.packer = NULL;
    block.kind = kind;
    block.bytes = bytes;
    grove_status status = check_start(bytes, kind, &block.event_count, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    size_t fields_bytes = (size_t)bytes.data[FIELDS_BYTES_OFFSET] << 8 |
                          bytes.data[FIELDS_BYTES_OFFSET + 1];
    if (fields_bytes > bytes.size - HEADER_BYTES_MIN) {
        return grove__fail_at(error_out, GROVE_CORRUPT, FIELDS_BYTES_OFFSET,
                              "a block's fields reach beyond its end");
    }
    block.fields.data = bytes.data + FIELDS_OFFSET;
    block.fields.size = fields_bytes;
    block.fields_offset = FIELDS_OFFSET;
    block.frame_count = bytes.data[FIELDS_OFFSET + fields_bytes];
    size_t checksum_offset = header_checksum_offset(fields_bytes, block.frame_count);
    if (block.frame_count > GROVE__BLOCK_FRAMES_MAX ||
        checksum_offset > bytes.size - CHECKSUM_BYTES) {
        return grove__fail_at(error_out, GROVE_CORRUPT, FIELDS_OFFSET + fields_bytes,
                              "a block claims %zu frames", block.frame_count);
    }
    if (grove_read_u32(bytes.data + checksum_offset) !=
        header_checksum(bytes.data, checksum_offset)) {
        return grove__fail_at(error_out, GROVE_CORRUPT, checksum_offset,
                              "the checksum of a block's header does not fit");
    }
    size_t directory_offset = FIELDS_OFFSET + fields_bytes + FRAME_COUNT_BYTES;
    status = read_directory(&block, directory_offset, error_out);
    if (status == GROVE_OK) {
        *block_out = block;
    }
    return status;
}

/* NULL: the block has no frame of that id. */
static const grove__block_frame *find_frame(const grove__block *block, uint8_t id)
{
    for (size_t index = 0; index < block->frame_count; index++) {
        if (block->frames[index].id == id) {
            return &block->frames[index];
        }
    }
    return NULL;
}

/* The frame as it is stored, its checksum verified. */
static grove_status view_stored(const grove__block *block,
                                const grove__block_frame *frame, grove_bytes *stored_out,
                                grove_error *error_out)
{
    grove_bytes stored = {block->bytes.data + frame->offset, frame->stored_bytes};
    if (grove__hash_u32(stored, frame->id) != frame->checksum) {
        return grove__fail_at(error_out, GROVE_CORRUPT, frame->offset,
                              "the checksum of frame %d does not fit", frame->id);
    }
    *stored_out = stored;
    return GROVE_OK;
}

/* Appends what a zstd frame holds. */
static grove_status unpack_frame(const grove__block *block,
                                 const grove__block_frame *frame, grove_bytes stored,
                                 grove_buffer *buffer, grove_error *error_out)
{
    if (!grove__packed_check(stored, frame->decoded_bytes)) {
        return grove__fail_at(error_out, GROVE_CORRUPT, frame->offset,
                              "frame %d is no zstd frame of %lu bytes", frame->id,
                              (unsigned long)frame->decoded_bytes);
    }
    uint8_t *room = reserve(buffer, frame->decoded_bytes);
    if (room == NULL) {
        return grove__fail_memory(error_out);
    }
    grove__packer own;
    grove__packer_init(&own, buffer->allocator);
    grove_status status = grove__packer_unpack(
        block->packer != NULL ? block->packer : &own, stored, room, frame->decoded_bytes);
    grove__packer_release(&own);
    switch (status) {
    case GROVE_OK:
        grove_buffer_grow(buffer, frame->decoded_bytes);
        return GROVE_OK;
    case GROVE_CORRUPT:
        return grove__fail_at(error_out, GROVE_CORRUPT, frame->offset,
                              "frame %d does not decompress", frame->id);
    default:
        return grove__fail_memory(error_out);
    }
}

grove_status grove__block_frame_decode(const grove__block *block, uint8_t id,
                                       grove_buffer *buffer, grove_error *error_out)
{
    const grove__block_frame *frame = find_frame(block, id);
    if (frame == NULL) {
        return grove__fail(error_out, GROVE_NONE, "a block has no frame %d", id);
    }
    grove_bytes stored = {NULL, 0};
    grove_status status = view_stored(block, frame, &stored, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (frame->codec == GROVE__CODEC_ZSTD) {
        return unpack_frame(block, frame, stored, buffer, error_out);
    }
    if (reserve(buffer, stored.size) == NULL) {
        return grove__fail_memory(error_out);
    }
    grove_buffer_append(buffer, stored.data, stored.size);
    return GROVE_OK;
}

grove_status grove__block_frame_view(const grove__block *block, uint8_t id,
                                     grove_buffer *buffer, grove_bytes *bytes_out,
                                     grove_error *error_out)
{
    const grove__block_frame *frame = find_frame(block, id);
    if (frame == NULL) {
        *bytes_out = (grove_bytes){NULL, 0};
        return GROVE_OK;
    }
    grove_bytes stored = {NULL, 0};
    grove_status status = view_stored(block, frame, &stored, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (frame->codec == GROVE__CODEC_ZSTD) {
        grove_buffer_reset(buffer);
        status = unpack_frame(block, frame, stored, buffer, error_out);
        stored = grove_buffer_view(buffer);
    }
    if (status == GROVE_OK) {
        *bytes_out = stored;
    }
    return status;
}
