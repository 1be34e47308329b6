/*
 * Growing buffers, bounded readers and the number codings of the stored
 * format. For authors of backends and document types; the library itself
 * reads and writes all its bytes through these.
 *
 * A grove_buffer grows through an allocator. Appending fails once, then the
 * buffer is marked failed and further appends are without effect, so a long
 * encoder checks once at its end.
 *
 * A grove_reader never reads outside its span. The first read beyond the end,
 * or of a malformed number, marks it failed at that offset; further reads
 * give zeros. A decoder may thus read a record whole and check once, but must
 * check before it uses a value as a size, a count or an index.
 */
#ifndef GROVE_SYS_BYTES_H
#define GROVE_SYS_BYTES_H

#include <grove/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct grove_buffer {
    const grove_allocator *allocator;
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool failed;
} grove_buffer;

/* An empty buffer that owns nothing yet; `allocator` is borrowed. */
GROVE_API_VOID void grove_buffer_init(grove_buffer *buffer,
                                      const grove_allocator *allocator);
/* Gives the memory back; the buffer is then as after init. */
GROVE_API_VOID void grove_buffer_release(grove_buffer *buffer);
/* Empties the buffer and its failure; keeps the memory. */
GROVE_API_VOID void grove_buffer_reset(grove_buffer *buffer);
/*
 * Makes room for `bytes` more and returns where they go, or NULL (the buffer
 * is then failed). The size does not change: see grove_buffer_grow.
 */
GROVE_API uint8_t *grove_buffer_reserve(grove_buffer *buffer, size_t bytes);
/* Counts `bytes` that were written to reserved room. */
static inline void grove_buffer_grow(grove_buffer *buffer, size_t bytes)
{
    buffer->size += bytes;
}
GROVE_API_VOID void grove_buffer_append(grove_buffer *buffer, const void *data,
                                        size_t bytes);
/* What the buffer holds; borrowed until it next changes. */
static inline grove_bytes grove_buffer_view(const grove_buffer *buffer)
{
    grove_bytes bytes;
    bytes.data = buffer->data;
    bytes.size = buffer->size;
    return bytes;
}

/* Big-endian numbers of fixed width. */
GROVE_API_VOID void grove_buffer_u8(grove_buffer *buffer, uint8_t value);
GROVE_API_VOID void grove_buffer_u32(grove_buffer *buffer, uint32_t value);
GROVE_API_VOID void grove_buffer_u64(grove_buffer *buffer, uint64_t value);
/* LEB128: 7 bits a byte, low bits first, at most 10 bytes, shortest form. */
GROVE_API_VOID void grove_buffer_varint(grove_buffer *buffer, uint64_t value);
/* Zigzag, then LEB128. */
GROVE_API_VOID void grove_buffer_signed(grove_buffer *buffer, int64_t value);

typedef struct grove_reader {
    const uint8_t *data;
    size_t size;
    size_t offset;
    bool failed;
} grove_reader;

/* A reader at the beginning of `bytes`, which it borrows. */
static inline grove_reader grove_reader_of(grove_bytes bytes)
{
    grove_reader reader;
    reader.data = bytes.data;
    reader.size = bytes.size;
    reader.offset = 0;
    reader.failed = false;
    return reader;
}
/* Bytes that were not read yet. */
static inline size_t grove_reader_left(const grove_reader *reader)
{
    return reader->size - reader->offset;
}
/* Whether the span was read to its last byte without a failure. */
static inline bool grove_reader_done(const grove_reader *reader)
{
    return !reader->failed && reader->offset == reader->size;
}
GROVE_API_VOID uint8_t grove_reader_u8(grove_reader *reader);
GROVE_API_VOID uint32_t grove_reader_u32(grove_reader *reader);
GROVE_API_VOID uint64_t grove_reader_u64(grove_reader *reader);
/* Longer than needed, or over 64 bits: a failure. */
GROVE_API_VOID uint64_t grove_reader_varint(grove_reader *reader);
GROVE_API_VOID int64_t grove_reader_signed(grove_reader *reader);
/* The next `bytes` bytes, borrowed from the span; empty on failure. */
GROVE_API_VOID grove_bytes grove_reader_bytes(grove_reader *reader, size_t bytes);

/* Fixed-width numbers in place. */
GROVE_API_VOID void grove_write_u32(uint8_t *bytes, uint32_t value);
GROVE_API_VOID void grove_write_u64(uint8_t *bytes, uint64_t value);
GROVE_API_VOID uint32_t grove_read_u32(const uint8_t *bytes);
GROVE_API_VOID uint64_t grove_read_u64(const uint8_t *bytes);

#ifdef __cplusplus
}
#endif

#endif
