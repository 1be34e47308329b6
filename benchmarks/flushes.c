/*
 * Functions of the C library that are called from here and from liblmdb are
 * found in this program first; these count and hand on to the kernel.
 */
#include "flushes.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The one global of the benchmarks: the functions below have no argument that
 * could lead to it. */
static _Atomic uint64_t flushes;

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int fsync(int file);
EXPORTED int fdatasync(int file);
EXPORTED int msync(void *address, size_t bytes, int flags);
EXPORTED ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset);
EXPORTED ssize_t pwrite64(int file, const void *bytes, size_t count, off_t offset);

uint64_t flushes_count(void)
{
    return atomic_load(&flushes);
}

int fsync(int file)
{
    atomic_fetch_add(&flushes, 1);
    return (int)syscall(SYS_fsync, file);
}

int fdatasync(int file)
{
    atomic_fetch_add(&flushes, 1);
    return (int)syscall(SYS_fdatasync, file);
}

int msync(void *address, size_t bytes, int flags)
{
    if ((flags & MS_SYNC) != 0) {
        atomic_fetch_add(&flushes, 1);
    }
    return (int)syscall(SYS_msync, address, bytes, flags);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset)
{
    if ((fcntl(file, F_GETFL) & O_DSYNC) != 0) {
        atomic_fetch_add(&flushes, 1);
    }
    return (ssize_t)syscall(SYS_pwrite64, file, bytes, count, offset);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off_t offset)
{
    return pwrite(file, bytes, count, offset);
}
