#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "document/stamps.h"
#include "document/walking.h"
#include "graph/critical.h"

/* Looking for a newer base pays from so many events on; and a walker that
 * holds so many bytes is given up when its merge is done. */
enum { SEARCH_EVENTS = 1 << 16, WALKER_BYTES_MAX = 1 << 26 };

void grove__merge_init(grove__merge *merge, const grove_allocator *allocator)
{
    *merge =
        (grove__merge){.search_events = SEARCH_EVENTS, .state_clock = GROVE__NO_SNAPSHOT};
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

/* Whether the walker can go on from where it is (G1), with events that are
 * still stored. */
static bool can_go_on(const grove__walking *work)
{
    const grove__merge *merge = work->merge;
    return merge->is_warm && merge->end <= work->job->from &&
           merge->end >= work->document->meta.base_clock &&
           merge->base <= grove__walking_reach(&work->document->graph, work->job);
}

/* Goes on with a warm walker: all of the job's events are one zone. */
static grove_status merge_warm(grove__walking *work, grove_error *error_out)
{
    grove__range events = {work->merge->end, work->document->graph.end};
    grove__range merged = {work->job->from, work->job->end};
    work->merge->is_warm = false;
    grove_status status = grove__walking_gather(work, events.from, error_out);
    return status == GROVE_OK
               ? grove__walking_events(work, events, merged, true, error_out)
               : status;
}

/* Merges the job's events together with all since the newest critical clock at
 * or before them, up to `end`: the first zone, of which some is known. */
static grove_status merge_first_zone(grove__walking *work, uint64_t base, uint64_t end,
                                     grove_error *error_out)
{
    grove__range merged = {work->job->from, grove__min_u64(work->job->end, end)};
    grove_status status = grove__walking_begin(work, base, error_out);
    return status == GROVE_OK ? grove__walking_events(work, (grove__range){base, end},
                                                      merged, false, error_out)
                              : status;
}

/* Merges the job's events from `clock` on, which is critical, zone by zone. */
static grove_status merge_zones(grove__walking *work, uint64_t clock,
                                grove_error *error_out)
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
            status = grove__walking_copy(work, clock, last, error_out);
            clock = last;
            continue;
        }
        bool is_last = at + 1 == critical->count;
        uint64_t next = is_last ? end : grove__min_u64(critical->items[at + 1].from, end);
        grove__range zone = {clock, next};
        status = grove__walking_begin(work, clock, error_out);
        if (status == GROVE_OK) {
            status = grove__walking_events(work, zone, zone, false, error_out);
        }
        clock = next;
    }
    return status;
}

/* Merges with an empty walker, from the newest critical clock on. */
static grove_status merge_cold(grove__walking *work, grove_error *error_out)
{
    const grove__merge_job *job = work->job;
    const grove__range_list *critical = &work->merge->critical;
    uint64_t graph_end = work->document->graph.end;
    uint64_t base = 0;
    grove_status status = grove__walking_base(work, &base, error_out);
    if (status == GROVE_OK) {
        status = grove__walking_gather(work, base, error_out);
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
static grove_status take_edits(grove__walking *work, grove_error *error_out)
{
    grove_document *document = work->document;
    grove_operations edits = {(const grove_operation *)(const void *)work->edits.data,
                              work->edits.size / sizeof(grove_operation)};
    grove_status status =
        document->type->state_apply(document->type, document->state, edits,
                                    grove__stamps_view(&work->stamps), error_out);
    if (status == GROVE_OK) {
        grove__document_report(document, edits);
    } else if (status == GROVE_CORRUPT) {
        status = grove__walking_misfit(work, error_out);
    } else if (edits.count > 1) {
        /* Some of the edits may be in the state (D4). */
        document->failed = true;
    }
    return status;
}

/* Whether to go on with the walker as it is. Looks for a newer base when it
 * holds many events: one beyond them all is better. */
static bool choose_walker(grove__walking *work)
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

grove_status grove__document_check_reach(const grove_document *document, uint64_t reach,
                                         grove_error *error_out)
{
    if (grove__document_reaches_back(document) && reach < document->meta.base_clock) {
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
    grove__walking work;
    grove_status status = grove__document_check_reach(
        document, grove__walking_reach(&document->graph, job), error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__walking_init(&work, document, txn, merge);
    work.job = job;
    if (!merge->is_warm && merge->state_clock != GROVE__NO_SNAPSHOT) {
        grove__merge_state_restore(&work);
    }
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
    grove__walking_release(&work);
    return status;
}

/* Reads the operations of events that are to come into the state. */
static grove_status read_ranges(grove__walking *work, grove__ranges events,
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
static grove_status copy_ranges(grove__walking *work, grove__ranges events,
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
        status = grove__walking_copy(work, events.items[index].from,
                                     events.items[index].end, error_out);
        if (status == GROVE_OK) {
            status = grove__stamps_add(work->document, events.items[index].from,
                                       events.items[index].end, &work->stamps, error_out);
        }
    }
    return status;
}

/* Walks all events from a critical clock to `known`, silently, and then those
 * of the ranges. */
static grove_status merge_known(grove__walking *work, uint64_t base, uint64_t known,
                                grove__ranges events, grove_error *error_out)
{
    grove__range_list all = {NULL, 0, 0};
    const grove_allocator *allocator = work->document->allocator;
    bool is_listed = grove__range_list_append(&all, allocator, base, known);
    for (size_t index = 0; is_listed && index < events.count; index++) {
        is_listed = grove__range_list_append(&all, allocator, events.items[index].from,
                                             events.items[index].end);
    }
    grove_status status = is_listed ? grove__walking_begin(work, base, error_out)
                                    : grove__fail_memory(error_out);
    if (status == GROVE_OK) {
        status =
            grove__walking_ranges(work, grove__range_list_view(&all),
                                  (grove__range){known, UINT64_MAX}, false, error_out);
    }
    grove__range_list_release(&all, allocator);
    return status;
}

grove_status grove__document_merge_ranges(grove_document *document, grove__txn *txn,
                                          uint64_t known, grove__ranges events,
                                          grove_error *error_out)
{
    grove__walking work;
    grove__merge_job job = {
        .from = known, .end = known, .bound = UINT64_MAX, .misfit = GROVE_CORRUPT};
    grove__walking_init(&work, document, txn, &document->merge);
    work.job = &job;
    bool merges = document->type->merge != NULL;
    uint64_t base = known;
    grove_status status =
        merges ? grove__walking_base(&work, &base, error_out) : GROVE_OK;
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
    grove__walking_release(&work);
    return status;
}

grove_status grove__document_walk_all(grove_document *document, grove__txn *txn,
                                      uint64_t base, grove__merge *merge,
                                      grove_error *error_out)
{
    grove__walking work;
    uint64_t stored = document->stored;
    grove__walking_init(&work, document, txn, merge);
    grove_status status = grove__operation_list_read(&work.operations, document, txn,
                                                     base, stored, false, error_out);
    if (status == GROVE_OK) {
        status = grove__operation_list_add(&work.operations, &document->unsaved, stored,
                                           stored, document->graph.end, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__walking_begin(&work, base, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__walking_events(&work, (grove__range){base, document->graph.end},
                                       (grove__range){0, 0}, false, error_out);
    }
    grove__walking_release(&work);
    return status;
}
