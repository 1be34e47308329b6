/* An open environment, and opening one. */
#ifndef GROVE_LMDB_ENV_H
#define GROVE_LMDB_ENV_H

#include <stdatomic.h>

#include <lmdb.h>

#include <grove/sys/backend.h>

enum { LMDB_KEY_BYTES_MAX = 511 };

struct grove_backend_env {
    MDB_env *mdb;
    const grove_allocator *allocator;
    _Atomic(grove_backend_txn *) idle; /* B1 in lmdb.c */
    uint64_t size_limit_bytes;
    size_t page_bytes; /* of the system's memory */
    uint32_t table_count;
    MDB_dbi tables[];
};

/* grove_backend.open */
grove_status grove__lmdb_env_open(const grove_backend_options *options,
                                  grove_backend_env **env_out, grove_error *error_out);

static inline size_t grove__lmdb_env_bytes(uint32_t table_count)
{
    return sizeof(grove_backend_env) + table_count * sizeof(MDB_dbi);
}

static inline void *grove__lmdb_take(const grove_allocator *allocator, size_t bytes)
{
    return allocator->allocate(allocator->context, bytes);
}

static inline void grove__lmdb_return(const grove_allocator *allocator, void *memory,
                                      size_t bytes)
{
    allocator->deallocate(allocator->context, memory, bytes);
}

static inline MDB_val grove__lmdb_val_of(grove_bytes bytes)
{
    MDB_val val = {bytes.size, NULL};
    /* LMDB has no const, but does not write through the pointers of keys. */
    memcpy(&val.mv_data, &bytes.data, sizeof val.mv_data);
    return val;
}

#endif
