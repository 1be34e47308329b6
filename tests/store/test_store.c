#include "commit/store.h"
#include "support/store_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

STORE_TEST(store, is_the_same_one_after_it_was_closed)
{
    grove_store_statistics before;
    grove_store_statistics after;
    assert_ok(fixture,
              grove_store_statistics_get(fixture->store, &before, &fixture->error));
    cr_assert_eq(before.commit, 0);
    cr_assert_neq(before.incarnation, 0);
    store_fixture_close(fixture);
    store_fixture_open(fixture);
    assert_ok(fixture,
              grove_store_statistics_get(fixture->store, &after, &fixture->error));
    cr_assert_eq(after.incarnation, before.incarnation);
    cr_assert_str_eq(after.backend_name, fixture->options.backend->name);
}

STORE_TEST(store, that_must_exist_is_none_where_there_is_none)
{
    char path[sizeof fixture->dir.path + 16];
    (void)snprintf(path, sizeof path, "%s/elsewhere", fixture->dir.path);
    grove_store_options options = fixture->options;
    options.must_exist = true;
    grove_store *store = NULL;
    assert_fails(fixture, GROVE_NONE,
                 grove_store_open(path, &options, &store, &fixture->error));
    cr_assert_null(store);
    options.must_exist = false;
    assert_ok(fixture, grove_store_open(path, &options, &store, &fixture->error));
    grove_store_close(store);
    options.must_exist = true;
    assert_ok(fixture, grove_store_open(path, &options, &store, &fixture->error));
    grove_store_close(store);
}

STORE_TEST(store, refuses_options_that_cannot_be)
{
    grove_store *store = NULL;
    grove_store_options options = fixture->options;
    options.size--;
    assert_fails(fixture, GROVE_INVALID,
                 grove_store_open("x", &options, &store, &fixture->error));
    options = fixture->options;
    options.size_limit_bytes = 1;
    assert_fails(fixture, GROVE_INVALID,
                 grove_store_open("x", &options, &store, &fixture->error));
    options = fixture->options;
    options.size_limit_bytes = GROVE_STORE_BYTES_MAX + 1;
    assert_fails(fixture, GROVE_INVALID,
                 grove_store_open("x", &options, &store, &fixture->error));
    options = fixture->options;
    options.file_mode = 010000;
    assert_fails(fixture, GROVE_INVALID,
                 grove_store_open("x", &options, &store, &fixture->error));
    options = fixture->options;
    options.durability = (grove_durability)7;
    assert_fails(fixture, GROVE_INVALID,
                 grove_store_open("x", &options, &store, &fixture->error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_store_open("", &fixture->options, &store, &fixture->error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_store_open(NULL, &fixture->options, &store, &fixture->error));
}

Test(store, on_disk_gets_the_modes_it_was_given)
{
    store_fixture fixture;
    store_fixture_init(&fixture, "lmdb");
    char path[sizeof fixture.dir.path + 16];
    (void)snprintf(path, sizeof path, "%s/made", fixture.dir.path);
    fixture.options.directory_mode = 0750;
    fixture.options.file_mode = 0640;
    mode_t mask = umask(0);
    assert_ok(&fixture,
              grove_store_open(path, &fixture.options, &fixture.store, &fixture.error));
    (void)umask(mask);
    struct stat about;
    cr_assert_eq(stat(path, &about), 0);
    cr_assert_eq(about.st_mode & 07777, 0750);
    char file[sizeof path + 16];
    (void)snprintf(file, sizeof file, "%s/data.mdb", path);
    cr_assert_eq(stat(file, &about), 0);
    cr_assert_eq(about.st_mode & 07777, 0640);
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}

Test(store, on_disk_is_not_what_is_no_store)
{
    store_fixture fixture;
    store_fixture_init(&fixture, "lmdb");
    char file[sizeof fixture.dir.path + 16];
    (void)snprintf(file, sizeof file, "%s/data.mdb", fixture.dir.path);
    FILE *stream = fopen(file, "w");
    cr_assert_not_null(stream);
    for (int index = 0; index < 10000; index++) {
        (void)fputs("not a store ", stream);
    }
    (void)fclose(stream);
    assert_fails(&fixture, GROVE_INVALID,
                 grove_store_open(fixture.dir.path, &fixture.options, &fixture.store,
                                  &fixture.error));
    store_fixture_release(&fixture);
}

static bool no_random(void *context, void *bytes, size_t size)
{
    (void)context;
    (void)bytes;
    (void)size;
    return false;
}

STORE_TEST(store, says_so_when_the_random_hook_gives_nothing)
{
    grove_store_options options = fixture->options;
    grove_random random = {NULL, no_random};
    options.random = &random;
    char path[sizeof fixture->dir.path + 16];
    (void)snprintf(path, sizeof path, "%s/elsewhere", fixture->dir.path);
    grove_store *store = NULL;
    assert_fails(fixture, GROVE_IO,
                 grove_store_open(path, &options, &store, &fixture->error));
}

STORE_TEST(store, takes_no_more_memory_than_its_budget)
{
    store_fixture_close(fixture);
    /* Leaves of 16 bytes, as small limits have them, take some more. */
    fixture->options.memory_bytes_max = 4 << 20;
    store_fixture_open(fixture);
    grove_document *document = open_document(fixture, "a");
    static char text[1 << 16];
    memset(text, 'x', sizeof text);
    grove_status status = GROVE_OK;
    int count = 0;
    for (; status == GROVE_OK && count < 1000; count++) {
        status = grove_text_insert(document, 0,
                                   (grove_bytes){(const uint8_t *)text, sizeof text},
                                   &fixture->error);
    }
    cr_assert_eq(status, GROVE_NO_MEMORY, "%s", grove_status_name(status));
    cr_assert_gt(count, 2);
    grove_store_statistics statistics;
    assert_ok(fixture,
              grove_store_statistics_get(fixture->store, &statistics, &fixture->error));
    cr_assert_leq(statistics.memory_bytes, fixture->options.memory_bytes_max);
    uint64_t length;
    assert_ok(fixture, grove_text_length(document, &length, NULL, &fixture->error));
    cr_assert_eq(length, (uint64_t)(count - 1) * sizeof text);
    grove_document_close(document);
}

STORE_TEST(store, that_is_full_says_so_and_stays_whole)
{
    store_fixture_close(fixture);
    fixture->options.size_limit_bytes = 1 << 20;
    char path[sizeof fixture->dir.path + 16];
    (void)snprintf(path, sizeof path, "%s/small", fixture->dir.path);
    grove_store *store = NULL;
    assert_ok(fixture,
              grove_store_open(path, &fixture->options, &store, &fixture->error));
    static uint8_t state[100000];
    uint64_t drawn = 1;
    grove_status status = GROVE_OK;
    uint64_t saved = 0;
    for (char name[2] = "a"; status == GROVE_OK && saved < 100; name[0]++, saved++) {
        for (size_t index = 0; index < sizeof state; index++) {
            drawn = drawn * 6364136223846793005u + 1442695040888963407u;
            state[index] = (uint8_t)(drawn >> 56);
        }
        status =
            grove_group_save(store, grove_bytes_of(name),
                             (grove_bytes){state, sizeof state}, NULL, &fixture->error);
    }
    cr_assert_eq(status, GROVE_FULL, "%s", grove_status_name(status));
    saved--;
    cr_assert_gt(saved, 3);
    uint64_t commit;
    assert_ok(fixture, grove_store_commit(store, &commit, &fixture->error));
    cr_assert_eq(commit, saved);
    assert_ok(fixture,
              grove_group_delete(store, grove_bytes_of("a"), NULL, &fixture->error));
    assert_ok(fixture, grove_group_save(store, grove_bytes_of("b"),
                                        grove_bytes_of("small"), NULL, &fixture->error));
    grove_store_close(store);
    store_fixture_open(fixture);
}

/* Saves groups of so many bytes until there is no room for another. */
static void fill(store_fixture *fixture, size_t bytes)
{
    static uint8_t state[1 << 14];
    static uint64_t drawn = 1;
    grove_status status = GROVE_OK;
    while (status == GROVE_OK) {
        char name[32];
        for (size_t index = 0; index < bytes; index++) {
            drawn = drawn * 6364136223846793005u + 1442695040888963407u;
            state[index] = (uint8_t)(drawn >> 56);
        }
        (void)snprintf(name, sizeof name, "%llx", (unsigned long long)drawn);
        status = grove_group_save(fixture->store, grove_bytes_of(name),
                                  (grove_bytes){state, bytes}, NULL, &fixture->error);
    }
    cr_assert_eq(status, GROVE_FULL, "%s", grove_status_name(status));
}

static bool take_first(void *context, grove_bytes name)
{
    char *first = context;
    memcpy(first, name.data, name.size);
    first[name.size] = '\0';
    return false;
}

/* A child that reads what is there now until it is killed: meanwhile nothing
 * that a change leaves can be used again. */
static pid_t fork_reader(store_fixture *fixture)
{
    int told[2];
    char byte = 0;
    cr_assert_eq(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        grove__txn txn;
        (void)alarm(60); /* if nobody kills it */
        store_fixture_open(fixture);
        bool is_reading = grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                           &fixture->error) == GROVE_OK;
        if (is_reading && write(told[1], &byte, 1) == 1) {
            (void)pause();
        }
        _exit(1);
    }
    (void)close(told[1]);
    cr_assert_eq(read(told[0], &byte, 1), 1);
    (void)close(told[0]);
    return child;
}

/* Opening writes down that commits may be lost from here on. */
Test(store, that_is_full_can_be_opened_and_emptied)
{
    store_fixture fixture;
    char first[GROVE_GROUP_NAME_BYTES_MAX + 1];
    grove_bytes none = {NULL, 0};
    store_fixture_init(&fixture, "lmdb");
    fixture.options.size_limit_bytes = 8 << 20;
    fixture.options.durability = GROVE_DURABILITY_RELAXED;
    store_fixture_open(&fixture);
    for (size_t bytes = 1 << 14; bytes > 0; bytes /= 4) {
        fill(&fixture, bytes);
    }
    store_fixture_close(&fixture);
    pid_t reader = fork_reader(&fixture);
    for (int count = 0; count < 10; count++) {
        store_fixture_open(&fixture);
        fill(&fixture, 1);
        store_fixture_close(&fixture);
    }
    cr_assert_eq(kill(reader, SIGKILL), 0);
    cr_assert_eq(waitpid(reader, NULL, 0), reader);
    store_fixture_open(&fixture);
    for (int count = 0; count < 10; count++) {
        assert_ok(&fixture, grove_group_list(fixture.store, none, none, take_first, first,
                                             &fixture.error));
        assert_ok(&fixture, grove_group_delete(fixture.store, grove_bytes_of(first), NULL,
                                               &fixture.error));
    }
    assert_ok(&fixture, grove_group_save(fixture.store, grove_bytes_of("new"),
                                         grove_bytes_of("small"), NULL, &fixture.error));
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}

Test(store, in_memory_survives_a_power_cut_as_its_durability_says)
{
    const grove_durability modes[] = {GROVE_DURABILITY_FULL, GROVE_DURABILITY_RELAXED};
    for (size_t index = 0; index < 2; index++) {
        store_fixture fixture;
        store_fixture_init(&fixture, "memory");
        fixture.options.durability = modes[index];
        store_fixture_open(&fixture);
        assert_ok(&fixture, grove_group_save(fixture.store, grove_bytes_of("synced"),
                                             grove_bytes_of("1"), NULL, &fixture.error));
        assert_ok(&fixture, grove_store_sync(fixture.store, &fixture.error));
        assert_ok(&fixture,
                  grove_group_save(fixture.store, grove_bytes_of("acknowledged"),
                                   grove_bytes_of("2"), NULL, &fixture.error));
        grove_memory_disk_cut_power(fixture.disk);
        store_fixture_close(&fixture);
        store_fixture_open(&fixture);
        grove_bytes state = {NULL, 0};
        assert_ok(&fixture, grove_group_load(fixture.store, grove_bytes_of("synced"),
                                             &state, &fixture.error));
        grove_bytes_free(fixture.store, state);
        grove_status status = grove_group_load(
            fixture.store, grove_bytes_of("acknowledged"), &state, &fixture.error);
        if (modes[index] == GROVE_DURABILITY_FULL) {
            cr_assert_eq(status, GROVE_OK);
            grove_bytes_free(fixture.store, state);
        } else {
            cr_assert_eq(status, GROVE_NONE);
        }
        store_fixture_close(&fixture);
        store_fixture_release(&fixture);
    }
}
