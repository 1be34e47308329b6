/* Bytes at rest: of whole traces, and of histories saved in small pieces. */
#include <stdlib.h>

#include "floor.h"

enum { SMALL_EVENTS = 20000, TINY_EVENTS = 1000, LEVEL = 3, ROLLED_BATCHES_MAX = 64 };

typedef struct trace_bars {
    const char *name;
    double saved_bytes;
    double sealed_bytes;
} trace_bars;

static const trace_bars TRACES[] = {
    {"automerge-paper", 80000, 66000},
    {"rustcode", 105000, 85000},
    {"sveltecomponent", 38000, 32000},
};

static void measure_trace(bench *run, const trace_bars *bars)
{
    cli_trace trace;
    if (!bench_trace(run, bars->name, &trace)) {
        return;
    }
    char name[96];
    (void)snprintf(name, sizeof name, "size-%s", bars->name);
    grove_store *store = bench_store(run, name, GROVE_DURABILITY_NONE, NULL);
    grove_document *document = bench_document(store, "document", false);
    bench_edit(run, document, &trace, 0, trace.patch_count);
    bench_document_save(document);
    double saved = (double)bench_statistics(store, "document").batch_bytes;
    grove_error error;
    bench_must(grove_document_seal(document, NULL, NULL, &error), &error, "sealing");
    double sealed = (double)bench_statistics(store, "document").batch_bytes;
    grove_document_close(document);
    grove_store_close(store);
    double events = (double)trace.events;
    (void)snprintf(name, sizeof name, "saved at once, %s", bars->name);
    bench_value(run, "sizes", name, trace.events, saved / events, "bytes an event");
    (void)snprintf(name, sizeof name, "sealed, %s", bars->name);
    bench_value(run, "sizes", name, trace.events, sealed / events, "bytes an event");
    (void)snprintf(name, sizeof name, "bytes-saved-%s", bars->name);
    bench_bar(run, name, saved, bars->saved_bytes, "bytes", false);
    (void)snprintf(name, sizeof name, "bytes-sealed-%s", bars->name);
    bench_bar(run, name, sealed, bars->sealed_bytes, "bytes", false);
    cli_trace_release(&trace);
}

/* One insertion or deletion of a single character. */
static void edit_one(bench *run, grove_document *document, const cli_patch *patch,
                     uint64_t deleted, grove_bytes inserted, uint64_t place)
{
    grove_error error;
    run->now = patch->timestamp;
    if (deleted > 0) {
        bench_must(grove_text_delete(document, place, deleted, &error), &error,
                   "deleting");
    }
    if (inserted.size > 0) {
        bench_must(grove_text_insert(document, place, inserted, &error), &error,
                   "inserting");
    }
}

static size_t point_bytes(const uint8_t *text, size_t bytes)
{
    size_t count = 1;
    while (count < bytes && (text[count] & 0xc0) == 0x80) {
        count++;
    }
    return count;
}

/* Saves a session event by event, so many in a save; the statistics. */
static grove_document_statistics save_pieces(bench *run, grove_store *store,
                                             const char *id, const cli_trace *trace,
                                             uint64_t piece)
{
    grove_document *document = bench_document(store, id, false);
    uint64_t events = 0;
    for (size_t index = 0; index < trace->patch_count; index++) {
        const cli_patch *patch = &trace->patches[index];
        const uint8_t *text = (const uint8_t *)trace->text + patch->text_offset;
        size_t left = patch->text_bytes;
        for (uint64_t done = 0; done < patch->deleted + patch->inserted; done++) {
            if (done < patch->deleted) {
                edit_one(run, document, patch, 1, (grove_bytes){NULL, 0},
                         patch->position);
            } else {
                size_t bytes = point_bytes(text, left);
                edit_one(run, document, patch, 0, (grove_bytes){text, bytes},
                         patch->position + done - patch->deleted);
                text += bytes;
                left -= bytes;
            }
            events++;
            if (events % piece == 0) {
                bench_document_save(document);
            }
        }
    }
    bench_document_save(document);
    grove_document_close(document);
    return bench_statistics(store, id);
}

/* One event at a time for a long time: few batches, and not many more bytes. */
static void measure_rollup(bench *run)
{
    static const uint64_t EVENTS[] = {200, 10000, 100000, 100000};
    uint64_t events = EVENTS[run->options.size];
    grove_store *store = bench_store(run, "rollup", GROVE_DURABILITY_NONE, NULL);
    cli_trace trace;
    bench_session(events, events * 2 / 5, &trace);
    grove_document_statistics singly = save_pieces(run, store, "singly", &trace, 1);
    grove_document_statistics at_once =
        save_pieces(run, store, "at once", &trace, events);
    cli_trace_release(&trace);
    grove_store_close(store);
    bench_value(run, "sizes", "saved one event at a time", events,
                (double)singly.batch_bytes, "bytes");
    bench_value(run, "sizes", "the same saved at once", events,
                (double)at_once.batch_bytes, "bytes");
    bench_bar(run, "rollup-batches", (double)singly.batches, ROLLED_BATCHES_MAX,
              "batches", false);
    bench_bar(run, "rollup-bytes",
              (double)singly.batch_bytes / (double)at_once.batch_bytes, 1.3, "times",
              false);
}

/* Batches as the bare floor keeps them: as they are, or each its own frame. */
static void measure_bare_pieces(bench *run, const cli_trace *trace, uint64_t piece,
                                bool is_packed)
{
    floor_env *env = floor_open(run, is_packed ? "pieces-zstd" : "pieces-raw");
    floor_value *values = bench_allocate(trace->patch_count * sizeof *values);
    size_t count = 0;
    size_t bytes = 0;
    size_t from = 0;
    for (uint64_t goal = piece; from < trace->patch_count; goal += piece) {
        uint64_t before;
        size_t to = bench_patch_at(trace, goal, &before);
        if (to > from) {
            floor_draft draft;
            floor_draft_init(&draft, 0);
            floor_draft_patches(&draft, &(floor_patches){trace, from, to, true},
                                is_packed ? 0 : SIZE_MAX, LEVEL);
            values[count] = floor_put(env, &draft, (uint32_t)count, 0);
            bytes += values[count].stored_bytes;
            count++;
            from = to;
        }
    }
    bench_samples *samples = bench_allocate(sizeof *samples);
    samples->count = 0;
    double begun = bench_now_us();
    while (bench_goes_on(run, samples, begun, 3)) {
        double us = 0;
        for (size_t index = 0; index < count; index++) {
            us += floor_run(env, &values[index]);
        }
        bench_add(samples, us);
    }
    char name[96];
    (void)snprintf(name, sizeof name, "bare batches of %llu, %s: bytes",
                   (unsigned long long)piece, is_packed ? "zstd" : "raw");
    bench_value(run, "sizes", name, trace->events, (double)bytes, "bytes");
    (void)snprintf(name, sizeof name, "bare batches of %llu, %s: decode",
                   (unsigned long long)piece, is_packed ? "zstd" : "raw");
    bench_row(run, "sizes", name, trace->events, samples);
    free(samples);
    free(values);
    floor_close(env);
}

/* A session saved in pieces of so many events, as it is stored and loaded. */
static void measure_pieces(bench *run, const cli_trace *trace, uint64_t piece)
{
    char name[96];
    (void)snprintf(name, sizeof name, "pieces-%llu", (unsigned long long)piece);
    grove_store *store = bench_store(run, name, GROVE_DURABILITY_NONE, NULL);
    grove_document_statistics statistics =
        save_pieces(run, store, "document", trace, piece);
    grove_document *document;
    bench_samples *loads = bench_allocate(sizeof *loads);
    loads->count = 0;
    double loop_begun = bench_now_us();
    while (bench_goes_on(run, loads, loop_begun, 5)) {
        double begun = bench_now_us();
        document = bench_document_load(store, "document");
        bench_add(loads, bench_now_us() - begun);
        grove_document_close(document);
    }
    (void)snprintf(name, sizeof name, "saves of %llu: bytes", (unsigned long long)piece);
    bench_value(run, "sizes", name, trace->events, (double)statistics.batch_bytes,
                "bytes");
    (void)snprintf(name, sizeof name, "saves of %llu: batches left",
                   (unsigned long long)piece);
    bench_value(run, "sizes", name, trace->events, (double)statistics.batches, "batches");
    (void)snprintf(name, sizeof name, "saves of %llu: load", (unsigned long long)piece);
    bench_row(run, "sizes", name, trace->events, loads);
    free(loads);
    grove_store_close(store);
}

void bench_sizes(bench *run)
{
    static const uint64_t PIECES[] = {1, 8, 64, 512, 4096};
    enum { PIECE_COUNT = sizeof PIECES / sizeof *PIECES };
    bool is_tiny = run->options.size == BENCH_TINY;
    bench_title("Bytes of event blocks");
    for (size_t index = 0; !is_tiny && index < sizeof TRACES / sizeof *TRACES; index++) {
        measure_trace(run, &TRACES[index]);
    }
    measure_rollup(run);
    bench_title("Small batches");
    cli_trace trace;
    uint64_t events = is_tiny ? TINY_EVENTS : SMALL_EVENTS;
    bench_session(events, events * 2 / 5, &trace);
    for (size_t index = 0; index < PIECE_COUNT; index++) {
        measure_pieces(run, &trace, PIECES[index]);
        measure_bare_pieces(run, &trace, PIECES[index], false);
        measure_bare_pieces(run, &trace, PIECES[index], true);
    }
    cli_trace_release(&trace);
}
