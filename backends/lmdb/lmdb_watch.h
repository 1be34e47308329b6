/*
 * The bell: who has committed touches grove.lock, and the kernel tells all who
 * watch that file (inotify). What the touch is, a read of one byte, changes
 * nothing, costs a microsecond, and leaves nothing of a watcher that dies.
 *
 * A ring only says "look": what there is to see is LMDB's own number of the
 * last transaction. So a ring too many does no harm, and one that is missing,
 * as its committer died, is made up for by the next write transaction, or by
 * the waiter's own look every second.
 */
#ifndef GROVE_LMDB_WATCH_H
#define GROVE_LMDB_WATCH_H

#include "lmdb_env.h"

/* Tells of all transactions up to `txn`. */
void grove__bell_ring(grove__control *control, uint64_t txn);
/* Tells of what a writer that died committed. */
void grove__bell_make_up(grove__control *control, uint64_t txn);

/* As in grove_backend. */
grove_status grove__lmdb_watch_open(grove_backend_env *env,
                                    grove_backend_watch **watch_out,
                                    grove_error *error_out);
grove_status grove__lmdb_watch_wait(grove_backend_watch *watch, uint32_t wait_ms_max,
                                    grove_error *error_out);
int grove__lmdb_watch_descriptor(const grove_backend_watch *watch);
void grove__lmdb_watch_close(grove_backend_watch *watch);

#endif
