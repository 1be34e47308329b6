/*
 * Watching: being told of the commits of every process.
 *
 * A watch belongs to one thread at a time. The library starts no threads:
 * either a thread waits in grove_watch_wait, or an event loop waits for the
 * watch's descriptor. What was committed is read from the feed (grove/feed.h),
 * or by refreshing the documents that are open.
 */
#ifndef GROVE_WATCH_H
#define GROVE_WATCH_H

#include <grove/store.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct grove_watch grove_watch;

/*
 * Begins to watch; commits up to *commit_out (may be NULL) count as known. The
 * caller owns *watch_out and closes it before the store. Cost: a descriptor; on
 * Linux with LMDB an inotify instance, of which a user has
 * fs.inotify.max_user_instances (GROVE_BUSY when there are no more). Nothing is
 * left behind by a process that dies watching.
 *
 *   GROVE_BUSY, GROVE_FORKED, GROVE_IO, GROVE_NO_MEMORY
 */
GROVE_API grove_status grove_watch_open(grove_store *store, grove_watch **watch_out,
                                        uint64_t *commit_out, grove_error *error_out);

/*
 * Waits for a commit beyond the last one that was told, for at most
 * `wait_ms_max` milliseconds; 0 looks and does not wait. *commit_out (may be
 * NULL) is then the newest commit, which a reader that begins afterwards sees.
 * Snapshots, roll-ups, seals and compactions are no commits. A process that
 * dies between its commit and the telling delays it by a second at most. Cost:
 * a look-up for each change of the store.
 *
 *   GROVE_NONE   the time is over, and there was no commit
 *   GROVE_FORKED, GROVE_IO, GROVE_NO_MEMORY, GROVE_BUSY
 */
GROVE_API grove_status grove_watch_wait(grove_watch *watch, uint32_t wait_ms_max,
                                        uint64_t *commit_out, grove_error *error_out);

/*
 * A descriptor that becomes readable (poll, epoll: POLLIN) after each change of
 * the store. Who finds it so calls grove_watch_wait with 0, which makes it
 * unreadable and says whether there was a commit. It is the watch's: nobody
 * else reads or closes it. A loop that must not depend on the last word of a
 * process that died calls grove_watch_wait once in a while besides.
 */
GROVE_API int grove_watch_descriptor(const grove_watch *watch);

/* Ends the watch. Accepts NULL. */
GROVE_API_VOID void grove_watch_close(grove_watch *watch);

#ifdef __cplusplus
}
#endif

#endif
