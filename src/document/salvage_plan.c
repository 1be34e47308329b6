#include "document/salvage_plan.h"

#include "base/checked.h"

/* The first border of the batches `first` to `last` at or before the snapshot
 * that is a critical version: all after it hang on the event before it.
 * UINT64_MAX: there is none. */
static uint64_t find_border(const grove__survey_piece *batches, size_t first, size_t last,
                            const grove__survey_piece *snapshot)
{
    uint64_t bound = snapshot->reach;
    uint64_t found = UINT64_MAX;
    if (bound == UINT64_MAX || bound >= snapshot->clock) {
        /* One head: nothing before the snapshot is needed. */
        bound = snapshot->clock;
    }
    uint64_t end = batches[last].clock + batches[last].events;
    if (end == snapshot->clock && bound == snapshot->clock) {
        found = end;
    }
    for (size_t index = last + 1; index-- > first;) {
        if (!batches[index].is_sound) {
            continue;
        }
        bound = grove__min_u64(bound, batches[index].reach);
        if (batches[index].clock <= snapshot->clock && bound >= batches[index].clock) {
            found = batches[index].clock;
        }
    }
    return found;
}

/* Takes a chain if it leads further than the best so far, or as far with a
 * better base, or more history. */
static void consider(grove__salvage_chain *best, grove__salvage_chain other)
{
    bool is_better = !best->is_found || other.end > best->end;
    if (best->is_found && other.end == best->end) {
        is_better = other.is_critical == best->is_critical ? other.base < best->base
                                                           : other.is_critical;
    }
    if (is_better) {
        *best = other;
    }
}

/* Considers batches that a snapshot is among. */
static void consider_snapshot(const grove__survey_piece *batches, size_t first,
                              size_t last, const grove__survey_piece *snapshot,
                              grove__salvage_chain *best)
{
    uint64_t end = batches[last].clock + batches[last].events;
    uint64_t border = find_border(batches, first, last, snapshot);
    if (border != UINT64_MAX) {
        consider(best, (grove__salvage_chain){true, true, border, end});
    }
    for (size_t index = first; index <= last; index++) {
        if (batches[index].is_sound && batches[index].clock == snapshot->clock) {
            consider(best, (grove__salvage_chain){true, false, snapshot->clock, end});
        }
    }
}

/* Considers the batches `first` to `last`, which are sound and follow each
 * other. */
static void consider_batches(const grove__survey *source, size_t first, size_t last,
                             grove__salvage_chain *best)
{
    size_t count;
    const grove__survey_piece *batches = grove__survey_pieces(&source->batches, &count);
    const grove__survey_piece *snapshots =
        grove__survey_pieces(&source->snapshots, &count);
    uint64_t from = batches[first].clock;
    uint64_t end = batches[last].clock + batches[last].events;
    if (from == 0) {
        consider(best, (grove__salvage_chain){true, true, 0, end});
    }
    for (size_t index = 0; index < count; index++) {
        if (snapshots[index].is_sound && snapshots[index].clock >= from &&
            snapshots[index].clock <= end) {
            consider_snapshot(batches, first, last, &snapshots[index], best);
        }
    }
}

grove__salvage_chain grove__salvage_choose(const grove__survey *source)
{
    size_t count;
    const grove__survey_piece *batches = grove__survey_pieces(&source->batches, &count);
    grove__salvage_chain best = {.is_found = false};
    for (size_t first = 0; first < count; first++) {
        if (!batches[first].is_sound) {
            continue;
        }
        /* All that go on from here; beginnings of it lead less far. */
        size_t last = first;
        for (size_t next = first + 1; next < count; next++) {
            uint64_t end = batches[last].clock + batches[last].events;
            if (batches[next].is_sound && batches[next].clock != end) {
                break;
            }
            last = batches[next].is_sound ? next : last;
        }
        consider_batches(source, first, last, &best);
        first = last;
    }
    const grove__survey_piece *snapshots =
        grove__survey_pieces(&source->snapshots, &count);
    for (size_t index = 0; index < count; index++) {
        uint64_t clock = snapshots[index].clock;
        if (snapshots[index].is_sound) {
            bool has_one_head = clock == 0 || snapshots[index].reach == clock;
            consider(&best, (grove__salvage_chain){true, has_one_head, clock, clock});
        }
    }
    bool was_empty = source->has_meta && source->meta.events == 0;
    if (!best.is_found && was_empty) {
        best = (grove__salvage_chain){true, true, 0, 0};
    }
    return best;
}
