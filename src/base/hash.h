/* The checksum of everything at rest: XXH3, 64 bits, from libxxhash. */
#ifndef GROVE_BASE_HASH_H
#define GROVE_BASE_HASH_H

#include <grove/types.h>

/* `seed` tells places apart, so that a value in the wrong place shows. */
uint64_t grove__hash(grove_bytes bytes, uint64_t seed);

/* The low half, where four bytes are enough. */
static inline uint32_t grove__hash_u32(grove_bytes bytes, uint64_t seed)
{
    return (uint32_t)grove__hash(bytes, seed);
}

#endif
