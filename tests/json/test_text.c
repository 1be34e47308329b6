/* JSON text as it comes in, and numbers as they go out. */
#include "json/text.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "support/random.h"

static grove_status read_text(const char *text, grove__json_value *value,
                              grove_error *error)
{
    return grove__json_text_read(grove_bytes_of(text), value, error);
}

typedef struct refused {
    const char *text;
    grove_status status;
    uint64_t offset;
} refused;

Test(json_text, what_is_no_json_is_refused_with_where_reading_stopped)
{
    static const refused REFUSED[] = {
        {"", GROVE_MALFORMED, 0},
        {" ", GROVE_MALFORMED, 1},
        {"[1,", GROVE_MALFORMED, 3},
        {"[1,]", GROVE_MALFORMED, 4},
        {"{\"a\":1,}", GROVE_MALFORMED, 8},
        {"{a:1}", GROVE_MALFORMED, 2},
        {"01", GROVE_MALFORMED, 1},
        {"+1", GROVE_MALFORMED, 1},
        {"NaN", GROVE_MALFORMED, 3},
        {"nul", GROVE_MALFORMED, 3},
        {"'a'", GROVE_MALFORMED, 1},
        {"1 2", GROVE_MALFORMED, 3},
        {"\"a\nb\"", GROVE_MALFORMED, 2},
        {"\"\\ud800\"", GROVE_MALFORMED, 8},
        {"\"\xff\"", GROVE_MALFORMED, 1},
        {"{\"a\":1,\"b\":2,\"a\":3}", GROVE_MALFORMED, 16},
        {"9223372036854775808", GROVE_LIMIT, 19},
        {"[-9223372036854775809]", GROVE_LIMIT, 21},
        {"1e999", GROVE_LIMIT, 5},
        {"{\"a\\u0000b\":1}", GROVE_UNSUPPORTED, 11},
    };
    for (size_t index = 0; index < sizeof REFUSED / sizeof *REFUSED; index++) {
        grove__json_value value;
        grove_error error;
        const refused *one = &REFUSED[index];
        cr_assert_eq(read_text(one->text, &value, &error), one->status, "%s: %s",
                     one->text, error.message);
        cr_expect_eq(error.offset, one->offset, "%s: %llu", one->text,
                     (unsigned long long)error.offset);
        cr_assert_neq(error.message[0], '\0');
    }
}

Test(json_text, items_come_in_their_order_with_their_ends)
{
    grove__json_value value;
    grove_error error;
    cr_assert_eq(
        read_text("{\"a\":[1,2.0],\"b\":\"x\\u0000y\",\"c\":{}}", &value, &error),
        GROVE_OK);
    static const struct {
        grove__json_kind kind;
        size_t end;
        const char *key;
    } ITEMS[] = {{GROVE__JSON_OBJECT, 6, ""},  {GROVE__JSON_ARRAY, 4, "a"},
                 {GROVE__JSON_SCALAR, 3, ""},  {GROVE__JSON_SCALAR, 4, ""},
                 {GROVE__JSON_SCALAR, 5, "b"}, {GROVE__JSON_OBJECT, 6, "c"}};
    cr_assert_eq(grove__json_item_count(&value), 6);
    for (size_t index = 0; index < 6; index++) {
        cr_assert_eq(grove__json_item_at(&value, index)->kind, ITEMS[index].kind);
        cr_assert_eq(grove__json_item_at(&value, index)->end, ITEMS[index].end);
        cr_assert(grove__bytes_equal(grove__json_key_of(&value, index),
                                     grove_bytes_of(ITEMS[index].key)));
    }
    cr_assert_eq(grove__json_item_at(&value, 0)->is.count, 3);
    cr_assert_eq(grove__json_item_at(&value, 1)->is.count, 2);
    cr_assert_eq(grove__json_item_at(&value, 5)->is.count, 0);
    cr_assert_eq(grove__json_scalar_of(&value, 2).kind, GROVE_VALUE_INTEGER);
    cr_assert_eq(grove__json_scalar_of(&value, 3).kind, GROVE_VALUE_DOUBLE);
    grove_bytes text = grove__json_scalar_of(&value, 4).bytes;
    cr_assert_eq(text.size, 3);
    cr_assert_eq(memcmp(text.data, "x\0y", 3), 0);
    grove__json_value_release(&value);
}

Test(json_text, every_integer_and_every_finite_double_is_read_exactly)
{
    static const struct {
        const char *text;
        grove_value_kind kind;
        int64_t integer;
        double number;
    } NUMBERS[] = {
        {"9007199254740993", GROVE_VALUE_INTEGER, INT64_C(9007199254740993), 0},
        {"9223372036854775807", GROVE_VALUE_INTEGER, INT64_MAX, 0},
        {"-9223372036854775808", GROVE_VALUE_INTEGER, INT64_MIN, 0},
        {"1.0", GROVE_VALUE_DOUBLE, 0, 1.0},
        {"1E2", GROVE_VALUE_DOUBLE, 0, 100.0},
        {"-0.0", GROVE_VALUE_DOUBLE, 0, -0.0},
        {"5e-324", GROVE_VALUE_DOUBLE, 0, 5e-324},
        {"1.7976931348623157e308", GROVE_VALUE_DOUBLE, 0, 1.7976931348623157e308},
    };
    for (size_t index = 0; index < sizeof NUMBERS / sizeof *NUMBERS; index++) {
        grove__json_value value;
        grove_error error;
        cr_assert_eq(read_text(NUMBERS[index].text, &value, &error), GROVE_OK);
        grove_value read = grove__json_scalar_of(&value, 0);
        cr_assert_eq(read.kind, NUMBERS[index].kind);
        cr_assert_eq(read.integer, NUMBERS[index].integer);
        cr_assert_eq(memcmp(&read.number, &NUMBERS[index].number, sizeof read.number), 0);
        grove__json_value_release(&value);
    }
}

static void assert_comes_back(double number)
{
    char text[GROVE__JSON_NUMBER_BYTES];
    size_t bytes = grove__json_number_write(number, text);
    cr_assert_gt(bytes, 0);
    grove__json_value value;
    grove_error error;
    cr_assert_eq(
        grove__json_text_read((grove_bytes){(uint8_t *)text, bytes}, &value, &error),
        GROVE_OK);
    grove_value read = grove__json_scalar_of(&value, 0);
    cr_assert_eq(read.kind, GROVE_VALUE_DOUBLE, "%.*s", (int)bytes, text);
    cr_assert_eq(memcmp(&read.number, &number, sizeof number), 0, "%.*s", (int)bytes,
                 text);
    grove__json_value_release(&value);
}

Test(json_text, every_finite_double_comes_back_from_what_was_written)
{
    test_random random = test_random_of("json_text");
    for (size_t round = 0; round < 20000; round++) {
        uint64_t bits = test_random_next(&random);
        double number;
        memcpy(&number, &bits, sizeof number);
        if (isfinite(number)) {
            assert_comes_back(number);
        }
    }
    assert_comes_back(-0.0);
    assert_comes_back(5e-324);
    assert_comes_back(1e23);
}

Test(json_text, a_double_is_written_in_few_digits)
{
    static const struct {
        double number;
        const char *text;
    } NUMBERS[] = {{0.1, "0.1"},     {1, "1.0"},     {-0.0, "-0.0"},
                   {1e300, "1e300"}, {100, "100.0"}, {0.1 + 0.2, "0.30000000000000004"}};
    for (size_t index = 0; index < sizeof NUMBERS / sizeof *NUMBERS; index++) {
        char text[GROVE__JSON_NUMBER_BYTES];
        size_t bytes = grove__json_number_write(NUMBERS[index].number, text);
        cr_assert_eq(bytes, strlen(NUMBERS[index].text), "%.*s", (int)bytes, text);
        cr_assert_eq(memcmp(text, NUMBERS[index].text, bytes), 0);
    }
}

/* `depth` levels: arrays around nothing. */
static char *nested(size_t depth)
{
    char *text = malloc(2 * depth + 1);
    cr_assert_not_null(text);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    text[2 * depth] = '\0';
    return text;
}

Test(json_text, it_is_nested_as_deep_as_the_limit_says)
{
    for (size_t depth = GROVE_JSON_DEPTH_MAX - 1; depth <= GROVE_JSON_DEPTH_MAX + 1;
         depth++) {
        char *text = nested(depth);
        grove__json_value value;
        grove_error error;
        grove_status status = read_text(text, &value, &error);
        if (depth <= GROVE_JSON_DEPTH_MAX) {
            cr_assert_eq(status, GROVE_OK);
            cr_assert_eq(grove__json_item_count(&value), depth);
            grove__json_value_release(&value);
        } else {
            cr_assert_eq(status, GROVE_LIMIT);
            cr_assert_eq(error.offset, GROVE_JSON_DEPTH_MAX + 1);
        }
        free(text);
    }
}

Test(json_text, it_is_as_long_as_the_limit_says)
{
    char *text = malloc(GROVE_JSON_TEXT_BYTES_MAX + 1);
    cr_assert_not_null(text);
    memset(text, ' ', GROVE_JSON_TEXT_BYTES_MAX + 1);
    text[0] = '7';
    for (size_t bytes = GROVE_JSON_TEXT_BYTES_MAX - 1;
         bytes <= GROVE_JSON_TEXT_BYTES_MAX + 1; bytes++) {
        grove__json_value value;
        grove_error error;
        grove_status status =
            grove__json_text_read((grove_bytes){(uint8_t *)text, bytes}, &value, &error);
        if (bytes <= GROVE_JSON_TEXT_BYTES_MAX) {
            cr_assert_eq(status, GROVE_OK);
            grove__json_value_release(&value);
        } else {
            cr_assert_eq(status, GROVE_LIMIT);
        }
    }
    free(text);
}
