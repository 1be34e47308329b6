#include "model.h"

grove_replica model_replica(uint32_t replica)
{
    static const char *const names[MODEL_REPLICAS_MAX] = {"m",    "ma", "a", "z",
                                                          "\xff", "b",  "c", "mab"};
    grove_replica made = {0};
    made.size = (uint8_t)strlen(names[replica]);
    memcpy(made.bytes, names[replica], made.size);
    return made;
}

uint64_t model_history(const graph_model *model, uint64_t set)
{
    uint64_t history = set;
    for (uint32_t event = 0; event < model->count; event++) {
        if ((set >> event & 1) != 0) {
            history |= model->ancestors[event];
        }
    }
    return history;
}

uint64_t model_reduce(const graph_model *model, uint64_t set)
{
    uint64_t reduced = set;
    for (uint32_t event = 0; event < model->count; event++) {
        if ((set >> event & 1) != 0) {
            reduced &= ~model->ancestors[event];
        }
    }
    return reduced;
}

bool model_is_version(const graph_model *model, uint64_t set)
{
    return model_reduce(model, set) == set;
}

void model_add(graph_model *model, uint32_t replica, uint64_t parents)
{
    uint32_t event = model->count;
    cr_assert(event < MODEL_EVENTS_MAX && parents <= model_first(event));
    cr_assert(model_is_version(model, parents));
    model->parents[event] = parents;
    model->ancestors[event] = model_history(model, parents);
    model->replica[event] = replica;
    model->sequence[event] = model->next[replica]++;
    model->count++;
}

void model_random(graph_model *model, test_random *random, uint32_t count,
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

void model_shuffle(const graph_model *model, test_random *random,
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

void model_each(uint32_t count, uint32_t replicas, model_visit *visit, void *context)
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

model_clocks model_clocks_of(uint64_t set)
{
    model_clocks clocks = {.count = 0};
    for (uint32_t event = 0; event < 64; event++) {
        if ((set >> event & 1) != 0) {
            clocks.clocks[clocks.count++] = event;
        }
    }
    return clocks;
}

uint64_t model_bits_of_ranges(grove__ranges ranges)
{
    uint64_t bits = 0;
    for (size_t index = 0; index < ranges.count; index++) {
        uint64_t range =
            model_first(ranges.items[index].end) & ~model_first(ranges.items[index].from);
        cr_assert_eq(bits & range, 0, "a clock occurs twice");
        bits |= range;
    }
    return bits;
}

uint64_t model_bits_of_frontier(grove__frontier frontier)
{
    uint64_t bits = 0;
    for (size_t index = 0; index < frontier.count; index++) {
        cr_assert(index == 0 || frontier.clocks[index - 1] < frontier.clocks[index]);
        bits |= UINT64_C(1) << frontier.clocks[index];
    }
    return bits;
}

void model_check_ranges(grove__ranges ranges)
{
    for (size_t index = 0; index < ranges.count; index++) {
        cr_assert(ranges.items[index].from < ranges.items[index].end);
        cr_assert(index == 0 || ranges.items[index - 1].end < ranges.items[index].from);
    }
}

void subject_init(graph_subject *subject, const graph_model *model, uint64_t base,
                  const grove_allocator *allocator)
{
    grove__head heads[MODEL_EVENTS_MAX];
    model_clocks clocks = model_clocks_of(model_reduce(model, model_first(base)));
    for (size_t index = 0; index < clocks.count; index++) {
        uint64_t event = clocks.clocks[index];
        heads[index] = (grove__head){
            event, {model_replica(model->replica[event]), model->sequence[event]}};
    }
    cr_assert_eq(
        grove__graph_init(&subject->graph, allocator, base, heads, clocks.count, NULL),
        GROVE_OK);
    grove__walk_init(&subject->walk, &subject->graph);
    grove__order_init(&subject->order, allocator);
    for (uint32_t replica = 0; replica < MODEL_REPLICAS_MAX; replica++) {
        grove_replica name = model_replica(replica);
        cr_assert_eq(grove__ids_intern(&subject->graph.ids, &name,
                                       &subject->replicas[replica], NULL),
                     GROVE_OK);
    }
    for (uint32_t event = (uint32_t)base; event < model->count; event++) {
        subject_add(subject, model, event);
    }
}

void subject_add(graph_subject *subject, const graph_model *model, uint32_t event)
{
    model_clocks parents = model_clocks_of(model->parents[event]);
    grove__arrival arrival = {
        .replica = subject->replicas[model->replica[event]],
        .sequence = model->sequence[event],
        .count = 1,
        .parents = model_frontier(&parents),
    };
    grove__verdict verdict;
    grove_error error = {0};
    grove_status status =
        grove__arrival_add(&subject->graph, &subject->walk, &arrival, &verdict, &error);
    if (status == GROVE_HISTORY_REMOVED) {
        /* Only the model knows that the parents are minimal. */
        cr_assert_lt(parents.clocks[0], subject->graph.base);
        status = grove__graph_append(&subject->graph, arrival.replica, arrival.sequence,
                                     1, arrival.parents, NULL);
        verdict = (grove__verdict){.clock = event};
    }
    cr_assert_eq(status, GROVE_OK, "%s", error.message);
    cr_assert_eq(verdict.clock, event);
    cr_assert_eq(verdict.known, 0);
}

void subject_release(graph_subject *subject)
{
    grove__order_release(&subject->order);
    grove__walk_release(&subject->walk);
    grove__graph_release(&subject->graph);
}
