#include "bell.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

struct grove_backend_watch {
    grove_backend_watch *next;
    grove__bell *bell;
    const grove_allocator *allocator;
    uint64_t cuts;
    uint64_t seen; /* commits that it told of */
    pid_t process;
    int ends[2];
};

void grove__memory_bell_ring(grove__bell *bell)
{
    bell->commits++;
    for (grove_backend_watch *watch = bell->watches; watch != NULL; watch = watch->next) {
        /* A full pipe is readable as it is. */
        ssize_t written = write(watch->ends[1], "", 1);
        (void)written;
    }
}

uint64_t grove__memory_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool make_pipe(int ends[2])
{
    if (pipe(ends) != 0) {
        return false;
    }
    for (int end = 0; end < 2; end++) {
        if (fcntl(ends[end], F_SETFL, O_NONBLOCK) != 0 ||
            fcntl(ends[end], F_SETFD, FD_CLOEXEC) != 0) {
            (void)close(ends[0]);
            (void)close(ends[1]);
            return false;
        }
    }
    return true;
}

grove_status grove__memory_bell_watch(grove__bell *bell, const grove_allocator *allocator,
                                      uint64_t cuts, grove_backend_watch **watch_out)
{
    grove_backend_watch *watch = allocator->allocate(allocator->context, sizeof *watch);
    if (watch == NULL) {
        return GROVE_NO_MEMORY;
    }
    if (!make_pipe(watch->ends)) {
        allocator->deallocate(allocator->context, watch, sizeof *watch);
        return GROVE_BUSY;
    }
    watch->bell = bell;
    watch->allocator = allocator;
    watch->cuts = cuts;
    watch->process = getpid();
    (void)pthread_mutex_lock(bell->mutex);
    watch->seen = bell->commits;
    watch->next = bell->watches;
    bell->watches = watch;
    (void)pthread_mutex_unlock(bell->mutex);
    *watch_out = watch;
    return GROVE_OK;
}

/* Takes what was told, and whether there is more than was seen. */
static grove_status look(grove_backend_watch *watch)
{
    char bytes[256];
    grove_status status = GROVE_NONE;
    while (read(watch->ends[0], bytes, sizeof bytes) > 0) {
    }
    (void)pthread_mutex_lock(watch->bell->mutex);
    if (watch->bell->cuts != watch->cuts) {
        status = GROVE_IO;
    } else if (watch->bell->commits != watch->seen) {
        watch->seen = watch->bell->commits;
        status = GROVE_OK;
    }
    (void)pthread_mutex_unlock(watch->bell->mutex);
    return status;
}

grove_status grove__memory_bell_wait(grove_backend_watch *watch, uint32_t wait_ms_max)
{
    uint64_t until = grove__memory_now_ms() + wait_ms_max;
    for (;;) {
        grove_status status = look(watch);
        uint64_t now = grove__memory_now_ms();
        if (status != GROVE_NONE || now >= until) {
            return status;
        }
        uint64_t left = until - now < INT16_MAX ? until - now : INT16_MAX;
        struct pollfd told = {.fd = watch->ends[0], .events = POLLIN};
        if (poll(&told, 1, (int)left) < 0 && errno != EINTR) {
            return GROVE_IO;
        }
    }
}

int grove__memory_bell_descriptor(const grove_backend_watch *watch)
{
    return watch->ends[0];
}

pid_t grove__memory_bell_process(const grove_backend_watch *watch)
{
    return watch->process;
}

void grove__memory_bell_close(grove_backend_watch *watch, bool is_forked)
{
    if (!is_forked) {
        grove_backend_watch **place = &watch->bell->watches;
        (void)pthread_mutex_lock(watch->bell->mutex);
        while (*place != watch) {
            place = &(*place)->next;
        }
        *place = watch->next;
        (void)pthread_mutex_unlock(watch->bell->mutex);
    }
    (void)close(watch->ends[0]);
    (void)close(watch->ends[1]);
    watch->allocator->deallocate(watch->allocator->context, watch, sizeof *watch);
}
