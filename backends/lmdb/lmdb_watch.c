#include "lmdb_watch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lmdb_error.h"

#define NS_PER_MS UINT64_C(1000000)
/* How often a waiter looks without having been told. */
#define LOOK_NS (1000 * NS_PER_MS)

enum { EVENTS_BYTES = 1024 };

struct grove_backend_watch {
    grove_backend_env *env;
    int descriptor;
    uint64_t seen; /* the last transaction that was told of */
};

static void set_at_least(_Atomic uint64_t *number, uint64_t least)
{
    uint64_t now = atomic_load(number);
    while (now < least && !atomic_compare_exchange_weak(number, &now, least)) {
    }
}

void grove__bell_ring(grove__control *control, uint64_t txn)
{
    char byte;
    /* A read of a file that exists and is not empty: it cannot fail in a way
     * that waiters would not get over. */
    ssize_t got = pread(control->descriptor, &byte, 1, 0);
    (void)got;
    /* Last, so that who dies before it is rung for again. */
    set_at_least(&control->map->rung, txn);
}

void grove__bell_make_up(grove__control *control, uint64_t txn)
{
    if (atomic_load(&control->map->rung) < txn) {
        grove__bell_ring(control, txn);
    }
}

/* The last transaction that a reader sees. LMDB's header page, which is written
 * first, may be one ahead: who told of that would tell of a commit too early,
 * and not again once it is visible. */
static int last_txn(grove_backend_env *env, uint64_t *txn_out)
{
    grove_backend_txn *reader;
    int code = grove__lmdb_begin_reader(env, &reader);
    if (code == 0) {
        *txn_out = mdb_txn_id(reader->mdb);
        grove__lmdb_end_reader(reader);
    }
    return code;
}

grove_status grove__lmdb_watch_open(grove_backend_env *env,
                                    grove_backend_watch **watch_out,
                                    grove_error *error_out)
{
    if (grove__lmdb_is_forked(env)) {
        return grove__lmdb_fail_forked(error_out);
    }
    grove_backend_watch *watch = grove__lmdb_take(env->allocator, sizeof *watch);
    if (watch == NULL) {
        return grove__lmdb_fail_code(error_out, ENOMEM, "watch");
    }
    /* The file itself, whatever it is called by now. */
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d",
                   env->shared->control.descriptor);
    watch->env = env;
    watch->descriptor = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    int code = watch->descriptor < 0 ? errno : 0;
    if (code == 0 && inotify_add_watch(watch->descriptor, path, IN_ACCESS) < 0) {
        code = errno;
        (void)close(watch->descriptor);
    }
    if (code == 0) {
        code = last_txn(env, &watch->seen);
        if (code == 0) {
            *watch_out = watch;
            return GROVE_OK;
        }
        (void)close(watch->descriptor);
    }
    grove__lmdb_return(env->allocator, watch, sizeof *watch);
    if (code == EMFILE || code == ENOSPC) {
        return grove__lmdb_fail(error_out, GROVE_BUSY,
                                "cannot watch: too many descriptors or watches; raise "
                                "`ulimit -n` or fs.inotify.max_user_instances");
    }
    return grove__lmdb_fail_code(error_out, code, "watch");
}

/* Makes the descriptor unreadable; what is read does not matter. */
static void drain(const grove_backend_watch *watch)
{
    char events[EVENTS_BYTES];
    while (read(watch->descriptor, events, sizeof events) > 0) {
    }
}

grove_status grove__lmdb_watch_wait(grove_backend_watch *watch, uint32_t wait_ms_max,
                                    grove_error *error_out)
{
    if (grove__lmdb_is_forked(watch->env)) {
        return grove__lmdb_fail_forked(error_out);
    }
    uint64_t until = grove__now_ns() + wait_ms_max * NS_PER_MS;
    for (;;) {
        /* First what was told, then what there is: a commit between the two
         * is seen twice rather than never. */
        drain(watch);
        uint64_t last;
        int code = last_txn(watch->env, &last);
        if (code != 0) {
            return grove__lmdb_fail_code(error_out, code, "wait");
        }
        if (last != watch->seen) {
            watch->seen = last;
            return GROVE_OK;
        }
        uint64_t now = grove__now_ns();
        if (now >= until) {
            return GROVE_NONE;
        }
        uint64_t left = until - now < LOOK_NS ? until - now : LOOK_NS;
        struct pollfd told = {.fd = watch->descriptor, .events = POLLIN};
        if (poll(&told, 1, (int)((left + NS_PER_MS - 1) / NS_PER_MS)) < 0 &&
            errno != EINTR) {
            return grove__lmdb_fail_code(error_out, errno, "wait");
        }
    }
}

int grove__lmdb_watch_descriptor(const grove_backend_watch *watch)
{
    return watch->descriptor;
}

void grove__lmdb_watch_close(grove_backend_watch *watch)
{
    (void)close(watch->descriptor);
    grove__lmdb_return(watch->env->allocator, watch, sizeof *watch);
}
