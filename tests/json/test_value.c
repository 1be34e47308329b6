/* JSON values in memory. */
#include "json/value.h"

#include <criterion/criterion.h>
#include <math.h>

#include "base/bytes.h"
#include "json/text.h"

typedef struct two {
    grove_value one;
    grove_value other;
    bool are_same;
    bool are_equal;
} two;

Test(json_value, numbers_are_equal_by_worth_and_the_same_by_kind_and_bits)
{
    const grove_value text = grove_value_text(grove_bytes_of("1"));
    const grove_value zero_text =
        grove_value_text((grove_bytes){(const uint8_t *)"1\0", 2});
    const two TWOS[] = {
        {grove_value_null(), grove_value_null(), true, true},
        {grove_value_null(), grove_value_boolean(false), false, false},
        {grove_value_boolean(true), grove_value_boolean(true), true, true},
        {grove_value_boolean(true), grove_value_boolean(false), false, false},
        {grove_value_boolean(true), grove_value_integer(1), false, false},
        {grove_value_integer(1), grove_value_integer(1), true, true},
        {grove_value_integer(1), grove_value_integer(2), false, false},
        {grove_value_integer(1), grove_value_double(1), false, true},
        {grove_value_integer(1), grove_value_double(1.5), false, false},
        {grove_value_double(0.0), grove_value_double(-0.0), false, true},
        {grove_value_integer(0), grove_value_double(-0.0), false, true},
        /* 2^53 + 1 is no double; 2^63 is one, but no int64_t. */
        {grove_value_integer(INT64_C(9007199254740993)),
         grove_value_double(9007199254740992.0), false, false},
        {grove_value_integer(INT64_MAX), grove_value_double(0x1p63), false, false},
        {grove_value_integer(INT64_MIN), grove_value_double(-0x1p63), false, true},
        {grove_value_integer(0), grove_value_double((double)NAN), false, false},
        {grove_value_integer(0), grove_value_double(1e300), false, false},
        {text, text, true, true},
        {text, zero_text, false, false},
        {text, grove_value_integer(1), false, false},
    };
    for (size_t index = 0; index < sizeof TWOS / sizeof *TWOS; index++) {
        const two *at = &TWOS[index];
        cr_assert_eq(grove__json_scalars_same(&at->one, &at->other), at->are_same, "%zu",
                     index);
        cr_assert_eq(grove__json_scalars_same(&at->other, &at->one), at->are_same, "%zu",
                     index);
        cr_assert_eq(grove__json_scalars_equal(&at->one, &at->other), at->are_equal,
                     "%zu", index);
        cr_assert_eq(grove__json_scalars_equal(&at->other, &at->one), at->are_equal,
                     "%zu", index);
    }
}

Test(json_value, a_member_is_found_by_its_key_and_not_in_what_is_below)
{
    grove__json_value value;
    grove_error error;
    const char *text = "{\"a\":{\"b\":1},\"c\":[{\"d\":2}],\"e\":3,\"\":4}";
    cr_assert_eq(grove__json_text_read(grove_bytes_of(text), &value, &error), GROVE_OK);
    cr_assert_eq(grove__json_member_of(&value, 0, grove_bytes_of("a")), 1);
    cr_assert_eq(grove__json_member_of(&value, 0, grove_bytes_of("b")), SIZE_MAX);
    cr_assert_eq(grove__json_member_of(&value, 0, grove_bytes_of("d")), SIZE_MAX);
    cr_assert_eq(grove__json_member_of(&value, 0, grove_bytes_of("e")), 6);
    cr_assert_eq(grove__json_member_of(&value, 0, grove_bytes_of("")), 7);
    cr_assert_eq(grove__json_member_of(&value, 1, grove_bytes_of("b")), 2);
    cr_assert_eq(grove__json_member_of(&value, 1, grove_bytes_of("e")), SIZE_MAX);
    grove__json_value_release(&value);
}
