/*
 * JSON text as it goes out: in the shortest form, without blanks, UTF-8 as it
 * is; in strings only what has to be is escaped, \u00xx where there is no
 * letter for it.
 */
#ifndef GROVE_JSON_WRITE_H
#define GROVE_JSON_WRITE_H

#include "json/value.h"

enum { GROVE__JSON_PIECE_BYTES = 4096 };

/* Gathers pieces. Once one of them was not wanted, or memory was missing, the
 * rest is without effect. */
typedef struct grove__json_writer {
    grove_write_fn write;
    void *context;
    bool is_unwanted;
    bool is_short_of_memory;
    size_t used;
    uint8_t piece[GROVE__JSON_PIECE_BYTES];
} grove__json_writer;

void grove__json_writer_init(grove__json_writer *writer, grove_write_fn write,
                             void *context);

/* Hands out what is left. GROVE_FAILED: a piece was not wanted. */
grove_status grove__json_writer_finish(grove__json_writer *writer,
                                       grove_error *error_out);

/* GROVE_OK while all that was written was wanted and had its memory. */
static inline grove_status grove__json_writer_status(const grove__json_writer *writer)
{
    return writer->is_short_of_memory ? GROVE_NO_MEMORY
           : writer->is_unwanted      ? GROVE_FAILED
                                      : GROVE_OK;
}

/* As they are. */
void grove__json_write_bytes(grove__json_writer *writer, grove_bytes bytes);
void grove__json_write(grove__json_writer *writer, const char *text);
/* In quotes, escaped. */
void grove__json_write_string(grove__json_writer *writer, grove_bytes utf8);
/* In quotes, two lower case hexadecimal digits a byte. */
void grove__json_write_hex(grove__json_writer *writer, grove_bytes bytes);
/* A scalar that JSON has: no bytes, and a double is finite. */
void grove__json_write_scalar(grove__json_writer *writer, const grove_value *scalar);

#endif
