/* Functions of the C library in whose place this program has its own, also for
 * LMDB: so that a test can have a bad disk. */
#ifndef GROVE_TESTS_DISK_FAULTS_H
#define GROVE_TESTS_DISK_FAULTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum disk_call {
    DISK_FDATASYNC,
    DISK_WRITE, /* pwrite, write and writev */
    DISK_FALLOCATE,
    DISK_CALLS
} disk_call;

/* The n-th call from now on fails with this errno; 0: writes less than it was
 * given, and says so. */
void disk_fault_set(disk_call call, unsigned nth, int code);
/* Takes it back; true when it has come to it. */
bool disk_fault_clear(void);

/* What statfs says of every file system; 0: the truth. */
extern atomic_uint disk_type;

/* Called before each flock that does not block; NULL: nothing is. */
extern void (*disk_before_flock)(void);

#endif
