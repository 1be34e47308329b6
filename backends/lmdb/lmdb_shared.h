/*
 * What all handles of one environment in a process share: LMDB must not open a
 * file twice in a process, as closing one copy would drop the other's locks
 * and readers. A list by device and inode hands out the one, counted.
 *
 *   S1  `environments_mutex` guards the list, and opening and closing as a
 *       whole.
 *   S2  A child of fork finds an empty list. What it inherited stays mapped
 *       and open, untouched: closing it would drop locks that the child may
 *       have of its own by then, and ending its transactions would free the
 *       parent's slots. It is kept reachable, and no more.
 *   S3  The map is moved only when no transaction of the process lives: each
 *       counts itself in `live` before it looks at `is_moving`; who moves sets
 *       `is_moving` before it looks at `live`.
 *
 * The map has room for the size limit less the reserve where the address space
 * has; else for as much as there is, and grows. It never goes beyond the limit,
 * unless another process with a larger limit let the file do so.
 */
#ifndef GROVE_LMDB_SHARED_H
#define GROVE_LMDB_SHARED_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include <lmdb.h>

#include <grove/sys/backend.h>

#include "lmdb_control.h"

typedef struct grove__lmdb_shared {
    struct grove__lmdb_shared *next;
    uint32_t references;
    uint32_t generation; /* of the process that made it: S2 */
    dev_t device;
    ino_t inode;
    MDB_env *mdb;
    grove__control control;
    uint64_t size_limit_bytes;
    uint64_t reserve_bytes;
    size_t system_page_bytes;
    grove_durability durability;
    /* After a sync that failed: C5. */
    atomic_bool has_failed;
    pthread_mutex_t flush_mutex; /* a failure is told to one flush only */
    /* What the last flush took: how long to wait for another's. */
    _Atomic uint64_t flush_ns;
    _Atomic uint64_t map_bytes;
    _Atomic uint32_t live;
    atomic_bool is_moving;
    _Atomic uint64_t shrink_after_ns; /* when to try again */
    pthread_mutex_t move_mutex;
    pthread_cond_t moved; /* the map was moved, or the last transaction left */
    char *names;          /* the tables', each with its NUL */
    size_t names_bytes;
    uint32_t table_count;
    MDB_dbi tables[];
} grove__lmdb_shared;

/* The number of times that this process was forked off from one that had the
 * library in use. */
uint32_t grove__lmdb_generation(void);

/* Opens the environment whose data.mdb is there, or takes the one that the
 * process has. Statuses of grove_backend.open. */
grove_status grove__lmdb_shared_open(const grove_backend_options *options,
                                     const char *data_path,
                                     grove__lmdb_shared **shared_out,
                                     grove_error *error_out);
void grove__lmdb_shared_close(grove__lmdb_shared *shared);

/* LMDB's number of the last transaction that was committed. Reads the map: the
 * caller has entered. */
uint64_t grove__lmdb_last_txn(const grove__lmdb_shared *shared);

/* S3: around each transaction. False: the map is being moved, for too long. */
bool grove__lmdb_enter(grove__lmdb_shared *shared);
void grove__lmdb_leave(grove__lmdb_shared *shared);

/*
 * Begins a transaction and enters; with *txn not NULL, renews that one, and
 * ends it when it cannot. Slots of dead processes are taken back when none is
 * free, and what others let the file grow by is mapped. On failure *txn is
 * NULL. LMDB's code.
 */
int grove__lmdb_txn_begin(grove__lmdb_shared *shared, unsigned flags, MDB_txn **txn);

/* Sizes of the map to go to; the caller has no transaction. All return LMDB's
 * code; EBUSY: the process's transactions did not end in time. */
/* As large as what others committed needs. */
int grove__lmdb_map_adopt(grove__lmdb_shared *shared);
/* Larger, up to the limit less the reserve; MDB_MAP_FULL: it has that. */
int grove__lmdb_map_grow(grove__lmdb_shared *shared);
/* With the reserve when it may be needed, or without when the map has it. */
int grove__lmdb_map_set_reserve(grove__lmdb_shared *shared, bool is_wanted);
bool grove__lmdb_map_has_reserve(const grove__lmdb_shared *shared);

/*
 * A commit that changes nothing, by who holds the gate and has entered. LMDB
 * uses pages that a commit freed only after one more commit: which whoever
 * needs them cannot make, when there are no others. LMDB's code.
 */
int grove__lmdb_turn_over(grove__lmdb_shared *shared);

#endif
