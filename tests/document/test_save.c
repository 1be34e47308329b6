#include "support/random.h"
#include "support/store_fixture.h"

#ifdef GROVE_TINY_LIMITS
enum { EVENTS = 4000, BATCHES_MAX = 64 + EVENTS / GROVE_ROLLUP_EVENTS_MAX * 2 };
#else
enum { EVENTS = 100000, BATCHES_MAX = 64 };
#endif

/* Typing with pauses, corrections and jumps. */
static void edit(store_fixture *fixture, grove_document *document, test_random *random,
                 uint64_t *cursor)
{
    uint64_t length;
    assert_ok(fixture, grove_text_length(document, &length, NULL, &fixture->error));
    uint64_t choice = test_random_below(random, 100);
    if (choice < 2) {
        *cursor = test_random_below(random, length + 1);
    }
    fixture->now += (int64_t)test_random_below(random, 400);
    if (choice < 15 && *cursor > 0) {
        --*cursor;
        assert_ok(fixture, grove_text_delete(document, *cursor, 1, &fixture->error));
        return;
    }
    static const char LETTERS[] = "eeeeettttaaaooiinnsshhrrdlu cmfwygpb  ";
    char letter[2] = {LETTERS[test_random_below(random, sizeof LETTERS - 1)], '\0'};
    insert(fixture, document, *cursor, letter);
    ++*cursor;
}

/* One event at a time has few batches all the way, hardly more bytes than the
 * same history at once, and no save rewrites more than the bound. */
static void claim_rollup(store_fixture *fixture)
{
    test_random random = test_random_of("rollup");
    test_random again = random;
    uint64_t cursor = 0;
    grove_document *single = open_document(fixture, "single");
    for (int index = 0; index < EVENTS; index++) {
        edit(fixture, single, &random, &cursor);
        grove_save_result result = save(fixture, single);
        cr_assert_eq(result.events, 1);
        if (result.rolled_up_batches > 0 || index % 64 == 0) {
            grove_document_statistics statistics = statistics_of(fixture, "single");
            cr_assert_leq(statistics.batches, BATCHES_MAX);
        }
    }
    cursor = 0;
    fixture->now = 1700000000000;
    grove_document *at_once = open_document(fixture, "at once");
    for (int index = 0; index < EVENTS; index++) {
        edit(fixture, at_once, &again, &cursor);
    }
    (void)save(fixture, at_once);
    grove_document_statistics one = statistics_of(fixture, "single");
    grove_document_statistics other = statistics_of(fixture, "at once");
    cr_log_info("%llu batches of %llu bytes; at once %llu",
                (unsigned long long)one.batches, (unsigned long long)one.batch_bytes,
                (unsigned long long)other.batch_bytes);
    cr_assert_eq(other.batches, 1);
#ifndef GROVE_TINY_LIMITS
    cr_assert_leq(one.batch_bytes * 10, other.batch_bytes * 13);
#endif
    grove_document_close(at_once);
    grove_document_close(single);
}

Test(rollup, keeps_batches_few_and_bytes_near_those_of_one_save, .timeout = 300)
{
    store_fixture_run("memory", claim_rollup);
}

STORE_TEST(snapshot, is_made_when_the_tail_is_long_and_costly_and_not_before)
{
    grove_document *document = open_document(fixture, "a");
    test_random random = test_random_of("snapshot");
    uint64_t cursor = 0;
    int saves = 0;
    for (bool made = false; !made; saves++) {
        cr_assert_lt(saves, 20000);
        edit(fixture, document, &random, &cursor);
        made = save(fixture, document).made_snapshot;
    }
    cr_assert_gt(saves, 1000);
    cr_assert_eq(statistics_of(fixture, "a").snapshots, 1);
    cr_assert_eq(statistics_of(fixture, "a").newest_snapshot_clock, (uint64_t)saves);
    grove_document_close(document);
}

Test(should_snapshot, follows_the_policy)
{
    grove_snapshot_policy policy = GROVE_SNAPSHOT_POLICY_INIT;
    grove_snapshot_facts facts = {
        .tail_events = 1001,
        .tail_operations = 1000,
        .tail_bytes = 1000,
        .tail_batches = 10,
        .state_bytes = 1000,
        .one_head = true,
    };
    cr_assert(grove_document_should_snapshot(&policy, &facts));
    facts.tail_events = 1000;
    cr_assert_not(grove_document_should_snapshot(&policy, &facts));
    facts.tail_events = 1001;
    facts.one_head = false;
    cr_assert_not(grove_document_should_snapshot(&policy, &facts));
    facts.tail_events = 20001;
    cr_assert(grove_document_should_snapshot(&policy, &facts));
    facts.one_head = true;
    facts.state_bytes = 100000000;
    cr_assert_not(grove_document_should_snapshot(&policy, &facts));
    policy.cost_percent = 0;
    cr_assert(grove_document_should_snapshot(&policy, &facts));
    policy.automatic = false;
    cr_assert_not(grove_document_should_snapshot(&policy, &facts));
}

STORE_TEST(snapshot, older_ones_are_thinned_out)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.policy.events_min = 10;
    options.policy.cost_percent = 0;
    options.policy.older_percent = 0;
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of("a"), &options,
                                           &document, &fixture->error));
    for (int index = 0; index < 300; index++) {
        insert(fixture, document, 0, "some text to keep ");
        cr_assert(save(fixture, document).made_snapshot);
    }
    cr_assert_eq(statistics_of(fixture, "a").snapshots, 2);
    grove_document_close(document);
    options.policy.older_percent = 100;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of("a"), &options,
                                           &document, &fixture->error));
    for (int index = 0; index < 300; index++) {
        insert(fixture, document, 0, "some text to keep ");
        (void)save(fixture, document);
    }
    grove_document_statistics statistics = statistics_of(fixture, "a");
    cr_assert_geq(statistics.snapshots, 2);
    cr_assert_leq(statistics.snapshots, 24);
    cr_assert_leq(statistics.snapshot_bytes,
                  statistics.batch_bytes + 2 * statistics.newest_snapshot_bytes);
    grove_document_close(document);
}
