/* Children of a test that tell it where they are. Criterion does not know them:
 * what one claims comes back as CHILD_DONE. */
#ifndef GROVE_TESTS_LMDB_CHILD_H
#define GROVE_TESTS_LMDB_CHILD_H

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

/* How a child ends that got to its end. */
enum { LMDB_CHILD_DONE = 42 };

/* The other side: a child for the test, the test for a child. */
typedef struct lmdb_peer {
    pid_t process;
    int read_end;
    int write_end;
} lmdb_peer;

static inline void lmdb_peer_tell(const lmdb_peer *peer)
{
    (void)!write(peer->write_end, "", 1);
}

/* Until the other side tells, or is gone. */
static inline void lmdb_peer_wait(const lmdb_peer *peer)
{
    char byte;
    (void)!read(peer->read_end, &byte, 1);
}

/* Runs `work`, which says whether all was as it should be. */
static inline lmdb_peer lmdb_child_start(bool (*work)(const lmdb_peer *test,
                                                      void *context),
                                         void *context)
{
    int down[2];
    int up[2];
    cr_assert_eq(pipe(down), 0);
    cr_assert_eq(pipe(up), 0);
    pid_t process = fork();
    cr_assert_geq(process, 0);
    if (process == 0) {
        lmdb_peer test = {getppid(), down[0], up[1]};
        (void)close(down[1]);
        (void)close(up[0]);
        _exit(work(&test, context) ? LMDB_CHILD_DONE : 1);
    }
    (void)close(down[0]);
    (void)close(up[1]);
    return (lmdb_peer){process, up[0], down[1]};
}

static inline void lmdb_child_reap(const lmdb_peer *child, int *status_out)
{
    (void)close(child->write_end);
    (void)close(child->read_end);
    cr_assert_eq(waitpid(child->process, status_out, 0), child->process);
}

static inline void lmdb_child_end(const lmdb_peer *child)
{
    int status;
    lmdb_child_reap(child, &status);
    cr_assert(WIFEXITED(status));
    cr_assert_eq(WEXITSTATUS(status), LMDB_CHILD_DONE);
}

static inline void lmdb_child_kill(const lmdb_peer *child)
{
    int status;
    cr_assert_eq(kill(child->process, SIGKILL), 0);
    lmdb_child_reap(child, &status);
}

static inline void lmdb_child_stop(const lmdb_peer *child)
{
    int status;
    cr_assert_eq(kill(child->process, SIGSTOP), 0);
    cr_assert_eq(waitpid(child->process, &status, WUNTRACED), child->process);
    cr_assert(WIFSTOPPED(status));
}

static inline void lmdb_child_continue(const lmdb_peer *child)
{
    cr_assert_eq(kill(child->process, SIGCONT), 0);
}

#endif
