/*
 * Merging as a program sees it: handles on one document that edit at once,
 * save, take in and load anew. Snapshots and compactions are in
 * test_merge_history.c, failures in test_merge_faults.c. What a merged text
 * is, is held to a definition in test_merge_oracle.c.
 */
#include "handles.h"

#include "base/bytes.h"
#include "document/document.h"
#include "support/random.h"

enum { HANDLES_MAX = 3 };

static const char *const REPLICAS[HANDLES_MAX] = {"a", "b", "c"};

/* --- branches from one point --- */

static void edit_as(store_fixture *fixture, grove_document *document, size_t number)
{
    switch (number) {
    case 0:
        insert(fixture, document, 3, "AAA");
        erase(fixture, document, 1, 3);
        break;
    case 1:
        insert(fixture, document, 3, "B");
        insert(fixture, document, 11, "BB");
        break;
    default:
        erase(fixture, document, 2, 4);
        insert(fixture, document, 2, "CC");
        break;
    }
}

/* Saves branches in an order; who has a bit in `refreshes` takes in what is
 * there before the next one saves. */
static char *merge_branches(store_fixture *fixture, const size_t *order, size_t count,
                            unsigned refreshes)
{
    grove_document *documents[HANDLES_MAX];
    make_base(fixture, "0123456789");
    for (size_t index = 0; index < count; index++) {
        documents[index] = open_as(fixture, REPLICAS[index]);
        edit_as(fixture, documents[index], index);
    }
    for (size_t turn = 0; turn < count; turn++) {
        (void)save(fixture, documents[order[turn]]);
        for (size_t index = 0; index < count; index++) {
            if ((refreshes >> index & 1) != 0) {
                refresh(fixture, documents[index]);
            }
        }
    }
    for (size_t index = 0; index < count; index++) {
        refresh(fixture, documents[index]);
    }
    assert_same(fixture, documents, count);
    char *text = text_of(fixture, documents[0]);
    for (size_t index = 0; index < count; index++) {
        grove_document_close(documents[index]);
    }
    delete_document(fixture);
    return text;
}

STORE_TEST(merge, of_two_branches_is_the_same_whichever_is_saved_first)
{
    static const size_t orders[][2] = {{0, 1}, {1, 0}};
    for (size_t order = 0; order < 2; order++) {
        for (unsigned refreshes = 0; refreshes < 4; refreshes++) {
            char *text = merge_branches(fixture, orders[order], 2, refreshes);
            cr_assert_str_eq(text, "0AAB3456789BB");
            free(text);
        }
    }
}

STORE_TEST(merge, of_three_branches_is_the_same_in_whatever_order_they_are_saved)
{
    static const size_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                       {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t order = 0; order < 6; order++) {
        for (unsigned refreshes = 0; refreshes < 8; refreshes++) {
            char *text = merge_branches(fixture, orders[order], 3, refreshes);
            cr_assert_str_eq(text, "0CCAAB6789BB");
            free(text);
        }
    }
}

/* What a erases and b types in a text, and what both have then. */
static void check_erased(store_fixture *fixture, bool is_backward, size_t first,
                         uint64_t typed_at, const char *expected)
{
    make_base(fixture, "abcdef");
    grove_document *documents[] = {open_as(fixture, "a"), open_as(fixture, "b")};
    for (uint64_t left = 4; is_backward && left > 0; left--) {
        erase(fixture, documents[0], left, 1);
    }
    if (!is_backward) {
        erase(fixture, documents[0], 1, 4);
    }
    insert(fixture, documents[1], typed_at, "XY");
    (void)save(fixture, documents[first]);
    (void)save(fixture, documents[1 - first]);
    refresh(fixture, documents[first]);
    assert_text(fixture, documents[0], expected);
    assert_same(fixture, documents, 2);
    grove_document_close(documents[0]);
    grove_document_close(documents[1]);
    delete_document(fixture);
}

STORE_TEST(merge, keeps_what_was_typed_into_a_range_that_another_erased)
{
    for (int is_backward = 0; is_backward < 2; is_backward++) {
        for (size_t first = 0; first < 2; first++) {
            check_erased(fixture, is_backward, first, 0, "XYaf");
            for (uint64_t typed_at = 1; typed_at <= 5; typed_at++) {
                check_erased(fixture, is_backward, first, typed_at, "aXYf");
            }
            check_erased(fixture, is_backward, first, 6, "afXY");
        }
    }
}

/* --- events with several parents --- */

static bool count_joins(void *context, uint64_t clock, const grove_event_run *run)
{
    (void)clock;
    *(int *)context += run->parent_count > 1;
    return true;
}

static size_t count_heads(store_fixture *fixture, grove_document *document)
{
    grove_version version;
    assert_ok(fixture, grove_document_version(document, &version, &fixture->error));
    return version.head_count;
}

STORE_TEST(merge, is_gone_on_from_by_two_handles_at_once)
{
    make_base(fixture, "()");
    grove_document *documents[] = {open_as(fixture, "a"), open_as(fixture, "b")};
    insert(fixture, documents[0], 1, "a");
    insert(fixture, documents[1], 1, "b");
    save_all(fixture, documents, 2);
    cr_assert_eq(count_heads(fixture, documents[0]), 2);
    /* Both see (ab) and join the two branches, each on its own. */
    insert(fixture, documents[0], 2, "1");
    insert(fixture, documents[1], 2, "2");
    erase(fixture, documents[1], 1, 1);
    save_all(fixture, documents, 2);
    cr_assert_eq(count_heads(fixture, documents[0]), 2);
    cr_assert_eq(count_heads(fixture, documents[1]), 2);
    assert_text(fixture, documents[0], "(12b)");
    assert_same(fixture, documents, 2);
    insert(fixture, documents[1], 3, "!");
    save_all(fixture, documents, 2);
    cr_assert_eq(count_heads(fixture, documents[0]), 1);
    assert_text(fixture, documents[0], "(12!b)");
    assert_same(fixture, documents, 2);
    int joins = 0;
    assert_ok(fixture, grove_document_events(documents[0], 0, count_joins, &joins,
                                             &fixture->error));
    cr_assert_eq(joins, 3);
    replay all = replay_begin(fixture);
    replay_end(&all, documents[0]);
    grove_document_close(documents[0]);
    grove_document_close(documents[1]);
}

/* --- one event after the other --- */

enum { REMOTE_EVENTS = 300 };

/* Adds a character of one of two branches that never meet. */
static void add_to_branch(store_fixture *fixture, grove_document *document,
                          grove_event_id *parent, const char *replica, uint64_t length,
                          uint64_t number)
{
    char character[2] = {(char)('a' + number % 26), '\0'};
    grove_event_run run = {
        .first = {.replica = replica_of(replica)},
        .parents = parent,
        .parent_count = 1,
        .timestamp = 1,
        .operation = {GROVE_TEXT_INSERT, 1, number * 7 % (length + 1),
                      grove_bytes_of(character)},
    };
    if (grove__bytes_equal((grove_bytes){parent->replica.bytes, parent->replica.size},
                           grove_bytes_of(replica))) {
        run.first.sequence = parent->sequence + 1;
    }
    if (number % 5 == 4) {
        run.operation.kind = GROVE_TEXT_DELETE;
        run.operation.position = number * 7 % length;
        run.operation.content = (grove_bytes){NULL, 0};
    }
    assert_ok(fixture, grove_document_add(document, &run, &fixture->error));
    *parent = run.first;
}

STORE_TEST(merge, of_hundreds_of_events_one_by_one_is_at_each_what_a_load_gives)
{
    static const char *const replicas[] = {"far", "near"};
    make_base(fixture, "base");
    grove_document *writer = open_as(fixture, "w");
    grove_document *reader = open_as(fixture, "r");
    grove_version version;
    assert_ok(fixture, grove_document_version(writer, &version, &fixture->error));
    grove_event_id parents[] = {version.heads[0], version.heads[0]};
    uint64_t lengths[] = {4, 4};
    for (uint64_t number = 0; number < REMOTE_EVENTS; number++) {
        size_t branch = number / 3 % 2;
        add_to_branch(fixture, writer, &parents[branch], replicas[branch],
                      lengths[branch], number);
        lengths[branch] += number % 5 == 4 ? UINT64_MAX : 1;
        (void)save(fixture, writer);
        refresh(fixture, reader);
        char *text = text_of(fixture, reader);
        assert_text(fixture, writer, text);
        assert_loads(fixture, text);
        free(text);
    }
    /* The walker goes on: it meets a chain or two for each event. */
    cr_assert_eq(reader->merge.base, 4);
    cr_assert_lt(reader->merge.plan.steps, 3 * REMOTE_EVENTS);
    replay all = replay_begin(fixture);
    replay_end(&all, reader);
    grove_document_close(reader);
    grove_document_close(writer);
}

STORE_TEST(merge, of_an_event_from_behind_the_last_merges_is_what_a_replay_gives)
{
    make_base(fixture, "base");
    grove_document *documents[] = {open_as(fixture, "a"), open_as(fixture, "b")};
    grove_event_id early = {.replica = replica_of("m"), .sequence = 1};
    insert(fixture, documents[0], 4, "one");
    save_all(fixture, documents, 2);
    for (int round = 0; round < 3; round++) {
        insert(fixture, documents[0], 5, "aaa");
        insert(fixture, documents[1], 5, "bbb");
        save_all(fixture, documents, 2);
    }
    cr_assert(documents[0]->merge.is_warm);
    cr_assert_gt(documents[0]->merge.base, 2);
    erase(fixture, documents[0], 0, 1);
    assert_ok(fixture, add_far(fixture, documents[0], &early, 0, 2, "far"));
    save_all(fixture, documents, 2);
    assert_same(fixture, documents, 2);
    replay all = replay_begin(fixture);
    replay_end(&all, documents[1]);
    grove_document_close(documents[0]);
    grove_document_close(documents[1]);
}

/* --- events that do not fit --- */

STORE_TEST(merge, of_an_event_that_does_not_fit_its_version_changes_nothing)
{
    make_base(fixture, "one");
    grove_document *documents[] = {open_as(fixture, "a"), open_as(fixture, "b")};
    grove_event_id base = {.replica = replica_of("m"), .sequence = 2};
    insert(fixture, documents[0], 3, " two");
    /* The text has seven characters now; where the event was made it had three.
     * Before and after there was something to merge. */
    for (uint64_t round = 0; round < 2; round++) {
        assert_fails(fixture, GROVE_MALFORMED,
                     add_far(fixture, documents[0], &base, round, 4, "!"));
        cr_assert_eq(grove_document_unsaved(documents[0]), 4 + round);
        assert_text(fixture, documents[0], round == 0 ? "one two" : "one two?");
        assert_ok(fixture, add_far(fixture, documents[0], &base, round, 3, "?"));
    }
    save_all(fixture, documents, 2);
    assert_same(fixture, documents, 2);
    grove_document_close(documents[0]);
    grove_document_close(documents[1]);
}

/* --- random sessions --- */

enum { SESSIONS = 6, ROUNDS = 30, EDITS_MAX = 6 };

static void edit_at_random(store_fixture *fixture, test_random *random,
                           grove_document *document)
{
    uint64_t length;
    char text[8] = {0};
    assert_ok(fixture, grove_text_length(document, &length, NULL, &fixture->error));
    uint64_t position = test_random_below(random, length + 1);
    if (test_random_below(random, 3) == 0) {
        uint64_t most = length - position < 6 ? length - position : 6;
        erase(fixture, document, position, test_random_below(random, most + 1));
        return;
    }
    for (uint64_t left = 1 + test_random_below(random, 7); left > 0; left--) {
        text[left - 1] = (char)('a' + test_random_below(random, 26));
    }
    insert(fixture, document, position, text);
}

/* What a handle does in a round beside editing. */
static void do_at_random(store_fixture *fixture, test_random *random,
                         grove_document *document)
{
    switch (test_random_below(random, 8)) {
    case 0:
    case 1:
        (void)save(fixture, document);
        break;
    case 2:
        refresh(fixture, document);
        break;
    case 3: {
        grove_seal_options options = GROVE_SEAL_OPTIONS_INIT;
        options.level = 1;
        assert_ok(fixture,
                  grove_document_seal(document, &options, NULL, &fixture->error));
        break;
    }
    default:
        break;
    }
}

static void run_session(store_fixture *fixture, test_random *random)
{
    grove_document *documents[HANDLES_MAX];
    grove_snapshot_policy policy = GROVE_SNAPSHOT_POLICY_INIT;
    policy.events_min = test_random_below(random, 200);
    policy.uncritical_events = 50 + test_random_below(random, 500);
    policy.cost_percent = (uint32_t)test_random_below(random, 50);
    make_base(fixture, "base");
    for (size_t index = 0; index < HANDLES_MAX; index++) {
        documents[index] = open_with(fixture, REPLICAS[index], &policy);
    }
    replay all = replay_begin(fixture);
    for (int round = 0; round < ROUNDS; round++) {
        for (uint64_t left = 3 + test_random_below(random, 9); left > 0; left--) {
            grove_document *one = documents[test_random_below(random, HANDLES_MAX)];
            for (uint64_t edits = test_random_below(random, EDITS_MAX); edits > 0;
                 edits--) {
                edit_at_random(fixture, random, one);
            }
            do_at_random(fixture, random, one);
        }
        save_all(fixture, documents, HANDLES_MAX);
        assert_same(fixture, documents, HANDLES_MAX);
        replay_go_on(&all, documents[0]);
        if (round % 5 == 4) {
            compact(fixture, documents[round % HANDLES_MAX],
                    test_random_below(random, 300));
        }
    }
    replay_end(&all, documents[0]);
    for (size_t index = 0; index < HANDLES_MAX; index++) {
        grove_document_close(documents[index]);
    }
    delete_document(fixture);
}

STORE_TEST(merge, of_what_three_handles_did_is_one_text_for_all)
{
    test_random random = test_random_of("merge");
    for (int count = 0; count < SESSIONS; count++) {
        run_session(fixture, &random);
    }
}

STORE_TEST(merge, reads_what_is_concurrent_and_no_older_batch)
{
    grove_document *document = open_manual(fixture, "a", NULL);
    for (int batch = 0; batch < 12; batch++) {
        char text[4001];
        for (size_t index = 0; index < 4000; index++) {
            text[index] = (char)('a' + (index * index + (size_t)batch) % 26);
        }
        text[4000] = '\0';
        insert(fixture, document, 0, text);
        (void)save(fixture, document);
        grove_seal_options options = GROVE_SEAL_OPTIONS_INIT;
        options.level = 1;
        /* What is sealed does not roll up: the batches stay apart. */
        if (batch == 10) {
            assert_ok(fixture,
                      grove_document_seal(document, &options, NULL, &fixture->error));
        }
    }
    grove_event_id last = grove_document_replica(document);
    last.sequence -= 11;
    compact(fixture, document, 1000000);
    grove_document_close(document);
    uint64_t all = statistics_of(fixture, "a").batch_bytes;

    document = open_manual(fixture, "a", NULL);
    uint64_t loaded = grove_document_bytes_read(document);
    cr_assert_eq(loaded, statistics_of(fixture, "a").newest_snapshot_bytes);
    grove_event_run remote = {
        .parents = &last,
        .parent_count = 1,
        .operation = {GROVE_TEXT_INSERT, 1, 0, grove_bytes_of("x")}};
    remote.first.replica.size = 1;
    remote.first.replica.bytes[0] = 'r';
    assert_ok(fixture, grove_document_add(document, &remote, &fixture->error));
    uint64_t read = grove_document_bytes_read(document) - loaded;
    cr_assert_gt(read, 0);
    cr_assert_lt(read, all);
    /* And again nothing: the walker holds them. */
    remote.first.sequence = 1;
    remote.parents = &last;
    loaded = grove_document_bytes_read(document);
    assert_ok(fixture, grove_document_add(document, &remote, &fixture->error));
    cr_assert_eq(grove_document_bytes_read(document), loaded);
    grove_document_close(document);
}

typedef struct told_edits {
    size_t count;
    grove_text_edit edits[8];
} told_edits;

static void note_edit(void *context, const grove_text_edit *edit)
{
    told_edits *told = context;
    cr_assert_lt(told->count, 8);
    told->edits[told->count++] = *edit;
}

STORE_TEST(merge, makes_the_edits_of_the_example_in_the_documentation)
{
    static const struct {
        const char *replica;
        uint64_t sequence;
        const char *parent; /* the replica, or NULL */
        uint64_t parent_sequence;
        grove_operation operation;
    } EVENTS[] = {
        {"A", 0, NULL, 0, {GROVE_TEXT_INSERT, 2, 0, {(const uint8_t *)"Hi", 2}}},
        {"A", 2, "A", 1, {GROVE_TEXT_INSERT, 1, 2, {(const uint8_t *)"!", 1}}},
        {"B", 0, "A", 1, {GROVE_TEXT_DELETE, 1, 1, {NULL, 0}}},
        {"B", 1, "B", 0, {GROVE_TEXT_INSERT, 2, 1, {(const uint8_t *)"ey", 2}}},
    };
    grove_document *document = open_manual(fixture, "a", NULL);
    told_edits told = {.count = 0};
    for (size_t index = 0; index < sizeof EVENTS / sizeof *EVENTS; index++) {
        grove_event_id parent = {{1, {0}}, EVENTS[index].parent_sequence};
        grove_event_run run = {.parents = &parent,
                               .parent_count = EVENTS[index].parent != NULL,
                               .operation = EVENTS[index].operation};
        run.first.replica.size = 1;
        run.first.replica.bytes[0] = (uint8_t)EVENTS[index].replica[0];
        run.first.sequence = EVENTS[index].sequence;
        if (EVENTS[index].parent != NULL) {
            parent.replica.bytes[0] = (uint8_t)EVENTS[index].parent[0];
        }
        if (index == 2) {
            assert_text(fixture, document, "Hi!");
            assert_ok(fixture,
                      grove_text_on_edit(document, note_edit, &told, &fixture->error));
        }
        assert_ok(fixture, grove_document_add(document, &run, &fixture->error));
    }
    assert_text(fixture, document, "Hey!");
    cr_assert_eq(told.count, 2);
    cr_assert_eq(told.edits[0].position, 1);
    cr_assert_eq(told.edits[0].deleted, 1);
    cr_assert_eq(told.edits[1].position, 1);
    cr_assert_eq(told.edits[1].inserted, 2);
    grove_document_close(document);
}
