/*
 * Each editing trace as peers/ measures it for other libraries: the same
 * measures, to stand beside theirs. All events have one timestamp, for most of
 * the others keep none.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "memory.h"

enum { LOAD_MEMORY_TIMES = 3, WORKING_BYTES = 2000000 };

typedef struct subject {
    const char *name;
    bool is_concurrent;
} subject;

static const subject SUBJECTS[] = {
    {"automerge-paper", false}, {"rustcode", false}, {"sveltecomponent", false},
    {"friendsforever", true},   {"A2", true},
};

/* Makes the trace twice: sealed without a snapshot, and with one. */
static void make_documents(bench *run, grove_store *store, cli_trace *trace,
                           bool is_concurrent)
{
    static const char *const IDS[] = {"history", "snapshot"};
    grove_error error;
    for (size_t index = 0; index < 2; index++) {
        grove_document *document = bench_document(store, IDS[index], false);
        if (is_concurrent) {
            bench_add_runs(document, trace);
        } else {
            bench_edit(run, document, trace, 0, trace->patch_count);
        }
        bench_document_save(document);
        bench_expect(document, trace->end_text, trace->end_bytes);
        if (index == 0) {
            bench_must(grove_document_seal(document, NULL, NULL, &error), &error,
                       "sealing");
        } else {
            grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
            options.window_events = trace->events;
            bench_must(grove_document_compact(document, &options, NULL, &error), &error,
                       "making a snapshot");
        }
        grove_document_close(document);
    }
}

static bool add_up(void *context, grove_bytes utf8)
{
    *(size_t *)context += utf8.size;
    return true;
}

/* Loads until the text was read through, again and again. */
static void measure_load(bench *run, grove_store *store, const char *id,
                         const char *measure, const char *name, const cli_trace *trace)
{
    bench_samples *samples = bench_allocate(sizeof *samples);
    samples->count = 0;
    double begun = bench_now_us();
    grove_error error;
    while (bench_goes_on(run, samples, begun, 7)) {
        double from = bench_now_us();
        grove_document *document = bench_document_load(store, id);
        size_t bytes = 0;
        bench_must(grove_text_each(document, add_up, &bytes, &error), &error, "reading");
        bench_add(samples, bench_now_us() - from);
        bench_need(bytes == trace->end_bytes, "reading the whole text");
        grove_document_close(document);
    }
    char row[96];
    (void)snprintf(row, sizeof row, "%s, %s", measure, name);
    bench_row(run, "traces", row, trace->events, samples);
    free(samples);
}

typedef struct heap {
    double peak;
    double steady;
} heap;

/* What one load takes, beyond the open store. */
static heap measure_heap(bench *run, const char *path, const char *id,
                         const char *measure, const char *name, const cli_trace *trace)
{
    memory_count counted = {0, 0};
    grove_allocator allocator = memory_counting(&counted);
    grove_store_options options = GROVE_STORE_OPTIONS_INIT;
    options.allocator = &allocator;
    options.must_exist = true;
    options.durability = GROVE_DURABILITY_NONE;
    grove_store *store;
    grove_error error;
    bench_must(grove_store_open(path, &options, &store, &error), &error, path);
    size_t before = counted.bytes;
    counted.peak_bytes = counted.bytes;
    grove_document *document = bench_document_load(store, id);
    heap taken = {(double)(counted.peak_bytes - before),
                  (double)(counted.bytes - before)};
    grove_document_close(document);
    grove_store_close(store);
    char row[96];
    (void)snprintf(row, sizeof row, "%s heap peak, %s", measure, name);
    bench_value(run, "traces", row, trace->events, taken.peak, "bytes");
    (void)snprintf(row, sizeof row, "%s heap steady, %s", measure, name);
    bench_value(run, "traces", row, trace->events, taken.steady, "bytes");
    return taken;
}

static void measure_memory(bench *run, const char *path, const subject *one,
                           const cli_trace *trace)
{
    heap all = measure_heap(run, path, "history", "load-all", one->name, trace);
    heap text = measure_heap(run, path, "snapshot", "load-text", one->name, trace);
    char bar[96];
    if (strcmp(one->name, "friendsforever") == 0) {
        /* The one that was made in real time. The text is taken off, though the
         * events could be as well. */
        (void)snprintf(bar, sizeof bar, "working-memory-%s", one->name);
        bench_bar(run, bar, all.peak - (double)trace->end_bytes, WORKING_BYTES, "bytes",
                  false);
    } else if (!one->is_concurrent) {
        (void)snprintf(bar, sizeof bar, "loaded-memory-%s", one->name);
        bench_bar(run, bar, text.steady / (double)trace->end_bytes, LOAD_MEMORY_TIMES,
                  "times the text", false);
    }
}

static void measure_subject(bench *run, const subject *one)
{
    cli_trace trace;
    if (one->is_concurrent ? !bench_concurrent_trace(run, one->name, &trace)
                           : !bench_trace(run, one->name, &trace)) {
        return;
    }
    for (size_t index = 0; index < trace.patch_count; index++) {
        trace.patches[index].timestamp = 0;
    }
    char name[64];
    char path[BENCH_PATH_BYTES];
    (void)snprintf(name, sizeof name, "traces-%s", one->name);
    grove_store *store = bench_store(run, name, GROVE_DURABILITY_NONE, NULL);
    make_documents(run, store, &trace, one->is_concurrent);
    (void)snprintf(name, sizeof name, "history-bytes, %s", one->name);
    bench_value(run, "traces", name, trace.events,
                (double)bench_statistics(store, "history").batch_bytes, "bytes");
    (void)snprintf(name, sizeof name, "snapshot-bytes, %s", one->name);
    bench_value(run, "traces", name, trace.events,
                (double)bench_statistics(store, "snapshot").newest_snapshot_bytes,
                "bytes");
    measure_load(run, store, "history", "load-all", one->name, &trace);
    measure_load(run, store, "snapshot", "load-text", one->name, &trace);
    grove_store_close(store);
    (void)snprintf(name, sizeof name, "traces-%s", one->name);
    bench_path(run, name, path);
    measure_memory(run, path, one, &trace);
    cli_trace_release(&trace);
}

void bench_traces(bench *run)
{
    bench_title("Traces, as peers are measured");
    if (run->options.size == BENCH_TINY) {
        return;
    }
    for (size_t index = 0; index < sizeof SUBJECTS / sizeof *SUBJECTS; index++) {
        measure_subject(run, &SUBJECTS[index]);
    }
}
