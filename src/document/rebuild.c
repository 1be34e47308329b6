/*
 * Building a handle's graph anew: to reach further back, or to take in what
 * others saved before what is unsaved here.
 */
#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "document/document.h"

/* Where a graph begins: a clock and the heads there (grove__head records). */
typedef struct graph_base {
    uint64_t clock;
    grove_buffer heads;
} graph_base;

/* The base of the graph as it is. */
static grove_status current_base(const grove_document *document, graph_base *base,
                                 grove_error *error_out)
{
    const grove__graph *graph = &document->graph;
    base->clock = graph->base;
    for (size_t index = 0; index < graph->base_head_count; index++) {
        grove__head head;
        memset(&head, 0, sizeof head);
        head.clock = graph->base_heads[index];
        grove__id_span span;
        (void)grove__ids_at(&graph->ids, head.clock, &span);
        head.id.replica = *grove__ids_name(&graph->ids, span.replica);
        head.id.sequence = span.sequence;
        grove_buffer_append(&base->heads, &head, sizeof head);
    }
    return base->heads.failed ? grove__fail_memory(error_out) : GROVE_OK;
}

/* The earliest base that what is stored allows: the beginning, or where a
 * compaction ended, which was a version of one head, the event before. */
static grove_status earliest_base(grove_document *document, grove__txn *txn,
                                  graph_base *base, grove_error *error_out)
{
    base->clock = document->meta.base_clock;
    if (base->clock == 0) {
        return GROVE_OK;
    }
    grove__head head;
    memset(&head, 0, sizeof head);
    head.clock = base->clock - 1;
    grove_status status =
        grove__document_id_at(document, txn, head.clock, &head.id, error_out);
    if (status == GROVE_OK) {
        grove_buffer_append(&base->heads, &head, sizeof head);
        status = base->heads.failed ? grove__fail_memory(error_out) : GROVE_OK;
    }
    return status;
}

/* Takes the stored events from the graph's base to `stored` into it. */
static grove_status add_stored(grove_document *document, grove__txn *txn,
                               grove_error *error_out)
{
    grove__batch_reader reader;
    grove__events events;
    grove__batch_reader_init(&reader, document->allocator);
    grove__events_init(&events, document->allocator);
    grove_status status = GROVE_OK;
    while (status == GROVE_OK && document->graph.end < document->stored) {
        uint64_t clock;
        status = grove__batch_find(document, txn, document->graph.end, &clock, error_out);
        if (status == GROVE_OK) {
            status = grove__batch_read(document, txn, clock, &reader, error_out);
        }
        if (status == GROVE_OK) {
            status = grove__batch_decode(&reader.block, document->type,
                                         GROVE__DECODE_GRAPH, &events, error_out);
        }
        if (status == GROVE_OK && clock + events.count <= document->graph.end) {
            status =
                grove__fail(error_out, GROVE_CORRUPT, "a batch is missing at clock %llu",
                            (unsigned long long)document->graph.end);
        }
        if (status == GROVE_OK) {
            uint64_t end = grove__min_u64(clock + events.count, document->stored);
            grove__list_part part = {&events, clock,
                                     (uint32_t)(document->graph.end - clock),
                                     (uint32_t)(end - clock)};
            status = grove__document_add_list(document, txn, &part, error_out);
        }
    }
    grove__events_release(&events);
    grove__batch_reader_release(&reader);
    return status;
}

/* Replaces the graph by one from `base` to `stored`, or leaves it as it is. */
static grove_status replace_graph(grove_document *document, grove__txn *txn,
                                  const graph_base *base, grove_error *error_out)
{
    grove__graph old = document->graph;
    grove_status status =
        grove__graph_init(&document->graph, document->allocator, base->clock,
                          (const grove__head *)(const void *)base->heads.data,
                          base->heads.size / sizeof(grove__head), error_out);
    if (status == GROVE_OK) {
        status = add_stored(document, txn, error_out);
        if (status != GROVE_OK) {
            grove__graph_release(&document->graph);
        }
    }
    if (status != GROVE_OK) {
        document->graph = old;
        return status;
    }
    grove__graph_release(&old);
    return GROVE_OK;
}

grove_status grove__document_deepen(grove_document *document, grove__txn *txn,
                                    bool with_unsaved, grove_error *error_out)
{
    graph_base base;
    grove_buffer_init(&base.heads, document->allocator);
    grove_status status = earliest_base(document, txn, &base, error_out);
    if (status == GROVE_OK && base.clock >= document->graph.base) {
        status = grove__fail(error_out, GROVE_HISTORY_REMOVED,
                             "events before clock %llu were removed by a compaction",
                             (unsigned long long)document->graph.base);
    }
    if (status == GROVE_OK) {
        status = replace_graph(document, txn, &base, error_out);
    }
    if (status == GROVE_OK && with_unsaved) {
        grove__list_part part = {&document->unsaved, document->stored, 0,
                                 document->unsaved.count};
        status = grove__document_add_list(document, txn, &part, error_out);
        document->failed = status != GROVE_OK;
    }
    grove_buffer_release(&base.heads);
    return status;
}

grove_status grove__document_add_stored(grove_document *document, grove__txn *txn,
                                        const grove__list_part *part,
                                        grove_error *error_out)
{
    grove_status status = grove__document_add_list(document, txn, part, error_out);
    if (status != GROVE_HISTORY_REMOVED) {
        return status;
    }
    /* What was added already goes with the old graph. */
    status = grove__document_deepen(document, txn, false, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    return grove__document_add_list(document, txn, part, error_out);
}

/* Whether the store still ends, for each replica, where its unsaved events
 * begin. */
static grove_status check_replicas(grove_document *document, grove__txn *txn,
                                   grove_error *error_out)
{
    const grove__events *unsaved = &document->unsaved;
    bool *is_checked =
        grove__allocate_zeroed(document->allocator, unsaved->replica_count);
    if (is_checked == NULL) {
        return grove__fail_memory(error_out);
    }
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < unsaved->id_run_count; index++) {
        const grove__id_run *run = &unsaved->id_runs[index];
        if (is_checked[run->replica]) {
            continue;
        }
        is_checked[run->replica] = true;
        grove__replica_run newest = {0, 0, 0};
        status = grove__replica_run_newest(
            document, txn, &unsaved->replicas[run->replica], &newest, error_out);
        status = status == GROVE_NONE ? GROVE_OK : status;
        if (status == GROVE_OK && newest.sequence + newest.count != run->sequence) {
            status =
                grove__fail(error_out, GROVE_REPLICA_REUSED,
                            "another writer saved events of a replica that has unsaved "
                            "ones here");
        }
    }
    grove__deallocate(document->allocator, is_checked, unsaved->replica_count);
    return status;
}

/* Appends the events of `from` before clock `end` to a graph of its base. */
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
        uint32_t replica;
        status = grove__ids_intern(&to->ids, grove__ids_name(&from->ids, span.replica),
                                   &replica, error_out);
        if (status == GROVE_OK) {
            status = grove__graph_append(to, replica, span.sequence, count,
                                         grove__graph_parents(from, clock, &before),
                                         error_out);
        }
    }
    return status;
}

/* Takes the unsaved events out of the graph, or leaves it as it is. The stored
 * ones come from memory: the store may have removed them by now. */
static grove_status cut_graph(grove_document *document, grove_error *error_out)
{
    graph_base base;
    grove__graph graph;
    grove_buffer_init(&base.heads, document->allocator);
    grove_status status = current_base(document, &base, error_out);
    if (status == GROVE_OK) {
        status = grove__graph_init(&graph, document->allocator, base.clock,
                                   (const grove__head *)(const void *)base.heads.data,
                                   base.heads.size / sizeof(grove__head), error_out);
    }
    grove_buffer_release(&base.heads);
    if (status != GROVE_OK) {
        return status;
    }
    status = copy_runs(&graph, &document->graph, document->stored, error_out);
    if (status != GROVE_OK) {
        grove__graph_release(&graph);
        return status;
    }
    grove__graph_release(&document->graph);
    document->graph = graph;
    return GROVE_OK;
}

/* Takes in stored events before unsaved ones. */
static grove_status merge_stored(grove_document *document, grove__txn *txn,
                                 grove_error *error_out)
{
    grove_status status = check_replicas(document, txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if ((document->type->capabilities & GROVE_TYPE_CONCURRENT) == 0) {
        return grove__fail(
            error_out, GROVE_UNSUPPORTED,
            "others saved events that are concurrent with unsaved ones, and "
            "documents of type %s cannot merge them",
            document->type->name);
    }
    status = cut_graph(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    /* From here on a failure leaves the parts of the handle apart (D4). */
    status = grove__document_load_tail(document, txn, error_out);
    if (status == GROVE_OK) {
        grove__list_part part = {&document->unsaved, document->stored, 0,
                                 document->unsaved.count};
        status = grove__document_add_stored(document, txn, &part, error_out);
    }
    document->failed = document->failed || status != GROVE_OK;
    document->made_last = false;
    return status;
}

grove_status grove__document_take_in(grove_document *document, grove__txn *txn,
                                     grove_error *error_out)
{
    if (document->stored == document->meta.events) {
        return GROVE_OK;
    }
    if (document->stored < document->meta.base_clock) {
        return grove__fail(error_out, GROVE_HISTORY_REMOVED,
                           "a compaction removed events that this handle lacks; load the "
                           "document anew");
    }
    grove_status status = document->unsaved.count == 0
                              ? grove__document_load_tail(document, txn, error_out)
                              : merge_stored(document, txn, error_out);
    if (document->is_linked) {
        grove__handle_move(document->store, &document->handle, document->stored);
    }
    /* Another handle may have gone on with this one's replica. */
    const grove__ids *ids = &document->graph.ids;
    uint32_t number = grove__ids_find_replica(ids, &document->replica);
    if (number != GROVE__INDEX_NONE) {
        document->next_sequence = grove__max_u64(document->next_sequence,
                                                 grove__ids_next_sequence(ids, number));
    }
    return status;
}
