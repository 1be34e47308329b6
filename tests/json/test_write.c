/* JSON text as it goes out. */
#include "json/write.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/bytes.h"

typedef struct taken {
    uint8_t bytes[3 * GROVE__JSON_PIECE_BYTES];
    size_t size;
    size_t pieces;
    size_t pieces_wanted;
} taken;

static bool take(void *context, grove_bytes piece)
{
    taken *into = context;
    cr_assert_gt(piece.size, 0);
    cr_assert_leq(into->size + piece.size, sizeof into->bytes);
    memcpy(into->bytes + into->size, piece.data, piece.size);
    into->size += piece.size;
    return ++into->pieces < into->pieces_wanted;
}

static void assert_written(taken *into, grove__json_writer *writer, const char *expected)
{
    grove_error error;
    cr_assert_eq(grove__json_writer_finish(writer, &error), GROVE_OK);
    cr_assert(grove__bytes_equal((grove_bytes){into->bytes, into->size},
                                 grove_bytes_of(expected)),
              "%.*s", (int)into->size, (const char *)into->bytes);
    into->size = 0;
}

Test(json_write, strings_escape_what_they_must_and_nothing_else)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *text;
    } STRINGS[] = {
        {"", 0, "\"\""},
        {"a/b", 3, "\"a/b\""},
        {"\"\\", 2, "\"\\\"\\\\\""},
        {"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
        {"\0\x01\x1f", 3, "\"\\u0000\\u0001\\u001f\""},
        {"\x7f", 1, "\"\x7f\""},
        {"\xc3\xa4\xf0\x9f\x8c\xb3", 6, "\"\xc3\xa4\xf0\x9f\x8c\xb3\""},
    };
    taken into = {.pieces_wanted = SIZE_MAX};
    grove__json_writer writer;
    grove__json_writer_init(&writer, take, &into);
    for (size_t index = 0; index < sizeof STRINGS / sizeof *STRINGS; index++) {
        const grove_bytes bytes = {(const uint8_t *)STRINGS[index].bytes,
                                   STRINGS[index].size};
        grove__json_write_string(&writer, bytes);
        assert_written(&into, &writer, STRINGS[index].text);
    }
    grove__json_write_hex(&writer, (grove_bytes){(const uint8_t *)"\0\xaf", 2});
    assert_written(&into, &writer, "\"00af\"");
}

Test(json_write, scalars_have_their_shortest_form)
{
    const struct {
        grove_value value;
        const char *text;
    } SCALARS[] = {
        {grove_value_null(), "null"},
        {grove_value_boolean(true), "true"},
        {grove_value_boolean(false), "false"},
        {grove_value_integer(0), "0"},
        {grove_value_integer(-10), "-10"},
        {grove_value_integer(INT64_MAX), "9223372036854775807"},
        {grove_value_integer(INT64_MIN), "-9223372036854775808"},
        {grove_value_double(1), "1.0"},
        {grove_value_text(grove_bytes_of("x")), "\"x\""},
    };
    taken into = {.pieces_wanted = SIZE_MAX};
    grove__json_writer writer;
    grove__json_writer_init(&writer, take, &into);
    for (size_t index = 0; index < sizeof SCALARS / sizeof *SCALARS; index++) {
        grove__json_write_scalar(&writer, &SCALARS[index].value);
        assert_written(&into, &writer, SCALARS[index].text);
    }
}

Test(json_write, what_is_long_comes_in_pieces_until_no_more_is_wanted)
{
    char *text = malloc(2 * GROVE__JSON_PIECE_BYTES + 2);
    cr_assert_not_null(text);
    memset(text, 'x', 2 * GROVE__JSON_PIECE_BYTES + 1);
    text[2 * GROVE__JSON_PIECE_BYTES + 1] = '\0';
    taken all = {.pieces_wanted = SIZE_MAX};
    grove__json_writer writer;
    grove_error error;
    grove__json_writer_init(&writer, take, &all);
    grove__json_write(&writer, text);
    assert_written(&all, &writer, text);
    cr_assert_eq(all.pieces, 3);
    taken one = {.pieces_wanted = 1};
    grove__json_writer_init(&writer, take, &one);
    grove__json_write(&writer, text);
    cr_assert_eq(grove__json_writer_status(&writer), GROVE_FAILED);
    cr_assert_eq(grove__json_writer_finish(&writer, &error), GROVE_FAILED);
    cr_assert_eq(one.pieces, 1);
    free(text);
}
