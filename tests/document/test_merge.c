/*
 * Merging as a program sees it: handles on one document that edit at once,
 * save, take in, load anew, compact and fail. What a merged text is, is held
 * to a definition in test_merge_oracle.c and test_merge_sessions.c.
 */
#include "document/document.h"
#include "support/store_fixture.h"

static grove_replica replica_of(const char *name)
{
    grove_replica replica = {.size = (uint8_t)strlen(name)};
    memcpy(replica.bytes, name, strlen(name));
    return replica;
}

/* A handle of the replica, with snapshots on request. */
static grove_document *open_as(store_fixture *fixture, const char *replica)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.policy.automatic = false;
    options.replica = replica_of(replica);
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of("a"), &options,
                                           &document, &fixture->error));
    return document;
}

static void compact(store_fixture *fixture, grove_document *document, uint64_t window)
{
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    options.window_events = window;
    assert_ok(fixture, grove_document_compact(document, &options, NULL, &fixture->error));
}

/* The document as somebody finds it who loads it now. */
static void assert_loads(store_fixture *fixture, const char *expected)
{
    assert_stored_text(fixture, "a", expected);
}

/* Adds characters of a replica `far` as children of an event. */
static grove_status add_far(store_fixture *fixture, grove_document *document,
                            const grove_event_id *parent, uint64_t sequence,
                            uint64_t position, const char *utf8)
{
    grove_event_run run = {
        .first = {.replica = replica_of("far"), .sequence = sequence},
        .parents = parent,
        .parent_count = 1,
        .timestamp = 1,
        .operation = {GROVE_TEXT_INSERT, (uint32_t)strlen(utf8), position,
                      grove_bytes_of(utf8)},
    };
    return grove_document_add(document, &run, &fixture->error);
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

STORE_TEST(merge, with_removed_history_is_refused_and_changes_nothing)
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

STORE_TEST(merge, that_a_compaction_elsewhere_made_impossible_is_not_saved)
{
    grove_event_id early = make_two_batches(fixture);
    grove_document *a = open_as(fixture, "a");
    grove_document *b = open_as(fixture, "b");
    assert_ok(fixture, add_far(fixture, a, &early, 0, 3, "!"));
    assert_text(fixture, a, "one! two");
    /* What another process compacts does not know of this handle. */
    grove__handle_unlink(fixture->store, &a->handle);
    compact(fixture, b, 0);
    grove__handle_link(fixture->store, &a->handle);
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
