/* Watching the commits of this process and of others. */
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/store_fixture.h"

static void save_group(store_fixture *fixture, const char *state)
{
    assert_ok(fixture, grove_group_save(fixture->store, grove_bytes_of("g"),
                                        grove_bytes_of(state), NULL, &fixture->error));
}

static bool is_readable(const grove_watch *watch)
{
    struct pollfd told = {.fd = grove_watch_descriptor(watch), .events = POLLIN};
    return poll(&told, 1, 0) == 1;
}

STORE_TEST(watch, each_commit_is_told_once_and_nothing_else)
{
    grove_watch *watch;
    uint64_t commit = 17;
    save_group(fixture, "0");
    assert_ok(fixture,
              grove_watch_open(fixture->store, &watch, &commit, &fixture->error));
    cr_assert_eq(commit, 1);
    cr_assert_not(is_readable(watch));
    cr_assert_eq(grove_watch_wait(watch, 0, &commit, &fixture->error), GROVE_NONE);
    cr_assert_eq(grove_watch_wait(watch, 10, &commit, &fixture->error), GROVE_NONE);
    cr_assert_eq(commit, 1);
    for (uint64_t index = 2; index < 20; index++) {
        save_group(fixture, "1");
        cr_assert(is_readable(watch));
        assert_ok(fixture, grove_watch_wait(watch, 0, &commit, &fixture->error));
        cr_assert_eq(commit, index);
        cr_assert_not(is_readable(watch));
        cr_assert_eq(grove_watch_wait(watch, 0, NULL, &fixture->error), GROVE_NONE);
    }
    /* Several at once are one telling. */
    save_group(fixture, "2");
    save_group(fixture, "3");
    assert_ok(fixture, grove_watch_wait(watch, 60000, &commit, &fixture->error));
    cr_assert_eq(commit, 21);
    cr_assert_eq(grove_watch_wait(watch, 0, &commit, &fixture->error), GROVE_NONE);
    grove_watch_close(watch);
}

STORE_TEST(watch, what_only_rearranges_is_not_told)
{
    grove_watch *watch;
    grove_document *document;
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = grove_type_text();
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of("t"), &options,
                                           &document, &fixture->error));
    assert_ok(fixture,
              grove_text_insert(document, 0, grove_bytes_of("text"), &fixture->error));
    assert_ok(fixture, grove_document_save(document, NULL, NULL, &fixture->error));
    assert_ok(fixture, grove_watch_open(fixture->store, &watch, NULL, &fixture->error));
    assert_ok(fixture, grove_document_compact(document, NULL, NULL, &fixture->error));
    cr_assert(is_readable(watch));
    cr_assert_eq(grove_watch_wait(watch, 20, NULL, &fixture->error), GROVE_NONE);
    cr_assert_not(is_readable(watch));
    grove_document_close(document);
    grove_watch_close(watch);
}

/* A child that opens the fixture's store for itself and commits. */
static pid_t fork_committer(store_fixture *fixture, int commits)
{
    pid_t child = fork();
    if (child == 0) {
        fixture->store = NULL;
        store_fixture_open(fixture);
        for (int index = 0; index < commits; index++) {
            save_group(fixture, "x");
        }
        store_fixture_close(fixture);
        _exit(42);
    }
    return child;
}

static void assert_committed(pid_t child)
{
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

/* Looks all the time, so that it looks while a commit is becoming visible. */
Test(watch, what_a_reader_sees_is_told_at_once)
{
    enum { COMMITS = 20000 };
    store_fixture fixture;
    grove_watch *watch;
    uint64_t told = 0;
    store_fixture_init(&fixture, "lmdb");
    store_fixture_open(&fixture);
    assert_ok(&fixture, grove_watch_open(fixture.store, &watch, NULL, &fixture.error));
    pid_t child = fork_committer(&fixture, COMMITS);
    while (told < COMMITS) {
        uint64_t seen;
        assert_ok(&fixture, grove_store_commit(fixture.store, &seen, &fixture.error));
        grove_status status = grove_watch_wait(watch, 0, &told, &fixture.error);
        cr_assert(status == GROVE_OK || status == GROVE_NONE);
        cr_assert_geq(told, seen);
    }
    assert_committed(child);
    grove_watch_close(watch);
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}

Test(watch, commits_of_another_process_are_told)
{
    enum { COMMITS = 200 };
    store_fixture fixture;
    grove_watch *watch;
    store_fixture_init(&fixture, "lmdb");
    store_fixture_open(&fixture);
    assert_ok(&fixture, grove_watch_open(fixture.store, &watch, NULL, &fixture.error));
    pid_t child = fork_committer(&fixture, COMMITS);
    uint64_t commit = 0;
    while (commit < COMMITS) {
        uint64_t before = commit;
        assert_ok(&fixture, grove_watch_wait(watch, 60000, &commit, &fixture.error));
        cr_assert_gt(commit, before);
        uint64_t newest;
        assert_ok(&fixture, grove_store_commit(fixture.store, &newest, &fixture.error));
        cr_assert_geq(newest, commit);
    }
    assert_committed(child);
    grove_watch_close(watch);
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}
