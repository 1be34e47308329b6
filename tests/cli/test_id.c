#include <criterion/criterion.h>

#include "id.h"
#include "support/random.h"

typedef struct example {
    const char *text;
    const char *bytes;
    size_t size;
} example;

/* Each is how its bytes are written. */
static const example WRITTEN[] = {
    {"", "", 0},
    {"notes", "notes", 5},
    {"two words", "two words", 9},
    {"\\\\", "\\", 1},
    {"a\\\\x41", "a\\x41", 5},
    {"\\x00", "\0", 1},
    {"a\\x0ab", "a\nb", 3},
    {"\\x7f", "\x7f", 1},
    {"Z\xc3\xbcrich", "Z\xc3\xbcrich", 7},
    {"\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac", 6},
    {"\xf0\x9f\x8c\xb3", "\xf0\x9f\x8c\xb3", 4},
    {"\\x80", "\x80", 1},
    {"\\xc3", "\xc3", 1},
    {"\\xc2\\x85", "\xc2\x85", 2},                   /* a control character */
    {"\\xc0\\xaf", "\xc0\xaf", 2},                   /* longer than needed */
    {"\\xe0\\x80\\x80", "\xe0\x80\x80", 3},          /* longer than needed */
    {"\\xed\\xa0\\x80", "\xed\xa0\x80", 3},          /* a surrogate */
    {"\\xf4\\x90\\x80\\x80", "\xf4\x90\x80\x80", 4}, /* beyond the last */
    {"\\xe6\\x97", "\xe6\x97", 2},                   /* cut short */
    {"\\xffz", "\xffz", 2},
};

Test(id, is_written_so_that_it_can_be_given_back)
{
    for (size_t index = 0; index < sizeof WRITTEN / sizeof *WRITTEN; index++) {
        const example *expected = &WRITTEN[index];
        char text[CLI_ID_TEXT_BYTES];
        cli_id id;
        cli_id_format((grove_bytes){(const uint8_t *)expected->bytes, expected->size},
                      text);
        cr_expect_str_eq(text, expected->text);
        cr_expect_null(cli_id_parse(text, &id), "%s", text);
        cr_expect_eq(id.size, expected->size, "%s", text);
        cr_expect(memcmp(id.bytes, expected->bytes, expected->size) == 0, "%s", text);
    }
}

Test(id, any_byte_may_be_written_in_hexadecimal)
{
    cli_id id;
    cr_assert_null(cli_id_parse("\\x41\\xfF\\xAb", &id));
    cr_assert_eq(id.size, 3);
    cr_assert(memcmp(id.bytes, "A\xff\xab", 3) == 0);
}

Test(id, a_backslash_begins_nothing_else)
{
    static const char *const BAD[] = {"\\",   "a\\",   "\\n",   "\\x",
                                      "\\x4", "\\xg0", "\\x0g", "\\X41"};
    for (size_t index = 0; index < sizeof BAD / sizeof *BAD; index++) {
        cli_id id = {.size = 77};
        cr_expect_not_null(cli_id_parse(BAD[index], &id), "%s", BAD[index]);
        cr_expect_eq(id.size, 77);
    }
}

Test(id, has_at_most_240_bytes)
{
    char text[CLI_ID_TEXT_BYTES + 4];
    cli_id id;
    memset(text, 'a', sizeof text);
    text[240] = '\0';
    cr_assert_null(cli_id_parse(text, &id));
    cr_assert_eq(id.size, 240);
    text[240] = 'a';
    text[241] = '\0';
    cr_assert_not_null(cli_id_parse(text, &id));
    for (size_t index = 0; index <= 240; index++) {
        memcpy(text + index * 4, "\\x00", 5);
        cr_assert_eq(cli_id_parse(text, &id) == NULL, index < 240);
    }
}

Test(id, bytes_of_any_length_are_printed_as_they_are_written)
{
    char printed[CLI_ID_TEXT_BYTES] = "";
    uint8_t longest[GROVE_NODE_ID_BYTES_MAX];
    FILE *stream = fmemopen(printed, sizeof printed, "w");
    cr_assert_not_null(stream);
    for (size_t index = 0; index < sizeof WRITTEN / sizeof *WRITTEN; index++) {
        const grove_bytes bytes = {(const uint8_t *)WRITTEN[index].bytes,
                                   WRITTEN[index].size};
        rewind(stream);
        cli_id_print(bytes, stream);
        (void)fputc('\0', stream);
        cr_assert_eq(fflush(stream), 0);
        cr_expect_str_eq(printed, WRITTEN[index].text);
    }
    memset(longest, 'n', sizeof longest);
    rewind(stream);
    cli_id_print((grove_bytes){longest, sizeof longest}, stream);
    cr_assert_eq(ftell(stream), (long)sizeof longest);
    cr_assert_eq(fclose(stream), 0);
}

Test(id, what_is_printable_has_no_byte_in_hexadecimal)
{
    cr_expect(cli_id_is_printable(grove_bytes_of("")));
    cr_expect(cli_id_is_printable(grove_bytes_of("a\\x41 \xc3\xa4")));
    cr_expect_not(cli_id_is_printable(grove_bytes_of("a\n")));
    cr_expect_not(cli_id_is_printable(grove_bytes_of("\xc3")));
    cr_expect_not(cli_id_is_printable(grove_bytes_of("a\x7f")));
}

Test(id, random_bytes_read_back)
{
    test_random random = test_random_of("id");
    for (size_t round = 0; round < 20000; round++) {
        uint8_t bytes[GROVE_DOCUMENT_ID_BYTES_MAX];
        char text[CLI_ID_TEXT_BYTES];
        cli_id id;
        size_t size = test_random_below(&random, sizeof bytes + 1);
        test_random_bytes(&random, bytes, size);
        cli_id_format((grove_bytes){bytes, size}, text);
        cr_assert_null(cli_id_parse(text, &id));
        cr_assert_eq(id.size, size);
        cr_assert(memcmp(id.bytes, bytes, size) == 0, "%s", text);
    }
}
