/* Watching for commits: the backend tells of every change, this of commits. */
#include <grove/watch.h>

#include <time.h>

#include "base/error.h"
#include "commit/store.h"

struct grove_watch {
    grove_store *store;
    grove__kv_watch changes;
    uint64_t commit; /* the last that was told */
};

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

grove_status grove_watch_open(grove_store *store, grove_watch **watch_out,
                              uint64_t *commit_out, grove_error *error_out)
{
    grove_status status = grove__store_check(store, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_watch *watch = grove__allocate_zeroed(store->allocator, sizeof *watch);
    if (watch == NULL) {
        return grove__fail_memory(error_out);
    }
    watch->store = store;
    status = grove__kv_watch_open(&store->kv, &watch->changes, error_out);
    if (status == GROVE_OK) {
        status = grove_store_commit(store, &watch->commit, error_out);
        if (status != GROVE_OK) {
            grove__kv_watch_close(&watch->changes);
        }
    }
    if (status != GROVE_OK) {
        grove__deallocate(store->allocator, watch, sizeof *watch);
        return status;
    }
    (void)atomic_fetch_add(&store->handle_count, 1);
    if (commit_out != NULL) {
        *commit_out = watch->commit;
    }
    *watch_out = watch;
    return GROVE_OK;
}

grove_status grove_watch_wait(grove_watch *watch, uint32_t wait_ms_max,
                              uint64_t *commit_out, grove_error *error_out)
{
    uint64_t until = now_ms() + wait_ms_max;
    uint64_t left = wait_ms_max;
    for (;;) {
        grove_status status =
            grove__kv_watch_wait(&watch->changes, (uint32_t)left, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        uint64_t commit;
        status = grove_store_commit(watch->store, &commit, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        if (commit != watch->commit) {
            watch->commit = commit;
            if (commit_out != NULL) {
                *commit_out = commit;
            }
            return GROVE_OK;
        }
        /* A snapshot, a roll-up: something changed, and nothing was added. */
        uint64_t now = now_ms();
        left = now < until ? until - now : 0;
    }
}

int grove_watch_descriptor(const grove_watch *watch)
{
    return grove__kv_watch_descriptor(&watch->changes);
}

void grove_watch_close(grove_watch *watch)
{
    if (watch == NULL) {
        return;
    }
    grove_store *store = watch->store;
    grove__kv_watch_close(&watch->changes);
    (void)atomic_fetch_sub(&store->handle_count, 1);
    grove__deallocate(store->allocator, watch, sizeof *watch);
}
