#include "history.h"

#include "base/alloc.h"
#include "support/faulty_allocator.h"

#define NUMBERS_MAX GROVE__WHERE_NUMBERS_MAX
#define COUNT GROVE__SPANS_BEFORE_COUNT

/* The ids of these tests: events in the order of `context`, a string of their
 * numbers as digits; those that it lacks come last, by number. */
static bool is_before(const void *context, uint32_t event, uint32_t other)
{
    const char *order = context;
    for (; *order != '\0'; order++) {
        uint32_t next = (uint32_t)(*order - '0');
        if (next == event || next == other) {
            return next == event;
        }
    }
    return event < other;
}

static grove__tracker tracker_of(const char *order)
{
    grove__tracker tracker;
    grove__tracker_init(&tracker, &grove__allocator_system,
                        (grove__event_order){order, is_before});
    cr_assert_eq(grove__tracker_clear(&tracker), GROVE_OK);
    return tracker;
}

/* Returns the position in the result. */
static uint64_t insert(grove__tracker *tracker, uint32_t event, uint32_t count,
                       uint64_t position)
{
    uint64_t effect;
    cr_assert_eq(grove__tracker_insert(tracker, event, count, position, &effect, NULL),
                 GROVE_OK);
    return effect;
}

/* Returns how many events it took. */
static uint32_t check_delete(grove__tracker *tracker, grove__deletion expected,
                             uint32_t event, uint32_t count, uint64_t position,
                             bool is_backward)
{
    grove__deletion deletion;
    cr_assert_eq(grove__tracker_delete(tracker, event, count, position, is_backward,
                                       &deletion, NULL),
                 GROVE_OK);
    cr_assert_eq(deletion.count, expected.count);
    cr_assert_eq(deletion.position, expected.position, "at %llu",
                 (unsigned long long)deletion.position);
    cr_assert_eq(deletion.was_dead, expected.was_dead);
    return deletion.count;
}

static void retreat(grove__tracker *tracker, uint32_t from, uint32_t end)
{
    cr_assert_eq(grove__tracker_retreat(tracker, from, end, NULL), GROVE_OK);
}

static void advance(grove__tracker *tracker, uint32_t from, uint32_t end)
{
    cr_assert_eq(grove__tracker_advance(tracker, from, end, NULL), GROVE_OK);
}

/* Writes all spans: each as its first number, with a b one from before, and
 * its count ("b2.." for all the rest from before); ? when it is not inserted,
 * -n when it is deleted n times, ! when it is dead. */
static const char *spans_of(const grove__tracker *tracker)
{
    static char text[2000];
    size_t size = 0;
    const grove__spans *spans = &tracker->spans;
    cr_assert_null(grove__spans_check(spans));
    for (grove__place place = {0, 0}; grove__spans_normalize(spans, &place);
         place.index++) {
        const grove__span *span = grove__spans_at(spans, place);
        bool is_from_before = span->first >= GROVE__SPANS_BEFORE;
        char count[16] = "..";
        if (span->count < NUMBERS_MAX) {
            (void)snprintf(count, sizeof count, "+%u", span->count);
        }
        char state[16] = "";
        if (span->state == 0) {
            state[0] = '?';
        } else if (span->state > 1) {
            (void)snprintf(state, sizeof state, "-%u", span->state - 1);
        }
        int written =
            snprintf(text + size, sizeof text - size, "%s%s%u%s%s%s", size > 0 ? " " : "",
                     is_from_before ? "b" : "", span->first % GROVE__SPANS_BEFORE, count,
                     state, span->is_dead ? "!" : "");
        size += (size_t)written;
        cr_assert_lt(size, sizeof text);
    }
    return text;
}

/* Of all elements whose state is not 1, and of all that were inserted. */
static uint64_t sum_of_states(const grove__tracker *tracker)
{
    const grove__spans *spans = &tracker->spans;
    uint64_t sum = 0;
    for (grove__place place = {0, 0}; grove__spans_normalize(spans, &place);
         place.index++) {
        const grove__span *span = grove__spans_at(spans, place);
        if (span->state != 1 || span->first < GROVE__SPANS_BEFORE) {
            sum += (uint64_t)span->state * span->count;
        }
    }
    return sum;
}

static const grove__span *span_of(const grove__tracker *tracker, uint32_t number)
{
    return grove__spans_at(&tracker->spans, grove__spans_locate(&tracker->spans, number));
}

Test(tracker, moves_over_two_edits_at_one_place_as_its_header_shows)
{
    grove__tracker tracker = tracker_of("10");
    cr_assert_str_eq(spans_of(&tracker), "b0..");
    cr_assert_eq(insert(&tracker, 0, 1, 0), 0);
    cr_assert_str_eq(spans_of(&tracker), "0+1 b0..");
    retreat(&tracker, 0, 1);
    cr_assert_str_eq(spans_of(&tracker), "0+1? b0..");
    cr_assert_eq(insert(&tracker, 1, 1, 0), 0);
    cr_assert_str_eq(spans_of(&tracker), "1+1 0+1? b0..");
    advance(&tracker, 0, 1);
    cr_assert_str_eq(spans_of(&tracker), "1+1 0+1 b0..");
    grove__tracker_release(&tracker);
}

Test(tracker, an_insertion_goes_before_what_is_not_known_unless_ids_say_otherwise)
{
    static const struct {
        const char *order;
        uint64_t effect;
        const char *spans;
    } cases[] = {
        {"04", 4, "b0+2 0+2? 4+1 b2.."},
        {"40", 2, "b0+2 4+1 0+2? b2.."},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        grove__tracker tracker = tracker_of(cases[index].order);
        cr_assert_eq(insert(&tracker, 0, 2, 2), 2);
        retreat(&tracker, 0, 2);
        cr_assert_eq(insert(&tracker, 4, 1, 2), cases[index].effect);
        cr_assert_str_eq(spans_of(&tracker), cases[index].spans);
        grove__tracker_release(&tracker);
    }
}

Test(tracker, an_insertion_goes_before_what_hangs_on_something_further_left)
{
    /* Events 0 and 1 are siblings, both right of b0. Event 4 knows 0 alone and
     * goes right of it: before 1, although its id is the greatest. */
    grove__tracker tracker = tracker_of("014");
    cr_assert_eq(insert(&tracker, 0, 1, 1), 1);
    retreat(&tracker, 0, 1);
    cr_assert_eq(insert(&tracker, 1, 1, 1), 2);
    retreat(&tracker, 1, 2);
    advance(&tracker, 0, 1);
    cr_assert_eq(insert(&tracker, 4, 1, 2), 2);
    cr_assert_str_eq(spans_of(&tracker), "b0+1 0+1 4+1 1+1? b1..");
    grove__tracker_release(&tracker);
}

Test(tracker, a_deletion_goes_past_what_is_not_known_or_deleted)
{
    grove__tracker tracker = tracker_of("");
    cr_assert_eq(insert(&tracker, 0, 2, 1), 1);
    retreat(&tracker, 0, 2);
    (void)check_delete(&tracker, (grove__deletion){1, 3, false}, 2, 1, 1, false);
    cr_assert_str_eq(spans_of(&tracker), "b0+1 0+2? b1+1-1! b2..");
    (void)check_delete(&tracker, (grove__deletion){1, 3, false}, 3, 1, 1, false);
    cr_assert_str_eq(spans_of(&tracker), "b0+1 0+2? b1+1-1! b2+1-1! b3..");
    grove__tracker_release(&tracker);
}

Test(tracker, a_right_origin_may_be_dead_or_inside_of_what_was_before)
{
    grove__tracker tracker = tracker_of("");
    (void)insert(&tracker, 0, 1, 2);
    cr_assert_eq(span_of(&tracker, 0)->left, GROVE__SPANS_BEFORE + 1);
    cr_assert_eq(span_of(&tracker, 0)->right, GROVE__SPANS_BEFORE + 2);
    /* b2 and b3 are deleted: b2 is still the next that there ever was. */
    (void)check_delete(&tracker, (grove__deletion){2, 3, false}, 1, 2, 3, false);
    (void)insert(&tracker, 3, 1, 3);
    cr_assert_eq(span_of(&tracker, 3)->right, GROVE__SPANS_BEFORE + 2);
    cr_assert_str_eq(spans_of(&tracker), "b0+2 0+1 3+1 b2+2-1! b4..");
    /* And element 0, deleted, is the next of what goes before it. */
    (void)check_delete(&tracker, (grove__deletion){1, 2, false}, 4, 1, 2, false);
    (void)insert(&tracker, 5, 1, 2);
    cr_assert_eq(span_of(&tracker, 5)->right, 0);
    cr_assert_str_eq(spans_of(&tracker), "b0+2 5+1 0+1-1! 3+1 b2+2-1! b4..");
    /* Both are found after b2 was cut off b3. Event 7 knows nothing: 5 is a
     * sibling that ends earlier, 0 one with the same right origin and a lesser
     * id, and 3 hangs on 0. */
    retreat(&tracker, 2, 6);
    (void)check_delete(&tracker, (grove__deletion){1, 4, true}, 6, 1, 3, false);
    retreat(&tracker, 6, 7);
    retreat(&tracker, 0, 2);
    cr_assert_eq(insert(&tracker, 7, 1, 2), 4);
    cr_assert_str_eq(spans_of(&tracker), "b0+2 5+1? 0+1?! 3+1? 7+1 b2+1! b3+1! b4..");
    grove__tracker_release(&tracker);
}

Test(tracker, origins_at_the_ends_are_start_and_end)
{
    grove__tracker tracker = tracker_of("");
    cr_assert_eq(insert(&tracker, 0, 1, 0), 0);
    cr_assert_eq(span_of(&tracker, 0)->left, GROVE__SPANS_START);
    cr_assert_eq(span_of(&tracker, 0)->right, GROVE__SPANS_BEFORE);
    cr_assert_eq(insert(&tracker, 1, 1, COUNT + 1), COUNT + 1);
    cr_assert_eq(span_of(&tracker, 1)->left, GROVE__SPANS_START - 1);
    cr_assert_eq(span_of(&tracker, 1)->right, GROVE__SPANS_END);
    cr_assert_str_eq(spans_of(&tracker), "0+1 b0.. 1+1");
    /* END stands right of everything: what was inserted before event 1 comes
     * after event 3, which knows neither. */
    cr_assert_eq(insert(&tracker, 2, 1, COUNT + 1), COUNT + 1);
    cr_assert_eq(span_of(&tracker, 2)->right, 1);
    retreat(&tracker, 1, 3);
    cr_assert_eq(insert(&tracker, 3, 1, COUNT + 1), COUNT + 3);
    cr_assert_eq(span_of(&tracker, 3)->right, GROVE__SPANS_END);
    cr_assert_str_eq(spans_of(&tracker), "0+1 b0.. 2+1? 1+1? 3+1");
    grove__tracker_release(&tracker);
}

Test(tracker, what_was_deleted_stays_dead_without_all_its_deletions)
{
    grove__tracker tracker = tracker_of("");
    (void)insert(&tracker, 0, 3, 1);
    (void)check_delete(&tracker, (grove__deletion){1, 2, false}, 3, 1, 2, false);
    cr_assert_str_eq(spans_of(&tracker), "b0+1 0+1 1+1-1! 2+1 b1..");
    retreat(&tracker, 3, 4);
    cr_assert_str_eq(spans_of(&tracker), "b0+1 0+1 1+1! 2+1 b1..");
    /* It is there at the version, and not in the result. */
    cr_assert_eq(insert(&tracker, 4, 1, 3), 2);
    retreat(&tracker, 0, 3);
    retreat(&tracker, 4, 5);
    cr_assert_str_eq(spans_of(&tracker), "b0+1 0+1? 1+1?! 4+1? 2+1? b1..");
    grove__tracker_release(&tracker);
}

Test(tracker, a_deletion_of_what_is_dead_has_no_effect_and_is_counted)
{
    grove__tracker tracker = tracker_of("");
    (void)check_delete(&tracker, (grove__deletion){2, 3, false}, 0, 2, 3, false);
    retreat(&tracker, 0, 2);
    (void)check_delete(&tracker, (grove__deletion){2, 3, true}, 2, 2, 3, true);
    cr_assert_str_eq(spans_of(&tracker), "b0+3 b3+2-1! b5..");
    advance(&tracker, 0, 1);
    cr_assert_str_eq(spans_of(&tracker), "b0+3 b3+1-2! b4+1-1! b5..");
    retreat(&tracker, 2, 3);
    cr_assert_str_eq(spans_of(&tracker), "b0+3 b3+1-2! b4+1! b5..");
    retreat(&tracker, 3, 4);
    cr_assert_str_eq(spans_of(&tracker), "b0+3 b3+1-1! b4+1! b5..");
    grove__tracker_release(&tracker);
}

/* "b0+2 0+2 4+2? b2..", with element 1 dead */
static grove__tracker tracker_of_pieces(void)
{
    grove__tracker tracker = tracker_of("04");
    (void)insert(&tracker, 0, 2, 2);
    (void)check_delete(&tracker, (grove__deletion){1, 3, false}, 2, 1, 3, false);
    retreat(&tracker, 0, 3);
    (void)insert(&tracker, 4, 2, 2);
    retreat(&tracker, 4, 6);
    advance(&tracker, 0, 2);
    cr_assert_str_eq(spans_of(&tracker), "b0+2 0+1 1+1! 4+2? b2..");
    return tracker;
}

Test(tracker, a_deletion_of_several_spans_comes_in_pieces)
{
    /* Forwards all are at position 1 of the version. */
    grove__tracker tracker = tracker_of_pieces();
    uint32_t event = 10;
    event += check_delete(&tracker, (grove__deletion){1, 1, false}, event, 6, 1, false);
    event += check_delete(&tracker, (grove__deletion){1, 1, false}, event, 5, 1, false);
    event += check_delete(&tracker, (grove__deletion){1, 1, true}, event, 4, 1, false);
    event += check_delete(&tracker, (grove__deletion){3, 3, false}, event, 3, 1, false);
    cr_assert_eq(event, 16);
    cr_assert_str_eq(spans_of(&tracker), "b0+1 b1+1-1! 0+1-1! 1+1-1! 4+2? b2+3-1! b5..");
    grove__tracker_release(&tracker);

    tracker = tracker_of_pieces();
    event = 10;
    event += check_delete(&tracker, (grove__deletion){3, 5, false}, event, 6, 1, true);
    event += check_delete(&tracker, (grove__deletion){1, 3, true}, event, 3, 1, true);
    event += check_delete(&tracker, (grove__deletion){1, 2, false}, event, 2, 1, true);
    event += check_delete(&tracker, (grove__deletion){1, 1, false}, event, 1, 1, true);
    cr_assert_eq(event, 16);
    cr_assert_str_eq(spans_of(&tracker), "b0+1 b1+1-1! 0+1-1! 1+1-1! 4+2? b2+3-1! b5..");
    grove__tracker_release(&tracker);
}

Test(tracker, a_part_of_a_run_is_taken_out_and_put_back)
{
    static const struct {
        bool is_backward;
        uint32_t from, end;
        const char *spans;
    } cases[] = {
        {false, 5, 9, "b0+3 b3+4! b7.."},
        {false, 5, 6, "b0+3 b3+1! b4+3-1! b7.."},
        {false, 6, 8, "b0+3 b3+1-1! b4+2! b6+1-1! b7.."},
        {false, 8, 9, "b0+3 b3+3-1! b6+1! b7.."},
        {true, 5, 9, "b0+3 b3+4! b7.."},
        {true, 5, 6, "b0+3 b3+3-1! b6+1! b7.."},
        {true, 6, 9, "b0+3 b3+3! b6+1-1! b7.."},
        {true, 8, 9, "b0+3 b3+1! b4+3-1! b7.."},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        grove__tracker tracker = tracker_of("");
        (void)check_delete(&tracker, (grove__deletion){4, 3, false}, 5, 4, 3,
                           cases[index].is_backward);
        retreat(&tracker, cases[index].from, cases[index].end);
        cr_assert_str_eq(spans_of(&tracker), cases[index].spans, "case %zu: %s", index,
                         spans_of(&tracker));
        advance(&tracker, cases[index].from, cases[index].end);
        retreat(&tracker, 5, 9);
        cr_assert_eq(insert(&tracker, 9, 4, 7), 3);
        retreat(&tracker, cases[index].from + 4, cases[index].end + 4);
        advance(&tracker, 5, 9);
        cr_assert_eq(span_of(&tracker, cases[index].from + 4)->state, 0);
        cr_assert_eq(sum_of_states(&tracker),
                     8 + 4 - (cases[index].end - cases[index].from));
        grove__tracker_release(&tracker);
    }
}

Test(tracker, a_run_that_goes_on_is_one_span_with_what_it_goes_on_from)
{
    grove__tracker tracker = tracker_of("");
    cr_assert_eq(insert(&tracker, 0, 3, 5), 5);
    cr_assert_eq(insert(&tracker, 3, 2, 8), 8);
    cr_assert_eq(insert(&tracker, 5, 1, 10), 10);
    cr_assert_str_eq(spans_of(&tracker), "b0+5 0+6 b5..");
    /* Its events are told apart all the same. */
    retreat(&tracker, 3, 5);
    cr_assert_str_eq(spans_of(&tracker), "b0+5 0+3 3+2? 5+1 b5..");
    grove__tracker_release(&tracker);
}

Test(tracker, a_run_that_only_seems_to_go_on_is_a_span_of_its_own)
{
    /* Its number is not the next one. */
    grove__tracker tracker = tracker_of("");
    (void)insert(&tracker, 0, 3, 5);
    (void)insert(&tracker, 4, 1, 8);
    cr_assert_str_eq(spans_of(&tracker), "b0+5 0+3 4+1 b5..");
    /* It stands elsewhere. */
    (void)insert(&tracker, 5, 1, 8);
    cr_assert_str_eq(spans_of(&tracker), "b0+5 0+3 5+1 4+1 b5..");
    cr_assert_eq(grove__tracker_clear(&tracker), GROVE_OK);
    (void)insert(&tracker, 0, 3, 5);
    (void)insert(&tracker, 3, 1, 7);
    cr_assert_str_eq(spans_of(&tracker), "b0+5 0+2 3+1 2+1 b5..");
    /* Its right origin is another. */
    cr_assert_eq(grove__tracker_clear(&tracker), GROVE_OK);
    (void)insert(&tracker, 0, 3, 5);
    (void)insert(&tracker, 9, 1, 8);
    (void)insert(&tracker, 3, 1, 8);
    cr_assert_str_eq(spans_of(&tracker), "b0+5 0+3 3+1 9+1 b5..");
    /* What it goes on from is dead. */
    cr_assert_eq(grove__tracker_clear(&tracker), GROVE_OK);
    (void)insert(&tracker, 0, 3, 5);
    (void)check_delete(&tracker, (grove__deletion){3, 5, false}, 7, 3, 5, false);
    retreat(&tracker, 7, 10);
    cr_assert_eq(insert(&tracker, 3, 1, 8), 5);
    cr_assert_str_eq(spans_of(&tracker), "b0+5 0+3! 3+1 b5..");
    grove__tracker_release(&tracker);
}

Test(tracker, long_runs_have_room_for_all_their_pieces)
{
    enum { LONG = 100000 };
    grove__tracker tracker = tracker_of("");
    (void)insert(&tracker, 7, LONG, 0);
    for (uint32_t event = 0; event < 7; event++) {
        (void)check_delete(&tracker, (grove__deletion){1, (event + 1) * 9999, false},
                           event, 1, (event + 1) * 9999, false);
    }
    (void)check_delete(&tracker, (grove__deletion){1, 0, false}, LONG + 7, 1, 0, true);
    retreat(&tracker, LONG + 6, LONG + 7);
    cr_assert_eq(span_of(&tracker, LONG + 6)->count, 1);
    cr_assert_eq(span_of(&tracker, LONG + 6)->state, 0);
    cr_assert_null(grove__spans_check(&tracker.spans));
    grove__tracker_release(&tracker);
}

Test(tracker, every_event_of_a_long_run_may_be_taken_out_alone)
{
    enum { LONG = 3000 };
    grove__tracker tracker = tracker_of("");
    (void)insert(&tracker, 0, LONG, 0);
    (void)check_delete(&tracker, (grove__deletion){LONG, 0, false}, LONG, LONG, 0, true);
    cr_assert_str_eq(spans_of(&tracker), "0+3000-1! b0..");
    /* Backwards: event LONG + n deleted element LONG - 1 - n. */
    for (uint32_t number = 0; number < LONG; number += 2) {
        retreat(&tracker, LONG + number, LONG + number + 1);
    }
    cr_assert_null(grove__spans_check(&tracker.spans));
    for (uint32_t number = 0; number < LONG; number++) {
        cr_assert_eq(span_of(&tracker, number)->state, number % 2 == 0 ? 2 : 1);
        cr_assert_eq(span_of(&tracker, number)->count, 1);
    }
    cr_assert_eq(insert(&tracker, 2 * LONG, 1, LONG / 2), 0);
    grove__tracker_release(&tracker);
}

static void check_no_position(grove__tracker *tracker, uint32_t count, uint64_t position,
                              bool is_insertion, bool is_backward)
{
    grove_error error = {0};
    uint64_t effect = 99;
    grove__deletion deletion = {99, 99, true};
    grove_status status =
        is_insertion ? grove__tracker_insert(tracker, 8, count, position, &effect, &error)
                     : grove__tracker_delete(tracker, 8, count, position, is_backward,
                                             &deletion, &error);
    cr_assert_eq(status, GROVE_CORRUPT, "position %llu: %d", (unsigned long long)position,
                 (int)status);
    cr_assert_eq(error.status, GROVE_CORRUPT);
    cr_assert(strstr(error.message, "is beyond all that can be there") != NULL);
    cr_assert(effect == 99 && deletion.count == 99 && deletion.position == 99);
    cr_assert_str_eq(spans_of(tracker), "b0+1 0+3 b1..");
}

Test(tracker, a_position_beyond_everything_is_corrupt_and_changes_nothing)
{
    grove__tracker tracker = tracker_of("");
    (void)insert(&tracker, 0, 3, 1);
    const uint64_t total = (uint64_t)COUNT + 3;
    const uint64_t insertions[] = {
        total + 1,      UINT32_MAX, (uint64_t)UINT32_MAX + 1, (uint64_t)UINT32_MAX + 2,
        UINT64_MAX - 1, UINT64_MAX};
    for (size_t index = 0; index < sizeof insertions / sizeof *insertions; index++) {
        check_no_position(&tracker, 1, insertions[index], true, false);
        check_no_position(&tracker, 3, insertions[index], true, false);
        check_no_position(&tracker, 1, insertions[index], false, false);
        check_no_position(&tracker, 1, insertions[index], false, true);
        check_no_position(&tracker, 5, insertions[index], false, true);
    }
    check_no_position(&tracker, 1, total, false, false);
    check_no_position(&tracker, 2, total - 1, false, true);
    check_no_position(&tracker, 5, total - 4, false, true);
    (void)check_delete(&tracker, (grove__deletion){5, total - 5, false}, 10, 5, total - 5,
                       true);
    (void)check_delete(&tracker, (grove__deletion){1, total - 6, false}, 15, 1, total - 6,
                       false);
    cr_assert_eq(insert(&tracker, 20, 1, total - 6), total - 6);
    grove__tracker_release(&tracker);
}

static void *refuse_gigabytes(void *context, size_t bytes)
{
    return bytes > 1 << 30 ? NULL : grove__allocator_system.allocate(context, bytes);
}

Test(tracker, numbers_have_a_limit)
{
    /* No more than a gigabyte: where numbers are allowed, memory is lacking. */
    grove_allocator allocator = grove__allocator_system;
    allocator.allocate = refuse_gigabytes;
    grove__tracker tracker;
    grove__tracker_init(&tracker, &allocator, (grove__event_order){"", is_before});
    static const struct {
        uint32_t event, count;
        grove_status status;
    } cases[] = {
        {0, 1, GROVE_OK},
        {NUMBERS_MAX - 1, 1, GROVE_NO_MEMORY},
        {0, NUMBERS_MAX, GROVE_NO_MEMORY},
        {NUMBERS_MAX, 1, GROVE_LIMIT},
        {NUMBERS_MAX - 1, 2, GROVE_LIMIT},
        {1, NUMBERS_MAX, GROVE_LIMIT},
        {0, NUMBERS_MAX + 1, GROVE_LIMIT},
        {0, UINT32_MAX, GROVE_LIMIT},
        {UINT32_MAX, 1, GROVE_LIMIT},
        {UINT32_MAX, UINT32_MAX, GROVE_LIMIT},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        uint64_t effect;
        grove__deletion deletion;
        grove_error error = {0};
        cr_assert_eq(grove__tracker_clear(&tracker), GROVE_OK);
        cr_assert_eq(grove__tracker_insert(&tracker, cases[index].event,
                                           cases[index].count, 0, &effect, &error),
                     cases[index].status, "case %zu", index);
        cr_assert_eq(error.status, cases[index].status);
        cr_assert_eq(grove__tracker_clear(&tracker), GROVE_OK);
        cr_assert_eq(grove__tracker_delete(&tracker, cases[index].event,
                                           cases[index].count, 0, false, &deletion, NULL),
                     cases[index].status, "case %zu", index);
    }
    grove__tracker_release(&tracker);
}

Test(tracker, an_event_that_the_version_lacks_cannot_be_taken_out)
{
    grove__tracker tracker = tracker_of("");
    (void)insert(&tracker, 0, 3, 1);
    retreat(&tracker, 1, 2);
    static const uint32_t ranges[][2] = {{0, 3}, {1, 2}, {1, 3}};
    for (size_t index = 0; index < 3; index++) {
        grove_error error = {0};
        cr_assert_eq(
            grove__tracker_retreat(&tracker, ranges[index][0], ranges[index][1], &error),
            GROVE_CORRUPT);
        cr_assert_eq(error.status, GROVE_CORRUPT);
        cr_assert_eq(grove__tracker_clear(&tracker), GROVE_OK);
        (void)insert(&tracker, 0, 3, 1);
        retreat(&tracker, 1, 2);
    }
    retreat(&tracker, 0, 0);
    cr_assert_str_eq(spans_of(&tracker), "b0+1 0+1 1+1? 2+1 b1..");
    grove__tracker_release(&tracker);
}

/* Many edits, and a long run of which every other event is taken out: whatever
 * can grow does, in every function. */
static grove_status edit_much(grove__tracker *tracker)
{
    uint64_t effect;
    grove__deletion deletion;
    grove_status status = grove__tracker_clear(tracker);
    for (uint32_t round = 0; status == GROVE_OK && round < 300; round++) {
        uint32_t event = round * 10;
        status = grove__tracker_insert(tracker, event, 5, round * 3, &effect, NULL);
        if (status == GROVE_OK) {
            status = grove__tracker_delete(tracker, event + 5, 2, round * 3 + 1, false,
                                           &deletion, NULL);
        }
    }
    if (status == GROVE_OK) {
        status = grove__tracker_insert(tracker, 3000, 3000, 0, &effect, NULL);
    }
    for (uint32_t event = 3000; status == GROVE_OK && event < 6000; event += 2) {
        status = grove__tracker_retreat(tracker, event, event + 1, NULL);
    }
    return status;
}

Test(tracker, a_failed_allocation_is_said_and_the_tracker_can_be_cleared)
{
    grove__tracker expected = tracker_of("");
    cr_assert_eq(edit_much(&expected), GROVE_OK);
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        grove__tracker tracker;
        grove__tracker_init(&tracker, &faulty.allocator,
                            (grove__event_order){"", is_before});
        grove_status status = edit_much(&tracker);
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        cr_assert_eq(edit_much(&tracker), GROVE_OK);
        cr_assert_null(grove__spans_check(&tracker.spans));
        cr_assert_eq(tracker.spans.leaf_count, expected.spans.leaf_count);
        cr_assert_eq(sum_of_states(&tracker), sum_of_states(&expected));
        cr_assert_eq(grove__spans_bytes(&tracker.spans), faulty.bytes);
        grove__tracker_release(&tracker);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            break;
        }
    }
    grove__tracker_release(&expected);
}

/* Applies all runs of a history, or parts of them, in some order that keeps
 * parents first. */
static void replay(history_view *view)
{
    const random_history *history = view->history;
    uint32_t done[HISTORY_RUNS_MAX] = {0};
    uint32_t left = history->run_count;
    while (left > 0) {
        uint32_t index = (uint32_t)test_random_below(history->random, history->run_count);
        const history_run *run = &history->runs[index];
        uint32_t rest = run->count - done[index];
        if (rest == 0 || !event_set_has_all(&view->applied, &run->version)) {
            continue;
        }
        uint32_t part = 1 + (uint32_t)test_random_below(history->random, rest);
        part = test_random_below(history->random, 2) == 0 ? rest : part;
        uint32_t from = run->from + done[index];
        history_apply(view, run, from, from + part);
        done[index] += part;
        left -= done[index] == run->count;
    }
}

static void check_same_result(const naive_tracker *a, const naive_tracker *b)
{
    cr_assert_eq(a->count, b->count);
    for (uint32_t index = 0; index < a->count; index++) {
        cr_assert_eq(a->items[index].number, b->items[index].number);
        cr_assert_eq(a->items[index].state, b->items[index].state);
        cr_assert_eq(a->items[index].is_dead, b->items[index].is_dead);
    }
}

Test(tracker, random_histories_go_as_with_a_flat_list_in_every_order)
{
    static random_history made;
    static history_view view;
    static history_view again;
    test_random random = test_random_of("tracker");
    for (uint32_t round = 0; round < 150; round++) {
        history_init(&made, &random);
        history_view_init(&view, &made, &grove__allocator_system);
        history_view_clear(&view);
        uint32_t count =
            10 + (uint32_t)test_random_below(&random, round % 10 == 0 ? 270 : 60);
        while (made.run_count < count) {
            history_grow(&view);
            naive_check_same(&view.naive, &view.tracker.spans);
            if (test_random_below(&random, 3) == 0) {
                event_set version = history_random_version(&view);
                history_move(&view, &version);
                naive_check_same(&view.naive, &view.tracker.spans);
            }
        }
        event_set all = view.applied;
        history_move(&view, &all);
        history_view_init(&again, &made, &grove__allocator_system);
        for (uint32_t order = 0; order < 3; order++) {
            history_view_clear(&again);
            replay(&again);
            history_move(&again, &all);
            naive_check_same(&again.naive, &again.tracker.spans);
            check_same_result(&again.naive, &view.naive);
        }
        history_view_release(&again);
        history_view_release(&view);
    }
}
