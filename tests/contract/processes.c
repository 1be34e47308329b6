/*
 * C3, C4 and C5 as processes see them: for backends that are shared or
 * persistent. The child opens the environment for itself, before the parent
 * has it open, and ends without ever returning.
 */
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

/* A child that works at the check's place and tells the parent by a byte. */
typedef struct child_process {
    pid_t process;
    int read_end;
} child_process;

static bool claims(const grove__check *check, uint32_t capabilities)
{
    return (check->backend->capabilities & capabilities) == capabilities;
}

/* Runs `work` in a child, which then ends with 0 if the check did not fail
 * there. */
static bool start_child(grove__check *check, void (*work)(grove__check *, int),
                        child_process *child_out)
{
    int ends[2];
    if (pipe(ends) != 0) {
        grove__check_that(check, false, "a pipe could not be made");
        return false;
    }
    pid_t process = fork();
    if (process == 0) {
        (void)close(ends[0]);
        work(check, ends[1]);
        _exit(grove__check_has_failed(check) ? 1 : 0);
    }
    (void)close(ends[1]);
    if (process < 0) {
        (void)close(ends[0]);
        grove__check_that(check, false, "a process could not be started");
        return false;
    }
    child_out->process = process;
    child_out->read_end = ends[0];
    return true;
}

static void tell_parent(int write_end)
{
    ssize_t written;
    do {
        written = write(write_end, "x", 1);
    } while (written == 0);
}

/* Until the child tells, or has ended. */
static void wait_to_be_told(const child_process *child)
{
    char byte;
    (void)!read(child->read_end, &byte, 1);
}

/* Says whether the child ended with 0. */
static bool end_child(const child_process *child)
{
    int status = 1;
    (void)close(child->read_end);
    return waitpid(child->process, &status, 0) == child->process && status == 0;
}

static void sleep_milliseconds(long milliseconds)
{
    struct timespec time = {0, milliseconds * 1000000};
    (void)nanosleep(&time, NULL);
}

static void hold_the_write_transaction(grove__check *check, int write_end)
{
    grove__check_open(check, NULL);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_put(&txn, 0, grove_bytes_of("key"), grove_bytes_of("child"));
    tell_parent(write_end);
    sleep_milliseconds(100);
    grove__check_commit(&txn);
    grove__check_close(check);
}

static void check_processes_exclude_writers(grove__check *check)
{
    child_process child;
    if (!claims(check, GROVE_BACKEND_SHARED)) {
        grove__check_skip(check, "the backend is not shared between processes");
        return;
    }
    if (!start_child(check, hold_the_write_transaction, &child)) {
        return;
    }
    wait_to_be_told(&child);
    grove__check_open(check, NULL);
    grove__check_misses(check, 0, grove_bytes_of("key"));
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_holds(&txn, 0, grove_bytes_of("key"), grove_bytes_of("child"));
    grove__check_put(&txn, 0, grove_bytes_of("key"), grove_bytes_of("parent"));
    grove__check_commit(&txn);
    grove__check_that(check, end_child(&child), "the other process failed");
    grove__check_finds(check, 0, grove_bytes_of("key"), grove_bytes_of("parent"));
}

static void die_in_a_write_transaction(grove__check *check, int write_end)
{
    grove__check_open(check, NULL);
    grove__check_save(check, 0, grove_bytes_of("key"), grove_bytes_of("committed"));
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_put(&txn, 0, grove_bytes_of("key"), grove_bytes_of("lost"));
    tell_parent(write_end);
    (void)raise(SIGKILL);
}

static void check_dead_writer_blocks_nobody(grove__check *check)
{
    child_process child;
    if (!claims(check, GROVE_BACKEND_SHARED)) {
        grove__check_skip(check, "the backend is not shared between processes");
        return;
    }
    if (!start_child(check, die_in_a_write_transaction, &child)) {
        return;
    }
    wait_to_be_told(&child);
    grove__check_open(check, NULL);
    (void)end_child(&child);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_holds(&txn, 0, grove_bytes_of("key"), grove_bytes_of("committed"));
    grove__check_put(&txn, 0, grove_bytes_of("key"), grove_bytes_of("parent"));
    grove__check_commit(&txn);
    grove__check_finds(check, 0, grove_bytes_of("key"), grove_bytes_of("parent"));
}

static void commit_and_die(grove__check *check, int write_end)
{
    grove__check_open(check, NULL);
    grove__check_save(check, 0, grove_bytes_of("key"), grove_bytes_of("value"));
    tell_parent(write_end);
    (void)raise(SIGKILL);
}

static void check_commits_outlive_the_process(grove__check *check)
{
    child_process child;
    if (!claims(check, GROVE_BACKEND_PERSISTENT)) {
        grove__check_skip(check, "the backend is not persistent");
        return;
    }
    if (!start_child(check, commit_and_die, &child)) {
        return;
    }
    wait_to_be_told(&child);
    (void)end_child(&child);
    grove_backend_options options = grove__check_options(check);
    options.must_exist = true;
    grove__check_open(check, &options);
    grove__check_finds(check, 0, grove_bytes_of("key"), grove_bytes_of("value"));
}

const grove__check_case grove__contract_processes[] = {
    {3, "write transactions of processes wait for one another",
     check_processes_exclude_writers},
    {4, "a process that dies leaves nothing and blocks nobody",
     check_dead_writer_blocks_nobody},
    {5, "commits outlive the process that made them", check_commits_outlive_the_process},
    {0, NULL, NULL},
};
