/* A list of events in memory: see events.h. */
#include "format/events.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/error.h"
#include "format/events_mark.h"

void grove__events_init(grove__events *events, const grove_allocator *allocator)
{
    memset(events, 0, sizeof *events);
    events->allocator = allocator;
    grove_buffer_init(&events->operations, allocator);
    grove_buffer_init(&events->content, allocator);
    grove_buffer_init(&events->scratch, allocator);
    events->contents_in_order = true;
}

void grove__events_release(grove__events *events)
{
    const grove_allocator *allocator = events->allocator;
    grove__event_ids_release(events);
    grove__deallocate(allocator, events->time_runs,
                      events->time_run_capacity * sizeof *events->time_runs);
    grove_buffer_release(&events->operations);
    grove_buffer_release(&events->content);
    grove_buffer_release(&events->scratch);
    grove__events_init(events, allocator);
}

void grove__events_reset(grove__events *events)
{
    grove__event_ids_reset(events);
    events->time_run_count = 0;
    grove_buffer_reset(&events->operations);
    grove_buffer_reset(&events->content);
    grove_buffer_reset(&events->scratch);
    events->contents_in_order = true;
    events->contents_set = 0;
}

grove_operations grove__events_operations(grove__events *events)
{
    grove_operation *items = grove__event_operations_items(events);
    size_t count = grove__event_operations_count(events);
    const uint8_t *place = events->content.data;
    if (events->contents_in_order && place != NULL) {
        size_t index = place == events->contents_place ? events->contents_set : 0;
        if (index > 0) {
            /* The last one that was set may have grown, at the same place. */
            place = items[index - 1].content.data + items[index - 1].content.size;
        }
        for (; index < count; index++) {
            items[index].content.data = place;
            place += items[index].content.size;
        }
        events->contents_place = events->content.data;
        events->contents_set = count;
    }
    return (grove_operations){items, count};
}

/*
 * Whether the run is the next that the list's last replica makes on the last
 * event, breaks no limit and cannot have an id twice: the way typing goes.
 */
static bool continues_last(const grove__events *events, const grove_event_run *run)
{
    if (events->id_run_count == 0 || run->parent_count != 1) {
        return false;
    }
    const grove__id_run *last = &events->id_runs[events->id_run_count - 1];
    const grove_replica *replica = &events->replicas[last->replica];
    const grove__replica_span *span = &events->spans[last->replica];
    uint64_t sequence = last->sequence + last->count;
    const grove_operation *operation = &run->operation;
    return run->first.sequence == sequence && run->parents[0].sequence == sequence - 1 &&
           grove__replica_equal(&run->first.replica, replica) &&
           grove__replica_equal(&run->parents[0].replica, replica) &&
           span->end == sequence && span->outside_end <= sequence &&
           operation->count > 0 &&
           operation->count <= GROVE_BATCH_EVENTS_MAX - events->count &&
           operation->count <= GROVE_DOCUMENT_EVENTS_MAX - sequence &&
           operation->content.size <= GROVE_CONTENT_BYTES_MAX &&
           events->contents_in_order;
}

static grove_status append_next(grove__events *events, const grove_document_type *type,
                                const grove_event_run *run, grove_error *error_out)
{
    const grove_operation *operation = &run->operation;
    if (grove__event_operations_reserve(events, 1, operation->content.size) != GROVE_OK ||
        grove__event_times_add(events, run->timestamp, operation->count) != GROVE_OK) {
        return grove__fail_memory(error_out);
    }
    grove__id_run *last = &events->id_runs[events->id_run_count - 1];
    last->count += operation->count;
    events->spans[last->replica].end += operation->count;
    events->count += operation->count;
    (void)grove__event_operations_add(events, type, operation, true);
    return GROVE_OK;
}

static grove_status check_id(const grove_event_id *id, uint64_t count,
                             grove_error *error_out)
{
    if (id->replica.size == 0 || id->replica.size > GROVE_REPLICA_BYTES_MAX) {
        return grove__fail(error_out, GROVE_INVALID,
                           "a replica has 1 to %d bytes, not %u", GROVE_REPLICA_BYTES_MAX,
                           (unsigned)id->replica.size);
    }
    if (id->sequence >= GROVE_DOCUMENT_EVENTS_MAX ||
        count > GROVE_DOCUMENT_EVENTS_MAX - id->sequence) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "sequences stay below %llu (GROVE_DOCUMENT_EVENTS_MAX)",
                           (unsigned long long)GROVE_DOCUMENT_EVENTS_MAX);
    }
    return GROVE_OK;
}

static grove_status check_count(const grove__events *events, uint64_t count,
                                grove_error *error_out)
{
    if (count > GROVE_BATCH_EVENTS_MAX - events->count) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "a batch has at most %u events (GROVE_BATCH_EVENTS_MAX)",
                           GROVE_BATCH_EVENTS_MAX);
    }
    return GROVE_OK;
}

static grove_status check_run(const grove__events *events, const grove_event_run *run,
                              grove_error *error_out)
{
    const grove_operation *operation = &run->operation;
    if (operation->count == 0) {
        return grove__fail(error_out, GROVE_INVALID, "a run has at least one event");
    }
    if (operation->content.size > GROVE_CONTENT_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "an operation's content has at most %llu bytes "
                           "(GROVE_CONTENT_BYTES_MAX)",
                           (unsigned long long)GROVE_CONTENT_BYTES_MAX);
    }
    if (run->parent_count > GROVE_EVENT_PARENTS_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "an event has at most %d parents (GROVE_EVENT_PARENTS_MAX)",
                           GROVE_EVENT_PARENTS_MAX);
    }
    grove_status status = check_count(events, operation->count, error_out);
    if (status == GROVE_OK) {
        status = check_id(&run->first, operation->count, error_out);
    }
    for (size_t index = 0; index < run->parent_count && status == GROVE_OK; index++) {
        status = check_id(&run->parents[index], 1, error_out);
    }
    return status;
}

/* Appends a parent of `event`: by its index where the list has it, else with
 * its time. */
static grove_status add_parent(grove__events *events, uint32_t event,
                               const grove_replica *replica, uint64_t sequence,
                               uint64_t time, grove_error *error_out)
{
    uint32_t index;
    uint32_t inside;
    grove_status status = grove__event_ids_add_replica(events, replica, &index);
    if (status == GROVE_OK) {
        status = grove__event_ids_find(events, index, sequence, &inside);
    }
    grove__parent parent = {index, sequence, time};
    if (status == GROVE_OK) {
        if (inside >= event) {
            return grove__fail(error_out, GROVE_INVALID,
                               "an event has itself or a later one as a parent");
        }
        if (time != 0 && time != grove__event_ids_time(events, inside)) {
            return grove__fail(error_out, GROVE_CORRUPT,
                               "event %llu of a replica is said to have another Lamport "
                               "time than it has",
                               (unsigned long long)sequence);
        }
        parent = (grove__parent){GROVE__PARENT_INSIDE, inside, 0};
    }
    if (status == GROVE_OK || status == GROVE_NONE) {
        status = grove__event_ids_add_parent(events, parent);
    }
    return status == GROVE_OK ? GROVE_OK : grove__fail_memory(error_out);
}

/* Whether an operation that begins at `event` may be joined to the last (E2);
 * `event` is at or after the beginning of the last id and parent runs. */
static bool may_join_at(const grove__events *events, uint32_t event)
{
    return event > 0 && events->id_runs[events->id_run_count - 1].event != event &&
           events->parent_runs[events->parent_run_count - 1].event != event;
}

static grove_status append_run(grove__events *events, const grove_document_type *type,
                               const grove_event_run *run, const uint64_t *times,
                               grove_error *error_out)
{
    const grove_operation *operation = &run->operation;
    uint32_t event = events->count;
    uint32_t replica;
    if (grove__event_ids_add_replica(events, &run->first.replica, &replica) != GROVE_OK) {
        return grove__fail_memory(error_out);
    }
    grove_status status = grove__event_ids_add(events, replica, run->first.sequence,
                                               operation->count, error_out);
    size_t first = events->parent_count;
    for (size_t index = 0; index < run->parent_count && status == GROVE_OK; index++) {
        status = add_parent(events, event, &run->parents[index].replica,
                            run->parents[index].sequence,
                            times != NULL ? times[index] : 0, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__event_ids_close_parents(events, event, first, type->timed != NULL,
                                                error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    if (grove__event_operations_reserve(events, 1, operation->content.size) != GROVE_OK ||
        grove__event_times_add(events, run->timestamp, operation->count) != GROVE_OK) {
        return grove__fail_memory(error_out);
    }
    (void)grove__event_operations_add(events, type, operation,
                                      may_join_at(events, event));
    return GROVE_OK;
}

grove_status grove__events_append(grove__events *events, const grove_document_type *type,
                                  const grove_event_run *run, grove_error *error_out)
{
    return grove__events_append_timed(events, type, run, NULL, error_out);
}

grove_status grove__events_append_timed(grove__events *events,
                                        const grove_document_type *type,
                                        const grove_event_run *run, const uint64_t *times,
                                        grove_error *error_out)
{
    if (continues_last(events, run)) {
        return append_next(events, type, run, error_out);
    }
    grove_status status = check_run(events, run, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (grove__event_operations_order(events) != GROVE_OK) {
        return grove__fail_memory(error_out);
    }
    grove__events_mark mark = grove__events_mark_of(events);
    status = append_run(events, type, run, times, error_out);
    if (status != GROVE_OK) {
        grove__events_rewind(events, &mark);
    }
    return status;
}

/* A run of times, or an operation, of a list, and where it begins. */
typedef struct list_place {
    size_t index;
    uint32_t event;
} list_place;

/* Appending a part of another list. */
typedef struct list_part {
    grove__events *events;
    const grove_document_type *type;
    grove__events *other;
    uint32_t from, end;         /* in `other` */
    uint32_t base;              /* where `from` comes to lie in `events` */
    uint32_t *replicas;         /* of `other` to those of `events`; UINT32_MAX: not yet */
    list_place time, operation; /* of `other`, at or before `from` */
} list_part;

static grove_status join_replica(list_part *part, uint32_t other, uint32_t *index_out)
{
    grove_status status = GROVE_OK;
    if (part->replicas[other] == UINT32_MAX) {
        status = grove__event_ids_add_replica(part->events, &part->other->replicas[other],
                                              &part->replicas[other]);
    }
    *index_out = part->replicas[other];
    return status;
}

static grove_status join_ids(list_part *part, grove_error *error_out)
{
    const grove__events *other = part->other;
    uint32_t at = part->from;
    for (size_t index = grove__event_ids_run_at(other, at); at < part->end; index++) {
        const grove__id_run *run = &other->id_runs[index];
        uint32_t skipped = at - run->event;
        uint32_t count = run->count - skipped;
        if (count > part->end - at) {
            count = part->end - at;
        }
        uint32_t replica;
        if (join_replica(part, run->replica, &replica) != GROVE_OK) {
            return grove__fail_memory(error_out);
        }
        grove_status status = grove__event_ids_add(
            part->events, replica, run->sequence + skipped, count, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        at += count;
    }
    return GROVE_OK;
}

/* Appends a parent that `event` of `events` has in the other list. */
static grove_status join_parent(list_part *part, uint32_t event, grove__parent parent,
                                grove_error *error_out)
{
    if (parent.replica == GROVE__PARENT_INSIDE) {
        uint32_t inside = (uint32_t)parent.sequence;
        if (inside >= part->from) {
            parent.sequence = part->base + (inside - part->from);
            return grove__event_ids_add_parent(part->events, parent) == GROVE_OK
                       ? GROVE_OK
                       : grove__fail_memory(error_out);
        }
        parent = grove__event_ids_at(part->other, inside);
        parent.time = grove__event_ids_time(part->other, inside);
    }
    return add_parent(part->events, event, &part->other->replicas[parent.replica],
                      parent.sequence, parent.time, error_out);
}

/* The number of the first parent run at or after an event. */
static size_t parent_run_from(const grove__events *events, uint32_t event)
{
    size_t low = 0;
    size_t high = events->parent_run_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (events->parent_runs[middle].event < event) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static grove_status join_parents(list_part *part, grove_error *error_out)
{
    grove__events *events = part->events;
    const grove__events *other = part->other;
    bool is_timed = part->type->timed != NULL;
    grove_status status = GROVE_OK;
    size_t index = parent_run_from(other, part->from);
    if (index == other->parent_run_count ||
        other->parent_runs[index].event != part->from) {
        size_t first = events->parent_count;
        grove__parent before = {GROVE__PARENT_INSIDE, part->from - 1, 0};
        status = join_parent(part, part->base, before, error_out);
        if (status == GROVE_OK) {
            status = grove__event_ids_close_parents(events, part->base, first, is_timed,
                                                    error_out);
        }
    }
    for (; index < other->parent_run_count && status == GROVE_OK; index++) {
        const grove__parent_run *run = &other->parent_runs[index];
        if (run->event >= part->end) {
            break;
        }
        uint32_t event = part->base + (run->event - part->from);
        size_t first = events->parent_count;
        for (uint32_t each = 0; each < run->count && status == GROVE_OK; each++) {
            status =
                join_parent(part, event, other->parents[run->first + each], error_out);
        }
        if (status == GROVE_OK) {
            status =
                grove__event_ids_close_parents(events, event, first, is_timed, error_out);
        }
    }
    return status;
}

static grove_status join_times(list_part *part, grove_error *error_out)
{
    const grove__time_run *runs = part->other->time_runs;
    list_place *place = &part->time;
    while (place->event + runs[place->index].count <= part->from) {
        place->event += runs[place->index++].count;
    }
    uint32_t at = place->event;
    for (size_t index = place->index; at < part->end; index++) {
        const grove__time_run *run = &runs[index];
        uint32_t begin = at < part->from ? part->from : at;
        at += run->count;
        uint32_t end = at < part->end ? at : part->end;
        if (begin < end && grove__event_times_add(part->events, run->timestamp,
                                                  end - begin) != GROVE_OK) {
            return grove__fail_memory(error_out);
        }
    }
    return GROVE_OK;
}

/* Whether an id or parent run begins at an event: E2 then forbids to join. */
static bool is_boundary(const grove__events *events, uint32_t event)
{
    size_t parent_run = parent_run_from(events, event);
    return events->id_runs[grove__event_ids_run_at(events, event)].event == event ||
           (parent_run < events->parent_run_count &&
            events->parent_runs[parent_run].event == event);
}

/*
 * Operations are those of one long list, cut from its beginning on, so what
 * the last one takes of the first changes where the second one begins, and so
 * on, up to the first that stays whole. Those after it are as they would be.
 */
static grove_status join_operations(list_part *part, grove_error *error_out)
{
    grove__events *events = part->events;
    grove_operations operations = grove__events_operations(part->other);
    list_place *place = &part->operation;
    while (place->event + operations.items[place->index].count <= part->from) {
        place->event += operations.items[place->index++].count;
    }
    size_t index = place->index;
    uint32_t at = place->event;
    bool is_settled = false;
    while (at < part->end) {
        grove_operation piece = operations.items[index++];
        grove_operation ignored;
        uint32_t begin = at;
        at += piece.count;
        bool is_whole = begin >= part->from && at <= part->end;
        if (begin < part->from) {
            grove_operation whole = piece;
            part->type->operation_cut(part->type, &whole, part->from - begin, &ignored,
                                      &piece);
            begin = part->from;
        }
        if (at > part->end) {
            grove_operation whole = piece;
            part->type->operation_cut(part->type, &whole, part->end - begin, &piece,
                                      &ignored);
        }
        if (grove__event_operations_reserve(events, 1, piece.content.size) != GROVE_OK) {
            return grove__fail_memory(error_out);
        }
        bool may_join =
            !is_settled && !is_boundary(events, part->base + (begin - part->from));
        uint32_t taken =
            grove__event_operations_add(events, part->type, &piece, may_join);
        is_settled = is_settled || (taken == 0 && is_whole);
    }
    return GROVE_OK;
}

static grove_status join_part(list_part *part, grove_error *error_out)
{
    grove_status status = join_ids(part, error_out);
    if (status == GROVE_OK) {
        status = join_parents(part, error_out);
    }
    if (status == GROVE_OK) {
        status = join_times(part, error_out);
    }
    if (status == GROVE_OK) {
        status = join_operations(part, error_out);
    }
    return status;
}

grove_status grove__events_append_list(grove__events *events,
                                       const grove_document_type *type,
                                       grove__events *other, uint32_t from,
                                       uint32_t count, grove_error *error_out)
{
    const grove__events_range range = {from, count};
    return grove__events_append_ranges(events, type, other, &range, 1, error_out);
}

grove_status grove__events_append_ranges(grove__events *events,
                                         const grove_document_type *type,
                                         grove__events *other,
                                         const grove__events_range *ranges, size_t count,
                                         grove_error *error_out)
{
    GROVE_ASSERT(events != other);
    list_part part = {.events = events, .type = type, .other = other};
    size_t bytes = other->replica_count * sizeof *part.replicas;
    if (bytes == 0) {
        return GROVE_OK;
    }
    part.replicas = grove__allocate(events->allocator, bytes);
    if (part.replicas == NULL || grove__event_operations_order(events) != GROVE_OK) {
        grove__deallocate(events->allocator, part.replicas, bytes);
        return grove__fail_memory(error_out);
    }
    memset(part.replicas, 0xff, bytes);
    grove__events_mark mark = grove__events_mark_of(events);
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < count; index++) {
        const grove__events_range *range = &ranges[index];
        GROVE_ASSERT(range->from >= part.end && range->from <= other->count &&
                     range->count <= other->count - range->from);
        if (range->count == 0) {
            continue;
        }
        status = check_count(events, range->count, error_out);
        if (status == GROVE_OK) {
            part.from = range->from;
            part.end = range->from + range->count;
            part.base = events->count;
            status = join_part(&part, error_out);
        }
    }
    if (status != GROVE_OK) {
        grove__events_rewind(events, &mark);
    }
    grove__deallocate(events->allocator, part.replicas, bytes);
    return status;
}
