/*
 * What the measurements share: options, the clock, samples, the report, and
 * documents made from traces.
 *
 * A benchmark has nobody to hand a failure to: whatever fails is printed and
 * ends the program.
 */
#ifndef BENCHMARKS_BENCH_H
#define BENCHMARKS_BENCH_H

#include <grove/grove.h>
#include <stdio.h>

#include "trace.h"

enum { BENCH_PATH_BYTES = 4096, BENCH_SAMPLES_MAX = 4096, BENCH_SERIES_MAX = 256 };

typedef enum bench_size { BENCH_TINY, BENCH_QUICK, BENCH_USUAL, BENCH_FULL } bench_size;

typedef struct bench_options {
    bench_size size;
    bool ten_million;
    const char *out;    /* directory of CSV, plot and bars */
    const char *only;   /* one section; NULL for all */
    const char *traces; /* directory of editing traces, or NULL */
} bench_options;

/* Times of one thing, in microseconds. */
typedef struct bench_samples {
    size_t count;
    double us[BENCH_SAMPLES_MAX];
} bench_samples;

/* One point of the plot. */
typedef struct bench_point {
    char series[48];
    uint64_t events;
    double us;
} bench_point;

typedef struct bench {
    bench_options options;
    char work[BENCH_PATH_BYTES]; /* an own directory, removed at the end */
    int64_t now;                 /* what the stores' clock tells */
    FILE *csv;
    FILE *bars;
    unsigned bars_missed;
    unsigned bars_met;
    size_t point_count;
    bench_point points[BENCH_SERIES_MAX];
} bench;

/* Sections; each prints its tables and bars. */
void bench_load(bench *run);
void bench_save(bench *run);
void bench_replay(bench *run);
void bench_merge(bench *run);
void bench_traces(bench *run);
void bench_decode(bench *run);
void bench_sizes(bench *run);
void bench_memory(bench *run);
void bench_open(bench *run);
void bench_sharing(bench *run);
void bench_space(bench *run);
void bench_tree(bench *run);

/* report.c */
void bench_must(grove_status status, const grove_error *error, const char *what);
/* For calls of the operating system and of LMDB and zstd. */
void bench_need(bool is_fine, const char *what);
void *bench_allocate(size_t bytes);
double bench_now_us(void);
void bench_add(bench_samples *samples, double us);
double bench_quantile(const bench_samples *samples, double quantile);
double bench_median(const bench_samples *samples);
/* Whether a loop of samples goes on: at least `least`, then as time allows. */
bool bench_goes_on(const bench *run, const bench_samples *samples, double begun_us,
                   size_t least);
void bench_title(const char *text);
/* A row of the table and of the CSV. */
void bench_row(bench *run, const char *section, const char *name, uint64_t events,
               const bench_samples *samples);
void bench_value(bench *run, const char *section, const char *name, uint64_t events,
                 double value, const char *unit);
/* `bar NAME: value unit (limit …) ok|MISSED`. `least`: the limit is a least. */
void bench_bar(bench *run, const char *name, double value, double limit, const char *unit,
               bool least);
void bench_skip(bench *run, const char *name, const char *why);
void bench_plot_point(bench *run, const char *series, uint64_t events, double us);

/* plot.c */
void bench_plot(bench *run);

/* documents.c */
void bench_path(const bench *run, const char *name, char path_out[BENCH_PATH_BYTES]);
grove_store *bench_store(bench *run, const char *name, grove_durability durability,
                         const grove_allocator *allocator);
/* Type `text`. With `makes_snapshot` each save makes one, else none does. */
grove_document *bench_document(grove_store *store, const char *id, bool makes_snapshot);
/* The same, of another type. */
grove_document *bench_document_of(grove_store *store, const grove_document_type *type,
                                  const char *id, bool makes_snapshot);
grove_document *bench_document_load(grove_store *store, const char *id);
void bench_session(uint64_t events, uint64_t length, cli_trace *trace_out);
/* Reads NAME.json.gz from the directory of traces; false: not there, said. */
bool bench_trace(bench *run, const char *name, cli_trace *trace_out);
/* The same for a concurrent one, with NAME.agents.json if that is there. */
bool bench_concurrent_trace(bench *run, const char *name, cli_trace *trace_out);
/* Makes the patches from index `from` to before `to`. */
void bench_edit(bench *run, grove_document *document, const cli_trace *trace, size_t from,
                size_t to);
/* Adds the runs of a concurrent trace. */
void bench_add_runs(grove_document *document, cli_trace *trace);
void bench_document_save(grove_document *document);
grove_document_statistics bench_statistics(grove_store *store, const char *id);
/* That the document's text is the one that the trace ends in. */
void bench_expect(grove_document *document, const char *text, size_t text_bytes);
/* The first patch before which there are at least so many events. */
size_t bench_patch_at(const cli_trace *trace, uint64_t events, uint64_t *events_out);

#endif
