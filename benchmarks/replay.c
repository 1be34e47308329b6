/* Histories: loading without a snapshot, and decoding what was sealed. */
#include <stdlib.h>

#include "floor.h"

enum { BATCH_EVENTS = 1000, SEALED_LEVEL = 19, LEVEL = 3 };

typedef struct loop {
    bench_samples measured;
    bench_samples floors;
} loop;

static void measure_load(bench *run, grove_store *store, const cli_trace *trace,
                         const char *name, loop *made)
{
    grove_document *document = bench_document_load(store, "document");
    bench_expect(document, trace->end_text, trace->end_bytes);
    grove_document_close(document);
    floor_env *env = floor_open(run, "floor-replay");
    floor_draft draft;
    floor_draft_init(&draft, trace->end_bytes);
    floor_draft_patches(&draft, &(floor_patches){trace, 0, trace->patch_count, false}, 0,
                        LEVEL);
    floor_value value = floor_put(
        env, &draft, 0, (size_t)bench_statistics(store, "document").batch_bytes);
    made->measured.count = 0;
    made->floors.count = 0;
    double loop_begun = bench_now_us();
    while (bench_goes_on(run, &made->measured, loop_begun, 7)) {
        double begun = bench_now_us();
        document = bench_document_load(store, "document");
        bench_add(&made->measured, bench_now_us() - begun);
        grove_document_close(document);
        bench_add(&made->floors, floor_run(env, &value));
    }
    char row[96];
    (void)snprintf(row, sizeof row, "load without snapshot, %s", name);
    bench_row(run, "replay", row, trace->events, &made->measured);
    (void)snprintf(row, sizeof row, "load without snapshot, %s: floor", name);
    bench_row(run, "replay", row, trace->events, &made->floors);
    floor_close(env);
}

/* Events handed out, and enough of each to know that it was there. */
typedef struct tally {
    uint64_t events;
    uint64_t runs;
    uint64_t bytes;
} tally;

static bool count_run(void *context, uint64_t clock, const grove_event_run *run)
{
    tally *counted = context;
    (void)clock;
    counted->events += run->operation.count;
    counted->runs++;
    counted->bytes += run->operation.content.size;
    return true;
}

/* All events of a sealed document, handed out run by run, beside bare zstd and
 * varints; decode.c measures the serializer alone. */
static void measure_decode(bench *run, grove_store *store, const cli_trace *trace,
                           const char *name, loop *made)
{
    grove_error error;
    grove_document *document = bench_document_load(store, "document");
    bench_must(grove_document_seal(document, NULL, NULL, &error), &error, "sealing");
    floor_env *env = floor_open(run, "floor-replay");
    floor_draft draft;
    floor_draft_init(&draft, 0);
    floor_draft_patches(&draft, &(floor_patches){trace, 0, trace->patch_count, true}, 0,
                        SEALED_LEVEL);
    floor_value value = floor_put(env, &draft, 1, 0);
    made->measured.count = 0;
    made->floors.count = 0;
    tally counted = {0};
    double loop_begun = bench_now_us();
    while (bench_goes_on(run, &made->measured, loop_begun, 7)) {
        counted = (tally){0};
        double begun = bench_now_us();
        bench_must(grove_document_events(document, 0, count_run, &counted, &error),
                   &error, "reading events");
        bench_add(&made->measured, bench_now_us() - begun);
        bench_add(&made->floors, floor_run(env, &value));
    }
    bench_need(counted.events == trace->events, "counting the events read");
    char row[96];
    (void)snprintf(row, sizeof row, "all events of a sealed history, %s", name);
    bench_row(run, "replay", row, trace->events, &made->measured);
    (void)snprintf(row, sizeof row, "zstd and varints of the same, %s", name);
    bench_row(run, "replay", row, trace->events, &made->floors);
    (void)snprintf(row, sizeof row, "runs that were handed out, %s", name);
    bench_value(run, "replay", row, trace->events, (double)counted.runs, "runs");
    floor_close(env);
    grove_document_close(document);
}

/* 100,000 events in saves of a thousand. */
static void measure_sequential(bench *run, loop *made)
{
    uint64_t events = run->options.size == BENCH_TINY ? 2000 : 100000;
    cli_trace trace;
    bench_session(events, events * 2 / 5, &trace);
    grove_store *store = bench_store(run, "sequential", GROVE_DURABILITY_NONE, NULL);
    grove_document *document = bench_document(store, "document", false);
    size_t from = 0;
    for (uint64_t goal = BATCH_EVENTS; from < trace.patch_count; goal += BATCH_EVENTS) {
        uint64_t before;
        size_t to = bench_patch_at(&trace, goal, &before);
        bench_edit(run, document, &trace, from, to);
        bench_document_save(document);
        from = to;
    }
    grove_document_close(document);
    measure_load(run, store, &trace, "session in batches of 1,000", made);
    bench_bar(run, "replay-100000", bench_median(&made->measured) / 1e3, 10, "ms", false);
    grove_store_close(store);
    cli_trace_release(&trace);
}

static void measure_trace(bench *run, const char *name, double limit_ms, loop *made)
{
    cli_trace trace;
    if (!bench_trace(run, name, &trace)) {
        return;
    }
    char row[96];
    (void)snprintf(row, sizeof row, "replay-%s", name);
    grove_store *store = bench_store(run, row, GROVE_DURABILITY_NONE, NULL);
    grove_document *document = bench_document(store, "document", false);
    bench_edit(run, document, &trace, 0, trace.patch_count);
    bench_document_save(document);
    grove_document_close(document);
    measure_load(run, store, &trace, name, made);
    if (limit_ms > 0) {
        bench_bar(run, row, bench_median(&made->measured) / 1e3, limit_ms, "ms", false);
    }
    measure_decode(run, store, &trace, name, made);
    grove_store_close(store);
    cli_trace_release(&trace);
}

void bench_replay(bench *run)
{
    bench_title("Histories without snapshots");
    loop *made = bench_allocate(sizeof *made);
    measure_sequential(run, made);
    if (run->options.size != BENCH_TINY) {
        measure_trace(run, "automerge-paper", 5, made);
        measure_trace(run, "rustcode", 8, made);
        measure_trace(run, "sveltecomponent", 0, made);
    }
    free(made);
}
