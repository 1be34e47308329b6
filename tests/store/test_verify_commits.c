/*
 * Commits that have aged: a store that has packed some, let some go, or begun
 * another incarnation has no findings; one in which the commits, the way from
 * them to clocks or what is said of both was changed has.
 */
#include "support/verified_store.h"

#include "base/hash.h"
#include "commit/age.h"
#include "format/clock_row.h"
#include "format/commits.h"
#include "support/dump.h"
#include "support/faulty_allocator.h"
#include "support/faulty_backend.h"
#include "support/random.h"

enum { RANGE = GROVE__PACKED_COMMITS };

static void write_as(store_fixture *fixture, const char *id, const char *replica,
                     int saves)
{
    grove_document *document = open_named(fixture, id, replica, false);
    for (int index = 0; index < saves; index++) {
        insert(fixture, document, 0, "ab");
        (void)save(fixture, document);
    }
    grove_document_close(document);
}

static void write_to(store_fixture *fixture, const char *id, int saves)
{
    write_as(fixture, id, "ann", saves);
}

static void delete_document(store_fixture *fixture, const char *id)
{
    assert_ok(fixture, grove_document_delete(fixture->store, grove_bytes_of(id), NULL,
                                             &fixture->error));
}

static void save_groups(store_fixture *fixture, int saves)
{
    for (int index = 0; index < saves; index++) {
        assert_ok(fixture, grove_group_save(fixture->store, grove_bytes_of("counter"),
                                            grove_bytes_of("42"), NULL, &fixture->error));
    }
}

/* Two packs and the start of a third, and clocks of three documents. */
static void make_aged(store_fixture *fixture)
{
    write_to(fixture, "anew", 2);
    write_to(fixture, "busy", RANGE);
    write_to(fixture, "rare", 1);
    delete_document(fixture, "anew");
    write_to(fixture, "anew", 2);
    save_groups(fixture, 2 * RANGE);
    write_to(fixture, "late", 3);
    save_groups(fixture, RANGE / 2);
}

/* The same as a copy, which is another store from then on. */
static void become_copy(store_fixture *fixture)
{
    char path[TEMP_DIR_PATH_BYTES];
    (void)temp_dir_path(&fixture->dir, "copy", path);
    assert_ok(fixture,
              grove_store_backup(fixture->store, path, NULL, NULL, &fixture->error));
    store_fixture_close(fixture);
    assert_ok(fixture, grove_store_open(path, &fixture->options, &fixture->store,
                                        &fixture->error));
}

/* Lets all commits go but the newest. */
static void trim(store_fixture *fixture)
{
    grove_feed_retention retention = {.commits_max = 1};
    assert_ok(fixture,
              grove_feed_retention_set(fixture->store, &retention, &fixture->error));
    assert_ok(fixture,
              grove_feed_trim(fixture->store, UINT64_MAX, NULL, &fixture->error));
}

/* --- sound stores --- */

STORE_TEST(verify_commits, packs_and_clocks_have_no_findings)
{
    make_aged(fixture);
    assert_sound(fixture->store, "aged");
    rows all = rows_read(fixture);
    size_t packs = 0;
    size_t clocks = 0;
    for (size_t index = 0; index < all.count; index++) {
        const row *one = &all.items[index];
        packs +=
            one->table == GROVE__TABLE_COMMITS &&
                    grove__commits_is_pack((grove_bytes){one->value, one->value_bytes})
                ? 1
                : 0;
        clocks += one->table == GROVE__TABLE_CLOCKS ? 1 : 0;
    }
    cr_assert_geq(packs, 2);
    cr_assert_geq(clocks, 3);
    rows_free(&all);
}

STORE_TEST(verify_commits, what_the_retention_removed_is_not_missed)
{
    make_aged(fixture);
    grove_feed_retention retention = {.commits_max = RANGE + 3};
    uint64_t removed;
    assert_ok(fixture,
              grove_feed_retention_set(fixture->store, &retention, &fixture->error));
    assert_sound(fixture->store, "all may go");
    assert_ok(fixture,
              grove_feed_trim(fixture->store, UINT64_MAX, &removed, &fixture->error));
    cr_assert_gt(removed, 2 * RANGE);
    assert_sound(fixture->store, "trimmed");
    retention.commits_max = 1;
    assert_ok(fixture,
              grove_feed_retention_set(fixture->store, &retention, &fixture->error));
    assert_ok(fixture,
              grove_feed_trim(fixture->store, UINT64_MAX, &removed, &fixture->error));
    assert_sound(fixture->store, "only the newest is left");
    write_to(fixture, "busy", 3);
    assert_sound(fixture->store, "gone on with");
}

STORE_TEST(verify_commits, another_incarnation_is_none_that_contradicts)
{
    make_aged(fixture);
    become_copy(fixture);
    assert_sound(fixture->store, "a copy");
    write_as(fixture, "busy", "bob", 2);
    assert_sound(fixture->store, "a copy that was gone on with");
}

STORE_TEST(verify_commits, a_store_that_was_loaded_from_a_dump_has_no_findings)
{
    make_aged(fixture);
    for (int time = 0; time < 2; time++) {
        exported whole = dump_of(fixture);
        store_fixture loaded;
        undump_init(&loaded, "memory", &whole);
        assert_sound(loaded.store, "loaded");
        save_groups(&loaded, 2 * RANGE);
        assert_sound(loaded.store, "gone on with");
        undump_release(&loaded);
        exported_free(&whole);
        trim(fixture);
    }
}

static uint64_t aged_up_to(store_fixture *fixture)
{
    grove__txn txn;
    grove__aging_record record;
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    assert_ok(fixture, grove__age_read(&txn, &record, &fixture->error));
    grove__txn_abort(&txn);
    return record.aged;
}

STORE_TEST(verify_commits, documents_deleted_while_their_commits_age_leave_no_clocks)
{
    enum { DOCUMENTS = RANGE - 2 };
    char names[DOCUMENTS][16];
    for (int index = 0; index < DOCUMENTS; index++) {
        (void)snprintf(names[index], sizeof names[index], "text %d", index);
        write_to(fixture, names[index], 1);
    }
    /* One of the next commits lets the first ones age along with it. */
    save_groups(fixture, RANGE);
    for (int index = 0; index < DOCUMENTS && index < 6; index++) {
        delete_document(fixture, names[index]);
    }
    assert_sound(fixture->store, "deleted");
    save_groups(fixture, 1);
    cr_assert_eq(aged_up_to(fixture), RANGE, "the next commit looks again");
    save_groups(fixture, 2 * RANGE);
    assert_sound(fixture->store, "aged");
}

/* One of the things that sessions do, at random. */
static void do_something(store_fixture *fixture, test_random *random)
{
    static const char *const NAMES[] = {"a", "b", "c"};
    const char *name = NAMES[test_random_below(random, 3)];
    uint64_t removed;
    switch (test_random_below(random, 12)) {
    case 0:
        if (grove_document_delete(fixture->store, grove_bytes_of(name), NULL,
                                  &fixture->error) != GROVE_OK) {
            cr_assert_eq(fixture->error.status, GROVE_NONE);
        }
        break;
    case 1:
        if (test_random_below(random, RANGE) == 0) {
            grove_feed_retention retention = {.commits_max =
                                                  test_random_below(random, 6 * RANGE)};
            assert_ok(fixture, grove_feed_retention_set(fixture->store, &retention,
                                                        &fixture->error));
            assert_ok(fixture, grove_feed_trim(fixture->store, 1 + RANGE, &removed,
                                               &fixture->error));
        }
        break;
    case 2:
    case 3:
        save_groups(fixture, 1);
        break;
    default:
        write_to(fixture, name, 1);
        break;
    }
}

/* Documents are deleted and made again at all distances from what ages. */
STORE_TEST(verify_commits, whatever_ages_when_is_sound)
{
    test_random random = test_random_of("verify_commits");
    for (int round = 0; round < 12; round++) {
        for (int step = 0; step < RANGE / 2 - 1; step++) {
            do_something(fixture, &random);
        }
        assert_sound(fixture->store, "aged at random");
    }
}

/* --- damaged ones --- */

typedef enum damage { FLIP, TRUNCATE, EMPTY, DELETE, DAMAGES } damage;

static void damage_row(store_fixture *fixture, const row *one, damage how, size_t at)
{
    uint8_t *copy = malloc(one->value_bytes);
    memcpy(copy, one->value, one->value_bytes);
    copy[at] ^= 0x10;
    size_t bytes = how == EMPTY ? 0 : one->value_bytes - (how == TRUNCATE ? 1 : 0);
    const uint8_t *value = how == FLIP ? copy : one->value;
    row_put(fixture, one->table, &one->key, how == DELETE ? NULL : value, bytes);
    free(copy);
}

/* The incarnations, when that of the record is the only one left; the oldest
 * commits, which the retention may have removed; the newest. */
static bool leaves_no_trace(const rows *all, size_t index)
{
    const row *one = &all->items[index];
    if (one->table == GROVE__TABLE_STORE) {
        return one->key.size == 12;
    }
    return one->table == GROVE__TABLE_COMMITS &&
           (all->items[index - 1].table != one->table ||
            all->items[index + 1].table != one->table);
}

static grove_finding_kind kind_of(const row *one)
{
    if (one->table == GROVE__TABLE_STORE) {
        return GROVE_FINDING_STORE;
    }
    return one->table == GROVE__TABLE_CLOCKS ? GROVE_FINDING_CLOCKS
                                             : GROVE_FINDING_COMMIT;
}

/* Whether something of the kind is found, and all that is found is of the
 * row's document and of no other. */
static void check_row(store_fixture *fixture, const rows *original, size_t index,
                      damage how, size_t at)
{
    const row *one = &original->items[index];
    char document[FOUND_NAME_BYTES];
    findings all;
    row_document(one, document);
    damage_row(fixture, one, how, at);
    verify_store(fixture->store, false, &all);
    row_restore(fixture, one);
    if (how == DELETE && leaves_no_trace(original, index)) {
        cr_assert_eq(all.count, 0);
        return;
    }
    bool is_right = findings_have(&all, kind_of(one));
    for (size_t nth = 0; nth < all.count && nth < FOUND_MAX; nth++) {
        is_right = is_right && strcmp(all.items[nth].document, document) == 0;
    }
    if (!is_right) {
        findings_print(&all);
    }
    cr_assert(is_right, "row %zu, of table %d and document '%s': damage %d at %zu", index,
              (int)one->table, document, (int)how, at);
}

STORE_TEST(verify_commits, every_damage_to_what_has_aged_is_found)
{
    make_aged(fixture);
    become_copy(fixture);
    save_groups(fixture, 2);
    rows original = rows_read(fixture);
    size_t records = 0;
    for (size_t index = 0; index < original.count; index++) {
        const row *one = &original.items[index];
        records += one->table == GROVE__TABLE_COMMITS ? 1 : 0;
        bool is_ours = one->table == GROVE__TABLE_STORE ||
                       one->table == GROVE__TABLE_CLOCKS ||
                       (one->table == GROVE__TABLE_COMMITS && records < 5);
        for (damage how = FLIP; is_ours && how < DAMAGES; how++) {
            check_row(fixture, &original, index, how, one->value_bytes / 2);
        }
    }
    rows_free(&original);
    assert_sound(fixture->store, "all is as it was");
}

STORE_TEST(verify_commits, a_row_of_another_document_or_commit_is_found)
{
    make_aged(fixture);
    rows all = rows_read(fixture);
    for (size_t index = 0; index < all.count; index++) {
        const row *one = &all.items[index];
        static const char *const NAMES[] = {"late", "nobody", "rare"};
        uint64_t commit = grove_read_u64(one->key.bytes + one->key.size - 8);
        for (int nth = 0; one->table == GROVE__TABLE_CLOCKS && nth < 3; nth++) {
            char document[FOUND_NAME_BYTES];
            grove__key key;
            findings found_all;
            row_document(one, document);
            grove__key_of_document_commit(&key, grove_bytes_of(NAMES[nth]), commit + 1);
            if (strcmp(document, NAMES[nth]) == 0) {
                row_put(fixture, one->table, &one->key, NULL, 0);
            }
            row_put(fixture, one->table, &key, one->value, one->value_bytes);
            verify_store(fixture->store, false, &found_all);
            cr_assert(findings_have(&found_all, nth == 1 ? GROVE_FINDING_ORPHAN
                                                         : GROVE_FINDING_CLOCKS),
                      "a row of %s as one of %s", document, NAMES[nth]);
            row_put(fixture, one->table, &key, NULL, 0);
            row_restore(fixture, one);
        }
    }
    rows_free(&all);
    assert_sound(fixture->store, "all is as it was");
}

/* --- lies behind the checksums --- */

static void put_sealed(store_fixture *fixture, grove__table table, const grove__key *key,
                       const uint8_t *value, size_t bytes, uint64_t seed)
{
    uint8_t copy[128];
    cr_assert_leq(bytes, sizeof copy);
    memcpy(copy, value, bytes);
    grove_write_u64(copy + bytes - 8, grove__hash((grove_bytes){copy, bytes - 8}, seed));
    row_put(fixture, table, key, copy, bytes);
}

static const row *find_own(const rows *all, const char *name)
{
    for (size_t index = 0; index < all->count; index++) {
        const row *one = &all->items[index];
        if (one->table == GROVE__TABLE_STORE && one->key.size == strlen(name) &&
            memcmp(one->key.bytes, name, one->key.size) == 0) {
            return one;
        }
    }
    cr_assert_fail("the store has no such record");
    return NULL;
}

/* The record with a number at an offset changed, and what is found then. */
static void assert_lie(store_fixture *fixture, const row *one, size_t at, uint64_t add,
                       uint64_t seed, grove_finding_kind kind)
{
    uint8_t copy[128];
    findings all;
    memcpy(copy, one->value, one->value_bytes);
    grove_write_u64(copy + at, grove_read_u64(copy + at) + add);
    put_sealed(fixture, one->table, &one->key, copy, one->value_bytes, seed);
    verify_store(fixture->store, false, &all);
    row_restore(fixture, one);
    cr_assert(findings_have(&all, kind), "number at %zu, %lld added", at, (long long)add);
}

STORE_TEST(verify_commits, an_aging_record_that_is_not_true_is_found)
{
    make_aged(fixture);
    rows all = rows_read(fixture);
    const row *aging = find_own(&all, "aging");
    uint64_t aged = grove_read_u64(aging->value + 1);
    uint64_t newest;
    assert_ok(fixture, grove_store_commit(fixture->store, &newest, &fixture->error));
    cr_assert_gt(aged, RANGE);
    const uint64_t wrong[] = {0, 1, aged - 1, aged + 1, newest - 1, newest, newest + 7};
    for (size_t index = 0; index < sizeof wrong / sizeof *wrong; index++) {
        assert_lie(fixture, aging, 1, wrong[index] - aged, 5, GROVE_FINDING_STORE);
    }
    assert_lie(fixture, aging, 1, UINT64_MAX - aged, 5, GROVE_FINDING_STORE);
    rows_free(&all);
}

STORE_TEST(verify_commits, incarnations_that_are_not_those_of_the_store_are_found)
{
    save_groups(fixture, 3);
    become_copy(fixture);
    save_groups(fixture, 1);
    rows all = rows_read(fixture);
    const row *list = find_own(&all, "incarnations");
    /* Two of them, of 16 bytes each, behind 5. */
    cr_assert_eq(list->value_bytes, 5 + 2 * 16 + 8);
    assert_lie(fixture, list, 5 + 16 + 8, 1, 6, GROVE_FINDING_STORE);
    assert_lie(fixture, list, 5 + 16, 2, 6, GROVE_FINDING_STORE);
    /* The incarnation of the record, at byte 4. */
    assert_lie(fixture, find_own(&all, "store"), 4, 1, 1, GROVE_FINDING_STORE);
    rows_free(&all);
    assert_sound(fixture->store, "all is as it was");
}

/* A row of clocks of a document. */
static const row *find_clocks(const rows *all, const char *id, size_t nth)
{
    for (size_t index = 0; index < all->count; index++) {
        char document[FOUND_NAME_BYTES];
        row_document(&all->items[index], document);
        if (all->items[index].table == GROVE__TABLE_CLOCKS && strcmp(document, id) == 0 &&
            nth-- == 0) {
            return &all->items[index];
        }
    }
    cr_assert_fail("there is no such row");
    return NULL;
}

/* That there is one finding, of the document's clocks. */
static void assert_one(store_fixture *fixture, const char *id)
{
    findings all;
    verify_store(fixture->store, false, &all);
    if (all.count != 1) {
        findings_print(&all);
    }
    cr_assert_eq(all.count, 1);
    cr_assert_eq(all.items[0].kind, GROVE_FINDING_CLOCKS);
    cr_assert_str_eq(all.items[0].document, id);
}

/* No commit is left to compare them with. */
STORE_TEST(verify_commits, clocks_beyond_the_documents_events_are_found)
{
    make_aged(fixture);
    trim(fixture);
    rows all = rows_read(fixture);
    const row *one = find_clocks(&all, "rare", 0);
    /* Format, count, clock: one byte each. */
    uint8_t copy[11];
    cr_assert_eq(one->value_bytes, sizeof copy);
    memcpy(copy, one->value, sizeof copy);
    copy[2]++;
    put_sealed(fixture, one->table, &one->key, copy, sizeof copy, 7);
    assert_one(fixture, "rare");
    rows_free(&all);
}

STORE_TEST(verify_commits, rows_that_do_not_go_on_are_found)
{
    make_aged(fixture);
    trim(fixture);
    rows all = rows_read(fixture);
    const row *first = find_clocks(&all, "busy", 0);
    const row *second = find_clocks(&all, "busy", 1);
    row_put(fixture, second->table, &second->key, first->value, first->value_bytes);
    assert_one(fixture, "busy");
    rows_free(&all);
}

STORE_TEST(verify_commits, an_aging_record_beyond_the_one_commit_that_is_left_is_found)
{
    make_aged(fixture);
    trim(fixture);
    rows all = rows_read(fixture);
    assert_lie(fixture, find_own(&all, "aging"), 1, 1, 5, GROVE_FINDING_STORE);
    rows_free(&all);
}

STORE_TEST(verify_commits, a_true_clock_of_a_commit_that_has_not_aged_is_found)
{
    make_aged(fixture);
    write_to(fixture, "late", 1);
    grove_buffer value;
    grove__key key;
    grove__commit_clock item = {.clock = statistics_of(fixture, "late").events};
    assert_ok(fixture, grove_store_commit(fixture->store, &item.commit, &fixture->error));
    grove_buffer_init(&value, &grove__allocator_system);
    grove__clock_row_encode(&item, 1, &value);
    grove__key_of_document_commit(&key, grove_bytes_of("late"), item.commit);
    row_put(fixture, GROVE__TABLE_CLOCKS, &key, value.data, value.size);
    assert_one(fixture, "late");
    grove_buffer_release(&value);
}

STORE_TEST(verify_commits, clocks_of_a_document_that_was_made_anew_are_no_lie)
{
    write_to(fixture, "a", RANGE);
    save_groups(fixture, RANGE - 6);
    delete_document(fixture, "a");
    write_to(fixture, "a", 1);
    save_groups(fixture, 6);
    rows all = rows_read(fixture);
    (void)find_clocks(&all, "a", 0);
    rows_free(&all);
    assert_sound(fixture->store, "the deletion has not aged");
    save_groups(fixture, RANGE);
    assert_sound(fixture->store, "it has");
}

STORE_TEST(verify_commits, clocks_of_a_store_of_which_none_has_aged_are_found)
{
    write_to(fixture, "a", 1);
    save_groups(fixture, 2 * RANGE);
    rows all = rows_read(fixture);
    const row *clocks = find_clocks(&all, "a", 0);
    store_fixture young;
    store_fixture_init(&young, "memory");
    store_fixture_open(&young);
    write_to(&young, "a", 1);
    row_put(&young, clocks->table, &clocks->key, clocks->value, clocks->value_bytes);
    findings found_all;
    verify_store(young.store, false, &found_all);
    cr_assert_eq(found_all.count, 1);
    cr_assert_eq(found_all.items[0].kind, GROVE_FINDING_STORE);
    store_fixture_close(&young);
    store_fixture_release(&young);
    rows_free(&all);
}

STORE_TEST(verify_commits, a_dump_that_was_not_loaded_to_its_end_is_found)
{
    save_groups(fixture, 2);
    rows all = rows_read(fixture);
    const row *record = find_own(&all, "store");
    grove__key key = {.size = 10};
    memcpy(key.bytes, "unfinished", key.size);
    row_put(fixture, record->table, &key, record->value, record->value_bytes);
    row_put(fixture, record->table, &record->key, NULL, 0);
    store_fixture_close(fixture);
    assert_ok(fixture, grove_store_open_damaged(fixture->dir.path, &fixture->options,
                                                &fixture->store, &fixture->error));
    findings found_all;
    verify_store(fixture->store, false, &found_all);
    cr_assert_eq(found_all.count, 1);
    cr_assert_eq(found_all.items[0].kind, GROVE_FINDING_STORE);
    rows_free(&all);
}

/* --- what only looks --- */

STORE_TEST(verify_commits, of_a_copy_that_is_opened_as_damaged_changes_nothing)
{
    make_aged(fixture);
    char path[TEMP_DIR_PATH_BYTES];
    (void)temp_dir_path(&fixture->dir, "copy", path);
    assert_ok(fixture,
              grove_store_backup(fixture->store, path, NULL, NULL, &fixture->error));
    store_fixture_close(fixture);
    rows before = {NULL, 0};
    for (int time = 0; time < 2; time++) {
        assert_ok(fixture, grove_store_open_damaged(path, &fixture->options,
                                                    &fixture->store, &fixture->error));
        rows now = rows_read(fixture);
        assert_sound(fixture->store, "a copy");
        store_fixture to;
        store_fixture_init(&to, "memory");
        store_fixture_open(&to);
        assert_ok(fixture, grove_store_salvage(fixture->store, to.store, NULL, NULL, NULL,
                                               NULL, &fixture->error));
        assert_sound(to.store, "salvaged");
        store_fixture_close(&to);
        store_fixture_release(&to);
        cr_assert(time == 0 || now.count == before.count);
        for (size_t index = 0; time > 0 && index < now.count; index++) {
            cr_assert_eq(now.items[index].value_bytes, before.items[index].value_bytes);
            cr_assert_eq(memcmp(now.items[index].value, before.items[index].value,
                                now.items[index].value_bytes),
                         0);
        }
        rows_free(&before);
        before = now;
        store_fixture_close(fixture);
    }
    rows_free(&before);
    store_fixture_open(fixture);
}

/* --- what fails on the way --- */

/* A clock of one document, and packs. */
static void init_packed(store_fixture *fixture)
{
    store_fixture_init(fixture, "memory");
    store_fixture_open(fixture);
    write_to(fixture, "a", 2);
    save_groups(fixture, 2 * RANGE);
    store_fixture_close(fixture);
}

static grove_status verify_all(store_fixture *fixture, findings *all)
{
    all->count = 0;
    return grove_store_verify(fixture->store, NULL, findings_take, all, &all->report,
                              &fixture->error);
}

Test(verify_commits, tells_when_any_allocation_fails)
{
    store_fixture fixture;
    init_packed(&fixture);
    size_t nth = 1;
    for (bool has_failed = true; has_failed; nth++) {
        faulty_allocator faulty;
        findings all;
        faulty_allocator_init(&faulty, 0);
        fixture.options.allocator = &faulty.allocator;
        store_fixture_open(&fixture);
        faulty.fails_at = faulty.calls + nth;
        grove_status status = verify_all(&fixture, &all);
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        cr_assert_eq(all.count, 0, "no memory was taken for damage, at %zu", nth);
        has_failed = faulty.has_failed;
        store_fixture_close(&fixture);
        faulty_allocator_finish(&faulty);
    }
    cr_assert_gt(nth, 50);
    store_fixture_release(&fixture);
}

/* Whichever call finds the store damaged, or cannot read it, it is said. */
static void fail_each_call(store_fixture *fixture, grove_status failure)
{
    const grove_backend *under = fixture->options.backend;
    bool has_failed = true;
    for (size_t nth = 1; has_failed; nth += 1 + RANGE / 64) {
        faulty_backend faulty;
        findings all;
        faulty_backend_init(&faulty, under, 0, failure);
        faulty.under_context = fixture->disk;
        fixture->options.backend = &faulty.table;
        fixture->options.backend_context = &faulty;
        store_fixture_open(fixture);
        faulty.fails_at = faulty.calls + nth;
        grove_status status = verify_all(fixture, &all);
        has_failed = faulty.has_failed;
        bool is_damage = failure == GROVE_CORRUPT && has_failed &&
                         strcmp(faulty.failed_call, "begin") != 0;
        cr_assert_eq(status, has_failed && !is_damage ? failure : GROVE_OK, "%zu", nth);
        cr_assert_eq(all.count > 0, is_damage, "call %zu, %s", nth, faulty.failed_call);
        store_fixture_close(fixture);
        faulty_backend_finish(&faulty);
        fixture->options.backend = under;
        fixture->options.backend_context = fixture->disk;
    }
}

Test(verify_commits, tells_when_any_call_of_the_backend_fails)
{
    store_fixture fixture;
    init_packed(&fixture);
    fail_each_call(&fixture, GROVE_IO);
    fail_each_call(&fixture, GROVE_CORRUPT);
    store_fixture_release(&fixture);
}
