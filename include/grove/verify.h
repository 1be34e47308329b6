/*
 * Looking after a store: is what is stored sound, and if it is not, what of it
 * can be kept.
 *
 * Both functions read only what they check, and may be called while others
 * write. They trust the backend to give entries; LMDB trusts its file, and can
 * end the process on one that is damaged. Who wants to survive that runs them
 * in a process of their own, as `grove verify` and `grove salvage` do.
 */
#ifndef GROVE_VERIFY_H
#define GROVE_VERIFY_H

#include <grove/document.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is wrong. */
typedef enum grove_finding_kind {
    /* A key that is none of its table's. */
    GROVE_FINDING_KEY = 0,
    /* The backend says that its own data is damaged. */
    GROVE_FINDING_UNREADABLE = 1,
    /* The store's own records: which store it is, which it was, and how far
     * its commits have aged. Also a dump that was not loaded to its end. */
    GROVE_FINDING_STORE = 2,
    /* A document's record is damaged, or is not true of what is stored. */
    GROVE_FINDING_META = 3,
    /* A batch of events: its parts, its block, its columns, its place. */
    GROVE_FINDING_BATCH = 4,
    /* Clocks that no sound batch has. */
    GROVE_FINDING_MISSING = 5,
    /* Events that do not fit those before them, or a header that says else
     * than they do. */
    GROVE_FINDING_GRAPH = 6,
    /* A snapshot: its parts, its block, its state, its heads, its clock. */
    GROVE_FINDING_SNAPSHOT = 7,
    /* The events do not make a state, or not that of a snapshot. */
    GROVE_FINDING_REPLAY = 8,
    /* The way from an event's id to its clock. */
    GROVE_FINDING_REPLICAS = 9,
    /* Events that wait for others. */
    GROVE_FINDING_PENDING = 10,
    /* Entries of a document that has no record. */
    GROVE_FINDING_ORPHAN = 11,
    /* A group's state. */
    GROVE_FINDING_GROUP = 12,
    /* The record of a commit, a pack of them, or their numbers. */
    GROVE_FINDING_COMMIT = 13,
    /* The way from a commit to a document's clock. */
    GROVE_FINDING_CLOCKS = 14,
    /* Reading it ended the process. Reported by the program `grove` only. */
    GROVE_FINDING_CRASH = 15
} grove_finding_kind;

/* A kind's name, for example "snapshot"; "?" for a number that is none. The
 * string is static. Safe from any thread. */
GROVE_API const char *grove_finding_kind_name(grove_finding_kind kind);

/* Something that is wrong. All is borrowed for the call that gets it. */
typedef struct grove_finding {
    grove_finding_kind kind;
    const char *table; /* its name; static */
    /* Of the entry; of a value in parts without the part's number, which then
     * is the beginning of its entries' keys. Empty: it is of no single one. */
    grove_bytes key;
    grove_bytes document; /* its id; empty: it is of none */
    /* Byte of the fault in the value or the key, or in the frame that the
     * message names; 0 where none can be named. */
    uint64_t offset;
    const char *message; /* a sentence in English */
} grove_finding;

/* Takes a finding. Returns false to stop. It must not write to the store. */
typedef bool (*grove_finding_fn)(void *context, const grove_finding *finding);

/*
 * Told what is looked at next, before it is: the table, and in it the name of a
 * document or a group, or a commit as 8 bytes, big-endian; of table `store`
 * nothing. Borrowed for the call. Returns false to stop. Whoever hands in such
 * a place as `after` goes on behind it.
 */
typedef bool (*grove_place_fn)(void *context, const char *table, grove_bytes name);

typedef struct grove_verify_options {
    size_t size;
    /* Replay documents from scratch, or from their oldest snapshot where the
     * history before was removed, and compare each snapshot with that. A type
     * whose state_encode gives different bytes for equal states has findings
     * then. */
    bool replay;
    /* Only documents whose ids begin so, and no groups, commits and no records
     * of the store. Empty: everything. */
    grove_bytes prefix;
    /* Only the document of exactly the id `prefix`. */
    bool one_document;
    /* Tables of document types beside the built-in ones. Of documents of other
     * types only what the library knows is checked. */
    const grove_document_type *const *types;
    size_t type_count;
    /* Go on behind a place that `at` was told; NULL: from the beginning. The
     * name need not exist. Tables are gone through in the order store, meta,
     * events, snapshots, replicas, pending, groups, commits, clocks; table
     * `meta` stands for documents with all they have, the next four and the
     * last for what is there of documents without a record. */
    const char *after_table;
    grove_bytes after_name;
    /* NULL, or told each place. */
    grove_place_fn at;
} grove_verify_options;

#define GROVE_VERIFY_OPTIONS_INIT                                                        \
    {                                                                                    \
        sizeof(grove_verify_options), false, {NULL, 0}, false, NULL, 0, NULL, {NULL, 0}, \
            NULL                                                                         \
    }

/* What was looked at. */
typedef struct grove_verify_report {
    uint64_t findings;
    uint64_t documents;
    /* Of these, those of a type whose table was not handed in: their operations
     * and states were not decoded. */
    uint64_t documents_of_other_types;
    uint64_t batches;
    uint64_t events; /* in these batches */
    uint64_t snapshots;
    uint64_t snapshots_replayed; /* of these, those compared with a replay */
    uint64_t pending;            /* events that wait */
    uint64_t groups;
    uint64_t commits;
    /* A callback wanted no more: there may be findings that were not made. */
    bool stopped;
} grove_verify_report;

/*
 * Checks every entry of every table, and the tables against each other; each
 * finding goes to `each` (NULL: they are only counted), with `context`, which
 * `at` gets as well. Each document is looked at in a read transaction of its
 * own, as of then, so that a long check keeps no page from being used again.
 * What is damaged keeps nothing else from being checked.
 *
 * GROVE_OK says that all was looked at: *report_out (may be NULL) says whether
 * there are findings. `options` NULL: the defaults.
 *
 * Cost: reads and decodes all that is stored; with `replay` all events are
 * merged again. Memory: the graph of one document, with `replay` its state as
 * well, and one batch; 256 bytes for each document whose clocks are in doubt,
 * as those of one that was deleted and made again. Safe from any thread.
 *
 *   GROVE_INVALID    options of another size, or a table that does not exist
 *   GROVE_LIMIT      the prefix is longer than an id
 *   GROVE_NONE       one_document, and nothing is stored of it
 *   GROVE_IO, GROVE_NO_MEMORY, GROVE_BUSY: the check could not be made
 */
GROVE_API grove_status grove_store_verify(grove_store *store,
                                          const grove_verify_options *options,
                                          grove_finding_fn each, void *context,
                                          grove_verify_report *report_out,
                                          grove_error *error_out);

/*
 * As grove_store_open of a store that must exist, but takes one whose own
 * record is damaged or missing, or to which a dump was not loaded to its end,
 * and writes nothing to it: a copy stays the store that it is a copy of. Only
 * for grove_store_verify and as the source of grove_store_salvage.
 */
GROVE_API grove_status grove_store_open_damaged(const char *path,
                                                const grove_store_options *options,
                                                grove_store **store_out,
                                                grove_error *error_out);

/* What of a document or a group could not be copied. */
typedef enum grove_loss_kind {
    /* All of it. */
    GROVE_LOSS_WHOLE = 0,
    /* The events from `first_clock` to `end_clock` - 1: the document ends
     * before them. */
    GROVE_LOSS_EVENTS = 1,
    /* The same clocks as events; the document's state has them. It is as if a
     * compaction had removed them. */
    GROVE_LOSS_HISTORY = 2,
    /* A snapshot at `first_clock` or after, up to `end_clock`, whose place
     * others or the events take. */
    GROVE_LOSS_SNAPSHOT = 3,
    /* Events that waited for others. */
    GROVE_LOSS_PENDING = 4,
    /* Which replicas made the removed events at these clocks: some got ids of
     * a replica that is made up. Matters to who might send such events again,
     * which then look new, but have no place in the history that is left. */
    GROVE_LOSS_IDS = 5,
    /* Reading it ended the process. Reported by the program `grove` only. */
    GROVE_LOSS_CRASH = 6
} grove_loss_kind;

/* A kind's name, for example "history"; "?" for a number that is none. The
 * string is static. Safe from any thread. */
GROVE_API const char *grove_loss_kind_name(grove_loss_kind kind);

/* Something that is missing in the new store. Borrowed for the call. */
typedef struct grove_loss {
    grove_loss_kind kind;
    const char *table; /* "meta" for a document, "groups" for a group; static */
    grove_bytes name;  /* of the document or the group */
    uint64_t first_clock;
    uint64_t end_clock;
    const char *message; /* a sentence in English */
} grove_loss;

/* Takes a loss. Returns false to stop. */
typedef bool (*grove_loss_fn)(void *context, const grove_loss *loss);

typedef struct grove_salvage_options {
    size_t size;
    /* As those of grove_verify_options. A salvage that goes on takes a
     * destination that is not empty. */
    const grove_document_type *const *types;
    size_t type_count;
    const char *after_table;
    grove_bytes after_name;
    grove_place_fn at;
} grove_salvage_options;

#define GROVE_SALVAGE_OPTIONS_INIT                                    \
    {                                                                 \
        sizeof(grove_salvage_options), NULL, 0, NULL, {NULL, 0}, NULL \
    }

typedef struct grove_salvage_report {
    uint64_t documents;         /* copied, whole or in part */
    uint64_t documents_in_part; /* of these, those with a loss */
    uint64_t documents_lost;
    uint64_t events; /* the copied documents have, removed history included */
    uint64_t events_lost;
    uint64_t groups;
    uint64_t groups_lost;
    uint64_t losses;
    bool stopped; /* a callback wanted no more */
} grove_salvage_report;

/*
 * Copies what is sound in one store into another one that is empty. Each
 * document and each group is copied in a commit of its own. The commits of the
 * old store are not copied, nor the way from these to clocks: they are none of
 * the new one, which has an incarnation of its own. What could not be copied
 * goes to `each` (NULL: it is only counted), with `context`.
 *
 * Of a document whose first batches are sound the longest such beginning is
 * kept. Where a later snapshot is sound, and the batches after it lead further,
 * it is kept with these, and with no history before: as after a compaction.
 * Clocks never change. The table `replicas` is made anew where the batches say
 * what it had. A document without a sound record is taken to be of the one
 * type that all its batches are of.
 *
 * A document that has lost its newest events gets a new incarnation. Replicas
 * that made them must not go on with it, for they would give ids again that
 * others have seen; handles that name no replica have a new one anyway.
 *
 * The source is only read. What is in the new store was verified there, with a
 * replay. On a failure what was copied before stays. Cost: reads everything
 * several times, replays all documents. Memory: the stored bytes, the graph and
 * the state of one document. Safe from any thread.
 *
 *   GROVE_INVALID  options of another size; the destination is the source, or
 *                  not empty
 *   GROVE_FULL     the destination has no more room
 *   GROVE_IO, GROVE_NO_MEMORY, GROVE_BUSY
 */
GROVE_API grove_status grove_store_salvage(grove_store *source, grove_store *destination,
                                           const grove_salvage_options *options,
                                           grove_loss_fn each, void *context,
                                           grove_salvage_report *report_out,
                                           grove_error *error_out);

#ifdef __cplusplus
}
#endif

#endif
