/*
 * A snapshot: the state at a clock as a block ("GROVE_SN").
 *
 * Fields of the header:
 *   offset  size  meaning
 *   0       8     clock: the first `clock` events are in the state
 *   8       8     base clock: the newest critical version at or before
 *   16      4     the type's format
 *   20      4     number of heads, h
 *   24      ...   h times: clock (8), size of the replica (1), the replica,
 *                 sequence (8); ascending by clock. The last is the newest
 *                 event, with clock - 1; at clock 0 there is none
 *
 * Frames: 1 structure, 2 content, as the type's state_encode wrote them. For
 * the type `text` content is the text in UTF-8: a reader of the text alone
 * needs no other frame. 3 merge, where the base clock is far back: what the
 * type's walker knows of the events from there to the clock, as its
 * walker_encode wrote it; a merge then need not see them again. 4 times, of
 * timed types: the Lamport time of each head.
 */
#ifndef GROVE_FORMAT_SNAPSHOT_H
#define GROVE_FORMAT_SNAPSHOT_H

#include "format/block.h"

enum {
    GROVE__SNAPSHOT_FRAME_STRUCTURE = 1,
    GROVE__SNAPSHOT_FRAME_CONTENT = 2,
    GROVE__SNAPSHOT_FRAME_MERGE = 3,
    GROVE__SNAPSHOT_FRAME_TIMES = 4
};

/* The frames' contents; an empty merge is no frame. */
typedef struct grove__snapshot_frames {
    grove_bytes structure;
    grove_bytes content;
    grove_bytes merge;
} grove__snapshot_frames;

typedef struct grove__head {
    uint64_t clock; /* of the event */
    grove_event_id id;
    uint64_t time; /* its Lamport time; 0: not known, or not kept */
} grove__head;

typedef struct grove__snapshot_header {
    uint64_t clock;
    uint64_t base_clock;
    uint32_t type_format;
    uint32_t head_count;
} grove__snapshot_header;

/*
 * Appends a block to `block_out`. The times of the heads are either all known,
 * and written, or none is. Contents under packing.raw_bytes_max are
 * stored as they are, so that loading them decompresses nothing. GROVE_LIMIT:
 * the heads do not fit a block's fields (800 of the longest replicas do, 1,900
 * of 16 bytes), or a frame is too large; GROVE_NO_MEMORY. The buffer is then
 * as it was.
 */
grove_status grove__snapshot_encode(const grove__snapshot_header *header,
                                    const grove__head *heads,
                                    const grove__snapshot_frames *contents,
                                    grove__packing packing, grove_buffer *block_out,
                                    grove_error *error_out);

/*
 * Verifies and reads the header. Appends the heads (grove__head records, with
 * clocks below `clock`, ascending and distinct) to `heads_out`, unless NULL.
 * GROVE_CORRUPT with the offset in the block, GROVE_FORMAT_NEWER,
 * GROVE_NO_MEMORY; outputs are then untouched.
 */
grove_status grove__snapshot_open(grove_bytes bytes, grove__block *block_out,
                                  grove__snapshot_header *header_out,
                                  grove_buffer *heads_out, grove_error *error_out);

/*
 * Gives the heads of a snapshot that was opened their times, which it has to
 * have: the type is timed. GROVE_CORRUPT: it has not one for each, or one that
 * so few events before cannot make; GROVE_NO_MEMORY.
 */
grove_status grove__snapshot_times(const grove__block *block,
                                   const grove_allocator *allocator, grove__head *heads,
                                   size_t head_count, grove_error *error_out);

#endif
