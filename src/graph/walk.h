/*
 * Walks over an event graph, from versions back to what was before them: the
 * scratch memory that version.h and difference.h share, and their steps.
 *
 * A walk takes the greatest clock left, finds its run, deals with the whole
 * run at once, and goes on with the run's parents. So each run is met at most
 * once, and a walk over r runs with p parents costs O((r + p) log p): it goes
 * from the versions' clocks down to where they agree, however many events
 * that is. Nothing is recursive; the room needed, p items of 24 bytes, is
 * kept from walk to walk.
 *
 * Versions that are given must be of the graph: ascending, distinct clocks
 * below its end. They may name clocks behind the base. Where the answer
 * depends on events there, a walk fails with GROVE_HISTORY_REMOVED and
 * `needed` says which clocks it lacks: at least these, for it cannot know
 * how far the next walk has to go. Take a graph with an earlier base then.
 *
 * A walk that runs out of memory fails with GROVE_NO_MEMORY. Answers that are
 * arrays are borrowed from the walk until its next use.
 */
#ifndef GROVE_GRAPH_WALK_H
#define GROVE_GRAPH_WALK_H

#include "graph/graph.h"
#include "graph/heap.h"

/* In whose history events are: of a, of b, of both. */
typedef enum grove__side {
    GROVE__SIDE_A = 1,
    GROVE__SIDE_B = 2,
    GROVE__SIDE_BOTH = 3
} grove__side;

typedef struct grove__sided_range {
    uint64_t from;
    uint64_t end;
    grove__side side;
} grove__sided_range;

/* Scratch memory of the walks over one graph, which may grow meanwhile. */
typedef struct grove__walk {
    const grove__graph *graph;
    const grove_allocator *allocator;
    grove__heap heap;
    size_t open; /* items of the heap whose mark is not GROVE__SIDE_BOTH */
    size_t run;  /* of the graph: where the walk is; walks begin near the last */
    grove__range_list only[2];
    grove__sided_range *passed;
    size_t passed_count, passed_capacity;
    uint64_t *clocks;
    size_t clock_count, clock_capacity;
    uint64_t *sorted;
    size_t sorted_capacity;
    /* After GROVE_HISTORY_REMOVED: the events that are lacking. */
    grove__range needed;
    /* Items taken from the heap in all walks so far: what they cost. */
    uint64_t steps;
} grove__walk;

/* Borrows the graph, which must not move; what is in it may be replaced. */
void grove__walk_init(grove__walk *walk, const grove__graph *graph);
/* Accepts NULL. */
void grove__walk_release(grove__walk *walk);

/*
 * What follows is for this room.
 *
 * An item of the heap stands for an event; in grove__difference_base for a
 * version, by its greatest clock:
 *
 *   key         1 + the clock; 0: the empty version
 *   rest        the version's other clocks, ascending, borrowed
 *   mark        a grove__side, or what version.c makes of its bits
 */

/* Asserts that a version is one that may be given. */
void grove__walk_check(const grove__walk *walk, grove__frontier version);
/* An empty heap, empty answers, nothing walked yet. */
void grove__walk_restart(grove__walk *walk);

/* Room for so many more items, or clocks of an answer. False: no memory. */
bool grove__walk_reserve(grove__walk *walk, size_t more);
bool grove__walk_reserve_clocks(grove__walk *walk, size_t more);
/* Into reserved room: an item; an event; each of some events; a clock of the
 * answer. */
void grove__walk_push(grove__walk *walk, grove__heap_item item);
void grove__walk_push_clock(grove__walk *walk, uint64_t clock, uint32_t mark);
void grove__walk_push_clocks(grove__walk *walk, const uint64_t *clocks, size_t count,
                             uint32_t mark);
void grove__walk_take(grove__walk *walk, uint64_t clock);

/* Takes the item with the greatest clock out of the heap, which has one; the
 * second also those that equal it and come next, and gives it their marks. */
grove__heap_item grove__walk_pop(grove__walk *walk);
grove__heap_item grove__walk_pop_equals(grove__walk *walk);

/* The run of an item that is not behind the base; fast near the last one. */
grove__graph_view grove__walk_run(grove__walk *walk, const grove__heap_item *item);

/* Whether the heap has an item that lies in the run. */
static inline bool grove__walk_is_in(const grove__walk *walk, grove__graph_view run)
{
    return walk->heap.count > 0 && walk->heap.items[0].key > run.from;
}

/* Whether the heap's first item, and so all, are behind the base. */
static inline bool grove__walk_is_behind(const grove__walk *walk)
{
    return walk->heap.items[0].key <= walk->graph->base;
}

/* What items say that are all behind the base, by mark: how many there are,
 * and how many of them are heads of the base. */
typedef struct grove__hidden {
    size_t items[4];
    size_t heads[4];
} grove__hidden;

/* Sorts such items, latest first, makes one of equal ones, counts them. */
grove__hidden grove__walk_sort_hidden(grove__walk *walk);
/* Whether one side has everything behind the base (G4), or nothing. */
bool grove__walk_has_all(const grove__walk *walk, const grove__hidden *left,
                         grove__side side);
bool grove__walk_has_none(const grove__hidden *left, grove__side side);
/* The least clock of a sorted item whose mark is not GROVE__SIDE_BOTH. */
uint64_t grove__walk_least_open(const grove__walk *walk);
/* GROVE_HISTORY_REMOVED: the clocks from `from` to the base are needed. */
grove_status grove__walk_lack(grove__walk *walk, uint64_t from, grove_error *error_out);

#endif
