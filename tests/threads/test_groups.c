/*
 * Threads commit write sets at the same time, on both backends: good ones, such
 * as expect what is not so, and such as are too large. Each must get its own
 * result, and commit numbers no gap. Beside them others pin, watch and read;
 * for the preset `tsan`, under which Criterion does not start. In detail
 * tests/commit/test_commit.c looks at the same.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <grove/grove.h>

#include "commit/commit.h"
#include "kv/sharing.h"

enum { THREADS = 6, ROUNDS = 60, LIMIT_BYTES = 4 << 20, LARGE_BYTES = 6 << 20 };

static uint8_t large[LARGE_BYTES];

typedef struct worker {
    grove_store *store;
    unsigned number;
    unsigned commits; /* numbers that it was given */
} worker;

static void expect(bool is_so, const char *what)
{
    if (!is_so) {
        (void)fprintf(stderr, "%s\n", what);
        _exit(1);
    }
}

static void commit_one(worker *self, unsigned round)
{
    char name[32];
    grove_error error;
    grove__write_set set;
    uint64_t commit = 0;
    (void)snprintf(name, sizeof name, "%u %u", self->number, round);
    const grove_bytes key = grove_bytes_of(name);
    const grove__touch touch = {GROVE__TOUCH_GROUP, key, 0, 0};
    grove_status wanted = GROVE_OK;
    grove__write_set_init(&set, self->store->allocator);
    grove__write_set_put(&set, GROVE__TABLE_PENDING, key, key);
    grove__write_set_touch(&set, &touch);
    if ((round + self->number) % 5 == 1) {
        grove__write_set_expect_present(&set, GROVE__TABLE_PENDING,
                                        grove_bytes_of("nowhere"));
        wanted = GROVE_CONFLICT;
    } else if ((round + self->number) % 5 == 2) {
        grove__write_set_put_value(&set, GROVE__TABLE_EVENTS, key,
                                   (grove_bytes){large, sizeof large});
        wanted = GROVE_FULL;
    }
    expect(grove__commit(self->store, &set, &commit, &error) == wanted,
           "a set got another's result");
    expect((commit != 0) == (wanted == GROVE_OK), "a number is given for nothing");
    self->commits += wanted == GROVE_OK;
    grove__write_set_release(&set);
}

static void *work(void *argument)
{
    worker *self = argument;
    grove_error error;
    grove__kv *kv = &self->store->kv;
    grove__kv_watch watch;
    expect(grove__kv_watch_open(kv, &watch, &error) == GROVE_OK, "no watch");
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t pin = 0;
        expect(grove__kv_pin_open(kv, 1, round, &pin, &error) == GROVE_OK, "no pin");
        commit_one(self, round);
        grove__kv_pin_move(kv, pin, round + 1);
        expect(grove__kv_pin_least(kv, 1) <= round + 1, "a pin is not seen");
        grove__kv_pin_close(kv, pin);
        (void)!grove__kv_watch_wait(&watch, 0, &error);
        if (round % 16 == 0) {
            grove_backend_statistics statistics;
            expect(grove__kv_statistics(kv, &statistics, &error) == GROVE_OK &&
                       grove__kv_reclaim(kv, &error) == GROVE_OK,
                   "no statistics");
        }
    }
    grove__kv_watch_close(&watch);
    return NULL;
}

static void run(const char *backend, const char *path)
{
    grove_store_options options = GROVE_STORE_OPTIONS_INIT;
    grove_error error;
    pthread_t threads[THREADS];
    worker workers[THREADS];
    grove_store *store = NULL;
    uint64_t newest = 0;
    uint64_t given = 0;
    options.backend = grove_backend_find(backend);
    options.size_limit_bytes = LIMIT_BYTES;
    options.durability = GROVE_DURABILITY_RELAXED;
    expect(grove_store_open(path, &options, &store, &error) == GROVE_OK, error.message);
    for (unsigned index = 0; index < THREADS; index++) {
        workers[index] = (worker){store, index, 0};
        expect(pthread_create(&threads[index], NULL, work, &workers[index]) == 0,
               "no thread");
    }
    for (unsigned index = 0; index < THREADS; index++) {
        expect(pthread_join(threads[index], NULL) == 0, "a thread is lost");
        given += workers[index].commits;
    }
    expect(grove_store_commit(store, &newest, &error) == GROVE_OK && newest == given,
           "the numbers of commits have a gap");
    grove_store_close(store);
}

static void remove_file(const char *folder, const char *name)
{
    char path[320];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)unlink(path);
}

int main(void)
{
    const char *parent = getenv("TMPDIR");
    char folder[256];
    int length = snprintf(folder, sizeof folder, "%s/grove-groups.XXXXXX",
                          parent != NULL ? parent : "/tmp");
    expect(length > 0 && (size_t)length < sizeof folder && mkdtemp(folder) != NULL,
           "no folder");
    run("memory", "store");
    run("lmdb", folder);
    remove_file(folder, "data.mdb");
    remove_file(folder, "lock.mdb");
    remove_file(folder, "grove.lock");
    expect(rmdir(folder) == 0, "the store has files that are not known");
    (void)puts("groups: ok");
    return 0;
}
