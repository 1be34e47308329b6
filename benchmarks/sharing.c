/*
 * Sharing a store: threads and processes that save at the same time, how turns
 * are shared out, and how long a commit takes to be told.
 */
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { THREADS_MAX = 64, WRITERS = 8, WAITS_MAX = 20000, TELLINGS_MAX = 2000 };

/* What the workers of one measurement share; also between processes. */
typedef struct crowd {
    bench *run;
    const char *store_name;
    atomic_bool is_go;
    atomic_bool is_over;
    atomic_uint ready;
    struct {
        uint64_t saves;
        float waits_us[WAITS_MAX]; /* of the first of them */
    } workers[THREADS_MAX];
    /* For the tellings: when a commit was done, and when it was told. */
    _Atomic uint64_t told;
    double committed_us[TELLINGS_MAX];
    double told_us[TELLINGS_MAX];
} crowd;

typedef struct worker {
    crowd *all;
    grove_store *store; /* NULL: opens one of its own */
    size_t number;
} worker;

static crowd *new_crowd(bench *run, const char *store_name)
{
    crowd *made = mmap(NULL, sizeof *made, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bench_need(made != MAP_FAILED, "memory to share");
    made->run = run;
    made->store_name = store_name;
    return made;
}

static void free_crowd(crowd *all)
{
    (void)munmap(all, sizeof *all);
}

static double seconds_of(const bench *run)
{
    static const double SECONDS[] = {0.05, 0.7, 3, 8};
    return SECONDS[run->options.size];
}

static void pause_us(double us)
{
    struct timespec time = {(time_t)(us / 1e6), (long)((long)us % 1000000 * 1000)};
    (void)nanosleep(&time, NULL);
}

static void wait_for_go(crowd *all)
{
    (void)atomic_fetch_add(&all->ready, 1);
    while (!atomic_load(&all->is_go)) {
        pause_us(100);
    }
}

/* Lets `count` workers begin together and stops them after the time. */
static double conduct(crowd *all, unsigned count)
{
    while (atomic_load(&all->ready) < count) {
        pause_us(100);
    }
    double begun = bench_now_us();
    atomic_store(&all->is_go, true);
    pause_us(seconds_of(all->run) * 1e6);
    atomic_store(&all->is_over, true);
    return bench_now_us() - begun;
}

static void note_wait(const worker *self, double us)
{
    uint64_t number = self->all->workers[self->number].saves++;
    if (number < WAITS_MAX) {
        self->all->workers[self->number].waits_us[number] = (float)us;
    }
}

/* Types a character and saves it, again and again. */
static void *save_on(void *context)
{
    const worker *self = context;
    crowd *all = self->all;
    grove_store *store = self->store;
    grove_document *document;
    grove_error error;
    char id[32];
    if (store == NULL) {
        store = bench_store(all->run, all->store_name, GROVE_DURABILITY_FULL, NULL);
    }
    (void)snprintf(id, sizeof id, "document %zu", self->number);
    bench_must(grove_document_open(store, grove_bytes_of(id), NULL, &document, &error),
               &error, "opening a document");
    wait_for_go(all);
    while (!atomic_load(&all->is_over)) {
        double begun = bench_now_us();
        bench_must(grove_text_insert(document, 0, grove_bytes_of("x"), &error), &error,
                   "typing");
        bench_document_save(document);
        note_wait(self, bench_now_us() - begun);
    }
    grove_document_close(document);
    if (self->store == NULL) {
        grove_store_close(store);
    }
    return NULL;
}

static uint64_t saves_of(const crowd *all, size_t count)
{
    uint64_t saves = 0;
    for (size_t index = 0; index < count; index++) {
        saves += all->workers[index].saves;
    }
    return saves;
}

/* Saves a second of so many threads of this process. */
static double rate_of_threads(bench *run, unsigned count)
{
    crowd *all = new_crowd(run, "sharing");
    grove_store *store = bench_store(run, "sharing", GROVE_DURABILITY_FULL, NULL);
    pthread_t threads[THREADS_MAX];
    worker workers[THREADS_MAX];
    for (unsigned index = 0; index < count; index++) {
        workers[index] = (worker){all, store, index};
        bench_need(pthread_create(&threads[index], NULL, save_on, &workers[index]) == 0,
                   "starting a thread");
    }
    double us = conduct(all, count);
    for (unsigned index = 0; index < count; index++) {
        (void)pthread_join(threads[index], NULL);
    }
    double rate = (double)saves_of(all, count) / us * 1e6;
    grove_store_close(store);
    free_crowd(all);
    return rate;
}

/* The same with so many processes; what they did stays in the crowd. */
static double rate_of_processes(crowd *all, void *(*work)(void *), unsigned count)
{
    pid_t children[THREADS_MAX];
    for (unsigned index = 0; index < count; index++) {
        worker self = {all, NULL, index};
        children[index] = fork();
        bench_need(children[index] >= 0, "starting a process");
        if (children[index] == 0) {
            (void)work(&self);
            _exit(0);
        }
    }
    double us = conduct(all, count);
    for (unsigned index = 0; index < count; index++) {
        int status;
        bench_need(waitpid(children[index], &status, 0) == children[index] && status == 0,
                   "a process that saves");
    }
    return (double)saves_of(all, count) / us * 1e6;
}

static void measure_threads(bench *run)
{
    static const unsigned COUNTS[] = {2, 4, 8, 64};
    /* One before and one after, as the disk is never the same for long. */
    double one = rate_of_threads(run, 1);
    double rates[4];
    char name[64];
    for (size_t index = 0; index < 4; index++) {
        rates[index] = rate_of_threads(run, COUNTS[index]);
    }
    one = (one + rate_of_threads(run, 1)) / 2;
    bench_value(run, "sharing", "saves a second, 1 thread", 1, one, "saves/s");
    for (size_t index = 0; index < 4; index++) {
        (void)snprintf(name, sizeof name, "saves a second, %u threads", COUNTS[index]);
        bench_value(run, "sharing", name, COUNTS[index], rates[index], "saves/s");
    }
    bench_bar(run, "group-commit-8", rates[2] / one, 3, "times", true);
    bench_bar(run, "group-commit-64", rates[3] / one, 6.5, "times", true);
}

static void measure_processes(bench *run)
{
    static const unsigned COUNTS[] = {1, 2, 4, 1};
    double rates[4];
    char name[64];
    for (size_t index = 0; index < 4; index++) {
        crowd *all = new_crowd(run, "sharing");
        rates[index] = rate_of_processes(all, save_on, COUNTS[index]);
        free_crowd(all);
    }
    double one = (rates[0] + rates[3]) / 2;
    bench_value(run, "sharing", "saves a second, 1 process", 1, one, "saves/s");
    for (size_t index = 1; index < 3; index++) {
        (void)snprintf(name, sizeof name, "saves a second, %u processes", COUNTS[index]);
        bench_value(run, "sharing", name, COUNTS[index], rates[index], "saves/s");
    }
    bench_bar(run, "four-processes", rates[2] / one, 1.1, "times", true);
}

/* Fairness */

static int compare_floats(const void *a, const void *b)
{
    float left = *(const float *)a;
    float right = *(const float *)b;
    return left < right ? -1 : left > right;
}

typedef struct fairness {
    double share; /* the poorest's turns of the richest's */
    double median_us;
    double longest_us;
} fairness;

static fairness fairness_of(const crowd *all)
{
    uint64_t least = UINT64_MAX;
    uint64_t most = 0;
    size_t count = 0;
    float *waits = bench_allocate(sizeof *waits * WRITERS * WAITS_MAX);
    for (size_t index = 0; index < WRITERS; index++) {
        uint64_t saves = all->workers[index].saves;
        least = saves < least ? saves : least;
        most = saves > most ? saves : most;
        size_t noted = saves < WAITS_MAX ? (size_t)saves : WAITS_MAX;
        memcpy(waits + count, all->workers[index].waits_us, noted * sizeof *waits);
        count += noted;
    }
    qsort(waits, count, sizeof *waits, compare_floats);
    fairness found = {0, 0, 0};
    if (count > 0) {
        found = (fairness){(double)least / (double)most, (double)waits[count / 2],
                           (double)waits[count - 1]};
    }
    free(waits);
    return found;
}

/* A transaction of LMDB's with its own lock, again and again. */
static void *write_bare(void *context)
{
    const worker *self = context;
    char path[BENCH_PATH_BYTES];
    MDB_env *mdb;
    bench_path(self->all->run, self->all->store_name, path);
    (void)mkdir(path, 0777);
    bench_need(mdb_env_create(&mdb) == 0 &&
                   mdb_env_set_mapsize(mdb, (size_t)1 << 30) == 0 &&
                   mdb_env_open(mdb, path, MDB_NOTLS, 0666) == 0,
               "opening a bare environment");
    wait_for_go(self->all);
    while (!atomic_load(&self->all->is_over)) {
        MDB_txn *txn;
        MDB_dbi table;
        uint64_t number = self->number;
        MDB_val key = {sizeof number, &number};
        MDB_val value = {sizeof number, &number};
        double begun = bench_now_us();
        bench_need(mdb_txn_begin(mdb, NULL, 0, &txn) == 0 &&
                       mdb_dbi_open(txn, NULL, 0, &table) == 0 &&
                       mdb_put(txn, table, &key, &value, 0) == 0 &&
                       mdb_txn_commit(txn) == 0,
                   "a bare transaction");
        note_wait(self, bench_now_us() - begun);
    }
    mdb_env_close(mdb);
    return NULL;
}

static void measure_fairness(bench *run)
{
    crowd *bare = new_crowd(run, "bare-fairness");
    (void)rate_of_processes(bare, write_bare, WRITERS);
    fairness of_bare = fairness_of(bare);
    free_crowd(bare);
    crowd *ours = new_crowd(run, "sharing");
    double rate = rate_of_processes(ours, save_on, WRITERS);
    fairness found = fairness_of(ours);
    free_crowd(ours);
    bench_value(run, "sharing", "8 processes on bare LMDB, smallest share of the largest",
                WRITERS, of_bare.share, "times");
    bench_value(run, "sharing", "8 processes on bare LMDB, longest wait", WRITERS,
                of_bare.longest_us / 1000, "ms");
    bench_value(run, "sharing", "saves a second, 8 processes", WRITERS, rate, "saves/s");
    bench_value(run, "sharing", "8 processes, median save", WRITERS,
                found.median_us / 1000, "ms");
    bench_value(run, "sharing", "8 processes, longest save", WRITERS,
                found.longest_us / 1000, "ms");
    bench_bar(run, "fair-share", found.share, 0.5, "times", true);
    bench_bar(run, "longest-wait", found.longest_us / found.median_us, 20, "medians",
              false);
}

/* Tellings */

/* Commits when the watcher has seen the commit before. */
static void commit_and_tell(crowd *all, uint64_t count)
{
    grove_error error;
    grove_store *store =
        bench_store(all->run, all->store_name, GROVE_DURABILITY_RELAXED, NULL);
    wait_for_go(all);
    for (uint64_t index = 0; index < count; index++) {
        while (atomic_load(&all->told) < index) {
            pause_us(50);
        }
        pause_us(500); /* so that the watcher sleeps by then */
        bench_must(grove_group_save(store, grove_bytes_of("g"), grove_bytes_of("x"), NULL,
                                    &error),
                   &error, "a commit");
        all->committed_us[index] = bench_now_us();
    }
    grove_store_close(store);
}

static void measure_tellings(bench *run)
{
    static const uint64_t COUNTS[] = {5, 200, 1000, TELLINGS_MAX};
    uint64_t count = COUNTS[run->options.size];
    crowd *all = new_crowd(run, "telling");
    pid_t child = fork();
    bench_need(child >= 0, "starting a process");
    if (child == 0) {
        commit_and_tell(all, count);
        _exit(0);
    }
    grove_error error;
    grove_watch *watch;
    grove_store *store = bench_store(run, "telling", GROVE_DURABILITY_RELAXED, NULL);
    bench_must(grove_watch_open(store, &watch, NULL, &error), &error, "watching");
    atomic_store(&all->is_go, true);
    for (uint64_t index = 0; index < count; index++) {
        bench_must(grove_watch_wait(watch, 60000, NULL, &error), &error, "a telling");
        all->told_us[index] = bench_now_us();
        atomic_store(&all->told, index + 1);
    }
    int status;
    bench_need(waitpid(child, &status, 0) == child && status == 0, "the committer");
    bench_samples *samples = bench_allocate(sizeof *samples);
    samples->count = 0;
    for (uint64_t index = 0; index < count; index++) {
        /* Told before the commit's call came back: it took no time. */
        double us = all->told_us[index] - all->committed_us[index];
        bench_add(samples, us > 0 ? us : 0);
    }
    bench_row(run, "sharing", "from a commit's return to another process", count,
              samples);
    bench_bar(run, "telling-p50", bench_quantile(samples, 0.5), 1000, "us", false);
    bench_value(run, "sharing", "the same, p99", count, bench_quantile(samples, 0.99),
                "us");
    free(samples);
    grove_watch_close(watch);
    grove_store_close(store);
    free_crowd(all);
}

void bench_sharing(bench *run)
{
    bench_title("Sharing a store");
    /* Whoever forks has nothing open, and what is printed is printed once. */
    (void)fflush(NULL);
    measure_processes(run);
    (void)fflush(NULL);
    measure_fairness(run);
    (void)fflush(NULL);
    measure_tellings(run);
    measure_threads(run);
}
