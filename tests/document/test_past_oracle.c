/*
 * Views of the past: at each clock, and for any version that stored events
 * make, a text is what the oracle says of exactly these events
 * (support/text_oracle.h), however they are stored.
 */
#include "support/conformance.h"
#include "support/text_document.h"

enum { HISTORIES = 40, VERSIONS = 12, GIVEN_MAX = 2 * TEXT_EVENTS_MAX };

/* Looks back at one in five of the conformance histories, which are long. */
enum { CONFORMANCE_SHARE = 5 };

/* How often it happened: a test without these would test little. */
typedef struct tally {
    uint64_t removed;    /* clocks that are said to be removed */
    uint64_t kept;       /* clocks that are shown although others are removed */
    uint64_t merged;     /* versions that the store never held */
    uint64_t lost;       /* versions that are said to be removed */
    uint64_t snapshots;  /* moments with more than one */
    uint64_t repetitive; /* versions that were given with more than their heads */
} tally;

typedef struct session {
    store_fixture *fixture;
    test_random *random;
    const text_history *history;
    grove_document *document;
    bool has[TEXT_EVENTS_MAX];
    uint32_t arrived[TEXT_EVENTS_MAX]; /* events by clock */
    uint32_t arrived_count;
    uint32_t stored_count; /* of these */
    grove_document_statistics statistics;
    bool is_shown[TEXT_EVENTS_MAX + 1]; /* by clock */
    tally *tally;
    char place[96];
} session;

static const char NAME[] = "document";

static uint32_t below(session *run, uint32_t bound)
{
    return (uint32_t)test_random_below(run->random, bound);
}

/* --- at each clock --- */

/* The view shows exactly the events of `has`, and stands at their heads. */
static void check_view(session *run, grove_document *view, const bool *has)
{
    grove_version version;
    uint64_t clock = 0;
    text_document_check(run->fixture, view, run->history, has, run->place);
    text_document_check_heads(run->fixture, view, run->history, has);
    cr_assert_eq(grove_document_unsaved(view), 0);
    cr_assert_eq(grove_document_damaged_snapshots(view), 0);
    assert_ok(run->fixture, grove_document_version(view, &version, &run->fixture->error));
    for (size_t index = 0; index < version.head_count; index++) {
        const grove_event_id *head = &version.heads[index];
        while (clock < run->stored_count &&
               text_id_compare(
                   head, &run->history->oracle.events[run->arrived[clock]].id) != 0) {
            clock++;
        }
    }
    cr_assert(version.head_count == 0 || clock < run->stored_count,
              "%s: the heads are not in the order of their clocks", run->place);
    grove_document_close(view);
}

/* Whether a clock must be shown, and whether it may be. */
static void check_shown(session *run, uint32_t clock)
{
    const grove_document_statistics *statistics = &run->statistics;
    bool is_shown = run->is_shown[clock];
    if (clock == 0 || statistics->base_clock == 0 ||
        clock >= statistics->newest_snapshot_clock ||
        (clock > 1 && run->is_shown[clock - 1])) {
        cr_assert(is_shown, "%s is not shown", run->place);
    }
    if (clock > 0 && clock < statistics->base_clock) {
        cr_assert_not(is_shown, "%s is shown, which was removed", run->place);
    }
    run->tally->removed += !is_shown;
    run->tally->kept += is_shown && clock > 0 && statistics->base_clock > 0;
}

static void check_clocks(session *run, const char *when)
{
    bool has[TEXT_EVENTS_MAX] = {false};
    for (uint32_t clock = 0; clock <= run->stored_count; clock++) {
        grove_document *view = NULL;
        (void)snprintf(run->place, sizeof run->place, "%s, clock %u of %u", when, clock,
                       run->stored_count);
        grove_status status =
            grove_document_load_at(run->fixture->store, grove_bytes_of(NAME), clock, NULL,
                                   &view, &run->fixture->error);
        run->is_shown[clock] = status == GROVE_OK;
        if (status == GROVE_OK) {
            cr_assert_eq(grove_document_clock(view), clock);
            check_view(run, view, has);
        } else {
            cr_assert_eq(status, GROVE_HISTORY_REMOVED, "%s: %s", run->place,
                         run->fixture->error.message);
            cr_assert_null(view);
        }
        check_shown(run, clock);
        if (clock < run->stored_count) {
            has[run->arrived[clock]] = true;
        }
    }
}

/* --- for any version --- */

/* The histories of a few stored events, or each stored event whose parents are
 * there with some likelihood. */
static void make_version(session *run, bool *has)
{
    const text_oracle *oracle = &run->history->oracle;
    uint32_t percent = 60 + below(run, 40);
    memset(has, 0, TEXT_EVENTS_MAX * sizeof *has);
    if (below(run, 2) == 0) {
        for (uint32_t count = 1 + below(run, 4); count > 0; count--) {
            uint32_t event = run->arrived[below(run, run->stored_count)];
            text_oracle_unite(oracle, &event, 1, has);
        }
        return;
    }
    for (uint32_t clock = 0; clock < run->stored_count; clock++) {
        const text_event *event = &oracle->events[run->arrived[clock]];
        bool is_in = below(run, 100) < percent;
        for (uint32_t index = 0; index < event->parent_count; index++) {
            is_in = is_in && has[event->parents[index]];
        }
        has[run->arrived[clock]] = is_in;
    }
}

static bool is_head(const text_oracle *oracle, const bool *has, uint32_t number)
{
    bool is_last = has[number];
    for (uint32_t later = number + 1; later < oracle->count; later++) {
        is_last = is_last && !(has[later] && oracle->history[later][number]);
    }
    return is_last;
}

/* The ids of a version's heads in any order, now and then with other events of
 * it between them, some of them twice. */
static size_t give_heads(session *run, const bool *has, grove_event_id *given)
{
    const text_oracle *oracle = &run->history->oracle;
    bool repeats = below(run, 2) == 0;
    size_t count = 0;
    for (uint32_t number = 0; number < oracle->count; number++) {
        if (is_head(oracle, has, number)) {
            given[count++] = oracle->events[number].id;
        }
        if (repeats && has[number] && below(run, 8) == 0) {
            given[count++] = oracle->events[number].id;
            run->tally->repetitive++;
        }
    }
    for (size_t left = count; left > 1; left--) {
        size_t picked = below(run, (uint32_t)left);
        grove_event_id swapped = given[left - 1];
        given[left - 1] = given[picked];
        given[picked] = swapped;
    }
    return count;
}

static void check_version(session *run, const bool *has)
{
    grove_event_id given[GIVEN_MAX];
    grove_version version = {given, give_heads(run, has, given)};
    grove_document *view = NULL;
    uint32_t known = 0;
    uint32_t count = 0;
    for (uint32_t clock = 0; clock < run->stored_count; clock++) {
        known += known == clock && has[run->arrived[clock]];
        count += has[run->arrived[clock]];
    }
    /* What it needs is what a view at the clock needs where it begins. */
    bool is_shown = count == 0 || (run->is_shown[known] &&
                                   (known > 0 || run->statistics.base_clock == 0));
    grove_status status =
        grove_document_load_version(run->fixture->store, grove_bytes_of(NAME), &version,
                                    NULL, &view, &run->fixture->error);
    cr_assert_eq(status, is_shown ? GROVE_OK : GROVE_HISTORY_REMOVED,
                 "%s, %u events, the first %u: %s %s", run->place, count, known,
                 grove_status_name(status), run->fixture->error.message);
    run->tally->merged += is_shown && count > known;
    run->tally->lost += !is_shown;
    if (status == GROVE_OK) {
        check_view(run, view, has);
    }
}

static void check_past(session *run, const char *when)
{
    bool has[TEXT_EVENTS_MAX];
    if (run->stored_count == 0) {
        return;
    }
    run->statistics = statistics_of(run->fixture, NAME);
    cr_assert_eq(run->statistics.events, run->stored_count);
    run->tally->snapshots += run->statistics.snapshots > 1;
    check_clocks(run, when);
    for (uint32_t count = 0; count < VERSIONS; count++) {
        (void)snprintf(run->place, sizeof run->place, "%s, version %u", when, count);
        make_version(run, has);
        check_version(run, has);
    }
}

/* --- sessions --- */

static void step_save(session *run)
{
    if (run->stored_count < run->arrived_count) {
        (void)save(run->fixture, run->document);
        run->stored_count = run->arrived_count;
    }
}

static void step_seal(session *run)
{
    if (run->stored_count > 0) {
        assert_ok(run->fixture,
                  grove_document_seal(run->document, NULL, NULL, &run->fixture->error));
    }
}

/* Removes no more than the first `clock` events. */
static void step_compact(session *run, uint32_t clock)
{
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    if (run->stored_count > 0) {
        options.window_events = run->stored_count - clock;
        assert_ok(run->fixture, grove_document_compact(run->document, &options, NULL,
                                                       &run->fixture->error));
    }
}

static void step(session *run, uint32_t number)
{
    char when[64];
    switch (below(run, 40)) {
    case 0:
        step_seal(run);
        break;
    case 1:
        step_compact(run,
                     text_history_settled(run->history, run->arrived, run->stored_count));
        break;
    case 2:
        (void)snprintf(when, sizeof when, "history %u, in between", number);
        check_past(run, when);
        break;
    default:
        if (below(run, 3) != 0) {
            step_save(run);
        }
        break;
    }
}

static void finish(session *run, uint32_t number)
{
    char when[64];
    step_save(run);
    (void)snprintf(when, sizeof when, "history %u, saved", number);
    check_past(run, when);
    step_seal(run);
    (void)snprintf(when, sizeof when, "history %u, sealed", number);
    check_past(run, when);
    step_compact(run, below(run, run->stored_count));
    (void)snprintf(when, sizeof when, "history %u, compacted", number);
    check_past(run, when);
    step_compact(run, run->stored_count);
    (void)snprintf(when, sizeof when, "history %u, compacted to the end", number);
    check_past(run, when);
    grove_document_close(run->document);
    assert_ok(run->fixture,
              grove_document_delete(run->fixture->store, grove_bytes_of(NAME), NULL,
                                    &run->fixture->error));
}

/* Hands a history in, in an order of its own, and looks back on the way. */
static void run_session(store_fixture *fixture, test_random *random, tally *happened,
                        text_history *history, uint32_t number)
{
    static session run;
    uint32_t order[TEXT_EVENTS_MAX];
    memset(&run, 0, sizeof run);
    run.fixture = fixture;
    run.random = random;
    run.tally = happened;
    run.history = history;
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.policy.automatic = below(&run, 4) != 0;
    options.policy.events_min = below(&run, 40);
    options.policy.uncritical_events = below(&run, 2) == 0 ? 30 : 20000;
    options.policy.cost_percent = below(&run, 40);
    options.policy.older_percent = 1000;
    text_history_cut(history, random);
    text_history_order(history, random, below(&run, 100), order);
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of(NAME), &options,
                                           &run.document, &fixture->error));
    for (uint32_t count = 0; count < history->piece_count; count++) {
        text_piece piece = history->pieces[order[count]];
        text_document_add(fixture, run.document, history, piece, run.has);
        while (piece.first < piece.end) {
            run.arrived[run.arrived_count++] = piece.first++;
        }
        step(&run, number);
    }
    finish(&run, number);
}

STORE_TEST(past_oracle, of_random_histories_is_what_the_oracle_says)
{
    static text_history history;
    tally happened = {0};
    test_random random = test_random_of("past");
    for (uint32_t number = 0; number < HISTORIES; number++) {
        test_random own = {test_random_next(&random)};
        text_history_random(&history, &own, 20 + (uint32_t)test_random_below(&own, 150));
        run_session(fixture, &own, &happened, &history, number);
    }
    cr_expect_gt(happened.removed, HISTORIES);
    cr_expect_gt(happened.kept, HISTORIES);
    cr_expect_gt(happened.merged, HISTORIES);
    cr_expect_gt(happened.lost, HISTORIES);
    cr_expect_gt(happened.snapshots, HISTORIES / 4);
    cr_expect_gt(happened.repetitive, HISTORIES);
}

typedef struct look_back {
    store_fixture *fixture;
    test_random random;
    tally happened;
} look_back;

static void look_back_at_history(uint32_t number, text_history *history,
                                 const char *end_text, void *context)
{
    look_back *all = context;
    (void)end_text;
    if (number % CONFORMANCE_SHARE == 0) {
        run_session(all->fixture, &all->random, &all->happened, history, number);
    }
}

STORE_TEST(past_oracle, of_conformance_histories_is_what_the_oracle_says)
{
    look_back all = {fixture, test_random_of("past of conformance"), {0}};
    conformance_each(look_back_at_history, &all);
    cr_expect_gt(all.happened.merged, CONFORMANCE_HISTORIES / CONFORMANCE_SHARE);
}
