#include "naive.h"

void naive_init(naive_tracker *tracker, grove__event_order order, uint32_t before,
                uint32_t count)
{
    cr_assert_leq(count, NAIVE_WINDOW_MAX);
    tracker->order = order;
    tracker->before = before;
    tracker->count = count;
    for (uint32_t index = 0; index < count; index++) {
        tracker->items[index] = (naive_element){.number = before + index, .state = 1};
    }
}

uint64_t naive_prepare(const naive_tracker *tracker)
{
    uint64_t prepare = 0;
    for (uint32_t index = 0; index < tracker->count; index++) {
        prepare += tracker->items[index].state == 1;
    }
    return prepare;
}

uint32_t naive_index_of(const naive_tracker *tracker, uint32_t number)
{
    uint32_t index = 0;
    while (tracker->items[index].number != number) {
        index++;
        cr_assert_lt(index, tracker->count, "there is no element %u", number);
    }
    return index;
}

uint64_t naive_effect_before(const naive_tracker *tracker, uint32_t index)
{
    uint64_t effect = 0;
    while (index > 0) {
        effect += !tracker->items[--index].is_dead;
    }
    return effect;
}

/* The index of the element at a position. */
static uint32_t index_at(const naive_tracker *tracker, uint64_t position)
{
    uint32_t index = 0;
    while (position > 0 || tracker->items[index].state != 1) {
        position -= tracker->items[index].state == 1;
        index++;
        cr_assert_lt(index, tracker->count);
    }
    return index;
}

static uint32_t place_after(const naive_tracker *tracker, uint32_t number)
{
    return number == GROVE__SPANS_START ? 0 : naive_index_of(tracker, number) + 1;
}

static uint32_t place_before(const naive_tracker *tracker, uint32_t number)
{
    return number == GROVE__SPANS_END ? tracker->count : naive_index_of(tracker, number);
}

naive_place naive_find(const naive_tracker *tracker, uint32_t event, uint64_t position)
{
    uint32_t cursor = position == 0 ? 0 : index_at(tracker, position - 1) + 1;
    uint32_t known = cursor;
    while (known < tracker->count && tracker->items[known].state == 0) {
        known++;
    }
    naive_place place = {.index = cursor};
    place.left = cursor == 0 ? GROVE__SPANS_START : tracker->items[cursor - 1].number;
    place.right =
        known == tracker->count ? GROVE__SPANS_END : tracker->items[known].number;
    bool is_scanning = false;
    for (uint32_t index = cursor; index < known; index++) {
        const naive_element *other = &tracker->items[index];
        uint32_t left = place_after(tracker, other->left);
        if (left < cursor) {
            break;
        }
        if (left == cursor) {
            uint32_t right = place_before(tracker, other->right);
            if (right == known &&
                tracker->order.is_before(tracker->order.context, event, other->number)) {
                break;
            }
            is_scanning = right < known;
        }
        if (!is_scanning) {
            place.index = index + 1;
        }
    }
    place.effect = naive_effect_before(tracker, place.index);
    return place;
}

uint64_t naive_insert(naive_tracker *tracker, uint32_t event, uint64_t position)
{
    naive_place place = naive_find(tracker, event, position);
    cr_assert_lt(event, NAIVE_EVENTS_MAX);
    memmove(tracker->items + place.index + 1, tracker->items + place.index,
            (tracker->count - place.index) * sizeof *tracker->items);
    tracker->items[place.index] = (naive_element){
        .number = event, .left = place.left, .right = place.right, .state = 1};
    tracker->count++;
    tracker->targets[event] = event;
    return place.effect;
}

naive_deletion naive_delete(naive_tracker *tracker, uint32_t event, uint64_t position)
{
    uint32_t index = index_at(tracker, position);
    naive_element *element = &tracker->items[index];
    naive_deletion deletion = {naive_effect_before(tracker, index), element->is_dead};
    cr_assert_lt(event, NAIVE_EVENTS_MAX);
    tracker->targets[event] = element->number;
    element->state++;
    element->is_dead = true;
    return deletion;
}

void naive_retreat(naive_tracker *tracker, uint32_t event)
{
    tracker->items[naive_index_of(tracker, tracker->targets[event])].state--;
}

void naive_advance(naive_tracker *tracker, uint32_t event)
{
    tracker->items[naive_index_of(tracker, tracker->targets[event])].state++;
}

/* Elements of a span outside of the window: none of them changes. */
static bool is_outside(const naive_tracker *tracker, uint32_t number, uint32_t window)
{
    return number >= GROVE__SPANS_BEFORE &&
           (number < tracker->before || number - tracker->before >= window);
}

void naive_check_same(const naive_tracker *tracker, const grove__spans *spans)
{
    const char *fault = grove__spans_check(spans);
    cr_assert_null(fault, "%s", fault);
    uint32_t window = 0;
    for (uint32_t index = 0; index < tracker->count; index++) {
        window += tracker->items[index].number >= GROVE__SPANS_BEFORE;
    }
    uint32_t index = 0;
    for (grove__place place = {0, 0}; grove__spans_normalize(spans, &place);
         place.index++) {
        const grove__span *span = grove__spans_at(spans, place);
        for (uint32_t offset = 0; offset < span->count; offset++) {
            uint32_t number = span->first + offset;
            if (is_outside(tracker, number, window)) {
                cr_assert(span->state == 1 && !span->is_dead);
                /* All those up to the window, or to the end, are like it. */
                uint32_t last = number < tracker->before ? tracker->before - 1
                                                         : GROVE__SPANS_START - 1;
                last = last - span->first < span->count ? last
                                                        : span->first + span->count - 1;
                offset = last - span->first;
                continue;
            }
            cr_assert_lt(index, tracker->count);
            const naive_element *element = &tracker->items[index++];
            cr_assert_eq(number, element->number, "%u instead of %u", number,
                         element->number);
            cr_assert_eq(span->state, element->state, "element %u", number);
            cr_assert_eq(span->is_dead, element->is_dead, "element %u", number);
            if (number < GROVE__SPANS_BEFORE) {
                cr_assert_eq(offset == 0 ? span->left : number - 1, element->left);
                cr_assert_eq(span->right, element->right);
            }
        }
    }
    cr_assert_eq(index, tracker->count);
}
