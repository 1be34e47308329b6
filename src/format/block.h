/*
 * Blocks: a checksummed header with a directory, then frames that can each be
 * read without the others. Integers are big-endian.
 *
 *   offset   size  meaning
 *   0        8     magic: "GROVE_EG" events, "GROVE_SN" snapshot,
 *                  "GROVE_ST" a group's state, "GROVE_CM" commits
 *   8        1     version of the block format: 1
 *   9        4     event count (of a snapshot: 0)
 *   13       2     size of the fields, f
 *   15       f     fields, defined by the magic: batch.h, snapshot.h
 *   15+f     1     number of frames, n (at most 8)
 *   16+f     14*n  directory, in the order of the frames:
 *                    1  frame id, defined by the magic; ids ascend
 *                    1  codec: 0 raw, 1 zstd
 *                    4  stored bytes
 *                    4  decoded bytes
 *                    4  low 32 bits of XXH3-64 of the stored bytes,
 *                       seed = frame id
 *   ...      4     low 32 bits of XXH3-64 of all bytes before, seed 0
 *   ...            the frames, one after the other, to the end of the block
 *
 * A reader skips frames whose id it does not know. Everything is verified
 * before use: sizes against the block's real size, and a zstd frame's own
 * content size against the directory, before anything is allocated. A zstd
 * frame is smaller than what it decodes to, and at most 32,768 times: no zstd
 * frame holds more (128 KB in a block of 4 bytes), so a lie about a size costs
 * no more memory than an honest frame may.
 */
#ifndef GROVE_FORMAT_BLOCK_H
#define GROVE_FORMAT_BLOCK_H

#include <grove/sys/bytes.h>

#include "format/pack.h"

enum { GROVE__BLOCK_FRAMES_MAX = 8, GROVE__BLOCK_FIELDS_BYTES_MAX = 65535 };

typedef enum grove__block_kind {
    GROVE__BLOCK_EVENTS = 0,
    GROVE__BLOCK_SNAPSHOT = 1,
    GROVE__BLOCK_STATE = 2,
    GROVE__BLOCK_COMMITS = 3
} grove__block_kind;

typedef enum grove__codec { GROVE__CODEC_RAW = 0, GROVE__CODEC_ZSTD = 1 } grove__codec;

/* A frame to write. */
typedef struct grove__frame {
    uint8_t id;
    grove_bytes bytes;
    grove__packing packing;
    /* Ascending offsets at which columns begin: entropy tables start anew. */
    const size_t *cuts;
    size_t cut_count;
} grove__frame;

/* Appends a block to `block_out`; ids of frames ascend. On failure
 * (GROVE_NO_MEMORY, GROVE_LIMIT) the buffer is as it was. */
grove_status grove__block_encode(grove__block_kind kind, uint32_t event_count,
                                 grove_bytes fields, const grove__frame *frames,
                                 size_t frame_count, grove_buffer *block_out,
                                 grove_error *error_out);

/* A block whose header was verified. Borrows the bytes it was read from. */
typedef struct grove__block_frame {
    uint8_t id;
    uint8_t codec;
    uint32_t stored_bytes;
    uint32_t decoded_bytes;
    uint32_t checksum;
    size_t offset;
} grove__block_frame;

typedef struct grove__block {
    /* For the frames; NULL after open: each compressed frame then makes
     * contexts of its own. A caller that has a packer sets it. */
    grove__packer *packer;
    grove__block_kind kind;
    uint32_t event_count;
    grove_bytes fields;
    size_t fields_offset;
    grove_bytes bytes;
    size_t frame_count;
    grove__block_frame frames[GROVE__BLOCK_FRAMES_MAX];
} grove__block;

/* Verifies the header, not the frames. GROVE_CORRUPT with the offset;
 * GROVE_FORMAT_NEWER for a block of a later version. */
grove_status grove__block_open(grove_bytes bytes, grove__block_kind kind,
                               grove__block *block_out, grove_error *error_out);

/* Verifies and appends the decoded frame to `buffer`. GROVE_NONE: the block
 * has no frame of that id. */
grove_status grove__block_frame_decode(const grove__block *block, uint8_t id,
                                       grove_buffer *buffer, grove_error *error_out);

/* The verified frame without a copy where it is stored raw (borrowed from the
 * block's bytes), else decoded into `buffer`, which is reset first. An absent
 * frame is empty. */
grove_status grove__block_frame_view(const grove__block *block, uint8_t id,
                                     grove_buffer *buffer, grove_bytes *bytes_out,
                                     grove_error *error_out);

/* Overwrites `bytes` of the fields at `offset` within them and renews the
 * header's checksum. The block must be one that was just encoded. */
void grove__block_patch_fields(uint8_t *block, size_t offset, const uint8_t *fields,
                               size_t bytes);

#endif
