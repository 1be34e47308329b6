/* The operations of a batch: see batch_operations.h. */
#include "format/batch_operations.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/error.h"
#include "format/event_operations.h"

static grove_status fail_operations(const grove_document_type *type,
                                    grove_error *error_out, const char *fault)
{
    return grove__fail(error_out, GROVE_CORRUPT, "operations of type %s: %s", type->name,
                       fault);
}

/* Whether the id runs are replica after replica already. */
static bool is_by_replica(const grove__events *events)
{
    for (size_t index = 1; index < events->id_run_count; index++) {
        if (events->id_runs[index].replica < events->id_runs[index - 1].replica) {
            return false;
        }
    }
    return true;
}

/* The operations of a replica in the order by replica. */
typedef struct replica_section {
    uint32_t events;
    size_t next; /* the index of its next operation */
} replica_section;

static size_t sections_bytes(const grove__events *events)
{
    return events->replica_count * sizeof(replica_section);
}

/* Sorts the operations of a list, for which there is room. */
static void sort_operations(grove__events *events, replica_section *sections,
                            grove_operation *sorted)
{
    const grove_operation *items = grove__events_operations(events).items;
    size_t index = 0;
    for (size_t run = 0; run < events->id_run_count; run++) {
        uint32_t left = events->id_runs[run].count;
        for (; left > 0; left -= items[index++].count) {
            GROVE_ASSERT(items[index].count <= left);
            sections[events->id_runs[run].replica].next++;
        }
    }
    size_t end = index;
    for (size_t replica = events->replica_count; replica > 0; replica--) {
        end -= sections[replica - 1].next;
        sections[replica - 1].next = end;
    }
    index = 0;
    for (size_t run = 0; run < events->id_run_count; run++) {
        replica_section *section = &sections[events->id_runs[run].replica];
        uint32_t left = events->id_runs[run].count;
        for (; left > 0; left -= items[index++].count) {
            sorted[section->next++] = items[index];
        }
    }
}

grove_status grove__batch_operations_encode(grove__events *events,
                                            const grove_document_type *type,
                                            grove_type_buffers *buffers,
                                            grove_error *error_out)
{
    grove_operations operations = grove__events_operations(events);
    if (is_by_replica(events)) {
        return type->operations_encode(type, operations, buffers, error_out);
    }
    size_t bytes = operations.count * sizeof(grove_operation);
    grove_operation *sorted = grove__allocate(events->allocator, bytes);
    replica_section *sections =
        grove__allocate_zeroed(events->allocator, sections_bytes(events));
    grove_status status = GROVE_NO_MEMORY;
    if (sorted != NULL && sections != NULL) {
        sort_operations(events, sections, sorted);
        status = type->operations_encode(
            type, (grove_operations){sorted, operations.count}, buffers, error_out);
    } else {
        status = grove__fail_memory(error_out);
    }
    grove__deallocate(events->allocator, sorted, bytes);
    grove__deallocate(events->allocator, sections, sections_bytes(events));
    return status;
}

/* Finds where each replica's operations begin. False: one reaches from one
 * replica's events to the next one's, or there are not as many as events. */
static bool find_sections(const grove__events *events, replica_section *sections)
{
    const grove_operation *items = grove__event_operations_items(events);
    size_t count = grove__event_operations_count(events);
    for (size_t run = 0; run < events->id_run_count; run++) {
        sections[events->id_runs[run].replica].events += events->id_runs[run].count;
    }
    size_t index = 0;
    for (size_t replica = 0; replica < events->replica_count; replica++) {
        sections[replica].next = index;
        for (uint32_t left = sections[replica].events; left > 0;) {
            if (index == count || items[index].count > left) {
                return false;
            }
            left -= items[index++].count;
        }
    }
    return index == count;
}

/* Puts the operations in the order of the events. False: one reaches across
 * the end of an id run. */
static bool arrange_operations(const grove__events *events, replica_section *sections,
                               grove_operation *arranged)
{
    const grove_operation *items = grove__event_operations_items(events);
    size_t index = 0;
    for (size_t run = 0; run < events->id_run_count; run++) {
        replica_section *section = &sections[events->id_runs[run].replica];
        for (uint32_t left = events->id_runs[run].count; left > 0;) {
            const grove_operation *item = &items[section->next++];
            if (item->count > left) {
                return false;
            }
            left -= item->count;
            arranged[index++] = *item;
        }
    }
    return true;
}

static grove_status restore_order(grove__events *events, const grove_document_type *type,
                                  grove_error *error_out)
{
    if (is_by_replica(events)) {
        return GROVE_OK;
    }
    replica_section *sections =
        grove__allocate_zeroed(events->allocator, sections_bytes(events));
    if (sections == NULL) {
        return grove__fail_memory(error_out);
    }
    grove_buffer arranged;
    grove_buffer_init(&arranged, events->allocator);
    grove_status status = GROVE_OK;
    if (!find_sections(events, sections)) {
        status = fail_operations(type, error_out, "of other events than their replicas'");
    } else if (grove_buffer_reserve(&arranged, events->operations.size) == NULL) {
        status = grove__fail_memory(error_out);
    } else if (!arrange_operations(events, sections,
                                   (grove_operation *)(void *)arranged.data)) {
        status = fail_operations(type, error_out, "one reaches across a border");
    } else {
        grove_buffer_grow(&arranged, events->operations.size);
        grove_buffer stored = events->operations;
        events->operations = arranged;
        arranged = stored;
    }
    grove_buffer_release(&arranged);
    grove__deallocate(events->allocator, sections, sections_bytes(events));
    return status;
}

/* The first event after `event` at which an id or parent run begins (E2). */
typedef struct border_walk {
    const grove__events *events;
    size_t id_run, parent_run;
} border_walk;

static uint32_t next_border(border_walk *walk, uint32_t event, uint32_t end)
{
    const grove__events *events = walk->events;
    uint32_t border = end;
    while (walk->id_run < events->id_run_count &&
           events->id_runs[walk->id_run].event <= event) {
        walk->id_run++;
    }
    while (walk->parent_run < events->parent_run_count &&
           events->parent_runs[walk->parent_run].event <= event) {
        walk->parent_run++;
    }
    if (walk->id_run < events->id_run_count) {
        border = events->id_runs[walk->id_run].event;
    }
    if (walk->parent_run < events->parent_run_count &&
        events->parent_runs[walk->parent_run].event < border) {
        border = events->parent_runs[walk->parent_run].event;
    }
    return border;
}

/*
 * Checks what every type has to keep: counts that add up and E2. Finds out
 * whether the contents lie one after the other in `content`.
 */
static grove_status check_operations(grove__events *events, size_t content_bytes_max,
                                     const grove_document_type *type,
                                     grove_error *error_out)
{
    grove_operation *items = grove__event_operations_items(events);
    size_t count = grove__event_operations_count(events);
    border_walk walk = {events, 0, 0};
    uint32_t at = 0;
    size_t content = 0;
    bool is_in_order = true;
    for (size_t index = 0; index < count; index++) {
        grove_operation *item = &items[index];
        if (item->count == 0 || item->count > events->count - at) {
            return fail_operations(type, error_out, "of other events than there are");
        }
        if (item->count > next_border(&walk, at, events->count) - at) {
            return fail_operations(type, error_out, "one reaches across a border");
        }
        if (item->content.size > content_bytes_max) {
            return fail_operations(type, error_out, "a content that is too large");
        }
        if (item->content.size == 0) {
            item->content.data = NULL;
        } else if (is_in_order) {
            is_in_order = item->content.data == events->content.data + content;
            content += item->content.size;
        }
        at += item->count;
    }
    if (at != events->count) {
        return fail_operations(type, error_out, "of fewer events than there are");
    }
    events->contents_in_order = is_in_order && content == events->content.size;
    return GROVE_OK;
}

grove_status grove__batch_operations_decode(grove_bytes structure, bool has_contents,
                                            const grove_document_type *type,
                                            grove__events *events, grove_error *error_out)
{
    grove_type_frames frames = {structure, grove_buffer_view(&events->content),
                                !has_contents};
    if (events->count == 0) {
        return frames.structure.size + frames.content.size == 0
                   ? GROVE_OK
                   : fail_operations(type, error_out, "of no events");
    }
    grove_status status = type->operations_decode(
        type, frames, events->count, &events->operations, &events->scratch, error_out);
    if (status == GROVE_OK) {
        status = restore_order(events, type, error_out);
    }
    if (status == GROVE_OK) {
        size_t content_bytes_max = has_contents ? GROVE_CONTENT_BYTES_MAX : 0;
        status = check_operations(events, content_bytes_max, type, error_out);
    }
    return status;
}
