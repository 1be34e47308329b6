/* How one text becomes another, as patches of a trace. */
#ifndef CLI_DIFFERENCE_H
#define CLI_DIFFERENCE_H

#include "trace.h"

/* Borrowed UTF-8 that is sound. */
typedef struct cli_text {
    const char *data;
    size_t bytes;
} cli_text;

/*
 * Appends to the last transaction of a concurrent trace what makes `before` to
 * `after`, from the beginning to the end of the text: lines that differ, and
 * of these, from the first to the last character that differs. Needs libgit2
 * to be initialized. Cost: as git diff.
 *
 *   GROVE_INVALID    as cli_trace_append
 *   GROVE_IO         libgit2 failed; the error says why
 *   GROVE_NO_MEMORY
 */
grove_status cli_difference_append(cli_trace *trace, cli_text before, cli_text after,
                                   int64_t timestamp, grove_error *error_out);

#endif
