/* Opening an existing store, beside opening a bare environment. */
#include <lmdb.h>
#include <stdlib.h>

#include "bench.h"

static double open_bare(const char *path)
{
    double begun = bench_now_us();
    MDB_env *env;
    bench_need(mdb_env_create(&env) == 0 && mdb_env_set_maxdbs(env, 16) == 0 &&
                   mdb_env_set_mapsize(env, (size_t)64 << 30) == 0 &&
                   mdb_env_open(env, path, MDB_NOTLS | MDB_NORDAHEAD, 0600) == 0,
               "opening a bare environment");
    double us = bench_now_us() - begun;
    mdb_env_close(env);
    return us;
}

/* Many documents in one store: opening, a page of a listing, statistics. */

static bool take_name(void *context, grove_bytes name)
{
    (void)name;
    uint64_t *left = context;
    return --*left > 0;
}

static void make_documents(grove_store *store, uint64_t count)
{
    grove_error error;
    for (uint64_t index = 0; index < count; index++) {
        char id[32];
        grove_document *document;
        (void)snprintf(id, sizeof id, "folder/%08llu", (unsigned long long)index);
        bench_must(
            grove_document_open(store, grove_bytes_of(id), NULL, &document, &error),
            &error, "opening a document");
        bench_must(grove_text_insert(document, 0, grove_bytes_of("text"), &error), &error,
                   "typing");
        bench_document_save(document);
        grove_document_close(document);
    }
}

static void measure_many(bench *run)
{
    static const uint64_t COUNTS[] = {200, 10000, 100000, 100000};
    uint64_t count = COUNTS[run->options.size];
    grove_error error;
    grove_store *store = bench_store(run, "many", GROVE_DURABILITY_NONE, NULL);
    double begun = bench_now_us();
    make_documents(store, count);
    double make_us = (bench_now_us() - begun) / (double)count;
    grove_store_close(store);
    bench_samples *samples = bench_allocate(3 * sizeof *samples);
    for (size_t index = 0; index < 3; index++) {
        samples[index].count = 0;
    }
    double loop_begun = bench_now_us();
    while (bench_goes_on(run, samples, loop_begun, 20)) {
        begun = bench_now_us();
        store = bench_store(run, "many", GROVE_DURABILITY_FULL, NULL);
        bench_add(&samples[0], bench_now_us() - begun);
        uint64_t left = 100;
        begun = bench_now_us();
        bench_must(grove_document_list(store, grove_bytes_of("folder/"),
                                       grove_bytes_of("folder/00000100"), take_name,
                                       &left, &error),
                   &error, "listing");
        bench_add(&samples[1], bench_now_us() - begun);
        grove_store_statistics statistics;
        begun = bench_now_us();
        bench_must(grove_store_statistics_get(store, &statistics, &error), &error,
                   "statistics");
        bench_add(&samples[2], bench_now_us() - begun);
        grove_store_close(store);
    }
    bench_value(run, "open", "making a document, mean", count, make_us, "us");
    bench_row(run, "open", "opening the store of many documents", count, &samples[0]);
    bench_row(run, "open", "listing 100 of them from one on", count, &samples[1]);
    bench_row(run, "open", "statistics of it", count, &samples[2]);
    free(samples);
}

void bench_open(bench *run)
{
    bench_title("Opening an existing store");
    cli_trace trace;
    bench_session(1000, 500, &trace);
    grove_store *store = bench_store(run, "open", GROVE_DURABILITY_FULL, NULL);
    grove_document *document = bench_document(store, "document", true);
    bench_edit(run, document, &trace, 0, trace.patch_count);
    bench_document_save(document);
    grove_document_close(document);
    grove_store_close(store);
    cli_trace_release(&trace);
    char path[BENCH_PATH_BYTES];
    bench_path(run, "open", path);
    bench_samples *samples = bench_allocate(2 * sizeof *samples);
    samples[0].count = 0;
    samples[1].count = 0;
    double loop_begun = bench_now_us();
    while (bench_goes_on(run, samples, loop_begun, 20)) {
        double begun = bench_now_us();
        store = bench_store(run, "open", GROVE_DURABILITY_FULL, NULL);
        bench_add(&samples[0], bench_now_us() - begun);
        grove_store_close(store);
        bench_add(&samples[1], open_bare(path));
    }
    bench_row(run, "open", "opening a store", 1000, &samples[0]);
    bench_row(run, "open", "mdb_env_open of the same", 1000, &samples[1]);
    bench_bar(run, "open", bench_median(samples), 300, "us", false);
    free(samples);
    measure_many(run);
}
