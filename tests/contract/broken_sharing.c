#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "broken_inner.h"

struct grove_backend_watch {
    grove_backend_env *env;
    grove_backend_watch *watch;
    int ends[2]; /* a pipe with a byte in it, and one without */
    int silent[2];
    unsigned commits_seen;
    bool has_told;
};

static void wait_a_little(void)
{
    struct timespec time = {0, 5000000};
    (void)nanosleep(&time, NULL);
}

bool broken_is_forked(const grove_backend_env *env)
{
    return env->fault != BROKEN_IS_NEVER_FORKED && env->under->is_forked(env->env);
}

/* Turns */

grove_status broken_begin_writer(grove_backend_env *env, grove_txn_mode mode,
                                 grove_backend_txn **txn_out, grove_error *error_out)
{
    broken_tickets *tickets = env->place->tickets;
    grove_status status;
    if (env->fault == BROKEN_TICKETS_ARE_FINAL) {
        unsigned ticket = atomic_fetch_add(&tickets->next, 1);
        for (uint32_t waited = 0; atomic_load(&tickets->serving) != ticket; waited += 5) {
            if (waited > env->options.wait_ms_max) {
                return broken_refuse(error_out, GROVE_BUSY);
            }
            wait_a_little();
        }
        return env->under->begin(env->env, mode, txn_out, error_out);
    }
    /* What is under does not wait. */
    status = env->under->begin(env->env, mode, txn_out, error_out);
    for (uint32_t waited = 0; status == GROVE_BUSY && waited < env->options.wait_ms_max;
         waited += 5) {
        wait_a_little();
        status = env->under->begin(env->env, mode, txn_out, error_out);
    }
    return status;
}

void broken_end_turn(grove_backend_env *env)
{
    if (env->fault == BROKEN_TICKETS_ARE_FINAL) {
        (void)atomic_fetch_add(&env->place->tickets->serving, 1);
    }
}

/* Readers, identity */

typedef struct reader_filter {
    broken_fault fault;
    grove_backend_reader_fn each;
    void *context;
} reader_filter;

static bool filter_reader(void *context, const grove_backend_reader *reader)
{
    const reader_filter *filter = context;
    grove_backend_reader changed = *reader;
    if (filter->fault == BROKEN_READERS_HAVE_NO_LAG) {
        changed.lag = 0;
    } else if (filter->fault == BROKEN_READERS_ARE_OURS) {
        changed.process = (uint64_t)getpid();
    }
    return filter->fault == BROKEN_LISTS_NO_READERS ||
           filter->each(filter->context, &changed);
}

grove_status broken_readers(grove_backend_env *env, grove_backend_reader_fn each,
                            void *context, grove_error *error_out)
{
    reader_filter filter = {env->fault, each, context};
    return env->under->readers(env->env, filter_reader, &filter, error_out);
}

grove_status broken_identity(grove_backend_env *env, grove_backend_identity *identity_out,
                             grove_error *error_out)
{
    grove_status status = env->under->identity(env->env, identity_out, error_out);
    if (status == GROVE_OK && env->fault == BROKEN_COPY_IS_THE_ORIGINAL) {
        identity_out->place = 1;
    } else if (status == GROVE_OK && env->fault == BROKEN_BOOT_IS_FOR_EVER) {
        identity_out->boot = 1;
    }
    return status;
}

grove_status broken_reclaim(grove_backend_env *env, grove_error *error_out)
{
    if (env->fault == BROKEN_RECLAIM_DOES_NOTHING) {
        return GROVE_OK;
    }
    return env->under->reclaim(env->env, error_out);
}

grove_status broken_grow(grove_backend_env *env, grove_error *error_out)
{
    return env->under->grow(env->env, error_out);
}

/* Copies */

/* Opens the copy as it is not to be, and changes it. */
static grove_status spoil_copy(const grove_backend_env *env, const char *path)
{
    static const char *const names[] = {"a", "b", "c"};
    grove_backend_env *copy;
    grove_backend_txn *txn;
    uint8_t *room;
    grove_backend_options options = env->options;
    options.path = path;
    options.context = env->place->under_context;
    options.table_names = names;
    options.table_count = 3;
    options.allocator = env->allocator;
    options.durability = GROVE_DURABILITY_NONE;
    grove_status status = env->under->open(&options, &copy, NULL);
    if (status != GROVE_OK) {
        return status;
    }
    if (env->under->begin(copy, GROVE_TXN_WRITE, &txn, NULL) != GROVE_OK ||
        env->under->put(txn, 1, grove_bytes_of("number"), 8, &room, NULL) != GROVE_OK) {
        abort();
    }
    memset(room, 0, 8);
    room[7] = 77;
    status = env->under->commit(txn, NULL);
    env->under->close(copy);
    return status;
}

grove_status broken_copy(grove_backend_env *env, const char *path, bool is_compact,
                         grove_error *error_out)
{
    if (env->fault == BROKEN_COPY_DOES_NOTHING) {
        return GROVE_OK;
    }
    if (env->fault == BROKEN_COPY_IS_NOT_DURABLE) {
        return spoil_copy(env, path);
    }
    grove_status status = env->under->copy(env->env, path, is_compact, error_out);
    if (status == GROVE_OK && env->fault == BROKEN_COPY_IS_OF_TWO_COMMITS) {
        status = spoil_copy(env, path);
    } else if (status == GROVE_INVALID && env->fault == BROKEN_COPY_REPLACES) {
        status = GROVE_OK;
    } else if (status == GROVE_NO_MEMORY && env->fault == BROKEN_COPY_LEAVES_HALF) {
        (void)!spoil_copy(env, path);
    }
    return status;
}

/* Pins */

static uint64_t change_name(const grove_backend_env *env, uint64_t name)
{
    switch (env->fault) {
    case BROKEN_PINS_HAVE_ONE_NAME:
        return 0;
    case BROKEN_PINS_ARE_OF_THE_HANDLE:
        return name ^ (uintptr_t)env;
    case BROKEN_PINS_ARE_OF_THE_PROCESS:
        return name ^ (uint64_t)env->process << 32;
    default:
        return name;
    }
}

grove_status broken_pin_open(grove_backend_env *env, uint64_t name, uint64_t value,
                             uint64_t *pin_out, grove_error *error_out)
{
    enum { FEW = 100 };
    if (env->fault == BROKEN_PINS_ARE_FEW && atomic_fetch_add(&env->pins, 1) >= FEW) {
        return broken_refuse(error_out, GROVE_LIMIT);
    }
    return env->under->pin_open(env->env, change_name(env, name), value, pin_out,
                                error_out);
}

void broken_pin_move(grove_backend_env *env, uint64_t pin, uint64_t value)
{
    if (env->fault != BROKEN_PINS_DO_NOT_MOVE) {
        env->under->pin_move(env->env, pin, value);
    }
}

void broken_pin_close(grove_backend_env *env, uint64_t pin)
{
    if (env->fault != BROKEN_PINS_STAY) {
        env->under->pin_close(env->env, pin);
    }
}

uint64_t broken_pin_least(grove_backend_env *env, uint64_t name)
{
    return env->under->pin_least(env->env, change_name(env, name));
}

/* Watches */

/* Whether there was a commit of the kind that a fault hears of. */
static bool hears(grove_backend_watch *watch)
{
    broken_fault fault = watch->env->fault;
    if (fault == BROKEN_WATCH_HEARS_ITS_HANDLE ||
        fault == BROKEN_WATCH_HEARS_ITS_PROCESS) {
        unsigned commits = atomic_load(fault == BROKEN_WATCH_HEARS_ITS_HANDLE
                                           ? &watch->env->commits
                                           : &watch->env->place->commits);
        bool is_new = commits != watch->commits_seen;
        watch->commits_seen = commits;
        return is_new;
    }
    return fault != BROKEN_WATCH_IS_DEAF;
}

grove_status broken_watch_open(grove_backend_env *env, grove_backend_watch **watch_out,
                               grove_error *error_out)
{
    grove_backend_watch *inner;
    grove_status status = env->under->watch_open(env->env, &inner, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_backend_watch *watch = broken_allocate(sizeof *watch);
    if (pipe(watch->ends) != 0 || pipe(watch->silent) != 0 ||
        write(watch->ends[1], "", 1) != 1) {
        abort();
    }
    watch->env = env;
    watch->watch = inner;
    (void)hears(watch);
    *watch_out = watch;
    return GROVE_OK;
}

grove_status broken_watch_wait(grove_backend_watch *watch, uint32_t wait_ms_max,
                               grove_error *error_out)
{
    grove_backend_env *env = watch->env;
    if (env->fault == BROKEN_CHILD_WATCHES && env->process != getpid()) {
        return GROVE_NONE;
    }
    grove_status status = env->under->watch_wait(watch->watch, wait_ms_max, error_out);
    if (status == GROVE_NONE && env->fault == BROKEN_WATCH_TELLS_OF_ABORTS) {
        /* Whatever it was. */
        return GROVE_OK;
    }
    if (env->fault == BROKEN_WATCH_TELLS_TWICE) {
        bool has_told = watch->has_told;
        watch->has_told = status == GROVE_OK;
        return has_told ? GROVE_OK : status;
    }
    return status == GROVE_OK && !hears(watch) ? GROVE_NONE : status;
}

int broken_watch_descriptor(const grove_backend_watch *watch)
{
    switch (watch->env->fault) {
    case BROKEN_WATCH_STAYS_READABLE:
        return watch->ends[0];
    case BROKEN_WATCH_IS_SILENT:
        return watch->silent[0];
    default:
        return watch->env->under->watch_descriptor(watch->watch);
    }
}

void broken_watch_close(grove_backend_watch *watch)
{
    watch->env->under->watch_close(watch->watch);
    for (int end = 0; end < 2; end++) {
        (void)close(watch->ends[end]);
        (void)close(watch->silent[end]);
    }
    free(watch);
}
