/*
 * What every handle shares: the open store. Its public face is src/store/;
 * this is what the rooms below that one need of it.
 */
#ifndef GROVE_COMMIT_STORE_H
#define GROVE_COMMIT_STORE_H

#include <pthread.h>

#include <grove/store.h>

#include "base/alloc.h"
#include "kv/sharing.h"

/*
 * What compaction has to know of an open document handle: events that it has
 * not seen must not be removed under it, whichever process it is in. A pin of
 * the backend's under a number that stands for the document; two documents of
 * one number only keep more than they need.
 */
typedef struct grove__handle {
    uint64_t pin; /* 0: none */
} grove__handle;

/* Who waits to commit: commit/commit.c. */
struct grove__commit_request;
typedef struct grove__commit_queue {
    pthread_mutex_t mutex;
    struct grove__commit_request *first;
    bool has_leader;
} grove__commit_queue;

struct grove_store {
    grove_allocator under; /* what the caller gave */
    grove__budget budget;  /* in front of it */
    const grove_allocator *allocator;
    grove_clock clock;
    grove_random random;
    grove__kv kv;
    /* As it was opened, but for `path`; to open copies alike. */
    grove_backend_options backend_options;
    uint64_t incarnation;
    /* The last commit of the incarnation before; 0: this is the first. */
    uint64_t renewed_after;
    /* The newest commit that this process made, and at which one it looks
     * again for what has aged: hints for commit/age.h. */
    _Atomic uint64_t commit_seen;
    _Atomic uint64_t age_at;
    _Atomic uint64_t handle_count;
    uint64_t loose_pin; /* store/identity.h; 0: none */
    grove__commit_queue queue;
};

static inline int64_t grove__store_now(const grove_store *store)
{
    return store->clock.now(store->clock.context);
}

/* Fills `bytes` with random ones. GROVE_IO: the hook could not. */
grove_status grove__store_random(const grove_store *store, void *bytes, size_t size,
                                 grove_error *error_out);

/* GROVE_FORKED: a parent of this process opened the store. What every call of
 * the library begins with. */
grove_status grove__store_check(const grove_store *store, grove_error *error_out);

/* Pins a handle of the document at `clock`. GROVE_LIMIT: too many are open. */
grove_status grove__handle_open(grove_store *store, grove_bytes document, uint64_t clock,
                                grove__handle *handle_out, grove_error *error_out);
void grove__handle_move(grove_store *store, grove__handle *handle, uint64_t clock);
void grove__handle_close(grove_store *store, grove__handle *handle);
/* The pins' name for a document. */
uint64_t grove__handle_name(grove_bytes document);
/* The least clock of the open handles of a document, in all processes;
 * UINT64_MAX when there is none. */
uint64_t grove__handle_least_clock(grove_store *store, grove_bytes document);

#endif
