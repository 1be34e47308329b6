/*
 * A JSON file that is read value by value: the whole text stands in memory,
 * but only one value of it at a time as jansson's tree, which takes fifteen
 * times the space of its text.
 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <grove/status.h>

typedef struct cli_input {
    char *text;
    size_t bytes;
    size_t at; /* of what was not read yet */
} cli_input;

/*
 * Reads a file whole, plain or compressed by gzip, of at most `bytes_max`
 * bytes when decompressed. The caller releases *input_out.
 *
 *   GROVE_IO         it cannot be read; the error says why
 *   GROVE_MALFORMED  its compression is damaged or cut short
 *   GROVE_LIMIT      over `bytes_max`
 *   GROVE_NO_MEMORY
 */
grove_status cli_input_open(const char *path, uint64_t bytes_max, cli_input *input_out,
                            grove_error *error_out);
void cli_input_release(cli_input *input);

/* Steps over blanks, and over `mark` behind them when it is there. */
bool cli_input_take(cli_input *input, char mark);

/* Whether only blanks are left. */
bool cli_input_at_end(cli_input *input);

/*
 * Reads the next value; the caller gives it back with json_decref. NULL, and
 * the reason in *error_out, when there is none: GROVE_MALFORMED, and the
 * offset in the text; GROVE_NO_MEMORY.
 */
json_t *cli_input_value(cli_input *input, grove_error *error_out);

/* GROVE_MALFORMED: something else than `wanted` stands here. */
grove_status cli_input_unexpected(const cli_input *input, const char *wanted,
                                  grove_error *error_out);

#endif
