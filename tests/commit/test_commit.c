#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "support/faulty_backend.h"
#include "support/store_fixture.h"

#include "commit/commit.h"

enum { KEY_BYTES = 24, THREADS_MAX = 12 };

/* What a thread's set is, and what is to come of it. */
typedef enum set_kind {
    SET_GOOD,
    SET_CONFLICT,  /* expects what is not so */
    SET_LARGE,     /* more than the store has room for */
    SET_UNTOUCHED, /* good, takes no number */
    SET_FREES      /* good, may use the reserve */
} set_kind;

enum { LARGE_BYTES = 3 << 20, LIMIT_BYTES = 2 << 20 };
static uint8_t large[LARGE_BYTES];

typedef struct committer {
    grove_store *store;
    unsigned thread;
    unsigned rounds;
    set_kind kinds[5]; /* round after round, again and again */
    unsigned kind_count;
    /* Of each round. */
    grove_status statuses[64];
    uint64_t commits[64];
    grove_error error; /* the last one */
} committer;

static grove_bytes key_of(unsigned thread, unsigned round, char key[KEY_BYTES])
{
    (void)snprintf(key, KEY_BYTES, "key %u %u", thread, round);
    return grove_bytes_of(key);
}

static set_kind kind_of(const committer *self, unsigned round)
{
    return self->kinds[(self->thread + round) % self->kind_count];
}

static grove_status commit_one(committer *self, unsigned round, uint64_t *commit_out)
{
    char key[KEY_BYTES];
    const grove_bytes name = key_of(self->thread, round, key);
    const grove_bytes there = grove_bytes_of("there");
    grove__write_set set;
    set_kind kind = kind_of(self, round);
    grove__write_set_init(&set, self->store->allocator);
    set.frees_space = kind == SET_FREES;
    if (kind == SET_CONFLICT) {
        grove__write_set_expect(&set, GROVE__TABLE_PENDING, there, NULL);
    } else {
        grove__write_set_expect(&set, GROVE__TABLE_PENDING, name, NULL);
    }
    grove__write_set_put(&set, GROVE__TABLE_PENDING, name, name);
    if (kind == SET_LARGE) {
        grove__write_set_put_value(&set, GROVE__TABLE_EVENTS, name,
                                   (grove_bytes){large, sizeof large});
    }
    grove__touch touch = {GROVE__TOUCH_GROUP, name, 0, 0};
    if (kind != SET_UNTOUCHED) {
        grove__write_set_touch(&set, &touch);
    }
    grove_status status = grove__commit(self->store, &set, commit_out, &self->error);
    grove__write_set_release(&set);
    return status;
}

static void *commit_all(void *argument)
{
    committer *self = argument;
    for (unsigned round = 0; round < self->rounds; round++) {
        self->commits[round] = 0;
        self->statuses[round] = commit_one(self, round, &self->commits[round]);
    }
    return NULL;
}

/* The key that sets of SET_CONFLICT take for absent. */
static void put_there(store_fixture *fixture)
{
    grove__write_set set;
    grove__write_set_init(&set, fixture->store->allocator);
    grove__write_set_put(&set, GROVE__TABLE_PENDING, grove_bytes_of("there"),
                         grove_bytes_of("there"));
    assert_ok(fixture, grove__commit(fixture->store, &set, NULL, &fixture->error));
    grove__write_set_release(&set);
}

static bool is_stored(store_fixture *fixture, unsigned thread, unsigned round)
{
    char key[KEY_BYTES];
    const grove_bytes name = key_of(thread, round, key);
    grove__txn txn;
    grove_bytes value;
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    grove_status status =
        grove__kv_get(&txn, GROVE__TABLE_PENDING, name, &value, &fixture->error);
    cr_assert(status == GROVE_OK || status == GROVE_NONE);
    cr_assert(status == GROVE_NONE ||
              (value.size == name.size && memcmp(value.data, name.data, name.size) == 0));
    grove__txn_abort(&txn);
    return status == GROVE_OK;
}

static uint64_t newest_commit(store_fixture *fixture)
{
    uint64_t commit = 0;
    assert_ok(fixture, grove_store_commit(fixture->store, &commit, &fixture->error));
    return commit;
}

/* What was acknowledged is there, the rest is not; numbers have no gap. */
static void check_results(store_fixture *fixture, const committer *committers,
                          unsigned count, uint64_t newest_before)
{
    static bool is_taken[THREADS_MAX * 64 + 64];
    uint64_t newest = newest_commit(fixture);
    uint64_t taken = 0;
    memset(is_taken, 0, sizeof is_taken);
    for (unsigned index = 0; index < count; index++) {
        const committer *self = &committers[index];
        for (unsigned round = 0; round < self->rounds; round++) {
            bool is_done = self->statuses[round] == GROVE_OK;
            uint64_t commit = self->commits[round];
            cr_assert_eq(is_stored(fixture, self->thread, round), is_done);
            if (!is_done || kind_of(self, round) == SET_UNTOUCHED) {
                cr_assert_eq(commit, 0);
                continue;
            }
            cr_assert(commit > newest_before && commit <= newest);
            cr_assert_not(is_taken[commit - newest_before], "a number is given twice");
            is_taken[commit - newest_before] = true;
            taken++;
        }
    }
    cr_assert_eq(taken, newest - newest_before, "a number is given to nobody");
}

static grove_status expected_of(set_kind kind)
{
    return kind == SET_CONFLICT ? GROVE_CONFLICT
           : kind == SET_LARGE  ? GROVE_FULL
                                : GROVE_OK;
}

static void run_committers(committer *committers, unsigned count)
{
    pthread_t threads[THREADS_MAX];
    for (unsigned index = 0; index < count; index++) {
        cr_assert_eq(
            pthread_create(&threads[index], NULL, commit_all, &committers[index]), 0);
    }
    for (unsigned index = 0; index < count; index++) {
        cr_assert_eq(pthread_join(threads[index], NULL), 0);
    }
}

static void mix_threads(const char *backend)
{
    enum { THREADS = 10, ROUNDS = 30 };
    static committer committers[THREADS];
    store_fixture fixture;
    store_fixture_init(&fixture, backend);
    fixture.options.size_limit_bytes = LIMIT_BYTES;
    store_fixture_open(&fixture);
    put_there(&fixture);
    for (unsigned index = 0; index < THREADS; index++) {
        committers[index] = (committer){
            .store = fixture.store,
            .thread = index,
            .rounds = ROUNDS,
            .kinds = {SET_GOOD, SET_CONFLICT, SET_LARGE, SET_UNTOUCHED, SET_FREES},
            .kind_count = 5};
    }
    run_committers(committers, THREADS);
    for (unsigned index = 0; index < THREADS; index++) {
        for (unsigned round = 0; round < ROUNDS; round++) {
            grove_status expected = expected_of(kind_of(&committers[index], round));
            cr_assert_eq(committers[index].statuses[round], expected, "%s, not %s: %s",
                         grove_status_name(committers[index].statuses[round]),
                         grove_status_name(expected), committers[index].error.message);
        }
    }
    check_results(&fixture, committers, THREADS, 0);
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}

Test(commit, of_many_threads_each_gets_its_own_result_on_lmdb)
{
    mix_threads("lmdb");
}

Test(commit, of_many_threads_each_gets_its_own_result_in_memory)
{
    mix_threads("memory");
}

/* ---- Groups ---- */

/* Each in the queue begins with a pointer to the next one. */
static unsigned count_queued(grove__commit_queue *queue)
{
    unsigned count = 0;
    (void)pthread_mutex_lock(&queue->mutex);
    for (const void *queued = queue->first; queued != NULL;
         queued = *(const void *const *)queued) {
        count++;
    }
    (void)pthread_mutex_unlock(&queue->mutex);
    return count;
}

/*
 * Lets the committers come together while the store is being written, so that
 * they are one group (or as many as there are kinds of transactions). `faulty`
 * (may be NULL) fails with its n-th call after the group's begin.
 */
static void run_as_group(store_fixture *fixture, committer *committers, unsigned count,
                         faulty_backend *faulty, size_t nth)
{
    pthread_t threads[THREADS_MAX];
    grove__commit_queue *queue = &fixture->store->queue;
    grove__txn txn;
    unsigned queued = 0;
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_WRITE, &txn,
                                        &fixture->error));
    for (unsigned index = 0; index < count; index++) {
        cr_assert_eq(
            pthread_create(&threads[index], NULL, commit_all, &committers[index]), 0);
        /* One after the other, so that their order is known. */
        while (queued < index + 1) {
            struct timespec pause = {0, 100000};
            (void)nanosleep(&pause, NULL);
            queued = count_queued(queue);
        }
    }
    if (faulty != NULL) {
        faulty->fails_at = faulty->calls + nth;
    }
    grove__txn_abort(&txn);
    for (unsigned index = 0; index < count; index++) {
        cr_assert_eq(pthread_join(threads[index], NULL), 0);
    }
}

static void make_committers(store_fixture *fixture, committer *committers,
                            const set_kind *kinds, unsigned count)
{
    for (unsigned index = 0; index < count; index++) {
        committers[index] = (committer){.store = fixture->store,
                                        .thread = index,
                                        .rounds = 1,
                                        .kinds = {kinds[index]},
                                        .kind_count = 1};
    }
}

/* How many commits of the backend a group took. */
static uint64_t transactions_of(store_fixture *fixture, committer *committers,
                                const set_kind *kinds, unsigned count)
{
    grove__txn reader;
    grove_backend_statistics statistics;
    make_committers(fixture, committers, kinds, count);
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &reader,
                                        &fixture->error));
    run_as_group(fixture, committers, count, NULL, 0);
    assert_ok(fixture,
              grove__kv_statistics(&fixture->store->kv, &statistics, &fixture->error));
    grove__txn_abort(&reader);
    return statistics.oldest_reader_lag;
}

STORE_TEST(commit, threads_that_come_together_share_a_transaction)
{
    static const set_kind kinds[] = {SET_GOOD,      SET_GOOD, SET_CONFLICT, SET_GOOD,
                                     SET_UNTOUCHED, SET_GOOD, SET_CONFLICT, SET_GOOD};
    enum { COUNT = sizeof kinds / sizeof *kinds };
    committer committers[COUNT];
    put_there(fixture);
    cr_assert_eq(transactions_of(fixture, committers, kinds, COUNT), 1);
    for (unsigned index = 0; index < COUNT; index++) {
        cr_assert_eq(committers[index].statuses[0], expected_of(kinds[index]));
    }
    check_results(fixture, committers, COUNT, 0);
}

STORE_TEST(commit, what_may_use_the_reserve_has_a_transaction_of_its_own)
{
    static const set_kind kinds[] = {SET_GOOD, SET_GOOD, SET_FREES, SET_FREES, SET_GOOD};
    enum { COUNT = sizeof kinds / sizeof *kinds };
    committer committers[COUNT];
    cr_assert_eq(transactions_of(fixture, committers, kinds, COUNT), 3);
    check_results(fixture, committers, COUNT, 0);
    for (unsigned index = 0; index < COUNT; index++) {
        cr_assert_eq(committers[index].commits[0], index + 1, "in the order of arrival");
    }
}

STORE_TEST(commit, groups_of_conflicts_alone_write_nothing)
{
    static const set_kind kinds[] = {SET_CONFLICT, SET_CONFLICT, SET_CONFLICT};
    committer committers[3];
    put_there(fixture);
    cr_assert_eq(transactions_of(fixture, committers, kinds, 3), 0);
    for (unsigned index = 0; index < 3; index++) {
        cr_assert_eq(committers[index].statuses[0], GROVE_CONFLICT);
        cr_assert_eq(committers[index].error.status, GROVE_CONFLICT);
    }
    check_results(fixture, committers, 3, 0);
}

/* ---- Faults ---- */

/* A group in which the n-th call of the backend fails; false when there are
 * fewer calls. */
static bool try_fault(const char *backend, size_t nth, grove_status status)
{
    static const set_kind kinds[] = {SET_GOOD, SET_CONFLICT, SET_GOOD, SET_UNTOUCHED,
                                     SET_GOOD};
    enum { COUNT = sizeof kinds / sizeof *kinds };
    committer committers[COUNT];
    store_fixture fixture;
    faulty_backend faulty;
    store_fixture_init(&fixture, backend);
    faulty_backend_init(&faulty, fixture.options.backend, 0, status);
    faulty.under_context = fixture.options.backend_context;
    fixture.options.backend = &faulty.table;
    fixture.options.backend_context = &faulty;
    store_fixture_open(&fixture);
    put_there(&fixture);
    make_committers(&fixture, committers, kinds, COUNT);
    run_as_group(&fixture, committers, COUNT, &faulty, nth);
    faulty.fails_at = 0;
    /* What is too much for a group may be less than is left, alone. */
    bool is_done_again = status == GROVE_FULL && faulty.has_failed &&
                         (strcmp(faulty.failed_call, "put") == 0 ||
                          strcmp(faulty.failed_call, "commit") == 0);
    for (unsigned index = 0; index < COUNT; index++) {
        grove_status given = committers[index].statuses[0];
        cr_assert(!is_done_again || given == expected_of(kinds[index]));
        cr_assert(given == expected_of(kinds[index]) ||
                      (faulty.has_failed && given == status),
                  "%s failed with %s, and set %u got %s", faulty.failed_call,
                  grove_status_name(status), index, grove_status_name(given));
        cr_assert(given == GROVE_OK || (committers[index].error.status == given &&
                                        committers[index].error.message[0] != '\0'));
    }
    check_results(&fixture, committers, COUNT, 0);
    /* The next ones find nothing amiss. */
    uint64_t newest = newest_commit(&fixture);
    committer next[2];
    make_committers(&fixture, next, kinds, 2);
    next[0].thread = 100;
    next[1].thread = 101;
    run_as_group(&fixture, next, 2, NULL, 0);
    cr_assert_eq(next[0].statuses[0], GROVE_OK);
    cr_assert_eq(next[0].commits[0], newest + 1);
    cr_assert_eq(next[1].statuses[0], GROVE_CONFLICT);
    store_fixture_close(&fixture);
    faulty_backend_finish(&faulty);
    store_fixture_release(&fixture);
    return faulty.has_failed;
}

static void try_all_faults(const char *backend)
{
    static const grove_status statuses[] = {GROVE_IO, GROVE_FULL, GROVE_NO_MEMORY,
                                            GROVE_CORRUPT};
    for (size_t index = 0; index < sizeof statuses / sizeof *statuses; index++) {
        size_t nth = 1;
        while (try_fault(backend, nth, statuses[index])) {
            nth++;
        }
        cr_assert_gt(nth, 12, "%zu", nth);
    }
}

Test(commit, wherever_the_backend_fails_each_set_is_in_or_told_so_on_lmdb)
{
    try_all_faults("lmdb");
}

Test(commit, wherever_the_backend_fails_each_set_is_in_or_told_so_in_memory)
{
    try_all_faults("memory");
}

STORE_TEST(commit, one_set_that_is_too_large_spoils_no_other)
{
    static const set_kind kinds[] = {SET_GOOD, SET_LARGE, SET_GOOD};
    committer committers[3];
    const char *backend = fixture->store->kv.backend->name;
    store_fixture small;
    store_fixture_init(&small, backend);
    small.options.size_limit_bytes = LIMIT_BYTES;
    store_fixture_open(&small);
    make_committers(&small, committers, kinds, 3);
    run_as_group(&small, committers, 3, NULL, 0);
    for (unsigned index = 0; index < 3; index++) {
        cr_assert_eq(committers[index].statuses[0], expected_of(kinds[index]));
    }
    check_results(&small, committers, 3, 0);
    store_fixture_close(&small);
    store_fixture_release(&small);
}

/* ---- Waiting, growing ---- */

STORE_TEST(commit, who_waits_too_long_is_told_that_the_store_is_busy)
{
    static const set_kind kinds[] = {SET_GOOD, SET_GOOD, SET_GOOD};
    committer committers[3];
    store_fixture hasty;
    store_fixture_init(&hasty, fixture->store->kv.backend->name);
    hasty.options.wait_ms_max = 30;
    store_fixture_open(&hasty);
    make_committers(&hasty, committers, kinds, 3);
    grove__txn txn;
    assert_ok(&hasty,
              grove__txn_begin(&hasty.store->kv, GROVE_TXN_WRITE, &txn, &hasty.error));
    run_committers(committers, 3);
    grove__txn_abort(&txn);
    for (unsigned index = 0; index < 3; index++) {
        cr_assert_eq(committers[index].statuses[0], GROVE_BUSY);
        cr_assert_eq(committers[index].error.status, GROVE_BUSY);
        cr_assert_not_null(strstr(committers[index].error.message, "did not end in 30"));
    }
    check_results(&hasty, committers, 3, 0);
    run_committers(committers, 3);
    check_results(&hasty, committers, 3, 0);
    store_fixture_close(&hasty);
    store_fixture_release(&hasty);
}

/* What grow gives, call after call. */
static const grove_status *grow_statuses;
static unsigned grow_calls;

static grove_status scripted_grow(grove_backend_env *env, grove_error *error_out)
{
    grove_status status = grow_statuses[grow_calls++];
    (void)env;
    if (error_out != NULL && status != GROVE_OK && status != GROVE_NONE) {
        error_out->status = status;
        (void)snprintf(error_out->message, sizeof error_out->message, "grow says so");
    }
    return status;
}

/* One large set in a store whose growing is scripted. */
static void commit_while_growing(const grove_status *statuses, grove_status wanted,
                                 unsigned calls, const char *sentence)
{
    static const set_kind kinds[] = {SET_LARGE};
    committer self;
    store_fixture fixture;
    store_fixture_init(&fixture, "memory");
    grove_backend scripted = *fixture.options.backend;
    scripted.grow = scripted_grow;
    fixture.options.backend = &scripted;
    fixture.options.size_limit_bytes = LIMIT_BYTES;
    store_fixture_open(&fixture);
    make_committers(&fixture, &self, kinds, 1);
    grow_statuses = statuses;
    grow_calls = 0;
    (void)commit_all(&self);
    cr_assert_eq(self.statuses[0], wanted);
    cr_assert_eq(self.error.status, wanted);
    cr_assert_not_null(strstr(self.error.message, sentence), "%s", self.error.message);
    cr_assert_eq(grow_calls, calls);
    check_results(&fixture, &self, 1, 0);
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}

Test(commit, is_tried_again_as_long_as_the_store_grows)
{
    static const grove_status full[] = {GROVE_NONE};
    static const grove_status grows[] = {GROVE_OK, GROVE_OK, GROVE_OK, GROVE_NONE};
    commit_while_growing(full, GROVE_FULL, 1, "size limit");
    commit_while_growing(grows, GROVE_FULL, 4, "size limit");
}

Test(commit, says_why_the_store_could_not_grow)
{
    static const grove_status busy[] = {GROVE_OK, GROVE_BUSY};
    static const grove_status failed[] = {GROVE_NO_MEMORY};
    commit_while_growing(busy, GROVE_BUSY, 2, "grow says so");
    commit_while_growing(failed, GROVE_NO_MEMORY, 1, "grow says so");
}

/* One set that is committed in a thread of its own. */
typedef struct lone_commit {
    store_fixture *fixture;
    const char *name;
    grove_status status;
} lone_commit;

static void *commit_alone(void *context)
{
    lone_commit *self = context;
    self->status = grove_group_save(self->fixture->store, grove_bytes_of(self->name),
                                    grove_bytes_of("x"), NULL, NULL);
    return NULL;
}

/* Until somebody leads. */
static void wait_for_leader(grove__commit_queue *queue)
{
    bool leads = false;
    while (!leads) {
        (void)pthread_mutex_lock(&queue->mutex);
        leads = queue->has_leader;
        (void)pthread_mutex_unlock(&queue->mutex);
    }
}

STORE_TEST(commit, who_comes_after_the_leader_has_a_time_of_its_own_to_wait)
{
    pthread_t threads[2];
    store_fixture hasty;
    store_fixture_init(&hasty, fixture->store->kv.backend->name);
    hasty.options.wait_ms_max = 1000;
    store_fixture_open(&hasty);
    lone_commit first = {&hasty, "first", GROVE_OK};
    lone_commit second = {&hasty, "second", GROVE_BUSY};
    grove__txn txn;
    assert_ok(&hasty,
              grove__txn_begin(&hasty.store->kv, GROVE_TXN_WRITE, &txn, &hasty.error));
    cr_assert_eq(pthread_create(&threads[0], NULL, commit_alone, &first), 0);
    wait_for_leader(&hasty.store->queue);
    cr_assert_eq(pthread_create(&threads[1], NULL, commit_alone, &second), 0);
    cr_assert_eq(pthread_join(threads[0], NULL), 0);
    grove__txn_abort(&txn);
    cr_assert_eq(pthread_join(threads[1], NULL), 0);
    cr_assert_eq(first.status, GROVE_BUSY);
    cr_assert_eq(second.status, GROVE_OK);
    store_fixture_close(&hasty);
    store_fixture_release(&hasty);
}
