#define _GNU_SOURCE /* RTLD_NEXT */
#include "disk_faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define IN_PLACE_OF_LIBC __attribute__((visibility("default")))

static atomic_uint calls_left[DISK_CALLS]; /* 0: none fails */
static int codes[DISK_CALLS];
static atomic_bool has_failed;
atomic_uint disk_type;
void (*disk_before_flock)(void);

void disk_fault_set(disk_call call, unsigned nth, int code)
{
    codes[call] = code;
    atomic_store(&has_failed, false);
    atomic_store(&calls_left[call], nth);
}

bool disk_fault_clear(void)
{
    for (int call = 0; call < DISK_CALLS; call++) {
        atomic_store(&calls_left[call], 0);
    }
    return atomic_load(&has_failed);
}

/* Whether this is the call that fails. */
static bool fails(disk_call call)
{
    if (atomic_load(&calls_left[call]) == 0 ||
        atomic_fetch_sub(&calls_left[call], 1) != 1) {
        return false;
    }
    atomic_store(&has_failed, true);
    return true;
}

/* The next function of this name. ISO C has no cast to it from a pointer. */
static void find(const char *name, void *function_out, size_t bytes)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function_out, &found, bytes);
}

IN_PLACE_OF_LIBC int fdatasync(int descriptor)
{
    int (*next)(int);
    if (fails(DISK_FDATASYNC)) {
        /* A bad disk takes its time, in which others come. */
        struct timespec pause = {0, 20000000};
        (void)nanosleep(&pause, NULL);
        errno = codes[DISK_FDATASYNC];
        return -1;
    }
    find("fdatasync", &next, sizeof next);
    return next(descriptor);
}

IN_PLACE_OF_LIBC ssize_t pwrite(int descriptor, const void *bytes, size_t size,
                                off_t offset)
{
    ssize_t (*next)(int, const void *, size_t, off_t);
    find("pwrite", &next, sizeof next);
    if (fails(DISK_WRITE)) {
        errno = codes[DISK_WRITE];
        return errno != 0 ? -1 : next(descriptor, bytes, size / 2, offset);
    }
    return next(descriptor, bytes, size, offset);
}

IN_PLACE_OF_LIBC ssize_t write(int descriptor, const void *bytes, size_t size)
{
    ssize_t (*next)(int, const void *, size_t);
    find("write", &next, sizeof next);
    if (fails(DISK_WRITE)) {
        errno = codes[DISK_WRITE];
        return errno != 0 ? -1 : next(descriptor, bytes, size / 2);
    }
    return next(descriptor, bytes, size);
}

IN_PLACE_OF_LIBC ssize_t writev(int descriptor, const struct iovec *pieces, int count)
{
    ssize_t (*next)(int, const struct iovec *, int);
    find("writev", &next, sizeof next);
    if (fails(DISK_WRITE)) {
        errno = codes[DISK_WRITE];
        return errno != 0 ? -1 : next(descriptor, pieces, count / 2);
    }
    return next(descriptor, pieces, count);
}

IN_PLACE_OF_LIBC int posix_fallocate(int descriptor, off_t offset, off_t size)
{
    int (*next)(int, off_t, off_t);
    if (fails(DISK_FALLOCATE)) {
        return codes[DISK_FALLOCATE];
    }
    find("posix_fallocate", &next, sizeof next);
    return next(descriptor, offset, size);
}

IN_PLACE_OF_LIBC int statfs(const char *path, struct statfs *about)
{
    int (*next)(const char *, struct statfs *);
    find("statfs", &next, sizeof next);
    int result = next(path, about);
    if (result == 0 && atomic_load(&disk_type) != 0) {
        about->f_type = (__fsword_t)atomic_load(&disk_type);
    }
    return result;
}

IN_PLACE_OF_LIBC int flock(int descriptor, int operation)
{
    int (*next)(int, int);
    if (disk_before_flock != NULL && (operation & LOCK_NB) != 0) {
        disk_before_flock();
    }
    find("flock", &next, sizeof next);
    return next(descriptor, operation);
}
