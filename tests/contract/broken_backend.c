#include "broken_backend.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "broken_inner.h"

enum { KEY_BYTES_MAX = 384, VALUE_BYTES_MAX = 1 << 20, ODD_BYTES = 24 };

/* A put that is only done later: BROKEN_WRITERS_DO_NOT_WAIT keeps all of them
 * until commit, BROKEN_PUT_KEEPS_ITS_KEY each until the next call. */
typedef struct delayed_put {
    struct delayed_put *before;
    uint32_t table;
    bool removes;
    const uint8_t *key; /* as the caller gave it, or `own_key` */
    size_t key_size;
    uint8_t own_key[KEY_BYTES_MAX];
    size_t size;
    uint8_t value[];
} delayed_put;

struct grove_backend_txn {
    grove_backend_env *env;
    grove_backend_txn *txn;
    grove_txn_mode mode;
    pthread_t thread;
    uint32_t cursors;
    uint32_t puts;
    unsigned closes; /* at its begin */
    /* The state before a writer's changes, for faults that go on seeing it. */
    grove_backend_txn *stale;
    uint8_t *room; /* of the last value, for BROKEN_VALUES_SHARE_ROOM */
    delayed_put *delayed;
    /* The last key put, for BROKEN_COMMIT_LOSES_LAST_PUT. */
    uint32_t last_table;
    size_t last_size;
    uint8_t last_key[KEY_BYTES_MAX];
};

struct grove_backend_cursor {
    grove_backend_txn *txn;
    grove_backend_cursor *cursor;
    uint8_t key[KEY_BYTES_MAX]; /* for BROKEN_BYTES_ARE_SIGNED */
};

void *broken_allocate(size_t bytes)
{
    void *memory_new = calloc(1, bytes);
    if (memory_new == NULL) {
        abort();
    }
    return memory_new;
}

grove_status broken_refuse(grove_error *error_out, grove_status status)
{
    if (error_out != NULL) {
        memset(error_out, 0, sizeof *error_out);
        error_out->status = status;
        memcpy(error_out->message, "broken", sizeof "broken");
    }
    return status;
}

/* Environments */

static grove_status open_inner(const grove_backend_options *options, broken_fault fault,
                               grove_backend_env **env_out, grove_error *error_out)
{
    static const char *const numbers[] = {"0", "1", "2", "3"};
    broken_place *place = options->context;
    grove_backend_options inner = *options;
    inner.context = place->under_context;
    if (fault == BROKEN_WAITERS_TRY_AGAIN) {
        inner.wait_ms_max = 0;
    } else if (fault == BROKEN_FORGETS) {
        inner.context = NULL;
        inner.must_exist = false;
    } else if (fault == BROKEN_TABLES_BY_INDEX) {
        inner.table_names = numbers;
    } else if (fault == BROKEN_FULL_IS_NOT_DURABLE) {
        inner.durability = GROVE_DURABILITY_NONE;
    } else if (fault == BROKEN_MAKES_WHAT_MUST_EXIST) {
        inner.must_exist = false;
    } else if (fault == BROKEN_HAS_NO_LIMIT) {
        inner.size_limit_bytes = UINT64_MAX;
    }
    grove_status status = place->under->open(&inner, env_out, error_out);
    if (status == GROVE_INVALID && fault == BROKEN_TAKES_OTHER_OPTIONS) {
        inner.context = NULL;
        return place->under->open(&inner, env_out, error_out);
    }
    if (status != GROVE_OK && fault == BROKEN_FAILED_OPEN_LEAVES_IT) {
        grove_backend_env *left;
        inner.must_exist = false;
        if (place->under->open(&inner, &left, NULL) == GROVE_OK) {
            place->under->close(left);
        }
    }
    return status;
}

static grove_status broken_open(const grove_backend_options *options,
                                grove_backend_env **env_out, grove_error *error_out)
{
    static pid_t first_process;
    broken_place *place = options->context;
    grove_backend_env *inner;
    if (first_process == 0) {
        first_process = getpid();
    }
    if ((place->fault == BROKEN_PATH_OPENS_ONCE && atomic_load(&place->handles) > 0) ||
        (place->fault == BROKEN_CHILD_CANNOT_OPEN && first_process != getpid())) {
        return broken_refuse(error_out, GROVE_BUSY);
    }
    grove_status status = open_inner(options, place->fault, &inner, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_backend_env *env = broken_allocate(sizeof *env);
    env->fault = place->fault;
    env->place = place;
    env->under = place->under;
    env->env = inner;
    env->options = *options;
    env->process = getpid();
    (void)atomic_fetch_add(&place->handles, 1);
    env->allocator = options->allocator;
    env->opener = pthread_self();
    if (env->fault == BROKEN_GIVES_BACK_LESS) {
        env->odd = env->allocator->allocate(env->allocator->context, ODD_BYTES);
    }
    *env_out = env;
    return GROVE_OK;
}

static void broken_close(grove_backend_env *env)
{
    env->under->close(env->env);
    (void)atomic_fetch_sub(&env->place->handles, 1);
    (void)atomic_fetch_add(&env->place->closes, 1);
    env->allocator->deallocate(env->allocator->context, env->odd, ODD_BYTES - 8);
    free(env);
}

static grove_status broken_sync(grove_backend_env *env, grove_error *error_out)
{
    if (env->fault == BROKEN_SYNC_DOES_NOTHING ||
        (env->fault == BROKEN_CHILD_SYNCS && env->process != getpid())) {
        return GROVE_OK;
    }
    grove_status status = env->under->sync(env->env, error_out);
    if ((env->fault == BROKEN_SYNC_NEVER_FAILS && status == GROVE_IO) ||
        (env->fault == BROKEN_SYNC_TRIES_AGAIN && status == GROVE_FAILED)) {
        return GROVE_OK;
    }
    return status;
}

static grove_status broken_statistics(grove_backend_env *env,
                                      grove_backend_statistics *statistics_out,
                                      grove_error *error_out)
{
    grove_status status = env->under->statistics(env->env, statistics_out, error_out);
    if (status == GROVE_OK && env->fault == BROKEN_COUNTS_ONE_ENTRY_MORE) {
        statistics_out->entries++;
    } else if (status == GROVE_OK && env->fault == BROKEN_COUNTS_NO_READERS) {
        statistics_out->readers = 0;
    } else if (status == GROVE_OK && env->fault == BROKEN_HAS_ALWAYS_A_SLOT) {
        statistics_out->readers_max /= 2;
    } else if (status == GROVE_OK && env->fault == BROKEN_KNOWS_NO_WRITER) {
        statistics_out->writer_process = 0;
        statistics_out->writer_ms = 0;
    } else if (status == GROVE_OK && env->fault == BROKEN_HAS_NO_LIMIT) {
        statistics_out->size_limit_bytes = 1 << 20;
    }
    return status;
}

/* Transactions */

static bool keeps_stale(broken_fault fault)
{
    return fault == BROKEN_WRITER_IS_BLIND || fault == BROKEN_CURSOR_IS_STALE;
}

static grove_status broken_begin(grove_backend_env *env, grove_txn_mode mode,
                                 grove_backend_txn **txn_out, grove_error *error_out)
{
    if (env->is_spoiled) {
        return broken_refuse(error_out, GROVE_FAILED);
    }
    if (env->fault == BROKEN_ONE_THREAD && !pthread_equal(env->opener, pthread_self())) {
        return broken_refuse(error_out, GROVE_INVALID);
    }
    grove_txn_mode inner_mode =
        env->fault == BROKEN_WRITERS_DO_NOT_WAIT ? GROVE_TXN_READ : mode;
    if (env->fault == BROKEN_HAS_NO_RESERVE && mode == GROVE_TXN_WRITE_TO_FREE) {
        inner_mode = GROVE_TXN_WRITE;
    } else if (env->fault == BROKEN_RESERVE_IS_FOR_ALL && mode == GROVE_TXN_WRITE) {
        inner_mode = GROVE_TXN_WRITE_TO_FREE;
    }
    grove_backend_txn *inner;
    bool has_turns = mode != GROVE_TXN_READ && (env->fault == BROKEN_TICKETS_ARE_FINAL ||
                                                env->fault == BROKEN_WAITERS_TRY_AGAIN);
    grove_status status =
        has_turns ? broken_begin_writer(env, inner_mode, &inner, error_out)
                  : env->under->begin(env->env, inner_mode, &inner, error_out);
    if (status == GROVE_BUSY && env->fault == BROKEN_BUSY_NAMES_NOBODY) {
        return broken_refuse(error_out, status);
    }
    if (status != GROVE_OK) {
        env->is_spoiled =
            env->fault == BROKEN_NO_MEMORY_IS_FOR_EVER && status == GROVE_NO_MEMORY;
        return status;
    }
    grove_backend_txn *txn = broken_allocate(sizeof *txn);
    txn->env = env;
    txn->txn = inner;
    txn->mode = mode;
    txn->thread = pthread_self();
    txn->closes = atomic_load(&env->place->closes);
    if (mode == GROVE_TXN_WRITE && keeps_stale(env->fault)) {
        status = env->under->begin(env->env, GROVE_TXN_READ, &txn->stale, error_out);
        if (status != GROVE_OK) {
            abort();
        }
    }
    *txn_out = txn;
    return GROVE_OK;
}

static void free_txn(grove_backend_txn *txn)
{
    if (txn->mode != GROVE_TXN_READ) {
        broken_end_turn(txn->env);
    }
    if (txn->stale != NULL) {
        txn->env->under->abort(txn->stale);
    }
    while (txn->delayed != NULL) {
        delayed_put *put = txn->delayed;
        txn->delayed = put->before;
        free(put);
    }
    free(txn->room);
    free(txn);
}

/* Does what was delayed, in its order, in `inner`. */
static grove_status do_delayed(grove_backend_txn *txn, grove_backend_txn *inner)
{
    grove_status status = GROVE_OK;
    delayed_put *ordered = NULL;
    while (txn->delayed != NULL) {
        delayed_put *put = txn->delayed;
        txn->delayed = put->before;
        put->before = ordered;
        ordered = put;
    }
    while (ordered != NULL) {
        delayed_put *put = ordered;
        grove_bytes key = {put->key, put->key_size};
        uint8_t *room;
        ordered = put->before;
        if (put->removes) {
            (void)!txn->env->under->remove(inner, put->table, key, NULL);
        } else if (status == GROVE_OK) {
            status = txn->env->under->put(inner, put->table, key, put->size, &room, NULL);
            if (status == GROVE_OK) {
                memcpy(room, put->value, put->size);
            }
        }
        free(put);
    }
    return status;
}

/* The whole transaction at last, after others may have committed theirs. */
static grove_status commit_delayed(grove_backend_txn *txn, grove_error *error_out)
{
    grove_backend_txn *inner;
    txn->env->under->abort(txn->txn);
    grove_status status =
        txn->env->under->begin(txn->env->env, GROVE_TXN_WRITE, &inner, error_out);
    if (status == GROVE_OK) {
        status = do_delayed(txn, inner);
        if (status == GROVE_OK) {
            status = txn->env->under->commit(inner, error_out);
        } else {
            txn->env->under->abort(inner);
            (void)broken_refuse(error_out, status);
        }
    }
    free_txn(txn);
    return status;
}

static grove_status broken_commit(grove_backend_txn *txn, grove_error *error_out)
{
    broken_fault fault = txn->env->fault;
    if (fault == BROKEN_WRITERS_DO_NOT_WAIT && txn->mode == GROVE_TXN_WRITE) {
        return commit_delayed(txn, error_out);
    }
    if (fault == BROKEN_PUT_KEEPS_ITS_KEY) {
        (void)!do_delayed(txn, txn->txn);
    }
    if (fault == BROKEN_COMMIT_LOSES) {
        txn->env->under->abort(txn->txn);
        free_txn(txn);
        return GROVE_OK;
    }
    if (fault == BROKEN_COMMIT_LOSES_LAST_PUT && txn->puts > 1) {
        grove_bytes key = {txn->last_key, txn->last_size};
        (void)!txn->env->under->remove(txn->txn, txn->last_table, key, NULL);
    }
    grove_backend_env *env = txn->env;
    bool is_writer = txn->mode != GROVE_TXN_READ;
    grove_status status = env->under->commit(txn->txn, error_out);
    if (status == GROVE_OK && is_writer) {
        (void)atomic_fetch_add(&env->commits, 1);
        (void)atomic_fetch_add(&env->place->commits, 1);
    }
    free_txn(txn);
    return status == GROVE_IO && fault == BROKEN_SYNC_NEVER_FAILS ? GROVE_OK : status;
}

static void broken_abort(grove_backend_txn *txn)
{
    if (txn->env->fault == BROKEN_ABORT_COMMITS && txn->mode == GROVE_TXN_WRITE) {
        (void)!txn->env->under->commit(txn->txn, NULL);
    } else {
        txn->env->under->abort(txn->txn);
    }
    free_txn(txn);
}

/* Begins the inner transaction anew, where no cursor hinders. */
static void begin_again(grove_backend_txn *txn)
{
    if (txn->cursors > 0) {
        return;
    }
    if (txn->env->under->commit(txn->txn, NULL) != GROVE_OK ||
        txn->env->under->begin(txn->env->env, txn->mode, &txn->txn, NULL) != GROVE_OK) {
        abort();
    }
}

/* Entries */

static grove_bytes change_key(const grove_backend_txn *txn, grove_bytes key,
                              uint8_t room[KEY_BYTES_MAX])
{
    grove_bytes changed = key;
    if (txn->env->fault == BROKEN_NUL_ENDS_KEY && key.size > 0) {
        const uint8_t *nul = memchr(key.data, 0, key.size);
        changed.size = nul != NULL ? (size_t)(nul - key.data) : key.size;
    } else if (txn->env->fault == BROKEN_LONG_KEY_IS_CUT && key.size > KEY_BYTES_MAX) {
        changed.size = KEY_BYTES_MAX;
    } else if (txn->env->fault == BROKEN_BYTES_ARE_SIGNED && key.size > 0 &&
               key.size <= KEY_BYTES_MAX) {
        memcpy(room, key.data, key.size);
        room[0] ^= 0x80;
        changed.data = room;
    }
    return changed;
}

static uint32_t change_table(const grove_backend_txn *txn, uint32_t table)
{
    return txn->env->fault == BROKEN_ONE_TABLE ? 0 : table;
}

static grove_bytes change_value(grove_backend_txn *txn, grove_bytes value)
{
    broken_fault fault = txn->env->fault;
    if (fault == BROKEN_VALUE_IS_SHORT && value.size > 0) {
        value.size--;
    } else if (fault == BROKEN_LARGE_VALUE_IS_CUT && value.size > 4080) {
        value.size = 4080;
    } else if (fault == BROKEN_VALUES_SHARE_ROOM && value.size > 0) {
        if (txn->room == NULL) {
            txn->room = broken_allocate(VALUE_BYTES_MAX);
        }
        memcpy(txn->room, value.data, value.size);
        value.data = txn->room;
    }
    return value;
}

/* What a writer that does not wait has changed itself. */
static const delayed_put *find_delayed(const grove_backend_txn *txn, uint32_t table,
                                       grove_bytes key)
{
    const delayed_put *put = txn->delayed;
    while (put != NULL && (put->table != table || put->key_size != key.size ||
                           memcmp(put->key, key.data, key.size) != 0)) {
        put = put->before;
    }
    return put;
}

static grove_status broken_get(grove_backend_txn *txn, uint32_t table, grove_bytes key,
                               grove_bytes *value_out, grove_error *error_out)
{
    broken_fault fault = txn->env->fault;
    uint8_t room[KEY_BYTES_MAX];
    grove_backend_txn *inner = txn->txn;
    bool is_lost = fault == BROKEN_CLOSE_ENDS_READERS &&
                   txn->closes != atomic_load(&txn->env->place->closes);
    if ((fault == BROKEN_READER_SEES_NEWER || is_lost) && txn->mode == GROVE_TXN_READ) {
        begin_again(txn);
        inner = txn->txn;
    } else if (fault == BROKEN_WRITER_IS_BLIND && txn->stale != NULL) {
        inner = txn->stale;
    } else if (fault == BROKEN_PUT_KEEPS_ITS_KEY) {
        (void)!do_delayed(txn, inner);
    } else if (fault == BROKEN_READER_IS_BOUND &&
               !pthread_equal(txn->thread, pthread_self())) {
        return broken_refuse(error_out, GROVE_INVALID);
    }
    const delayed_put *put = find_delayed(txn, table, key);
    if (put != NULL && put->removes) {
        return GROVE_NONE;
    }
    if (put != NULL) {
        *value_out = (grove_bytes){put->value, put->size};
        return GROVE_OK;
    }
    grove_bytes value;
    grove_status status = txn->env->under->get(
        inner, change_table(txn, table), change_key(txn, key, room), &value, error_out);
    if (status == GROVE_OK && fault == BROKEN_EMPTY_VALUE_IS_NONE && value.size == 0) {
        return GROVE_NONE;
    }
    if (status == GROVE_OK) {
        *value_out = change_value(txn, value);
    } else if (fault == BROKEN_WRITES_ON_NONE) {
        *value_out = (grove_bytes){NULL, 0};
    }
    return status;
}

static grove_status delay(grove_backend_txn *txn, uint32_t table, grove_bytes key,
                          size_t bytes, bool removes)
{
    delayed_put *put = broken_allocate(sizeof *put + bytes);
    put->before = txn->delayed;
    put->table = table;
    put->removes = removes;
    put->key = key.data;
    put->key_size = key.size;
    if (txn->env->fault != BROKEN_PUT_KEEPS_ITS_KEY) {
        memcpy(put->own_key, key.data, key.size);
        put->key = put->own_key;
    }
    put->size = bytes;
    txn->delayed = put;
    return GROVE_OK;
}

static bool delays(const grove_backend_txn *txn, grove_bytes key, size_t bytes)
{
    broken_fault fault = txn->env->fault;
    return (fault == BROKEN_WRITERS_DO_NOT_WAIT || fault == BROKEN_PUT_KEEPS_ITS_KEY) &&
           key.size > 0 && key.size <= KEY_BYTES_MAX && bytes <= VALUE_BYTES_MAX;
}

static grove_status broken_put(grove_backend_txn *txn, uint32_t table, grove_bytes key,
                               size_t bytes, uint8_t **value_out, grove_error *error_out)
{
    broken_fault fault = txn->env->fault;
    uint8_t room[KEY_BYTES_MAX];
    if (delays(txn, key, bytes)) {
        if (fault == BROKEN_PUT_KEEPS_ITS_KEY) {
            (void)!do_delayed(txn, txn->txn);
        }
        (void)delay(txn, table, key, bytes, false);
        *value_out = txn->delayed->value;
        return GROVE_OK;
    }
    if (fault == BROKEN_COMMITS_IN_PIECES && txn->puts++ % 2 == 1) {
        /* Long enough for others to look. */
        struct timespec time = {0, 100000};
        begin_again(txn);
        (void)nanosleep(&time, NULL);
    }
    table = change_table(txn, table);
    key = change_key(txn, key, room);
    grove_bytes old;
    if (fault == BROKEN_PUT_KEEPS_THE_OLD &&
        txn->env->under->get(txn->txn, table, key, &old, NULL) == GROVE_OK) {
        free(txn->room);
        txn->room = broken_allocate(bytes + 1);
        *value_out = txn->room;
        return GROVE_OK;
    }
    grove_status status =
        txn->env->under->put(txn->txn, table, key, bytes, value_out,
                             fault == BROKEN_SAYS_NOTHING ? NULL : error_out);
    if (status == GROVE_OK && fault == BROKEN_COMMIT_LOSES_LAST_PUT) {
        txn->puts++;
        txn->last_table = table;
        txn->last_size = key.size;
        memcpy(txn->last_key, key.data, key.size);
    }
    if ((fault == BROKEN_FULL_IS_FOR_EVER && status == GROVE_FULL) ||
        (fault == BROKEN_NO_MEMORY_IS_FOR_EVER && status == GROVE_NO_MEMORY)) {
        txn->env->is_spoiled = true;
    }
    return status;
}

static grove_status broken_remove(grove_backend_txn *txn, uint32_t table, grove_bytes key,
                                  grove_error *error_out)
{
    uint8_t room[KEY_BYTES_MAX];
    grove_bytes value;
    if (txn->env->fault == BROKEN_WRITERS_DO_NOT_WAIT) {
        grove_status status = broken_get(txn, table, key, &value, error_out);
        return status == GROVE_OK ? delay(txn, table, key, 0, true) : status;
    }
    if (txn->env->fault == BROKEN_PUT_KEEPS_ITS_KEY) {
        (void)!do_delayed(txn, txn->txn);
    }
    if (txn->env->fault == BROKEN_REMOVE_DOES_NOTHING) {
        return txn->env->under->get(txn->txn, table, key, &value, error_out);
    }
    return txn->env->under->remove(txn->txn, change_table(txn, table),
                                   change_key(txn, key, room), error_out);
}

/* Cursors */

static grove_status broken_cursor_open(grove_backend_txn *txn, uint32_t table,
                                       grove_backend_cursor **cursor_out,
                                       grove_error *error_out)
{
    bool is_stale = txn->env->fault == BROKEN_CURSOR_IS_STALE && txn->stale != NULL;
    grove_backend_cursor *inner;
    grove_status status = txn->env->under->cursor_open(
        is_stale ? txn->stale : txn->txn, change_table(txn, table), &inner, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_backend_cursor *cursor = broken_allocate(sizeof *cursor);
    cursor->txn = txn;
    cursor->cursor = inner;
    txn->cursors++;
    *cursor_out = cursor;
    return GROVE_OK;
}

static void broken_cursor_close(grove_backend_cursor *cursor)
{
    cursor->txn->env->under->cursor_close(cursor->cursor);
    cursor->txn->cursors--;
    free(cursor);
}

static grove_status give(grove_backend_cursor *cursor, grove_status status,
                         const grove_bytes given[2], grove_bytes *key_out,
                         grove_bytes *value_out)
{
    if (status != GROVE_OK) {
        return status;
    }
    *key_out = given[0];
    if (cursor->txn->env->fault == BROKEN_BYTES_ARE_SIGNED) {
        *key_out = change_key(cursor->txn, given[0], cursor->key);
    }
    *value_out = change_value(cursor->txn, given[1]);
    return GROVE_OK;
}

static grove_status broken_cursor_seek(grove_backend_cursor *cursor, grove_seek seek,
                                       grove_bytes key, grove_bytes *key_out,
                                       grove_bytes *value_out, grove_error *error_out)
{
    broken_fault fault = cursor->txn->env->fault;
    uint8_t room[KEY_BYTES_MAX];
    grove_bytes given[2];
    grove_bytes wanted = change_key(cursor->txn, key, room);
    if (fault == BROKEN_PUT_KEEPS_ITS_KEY) {
        (void)!do_delayed(cursor->txn, cursor->txn->txn);
    }
    if (fault == BROKEN_LAST_IS_FIRST && key.size == 0) {
        seek = GROVE_SEEK_AT_OR_AFTER;
    }
    if (fault == BROKEN_SEEK_BEFORE_GIVES_EQUAL && seek == GROVE_SEEK_BEFORE &&
        cursor->txn->env->under->cursor_seek(cursor->cursor, GROVE_SEEK_AT_OR_AFTER,
                                             wanted, &given[0], &given[1],
                                             NULL) == GROVE_OK &&
        given[0].size == key.size && memcmp(given[0].data, key.data, key.size) == 0) {
        return give(cursor, GROVE_OK, given, key_out, value_out);
    }
    grove_status status = cursor->txn->env->under->cursor_seek(
        cursor->cursor, seek, wanted, &given[0], &given[1], error_out);
    if (status == GROVE_OK && fault == BROKEN_SEEK_SKIPS_EQUAL &&
        seek == GROVE_SEEK_AT_OR_AFTER && given[0].size == key.size &&
        memcmp(given[0].data, key.data, key.size) == 0) {
        status = cursor->txn->env->under->cursor_next(cursor->cursor, &given[0],
                                                      &given[1], error_out);
    }
    return give(cursor, status, given, key_out, value_out);
}

static grove_status broken_cursor_next(grove_backend_cursor *cursor, grove_bytes *key_out,
                                       grove_bytes *value_out, grove_error *error_out)
{
    broken_fault fault = cursor->txn->env->fault;
    grove_bytes given[2];
    grove_bytes first = {NULL, 0};
    grove_status status = cursor->txn->env->under->cursor_next(cursor->cursor, &given[0],
                                                               &given[1], error_out);
    if (fault == BROKEN_NEXT_SKIPS && status == GROVE_OK && given[1].size == 1) {
        status = cursor->txn->env->under->cursor_next(cursor->cursor, &given[0],
                                                      &given[1], error_out);
    } else if (fault == BROKEN_NEXT_GOES_ROUND && status == GROVE_NONE) {
        status =
            cursor->txn->env->under->cursor_seek(cursor->cursor, GROVE_SEEK_AT_OR_AFTER,
                                                 first, &given[0], &given[1], error_out);
    }
    return give(cursor, status, given, key_out, value_out);
}

/* What both tables have in common. */
#define FUNCTIONS                                                                    \
    .open = broken_open, .close = broken_close, .is_forked = broken_is_forked,       \
    .sync = broken_sync, .statistics = broken_statistics, .readers = broken_readers, \
    .identity = broken_identity, .reclaim = broken_reclaim, .grow = broken_grow,     \
    .copy = broken_copy, .pin_open = broken_pin_open, .pin_move = broken_pin_move,   \
    .pin_close = broken_pin_close, .pin_least = broken_pin_least,                    \
    .watch_open = broken_watch_open, .watch_wait = broken_watch_wait,                \
    .watch_descriptor = broken_watch_descriptor, .watch_close = broken_watch_close,  \
    .begin = broken_begin, .commit = broken_commit, .abort = broken_abort,           \
    .get = broken_get, .put = broken_put, .remove = broken_remove,                   \
    .cursor_open = broken_cursor_open, .cursor_close = broken_cursor_close,          \
    .cursor_seek = broken_cursor_seek, .cursor_next = broken_cursor_next,

const grove_backend broken_backend = {.abi = GROVE_BACKEND_ABI,
                                      .name = "broken",
                                      .capabilities = 0,
                                      .key_bytes_max = KEY_BYTES_MAX,
                                      .value_bytes_max = VALUE_BYTES_MAX,
                                      .page_bytes = 4096,
                                      FUNCTIONS};

const grove_backend broken_shared_backend = {.abi = GROVE_BACKEND_ABI,
                                             .name = "broken",
                                             .capabilities = GROVE_BACKEND_PERSISTENT |
                                                             GROVE_BACKEND_SHARED,
                                             .key_bytes_max = 511,
                                             .value_bytes_max = 0x7fffffff,
                                             .page_bytes = 4096,
                                             FUNCTIONS};
