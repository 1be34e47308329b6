/* Lines of dumps: each has one form, and each sum hangs on all before it. */
#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "format/dump_line.h"
#include "support/faulty_allocator.h"
#include "support/random.h"

typedef struct lines {
    grove_buffer text;
    grove__dump_writer writer;
} lines;

static void lines_init(lines *all)
{
    grove_buffer_init(&all->text, &grove__allocator_system);
    all->writer = grove__dump_writer_to(&all->text);
}

/* The line that was written last, without LF. */
static grove_bytes last_line(const lines *all)
{
    cr_assert(!all->text.failed);
    cr_assert_eq(all->text.data[all->text.size - 1], '\n');
    return (grove_bytes){all->text.data + all->writer.line_start,
                         all->text.size - all->writer.line_start - 1};
}

/* A line of one field; `sum` is that of the line before, and is renewed. */
static grove__dump_line line_of(grove_bytes text, uint64_t sum)
{
    grove__dump_line line;
    cr_assert(grove__dump_open(text, &sum, &line));
    cr_assert(grove__dump_take_word(&line, "word"));
    return line;
}

/* A line with a field `f` of these characters, put together by hand. */
static grove__dump_line forged(const char *value, char *room, size_t room_bytes)
{
    int bytes = snprintf(room, room_bytes, "word f=%s", value);
    uint64_t sum = grove__hash((grove_bytes){(const uint8_t *)room, (size_t)bytes}, 0);
    (void)snprintf(room + bytes, room_bytes - (size_t)bytes, " sum=%016llx",
                   (unsigned long long)sum);
    return line_of(grove_bytes_of(room), 0);
}

Test(dump_line, has_the_form_that_is_documented)
{
    lines all;
    lines_init(&all);
    grove__dump_begin(&all.writer, "word");
    grove__dump_put_number(&all.writer, "n", 18446744073709551615u);
    grove__dump_put_signed(&all.writer, "s", INT64_MIN);
    grove__dump_put_string(&all.writer, "t", grove_bytes_of("a b%\n\x7f~=\xc3\xa4"));
    grove__dump_put_data(&all.writer, "d", grove_bytes_of("grove"));
    grove__dump_end(&all.writer);
    const char *expected = "word n=18446744073709551615 s=-9223372036854775808 "
                           "t=a%20b%25%0A%7F~=%C3%A4 d=Z3JvdmU= sum=";
    grove_bytes line = last_line(&all);
    cr_assert_eq(line.size, strlen(expected) + 16);
    cr_assert_eq(memcmp(line.data, expected, strlen(expected)), 0);
    cr_assert_eq(all.writer.lines, 1);
    grove_buffer_release(&all.text);
}

Test(dump_line, numbers_come_back)
{
    static const uint64_t NUMBERS[] = {0,         1, 9, 10, 1234567890, UINT64_MAX - 1,
                                       UINT64_MAX};
    static const int64_t SIGNED[] = {0, 1, -1, -10, INT64_MAX, INT64_MIN, INT64_MIN + 1};
    for (size_t index = 0; index < 7; index++) {
        lines all;
        lines_init(&all);
        grove__dump_begin(&all.writer, "word");
        grove__dump_put_number(&all.writer, "n", NUMBERS[index]);
        grove__dump_put_signed(&all.writer, "s", SIGNED[index]);
        grove__dump_end(&all.writer);
        grove__dump_line line = line_of(last_line(&all), 0);
        cr_assert_eq(grove__dump_take_number(&line, "n"), NUMBERS[index]);
        cr_assert_eq(grove__dump_take_signed(&line, "s"), SIGNED[index]);
        cr_assert(grove__dump_done(&line));
        grove_buffer_release(&all.text);
    }
}

Test(dump_line, strings_and_data_of_any_bytes_come_back)
{
    test_random random = test_random_of("dump_line");
    for (int round = 0; round < 2000; round++) {
        uint8_t bytes[300];
        uint8_t room[300];
        size_t size = (size_t)test_random_below(&random, sizeof bytes + 1);
        test_random_bytes(&random, bytes, size);
        lines all;
        grove_buffer data;
        lines_init(&all);
        grove_buffer_init(&data, &grove__allocator_system);
        grove__dump_begin(&all.writer, "word");
        grove__dump_put_string(&all.writer, "s", (grove_bytes){bytes, size});
        grove__dump_put_data(&all.writer, "d", (grove_bytes){bytes, size});
        grove__dump_end(&all.writer);
        grove__dump_line line = line_of(last_line(&all), 0);
        grove_bytes taken = grove__dump_take_string(&line, "s", room, sizeof room);
        grove__dump_take_data(&line, "d", &data);
        cr_assert(grove__dump_done(&line));
        cr_assert(grove__bytes_equal(taken, (grove_bytes){bytes, size}));
        cr_assert(grove__bytes_equal(grove_buffer_view(&data), taken));
        grove_buffer_release(&data);
        grove_buffer_release(&all.text);
    }
}

Test(dump_line, longest_lines_fit)
{
    uint8_t id[GROVE_DOCUMENT_ID_BYTES_MAX];
    uint8_t data[GROVE__DUMP_DATA_BYTES];
    memset(id, 0xff, sizeof id);
    memset(data, 0xff, sizeof data);
    lines all;
    lines_init(&all);
    grove__dump_begin(&all.writer, "document");
    grove__dump_put_string(&all.writer, "id", (grove_bytes){id, sizeof id});
    grove__dump_put_string(&all.writer, "type",
                           (grove_bytes){id, GROVE_TYPE_NAME_BYTES_MAX});
    static const char *const NAMES[] = {"format", "incarnation", "revision",
                                        "events", "base",        "sealed"};
    for (size_t index = 0; index < sizeof NAMES / sizeof *NAMES; index++) {
        grove__dump_put_number(&all.writer, NAMES[index], UINT64_MAX);
    }
    grove__dump_end(&all.writer);
    cr_assert_lt(last_line(&all).size, GROVE__DUMP_LINE_BYTES_MAX);
    grove__dump_begin(&all.writer, "data");
    grove__dump_put_data(&all.writer, "base64", (grove_bytes){data, sizeof data});
    grove__dump_end(&all.writer);
    cr_assert_lt(last_line(&all).size, GROVE__DUMP_LINE_BYTES_MAX);
    grove_buffer_release(&all.text);
}

Test(dump_line, other_forms_of_a_number_are_refused)
{
    static const char *const FORMS[] = {"",
                                        "00",
                                        "01",
                                        "+1",
                                        "-1",
                                        "1a",
                                        "0x1",
                                        "18446744073709551616",
                                        "99999999999999999999",
                                        "1.0",
                                        "1e3",
                                        "--1"};
    char room[256];
    for (size_t index = 0; index < sizeof FORMS / sizeof *FORMS; index++) {
        grove__dump_line line = forged(FORMS[index], room, sizeof room);
        cr_assert_eq(grove__dump_take_number(&line, "f"), 0);
        cr_assert(!grove__dump_done(&line), "%s", FORMS[index]);
    }
    static const char *const SIGNED[] = {
        "-0", "-", "-01", "9223372036854775808", "-9223372036854775809", "+1", ""};
    for (size_t index = 0; index < sizeof SIGNED / sizeof *SIGNED; index++) {
        grove__dump_line line = forged(SIGNED[index], room, sizeof room);
        cr_assert_eq(grove__dump_take_signed(&line, "f"), 0);
        cr_assert(!grove__dump_done(&line), "%s", SIGNED[index]);
    }
}

Test(dump_line, other_forms_of_bytes_are_refused)
{
    static const char *const STRINGS[] = {
        "%",    "%4",       "%41",  "%0a",   "%G0",
        "\x7f", "\xc3\xa4", "a\tb", "abcde", "%0A%0A%0A%0A%0A"};
    static const char *const DATA[] = {"A",        "AA",   "AAA",  "A===",
                                       "====",     "AB==", "AAB=", "AA=A",
                                       "AA==AAAA", "AA A", "A-_A", "AA%%"};
    char room[256];
    uint8_t taken[4];
    for (size_t index = 0; index < sizeof STRINGS / sizeof *STRINGS; index++) {
        grove__dump_line line = forged(STRINGS[index], room, sizeof room);
        cr_assert_eq(grove__dump_take_string(&line, "f", taken, sizeof taken).size, 0);
        cr_assert(!grove__dump_done(&line), "%s", STRINGS[index]);
    }
    for (size_t index = 0; index < sizeof DATA / sizeof *DATA; index++) {
        grove_buffer data;
        grove_buffer_init(&data, &grove__allocator_system);
        grove__dump_line line = forged(DATA[index], room, sizeof room);
        grove__dump_take_data(&line, "f", &data);
        cr_assert(!grove__dump_done(&line), "%s", DATA[index]);
        grove_buffer_release(&data);
    }
}

Test(dump_line, fields_have_their_names_and_their_order)
{
    char room[256];
    static const char *const NAMES[] = {"g", "ff", "", "F"};
    for (size_t index = 0; index < sizeof NAMES / sizeof *NAMES; index++) {
        grove__dump_line line = forged("1", room, sizeof room);
        (void)grove__dump_take_number(&line, NAMES[index]);
        cr_assert(!grove__dump_done(&line));
        /* It does not get better. */
        cr_assert_eq(grove__dump_take_number(&line, "f"), 0);
    }
    grove__dump_line line = forged("1 g=2", room, sizeof room);
    cr_assert_eq(grove__dump_take_number(&line, "f"), 1);
    cr_assert(!grove__dump_done(&line));
    cr_assert_eq(grove__dump_take_number(&line, "g"), 2);
    cr_assert(grove__dump_done(&line));
    line = forged("1", room, sizeof room);
    cr_assert(!grove__dump_take_word(&line, "wor"));
    cr_assert(!grove__dump_take_word(&line, "word"));
}

Test(dump_line, a_sum_that_does_not_fit_is_refused)
{
    lines all;
    lines_init(&all);
    for (int index = 0; index < 2; index++) {
        grove__dump_begin(&all.writer, "word");
        grove__dump_put_number(&all.writer, "n", 1);
        grove__dump_end(&all.writer);
    }
    grove_bytes second = last_line(&all);
    grove_bytes first = {all.text.data, second.size};
    uint64_t sum = 0;
    grove__dump_line line;
    /* The same line in another place has another sum. */
    cr_assert(!grove__dump_open(second, &sum, &line));
    cr_assert_eq(sum, 0);
    cr_assert(grove__dump_open(first, &sum, &line));
    cr_assert(grove__dump_open(second, &sum, &line));
    for (size_t at = 0; at < first.size; at++) {
        uint8_t *byte = all.text.data + at;
        *byte ^= 0x20;
        sum = 0;
        cr_assert(!grove__dump_open(first, &sum, &line), "byte %zu", at);
        *byte ^= 0x20;
    }
    for (size_t size = 0; size < first.size; size++) {
        sum = 0;
        cr_assert(!grove__dump_open((grove_bytes){first.data, size}, &sum, &line));
    }
    grove_buffer_release(&all.text);
}

Test(dump_line, says_by_its_buffer_that_memory_ended)
{
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        lines all;
        faulty_allocator_init(&faulty, nth);
        grove_buffer_init(&all.text, &faulty.allocator);
        all.writer = grove__dump_writer_to(&all.text);
        for (int index = 0; index < 20; index++) {
            grove__dump_begin(&all.writer, "word");
            grove__dump_put_string(&all.writer, "s", grove_bytes_of("some text"));
            grove__dump_end(&all.writer);
        }
        cr_assert_eq(all.text.failed, faulty.has_failed);
        grove_buffer_release(&all.text);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            break;
        }
    }
}
