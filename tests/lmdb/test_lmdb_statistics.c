#include "lmdb_child.h"
#include "lmdb_fixture.h"

static grove_backend_statistics statistics_of(lmdb_fixture *fixture,
                                              grove_backend_env *env)
{
    grove_backend_statistics statistics;
    cr_assert_eq(fixture->backend->statistics(env, &statistics, &fixture->error),
                 GROVE_OK, "%s", fixture->error.message);
    return statistics;
}

static void save_number(lmdb_fixture *fixture, grove_backend_env *env, uint32_t number,
                        size_t bytes)
{
    grove_backend_txn *txn = lmdb_begin_txn(fixture, env, GROVE_TXN_WRITE);
    cr_assert_eq(lmdb_put_number(fixture, txn, number, bytes), GROVE_OK);
    cr_assert_eq(fixture->backend->commit(txn, &fixture->error), GROVE_OK);
}

static bool read_until_told(const lmdb_peer *test, void *context)
{
    lmdb_fixture *fixture = context;
    grove_backend_env *env = lmdb_open_env(fixture);
    grove_backend_txn *txn = lmdb_begin_txn(fixture, env, GROVE_TXN_READ);
    lmdb_peer_tell(test);
    lmdb_peer_wait(test);
    fixture->backend->abort(txn);
    /* Idle now, and no reader. */
    lmdb_peer_tell(test);
    lmdb_peer_wait(test);
    fixture->backend->close(env);
    return true;
}

typedef struct reader_list {
    uint32_t count;
    uint32_t wanted; /* more are not asked for; 0: all */
    uint64_t lag_sum;
    uint64_t processes; /* added up */
} reader_list;

static bool add_reader(void *context, const grove_backend_reader *reader)
{
    reader_list *list = context;
    list->count++;
    list->lag_sum += reader->lag;
    list->processes += reader->process;
    return list->count != list->wanted;
}

static reader_list list_readers(lmdb_fixture *fixture, grove_backend_env *env,
                                uint32_t wanted)
{
    reader_list list = {0, wanted, 0, 0};
    cr_assert_eq(fixture->backend->readers(env, add_reader, &list, &fixture->error),
                 GROVE_OK);
    return list;
}

Test(lmdb_statistics, readers_of_all_processes_are_known_and_the_oldest_of_them)
{
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    lmdb_fill(&fixture, 10, 10);
    lmdb_peer first = lmdb_child_start(read_until_told, &fixture);
    lmdb_peer_wait(&first);
    grove_backend_env *env = lmdb_open_env(&fixture);
    for (uint32_t number = 0; number < 5; number++) {
        save_number(&fixture, env, number, 100);
    }
    lmdb_peer second = lmdb_child_start(read_until_told, &fixture);
    lmdb_peer_wait(&second);
    save_number(&fixture, env, 5, 100);
    grove_backend_txn *own = lmdb_begin_txn(&fixture, env, GROVE_TXN_READ);
    reader_list list = list_readers(&fixture, env, 0);
    cr_assert_eq(list.count, 3);
    cr_assert_eq(list.lag_sum, 6 + 1 + 0);
    cr_assert_eq(list.processes,
                 (uint64_t)first.process + (uint64_t)second.process + (uint64_t)getpid());
    grove_backend_statistics statistics = statistics_of(&fixture, env);
    cr_assert_eq(statistics.readers, 3);
    cr_assert_eq(statistics.oldest_reader_process, (uint64_t)first.process);
    cr_assert_eq(statistics.oldest_reader_lag, 6);
    lmdb_peer_tell(&first);
    lmdb_peer_wait(&first);
    statistics = statistics_of(&fixture, env);
    cr_assert_eq(statistics.readers, 2, "an idle one is none");
    cr_assert_eq(statistics.oldest_reader_process, (uint64_t)second.process);
    cr_assert_eq(statistics.oldest_reader_lag, 1);
    lmdb_peer_tell(&first);
    lmdb_child_end(&first);
    lmdb_child_kill(&second);
    cr_assert_eq(fixture.backend->reclaim(env, &fixture.error), GROVE_OK);
    statistics = statistics_of(&fixture, env);
    cr_assert_eq(statistics.readers, 1);
    cr_assert_eq(statistics.oldest_reader_process, 0, "it is of the last commit");
    fixture.backend->abort(own);
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_statistics, what_a_reader_retains_is_what_was_freed_since_it_began)
{
    enum { ROUNDS = 20, PAGES = 10 };
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    grove_backend_env *env = lmdb_open_env(&fixture);
    uint64_t page = statistics_of(&fixture, env).page_bytes;
    const size_t bytes = PAGES * page - 16;
    save_number(&fixture, env, 1, bytes);
    save_number(&fixture, env, 1, bytes);
    cr_assert_eq(statistics_of(&fixture, env).retained_bytes, 0, "there is no reader");
    grove_backend_txn *reader = lmdb_begin_txn(&fixture, env, GROVE_TXN_READ);
    cr_assert_eq(statistics_of(&fixture, env).retained_bytes, 0, "nothing was freed yet");
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        save_number(&fixture, env, 1, bytes);
        grove_backend_statistics statistics = statistics_of(&fixture, env);
        cr_assert_eq(statistics.oldest_reader_lag, round);
        /* Each commit frees one value, and a few pages of trees. */
        cr_assert_geq(statistics.retained_bytes, round * PAGES * page);
        cr_assert_leq(statistics.retained_bytes, (round + 1) * (PAGES + 8) * page);
        cr_assert_leq(statistics.retained_bytes, statistics.free_bytes);
    }
    fixture.backend->abort(reader);
    grove_backend_statistics statistics = statistics_of(&fixture, env);
    cr_assert_eq(statistics.retained_bytes, 0);
    cr_assert_eq(statistics.oldest_reader_lag, 0);
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        save_number(&fixture, env, 1, bytes);
    }
    cr_assert_leq(statistics_of(&fixture, env).size_bytes,
                  statistics.size_bytes + (uint64_t)3 * PAGES * page,
                  "what was retained is used again");
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_statistics, a_list_of_readers_ends_when_it_is_told_to)
{
    lmdb_fixture fixture;
    grove_backend_txn *readers[5];
    lmdb_fixture_make(&fixture);
    grove_backend_env *env = lmdb_open_env(&fixture);
    for (size_t index = 0; index < 5; index++) {
        readers[index] = lmdb_begin_txn(&fixture, env, GROVE_TXN_READ);
    }
    cr_assert_eq(list_readers(&fixture, env, 0).count, 5);
    cr_assert_eq(list_readers(&fixture, env, 2).count, 2);
    for (size_t index = 0; index < 5; index++) {
        fixture.backend->abort(readers[index]);
    }
    cr_assert_eq(list_readers(&fixture, env, 0).count, 0);
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}
