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
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lmdb.h>

#include <grove/sys/backend.h>

#include "lmdb_create.h"
#include "lmdb_error.h"
#include "lmdb_file.h"

enum { KEY_BYTES_MAX = 511, VALUE_BYTES_MAX = 0x7fffffff, READERS_MAX = 1024 };

extern const grove_backend grove_backend_lmdb;

struct grove_backend_env {
    MDB_env *mdb;
    const grove_allocator *allocator;
    _Atomic(grove_backend_txn *) idle; /* B1 */
    uint64_t size_limit_bytes;
    size_t page_bytes; /* of the system's memory, for B3 */
    uint32_t table_count;
    MDB_dbi tables[];
};

struct grove_backend_txn {
    grove_backend_env *env;
    MDB_txn *mdb;
    grove_txn_mode mode;
};

struct grove_backend_cursor {
    grove_backend_txn *txn;
    MDB_cursor *mdb;
};

static size_t env_bytes(uint32_t table_count)
{
    return sizeof(grove_backend_env) + table_count * sizeof(MDB_dbi);
}

static void *take_memory(const grove_allocator *allocator, size_t bytes)
{
    return allocator->allocate(allocator->context, bytes);
}

static void return_memory(const grove_allocator *allocator, void *memory, size_t bytes)
{
    allocator->deallocate(allocator->context, memory, bytes);
}

static MDB_val val_of(grove_bytes bytes)
{
    /* LMDB does not write through the pointers of keys. */
    MDB_val val = {bytes.size, (void *)(uintptr_t)bytes.data};
    return val;
}

static grove_bytes bytes_of(MDB_val val)
{
    grove_bytes bytes = {val.mv_data, val.mv_size};
    return bytes;
}

/* Whether the file holds the table of any of the names. */
static int find_any_table(MDB_txn *txn, MDB_dbi main,
                          const grove_backend_options *options, bool *any_out)
{
    *any_out = false;
    for (uint32_t index = 0; index < options->table_count && !*any_out; index++) {
        MDB_val name = val_of(grove_bytes_of(options->table_names[index]));
        MDB_val record;
        int code = mdb_get(txn, main, &name, &record);
        if (code != 0 && code != MDB_NOTFOUND) {
            return code;
        }
        *any_out = code == 0;
    }
    return 0;
}

/* Called when a table is missing: is this a store that may get it? */
static grove_status check_store(MDB_txn *txn, const grove_backend_options *options,
                                grove_error *error_out)
{
    MDB_dbi main;
    MDB_stat stat;
    bool any = false;
    int code = mdb_dbi_open(txn, NULL, 0, &main);
    if (code == 0) {
        code = mdb_stat(txn, main, &stat);
    }
    if (code == 0) {
        code = find_any_table(txn, main, options, &any);
    }
    if (code != 0) {
        return grove__lmdb_fail_path(error_out, code, options->path);
    }
    if (!any && stat.ms_entries > 0) {
        return grove__lmdb_fail(error_out, GROVE_INVALID,
                                "'%s' holds an LMDB environment of another program; "
                                "choose another directory",
                                grove__lmdb_path_tail(options->path));
    }
    if (!any && options->must_exist) {
        return grove__lmdb_fail(error_out, GROVE_NONE, "there is no store in '%s'",
                                grove__lmdb_path_tail(options->path));
    }
    return GROVE_OK;
}

/* Opens the tables; writes only when one is missing. */
static grove_status open_tables(grove_backend_env *env,
                                const grove_backend_options *options,
                                grove_error *error_out)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
    if (code != 0) {
        return grove__lmdb_fail_path(error_out, code, options->path);
    }
    code = grove__lmdb_open_tables(txn, options, 0, env->tables);
    if (code == MDB_NOTFOUND) {
        grove_status status = check_store(txn, options, error_out);
        mdb_txn_abort(txn);
        if (status != GROVE_OK) {
            return status;
        }
        code = mdb_txn_begin(env->mdb, NULL, 0, &txn);
        if (code == 0) {
            code = grove__lmdb_open_tables(txn, options, MDB_CREATE, env->tables);
        } else {
            txn = NULL;
        }
    }
    if (code == 0) {
        code = mdb_txn_commit(txn);
    } else {
        mdb_txn_abort(txn);
    }
    return code == 0 ? GROVE_OK : grove__lmdb_fail_path(error_out, code, options->path);
}

/* Opens LMDB on a directory whose data.mdb was checked. */
static grove_status open_mdb(grove_backend_env *env, const grove_backend_options *options,
                             grove_error *error_out)
{
    unsigned flags =
        MDB_NOTLS | MDB_NORDAHEAD | grove__lmdb_durability_flags(options->durability);
    int dead;
    int code = mdb_env_create(&env->mdb);
    if (code != 0) {
        return grove__lmdb_fail_path(error_out, code, options->path);
    }
    code = mdb_env_set_maxreaders(env->mdb, READERS_MAX);
    if (code == 0) {
        code = mdb_env_set_maxdbs(env->mdb, options->table_count);
    }
    if (code == 0) {
        code = mdb_env_set_mapsize(env->mdb, grove__lmdb_map_bytes(options));
    }
    if (code == 0) {
        code =
            mdb_env_open(env->mdb, options->path, flags, (mdb_mode_t)options->file_mode);
    }
    if (code == 0) {
        code = mdb_reader_check(env->mdb, &dead);
    }
    grove_status status =
        code == 0 ? GROVE_OK : grove__lmdb_fail_path(error_out, code, options->path);
    if (status == GROVE_OK && mdb_env_get_maxkeysize(env->mdb) < KEY_BYTES_MAX) {
        status = grove__lmdb_fail(error_out, GROVE_UNSUPPORTED,
                                  "this build of LMDB allows keys of %d bytes only; %d "
                                  "are needed",
                                  mdb_env_get_maxkeysize(env->mdb), KEY_BYTES_MAX);
    }
    if (status == GROVE_OK) {
        status = open_tables(env, options, error_out);
    }
    if (status != GROVE_OK) {
        mdb_env_close(env->mdb);
    }
    return status;
}

static grove_status create_and_check(const grove_backend_options *options,
                                     grove_error *error_out)
{
    static const char NAME[] = "/data.mdb";
    size_t path_bytes = strlen(options->path);
    size_t data_path_bytes = path_bytes + sizeof NAME;
    char *data_path = take_memory(options->allocator, data_path_bytes);
    if (data_path == NULL) {
        return grove__lmdb_fail_path(error_out, ENOMEM, options->path);
    }
    memcpy(data_path, options->path, path_bytes);
    memcpy(data_path + path_bytes, NAME, sizeof NAME);

    grove_status status = GROVE_OK;
    if (!options->must_exist) {
        status = grove__lmdb_create(options, data_path, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__lmdb_file_check(data_path, options->allocator, error_out);
        if (status == GROVE_NONE && options->must_exist) {
            (void)grove__lmdb_fail(error_out, GROVE_NONE, "there is no store in '%s'",
                                   grove__lmdb_path_tail(options->path));
        } else if (status == GROVE_NONE) {
            status = grove__lmdb_fail_path(error_out, ENOENT, data_path);
        }
    }
    return_memory(options->allocator, data_path, data_path_bytes);
    return status;
}

static grove_status lmdb_open(const grove_backend_options *options,
                              grove_backend_env **env_out, grove_error *error_out)
{
    if (options->path == NULL || options->path[0] == '\0') {
        return grove__lmdb_fail(error_out, GROVE_INVALID,
                                "the path is empty; name a directory");
    }
    if (grove__lmdb_map_bytes(options) == 0) {
        return grove__lmdb_fail(error_out, GROVE_INVALID,
                                "a size limit of %llu bytes cannot be mapped",
                                (unsigned long long)options->size_limit_bytes);
    }
    size_t bytes = env_bytes(options->table_count);
    grove_backend_env *env = take_memory(options->allocator, bytes);
    if (env == NULL) {
        return grove__lmdb_fail_path(error_out, ENOMEM, options->path);
    }
    env->allocator = options->allocator;
    atomic_init(&env->idle, NULL);
    env->size_limit_bytes = options->size_limit_bytes;
    env->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    env->table_count = options->table_count;

    grove_status status = create_and_check(options, error_out);
    if (status == GROVE_OK) {
        status = open_mdb(env, options, error_out);
    }
    if (status != GROVE_OK) {
        return_memory(options->allocator, env, bytes);
        return status;
    }
    *env_out = env;
    return GROVE_OK;
}

static void free_txn(grove_backend_txn *txn)
{
    return_memory(txn->env->allocator, txn, sizeof *txn);
}

static void lmdb_close(grove_backend_env *env)
{
    grove_backend_txn *idle = atomic_exchange(&env->idle, NULL);
    if (idle != NULL) {
        mdb_txn_abort(idle->mdb);
        free_txn(idle);
    }
    mdb_env_close(env->mdb);
    return_memory(env->allocator, env, env_bytes(env->table_count));
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

static grove_status lmdb_begin(grove_backend_env *env, grove_txn_mode mode,
                               grove_backend_txn **txn_out, grove_error *error_out)
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
        txn = take_memory(env->allocator, sizeof *txn);
        if (txn == NULL) {
            return grove__lmdb_fail_code(error_out, ENOMEM, "begin a transaction");
        }
        txn->env = env;
        txn->mode = mode;
        code = begin_mdb(env, mode, &txn->mdb);
    }
    if (code != 0) {
        free_txn(txn);
        return grove__lmdb_fail_code(error_out, code, "begin a transaction");
    }
    *txn_out = txn;
    return GROVE_OK;
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
    int code = mdb_txn_commit(txn->mdb);
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
        uintptr_t begin = (uintptr_t)value.mv_data & ~(page_bytes - 1);
        uintptr_t end = (uintptr_t)value.mv_data + value.mv_size;
        (void)madvise((void *)begin, end - begin, MADV_WILLNEED);
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
    grove_status status = lmdb_begin(env, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    code = gather(env, txn->mdb, &statistics);
    lmdb_abort(txn);
    if (code != 0) {
        return grove__lmdb_fail_code(error_out, code, "gather statistics");
    }
    *statistics_out = statistics;
    return GROVE_OK;
}

static grove_status lmdb_get(grove_backend_txn *txn, uint32_t table, grove_bytes key,
                             grove_bytes *value_out, grove_error *error_out)
{
    MDB_val key_val = val_of(key);
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
    if (key.size == 0 || key.size > KEY_BYTES_MAX || bytes > VALUE_BYTES_MAX) {
        return grove__lmdb_fail(error_out, GROVE_LIMIT,
                                "a key of %zu or a value of %zu bytes is outside LMDB's "
                                "limits: 1 to %d, and 0 to %d",
                                key.size, bytes, KEY_BYTES_MAX, VALUE_BYTES_MAX);
    }
    MDB_val key_val = val_of(key);
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
    MDB_val key_val = val_of(key);
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
    grove_backend_cursor *cursor = take_memory(txn->env->allocator, sizeof *cursor);
    if (cursor == NULL) {
        return grove__lmdb_fail_code(error_out, ENOMEM, "open a cursor");
    }
    int code = mdb_cursor_open(txn->mdb, txn->env->tables[table], &cursor->mdb);
    if (code != 0) {
        return_memory(txn->env->allocator, cursor, sizeof *cursor);
        return grove__lmdb_fail_code(error_out, code, "open a cursor");
    }
    cursor->txn = txn;
    *cursor_out = cursor;
    return GROVE_OK;
}

static void lmdb_cursor_close(grove_backend_cursor *cursor)
{
    mdb_cursor_close(cursor->mdb);
    return_memory(cursor->txn->env->allocator, cursor, sizeof *cursor);
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
    MDB_val found = val_of(key);
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
    .key_bytes_max = KEY_BYTES_MAX,
    .value_bytes_max = VALUE_BYTES_MAX,
    /* Of nearly every machine; with larger pages large values waste some
     * room. statistics gives the real size. */
    .page_bytes = 4096,
    .open = lmdb_open,
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
