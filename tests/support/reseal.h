/*
 * Renews the checksums of a block whose bytes were changed on purpose, so
 * that a lie reaches the checks behind the checksums. Written apart from
 * src/format/block.c, on the word of docs/FORMAT.md alone. What has not even
 * the outline of a block is left as it is.
 */
#ifndef GROVE_TESTS_RESEAL_H
#define GROVE_TESTS_RESEAL_H

#include <grove/sys/bytes.h>

#include "base/hash.h"

/* Of a block without fields; its directory's entries have 14 bytes each. */
enum { RESEAL_FIELDS = 15, RESEAL_ENTRY = 14, RESEAL_CHECKSUM = 4 };

/* Offset of the header's checksum, or 0: the bytes end before. */
static inline size_t reseal_checksum_offset(grove_bytes block)
{
    if (block.size < RESEAL_FIELDS + 1) {
        return 0;
    }
    size_t fields = (size_t)block.data[13] << 8 | block.data[14];
    if (fields >= block.size - RESEAL_FIELDS) {
        return 0;
    }
    size_t frames = block.data[RESEAL_FIELDS + fields];
    size_t offset = RESEAL_FIELDS + fields + 1 + RESEAL_ENTRY * frames;
    return offset > block.size || block.size - offset < RESEAL_CHECKSUM ? 0 : offset;
}

static inline void reseal(uint8_t *block, size_t bytes)
{
    size_t checksum = reseal_checksum_offset((grove_bytes){block, bytes});
    if (checksum == 0) {
        return;
    }
    size_t fields = (size_t)block[13] << 8 | block[14];
    size_t start = checksum + RESEAL_CHECKSUM;
    for (size_t entry = RESEAL_FIELDS + fields + 1; entry < checksum;
         entry += RESEAL_ENTRY) {
        size_t stored = grove_read_u32(block + entry + 2);
        if (stored > bytes - start) {
            break;
        }
        grove_bytes frame = {block + start, stored};
        grove_write_u32(block + entry + 10, grove__hash_u32(frame, block[entry]));
        start += stored;
    }
    grove_write_u32(block + checksum, grove__hash_u32((grove_bytes){block, checksum}, 0));
}

#endif
