/*
 * The events of a concurrent trace, run by run, as a document takes them:
 * whoever makes the trace in one calls cli_runs_next until it says GROVE_NONE,
 * and grove_document_add for each run.
 *
 * The events of a replica are numbered in the order of the transactions, one
 * for each deleted and then one for each inserted code point of a patch.
 */
#ifndef CLI_RUNS_H
#define CLI_RUNS_H

#include "trace.h"

typedef struct cli_runs {
    cli_trace *trace;
    /* Where the next run begins: a patch, and what was handed out of it. */
    size_t transaction;
    size_t patch;
    uint64_t events;
    size_t text_bytes;
    /* Of what was handed out last, counted from 0. */
    size_t at_transaction;
    size_t at_patch;
    /* The next sequence of each replica. */
    uint64_t *sequences;
    size_t replica_count;
    size_t replica_capacity;
    /* The sequence of the last event of each transaction. */
    uint64_t *last;
    size_t last_capacity;
    /* The parents of the run that was handed out. */
    grove_event_id *parents;
    size_t *version;
} cli_runs;

/*
 * Begins before the first event of a trace, which is borrowed until release.
 * It may grow meanwhile. The caller releases *runs_out. GROVE_NO_MEMORY.
 */
grove_status cli_runs_init(cli_runs *runs_out, cli_trace *trace, grove_error *error_out);
/* Accepts what is all zero. */
void cli_runs_release(cli_runs *runs);

/*
 * The next events, at most `events_max`, at least 1; *run_out is borrowed until
 * the next call, or until the trace grows.
 *
 *   GROVE_NONE       there are no more, now
 *   GROVE_LIMIT      a transaction has over GROVE_EVENT_PARENTS_MAX parents
 *   GROVE_NO_MEMORY
 */
grove_status cli_runs_next(cli_runs *runs, uint64_t events_max, grove_event_run *run_out,
                           grove_error *error_out);

/*
 * The version that some transactions make together, all of whose events were
 * handed out: last events of transactions, in the order of these; borrowed
 * until the next call. GROVE_LIMIT as above.
 */
grove_status cli_runs_version(cli_runs *runs, const size_t *transactions, size_t count,
                              const grove_event_id **heads_out, size_t *head_count_out,
                              grove_error *error_out);

#endif
