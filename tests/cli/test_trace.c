#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <sys/resource.h>
#include <zlib.h>

#include "faulty_heap.h"
#include "model.h"
#include "trace_text.h"

/* Makes the patches in a text of their own; it must be the end text. */
static void check_end(const cli_trace *trace)
{
    cli_model model;
    cli_model_init(&model);
    for (size_t index = 0; index < trace->patch_count; index++) {
        const cli_patch *patch = &trace->patches[index];
        cli_model_delete(&model, patch->position, patch->deleted);
        const char *text = trace->text + patch->text_offset;
        size_t at = 0;
        for (uint64_t done = 0; done < patch->inserted; done++) {
            uint32_t point = (unsigned char)text[at];
            size_t bytes = point < 0x80 ? 1 : point < 0xE0 ? 2 : point < 0xF0 ? 3 : 4;
            point = bytes == 1 ? point : point & (0x7Fu >> bytes);
            for (size_t more = 1; more < bytes; more++) {
                point = point << 6 | ((unsigned char)text[at + more] & 0x3Fu);
            }
            at += bytes;
            cr_assert(cli_model_insert(&model, patch->position + done, &point, 1));
        }
        cr_assert_eq(at, patch->text_bytes);
    }
    size_t bytes = 0;
    char *text = cli_model_utf8(&model, &bytes);
    cr_assert_eq(model.length, trace->length);
    cr_assert_eq(bytes, trace->end_bytes);
    cr_assert(memcmp(text, trace->end_text, bytes) == 0);
    free(text);
    cli_model_release(&model);
}

Test(trace, patches_times_and_text_are_those_of_the_file)
{
    cli_trace trace;
    grove_error error;
    const char *json = TRACE(
        "h\u00e9y", "{\"time\":\"1970-01-01T00:00:01Z\",\"patches\":[[0,0,\"hello\"],"
                    "[1,4,\"\u00e9\"]]},"
                    "{\"timestamp\":\"1970-01-01T00:00:02+00:00\",\"patches\":"
                    "[[2,0,\"y\"],[0,0,\"\"],[3,0,\"z\"],[3,1,\"\"]]}");
    cr_assert_eq(trace_of_text(json, &trace, &error), GROVE_OK);
    cr_assert_eq(trace.patch_count, 5, "the empty patch is left out");
    cr_assert_eq(trace.patches[0].timestamp, 1000);
    cr_assert_eq(trace.patches[1].position, 1);
    cr_assert_eq(trace.patches[1].deleted, 4);
    cr_assert_eq(trace.patches[1].inserted, 1);
    cr_assert_eq(trace.patches[1].text_bytes, 2);
    cr_assert_eq(trace.patches[1].text_offset, 5);
    cr_assert_eq(trace.patches[2].timestamp, 2000);
    cr_assert_eq(trace.events, 5 + 5 + 1 + 1 + 1);
    cr_assert_eq(trace.length, 3);
    check_end(&trace);
    cli_trace_release(&trace);
}

Test(trace, a_start_content_is_the_first_insertion)
{
    cli_trace trace;
    grove_error error;
    const char *json = "{\"startContent\":\"ab\",\"endContent\":\"axb\",\"txns\":["
                       "{\"time\":\"1970-01-01T00:00:07Z\",\"patches\":[[1,0,\"x\"]]}]}";
    cr_assert_eq(trace_of_text(json, &trace, &error), GROVE_OK);
    cr_assert_eq(trace.patch_count, 2);
    cr_assert_eq(trace.patches[0].inserted, 2);
    cr_assert_eq(trace.patches[0].timestamp, 7000);
    check_end(&trace);
    cli_trace_release(&trace);
}

Test(trace, nothing_and_text_with_nul_are_texts)
{
    cli_trace trace;
    grove_error error;
    cr_assert_eq(trace_of_text("{\"endContent\":\"\",\"txns\":[]}", &trace, &error),
                 GROVE_OK);
    cr_assert_eq(trace.events, 0);
    cli_trace_release(&trace);
    cr_assert_eq(
        trace_of_text(" {\n\t\"more\" : {\"a\":[7]} , \"kind\":\"sequential\",\r\n"
                      "\"txns\" : [ ] , \"endContent\" :\"\" }\n",
                      &trace, &error),
        GROVE_OK, "%s", error.message);
    cli_trace_release(&trace);
    cr_assert_eq(
        trace_of_text("{\"startContent\":\"ab\",\"txns\":[],\"endContent\":\"ab\"}",
                      &trace, &error),
        GROVE_OK, "%s", error.message);
    cr_assert_eq(trace.events, 2);
    check_end(&trace);
    cli_trace_release(&trace);
    cr_assert_eq(
        trace_of_text(TRACE("a\\u0000b", TXN("[0,0,\"a\\u0000b\"]")), &trace, &error),
        GROVE_OK);
    cr_assert_eq(trace.length, 3);
    check_end(&trace);
    cli_trace_release(&trace);
}

typedef struct bad_example {
    const char *json;
    const char *says; /* part of the message */
} bad_example;

static const bad_example BAD[] = {
    {"", "not a JSON object"},
    {"[1,2]", "not a JSON object"},
    {"{", "not JSON"},
    {"{\"txns\"}", "':' is missing"},
    {"{\"txns\":[],}", "not JSON"},
    {"{,\"txns\":[]}", "not JSON"},
    {"{7:[]}", "a name is missing"},
    {"{\"txns\":[] \"endContent\":\"\"}", "',' or '}' is missing at byte 11"},
    {"{\"txns\":[,]}", "not JSON"},
    {"{\"txns\":[{}", "transaction 0"},
    {TRACE("", TXN("") ","), "not JSON"},
    {TRACE("", TXN("") TXN("")), "',' or ']' is missing"},
    {"{\"x\":[1,2}", "not JSON"},
    {"{}", "no \"txns\""},
    {"{\"txns\":{}}", "\"txns\" is not a list"},
    {"{\"txns\":[]}", "endContent"},
    {"{\"txns\":[],\"endContent\":7}", "endContent"},
    {"{\"startContent\":[],\"txns\":[]}", "\"startContent\" is not a string"},
    {"{\"txns\":[],\"endContent\":\"\"} x", "the end is missing"},
    {"{\"txns\":[],\"txns\":[],\"endContent\":\"\"}", "\"txns\" stands twice"},
    {"{\"endContent\":\"\",\"endContent\":\"\"}", "\"endContent\" stands twice"},
    {"{\"startContent\":\"\",\"startContent\":\"\"}", "\"startContent\" stands twice"},
    {"{\"txns\":[],\"startContent\":\"\"}", "after \"txns\""},
    {TRACE("", "{" TIME "," TIME ",\"patches\":[]}"), "duplicate"},
    {"{\"kind\":\"forked\",\"txns\":[],\"endContent\":\"\"}", "its \"kind\" is neither"},
    {"{\"kind\":1,\"txns\":[],\"endContent\":\"\"}", "its \"kind\" is neither"},
    {TRACE("", "7"), "transaction 0 is not an object"},
    {TRACE("", TXN("") "," BRANCH("0", "0", "")), "transaction 1 has parents"},
    {TRACE("", TXN("") ",{\"patches\":[]}"), "transaction 1: no \"time\""},
    {TRACE("", "{\"time\":1618812418,\"patches\":[]}"), "transaction 0: no \"time\""},
    {TRACE("", "{\"time\":\"yesterday\",\"patches\":[]}"), "\"yesterday\" is not a time"},
    {TRACE("", "{\"time\":\"2021-02-30T00:00:00Z\",\"patches\":[]}"), "is not a time"},
    {TRACE("", "{" TIME "}"), "transaction 0: no \"patches\""},
    {TRACE("", "{" TIME ",\"patches\":{}}"), "transaction 0: no \"patches\""},
    {TRACE("", TXN("7")), "transaction 0, patch 0: not a list"},
    {TRACE("", TXN("[]")), "transaction 0, patch 0: not a list"},
    {TRACE("", TXN("[0,0]")), "transaction 0, patch 0: not a list"},
    {TRACE("", TXN("[0,0,\"\",0]")), "transaction 0, patch 0: not a list"},
    {TRACE("", TXN("[0,0,\"\"],[-1,0,\"\"]")), "transaction 0, patch 1: the position"},
    {TRACE("", TXN("[0.0,0,\"\"]")), "transaction 0, patch 0: the position"},
    {TRACE("", TXN("[\"0\",0,\"\"]")), "transaction 0, patch 0: the position"},
    {TRACE("", TXN("[0,-1,\"\"]")), "transaction 0, patch 0: the deleted count"},
    {TRACE("", TXN("[0,null,\"\"]")), "transaction 0, patch 0: the deleted count"},
    {TRACE("", TXN("[0,0,7]")), "transaction 0, patch 0: the inserted text"},
    {TRACE("", TXN("[1,0,\"\"]")), "transaction 0, patch 0: position 1 lies beyond"},
    {TRACE("", TXN("[0,1,\"\"]")), "transaction 0, patch 0: deletes 1 characters at 0"},
    {TRACE("ab", TXN("[0,0,\"ab\"]") "," TXN("[0,0,\"\"],[1,2,\"\"]")),
     "transaction 1, patch 1: deletes 2 characters at 1 of a text of 2"},
    {TRACE("", TXN("[9223372036854775807,0,\"\"]")), "position 9223372036854775807"},
    {TRACE("", TXN("[0,9223372036854775807,\"\"]")), "deletes 9223372036854775807"},
    {TRACE("", TXN("[9223372036854775808,0,\"\"]")), "too big integer"},
    {TRACE("abc", TXN("[0,0,\"ab\"]")), "leave 2 characters, but \"endContent\" has 3"},
    {TRACE("\\ud800", TXN("[0,0,\"a\"]")), "not JSON"},
    {TRACE("\xff", TXN("[0,0,\"a\"]")), "not JSON"},
};

Test(trace, each_fault_is_named_with_its_place)
{
    for (size_t index = 0; index < sizeof BAD / sizeof *BAD; index++) {
        cli_trace trace = {.length = 77};
        grove_error error = {.message = ""};
        cr_expect_eq(trace_of_text(BAD[index].json, &trace, &error), GROVE_MALFORMED,
                     "%s", BAD[index].json);
        cr_expect(strstr(error.message, BAD[index].says) != NULL,
                  "%s: \"%s\" does not say \"%s\"", BAD[index].json, error.message,
                  BAD[index].says);
        cr_expect_eq(trace.length, 77, "the output was touched");
    }
}

Test(trace, a_prefix_of_a_trace_is_none)
{
    const char *json = TRACE("ab", TXN("[0,0,\"ab\"]"));
    for (size_t bytes = 0; bytes < strlen(json); bytes++) {
        temporary file = temporary_of("trace.json");
        cli_trace trace;
        temporary_write(&file, json, bytes);
        cr_expect_eq(cli_trace_read(file.path, &trace, NULL), GROVE_MALFORMED);
        temporary_release(&file);
    }
}

/* The bytes of a file that gzip made; the caller frees them. */
static unsigned char *compressed(const char *json, size_t *bytes_out)
{
    temporary file = temporary_of("trace.gz");
    gzFile stream = gzopen(file.path, "wb");
    cr_assert_eq(gzwrite(stream, json, (unsigned)strlen(json)), (int)strlen(json));
    cr_assert_eq(gzclose(stream), Z_OK);
    FILE *plain = fopen(file.path, "rb");
    unsigned char *bytes = malloc(4096);
    *bytes_out = fread(bytes, 1, 4096, plain);
    cr_assert_eq(fclose(plain), 0);
    temporary_release(&file);
    return bytes;
}

Test(trace, a_compressed_file_reads_as_a_plain_one_and_no_part_of_it_does)
{
    size_t size = 0;
    unsigned char *bytes = compressed(TRACE("ab", TXN("[0,0,\"ab\"]")), &size);
    for (size_t end = 1; end <= size; end++) {
        temporary file = temporary_of("trace.json.gz");
        cli_trace trace;
        temporary_write(&file, bytes, end);
        grove_status status = cli_trace_read(file.path, &trace, NULL);
        cr_expect_eq(status, end == size ? GROVE_OK : GROVE_MALFORMED, "%zu of %zu bytes",
                     end, size);
        if (status == GROVE_OK) {
            check_end(&trace);
            cli_trace_release(&trace);
        }
        temporary_release(&file);
    }
    /* The checksum behind the data. */
    bytes[size - 6] ^= 1;
    temporary file = temporary_of("trace.json.gz");
    cli_trace trace;
    temporary_write(&file, bytes, size);
    cr_expect_eq(cli_trace_read(file.path, &trace, NULL), GROVE_MALFORMED);
    temporary_release(&file);
    free(bytes);
}

Test(trace, a_bomb_is_refused_at_the_limit)
{
    temporary file = temporary_of("bomb.json.gz");
    gzFile stream = gzopen(file.path, "wb1");
    static char blanks[1 << 20];
    memset(blanks, ' ', sizeof blanks);
    for (uint64_t bytes = 0; bytes <= CLI_TRACE_BYTES_MAX; bytes += sizeof blanks) {
        cr_assert_eq(gzwrite(stream, blanks, sizeof blanks), (int)sizeof blanks);
    }
    cr_assert_eq(gzclose(stream), Z_OK);
    cli_trace trace;
    grove_error error;
    cr_expect_eq(cli_trace_read(file.path, &trace, &error), GROVE_LIMIT);
    cr_expect(strstr(error.message, "268435456") != NULL, "%s", error.message);
    temporary_release(&file);
}

Test(trace, a_file_that_cannot_be_read_is_named)
{
    cli_trace trace;
    grove_error error;
    cr_expect_eq(cli_trace_read("/nowhere/trace.json", &trace, &error), GROVE_IO);
    cr_expect_str_eq(error.message, "/nowhere/trace.json: No such file or directory");
    cr_expect_eq(cli_trace_read("/tmp", &trace, &error), GROVE_IO);
    cr_expect(strstr(error.message, "Is a directory") != NULL, "%s", error.message);
}

Test(trace, what_was_written_reads_back)
{
    static const char *const NAMES[] = {"trace.json", "trace.json.gz"};
    for (size_t index = 0; index < 2; index++) {
        cli_trace trace;
        cli_trace again;
        grove_error error;
        cr_assert_eq(
            trace_of_text(
                TRACE(
                    "a\\\"\\u0000\U0001F333",
                    TXN("[0,0,\"xx\"],[0,2,\"a\\\"\\u0000\"]") ","
                                                               "{\"time\":\"2021-04-"
                                                               "19T06:06:59Z\","
                                                               "\"patches\":"
                                                               "[[3,0,\"\U0001F333\"]]}"),
                &trace, &error),
            GROVE_OK, "%s", error.message);
        temporary file = temporary_of(NAMES[index]);
        cr_assert_eq(cli_trace_write(&trace, file.path, &error), GROVE_OK);
        cr_assert_eq(cli_trace_read(file.path, &again, &error), GROVE_OK, "%s",
                     error.message);
        temporary_release(&file);
        cr_assert_eq(trace.patch_count, again.patch_count);
        cr_assert(memcmp(trace.patches, again.patches,
                         trace.patch_count * sizeof *trace.patches) == 0);
        cr_assert_eq(trace.text_bytes, again.text_bytes);
        cr_assert(memcmp(trace.text, again.text, trace.text_bytes) == 0);
        check_end(&again);
        cli_trace_release(&trace);
        cli_trace_release(&again);
    }
}

Test(trace, a_file_that_cannot_be_written_is_named)
{
    cli_trace trace;
    cli_trace_init(&trace);
    grove_error error;
    cr_expect_eq(cli_trace_write(&trace, "/nowhere/trace.json", &error), GROVE_IO);
    cr_expect_str_eq(error.message, "/nowhere/trace.json: No such file or directory");
}

/* A link stands for the device, so that a fault here never removes that. */
Test(trace, a_full_disk_is_told_and_only_regular_files_are_removed)
{
    if (access("/dev/full", W_OK) != 0) {
        cr_skip_test("there is no /dev/full");
    }
    cli_trace trace;
    cli_trace_init(&trace);
    grove_error error;
    temporary file = temporary_of("trace.json");
    cr_assert_eq(symlink("/dev/full", file.path), 0);
    cr_expect_eq(cli_trace_write(&trace, file.path, &error), GROVE_IO);
    cr_expect(strstr(error.message, "No space left") != NULL, "%s", error.message);
    cr_expect_eq(access(file.path, F_OK), 0, "what is no regular file was removed");
    temporary_release(&file);
}

/* The file may not grow beyond a limit of the process: writing stops midway. */
Test(trace, a_half_written_file_is_removed)
{
    cli_trace trace;
    cli_trace_init(&trace);
    static char text[1 << 16];
    memset(text, 'a', sizeof text);
    cli_patch patch = {.text_bytes = sizeof text};
    cr_assert_eq(cli_trace_append(&trace, &patch, text, NULL), GROVE_OK);
    temporary file = temporary_of("trace.json");
    struct rlimit before;
    (void)signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit limit = {4096, before.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    grove_error error;
    grove_status status = cli_trace_write(&trace, file.path, &error);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    cr_expect_eq(status, GROVE_IO);
    cr_expect(strstr(error.message, "File too large") != NULL, "%s", error.message);
    cr_expect_neq(access(file.path, F_OK), 0, "half a trace was left");
    temporary_release(&file);
    cli_trace_release(&trace);
}

/* jansson takes some failed allocations of its own for a fault of the text. */
Test(trace, any_failed_allocation_is_a_failure_and_loses_nothing)
{
    const char *json = TRACE("ab", TXN("[0,0,\"b\"],[0,0,\"a\"]"));
    temporary file = temporary_of("trace.json");
    temporary_write(&file, json, strlen(json));
    bool failed = true;
    for (size_t nth = 1; failed; nth++) {
        cli_trace trace = {.length = 77};
        grove_error error;
        faulty_heap_begin(nth);
        grove_status status = cli_trace_read(file.path, &trace, &error);
        failed = faulty_heap_end();
        cr_assert(failed ? status == GROVE_NO_MEMORY || status == GROVE_MALFORMED
                         : status == GROVE_OK,
                  "allocation %zu: %s", nth, error.message);
        cr_assert_eq(trace.length, failed ? 77 : 2);
        if (!failed) {
            cr_assert_gt(nth, 10);
            cli_trace_release(&trace);
        }
    }
    temporary_release(&file);
}

typedef struct known_trace {
    const char *name;
    uint64_t events;
    size_t patches;
} known_trace;

static const known_trace KNOWN[] = {{"automerge-paper.json.gz", 259778, 259778},
                                    {"rustcode.json.gz", 979844, 40173},
                                    {"sveltecomponent.json.gz", 169517, 19749}};

Test(trace, the_public_traces_end_in_their_end_content)
{
    const char *folder = getenv("GROVE_TRACES");
    if (folder == NULL) {
        cr_skip_test("GROVE_TRACES names no folder of editing traces");
    }
    for (size_t index = 0; index < sizeof KNOWN / sizeof *KNOWN; index++) {
        char path[4096];
        cli_trace trace;
        grove_error error;
        (void)snprintf(path, sizeof path, "%s/%s", folder, KNOWN[index].name);
        cr_assert_eq(cli_trace_read(path, &trace, &error), GROVE_OK, "%s", error.message);
        cr_assert_eq(trace.events, KNOWN[index].events);
        cr_assert_eq(trace.patch_count, KNOWN[index].patches);
        check_end(&trace);
        cli_trace_release(&trace);
    }
}
