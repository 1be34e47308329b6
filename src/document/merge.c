#include "base/alloc.h"
#include "base/assert.h"
#include "base/checked.h"
#include "base/error.h"
#include "document/document.h"
#include "graph/critical.h"
#include "graph/difference.h"

/* Looking for a newer base pays from so many events on; and a walker that
 * holds so many bytes is given up when its merge is done. */
enum { SEARCH_EVENTS = 1 << 16, WALKER_BYTES_MAX = 1 << 26 };

/* An operation with the clock of its first event. */
typedef struct placed {
    uint64_t clock;
    grove_operation operation;
} placed;

typedef struct merge_work {
    grove_document *document;
    grove__txn *txn;
    const grove__merge_job *job;
    grove__merge *merge;
    grove_buffer operations; /* placed records, ascending */
    size_t near;             /* the one that was needed last */
    grove_buffer edits;      /* grove_operation records, for the state */
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

/* --- operations --- */

/* Appends the operations of events `from` to `end` - 1, which the list has, or
 * parts of it. */
static grove_status place_operations(merge_work *work, grove__events *events,
                                     uint64_t first_clock, uint64_t from, uint64_t end,
                                     grove_error *error_out)
{
    grove_operations operations = grove__events_operations(events);
    uint64_t clock = first_clock;
    for (size_t index = 0; index < operations.count && clock < end; index++) {
        placed item = {clock, operations.items[index]};
        clock += item.operation.count;
        if (clock > from) {
            grove_buffer_append(&work->operations, &item, sizeof item);
        }
    }
    return work->operations.failed ? grove__fail_memory(error_out) : GROVE_OK;
}

/* Reads the operations of stored events, without contents. */
static grove_status read_operations(merge_work *work, uint64_t from, uint64_t end,
                                    grove_error *error_out)
{
    grove_document *document = work->document;
    grove__batch_reader reader;
    grove__events events;
    grove__batch_reader_init(&reader, document->allocator);
    grove__events_init(&events, document->allocator);
    grove_status status = GROVE_OK;
    while (status == GROVE_OK && from < end) {
        uint64_t clock = 0;
        status = grove__batch_find(document, work->txn, from, &clock, error_out);
        if (status == GROVE_OK) {
            status = grove__batch_read(document, work->txn, clock, &reader, error_out);
        }
        if (status == GROVE_OK) {
            status = grove__batch_decode(&reader.block, document->type,
                                         GROVE__DECODE_GRAPH | GROVE__DECODE_OPERATIONS,
                                         &events, error_out);
        }
        if (status == GROVE_OK && clock + events.count <= from) {
            status =
                grove__fail(error_out, GROVE_CORRUPT, "a batch is missing at clock %llu",
                            (unsigned long long)from);
        }
        if (status == GROVE_OK) {
            uint64_t until = grove__min_u64(clock + events.count, end);
            status = place_operations(work, &events, clock, from, until, error_out);
            from = until;
        }
    }
    grove__events_release(&events);
    grove__batch_reader_release(&reader);
    return status;
}

/* Brings together the operations from clock `from` on: stored ones, those of
 * the job, and unsaved ones. */
static grove_status gather(merge_work *work, uint64_t from, grove_error *error_out)
{
    grove_document *document = work->document;
    const grove__merge_job *job = work->job;
    uint64_t first = job->events_clock;
    grove_status status = GROVE_OK;
    if (from < job->from) {
        status = read_operations(work, from, grove__min_u64(first, job->from), error_out);
    }
    if (status == GROVE_OK) {
        status = place_operations(work, job->events, first, from, job->end, error_out);
    }
    if (status == GROVE_OK && job->end < document->graph.end) {
        status = place_operations(work, &document->unsaved, job->end, job->end,
                                  document->graph.end, error_out);
    }
    return status;
}

/* The operation that has the event at `clock`. */
static const placed *find_operation(merge_work *work, uint64_t clock)
{
    const placed *items = (const placed *)(const void *)work->operations.data;
    size_t count = work->operations.size / sizeof *items;
    size_t low = work->near;
    if (items[low].clock > clock ||
        clock - items[low].clock >= items[low].operation.count) {
        low++;
        if (low >= count || items[low].clock > clock ||
            clock - items[low].clock >= items[low].operation.count) {
            low = 0;
            for (size_t high = count; high - low > 1;) {
                size_t middle = low + (high - low) / 2;
                if (items[middle].clock <= clock) {
                    low = middle;
                } else {
                    high = middle;
                }
            }
        }
        work->near = low;
    }
    GROVE_ASSERT(items[low].clock <= clock &&
                 clock - items[low].clock < items[low].operation.count);
    return &items[low];
}

/* What of an operation the events from `clock` to `end` - 1 are. */
static grove_operation slice(const merge_work *work, const placed *item, uint64_t clock,
                             uint64_t end)
{
    const grove_document_type *type = work->document->type;
    grove_operation left = item->operation;
    grove_operation other;
    if (clock > item->clock) {
        grove_operation whole = left;
        type->operation_cut(type, &whole, (uint32_t)(clock - item->clock), &other, &left);
    }
    if (left.count > end - clock) {
        grove_operation whole = left;
        type->operation_cut(type, &whole, (uint32_t)(end - clock), &left, &other);
    }
    return left;
}

/* --- events --- */

/* Applies a chain of events, from the version of its parents; silently when
 * `edits` is NULL. */
static grove_status walk_chain(merge_work *work, grove__range chain, grove_buffer *edits,
                               grove_error *error_out)
{
    const grove_document_type *type = work->document->type;
    grove_status status = GROVE_OK;
    for (uint64_t clock = chain.from; status == GROVE_OK && clock < chain.end;) {
        grove_operation operation =
            slice(work, find_operation(work, clock), clock, chain.end);
        status = type->merge->walker_apply(type, work->merge->walker, clock, &operation,
                                           edits, error_out);
        clock += operation.count;
    }
    return status;
}

/*
 * Applies the events of a range, those of `merged` with edits and before them
 * the others. They are all that come after the walker's base, or, when it
 * `goes_on`, after what it holds.
 */
static grove_status walk_events(merge_work *work, grove__range events,
                                grove__range merged, bool goes_on, grove_error *error_out)
{
    grove__plan *plan = &work->merge->plan;
    grove__plan_step step;
    grove_status status = grove__plan_begin(
        plan, &work->document->graph, (grove__ranges){&events, events.from < events.end},
        merged, error_out);
    while (status == GROVE_OK) {
        status = grove__plan_next(plan, &step, error_out);
        if (status == GROVE_NONE) {
            break;
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
    work->merge->end = grove__max_u64(work->merge->end, events.end);
    return status == GROVE_NONE ? GROVE_OK : status;
}

/* Makes edits of operations as they are: nothing is concurrent with them. */
static grove_status copy_events(merge_work *work, uint64_t from, uint64_t end,
                                grove_error *error_out)
{
    while (from < end) {
        grove_operation operation = slice(work, find_operation(work, from), from, end);
        grove_buffer_append(&work->edits, &operation, sizeof operation);
        from += operation.count;
    }
    return work->edits.failed ? grove__fail_memory(error_out) : GROVE_OK;
}

/* --- the plan --- */

/* 1 + the least clock of a parent that the job's events have before them. */
static uint64_t find_reach(const merge_work *work)
{
    const grove__graph *graph = &work->document->graph;
    uint64_t reach = work->job->bound;
    for (size_t run = grove__graph_find(graph, work->job->from); run < graph->run_count;
         run++) {
        grove__graph_view view = grove__graph_run_at(graph, run);
        if (view.from < work->job->from) {
            reach = grove__min_u64(reach, work->job->from);
        } else {
            uint64_t least = view.parents.count == 0 ? 0 : view.parents.clocks[0] + 1;
            reach = grove__min_u64(reach, least);
        }
    }
    return reach;
}

/* Whether the walker can go on from where it is (G1). */
static bool can_go_on(const merge_work *work)
{
    const grove__merge *merge = work->merge;
    return merge->is_warm && merge->end <= work->job->from &&
           merge->base <= find_reach(work);
}

/* Finds the critical clocks from the newest one at or before the job's events
 * on; takes older events into the graph if it has to. */
static grove_status find_critical(merge_work *work, grove_error *error_out)
{
    grove_document *document = work->document;
    for (;;) {
        grove_status status =
            grove__critical_since(&document->graph, work->job->from, work->job->bound,
                                  document->allocator, &work->merge->critical, error_out);
        if (status != GROVE_HISTORY_REMOVED) {
            return status;
        }
        status = grove__document_deepen(document, work->txn, document->graph.base - 1,
                                        document->graph.end, error_out);
        if (status != GROVE_OK) {
            return status;
        }
    }
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
    grove_status status = find_critical(work, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    uint64_t base = grove__min_u64(job->from, critical->items[0].end - 1);
    status = gather(work, base, error_out);
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
    } else if (status != GROVE_CORRUPT && edits.count > 1) {
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

grove_status grove__document_merge(grove_document *document, grove__txn *txn,
                                   const grove__merge_job *job, grove_error *error_out)
{
    grove__merge *merge = &document->merge;
    merge_work work = {.document = document, .txn = txn, .job = job, .merge = merge};
    grove_buffer_init(&work.operations, document->allocator);
    grove_buffer_init(&work.edits, document->allocator);
    grove_status status;
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
    grove_buffer_release(&work.operations);
    grove_buffer_release(&work.edits);
    return status;
}
