/* Which snapshots there are. */
#include "support/faulty_allocator.h"
#include "support/random.h"
#include "support/store_fixture.h"

static void set_state(store_fixture *fixture, grove_document *document, const char *state)
{
    assert_ok(fixture,
              grove_opaque_set_state(document, grove_bytes_of(state), &fixture->error));
    cr_assert(save(fixture, document).made_snapshot);
}

STORE_TEST(snapshots, one_made_again_leaves_the_newest_two)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = grove_type_opaque();
    options.policy.older_percent = 0;
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of("a"), &options,
                                           &document, &fixture->error));
    for (int round = 0; round < 2; round++) {
        assert_ok(fixture,
                  grove_opaque_append(document, grove_bytes_of("x"), &fixture->error));
        set_state(fixture, document, "state");
    }
    cr_assert_eq(statistics_of(fixture, "a").snapshots, 2);
    set_state(fixture, document, "another state");
    cr_assert_eq(statistics_of(fixture, "a").snapshots, 2);
    cr_assert_eq(statistics_of(fixture, "a").newest_snapshot_clock, 2);
    grove_document_close(document);
}

STORE_TEST(snapshots, a_version_of_too_many_heads_is_saved_without_one)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = grove_type_opaque();
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of("a"), &options,
                                           &document, &fixture->error));
    for (uint32_t index = 0; index < 5000; index++) {
        grove_event_run run = {.timestamp = 7,
                               .operation = {0, 1, 0, grove_bytes_of("x")}};
        run.first.replica.size = sizeof index;
        memcpy(run.first.replica.bytes, &index, sizeof index);
        assert_ok(fixture, grove_document_add(document, &run, &fixture->error));
    }
    assert_ok(fixture,
              grove_opaque_set_state(document, grove_bytes_of("s"), &fixture->error));
    cr_assert_not(save(fixture, document).made_snapshot);
    cr_assert_eq(statistics_of(fixture, "a").events, 5000);
    grove_document_close(document);
}

STORE_TEST(snapshots, a_state_before_the_first_event_is_kept)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = grove_type_opaque();
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of("a"), &options,
                                           &document, &fixture->error));
    set_state(fixture, document, "state");
    grove_document_close(document);
    assert_ok(fixture, grove_document_load(fixture->store, grove_bytes_of("a"), NULL,
                                           &document, &fixture->error));
    bool is_set;
    grove_bytes state;
    uint64_t payloads;
    assert_ok(fixture,
              grove_opaque_state(document, &is_set, &state, &payloads, &fixture->error));
    cr_assert(is_set);
    assert_ok(fixture,
              grove_opaque_append(document, grove_bytes_of("x"), &fixture->error));
    (void)save(fixture, document);
    grove_document_close(document);
    cr_assert_eq(statistics_of(fixture, "a").events, 1);
}

#ifndef GROVE_TINY_LIMITS
/* Nothing is kept of what decompressed it, nor of its history. Says nothing of
 * the tiny limits, with which a leaf of the rope holds a few bytes only. */
STORE_TEST(snapshots, a_loaded_text_takes_at_most_three_times_its_size)
{
    test_random random = test_random_of("loaded-memory");
    grove_document *document = open_manual(fixture, "a", NULL);
    uint64_t length = 0;
    for (int index = 0; index < 20000; index++) {
        insert(fixture, document, test_random_below(&random, length + 1), "word ");
        length += 5;
        uint64_t deleted = test_random_below(&random, 9);
        if (deleted > 0 && deleted <= length) {
            assert_ok(fixture,
                      grove_text_delete(document,
                                        test_random_below(&random, length - deleted + 1),
                                        deleted, &fixture->error));
            length -= deleted;
        }
    }
    (void)save(fixture, document);
    grove_compact_options compaction = GROVE_COMPACT_OPTIONS_INIT;
    assert_ok(fixture,
              grove_document_compact(document, &compaction, NULL, &fixture->error));
    grove_document_close(document);
    store_fixture_close(fixture);

    faulty_allocator books;
    faulty_allocator_init(&books, 0);
    fixture->options.allocator = &books.allocator;
    store_fixture_open(fixture);
    size_t before = books.bytes;
    document = open_manual(fixture, "a", NULL);
    cr_assert_gt(length, 8000);
    cr_assert_leq(books.bytes - before, 3 * length);
    grove_document_close(document);
    store_fixture_close(fixture);
    faulty_allocator_finish(&books);
    fixture->options.allocator = NULL;
    store_fixture_open(fixture);
}
#endif
