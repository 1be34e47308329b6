#include <criterion/criterion.h>

#include "faulty_heap.h"
#include "model.h"
#include "session.h"
#include "support/random.h"
#include "temporary.h"

static cli_trace make(uint64_t events, uint64_t seed, uint64_t final_length)
{
    cli_session_options options = {events, seed, final_length};
    cli_trace trace;
    grove_error error = {.message = ""};
    cr_assert_eq(cli_session_make(&options, &trace, &error), GROVE_OK, "%s",
                 error.message);
    return trace;
}

static void check_counts(const cli_trace *trace, uint64_t events, uint64_t final_length)
{
    uint64_t odd = (events + final_length) % 2;
    cr_assert_eq(trace->events, events);
    cr_assert_eq(trace->length, final_length + odd, "%llu events, %llu characters",
                 (unsigned long long)events, (unsigned long long)final_length);
}

Test(session, has_the_events_and_the_length_that_were_ordered)
{
    static const uint64_t ORDERS[][2] = {
        {1, 1},      {1, 0},           {2, 0},         {2, 1},        {2, 2},
        {3, 0},      {3, 3},           {10, 4},        {100, 0},      {100, 100},
        {101, 100},  {1000, 400},      {1000, 999},    {5000, 5},     {100000, 40000},
        {100000, 0}, {100000, 100000}, {100000, 2000}, {99999, 99998}};
    for (size_t index = 0; index < sizeof ORDERS / sizeof *ORDERS; index++) {
        cli_trace trace = make(ORDERS[index][0], index, ORDERS[index][1]);
        check_counts(&trace, ORDERS[index][0], ORDERS[index][1]);
        cli_trace_release(&trace);
    }
}

Test(session, random_orders_are_met_and_times_never_go_back)
{
    test_random random = test_random_of("session");
    for (size_t round = 0; round < 300; round++) {
        uint64_t events = 1 + test_random_below(&random, 5000);
        uint64_t final_length = test_random_below(&random, events + 1);
        cli_trace trace = make(events, test_random_next(&random), final_length);
        check_counts(&trace, events, final_length);
        for (size_t index = 1; index < trace.patch_count; index++) {
            cr_assert_geq(trace.patches[index].timestamp,
                          trace.patches[index - 1].timestamp);
        }
        cli_trace_release(&trace);
    }
}

/* FNV-1a over everything a session consists of. */
static uint64_t fingerprint(const cli_trace *trace)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t index = 0; index < trace->patch_count; index++) {
        const cli_patch *patch = &trace->patches[index];
        const uint64_t numbers[] = {patch->position, patch->deleted, patch->inserted,
                                    (uint64_t)patch->timestamp};
        for (size_t byte = 0; byte < 8 * sizeof numbers / sizeof *numbers; byte++) {
            hash = (hash ^ (numbers[byte / 8] >> byte % 8 * 8 & 0xFF)) *
                   UINT64_C(0x100000001b3);
        }
    }
    for (size_t index = 0; index < trace->text_bytes; index++) {
        hash = (hash ^ (unsigned char)trace->text[index]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

Test(session, is_the_same_everywhere)
{
    /* A change of these numbers is a change of every benchmark's input. */
    cli_trace trace = make(100000, 1, 40000);
    cr_expect_eq(fingerprint(&trace), UINT64_C(0xcb1b3030422f4c58), "0x%llx",
                 (unsigned long long)fingerprint(&trace));
    cli_trace_release(&trace);
    trace = make(100000, 2, 40000);
    cr_expect_eq(fingerprint(&trace), UINT64_C(0x9b9e565754e514c1), "0x%llx",
                 (unsigned long long)fingerprint(&trace));
    cli_trace_release(&trace);
}

Test(session, ends_in_the_text_that_its_patches_make)
{
    cli_trace trace = make(30000, 5, 12000);
    temporary file = temporary_of("session.json.gz");
    cli_trace again;
    grove_error error;
    cr_assert_eq(cli_trace_write(&trace, file.path, &error), GROVE_OK);
    cr_assert_eq(cli_trace_read(file.path, &again, &error), GROVE_OK, "%s",
                 error.message);
    temporary_release(&file);
    cr_assert_eq(fingerprint(&trace), fingerprint(&again));
    cr_assert_eq(trace.end_bytes, again.end_bytes);
    cr_assert(memcmp(trace.end_text, again.end_text, trace.end_bytes) == 0);
    cli_trace_release(&trace);
    cli_trace_release(&again);
}

Test(session, the_text_keeps_its_course_to_within_a_tenth)
{
    const uint64_t events = 200000;
    const uint64_t final_length = 20000;
    cli_trace trace = make(events, 3, final_length);
    uint64_t done = 0;
    uint64_t length = 0;
    for (size_t index = 0; index < trace.patch_count; index++) {
        done += trace.patches[index].deleted + trace.patches[index].inserted;
        length += trace.patches[index].inserted - trace.patches[index].deleted;
        if (done > events * 7 / 10) {
            cr_assert_lt(length, final_length + final_length / 10, "after %llu events",
                         (unsigned long long)done);
            cr_assert_gt(length, final_length - final_length / 10, "after %llu events",
                         (unsigned long long)done);
        }
    }
    cli_trace_release(&trace);
}

Test(session, is_made_of_what_people_do)
{
    cli_trace trace = make(100000, 7, 40000);
    size_t typed = 0;
    size_t taken_back = 0;
    size_t jumps = 0;
    size_t pasted = 0;
    size_t ranges = 0;
    size_t replaced = 0;
    size_t foreign = 0;
    uint64_t cursor = 0;
    for (size_t index = 0; index < trace.patch_count; index++) {
        const cli_patch *patch = &trace.patches[index];
        bool follows = patch->position == cursor;
        typed += follows && patch->inserted > 0 && patch->deleted == 0;
        taken_back += patch->position + 1 == cursor && patch->deleted == 1;
        jumps += patch->position > cursor + 1 || patch->position + 1 < cursor;
        pasted += patch->inserted > 40;
        ranges += patch->deleted > 1 && patch->inserted == 0;
        replaced += patch->deleted > 0 && patch->inserted > 0;
        foreign += patch->text_bytes > patch->inserted;
        cursor = patch->position + patch->inserted;
    }
    size_t all = trace.patch_count;
    cr_expect_gt(typed, all / 3);
    cr_expect_gt(taken_back, all / 50);
    cr_expect_gt(jumps, all / 50);
    cr_expect_gt(jumps, 100);
    cr_expect_lt(jumps, all / 3);
    cr_expect_gt(pasted, 10);
    cr_expect_gt(ranges, 100);
    cr_expect_gt(replaced, 10);
    cr_expect_gt(foreign, 20);
    cr_expect_lt(all, trace.events / 2, "runs, not single characters");
    cli_trace_release(&trace);
}

Test(session, impossible_orders_are_refused)
{
    static const cli_session_options BAD[] = {
        {0, 1, 0}, {CLI_SESSION_EVENTS_MAX + 1, 1, 0}, {10, 1, 11}, {1, 1, UINT64_MAX}};
    for (size_t index = 0; index < sizeof BAD / sizeof *BAD; index++) {
        cli_trace trace = {.length = 77};
        cr_expect_eq(cli_session_make(&BAD[index], &trace, NULL), GROVE_INVALID);
        cr_expect_eq(trace.length, 77);
    }
}

Test(session, any_failed_allocation_is_out_of_memory_and_loses_nothing)
{
    cli_session_options options = {5000, 1, 4000};
    bool failed = true;
    for (size_t nth = 1; failed; nth++) {
        cli_trace trace = {.length = 77};
        faulty_heap_begin(nth);
        grove_status status = cli_session_make(&options, &trace, NULL);
        failed = faulty_heap_end();
        cr_assert_eq(status, failed ? GROVE_NO_MEMORY : GROVE_OK);
        cr_assert_eq(trace.length, failed ? 77 : 4000);
        if (!failed) {
            cr_assert_gt(nth, 5);
            cli_trace_release(&trace);
        }
    }
}
