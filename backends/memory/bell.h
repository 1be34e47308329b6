/* Watches (C16): a pipe for each, into which commits drop a byte. */
#ifndef GROVE_MEMORY_BELL_H
#define GROVE_MEMORY_BELL_H

#include <pthread.h>

#include <grove/sys/backend.h>

typedef struct grove__bell {
    pthread_mutex_t *mutex; /* the volume's; guards the rest */
    uint64_t commits;
    uint64_t cuts; /* power cuts: what was opened before one is of no use */
    grove_backend_watch *watches;
} grove__bell;

/* Tells all watches of a commit; the mutex is held. */
void grove__memory_bell_ring(grove__bell *bell);

/* The monotonic clock. */
uint64_t grove__memory_now_ms(void);

/* GROVE_BUSY: no descriptors. GROVE_NO_MEMORY. */
grove_status grove__memory_bell_watch(grove__bell *bell, const grove_allocator *allocator,
                                      uint64_t cuts, grove_backend_watch **watch_out);
/* GROVE_NONE: no commit in time. GROVE_IO: the power was cut since `cuts`. */
grove_status grove__memory_bell_wait(grove_backend_watch *watch, uint32_t wait_ms_max);
int grove__memory_bell_descriptor(const grove_backend_watch *watch);
/* `is_forked`: nothing but its memory is given back. */
void grove__memory_bell_close(grove_backend_watch *watch, bool is_forked);
/* The process that opened it. */
pid_t grove__memory_bell_process(const grove_backend_watch *watch);

#endif
