/*
 * Watches (C16): a pipe for each, into which commits drop a byte. What there is
 * to see are counts: of commits, and of power cuts, after which a watch is of
 * no use.
 */
#ifndef GROVE_MEMORY_BELL_H
#define GROVE_MEMORY_BELL_H

#include <pthread.h>
#include <sys/types.h>

#include <grove/sys/backend.h>

typedef struct grove__memory_bell {
    pthread_mutex_t mutex; /* guards what follows; nothing is locked under it */
    grove_backend_watch *watches;
    uint64_t commits;
    uint64_t cuts;
} grove__memory_bell;

/* False: no mutex. */
bool grove__memory_bell_init(grove__memory_bell *bell);
void grove__memory_bell_release(grove__memory_bell *bell);

/* Tells all watches of a commit, or of a power cut. */
void grove__memory_bell_ring(grove__memory_bell *bell);
void grove__memory_bell_cut(grove__memory_bell *bell);

/* A watch for one who knows of so many power cuts. GROVE_BUSY: no descriptors.
 * GROVE_NO_MEMORY. */
grove_status grove__memory_bell_watch(grove__memory_bell *bell,
                                      const grove_allocator *allocator, uint64_t cuts,
                                      grove_backend_watch **watch_out);
/* GROVE_NONE: no commit in time. GROVE_IO: there was another power cut. */
grove_status grove__memory_bell_wait(grove_backend_watch *watch, uint32_t wait_ms_max);
int grove__memory_bell_descriptor(const grove_backend_watch *watch);
/* `is_forked`: nothing but its memory is given back. */
void grove__memory_bell_close(grove_backend_watch *watch, bool is_forked);
/* The process that opened it. */
pid_t grove__memory_bell_process(const grove_backend_watch *watch);

#endif
