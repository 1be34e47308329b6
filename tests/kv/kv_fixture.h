/* A grove__kv on a backend of the test's choice. */
#ifndef GROVE_TESTS_KV_FIXTURE_H
#define GROVE_TESTS_KV_FIXTURE_H

#include <criterion/criterion.h>

#include "base/alloc.h"
#include "kv/kv.h"
#include "support/temp_dir.h"

typedef struct kv_fixture {
    const grove_backend *backend;
    temp_dir dir;
    grove_backend_options options;
    grove__kv kv;
    grove_error error;
} kv_fixture;

/* Everything up to the open; `name` is a backend's. */
static inline void kv_fixture_prepare(kv_fixture *fixture, const char *name)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->backend = grove_backend_find(name);
    if (fixture->backend == NULL) {
        cr_skip_test("this build has no backend of that name");
    }
    temp_dir_make(&fixture->dir);
    fixture->options = (grove_backend_options){
        .path = fixture->dir.path,
        .directory_mode = 0700,
        .file_mode = 0600,
        .size_limit_bytes = UINT64_C(1) << 30,
        .wait_ms_max = 60000,
        .durability = GROVE_DURABILITY_NONE,
        .allocator = &grove__allocator_system,
    };
}

static inline void kv_fixture_open(kv_fixture *fixture)
{
    grove_status status = grove__kv_open(fixture->backend, &fixture->options,
                                         &fixture->kv, &fixture->error);
    cr_assert_eq(status, GROVE_OK, "%s", fixture->error.message);
}

static inline void kv_fixture_run(const char *name, void (*claim)(kv_fixture *))
{
    kv_fixture fixture;
    kv_fixture_prepare(&fixture, name);
    kv_fixture_open(&fixture);
    claim(&fixture);
    grove__kv_close(&fixture.kv);
    temp_dir_remove(&fixture.dir);
}

/* A test that runs on every backend. */
#define KV_TEST(suite, claim)               \
    static void claim(kv_fixture *fixture); \
    Test(suite, claim##_on_lmdb)            \
    {                                       \
        kv_fixture_run("lmdb", claim);      \
    }                                       \
    Test(suite, claim##_on_memory)          \
    {                                       \
        kv_fixture_run("memory", claim);    \
    }                                       \
    static void claim(kv_fixture *fixture)

static inline void kv_begin(kv_fixture *fixture, grove_txn_mode mode, grove__txn *txn)
{
    grove_status status = grove__txn_begin(&fixture->kv, mode, txn, &fixture->error);
    cr_assert_eq(status, GROVE_OK, "%s", fixture->error.message);
}

static inline void kv_commit(kv_fixture *fixture, grove__txn *txn)
{
    grove_status status = grove__txn_commit(txn, &fixture->error);
    cr_assert_eq(status, GROVE_OK, "%s", fixture->error.message);
}

static inline void kv_put(grove__txn *txn, const char *key, const char *value)
{
    grove_error error;
    cr_assert_eq(grove__kv_put(txn, GROVE__TABLE_GROUPS, grove_bytes_of(key),
                               grove_bytes_of(value), &error),
                 GROVE_OK, "%s", error.message);
}

#define assert_bytes(bytes, string)                                               \
    do {                                                                          \
        grove_bytes assert_bytes_given = (bytes);                                 \
        cr_assert_eq(assert_bytes_given.size, strlen(string));                    \
        cr_assert_eq(memcmp(assert_bytes_given.data, string, strlen(string)), 0); \
    } while (0)

#endif
