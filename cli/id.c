#include "id.h"

#include "utf8.h"

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

const char *cli_id_parse(const char *text, cli_id *id_out)
{
    cli_id id = {.size = 0};
    for (const char *at = text; *at != '\0'; at++) {
        uint8_t byte = (uint8_t)*at;
        if (*at == '\\' && at[1] == '\\') {
            at++;
        } else if (*at == '\\') {
            int high = at[1] == 'x' ? hex_digit(at[2]) : -1;
            int low = high >= 0 ? hex_digit(at[3]) : -1;
            if (low < 0) {
                return "a backslash begins \\\\ or \\xHH";
            }
            byte = (uint8_t)(high * 16 + low);
            at += 3;
        }
        if (id.size == sizeof id.bytes) {
            return "an id has at most 240 bytes";
        }
        id.bytes[id.size++] = byte;
    }
    *id_out = id;
    return NULL;
}

/* Room for a code point, or a byte as \xHH and a NUL. */
enum { CLI_ID_PART_BYTES = 5 };

/*
 * Bytes of the printable code point that begins at `index`; 0 when what is
 * there is none: not UTF-8, or a control character (C0, DEL, C1).
 */
static size_t printable_at(grove_bytes id, size_t index)
{
    uint32_t point = 0;
    size_t bytes = cli_utf8_read(id.data + index, id.size - index, &point);
    bool is_control = point < 0x20 || (point >= 0x7F && point < 0xA0);
    return is_control ? 0 : bytes;
}

/* Writes what stands at *index and goes behind it; returns its bytes. */
static size_t format_at(grove_bytes id, size_t *index, char text_out[CLI_ID_PART_BYTES])
{
    size_t written = 0;
    size_t bytes = printable_at(id, *index);
    if (id.data[*index] == '\\') {
        text_out[written++] = '\\';
    }
    for (size_t at = 0; at < bytes; at++) {
        text_out[written++] = (char)id.data[*index + at];
    }
    if (bytes == 0) {
        (void)snprintf(text_out, CLI_ID_PART_BYTES, "\\x%02x", id.data[*index]);
        written = CLI_ID_PART_BYTES - 1;
        bytes = 1;
    }
    *index += bytes;
    return written;
}

void cli_id_format(grove_bytes id, char text_out[CLI_ID_TEXT_BYTES])
{
    size_t written = 0;
    for (size_t index = 0; index < id.size;) {
        written += format_at(id, &index, text_out + written);
    }
    text_out[written] = '\0';
}

void cli_id_print(grove_bytes id, FILE *stream)
{
    char part[CLI_ID_PART_BYTES];
    for (size_t index = 0; index < id.size;) {
        (void)fwrite(part, 1, format_at(id, &index, part), stream);
    }
}

bool cli_id_is_printable(grove_bytes id)
{
    size_t index = 0;
    size_t bytes = 1;
    while (index < id.size && bytes > 0) {
        bytes = printable_at(id, index);
        index += bytes;
    }
    return bytes > 0;
}
