/* Backups: a copy by the backend, and a look into it. */
#include <grove/backup.h>

#include "base/error.h"
#include "commit/commit.h"
#include "commit/store.h"
#include "store/identity.h"

/* As much of a store as it takes to read from the copy. */
static void init_copy(grove_store *copy, const grove_store *store)
{
    memset(copy, 0, sizeof *copy);
    copy->under = store->under;
    copy->allocator = store->allocator;
    copy->clock = store->clock;
    copy->random = store->random;
    grove__commit_queue_init(&copy->queue);
}

/* What the copy holds; and the mark of a mode that may lose commits goes. */
static grove_status look_into(grove_store *store, const char *path,
                              grove_backup_result *result, grove_error *error_out)
{
    grove_store copy;
    grove_backend_options options = store->backend_options;
    options.path = path;
    options.durability = GROVE_DURABILITY_FULL;
    options.must_exist = true;
    init_copy(&copy, store);
    grove_status status =
        grove__kv_open(store->kv.backend, &options, &copy.kv, error_out);
    if (status == GROVE_OK) {
        grove_backend_statistics statistics;
        status = grove__identity_clear(&copy, error_out);
        if (status == GROVE_OK) {
            status = grove_store_commit(&copy, &result->commit, error_out);
        }
        if (status == GROVE_OK) {
            status = grove__kv_statistics(&copy.kv, &statistics, error_out);
        }
        if (status == GROVE_OK) {
            result->bytes = statistics.size_bytes;
        }
        grove__kv_close(&copy.kv);
    }
    grove__commit_queue_release(&copy.queue);
    return status;
}

grove_status grove_store_backup(grove_store *store, const char *path,
                                const grove_backup_options *options,
                                grove_backup_result *result_out, grove_error *error_out)
{
    grove_backup_options complete = GROVE_BACKUP_OPTIONS_INIT;
    if (options != NULL && options->size == sizeof complete) {
        complete = *options;
    } else if (options != NULL) {
        return grove__fail(error_out, GROVE_INVALID,
                           "grove_backup_options: initialize it with "
                           "GROVE_BACKUP_OPTIONS_INIT");
    }
    if (path == NULL || path[0] == '\0') {
        return grove__fail(error_out, GROVE_INVALID, "the path is empty");
    }
    grove_backup_result result = {0, 0};
    grove_status status =
        grove__kv_copy(&store->kv, path, complete.is_compact, error_out);
    if (status == GROVE_OK) {
        status = look_into(store, path, &result, error_out);
    }
    if (status == GROVE_OK && result_out != NULL) {
        *result_out = result;
    }
    return status;
}
