/* Events handed in with ids and parents of their own. */
#include "support/store_fixture.h"

static grove_event_id id_of(const char *replica, uint64_t sequence)
{
    grove_event_id id = {.sequence = sequence};
    id.replica.size = (uint8_t)strlen(replica);
    memcpy(id.replica.bytes, replica, strlen(replica));
    return id;
}

static grove_event_run run_of(grove_event_id first, const grove_event_id *parents,
                              size_t parent_count, const char *payload)
{
    return (grove_event_run){
        .first = first,
        .parents = parents,
        .parent_count = parent_count,
        .timestamp = 1000,
        .operation = {0, 1, 0, grove_bytes_of(payload)},
    };
}

static grove_status add(store_fixture *fixture, grove_document *document,
                        grove_event_run run)
{
    return grove_document_add(document, &run, &fixture->error);
}

/* r0 <- r1, r0 <- s0, both <- t0; saved or not. */
static grove_document *make_diamond(store_fixture *fixture)
{
    grove_document *document = open_manual(fixture, "a", grove_type_opaque());
    grove_event_id root = id_of("r", 0);
    grove_event_id both[] = {id_of("s", 0), id_of("r", 1)};
    assert_ok(fixture, add(fixture, document, run_of(root, NULL, 0, "root")));
    assert_ok(fixture, add(fixture, document, run_of(id_of("r", 1), &root, 1, "left")));
    assert_ok(fixture, add(fixture, document, run_of(id_of("s", 0), &root, 1, "right")));
    assert_ok(fixture, add(fixture, document, run_of(id_of("t", 0), both, 2, "merge")));
    return document;
}

static void check_refusals(store_fixture *fixture, grove_document *document)
{
    uint64_t unsaved = grove_document_unsaved(document);
    grove_event_id root = id_of("r", 0);
    grove_event_id unknown = id_of("nobody", 7);
    grove_event_id both[] = {id_of("r", 1), id_of("s", 0)};
    grove_event_id not_minimal[] = {id_of("r", 0), id_of("r", 1)};
    grove_event_id twice[] = {id_of("r", 1), id_of("r", 1)};
    assert_fails(fixture, GROVE_DUPLICATE,
                 add(fixture, document, run_of(id_of("r", 1), &root, 1, "left")));
    assert_fails(fixture, GROVE_DUPLICATE,
                 add(fixture, document, run_of(id_of("t", 0), both, 2, "merge")));
    assert_fails(fixture, GROVE_REPLICA_REUSED,
                 add(fixture, document, run_of(id_of("r", 1), &root, 1, "other")));
    assert_fails(fixture, GROVE_REPLICA_REUSED,
                 add(fixture, document, run_of(id_of("r", 1), both + 1, 1, "left")));
    assert_fails(fixture, GROVE_REPLICA_REUSED,
                 add(fixture, document, run_of(id_of("r", 3), &root, 1, "gap")));
    assert_fails(fixture, GROVE_UNKNOWN_PARENT,
                 add(fixture, document, run_of(id_of("r", 2), &unknown, 1, "x")));
    cr_assert_not_null(strstr(fixture->error.message, "6e6f626f6479"));
    cr_assert_not_null(strstr(fixture->error.message, "7"));
    assert_fails(fixture, GROVE_INVALID,
                 add(fixture, document, run_of(id_of("u", 0), not_minimal, 2, "x")));
    assert_fails(fixture, GROVE_INVALID,
                 add(fixture, document, run_of(id_of("u", 0), twice, 2, "x")));
    assert_fails(fixture, GROVE_INVALID,
                 add(fixture, document, run_of(id_of("", 0), &root, 1, "x")));
    grove_event_run run = run_of(id_of("u", 0), &root, 1, "x");
    run.operation.kind = 1;
    assert_fails(fixture, GROVE_INVALID, add(fixture, document, run));
    run = run_of(id_of("u", 0), &root, 1, "x");
    run.operation.count = 0;
    assert_fails(fixture, GROVE_LIMIT, add(fixture, document, run));
    run = run_of(id_of("u", 0), &root, GROVE_EVENT_PARENTS_MAX + 1, "x");
    assert_fails(fixture, GROVE_LIMIT, add(fixture, document, run));
    cr_assert_eq(grove_document_unsaved(document), unsaved);
}

STORE_TEST(add, refuses_what_the_graph_contradicts_before_and_after_a_save)
{
    grove_document *document = make_diamond(fixture);
    check_refusals(fixture, document);
    (void)save(fixture, document);
    check_refusals(fixture, document);
    grove_document_close(document);
    document = open_manual(fixture, "a", NULL);
    check_refusals(fixture, document);
    grove_version version;
    assert_ok(fixture, grove_document_version(document, &version, &fixture->error));
    cr_assert_eq(version.head_count, 1);
    cr_assert_eq(version.heads[0].replica.bytes[0], 't');
    grove_document_close(document);
}

STORE_TEST(add, knows_events_behind_the_snapshot)
{
    grove_document *document = make_diamond(fixture);
    assert_ok(fixture,
              grove_opaque_set_state(document, grove_bytes_of("state"), &fixture->error));
    cr_assert(save(fixture, document).made_snapshot);
    grove_document_close(document);
    document = open_manual(fixture, "a", NULL);
    check_refusals(fixture, document);
    /* A late event that forks before the snapshot. */
    grove_event_id root = id_of("r", 0);
    assert_ok(fixture, add(fixture, document, run_of(id_of("v", 0), &root, 1, "late")));
    grove_event_id two[] = {id_of("s", 0), id_of("v", 0)};
    assert_ok(fixture, add(fixture, document, run_of(id_of("v", 1), two, 2, "later")));
    (void)save(fixture, document);
    grove_version version;
    assert_ok(fixture, grove_document_version(document, &version, &fixture->error));
    cr_assert_eq(version.head_count, 2);
    grove_document_close(document);
    document = open_manual(fixture, "a", NULL);
    assert_ok(fixture, grove_document_version(document, &version, &fixture->error));
    cr_assert_eq(version.head_count, 2);
    uint64_t payloads;
    bool is_set;
    grove_bytes state;
    assert_ok(fixture,
              grove_opaque_state(document, &is_set, &state, &payloads, &fixture->error));
    cr_assert_eq(payloads, 2);
    grove_document_close(document);
}

STORE_TEST(add, says_that_the_content_of_a_removed_event_is_gone)
{
    grove_document *document = make_diamond(fixture);
    assert_ok(fixture,
              grove_opaque_set_state(document, grove_bytes_of("state"), &fixture->error));
    (void)save(fixture, document);
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    options.window_events = 0;
    assert_ok(fixture, grove_document_compact(document, &options, NULL, &fixture->error));
    grove_document_close(document);
    document = open_manual(fixture, "a", NULL);
    grove_event_id root = id_of("r", 0);
    assert_fails(fixture, GROVE_HISTORY_REMOVED,
                 add(fixture, document, run_of(id_of("r", 1), &root, 1, "left")));
    grove_event_id merge = id_of("t", 0);
    assert_ok(fixture, add(fixture, document, run_of(id_of("r", 2), &merge, 1, "next")));
    (void)save(fixture, document);
    grove_document_close(document);
}

STORE_TEST(add, of_a_run_that_is_known_in_part_adds_the_rest)
{
    grove_document *document = open_manual(fixture, "a", NULL);
    grove_event_run run = {
        .first = id_of("w", 0),
        .timestamp = 5,
        .operation = {GROVE_TEXT_INSERT, 3, 0, grove_bytes_of("abc")},
    };
    assert_ok(fixture, grove_document_add(document, &run, &fixture->error));
    (void)save(fixture, document);
    run.operation = (grove_operation){GROVE_TEXT_INSERT, 5, 0, grove_bytes_of("abcde")};
    assert_ok(fixture, grove_document_add(document, &run, &fixture->error));
    cr_assert_eq(grove_document_unsaved(document), 2);
    assert_text(fixture, document, "abcde");
    assert_fails(fixture, GROVE_DUPLICATE,
                 grove_document_add(document, &run, &fixture->error));
    run.operation = (grove_operation){GROVE_TEXT_INSERT, 5, 0, grove_bytes_of("abcxy")};
    assert_fails(fixture, GROVE_REPLICA_REUSED,
                 grove_document_add(document, &run, &fixture->error));
    (void)save(fixture, document);
    grove_document_close(document);
    assert_stored_text(fixture, "a", "abcde");
}

STORE_TEST(add, to_a_text_merges_a_fork_and_refuses_what_does_not_fit)
{
    /* Its replica comes after the other one's, and so does its text. */
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.replica = id_of("z", 0).replica;
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of("a"), &options,
                                           &document, &fixture->error));
    insert(fixture, document, 0, "abc");
    grove_event_id mine = grove_document_replica(document);
    grove_event_id last = {mine.replica, 2};
    grove_event_id before = {mine.replica, 1};
    grove_event_run run = {
        .first = id_of("w", 0),
        .parents = &before,
        .parent_count = 1,
        .timestamp = 5,
        .operation = {GROVE_TEXT_INSERT, 1, 0, grove_bytes_of("x")},
    };
    /* There were two characters when it was made. */
    run.operation.position = 3;
    assert_fails(fixture, GROVE_MALFORMED,
                 grove_document_add(document, &run, &fixture->error));
    run.parents = &last;
    run.operation.position = 4;
    assert_fails(fixture, GROVE_MALFORMED,
                 grove_document_add(document, &run, &fixture->error));
    assert_text(fixture, document, "abc");
    cr_assert_eq(grove_document_unsaved(document), 3);
    run.parents = &before;
    run.operation.position = 2;
    assert_ok(fixture, grove_document_add(document, &run, &fixture->error));
    cr_assert_eq(grove_document_unsaved(document), 4);
    assert_text(fixture, document, "abxc");
    /* And the handle goes on from there. */
    insert(fixture, document, 4, "y");
    (void)save(fixture, document);
    grove_document_close(document);
    assert_stored_text(fixture, "a", "abxcy");
}

typedef struct seen {
    grove_event_id parents[16];
    size_t parent_counts[16];
    uint64_t clocks[16];
    int64_t timestamps[16];
    size_t count;
} seen;

static bool look(void *context, uint64_t clock, const grove_event_run *run)
{
    seen *events = context;
    cr_assert_eq(run->operation.count, 1);
    events->clocks[events->count] = clock;
    events->parent_counts[events->count] = run->parent_count;
    events->timestamps[events->count] = run->timestamp;
    if (run->parent_count > 0) {
        events->parents[events->count] = run->parents[0];
    }
    events->count++;
    return true;
}

STORE_TEST(add, what_goes_in_comes_out_of_history)
{
    grove_document *document = make_diamond(fixture);
    (void)save(fixture, document);
    seen events = {.count = 0};
    assert_ok(fixture,
              grove_document_events(document, 0, look, &events, &fixture->error));
    cr_assert_eq(events.count, 4);
    const size_t parent_counts[] = {0, 1, 1, 2};
    for (size_t index = 0; index < 4; index++) {
        cr_assert_eq(events.clocks[index], index);
        cr_assert_eq(events.parent_counts[index], parent_counts[index]);
        cr_assert_eq(events.timestamps[index], 1000);
    }
    cr_assert_eq(events.parents[2].replica.bytes[0], 'r');
    cr_assert_eq(events.parents[2].sequence, 0);
    grove_document_close(document);
}
