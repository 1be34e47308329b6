#include "sequence/tracker.h"

#include "base/error.h"

void grove__tracker_init(grove__tracker *tracker, const grove_allocator *allocator,
                         grove__event_order order)
{
    grove__spans_init(&tracker->spans, allocator);
    tracker->order = order;
}

void grove__tracker_release(grove__tracker *tracker)
{
    grove__spans_release(&tracker->spans);
}

grove_status grove__tracker_clear(grove__tracker *tracker)
{
    return grove__spans_clear(&tracker->spans) ? GROVE_OK : GROVE_NO_MEMORY;
}

/* Room for what one call needs, and numbers within their bounds. */
static grove_status begin(grove__tracker *tracker, uint32_t event, uint32_t count,
                          grove_error *error_out)
{
    if (event >= GROVE__WHERE_NUMBERS_MAX || count > GROVE__WHERE_NUMBERS_MAX - event) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "more than %u events are concurrent with each other",
                           (unsigned)GROVE__WHERE_NUMBERS_MAX);
    }
    if (!grove__spans_reserve(&tracker->spans) ||
        !grove__where_reserve(&tracker->spans.where, event + count)) {
        return grove__fail_memory(error_out);
    }
    return GROVE_OK;
}

static grove_status fail_position(uint64_t position, grove_error *error_out)
{
    return grove__fail(error_out, GROVE_CORRUPT,
                       "position %llu is beyond all that can be there",
                       (unsigned long long)position);
}

/* Whether a new run goes on where the span directly before it ends, so that
 * both are one: typing that was cut into runs. */
static bool goes_on(const grove__span *span, uint32_t event, uint32_t left,
                    uint32_t right)
{
    return span->first < GROVE__SPANS_BEFORE && span->first + span->count == event &&
           left + 1 == event && span->right == right && span->state == 1 &&
           !span->is_dead;
}

grove_status grove__tracker_insert(grove__tracker *tracker, uint32_t event,
                                   uint32_t count, uint64_t position,
                                   uint64_t *effect_out, grove_error *error_out)
{
    grove__spans *spans = &tracker->spans;
    grove_status status = begin(tracker, event, count, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__spans_found at = {{0, 0}, 0, 0};
    grove__place cursor = {0, 0};
    uint32_t left = GROVE__SPANS_START;
    if (position > 0) {
        if (!grove__spans_seek(spans, position, &at)) {
            return fail_position(position, error_out);
        }
        const grove__span *span = grove__spans_at(spans, at.place);
        left = span->first + at.offset;
        at.effect += span->is_dead ? 0 : at.offset + 1;
        cursor = at.place;
        if (at.offset + 1 < span->count) {
            cursor = grove__spans_cut(spans, at.place, at.offset + 1);
        }
        cursor.index++;
    }
    grove__siblings_place found =
        grove__siblings_find(spans, tracker->order, event, left, cursor);
    grove__place before = {found.place.leaf, found.place.index - 1};
    if (found.place.index > 0 &&
        goes_on(grove__spans_at(spans, before), event, left, found.right)) {
        grove__spans_extend(spans, before, count);
    } else {
        (void)grove__spans_put(spans, found.place,
                               (grove__span){event, count, left, found.right, 1, false});
    }
    *effect_out = at.effect + found.passed;
    return GROVE_OK;
}

/* Makes a span of its own of `count` elements of a span, from `offset` on. */
static grove__place isolate(grove__spans *spans, grove__place place, uint32_t offset,
                            uint32_t count)
{
    if (offset > 0) {
        place = grove__spans_cut(spans, place, offset);
        place.index++;
    }
    if (count < grove__spans_at(spans, place)->count) {
        place = grove__spans_cut(spans, place, count);
    }
    return place;
}

grove_status grove__tracker_delete(grove__tracker *tracker, uint32_t event,
                                   uint32_t count, uint64_t position, bool is_backward,
                                   grove__deletion *deletion_out, grove_error *error_out)
{
    grove__spans *spans = &tracker->spans;
    grove_status status = begin(tracker, event, count, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__spans_found at;
    uint64_t further = is_backward ? count : 1;
    if (position > UINT64_MAX - further ||
        !grove__spans_seek(spans, position + further, &at)) {
        return fail_position(position, error_out);
    }
    const grove__span *span = grove__spans_at(spans, at.place);
    uint32_t target = span->first + at.offset;
    uint32_t available = is_backward ? at.offset + 1 : span->count - at.offset;
    uint32_t taken = available < count ? available : count;
    uint32_t offset = is_backward ? at.offset + 1 - taken : at.offset;
    bool was_dead = span->is_dead;
    grove__place place = isolate(spans, at.place, offset, taken);
    grove__spans_change(spans, place, 2, true);
    grove__where_put(&spans->where, (grove__where_piece){.first = event,
                                                         .value = target,
                                                         .is_deletion = true,
                                                         .is_backward = is_backward});
    *deletion_out =
        (grove__deletion){taken, at.effect + (was_dead ? 0 : offset), was_dead};
    return GROVE_OK;
}

/* Adds to the state of `count` elements from number `first` on. */
static grove_status shift(grove__tracker *tracker, uint32_t first, uint32_t count,
                          uint32_t change, grove_error *error_out)
{
    grove__spans *spans = &tracker->spans;
    while (count > 0) {
        if (!grove__spans_reserve(spans)) {
            return grove__fail_memory(error_out);
        }
        grove__place place = grove__spans_locate(spans, first);
        const grove__span *span = grove__spans_at(spans, place);
        uint32_t offset = first - span->first;
        uint32_t taken = span->count - offset < count ? span->count - offset : count;
        uint32_t state = span->state + change;
        if (state >= GROVE__WHERE_NUMBERS_MAX) {
            return grove__fail(error_out, GROVE_CORRUPT,
                               "an event was taken out of a version that lacks it");
        }
        place = isolate(spans, place, offset, taken);
        grove__spans_change(spans, place, state, grove__spans_at(spans, place)->is_dead);
        first += taken;
        count -= taken;
    }
    return GROVE_OK;
}

/* Adds to the states of all elements that the events inserted or deleted. The
 * sums are what matters, so ascending order will do in both directions. */
static grove_status shift_events(grove__tracker *tracker, uint32_t from, uint32_t end,
                                 uint32_t change, grove_error *error_out)
{
    const grove__where *where = &tracker->spans.where;
    grove_status status = GROVE_OK;
    while (status == GROVE_OK && from < end) {
        grove__where_piece piece = grove__where_find(where, from);
        uint32_t next = grove__where_next(where, from, end);
        uint32_t count = next - from;
        uint32_t first = from;
        if (piece.is_deletion) {
            uint32_t offset = from - piece.first;
            first = piece.is_backward ? piece.value - offset - (count - 1)
                                      : piece.value + offset;
        }
        status = shift(tracker, first, count, change, error_out);
        from = next;
    }
    return status;
}

grove_status grove__tracker_retreat(grove__tracker *tracker, uint32_t from, uint32_t end,
                                    grove_error *error_out)
{
    return shift_events(tracker, from, end, UINT32_MAX, error_out);
}

grove_status grove__tracker_advance(grove__tracker *tracker, uint32_t from, uint32_t end,
                                    grove_error *error_out)
{
    return shift_events(tracker, from, end, 1, error_out);
}
