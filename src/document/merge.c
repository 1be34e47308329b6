#include "base/alloc.h"
#include "base/assert.h"
#include "base/checked.h"
#include "base/error.h"
#include "document/operations.h"
#include "graph/critical.h"
#include "graph/difference.h"

/* Looking for a newer base pays from so many events on; and a walker that
 * holds so many bytes is given up when its merge is done. */
enum { SEARCH_EVENTS = 1 << 16, WALKER_BYTES_MAX = 1 << 26 };

typedef struct merge_work {
    grove_document *document;
    grove__txn *txn;
    const grove__merge_job *job;
    grove__merge *merge;
    grove__operation_list operations;
    grove_buffer edits; /* grove_operation records, for the state */
} merge_work;

void grove__merge_init(grove__merge *merge, const grove_allocator *allocator)
{
    *merge = (grove__merge){.search_events = SEARCH_EVENTS};
    grove_buffer_init(&merge->version, allocator);
    grove__plan_init(&merge->plan, allocator);
}

static void free_walker(grove__merge *merge, const grove_document_type *type)
{
    if (merge->walker != NULL) {
        type->merge->walker_free(type, merge->walker);
        merge->walker = NULL;
    }
    merge->is_warm = false;
}

void grove__merge_release(grove__merge *merge, const grove_document_type *type)
{
    const grove_allocator *allocator = merge->version.allocator;
    free_walker(merge, type);
    grove_buffer_release(&merge->version);
    grove__plan_release(&merge->plan);
    grove__range_list_release(&merge->critical, allocator);
}

static bool is_before(const void *context, uint64_t clock, uint64_t other)
{
    const grove__ids *ids = context;
    grove__id_span a;
    grove__id_span b;
    bool is_held = grove__ids_at(ids, clock, &a) && grove__ids_at(ids, other, &b);
    GROVE_ASSERT(is_held);
    return grove__ids_compare(ids, a.replica, a.sequence, b.replica, b.sequence) < 0;
}

/* --- where the walker looks from --- */

static grove__frontier version_of(const grove__merge *merge)
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
static grove_status begin_at(merge_work *work, uint64_t base, grove_error *error_out)
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
static grove_status move(merge_work *work, grove__ranges leave, grove__ranges enter,
                         grove_error *error_out)
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
static grove_status move_to_parents(merge_work *work, uint64_t clock,
                                    grove_error *error_out)
{
    uint64_t before;
    grove__ranges leave;
    grove__ranges enter;
    grove__frontier parents =
        grove__graph_parents(&work->document->graph, clock, &before);
    grove_status status =
        grove__difference_find(&work->document->walk, version_of(work->merge), parents,
                               &leave, &enter, error_out);
    return status == GROVE_OK ? move(work, leave, enter, error_out) : status;
}

/* --- events --- */

/* Brings together the operations from clock `from` on: stored ones, those of
 * the job, and unsaved ones. */
static grove_status gather(merge_work *work, uint64_t from, grove_error *error_out)
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

static grove_status fail_misfit(const merge_work *work, grove_error *error_out)
{
    return grove__fail(error_out, work->job->misfit,
                       "an operation does not fit what was there when it was made");
}

/* Applies a chain of events, from the version of its parents; silently when
 * `edits` is NULL. */
static grove_status walk_chain(merge_work *work, grove__range chain, grove_buffer *edits,
                               grove_error *error_out)
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
    return status == GROVE_CORRUPT && edits != NULL ? fail_misfit(work, error_out)
                                                    : status;
}

/*
 * Applies events, those of `merged` with edits and before them the others. They
 * are all that come after the walker's base, or, when it `goes_on`, after what
 * it holds.
 */
static grove_status walk_ranges(merge_work *work, grove__ranges events,
                                grove__range merged, bool goes_on, grove_error *error_out)
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
            status = goes_on ? move_to_parents(work, step.events.from, error_out)
                             : move(work, step.leave, step.enter, error_out);
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
static grove_status walk_events(merge_work *work, grove__range events,
                                grove__range merged, bool goes_on, grove_error *error_out)
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
    return walk_ranges(work, (grove__ranges){parts, count}, merged, goes_on, error_out);
}

/* Makes edits of operations as they are: nothing is concurrent with them. */
static grove_status copy_events(merge_work *work, uint64_t from, uint64_t end,
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

/* --- the plan --- */

/* 1 + the least clock of a parent that the job's events have before them. */
static uint64_t find_reach(const grove__graph *graph, const grove__merge_job *job)
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

/* Whether the walker can go on from where it is (G1), with events that are
 * still stored. */
static bool can_go_on(const merge_work *work)
{
    const grove__merge *merge = work->merge;
    return merge->is_warm && merge->end <= work->job->from &&
           merge->end >= work->document->meta.base_clock &&
           merge->base <= find_reach(&work->document->graph, work->job);
}

/* Finds the critical clocks from the newest one at or before the job's events
 * on, the base; takes older events into the graph if it has to. */
static grove_status find_base(merge_work *work, uint64_t *base_out,
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

/* Goes on with a warm walker: all of the job's events are one zone. */
static grove_status merge_warm(merge_work *work, grove_error *error_out)
{
    grove__range events = {work->merge->end, work->document->graph.end};
    grove__range merged = {work->job->from, work->job->end};
    work->merge->is_warm = false;
    grove_status status = gather(work, events.from, error_out);
    return status == GROVE_OK ? walk_events(work, events, merged, true, error_out)
                              : status;
}

/* Merges the job's events together with all since the newest critical clock at
 * or before them, up to `end`: the first zone, of which some is known. */
static grove_status merge_first_zone(merge_work *work, uint64_t base, uint64_t end,
                                     grove_error *error_out)
{
    grove__range merged = {work->job->from, grove__min_u64(work->job->end, end)};
    grove_status status = begin_at(work, base, error_out);
    return status == GROVE_OK
               ? walk_events(work, (grove__range){base, end}, merged, false, error_out)
               : status;
}

/* Merges the job's events from `clock` on, which is critical, zone by zone. */
static grove_status merge_zones(merge_work *work, uint64_t clock, grove_error *error_out)
{
    const grove__range_list *critical = &work->merge->critical;
    uint64_t end = work->job->end;
    grove_status status = GROVE_OK;
    size_t at = 0;
    while (status == GROVE_OK && clock < end) {
        while (critical->items[at].end <= clock) {
            at++;
        }
        uint64_t last = grove__min_u64(critical->items[at].end - 1, end);
        if (clock < last) {
            status = copy_events(work, clock, last, error_out);
            clock = last;
            continue;
        }
        bool is_last = at + 1 == critical->count;
        uint64_t next = is_last ? end : grove__min_u64(critical->items[at + 1].from, end);
        grove__range zone = {clock, next};
        status = begin_at(work, clock, error_out);
        if (status == GROVE_OK) {
            status = walk_events(work, zone, zone, false, error_out);
        }
        clock = next;
    }
    return status;
}

/* Merges with an empty walker, from the newest critical clock on. */
static grove_status merge_cold(merge_work *work, grove_error *error_out)
{
    const grove__merge_job *job = work->job;
    const grove__range_list *critical = &work->merge->critical;
    uint64_t graph_end = work->document->graph.end;
    uint64_t base = 0;
    grove_status status = find_base(work, &base, error_out);
    if (status == GROVE_OK) {
        status = gather(work, base, error_out);
    }
    uint64_t clock = job->from;
    if (status == GROVE_OK && (base < job->from || job->end < graph_end)) {
        clock = graph_end;
        if (job->end == graph_end && critical->count > 1) {
            clock = critical->items[1].from;
        }
        status = merge_first_zone(work, base, clock, error_out);
    }
    return status == GROVE_OK && clock < job->end ? merge_zones(work, clock, error_out)
                                                  : status;
}

void grove__document_report(grove_document *document, grove_operations operations)
{
    for (size_t index = 0; document->merge.on_edit != NULL && index < operations.count;
         index++) {
        document->merge.on_edit(document, &operations.items[index]);
    }
}

/* The state takes the edits; who listens is told. */
static grove_status take_edits(merge_work *work, grove_error *error_out)
{
    grove_document *document = work->document;
    grove_operations edits = {(const grove_operation *)(const void *)work->edits.data,
                              work->edits.size / sizeof(grove_operation)};
    grove_status status =
        document->type->state_apply(document->type, document->state, edits, error_out);
    if (status == GROVE_OK) {
        grove__document_report(document, edits);
    } else if (status == GROVE_CORRUPT) {
        status = fail_misfit(work, error_out);
    } else if (edits.count > 1) {
        /* Some of the edits may be in the state (D4). */
        document->failed = true;
    }
    return status;
}

/* Whether to go on with the walker as it is. Looks for a newer base when it
 * holds many events: one beyond them all is better. */
static bool choose_walker(merge_work *work)
{
    grove__merge *merge = work->merge;
    const grove__merge_job *job = work->job;
    if (!can_go_on(work) || job->end - merge->base < merge->search_events) {
        return can_go_on(work);
    }
    merge->search_events = 2 * (job->end - merge->base);
    grove_status status =
        grove__critical_since(&work->document->graph, job->from, job->bound,
                              work->document->allocator, &merge->critical, NULL);
    return status != GROVE_OK ||
           grove__min_u64(job->from, merge->critical.items[0].end - 1) < merge->end;
}

static void init_work(merge_work *work, grove_document *document, grove__txn *txn,
                      grove__merge *merge)
{
    *work = (merge_work){.document = document, .txn = txn, .merge = merge};
    grove__operation_list_init(&work->operations, document);
    grove_buffer_init(&work->edits, document->allocator);
}

static void release_work(merge_work *work)
{
    grove__operation_list_release(&work->operations);
    grove_buffer_release(&work->edits);
}

grove_status grove__document_check_reach(const grove_document *document, uint64_t reach,
                                         grove_error *error_out)
{
    if (document->type->merge != NULL && reach < document->meta.base_clock) {
        return grove__fail(error_out, GROVE_HISTORY_REMOVED,
                           "events go on from before clock %llu, and what was there "
                           "was removed by a compaction",
                           (unsigned long long)document->meta.base_clock);
    }
    return GROVE_OK;
}

grove_status grove__document_merge(grove_document *document, grove__txn *txn,
                                   const grove__merge_job *job, grove_error *error_out)
{
    grove__merge *merge = &document->merge;
    merge_work work;
    grove_status status = grove__document_check_reach(
        document, find_reach(&document->graph, job), error_out);
    if (status != GROVE_OK) {
        return status;
    }
    init_work(&work, document, txn, merge);
    work.job = job;
    if (choose_walker(&work)) {
        status = merge_warm(&work, error_out);
    } else {
        merge->is_warm = false;
        merge->end = 0;
        merge->search_events = SEARCH_EVENTS;
        status = merge_cold(&work, error_out);
    }
    if (status == GROVE_OK) {
        status = take_edits(&work, error_out);
    }
    merge->is_warm = status == GROVE_OK && merge->end == document->graph.end;
    if (merge->walker != NULL && document->type->merge->walker_bytes(
                                     document->type, merge->walker) > WALKER_BYTES_MAX) {
        free_walker(merge, document->type);
    }
    release_work(&work);
    return status;
}

/* Reads the operations of events that are to come into the state. */
static grove_status read_ranges(merge_work *work, grove__ranges events,
                                grove_error *error_out)
{
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < events.count; index++) {
        status = grove__operation_list_read(&work->operations, work->document, work->txn,
                                            events.items[index].from,
                                            events.items[index].end, true, error_out);
    }
    return status;
}

/* Makes edits of them as they are, for types that take any order. */
static grove_status copy_ranges(merge_work *work, grove__ranges events,
                                grove_error *error_out)
{
    grove_status status = GROVE_OK;
    if ((work->document->type->capabilities & GROVE_TYPE_CONCURRENT) == 0) {
        return grove__fail(error_out, GROVE_UNSUPPORTED,
                           "such a version needs merging, which documents of type %s "
                           "cannot do",
                           work->document->type->name);
    }
    for (size_t index = 0; status == GROVE_OK && index < events.count; index++) {
        status = copy_events(work, events.items[index].from, events.items[index].end,
                             error_out);
    }
    return status;
}

/* Walks all events from a critical clock to `known`, silently, and then those
 * of the ranges. */
static grove_status merge_known(merge_work *work, uint64_t base, uint64_t known,
                                grove__ranges events, grove_error *error_out)
{
    grove__range_list all = {NULL, 0, 0};
    const grove_allocator *allocator = work->document->allocator;
    bool is_listed = grove__range_list_append(&all, allocator, base, known);
    for (size_t index = 0; is_listed && index < events.count; index++) {
        is_listed = grove__range_list_append(&all, allocator, events.items[index].from,
                                             events.items[index].end);
    }
    grove_status status =
        is_listed ? begin_at(work, base, error_out) : grove__fail_memory(error_out);
    if (status == GROVE_OK) {
        status = walk_ranges(work, grove__range_list_view(&all),
                             (grove__range){known, UINT64_MAX}, false, error_out);
    }
    grove__range_list_release(&all, allocator);
    return status;
}

grove_status grove__document_merge_ranges(grove_document *document, grove__txn *txn,
                                          uint64_t known, grove__ranges events,
                                          grove_error *error_out)
{
    merge_work work;
    grove__merge_job job = {
        .from = known, .end = known, .bound = UINT64_MAX, .misfit = GROVE_CORRUPT};
    init_work(&work, document, txn, &document->merge);
    work.job = &job;
    bool merges = document->type->merge != NULL;
    uint64_t base = known;
    grove_status status = merges ? find_base(&work, &base, error_out) : GROVE_OK;
    if (status == GROVE_OK && merges) {
        status = grove__operation_list_read(&work.operations, document, txn, base, known,
                                            false, error_out);
    }
    if (status == GROVE_OK) {
        status = read_ranges(&work, events, error_out);
    }
    if (status == GROVE_OK) {
        status = merges ? merge_known(&work, base, known, events, error_out)
                        : copy_ranges(&work, events, error_out);
    }
    if (status == GROVE_OK) {
        status = take_edits(&work, error_out);
    }
    release_work(&work);
    return status;
}

grove_status grove__document_walk_all(grove_document *document, grove__txn *txn,
                                      uint64_t base, grove__merge *merge,
                                      grove_error *error_out)
{
    merge_work work;
    uint64_t stored = document->stored;
    init_work(&work, document, txn, merge);
    grove_status status = grove__operation_list_read(&work.operations, document, txn,
                                                     base, stored, false, error_out);
    if (status == GROVE_OK) {
        status = grove__operation_list_add(&work.operations, &document->unsaved, stored,
                                           stored, document->graph.end, error_out);
    }
    if (status == GROVE_OK) {
        status = begin_at(&work, base, error_out);
    }
    if (status == GROVE_OK) {
        status = walk_events(&work, (grove__range){base, document->graph.end},
                             (grove__range){0, 0}, false, error_out);
    }
    release_work(&work);
    return status;
}
