/*
 * Load time against event counts, each beside its floor: two series of
 * documents whose texts are equally long, at every size four histories of the
 * same session.
 */
#include <stdlib.h>
#include <unistd.h>

#include "floor.h"

enum { KIND_COUNT = 4, SIZES_MAX = 5, RAW_BYTES_MAX = 4096, LEVEL = 3, SINGLES = 1000 };

static const char *const KINDS[KIND_COUNT] = {
    "full replay", "snapshot", "snapshot + 1 % tail", "snapshot + 10 % tail"};
static const char *const IDS[KIND_COUNT] = {"replay", "snapshot", "tail1", "tail10"};
/* Per mille of the events that come after the snapshot; all: no snapshot. */
static const uint64_t TAILS[KIND_COUNT] = {1000, 0, 10, 100};

/* Documents of one size, with their floors. */
typedef struct load_case {
    char store[64];
    char floor[64];
    uint64_t events;
    cli_trace trace;
    floor_value values[KIND_COUNT];
} load_case;

/* One document: a snapshot after the first patches, unless it is all tail. */
static void make_document(bench *run, grove_store *store, const cli_trace *trace,
                          size_t kind, size_t *first_out)
{
    uint64_t head = 0;
    size_t first = 0;
    if (TAILS[kind] < 1000) {
        uint64_t wanted = trace->events - trace->events * TAILS[kind] / 1000;
        first = bench_patch_at(trace, wanted, &head);
        grove_document *document = bench_document(store, IDS[kind], true);
        bench_edit(run, document, trace, 0, first);
        bench_document_save(document);
        grove_document_close(document);
    }
    grove_document *document = bench_document(store, IDS[kind], false);
    bench_edit(run, document, trace, first, trace->patch_count);
    bench_document_save(document);
    bench_expect(document, trace->end_text, trace->end_bytes);
    grove_document_close(document);
    *first_out = first;
}

/* The text after the first patches, which the floor has as its snapshot. */
static char *read_snapshot(grove_store *store, const char *id, size_t *bytes_out)
{
    /* The final text stands for it: equally long, and of the same words. */
    grove_document *document = bench_document_load(store, id);
    grove_error error;
    uint64_t points;
    uint64_t bytes;
    bench_must(grove_text_length(document, &points, &bytes, &error), &error, "length");
    char *text = bench_allocate((size_t)bytes);
    bench_must(grove_text_read(document, 0, points, text, (size_t)bytes, bytes_out,
                               &points, &error),
               &error, "reading");
    grove_document_close(document);
    return text;
}

static floor_value make_floor(grove_store *store, floor_env *env, const cli_trace *trace,
                              size_t kind, size_t first)
{
    grove_document_statistics statistics = bench_statistics(store, IDS[kind]);
    floor_draft draft;
    size_t stored_bytes = (size_t)statistics.newest_snapshot_bytes;
    floor_draft_init(&draft, trace->end_bytes);
    if (statistics.snapshots > 0) {
        size_t bytes;
        char *text = read_snapshot(store, IDS[kind], &bytes);
        floor_draft_text(&draft, text, bytes, RAW_BYTES_MAX, LEVEL);
        free(text);
    } else {
        stored_bytes = (size_t)statistics.batch_bytes;
    }
    if (first < trace->patch_count) {
        floor_patches patches = {trace, first, trace->patch_count, false};
        floor_draft_patches(&draft, &patches, 0, LEVEL);
    }
    return floor_put(env, &draft, (uint32_t)kind, stored_bytes);
}

static void make_case(bench *run, load_case *made, uint64_t events, uint64_t length)
{
    (void)snprintf(made->store, sizeof made->store, "load-%llu-%llu",
                   (unsigned long long)length, (unsigned long long)events);
    (void)snprintf(made->floor, sizeof made->floor, "floor-%llu-%llu",
                   (unsigned long long)length, (unsigned long long)events);
    made->events = events;
    bench_session(events, length, &made->trace);
    grove_store *store = bench_store(run, made->store, GROVE_DURABILITY_NONE, NULL);
    floor_env *env = floor_open(run, made->floor);
    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        size_t first;
        make_document(run, store, &made->trace, kind, &first);
        made->values[kind] = make_floor(store, env, &made->trace, kind, first);
    }
    floor_close(env);
    grove_store_close(store);
}

static double load_once(grove_store *store, const char *id, grove_document **document_out)
{
    double begun = bench_now_us();
    *document_out = bench_document_load(store, id);
    return bench_now_us() - begun;
}

static void measure_warm(bench *run, load_case *made, size_t kind, bench_samples *loads,
                         bench_samples *floors)
{
    grove_store *store = bench_store(run, made->store, GROVE_DURABILITY_NONE, NULL);
    floor_env *env = floor_open(run, made->floor);
    floor_room(env, &made->values[kind]);
    /* Once before, for the caches. */
    grove_document *document;
    (void)load_once(store, IDS[kind], &document);
    bench_expect(document, made->trace.end_text, made->trace.end_bytes);
    grove_document_close(document);
    (void)floor_run(env, &made->values[kind]);
    double begun = bench_now_us();
    while (bench_goes_on(run, loads, begun, 5)) {
        bench_add(loads, load_once(store, IDS[kind], &document));
        grove_document_close(document);
        bench_add(floors, floor_run(env, &made->values[kind]));
    }
    floor_close(env);
    grove_store_close(store);
}

typedef struct cold_samples {
    bench_samples loads;
    bench_samples floors;
    bench_samples reads;
    bool is_cold;
} cold_samples;

static void measure_cold(bench *run, load_case *made, size_t kind, cold_samples *cold)
{
    static const size_t TIMES[] = {2, 5, 11, 21};
    char data[BENCH_PATH_BYTES];
    char bare[BENCH_PATH_BYTES];
    char plain[BENCH_PATH_BYTES];
    char name[96];
    (void)snprintf(name, sizeof name, "%s/data.mdb", made->store);
    bench_path(run, name, data);
    (void)snprintf(name, sizeof name, "%s/data.mdb", made->floor);
    bench_path(run, name, bare);
    bench_path(run, "plain", plain);
    cold_write(plain, made->values[kind].stored_bytes);
    cold->is_cold = true;
    for (size_t time = 0; time < TIMES[run->options.size]; time++) {
        cold->is_cold =
            cold_make(data) && cold_make(bare) && cold_make(plain) && cold->is_cold;
        bench_add(&cold->reads, cold_read(plain, made->values[kind].stored_bytes));
        grove_store *store = bench_store(run, made->store, GROVE_DURABILITY_NONE, NULL);
        grove_document *document;
        bench_add(&cold->loads, load_once(store, IDS[kind], &document));
        grove_document_close(document);
        grove_store_close(store);
        floor_env *env = floor_open(run, made->floor);
        floor_room(env, &made->values[kind]);
        bench_add(&cold->floors, floor_run(env, &made->values[kind]));
        floor_close(env);
    }
}

static void report(bench *run, const load_case *made, uint64_t length, size_t kind,
                   const bench_samples *loads, const bench_samples *floors,
                   const cold_samples *cold)
{
    char name[96];
    char place[32];
    (void)snprintf(place, sizeof place, "%llu characters", (unsigned long long)length);
    (void)snprintf(name, sizeof name, "%s, %s", KINDS[kind], place);
    bench_row(run, "load", name, made->events, loads);
    (void)snprintf(name, sizeof name, "%s, %s: floor", KINDS[kind], place);
    bench_row(run, "load", name, made->events, floors);
    const char *state = cold->is_cold ? "cold" : "NOT COLD";
    (void)snprintf(name, sizeof name, "%s, %s: %s", KINDS[kind], place, state);
    bench_row(run, "load", name, made->events, &cold->loads);
    (void)snprintf(name, sizeof name, "%s: %s bare LMDB", KINDS[kind], state);
    bench_row(run, "load", name, made->events, &cold->floors);
    (void)snprintf(name, sizeof name, "%s: %s plain read", KINDS[kind], state);
    bench_row(run, "load", name, made->events, &cold->reads);
    (void)snprintf(name, sizeof name, "%s, %s", KINDS[kind], place);
    bench_plot_point(run, name, made->events, bench_median(loads));
    (void)snprintf(name, sizeof name, "cold %s, %s", KINDS[kind], place);
    bench_plot_point(run, name, made->events, bench_median(&cold->loads));
    if (kind != 1) {
        return;
    }
    (void)snprintf(name, sizeof name, "load-snapshot-%llu-%llu",
                   (unsigned long long)length, (unsigned long long)made->events);
    bench_bar(run, name, bench_median(loads), 1.25 * bench_median(floors) + 30, "us",
              false);
    (void)snprintf(name, sizeof name, "load-cold-%llu-%llu", (unsigned long long)length,
                   (unsigned long long)made->events);
    if (cold->is_cold) {
        bench_bar(run, name, bench_median(&cold->loads),
                  bench_median(loads) + 1.3 * bench_median(&cold->reads), "us", false);
    } else {
        bench_skip(run, name, "the file could not be made cold");
    }
}

/* 1,000 events after the snapshot, saved one at a time. */
static double measure_singles(bench *run, const load_case *made, uint64_t length)
{
    grove_store *store = bench_store(run, made->store, GROVE_DURABILITY_NONE, NULL);
    grove_document *document = bench_document(store, IDS[1], false);
    uint64_t points;
    grove_error error;
    bench_must(grove_text_length(document, &points, NULL, &error), &error, "length");
    for (uint64_t index = 0; index < SINGLES; index++) {
        const uint8_t letter = (uint8_t)('a' + index % 26);
        run->now += 150;
        bench_must(grove_text_insert(document, points + index, (grove_bytes){&letter, 1},
                                     &error),
                   &error, "typing");
        bench_document_save(document);
    }
    grove_document_close(document);
    bench_samples *loads = bench_allocate(sizeof *loads);
    loads->count = 0;
    double begun = bench_now_us();
    while (bench_goes_on(run, loads, begun, 5)) {
        bench_add(loads, load_once(store, IDS[1], &document));
        grove_document_close(document);
    }
    grove_store_close(store);
    char name[96];
    (void)snprintf(name, sizeof name, "snapshot + 1,000 saved singly, %llu characters",
                   (unsigned long long)length);
    bench_row(run, "load", name, made->events, loads);
    double us = bench_median(loads);
    free(loads);
    return us;
}

static double measure_case(bench *run, uint64_t events, uint64_t length)
{
    load_case made;
    make_case(run, &made, events, length);
    bench_samples *warm = bench_allocate(2 * sizeof *warm);
    cold_samples *cold = bench_allocate(sizeof *cold);
    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        warm[0].count = 0;
        warm[1].count = 0;
        *cold = (cold_samples){.is_cold = false};
        measure_warm(run, &made, kind, &warm[0], &warm[1]);
        measure_cold(run, &made, kind, cold);
        report(run, &made, length, kind, &warm[0], &warm[1], cold);
    }
    free(cold);
    free(warm);
    double singles_us = 0;
    if (events == 100000 || events == 1000000) {
        singles_us = measure_singles(run, &made, length);
    }
    cli_trace_release(&made.trace);
    return singles_us;
}

static void measure_series(bench *run, const uint64_t *sizes, size_t count,
                           uint64_t length)
{
    char name[64];
    double at_100k = 0;
    for (size_t index = 0; index < count; index++) {
        double us = measure_case(run, sizes[index], length);
        if (sizes[index] == 100000) {
            at_100k = us;
            (void)snprintf(name, sizeof name, "load-1000-singles-%llu",
                           (unsigned long long)length);
            bench_bar(run, name, us, 1000, "us", false);
        } else if (sizes[index] == 1000000) {
            (void)snprintf(name, sizeof name, "load-1000-singles-1M-to-100K-%llu",
                           (unsigned long long)length);
            bench_bar(run, name, us / at_100k, 1.3, "times", false);
        }
    }
}

void bench_load(bench *run)
{
    static const uint64_t SIZES[SIZES_MAX] = {1000, 10000, 100000, 1000000, 10000000};
    bench_title("Load time against event counts (a text of 500 characters, raw)");
    size_t count = run->options.size == BENCH_TINY ? 1 : 4;
    count = run->options.ten_million ? SIZES_MAX : count;
    measure_series(run, SIZES, count, 500);
    if (run->options.size != BENCH_TINY) {
        bench_title("Load time against event counts (a text of 40,000 characters)");
        measure_series(run, SIZES + 2, count - 2, 40000);
    }
}
