/*
 * The store: an open environment, and the simple use of it, groups.
 *
 * A store handle may be used by any number of threads at the same time.
 * Handles made from it (documents) must be closed before it.
 */
#ifndef GROVE_STORE_H
#define GROVE_STORE_H

#include <grove/sys/backend.h>
#include <grove/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct grove_store grove_store;

/*
 * How to open a store. Set everything to its default with
 * GROVE_STORE_OPTIONS_INIT, then change what matters.
 */
typedef struct grove_store_options {
    /* sizeof this struct, so that later versions can tell what is given. */
    size_t size;
    /* NULL for the default, LMDB. Static tables from grove_backend_find. */
    const grove_backend *backend;
    /* For the backend; see its header. Borrowed until close. */
    void *backend_context;
    /* Permission bits of what is created; 0 for 0700 and 0600. */
    uint32_t directory_mode;
    uint32_t file_mode;
    /* The store never takes more bytes than this; 0 for 64 GiB. The address
     * space is reserved at once, the disk is not. */
    uint64_t size_limit_bytes;
    grove_durability durability;
    /* Do not create: GROVE_NONE when there is no store at the path. */
    bool must_exist;
    /* Accept a file system that machines may share, as when one machine alone
     * uses it. Refused otherwise: locks and mapped memory do not reach from one
     * machine to another, and two that write at once destroy the store. */
    bool may_be_remote;
    /* Open a store that was in use with GROVE_DURABILITY_NONE when the machine
     * went down, whatever is there: for grove_store_salvage. */
    bool may_be_broken;
    /* How long a write waits for those of others, in milliseconds; 0 for ten
     * seconds. Then it is GROVE_BUSY, and the error names the process that
     * has kept it waiting. */
    uint32_t wait_ms_max;
    /* Copied; its context is borrowed until close. NULL for malloc. */
    const grove_allocator *allocator;
    /* What the store and its handles may hold in memory at a time, in bytes;
     * 0 for no limit. Beyond it calls fail with GROVE_NO_MEMORY. */
    size_t memory_bytes_max;
    /* Copied; NULL for the system's. Contexts are borrowed until close. */
    const grove_clock *clock;
    const grove_random *random;
} grove_store_options;

#define GROVE_STORE_OPTIONS_INIT                                                        \
    {                                                                                   \
        sizeof(grove_store_options), NULL, NULL, 0, 0, 0, GROVE_DURABILITY_FULL, false, \
            false, false, 0, NULL, 0, NULL, NULL                                        \
    }

/*
 * Opens the store in the directory `path`, which is created when it does not
 * exist. Cost: independent of what the store holds. `options` NULL means the
 * defaults. The caller owns *store_out and closes it.
 *
 *   GROVE_NONE           must_exist, and there is no store
 *   GROVE_INVALID        the path or an option is unusable, or what is there
 *                        is not a store; the error says what was found
 *   GROVE_FORMAT_NEWER   written by a later version of the library
 *   GROVE_CORRUPT        also: it was in use with GROVE_DURABILITY_NONE when
 *   the
 *                        machine went down
 *   GROVE_IO, GROVE_NO_MEMORY, GROVE_BUSY, GROVE_FULL
 *
 * A process may open a store several times; the handles share one environment,
 * and options about that (size limit, durability) must be the same: otherwise
 * GROVE_INVALID. A handle is dead in a child of fork: there every call says
 * GROVE_FORKED, and closing frees memory only. The child may open the store for
 * itself.
 *
 * The store gets a new incarnation when it is found to be a copy, or put back
 * from one, or when the machine went down while it was used in a mode other
 * than GROVE_DURABILITY_FULL. Commits and events that others may have seen of
 * the old one are then not made again under the same names.
 */
GROVE_API grove_status grove_store_open(const char *path,
                                        const grove_store_options *options,
                                        grove_store **store_out, grove_error *error_out);

/*
 * Closes the store and frees the handle. Every handle made from it must be
 * closed before. Accepts NULL. In a mode other than GROVE_DURABILITY_FULL it
 * makes what was committed durable, as well as it can: call grove_store_sync
 * first to know. In a child of fork it only frees memory.
 */
GROVE_API_VOID void grove_store_close(grove_store *store);

/* Makes everything committed so far durable, in every mode. GROVE_IO. */
GROVE_API grove_status grove_store_sync(grove_store *store, grove_error *error_out);

/*
 * The number of the newest commit; 0 in a new store. Cost: one look-up.
 */
GROVE_API grove_status grove_store_commit(grove_store *store, uint64_t *commit_out,
                                          grove_error *error_out);

/*
 * Calls `each` for every open read transaction of every process, in no order:
 * the process and how many commits it lags behind. Pages that were freed since
 * an old one began cannot be used again. `each` is called with no lock held
 * that it could meet; it returns false to stop.
 */
GROVE_API grove_status grove_store_readers(grove_store *store,
                                           grove_backend_reader_fn each, void *context,
                                           grove_error *error_out);

typedef struct grove_store_statistics {
    const char *backend_name; /* static */
    uint64_t incarnation;
    uint64_t commit;
    grove_backend_statistics backend;
    /* Held now by the store and its handles; 0 without memory_bytes_max. */
    size_t memory_bytes;
} grove_store_statistics;

/* Cost: independent of what the store holds. */
GROVE_API grove_status grove_store_statistics_get(grove_store *store,
                                                  grove_store_statistics *statistics_out,
                                                  grove_error *error_out);

/*
 * Groups: a whole state under a name, saved and loaded at once.
 *
 * `name` has 1 to GROVE_GROUP_NAME_BYTES_MAX bytes, any bytes (GROVE_INVALID,
 * GROVE_LIMIT).
 */

/*
 * Replaces the state under `name`, in one commit, whose number goes to
 * *commit_out (may be NULL). GROVE_LIMIT: over GROVE_FRAME_BYTES_MAX.
 * GROVE_FULL, GROVE_IO.
 */
GROVE_API grove_status grove_group_save(grove_store *store, grove_bytes name,
                                        grove_bytes state, uint64_t *commit_out,
                                        grove_error *error_out);

/*
 * A copy of the state under `name`, which the caller gives back with
 * grove_bytes_free. GROVE_NONE: never saved, or deleted. GROVE_CORRUPT.
 */
GROVE_API grove_status grove_group_load(grove_store *store, grove_bytes name,
                                        grove_bytes *state_out, grove_error *error_out);

/* GROVE_NONE: there is no such group, and no commit was made. */
GROVE_API grove_status grove_group_delete(grove_store *store, grove_bytes name,
                                          uint64_t *commit_out, grove_error *error_out);

/*
 * Called for each name of a listing in byte order; `name` is borrowed for the
 * call. Returns false to stop. It may do with the store what it likes.
 */
typedef bool (*grove_list_fn)(void *context, grove_bytes name);

/*
 * Lists names that begin with `prefix` (may be empty) and come after `after`
 * (empty: from the first): to go on after a stop, pass the last name given.
 * Names that are made or deleted meanwhile are listed or not; all others are,
 * each once. No transaction is open while `each` runs. Cost: proportional to
 * what is listed.
 */
GROVE_API grove_status grove_group_list(grove_store *store, grove_bytes prefix,
                                        grove_bytes after, grove_list_fn each,
                                        void *context, grove_error *error_out);

/* Gives back bytes that a function of this store handed out. */
GROVE_API_VOID void grove_bytes_free(grove_store *store, grove_bytes bytes);

#ifdef __cplusplus
}
#endif

#endif
