/*
 * Random histories of several replicas, made while a tracker and the naive one
 * are shown them: at each step both say where an edit goes.
 *
 * A version is the set of all events in its history. Versions are not only
 * what replicas have seen: an event may be made on any of them, also by a
 * replica that has made others since, and in the middle of a run.
 */
#ifndef GROVE_TESTS_SEQUENCE_HISTORY_H
#define GROVE_TESTS_SEQUENCE_HISTORY_H

#include "naive.h"
#include "sequence/tracker.h"
#include "support/random.h"

enum { HISTORY_REPLICAS_MAX = 4, HISTORY_RUNS_MAX = 320, HISTORY_RUN_MAX = 6 };

typedef struct event_set {
    uint64_t words[NAIVE_EVENTS_MAX / 64];
} event_set;

static inline bool event_set_has(const event_set *set, uint32_t event)
{
    return (set->words[event / 64] >> event % 64 & 1) != 0;
}
static inline void event_set_add(event_set *set, uint32_t event)
{
    set->words[event / 64] |= UINT64_C(1) << event % 64;
}
/* All of the second go into the first. */
static inline void event_set_join(event_set *set, const event_set *other)
{
    for (uint32_t word = 0; word < NAIVE_EVENTS_MAX / 64; word++) {
        set->words[word] |= other->words[word];
    }
}
static inline bool event_set_has_all(const event_set *set, const event_set *other)
{
    for (uint32_t word = 0; word < NAIVE_EVENTS_MAX / 64; word++) {
        if ((other->words[word] & ~set->words[word]) != 0) {
            return false;
        }
    }
    return true;
}

/* Consecutive events as an editor makes them. */
typedef struct history_run {
    uint32_t from;
    uint32_t count;
    uint64_t position; /* in the window */
    bool is_deletion;
    bool is_backward;
    event_set version; /* that it was made on */
} history_run;

typedef struct random_history {
    test_random *random;
    /* The last elements of what was before, instead of the first: the window
     * has one more at the other end, which nothing touches. */
    bool is_at_end;
    uint32_t window;
    uint32_t replica_count;
    history_run runs[HISTORY_RUNS_MAX];
    uint32_t run_count;
    uint32_t first, next; /* numbers of events */
    /* Ids: by rank of the replica, then by sequence. */
    uint32_t ranks[NAIVE_EVENTS_MAX];
    uint32_t sequences[NAIVE_EVENTS_MAX];
    event_set seen[HISTORY_REPLICAS_MAX];
    uint64_t cursors[HISTORY_REPLICAS_MAX];
} random_history;

/* A tracker, the naive one, and the version that both look at. */
typedef struct history_view {
    random_history *history;
    grove__tracker tracker;
    naive_tracker naive;
    event_set version;
    event_set applied;
} history_view;

void history_init(random_history *history, test_random *random);

/* Clear it before use, and also to begin again. */
void history_view_init(history_view *view, random_history *history,
                       const grove_allocator *allocator);
void history_view_release(history_view *view);
void history_view_clear(history_view *view);

/* What an editor would give as a position, for the tracker. */
uint64_t history_outside(const random_history *history, uint64_t position);

/* Retreats and advances both to a version of events that were applied. */
void history_move(history_view *view, const event_set *version);
/* The history of one of the events that were applied, or of none. */
event_set history_random_version(history_view *view);

/* Both apply the run's events from `from` to `end` - 1, those before have been
 * applied, and say the same. */
void history_apply(history_view *view, const history_run *run, uint32_t from,
                   uint32_t end);

/* A new run by some replica, applied. */
void history_grow(history_view *view);

#endif
