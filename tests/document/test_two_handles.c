/* What a handle holds true while another one changes the document. */
#include <sys/wait.h>
#include <unistd.h>

#include "support/random.h"
#include "support/store_fixture.h"

static grove_document *open_named(store_fixture *fixture, const char *replica,
                                  const grove_document_type *type)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = type;
    options.policy.automatic = false;
    options.replica.size = (uint8_t)strlen(replica);
    memcpy(options.replica.bytes, replica, strlen(replica));
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of("a"), &options,
                                           &document, &fixture->error));
    return document;
}

static grove_compact_result compact_all(store_fixture *fixture, grove_document *document)
{
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    options.window_events = 0;
    grove_compact_result result;
    assert_ok(fixture,
              grove_document_compact(document, &options, &result, &fixture->error));
    return result;
}

STORE_TEST(two_handles, of_one_replica_in_turns_go_on_with_its_sequence)
{
    grove_document *first = open_named(fixture, "r", NULL);
    insert(fixture, first, 0, "one");
    (void)save(fixture, first);
    grove_document *second = open_named(fixture, "r", NULL);
    insert(fixture, second, 3, "two");
    (void)save(fixture, second);
    grove_document_close(second);
    assert_ok(fixture, grove_document_refresh(first, NULL, &fixture->error));
    cr_assert_eq(grove_document_replica(first).sequence, 6);
    insert(fixture, first, 6, "three");
    (void)save(fixture, first);
    grove_document_close(first);
    assert_stored_text(fixture, "a", "onetwothree");
}

STORE_TEST(two_handles, facts_count_no_tail_when_a_snapshot_lies_ahead)
{
    grove_document *behind = open_manual(fixture, "a", NULL);
    insert(fixture, behind, 0, "x");
    (void)save(fixture, behind);
    insert(fixture, behind, 0, "unsaved");
    grove_document *ahead = open_manual(fixture, "a", NULL);
    insert(fixture, ahead, 0, "0123456789");
    (void)save(fixture, ahead);
    (void)compact_all(fixture, ahead);
    cr_assert_leq(grove_document_snapshot_facts(behind).tail_events, 8);
    uint64_t expected = 1;
    assert_fails(fixture, GROVE_CONFLICT,
                 grove_document_save(behind, &expected, NULL, &fixture->error));
    cr_assert_leq(grove_document_snapshot_facts(behind).tail_events, 8);
    grove_document_close(ahead);
    grove_document_close(behind);
}

STORE_TEST(two_handles, compact_of_one_that_was_behind_leaves_only_the_snapshot)
{
    grove_document *document = open_manual(fixture, "a", NULL);
    insert(fixture, document, 0, "x");
    (void)save(fixture, document);
    grove_document *other = open_manual(fixture, "a", NULL);
    insert(fixture, other, 0, "0123456789");
    (void)save(fixture, other);
    grove_document_close(other);
    cr_assert_eq(compact_all(fixture, document).base_clock, 11);
    cr_assert_eq(statistics_of(fixture, "a").batches, 0);
    grove_document_close(document);
}

static bool count_events(void *context, uint64_t clock, const grove_event_run *run)
{
    (void)clock;
    *(uint64_t *)context += run->operation.count;
    return true;
}

STORE_TEST(two_handles, events_since_snapshot_are_those_since_anyones_snapshot)
{
    grove_document *reader = open_manual(fixture, "a", NULL);
    insert(fixture, reader, 0, "0123456789");
    (void)save(fixture, reader);
    grove_document *other = open_manual(fixture, "a", NULL);
    (void)compact_all(fixture, other);
    grove_document_close(other);
    uint64_t events = 0;
    assert_ok(fixture, grove_document_events_since_snapshot(reader, count_events, &events,
                                                            &fixture->error));
    cr_assert_eq(events, 0);
    grove_document_close(reader);
}

/* An event of replica `r`, as a peer hands it in. */
static grove_event_run event_of(const char *replica, const char *payload)
{
    grove_event_run run = {.timestamp = 7,
                           .operation = {0, 1, 0, grove_bytes_of(payload)}};
    run.first.replica.size = (uint8_t)strlen(replica);
    memcpy(run.first.replica.bytes, replica, strlen(replica));
    return run;
}

STORE_TEST(two_handles, an_event_that_both_are_given_is_told_from_unsaved_ones)
{
    grove_document *maker = open_named(fixture, "m", grove_type_opaque());
    assert_ok(fixture,
              grove_opaque_append(maker, grove_bytes_of("root"), &fixture->error));
    assert_ok(fixture,
              grove_opaque_set_state(maker, grove_bytes_of("state"), &fixture->error));
    (void)save(fixture, maker);
    grove_document_close(maker);
    grove_document *first = open_named(fixture, "s", NULL);
    grove_document *second = open_named(fixture, "t", NULL);
    grove_event_run run = event_of("r", "given");
    assert_ok(fixture, grove_document_add(first, &run, &fixture->error));
    (void)save(fixture, first);
    /* With nothing unsaved, and with something at the same clock. */
    for (int round = 0; round < 2; round++) {
        grove_event_run child = event_of("u", "child");
        child.parents = &run.first;
        child.parent_count = 1;
        assert_fails(fixture, GROVE_UNKNOWN_PARENT,
                     grove_document_add(second, &child, &fixture->error));
        assert_ok(fixture,
                  grove_opaque_append(second, grove_bytes_of("own"), &fixture->error));
    }
    assert_ok(fixture, grove_document_add(second, &run, &fixture->error));
    cr_assert_eq(grove_document_unsaved(second), 3);
    for (int round = 0; round < 2; round++) {
        assert_fails(fixture, GROVE_DUPLICATE,
                     grove_document_add(second, &run, &fixture->error));
        assert_ok(fixture, grove_document_refresh(second, NULL, &fixture->error));
        cr_assert_eq(grove_document_unsaved(second), 2);
    }
    (void)save(fixture, second);
    cr_assert_eq(grove_document_clock(second), 4);
    grove_document_close(second);
    grove_document_close(first);
}

STORE_TEST(two_handles, what_was_compacted_elsewhere_is_said_to_be_removed)
{
    grove_document *first = open_named(fixture, "s", grove_type_opaque());
    grove_event_run run = event_of("r", "given");
    assert_ok(fixture, grove_document_add(first, &run, &fixture->error));
    (void)save(fixture, first);
    grove_document *second = open_named(fixture, "t", NULL);
    assert_ok(fixture,
              grove_opaque_set_state(second, grove_bytes_of("state"), &fixture->error));
    (void)compact_all(fixture, second);
    grove_document_close(second);
    assert_fails(fixture, GROVE_HISTORY_REMOVED,
                 grove_document_add(first, &run, &fixture->error));
    grove_document_close(first);
}

/* Saves a text long enough that its batch is no small change. */
static void save_long(store_fixture *fixture, grove_document *document, char letter)
{
    char text[2001];
    test_random random = test_random_of("two-handles");
    for (size_t index = 0; index < 2000; index++) {
        text[index] = (char)(letter + (char)test_random_below(&random, 20));
    }
    text[2000] = '\0';
    insert(fixture, document, 0, text);
    (void)save(fixture, document);
}

STORE_TEST(two_handles, refresh_reads_the_new_batches_and_nothing_else)
{
    grove_document *writer = open_manual(fixture, "a", NULL);
    grove_seal_options options = GROVE_SEAL_OPTIONS_INIT;
    for (int round = 0; round < 20; round++) {
        save_long(fixture, writer, 'a');
    }
    /* What is sealed does not roll up. */
    assert_ok(fixture, grove_document_seal(writer, &options, NULL, &fixture->error));
    uint64_t sealed = statistics_of(fixture, "a").batch_bytes;
    grove_document *reader = open_manual(fixture, "a", NULL);
    uint64_t events;
    for (int round = 0; round < 5; round++) {
        uint64_t looked = grove_document_bytes_read(reader);
        save_long(fixture, writer, 'A');
        assert_ok(fixture, grove_document_refresh(reader, &events, &fixture->error));
        cr_assert_eq(events, 2000);
        uint64_t read = grove_document_bytes_read(reader) - looked;
        cr_assert_gt(read, 0);
        /* It is looked at for its graph and for its operations. */
        cr_assert_leq(read, 2 * (statistics_of(fixture, "a").batch_bytes - sealed));
        cr_assert_lt(read, sealed);
        /* And nothing where nothing is new. */
        looked = grove_document_bytes_read(reader);
        assert_ok(fixture, grove_document_refresh(reader, &events, &fixture->error));
        cr_assert_eq(events, 0);
        cr_assert_eq(grove_document_bytes_read(reader), looked);
    }
    grove_document_close(reader);
    grove_document_close(writer);
}

/* In a process of its own: compacts all that it may. */
static void compact_in_child(store_fixture *fixture)
{
    pid_t child = fork();
    if (child == 0) {
        grove_store *store = NULL;
        grove_document *document = NULL;
        grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
        options.window_events = 0;
        bool is_done =
            grove_store_open(fixture->dir.path, &fixture->options, &store, NULL) ==
                GROVE_OK &&
            grove_document_load(store, grove_bytes_of("a"), NULL, &document, NULL) ==
                GROVE_OK &&
            grove_text_insert(document, 0, grove_bytes_of("new "), NULL) == GROVE_OK &&
            grove_document_save(document, NULL, NULL, NULL) == GROVE_OK &&
            grove_document_compact(document, &options, NULL, NULL) == GROVE_OK;
        grove_document_close(document);
        grove_store_close(store);
        _exit(is_done ? 42 : 1);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

Test(two_handles, late_edits_of_one_process_survive_the_compaction_of_another)
{
    store_fixture fixture;
    store_fixture_init(&fixture, "lmdb");
    store_fixture_open(&fixture);
    grove_document *document = open_named(&fixture, "b", grove_type_text());
    insert(&fixture, document, 0, "old");
    (void)save(&fixture, document);
    /* Typed before, saved after what the other process does. */
    insert(&fixture, document, 3, " late");
    compact_in_child(&fixture);
    cr_assert_leq(statistics_of(&fixture, "a").base_clock, 3);
    (void)save(&fixture, document);
    grove_document_close(document);
    assert_stored_text(&fixture, "a", "new old late");
    /* Nobody needs the history any more. */
    compact_in_child(&fixture);
    cr_assert_eq(statistics_of(&fixture, "a").base_clock, 16);
    assert_stored_text(&fixture, "a", "new new old late");
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}
