#include "sequence/tracker_bytes.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "history.h"
#include "support/faulty_allocator.h"

#define NUMBERS_MAX GROVE__WHERE_NUMBERS_MAX
#define COUNT GROVE__SPANS_BEFORE_COUNT

static bool is_before(const void *context, uint32_t event, uint32_t other)
{
    (void)context;
    return event < other;
}

static const grove__event_order ORDER = {NULL, is_before};

static grove__tracker tracker_new(const grove_allocator *allocator)
{
    grove__tracker tracker;
    grove__tracker_init(&tracker, allocator, ORDER);
    cr_assert_eq(grove__tracker_clear(&tracker), GROVE_OK);
    return tracker;
}

static void insert(grove__tracker *tracker, uint32_t event, uint32_t count,
                   uint64_t position)
{
    uint64_t effect;
    cr_assert_eq(grove__tracker_insert(tracker, event, count, position, &effect, NULL),
                 GROVE_OK);
}

static void delete (grove__tracker *tracker, uint32_t event, uint32_t count,
                    uint64_t position, bool is_backward)
{
    for (uint32_t done = 0; done < count;) {
        grove__deletion deletion;
        cr_assert_eq(grove__tracker_delete(tracker, event + done, count - done, position,
                                           is_backward, &deletion, NULL),
                     GROVE_OK);
        done += deletion.count;
    }
}

static grove_buffer encode(const grove__tracker *tracker, uint32_t event_count)
{
    grove_buffer bytes;
    grove_buffer_init(&bytes, &grove__allocator_system);
    cr_assert_eq(grove__tracker_encode(tracker, event_count, &bytes), GROVE_OK);
    return bytes;
}

static void decode(grove__tracker *tracker, uint32_t event_count, grove_bytes bytes)
{
    grove_error error = {0};
    cr_assert_eq(grove__tracker_decode(tracker, event_count, bytes, &error), GROVE_OK,
                 "at %llu: %s", (unsigned long long)error.offset, error.message);
    const char *fault = grove__spans_check(&tracker->spans);
    cr_assert_null(fault, "%s", fault);
}

/* A tracker comes back from its bytes, and gives them again. */
static void check_bytes(const grove__tracker *tracker, uint32_t event_count,
                        grove_bytes expected)
{
    grove__tracker decoded;
    grove__tracker_init(&decoded, &grove__allocator_system, ORDER);
    grove_buffer bytes = encode(tracker, event_count);
    for (size_t index = 0; index < bytes.size; index++) {
        (void)fprintf(stderr, "\\x%02x", bytes.data[index]);
    }
    (void)fprintf(stderr, "\n");
    cr_assert(grove__bytes_equal(grove_buffer_view(&bytes), expected));
    decode(&decoded, event_count, expected);
    grove_buffer again = encode(&decoded, event_count);
    cr_assert(grove__bytes_equal(grove_buffer_view(&again), expected));
    grove_buffer_release(&again);
    grove_buffer_release(&bytes);
    grove__tracker_release(&decoded);
}

#define BYTES(string) ((grove_bytes){(const uint8_t *)(string), sizeof(string) - 1})

Test(tracker_bytes, a_tracker_of_nothing_is_one_span_of_what_was_before)
{
    grove__tracker tracker = tracker_new(&grove__allocator_system);
    check_bytes(&tracker, 0, BYTES("\1\1\0\0\0\0\0\x41\0"));
    grove__tracker_release(&tracker);
}

Test(tracker_bytes, a_run_of_typing_takes_no_more_than_its_count)
{
    grove__tracker tracker = tracker_new(&grove__allocator_system);
    insert(&tracker, 0, 100, 7);
    /* Cut by what was taken out and put back, it is one all the same. */
    cr_assert_eq(grove__tracker_retreat(&tracker, 20, 30, NULL), GROVE_OK);
    cr_assert_eq(grove__tracker_advance(&tracker, 20, 30, NULL), GROVE_OK);
    check_bytes(&tracker, 100, BYTES("\3\3\0\0\0\0\0\x41\x40\x41\7\x64\0"));
    grove__tracker_release(&tracker);
}

Test(tracker_bytes, deletions_that_go_on_are_one)
{
    grove__tracker tracker = tracker_new(&grove__allocator_system);
    insert(&tracker, 0, 10, 0);
    /* Backwards, of one and of more, then forwards: 9, 8, 7, 6; 0, 1, 2. */
    delete (&tracker, 10, 1, 9, false);
    delete (&tracker, 11, 2, 7, true);
    delete (&tracker, 13, 1, 6, false);
    delete (&tracker, 14, 1, 0, true);
    delete (&tracker, 15, 2, 0, false);
    check_bytes(&tracker, 17,
                BYTES("\4\4\0\0\0\0\2"
                      "\xa0\x40\xa0\x41"
                      "\3\3\4\0"
                      "\4\0"
                      "\x49\x24"));
    grove__tracker_release(&tracker);
}

static bool is_after(const void *context, uint32_t event, uint32_t other)
{
    return is_before(context, other, event);
}

Test(tracker_bytes, what_only_seems_to_go_on_stays_apart)
{
    grove__tracker tracker = tracker_new(&grove__allocator_system);
    tracker.order.is_before = is_after;
    insert(&tracker, 0, 1, 5);
    cr_assert_eq(grove__tracker_retreat(&tracker, 0, 1, NULL), GROVE_OK);
    insert(&tracker, 1, 1, 5);
    cr_assert_eq(grove__tracker_advance(&tracker, 0, 1, NULL), GROVE_OK);
    /* Directly behind event 1, but it knows of event 0 on its right. */
    insert(&tracker, 2, 1, 6);
    check_bytes(&tracker, 3,
                BYTES("\5\5\2\0\1\0\0"
                      "\x41\x42\x48\x46\x41"
                      "\5\1\1\1\0"
                      "\2\5"
                      "\1"));
    grove__tracker_release(&tracker);
}

/* --- histories --- */

/* A decoded tracker stands in for the one of a view, which is checked against
 * the naive one at each step. */
static void swap_for_decoded(history_view *view)
{
    uint32_t event_count = view->history->next;
    grove__tracker decoded;
    grove__tracker_init(&decoded, &grove__allocator_system, view->tracker.order);
    grove_buffer bytes = encode(&view->tracker, event_count);
    if (test_random_below(view->history->random, 2) == 0) {
        /* What it held before is gone. */
        cr_assert_eq(grove__tracker_clear(&decoded), GROVE_OK);
        insert(&decoded, 3, 100, 5);
        delete (&decoded, 0, 3, 9, true);
    }
    decode(&decoded, event_count, grove_buffer_view(&bytes));
    naive_check_same(&view->naive, &decoded.spans);
    grove_buffer again = encode(&decoded, event_count);
    cr_assert(grove__bytes_equal(grove_buffer_view(&again), grove_buffer_view(&bytes)));
    grove_buffer_release(&again);
    grove_buffer_release(&bytes);
    grove__tracker_release(&view->tracker);
    view->tracker = decoded;
}

static void begin_history(random_history *history, history_view *view,
                          test_random *random)
{
    history_init(history, random);
    history->first = 0;
    history->next = 0;
    history_view_init(view, history, &grove__allocator_system);
    history_view_clear(view);
}

Test(tracker_bytes, a_decoded_tracker_goes_on_like_the_one_that_was_encoded)
{
    static random_history history;
    static history_view view;
    test_random random = test_random_of("tracker_bytes");
    for (uint32_t round = 0; round < 120; round++) {
        begin_history(&history, &view, &random);
        uint32_t count = (uint32_t)test_random_below(&random, round % 10 == 0 ? 250 : 60);
        while (history.run_count < count) {
            history_grow(&view);
            naive_check_same(&view.naive, &view.tracker.spans);
            if (test_random_below(&random, 4) == 0) {
                event_set version = history_random_version(&view);
                history_move(&view, &version);
            }
            if (test_random_below(&random, 6) == 0) {
                swap_for_decoded(&view);
            }
        }
        swap_for_decoded(&view);
        event_set none = {{0}};
        history_move(&view, &none);
        naive_check_same(&view.naive, &view.tracker.spans);
        event_set all = view.applied;
        history_move(&view, &all);
        naive_check_same(&view.naive, &view.tracker.spans);
        history_view_release(&view);
    }
}

/* --- damage --- */

/* Every call, with whatever comes: it may fail, but the spans stay sound. */
static void use(grove__tracker *tracker, uint32_t event_count, test_random *random)
{
    for (uint32_t step = 0; step < 30; step++) {
        uint64_t position = test_random_below(random, 2) == 0
                                ? test_random_below(random, 60)
                                : COUNT - 60 + test_random_below(random, 120);
        uint32_t count = 1 + (uint32_t)test_random_below(random, 5);
        uint32_t from = (uint32_t)test_random_below(random, event_count + 1);
        uint32_t end = from + (uint32_t)test_random_below(random, event_count - from + 1);
        uint64_t effect;
        grove__deletion deletion;
        grove_status status = GROVE_OK;
        switch (test_random_below(random, 4)) {
        case 0:
            status = grove__tracker_insert(tracker, event_count, count, position, &effect,
                                           NULL);
            event_count += status == GROVE_OK ? count : 0;
            break;
        case 1:
            status = grove__tracker_delete(tracker, event_count, count, position,
                                           count % 2 == 0, &deletion, NULL);
            event_count += status == GROVE_OK ? deletion.count : 0;
            break;
        case 2:
            status = grove__tracker_retreat(tracker, from, end, NULL);
            break;
        default:
            status = grove__tracker_advance(tracker, from, end, NULL);
            break;
        }
        cr_assert(status == GROVE_OK || status == GROVE_CORRUPT);
        const char *fault = grove__spans_check(&tracker->spans);
        cr_assert_null(fault, "%s", fault);
    }
}

/* Decodes; what then comes of it survives use. Whether it decoded. */
static bool try_decode(uint32_t event_count, grove_bytes bytes, test_random *random)
{
    grove__tracker tracker;
    grove_error error = {0};
    uint8_t *copy = malloc(bytes.size > 0 ? bytes.size : 1);
    cr_assert_not_null(copy);
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    grove__tracker_init(&tracker, &grove__allocator_system, ORDER);
    grove_status status = grove__tracker_decode(&tracker, event_count,
                                                (grove_bytes){copy, bytes.size}, &error);
    free(copy);
    if (status == GROVE_OK) {
        cr_assert_null(grove__spans_check(&tracker.spans));
        grove_buffer again = encode(&tracker, event_count);
        use(&tracker, event_count, random);
        decode(&tracker, event_count, grove_buffer_view(&again));
        grove_buffer more = encode(&tracker, event_count);
        cr_assert(
            grove__bytes_equal(grove_buffer_view(&again), grove_buffer_view(&more)));
        grove_buffer_release(&more);
        grove_buffer_release(&again);
    } else {
        cr_assert_eq(status, GROVE_CORRUPT);
        cr_assert_eq(error.status, GROVE_CORRUPT);
        cr_assert_leq(error.offset, bytes.size);
        cr_assert(strstr(error.message, "state of a merge: ") == error.message);
        cr_assert_eq(grove__tracker_clear(&tracker), GROVE_OK);
        use(&tracker, 0, random);
    }
    grove__tracker_release(&tracker);
    return status == GROVE_OK;
}

static grove_buffer random_bytes(test_random *random, uint32_t *event_count_out)
{
    static random_history history;
    static history_view view;
    begin_history(&history, &view, random);
    uint32_t count = 5 + (uint32_t)test_random_below(random, 40);
    while (history.run_count < count) {
        history_grow(&view);
    }
    event_set version = history_random_version(&view);
    history_move(&view, &version);
    *event_count_out = history.next;
    grove_buffer bytes = encode(&view.tracker, history.next);
    history_view_release(&view);
    return bytes;
}

Test(tracker_bytes, what_is_cut_off_or_too_long_is_corrupt)
{
    test_random random = test_random_of("tracker_bytes");
    for (uint32_t round = 0; round < 20; round++) {
        uint32_t event_count;
        grove_buffer bytes = random_bytes(&random, &event_count);
        for (size_t size = 0; size < bytes.size; size++) {
            cr_assert_not(
                try_decode(event_count, (grove_bytes){bytes.data, size}, &random));
        }
        cr_assert(try_decode(event_count, grove_buffer_view(&bytes), &random));
        /* Deletions may be as many as there are events left. */
        (void)try_decode(event_count + 1, grove_buffer_view(&bytes), &random);
        (void)try_decode(event_count - 1, grove_buffer_view(&bytes), &random);
        cr_assert_not(try_decode(0, grove_buffer_view(&bytes), &random));
        grove_buffer_u8(&bytes, 0);
        cr_assert_not(try_decode(event_count, grove_buffer_view(&bytes), &random));
        grove_buffer_release(&bytes);
    }
}

Test(tracker_bytes, whatever_bytes_are_changed_no_tracker_comes_or_a_sound_one)
{
    test_random random = test_random_of("tracker_bytes");
    uint32_t sound = 0;
    for (uint32_t round = 0; round < 60; round++) {
        uint32_t event_count;
        grove_buffer bytes = random_bytes(&random, &event_count);
        for (uint32_t change = 0; change < 200; change++) {
            grove_buffer changed;
            grove_buffer_init(&changed, &grove__allocator_system);
            grove_buffer_append(&changed, bytes.data, bytes.size);
            for (uint64_t left = 1 + test_random_below(&random, 3); left > 0; left--) {
                uint8_t *byte = &changed.data[test_random_below(&random, bytes.size)];
                uint64_t way = test_random_below(&random, 3);
                uint64_t bit = UINT64_C(1) << test_random_below(&random, 8);
                *byte = (uint8_t)(way == 0   ? test_random_next(&random)
                                  : way == 1 ? *byte ^ bit
                                             : *byte + UINT64_C(1));
            }
            sound += try_decode(event_count, grove_buffer_view(&changed), &random);
            grove_buffer_release(&changed);
        }
        grove_buffer_release(&bytes);
    }
    /* Else the test has not seen what it is about. */
    cr_assert_gt(sound, 100, "only %u decoded", sound);
}

static const struct {
    const char *fault;
    uint32_t event_count;
    uint64_t offset;
    grove_bytes bytes;
} DAMAGED[] = {
    {"columns end early", 0, 0, {NULL, 0}},
    {"columns end early", 0, 7, {(const uint8_t *)"\1\1\0\0\0\0\0", 7}},
    {"less than was before", 0, 7, {(const uint8_t *)"\0\0\0\0\0\0\0", 7}},
    {"less than was before", 0, 9, {(const uint8_t *)"\1\1\0\0\0\0\0\x41\5", 9}},
    {"more than was before", 0, 11, {(const uint8_t *)"\2\2\0\0\0\0\0\x41\x41\0\0", 11}},
    {"more than was before",
     0,
     13,
     {(const uint8_t *)"\1\5\0\0\0\0\0\x41\xf3\x3f\xcf\xff\x7f", 13}},
    {"kind that cannot be", 0, 8, {(const uint8_t *)"\1\1\0\0\0\0\0\x43\0", 9}},
    {"kind that cannot be", 0, 8, {(const uint8_t *)"\1\1\0\0\0\0\0\x45\0", 9}},
    {"kind that cannot be", 0, 8, {(const uint8_t *)"\1\1\0\0\0\0\0\x51\0", 9}},
    {"state that cannot be",
     0,
     14,
     {(const uint8_t *)"\1\1\0\5\0\0\0\xc1\0\xf3\x3d\xcf\xff\x3f", 14}},
    {"another length", 0, 9, {(const uint8_t *)"\1\2\0\0\0\0\0\x41\0\0", 10}},
    {"no event", 0, 11, {(const uint8_t *)"\2\2\0\0\0\0\0\x40\x41\1\0", 11}},
    {"more events than", 2, 10, {(const uint8_t *)"\2\2\0\0\0\0\0\x40\x41\3\0", 11}},
    {"more events than", 2, 10, {(const uint8_t *)"\2\2\0\0\0\0\0\x40\x41\0\0", 11}},
    /* Two spans with the same event, and one that begins in another. */
    {"more events than",
     1,
     12,
     {(const uint8_t *)"\3\3\1\0\0\0\0\x40\x42\x41\1\1\0\1", 14}},
    {"inserted twice",
     3,
     14,
     {(const uint8_t *)"\3\3\1\0\0\0\1\x40\x42\x41\2\1\0\1\0\2", 16}},
    /* Deletions: more than a gap, of nothing, of themselves. */
    {"other events", 1, 10, {(const uint8_t *)"\1\1\0\0\0\0\1\x41\0\2\2", 11}},
    {"columns end early", 1, 9, {(const uint8_t *)"\1\1\0\0\0\0\4\x41\0\1", 10}},
    {"other events", 1, 9, {(const uint8_t *)"\1\1\0\0\0\0\0\x41\0", 9}},
    {"no element", 1, 11, {(const uint8_t *)"\1\1\0\0\0\0\1\x41\0\0\6", 11}},
    {"no element", 1, 11, {(const uint8_t *)"\1\1\0\0\0\0\1\x41\0\0\0", 11}},
    {"no element", 2, 11, {(const uint8_t *)"\1\1\0\0\0\0\1\x41\0\0\3", 11}},
    {"another length", 1, 11, {(const uint8_t *)"\1\1\0\0\0\0\1\x41\0\0\2\2", 12}},
    /* Origins: a deletion, none, not there yet, left instead of right,
     * beyond. */
    {"left origin", 2, 13, {(const uint8_t *)"\2\2\1\0\1\0\1\x46\x41\1\0\2\0\0\2", 15}},
    {"left origin", 1, 12, {(const uint8_t *)"\2\2\0\0\1\0\0\x44\x41\1\0\0", 12}},
    {"left origin", 1, 12, {(const uint8_t *)"\2\2\0\0\1\0\0\x44\x41\1\0\3", 12}},
    {"left origin", 2, 15, {(const uint8_t *)"\3\3\2\0\0\0\0\x42\x42\x41\1\1\0\2\3", 15}},
    {"right origin", 2, 13, {(const uint8_t *)"\3\3\0\0\0\0\0\x48\x40\x41\1\1\0", 13}},
    {"right origin",
     2,
     15,
     {(const uint8_t *)"\4\4\0\0\0\0\0\x40\x41\x50\x41\1\5\1\0", 15}},
    {"right origin",
     1,
     16,
     {(const uint8_t *)"\2\2\0\0\0\5\0\x58\x41\1\0\xf3\x41\xcf\xff\xff", 16}},
    {"another length", 1, 11, {(const uint8_t *)"\2\2\0\0\0\1\0\x40\x41\1\0\0", 12}},
};

Test(tracker_bytes, what_cannot_be_is_corrupt_at_its_offset)
{
    for (size_t index = 0; index < sizeof DAMAGED / sizeof *DAMAGED; index++) {
        grove__tracker tracker;
        grove_error error = {0};
        grove__tracker_init(&tracker, &grove__allocator_system, ORDER);
        grove_status status = grove__tracker_decode(&tracker, DAMAGED[index].event_count,
                                                    DAMAGED[index].bytes, &error);
        (void)fprintf(stderr, "case %zu: %s at %llu\n", index, error.message,
                      (unsigned long long)error.offset);
        cr_expect_eq(status, GROVE_CORRUPT, "case %zu", index);
        cr_expect_eq(error.offset, DAMAGED[index].offset, "case %zu", index);
        cr_expect(strstr(error.message, DAMAGED[index].fault) != NULL, "case %zu", index);
        grove__tracker_release(&tracker);
    }
}

Test(tracker_bytes, numbers_have_a_limit)
{
    grove__tracker tracker;
    grove_error error = {0};
    grove__tracker_init(&tracker, &grove__allocator_system, ORDER);
    cr_assert_eq(grove__tracker_decode(&tracker, NUMBERS_MAX + 1,
                                       BYTES("\1\1\0\0\0\0\1\x41\0\0\2"), &error),
                 GROVE_CORRUPT);
    cr_assert(strstr(error.message, "more events than there can be") != NULL);
    grove__tracker_release(&tracker);
}

/* --- memory --- */

Test(tracker_bytes, a_failed_allocation_is_said)
{
    test_random random = test_random_of("tracker_bytes");
    uint32_t event_count;
    grove_buffer bytes = random_bytes(&random, &event_count);
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        grove__tracker tracker;
        grove_buffer again;
        grove__tracker_init(&tracker, &faulty.allocator, ORDER);
        grove_buffer_init(&again, &faulty.allocator);
        grove_status status =
            grove__tracker_decode(&tracker, event_count, grove_buffer_view(&bytes), NULL);
        if (status == GROVE_OK) {
            status = grove__tracker_encode(&tracker, event_count, &again);
            cr_assert(status == GROVE_OK ? grove__bytes_equal(grove_buffer_view(&again),
                                                              grove_buffer_view(&bytes))
                                         : again.size == 0);
        }
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        decode(&tracker, event_count, grove_buffer_view(&bytes));
        grove__tracker_release(&tracker);
        grove_buffer_release(&again);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            break;
        }
    }
    grove_buffer_release(&bytes);
}
