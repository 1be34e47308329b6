#include "base/utf8.h"

/*
 * Eight bytes are looked at in one word. A code point is counted at its first
 * byte, so counting is finding the bytes that continue one: bit 7 set, bit 6
 * clear. Each lane of a word of such marks holds 0 or 1; up to 255 words of
 * marks can be added before a lane overflows, and a multiplication adds the
 * lanes of a word.
 */
#define LANES_LOW UINT64_C(0x0101010101010101)
#define LANES_HIGH UINT64_C(0x8080808080808080)

enum { WORD = 8, BLOCK = 64, BLOCKS_OF_LANES = 31 };

static uint64_t load_word(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* The highest bits of the lanes of the first `count` bytes of a word. */
static uint64_t high_of_first(size_t count)
{
    static const uint8_t high[2 * WORD] = {0x80, 0x80, 0x80, 0x80,
                                           0x80, 0x80, 0x80, 0x80};
    return load_word(high + WORD - count);
}

/* One in each lane whose byte continues a code point. */
static uint64_t mark_continuations(uint64_t word)
{
    return (word >> 7) & ~(word >> 6) & LANES_LOW;
}

/* The sum of the lanes; each below 256, the sum below 65536. */
static size_t add_lanes(uint64_t lanes)
{
    const uint64_t pairs = UINT64_C(0x00ff00ff00ff00ff);
    uint64_t sums = (lanes & pairs) + ((lanes >> 8) & pairs);
    return (size_t)((sums * UINT64_C(0x0001000100010001)) >> 48);
}

/* The marks of a block, added up: lanes of at most 8. */
static uint64_t mark_block(const uint8_t *bytes)
{
    uint64_t lanes = 0;
    for (size_t at = 0; at < BLOCK; at += WORD) {
        lanes += mark_continuations(load_word(bytes + at));
    }
    return lanes;
}

/* How many bytes from `at` on are ASCII, in steps of words; a last piece
 * shorter than a word is left to the caller. */
static size_t skip_ascii(const uint8_t *bytes, size_t at, size_t size)
{
    size_t from = at;
    while (size - at >= BLOCK / 2) {
        uint64_t any = 0;
        for (size_t index = 0; index < BLOCK / 2; index += WORD) {
            any |= load_word(bytes + at + index);
        }
        if ((any & LANES_HIGH) != 0) {
            break;
        }
        at += BLOCK / 2;
    }
    while (size - at >= WORD && (load_word(bytes + at) & LANES_HIGH) == 0) {
        at += WORD;
    }
    return at - from;
}

/* Bytes of the well-formed sequence at the start of `size` > 0 bytes, or 0. */
static size_t check_sequence(const uint8_t *bytes, size_t size)
{
    uint8_t lead = bytes[0];
    if (lead < 0x80) {
        return 1;
    }
    /* C0 and C1 would begin overlong forms; F5 and more lie out of range. */
    if (lead < 0xc2 || lead > 0xf4) {
        return 0;
    }
    size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (size < length) {
        return 0;
    }
    /* Overlong forms, surrogates and what is above U+10FFFF show in the
     * second byte. */
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (bytes[1] < low || bytes[1] > high) {
        return 0;
    }
    for (size_t index = 2; index < length; index++) {
        if (!grove__utf8_continues(bytes[index])) {
            return 0;
        }
    }
    return length;
}

bool grove__utf8_check(grove_bytes bytes, size_t *points_out, size_t *offset_out)
{
    size_t at = 0;
    size_t points = 0;
    while (at < bytes.size) {
        if (bytes.data[at] < 0x80) {
            size_t ascii = skip_ascii(bytes.data, at, bytes.size);
            at += ascii;
            points += ascii;
            if (at == bytes.size) {
                break;
            }
        }
        size_t length = check_sequence(bytes.data + at, bytes.size - at);
        if (length == 0) {
            *offset_out = at;
            return false;
        }
        at += length;
        points++;
    }
    *points_out = points;
    return true;
}

size_t grove__utf8_count(grove_bytes bytes)
{
    const uint8_t *at = bytes.data;
    size_t left = bytes.size;
    size_t continuations = 0;
    while (left >= BLOCK) {
        uint64_t lanes = 0;
        for (size_t block = 0; block < BLOCKS_OF_LANES && left >= BLOCK; block++) {
            lanes += mark_block(at);
            at += BLOCK;
            left -= BLOCK;
        }
        continuations += add_lanes(lanes);
    }
    for (; left > 0; left--) {
        continuations += grove__utf8_continues(*at++);
    }
    return bytes.size - continuations;
}

size_t grove__utf8_offset(grove_bytes bytes, size_t point)
{
    /* Most text is ASCII. What comes then goes in whole blocks and words that
     * end at or before the code point; the first byte that is left may go on
     * with a code point counted before. */
    size_t at = skip_ascii(bytes.data, 0, bytes.size < point ? bytes.size : point);
    point -= at;
    if (point < WORD && bytes.size - at >= WORD &&
        (load_word(bytes.data + at) & high_of_first(point)) == 0) {
        return at + point;
    }
    while (bytes.size - at >= BLOCK && point >= BLOCK / GROVE__UTF8_BYTES_MAX) {
        size_t points = BLOCK - add_lanes(mark_block(bytes.data + at));
        if (points > point) {
            break;
        }
        point -= points;
        at += BLOCK;
    }
    while (bytes.size - at >= WORD && point >= WORD / GROVE__UTF8_BYTES_MAX) {
        size_t points = WORD - add_lanes(mark_continuations(load_word(bytes.data + at)));
        if (points > point) {
            break;
        }
        point -= points;
        at += WORD;
    }
    for (; at < bytes.size; at++) {
        if (!grove__utf8_continues(bytes.data[at])) {
            if (point == 0) {
                break;
            }
            point--;
        }
    }
    return at;
}

size_t grove__utf8_border(grove_bytes bytes, size_t at)
{
    size_t border = at;
    while (border > 0 && border < bytes.size && at - border < GROVE__UTF8_BYTES_MAX - 1 &&
           grove__utf8_continues(bytes.data[border])) {
        border--;
    }
    return border;
}
