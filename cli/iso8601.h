/* Times as editing traces write them, for example 2021-04-19T06:06:58.219Z. */
#ifndef CLI_ISO8601_H
#define CLI_ISO8601_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads YYYY-MM-DDThh:mm:ss, an optional fraction of 1 to 9 digits, and the
 * zone, Z or +hh:mm or -hh:mm. The milliseconds since 1970-01-01T00:00:00Z go
 * to *milliseconds_out; what is finer is cut off. False, and nothing written,
 * when the text is anything else or names no day of the calendar.
 */
bool cli_time_parse(const char *text, size_t bytes, int64_t *milliseconds_out);

/* Bytes of a written time, its NUL included. */
enum { CLI_TIME_BYTES = 25 };

/*
 * The way back, with milliseconds and Z. A time before the year 0 or after
 * the year 9999 is written as the nearest within.
 */
void cli_time_format(int64_t milliseconds, char text_out[CLI_TIME_BYTES]);

#endif
