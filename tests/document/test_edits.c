/*
 * What grove_text_on_edit tells: whoever applies it to a copy of the text, as
 * an editor does, has the text.
 */
#include "damage.h"
#include "support/random.h"

enum { TEXT_BYTES_MAX = 1 << 16, EDITS_MAX = 64, EDIT_BYTES_MAX = 16 };

/* An edit as it was told, with the beginning of its text. */
typedef struct told {
    uint64_t position;
    uint64_t deleted;
    char inserted[EDIT_BYTES_MAX];
} told;

/* A copy of a handle's text, and the newest edits since somebody looked. */
typedef struct copy {
    char bytes[TEXT_BYTES_MAX];
    size_t size;
    told edits[EDITS_MAX];
    size_t count;
} copy;

/* --- a copy --- */

static bool begins_character(char byte)
{
    return ((uint8_t)byte & 0xc0) != 0x80;
}

/* The bytes before a number of characters, which the copy has. */
static size_t offset_of(const copy *text, uint64_t characters)
{
    size_t offset = 0;
    while (characters > 0) {
        cr_assert_lt(offset, text->size, "an edit beyond the end");
        do {
            offset++;
        } while (offset < text->size && !begins_character(text->bytes[offset]));
        characters--;
    }
    return offset;
}

static uint64_t length_of(const copy *text)
{
    uint64_t length = 0;
    for (size_t index = 0; index < text->size; index++) {
        length += begins_character(text->bytes[index]);
    }
    return length;
}

static void replace(copy *text, uint64_t position, uint64_t deleted, grove_bytes utf8)
{
    size_t from = offset_of(text, position);
    size_t to = offset_of(text, position + deleted);
    cr_assert_leq(text->size + utf8.size, TEXT_BYTES_MAX);
    memmove(text->bytes + from + utf8.size, text->bytes + to, text->size - to);
    if (utf8.size > 0) {
        memcpy(text->bytes + from, utf8.data, utf8.size);
    }
    text->size = text->size - (to - from) + utf8.size;
}

static void take_edit(void *context, const grove_text_edit *edit)
{
    copy *text = context;
    uint64_t characters = 0;
    for (size_t index = 0; index < edit->utf8.size; index++) {
        characters += begins_character((char)edit->utf8.data[index]);
    }
    cr_assert_eq(characters, edit->inserted);
    cr_assert(edit->inserted > 0 || edit->deleted > 0, "an edit of nothing");
    replace(text, edit->position, edit->deleted, edit->utf8);
    told *newest = &text->edits[text->count++ % EDITS_MAX];
    *newest = (told){.position = edit->position, .deleted = edit->deleted};
    if (edit->utf8.size > 0 && edit->utf8.size < EDIT_BYTES_MAX) {
        memcpy(newest->inserted, edit->utf8.data, edit->utf8.size);
    }
}

/* --- an editor: a handle and its copy --- */

enum { HEADS_MAX = 8 };

typedef struct editor {
    grove_document *document;
    copy copy;
    /* A version that was there once, for events of somebody far away. */
    grove_event_id heads[HEADS_MAX];
    size_t head_count;
    uint64_t length;
    grove_event_id far_away; /* the next one's id */
} editor;

static void check_copy(store_fixture *fixture, const editor *one)
{
    static char text[TEXT_BYTES_MAX];
    size_t bytes;
    uint64_t length;
    assert_ok(fixture, grove_text_read(one->document, 0, UINT64_MAX, text, sizeof text,
                                       &bytes, &length, &fixture->error));
    cr_assert_eq(bytes, one->copy.size, "%zu bytes in the handle, %zu in its copy", bytes,
                 one->copy.size);
    cr_assert_eq(memcmp(text, one->copy.bytes, bytes), 0);
}

static void listen(store_fixture *fixture, editor *one)
{
    size_t bytes;
    uint64_t length;
    assert_ok(fixture,
              grove_text_read(one->document, 0, UINT64_MAX, one->copy.bytes,
                              sizeof one->copy.bytes, &bytes, &length, &fixture->error));
    one->copy.size = bytes;
    one->copy.count = 0;
    assert_ok(fixture,
              grove_text_on_edit(one->document, take_edit, &one->copy, &fixture->error));
}

static void set_replica(grove_replica *replica, const char *name)
{
    *replica = (grove_replica){.size = (uint8_t)strlen(name)};
    memcpy(replica->bytes, name, strlen(name));
}

static void open_handle(store_fixture *fixture, editor *one, const char *replica,
                        const grove_snapshot_policy *policy)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.policy = *policy;
    set_replica(&options.replica, replica);
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of("a"), &options,
                                           &one->document, &fixture->error));
    listen(fixture, one);
}

/* A handle of that replica, with snapshots on request, and a copy of its text.
 * close_editor frees it. */
static editor *open_editor(store_fixture *fixture, const char *replica)
{
    grove_snapshot_policy policy = GROVE_SNAPSHOT_POLICY_INIT;
    policy.automatic = false;
    editor *one = calloc(1, sizeof *one);
    cr_assert_not_null(one);
    open_handle(fixture, one, replica, &policy);
    return one;
}

static void close_editor(store_fixture *fixture, editor *one)
{
    check_copy(fixture, one);
    grove_document_close(one->document);
    free(one);
}

static void type(store_fixture *fixture, editor *one, uint64_t position, const char *utf8)
{
    grove_bytes text = grove_bytes_of(utf8);
    assert_ok(fixture, grove_text_insert(one->document, position, text, &fixture->error));
    replace(&one->copy, position, 0, text);
    check_copy(fixture, one);
}

static void erase(store_fixture *fixture, editor *one, uint64_t position, uint64_t count)
{
    assert_ok(fixture,
              grove_text_delete(one->document, position, count, &fixture->error));
    replace(&one->copy, position, count, (grove_bytes){NULL, 0});
    check_copy(fixture, one);
}

static void save_editor(store_fixture *fixture, editor *one)
{
    (void)save(fixture, one->document);
    check_copy(fixture, one);
}

static void refresh(store_fixture *fixture, editor *one)
{
    assert_ok(fixture, grove_document_refresh(one->document, NULL, &fixture->error));
    check_copy(fixture, one);
}

/* Exactly these edits were told since the last look. */
static void check_told(editor *one, const told *expected, size_t count)
{
    cr_assert_eq(one->copy.count, count, "%zu edits instead of %zu", one->copy.count,
                 count);
    for (size_t index = 0; index < count; index++) {
        const told *is = &one->copy.edits[index];
        cr_assert_eq(is->position, expected[index].position, "edit %zu at %llu", index,
                     (unsigned long long)is->position);
        cr_assert_eq(is->deleted, expected[index].deleted);
        cr_assert_str_eq(is->inserted, expected[index].inserted);
    }
    one->copy.count = 0;
}

#define CHECK_TOLD(one, ...)                                     \
    do {                                                         \
        const told wanted[] = {__VA_ARGS__};                     \
        check_told(one, wanted, sizeof wanted / sizeof *wanted); \
    } while (0)

/* Two handles of the replicas `a` and `b` on a document of this text. */
static void open_two(store_fixture *fixture, const char *text, editor **a, editor **b)
{
    grove_document *document = open_manual(fixture, "a", NULL);
    insert(fixture, document, 0, text);
    (void)save(fixture, document);
    grove_document_close(document);
    *a = open_editor(fixture, "a");
    *b = open_editor(fixture, "b");
}

/* Lets each take in what the other made, and looks at nothing else. */
static void meet(store_fixture *fixture, editor *a, editor *b)
{
    save_editor(fixture, a);
    refresh(fixture, b);
    save_editor(fixture, b);
    refresh(fixture, a);
    cr_assert_eq(a->copy.size, b->copy.size);
    cr_assert_eq(memcmp(a->copy.bytes, b->copy.bytes, a->copy.size), 0);
}

static void close_two(store_fixture *fixture, editor *a, editor *b)
{
    close_editor(fixture, a);
    close_editor(fixture, b);
}

/* --- what is told --- */

STORE_TEST(edits, of_a_refresh_that_only_goes_on_are_what_the_other_did)
{
    editor *a;
    editor *b;
    open_two(fixture, "some text", &a, &b);
    type(fixture, a, 4, "where ");
    erase(fixture, a, 0, 1);
    /* Backwards. */
    erase(fixture, a, 5, 1);
    erase(fixture, a, 4, 1);
    erase(fixture, a, 3, 1);
    save_editor(fixture, a);
    check_told(a, NULL, 0);
    check_told(b, NULL, 0);
    refresh(fixture, b);
    CHECK_TOLD(b, {4, 0, "where "}, {0, 1, ""}, {3, 3, ""});
    refresh(fixture, b);
    check_told(b, NULL, 0);
    close_two(fixture, a, b);
}

STORE_TEST(edits, of_an_insertion_beside_an_insertion_say_where_it_went)
{
    editor *a;
    editor *b;
    open_two(fixture, "()", &a, &b);
    type(fixture, a, 1, "A\xc3\xa9");
    type(fixture, b, 1,
         "B\xe2\x82\xac"
         "B");
    meet(fixture, a, b);
    CHECK_TOLD(b, {1, 0, "A\xc3\xa9"});
    CHECK_TOLD(a, {3, 0,
                   "B\xe2\x82\xac"
                   "B"});
    assert_text(fixture, a->document,
                "(A\xc3\xa9"
                "B\xe2\x82\xac"
                "B)");
    close_two(fixture, a, b);
}

STORE_TEST(edits, of_what_another_deleted_already_are_none)
{
    editor *a;
    editor *b;
    open_two(fixture, "abcdefg", &a, &b);
    erase(fixture, a, 3, 1);
    erase(fixture, b, 3, 1);
    meet(fixture, a, b);
    check_told(a, NULL, 0);
    check_told(b, NULL, 0);
    assert_text(fixture, a->document, "abcefg");
    /* And where ranges overlap, only the rest. */
    erase(fixture, a, 1, 3);
    erase(fixture, b, 2, 3);
    meet(fixture, a, b);
    CHECK_TOLD(b, {1, 1, ""});
    CHECK_TOLD(a, {1, 1, ""});
    assert_text(fixture, a->document, "ag");
    close_two(fixture, a, b);
}

STORE_TEST(edits, of_a_deletion_around_an_insertion_leave_it_in_the_middle)
{
    editor *a;
    editor *b;
    open_two(fixture, "(abcd)", &a, &b);
    erase(fixture, a, 1, 4);
    type(fixture, b, 3, "B");
    meet(fixture, a, b);
    CHECK_TOLD(b, {1, 2, ""}, {2, 2, ""});
    CHECK_TOLD(a, {1, 0, "B"});
    assert_text(fixture, a->document, "(B)");
    close_two(fixture, a, b);
}

STORE_TEST(edits, of_a_save_are_what_it_took_in_from_others)
{
    editor *a;
    editor *b;
    open_two(fixture, "text", &a, &b);
    type(fixture, a, 0, "A");
    type(fixture, b, 4, "B");
    save_editor(fixture, a);
    save_editor(fixture, b);
    check_told(a, NULL, 0);
    CHECK_TOLD(b, {0, 0, "A"});
    /* So does one that has nothing of its own. */
    save_editor(fixture, a);
    CHECK_TOLD(a, {5, 0, "B"});
    close_two(fixture, a, b);
}

STORE_TEST(edits, of_a_save_that_is_refused_are_none)
{
    editor *a;
    editor *b;
    open_two(fixture, "text", &a, &b);
    type(fixture, a, 0, "A");
    type(fixture, b, 4, "B");
    save_editor(fixture, a);
    uint64_t expected = 4;
    assert_fails(fixture, GROVE_CONFLICT,
                 grove_document_save(b->document, &expected, NULL, &fixture->error));
    check_copy(fixture, b);
    check_told(b, NULL, 0);
    expected = 5;
    assert_ok(fixture,
              grove_document_save(b->document, &expected, NULL, &fixture->error));
    check_copy(fixture, b);
    CHECK_TOLD(b, {0, 0, "A"});
    close_two(fixture, a, b);
}

STORE_TEST(edits, of_a_compaction_are_what_it_took_in_from_others)
{
    editor *a;
    editor *b;
    open_two(fixture, "text", &a, &b);
    type(fixture, a, 0, "A");
    save_editor(fixture, a);
    assert_ok(fixture, grove_document_compact(b->document, NULL, NULL, &fixture->error));
    check_copy(fixture, b);
    CHECK_TOLD(b, {0, 0, "A"});
    close_two(fixture, a, b);
}

/* Adds an event of a replica `far` to an editor's handle. */
static void add_far(store_fixture *fixture, editor *one, uint64_t sequence,
                    const grove_event_id *parent, grove_operation operation)
{
    grove_event_run run = {
        .parents = parent, .parent_count = 1, .timestamp = 1, .operation = operation};
    set_replica(&run.first.replica, "far");
    run.first.sequence = sequence;
    assert_ok(fixture, grove_document_add(one->document, &run, &fixture->error));
    check_copy(fixture, one);
}

STORE_TEST(edits, of_events_that_are_added_are_told)
{
    editor *a;
    editor *b;
    open_two(fixture, "text", &a, &b);
    grove_version version;
    assert_ok(fixture, grove_document_version(a->document, &version, &fixture->error));
    grove_event_id parent = version.heads[0];
    add_far(fixture, a, 0, &parent,
            (grove_operation){GROVE_TEXT_INSERT, 2, 4, grove_bytes_of("ed")});
    CHECK_TOLD(a, {4, 0, "ed"});
    type(fixture, a, 0, "A");
    add_far(fixture, a, 2, &parent,
            (grove_operation){GROVE_TEXT_BACKSPACE, 3, 1, {NULL, 0}});
    CHECK_TOLD(a, {2, 3, ""});
    assert_text(fixture, a->document, "Ated");
    meet(fixture, a, b);
    close_two(fixture, a, b);
}

STORE_TEST(edits, of_a_refresh_that_meets_damage_are_those_of_what_came_before)
{
    editor *a;
    editor *b;
    open_two(fixture, "text", &a, &b);
    type(fixture, a, 0, "one");
    save_editor(fixture, a);
    type(fixture, a, 7, "two");
    save_editor(fixture, a);
    flip_batch(fixture, "a", 7);
    assert_fails(fixture, GROVE_CORRUPT,
                 grove_document_refresh(b->document, NULL, &fixture->error));
    check_copy(fixture, b);
    size_t told_before = b->copy.count;
    flip_batch(fixture, "a", 7);
    refresh(fixture, b);
    cr_assert_leq(told_before, 1);
    CHECK_TOLD(b, {0, 0, "one"}, {7, 0, "two"});
    close_two(fixture, a, b);
}

STORE_TEST(edits, are_told_to_nobody_after_null_and_to_the_last_who_asked)
{
    editor *a;
    editor *b;
    static copy other;
    open_two(fixture, "text", &a, &b);
    assert_ok(fixture, grove_text_on_edit(b->document, NULL, NULL, &fixture->error));
    type(fixture, a, 0, "A");
    save_editor(fixture, a);
    assert_ok(fixture, grove_document_refresh(b->document, NULL, &fixture->error));
    check_told(b, NULL, 0);
    listen(fixture, b);
    other = b->copy;
    assert_ok(fixture,
              grove_text_on_edit(b->document, take_edit, &other, &fixture->error));
    type(fixture, a, 0, "B");
    save_editor(fixture, a);
    assert_ok(fixture, grove_document_refresh(b->document, NULL, &fixture->error));
    check_told(b, NULL, 0);
    cr_assert_eq(other.count, 1);
    cr_assert_eq(other.size, 6);
    cr_assert_eq(memcmp(other.bytes, "BAtext", 6), 0);
    listen(fixture, b);
    close_two(fixture, a, b);
}

STORE_TEST(edits, are_those_of_texts_only)
{
    grove_document *document = open_manual(fixture, "a", grove_type_opaque());
    assert_fails(fixture, GROVE_INVALID,
                 grove_text_on_edit(document, take_edit, NULL, &fixture->error));
    /* And nobody listens. */
    assert_ok(fixture,
              grove_opaque_append(document, grove_bytes_of("x"), &fixture->error));
    grove_document_close(document);
}

/* --- random sessions --- */

enum { EDITORS_MAX = 3, SESSIONS = 12, STEPS = 400 };

static const char *const REPLICAS[EDITORS_MAX] = {"a", "b", "c"};
static const char *const FAR_REPLICAS[EDITORS_MAX] = {"far a", "far b", "far c"};

typedef struct session {
    store_fixture *fixture;
    test_random random;
    grove_snapshot_policy policy;
    editor *editors[EDITORS_MAX];
    size_t count;
    uint64_t told; /* edits, in all */
} session;

static uint64_t below(session *run, uint64_t bound)
{
    return test_random_below(&run->random, bound);
}

/* One to six characters of one to four bytes, with a NUL; the bytes. */
static uint32_t random_text(session *run, char text_out[32])
{
    static const char *const characters[] = {
        "x", "y", "z", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    uint32_t count = 1 + (uint32_t)below(run, 6);
    size_t bytes = 0;
    for (uint32_t index = 0; index < count; index++) {
        const char *character = characters[below(run, 6)];
        memcpy(text_out + bytes, character, strlen(character));
        bytes += strlen(character);
    }
    text_out[bytes] = '\0';
    return count;
}

static void step_type(session *run, editor *one)
{
    char text[32];
    (void)random_text(run, text);
    type(run->fixture, one, below(run, length_of(&one->copy) + 1), text);
}

static void step_erase(session *run, editor *one)
{
    uint64_t length = length_of(&one->copy);
    uint64_t position = below(run, length + 1);
    uint64_t count = below(run, length - position < 8 ? length - position + 1 : 9);
    bool is_backward = below(run, 2) == 0;
    for (uint64_t left = count; is_backward && left > 0; left--) {
        erase(run->fixture, one, position + left - 1, 1);
    }
    if (!is_backward) {
        erase(run->fixture, one, position, count);
    }
}

/* Keeps the version that the handle is at for events of somebody far away. */
static void step_remember(session *run, editor *one)
{
    grove_version version;
    assert_ok(run->fixture,
              grove_document_version(one->document, &version, &run->fixture->error));
    if (version.head_count > 0 && version.head_count <= HEADS_MAX) {
        memcpy(one->heads, version.heads, version.head_count * sizeof *version.heads);
        one->head_count = version.head_count;
        one->length = length_of(&one->copy);
    }
}

static void step_add(session *run, editor *one)
{
    char text[32];
    if (one->head_count == 0) {
        return;
    }
    grove_operation operation = {GROVE_TEXT_INSERT, random_text(run, text),
                                 below(run, one->length + 1), grove_bytes_of(text)};
    if (one->length > 0 && below(run, 3) == 0) {
        operation.position = below(run, one->length);
        operation.count = 1 + (uint32_t)below(run, one->length - operation.position);
        operation.kind = operation.count > 1 && below(run, 2) == 0 ? GROVE_TEXT_BACKSPACE
                                                                   : GROVE_TEXT_DELETE;
        operation.content = (grove_bytes){NULL, 0};
    }
    grove_event_run added = {.first = one->far_away,
                             .parents = one->heads,
                             .parent_count = one->head_count,
                             .timestamp = 1,
                             .operation = operation};
    grove_status status = grove_document_add(one->document, &added, &run->fixture->error);
    if (status == GROVE_HISTORY_REMOVED) {
        one->head_count = 0;
        return;
    }
    cr_assert_eq(status, GROVE_OK, "%s", run->fixture->error.message);
    one->far_away.sequence += operation.count;
}

static void step_compact(session *run, editor *one)
{
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    options.window_events = below(run, 200);
    grove_status status =
        grove_document_compact(one->document, &options, NULL, &run->fixture->error);
    cr_assert(status == GROVE_OK || status == GROVE_NONE, "%s",
              run->fixture->error.message);
}

static void step_reopen(session *run, size_t index)
{
    editor *one = run->editors[index];
    run->told += one->copy.count;
    save_editor(run->fixture, one);
    grove_document_close(one->document);
    open_handle(run->fixture, one, REPLICAS[index], &run->policy);
}

static void step(session *run)
{
    size_t index = (size_t)below(run, run->count);
    editor *one = run->editors[index];
    uint64_t choice = below(run, 100);
    if (choice < 35) {
        step_type(run, one);
    } else if (choice < 55) {
        step_erase(run, one);
    } else if (choice < 70) {
        save_editor(run->fixture, one);
    } else if (choice < 82) {
        refresh(run->fixture, one);
    } else if (choice < 86) {
        step_remember(run, one);
    } else if (choice < 95) {
        step_add(run, one);
    } else if (choice < 97) {
        step_compact(run, one);
    } else {
        step_reopen(run, index);
    }
    check_copy(run->fixture, one);
}

/* All take in what is there, and have the same text. */
static void finish(session *run)
{
    for (size_t round = 0; round < 2; round++) {
        for (size_t index = 0; index < run->count; index++) {
            save_editor(run->fixture, run->editors[index]);
        }
    }
    const copy *first = &run->editors[0]->copy;
    for (size_t index = 0; index < run->count; index++) {
        const copy *other = &run->editors[index]->copy;
        cr_assert_eq(other->size, first->size);
        cr_assert_eq(memcmp(other->bytes, first->bytes, first->size), 0);
        run->told += other->count;
    }
    for (size_t index = 0; index < run->count; index++) {
        close_editor(run->fixture, run->editors[index]);
    }
    assert_ok(run->fixture,
              grove_document_delete(run->fixture->store, grove_bytes_of("a"), NULL,
                                    &run->fixture->error));
}

static void run_session(store_fixture *fixture, test_random random, size_t count)
{
    session run = {.fixture = fixture, .random = random, .count = count};
    run.policy = (grove_snapshot_policy)GROVE_SNAPSHOT_POLICY_INIT;
    run.policy.events_min = below(&run, 2) == 0 ? 1000 : 50;
    run.policy.cost_percent = (uint32_t)below(&run, 50);
    run.policy.uncritical_events = below(&run, 2) == 0 ? 20000 : 100;
    for (size_t index = 0; index < count; index++) {
        run.editors[index] = calloc(1, sizeof(editor));
        cr_assert_not_null(run.editors[index]);
        set_replica(&run.editors[index]->far_away.replica, FAR_REPLICAS[index]);
        open_handle(fixture, run.editors[index], REPLICAS[index], &run.policy);
    }
    for (size_t number = 0; number < STEPS; number++) {
        step(&run);
    }
    finish(&run);
    cr_assert_gt(run.told, STEPS / 10);
}

static void run_sessions(store_fixture *fixture, size_t count)
{
    test_random random = test_random_of("edits");
    for (size_t number = 0; number < SESSIONS; number++) {
        run_session(fixture, (test_random){test_random_next(&random)}, count);
    }
}

STORE_TEST(edits, keep_a_copy_of_one_of_two_handles_true)
{
    run_sessions(fixture, 2);
}

STORE_TEST(edits, keep_a_copy_of_one_of_three_handles_true)
{
    run_sessions(fixture, 3);
}
