/*
 * Code points and their UTF-8. But for cli_utf8_read and cli_utf8_check this is
 * for text that is known to be sound.
 */
#ifndef CLI_UTF8_H
#define CLI_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a byte begins a code point. */
static inline int cli_utf8_begins(char byte)
{
    return ((unsigned char)byte & 0xC0u) != 0x80u;
}

static inline uint64_t cli_utf8_length(const char *text, size_t bytes)
{
    uint64_t length = 0;
    for (size_t index = 0; index < bytes; index++) {
        length += (uint64_t)cli_utf8_begins(text[index]);
    }
    return length;
}

/* Bytes of the first `count` code points; the text has so many. */
static inline size_t cli_utf8_prefix(const char *text, size_t bytes, uint64_t count)
{
    size_t index = 0;
    while (index < bytes && count > 0) {
        index++;
        while (index < bytes && !cli_utf8_begins(text[index])) {
            index++;
        }
        count--;
    }
    return index;
}

/*
 * Reads the code point that any bytes begin with; returns its 1 to 4 bytes. 0
 * when there is none: not UTF-8, not in its shortest form, or a surrogate.
 */
static inline size_t cli_utf8_read(const uint8_t *text, size_t bytes, uint32_t *point_out)
{
    if (bytes == 0) {
        return 0;
    }
    if (text[0] < 0x80) {
        *point_out = text[0];
        return 1;
    }
    size_t wanted = text[0] >= 0xC2 && text[0] <= 0xDF   ? 2
                    : text[0] >= 0xE0 && text[0] <= 0xEF ? 3
                    : text[0] >= 0xF0 && text[0] <= 0xF4 ? 4
                                                         : 0;
    if (wanted == 0 || wanted > bytes) {
        return 0;
    }
    uint32_t point = text[0] & (0xFFu >> (wanted + 1));
    for (size_t at = 1; at < wanted; at++) {
        if ((text[at] & 0xC0) != 0x80) {
            return 0;
        }
        point = point << 6 | (text[at] & 0x3Fu);
    }
    static const uint32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
    bool is_sound =
        point >= LEAST[wanted] && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
    *point_out = point;
    return is_sound ? wanted : 0;
}

/* The bytes from the beginning on that are UTF-8: all of them, or less. */
static inline size_t cli_utf8_check(const uint8_t *text, size_t bytes)
{
    size_t at = 0;
    uint32_t point = 0;
    size_t read = cli_utf8_read(text, bytes, &point);
    while (read > 0) {
        at += read;
        read = cli_utf8_read(text + at, bytes - at, &point);
    }
    return at;
}

enum { CLI_UTF8_BYTES_MAX = 4 };

/* Writes one code point; returns its 1 to 4 bytes. */
static inline size_t cli_utf8_write(uint32_t point, char *text_out)
{
    if (point < 0x80) {
        text_out[0] = (char)point;
        return 1;
    }
    size_t bytes = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t index = bytes - 1; index > 0; index--) {
        text_out[index] = (char)(0x80u | (point & 0x3Fu));
        point >>= 6;
    }
    text_out[0] = (char)((0xF00u >> bytes & 0xFFu) | point);
    return bytes;
}

#endif
