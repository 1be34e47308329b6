/*
 * An editing trace: patches in the order they were made, and the text they
 * end in. Read from and written to the JSON that the public collection of
 * editing traces uses (sequential form):
 *
 *   { "startContent": "", "endContent": "...",
 *     "txns": [ { "time": "2021-04-19T06:06:58.219Z",
 *                 "patches": [ [position, deleted, inserted], ... ] }, ... ] }
 *
 * Each patch is made on the result of the one before: at `position`, first
 * `deleted` characters go, then the text `inserted` comes. Positions and
 * counts are Unicode code points. The time may also be called `timestamp`.
 *
 * This file knows no store: tests and benchmarks compile it in.
 */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <grove/status.h>

/*
 * The JSON of a trace, decompressed. Reading it takes about twice its size in
 * memory, and fifteen times that of its largest transaction.
 */
#define CLI_TRACE_BYTES_MAX (UINT64_C(256) << 20)

typedef struct cli_patch {
    uint64_t position;
    uint64_t deleted;
    uint64_t inserted;  /* code points of the text */
    size_t text_offset; /* of its UTF-8 in the trace's text */
    size_t text_bytes;
    int64_t timestamp; /* milliseconds since 1970-01-01T00:00:00Z */
} cli_patch;

/*
 * Every patch lies within the text that the ones before it left, and together
 * they leave `length` code points. Empty patches are left out.
 */
typedef struct cli_trace {
    cli_patch *patches;
    size_t patch_count;
    size_t patch_capacity;
    /* All inserted text, in the order it came. */
    char *text;
    size_t text_bytes;
    size_t text_capacity;
    /* The text that the patches must end in. */
    char *end_text;
    size_t end_bytes;
    uint64_t length;
    /* One for each deleted and each inserted code point. */
    uint64_t events;
} cli_trace;

/* An empty trace that owns nothing. */
void cli_trace_init(cli_trace *trace);
/* Gives the memory back; the trace is then as after init. */
void cli_trace_release(cli_trace *trace);

/*
 * Appends a patch; the text is sound UTF-8 and is copied. Nothing is appended
 * on failure, and nothing for an empty patch.
 *
 *   GROVE_INVALID    it deletes or inserts beyond the end of the text
 *   GROVE_NO_MEMORY
 */
grove_status cli_trace_append(cli_trace *trace, const cli_patch *patch, const char *text,
                              grove_error *error_out);

/*
 * Reads a trace from a file, plain or compressed by gzip. The caller releases
 * *trace_out. Whether the patches do end in the end text is not known until
 * they are made; that their length is that of the end text is.
 *
 *   GROVE_IO         the file cannot be read; the error says why
 *   GROVE_MALFORMED  it is no sequential trace; the error names transaction
 *                    and patch, both counted from 0
 *   GROVE_LIMIT      over CLI_TRACE_BYTES_MAX
 *   GROVE_NO_MEMORY
 */
grove_status cli_trace_read(const char *path, cli_trace *trace_out,
                            grove_error *error_out);

/*
 * Writes a trace, compressed when the path ends in ".gz". Consecutive patches
 * of one time become one transaction. A regular file that could not be
 * written whole is removed. GROVE_IO, GROVE_NO_MEMORY.
 */
grove_status cli_trace_write(const cli_trace *trace, const char *path,
                             grove_error *error_out);

#endif
