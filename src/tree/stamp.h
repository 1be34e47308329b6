/*
 * Stamps of events, as a tree keeps them: 16 bytes.
 *
 *     high   time (48 bits), high half of the replica's number
 *     low    low half of the replica's number, sequence (48 bits)
 *
 * The number is the tree's own. Which of two stamps is later depends on the
 * replicas' names where the times are equal: grove__tree_is_later in tree.h.
 */
#ifndef GROVE_TREE_STAMP_H
#define GROVE_TREE_STAMP_H

#include <grove/types.h>

enum { GROVE__STAMP_BITS = 48, GROVE__STAMP_HALF = 16 };

typedef struct grove__stamp {
    uint64_t high;
    uint64_t low;
} grove__stamp;

/* Times and sequences are below GROVE_DOCUMENT_EVENTS_MAX, 2^48. */
static inline grove__stamp grove__stamp_of(uint64_t time, uint32_t replica,
                                           uint64_t sequence)
{
    return (grove__stamp){
        time << GROVE__STAMP_HALF | replica >> GROVE__STAMP_HALF,
        (uint64_t)(replica & 0xffffu) << GROVE__STAMP_BITS | sequence,
    };
}

static inline uint64_t grove__stamp_time(grove__stamp stamp)
{
    return stamp.high >> GROVE__STAMP_HALF;
}

static inline uint32_t grove__stamp_replica(grove__stamp stamp)
{
    return (uint32_t)(stamp.high & 0xffffu) << GROVE__STAMP_HALF |
           (uint32_t)(stamp.low >> GROVE__STAMP_BITS);
}

static inline uint64_t grove__stamp_sequence(grove__stamp stamp)
{
    return stamp.low & ((UINT64_C(1) << GROVE__STAMP_BITS) - 1);
}

static inline bool grove__stamp_equal(grove__stamp a, grove__stamp b)
{
    return a.high == b.high && a.low == b.low;
}

#endif
