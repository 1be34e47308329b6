#include <pthread.h>
#include <stdatomic.h>

#include "support/store_fixture.h"

#include "base/bytes.h"
#include "commit/age.h"
#include "commit/commit.h"
#include "commit/incarnations.h"
#include "format/commits.h"
#include "support/random.h"

enum { RANGE = GROVE__PACKED_COMMITS, LEDGER_MAX = 6 * RANGE + 64, DOCUMENTS = 3 };

/* What the test knows of a commit. */
typedef struct entry {
    int64_t time;
    grove_feed_kind kind;
    char name[8];
    uint64_t first_clock;
    uint64_t count;
    char meta[16];
} entry;

/* All commits of a store: that of number n is at n. */
typedef struct ledger {
    store_fixture *fixture;
    test_random random;
    grove_document *documents[DOCUMENTS];
    uint64_t newest;
    entry entries[LEDGER_MAX];
} ledger;

static ledger *ledger_new(store_fixture *fixture)
{
    ledger *book = calloc(1, sizeof *book);
    cr_assert_not_null(book);
    book->fixture = fixture;
    book->random = test_random_of("feed");
    return book;
}

static void ledger_close(ledger *book)
{
    for (int index = 0; index < DOCUMENTS; index++) {
        grove_document_close(book->documents[index]);
        book->documents[index] = NULL;
    }
}

static void ledger_free(ledger *book)
{
    ledger_close(book);
    free(book);
}

static void save_group(ledger *book, entry *next, const grove_commit_options *options,
                       uint64_t *commit)
{
    next->kind = GROVE_FEED_GROUP;
    (void)snprintf(next->name, sizeof next->name, "g%d",
                   (int)test_random_below(&book->random, 3));
    assert_ok(book->fixture,
              grove_group_save_with(book->fixture->store, grove_bytes_of(next->name),
                                    grove_bytes_of("state"), options, commit,
                                    &book->fixture->error));
}

static void save_document(ledger *book, entry *next, const grove_commit_options *options,
                          uint64_t *commit)
{
    int which = (int)test_random_below(&book->random, DOCUMENTS);
    grove_save_result result;
    next->kind = GROVE_FEED_DOCUMENT;
    (void)snprintf(next->name, sizeof next->name, "d%d", which);
    if (book->documents[which] != NULL && test_random_below(&book->random, 20) == 0) {
        grove_document_close(book->documents[which]);
        book->documents[which] = NULL;
        assert_ok(book->fixture, grove_document_delete_with(
                                     book->fixture->store, grove_bytes_of(next->name),
                                     options, commit, &book->fixture->error));
        return;
    }
    if (book->documents[which] == NULL) {
        book->documents[which] = open_document(book->fixture, next->name);
    }
    insert(book->fixture, book->documents[which], 0,
           &"typed"[test_random_below(&book->random, 5)]);
    assert_ok(book->fixture,
              grove_document_save_with(book->documents[which], NULL, options, &result,
                                       &book->fixture->error));
    next->first_clock = result.first_clock;
    next->count = result.events;
    *commit = result.commit;
}

static void make_commits(ledger *book, uint64_t count)
{
    for (; count > 0; count--) {
        entry *next = &book->entries[++book->newest];
        cr_assert_lt(book->newest, LEDGER_MAX);
        *next = (entry){0};
        book->fixture->now += (int64_t)test_random_below(&book->random, 2000) - 50;
        next->time = book->fixture->now;
        grove_commit_options options = GROVE_COMMIT_OPTIONS_INIT;
        if (test_random_below(&book->random, 4) == 0) {
            (void)snprintf(next->meta, sizeof next->meta, "said %d", (int)book->newest);
            options.meta = grove_bytes_of(next->meta);
        }
        uint64_t commit = 0;
        if (test_random_below(&book->random, 3) == 0) {
            save_group(book, next, &options, &commit);
        } else {
            save_document(book, next, &options, &commit);
        }
        cr_assert_eq(commit, book->newest);
    }
}

/* A reader that compares what comes with the ledger. */
typedef struct reader {
    const ledger *book;
    uint64_t read;    /* the last commit that came */
    uint64_t stop_at; /* 0: never */
    uint64_t incarnation;
} reader;

static bool take(void *context, const grove_feed_commit *commit)
{
    reader *reading = context;
    const entry *expected = &reading->book->entries[commit->number];
    cr_assert_eq(commit->number, reading->read + 1);
    cr_assert_leq(commit->number, reading->book->newest);
    cr_assert_eq(commit->time, expected->time);
    cr_assert(grove__bytes_equal(commit->meta, grove_bytes_of(expected->meta)));
    cr_assert_eq(commit->touch_count, 1);
    cr_assert_eq(commit->touches[0].kind, expected->kind);
    cr_assert(
        grove__bytes_equal(commit->touches[0].name, grove_bytes_of(expected->name)));
    cr_assert_eq(commit->touches[0].first_clock, expected->first_clock);
    cr_assert_eq(commit->touches[0].count, expected->count);
    reading->read = commit->number;
    reading->incarnation = commit->incarnation;
    return commit->number != reading->stop_at;
}

/* Reads one slice and checks what the result says of it. */
static uint64_t read_slice(reader *reading, const grove_feed_token *from,
                           uint64_t commits_max, grove_feed_token *next_out)
{
    store_fixture *fixture = reading->book->fixture;
    grove_feed_result result;
    uint64_t before = reading->read;
    assert_ok(fixture, grove_feed_read(fixture->store, from, commits_max, take, reading,
                                       &result, &fixture->error));
    cr_assert_eq(result.commits, reading->read - before);
    cr_assert_leq(result.commits, commits_max);
    *next_out = result.next;
    return result.commits;
}

/* Reads all from `after` on, in slices of at most `commits_max`. */
static void read_all(const ledger *book, const grove_feed_token *from, uint64_t after,
                     uint64_t commits_max)
{
    reader reading = {.book = book, .read = after};
    grove_feed_token next;
    uint64_t count = read_slice(&reading, from, commits_max, &next);
    while (count > 0) {
        count = read_slice(&reading, &next, commits_max, &next);
    }
    cr_assert_eq(reading.read, book->newest);
    grove_feed_token now;
    assert_ok(book->fixture,
              grove_feed_now(book->fixture->store, &now, &book->fixture->error));
    cr_assert_eq(memcmp(&now, &next, sizeof now), 0);
}

/* How many entries the table has, and the number of the first. */
static uint64_t count_entries(store_fixture *fixture, uint64_t *oldest_out)
{
    grove__txn txn;
    grove__cursor cursor;
    grove_bytes key = {(const uint8_t *)"", 1};
    grove_bytes value;
    uint64_t count = 0;
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    assert_ok(fixture,
              grove__cursor_open(&txn, GROVE__TABLE_COMMITS, &cursor, &fixture->error));
    grove_status status = grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, key, &key,
                                             &value, &fixture->error);
    assert_ok(fixture, status);
    assert_ok(fixture, grove__key_parse_commit(key, oldest_out, &fixture->error));
    for (; status == GROVE_OK; count++) {
        status = grove__cursor_next(&cursor, &key, &value, &fixture->error);
    }
    grove__cursor_close(&cursor);
    grove__txn_abort(&txn);
    return count;
}

STORE_TEST(feed, gives_every_commit_in_order_with_what_it_touched)
{
    ledger *book = ledger_new(fixture);
    const uint64_t slices[] = {1, 7, RANGE - 1, RANGE, RANGE + 1, 1000000};
    const uint64_t counts[] = {0, 1, RANGE, RANGE, RANGE, RANGE, 3};
    for (size_t round = 0; round < sizeof counts / sizeof *counts; round++) {
        make_commits(book, counts[round]);
        for (size_t index = 0; index < sizeof slices / sizeof *slices; index++) {
            read_all(book, NULL, 0, slices[index]);
        }
    }
    uint64_t oldest;
    cr_assert_lt(count_entries(fixture, &oldest), book->newest / 2, "older are packed");
    cr_assert_eq(oldest, 1);
    ledger_free(book);
}

STORE_TEST(feed, goes_on_from_every_commit)
{
    ledger *book = ledger_new(fixture);
    make_commits(book, 3 * RANGE + 5);
    reader reading = {.book = book};
    grove_feed_token token;
    grove_feed_token *from = NULL;
    while (reading.read < book->newest) {
        (void)read_slice(&reading, from, 1, &token);
        from = &token;
        reader further = {.book = book, .read = reading.read};
        grove_feed_token next;
        (void)read_slice(&further, from, RANGE + 1, &next);
        cr_assert(further.read == book->newest ||
                  further.read == reading.read + RANGE + 1);
    }
    /* A callback that has enough stops behind the commit that it was given. */
    reader stopping = {.book = book, .stop_at = RANGE - 3};
    cr_assert_eq(read_slice(&stopping, NULL, 1000000, &token), RANGE - 3);
    read_all(book, &token, RANGE - 3, 100);
    grove_feed_result result;
    assert_fails(fixture, GROVE_INVALID,
                 grove_feed_read(fixture->store, NULL, 0, take, &reading, &result,
                                 &fixture->error));
    ledger_free(book);
}

static void assert_token(store_fixture *fixture, grove_status wanted,
                         const grove_feed_token *token)
{
    ledger none = {.fixture = fixture};
    reader reading = {.book = &none};
    grove_feed_result result;
    assert_fails(fixture, wanted,
                 grove_feed_read(fixture->store, token, 5, take, &reading, &result,
                                 &fixture->error));
}

STORE_TEST(feed, takes_no_token_that_is_damaged_or_of_another_store)
{
    ledger *book = ledger_new(fixture);
    grove_feed_token empty;
    assert_ok(fixture, grove_feed_now(fixture->store, &empty, &fixture->error));
    make_commits(book, 10);
    read_all(book, &empty, 0, 3);
    grove_feed_token token;
    assert_ok(fixture, grove_feed_now(fixture->store, &token, &fixture->error));
    for (size_t bit = 0; bit < 8 * sizeof token; bit++) {
        token.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_token(fixture, GROVE_MALFORMED, &token);
        token.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    store_fixture other;
    store_fixture_init(&other, fixture->options.backend->name);
    store_fixture_open(&other);
    assert_token(&other, GROVE_CONFLICT, &token);
    assert_token(&other, GROVE_CONFLICT, &empty);
    ledger *others = ledger_new(&other);
    make_commits(others, 20);
    assert_token(&other, GROVE_CONFLICT, &token);
    assert_token(&other, GROVE_CONFLICT, &empty);
    ledger_free(others);
    store_fixture_close(&other);
    store_fixture_release(&other);
    ledger_free(book);
}

Test(feed, tells_a_reader_that_the_store_lost_what_it_has_read)
{
    store_fixture fixture;
    store_fixture_init(&fixture, "memory");
    fixture.options.durability = GROVE_DURABILITY_RELAXED;
    grove_clock clock = {&fixture, store_fixture_now};
    fixture.options.clock = &clock;
    store_fixture_open(&fixture);
    ledger *book = ledger_new(&fixture);
    grove_feed_token kept;
    grove_feed_token lost;
    make_commits(book, 5);
    assert_ok(&fixture, grove_feed_now(fixture.store, &kept, &fixture.error));
    assert_ok(&fixture, grove_store_sync(fixture.store, &fixture.error));
    uint64_t incarnation = fixture.store->incarnation;
    make_commits(book, 4);
    assert_ok(&fixture, grove_feed_now(fixture.store, &lost, &fixture.error));
    ledger_close(book);
    grove_memory_disk_cut_power(fixture.disk);
    store_fixture_close(&fixture);
    store_fixture_open(&fixture);
    cr_assert_neq(fixture.store->incarnation, incarnation);
    book->newest = 5;
    /* While the number is ahead, and when it was given out again. */
    assert_token(&fixture, GROVE_CONFLICT, &lost);
    make_commits(book, 3);
    assert_token(&fixture, GROVE_CONFLICT, &lost);
    make_commits(book, 20);
    assert_token(&fixture, GROVE_CONFLICT, &lost);
    read_all(book, &kept, 5, 2);
    reader reading = {.book = book};
    grove_feed_token next;
    (void)read_slice(&reading, NULL, 5, &next);
    cr_assert_eq(reading.incarnation, incarnation);
    (void)read_slice(&reading, &next, 1, &next);
    cr_assert_eq(reading.incarnation, fixture.store->incarnation);
    ledger_free(book);
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}

static void set_retention(store_fixture *fixture, uint64_t commits_max,
                          uint64_t age_ms_max)
{
    grove_feed_retention retention = {commits_max, age_ms_max};
    grove_feed_retention read = {1, 1};
    assert_ok(fixture,
              grove_feed_retention_set(fixture->store, &retention, &fixture->error));
    assert_ok(fixture, grove_feed_retention_get(fixture->store, &read, &fixture->error));
    cr_assert_eq(read.commits_max, commits_max);
    cr_assert_eq(read.age_ms_max, age_ms_max);
}

static uint64_t trim(store_fixture *fixture, uint64_t commits_max)
{
    uint64_t removed = 99;
    assert_ok(fixture,
              grove_feed_trim(fixture->store, commits_max, &removed, &fixture->error));
    return removed;
}

STORE_TEST(feed, keeps_as_many_commits_as_it_is_told_to)
{
    ledger *book = ledger_new(fixture);
    grove_feed_token first;
    grove_feed_token tenth;
    cr_assert_eq(trim(fixture, 10), 0);
    make_commits(book, 1);
    assert_ok(fixture, grove_feed_now(fixture->store, &first, &fixture->error));
    make_commits(book, 9);
    assert_ok(fixture, grove_feed_now(fixture->store, &tenth, &fixture->error));
    make_commits(book, 5);
    cr_assert_eq(trim(fixture, 1000), 0, "all are kept by default");
    set_retention(fixture, 5, 0);
    cr_assert_eq(trim(fixture, 3), 3);
    cr_assert_eq(trim(fixture, 1000), 7);
    cr_assert_eq(trim(fixture, 1000), 0);
    assert_token(fixture, GROVE_HISTORY_REMOVED, &first);
    read_all(book, &tenth, 10, 4);
    read_all(book, NULL, 10, 1000);
    /* Of the newest at least the number stays. */
    set_retention(fixture, 1, 0);
    cr_assert_eq(trim(fixture, 1000), 4);
    assert_token(fixture, GROVE_HISTORY_REMOVED, &tenth);
    read_all(book, NULL, 14, 1);
    uint64_t oldest;
    cr_assert_eq(count_entries(fixture, &oldest), 1);
    cr_assert_eq(oldest, 15);
    set_retention(fixture, 0, 0);
    make_commits(book, 2);
    read_all(book, NULL, 14, 1);
    /* Packs go whole, and what is in part to be kept stays. */
    make_commits(book, 4 * RANGE);
    set_retention(fixture, RANGE + 3, 0);
    uint64_t removed = 0;
    for (uint64_t went = 1; went > 0; removed += went) {
        went = trim(fixture, 1);
    }
    cr_assert_leq(removed, 3 * RANGE);
    cr_assert_gt(removed, 2 * RANGE);
    read_all(book, NULL, 14 + removed, 77);
    cr_assert_eq(grove_feed_trim(fixture->store, 0, NULL, &fixture->error),
                 GROVE_INVALID);
    ledger_free(book);
}

STORE_TEST(feed, keeps_commits_for_as_long_as_it_is_told_to)
{
    ledger *book = ledger_new(fixture);
    make_commits(book, 15);
    const int64_t limit = book->entries[12].time;
    set_retention(fixture, 0, 5000);
    fixture->now = limit + 5000;
    uint64_t removed = trim(fixture, 1000);
    cr_assert_gt(removed, 0);
    cr_assert_lt(removed, 15);
    cr_assert_geq(book->entries[removed + 1].time, limit);
    for (uint64_t number = 1; number <= removed; number++) {
        cr_assert_lt(book->entries[number].time, limit);
    }
    fixture->now += 1000000;
    cr_assert_eq(trim(fixture, 1000), 14 - removed, "the newest stays");
    read_all(book, NULL, 14, 10);
    /* A clock that goes back lets nothing go. */
    fixture->now -= 100000000;
    make_commits(book, 3);
    cr_assert_eq(trim(fixture, 1000), 0);
    ledger_free(book);
}

STORE_TEST(feed, is_trimmed_along_with_commits)
{
    ledger *book = ledger_new(fixture);
    make_commits(book, 4 * RANGE);
    set_retention(fixture, RANGE, 0);
    make_commits(book, 2 * RANGE);
    uint64_t oldest;
    cr_assert_leq(count_entries(fixture, &oldest), 2 * RANGE + 1);
    cr_assert_gt(oldest, 3 * RANGE);
    cr_assert_leq(oldest, 5 * RANGE + 1);
    read_all(book, NULL, oldest - 1, 50);
    ledger_free(book);
}

/* What other sessions do between two slices, and in a callback. */
static bool take_and_save(void *context, const grove_feed_commit *commit)
{
    reader *reading = context;
    bool goes_on = take(context, commit);
    if (reading->book->newest < 3 * RANGE) {
        /* The ledger is the test's own. */
        ledger *book;
        memcpy(&book, &reading->book, sizeof book);
        make_commits(book, 2);
    }
    return goes_on;
}

STORE_TEST(feed, leaves_its_callback_free_to_write)
{
    ledger *book = ledger_new(fixture);
    make_commits(book, 5);
    reader reading = {.book = book};
    grove_feed_result read = {.commits = 1};
    grove_feed_token *from = NULL;
    while (read.commits > 0) {
        assert_ok(fixture, grove_feed_read(fixture->store, from, 3, take_and_save,
                                           &reading, &read, &fixture->error));
        from = &read.next;
    }
    cr_assert_eq(reading.read, book->newest);
    cr_assert_geq(book->newest, 3 * RANGE);
    ledger_free(book);
}

enum { WRITTEN = 3 * RANGE + 100 };

typedef struct writer {
    grove_store *store;
    _Atomic bool has_failed;
} writer;

static void *write_groups(void *context)
{
    writer *writing = context;
    for (int number = 1; number <= WRITTEN; number++) {
        grove_commit_options options = GROVE_COMMIT_OPTIONS_INIT;
        options.meta = (grove_bytes){(const uint8_t *)&number, sizeof number};
        if (grove_group_save_with(writing->store, grove_bytes_of("g"),
                                  grove_bytes_of("s"), &options, NULL,
                                  NULL) != GROVE_OK) {
            atomic_store(&writing->has_failed, true);
        }
    }
    return NULL;
}

static bool take_number(void *context, const grove_feed_commit *commit)
{
    uint64_t *read = context;
    int number = 0;
    cr_assert_eq(commit->number, ++*read);
    cr_assert_eq(commit->meta.size, sizeof number);
    memcpy(&number, commit->meta.data, sizeof number);
    cr_assert_eq((uint64_t)number, commit->number);
    return true;
}

STORE_TEST(feed, has_no_gap_while_another_thread_commits)
{
    writer writing = {fixture->store, false};
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, write_groups, &writing), 0);
    uint64_t seen = 0;
    grove_feed_result read;
    grove_feed_token *from = NULL;
    while (seen < WRITTEN && !atomic_load(&writing.has_failed)) {
        assert_ok(fixture, grove_feed_read(fixture->store, from, 10, take_number, &seen,
                                           &read, &fixture->error));
        from = &read.next;
    }
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert(!atomic_load(&writing.has_failed));
}

/* What a commit was said to be, by all four that make one. */
static grove_status commit_with(store_fixture *fixture, grove_document *document, int way,
                                const grove_commit_options *options)
{
    switch (way) {
    case 0:
        return grove_group_save_with(fixture->store, grove_bytes_of("g"),
                                     grove_bytes_of("s"), options, NULL, &fixture->error);
    case 1:
        return grove_group_delete_with(fixture->store, grove_bytes_of("g"), options, NULL,
                                       &fixture->error);
    case 2:
        return grove_document_save_with(document, NULL, options, NULL, &fixture->error);
    default:
        return grove_document_delete_with(fixture->store, grove_bytes_of("d"), options,
                                          NULL, &fixture->error);
    }
}

static bool take_meta(void *context, const grove_feed_commit *commit)
{
    *(size_t *)context = commit->meta.size;
    for (size_t index = 0; index < commit->meta.size; index++) {
        cr_assert_eq(commit->meta.data[index], (uint8_t)index);
    }
    return true;
}

STORE_TEST(feed, has_what_was_said_of_a_commit_within_the_limit)
{
    static const size_t SIZES[] = {0, 1, GROVE_COMMIT_META_BYTES_MAX - 1,
                                   GROVE_COMMIT_META_BYTES_MAX};
    uint8_t said[GROVE_COMMIT_META_BYTES_MAX + 1];
    for (size_t index = 0; index < sizeof said; index++) {
        said[index] = (uint8_t)index;
    }
    uint64_t commit;
    uint64_t commits = 0;
    for (size_t index = 0; index < sizeof SIZES / sizeof *SIZES; index++) {
        grove_document *document = open_document(fixture, "d");
        insert(fixture, document, 0, "text");
        for (int way = 0; way < 4; way++) {
            grove_commit_options options = GROVE_COMMIT_OPTIONS_INIT;
            options.meta = (grove_bytes){said, GROVE_COMMIT_META_BYTES_MAX + 1};
            assert_fails(fixture, GROVE_LIMIT,
                         commit_with(fixture, document, way, &options));
            options.size--;
            assert_fails(fixture, GROVE_INVALID,
                         commit_with(fixture, document, way, &options));
            assert_ok(fixture,
                      grove_store_commit(fixture->store, &commit, &fixture->error));
            cr_assert_eq(commit, commits);
            grove_feed_token token;
            assert_ok(fixture, grove_feed_now(fixture->store, &token, &fixture->error));
            options.size++;
            options.meta.size = SIZES[index];
            assert_ok(fixture, commit_with(fixture, document, way, &options));
            commits++;
            size_t read = 9999;
            grove_feed_result result;
            assert_ok(fixture, grove_feed_read(fixture->store, &token, 10, take_meta,
                                               &read, &result, &fixture->error));
            cr_assert_eq(read, SIZES[index]);
        }
        grove_document_close(document);
    }
}

static void remove_commit(store_fixture *fixture, uint64_t number, bool damages)
{
    grove__write_set set;
    grove__key key;
    grove__write_set_init(&set, fixture->store->allocator);
    grove__key_of_commit(&key, number);
    if (damages) {
        grove__write_set_put(&set, GROVE__TABLE_COMMITS, grove__key_view(&key),
                             grove_bytes_of("damaged"));
    } else {
        grove__write_set_remove(&set, GROVE__TABLE_COMMITS, grove__key_view(&key));
    }
    assert_ok(fixture, grove__commit(fixture->store, &set, NULL, &fixture->error));
    grove__write_set_release(&set);
}

STORE_TEST(feed, gives_what_comes_before_damage_and_then_says_so)
{
    ledger *book = ledger_new(fixture);
    make_commits(book, 12);
    for (int damages = 1; damages >= 0; damages--) {
        remove_commit(fixture, 8, damages != 0);
        reader reading = {.book = book};
        grove_feed_token next;
        cr_assert_eq(read_slice(&reading, NULL, 1000, &next), 7);
        assert_token(fixture, GROVE_CORRUPT, &next);
        assert_token(fixture, GROVE_CORRUPT, &next);
    }
    ledger_free(book);
}

static bool count_touches(void *context, const grove_feed_commit *commit)
{
    *(size_t *)context += commit->touch_count;
    return true;
}

STORE_TEST(feed, reads_no_more_at_a_time_than_a_bounded_memory_holds)
{
    enum { COMMITS = 5, TOUCHES = 3000 };
    static const uint8_t name[GROVE_GROUP_NAME_BYTES_MAX];
    const grove__touch touch = {GROVE__TOUCH_GROUP, {name, sizeof name}, 0, 0};
    for (int number = 0; number < COMMITS; number++) {
        grove__write_set set;
        grove__write_set_init(&set, fixture->store->allocator);
        for (int index = 0; index < TOUCHES; index++) {
            grove__write_set_touch(&set, &touch);
        }
        assert_ok(fixture, grove__commit(fixture->store, &set, NULL, &fixture->error));
        grove__write_set_release(&set);
    }
    /* The second record of 720 KB takes a slice over 1 MiB. */
    const uint64_t expected[] = {2, 2, 1, 0};
    grove_feed_result read;
    grove_feed_token *from = NULL;
    size_t touches = 0;
    for (size_t index = 0; index < sizeof expected / sizeof *expected; index++) {
        assert_ok(fixture, grove_feed_read(fixture->store, from, 1000, count_touches,
                                           &touches, &read, &fixture->error));
        cr_assert_eq(read.commits, expected[index]);
        from = &read.next;
    }
    cr_assert_eq(touches, COMMITS * TOUCHES);
}
