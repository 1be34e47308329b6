#include "text/walker.h"

#include "base/alloc.h"
#include "operations.h"
#include "support/faulty_allocator.h"

#define MERGE (&grove__text_merge)
#define INSERT GROVE_TEXT_INSERT
#define DELETE GROVE_TEXT_DELETE
#define BACKSPACE GROVE_TEXT_BACKSPACE

/* The clock of the first event that a walker of these tests is handed. */
enum { BASE = 5000 };

/* Clocks in the order of `context`, a string of digits: how far each is from
 * the base. */
static bool is_before(const void *context, uint64_t clock, uint64_t other)
{
    const char *order = context;
    const char *own = strchr(order, (int)('0' + clock - BASE));
    const char *its = strchr(order, (int)('0' + other - BASE));
    cr_assert(own != NULL && its != NULL, "nobody had to ask for %llu and %llu",
              (unsigned long long)clock, (unsigned long long)other);
    return own < its;
}

/* A walker, and what its edits make of a text. */
typedef struct walker_subject {
    void *walker;
    grove_buffer edits; /* of the last call, or calls */
    char text[200];
} walker_subject;

static void begin(walker_subject *subject, const char *order, const char *text)
{
    cr_assert_eq(MERGE->walker_new(grove_type_text(), &grove__allocator_system,
                                   (grove_id_order){order, is_before}, &subject->walker),
                 GROVE_OK);
    cr_assert_eq(MERGE->walker_clear(grove_type_text(), subject->walker, BASE), GROVE_OK);
    grove_buffer_init(&subject->edits, &grove__allocator_system);
    (void)snprintf(subject->text, sizeof subject->text, "%s", text);
}

static void end(walker_subject *subject)
{
    MERGE->walker_free(grove_type_text(), subject->walker);
    grove_buffer_release(&subject->edits);
}

static void retreat(walker_subject *subject, uint64_t from, uint64_t to)
{
    cr_assert_eq(MERGE->walker_retreat(grove_type_text(), subject->walker, BASE + from,
                                       BASE + to, NULL),
                 GROVE_OK);
}

static void advance(walker_subject *subject, uint64_t from, uint64_t to)
{
    cr_assert_eq(MERGE->walker_advance(grove_type_text(), subject->walker, BASE + from,
                                       BASE + to, NULL),
                 GROVE_OK);
}

static grove_operation operation(uint32_t kind, uint64_t position, uint32_t count,
                                 const char *content)
{
    const void *data = content;
    return (grove_operation){
        kind, count, position, {data, content == NULL ? 0 : strlen(content)}};
}

static size_t edit_count(const walker_subject *subject)
{
    return subject->edits.size / sizeof(grove_operation);
}

static const grove_operation *edit_at(const walker_subject *subject, size_t index)
{
    return (const grove_operation *)(const void *)subject->edits.data + index;
}

static void edit_text(char *text, const grove_operation *edit)
{
    size_t length = strlen(text);
    if (edit->kind == INSERT) {
        cr_assert_leq(edit->position, length);
        memmove(text + edit->position + edit->count, text + edit->position,
                length - edit->position + 1);
        memcpy(text + edit->position, edit->content.data, edit->count);
    } else {
        cr_assert_leq(edit->position + edit->count, length);
        memmove(text + edit->position, text + edit->position + edit->count,
                length - edit->position - edit->count + 1);
    }
}

static void apply(walker_subject *subject, uint64_t event, grove_operation made)
{
    grove_buffer_reset(&subject->edits);
    cr_assert_eq(MERGE->walker_apply(grove_type_text(), subject->walker, BASE + event,
                                     &made, &subject->edits, NULL),
                 GROVE_OK);
    for (size_t index = 0; index < edit_count(subject); index++) {
        edit_text(subject->text, edit_at(subject, index));
    }
}

static void apply_silently(walker_subject *subject, uint64_t event, grove_operation made)
{
    made.content = (grove_bytes){NULL, 0};
    cr_assert_eq(MERGE->walker_apply(grove_type_text(), subject->walker, BASE + event,
                                     &made, NULL, NULL),
                 GROVE_OK);
}

static void check_edit(const walker_subject *subject, size_t index, uint32_t kind,
                       uint64_t position, uint32_t count)
{
    const grove_operation *edit = edit_at(subject, index);
    cr_assert_eq(edit->kind, kind);
    cr_assert_eq(edit->position, position, "at %llu", (unsigned long long)edit->position);
    cr_assert_eq(edit->count, count, "%u", edit->count);
    cr_assert(kind == INSERT || (edit->content.data == NULL && edit->content.size == 0));
}

Test(walker, an_insertion_is_one_where_the_result_has_its_place)
{
    walker_subject subject;
    begin(&subject, "", "0123456789");
    apply(&subject, 0, operation(INSERT, 2, 3, "abc"));
    cr_assert_eq(edit_count(&subject), 1);
    check_edit(&subject, 0, INSERT, 2, 3);
    retreat(&subject, 0, 3);
    grove_operation made = operation(INSERT, 5, 2, "\xc3\xa9x");
    grove_buffer_reset(&subject.edits);
    cr_assert_eq(MERGE->walker_apply(grove_type_text(), subject.walker, BASE + 3, &made,
                                     &subject.edits, NULL),
                 GROVE_OK);
    cr_assert_eq(edit_count(&subject), 1);
    check_edit(&subject, 0, INSERT, 8, 2);
    cr_assert_eq(edit_at(&subject, 0)->content.data, made.content.data, "borrowed");
    cr_assert_eq(edit_at(&subject, 0)->content.size, 3);
    end(&subject);
}

Test(walker, ids_decide_between_two_insertions_at_one_place)
{
    static const struct {
        const char *order;
        const char *text;
    } cases[] = {{"02", "01abcd2"}, {"20", "01cdab2"}};
    for (size_t index = 0; index < 2; index++) {
        walker_subject subject;
        begin(&subject, cases[index].order, "012");
        apply(&subject, 0, operation(INSERT, 2, 2, "ab"));
        retreat(&subject, 0, 2);
        apply(&subject, 2, operation(INSERT, 2, 2, "cd"));
        cr_assert_str_eq(subject.text, cases[index].text);
        end(&subject);
    }
}

Test(walker, a_deletion_is_as_few_edits_as_can_be)
{
    walker_subject subject;
    begin(&subject, "", "0123456789");
    /* Over two spans and all of them there: one edit. */
    apply(&subject, 0, operation(INSERT, 2, 2, "ab"));
    apply(&subject, 2, operation(DELETE, 1, 4, NULL));
    cr_assert_eq(edit_count(&subject), 1);
    check_edit(&subject, 0, DELETE, 1, 4);
    cr_assert_str_eq(subject.text, "03456789");
    /* What is not known stands between: one for each part. */
    apply(&subject, 6, operation(INSERT, 4, 2, "cd"));
    cr_assert_str_eq(subject.text, "0345cd6789");
    retreat(&subject, 6, 8);
    apply(&subject, 8, operation(DELETE, 2, 4, NULL));
    cr_assert_eq(edit_count(&subject), 2);
    check_edit(&subject, 0, DELETE, 2, 2);
    check_edit(&subject, 1, DELETE, 4, 2);
    cr_assert_str_eq(subject.text, "03cd89");
    /* What was deleted already is left out. */
    retreat(&subject, 8, 12);
    apply(&subject, 12, operation(DELETE, 1, 6, NULL));
    cr_assert_eq(edit_count(&subject), 2);
    check_edit(&subject, 0, DELETE, 1, 1);
    check_edit(&subject, 1, DELETE, 3, 1);
    cr_assert_str_eq(subject.text, "0cd9");
    retreat(&subject, 12, 18);
    apply(&subject, 18, operation(DELETE, 1, 6, NULL));
    cr_assert_eq(edit_count(&subject), 0);
    end(&subject);
}

Test(walker, backspaces_are_edits_from_right_to_left)
{
    walker_subject subject;
    begin(&subject, "", "0123456789");
    apply(&subject, 0, operation(BACKSPACE, 2, 3, NULL));
    cr_assert_eq(edit_count(&subject), 1);
    check_edit(&subject, 0, DELETE, 2, 3);
    cr_assert_str_eq(subject.text, "0156789");
    /* What is not known stands between the two. */
    apply(&subject, 3, operation(INSERT, 3, 1, "a"));
    retreat(&subject, 3, 4);
    apply(&subject, 4, operation(BACKSPACE, 2, 2, NULL));
    cr_assert_eq(edit_count(&subject), 2);
    check_edit(&subject, 0, DELETE, 4, 1);
    check_edit(&subject, 1, DELETE, 2, 1);
    cr_assert_str_eq(subject.text, "01a789");
    apply(&subject, 6, operation(INSERT, 2, 1, "b"));
    cr_assert_str_eq(subject.text, "01ba789");
    retreat(&subject, 6, 7);
    apply(&subject, 7, operation(INSERT, 3, 1, "c"));
    retreat(&subject, 7, 8);
    cr_assert_str_eq(subject.text, "01ba7c89");
    apply(&subject, 8, operation(BACKSPACE, 0, 3, NULL));
    cr_assert_eq(edit_count(&subject), 2);
    check_edit(&subject, 0, DELETE, 4, 1);
    check_edit(&subject, 1, DELETE, 0, 2);
    cr_assert_str_eq(subject.text, "bac89");
    end(&subject);
}

Test(walker, single_deletions_next_to_each_other_join_backwards)
{
    walker_subject subject;
    begin(&subject, "", "0123456789");
    /* Two spans of one element each, the places between them known. */
    apply(&subject, 0, operation(INSERT, 3, 1, "a"));
    apply(&subject, 1, operation(INSERT, 3, 1, "b"));
    cr_assert_str_eq(subject.text, "012ba3456789");
    apply(&subject, 2, operation(BACKSPACE, 3, 2, NULL));
    cr_assert_eq(edit_count(&subject), 1);
    check_edit(&subject, 0, BACKSPACE, 3, 2);
    cr_assert_str_eq(subject.text, "0123456789");
    end(&subject);
}

Test(walker, edits_of_two_operations_do_not_join)
{
    walker_subject subject;
    begin(&subject, "", "0123456789");
    grove_operation made = operation(DELETE, 3, 1, NULL);
    for (uint64_t event = 0; event < 2; event++) {
        cr_assert_eq(MERGE->walker_apply(grove_type_text(), subject.walker, BASE + event,
                                         &made, &subject.edits, NULL),
                     GROVE_OK);
    }
    cr_assert_eq(edit_count(&subject), 2);
    check_edit(&subject, 0, DELETE, 3, 1);
    check_edit(&subject, 1, DELETE, 3, 1);
    end(&subject);
}

Test(walker, what_is_applied_silently_needs_no_content_and_counts_all_the_same)
{
    walker_subject subject;
    /* The text has the first two operations already. */
    begin(&subject, "", "01ab3456789");
    apply_silently(&subject, 0, operation(INSERT, 2, 2, "ab"));
    apply_silently(&subject, 2, operation(DELETE, 4, 1, NULL));
    cr_assert_eq(subject.edits.size, 0);
    retreat(&subject, 0, 3);
    apply(&subject, 3, operation(BACKSPACE, 1, 3, NULL));
    cr_assert_eq(edit_count(&subject), 2);
    check_edit(&subject, 0, DELETE, 4, 1);
    check_edit(&subject, 1, DELETE, 1, 1);
    cr_assert_str_eq(subject.text, "0ab456789");
    advance(&subject, 0, 3);
    apply(&subject, 6, operation(INSERT, 3, 1, "z"));
    cr_assert_str_eq(subject.text, "0abz456789");
    end(&subject);
}

Test(walker, clear_begins_again_at_another_base)
{
    walker_subject subject;
    begin(&subject, "", "0123");
    apply(&subject, 0, operation(INSERT, 2, 2, "ab"));
    retreat(&subject, 0, 2);
    cr_assert_eq(MERGE->walker_clear(grove_type_text(), subject.walker, BASE + 2),
                 GROVE_OK);
    /* Events 0 and 1 belong to what was before. */
    apply(&subject, 2, operation(DELETE, 2, 2, NULL));
    cr_assert_str_eq(subject.text, "0123");
    retreat(&subject, 2, 4);
    apply(&subject, 4, operation(INSERT, 3, 1, "c"));
    cr_assert_str_eq(subject.text, "01c23");
    /* However great it is. */
    uint64_t bytes = MERGE->walker_bytes(grove_type_text(), subject.walker);
    const uint64_t far = UINT64_C(1) << 47;
    cr_assert_eq(MERGE->walker_clear(grove_type_text(), subject.walker, BASE + far),
                 GROVE_OK);
    apply(&subject, far, operation(INSERT, 0, 1, "d"));
    cr_assert_str_eq(subject.text, "d01c23");
    cr_assert_eq(MERGE->walker_bytes(grove_type_text(), subject.walker), bytes);
    end(&subject);
}

Test(walker, a_failure_says_why)
{
    static const struct {
        uint64_t event;
        uint32_t kind;
        uint64_t position;
        uint32_t count;
        grove_status status;
    } cases[] = {
        {0, INSERT, UINT32_MAX, 1, GROVE_CORRUPT},
        {0, INSERT, UINT64_MAX, 1, GROVE_CORRUPT},
        {0, DELETE, UINT32_MAX, 1, GROVE_CORRUPT},
        {0, DELETE, UINT64_MAX, 1, GROVE_CORRUPT},
        {0, BACKSPACE, UINT32_MAX, 2, GROVE_CORRUPT},
        {0, BACKSPACE, UINT64_MAX - 1, 5, GROVE_CORRUPT},
        {GROVE__WHERE_NUMBERS_MAX, INSERT, 0, 1, GROVE_LIMIT},
        {GROVE__WHERE_NUMBERS_MAX - 1, INSERT, 0, 2, GROVE_LIMIT},
        {GROVE__WHERE_NUMBERS_MAX, DELETE, 0, 1, GROVE_LIMIT},
        {GROVE__WHERE_NUMBERS_MAX - 1, BACKSPACE, 0, 2, GROVE_LIMIT},
        /* Not taken for another number. */
        {UINT64_C(1) << 32, INSERT, 0, 1, GROVE_LIMIT},
        {(UINT64_C(1) << 32) + 7, DELETE, 0, 1, GROVE_LIMIT},
        {(UINT64_C(1) << 60), DELETE, 0, 1, GROVE_LIMIT},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        walker_subject subject;
        grove_error error = {0};
        begin(&subject, "", "");
        grove_operation made =
            operation(cases[index].kind, cases[index].position, cases[index].count,
                      cases[index].kind == INSERT ? "ab" : NULL);
        cr_assert_eq(MERGE->walker_apply(grove_type_text(), subject.walker,
                                         BASE + cases[index].event, &made, &subject.edits,
                                         &error),
                     cases[index].status, "case %zu", index);
        cr_assert_eq(error.status, cases[index].status);
        cr_assert_eq(subject.edits.size, 0);
        end(&subject);
    }
}

Test(walker, an_event_is_not_taken_out_twice)
{
    walker_subject subject;
    grove_error error = {0};
    begin(&subject, "", "");
    apply(&subject, 0, operation(INSERT, 0, 2, "ab"));
    retreat(&subject, 0, 1);
    cr_assert_eq(
        MERGE->walker_retreat(grove_type_text(), subject.walker, BASE, BASE + 1, &error),
        GROVE_CORRUPT);
    cr_assert_eq(error.status, GROVE_CORRUPT);
    end(&subject);
}

Test(walker, an_edit_that_finds_no_room_is_said)
{
    const grove_operation made[] = {operation(INSERT, 1, 1, "a"),
                                    operation(DELETE, 1, 1, NULL),
                                    operation(BACKSPACE, 1, 2, NULL)};
    for (size_t index = 0; index < sizeof made / sizeof *made; index++) {
        walker_subject subject;
        begin(&subject, "", "");
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, 1);
        grove_buffer edits;
        grove_buffer_init(&edits, &faulty.allocator);
        cr_assert_eq(MERGE->walker_apply(grove_type_text(), subject.walker, BASE,
                                         &made[index], &edits, NULL),
                     GROVE_NO_MEMORY);
        grove_buffer_release(&edits);
        faulty_allocator_finish(&faulty);
        end(&subject);
    }
}

/* Makes a walker, and moves it through edits that split much. */
static grove_status walk_much(const grove_allocator *allocator, void **walker_out,
                              grove_buffer *edits, size_t *count_out)
{
    grove_status status = MERGE->walker_new(grove_type_text(), allocator,
                                            (grove_id_order){"", is_before}, walker_out);
    if (status == GROVE_OK) {
        status = MERGE->walker_clear(grove_type_text(), *walker_out, BASE);
    }
    for (uint64_t round = 0; status == GROVE_OK && round < 200; round++) {
        uint64_t clock = BASE + round * 10;
        grove_operation typed = operation(INSERT, round * 4, 6, "abcdef");
        grove_operation deleted =
            operation(round % 2 == 0 ? DELETE : BACKSPACE, round * 4 + 1, 4, NULL);
        status = MERGE->walker_apply(grove_type_text(), *walker_out, clock, &typed, edits,
                                     NULL);
        if (status == GROVE_OK) {
            status = MERGE->walker_apply(grove_type_text(), *walker_out, clock + 6,
                                         &deleted, edits, NULL);
        }
    }
    for (uint64_t round = 0; status == GROVE_OK && round < 200; round++) {
        uint64_t clock = BASE + round * 10;
        status = MERGE->walker_retreat(grove_type_text(), *walker_out, clock + 6,
                                       clock + 8, NULL);
    }
    *count_out = edits->size / sizeof(grove_operation);
    return status;
}

Test(walker, a_failed_allocation_is_said_and_leaks_nothing)
{
    size_t expected = 0;
    for (size_t nth = 0;; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        void *walker = NULL;
        size_t count = 0;
        grove_buffer edits;
        grove_buffer_init(&edits, &faulty.allocator);
        grove_status status = walk_much(&faulty.allocator, &walker, &edits, &count);
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        cr_assert_eq(walker == NULL, nth == 1);
        grove_buffer_release(&edits);
        if (walker != NULL) {
            cr_assert_eq(MERGE->walker_bytes(grove_type_text(), walker), faulty.bytes);
            cr_assert_eq(MERGE->walker_clear(grove_type_text(), walker, BASE), GROVE_OK);
        }
        MERGE->walker_free(grove_type_text(), walker);
        faulty_allocator_finish(&faulty);
        if (nth == 0) {
            expected = count;
        } else if (!faulty.has_failed) {
            cr_assert_eq(count, expected);
            break;
        }
    }
}

/* Several that type and delete on one text without knowing of each other. */
enum { SITES = 4, LENGTH = 300, OPERATIONS = 12 };

typedef struct sites {
    history operations[SITES];
    uint64_t from[SITES + 1]; /* clocks; site s has up to from[s + 1] */
} sites;

/* Ids are by site, the later ones first, then by sequence. */
static bool is_site_before(const void *context, uint64_t clock, uint64_t other)
{
    const sites *made = context;
    for (uint32_t site = SITES; site-- > 0;) {
        bool is_own = clock >= made->from[site];
        if (is_own != (other >= made->from[site])) {
            return is_own;
        }
        if (is_own) {
            break;
        }
    }
    return clock < other;
}

static void edit_model(text_model *text, const grove_operation *edit)
{
    uint32_t points[2000];
    if (edit->kind != INSERT) {
        model_delete(text, edit->position, edit->count);
        return;
    }
    cr_assert_leq(edit->count, 2000);
    for (uint32_t index = 0; index < edit->count; index++) {
        points[index] = edit->content.data[index]; /* ASCII */
    }
    model_insert(text, edit->position, points, edit->count);
}

/* A merge of the sites' operations, each one's own in their order. */
typedef struct site_merge {
    const sites *made;
    void *walker;
    uint64_t next[SITES]; /* clocks */
    size_t done[SITES];
    uint32_t site; /* at whose version the walker is */
    text_model text;
} site_merge;

static void begin_merging(site_merge *merging, const sites *made)
{
    uint32_t points[LENGTH];
    *merging = (site_merge){.made = made};
    memcpy(merging->next, made->from, sizeof merging->next);
    for (uint32_t index = 0; index < LENGTH; index++) {
        points[index] = 1000 + index;
    }
    model_insert(&merging->text, 0, points, LENGTH);
    cr_assert_eq(MERGE->walker_new(grove_type_text(), &grove__allocator_system,
                                   (grove_id_order){made, is_site_before},
                                   &merging->walker),
                 GROVE_OK);
    cr_assert_eq(MERGE->walker_clear(grove_type_text(), merging->walker, made->from[0]),
                 GROVE_OK);
}

static void go_to_site(site_merge *merging, uint32_t site)
{
    const uint64_t *from = merging->made->from;
    cr_assert_eq(MERGE->walker_retreat(grove_type_text(), merging->walker,
                                       from[merging->site], merging->next[merging->site],
                                       NULL),
                 GROVE_OK);
    cr_assert_eq(MERGE->walker_advance(grove_type_text(), merging->walker, from[site],
                                       merging->next[site], NULL),
                 GROVE_OK);
    merging->site = site;
}

/* The next operation of the site. Silently: the text gets it as it is. */
static void merge_one(site_merge *merging, bool is_silent)
{
    uint32_t site = merging->site;
    const grove_operation *made =
        &merging->made->operations[site].items[merging->done[site]++];
    grove_buffer edits;
    grove_buffer_init(&edits, &grove__allocator_system);
    cr_assert_eq(MERGE->walker_apply(grove_type_text(), merging->walker,
                                     merging->next[site], made, is_silent ? NULL : &edits,
                                     NULL),
                 GROVE_OK);
    merging->next[site] += made->count;
    if (is_silent) {
        edit_model(&merging->text, made);
    }
    const grove_operation *edit = (const grove_operation *)(const void *)edits.data;
    for (size_t index = 0; index < edits.size / sizeof *edit; index++) {
        edit_model(&merging->text, &edit[index]);
    }
    grove_buffer_release(&edits);
}

/* Merges in a random order. `is_known`: the text has what site 0 made already,
 * which goes first then. */
static text_model merge(const sites *made, test_random *random, bool is_known)
{
    site_merge merging;
    begin_merging(&merging, made);
    for (uint32_t left = SITES * OPERATIONS; left > 0; left--) {
        uint32_t site = merging.site;
        bool is_silent = is_known && merging.done[0] < OPERATIONS;
        while (merging.done[site] == OPERATIONS ||
               (!is_silent && test_random_below(random, 3) == 0)) {
            site = (uint32_t)test_random_below(random, SITES);
        }
        go_to_site(&merging, site);
        merge_one(&merging, is_silent);
    }
    MERGE->walker_free(grove_type_text(), merging.walker);
    return merging.text;
}

Test(walker, every_order_of_merging_makes_the_same_text)
{
    test_random random = test_random_of("walker");
    for (uint32_t round = 0; round < 60; round++) {
        sites made;
        made.from[0] = BASE + test_random_below(&random, 1000);
        for (uint32_t site = 0; site < SITES; site++) {
            uint64_t length = LENGTH;
            uint64_t cursor = test_random_below(&random, LENGTH);
            made.operations[site] = (history){NULL, 0, 0, 0};
            while (made.operations[site].count < OPERATIONS) {
                history_append(&made.operations[site],
                               random_operation(&random, &length, &cursor, 1));
            }
            made.from[site + 1] = made.from[site] + made.operations[site].events;
        }
        text_model expected = merge(&made, &random, false);
        for (uint32_t order = 0; order < 4; order++) {
            text_model text = merge(&made, &random, order % 2 == 0);
            cr_assert_eq(text.count, expected.count);
            cr_assert_arr_eq(text.points, expected.points,
                             text.count * sizeof *text.points);
            model_release(&text);
        }
        model_release(&expected);
        for (uint32_t site = 0; site < SITES; site++) {
            history_release(&made.operations[site]);
        }
    }
}
