#include "lmdb_statistics.h"

#include <errno.h>
#include <stdlib.h>

#include "lmdb_error.h"
#include "lmdb_gate.h"

enum { FREE_LIST = 0, MAIN = 1, HEADER_PAGES = 2 };

/* What walks over LMDB's table of readers. */
typedef struct reader_walk {
    grove_backend_reader_fn each;
    void *context;
    uint64_t last_txn;
    bool has_stopped;
} reader_walk;

/*
 * A line of mdb_reader_list: process, thread in hexadecimal, and the number
 * of its transaction, or "-" when it is idle. The heading has words instead.
 */
static int take_line(const char *line, void *context)
{
    reader_walk *walk = context;
    char *end;
    unsigned long long process = strtoull(line, &end, 10);
    if (end == line) {
        return 0;
    }
    (void)strtoull(end, &end, 16);
    const char *number = end;
    unsigned long long txn = strtoull(number, &end, 10);
    if (end == number || walk->has_stopped) {
        return 0;
    }
    grove_backend_reader reader = {
        .process = process, .lag = walk->last_txn > txn ? walk->last_txn - txn : 0};
    walk->has_stopped = !walk->each(walk->context, &reader);
    return 0;
}

grove_status grove__lmdb_readers(grove_backend_env *env, grove_backend_reader_fn each,
                                 void *context, grove_error *error_out)
{
    if (grove__lmdb_is_forked(env)) {
        return grove__lmdb_fail_forked(error_out);
    }
    if (!grove__lmdb_enter(env->shared)) {
        return grove__lmdb_fail_code(error_out, EBUSY, "list the readers");
    }
    reader_walk walk = {each, context, grove__lmdb_last_txn(env->shared), false};
    int code = mdb_reader_list(env->shared->mdb, take_line, &walk);
    grove__lmdb_leave(env->shared);
    return code >= 0 ? GROVE_OK
                     : grove__lmdb_fail_code(error_out, code, "list the readers");
}

static bool count_reader(void *context, const grove_backend_reader *reader)
{
    grove_backend_statistics *statistics = context;
    statistics->readers++;
    if (reader->lag > statistics->oldest_reader_lag) {
        statistics->oldest_reader_lag = reader->lag;
        statistics->oldest_reader_process = reader->process;
    }
    return true;
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
    MDB_envinfo info;
    MDB_stat stat;
    uint64_t pages = HEADER_PAGES;
    uint64_t not_ours = 0;
    int code = mdb_env_info(env->shared->mdb, &info);
    if (code == 0) {
        code = mdb_env_stat(env->shared->mdb, &stat);
    }
    if (code == 0) {
        code = add_tree(txn, FREE_LIST, &pages, &not_ours);
    }
    if (code == 0) {
        code = add_tree(txn, MAIN, &pages, &not_ours);
    }
    for (uint32_t index = 0; code == 0 && index < env->shared->table_count; index++) {
        code = add_tree(txn, env->shared->tables[index], &pages, &statistics->entries);
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

/* What was freed since the transaction `oldest` began: entries of the free
 * list are named by the transaction that freed the pages, and begin with how
 * many there are. */
static int add_retained(MDB_txn *txn, size_t oldest, uint64_t *pages)
{
    MDB_cursor *cursor;
    MDB_val key = {sizeof oldest, &oldest};
    MDB_val value;
    int code = mdb_cursor_open(txn, FREE_LIST, &cursor);
    if (code != 0) {
        return code;
    }
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (code == 0) {
        size_t count = 0;
        if (value.mv_size >= sizeof count) {
            memcpy(&count, value.mv_data, sizeof count);
        }
        *pages += count;
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

static int gather_in(grove_backend_env *env, grove_backend_statistics *statistics)
{
    grove_backend_txn *reader;
    int code = grove__lmdb_begin_reader(env, &reader);
    if (code != 0) {
        return code;
    }
    MDB_txn *txn = reader->mdb;
    code = gather(env, txn, statistics);
    if (code == 0 && statistics->oldest_reader_lag > 0) {
        uint64_t pages = 0;
        uint64_t last = mdb_txn_id(txn);
        code = add_retained(txn, (size_t)(last - statistics->oldest_reader_lag), &pages);
        statistics->retained_bytes = pages * statistics->page_bytes;
    }
    grove__lmdb_end_reader(reader);
    return code;
}

grove_status grove__lmdb_statistics(grove_backend_env *env,
                                    grove_backend_statistics *statistics_out,
                                    grove_error *error_out)
{
    grove_backend_statistics statistics = {
        .size_limit_bytes = env->shared->size_limit_bytes,
        .reserve_bytes = env->shared->reserve_bytes,
    };
    /* Before there is a reader of our own. */
    grove_status status = grove__lmdb_readers(env, count_reader, &statistics, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    int code = gather_in(env, &statistics);
    if (code != 0) {
        return grove__lmdb_fail_code(error_out, code, "gather statistics");
    }
    grove__gate_look(&env->shared->control, &statistics.writer_process,
                     &statistics.writer_ms);
    *statistics_out = statistics;
    return GROVE_OK;
}
