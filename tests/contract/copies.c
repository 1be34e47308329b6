/* C18: copies, and what they are known by. */
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>

#include "check.h"

/* A copy's path, below the check's place. */
typedef struct copy_path {
    char text[GROVE_CONTRACT_PATH_BYTES_MAX + 32];
} copy_path;

static copy_path path_of_copy(const grove__check *check, uint64_t number)
{
    copy_path path;
    (void)snprintf(path.text, sizeof path.text, "%s/copy %llu", check->place.path,
                   (unsigned long long)number);
    return path;
}

static void copy_to(grove__check *check, const copy_path *path, bool is_compact)
{
    if (!grove__check_has_failed(check)) {
        grove__check_status(check, grove__check_try_copy(check, path->text, is_compact),
                            GROVE_OK, "copy");
    }
}

/* The environment at the path becomes check->env, which goes to *env_out. */
static bool enter_copy(grove__check *check, const copy_path *path,
                       grove_backend_env **env_out)
{
    grove_backend_options options = grove__check_options(check);
    options.path = path->text;
    options.must_exist = true;
    if (!grove__check_has_failed(check)) {
        grove__check_status(check, grove__check_try_open(check, &options, env_out),
                            GROVE_OK, "open of a copy");
    }
    if (grove__check_has_failed(check)) {
        return false;
    }
    grove__check_swap(check, env_out);
    return true;
}

static void leave_copy(grove__check *check, grove_backend_env **env)
{
    grove__check_swap(check, env);
    check->backend->close(*env);
    *env = NULL;
}

static grove_backend_identity identity_of(grove__check *check)
{
    grove_backend_identity identity = {0, 0};
    grove_error error = {.status = GROVE_OK};
    if (!grove__check_has_failed(check)) {
        grove__check_status(check,
                            check->backend->identity(check->env, &identity, &error),
                            GROVE_OK, "identity");
    }
    return identity;
}

static void check_copy_holds_the_last_commit(grove__check *check)
{
    enum { STATES = 40 };
    grove_backend_env *env = NULL;
    grove__check_open(check, NULL);
    for (uint64_t number = 1; number <= STATES; number++) {
        grove__check_save_state(check, number);
    }
    grove__check_txn reader = grove__check_begin(check, GROVE_TXN_READ);
    for (uint64_t compact = 0; compact < 2; compact++) {
        copy_path path = path_of_copy(check, compact);
        copy_to(check, &path, compact != 0);
        grove__check_save_state(check, STATES + 1 + compact);
        if (enter_copy(check, &path, &env)) {
            (void)grove__check_state(check, STATES + compact, STATES + compact);
            grove__check_save(check, 1, grove_bytes_of("own"), grove_bytes_of("copy's"));
            grove__check_finds(check, 1, grove_bytes_of("own"), grove_bytes_of("copy's"));
            leave_copy(check, &env);
        }
        grove__check_misses(check, 1, grove_bytes_of("own"));
    }
    grove__check_abort(&reader);
    (void)grove__check_state(check, STATES + 2, STATES + 2);
}

static void check_copy_of_nothing(grove__check *check)
{
    grove_backend_env *env = NULL;
    copy_path path = path_of_copy(check, 0);
    grove__check_open(check, NULL);
    copy_to(check, &path, false);
    if (enter_copy(check, &path, &env)) {
        grove__check_misses(check, 0, grove_bytes_of("number"));
        grove__check_save_state(check, 1);
        leave_copy(check, &env);
    }
}

/* During one copy, which keeps what it copies: where it is slow, one who goes
 * on for ever fills the environment. */
enum { STATES_A_COPY = 500 };

typedef struct copied_writer {
    grove__check *check;
    atomic_bool is_over;
    atomic_uint_fast64_t done; /* the last state that was committed */
    atomic_uint_fast64_t last; /* the last one that may be */
} copied_writer;

static void *write_on(void *argument)
{
    copied_writer *self = argument;
    uint64_t number = 1;
    while (!atomic_load(&self->is_over) && !grove__check_has_failed(self->check)) {
        if (number == atomic_load(&self->last)) {
            (void)sched_yield();
            continue;
        }
        grove__check_save_state(self->check, ++number);
        atomic_store(&self->done, number);
    }
    return NULL;
}

static void check_copy_is_of_one_commit(grove__check *check)
{
    enum { COPIES = 6 };
    pthread_t thread;
    copied_writer writer = {.check = check};
    uint64_t least[COPIES] = {0};
    uint64_t most[COPIES] = {0};
    grove_backend_env *env = NULL;
    atomic_init(&writer.is_over, false);
    atomic_init(&writer.done, 1);
    atomic_init(&writer.last, 1);
    grove__check_open(check, NULL);
    grove__check_save_state(check, 1);
    if (grove__check_has_failed(check) ||
        pthread_create(&thread, NULL, write_on, &writer) != 0) {
        grove__check_that(check, false, "a thread could not be started");
        return;
    }
    for (uint64_t number = 0; number < COPIES; number++) {
        copy_path path = path_of_copy(check, number);
        least[number] = atomic_load(&writer.done);
        atomic_store(&writer.last, least[number] + STATES_A_COPY);
        copy_to(check, &path, number % 2 != 0);
        /* One that is committed may not be known as done yet. */
        most[number] = atomic_load(&writer.done) + 1;
    }
    atomic_store(&writer.is_over, true);
    (void)pthread_join(thread, NULL);
    for (uint64_t number = 0; number < COPIES; number++) {
        copy_path path = path_of_copy(check, number);
        if (enter_copy(check, &path, &env)) {
            (void)grove__check_state(check, least[number], most[number]);
            leave_copy(check, &env);
        }
    }
}

static void check_copy_replaces_nothing(grove__check *check)
{
    grove_backend_env *env = NULL;
    copy_path path = path_of_copy(check, 0);
    grove__check_open(check, NULL);
    grove__check_save_state(check, 1);
    copy_to(check, &path, false);
    grove__check_save_state(check, 2);
    for (int is_compact = 0; is_compact < 2 && !grove__check_has_failed(check);
         is_compact++) {
        grove__check_status(check,
                            grove__check_try_copy(check, path.text, is_compact != 0),
                            GROVE_INVALID, "copy to where a copy is");
        grove__check_status(
            check, grove__check_try_copy(check, check->place.path, is_compact != 0),
            GROVE_INVALID, "copy of an environment to its own path");
    }
    if (enter_copy(check, &path, &env)) {
        (void)grove__check_state(check, 1, 1);
        leave_copy(check, &env);
    }
    (void)grove__check_state(check, 2, 2);
}

static void check_failed_copy_leaves_nothing(grove__check *check)
{
    copy_path path = path_of_copy(check, 0);
    bool has_failed = true;
    grove__check_open(check, NULL);
    grove__check_save_state(check, 1);
    for (size_t nth = 1; has_failed && !grove__check_has_failed(check); nth++) {
        atomic_store(&check->allocator.has_failed, false);
        atomic_store(&check->allocator.fails_at,
                     atomic_load(&check->allocator.calls) + nth);
        grove_status status = grove__check_try_copy(check, path.text, false);
        atomic_store(&check->allocator.fails_at, 0);
        has_failed = atomic_load(&check->allocator.has_failed);
        if (status == GROVE_OK) {
            break;
        }
        grove__check_that(check, has_failed && status == GROVE_NO_MEMORY, "copy gave %s",
                          grove_status_name(status));
        grove_backend_options options = grove__check_options(check);
        grove_backend_env *env = NULL;
        struct stat about;
        options.path = path.text;
        options.must_exist = true;
        grove__check_status(check, grove__check_try_open(check, &options, &env),
                            GROVE_NONE, "open of a copy that was not made");
        grove__check_that(check, lstat(path.text, &about) != 0,
                          "a failed copy left something at its path");
        if (env != NULL) {
            check->backend->close(env);
        }
    }
    if (!grove__check_has_failed(check)) {
        grove_backend_env *env = NULL;
        if (enter_copy(check, &path, &env)) {
            (void)grove__check_state(check, 1, 1);
            leave_copy(check, &env);
        }
    }
}

static void check_copy_survives_a_power_cut(grove__check *check)
{
    copy_path path = path_of_copy(check, 0);
    grove_backend_env *env = NULL;
    grove__check_open(check, NULL);
    grove__check_save_state(check, 1);
    copy_to(check, &path, false);
    if (grove__check_has_failed(check)) {
        return;
    }
    if (!check->options->power_cut(check->options->context, &check->place)) {
        grove__check_skip(check, "no power cut can be played here");
        return;
    }
    if (enter_copy(check, &path, &env)) {
        (void)grove__check_state(check, 1, 1);
        leave_copy(check, &env);
    }
}

static void check_copies_are_told_apart(grove__check *check)
{
    copy_path path = path_of_copy(check, 0);
    grove_backend_env *env = NULL;
    grove__check_open(check, NULL);
    grove_backend_identity identity = identity_of(check);
    grove__check_save_state(check, 1);
    copy_to(check, &path, false);
    if (enter_copy(check, &path, &env)) {
        grove_backend_identity other = identity_of(check);
        grove__check_that(check, other.place != identity.place,
                          "a copy has the place of what it is a copy of");
        leave_copy(check, &env);
    }
    grove__check_reopen(check, NULL);
    grove_backend_identity again = identity_of(check);
    grove__check_that(check, again.place == identity.place && again.boot == identity.boot,
                      "the identity is another after opening again");
    if (!grove__check_has_failed(check) &&
        check->options->power_cut(check->options->context, &check->place)) {
        grove__check_reopen(check, NULL);
        again = identity_of(check);
        grove__check_that(check, again.boot != identity.boot,
                          "the identity does not tell of a power cut");
    }
}

const grove__check_case grove__contract_copies[] = {
    {18, "a copy holds the last commit, and is apart", check_copy_holds_the_last_commit},
    {18, "what holds nothing can be copied", check_copy_of_nothing},
    {18, "a copy that is made while others write is of one commit",
     check_copy_is_of_one_commit},
    {18, "a copy replaces nothing", check_copy_replaces_nothing},
    {18, "a copy that fails leaves nothing", check_failed_copy_leaves_nothing},
    {18, "a copy survives a power cut", check_copy_survives_a_power_cut},
    {18, "an environment is known again, and a copy is another",
     check_copies_are_told_apart},
    {0, NULL, NULL},
};
