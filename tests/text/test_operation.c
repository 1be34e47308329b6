#include "text/operation.h"

#include "operations.h"

enum {
    INSERT = GROVE_TEXT_INSERT,
    FORWARD = GROVE_TEXT_DELETE,
    BACK = GROVE_TEXT_BACKSPACE
};

Test(operation, only_well_formed_operations_pass_the_check)
{
    static const uint64_t end = GROVE_DOCUMENT_EVENTS_MAX;
    static const uint32_t most = GROVE_BATCH_EVENTS_MAX;
    static const struct {
        uint32_t kind, count;
        uint64_t position;
        const char *content;
        grove_status status;
        uint64_t offset;
    } cases[] = {
        {INSERT, 1, 0, "a", GROVE_OK, 0},
        {INSERT, 3, 9, "a\xc3\xa9z", GROVE_OK, 0},
        {INSERT, 4, 9, "a\xc3\xa9z", GROVE_INVALID, 0},
        {INSERT, 2, 9, "a\xc3\xa9z", GROVE_INVALID, 0},
        {INSERT, 0, 9, "", GROVE_INVALID, 0},
        {INSERT, 1, 9, "", GROVE_INVALID, 0},
        {INSERT, 3, 9, "ab\xff", GROVE_INVALID, 2},
        {INSERT, 1, end - 1, "a", GROVE_OK, 0},
        {INSERT, 1, end, "a", GROVE_LIMIT, 0},
        {INSERT, 1, UINT64_MAX, "a", GROVE_LIMIT, 0},
        {FORWARD, 1, 0, "", GROVE_OK, 0},
        {FORWARD, 7, 3, "", GROVE_OK, 0},
        {FORWARD, 0, 3, "", GROVE_INVALID, 0},
        {FORWARD, 1, 3, "a", GROVE_INVALID, 0},
        {FORWARD, most, 0, "", GROVE_OK, 0},
        {FORWARD, most + 1, 0, "", GROVE_LIMIT, 0},
        {FORWARD, 2, end - 2, "", GROVE_OK, 0},
        {FORWARD, 2, end - 1, "", GROVE_LIMIT, 0},
        {BACK, 2, 3, "", GROVE_OK, 0},
        {BACK, 1, 3, "", GROVE_INVALID, 0},
        {BACK, 2, 3, "ab", GROVE_INVALID, 0},
        {BACK, 2, end - 1, "", GROVE_LIMIT, 0},
        {3, 1, 0, "", GROVE_INVALID, 0},
        {UINT32_MAX, 1, 0, "", GROVE_INVALID, 0},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        grove_operation operation = {cases[index].kind, cases[index].count,
                                     cases[index].position,
                                     grove_bytes_of(cases[index].content)};
        grove_error error = {GROVE_OK, 0, ""};
        cr_assert_eq(grove__text_operation_check(&operation, &error), cases[index].status,
                     "case %zu", index);
        cr_assert_eq(error.status, cases[index].status);
        cr_assert_eq(error.offset, cases[index].offset, "case %zu", index);
        cr_assert_eq(error.message[0] != '\0', error.status != GROVE_OK);
        cr_assert_eq(grove__text_operation_check(&operation, NULL), cases[index].status);
    }
}

Test(operation, runs_join_where_one_can_stand_for_both)
{
    static const uint32_t most = GROVE_BATCH_EVENTS_MAX;
    static const struct {
        struct {
            uint32_t kind, count;
            uint64_t position;
        } last, next, joined; /* joined.count 0: they do not */
    } cases[] = {
        /* Typing goes on at the end. */
        {{INSERT, 3, 5}, {INSERT, 2, 8}, {INSERT, 5, 5}},
        {{INSERT, 3, 5}, {INSERT, 2, 7}, {0, 0, 0}},
        {{INSERT, 3, 5}, {INSERT, 2, 9}, {0, 0, 0}},
        {{INSERT, 3, 5}, {INSERT, 2, 5}, {0, 0, 0}},
        {{INSERT, most - 1, 5}, {INSERT, 1, 4 + most}, {INSERT, most, 5}},
        {{INSERT, most, 5}, {INSERT, 1, 5 + most}, {0, 0, 0}},
        /* Kinds of different sorts. */
        {{INSERT, 3, 5}, {FORWARD, 1, 8}, {0, 0, 0}},
        {{FORWARD, 1, 5}, {INSERT, 1, 6}, {0, 0, 0}},
        /* Forward. */
        {{FORWARD, 3, 5}, {FORWARD, 2, 5}, {FORWARD, 5, 5}},
        {{FORWARD, 3, 5}, {FORWARD, 1, 5}, {FORWARD, 4, 5}},
        {{FORWARD, 3, 5}, {FORWARD, 1, 4}, {0, 0, 0}},
        {{FORWARD, 3, 5}, {FORWARD, 2, 3}, {0, 0, 0}},
        {{FORWARD, 3, 5}, {FORWARD, 1, 6}, {0, 0, 0}},
        /* Backward. */
        {{BACK, 3, 5}, {BACK, 2, 3}, {BACK, 5, 3}},
        {{BACK, 3, 5}, {FORWARD, 1, 4}, {BACK, 4, 4}},
        {{BACK, 3, 5}, {FORWARD, 1, 5}, {0, 0, 0}},
        {{BACK, 3, 5}, {FORWARD, 2, 3}, {0, 0, 0}},
        {{BACK, 3, 5}, {BACK, 2, 4}, {0, 0, 0}},
        {{BACK, 3, 5}, {FORWARD, 1, 3}, {0, 0, 0}},
        {{FORWARD, 2, 5}, {BACK, 2, 3}, {0, 0, 0}},
        /* A single deletion gets its direction from the second. */
        {{FORWARD, 1, 5}, {FORWARD, 1, 5}, {FORWARD, 2, 5}},
        {{FORWARD, 1, 5}, {FORWARD, 1, 4}, {BACK, 2, 4}},
        {{FORWARD, 1, 5}, {BACK, 3, 2}, {BACK, 4, 2}},
        {{FORWARD, 1, 5}, {FORWARD, 3, 5}, {FORWARD, 4, 5}},
        {{FORWARD, 1, 5}, {BACK, 3, 3}, {0, 0, 0}},
        {{FORWARD, 1, 5}, {FORWARD, 1, 6}, {0, 0, 0}},
        {{FORWARD, 1, 0}, {FORWARD, 1, 0}, {FORWARD, 2, 0}},
        {{FORWARD, most, 5}, {FORWARD, 1, 5}, {0, 0, 0}},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        grove_operation last = deletion(
            cases[index].last.kind, cases[index].last.position, cases[index].last.count);
        grove_operation next = deletion(
            cases[index].next.kind, cases[index].next.position, cases[index].next.count);
        grove_operation expected = last;
        if (cases[index].joined.count > 0) {
            expected = deletion(cases[index].joined.kind, cases[index].joined.position,
                                cases[index].joined.count);
        }
        cr_assert_eq(grove__text_operation_join(&last, &next),
                     cases[index].joined.count > 0, "case %zu", index);
        assert_operation(&last, &expected);
    }
}

/* The k-th event of a run: what it does, where, with which character. */
static grove_operation event_of(const grove_operation *run, uint32_t index)
{
    grove_operation first;
    grove_operation rest = *run;
    if (index > 0) {
        grove__text_operation_cut(run, index, &first, &rest);
    }
    grove_operation event = rest;
    if (rest.count > 1) {
        grove__text_operation_cut(&rest, 1, &event, &first);
    }
    return event;
}

Test(operation, a_cut_anywhere_joins_to_what_it_was)
{
    test_random random = test_random_of("operation cut");
    history list = random_history(&random, 3000, 4);
    for (size_t index = 0; index < list.count; index++) {
        const grove_operation *whole = &list.items[index];
        cr_assert_eq(grove__text_operation_check(whole, NULL), GROVE_OK);
        if (whole->count < 2) {
            continue;
        }
        uint32_t count = 1 + (uint32_t)test_random_below(&random, whole->count - 1);
        grove_operation first;
        grove_operation rest;
        grove__text_operation_cut(whole, count, &first, &rest);
        cr_assert_eq(first.count, count);
        cr_assert_eq(grove__text_operation_check(&first, NULL), GROVE_OK);
        cr_assert_eq(grove__text_operation_check(&rest, NULL), GROVE_OK);
        cr_assert_eq(first.content.size + rest.content.size, whole->content.size);
        cr_assert(whole->kind != INSERT ||
                  first.content.data + first.content.size == rest.content.data);
        cr_assert(grove__text_operation_join(&first, &rest));
        first.content.size = whole->content.size;
        assert_operation(&first, whole);
    }
    history_release(&list);
}

Test(operation, each_event_of_a_run_is_what_the_kind_says)
{
    const grove_operation typed = {INSERT, 3, 5, grove_bytes_of("a\xc3\xa9\xe2\x82\xac")};
    static const char *const characters[] = {"a", "\xc3\xa9", "\xe2\x82\xac"};
    const grove_operation forward = deletion(FORWARD, 5, 3);
    const grove_operation back = deletion(BACK, 5, 3);
    for (uint32_t index = 0; index < 3; index++) {
        grove_operation event = event_of(&typed, index);
        grove_operation expected = {INSERT, 1, 5 + index,
                                    grove_bytes_of(characters[index])};
        assert_operation(&event, &expected);
        event = event_of(&forward, index);
        expected = deletion(FORWARD, 5, 1);
        assert_operation(&event, &expected);
        event = event_of(&back, index);
        expected = deletion(FORWARD, 7 - index, 1);
        assert_operation(&event, &expected);
    }
}

Test(operation, events_joined_one_by_one_keep_their_meaning)
{
    test_random random = test_random_of("operation join");
    history list = random_history(&random, 500, 1);
    history joined = {NULL, 0, 0, 0};
    for (size_t index = 0; index < list.count; index++) {
        for (uint32_t event = 0; event < list.items[index].count; event++) {
            grove_operation single = event_of(&list.items[index], event);
            cr_assert(single.count == 1 && single.kind != BACK);
            if (joined.count > 0 &&
                grove__text_operation_join(&joined.items[joined.count - 1], &single)) {
                continue;
            }
            single.content.size = 0;
            single.content.data = NULL;
            history_append(&joined, single);
        }
    }
    size_t at = 0;
    uint32_t in = 0;
    for (size_t index = 0; index < list.count; index++) {
        for (uint32_t event = 0; event < list.items[index].count; event++) {
            grove_operation expected = event_of(&list.items[index], event);
            grove_operation run = joined.items[at];
            uint8_t dummy[4000] = {0};
            run.content = (grove_bytes){dummy, run.kind == INSERT ? run.count : 0};
            cr_assert_lt(run.count, sizeof dummy);
            grove_operation actual = event_of(&run, in);
            cr_assert_eq(actual.kind, expected.kind);
            cr_assert_eq(actual.position, expected.position);
            in++;
            if (in == run.count) {
                at++;
                in = 0;
            }
        }
    }
    cr_assert_eq(at, joined.count);
    cr_assert_leq(joined.count, list.count);
    history_release(&list);
    history_release(&joined);
}
