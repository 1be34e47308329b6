/*
 * UTF-8 as the Unicode standard defines it (table 3-7): shortest forms only,
 * no surrogates, nothing above U+10FFFF.
 *
 * Bytes are checked once, where they come in; the functions that count and
 * step expect checked bytes. Given others they answer nonsense but stay
 * within the bytes they were given.
 */
#ifndef GROVE_BASE_UTF8_H
#define GROVE_BASE_UTF8_H

#include <grove/types.h>

enum {
    GROVE__UTF8_BYTES_MAX = 4,
    /* The first byte of a code point of four bytes is this or more, and no
     * other byte is. */
    GROVE__UTF8_LEAD_OF_4 = 0xf0
};

/* Whether a byte goes on with a code point that an earlier byte began. */
static inline bool grove__utf8_continues(uint8_t byte)
{
    return (byte & 0xc0u) == 0x80;
}

/*
 * Whether the bytes are UTF-8; then *points_out is the number of code points.
 * Else *offset_out is where the first ill-formed sequence begins; the other
 * output is untouched.
 */
bool grove__utf8_check(grove_bytes bytes, size_t *points_out, size_t *offset_out);

/* The same, where nothing else counts. */
static inline bool grove__utf8_is(grove_bytes bytes)
{
    size_t points;
    size_t offset;
    return grove__utf8_check(bytes, &points, &offset);
}

/* The number of code points. */
size_t grove__utf8_count(grove_bytes bytes);

/* The offset of code point `point`, or the size if there are not as many. */
size_t grove__utf8_offset(grove_bytes bytes, size_t point);

/* The last place at or before `at`, at most the size, that cuts none. */
size_t grove__utf8_border(grove_bytes bytes, size_t at);

#endif
