/*
 * Every allocation and every backend call that reading, trimming and asking
 * for clocks makes fails once. Whatever fails: the status says so, nothing
 * leaks, no commit is lost or read twice, and the next try goes through.
 */
#include "support/store_fixture.h"

#include "commit/age.h"
#include "support/faulty_allocator.h"
#include "support/faulty_backend.h"

/* With tiny limits, some of these are packed. */
enum { COMMITS = 25, EVENTS = 13, KEPT = 8 };

static bool count_commit(void *context, const grove_feed_commit *commit)
{
    uint64_t *read = context;
    cr_assert_eq(commit->number, *read + 1);
    *read = commit->number;
    return true;
}

typedef grove_status (*step_fn)(grove_store *store, grove_error *error);

static grove_status step_save(grove_store *store, grove_error *error)
{
    grove_commit_options options = GROVE_COMMIT_OPTIONS_INIT;
    options.meta = grove_bytes_of("said");
    return grove_group_save_with(store, grove_bytes_of("g"), grove_bytes_of("s"),
                                 &options, NULL, error);
}

static grove_status step_retention(grove_store *store, grove_error *error)
{
    grove_feed_retention retention = {KEPT, 0};
    grove_status status = grove_feed_retention_set(store, &retention, error);
    return status == GROVE_OK ? grove_feed_retention_get(store, &retention, error)
                              : status;
}

/* All that is kept, in slices that end early when something fails. */
static grove_status step_read(grove_store *store, grove_error *error)
{
    uint64_t read = 0;
    grove_feed_result result = {.commits = 1};
    grove_feed_token *from = NULL;
    grove_status status = GROVE_OK;
    while (status == GROVE_OK && result.commits > 0) {
        status = grove_feed_read(store, from, 10, count_commit, &read, &result, error);
        from = &result.next;
    }
    cr_assert(status != GROVE_OK || read == COMMITS + 1);
    return status;
}

static grove_status step_now(grove_store *store, grove_error *error)
{
    grove_feed_token token;
    return grove_feed_now(store, &token, error);
}

static grove_status step_clock(grove_store *store, grove_error *error)
{
    uint64_t clock = 0;
    grove_status status =
        grove_document_clock_at(store, grove_bytes_of("d"), 5, &clock, error);
    cr_assert(status != GROVE_OK || clock == 5);
    return status;
}

static grove_status step_trim(grove_store *store, grove_error *error)
{
    return grove_feed_trim(store, 1000000, NULL, error);
}

static const step_fn STEPS[] = {step_save,  step_read, step_retention, step_now,
                                step_clock, step_trim, step_clock};

static void prepare(store_fixture *fixture)
{
    store_fixture_open(fixture);
    grove_document *document = open_document(fixture, "d");
    for (int number = 0; number < COMMITS; number++) {
        if (number < EVENTS) {
            insert(fixture, document, 0, "x");
            (void)save(fixture, document);
        } else {
            assert_ok(fixture,
                      grove_group_save(fixture->store, grove_bytes_of("g"),
                                       grove_bytes_of("s"), NULL, &fixture->error));
        }
    }
    grove_document_close(document);
    store_fixture_close(fixture);
}

/* Runs the steps; one that fails is tried again. Returns how many failed. */
static int run_steps(store_fixture *fixture, grove_status *failure)
{
    int failures = 0;
    /* Aging goes along with the first commit. */
    atomic_store(&fixture->store->commit_seen, COMMITS);
    for (size_t index = 0; index < sizeof STEPS / sizeof *STEPS; index++) {
        grove_status status = STEPS[index](fixture->store, &fixture->error);
        if (status != GROVE_OK) {
            *failure = status;
            failures++;
            cr_assert_eq(fixture->error.status, status);
            assert_ok(fixture, STEPS[index](fixture->store, &fixture->error));
        }
    }
    return failures;
}

/* What is stored after the steps, with nothing failing any more. */
static void check_stored(store_fixture *fixture)
{
    uint64_t clock = 0;
    uint64_t removed = 1;
    uint64_t newest;
    store_fixture_open(fixture);
    assert_ok(fixture, grove_store_commit(fixture->store, &newest, &fixture->error));
    cr_assert_eq(newest, COMMITS + 1);
    for (uint64_t commit = 1; commit <= COMMITS + 1; commit++) {
        assert_ok(fixture, grove_document_clock_at(fixture->store, grove_bytes_of("d"),
                                                   commit, &clock, &fixture->error));
        cr_assert_eq(clock, commit < EVENTS ? commit : EVENTS);
    }
    assert_ok(fixture,
              grove_feed_trim(fixture->store, 1000000, &removed, &fixture->error));
    cr_assert_eq(removed, 0);
    store_fixture_close(fixture);
}

static void run_allocations(const char *backend)
{
    for (size_t nth = 1;; nth++) {
        store_fixture fixture;
        store_fixture_init(&fixture, backend);
        prepare(&fixture);
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, 0);
        fixture.options.allocator = &faulty.allocator;
        store_fixture_open(&fixture);
        faulty.fails_at = faulty.calls + nth;
        grove_status failure = GROVE_OK;
        int failures = run_steps(&fixture, &failure);
        store_fixture_close(&fixture);
        faulty_allocator_finish(&faulty);
        fixture.options.allocator = NULL;
        check_stored(&fixture);
        store_fixture_release(&fixture);
        if (!faulty.has_failed) {
            cr_assert_gt(nth, 20);
            break;
        }
        /* Some failures cost nothing but a detour, none goes unsaid. */
        cr_assert_leq(failures, 1);
        cr_assert(failures == 0 || failure == GROVE_NO_MEMORY, "allocation %zu: %s", nth,
                  grove_status_name(failure));
    }
}

Test(feed_faults, each_allocation_on_lmdb, .timeout = 300)
{
    run_allocations("lmdb");
}

Test(feed_faults, each_allocation_in_memory, .timeout = 300)
{
    run_allocations("memory");
}

static void run_calls(const char *backend)
{
    for (size_t nth = 1;; nth++) {
        store_fixture fixture;
        store_fixture_init(&fixture, backend);
        prepare(&fixture);
        const grove_backend *under = fixture.options.backend;
        void *under_context = fixture.options.backend_context;
        faulty_backend faulty;
        faulty_backend_init(&faulty, under, 0, GROVE_IO);
        faulty.under_context = under_context;
        fixture.options.backend = &faulty.table;
        fixture.options.backend_context = &faulty;
        store_fixture_open(&fixture);
        faulty.fails_at = faulty.calls + nth;
        grove_status failure = GROVE_OK;
        int failures = run_steps(&fixture, &failure);
        store_fixture_close(&fixture);
        faulty_backend_finish(&faulty);
        fixture.options.backend = under;
        fixture.options.backend_context = under_context;
        check_stored(&fixture);
        store_fixture_release(&fixture);
        if (!faulty.has_failed) {
            cr_assert_gt(nth, 20);
            break;
        }
        cr_assert_leq(failures, 1, "call %zu, %s", nth, faulty.failed_call);
        cr_assert(failures == 0 || failure == GROVE_IO, "call %zu, %s: %s", nth,
                  faulty.failed_call, grove_status_name(failure));
    }
}

Test(feed_faults, each_backend_call_on_lmdb, .timeout = 300)
{
    run_calls("lmdb");
}

Test(feed_faults, each_backend_call_in_memory, .timeout = 300)
{
    run_calls("memory");
}
