#include "model.h"

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

size_t model_ranges_of(uint64_t set, uint64_t cuts, grove__range *ranges_out)
{
    size_t count = 0;
    for (uint32_t event = 0; event < MODEL_EVENTS_MAX; event++) {
        if ((set >> event & 1) == 0) {
            continue;
        }
        if (count > 0 && ranges_out[count - 1].end == event && (cuts >> event & 1) == 0) {
            ranges_out[count - 1].end = event + 1;
        } else {
            ranges_out[count++] = (grove__range){event, event + 1};
        }
    }
    return count;
}

bool model_follows(const graph_model *model, uint64_t set, uint64_t cuts, uint32_t event)
{
    if (event == 0 || (set >> (event - 1) & 1) == 0 || (cuts >> event & 1) != 0) {
        return false;
    }
    uint64_t before = UINT64_C(1) << (event - 1);
    for (uint32_t other = event + 1; other < model->count; other++) {
        if ((set >> other & 1) != 0 && (model->parents[other] & before) != 0) {
            return false;
        }
    }
    return model->parents[event] == before;
}

void subject_init(graph_subject *subject, const graph_model *model, uint64_t base,
                  const grove_allocator *allocator)
{
    grove__head heads[MODEL_EVENTS_MAX];
    model_clocks clocks = model_clocks_of(model_reduce(model, model_first(base)));
    for (size_t index = 0; index < clocks.count; index++) {
        uint64_t event = clocks.clocks[index];
        heads[index] =
            (grove__head){event,
                          {model_replica(model->replica[event]), model->sequence[event]},
                          model->time[event]};
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
        .time = model->time[event],
    };
    grove__verdict verdict;
    grove_error error = {0};
    grove_status status =
        grove__arrival_add(&subject->graph, &subject->walk, &arrival, &verdict, &error);
    if (status == GROVE_HISTORY_REMOVED) {
        /* Only the model knows that the parents are minimal. */
        cr_assert_lt(parents.clocks[0], subject->graph.base);
        status = grove__graph_append(&subject->graph, arrival.replica, arrival.sequence,
                                     1, arrival.parents, arrival.time, NULL);
        verdict = (grove__verdict){.clock = event};
    }
    cr_assert_eq(status, GROVE_OK, "%s", error.message);
    cr_assert_eq(verdict.clock, event);
    cr_assert_eq(verdict.known, 0);
}

uint64_t subject_append(graph_subject *subject, uint32_t replica, uint64_t count,
                        grove__frontier parents)
{
    uint32_t number = subject->replicas[replica];
    uint64_t sequence = grove__ids_next_sequence(&subject->graph.ids, number);
    uint64_t time = grove__graph_time_after(&subject->graph, parents);
    cr_assert_eq(grove__graph_append(&subject->graph, number, sequence, count, parents,
                                     time, NULL),
                 GROVE_OK);
    return subject->graph.end - 1;
}

void subject_release(graph_subject *subject)
{
    grove__order_release(&subject->order);
    grove__walk_release(&subject->walk);
    grove__graph_release(&subject->graph);
}
