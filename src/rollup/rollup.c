#include "rollup/rollup.h"

#include "base/assert.h"
#include "base/checked.h"

enum { FAN_OUT = 8 };

grove__rollup_limits grove__rollup_limits_usual(void)
{
    grove__rollup_limits limits = {GROVE_ROLLUP_EVENTS_MAX, GROVE_ROLLUP_BYTES_MAX,
                                   FAN_OUT};
    return limits;
}

/* floor(log_fan_out(events)); 0 for 0. */
static unsigned level_of(uint64_t events, uint32_t fan_out)
{
    unsigned level = 0;
    for (; events >= fan_out; events /= fan_out) {
        level++;
    }
    return level;
}

/* How far back the cascade's next step would reach from a piece of `events`
 * events that stands for the last `taken`. */
static size_t step_reach(const grove__piece *pieces, size_t count, size_t taken,
                         uint64_t events, uint32_t fan_out)
{
    unsigned level = level_of(events, fan_out);
    size_t reach = taken;
    while (reach < count &&
           level_of(pieces[count - 1 - reach].events, fan_out) <= level) {
        reach++;
    }
    return reach - taken + 1 < fan_out ? taken : reach;
}

size_t grove__rollup_plan(const grove__piece *pieces, size_t count, size_t joined,
                          const grove__rollup_limits *limits)
{
    GROVE_ASSERT(joined >= 1 && joined <= count);
    size_t taken = 1;
    uint64_t events = pieces[count - 1].events;
    uint64_t bytes = pieces[count - 1].bytes;
    bool is_within = true;
    size_t reach = joined;
    while (is_within) {
        while (taken < reach && is_within) {
            const grove__piece *piece = &pieces[count - 1 - taken];
            is_within = events + piece->events <= limits->events_max &&
                        bytes + piece->bytes <= limits->bytes_max;
            if (is_within) {
                events += piece->events;
                bytes += piece->bytes;
                taken++;
            }
        }
        reach = step_reach(pieces, count, taken, events, limits->fan_out);
        if (reach == taken) {
            break;
        }
    }
    return taken == 1 ? 0 : taken;
}

size_t grove__seal_plan(const grove__piece *pieces, const bool *is_sealed, size_t count)
{
    size_t first = count;
    uint64_t events = 0;
    while (first > 0 &&
           !(is_sealed[first - 1] && pieces[first - 1].events / 2 > events)) {
        first--;
        events += pieces[first].events;
    }
    return first;
}

void grove__thin_snapshots(const grove__piece *snapshots, size_t count, uint64_t clock,
                           uint64_t bytes_max, bool *drop_out)
{
    uint64_t bytes = 0;
    uint64_t distance_kept = 0;
    for (size_t index = count; index > 0; index--) {
        const grove__piece *snapshot = &snapshots[index - 1];
        GROVE_ASSERT(snapshot->clock <= clock);
        bool is_kept = index == count;
        if (!is_kept) {
            bool is_bridged =
                index > 1 && (clock - snapshots[index - 2].clock) / 2 <= distance_kept;
            is_kept = !is_bridged && snapshot->bytes <= bytes_max - bytes;
            /* From the first that does not fit, none does. */
            bytes = is_kept || is_bridged ? bytes : bytes_max;
            bytes += is_kept ? snapshot->bytes : 0;
        }
        distance_kept = is_kept ? clock - snapshot->clock : distance_kept;
        drop_out[index - 1] = !is_kept;
    }
}
