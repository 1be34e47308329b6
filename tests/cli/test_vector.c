#include <criterion/criterion.h>
#include <stdlib.h>

#include "faulty_heap.h"
#include "temporary.h"
#include "vector.h"

static bool write_file(void *context, grove_bytes bytes)
{
    return fwrite(bytes.data, 1, bytes.size, context) == bytes.size;
}

static grove_status read_text(const char *text, grove_event_id **entries, size_t *count,
                              grove_error *error)
{
    temporary file = temporary_of("vector.json");
    temporary_write(&file, text, strlen(text));
    grove_status status = cli_vector_read(file.path, entries, count, error);
    temporary_release(&file);
    return status;
}

static const grove_event_id ENTRIES[] = {
    {{1, "a"}, 0},
    {{3, {0, '\\', 0xFF}}, INT64_MAX},
    {{GROVE_REPLICA_BYTES_MAX, {1}}, UINT64_C(1) << 48},
};

Test(vector, what_was_written_reads_back)
{
    for (size_t count = 0; count <= 3; count++) {
        temporary file = temporary_of("vector.json");
        FILE *stream = fopen(file.path, "wb");
        cr_assert_not_null(stream);
        grove_version_vector vector = {ENTRIES, count};
        cr_assert(cli_vector_write(&vector, write_file, stream));
        cr_assert_eq(fclose(stream), 0);
        grove_event_id *entries = NULL;
        size_t read = 77;
        grove_error error;
        cr_assert_eq(cli_vector_read(file.path, &entries, &read, &error), GROVE_OK, "%s",
                     error.message);
        temporary_release(&file);
        cr_assert_eq(read, count);
        for (size_t index = 0; index < count; index++) {
            const grove_event_id *wanted = &ENTRIES[index];
            cr_assert_eq(entries[index].sequence, wanted->sequence);
            cr_assert_eq(entries[index].replica.size, wanted->replica.size);
            cr_assert_eq(memcmp(entries[index].replica.bytes, wanted->replica.bytes,
                                wanted->replica.size),
                         0);
        }
        free(entries);
    }
}

static bool append(void *context, grove_bytes bytes)
{
    char *text = context;
    (void)snprintf(text + strlen(text), 128 - strlen(text), "%.*s", (int)bytes.size,
                   (const char *)bytes.data);
    return true;
}

Test(vector, is_written_as_documented)
{
    char text[128] = "";
    grove_version_vector vector = {ENTRIES, 1};
    cr_assert(cli_vector_write(&vector, append, text));
    cr_assert_str_eq(text,
                     "[\n  {\n    \"replica\": \"a\",\n    \"sequence\": 0\n  }\n]\n");
}

#define ENTRY(replica, sequence) "{\"replica\":" replica ",\"sequence\":" sequence "}"
#define LONG64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

Test(vector, what_is_none_is_told_with_its_place)
{
    static const char *const BAD[][2] = {
        {"", "not JSON"},
        {"{}", "not a list"},
        {"[] x", "the end is missing"},
        {"[7]", "entry 0"},
        {"[" ENTRY("\"a\"", "1") ",{}]", "entry 1"},
        {"[" ENTRY("\"\"", "1") "]", "entry 0"},
        {"[" ENTRY("7", "1") "]", "entry 0"},
        {"[" ENTRY("\"\\\\x0\"", "1") "]", "entry 0"},
        {"[" ENTRY("\"a\\u0000\"", "1") "]", "entry 0"},
        {"[" ENTRY("\"" LONG64 "x\"", "1") "]", "entry 0"},
        {"[" ENTRY("\"a\"", "-1") "]", "entry 0"},
        {"[" ENTRY("\"a\"", "1.0") "]", "entry 0"},
        {"[" ENTRY("\"a\"", "\"1\"") "]", "entry 0"},
    };
    for (size_t index = 0; index < sizeof BAD / sizeof *BAD; index++) {
        grove_event_id *entries = NULL;
        size_t count = 77;
        grove_error error = {.message = ""};
        cr_expect_eq(read_text(BAD[index][0], &entries, &count, &error), GROVE_MALFORMED,
                     "%s", BAD[index][0]);
        cr_expect(strstr(error.message, BAD[index][1]) != NULL, "%s: %s", BAD[index][0],
                  error.message);
        cr_expect(entries == NULL && count == 77, "the output was touched");
    }
    grove_event_id *entries = NULL;
    size_t count = 0;
    grove_error error;
    cr_expect_eq(cli_vector_read("/nowhere/vector", &entries, &count, &error), GROVE_IO);
    cr_expect_eq(
        read_text("[" ENTRY("\"" LONG64 "\"", "1") "]", &entries, &count, &error),
        GROVE_OK);
    free(entries);
}

static bool write_nothing(void *context, grove_bytes bytes)
{
    (void)context;
    (void)bytes;
    return false;
}

Test(vector, writing_ends_when_nobody_takes_it)
{
    grove_version_vector vector = {ENTRIES, 3};
    cr_assert_not(cli_vector_write(&vector, write_nothing, NULL));
}

/* jansson takes some failed allocations of its own for a fault of the text. */
Test(vector, any_failed_allocation_is_a_failure)
{
    const char *text = "[" ENTRY("\"a\"", "1") "]";
    temporary file = temporary_of("vector.json");
    temporary_write(&file, text, strlen(text));
    bool failed = true;
    for (size_t nth = 1; failed; nth++) {
        grove_event_id *entries = NULL;
        size_t count = 0;
        faulty_heap_begin(nth);
        grove_status status = cli_vector_read(file.path, &entries, &count, NULL);
        failed = faulty_heap_end();
        cr_assert(failed ? status == GROVE_NO_MEMORY || status == GROVE_MALFORMED
                         : status == GROVE_OK);
        cr_assert_eq(count, failed ? 0 : 1);
        cr_assert(failed || nth > 5);
        free(entries);
    }
    temporary_release(&file);
    FILE *stream = tmpfile();
    cr_assert_not_null(stream);
    failed = true;
    for (size_t nth = 1; failed; nth++) {
        grove_version_vector vector = {ENTRIES, 3};
        faulty_heap_begin(nth);
        bool is_whole = cli_vector_write(&vector, write_file, stream);
        failed = faulty_heap_end();
        cr_assert(is_whole || failed);
        cr_assert(failed || nth > 5);
    }
    cr_assert_eq(fclose(stream), 0);
}
