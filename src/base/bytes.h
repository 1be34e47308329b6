/* Small comparisons of byte strings; buffers and readers: grove/sys/bytes.h. */
#ifndef GROVE_BASE_BYTES_H
#define GROVE_BASE_BYTES_H

#include <grove/sys/bytes.h>

/* As memcmp, a prefix before what it begins: negative, zero or positive. */
static inline int grove__bytes_compare(grove_bytes a, grove_bytes b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    if (order != 0) {
        return order;
    }
    return (a.size > b.size) - (a.size < b.size);
}

static inline bool grove__bytes_equal(grove_bytes a, grove_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool grove__bytes_begin_with(grove_bytes bytes, grove_bytes prefix)
{
    return bytes.size >= prefix.size &&
           (prefix.size == 0 || memcmp(bytes.data, prefix.data, prefix.size) == 0);
}

static inline grove_bytes grove__replica_bytes(const grove_replica *replica)
{
    grove_bytes bytes = {replica->bytes, replica->size};
    return bytes;
}

/* As grove_reader_varint, without a call for what takes one byte. */
static inline uint64_t grove__reader_varint(grove_reader *reader)
{
    if (!reader->failed && reader->offset < reader->size &&
        reader->data[reader->offset] < 0x80) {
        return reader->data[reader->offset++];
    }
    return grove_reader_varint(reader);
}

static inline bool grove__replica_equal(const grove_replica *a, const grove_replica *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

#endif
