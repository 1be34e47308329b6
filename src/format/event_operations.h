/*
 * The operations of a list of events and their contents, for those who build
 * a list: events.c and batch_operations.c.
 */
#ifndef GROVE_FORMAT_EVENT_OPERATIONS_H
#define GROVE_FORMAT_EVENT_OPERATIONS_H

#include "format/event_list.h"

static inline size_t grove__event_operations_count(const grove__events *events)
{
    return events->operations.size / sizeof(grove_operation);
}

/* Borrowed until the list changes; contents may not be set. */
static inline grove_operation *grove__event_operations_items(const grove__events *events)
{
    /* The buffer's memory is aligned for any type. */
    return (grove_operation *)(void *)events->operations.data;
}

/* Brings contents that a decoder left elsewhere into `content`, in order.
 * GROVE_NO_MEMORY. */
grove_status grove__event_operations_order(grove__events *events);

/*
 * Makes room for `operations` more with contents of `bytes` together, after
 * which adding them cannot fail. GROVE_NO_MEMORY.
 */
grove_status grove__event_operations_reserve(grove__events *events, size_t operations,
                                             size_t bytes);

/*
 * Adds an operation for which there is room. Where it may be joined (E2), the
 * last operation takes as many of its events as it can; the rest, if any,
 * becomes an operation of its own. Returns how many events were taken.
 */
uint32_t grove__event_operations_add(grove__events *events,
                                     const grove_document_type *type,
                                     const grove_operation *operation, bool may_join);

/* How much there is, to come back to. */
typedef struct grove__event_operations_mark {
    size_t operations_size, content_size;
    grove_operation last;
} grove__event_operations_mark;

grove__event_operations_mark grove__event_operations_mark_of(const grove__events *events);
void grove__event_operations_rewind(grove__events *events,
                                    const grove__event_operations_mark *mark);

#endif
