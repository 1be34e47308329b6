/*
 * Views of the past of documents of a few events: what they show, what they
 * refuse. Longer histories: test_past_oracle.c.
 */
#include "support/faulty_allocator.h"
#include "support/text_history.h"
#include "support/store_fixture.h"

static const char NAME[] = "document";

static grove_document *open_as(store_fixture *fixture, const grove_document_type *type,
                               const char *replica)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = type;
    options.policy.automatic = false;
    options.replica.size = (uint8_t)strlen(replica);
    memcpy(options.replica.bytes, replica, strlen(replica));
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of(NAME), &options,
                                           &document, &fixture->error));
    return document;
}

static grove_status load_at(store_fixture *fixture, uint64_t clock,
                            grove_document **view_out)
{
    return grove_document_load_at(fixture->store, grove_bytes_of(NAME), clock, NULL,
                                  view_out, &fixture->error);
}

static grove_document *look_at(store_fixture *fixture, uint64_t clock)
{
    grove_document *view = NULL;
    assert_ok(fixture, load_at(fixture, clock, &view));
    return view;
}

static grove_event_id id_of(const char *replica, uint64_t sequence)
{
    grove_event_id id = {.sequence = sequence};
    id.replica.size = (uint8_t)strlen(replica);
    memcpy(id.replica.bytes, replica, strlen(replica));
    return id;
}

static grove_status load_version(store_fixture *fixture, const grove_event_id *heads,
                                 size_t head_count, grove_document **view_out)
{
    grove_version version = {heads, head_count};
    return grove_document_load_version(fixture->store, grove_bytes_of(NAME), &version,
                                       NULL, view_out, &fixture->error);
}

static grove_document *look_at_version(store_fixture *fixture,
                                       const grove_event_id *heads, size_t head_count)
{
    grove_document *view = NULL;
    assert_ok(fixture, load_version(fixture, heads, head_count, &view));
    return view;
}

/* r types "ab" while s types "xy"; then r, with both, types "c" at the end.
 * Clocks 0 1 are r's, 2 3 are s's, 4 is r's. */
static grove_document *make_text(store_fixture *fixture)
{
    grove_document *r = open_as(fixture, NULL, "r");
    grove_document *s = open_as(fixture, NULL, "s");
    insert(fixture, r, 0, "ab");
    insert(fixture, s, 0, "xy");
    (void)save(fixture, r);
    (void)save(fixture, s);
    assert_ok(fixture, grove_document_refresh(r, NULL, &fixture->error));
    insert(fixture, r, 4, "c");
    (void)save(fixture, r);
    grove_document_close(s);
    return r;
}

static void compact(store_fixture *fixture, grove_document *document, uint64_t window)
{
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    options.window_events = window;
    assert_ok(fixture, grove_document_compact(document, &options, NULL, &fixture->error));
}

static void check_is_empty(store_fixture *fixture, grove_document *view)
{
    grove_version version;
    assert_text(fixture, view, "");
    assert_ok(fixture, grove_document_version(view, &version, &fixture->error));
    cr_assert_eq(version.head_count, 0);
    cr_assert_eq(grove_document_clock(view), 0);
    grove_document_close(view);
}

STORE_TEST(past, before_all_events_is_empty_whatever_was_removed)
{
    grove_document *document = make_text(fixture);
    check_is_empty(fixture, look_at(fixture, 0));
    check_is_empty(fixture, look_at_version(fixture, NULL, 0));
    compact(fixture, document, 0);
    check_is_empty(fixture, look_at(fixture, 0));
    check_is_empty(fixture, look_at_version(fixture, NULL, 0));
    grove_document_close(document);
}

STORE_TEST(past, of_a_version_may_be_named_with_removed_events_beside_its_heads)
{
    grove_document *document = make_text(fixture);
    grove_event_id given[] = {id_of("r", 0), id_of("r", 4), id_of("s", 1)};
    grove_document *view = NULL;
    for (uint64_t position = 5; position < 8; position++) {
        insert(fixture, document, position, "d");
        (void)save(fixture, document);
        if (position == 5) {
            compact(fixture, document, 0);
        }
    }
    compact(fixture, document, 2);
    cr_assert_eq(statistics_of(fixture, NAME).base_clock, 6);
    view = look_at_version(fixture, given, 3);
    assert_text(fixture, view, "abxycdd");
    grove_document_close(view);
    assert_fails(fixture, GROVE_HISTORY_REMOVED, load_version(fixture, given, 1, &view));
    grove_document_close(document);
}

STORE_TEST(past, of_a_version_never_held_has_its_events_alone)
{
    grove_document *document = make_text(fixture);
    grove_event_id s_alone = id_of("s", 1);
    grove_event_id halves[] = {id_of("s", 0), id_of("r", 0)};
    grove_version version;
    grove_document *view = look_at_version(fixture, &s_alone, 1);
    assert_text(fixture, view, "xy");
    grove_document_close(view);
    view = look_at_version(fixture, halves, 2);
    assert_text(fixture, view, "ax");
    assert_ok(fixture, grove_document_version(view, &version, &fixture->error));
    cr_assert_eq(version.head_count, 2);
    cr_assert_eq(text_id_compare(&version.heads[0], &halves[1]), 0);
    cr_assert_eq(text_id_compare(&version.heads[1], &halves[0]), 0);
    grove_document_close(view);
    grove_document_close(document);
}

STORE_TEST(past, stays_as_it_was_seen)
{
    grove_document *document = make_text(fixture);
    grove_document *view = look_at(fixture, 3);
    assert_ok(fixture, grove_text_delete(document, 0, 5, &fixture->error));
    (void)save(fixture, document);
    compact(fixture, document, 0);
    cr_assert_eq(statistics_of(fixture, NAME).batches, 0, "a view holds no history");
    assert_text(fixture, view, "abx");
    cr_assert_eq(grove_document_clock(view), 3);
    grove_document_close(view);
    grove_document_close(document);
}

/* --- what is refused --- */

STORE_TEST(past, that_is_not_there_is_refused)
{
    grove_document *view = NULL;
    grove_event_id known = id_of("r", 2);
    assert_fails(fixture, GROVE_NONE, load_at(fixture, 0, &view));
    assert_fails(fixture, GROVE_NONE, load_version(fixture, NULL, 0, &view));
    grove_document *document = make_text(fixture);
    insert(fixture, document, 0, "unsaved");
    assert_fails(fixture, GROVE_INVALID, load_at(fixture, 6, &view));
    assert_fails(fixture, GROVE_INVALID, load_at(fixture, UINT64_MAX, &view));
    grove_event_id unknown[] = {id_of("r", 3), id_of("r", UINT64_MAX), id_of("t", 0),
                                id_of("rs", 0)};
    for (size_t index = 0; index < 4; index++) {
        grove_event_id heads[] = {known, unknown[index]};
        assert_fails(fixture, GROVE_UNKNOWN_PARENT,
                     load_version(fixture, heads, 2, &view));
        cr_assert_eq(fixture->error.offset, 1);
    }
    grove_event_id nobody = {.sequence = 0};
    assert_fails(fixture, GROVE_INVALID, load_version(fixture, &nobody, 1, &view));
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    grove_version version = {&known, 1};
    options.type = grove_type_opaque();
    assert_fails(fixture, GROVE_INVALID,
                 grove_document_load_at(fixture->store, grove_bytes_of(NAME), 1, &options,
                                        &view, &fixture->error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_document_load_version(fixture->store, grove_bytes_of(NAME),
                                             &version, &options, &view, &fixture->error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_document_load_at(fixture->store, grove_bytes_of(""), 0, NULL,
                                        &view, &fixture->error));
    cr_assert_null(view);
    grove_document_close(document);
}

static bool refuse_run(void *context, uint64_t clock, const grove_event_run *run)
{
    (void)context, (void)clock, (void)run;
    cr_assert_fail("a view hands out no events");
    return false;
}

static bool refuse_author(void *context, const grove_text_authorship *authorship)
{
    (void)context, (void)authorship;
    cr_assert_fail("a view knows no authors");
    return false;
}

static bool refuse_bytes(void *context, grove_bytes bytes)
{
    (void)context, (void)bytes;
    cr_assert_fail("a view exports nothing");
    return false;
}

static void check_only_reads(store_fixture *fixture, grove_document *view)
{
    grove_error *error = &fixture->error;
    grove_event_run run = {.first = id_of("t", 0),
                           .operation = {GROVE_TEXT_INSERT, 1, 0, grove_bytes_of("t")}};
    grove_status tried[] = {
        grove_text_insert(view, 0, grove_bytes_of("t"), error),
        grove_text_delete(view, 0, 1, error),
        grove_text_on_edit(view, NULL, NULL, error),
        grove_text_blame(view, 0, 1, refuse_author, NULL, error),
        grove_document_add(view, &run, error),
        grove_document_save(view, NULL, NULL, error),
        grove_document_refresh(view, NULL, error),
        grove_document_compact(view, NULL, NULL, error),
        grove_document_seal(view, NULL, NULL, error),
        grove_document_export(view, NULL, refuse_bytes, NULL, error),
        grove_document_events(view, 0, refuse_run, NULL, error),
        grove_document_events_since_snapshot(view, refuse_run, NULL, error),
    };
    for (size_t index = 0; index < sizeof tried / sizeof *tried; index++) {
        cr_assert_eq(tried[index], GROVE_INVALID, "call %zu: %s", index,
                     grove_status_name(tried[index]));
    }
}

/* What was shown, with a NUL behind it. */
typedef struct shown {
    char text[64];
    size_t size;
} shown;

static bool show(void *context, grove_bytes bytes)
{
    shown *all = context;
    cr_assert_lt(bytes.size, sizeof all->text - all->size);
    if (bytes.size > 0) {
        memcpy(all->text + all->size, bytes.data, bytes.size);
    }
    all->size += bytes.size;
    return true;
}

STORE_TEST(past, can_be_read_and_not_be_changed)
{
    grove_document *document = make_text(fixture);
    grove_event_id heads[] = {id_of("r", 1), id_of("s", 0)};
    grove_document *views[] = {look_at(fixture, 3), look_at_version(fixture, heads, 2)};
    for (size_t index = 0; index < 2; index++) {
        shown text = {.size = 0};
        uint64_t length;
        uint64_t position;
        check_only_reads(fixture, views[index]);
        assert_text(fixture, views[index], "abx");
        assert_ok(fixture,
                  grove_text_length(views[index], &length, NULL, &fixture->error));
        cr_assert_eq(length, 3);
        assert_ok(fixture, grove_text_each(views[index], show, &text, &fixture->error));
        cr_assert_str_eq(text.text, "abx");
        assert_ok(fixture,
                  grove_text_convert(views[index], 2, GROVE_TEXT_POINTS, GROVE_TEXT_UTF16,
                                     &position, &fixture->error));
        cr_assert_eq(position, 2);
        grove_document_close(views[index]);
    }
    grove_document_close(document);
    assert_stored_text(fixture, NAME, "abxyc");
}

/* --- opaque documents --- */

static void append(store_fixture *fixture, grove_document *document, const char *payload)
{
    assert_ok(fixture,
              grove_opaque_append(document, grove_bytes_of(payload), &fixture->error));
}

/* The state, a colon, and the payloads; closes the view. */
static void check_opaque(store_fixture *fixture, grove_document *view,
                         const char *expected)
{
    shown all = {.size = 0};
    bool is_set;
    grove_bytes bytes;
    uint64_t count;
    assert_ok(fixture,
              grove_opaque_state(view, &is_set, &bytes, &count, &fixture->error));
    (void)show(&all, is_set ? bytes : grove_bytes_of(""));
    (void)show(&all, grove_bytes_of(":"));
    for (uint64_t index = 0; index < count; index++) {
        assert_ok(fixture, grove_opaque_payload(view, index, &bytes, &fixture->error));
        (void)show(&all, bytes);
    }
    cr_assert_str_eq(all.text, expected);
    cr_assert_eq(grove_opaque_append(view, grove_bytes_of("x"), NULL), GROVE_INVALID);
    cr_assert_eq(grove_opaque_set_state(view, grove_bytes_of("x"), NULL), GROVE_INVALID);
    grove_document_close(view);
}

/* r makes A and B, s beside it X and Y, and a state "1" stands for A and X. */
static grove_document *make_opaque(store_fixture *fixture)
{
    grove_document *r = open_as(fixture, grove_type_opaque(), "r");
    grove_document *s = open_as(fixture, grove_type_opaque(), "s");
    append(fixture, r, "A");
    (void)save(fixture, r);
    append(fixture, s, "X");
    (void)save(fixture, s);
    assert_ok(fixture, grove_opaque_set_state(s, grove_bytes_of("1"), &fixture->error));
    (void)save(fixture, s);
    append(fixture, r, "B");
    (void)save(fixture, r);
    append(fixture, s, "Y");
    (void)save(fixture, s);
    grove_document_close(s);
    return r;
}

STORE_TEST(past, of_opaque_documents_is_what_was_handed_in_until_then)
{
    static const char *const at[] = {":", ":A", "1:", "1:B", "1:BY"};
    grove_document *document = make_opaque(fixture);
    for (uint64_t clock = 0; clock <= 4; clock++) {
        check_opaque(fixture, look_at(fixture, clock), at[clock]);
    }
    grove_event_id x = id_of("s", 0);
    grove_event_id a_and_x[] = {id_of("r", 0), x};
    grove_event_id y = id_of("s", 1);
    check_opaque(fixture, look_at_version(fixture, NULL, 0), ":");
    check_opaque(fixture, look_at_version(fixture, &x, 1), ":X");
    check_opaque(fixture, look_at_version(fixture, a_and_x, 2), "1:");
    check_opaque(fixture, look_at_version(fixture, &y, 1), "1:Y");
    grove_document_close(document);
}

/* --- failing allocations --- */

static const char BEFORE[] = "abx";

/* Tries until it succeeds; each failure is noted. */
static void look_twice(store_fixture *fixture, bool at_clock, int *failures,
                       grove_status *failure)
{
    grove_event_id heads[] = {id_of("s", 0), id_of("r", 1)};
    grove_document *view = NULL;
    while (view == NULL) {
        grove_status status = at_clock ? load_at(fixture, 3, &view)
                                       : load_version(fixture, heads, 2, &view);
        cr_assert_eq(status == GROVE_OK, view != NULL);
        if (status != GROVE_OK) {
            *failure = status;
            cr_assert_lt((*failures)++, 1);
        }
    }
    assert_text(fixture, view, BEFORE);
    grove_document_close(view);
}

static void run_allocations(store_fixture *fixture)
{
    grove_document_close(make_text(fixture));
    store_fixture_close(fixture);
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        int failures = 0;
        grove_status failure = GROVE_OK;
        faulty_allocator_init(&faulty, nth);
        fixture->options.allocator = &faulty.allocator;
        while (fixture->store == NULL) {
            grove_status status = grove_store_open(fixture->dir.path, &fixture->options,
                                                   &fixture->store, &fixture->error);
            failure = status == GROVE_OK ? failure : status;
            failures += status != GROVE_OK;
            cr_assert_leq(failures, 1);
        }
        look_twice(fixture, true, &failures, &failure);
        look_twice(fixture, false, &failures, &failure);
        store_fixture_close(fixture);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            cr_assert_gt(nth, 20);
            break;
        }
        cr_assert(failures == 0 || failure == GROVE_NO_MEMORY, "allocation %zu: %s", nth,
                  grove_status_name(failure));
    }
    fixture->options.allocator = NULL;
    store_fixture_open(fixture);
}

STORE_TEST(past, leaks_nothing_when_an_allocation_fails)
{
    run_allocations(fixture);
}
