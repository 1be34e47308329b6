/*
 * Merging when memory runs out or the disk lies: a handle is as it was, and
 * the next try goes through, or it says GROVE_FAILED for everything.
 */
#include "damage.h"
#include "handles.h"

#include "document/document.h"
#include "support/faulty_allocator.h"

/* What a handle shows, to be compared with what it shows later. */
typedef struct shown {
    char *text;
    uint64_t unsaved;
    uint64_t clock;
} shown;

static shown look_at(store_fixture *fixture, const grove_document *document)
{
    return (shown){text_of(fixture, document), grove_document_unsaved(document),
                   grove_document_clock(document)};
}

static void assert_as_it_was(store_fixture *fixture, const grove_document *document,
                             const shown *before)
{
    assert_text(fixture, document, before->text);
    cr_assert_eq(grove_document_unsaved(document), before->unsaved);
    cr_assert_eq(grove_document_clock(document), before->clock);
}

/* --- damage --- */

STORE_TEST(merge_faults, of_a_damaged_batch_that_comes_in_change_nothing)
{
    for (uint64_t damaged = 0; damaged < 3; damaged++) {
        make_base(fixture, "base");
        grove_document *documents[] = {open_as(fixture, "a"), open_as(fixture, "b")};
        insert(fixture, documents[1], 2, "bbb");
        for (int count = 0; count < 3; count++) {
            insert(fixture, documents[0], 2, "aaaaa");
            (void)save(fixture, documents[0]);
        }
        cr_assert_eq(statistics_of(fixture, "a").batches, 4);
        shown before = look_at(fixture, documents[1]);
        flip_batch(fixture, "a", 4 + 5 * damaged);
        for (int tries = 0; tries < 2; tries++) {
            assert_fails(fixture, GROVE_CORRUPT,
                         grove_document_refresh(documents[1], NULL, &fixture->error));
            assert_fails(fixture, GROVE_CORRUPT,
                         grove_document_save(documents[1], NULL, NULL, &fixture->error));
            assert_as_it_was(fixture, documents[1], &before);
        }
        flip_batch(fixture, "a", 4 + 5 * damaged);
        save_all(fixture, documents, 2);
        assert_same(fixture, documents, 2);
        free(before.text);
        grove_document_close(documents[0]);
        grove_document_close(documents[1]);
        delete_document(fixture);
    }
}

STORE_TEST(merge_faults, of_a_damaged_batch_that_is_seen_again_change_nothing)
{
    make_base(fixture, "base");
    grove_document *late = open_as(fixture, "late");
    insert(fixture, late, 2, "late");
    grove_document *documents[] = {open_as(fixture, "a"), NULL};
    insert(fixture, documents[0], 2, "aaaaa");
    (void)save(fixture, documents[0]);
    compact(fixture, documents[0], 10000);
    /* This one begins at the snapshot. */
    documents[1] = open_as(fixture, "b");
    (void)save(fixture, late);
    grove_document_close(late);
    shown before = look_at(fixture, documents[1]);
    flip_batch(fixture, "a", 4);
    for (int tries = 0; tries < 2; tries++) {
        assert_fails(fixture, GROVE_CORRUPT,
                     grove_document_refresh(documents[1], NULL, &fixture->error));
        assert_as_it_was(fixture, documents[1], &before);
    }
    flip_batch(fixture, "a", 4);
    save_all(fixture, documents, 2);
    cr_assert_str_neq(before.text, "");
    assert_same(fixture, documents, 2);
    free(before.text);
    grove_document_close(documents[0]);
    grove_document_close(documents[1]);
}

/* --- memory --- */

/* Several leaves of the text's tree. */
enum { LONG = 2500 };

static const char *long_text(char letter)
{
    static char text[LONG + 1];
    memset(text, letter, LONG);
    return text;
}

/* Whatever a failed handle is asked, it says that it is. */
static void assert_failed(store_fixture *fixture, grove_document *document)
{
    grove_error *error = &fixture->error;
    uint64_t number = 77;
    size_t bytes = 77;
    grove_version version;
    grove_event_run run = {.first = {.replica = replica_of("x")},
                           .operation = {GROVE_TEXT_INSERT, 1, 0, grove_bytes_of("x")}};
    const grove_status statuses[] = {
        grove_document_save(document, NULL, NULL, error),
        grove_document_refresh(document, NULL, error),
        grove_document_version(document, &version, error),
        grove_document_add(document, &run, error),
        grove_document_compact(document, NULL, NULL, error),
        grove_document_seal(document, NULL, NULL, error),
        grove_document_events(document, 0, NULL, NULL, error),
        grove_document_events_since_snapshot(document, NULL, NULL, error),
        grove_text_insert(document, 0, grove_bytes_of("x"), error),
        grove_text_delete(document, 0, 0, error),
        grove_text_length(document, &number, NULL, error),
        grove_text_read(document, 0, 0, NULL, 0, &bytes, &number, error),
        grove_text_each(document, NULL, NULL, error),
        grove_text_convert(document, 0, GROVE_TEXT_POINTS, GROVE_TEXT_BYTES, &number,
                           error),
        grove_text_on_edit(document, NULL, NULL, error),
    };
    for (size_t index = 0; index < sizeof statuses / sizeof *statuses; index++) {
        cr_assert_eq(statuses[index], GROVE_FAILED, "call %zu says %s", index,
                     grove_status_name(statuses[index]));
    }
    cr_assert_eq(number, 77);
    cr_assert_eq(bytes, 77);
}

/* What is tried while memory runs out; takes in what `a` saved. */
typedef grove_status (*step_fn)(grove_document *document, grove_error *error);

static grove_status step_refresh(grove_document *document, grove_error *error)
{
    return grove_document_refresh(document, NULL, error);
}

static grove_status step_save(grove_document *document, grove_error *error)
{
    return grove_document_save(document, NULL, NULL, error);
}

/* An event from before what the handle has made itself. */
static grove_status step_add(grove_document *document, grove_error *error)
{
    grove_event_id parent = {.replica = replica_of("m"), .sequence = LONG - 1};
    grove_event_run run = {
        .first = {.replica = replica_of("far")},
        .parents = &parent,
        .parent_count = 1,
        .timestamp = 1,
        .operation = {GROVE_TEXT_INSERT, LONG, 1200, grove_bytes_of(long_text('f'))},
    };
    return grove_document_add(document, &run, error);
}

/* A scenario: `b` takes the step with unsaved events, while `a` has saved. */
typedef struct scenario {
    step_fn step;
    size_t intact; /* failures that left the handle as it was */
    size_t failed; /* and that did not */
} scenario;

static void open_scenario(store_fixture *fixture, grove_document *documents[2])
{
    make_base(fixture, long_text('m'));
    documents[0] = open_as(fixture, "a");
    documents[1] = open_as(fixture, "b");
    for (uint64_t round = 0; round < 3; round++) {
        insert(fixture, documents[0], 700 * round + 10, long_text('a'));
        erase(fixture, documents[0], 300 * round, 200);
        (void)save(fixture, documents[0]);
        insert(fixture, documents[1], 500 * round + 100, "b");
        erase(fixture, documents[1], 200 * round, 150);
    }
}

/* After a failure: what the handle is good for. */
static grove_document *check_failure(store_fixture *fixture, scenario *run,
                                     grove_document *document, const shown *before)
{
    cr_assert_eq(fixture->error.status, GROVE_NO_MEMORY);
    if (!document->failed) {
        run->intact++;
        if (run->step == step_save && grove_document_clock(document) > before->clock) {
            /* It has taken in what was there, and could not save after that. */
            cr_assert_eq(grove_document_unsaved(document), before->unsaved);
        } else {
            assert_as_it_was(fixture, document, before);
        }
        assert_ok(fixture, run->step(document, &fixture->error));
        return document;
    }
    run->failed++;
    assert_failed(fixture, document);
    grove_document_close(document);
    return open_as(fixture, "b");
}

/* Runs the scenario with the nth allocation of the step failing; false when it
 * has not as many. */
static bool run_step(store_fixture *fixture, scenario *run, size_t nth)
{
    faulty_allocator faulty;
    faulty_allocator_init(&faulty, 0);
    fixture->options.allocator = &faulty.allocator;
    store_fixture_open(fixture);
    grove_document *documents[2];
    open_scenario(fixture, documents);
    shown before = look_at(fixture, documents[1]);
    faulty.fails_at = faulty.calls + nth;
    grove_status status = run->step(documents[1], &fixture->error);
    faulty.fails_at = 0;
    bool has_failed = faulty.has_failed;
    if (status != GROVE_OK) {
        cr_assert_eq(status, GROVE_NO_MEMORY, "allocation %zu: %s", nth,
                     grove_status_name(status));
        documents[1] = check_failure(fixture, run, documents[1], &before);
    }
    free(before.text);
    save_all(fixture, documents, 2);
    assert_same(fixture, documents, 2);
    grove_document_close(documents[0]);
    grove_document_close(documents[1]);
    delete_document(fixture);
    store_fixture_close(fixture);
    faulty_allocator_finish(&faulty);
    return has_failed;
}

/* With each allocation of the step failing once. */
static void run_allocations(const char *backend, step_fn step)
{
    scenario run = {step, 0, 0};
    store_fixture fixture;
    store_fixture_init(&fixture, backend);
    for (size_t nth = 1; run_step(&fixture, &run, nth); nth++) {
    }
    store_fixture_release(&fixture);
    cr_assert_gt(run.intact, 20);
    /* One edit of the text is made as a whole or not at all. */
    cr_assert_eq(run.failed > 0, step != step_add);
}

Test(merge_faults, of_each_allocation_of_a_refresh_on_lmdb, .timeout = 300)
{
    run_allocations("lmdb", step_refresh);
}

Test(merge_faults, of_each_allocation_of_a_refresh_in_memory, .timeout = 300)
{
    run_allocations("memory", step_refresh);
}

Test(merge_faults, of_each_allocation_of_a_save_on_lmdb, .timeout = 300)
{
    run_allocations("lmdb", step_save);
}

Test(merge_faults, of_each_allocation_of_a_save_in_memory, .timeout = 300)
{
    run_allocations("memory", step_save);
}

Test(merge_faults, of_each_allocation_of_an_addition_in_memory, .timeout = 300)
{
    run_allocations("memory", step_add);
}
