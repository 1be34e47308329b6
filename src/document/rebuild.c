/*
 * Building a handle's graph anew: to reach further back, to take events out
 * again, or to get events between those that it has.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/checked.h"
#include "base/error.h"
#include "document/stamps.h"

/* The heads of the base of a graph, as records. */
static grove_status copy_base_heads(const grove__graph *graph, grove_buffer *heads,
                                    grove_error *error_out)
{
    for (size_t index = 0; index < graph->base_head_count; index++) {
        grove__head head;
        memset(&head, 0, sizeof head);
        head.clock = graph->base_heads[index];
        grove__id_span span;
        (void)grove__ids_at(&graph->ids, head.clock, &span);
        head.id.replica = *grove__ids_name(&graph->ids, span.replica);
        head.id.sequence = span.sequence;
        head.time = graph->base_head_times[index];
        grove_buffer_append(heads, &head, sizeof head);
    }
    return heads->failed ? grove__fail_memory(error_out) : GROVE_OK;
}

/* Whether the parents of an event, as far as a graph has their times, lead to
 * the time that it is said to have. */
static grove_status check_time(const grove__graph *graph, grove__frontier parents,
                               uint64_t time, grove_error *error_out)
{
    uint64_t derived = time == 0 ? 0 : grove__graph_time_after(graph, parents);
    return derived == 0 || derived == time
               ? GROVE_OK
               : grove__fail(error_out, GROVE_CORRUPT,
                             "the batches contradict each other in what Lamport time the "
                             "event at clock %llu has",
                             (unsigned long long)graph->end);
}

/* Appends the events of `from` before clock `end` to a graph that ends among
 * them. */
static grove_status copy_runs(grove__graph *to, const grove__graph *from, uint64_t end,
                              grove_error *error_out)
{
    grove_status status = GROVE_OK;
    while (status == GROVE_OK && to->end < end) {
        uint64_t clock = to->end;
        uint64_t before;
        grove__id_span span;
        (void)grove__ids_at(&from->ids, clock, &span);
        grove__graph_view run = grove__graph_run_at(from, grove__graph_find(from, clock));
        uint64_t count = grove__min_u64(span.count, grove__min_u64(run.end, end) - clock);
        grove__frontier parents = grove__graph_parents(from, clock, &before);
        uint64_t time = grove__graph_time(from, clock);
        uint32_t replica;
        status = check_time(to, parents, time, error_out);
        if (status == GROVE_OK) {
            status = grove__ids_intern(
                &to->ids, grove__ids_name(&from->ids, span.replica), &replica, error_out);
        }
        if (status == GROVE_OK) {
            status = grove__graph_append(to, replica, span.sequence, count, parents, time,
                                         error_out);
        }
    }
    return status;
}

/* A graph of the same base with the events before clock `end`. */
static grove_status copy_graph(const grove_document *document, uint64_t end,
                               grove__graph *copy_out, grove_error *error_out)
{
    const grove__graph *graph = &document->graph;
    grove__graph copy;
    grove_buffer heads;
    grove_buffer_init(&heads, document->allocator);
    grove_status status = copy_base_heads(graph, &heads, error_out);
    if (status == GROVE_OK) {
        status = grove__graph_init(&copy, document->allocator, graph->base,
                                   (const grove__head *)(const void *)heads.data,
                                   heads.size / sizeof(grove__head), error_out);
    }
    grove_buffer_release(&heads);
    if (status != GROVE_OK) {
        return status;
    }
    status = copy_runs(&copy, graph, end, error_out);
    if (status != GROVE_OK) {
        grove__graph_release(&copy);
        return status;
    }
    *copy_out = copy;
    return GROVE_OK;
}

/* --- further back --- */

/* A batch on its way into the graph. */
typedef struct batch_source {
    grove__batch_reader reader;
    grove__events events;
} batch_source;

static grove_status read_graph(grove_document *document, grove__txn *txn, uint64_t clock,
                               batch_source *source, grove_error *error_out)
{
    grove_status status =
        grove__batch_read(document, txn, clock, &source->reader, error_out);
    if (status == GROVE_OK) {
        status = grove__batch_decode(&source->reader.block, document->type,
                                     GROVE__DECODE_GRAPH, &source->events, error_out);
    }
    return status;
}

/* Begins a graph at a critical version, of which the first event of the batch
 * there names the only head as its parent. */
static grove_status begin_graph(grove_document *document, uint64_t border,
                                const grove__events *events, grove_error *error_out)
{
    grove__head head;
    memset(&head, 0, sizeof head);
    if (border > 0) {
        const grove__parent_run *run = &events->parent_runs[0];
        const grove__parent *parent = &events->parents[run->first];
        if (run->event != 0 || run->count != 1 ||
            parent->replica == GROVE__PARENT_INSIDE) {
            return grove__fail(error_out, GROVE_CORRUPT,
                               "the batch at clock %llu does not go on from the event "
                               "before, as its header says",
                               (unsigned long long)border);
        }
        head.clock = border - 1;
        head.id.replica = events->replicas[parent->replica];
        head.id.sequence = parent->sequence;
        head.time = parent->time;
    }
    return grove__graph_init(&document->graph, document->allocator, border, &head,
                             border > 0 ? 1 : 0, error_out);
}

/* Takes the stored events from the graph's end to `end` into it, of which the
 * first batch was read. */
static grove_status add_stored(grove_document *document, grove__txn *txn, uint64_t clock,
                               uint64_t end, batch_source *source, grove_error *error_out)
{
    grove_status status = GROVE_OK;
    for (;;) {
        uint64_t until = grove__min_u64(clock + source->events.count, end);
        if (until <= document->graph.end) {
            return grove__fail(error_out, GROVE_CORRUPT,
                               "a batch is missing at clock %llu",
                               (unsigned long long)document->graph.end);
        }
        grove__list_part part = {&source->events, clock,
                                 (uint32_t)(document->graph.end - clock),
                                 (uint32_t)(until - clock)};
        status = grove__document_add_list(document, txn, &part, error_out);
        if (status != GROVE_OK || document->graph.end == end) {
            return status;
        }
        status = grove__batch_find(document, txn, document->graph.end, &clock, error_out);
        if (status == GROVE_OK) {
            status = read_graph(document, txn, clock, source, error_out);
        }
        if (status != GROVE_OK) {
            return status;
        }
    }
}

/* 1 + the least clock before the graph's base that matters: a head, or an
 * event's parent. */
static uint64_t find_bound(const grove__graph *graph)
{
    uint64_t bound = grove__graph_least_head(graph);
    bound = bound == UINT64_MAX ? bound : bound + 1;
    for (size_t run = 0; run < graph->run_count; run++) {
        grove__graph_view view = grove__graph_run_at(graph, run);
        uint64_t least = view.parents.count == 0 ? 0 : view.parents.clocks[0] + 1;
        bound = grove__min_u64(bound, least);
    }
    return bound;
}

grove_status grove__document_deepen(grove_document *document, grove__txn *txn,
                                    uint64_t target, uint64_t end, grove_error *error_out)
{
    grove__graph old = document->graph;
    uint64_t border;
    batch_source source;
    grove_status status = grove__batch_border(document, txn, old.base, find_bound(&old),
                                              target, &border, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__batch_reader_init(&source.reader, document->allocator);
    grove__events_init(&source.events, document->allocator);
    document->graph = (grove__graph){.allocator = NULL};
    status = read_graph(document, txn, border, &source, error_out);
    if (status == GROVE_OK) {
        status = begin_graph(document, border, &source.events, error_out);
    }
    if (status == GROVE_OK) {
        status = add_stored(document, txn, border, old.base, &source, error_out);
    }
    if (status == GROVE_OK) {
        status = copy_runs(&document->graph, &old, end, error_out);
    }
    grove__events_release(&source.events);
    grove__batch_reader_release(&source.reader);
    if (status != GROVE_OK) {
        grove__graph_release(&document->graph);
        document->graph = old;
        return status;
    }
    grove__graph_release(&old);
    return GROVE_OK;
}

grove_status grove__document_add_stored(grove_document *document, grove__txn *txn,
                                        const grove__list_part *part,
                                        grove_error *error_out)
{
    uint64_t end = document->graph.end;
    grove_status status = grove__document_add_list(document, txn, part, error_out);
    /* Each event may need a base further back than those before it. */
    while (status == GROVE_HISTORY_REMOVED) {
        /* What was added already goes with the old graph. */
        status = grove__document_deepen(document, txn, document->walk.needed.from, end,
                                        error_out);
        if (status != GROVE_OK) {
            return status;
        }
        status = grove__document_add_list(document, txn, part, error_out);
    }
    return status;
}

grove_status grove__document_cut_graph(grove_document *document, uint64_t end,
                                       grove_error *error_out)
{
    grove__graph copy;
    grove_status status = copy_graph(document, end, &copy, error_out);
    if (status == GROVE_OK) {
        grove__graph_release(&document->graph);
        document->graph = copy;
    }
    return status;
}

grove_status grove__document_order_anew(grove_document *document, grove__txn *txn,
                                        grove__events *stored, grove__events *unsaved,
                                        grove__graph *graph_out, grove_error *error_out)
{
    grove__graph now = document->graph;
    grove__graph copy;
    grove__list_part parts[] = {
        {stored, document->stored, 0, stored->count},
        {unsaved, document->stored + stored->count, 0, unsaved->count},
    };
    grove_status status = copy_graph(document, document->stored, &copy, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    document->graph = copy;
    for (size_t index = 0; status == GROVE_OK && index < 2; index++) {
        status = grove__document_add_stored(document, txn, &parts[index], error_out);
    }
    if (status == GROVE_OK) {
        *graph_out = document->graph;
    } else {
        grove__graph_release(&document->graph);
    }
    document->graph = now;
    return status;
}
