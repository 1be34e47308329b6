/*
 * A backend that fails on purpose: a wrapper around any other whose n-th call
 * returns a chosen status instead of being made. A commit that fails so has
 * aborted. close, abort and cursor_close cannot fail and are not counted.
 *
 *     for (size_t nth = 1; ; nth++) {
 *         faulty_backend faulty;
 *         faulty_backend_init(&faulty, under, nth, GROVE_IO);
 *         ... open with &faulty.table as backend, &faulty as its context ...
 *         faulty_backend_finish(&faulty);
 *         if (!faulty.has_failed) { break; }
 *     }
 *
 * It also keeps the books on its caller: a call on a write transaction after
 * a failure that is final (C7), a transaction or a cursor that is left open,
 * and a cursor that outlives its transaction fail the test in _finish.
 */
#ifndef GROVE_TESTS_FAULTY_BACKEND_H
#define GROVE_TESTS_FAULTY_BACKEND_H

#include <stdio.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include <grove/sys/backend.h>

typedef struct faulty_backend {
    grove_backend table; /* hand this out, with the struct as context */
    const grove_backend *under;
    void *under_context;
    /* The call that fails, counted from 1; 0: none. Later calls pass. */
    size_t fails_at;
    grove_status status;
    size_t calls;
    bool has_failed;
    const char *failed_call; /* its name in the table */
    /* The books. */
    size_t envs, txns, cursors;
    size_t calls_after_final;
    size_t cursors_outliving;
} faulty_backend;

typedef struct faulty_env {
    faulty_backend *faulty;
    grove_backend_env *under;
} faulty_env;

typedef struct faulty_txn {
    faulty_backend *faulty;
    grove_backend_txn *under;
    grove_txn_mode mode;
    bool failed;
    size_t cursors;
} faulty_txn;

typedef struct faulty_cursor {
    faulty_txn *txn;
    grove_backend_cursor *under;
} faulty_cursor;

/* Counts a call; true when it is the one that fails. */
static inline bool faulty_backend_fails(faulty_backend *faulty, const char *call,
                                        grove_error *error_out)
{
    faulty->calls++;
    if (faulty->calls != faulty->fails_at) {
        return false;
    }
    faulty->has_failed = true;
    faulty->failed_call = call;
    if (error_out != NULL && faulty->status != GROVE_NONE) {
        error_out->status = faulty->status;
        error_out->offset = 0;
        (void)snprintf(error_out->message, sizeof error_out->message,
                       "%s failed because a test wants it to", call);
    }
    return true;
}

static inline bool faulty_backend_is_final(grove_status status)
{
    return status == GROVE_IO || status == GROVE_CORRUPT || status == GROVE_FULL ||
           status == GROVE_NO_MEMORY;
}

/* The same for a call on a transaction, which C7 may end. */
static inline bool faulty_txn_fails(faulty_txn *txn, const char *call,
                                    grove_error *error_out)
{
    txn->faulty->calls_after_final += txn->failed;
    bool fails = faulty_backend_fails(txn->faulty, call, error_out);
    if (fails && txn->mode != GROVE_TXN_READ &&
        faulty_backend_is_final(txn->faulty->status)) {
        txn->failed = true;
    }
    return fails;
}

static inline void *faulty_backend_new(size_t bytes)
{
    void *memory = calloc(1, bytes);
    cr_assert_not_null(memory);
    return memory;
}

static inline grove_status faulty_open(const grove_backend_options *options,
                                       grove_backend_env **env_out,
                                       grove_error *error_out)
{
    faulty_backend *faulty = options->context;
    if (faulty_backend_fails(faulty, "open", error_out)) {
        return faulty->status;
    }
    grove_backend_options passed_on = *options;
    passed_on.context = faulty->under_context;
    grove_backend_env *under;
    grove_status status = faulty->under->open(&passed_on, &under, error_out);
    if (status == GROVE_OK) {
        faulty_env *env = faulty_backend_new(sizeof *env);
        env->faulty = faulty;
        env->under = under;
        faulty->envs++;
        *env_out = (grove_backend_env *)env;
    }
    return status;
}

static inline void faulty_close(grove_backend_env *opaque)
{
    faulty_env *env = (faulty_env *)opaque;
    env->faulty->under->close(env->under);
    env->faulty->envs--;
    free(env);
}

static inline grove_status faulty_sync(grove_backend_env *opaque, grove_error *error_out)
{
    faulty_env *env = (faulty_env *)opaque;
    if (faulty_backend_fails(env->faulty, "sync", error_out)) {
        return env->faulty->status;
    }
    return env->faulty->under->sync(env->under, error_out);
}

static inline bool faulty_is_forked(const grove_backend_env *opaque)
{
    const faulty_env *env = (const faulty_env *)opaque;
    return env->faulty->under->is_forked(env->under);
}

static inline grove_status faulty_readers(grove_backend_env *opaque,
                                          grove_backend_reader_fn each, void *context,
                                          grove_error *error_out)
{
    faulty_env *env = (faulty_env *)opaque;
    if (faulty_backend_fails(env->faulty, "readers", error_out)) {
        return env->faulty->status;
    }
    return env->faulty->under->readers(env->under, each, context, error_out);
}

static inline grove_status faulty_identity(grove_backend_env *opaque,
                                           grove_backend_identity *identity_out,
                                           grove_error *error_out)
{
    faulty_env *env = (faulty_env *)opaque;
    if (faulty_backend_fails(env->faulty, "identity", error_out)) {
        return env->faulty->status;
    }
    return env->faulty->under->identity(env->under, identity_out, error_out);
}

static inline grove_status faulty_reclaim(grove_backend_env *opaque,
                                          grove_error *error_out)
{
    faulty_env *env = (faulty_env *)opaque;
    if (faulty_backend_fails(env->faulty, "reclaim", error_out)) {
        return env->faulty->status;
    }
    return env->faulty->under->reclaim(env->under, error_out);
}

static inline grove_status faulty_grow(grove_backend_env *opaque, grove_error *error_out)
{
    faulty_env *env = (faulty_env *)opaque;
    return env->faulty->under->grow(env->under, error_out);
}

static inline grove_status faulty_copy(grove_backend_env *opaque, const char *path,
                                       bool is_compact, grove_error *error_out)
{
    faulty_env *env = (faulty_env *)opaque;
    if (faulty_backend_fails(env->faulty, "copy", error_out)) {
        return env->faulty->status;
    }
    return env->faulty->under->copy(env->under, path, is_compact, error_out);
}

static inline grove_status faulty_pin_open(grove_backend_env *opaque, uint64_t name,
                                           uint64_t value, uint64_t *pin_out,
                                           grove_error *error_out)
{
    faulty_env *env = (faulty_env *)opaque;
    if (faulty_backend_fails(env->faulty, "pin_open", error_out)) {
        return env->faulty->status;
    }
    return env->faulty->under->pin_open(env->under, name, value, pin_out, error_out);
}

static inline void faulty_pin_move(grove_backend_env *opaque, uint64_t pin,
                                   uint64_t value)
{
    faulty_env *env = (faulty_env *)opaque;
    env->faulty->under->pin_move(env->under, pin, value);
}

static inline void faulty_pin_close(grove_backend_env *opaque, uint64_t pin)
{
    faulty_env *env = (faulty_env *)opaque;
    env->faulty->under->pin_close(env->under, pin);
}

static inline uint64_t faulty_pin_least(grove_backend_env *opaque, uint64_t name)
{
    faulty_env *env = (faulty_env *)opaque;
    return env->faulty->under->pin_least(env->under, name);
}

typedef struct faulty_watch {
    faulty_backend *faulty;
    grove_backend_watch *under;
} faulty_watch;

static inline grove_status faulty_watch_open(grove_backend_env *opaque,
                                             grove_backend_watch **watch_out,
                                             grove_error *error_out)
{
    faulty_env *env = (faulty_env *)opaque;
    if (faulty_backend_fails(env->faulty, "watch_open", error_out)) {
        return env->faulty->status;
    }
    grove_backend_watch *under;
    grove_status status = env->faulty->under->watch_open(env->under, &under, error_out);
    if (status == GROVE_OK) {
        faulty_watch *watch = faulty_backend_new(sizeof *watch);
        watch->faulty = env->faulty;
        watch->under = under;
        *watch_out = (grove_backend_watch *)watch;
    }
    return status;
}

static inline grove_status faulty_watch_wait(grove_backend_watch *opaque,
                                             uint32_t wait_ms_max, grove_error *error_out)
{
    faulty_watch *watch = (faulty_watch *)opaque;
    if (faulty_backend_fails(watch->faulty, "watch_wait", error_out)) {
        return watch->faulty->status;
    }
    return watch->faulty->under->watch_wait(watch->under, wait_ms_max, error_out);
}

static inline int faulty_watch_descriptor(const grove_backend_watch *opaque)
{
    const faulty_watch *watch = (const faulty_watch *)opaque;
    return watch->faulty->under->watch_descriptor(watch->under);
}

static inline void faulty_watch_close(grove_backend_watch *opaque)
{
    faulty_watch *watch = (faulty_watch *)opaque;
    watch->faulty->under->watch_close(watch->under);
    free(watch);
}

static inline grove_status faulty_statistics(grove_backend_env *opaque,
                                             grove_backend_statistics *statistics_out,
                                             grove_error *error_out)
{
    faulty_env *env = (faulty_env *)opaque;
    if (faulty_backend_fails(env->faulty, "statistics", error_out)) {
        return env->faulty->status;
    }
    return env->faulty->under->statistics(env->under, statistics_out, error_out);
}

static inline grove_status faulty_begin(grove_backend_env *opaque, grove_txn_mode mode,
                                        grove_backend_txn **txn_out,
                                        grove_error *error_out)
{
    faulty_env *env = (faulty_env *)opaque;
    if (faulty_backend_fails(env->faulty, "begin", error_out)) {
        return env->faulty->status;
    }
    grove_backend_txn *under;
    grove_status status = env->faulty->under->begin(env->under, mode, &under, error_out);
    if (status == GROVE_OK) {
        faulty_txn *txn = faulty_backend_new(sizeof *txn);
        txn->faulty = env->faulty;
        txn->under = under;
        txn->mode = mode;
        env->faulty->txns++;
        *txn_out = (grove_backend_txn *)txn;
    }
    return status;
}

static inline void faulty_txn_free(faulty_txn *txn)
{
    txn->faulty->cursors_outliving += txn->cursors;
    txn->faulty->txns--;
    free(txn);
}

static inline void faulty_abort(grove_backend_txn *opaque)
{
    faulty_txn *txn = (faulty_txn *)opaque;
    txn->faulty->under->abort(txn->under);
    faulty_txn_free(txn);
}

static inline grove_status faulty_commit(grove_backend_txn *opaque,
                                         grove_error *error_out)
{
    faulty_txn *txn = (faulty_txn *)opaque;
    faulty_backend *faulty = txn->faulty;
    if (faulty_txn_fails(txn, "commit", error_out)) {
        faulty_abort(opaque);
        return faulty->status;
    }
    grove_status status = faulty->under->commit(txn->under, error_out);
    faulty_txn_free(txn);
    return status;
}

static inline grove_status faulty_get(grove_backend_txn *opaque, uint32_t table,
                                      grove_bytes key, grove_bytes *value_out,
                                      grove_error *error_out)
{
    faulty_txn *txn = (faulty_txn *)opaque;
    if (faulty_txn_fails(txn, "get", error_out)) {
        return txn->faulty->status;
    }
    return txn->faulty->under->get(txn->under, table, key, value_out, error_out);
}

static inline grove_status faulty_put(grove_backend_txn *opaque, uint32_t table,
                                      grove_bytes key, size_t bytes, uint8_t **value_out,
                                      grove_error *error_out)
{
    faulty_txn *txn = (faulty_txn *)opaque;
    if (faulty_txn_fails(txn, "put", error_out)) {
        return txn->faulty->status;
    }
    return txn->faulty->under->put(txn->under, table, key, bytes, value_out, error_out);
}

static inline grove_status faulty_remove(grove_backend_txn *opaque, uint32_t table,
                                         grove_bytes key, grove_error *error_out)
{
    faulty_txn *txn = (faulty_txn *)opaque;
    if (faulty_txn_fails(txn, "remove", error_out)) {
        return txn->faulty->status;
    }
    return txn->faulty->under->remove(txn->under, table, key, error_out);
}

static inline grove_status faulty_cursor_open(grove_backend_txn *opaque, uint32_t table,
                                              grove_backend_cursor **cursor_out,
                                              grove_error *error_out)
{
    faulty_txn *txn = (faulty_txn *)opaque;
    if (faulty_txn_fails(txn, "cursor_open", error_out)) {
        return txn->faulty->status;
    }
    grove_backend_cursor *under;
    grove_status status =
        txn->faulty->under->cursor_open(txn->under, table, &under, error_out);
    if (status == GROVE_OK) {
        faulty_cursor *cursor = faulty_backend_new(sizeof *cursor);
        cursor->txn = txn;
        cursor->under = under;
        txn->cursors++;
        txn->faulty->cursors++;
        *cursor_out = (grove_backend_cursor *)cursor;
    }
    return status;
}

static inline void faulty_cursor_close(grove_backend_cursor *opaque)
{
    faulty_cursor *cursor = (faulty_cursor *)opaque;
    cursor->txn->faulty->under->cursor_close(cursor->under);
    cursor->txn->faulty->cursors--;
    cursor->txn->cursors--;
    free(cursor);
}

static inline grove_status faulty_cursor_seek(grove_backend_cursor *opaque,
                                              grove_seek seek, grove_bytes key,
                                              grove_bytes *key_out,
                                              grove_bytes *value_out,
                                              grove_error *error_out)
{
    faulty_cursor *cursor = (faulty_cursor *)opaque;
    if (faulty_txn_fails(cursor->txn, "cursor_seek", error_out)) {
        return cursor->txn->faulty->status;
    }
    return cursor->txn->faulty->under->cursor_seek(cursor->under, seek, key, key_out,
                                                   value_out, error_out);
}

static inline grove_status faulty_cursor_next(grove_backend_cursor *opaque,
                                              grove_bytes *key_out,
                                              grove_bytes *value_out,
                                              grove_error *error_out)
{
    faulty_cursor *cursor = (faulty_cursor *)opaque;
    if (faulty_txn_fails(cursor->txn, "cursor_next", error_out)) {
        return cursor->txn->faulty->status;
    }
    return cursor->txn->faulty->under->cursor_next(cursor->under, key_out, value_out,
                                                   error_out);
}

/* `under_context` is NULL; set it where the backend needs one. */
static inline void faulty_backend_init(faulty_backend *faulty, const grove_backend *under,
                                       size_t fails_at, grove_status status)
{
    *faulty = (faulty_backend){.under = under, .fails_at = fails_at, .status = status};
    faulty->table = (grove_backend){
        .abi = GROVE_BACKEND_ABI,
        .name = "faulty",
        .capabilities = under->capabilities,
        .key_bytes_max = under->key_bytes_max,
        .value_bytes_max = under->value_bytes_max,
        .page_bytes = under->page_bytes,
        .open = faulty_open,
        .close = faulty_close,
        .sync = faulty_sync,
        .statistics = faulty_statistics,
        .is_forked = faulty_is_forked,
        .readers = faulty_readers,
        .identity = faulty_identity,
        .reclaim = faulty_reclaim,
        .grow = faulty_grow,
        .copy = faulty_copy,
        .pin_open = faulty_pin_open,
        .pin_move = faulty_pin_move,
        .pin_close = faulty_pin_close,
        .pin_least = faulty_pin_least,
        .watch_open = faulty_watch_open,
        .watch_wait = faulty_watch_wait,
        .watch_descriptor = faulty_watch_descriptor,
        .watch_close = faulty_watch_close,
        .begin = faulty_begin,
        .commit = faulty_commit,
        .abort = faulty_abort,
        .get = faulty_get,
        .put = faulty_put,
        .remove = faulty_remove,
        .cursor_open = faulty_cursor_open,
        .cursor_close = faulty_cursor_close,
        .cursor_seek = faulty_cursor_seek,
        .cursor_next = faulty_cursor_next,
    };
}

/* Checks the books once everything is closed. */
static inline void faulty_backend_finish(const faulty_backend *faulty)
{
    const char *call = faulty->has_failed ? faulty->failed_call : "nothing";
    cr_assert_eq(faulty->envs, 0, "an environment is open after %s failed", call);
    cr_assert_eq(faulty->txns, 0, "a transaction is open after %s failed", call);
    cr_assert_eq(faulty->cursors, 0, "a cursor is open after %s failed", call);
    cr_assert_eq(faulty->cursors_outliving, 0,
                 "a cursor outlived its transaction after %s failed", call);
    cr_assert_eq(faulty->calls_after_final, 0,
                 "the transaction was used on after %s failed", call);
}

#endif
