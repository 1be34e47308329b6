#include "lmdb/lmdb_file.h"

#include <fcntl.h>

#include "lmdb_fixture.h"

#include "support/faulty_allocator.h"
#include "support/random.h"

enum { PAGE = 4096, META = 16, PAGE_SIZE_AT = META + 24, LAST_PAGE_AT = META + 120 };

/* What is done to the file of a good store: its first `size` bytes are kept
 * (all for SIZE_MAX), then `count` bytes at `at` are overwritten. */
typedef struct file_damage {
    size_t size;
    size_t at;
    const char *bytes;
    size_t count;
    /* What the message has to say. */
    const char *said;
} file_damage;

#define ALL SIZE_MAX
#define EIGHT_ONES "\xff\xff\xff\xff\xff\xff\xff\xff"

static const file_damage DAMAGES[] = {
    {0, 0, "", 0, "is truncated: it has 0 bytes"},
    {1, 0, "", 0, "is truncated: it has 1 bytes"},
    {META + 4, 0, "", 0, "is truncated: it has 20 bytes"},
    {META + 135, 0, "", 0, "is truncated: it has 151 bytes"},
    {PAGE - 1, 0, "", 0, "is truncated: it has 4095 bytes"},
    {PAGE, 0, "", 0, "is truncated: it has 4096 bytes"},
    {PAGE + META + 135, 0, "", 0, "is truncated: it has 4247 bytes"},
    {2 * PAGE, 0, "", 0, "is truncated: it has 8192 of "},
    {2 * PAGE + 1, 0, "", 0, "is truncated: it has 8193 of "},
    {20 * PAGE, 0, "", 0, "is truncated: it has 81920 of "},
    {ALL, 0, "SQLite format 3\0\x10\0\1\1", 20, "begins with \"SQLite format 3.\""},
    {30, 0, "This is a text of thirty bytes", 30, "begins with \"This is a text o\""},
    {ALL, META, "\xde\xc0\xef\xbf", 4, "is not LMDB's"},
    {ALL, META, "\xbe\xef\xc0\xde", 4, "other byte order"},
    {ALL, 10, "\0\0", 2, "is not LMDB's"},
    {ALL, META + 4, "\2\0\0\0", 4, "is in version 2 of LMDB's format"},
    {ALL, META + 4, "\xe7\3\0\0", 4, "is in version 999 of LMDB's format"},
    {ALL, PAGE + META + 4, "\2\0\0\0", 4, "is in version 2 of LMDB's format"},
    {ALL, PAGE, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20, "is not LMDB's"},
    {ALL, PAGE_SIZE_AT, "\0\0\0\0", 4, "damaged header: pages of 0 bytes"},
    {ALL, PAGE_SIZE_AT, "\0\1\0\0", 4, "damaged header: pages of 256 bytes"},
    {ALL, PAGE_SIZE_AT, "\0\x30\0\0", 4, "damaged header: pages of 12288 bytes"},
    {ALL, PAGE_SIZE_AT, "\0\0\2\0", 4, "damaged header: pages of 131072 bytes"},
    {ALL, PAGE_SIZE_AT, "\0\x20\0\0", 4, "is not LMDB's"},
    {ALL, PAGE + PAGE_SIZE_AT, "\0\x20\0\0", 4, "disagree about the page size"},
    {ALL, PAGE + LAST_PAGE_AT, EIGHT_ONES, 8, "damaged header"},
    {ALL, PAGE + LAST_PAGE_AT, "\0\0\0\0\0\0\0\0", 8, "damaged header"},
    {ALL, PAGE + LAST_PAGE_AT, "\xff\xff\xff\xff\xff\0\0\0", 8, "is truncated"},
    {ALL, PAGE + META + 24 + 40, "\1\0\0\0\0\0\0\0", 8, "damaged header"},
    {ALL, PAGE + META + 72 + 40, "\xff\xff\xff\xff\0\0\0\0", 8, "damaged header"},
};

/* The newest header is the second one: a store after an odd commit. */
static grove_bytes make_good_file(lmdb_fixture *fixture)
{
    fixture->options.size_limit_bytes = UINT64_C(1) << 22;
    lmdb_fill(fixture, 100, 1000);
    grove_bytes good = lmdb_read_file(fixture->data);
    uint64_t transactions[2];
    memcpy(&transactions[0], good.data + LAST_PAGE_AT + 8, 8);
    memcpy(&transactions[1], good.data + PAGE + LAST_PAGE_AT + 8, 8);
    if (transactions[1] < transactions[0]) {
        free((void *)(uintptr_t)good.data);
        lmdb_fill(fixture, 100, 1000);
        good = lmdb_read_file(fixture->data);
    }
    return good;
}

Test(lmdb_file, a_file_that_is_no_whole_store_is_refused_and_left_alone)
{
    lmdb_fixture fixture;
    char lock[TEMP_DIR_PATH_BYTES];
    char control[TEMP_DIR_PATH_BYTES];
    lmdb_fixture_make(&fixture);
    grove_bytes good = make_good_file(&fixture);
    (void)temp_dir_path(&fixture.dir, "store/lock.mdb", lock);
    (void)temp_dir_path(&fixture.dir, "store/grove.lock", control);
    uint8_t *bad = malloc(good.size);
    cr_assert_not_null(bad);
    for (size_t index = 0; index < 2 * (sizeof DAMAGES / sizeof *DAMAGES); index++) {
        const file_damage *damage = &DAMAGES[index / 2];
        grove_backend_env *env = NULL;
        size_t size = damage->size == ALL ? good.size : damage->size;
        memcpy(bad, good.data, good.size);
        if (damage->count > 0) {
            memcpy(bad + damage->at, damage->bytes, damage->count);
        }
        lmdb_write_file(fixture.data, bad, size);
        (void)unlink(lock);
        (void)unlink(control);
        fixture.options.must_exist = index % 2 != 0;
        cr_assert_eq(lmdb_try_open(&fixture, &env), GROVE_INVALID, "damage %zu",
                     index / 2);
        cr_assert_null(env);
        cr_assert_not_null(strstr(fixture.error.message, damage->said),
                           "damage %zu: '%s' in '%s'", index / 2, damage->said,
                           fixture.error.message);
        cr_assert_not_null(strstr(fixture.error.message, "store/data.mdb"));
        cr_assert_eq(lmdb_count_entries(fixture.path), 1, "damage %zu", index / 2);
        grove_bytes after = lmdb_read_file(fixture.data);
        cr_assert_eq(after.size, size);
        cr_assert_eq(memcmp(after.data, bad, size), 0);
        free((void *)(uintptr_t)after.data);
    }
    lmdb_write_file(fixture.data, good.data, good.size);
    fixture.backend->close(lmdb_open_env(&fixture));
    free(bad);
    free((void *)(uintptr_t)good.data);
    lmdb_fixture_remove(&fixture);
}

/* As LMDB leaves it when a commit could not write its header. */
Test(lmdb_file, the_older_header_may_name_pages_that_it_does_not_have)
{
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    grove_bytes good = make_good_file(&fixture);
    uint8_t *odd = malloc(good.size);
    cr_assert_not_null(odd);
    memcpy(odd, good.data, good.size);
    memcpy(odd + META + 72 + 40, "\xff\xff\0\0\0\0\0\0", 8);
    memcpy(odd + LAST_PAGE_AT, "\1\0\0\0\0\0\0\0", 8);
    lmdb_write_file(fixture.data, odd, good.size);
    fixture.backend->close(lmdb_open_env(&fixture));
    free(odd);
    free((void *)(uintptr_t)good.data);
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_file, what_is_no_regular_file_is_refused)
{
    lmdb_fixture fixture;
    grove_backend_env *env = NULL;
    lmdb_fixture_make(&fixture);
    cr_assert_eq(mkdir(fixture.path, 0700), 0);
    cr_assert_eq(mkdir(fixture.data, 0700), 0);
    cr_assert_eq(lmdb_try_open(&fixture, &env), GROVE_INVALID);
    cr_assert_not_null(strstr(fixture.error.message, "is not a regular file"));
    cr_assert_eq(rmdir(fixture.data), 0);
    cr_assert_eq(mkfifo(fixture.data, 0600), 0);
    cr_assert_eq(lmdb_try_open(&fixture, &env), GROVE_INVALID, "and without waiting");
    cr_assert_eq(unlink(fixture.data), 0);
    cr_assert_eq(symlink("nowhere", fixture.data), 0);
    cr_assert_eq(lmdb_try_open(&fixture, &env), GROVE_INVALID);
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_file, no_file_is_none)
{
    grove_error error = {.status = GROVE_OK};
    cr_assert_eq(
        grove__lmdb_file_check("/nowhere/data.mdb", &grove__allocator_system, &error),
        GROVE_NONE);
}

/* How many pages the newest header speaks of. */
static uint64_t pages_of_header(const char *path)
{
    uint64_t fields[2][2]; /* last page, transaction */
    int file = open(path, O_RDONLY);
    for (off_t index = 0; index < 2; index++) {
        cr_assert_eq(
            pread(file, fields[index], sizeof fields[index], index * PAGE + LAST_PAGE_AT),
            sizeof fields[index]);
    }
    (void)close(file);
    return fields[fields[1][1] > fields[0][1]][0] + 1;
}

static bool is_short(const char *path)
{
    struct stat about;
    cr_assert_eq(stat(path, &about), 0);
    return (uint64_t)about.st_size < pages_of_header(path) * PAGE;
}

/* One commit that takes pages at the end of the file and gives them back. */
static void commit_passing(lmdb_fixture *fixture, test_random *random,
                           grove_backend_env *env)
{
    const uint32_t passing = 0xffffffff;
    grove_bytes passing_key = {(const uint8_t *)&passing, sizeof passing};
    grove_backend_txn *txn = lmdb_begin_txn(fixture, env, GROVE_TXN_WRITE);
    for (size_t count = 1 + test_random_below(random, 4); count > 0; count--) {
        uint32_t number = (uint32_t)test_random_below(random, 200);
        size_t bytes = test_random_below(random, 9000);
        cr_assert_eq(lmdb_put_number(fixture, txn, number, bytes), GROVE_OK);
    }
    size_t bytes = 100000 + test_random_below(random, 600000);
    cr_assert_eq(lmdb_put_number(fixture, txn, passing, bytes), GROVE_OK);
    cr_assert_eq(fixture->backend->remove(txn, 0, passing_key, NULL), GROVE_OK);
    cr_assert_eq(fixture->backend->commit(txn, NULL), GROVE_OK);
}

/* Leaves a file whose last pages were never written, after at least `rounds`
 * commits. */
static void make_short_file(lmdb_fixture *fixture, test_random *random, size_t rounds)
{
    size_t round = 0;
    do {
        cr_assert_lt(round, 1000 + rounds, "LMDB writes all pages: no object to test");
        grove_backend_env *env = lmdb_open_env(fixture);
        commit_passing(fixture, random, env);
        fixture->backend->close(env);
        round++;
    } while (round < rounds || !is_short(fixture->data));
}

/* Reads everything; a page that is not there would end the test. */
static void read_all(lmdb_fixture *fixture, grove_backend_env *env)
{
    grove_backend_txn *txn = lmdb_begin_txn(fixture, env, GROVE_TXN_READ);
    for (uint32_t number = 0; number < 256; number++) {
        (void)lmdb_has_number(fixture, txn, number);
    }
    fixture->backend->abort(txn);
}

Test(lmdb_file, a_file_without_its_last_free_pages_is_whole)
{
    test_random random = test_random_of("a_file_without_its_last_free_pages_is_whole");
    for (size_t rounds = 1; rounds < 12; rounds += 2) {
        lmdb_fixture fixture;
        lmdb_fixture_make(&fixture);
        lmdb_fill(&fixture, 100, 1000);
        make_short_file(&fixture, &random, rounds);
        grove_backend_env *env = lmdb_open_env(&fixture);
        read_all(&fixture, env);
        fixture.backend->close(env);
        lmdb_fill(&fixture, 256, 5000);
        lmdb_fixture_remove(&fixture);
    }
}

static void remove_number(lmdb_fixture *fixture, grove_backend_env *env, uint32_t number)
{
    grove_bytes key = {(const uint8_t *)&number, sizeof number};
    grove_backend_txn *txn = lmdb_begin_txn(fixture, env, GROVE_TXN_WRITE);
    cr_assert_eq(fixture->backend->remove(txn, 0, key, NULL), GROVE_OK);
    cr_assert_eq(fixture->backend->commit(txn, NULL), GROVE_OK);
}

/*
 * A short file whose free list has branch pages. What is freed while a reader
 * is open stays on the list, a record for each commit; the pages that these
 * commits need were freed before, so that the file does not grow.
 */
static void make_long_free_list(lmdb_fixture *fixture, test_random *random)
{
    enum { NUMBERS = 2000, COMMITS = 250 };
    lmdb_fill(fixture, NUMBERS, 5000);
    grove_backend_env *env = lmdb_open_env(fixture);
    for (uint32_t number = 0; number < NUMBERS / 2; number++) {
        remove_number(fixture, env, 2 * number);
    }
    grove_backend_txn *reader = lmdb_begin_txn(fixture, env, GROVE_TXN_READ);
    for (uint32_t commit = 0; commit < COMMITS; commit++) {
        remove_number(fixture, env, 2 * commit + 1);
    }
    for (size_t commit = 0; !is_short(fixture->data); commit++) {
        cr_assert_lt(commit, 100, "LMDB writes all pages: no object to test");
        commit_passing(fixture, random, env);
    }
    fixture->backend->abort(reader);
    fixture->backend->close(env);
}

/* Opens the file's first bytes in steps of pages: whole, or refused. */
static void cut_everywhere(lmdb_fixture *fixture, size_t step)
{
    grove_bytes file = lmdb_read_file(fixture->data);
    size_t refused = 0;
    size_t tried = 0;
    for (size_t size = file.size; size > 0; size -= size < step ? size : step) {
        grove_backend_env *env = NULL;
        lmdb_write_file(fixture->data, file.data, size);
        grove_status status = lmdb_try_open(fixture, &env);
        if (status == GROVE_OK) {
            read_all(fixture, env);
            fixture->backend->close(env);
        } else {
            cr_assert_eq(status, GROVE_INVALID);
            refused++;
        }
        cr_assert(size != file.size || status == GROVE_OK, "%s", fixture->error.message);
        tried++;
    }
    cr_assert_gt(refused, tried / 4);
    free((void *)(uintptr_t)file.data);
}

Test(lmdb_file, wherever_a_file_is_cut_it_is_whole_or_refused)
{
    test_random random = test_random_of("wherever_a_file_is_cut_it_is_whole_or_refused");
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    lmdb_fill(&fixture, 100, 1000);
    make_short_file(&fixture, &random, 30);
    cut_everywhere(&fixture, PAGE);
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_file, a_long_free_list_is_read_to_its_end)
{
    test_random random = test_random_of("a_long_free_list_is_read_to_its_end");
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    make_long_free_list(&fixture, &random);
    cut_everywhere(&fixture, 101 * PAGE);
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_file, bytes_turned_over_never_break_the_check)
{
    test_random random = test_random_of("bytes_turned_over_never_break_the_check");
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    lmdb_fill(&fixture, 300, 1000);
    make_short_file(&fixture, &random, 20);
    grove_bytes file = lmdb_read_file(fixture.data);
    uint8_t *bad = malloc(file.size);
    cr_assert_not_null(bad);
    for (size_t round = 0; round < 500; round++) {
        grove_error error = {.status = GROVE_OK};
        memcpy(bad, file.data, file.size);
        for (size_t count = 1 + test_random_below(&random, 50); count > 0; count--) {
            /* Half of them where structure is: the begin of a page. */
            size_t at = test_random_below(&random, file.size);
            at = count % 2 != 0 ? at : at / PAGE * PAGE + at % 64;
            bad[at] = (uint8_t)test_random_next(&random);
        }
        lmdb_write_file(fixture.data, bad, file.size);
        grove_status status =
            grove__lmdb_file_check(fixture.data, &grove__allocator_system, &error);
        cr_assert(status == GROVE_OK || status == GROVE_INVALID);
        cr_assert_eq(error.status, status);
    }
    free(bad);
    free((void *)(uintptr_t)file.data);
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_file, out_of_memory_is_reported)
{
    test_random random = test_random_of("out_of_memory_is_reported");
    lmdb_fixture fixture;
    faulty_allocator faulty;
    lmdb_fixture_make(&fixture);
    lmdb_fill(&fixture, 100, 1000);
    make_short_file(&fixture, &random, 3);
    faulty_allocator_init(&faulty, 1);
    cr_assert_eq(grove__lmdb_file_check(fixture.data, &faulty.allocator, &fixture.error),
                 GROVE_NO_MEMORY);
    cr_assert_eq(grove__lmdb_file_check(fixture.data, &faulty.allocator, NULL), GROVE_OK);
    faulty_allocator_finish(&faulty);
    lmdb_fixture_remove(&fixture);
}
