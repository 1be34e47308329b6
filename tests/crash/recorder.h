/*
 * What a program asks of the disk, in order, and faults on the way.
 *
 * A program that is linked with recorder.c has these calls of the C library go
 * through it, its own and those of the shared libraries it uses: open, write,
 * truncate, sync, rename, link, unlink, mkdir and their kin. What concerns
 * files below one directory is appended to a log, which processes that are
 * forked afterwards share: O_APPEND puts each record whole behind the others.
 *
 * A record is appended when its call has returned, so a sync whose *begin*
 * stands behind a write in the log began when that write was done. Stores
 * through a memory map are not seen.
 */
#ifndef GROVE_TESTS_CRASH_RECORDER_H
#define GROVE_TESTS_CRASH_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORDER_PATH_BYTES = 64 };

typedef enum recorder_kind {
    RECORDER_NAMED = 1, /* `path` is `inode`: created, linked, or just opened */
    RECORDER_WRITE,     /* content follows */
    RECORDER_TRUNCATE,  /* to `offset` bytes, shorter or longer */
    RECORDER_SYNC_BEGIN,
    RECORDER_SYNC_END, /* `offset`: what its begin had there */
    RECORDER_RENAME,   /* the new path follows */
    RECORDER_UNLINK,
    RECORDER_MARK /* recorder_mark's bytes follow */
} recorder_kind;

typedef struct recorder_record {
    uint64_t bytes; /* of what follows this struct */
    uint64_t inode;
    uint64_t offset;
    recorder_kind kind;
    bool is_synced;    /* a write that came back from the disk */
    bool is_directory; /* what the path names */
    /* Below the directory; "" is itself. */
    char path[RECORDER_PATH_BYTES];
} recorder_record;

typedef struct recorder_options {
    const char *root; /* absolute */
    const char *log;  /* made anew; NULL: nothing is recorded, faults work */
    /* What a sync takes instead of going to the disk, in microseconds. */
    unsigned sync_us;
} recorder_options;

/* Paths are borrowed until the process ends. Returns false with errno. */
bool recorder_begin(const recorder_options *options);

/* Appends bytes of the program's own. */
void recorder_mark(const void *bytes, size_t size);

typedef enum recorder_fault {
    RECORDER_FAULT_NONE,
    RECORDER_FAULT_ENOSPC, /* a write fails */
    RECORDER_FAULT_SHORT,  /* a write of more than a sector is done by half, then
                              none at all */
    RECORDER_FAULT_SYNC    /* a sync, or a write that comes back from the disk,
                              fails with EIO */
} recorder_fault;

/* The nth such call below the directory from now on fails, counted from 1, and
 * all after it do until recorder_mend. */
void recorder_fail(recorder_fault fault, uint64_t nth);

/* Ends the fault; whether it was met, and then where in its file the first
 * write began that failed (0 for a sync). */
bool recorder_mend(uint64_t *offset_out);

#endif
