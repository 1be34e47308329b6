/*
 * What outlives a store: the disk, its volumes (environments by path), and
 * the states that a volume keeps.
 *
 *      disk ─► volume "a" ─► volume "b" ─► …
 *                 │   │
 *                 │   └─ synced ─────► state: a root for each table
 *                 └───── committed ──► state: a root for each table
 *                                        ▲
 *                                        └─ each reader holds one
 *
 *   D1  States never change once they are committed. Each holder counts.
 *   D2  A volume has at most one writer, which prepares the next state. Commit
 *       makes it `committed`; a sync makes `synced` the same state.
 *   D3  A power cut makes `committed` what `synced` is. Both NULL: nothing is
 *       there, as if it had never been opened.
 *   D4  Volumes live as long as their disk. A table's number in a volume is
 *       where its name stands in `names`; a state with fewer tables has
 *       nothing in the further ones.
 */
#ifndef GROVE_MEMORY_DISK_H
#define GROVE_MEMORY_DISK_H

#include <pthread.h>

#include <grove/backend_memory.h>
#include <grove/sys/backend.h>

#include "bell.h"
#include "btree.h"
#include "heap.h"
#include "pins.h"

/* As many as LMDB has unless it is told otherwise. */
enum { GROVE__VOLUME_READERS_MAX = 126 };

typedef struct grove__state {
    grove__references references;
    size_t table_count;
    grove__btree tables[];
} grove__state;

/* A thread that waits to be the writer; it lives on its stack. */
typedef struct grove__waiter {
    struct grove__waiter *next;
} grove__waiter;

/* A reader's slot. */
typedef struct grove__reader {
    bool is_used;
    uint64_t commit; /* whose state it reads */
} grove__reader;

/* What all handles of a volume have in common (C11). */
typedef struct grove__volume_options {
    uint64_t size_limit_bytes;
    grove_durability durability;
    size_t *tables; /* their numbers, in the order of the options */
    uint32_t table_count;
} grove__volume_options;

typedef struct grove__volume {
    struct grove__volume *next;
    char *path;
    grove__heap heap;
    /* Guards all that follows, never while a tree is walked. */
    pthread_mutex_t mutex;
    pthread_cond_t writer_left;
    char **names;
    size_t name_count;
    grove__state *committed;
    grove__state *synced;
    bool has_writer;
    pthread_t writer;
    uint64_t writer_since_ms;
    /* Those who wait to be the writer, the oldest first. */
    grove__waiter *waiters;
    grove__reader readers[GROVE__VOLUME_READERS_MAX];
    uint32_t handles;
    grove__volume_options options; /* while there are handles */
    /* The next sync is to fail; and one did, until the handles are closed. */
    bool sync_fails;
    bool has_failed;
    uint64_t commits; /* of what is committed */
    grove__bell bell;
    grove__pins pins;
    uint64_t number; /* of this volume on its disk */
} grove__volume;

/*
 * Finds or makes the volume at options.path and its tables; the numbers of
 * the tables go to `tables`. GROVE_NONE: must_exist, and nothing is there.
 * GROVE_INVALID: it is open with other options. GROVE_NO_MEMORY. On failure
 * the disk is as it was.
 */
grove_status grove__volume_mount(grove_memory_disk *disk,
                                 const grove_backend_options *options, size_t *tables,
                                 grove__volume **volume_out, uint64_t *cuts_out);
void grove__volume_unmount(grove__volume *volume);

/* The committed state, counted, and the number of the reader's slot. GROVE_IO:
 * the power was cut since `cuts`. GROVE_FAILED: a sync failed. GROVE_BUSY: no
 * slot is free. */
grove_status grove__volume_enter_reader(grove__volume *volume, uint64_t cuts,
                                        grove__state **state_out, uint32_t *slot_out);
void grove__volume_leave_reader(grove__volume *volume, uint32_t slot);

/*
 * Waits until there is no other writer, in the order of arrival, at most so
 * long: GROVE_BUSY. *state_out is a copy of the committed state that the writer
 * may change. GROVE_INVALID: this thread is the writer and would wait for
 * itself. GROVE_IO, GROVE_FAILED: as above. GROVE_NO_MEMORY.
 */
grove_status grove__volume_enter_writer(grove__volume *volume, uint64_t cuts,
                                        uint64_t limit, uint32_t wait_ms_max,
                                        grove__state **state_out);
/*
 * Ends the writer. `state` becomes the committed one and, if `is_durable`,
 * the synced one; NULL: nothing changes. Takes the reference. GROVE_IO: the
 * power was cut meanwhile, or GROVE_FAILED: a sync failed, and the state is
 * dropped; or GROVE_IO: it is the committed one, and could not be synced.
 */
grove_status grove__volume_leave_writer(grove__volume *volume, uint64_t cuts,
                                        grove__state *state, bool is_durable);

/* GROVE_IO, GROVE_FAILED: as above, or it is this sync that fails. */
grove_status grove__volume_sync(grove__volume *volume, uint64_t cuts);

typedef struct grove__volume_figures {
    uint64_t entries;
    uint32_t readers;
    uint64_t lags[GROVE__VOLUME_READERS_MAX]; /* of each reader, in commits */
    uint64_t writer_ms;
    bool has_writer;
} grove__volume_figures;
/* Costs the same however many entries there are. GROVE_IO: as above. */
grove_status grove__volume_count(grove__volume *volume, uint64_t cuts,
                                 grove__volume_figures *figures_out);

/*
 * Makes a volume at `path`, where none may be, that has what is committed in
 * `from`, and that is synced. GROVE_INVALID: there is one. GROVE_IO: as above.
 * GROVE_NO_MEMORY.
 */
grove_status grove__volume_copy(grove_memory_disk *disk, grove__volume *from,
                                uint64_t cuts, const char *path);

/* Accepts NULL. */
void grove__state_release(grove__volume *volume, grove__state *state);

#endif
