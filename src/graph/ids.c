#include "graph/ids.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/error.h"

static const void *name_of(const void *context, uint32_t item)
{
    const grove__ids *ids = context;
    return &ids->replicas[item].name;
}

static int compare_names(const void *key, const void *other)
{
    return grove__bytes_compare(grove__replica_bytes(key), grove__replica_bytes(other));
}

static grove__index_rule by_name(const grove__ids *ids)
{
    return (grove__index_rule){ids, name_of, compare_names};
}

static const void *sequence_of(const void *context, uint32_t item)
{
    const grove__ids *ids = context;
    return &ids->runs[item].sequence;
}

static int compare_sequences(const void *key, const void *other)
{
    uint64_t a = *(const uint64_t *)key;
    uint64_t b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

static grove__index_rule by_sequence(const grove__ids *ids)
{
    return (grove__index_rule){ids, sequence_of, compare_sequences};
}

void grove__ids_init(grove__ids *ids, const grove_allocator *allocator, uint64_t base)
{
    *ids = (grove__ids){.allocator = allocator, .base = base, .end = base};
}

void grove__ids_release(grove__ids *ids)
{
    if (ids == NULL || ids->allocator == NULL) {
        return;
    }
    for (size_t index = 0; index < ids->replica_count; index++) {
        grove__index_release(&ids->replicas[index].runs, ids->allocator);
    }
    grove__index_release(&ids->names, ids->allocator);
    grove__deallocate(ids->allocator, ids->replicas,
                      ids->replica_capacity * sizeof *ids->replicas);
    grove__deallocate(ids->allocator, ids->runs, ids->run_capacity * sizeof *ids->runs);
    *ids = (grove__ids){0};
}

uint32_t grove__ids_find_replica(const grove__ids *ids, const grove_replica *name)
{
    uint32_t found = grove__index_at_or_before(&ids->names, by_name(ids), name);
    if (found != GROVE__INDEX_NONE &&
        !grove__replica_equal(&ids->replicas[found].name, name)) {
        return GROVE__INDEX_NONE;
    }
    return found;
}

grove_status grove__ids_intern(grove__ids *ids, const grove_replica *name,
                               uint32_t *replica_out, grove_error *error_out)
{
    if (name->size == 0 || name->size > GROVE_REPLICA_BYTES_MAX) {
        return grove__fail(error_out, GROVE_INVALID,
                           "a replica has 1 to %d bytes, this one has %d",
                           GROVE_REPLICA_BYTES_MAX, (int)name->size);
    }
    uint32_t replica = grove__ids_find_replica(ids, name);
    if (replica == GROVE__INDEX_NONE) {
        if (!grove__index_reserve(&ids->names, ids->allocator) ||
            !grove__array_reserve(ids->allocator, (void **)&ids->replicas,
                                  &ids->replica_capacity, ids->replica_count,
                                  sizeof *ids->replicas)) {
            return grove__fail_memory(error_out);
        }
        replica = (uint32_t)ids->replica_count++;
        ids->replicas[replica] = (grove__ids_replica){.name = *name};
        grove__index_add(&ids->names, by_name(ids), replica);
    }
    *replica_out = replica;
    return GROVE_OK;
}

const grove_replica *grove__ids_name(const grove__ids *ids, uint32_t replica)
{
    GROVE_ASSERT(replica < ids->replica_count);
    return &ids->replicas[replica].name;
}

uint64_t grove__ids_next_sequence(const grove__ids *ids, uint32_t replica)
{
    GROVE_ASSERT(replica < ids->replica_count);
    return ids->replicas[replica].next;
}

static uint64_t count_of(const grove__ids *ids, size_t index)
{
    const grove__ids_run *run = &ids->runs[index];
    if (run->clock < ids->base) {
        return 1;
    }
    return (index + 1 < ids->run_count ? run[1].clock : ids->end) - run->clock;
}

/* The part of a run from its `skip`-th event on; false: it ends before. */
static bool span_from(const grove__ids *ids, size_t index, uint64_t skip,
                      grove__id_span *span_out)
{
    const grove__ids_run *run = &ids->runs[index];
    uint64_t count = count_of(ids, index);
    if (skip >= count) {
        return false;
    }
    *span_out = (grove__id_span){
        .clock = run->clock + skip,
        .sequence = run->sequence + skip,
        .count = count - skip,
        .replica = run->replica,
        .run = index,
    };
    return true;
}

bool grove__ids_find(const grove__ids *ids, uint32_t replica, uint64_t sequence,
                     grove__id_span *span_out)
{
    GROVE_ASSERT(replica < ids->replica_count);
    const grove__ids_replica *maker = &ids->replicas[replica];
    if (sequence >= maker->next) {
        return false;
    }
    uint32_t run = grove__index_at_or_before(&maker->runs, by_sequence(ids), &sequence);
    return run != GROVE__INDEX_NONE &&
           span_from(ids, run, sequence - ids->runs[run].sequence, span_out);
}

uint64_t grove__ids_known_after(const grove__ids *ids, uint32_t replica,
                                uint64_t sequence)
{
    GROVE_ASSERT(replica < ids->replica_count);
    grove__id_span span;
    if (ids->replicas[replica].next <= sequence) {
        return UINT64_MAX;
    }
    if (grove__ids_find(ids, replica, sequence, &span) && span.count > 1) {
        return sequence + 1;
    }
    const grove__index *runs = &ids->replicas[replica].runs;
    uint32_t run = grove__index_after(runs, by_sequence(ids), &sequence);
    return run == GROVE__INDEX_NONE ? UINT64_MAX : ids->runs[run].sequence;
}

bool grove__ids_at(const grove__ids *ids, uint64_t clock, grove__id_span *span_out)
{
    if (clock >= ids->end || ids->run_count == 0 || clock < ids->runs[0].clock) {
        return false;
    }
    /* The last run that begins at or before the clock: in [low, high). */
    size_t low = 0;
    size_t high = ids->run_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (ids->runs[middle].clock <= clock) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return span_from(ids, low, clock - ids->runs[low].clock, span_out);
}

bool grove__ids_next(const grove__ids *ids, grove__id_span *span)
{
    size_t run = span->run + 1;
    return run < ids->run_count && span_from(ids, run, 0, span);
}

int grove__ids_compare(const grove__ids *ids, uint32_t replica, uint64_t sequence,
                       uint32_t other_replica, uint64_t other_sequence)
{
    if (replica != other_replica) {
        return compare_names(grove__ids_name(ids, replica),
                             grove__ids_name(ids, other_replica));
    }
    return compare_sequences(&sequence, &other_sequence);
}

bool grove__ids_reserve(grove__ids *ids, uint32_t replica)
{
    GROVE_ASSERT(replica < ids->replica_count);
    return ids->run_count < GROVE__INDEX_NONE &&
           grove__index_reserve(&ids->replicas[replica].runs, ids->allocator) &&
           grove__array_reserve(ids->allocator, (void **)&ids->runs, &ids->run_capacity,
                                ids->run_count, sizeof *ids->runs);
}

static void append_run(grove__ids *ids, grove__ids_run run, uint64_t count)
{
    GROVE_ASSERT(ids->run_count < ids->run_capacity);
    uint32_t item = (uint32_t)ids->run_count;
    grove__ids_replica *maker = &ids->replicas[run.replica];
    ids->runs[ids->run_count++] = run;
    grove__index_add(&maker->runs, by_sequence(ids), item);
    if (run.sequence + count > maker->next) {
        maker->next = run.sequence + count;
    }
}

void grove__ids_append(grove__ids *ids, uint32_t replica, uint64_t sequence,
                       uint64_t count)
{
    GROVE_ASSERT(replica < ids->replica_count && count > 0);
    if (ids->run_count > 0) {
        const grove__ids_run *last = &ids->runs[ids->run_count - 1];
        if (last->clock >= ids->base && last->replica == replica &&
            sequence - last->sequence == ids->end - last->clock) {
            grove__ids_replica *maker = &ids->replicas[replica];
            maker->next = sequence + count > maker->next ? sequence + count : maker->next;
            ids->end += count;
            return;
        }
    }
    append_run(ids, (grove__ids_run){ids->end, sequence, replica}, count);
    ids->end += count;
}

void grove__ids_append_behind(grove__ids *ids, uint64_t clock, uint32_t replica,
                              uint64_t sequence)
{
    GROVE_ASSERT(clock < ids->base && ids->end == ids->base);
    append_run(ids, (grove__ids_run){clock, sequence, replica}, 1);
}
