/* A child of fork: what it inherited is dead, what it opens is alive, and the
 * parent notices nothing. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actions.h"

static void check_forked(stress_worker *self, grove_status status,
                         const grove_error *error)
{
    (void)worker_answer(self, CALL_FORKED, WHEN_ANY, status, error);
}

static void find_inherited_dead(stress_worker *self)
{
    grove_error error;
    uint64_t commit;
    grove_bytes state;
    grove_store_statistics statistics;
    check_forked(self, grove_store_commit(self->store, &commit, &error), &error);
    check_forked(self, grove_store_sync(self->store, &error), &error);
    check_forked(self, grove_store_statistics_get(self->store, &statistics, &error),
                 &error);
    check_forked(
        self, grove_group_load(self->store, grove_bytes_of("group-0-0"), &state, &error),
        &error);
    check_forked(self,
                 grove_group_save(self->store, grove_bytes_of("of-a-child"),
                                  grove_bytes_of("state"), NULL, &error),
                 &error);
    for (int index = 0; index < HANDLES_MAX; index++) {
        stress_handle *handle = self->handles[index];
        if (handle == NULL) {
            continue;
        }
        grove_document *document = handle->document;
        check_forked(self, grove_document_refresh(document, NULL, &error), &error);
        check_forked(self, grove_document_save(document, NULL, NULL, &error), &error);
        check_forked(self, grove_document_compact(document, NULL, NULL, &error), &error);
        handle_close(handle);
        self->handles[index] = NULL;
    }
    /* Other threads of the parent have handles of it. */
    if (self->is_alone) {
        grove_store_close(self->store);
    }
}

static _Noreturn void run_child(stress_worker *self)
{
    find_inherited_dead(self);
    self->store = worker_opens_store(self);
    self->last_commit = 0;
    stress_handle *handle = handle_open(self, self->store, worker_chooses_place(self),
                                        self->first_author + CHILD, false, false);
    if (handle != NULL && handle_make(handle, 1 + worker_below(self, 3))) {
        (void)handle_save(handle, false);
    }
    handle_close(handle);
    act_load(self);
    grove_store_close(self->store);
    _exit(0);
}

void act_fork(stress_worker *self)
{
    int status = 0;
    if (self->board->options.processes < 2) {
        return; /* a thread of the only process, which may be under a sanitizer */
    }
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    /* Their allocators do not follow into children of several threads. */
    if (!self->is_alone) {
        return;
    }
#endif
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        /* Its author is the parent's, and goes with it. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) {
            _exit(1);
        }
        run_child(self);
    }
    if (child < 0) {
        stress_fail(self->board, "fork: %s", strerror(errno));
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        stress_fail(self->board, "a forked child ended with %#x", (unsigned)status);
    }
}
