/* Handing out the stored events. */
#include "base/alloc.h"
#include "base/error.h"
#include "document/document.h"

/* Reads the batch that holds `clock`, in a transaction of its own, so that no
 * callback keeps a state of the store alive. */
static grove_status read_batch(grove_document *document, uint64_t clock,
                               grove__events *events, uint64_t *first_clock_out,
                               grove_error *error_out)
{
    grove__txn txn;
    grove_status status =
        grove__txn_begin(&document->store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__batch_reader reader;
    grove__batch_reader_init(&reader, document->allocator);
    status = grove__document_look(document, &txn, error_out);
    if (status == GROVE_OK && clock < document->meta.base_clock) {
        status = grove__fail(error_out, GROVE_HISTORY_REMOVED,
                             "events before clock %llu were removed by a compaction",
                             (unsigned long long)document->meta.base_clock);
    }
    if (status == GROVE_OK) {
        status = grove__batch_find(document, &txn, clock, first_clock_out, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__batch_read(document, &txn, *first_clock_out, &reader, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__batch_decode(&reader.block, document->type, GROVE__DECODE_ALL,
                                     events, error_out);
    }
    if (status == GROVE_OK && *first_clock_out + events->count <= clock) {
        status = grove__fail(error_out, GROVE_CORRUPT,
                             "no batch holds the event at clock %llu",
                             (unsigned long long)clock);
    }
    grove__batch_reader_release(&reader);
    grove__txn_abort(&txn);
    return status;
}

/* Cuts off the first `count` events of a run. */
static void skip_events(const grove_document_type *type, grove_event_run *run,
                        uint32_t count, grove_event_id *parent)
{
    grove_operation first;
    grove_operation rest;
    type->operation_cut(type, &run->operation, count, &first, &rest);
    run->operation = rest;
    run->first.sequence += count;
    *parent = run->first;
    parent->sequence--;
    run->parents = parent;
    run->parent_count = 1;
}

/* Hands out a batch's runs from `from` on; sets *clock to where it stopped.
 * False: the callback wants no more. */
static bool hand_out(const grove_document *document, grove__events *events,
                     uint64_t first_clock, uint64_t *clock, grove_event_id *parents,
                     grove_event_run_fn each, void *context)
{
    grove__events_cursor cursor;
    grove__events_cursor_init(&cursor, events, document->type, parents);
    grove_event_run run;
    uint64_t run_clock = first_clock;
    while (grove__events_cursor_next(&cursor, &run)) {
        uint64_t end = run_clock + run.operation.count;
        if (end > *clock) {
            if (run_clock < *clock) {
                skip_events(document->type, &run, (uint32_t)(*clock - run_clock),
                            parents);
            }
            bool goes_on = each(context, *clock, &run);
            *clock = end;
            if (!goes_on) {
                return false;
            }
        }
        run_clock = end;
    }
    return true;
}

grove_status grove_document_events(grove_document *document, uint64_t from,
                                   grove_event_run_fn each, void *context,
                                   grove_error *error_out)
{
    grove_status status = grove__document_check_live(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    size_t parents_bytes = GROVE_EVENT_PARENTS_MAX * sizeof(grove_event_id);
    grove_event_id *parents = grove__allocate(document->allocator, parents_bytes);
    if (parents == NULL) {
        return grove__fail_memory(error_out);
    }
    grove__events events;
    grove__events_init(&events, document->allocator);
    /* What is stored when the listing begins; more may come meanwhile. */
    uint64_t end = document->stored;
    bool goes_on = true;
    for (uint64_t clock = from; status == GROVE_OK && goes_on && clock < end;) {
        uint64_t first_clock;
        status = read_batch(document, clock, &events, &first_clock, error_out);
        if (status == GROVE_OK) {
            goes_on =
                hand_out(document, &events, first_clock, &clock, parents, each, context);
        }
    }
    grove__events_release(&events);
    grove__deallocate(document->allocator, parents, parents_bytes);
    return status;
}

grove_status grove_document_events_since_snapshot(grove_document *document,
                                                  grove_event_run_fn each, void *context,
                                                  grove_error *error_out)
{
    grove_status status = grove__document_check_live(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__txn txn;
    status = grove__txn_begin(&document->store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__document_look(document, &txn, error_out);
    grove__txn_abort(&txn);
    if (status != GROVE_OK) {
        return status;
    }
    uint64_t snapshot = document->meta.snapshot_clock;
    return grove_document_events(document, snapshot == GROVE__NO_SNAPSHOT ? 0 : snapshot,
                                 each, context, error_out);
}
