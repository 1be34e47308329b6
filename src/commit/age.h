/*
 * Packing the records of commits as they age (format/commits.h).
 *
 * Ranges of GROVE__PACKED_COMMITS commits, from 1 on, are packed one at a time
 * once as many newer commits have come. Packing goes with a commit that is made
 * anyway: it is prepared before, and its changes are part of the same
 * transaction. As records never change, it does not matter if two processes
 * pack the same.
 */
#ifndef GROVE_COMMIT_AGE_H
#define GROVE_COMMIT_AGE_H

#include <grove/sys/bytes.h>

#include "commit/store.h"

#ifdef GROVE_TINY_LIMITS
enum { GROVE__PACKED_COMMITS = 8 };
#else
enum { GROVE__PACKED_COMMITS = 512 };
#endif

/*
 * Whether a range is due: then *first_out is its first commit and `block_out`,
 * which is empty, holds what takes the place of its records. A failure means
 * that nothing is due now: packing is never a reason to refuse a commit.
 */
bool grove__age_pack(grove_store *store, uint64_t *first_out, grove_buffer *block_out);

#endif
