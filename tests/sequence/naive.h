/*
 * The obvious tracker: a flat list of single elements, and the rules of
 * Eg-walker and FugueMax word for word, with places as indexes into the list.
 *
 * Of the endless sequence that was before the first event it has some elements
 * next to each other only, a window, which begins with number `before`.
 */
#ifndef GROVE_TESTS_SEQUENCE_NAIVE_H
#define GROVE_TESTS_SEQUENCE_NAIVE_H

#include <criterion/criterion.h>

#include "sequence/siblings.h"

enum { NAIVE_EVENTS_MAX = 2048, NAIVE_WINDOW_MAX = 64 };

typedef struct naive_element {
    uint32_t number;
    uint32_t left, right;
    uint32_t state;
    bool is_dead;
} naive_element;

typedef struct naive_tracker {
    grove__event_order order;
    naive_element items[NAIVE_EVENTS_MAX + NAIVE_WINDOW_MAX];
    uint32_t count;
    uint32_t before;
    uint32_t targets[NAIVE_EVENTS_MAX]; /* of events: the element's number */
} naive_tracker;

/* Where a new element goes, and how many of the result are left of it. */
typedef struct naive_place {
    uint32_t index;
    uint32_t left, right;
    uint64_t effect;
} naive_place;

typedef struct naive_deletion {
    uint64_t effect;
    bool was_dead;
} naive_deletion;

void naive_init(naive_tracker *tracker, grove__event_order order, uint32_t before,
                uint32_t count);
/* Elements that are there at the version. */
uint64_t naive_prepare(const naive_tracker *tracker);
uint32_t naive_index_of(const naive_tracker *tracker, uint32_t number);
/* Elements of the result left of one. */
uint64_t naive_effect_before(const naive_tracker *tracker, uint32_t index);
naive_place naive_find(const naive_tracker *tracker, uint32_t event, uint64_t position);
/* One event each. */
uint64_t naive_insert(naive_tracker *tracker, uint32_t event, uint64_t position);
naive_deletion naive_delete(naive_tracker *tracker, uint32_t event, uint64_t position);
void naive_retreat(naive_tracker *tracker, uint32_t event);
void naive_advance(naive_tracker *tracker, uint32_t event);

/* The spans are these elements, and what is outside of the window is as it
 * was. */
void naive_check_same(const naive_tracker *tracker, const grove__spans *spans);

#endif
