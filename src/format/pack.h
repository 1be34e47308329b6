/*
 * Packing: bytes to one zstd frame and back, with contexts that can be kept.
 *
 * A zstd context costs about as much to make as decoding 10 KB (15 µs on a
 * virtual machine: zstd asks the processor for its features each time, and
 * that traps), and 96 KB of memory to decode, 30 KB to several MB to encode.
 * Whoever packs or unpacks more than one frame therefore keeps a packer. All
 * its memory comes from its allocator.
 */
#ifndef GROVE_FORMAT_PACK_H
#define GROVE_FORMAT_PACK_H

#include <grove/types.h>

/* Both contexts, each made when it is first needed. For one thread at a time;
 * a single one may serve any number of blocks, one after the other. */
typedef struct grove__packer {
    const grove_allocator *allocator;
    struct ZSTD_CCtx_s *compressor;
    struct ZSTD_DCtx_s *decompressor;
} grove__packer;

void grove__packer_init(grove__packer *packer, const grove_allocator *allocator);
/* Gives all memory back; the packer is then as after init. */
void grove__packer_release(grove__packer *packer);

/*
 * How to compress. `level` is one of zstd: 1 to 22, negative for faster than
 * 1, 0 to store as it is; what is beyond zstd's range is taken as its end.
 * Frames under `raw_bytes_max`, and such that zstd does not bring to 15/16,
 * are stored as they are. `packer` is borrowed; NULL makes one for each block.
 */
typedef struct grove__packing {
    int level;
    size_t raw_bytes_max;
    grove__packer *packer;
} grove__packing;

/* Bytes to pack, with the ascending offsets at which entropy tables start
 * anew. */
typedef struct grove__columns {
    grove_bytes bytes;
    const size_t *cuts;
    size_t cut_count;
} grove__columns;

/*
 * Writes one zstd frame to `room`: with its content size, without checksum
 * and dictionary, its window at most 2^27 bytes. GROVE_NONE: it needs more
 * than `room_bytes`, and what `room` holds has no meaning. GROVE_NO_MEMORY.
 */
grove_status grove__packer_pack(grove__packer *packer, int level,
                                const grove__columns *columns, uint8_t *room,
                                size_t room_bytes, size_t *packed_bytes_out);

/* Whether the bytes have the outward form of such a frame, of which
 * `content_bytes` come. Allocates nothing. */
bool grove__packed_check(grove_bytes packed, uint64_t content_bytes);

/* Fills `content_bytes` > 0 bytes of `room` from a frame that was checked.
 * GROVE_CORRUPT: it does not decode to them. GROVE_NO_MEMORY. */
grove_status grove__packer_unpack(grove__packer *packer, grove_bytes packed,
                                  uint8_t *room, size_t content_bytes);

#endif
