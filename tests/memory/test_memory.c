#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>

#include "memory/loans.h"
#include "memory_env.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GROVE_TESTS_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define GROVE_TESTS_ASAN 1
#endif
#ifdef GROVE_TESTS_ASAN
#include <sanitizer/asan_interface.h>
#endif

/* Never gives memory back, so that a test may look at what was released. */
enum { KEPT_MAX = 64 };
typedef struct keeping_allocator {
    grove_allocator allocator;
    void *kept[KEPT_MAX];
    size_t kept_count;
} keeping_allocator;

static void *keeper_allocate(void *context, size_t bytes)
{
    (void)context;
    return malloc(bytes);
}

static void keeper_deallocate(void *context, void *memory, size_t bytes)
{
    keeping_allocator *self = context;
    (void)bytes;
    cr_assert_lt(self->kept_count, (size_t)KEPT_MAX);
    self->kept[self->kept_count++] = memory;
}

static void keeper_init(keeping_allocator *self)
{
    memset(self, 0, sizeof *self);
    self->allocator.context = self;
    self->allocator.allocate = keeper_allocate;
    self->allocator.deallocate = keeper_deallocate;
}

static void keeper_release(keeping_allocator *self)
{
    for (size_t index = 0; index < self->kept_count; index++) {
        free(self->kept[index]);
    }
}

static bool is_poisoned(grove_bytes bytes)
{
    for (size_t index = 0; index < bytes.size; index++) {
        if (bytes.data[index] != GROVE__LOANS_POISON) {
            return false;
        }
    }
    return true;
}

static grove_bytes get_string(grove_backend_txn *txn, const char *key)
{
    grove_bytes value = {NULL, 0};
    cr_assert_eq(memory_backend()->get(txn, 0, grove_bytes_of(key), &value, NULL),
                 GROVE_OK);
    return value;
}

static bool is_string(grove_bytes bytes, const char *string)
{
    return bytes.size == strlen(string) && memcmp(bytes.data, string, bytes.size) == 0;
}

Test(memory, a_read_transaction_poisons_what_it_lent_when_it_ends)
{
    keeping_allocator keeper;
    keeper_init(&keeper);
    grove_memory_disk *disk = grove_memory_disk_new(NULL);
    grove_backend_options options = memory_options(&keeper.allocator, disk);
    grove_backend_env *env = memory_open_env(&options);
    cr_assert_eq(memory_save_string(env, "key", "value"), GROVE_OK);

    grove_bytes key;
    grove_bytes value;
    grove_backend_cursor *cursor;
    grove_backend_txn *txn = memory_begin_txn(env, GROVE_TXN_READ);
    grove_bytes got = get_string(txn, "key");
    cr_assert_eq(memory_backend()->cursor_open(txn, 0, &cursor, NULL), GROVE_OK);
    cr_assert_eq(memory_backend()->cursor_seek(cursor, GROVE_SEEK_BEFORE,
                                               (grove_bytes){NULL, 0}, &key, &value,
                                               NULL),
                 GROVE_OK);
    memory_backend()->cursor_close(cursor);
    cr_assert_eq(memory_save_string(env, "key", "newer"), GROVE_OK);
    cr_assert(is_string(got, "value"));
    cr_assert(is_string(key, "key"));
    cr_assert(is_string(value, "value"));
    cr_assert_eq((uintptr_t)got.data % 2, 1, "L1: odd addresses");
    memory_backend()->abort(txn);
    cr_assert(is_poisoned(got));
    cr_assert(is_poisoned(key));
    cr_assert(is_poisoned(value));
    cr_assert(memory_holds(env, "key", "newer"), "the poison stays out of the tree");

    memory_backend()->close(env);
    grove_memory_disk_free(disk);
    keeper_release(&keeper);
}

Test(memory, a_write_transaction_poisons_at_the_next_change_and_not_before)
{
    for (int change = 0; change < 3; change++) {
        keeping_allocator keeper;
        keeper_init(&keeper);
        grove_memory_disk *disk = grove_memory_disk_new(NULL);
        grove_backend_options options = memory_options(&keeper.allocator, disk);
        grove_backend_env *env = memory_open_env(&options);
        cr_assert_eq(memory_save_string(env, "key", "value"), GROVE_OK);

        grove_backend_txn *txn = memory_begin_txn(env, GROVE_TXN_WRITE);
        grove_bytes first = get_string(txn, "key");
        grove_bytes second = get_string(txn, "key");
        cr_assert(is_string(first, "value") && is_string(second, "value"));
        if (change == 0) {
            cr_assert_eq(memory_put_string(txn, "other", "x"), GROVE_OK);
        } else if (change == 1) {
            cr_assert_eq(memory_backend()->remove(txn, 1, grove_bytes_of("none"), NULL),
                         GROVE_NONE);
        } else {
            cr_assert_eq(memory_backend()->commit(txn, NULL), GROVE_OK);
        }
        cr_assert(is_poisoned(first) && is_poisoned(second), "change %d", change);
        if (change != 2) {
            memory_backend()->abort(txn);
        }
        memory_backend()->close(env);
        grove_memory_disk_free(disk);
        keeper_release(&keeper);
    }
}

Test(memory, room_is_poison_until_it_is_filled_and_gone_at_the_next_call)
{
    keeping_allocator keeper;
    keeper_init(&keeper);
    grove_memory_disk *disk = grove_memory_disk_new(NULL);
    grove_backend_options options = memory_options(&keeper.allocator, disk);
    grove_backend_env *env = memory_open_env(&options);
    grove_backend_txn *txn = memory_begin_txn(env, GROVE_TXN_WRITE);
    uint8_t *room;
    cr_assert_eq(memory_backend()->put(txn, 0, grove_bytes_of("key"), 4, &room, NULL),
                 GROVE_OK);
    cr_assert(is_poisoned((grove_bytes){room, 4}));
    memcpy(room, "abcd", 4);
    cr_assert(is_string(get_string(txn, "key"), "abcd"));
    cr_assert(is_poisoned((grove_bytes){room, 4}));
    memcpy(room, "late", 4);
    cr_assert(is_string(get_string(txn, "key"), "abcd"));
    cr_assert_eq(memory_backend()->commit(txn, NULL), GROVE_OK);
    cr_assert(memory_holds(env, "key", "abcd"));
    memory_backend()->close(env);
    grove_memory_disk_free(disk);
    keeper_release(&keeper);
}

#ifdef GROVE_TESTS_ASAN
Test(memory, what_was_lent_becomes_inaccessible)
{
    grove_memory_disk *disk = grove_memory_disk_new(NULL);
    faulty_allocator memory;
    faulty_allocator_init(&memory, 0);
    grove_backend_options options = memory_options(&memory.allocator, disk);
    grove_backend_env *env = memory_open_env(&options);
    grove_backend_txn *txn = memory_begin_txn(env, GROVE_TXN_WRITE);
    uint8_t *room;
    cr_assert_eq(memory_backend()->put(txn, 0, grove_bytes_of("key"), 4, &room, NULL),
                 GROVE_OK);
    cr_assert_not(__asan_address_is_poisoned(room));
    cr_assert(__asan_address_is_poisoned(room + 4), "room ends where it ends");
    grove_bytes value = get_string(txn, "key");
    cr_assert(__asan_address_is_poisoned(room));
    cr_assert_not(__asan_address_is_poisoned(value.data + 3));
    cr_assert(__asan_address_is_poisoned(value.data + 4));
    memory_backend()->abort(txn);
    cr_assert(__asan_address_is_poisoned(value.data));
    memory_backend()->close(env);
    grove_memory_disk_free(disk);
}
#endif

/* Refusals */

typedef struct refusal_fixture {
    faulty_allocator memory;
    grove_backend_env *env;
} refusal_fixture;

static void refusal_init(refusal_fixture *fixture)
{
    faulty_allocator_init(&fixture->memory, 0);
    grove_backend_options options = memory_options(&fixture->memory.allocator, NULL);
    fixture->env = memory_open_env(&options);
    cr_assert_eq(memory_save_string(fixture->env, "key", "value"), GROVE_OK);
}

static void refusal_finish(refusal_fixture *fixture)
{
    memory_backend()->close(fixture->env);
    faulty_allocator_finish(&fixture->memory);
}

Test(memory, arguments_outside_the_contract_are_refused_and_harmless)
{
    static const uint8_t long_key[385] = {1};
    const struct {
        uint32_t table;
        grove_bytes key;
        grove_status status;
    } cases[] = {
        {2, {long_key, 1}, GROVE_INVALID},
        {UINT32_MAX, {long_key, 1}, GROVE_INVALID},
        {0, {NULL, 0}, GROVE_LIMIT},
        {0, {long_key, 385}, GROVE_LIMIT},
    };
    refusal_fixture fixture;
    refusal_init(&fixture);
    grove_backend_txn *txn = memory_begin_txn(fixture.env, GROVE_TXN_WRITE);
    grove_bytes value;
    uint8_t *room;
    grove_error error;
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        uint32_t table = cases[index].table;
        grove_bytes key = cases[index].key;
        grove_status status = cases[index].status;
        cr_assert_eq(memory_backend()->get(txn, table, key, &value, &error), status);
        cr_assert_eq(error.status, status);
        cr_assert_eq(memory_backend()->put(txn, table, key, 1, &room, &error), status);
        cr_assert_eq(memory_backend()->remove(txn, table, key, &error), status);
    }
    grove_bytes key = {long_key, 1};
    cr_assert_eq(memory_backend()->put(txn, 0, key, (1 << 20) + 1, &room, NULL),
                 GROVE_LIMIT);
    grove_backend_cursor *cursor;
    cr_assert_eq(memory_backend()->cursor_open(txn, 2, &cursor, NULL), GROVE_INVALID);
    cr_assert_eq(memory_backend()->commit(txn, NULL), GROVE_OK);
    cr_assert(memory_holds(fixture.env, "key", "value"));
    refusal_finish(&fixture);
}

Test(memory, a_read_transaction_changes_nothing)
{
    refusal_fixture fixture;
    refusal_init(&fixture);
    grove_backend_txn *txn = memory_begin_txn(fixture.env, GROVE_TXN_READ);
    grove_bytes key = grove_bytes_of("key");
    uint8_t *room;
    cr_assert_eq(memory_backend()->put(txn, 0, key, 1, &room, NULL), GROVE_INVALID);
    cr_assert_eq(memory_backend()->remove(txn, 0, key, NULL), GROVE_INVALID);
    cr_assert_eq(memory_backend()->commit(txn, NULL), GROVE_OK);
    refusal_finish(&fixture);
}

Test(memory, a_cursor_without_a_place_has_no_next)
{
    refusal_fixture fixture;
    refusal_init(&fixture);
    grove_backend_txn *txn = memory_begin_txn(fixture.env, GROVE_TXN_WRITE);
    grove_backend_cursor *cursor;
    grove_bytes key;
    grove_bytes value;
    grove_bytes start = grove_bytes_of("a");
    const grove_backend *backend = memory_backend();
    cr_assert_eq(backend->cursor_open(txn, 0, &cursor, NULL), GROVE_OK);
    cr_assert_eq(backend->cursor_next(cursor, &key, &value, NULL), GROVE_INVALID);
    cr_assert_eq(
        backend->cursor_seek(cursor, GROVE_SEEK_AT_OR_AFTER, start, &key, &value, NULL),
        GROVE_OK);
    cr_assert_eq(backend->cursor_next(cursor, &key, &value, NULL), GROVE_NONE);
    cr_assert_eq(memory_put_string(txn, "new", "value"), GROVE_OK);
    cr_assert_eq(backend->cursor_next(cursor, &key, &value, NULL), GROVE_INVALID);
    cr_assert_eq(
        backend->cursor_seek(cursor, GROVE_SEEK_AT_OR_AFTER, start, &key, &value, NULL),
        GROVE_OK);
    cr_assert_eq(backend->cursor_next(cursor, &key, &value, NULL), GROVE_OK);
    cr_assert_eq(backend->remove(txn, 0, start, NULL), GROVE_NONE);
    cr_assert_eq(backend->cursor_next(cursor, &key, &value, NULL), GROVE_INVALID);
    backend->cursor_close(cursor);
    backend->abort(txn);
    refusal_finish(&fixture);
}

Test(memory, a_thread_does_not_wait_for_itself)
{
    refusal_fixture fixture;
    refusal_init(&fixture);
    grove_backend_txn *other;
    grove_error error;
    grove_backend_txn *txn = memory_begin_txn(fixture.env, GROVE_TXN_WRITE);
    cr_assert_eq(memory_backend()->begin(fixture.env, GROVE_TXN_WRITE, &other, &error),
                 GROVE_INVALID);
    cr_assert_eq(error.status, GROVE_INVALID);
    memory_backend()->abort(txn);
    refusal_finish(&fixture);
}

typedef struct stranger {
    grove_backend_txn *txn;
    grove_status status;
} stranger;

static void *use_from_another_thread(void *argument)
{
    stranger *self = argument;
    self->status = memory_put_string(self->txn, "key", "stranger");
    return NULL;
}

Test(memory, a_write_transaction_stays_with_its_thread)
{
    refusal_fixture fixture;
    refusal_init(&fixture);
    pthread_t thread;
    stranger self = {memory_begin_txn(fixture.env, GROVE_TXN_WRITE), GROVE_OK};
    cr_assert_eq(pthread_create(&thread, NULL, use_from_another_thread, &self), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(self.status, GROVE_INVALID);
    cr_assert_eq(memory_backend()->commit(self.txn, NULL), GROVE_OK);
    cr_assert(memory_holds(fixture.env, "key", "value"));
    refusal_finish(&fixture);
}

Test(memory, closing_with_a_transaction_open_stops, .signal = SIGABRT)
{
    refusal_fixture fixture;
    refusal_init(&fixture);
    (void)memory_begin_txn(fixture.env, GROVE_TXN_READ);
    memory_backend()->close(fixture.env);
}

Test(memory, ending_with_a_cursor_open_stops, .signal = SIGABRT)
{
    refusal_fixture fixture;
    refusal_init(&fixture);
    grove_backend_cursor *cursor;
    grove_backend_txn *txn = memory_begin_txn(fixture.env, GROVE_TXN_READ);
    cr_assert_eq(memory_backend()->cursor_open(txn, 0, &cursor, NULL), GROVE_OK);
    memory_backend()->abort(txn);
}

/* Failures */

Test(memory, after_a_failure_only_abort_is_left)
{
    refusal_fixture fixture;
    refusal_init(&fixture);
    const grove_backend *backend = memory_backend();
    for (int ends = 0; ends < 2; ends++) {
        grove_backend_txn *txn = memory_begin_txn(fixture.env, GROVE_TXN_WRITE);
        grove_backend_cursor *cursor;
        grove_bytes key = grove_bytes_of("key");
        grove_bytes value;
        uint8_t *room;
        cr_assert_eq(memory_put_string(txn, "key", "lost"), GROVE_OK);
        fixture.memory.fails_at = fixture.memory.calls + 1;
        cr_assert_eq(memory_put_string(txn, "more", "lost"), GROVE_NO_MEMORY);
        cr_assert_eq(backend->get(txn, 0, key, &value, NULL), GROVE_FAILED);
        cr_assert_eq(backend->put(txn, 0, key, 1, &room, NULL), GROVE_FAILED);
        cr_assert_eq(backend->remove(txn, 0, key, NULL), GROVE_FAILED);
        cr_assert_eq(backend->cursor_open(txn, 0, &cursor, NULL), GROVE_FAILED);
        if (ends == 0) {
            backend->abort(txn);
        } else {
            cr_assert_eq(backend->commit(txn, NULL), GROVE_FAILED);
        }
        cr_assert(memory_holds(fixture.env, "key", "value"));
    }
    refusal_finish(&fixture);
}

/* Everything a caller does, until the first failure. */
static grove_status run_scenario(const grove_backend_options *options)
{
    const grove_backend *backend = memory_backend();
    grove_backend_env *env;
    grove_backend_txn *txn;
    grove_backend_cursor *cursor = NULL;
    grove_bytes key = {NULL, 0};
    grove_bytes value;
    grove_status status = backend->open(options, &env, NULL);
    if (status != GROVE_OK) {
        return status;
    }
    status = memory_save_string(env, "first", "value");
    if (status == GROVE_OK) {
        status = backend->begin(env, GROVE_TXN_WRITE, &txn, NULL);
    }
    if (status != GROVE_OK) {
        goto out;
    }
    status = memory_put_string(txn, "second", "value");
    if (status == GROVE_OK) {
        status = backend->get(txn, 0, grove_bytes_of("second"), &value, NULL);
    }
    if (status == GROVE_OK) {
        status = backend->cursor_open(txn, 0, &cursor, NULL);
    }
    if (status == GROVE_OK) {
        status =
            backend->cursor_seek(cursor, GROVE_SEEK_AT_OR_AFTER, key, &key, &value, NULL);
    }
    if (status == GROVE_OK) {
        status = backend->cursor_next(cursor, &key, &value, NULL);
    }
    if (cursor != NULL) {
        backend->cursor_close(cursor);
    }
    if (status == GROVE_OK) {
        status = backend->remove(txn, 0, grove_bytes_of("first"), NULL);
    }
    if (status == GROVE_OK) {
        status = backend->commit(txn, NULL);
    } else {
        backend->abort(txn);
    }

out:
    backend->close(env);
    return status;
}

Test(memory, every_failed_allocation_is_reported_and_nothing_leaks)
{
    for (int with_disk = 0; with_disk < 2; with_disk++) {
        size_t nth = 1;
        for (bool has_failed = true; has_failed; nth++) {
            faulty_allocator memory;
            faulty_allocator_init(&memory, 0);
            grove_memory_disk *disk =
                with_disk != 0 ? grove_memory_disk_new(&memory.allocator) : NULL;
            memory.fails_at = memory.calls + nth;
            grove_backend_options options = memory_options(&memory.allocator, disk);
            grove_status status = run_scenario(&options);
            has_failed = memory.has_failed;
            cr_assert_eq(status, has_failed ? GROVE_NO_MEMORY : GROVE_OK,
                         "allocation %zu", nth);
            grove_memory_disk_free(disk);
            faulty_allocator_finish(&memory);
        }
        cr_assert_gt(nth, 20);
    }
}

Test(memory, a_store_without_a_disk_forgets_when_it_is_closed)
{
    refusal_fixture fixture;
    refusal_init(&fixture);
    grove_backend_options options = memory_options(&fixture.memory.allocator, NULL);
    options.must_exist = true;
    grove_backend_env *env;
    grove_error error;
    cr_assert_eq(memory_backend()->open(&options, &env, &error), GROVE_NONE);
    refusal_finish(&fixture);
}
