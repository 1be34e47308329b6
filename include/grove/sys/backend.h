/*
 * The contract of a backend: an ordered key-value engine under one table of
 * functions. For authors of backends; applications only pass a table on in
 * grove_store_options.
 *
 * The numbered clauses below are what `tests/contract/` checks, point by
 * point, on every backend. docs/BACKENDS.md repeats them with the reasons and
 * says how to add a backend.
 *
 *   C1  An environment holds `table_count` tables. In each, keys are distinct
 *       byte strings of 1 to key_bytes_max bytes that compare as unsigned
 *       bytes, a prefix before what it begins; values are byte strings of 0
 *       to value_bytes_max bytes. A put outside these limits is refused with
 *       GROVE_LIMIT and the transaction is as before. Tables are known by
 *       name: a later open may name them in another order, or name more.
 *   C2  A read transaction sees the state that the last commit before its
 *       begin left, for as long as it lives, whatever commits meanwhile.
 *   C3  There is one write transaction at a time in all processes. Beginning
 *       another waits, in the order of arrival, for at most wait_ms_max:
 *       then GROVE_BUSY, with an error that names who holds it. It sees its
 *       own changes. No reader waits for it. One whose process or thread is
 *       stopped keeps it; one whose process died does not. A waiter that
 *       does not take its turn loses it to the next.
 *   C4  commit makes all changes of a transaction visible at once, or, when
 *       it fails, none. abort leaves none. Both end the transaction.
 *   C5  In GROVE_DURABILITY_FULL a commit that returned GROVE_OK survives a
 *       power cut; in every mode, what was committed before sync returned
 *       does. After a power cut in FULL or RELAXED the state is that of some
 *       commit not older than the last that had to survive. After a sync
 *       that failed, of sync or of a commit, nobody knows what is on disk:
 *       every begin, commit and sync says GROVE_FAILED until the environment
 *       is opened again, and the commit in question is there then or not.
 *   C6  A value, or a key that a cursor gave, is readable in a read
 *       transaction until that ends, in a write transaction until its next
 *       put, remove, commit or abort; so it is no argument of these.
 *   C7  After GROVE_IO, GROVE_CORRUPT, GROVE_FULL or GROVE_NO_MEMORY from a
 *       function of a write transaction, only abort is left.
 *   C8  A cursor sees the transaction it belongs to. A put or a remove in that
 *       transaction makes its cursors invalid until the next seek.
 *   C9  No function keeps a pointer to its arguments after it returns, except
 *       open's allocator.
 *   C10 An environment may be used by any number of threads. A read
 *       transaction and its cursors may go from thread to thread, used by one
 *       at a time; a write transaction stays with the thread that began it.
 *   C11 close is called when no transaction, watch or pin is left. Opening
 *       what was closed gives the state of its last commit. A path may be
 *       open several times in a process, with the same options but for
 *       allocator, context and wait_ms_max; other ones are GROVE_INVALID.
 *   C12 A failed open leaves nothing behind but, at most, an empty directory.
 *   C13 An environment never takes more than size_limit_bytes: GROVE_FULL
 *       instead. Some of that, reserve_bytes, only GROVE_TXN_WRITE_TO_FREE
 *       may take, so that what is full can be made less full; ordinary ones
 *       may use at once what it freed. Below the limit a transaction may be
 *       GROVE_FULL too, but grow then says GROVE_OK, and it succeeds when it
 *       is done again. statistics counts the entries of the last commit and
 *       the read transactions that are open.
 *   C14 Outputs are written on success only. Every status but GROVE_OK and
 *       GROVE_NONE comes with a grove_error that bears it and a sentence.
 *   C15 In a child of fork, all that was opened before it is dead: every
 *       function that has a status says GROVE_FORKED, and those that close,
 *       abort or move something free memory at most. The parent does not
 *       notice. The child may open the path afresh.
 *   C16 A watch tells of commits of any process that come after it was opened
 *       or last told: after each there is a time when watch_wait returns
 *       GROVE_OK at once, and its descriptor is readable, not before the
 *       commit is visible. A committer that dies before it could tell
 *       delays this, by a second at most for who waits.
 *   C17 Pins are numbers under names that all processes with the environment
 *       open can see. pin_least gives the least of a name. What a pin says is
 *       seen by every call that begins after the one that said it ended.
 *       The pins of a process that dies are gone: with the next reclaim, or
 *       earlier.
 *   C18 copy makes an environment at a new path that holds the state of one
 *       commit, not older than the last before the call; others go on
 *       writing meanwhile. The copy is durable when copy returns. When it
 *       fails, or the power is cut, nothing is left at that path.
 */
#ifndef GROVE_SYS_BACKEND_H
#define GROVE_SYS_BACKEND_H

#include <grove/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes whenever this table or its clauses do. */
#define GROVE_BACKEND_ABI 2u

/* Capability bits. */
enum {
    /* Committed state outlives the process. */
    GROVE_BACKEND_PERSISTENT = 1u << 0,
    /* Several processes may open the same path. */
    GROVE_BACKEND_SHARED = 1u << 1
};

/* What backends define for themselves. */
typedef struct grove_backend_env grove_backend_env;
typedef struct grove_backend_txn grove_backend_txn;
typedef struct grove_backend_cursor grove_backend_cursor;
typedef struct grove_backend_watch grove_backend_watch;

typedef enum grove_txn_mode {
    GROVE_TXN_READ = 0,
    GROVE_TXN_WRITE = 1,
    /* A write transaction that removes more than it puts, once it is over:
     * it may use the reserve (C13). */
    GROVE_TXN_WRITE_TO_FREE = 2
} grove_txn_mode;

typedef enum grove_seek {
    /* The first entry whose key is at or after the given one. */
    GROVE_SEEK_AT_OR_AFTER = 0,
    /* The last entry whose key is before the given one; with an empty key,
     * the last entry of all. */
    GROVE_SEEK_BEFORE = 1
} grove_seek;

typedef struct grove_backend_options {
    /* What grove_store_open was given; a directory for backends on disk. */
    const char *path;
    /* From grove_store_options, for backends that need more than a path. */
    void *context;
    const char *const *table_names;
    uint32_t table_count;
    /* Permission bits for what open creates. */
    uint32_t directory_mode;
    uint32_t file_mode;
    /* The environment never grows beyond this; GROVE_FULL instead. */
    uint64_t size_limit_bytes;
    grove_durability durability;
    /* Refuse to create; nothing on disk changes. */
    bool must_exist;
    /* What is there may be damaged: nothing is written, not even a table that
     * is missing, which is GROVE_CORRUPT. With must_exist. */
    bool may_be_damaged;
    /* Accept a file system that is shared by machines, or not known to be
     * good for the backend. */
    bool may_be_remote;
    /* How long a write transaction waits for others, in milliseconds. */
    uint32_t wait_ms_max;
    const grove_allocator *allocator;
} grove_backend_options;

/* Where an environment is, as two numbers that are compared and no more. */
typedef struct grove_backend_identity {
    /* Another one when the environment is a copy, or was put back from one. */
    uint64_t place;
    /* Another one when the power may have been cut since. */
    uint64_t boot;
} grove_backend_identity;

typedef struct grove_backend_statistics {
    uint32_t page_bytes;
    /* Bytes that the environment takes, free pages included. */
    uint64_t size_bytes;
    /* Bytes within size_bytes that a later write may use again. */
    uint64_t free_bytes;
    uint64_t size_limit_bytes;
    /* Of which only GROVE_TXN_WRITE_TO_FREE may use this much. */
    uint64_t reserve_bytes;
    uint32_t readers;
    uint32_t readers_max;
    uint64_t entries;
    /* Who has the write transaction, as a process id, and for how long; 0
     * and 0: nobody. */
    uint64_t writer_process;
    uint64_t writer_ms;
    /* Whose read transaction is the oldest, how many commits were made
     * since it began, and how many bytes cannot be used again before it
     * ends, or 0 where that is not known; all 0: there is none, or it is of
     * the last commit. */
    uint64_t oldest_reader_process;
    uint64_t oldest_reader_lag;
    uint64_t retained_bytes;
} grove_backend_statistics;

/* An open read transaction, as readers gives it. */
typedef struct grove_backend_reader {
    uint64_t process;
    /* Commits since it began. */
    uint64_t lag;
} grove_backend_reader;

/* Returns false to stop. */
typedef bool (*grove_backend_reader_fn)(void *context,
                                        const grove_backend_reader *reader);

/*
 * All functions are mandatory. Outputs are written on success only. A
 * function may return, beside the statuses it lists, GROVE_IO, GROVE_CORRUPT
 * and GROVE_NO_MEMORY.
 */
typedef struct grove_backend {
    uint32_t abi;             /* GROVE_BACKEND_ABI */
    const char *name;         /* lower-case ASCII, static */
    uint32_t capabilities;    /* GROVE_BACKEND_* */
    size_t key_bytes_max;     /* at least 384 */
    uint64_t value_bytes_max; /* at least 1 MiB */
    /* The unit in which large values are best stored: a value of
     * n x page_bytes - 16 bytes wastes nothing. */
    uint32_t page_bytes;

    /*
     * Opens or creates an environment. GROVE_NONE: must_exist, and nothing
     * is there. GROVE_INVALID: the path is unusable or what is there is not
     * of this backend; the error says what was found. GROVE_BUSY: no reader
     * or lock slot.
     */
    grove_status (*open)(const grove_backend_options *options,
                         grove_backend_env **env_out, grove_error *error_out);
    void (*close)(grove_backend_env *env);

    /* Whether a parent of this process opened it (C15). Cheap: asked in every
     * call of the library. */
    bool (*is_forked)(const grove_backend_env *env);

    /* Makes everything committed so far durable. */
    grove_status (*sync)(grove_backend_env *env, grove_error *error_out);
    /* Costs the same whatever the environment holds, but for retained_bytes:
     * a look-up for each commit since the oldest reader. GROVE_BUSY: it takes
     * a reader slot for its time, and none is free. */
    grove_status (*statistics)(grove_backend_env *env,
                               grove_backend_statistics *statistics_out,
                               grove_error *error_out);
    /* Calls `each` for every open read transaction, in no order. */
    grove_status (*readers)(grove_backend_env *env, grove_backend_reader_fn each,
                            void *context, grove_error *error_out);
    grove_status (*identity)(grove_backend_env *env, grove_backend_identity *identity_out,
                             grove_error *error_out);
    /* Takes back what dead processes left: reader slots, pins. Cheap enough
     * for every compaction. */
    grove_status (*reclaim)(grove_backend_env *env, grove_error *error_out);
    /* After GROVE_FULL, with the transaction aborted: GROVE_OK when there is
     * more room now, GROVE_NONE when there is not. GROVE_BUSY: the thread's
     * own process keeps read transactions open. */
    grove_status (*grow)(grove_backend_env *env, grove_error *error_out);
    /* C18. `path` is as in open, and nothing may be there: GROVE_INVALID.
     * `is_compact`: without free pages, which takes more time. */
    grove_status (*copy)(grove_backend_env *env, const char *path, bool is_compact,
                         grove_error *error_out);

    /* C17. *pin_out is a number for the other functions, never 0. GROVE_LIMIT:
     * there are too many. */
    grove_status (*pin_open)(grove_backend_env *env, uint64_t name, uint64_t value,
                             uint64_t *pin_out, grove_error *error_out);
    void (*pin_move)(grove_backend_env *env, uint64_t pin, uint64_t value);
    void (*pin_close)(grove_backend_env *env, uint64_t pin);
    /* UINT64_MAX: nobody has a pin of this name. Cost: a look at each pin. */
    uint64_t (*pin_least)(grove_backend_env *env, uint64_t name);

    /* C16. GROVE_BUSY: the system gives no more descriptors. */
    grove_status (*watch_open)(grove_backend_env *env, grove_backend_watch **watch_out,
                               grove_error *error_out);
    /* Waits at most so many milliseconds, 0 for not at all. GROVE_NONE: there
     * was no commit in that time. */
    grove_status (*watch_wait)(grove_backend_watch *watch, uint32_t wait_ms_max,
                               grove_error *error_out);
    /* For poll, to read; the watch's own. Who finds it readable calls
     * watch_wait, which makes it unreadable. */
    int (*watch_descriptor)(const grove_backend_watch *watch);
    void (*watch_close)(grove_backend_watch *watch);

    /* GROVE_BUSY: no reader slot is free; the wait was too long (C3). */
    grove_status (*begin)(grove_backend_env *env, grove_txn_mode mode,
                          grove_backend_txn **txn_out, grove_error *error_out);
    /* Ends the transaction, also when it fails. GROVE_FULL. */
    grove_status (*commit)(grove_backend_txn *txn, grove_error *error_out);
    void (*abort)(grove_backend_txn *txn);

    /* GROVE_NONE: no such key. */
    grove_status (*get)(grove_backend_txn *txn, uint32_t table, grove_bytes key,
                        grove_bytes *value_out, grove_error *error_out);
    /*
     * Makes or replaces an entry with a value of `bytes` bytes, which the
     * caller writes to *value_out before its next call on the transaction.
     * GROVE_LIMIT (C1), GROVE_FULL.
     */
    grove_status (*put)(grove_backend_txn *txn, uint32_t table, grove_bytes key,
                        size_t bytes, uint8_t **value_out, grove_error *error_out);
    /* GROVE_NONE: no such key, and nothing is changed. GROVE_FULL. */
    grove_status (*remove)(grove_backend_txn *txn, uint32_t table, grove_bytes key,
                           grove_error *error_out);

    grove_status (*cursor_open)(grove_backend_txn *txn, uint32_t table,
                                grove_backend_cursor **cursor_out,
                                grove_error *error_out);
    /* Before the end of the cursor's transaction. */
    void (*cursor_close)(grove_backend_cursor *cursor);
    /* GROVE_NONE: there is no such entry; the cursor then needs a seek. */
    grove_status (*cursor_seek)(grove_backend_cursor *cursor, grove_seek seek,
                                grove_bytes key, grove_bytes *key_out,
                                grove_bytes *value_out, grove_error *error_out);
    /* The entry after the last one given. GROVE_NONE: that was the last. */
    grove_status (*cursor_next)(grove_backend_cursor *cursor, grove_bytes *key_out,
                                grove_bytes *value_out, grove_error *error_out);
} grove_backend;

/*
 * The backends this library was built with, by name; NULL when there is none
 * of that name. Name NULL gives the default, "lmdb". Tables are static. Safe
 * from any thread.
 */
GROVE_API const grove_backend *grove_backend_find(const char *name);

/* The name of the index-th backend, from 0; NULL beyond the last. */
GROVE_API const char *grove_backend_name(size_t index);

#ifdef __cplusplus
}
#endif

#endif
