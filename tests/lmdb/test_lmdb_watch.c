#include <errno.h>
#include <poll.h>
#include <sys/resource.h>

#include "lmdb_child.h"
#include "lmdb_fixture.h"

#include "support/faulty_allocator.h"

static grove_backend_watch *watch(lmdb_fixture *fixture, grove_backend_env *env)
{
    grove_backend_watch *opened = NULL;
    cr_assert_eq(fixture->backend->watch_open(env, &opened, &fixture->error), GROVE_OK,
                 "%s", fixture->error.message);
    return opened;
}

static bool is_told(const lmdb_fixture *fixture, const grove_backend_watch *opened,
                    int wait_ms)
{
    struct pollfd told = {.fd = fixture->backend->watch_descriptor(opened),
                          .events = POLLIN};
    return poll(&told, 1, wait_ms) == 1;
}

static grove_status wait_for(lmdb_fixture *fixture, grove_backend_watch *opened,
                             uint32_t wait_ms)
{
    return fixture->backend->watch_wait(opened, wait_ms, &fixture->error);
}

static void save_number(lmdb_fixture *fixture, grove_backend_env *env, uint32_t number)
{
    grove_backend_txn *txn = lmdb_begin_txn(fixture, env, GROVE_TXN_WRITE);
    cr_assert_eq(lmdb_put_number(fixture, txn, number, 10), GROVE_OK);
    cr_assert_eq(fixture->backend->commit(txn, &fixture->error), GROVE_OK);
}

/* As a process commits that dies before it can tell. */
static bool commit_without_telling(const lmdb_peer *test, void *context)
{
    const lmdb_fixture *fixture = context;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;
    char word[] = "word";
    MDB_val key = {sizeof word, word};
    MDB_val value = {sizeof word, word};
    (void)test;
    return mdb_env_create(&env) == 0 && mdb_env_set_maxdbs(env, 3) == 0 &&
           mdb_env_open(env, fixture->path, 0, 0600) == 0 &&
           mdb_txn_begin(env, NULL, 0, &txn) == 0 &&
           mdb_dbi_open(txn, LMDB_TABLES[0], 0, &table) == 0 &&
           mdb_put(txn, table, &key, &value, 0) == 0 && mdb_txn_commit(txn) == 0;
}

static void let_commit_without_telling(lmdb_fixture *fixture)
{
    lmdb_peer child = lmdb_child_start(commit_without_telling, fixture);
    lmdb_child_end(&child);
}

Test(lmdb_watch, who_waits_finds_a_commit_that_nobody_told_of)
{
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    grove_backend_env *env = lmdb_open_env(&fixture);
    save_number(&fixture, env, 1);
    grove_backend_watch *opened = watch(&fixture, env);
    let_commit_without_telling(&fixture);
    cr_assert_not(is_told(&fixture, opened, 0));
    cr_assert_eq(wait_for(&fixture, opened, 0), GROVE_OK);
    cr_assert_eq(wait_for(&fixture, opened, 0), GROVE_NONE);
    fixture.backend->watch_close(opened);
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}

static bool commit_silently_when_told(const lmdb_peer *test, void *context)
{
    lmdb_peer_wait(test);
    /* The test is to be in the middle of its wait. */
    (void)poll(NULL, 0, 100);
    return commit_without_telling(test, context);
}

Test(lmdb_watch, a_waiter_looks_by_itself_from_time_to_time)
{
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    grove_backend_env *env = lmdb_open_env(&fixture);
    save_number(&fixture, env, 1);
    lmdb_peer child = lmdb_child_start(commit_silently_when_told, &fixture);
    grove_backend_watch *opened = watch(&fixture, env);
    lmdb_peer_tell(&child);
    cr_assert_eq(wait_for(&fixture, opened, 60000), GROVE_OK);
    lmdb_child_end(&child);
    fixture.backend->watch_close(opened);
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_watch, the_next_writer_tells_of_what_a_dead_one_committed)
{
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    grove_backend_env *env = lmdb_open_env(&fixture);
    save_number(&fixture, env, 1);
    grove_backend_watch *opened = watch(&fixture, env);
    let_commit_without_telling(&fixture);
    cr_assert_not(is_told(&fixture, opened, 0));
    fixture.backend->abort(lmdb_begin_txn(&fixture, env, GROVE_TXN_WRITE));
    cr_assert(is_told(&fixture, opened, 0));
    cr_assert_eq(wait_for(&fixture, opened, 0), GROVE_OK);
    fixture.backend->abort(lmdb_begin_txn(&fixture, env, GROVE_TXN_WRITE));
    cr_assert_not(is_told(&fixture, opened, 0), "once is enough");
    fixture.backend->watch_close(opened);
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}

static bool watch_until_killed(const lmdb_peer *test, void *context)
{
    lmdb_fixture *fixture = context;
    (void)watch(fixture, lmdb_open_env(fixture));
    lmdb_peer_tell(test);
    lmdb_peer_wait(test);
    return false;
}

Test(lmdb_watch, a_watcher_that_is_killed_is_in_nobody_s_way)
{
    enum { WATCHERS = 5 };
    lmdb_fixture fixture;
    lmdb_peer children[WATCHERS];
    lmdb_fixture_make(&fixture);
    lmdb_fill(&fixture, 10, 10);
    for (int index = 0; index < WATCHERS; index++) {
        children[index] = lmdb_child_start(watch_until_killed, &fixture);
        lmdb_peer_wait(&children[index]);
    }
    grove_backend_env *env = lmdb_open_env(&fixture);
    grove_backend_watch *opened = watch(&fixture, env);
    for (int index = 0; index < WATCHERS; index++) {
        lmdb_child_stop(&children[index]);
        save_number(&fixture, env, 100);
        lmdb_child_kill(&children[index]);
        save_number(&fixture, env, 101);
        cr_assert(is_told(&fixture, opened, 10000));
        cr_assert_eq(wait_for(&fixture, opened, 0), GROVE_OK);
    }
    fixture.backend->watch_close(opened);
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_watch, without_descriptors_the_store_is_busy)
{
    lmdb_fixture fixture;
    struct rlimit usual;
    struct rlimit none;
    grove_backend_watch *opened = NULL;
    lmdb_fixture_make(&fixture);
    grove_backend_env *env = lmdb_open_env(&fixture);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &usual), 0);
    none = usual;
    none.rlim_cur = 3;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    grove_status status = fixture.backend->watch_open(env, &opened, &fixture.error);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &usual), 0);
    cr_assert_eq(status, GROVE_BUSY);
    cr_assert_null(opened);
    cr_assert_not_null(strstr(fixture.error.message, "ulimit -n"));
    fixture.backend->watch_close(watch(&fixture, env));
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_watch, without_memory_nothing_is_left_open)
{
    lmdb_fixture fixture;
    faulty_allocator faulty;
    grove_backend_watch *opened = NULL;
    lmdb_fixture_make(&fixture);
    faulty_allocator_init(&faulty, 0);
    fixture.options.allocator = &faulty.allocator;
    grove_backend_env *env = lmdb_open_env(&fixture);
    int before = dup(0);
    (void)close(before);
    faulty.fails_at = faulty.calls + 1;
    cr_assert_eq(fixture.backend->watch_open(env, &opened, &fixture.error),
                 GROVE_NO_MEMORY);
    int after = dup(0);
    (void)close(after);
    cr_assert_eq(after, before);
    fixture.backend->close(env);
    faulty_allocator_finish(&faulty);
    lmdb_fixture_remove(&fixture);
}
