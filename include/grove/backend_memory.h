/*
 * The memory backend, for tests: the same code as on disk, without a disk.
 *
 * A "disk" holds what outlives a store: environments by path, each with its
 * last committed and its last synced state. Hand it to grove_store_open as
 * options.backend_context, with options.backend =
 * grove_backend_find("memory"). Without a disk a store has one to itself,
 * which goes when it is closed.
 */
#ifndef GROVE_BACKEND_MEMORY_H
#define GROVE_BACKEND_MEMORY_H

#include <grove/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct grove_memory_disk grove_memory_disk;

/*
 * An empty disk; the caller owns it. `allocator` is borrowed until it is
 * freed, NULL for malloc. NULL when out of memory.
 */
GROVE_API grove_memory_disk *grove_memory_disk_new(const grove_allocator *allocator);

/* Gives the disk back; no store may be open on it. Accepts NULL. */
GROVE_API_VOID void grove_memory_disk_free(grove_memory_disk *disk);

/*
 * A power cut: every environment of the disk falls back to its last synced
 * state; one that never was synced is gone. No store may be open on it, except
 * such as are only closed after: anything else they are asked gives GROVE_IO.
 * In GROVE_DURABILITY_FULL every commit syncs; in the other modes only
 * grove_store_sync does.
 */
GROVE_API_VOID void grove_memory_disk_cut_power(grove_memory_disk *disk);

/*
 * A disk that does not take what is synced: the next sync of each environment
 * that is on it now fails with GROVE_IO, be it grove_store_sync or a commit in
 * GROVE_DURABILITY_FULL. After that the environment says GROVE_FAILED until all
 * its stores are closed and one is opened again. Safe from any thread.
 */
GROVE_API_VOID void grove_memory_disk_fail_sync(grove_memory_disk *disk);

#ifdef __cplusplus
}
#endif

#endif
