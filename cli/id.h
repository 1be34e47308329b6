/*
 * How the ids of documents, which are any bytes, are written on a command line
 * and printed: printable UTF-8 as it is, a backslash as \\, every other byte
 * as \xHH. What is printed can be given back.
 */
#ifndef CLI_ID_H
#define CLI_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <grove/types.h>

typedef struct cli_id {
    uint8_t bytes[GROVE_DOCUMENT_ID_BYTES_MAX];
    size_t size;
} cli_id;

static inline grove_bytes cli_id_view(const cli_id *id)
{
    grove_bytes view = {id->bytes, id->size};
    return view;
}

/* NULL, or what is wrong with the text; an empty id is let through. */
const char *cli_id_parse(const char *text, cli_id *id_out);

/* Bytes of the longest written id, its NUL included. */
enum { CLI_ID_TEXT_BYTES = 4 * GROVE_DOCUMENT_ID_BYTES_MAX + 1 };

/* `id` has at most GROVE_DOCUMENT_ID_BYTES_MAX bytes. */
void cli_id_format(grove_bytes id, char text_out[CLI_ID_TEXT_BYTES]);

/* The same for bytes of any length, as a node's id. */
void cli_id_print(grove_bytes id, FILE *stream);

/* Whether the bytes are UTF-8 of printable characters. */
bool cli_id_is_printable(grove_bytes id);

#endif
