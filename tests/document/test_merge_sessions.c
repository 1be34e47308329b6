/*
 * Long random histories of a text, handed in to one of two handles, or to both,
 * that save, take in, are loaded anew and compact in between. Each of them
 * always has the text that the oracle finds for the events it has, and so has a
 * copy that makes the edits it reports.
 */
#include "support/text_copy.h"

#if defined(GROVE_TINY_LIMITS) || defined(__SANITIZE_ADDRESS__)
enum { HISTORIES = 300 };
#else
enum { HISTORIES = 1000 };
#endif

typedef struct handle {
    grove_document *document;
    bool has[TEXT_EVENTS_MAX];
    uint32_t unsaved[TEXT_EVENTS_MAX];
    uint32_t unsaved_count;
    uint32_t clock; /* stored events that it has */
    text_copy copy;
} handle;

/* How often it happened: a test without these would test little. */
typedef struct tally {
    uint64_t merging_saves; /* of handles that lacked what others stored */
    uint64_t merging_refreshes;
    uint64_t removals;
    uint64_t adds_after_removal;
    uint64_t halves; /* pieces that came with what was known before them */
    uint64_t shared; /* events that one handle saved and both were given */
} tally;

typedef struct session {
    store_fixture *fixture;
    test_random *random;
    const text_history *history;
    grove_document_options options;
    handle handles[2];
    uint32_t stored[TEXT_EVENTS_MAX]; /* by clock */
    uint32_t stored_count;
    bool is_stored[TEXT_EVENTS_MAX];
    bool has_compacted;
    tally *tally;
    char place[64];
} session;

static const char NAME[] = "document";

static uint32_t below(session *run, uint32_t bound)
{
    return (uint32_t)test_random_below(run->random, bound);
}

static void check(session *run, handle *one)
{
    text_document_check(run->fixture, one->document, run->history, one->has, run->place);
    text_copy_check(&one->copy, run->fixture, one->document, run->place);
    cr_assert_eq(grove_document_clock(one->document), one->clock);
    cr_assert_eq(grove_document_unsaved(one->document), one->unsaved_count);
}

/* What others stored meanwhile is not saved again. */
static void forget_stored(session *run, handle *one)
{
    uint32_t count = 0;
    for (uint32_t index = 0; index < one->unsaved_count; index++) {
        uint32_t number = one->unsaved[index];
        if (run->is_stored[number]) {
            run->tally->shared++;
        } else {
            one->unsaved[count++] = number;
        }
    }
    one->unsaved_count = count;
}

/* What others stored is now in this handle too. */
static void note_stored(session *run, handle *one)
{
    forget_stored(run, one);
    while (one->clock < run->stored_count) {
        one->has[run->stored[one->clock++]] = true;
    }
}

static void step_save(session *run, handle *one)
{
    if (one->unsaved_count == 0) {
        return;
    }
    run->tally->merging_saves += one->clock < run->stored_count;
    forget_stored(run, one);
    grove_save_result result = save(run->fixture, one->document);
    cr_assert(one->unsaved_count == 0 || result.first_clock == run->stored_count);
    cr_assert_eq(result.events, one->unsaved_count);
    for (uint32_t index = 0; index < one->unsaved_count; index++) {
        run->is_stored[one->unsaved[index]] = true;
        run->stored[run->stored_count++] = one->unsaved[index];
    }
    one->unsaved_count = 0;
    note_stored(run, one);
    check(run, one);
}

static void step_refresh(session *run, handle *one)
{
    uint64_t events;
    run->tally->merging_refreshes +=
        one->clock < run->stored_count && one->unsaved_count > 0;
    assert_ok(run->fixture,
              grove_document_refresh(one->document, &events, &run->fixture->error));
    cr_assert_eq(events, run->stored_count - one->clock);
    note_stored(run, one);
    check(run, one);
}

static void open_handle(session *run, handle *one)
{
    assert_ok(run->fixture,
              grove_document_open(run->fixture->store, grove_bytes_of(NAME),
                                  &run->options, &one->document, &run->fixture->error));
    cr_assert_eq(grove_document_damaged_snapshots(one->document), 0);
    text_copy_follow(&one->copy, run->fixture, one->document);
    note_stored(run, one);
    check(run, one);
}

static void step_load_anew(session *run, handle *one)
{
    step_save(run, one);
    grove_document_close(one->document);
    open_handle(run, one);
}

static void step_compact(session *run, handle *one)
{
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    grove_compact_result result;
    uint32_t settled = text_history_settled(run->history, run->stored, run->stored_count);
    if (settled == 0) {
        return;
    }
    options.window_events = run->stored_count - settled;
    assert_ok(run->fixture, grove_document_compact(one->document, &options, &result,
                                                   &run->fixture->error));
    cr_assert_eq(result.snapshot_clock, run->stored_count);
    cr_assert_leq(result.base_clock, settled);
    run->has_compacted = run->has_compacted || result.removed_events > 0;
    run->tally->removals += result.removed_events > 0;
    if (one->unsaved_count == 0) {
        note_stored(run, one);
    }
    check(run, one);
}

static void step_add(session *run, handle *one, text_piece piece)
{
    if (!text_history_is_ready(run->history, one->has, piece.first)) {
        step_save(run, &run->handles[one == run->handles]);
        step_refresh(run, one);
    }
    for (uint32_t number = piece.first; number < piece.end; number++) {
        one->unsaved[one->unsaved_count++] = number;
    }
    if (piece.run < piece.first && !run->has_compacted && below(run, 2) == 0) {
        piece.first = piece.run;
        run->tally->halves++;
    }
    run->tally->adds_after_removal += run->has_compacted;
    text_document_add(run->fixture, one->document, run->history, piece, one->has);
    check(run, one);
}

/* Hands a piece in to one of them, and now and then to the other one too. */
static void step_hand_in(session *run, text_piece piece)
{
    handle *one = &run->handles[below(run, 2)];
    handle *other = &run->handles[one == run->handles];
    step_add(run, one, piece);
    if (below(run, 4) == 0 && !other->has[piece.first] &&
        text_history_is_ready(run->history, other->has, piece.first)) {
        step_add(run, other, piece);
    }
}

static void step(session *run)
{
    handle *one = &run->handles[below(run, 2)];
    switch (below(run, 16)) {
    case 0:
    case 1:
    case 2:
        step_save(run, one);
        break;
    case 3:
    case 4:
        step_refresh(run, one);
        break;
    case 5:
        step_load_anew(run, one);
        break;
    case 6:
        step_compact(run, one);
        break;
    default:
        break;
    }
}

static void finish(session *run)
{
    step_save(run, &run->handles[0]);
    step_save(run, &run->handles[1]);
    step_refresh(run, &run->handles[0]);
    step_load_anew(run, &run->handles[1]);
    for (size_t index = 0; index < 2; index++) {
        handle *one = &run->handles[index];
        cr_assert_eq(one->clock, run->history->oracle.count);
        text_document_check_heads(run->fixture, one->document, run->history, one->has);
        grove_document_close(one->document);
    }
    assert_ok(run->fixture,
              grove_document_delete(run->fixture->store, grove_bytes_of(NAME), NULL,
                                    &run->fixture->error));
}

/* Hands a history in, in an order of its own. */
static void run_session(store_fixture *fixture, test_random *random, tally *happened,
                        const text_history *history, uint32_t number)
{
    static session run;
    uint32_t order[TEXT_EVENTS_MAX];
    memset(&run, 0, sizeof run);
    run.fixture = fixture;
    run.random = random;
    run.tally = happened;
    run.history = history;
    run.options = (grove_document_options)GROVE_DOCUMENT_OPTIONS_INIT;
    run.options.policy.automatic = below(&run, 4) != 0;
    run.options.policy.events_min = below(&run, 60);
    run.options.policy.uncritical_events = below(&run, 2) == 0 ? 30 : 20000;
    run.options.policy.cost_percent = below(&run, 60);
    text_history_order(history, random, below(&run, 100), order);
    open_handle(&run, &run.handles[0]);
    open_handle(&run, &run.handles[1]);
    for (uint32_t count = 0; count < history->piece_count; count++) {
        (void)snprintf(run.place, sizeof run.place, "history %u, piece %u, number %u",
                       number, order[count], count);
        step_hand_in(&run, history->pieces[order[count]]);
        step(&run);
    }
    finish(&run);
}

Test(merge_sessions, of_two_handles_show_what_the_oracle_says_at_each_step,
     .timeout = 600)
{
    static text_history history;
    store_fixture fixture;
    tally happened = {0};
    test_random random = test_random_of("merge sessions");
    store_fixture_init(&fixture, "memory");
    store_fixture_open(&fixture);
    for (uint32_t number = 0; number < HISTORIES; number++) {
        test_random own = {test_random_next(&random)};
        uint64_t orders = 2 + test_random_below(&own, 2);
        text_history_random(&history, &own, 20 + (uint32_t)test_random_below(&own, 174));
        text_history_cut(&history, &own);
        for (uint64_t count = 0; count < orders; count++) {
            run_session(&fixture, &own, &happened, &history, number);
        }
    }
    cr_expect_gt(happened.merging_saves, HISTORIES);
    cr_expect_gt(happened.merging_refreshes, HISTORIES);
    cr_expect_gt(happened.removals, HISTORIES / 10);
    cr_expect_gt(happened.adds_after_removal, HISTORIES);
    cr_expect_gt(happened.halves, HISTORIES);
    cr_expect_gt(happened.shared, HISTORIES);
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}
