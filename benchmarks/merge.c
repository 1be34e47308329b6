/*
 * Concurrent histories: replaying them, shapes that careless merging takes
 * quadratic time for, and merging into documents that are open.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "runs.h"

enum {
    RUN_EVENTS = 20,
    PIECE_EVENTS = 5000,
    REMOTE_SAMPLES = 200,
    BRANCH_EVENTS = 10000
};

static grove_replica replica_of(const char *name)
{
    grove_replica replica = {(uint8_t)strlen(name), {0}};
    memcpy(replica.bytes, name, replica.size);
    return replica;
}

/* --- histories --- */

/* Makes a concurrent trace in a new document, and saves it at once. */
static void make_trace(grove_store *store, cli_trace *trace)
{
    grove_document *document = bench_document(store, "document", false);
    bench_add_runs(document, trace);
    bench_document_save(document);
    bench_expect(document, trace->end_text, trace->end_bytes);
    grove_document_close(document);
}

/* Loads without a snapshot, again and again; the median in milliseconds. */
static double measure_replay(bench *run, grove_store *store, const char *name,
                             uint64_t events)
{
    bench_samples *samples = bench_allocate(sizeof *samples);
    samples->count = 0;
    double begun = bench_now_us();
    while (bench_goes_on(run, samples, begun, 7)) {
        double from = bench_now_us();
        grove_document *document = bench_document_load(store, "document");
        bench_add(samples, bench_now_us() - from);
        grove_document_close(document);
    }
    char row[96];
    (void)snprintf(row, sizeof row, "load without snapshot, %s", name);
    bench_row(run, "merge", row, events, samples);
    double ms = bench_median(samples) / 1e3;
    free(samples);
    return ms;
}

/* --- into an open document --- */

/* One event that is concurrent with much of an open document, many times. */
static void measure_remote(bench *run, grove_store *store, cli_trace *trace)
{
    grove_document *document = bench_document_load(store, "document");
    cli_runs runs;
    grove_error error;
    bench_must(cli_runs_init(&runs, trace, &error), &error, "reading runs");
    /* The last event of every so many transactions of the second half. */
    grove_event_id *parents = bench_allocate(REMOTE_SAMPLES * sizeof *parents);
    size_t count = 0;
    uint64_t seen = 0;
    uint64_t step = trace->events / 2 / REMOTE_SAMPLES;
    grove_event_run next;
    while (count < REMOTE_SAMPLES &&
           cli_runs_next(&runs, UINT64_MAX, &next, &error) == GROVE_OK) {
        seen += next.operation.count;
        if (seen >= trace->events / 2 + count * step) {
            parents[count] = next.first;
            parents[count++].sequence += next.operation.count - 1;
        }
    }
    bench_samples *samples = bench_allocate(sizeof *samples);
    samples->count = 0;
    uint64_t read = grove_document_bytes_read(document);
    for (size_t index = 0; index < count; index++) {
        /* Each of another replica, so that none knows of the one before. */
        char name[24];
        (void)snprintf(name, sizeof name, "remote %zu", index);
        grove_event_run remote = {
            .first = {replica_of(name), 0},
            .parents = &parents[index],
            .parent_count = 1,
            .operation = {GROVE_TEXT_INSERT, 1, 0, grove_bytes_of("x")}};
        double from = bench_now_us();
        bench_must(grove_document_add(document, &remote, &error), &error, "adding");
        bench_add(samples, bench_now_us() - from);
    }
    bench_row(run, "merge", "one remote event into an open A2", trace->events, samples);
    bench_value(run, "merge", "bytes read for these", trace->events,
                (double)(grove_document_bytes_read(document) - read), "bytes");
    bench_bar(run, "merge-remote-event", bench_median(samples), 100, "us", false);
    free(samples);
    free(parents);
    cli_runs_release(&runs);
    grove_document_close(document);
}

static void measure_trace(bench *run, const char *name, bool is_remote)
{
    cli_trace trace;
    if (!bench_concurrent_trace(run, name, &trace)) {
        return;
    }
    grove_store *store = bench_store(run, name, GROVE_DURABILITY_NONE, NULL);
    make_trace(store, &trace);
    (void)measure_replay(run, store, name, trace.events);
    if (is_remote) {
        measure_remote(run, store, &trace);
    }
    grove_store_close(store);
    cli_trace_release(&trace);
}

/* --- branches --- */

static bool keep(void *context, grove_bytes bytes)
{
    grove_buffer *kept = context;
    grove_buffer_append(kept, bytes.data, bytes.size);
    return !kept->failed;
}

static void *take(void *context, size_t bytes)
{
    (void)context;
    return malloc(bytes);
}

static void *change(void *context, void *memory, size_t bytes_old, size_t bytes_new)
{
    (void)context;
    (void)bytes_old;
    return realloc(memory, bytes_new);
}

static void give_back(void *context, void *memory, size_t bytes)
{
    (void)context;
    (void)bytes;
    free(memory);
}

/* What somebody made who took a copy of the document along: an export. */
static void make_branch(bench *run, const char *name, const cli_trace *base,
                        uint64_t length, grove_buffer *bytes_out)
{
    char command[3 * BENCH_PATH_BYTES];
    (void)snprintf(command, sizeof command, "cp -r '%s/offline' '%s/%s'", run->work,
                   run->work, name);
    bench_need(system(command) == 0, "copying a store");
    grove_store *store = bench_store(run, name, GROVE_DURABILITY_NONE, NULL);
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.replica = replica_of(name);
    grove_document *document;
    grove_error error;
    bench_must(grove_document_open(store, grove_bytes_of("document"), &options, &document,
                                   &error),
               &error, "opening a copy");
    grove_version_vector known;
    bench_must(grove_document_version_vector(document, &known, &error), &error,
               "asking what is known");
    grove_event_id entry = known.entries[0];
    for (uint64_t event = 0; event < BRANCH_EVENTS; event += RUN_EVENTS) {
        uint64_t position = (event * 7919 + (uint64_t)name[0] * 104729) % length;
        bench_must(grove_text_insert(
                       document, position,
                       (grove_bytes){(const uint8_t *)base->text + event, RUN_EVENTS},
                       &error),
                   &error, "inserting");
    }
    bench_document_save(document);
    grove_version_vector before = {&entry, 1};
    bench_must(grove_document_export(document, &before, keep, bytes_out, &error), &error,
               "exporting");
    grove_document_close(document);
    grove_store_close(store);
}

/* Two branches of events into a document of a million, or of fewer. */
static void measure_offline(bench *run)
{
    static const grove_allocator HEAP = {NULL, take, change, give_back};
    uint64_t events = run->options.size == BENCH_TINY ? 30000 : 1000000;
    cli_trace trace;
    bench_session(events, events / 20, &trace);
    grove_store *store = bench_store(run, "offline", GROVE_DURABILITY_NONE, NULL);
    grove_document *document = bench_document(store, "document", true);
    bench_edit(run, document, &trace, 0, trace.patch_count);
    bench_document_save(document);
    grove_document_close(document);
    grove_store_close(store);
    grove_buffer branches[2];
    for (size_t index = 0; index < 2; index++) {
        grove_buffer_init(&branches[index], &HEAP);
        make_branch(run, index == 0 ? "left" : "right", &trace, trace.length,
                    &branches[index]);
    }
    store = bench_store(run, "offline", GROVE_DURABILITY_NONE, NULL);
    bench_samples *samples = bench_allocate(sizeof *samples);
    samples->count = 0;
    uint64_t read = 0;
    double begun = bench_now_us();
    while (bench_goes_on(run, samples, begun, 5)) {
        document = bench_document_load(store, "document");
        uint64_t before = grove_document_bytes_read(document);
        double from = bench_now_us();
        for (size_t index = 0; index < 2; index++) {
            grove_error error;
            bench_must(grove_document_import(
                           document, grove_buffer_view(&branches[index]), NULL, &error),
                       &error, "importing");
        }
        bench_add(samples, bench_now_us() - from);
        read = grove_document_bytes_read(document) - before;
        grove_document_close(document);
    }
    bench_row(run, "merge", "two branches of 10,000 into one document", events, samples);
    bench_value(run, "merge", "bytes read for that", events, (double)read, "bytes");
    bench_bar(run, "merge-offline-branches", bench_median(samples) / 1e3, 50, "ms",
              false);
    free(samples);
    grove_buffer_release(&branches[0]);
    grove_buffer_release(&branches[1]);
    grove_store_close(store);
    cli_trace_release(&trace);
}

/* --- shapes --- */

/* Adds a run that inserts at a position. */
static void add_run(grove_document *document, const char *replica, uint64_t sequence,
                    uint32_t count, uint64_t position, const grove_event_id *parents,
                    size_t parent_count)
{
    static const char TEXT[] = "abcdefghijklmnopqrst";
    grove_error error;
    grove_event_run made = {
        .first = {replica_of(replica), sequence},
        .parents = parents,
        .parent_count = parent_count,
        .operation = {
            GROVE_TEXT_INSERT, count, position, {(const uint8_t *)TEXT, count}}};
    bench_must(grove_document_add(document, &made, &error), &error, "adding");
}

/* Both branches arrive in pieces, one after the other. */
static void make_branches(grove_document *document, uint64_t events)
{
    grove_event_id last[2] = {{replica_of("a"), 0}, {replica_of("a"), 0}};
    uint64_t next[2] = {1, 0};
    add_run(document, "a", 0, 1, 0, NULL, 0);
    for (uint64_t event = 0; event < 2 * events; event += RUN_EVENTS) {
        size_t branch = event / PIECE_EVENTS % 2;
        const char *name = branch == 0 ? "a" : "b";
        add_run(document, name, next[branch], RUN_EVENTS,
                event * 7919 % (next[branch] + 1), &last[branch], 1);
        next[branch] += RUN_EVENTS;
        last[branch] = (grove_event_id){replica_of(name), next[branch] - 1};
    }
}

/* All at one place, which is the worst: each is compared with many. */
static void make_heads(grove_document *document, uint64_t heads)
{
    grove_event_id root = {replica_of("root"), 0};
    char name[24];
    add_run(document, "root", 0, 1, 0, NULL, 0);
    for (uint64_t head = 0; head < heads; head++) {
        (void)snprintf(name, sizeof name, "head %llu", (unsigned long long)head);
        add_run(document, name, 0, RUN_EVENTS, 0, &root, 1);
    }
}

/* Each merges what both made before. */
static void make_ladder(grove_document *document, uint64_t merges)
{
    grove_event_id last[2] = {{replica_of("a"), 0}, {replica_of("b"), 0}};
    add_run(document, "a", 0, 1, 0, NULL, 0);
    add_run(document, "b", 0, 1, 0, NULL, 0);
    for (uint64_t rung = 1; rung <= merges; rung++) {
        grove_event_id before[2] = {last[0], last[1]};
        add_run(document, "a", rung, 1, 0, before, 2);
        add_run(document, "b", rung, 1, 0, before, 2);
        last[0].sequence = rung;
        last[1].sequence = rung;
    }
}

static void measure_shape(bench *run, const char *name,
                          void (*make)(grove_document *document, uint64_t size),
                          uint64_t size)
{
    grove_store *store = bench_store(run, name, GROVE_DURABILITY_NONE, NULL);
    grove_document *document = bench_document(store, "document", false);
    double from = bench_now_us();
    make(document, size);
    double ms = (bench_now_us() - from) / 1e3;
    bench_document_save(document);
    grove_document_close(document);
    char row[96];
    (void)snprintf(row, sizeof row, "added run by run, %s", name);
    bench_value(run, "merge", row, size, ms, "ms");
    (void)measure_replay(run, store, name, size);
    grove_store_close(store);
}

void bench_merge(bench *run)
{
    bench_title("Concurrent histories");
    bool is_tiny = run->options.size == BENCH_TINY;
    if (!is_tiny) {
        measure_trace(run, "friendsforever", false);
        measure_trace(run, "A2", true);
    }
    measure_offline(run);
    /* Each at two sizes: the larger takes eight times as long, or more. */
    for (uint64_t scale = 1; scale <= 8; scale *= 8) {
        uint64_t part = is_tiny ? 1000 : 8;
        bool is_large = scale == 8;
        measure_shape(run, is_large ? "two branches" : "two branches, an eighth",
                      make_branches, scale * 100000 / part / RUN_EVENTS * RUN_EVENTS);
        measure_shape(run, is_large ? "heads" : "heads, an eighth", make_heads,
                      scale * 1000 / part);
        measure_shape(run, is_large ? "ladder" : "ladder, an eighth", make_ladder,
                      scale * 10000 / part);
    }
}
