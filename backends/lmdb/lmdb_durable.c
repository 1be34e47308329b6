#include "lmdb_durable.h"

#include <errno.h>

/* Bounds of how long to wait for another's flush. */
#define PATIENCE_NS_MAX UINT64_C(20000000)

void grove__lmdb_flushed(grove__lmdb_shared *shared, uint64_t txn)
{
    grove__control_map *map = shared->control.map;
    uint64_t synced = atomic_load(&map->synced);
    while (synced < txn) {
        if (atomic_compare_exchange_weak(&map->synced, &synced, txn)) {
            grove__word_wake(&map->sync_word);
            return;
        }
    }
}

int grove__lmdb_flush(grove__lmdb_shared *shared, uint64_t txn)
{
    uint64_t began = grove__now_ns();
    (void)pthread_mutex_lock(&shared->flush_mutex);
    /* The kernel tells of pages that it lost once, and then takes them for
     * written: whoever flushes next would be told that all is well. */
    int code = atomic_load(&shared->has_failed) ? EIO : mdb_env_sync(shared->mdb, 1);
    if (code != 0) {
        atomic_store(&shared->has_failed, true);
    }
    (void)pthread_mutex_unlock(&shared->flush_mutex);
    if (code != 0) {
        return code;
    }
    atomic_store(&shared->flush_ns, grove__now_ns() - began);
    grove__lmdb_flushed(shared, txn);
    return 0;
}

int grove__lmdb_make_durable(grove__lmdb_shared *shared, uint64_t txn, bool has_heir)
{
    grove__control_map *map = shared->control.map;
    uint64_t patience = 2 * atomic_load(&shared->flush_ns);
    uint64_t now = grove__now_ns();
    uint64_t until = now + (patience < PATIENCE_NS_MAX ? patience : PATIENCE_NS_MAX);
    while (has_heir && now < until) {
        uint32_t word = atomic_load(&map->sync_word);
        if (atomic_load(&map->synced) >= txn) {
            return 0;
        }
        grove__word_wait(&map->sync_word, word, until);
        now = grove__now_ns();
    }
    return atomic_load(&map->synced) >= txn ? 0 : grove__lmdb_flush(shared, txn);
}
