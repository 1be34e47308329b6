#include "child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What the pipe carries: a byte to tell, or this and a message. */
enum { TELLS = 't', HAS_FAILED = 'f' };

static void write_all(int end, const void *bytes, size_t size)
{
    const char *next = bytes;
    while (size > 0) {
        ssize_t written = write(end, next, size);
        if (written < 0 && errno != EINTR) {
            return;
        }
        if (written > 0) {
            next += written;
            size -= (size_t)written;
        }
    }
}

static void report_to_parent(const grove__check *check, const grove__peer *parent)
{
    const char kind = HAS_FAILED;
    write_all(parent->write_end, &kind, 1);
    write_all(parent->write_end, check->message, strlen(check->message));
}

bool grove__child_start(grove__check *check, void (*work)(grove__check *, grove__peer *),
                        grove__peer *child_out)
{
    int down[2];
    int up[2];
    if (grove__check_has_failed(check)) {
        return false;
    }
    if (pipe(down) != 0) {
        grove__check_that(check, false, "a pipe could not be made");
        return false;
    }
    if (pipe(up) != 0) {
        (void)close(down[0]);
        (void)close(down[1]);
        grove__check_that(check, false, "a pipe could not be made");
        return false;
    }
    pid_t process = fork();
    if (process == 0) {
        grove__peer parent = {getppid(), down[0], up[1]};
        (void)close(down[1]);
        (void)close(up[0]);
        work(check, &parent);
        if (grove__check_has_failed(check)) {
            report_to_parent(check, &parent);
            _exit(1);
        }
        _exit(0);
    }
    (void)close(down[0]);
    (void)close(up[1]);
    *child_out = (grove__peer){process, up[0], down[1]};
    if (process < 0) {
        (void)close(down[1]);
        (void)close(up[0]);
        grove__check_that(check, false, "a process could not be started");
    }
    return process > 0;
}

void grove__peer_tell(const grove__peer *peer)
{
    const char kind = TELLS;
    write_all(peer->write_end, &kind, 1);
}

void grove__peer_wait(const grove__peer *peer)
{
    char kind;
    ssize_t got;
    do {
        got = read(peer->read_end, &kind, 1);
    } while (got < 0 && errno == EINTR);
}

static void wait_for_end(grove__check *check, grove__peer *child, bool is_killed)
{
    char message[GROVE__CHECK_MESSAGE_BYTES];
    size_t size = 0;
    ssize_t got = 1;
    int status = 1;
    (void)close(child->write_end);
    while (got > 0 && size + 1 < sizeof message) {
        got = read(child->read_end, message + size, sizeof message - size - 1);
        size += got > 0 ? (size_t)got : 0;
    }
    message[size] = '\0';
    (void)close(child->read_end);
    bool is_reaped = waitpid(child->process, &status, 0) == child->process;
    const char *failure = strchr(message, HAS_FAILED);
    grove__check_that(check, failure == NULL, "in another process: %s",
                      failure != NULL ? failure + 1 : "");
    grove__check_that(check, is_reaped && (is_killed || status == 0),
                      "another process did not end by itself: %d", status);
}

void grove__child_end(grove__check *check, grove__peer *child)
{
    wait_for_end(check, child, false);
}

void grove__child_kill(grove__check *check, grove__peer *child)
{
    (void)kill(child->process, SIGKILL);
    wait_for_end(check, child, true);
}

void grove__child_stop(grove__check *check, const grove__peer *child)
{
    int status;
    bool has_stopped = kill(child->process, SIGSTOP) == 0 &&
                       waitpid(child->process, &status, WUNTRACED) == child->process &&
                       WIFSTOPPED(status);
    grove__check_that(check, has_stopped, "another process could not be stopped");
}

void grove__child_continue(const grove__peer *child)
{
    (void)kill(child->process, SIGCONT);
}

bool grove__check_claims(grove__check *check, uint32_t capabilities)
{
    if ((check->backend->capabilities & capabilities) == capabilities) {
        return true;
    }
    grove__check_skip(check, (capabilities & GROVE_BACKEND_SHARED) != 0
                                 ? "the backend is not shared between processes"
                                 : "the backend is not persistent");
    return false;
}

void grove__check_linger(long milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    (void)nanosleep(&time, NULL);
}
