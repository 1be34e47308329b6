/*
 * Opening and closing a store: options to defaults, the backend's environment,
 * the store's own record.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include <grove/verify.h>

#include "base/assert.h"
#include "base/error.h"
#include "commit/commit.h"
#include "commit/store.h"
#include "store/identity.h"

enum { WAIT_MS_MAX = 10000 };
enum { DIRECTORY_MODE = 0700, FILE_MODE = 0600, MODE_BITS = 07777 };

#define SIZE_LIMIT_BYTES_DEFAULT (UINT64_C(64) << 30)
#define SIZE_LIMIT_BYTES_MIN (UINT64_C(1) << 20)

static int64_t system_now(void *context)
{
    (void)context;
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool system_random(void *context, void *bytes, size_t size)
{
    (void)context;
    uint8_t *next = bytes;
    while (size > 0) {
        ssize_t got = getrandom(next, size, 0);
        if (got < 0 && errno != EINTR) {
            return false;
        }
        if (got > 0) {
            next += got;
            size -= (size_t)got;
        }
    }
    return true;
}

/* Replaces what was left out by its default and refuses what cannot be. */
static grove_status complete_options(const grove_store_options *given,
                                     grove_store_options *options_out,
                                     grove_error *error_out)
{
    grove_store_options options = GROVE_STORE_OPTIONS_INIT;
    if (given != NULL) {
        if (given->size != sizeof *given) {
            return grove__fail(
                error_out, GROVE_INVALID,
                "grove_store_options has %zu bytes, this library expects %zu; "
                "initialize it with GROVE_STORE_OPTIONS_INIT",
                given->size, sizeof *given);
        }
        options = *given;
    }
    options.backend =
        options.backend != NULL ? options.backend : grove_backend_find(NULL);
    options.directory_mode =
        options.directory_mode != 0 ? options.directory_mode : (uint32_t)DIRECTORY_MODE;
    options.file_mode = options.file_mode != 0 ? options.file_mode : (uint32_t)FILE_MODE;
    if (options.size_limit_bytes == 0) {
        options.size_limit_bytes = SIZE_LIMIT_BYTES_DEFAULT;
    }
    if (options.memory_bytes_max == 0) {
        options.memory_bytes_max = SIZE_MAX;
    }
    if (options.wait_ms_max == 0) {
        options.wait_ms_max = WAIT_MS_MAX;
    }
    if ((options.directory_mode | options.file_mode) & ~(uint32_t)MODE_BITS) {
        return grove__fail(error_out, GROVE_INVALID, "a mode has bits beyond 07777");
    }
    if (options.size_limit_bytes < SIZE_LIMIT_BYTES_MIN ||
        options.size_limit_bytes > GROVE_STORE_BYTES_MAX) {
        return grove__fail(error_out, GROVE_INVALID,
                           "size_limit_bytes is %llu; it may be %llu to %llu",
                           (unsigned long long)options.size_limit_bytes,
                           (unsigned long long)SIZE_LIMIT_BYTES_MIN,
                           (unsigned long long)GROVE_STORE_BYTES_MAX);
    }
    if ((unsigned)options.durability > GROVE_DURABILITY_NONE) {
        return grove__fail(error_out, GROVE_INVALID,
                           "durability is none of grove_durability");
    }
    *options_out = options;
    return GROVE_OK;
}

static grove_status open_environment(grove_store *store, const char *path,
                                     const grove_store_options *options,
                                     bool may_be_damaged, grove_error *error_out)
{
    grove_backend_options backend_options = {
        .path = path,
        .context = options->backend_context,
        .directory_mode = options->directory_mode,
        .file_mode = options->file_mode,
        .size_limit_bytes = options->size_limit_bytes,
        .durability = options->durability,
        .must_exist = options->must_exist,
        .may_be_damaged = may_be_damaged,
        .may_be_remote = options->may_be_remote,
        .wait_ms_max = options->wait_ms_max,
        .allocator = store->allocator,
    };
    store->backend_options = backend_options;
    store->backend_options.path = NULL;
    grove_status status =
        grove__kv_open(options->backend, &backend_options, &store->kv, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (may_be_damaged) {
        status = grove__identity_look(store, error_out);
    } else {
        status = grove__identity_settle(store, options, error_out);
    }
    if (status == GROVE_NONE) {
        (void)grove__fail(error_out, GROVE_NONE, "there is no store at %s", path);
    }
    if (status != GROVE_OK) {
        grove__kv_close(&store->kv);
    }
    return status;
}

static grove_status open_store(const char *path, const grove_store_options *options,
                               bool may_be_damaged, grove_store **store_out,
                               grove_error *error_out)
{
    if (path == NULL || path[0] == '\0') {
        return grove__fail(error_out, GROVE_INVALID, "the path is empty");
    }
    grove_store_options complete;
    grove_status status = complete_options(options, &complete, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    const grove_allocator *under =
        complete.allocator != NULL ? complete.allocator : &grove__allocator_system;
    grove_store *store = grove__allocate_zeroed(under, sizeof *store);
    if (store == NULL) {
        return grove__fail_memory(error_out);
    }
    store->under = *under;
    grove__budget_init(&store->budget, &store->under, complete.memory_bytes_max);
    store->allocator = &store->budget.allocator;
    store->clock =
        complete.clock != NULL ? *complete.clock : (grove_clock){NULL, system_now};
    store->random =
        complete.random != NULL ? *complete.random : (grove_random){NULL, system_random};
    grove__commit_queue_init(&store->queue);
    complete.must_exist = complete.must_exist || may_be_damaged;
    status = open_environment(store, path, &complete, may_be_damaged, error_out);
    if (status != GROVE_OK) {
        grove__commit_queue_release(&store->queue);
        grove_allocator to_free = store->under;
        grove__deallocate(&to_free, store, sizeof *store);
        return status;
    }
    *store_out = store;
    return GROVE_OK;
}

grove_status grove_store_open(const char *path, const grove_store_options *options,
                              grove_store **store_out, grove_error *error_out)
{
    return open_store(path, options, false, store_out, error_out);
}

grove_status grove_store_open_damaged(const char *path,
                                      const grove_store_options *options,
                                      grove_store **store_out, grove_error *error_out)
{
    return open_store(path, options, true, store_out, error_out);
}

void grove_store_close(grove_store *store)
{
    if (store == NULL) {
        return;
    }
    GROVE_ASSERT_ARG(atomic_load(&store->handle_count) == 0);
    /* In a child of fork the queue is as some thread of the parent left it. */
    if (!grove__kv_is_forked(&store->kv)) {
        grove__identity_leave(store);
        grove__commit_queue_release(&store->queue);
    }
    grove__kv_close(&store->kv);
    grove_allocator under = store->under;
    grove__deallocate(&under, store, sizeof *store);
}

grove_status grove_store_sync(grove_store *store, grove_error *error_out)
{
    return grove__kv_sync(&store->kv, error_out);
}

grove_status grove_store_commit(grove_store *store, uint64_t *commit_out,
                                grove_error *error_out)
{
    grove__txn txn;
    grove_status status = grove__txn_begin(&store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__commit_newest(&txn, commit_out, error_out);
    grove__txn_abort(&txn);
    return status;
}

grove_status grove_store_readers(grove_store *store, grove_backend_reader_fn each,
                                 void *context, grove_error *error_out)
{
    return grove__kv_readers(&store->kv, each, context, error_out);
}

grove_status grove_store_statistics_get(grove_store *store,
                                        grove_store_statistics *statistics_out,
                                        grove_error *error_out)
{
    grove_store_statistics statistics = {
        .backend_name = store->kv.backend->name,
        .incarnation = store->incarnation,
        .memory_bytes = atomic_load(&store->budget.used),
    };
    grove_status status = grove_store_commit(store, &statistics.commit, error_out);
    if (status == GROVE_OK) {
        status = grove__kv_statistics(&store->kv, &statistics.backend, error_out);
    }
    if (status == GROVE_OK) {
        *statistics_out = statistics;
    }
    return status;
}

void grove_bytes_free(grove_store *store, grove_bytes bytes)
{
    /* Handed out as one allocation of exactly this size (group.c), as const for
     * the reader; that it is ours to give back is known here only. */
    if (bytes.size > 0) {
        void *memory;
        memcpy(&memory, &bytes.data, sizeof memory);
        grove__deallocate(store->allocator, memory, bytes.size);
    }
}
