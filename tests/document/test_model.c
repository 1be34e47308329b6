/*
 * Random programs over documents against an obvious model: a string for what
 * the handle shows, one for what is stored, and how many events that is.
 */
#include "support/random.h"
#include "support/store_fixture.h"

#ifdef GROVE_TINY_LIMITS
enum { PROGRAMS = 6, STEPS = 300 };
#else
enum { PROGRAMS = 12, STEPS = 400 };
#endif

enum { TEXT_BYTES_MAX = 1 << 20 };

typedef struct program {
    store_fixture *fixture;
    test_random random;
    grove_document_options options;
    grove_document *document;
    grove_document *reader; /* NULL, or another handle that only reads */
    char *shown;
    size_t shown_size;
    char *stored;
    size_t stored_size;
    uint64_t stored_events;
    uint64_t unsaved_events;
    uint64_t commits;
} program;

static uint64_t below(program *program_run, uint64_t bound)
{
    return test_random_below(&program_run->random, bound);
}

static void open_handle(program *run)
{
    assert_ok(run->fixture,
              grove_document_open(run->fixture->store, grove_bytes_of("doc"),
                                  &run->options, &run->document, &run->fixture->error));
    cr_assert_eq(grove_document_clock(run->document), run->stored_events);
    cr_assert_eq(grove_document_damaged_snapshots(run->document), 0);
    memcpy(run->shown, run->stored, run->stored_size);
    run->shown_size = run->stored_size;
    run->unsaved_events = 0;
}

static void close_reader(program *run)
{
    grove_document_close(run->reader);
    run->reader = NULL;
}

static void step_insert(program *run)
{
    char text[64];
    size_t size = 1 + (size_t)below(run, below(run, 4) == 0 ? sizeof text : 3);
    size_t at = (size_t)below(run, run->shown_size + 1);
    if (run->shown_size + size > TEXT_BYTES_MAX) {
        return;
    }
    for (size_t index = 0; index < size; index++) {
        text[index] = (char)('a' + below(run, 26));
    }
    run->fixture->now += (int64_t)below(run, 3) * 100;
    assert_ok(run->fixture, grove_text_insert(run->document, at,
                                              (grove_bytes){(const uint8_t *)text, size},
                                              &run->fixture->error));
    memmove(run->shown + at + size, run->shown + at, run->shown_size - at);
    memcpy(run->shown + at, text, size);
    run->shown_size += size;
    run->unsaved_events += size;
}

static void step_delete(program *run)
{
    size_t at = (size_t)below(run, run->shown_size + 1);
    size_t most = run->shown_size - at < 20 ? run->shown_size - at : 20;
    size_t count = (size_t)below(run, most + 1);
    bool backwards = below(run, 2) == 0;
    for (size_t index = 0; backwards && index < count; index++) {
        assert_ok(run->fixture, grove_text_delete(run->document, at + count - 1 - index,
                                                  1, &run->fixture->error));
    }
    if (!backwards) {
        assert_ok(run->fixture,
                  grove_text_delete(run->document, at, count, &run->fixture->error));
    }
    memmove(run->shown + at, run->shown + at + count, run->shown_size - at - count);
    run->shown_size -= count;
    run->unsaved_events += count;
}

static void step_save(program *run)
{
    grove_save_result result;
    uint64_t expected = run->stored_events;
    assert_ok(run->fixture,
              grove_document_save(run->document, below(run, 2) == 0 ? &expected : NULL,
                                  &result, &run->fixture->error));
    cr_assert_eq(result.events, run->unsaved_events);
    if (run->unsaved_events > 0) {
        cr_assert_eq(result.commit, ++run->commits);
    }
    run->stored_events += run->unsaved_events;
    run->unsaved_events = 0;
    memcpy(run->stored, run->shown, run->shown_size);
    run->stored_size = run->shown_size;
}

static void step_reopen(program *run, bool also_store)
{
    grove_document_close(run->document);
    if (also_store) {
        close_reader(run);
        store_fixture_close(run->fixture);
        store_fixture_open(run->fixture);
        uint64_t commit;
        assert_ok(run->fixture,
                  grove_store_commit(run->fixture->store, &commit, &run->fixture->error));
        cr_assert_eq(commit, run->commits);
    }
    open_handle(run);
}

static void step_compact(program *run)
{
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    options.window_events = below(run, 3) == 0 ? 0 : below(run, 500);
    grove_compact_result result;
    grove_status status =
        grove_document_compact(run->document, &options, &result, &run->fixture->error);
    cr_assert_eq(status, run->stored_events == 0 ? GROVE_NONE : GROVE_OK, "%s",
                 run->fixture->error.message);
    if (status == GROVE_OK) {
        cr_assert_eq(result.snapshot_clock, run->stored_events);
        cr_assert_leq(result.base_clock, run->stored_events);
    }
}

static void step_seal(program *run)
{
    grove_seal_options options = GROVE_SEAL_OPTIONS_INIT;
    options.level = 1 + (int32_t)below(run, 6);
    grove_status status =
        grove_document_seal(run->document, &options, NULL, &run->fixture->error);
    cr_assert_eq(status, run->stored_events == 0 ? GROVE_NONE : GROVE_OK, "%s",
                 run->fixture->error.message);
}

static void step_read(program *run)
{
    if (run->reader == NULL) {
        assert_ok(run->fixture,
                  grove_document_open(run->fixture->store, grove_bytes_of("doc"), NULL,
                                      &run->reader, &run->fixture->error));
    } else {
        grove_status status =
            grove_document_refresh(run->reader, NULL, &run->fixture->error);
        cr_assert_eq(status, GROVE_OK, "%s", run->fixture->error.message);
    }
    run->stored[run->stored_size] = '\0';
    assert_text(run->fixture, run->reader, run->stored);
    if (below(run, 3) == 0) {
        close_reader(run);
    }
}

/* What the statistics say must add up, whatever happened. */
static void check_statistics(program *run)
{
    if (run->stored_events == 0) {
        return;
    }
    grove_document_statistics statistics = statistics_of(run->fixture, "doc");
    cr_assert_eq(statistics.events, run->stored_events);
    cr_assert_leq(statistics.base_clock, statistics.events);
    cr_assert((statistics.batches == 0) == (statistics.base_clock == statistics.events));
    cr_assert((statistics.batches == 0) == (statistics.batch_bytes == 0));
    cr_assert((statistics.snapshots == 0) == (statistics.snapshot_bytes == 0));
    cr_assert((statistics.snapshots == 0) ==
              (statistics.newest_snapshot_clock == UINT64_MAX));
}

static void step(program *run)
{
    uint64_t choice = below(run, 100);
    if (choice < 45) {
        step_insert(run);
    } else if (choice < 60) {
        step_delete(run);
    } else if (choice < 82) {
        step_save(run);
    } else if (choice < 86) {
        step_reopen(run, false);
    } else if (choice < 88) {
        step_reopen(run, true);
    } else if (choice < 91) {
        step_compact(run);
    } else if (choice < 94) {
        step_seal(run);
    } else {
        step_read(run);
    }
    run->shown[run->shown_size] = '\0';
    assert_text(run->fixture, run->document, run->shown);
    check_statistics(run);
}

static void run_program(store_fixture *fixture, test_random random)
{
    program run = {.fixture = fixture, .random = random};
    run.options = (grove_document_options)GROVE_DOCUMENT_OPTIONS_INIT;
    run.options.policy.events_min = below(&run, 2) == 0 ? 1000 : below(&run, 100);
    run.options.policy.cost_percent = (uint32_t)below(&run, 60);
    run.options.policy.older_percent = (uint32_t)below(&run, 200);
    run.options.level = 1 + (int32_t)below(&run, 5);
    run.shown = malloc(TEXT_BYTES_MAX + 1);
    run.stored = malloc(TEXT_BYTES_MAX + 1);
    open_handle(&run);
    for (int count = 0; count < STEPS; count++) {
        step(&run);
    }
    close_reader(&run);
    grove_document_close(run.document);
    free(run.stored);
    free(run.shown);
}

static void run_programs(const char *backend)
{
    test_random random = test_random_of("model");
    for (int count = 0; count < PROGRAMS; count++) {
        store_fixture fixture;
        store_fixture_init(&fixture, backend);
        grove_clock clock = {&fixture, store_fixture_now};
        fixture.options.clock = &clock;
        store_fixture_open(&fixture);
        run_program(&fixture, (test_random){test_random_next(&random)});
        store_fixture_close(&fixture);
        store_fixture_release(&fixture);
    }
}

Test(model, random_programs_end_as_the_model_does_on_lmdb, .timeout = 300)
{
    run_programs("lmdb");
}

Test(model, random_programs_end_as_the_model_does_in_memory, .timeout = 300)
{
    run_programs("memory");
}
