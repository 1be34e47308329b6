/*
 * The feed: every commit of a store in its order, with what it touched; and the
 * way from a commit to a document as it was then.
 *
 * A reader keeps a token, which says up to where it has read, across restarts
 * if it likes, and goes on from there:
 *
 *     grove_feed_result read = {.next = where I was};
 *     do {
 *         status = grove_feed_read(store, &read.next, 1000, each, context,
 *                                  &read, &error);
 *     } while (status == GROVE_OK && read.commits > 0);
 *
 * All functions may be called from any thread at any time.
 */
#ifndef GROVE_FEED_H
#define GROVE_FEED_H

#include <grove/document.h>
#include <grove/store.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { GROVE_FEED_TOKEN_BYTES = 32 };

/*
 * A place between two commits of one store. The bytes are opaque and mean
 * nothing to another store; whoever hands them in need not be trusted.
 */
typedef struct grove_feed_token {
    uint8_t bytes[GROVE_FEED_TOKEN_BYTES];
} grove_feed_token;

typedef enum grove_feed_kind {
    GROVE_FEED_GROUP = 0,
    GROVE_FEED_DOCUMENT = 1
} grove_feed_kind;

/*
 * Something that a commit touched. A document got the events from `first_clock`
 * on, `count` of them; from clock 0 on: it was made by this commit, or replaced
 * by an import; none at all: it was deleted. Of a group both are 0.
 */
typedef struct grove_feed_touch {
    grove_feed_kind kind;
    grove_bytes name; /* of the group, or the id of the document */
    uint64_t first_clock;
    uint64_t count;
} grove_feed_touch;

typedef struct grove_feed_commit {
    uint64_t number;
    int64_t time; /* milliseconds since 1970-01-01T00:00:00Z */
    /* That of the store when the commit was made. A number may be given out
     * again after a restore, but not in the same incarnation. */
    uint64_t incarnation;
    grove_bytes meta; /* what its maker said; empty: nothing */
    const grove_feed_touch *touches;
    size_t touch_count;
} grove_feed_commit;

/*
 * Called for each commit in order; all in `commit` is borrowed for the call. No
 * transaction is open, so that it may take its time and use the store. Returns
 * false to stop: the reader is then behind this commit.
 */
typedef bool (*grove_feed_fn)(void *context, const grove_feed_commit *commit);

typedef struct grove_feed_result {
    grove_feed_token next; /* where to go on */
    uint64_t commits;      /* how many were given; 0: there are no more now */
} grove_feed_result;

/*
 * Gives the commits after `from` (NULL: from the oldest that is kept), at most
 * `commits_max` > 0 of them, fewer where their records take much memory. Cost:
 * one short read transaction, in which stored records are copied; then what is
 * decoded, a pack of 512 older commits at a time. `result_out` may be `from`'s.
 *
 * A failure after some commits were given ends the call with GROVE_OK and what
 * was given; the next call says what failed.
 *
 *   GROVE_CONFLICT         the token is of another store, or of commits that
 *                          this one has lost since (by a restore, or a crash
 *                          in a mode that is not fully durable): start afresh
 *   GROVE_HISTORY_REMOVED  some of these commits are no longer kept: start
 *                          afresh
 *   GROVE_MALFORMED        the token is none
 *   GROVE_INVALID          commits_max is 0
 *   GROVE_CORRUPT, GROVE_IO, GROVE_NO_MEMORY, GROVE_BUSY
 */
GROVE_API grove_status grove_feed_read(grove_store *store, const grove_feed_token *from,
                                       uint64_t commits_max, grove_feed_fn each,
                                       void *context, grove_feed_result *result_out,
                                       grove_error *error_out);

/*
 * The token behind the newest commit. To start afresh: take it, load what is of
 * interest, then read from it; what came in between is read once more. Cost:
 * two look-ups. GROVE_CORRUPT, GROVE_IO, GROVE_NO_MEMORY, GROVE_BUSY.
 */
GROVE_API grove_status grove_feed_now(grove_store *store, grove_feed_token *token_out,
                                      grove_error *error_out);

/* How long commits are kept. A commit goes once one of the two lets it go. The
 * newest commit always stays. */
typedef struct grove_feed_retention {
    uint64_t commits_max; /* the newest that are kept; 0: all */
    uint64_t age_ms_max;  /* milliseconds; 0: for ever */
} grove_feed_retention;

/*
 * Sets how long commits are kept, for all processes and from now on; a new
 * store keeps all, at 4 bytes or less for a commit. Nothing is removed by this
 * call: commits go some hundreds at a time along with later ones, or with
 * grove_feed_trim. Takes no commit number. GROVE_BUSY: others changed the
 * store again and again; GROVE_FULL, GROVE_IO, GROVE_CORRUPT.
 */
GROVE_API grove_status grove_feed_retention_set(grove_store *store,
                                                const grove_feed_retention *retention,
                                                grove_error *error_out);
/* As it was set. GROVE_CORRUPT, GROVE_IO, GROVE_BUSY. */
GROVE_API grove_status grove_feed_retention_get(grove_store *store,
                                                grove_feed_retention *retention_out,
                                                grove_error *error_out);

/*
 * Removes commits that are no longer kept, the oldest first, until about
 * `commits_max` > 0 are gone: packs of 512 go whole. Their numbers are not
 * given out again, and grove_document_clock_at still knows them. Cost: what is
 * removed is read, and each document that it touched gets a row or two; one
 * write transaction that takes no commit number. *removed_out (may be NULL):
 * how many went; 0: no more are due.
 *
 *   GROVE_INVALID  commits_max is 0
 *   GROVE_BUSY     others did the same again and again
 *   GROVE_FULL, GROVE_IO, GROVE_CORRUPT, GROVE_NO_MEMORY
 */
GROVE_API grove_status grove_feed_trim(grove_store *store, uint64_t commits_max,
                                       uint64_t *removed_out, grove_error *error_out);

/*
 * The clock that the document stood at after commit `commit`: what to hand to
 * grove_document_load_at to have it as it was then. It is known for as long as
 * the document is there, also of commits that the feed no longer keeps. Cost: a
 * look-up, and a pass over the records of the newest commits, about 1,000 at
 * most.
 *
 *   GROVE_NONE     there is no such document, or it was made after that commit
 *   GROVE_INVALID  there was no such commit yet
 *   GROVE_LIMIT (the id), GROVE_CORRUPT, GROVE_IO, GROVE_NO_MEMORY, GROVE_BUSY
 */
GROVE_API grove_status grove_document_clock_at(grove_store *store, grove_bytes id,
                                               uint64_t commit, uint64_t *clock_out,
                                               grove_error *error_out);

/* What the caller says of a commit that it makes. */
typedef struct grove_commit_options {
    size_t size;
    /* Kept with the commit and given by the feed: who did it, why, what a
     * peer needs to know. At most GROVE_COMMIT_META_BYTES_MAX bytes, of any
     * meaning. Borrowed for the call. */
    grove_bytes meta;
} grove_commit_options;

#define GROVE_COMMIT_OPTIONS_INIT     \
    {                                 \
        sizeof(grove_commit_options), \
        {                             \
            NULL, 0                   \
        }                             \
    }

/*
 * As grove_document_save, grove_document_delete, grove_group_save and
 * grove_group_delete, with something said of the commit. `options` NULL: the
 * same as these. Where no commit is made, what was said is dropped.
 * GROVE_LIMIT: the meta is too long; GROVE_INVALID: another struct. Nothing has
 * changed then.
 */
GROVE_API grove_status grove_document_save_with(grove_document *document,
                                                const uint64_t *expected,
                                                const grove_commit_options *options,
                                                grove_save_result *result_out,
                                                grove_error *error_out);
GROVE_API grove_status grove_document_delete_with(grove_store *store, grove_bytes id,
                                                  const grove_commit_options *options,
                                                  uint64_t *commit_out,
                                                  grove_error *error_out);
GROVE_API grove_status grove_group_save_with(grove_store *store, grove_bytes name,
                                             grove_bytes state,
                                             const grove_commit_options *options,
                                             uint64_t *commit_out,
                                             grove_error *error_out);
GROVE_API grove_status grove_group_delete_with(grove_store *store, grove_bytes name,
                                               const grove_commit_options *options,
                                               uint64_t *commit_out,
                                               grove_error *error_out);

#ifdef __cplusplus
}
#endif

#endif
