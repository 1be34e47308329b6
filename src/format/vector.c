#include "format/vector.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"

static grove_event_id *entries_of(const grove__vector *vector)
{
    return (grove_event_id *)(void *)vector->entries.data;
}

static size_t count_of(const grove__vector *vector)
{
    return vector->entries.size / sizeof(grove_event_id);
}

static int compare_entries(const void *a, const void *b)
{
    const grove_event_id *left = a;
    const grove_event_id *right = b;
    return grove__bytes_compare(grove__replica_bytes(&left->replica),
                                grove__replica_bytes(&right->replica));
}

static grove__sorted_items items_of(const grove__vector *vector)
{
    return (grove__sorted_items){vector->entries.data, sizeof(grove_event_id),
                                 compare_entries};
}

void grove__vector_init(grove__vector *vector, const grove_allocator *allocator)
{
    grove_buffer_init(&vector->entries, allocator);
    vector->order = (grove__sorted){NULL, 0, 0};
}

void grove__vector_release(grove__vector *vector)
{
    grove__sorted_release(&vector->order, vector->entries.allocator);
    grove_buffer_release(&vector->entries);
}

void grove__vector_reset(grove__vector *vector)
{
    grove_buffer_reset(&vector->entries);
    vector->order.count = 0;
}

grove_version_vector grove__vector_view(const grove__vector *vector)
{
    return (grove_version_vector){entries_of(vector), count_of(vector)};
}

/* The entry of a replica, or NULL. */
static grove_event_id *find(const grove__vector *vector, const grove_replica *replica)
{
    grove_event_id *entries = entries_of(vector);
    size_t count = count_of(vector);
    if (count > 0 && grove__replica_equal(&entries[count - 1].replica, replica)) {
        return &entries[count - 1];
    }
    const grove__sorted_items items = items_of(vector);
    const grove_event_id key = {*replica, 0};
    uint32_t found = grove__sorted_floor(&vector->order, &items, &key);
    return found != GROVE__SORTED_NONE &&
                   grove__replica_equal(&entries[found].replica, replica)
               ? &entries[found]
               : NULL;
}

bool grove__vector_raise(grove__vector *vector, const grove_replica *replica,
                         uint64_t next)
{
    grove_event_id *known = find(vector, replica);
    if (known != NULL) {
        known->sequence = grove__max_u64(known->sequence, next);
        return true;
    }
    grove_event_id entry;
    memset(&entry, 0, sizeof entry);
    entry.replica = *replica;
    entry.sequence = next;
    size_t count = count_of(vector);
    if (count >= UINT32_MAX) {
        return false;
    }
    grove_buffer_append(&vector->entries, &entry, sizeof entry);
    if (vector->entries.failed) {
        vector->entries.failed = false;
        return false;
    }
    const grove__sorted_items items = items_of(vector);
    if (!grove__sorted_cover(&vector->order, vector->entries.allocator, &items,
                             count + 1)) {
        vector->entries.size -= sizeof entry;
        return false;
    }
    return true;
}

bool grove__vector_raise_all(grove__vector *vector, const grove__events *events)
{
    bool is_raised = true;
    for (size_t index = 0; is_raised && index < events->id_run_count; index++) {
        const grove__id_run *run = &events->id_runs[index];
        is_raised = grove__vector_raise(vector, &events->replicas[run->replica],
                                        run->sequence + run->count);
    }
    return is_raised;
}

uint64_t grove__vector_next(const grove__vector *vector, const grove_replica *replica)
{
    const grove_event_id *known = find(vector, replica);
    return known == NULL ? 0 : known->sequence;
}

/* Adds a range of events, to the last one where it goes on from that. */
static void add_range(grove_buffer *ranges, uint32_t from, uint32_t end)
{
    size_t count = ranges->size / sizeof(grove__events_range);
    grove__events_range *items = (grove__events_range *)(void *)ranges->data;
    if (count > 0 && items[count - 1].from + items[count - 1].count == from) {
        items[count - 1].count += end - from;
        return;
    }
    const grove__events_range range = {from, end - from};
    grove_buffer_append(ranges, &range, sizeof range);
}

grove_status grove__vector_append_lacking(const grove__vector *vector,
                                          const grove_document_type *type,
                                          grove__events *list, uint32_t from,
                                          uint32_t end, grove__events *lacking,
                                          grove_error *error_out)
{
    grove_buffer ranges; /* grove__events_range */
    grove_buffer_init(&ranges, list->allocator);
    for (size_t index = 0; index < list->id_run_count; index++) {
        const grove__id_run *run = &list->id_runs[index];
        uint64_t next = grove__vector_next(vector, &list->replicas[run->replica]);
        uint64_t known = next > run->sequence ? next - run->sequence : 0;
        known = grove__min_u64(known, run->count);
        uint64_t first = grove__max_u64(run->event + known, from);
        uint64_t last = grove__min_u64(run->event + run->count, end);
        if (first < last) {
            add_range(&ranges, (uint32_t)first, (uint32_t)last);
        }
    }
    grove_status status =
        ranges.failed ? grove__fail_memory(error_out)
                      : grove__events_append_ranges(
                            lacking, type, list,
                            (const grove__events_range *)(const void *)ranges.data,
                            ranges.size / sizeof(grove__events_range), error_out);
    grove_buffer_release(&ranges);
    return status;
}
