/*
 * Saving: one event at a time in each durability mode, beside a bare LMDB
 * transaction that puts as many bytes in as many tables; and typing.
 */
#include <lmdb.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "bench.h"
#include "flushes.h"

enum {
    TABLE_COUNT = 8,
    EVENTS_KEY_BYTES = 34, /* "document" escaped, clock, part */
    META_KEY_BYTES = 18,
    META_BYTES = 117,
    REPLICAS_KEY_BYTES = 53,
    REPLICAS_BYTES = 24,
    COMMIT_KEY_BYTES = 8,
    COMMIT_BYTES = 31,
    PART_OVERHEAD_BYTES = 16,
    TYPED = 1000
};

typedef struct bare_store {
    MDB_env *mdb;
    MDB_dbi tables[TABLE_COUNT];
    uint64_t commit;
    size_t batch_bytes;
} bare_store;

typedef struct durability_mode {
    const char *name;
    grove_durability durability;
    unsigned flags;
} durability_mode;

static const durability_mode MODES[] = {
    {"full", GROVE_DURABILITY_FULL, 0},
    {"relaxed", GROVE_DURABILITY_RELAXED, MDB_NOMETASYNC},
    {"none", GROVE_DURABILITY_NONE, MDB_NOSYNC},
};

enum { MODE_COUNT = sizeof MODES / sizeof *MODES };

static void bare_open(const bench *run, bare_store *store, const durability_mode *mode)
{
    char name[64];
    char path[BENCH_PATH_BYTES];
    (void)snprintf(name, sizeof name, "bare-%s", mode->name);
    bench_path(run, name, path);
    (void)mkdir(path, 0777);
    MDB_txn *txn;
    bench_need(mdb_env_create(&store->mdb) == 0 &&
                   mdb_env_set_maxdbs(store->mdb, TABLE_COUNT) == 0 &&
                   mdb_env_set_mapsize(store->mdb, (size_t)64 << 30) == 0 &&
                   mdb_env_open(store->mdb, path, MDB_NOTLS | MDB_NORDAHEAD | mode->flags,
                                0666) == 0 &&
                   mdb_txn_begin(store->mdb, NULL, 0, &txn) == 0,
               "opening a bare environment");
    for (unsigned index = 0; index < TABLE_COUNT; index++) {
        char table[2] = {(char)('a' + index), '\0'};
        bench_need(mdb_dbi_open(txn, table, MDB_CREATE, &store->tables[index]) == 0,
                   "opening a bare table");
    }
    bench_need(mdb_txn_commit(txn) == 0, "a bare commit");
    store->commit = 0;
}

/* The key ends in the number. */
static void bare_put(bare_store *store, MDB_txn *txn, unsigned table, size_t key_bytes,
                     uint64_t number, size_t value_bytes)
{
    uint8_t key[64] = "document";
    uint8_t value[512] = {0};
    for (size_t index = 0; index < 8; index++) {
        key[key_bytes - 1 - index] = (uint8_t)(number >> (8 * index));
    }
    MDB_val key_val = {key_bytes, key};
    MDB_val value_val = {value_bytes < sizeof value ? value_bytes : sizeof value, value};
    bench_need(mdb_put(txn, store->tables[table], &key_val, &value_val, 0) == 0,
               "a bare put");
}

static double bare_save(bare_store *store)
{
    double begun = bench_now_us();
    MDB_txn *txn;
    bench_need(mdb_txn_begin(store->mdb, NULL, 0, &txn) == 0, "a bare transaction");
    store->commit++;
    bare_put(store, txn, 0, EVENTS_KEY_BYTES, store->commit,
             store->batch_bytes + PART_OVERHEAD_BYTES);
    bare_put(store, txn, 1, META_KEY_BYTES, 0, META_BYTES);
    bare_put(store, txn, 2, REPLICAS_KEY_BYTES, 0, REPLICAS_BYTES);
    bare_put(store, txn, 3, COMMIT_KEY_BYTES, store->commit, COMMIT_BYTES);
    bench_need(mdb_txn_commit(txn) == 0, "a bare commit");
    return bench_now_us() - begun;
}

static double save_one(bench *run, grove_document *document, uint64_t position)
{
    const uint8_t letter = (uint8_t)('a' + position % 26);
    grove_error error;
    run->now += 150;
    bench_must(grove_text_insert(document, position, (grove_bytes){&letter, 1}, &error),
               &error, "typing");
    double begun = bench_now_us();
    bench_document_save(document);
    return bench_now_us() - begun;
}

static void report_mode(bench *run, const durability_mode *mode,
                        const bench_samples *saves, const bench_samples *bare)
{
    char name[64];
    double ratio = bench_median(saves) / bench_median(bare);
    (void)snprintf(name, sizeof name, "save of 1 event, %s", mode->name);
    bench_row(run, "save", name, 1, saves);
    (void)snprintf(name, sizeof name, "save of 1 event, %s: p99", mode->name);
    bench_value(run, "save", name, 1, bench_quantile(saves, 0.99), "us");
    (void)snprintf(name, sizeof name, "bare transaction, %s", mode->name);
    bench_row(run, "save", name, 1, bare);
    (void)snprintf(name, sizeof name, "bare transaction, %s: p99", mode->name);
    bench_value(run, "save", name, 1, bench_quantile(bare, 0.99), "us");
    if (mode->durability == GROVE_DURABILITY_FULL) {
        bench_bar(run, "save-full", ratio, 1.15, "times", false);
    } else {
        (void)snprintf(name, sizeof name, "ratio, %s", mode->name);
        bench_value(run, "save", name, 1, ratio, "times");
    }
}

static void measure_mode(bench *run, const durability_mode *mode)
{
    static const size_t LEAST[] = {2, 100, 400, 1000};
    char name[64];
    (void)snprintf(name, sizeof name, "save-%s", mode->name);
    grove_store *store = bench_store(run, name, mode->durability, NULL);
    grove_document *document;
    grove_error error;
    bench_must(
        grove_document_open(store, grove_bytes_of("document"), NULL, &document, &error),
        &error, "opening a document");
    (void)save_one(run, document, 0);
    bare_store bare;
    bare_open(run, &bare, mode);
    bare.batch_bytes = (size_t)bench_statistics(store, "document").batch_bytes;
    (void)bare_save(&bare);
    bench_samples *samples = bench_allocate(2 * sizeof *samples);
    samples[0].count = 0;
    samples[1].count = 0;
    uint64_t flushes_max = 0;
    double begun = bench_now_us();
    while (bench_goes_on(run, samples, begun, LEAST[run->options.size])) {
        uint64_t before = flushes_count();
        bench_add(&samples[0], save_one(run, document, samples[0].count + 1));
        uint64_t flushes = flushes_count() - before;
        flushes_max = flushes > flushes_max ? flushes : flushes_max;
        bench_add(&samples[1], bare_save(&bare));
    }
    report_mode(run, mode, &samples[0], &samples[1]);
    if (mode->durability == GROVE_DURABILITY_FULL) {
        bench_bar(run, "save-full-flushes", (double)flushes_max, 2, "flushes", false);
    }
    free(samples);
    mdb_env_close(bare.mdb);
    grove_document_close(document);
    grove_store_close(store);
}

/* 1,000 characters one after the other, then a save; nothing is flushed. */
static void measure_typing(bench *run)
{
    grove_store *store = bench_store(run, "typing", GROVE_DURABILITY_NONE, NULL);
    grove_document *document;
    grove_error error;
    bench_must(
        grove_document_open(store, grove_bytes_of("document"), NULL, &document, &error),
        &error, "opening a document");
    bench_samples *rounds = bench_allocate(sizeof *rounds);
    rounds->count = 0;
    double total_us = 0;
    uint64_t position = 0;
    double loop_begun = bench_now_us();
    while (bench_goes_on(run, rounds, loop_begun, 100)) {
        double begun = bench_now_us();
        for (size_t index = 0; index < TYPED; index++, position++) {
            const uint8_t letter = (uint8_t)('a' + position % 26);
            bench_must(
                grove_text_insert(document, position, (grove_bytes){&letter, 1}, &error),
                &error, "typing");
        }
        bench_document_save(document);
        double us = bench_now_us() - begun;
        bench_add(rounds, us);
        total_us += us;
    }
    bench_row(run, "save", "typing 1,000 events and one save, none", TYPED, rounds);
    bench_value(run, "save", "the same, mean with roll-ups and snapshots", TYPED,
                TYPED / (total_us / (double)rounds->count), "events/us");
    bench_bar(run, "typing-rate", TYPED / bench_median(rounds) * 1e6, 5e6, "events/s",
              true);
    free(rounds);
    grove_document_close(document);
    grove_store_close(store);
}

void bench_save(bench *run)
{
    bench_title("Saving");
    for (size_t index = 0; index < MODE_COUNT; index++) {
        measure_mode(run, &MODES[index]);
    }
    measure_typing(run);
}
