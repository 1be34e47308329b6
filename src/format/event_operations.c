/* The operations of a list of events: see event_operations.h. */
#include "format/event_operations.h"

#include "base/assert.h"

grove_status grove__event_operations_order(grove__events *events)
{
    if (events->contents_in_order) {
        return GROVE_OK;
    }
    grove_operation *items = grove__event_operations_items(events);
    size_t count = grove__event_operations_count(events);
    grove_buffer content;
    grove_buffer_init(&content, events->allocator);
    for (size_t index = 0; index < count; index++) {
        grove_buffer_append(&content, items[index].content.data,
                            items[index].content.size);
    }
    if (content.failed) {
        grove_buffer_release(&content);
        return GROVE_NO_MEMORY;
    }
    for (size_t index = 0; index < count; index++) {
        items[index].content.data = NULL;
    }
    grove_buffer_release(&events->content);
    grove_buffer_release(&events->scratch);
    events->content = content;
    events->contents_in_order = true;
    events->contents_set = 0;
    return GROVE_OK;
}

/* Room in a buffer, which stays usable when there is none. */
static bool reserve(grove_buffer *buffer, size_t bytes)
{
    if (bytes <= buffer->capacity - buffer->size && buffer->data != NULL) {
        return true;
    }
    bool is_there = grove_buffer_reserve(buffer, bytes) != NULL;
    buffer->failed = false;
    return is_there;
}

grove_status grove__event_operations_reserve(grove__events *events, size_t operations,
                                             size_t bytes)
{
    GROVE_ASSERT(events->contents_in_order);
    /* Neither product nor sum can be too large: there are at most
     * GROVE_BATCH_EVENTS_MAX operations. */
    if (!reserve(&events->operations, operations * sizeof(grove_operation)) ||
        (bytes > 0 && !reserve(&events->content, bytes))) {
        return GROVE_NO_MEMORY;
    }
    return GROVE_OK;
}

/* Joins `next` to `last`; its content is still to be appended. */
static bool join(const grove_document_type *type, grove_operation *last,
                 const grove_operation *next)
{
    size_t bytes_max = (size_t)GROVE_CONTENT_BYTES_MAX;
    if (next->content.size > bytes_max - last->content.size ||
        !type->operation_join(type, last, next)) {
        return false;
    }
    last->content.size += next->content.size;
    return true;
}

/* Joins as many events of `next`, but not all, as `last` takes. */
static uint32_t join_most(const grove_document_type *type, grove_operation *last,
                          const grove_operation *next)
{
    /* `last` takes `taken` events and does not take `refused`. */
    uint32_t taken = 0;
    uint32_t refused = next->count;
    grove_operation best = *last;
    while (refused - taken > 1) {
        uint32_t count = taken == 0 ? 1 : taken + (refused - taken) / 2;
        grove_operation first;
        grove_operation rest;
        type->operation_cut(type, next, count, &first, &rest);
        grove_operation joined = *last;
        if (join(type, &joined, &first)) {
            best = joined;
            taken = count;
        } else if (count == 1) {
            break;
        } else {
            refused = count;
        }
    }
    *last = best;
    return taken;
}

uint32_t grove__event_operations_add(grove__events *events,
                                     const grove_document_type *type,
                                     const grove_operation *operation, bool may_join)
{
    grove_operation *end =
        (grove_operation *)(void *)(events->operations.data + events->operations.size);
    uint32_t taken = 0;
    if (may_join && events->operations.size > 0) {
        if (join(type, end - 1, operation)) {
            taken = operation->count;
        } else if (operation->count > 1) {
            taken = join_most(type, end - 1, operation);
        }
    }
    if (taken == 0) {
        *end = *operation;
    } else if (taken < operation->count) {
        grove_operation first;
        type->operation_cut(type, operation, taken, &first, end);
    }
    if (taken < operation->count) {
        end->content.data = NULL;
        events->operations.size += sizeof *end;
    }
    if (operation->content.size > 0) {
        memcpy(events->content.data + events->content.size, operation->content.data,
               operation->content.size);
        events->content.size += operation->content.size;
    }
    return taken;
}

grove__event_operations_mark grove__event_operations_mark_of(const grove__events *events)
{
    grove__event_operations_mark mark = {
        events->operations.size, events->content.size, {0, 0, 0, {NULL, 0}}};
    size_t count = grove__event_operations_count(events);
    if (count > 0) {
        mark.last = grove__event_operations_items(events)[count - 1];
    }
    return mark;
}

void grove__event_operations_rewind(grove__events *events,
                                    const grove__event_operations_mark *mark)
{
    events->operations.size = mark->operations_size;
    events->content.size = mark->content_size;
    size_t count = grove__event_operations_count(events);
    if (count > 0) {
        grove__event_operations_items(events)[count - 1] = mark->last;
    }
    /* The mark may be from before the last one's content was set. */
    if (events->contents_set >= count) {
        events->contents_set = count > 0 ? count - 1 : 0;
    }
}
