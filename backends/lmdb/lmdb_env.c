#include "lmdb_env.h"

#include <errno.h>
#include <unistd.h>

#include "lmdb_create.h"
#include "lmdb_error.h"
#include "lmdb_file.h"

enum { READERS_MAX = 1024 };

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
        code = grove__lmdb_txn_commit(txn);
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
    if (status == GROVE_OK && mdb_env_get_maxkeysize(env->mdb) < LMDB_KEY_BYTES_MAX) {
        status = grove__lmdb_fail(error_out, GROVE_UNSUPPORTED,
                                  "this build of LMDB allows keys of %d bytes only; %d "
                                  "are needed",
                                  mdb_env_get_maxkeysize(env->mdb), LMDB_KEY_BYTES_MAX);
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
    char *data_path = grove__lmdb_take(options->allocator, data_path_bytes);
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
    grove__lmdb_return(options->allocator, data_path, data_path_bytes);
    return status;
}

grove_status grove__lmdb_env_open(const grove_backend_options *options,
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
    size_t bytes = grove__lmdb_env_bytes(options->table_count);
    grove_backend_env *env = grove__lmdb_take(options->allocator, bytes);
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
        grove__lmdb_return(options->allocator, env, bytes);
        return status;
    }
    *env_out = env;
    return GROVE_OK;
}
