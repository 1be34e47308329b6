#include "support/store_fixture.h"

#include "commit/age.h"
#include "commit/write_set.h"
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
