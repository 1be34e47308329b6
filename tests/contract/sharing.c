/* What the threads and handles of a process share. C11: a path that is open
 * several times. C13: readers. C16: watches. C17: pins. */
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

enum { TOLD_MS_MAX = 5000 };

/* C11 */

static void check_path_is_open_twice(grove__check *check)
{
    grove_backend_options options = grove__check_options(check);
    grove_backend_env *other = NULL;
    grove__check_open(check, &options);
    grove__check_save_state(check, 1);
    options.wait_ms_max /= 2;
    if (!grove__check_has_failed(check)) {
        grove__check_status(check, grove__check_try_open(check, &options, &other),
                            GROVE_OK, "a second open of a path");
    }
    if (grove__check_has_failed(check)) {
        return;
    }
    grove__check_swap(check, &other);
    (void)grove__check_state(check, 1, 1);
    grove__check_save_state(check, 2);
    grove__check_swap(check, &other);
    (void)grove__check_state(check, 2, 2);
    grove__check_save_state(check, 3);
    grove__check_swap(check, &other);
    (void)grove__check_state(check, 3, 3);
    grove__check_swap(check, &other);
    check->backend->close(other);
    (void)grove__check_state(check, 3, 3);
}

/* What a closed handle took from the others shows when pages are used again. */
static void check_closing_one_leaves_the_other(grove__check *check)
{
    grove_backend_options options = grove__check_options(check);
    grove_backend_env *other = NULL;
    uint64_t number = 1;
    grove__check_open(check, &options);
    grove__check_save_state(check, number);
    if (!grove__check_has_failed(check)) {
        grove__check_status(check, grove__check_try_open(check, &options, &other),
                            GROVE_OK, "a second open of a path");
    }
    grove__check_txn reader = grove__check_begin(check, GROVE_TXN_READ);
    uint64_t pin = grove__check_pin_open(check, 1, 1);
    if (other != NULL) {
        check->backend->close(other);
    }
    uint8_t bytes[8];
    for (int again = 0; again < 30; again++) {
        grove__check_save_state(check, ++number);
        grove__check_holds(&reader, 0, grove_bytes_of("number"),
                           grove__check_number(1, bytes));
        grove__check_lacks(&reader, 2, grove__check_number(2, bytes));
    }
    grove_backend_statistics statistics = grove__check_statistics(check);
    grove__check_that(check, statistics.readers == 1,
                      "%u readers are left of one, after another handle was closed",
                      statistics.readers);
    grove__check_pin_least(check, 1, 1);
    grove__check_pin_close(check, pin);
    grove__check_abort(&reader);
    (void)grove__check_state(check, number, number);
}

static void check_other_options_are_refused(grove__check *check)
{
    static const char *const names[] = {"a", "b", "d"};
    const grove_backend_options options = grove__check_options(check);
    grove_backend_options others[] = {options, options, options, options};
    others[0].size_limit_bytes *= 2;
    others[1].durability = GROVE_DURABILITY_RELAXED;
    others[2].table_count--;
    others[3].table_names = names;
    grove__check_open(check, &options);
    for (size_t index = 0; index < sizeof others / sizeof *others; index++) {
        grove_backend_env *env = NULL;
        if (!grove__check_has_failed(check)) {
            grove__check_status(check, grove__check_try_open(check, &others[index], &env),
                                GROVE_INVALID, "a second open with other options");
        }
        if (env != NULL) {
            check->backend->close(env);
        }
        grove__check_save_state(check, index + 1);
    }
    grove__check_reopen(check, &others[0]);
    (void)grove__check_state(check, 4, 4);
}

/* C13 */

typedef struct reader_list {
    uint64_t lags[4];
    uint32_t count;
    uint32_t wanted; /* more are not asked for */
    bool has_strangers;
} reader_list;

static bool take_reader(void *context, const grove_backend_reader *reader)
{
    reader_list *list = context;
    if (list->count < sizeof list->lags / sizeof *list->lags) {
        list->lags[list->count] = reader->lag;
    }
    list->count++;
    list->has_strangers |= reader->process != (uint64_t)getpid();
    return list->count < list->wanted;
}

static reader_list list_readers(grove__check *check, uint32_t wanted)
{
    reader_list list = {.wanted = wanted};
    grove_error error = {.status = GROVE_OK};
    if (!grove__check_has_failed(check)) {
        grove__check_status(
            check, check->backend->readers(check->env, take_reader, &list, &error),
            GROVE_OK, "readers");
        grove__check_that(check, !list.has_strangers,
                          "a reader of this process is not known as such");
    }
    return list;
}

static void check_readers_are_listed(grove__check *check)
{
    grove__check_open(check, NULL);
    grove__check_that(check, list_readers(check, 9).count == 0, "there is a reader");
    grove__check_save_state(check, 1);
    grove__check_txn early = grove__check_begin(check, GROVE_TXN_READ);
    grove__check_save_state(check, 2);
    grove__check_save_state(check, 3);
    grove__check_txn late = grove__check_begin(check, GROVE_TXN_READ);
    grove__check_save_state(check, 4);
    reader_list list = list_readers(check, 9);
    grove__check_that(check, list.count == 2, "%u readers are listed, not 2", list.count);
    grove__check_that(check,
                      (list.lags[0] == 3 && list.lags[1] == 1) ||
                          (list.lags[0] == 1 && list.lags[1] == 3),
                      "the readers' lags are %llu and %llu, not 3 and 1",
                      (unsigned long long)list.lags[0], (unsigned long long)list.lags[1]);
    grove__check_that(check, list_readers(check, 1).count == 1,
                      "the list goes on after it was stopped");
    grove_backend_statistics statistics = grove__check_statistics(check);
    grove__check_that(check, statistics.oldest_reader_lag == 3,
                      "the oldest reader's lag is %llu, not 3",
                      (unsigned long long)statistics.oldest_reader_lag);
    grove__check_that(check, statistics.oldest_reader_process == (uint64_t)getpid(),
                      "the oldest reader is not this process's");
    grove__check_abort(&early);
    grove__check_abort(&late);
    statistics = grove__check_statistics(check);
    grove__check_that(check,
                      statistics.oldest_reader_lag == 0 &&
                          statistics.oldest_reader_process == 0 &&
                          statistics.retained_bytes == 0,
                      "there is an oldest reader, and none at all");
}

/* C16 */

static void expect_told(grove__check_watch *watch)
{
    grove__check_that(watch->check, grove__check_watch_poll(watch, TOLD_MS_MAX),
                      "the descriptor is not readable after a commit");
    grove__check_watch_wait(watch, 0, GROVE_OK);
}

/* It may be told too often, but not of anything. */
static void expect_silence(grove__check_watch *watch)
{
    grove__check_watch_wait(watch, 0, GROVE_NONE);
    grove__check_that(watch->check, !grove__check_watch_poll(watch, 0),
                      "the descriptor is readable after watch_wait, without a commit");
}

static void check_watches_tell_of_commits(grove__check *check)
{
    grove__check_open(check, NULL);
    grove__check_save_state(check, 1);
    grove__check_watch watch = grove__check_watch_open(check);
    expect_silence(&watch);
    for (uint64_t number = 2; number < 20; number++) {
        grove__check_watch other = grove__check_watch_open(check);
        grove__check_save_state(check, number);
        expect_told(&watch);
        expect_silence(&watch);
        if (number % 3 == 0) {
            grove__check_save_state(check, ++number);
            grove__check_save_state(check, ++number);
            expect_told(&watch);
        }
        expect_told(&other);
        expect_silence(&other);
        grove__check_watch_close(&other);
    }
    grove__check_watch_wait(&watch, 1, GROVE_NONE);
    grove__check_watch_close(&watch);
}

static void check_what_is_no_commit_is_not_told(grove__check *check)
{
    grove__check_open(check, NULL);
    grove__check_watch watch = grove__check_watch_open(check);
    grove__check_txn reader = grove__check_begin(check, GROVE_TXN_READ);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_put(&txn, 0, grove_bytes_of("key"), grove_bytes_of("value"));
    expect_silence(&watch);
    grove__check_abort(&txn);
    expect_silence(&watch);
    grove__check_commit(&reader);
    expect_silence(&watch);
    grove__check_watch_close(&watch);
}

static void check_watches_hear_of_other_handles(grove__check *check)
{
    grove_backend_options options = grove__check_options(check);
    grove_backend_env *other = NULL;
    grove__check_open(check, &options);
    grove__check_watch watch = grove__check_watch_open(check);
    if (!grove__check_has_failed(check)) {
        grove__check_status(check, grove__check_try_open(check, &options, &other),
                            GROVE_OK, "a second open of a path");
    }
    if (other != NULL) {
        grove__check_swap(check, &other);
        grove__check_save_state(check, 1);
        grove__check_swap(check, &other);
        check->backend->close(other);
    }
    expect_told(&watch);
    grove__check_watch_close(&watch);
}

enum { COMMITS = 100 };

static void *commit_in_a_row(void *argument)
{
    for (uint64_t number = 2; number <= COMMITS; number++) {
        grove__check_save_state(argument, number);
    }
    return NULL;
}

/* Who looks whenever it is told sees the last commit in the end. */
static void check_no_commit_is_missed(grove__check *check)
{
    pthread_t thread;
    uint64_t seen = 1;
    grove__check_open(check, NULL);
    grove__check_save_state(check, seen);
    grove__check_watch watch = grove__check_watch_open(check);
    if (grove__check_has_failed(check) ||
        pthread_create(&thread, NULL, commit_in_a_row, check) != 0) {
        grove__check_that(check, false, "a thread could not be started");
        grove__check_watch_close(&watch);
        return;
    }
    while (seen < COMMITS && !grove__check_has_failed(check)) {
        bool is_told = grove__check_watch_poll(&watch, TOLD_MS_MAX);
        grove__check_that(check, is_told, "after commit %llu the descriptor was silent",
                          (unsigned long long)seen);
        if (is_told) {
            /* GROVE_NONE: an earlier look saw what this is about. */
            grove_error error;
            grove_status status = check->backend->watch_wait(watch.watch, 0, &error);
            grove__check_that(check, status == GROVE_OK || status == GROVE_NONE,
                              "watch_wait gave %s", grove_status_name(status));
            seen = grove__check_state(check, seen, COMMITS);
        }
    }
    (void)pthread_join(thread, NULL);
    grove__check_watch_close(&watch);
}

/* C17 */

static void check_pins_give_the_least(grove__check *check)
{
    enum { NAME = 7, OTHER = 8 };
    grove__check_open(check, NULL);
    grove__check_pin_least(check, NAME, UINT64_MAX);
    uint64_t ten = grove__check_pin_open(check, NAME, 10);
    uint64_t five = grove__check_pin_open(check, NAME, 5);
    uint64_t other = grove__check_pin_open(check, OTHER, 1);
    grove__check_pin_least(check, NAME, 5);
    grove__check_pin_least(check, OTHER, 1);
    grove__check_pin_least(check, UINT64_MAX, UINT64_MAX);
    grove__check_pin_move(check, five, 20);
    grove__check_pin_least(check, NAME, 10);
    grove__check_pin_move(check, ten, UINT64_MAX - 1);
    grove__check_pin_least(check, NAME, 20);
    grove__check_pin_close(check, five);
    grove__check_pin_least(check, NAME, UINT64_MAX - 1);
    grove__check_reclaim(check);
    grove__check_pin_least(check, NAME, UINT64_MAX - 1);
    grove__check_pin_move(check, ten, 0);
    grove__check_pin_least(check, NAME, 0);
    grove__check_pin_close(check, ten);
    grove__check_pin_least(check, NAME, UINT64_MAX);
    grove__check_pin_least(check, OTHER, 1);
    grove__check_pin_close(check, other);
    grove__check_pin_least(check, OTHER, UINT64_MAX);
}

static void check_there_are_many_pins(grove__check *check)
{
    enum { PINS = 2000, NAMES = 50 };
    static const uint64_t base = UINT64_C(1) << 40;
    uint64_t *pins = grove__check_memory(PINS * sizeof *pins);
    grove__check_open(check, NULL);
    for (uint64_t index = 0; index < PINS; index++) {
        pins[index] = grove__check_pin_open(check, index % NAMES, base + PINS - index);
    }
    for (uint64_t name = 0; name < NAMES; name++) {
        grove__check_pin_least(check, name, base + NAMES - name);
    }
    for (uint64_t index = 0; index < PINS; index++) {
        grove__check_pin_close(check, pins[index]);
    }
    for (uint64_t name = 0; name < NAMES; name++) {
        grove__check_pin_least(check, name, UINT64_MAX);
    }
    free(pins);
}

static void check_handles_see_each_other_s_pins(grove__check *check)
{
    grove_backend_options options = grove__check_options(check);
    grove_backend_env *other = NULL;
    grove__check_open(check, &options);
    uint64_t mine = grove__check_pin_open(check, 1, 5);
    if (!grove__check_has_failed(check)) {
        grove__check_status(check, grove__check_try_open(check, &options, &other),
                            GROVE_OK, "a second open of a path");
    }
    if (other != NULL) {
        grove__check_swap(check, &other);
        grove__check_pin_least(check, 1, 5);
        uint64_t theirs = grove__check_pin_open(check, 1, 3);
        grove__check_swap(check, &other);
        grove__check_pin_least(check, 1, 3);
        grove__check_swap(check, &other);
        grove__check_pin_close(check, theirs);
        grove__check_swap(check, &other);
        check->backend->close(other);
    }
    grove__check_pin_least(check, 1, 5);
    grove__check_pin_close(check, mine);
}

static void *move_pins(void *argument)
{
    grove__check *check = argument;
    for (uint64_t step = 0; step < 500; step++) {
        uint64_t pin = grove__check_pin_open(check, 1, 100 + step);
        grove__check_pin_move(check, pin, 1000 + step);
        grove__check_pin_least(check, 1, 50);
        grove__check_pin_close(check, pin);
    }
    return NULL;
}

static void check_threads_pin_at_once(grove__check *check)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    size_t started = 0;
    grove__check_open(check, NULL);
    uint64_t pin = grove__check_pin_open(check, 1, 50);
    while (started < THREADS &&
           pthread_create(&threads[started], NULL, move_pins, check) == 0) {
        started++;
    }
    grove__check_that(check, started == THREADS, "a thread could not be started");
    for (size_t index = 0; index < started; index++) {
        (void)pthread_join(threads[index], NULL);
    }
    grove__check_pin_close(check, pin);
    grove__check_pin_least(check, 1, UINT64_MAX);
}

const grove__check_case grove__contract_sharing[] = {
    {11, "a path may be open twice in a process", check_path_is_open_twice},
    {11, "closing one handle leaves the other's readers and pins",
     check_closing_one_leaves_the_other},
    {11, "a second open with other options is refused", check_other_options_are_refused},
    {13, "readers are listed with their lag", check_readers_are_listed},
    {16, "a watch tells of each commit, and of each once", check_watches_tell_of_commits},
    {16, "a watch does not tell of what is no commit",
     check_what_is_no_commit_is_not_told},
    {16, "a watch tells of other handles' commits", check_watches_hear_of_other_handles},
    {16, "who looks when told misses no commit", check_no_commit_is_missed},
    {17, "pins give the least of their name", check_pins_give_the_least},
    {17, "there may be many pins", check_there_are_many_pins},
    {17, "handles see each other's pins", check_handles_see_each_other_s_pins},
    {17, "threads pin at once", check_threads_pin_at_once},
    {0, NULL, NULL},
};
