/* grove_buffer and grove_reader: see grove/sys/bytes.h. */
#include <grove/sys/bytes.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/checked.h"

enum { CAPACITY_MIN = 64, VARINT_BYTES_MAX = 10 };

void grove_buffer_init(grove_buffer *buffer, const grove_allocator *allocator)
{
    buffer->allocator = allocator;
    buffer->data = NULL;
    buffer->size = 0;
    buffer->capacity = 0;
    buffer->failed = false;
}

void grove_buffer_release(grove_buffer *buffer)
{
    grove__deallocate(buffer->allocator, buffer->data, buffer->capacity);
    grove_buffer_init(buffer, buffer->allocator);
}

void grove_buffer_reset(grove_buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

uint8_t *grove_buffer_reserve(grove_buffer *buffer, size_t bytes)
{
    if (buffer->failed) {
        return NULL;
    }
    if (bytes <= buffer->capacity - buffer->size && buffer->data != NULL) {
        return buffer->data + buffer->size;
    }
    size_t needed;
    size_t capacity = buffer->capacity + buffer->capacity / 2;
    if (!grove__add_size(buffer->size, bytes, &needed)) {
        buffer->failed = true;
        return NULL;
    }
    if (capacity < needed) {
        capacity = needed;
    }
    if (capacity < CAPACITY_MIN) {
        capacity = CAPACITY_MIN;
    }
    uint8_t *grown =
        grove__reallocate(buffer->allocator, buffer->data, buffer->capacity, capacity);
    if (grown == NULL) {
        buffer->failed = true;
        return NULL;
    }
    buffer->data = grown;
    buffer->capacity = capacity;
    return buffer->data + buffer->size;
}

void grove_buffer_append(grove_buffer *buffer, const void *data, size_t bytes)
{
    uint8_t *room = grove_buffer_reserve(buffer, bytes);
    if (room != NULL && bytes > 0) {
        memcpy(room, data, bytes);
        buffer->size += bytes;
    }
}

void grove_buffer_u8(grove_buffer *buffer, uint8_t value)
{
    uint8_t *room = grove_buffer_reserve(buffer, 1);
    if (room != NULL) {
        *room = value;
        buffer->size += 1;
    }
}

void grove_buffer_u32(grove_buffer *buffer, uint32_t value)
{
    uint8_t *room = grove_buffer_reserve(buffer, 4);
    if (room != NULL) {
        grove_write_u32(room, value);
        buffer->size += 4;
    }
}

void grove_buffer_u64(grove_buffer *buffer, uint64_t value)
{
    uint8_t *room = grove_buffer_reserve(buffer, 8);
    if (room != NULL) {
        grove_write_u64(room, value);
        buffer->size += 8;
    }
}

void grove_buffer_varint(grove_buffer *buffer, uint64_t value)
{
    uint8_t *room = grove_buffer_reserve(buffer, VARINT_BYTES_MAX);
    if (room == NULL) {
        return;
    }
    size_t bytes = 0;
    while (value >= 0x80) {
        room[bytes++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    room[bytes++] = (uint8_t)value;
    buffer->size += bytes;
}

void grove_buffer_signed(grove_buffer *buffer, int64_t value)
{
    uint64_t folded = (uint64_t)value << 1;
    grove_buffer_varint(buffer, value < 0 ? ~folded : folded);
}

/* Marks the reader failed where it stands. */
static void reader_fail(grove_reader *reader)
{
    reader->failed = true;
}

/* Whether `bytes` more can be read; fails the reader otherwise. */
static bool reader_has(grove_reader *reader, size_t bytes)
{
    if (reader->failed) {
        return false;
    }
    if (bytes > reader->size - reader->offset) {
        reader_fail(reader);
        return false;
    }
    return true;
}

uint8_t grove_reader_u8(grove_reader *reader)
{
    if (!reader_has(reader, 1)) {
        return 0;
    }
    return reader->data[reader->offset++];
}

uint32_t grove_reader_u32(grove_reader *reader)
{
    if (!reader_has(reader, 4)) {
        return 0;
    }
    uint32_t value = grove_read_u32(reader->data + reader->offset);
    reader->offset += 4;
    return value;
}

uint64_t grove_reader_u64(grove_reader *reader)
{
    if (!reader_has(reader, 8)) {
        return 0;
    }
    uint64_t value = grove_read_u64(reader->data + reader->offset);
    reader->offset += 8;
    return value;
}

uint64_t grove_reader_varint(grove_reader *reader)
{
    /* An empty span may have no address to add an offset to. */
    if (!reader_has(reader, 1)) {
        return 0;
    }
    uint64_t value = 0;
    size_t left = reader->size - reader->offset;
    const uint8_t *bytes = reader->data + reader->offset;
    for (size_t index = 0; index < left && index < VARINT_BYTES_MAX; index++) {
        uint8_t byte = bytes[index];
        /* The tenth byte holds one bit; a last byte of zero is too long. */
        if (index == VARINT_BYTES_MAX - 1 && byte > 1) {
            break;
        }
        value |= (uint64_t)(byte & 0x7f) << (7 * index);
        if (byte < 0x80) {
            if (byte == 0 && index > 0) {
                break;
            }
            reader->offset += index + 1;
            return value;
        }
    }
    reader_fail(reader);
    return 0;
}

int64_t grove_reader_signed(grove_reader *reader)
{
    uint64_t folded = grove_reader_varint(reader);
    uint64_t value = folded >> 1;
    return (int64_t)((folded & 1) != 0 ? ~value : value);
}

grove_bytes grove_reader_bytes(grove_reader *reader, size_t bytes)
{
    grove_bytes view = {NULL, 0};
    if (reader_has(reader, bytes) && bytes > 0) {
        view.data = reader->data + reader->offset;
        view.size = bytes;
        reader->offset += bytes;
    }
    return view;
}

void grove_write_u32(uint8_t *bytes, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        *bytes++ = (uint8_t)(value >> shift);
    }
}

void grove_write_u64(uint8_t *bytes, uint64_t value)
{
    for (int shift = 56; shift >= 0; shift -= 8) {
        *bytes++ = (uint8_t)(value >> shift);
    }
}

uint32_t grove_read_u32(const uint8_t *bytes)
{
    uint32_t value = 0;
    for (int index = 0; index < 4; index++) {
        value = value << 8 | bytes[index];
    }
    return value;
}

uint64_t grove_read_u64(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (int index = 0; index < 8; index++) {
        value = value << 8 | bytes[index];
    }
    return value;
}
