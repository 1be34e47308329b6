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
 *   B2  The map is reserved at open and never moves: address space for the
 *       whole size limit, which costs nothing until pages are touched.
 *   B3  LMDB's map is MADV_RANDOM (MDB_NORDAHEAD): the kernel reads ahead
 *       only what is asked for, so a value that is handed out from a reader
 *       and is larger than a page is asked for whole, before anybody touches
 *       it. Asking for several values first overlaps their reads.
 */
#include <errno.h>
#include <sys/mman.h>

#include "lmdb_env.h"
#include "lmdb_error.h"

enum { VALUE_BYTES_MAX = 0x7fffffff };

extern const grove_backend grove_backend_lmdb;

struct grove_backend_txn {
    grove_backend_env *env;
    MDB_txn *mdb;
    grove_txn_mode mode;
};

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

static void lmdb_close(grove_backend_env *env)
{
    grove_backend_txn *idle = atomic_exchange(&env->idle, NULL);
    if (idle != NULL) {
        mdb_txn_abort(idle->mdb);
        free_txn(idle);
    }
    mdb_env_close(env->mdb);
    grove__lmdb_return(env->allocator, env, grove__lmdb_env_bytes(env->table_count));
}

static grove_status lmdb_sync(grove_backend_env *env, grove_error *error_out)
{
    int code = mdb_env_sync(env->mdb, 1);
    return code == 0 ? GROVE_OK : grove__lmdb_fail_code(error_out, code, "sync");
}

/* Begins a transaction of LMDB's; slots of dead processes are taken back when
 * none is free. */
static int begin_mdb(grove_backend_env *env, grove_txn_mode mode, MDB_txn **mdb_out)
{
    unsigned flags = mode == GROVE_TXN_READ ? MDB_RDONLY : 0;
    int code = mdb_txn_begin(env->mdb, NULL, flags, mdb_out);
    if (code == MDB_READERS_FULL) {
        int dead = 0;
        code = mdb_reader_check(env->mdb, &dead);
        if (code == 0) {
            code = mdb_txn_begin(env->mdb, NULL, flags, mdb_out);
        }
    }
    return code;
}

/* Gives the idle reader, or a new transaction; returns LMDB's code. */
static int begin_txn(grove_backend_env *env, grove_txn_mode mode,
                     grove_backend_txn **txn_out)
{
    grove_backend_txn *txn = NULL;
    int code;
    if (mode == GROVE_TXN_READ) {
        txn = atomic_exchange(&env->idle, NULL);
    }
    if (txn != NULL) {
        code = mdb_txn_renew(txn->mdb);
        if (code != 0) {
            mdb_txn_abort(txn->mdb);
        }
    } else {
        txn = grove__lmdb_take(env->allocator, sizeof *txn);
        if (txn == NULL) {
            return ENOMEM;
        }
        txn->env = env;
        txn->mode = mode;
        code = begin_mdb(env, mode, &txn->mdb);
    }
    if (code != 0) {
        free_txn(txn);
        return code;
    }
    *txn_out = txn;
    return 0;
}

static grove_status lmdb_begin(grove_backend_env *env, grove_txn_mode mode,
                               grove_backend_txn **txn_out, grove_error *error_out)
{
    int code = begin_txn(env, mode, txn_out);
    return code == 0 ? GROVE_OK
                     : grove__lmdb_fail_code(error_out, code, "begin a transaction");
}

/* Ends a reader: it becomes the idle one, unless there is one. */
static void end_reader(grove_backend_txn *txn)
{
    grove_backend_txn *none = NULL;
    mdb_txn_reset(txn->mdb);
    if (!atomic_compare_exchange_strong(&txn->env->idle, &none, txn)) {
        mdb_txn_abort(txn->mdb);
        free_txn(txn);
    }
}

static grove_status lmdb_commit(grove_backend_txn *txn, grove_error *error_out)
{
    if (txn->mode == GROVE_TXN_READ) {
        end_reader(txn);
        return GROVE_OK;
    }
    int code = grove__lmdb_txn_commit(txn->mdb);
    free_txn(txn);
    return code == 0 ? GROVE_OK : grove__lmdb_fail_code(error_out, code, "commit");
}

static void lmdb_abort(grove_backend_txn *txn)
{
    if (txn->mode == GROVE_TXN_READ) {
        end_reader(txn);
        return;
    }
    mdb_txn_abort(txn->mdb);
    free_txn(txn);
}

/* B3. A hint: what comes of it does not matter. */
static void ask_for(const grove_backend_txn *txn, MDB_val value)
{
    uintptr_t page_bytes = txn->env->page_bytes;
    if (value.mv_size > page_bytes && txn->mode == GROVE_TXN_READ) {
        uintptr_t into_page = (uintptr_t)value.mv_data & (page_bytes - 1);
        (void)madvise((uint8_t *)value.mv_data - into_page, value.mv_size + into_page,
                      MADV_WILLNEED);
    }
}

/* How many open readers mdb_reader_list names: each line is of a slot and ends
 * with its transaction's number, or with "-" when it is idle; a heading ends
 * with a word. */
static int count_reader(const char *line, void *context)
{
    uint32_t *readers = context;
    size_t bytes = strcspn(line, "\n");
    if (bytes > 0 && line[bytes - 1] >= '0' && line[bytes - 1] <= '9') {
        *readers += 1;
    }
    return 0;
}

/* Pages and entries of one tree, added up. */
static int add_tree(MDB_txn *txn, MDB_dbi table, uint64_t *pages, uint64_t *entries)
{
    MDB_stat stat;
    int code = mdb_stat(txn, table, &stat);
    if (code == 0) {
        *pages += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
        *entries += stat.ms_entries;
    }
    return code;
}

/*
 * LMDB knows the pages of each tree, and each page up to the last is in a
 * tree, a header, or free: what the free list holds needs no walk over it.
 */
static int gather(grove_backend_env *env, MDB_txn *txn,
                  grove_backend_statistics *statistics)
{
    enum { FREE_LIST = 0, MAIN = 1, HEADER_PAGES = 2 };
    MDB_envinfo info;
    MDB_stat stat;
    uint64_t pages = HEADER_PAGES;
    uint64_t not_ours = 0;
    int code = mdb_env_info(env->mdb, &info);
    if (code == 0) {
        code = mdb_env_stat(env->mdb, &stat);
    }
    if (code == 0) {
        code = add_tree(txn, FREE_LIST, &pages, &not_ours);
    }
    if (code == 0) {
        code = add_tree(txn, MAIN, &pages, &not_ours);
    }
    for (uint32_t index = 0; code == 0 && index < env->table_count; index++) {
        code = add_tree(txn, env->tables[index], &pages, &statistics->entries);
    }
    if (code == 0) {
        uint64_t pages_all = (uint64_t)info.me_last_pgno + 1;
        statistics->page_bytes = stat.ms_psize;
        statistics->size_bytes = pages_all * stat.ms_psize;
        /* The two figures may be of neighbouring commits. */
        statistics->free_bytes =
            pages < pages_all ? (pages_all - pages) * stat.ms_psize : 0;
        statistics->readers_max = info.me_maxreaders;
    }
    return code;
}

static grove_status lmdb_statistics(grove_backend_env *env,
                                    grove_backend_statistics *statistics_out,
                                    grove_error *error_out)
{
    grove_backend_statistics statistics = {.size_limit_bytes = env->size_limit_bytes};
    /* Before there is a reader of our own. */
    int code = mdb_reader_list(env->mdb, count_reader, &statistics.readers);
    if (code < 0) {
        return grove__lmdb_fail_code(error_out, code, "count the readers");
    }
    grove_backend_txn *txn;
    code = begin_txn(env, GROVE_TXN_READ, &txn);
    if (code == 0) {
        code = gather(env, txn->mdb, &statistics);
        lmdb_abort(txn);
    }
    if (code != 0) {
        return grove__lmdb_fail_code(error_out, code, "gather statistics");
    }
    *statistics_out = statistics;
    return GROVE_OK;
}

static grove_status lmdb_get(grove_backend_txn *txn, uint32_t table, grove_bytes key,
                             grove_bytes *value_out, grove_error *error_out)
{
    MDB_val key_val = grove__lmdb_val_of(key);
    MDB_val value;
    int code = mdb_get(txn->mdb, txn->env->tables[table], &key_val, &value);
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
    if (key.size == 0 || key.size > LMDB_KEY_BYTES_MAX || bytes > VALUE_BYTES_MAX) {
        return grove__lmdb_fail(error_out, GROVE_LIMIT,
                                "a key of %zu or a value of %zu bytes is outside LMDB's "
                                "limits: 1 to %d, and 0 to %d",
                                key.size, bytes, LMDB_KEY_BYTES_MAX, VALUE_BYTES_MAX);
    }
    MDB_val key_val = grove__lmdb_val_of(key);
    MDB_val value = {bytes, NULL};
    int code = mdb_put(txn->mdb, txn->env->tables[table], &key_val, &value, MDB_RESERVE);
    if (code != 0) {
        return grove__lmdb_fail_code(error_out, code, "write");
    }
    *value_out = value.mv_data;
    return GROVE_OK;
}

static grove_status lmdb_remove(grove_backend_txn *txn, uint32_t table, grove_bytes key,
                                grove_error *error_out)
{
    MDB_val key_val = grove__lmdb_val_of(key);
    int code = mdb_del(txn->mdb, txn->env->tables[table], &key_val, NULL);
    if (code == MDB_NOTFOUND) {
        return GROVE_NONE;
    }
    return code == 0 ? GROVE_OK : grove__lmdb_fail_code(error_out, code, "remove");
}

static grove_status lmdb_cursor_open(grove_backend_txn *txn, uint32_t table,
                                     grove_backend_cursor **cursor_out,
                                     grove_error *error_out)
{
    grove_backend_cursor *cursor = grove__lmdb_take(txn->env->allocator, sizeof *cursor);
    if (cursor == NULL) {
        return grove__lmdb_fail_code(error_out, ENOMEM, "open a cursor");
    }
    int code = mdb_cursor_open(txn->mdb, txn->env->tables[table], &cursor->mdb);
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
    mdb_cursor_close(cursor->mdb);
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
    .sync = lmdb_sync,
    .statistics = lmdb_statistics,
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
