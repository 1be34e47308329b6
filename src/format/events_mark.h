/* Going back to what a list of events held before: for callers that append
 * and then find that the rest of their work fails. */
#ifndef GROVE_FORMAT_EVENTS_MARK_H
#define GROVE_FORMAT_EVENTS_MARK_H

#include "format/event_ids.h"
#include "format/event_operations.h"
#include "format/event_times.h"

typedef struct grove__events_mark {
    grove__event_ids_mark ids;
    grove__event_operations_mark operations;
    grove__event_times_mark times;
} grove__events_mark;

static inline grove__events_mark grove__events_mark_of(const grove__events *events)
{
    return (grove__events_mark){grove__event_ids_mark_of(events),
                                grove__event_operations_mark_of(events),
                                grove__event_times_mark_of(events)};
}

/* Takes back all that was appended since. O(runs appended). */
static inline void grove__events_rewind(grove__events *events,
                                        const grove__events_mark *mark)
{
    grove__event_ids_rewind(events, &mark->ids);
    grove__event_operations_rewind(events, &mark->operations);
    grove__event_times_rewind(events, &mark->times);
}

#endif
