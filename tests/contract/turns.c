/* C3: who may write, and when; what becomes of those who are stopped or die.
 * C5: a sync that fails. */
#include <stdio.h>
#include <unistd.h>

#include "child.h"
#include "watch.h"

enum {
    LINGER_MS = 50,
    /* A wait that is to be in vain, and one that is not. */
    SHORT_WAIT_MS = 50,
    LONG_WAIT_MS = 5000
};

static void open_with_wait(grove__check *check, uint32_t wait_ms_max)
{
    grove_backend_options options = grove__check_options(check);
    options.wait_ms_max = wait_ms_max;
    grove__check_open(check, &options);
}

/* Begin gives GROVE_BUSY, with a sentence that has the process's number. */
static void begin_in_vain(grove__check *check, pid_t holder)
{
    grove_error error;
    char number[24];
    void *untouched = check;
    grove_backend_txn *txn = untouched;
    if (grove__check_has_failed(check)) {
        return;
    }
    grove__watch_init(&error);
    grove_status status =
        check->backend->begin(check->env, GROVE_TXN_WRITE, &txn, &error);
    grove__watch_error(check, status, &error, "begin");
    grove__watch_pointer(check, status, txn, untouched, "begin");
    grove__check_status(check, status, GROVE_BUSY,
                        "begin of a second write transaction, after its wait,");
    (void)snprintf(number, sizeof number, "%ld", (long)holder);
    grove__check_that(check, strstr(error.message, number) != NULL,
                      "the error does not name process %s: %s", number, error.message);
    if (status == GROVE_OK) {
        check->backend->abort(txn);
    }
}

static void check_writer_is(grove__check *check, pid_t process)
{
    grove_backend_statistics statistics = grove__check_statistics(check);
    grove__check_that(check, statistics.writer_process == (uint64_t)process,
                      "the writer is process %llu, not %llu",
                      (unsigned long long)statistics.writer_process,
                      (unsigned long long)process);
    grove__check_that(check, process != 0 || statistics.writer_ms == 0,
                      "nobody writes, for %llu ms",
                      (unsigned long long)statistics.writer_ms);
}

/* Within a process */

typedef struct turn_taker {
    grove__check *check;
    atomic_uint *turns_left;
    atomic_uint *at_start;
    unsigned threads;
    unsigned turns;
} turn_taker;

static void *take_turns(void *argument)
{
    turn_taker *self = argument;
    (void)atomic_fetch_add(self->at_start, 1);
    while (atomic_load(self->at_start) < self->threads) {
    }
    while (atomic_load(self->turns_left) > 0 && !grove__check_has_failed(self->check)) {
        grove__check_txn txn = grove__check_begin(self->check, GROVE_TXN_WRITE);
        if (atomic_load(self->turns_left) > 0) {
            (void)atomic_fetch_sub(self->turns_left, 1);
            self->turns++;
        }
        /* In this time the others come back to where they wait. */
        grove__check_linger(1);
        grove__check_abort(&txn);
    }
    return NULL;
}

static void check_turns_go_round(grove__check *check)
{
    enum { THREADS = 4, TURNS = 240, TURNS_MIN = TURNS / THREADS / 4 };
    pthread_t threads[THREADS];
    turn_taker takers[THREADS];
    atomic_uint turns_left;
    atomic_uint at_start;
    size_t started = 0;
    atomic_init(&turns_left, TURNS);
    atomic_init(&at_start, 0);
    grove__check_open(check, NULL);
    for (; started < THREADS; started++) {
        takers[started] = (turn_taker){check, &turns_left, &at_start, THREADS, 0};
        if (pthread_create(&threads[started], NULL, take_turns, &takers[started]) != 0) {
            grove__check_that(check, false, "a thread could not be started");
            atomic_store(&at_start, THREADS);
            break;
        }
    }
    for (size_t index = 0; index < started; index++) {
        (void)pthread_join(threads[index], NULL);
        grove__check_that(check, takers[index].turns >= TURNS_MIN,
                          "of %d turns one of %d threads had %u only", (int)TURNS,
                          (int)THREADS, takers[index].turns);
    }
}

static void *begin_without_success(void *argument)
{
    begin_in_vain(argument, getpid());
    return NULL;
}

static void check_wait_ends(grove__check *check)
{
    pthread_t thread;
    open_with_wait(check, SHORT_WAIT_MS);
    for (int again = 0; again < 3 && !grove__check_has_failed(check); again++) {
        grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
        check_writer_is(check, getpid());
        bool is_started =
            pthread_create(&thread, NULL, begin_without_success, check) == 0;
        grove__check_that(check, is_started, "a thread could not be started");
        if (is_started) {
            (void)pthread_join(thread, NULL);
        }
        grove__check_put(&txn, 0, grove_bytes_of("key"), grove_bytes_of("value"));
        grove__check_commit(&txn);
        check_writer_is(check, 0);
    }
    grove__check_finds(check, 0, grove_bytes_of("key"), grove_bytes_of("value"));
}

/* Between processes */

static void hold_until_told(grove__check *check, grove__peer *parent)
{
    open_with_wait(check, LONG_WAIT_MS);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_put(&txn, 0, grove_bytes_of("key"), grove_bytes_of("holder"));
    grove__peer_tell(parent);
    grove__peer_wait(parent);
    grove__check_commit(&txn);
    grove__check_close(check);
}

static void check_holder_is_named(grove__check *check)
{
    grove__peer holder;
    if (!grove__check_claims(check, GROVE_BACKEND_SHARED) ||
        !grove__child_start(check, hold_until_told, &holder)) {
        return;
    }
    grove__peer_wait(&holder);
    open_with_wait(check, SHORT_WAIT_MS);
    begin_in_vain(check, holder.process);
    check_writer_is(check, holder.process);
    grove__check_misses(check, 0, grove_bytes_of("key"));
    grove__child_stop(check, &holder);
    begin_in_vain(check, holder.process);
    grove__child_continue(&holder);
    grove__peer_tell(&holder);
    grove__child_end(check, &holder);
    check_writer_is(check, 0);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_holds(&txn, 0, grove_bytes_of("key"), grove_bytes_of("holder"));
    grove__check_abort(&txn);
}

static void *wait_for_turn(void *argument)
{
    grove__check *check = argument;
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_lacks(&txn, 0, grove_bytes_of("key"));
    grove__check_abort(&txn);
    return NULL;
}

static void check_killed_holder_is_followed(grove__check *check)
{
    grove__peer holder;
    pthread_t thread;
    if (!grove__check_claims(check, GROVE_BACKEND_SHARED) ||
        !grove__child_start(check, hold_until_told, &holder)) {
        return;
    }
    grove__peer_wait(&holder);
    open_with_wait(check, LONG_WAIT_MS);
    if (grove__check_has_failed(check) ||
        pthread_create(&thread, NULL, wait_for_turn, check) != 0) {
        grove__check_that(check, false, "a thread could not be started");
        grove__child_kill(check, &holder);
        return;
    }
    grove__check_linger(LINGER_MS);
    grove__child_kill(check, &holder);
    (void)pthread_join(thread, NULL);
    grove__check_save(check, 0, grove_bytes_of("key"), grove_bytes_of("after"));
}

static void wait_and_write(grove__check *check, grove__peer *parent)
{
    open_with_wait(check, LONG_WAIT_MS);
    grove__peer_tell(parent);
    grove__check_save(check, 0, grove_bytes_of("waiter"), grove_bytes_of("came"));
    grove__check_close(check);
}

/* Somebody waits, is stopped or killed while it does, and is passed over. */
static void pass_over_a_waiter(grove__check *check, bool is_killed)
{
    grove__peer holder;
    grove__peer waiter;
    if (!grove__check_claims(check, GROVE_BACKEND_SHARED) ||
        !grove__child_start(check, hold_until_told, &holder)) {
        return;
    }
    grove__peer_wait(&holder);
    if (!grove__child_start(check, wait_and_write, &waiter)) {
        grove__child_kill(check, &holder);
        return;
    }
    grove__peer_wait(&waiter);
    grove__check_linger(LINGER_MS);
    if (is_killed) {
        grove__child_kill(check, &waiter);
    } else {
        grove__child_stop(check, &waiter);
    }
    open_with_wait(check, LONG_WAIT_MS);
    grove__peer_tell(&holder);
    grove__child_end(check, &holder);
    for (int again = 0; again < 3; again++) {
        grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
        grove__check_holds(&txn, 0, grove_bytes_of("key"), grove_bytes_of("holder"));
        grove__check_lacks(&txn, 0, grove_bytes_of("waiter"));
        grove__check_commit(&txn);
    }
    if (!is_killed) {
        grove__child_continue(&waiter);
        grove__child_end(check, &waiter);
        grove__check_finds(check, 0, grove_bytes_of("waiter"), grove_bytes_of("came"));
    }
}

static void check_stopped_waiter_stalls_nobody(grove__check *check)
{
    pass_over_a_waiter(check, false);
}

static void check_killed_waiter_stalls_nobody(grove__check *check)
{
    pass_over_a_waiter(check, true);
}

/* A sync that fails */

static bool let_sync_fail(grove__check *check)
{
    if (grove__check_has_failed(check)) {
        return false;
    }
    if (!check->options->sync_fail(check->options->context, &check->place)) {
        grove__check_skip(check, "no failing sync can be played here");
        return false;
    }
    return true;
}

static void expect_refusal(grove__check *check)
{
    grove__check_txn txn = {check, NULL};
    if (grove__check_has_failed(check)) {
        return;
    }
    grove__check_status(check, grove__check_try_begin(check, GROVE_TXN_WRITE, &txn),
                        GROVE_FAILED, "begin of a write after a failed sync");
    grove__check_abort(&txn);
    grove__check_status(check, grove__check_try_begin(check, GROVE_TXN_READ, &txn),
                        GROVE_FAILED, "begin of a read after a failed sync");
    grove__check_abort(&txn);
    grove__check_status(check, grove__check_try_sync(check), GROVE_FAILED,
                        "sync after a failed sync");
}

static void check_failed_commit_ends_it(grove__check *check)
{
    grove_backend_options options = grove__check_options(check);
    options.durability = GROVE_DURABILITY_FULL;
    grove__check_open(check, &options);
    grove__check_save_state(check, 1);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_put(&txn, 2, grove_bytes_of("doubtful"), grove_bytes_of("value"));
    if (!let_sync_fail(check)) {
        grove__check_abort(&txn);
        return;
    }
    grove__check_that(check, grove__check_try_commit(&txn) != GROVE_OK,
                      "a commit gave GROVE_OK, and could not be made durable");
    expect_refusal(check);
    grove__check_reopen(check, &options);
    (void)grove__check_state(check, 1, 1);
    grove__check_save_state(check, 2);
    grove__check_reopen(check, &options);
    (void)grove__check_state(check, 2, 2);
}

static void check_failed_sync_ends_it(grove__check *check)
{
    grove_backend_options options = grove__check_options(check);
    options.durability = GROVE_DURABILITY_RELAXED;
    grove__check_open(check, &options);
    grove__check_save_state(check, 1);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_put(&txn, 2, grove_bytes_of("lost"), grove_bytes_of("value"));
    if (!let_sync_fail(check)) {
        grove__check_abort(&txn);
        return;
    }
    grove__check_that(check, grove__check_try_sync(check) != GROVE_OK,
                      "sync gave GROVE_OK, and it failed");
    grove__check_status(check, grove__check_try_commit(&txn), GROVE_FAILED,
                        "commit after a failed sync");
    expect_refusal(check);
    grove__check_reopen(check, &options);
    (void)grove__check_state(check, 1, 1);
    grove__check_misses(check, 2, grove_bytes_of("lost"));
}

const grove__check_case grove__contract_turns[] = {
    {3, "the turns of those who wait go round", check_turns_go_round},
    {3, "a wait that is too long ends, and says who was in the way", check_wait_ends},
    {3, "a process that holds the turn is named, and keeps it while it is stopped",
     check_holder_is_named},
    {3, "a holder that is killed is followed by who waits",
     check_killed_holder_is_followed},
    {3, "a waiter that is stopped stalls nobody", check_stopped_waiter_stalls_nobody},
    {3, "a waiter that is killed stalls nobody", check_killed_waiter_stalls_nobody},
    {5, "after a commit that could not be made durable nothing is promised",
     check_failed_commit_ends_it},
    {5, "after a sync that failed nothing is promised", check_failed_sync_ends_it},
    {0, NULL, NULL},
};
