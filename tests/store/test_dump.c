/* Dumps: what is in them, and that it comes back. */
#include "support/dump.h"

#include "commit/store.h"
#include "format/key.h"
#include "format/record.h"
#include "support/faulty_allocator.h"
#include "support/faulty_backend.h"

#ifdef GROVE_TINY_LIMITS
enum { COMMITS = 60 };
#else
enum { COMMITS = 1300 };
#endif

static void assert_same_dump(const exported *one, const exported *other)
{
    cr_assert_eq(one->size, other->size);
    cr_assert_eq(memcmp(one->data, other->data, one->size), 0);
}

/* Loads a dump on a backend and takes a dump of that. */
static exported again(const exported *whole, const char *backend)
{
    store_fixture loaded;
    undump_init(&loaded, backend, whole);
    exported second = dump_of(&loaded);
    undump_release(&loaded);
    return second;
}

STORE_TEST(dump, comes_back_byte_for_byte_from_every_backend)
{
    dump_make_store(fixture, COMMITS);
    dump_make_past(fixture);
    exported first = dump_of(fixture);
    exported disk = again(&first, "lmdb");
    exported memory = again(&disk, "memory");
    exported last = again(&memory, "lmdb");
    assert_same_dump(&first, &disk);
    assert_same_dump(&first, &memory);
    assert_same_dump(&first, &last);
    exported_free(&first);
    exported_free(&disk);
    exported_free(&memory);
    exported_free(&last);
}

STORE_TEST(dump, of_an_empty_store_comes_back)
{
    exported first = dump_of(fixture);
    exported second = again(&first, "memory");
    assert_same_dump(&first, &second);
    exported_free(&first);
    exported_free(&second);
}

/* --- what is loaded is what was dumped --- */

typedef struct documents {
    store_fixture *from;
    store_fixture *to;
    size_t count;
} documents;

typedef struct run_sum {
    uint64_t sum;
    uint64_t end;
} run_sum;

static bool add_run(void *context, uint64_t clock, const grove_event_run *run)
{
    run_sum *all = context;
    all->sum = all->sum * 31 + clock;
    all->sum = all->sum * 31 + run->first.sequence;
    all->sum = all->sum * 31 + (uint64_t)run->timestamp;
    all->sum = all->sum * 31 + run->operation.position;
    for (size_t index = 0; index < run->first.replica.size; index++) {
        all->sum = all->sum * 31 + run->first.replica.bytes[index];
    }
    for (size_t index = 0; index < run->operation.content.size; index++) {
        all->sum = all->sum * 31 + run->operation.content.data[index];
    }
    for (size_t index = 0; index < run->parent_count; index++) {
        all->sum = all->sum * 31 + run->parents[index].sequence;
    }
    all->end = clock + run->operation.count;
    return true;
}

static grove_document *load(store_fixture *fixture, grove_bytes id, uint64_t clock)
{
    grove_document *document = NULL;
    grove_status status =
        clock == UINT64_MAX
            ? grove_document_load(fixture->store, id, NULL, &document, &fixture->error)
            : grove_document_load_at(fixture->store, id, clock, NULL, &document,
                                     &fixture->error);
    cr_assert(status == GROVE_OK || status == GROVE_HISTORY_REMOVED, "%s",
              fixture->error.message);
    return document;
}

static void assert_same_text(store_fixture *from, const grove_document *one,
                             store_fixture *to, const grove_document *other)
{
    char texts[2][4096] = {"", ""};
    size_t bytes[2];
    uint64_t points;
    assert_ok(from, grove_text_read(one, 0, 4096, texts[0], sizeof texts[0], &bytes[0],
                                    &points, &from->error));
    assert_ok(to, grove_text_read(other, 0, 4096, texts[1], sizeof texts[1], &bytes[1],
                                  &points, &to->error));
    cr_assert(bytes[0] == bytes[1] && memcmp(texts[0], texts[1], bytes[0]) == 0);
}

static void assert_same_version(grove_document *one, grove_document *other,
                                grove_error *error)
{
    grove_version_vector known[2];
    cr_assert_eq(grove_document_version_vector(one, &known[0], error), GROVE_OK);
    cr_assert_eq(grove_document_version_vector(other, &known[1], error), GROVE_OK);
    cr_assert_eq(known[0].count, known[1].count);
    for (size_t index = 0; index < known[0].count; index++) {
        cr_assert_eq(known[0].entries[index].sequence, known[1].entries[index].sequence);
        cr_assert_eq(known[0].entries[index].replica.size,
                     known[1].entries[index].replica.size);
    }
}

/* The same text at each clock, the same events behind it. */
static bool compare_text(documents *both, grove_bytes id,
                         const grove_document_statistics *statistics)
{
    for (uint64_t clock = 0; clock <= statistics->events; clock++) {
        grove_document *one = load(both->from, id, clock);
        grove_document *other = load(both->to, id, clock);
        cr_assert_eq(one == NULL, other == NULL);
        if (one != NULL) {
            assert_same_text(both->from, one, both->to, other);
        }
        grove_document_close(one);
        grove_document_close(other);
    }
    grove_document *one = load(both->from, id, UINT64_MAX);
    grove_document *other = load(both->to, id, UINT64_MAX);
    assert_same_text(both->from, one, both->to, other);
    assert_same_version(one, other, &both->to->error);
    uint64_t waiting[2];
    run_sum sums[2] = {{0, 0}, {0, 0}};
    grove_document *handles[] = {one, other};
    for (size_t index = 0; index < 2; index++) {
        assert_ok(both->to, grove_document_pending(handles[index], &waiting[index], NULL,
                                                   &both->to->error));
        assert_ok(both->to,
                  grove_document_events(handles[index], statistics->base_clock, add_run,
                                        &sums[index], &both->to->error));
    }
    cr_assert_eq(waiting[0], waiting[1]);
    cr_assert_eq(sums[0].sum, sums[1].sum);
    cr_assert_eq(sums[0].end, sums[1].end);
    grove_document_close(one);
    grove_document_close(other);
    return true;
}

static bool compare_document(void *context, grove_bytes id)
{
    documents *both = context;
    grove_document_statistics statistics[2];
    memset(statistics, 0, sizeof statistics);
    assert_ok(both->from, grove_document_statistics_get(
                              both->from->store, id, &statistics[0], &both->from->error));
    assert_ok(both->to, grove_document_statistics_get(both->to->store, id, &statistics[1],
                                                      &both->to->error));
    cr_assert_eq(memcmp(&statistics[0], &statistics[1], sizeof statistics[0]), 0);
    both->count++;
    return strcmp(statistics[0].type_name, "text") != 0 ||
           compare_text(both, id, &statistics[0]);
}

STORE_TEST(dump, brings_back_texts_clocks_and_all_of_the_past)
{
    dump_make_store(fixture, 20);
    exported whole = dump_of(fixture);
    store_fixture loaded;
    undump_init(&loaded, "lmdb", &whole);
    documents both = {fixture, &loaded, 0};
    assert_ok(fixture, grove_document_list(fixture->store, (grove_bytes){NULL, 0},
                                           (grove_bytes){NULL, 0}, compare_document,
                                           &both, &fixture->error));
    cr_assert_eq(both.count, 8);
    grove_store_statistics statistics[2];
    assert_ok(fixture, grove_store_statistics_get(fixture->store, &statistics[0],
                                                  &fixture->error));
    assert_ok(&loaded,
              grove_store_statistics_get(loaded.store, &statistics[1], &loaded.error));
    cr_assert_eq(statistics[0].commit, statistics[1].commit);
    cr_assert_neq(statistics[0].incarnation, statistics[1].incarnation);
    undump_release(&loaded);
    exported_free(&whole);
}

static uint64_t entries_of(store_fixture *fixture)
{
    grove_store_statistics statistics;
    assert_ok(fixture,
              grove_store_statistics_get(fixture->store, &statistics, &fixture->error));
    return statistics.backend.entries;
}

STORE_TEST(dump, is_of_a_store_that_goes_on_where_it_was)
{
    dump_make_store(fixture, COMMITS);
    exported whole = dump_of(fixture);
    store_fixture loaded;
    undump_init(&loaded, fixture->options.backend->name, &whole);
    /* Older commits are packed there as well; and it has a list of its
     * incarnations. */
    cr_assert_eq(entries_of(&loaded), entries_of(fixture) + 1);
    uint64_t before;
    uint64_t commit;
    assert_ok(fixture, grove_store_commit(fixture->store, &before, &fixture->error));
    assert_ok(&loaded, grove_group_save(loaded.store, grove_bytes_of("g"),
                                        grove_bytes_of("s"), &commit, &loaded.error));
    cr_assert_eq(commit, before + 1);
    /* Whoever wrote before may have gone on in the other store. */
    grove_document *document = NULL;
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.replica = event_of("ann", 0).replica;
    assert_fails(&loaded, GROVE_REPLICA_REUSED,
                 grove_document_open(loaded.store, grove_bytes_of("merged"), &options,
                                     &document, &loaded.error));
    document = dump_open(&loaded, grove_bytes_of("merged"), "another", NULL);
    insert(&loaded, document, 3, "on");
    grove_save_result result = save(&loaded, document);
    grove_document_statistics statistics;
    assert_ok(fixture,
              grove_document_statistics_get(fixture->store, grove_bytes_of("merged"),
                                            &statistics, &fixture->error));
    cr_assert_eq(result.first_clock, statistics.events);
    cr_assert_eq(result.commit, before + 2);
    grove_document_close(document);
    undump_release(&loaded);
    exported_free(&whole);
}

/* --- calls that do not come to their end --- */

STORE_TEST(dump, stops_when_nobody_takes_it)
{
    dump_make_store(fixture, 3);
    exported first = dump_of(fixture);
    cr_assert_gt(first.writes, 1);
    for (size_t nth = 1; nth <= first.writes; nth++) {
        exported cut = {.stops_after = nth};
        grove_dump_result result = {.lines = 77};
        assert_fails(fixture, GROVE_FAILED,
                     grove_store_dump(fixture->store, exported_write, &cut, &result,
                                      &fixture->error));
        cr_assert_eq(cut.writes, nth);
        cr_assert_eq(result.lines, 77);
        exported_free(&cut);
    }
    exported second = dump_of(fixture);
    assert_same_dump(&first, &second);
    exported_free(&first);
    exported_free(&second);
}

/* Somebody writes while a dump is taken. */
typedef struct busy_writer {
    exported whole;
    store_fixture *fixture;
} busy_writer;

static bool write_and_save(void *context, grove_bytes bytes)
{
    busy_writer *work = context;
    dump_save_group(work->fixture, "noise", "changed", 7);
    dump_make_merged(work->fixture, grove_bytes_of("merged"), 1);
    return exported_write(&work->whole, bytes);
}

STORE_TEST(dump, holds_one_state_whoever_writes_meanwhile)
{
    dump_make_store(fixture, 3);
    exported first = dump_of(fixture);
    busy_writer work = {.fixture = fixture};
    assert_ok(fixture, grove_store_dump(fixture->store, write_and_save, &work, NULL,
                                        &fixture->error));
    assert_same_dump(&first, &work.whole);
    exported later = dump_of(fixture);
    cr_assert_neq(later.size, first.size);
    exported_free(&first);
    exported_free(&later);
    exported_free(&work.whole);
}

/* --- faults --- */

Test(dump, gives_back_what_it_took_when_memory_ends)
{
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        store_fixture fixture;
        faulty_allocator_init(&faulty, 0);
        store_fixture_init(&fixture, "memory");
        fixture.options.allocator = &faulty.allocator;
        store_fixture_open(&fixture);
        dump_save_group(&fixture, "group", "state", 5);
        dump_make_merged(&fixture, grove_bytes_of("merged"), 2);
        dump_compact(&fixture, grove_bytes_of("merged"), 4);
        dump_make_waiting(&fixture, grove_bytes_of("waiting"));
        dump_make_past(&fixture);
        size_t blocks = faulty.blocks;
        exported whole = {NULL, 0, 0, 0};
        faulty.fails_at = faulty.calls + nth;
        grove_status status =
            grove_store_dump(fixture.store, exported_write, &whole, NULL, &fixture.error);
        cr_assert_eq(faulty.blocks, blocks);
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK,
                     "allocation %zu: %s", nth, grove_status_name(status));
        exported_free(&whole);
        store_fixture_close(&fixture);
        store_fixture_release(&fixture);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            break;
        }
    }
}

Test(dump, says_when_the_backend_fails)
{
    for (size_t nth = 1;; nth++) {
        faulty_backend faulty;
        store_fixture fixture;
        store_fixture_init(&fixture, "memory");
        faulty_backend_init(&faulty, fixture.options.backend, 0, GROVE_IO);
        faulty.under_context = fixture.disk;
        fixture.options.backend = &faulty.table;
        fixture.options.backend_context = &faulty;
        store_fixture_open(&fixture);
        dump_save_group(&fixture, "group", "state", 5);
        dump_make_merged(&fixture, grove_bytes_of("merged"), 2);
        dump_compact(&fixture, grove_bytes_of("merged"), 4);
        dump_make_past(&fixture);
        exported whole = {NULL, 0, 0, 0};
        faulty.fails_at = faulty.calls + nth;
        grove_status status =
            grove_store_dump(fixture.store, exported_write, &whole, NULL, &fixture.error);
        cr_assert_eq(status, faulty.has_failed ? GROVE_IO : GROVE_OK, "call %zu", nth);
        exported_free(&whole);
        store_fixture_close(&fixture);
        faulty_backend_finish(&faulty);
        store_fixture_release(&fixture);
        if (!faulty.has_failed) {
            break;
        }
    }
}

/* Removes the first or the last entry of a table. */
static void remove_entry(store_fixture *fixture, grove__table table, bool is_first)
{
    grove__txn txn;
    grove__cursor cursor;
    grove_bytes key;
    grove_bytes value;
    grove__key copy;
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_WRITE, &txn,
                                        &fixture->error));
    assert_ok(fixture, grove__cursor_open(&txn, table, &cursor, &fixture->error));
    const uint8_t zero = 0;
    grove_bytes from = {is_first ? &zero : NULL, is_first ? 1 : 0};
    assert_ok(fixture, grove__cursor_seek(
                           &cursor, is_first ? GROVE_SEEK_AT_OR_AFTER : GROVE_SEEK_BEFORE,
                           from, &key, &value, &fixture->error));
    copy.size = key.size;
    memcpy(copy.bytes, key.data, key.size);
    grove__cursor_close(&cursor);
    assert_ok(fixture,
              grove__kv_remove(&txn, table, grove__key_view(&copy), &fixture->error));
    assert_ok(fixture, grove__txn_commit(&txn, &fixture->error));
}

/* Lets the record of "merged" count one batch more. */
static void miscount(store_fixture *fixture)
{
    grove__txn txn;
    grove__key key;
    grove_bytes value;
    grove__meta_record meta;
    uint8_t bytes[GROVE__META_RECORD_BYTES];
    grove__key_of_document(&key, grove_bytes_of("merged"));
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_WRITE, &txn,
                                        &fixture->error));
    assert_ok(fixture, grove__kv_get(&txn, GROVE__TABLE_META, grove__key_view(&key),
                                     &value, &fixture->error));
    assert_ok(fixture, grove__meta_record_decode(value, &meta, &fixture->error));
    meta.batches++;
    grove__meta_record_encode(&meta, bytes);
    assert_ok(fixture,
              grove__kv_put(&txn, GROVE__TABLE_META, grove__key_view(&key),
                            (grove_bytes){bytes, sizeof bytes}, &fixture->error));
    assert_ok(fixture, grove__txn_commit(&txn, &fixture->error));
}

STORE_TEST(dump, refuses_a_record_that_counts_other_pieces)
{
    exported whole = {NULL, 0, 0, 0};
    dump_make_merged(fixture, grove_bytes_of("merged"), 2);
    miscount(fixture);
    assert_fails(
        fixture, GROVE_CORRUPT,
        grove_store_dump(fixture->store, exported_write, &whole, NULL, &fixture->error));
    cr_assert_not_null(strstr(fixture->error.message, "document merged: "));
    exported_free(&whole);
}

Test(dump, refuses_a_store_that_contradicts_itself)
{
    static const struct {
        grove__table table;
        bool is_first;
    } REMOVED[] = {{GROVE__TABLE_EVENTS, true},    {GROVE__TABLE_EVENTS, false},
                   {GROVE__TABLE_SNAPSHOTS, true}, {GROVE__TABLE_SNAPSHOTS, false},
                   {GROVE__TABLE_REPLICAS, true},  {GROVE__TABLE_REPLICAS, false},
                   {GROVE__TABLE_PENDING, true},   {GROVE__TABLE_COMMITS, true}};
    for (size_t index = 0; index < sizeof REMOVED / sizeof *REMOVED; index++) {
        store_fixture broken;
        exported whole = {NULL, 0, 0, 0};
        store_fixture_init(&broken, "memory");
        store_fixture_open(&broken);
        dump_make_merged(&broken, grove_bytes_of("merged"), 2);
        dump_compact(&broken, grove_bytes_of("merged"), 4);
        dump_make_waiting(&broken, grove_bytes_of("waiting"));
        if (REMOVED[index].table == GROVE__TABLE_SNAPSHOTS) {
            dump_compact(&broken, grove_bytes_of("waiting"), 100);
        }
        remove_entry(&broken, REMOVED[index].table, REMOVED[index].is_first);
        grove_status status =
            grove_store_dump(broken.store, exported_write, &whole, NULL, &broken.error);
        cr_assert_eq(status, GROVE_CORRUPT, "table %zu", index);
        cr_assert(REMOVED[index].table == GROVE__TABLE_COMMITS ||
                      strncmp(broken.error.message, "document ", 9) == 0,
                  "%s", broken.error.message);
        exported_free(&whole);
        store_fixture_close(&broken);
        store_fixture_release(&broken);
    }
}

/* --- random stores --- */

static void random_step(store_fixture *fixture, test_random *random,
                        grove_document **handles, grove_bytes id)
{
    static const char *const REPLICAS[] = {"a", "b", "\xff\x01"};
    size_t index = (size_t)test_random_below(random, 3);
    if (handles[index] == NULL) {
        handles[index] = dump_open(fixture, id, REPLICAS[index], NULL);
    }
    grove_document *document = handles[index];
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    grove_status status;
    uint64_t length;
    uint64_t bytes;
    assert_ok(fixture, grove_text_length(document, &length, &bytes, &fixture->error));
    fixture->now += (int64_t)test_random_below(random, 5000) - 100;
    switch (test_random_below(random, 12)) {
    case 0:
        status = grove_document_seal(document, NULL, NULL, &fixture->error);
        cr_assert(status == GROVE_OK || status == GROVE_NONE);
        break;
    case 1:
        options.window_events = test_random_below(random, 60);
        status = grove_document_compact(document, &options, NULL, &fixture->error);
        cr_assert(status == GROVE_OK || status == GROVE_NONE);
        break;
    case 2:
        grove_document_close(document);
        handles[index] = NULL;
        break;
    case 3:
    case 4:
        if (length > 4) {
            assert_ok(fixture, grove_text_delete(
                                   document, test_random_below(random, length - 3),
                                   1 + test_random_below(random, 3), &fixture->error));
        }
        break;
    case 5:
    case 6:
    case 7:
    case 8:
        (void)save(fixture, document);
        break;
    default:
        insert(fixture, document, test_random_below(random, length + 1), "some ä text");
        break;
    }
}

Test(dump, random_sessions_come_back)
{
    test_random random = test_random_of("dump");
    for (int round = 0; round < 15; round++) {
        store_fixture fixture;
        store_fixture_init(&fixture, "memory");
        grove_clock clock = {&fixture, store_fixture_now};
        fixture.options.clock = &clock;
        store_fixture_open(&fixture);
        for (int number = 0; number < 3; number++) {
            uint8_t id[GROVE_DOCUMENT_ID_BYTES_MAX];
            size_t size = 1 + (size_t)test_random_below(&random, sizeof id);
            test_random_bytes(&random, id, size);
            grove_document *handles[3] = {NULL, NULL, NULL};
            for (int step = 0; step < 80; step++) {
                random_step(&fixture, &random, handles, (grove_bytes){id, size});
            }
            for (size_t index = 0; index < 3; index++) {
                grove_document_close(handles[index]);
            }
        }
        exported first = dump_of(&fixture);
        exported second = again(&first, round % 2 == 0 ? "lmdb" : "memory");
        assert_same_dump(&first, &second);
        store_fixture loaded;
        undump_init(&loaded, "memory", &second);
        documents both = {&fixture, &loaded, 0};
        assert_ok(&fixture, grove_document_list(fixture.store, (grove_bytes){NULL, 0},
                                                (grove_bytes){NULL, 0}, compare_document,
                                                &both, &fixture.error));
        undump_release(&loaded);
        exported_free(&first);
        exported_free(&second);
        store_fixture_close(&fixture);
        store_fixture_release(&fixture);
    }
}
