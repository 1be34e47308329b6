#include <criterion/criterion.h>

#include "base/alloc.h"
#include "sequence/where.h"
#include "support/faulty_allocator.h"
#include "support/random.h"

/* Numbers around the borders of words on each level. */
static const uint32_t borders[] = {
    0,      1,      62,     63,       64,       65,       127,      128,
    4031,   4032,   4095,   4096,     4097,     4159,     4160,     8191,
    8192,   258047, 258048, 262143,   262144,   262145,   266239,   266240,
    524287, 524288, 524289, 16777215, 16777216, 16777217, 16781311, 16781312,
};
enum { BORDERS = sizeof borders / sizeof *borders, BORDERS_END = 16781313 };

/* A piece that no other number makes. */
static grove__where_piece piece_at(uint32_t first)
{
    return (grove__where_piece){first, first * 7 + 1, first % 2 == 1, first % 4 == 3};
}

static void check_found(const grove__where *where, uint32_t number,
                        grove__where_piece expected)
{
    grove__where_piece found = grove__where_find(where, number);
    cr_assert_eq(found.first, expected.first, "%u: begins at %u, not %u", number,
                 found.first, expected.first);
    cr_assert_eq(found.value, expected.value, "%u: %u, not %u", number, found.value,
                 expected.value);
    cr_assert_eq(found.is_deletion, expected.is_deletion, "%u", number);
    cr_assert_eq(found.is_backward, expected.is_backward, "%u", number);
}

static void check_next(const grove__where *where, uint32_t number, uint32_t end,
                       uint32_t expected)
{
    uint32_t next = grove__where_next(where, number, end);
    cr_assert_eq(next, expected, "after %u, to %u: %u, not %u", number, end, next,
                 expected);
}

/* The obvious: for each number whether a piece begins there, and which. */
typedef struct naive_where {
    grove__where_piece pieces[300000];
    bool begins[300000];
} naive_where;

static void naive_put(naive_where *naive, grove__where_piece piece)
{
    naive->pieces[piece.first] = piece;
    naive->begins[piece.first] = true;
}

/* False: no piece begins at or before the number. */
static bool naive_find(const naive_where *naive, uint32_t number,
                       grove__where_piece *piece_out)
{
    while (number > 0 && !naive->begins[number]) {
        number--;
    }
    *piece_out = naive->pieces[number];
    return naive->begins[number];
}

static uint32_t naive_next(const naive_where *naive, uint32_t number, uint32_t end)
{
    do {
        number++;
    } while (number < end && !naive->begins[number]);
    return number < end ? number : end;
}

/* Two pieces, looked for from every border. */
static void check_two(grove__where *where, uint32_t first, uint32_t second)
{
    grove__where_clear(where);
    /* The later one is there first: order does not matter. */
    grove__where_put(where, piece_at(second));
    grove__where_put(where, piece_at(first));
    for (uint32_t index = 0; index < BORDERS; index++) {
        uint32_t number = borders[index];
        if (number >= first) {
            check_found(where, number, piece_at(number >= second ? second : first));
        }
        uint32_t next = number < first ? first : number < second ? second : BORDERS_END;
        check_next(where, number, BORDERS_END, next);
        check_next(where, number, number + 1, number + 1);
        check_next(where, number, next, next);
        check_next(where, number, next + 1, next == BORDERS_END ? next + 1 : next);
    }
}

Test(where, a_piece_is_found_across_all_borders_of_words_and_levels)
{
    grove__where where;
    grove__where_init(&where, &grove__allocator_system);
    cr_assert(grove__where_reserve(&where, BORDERS_END));
    for (uint32_t first = 0; first < BORDERS; first++) {
        for (uint32_t second = first; second < BORDERS; second++) {
            check_two(&where, borders[first], borders[second]);
        }
    }
    grove__where_release(&where);
}

Test(where, a_piece_that_is_put_again_is_changed)
{
    grove__where where;
    grove__where_init(&where, &grove__allocator_system);
    cr_assert(grove__where_reserve(&where, 200));
    grove__where_put(&where, (grove__where_piece){64, 1, true, true});
    check_found(&where, 100, (grove__where_piece){64, 1, true, true});
    grove__where_put(&where, (grove__where_piece){64, 2, true, false});
    check_found(&where, 64, (grove__where_piece){64, 2, true, false});
    grove__where_put(&where, (grove__where_piece){64, UINT32_MAX, false, false});
    check_found(&where, 199, (grove__where_piece){64, UINT32_MAX, false, false});
    check_next(&where, 64, 200, 200);
    grove__where_release(&where);
}

/* One step of a random walk among numbers below `end`. */
static void step(grove__where *where, naive_where *naive, test_random *random,
                 uint32_t end)
{
    uint32_t number = (uint32_t)test_random_below(random, end);
    uint64_t drawn = test_random_next(random);
    grove__where_piece piece = {number, (uint32_t)(drawn >> 32), (drawn & 1) != 0,
                                (drawn & 2) != 0};
    cr_assert(grove__where_reserve(where, number + 1));
    grove__where_put(where, piece);
    naive_put(naive, piece);
    for (int look = 0; look < 4; look++) {
        number = (uint32_t)test_random_below(random, end);
        if (naive_find(naive, number, &piece)) {
            check_found(where, number, piece);
        }
        uint32_t stop = number + 1 + (uint32_t)test_random_below(random, end - number);
        check_next(where, number, stop, naive_next(naive, number, stop));
    }
}

static void walk(naive_where *naive, test_random *random, uint32_t end, uint32_t steps)
{
    grove__where where;
    grove__where_init(&where, &grove__allocator_system);
    for (int round = 0; round < 3; round++) {
        memset(naive->begins, 0, sizeof naive->begins);
        grove__where_clear(&where);
        for (uint32_t count = 0; count < steps; count++) {
            step(&where, naive, random, end);
        }
        grove__where_piece piece;
        for (uint32_t number = 0; number < end; number += 1 + end / 500) {
            if (naive_find(naive, number, &piece)) {
                check_found(&where, number, piece);
            }
            check_next(&where, number, end, naive_next(naive, number, end));
        }
    }
    grove__where_release(&where);
}

Test(where, random_pieces_sparse_and_dense)
{
    static naive_where naive;
    test_random random = test_random_of("where");
    static const struct {
        uint32_t end;
        uint32_t steps;
    } cases[] = {
        {1, 3},       {64, 5},        {64, 200},     {65, 100},
        {4096, 10},   {4097, 8000},   {5000, 300},   {20000, 20000},
        {262145, 20}, {262145, 1000}, {300000, 200}, {300000, 10000},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        walk(&naive, &random, cases[index].end, cases[index].steps);
    }
}

Test(where, every_number_may_begin_a_piece)
{
    enum { END = 10000 };
    grove__where where;
    grove__where_init(&where, &grove__allocator_system);
    cr_assert(grove__where_reserve(&where, END));
    for (uint32_t number = END; number > 0; number--) {
        grove__where_put(&where, piece_at(number - 1));
    }
    for (uint32_t number = 0; number < END; number++) {
        check_found(&where, number, piece_at(number));
        check_next(&where, number, END, number + 1);
    }
    grove__where_release(&where);
}

Test(where, clear_forgets_all_pieces_and_keeps_the_memory)
{
    faulty_allocator counting;
    faulty_allocator_init(&counting, 0);
    grove__where where;
    grove__where_init(&where, &counting.allocator);
    grove__where_clear(&where);
    cr_assert_eq(counting.calls, 0);
    cr_assert(grove__where_reserve(&where, 300000));
    for (uint32_t number = 0; number < 300000; number += 3) {
        grove__where_put(&where, (grove__where_piece){number, 9, true, true});
    }
    size_t bytes = where.bytes;
    grove__where_clear(&where);
    cr_assert_eq(where.bytes, bytes);
    cr_assert_eq(counting.calls, 1);
    cr_assert(grove__where_reserve(&where, 300000));
    cr_assert_eq(counting.calls, 1);
    /* Neither bits nor what a piece was are left. */
    grove__where_put(&where, (grove__where_piece){0, 1, false, false});
    grove__where_put(&where, (grove__where_piece){299997, 2, false, false});
    check_found(&where, 299996, (grove__where_piece){0, 1, false, false});
    check_next(&where, 0, 300000, 299997);
    check_found(&where, 299999, (grove__where_piece){299997, 2, false, false});
    grove__where_release(&where);
    cr_assert_eq(where.bytes, 0);
    faulty_allocator_finish(&counting);
}

Test(where, clear_forgets_on_the_highest_level)
{
    enum { BLOCK = 1 << 24 };
    grove__where where;
    grove__where_init(&where, &grove__allocator_system);
    cr_assert(grove__where_reserve(&where, 2 * BLOCK + 2));
    grove__where_put(&where, piece_at(BLOCK + 1));
    grove__where_put(&where, piece_at(2 * BLOCK + 1));
    check_found(&where, 2 * BLOCK, piece_at(BLOCK + 1));
    grove__where_clear(&where);
    grove__where_put(&where, piece_at(2 * BLOCK + 1));
    grove__where_put(&where, piece_at(5));
    check_found(&where, 2 * BLOCK, piece_at(5));
    check_next(&where, 5, 2 * BLOCK + 2, 2 * BLOCK + 1);
    grove__where_release(&where);
}

Test(where, the_last_piece_has_all_numbers_from_its_first_on)
{
    grove__where where;
    grove__where_init(&where, &grove__allocator_system);
    cr_assert(grove__where_reserve(&where, 1));
    grove__where_put(&where, piece_at(0));
    check_found(&where, GROVE__WHERE_NUMBERS_MAX - 1, piece_at(0));
    check_next(&where, 0, GROVE__WHERE_NUMBERS_MAX, GROVE__WHERE_NUMBERS_MAX);
    check_next(&where, GROVE__WHERE_NUMBERS_MAX - 2, GROVE__WHERE_NUMBERS_MAX,
               GROVE__WHERE_NUMBERS_MAX);
    grove__where_release(&where);
}

Test(where, growth_keeps_all_pieces_and_is_rare)
{
    faulty_allocator counting;
    faulty_allocator_init(&counting, 0);
    grove__where where;
    grove__where_init(&where, &counting.allocator);
    for (uint32_t number = 0; number < 100000; number++) {
        cr_assert(grove__where_reserve(&where, number + 1));
        cr_assert_gt(where.capacity, number);
        cr_assert_eq(where.capacity % 64, 0);
        cr_assert_eq(where.bytes, counting.bytes);
        if (number > 0) {
            check_found(&where, number, piece_at((number - 1) / 5 * 5));
        }
        if (number % 5 == 0) {
            grove__where_put(&where, piece_at(number));
        }
    }
    /* Half as much again each time: 64 to 100,000 in 19 steps. */
    cr_assert_leq(counting.calls, 20);
    for (uint32_t number = 0; number < 100000; number++) {
        check_found(&where, number, piece_at(number / 5 * 5));
    }
    uint32_t capacity = where.capacity;
    cr_assert(grove__where_reserve(&where, capacity));
    cr_assert(grove__where_reserve(&where, 0));
    cr_assert_eq(where.capacity, capacity);
    cr_assert(grove__where_reserve(&where, capacity + 1));
    cr_assert_gt(where.capacity, capacity);
    grove__where_release(&where);
    faulty_allocator_finish(&counting);
}

Test(where, a_failed_allocation_changes_nothing)
{
    static const uint32_t ends[] = {1, 64, 1025, 5000, 100000};
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        grove__where where;
        grove__where_init(&where, &faulty.allocator);
        for (size_t index = 0; index < sizeof ends / sizeof *ends; index++) {
            bool had_failed = faulty.has_failed;
            bool is_reserved = grove__where_reserve(&where, ends[index]);
            cr_assert_eq(is_reserved, had_failed || !faulty.has_failed);
            cr_assert_eq(where.bytes, faulty.bytes);
            if (!is_reserved) {
                cr_assert(grove__where_reserve(&where, ends[index]));
            }
            grove__where_put(&where, piece_at(ends[index] - 1));
            for (size_t put = 0; put <= index; put++) {
                check_found(&where, ends[put] - 1, piece_at(ends[put] - 1));
            }
        }
        grove__where_release(&where);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            break;
        }
    }
}

static void *refuse(void *context, size_t bytes)
{
    *(size_t *)context = bytes;
    return NULL;
}

Test(where, room_for_as_many_numbers_as_there_are_is_asked_for_as_it_is)
{
    size_t asked = 0;
    grove_allocator refusing = {.context = &asked, .allocate = refuse};
    grove__where where;
    grove__where_init(&where, &refusing);
    cr_assert_not(grove__where_reserve(&where, GROVE__WHERE_NUMBERS_MAX));
    /* Three bits and a value for each, and the levels above. */
    size_t bits = GROVE__WHERE_NUMBERS_MAX / 8;
    size_t above = bits / 64 + bits / 4096 + bits / 262144 + 8;
    cr_assert_eq(asked, 3 * bits + above + sizeof(uint32_t) * GROVE__WHERE_NUMBERS_MAX);
    cr_assert_eq(where.capacity, 0);
    cr_assert_eq(where.bytes, 0);
}
