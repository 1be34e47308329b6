/*
 * How events come into a handle: made here, handed in, or read from the store.
 *
 * Each way ends in one of two: grove__document_push for new events, which go
 * to `unsaved`, the state and the graph, and grove__document_add_list for
 * stored ones, of which the graph is told here and the state by load.c.
 */
#include "base/assert.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"
#include "document/stamps.h"
#include "format/event_ids.h"
#include "format/events_mark.h"

/* GROVE_UNSUPPORTED, where a type cannot merge. */
static grove_status fail_concurrent(const grove_document *document,
                                    grove_error *error_out)
{
    return grove__fail(
        error_out, GROVE_UNSUPPORTED,
        "events are concurrent, and documents of type %s cannot merge them",
        document->type->name);
}

static bool frontier_equal(grove__frontier a, grove__frontier b)
{
    return a.count == b.count &&
           (a.count == 0 || memcmp(a.clocks, b.clocks, a.count * sizeof *a.clocks) == 0);
}

grove_status grove__document_find(grove_document *document, grove__txn *txn,
                                  const grove_replica *replica, uint64_t sequence,
                                  uint64_t *clock_out, grove_error *error_out)
{
    const grove__ids *ids = &document->graph.ids;
    uint32_t number = grove__ids_find_replica(ids, replica);
    grove__id_span span;
    if (number != GROVE__INDEX_NONE && grove__ids_find(ids, number, sequence, &span)) {
        *clock_out = span.clock;
        return GROVE_OK;
    }
    /* The store knows what lies behind the base of the graph; it may also know
     * what the handle has not taken in, at clocks that are of unsaved events
     * here. */
    if (document->graph.base == 0 || !document->exists) {
        return GROVE_NONE;
    }
    uint64_t clock;
    grove_status status =
        grove__document_clock_of(document, txn, replica, sequence, &clock, error_out);
    if (status == GROVE_OK && clock >= document->graph.base) {
        return GROVE_NONE;
    }
    if (status == GROVE_OK) {
        *clock_out = clock;
    }
    return status;
}

/* --- stored events into the graph --- */

/* A list on its way into the graph: what is left of it. */
typedef struct list_walk {
    const grove__events *events;
    uint64_t first_clock;
    uint32_t end;
    uint32_t event;    /* the next one */
    size_t id_run;     /* that it is in */
    uint32_t id_start; /* where that began */
    size_t parent_run; /* the first at or after it */
} list_walk;

static list_walk list_walk_at(const grove__list_part *part)
{
    const grove__events *events = part->events;
    uint32_t from = part->from;
    list_walk walk = {events, part->first_clock, part->end, from, 0, 0, 0};
    while (walk.id_run < events->id_run_count &&
           from - walk.id_start >= events->id_runs[walk.id_run].count) {
        walk.id_start += events->id_runs[walk.id_run].count;
        walk.id_run++;
    }
    while (walk.parent_run < events->parent_run_count &&
           events->parent_runs[walk.parent_run].event < from) {
        walk.parent_run++;
    }
    return walk;
}

/* Whether a parent may have the time that the list says, where that counts. */
static grove_status check_time(const grove_document *document, uint64_t clock,
                               uint64_t time, grove_error *error_out)
{
    return grove__document_is_timed(document)
               ? grove__stamps_check(document, clock, time, error_out)
               : GROVE_OK;
}

/* The clock of a parent inside the list. */
static grove_status resolve_inside(const grove_document *document, const list_walk *walk,
                                   uint32_t event, uint64_t *clock_out,
                                   grove_error *error_out)
{
    *clock_out = walk->first_clock + event;
    return check_time(document, *clock_out, grove__event_ids_time(walk->events, event),
                      error_out);
}

/* The clock of any other. */
static grove_status resolve_outside(grove_document *document, grove__txn *txn,
                                    const list_walk *walk, const grove__parent *parent,
                                    uint64_t *clock_out, grove_error *error_out)
{
    const grove_replica *replica = &walk->events->replicas[parent->replica];
    grove_status status = grove__document_find(document, txn, replica, parent->sequence,
                                               clock_out, error_out);
    if (status == GROVE_NONE) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "the event at clock %llu has a parent that is not stored",
                           (unsigned long long)(walk->first_clock + walk->event));
    }
    return status == GROVE_OK ? check_time(document, *clock_out, parent->time, error_out)
                              : status;
}

/* The clocks of the next event's parents into `clocks`. */
static grove_status resolve_parents(grove_document *document, grove__txn *txn,
                                    const list_walk *walk, uint64_t *clocks,
                                    size_t *count_out, grove_error *error_out)
{
    const grove__events *events = walk->events;
    const grove__parent_run *run = &events->parent_runs[walk->parent_run];
    if (walk->parent_run == events->parent_run_count || run->event != walk->event) {
        *count_out = 1;
        return resolve_inside(document, walk, walk->event - 1, &clocks[0], error_out);
    }
    for (uint32_t index = 0; index < run->count; index++) {
        const grove__parent *parent = &events->parents[run->first + index];
        grove_status status =
            parent->replica == GROVE__PARENT_INSIDE
                ? resolve_inside(document, walk, (uint32_t)parent->sequence,
                                 &clocks[index], error_out)
                : resolve_outside(document, txn, walk, parent, &clocks[index], error_out);
        if (status != GROVE_OK) {
            return status;
        }
    }
    *count_out = run->count;
    return GROVE_OK;
}

/* Adds the next run of events that the graph can take as one. */
static grove_status add_segment(grove_document *document, grove__txn *txn,
                                list_walk *walk, grove_error *error_out)
{
    const grove__events *events = walk->events;
    const grove__id_run *ids = &events->id_runs[walk->id_run];
    uint64_t clocks[GROVE_EVENT_PARENTS_MAX];
    size_t parent_count = 0;
    grove_status status =
        resolve_parents(document, txn, walk, clocks, &parent_count, error_out);
    grove__arrival arrival = {.sequence = ids->sequence + (walk->event - walk->id_start),
                              .parents = {clocks, parent_count},
                              .time = grove__document_is_timed(document)
                                          ? grove__event_ids_time(events, walk->event)
                                          : 0};
    if (status == GROVE_OK) {
        status = grove__ids_intern(&document->graph.ids, &events->replicas[ids->replica],
                                   &arrival.replica, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    size_t next = walk->parent_run;
    if (next < events->parent_run_count &&
        events->parent_runs[next].event == walk->event) {
        next++;
    }
    uint32_t end = walk->id_start + ids->count;
    if (next < events->parent_run_count && events->parent_runs[next].event < end) {
        end = events->parent_runs[next].event;
    }
    end = end < walk->end ? end : walk->end;
    arrival.count = end - walk->event;
    grove__verdict verdict = {0, 0, 0};
    status = grove__arrival_add(&document->graph, &document->walk, &arrival, &verdict,
                                error_out);
    if (status == GROVE_OK && verdict.known == 0) {
        walk->parent_run = next;
        walk->event = end;
        if (end == walk->id_start + ids->count) {
            walk->id_start = end;
            walk->id_run++;
        }
        return GROVE_OK;
    }
    if (status == GROVE_NO_MEMORY || status == GROVE_HISTORY_REMOVED) {
        return status;
    }
    /* A store never holds what the graph refuses. */
    return grove__fail(error_out, GROVE_CORRUPT,
                       "the event at clock %llu does not fit the events before it",
                       (unsigned long long)(walk->first_clock + walk->event));
}

static grove_status add_segments(grove_document *document, grove__txn *txn,
                                 list_walk *walk, grove_error *error_out)
{
    grove_status status = GROVE_OK;
    while (status == GROVE_OK && walk->event < walk->end) {
        status = add_segment(document, txn, walk, error_out);
    }
    return status;
}

/* Whether what is left of a list is a chain that goes on from the heads. */
static grove_status check_chain(grove_document *document, grove__txn *txn,
                                const list_walk *walk, grove_error *error_out)
{
    const grove__events *events = walk->events;
    uint64_t clocks[GROVE_EVENT_PARENTS_MAX];
    size_t count = 0;
    grove_status status = resolve_parents(document, txn, walk, clocks, &count, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    size_t next = walk->parent_run;
    if (next < events->parent_run_count &&
        events->parent_runs[next].event == walk->event) {
        next++;
    }
    bool has_fork =
        next < events->parent_run_count && events->parent_runs[next].event < walk->end;
    if (has_fork || !frontier_equal((grove__frontier){clocks, count},
                                    grove__graph_heads(&document->graph))) {
        return fail_concurrent(document, error_out);
    }
    return GROVE_OK;
}

grove_status grove__document_add_list(grove_document *document, grove__txn *txn,
                                      const grove__list_part *part,
                                      grove_error *error_out)
{
    if (document->graph.end != part->first_clock + part->from) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "events begin at clock %llu where clock %llu is next",
                           (unsigned long long)(part->first_clock + part->from),
                           (unsigned long long)document->graph.end);
    }
    list_walk walk = list_walk_at(part);
    grove_status status = GROVE_OK;
    if (part->from < part->end && !grove__document_merges(document)) {
        status = check_chain(document, txn, &walk, error_out);
    }
    if (status == GROVE_OK) {
        status = add_segments(document, txn, &walk, error_out);
    }
    return status;
}

grove_status grove__document_reach(grove_document *document, grove__txn *txn,
                                   const grove__events *events, uint64_t first_clock,
                                   uint64_t *reach_out, grove_error *error_out)
{
    uint64_t reach = first_clock;
    for (size_t index = 0; index < events->parent_run_count; index++) {
        const grove__parent_run *run = &events->parent_runs[index];
        if (run->count == 0) {
            reach = 0;
        }
        for (uint32_t nth = 0; nth < run->count; nth++) {
            const grove__parent *parent = &events->parents[run->first + nth];
            if (parent->replica == GROVE__PARENT_INSIDE) {
                continue;
            }
            uint64_t clock;
            grove_status status =
                grove__document_find(document, txn, &events->replicas[parent->replica],
                                     parent->sequence, &clock, error_out);
            if (status == GROVE_NONE) {
                status = grove__fail(error_out, GROVE_CORRUPT,
                                     "an unsaved event's parent is no longer known");
            }
            if (status != GROVE_OK) {
                return status;
            }
            reach = clock + 1 < reach ? clock + 1 : reach;
        }
    }
    *reach_out = reach;
    return GROVE_OK;
}

/* --- new events --- */

/* How far back the unsaved event at `clock` reaches among the stored ones;
 * UINT64_MAX: not so far. */
static uint64_t find_reach(const grove_document *document, uint64_t clock)
{
    uint64_t before;
    grove__frontier parents = grove__graph_parents(&document->graph, clock, &before);
    uint64_t reach = parents.count == 0 ? 0 : parents.clocks[0] + 1;
    return reach <= document->stored ? reach : UINT64_MAX;
}

/* Notes how far back the new event at `clock` reaches. */
static void note_reach(grove_document *document, uint64_t clock)
{
    uint64_t reach = find_reach(document, clock);
    if (reach < document->unsaved_reach) {
        document->unsaved_reach = reach;
        grove__document_hold(document);
    }
}

void grove__document_find_reach(grove_document *document)
{
    const grove__graph *graph = &document->graph;
    uint64_t reach = UINT64_MAX;
    uint64_t clock = document->stored;
    while (clock < graph->end) {
        reach = grove__min_u64(reach, find_reach(document, clock));
        clock = grove__graph_run_at(graph, grove__graph_find(graph, clock)).end;
    }
    document->unsaved_reach = reach;
}

grove_status grove__document_take_unsaved(grove_document *document, grove__txn *txn,
                                          uint64_t from, grove_error *error_out)
{
    /* Others may have removed history, or have packed it differently. */
    grove_status status = grove__document_look_again(document, txn, error_out);
    grove__list_part part = {&document->unsaved, document->stored,
                             (uint32_t)(from - document->stored),
                             document->unsaved.count};
    return status == GROVE_OK
               ? grove__document_apply_list(document, txn, &part, UINT64_MAX,
                                            GROVE_MALFORMED, error_out)
               : status;
}

/* The times of a run's parents, whose clocks are in another order. The graph
 * has them. */
static void find_times(const grove_document *document, const grove_event_run *run,
                       grove__frontier parents, uint64_t *times)
{
    const grove__graph *graph = &document->graph;
    for (size_t index = 0; index < run->parent_count; index++) {
        uint64_t clock = parents.clocks[0];
        if (run->parent_count > 1) {
            const grove_event_id *id = &run->parents[index];
            uint32_t replica = grove__ids_find_replica(&graph->ids, &id->replica);
            grove__id_span span;
            bool is_held = replica != GROVE__INDEX_NONE &&
                           grove__ids_find(&graph->ids, replica, id->sequence, &span);
            GROVE_ASSERT(is_held);
            clock = span.clock;
        }
        times[index] = grove__graph_time(graph, clock);
        GROVE_ASSERT(times[index] > 0);
    }
}

/* Makes room in the graph, and appends a run to `unsaved`. */
static grove_status begin_run(grove_document *document, const grove_event_run *run,
                              grove__frontier parents, grove_error *error_out)
{
    uint32_t replica;
    grove_status status =
        grove__ids_intern(&document->graph.ids, &run->first.replica, &replica, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (!grove__graph_reserve(&document->graph, replica, parents)) {
        return grove__fail_memory(error_out);
    }
    if (!grove__document_is_timed(document)) {
        return grove__events_append(&document->unsaved, document->type, run, error_out);
    }
    uint64_t times[GROVE_EVENT_PARENTS_MAX];
    find_times(document, run, parents, times);
    return grove__events_append_timed(&document->unsaved, document->type, run, times,
                                      error_out);
}

/* Appends the run to the graph, for which there is room. */
static void finish_run(grove_document *document, const grove_event_run *run,
                       grove__frontier parents)
{
    grove__graph *graph = &document->graph;
    uint64_t from = graph->end;
    uint32_t replica = grove__ids_find_replica(&graph->ids, &run->first.replica);
    uint64_t time =
        grove__document_is_timed(document) ? grove__graph_time_after(graph, parents) : 0;
    grove_status status = grove__graph_append(graph, replica, run->first.sequence,
                                              run->operation.count, parents, time, NULL);
    GROVE_ASSERT(status == GROVE_OK);
    note_reach(document, from);
    if (grove__replica_equal(&run->first.replica, &document->replica)) {
        document->next_sequence = run->first.sequence + run->operation.count;
    }
}

grove_status grove__document_append(grove_document *document, const grove_event_run *run,
                                    grove__frontier parents, grove_error *error_out)
{
    grove_status status = begin_run(document, run, parents, error_out);
    if (status == GROVE_OK) {
        finish_run(document, run, parents);
    }
    return status;
}

void grove__document_rewind(grove_document *document, const grove__document_mark *mark)
{
    if (document->graph.end != mark->end &&
        grove__document_cut_graph(document, mark->end, NULL) != GROVE_OK) {
        document->failed = true;
    }
    grove__events_rewind(&document->unsaved, &mark->unsaved);
    document->next_sequence = mark->next_sequence;
    document->merge.is_warm = false;
}

grove__document_mark grove__document_mark_of(const grove_document *document)
{
    return (grove__document_mark){grove__events_mark_of(&document->unsaved),
                                  document->graph.end, document->next_sequence};
}

/* The state takes an operation that was made on exactly this state. */
static grove_status take_operation(grove_document *document, const grove_event_run *run,
                                   grove__frontier parents, bool is_reported,
                                   grove_error *error_out)
{
    const grove_document_type *type = document->type;
    grove_operations one = {&run->operation, 1};
    grove_stamp_run stamp = {.replica = &run->first.replica,
                             .sequence = run->first.sequence,
                             .count = run->operation.count};
    grove_stamps stamps = {NULL, 0};
    if (grove__document_is_timed(document)) {
        stamp.time = grove__graph_time_after(&document->graph, parents);
        stamps = (grove_stamps){&stamp, 1};
    }
    grove_status status =
        type->state_apply(type, document->state, one, stamps, error_out);
    if (status == GROVE_CORRUPT) {
        return grove__fail(error_out, GROVE_MALFORMED,
                           "the operation at position %llu does not fit the document's "
                           "state",
                           (unsigned long long)run->operation.position);
    }
    if (status == GROVE_OK && is_reported) {
        grove__document_report(document, one);
    }
    return status;
}

grove_status grove__document_push(grove_document *document, grove__txn *txn,
                                  const grove_event_run *run, grove__frontier parents,
                                  grove_error *error_out)
{
    bool merges = document->type->merge != NULL &&
                  !frontier_equal(parents, grove__graph_heads(&document->graph));
    grove__document_mark mark = grove__document_mark_of(document);
    grove_status status = begin_run(document, run, parents, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    document->pending.is_tried = document->pending.is_tried && txn == NULL;
    if (!merges) {
        status = take_operation(document, run, parents, txn != NULL, error_out);
    }
    if (status == GROVE_OK) {
        finish_run(document, run, parents);
        if (merges) {
            status = grove__document_take_unsaved(document, txn, mark.end, error_out);
        }
    }
    if (status != GROVE_OK) {
        grove__document_rewind(document, &mark);
    }
    return status;
}

grove_status grove__document_make(grove_document *document,
                                  const grove_operation *operation,
                                  grove_error *error_out)
{
    grove_status status = grove__document_check_editable(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__frontier heads = grove__graph_heads(&document->graph);
    grove_event_id parent;
    grove_version version = {&parent, 1};
    uint64_t end = document->graph.end;
    if (operation->count > GROVE_DOCUMENT_EVENTS_MAX - end) {
        return grove__fail(error_out, GROVE_LIMIT, "a document has at most 2^48 events");
    }
    if (document->unsaved.count > 0 && document->made_last && heads.count == 1) {
        /* The usual case: one goes on from what one just made. */
        parent.replica = document->replica;
        parent.sequence = document->next_sequence - 1;
    } else {
        status = grove_document_version(document, &version, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        heads = grove__graph_heads(&document->graph);
    }
    grove_event_run run = {
        .first = {document->replica, document->next_sequence},
        .parents = version.heads,
        .parent_count = version.head_count,
        .timestamp = grove__store_now(document->store),
        .operation = *operation,
    };
    status = grove__document_push(document, NULL, &run, heads, error_out);
    if (status == GROVE_OK) {
        document->made_last = true;
        document->made_first = grove__min_u64(document->made_first, run.first.sequence);
    }
    return status;
}
