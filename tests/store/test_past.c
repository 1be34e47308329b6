/* What a dump tells of commits, kept and removed, comes back. */
#include "store/past.h"

#include "base/hash.h"
#include "commit/age.h"
#include "support/dump.h"

/* What the feed gives, as one number; and up to where. */
typedef struct feed_sum {
    uint64_t sum;
    uint64_t first;
    uint64_t last;
    uint64_t metas;
} feed_sum;

static bool add_commit(void *context, const grove_feed_commit *commit)
{
    feed_sum *all = context;
    const uint64_t numbers[] = {commit->number, (uint64_t)commit->time,
                                commit->incarnation, commit->touch_count};
    all->sum =
        grove__hash((grove_bytes){(const uint8_t *)numbers, sizeof numbers}, all->sum);
    all->sum = grove__hash(commit->meta, all->sum);
    for (size_t index = 0; index < commit->touch_count; index++) {
        const grove_feed_touch *touch = &commit->touches[index];
        all->sum = grove__hash(touch->name, all->sum);
        all->sum = all->sum * 31 + touch->first_clock * 7 + touch->count;
    }
    all->first = all->first == 0 ? commit->number : all->first;
    all->last = commit->number;
    all->metas += commit->meta.size > 0;
    return true;
}

static feed_sum read_feed(store_fixture *fixture, const grove_feed_token *from,
                          grove_feed_token *token_out)
{
    feed_sum all = {0, 0, 0, 0};
    grove_feed_result result = {.commits = 1};
    const grove_feed_token *at = from;
    while (result.commits > 0) {
        assert_ok(fixture, grove_feed_read(fixture->store, at, 100, add_commit, &all,
                                           &result, &fixture->error));
        at = &result.next;
    }
    *token_out = result.next;
    return all;
}

enum { SAVES = 2 * GROVE__PACKED_COMMITS };

static const char *const PAST_IDS[] = {"again",     "past", "young", "merged", "deleted",
                                       "compacted", "a",    "b",     "c"};

/* The same answer for each commit; how often that was a clock. */
static uint64_t assert_same_clocks(store_fixture *from, store_fixture *to)
{
    uint64_t newest;
    uint64_t known = 0;
    assert_ok(from, grove_store_commit(from->store, &newest, &from->error));
    for (size_t id = 0; id < sizeof PAST_IDS / sizeof *PAST_IDS; id++) {
        for (uint64_t commit = 0; commit <= newest + 1; commit++) {
            uint64_t clocks[] = {7, 7};
            grove_bytes name = grove_bytes_of(PAST_IDS[id]);
            grove_status one = grove_document_clock_at(from->store, name, commit,
                                                       &clocks[0], &from->error);
            grove_status other =
                grove_document_clock_at(to->store, name, commit, &clocks[1], &to->error);
            cr_assert_eq(one, other, "%s after commit %d: %s, %s", PAST_IDS[id],
                         (int)commit, grove_status_name(one), grove_status_name(other));
            cr_assert_eq(clocks[0], clocks[1], "%s after commit %d", PAST_IDS[id],
                         (int)commit);
            known += one == GROVE_OK;
        }
    }
    return known;
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

STORE_TEST(past, brings_back_the_feed_and_the_clocks_of_removed_commits)
{
    dump_make_store(fixture, 20);
    dump_make_past(fixture);
    exported whole = dump_of(fixture);
    store_fixture loaded;
    undump_init(&loaded, "lmdb", &whole);
    grove_feed_token tokens[2];
    feed_sum one = read_feed(fixture, NULL, &tokens[0]);
    feed_sum other = read_feed(&loaded, NULL, &tokens[1]);
    cr_assert_eq(memcmp(&one, &other, sizeof one), 0);
    cr_assert_gt(one.first, 20);
    cr_assert_geq(one.metas, 1);
    cr_assert_eq(memcmp(&tokens[0], &tokens[1], sizeof *tokens), 0);
    cr_assert_gt(assert_same_clocks(fixture, &loaded), 10);
    grove_feed_retention retention;
    assert_ok(&loaded, grove_feed_retention_get(loaded.store, &retention, &loaded.error));
    cr_assert_eq(retention.commits_max, 4);
    cr_assert_eq(retention.age_ms_max, 1000000000);
    undump_release(&loaded);
    exported_free(&whole);
}

STORE_TEST(past, keeps_what_was_seen_before_it_and_nothing_later)
{
    grove_feed_token before;
    grove_feed_token after;
    grove_feed_result result;
    feed_sum all = {0, 0, 0, 0};
    dump_make_store(fixture, 3);
    (void)read_feed(fixture, NULL, &before);
    exported whole = dump_of(fixture);
    dump_save_group(fixture, "later", "1", 1);
    (void)read_feed(fixture, &before, &after);
    store_fixture loaded;
    undump_init(&loaded, "memory", &whole);
    assert_fails(&loaded, GROVE_CONFLICT,
                 grove_feed_read(loaded.store, &after, 10, add_commit, &all, &result,
                                 &loaded.error));
    /* Another commit of that number. */
    dump_save_group(&loaded, "later", "2", 1);
    assert_fails(&loaded, GROVE_CONFLICT,
                 grove_feed_read(loaded.store, &after, 10, add_commit, &all, &result,
                                 &loaded.error));
    all = read_feed(&loaded, &before, &after);
    cr_assert(all.first == all.last && all.last > 0);
    undump_release(&loaded);
    exported_free(&whole);
}

STORE_TEST(past, loads_a_store_whose_commits_have_aged)
{
    dump_make_merged(fixture, grove_bytes_of("past"), SAVES);
    dump_trim(fixture, 2 * GROVE__PACKED_COMMITS);
    for (int index = 0; index < GROVE__PACKED_COMMITS; index++) {
        dump_save_group(fixture, "more", "1", 1);
    }
    exported first = dump_of(fixture);
    store_fixture loaded;
    undump_init(&loaded, fixture->options.backend->name, &first);
    uint64_t newest;
    assert_ok(&loaded, grove_store_commit(loaded.store, &newest, &loaded.error));
    cr_assert_lt(newest - aging_of(&loaded).aged, 2 * GROVE__PACKED_COMMITS);
    /* It goes on as it would have: what was removed there is removed here. */
    for (int index = 0; index < 2 * GROVE__PACKED_COMMITS; index++) {
        dump_save_group(fixture, "more", "1", 1);
        dump_save_group(&loaded, "more", "1", 1);
    }
    dump_trim(fixture, 1);
    dump_trim(&loaded, 1);
    for (uint64_t commit = 0; commit <= newest; commit += 7) {
        uint64_t clocks[] = {7, 7};
        grove_bytes name = grove_bytes_of("past");
        grove_status one = grove_document_clock_at(fixture->store, name, commit,
                                                   &clocks[0], &fixture->error);
        grove_status other = grove_document_clock_at(loaded.store, name, commit,
                                                     &clocks[1], &loaded.error);
        cr_assert(one == other && clocks[0] == clocks[1]);
    }
    undump_release(&loaded);
    exported_free(&first);
}

static void random_commit(store_fixture *fixture, test_random *random)
{
    const char *id = PAST_IDS[6 + test_random_below(random, 3)];
    grove_document *document;
    grove_status status;
    fixture->now += (int64_t)test_random_below(random, 3000) - 1000;
    switch (test_random_below(random, 30)) {
    case 0:
        dump_trim(fixture, 1 + test_random_below(random, 20));
        break;
    case 1:
        dump_renew(fixture, test_random_below(random, UINT64_MAX));
        break;
    case 2:
    case 3:
        status = grove_document_delete(fixture->store, grove_bytes_of(id), NULL,
                                       &fixture->error);
        cr_assert(status == GROVE_OK || status == GROVE_NONE);
        break;
    case 4:
        dump_save_meta(fixture, id, 1);
        break;
    default:
        document = dump_open(fixture, grove_bytes_of(id), "r", NULL);
        insert(fixture, document, 0, "some text");
        (void)save(fixture, document);
        grove_document_close(document);
    }
}

Test(past, of_random_commits_comes_back)
{
    test_random random = test_random_of("past");
    uint64_t known = 0;
    for (int round = 0; round < 30; round++) {
        store_fixture fixture;
        store_fixture loaded;
        store_fixture_init(&fixture, "memory");
        grove_clock clock = {&fixture, store_fixture_now};
        fixture.options.clock = &clock;
        store_fixture_open(&fixture);
        for (int index = 0; index < 100; index++) {
            random_commit(&fixture, &random);
        }
        exported first = dump_of(&fixture);
        undump_init(&loaded, "memory", &first);
        exported second = dump_of(&loaded);
        cr_assert(first.size == second.size &&
                  memcmp(first.data, second.data, first.size) == 0);
        known += assert_same_clocks(&fixture, &loaded);
        exported_free(&first);
        exported_free(&second);
        undump_release(&loaded);
        undump_release(&fixture);
    }
    cr_assert_gt(known, 300, "%llu", (unsigned long long)known);
}

/* --- a store that contradicts itself --- */

/* Puts something of its own in a store that lets "past" go on. */
static void forge_entry(store_fixture *fixture, grove__table table, grove_bytes key,
                        grove_bytes value)
{
    grove__write_set set;
    grove__write_set_init(&set, fixture->store->allocator);
    grove__write_set_put(&set, table, key, value);
    assert_ok(fixture, grove__commit(fixture->store, &set, NULL, &fixture->error));
    grove__write_set_release(&set);
}

static void assert_no_dump(store_fixture *fixture)
{
    exported whole = {NULL, 0, 0, 0};
    assert_fails(
        fixture, GROVE_CORRUPT,
        grove_store_dump(fixture->store, exported_write, &whole, NULL, &fixture->error));
    exported_free(&whole);
}

STORE_TEST(past, refuses_rows_that_go_further_than_the_document)
{
    const grove__commit_clock items[][2] = {{{1, 1000}, {2, 1000}}, {{1, 5}, {2, 6}}};
    dump_make_merged(fixture, grove_bytes_of("past"), 5);
    dump_trim(fixture, 2);
    grove__key key;
    grove_buffer row;
    grove_buffer_init(&row, fixture->store->allocator);
    grove__key_of_document_commit(&key, grove_bytes_of("past"), 1);
    for (size_t index = 0; index < 2; index++) {
        grove_buffer_reset(&row);
        grove__clock_row_encode(items[index], 2, &row);
        forge_entry(fixture, GROVE__TABLE_CLOCKS, grove__key_view(&key),
                    grove_buffer_view(&row));
        if (index == 0) {
            assert_no_dump(fixture);
        } else {
            exported whole = dump_of(fixture);
            exported_free(&whole);
        }
    }
    /* And one of another table. */
    grove__key_add_number(&key, 1);
    forge_entry(fixture, GROVE__TABLE_CLOCKS, grove__key_view(&key),
                grove_bytes_of("row"));
    assert_no_dump(fixture);
    grove_buffer_release(&row);
}

STORE_TEST(past, refuses_commits_that_have_aged_before_they_were_made)
{
    uint8_t record[GROVE__AGING_RECORD_BYTES];
    const uint64_t aged[] = {12, 3, 1};
    dump_make_merged(fixture, grove_bytes_of("past"), 5);
    dump_trim(fixture, 7);
    cr_assert_eq(aging_of(fixture).aged, 4);
    for (size_t index = 0; index < sizeof aged / sizeof *aged; index++) {
        grove__aging_record forged = {aged[index], 0, 0};
        grove__aging_record_encode(&forged, record);
        forge_entry(fixture, GROVE__TABLE_STORE, grove__age_key(),
                    (grove_bytes){record, sizeof record});
        assert_no_dump(fixture);
    }
}
