#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "disk_faults.h"
#include "lmdb_child.h"
#include "lmdb_fixture.h"

#include "support/faulty_allocator.h"

/* A store with some numbers, and paths for its copy. */
typedef struct copy_fixture {
    lmdb_fixture lmdb;
    grove_backend_env *env;
    char copy[TEMP_DIR_PATH_BYTES];
    char part[TEMP_DIR_PATH_BYTES];
    char part_data[TEMP_DIR_PATH_BYTES];
} copy_fixture;

enum { NUMBERS = 50 };

static void copy_fixture_make(copy_fixture *fixture)
{
    lmdb_fixture_make(&fixture->lmdb);
    lmdb_fill(&fixture->lmdb, NUMBERS, 5000);
    fixture->env = lmdb_open_env(&fixture->lmdb);
    (void)temp_dir_path(&fixture->lmdb.dir, "copy", fixture->copy);
    (void)temp_dir_path(&fixture->lmdb.dir, "copy.part", fixture->part);
    (void)temp_dir_path(&fixture->lmdb.dir, "copy.part/data.mdb", fixture->part_data);
}

static void copy_fixture_remove(copy_fixture *fixture)
{
    fixture->lmdb.backend->close(fixture->env);
    lmdb_fixture_remove(&fixture->lmdb);
}

static grove_status copy(copy_fixture *fixture)
{
    return fixture->lmdb.backend->copy(fixture->env, fixture->copy, false,
                                       &fixture->lmdb.error);
}

static void assert_copy_is_whole(copy_fixture *fixture)
{
    lmdb_fixture other = fixture->lmdb;
    other.options.path = fixture->copy;
    other.options.must_exist = true;
    grove_backend_env *env = lmdb_open_env(&other);
    grove_backend_txn *txn = lmdb_begin_txn(&other, env, GROVE_TXN_READ);
    for (uint32_t number = 0; number < NUMBERS; number++) {
        cr_assert(lmdb_has_number(&other, txn, number));
    }
    cr_assert_not(lmdb_has_number(&other, txn, NUMBERS));
    other.backend->abort(txn);
    other.backend->close(env);
}

static void assert_nothing_is_left(const copy_fixture *fixture)
{
    cr_assert_not(lmdb_is_there(fixture->copy));
    cr_assert_not(lmdb_is_there(fixture->part));
}

Test(lmdb_copy, has_the_modes_of_the_store)
{
    copy_fixture fixture;
    struct stat about;
    char data[TEMP_DIR_PATH_BYTES];
    copy_fixture_make(&fixture);
    (void)umask(0);
    fixture.lmdb.backend->close(fixture.env);
    fixture.lmdb.options.directory_mode = 0750;
    fixture.lmdb.options.file_mode = 0640;
    fixture.env = lmdb_open_env(&fixture.lmdb);
    cr_assert_eq(copy(&fixture), GROVE_OK, "%s", fixture.lmdb.error.message);
    cr_assert_eq(stat(fixture.copy, &about), 0);
    cr_assert_eq(about.st_mode & 07777, 0750);
    cr_assert_eq(stat(temp_dir_path(&fixture.lmdb.dir, "copy/data.mdb", data), &about),
                 0);
    cr_assert_eq(about.st_mode & 07777, 0640);
    cr_assert_eq(lmdb_count_entries(fixture.copy), 1);
    cr_assert_not(lmdb_is_there(fixture.part));
    assert_copy_is_whole(&fixture);
    copy_fixture_remove(&fixture);
}

Test(lmdb_copy, what_a_crash_left_of_another_is_used_again)
{
    static const size_t SIZES[] = {0, 10000, 10000000};
    for (size_t index = 0; index <= sizeof SIZES / sizeof *SIZES; index++) {
        copy_fixture fixture;
        copy_fixture_make(&fixture);
        cr_assert_eq(mkdir(fixture.part, 0700), 0);
        if (index < sizeof SIZES / sizeof *SIZES) {
            uint8_t *rubbish = calloc(1, SIZES[index] + 1);
            cr_assert_not_null(rubbish);
            lmdb_write_file(fixture.part_data, rubbish, SIZES[index]);
            free(rubbish);
        }
        cr_assert_eq(copy(&fixture), GROVE_OK, "%s", fixture.lmdb.error.message);
        cr_assert_not(lmdb_is_there(fixture.part));
        assert_copy_is_whole(&fixture);
        copy_fixture_remove(&fixture);
    }
}

Test(lmdb_copy, what_is_no_rest_of_a_copy_is_left_alone)
{
    static const char *const NAMES[] = {"lock.mdb", "letter", ".hidden"};
    for (size_t index = 0; index < sizeof NAMES / sizeof *NAMES; index++) {
        copy_fixture fixture;
        char other[TEMP_DIR_PATH_BYTES + 16];
        copy_fixture_make(&fixture);
        cr_assert_eq(mkdir(fixture.part, 0700), 0);
        (void)snprintf(other, sizeof other, "%s/%s", fixture.part, NAMES[index]);
        lmdb_write_file(other, "mine", 4);
        lmdb_write_file(fixture.part_data, "mine", 4);
        cr_assert_eq(copy(&fixture), GROVE_INVALID);
        cr_assert_not_null(strstr(fixture.lmdb.error.message, "copy.part"));
        cr_assert_not(lmdb_is_there(fixture.copy));
        cr_assert(lmdb_is_there(other));
        grove_bytes bytes = lmdb_read_file(fixture.part_data);
        cr_assert_eq(bytes.size, 4);
        free((void *)(uintptr_t)bytes.data);
        copy_fixture_remove(&fixture);
    }
}

Test(lmdb_copy, a_path_that_is_taken_or_cannot_be_is_refused)
{
    copy_fixture fixture;
    struct stat before;
    struct stat after;
    copy_fixture_make(&fixture);
    cr_assert_eq(mkdir(fixture.copy, 0700), 0);
    cr_assert_eq(stat(fixture.copy, &before), 0);
    cr_assert_eq(copy(&fixture), GROVE_INVALID);
    cr_assert_not_null(strstr(fixture.lmdb.error.message, "never replaces"));
    cr_assert_eq(stat(fixture.copy, &after), 0);
    cr_assert_eq(after.st_ino, before.st_ino);
    cr_assert_eq(rmdir(fixture.copy), 0);
    cr_assert_eq(symlink("nowhere", fixture.copy), 0);
    cr_assert_eq(copy(&fixture), GROVE_INVALID);
    cr_assert_eq(unlink(fixture.copy), 0);
    lmdb_write_file(fixture.part, "", 0);
    cr_assert_eq(copy(&fixture), GROVE_INVALID);
    cr_assert_eq(unlink(fixture.part), 0);
    cr_assert_eq(symlink(fixture.lmdb.path, fixture.part), 0);
    cr_assert_eq(copy(&fixture), GROVE_INVALID, "the store is not its own copy");
    cr_assert_eq(unlink(fixture.part), 0);
    (void)temp_dir_path(&fixture.lmdb.dir, "nowhere/copy", fixture.copy);
    cr_assert_eq(copy(&fixture), GROVE_INVALID);
    fixture.copy[0] = '\0';
    cr_assert_eq(copy(&fixture), GROVE_INVALID);
    copy_fixture_remove(&fixture);
}

static bool lock_part(const lmdb_peer *test, void *context)
{
    const copy_fixture *fixture = context;
    int directory = open(fixture->part, O_RDONLY | O_DIRECTORY);
    if (directory < 0 || flock(directory, LOCK_EX) != 0) {
        return false;
    }
    lmdb_peer_tell(test);
    lmdb_peer_wait(test);
    return true;
}

Test(lmdb_copy, of_two_to_one_path_the_second_is_told_that_it_is_busy)
{
    copy_fixture fixture;
    copy_fixture_make(&fixture);
    cr_assert_eq(mkdir(fixture.part, 0700), 0);
    lmdb_peer child = lmdb_child_start(lock_part, &fixture);
    lmdb_peer_wait(&child);
    cr_assert_eq(copy(&fixture), GROVE_BUSY);
    cr_assert(lmdb_is_there(fixture.part), "it is the other's");
    lmdb_child_kill(&child);
    cr_assert_eq(copy(&fixture), GROVE_OK, "%s", fixture.lmdb.error.message);
    assert_copy_is_whole(&fixture);
    copy_fixture_remove(&fixture);
}

/* The other copy is done at the very moment when this one gets the lock. */
static const copy_fixture *finished;

static void finish_the_other_copy(void)
{
    disk_before_flock = NULL;
    cr_assert_eq(rename(finished->part, finished->copy), 0);
}

Test(lmdb_copy, one_that_was_finished_meanwhile_is_left_alone)
{
    copy_fixture fixture;
    char second[TEMP_DIR_PATH_BYTES];
    copy_fixture_make(&fixture);
    cr_assert_eq(copy(&fixture), GROVE_OK);
    cr_assert_eq(rename(fixture.copy, fixture.part), 0);
    finished = &fixture;
    disk_before_flock = finish_the_other_copy;
    grove_status status = copy(&fixture);
    cr_assert_null(disk_before_flock);
    cr_assert_eq(status, GROVE_BUSY);
    assert_copy_is_whole(&fixture);
    (void)temp_dir_path(&fixture.lmdb.dir, "second", second);
    cr_assert_eq(fixture.lmdb.backend->copy(fixture.env, second, true, NULL), GROVE_OK);
    copy_fixture_remove(&fixture);
}

Test(lmdb_copy, a_disk_that_is_full_or_bad_leaves_nothing)
{
    static const struct {
        disk_call call;
        int code;
        grove_status status;
    } FAULTS[] = {
        {DISK_WRITE, ENOSPC, GROVE_FULL},
        {DISK_WRITE, EIO, GROVE_IO},
    };
    for (size_t index = 0; index < sizeof FAULTS / sizeof *FAULTS; index++) {
        copy_fixture fixture;
        copy_fixture_make(&fixture);
        unsigned nth = 1;
        for (bool has_failed = true; has_failed; nth++) {
            disk_fault_set(FAULTS[index].call, nth, FAULTS[index].code);
            grove_status status = copy(&fixture);
            has_failed = disk_fault_clear();
            if (has_failed) {
                cr_assert_eq(status, FAULTS[index].status);
                assert_nothing_is_left(&fixture);
            } else {
                cr_assert_eq(status, GROVE_OK);
            }
        }
        cr_assert_gt(nth, 2);
        assert_copy_is_whole(&fixture);
        copy_fixture_remove(&fixture);
    }
}

/* With a larger limit than the test has. */
static bool grow_the_store(const lmdb_peer *test, void *context)
{
    copy_fixture *fixture = context;
    (void)test;
    fixture->lmdb.options.size_limit_bytes = 1 << 26;
    grove_backend_env *env = lmdb_open_env(&fixture->lmdb);
    for (uint32_t number = NUMBERS + 1; number < NUMBERS + 40; number++) {
        grove_backend_txn *txn = lmdb_begin_txn(&fixture->lmdb, env, GROVE_TXN_WRITE);
        if (lmdb_put_number(&fixture->lmdb, txn, number, 200000) != GROVE_OK ||
            fixture->lmdb.backend->commit(txn, NULL) != GROVE_OK) {
            return false;
        }
    }
    fixture->lmdb.backend->close(env);
    return true;
}

Test(lmdb_copy, what_others_let_grow_is_copied_whole)
{
    for (int is_compact = 0; is_compact < 2; is_compact++) {
        copy_fixture fixture;
        copy_fixture_make(&fixture);
        fixture.lmdb.backend->close(fixture.env);
        fixture.lmdb.options.size_limit_bytes = 1 << 20;
        fixture.env = lmdb_open_env(&fixture.lmdb);
        lmdb_peer child = lmdb_child_start(grow_the_store, &fixture);
        lmdb_child_end(&child);
        grove_status status = fixture.lmdb.backend->copy(
            fixture.env, fixture.copy, is_compact != 0, &fixture.lmdb.error);
        cr_assert_eq(status, GROVE_OK, "%s", fixture.lmdb.error.message);
        fixture.lmdb.options.size_limit_bytes = 1 << 26;
        assert_copy_is_whole(&fixture);
        copy_fixture_remove(&fixture);
    }
}

Test(lmdb_copy, without_memory_leaves_nothing)
{
    copy_fixture fixture;
    faulty_allocator faulty;
    copy_fixture_make(&fixture);
    fixture.lmdb.backend->close(fixture.env);
    faulty_allocator_init(&faulty, 0);
    fixture.lmdb.options.allocator = &faulty.allocator;
    fixture.env = lmdb_open_env(&fixture.lmdb);
    faulty.fails_at = faulty.calls + 1;
    cr_assert_eq(copy(&fixture), GROVE_NO_MEMORY);
    assert_nothing_is_left(&fixture);
    cr_assert_eq(copy(&fixture), GROVE_OK);
    assert_copy_is_whole(&fixture);
    copy_fixture_remove(&fixture);
    faulty_allocator_finish(&faulty);
}
