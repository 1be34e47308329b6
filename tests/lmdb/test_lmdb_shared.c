#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "lmdb_child.h"
#include "lmdb_fixture.h"

enum { NUMBER_BYTES = 200000 };

static void linger(long milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    (void)nanosleep(&time, NULL);
}

static grove_backend_statistics statistics_of(lmdb_fixture *fixture,
                                              grove_backend_env *env)
{
    grove_backend_statistics statistics;
    cr_assert_eq(fixture->backend->statistics(env, &statistics, &fixture->error),
                 GROVE_OK, "%s", fixture->error.message);
    return statistics;
}

static grove_status save_number(lmdb_fixture *fixture, grove_backend_env *env,
                                uint32_t number, size_t bytes)
{
    grove_backend_txn *txn = NULL;
    grove_status status =
        fixture->backend->begin(env, GROVE_TXN_WRITE, &txn, &fixture->error);
    if (status != GROVE_OK) {
        return status;
    }
    status = lmdb_put_number(fixture, txn, number, bytes);
    if (status != GROVE_OK) {
        fixture->backend->abort(txn);
        return status;
    }
    return fixture->backend->commit(txn, &fixture->error);
}

/* As often as the store grows; how often that was. */
static grove_status save_growing(lmdb_fixture *fixture, grove_backend_env *env,
                                 uint32_t number, unsigned *grown)
{
    grove_status status = save_number(fixture, env, number, NUMBER_BYTES);
    while (status == GROVE_FULL &&
           fixture->backend->grow(env, &fixture->error) == GROVE_OK) {
        (*grown)++;
        status = save_number(fixture, env, number, NUMBER_BYTES);
    }
    return status;
}

/* ---- One environment of a process ---- */

Test(lmdb_shared, a_path_is_known_by_what_it_leads_to)
{
    lmdb_fixture fixture;
    char link_path[TEMP_DIR_PATH_BYTES];
    lmdb_fixture_make(&fixture);
    lmdb_fill(&fixture, 10, 10);
    cr_assert_eq(symlink(fixture.path, temp_dir_path(&fixture.dir, "link", link_path)),
                 0);
    grove_backend_env *env = lmdb_open_env(&fixture);
    fixture.options.path = link_path;
    grove_backend_env *other = lmdb_open_env(&fixture);
    grove_backend_txn *reader = lmdb_begin_txn(&fixture, env, GROVE_TXN_READ);
    cr_assert_eq(statistics_of(&fixture, other).readers, 1);
    /* LMDB alone would drop the reader with the file's locks. */
    fixture.backend->close(other);
    for (uint32_t number = 0; number < 20; number++) {
        cr_assert_eq(save_number(&fixture, env, 100 + number, 10000), GROVE_OK);
    }
    for (uint32_t number = 0; number < 10; number++) {
        cr_assert(lmdb_has_number(&fixture, reader, number));
    }
    cr_assert_not(lmdb_has_number(&fixture, reader, 100));
    fixture.backend->abort(reader);
    fixture.options.size_limit_bytes /= 2;
    cr_assert_eq(lmdb_try_open(&fixture, &other), GROVE_INVALID);
    cr_assert_not_null(strstr(fixture.error.message, "another size limit"));
    fixture.backend->close(env);
    fixture.backend->close(lmdb_open_env(&fixture));
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_shared, what_was_put_in_the_place_of_a_store_is_another_one)
{
    lmdb_fixture fixture;
    char old[TEMP_DIR_PATH_BYTES];
    lmdb_fixture_make(&fixture);
    lmdb_fill(&fixture, 10, 10);
    grove_backend_env *env = lmdb_open_env(&fixture);
    cr_assert_eq(rename(fixture.path, temp_dir_path(&fixture.dir, "old", old)), 0);
    grove_backend_env *other = lmdb_open_env(&fixture);
    cr_assert_eq(statistics_of(&fixture, other).entries, 0);
    cr_assert_eq(statistics_of(&fixture, env).entries, 10);
    grove_backend_identity identities[2];
    cr_assert_eq(fixture.backend->identity(env, &identities[0], NULL), GROVE_OK);
    cr_assert_eq(fixture.backend->identity(other, &identities[1], NULL), GROVE_OK);
    cr_assert_neq(identities[0].place, identities[1].place);
    cr_assert_eq(identities[0].boot, identities[1].boot);
    fixture.backend->close(other);
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}

static void *open_and_close(void *argument)
{
    lmdb_fixture *fixture = argument;
    for (int again = 0; again < 30; again++) {
        grove_backend_env *env = NULL;
        grove_backend_txn *txn = NULL;
        grove_error error;
        if (fixture->backend->open(&fixture->options, &env, &error) != GROVE_OK) {
            return fixture;
        }
        grove_status status = fixture->backend->begin(env, GROVE_TXN_READ, &txn, &error);
        if (status == GROVE_OK) {
            fixture->backend->abort(txn);
        }
        fixture->backend->close(env);
        if (status != GROVE_OK) {
            return fixture;
        }
    }
    return NULL;
}

Test(lmdb_shared, threads_open_and_close_at_once)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    lmdb_fill(&fixture, 10, 10);
    for (size_t index = 0; index < THREADS; index++) {
        cr_assert_eq(pthread_create(&threads[index], NULL, open_and_close, &fixture), 0);
    }
    for (size_t index = 0; index < THREADS; index++) {
        void *result;
        cr_assert_eq(pthread_join(threads[index], &result), 0);
        cr_assert_null(result);
    }
    lmdb_fixture_remove(&fixture);
}

/* ---- Growing ---- */

/* Leaves so much of the address space beyond what is taken. */
static void limit_address_space(struct rlimit *usual_out, rlim_t free_bytes)
{
    unsigned long long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    char line[128] = "";
    cr_assert_not_null(statm);
    cr_assert_not_null(fgets(line, sizeof line, statm));
    (void)fclose(statm);
    pages = strtoull(line, NULL, 10);
    cr_assert_eq(getrlimit(RLIMIT_AS, usual_out), 0);
    struct rlimit little = *usual_out;
    little.rlim_cur = pages * (rlim_t)sysconf(_SC_PAGESIZE) + free_bytes;
    cr_assert_eq(setrlimit(RLIMIT_AS, &little), 0);
}

/* An environment with a map far below its limit. */
static grove_backend_env *open_small(lmdb_fixture *fixture)
{
    struct rlimit usual;
    limit_address_space(&usual, 24 << 20);
    grove_backend_env *env = NULL;
    grove_status status = lmdb_try_open(fixture, &env);
    cr_assert_eq(setrlimit(RLIMIT_AS, &usual), 0);
    cr_assert_eq(status, GROVE_OK, "%s", fixture->error.message);
    return env;
}

Test(lmdb_shared, where_the_address_space_is_scarce_the_map_grows_up_to_the_limit)
{
    lmdb_fixture fixture;
    uint32_t count = 0;
    unsigned grown = 0;
    lmdb_fixture_make(&fixture);
    fixture.options.size_limit_bytes = UINT64_C(96) << 20;
    grove_backend_env *env = open_small(&fixture);
    while (save_growing(&fixture, env, count, &grown) == GROVE_OK) {
        count++;
    }
    cr_assert_gt(grown, 1);
    grove_backend_statistics statistics = statistics_of(&fixture, env);
    uint64_t usual = statistics.size_limit_bytes - statistics.reserve_bytes;
    cr_assert_gt(statistics.size_bytes, usual - usual / 10, "it was full below");
    cr_assert_leq(statistics.size_bytes, usual);
    grove_backend_txn *txn = lmdb_begin_txn(&fixture, env, GROVE_TXN_READ);
    for (uint32_t number = 0; number < count; number++) {
        cr_assert(lmdb_has_number(&fixture, txn, number));
    }
    fixture.backend->abort(txn);
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_shared, without_any_address_space_growing_says_so_and_what_there_is_stays)
{
    lmdb_fixture fixture;
    struct rlimit usual;
    uint32_t count = 0;
    unsigned grown = 0;
    lmdb_fixture_make(&fixture);
    fixture.options.size_limit_bytes = UINT64_C(1) << 30;
    grove_backend_env *env = open_small(&fixture);
    while (save_number(&fixture, env, count, NUMBER_BYTES) == GROVE_OK) {
        count++;
    }
    limit_address_space(&usual, 1 << 20);
    grove_status status = fixture.backend->grow(env, &fixture.error);
    cr_assert_eq(setrlimit(RLIMIT_AS, &usual), 0);
    cr_assert_eq(status, GROVE_NO_MEMORY);
    grove_backend_txn *txn = lmdb_begin_txn(&fixture, env, GROVE_TXN_READ);
    cr_assert(lmdb_has_number(&fixture, txn, count - 1));
    fixture.backend->abort(txn);
    cr_assert_eq(save_growing(&fixture, env, count, &grown), GROVE_OK);
    cr_assert_eq(grown, 1);
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}

typedef struct growers {
    lmdb_fixture fixture;
    uint32_t first; /* the numbers that this one saves */
} growers;

enum { NUMBERS_EACH = 100 };

static bool save_and_read(const lmdb_peer *test, void *context)
{
    growers *self = context;
    unsigned grown = 0;
    grove_backend_env *env = open_small(&self->fixture);
    lmdb_peer_tell(test);
    lmdb_peer_wait(test);
    for (uint32_t number = 0; number < NUMBERS_EACH; number++) {
        if (save_growing(&self->fixture, env, self->first + number, &grown) != GROVE_OK) {
            return false;
        }
        grove_backend_txn *txn = NULL;
        if (self->fixture.backend->begin(env, GROVE_TXN_READ, &txn, NULL) != GROVE_OK) {
            return false;
        }
        bool has_number = lmdb_has_number(&self->fixture, txn, self->first);
        self->fixture.backend->abort(txn);
        if (!has_number) {
            return false;
        }
    }
    self->fixture.backend->close(env);
    return true;
}

Test(lmdb_shared, processes_with_small_maps_let_each_other_grow)
{
    enum { PROCESSES = 3 };
    growers self;
    lmdb_peer children[PROCESSES];
    lmdb_fixture_make(&self.fixture);
    self.fixture.options.size_limit_bytes = UINT64_C(256) << 20;
    lmdb_fill(&self.fixture, 0, 0);
    for (uint32_t index = 0; index < PROCESSES; index++) {
        self.first = index * 1000;
        children[index] = lmdb_child_start(save_and_read, &self);
        lmdb_peer_wait(&children[index]);
    }
    for (uint32_t index = 0; index < PROCESSES; index++) {
        lmdb_peer_tell(&children[index]);
    }
    for (uint32_t index = 0; index < PROCESSES; index++) {
        lmdb_child_end(&children[index]);
    }
    grove_backend_env *env = lmdb_open_env(&self.fixture);
    grove_backend_txn *txn = lmdb_begin_txn(&self.fixture, env, GROVE_TXN_READ);
    for (uint32_t number = 0; number < PROCESSES * NUMBERS_EACH; number++) {
        cr_assert(lmdb_has_number(&self.fixture, txn,
                                  number / NUMBERS_EACH * 1000 + number % NUMBERS_EACH));
    }
    self.fixture.backend->abort(txn);
    self.fixture.backend->close(env);
    lmdb_fixture_remove(&self.fixture);
}

typedef struct slow_reader {
    lmdb_fixture *fixture;
    grove_backend_env *env;
    grove_backend_txn *txn;
} slow_reader;

static void *end_later(void *argument)
{
    slow_reader *self = argument;
    linger(100);
    cr_assert(lmdb_has_number(self->fixture, self->txn, 0));
    self->fixture->backend->abort(self->txn);
    return NULL;
}

Test(lmdb_shared, growth_waits_for_the_readers_of_the_process_but_not_for_ever)
{
    lmdb_fixture fixture;
    pthread_t thread;
    uint32_t count = 0;
    unsigned grown = 0;
    lmdb_fixture_make(&fixture);
    fixture.options.size_limit_bytes = UINT64_C(256) << 20;
    grove_backend_env *env = open_small(&fixture);
    while (save_number(&fixture, env, count, NUMBER_BYTES) == GROVE_OK) {
        count++;
    }
    slow_reader reader = {&fixture, env, lmdb_begin_txn(&fixture, env, GROVE_TXN_READ)};
    cr_assert_eq(fixture.backend->grow(env, &fixture.error), GROVE_BUSY);
    cr_assert(lmdb_has_number(&fixture, reader.txn, count - 1), "it was not moved");
    /* Others are not kept out by one who gave up. */
    grove_backend_txn *other = lmdb_begin_txn(&fixture, env, GROVE_TXN_READ);
    fixture.backend->abort(other);
    cr_assert_eq(pthread_create(&thread, NULL, end_later, &reader), 0);
    cr_assert_eq(fixture.backend->grow(env, &fixture.error), GROVE_OK);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(save_growing(&fixture, env, count, &grown), GROVE_OK);
    cr_assert_eq(grown, 0, "there was room for one more");
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}

/* ---- The reserve ---- */

/* Fills a store of 4 MiB with numbers; how many. */
static uint32_t fill_up(lmdb_fixture *fixture, grove_backend_env *env)
{
    uint32_t count = 0;
    while (save_number(fixture, env, count, 20000) == GROVE_OK) {
        count++;
    }
    return count;
}

/* Puts one number and removes some, in what is full. */
static grove_status free_some(lmdb_fixture *fixture, grove_backend_env *env,
                              uint32_t first, uint32_t count)
{
    grove_backend_txn *txn = NULL;
    grove_status status =
        fixture->backend->begin(env, GROVE_TXN_WRITE_TO_FREE, &txn, &fixture->error);
    if (status == GROVE_OK) {
        status = lmdb_put_number(fixture, txn, 100000 + first, 20000);
        for (uint32_t number = first; status == GROVE_OK && number < first + count;
             number++) {
            grove_bytes key = {(const uint8_t *)&number, sizeof number};
            status = fixture->backend->remove(txn, 0, key, &fixture->error);
        }
        if (status == GROVE_OK) {
            return fixture->backend->commit(txn, &fixture->error);
        }
        fixture->backend->abort(txn);
    }
    return status;
}

Test(lmdb_shared, what_the_reserve_let_free_is_used_by_ordinary_writes_at_once)
{
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    fixture.options.size_limit_bytes = 4 << 20;
    fixture.options.durability = GROVE_DURABILITY_FULL;
    grove_backend_env *env = lmdb_open_env(&fixture);
    uint32_t count = fill_up(&fixture, env);
    for (uint32_t first = 0; first + 10 < count / 2; first += 10) {
        cr_assert_eq(save_number(&fixture, env, 50000, 20000), GROVE_FULL);
        cr_assert_eq(free_some(&fixture, env, first, 10), GROVE_OK);
        uint32_t saved = fill_up(&fixture, env);
        cr_assert_geq(saved, 5);
        grove_backend_statistics statistics = statistics_of(&fixture, env);
        cr_assert_leq(statistics.size_bytes, statistics.size_limit_bytes);
    }
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}

static bool free_in_a_child(const lmdb_peer *test, void *context)
{
    lmdb_fixture *fixture = context;
    grove_backend_env *env = lmdb_open_env(fixture);
    (void)test;
    grove_status status = free_some(fixture, env, 0, 5);
    fixture->backend->close(env);
    return status == GROVE_OK;
}

Test(lmdb_shared, a_reserve_that_another_process_used_is_still_one)
{
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    fixture.options.size_limit_bytes = 4 << 20;
    grove_backend_env *env = lmdb_open_env(&fixture);
    (void)fill_up(&fixture, env);
    lmdb_peer child = lmdb_child_start(free_in_a_child, &fixture);
    lmdb_child_end(&child);
    (void)fill_up(&fixture, env);
    cr_assert_eq(free_some(&fixture, env, 10, 5), GROVE_OK, "%s", fixture.error.message);
    fixture.backend->close(env);
    env = lmdb_open_env(&fixture);
    (void)fill_up(&fixture, env);
    cr_assert_eq(free_some(&fixture, env, 20, 5), GROVE_OK, "%s", fixture.error.message);
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_shared, a_reader_that_stays_does_not_keep_ordinary_writes_waiting)
{
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    fixture.options.size_limit_bytes = 4 << 20;
    grove_backend_env *env = lmdb_open_env(&fixture);
    (void)fill_up(&fixture, env);
    cr_assert_eq(free_some(&fixture, env, 0, 40), GROVE_OK);
    grove_backend_txn *reader = lmdb_begin_txn(&fixture, env, GROVE_TXN_READ);
    for (uint32_t number = 0; number < 5; number++) {
        cr_assert_eq(save_number(&fixture, env, number, 20000), GROVE_OK, "%s",
                     fixture.error.message);
    }
    fixture.backend->abort(reader);
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}
