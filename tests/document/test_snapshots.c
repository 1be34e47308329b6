/* Which snapshots there are. */
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
