/*
 * The state of a text document: what a `void *state` of grove_type_text() is.
 *
 * A state may be read by several threads while nobody changes it.
 */
#ifndef GROVE_TEXT_STATE_H
#define GROVE_TEXT_STATE_H

#include <grove/sys/document_type.h>

#include "text/rope.h"

typedef struct grove__text {
    grove__rope rope;
} grove__text;

/* An empty text; the allocator is borrowed until it is freed. */
grove_status grove__text_new(const grove_allocator *allocator, grove__text **text_out);
/* Accepts NULL. */
void grove__text_free(grove__text *text);

/* Length in code points, and in bytes of UTF-8. */
static inline uint64_t grove__text_length(const grove__text *text)
{
    return text->rope.points;
}
static inline uint64_t grove__text_bytes(const grove__text *text)
{
    return text->rope.bytes;
}

/*
 * Inserts `points` code points of UTF-8, which grove__utf8_check has counted,
 * at `position`, at most the length. GROVE_NO_MEMORY: the text is as it was.
 */
static inline grove_status grove__text_insert(grove__text *text, uint64_t position,
                                              grove_bytes utf8, uint64_t points)
{
    return grove__rope_insert(&text->rope, position, utf8, points);
}

/* Deletes the code points [position, position + count), which exist. */
static inline void grove__text_delete(grove__text *text, uint64_t position,
                                      uint64_t count)
{
    grove__rope_delete(&text->rope, position, count);
}

/* As grove_text_read, for a position within the text: returns the bytes,
 * *points_out is the code points. */
static inline size_t grove__text_read(const grove__text *text, uint64_t position,
                                      uint64_t count, void *buffer, size_t buffer_bytes,
                                      uint64_t *points_out)
{
    return grove__rope_read(&text->rope, position, count, buffer, buffer_bytes,
                            points_out);
}

/* The text from `position`, at most the length, on, piece by piece without a
 * copy: see grove__rope_chunks_next. */
static inline void grove__text_chunks_init(grove__rope_chunks *chunks,
                                           const grove__text *text, uint64_t position)
{
    grove__rope_chunks_init(chunks, &text->rope, position);
}

/*
 * Applies operations that grove__text_operation_check would pass, each made on
 * the text as the one before left it. GROVE_CORRUPT: a position beyond the
 * end; the offset is the index of the operation, and the text is as it was.
 * GROVE_NO_MEMORY: it holds the operations before.
 */
grove_status grove__text_apply(grove__text *text, grove_operations operations,
                               grove_error *error_out);

/* A snapshot's frames: structure is the length in code points as LEB128,
 * content the text. GROVE_NO_MEMORY, GROVE_LIMIT: over GROVE_FRAME_BYTES_MAX;
 * the buffers are then as they were. */
grove_status grove__text_encode(const grove__text *text, grove_type_buffers *buffers,
                                grove_error *error_out);
/* The way back. GROVE_CORRUPT with the offset in the frame that the message
 * names. */
grove_status grove__text_decode(const grove_allocator *allocator,
                                grove_type_frames frames, grove__text **text_out,
                                grove_error *error_out);

#endif
