/* A handle of an open environment, and opening one. */
#ifndef GROVE_LMDB_ENV_H
#define GROVE_LMDB_ENV_H

#include <lmdb.h>

#include <grove/sys/backend.h>

#include "lmdb_shared.h"

struct grove_backend_env {
    grove__lmdb_shared *shared;
    const grove_allocator *allocator;
    _Atomic(grove_backend_txn *) idle; /* B1 in lmdb.c */
    uint32_t generation;               /* of the process that opened it */
    uint32_t wait_ms_max;
    uint32_t directory_mode; /* for a copy */
    uint32_t file_mode;
};

struct grove_backend_txn {
    grove_backend_env *env;
    MDB_txn *mdb;
    grove_txn_mode mode;
};

/* Begins a reader; LMDB's code. */
int grove__lmdb_begin_reader(grove_backend_env *env, grove_backend_txn **txn_out);
/* Ends a reader: it becomes the idle one, unless there is one. */
void grove__lmdb_end_reader(grove_backend_txn *txn);

/* grove_backend.open */
grove_status grove__lmdb_env_open(const grove_backend_options *options,
                                  grove_backend_env **env_out, grove_error *error_out);

/* Whether a parent of this process opened it. */
static inline bool grove__lmdb_is_forked(const grove_backend_env *env)
{
    return env->generation != grove__lmdb_generation();
}
grove_status grove__lmdb_fail_forked(grove_error *error_out);

static inline void *grove__lmdb_take(const grove_allocator *allocator, size_t bytes)
{
    return allocator->allocate(allocator->context, bytes);
}

static inline void grove__lmdb_return(const grove_allocator *allocator, void *memory,
                                      size_t bytes)
{
    allocator->deallocate(allocator->context, memory, bytes);
}

#endif
