#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "memory_env.h"

static grove_backend_statistics statistics_of(grove_backend_env *env)
{
    grove_backend_statistics statistics;
    cr_assert_eq(memory_backend()->statistics(env, &statistics, NULL), GROVE_OK);
    return statistics;
}

typedef struct lags {
    uint64_t of[8];
    uint32_t count;
} lags;

static bool add_lag(void *context, const grove_backend_reader *reader)
{
    lags *list = context;
    cr_assert_eq(reader->process, (uint64_t)getpid());
    list->of[list->count++] = reader->lag;
    return true;
}

Test(memory_env, readers_are_known_by_the_commit_that_they_read)
{
    faulty_allocator memory;
    faulty_allocator_init(&memory, 0);
    grove_backend_options options = memory_options(&memory.allocator, NULL);
    grove_backend_env *env = memory_open_env(&options);
    grove_backend_txn *readers[3];
    lags list = {.count = 0};
    for (size_t index = 0; index < 3; index++) {
        readers[index] = memory_begin_txn(env, GROVE_TXN_READ);
        cr_assert_eq(memory_save_string(env, "key", "value"), GROVE_OK);
    }
    cr_assert_eq(memory_backend()->readers(env, add_lag, &list, NULL), GROVE_OK);
    cr_assert_eq(list.count, 3);
    for (size_t index = 0; index < 3; index++) {
        cr_assert_eq(list.of[index], 3 - index);
    }
    cr_assert_eq(statistics_of(env).oldest_reader_lag, 3);
    memory_backend()->abort(readers[0]);
    cr_assert_eq(statistics_of(env).oldest_reader_lag, 2);
    cr_assert_eq(statistics_of(env).oldest_reader_process, (uint64_t)getpid());
    readers[0] = memory_begin_txn(env, GROVE_TXN_READ);
    cr_assert_eq(statistics_of(env).readers, 3);
    for (size_t index = 0; index < 3; index++) {
        memory_backend()->abort(readers[index]);
    }
    cr_assert_eq(statistics_of(env).readers, 0);
    cr_assert_eq(statistics_of(env).oldest_reader_lag, 0);
    memory_backend()->close(env);
    faulty_allocator_finish(&memory);
}

typedef struct second_writer {
    grove_backend_env *env;
    grove_status status;
    grove_error error;
} second_writer;

static void *begin_second(void *argument)
{
    second_writer *self = argument;
    grove_backend_txn *txn;
    self->status =
        memory_backend()->begin(self->env, GROVE_TXN_WRITE, &txn, &self->error);
    return NULL;
}

Test(memory_env, who_waits_too_long_is_told_of_the_process_and_the_time)
{
    faulty_allocator memory;
    pthread_t thread;
    char process[32];
    faulty_allocator_init(&memory, 0);
    grove_backend_options options = memory_options(&memory.allocator, NULL);
    options.wait_ms_max = 10;
    second_writer second = {.env = memory_open_env(&options)};
    grove_backend_txn *txn = memory_begin_txn(second.env, GROVE_TXN_WRITE);
    cr_assert_eq(statistics_of(second.env).writer_process, (uint64_t)getpid());
    cr_assert_eq(pthread_create(&thread, NULL, begin_second, &second), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(second.status, GROVE_BUSY);
    (void)snprintf(process, sizeof process, "process %ld", (long)getpid());
    cr_assert_not_null(strstr(second.error.message, process));
    cr_assert_not_null(strstr(second.error.message, "in 10 ms"));
    cr_assert_geq(statistics_of(second.env).writer_ms, 10);
    memory_backend()->abort(txn);
    cr_assert_eq(statistics_of(second.env).writer_process, 0);
    cr_assert_eq(statistics_of(second.env).writer_ms, 0);
    memory_backend()->close(second.env);
    faulty_allocator_finish(&memory);
}

Test(memory_env, the_reserve_is_an_eighth_of_the_limit_up_to_its_own)
{
    static const struct {
        uint64_t limit, reserve;
    } CASES[] = {{1 << 20, 1 << 17},
                 {UINT64_C(1) << 29, UINT64_C(1) << 26},
                 {UINT64_C(1) << 29 | 8, UINT64_C(1) << 26},
                 {UINT64_MAX, UINT64_C(1) << 26}};
    for (size_t index = 0; index < sizeof CASES / sizeof *CASES; index++) {
        faulty_allocator memory;
        faulty_allocator_init(&memory, 0);
        grove_backend_options options = memory_options(&memory.allocator, NULL);
        options.size_limit_bytes = CASES[index].limit;
        grove_backend_env *env = memory_open_env(&options);
        cr_assert_eq(statistics_of(env).reserve_bytes, CASES[index].reserve);
        cr_assert_eq(statistics_of(env).size_limit_bytes, CASES[index].limit);
        cr_assert_eq(memory_backend()->grow(env, NULL), GROVE_NONE);
        memory_backend()->close(env);
        faulty_allocator_finish(&memory);
    }
}

Test(memory_env, what_its_own_disk_holds_can_be_copied_and_goes_with_it)
{
    faulty_allocator memory;
    faulty_allocator_init(&memory, 0);
    grove_backend_options options = memory_options(&memory.allocator, NULL);
    grove_backend_env *env = memory_open_env(&options);
    grove_error error = {.status = GROVE_OK};
    cr_assert_eq(memory_save_string(env, "key", "value"), GROVE_OK);
    cr_assert_eq(memory_backend()->copy(env, "copy", false, &error), GROVE_OK);
    cr_assert_eq(memory_backend()->copy(env, "copy", false, &error), GROVE_INVALID);
    cr_assert_not_null(strstr(error.message, "never replaces"));
    cr_assert_eq(memory_backend()->copy(env, options.path, false, &error), GROVE_INVALID);
    memory_backend()->close(env);
    faulty_allocator_finish(&memory);
}

Test(memory_env, a_copy_is_all_or_nothing_when_memory_is_out)
{
    for (size_t nth = 1;; nth++) {
        faulty_allocator store_memory;
        faulty_allocator disk_memory;
        faulty_allocator_init(&store_memory, 0);
        faulty_allocator_init(&disk_memory, 0);
        grove_memory_disk *disk = grove_memory_disk_new(&disk_memory.allocator);
        grove_backend_options options = memory_options(&store_memory.allocator, disk);
        grove_backend_env *env = memory_open_env(&options);
        cr_assert_eq(memory_save_string(env, "a", "1"), GROVE_OK);
        cr_assert_eq(memory_save_string(env, "b", "2"), GROVE_OK);
        disk_memory.fails_at = disk_memory.calls + nth;
        grove_status status = memory_backend()->copy(env, "copy", false, NULL);
        bool has_failed = disk_memory.has_failed;
        disk_memory.fails_at = 0;
        options.path = "copy";
        options.must_exist = true;
        grove_backend_env *copy = NULL;
        if (has_failed) {
            cr_assert_eq(status, GROVE_NO_MEMORY);
            cr_assert_eq(memory_backend()->open(&options, &copy, NULL), GROVE_NONE);
            cr_assert_eq(memory_backend()->copy(env, "copy", true, NULL), GROVE_OK);
        }
        copy = memory_open_env(&options);
        cr_assert(memory_holds(copy, "a", "1"));
        cr_assert(memory_holds(copy, "b", "2"));
        memory_backend()->close(copy);
        memory_backend()->close(env);
        faulty_allocator_finish(&store_memory);
        grove_memory_disk_free(disk);
        faulty_allocator_finish(&disk_memory);
        if (!has_failed) {
            cr_assert_gt(nth, 5);
            break;
        }
    }
}

Test(memory_env, a_power_cut_ends_watches_and_changes_the_boot)
{
    faulty_allocator memory;
    faulty_allocator_init(&memory, 0);
    grove_memory_disk *disk = grove_memory_disk_new(NULL);
    grove_backend_options options = memory_options(&memory.allocator, disk);
    grove_backend_env *env = memory_open_env(&options);
    grove_backend_watch *watch;
    grove_backend_identity before;
    grove_backend_identity after;
    grove_error error = {.status = GROVE_OK};
    cr_assert_eq(memory_backend()->identity(env, &before, NULL), GROVE_OK);
    cr_assert_eq(memory_backend()->watch_open(env, &watch, NULL), GROVE_OK);
    grove_memory_disk_cut_power(disk);
    cr_assert_eq(memory_backend()->watch_wait(watch, 0, &error), GROVE_IO);
    cr_assert_eq(error.status, GROVE_IO);
    memory_backend()->watch_close(watch);
    memory_backend()->close(env);
    env = memory_open_env(&options);
    cr_assert_eq(memory_backend()->identity(env, &after, NULL), GROVE_OK);
    cr_assert_eq(after.place, before.place);
    cr_assert_neq(after.boot, before.boot);
    memory_backend()->close(env);
    grove_memory_disk_free(disk);
    faulty_allocator_finish(&memory);
}
