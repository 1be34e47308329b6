/*
 * A store on a backend of the test's choice, which outlives its handle: on
 * LMDB in a directory of its own, in memory on a disk of its own.
 */
#ifndef GROVE_TESTS_STORE_FIXTURE_H
#define GROVE_TESTS_STORE_FIXTURE_H

#include <criterion/criterion.h>

#include <grove/backend_memory.h>
#include <grove/grove.h>

#include "support/temp_dir.h"

typedef struct store_fixture {
    temp_dir dir;
    grove_memory_disk *disk;
    grove_store_options options;
    grove_store *store;
    grove_error error;
    int64_t now; /* what the store's clock says; the test moves it */
} store_fixture;

static inline int64_t store_fixture_now(void *context)
{
    return ((store_fixture *)context)->now;
}

#define assert_ok(fixture, call)                                  \
    do {                                                          \
        grove_status assert_ok_status = (call);                   \
        cr_assert_eq(assert_ok_status, GROVE_OK, "%s: %s", #call, \
                     (fixture)->error.message);                   \
    } while (0)

/* The status, with an error that says so. */
#define assert_fails(fixture, wanted, call)                                      \
    do {                                                                         \
        (fixture)->error.message[0] = '\0';                                      \
        grove_status assert_fails_status = (call);                               \
        cr_assert_eq(assert_fails_status, wanted, "%s: %s instead of %s", #call, \
                     grove_status_name(assert_fails_status), #wanted);           \
        cr_assert_eq((fixture)->error.status, wanted);                           \
        cr_assert_neq((fixture)->error.message[0], '\0');                        \
    } while (0)

static inline void store_fixture_open(store_fixture *fixture)
{
    assert_ok(fixture, grove_store_open(fixture->dir.path, &fixture->options,
                                        &fixture->store, &fixture->error));
}

static inline void store_fixture_close(store_fixture *fixture)
{
    grove_store_close(fixture->store);
    fixture->store = NULL;
}

static inline void store_fixture_init(store_fixture *fixture, const char *backend)
{
    *fixture = (store_fixture){.options = GROVE_STORE_OPTIONS_INIT};
    temp_dir_make(&fixture->dir);
    fixture->options.backend = grove_backend_find(backend);
    cr_assert_not_null(fixture->options.backend);
    if (strcmp(backend, "memory") == 0) {
        fixture->disk = grove_memory_disk_new(NULL);
        fixture->options.backend_context = fixture->disk;
    }
    fixture->options.durability = GROVE_DURABILITY_NONE;
    fixture->now = 1700000000000;
}

static inline void store_fixture_release(store_fixture *fixture)
{
    grove_memory_disk_free(fixture->disk);
    temp_dir_remove(&fixture->dir);
}

static inline void store_fixture_run(const char *backend, void (*claim)(store_fixture *))
{
    store_fixture fixture;
    store_fixture_init(&fixture, backend);
    grove_clock clock = {&fixture, store_fixture_now};
    fixture.options.clock = &clock;
    store_fixture_open(&fixture);
    claim(&fixture);
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}

/* A claim that is tested on both backends. */
#define STORE_TEST(suite, claim)               \
    static void claim(store_fixture *fixture); \
    Test(suite, claim##_on_lmdb)               \
    {                                          \
        store_fixture_run("lmdb", claim);      \
    }                                          \
    Test(suite, claim##_in_memory)             \
    {                                          \
        store_fixture_run("memory", claim);    \
    }                                          \
    static void claim(store_fixture *fixture)

/* --- documents --- */

static inline grove_document *open_document(store_fixture *fixture, const char *id)
{
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of(id), NULL,
                                           &document, &fixture->error));
    return document;
}

/* With snapshots only when asked for. */
static inline grove_document *open_manual(store_fixture *fixture, const char *id,
                                          const grove_document_type *type)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = type;
    options.policy.automatic = false;
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of(id), &options,
                                           &document, &fixture->error));
    return document;
}

static inline void insert(store_fixture *fixture, grove_document *document,
                          uint64_t position, const char *utf8)
{
    assert_ok(fixture, grove_text_insert(document, position, grove_bytes_of(utf8),
                                         &fixture->error));
}

static inline grove_save_result save(store_fixture *fixture, grove_document *document)
{
    grove_save_result result;
    assert_ok(fixture, grove_document_save(document, NULL, &result, &fixture->error));
    return result;
}

static inline grove_document_statistics statistics_of(store_fixture *fixture,
                                                      const char *id)
{
    grove_document_statistics statistics;
    assert_ok(fixture, grove_document_statistics_get(fixture->store, grove_bytes_of(id),
                                                     &statistics, &fixture->error));
    return statistics;
}

static inline void assert_text(store_fixture *fixture, const grove_document *document,
                               const char *expected)
{
    uint64_t length;
    uint64_t bytes;
    uint64_t points;
    size_t read;
    assert_ok(fixture, grove_text_length(document, &length, &bytes, &fixture->error));
    cr_assert_eq(bytes, strlen(expected), "%llu bytes instead of %zu",
                 (unsigned long long)bytes, strlen(expected));
    char *buffer = malloc(bytes + 1);
    assert_ok(fixture, grove_text_read(document, 0, length, buffer, bytes + 1, &read,
                                       &points, &fixture->error));
    cr_assert_eq(read, bytes);
    cr_assert_eq(points, length);
    cr_assert_eq(memcmp(buffer, expected, read), 0);
    free(buffer);
}

static inline void assert_stored_text(store_fixture *fixture, const char *id,
                                      const char *expected)
{
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_load(fixture->store, grove_bytes_of(id), NULL,
                                           &document, &fixture->error));
    cr_assert_eq(grove_document_damaged_snapshots(document), 0);
    assert_text(fixture, document, expected);
    grove_document_close(document);
}

#endif
