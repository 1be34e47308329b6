#include <criterion/criterion.h>

#include "rollup/rollup.h"
#include "support/random.h"

enum { PIECES_MAX = 4096 };

/* A document that is saved again and again. */
typedef struct saved_log {
    grove__piece pieces[PIECES_MAX];
    size_t count;
    uint64_t events;
    uint64_t rewritten;
    uint64_t rewritten_most; /* by one save */
} saved_log;

static void save(saved_log *log, uint64_t events, uint64_t bytes)
{
    cr_assert_lt(log->count, PIECES_MAX);
    log->pieces[log->count++] = (grove__piece){log->events, events, bytes};
    log->events += events;
    grove__rollup_limits limits = grove__rollup_limits_usual();
    size_t taken = grove__rollup_plan(log->pieces, log->count, 1, &limits);
    cr_assert_neq(taken, 1);
    cr_assert_leq(taken, log->count);
    for (; taken > 1; taken--) {
        const grove__piece *last = &log->pieces[log->count - 1];
        log->pieces[log->count - 2].events += last->events;
        log->pieces[log->count - 2].bytes += last->bytes;
        log->count--;
    }
    uint64_t rewritten = log->pieces[log->count - 1].events - events;
    log->rewritten += rewritten;
    log->rewritten_most =
        rewritten > log->rewritten_most ? rewritten : log->rewritten_most;
}

Test(rollup, one_event_at_a_time_leaves_few_pieces_and_bounded_work)
{
    static saved_log log;
    for (int count = 0; count < 100000; count++) {
        save(&log, 1, 2);
#ifndef GROVE_TINY_LIMITS
        cr_assert_leq(log.count, 48);
#endif
    }
    cr_assert_leq(log.rewritten_most, GROVE_ROLLUP_EVENTS_MAX);
    /* Each event is rewritten at most once a level: 8^6 > 100,000. */
    cr_assert_leq(log.rewritten, 6 * 100000);
}

Test(rollup, any_sizes_leave_few_pieces_for_the_events_there_are)
{
    test_random random = test_random_of("rollup");
    for (int round = 0; round < 50; round++) {
        static saved_log log;
        memset(&log, 0, sizeof log);
        for (int count = 0; count < 2000; count++) {
            uint64_t drawn = test_random_next(&random);
            save(&log, 1 + (drawn & ((UINT64_C(1) << (drawn >> 60)) - 1)), 10);
        }
        /* Seven a level below the bound, and the pieces at the bound. */
        cr_assert_leq(log.count, 7 * 6 + 2 * log.events / GROVE_ROLLUP_EVENTS_MAX + 1);
    }
}

Test(rollup, nothing_is_rolled_over_the_bound_of_bytes)
{
    grove__piece pieces[9];
    for (size_t index = 0; index < 9; index++) {
        pieces[index] = (grove__piece){index, 1, GROVE_ROLLUP_BYTES_MAX / 4};
    }
    grove__rollup_limits limits = grove__rollup_limits_usual();
    cr_assert_eq(grove__rollup_plan(pieces, 9, 1, &limits), 4);
    pieces[8].bytes = GROVE_ROLLUP_BYTES_MAX;
    cr_assert_eq(grove__rollup_plan(pieces, 9, 1, &limits), 0);
}

Test(rollup, joined_pieces_become_one_whatever_their_levels)
{
    grove__piece pieces[] = {{0, 512, 1}, {512, 64, 1}, {576, 8, 1}, {584, 1, 1}};
    grove__rollup_limits limits = {1000000, 1000000, 8};
    cr_assert_eq(grove__rollup_plan(pieces, 4, 1, &limits), 0);
    cr_assert_eq(grove__rollup_plan(pieces, 4, 3, &limits), 3);
    cr_assert_eq(grove__rollup_plan(pieces, 4, 4, &limits), 4);
}

Test(rollup, with_fan_out_2_equal_pieces_become_one)
{
    grove__piece pieces[] = {{0, 2000, 1}, {2000, 1000, 1}, {3000, 1000, 1}};
    grove__rollup_limits limits = {1000000, 1000000, 2};
    cr_assert_eq(grove__rollup_plan(pieces, 3, 1, &limits), 3);
}

Test(seal, the_first_time_packs_everything)
{
    grove__piece pieces[] = {{0, 10, 1}, {10, 10, 1}, {20, 1, 1}};
    bool is_sealed[] = {false, false, false};
    cr_assert_eq(grove__seal_plan(pieces, is_sealed, 3), 0);
}

Test(seal, a_much_larger_segment_stays)
{
    grove__piece pieces[] = {{0, 100, 1}, {100, 10, 1}, {110, 10, 1}};
    bool is_sealed[] = {true, false, false};
    cr_assert_eq(grove__seal_plan(pieces, is_sealed, 3), 1);
    pieces[0].events = 41;
    cr_assert_eq(grove__seal_plan(pieces, is_sealed, 3), 0);
    pieces[0].events = 42;
    cr_assert_eq(grove__seal_plan(pieces, is_sealed, 3), 1);
}

Test(seal, twice_in_a_row_does_nothing_the_second_time)
{
    grove__piece pieces[] = {{0, 100, 1}};
    bool is_sealed[] = {true};
    cr_assert_eq(grove__seal_plan(pieces, is_sealed, 1), 1);
}

Test(seal, again_and_again_rewrites_a_logarithm)
{
    grove__piece pieces[64];
    bool is_sealed[64] = {false};
    size_t count = 0;
    uint64_t events = 0;
    uint64_t rewritten = 0;
    for (int round = 0; round < 4096; round++) {
        pieces[count] = (grove__piece){events, 10, 10};
        is_sealed[count] = false;
        count++;
        events += 10;
        size_t first = grove__seal_plan(pieces, is_sealed, count);
        for (size_t index = first; index < count; index++) {
            rewritten += pieces[index].events;
        }
        for (; count > first + 1; count--) {
            pieces[count - 2].events += pieces[count - 1].events;
        }
        is_sealed[count - 1] = true;
        cr_assert_leq(count, 16);
    }
    cr_assert_leq(rewritten, 12 * 2 * events);
}

/* Takes a snapshot every 1,000 events and thins; returns how many are left. */
static size_t take_snapshots(grove__piece *kept, int rounds, uint64_t bytes,
                             uint64_t bytes_max)
{
    size_t count = 0;
    for (int round = 1; round <= rounds; round++) {
        uint64_t clock = (uint64_t)round * 1000;
        bool drop[64];
        grove__thin_snapshots(kept, count, clock, bytes_max, drop);
        size_t left = 0;
        for (size_t index = 0; index < count; index++) {
            if (!drop[index]) {
                kept[left++] = kept[index];
            }
        }
        kept[left++] = (grove__piece){clock, 0, bytes};
        count = left;
        cr_assert_leq(count, 32);
    }
    return count;
}

Test(thin, the_newest_two_stay_even_with_no_bytes_to_spare)
{
    grove__piece kept[64];
    cr_assert_eq(take_snapshots(kept, 100, 1000, 0), 2);
    cr_assert_eq(kept[0].clock, 99000);
    cr_assert_eq(kept[1].clock, 100000);
}

Test(thin, distances_grow_geometrically)
{
    grove__piece kept[64];
    size_t count = take_snapshots(kept, 1000, 1, UINT64_MAX);
    cr_assert_geq(count, 8);
    cr_assert_leq(count, 24);
    for (size_t index = 2; index + 1 < count; index++) {
        uint64_t near = 1000000 - kept[index].clock;
        uint64_t far = 1000000 - kept[index - 2].clock;
        cr_assert_geq(far, 2 * near);
    }
}

Test(thin, older_ones_stay_within_their_bytes)
{
    grove__piece kept[64];
    size_t count = take_snapshots(kept, 1000, 100, 350);
    cr_assert_leq(count, 2 + 3);
    cr_assert_geq(count, 3);
}
