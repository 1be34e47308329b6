#include "check.h"

#include <stdarg.h>
#include <stdio.h>

#include "watch.h"

static const char *const TABLE_NAMES[GROVE__CHECK_TABLES] = {"a", "b", "c"};

/* Expectations */

__attribute__((format(printf, 3, 0))) static void keep_failure(grove__check *check,
                                                               unsigned clause,
                                                               const char *format,
                                                               va_list arguments)
{
    (void)pthread_mutex_lock(&check->mutex);
    if (!atomic_load(&check->has_failed)) {
        check->broken_clause = clause;
        (void)vsnprintf(check->message, sizeof check->message, format, arguments);
        atomic_store(&check->has_failed, true);
    }
    (void)pthread_mutex_unlock(&check->mutex);
}

void grove__check_that(grove__check *check, bool holds, const char *format, ...)
{
    va_list arguments;
    if (!holds) {
        va_start(arguments, format);
        keep_failure(check, check->clause, format, arguments);
        va_end(arguments);
    }
}

void grove__check_clause(grove__check *check, unsigned clause, bool holds,
                         const char *format, ...)
{
    va_list arguments;
    if (!holds) {
        va_start(arguments, format);
        keep_failure(check, clause, format, arguments);
        va_end(arguments);
    }
}

void grove__check_status(grove__check *check, grove_status status, grove_status wanted,
                         const char *doing)
{
    grove__check_that(check, status == wanted, "%s gave %s, not %s", doing,
                      grove_status_name(status), grove_status_name(wanted));
}

void grove__check_skip(grove__check *check, const char *why)
{
    check->is_skipped = true;
    (void)snprintf(check->message, sizeof check->message, "%s", why);
}

bool grove__check_has_failed(const grove__check *check)
{
    return atomic_load(&check->has_failed);
}

/* Environments */

grove_backend_options grove__check_options(grove__check *check)
{
    grove_backend_options options;
    memset(&options, 0, sizeof options);
    options.path = check->place.path;
    options.context = check->place.context;
    options.table_names = TABLE_NAMES;
    options.table_count = GROVE__CHECK_TABLES;
    options.directory_mode = 0700;
    options.file_mode = 0600;
    options.size_limit_bytes = UINT64_C(64) << 20;
    options.wait_ms_max = 60000;
    options.durability = GROVE_DURABILITY_NONE;
    options.must_exist = false;
    options.allocator = &check->allocator.table;
    return options;
}

grove_status grove__check_try_open(grove__check *check,
                                   const grove_backend_options *options,
                                   grove_backend_env **env_out)
{
    grove_error error;
    grove__watch_init(&error);
    grove_backend_options *lent = grove__check_memory(sizeof *lent);
    char **names = grove__check_memory(options->table_count * sizeof *names);
    char *path = grove__watch_lend_string(options->path);
    *lent = *options;
    for (uint32_t index = 0; index < options->table_count; index++) {
        names[index] = grove__watch_lend_string(options->table_names[index]);
    }
    lent->path = path;
    lent->table_names = (const char *const *)names;

    void *untouched = check;
    grove_backend_env *env = untouched;
    grove_status status = check->backend->open(lent, &env, &error);

    for (uint32_t index = 0; index < options->table_count; index++) {
        grove__watch_scribble(check, names[index],
                              strlen(options->table_names[index]) + 1);
    }
    grove__watch_scribble(check, names, options->table_count * sizeof *names);
    grove__watch_scribble(check, path, strlen(options->path) + 1);
    grove__watch_scribble(check, lent, sizeof *lent);
    grove__watch_error(check, status, &error, "open");
    grove__watch_pointer(check, status, env, untouched, "open");
    if (status == GROVE_OK) {
        *env_out = env;
    }
    return status;
}

void grove__check_open(grove__check *check, const grove_backend_options *options)
{
    grove_backend_options defaults = grove__check_options(check);
    if (grove__check_has_failed(check)) {
        return;
    }
    grove_status status =
        grove__check_try_open(check, options != NULL ? options : &defaults, &check->env);
    grove__check_status(check, status, GROVE_OK, "open");
}

void grove__check_close(grove__check *check)
{
    if (check->env != NULL) {
        check->backend->close(check->env);
        check->env = NULL;
    }
}

void grove__check_reopen(grove__check *check, const grove_backend_options *options)
{
    grove__check_close(check);
    grove__check_open(check, options);
}

grove_status grove__check_try_sync(grove__check *check)
{
    grove_error error;
    grove__watch_init(&error);
    grove_status status = check->backend->sync(check->env, &error);
    grove__watch_error(check, status, &error, "sync");
    return status;
}

void grove__check_sync(grove__check *check)
{
    if (!grove__check_has_failed(check)) {
        grove__check_status(check, grove__check_try_sync(check), GROVE_OK, "sync");
    }
}

void grove__check_swap(grove__check *check, grove_backend_env **env)
{
    grove_backend_env *other = check->env;
    check->env = *env;
    *env = other;
}

grove_backend_statistics grove__check_statistics(grove__check *check)
{
    grove_backend_statistics statistics;
    memset(&statistics, 0, sizeof statistics);
    if (!grove__check_has_failed(check)) {
        grove_error error;
        grove__watch_init(&error);
        grove_status status = check->backend->statistics(check->env, &statistics, &error);
        grove__watch_error(check, status, &error, "statistics");
        grove__check_status(check, status, GROVE_OK, "statistics");
    }
    return statistics;
}

static bool make_place(grove__check *check)
{
    memset(&check->place, 0, sizeof check->place);
    check->has_place = check->options->place_make(check->options->context, &check->place);
    return check->has_place;
}

static void remove_place(grove__check *check)
{
    if (check->has_place) {
        check->options->place_remove(check->options->context, &check->place);
        check->has_place = false;
    }
}

void grove__check_move(grove__check *check)
{
    remove_place(check);
    grove__check_that(check, make_place(check), "there is no place for an environment");
}

/* Running one */

static void finish(grove__check *check)
{
    grove__check_close(check);
    grove__check_clause(check, 11, atomic_load(&check->allocator.bytes) == 0,
                        "after close %zu bytes are not given back to the allocator",
                        atomic_load(&check->allocator.bytes));
    grove__check_clause(check, 11, !atomic_load(&check->allocator.has_wrong_size),
                        "memory was given back with another size");
    remove_place(check);
    grove__watch_finish(check);
}

void grove__check_run(grove__check *check, const grove_contract_options *options,
                      const grove__check_case *check_case,
                      grove_contract_result *result_out)
{
    memset(check, 0, sizeof *check);
    check->options = options;
    check->backend = options->backend;
    check->clause = check_case->clause;
    check->broken_clause = check_case->clause;
    atomic_init(&check->has_failed, false);
    grove__check_allocator_init(&check->allocator);
    (void)pthread_mutex_init(&check->mutex, NULL);
    if (make_place(check)) {
        check_case->run(check);
        finish(check);
    } else {
        grove__check_that(check, false, "there is no place for an environment");
    }
    (void)pthread_mutex_destroy(&check->mutex);
    result_out->name = check_case->name;
    result_out->clause = check->broken_clause;
    result_out->outcome = grove__check_has_failed(check) ? GROVE_CONTRACT_FAILED
                          : check->is_skipped            ? GROVE_CONTRACT_SKIPPED
                                                         : GROVE_CONTRACT_PASSED;
    result_out->message = check->message;
}
