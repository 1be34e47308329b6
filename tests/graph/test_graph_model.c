/* The model of small graphs gives all of them, and all orders of each. */
#include "support/graph_model.h"

static void count_one(const graph_model *model, void *context)
{
    (void)model;
    (*(uint32_t *)context)++;
}

Test(graph_model, has_as_many_graphs_as_there_are_naturally_labelled_orders)
{
    static const uint32_t known[] = {1, 1, 2, 7, 40, 357};
    for (uint32_t count = 0; count <= 5; count++) {
        uint32_t graphs = 0;
        model_each(count, 0, count_one, &graphs);
        cr_assert_eq(graphs, known[count], "%u graphs of %u events", graphs, count);
    }
}

/* Graphs by what they say of ids, whatever the numbers of their events. */
typedef struct seen_graphs {
    uint64_t keys[8192];
    uint32_t count;
} seen_graphs;

/* 16 bits for each of up to 4 events: replica, and which ids are parents. */
static uint64_t key_of(const graph_model *model)
{
    uint64_t key = 0;
    for (uint32_t replica = 0; replica < 3; replica++) {
        for (uint64_t sequence = 0; sequence < model->next[replica]; sequence++) {
            uint32_t event = 0;
            while (model->replica[event] != replica ||
                   model->sequence[event] != sequence) {
                event++;
            }
            key = key << 16 | (UINT64_C(1) << (12 + replica));
            for (uint32_t parent = 0; parent < event; parent++) {
                if ((model->parents[event] >> parent & 1) != 0) {
                    key |= UINT64_C(1)
                           << (4 * model->replica[parent] + model->sequence[parent]);
                }
            }
        }
    }
    return key;
}

static bool has_seen(const seen_graphs *seen, uint64_t key)
{
    for (uint32_t index = 0; index < seen->count; index++) {
        if (seen->keys[index] == key) {
            return true;
        }
    }
    return false;
}

static void see_any(const graph_model *model, void *context)
{
    seen_graphs *seen = context;
    if (!has_seen(seen, key_of(model))) {
        cr_assert_lt(seen->count, sizeof seen->keys / sizeof *seen->keys);
        seen->keys[seen->count++] = key_of(model);
    }
}

static void see_once(const graph_model *model, void *context)
{
    seen_graphs *seen = context;
    cr_assert_not(has_seen(seen, key_of(model)));
    cr_assert_lt(seen->count, sizeof seen->keys / sizeof *seen->keys);
    seen->keys[seen->count++] = key_of(model);
}

Test(graph_model, shares_the_events_among_replicas_in_every_way_once)
{
    for (uint32_t count = 0; count <= 4; count++) {
        static seen_graphs any;
        static seen_graphs once;
        any.count = 0;
        once.count = 0;
        uint32_t ways = count == 0 ? 1 : count == 1 ? 3 : count == 2 ? 9 : 27;
        for (uint32_t way = 0; way < (count == 4 ? 81 : ways); way++) {
            model_each(count, way, see_any, &any);
        }
        model_each_shared(count, 3, see_once, &once);
        cr_assert_eq(once.count, any.count);
        for (uint32_t index = 0; index < any.count; index++) {
            cr_assert(has_seen(&once, any.keys[index]));
        }
    }
}

Test(graph_model, of_fewer_replicas_leaves_the_others_out)
{
    /* Two events of one replica: a chain, or two branches. */
    uint32_t graphs = 0;
    model_each_shared(2, 1, count_one, &graphs);
    cr_assert_eq(graphs, 2);
    /* Of two: each alone, and both with one before the other or beside it. */
    graphs = 0;
    model_each_shared(2, 2, count_one, &graphs);
    cr_assert_eq(graphs, 2 + 2 + 3);
}

/* Whether the permutation is an order in which the events may arrive. */
static bool may_happen(const graph_model *model, const uint32_t *order)
{
    for (uint32_t place = 0; place < model->count; place++) {
        for (uint32_t later = place + 1; later < model->count; later++) {
            uint32_t a = order[place];
            uint32_t b = order[later];
            if ((model->ancestors[a] >> b & 1) != 0 ||
                (model->replica[a] == model->replica[b] &&
                 model->sequence[a] > model->sequence[b])) {
                return false;
            }
        }
    }
    return true;
}

/* Each number to the base `count` that is a permutation, in ascending order. */
static bool next_permutation(uint32_t count, uint32_t *order)
{
    for (;;) {
        uint32_t place = count;
        while (place > 0 && order[place - 1] == count - 1) {
            order[--place] = 0;
        }
        if (place == 0) {
            return false;
        }
        order[place - 1]++;
        uint64_t seen = 0;
        for (uint32_t index = 0; index < count; index++) {
            seen |= UINT64_C(1) << order[index];
        }
        if (seen == model_first(count)) {
            return true;
        }
    }
}

static void check_orders(const graph_model *model, void *context)
{
    uint32_t permutation[5] = {0};
    uint32_t order[5];
    bool has_next = true;
    (void)context;
    model_order_first(model, order);
    while (next_permutation(model->count, permutation)) {
        if (!may_happen(model, permutation)) {
            continue;
        }
        cr_assert(has_next);
        cr_assert_eq(memcmp(order, permutation, model->count * sizeof *order), 0);
        has_next = model_order_next(model, order);
    }
    cr_assert_not(has_next);
}

Test(graph_model, puts_the_events_of_a_graph_in_every_order_that_may_happen)
{
    for (uint32_t count = 2; count <= 4; count++) {
        model_each_shared(count, 3, check_orders, NULL);
    }
}
