/* Backing a store up while it is in use. */
#ifndef GROVE_BACKUP_H
#define GROVE_BACKUP_H

#include <grove/store.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct grove_backup_options {
    /* sizeof this struct. */
    size_t size;
    /* Leave out free pages, which makes a smaller backup and takes longer. */
    bool is_compact;
} grove_backup_options;

#define GROVE_BACKUP_OPTIONS_INIT           \
    {                                       \
        sizeof(grove_backup_options), false \
    }

typedef struct grove_backup_result {
    /* The newest commit that the backup holds. */
    uint64_t commit;
    /* What it takes on the disk. */
    uint64_t bytes;
} grove_backup_result;

/*
 * Makes a store at `path`, where nothing may be, that holds exactly the state
 * of one commit, not older than the newest before the call. Other threads and
 * processes go on meanwhile; the pages of that state stay until the backup is
 * done, so that the store grows by what is written meanwhile. It is made under
 * another name, PATH.part, synced and then renamed: a crash leaves the whole
 * backup or none. `options` NULL: the defaults; `result_out` may be NULL. Cost:
 * a copy of the store.
 *
 * To restore, open the backup, or a copy of it that was made while it was not
 * open. It is known to be one: it has a new incarnation from its first open on.
 *
 *   GROVE_INVALID   something is at `path`, or it is unusable
 *   GROVE_FULL      the disk is full
 *   GROVE_BUSY      another backup to the same path is being made
 *   GROVE_FORKED, GROVE_IO, GROVE_CORRUPT, GROVE_NO_MEMORY
 */
GROVE_API grove_status grove_store_backup(grove_store *store, const char *path,
                                          const grove_backup_options *options,
                                          grove_backup_result *result_out,
                                          grove_error *error_out);

#ifdef __cplusplus
}
#endif

#endif
