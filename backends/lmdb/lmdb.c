/*
 * The LMDB backend: one environment in a directory, each table a named
 * sub-database of plain byte-ordered keys.
 *
 * Terms. A *reader* is a grove_backend_txn that reads: its MDB_txn holds a
 * slot of lock.mdb's reader table. An ended reader is kept *idle*, reset but
 * with its slot, for the next begin, which then takes no lock and allocates
 * nothing.
 *
 *   B1  env->idle is NULL or one idle reader; whoever takes it out by the
 *       atomic exchange owns it.
 *   B2  A write transaction holds the gate (lmdb_gate.h) from before LMDB's
 *       lock to after it; every transaction is inside the map (lmdb_shared.h,
 *       S3).
 *   B3  LMDB's map is MADV_RANDOM (MDB_NORDAHEAD): the kernel reads ahead
 *       only what is asked for, so a value that is handed out from a reader
 *       and is larger than a page is asked for whole, before anybody touches
 *       it. Asking for several values first overlaps their reads.
 *   B4  A commit of LMDB's flushes data, then writes its header page, which
 *       makes it visible. That page is flushed after the gate is given away
 *       (lmdb_durable.h), and only then commit returns.
 *   B5  In a child of fork nothing of LMDB's is touched: not even a reader is
 *       ended, which would free the parent's slot.
 */
#include <errno.h>
#include <sys/mman.h>

#include "lmdb_copy.h"
#include "lmdb_durable.h"
#include "lmdb_env.h"
#include "lmdb_error.h"
#include "lmdb_gate.h"
#include "lmdb_place.h"
#include "lmdb_statistics.h"
#include "lmdb_tables.h"
#include "lmdb_watch.h"

enum { VALUE_BYTES_MAX = 0x7fffffff };

#define NS_PER_MS UINT64_C(1000000)

extern const grove_backend grove_backend_lmdb;

struct grove_backend_cursor {
    grove_backend_txn *txn;
    MDB_cursor *mdb;
};

static grove_bytes bytes_of(MDB_val val)
{
    grove_bytes bytes = {val.mv_data, val.mv_size};
    return bytes;
}

static void free_txn(grove_backend_txn *txn)
{
    grove__lmdb_return(txn->env->allocator, txn, sizeof *txn);
}

/* What every call on an environment begins with. */
static grove_status check_env(const grove_backend_env *env, grove_error *error_out)
{
    if (grove__lmdb_is_forked(env)) {
        return grove__lmdb_fail_forked(error_out);
    }
    if (atomic_load(&env->shared->has_failed)) {
        return grove__lmdb_fail(error_out, GROVE_FAILED,
                                "an earlier sync failed, so nobody knows what is on "
                                "disk; close the store and open it again");
    }
    return GROVE_OK;
}

static void lmdb_close(grove_backend_env *env)
{
    grove_backend_txn *idle = atomic_exchange(&env->idle, NULL);
    if (idle != NULL) {
        if (!grove__lmdb_is_forked(env)) {
            mdb_txn_abort(idle->mdb);
        }
        free_txn(idle);
    }
    grove__lmdb_shared_close(env->shared);
    grove__lmdb_return(env->allocator, env, sizeof *env);
}

static grove_status lmdb_sync(grove_backend_env *env, grove_error *error_out)
{
    grove_status status = check_env(env, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (!grove__lmdb_enter(env->shared)) {
        return grove__lmdb_fail_code(error_out, EBUSY, "sync");
    }
    uint64_t txn = grove__lmdb_last_txn(env->shared);
    grove__lmdb_leave(env->shared);
    int code = grove__lmdb_flush(env->shared, txn);
    return code == 0 ? GROVE_OK : grove__lmdb_fail_code(error_out, code, "sync");
}

static grove_status lmdb_identity(grove_backend_env *env,
                                  grove_backend_identity *identity_out,
                                  grove_error *error_out)
{
    if (grove__lmdb_is_forked(env)) {
        return grove__lmdb_fail_forked(error_out);
    }
    identity_out->place = env->shared->inode;
    identity_out->boot = grove__lmdb_boot();
    return GROVE_OK;
}

static grove_status lmdb_reclaim(grove_backend_env *env, grove_error *error_out)
{
    int dead;
    grove_status status = check_env(env, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__control_reclaim(&env->shared->control);
    int code = mdb_reader_check(env->shared->mdb, &dead);
    return code == 0 ? GROVE_OK : grove__lmdb_fail_code(error_out, code, "reclaim");
}

static grove_status lmdb_grow(grove_backend_env *env, grove_error *error_out)
{
    grove_status status = check_env(env, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    int code = grove__lmdb_map_grow(env->shared);
    if (code == MDB_MAP_FULL) {
        return GROVE_NONE;
    }
    return code == 0 ? GROVE_OK : grove__lmdb_fail_code(error_out, code, "grow");
}

/* Pins */

static grove_status lmdb_pin_open(grove_backend_env *env, uint64_t name, uint64_t value,
                                  uint64_t *pin_out, grove_error *error_out)
{
    grove_status status = check_env(env, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    int code = grove__pin_open(&env->shared->control, name, value, pin_out);
    if (code == ENOLCK) {
        return grove__lmdb_fail(error_out, GROVE_LIMIT,
                                "all processes together have %d pins; close some handles",
                                (int)GROVE__PINS_MAX);
    }
    return code == 0 ? GROVE_OK : grove__lmdb_fail_code(error_out, code, "pin");
}

static void lmdb_pin_move(grove_backend_env *env, uint64_t pin, uint64_t value)
{
    if (!grove__lmdb_is_forked(env)) {
        grove__pin_move(&env->shared->control, pin, value);
    }
}

static void lmdb_pin_close(grove_backend_env *env, uint64_t pin)
{
    if (!grove__lmdb_is_forked(env)) {
        grove__pin_close(&env->shared->control, pin);
    }
}

static uint64_t lmdb_pin_least(grove_backend_env *env, uint64_t name)
{
    return grove__pin_least(&env->shared->control, name);
}

/* Transactions */

int grove__lmdb_begin_reader(grove_backend_env *env, grove_backend_txn **txn_out)
{
    grove_backend_txn *txn = atomic_exchange(&env->idle, NULL);
    if (txn == NULL) {
        txn = grove__lmdb_take(env->allocator, sizeof *txn);
        if (txn == NULL) {
            return ENOMEM;
        }
        txn->env = env;
        txn->mode = GROVE_TXN_READ;
        txn->mdb = NULL;
    }
    int code = grove__lmdb_txn_begin(env->shared, MDB_RDONLY, &txn->mdb);
    if (code != 0) {
        free_txn(txn);
        return code;
    }
    *txn_out = txn;
    return 0;
}

static grove_status fail_gate(const grove_backend_env *env, grove_error *error_out)
{
    uint64_t process;
    uint64_t held_ms;
    grove__gate_look(&env->shared->control, &process, &held_ms);
    return grove__lmdb_fail(error_out, GROVE_BUSY,
                            "another write transaction did not end in %lu ms: process "
                            "%llu has it, for %llu ms now",
                            (unsigned long)env->wait_ms_max, (unsigned long long)process,
                            (unsigned long long)held_ms);
}

/* With the gate held. */
static int begin_writer(grove_backend_env *env, grove_txn_mode mode,
                        grove_backend_txn **txn_out)
{
    int code = grove__lmdb_map_set_reserve(env->shared, mode == GROVE_TXN_WRITE_TO_FREE);
    if (code != 0) {
        return code;
    }
    grove_backend_txn *txn = grove__lmdb_take(env->allocator, sizeof *txn);
    if (txn == NULL) {
        return ENOMEM;
    }
    txn->env = env;
    txn->mode = mode;
    txn->mdb = NULL;
    code = grove__lmdb_txn_begin(env->shared, 0, &txn->mdb);
    if (code != 0) {
        free_txn(txn);
        return code;
    }
    grove__bell_make_up(&env->shared->control, mdb_txn_id(txn->mdb) - 1);
    *txn_out = txn;
    return 0;
}

static grove_status lmdb_begin(grove_backend_env *env, grove_txn_mode mode,
                               grove_backend_txn **txn_out, grove_error *error_out)
{
    int code;
    grove_status status = check_env(env, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (mode == GROVE_TXN_READ) {
        code = grove__lmdb_begin_reader(env, txn_out);
    } else {
        grove__control *control = &env->shared->control;
        uint64_t until = grove__now_ns() + env->wait_ms_max * NS_PER_MS;
        if (!grove__gate_enter(control, until)) {
            return fail_gate(env, error_out);
        }
        code = begin_writer(env, mode, txn_out);
        if (code != 0) {
            (void)grove__gate_leave(control);
        }
    }
    return code == 0 ? GROVE_OK
                     : grove__lmdb_fail_code(error_out, code, "begin a transaction");
}

void grove__lmdb_end_reader(grove_backend_txn *txn)
{
    grove_backend_txn *none = NULL;
    grove_backend_env *env = txn->env;
    if (grove__lmdb_is_forked(env)) {
        free_txn(txn);
        return;
    }
    mdb_txn_reset(txn->mdb);
    grove__lmdb_leave(env->shared);
    if (!atomic_compare_exchange_strong(&env->idle, &none, txn)) {
        mdb_txn_abort(txn->mdb);
        free_txn(txn);
    }
}

static void lmdb_abort(grove_backend_txn *txn)
{
    grove_backend_env *env = txn->env;
    if (txn->mode == GROVE_TXN_READ) {
        grove__lmdb_end_reader(txn);
        return;
    }
    if (!grove__lmdb_is_forked(env)) {
        mdb_txn_abort(txn->mdb);
        grove__lmdb_leave(env->shared);
        (void)grove__gate_leave(&env->shared->control);
    }
    free_txn(txn);
}

/* Commits, and gives the gate away before the last flush (B4). */
static int commit_writer(grove_backend_env *env, MDB_txn *mdb, grove_txn_mode mode)
{
    grove__lmdb_shared *shared = env->shared;
    uint64_t id = mdb_txn_id(mdb);
    int code = grove__lmdb_txn_commit(mdb);
    if (code == EIO) {
        atomic_store(&shared->has_failed, true);
    }
    /* What changed nothing is no transaction to LMDB. */
    bool has_changes = code == 0 && grove__lmdb_last_txn(shared) >= id;
    uint64_t flushed = id - 1;
    if (has_changes && mode == GROVE_TXN_WRITE_TO_FREE &&
        grove__lmdb_map_has_reserve(shared) && grove__lmdb_turn_over(shared) == 0) {
        flushed = id;
    }
    grove__lmdb_leave(shared);
    if (has_changes && shared->durability != GROVE_DURABILITY_NONE) {
        grove__lmdb_flushed(shared, flushed);
    }
    bool has_heir = grove__gate_leave(&shared->control);
    if (has_changes && shared->durability == GROVE_DURABILITY_FULL) {
        code = grove__lmdb_make_durable(shared, id, has_heir);
    }
    if (has_changes) {
        grove__bell_ring(&shared->control, id);
    }
    return code;
}

static grove_status lmdb_commit(grove_backend_txn *txn, grove_error *error_out)
{
    grove_backend_env *env = txn->env;
    if (grove__lmdb_is_forked(env)) {
        free_txn(txn);
        return grove__lmdb_fail_forked(error_out);
    }
    if (txn->mode == GROVE_TXN_READ) {
        grove__lmdb_end_reader(txn);
        return GROVE_OK;
    }
    grove_status status = check_env(env, error_out);
    if (status != GROVE_OK) {
        lmdb_abort(txn);
        return status;
    }
    MDB_txn *mdb = txn->mdb;
    grove_txn_mode mode = txn->mode;
    free_txn(txn);
    int code = commit_writer(env, mdb, mode);
    return code == 0 ? GROVE_OK : grove__lmdb_fail_code(error_out, code, "commit");
}

/* Entries */

/* B3. A hint: what comes of it does not matter. */
static void ask_for(const grove_backend_txn *txn, MDB_val value)
{
    uintptr_t page_bytes = txn->env->shared->system_page_bytes;
    if (value.mv_size > page_bytes && txn->mode == GROVE_TXN_READ) {
        uintptr_t into_page = (uintptr_t)value.mv_data & (page_bytes - 1);
        (void)madvise((uint8_t *)value.mv_data - into_page, value.mv_size + into_page,
                      MADV_WILLNEED);
    }
}

static grove_status lmdb_get(grove_backend_txn *txn, uint32_t table, grove_bytes key,
                             grove_bytes *value_out, grove_error *error_out)
{
    if (grove__lmdb_is_forked(txn->env)) {
        return grove__lmdb_fail_forked(error_out);
    }
    MDB_val key_val = grove__lmdb_val_of(key);
    MDB_val value;
    int code = mdb_get(txn->mdb, txn->env->shared->tables[table], &key_val, &value);
    if (code == MDB_NOTFOUND) {
        return GROVE_NONE;
    }
    if (code != 0) {
        return grove__lmdb_fail_code(error_out, code, "read");
    }
    ask_for(txn, value);
    *value_out = bytes_of(value);
    return GROVE_OK;
}

static grove_status lmdb_put(grove_backend_txn *txn, uint32_t table, grove_bytes key,
                             size_t bytes, uint8_t **value_out, grove_error *error_out)
{
    if (grove__lmdb_is_forked(txn->env)) {
        return grove__lmdb_fail_forked(error_out);
    }
    if (key.size == 0 || key.size > LMDB_KEY_BYTES_MAX || bytes > VALUE_BYTES_MAX) {
        return grove__lmdb_fail(error_out, GROVE_LIMIT,
                                "a key of %zu or a value of %zu bytes is outside LMDB's "
                                "limits: 1 to %d, and 0 to %d",
                                key.size, bytes, LMDB_KEY_BYTES_MAX, VALUE_BYTES_MAX);
    }
    MDB_val key_val = grove__lmdb_val_of(key);
    MDB_val value = {bytes, NULL};
    int code =
        mdb_put(txn->mdb, txn->env->shared->tables[table], &key_val, &value, MDB_RESERVE);
    if (code != 0) {
        return grove__lmdb_fail_code(error_out, code, "write");
    }
    *value_out = value.mv_data;
    return GROVE_OK;
}

static grove_status lmdb_remove(grove_backend_txn *txn, uint32_t table, grove_bytes key,
                                grove_error *error_out)
{
    if (grove__lmdb_is_forked(txn->env)) {
        return grove__lmdb_fail_forked(error_out);
    }
    MDB_val key_val = grove__lmdb_val_of(key);
    int code = mdb_del(txn->mdb, txn->env->shared->tables[table], &key_val, NULL);
    if (code == MDB_NOTFOUND) {
        return GROVE_NONE;
    }
    return code == 0 ? GROVE_OK : grove__lmdb_fail_code(error_out, code, "remove");
}

static grove_status lmdb_cursor_open(grove_backend_txn *txn, uint32_t table,
                                     grove_backend_cursor **cursor_out,
                                     grove_error *error_out)
{
    if (grove__lmdb_is_forked(txn->env)) {
        return grove__lmdb_fail_forked(error_out);
    }
    grove_backend_cursor *cursor = grove__lmdb_take(txn->env->allocator, sizeof *cursor);
    if (cursor == NULL) {
        return grove__lmdb_fail_code(error_out, ENOMEM, "open a cursor");
    }
    int code = mdb_cursor_open(txn->mdb, txn->env->shared->tables[table], &cursor->mdb);
    if (code != 0) {
        grove__lmdb_return(txn->env->allocator, cursor, sizeof *cursor);
        return grove__lmdb_fail_code(error_out, code, "open a cursor");
    }
    cursor->txn = txn;
    *cursor_out = cursor;
    return GROVE_OK;
}

static void lmdb_cursor_close(grove_backend_cursor *cursor)
{
    if (!grove__lmdb_is_forked(cursor->txn->env)) {
        mdb_cursor_close(cursor->mdb);
    }
    grove__lmdb_return(cursor->txn->env->allocator, cursor, sizeof *cursor);
}

/* Gives the entry that a cursor came to with `code`. */
static grove_status give_entry(const grove_backend_cursor *cursor, int code, MDB_val key,
                               MDB_val value, grove_bytes *key_out,
                               grove_bytes *value_out, grove_error *error_out)
{
    if (code == MDB_NOTFOUND) {
        return GROVE_NONE;
    }
    if (code != 0) {
        return grove__lmdb_fail_code(error_out, code, "move a cursor");
    }
    ask_for(cursor->txn, value);
    *key_out = bytes_of(key);
    *value_out = bytes_of(value);
    return GROVE_OK;
}

static grove_status lmdb_cursor_seek(grove_backend_cursor *cursor, grove_seek seek,
                                     grove_bytes key, grove_bytes *key_out,
                                     grove_bytes *value_out, grove_error *error_out)
{
    MDB_val found = grove__lmdb_val_of(key);
    MDB_val value = {0, NULL};
    int code;
    if (grove__lmdb_is_forked(cursor->txn->env)) {
        return grove__lmdb_fail_forked(error_out);
    }
    if (key.size == 0) {
        MDB_cursor_op end = seek == GROVE_SEEK_BEFORE ? MDB_LAST : MDB_FIRST;
        code = mdb_cursor_get(cursor->mdb, &found, &value, end);
    } else {
        code = mdb_cursor_get(cursor->mdb, &found, &value, MDB_SET_RANGE);
        if (seek == GROVE_SEEK_BEFORE && (code == 0 || code == MDB_NOTFOUND)) {
            MDB_cursor_op step = code == 0 ? MDB_PREV : MDB_LAST;
            code = mdb_cursor_get(cursor->mdb, &found, &value, step);
        }
    }
    return give_entry(cursor, code, found, value, key_out, value_out, error_out);
}

static grove_status lmdb_cursor_next(grove_backend_cursor *cursor, grove_bytes *key_out,
                                     grove_bytes *value_out, grove_error *error_out)
{
    MDB_val key = {0, NULL};
    MDB_val value = {0, NULL};
    if (grove__lmdb_is_forked(cursor->txn->env)) {
        return grove__lmdb_fail_forked(error_out);
    }
    int code = mdb_cursor_get(cursor->mdb, &key, &value, MDB_NEXT);
    return give_entry(cursor, code, key, value, key_out, value_out, error_out);
}

const grove_backend grove_backend_lmdb = {
    .abi = GROVE_BACKEND_ABI,
    .name = "lmdb",
    .capabilities = GROVE_BACKEND_PERSISTENT | GROVE_BACKEND_SHARED,
    .key_bytes_max = LMDB_KEY_BYTES_MAX,
    .value_bytes_max = VALUE_BYTES_MAX,
    /* Of nearly every machine; with larger pages large values waste some
     * room. statistics gives the real size. */
    .page_bytes = 4096,
    .open = grove__lmdb_env_open,
    .close = lmdb_close,
    .is_forked = grove__lmdb_is_forked,
    .sync = lmdb_sync,
    .statistics = grove__lmdb_statistics,
    .readers = grove__lmdb_readers,
    .identity = lmdb_identity,
    .reclaim = lmdb_reclaim,
    .grow = lmdb_grow,
    .copy = grove__lmdb_copy,
    .pin_open = lmdb_pin_open,
    .pin_move = lmdb_pin_move,
    .pin_close = lmdb_pin_close,
    .pin_least = lmdb_pin_least,
    .watch_open = grove__lmdb_watch_open,
    .watch_wait = grove__lmdb_watch_wait,
    .watch_descriptor = grove__lmdb_watch_descriptor,
    .watch_close = grove__lmdb_watch_close,
    .begin = lmdb_begin,
    .commit = lmdb_commit,
    .abort = lmdb_abort,
    .get = lmdb_get,
    .put = lmdb_put,
    .remove = lmdb_remove,
    .cursor_open = lmdb_cursor_open,
    .cursor_close = lmdb_cursor_close,
    .cursor_seek = lmdb_cursor_seek,
    .cursor_next = lmdb_cursor_next,
};
