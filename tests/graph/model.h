/*
 * The obvious model of an event graph: at most 64 events, and for each the
 * set of its ancestors as bits.
 */
#ifndef GROVE_TESTS_GRAPH_MODEL_H
#define GROVE_TESTS_GRAPH_MODEL_H

#include <criterion/criterion.h>

#include "graph/arrival.h"
#include "graph/critical.h"
#include "graph/difference.h"
#include "graph/order.h"
#include "support/random.h"

enum { MODEL_EVENTS_MAX = 64, MODEL_REPLICAS_MAX = 8 };

typedef struct graph_model {
    uint32_t count;
    uint64_t parents[MODEL_EVENTS_MAX];
    uint64_t ancestors[MODEL_EVENTS_MAX]; /* the event itself is not one */
    uint32_t replica[MODEL_EVENTS_MAX];
    uint64_t sequence[MODEL_EVENTS_MAX];
    uint64_t next[MODEL_REPLICAS_MAX];
} graph_model;

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

/* The replicas' names do not sort as their numbers do. */
grove_replica model_replica(uint32_t replica);

/* The first `count` events. */
static inline uint64_t model_first(uint64_t count)
{
    return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

/* Adds an event; its parents' bits must be a version. */
void model_add(graph_model *model, uint32_t replica, uint64_t parents);
/* All ancestors of the set, and the set. */
uint64_t model_history(const graph_model *model, uint64_t set);
/* The set without those that are ancestors of others. */
uint64_t model_reduce(const graph_model *model, uint64_t set);
bool model_is_version(const graph_model *model, uint64_t set);
/* A random graph: `concurrency` of 10 events forget the newest ones. */
void model_random(graph_model *model, test_random *random, uint32_t count,
                  uint32_t replicas, uint32_t concurrency);
/* The same graph in another order of arrival; renamed_out[old] = new clock. */
void model_shuffle(const graph_model *model, test_random *random,
                   graph_model *shuffled_out, uint32_t *renamed_out);

/*
 * Calls for every graph of `count` events. Replicas are those of the digits
 * of `replicas` to the base 3.
 */
typedef void model_visit(const graph_model *model, void *context);
void model_each(uint32_t count, uint32_t replicas, model_visit *visit, void *context);

model_clocks model_clocks_of(uint64_t set);
static inline grove__frontier model_frontier(const model_clocks *clocks)
{
    return (grove__frontier){clocks->clocks, clocks->count};
}
uint64_t model_bits_of_ranges(grove__ranges ranges);
uint64_t model_bits_of_frontier(grove__frontier frontier);
/* No two neighbours touch, all ascend, none is empty. */
void model_check_ranges(grove__ranges ranges);

/* The model's events from clock `base` on, arriving one by one. */
void subject_init(graph_subject *subject, const graph_model *model, uint64_t base,
                  const grove_allocator *allocator);
void subject_add(graph_subject *subject, const graph_model *model, uint32_t event);
void subject_release(graph_subject *subject);

#endif
