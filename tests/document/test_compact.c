#include "support/store_fixture.h"

static void type_events(store_fixture *fixture, grove_document *document, int count)
{
    for (int index = 0; index < count; index++) {
        insert(fixture, document, 0, "x");
        (void)save(fixture, document);
    }
}

static grove_compact_result compact(store_fixture *fixture, grove_document *document,
                                    uint64_t window)
{
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    options.window_events = window;
    grove_compact_result result;
    assert_ok(fixture,
              grove_document_compact(document, &options, &result, &fixture->error));
    return result;
}

STORE_TEST(compact, with_window_0_leaves_one_snapshot_and_no_batch)
{
    grove_document *document = open_manual(fixture, "a", NULL);
    type_events(fixture, document, 100);
    uint64_t batches = statistics_of(fixture, "a").batches;
    grove_compact_result result = compact(fixture, document, 0);
    cr_assert_eq(result.snapshot_clock, 100);
    cr_assert_eq(result.base_clock, 100);
    cr_assert_eq(result.removed_events, 100);
    cr_assert_eq(result.removed_batches, batches);
    grove_document_statistics statistics = statistics_of(fixture, "a");
    cr_assert_eq(statistics.batches, 0);
    cr_assert_eq(statistics.batch_bytes, 0);
    cr_assert_eq(statistics.snapshots, 1);
    cr_assert_eq(statistics.events, 100);
    uint64_t commit;
    assert_ok(fixture, grove_store_commit(fixture->store, &commit, &fixture->error));
    cr_assert_eq(commit, 100, "a compaction takes no commit number");
    /* The handle goes on, and so does a new one. */
    type_events(fixture, document, 1);
    grove_document_close(document);
    document = open_document(fixture, "a");
    cr_assert_eq(grove_document_clock(document), 101);
    type_events(fixture, document, 1);
    cr_assert_eq(statistics_of(fixture, "a").events, 102);
    grove_document_close(document);
}

STORE_TEST(compact, keeps_the_window)
{
    grove_document *document = open_manual(fixture, "a", NULL);
    type_events(fixture, document, 100);
    grove_compact_result result = compact(fixture, document, 30);
    cr_assert_leq(result.base_clock, 70);
    cr_assert_gt(result.base_clock, 0);
    cr_assert_eq(statistics_of(fixture, "a").base_clock, result.base_clock);
    result = compact(fixture, document, 1000);
    cr_assert_eq(result.removed_events, 0);
    grove_document_close(document);
}

STORE_TEST(compact, removes_nothing_that_an_open_handle_has_not_seen)
{
    grove_document *writer = open_manual(fixture, "a", NULL);
    type_events(fixture, writer, 50);
    grove_document *reader = open_manual(fixture, "a", NULL);
    type_events(fixture, writer, 50);
    grove_compact_result result = compact(fixture, writer, 0);
    cr_assert_leq(result.base_clock, 50);
    uint64_t events;
    assert_ok(fixture, grove_document_refresh(reader, &events, &fixture->error));
    cr_assert_eq(events, 50);
    result = compact(fixture, writer, 0);
    cr_assert_eq(result.base_clock, 100);
    grove_document_close(reader);
    grove_document_close(writer);
}

STORE_TEST(compact, leaves_unsaved_events_unsaved)
{
    grove_document *document = open_manual(fixture, "a", NULL);
    type_events(fixture, document, 20);
    insert(fixture, document, 0, "new");
    cr_assert_eq(compact(fixture, document, 0).snapshot_clock, 20);
    cr_assert_eq(grove_document_unsaved(document), 3);
    assert_stored_text(fixture, "a", "xxxxxxxxxxxxxxxxxxxx");
    (void)save(fixture, document);
    grove_document_close(document);
    assert_stored_text(fixture, "a", "newxxxxxxxxxxxxxxxxxxxx");
}

STORE_TEST(compact, of_what_is_not_stored_is_none)
{
    grove_document *document = open_document(fixture, "a");
    assert_fails(fixture, GROVE_NONE,
                 grove_document_compact(document, NULL, NULL, &fixture->error));
    assert_fails(fixture, GROVE_NONE,
                 grove_document_seal(document, NULL, NULL, &fixture->error));
    grove_document_close(document);
}

static bool count_events(void *context, uint64_t clock, const grove_event_run *run)
{
    (void)clock;
    *(uint64_t *)context += run->operation.count;
    return true;
}

STORE_TEST(compact, history_before_the_base_is_said_to_be_removed)
{
    grove_document *document = open_manual(fixture, "a", NULL);
    type_events(fixture, document, 20);
    uint64_t events = 0;
    assert_ok(fixture,
              grove_document_events(document, 5, count_events, &events, &fixture->error));
    cr_assert_eq(events, 15);
    (void)compact(fixture, document, 0);
    assert_fails(
        fixture, GROVE_HISTORY_REMOVED,
        grove_document_events(document, 5, count_events, &events, &fixture->error));
    type_events(fixture, document, 3);
    events = 0;
    assert_ok(fixture, grove_document_events_since_snapshot(document, count_events,
                                                            &events, &fixture->error));
    cr_assert_eq(events, 3);
    grove_document_close(document);
}

STORE_TEST(seal, keeps_text_clocks_and_commits_in_fewer_batches)
{
    grove_document *document = open_manual(fixture, "a", NULL);
    type_events(fixture, document, 300);
    grove_seal_result result;
    assert_ok(fixture, grove_document_seal(document, NULL, &result, &fixture->error));
    cr_assert_gt(result.batches_before, 1);
    cr_assert_eq(result.batches_after, 1);
    cr_assert_lt(result.bytes_after, result.bytes_before);
    grove_document_statistics statistics = statistics_of(fixture, "a");
    cr_assert_eq(statistics.batches, 1);
    cr_assert_eq(statistics.batch_bytes, result.bytes_after);
    cr_assert_eq(statistics.events, 300);
    uint64_t revision = statistics.revision;
    /* Again: nothing to do, nothing written. */
    assert_ok(fixture, grove_document_seal(document, NULL, &result, &fixture->error));
    cr_assert_eq(statistics_of(fixture, "a").revision, revision);
    type_events(fixture, document, 1);
    cr_assert_eq(statistics_of(fixture, "a").batches, 2);
    grove_document_close(document);
    document = open_document(fixture, "a");
    uint64_t length;
    assert_ok(fixture, grove_text_length(document, &length, NULL, &fixture->error));
    cr_assert_eq(length, 301);
    grove_document_close(document);
    uint64_t commit;
    assert_ok(fixture, grove_store_commit(fixture->store, &commit, &fixture->error));
    cr_assert_eq(commit, 301);
}

STORE_TEST(seal, refuses_a_level_that_zstd_does_not_have)
{
    grove_document *document = open_document(fixture, "a");
    grove_seal_options options = GROVE_SEAL_OPTIONS_INIT;
    options.level = 23;
    assert_fails(fixture, GROVE_INVALID,
                 grove_document_seal(document, &options, NULL, &fixture->error));
    grove_document_close(document);
}
