#include "base/hash.h"

#include <xxhash.h>

uint64_t grove__hash(grove_bytes bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.data, bytes.size, seed);
}
