/*
 * An editing trace: patches in the order they were made, and the text they
 * end in. Read from and written to the JSON that the public collection of
 * editing traces uses:
 *
 *   { "startContent": "", "endContent": "...",
 *     "txns": [ { "time": "2021-04-19T06:06:58.219Z",
 *                 "patches": [ [position, deleted, inserted], ... ] }, ... ] }
 *
 * In a sequential trace each patch is made on the result of the one before: at
 * `position`, first `deleted` characters go, then the text `inserted` comes.
 * Positions and counts are Unicode code points. The time may also be called
 * `timestamp`.
 *
 * In a concurrent one ("kind": "concurrent") each transaction also has an
 * `agent`, which is a number, and `parents`: the transactions before, by their
 * place in the list, whose texts, merged, its first patch is made on.
 *
 * This file knows no store: tests and benchmarks compile it in.
 */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <grove/types.h>

#include "ancestry.h"

/*
 * The JSON of a trace, decompressed. Reading it takes two to three times its
 * size in memory, and fifteen times that of its largest transaction.
 */
#define CLI_TRACE_BYTES_MAX (UINT64_C(256) << 20)

/* Replicas of a concurrent trace; its agents are numbers below this. */
enum { CLI_TRACE_REPLICAS_MAX = 16384 };

typedef struct cli_patch {
    uint64_t position;
    uint64_t deleted;
    uint64_t inserted;  /* code points of the text */
    size_t text_offset; /* of its UTF-8 in the trace's text */
    size_t text_bytes;
    int64_t timestamp; /* milliseconds since 1970-01-01T00:00:00Z */
} cli_patch;

typedef struct cli_transaction {
    /* Its patches end before this one; they begin where those of the
     * transaction before end. */
    size_t patch_end;
    /* Who made it: an index into the trace's replicas. */
    uint32_t replica;
} cli_transaction;

/*
 * Empty patches are left out. In a sequential trace, which has no transactions
 * and no replicas, every patch lies within the text that the ones before it
 * left. In a concurrent one nothing is known before the patches are made but
 * that positions and counts do not exceed what was inserted before.
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
    /* Characters that the patches leave. Of a concurrent trace that is known
     * from its end text alone. */
    uint64_t length;
    /* One for each deleted and each inserted code point. */
    uint64_t events;
    uint64_t inserted;

    cli_transaction *transactions;
    size_t transaction_count;
    size_t transaction_capacity;
    /* The parents of each; one without patches is empty. */
    cli_ancestry ancestry;
    grove_replica *replicas;
    size_t replica_count;
    size_t replica_capacity;
} cli_trace;

/* An empty trace that owns nothing. */
void cli_trace_init(cli_trace *trace);
/* Gives the memory back; the trace is then as after init. */
void cli_trace_release(cli_trace *trace);

/*
 * Appends a patch, in a concurrent trace to its last transaction; the text is
 * sound UTF-8 and is copied. Nothing is appended on failure, and nothing for
 * an empty patch.
 *
 *   GROVE_INVALID    it deletes or inserts beyond the end of the text; in a
 *                    concurrent trace, beyond that of any text there was
 *   GROVE_NO_MEMORY
 */
grove_status cli_trace_append(cli_trace *trace, const cli_patch *patch, const char *text,
                              grove_error *error_out);

/*
 * Begins the next transaction of a trace that has no patches or has
 * transactions. Parents are indexes of transactions. GROVE_INVALID: a parent
 * does not come before; GROVE_NO_MEMORY.
 */
grove_status cli_trace_begin(cli_trace *trace, uint32_t replica, const size_t *parents,
                             size_t parent_count, grove_error *error_out);

/*
 * The index of a replica, which is taken in when it is new. Cost: the replicas
 * there are. GROVE_LIMIT: over CLI_TRACE_REPLICAS_MAX; GROVE_NO_MEMORY.
 */
grove_status cli_trace_replica(cli_trace *trace, const grove_replica *replica,
                               uint32_t *index_out, grove_error *error_out);

/* Sets the end text, which is copied; the length stays. GROVE_NO_MEMORY. */
grove_status cli_trace_set_end(cli_trace *trace, const char *text, size_t bytes,
                               grove_error *error_out);

/*
 * Reads a trace from a file, plain or compressed by gzip. The caller releases
 * *trace_out. Whether the patches do end in the end text is not known until
 * they are made; that their length is that of the end text is, if the trace is
 * sequential. Replicas are the agents' numbers in decimal.
 *
 *   GROVE_IO         the file cannot be read; the error says why
 *   GROVE_MALFORMED  it is no trace; the error names transaction and patch,
 *                    both counted from 0
 *   GROVE_LIMIT      over CLI_TRACE_BYTES_MAX or CLI_TRACE_REPLICAS_MAX
 *   GROVE_NO_MEMORY
 */
grove_status cli_trace_read(const char *path, cli_trace *trace_out,
                            grove_error *error_out);

/*
 * Gives the agents of a concurrent trace, as it was read, names from a file:
 * a JSON list of strings, the agent's number being the place in the list.
 * Agents of one name become one replica. On failure nothing has changed.
 *
 *   GROVE_IO, GROVE_LIMIT, GROVE_NO_MEMORY, as above
 *   GROVE_MALFORMED  no such list, an agent without a name, or a name that
 *                    has no bytes or over GROVE_REPLICA_BYTES_MAX
 *   GROVE_INVALID    the trace is sequential
 */
grove_status cli_trace_name_agents(cli_trace *trace, const char *path,
                                   grove_error *error_out);

/*
 * Writes a sequential trace, compressed when the path ends in ".gz".
 * Consecutive patches of one time become one transaction. A regular file that
 * could not be written whole is removed. GROVE_IO, GROVE_NO_MEMORY.
 */
grove_status cli_trace_write(const cli_trace *trace, const char *path,
                             grove_error *error_out);

#endif
