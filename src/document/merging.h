/*
 * Merging: events that are concurrent with what a handle's state has, for
 * types with a grove_merge_type. See docs/REPLAY.md.
 *
 * A merge finds the newest critical version that the new events, and all that
 * is concurrent with them, come after; lets a walker see again, silently, what
 * the state has since then; and then the new events, whose operations come out
 * of it as edits of the state. What has to be seen again is read from the
 * store, without contents, or taken from the unsaved events.
 *
 *         base          from       end
 *     ----|-------------|----------|          clocks
 *         | seen again  | merged   | unsaved ones that were there before, if
 *         | silently    |          | any: seen again as well
 *
 * Where the new events have critical versions among them, each zone between
 * two of them is merged for itself, with the walker cleared before; events
 * between which nothing is concurrent become edits as they are.
 *
 *   G1  While `is_warm`, the walker holds the events from `base` to `end`, and
 *       looks from `version`. No event of the graph from `base` on has a
 *       parent before base - 1.
 *   G2  A merge changes the state by one state_apply at its end. When it fails
 *       before that, the state is as it was, and the walker is not warm.
 */
#ifndef GROVE_DOCUMENT_MERGING_H
#define GROVE_DOCUMENT_MERGING_H

#include <grove/document.h>

#include "format/events.h"
#include "graph/plan.h"

typedef struct grove__merge {
    void *walker; /* NULL until there is something to merge */
    bool is_warm;
    /* The snapshot that was loaded, if it has the state of a walker that was
     * not looked at yet; GROVE__NO_SNAPSHOT: none. */
    uint64_t state_clock;
    uint64_t base, end;
    grove_buffer version; /* clocks, uint64_t */
    /* Looks for a newer base when this many events are held. */
    uint64_t search_events;
    grove__plan plan;
    grove__range_list critical;
    /* Who is told of edits, or NULL. */
    void (*on_edit)(grove_document *document, const grove_operation *edit);
} grove__merge;

/* The events to merge: clocks `from` to `end` - 1, which the graph has. */
typedef struct grove__merge_job {
    uint64_t from;
    uint64_t end;
    /* Of the events that will come later, the least parent's clock + 1, where
     * that is known already; else UINT64_MAX. */
    uint64_t bound;
    /* A list that has the events' operations with contents. */
    grove__events *events;
    uint64_t events_clock;
    /* What it is when an operation does not fit: GROVE_CORRUPT for stored
     * events, GROVE_MALFORMED for those that were handed in. */
    grove_status misfit;
} grove__merge_job;

#endif
