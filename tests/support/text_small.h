/*
 * All small histories of a text: every graph, every way to share its events
 * among replicas, every insertion and deletion that each event can be.
 */
#ifndef GROVE_TESTS_TEXT_SMALL_H
#define GROVE_TESTS_TEXT_SMALL_H

#include "support/text_history.h"

enum { TEXT_SMALL_MAX = 8 };

/* The history's events have the numbers that they have in the graph. */
typedef void text_small_visit(const text_history *history, const graph_model *graph,
                              void *context);

typedef struct text_small {
    text_small_visit *visit;
    void *context;
    test_random *random;
    uint32_t samples;
    text_history history;
    /* What each event does, and how many things it could do. */
    uint32_t choices[TEXT_SMALL_MAX];
    uint32_t choice_counts[TEXT_SMALL_MAX];
} text_small;

/* Choice c of an event at a text of L characters: it inserts at c, up to L;
 * beyond, it deletes the character at c - L - 1. */
static inline void text_small_add(text_small *small, const graph_model *graph,
                                  uint32_t number)
{
    text_event event = {
        .id = {model_replica(graph->replica[number]), graph->sequence[number]}};
    for (uint32_t parent = 0; parent < number; parent++) {
        if ((graph->parents[number] >> parent & 1) != 0) {
            event.parents[event.parent_count++] = parent;
        }
    }
    uint32_t length =
        text_oracle_length(&small->history.oracle, event.parents, event.parent_count);
    small->choice_counts[number] = 2 * length + 1;
    if (small->samples > 0) {
        small->choices[number] =
            (uint32_t)test_random_below(small->random, small->choice_counts[number]);
    }
    uint32_t choice = small->choices[number];
    event.deletes = choice > length;
    event.index = event.deletes ? choice - length - 1 : choice;
    event.utf8[0] = event.deletes ? '\0' : (char)('a' + number);
    text_history_add(&small->history, &event, false);
}

/* Counts the choices up, the last event's first. False: they were the last. */
static inline bool text_small_next(text_small *small, uint32_t count)
{
    while (count-- > 0) {
        if (++small->choices[count] < small->choice_counts[count]) {
            return true;
        }
        small->choices[count] = 0;
    }
    return false;
}

static inline void text_small_visit_graph(const graph_model *graph, void *context)
{
    text_small *small = context;
    uint32_t sample = 0;
    memset(small->choices, 0, sizeof small->choices);
    do {
        text_history_clear(&small->history);
        for (uint32_t number = 0; number < graph->count; number++) {
            text_small_add(small, graph, number);
        }
        small->visit(&small->history, graph, small->context);
        sample++;
    } while (small->samples > 0 ? sample < small->samples
                                : text_small_next(small, graph->count));
}

/*
 * Calls for each history of `count` events and up to 3 replicas. With
 * `samples` > 0, calls only for so many random ones of each graph.
 */
static inline void text_small_each(uint32_t count, uint32_t samples, test_random *random,
                                   text_small_visit *visit, void *context)
{
    static text_small small;
    cr_assert_leq(count, TEXT_SMALL_MAX);
    small.visit = visit;
    small.context = context;
    small.random = random;
    small.samples = samples;
    model_each_shared(count, 3, text_small_visit_graph, &small);
}

#endif
