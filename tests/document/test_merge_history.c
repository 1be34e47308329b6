/* Merging with history behind snapshots, and with history that is removed. */
#include "handles.h"

#include "document/document.h"

/* --- behind a snapshot --- */

STORE_TEST(merge_history, of_events_from_behind_a_snapshot_is_what_a_replay_gives)
{
    grove_snapshot_policy policy = GROVE_SNAPSHOT_POLICY_INIT;
    policy.events_min = 20;
    policy.cost_percent = 0;
    make_base(fixture, "0123456789");
    grove_document *late = open_as(fixture, "late");
    grove_document *documents[] = {open_with(fixture, "a", &policy), late};
    insert(fixture, late, 5, "late");
    erase(fixture, late, 2, 2);
    for (uint64_t round = 0; round < 40; round++) {
        insert(fixture, documents[0], round * 3 % 10, "xyz");
        erase(fixture, documents[0], round % 7, 1);
        (void)save(fixture, documents[0]);
    }
    uint64_t snapshot = statistics_of(fixture, "a").newest_snapshot_clock;
    cr_assert(snapshot > 100 && snapshot != UINT64_MAX);
    (void)save(fixture, late);
    /* Who loads it now begins at that snapshot, and has to look behind it. */
    cr_assert_eq(statistics_of(fixture, "a").newest_snapshot_clock, snapshot);
    refresh(fixture, documents[0]);
    assert_same(fixture, documents, 2);
    replay all = replay_begin(fixture);
    replay_end(&all, late);
    grove_document_close(documents[0]);
    grove_document_close(late);
}

STORE_TEST(merge_history, of_events_from_behind_a_compaction_is_what_a_replay_gives)
{
    make_base(fixture, "0123456789");
    grove_document *documents[] = {open_as(fixture, "a"), NULL};
    replay all = replay_begin(fixture);
    for (uint64_t round = 0; round < 40; round++) {
        if (round == 30) {
            documents[1] = open_as(fixture, "late");
            insert(fixture, documents[1], 5, "late");
            erase(fixture, documents[1], 2, 2);
        }
        insert(fixture, documents[0], round * 3 % 10, "xyz");
        erase(fixture, documents[0], round % 7, 1);
        (void)save(fixture, documents[0]);
    }
    replay_go_on(&all, documents[0]);
    for (uint64_t window = 100; window != UINT64_MAX;
         window = window > 0 ? 0 : UINT64_MAX) {
        compact(fixture, documents[0], window);
        grove_document_statistics statistics = statistics_of(fixture, "a");
        cr_assert_gt(statistics.base_clock, 0);
        cr_assert_leq(statistics.base_clock, grove_document_clock(documents[1]));
        cr_assert_eq(statistics.newest_snapshot_clock, statistics.events);
    }
    save_all(fixture, documents, 2);
    assert_same(fixture, documents, 2);
    replay_end(&all, documents[0]);
    grove_document_close(documents[0]);
    grove_document_close(documents[1]);
}

STORE_TEST(merge_history, goes_on_after_a_compaction_beyond_the_last_one)
{
    make_base(fixture, "base");
    grove_document *documents[] = {open_as(fixture, "a"), open_as(fixture, "b")};
    for (int round = 0; round < 3; round++) {
        insert(fixture, documents[0], 1, "a");
        insert(fixture, documents[1], 2, "b");
        save_all(fixture, documents, 2);
        insert(fixture, documents[0], 3, "join");
        save_all(fixture, documents, 2);
        compact(fixture, documents[1], 0);
        cr_assert_eq(statistics_of(fixture, "a").batches, 0);
        assert_same(fixture, documents, 2);
    }
    grove_document_close(documents[0]);
    grove_document_close(documents[1]);
}

/* --- removed history --- */

/* A document of two batches, and the last event of the first. */
static grove_event_id make_two_batches(store_fixture *fixture)
{
    grove_document *document = open_as(fixture, "m");
    insert(fixture, document, 0, "one");
    (void)save(fixture, document);
    grove_event_id early = grove_document_replica(document);
    early.sequence--;
    insert(fixture, document, 3, " two");
    (void)save(fixture, document);
    grove_document_close(document);
    return early;
}

STORE_TEST(merge_history, of_unsaved_events_keeps_the_history_that_it_needs)
{
    grove_event_id early = make_two_batches(fixture);
    grove_document *documents[] = {open_as(fixture, "a"), open_as(fixture, "b")};
    assert_ok(fixture, add_far(fixture, documents[0], &early, 0, 3, "!"));
    compact(fixture, documents[1], 0);
    cr_assert_eq(statistics_of(fixture, "a").base_clock, 3);
    save_all(fixture, documents, 2);
    assert_text(fixture, documents[1], "one! two");
    assert_same(fixture, documents, 2);
    /* What is saved and joined needs it no longer. */
    insert(fixture, documents[1], 8, "?");
    save_all(fixture, documents, 2);
    compact(fixture, documents[1], 0);
    cr_assert_eq(statistics_of(fixture, "a").base_clock, 9);
    assert_same(fixture, documents, 2);
    grove_document_close(documents[0]);
    grove_document_close(documents[1]);
}

STORE_TEST(merge_history, with_removed_history_is_refused_and_changes_nothing)
{
    grove_event_id early = make_two_batches(fixture);
    grove_document *a = open_as(fixture, "a");
    grove_document *b = open_as(fixture, "b");
    compact(fixture, b, 0);
    cr_assert_eq(statistics_of(fixture, "a").base_clock, 7);
    /* This handle has the event that is the parent; a later one had not. */
    assert_fails(fixture, GROVE_HISTORY_REMOVED, add_far(fixture, a, &early, 0, 3, "!"));
    assert_text(fixture, a, "one two");
    cr_assert_eq(grove_document_unsaved(a), 0);
    insert(fixture, a, 7, "!");
    (void)save(fixture, a);
    assert_loads(fixture, "one two!");
    grove_document_close(b);
    grove_document_close(a);
}

STORE_TEST(merge_history, that_a_compaction_elsewhere_made_impossible_is_not_saved)
{
    grove_event_id early = make_two_batches(fixture);
    grove_document *a = open_as(fixture, "a");
    grove_document *b = open_as(fixture, "b");
    assert_ok(fixture, add_far(fixture, a, &early, 0, 3, "!"));
    assert_text(fixture, a, "one! two");
    /* As when the handle was opened on a copy of the store that was put back.
     * */
    grove__handle_move(fixture->store, &a->handle, UINT64_MAX);
    compact(fixture, b, 0);
    grove__handle_move(fixture->store, &a->handle, 0);
    assert_fails(fixture, GROVE_HISTORY_REMOVED,
                 grove_document_save(a, NULL, NULL, &fixture->error));
    cr_assert_eq(grove_document_unsaved(a), 1);
    assert_text(fixture, a, "one! two");
    assert_loads(fixture, "one two");
    /* Nor is it taken in what others saved then. */
    insert(fixture, b, 7, "?");
    (void)save(fixture, b);
    assert_fails(fixture, GROVE_HISTORY_REMOVED,
                 grove_document_refresh(a, NULL, &fixture->error));
    assert_text(fixture, a, "one! two");
    assert_loads(fixture, "one two?");
    grove_document_close(b);
    grove_document_close(a);
}
