#include "memory_env.h"

#include <unistd.h>

#include "teacher.h"

enum { RESERVE_SHARE = 8, RESERVE_BYTES_MAX = 64 << 20 };

static void *allocate(const grove_allocator *allocator, size_t bytes)
{
    return allocator->allocate(allocator->context, bytes);
}

static size_t env_bytes(uint32_t table_count)
{
    return sizeof(grove_backend_env) + table_count * sizeof(size_t);
}

static grove_status fail_open(const grove_backend_options *options, grove_status status,
                              grove_error *error_out)
{
    if (status == GROVE_NONE) {
        return grove__teacher_fail(error_out, status, "nothing is at '%s' on this disk",
                                   options->path != NULL ? options->path : "");
    }
    if (status == GROVE_INVALID) {
        return grove__teacher_fail(error_out, status,
                                   "'%s' is open with another size limit, durability or "
                                   "set of tables (C11)",
                                   options->path != NULL ? options->path : "");
    }
    return grove__teacher_fail_heap(error_out, status);
}

grove_status grove__memory_open(const grove_backend_options *options,
                                grove_backend_env **env_out, grove_error *error_out)
{
    const grove_allocator *allocator = options->allocator;
    grove_status status = GROVE_NO_MEMORY;
    grove_memory_disk *own_disk = NULL;
    grove_memory_disk *disk = options->context;
    grove_backend_env *env = allocate(allocator, env_bytes(options->table_count));
    if (env == NULL) {
        goto out;
    }
    if (disk == NULL) {
        own_disk = grove_memory_disk_new(allocator);
        disk = own_disk;
    }
    if (disk == NULL) {
        goto out;
    }
    status = grove__volume_mount(disk, options, env->tables, &env->volume, &env->cuts);
    if (status != GROVE_OK) {
        goto out;
    }
    env->allocator = allocator;
    env->disk = disk;
    env->is_own_disk = own_disk != NULL;
    env->process = getpid();
    env->wait_ms_max = options->wait_ms_max;
    env->durability = options->durability;
    env->size_limit_bytes = options->size_limit_bytes;
    env->reserve_bytes = options->size_limit_bytes / RESERVE_SHARE;
    if (env->reserve_bytes > RESERVE_BYTES_MAX) {
        env->reserve_bytes = RESERVE_BYTES_MAX;
    }
    atomic_init(&env->txn_count, 0);
    env->table_count = options->table_count;
    *env_out = env;
    return GROVE_OK;

out:
    grove_memory_disk_free(own_disk);
    if (env != NULL) {
        allocator->deallocate(allocator->context, env, env_bytes(options->table_count));
    }
    return fail_open(options, status, error_out);
}

bool grove__memory_is_forked(const grove_backend_env *env)
{
    return env->process != getpid();
}

grove_status grove__memory_fail_forked(grove_error *error_out)
{
    return grove__teacher_fail(error_out, GROVE_FORKED,
                               "the environment was opened before a fork, by the "
                               "parent (C15)");
}

void grove__memory_close(grove_backend_env *env)
{
    const grove_allocator *allocator = env->allocator;
    if (grove__memory_is_forked(env)) {
        allocator->deallocate(allocator->context, env, env_bytes(env->table_count));
        return;
    }
    grove__teacher_insist(atomic_load(&env->txn_count) == 0,
                          "an environment is closed and a transaction is open (C11)");
    grove__volume_unmount(env->volume);
    if (env->is_own_disk) {
        grove_memory_disk_free(env->disk);
    }
    allocator->deallocate(allocator->context, env, env_bytes(env->table_count));
}

grove_status grove__memory_fail_volume(grove_error *error_out, grove_status status)
{
    switch (status) {
    case GROVE_IO:
        return grove__teacher_fail(error_out, status,
                                   "the power was cut after this environment was opened, "
                                   "or a sync was to fail");
    case GROVE_FAILED:
        return grove__teacher_fail(error_out, status,
                                   "an earlier sync failed; close the environment and "
                                   "open it again (C5)");
    default:
        return grove__teacher_fail_heap(error_out, status);
    }
}

grove_status grove__memory_sync(grove_backend_env *env, grove_error *error_out)
{
    if (grove__memory_is_forked(env)) {
        return grove__memory_fail_forked(error_out);
    }
    grove_status status = grove__volume_sync(env->volume, env->cuts);
    return status == GROVE_OK ? GROVE_OK : grove__memory_fail_volume(error_out, status);
}

grove_status grove__memory_statistics(grove_backend_env *env,
                                      grove_backend_statistics *statistics_out,
                                      grove_error *error_out)
{
    grove__volume_figures figures;
    if (grove__memory_is_forked(env)) {
        return grove__memory_fail_forked(error_out);
    }
    grove_status status = grove__volume_count(env->volume, env->cuts, &figures);
    if (status != GROVE_OK) {
        return grove__memory_fail_volume(error_out, status);
    }
    memset(statistics_out, 0, sizeof *statistics_out);
    statistics_out->page_bytes = GROVE__MEMORY_PAGE_BYTES;
    statistics_out->size_bytes = atomic_load(&env->volume->heap.bytes);
    statistics_out->size_limit_bytes = env->size_limit_bytes;
    statistics_out->reserve_bytes = env->reserve_bytes;
    statistics_out->writer_process = figures.has_writer ? (uint64_t)env->process : 0;
    statistics_out->writer_ms = figures.writer_ms;
    statistics_out->readers = figures.readers;
    for (uint32_t index = 0; index < figures.readers; index++) {
        if (figures.lags[index] > statistics_out->oldest_reader_lag) {
            statistics_out->oldest_reader_lag = figures.lags[index];
            statistics_out->oldest_reader_process = (uint64_t)env->process;
        }
    }
    statistics_out->readers_max = GROVE__VOLUME_READERS_MAX;
    statistics_out->entries = figures.entries;
    return GROVE_OK;
}

grove_status grove__memory_readers(grove_backend_env *env, grove_backend_reader_fn each,
                                   void *context, grove_error *error_out)
{
    grove__volume_figures figures;
    if (grove__memory_is_forked(env)) {
        return grove__memory_fail_forked(error_out);
    }
    grove_status status = grove__volume_count(env->volume, env->cuts, &figures);
    if (status != GROVE_OK) {
        return grove__memory_fail_volume(error_out, status);
    }
    bool goes_on = true;
    for (uint32_t index = 0; goes_on && index < figures.readers; index++) {
        grove_backend_reader reader = {(uint64_t)env->process, figures.lags[index]};
        goes_on = each(context, &reader);
    }
    return GROVE_OK;
}

grove_status grove__memory_identity(grove_backend_env *env,
                                    grove_backend_identity *identity_out,
                                    grove_error *error_out)
{
    if (grove__memory_is_forked(env)) {
        return grove__memory_fail_forked(error_out);
    }
    identity_out->place = env->volume->number;
    identity_out->boot = env->cuts + 1;
    return GROVE_OK;
}

/* There are no other processes that could leave anything behind. */
grove_status grove__memory_reclaim(grove_backend_env *env, grove_error *error_out)
{
    return grove__memory_is_forked(env) ? grove__memory_fail_forked(error_out) : GROVE_OK;
}

/* Nothing but the limit makes it full. */
grove_status grove__memory_grow(grove_backend_env *env, grove_error *error_out)
{
    return grove__memory_is_forked(env) ? grove__memory_fail_forked(error_out)
                                        : GROVE_NONE;
}

grove_status grove__memory_copy(grove_backend_env *env, const char *path, bool is_compact,
                                grove_error *error_out)
{
    (void)is_compact; /* there are no free pages */
    if (grove__memory_is_forked(env)) {
        return grove__memory_fail_forked(error_out);
    }
    grove_status status = grove__volume_copy(env->disk, env->volume, env->cuts, path);
    switch (status) {
    case GROVE_OK:
        return GROVE_OK;
    case GROVE_INVALID:
        return grove__teacher_fail(error_out, status,
                                   "something is at '%s' on this disk; a copy never "
                                   "replaces anything (C18)",
                                   path);
    default:
        return grove__memory_fail_volume(error_out, status);
    }
}

/* Pins */

grove_status grove__memory_pin_open(grove_backend_env *env, uint64_t name, uint64_t value,
                                    uint64_t *pin_out, grove_error *error_out)
{
    if (grove__memory_is_forked(env)) {
        return grove__memory_fail_forked(error_out);
    }
    (void)pthread_mutex_lock(&env->volume->mutex);
    uint64_t pin = grove__pins_open(&env->volume->pins, name, value);
    (void)pthread_mutex_unlock(&env->volume->mutex);
    if (pin == 0) {
        return grove__teacher_fail_heap(error_out, GROVE_NO_MEMORY);
    }
    *pin_out = pin;
    return GROVE_OK;
}

void grove__memory_pin_move(grove_backend_env *env, uint64_t pin, uint64_t value)
{
    if (!grove__memory_is_forked(env)) {
        (void)pthread_mutex_lock(&env->volume->mutex);
        grove__pins_move(&env->volume->pins, pin, value);
        (void)pthread_mutex_unlock(&env->volume->mutex);
    }
}

void grove__memory_pin_close(grove_backend_env *env, uint64_t pin)
{
    if (!grove__memory_is_forked(env)) {
        (void)pthread_mutex_lock(&env->volume->mutex);
        grove__pins_close(&env->volume->pins, pin);
        (void)pthread_mutex_unlock(&env->volume->mutex);
    }
}

uint64_t grove__memory_pin_least(grove_backend_env *env, uint64_t name)
{
    if (grove__memory_is_forked(env)) {
        return UINT64_MAX; /* the mutex is the parent's */
    }
    (void)pthread_mutex_lock(&env->volume->mutex);
    uint64_t least = grove__pins_least(&env->volume->pins, name);
    (void)pthread_mutex_unlock(&env->volume->mutex);
    return least;
}

/* Watches */

static grove_status fail_watch(grove_status status, grove_error *error_out)
{
    switch (status) {
    case GROVE_BUSY:
        return grove__teacher_fail(error_out, status,
                                   "the process has no descriptors left to watch with");
    case GROVE_NONE:
        return grove__teacher_fail(error_out, status, "no commit in this time");
    default:
        return grove__memory_fail_volume(error_out, status);
    }
}

grove_status grove__memory_watch_open(grove_backend_env *env,
                                      grove_backend_watch **watch_out,
                                      grove_error *error_out)
{
    if (grove__memory_is_forked(env)) {
        return grove__memory_fail_forked(error_out);
    }
    grove_status status = grove__memory_bell_watch(&env->volume->bell, env->allocator,
                                                   env->cuts, watch_out);
    return status == GROVE_OK ? GROVE_OK : fail_watch(status, error_out);
}

grove_status grove__memory_watch_wait(grove_backend_watch *watch, uint32_t wait_ms_max,
                                      grove_error *error_out)
{
    if (grove__memory_bell_process(watch) != getpid()) {
        return grove__memory_fail_forked(error_out);
    }
    grove_status status = grove__memory_bell_wait(watch, wait_ms_max);
    return status == GROVE_OK ? GROVE_OK : fail_watch(status, error_out);
}

void grove__memory_watch_close(grove_backend_watch *watch)
{
    grove__memory_bell_close(watch, grove__memory_bell_process(watch) != getpid());
}
