/*
 * The verb bench: how long a document takes to save and load here, in a scratch
 * store. A quick look; the measurements against floors are in benchmarks/.
 */
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "open.h"
#include "output.h"
#include "replay.h"
#include "scratch.h"
#include "session.h"

/* Single saves measured for each round of loads. */
enum { SAVES_A_ROUND = 10 };

typedef struct bench {
    const cli_options *options;
    cli_clock clock;
    grove_store *store;
    double *samples;
    size_t sample_count;
    uint64_t events;
    uint64_t characters;
    double edit_ms;
    double save_ms;
    double replay_ms;
    double snapshot_ms;
    double one_ms;
    double one_p99_ms;
    grove_document_statistics stored;
} bench;

static const char DOCUMENT[] = "bench";

static int compare_samples(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a < b ? -1 : a > b ? 1 : 0;
}

/* The sample that `percent` of them do not exceed. */
static double percentile(bench *work, size_t percent)
{
    qsort(work->samples, work->sample_count, sizeof *work->samples, compare_samples);
    return work->samples[(work->sample_count - 1) * percent / 100];
}

static grove_document_options without_snapshots(void)
{
    grove_document_options wanted = GROVE_DOCUMENT_OPTIONS_INIT;
    wanted.policy.automatic = false;
    return wanted;
}

/* A made-up session becomes the document. */
static grove_status make_generated(bench *work, grove_document *document,
                                   grove_error *error_out)
{
    const cli_options *options = work->options;
    cli_session_options wanted = {options->events, options->seed,
                                  options->has_final
                                      ? options->final_length
                                      : cli_session_final_length(options->events)};
    cli_trace trace;
    grove_status status = cli_session_make(&wanted, &trace, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    cli_progress progress = cli_progress_begin(options, "edit", trace.events);
    cli_replay replay = {.trace = &trace,
                         .document = document,
                         .clock = &work->clock,
                         .end_is = "the session's text",
                         .progress = &progress};
    double begin = cli_now_ms();
    status = cli_replay_run(&replay, error_out);
    work->edit_ms = cli_now_ms() - begin;
    cli_progress_end(&progress);
    if (status == GROVE_OK) {
        status = cli_replay_check(&replay, error_out);
    }
    cli_trace_release(&trace);
    return status;
}

typedef struct copying {
    grove_document *to;
    grove_status status;
    grove_error *error_out;
} copying;

static bool copy_run(void *context, uint64_t clock, const grove_event_run *run)
{
    (void)clock;
    copying *copy = context;
    copy->status = grove_document_add(copy->to, run, copy->error_out);
    return copy->status == GROVE_OK;
}

/* The events of a stored document become the document. */
static grove_status copy_stored(bench *work, grove_document *from, grove_document *to,
                                grove_error *error_out)
{
    copying copy = {to, GROVE_OK, error_out};
    double begin = cli_now_ms();
    grove_status status = grove_document_events(from, 0, copy_run, &copy, error_out);
    work->edit_ms = cli_now_ms() - begin;
    return status == GROVE_OK ? copy.status : status;
}

/* Opens the given document and copies it. Says why when it cannot. */
static int make_given(bench *work, grove_document *to)
{
    grove_store *store = NULL;
    int code = cli_store_open(work->options, true, NULL, &store);
    if (code != CLI_OK) {
        return code;
    }
    grove_document_statistics stored;
    grove_document *from = NULL;
    code = cli_document_statistics(work->options, store, &stored);
    if (code == CLI_OK) {
        code = cli_document_must_be(work->options, &stored, grove_type_text(), "bench");
    }
    if (code == CLI_OK) {
        code = cli_document_load(work->options, store, &from);
    }
    grove_error error;
    if (code == CLI_OK && copy_stored(work, from, to, &error) != GROVE_OK) {
        code = cli_failed(&error, "copy the document");
    }
    grove_document_close(from);
    grove_store_close(store);
    return code;
}

/* Times loads into a handle that is closed at once. */
static grove_status time_loads(bench *work, double *median_out, grove_error *error_out)
{
    work->sample_count = (size_t)work->options->rounds;
    for (size_t round = 0; round < work->sample_count; round++) {
        grove_document *document = NULL;
        double begin = cli_now_ms();
        grove_status status = grove_document_load(work->store, grove_bytes_of(DOCUMENT),
                                                  NULL, &document, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        grove_document_close(document);
        work->samples[round] = cli_now_ms() - begin;
    }
    *median_out = percentile(work, 50);
    return GROVE_OK;
}

/* Times saves of one typed character each. */
static grove_status time_saves(bench *work, grove_error *error_out)
{
    grove_document *document = NULL;
    grove_status status = grove_document_load(work->store, grove_bytes_of(DOCUMENT), NULL,
                                              &document, error_out);
    uint64_t length = work->characters;
    work->sample_count = (size_t)work->options->rounds * SAVES_A_ROUND;
    for (size_t index = 0; status == GROVE_OK && index < work->sample_count; index++) {
        double begin = cli_now_ms();
        status = grove_text_insert(document, length, grove_bytes_of("x"), error_out);
        if (status == GROVE_OK) {
            status = grove_document_save(document, NULL, NULL, error_out);
        }
        work->samples[index] = cli_now_ms() - begin;
        length++;
    }
    if (status == GROVE_OK) {
        work->one_ms = percentile(work, 50);
        work->one_p99_ms = percentile(work, 99);
    }
    grove_document_close(document);
    return status;
}

/* Saves at once, without a snapshot. */
static grove_status save_all(bench *work, grove_document *document,
                             grove_error *error_out)
{
    work->events = grove_document_unsaved(document);
    double begin = cli_now_ms();
    grove_status status = grove_document_save(document, NULL, NULL, error_out);
    work->save_ms = cli_now_ms() - begin;
    if (status != GROVE_OK) {
        return status;
    }
    return grove_text_length(document, &work->characters, NULL, error_out);
}

/* Makes a snapshot and keeps all history. */
static grove_status make_snapshot(grove_document *document, grove_error *error_out)
{
    grove_compact_options wanted = GROVE_COMPACT_OPTIONS_INIT;
    wanted.window_events = GROVE_DOCUMENT_EVENTS_MAX;
    return grove_document_compact(document, &wanted, NULL, error_out);
}

static grove_status measure(bench *work, grove_document *document, grove_error *error_out)
{
    grove_status status = save_all(work, document, error_out);
    if (status == GROVE_OK) {
        status = time_loads(work, &work->replay_ms, error_out);
    }
    if (status == GROVE_OK) {
        status = make_snapshot(document, error_out);
    }
    if (status == GROVE_OK) {
        status = time_loads(work, &work->snapshot_ms, error_out);
    }
    if (status == GROVE_OK) {
        status = grove_document_statistics_get(work->store, grove_bytes_of(DOCUMENT),
                                               &work->stored, error_out);
    }
    return status == GROVE_OK ? time_saves(work, error_out) : status;
}

static int report(const bench *work)
{
    double events = (double)(work->events == 0 ? 1 : work->events);
    return cli_report(
        work->options,
        json_pack("{ss, so, so, so, sf, so, sf, sf, sf, sf, sf, sf}", "backend",
                  work->options->backend->name, "events", cli_number(work->events),
                  "characters", cli_number(work->characters), "batch_bytes",
                  cli_number(work->stored.batch_bytes), "bytes_an_event",
                  (double)work->stored.batch_bytes / events, "snapshot_bytes",
                  cli_number(work->stored.snapshot_bytes), "edit_ms", work->edit_ms,
                  "save_all_ms", work->save_ms, "load_without_snapshot_ms",
                  work->replay_ms, "load_with_snapshot_ms", work->snapshot_ms,
                  "save_one_event_ms", work->one_ms, "save_one_event_p99_ms",
                  work->one_p99_ms));
}

static int bench_in(bench *work)
{
    grove_error error;
    grove_document *document = NULL;
    grove_document_options wanted = without_snapshots();
    wanted.type = grove_type_text();
    if (grove_document_open(work->store, grove_bytes_of(DOCUMENT), &wanted, &document,
                            &error) != GROVE_OK) {
        return cli_failed(&error, "open a document");
    }
    int code = CLI_OK;
    if (work->options->has_document) {
        code = make_given(work, document);
    } else if (make_generated(work, document, &error) != GROVE_OK) {
        code = cli_failed(&error, "make a document");
        code = error.status == GROVE_INVALID ? CLI_USAGE : code;
    }
    if (code == CLI_OK && measure(work, document, &error) != GROVE_OK) {
        code = cli_failed(&error, "measure");
    }
    grove_document_close(document);
    return code == CLI_OK ? report(work) : code;
}

int cli_bench(const cli_options *options)
{
    bench work = {.options = options};
    cli_scratch scratch;
    work.samples = calloc((size_t)options->rounds * SAVES_A_ROUND, sizeof *work.samples);
    if (work.samples == NULL) {
        return cli_report(options, NULL);
    }
    int code = cli_scratch_open(options, &work.clock, &scratch);
    if (code == CLI_OK) {
        work.store = scratch.store;
        code = cli_scratch_close(&scratch, bench_in(&work));
    }
    free(work.samples);
    return code;
}
