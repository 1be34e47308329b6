#include "json/write.h"

#include "base/error.h"
#include "json/text.h"

static const char HEX[] = "0123456789abcdef";

void grove__json_writer_init(grove__json_writer *writer, grove_write_fn write,
                             void *context)
{
    writer->write = write;
    writer->context = context;
    writer->is_unwanted = false;
    writer->is_short_of_memory = false;
    writer->used = 0;
}

static void hand_out(grove__json_writer *writer)
{
    const grove_bytes piece = {writer->piece, writer->used};
    if (piece.size > 0 && grove__json_writer_status(writer) == GROVE_OK) {
        writer->is_unwanted = !writer->write(writer->context, piece);
    }
    writer->used = 0;
}

grove_status grove__json_writer_finish(grove__json_writer *writer, grove_error *error_out)
{
    hand_out(writer);
    if (writer->is_short_of_memory) {
        return grove__fail_memory(error_out);
    }
    if (writer->is_unwanted) {
        return grove__fail(error_out, GROVE_FAILED, "%s",
                           "whoever takes the text wants no more of it");
    }
    return GROVE_OK;
}

static void write_byte(grove__json_writer *writer, uint8_t byte)
{
    if (writer->used == sizeof writer->piece) {
        hand_out(writer);
    }
    writer->piece[writer->used++] = byte;
}

void grove__json_write_bytes(grove__json_writer *writer, grove_bytes bytes)
{
    for (size_t index = 0; index < bytes.size; index++) {
        write_byte(writer, bytes.data[index]);
    }
}

void grove__json_write(grove__json_writer *writer, const char *text)
{
    grove__json_write_bytes(writer, grove_bytes_of(text));
}

static void write_escaped(grove__json_writer *writer, uint8_t byte)
{
    static const char LETTERS[] = "\"\\\b\f\n\r\t";
    static const char ESCAPED[] = "\"\\bfnrt";
    const char *letter = byte == 0 ? NULL : strchr(LETTERS, byte);
    if (letter != NULL) {
        write_byte(writer, '\\');
        write_byte(writer, (uint8_t)ESCAPED[letter - LETTERS]);
    } else if (byte < 0x20) {
        grove__json_write(writer, "\\u00");
        write_byte(writer, (uint8_t)HEX[byte >> 4]);
        write_byte(writer, (uint8_t)HEX[byte & 0xfu]);
    } else {
        write_byte(writer, byte);
    }
}

void grove__json_write_string(grove__json_writer *writer, grove_bytes utf8)
{
    write_byte(writer, '"');
    for (size_t index = 0; index < utf8.size; index++) {
        write_escaped(writer, utf8.data[index]);
    }
    write_byte(writer, '"');
}

void grove__json_write_hex(grove__json_writer *writer, grove_bytes bytes)
{
    write_byte(writer, '"');
    for (size_t index = 0; index < bytes.size; index++) {
        write_byte(writer, (uint8_t)HEX[bytes.data[index] >> 4]);
        write_byte(writer, (uint8_t)HEX[bytes.data[index] & 0xfu]);
    }
    write_byte(writer, '"');
}

static void write_integer(grove__json_writer *writer, int64_t integer)
{
    enum { DIGITS_MAX = 20 };
    uint8_t digits[DIGITS_MAX];
    size_t at = sizeof digits;
    uint64_t left = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    do {
        digits[--at] = (uint8_t)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (integer < 0) {
        write_byte(writer, '-');
    }
    const grove_bytes written = {digits + at, sizeof digits - at};
    grove__json_write_bytes(writer, written);
}

static void write_number(grove__json_writer *writer, double number)
{
    char text[GROVE__JSON_NUMBER_BYTES];
    const grove_bytes written = {(const uint8_t *)text,
                                 grove__json_number_write(number, text)};
    writer->is_short_of_memory = writer->is_short_of_memory || written.size == 0;
    grove__json_write_bytes(writer, written);
}

void grove__json_write_scalar(grove__json_writer *writer, const grove_value *scalar)
{
    switch (scalar->kind) {
    case GROVE_VALUE_BOOLEAN:
        grove__json_write(writer, scalar->boolean ? "true" : "false");
        break;
    case GROVE_VALUE_INTEGER:
        write_integer(writer, scalar->integer);
        break;
    case GROVE_VALUE_DOUBLE:
        write_number(writer, scalar->number);
        break;
    case GROVE_VALUE_TEXT:
        grove__json_write_string(writer, scalar->bytes);
        break;
    case GROVE_VALUE_NULL:
    case GROVE_VALUE_BYTES:
        grove__json_write(writer, "null");
        break;
    }
}
