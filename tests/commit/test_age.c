#include <pthread.h>
#include <stdatomic.h>

#include "support/store_fixture.h"

#include "commit/age.h"
#include "commit/commit.h"
#include "format/commits.h"

/* How many entries the table `commits` has, and how many are packs. */
static void count_entries(store_fixture *fixture, uint64_t *entries, uint64_t *packs)
{
    grove__txn txn;
    grove__cursor cursor;
    grove_bytes key;
    grove_bytes value;
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    assert_ok(fixture,
              grove__cursor_open(&txn, GROVE__TABLE_COMMITS, &cursor, &fixture->error));
    *entries = 0;
    *packs = 0;
    grove_bytes first = {(const uint8_t *)"", 1};
    grove_status status = grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, first, &key,
                                             &value, &fixture->error);
    for (; status == GROVE_OK; ++*entries) {
        *packs += grove__commits_is_pack(value) ? 1 : 0;
        status = grove__cursor_next(&cursor, &key, &value, &fixture->error);
    }
    cr_assert_eq(status, GROVE_NONE);
    grove__cursor_close(&cursor);
    grove__txn_abort(&txn);
}

static void commit_groups(store_fixture *fixture, uint64_t from, uint64_t end)
{
    for (uint64_t number = from; number < end; number++) {
        uint64_t commit;
        fixture->now += 1000;
        assert_ok(fixture,
                  grove_group_save(fixture->store, grove_bytes_of("a"),
                                   grove_bytes_of("x"), &commit, &fixture->error));
        cr_assert_eq(commit, number);
    }
}

STORE_TEST(age, packs_the_records_of_older_commits_and_keeps_their_numbers)
{
    const uint64_t range = GROVE__PACKED_COMMITS;
    uint64_t entries;
    uint64_t packs;
    commit_groups(fixture, 1, 2 * range + 1);
    count_entries(fixture, &entries, &packs);
    cr_assert_eq(packs, 0);
    commit_groups(fixture, 2 * range + 1, 4 * range + 2);
    count_entries(fixture, &entries, &packs);
    cr_assert_eq(packs, 3);
    cr_assert_eq(entries, 3 + range + 1);
    /* What another process left behind is found by looking back. */
    store_fixture_close(fixture);
    store_fixture_open(fixture);
    commit_groups(fixture, 4 * range + 2, 7 * range + 3);
    count_entries(fixture, &entries, &packs);
    cr_assert_eq(packs, 6);
    uint64_t commit;
    assert_ok(fixture, grove_store_commit(fixture->store, &commit, &fixture->error));
    cr_assert_eq(commit, 7 * range + 2);
}

STORE_TEST(age, keeps_what_each_commit_touched_and_when)
{
    const uint64_t range = GROVE__PACKED_COMMITS;
    int64_t began = fixture->now;
    commit_groups(fixture, 1, 2 * range + 2);
    grove__txn txn;
    grove__key key;
    grove_bytes value;
    grove__commits commits;
    grove__commits_init(&commits, fixture->store->allocator);
    grove__key_of_commit(&key, 1);
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    assert_ok(fixture, grove__kv_get(&txn, GROVE__TABLE_COMMITS, grove__key_view(&key),
                                     &value, &fixture->error));
    assert_ok(fixture, grove__commits_decode(value, &commits, &fixture->error));
    grove__txn_abort(&txn);
    cr_assert_eq(commits.first, 1);
    const grove__commits_entry *entries =
        (const grove__commits_entry *)(const void *)commits.entries.data;
    cr_assert_eq(commits.entries.size / sizeof *entries, range);
    for (uint64_t index = 0; index < range; index++) {
        cr_assert_eq(entries[index].time, began + 1000 * (int64_t)(index + 1));
        cr_assert_eq(entries[index].touch_count, 1);
    }
    grove__commits_release(&commits);
}

static grove_status prepare(store_fixture *fixture, grove__write_set *set,
                            grove__age_result *result)
{
    grove__write_set_init(set, fixture->store->allocator);
    return grove__age_prepare(fixture->store, 1000000, set, result, &fixture->error);
}

static grove__aging_record aging_of(store_fixture *fixture)
{
    grove__txn txn;
    grove__aging_record record;
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    assert_ok(fixture, grove__age_read(&txn, &record, &fixture->error));
    grove__txn_abort(&txn);
    return record;
}

STORE_TEST(age, goes_on_by_one_run_at_a_time_and_once_for_all_processes)
{
    grove__write_set one;
    grove__write_set other;
    grove__age_result result;
    /* As if aging had failed for a while. */
    atomic_store(&fixture->store->age_at, UINT64_MAX);
    cr_assert_eq(prepare(fixture, &one, &result), GROVE_NONE);
    grove__write_set_release(&one);
    commit_groups(fixture, 1, 4 * GROVE__PACKED_COMMITS + 1);
    for (uint64_t run = 1; run <= 3; run++) {
        assert_ok(fixture, prepare(fixture, &one, &result));
        cr_assert_eq(result.aged, run * GROVE__PACKED_COMMITS);
        cr_assert_eq(result.removed, 0);
        assert_ok(fixture, prepare(fixture, &other, &result));
        assert_ok(fixture, grove__commit(fixture->store, &one, NULL, &fixture->error));
        assert_fails(fixture, GROVE_CONFLICT,
                     grove__commit(fixture->store, &other, NULL, &fixture->error));
        grove__write_set_release(&other);
        grove__write_set_release(&one);
        cr_assert_eq(aging_of(fixture).aged, run * GROVE__PACKED_COMMITS);
    }
    cr_assert_eq(prepare(fixture, &one, &result), GROVE_NONE);
    grove__write_set_release(&one);
}

/* Puts the record of one commit that touches `count` groups. */
static void put_large(store_fixture *fixture, size_t count)
{
    grove__write_set set;
    uint64_t commit;
    grove__write_set_init(&set, fixture->store->allocator);
    grove__touch touch = {GROVE__TOUCH_GROUP, grove_bytes_of("g"), 0, 0};
    for (size_t index = 0; index < count; index++) {
        grove__write_set_touch(&set, &touch);
    }
    assert_ok(fixture, grove__commit(fixture->store, &set, &commit, &fixture->error));
    grove__write_set_release(&set);
}

STORE_TEST(age, passes_over_commits_of_too_many_things)
{
    const uint64_t range = GROVE__PACKED_COMMITS;
    uint64_t entries;
    uint64_t packs;
    uint64_t removed = 0;
    put_large(fixture, GROVE__COMMITS_TOUCHES_MAX + 1);
    commit_groups(fixture, 2, 4 * range + 2);
    count_entries(fixture, &entries, &packs);
    cr_assert_eq(packs, 2, "of the second and of the third run");
    cr_assert_eq(entries, 2 * range + 1 + 2);
    cr_assert_eq(aging_of(fixture).aged, 3 * range);
    grove_feed_retention retention = {range, 0};
    assert_ok(fixture,
              grove_feed_retention_set(fixture->store, &retention, &fixture->error));
    assert_ok(fixture,
              grove_feed_trim(fixture->store, 100000, &removed, &fixture->error));
    cr_assert_eq(removed, 3 * range + 1);
    cr_assert_eq(aging_of(fixture).aged, 3 * range + 1);
}

STORE_TEST(age, with_a_commit_missing_is_refused_and_no_commit_is)
{
    grove__write_set set;
    grove__age_result result;
    grove__key key;
    atomic_store(&fixture->store->age_at, UINT64_MAX);
    commit_groups(fixture, 1, 2 * GROVE__PACKED_COMMITS + 1);
    grove__write_set_init(&set, fixture->store->allocator);
    grove__key_of_commit(&key, 3);
    grove__write_set_remove(&set, GROVE__TABLE_COMMITS, grove__key_view(&key));
    assert_ok(fixture, grove__commit(fixture->store, &set, NULL, &fixture->error));
    grove__write_set_release(&set);
    assert_fails(fixture, GROVE_CORRUPT, prepare(fixture, &set, &result));
    grove__write_set_release(&set);
    atomic_store(&fixture->store->age_at, 0);
    commit_groups(fixture, 2 * GROVE__PACKED_COMMITS + 1, 4 * GROVE__PACKED_COMMITS + 1);
    cr_assert_eq(aging_of(fixture).aged, 0);
}

enum { THREADS = 4, EACH = 2 * GROVE__PACKED_COMMITS };

typedef struct saver {
    grove_store *store;
    int number;
    uint64_t commits[EACH];
    bool has_failed;
} saver;

static void *save_often(void *context)
{
    saver *self = context;
    const uint8_t id[1] = {(uint8_t)('a' + self->number)};
    grove_document *document = NULL;
    self->has_failed = grove_document_open(self->store, (grove_bytes){id, 1}, NULL,
                                           &document, NULL) != GROVE_OK;
    for (int index = 0; !self->has_failed && index < EACH; index++) {
        grove_save_result result = {0};
        self->has_failed =
            grove_text_insert(document, 0, grove_bytes_of("x"), NULL) != GROVE_OK ||
            grove_document_save(document, NULL, &result, NULL) != GROVE_OK;
        self->commits[index] = result.commit;
    }
    grove_document_close(document);
    return NULL;
}

STORE_TEST(age, goes_along_with_threads_that_commit_at_a_time)
{
    static saver savers[THREADS];
    pthread_t threads[THREADS];
    for (int number = 0; number < THREADS; number++) {
        savers[number] = (saver){.store = fixture->store, .number = number};
        cr_assert_eq(pthread_create(&threads[number], NULL, save_often, &savers[number]),
                     0);
    }
    for (int number = 0; number < THREADS; number++) {
        cr_assert_eq(pthread_join(threads[number], NULL), 0);
    }
    cr_assert_geq(aging_of(fixture).aged,
                  (THREADS * EACH) - 3 * (uint64_t)GROVE__PACKED_COMMITS);
    for (int number = 0; number < THREADS; number++) {
        const uint8_t id[1] = {(uint8_t)('a' + number)};
        cr_assert(!savers[number].has_failed);
        for (int index = 0; index < EACH; index++) {
            uint64_t clock;
            assert_ok(fixture,
                      grove_document_clock_at(fixture->store, (grove_bytes){id, 1},
                                              savers[number].commits[index], &clock,
                                              &fixture->error));
            cr_assert_eq(clock, (uint64_t)index + 1);
        }
    }
}
