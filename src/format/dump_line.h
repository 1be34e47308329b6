/*
 * Lines of a dump (docs/DUMP.md): one record each, in text.
 *
 *   word name=value name=value ... sum=0123456789abcdef LF
 *
 * `sum` is the XXH3-64 of all bytes before " sum=", with the sum of the line
 * before as its seed (0 for the first line): a line that is changed, left
 * out, doubled or moved shows at once. Each value has one form only:
 *
 *   number  decimal, no zeros in front; a signed one may begin with '-'
 *   string  printable ASCII but space and '%' stands for itself, any other
 *           byte is '%' and two digits of upper-case hexadecimal
 *   data    base64 with padding (RFC 4648), the bits that are left over zero
 *
 * So what is read and written again is the same bytes.
 */
#ifndef GROVE_FORMAT_DUMP_LINE_H
#define GROVE_FORMAT_DUMP_LINE_H

#include <grove/sys/bytes.h>

enum {
    GROVE__DUMP_VERSION = 1,
    /* Bytes of a value in one line of data; the last line of a value has what
     * is left. */
    GROVE__DUMP_DATA_BYTES = 768,
    /* A store has one more at most: whoever loads a dump adds its own. */
    GROVE__DUMP_INCARNATIONS_MAX = GROVE_INCARNATIONS_MAX - 1,
    /* No line is longer, its LF included: a document's, with an id and a type
     * that are escaped throughout and eight numbers, has some 1,080. */
    GROVE__DUMP_LINE_BYTES_MAX = 1280
};

/* Lines in the making: appended to `text`, whose owner looks for failure. */
typedef struct grove__dump_writer {
    grove_buffer *text;
    size_t line_start;
    uint64_t sum; /* of the line before */
    uint64_t lines;
} grove__dump_writer;

grove__dump_writer grove__dump_writer_to(grove_buffer *text);

/* A line: begin, any number of fields, end. */
void grove__dump_begin(grove__dump_writer *writer, const char *word);
void grove__dump_put_number(grove__dump_writer *writer, const char *name,
                            uint64_t number);
void grove__dump_put_signed(grove__dump_writer *writer, const char *name, int64_t number);
void grove__dump_put_string(grove__dump_writer *writer, const char *name,
                            grove_bytes string);
void grove__dump_put_data(grove__dump_writer *writer, const char *name, grove_bytes data);
void grove__dump_end(grove__dump_writer *writer);

/* A line that is taken apart: what is not taken yet, and whether something was
 * not as it was expected. */
typedef struct grove__dump_line {
    grove_bytes rest;
    bool failed;
} grove__dump_line;

/*
 * Checks and takes off the sum of a line, which is given without its LF. False:
 * it has none, or another than it should. *sum is that of the line before, and
 * becomes this one's.
 */
bool grove__dump_open(grove_bytes text, uint64_t *sum, grove__dump_line *line_out);

/* Takes the word, if it is this one. */
bool grove__dump_take_word(grove__dump_line *line, const char *word);

/*
 * Take the next field, which must have this name. On a fault the line has
 * failed and they give 0 or nothing. A string of at most `room_bytes` goes to
 * `room`; data is appended to `data_out`, whose owner looks for failure.
 */
uint64_t grove__dump_take_number(grove__dump_line *line, const char *name);
int64_t grove__dump_take_signed(grove__dump_line *line, const char *name);
grove_bytes grove__dump_take_string(grove__dump_line *line, const char *name,
                                    uint8_t *room, size_t room_bytes);
void grove__dump_take_data(grove__dump_line *line, const char *name,
                           grove_buffer *data_out);

/* Whether all was taken and nothing failed. */
bool grove__dump_done(const grove__dump_line *line);

#endif
