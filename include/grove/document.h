/*
 * Documents: an event graph, snapshots, and the state they make.
 *
 * A document handle holds the state, the version it stands at, and the events
 * that were made on it and are not saved yet. It belongs to one replica.
 *
 * A handle may be used by one thread at a time; different handles, also of the
 * same document, by different threads at the same time.
 */
#ifndef GROVE_DOCUMENT_H
#define GROVE_DOCUMENT_H

#include <grove/store.h>
#include <grove/sys/document_type.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct grove_document grove_document;

/*
 * When a snapshot is made. The tail are the events after the newest snapshot.
 * A snapshot is due when the tail has more than `events_min` events, the
 * version is critical (one head, or `uncritical_events` were reached), and
 * replaying the tail is estimated to cost more than `cost_percent` of loading
 * a snapshot. See grove_document_should_snapshot.
 */
typedef struct grove_snapshot_policy {
    /* False: only grove_document_compact makes snapshots. */
    bool automatic;
    uint64_t events_min;        /* default 1,000 */
    uint32_t cost_percent;      /* default 50 */
    uint64_t uncritical_events; /* default 20,000: a snapshot without one head */
    /* Older snapshots beyond the newest two are kept while together they
     * take at most this share of the bytes of the events. Default 50. */
    uint32_t older_percent;
} grove_snapshot_policy;

typedef struct grove_document_options {
    size_t size;
    /* The type of a new document; an existing one must be of it. NULL: the
     * built-in type that the document has; `text` for a new one. Borrowed
     * until close. */
    const grove_document_type *type;
    /* Whose handle this is. Size 0: a fresh random replica of 16 bytes. A
     * given replica goes on after its last saved event; two handles must
     * never use one replica at the same time. After the store got another
     * incarnation (grove/store.h) it may have made events since that are not
     * here, so that it is GROVE_REPLICA_REUSED if it has events from before:
     * name another, or set may_continue if you know that it made none. */
    grove_replica replica;
    grove_snapshot_policy policy;
    /* zstd level of batches and snapshots as they are saved, 1 to 19;
     * default 3. */
    int32_t level;
    bool may_continue;
} grove_document_options;

#define GROVE_SNAPSHOT_POLICY_INIT \
    {                              \
        true, 1000, 50, 20000, 50  \
    }
#define GROVE_DOCUMENT_OPTIONS_INIT                                                    \
    {                                                                                  \
        sizeof(grove_document_options), NULL, {0, {0}}, GROVE_SNAPSHOT_POLICY_INIT, 3, \
            false                                                                      \
    }

/*
 * Opens a document: loads it when it exists, else begins an empty one, of
 * which nothing is stored before its first save. `id` has 1 to
 * GROVE_DOCUMENT_ID_BYTES_MAX bytes, any bytes. `options` NULL: the defaults.
 * Cost: the newest snapshot and the events after it; never the history before.
 * The caller owns *document_out and closes it before the store.
 *
 *   GROVE_INVALID, GROVE_LIMIT  the id or an option; another type
 *   GROVE_REPLICA_REUSED        options.replica made events in an earlier
 *                               incarnation of the store
 *   GROVE_UNSUPPORTED           the events after the snapshot are concurrent
 *                               and the type cannot merge them
 *   GROVE_CORRUPT               no snapshot and replay gives a sound state; a
 *                               damaged snapshot alone is passed over (see
 *                               grove_document_statistics)
 *   GROVE_FORMAT_NEWER, GROVE_IO, GROVE_NO_MEMORY, GROVE_BUSY
 */
GROVE_API grove_status grove_document_open(grove_store *store, grove_bytes id,
                                           const grove_document_options *options,
                                           grove_document **document_out,
                                           grove_error *error_out);

/* As open, but GROVE_NONE when the document does not exist. */
GROVE_API grove_status grove_document_load(grove_store *store, grove_bytes id,
                                           const grove_document_options *options,
                                           grove_document **document_out,
                                           grove_error *error_out);

/*
 * As load, but the document as it was when the store held its first `clock`
 * events, up to the number of stored ones. The handle is a view of the past:
 * it can be read, and every other function says GROVE_INVALID. Cost: the
 * newest snapshot before it and the events from there on.
 *
 *   GROVE_NONE             there is no such document
 *   GROVE_INVALID          it has not so many events
 *   GROVE_HISTORY_REMOVED  a compaction removed what that needs
 *   GROVE_CORRUPT, GROVE_IO, GROVE_NO_MEMORY, as open
 */
GROVE_API grove_status grove_document_load_at(grove_store *store, grove_bytes id,
                                              uint64_t clock,
                                              const grove_document_options *options,
                                              grove_document **document_out,
                                              grove_error *error_out);

/*
 * A version as its heads: the events that no known event has as a parent, in
 * the order of their clocks. Borrowed until the handle next changes.
 */
typedef struct grove_version {
    const grove_event_id *heads;
    size_t head_count;
} grove_version;

/*
 * The same for a version that stored events make: the state in which exactly
 * these and all that came before them are. No heads: the empty document. Cost:
 * as above, and the ids and parents of the events that are concurrent with
 * some of them. GROVE_UNSUPPORTED: such a version needs merging, and the type
 * cannot; GROVE_UNKNOWN_PARENT: the error names a head that is not stored.
 */
GROVE_API grove_status grove_document_load_version(grove_store *store, grove_bytes id,
                                                   const grove_version *version,
                                                   const grove_document_options *options,
                                                   grove_document **document_out,
                                                   grove_error *error_out);

/* Closes the handle and drops events that were not saved. Accepts NULL. */
GROVE_API_VOID void grove_document_close(grove_document *document);

/* The version the handle stands at, unsaved events included. O(heads). */
GROVE_API grove_status grove_document_version(grove_document *document,
                                              grove_version *version_out,
                                              grove_error *error_out);

/* What a save did. */
typedef struct grove_save_result {
    uint64_t commit; /* 0: there was nothing to save, and no commit */
    uint64_t first_clock;
    uint64_t events;
    bool made_snapshot;
    uint32_t rolled_up_batches;
} grove_save_result;

/*
 * Saves the events that were not saved yet, in one commit; small batches may
 * roll up and a snapshot may be made in the same write transaction. What is
 * saved once is never saved again, nor what another handle saved meanwhile that
 * was given the same events.
 *
 * `expected` (NULL: any) is the clock the caller believes the stored document
 * stands at, as grove_document_clock gave it. When the store has moved on:
 * with `expected`, GROVE_CONFLICT; without, the events are put after those of
 * others where the type can merge concurrent events, else GROVE_UNSUPPORTED.
 * On a failure nothing is stored and the events stay unsaved in the handle,
 * unless taking in the events of others failed half way: the handle then says
 * GROVE_FAILED from there on. `result_out` may be NULL.
 *
 *   GROVE_CONFLICT         see above; or the document was deleted or made
 *                          anew under this handle
 *   GROVE_UNSUPPORTED      see above
 *   GROVE_REPLICA_REUSED   another writer saved events under this replica, or
 *                          other events by the ids of unsaved ones
 *   GROVE_BUSY             others saved first, again and again
 *   GROVE_HISTORY_REMOVED  a compaction removed events that the handle lacks or
 *                          that are needed to merge its unsaved ones
 *   GROVE_FAILED           see above
 *   GROVE_FULL, GROVE_IO, GROVE_LIMIT, GROVE_NO_MEMORY, GROVE_CORRUPT
 */
GROVE_API grove_status grove_document_save(grove_document *document,
                                           const uint64_t *expected,
                                           grove_save_result *result_out,
                                           grove_error *error_out);

/*
 * Takes in what others saved since the handle was loaded; reads only the new
 * batches. *events_out (may be NULL): how many events came in; some of them may
 * have been unsaved here, and are no longer.
 *
 *   GROVE_REPLICA_REUSED  as save says
 *   GROVE_NONE          the document was deleted, or deleted and made anew
 *   GROVE_UNSUPPORTED   they are concurrent with unsaved events, or with each
 *                       other, and the type cannot merge; nothing changed
 *   GROVE_HISTORY_REMOVED  a compaction removed events that the handle lacks,
 *                       or that are needed to merge its unsaved ones: load it
 *                       anew
 */
GROVE_API grove_status grove_document_refresh(grove_document *document,
                                              uint64_t *events_out,
                                              grove_error *error_out);

/*
 * How many of the document's stored events the handle has, in the store's
 * order of arrival: the clock at which its next save is expected.
 */
GROVE_API uint64_t grove_document_clock(const grove_document *document);

/* Events made on this handle and not saved yet. */
GROVE_API uint64_t grove_document_unsaved(const grove_document *document);

/* Whose handle this is, with the sequence of its next event. */
GROVE_API_VOID grove_event_id grove_document_replica(const grove_document *document);

/*
 * Adds events made elsewhere, for types whose authors bring their own
 * replicas and parents. All or nothing. They are unsaved until the next save.
 * They are compared with what the handle knows. With what others saved since,
 * the next refresh or save compares them: if they contradict it, that says
 * GROVE_REPLICA_REUSED, and so do all after it, until the handle is closed.
 *
 *   GROVE_DUPLICATE        all of it is known with the same content
 *   GROVE_REPLICA_REUSED   an id is known with other content, or is not the
 *                          replica's next
 *   GROVE_UNKNOWN_PARENT   the error names the first unknown parent
 *   GROVE_UNSUPPORTED      concurrent, and the type cannot merge
 *   GROVE_HISTORY_REMOVED  known, but its content was removed; or history that
 *                          was removed is needed to find its place
 *   GROVE_CONFLICT         the document was deleted or made anew under this
 *                          handle (where that matters; else the save says so)
 *   GROVE_INVALID, GROVE_LIMIT, GROVE_MALFORMED (the operation does not fit)
 */
GROVE_API grove_status grove_document_add(grove_document *document,
                                          const grove_event_run *run,
                                          grove_error *error_out);

/*
 * What is known of each replica: `sequence` is that of its first event that is
 * not known. Replicas that are not named are not known at all.
 */
typedef struct grove_version_vector {
    const grove_event_id *entries;
    size_t count;
} grove_version_vector;

/* The events of the handle, unsaved ones and those that history was removed of
 * included. Borrowed until the handle next changes. O(runs of replicas).
 * GROVE_CONFLICT: the document was deleted or made anew under this handle. */
GROVE_API grove_status grove_document_version_vector(grove_document *document,
                                                     grove_version_vector *vector_out,
                                                     grove_error *error_out);

/* Takes the next piece of something that is written; borrowed for the call.
 * Returns false to stop. */
typedef bool (*grove_write_fn)(void *context, grove_bytes bytes);

/*
 * Writes, for another store, the stored events that `known` (NULL: nothing)
 * lacks, in pieces that make one whole one after the other: docs/FORMAT.md,
 * "Exchange". When history that it lacks was removed, the newest snapshot
 * comes with the events that are retained. Unsaved events are not included.
 * Cost: what is read and written; one batch at a time is in memory.
 *
 *   GROVE_NONE    nothing is stored
 *   GROVE_INVALID, GROVE_LIMIT  a replica in `known` is empty; too long
 *   GROVE_FAILED  `write` wants no more
 *   GROVE_HISTORY_REMOVED  a compaction removed events meanwhile: begin anew
 *   GROVE_CORRUPT, GROVE_IO, GROVE_NO_MEMORY
 */
GROVE_API grove_status grove_document_export(grove_document *document,
                                             const grove_version_vector *known,
                                             grove_write_fn write, void *context,
                                             grove_error *error_out);

/* What an import found. */
typedef struct grove_import_result {
    uint64_t events;  /* new ones that are in the handle now */
    uint64_t known;   /* were there before, or waited already */
    uint64_t waiting; /* kept until what they depend on comes; see pending */
    uint64_t aside;   /* of these, those whose place in history was removed */
    bool adopted;     /* the document was replaced by what was exported */
} grove_import_result;

/*
 * Takes in what another store has exported. New events are merged, and unsaved
 * until the next save. Events that depend on unknown ones wait, in memory and
 * after the next save in the store, and are merged by whichever import or save
 * finds that what they wait for has come. When other handles saved so many that
 * all together are more than GROVE_PENDING_EVENTS_MAX, those of this handle are
 * dropped and have to be sent again.
 *
 * An export with a snapshot is adopted, and stored at once, when nothing of the
 * document is stored yet, or all that is stored is contained in it and events
 * in between are missing; the handle then stands at what was exported. Else
 * its events are merged as far as they can be.
 *
 * All or nothing: on a failure nothing has changed. `result_out` may be NULL.
 *
 *   GROVE_MALFORMED       not an export, damaged, or its events contradict
 *                         themselves; the offset says where
 *   GROVE_REPLICA_REUSED  an event is known with other content
 *   GROVE_INVALID         of a document of another type
 *   GROVE_LIMIT           more events than GROVE_PENDING_EVENTS_MAX would wait
 *   GROVE_CONFLICT        deleted or made anew under this handle; or the export
 *                         has to be adopted, and there are unsaved events
 *   GROVE_NO_MEMORY, GROVE_IO, GROVE_FORMAT_NEWER
 */
GROVE_API grove_status grove_document_import(grove_document *document, grove_bytes bytes,
                                             grove_import_result *result_out,
                                             grove_error *error_out);

/* Events that wait for others, in the handle and in the store; those that can
 * no longer be merged, for their place in history was removed, are counted in
 * *aside_out as well (may be NULL). */
GROVE_API grove_status grove_document_pending(grove_document *document,
                                              uint64_t *events_out, uint64_t *aside_out,
                                              grove_error *error_out);

/*
 * Called for each run of events in the order of their clocks; `run` and all in
 * it are borrowed for the call. Returns false to stop.
 */
typedef bool (*grove_event_run_fn)(void *context, uint64_t clock,
                                   const grove_event_run *run);

/*
 * The stored events from clock `from` on, unsaved ones not included. Cost:
 * what is read. GROVE_HISTORY_REMOVED: some of them were removed.
 */
GROVE_API grove_status grove_document_events(grove_document *document, uint64_t from,
                                             grove_event_run_fn each, void *context,
                                             grove_error *error_out);

/* The stored events after the newest snapshot; all of them without one. */
GROVE_API grove_status grove_document_events_since_snapshot(grove_document *document,
                                                            grove_event_run_fn each,
                                                            void *context,
                                                            grove_error *error_out);

/* What grove_document_should_snapshot decides on. */
typedef struct grove_snapshot_facts {
    uint64_t tail_events;
    uint64_t tail_operations;
    uint64_t tail_bytes; /* stored bytes of the batches after the snapshot */
    uint64_t tail_batches;
    uint64_t state_bytes; /* what a snapshot would hold, before compression */
    bool one_head;
} grove_snapshot_facts;

/* The facts of a handle, unsaved events included. O(1). */
GROVE_API_VOID grove_snapshot_facts
grove_document_snapshot_facts(const grove_document *document);

/* Whether a snapshot is due: pure, facts in, answer out. */
GROVE_API bool grove_document_should_snapshot(const grove_snapshot_policy *policy,
                                              const grove_snapshot_facts *facts);

typedef struct grove_compact_options {
    size_t size;
    /* The newest events that keep their batches; 0 keeps only the snapshot. */
    uint64_t window_events; /* default 10,000 */
} grove_compact_options;

#define GROVE_COMPACT_OPTIONS_INIT           \
    {                                        \
        sizeof(grove_compact_options), 10000 \
    }

typedef struct grove_compact_result {
    uint64_t snapshot_clock;
    uint64_t base_clock; /* events before this are removed */
    uint64_t removed_events;
    uint64_t removed_batches;
    uint64_t removed_bytes; /* of batches and snapshots */
} grove_compact_result;

/*
 * Makes a snapshot of the stored document now, critical version or not, and
 * removes the batches below the floor and the snapshots that need them, in one
 * write transaction that takes no commit number. The floor is the last
 * critical version at or before every open handle's clock and the newest
 * event minus the window, at a border between batches. `options` NULL: the
 * defaults; `result_out` may be NULL. The handle's unsaved events stay unsaved.
 *
 *   GROVE_NONE       there is nothing stored
 *   GROVE_CONFLICT   deleted or made anew under this handle
 *   GROVE_BUSY       others wrote again and again
 *   GROVE_FULL, GROVE_IO, GROVE_CORRUPT, GROVE_NO_MEMORY, GROVE_UNSUPPORTED
 */
GROVE_API grove_status grove_document_compact(grove_document *document,
                                              const grove_compact_options *options,
                                              grove_compact_result *result_out,
                                              grove_error *error_out);

typedef struct grove_seal_options {
    size_t size;
    int32_t level; /* zstd level, 1 to 22; default 19 */
} grove_seal_options;

#define GROVE_SEAL_OPTIONS_INIT        \
    {                                  \
        sizeof(grove_seal_options), 19 \
    }

typedef struct grove_seal_result {
    uint64_t batches_before;
    uint64_t batches_after;
    uint64_t bytes_before;
    uint64_t bytes_after;
} grove_seal_result;

/*
 * Packs the same events into fewer, larger, better compressed batches, in one
 * write transaction that takes no commit number; clocks, snapshots and history
 * stay. Sealing again as the document grows merges segments geometrically, so
 * that each event is packed a logarithmic number of times. Statuses as
 * compact.
 */
GROVE_API grove_status grove_document_seal(grove_document *document,
                                           const grove_seal_options *options,
                                           grove_seal_result *result_out,
                                           grove_error *error_out);

typedef struct grove_document_statistics {
    char type_name[GROVE_TYPE_NAME_BYTES_MAX + 1];
    uint64_t incarnation;
    uint64_t revision; /* counts every change of what is stored */
    uint64_t events;
    uint64_t base_clock; /* events before it were removed */
    uint64_t batches;
    uint64_t batch_bytes; /* of blocks, without keys and page rounding */
    uint64_t snapshots;
    uint64_t snapshot_bytes;
    uint64_t newest_snapshot_clock; /* UINT64_MAX: none */
    /* Of the newest snapshot; 0 without one. */
    uint64_t newest_snapshot_bytes;
} grove_document_statistics;

/* What is stored of a document: reads one record. GROVE_NONE: no such
 * document. */
GROVE_API grove_status grove_document_statistics_get(
    grove_store *store, grove_bytes id, grove_document_statistics *statistics_out,
    grove_error *error_out);

/*
 * Bytes of stored batches and snapshots that this handle has looked at since it
 * was opened, each time it did: what its load, and each merge after it, cost.
 */
GROVE_API uint64_t grove_document_bytes_read(const grove_document *document);

/* Snapshots that loading this handle found damaged and passed over. */
GROVE_API uint64_t grove_document_damaged_snapshots(const grove_document *document);

/*
 * Deletes the document with all it has, in one commit (*commit_out may be
 * NULL). Open handles to it find out at their next save or refresh.
 * GROVE_NONE: there is no such document, and no commit was made.
 */
GROVE_API grove_status grove_document_delete(grove_store *store, grove_bytes id,
                                             uint64_t *commit_out,
                                             grove_error *error_out);

/* As grove_group_list, of documents' ids. */
GROVE_API grove_status grove_document_list(grove_store *store, grove_bytes prefix,
                                           grove_bytes after, grove_list_fn each,
                                           void *context, grove_error *error_out);

#ifdef __cplusplus
}
#endif

#endif
