/* A store at its size limit: nothing is half written, and it can be emptied. */
#include "support/random.h"
#include "support/store_fixture.h"

enum { LIMIT_BYTES = 4 << 20, STATE_BYTES = 50000 };

/* Opens the fixture's store anew with a small limit. */
static void open_small(store_fixture *fixture)
{
    store_fixture_close(fixture);
    fixture->options.size_limit_bytes = LIMIT_BYTES;
    store_fixture_open(fixture);
}

/* Saves states that do not compress until there is no room; how many. */
static int fill_with_groups(store_fixture *fixture, test_random *random)
{
    uint8_t state[STATE_BYTES];
    for (int count = 0;; count++) {
        char name[16];
        uint64_t before;
        uint64_t after;
        (void)snprintf(name, sizeof name, "%05d", count);
        for (size_t index = 0; index < STATE_BYTES; index++) {
            state[index] = (uint8_t)test_random_below(random, 256);
        }
        assert_ok(fixture, grove_store_commit(fixture->store, &before, &fixture->error));
        grove_status status =
            grove_group_save(fixture->store, grove_bytes_of(name),
                             (grove_bytes){state, STATE_BYTES}, NULL, &fixture->error);
        if (status != GROVE_OK) {
            cr_assert_eq(status, GROVE_FULL, "%s", fixture->error.message);
            assert_ok(fixture,
                      grove_store_commit(fixture->store, &after, &fixture->error));
            cr_assert_eq(after, before);
            grove_bytes none;
            cr_assert_eq(grove_group_load(fixture->store, grove_bytes_of(name), &none,
                                          &fixture->error),
                         GROVE_NONE);
            return count;
        }
        cr_assert_lt(count, LIMIT_BYTES / STATE_BYTES);
    }
}

STORE_TEST(full, a_store_can_be_emptied_and_filled_again)
{
    test_random random = test_random_of("full");
    open_small(fixture);
    int first = 0;
    for (int round = 0; round < 3; round++) {
        int count = fill_with_groups(fixture, &random);
        cr_assert_gt(count, 20);
        if (round == 0) {
            first = count;
        }
        /* What was freed is used again, but for gaps that nothing fits. */
        cr_assert_geq(count, first * 3 / 4);
        for (int index = 0; index < count; index++) {
            char name[16];
            (void)snprintf(name, sizeof name, "%05d", index);
            assert_ok(fixture, grove_group_delete(fixture->store, grove_bytes_of(name),
                                                  NULL, &fixture->error));
        }
    }
    grove_store_statistics statistics;
    assert_ok(fixture,
              grove_store_statistics_get(fixture->store, &statistics, &fixture->error));
    cr_assert_leq(statistics.backend.size_bytes, LIMIT_BYTES);
    cr_assert_gt(statistics.backend.reserve_bytes, 0);
}

/* Types what does not compress, and saves it. */
static grove_status save_noise(store_fixture *fixture, grove_document *document,
                               test_random *random)
{
    char noise[1001];
    for (size_t index = 0; index < 1000; index++) {
        noise[index] = (char)(' ' + (char)test_random_below(random, 94));
    }
    noise[1000] = '\0';
    assert_ok(fixture,
              grove_text_insert(document, 0, grove_bytes_of(noise), &fixture->error));
    /* And takes most of it out again: history, not text. */
    assert_ok(fixture, grove_text_delete(document, 0, 999, &fixture->error));
    return grove_document_save(document, NULL, NULL, &fixture->error);
}

STORE_TEST(full, a_full_store_can_be_compacted_and_then_goes_on)
{
    test_random random = test_random_of("full");
    open_small(fixture);
    grove_document *document = open_manual(fixture, "a", NULL);
    /* The rest of the store, so that the history gets full soon. */
    int groups = fill_with_groups(fixture, &random);
    for (int index = 0; index < 10; index++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%05d", groups - 1 - index);
        assert_ok(fixture, grove_group_delete(fixture->store, grove_bytes_of(name), NULL,
                                              &fixture->error));
    }
    uint64_t saves = 0;
    while (save_noise(fixture, document, &random) == GROVE_OK) {
        saves++;
        cr_assert_lt(saves, 10000);
    }
    cr_assert_eq(fixture->error.status, GROVE_FULL);
    cr_assert_gt(saves, 10);
    cr_assert_eq(grove_document_unsaved(document), 1999);
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    options.window_events = 0;
    assert_ok(fixture, grove_document_compact(document, &options, NULL, &fixture->error));
    /* The events that did not fit were not lost. */
    assert_ok(fixture, grove_document_save(document, NULL, NULL, &fixture->error));
    uint64_t length;
    assert_ok(fixture, grove_text_length(document, &length, NULL, &fixture->error));
    cr_assert_eq(length, saves + 1);
    grove_document_close(document);
    document = open_manual(fixture, "a", NULL);
    assert_ok(fixture, grove_text_length(document, &length, NULL, &fixture->error));
    cr_assert_eq(length, saves + 1);
    grove_bytes state;
    assert_ok(fixture, grove_group_load(fixture->store, grove_bytes_of("00000"), &state,
                                        &fixture->error));
    grove_bytes_free(fixture->store, state);
    grove_document_close(document);
}
