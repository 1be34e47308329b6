#include "document/operations.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/checked.h"
#include "base/error.h"

/* An operation with the clock of its first event. */
typedef struct placed {
    uint64_t clock;
    grove_operation operation;
} placed;

void grove__operation_list_init(grove__operation_list *list,
                                const grove_document *document)
{
    list->type = document->type;
    list->near = 0;
    grove_buffer_init(&list->items, document->allocator);
    grove_buffer_init(&list->owned, document->allocator);
}

void grove__operation_list_release(grove__operation_list *list)
{
    grove__events **owned = (grove__events **)(void *)list->owned.data;
    for (size_t index = 0; index < list->owned.size / sizeof(void *); index++) {
        grove__events_release(owned[index]);
        grove__deallocate(list->owned.allocator, owned[index], sizeof **owned);
    }
    grove_buffer_release(&list->items);
    grove_buffer_release(&list->owned);
}

/* What of an operation, of which the first event is at `*clock`, the events
 * from `from` to `end` - 1 are; there is one. */
static grove_operation clip(const grove_document_type *type, grove_operation operation,
                            uint64_t *clock, uint64_t from, uint64_t end)
{
    grove_operation whole = operation;
    grove_operation other;
    if (*clock < from) {
        type->operation_cut(type, &whole, (uint32_t)(from - *clock), &other, &operation);
        *clock = from;
    }
    if (operation.count > end - *clock) {
        whole = operation;
        type->operation_cut(type, &whole, (uint32_t)(end - *clock), &operation, &other);
    }
    return operation;
}

grove_status grove__operation_list_add(grove__operation_list *list, grove__events *events,
                                       uint64_t first_clock, uint64_t from, uint64_t end,
                                       grove_error *error_out)
{
    grove_operations operations = grove__events_operations(events);
    /* From the end back, for what is asked for is mostly the newest. */
    uint64_t next = first_clock + events->count;
    size_t index = operations.count;
    while (index > 0 && next > from) {
        next -= operations.items[--index].count;
    }
    for (; index < operations.count && next < end; index++) {
        placed item = {next, operations.items[index]};
        next += item.operation.count;
        if (next > from) {
            item.operation = clip(list->type, item.operation, &item.clock, from, end);
            grove_buffer_append(&list->items, &item, sizeof item);
        }
    }
    return list->items.failed ? grove__fail_memory(error_out) : GROVE_OK;
}

/* An empty list of events that lives as long as the operations. */
static grove_status own_events(grove__operation_list *list, grove__events **events_out,
                               grove_error *error_out)
{
    const grove_allocator *allocator = list->owned.allocator;
    grove__events *events = grove__allocate(allocator, sizeof *events);
    if (events == NULL) {
        return grove__fail_memory(error_out);
    }
    grove__events_init(events, allocator);
    grove_buffer_append(&list->owned, &events, sizeof(void *));
    if (list->owned.failed) {
        grove__deallocate(allocator, events, sizeof *events);
        return grove__fail_memory(error_out);
    }
    *events_out = events;
    return GROVE_OK;
}

/* Reads the batch with the event at `clock` into `events`. */
static grove_status read_batch(grove_document *document, grove__txn *txn, uint64_t clock,
                               bool with_contents, grove__batch_reader *reader,
                               grove__events *events, grove_error *error_out)
{
    uint64_t first = 0;
    grove_status status = grove__batch_find(document, txn, clock, &first, error_out);
    if (status == GROVE_OK) {
        status = grove__batch_read(document, txn, first, reader, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__batch_decode(&reader->block, document->type,
                                     GROVE__DECODE_GRAPH | GROVE__DECODE_OPERATIONS |
                                         (with_contents ? GROVE__DECODE_CONTENTS : 0u),
                                     events, error_out);
    }
    if (status == GROVE_OK && first + events->count <= clock) {
        status = grove__fail(error_out, GROVE_CORRUPT, "a batch is missing at clock %llu",
                             (unsigned long long)clock);
    }
    return status;
}

grove_status grove__operation_list_read(grove__operation_list *list,
                                        grove_document *document, grove__txn *txn,
                                        uint64_t from, uint64_t end, bool with_contents,
                                        grove_error *error_out)
{
    grove__batch_reader reader;
    grove__events scratch;
    grove__batch_reader_init(&reader, document->allocator);
    grove__events_init(&scratch, document->allocator);
    grove_status status = GROVE_OK;
    while (status == GROVE_OK && from < end) {
        grove__events *events = &scratch;
        if (with_contents) {
            status = own_events(list, &events, error_out);
        }
        if (status == GROVE_OK) {
            status = read_batch(document, txn, from, with_contents, &reader, events,
                                error_out);
        }
        if (status == GROVE_OK) {
            uint64_t first = reader.header.first_clock;
            uint64_t until = grove__min_u64(first + events->count, end);
            status =
                grove__operation_list_add(list, events, first, from, until, error_out);
            from = until;
        }
    }
    grove__events_release(&scratch);
    grove__batch_reader_release(&reader);
    return status;
}

static bool has_event(const placed *item, uint64_t clock)
{
    return clock >= item->clock && clock - item->clock < item->operation.count;
}

static const placed *find(grove__operation_list *list, uint64_t clock)
{
    const placed *items = (const placed *)(const void *)list->items.data;
    size_t count = list->items.size / sizeof *items;
    if (has_event(&items[list->near], clock)) {
        return &items[list->near];
    }
    if (list->near + 1 < count && has_event(&items[list->near + 1], clock)) {
        return &items[++list->near];
    }
    size_t low = 0;
    size_t high = count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (items[middle].clock <= clock) {
            low = middle;
        } else {
            high = middle;
        }
    }
    GROVE_ASSERT(has_event(&items[low], clock));
    list->near = low;
    return &items[low];
}

grove_operation grove__operation_list_get(grove__operation_list *list, uint64_t clock,
                                          uint64_t end)
{
    const placed *item = find(list, clock);
    uint64_t first = item->clock;
    return clip(list->type, item->operation, &first, clock, end);
}
