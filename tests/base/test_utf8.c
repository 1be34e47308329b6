#include "base/utf8.h"

#include "text/model.h"

/* Another way to the same answer: decode, and encode what came out. */
static bool is_sequence(const uint8_t *bytes, size_t size)
{
    static const uint8_t lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint8_t again[4];
    uint32_t point = bytes[0] & lead_bits[size];
    for (size_t index = 1; index < size; index++) {
        point = point << 6 | (bytes[index] & 0x3fu);
    }
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
        return false;
    }
    return utf8_put(again, point) == size && memcmp(again, bytes, size) == 0;
}

/* The offset of the first ill-formed sequence, or the size. */
static size_t well_formed(const uint8_t *bytes, size_t size)
{
    size_t at = 0;
    while (at < size) {
        size_t length = 1;
        while (length <= 4 && (at + length > size || !is_sequence(bytes + at, length))) {
            length++;
        }
        if (length > 4) {
            break;
        }
        at += length;
    }
    return at;
}

static void assert_check(const uint8_t *bytes, size_t size)
{
    size_t points = 12345;
    size_t offset = 12345;
    size_t expected = well_formed(bytes, size);
    bool is_utf8 = grove__utf8_check((grove_bytes){bytes, size}, &points, &offset);
    cr_assert_eq(is_utf8, expected == size);
    cr_assert_eq(is_utf8 ? points == 12345 : offset != expected, false,
                 "%02x %02x: offset %zu", bytes[0], size > 1 ? bytes[1] : 0, offset);
}

Test(utf8, every_scalar_value_passes_and_counts_as_one)
{
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        uint8_t bytes[4];
        size_t size = utf8_put(bytes, point);
        size_t points = 0;
        size_t offset = 12345;
        bool is_surrogate = point >= 0xd800 && point <= 0xdfff;
        cr_assert_eq(grove__utf8_check((grove_bytes){bytes, size}, &points, &offset),
                     !is_surrogate, "%x", (unsigned)point);
        cr_assert_eq(points, is_surrogate ? 0 : 1);
        cr_assert_eq(offset, is_surrogate ? 0 : 12345);
    }
}

Test(utf8, every_form_that_is_not_utf8_is_refused_where_it_begins)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t size;
    } bad[] = {
        {"a lone continuation", "\x80", 1},
        {"the last lone continuation", "\xbf", 1},
        {"overlong NUL", "\xc0\x80", 2},
        {"overlong in two bytes", "\xc1\xbf", 2},
        {"a lead without its continuation", "\xc2", 1},
        {"a lead before ASCII", "\xc2 ", 2},
        {"a lead before a lead", "\xc2\xc2\x80", 3},
        {"overlong in three bytes", "\xe0\x9f\xbf", 3},
        {"the first surrogate", "\xed\xa0\x80", 3},
        {"the last surrogate", "\xed\xbf\xbf", 3},
        {"a pair of surrogates", "\xed\xa0\x81\xed\xb0\x80", 6},
        {"three bytes without the second", "\xe2", 1},
        {"three bytes without the third", "\xe2\x82", 2},
        {"three bytes with a bad second", "\xe2\xc2\x80", 3},
        {"three bytes with a bad third", "\xe2\x82\x2f", 3},
        {"overlong in four bytes", "\xf0\x8f\xbf\xbf", 4},
        {"beyond U+10FFFF", "\xf4\x90\x80\x80", 4},
        {"a lead of F5", "\xf5\x80\x80\x80", 4},
        {"four bytes without the second", "\xf1", 1},
        {"four bytes without the third", "\xf1\x80", 2},
        {"four bytes without the fourth", "\xf1\x80\x80", 3},
        {"four bytes with a bad third", "\xf1\x80\x7f\x80", 4},
        {"four bytes with a bad fourth", "\xf1\x80\x80\xc0", 4},
        {"five bytes", "\xf8\x88\x80\x80\x80", 5},
        {"six bytes", "\xfc\x84\x80\x80\x80\x80", 6},
        {"FE", "\xfe", 1},
        {"FF", "\xff", 1},
    };
    /* After 0 to 70 bytes of ASCII and before some more. */
    for (size_t index = 0; index < sizeof bad / sizeof *bad; index++) {
        for (size_t before = 0; before < 70; before++) {
            for (size_t after = 0; after < 40; after += 13) {
                uint8_t text[128];
                size_t points = 12345;
                size_t offset = 0;
                memset(text, 'a', sizeof text);
                memcpy(text + before, bad[index].bytes, bad[index].size);
                grove_bytes bytes = {text, before + bad[index].size + after};
                cr_assert_not(grove__utf8_check(bytes, &points, &offset), "%s",
                              bad[index].name);
                cr_assert_eq(offset, before, "%s", bad[index].name);
                cr_assert_eq(points, 12345, "outputs are untouched on failure");
            }
        }
    }
}

Test(utf8, all_short_strings_are_judged_as_by_decoding_them)
{
    static const uint8_t edges[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f,
                                    0xa0, 0xbf, 0xc0, 0xc2, 0xf4, 0xff};
    for (uint32_t value = 0; value < 1u << 16; value++) {
        uint8_t bytes[4] = {(uint8_t)(value >> 8), (uint8_t)value, 0, 0};
        assert_check(bytes, 1);
        assert_check(bytes, 2);
        for (size_t third = 0; third < sizeof edges; third++) {
            bytes[2] = edges[third];
            assert_check(bytes, 3);
            for (size_t fourth = 0; bytes[0] >= 0xee && fourth < sizeof edges; fourth++) {
                bytes[3] = edges[fourth];
                assert_check(bytes, 4);
            }
        }
    }
}

Test(utf8, counting_and_offsets_agree_with_stepping)
{
    test_random random = test_random_of("utf8 offsets");
    for (size_t round = 0; round < 300; round++) {
        uint32_t points[400];
        size_t offsets[401] = {0};
        size_t count = (size_t)test_random_below(&random, 400);
        random_points(&random, points, count, 1 + round % 4);
        if (round % 3 == 0) {
            /* Mostly ASCII with something else in between. */
            for (size_t index = 0; index < count; index++) {
                points[index] = test_random_below(&random, 30) == 0 ? points[index] : 'x';
            }
        }
        for (size_t index = 0; index < count; index++) {
            uint8_t bytes[4];
            offsets[index + 1] = offsets[index] + utf8_put(bytes, points[index]);
        }
        grove_bytes text = utf8_of(points, count);
        size_t counted = 0;
        size_t offset = 0;
        cr_assert(grove__utf8_check(text, &counted, &offset));
        cr_assert_eq(counted, count);
        cr_assert_eq(grove__utf8_count(text), count);
        for (size_t index = 0; index <= count; index++) {
            cr_assert_eq(grove__utf8_offset(text, index), offsets[index]);
            for (size_t at = offsets[index]; index < count && at < offsets[index + 1];
                 at++) {
                cr_assert_eq(grove__utf8_border(text, at), offsets[index]);
            }
        }
        cr_assert_eq(grove__utf8_offset(text, count + 1), text.size);
        cr_assert_eq(grove__utf8_offset(text, SIZE_MAX), text.size);
        cr_assert_eq(grove__utf8_border(text, text.size), text.size);
        utf8_free(text);
    }
}

Test(utf8, long_runs_of_continuations_are_counted_without_overflow)
{
    enum { POINTS = 40000 };
    static uint32_t points[POINTS];
    for (size_t index = 0; index < POINTS; index++) {
        points[index] = 0x1f600;
    }
    grove_bytes text = utf8_of(points, POINTS);
    cr_assert_eq(text.size, 4 * POINTS);
    cr_assert_eq(grove__utf8_count(text), POINTS);
    cr_assert_eq(grove__utf8_offset(text, POINTS - 1), 4 * (POINTS - 1));
    utf8_free(text);
}

Test(utf8, nothing_is_utf8)
{
    size_t points = 12345;
    size_t offset = 12345;
    cr_assert(grove__utf8_check((grove_bytes){NULL, 0}, &points, &offset));
    cr_assert_eq(points, 0);
    cr_assert_eq(grove__utf8_count((grove_bytes){NULL, 0}), 0);
    cr_assert_eq(grove__utf8_offset((grove_bytes){NULL, 0}, 3), 0);
}
