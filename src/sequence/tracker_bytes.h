/*
 * A tracker as bytes: what docs/FORMAT.md calls the state of a merge. With it
 * a document that never is at a critical version can be merged on without
 * its history.
 */
#ifndef GROVE_SEQUENCE_TRACKER_BYTES_H
#define GROVE_SEQUENCE_TRACKER_BYTES_H

#include <grove/sys/bytes.h>

#include "sequence/tracker.h"

/*
 * Appends the columns of a tracker that has applied exactly the events
 * numbered 0 to event_count - 1, none of them before one of its parents.
 * Spans and deletions that can be told as one are, so that the bytes depend
 * on what the tracker knows and not on how it came to be. O(spans +
 * deletions). GROVE_NO_MEMORY.
 */
grove_status grove__tracker_encode(const grove__tracker *tracker, uint32_t event_count,
                                   grove_buffer *bytes_out);

/*
 * Replaces what the tracker holds. Whatever the bytes are, a tracker that
 * comes of them stands every call with further events; what it answers is
 * only as true as they are. Memory is at most proportional to `event_count`
 * and the bytes. O(bytes + deleted elements). After a failure the tracker can
 * only be cleared.
 *
 *   GROVE_CORRUPT  with the offset: not a tracker of so many events
 */
grove_status grove__tracker_decode(grove__tracker *tracker, uint32_t event_count,
                                   grove_bytes bytes, grove_error *error_out);

#endif
