#include "support/store_fixture.h"

static grove_document *open_opaque(store_fixture *fixture, const char *replica)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = grove_type_opaque();
    options.policy.events_min = 5;
    options.policy.cost_percent = 0;
    options.replica.size = (uint8_t)strlen(replica);
    memcpy(options.replica.bytes, replica, strlen(replica));
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of("a"), &options,
                                           &document, &fixture->error));
    return document;
}

static void append(store_fixture *fixture, grove_document *document, const char *payload)
{
    assert_ok(fixture,
              grove_opaque_append(document, grove_bytes_of(payload), &fixture->error));
}

/* The state, then the payloads after it, each followed by a blank. */
static void assert_holds(store_fixture *fixture, const grove_document *document,
                         const char *state, const char *payloads)
{
    bool is_set;
    grove_bytes bytes;
    uint64_t count;
    assert_ok(fixture,
              grove_opaque_state(document, &is_set, &bytes, &count, &fixture->error));
    cr_assert_eq(is_set, state != NULL);
    if (state != NULL) {
        cr_assert_eq(bytes.size, strlen(state));
        cr_assert_eq(memcmp(bytes.data, state, bytes.size), 0);
    }
    const char *at = payloads;
    for (uint64_t index = 0; index < count; index++) {
        assert_ok(fixture,
                  grove_opaque_payload(document, index, &bytes, &fixture->error));
        cr_assert_eq(strncmp(at, (const char *)bytes.data, bytes.size), 0, "%s", at);
        at += bytes.size;
        cr_assert_eq(*at, ' ');
        at++;
    }
    cr_assert_eq(*at, '\0', "%s is missing", at);
    assert_fails(fixture, GROVE_INVALID,
                 grove_opaque_payload(document, count, &bytes, &fixture->error));
}

STORE_TEST(opaque, load_gives_the_state_handed_in_and_the_events_after_it)
{
    grove_document *document = open_opaque(fixture, "r");
    append(fixture, document, "one");
    append(fixture, document, "two");
    assert_holds(fixture, document, NULL, "one two ");
    (void)save(fixture, document);
    assert_ok(fixture,
              grove_opaque_set_state(document, grove_bytes_of("1+2"), &fixture->error));
    assert_holds(fixture, document, "1+2", "");
    grove_save_result result = save(fixture, document);
    cr_assert(result.made_snapshot);
    cr_assert_eq(result.commit, 0, "a snapshot takes no commit number");
    append(fixture, document, "three");
    (void)save(fixture, document);
    grove_document_close(document);
    document = open_opaque(fixture, "r");
    assert_holds(fixture, document, "1+2", "three ");
    cr_assert_eq(grove_document_replica(document).sequence, 3);
    grove_document_close(document);
}

STORE_TEST(opaque, no_snapshot_is_made_of_what_was_not_handed_in)
{
    grove_document *document = open_opaque(fixture, "r");
    for (int count = 0; count < 50; count++) {
        append(fixture, document, "payload");
        cr_assert_not(save(fixture, document).made_snapshot);
    }
    assert_fails(fixture, GROVE_UNSUPPORTED,
                 grove_document_compact(document, NULL, NULL, &fixture->error));
    assert_ok(fixture,
              grove_opaque_set_state(document, grove_bytes_of("state"), &fixture->error));
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    options.window_events = 0;
    assert_ok(fixture, grove_document_compact(document, &options, NULL, &fixture->error));
    cr_assert_eq(statistics_of(fixture, "a").batches, 0);
    grove_document_close(document);
    document = open_opaque(fixture, "s");
    assert_holds(fixture, document, "state", "");
    grove_document_close(document);
}

STORE_TEST(opaque, handles_that_save_at_once_both_get_their_events_in)
{
    grove_document *first = open_opaque(fixture, "r");
    grove_document *second = open_opaque(fixture, "s");
    append(fixture, first, "r0");
    append(fixture, second, "s0");
    append(fixture, second, "s1");
    cr_assert_eq(save(fixture, first).first_clock, 0);
    cr_assert_eq(save(fixture, second).first_clock, 1);
    assert_holds(fixture, second, NULL, "s0 s1 r0 ");
    grove_version version;
    assert_ok(fixture, grove_document_version(second, &version, &fixture->error));
    cr_assert_eq(version.head_count, 2);
    uint64_t events;
    assert_ok(fixture, grove_document_refresh(first, &events, &fixture->error));
    cr_assert_eq(events, 2);
    /* The next event merges both heads. */
    append(fixture, first, "r1");
    assert_ok(fixture, grove_document_version(first, &version, &fixture->error));
    cr_assert_eq(version.head_count, 1);
    (void)save(fixture, first);
    grove_document_close(second);
    grove_document_close(first);
    grove_document *anew = open_opaque(fixture, "t");
    assert_holds(fixture, anew, NULL, "r0 s0 s1 r1 ");
    assert_ok(fixture, grove_document_version(anew, &version, &fixture->error));
    cr_assert_eq(version.head_count, 1);
    cr_assert_eq(version.heads[0].sequence, 1);
    grove_document_close(anew);
}

STORE_TEST(opaque, many_rounds_of_two_writers_lose_nothing)
{
    grove_document *handles[2] = {open_opaque(fixture, "r"), open_opaque(fixture, "s")};
    for (int round = 0; round < 200; round++) {
        grove_document *document = handles[round % 2];
        append(fixture, document, "x");
        if (round % 3 == 0) {
            append(fixture, document, "y");
        }
        (void)save(fixture, document);
        if (round % 50 == 49) {
            assert_ok(fixture,
                      grove_document_seal(document, NULL, NULL, &fixture->error));
        }
    }
    cr_assert_eq(statistics_of(fixture, "a").events, 267);
    grove_document_close(handles[1]);
    grove_document_close(handles[0]);
    grove_document *anew = open_opaque(fixture, "t");
    bool is_set;
    grove_bytes state;
    uint64_t payloads;
    assert_ok(fixture,
              grove_opaque_state(anew, &is_set, &state, &payloads, &fixture->error));
    cr_assert_eq(payloads, 267);
    grove_document_close(anew);
}
