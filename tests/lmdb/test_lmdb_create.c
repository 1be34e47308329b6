#include <signal.h>
#include <sys/wait.h>

#include "lmdb_fixture.h"

#include "support/faulty_allocator.h"

enum { NOBODY = 65534, OPENERS = 8 };

Test(lmdb_create, what_is_made_has_the_modes_asked_for)
{
    lmdb_fixture fixture;
    struct stat about;
    char lock[TEMP_DIR_PATH_BYTES];
    lmdb_fixture_make(&fixture);
    (void)umask(0);
    fixture.options.directory_mode = 0750;
    fixture.options.file_mode = 0640;
    fixture.options.durability = GROVE_DURABILITY_FULL;
    fixture.backend->close(lmdb_open_env(&fixture));
    cr_assert_eq(stat(fixture.path, &about), 0);
    cr_assert_eq(about.st_mode & 07777, 0750);
    cr_assert_eq(stat(fixture.data, &about), 0);
    cr_assert_eq(about.st_mode & 07777, 0640);
    cr_assert_eq(stat(temp_dir_path(&fixture.dir, "store/lock.mdb", lock), &about), 0);
    cr_assert_eq(about.st_mode & 07777, 0640);
    cr_assert_eq(lmdb_count_entries(fixture.path), 3);
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_create, a_limit_beyond_the_address_space_is_as_good_as_another)
{
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    fixture.options.size_limit_bytes = UINT64_MAX;
    fixture.backend->close(lmdb_open_env(&fixture));
    fixture.backend->close(lmdb_open_env(&fixture));
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_create, must_exist_creates_nothing)
{
    lmdb_fixture fixture;
    grove_backend_env *env = NULL;
    lmdb_fixture_make(&fixture);
    fixture.options.must_exist = true;
    cr_assert_eq(lmdb_try_open(&fixture, &env), GROVE_NONE);
    cr_assert_not(lmdb_is_there(fixture.path));
    cr_assert_eq(mkdir(fixture.path, 0700), 0);
    cr_assert_eq(lmdb_try_open(&fixture, &env), GROVE_NONE);
    cr_assert_not_null(strstr(fixture.error.message, "there is no store in '"));
    cr_assert_eq(lmdb_count_entries(fixture.path), 0);
    cr_assert_null(env);
    fixture.options.must_exist = false;
    fixture.backend->close(lmdb_open_env(&fixture));
    fixture.options.must_exist = true;
    fixture.backend->close(lmdb_open_env(&fixture));
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_create, a_failed_open_leaves_at_most_an_empty_directory)
{
    lmdb_fixture fixture;
    grove_backend_env *env = NULL;
    lmdb_fixture_make(&fixture);
    fixture.options.size_limit_bytes = 4095;
    cr_assert_eq(lmdb_try_open(&fixture, &env), GROVE_INVALID);
    cr_assert_not(lmdb_is_there(fixture.path));
    fixture.options.size_limit_bytes = 12288;
    cr_assert_eq(lmdb_try_open(&fixture, &env), GROVE_FULL);
    cr_assert_eq(lmdb_count_entries(fixture.path), 0);
    fixture.options.size_limit_bytes = UINT64_C(1) << 28;
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        fixture.options.allocator = &faulty.allocator;
        grove_status status = lmdb_try_open(&fixture, &env);
        if (status == GROVE_OK) {
            fixture.backend->close(env);
            faulty_allocator_finish(&faulty);
            break;
        }
        cr_assert_eq(status, GROVE_NO_MEMORY);
        cr_assert_eq(lmdb_count_entries(fixture.path), 0, "allocation %zu", nth);
        faulty_allocator_finish(&faulty);
    }
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_create, what_a_crash_left_half_made_is_in_nobody_s_way)
{
    lmdb_fixture fixture;
    char half[TEMP_DIR_PATH_BYTES];
    lmdb_fixture_make(&fixture);
    (void)temp_dir_path(&fixture.dir, "store/data.mdb.new", half);
    cr_assert_eq(mkdir(fixture.path, 0700), 0);
    lmdb_write_file(half, "half a store", 12);
    lmdb_fill(&fixture, 10, 10);
    cr_assert_not(lmdb_is_there(half));
    lmdb_write_file(half, "half a store", 12);
    fixture.backend->close(lmdb_open_env(&fixture));
    lmdb_fixture_remove(&fixture);
}

/* Opens the store when told to, and puts a number of its own. */
static int open_and_put(lmdb_fixture *fixture, int go, uint32_t number)
{
    char byte;
    grove_backend_env *env = NULL;
    grove_backend_txn *txn = NULL;
    if (read(go, &byte, 1) != 0 ||
        fixture->backend->open(&fixture->options, &env, NULL) != GROVE_OK ||
        fixture->backend->begin(env, GROVE_TXN_WRITE, &txn, NULL) != GROVE_OK ||
        lmdb_put_number(fixture, txn, number, 10) != GROVE_OK ||
        fixture->backend->commit(txn, NULL) != GROVE_OK) {
        return 1;
    }
    fixture->backend->close(env);
    return 0;
}

Test(lmdb_create, of_several_processes_that_open_a_new_store_at_once_one_makes_it)
{
    for (size_t round = 0; round < 20; round++) {
        lmdb_fixture fixture;
        int go[2];
        pid_t children[OPENERS];
        lmdb_fixture_make(&fixture);
        cr_assert_eq(pipe(go), 0);
        for (uint32_t index = 0; index < OPENERS; index++) {
            children[index] = fork();
            if (children[index] == 0) {
                (void)close(go[1]);
                _exit(open_and_put(&fixture, go[0], index));
            }
        }
        /* The end of the pipe is the starting shot. */
        (void)close(go[1]);
        (void)close(go[0]);
        for (size_t index = 0; index < OPENERS; index++) {
            int status;
            cr_assert_eq(waitpid(children[index], &status, 0), children[index]);
            cr_assert_eq(status, 0);
        }
        cr_assert_eq(lmdb_count_entries(fixture.path), 3);
        grove_backend_env *env = lmdb_open_env(&fixture);
        grove_backend_txn *txn = lmdb_begin_txn(&fixture, env, GROVE_TXN_READ);
        for (uint32_t index = 0; index < OPENERS; index++) {
            cr_assert(lmdb_has_number(&fixture, txn, index), "%u is lost", index);
        }
        fixture.backend->abort(txn);
        fixture.backend->close(env);
        lmdb_fixture_remove(&fixture);
    }
}

Test(lmdb_create, a_creator_killed_at_any_moment_leaves_a_store_or_none)
{
    for (useconds_t delay = 0; delay < 3000; delay += 100) {
        lmdb_fixture fixture;
        lmdb_fixture_make(&fixture);
        fixture.options.durability = GROVE_DURABILITY_FULL;
        pid_t child = fork();
        if (child == 0) {
            grove_backend_env *env;
            (void)fixture.backend->open(&fixture.options, &env, NULL);
            (void)alarm(60);
            (void)pause();
        }
        (void)usleep(delay);
        (void)kill(child, SIGKILL);
        cr_assert_eq(waitpid(child, NULL, 0), child);
        lmdb_fill(&fixture, 10, 10);
        lmdb_fixture_remove(&fixture);
    }
}

/* ---- Paths ---- */

static void assert_refused(lmdb_fixture *fixture, const char *path, const char *said)
{
    grove_backend_env *env = NULL;
    fixture->options.path = path;
    cr_assert_eq(lmdb_try_open(fixture, &env), GROVE_INVALID, "%s", path);
    cr_assert_not_null(strstr(fixture->error.message, said), "'%s' in '%s'", said,
                       fixture->error.message);
    cr_assert_null(env);
}

Test(lmdb_create, a_path_that_cannot_be_used_is_refused_with_advice)
{
    lmdb_fixture fixture;
    char path[TEMP_DIR_PATH_BYTES];
    static char endless[8192];
    lmdb_fixture_make(&fixture);
    (void)memset(endless, 'a', sizeof endless - 1);
    assert_refused(&fixture, "", "the path is empty");
    assert_refused(&fixture, temp_dir_path(&fixture.dir, "a/b/c", path),
                   "a/b/c': a directory above it does not exist; create that first");
    lmdb_write_file(temp_dir_path(&fixture.dir, "file", path), "x", 1);
    assert_refused(&fixture, path,
                   "file': it, or something above it, is not a directory");
    assert_refused(&fixture, temp_dir_path(&fixture.dir, "file/store", path),
                   "is not a directory");
    assert_refused(&fixture, endless, "': the path is too long");
    cr_assert_eq(symlink("loop", temp_dir_path(&fixture.dir, "loop", path)), 0);
    assert_refused(&fixture, path, "symbolic links");
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_create, a_path_without_permission_is_refused_with_advice)
{
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    cr_assert_eq(mkdir(fixture.path, 0700), 0);
    cr_assert_eq(chmod(fixture.dir.path, 0755), 0);
    if (geteuid() == 0) {
        cr_assert_eq(seteuid(NOBODY), 0);
    } else {
        cr_assert_eq(chmod(fixture.path, 0), 0);
    }
    assert_refused(&fixture, fixture.path,
                   "store': permission denied; let this user read and write");
    cr_assert(getuid() != 0 || seteuid(0) == 0);
    cr_assert_eq(chmod(fixture.path, 0700), 0);

    fixture.backend->close(lmdb_open_env(&fixture));
    cr_assert_eq(chmod(fixture.path, 0755), 0);
    cr_assert_eq(chmod(fixture.data, 0), 0);
    if (geteuid() == 0) {
        cr_assert_eq(seteuid(NOBODY), 0);
    }
    assert_refused(&fixture, fixture.path, "store/data.mdb': permission denied");
    cr_assert(getuid() != 0 || seteuid(0) == 0);
    lmdb_fixture_remove(&fixture);
}

/* ---- What is there already ---- */

/* An environment of another program's, with one table. */
static void make_foreign(const lmdb_fixture *fixture, const char *table, unsigned flags)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    cr_assert_eq(mkdir(fixture->path, 0700), 0);
    cr_assert_eq(mdb_env_create(&env), 0);
    cr_assert_eq(mdb_env_set_maxdbs(env, 4), 0);
    cr_assert_eq(mdb_env_open(env, fixture->path, 0, 0600), 0);
    cr_assert_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    if (table != NULL) {
        cr_assert_eq(mdb_dbi_open(txn, table, MDB_CREATE | flags, &dbi), 0);
    }
    cr_assert_eq(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

Test(lmdb_create, another_program_s_environment_is_refused_and_left_alone)
{
    static const struct {
        const char *table;
        unsigned flags;
        const char *said;
    } FOREIGN[] = {
        {"other", 0, "holds an LMDB environment of another program"},
        {"two", MDB_DUPSORT, "something else under the name of one of the store's"},
        {"two", MDB_REVERSEKEY, "something else under the name of one of the store's"},
    };
    for (size_t index = 0; index < sizeof FOREIGN / sizeof *FOREIGN; index++) {
        lmdb_fixture fixture;
        lmdb_fixture_make(&fixture);
        make_foreign(&fixture, FOREIGN[index].table, FOREIGN[index].flags);
        grove_bytes before = lmdb_read_file(fixture.data);
        assert_refused(&fixture, fixture.path, FOREIGN[index].said);
        grove_bytes after = lmdb_read_file(fixture.data);
        cr_assert_eq(before.size, after.size);
        cr_assert_eq(memcmp(before.data, after.data, after.size), 0);
        free((void *)(uintptr_t)before.data);
        free((void *)(uintptr_t)after.data);
        lmdb_fixture_remove(&fixture);
    }
}

Test(lmdb_create, an_empty_environment_becomes_a_store_unless_one_must_exist)
{
    lmdb_fixture fixture;
    grove_backend_env *env = NULL;
    lmdb_fixture_make(&fixture);
    make_foreign(&fixture, NULL, 0);
    fixture.options.must_exist = true;
    cr_assert_eq(lmdb_try_open(&fixture, &env), GROVE_NONE);
    fixture.options.must_exist = false;
    lmdb_fill(&fixture, 10, 10);
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_create, a_later_open_may_name_more_tables_in_another_order)
{
    static const char *const MORE[] = {"zero", "three", "one", "two"};
    lmdb_fixture fixture;
    grove_bytes value;
    uint32_t number = 3;
    grove_bytes key = {(const uint8_t *)&number, sizeof number};
    lmdb_fixture_make(&fixture);
    lmdb_fill(&fixture, 10, 10);
    fixture.options.table_names = MORE;
    fixture.options.table_count = 4;
    for (size_t round = 0; round < 2; round++) {
        grove_backend_env *env = lmdb_open_env(&fixture);
        grove_backend_txn *txn = lmdb_begin_txn(&fixture, env, GROVE_TXN_READ);
        cr_assert_eq(fixture.backend->get(txn, 2, key, &value, NULL), GROVE_OK);
        cr_assert_eq(fixture.backend->get(txn, 0, key, &value, NULL), GROVE_NONE);
        fixture.backend->abort(txn);
        fixture.backend->close(env);
    }
    lmdb_fixture_remove(&fixture);
}
