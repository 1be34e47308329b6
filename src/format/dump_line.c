#include "format/dump_line.h"

#include "base/bytes.h"
#include "base/hash.h"

/* What ends a line: " sum=" and sixteen digits. */
static const char SUM[] = " sum=";
enum { SUM_MARK_BYTES = 5, SUM_DIGITS = 16, SUM_BYTES = SUM_MARK_BYTES + SUM_DIGITS };

enum { DIGITS_MAX = 20 };

static const char HEX_UPPER[] = "0123456789ABCDEF";
static const char HEX_LOWER[] = "0123456789abcdef";
static const char BASE64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Whether a byte of a string stands for itself. */
static bool is_plain(uint8_t byte)
{
    return byte > ' ' && byte < 0x7f && byte != '%';
}

/* --- writing --- */

grove__dump_writer grove__dump_writer_to(grove_buffer *text)
{
    return (grove__dump_writer){.text = text};
}

static void put_text(grove__dump_writer *writer, const char *text)
{
    grove_buffer_append(writer->text, text, strlen(text));
}

static void put_name(grove__dump_writer *writer, const char *name)
{
    grove_buffer_u8(writer->text, ' ');
    put_text(writer, name);
    grove_buffer_u8(writer->text, '=');
}

void grove__dump_begin(grove__dump_writer *writer, const char *word)
{
    writer->line_start = writer->text->size;
    put_text(writer, word);
}

static void put_digits(grove__dump_writer *writer, uint64_t number)
{
    char digits[DIGITS_MAX];
    size_t first = DIGITS_MAX;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    grove_buffer_append(writer->text, digits + first, DIGITS_MAX - first);
}

void grove__dump_put_number(grove__dump_writer *writer, const char *name, uint64_t number)
{
    put_name(writer, name);
    put_digits(writer, number);
}

void grove__dump_put_signed(grove__dump_writer *writer, const char *name, int64_t number)
{
    put_name(writer, name);
    if (number < 0) {
        grove_buffer_u8(writer->text, '-');
    }
    put_digits(writer, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void grove__dump_put_string(grove__dump_writer *writer, const char *name,
                            grove_bytes string)
{
    put_name(writer, name);
    for (size_t index = 0; index < string.size; index++) {
        uint8_t byte = string.data[index];
        if (is_plain(byte)) {
            grove_buffer_u8(writer->text, byte);
        } else {
            const char escaped[] = {'%', HEX_UPPER[byte >> 4], HEX_UPPER[byte & 15]};
            grove_buffer_append(writer->text, escaped, sizeof escaped);
        }
    }
}

void grove__dump_put_data(grove__dump_writer *writer, const char *name, grove_bytes data)
{
    put_name(writer, name);
    for (size_t index = 0; index < data.size; index += 3) {
        size_t count = data.size - index < 3 ? data.size - index : 3;
        uint32_t bits = (uint32_t)data.data[index] << 16;
        bits |= count > 1 ? (uint32_t)data.data[index + 1] << 8 : 0;
        bits |= count > 2 ? (uint32_t)data.data[index + 2] : 0;
        const char group[] = {BASE64[bits >> 18], BASE64[bits >> 12 & 63],
                              count > 1 ? BASE64[bits >> 6 & 63] : '=',
                              count > 2 ? BASE64[bits & 63] : '='};
        grove_buffer_append(writer->text, group, sizeof group);
    }
}

void grove__dump_end(grove__dump_writer *writer)
{
    if (writer->text->failed) {
        return;
    }
    grove_bytes line = {writer->text->data + writer->line_start,
                        writer->text->size - writer->line_start};
    writer->sum = grove__hash(line, writer->sum);
    writer->lines++;
    put_text(writer, SUM);
    for (int shift = 60; shift >= 0; shift -= 4) {
        grove_buffer_u8(writer->text, (uint8_t)HEX_LOWER[writer->sum >> shift & 15]);
    }
    grove_buffer_u8(writer->text, '\n');
}

/* --- reading --- */

/* The value of a digit of one of the alphabets above; negative: it is none. */
static int digit_of(const char *alphabet, uint8_t byte)
{
    const char *found = byte == 0 ? NULL : strchr(alphabet, byte);
    return found == NULL ? -1 : (int)(found - alphabet);
}

bool grove__dump_open(grove_bytes text, uint64_t *sum, grove__dump_line *line_out)
{
    if (text.size < SUM_BYTES) {
        return false;
    }
    grove_bytes line = {text.data, text.size - SUM_BYTES};
    const uint8_t *mark = text.data + line.size;
    uint64_t said = 0;
    for (size_t index = 0; index < SUM_DIGITS; index++) {
        int digit = digit_of(HEX_LOWER, mark[SUM_MARK_BYTES + index]);
        if (digit < 0) {
            return false;
        }
        said = said << 4 | (uint64_t)digit;
    }
    if (memcmp(mark, SUM, SUM_MARK_BYTES) != 0 || said != grove__hash(line, *sum)) {
        return false;
    }
    *sum = said;
    *line_out = (grove__dump_line){line, false};
    return true;
}

/* Takes what stands up to the next space, or to the end. */
static grove_bytes take_piece(grove__dump_line *line)
{
    grove_bytes piece = {line->rest.data, 0};
    while (piece.size < line->rest.size && line->rest.data[piece.size] != ' ') {
        piece.size++;
    }
    line->rest.data += piece.size;
    line->rest.size -= piece.size;
    return piece;
}

bool grove__dump_take_word(grove__dump_line *line, const char *word)
{
    grove__dump_line ahead = *line;
    if (!grove__bytes_equal(take_piece(&ahead), grove_bytes_of(word))) {
        return false;
    }
    *line = ahead;
    return true;
}

/* Takes a space, the name and '=', and then the value; empty on a fault. */
static grove_bytes take_value(grove__dump_line *line, const char *name)
{
    size_t name_bytes = strlen(name);
    const uint8_t *at = line->rest.data;
    if (line->failed || line->rest.size < name_bytes + 2 || at[0] != ' ' ||
        memcmp(at + 1, name, name_bytes) != 0 || at[name_bytes + 1] != '=') {
        line->failed = true;
        return (grove_bytes){NULL, 0};
    }
    line->rest.data += name_bytes + 2;
    line->rest.size -= name_bytes + 2;
    return take_piece(line);
}

static uint64_t parse_number(grove__dump_line *line, grove_bytes value)
{
    uint64_t number = 0;
    bool is_sound = value.size > 0 && (value.data[0] != '0' || value.size == 1);
    for (size_t index = 0; is_sound && index < value.size; index++) {
        int digit = digit_of("0123456789", value.data[index]);
        is_sound = digit >= 0 && number <= (UINT64_MAX - (uint64_t)digit) / 10;
        number = is_sound ? number * 10 + (uint64_t)digit : 0;
    }
    line->failed = line->failed || !is_sound;
    return line->failed ? 0 : number;
}

uint64_t grove__dump_take_number(grove__dump_line *line, const char *name)
{
    return parse_number(line, take_value(line, name));
}

int64_t grove__dump_take_signed(grove__dump_line *line, const char *name)
{
    grove_bytes value = take_value(line, name);
    if (value.size == 0 || value.data[0] != '-') {
        uint64_t number = parse_number(line, value);
        line->failed = line->failed || number > INT64_MAX;
        return line->failed ? 0 : (int64_t)number;
    }
    grove_bytes digits = {value.data + 1, value.size - 1};
    uint64_t number = parse_number(line, digits);
    line->failed = line->failed || number == 0 || number > (uint64_t)INT64_MAX + 1;
    return line->failed ? 0 : (int64_t)(0 - number);
}

/* One byte of a string, from `*at` on. Negative: none that a writer makes. */
static int parse_byte(grove_bytes value, size_t *at)
{
    if (is_plain(value.data[*at])) {
        return value.data[(*at)++];
    }
    if (value.data[*at] != '%' || value.size - *at < 3) {
        return -1;
    }
    int high = digit_of(HEX_UPPER, value.data[*at + 1]);
    int low = digit_of(HEX_UPPER, value.data[*at + 2]);
    if (high < 0 || low < 0 || is_plain((uint8_t)(high << 4 | low))) {
        return -1;
    }
    *at += 3;
    return high << 4 | low;
}

grove_bytes grove__dump_take_string(grove__dump_line *line, const char *name,
                                    uint8_t *room, size_t room_bytes)
{
    grove_bytes value = take_value(line, name);
    size_t size = 0;
    size_t at = 0;
    while (!line->failed && at < value.size) {
        int byte = parse_byte(value, &at);
        line->failed = byte < 0 || size == room_bytes;
        if (!line->failed) {
            room[size++] = (uint8_t)byte;
        }
    }
    return (grove_bytes){room, line->failed ? 0 : size};
}

/* Appends the 1 to 3 bytes of a group of base64. False: it is none. */
static bool parse_group(const uint8_t *group, grove_buffer *data_out)
{
    size_t count = group[3] != '=' ? 3 : group[2] != '=' ? 2 : 1;
    uint32_t bits = 0;
    for (size_t index = 0; index < 4; index++) {
        int digit = index <= count ? digit_of(BASE64, group[index]) : 0;
        if (digit < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)digit;
    }
    const uint8_t bytes[] = {(uint8_t)(bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits};
    if ((count < 3 && bytes[2] != 0) || (count < 2 && bytes[1] != 0)) {
        return false;
    }
    grove_buffer_append(data_out, bytes, count);
    return true;
}

void grove__dump_take_data(grove__dump_line *line, const char *name,
                           grove_buffer *data_out)
{
    grove_bytes value = take_value(line, name);
    line->failed = line->failed || value.size % 4 != 0;
    for (size_t at = 0; !line->failed && at < value.size; at += 4) {
        bool is_last = at + 4 == value.size;
        line->failed = (!is_last && value.data[at + 3] == '=') ||
                       !parse_group(value.data + at, data_out);
    }
}

bool grove__dump_done(const grove__dump_line *line)
{
    return !line->failed && line->rest.size == 0;
}
