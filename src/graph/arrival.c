#include "graph/arrival.h"

#include "base/assert.h"
#include "base/checked.h"
#include "base/error.h"

static grove_status check_sizes(const grove__graph *graph, const grove__arrival *arrival,
                                grove__verdict *verdict, grove_error *error_out)
{
    if (arrival->count == 0) {
        return grove__fail(error_out, GROVE_INVALID, "a run has at least one event");
    }
    if (arrival->count > GROVE_DOCUMENT_EVENTS_MAX ||
        arrival->sequence > GROVE_DOCUMENT_EVENTS_MAX - arrival->count) {
        return grove__fail(
            error_out, GROVE_LIMIT, "%llu events from sequence %llu on are too many",
            (unsigned long long)arrival->count, (unsigned long long)arrival->sequence);
    }
    if (arrival->parents.count > GROVE_EVENT_PARENTS_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "an event has at most %d parents, not %zu",
                           GROVE_EVENT_PARENTS_MAX, arrival->parents.count);
    }
    for (size_t index = 0; index < arrival->parents.count; index++) {
        uint64_t clock = arrival->parents.clocks[index];
        if (clock >= graph->end) {
            *verdict = (grove__verdict){.clock = clock, .parent = index};
            return grove__fail(error_out, GROVE_UNKNOWN_PARENT,
                               "parent %zu, at clock %llu, is not known", index,
                               (unsigned long long)clock);
        }
    }
    return GROVE_OK;
}

static grove_status check_minimal(grove__walk *walk, grove__frontier parents,
                                  grove_error *error_out)
{
    bool is_minimal = true;
    if (parents.count > 1) {
        grove_status status =
            grove__version_is_minimal(walk, parents, &is_minimal, error_out);
        if (status != GROVE_OK) {
            return status;
        }
    }
    if (!is_minimal) {
        return grove__fail(error_out, GROVE_INVALID,
                           "one parent of an event comes after another");
    }
    return GROVE_OK;
}

static grove_status fail_reused(grove__verdict *verdict, uint64_t number, uint64_t clock,
                                grove_error *error_out)
{
    *verdict = (grove__verdict){.known = number, .clock = clock};
    return grove__fail(error_out, GROVE_REPLICA_REUSED,
                       "the event at clock %llu is known with other parents",
                       (unsigned long long)clock);
}

static bool has_parents(const grove__graph *graph, uint64_t clock,
                        grove__frontier parents)
{
    uint64_t before;
    grove__frontier known = grove__graph_parents(graph, clock, &before);
    return known.count == parents.count &&
           (known.count == 0 || memcmp(known.clocks, parents.clocks,
                                       known.count * sizeof *known.clocks) == 0);
}

/*
 * Finds the leading events that are known, piece by piece, and compares their
 * parents; `parents` are the first one's. What follows an unknown event must
 * be unknown, as its parent is.
 */
static grove_status find_known(grove__walk *walk, const grove__arrival *arrival,
                               grove__frontier parents, grove__verdict *verdict,
                               grove_error *error_out)
{
    const grove__graph *graph = walk->graph;
    const grove__ids *ids = &graph->ids;
    uint64_t known = 0;
    uint64_t before;
    grove__id_span span;
    verdict->clock = graph->end;
    while (known < arrival->count &&
           grove__ids_find(ids, arrival->replica, arrival->sequence + known, &span)) {
        uint64_t count = grove__min_u64(span.count, arrival->count - known);
        if (known == 0) {
            verdict->clock = span.clock;
        }
        if (span.clock >= graph->base) {
            if (!has_parents(graph, span.clock, parents)) {
                return fail_reused(verdict, known, span.clock, error_out);
            }
            size_t run = grove__graph_find(graph, span.clock);
            uint64_t end = grove__graph_run_at(graph, run).end;
            if (end < span.clock + count) {
                return fail_reused(verdict, known + (end - span.clock), end, error_out);
            }
        }
        known += count;
        before = span.clock + count - 1;
        parents = (grove__frontier){&before, 1};
    }
    verdict->known = known;
    verdict->parent = 0;
    if (known == arrival->count) {
        return grove__fail(error_out, GROVE_DUPLICATE, "the events are known already");
    }
    uint64_t next =
        grove__ids_known_after(ids, arrival->replica, arrival->sequence + known);
    if (next >= arrival->sequence + arrival->count) {
        return GROVE_OK;
    }
    bool is_held = grove__ids_find(ids, arrival->replica, next, &span);
    GROVE_ASSERT(is_held);
    if (span.clock < graph->base) {
        walk->needed = (grove__range){0, graph->base};
        return grove__fail(error_out, GROVE_HISTORY_REMOVED,
                           "the events before sequence %llu are not held",
                           (unsigned long long)next);
    }
    return fail_reused(verdict, next - arrival->sequence, span.clock, error_out);
}

/* As grove__arrival_check; the sorted parents are the walk's. */
static grove_status check_run(grove__walk *walk, const grove__arrival *arrival,
                              grove__frontier *parents_out, grove__verdict *verdict_out,
                              grove_error *error_out)
{
    grove__verdict verdict = {0, 0, 0};
    grove_status status = check_sizes(walk->graph, arrival, &verdict, error_out);
    if (status == GROVE_UNKNOWN_PARENT) {
        *verdict_out = verdict;
    }
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__version_sort(walk, arrival->parents.clocks, arrival->parents.count,
                                 parents_out, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = find_known(walk, arrival, *parents_out, &verdict, error_out);
    if (status == GROVE_OK && verdict.known == 0) {
        status = check_minimal(walk, *parents_out, error_out);
    }
    if (status == GROVE_OK &&
        arrival->count - verdict.known > GROVE_DOCUMENT_EVENTS_MAX - walk->graph->end) {
        status = grove__fail(error_out, GROVE_LIMIT, "a document has at most %llu events",
                             (unsigned long long)GROVE_DOCUMENT_EVENTS_MAX);
    }
    if (status == GROVE_OK || status == GROVE_DUPLICATE ||
        status == GROVE_REPLICA_REUSED) {
        *verdict_out = verdict;
    }
    return status;
}

grove_status grove__arrival_check(grove__walk *walk, const grove__arrival *arrival,
                                  grove__verdict *verdict_out, grove_error *error_out)
{
    grove__frontier parents;
    return check_run(walk, arrival, &parents, verdict_out, error_out);
}

grove_status grove__arrival_add(grove__graph *graph, grove__walk *walk,
                                const grove__arrival *arrival,
                                grove__verdict *verdict_out, grove_error *error_out)
{
    GROVE_ASSERT_ARG(walk->graph == graph);
    grove__frontier parents;
    grove__verdict verdict;
    grove_status status = check_run(walk, arrival, &parents, &verdict, error_out);
    if (status != GROVE_OK) {
        if (status == GROVE_DUPLICATE || status == GROVE_REPLICA_REUSED ||
            status == GROVE_UNKNOWN_PARENT) {
            *verdict_out = verdict;
        }
        return status;
    }
    uint64_t last_known;
    if (verdict.known > 0) {
        grove__id_span span;
        bool is_held = grove__ids_find(&graph->ids, arrival->replica,
                                       arrival->sequence + verdict.known - 1, &span);
        GROVE_ASSERT(is_held);
        last_known = span.clock;
        parents = (grove__frontier){&last_known, 1};
    }
    verdict.clock = graph->end;
    status = grove__graph_append(
        graph, arrival->replica, arrival->sequence + verdict.known,
        arrival->count - verdict.known, parents,
        arrival->time == 0 ? 0 : arrival->time + verdict.known, error_out);
    if (status == GROVE_OK) {
        *verdict_out = verdict;
    }
    return status;
}
