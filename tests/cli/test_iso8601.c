#include <criterion/criterion.h>

#include "iso8601.h"

typedef struct example {
    const char *text;
    int64_t milliseconds;
} example;

/* From `date --date=TEXT +%s`. */
static const example GOOD[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"1970-01-01T00:00:00.000Z", 0},
    {"1970-01-01T00:00:00+00:00", 0},
    {"1969-12-31T23:59:59.999Z", -1},
    {"2021-04-19T06:06:58.219Z", INT64_C(1618812418219)},
    {"2021-04-19T06:06:58.2Z", INT64_C(1618812418200)},
    {"2021-04-19T06:06:58.219999999Z", INT64_C(1618812418219)},
    {"2021-04-19T08:06:58.219+02:00", INT64_C(1618812418219)},
    {"2021-04-19T00:36:58.219-05:30", INT64_C(1618812418219)},
    {"2000-02-29T12:00:00Z", INT64_C(951825600000)},
    {"2024-02-29T23:59:59Z", INT64_C(1709251199000)},
    {"1900-03-01T00:00:00Z", INT64_C(-2203891200000)},
    {"0000-01-01T00:00:00Z", INT64_C(-62167219200000)},
    {"0000-02-29T00:00:00Z", INT64_C(-62162121600000)},
    {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
};

static const char *const BAD[] = {"",
                                  "Z",
                                  "2021-04-19",
                                  "2021-04-19T06:06:58",
                                  "2021-04-19T06:06Z",
                                  "2021-04-19 06:06:58Z",
                                  "2021-04-19t06:06:58z",
                                  "2021-04-19T06:06:58z",
                                  "2021-4-19T06:06:58.21Z",
                                  "2021-00-19T06:06:58Z",
                                  "2021-13-19T06:06:58Z",
                                  "2021-04-00T06:06:58Z",
                                  "2021-04-31T06:06:58Z",
                                  "2021-02-29T06:06:58Z",
                                  "1900-02-29T06:06:58Z",
                                  "2021-04-19T24:00:00Z",
                                  "2021-04-19T06:60:58Z",
                                  "2021-04-19T06:06:60Z",
                                  "2021-04-19T06:06:58.Z",
                                  "2021-04-19T06:06:58.1234567890Z",
                                  "2021-04-19T06:06:58,219Z",
                                  "2021-04-19T06:06:58+0200",
                                  "2021-04-19T06:06:58+24:00",
                                  "2021-04-19T06:06:58+02:60",
                                  "2021-04-19T06:06:58+02:00Z",
                                  "2021-04-19T06:06:58ZZ",
                                  "-021-04-19T06:06:58Z",
                                  "+021-04-19T06:06:58Z",
                                  "2021-04-19T06:06:5xZ",
                                  " 2021-04-19T06:06:58Z",
                                  "12021-04-19T06:06:58Z"};

Test(iso8601, reads_what_traces_hold)
{
    for (size_t index = 0; index < sizeof GOOD / sizeof *GOOD; index++) {
        int64_t milliseconds = 12345;
        cr_expect(
            cli_time_parse(GOOD[index].text, strlen(GOOD[index].text), &milliseconds),
            "%s", GOOD[index].text);
        cr_expect_eq(milliseconds, GOOD[index].milliseconds, "%s", GOOD[index].text);
    }
}

Test(iso8601, refuses_everything_else_and_writes_nothing)
{
    for (size_t index = 0; index < sizeof BAD / sizeof *BAD; index++) {
        int64_t milliseconds = 12345;
        cr_expect_not(cli_time_parse(BAD[index], strlen(BAD[index]), &milliseconds), "%s",
                      BAD[index]);
        cr_expect_eq(milliseconds, 12345);
    }
}

Test(iso8601, does_not_read_beyond_its_end)
{
    /* Without a NUL behind it, so that a sanitizer sees one byte too many. */
    const char text[] = "2021-04-19T06:06:58.219Z";
    for (size_t bytes = 0; bytes < sizeof text - 1; bytes++) {
        char *cut = malloc(bytes + 1);
        char *begin = cut + 1;
        memcpy(begin, text, bytes);
        int64_t milliseconds = 0;
        cr_expect_not(cli_time_parse(begin, bytes, &milliseconds), "%zu bytes", bytes);
        free(cut);
    }
}

Test(iso8601, days_of_ten_thousand_years_read_back)
{
    /* Eleven days a step meet every date in some year. */
    const int64_t step_ms = 11 * INT64_C(86400000);
    int64_t time = INT64_C(-62167219200000);
    while (time <= INT64_C(253402300799999)) {
        char text[CLI_TIME_BYTES];
        int64_t again = 0;
        cli_time_format(time + 45296789, text);
        cr_assert(cli_time_parse(text, strlen(text), &again), "%s", text);
        cr_assert_eq(again, time + 45296789, "%s", text);
        time += step_ms;
    }
}

Test(iso8601, writes_the_nearest_time_there_is)
{
    char text[CLI_TIME_BYTES];
    cli_time_format(INT64_MIN, text);
    cr_assert_str_eq(text, "0000-01-01T00:00:00.000Z");
    cli_time_format(INT64_MAX, text);
    cr_assert_str_eq(text, "9999-12-31T23:59:59.999Z");
    cli_time_format(INT64_C(1618812418219), text);
    cr_assert_str_eq(text, "2021-04-19T06:06:58.219Z");
}
