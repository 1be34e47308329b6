#include "lmdb_env.h"

#include <errno.h>

#include "lmdb_create.h"
#include "lmdb_error.h"
#include "lmdb_file.h"
#include "lmdb_place.h"

/* Makes what is missing, and looks at what is there. */
static grove_status create_and_check(const grove_backend_options *options,
                                     const char *data_path, grove_error *error_out)
{
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
    return status;
}

static grove_status open_at(const grove_backend_options *options,
                            grove__lmdb_shared **shared_out, grove_error *error_out)
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
    grove_status status = create_and_check(options, data_path, error_out);
    if (status == GROVE_OK) {
        status = grove__lmdb_shared_open(options, data_path, shared_out, error_out);
    }
    grove__lmdb_return(options->allocator, data_path, data_path_bytes);
    return status;
}

grove_status grove__lmdb_fail_forked(grove_error *error_out)
{
    return grove__lmdb_fail(error_out, GROVE_FORKED,
                            "the store was opened before a fork, by the parent; open it "
                            "again in this process");
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
    grove_status status = GROVE_OK;
    if (!options->may_be_remote) {
        status = grove__lmdb_place_check(options->path, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove_backend_env *env = grove__lmdb_take(options->allocator, sizeof *env);
    if (env == NULL) {
        return grove__lmdb_fail_path(error_out, ENOMEM, options->path);
    }
    env->allocator = options->allocator;
    atomic_init(&env->idle, NULL);
    env->generation = grove__lmdb_generation();
    env->wait_ms_max = options->wait_ms_max;
    env->directory_mode = options->directory_mode;
    env->file_mode = options->file_mode;
    status = open_at(options, &env->shared, error_out);
    if (status != GROVE_OK) {
        grove__lmdb_return(options->allocator, env, sizeof *env);
        return status;
    }
    *env_out = env;
    return GROVE_OK;
}
