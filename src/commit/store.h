/*
 * What every handle shares: the open store. Its public face is src/store/;
 * this is what the rooms below that one need of it.
 */
#ifndef GROVE_COMMIT_STORE_H
#define GROVE_COMMIT_STORE_H

#include <pthread.h>

#include <grove/store.h>

#include "base/alloc.h"
#include "kv/kv.h"

/*
 * An open document handle, as compaction has to know it: events that it has
 * not seen must not be removed under it. Linked into the store while open.
 */
typedef struct grove__handle {
    struct grove__handle *next;
    struct grove__handle *previous;
    grove_bytes document; /* borrowed from the handle */
    /* Events below this clock are in the handle's state; guarded by the
     * store's handles_lock. */
    uint64_t clock;
} grove__handle;

struct grove_store {
    grove_allocator under; /* what the caller gave */
    grove__budget budget;  /* in front of it */
    const grove_allocator *allocator;
    grove_clock clock;
    grove_random random;
    grove__kv kv;
    uint64_t incarnation;
    /* The newest commit that this process made, and at which one it looks
     * again for what has aged: hints for commit/age.h. */
    _Atomic uint64_t commit_seen;
    _Atomic uint64_t age_at;
    pthread_mutex_t handles_lock; /* a leaf: nothing is called under it */
    grove__handle *handles;
};

static inline int64_t grove__store_now(const grove_store *store)
{
    return store->clock.now(store->clock.context);
}

/* Fills `bytes` with random ones. GROVE_IO: the hook could not. */
grove_status grove__store_random(const grove_store *store, void *bytes, size_t size,
                                 grove_error *error_out);

void grove__handle_link(grove_store *store, grove__handle *handle);
void grove__handle_unlink(grove_store *store, grove__handle *handle);
void grove__handle_move(grove_store *store, grove__handle *handle, uint64_t clock);
/* The least clock of the open handles of a document but `except`; UINT64_MAX
 * when there is none. */
uint64_t grove__handle_least_clock(grove_store *store, grove_bytes document,
                                   const grove__handle *except);

#endif
