/* Walking a list of events run by run: see events.h. */
#include "base/assert.h"
#include "format/event_ids.h"
#include "format/event_operations.h"
#include "format/events.h"

void grove__events_cursor_init(grove__events_cursor *cursor, grove__events *events,
                               const grove_document_type *type, grove_event_id *parents)
{
    memset(cursor, 0, sizeof *cursor);
    cursor->events = events;
    cursor->type = type;
    cursor->parents = parents;
    (void)grove__events_operations(events);
}

static void fill_id(const grove__events *events, grove__parent id, grove_event_id *id_out)
{
    id_out->replica = events->replicas[id.replica];
    id_out->sequence = id.sequence;
}

/* Fills in the parents of the event at the cursor and returns how many. */
static size_t fill_parents(grove__events_cursor *cursor)
{
    const grove__events *events = cursor->events;
    const grove__parent_run *run = &events->parent_runs[cursor->parent_run];
    if (cursor->parent_run == events->parent_run_count || run->event != cursor->event) {
        const grove__id_run *ids = &events->id_runs[cursor->id_run];
        if (ids->event == cursor->event) {
            ids--;
        }
        uint64_t sequence = ids->sequence + (cursor->event - 1 - ids->event);
        fill_id(events, (grove__parent){ids->replica, sequence, 0}, cursor->parents);
        return 1;
    }
    cursor->parent_run++;
    for (uint32_t index = 0; index < run->count; index++) {
        grove__parent parent = events->parents[run->first + index];
        if (parent.replica == GROVE__PARENT_INSIDE) {
            parent = grove__event_ids_at(events, (uint32_t)parent.sequence);
        }
        fill_id(events, parent, &cursor->parents[index]);
    }
    return run->count;
}

/* Takes the next `count` events, all of one operation. */
static void take_operation(grove__events_cursor *cursor, uint32_t count,
                           grove_operation *operation_out)
{
    if (count == cursor->rest.count) {
        *operation_out = cursor->rest;
        cursor->rest.count = 0;
        return;
    }
    grove_operation whole = cursor->rest;
    cursor->type->operation_cut(cursor->type, &whole, count, operation_out,
                                &cursor->rest);
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

bool grove__events_cursor_next(grove__events_cursor *cursor, grove_event_run *run_out)
{
    const grove__events *events = cursor->events;
    if (cursor->event == events->count) {
        return false;
    }
    if (cursor->rest.count == 0) {
        GROVE_ASSERT(cursor->operation < grove__event_operations_count(events));
        cursor->rest = grove__event_operations_items(events)[cursor->operation++];
    }
    const grove__id_run *ids = &events->id_runs[cursor->id_run];
    const grove__time_run *times = &events->time_runs[cursor->time_run];
    run_out->first.replica = events->replicas[ids->replica];
    run_out->first.sequence = ids->sequence + (cursor->event - ids->event);
    run_out->parents = cursor->parents;
    run_out->parent_count = fill_parents(cursor);
    run_out->timestamp = times->timestamp;

    uint32_t count = ids->event + ids->count - cursor->event;
    count = min_u32(count, times->count - cursor->in_time_run);
    count = min_u32(count, cursor->rest.count);
    if (cursor->parent_run < events->parent_run_count) {
        count =
            min_u32(count, events->parent_runs[cursor->parent_run].event - cursor->event);
    }
    take_operation(cursor, count, &run_out->operation);

    cursor->event += count;
    cursor->in_time_run += count;
    if (cursor->in_time_run == times->count) {
        cursor->time_run++;
        cursor->in_time_run = 0;
    }
    if (cursor->event == ids->event + ids->count) {
        cursor->id_run++;
    }
    return true;
}
