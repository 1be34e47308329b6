/* Backups of a store in use. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/store_fixture.h"

static void save_number(store_fixture *fixture, grove_store *store, const char *name,
                        uint64_t number)
{
    grove_bytes state = {(const uint8_t *)&number, sizeof number};
    assert_ok(fixture, grove_group_save(store, grove_bytes_of(name), state, NULL,
                                        &fixture->error));
}

static uint64_t number_in(store_fixture *fixture, grove_store *store, const char *name)
{
    grove_bytes state;
    uint64_t number;
    assert_ok(fixture,
              grove_group_load(store, grove_bytes_of(name), &state, &fixture->error));
    cr_assert_eq(state.size, sizeof number);
    memcpy(&number, state.data, sizeof number);
    grove_bytes_free(store, state);
    return number;
}

static grove_store *open_at(store_fixture *fixture, const char *path)
{
    grove_store *store;
    grove_store_options options = fixture->options;
    options.must_exist = true;
    assert_ok(fixture, grove_store_open(path, &options, &store, &fixture->error));
    return store;
}

STORE_TEST(backup, opening_it_gives_exactly_the_commit_that_was_told)
{
    char path[TEMP_DIR_PATH_BYTES];
    grove_store_statistics was;
    grove_store_statistics is;
    (void)temp_dir_path(&fixture->dir, "copy", path);
    for (uint64_t number = 1; number <= 20; number++) {
        save_number(fixture, fixture->store, "a", number);
    }
    for (int compact = 0; compact < 2; compact++) {
        grove_backup_options options = GROVE_BACKUP_OPTIONS_INIT;
        grove_backup_result result;
        options.is_compact = compact == 1;
        path[strlen(path) - 1] = (char)('0' + compact);
        assert_ok(fixture, grove_store_backup(fixture->store, path, &options, &result,
                                              &fixture->error));
        save_number(fixture, fixture->store, "a", 99);
        grove_store *copy = open_at(fixture, path);
        assert_ok(fixture, grove_store_statistics_get(copy, &is, &fixture->error));
        assert_ok(fixture,
                  grove_store_statistics_get(fixture->store, &was, &fixture->error));
        cr_assert_eq(is.commit, result.commit);
        cr_assert_eq(result.commit, 20 + (uint64_t)compact);
        cr_assert_gt(result.bytes, 0);
        cr_assert_eq(number_in(fixture, copy, "a"), compact == 0 ? 20 : 99);
        /* It may live on, beside the original: as another store. */
        cr_assert_neq(is.incarnation, was.incarnation);
        save_number(fixture, copy, "b", 1);
        grove_store_close(copy);
    }
}

STORE_TEST(backup, nothing_is_ever_replaced)
{
    char path[TEMP_DIR_PATH_BYTES];
    (void)temp_dir_path(&fixture->dir, "copy", path);
    save_number(fixture, fixture->store, "a", 1);
    assert_ok(fixture,
              grove_store_backup(fixture->store, path, NULL, NULL, &fixture->error));
    save_number(fixture, fixture->store, "a", 2);
    assert_fails(fixture, GROVE_INVALID,
                 grove_store_backup(fixture->store, path, NULL, NULL, &fixture->error));
    grove_store *copy = open_at(fixture, path);
    cr_assert_eq(number_in(fixture, copy, "a"), 1);
    grove_store_close(copy);
    assert_fails(fixture, GROVE_INVALID,
                 grove_store_backup(fixture->store, "", NULL, NULL, &fixture->error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_store_backup(fixture->store, fixture->dir.path, NULL, NULL,
                                    &fixture->error));
}

Test(backup, a_path_that_is_a_file_or_in_no_directory_is_refused_and_left)
{
    store_fixture fixture;
    char path[TEMP_DIR_PATH_BYTES];
    struct stat about;
    store_fixture_init(&fixture, "lmdb");
    store_fixture_open(&fixture);
    (void)temp_dir_path(&fixture.dir, "file", path);
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fclose(file), 0);
    assert_fails(&fixture, GROVE_INVALID,
                 grove_store_backup(fixture.store, path, NULL, NULL, &fixture.error));
    cr_assert_eq(stat(path, &about), 0);
    cr_assert_eq(about.st_size, 0);
    (void)temp_dir_path(&fixture.dir, "no/copy", path);
    assert_fails(&fixture, GROVE_INVALID,
                 grove_store_backup(fixture.store, path, NULL, NULL, &fixture.error));
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}

/* Two groups that are always saved with the same number, one after the other;
 * so each state of the store has a equal to b, or one more. */
static void write_until_killed(store_fixture *fixture)
{
    fixture->store = NULL;
    store_fixture_open(fixture);
    for (uint64_t number = 1;; number++) {
        save_number(fixture, fixture->store, "a", number);
        save_number(fixture, fixture->store, "b", number);
    }
}

Test(backup, each_is_the_state_of_one_commit_while_another_process_writes)
{
    store_fixture fixture;
    char path[TEMP_DIR_PATH_BYTES];
    store_fixture_init(&fixture, "lmdb");
    store_fixture_open(&fixture);
    save_number(&fixture, fixture.store, "a", 0);
    save_number(&fixture, fixture.store, "b", 0);
    pid_t child = fork();
    if (child == 0) {
        write_until_killed(&fixture);
    }
    uint64_t last = 0;
    for (int round = 0; round < 20; round++) {
        grove_backup_options options = GROVE_BACKUP_OPTIONS_INIT;
        grove_backup_result result;
        options.is_compact = round % 2 == 1;
        char name[16];
        (void)snprintf(name, sizeof name, "copy%d", round);
        (void)temp_dir_path(&fixture.dir, name, path);
        assert_ok(&fixture, grove_store_backup(fixture.store, path, &options, &result,
                                               &fixture.error));
        grove_store *copy = open_at(&fixture, path);
        uint64_t a = number_in(&fixture, copy, "a");
        uint64_t b = number_in(&fixture, copy, "b");
        cr_assert(a == b || a == b + 1);
        cr_assert_eq(result.commit, 2 + a + b);
        cr_assert_geq(result.commit, last);
        last = result.commit;
        grove_store_close(copy);
    }
    cr_assert_eq(kill(child, SIGKILL), 0);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}
