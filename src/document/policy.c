/*
 * When a snapshot is due. The estimates are of a machine of 2020 and only
 * their ratio matters: replaying a tail costs a look-up and a decoding for
 * each batch, a step for each operation and a little for each stored byte;
 * loading a snapshot costs a look-up and decompression.
 */
#include "base/checked.h"
#include "document/document.h"

enum {
    BATCH_COST_NS = 2000,
    OPERATION_COST_NS = 100,
    BATCH_BYTE_COST_NS = 4,
    SNAPSHOT_COST_NS = 5000,
    STATE_BYTE_COST_NS = 1,
    PERCENT = 100
};

bool grove_document_should_snapshot(const grove_snapshot_policy *policy,
                                    const grove_snapshot_facts *facts)
{
    if (!policy->automatic || facts->tail_events <= policy->events_min) {
        return false;
    }
    if (!facts->one_head && facts->tail_events <= policy->uncritical_events) {
        return false;
    }
    double tail = (double)facts->tail_batches * BATCH_COST_NS +
                  (double)facts->tail_operations * OPERATION_COST_NS +
                  (double)facts->tail_bytes * BATCH_BYTE_COST_NS;
    double load = SNAPSHOT_COST_NS + (double)facts->state_bytes * STATE_BYTE_COST_NS;
    return tail * PERCENT > load * policy->cost_percent;
}

grove_snapshot_facts grove_document_snapshot_facts(const grove_document *document)
{
    uint64_t snapshot_clock = document->meta.snapshot_clock;
    uint64_t after = snapshot_clock == GROVE__NO_SNAPSHOT ? 0 : snapshot_clock;
    /* Others may have made a snapshot of events that are not taken in yet. */
    uint64_t end = document->stored + document->unsaved.count;
    uint64_t operations = document->unsaved.operations.size / sizeof(grove_operation);
    grove_snapshot_facts facts = {
        .tail_events = end - grove__min_u64(end, after),
        .tail_operations = document->tail_operations + operations,
        .tail_bytes = document->tail_bytes + document->unsaved.content.size,
        .tail_batches = document->tail_batches + (document->unsaved.count > 0 ? 1 : 0),
        .state_bytes = document->type->state_bytes(document->type, document->state),
        .one_head = grove__graph_has_one_head(&document->graph),
    };
    return facts;
}
