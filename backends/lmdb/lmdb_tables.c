#include "lmdb_tables.h"

#include "lmdb_create.h"
#include "lmdb_error.h"

size_t grove__lmdb_names_bytes(const grove_backend_options *options)
{
    size_t bytes = 0;
    for (uint32_t index = 0; index < options->table_count; index++) {
        bytes += strlen(options->table_names[index]) + 1;
    }
    return bytes;
}

void grove__lmdb_names_copy(const grove_backend_options *options, char *names_out)
{
    for (uint32_t index = 0; index < options->table_count; index++) {
        size_t bytes = strlen(options->table_names[index]) + 1;
        memcpy(names_out, options->table_names[index], bytes);
        names_out += bytes;
    }
}

bool grove__lmdb_names_equal(const grove_backend_options *options, const char *names,
                             size_t names_bytes)
{
    size_t done = 0;
    for (uint32_t index = 0; index < options->table_count; index++) {
        size_t bytes = strlen(options->table_names[index]) + 1;
        if (bytes > names_bytes - done ||
            memcmp(names + done, options->table_names[index], bytes) != 0) {
            return false;
        }
        done += bytes;
    }
    return done == names_bytes;
}

/* Whether the file holds the table of any of the names. */
static int find_any_table(MDB_txn *txn, MDB_dbi main,
                          const grove_backend_options *options, bool *any_out)
{
    *any_out = false;
    for (uint32_t index = 0; index < options->table_count && !*any_out; index++) {
        MDB_val name = grove__lmdb_val_of(grove_bytes_of(options->table_names[index]));
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

grove_status grove__lmdb_tables_open(MDB_env *mdb, const grove_backend_options *options,
                                     MDB_dbi *tables_out, grove_error *error_out)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(mdb, NULL, MDB_RDONLY, &txn);
    if (code != 0) {
        return grove__lmdb_fail_path(error_out, code, options->path);
    }
    code = grove__lmdb_open_tables(txn, options, 0, tables_out);
    if (code == MDB_NOTFOUND) {
        grove_status status = check_store(txn, options, error_out);
        mdb_txn_abort(txn);
        if (status == GROVE_OK && options->may_be_damaged) {
            status = grove__lmdb_fail(error_out, GROVE_CORRUPT,
                                      "'%s' lacks a table that every store has",
                                      grove__lmdb_path_tail(options->path));
        }
        if (status != GROVE_OK) {
            return status;
        }
        code = mdb_txn_begin(mdb, NULL, 0, &txn);
        if (code == 0) {
            code = grove__lmdb_open_tables(txn, options, MDB_CREATE, tables_out);
        } else {
            txn = NULL;
        }
    }
    if (code == 0) {
        code = grove__lmdb_txn_commit(txn);
    } else {
        mdb_txn_abort(txn);
    }
    return code == 0 ? GROVE_OK : grove__lmdb_fail_path(error_out, code, options->path);
}
