#include "document/walking.h"

#include "base/assert.h"
#include "base/checked.h"
#include "base/error.h"
#include "graph/critical.h"
#include "graph/difference.h"

static bool is_before(const void *context, uint64_t clock, uint64_t other)
{
    const grove__ids *ids = context;
    grove__id_span a;
    grove__id_span b;
    bool is_held = grove__ids_at(ids, clock, &a) && grove__ids_at(ids, other, &b);
    GROVE_ASSERT(is_held);
    return grove__ids_compare(ids, a.replica, a.sequence, b.replica, b.sequence) < 0;
}

void grove__walking_init(grove__walking *work, grove_document *document, grove__txn *txn,
                         grove__merge *merge)
{
    *work = (grove__walking){.document = document, .txn = txn, .merge = merge};
    grove__operation_list_init(&work->operations, document);
    grove_buffer_init(&work->edits, document->allocator);
    grove_buffer_init(&work->stamps, document->allocator);
}

void grove__walking_release(grove__walking *work)
{
    grove__operation_list_release(&work->operations);
    grove_buffer_release(&work->edits);
    grove_buffer_release(&work->stamps);
}

/* --- where the walker looks from --- */

grove__frontier grove__walking_version(const grove__merge *merge)
{
    return (grove__frontier){(const uint64_t *)(const void *)merge->version.data,
                             merge->version.size / sizeof(uint64_t)};
}

static grove_status set_version(grove__merge *merge, uint64_t clock,
                                grove_error *error_out)
{
    grove_buffer_reset(&merge->version);
    grove_buffer_append(&merge->version, &clock, sizeof clock);
    return merge->version.failed ? grove__fail_memory(error_out) : GROVE_OK;
}

/* Empties the walker at a critical clock. */
grove_status grove__walking_begin(grove__walking *work, uint64_t base,
                                  grove_error *error_out)
{
    grove__merge *merge = work->merge;
    const grove_document_type *type = work->document->type;
    merge->is_warm = false;
    grove_status status = GROVE_OK;
    if (merge->walker == NULL) {
        grove_id_order order = {&work->document->graph.ids, is_before};
        status = type->merge->walker_new(type, work->document->allocator, order,
                                         &merge->walker);
    }
    if (status == GROVE_OK) {
        status = type->merge->walker_clear(type, merge->walker, base);
    }
    if (status != GROVE_OK) {
        return grove__fail_memory(error_out);
    }
    merge->base = base;
    merge->end = base;
    grove_buffer_reset(&merge->version);
    return base == 0 ? GROVE_OK : set_version(merge, base - 1, error_out);
}

/* Takes events out of the version that the walker looks from, and others in. */
grove_status grove__walking_move(grove__walking *work, grove__ranges leave,
                                 grove__ranges enter, grove_error *error_out)
{
    const grove_document_type *type = work->document->type;
    void *walker = work->merge->walker;
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < leave.count; index++) {
        status = type->merge->walker_retreat(type, walker, leave.items[index].from,
                                             leave.items[index].end, error_out);
    }
    for (size_t index = 0; status == GROVE_OK && index < enter.count; index++) {
        status = type->merge->walker_advance(type, walker, enter.items[index].from,
                                             enter.items[index].end, error_out);
    }
    return status;
}

/* Makes that version the one of an event's parents. */
static grove_status move_to_parents(grove__walking *work, uint64_t clock,
                                    grove_error *error_out)
{
    uint64_t before;
    grove__ranges leave;
    grove__ranges enter;
    grove__frontier parents =
        grove__graph_parents(&work->document->graph, clock, &before);
    grove_status status =
        grove__difference_find(&work->document->walk, grove__walking_version(work->merge),
                               parents, &leave, &enter, error_out);
    return status == GROVE_OK ? grove__walking_move(work, leave, enter, error_out)
                              : status;
}

/* --- events --- */

/* Brings together the operations from clock `from` on: stored ones, those of
 * the job, and unsaved ones. */
grove_status grove__walking_gather(grove__walking *work, uint64_t from,
                                   grove_error *error_out)
{
    grove_document *document = work->document;
    grove__operation_list *list = &work->operations;
    const grove__merge_job *job = work->job;
    grove_status status = GROVE_OK;
    if (from < job->from) {
        uint64_t end = grove__min_u64(job->events_clock, job->from);
        status = grove__operation_list_read(list, document, work->txn, from, end, false,
                                            error_out);
    }
    if (status == GROVE_OK) {
        status = grove__operation_list_add(list, job->events, job->events_clock, from,
                                           job->end, error_out);
    }
    if (status == GROVE_OK && job->end < document->graph.end) {
        status = grove__operation_list_add(list, &document->unsaved, job->end, job->end,
                                           document->graph.end, error_out);
    }
    return status;
}

grove_status grove__walking_misfit(const grove__walking *work, grove_error *error_out)
{
    return grove__fail(error_out, work->job->misfit,
                       "an operation does not fit what was there when it was made");
}

/* Applies a chain of events, from the version of its parents; silently when
 * `edits` is NULL. */
static grove_status walk_chain(grove__walking *work, grove__range chain,
                               grove_buffer *edits, grove_error *error_out)
{
    const grove_document_type *type = work->document->type;
    grove_status status = GROVE_OK;
    for (uint64_t clock = chain.from; status == GROVE_OK && clock < chain.end;) {
        grove_operation operation =
            grove__operation_list_get(&work->operations, clock, chain.end);
        status = type->merge->walker_apply(type, work->merge->walker, clock, &operation,
                                           edits, error_out);
        clock += operation.count;
    }
    return status == GROVE_CORRUPT && edits != NULL
               ? grove__walking_misfit(work, error_out)
               : status;
}

/*
 * Applies events, those of `merged` with edits and before them the others. They
 * are all that come after the walker's base, or, when it `goes_on`, after what
 * it holds.
 */
grove_status grove__walking_ranges(grove__walking *work, grove__ranges events,
                                   grove__range merged, bool goes_on,
                                   grove_error *error_out)
{
    grove__plan *plan = &work->merge->plan;
    grove__plan_step step;
    grove_status status =
        grove__plan_begin(plan, &work->document->graph, events, merged, error_out);
    uint64_t steps = plan->steps + work->document->walk.steps;
    bool is_foreign = work->job != NULL && work->job->misfit == GROVE_MALFORMED;
    while (status == GROVE_OK) {
        status = grove__plan_next(plan, &step, error_out);
        if (status == GROVE_NONE) {
            break;
        }
        if (is_foreign &&
            plan->steps + work->document->walk.steps - steps > GROVE_IMPORT_STEPS_MAX) {
            return grove__fail(error_out, GROVE_LIMIT,
                               "the events' graph is one that cannot be merged in good "
                               "time");
        }
        if (status == GROVE_OK) {
            status = goes_on
                         ? move_to_parents(work, step.events.from, error_out)
                         : grove__walking_move(work, step.leave, step.enter, error_out);
        }
        if (status == GROVE_OK) {
            status = walk_chain(work, step.events, step.is_new ? &work->edits : NULL,
                                error_out);
        }
        if (status == GROVE_OK) {
            status = set_version(work->merge, step.events.end - 1, error_out);
        }
    }
    return status == GROVE_NONE ? GROVE_OK : status;
}

/* The same for one range, at the end of which the walker then is. */
grove_status grove__walking_events(grove__walking *work, grove__range events,
                                   grove__range merged, bool goes_on,
                                   grove_error *error_out)
{
    /* Cut where known and new events meet, so that no chain is of both. */
    uint64_t cuts[] = {events.from, grove__max_u64(events.from, merged.from),
                       grove__max_u64(events.from, merged.end), events.end};
    grove__range parts[3];
    size_t count = 0;
    for (size_t index = 0; index < 3; index++) {
        grove__range part = {cuts[index], grove__min_u64(cuts[index + 1], events.end)};
        if (part.from < part.end) {
            parts[count++] = part;
        }
    }
    work->merge->end = grove__max_u64(work->merge->end, events.end);
    return grove__walking_ranges(work, (grove__ranges){parts, count}, merged, goes_on,
                                 error_out);
}

/* Makes edits of operations as they are: nothing is concurrent with them. */
grove_status grove__walking_copy(grove__walking *work, uint64_t from, uint64_t end,
                                 grove_error *error_out)
{
    while (from < end) {
        grove_operation operation =
            grove__operation_list_get(&work->operations, from, end);
        grove_buffer_append(&work->edits, &operation, sizeof operation);
        from += operation.count;
    }
    return work->edits.failed ? grove__fail_memory(error_out) : GROVE_OK;
}

/* --- where to begin --- */

/* 1 + the least clock of a parent that the job's events have before them. */
uint64_t grove__walking_reach(const grove__graph *graph, const grove__merge_job *job)
{
    uint64_t reach = job->bound;
    for (size_t run = grove__graph_find(graph, job->from); run < graph->run_count;
         run++) {
        grove__graph_view view = grove__graph_run_at(graph, run);
        if (view.from < job->from) {
            reach = grove__min_u64(reach, job->from);
        } else {
            uint64_t least = view.parents.count == 0 ? 0 : view.parents.clocks[0] + 1;
            reach = grove__min_u64(reach, least);
        }
    }
    return reach;
}

/* Finds the critical clocks from the newest one at or before the job's events
 * on, the base; takes older events into the graph if it has to. */
grove_status grove__walking_base(grove__walking *work, uint64_t *base_out,
                                 grove_error *error_out)
{
    grove_document *document = work->document;
    const grove__range_list *critical = &work->merge->critical;
    grove_status status = GROVE_HISTORY_REMOVED;
    while (status == GROVE_HISTORY_REMOVED) {
        status =
            grove__critical_since(&document->graph, work->job->from, work->job->bound,
                                  document->allocator, &work->merge->critical, error_out);
        if (status == GROVE_HISTORY_REMOVED) {
            grove_status deeper =
                grove__document_deepen(document, work->txn, document->graph.base - 1,
                                       document->graph.end, error_out);
            if (deeper != GROVE_OK) {
                return deeper;
            }
        }
    }
    if (status != GROVE_OK) {
        return status;
    }
    uint64_t base = grove__min_u64(work->job->from, critical->items[0].end - 1);
    if (base < document->meta.base_clock) {
        return grove__fail(error_out, GROVE_HISTORY_REMOVED,
                           "events from clock %llu on are needed, and a compaction "
                           "removed them",
                           (unsigned long long)base);
    }
    *base_out = base;
    return GROVE_OK;
}
