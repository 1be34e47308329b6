#include "document/stamps.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"

grove_status grove__stamps_add(const grove_document *document, uint64_t from,
                               uint64_t end, grove_buffer *runs, grove_error *error_out)
{
    const grove__graph *graph = &document->graph;
    grove__id_span ids;
    if (!grove__document_is_timed(document) || from == end) {
        return GROVE_OK;
    }
    size_t run = grove__graph_find(graph, from);
    bool is_held = grove__ids_at(&graph->ids, from, &ids);
    while (from < end) {
        GROVE_ASSERT(is_held);
        grove__graph_view view = grove__graph_run_at(graph, run);
        uint64_t ids_end = ids.clock + ids.count;
        uint64_t until = grove__min_u64(grove__min_u64(view.end, ids_end), end);
        until = grove__min_u64(until, from + UINT32_MAX);
        grove_stamp_run stamps = {
            .replica = grove__ids_name(&graph->ids, ids.replica),
            .sequence = ids.sequence + (from - ids.clock),
            .time = view.time + (from - view.from),
            .count = (uint32_t)(until - from),
        };
        grove_buffer_append(runs, &stamps, sizeof stamps);
        from = until;
        run += from == view.end ? 1 : 0;
        is_held = from < ids_end || grove__ids_next(&graph->ids, &ids);
    }
    return runs->failed ? grove__fail_memory(error_out) : GROVE_OK;
}

grove_stamps grove__stamps_view(const grove_buffer *runs)
{
    return (grove_stamps){(const grove_stamp_run *)(const void *)runs->data,
                          runs->size / sizeof(grove_stamp_run)};
}

grove_status grove__stamps_check(const grove_document *document, uint64_t clock,
                                 uint64_t time, grove_error *error_out)
{
    uint64_t held = grove__graph_time(&document->graph, clock);
    /* Each event on the way to it is one before it. */
    if (time == 0 || time > clock + 1 || (held != 0 && held != time)) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "the event at clock %llu is said to have the Lamport time "
                           "%llu, which it has not",
                           (unsigned long long)clock, (unsigned long long)time);
    }
    return GROVE_OK;
}

uint64_t grove__stamps_said(const grove__events *events, const grove_event_id *id)
{
    const grove__parent_run *run = &events->parent_runs[0];
    for (uint32_t index = 0; events->count > 0 && index < run->count; index++) {
        const grove__parent *parent = &events->parents[run->first + index];
        if (parent->replica != GROVE__PARENT_INSIDE && parent->sequence == id->sequence &&
            grove__replica_equal(&events->replicas[parent->replica], &id->replica)) {
            return parent->time;
        }
    }
    return 0;
}

uint64_t grove__stamps_lacking(const grove_document *document, const uint64_t *clocks,
                               size_t count)
{
    uint64_t least = UINT64_MAX;
    for (size_t index = 0; grove__document_is_timed(document) && index < count; index++) {
        if (grove__graph_time(&document->graph, clocks[index]) == 0) {
            least = grove__min_u64(least, clocks[index]);
        }
    }
    return least;
}

grove_status grove__stamps_deepen(grove_document *document, grove__txn *txn,
                                  uint64_t clock, grove_error *error_out)
{
    /* Of the event before the base clock the first batch says it. */
    uint64_t target = grove__max_u64(clock, document->meta.base_clock);
    return grove__document_deepen(document, txn, target, document->graph.end, error_out);
}

grove_status grove__stamps_time(grove_document *document, grove__txn *txn, uint64_t clock,
                                uint64_t *time_out, grove_error *error_out)
{
    grove_status status = GROVE_OK;
    if (grove__stamps_lacking(document, &clock, 1) != UINT64_MAX) {
        status = grove__stamps_deepen(document, txn, clock, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    uint64_t time = grove__graph_time(&document->graph, clock);
    if (time == 0) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "the batches do not say what Lamport time the event at clock "
                           "%llu has",
                           (unsigned long long)clock);
    }
    *time_out = time;
    return GROVE_OK;
}
