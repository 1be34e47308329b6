/* In a child of fork every handle is dead, and closing harms nobody. */
#include <sys/wait.h>
#include <unistd.h>

#include "support/store_fixture.h"

enum { CHILD_DONE = 42 };

/* In a child, where a failed assertion of the framework would not be seen. */
#define INSIST(condition)                                                 \
    do {                                                                  \
        if (!(condition)) {                                               \
            (void)fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
            _exit(1);                                                     \
        }                                                                 \
    } while (0)

typedef struct forked {
    store_fixture *fixture;
    grove_store *store;
    grove_document *text;
    grove_document *opaque;
    grove_document *past;
    grove_watch *watch;
} forked;

static void assert_child_done(pid_t child)
{
    int status;
    cr_assert_gt(child, 0);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == CHILD_DONE);
}

static bool each_name(void *context, grove_bytes name)
{
    (void)context;
    (void)name;
    return true;
}

static bool each_run(void *context, uint64_t clock, const grove_event_run *run)
{
    (void)context;
    (void)clock;
    (void)run;
    return true;
}

static bool write_nothing(void *context, grove_bytes bytes)
{
    (void)context;
    (void)bytes;
    return true;
}

static void check_store_calls(const forked *in)
{
    grove_error error;
    grove_store *store = in->store;
    grove_bytes id = grove_bytes_of("t");
    grove_document *document = NULL;
    uint64_t number;
    grove_bytes state;
    grove_store_statistics statistics;
    grove_document_statistics facts;
    grove_version version = {NULL, 0};
    grove_watch *watch;
    INSIST(grove_store_sync(store, &error) == GROVE_FORKED);
    INSIST(error.status == GROVE_FORKED && error.message[0] != '\0');
    INSIST(grove_store_commit(store, &number, &error) == GROVE_FORKED);
    INSIST(grove_store_statistics_get(store, &statistics, &error) == GROVE_FORKED);
    INSIST(grove_store_readers(store, NULL, NULL, &error) == GROVE_FORKED);
    INSIST(grove_store_backup(store, "copy", NULL, NULL, &error) == GROVE_FORKED);
    INSIST(grove_group_save(store, id, id, NULL, &error) == GROVE_FORKED);
    INSIST(grove_group_load(store, id, &state, &error) == GROVE_FORKED);
    INSIST(grove_group_delete(store, id, NULL, &error) == GROVE_FORKED);
    INSIST(grove_group_list(store, (grove_bytes){NULL, 0}, (grove_bytes){NULL, 0},
                            each_name, NULL, &error) == GROVE_FORKED);
    INSIST(grove_document_open(store, id, NULL, &document, &error) == GROVE_FORKED);
    INSIST(grove_document_load(store, id, NULL, &document, &error) == GROVE_FORKED);
    INSIST(grove_document_load_at(store, id, 1, NULL, &document, &error) == GROVE_FORKED);
    INSIST(grove_document_load_version(store, id, &version, NULL, &document, &error) ==
           GROVE_FORKED);
    INSIST(document == NULL);
    INSIST(grove_document_delete(store, id, NULL, &error) == GROVE_FORKED);
    INSIST(grove_document_list(store, (grove_bytes){NULL, 0}, (grove_bytes){NULL, 0},
                               each_name, NULL, &error) == GROVE_FORKED);
    INSIST(grove_document_statistics_get(store, id, &facts, &error) == GROVE_FORKED);
    INSIST(grove_watch_open(store, &watch, NULL, &error) == GROVE_FORKED);
    INSIST(grove_watch_wait(in->watch, 0, NULL, &error) == GROVE_FORKED);
}

static void check_document_calls(const forked *in, grove_document *document)
{
    grove_error error;
    grove_version version;
    grove_version_vector vector;
    uint64_t number;
    grove_event_run run;
    memset(&run, 0, sizeof run);
    INSIST(grove_document_version(document, &version, &error) == GROVE_FORKED);
    INSIST(grove_document_save(document, NULL, NULL, &error) == GROVE_FORKED);
    INSIST(grove_document_refresh(document, NULL, &error) == GROVE_FORKED);
    INSIST(grove_document_add(document, &run, &error) == GROVE_FORKED);
    INSIST(grove_document_version_vector(document, &vector, &error) == GROVE_FORKED);
    INSIST(grove_document_export(document, NULL, write_nothing, NULL, &error) ==
           GROVE_FORKED);
    INSIST(grove_document_import(document, grove_bytes_of("x"), NULL, &error) ==
           GROVE_FORKED);
    INSIST(grove_document_pending(document, &number, &number, &error) == GROVE_FORKED);
    INSIST(grove_document_events(document, 0, each_run, NULL, &error) == GROVE_FORKED);
    INSIST(grove_document_events_since_snapshot(document, each_run, NULL, &error) ==
           GROVE_FORKED);
    INSIST(grove_document_compact(document, NULL, NULL, &error) == GROVE_FORKED);
    INSIST(grove_document_seal(document, NULL, NULL, &error) == GROVE_FORKED);
    (void)in;
}

static void check_type_calls(const forked *in)
{
    grove_error error;
    uint64_t number;
    grove_bytes bytes;
    bool is_set;
    INSIST(grove_text_insert(in->text, 0, grove_bytes_of("x"), &error) == GROVE_FORKED);
    INSIST(grove_text_delete(in->text, 0, 1, &error) == GROVE_FORKED);
    INSIST(grove_text_length(in->text, &number, NULL, &error) == GROVE_FORKED);
    INSIST(grove_text_on_edit(in->text, NULL, NULL, &error) == GROVE_FORKED);
    INSIST(grove_opaque_append(in->opaque, grove_bytes_of("x"), &error) == GROVE_FORKED);
    INSIST(grove_opaque_set_state(in->opaque, grove_bytes_of("x"), &error) ==
           GROVE_FORKED);
    INSIST(grove_opaque_state(in->opaque, &is_set, &bytes, &number, &error) ==
           GROVE_FORKED);
    INSIST(grove_opaque_payload(in->opaque, 0, &bytes, &error) == GROVE_FORKED);
}

static void close_all(const forked *in)
{
    grove_watch_close(in->watch);
    grove_document_close(in->past);
    grove_document_close(in->opaque);
    grove_document_close(in->text);
    grove_store_close(in->store);
}

/* A document of each type, saved, and everything open. */
static forked open_all(store_fixture *fixture)
{
    forked in = {.fixture = fixture};
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    in.store = fixture->store;
    options.type = grove_type_text();
    assert_ok(fixture, grove_document_open(in.store, grove_bytes_of("t"), &options,
                                           &in.text, &fixture->error));
    assert_ok(fixture,
              grove_text_insert(in.text, 0, grove_bytes_of("text"), &fixture->error));
    assert_ok(fixture, grove_document_save(in.text, NULL, NULL, &fixture->error));
    options.type = grove_type_opaque();
    assert_ok(fixture, grove_document_open(in.store, grove_bytes_of("o"), &options,
                                           &in.opaque, &fixture->error));
    assert_ok(fixture,
              grove_opaque_append(in.opaque, grove_bytes_of("1"), &fixture->error));
    assert_ok(fixture, grove_document_save(in.opaque, NULL, NULL, &fixture->error));
    assert_ok(fixture, grove_document_load_at(in.store, grove_bytes_of("t"), 2, NULL,
                                              &in.past, &fixture->error));
    assert_ok(fixture, grove_watch_open(in.store, &in.watch, NULL, &fixture->error));
    return in;
}

/* The parent works on as if nothing had happened. */
static void assert_works(const forked *in)
{
    store_fixture *fixture = in->fixture;
    uint64_t commit;
    assert_ok(fixture,
              grove_text_insert(in->text, 0, grove_bytes_of("a "), &fixture->error));
    assert_ok(fixture, grove_document_save(in->text, NULL, NULL, &fixture->error));
    assert_ok(fixture, grove_watch_wait(in->watch, 10000, &commit, &fixture->error));
}

STORE_TEST(fork, every_call_in_a_child_says_so_and_closing_harms_nobody)
{
    forked in = open_all(fixture);
    pid_t child = fork();
    if (child == 0) {
        check_store_calls(&in);
        check_document_calls(&in, in.text);
        check_document_calls(&in, in.opaque);
        check_type_calls(&in);
        close_all(&in);
        _exit(CHILD_DONE);
    }
    assert_child_done(child);
    assert_works(&in);
    close_all(&in);
    fixture->store = NULL;
    store_fixture_open(fixture);
}

Test(fork, a_child_opens_the_store_for_itself_before_and_after_closing_what_it_inherited)
{
    for (int closes_first = 0; closes_first < 2; closes_first++) {
        store_fixture fixture;
        store_fixture_init(&fixture, "lmdb");
        store_fixture_open(&fixture);
        forked in = open_all(&fixture);
        pid_t child = fork();
        if (child == 0) {
            grove_store *store;
            grove_document *text;
            if (closes_first == 1) {
                close_all(&in);
            }
            INSIST(grove_store_open(fixture.dir.path, &fixture.options, &store, NULL) ==
                   GROVE_OK);
            if (closes_first == 0) {
                close_all(&in);
            }
            INSIST(grove_document_load(store, grove_bytes_of("t"), NULL, &text, NULL) ==
                   GROVE_OK);
            INSIST(grove_text_insert(text, 0, grove_bytes_of("one "), NULL) == GROVE_OK);
            INSIST(grove_document_save(text, NULL, NULL, NULL) == GROVE_OK);
            grove_document_close(text);
            grove_store_close(store);
            _exit(CHILD_DONE);
        }
        assert_child_done(child);
        uint64_t commit;
        uint64_t length;
        assert_ok(&fixture, grove_watch_wait(in.watch, 10000, &commit, &fixture.error));
        cr_assert_eq(commit, 3);
        assert_ok(&fixture, grove_document_refresh(in.text, NULL, &fixture.error));
        assert_ok(&fixture, grove_text_length(in.text, &length, NULL, &fixture.error));
        cr_assert_eq(length, 8);
        assert_works(&in);
        close_all(&in);
        store_fixture_release(&fixture);
    }
}
