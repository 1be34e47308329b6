#include "history.h"

#include "base/alloc.h"

/* Elements from before the first event; the new one goes right of LEFT. */
#define BEFORE(index) (GROVE__SPANS_BEFORE + (index))
#define LEFT BEFORE(1)
#define RIGHT BEFORE(2)
#define START GROVE__SPANS_START
#define END GROVE__SPANS_END

enum { BETWEEN_MAX = 4 };

/* Event 9 is before those whose digits stand right of its own. */
static bool is_before(const void *context, uint32_t event, uint32_t other)
{
    const char *order = context;
    cr_assert_eq(event, 9);
    const char *own = strchr(order, '9');
    const char *its = strchr(order, (int)('0' + other));
    cr_assert(own != NULL && its != NULL, "nobody had to ask for %u", other);
    return own < its;
}

/* What stands between LEFT and RIGHT, in which order the ids are that may be
 * asked for, and after how many of these spans event 9 goes. */
typedef struct place_case {
    grove__span between[BETWEEN_MAX]; /* up to the first of no elements */
    const char *order;
    uint32_t index;
    uint64_t passed;
    uint32_t right;
} place_case;

static grove__siblings_place find_in(const place_case *test)
{
    grove__spans spans;
    grove__spans_init(&spans, &grove__allocator_system);
    cr_assert(grove__spans_clear(&spans));
    cr_assert(grove__spans_reserve(&spans));
    cr_assert(grove__where_reserve(&spans.where, 100));
    grove__place cursor = grove__spans_cut(&spans, (grove__place){0, 0}, 2);
    cursor.index++;
    grove__place place = cursor;
    for (uint32_t index = 0; index < BETWEEN_MAX && test->between[index].count > 0;
         index++) {
        cr_assert(grove__spans_reserve(&spans));
        place = grove__spans_put(&spans, place, test->between[index]);
        place.index++;
    }
    cursor = grove__spans_locate(&spans, LEFT);
    cursor.index++;
    grove__siblings_place found = grove__siblings_find(
        &spans, (grove__event_order){test->order, is_before}, 9, LEFT, cursor);
    uint32_t index = 0;
    place = cursor;
    (void)grove__spans_normalize(&spans, &found.place);
    while (grove__spans_normalize(&spans, &place) &&
           (place.leaf != found.place.leaf || place.index != found.place.index)) {
        index++;
        place.index++;
    }
    found.place = (grove__place){0, index};
    grove__spans_release(&spans);
    return found;
}

static void check_places(const place_case *cases, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        grove__siblings_place found = find_in(&cases[index]);
        cr_assert_eq(found.place.index, cases[index].index, "case %zu: after %u", index,
                     found.place.index);
        cr_assert_eq(found.passed, cases[index].passed, "case %zu: %llu passed", index,
                     (unsigned long long)found.passed);
        cr_assert_eq(found.right, cases[index].right, "case %zu", index);
    }
}

#define CHECK_PLACES(cases) check_places((cases), sizeof(cases) / sizeof *(cases))

Test(siblings, those_with_one_right_origin_are_in_the_order_of_ids)
{
    static const place_case cases[] = {
        {{{0}}, "", 0, 0, RIGHT},
        {{{0, 1, LEFT, RIGHT, 0, false}}, "90", 0, 0, RIGHT},
        {{{0, 1, LEFT, RIGHT, 0, false}}, "09", 1, 1, RIGHT},
        {{{0, 3, LEFT, RIGHT, 0, true}}, "09", 1, 0, RIGHT},
        {{{0, 3, LEFT, RIGHT, 0, false}, {5, 1, LEFT, RIGHT, 0, false}},
         "905",
         0,
         0,
         RIGHT},
        {{{0, 3, LEFT, RIGHT, 0, false}, {5, 1, LEFT, RIGHT, 0, false}},
         "095",
         1,
         3,
         RIGHT},
        {{{0, 3, LEFT, RIGHT, 0, false}, {5, 1, LEFT, RIGHT, 0, false}},
         "059",
         2,
         4,
         RIGHT},
    };
    CHECK_PLACES(cases);
}

Test(siblings, those_whose_right_origin_is_further_right_come_first)
{
    static const place_case cases[] = {
        /* Whatever their ids are: nobody asks. */
        {{{0, 1, LEFT, BEFORE(3), 0, false}}, "", 1, 1, RIGHT},
        {{{0, 1, LEFT, END, 0, false}}, "", 1, 1, RIGHT},
        {{{0, 1, LEFT, BEFORE(7), 0, false}, {1, 1, LEFT, RIGHT, 0, false}},
         "91",
         1,
         1,
         RIGHT},
        /* 0 was inserted left of 1: event 9 is before both or after both. */
        {{{0, 1, LEFT, 1, 0, false}, {1, 1, LEFT, RIGHT, 0, false}}, "91", 0, 0, RIGHT},
        {{{0, 1, LEFT, 1, 0, false}, {1, 1, LEFT, RIGHT, 0, false}}, "19", 2, 2, RIGHT},
        {{{0, 2, LEFT, 2, 0, true},
          {2, 1, LEFT, RIGHT, 0, false},
          {3, 1, LEFT, 4, 0, false},
          {4, 1, LEFT, RIGHT, 0, false}},
         "294",
         2,
         1,
         RIGHT},
    };
    CHECK_PLACES(cases);
}

Test(siblings, what_hangs_on_one_stays_with_it)
{
    static const place_case cases[] = {
        {{{0, 1, LEFT, RIGHT, 0, false}, {1, 2, 0, RIGHT, 0, false}}, "09", 2, 3, RIGHT},
        {{{0, 1, LEFT, RIGHT, 0, false}, {1, 2, 0, RIGHT, 0, false}}, "90", 0, 0, RIGHT},
        /* On the last of a run, and on that again. */
        {{{0, 4, LEFT, RIGHT, 0, false},
          {4, 1, 3, RIGHT, 0, true},
          {5, 1, 4, RIGHT, 0, false},
          {6, 1, LEFT, RIGHT, 0, false}},
         "096",
         3,
         5,
         RIGHT},
        /* While one is passed that ends earlier, so is what hangs on it. */
        {{{0, 1, LEFT, 2, 0, false},
          {1, 1, 0, 2, 0, false},
          {2, 1, LEFT, RIGHT, 0, false}},
         "92",
         0,
         0,
         RIGHT},
        /* What hangs further left ends it all. */
        {{{0, 1, LEFT, RIGHT, 0, false}, {1, 1, BEFORE(0), RIGHT, 0, false}},
         "09",
         1,
         1,
         RIGHT},
        {{{1, 1, START, RIGHT, 0, false}}, "", 0, 0, RIGHT},
    };
    CHECK_PLACES(cases);
}

Test(siblings, the_right_origin_is_the_next_that_is_known_deleted_or_not)
{
    static const place_case cases[] = {
        {{{0, 1, LEFT, RIGHT, 1, false}}, "", 0, 0, 0},
        {{{0, 1, LEFT, RIGHT, 2, true}}, "", 0, 0, 0},
        {{{0, 1, LEFT, RIGHT, 5, true}}, "", 0, 0, 0},
        {{{0, 1, LEFT, 1, 0, false}, {1, 2, LEFT, RIGHT, 2, true}}, "09", 1, 1, 1},
        /* 0 does not know of 1 and ends after it. */
        {{{0, 1, LEFT, RIGHT, 0, false}, {1, 2, LEFT, RIGHT, 1, false}}, "", 1, 1, 1},
        /* Also when it hangs on something further left (FugueMax; Fugue would
         * take the end). */
        {{{0, 1, LEFT, END, 0, false}, {1, 1, BEFORE(0), RIGHT, 1, false}}, "", 1, 1, 1},
    };
    CHECK_PLACES(cases);
}

/* The last elements of all, and nothing after: right origins are the end. */
Test(siblings, at_the_end_of_everything_the_right_origin_is_the_end)
{
    const uint32_t last = START - 1;
    const grove__span items[] = {
        {0, 1, last, 2, 0, false},
        {2, 2, last, END, 0, false},
        {4, 1, last, 6, 0, false},
        {6, 1, last, END, 0, false},
    };
    static const struct {
        const char *order;
        uint32_t count; /* of items */
        uint32_t index;
        uint64_t passed;
    } cases[] = {
        {"", 0, 0, 0},    {"92", 2, 0, 0},  {"29", 2, 2, 3},
        {"926", 4, 0, 0}, {"296", 4, 2, 3}, {"269", 4, 4, 5},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        grove__spans spans;
        grove__spans_init(&spans, &grove__allocator_system);
        cr_assert(grove__spans_clear(&spans));
        cr_assert(grove__where_reserve(&spans.where, 100));
        grove__place place = {0, 1};
        for (uint32_t item = 0; item < cases[index].count; item++) {
            cr_assert(grove__spans_reserve(&spans));
            place = grove__spans_put(&spans, place, items[item]);
            place.index++;
        }
        grove__place cursor = grove__spans_locate(&spans, last);
        cursor.index++;
        grove__siblings_place found = grove__siblings_find(
            &spans, (grove__event_order){cases[index].order, is_before}, 9, last, cursor);
        cr_assert_eq(found.right, END);
        cr_assert_eq(found.passed, cases[index].passed, "case %zu", index);
        uint32_t expected = cases[index].index;
        if (expected == cases[index].count) {
            cr_assert_not(grove__spans_normalize(&spans, &found.place));
        } else {
            cr_assert(grove__spans_normalize(&spans, &found.place));
            cr_assert_eq(grove__spans_at(&spans, found.place)->first,
                         items[expected].first);
        }
        grove__spans_release(&spans);
    }
}

/* What both say of an event that is not applied then. */
static void check_find(history_view *view, uint64_t position)
{
    random_history *history = view->history;
    grove__spans *spans = &view->tracker.spans;
    uint32_t event = history->next;
    history->ranks[event] = (uint32_t)test_random_below(history->random, 4);
    history->sequences[event] =
        (uint32_t)test_random_below(history->random, 2) * NAIVE_EVENTS_MAX;
    naive_place expected = naive_find(&view->naive, event, position);
    uint64_t outside = history_outside(history, position);
    grove__place cursor = {0, 0};
    if (outside > 0) {
        grove__spans_found at;
        cr_assert(grove__spans_reserve(spans));
        cr_assert(grove__spans_seek(spans, outside, &at));
        cursor = at.place;
        if (at.offset + 1 < grove__spans_at(spans, cursor)->count) {
            cursor = grove__spans_cut(spans, cursor, at.offset + 1);
        }
        cursor.index++;
    }
    grove__siblings_place found =
        grove__siblings_find(spans, view->tracker.order, event, expected.left, cursor);
    cr_assert_eq(found.right, expected.right);
    uint64_t before = grove__spans_effect_before(spans, cursor);
    cr_assert_eq(before + found.passed, history_outside(history, expected.effect));
    if (grove__spans_normalize(spans, &found.place)) {
        cr_assert_eq(grove__spans_at(spans, found.place)->first,
                     view->naive.items[expected.index].number);
    } else {
        cr_assert_eq(expected.index, view->naive.count);
    }
}

Test(siblings, everywhere_in_random_histories_as_in_a_flat_list)
{
    static random_history made;
    static history_view view;
    test_random random = test_random_of("siblings");
    for (uint32_t round = 0; round < 100; round++) {
        history_init(&made, &random);
        history_view_init(&view, &made, &grove__allocator_system);
        history_view_clear(&view);
        while (made.run_count < 40) {
            history_grow(&view);
            event_set version = history_random_version(&view);
            history_move(&view, &version);
            uint64_t low = made.is_at_end ? 1 : 0;
            uint64_t high = naive_prepare(&view.naive) - (made.is_at_end ? 0 : 1);
            for (uint64_t position = low; position <= high; position++) {
                check_find(&view, position);
            }
        }
        naive_check_same(&view.naive, &view.tracker.spans);
        history_view_release(&view);
    }
}
