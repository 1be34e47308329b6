/* The ids of a list of events: see event_ids.h. */
#include "format/event_ids.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/error.h"

/* Up to so many, looking at each replica or parent beats an order; so many of
 * a replica's last id runs are looked at before the order of all is asked. */
enum { LINEAR_MAX = 8, NEAR_RUNS = 8 };

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_replicas(const void *a, const void *b)
{
    return grove__bytes_compare(grove__replica_bytes(a), grove__replica_bytes(b));
}

static int compare_id_runs(const void *a, const void *b)
{
    const grove__id_run *left = a;
    const grove__id_run *right = b;
    int order = compare_u64(left->replica, right->replica);
    return order != 0 ? order : compare_u64(left->sequence, right->sequence);
}

static int compare_parents(const void *a, const void *b)
{
    const grove__parent *left = a;
    const grove__parent *right = b;
    int order = compare_u64(left->replica, right->replica);
    return order != 0 ? order : compare_u64(left->sequence, right->sequence);
}

grove_status grove__event_ids_find_replica(grove__events *events,
                                           const grove_replica *replica,
                                           uint32_t *index_out)
{
    uint32_t found = UINT32_MAX;
    if (events->replica_count <= LINEAR_MAX) {
        for (size_t index = 0; index < events->replica_count; index++) {
            if (grove__replica_equal(&events->replicas[index], replica)) {
                found = (uint32_t)index;
                break;
            }
        }
        *index_out = found;
        return GROVE_OK;
    }
    grove__sorted_items items = {events->replicas, sizeof *events->replicas,
                                 compare_replicas};
    if (!grove__sorted_cover(&events->sorted_replicas, events->allocator, &items,
                             events->replica_count)) {
        return GROVE_NO_MEMORY;
    }
    found = grove__sorted_floor(&events->sorted_replicas, &items, replica);
    if (found != GROVE__SORTED_NONE &&
        !grove__replica_equal(&events->replicas[found], replica)) {
        found = UINT32_MAX;
    }
    *index_out = found;
    return GROVE_OK;
}

grove_status grove__event_ids_add_replica(grove__events *events,
                                          const grove_replica *replica,
                                          uint32_t *index_out)
{
    uint32_t found;
    grove_status status = grove__event_ids_find_replica(events, replica, &found);
    if (status != GROVE_OK || found != UINT32_MAX) {
        *index_out = status == GROVE_OK ? found : *index_out;
        return status;
    }
    size_t count = events->replica_count;
    /* No list of 2^28 events with their parents comes near; without this the
     * last index would mean "inside". */
    if (count >= UINT32_MAX - 1) {
        return GROVE_NO_MEMORY;
    }
    if (!grove__array_reserve(events->allocator, (void **)&events->replicas,
                              &events->replica_capacity, count,
                              sizeof *events->replicas) ||
        !grove__array_reserve(events->allocator, (void **)&events->spans,
                              &events->span_capacity, count, sizeof *events->spans)) {
        return GROVE_NO_MEMORY;
    }
    grove_replica *added = &events->replicas[count];
    memset(added, 0, sizeof *added);
    added->size = replica->size;
    memcpy(added->bytes, replica->bytes, replica->size);
    events->spans[count] = (grove__replica_span){0, 0, 0};
    events->replica_count++;
    *index_out = (uint32_t)count;
    return GROVE_OK;
}

/* The id run with the greatest start at or before an id, of any replica. */
static grove_status id_run_floor(grove__events *events, uint32_t replica,
                                 uint64_t sequence, const grove__id_run **run_out)
{
    grove__sorted_items items = {events->id_runs, sizeof *events->id_runs,
                                 compare_id_runs};
    if (!grove__sorted_cover(&events->sorted_ids, events->allocator, &items,
                             events->id_run_count)) {
        return GROVE_NO_MEMORY;
    }
    grove__id_run key = {.replica = replica, .sequence = sequence};
    uint32_t found = grove__sorted_floor(&events->sorted_ids, &items, &key);
    *run_out = found == GROVE__SORTED_NONE ? NULL : &events->id_runs[found];
    return GROVE_OK;
}

static bool id_run_has(const grove__id_run *run, uint32_t replica, uint64_t sequence)
{
    return run->replica == replica && sequence >= run->sequence &&
           sequence - run->sequence < run->count;
}

grove_status grove__event_ids_find(grove__events *events, uint32_t replica,
                                   uint64_t sequence, uint32_t *event_out)
{
    GROVE_ASSERT(replica < events->replica_count);
    const grove__replica_span *span = &events->spans[replica];
    if (sequence >= span->end) {
        return GROVE_NONE;
    }
    uint32_t number = span->last_run;
    const grove__id_run *run = &events->id_runs[number];
    for (int near = 0; near < NEAR_RUNS; near++) {
        run = &events->id_runs[number];
        number = run->before;
        if (id_run_has(run, replica, sequence) || number == UINT32_MAX) {
            break;
        }
    }
    if (!id_run_has(run, replica, sequence) && number != UINT32_MAX) {
        grove_status status = id_run_floor(events, replica, sequence, &run);
        if (status != GROVE_OK) {
            return status;
        }
    }
    if (run == NULL || !id_run_has(run, replica, sequence)) {
        return GROVE_NONE;
    }
    *event_out = run->event + (uint32_t)(sequence - run->sequence);
    return GROVE_OK;
}

size_t grove__event_ids_run_at(const grove__events *events, uint32_t event)
{
    GROVE_ASSERT(event < events->count);
    size_t low = 0;
    size_t high = events->id_run_count;
    /* Often an event that was just added is meant. */
    if (event >= events->id_runs[high - 1].event) {
        return high - 1;
    }
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (events->id_runs[middle].event <= event) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

grove__parent grove__event_ids_at(const grove__events *events, uint32_t event)
{
    const grove__id_run *run = &events->id_runs[grove__event_ids_run_at(events, event)];
    return (grove__parent){run->replica, run->sequence + (event - run->event), 0};
}

size_t grove__event_ids_parent_run_at(const grove__events *events, uint32_t event)
{
    size_t low = 0;
    size_t high = events->parent_run_count;
    if (event >= events->parent_runs[high - 1].event) {
        return high - 1;
    }
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (events->parent_runs[middle].event <= event) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

uint64_t grove__event_ids_time(const grove__events *events, uint32_t event)
{
    const grove__parent_run *run =
        &events->parent_runs[grove__event_ids_parent_run_at(events, event)];
    return run->time == 0 ? 0 : run->time + (event - run->event);
}

/* Whether `count` ids from `sequence` on are new and nobody's parent. */
static grove_status check_ids(grove__events *events, uint32_t replica, uint64_t sequence,
                              uint32_t count, grove_error *error_out)
{
    const grove__replica_span *span = &events->spans[replica];
    if (sequence < span->end) {
        const grove__id_run *run;
        if (id_run_floor(events, replica, sequence + count - 1, &run) != GROVE_OK) {
            return grove__fail_memory(error_out);
        }
        if (run != NULL && run->replica == replica &&
            run->sequence + run->count > sequence) {
            return grove__fail(error_out, GROVE_REPLICA_REUSED,
                               "an event of sequence %llu to %llu is there already",
                               (unsigned long long)sequence,
                               (unsigned long long)(sequence + count - 1));
        }
    }
    if (sequence < span->outside_end) {
        grove__sorted_items items = {events->parents, sizeof *events->parents,
                                     compare_parents};
        if (!grove__sorted_cover(&events->sorted_parents, events->allocator, &items,
                                 events->parent_count)) {
            return grove__fail_memory(error_out);
        }
        grove__parent key = {replica, sequence + count - 1, 0};
        uint32_t found = grove__sorted_floor(&events->sorted_parents, &items, &key);
        if (found != GROVE__SORTED_NONE && events->parents[found].replica == replica &&
            events->parents[found].sequence >= sequence) {
            return grove__fail(error_out, GROVE_INVALID,
                               "the event of sequence %llu comes after one that has "
                               "it as a parent",
                               (unsigned long long)events->parents[found].sequence);
        }
    }
    return GROVE_OK;
}

grove_status grove__event_ids_add(grove__events *events, uint32_t replica,
                                  uint64_t sequence, uint32_t count,
                                  grove_error *error_out)
{
    GROVE_ASSERT(replica < events->replica_count && count > 0);
    grove_status status = check_ids(events, replica, sequence, count, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__replica_span *span = &events->spans[replica];
    grove__id_run *last =
        events->id_run_count == 0 ? NULL : &events->id_runs[events->id_run_count - 1];
    if (last != NULL && last->replica == replica &&
        last->sequence + last->count == sequence) {
        last->count += count;
    } else {
        if (!grove__array_reserve(events->allocator, (void **)&events->id_runs,
                                  &events->id_run_capacity, events->id_run_count,
                                  sizeof *events->id_runs)) {
            return grove__fail_memory(error_out);
        }
        uint32_t before = span->end == 0 ? UINT32_MAX : span->last_run;
        span->last_run = (uint32_t)events->id_run_count;
        events->id_runs[events->id_run_count++] =
            (grove__id_run){replica, count, sequence, events->count, before};
    }
    if (sequence + count > span->end) {
        span->end = sequence + count;
    }
    events->count += count;
    return GROVE_OK;
}

grove_status grove__event_ids_add_parent(grove__events *events, grove__parent parent)
{
    if (events->parent_count >= UINT32_MAX ||
        !grove__array_reserve(events->allocator, (void **)&events->parents,
                              &events->parent_capacity, events->parent_count,
                              sizeof *events->parents)) {
        return GROVE_NO_MEMORY;
    }
    events->parents[events->parent_count++] = parent;
    return GROVE_OK;
}

/* Whether some parent is there twice: pairs when few, else an order. */
static grove_status check_distinct(const grove__events *events,
                                   const grove__parent *parents, size_t count,
                                   grove_error *error_out)
{
    grove__sorted sorted = {NULL, 0, 0};
    grove__sorted_items items = {parents, sizeof *parents, compare_parents};
    bool is_twice = false;
    grove_status status = GROVE_OK;
    for (size_t index = 1; index < count && !is_twice && status == GROVE_OK; index++) {
        if (count > LINEAR_MAX) {
            if (!grove__sorted_cover(&sorted, events->allocator, &items, index)) {
                status = grove__fail_memory(error_out);
                break;
            }
            uint32_t found = grove__sorted_floor(&sorted, &items, &parents[index]);
            is_twice = found != GROVE__SORTED_NONE &&
                       compare_parents(&parents[found], &parents[index]) == 0;
            continue;
        }
        for (size_t other = 0; other < index; other++) {
            is_twice = is_twice || compare_parents(&parents[other], &parents[index]) == 0;
        }
    }
    grove__sorted_release(&sorted, events->allocator);
    if (is_twice) {
        status = grove__fail(error_out, GROVE_INVALID, "an event has a parent twice");
    }
    return status;
}

/* 1 + the greatest time of a parent; 0: one is not known. */
static uint64_t time_after(const grove__events *events, const grove__parent *parents,
                           size_t count)
{
    uint64_t greatest = 0;
    for (size_t index = 0; index < count; index++) {
        uint64_t time = parents[index].time;
        if (parents[index].replica == GROVE__PARENT_INSIDE) {
            time = grove__event_ids_time(events, (uint32_t)parents[index].sequence);
        }
        if (time == 0) {
            return 0;
        }
        greatest = time > greatest ? time : greatest;
    }
    return greatest + 1;
}

grove_status grove__event_ids_close_parents(grove__events *events, uint32_t event,
                                            size_t first, bool is_timed,
                                            grove_error *error_out)
{
    size_t count = events->parent_count - first;
    const grove__parent *parents = count > 0 ? events->parents + first : NULL;
    if (count == 1 && event > 0 && parents->replica == GROVE__PARENT_INSIDE &&
        parents->sequence == event - 1) {
        events->parent_count = first;
        return GROVE_OK;
    }
    grove_status status = GROVE_OK;
    if (count > 1) {
        status = check_distinct(events, parents, count, error_out);
    }
    if (status == GROVE_OK &&
        !grove__array_reserve(events->allocator, (void **)&events->parent_runs,
                              &events->parent_run_capacity, events->parent_run_count,
                              sizeof *events->parent_runs)) {
        status = grove__fail_memory(error_out);
    }
    if (status != GROVE_OK) {
        events->parent_count = first;
        return status;
    }
    for (size_t index = 0; index < count; index++) {
        if (parents[index].replica != GROVE__PARENT_INSIDE) {
            grove__replica_span *span = &events->spans[parents[index].replica];
            if (parents[index].sequence >= span->outside_end) {
                span->outside_end = parents[index].sequence + 1;
            }
        }
    }
    uint64_t time = is_timed ? time_after(events, parents, count) : 0;
    events->parent_runs[events->parent_run_count++] =
        (grove__parent_run){event, (uint32_t)first, (uint32_t)count, time};
    return GROVE_OK;
}

static void release_array(grove__events *events, void *items, size_t capacity,
                          size_t item_bytes)
{
    grove__deallocate(events->allocator, items, capacity * item_bytes);
}

void grove__event_ids_release(grove__events *events)
{
    release_array(events, events->replicas, events->replica_capacity,
                  sizeof *events->replicas);
    release_array(events, events->spans, events->span_capacity, sizeof *events->spans);
    release_array(events, events->id_runs, events->id_run_capacity,
                  sizeof *events->id_runs);
    release_array(events, events->parent_runs, events->parent_run_capacity,
                  sizeof *events->parent_runs);
    release_array(events, events->parents, events->parent_capacity,
                  sizeof *events->parents);
    grove__sorted_release(&events->sorted_replicas, events->allocator);
    grove__sorted_release(&events->sorted_ids, events->allocator);
    grove__sorted_release(&events->sorted_parents, events->allocator);
}

void grove__event_ids_reset(grove__events *events)
{
    events->count = 0;
    events->replica_count = 0;
    events->id_run_count = 0;
    events->parent_run_count = 0;
    events->parent_count = 0;
    events->sorted_replicas.count = 0;
    events->sorted_ids.count = 0;
    events->sorted_parents.count = 0;
}

grove__event_ids_mark grove__event_ids_mark_of(const grove__events *events)
{
    grove__event_ids_mark mark = {events->count,        events->replica_count,
                                  events->id_run_count, events->parent_run_count,
                                  events->parent_count, 0};
    if (events->id_run_count > 0) {
        mark.last_run_count = events->id_runs[events->id_run_count - 1].count;
    }
    return mark;
}

/* Spans from the id runs and parents that are there. */
static void rebuild_spans(grove__events *events)
{
    for (size_t index = 0; index < events->replica_count; index++) {
        events->spans[index] = (grove__replica_span){0, 0, 0};
    }
    for (size_t index = 0; index < events->id_run_count; index++) {
        const grove__id_run *run = &events->id_runs[index];
        grove__replica_span *span = &events->spans[run->replica];
        span->last_run = (uint32_t)index;
        if (run->sequence + run->count > span->end) {
            span->end = run->sequence + run->count;
        }
    }
    for (size_t index = 0; index < events->parent_count; index++) {
        const grove__parent *parent = &events->parents[index];
        if (parent->replica != GROVE__PARENT_INSIDE &&
            parent->sequence >= events->spans[parent->replica].outside_end) {
            events->spans[parent->replica].outside_end = parent->sequence + 1;
        }
    }
}

/* An order that covers items which are no more begins anew. */
static void rewind_sorted(grove__sorted *sorted, size_t count)
{
    if (sorted->count > count) {
        sorted->count = 0;
    }
}

void grove__event_ids_rewind(grove__events *events, const grove__event_ids_mark *mark)
{
    bool has_ids = events->count > mark->count;
    bool has_parents = events->parent_run_count > mark->parent_run_count;
    events->count = mark->count;
    events->replica_count = mark->replica_count;
    events->id_run_count = mark->id_run_count;
    events->parent_run_count = mark->parent_run_count;
    events->parent_count = mark->parent_count;
    if (mark->id_run_count > 0) {
        events->id_runs[mark->id_run_count - 1].count = mark->last_run_count;
    }
    rewind_sorted(&events->sorted_replicas, mark->replica_count);
    rewind_sorted(&events->sorted_ids, mark->id_run_count);
    rewind_sorted(&events->sorted_parents, mark->parent_count);
    /* Spans change only with these: a refused duplicate costs nothing here. */
    if (has_ids || has_parents) {
        rebuild_spans(events);
    }
}
