/* C15: what is left of an environment in a child of fork, and in its parent. */
#include "child.h"
#include "watch.h"

/* What the parent had open when it forked, of every kind. */
typedef struct inheritance {
    grove__check_txn reader;
    grove__check_txn writer;
    grove__check_cursor cursor;
    grove__check_watch watch;
    uint64_t pin;
} inheritance;

/* The process that runs `work` in a child is given no argument. */
static inheritance inherited;

static void inherit(grove__check *check)
{
    grove__check_open(check, NULL);
    grove__check_save_state(check, 1);
    inherited.reader = grove__check_begin(check, GROVE_TXN_READ);
    inherited.cursor = grove__check_cursor_open(&inherited.reader, 2);
    inherited.watch = grove__check_watch_open(check);
    inherited.pin = grove__check_pin_open(check, 1, 7);
    inherited.writer = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_put(&inherited.writer, 1, grove_bytes_of("key"),
                     grove_bytes_of("parent's"));
}

static void expect_forked(grove__check *check, grove_status status, const char *doing)
{
    grove__check_status(check, status, GROVE_FORKED, doing);
}

static void use_transactions(grove__check *check)
{
    grove__check_txn txn = {check, NULL};
    grove_bytes value;
    grove_bytes key = grove_bytes_of("key");
    expect_forked(check, grove__check_try_begin(check, GROVE_TXN_READ, &txn),
                  "begin of a read in a child");
    expect_forked(check, grove__check_try_begin(check, GROVE_TXN_WRITE, &txn),
                  "begin of a write in a child");
    expect_forked(check, grove__check_try_begin(check, GROVE_TXN_WRITE_TO_FREE, &txn),
                  "begin of a write to free in a child");
    expect_forked(check, grove__check_try_get(&inherited.reader, 0, key, &value),
                  "get in a child");
    expect_forked(check, grove__check_try_put(&inherited.writer, 0, key, key),
                  "put in a child");
    expect_forked(check, grove__check_try_remove(&inherited.writer, 0, key),
                  "remove in a child");
    expect_forked(check,
                  grove__check_try_seek(&inherited.cursor, GROVE_SEEK_AT_OR_AFTER, key,
                                        &key, &value),
                  "cursor_seek in a child");
    expect_forked(check, grove__check_try_next(&inherited.cursor, &key, &value),
                  "cursor_next in a child");
    grove_error error = {.status = GROVE_OK};
    grove_backend_cursor *cursor = NULL;
    expect_forked(check,
                  check->backend->cursor_open(inherited.reader.txn, 0, &cursor, &error),
                  "cursor_open in a child");
}

static bool ignore_reader(void *context, const grove_backend_reader *reader)
{
    (void)context;
    (void)reader;
    return true;
}

static void use_environment(grove__check *check)
{
    const grove_backend *backend = check->backend;
    grove_backend_statistics statistics;
    grove_backend_identity identity;
    grove_backend_watch *watch = NULL;
    uint64_t pin = 0;
    grove_error error = {.status = GROVE_OK};
    grove__check_that(check, backend->is_forked(check->env),
                      "is_forked is false in a child");
    expect_forked(check, grove__check_try_sync(check), "sync in a child");
    expect_forked(check, backend->statistics(check->env, &statistics, &error),
                  "statistics in a child");
    expect_forked(check, backend->readers(check->env, ignore_reader, NULL, &error),
                  "readers in a child");
    expect_forked(check, backend->identity(check->env, &identity, &error),
                  "identity in a child");
    expect_forked(check, backend->reclaim(check->env, &error), "reclaim in a child");
    expect_forked(check, grove__check_try_grow(check), "grow in a child");
    expect_forked(check, grove__check_try_copy(check, "nowhere", false),
                  "copy in a child");
    expect_forked(check, backend->pin_open(check->env, 1, 1, &pin, &error),
                  "pin_open in a child");
    expect_forked(check, backend->watch_open(check->env, &watch, &error),
                  "watch_open in a child");
    expect_forked(check, backend->watch_wait(inherited.watch.watch, 0, &error),
                  "watch_wait in a child");
    grove__check_clause(check, 14,
                        error.status == GROVE_FORKED && error.message[0] != '\0',
                        "GROVE_FORKED came without a sentence");
}

/* Ends all that was inherited, which is to be without effect. */
static void end_all(grove__check *check)
{
    grove__check_cursor_close(&inherited.cursor);
    grove__check_abort(&inherited.reader);
    grove__check_pin_move(check, inherited.pin, 1);
    grove__check_pin_close(check, inherited.pin);
    grove__check_watch_close(&inherited.watch);
    grove__check_close(check);
}

static void use_all_in_a_child(grove__check *check, grove__peer *parent)
{
    use_transactions(check);
    use_environment(check);
    expect_forked(check, grove__check_try_commit(&inherited.writer), "commit in a child");
    end_all(check);
    grove__peer_tell(parent);
}

static void abort_all_in_a_child(grove__check *check, grove__peer *parent)
{
    grove__check_abort(&inherited.writer);
    end_all(check);
    grove__peer_tell(parent);
}

/* The parent goes on with what it has, as if there were no child. */
static void go_on(grove__check *check)
{
    uint8_t bytes[8];
    grove_bytes key = {NULL, 0};
    grove_bytes value = {NULL, 0};
    grove__check_that(check, !check->backend->is_forked(check->env),
                      "is_forked is true in the parent");
    grove__check_put(&inherited.writer, 1, grove_bytes_of("other"),
                     grove_bytes_of("parent's"));
    grove__check_commit(&inherited.writer);
    grove__check_that(check, grove__check_watch_poll(&inherited.watch, 5000),
                      "the parent's watch was not told");
    grove__check_watch_wait(&inherited.watch, 0, GROVE_OK);
    for (uint64_t number = 2; number < 30; number++) {
        grove__check_save_state(check, number);
    }
    grove__check_holds(&inherited.reader, 0, grove_bytes_of("number"),
                       grove__check_number(1, bytes));
    grove__check_lacks(&inherited.reader, 1, grove_bytes_of("key"));
    if (!grove__check_has_failed(check)) {
        grove__check_status(check,
                            grove__check_try_seek(&inherited.cursor,
                                                  GROVE_SEEK_AT_OR_AFTER,
                                                  grove__check_empty(), &key, &value),
                            GROVE_OK, "a seek of the parent's cursor");
    }
    grove_backend_statistics statistics = grove__check_statistics(check);
    grove__check_that(check, statistics.readers == 1, "the parent has %u readers, not 1",
                      statistics.readers);
    grove__check_reclaim(check);
    grove__check_pin_least(check, 1, 7);
    grove__check_finds(check, 1, grove_bytes_of("key"), grove_bytes_of("parent's"));
    grove__check_finds(check, 1, grove_bytes_of("other"), grove_bytes_of("parent's"));
}

static void fork_with_all_open(grove__check *check,
                               void (*work)(grove__check *, grove__peer *))
{
    grove__peer child;
    inherit(check);
    if (grove__child_start(check, work, &child)) {
        grove__peer_wait(&child);
        grove__child_end(check, &child);
        go_on(check);
    }
    grove__check_abort(&inherited.writer);
    end_all(check);
}

static void check_all_is_dead_in_a_child(grove__check *check)
{
    fork_with_all_open(check, use_all_in_a_child);
}

static void check_ends_are_harmless(grove__check *check)
{
    fork_with_all_open(check, abort_all_in_a_child);
}

/* A child that opens for itself, in the middle of what it inherited. */

static void open_afresh(grove__check *check, grove__peer *parent)
{
    grove_backend_env *old = check->env;
    check->env = NULL;
    grove__check_open(check, NULL);
    (void)grove__check_state(check, 1, 1);
    if ((check->backend->capabilities & GROVE_BACKEND_SHARED) != 0) {
        for (uint64_t number = 2; number < 30; number++) {
            grove__check_save_state(check, number);
        }
        grove__check_txn reader = grove__check_begin(check, GROVE_TXN_READ);
        uint64_t pin = grove__check_pin_open(check, 1, 9);
        grove__peer_tell(parent);
        grove__peer_wait(parent);
        (void)grove__check_state(check, 31, 31);
        grove__check_pin_close(check, pin);
        grove__check_abort(&reader);
    }
    grove__check_swap(check, &old);
    grove__check_close(check);
    grove__check_swap(check, &old);
    (void)grove__check_state(check, 1, 31);
    grove__check_close(check);
}

static void check_child_opens_afresh(grove__check *check)
{
    grove__peer child;
    uint8_t bytes[8];
    grove__check_open(check, NULL);
    grove__check_save_state(check, 1);
    grove__check_txn reader = grove__check_begin(check, GROVE_TXN_READ);
    if (!grove__child_start(check, open_afresh, &child)) {
        grove__check_abort(&reader);
        return;
    }
    if ((check->backend->capabilities & GROVE_BACKEND_SHARED) != 0) {
        grove__peer_wait(&child);
        (void)grove__check_state(check, 29, 29);
        grove__check_pin_least(check, 1, 9);
        grove__check_save_state(check, 30);
        grove__check_save_state(check, 31);
        grove__check_holds(&reader, 0, grove_bytes_of("number"),
                           grove__check_number(1, bytes));
        grove_backend_statistics statistics = grove__check_statistics(check);
        grove__check_that(check, statistics.readers == 2, "there are %u readers, not 2",
                          statistics.readers);
        grove__peer_tell(&child);
    }
    grove__child_end(check, &child);
    grove__check_holds(&reader, 0, grove_bytes_of("number"),
                       grove__check_number(1, bytes));
    grove__check_abort(&reader);
}

/* A parent that ends while its child lives on. */

static void outlive_the_parent(grove__check *check, grove__peer *parent)
{
    grove__peer_wait(parent); /* until it is gone */
    check->env = NULL;
    grove__check_open(check, NULL);
    (void)grove__check_state(check, 2, 2);
    grove__check_save_state(check, 3);
    grove__check_close(check);
}

static void fork_and_end(grove__check *check, grove__peer *grandparent)
{
    grove__peer child;
    grove__check_open(check, NULL);
    grove__check_save_state(check, 1);
    grove__check_txn reader = grove__check_begin(check, GROVE_TXN_READ);
    uint64_t pin = grove__check_pin_open(check, 1, 1);
    if (grove__child_start(check, outlive_the_parent, &child)) {
        grove__check_save_state(check, 2);
        grove__check_abort(&reader);
        grove__check_pin_close(check, pin);
        grove__check_close(check);
    }
    (void)grandparent;
}

static void check_child_outlives_the_parent(grove__check *check)
{
    grove__peer child;
    if (!grove__check_claims(check, GROVE_BACKEND_SHARED) ||
        !grove__child_start(check, fork_and_end, &child)) {
        return;
    }
    /* The grandchild has that end of the pipe too: this waits for both. */
    grove__child_end(check, &child);
    grove__check_open(check, NULL);
    (void)grove__check_state(check, 3, 3);
    grove__check_pin_least(check, 1, UINT64_MAX);
}

const grove__check_case grove__contract_forks[] = {
    {15, "in a child of fork everything says so, and the parent goes on",
     check_all_is_dead_in_a_child},
    {15, "in a child of fork all ends without effect", check_ends_are_harmless},
    {15, "a child of fork opens for itself", check_child_opens_afresh},
    {15, "a child of fork outlives its parent", check_child_outlives_the_parent},
    {0, NULL, NULL},
};
