#include "iso8601.h"

#include <stdio.h>

enum {
    MS_A_SECOND = 1000,
    SECONDS_A_DAY = 86400,
    DAYS_400_YEARS = 146097,
    DATE_TIME_BYTES = 19 /* YYYY-MM-DDThh:mm:ss */
};

/* Days from 0000-03-01 to 1970-01-01. */
static const int64_t EPOCH_DAY = 719468;

/*
 * The days since 1970-01-01 of a date. A year is counted from March, so that
 * the leap day is its last and the months before it follow one rule.
 */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t march_year = month > 2 ? year : year - 1;
    int64_t march_month = month > 2 ? month - 3 : month + 9;
    /* Of year 0 only January and February lie before March of year 0. */
    int64_t era = (march_year < 0 ? march_year - 399 : march_year) / 400;
    int64_t year_of_era = march_year - era * 400;
    int64_t day_of_year = (153 * march_month + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100;
    return era * DAYS_400_YEARS + day_of_era + day_of_year - EPOCH_DAY;
}

static int64_t month_days(int64_t year, int64_t month)
{
    static const uint8_t DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return DAYS[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* The number that `digits` digits at `text` write; -1 when one is none. */
static int64_t number_at(const char *text, size_t digits)
{
    int64_t number = 0;
    for (size_t index = 0; index < digits; index++) {
        if (text[index] < '0' || text[index] > '9') {
            return -1;
        }
        number = number * 10 + (text[index] - '0');
    }
    return number;
}

/* Z, or an offset such as +02:00; in milliseconds east of Greenwich. */
static bool zone_parse(const char *text, size_t bytes, int64_t *east_out)
{
    if (bytes == 1 && text[0] == 'Z') {
        *east_out = 0;
        return true;
    }
    if (bytes != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') {
        return false;
    }
    int64_t hours = number_at(text + 1, 2);
    int64_t minutes = number_at(text + 4, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
        return false;
    }
    int64_t east = (hours * 60 + minutes) * 60 * MS_A_SECOND;
    *east_out = text[0] == '+' ? east : -east;
    return true;
}

/* The milliseconds of a fraction's digits, and how many digits there are. */
static size_t fraction_parse(const char *text, size_t bytes, int64_t *milliseconds_out)
{
    size_t digits = 0;
    int64_t milliseconds = 0;
    while (digits < bytes && text[digits] >= '0' && text[digits] <= '9') {
        if (digits < 3) {
            milliseconds = milliseconds * 10 + (text[digits] - '0');
        }
        digits++;
    }
    for (size_t place = digits; place < 3; place++) {
        milliseconds *= 10;
    }
    *milliseconds_out = milliseconds;
    return digits;
}

bool cli_time_parse(const char *text, size_t bytes, int64_t *milliseconds_out)
{
    if (bytes < DATE_TIME_BYTES + 1 || text[4] != '-' || text[7] != '-' ||
        text[10] != 'T' || text[13] != ':' || text[16] != ':') {
        return false;
    }
    int64_t year = number_at(text, 4);
    int64_t month = number_at(text + 5, 2);
    int64_t day = number_at(text + 8, 2);
    int64_t hour = number_at(text + 11, 2);
    int64_t minute = number_at(text + 14, 2);
    int64_t second = number_at(text + 17, 2);
    if (year < 0 || month < 1 || month > 12 || day < 1 || day > month_days(year, month) ||
        hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
        return false;
    }
    size_t at = DATE_TIME_BYTES;
    int64_t fraction = 0;
    if (text[at] == '.') {
        size_t digits = fraction_parse(text + at + 1, bytes - at - 1, &fraction);
        if (digits < 1 || digits > 9) {
            return false;
        }
        at += 1 + digits;
    }
    int64_t east = 0;
    if (!zone_parse(text + at, bytes - at, &east)) {
        return false;
    }
    int64_t seconds =
        days_of(year, month, day) * SECONDS_A_DAY + hour * 3600 + minute * 60 + second;
    *milliseconds_out = seconds * MS_A_SECOND + fraction - east;
    return true;
}

void cli_time_format(int64_t milliseconds, char text_out[CLI_TIME_BYTES])
{
    const int64_t day_ms = (int64_t)SECONDS_A_DAY * MS_A_SECOND;
    int64_t first = days_of(0, 1, 1) * day_ms;
    int64_t last = days_of(10000, 1, 1) * day_ms - 1;
    int64_t time = milliseconds < first ? first : milliseconds;
    time = time > last ? last : time;
    int64_t day = (time - first) / day_ms;
    int64_t ms = (time - first) % day_ms;
    /* Day 0 is now 0000-01-01: count the 60 days before March away. */
    int64_t from_march = day - 60 + DAYS_400_YEARS;
    int64_t era = from_march / DAYS_400_YEARS - 1;
    int64_t of_era = from_march % DAYS_400_YEARS;
    int64_t year_of_era =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * of_year + 2) / 153;
    int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
    int64_t year = era * 400 + year_of_era + (month <= 2 ? 1 : 0);
    int64_t day_of_month = of_year - (153 * march_month + 2) / 5 + 1;
    /* The remainders tell the compiler how few digits there are. */
    (void)snprintf(text_out, CLI_TIME_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
                   (unsigned)year % 10000u, (unsigned)month % 100u,
                   (unsigned)day_of_month % 100u, (unsigned)(ms / 3600000) % 100u,
                   (unsigned)(ms / 60000) % 60u, (unsigned)(ms / MS_A_SECOND) % 60u,
                   (unsigned)(ms % MS_A_SECOND) % 1000u);
}
