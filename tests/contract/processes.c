/*
 * What processes share, for backends that are shared or persistent: C3, C4 and
 * C5, C13, C16 and C17 across processes.
 */
#include <signal.h>

#include "child.h"

enum { TOLD_MS_MAX = 5000 };

static void hold_the_write_transaction(grove__check *check, grove__peer *parent)
{
    grove__check_open(check, NULL);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_put(&txn, 0, grove_bytes_of("key"), grove_bytes_of("child"));
    grove__peer_tell(parent);
    grove__check_linger(100);
    grove__check_commit(&txn);
    grove__check_close(check);
}

static void check_processes_exclude_writers(grove__check *check)
{
    grove__peer child;
    if (!grove__check_claims(check, GROVE_BACKEND_SHARED) ||
        !grove__child_start(check, hold_the_write_transaction, &child)) {
        return;
    }
    grove__peer_wait(&child);
    grove__check_open(check, NULL);
    grove__check_misses(check, 0, grove_bytes_of("key"));
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_holds(&txn, 0, grove_bytes_of("key"), grove_bytes_of("child"));
    grove__check_put(&txn, 0, grove_bytes_of("key"), grove_bytes_of("parent"));
    grove__check_commit(&txn);
    grove__child_end(check, &child);
    grove__check_finds(check, 0, grove_bytes_of("key"), grove_bytes_of("parent"));
}

static void die_in_a_write_transaction(grove__check *check, grove__peer *parent)
{
    grove__check_open(check, NULL);
    grove__check_save(check, 0, grove_bytes_of("key"), grove_bytes_of("committed"));
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_put(&txn, 0, grove_bytes_of("key"), grove_bytes_of("lost"));
    grove__peer_tell(parent);
    (void)raise(SIGKILL);
}

static void check_dead_writer_blocks_nobody(grove__check *check)
{
    grove__peer child;
    if (!grove__check_claims(check, GROVE_BACKEND_SHARED) ||
        !grove__child_start(check, die_in_a_write_transaction, &child)) {
        return;
    }
    grove__peer_wait(&child);
    grove__check_open(check, NULL);
    grove__child_kill(check, &child);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_holds(&txn, 0, grove_bytes_of("key"), grove_bytes_of("committed"));
    grove__check_put(&txn, 0, grove_bytes_of("key"), grove_bytes_of("parent"));
    grove__check_commit(&txn);
    grove__check_finds(check, 0, grove_bytes_of("key"), grove_bytes_of("parent"));
}

static void commit_and_die(grove__check *check, grove__peer *parent)
{
    grove__check_open(check, NULL);
    grove__check_save(check, 0, grove_bytes_of("key"), grove_bytes_of("value"));
    grove__peer_tell(parent);
    (void)raise(SIGKILL);
}

static void check_commits_outlive_the_process(grove__check *check)
{
    grove__peer child;
    if (!grove__check_claims(check, GROVE_BACKEND_PERSISTENT) ||
        !grove__child_start(check, commit_and_die, &child)) {
        return;
    }
    grove__peer_wait(&child);
    grove__child_kill(check, &child);
    grove_backend_options options = grove__check_options(check);
    options.must_exist = true;
    grove__check_open(check, &options);
    grove__check_finds(check, 0, grove_bytes_of("key"), grove_bytes_of("value"));
}

/* C13 */

static void read_until_told(grove__check *check, grove__peer *parent)
{
    /* What was inherited is dead (C15). */
    check->env = NULL;
    grove__check_open(check, NULL);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_READ);
    grove__peer_tell(parent);
    grove__peer_wait(parent);
    grove__check_abort(&txn);
    grove__check_close(check);
}

static bool take_process(void *context, const grove_backend_reader *reader)
{
    uint64_t *process = context;
    *process = reader->process;
    return true;
}

static uint64_t reading_process(grove__check *check)
{
    uint64_t process = 0;
    grove_error error = {.status = GROVE_OK};
    if (!grove__check_has_failed(check)) {
        grove__check_status(
            check, check->backend->readers(check->env, take_process, &process, &error),
            GROVE_OK, "readers");
    }
    return process;
}

static void check_readers_of_others(grove__check *check)
{
    grove__peer child;
    if (!grove__check_claims(check, GROVE_BACKEND_SHARED)) {
        return;
    }
    grove__check_open(check, NULL);
    for (int is_killed = 0; is_killed < 2; is_killed++) {
        if (!grove__child_start(check, read_until_told, &child)) {
            return;
        }
        grove__peer_wait(&child);
        grove__check_save_state(check, 1);
        uint64_t process = (uint64_t)child.process;
        grove_backend_statistics statistics = grove__check_statistics(check);
        grove__check_that(check, reading_process(check) == process,
                          "another process's reader is not known as such");
        grove__check_that(check,
                          statistics.readers == 1 && statistics.oldest_reader_lag == 1 &&
                              statistics.oldest_reader_process == process,
                          "another process's reader is not the oldest one, or not 1 "
                          "behind, but %llu",
                          (unsigned long long)statistics.oldest_reader_lag);
        if (is_killed != 0) {
            grove__child_kill(check, &child);
            grove__check_reclaim(check);
        } else {
            grove__peer_tell(&child);
            grove__child_end(check, &child);
        }
        statistics = grove__check_statistics(check);
        grove__check_that(check, statistics.readers == 0 && reading_process(check) == 0,
                          "a reader is left of a process that is gone");
    }
}

/* C16 */

enum { COMMITS = 100 };

static void commit_when_told(grove__check *check, grove__peer *parent)
{
    grove__check_open(check, NULL);
    grove__peer_tell(parent);
    grove__peer_wait(parent);
    grove__check_save_state(check, 1);
    grove__peer_wait(parent);
    for (uint64_t number = 2; number <= COMMITS; number++) {
        grove__check_save_state(check, number);
    }
    grove__check_close(check);
}

static void check_commits_of_others_are_told(grove__check *check)
{
    grove__peer child;
    uint64_t seen = 1;
    if (!grove__check_claims(check, GROVE_BACKEND_SHARED) ||
        !grove__child_start(check, commit_when_told, &child)) {
        return;
    }
    grove__peer_wait(&child);
    grove__check_open(check, NULL);
    grove__check_watch watch = grove__check_watch_open(check);
    grove__check_watch_wait(&watch, 0, GROVE_NONE);
    grove__check_that(check, !grove__check_watch_poll(&watch, 0),
                      "the descriptor is readable without a commit");
    grove__peer_tell(&child);
    /* However often it is told of nothing, it is told of the commit. */
    grove__check_watch_wait(&watch, TOLD_MS_MAX, GROVE_OK);
    (void)grove__check_state(check, 1, 1);
    grove__check_watch_wait(&watch, 0, GROVE_NONE);
    grove__peer_tell(&child);
    while (seen < COMMITS && !grove__check_has_failed(check)) {
        bool is_told = grove__check_watch_poll(&watch, TOLD_MS_MAX);
        grove__check_that(check, is_told, "after commit %llu the descriptor was silent",
                          (unsigned long long)seen);
        if (is_told) {
            grove_error error;
            (void)!check->backend->watch_wait(watch.watch, 0, &error);
            seen = grove__check_state(check, seen, COMMITS);
        }
    }
    grove__check_watch_close(&watch);
    grove__child_end(check, &child);
}

/* C17 */

static void pin_until_told(grove__check *check, grove__peer *parent)
{
    /* What was inherited is dead (C15). */
    check->env = NULL;
    grove__check_open(check, NULL);
    grove__check_pin_least(check, 1, 50);
    uint64_t pin = grove__check_pin_open(check, 1, 40);
    grove__peer_tell(parent);
    grove__peer_wait(parent);
    grove__check_pin_move(check, pin, 30);
    (void)grove__check_pin_open(check, 2, 20);
    grove__peer_tell(parent);
    grove__peer_wait(parent);
    grove__check_pin_close(check, pin);
    grove__peer_tell(parent);
    grove__peer_wait(parent);
}

static void check_pins_of_others(grove__check *check)
{
    grove__peer child;
    if (!grove__check_claims(check, GROVE_BACKEND_SHARED)) {
        return;
    }
    grove__check_open(check, NULL);
    uint64_t pin = grove__check_pin_open(check, 1, 50);
    if (!grove__child_start(check, pin_until_told, &child)) {
        grove__check_pin_close(check, pin);
        return;
    }
    grove__peer_wait(&child);
    grove__check_pin_least(check, 1, 40);
    grove__peer_tell(&child);
    grove__peer_wait(&child);
    grove__check_pin_least(check, 1, 30);
    grove__check_reclaim(check);
    grove__check_pin_least(check, 1, 30);
    grove__check_pin_least(check, 2, 20);
    grove__peer_tell(&child);
    grove__peer_wait(&child);
    grove__check_pin_least(check, 1, 50);
    grove__check_pin_least(check, 2, 20);
    grove__child_kill(check, &child);
    grove__check_reclaim(check);
    grove__check_pin_least(check, 2, UINT64_MAX);
    grove__check_pin_least(check, 1, 50);
    grove__check_pin_close(check, pin);
}

const grove__check_case grove__contract_processes[] = {
    {3, "write transactions of processes wait for one another",
     check_processes_exclude_writers},
    {4, "a process that dies leaves nothing and blocks nobody",
     check_dead_writer_blocks_nobody},
    {5, "commits outlive the process that made them", check_commits_outlive_the_process},
    {13, "readers of other processes are known, and gone with them",
     check_readers_of_others},
    {16, "a watch tells of other processes' commits, and misses none",
     check_commits_of_others_are_told},
    {17, "processes see each other's pins, and reclaim takes those of the dead",
     check_pins_of_others},
    {0, NULL, NULL},
};
