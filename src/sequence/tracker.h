/*
 * The order of elements that several replicas insert and delete at once: the
 * transient structure of Eg-walker (Gentle and Kleppmann, "Collaborative Text
 * Editing with Eg-walker", EuroSys 2025, section 3), with the order of
 * siblings of FugueMax (Weidner and Kleppmann, "The Art of the Fugue", 2023).
 *
 * A tracker looks at the sequence from a version (prepare) that moves: with
 * _advance and _retreat to where an event was made, and over the event when
 * that is applied. The position of an event, which holds at its parents,
 * becomes a position in what all events so far have made (effect).
 *
 *     events        a b            a: insert "x" at 0, b: insert "y" at 0,
 *                    \ \           both made on the text "12"
 *     apply a       [x][1 2]       effect: insert at 0
 *     retreat a     (x)[1 2]       the version is again that of "12"
 *     apply b       [y](x)[1 2]    effect: insert at 0, if b's id is the less
 *     advance a     [y][x][1 2]
 *
 * It may be emptied at every version that all events to come are after: what
 * was before stands in it as one span. Events have numbers below
 * GROVE__WHERE_NUMBERS_MAX, in any order that keeps parents first.
 *
 *   T1  The events that were applied are those that were handed to _insert
 *       and _delete; those of them that were not retreated are closed under
 *       parents, as the caller sees to.
 *   T2  Elements of the result stand in the order that the result has, dead
 *       ones between them.
 *
 * After GROVE_NO_MEMORY and GROVE_LIMIT a tracker can only be cleared.
 */
#ifndef GROVE_SEQUENCE_TRACKER_H
#define GROVE_SEQUENCE_TRACKER_H

#include "sequence/siblings.h"

typedef struct grove__tracker {
    grove__spans spans;
    grove__event_order order;
} grove__tracker;

/* The allocator is borrowed; so is what the order has as its context. Clear it
 * before its first use. */
void grove__tracker_init(grove__tracker *tracker, const grove_allocator *allocator,
                         grove__event_order order);
void grove__tracker_release(grove__tracker *tracker);

/* Empties it; memory is kept. GROVE_NO_MEMORY. */
grove_status grove__tracker_clear(grove__tracker *tracker);

/*
 * Applies events `event` to `event + count - 1`, each of which inserted an
 * element after that of the one before, the first at `position`; the tracker
 * is at the version of the first one's parents. *effect_out: the position in
 * the result. O(log spans), and a step for each span that was inserted at the
 * same place and is not there at the version.
 *
 *   GROVE_CORRUPT  the position is beyond all that could be there
 *   GROVE_LIMIT    event numbers beyond GROVE__WHERE_NUMBERS_MAX
 */
grove_status grove__tracker_insert(grove__tracker *tracker, uint32_t event,
                                   uint32_t count, uint64_t position,
                                   uint64_t *effect_out, grove_error *error_out);

/* Some elements that events have deleted. */
typedef struct grove__deletion {
    uint32_t count;    /* events that it took */
    uint64_t position; /* in the result, where they stood */
    bool was_dead;     /* another event deleted them already: no effect */
} grove__deletion;

/*
 * Applies the first of up to `count` events that delete elements of one span:
 * forwards each deletes what is then at `position`, backwards the first one
 * deletes the element at position + count - 1 and each further one that
 * before. The caller goes on with the rest, backwards with the same position.
 * O(log spans). Statuses as insert.
 */
grove_status grove__tracker_delete(grove__tracker *tracker, uint32_t event,
                                   uint32_t count, uint64_t position, bool is_backward,
                                   grove__deletion *deletion_out, grove_error *error_out);

/*
 * Takes the events `from` to `end` - 1 out of the version that is being looked
 * at, or back into it. They were applied. O(log spans) for each span that they
 * touch. GROVE_CORRUPT: they were not in it.
 */
grove_status grove__tracker_retreat(grove__tracker *tracker, uint32_t from, uint32_t end,
                                    grove_error *error_out);
grove_status grove__tracker_advance(grove__tracker *tracker, uint32_t from, uint32_t end,
                                    grove_error *error_out);

#endif
