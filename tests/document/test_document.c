#include "support/store_fixture.h"

STORE_TEST(document, of_an_unknown_id_is_none_to_load_and_empty_to_open)
{
    grove_document *document = NULL;
    assert_fails(fixture, GROVE_NONE,
                 grove_document_load(fixture->store, grove_bytes_of("a"), NULL, &document,
                                     &fixture->error));
    cr_assert_null(document);
    document = open_document(fixture, "a");
    assert_text(fixture, document, "");
    cr_assert_eq(grove_document_clock(document), 0);
    grove_version version;
    assert_ok(fixture, grove_document_version(document, &version, &fixture->error));
    cr_assert_eq(version.head_count, 0);
    cr_assert_eq(save(fixture, document).commit, 0);
    grove_document_close(document);
    grove_document_statistics statistics;
    assert_fails(fixture, GROVE_NONE,
                 grove_document_statistics_get(fixture->store, grove_bytes_of("a"),
                                               &statistics, &fixture->error));
}

STORE_TEST(document, is_what_was_saved_after_the_store_was_closed)
{
    grove_document *document = open_document(fixture, "a");
    insert(fixture, document, 0, "hello wörld");
    assert_ok(fixture, grove_text_delete(document, 7, 3, &fixture->error));
    cr_assert_eq(grove_document_unsaved(document), 14);
    grove_save_result result = save(fixture, document);
    cr_assert_eq(result.commit, 1);
    cr_assert_eq(result.first_clock, 0);
    cr_assert_eq(result.events, 14);
    grove_document_close(document);
    store_fixture_close(fixture);
    store_fixture_open(fixture);
    assert_stored_text(fixture, "a", "hello wd");
    uint64_t commit;
    assert_ok(fixture, grove_store_commit(fixture->store, &commit, &fixture->error));
    cr_assert_eq(commit, 1);
}

STORE_TEST(document, saves_nothing_twice)
{
    grove_document *document = open_document(fixture, "a");
    insert(fixture, document, 0, "abc");
    cr_assert_eq(save(fixture, document).events, 3);
    cr_assert_eq(save(fixture, document).events, 0);
    insert(fixture, document, 3, "d");
    grove_save_result result = save(fixture, document);
    cr_assert_eq(result.events, 1);
    cr_assert_eq(result.first_clock, 3);
    grove_document_close(document);
    assert_ok(fixture, grove_document_load(fixture->store, grove_bytes_of("a"), NULL,
                                           &document, &fixture->error));
    cr_assert_eq(grove_document_clock(document), 4);
    cr_assert_eq(save(fixture, document).events, 0);
    grove_document_close(document);
    cr_assert_eq(statistics_of(fixture, "a").events, 4);
}

STORE_TEST(document, forgets_what_was_not_saved)
{
    grove_document *document = open_document(fixture, "a");
    insert(fixture, document, 0, "abc");
    (void)save(fixture, document);
    insert(fixture, document, 3, "lost");
    grove_document_close(document);
    assert_stored_text(fixture, "a", "abc");
}

STORE_TEST(document, refuses_a_save_that_expects_another_clock)
{
    grove_document *document = open_document(fixture, "a");
    grove_document *other = open_document(fixture, "a");
    insert(fixture, document, 0, "abc");
    (void)save(fixture, document);
    insert(fixture, other, 0, "xyz");
    uint64_t expected = 0;
    assert_fails(fixture, GROVE_CONFLICT,
                 grove_document_save(other, &expected, NULL, &fixture->error));
    cr_assert_eq(grove_document_unsaved(other), 3);
    insert(fixture, document, 3, "d");
    expected = 3;
    assert_ok(fixture, grove_document_save(document, &expected, NULL, &fixture->error));
    assert_fails(fixture, GROVE_CONFLICT,
                 grove_document_save(document, &expected, NULL, &fixture->error));
    grove_document_close(other);
    grove_document_close(document);
    assert_stored_text(fixture, "a", "abcd");
}

/* Adds the first event of a replica. */
static grove_status add_payload(store_fixture *fixture, grove_document *document,
                                const char *replica)
{
    grove_event_run run = {
        .operation = {.kind = 0, .count = 1, .content = grove_bytes_of("payload")}};
    run.first.replica.size = (uint8_t)strlen(replica);
    memcpy(run.first.replica.bytes, replica, strlen(replica));
    return grove_document_add(document, &run, &fixture->error);
}

STORE_TEST(document, of_a_type_that_cannot_merge_says_so)
{
    grove_document_type type = *grove_type_opaque();
    type.name = "plain";
    type.capabilities = 0;
    grove_document *document = open_manual(fixture, "a", &type);
    grove_document *other = open_manual(fixture, "a", &type);
    assert_ok(fixture, add_payload(fixture, document, "p"));
    assert_fails(fixture, GROVE_UNSUPPORTED, add_payload(fixture, document, "q"));
    (void)save(fixture, document);
    assert_ok(fixture, add_payload(fixture, other, "q"));
    assert_fails(fixture, GROVE_UNSUPPORTED,
                 grove_document_save(other, NULL, NULL, &fixture->error));
    uint64_t events = 77;
    assert_fails(fixture, GROVE_UNSUPPORTED,
                 grove_document_refresh(other, &events, &fixture->error));
    cr_assert_eq(events, 77);
    cr_assert_eq(grove_document_unsaved(other), 1);
    grove_document_close(other);
    grove_document_close(document);
    cr_assert_eq(statistics_of(fixture, "a").events, 1);
}

STORE_TEST(document, takes_in_what_others_saved_since)
{
    grove_document *writer = open_document(fixture, "a");
    insert(fixture, writer, 0, "abc");
    (void)save(fixture, writer);
    grove_document *reader = open_document(fixture, "a");
    insert(fixture, writer, 3, "def");
    assert_ok(fixture, grove_text_delete(writer, 0, 2, &fixture->error));
    (void)save(fixture, writer);
    assert_text(fixture, reader, "abc");
    uint64_t events;
    assert_ok(fixture, grove_document_refresh(reader, &events, &fixture->error));
    cr_assert_eq(events, 5);
    assert_text(fixture, reader, "cdef");
    assert_ok(fixture, grove_document_refresh(reader, &events, &fixture->error));
    cr_assert_eq(events, 0);
    /* Another replica goes on from there. */
    insert(fixture, reader, 4, "!");
    cr_assert_eq(save(fixture, reader).first_clock, 8);
    assert_ok(fixture, grove_document_refresh(writer, &events, &fixture->error));
    assert_text(fixture, writer, "cdef!");
    grove_document_close(reader);
    grove_document_close(writer);
}

STORE_TEST(document, goes_on_as_the_replica_it_was)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.replica = (grove_replica){3, "\0\1\2"};
    for (uint64_t round = 0; round < 3; round++) {
        grove_document *document = NULL;
        assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of("a"),
                                               &options, &document, &fixture->error));
        grove_event_id next = grove_document_replica(document);
        cr_assert_eq(next.replica.size, 3);
        cr_assert_eq(next.sequence, round);
        insert(fixture, document, round, "x");
        (void)save(fixture, document);
        grove_document_close(document);
    }
    assert_stored_text(fixture, "a", "xxx");
}

STORE_TEST(document, notices_that_a_replica_has_two_writers)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = grove_type_opaque();
    options.replica = (grove_replica){1, "r"};
    grove_document *handles[2] = {NULL, NULL};
    for (int index = 0; index < 2; index++) {
        assert_ok(fixture,
                  grove_document_open(fixture->store, grove_bytes_of("a"), &options,
                                      &handles[index], &fixture->error));
        assert_ok(fixture, grove_opaque_append(handles[index], grove_bytes_of("event"),
                                               &fixture->error));
    }
    (void)save(fixture, handles[0]);
    grove_status status = grove_document_save(handles[1], NULL, NULL, &fixture->error);
    cr_assert_eq(status, GROVE_REPLICA_REUSED, "%s", grove_status_name(status));
    grove_document_close(handles[1]);
    grove_document_close(handles[0]);
    cr_assert_eq(statistics_of(fixture, "a").events, 1);
}

STORE_TEST(document, of_fresh_replicas_never_share_one)
{
    grove_document *first = open_document(fixture, "a");
    grove_document *second = open_document(fixture, "a");
    grove_event_id a = grove_document_replica(first);
    grove_event_id b = grove_document_replica(second);
    cr_assert_eq(a.replica.size, 16);
    cr_assert_neq(memcmp(a.replica.bytes, b.replica.bytes, 16), 0);
    grove_document_close(second);
    grove_document_close(first);
}

STORE_TEST(document, that_is_deleted_is_gone_and_its_handles_find_out)
{
    grove_document *document = open_document(fixture, "a");
    insert(fixture, document, 0, "abc");
    (void)save(fixture, document);
    uint64_t commit;
    assert_ok(fixture, grove_document_delete(fixture->store, grove_bytes_of("a"), &commit,
                                             &fixture->error));
    cr_assert_eq(commit, 2);
    assert_fails(fixture, GROVE_NONE,
                 grove_document_delete(fixture->store, grove_bytes_of("a"), &commit,
                                       &fixture->error));
    insert(fixture, document, 0, "x");
    assert_fails(fixture, GROVE_CONFLICT,
                 grove_document_save(document, NULL, NULL, &fixture->error));
    assert_fails(fixture, GROVE_NONE,
                 grove_document_refresh(document, NULL, &fixture->error));
    /* Made anew, it is another document. */
    grove_document *anew = open_document(fixture, "a");
    insert(fixture, anew, 0, "new");
    (void)save(fixture, anew);
    assert_fails(fixture, GROVE_CONFLICT,
                 grove_document_save(document, NULL, NULL, &fixture->error));
    assert_fails(fixture, GROVE_CONFLICT,
                 grove_document_compact(document, NULL, NULL, &fixture->error));
    grove_document_close(anew);
    grove_document_close(document);
    assert_stored_text(fixture, "a", "new");
}

STORE_TEST(document, of_another_type_is_refused)
{
    grove_document *document = open_document(fixture, "a");
    insert(fixture, document, 0, "abc");
    (void)save(fixture, document);
    assert_fails(fixture, GROVE_INVALID,
                 grove_opaque_append(document, grove_bytes_of("x"), &fixture->error));
    grove_document_close(document);
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = grove_type_opaque();
    assert_fails(fixture, GROVE_INVALID,
                 grove_document_open(fixture->store, grove_bytes_of("a"), &options,
                                     &document, &fixture->error));
}

STORE_TEST(document, has_an_id_of_any_bytes_up_to_the_limit)
{
    uint8_t bytes[GROVE_DOCUMENT_ID_BYTES_MAX + 1];
    memset(bytes, 0, sizeof bytes);
    const size_t sizes[] = {1, GROVE_DOCUMENT_ID_BYTES_MAX - 1,
                            GROVE_DOCUMENT_ID_BYTES_MAX};
    for (size_t index = 0; index < 3; index++) {
        grove_bytes id = {bytes, sizes[index]};
        grove_document *document = NULL;
        assert_ok(fixture, grove_document_open(fixture->store, id, NULL, &document,
                                               &fixture->error));
        insert(fixture, document, 0, "x");
        (void)save(fixture, document);
        grove_document_close(document);
    }
    grove_document *document = NULL;
    assert_fails(fixture, GROVE_LIMIT,
                 grove_document_open(fixture->store, (grove_bytes){bytes, sizeof bytes},
                                     NULL, &document, &fixture->error));
    cr_assert_not_null(strstr(fixture->error.message, "240"));
    assert_fails(fixture, GROVE_INVALID,
                 grove_document_open(fixture->store, (grove_bytes){bytes, 0}, NULL,
                                     &document, &fixture->error));
}

STORE_TEST(document, refuses_options_that_cannot_be)
{
    grove_document *document = NULL;
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.level = 20;
    assert_fails(fixture, GROVE_INVALID,
                 grove_document_open(fixture->store, grove_bytes_of("a"), &options,
                                     &document, &fixture->error));
    options = (grove_document_options)GROVE_DOCUMENT_OPTIONS_INIT;
    options.size = 1;
    assert_fails(fixture, GROVE_INVALID,
                 grove_document_open(fixture->store, grove_bytes_of("a"), &options,
                                     &document, &fixture->error));
    options = (grove_document_options)GROVE_DOCUMENT_OPTIONS_INIT;
    options.replica.size = GROVE_REPLICA_BYTES_MAX + 1;
    assert_fails(fixture, GROVE_LIMIT,
                 grove_document_open(fixture->store, grove_bytes_of("a"), &options,
                                     &document, &fixture->error));
}

typedef struct name_list {
    char list[64][8];
    size_t count;
    size_t stop_at;
} name_list;

static bool collect(void *context, grove_bytes name)
{
    name_list *names = context;
    memcpy(names->list[names->count], name.data, name.size);
    names->list[names->count][name.size] = '\0';
    names->count++;
    return names->count != names->stop_at;
}

STORE_TEST(document, listing_goes_in_order_by_prefix_and_resumes)
{
    const char *ids[] = {"b", "a/2", "a/1", "a", "c", "a/10", "ab"};
    for (size_t index = 0; index < sizeof ids / sizeof *ids; index++) {
        grove_document *document = open_document(fixture, ids[index]);
        insert(fixture, document, 0, "x");
        (void)save(fixture, document);
        grove_document_close(document);
    }
    name_list all = {0};
    grove_bytes none = {NULL, 0};
    assert_ok(fixture, grove_document_list(fixture->store, none, none, collect, &all,
                                           &fixture->error));
    const char *sorted[] = {"a", "a/1", "a/10", "a/2", "ab", "b", "c"};
    cr_assert_eq(all.count, 7);
    for (size_t index = 0; index < 7; index++) {
        cr_assert_str_eq(all.list[index], sorted[index]);
    }
    name_list some = {.stop_at = 2};
    grove_bytes prefix = grove_bytes_of("a/");
    assert_ok(fixture, grove_document_list(fixture->store, prefix, none, collect, &some,
                                           &fixture->error));
    cr_assert_eq(some.count, 2);
    cr_assert_str_eq(some.list[1], "a/10");
    name_list rest = {0};
    assert_ok(fixture,
              grove_document_list(fixture->store, prefix, grove_bytes_of(some.list[1]),
                                  collect, &rest, &fixture->error));
    cr_assert_eq(rest.count, 1);
    cr_assert_str_eq(rest.list[0], "a/2");
}
