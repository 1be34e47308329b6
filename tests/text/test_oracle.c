/*
 * The oracle of merged texts (support/text_oracle.h) is judged before it
 * judges: by cases small enough to think through, by the histories that
 * others' programs agree on, and by what holds of every history.
 */
#include "support/conformance.h"
#include "support/text_small.h"

typedef struct written_event {
    const char *replica;
    uint64_t sequence;
    uint64_t parents; /* bits of the case's events */
    uint32_t index;
    const char *utf8; /* "": deletes the character at the index */
} written_event;

typedef struct written_case {
    const char *claim;
    written_event events[10]; /* up to the first without a replica */
    const char *text;
} written_case;

static const written_case CASES[] = {
    {"no event, no text", {{0}}, ""},
    {"edits in turn are made one after the other",
     {{"a", 0, 0, 0, "x"}, {"a", 1, 1, 1, "z"}, {"b", 0, 2, 1, "y"}, {"a", 2, 4, 0, ""}},
     "yz"},
    {"at one place the smaller replica comes first",
     {{"b", 0, 0, 0, "b"}, {"a", 0, 0, 0, "a"}, {"c", 0, 0, 0, "c"}},
     "abc"},
    {"a replica is smaller than those that it begins",
     {{"ab", 0, 0, 0, "2"}, {"a", 0, 0, 0, "1"}, {"b", 0, 0, 0, "3"}},
     "123"},
    {"bytes of replicas have no sign",
     {{"\xff", 0, 0, 0, "2"}, {"z", 0, 0, 0, "1"}},
     "12"},
    {"on two branches of one replica the smaller sequence comes first",
     {{"a", 0, 0, 0, "1"}, {"a", 1, 0, 0, "2"}, {"a", 2, 0, 0, "3"}},
     "123"},
    {"two who type at one place do not mix",
     {{"b", 0, 0, 0, "x"},
      {"a", 0, 0, 0, "1"},
      {"b", 1, 1, 1, "y"},
      {"a", 1, 2, 1, "2"},
      {"b", 2, 4, 2, "z"},
      {"a", 2, 8, 2, "3"}},
     "123xyz"},
    {"nor do two who type backwards",
     {{"b", 0, 0, 0, "z"},
      {"a", 0, 0, 0, "3"},
      {"b", 1, 1, 0, "y"},
      {"a", 1, 2, 0, "2"},
      {"b", 2, 4, 0, "x"},
      {"a", 2, 8, 0, "1"}},
     "123xyz"},
    {"nor do one forwards and one backwards between two characters",
     {{"r", 0, 0, 0, "("},
      {"r", 1, 1, 1, ")"},
      {"b", 0, 2, 1, "x"},
      {"a", 0, 2, 1, "3"},
      {"b", 1, 4, 2, "y"},
      {"a", 1, 8, 1, "2"}},
     "(23xy)"},
    {"what two delete is gone once",
     {{"r", 0, 0, 0, "x"}, {"r", 1, 1, 1, "y"}, {"a", 0, 2, 0, ""}, {"b", 0, 2, 0, ""}},
     "y"},
    {"a character stays where its deleted neighbours stood",
     {{"r", 0, 0, 0, "1"},
      {"r", 1, 1, 1, "-"},
      {"r", 2, 2, 2, "-"},
      {"r", 3, 4, 3, "3"},
      {"a", 0, 8, 1, ""},
      {"a", 1, 16, 1, ""},
      {"b", 0, 8, 2, "2"}},
     "123"},
    {"deleted characters are neighbours on the right, but not on the left",
     {{"r", 0, 0, 0, "-"}, {"r", 1, 1, 0, ""}, {"b", 0, 2, 0, "1"}, {"a", 0, 1, 1, "2"}},
     "12"},
    {"whose right neighbour stands further right comes first",
     {{"r", 0, 0, 0, ")"},
      {"a", 0, 1, 0, "("},
      {"b", 0, 1, 0, "3"},
      {"c", 0, 6, 1, "2"},
      {"z", 0, 2, 1, "1"}},
     "(123)"},
    {"and before that the end, however small the other id",
     {{"a", 0, 0, 0, "("}, {"b", 0, 0, 0, "3"}, {"c", 0, 3, 1, "2"}, {"z", 0, 1, 1, "1"}},
     "(123"},
};

static void expect_text(const text_oracle *oracle, const bool *history,
                        const char *expected, const char *claim)
{
    char text[TEXT_BYTES_MAX];
    text_oracle_text(oracle, history, text);
    cr_expect_str_eq(text, expected, "%s: \"%s\" instead of \"%s\"", claim, text,
                     expected);
}

static const bool *everything(void)
{
    static bool all[TEXT_EVENTS_MAX];
    memset(all, true, sizeof all);
    return all;
}

Test(oracle, of_small_cases_says_what_one_finds_by_thought)
{
    static text_oracle oracle;
    for (size_t index = 0; index < sizeof CASES / sizeof *CASES; index++) {
        text_oracle_clear(&oracle);
        for (const written_event *written = CASES[index].events; written->replica != NULL;
             written++) {
            text_event event = {.index = written->index};
            event.id.replica.size = (uint8_t)strlen(written->replica);
            memcpy(event.id.replica.bytes, written->replica, event.id.replica.size);
            event.id.sequence = written->sequence;
            for (uint32_t parent = 0; parent < oracle.count; parent++) {
                if ((written->parents >> parent & 1) != 0) {
                    event.parents[event.parent_count++] = parent;
                }
            }
            event.deletes = written->utf8[0] == '\0';
            memcpy(event.utf8, written->utf8, strlen(written->utf8));
            text_oracle_add(&oracle, &event);
        }
        expect_text(&oracle, everything(), CASES[index].text, CASES[index].claim);
    }
}

static void check_end(uint32_t number, text_history *history, const char *end_text,
                      void *context)
{
    char claim[32];
    (void)context;
    (void)snprintf(claim, sizeof claim, "history %u", number);
    expect_text(&history->oracle, everything(), end_text, claim);
}

Test(oracle, ends_the_conformance_histories_as_others_do)
{
    conformance_each(check_end, NULL);
}

/* Those of the events that `wanted` has, piece by piece in the given order. */
static void copy_events(const text_history *from, const bool *wanted,
                        const uint32_t *order, text_oracle *copy_out,
                        uint32_t *renamed_out)
{
    text_oracle_clear(copy_out);
    for (uint32_t index = 0; index < from->piece_count; index++) {
        uint32_t end = from->pieces[order[index]].end;
        for (uint32_t number = from->pieces[order[index]].first; number < end; number++) {
            if (!wanted[number]) {
                continue;
            }
            text_event event = from->oracle.events[number];
            for (uint32_t parent = 0; parent < event.parent_count; parent++) {
                event.parents[parent] = renamed_out[event.parents[parent]];
            }
            renamed_out[number] = copy_out->count;
            text_oracle_add(copy_out, &event);
        }
    }
}

static void check_all_orders(const text_history *history, const graph_model *graph,
                             void *context)
{
    static text_oracle copy;
    uint32_t order[TEXT_SMALL_MAX];
    uint32_t unused[TEXT_SMALL_MAX];
    char expected[TEXT_BYTES_MAX];
    text_oracle_text(&history->oracle, everything(), expected);
    model_order_first(graph, order);
    do {
        copy_events(history, everything(), order, &copy, unused);
        expect_text(&copy, everything(), expected, "small");
    } while (model_order_next(graph, order));
    (*(uint64_t *)context)++;
}

Test(oracle, gives_each_history_of_up_to_4_events_one_text_in_every_order)
{
    uint64_t histories = 0;
    for (uint32_t count = 1; count <= 4; count++) {
        text_small_each(count, 0, NULL, check_all_orders, &histories);
    }
    cr_assert_eq(histories, 3 + 33 + 694 + 26883);
}

/* The version of two events: all that either has in its history. */
static void pick_version(const text_history *history, test_random *random,
                         bool *version_out)
{
    uint32_t heads[2];
    heads[0] = (uint32_t)test_random_below(random, history->oracle.count);
    heads[1] = (uint32_t)test_random_below(random, history->oracle.count);
    memset(version_out, false, TEXT_EVENTS_MAX);
    text_oracle_unite(&history->oracle, heads, 2, version_out);
}

static void check_versions(const text_history *history, test_random *random,
                           uint32_t number)
{
    static text_oracle copy;
    static text_oracle part;
    uint32_t order[TEXT_EVENTS_MAX];
    uint32_t renamed[TEXT_EVENTS_MAX];
    uint32_t unused[TEXT_EVENTS_MAX];
    char claim[32];
    (void)snprintf(claim, sizeof claim, "history %u", number);
    text_history_order(history, random, (uint32_t)test_random_below(random, 100), order);
    copy_events(history, everything(), order, &copy, renamed);
    for (int picks = 0; picks < 10; picks++) {
        bool version[TEXT_EVENTS_MAX];
        bool version_of_copy[TEXT_EVENTS_MAX];
        char expected[TEXT_BYTES_MAX];
        pick_version(history, random, version);
        for (uint32_t event = 0; event < history->oracle.count; event++) {
            version_of_copy[renamed[event]] = version[event];
        }
        text_oracle_text(&history->oracle, version, expected);
        expect_text(&copy, version_of_copy, expected, claim);
        copy_events(history, version, order, &part, unused);
        expect_text(&part, everything(), expected, claim);
    }
}

Test(oracle, gives_a_version_one_text_in_whatever_order_and_company_its_events_come)
{
    static text_history history;
    test_random random = test_random_of("oracle");
    uint32_t merges = 0;
    uint32_t branchings = 0;
    for (uint32_t number = 0; number < 300; number++) {
        uint32_t count = 20 + (uint32_t)test_random_below(&random, 81);
        text_history_random(&history, &random, count);
        check_versions(&history, &random, number);
        for (uint32_t event = 1; event < history.oracle.count; event++) {
            merges += history.oracle.events[event].parent_count > 1;
            branchings += !history.oracle.history[event][event - 1];
        }
    }
    cr_expect_gt(merges, 300, "%u merges", merges);
    cr_expect_gt(branchings, 3000, "%u branchings", branchings);
}
