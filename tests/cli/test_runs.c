#include <criterion/criterion.h>
#include <grove/text.h>
#include <stdlib.h>

#include "faulty_heap.h"
#include "runs.h"
#include "support/store_fixture.h"
#include "trace_text.h"

/* A run in few letters: kind, position, count, text, id, and parents. */
static void write_run(const grove_event_run *run, char text[256])
{
    const grove_operation *operation = &run->operation;
    int used =
        snprintf(text, 256, "%c%llu*%u'%.*s' %.*s%llu <",
                 operation->kind == GROVE_TEXT_INSERT ? '+' : '-',
                 (unsigned long long)operation->position, operation->count,
                 (int)operation->content.size,
                 operation->content.size > 0 ? (const char *)operation->content.data : "",
                 run->first.replica.size, (const char *)run->first.replica.bytes,
                 (unsigned long long)run->first.sequence);
    for (size_t index = 0; index < run->parent_count; index++) {
        const grove_event_id *parent = &run->parents[index];
        used += snprintf(text + used, 256 - (size_t)used, " %.*s%llu",
                         parent->replica.size, (const char *)parent->replica.bytes,
                         (unsigned long long)parent->sequence);
    }
}

static void check_runs(cli_trace *trace, uint64_t events_max, const char *const *expected)
{
    cli_runs runs;
    grove_event_run run;
    grove_error error;
    cr_assert_eq(cli_runs_init(&runs, trace, &error), GROVE_OK);
    while (cli_runs_next(&runs, events_max, &run, &error) == GROVE_OK) {
        char text[256];
        write_run(&run, text);
        cr_assert_not_null(*expected, "more than expected: %s", text);
        cr_assert_str_eq(text, *expected);
        expected++;
    }
    cr_assert_eq(error.status, GROVE_NONE, "%s", error.message);
    cr_assert_null(*expected, "%s did not come", *expected);
    cli_runs_release(&runs);
}

/*
 * Two branches of one author and one of another, an empty merge, and a merge:
 * "ab\u00fc" becomes "abcd", "axyb\u00fc" and "ab".
 */
#define A1 BRANCH("7", "", "[0,0,\"ab\u00fc\"]")
#define A2 BRANCH("7", "0", "[2,1,\"cd\"]")
#define B1 BRANCH("8", "0", "[1,0,\"x\"],[2,0,\"\"],[2,0,\"y\"]")
#define M1 BRANCH("9", "1,2", "")
#define A3 BRANCH("7", "0", "[2,1,\"\"]")
#define M2 BRANCH("8", "3,4,2", "[0,1,\"A\"]")
static const char BRANCHES[] =
    CONCURRENT("Axybcd", A1 "," A2 "," B1 "," M1 "," A3 "," M2);

Test(runs, have_ids_in_the_order_of_the_file_and_minimal_parents)
{
    static const char *const WHOLE[] = {
        "+0*3'ab\u00fc' 70 <",  "-2*1'' 73 < 72",  "+2*2'cd' 74 < 73",
        "+1*1'x' 80 < 72",      "+2*1'y' 81 < 80", "-2*1'' 76 < 72",
        "-0*1'' 82 < 75 81 76", "+0*1'A' 83 < 82", NULL};
    static const char *const SINGLE[] = {
        "+0*1'a' 70 <",         "+1*1'b' 71 < 70", "+2*1'\u00fc' 72 < 71",
        "-2*1'' 73 < 72",       "+2*1'c' 74 < 73", "+3*1'd' 75 < 74",
        "+1*1'x' 80 < 72",      "+2*1'y' 81 < 80", "-2*1'' 76 < 72",
        "-0*1'' 82 < 75 81 76", "+0*1'A' 83 < 82", NULL};
    cli_trace trace;
    grove_error error;
    cr_assert_eq(trace_of_text(BRANCHES, &trace, &error), GROVE_OK, "%s", error.message);
    check_runs(&trace, UINT64_MAX, WHOLE);
    check_runs(&trace, 1, SINGLE);
    cli_trace_release(&trace);
}

Test(runs, of_agents_with_one_name_are_numbered_together)
{
    static const char *const RUNS[] = {"+0*1'a' me0 <", "+0*1'b' me1 <",
                                       "+0*1'c' me2 < me0 me1", NULL};
    cli_trace trace;
    grove_error error;
    const char *json = CONCURRENT(
        "cab", BRANCH("0", "", "[0,0,\"a\"]") "," BRANCH(
                   "1", "", "[0,0,\"b\"]") "," BRANCH("0", "0,1", "[0,0,\"c\"]"));
    cr_assert_eq(trace_of_text(json, &trace, &error), GROVE_OK, "%s", error.message);
    temporary names = temporary_of("names.json");
    temporary_write(&names, "[\"me\",\"me\"]", 11);
    cr_assert_eq(cli_trace_name_agents(&trace, names.path, &error), GROVE_OK);
    temporary_release(&names);
    check_runs(&trace, UINT64_MAX, RUNS);
    cli_trace_release(&trace);
}

Test(runs, go_on_when_the_trace_has_grown)
{
    cli_trace trace;
    cli_runs runs;
    grove_event_run run;
    grove_error error;
    cli_trace_init(&trace);
    cr_assert_eq(cli_runs_init(&runs, &trace, &error), GROVE_OK);
    for (size_t index = 0; index < 200; index++) {
        grove_replica replica = {1, {(uint8_t)(index / 2)}};
        uint32_t number = 0;
        size_t parent = index - 1;
        cli_patch patch = {.text_bytes = 2};
        cr_assert_eq(cli_trace_replica(&trace, &replica, &number, &error), GROVE_OK);
        cr_assert_eq(cli_trace_begin(&trace, number, &parent, index == 0 ? 0 : 1, &error),
                     GROVE_OK);
        cr_assert_eq(cli_runs_next(&runs, 9, &run, &error), GROVE_NONE);
        cr_assert_eq(cli_trace_append(&trace, &patch, "xy", &error), GROVE_OK);
        cr_assert_eq(cli_runs_next(&runs, 9, &run, &error), GROVE_OK);
        cr_assert_eq(run.first.replica.bytes[0], index / 2);
        cr_assert_eq(run.first.sequence, index % 2 * 2);
        cr_assert_eq(run.parent_count, index == 0 ? 0 : 1);
        cr_assert(index == 0 || run.parents[0].replica.bytes[0] == (index - 1) / 2);
        cr_assert(index == 0 || run.parents[0].sequence == (index - 1) % 2 * 2 + 1);
    }
    cli_runs_release(&runs);
    cli_trace_release(&trace);
}

Test(runs, name_at_most_as_many_parents_as_an_event_may_have)
{
    cli_trace trace;
    grove_error error;
    cli_patch patch = {.text_bytes = 1};
    enum { MAX = GROVE_EVENT_PARENTS_MAX };
    size_t *parents = calloc(MAX + 1, sizeof *parents);
    cli_trace_init(&trace);
    grove_replica replica = {1, "a"};
    uint32_t number = 0;
    cr_assert_eq(cli_trace_replica(&trace, &replica, &number, &error), GROVE_OK);
    for (size_t index = 0; index <= MAX; index++) {
        parents[index] = index;
        cr_assert_eq(cli_trace_begin(&trace, 0, NULL, 0, &error), GROVE_OK);
        cr_assert_eq(cli_trace_append(&trace, &patch, "a", &error), GROVE_OK);
    }
    for (size_t count = MAX; count <= MAX + 1; count++) {
        cr_assert_eq(cli_trace_begin(&trace, 0, parents, count, &error), GROVE_OK);
        cr_assert_eq(cli_trace_append(&trace, &patch, "a", &error), GROVE_OK);
    }
    cli_runs runs;
    grove_event_run run;
    cr_assert_eq(cli_runs_init(&runs, &trace, &error), GROVE_OK);
    for (size_t index = 0; index <= MAX + 1; index++) {
        cr_assert_eq(cli_runs_next(&runs, 1, &run, &error), GROVE_OK);
    }
    cr_assert_eq(run.parent_count, MAX);
    cr_assert_eq(cli_runs_next(&runs, 1, &run, &error), GROVE_LIMIT);
    cr_assert_eq(runs.at_transaction, MAX + 2);
    cli_runs_release(&runs);
    cli_trace_release(&trace);
    free(parents);
}

/* The text that a document has when all events were added. */
static void check_document(store_fixture *fixture, cli_trace *trace, uint64_t events_max)
{
    grove_document *document = open_document(fixture, "trace");
    cli_runs runs;
    grove_event_run run;
    cr_assert_eq(cli_runs_init(&runs, trace, &fixture->error), GROVE_OK);
    while (cli_runs_next(&runs, events_max, &run, &fixture->error) == GROVE_OK) {
        assert_ok(fixture, grove_document_add(document, &run, &fixture->error));
    }
    assert_text(fixture, document, trace->end_text);
    cli_runs_release(&runs);
    grove_document_close(document);
}

STORE_TEST(runs, a_document_takes_them_and_ends_in_the_end_text)
{
    cli_trace trace;
    cr_assert_eq(trace_of_text(BRANCHES, &trace, &fixture->error), GROVE_OK);
    check_document(fixture, &trace, UINT64_MAX);
    check_document(fixture, &trace, 1);
    cli_trace_release(&trace);
}

Test(runs, without_memory_nothing_is_handed_out)
{
    cli_trace trace;
    grove_error error;
    cr_assert_eq(trace_of_text(BRANCHES, &trace, &error), GROVE_OK);
    bool failed = true;
    for (size_t nth = 1; failed; nth++) {
        cli_runs runs;
        grove_event_run run = {.timestamp = 77};
        faulty_heap_begin(nth);
        grove_status status = cli_runs_init(&runs, &trace, &error);
        if (status == GROVE_OK) {
            status = cli_runs_next(&runs, 1, &run, &error);
            cli_runs_release(&runs);
        }
        failed = faulty_heap_end();
        cr_assert_eq(status, failed ? GROVE_NO_MEMORY : GROVE_OK);
        cr_assert_eq(run.timestamp == 77, failed);
        cr_assert(failed || nth == 5);
    }
    cli_trace_release(&trace);
}
