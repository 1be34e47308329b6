/* The graphs of support/graph_model.h beside those of the library. */
#ifndef GROVE_TESTS_MODEL_H
#define GROVE_TESTS_MODEL_H

#include "graph/arrival.h"
#include "graph/critical.h"
#include "graph/difference.h"
#include "graph/order.h"
#include "support/graph_model.h"

/* A version, or a part of one, as clocks. */
typedef struct model_clocks {
    uint64_t clocks[MODEL_EVENTS_MAX];
    size_t count;
} model_clocks;

/* What a library's graph and its helpers need in a test. */
typedef struct graph_subject {
    grove__graph graph;
    grove__walk walk;
    grove__order order;
    uint32_t replicas[MODEL_REPLICAS_MAX]; /* of the model -> interned */
} graph_subject;

model_clocks model_clocks_of(uint64_t set);
static inline grove__frontier model_frontier(const model_clocks *clocks)
{
    return (grove__frontier){clocks->clocks, clocks->count};
}
uint64_t model_bits_of_ranges(grove__ranges ranges);
uint64_t model_bits_of_frontier(grove__frontier frontier);
/* No two neighbours touch, all ascend, none is empty. */
void model_check_ranges(grove__ranges ranges);
/* A set as ascending ranges, neighbours joined but where an event of `cuts`
 * begins. How many; room for MODEL_EVENTS_MAX of them. */
size_t model_ranges_of(uint64_t set, uint64_t cuts, grove__range *ranges_out);
/* Whether an event goes on with the chain of the one before, among the events
 * of a set given so: it has that as its only parent, which has no other child
 * there. */
bool model_follows(const graph_model *model, uint64_t set, uint64_t cuts, uint32_t event);

/* The model's events from clock `base` on, arriving one by one. */
void subject_init(graph_subject *subject, const graph_model *model, uint64_t base,
                  const grove_allocator *allocator);
void subject_add(graph_subject *subject, const graph_model *model, uint32_t event);
/* A run of new events of the model's replica, for graphs too large for a model:
 * parents are minimal. Returns the clock of the last. */
uint64_t subject_append(graph_subject *subject, uint32_t replica, uint64_t count,
                        grove__frontier parents);
void subject_release(graph_subject *subject);

#endif
