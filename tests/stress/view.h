/*
 * What a document shows: of each author how many events there are. Reading it
 * checks that each is whole, there once, in its author's order, and that what
 * it says it knew of came before it.
 */
#ifndef GROVE_STRESS_VIEW_H
#define GROVE_STRESS_VIEW_H

#include "board.h"

typedef struct stress_view {
    uint32_t document; /* NO_DOCUMENT: nothing is in it */
    uint32_t made[AUTHORS_MAX];
    uint32_t gone[AUTHORS_MAX]; /* of a text: lines that are deleted again */
    uint64_t sums[AUTHORS_MAX]; /* else: over the payloads */
} stress_view;

/* Reads all of an open document. */
void view_read(stress_board *board, const grove_document *document, bool is_text,
               stress_view *view_out);

/* For an opaque document: the state that contains all that is in the view. */
grove_bytes view_state(const stress_view *view, uint8_t *memory);
size_t view_state_bytes_max(void);

/* What is acknowledged of a document at this moment. */
typedef struct stress_floor {
    uint32_t made[AUTHORS_MAX];
    uint32_t gone[AUTHORS_MAX];
} stress_floor;

void floor_take(stress_board *board, uint32_t document, stress_floor *floor_out);

/* Fails when the view lacks what is in the floor, or has what nobody intended
 * to store by now. Authors from `own` on, as many as a thread has, are left
 * out: what they made may not be saved yet. */
void view_check(stress_board *board, const stress_view *view, uint32_t document,
                const stress_floor *floor, uint32_t own);

#endif
