/* Documents made from sessions and traces, through the public interface. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "runs.h"
#include "session.h"

void bench_path(const bench *run, const char *name, char path_out[BENCH_PATH_BYTES])
{
    int bytes = snprintf(path_out, BENCH_PATH_BYTES, "%s/%s", run->work, name);
    bench_need(bytes > 0 && bytes < BENCH_PATH_BYTES, "making a path");
}

static int64_t tell(void *context)
{
    const bench *run = context;
    return run->now;
}

grove_store *bench_store(bench *run, const char *name, grove_durability durability,
                         const grove_allocator *allocator)
{
    char path[BENCH_PATH_BYTES];
    bench_path(run, name, path);
    grove_clock clock = {run, tell};
    grove_store_options options = GROVE_STORE_OPTIONS_INIT;
    options.clock = &clock;
    options.durability = durability;
    options.allocator = allocator;
    grove_store *store;
    grove_error error;
    bench_must(grove_store_open(path, &options, &store, &error), &error,
               "opening a store");
    return store;
}

grove_document *bench_document(grove_store *store, const char *id, bool makes_snapshot)
{
    return bench_document_of(store, grove_type_text(), id, makes_snapshot);
}

grove_document *bench_document_of(grove_store *store, const grove_document_type *type,
                                  const char *id, bool makes_snapshot)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = type;
    options.policy.automatic = makes_snapshot;
    options.policy.events_min = 0;
    options.policy.cost_percent = 0;
    grove_document *document;
    grove_error error;
    bench_must(
        grove_document_open(store, grove_bytes_of(id), &options, &document, &error),
        &error, "opening a document");
    return document;
}

grove_document *bench_document_load(grove_store *store, const char *id)
{
    grove_document *document;
    grove_error error;
    bench_must(grove_document_load(store, grove_bytes_of(id), NULL, &document, &error),
               &error, "loading a document");
    return document;
}

void bench_session(uint64_t events, uint64_t length, cli_trace *trace_out)
{
    cli_session_options options = {events, 1, length};
    grove_error error;
    bench_must(cli_session_make(&options, trace_out, &error), &error, "making a session");
}

bool bench_trace(bench *run, const char *name, cli_trace *trace_out)
{
    if (run->options.traces == NULL) {
        bench_skip(run, name, "GROVE_TRACES names no directory of editing traces");
        return false;
    }
    char path[BENCH_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s.json.gz", run->options.traces, name);
    if (access(path, R_OK) != 0) {
        bench_skip(run, name, "there is no such file in GROVE_TRACES");
        return false;
    }
    grove_error error;
    bench_must(cli_trace_read(path, trace_out, &error), &error, path);
    return true;
}

bool bench_concurrent_trace(bench *run, const char *name, cli_trace *trace_out)
{
    if (!bench_trace(run, name, trace_out)) {
        return false;
    }
    char path[BENCH_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s.agents.json", run->options.traces, name);
    grove_error error;
    if (access(path, R_OK) == 0) {
        bench_must(cli_trace_name_agents(trace_out, path, &error), &error, path);
    }
    return true;
}

void bench_add_runs(grove_document *document, cli_trace *trace)
{
    cli_runs runs;
    grove_error error;
    bench_must(cli_runs_init(&runs, trace, &error), &error, "reading runs");
    grove_event_run next;
    grove_status status;
    while ((status = cli_runs_next(&runs, UINT64_MAX, &next, &error)) == GROVE_OK) {
        bench_must(grove_document_add(document, &next, &error), &error, "adding");
    }
    bench_need(status == GROVE_NONE, "reading runs");
    cli_runs_release(&runs);
}

void bench_edit(bench *run, grove_document *document, const cli_trace *trace, size_t from,
                size_t to)
{
    grove_error error;
    for (size_t index = from; index < to; index++) {
        const cli_patch *patch = &trace->patches[index];
        run->now = patch->timestamp;
        if (patch->deleted > 0) {
            bench_must(
                grove_text_delete(document, patch->position, patch->deleted, &error),
                &error, "deleting");
        }
        if (patch->inserted > 0) {
            grove_bytes text = {(const uint8_t *)trace->text + patch->text_offset,
                                patch->text_bytes};
            bench_must(grove_text_insert(document, patch->position, text, &error), &error,
                       "inserting");
        }
    }
}

void bench_document_save(grove_document *document)
{
    grove_error error;
    bench_must(grove_document_save(document, NULL, NULL, &error), &error, "saving");
}

grove_document_statistics bench_statistics(grove_store *store, const char *id)
{
    grove_document_statistics statistics;
    grove_error error;
    bench_must(
        grove_document_statistics_get(store, grove_bytes_of(id), &statistics, &error),
        &error, "reading statistics");
    return statistics;
}

void bench_expect(grove_document *document, const char *text, size_t text_bytes)
{
    char *buffer = bench_allocate(text_bytes + 8);
    size_t bytes;
    uint64_t points;
    grove_error error;
    bench_must(grove_text_read(document, 0, UINT64_MAX, buffer, text_bytes + 8, &bytes,
                               &points, &error),
               &error, "reading a text");
    bench_need(bytes == text_bytes && memcmp(buffer, text, bytes) == 0,
               "comparing a loaded text with the one that was written");
    free(buffer);
}

size_t bench_patch_at(const cli_trace *trace, uint64_t events, uint64_t *events_out)
{
    uint64_t before = 0;
    size_t index = 0;
    while (index < trace->patch_count && before < events) {
        before += trace->patches[index].deleted + trace->patches[index].inserted;
        index++;
    }
    *events_out = before;
    return index;
}
