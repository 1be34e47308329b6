#include "graph/plan.h"

#include "base/assert.h"
#include "base/error.h"

/* What comes after a chain is estimated as a set of so many parts of all the
 * events: exact for few of them, and never more work than this. */
enum { PART_WORDS = 4, PARTS = 64 * PART_WORDS };

/* In whose history a chain is: of the version that is left, of the one that is
 * entered. */
enum { NEITHER = 0, LEFT = 1, ENTERED = 2, BOTH = 3 };

typedef struct grove__plan_chain {
    uint64_t after[PART_WORDS]; /* the parts that come after it, itself too */
    uint32_t weight;            /* how many those are */
    uint32_t waits;             /* for so many parents */
    uint32_t side;              /* while versions are compared */
    bool is_in;                 /* the version of the last chain */
} grove__plan_chain;

void grove__plan_init(grove__plan *plan, const grove_allocator *allocator)
{
    *plan = (grove__plan){.allocator = allocator};
    grove__chains_init(&plan->chains, allocator);
}

void grove__plan_release(grove__plan *plan)
{
    const grove_allocator *allocator = plan->allocator;
    grove__chains_release(&plan->chains);
    grove__deallocate(allocator, plan->states,
                      plan->state_capacity * sizeof *plan->states);
    grove__deallocate(allocator, plan->ready.items,
                      plan->ready.capacity * sizeof *plan->ready.items);
    grove__deallocate(allocator, plan->heap, plan->heap_capacity * sizeof *plan->heap);
    grove__range_list_release(&plan->leave, allocator);
    grove__range_list_release(&plan->enter, allocator);
    grove__plan_init(plan, allocator);
}

/* --- the order --- */

static uint64_t count_events(grove__ranges clocks)
{
    uint64_t total = 0;
    for (size_t index = 0; index < clocks.count; index++) {
        total += clocks.items[index].end - clocks.items[index].from;
    }
    return total;
}

/* Adds the parts that a chain is in: its events' share of all, or simply its
 * own number when there are few chains. `before` events come before it. */
static void add_parts(grove__plan *plan, size_t index, uint64_t before, uint64_t total)
{
    const grove__chain *chain = &plan->chains.items[index];
    uint64_t part = index;
    uint64_t last = index;
    if (plan->chains.count > PARTS) {
        GROVE_ASSERT(total > 0); /* no chain is empty */
        part = before * PARTS / total;
        last = (before + (chain->end - chain->from) - 1) * PARTS / total;
    }
    for (; part <= last; part++) {
        plan->states[index].after[part / 64] |= UINT64_C(1) << (part % 64);
    }
}

/* Weighs the chains, the latest first. */
static void weigh(grove__plan *plan, uint64_t total)
{
    const grove__chains *chains = &plan->chains;
    uint64_t before = total;
    for (size_t index = chains->count; index > 0; index--) {
        const grove__chain *chain = &chains->items[index - 1];
        grove__plan_chain *state = &plan->states[index - 1];
        *state = (grove__plan_chain){.waits = chain->parent_count};
        before -= chain->end - chain->from;
        add_parts(plan, index - 1, before, total);
        for (uint32_t edge = chain->first_edge; edge != GROVE__CHAIN_NONE;
             edge = chains->edges[edge].next) {
            const grove__plan_chain *child = &plan->states[chains->edges[edge].chain];
            for (size_t word = 0; word < PART_WORDS; word++) {
                state->after[word] |= child->after[word];
            }
        }
        for (size_t word = 0; word < PART_WORDS; word++) {
            state->weight += (uint32_t)__builtin_popcountll(state->after[word]);
        }
    }
}

static bool is_new(const grove__plan *plan, uint32_t chain)
{
    uint64_t clock = plan->chains.items[chain].from;
    return clock >= plan->new_events.from && clock < plan->new_events.end;
}

/* Known ones first, then what became ready last, then what weighs least. Keys
 * are the turns at which chains became ready, new ones' below all others. */
static bool is_sooner(const void *context, const grove__heap_item *item,
                      const grove__heap_item *other)
{
    const grove__plan *plan = context;
    if (item->key != other->key) {
        return item->key > other->key;
    }
    uint32_t weight = plan->states[item->mark].weight;
    uint32_t other_weight = plan->states[other->mark].weight;
    return weight != other_weight ? weight < other_weight : item->mark < other->mark;
}

#define KNOWN (UINT64_C(1) << 63)

/* Room for all chains was made. */
static void add_ready(grove__plan *plan, uint32_t chain)
{
    uint64_t key = plan->turn | (is_new(plan, chain) ? 0 : KNOWN);
    grove__heap_push(&plan->ready, (grove__heap_item){.key = key, .mark = chain},
                     is_sooner, plan);
}

grove_status grove__plan_begin(grove__plan *plan, const grove__graph *graph,
                               grove__ranges clocks, grove__range new_events,
                               grove_error *error_out)
{
    plan->ready.count = 0;
    plan->turn = 0;
    plan->last = GROVE__CHAIN_NONE;
    plan->new_events = new_events;
    if (!grove__chains_make(&plan->chains, graph, clocks, false)) {
        return grove__fail_memory(error_out);
    }
    size_t count = plan->chains.count;
    if (!grove__array_reserve_more(plan->allocator, (void **)&plan->states,
                                   &plan->state_capacity, 0, count,
                                   sizeof *plan->states) ||
        !grove__array_reserve_more(plan->allocator, (void **)&plan->heap,
                                   &plan->heap_capacity, 0, count, sizeof *plan->heap) ||
        !grove__heap_reserve(&plan->ready, plan->allocator, count)) {
        return grove__fail_memory(error_out);
    }
    weigh(plan, count_events(clocks));
    for (uint32_t chain = 0; chain < count; chain++) {
        if (plan->states[chain].waits == 0) {
            add_ready(plan, chain);
        }
    }
    return GROVE_OK;
}

/* --- from version to version --- */

/* Puts a chain into the heap, or marks it for another side. What the version
 * has that is left is known of each chain: so one that is met from the other
 * side is in both histories at once. */
static void meet(grove__plan *plan, uint32_t chain, uint32_t side)
{
    grove__plan_chain *state = &plan->states[chain];
    uint32_t was = state->side;
    state->side |= side | (state->is_in ? LEFT : NEITHER);
    if (state->side == was) {
        return;
    }
    plan->met[state->side]++;
    if (was != NEITHER) {
        plan->met[was]--;
        return;
    }
    size_t at = plan->heap_count++;
    while (at > 0 && plan->heap[(at - 1) / 2] < chain) {
        plan->heap[at] = plan->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    plan->heap[at] = chain;
}

/* Takes the latest chain out of the heap. */
static uint32_t take_latest(grove__plan *plan)
{
    uint32_t latest = plan->heap[0];
    uint32_t moved = plan->heap[--plan->heap_count];
    size_t at = 0;
    for (;;) {
        size_t below = 2 * at + 1;
        if (below >= plan->heap_count) {
            break;
        }
        if (below + 1 < plan->heap_count && plan->heap[below + 1] > plan->heap[below]) {
            below++;
        }
        if (plan->heap[below] <= moved) {
            break;
        }
        plan->heap[at] = plan->heap[below];
        at = below;
    }
    if (plan->heap_count > 0) {
        plan->heap[at] = moved;
    }
    return latest;
}

static void meet_parents(grove__plan *plan, uint32_t chain, uint32_t side)
{
    const grove__chain *item = &plan->chains.items[chain];
    for (uint32_t index = 0; index < item->parent_count; index++) {
        meet(plan, plan->chains.parents[item->parents + index], side);
    }
}

/* Takes the latest chain out of the heap, and goes on with its parents. Those
 * of one in both histories only matter to what may have to be left. False: no
 * memory. */
static bool walk_back(grove__plan *plan)
{
    uint32_t chain = take_latest(plan);
    const grove__chain *item = &plan->chains.items[chain];
    grove__plan_chain *state = &plan->states[chain];
    uint32_t side = state->side;
    state->side = NEITHER;
    plan->met[side]--;
    plan->steps++;
    if (side != BOTH || plan->met[LEFT] > 0) {
        meet_parents(plan, chain, side);
    }
    if (side == BOTH) {
        return true;
    }
    state->is_in = side == ENTERED;
    return grove__range_list_append_below(side == LEFT ? &plan->leave : &plan->enter,
                                          plan->allocator, item->from, item->end);
}

/* Walks back from the last chain and from the parents of the next one until
 * all that is left is in both histories; the heap is empty before and after.
 * False: no memory. */
static bool compare(grove__plan *plan, uint32_t next)
{
    if (plan->last != GROVE__CHAIN_NONE) {
        meet(plan, plan->last, LEFT);
    }
    meet_parents(plan, next, ENTERED);
    bool is_listed = true;
    while (plan->met[LEFT] + plan->met[ENTERED] > 0) {
        is_listed = walk_back(plan) && is_listed;
    }
    while (plan->heap_count > 0) {
        plan->states[plan->heap[--plan->heap_count]].side = NEITHER;
    }
    plan->met[BOTH] = 0;
    plan->states[next].is_in = true;
    return is_listed;
}

grove_status grove__plan_next(grove__plan *plan, grove__plan_step *step_out,
                              grove_error *error_out)
{
    if (plan->ready.count == 0) {
        return GROVE_NONE;
    }
    uint32_t chain = grove__heap_pop(&plan->ready, is_sooner, plan).mark;
    const grove__chain *item = &plan->chains.items[chain];
    plan->leave.count = 0;
    plan->enter.count = 0;
    plan->turn++;
    if (!compare(plan, chain)) {
        return grove__fail_memory(error_out);
    }
    plan->last = chain;
    for (uint32_t edge = item->first_edge; edge != GROVE__CHAIN_NONE;
         edge = plan->chains.edges[edge].next) {
        uint32_t child = plan->chains.edges[edge].chain;
        if (--plan->states[child].waits == 0) {
            add_ready(plan, child);
        }
    }
    *step_out = (grove__plan_step){
        .events = {item->from, item->end},
        .is_new = is_new(plan, chain),
        .leave = grove__range_list_view(&plan->leave),
        .enter = grove__range_list_view(&plan->enter),
    };
    return GROVE_OK;
}
