#include <criterion/criterion.h>
#include <signal.h>

#include "memory_env.h"

/* A disk whose memory is counted, apart from that of its stores. */
typedef struct disk_fixture {
    faulty_allocator disk_memory;
    faulty_allocator store_memory;
    grove_memory_disk *disk;
} disk_fixture;

static void fixture_init(disk_fixture *fixture)
{
    faulty_allocator_init(&fixture->disk_memory, 0);
    faulty_allocator_init(&fixture->store_memory, 0);
    fixture->disk = grove_memory_disk_new(&fixture->disk_memory.allocator);
    cr_assert_not_null(fixture->disk);
}

static void fixture_finish(disk_fixture *fixture)
{
    faulty_allocator_finish(&fixture->store_memory);
    grove_memory_disk_free(fixture->disk);
    faulty_allocator_finish(&fixture->disk_memory);
}

static grove_backend_options options_of(disk_fixture *fixture,
                                        grove_durability durability)
{
    grove_backend_options options =
        memory_options(&fixture->store_memory.allocator, fixture->disk);
    options.durability = durability;
    return options;
}

Test(disk, a_power_cut_takes_what_was_not_synced)
{
    static const struct {
        grove_durability durability;
        bool syncs;
        const char *left; /* of first, second */
    } cases[] = {
        {GROVE_DURABILITY_FULL, false, "second"},
        {GROVE_DURABILITY_FULL, true, "second"},
        {GROVE_DURABILITY_RELAXED, true, "first"},
        {GROVE_DURABILITY_NONE, true, "first"},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        disk_fixture fixture;
        fixture_init(&fixture);
        grove_backend_options options = options_of(&fixture, cases[index].durability);
        grove_backend_env *env = memory_open_env(&options);
        cr_assert_eq(memory_save_string(env, "key", "first"), GROVE_OK);
        if (cases[index].syncs) {
            cr_assert_eq(memory_backend()->sync(env, NULL), GROVE_OK);
        }
        cr_assert_eq(memory_save_string(env, "key", "second"), GROVE_OK);
        memory_backend()->close(env);
        grove_memory_disk_cut_power(fixture.disk);
        options.must_exist = true;
        env = memory_open_env(&options);
        cr_assert(memory_holds(env, "key", cases[index].left), "case %zu", index);
        memory_backend()->close(env);
        fixture_finish(&fixture);
    }
}

Test(disk, a_power_cut_takes_an_environment_that_was_never_synced)
{
    disk_fixture fixture;
    fixture_init(&fixture);
    grove_backend_options options = options_of(&fixture, GROVE_DURABILITY_RELAXED);
    grove_backend_env *env = memory_open_env(&options);
    cr_assert_eq(memory_save_string(env, "key", "value"), GROVE_OK);
    memory_backend()->close(env);
    grove_memory_disk_cut_power(fixture.disk);
    options.must_exist = true;
    cr_assert_eq(memory_backend()->open(&options, &env, NULL), GROVE_NONE);
    options.must_exist = false;
    env = memory_open_env(&options);
    cr_assert(memory_holds(env, "key", NULL));
    memory_backend()->close(env);
    fixture_finish(&fixture);
}

Test(disk, what_was_open_at_a_power_cut_can_only_be_closed)
{
    disk_fixture fixture;
    fixture_init(&fixture);
    grove_backend_options options = options_of(&fixture, GROVE_DURABILITY_FULL);
    grove_backend_env *env = memory_open_env(&options);
    cr_assert_eq(memory_save_string(env, "key", "value"), GROVE_OK);
    grove_backend_txn *reader = memory_begin_txn(env, GROVE_TXN_READ);
    grove_backend_txn *writer = memory_begin_txn(env, GROVE_TXN_WRITE);
    cr_assert_eq(memory_put_string(writer, "key", "lost"), GROVE_OK);
    grove_memory_disk_cut_power(fixture.disk);

    grove_error error = {GROVE_OK, 0, ""};
    grove_backend_txn *txn;
    grove_backend_statistics statistics;
    cr_assert_eq(memory_backend()->commit(writer, &error), GROVE_IO);
    cr_assert_eq(error.status, GROVE_IO);
    cr_assert_eq(memory_backend()->begin(env, GROVE_TXN_READ, &txn, NULL), GROVE_IO);
    cr_assert_eq(memory_backend()->begin(env, GROVE_TXN_WRITE, &txn, NULL), GROVE_IO);
    cr_assert_eq(memory_backend()->sync(env, NULL), GROVE_IO);
    cr_assert_eq(memory_backend()->statistics(env, &statistics, NULL), GROVE_IO);
    memory_backend()->abort(reader);
    memory_backend()->close(env);

    env = memory_open_env(&options);
    cr_assert(memory_holds(env, "key", "value"));
    memory_backend()->close(env);
    fixture_finish(&fixture);
}

Test(disk, environments_of_other_paths_are_apart)
{
    disk_fixture fixture;
    fixture_init(&fixture);
    grove_backend_options options = options_of(&fixture, GROVE_DURABILITY_FULL);
    grove_backend_env *env = memory_open_env(&options);
    options.path = "another place";
    grove_backend_env *other = memory_open_env(&options);
    cr_assert_eq(memory_save_string(env, "key", "value"), GROVE_OK);
    cr_assert(memory_holds(other, "key", NULL));
    memory_backend()->close(env);
    memory_backend()->close(other);
    fixture_finish(&fixture);
}

Test(disk, two_handles_on_one_path_share_the_environment)
{
    disk_fixture fixture;
    fixture_init(&fixture);
    grove_backend_options options = options_of(&fixture, GROVE_DURABILITY_FULL);
    grove_backend_env *env = memory_open_env(&options);
    options.wait_ms_max++;
    grove_backend_env *other = memory_open_env(&options);
    cr_assert_eq(memory_save_string(other, "by other", "value"), GROVE_OK);
    cr_assert_eq(memory_save_string(env, "by env", "value"), GROVE_OK);
    cr_assert(memory_holds(env, "by other", "value"));
    memory_backend()->close(env);
    cr_assert(memory_holds(other, "by env", "value"));
    memory_backend()->close(other);
    fixture_finish(&fixture);
}

Test(disk, a_second_handle_with_other_options_is_refused_until_the_first_is_closed)
{
    static const char *const turned[] = {"two", "one"};
    disk_fixture fixture;
    fixture_init(&fixture);
    const grove_backend_options options = options_of(&fixture, GROVE_DURABILITY_FULL);
    grove_backend_options others[] = {options, options, options, options};
    others[0].size_limit_bytes++;
    others[1].durability = GROVE_DURABILITY_RELAXED;
    others[2].table_names = turned;
    others[3].table_count = 1;
    for (size_t index = 0; index < sizeof others / sizeof *others; index++) {
        grove_backend_env *env = memory_open_env(&options);
        grove_backend_env *other = NULL;
        grove_error error = {.status = GROVE_OK};
        cr_assert_eq(memory_backend()->open(&others[index], &other, &error),
                     GROVE_INVALID);
        cr_assert_not_null(strstr(error.message, "is open with another"));
        memory_backend()->close(env);
        memory_backend()->close(memory_open_env(&others[index]));
    }
    fixture_finish(&fixture);
}

Test(disk, a_sync_that_fails_is_told_once_and_spoils_the_environment_until_reopened)
{
    disk_fixture fixture;
    fixture_init(&fixture);
    grove_backend_options options = options_of(&fixture, GROVE_DURABILITY_FULL);
    grove_backend_env *env = memory_open_env(&options);
    grove_backend_txn *txn = NULL;
    cr_assert_eq(memory_save_string(env, "key", "before"), GROVE_OK);
    grove_memory_disk_fail_sync(fixture.disk);
    cr_assert_eq(memory_save_string(env, "key", "after"), GROVE_IO);
    cr_assert_eq(memory_save_string(env, "key", "later"), GROVE_FAILED);
    cr_assert_eq(memory_backend()->begin(env, GROVE_TXN_READ, &txn, NULL), GROVE_FAILED);
    cr_assert_eq(memory_backend()->sync(env, NULL), GROVE_FAILED);
    memory_backend()->close(env);
    env = memory_open_env(&options);
    cr_assert(memory_holds(env, "key", "after"));
    memory_backend()->close(env);
    grove_memory_disk_cut_power(fixture.disk);
    env = memory_open_env(&options);
    cr_assert(memory_holds(env, "key", "before"));
    grove_memory_disk_fail_sync(fixture.disk);
    cr_assert_eq(memory_backend()->sync(env, NULL), GROVE_IO);
    cr_assert_eq(memory_backend()->sync(env, NULL), GROVE_FAILED);
    memory_backend()->close(env);
    fixture_finish(&fixture);
}

Test(disk, a_reader_from_before_a_table_was_known_finds_it_empty)
{
    disk_fixture fixture;
    fixture_init(&fixture);
    grove_backend_options options = options_of(&fixture, GROVE_DURABILITY_FULL);
    memory_backend()->close(memory_open_env(&options));
    static const char *const names[] = {"new"};
    options.table_names = names;
    options.table_count = 1;
    grove_backend_env *env = memory_open_env(&options);
    cr_assert(memory_holds(env, "key", NULL));
    cr_assert_eq(memory_save_string(env, "key", "value"), GROVE_OK);
    cr_assert(memory_holds(env, "key", "value"));
    memory_backend()->close(env);
    fixture_finish(&fixture);
}

Test(disk, readers_have_slots_and_one_more_is_refused)
{
    enum { SLOTS = 126 };
    disk_fixture fixture;
    fixture_init(&fixture);
    grove_backend_options options = options_of(&fixture, GROVE_DURABILITY_FULL);
    grove_backend_env *env = memory_open_env(&options);
    grove_backend_txn *readers[SLOTS];
    for (size_t index = 0; index < SLOTS; index++) {
        readers[index] = memory_begin_txn(env, GROVE_TXN_READ);
    }
    grove_backend_txn *txn;
    cr_assert_eq(memory_backend()->begin(env, GROVE_TXN_READ, &txn, NULL), GROVE_BUSY);
    memory_backend()->abort(readers[0]);
    readers[0] = memory_begin_txn(env, GROVE_TXN_READ);
    for (size_t index = 0; index < SLOTS; index++) {
        memory_backend()->abort(readers[index]);
    }
    memory_backend()->close(env);
    fixture_finish(&fixture);
}

Test(disk, freeing_a_disk_under_an_open_store_stops, .signal = SIGABRT)
{
    grove_memory_disk *disk = grove_memory_disk_new(NULL);
    faulty_allocator memory;
    faulty_allocator_init(&memory, 0);
    grove_backend_options options = memory_options(&memory.allocator, disk);
    (void)memory_open_env(&options);
    grove_memory_disk_free(disk);
}

Test(disk, no_disk_is_freed_quietly)
{
    grove_memory_disk_free(NULL);
}

Test(disk, a_disk_needs_memory)
{
    faulty_allocator memory;
    faulty_allocator_init(&memory, 1);
    cr_assert_null(grove_memory_disk_new(&memory.allocator));
    faulty_allocator_finish(&memory);
}
