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
}
