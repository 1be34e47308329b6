/* The example of docs/FORMAT.md for the state of a merge. */
#include "base/alloc.h"
#include "format/examples.h"
#include "sequence/tracker_bytes.h"

static bool is_before(const void *context, uint32_t event, uint32_t other)
{
    (void)context;
    return event < other;
}

/* Makes what the page tells of. */
static void tell(grove__tracker *tracker)
{
    uint64_t effect;
    grove__deletion deletion;
    cr_assert_eq(grove__tracker_clear(tracker), GROVE_OK);
    cr_assert_eq(grove__tracker_insert(tracker, 0, 3, 2, &effect, NULL), GROVE_OK);
    cr_assert_eq(grove__tracker_retreat(tracker, 0, 3, NULL), GROVE_OK);
    cr_assert_eq(grove__tracker_insert(tracker, 3, 2, 2, &effect, NULL), GROVE_OK);
    cr_assert_eq(effect, 5);
    cr_assert_eq(grove__tracker_retreat(tracker, 3, 5, NULL), GROVE_OK);
    cr_assert_eq(grove__tracker_advance(tracker, 0, 3, NULL), GROVE_OK);
    cr_assert_eq(grove__tracker_delete(tracker, 5, 1, 5, false, &deletion, NULL),
                 GROVE_OK);
    cr_assert_eq(grove__tracker_delete(tracker, 6, 3, 2, true, &deletion, NULL),
                 GROVE_OK);
    cr_assert_eq(deletion.count, 3);
}

void check_merge_state_example(grove_bytes page)
{
    grove__tracker told;
    grove__tracker read;
    grove_buffer bytes;
    const grove__event_order order = {NULL, is_before};
    grove__tracker_init(&told, &grove__allocator_system, order);
    grove__tracker_init(&read, &grove__allocator_system, order);
    grove_buffer_init(&bytes, &grove__allocator_system);
    tell(&told);
    cr_assert_eq(grove__tracker_encode(&told, 9, &bytes), GROVE_OK);
    assert_bytes(grove_buffer_view(&bytes), page);
    cr_assert_eq(grove__tracker_decode(&read, 9, page, NULL), GROVE_OK);
    static const grove__span spans[] = {
        {GROVE__SPANS_BEFORE, 2, GROVE__SPANS_START, GROVE__SPANS_END, 1, false},
        {0, 3, GROVE__SPANS_BEFORE + 1, GROVE__SPANS_BEFORE + 2, 2, true},
        {3, 2, GROVE__SPANS_BEFORE + 1, GROVE__SPANS_BEFORE + 2, 0, false},
        {GROVE__SPANS_BEFORE + 2, 1, GROVE__SPANS_BEFORE + 1, GROVE__SPANS_END, 2, true},
        {GROVE__SPANS_BEFORE + 3, GROVE__SPANS_BEFORE_COUNT - 3, GROVE__SPANS_BEFORE + 2,
         GROVE__SPANS_END, 1, false},
    };
    grove__place place = {0, 0};
    for (size_t index = 0; index < sizeof spans / sizeof *spans; index++) {
        cr_assert(grove__spans_normalize(&read.spans, &place));
        const grove__span *span = grove__spans_at(&read.spans, place);
        cr_assert_eq(span->first, spans[index].first);
        cr_assert_eq(span->count, spans[index].count);
        cr_assert_eq(span->left, spans[index].left);
        cr_assert_eq(span->right, spans[index].right);
        cr_assert_eq(span->state, spans[index].state);
        cr_assert_eq(span->is_dead, spans[index].is_dead);
        place.index++;
    }
    cr_assert_not(grove__spans_normalize(&read.spans, &place));
    grove_buffer_release(&bytes);
    grove__tracker_release(&read);
    grove__tracker_release(&told);
}
