/* Code points and their UTF-8, for text that is known to be sound. */
#ifndef CLI_UTF8_H
#define CLI_UTF8_H

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
