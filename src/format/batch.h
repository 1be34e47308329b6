/*
 * A batch: a list of events as a block ("GROVE_EG").
 *
 * Fields of the header:
 *   offset  size  meaning
 *   0       8     first clock. Batches are encoded before their place in the
 *                 document is known; grove__batch_place sets this last.
 *   8       8     reach: 1 + the least clock of a parent outside the batch;
 *                 0 when an event of the batch is a root. Every event of the
 *                 batch depends on nothing at or after `reach` and before
 *                 the batch that is not among its parents' history: a version
 *                 at or below the least reach of all later batches may be
 *                 critical, and no other.
 *   16      ...   heads: how many events of the batch no other event of the
 *                 batch has as a parent, as LEB128, then the distance of each
 *                 from the one before, the first from the batch's end,
 *                 backwards. A chain has the bytes 01 01. More than 64 heads
 *                 are not listed: the number is then 0.
 *
 * Frames: 1 graph (ids and parents), 2 operations, 3 content, 4 timestamps.
 * docs/FORMAT.md is normative for their columns. Critical bits are derived.
 */
#ifndef GROVE_FORMAT_BATCH_H
#define GROVE_FORMAT_BATCH_H

#include "format/block.h"
#include "format/events.h"

enum {
    GROVE__FRAME_GRAPH = 1,
    GROVE__FRAME_OPERATIONS = 2,
    GROVE__FRAME_CONTENT = 3,
    GROVE__FRAME_TIMESTAMPS = 4
};

/*
 * How batches are packed when first saved, and when sealed at a zstd level.
 * `raw_bytes_max` is that of the content; other frames stay raw up to a larger
 * bound, as columns have tables of their own to pay for. Set `packer` to keep
 * contexts.
 */
grove__packing grove__batch_packing_usual(void);
grove__packing grove__batch_packing_sealed(int level);

/*
 * Appends the block of `events` to `block_out`, with first clock 0. Of a timed
 * type the times of all parents outside are known, or none, of an event that
 * waits. `reach`
 * as above: the caller knows the clocks of outside parents; 0 is written
 * whatever it is when an event is a root. Round trip exact for every list that
 * keeps E1 to E6, an empty one included. GROVE_LIMIT, GROVE_NO_MEMORY, and
 * what the type's operations_encode returns; the buffer is then as it was.
 */
grove_status grove__batch_encode(grove__events *events, const grove_document_type *type,
                                 uint64_t reach, grove__packing packing,
                                 grove_buffer *block_out, grove_error *error_out);

/* Sets the first clock of a block that grove__batch_encode made. */
void grove__batch_place(uint8_t *block, uint64_t first_clock);

typedef struct grove__batch_header {
    uint64_t first_clock;
    uint64_t reach;
    uint32_t event_count;
    /* Whether the last event is the batch's only head. */
    bool is_one_head;
} grove__batch_header;

/* Verifies and reads the header only: no frame is touched. GROVE_CORRUPT with
 * the offset; GROVE_FORMAT_NEWER. */
grove_status grove__batch_open(grove_bytes bytes, grove__block *block_out,
                               grove__batch_header *header_out, grove_error *error_out);

/* What of a batch is decoded. */
enum {
    GROVE__DECODE_GRAPH = 1u << 0,
    /* The graph as well, which has their order. */
    GROVE__DECODE_OPERATIONS = 1u << 1,
    /* Their contents; nothing without the operations. */
    GROVE__DECODE_CONTENTS = 1u << 2,
    GROVE__DECODE_TIMESTAMPS = 1u << 3,
    GROVE__DECODE_ALL = 15u,
    /* Beside the others: the events wait, so that nobody knows their times. */
    GROVE__DECODE_WAITING = 1u << 4
};

/*
 * Replaces `events` by what the block holds, or only by the parts asked for.
 * `type` is NULL where it is not known: neither are operations then. Every
 * claim is checked before it is used: counts add up to the event count,
 * indexes are in range, E2 to E6 hold. The contents are copied, so that
 * nothing points into the block. Without them the content frame is not
 * touched, and the contents of all operations are empty: such a list is to be
 * read, not to be encoded or appended to another. GROVE_CORRUPT with an offset
 * into the frame that the message names; GROVE_NO_MEMORY; what the type's
 * operations_decode returns; `events` is then empty.
 *
 * Time O(runs log runs). Memory: a constant (some hundred, when all is a lie)
 * times what the frames decode to.
 */
grove_status grove__batch_decode(const grove__block *block,
                                 const grove_document_type *type, uint32_t parts,
                                 grove__events *events, grove_error *error_out);

#endif
