#include "process.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "actions.h"

enum {
    WAIT_MS_USUAL = 20000,
    WAIT_MS_IMPATIENT = 10,
    ACTIONS_MIN = 100,
    ACTIONS_MAX = 3000,
    /* What a process may map beyond what it has, so that its map of the store
     * begins small and has to grow; and so many times the store's file. */
    ADDRESS_BYTES_FREE = 48 << 20,
    ADDRESS_FILES_FREE = 4
};

stress_worker process_worker(stress_board *board, uint32_t slot, uint32_t thread,
                             uint64_t seed)
{
    stress_worker worker = {
        .board = board,
        .slot = slot,
        .thread = thread,
        .first_author = (slot * THREADS_MAX + thread) * AUTHORS_OF_THREAD,
        .when = WHEN_ANY,
        .wait_ms_max = WAIT_MS_USUAL,
        .durability = GROVE_DURABILITY_RELAXED,
        .random = {seed},
    };
    return worker;
}

/* Opens the store with little address space, and has enough again then. */
static void open_store_in_little_space(stress_worker *self)
{
    struct rlimit usual;
    struct rlimit little;
    char line[64] = "";
    char path[600];
    struct stat about;
    (void)snprintf(path, sizeof path, "%s/data.mdb", self->board->options.directory);
    rlim_t file_bytes = stat(path, &about) == 0 ? (rlim_t)about.st_size : 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm == NULL || fgets(line, sizeof line, statm) == NULL ||
        getrlimit(RLIMIT_AS, &usual) != 0) {
        stress_fail(self->board, "nobody knows the size of this process");
    }
    (void)fclose(statm);
    rlim_t pages = strtoul(line, NULL, 10);
    little = usual;
    little.rlim_cur = pages * (rlim_t)sysconf(_SC_PAGESIZE) + ADDRESS_BYTES_FREE +
                      ADDRESS_FILES_FREE * file_bytes;
    if (setrlimit(RLIMIT_AS, &little) != 0) {
        stress_fail(self->board, "the address space cannot be limited");
    }
    self->store = worker_opens_store(self);
    (void)setrlimit(RLIMIT_AS, &usual);
}

static bool may_limit_space(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false; /* they have terabytes of it */
#else
    return true;
#endif
}

static void *run_thread(void *context)
{
    worker_run(context);
    return NULL;
}

void process_run(stress_board *board, uint32_t slot, uint64_t seed, bool is_whole)
{
    stress_worker workers[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    stress_worker first = process_worker(board, slot, 0, seed);
    uint32_t count = board->options.threads;
    if (!is_whole) {
        count = 1 + worker_below(&first, count);
    }
    if (worker_has_chance(&first, 50)) {
        first.durability = GROVE_DURABILITY_FULL;
    }
    if (worker_has_chance(&first, 20)) {
        first.wait_ms_max = WAIT_MS_IMPATIENT;
        first.when |= WHEN_IMPATIENT;
    }
    first.is_alone = count == 1;
    if (may_limit_space() && worker_has_chance(&first, 40)) {
        open_store_in_little_space(&first);
    } else {
        first.store = worker_opens_store(&first);
    }
    for (uint32_t thread = 0; thread < count; thread++) {
        workers[thread] = first;
        workers[thread].thread = thread;
        workers[thread].first_author += thread * AUTHORS_OF_THREAD;
        workers[thread].random.state = test_random_next(&first.random);
        workers[thread].actions_left =
            is_whole ? 0 : ACTIONS_MIN + worker_below(&first, ACTIONS_MAX);
        if (pthread_create(&threads[thread], NULL, run_thread, &workers[thread]) != 0) {
            stress_fail(board, "no thread");
        }
    }
    for (uint32_t thread = 0; thread < count; thread++) {
        (void)pthread_join(threads[thread], NULL);
    }
    grove_store_close(first.store);
}

/* No handle of a process that is gone stands in the way of a compaction. */
static void find_no_pins(stress_worker *self)
{
    for (uint32_t place = 0; place < SHARED_PLACES; place++) {
        grove_error error;
        grove_compact_result result;
        grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
        options.window_events = 0;
        stress_handle *handle =
            handle_open(self, self->store, place, self->first_author, true, true);
        /* An event that knows all others, so that all may go before it. */
        if (!self->board->documents[handle->index].is_compacted ||
            !handle_make(handle, 1) || !handle_save(handle, false) ||
            !act_hand_in_state(handle)) {
            handle_close(handle);
            continue;
        }
        grove_status status =
            grove_document_compact(handle->document, &options, &result, &error);
        if (worker_answer(self, CALL_COMPACT, WHEN_ANY, status, &error) != GROVE_OK) {
            stress_fail(self->board, "nobody else is there, and a compaction says %s",
                        error.message);
        }
        if (result.base_clock != grove_document_clock(handle->document)) {
            stress_fail(self->board,
                        "document %u cannot be compacted beyond clock %llu, as if a "
                        "process that is gone had it open",
                        handle->index, (unsigned long long)result.base_clock);
        }
        handle_close(handle);
    }
}

static void find_nobody(stress_worker *self)
{
    grove_error error;
    grove_store_statistics statistics;
    grove_status status = grove_store_statistics_get(self->store, &statistics, &error);
    (void)worker_answer(self, CALL_STORE_STATISTICS, WHEN_ANY, status, &error);
    const grove_backend_statistics *backend = &statistics.backend;
    if (backend->readers != 0 || backend->oldest_reader_lag != 0 ||
        backend->retained_bytes != 0 || backend->writer_process != 0) {
        stress_fail(
            self->board,
            "%u readers are left, the oldest of process %llu, and the writer %llu",
            backend->readers, (unsigned long long)backend->oldest_reader_process,
            (unsigned long long)backend->writer_process);
    }
}

void process_keep(stress_board *board, uint64_t seed)
{
    struct timespec time = {0, 5000000};
    stress_worker keeper = process_worker(board, PROCESSES_MAX, 0, seed);
    keeper.is_alone = true;
    keeper.store = worker_opens_store(&keeper);
    atomic_store(&board->is_kept, true);
    while (!atomic_load(&board->is_left)) {
        (void)nanosleep(&time, NULL);
    }
    find_no_pins(&keeper);
    find_nobody(&keeper);
    grove_store_close(keeper.store);
}
