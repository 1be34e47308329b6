/*
 * Every allocation and every backend call of a scenario fails once. Whatever
 * fails: the status says so, nothing leaks, what was stored before is stored
 * still, and the next try goes through.
 */
#include "support/faulty_allocator.h"
#include "support/faulty_backend.h"
#include "support/store_fixture.h"

static const char BEFORE[] = "what was saved before";

/* Saves a document in a store of its own that nothing fails in. */
static void prepare(store_fixture *fixture)
{
    store_fixture_open(fixture);
    grove_document *document = open_manual(fixture, "a", NULL);
    for (size_t index = 0; index < sizeof BEFORE - 1; index++) {
        char letter[2] = {BEFORE[index], '\0'};
        insert(fixture, document, index, letter);
        (void)save(fixture, document);
    }
    grove_document_close(document);
    store_fixture_close(fixture);
}

/* One step of the scenario that may fail; the handle must go on after it. */
typedef grove_status (*step_fn)(grove_document *document, grove_error *error);

static grove_status step_insert(grove_document *document, grove_error *error)
{
    return grove_text_insert(document, 4, grove_bytes_of(" else"), error);
}

static grove_status step_delete(grove_document *document, grove_error *error)
{
    return grove_text_delete(document, 0, 2, error);
}

static grove_status step_save(grove_document *document, grove_error *error)
{
    return grove_document_save(document, NULL, NULL, error);
}

static grove_status step_seal(grove_document *document, grove_error *error)
{
    grove_seal_options options = GROVE_SEAL_OPTIONS_INIT;
    options.level = 1;
    return grove_document_seal(document, &options, NULL, error);
}

static grove_status step_compact(grove_document *document, grove_error *error)
{
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    options.window_events = 0;
    return grove_document_compact(document, &options, NULL, error);
}

static grove_status step_refresh(grove_document *document, grove_error *error)
{
    return grove_document_refresh(document, NULL, error);
}

static const step_fn STEPS[] = {step_insert, step_delete,  step_save,
                                step_seal,   step_compact, step_refresh};

static const char AFTER[] = "at else was saved before";

/*
 * Runs the scenario; each step that fails is tried again once. Returns how
 * many calls failed and the status of the last that did.
 */
static int run_scenario(store_fixture *fixture, grove_status *failure)
{
    int failures = 0;
    grove_document *document = NULL;
    for (int tries = 0; fixture->store == NULL; tries++) {
        cr_assert_lt(tries, 2);
        grove_status status = grove_store_open(fixture->dir.path, &fixture->options,
                                               &fixture->store, &fixture->error);
        if (status != GROVE_OK) {
            cr_assert_null(fixture->store);
            *failure = status;
            failures++;
        }
    }
    for (int tries = 0; document == NULL; tries++) {
        cr_assert_lt(tries, 2);
        grove_status status = grove_document_load(fixture->store, grove_bytes_of("a"),
                                                  NULL, &document, &fixture->error);
        if (status != GROVE_OK) {
            cr_assert_null(document);
            *failure = status;
            failures++;
        }
    }
    for (size_t index = 0; index < sizeof STEPS / sizeof *STEPS; index++) {
        grove_status status = STEPS[index](document, &fixture->error);
        if (status != GROVE_OK) {
            *failure = status;
            failures++;
            cr_assert_eq(fixture->error.status, status);
            status = STEPS[index](document, &fixture->error);
            cr_assert_eq(status, GROVE_OK, "step %zu again: %s", index,
                         fixture->error.message);
        }
    }
    assert_text(fixture, document, AFTER);
    grove_document_close(document);
    return failures;
}

/* What is stored after the scenario, with nothing failing any more. */
static void check_stored(store_fixture *fixture)
{
    store_fixture_open(fixture);
    assert_stored_text(fixture, "a", AFTER);
    cr_assert_eq(statistics_of(fixture, "a").batches, 0);
    uint64_t commit;
    assert_ok(fixture, grove_store_commit(fixture->store, &commit, &fixture->error));
    cr_assert_eq(commit, sizeof BEFORE);
    store_fixture_close(fixture);
}

static void run_allocations(const char *backend)
{
    for (size_t nth = 1;; nth++) {
        store_fixture fixture;
        store_fixture_init(&fixture, backend);
        prepare(&fixture);
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        fixture.options.allocator = &faulty.allocator;
        grove_status failure = GROVE_OK;
        int failures = run_scenario(&fixture, &failure);
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
        if (failures > 0) {
            cr_assert_eq(failures, 1);
            cr_assert_eq(failure, GROVE_NO_MEMORY, "allocation %zu: %s", nth,
                         grove_status_name(failure));
        }
    }
}

Test(faults, each_allocation_on_lmdb, .timeout = 300)
{
    run_allocations("lmdb");
}

Test(faults, each_allocation_in_memory, .timeout = 300)
{
    run_allocations("memory");
}

static void run_calls(const char *backend, grove_status wanted)
{
    for (size_t nth = 1;; nth++) {
        store_fixture fixture;
        store_fixture_init(&fixture, backend);
        prepare(&fixture);
        const grove_backend *under = fixture.options.backend;
        void *under_context = fixture.options.backend_context;
        faulty_backend faulty;
        faulty_backend_init(&faulty, under, nth, wanted);
        faulty.under_context = under_context;
        fixture.options.backend = &faulty.table;
        fixture.options.backend_context = &faulty;
        grove_status failure = GROVE_OK;
        int failures = run_scenario(&fixture, &failure);
        size_t calls = faulty.calls;
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
        /* Closing tells nobody. */
        cr_assert_eq(failures, nth <= calls, "call %zu, %s: %d failures", nth,
                     faulty.failed_call, failures);
        cr_assert(failures == 0 || failure == wanted, "call %zu, %s: %s", nth,
                  faulty.failed_call, grove_status_name(failure));
    }
}

Test(faults, each_backend_call_on_lmdb, .timeout = 300)
{
    run_calls("lmdb", GROVE_IO);
}

Test(faults, each_backend_call_in_memory, .timeout = 300)
{
    run_calls("memory", GROVE_IO);
    run_calls("memory", GROVE_BUSY);
}
