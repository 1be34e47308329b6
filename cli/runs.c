#include "runs.h"

#include <grove/text.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "grow.h"
#include "utf8.h"

grove_status cli_runs_init(cli_runs *runs_out, cli_trace *trace, grove_error *error_out)
{
    cli_runs runs = {.trace = trace};
    runs.parents = malloc(GROVE_EVENT_PARENTS_MAX * sizeof *runs.parents);
    runs.version = malloc(GROVE_EVENT_PARENTS_MAX * sizeof *runs.version);
    if (runs.parents == NULL || runs.version == NULL) {
        cli_runs_release(&runs);
        return cli_fail(error_out, GROVE_NO_MEMORY, "out of memory");
    }
    *runs_out = runs;
    return GROVE_OK;
}

void cli_runs_release(cli_runs *runs)
{
    free(runs->sequences);
    free(runs->last);
    free(runs->parents);
    free(runs->version);
    memset(runs, 0, sizeof *runs);
}

/* Follows the growth of the trace. */
static grove_status make_room(cli_runs *runs, grove_error *error_out)
{
    const cli_trace *trace = runs->trace;
    uint64_t *last = cli_grow(runs->last, &runs->last_capacity, 0,
                              trace->transaction_count, sizeof *last);
    runs->last = last == NULL ? runs->last : last;
    uint64_t *sequences = cli_grow(runs->sequences, &runs->replica_capacity, 0,
                                   trace->replica_count, sizeof *sequences);
    runs->sequences = sequences == NULL ? runs->sequences : sequences;
    if (last == NULL || sequences == NULL) {
        return cli_fail(error_out, GROVE_NO_MEMORY, "out of memory");
    }
    while (runs->replica_count < trace->replica_count) {
        sequences[runs->replica_count++] = 0;
    }
    return GROVE_OK;
}

grove_status cli_runs_version(cli_runs *runs, const size_t *transactions, size_t count,
                              const grove_event_id **heads_out, size_t *head_count_out,
                              grove_error *error_out)
{
    const cli_trace *trace = runs->trace;
    size_t heads = cli_ancestry_version(&runs->trace->ancestry, transactions, count,
                                        runs->version, GROVE_EVENT_PARENTS_MAX);
    if (heads > GROVE_EVENT_PARENTS_MAX) {
        return cli_fail(error_out, GROVE_LIMIT, "it has %zu parents; the limit is %d",
                        heads, GROVE_EVENT_PARENTS_MAX);
    }
    for (size_t index = 0; index < heads; index++) {
        size_t transaction = runs->version[heads - 1 - index];
        runs->parents[index] =
            (grove_event_id){trace->replicas[trace->transactions[transaction].replica],
                             runs->last[transaction]};
    }
    *heads_out = runs->parents;
    *head_count_out = heads;
    return GROVE_OK;
}

/* Moves on to a transaction that has a patch left; not beyond the last one,
 * which may grow. */
static bool find_patch(cli_runs *runs)
{
    const cli_trace *trace = runs->trace;
    while (runs->transaction + 1 < trace->transaction_count &&
           runs->patch == trace->transactions[runs->transaction].patch_end) {
        runs->transaction++;
    }
    return runs->transaction < trace->transaction_count &&
           runs->patch < trace->transactions[runs->transaction].patch_end;
}

/* The parents of the next event: those of its transaction, or the event before
 * it. */
static grove_status find_parents(cli_runs *runs, grove_event_run *run,
                                 grove_error *error_out)
{
    const cli_trace *trace = runs->trace;
    size_t begin =
        runs->transaction == 0 ? 0 : trace->transactions[runs->transaction - 1].patch_end;
    runs->at_transaction = runs->transaction;
    runs->at_patch = runs->patch - begin;
    if (runs->patch == begin && runs->events == 0) {
        size_t count = 0;
        const size_t *parents =
            cli_ancestry_parents(&trace->ancestry, runs->transaction, &count);
        return cli_runs_version(runs, parents, count, &run->parents, &run->parent_count,
                                error_out);
    }
    runs->parents[0] = run->first;
    runs->parents[0].sequence--;
    run->parents = runs->parents;
    run->parent_count = 1;
    return GROVE_OK;
}

/* The next operation of a patch, of at most `events_max` events. */
static grove_operation take_operation(cli_runs *runs, const cli_patch *patch,
                                      uint64_t events_max)
{
    grove_operation operation = {GROVE_TEXT_DELETE, 0, patch->position, {NULL, 0}};
    uint64_t left = patch->deleted - runs->events;
    bool inserts = runs->events >= patch->deleted;
    if (inserts) {
        operation.kind = GROVE_TEXT_INSERT;
        operation.position += runs->events - patch->deleted;
        left = patch->deleted + patch->inserted - runs->events;
    }
    uint64_t count = left < events_max ? left : events_max;
    count = count < GROVE_BATCH_EVENTS_MAX ? count : GROVE_BATCH_EVENTS_MAX;
    operation.count = (uint32_t)count;
    if (inserts) {
        const char *text = runs->trace->text + patch->text_offset + runs->text_bytes;
        size_t bytes = patch->text_bytes - runs->text_bytes;
        bytes = count == left ? bytes : cli_utf8_prefix(text, bytes, count);
        operation.content = (grove_bytes){(const uint8_t *)text, bytes};
        runs->text_bytes += bytes;
    }
    runs->events += count;
    return operation;
}

grove_status cli_runs_next(cli_runs *runs, uint64_t events_max, grove_event_run *run_out,
                           grove_error *error_out)
{
    if (!find_patch(runs)) {
        return cli_fail(error_out, GROVE_NONE, "there are no more events");
    }
    grove_status status = make_room(runs, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    const cli_patch *patch = &runs->trace->patches[runs->patch];
    uint32_t replica = runs->trace->transactions[runs->transaction].replica;
    grove_event_run run = {
        .first = {runs->trace->replicas[replica], runs->sequences[replica]},
        .timestamp = patch->timestamp};
    status = find_parents(runs, &run, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    run.operation = take_operation(runs, patch, events_max);
    runs->sequences[replica] += run.operation.count;
    runs->last[runs->transaction] = runs->sequences[replica] - 1;
    if (runs->events == patch->deleted + patch->inserted) {
        runs->patch++;
        runs->events = 0;
        runs->text_bytes = 0;
    }
    *run_out = run;
    return GROVE_OK;
}
