/*
 * The obvious model of an event graph: at most 64 events, and for each the
 * set of its ancestors as bits. All small graphs, and all orders in which
 * their events may arrive.
 */
#ifndef GROVE_TESTS_GRAPH_MODEL_H
#define GROVE_TESTS_GRAPH_MODEL_H

#include <criterion/criterion.h>

#include <grove/types.h>

#include "support/random.h"

enum { MODEL_EVENTS_MAX = 64, MODEL_REPLICAS_MAX = 8 };

typedef struct graph_model {
    uint32_t count;
    uint64_t parents[MODEL_EVENTS_MAX];
    uint64_t ancestors[MODEL_EVENTS_MAX]; /* the event itself is not one */
    uint32_t replica[MODEL_EVENTS_MAX];
    uint64_t sequence[MODEL_EVENTS_MAX];
    uint64_t time[MODEL_EVENTS_MAX]; /* Lamport's */
    uint64_t next[MODEL_REPLICAS_MAX];
} graph_model;

/* The replicas' names do not sort as their numbers do. */
static inline grove_replica model_replica(uint32_t replica)
{
    static const char *const names[MODEL_REPLICAS_MAX] = {"m",    "ma", "a", "z",
                                                          "\xff", "b",  "c", "mab"};
    grove_replica made = {0};
    made.size = (uint8_t)strlen(names[replica]);
    memcpy(made.bytes, names[replica], made.size);
    return made;
}

/* The first `count` events. */
static inline uint64_t model_first(uint64_t count)
{
    return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

/* All ancestors of the set, and the set. */
static inline uint64_t model_history(const graph_model *model, uint64_t set)
{
    uint64_t history = set;
    for (uint32_t event = 0; event < model->count; event++) {
        if ((set >> event & 1) != 0) {
            history |= model->ancestors[event];
        }
    }
    return history;
}

/* The set without those that are ancestors of others. */
static inline uint64_t model_reduce(const graph_model *model, uint64_t set)
{
    uint64_t reduced = set;
    for (uint32_t event = 0; event < model->count; event++) {
        if ((set >> event & 1) != 0) {
            reduced &= ~model->ancestors[event];
        }
    }
    return reduced;
}

static inline bool model_is_version(const graph_model *model, uint64_t set)
{
    return model_reduce(model, set) == set;
}

/* 1 + the greatest time of the set; 1 for none. */
static inline uint64_t model_time_after(const graph_model *model, uint64_t set)
{
    uint64_t time = 1;
    for (uint32_t event = 0; event < model->count; event++) {
        if ((set >> event & 1) != 0 && model->time[event] >= time) {
            time = model->time[event] + 1;
        }
    }
    return time;
}

/* Adds an event; its parents' bits must be a version. */
static inline void model_add(graph_model *model, uint32_t replica, uint64_t parents)
{
    uint32_t event = model->count;
    cr_assert(event < MODEL_EVENTS_MAX && parents <= model_first(event));
    cr_assert(model_is_version(model, parents));
    model->parents[event] = parents;
    model->ancestors[event] = model_history(model, parents);
    model->replica[event] = replica;
    model->sequence[event] = model->next[replica]++;
    model->time[event] = model_time_after(model, parents);
    model->count++;
}

/* A random graph: `concurrency` of 10 events forget the newest ones. */
static inline void model_random(graph_model *model, test_random *random, uint32_t count,
                                uint32_t replicas, uint32_t concurrency)
{
    *model = (graph_model){0};
    uint32_t replica = 0;
    for (uint32_t event = 0; event < count; event++) {
        uint64_t parents = event == 0 ? 0 : UINT64_C(1) << (event - 1);
        if (test_random_below(random, 10) < concurrency) {
            parents = test_random_next(random) & test_random_next(random) &
                      test_random_next(random) & model_first(event);
            replica = (uint32_t)test_random_below(random, replicas);
        } else if (test_random_below(random, 10) == 0) {
            parents = model_first(event);
        }
        model_add(model, replica, model_reduce(model, parents));
    }
}

/* The same graph in another order of arrival; renamed_out[old] = new clock. */
static inline void model_shuffle(const graph_model *model, test_random *random,
                                 graph_model *shuffled_out, uint32_t *renamed_out)
{
    graph_model shuffled = {0};
    uint64_t done = 0;
    while (shuffled.count < model->count) {
        uint32_t event = (uint32_t)test_random_below(random, model->count);
        if ((done >> event & 1) != 0 || (model->parents[event] & ~done) != 0) {
            continue;
        }
        uint64_t parents = 0;
        for (uint32_t parent = 0; parent < event; parent++) {
            if ((model->parents[event] >> parent & 1) != 0) {
                parents |= UINT64_C(1) << renamed_out[parent];
            }
        }
        renamed_out[event] = shuffled.count;
        model_add(&shuffled, model->replica[event], parents);
        shuffled.sequence[renamed_out[event]] = model->sequence[event];
        done |= UINT64_C(1) << event;
    }
    *shuffled_out = shuffled;
}

typedef void model_visit(const graph_model *model, void *context);

/*
 * Calls for every graph of `count` events. Replicas are those of the digits
 * of `replicas` to the base 3.
 */
static inline void model_each(uint32_t count, uint32_t replicas, model_visit *visit,
                              void *context)
{
    /* The parents of event e are e bits of a number: all numbers, all graphs,
     * but for those whose parents are no versions. */
    uint32_t bits = count * (count - 1) / 2;
    for (uint64_t number = 0; number < UINT64_C(1) << bits; number++) {
        graph_model made = {0};
        uint64_t left = number;
        uint32_t digits = replicas;
        for (uint32_t event = 0; event < count; event++) {
            uint64_t parents = left & model_first(event);
            if (!model_is_version(&made, parents)) {
                break;
            }
            model_add(&made, digits % 3, parents);
            left >>= event;
            digits /= 3;
        }
        if (made.count == count) {
            visit(&made, context);
        }
    }
}

/*
 * Whether the event may arrive when those of `done` have: its parents have,
 * and all that its replica made before it.
 */
static inline bool model_is_ready(const graph_model *model, uint64_t done, uint32_t event)
{
    uint64_t needed = model->parents[event];
    for (uint32_t other = 0; other < model->count; other++) {
        if (model->replica[other] == model->replica[event] &&
            model->sequence[other] < model->sequence[event]) {
            needed |= UINT64_C(1) << other;
        }
    }
    return (needed & ~done) == 0;
}

/*
 * Graphs that differ in the numbers of their events alone, and not in ids and
 * parents, are told apart by this: one of them takes, among the events that
 * may come next, always that of the smallest replica.
 */
static inline bool model_is_canonical(const graph_model *model)
{
    for (uint32_t event = 0; event < model->count; event++) {
        for (uint32_t later = event + 1; later < model->count; later++) {
            if (model->replica[later] < model->replica[event] &&
                model_is_ready(model, model_first(event), later)) {
                return false;
            }
        }
    }
    return true;
}

typedef struct model_canonical_visit {
    model_visit *visit;
    void *context;
    uint32_t replicas;
} model_canonical_visit;

static inline void model_visit_canonical(const graph_model *model, void *context)
{
    const model_canonical_visit *wanted = context;
    for (uint32_t event = 0; event < model->count; event++) {
        if (model->replica[event] >= wanted->replicas) {
            return;
        }
    }
    if (model_is_canonical(model)) {
        wanted->visit(model, wanted->context);
    }
}

/*
 * Calls for every graph of `count` events that up to `replicas` replicas, at
 * most 3, made, in every way to share the work, each once. A replica may have
 * worked on two branches: its sequences are those of one order of arrival.
 */
static inline void model_each_shared(uint32_t count, uint32_t replicas,
                                     model_visit *visit, void *context)
{
    model_canonical_visit wanted = {visit, context, replicas};
    uint32_t ways = 1;
    for (uint32_t event = 0; event < count; event++) {
        ways *= 3;
    }
    for (uint32_t way = 0; way < ways; way++) {
        model_each(count, way, model_visit_canonical, &wanted);
    }
}

/* Puts the events of `left` behind the first `from` of the order, always the
 * one of the smallest number that is ready. */
static inline void model_order_fill(const graph_model *model, uint64_t left,
                                    uint32_t from, uint32_t *order)
{
    while (left != 0) {
        uint32_t event = 0;
        while ((left >> event & 1) == 0 ||
               !model_is_ready(model, model_first(model->count) & ~left, event)) {
            event++;
        }
        order[from++] = event;
        left &= ~(UINT64_C(1) << event);
    }
}

/* The first of all orders in which the events may arrive. */
static inline void model_order_first(const graph_model *model, uint32_t *order_out)
{
    model_order_fill(model, model_first(model->count), 0, order_out);
}

/* The next one, as words of a dictionary follow; false after the last. */
static inline bool model_order_next(const graph_model *model, uint32_t *order)
{
    uint64_t left = 0;
    for (uint32_t place = model->count; place-- > 0;) {
        left |= UINT64_C(1) << order[place];
        for (uint32_t event = order[place] + 1; event < model->count; event++) {
            if ((left >> event & 1) != 0 &&
                model_is_ready(model, model_first(model->count) & ~left, event)) {
                order[place] = event;
                model_order_fill(model, left & ~(UINT64_C(1) << event), place + 1, order);
                return true;
            }
        }
    }
    return false;
}

#endif
