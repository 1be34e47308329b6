/* The timestamps of a list of events: see events.h, E1. */
#ifndef GROVE_FORMAT_EVENT_TIMES_H
#define GROVE_FORMAT_EVENT_TIMES_H

#include "base/alloc.h"
#include "format/event_list.h"

/* Gives the next `count` events, at least 1, a timestamp. GROVE_NO_MEMORY. */
static inline grove_status grove__event_times_add(grove__events *events,
                                                  int64_t timestamp, uint32_t count)
{
    size_t runs = events->time_run_count;
    if (runs > 0 && events->time_runs[runs - 1].timestamp == timestamp) {
        events->time_runs[runs - 1].count += count;
        return GROVE_OK;
    }
    if (!grove__array_reserve(events->allocator, (void **)&events->time_runs,
                              &events->time_run_capacity, runs,
                              sizeof *events->time_runs)) {
        return GROVE_NO_MEMORY;
    }
    events->time_runs[runs] = (grove__time_run){timestamp, count};
    events->time_run_count++;
    return GROVE_OK;
}

/* How much there is, to come back to. */
typedef struct grove__event_times_mark {
    size_t count;
    uint32_t last_count; /* events of the last run */
} grove__event_times_mark;

static inline grove__event_times_mark grove__event_times_mark_of(
    const grove__events *events)
{
    size_t runs = events->time_run_count;
    return (grove__event_times_mark){runs,
                                     runs == 0 ? 0 : events->time_runs[runs - 1].count};
}

static inline void grove__event_times_rewind(grove__events *events,
                                             const grove__event_times_mark *mark)
{
    events->time_run_count = mark->count;
    if (mark->count > 0) {
        events->time_runs[mark->count - 1].count = mark->last_count;
    }
}

#endif
