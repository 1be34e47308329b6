/*
 * Who wrote what of a text: of each character that is there, the event that
 * inserted it by the oracle (support/text_oracle.h), also of events that are
 * not saved, and of none whose history was removed.
 */
#include "support/faulty_allocator.h"
#include "support/text_document.h"

enum { HISTORIES = 150, TIMES = 4 };

static const char NAME[] = "document";

/* --- random sessions of two handles --- */

typedef struct handle {
    grove_document *document;
    bool has[TEXT_EVENTS_MAX];
    uint32_t unsaved[TEXT_EVENTS_MAX];
    uint32_t unsaved_count;
    uint32_t clock; /* stored events that it has */
} handle;

/* How often it happened: a test without these would test little. */
typedef struct tally {
    uint64_t unknown; /* characters */
    uint64_t unsaved;
    uint64_t behind; /* handles that lacked what others had stored */
} tally;

typedef struct session {
    store_fixture *fixture;
    test_random *random;
    const text_history *history;
    grove_document_options options;
    handle handles[2];
    uint32_t stored[TEXT_EVENTS_MAX]; /* by clock */
    uint32_t stored_count;
    tally *tally;
    char place[64];
} session;

static uint32_t below(session *run, uint32_t bound)
{
    return (uint32_t)test_random_below(run->random, bound);
}

/* Few different ones, so that neighbours sometimes have the same. */
static int64_t time_of(const text_history *history, uint32_t number)
{
    for (uint32_t index = 0; index < history->piece_count; index++) {
        const text_piece *piece = &history->pieces[index];
        if (piece->first <= number && number < piece->end) {
            return 1000 + piece->first % TIMES;
        }
    }
    return 0;
}

static uint32_t clock_of(const session *run, const handle *one, uint32_t number)
{
    for (uint32_t clock = 0; clock < one->clock; clock++) {
        if (run->stored[clock] == number) {
            return clock;
        }
    }
    for (uint32_t index = 0; index < one->unsaved_count; index++) {
        if (one->unsaved[index] == number) {
            return one->clock + index;
        }
    }
    cr_assert_fail("the handle does not have event %u", number);
    return UINT32_MAX;
}

/* What a blame has to say, and how far it has come. */
typedef struct expectation {
    session *run;
    const handle *one;
    uint64_t base;
    uint32_t visible[TEXT_EVENTS_MAX];
    uint64_t next;
    uint64_t end;
    grove_text_authorship last;
    uint64_t calls;
    uint64_t calls_max;
} expectation;

static void check_character(expectation *expected, const grove_text_authorship *given,
                            uint64_t position)
{
    session *run = expected->run;
    uint32_t number = expected->visible[position];
    const text_event *event = &run->history->oracle.events[number];
    uint32_t clock = clock_of(run, expected->one, number);
    grove_text_authorship wanted = {.position = position};
    if (clock >= expected->base) {
        wanted.event = event->id;
        wanted.clock = clock;
        wanted.timestamp = time_of(run->history, number);
    }
    cr_assert_eq(given->event.replica.size, wanted.event.replica.size);
    cr_assert_eq(memcmp(given->event.replica.bytes, wanted.event.replica.bytes,
                        wanted.event.replica.size),
                 0, "%s: the character at %llu was typed by another", run->place,
                 (unsigned long long)position);
    cr_assert_eq(given->timestamp, wanted.timestamp);
    if (position == given->position) {
        cr_assert_eq(text_id_compare(&given->event, &wanted.event), 0);
        cr_assert_eq(given->clock, wanted.clock);
    }
    run->tally->unknown += clock < expected->base;
    run->tally->unsaved += clock >= expected->one->clock;
}

static bool check_authorship(void *context, const grove_text_authorship *given)
{
    expectation *expected = context;
    cr_assert_eq(given->position, expected->next);
    cr_assert_gt(given->count, 0);
    cr_assert_leq(given->count, expected->end - expected->next);
    for (uint64_t index = 0; index < given->count; index++) {
        check_character(expected, given, expected->next + index);
    }
    cr_assert(expected->calls == 0 || expected->last.timestamp != given->timestamp ||
                  expected->last.event.replica.size != given->event.replica.size ||
                  memcmp(expected->last.event.replica.bytes, given->event.replica.bytes,
                         given->event.replica.size) != 0,
              "%s: two that are one", expected->run->place);
    expected->last = *given;
    expected->next += given->count;
    expected->calls++;
    return expected->calls < expected->calls_max;
}

static void check_range(expectation *expected, uint64_t from, uint64_t end,
                        uint64_t calls_max)
{
    store_fixture *fixture = expected->run->fixture;
    expected->next = from;
    expected->end = end;
    expected->calls = 0;
    expected->calls_max = calls_max;
    assert_ok(fixture, grove_text_blame(expected->one->document, from, end - from,
                                        check_authorship, expected, &fixture->error));
    cr_assert(expected->next == end || expected->calls == calls_max, "%s: too few",
              expected->run->place);
}

static void check_blame(session *run, const handle *one)
{
    static expectation expected;
    memset(&expected, 0, sizeof expected);
    expected.run = run;
    expected.one = one;
    if (run->stored_count > 0) {
        expected.base = statistics_of(run->fixture, NAME).base_clock;
    }
    run->tally->behind += one->clock < run->stored_count && one->unsaved_count > 0;
    uint32_t length =
        text_oracle_visible(&run->history->oracle, one->has, expected.visible);
    check_range(&expected, 0, length, UINT64_MAX);
    uint64_t calls = expected.calls;
    uint32_t from = below(run, length + 1);
    uint32_t end = from + below(run, length - from + 1);
    check_range(&expected, from, end, UINT64_MAX);
    if (calls > 0) {
        check_range(&expected, 0, length, 1 + below(run, (uint32_t)calls));
    }
}

static void note_stored(session *run, handle *one)
{
    while (one->clock < run->stored_count) {
        one->has[run->stored[one->clock++]] = true;
    }
}

static void step_save(session *run, handle *one)
{
    if (one->unsaved_count > 0) {
        (void)save(run->fixture, one->document);
        for (uint32_t index = 0; index < one->unsaved_count; index++) {
            run->stored[run->stored_count++] = one->unsaved[index];
        }
        one->unsaved_count = 0;
        note_stored(run, one);
    }
}

static void step_refresh(session *run, handle *one)
{
    assert_ok(run->fixture,
              grove_document_refresh(one->document, NULL, &run->fixture->error));
    note_stored(run, one);
}

static void open_handle(session *run, handle *one)
{
    assert_ok(run->fixture,
              grove_document_open(run->fixture->store, grove_bytes_of(NAME),
                                  &run->options, &one->document, &run->fixture->error));
    note_stored(run, one);
}

static void step_change(session *run, handle *one)
{
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    uint32_t settled = text_history_settled(run->history, run->stored, run->stored_count);
    options.window_events = run->stored_count - settled;
    if (settled > 0) {
        assert_ok(run->fixture, grove_document_compact(one->document, &options, NULL,
                                                       &run->fixture->error));
        if (one->unsaved_count == 0) {
            note_stored(run, one);
        }
    } else if (run->stored_count > 0) {
        assert_ok(run->fixture,
                  grove_document_seal(one->document, NULL, NULL, &run->fixture->error));
    }
}

static void step_add(session *run, handle *one, text_piece piece)
{
    text_run made;
    if (!text_history_is_ready(run->history, one->has, piece.first)) {
        step_save(run, &run->handles[one == run->handles]);
        step_refresh(run, one);
    }
    text_run_make(&run->history->oracle, piece, &made);
    made.run.timestamp = time_of(run->history, piece.first);
    assert_ok(run->fixture,
              grove_document_add(one->document, &made.run, &run->fixture->error));
    for (uint32_t number = piece.first; number < piece.end; number++) {
        one->has[number] = true;
        one->unsaved[one->unsaved_count++] = number;
    }
}

static void step(session *run, handle *one)
{
    switch (below(run, 16)) {
    case 0:
    case 1:
    case 2:
    case 3:
        step_save(run, one);
        break;
    case 4:
    case 5:
        step_refresh(run, one);
        break;
    case 6:
        step_save(run, one);
        grove_document_close(one->document);
        open_handle(run, one);
        break;
    case 7:
        step_change(run, one);
        break;
    default:
        if (below(run, 4) == 0) {
            check_blame(run, one);
        }
        break;
    }
}

static void run_session(session *run, const text_history *history, uint32_t number)
{
    uint32_t order[TEXT_EVENTS_MAX];
    run->history = history;
    run->options = (grove_document_options)GROVE_DOCUMENT_OPTIONS_INIT;
    run->options.policy.events_min = below(run, 60);
    run->options.policy.uncritical_events = below(run, 2) == 0 ? 30 : 20000;
    run->options.policy.cost_percent = below(run, 60);
    text_history_order(history, run->random, below(run, 100), order);
    open_handle(run, &run->handles[0]);
    open_handle(run, &run->handles[1]);
    for (uint32_t count = 0; count < history->piece_count; count++) {
        (void)snprintf(run->place, sizeof run->place, "history %u, piece %u", number,
                       count);
        step_add(run, &run->handles[below(run, 2)], history->pieces[order[count]]);
        step(run, &run->handles[below(run, 2)]);
    }
    for (size_t index = 0; index < 2; index++) {
        handle *one = &run->handles[index];
        check_blame(run, one);
        step_save(run, one);
        check_blame(run, one);
        grove_document_close(one->document);
    }
    assert_ok(run->fixture,
              grove_document_delete(run->fixture->store, grove_bytes_of(NAME), NULL,
                                    &run->fixture->error));
}

STORE_TEST(blame, names_the_events_that_the_oracle_names)
{
    static text_history history;
    static session run;
    tally happened = {0};
    test_random random = test_random_of("blame");
    for (uint32_t number = 0; number < HISTORIES; number++) {
        test_random own = {test_random_next(&random)};
        text_history_random(&history, &own, 20 + (uint32_t)test_random_below(&own, 150));
        text_history_cut(&history, &own);
        memset(&run, 0, sizeof run);
        run.fixture = fixture;
        run.random = &own;
        run.tally = &happened;
        run_session(&run, &history, number);
    }
    cr_expect_gt(happened.unknown, HISTORIES);
    cr_expect_gt(happened.unsaved, HISTORIES);
    cr_expect_gt(happened.behind, HISTORIES / 30);
}

/* --- documents of a few events --- */

static grove_document *open_as(store_fixture *fixture, const char *replica)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.policy.automatic = false;
    options.replica.size = (uint8_t)strlen(replica);
    memcpy(options.replica.bytes, replica, strlen(replica));
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of(NAME), &options,
                                           &document, &fixture->error));
    return document;
}

/* What a blame said, in words, and how often it may still say something. */
typedef struct report {
    char text[256];
    size_t size;
    uint32_t left;
} report;

static bool write_down(void *context, const grove_text_authorship *given)
{
    report *written = context;
    int size =
        snprintf(written->text + written->size, sizeof written->text - written->size,
                 "%llu+%llu %.*s%llu @%llu %lld; ", (unsigned long long)given->position,
                 (unsigned long long)given->count, given->event.replica.size,
                 (const char *)given->event.replica.bytes,
                 (unsigned long long)given->event.sequence,
                 (unsigned long long)given->clock, (long long)given->timestamp);
    cr_assert(size > 0 && (size_t)size < sizeof written->text - written->size);
    written->size += (size_t)size;
    cr_assert_gt(written->left, 0);
    return --written->left > 0;
}

static void check_report(store_fixture *fixture, grove_document *document, uint64_t from,
                         uint64_t count, const char *expected)
{
    report written = {.left = 100};
    assert_ok(fixture, grove_text_blame(document, from, count, write_down, &written,
                                        &fixture->error));
    cr_assert_str_eq(written.text, expected);
}

/* r types "ab" at 1, s "XY" between at 2, r at 3 "c" at the end and "d" before
 * it; nothing of the last two is saved. */
static grove_document *make_text(store_fixture *fixture)
{
    grove_document *r = open_as(fixture, "r");
    fixture->now = 1;
    insert(fixture, r, 0, "ab");
    (void)save(fixture, r);
    grove_document *s = open_as(fixture, "s");
    fixture->now = 2;
    insert(fixture, s, 1, "XY");
    (void)save(fixture, s);
    grove_document_close(s);
    assert_ok(fixture, grove_document_refresh(r, NULL, &fixture->error));
    fixture->now = 3;
    insert(fixture, r, 4, "c");
    insert(fixture, r, 4, "d");
    assert_text(fixture, r, "aXYbdc");
    return r;
}

static const char ALL[] = "0+1 r0 @0 1; 1+2 s0 @2 2; 3+1 r1 @1 1; 4+2 r3 @5 3; ";

STORE_TEST(blame, joins_what_one_replica_typed_with_one_timestamp)
{
    grove_document *document = make_text(fixture);
    check_report(fixture, document, 0, 6, ALL);
    (void)save(fixture, document);
    check_report(fixture, document, 0, 6, ALL);
    /* A deletion types nothing, and the rest of a run begins further on. */
    assert_ok(fixture, grove_text_delete(document, 0, 2, &fixture->error));
    check_report(fixture, document, 0, 4, "0+1 s1 @3 2; 1+1 r1 @1 1; 2+2 r3 @5 3; ");
    grove_document_close(document);
}

STORE_TEST(blame, is_of_the_range_alone)
{
    grove_document *document = make_text(fixture);
    check_report(fixture, document, 2, 1, "2+1 s1 @3 2; ");
    check_report(fixture, document, 2, 2, "2+1 s1 @3 2; 3+1 r1 @1 1; ");
    check_report(fixture, document, 5, 1, "5+1 r2 @4 3; ");
    check_report(fixture, document, 0, 0, "");
    check_report(fixture, document, 6, 0, "");
    grove_document_close(document);
}

STORE_TEST(blame, ends_when_the_callback_says_so)
{
    grove_document *document = make_text(fixture);
    report written = {.left = 2};
    assert_ok(fixture,
              grove_text_blame(document, 0, 6, write_down, &written, &fixture->error));
    cr_assert_str_eq(written.text, "0+1 r0 @0 1; 1+2 s0 @2 2; ");
    grove_document_close(document);
}

STORE_TEST(blame, of_what_nobody_saved_names_it)
{
    grove_document *document = open_as(fixture, "r");
    check_report(fixture, document, 0, 0, "");
    fixture->now = -5;
    insert(fixture, document, 0, "\xc3\xa9\xe6\xbc\xa2");
    check_report(fixture, document, 0, 2, "0+2 r0 @0 -5; ");
    cr_assert_eq(grove_document_unsaved(document), 2);
    grove_document_close(document);
}

STORE_TEST(blame, knows_nobody_whose_history_was_removed)
{
    grove_document *document = make_text(fixture);
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    options.window_events = 0;
    assert_ok(fixture, grove_document_compact(document, &options, NULL, &fixture->error));
    check_report(fixture, document, 0, 6, "0+4 0 @0 0; 4+2 r3 @5 3; ");
    (void)save(fixture, document);
    check_report(fixture, document, 3, 2, "3+1 0 @0 0; 4+1 r3 @5 3; ");
    assert_ok(fixture, grove_document_compact(document, &options, NULL, &fixture->error));
    check_report(fixture, document, 0, 6, "0+6 0 @0 0; ");
    grove_document_close(document);
    document = open_as(fixture, "r");
    check_report(fixture, document, 0, 6, "0+6 0 @0 0; ");
    grove_document_close(document);
}

STORE_TEST(blame, refuses_ranges_beyond_the_end_and_other_types)
{
    static const uint64_t ranges[][2] = {
        {0, 7}, {6, 1}, {7, 0}, {1, UINT64_MAX}, {UINT64_MAX, 1}, {UINT64_MAX, 0}};
    grove_document *document = make_text(fixture);
    report written = {.left = 1};
    for (size_t index = 0; index < sizeof ranges / sizeof *ranges; index++) {
        assert_fails(fixture, GROVE_INVALID,
                     grove_text_blame(document, ranges[index][0], ranges[index][1],
                                      write_down, &written, &fixture->error));
    }
    (void)save(fixture, document);
    grove_document *view = NULL;
    assert_ok(fixture, grove_document_load_at(fixture->store, grove_bytes_of(NAME), 2,
                                              NULL, &view, &fixture->error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_text_blame(view, 0, 1, write_down, &written, &fixture->error));
    grove_document_close(view);
    grove_document_close(document);
    document = open_manual(fixture, "opaque", grove_type_opaque());
    assert_fails(fixture, GROVE_INVALID,
                 grove_text_blame(document, 0, 0, write_down, &written, &fixture->error));
    grove_document_close(document);
    cr_assert_eq(written.size, 0);
}

/* Tries until it succeeds, with a handle that unsaved events are in. */
static void blame_twice(store_fixture *fixture, faulty_allocator *faulty, size_t nth)
{
    grove_document *document = open_as(fixture, "t");
    insert(fixture, document, 6, "e");
    report written = {.left = 100};
    faulty->fails_at = faulty->calls + nth;
    grove_status status =
        grove_text_blame(document, 0, 7, write_down, &written, &fixture->error);
    if (status != GROVE_OK) {
        cr_assert_eq(status, GROVE_NO_MEMORY);
        cr_assert(faulty->has_failed);
        cr_assert_eq(written.size, 0, "authors before a failure");
        assert_ok(fixture, grove_text_blame(document, 0, 7, write_down, &written,
                                            &fixture->error));
    }
    cr_assert_str_eq(written.text, "0+1 r0 @0 1; 1+2 s0 @2 2; 3+1 r1 @1 1; 4+2 r3 @5 3; "
                                   "6+1 t0 @6 3; ");
    assert_text(fixture, document, "aXYbdce");
    grove_document_close(document);
}

STORE_TEST(blame, leaks_nothing_when_an_allocation_fails)
{
    grove_document *document = make_text(fixture);
    (void)save(fixture, document);
    grove_document_close(document);
    store_fixture_close(fixture);
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, 0);
        fixture->options.allocator = &faulty.allocator;
        store_fixture_open(fixture);
        blame_twice(fixture, &faulty, nth);
        store_fixture_close(fixture);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            cr_assert_gt(nth, 10);
            break;
        }
    }
    fixture->options.allocator = NULL;
    store_fixture_open(fixture);
}
