#include <criterion/criterion.h>
#include <stdlib.h>

#include "faulty_heap.h"
#include "trace_text.h"

Test(trace_concurrent, transactions_are_those_of_the_file)
{
    cli_trace trace;
    grove_error error;
    const char *json = CONCURRENT(
        "abz",
        BRANCH("1", "", "[0,0,\"ab\"],[2,0,\"c\"]") "," BRANCH(
            "0", "0", "[2,1,\"\"]") "," BRANCH("1", "0",
                                               "[3,0,\"z\"]") "," BRANCH("3", "1,2",
                                                                         "[0,0,\"\"]"));
    cr_assert_eq(trace_of_text(json, &trace, &error), GROVE_OK, "%s", error.message);
    static const size_t ENDS[] = {2, 3, 4, 4};
    static const uint32_t REPLICAS[] = {1, 0, 1, 3};
    cr_assert_eq(trace.transaction_count, 4);
    for (size_t index = 0; index < 4; index++) {
        cr_assert_eq(trace.transactions[index].patch_end, ENDS[index]);
        cr_assert_eq(trace.transactions[index].replica, REPLICAS[index]);
        cr_assert_eq(trace.ancestry.nodes[index].is_empty, index == 3);
    }
    size_t count = 0;
    const size_t *parents = cli_ancestry_parents(&trace.ancestry, 3, &count);
    cr_assert(count == 2 && parents[0] == 1 && parents[1] == 2);
    cr_assert_eq(trace.replica_count, 4);
    cr_assert_eq(trace.replicas[3].size, 1);
    cr_assert_eq(trace.replicas[3].bytes[0], '3');
    cr_assert_eq(trace.patches[3].timestamp, INT64_C(1618812418219));
    cr_assert_eq(trace.events, 5);
    cr_assert_eq(trace.length, 3, "that of the end text");
    cli_trace_release(&trace);
}

/* Without "kind", parents tell; fields may stand in any order. */
Test(trace_concurrent, the_first_that_tells_decides_what_a_trace_is)
{
    cli_trace trace;
    grove_error error;
    static const char *const ALIKE[] = {
        CONCURRENT("a", BRANCH("0", "", "[0,0,\"a\"]")),
        TRACE("a", BRANCH("0", "", "[0,0,\"a\"]")),
        "{\"txns\":[" BRANCH(
            "0", "", "[0,0,\"a\"]") "],\"numAgents\":1,"
                                    "\"kind\":\"concurrent\",\"endContent\":\"a\"}",
        "{\"kind\":\"concurrent\",\"startContent\":\"\",\"numAgents\":7,\"txns\":"
        "[" BRANCH("0", "", "[0,0,\"a\"]") "],\"endContent\":\"a\"}",
    };
    for (size_t index = 0; index < sizeof ALIKE / sizeof *ALIKE; index++) {
        cr_assert_eq(trace_of_text(ALIKE[index], &trace, &error), GROVE_OK, "%s: %s",
                     ALIKE[index], error.message);
        cr_assert_eq(trace.transaction_count, 1);
        cr_assert_eq(trace.replica_count, 1);
        cli_trace_release(&trace);
    }
}

typedef struct bad_example {
    const char *json;
    grove_status status;
    const char *says; /* part of the message */
} bad_example;

#define BAD(end, txns, says)                         \
    {                                                \
        CONCURRENT(end, txns), GROVE_MALFORMED, says \
    }

static const bad_example EXAMPLES[] = {
    BAD("", TXN(""), "transaction 0: no \"parents\" that is a list"),
    BAD("", "{" TIME ",\"agent\":0,\"parents\":0,\"patches\":[]}",
        "transaction 0: no \"parents\" that is a list"),
    BAD("", BRANCH("0", "", "") ",{" TIME ",\"parents\":[0],\"patches\":[]}",
        "transaction 1: no \"agent\""),
    BAD("", BRANCH("-1", "", ""), "transaction 0: no \"agent\""),
    BAD("", BRANCH("0.0", "", ""), "transaction 0: no \"agent\""),
    BAD("", BRANCH("\"0\"", "", ""), "transaction 0: no \"agent\""),
    BAD("", BRANCH("0", "0", ""), "transaction 0: its parent 0 is no transaction before"),
    BAD("", BRANCH("0", "", "") "," BRANCH("0", "0,1", ""),
        "transaction 1: its parent 1 is no transaction before"),
    BAD("", BRANCH("0", "", "") "," BRANCH("0", "-1", ""), "its parent 0"),
    BAD("", BRANCH("0", "", "") "," BRANCH("0", "0.5", ""), "its parent 0"),
    BAD("", BRANCH("0", "", "") "," BRANCH("0", "null", ""), "its parent 0"),
    BAD("", BRANCH("0", "", "") "," BRANCH("0", "9223372036854775807", ""),
        "its parent 0"),
    BAD("a", BRANCH("0", "", "[0,0,\"a\"],[2,0,\"b\"]"),
        "transaction 0, patch 1: position 2 lies beyond the end of a text of at most 1"),
    BAD("a", BRANCH("0", "", "[0,0,\"ab\"],[1,2,\"\"]"),
        "transaction 0, patch 1: deletes 2 characters at 1 of a text of at most 2"),
    BAD("a", BRANCH("0", "", "[0,9223372036854775807,\"\"]"), "deletes 92233720368547"),
    BAD("", BRANCH("0", "", "") "],\"kind\":\"sequential\",\"x\":[", "is not what its"),
    {TRACE("", TXN("") "],\"kind\":\"concurrent\",\"x\":["), GROVE_MALFORMED,
     "its \"kind\" is not what its transactions are"},
    BAD("", BRANCH("4", "", "") "],\"numAgents\":4,\"x\":[",
        "there is an agent 4, but \"numAgents\" is 4"),
    BAD("", BRANCH("0", "", "") "],\"numAgents\":-1,\"x\":[", "\"numAgents\" is not"),
    BAD("", BRANCH("0", "", "") "],\"numAgents\":\"2\",\"x\":[", "\"numAgents\" is not"),
    {"{\"startContent\":\"a\",\"endContent\":\"a\",\"txns\":[" BRANCH("0", "", "") "]}",
     GROVE_MALFORMED, "a \"startContent\" that is not empty"},
    {CONCURRENT("", BRANCH("16384", "", "")), GROVE_LIMIT, "agent 16384"},
    {CONCURRENT("", BRANCH("9223372036854775807", "", "")), GROVE_LIMIT, "agent 92233"},
};

Test(trace_concurrent, each_fault_is_named_with_its_place)
{
    for (size_t index = 0; index < sizeof EXAMPLES / sizeof *EXAMPLES; index++) {
        cli_trace trace = {.length = 77};
        grove_error error = {.message = ""};
        const bad_example *bad = &EXAMPLES[index];
        cr_expect_eq(trace_of_text(bad->json, &trace, &error), bad->status, "%s: %s",
                     bad->json, error.message);
        cr_expect(strstr(error.message, bad->says) != NULL,
                  "%s: \"%s\" does not say \"%s\"", bad->json, error.message, bad->says);
        cr_expect_eq(trace.length, 77, "the output was touched");
    }
}

Test(trace_concurrent, the_greatest_agent_is_taken)
{
    cli_trace trace;
    grove_error error;
    const char *json = CONCURRENT("a", BRANCH("16383", "", "[0,0,\"a\"]"));
    cr_assert_eq(trace_of_text(json, &trace, &error), GROVE_OK, "%s", error.message);
    cr_assert_eq(trace.replica_count, CLI_TRACE_REPLICAS_MAX);
    const grove_replica *replica = &trace.replicas[trace.transactions[0].replica];
    cr_assert_eq(replica->size, 5);
    cr_assert(memcmp(replica->bytes, "16383", 5) == 0);
    grove_replica new_one = {1, "x"};
    uint32_t index = 77;
    cr_assert_eq(cli_trace_replica(&trace, &new_one, &index, &error), GROVE_LIMIT);
    cr_assert_eq(cli_trace_replica(&trace, replica, &index, &error), GROVE_OK);
    cr_assert_eq(index, 16383);
    cli_trace_release(&trace);
}

static const char THREE[] =
    CONCURRENT("ab", BRANCH("0", "", "[0,0,\"a\"]") "," BRANCH(
                         "1", "0", "[1,0,\"b\"]") "," BRANCH("2", "1", ""));

static grove_status name_agents(cli_trace *trace, const char *names, grove_error *error)
{
    temporary file = temporary_of("names.json");
    temporary_write(&file, names, strlen(names));
    grove_status status = cli_trace_name_agents(trace, file.path, error);
    temporary_release(&file);
    return status;
}

Test(trace_concurrent, agents_of_one_name_are_one_replica)
{
    cli_trace trace;
    grove_error error;
    cr_assert_eq(trace_of_text(THREE, &trace, &error), GROVE_OK);
    const char *names = " [ \"Zo\u00eb\", \"b\", \"Zo\\u00eb\", \"nobody\" ] ";
    cr_assert_eq(name_agents(&trace, names, &error), GROVE_OK, "%s", error.message);
    cr_assert_eq(trace.replica_count, 2);
    cr_assert_eq(trace.transactions[0].replica, 0);
    cr_assert_eq(trace.transactions[1].replica, 1);
    cr_assert_eq(trace.transactions[2].replica, 0);
    cr_assert_eq(trace.replicas[0].size, 4);
    cr_assert(memcmp(trace.replicas[0].bytes, "Zo\u00eb", 4) == 0);
    cr_assert(trace.replicas[1].size == 1 && trace.replicas[1].bytes[0] == 'b');
    cli_trace_release(&trace);
}

#define LONG64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

Test(trace_concurrent, names_that_are_none_leave_the_agents_as_they_were)
{
    static const char *const NAMES[][2] = {
        {"", "not JSON"},
        {"{}", "not a list of names"},
        {"[\"a\",\"b\"]", "there is an agent 2, but only 2 names"},
        {"[\"a\",\"\",\"c\"]", "name 1 is not a string of 1 to 64 bytes"},
        {"[\"a\",7,\"c\"]", "name 1 is not a string"},
        {"[\"" LONG64 "x\",\"b\",\"c\"]", "name 0 is not a string"},
        {"[\"a\",\"b\",\"c\"] x", "the end is missing"},
    };
    cli_trace trace;
    grove_error error;
    cr_assert_eq(trace_of_text(THREE, &trace, &error), GROVE_OK);
    for (size_t index = 0; index < sizeof NAMES / sizeof *NAMES; index++) {
        cr_expect_eq(name_agents(&trace, NAMES[index][0], &error), GROVE_MALFORMED);
        cr_expect(strstr(error.message, NAMES[index][1]) != NULL, "%s", error.message);
        cr_expect(strstr(error.message, "names.json") != NULL, "%s", error.message);
        cr_expect_eq(trace.replica_count, 3);
        cr_expect_eq(trace.replicas[2].bytes[0], '2');
    }
    cr_expect_eq(cli_trace_name_agents(&trace, "/nowhere/names", &error), GROVE_IO);
    cr_expect_str_eq(error.message, "/nowhere/names: No such file or directory");
    cr_expect_eq(name_agents(&trace, "[\"" LONG64 "\",\"b\",\"c\"]", &error), GROVE_OK,
                 "%s", error.message);
    cr_expect_eq(trace.replicas[0].size, 64);
    cli_trace_release(&trace);
}

Test(trace_concurrent, a_sequential_trace_has_no_agents_to_name)
{
    cli_trace trace;
    grove_error error;
    cr_assert_eq(trace_of_text(TRACE("a", TXN("[0,0,\"a\"]")), &trace, &error), GROVE_OK);
    cr_assert_eq(name_agents(&trace, "[\"a\"]", &error), GROVE_INVALID);
    cr_assert(strstr(error.message, "sequential") != NULL, "%s", error.message);
    cli_trace_release(&trace);
}

/* Reads THREE and names its agents. */
static grove_status read_and_name(const char *path, const char *names, cli_trace *trace,
                                  grove_error *error)
{
    grove_status status = cli_trace_read(path, trace, error);
    if (status == GROVE_OK) {
        status = cli_trace_name_agents(trace, names, error);
        if (status != GROVE_OK) {
            cr_assert_eq(trace->replica_count, 3);
            cli_trace_release(trace);
        }
    }
    return status;
}

/* jansson takes some failed allocations of its own for a fault of the text. */
Test(trace_concurrent, any_failed_allocation_is_a_failure_and_loses_nothing)
{
    static const char NAMES[] = "[\"a\",\"b\",\"a\"]";
    temporary file = temporary_of("trace.json");
    temporary names = temporary_of("names.json");
    temporary_write(&file, THREE, strlen(THREE));
    temporary_write(&names, NAMES, strlen(NAMES));
    bool failed = true;
    for (size_t nth = 1; failed; nth++) {
        cli_trace trace;
        grove_error error;
        faulty_heap_begin(nth);
        grove_status status = read_and_name(file.path, names.path, &trace, &error);
        failed = faulty_heap_end();
        cr_assert(failed ? status == GROVE_NO_MEMORY || status == GROVE_MALFORMED
                         : status == GROVE_OK,
                  "allocation %zu: %s", nth, error.message);
        if (!failed) {
            cr_assert_gt(nth, 20);
            cr_assert_eq(trace.replica_count, 2);
            cli_trace_release(&trace);
        }
    }
    temporary_release(&file);
    temporary_release(&names);
}
