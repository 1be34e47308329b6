#include <poll.h>
#include <stdio.h>

#include "kv_fixture.h"

#include "kv/sharing.h"

static void save(kv_fixture *fixture, const char *key)
{
    grove__txn txn;
    kv_begin(fixture, GROVE_TXN_WRITE, &txn);
    kv_put(&txn, key, "value");
    kv_commit(fixture, &txn);
}

KV_TEST(sharing, pins_are_those_of_the_backend)
{
    uint64_t pin;
    uint64_t other;
    cr_assert_eq(grove__kv_pin_open(&fixture->kv, 1, 10, &pin, &fixture->error),
                 GROVE_OK);
    cr_assert_eq(grove__kv_pin_open(&fixture->kv, 2, 5, &other, &fixture->error),
                 GROVE_OK);
    cr_assert_eq(grove__kv_pin_least(&fixture->kv, 1), 10);
    grove__kv_pin_move(&fixture->kv, pin, 20);
    cr_assert_eq(grove__kv_pin_least(&fixture->kv, 1), 20);
    cr_assert_eq(grove__kv_reclaim(&fixture->kv, &fixture->error), GROVE_OK);
    cr_assert_eq(grove__kv_pin_least(&fixture->kv, 2), 5);
    grove__kv_pin_close(&fixture->kv, pin);
    grove__kv_pin_close(&fixture->kv, other);
    cr_assert_eq(grove__kv_pin_least(&fixture->kv, 1), UINT64_MAX);
}

KV_TEST(sharing, watches_are_those_of_the_backend)
{
    grove__kv_watch watch;
    cr_assert_eq(grove__kv_watch_open(&fixture->kv, &watch, &fixture->error), GROVE_OK);
    cr_assert_eq(grove__kv_watch_wait(&watch, 0, &fixture->error), GROVE_NONE);
    save(fixture, "key");
    struct pollfd told = {.fd = grove__kv_watch_descriptor(&watch), .events = POLLIN};
    cr_assert_eq(poll(&told, 1, 10000), 1);
    cr_assert_eq(grove__kv_watch_wait(&watch, 0, &fixture->error), GROVE_OK);
    cr_assert_eq(grove__kv_watch_wait(&watch, 0, &fixture->error), GROVE_NONE);
    grove__kv_watch_close(&watch);
}

static bool count_reader(void *context, const grove_backend_reader *reader)
{
    uint64_t *lags = context;
    *lags += 1 + reader->lag;
    return true;
}

KV_TEST(sharing, readers_and_identity_are_those_of_the_backend)
{
    uint64_t lags = 0;
    grove__txn txn;
    grove_backend_identity identity;
    grove_backend_identity again;
    kv_begin(fixture, GROVE_TXN_READ, &txn);
    save(fixture, "key");
    cr_assert_eq(grove__kv_readers(&fixture->kv, count_reader, &lags, &fixture->error),
                 GROVE_OK);
    cr_assert_eq(lags, 2);
    grove__txn_abort(&txn);
    cr_assert_not(grove__kv_is_forked(&fixture->kv));
    cr_assert_eq(grove__kv_identity(&fixture->kv, &identity, &fixture->error), GROVE_OK);
    cr_assert_eq(grove__kv_identity(&fixture->kv, &again, &fixture->error), GROVE_OK);
    cr_assert_eq(again.place, identity.place);
    cr_assert_eq(again.boot, identity.boot);
    cr_assert_eq(grove__kv_grow(&fixture->kv, &fixture->error), GROVE_NONE);
}

KV_TEST(sharing, a_copy_is_one_and_replaces_nothing)
{
    char path[TEMP_DIR_PATH_BYTES];
    (void)temp_dir_path(&fixture->dir, "copy", path);
    save(fixture, "key");
    cr_assert_eq(grove__kv_copy(&fixture->kv, path, true, &fixture->error), GROVE_OK,
                 "%s", fixture->error.message);
    cr_assert_eq(grove__kv_copy(&fixture->kv, path, false, &fixture->error),
                 GROVE_INVALID);
    cr_assert_neq(fixture->error.message[0], '\0');
}

/* ---- A backend that forgets to say why ---- */

static grove_status fail_identity(grove_backend_env *env,
                                  grove_backend_identity *identity_out,
                                  grove_error *error_out)
{
    (void)env;
    (void)identity_out;
    (void)error_out;
    return GROVE_IO;
}

static grove_status fail_plainly(grove_backend_env *env, grove_error *error_out)
{
    (void)env;
    (void)error_out;
    return GROVE_IO;
}

static grove_status fail_readers(grove_backend_env *env, grove_backend_reader_fn each,
                                 void *context, grove_error *error_out)
{
    (void)each;
    (void)context;
    return fail_plainly(env, error_out);
}

static grove_status fail_copy(grove_backend_env *env, const char *path, bool is_compact,
                              grove_error *error_out)
{
    (void)path;
    (void)is_compact;
    return fail_plainly(env, error_out);
}

static grove_status fail_pin_open(grove_backend_env *env, uint64_t name, uint64_t value,
                                  uint64_t *pin_out, grove_error *error_out)
{
    (void)name;
    (void)value;
    (void)pin_out;
    return fail_plainly(env, error_out);
}

static grove_status fail_watch_open(grove_backend_env *env,
                                    grove_backend_watch **watch_out,
                                    grove_error *error_out)
{
    (void)watch_out;
    return fail_plainly(env, error_out);
}

static void assert_explained(kv_fixture *fixture, grove_status status)
{
    cr_assert_eq(status, GROVE_IO);
    cr_assert_eq(fixture->error.status, GROVE_IO);
    cr_assert_neq(fixture->error.message[0], '\0');
    memset(&fixture->error, 0, sizeof fixture->error);
}

Test(sharing, a_failure_never_comes_without_a_sentence)
{
    kv_fixture fixture;
    uint64_t pin = 7;
    grove__kv_watch watch = {NULL, NULL};
    grove_backend_identity identity = {7, 7};
    kv_fixture_prepare(&fixture, "memory");
    grove_backend mute = *fixture.backend;
    mute.identity = fail_identity;
    mute.readers = fail_readers;
    mute.reclaim = fail_plainly;
    mute.grow = fail_plainly;
    mute.copy = fail_copy;
    mute.pin_open = fail_pin_open;
    mute.watch_open = fail_watch_open;
    fixture.backend = &mute;
    kv_fixture_open(&fixture);
    grove__kv *kv = &fixture.kv;
    grove_error *error = &fixture.error;
    assert_explained(&fixture, grove__kv_identity(kv, &identity, error));
    assert_explained(&fixture, grove__kv_readers(kv, count_reader, NULL, error));
    assert_explained(&fixture, grove__kv_reclaim(kv, error));
    assert_explained(&fixture, grove__kv_grow(kv, error));
    assert_explained(&fixture, grove__kv_copy(kv, "copy", false, error));
    assert_explained(&fixture, grove__kv_pin_open(kv, 1, 1, &pin, error));
    assert_explained(&fixture, grove__kv_watch_open(kv, &watch, error));
    cr_assert_eq(pin, 7);
    cr_assert_eq(identity.place, 7);
    cr_assert_null(watch.kv);
    grove__kv_close(kv);
    temp_dir_remove(&fixture.dir);
}
