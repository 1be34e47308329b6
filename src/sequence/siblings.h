/*
 * Where an element goes among those that were inserted at the same place and
 * are not known at the version it was inserted at: FugueMax (Weidner and
 * Kleppmann, "The Art of the Fugue: Minimizing Interleaving in Collaborative
 * Text Editing", 2023, section 4), as a scan to the right.
 *
 * Two elements are siblings when they have the same left origin. Siblings
 * whose right origins stand further to the right come first; those with the
 * same one are in the order of their ids. What hangs on a sibling, by having
 * an element of it as its left origin, stays with it.
 */
#ifndef GROVE_SEQUENCE_SIBLINGS_H
#define GROVE_SEQUENCE_SIBLINGS_H

#include "sequence/spans.h"

/* Whether an event's id comes before another's: by the bytes of the replica,
 * then by sequence. */
typedef struct grove__event_order {
    const void *context;
    bool (*is_before)(const void *context, uint32_t event, uint32_t other);
} grove__event_order;

/* Where a new element goes. */
typedef struct grove__siblings_place {
    grove__place place; /* as grove__spans_put takes it */
    uint64_t passed;    /* elements of the result between the cursor and it */
    uint32_t right;     /* its right origin */
} grove__siblings_place;

/*
 * The place of a new element, the first that `event` inserts, with the left
 * origin `left`, directly after which the cursor stands. One step for each
 * span from the cursor on that is not there at the version.
 */
grove__siblings_place grove__siblings_find(const grove__spans *spans,
                                           grove__event_order order, uint32_t event,
                                           uint32_t left, grove__place cursor);

#endif
