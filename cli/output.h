/* What the program says. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <jansson.h>

#include "cli.h"

/*
 * A report is a flat JSON object. With --json it is printed as that; else as
 * a table, each key being a label: "batch_bytes" is printed as "batch bytes".
 * Takes the report over; NULL stands for "out of memory". Returns an exit code.
 */
int cli_report(const cli_options *options, json_t *report);

/* Makes sure that all that was printed has arrived. Returns an exit code. */
int cli_output_finish(int code);

/* A number for a report; UINT64_MAX stands for "none". */
json_t *cli_number(uint64_t number);
/* An incarnation, which is 64 bits and no quantity: 16 hexadecimal digits. */
json_t *cli_hexadecimal(uint64_t bits);
/* An id as it is written on a command line. */
json_t *cli_id_value(grove_bytes id);

/*
 * Says on stderr "grove: cannot DOING: why", and what to do where that is
 * known. Returns the exit code of the status.
 */
int cli_failed(const grove_error *error, const char *doing, ...)
    __attribute__((format(printf, 2, 3)));

/* Says on stderr "grove: ..." and returns `code`. */
int cli_refuse(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Milliseconds on a clock that only goes forward. */
double cli_now_ms(void);

/*
 * How far a long work has come, on one line of stderr that is rewritten; only
 * when that is a terminal, and not with --json.
 */
typedef struct cli_progress {
    const char *doing;
    uint64_t total;
    bool shown;
    double last_ms;
} cli_progress;

cli_progress cli_progress_begin(const cli_options *options, const char *doing,
                                uint64_t total);
void cli_progress_at(cli_progress *progress, uint64_t done);
/* Wipes the line. */
void cli_progress_end(cli_progress *progress);

#endif
