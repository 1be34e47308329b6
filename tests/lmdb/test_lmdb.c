#define _GNU_SOURCE /* memmem */
#include <signal.h>
#include <sys/wait.h>

#include "lmdb_fixture.h"

/* How a child ends that got to its end; what it claims has to come back this
 * way, for Criterion does not know it. */
enum { CHILD_DONE = 42 };

static void assert_child_done(pid_t child)
{
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status));
    cr_assert_eq(WEXITSTATUS(status), CHILD_DONE);
}

static grove_backend_statistics statistics_of(lmdb_fixture *fixture,
                                              grove_backend_env *env)
{
    grove_backend_statistics statistics;
    cr_assert_eq(fixture->backend->statistics(env, &statistics, &fixture->error),
                 GROVE_OK, "%s", fixture->error.message);
    return statistics;
}

Test(lmdb, a_full_store_says_so_and_takes_more_once_something_is_removed)
{
    lmdb_fixture fixture;
    uint32_t count = 0;
    lmdb_fixture_make(&fixture);
    fixture.options.size_limit_bytes = 1 << 20;
    grove_backend_env *env = lmdb_open_env(&fixture);
    for (bool is_full = false; !is_full; count++) {
        grove_backend_txn *txn = lmdb_begin_txn(&fixture, env, GROVE_TXN_WRITE);
        grove_status status = lmdb_put_number(&fixture, txn, count, 10000);
        if (status == GROVE_OK) {
            status = fixture.backend->commit(txn, &fixture.error);
        } else {
            fixture.backend->abort(txn);
        }
        is_full = status == GROVE_FULL;
        cr_assert(is_full || status == GROVE_OK);
    }
    cr_assert_not_null(strstr(fixture.error.message, "reached its size limit"));
    cr_assert_leq(statistics_of(&fixture, env).size_bytes, 1 << 20);
    cr_assert_gt(count, 60);
    /* The free list itself needs a page: several commits, then it fits. */
    for (uint32_t number = 0; number < 4; number++) {
        grove_bytes key = {(const uint8_t *)&number, sizeof number};
        grove_backend_txn *txn = lmdb_begin_txn(&fixture, env, GROVE_TXN_WRITE);
        cr_assert_eq(fixture.backend->remove(txn, 0, key, &fixture.error), GROVE_OK);
        cr_assert_eq(fixture.backend->commit(txn, &fixture.error), GROVE_OK, "%s",
                     fixture.error.message);
    }
    grove_backend_txn *txn = lmdb_begin_txn(&fixture, env, GROVE_TXN_WRITE);
    cr_assert_eq(lmdb_put_number(&fixture, txn, 1000, 10000), GROVE_OK);
    cr_assert_eq(fixture.backend->commit(txn, &fixture.error), GROVE_OK);
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}

Test(lmdb, a_size_limit_of_terabytes_costs_only_address_space)
{
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    fixture.options.size_limit_bytes = UINT64_C(1) << 42;
    grove_backend_env *env = lmdb_open_env(&fixture);
    grove_backend_statistics statistics = statistics_of(&fixture, env);
    cr_assert_eq(statistics.size_limit_bytes, UINT64_C(1) << 42);
    cr_assert_lt(statistics.size_bytes, 1 << 20);
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}

/* What the free list really holds, read with LMDB's own functions. */
static uint64_t count_free_pages(const lmdb_fixture *fixture)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val ids;
    uint64_t pages = 0;
    cr_assert_eq(mdb_env_create(&env), 0);
    cr_assert_eq(mdb_env_open(env, fixture->path, MDB_RDONLY, 0600), 0);
    cr_assert_eq(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
    cr_assert_eq(mdb_cursor_open(txn, 0, &cursor), 0);
    while (mdb_cursor_get(cursor, &key, &ids, MDB_NEXT) == 0) {
        size_t count;
        memcpy(&count, ids.mv_data, sizeof count);
        pages += count;
    }
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return pages;
}

Test(lmdb, statistics_agree_with_the_free_list_and_the_table_of_functions)
{
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    for (uint32_t round = 1; round < 6; round++) {
        lmdb_fill(&fixture, 100 * round, 3000);
        grove_backend_env *env = lmdb_open_env(&fixture);
        grove_backend_statistics statistics = statistics_of(&fixture, env);
        fixture.backend->close(env);
        cr_assert_eq(statistics.entries, 100 * round);
        cr_assert_eq(statistics.free_bytes / statistics.page_bytes,
                     count_free_pages(&fixture));
        if (sysconf(_SC_PAGESIZE) == 4096) {
            cr_assert_eq(statistics.page_bytes, fixture.backend->page_bytes);
        }
    }
    lmdb_fixture_remove(&fixture);
}

Test(lmdb, a_value_of_whole_pages_less_its_head_wastes_nothing)
{
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    grove_backend_env *env = lmdb_open_env(&fixture);
    uint64_t before = statistics_of(&fixture, env).size_bytes;
    grove_backend_txn *txn = lmdb_begin_txn(&fixture, env, GROVE_TXN_WRITE);
    for (uint32_t number = 0; number < 100; number++) {
        size_t bytes = 16 * fixture.backend->page_bytes - 16;
        cr_assert_eq(lmdb_put_number(&fixture, txn, number, bytes), GROVE_OK);
    }
    cr_assert_eq(fixture.backend->commit(txn, NULL), GROVE_OK);
    grove_backend_statistics after = statistics_of(&fixture, env);
    uint64_t used = after.size_bytes - after.free_bytes - before;
    cr_assert_lt(used, (100 * 16 + 10) * (uint64_t)fixture.backend->page_bytes);
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}

/* ---- Readers ---- */

enum { READERS_TRIED = 2000 };

/* Begins readers until there is no slot; how many. */
static size_t take_all_slots(lmdb_fixture *fixture, grove_backend_env *env,
                             grove_backend_txn **readers)
{
    size_t count = 0;
    grove_status status;
    do {
        cr_assert_lt(count, READERS_TRIED);
        status = fixture->backend->begin(env, GROVE_TXN_READ, &readers[count],
                                         &fixture->error);
        count += status == GROVE_OK;
    } while (status == GROVE_OK);
    cr_assert_eq(status, GROVE_BUSY, "%s", fixture->error.message);
    return count;
}

Test(lmdb, a_reader_beyond_the_last_slot_is_told_that_the_store_is_busy)
{
    static grove_backend_txn *readers[READERS_TRIED];
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    grove_backend_env *env = lmdb_open_env(&fixture);
    size_t count = take_all_slots(&fixture, env, readers);
    cr_assert_not_null(strstr(fixture.error.message, "every reader slot is taken"));
    cr_assert_geq(count, 1022);
    fixture.backend->abort(readers[--count]);
    cr_assert_eq(statistics_of(&fixture, env).readers, count);
    cr_assert_eq(statistics_of(&fixture, env).readers_max, count + 1);
    readers[count++] = lmdb_begin_txn(&fixture, env, GROVE_TXN_READ);
    while (count > 0) {
        fixture.backend->abort(readers[--count]);
    }
    cr_assert_eq(statistics_of(&fixture, env).readers, 0);
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}

/* A child that takes every slot and is killed while it holds them. */
static void kill_a_child_with_all_slots(lmdb_fixture *fixture)
{
    static grove_backend_txn *readers[READERS_TRIED];
    int ready[2];
    char byte;
    cr_assert_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)take_all_slots(fixture, lmdb_open_env(fixture), readers);
        (void)!write(ready[1], "", 1);
        (void)alarm(60);
        (void)pause();
    }
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    cr_assert_eq(kill(child, SIGKILL), 0);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    (void)close(ready[0]);
    (void)close(ready[1]);
}

Test(lmdb, slots_of_a_dead_process_are_taken_back_at_open_and_when_none_is_left)
{
    lmdb_fixture fixture;
    int opened[2];
    char byte;
    lmdb_fixture_make(&fixture);
    lmdb_fill(&fixture, 10, 10);
    cr_assert_eq(pipe(opened), 0);
    /* While somebody has the store open, LMDB does not clear lock.mdb. */
    pid_t holder = fork();
    if (holder == 0) {
        (void)lmdb_open_env(&fixture);
        (void)!write(opened[1], "", 1);
        (void)alarm(60);
        (void)pause();
    }
    cr_assert_eq(read(opened[0], &byte, 1), 1);
    kill_a_child_with_all_slots(&fixture);
    grove_backend_env *env = lmdb_open_env(&fixture);
    cr_assert_eq(statistics_of(&fixture, env).readers, 0);
    fixture.backend->close(env);

    pid_t opener = fork();
    if (opener == 0) {
        env = lmdb_open_env(&fixture);
        kill_a_child_with_all_slots(&fixture);
        grove_backend_txn *txn;
        if (fixture.backend->begin(env, GROVE_TXN_READ, &txn, NULL) != GROVE_OK) {
            _exit(1);
        }
        bool has_number = lmdb_has_number(&fixture, txn, 3);
        fixture.backend->abort(txn);
        fixture.backend->close(env);
        _exit(has_number ? CHILD_DONE : 1);
    }
    assert_child_done(opener);
    cr_assert_eq(kill(holder, SIGKILL), 0);
    cr_assert_eq(waitpid(holder, NULL, 0), holder);
    lmdb_fixture_remove(&fixture);
}

Test(lmdb, what_another_process_let_grow_over_this_one_s_limit_is_read_but_not_grown)
{
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    fixture.options.size_limit_bytes = 1 << 20;
    lmdb_fill(&fixture, 10, 10);
    grove_backend_env *env = lmdb_open_env(&fixture);
    pid_t child = fork();
    if (child == 0) {
        fixture.options.size_limit_bytes = 1 << 26;
        lmdb_fill(&fixture, 100, 100000);
        _exit(CHILD_DONE);
    }
    assert_child_done(child);
    grove_backend_txn *txn = lmdb_begin_txn(&fixture, env, GROVE_TXN_READ);
    cr_assert(lmdb_has_number(&fixture, txn, 99));
    fixture.backend->abort(txn);
    txn = lmdb_begin_txn(&fixture, env, GROVE_TXN_WRITE);
    cr_assert_eq(lmdb_put_number(&fixture, txn, 100, 1 << 20), GROVE_FULL);
    fixture.backend->abort(txn);
    cr_assert_eq(fixture.backend->grow(env, &fixture.error), GROVE_NONE);
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}

Test(lmdb, every_durability_keeps_what_was_committed_over_a_close)
{
    static const grove_durability MODES[] = {
        GROVE_DURABILITY_FULL, GROVE_DURABILITY_RELAXED, GROVE_DURABILITY_NONE};
    for (size_t index = 0; index < sizeof MODES / sizeof *MODES; index++) {
        lmdb_fixture fixture;
        lmdb_fixture_make(&fixture);
        fixture.options.durability = MODES[index];
        lmdb_fill(&fixture, 10, 100);
        grove_backend_env *env = lmdb_open_env(&fixture);
        cr_assert_eq(fixture.backend->sync(env, &fixture.error), GROVE_OK);
        grove_backend_txn *txn = lmdb_begin_txn(&fixture, env, GROVE_TXN_READ);
        cr_assert(lmdb_has_number(&fixture, txn, 9));
        cr_assert_not(lmdb_has_number(&fixture, txn, 10));
        fixture.backend->abort(txn);
        fixture.backend->close(env);
        lmdb_fixture_remove(&fixture);
    }
}

/* Makes every leaf a page of no kind, but not the one with the names. */
static void damage_leaves(const lmdb_fixture *fixture)
{
    enum { PAGE = 4096, FLAGS_AT = 10, LEAF = 2 };
    grove_bytes file = lmdb_read_file(fixture->data);
    uint8_t *bytes = (uint8_t *)(uintptr_t)file.data;
    for (size_t page = 2 * PAGE; page < file.size; page += PAGE) {
        bool has_names = memmem(bytes + page, PAGE, "three", strlen("three")) != NULL;
        if (bytes[page + FLAGS_AT] == LEAF && !has_names) {
            bytes[page + FLAGS_AT] = 0;
        }
    }
    lmdb_write_file(fixture->data, bytes, file.size);
    free(bytes);
}

Test(lmdb, a_damaged_page_is_corrupt_for_readers_and_writers)
{
    lmdb_fixture fixture;
    const uint32_t number = 1000;
    grove_bytes key = {(const uint8_t *)&number, sizeof number};
    grove_bytes value;
    lmdb_fixture_make(&fixture);
    lmdb_fill(&fixture, 2000, 100);
    damage_leaves(&fixture);
    grove_backend_env *env = lmdb_open_env(&fixture);
    grove_backend_txn *txn = lmdb_begin_txn(&fixture, env, GROVE_TXN_READ);
    cr_assert_eq(fixture.backend->get(txn, 0, key, &value, &fixture.error),
                 GROVE_CORRUPT);
    cr_assert_eq(fixture.error.status, GROVE_CORRUPT);
    fixture.backend->abort(txn);
    /* The next reader does not inherit LMDB's mark on that one. */
    txn = lmdb_begin_txn(&fixture, env, GROVE_TXN_READ);
    cr_assert_eq(fixture.backend->get(txn, 1, key, &value, &fixture.error), GROVE_NONE);
    fixture.backend->abort(txn);
    txn = lmdb_begin_txn(&fixture, env, GROVE_TXN_WRITE);
    cr_assert_eq(lmdb_put_number(&fixture, txn, number, 10), GROVE_CORRUPT);
    fixture.backend->abort(txn);
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}
