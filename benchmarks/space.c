/*
 * What the file takes beside what is stored in it, as documents are edited,
 * saved and compacted ten thousand times.
 *
 * Pages that a commit gives back are used again by later ones, but a value of
 * several pages needs them side by side: what is between may stay unused. How
 * much so depends on the size of the parts that values are cut into.
 */
#include <stdlib.h>

#include "bench.h"
#include "commit/store.h"

enum {
    DOCUMENTS_MAX = 128,
    SOURCES_MAX = 4,
    SAVES_MAX = 8,
    EVENTS_MAX = 4096, /* between two compactions of a document */
    WINDOW_SAVES = 12,
    READER_COMPACTIONS = 100,
    PART_HEAD_BYTES = 16,
    LARGE_EVENTS = 400000,
    LARGE_LENGTH = 300000
};

/* A document that goes through a trace, and begins anew at its end. */
typedef struct space_document {
    char id[32];
    const cli_trace *trace;
    size_t patch; /* the next one */
    grove_document *document;
} space_document;

typedef struct space_work {
    bench *run;
    grove_store *store;
    uint64_t random;
    size_t count;
    space_document documents[DOCUMENTS_MAX];
} space_work;

typedef struct space_sources {
    size_t count;
    cli_trace traces[SOURCES_MAX];
} space_sources;

/* splitmix64 */
static uint64_t draw(space_work *work, uint64_t bound)
{
    uint64_t value = work->random += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (value ^ (value >> 31)) % bound;
}

/* Edits until there are so many events more, or the trace ends, and saves. */
static void advance(space_work *work, space_document *one, uint64_t events)
{
    uint64_t done = 0;
    size_t end = one->patch;
    while (end < one->trace->patch_count && done < events) {
        done += one->trace->patches[end].deleted + one->trace->patches[end].inserted;
        end++;
    }
    bench_edit(work->run, one->document, one->trace, one->patch, end);
    one->patch = end;
    bench_document_save(one->document);
}

static void begin_document(space_work *work, space_document *one)
{
    grove_error error;
    one->patch = 0;
    bench_must(grove_document_open(work->store, grove_bytes_of(one->id), NULL,
                                   &one->document, &error),
               &error, "opening a document");
}

static void begin_anew(space_work *work, space_document *one)
{
    grove_error error;
    grove_document_close(one->document);
    bench_must(grove_document_delete(work->store, grove_bytes_of(one->id), NULL, &error),
               &error, "deleting a document");
    begin_document(work, one);
}

static void compact(space_document *one)
{
    grove_error error;
    bench_must(grove_document_compact(one->document, NULL, NULL, &error), &error,
               "compacting");
}

/* One document takes a few saves of a session, and is compacted. */
static void compact_one(space_work *work)
{
    space_document *one = &work->documents[draw(work, work->count)];
    if (one->patch == one->trace->patch_count) {
        begin_anew(work, one);
    }
    uint64_t saves = 1 + draw(work, SAVES_MAX);
    /* Short sessions are as frequent as long ones of twice their length. */
    uint64_t events = (UINT64_C(1) << draw(work, 12)) + draw(work, EVENTS_MAX / 8);
    for (uint64_t save = 0; save < saves; save++) {
        advance(work, one, 1 + events / saves);
    }
    compact(one);
}

/* Each document begins somewhere in its trace. */
static void begin_work(space_work *work, const space_sources *sources)
{
    for (size_t index = 0; index < work->count; index++) {
        space_document *one = &work->documents[index];
        one->trace = &sources->traces[index % sources->count];
        (void)snprintf(one->id, sizeof one->id, "document-%zu", index);
        begin_document(work, one);
        advance(work, one, 1 + draw(work, one->trace->events));
        /* What a compaction keeps is in batches as they come from sessions. */
        for (unsigned save = 0; save < WINDOW_SAVES; save++) {
            advance(work, one, EVENTS_MAX / 4);
        }
        compact(one);
    }
}

static uint64_t stored_bytes(const space_work *work)
{
    uint64_t bytes = 0;
    for (size_t index = 0; index < work->count; index++) {
        grove_document_statistics statistics =
            bench_statistics(work->store, work->documents[index].id);
        bytes += statistics.batch_bytes + statistics.snapshot_bytes;
    }
    return bytes;
}

static double ratio(const space_work *work, uint64_t *stored_out)
{
    grove_store_statistics statistics;
    grove_error error;
    bench_must(grove_store_statistics_get(work->store, &statistics, &error), &error,
               "reading statistics");
    *stored_out = stored_bytes(work);
    return (double)statistics.backend.size_bytes / (double)*stored_out;
}

/* The curve for one size of parts; the ratio that it ends in. */
static double measure_curve(bench *run, const space_sources *sources, unsigned part_pages,
                            bool has_reader, uint64_t compactions)
{
    char name[96];
    space_work *work = bench_allocate(sizeof *work);
    uint64_t next_point = compactions < 100 ? compactions : 100;
    double last = 0;
    grove_error error;
    grove__txn reader;
    (void)snprintf(name, sizeof name, "space-%u-%d", part_pages, has_reader);
    *work = (space_work){.run = run, .random = 1};
    work->store = bench_store(run, name, GROVE_DURABILITY_NONE, NULL);
    grove__kv *kv = &work->store->kv;
    /* Readers take parts of any size, so this is all it takes. */
    kv->part_bytes = (size_t)part_pages * kv->backend->page_bytes - PART_HEAD_BYTES;
    work->count = run->options.size == BENCH_TINY ? SOURCES_MAX : DOCUMENTS_MAX;
    begin_work(work, sources);
    for (uint64_t done = 0; done < compactions; done++) {
        if (has_reader && done % READER_COMPACTIONS == 0) {
            if (done > 0) {
                grove__txn_abort(&reader);
            }
            bench_must(grove__txn_begin(kv, GROVE_TXN_READ, &reader, &error), &error,
                       "beginning to read");
        }
        compact_one(work);
        if (done + 1 == next_point) {
            uint64_t stored;
            last = ratio(work, &stored);
            (void)snprintf(name, sizeof name, "parts of %u pages%s: file to data",
                           part_pages, has_reader ? ", a slow reader" : "");
            bench_value(run, "space", name, done + 1, last, "times");
            if (done + 1 == compactions) {
                bench_value(run, "space", "data at the end", done + 1, (double)stored,
                            "bytes");
            }
            next_point = 10 * next_point < compactions ? 10 * next_point : compactions;
        }
    }
    if (has_reader) {
        grove__txn_abort(&reader);
    }
    for (size_t index = 0; index < work->count; index++) {
        grove_document_close(work->documents[index].document);
    }
    grove_store_close(work->store);
    free(work);
    return last;
}

static void find_sources(bench *run, space_sources *sources)
{
    static const char *const NAMES[] = {"automerge-paper", "rustcode", "sveltecomponent"};
    bool is_tiny = run->options.size == BENCH_TINY;
    sources->count = 0;
    for (size_t index = 0; !is_tiny && index < sizeof NAMES / sizeof *NAMES; index++) {
        if (bench_trace(run, NAMES[index], &sources->traces[sources->count])) {
            sources->count++;
        }
    }
    /* One that takes many parts of any size. */
    bench_session(is_tiny ? 1000 : LARGE_EVENTS, is_tiny ? 400 : LARGE_LENGTH,
                  &sources->traces[sources->count]);
    sources->count++;
}

void bench_space(bench *run)
{
    static const uint64_t COMPACTIONS[] = {20, 1000, 10000, 10000};
    static const unsigned OTHERS[] = {1, 2, 4, 8, 16};
    uint64_t compactions = COMPACTIONS[run->options.size];
    space_sources sources;
    bench_title("Space");
    find_sources(run, &sources);
    double alone = measure_curve(run, &sources, GROVE_PART_PAGES, false, compactions);
    bench_bar(run, "space-ratio", alone, 1.5, "times", false);
    (void)measure_curve(run, &sources, GROVE_PART_PAGES, true, compactions);
    for (size_t index = 0; index < sizeof OTHERS / sizeof *OTHERS; index++) {
        if (run->options.size == BENCH_FULL && OTHERS[index] != GROVE_PART_PAGES) {
            (void)measure_curve(run, &sources, OTHERS[index], false, compactions);
            (void)measure_curve(run, &sources, OTHERS[index], true, compactions);
        }
    }
    for (size_t index = 0; index < sources.count; index++) {
        cli_trace_release(&sources.traces[index]);
    }
}
