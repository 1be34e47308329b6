/*
 * The columns of the frames that the library itself fills in a batch: the
 * graph and the timestamps. docs/FORMAT.md, "Batches", is normative.
 */
#ifndef GROVE_FORMAT_BATCH_COLUMNS_H
#define GROVE_FORMAT_BATCH_COLUMNS_H

#include "format/events.h"

/* A frame while it is written, and where its columns begin. */
typedef struct grove__frame_buffer {
    grove_buffer bytes;
    size_t cuts[GROVE_TYPE_CUTS_MAX];
    size_t cut_count;
} grove__frame_buffer;

/* Heads beyond this many are not listed in a header. */
enum { GROVE__BATCH_HEADS_MAX = 64 };

/* Whether a graph has the Lamport times of parents outside. */
typedef enum grove__graph_times {
    GROVE__GRAPH_TIMES_NONE,
    GROVE__GRAPH_TIMES_ALL,
    GROVE__GRAPH_TIMES_ANY /* one or the other: the type is not known */
} grove__graph_times;

/* Both append to the frame; an empty list has empty frames. `times`: none, or
 * all, which are known then. GROVE_NO_MEMORY. */
grove_status grove__batch_graph_encode(const grove__events *events,
                                       grove__graph_times times,
                                       grove__frame_buffer *frame);
grove_status grove__batch_times_encode(const grove__events *events,
                                       grove__frame_buffer *frame);

/*
 * Adds ids and parents (with them the count), or timestamps, of `event_count`
 * events to an empty list. GROVE_CORRUPT with the offset in the frame: what
 * the encoder would not have written, so that E1, E3 to E6 hold afterwards;
 * GROVE_NO_MEMORY. The list then has to be reset.
 *
 * What is allocated is at most a hundred times the size of the frame.
 */
grove_status grove__batch_graph_decode(grove_bytes frame, uint32_t event_count,
                                       grove__graph_times times, grove__events *events,
                                       grove_error *error_out);
grove_status grove__batch_times_decode(grove_bytes frame, uint32_t event_count,
                                       grove__events *events, grove_error *error_out);

/*
 * Appends the heads as the header of a batch has them: their number, then the
 * distance of each from the one before. More than GROVE__BATCH_HEADS_MAX are
 * the number 0. GROVE_NO_MEMORY.
 */
grove_status grove__batch_heads_encode(const grove__events *events, grove_buffer *fields);

/* Whether some event has no parents. */
bool grove__batch_has_root(const grove__events *events);

#endif
