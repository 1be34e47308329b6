#include "support/exchange.h"
#include "support/random.h"

#include "commit/age.h"

enum {
    RANGE = GROVE__PACKED_COMMITS,
    COMMITS_MAX = 5 * RANGE + 200,
    DOCUMENTS = 4,
    NO_CLOCK = -1
};

/* What the test knows: the clock of each document after each commit, of those
 * of its present life. */
typedef struct ledger {
    store_fixture *fixture;
    test_random random;
    grove_document *documents[DOCUMENTS];
    uint64_t newest;
    int64_t clocks[DOCUMENTS][COMMITS_MAX];
} ledger;

static ledger *ledger_new(store_fixture *fixture)
{
    ledger *book = calloc(1, sizeof *book);
    cr_assert_not_null(book);
    book->fixture = fixture;
    book->random = test_random_of("clock_at");
    memset(book->clocks, 0xff, sizeof book->clocks); /* NO_CLOCK */
    return book;
}

static void ledger_close(ledger *book)
{
    for (int which = 0; which < DOCUMENTS; which++) {
        grove_document_close(book->documents[which]);
        book->documents[which] = NULL;
    }
}

static void ledger_free(ledger *book)
{
    ledger_close(book);
    free(book);
}

static grove_bytes id_of(int which)
{
    static const char *const IDS[DOCUMENTS] = {"a", "aa", "b", "seldom"};
    return grove_bytes_of(IDS[which]);
}

/* A commit was made: all stand where they stood, but for one. */
static void note(ledger *book, uint64_t commit)
{
    cr_assert_eq(commit, ++book->newest);
    cr_assert_lt(commit, COMMITS_MAX);
    for (int which = 0; which < DOCUMENTS; which++) {
        book->clocks[which][commit] = book->clocks[which][commit - 1];
    }
}

static void save_one(ledger *book, int which)
{
    store_fixture *fixture = book->fixture;
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.policy.automatic = false;
    if (book->documents[which] == NULL) {
        assert_ok(fixture, grove_document_open(fixture->store, id_of(which), &options,
                                               &book->documents[which], &fixture->error));
    }
    insert(fixture, book->documents[which], 0,
           &"abc"[test_random_below(&book->random, 3)]);
    grove_save_result result = save(fixture, book->documents[which]);
    note(book, result.commit);
    book->clocks[which][result.commit] = (int64_t)(result.first_clock + result.events);
}

static void delete_one(ledger *book, int which)
{
    store_fixture *fixture = book->fixture;
    uint64_t commit;
    if (book->clocks[which][book->newest] == NO_CLOCK) {
        return;
    }
    grove_document_close(book->documents[which]);
    book->documents[which] = NULL;
    assert_ok(fixture, grove_document_delete(fixture->store, id_of(which), &commit,
                                             &fixture->error));
    note(book, commit);
    for (uint64_t before = 0; before <= commit; before++) {
        book->clocks[which][before] = NO_CLOCK;
    }
}

/* What only rearranges what is stored. */
static void rearrange(ledger *book, int which)
{
    store_fixture *fixture = book->fixture;
    grove_document *document = book->documents[which];
    if (document == NULL || book->clocks[which][book->newest] == NO_CLOCK) {
        return;
    }
    if (test_random_below(&book->random, 2) == 0) {
        assert_ok(fixture, grove_document_seal(document, NULL, NULL, &fixture->error));
    } else {
        grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
        options.window_events = 5;
        assert_ok(fixture,
                  grove_document_compact(document, &options, NULL, &fixture->error));
    }
}

static void make_commits(ledger *book, uint64_t count)
{
    uint64_t end = book->newest + count;
    while (book->newest < end) {
        uint64_t what = test_random_below(&book->random, 100);
        int which = (int)test_random_below(&book->random, DOCUMENTS - 1);
        if (what < 15) {
            uint64_t commit;
            assert_ok(book->fixture,
                      grove_group_save(book->fixture->store, grove_bytes_of("a"),
                                       grove_bytes_of("x"), &commit,
                                       &book->fixture->error));
            note(book, commit);
        } else if (what < 17) {
            delete_one(book, which);
        } else if (what < 18) {
            rearrange(book, which);
        } else if (what < 19) {
            save_one(book, DOCUMENTS - 1);
        } else {
            save_one(book, which);
        }
    }
}

static void check_one(const ledger *book, int which, uint64_t commit)
{
    store_fixture *fixture = book->fixture;
    int64_t expected = book->clocks[which][commit];
    uint64_t clock = 4711;
    grove_status status = grove_document_clock_at(fixture->store, id_of(which), commit,
                                                  &clock, &fixture->error);
    if (expected == NO_CLOCK) {
        cr_assert_eq(status, GROVE_NONE, "document %d, commit %d: %d instead of none",
                     which, (int)commit, (int)clock);
        cr_assert_eq(clock, 4711);
    } else {
        assert_ok(fixture, status);
        cr_assert_eq(clock, (uint64_t)expected, "document %d, commit %d: %d, not %d",
                     which, (int)commit, (int)clock, (int)expected);
    }
}

static void check_all(const ledger *book, uint64_t stride)
{
    for (int which = 0; which < DOCUMENTS; which++) {
        for (uint64_t commit = book->newest % stride; commit <= book->newest;
             commit += stride) {
            check_one(book, which, commit);
        }
        check_one(book, which, 0);
        check_one(book, which, 1);
    }
}

STORE_TEST(clock_at, is_what_a_ledger_says_however_old_the_commit)
{
    ledger *book = ledger_new(fixture);
    for (int round = 0; round < 9; round++) {
        make_commits(book, RANGE / 2 + (uint64_t)round);
        check_all(book, 1 + RANGE / 16);
    }
    ledger_close(book);
    store_fixture_close(fixture);
    store_fixture_open(fixture);
    check_all(book, 1 + RANGE / 64);
    ledger_free(book);
}

STORE_TEST(clock_at, stays_when_the_feed_is_trimmed)
{
    static const uint64_t KEPT[] = {3 * RANGE, RANGE + 3, RANGE / 2, 3, 1};
    ledger *book = ledger_new(fixture);
    make_commits(book, 2 * RANGE + RANGE / 2);
    for (size_t index = 0; index < sizeof KEPT / sizeof *KEPT; index++) {
        grove_feed_retention retention = {KEPT[index], 0};
        uint64_t removed = 1;
        assert_ok(fixture,
                  grove_feed_retention_set(fixture->store, &retention, &fixture->error));
        while (removed > 0) {
            assert_ok(fixture, grove_feed_trim(fixture->store, 3 + RANGE / 8, &removed,
                                               &fixture->error));
        }
        check_all(book, 1 + RANGE / 16);
        make_commits(book, RANGE / 2 + 1);
        check_all(book, 1 + RANGE / 16);
    }
    ledger_free(book);
}

STORE_TEST(clock_at, loads_what_a_reader_of_the_feed_wants_to_see)
{
    grove_document *document = open_document(fixture, "a");
    insert(fixture, document, 0, "first");
    uint64_t commit = save(fixture, document).commit;
    insert(fixture, document, 5, " and second");
    (void)save(fixture, document);
    grove_document_close(document);
    uint64_t clock;
    assert_ok(fixture, grove_document_clock_at(fixture->store, grove_bytes_of("a"),
                                               commit, &clock, &fixture->error));
    assert_ok(fixture, grove_document_load_at(fixture->store, grove_bytes_of("a"), clock,
                                              NULL, &document, &fixture->error));
    assert_text(fixture, document, "first");
    grove_document_close(document);
}

STORE_TEST(clock_at, refuses_what_is_no_question)
{
    uint64_t clock = 4711;
    grove_document *document = open_document(fixture, "a");
    insert(fixture, document, 0, "a");
    (void)save(fixture, document);
    grove_document_close(document);
    const uint64_t later[] = {2, 512, UINT64_MAX};
    for (size_t index = 0; index < 3; index++) {
        assert_fails(fixture, GROVE_INVALID,
                     grove_document_clock_at(fixture->store, grove_bytes_of("a"),
                                             later[index], &clock, &fixture->error));
    }
    assert_fails(fixture, GROVE_NONE,
                 grove_document_clock_at(fixture->store, grove_bytes_of("b"), 1, &clock,
                                         &fixture->error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_document_clock_at(fixture->store, grove_bytes_of(""), 1, &clock,
                                         &fixture->error));
    uint8_t id[GROVE_DOCUMENT_ID_BYTES_MAX + 1] = {0};
    assert_fails(fixture, GROVE_LIMIT,
                 grove_document_clock_at(fixture->store, (grove_bytes){id, sizeof id}, 1,
                                         &clock, &fixture->error));
    cr_assert_eq(clock, 4711);
}

/* How many rows the table has in all. */
static uint64_t count_rows(store_fixture *fixture)
{
    grove__txn txn;
    grove__cursor cursor;
    grove_bytes key = {(const uint8_t *)"", 1};
    grove_bytes value;
    uint64_t count = 0;
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    assert_ok(fixture,
              grove__cursor_open(&txn, GROVE__TABLE_CLOCKS, &cursor, &fixture->error));
    grove_status status = grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, key, &key,
                                             &value, &fixture->error);
    for (; status == GROVE_OK; count++) {
        status = grove__cursor_next(&cursor, &key, &value, &fixture->error);
    }
    grove__cursor_close(&cursor);
    grove__txn_abort(&txn);
    return count;
}

static void age_all(store_fixture *fixture)
{
    grove_feed_retention retention = {1, 0};
    assert_ok(fixture,
              grove_feed_retention_set(fixture->store, &retention, &fixture->error));
    assert_ok(fixture, grove_feed_trim(fixture->store, 1000000, NULL, &fixture->error));
}

STORE_TEST(clock_at, takes_a_row_in_many_commits_and_none_once_deleted)
{
    ledger *book = ledger_new(fixture);
    for (int number = 0; number < 20; number++) {
        save_one(book, 0);
        save_one(book, 1);
        age_all(fixture);
    }
    cr_assert_leq(count_rows(fixture), 8, "rows are filled up");
    delete_one(book, 0);
    uint64_t left = count_rows(fixture);
    cr_assert_leq(left, 4);
    check_all(book, 1);
    delete_one(book, 1);
    cr_assert_eq(count_rows(fixture), 0);
    age_all(fixture);
    save_one(book, 0);
    delete_one(book, 0);
    save_one(book, 0);
    age_all(fixture);
    check_all(book, 1);
    save_one(book, 0);
    age_all(fixture);
    check_all(book, 1);
    cr_assert_eq(count_rows(fixture), 1);
    ledger_free(book);
}

PEERS_TEST(clock_at, begins_with_the_commit_that_replaced_the_document)
{
    store_fixture *fixture = &all->b.store;
    grove_bytes id = grove_bytes_of(EXCHANGED);
    uint64_t clock;
    peer_write(&all->a, 0, "base");
    (void)peer_bring(&all->a, &all->b);
    peer_save(&all->b); /* commit 1 */
    peer_write(&all->a, 4, "more");
    peer_compact(&all->a, 0);
    cr_assert(peer_bring(&all->a, &all->b).adopted); /* commit 2 */
    for (int aged = 0; aged < 2; aged++) {
        assert_fails(
            fixture, GROVE_NONE,
            grove_document_clock_at(fixture->store, id, 1, &clock, &fixture->error));
        assert_ok(fixture, grove_document_clock_at(fixture->store, id, 2, &clock,
                                                   &fixture->error));
        cr_assert_eq(clock, 8);
        peer_write(&all->b, 8, "!");
        age_all(fixture);
    }
}
