/*
 * Transactions over a backend: the only caller of grove/sys/backend.h.
 *
 * One wrapper for each backend call, with what must hold before and after it.
 * Nothing here knows what a table means.
 *
 *   K1  After a failure that the backend contract calls final (C7) the
 *       transaction is `failed`: every further call but abort says
 *       GROVE_FAILED without reaching the backend.
 *   K2  Keys have 1 to GROVE__KV_KEY_BYTES_MAX bytes, which every backend
 *       takes; values at most the backend's value_bytes_max, or it is
 *       GROVE_LIMIT and the transaction is as before.
 *   K3  Keys that a cursor gives ascend; a seek gives what it was asked for.
 *       A backend that breaks this is reported as GROVE_CORRUPT. A cursor
 *       goes on only from an entry that it gave, and not after a change.
 *   K4  Borrowed values live as C6 says: in a write transaction until its
 *       next change, in a read transaction until its end.
 */
#ifndef GROVE_KV_KV_H
#define GROVE_KV_KV_H

#include <grove/sys/backend.h>

/* What K2 allows; grove_backend.key_bytes_max is at least this. */
enum { GROVE__KV_KEY_BYTES_MAX = 384 };

/* The tables of a store. The order is part of nothing stored: names are. */
typedef enum grove__table {
    GROVE__TABLE_STORE = 0,
    GROVE__TABLE_META,
    GROVE__TABLE_EVENTS,
    GROVE__TABLE_SNAPSHOTS,
    GROVE__TABLE_REPLICAS,
    GROVE__TABLE_PENDING,
    GROVE__TABLE_GROUPS,
    GROVE__TABLE_COMMITS,
    GROVE__TABLE_CLOCKS,
    GROVE__TABLE_COUNT
} grove__table;

/* Its name, as backends know it; static. */
const char *grove__table_name(grove__table table);

typedef struct grove__kv {
    const grove_backend *backend;
    grove_backend_env *env;
    const grove_allocator *allocator;
    /* Bytes that one part of a large value stores: see kv/value.h. */
    size_t part_bytes;
} grove__kv;

/* A transaction; the caller owns the struct, for example on the stack. */
typedef struct grove__txn {
    grove__kv *kv;
    grove_backend_txn *backend_txn;
    grove_txn_mode mode;
    bool failed;
    /* Transactions end once; the struct may then be used for another. */
    bool ended;
    /* Puts and removes so far: cursors of before are invalid (C8). */
    uint64_t changes;
} grove__txn;

typedef struct grove__cursor {
    grove__txn *txn;
    grove_backend_cursor *backend_cursor;
    /* The entry it is at, for K3: its key, and the changes before it. */
    bool is_at_entry;
    uint64_t changes;
    size_t key_bytes;
    uint8_t key[GROVE__KV_KEY_BYTES_MAX];
} grove__cursor;

/*
 * Checks the table against the contract's limits and opens the environment;
 * table names and count in `options` are filled in here. Statuses: those of
 * grove_backend.open; GROVE_INVALID for a backend of another ABI.
 */
grove_status grove__kv_open(const grove_backend *backend,
                            const grove_backend_options *options, grove__kv *kv_out,
                            grove_error *error_out);
void grove__kv_close(grove__kv *kv);
grove_status grove__kv_sync(grove__kv *kv, grove_error *error_out);
grove_status grove__kv_statistics(grove__kv *kv, grove_backend_statistics *statistics_out,
                                  grove_error *error_out);

/* C14, for a backend that forgot: a failure never comes without a sentence. */
grove_status grove__kv_explain(const grove__kv *kv, grove_status status,
                               grove_error *error_out);

grove_status grove__txn_begin(grove__kv *kv, grove_txn_mode mode, grove__txn *txn_out,
                              grove_error *error_out);
/* Ends the transaction in every case. */
grove_status grove__txn_commit(grove__txn *txn, grove_error *error_out);
/* Without effect on a transaction that has ended. */
void grove__txn_abort(grove__txn *txn);

/* GROVE_NONE: no such key. */
grove_status grove__kv_get(grove__txn *txn, grove__table table, grove_bytes key,
                           grove_bytes *value_out, grove_error *error_out);
grove_status grove__kv_put(grove__txn *txn, grove__table table, grove_bytes key,
                           grove_bytes value, grove_error *error_out);
/* As put; the caller fills *room_out before the transaction's next call. */
grove_status grove__kv_put_room(grove__txn *txn, grove__table table, grove_bytes key,
                                size_t bytes, uint8_t **room_out, grove_error *error_out);
/* GROVE_NONE: no such key. */
grove_status grove__kv_remove(grove__txn *txn, grove__table table, grove_bytes key,
                              grove_error *error_out);
/* Removes every entry whose key begins with `prefix` (not empty) and counts
 * them; none is no failure. `removed_out` may be NULL. */
grove_status grove__kv_remove_prefix(grove__txn *txn, grove__table table,
                                     grove_bytes prefix, uint64_t *removed_out,
                                     grove_error *error_out);

grove_status grove__cursor_open(grove__txn *txn, grove__table table,
                                grove__cursor *cursor_out, grove_error *error_out);
void grove__cursor_close(grove__cursor *cursor);
grove_status grove__cursor_seek(grove__cursor *cursor, grove_seek seek, grove_bytes key,
                                grove_bytes *key_out, grove_bytes *value_out,
                                grove_error *error_out);
grove_status grove__cursor_next(grove__cursor *cursor, grove_bytes *key_out,
                                grove_bytes *value_out, grove_error *error_out);

#endif
