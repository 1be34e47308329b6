/* Events that reach behind the snapshot of a document with removed history. */
#include "support/store_fixture.h"

static grove_document *open_opaque(store_fixture *fixture)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = grove_type_opaque();
    options.policy.automatic = false;
    options.policy.older_percent = 0;
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of("a"), &options,
                                           &document, &fixture->error));
    return document;
}

static void append(store_fixture *fixture, grove_document *document)
{
    assert_ok(fixture,
              grove_opaque_append(document, grove_bytes_of("x"), &fixture->error));
}

static void set_state(store_fixture *fixture, grove_document *document)
{
    assert_ok(fixture,
              grove_opaque_set_state(document, grove_bytes_of("s"), &fixture->error));
}

/* Adds the first event of a replica as a child of the event at clock 0. */
static void add_branch(store_fixture *fixture, grove_document *document, uint8_t replica,
                       const grove_event_id *root)
{
    grove_event_run run = {.parents = root,
                           .parent_count = 1,
                           .timestamp = 7,
                           .operation = {0, 1, 0, grove_bytes_of("x")}};
    run.first.replica = (grove_replica){1, {replica}};
    assert_ok(fixture, grove_document_add(document, &run, &fixture->error));
}

STORE_TEST(base, a_merge_of_what_is_stored_between_base_and_snapshot_loads)
{
    grove_document *document = open_opaque(fixture);
    grove_event_id root = grove_document_replica(document);
    append(fixture, document);
    (void)save(fixture, document);
    set_state(fixture, document);
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    options.window_events = 0;
    assert_ok(fixture, grove_document_compact(document, &options, NULL, &fixture->error));
    cr_assert_eq(statistics_of(fixture, "a").base_clock, 1);
    add_branch(fixture, document, 'p', &root);
    add_branch(fixture, document, 'q', &root);
    (void)save(fixture, document);
    grove_document *late = open_opaque(fixture);
    append(fixture, late);
    for (int round = 0; round < 2; round++) {
        append(fixture, document);
        set_state(fixture, document);
        cr_assert(save(fixture, document).made_snapshot);
    }
    (void)save(fixture, late);
    grove_document_close(late);
    cr_assert_eq(statistics_of(fixture, "a").newest_snapshot_clock, 5);
    cr_assert_eq(statistics_of(fixture, "a").snapshots, 2);
    grove_document *anew = NULL;
    assert_ok(fixture, grove_document_load(fixture->store, grove_bytes_of("a"), NULL,
                                           &anew, &fixture->error));
    grove_version version;
    assert_ok(fixture, grove_document_version(anew, &version, &fixture->error));
    cr_assert_eq(version.head_count, 2);
    append(fixture, anew);
    (void)save(fixture, anew);
    grove_document_close(anew);
    grove_document_close(document);
}

STORE_TEST(base, a_handle_merges_after_what_it_began_with_was_removed)
{
    grove_document *document = open_opaque(fixture);
    for (int count = 0; count < 5; count++) {
        append(fixture, document);
        (void)save(fixture, document);
    }
    grove_document *other = open_opaque(fixture);
    set_state(fixture, other);
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    options.window_events = 0;
    assert_ok(fixture, grove_document_compact(other, &options, NULL, &fixture->error));
    cr_assert_eq(statistics_of(fixture, "a").base_clock, 5);
    append(fixture, other);
    (void)save(fixture, other);
    append(fixture, document);
    (void)save(fixture, document);
    grove_document_close(other);
    grove_version version;
    assert_ok(fixture, grove_document_version(document, &version, &fixture->error));
    cr_assert_eq(version.head_count, 2);
    append(fixture, document);
    (void)save(fixture, document);
    grove_document_close(document);
    document = open_opaque(fixture);
    cr_assert_eq(grove_document_clock(document), 8);
    assert_ok(fixture, grove_document_version(document, &version, &fixture->error));
    cr_assert_eq(version.head_count, 1);
    grove_document_close(document);
}

/* Adds the first event of a replica as a child of two, and names it. */
static grove_event_id add_join(store_fixture *fixture, grove_document *document,
                               uint8_t replica, grove_event_id a, grove_event_id b)
{
    grove_event_id parents[] = {a, b};
    grove_event_run run = {.parents = parents,
                           .parent_count = 2,
                           .timestamp = 7,
                           .operation = {0, 1, 0, grove_bytes_of("x")}};
    run.first.replica = (grove_replica){1, {replica}};
    assert_ok(fixture, grove_document_add(document, &run, &fixture->error));
    return run.first;
}

static grove_event_id first_of(uint8_t replica)
{
    return (grove_event_id){.replica = {1, {replica}}};
}

STORE_TEST(base, events_of_one_batch_load_that_reach_back_further_and_further)
{
    grove_document *document = open_opaque(fixture);
    grove_event_id root = grove_document_replica(document);
    append(fixture, document);
    add_branch(fixture, document, 'b', &root);
    add_branch(fixture, document, 'c', &root);
    grove_event_id join = add_join(fixture, document, 'd', first_of('b'), first_of('c'));
    (void)save(fixture, document);
    add_branch(fixture, document, 'e', &join);
    add_branch(fixture, document, 'f', &join);
    (void)add_join(fixture, document, 'g', first_of('e'), first_of('f'));
    (void)save(fixture, document);
    set_state(fixture, document);
    assert_ok(fixture, grove_document_compact(document, NULL, NULL, &fixture->error));
    cr_assert_eq(statistics_of(fixture, "a").batches, 2);
    cr_assert_eq(statistics_of(fixture, "a").newest_snapshot_clock, 7);
    /* From the snapshot one batch back, and then two. */
    (void)add_join(fixture, document, 'p', first_of('e'), first_of('f'));
    (void)add_join(fixture, document, 'q', first_of('b'), first_of('c'));
    (void)save(fixture, document);
    grove_document_close(document);
    cr_assert_eq(statistics_of(fixture, "a").batches, 3);
    document = open_opaque(fixture);
    cr_assert_eq(grove_document_clock(document), 9);
    grove_version version;
    assert_ok(fixture, grove_document_version(document, &version, &fixture->error));
    cr_assert_eq(version.head_count, 3);
    grove_document_close(document);
}
