/*
 * A sound store has no findings. Whatever is changed in any of its rows is
 * found, is said to be what it is, and is said of nothing else.
 */
#include "support/reseal.h"
#include "support/verified_store.h"

STORE_TEST(verify, a_store_of_real_sessions_has_no_findings)
{
    make_everything(fixture);
    assert_sound(fixture->store, "made by sessions");
    findings all;
    verify_store(fixture->store, false, &all);
    cr_assert_eq(all.report.documents, 7);
    cr_assert_eq(all.report.documents_of_other_types, 0);
    cr_assert_eq(all.report.groups, 3);
    cr_assert_gt(all.report.pending, 0);
    cr_assert_gt(all.report.snapshots, 4);
    cr_assert_gt(all.report.batches, 7);
    uint64_t commit;
    assert_ok(fixture, grove_store_commit(fixture->store, &commit, &fixture->error));
    cr_assert_eq(all.report.commits, commit);
    cr_assert_eq(all.report.snapshots_replayed, 0);
    cr_assert_not(all.report.stopped);
    verify_store(fixture->store, true, &all);
    cr_assert_gt(all.report.snapshots_replayed, 2);
}

/* What is done to a row. */
typedef enum damage { FLIP, TRUNCATE, EMPTY, DELETE, DAMAGES } damage;

/* What has to be among the findings, by the table. */
static grove_finding_kind kind_of(const row *one, bool whole, damage how)
{
    static const grove_finding_kind DAMAGED[] = {
        [GROVE__TABLE_STORE] = GROVE_FINDING_STORE,
        [GROVE__TABLE_META] = GROVE_FINDING_META,
        [GROVE__TABLE_EVENTS] = GROVE_FINDING_BATCH,
        [GROVE__TABLE_SNAPSHOTS] = GROVE_FINDING_SNAPSHOT,
        [GROVE__TABLE_REPLICAS] = GROVE_FINDING_REPLICAS,
        [GROVE__TABLE_PENDING] = GROVE_FINDING_PENDING,
        [GROVE__TABLE_GROUPS] = GROVE_FINDING_GROUP,
        [GROVE__TABLE_COMMITS] = GROVE_FINDING_COMMIT,
        [GROVE__TABLE_CLOCKS] = GROVE_FINDING_CLOCKS,
    };
    if (how == DELETE && one->table == GROVE__TABLE_META) {
        return GROVE_FINDING_ORPHAN;
    }
    if (how == DELETE && one->table == GROVE__TABLE_EVENTS && whole) {
        return GROVE_FINDING_MISSING;
    }
    if (how == DELETE && whole &&
        (one->table == GROVE__TABLE_SNAPSHOTS || one->table == GROVE__TABLE_PENDING)) {
        return GROVE_FINDING_META;
    }
    return DAMAGED[one->table];
}

/* A group that is gone as a whole, the newest commit, and the oldest ones once
 * they are packed, which the retention may have removed: no other row tells of
 * them. */
static bool leaves_no_trace(const rows *all, size_t index, damage how)
{
    const row *one = &all->items[index];
    bool is_last = index + 1 == all->count || all->items[index + 1].table != one->table;
    bool is_oldest_pack = memcmp(one->value, "GROVE_CM", 8) == 0 &&
                          all->items[index - 1].table != one->table;
    return how == DELETE &&
           ((one->table == GROVE__TABLE_GROUPS && is_whole(all, index)) ||
            (one->table == GROVE__TABLE_COMMITS && (is_last || is_oldest_pack)));
}

static void damage_row(store_fixture *fixture, const row *one, damage how, size_t at)
{
    uint8_t *copy = malloc(one->value_bytes + 1);
    memcpy(copy, one->value, one->value_bytes);
    copy[at] ^= 0x10;
    switch (how) {
    case FLIP:
        row_put(fixture, one->table, &one->key, copy, one->value_bytes);
        break;
    case TRUNCATE:
        row_put(fixture, one->table, &one->key, one->value, one->value_bytes - 1);
        break;
    case EMPTY:
        row_put(fixture, one->table, &one->key, one->value, 0);
        break;
    default:
        row_put(fixture, one->table, &one->key, NULL, 0);
        break;
    }
    free(copy);
}

/* The damage is found, and nothing is said of other documents. */
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
    if (leaves_no_trace(original, index, how)) {
        cr_assert_eq(all.count, 0);
        return;
    }
    grove_finding_kind wanted = kind_of(one, is_whole(original, index), how);
    bool is_right = findings_have(&all, wanted);
    for (size_t nth = 0; nth < all.count && nth < FOUND_MAX; nth++) {
        is_right = is_right && strcmp(all.items[nth].document, document) == 0;
    }
    if (!is_right) {
        findings_print(&all);
    }
    cr_assert(is_right, "row %zu, of table %d and document '%s': damage %d at %zu", index,
              (int)one->table, document, (int)how, at);
}

STORE_TEST(verify, every_damage_to_every_row_is_found_and_to_no_other)
{
    make_everything(fixture);
    rows original = rows_read(fixture);
    for (size_t index = 0; index < original.count; index++) {
        size_t bytes = original.items[index].value_bytes;
        size_t step = bytes < 400 ? 7 : bytes / 9;
        for (size_t at = 0; at < bytes; at += step) {
            check_row(fixture, &original, index, FLIP, at);
        }
        check_row(fixture, &original, index, FLIP, bytes - 1);
        for (damage how = TRUNCATE; how < DAMAGES; how++) {
            check_row(fixture, &original, index, how, 0);
        }
    }
    rows_free(&original);
    assert_sound(fixture->store, "all is as it was");
}

/* --- entries that do not belong --- */

/* Adds an entry, verifies and takes it away again. */
static void find_added(store_fixture *fixture, grove__table table, const grove__key *key,
                       grove_bytes value, findings *all)
{
    row_put(fixture, table, key, value.data, value.size);
    verify_store(fixture->store, false, all);
    row_put(fixture, table, key, NULL, 0);
}

static void assert_added(store_fixture *fixture, grove__table table,
                         const grove__key *key, grove_bytes value,
                         grove_finding_kind kind, const char *what)
{
    findings all;
    find_added(fixture, table, key, value, &all);
    if (!findings_have(&all, kind)) {
        findings_print(&all);
    }
    cr_assert(findings_have(&all, kind), "%s", what);
}

STORE_TEST(verify, an_entry_with_a_key_of_no_kind_is_found_in_every_table)
{
    make_everything(fixture);
    static const char *const KEYS[] = {"\x01", "junk", "plain\0\0\0\x04"};
    static const size_t SIZES[] = {1, 4, 9};
    for (int table = 0; table < GROVE__TABLE_COUNT; table++) {
        for (size_t index = 0; index < 3; index++) {
            grove__key key = {.size = SIZES[index]};
            memcpy(key.bytes, KEYS[index], key.size);
            assert_added(fixture, (grove__table)table, &key, grove_bytes_of("value"),
                         GROVE_FINDING_KEY, "a key of no kind");
        }
    }
    /* Behind a whole key of the table. */
    rows all = rows_read(fixture);
    for (size_t index = 0; index < all.count; index++) {
        grove__key key = all.items[index].key;
        key.bytes[key.size++] = 0;
        assert_added(fixture, all.items[index].table, &key, grove_bytes_of("value"),
                     GROVE_FINDING_KEY, "a key with a byte more");
    }
    rows_free(&all);
    assert_sound(fixture->store, "all is as it was");
}

/* The kind of a value that has a part too many, or of an entry that is in
 * none of its document's places. */
static grove_finding_kind kind_of_added(grove__table table)
{
    switch (table) {
    case GROVE__TABLE_EVENTS:
        return GROVE_FINDING_BATCH;
    case GROVE__TABLE_SNAPSHOTS:
        return GROVE_FINDING_SNAPSHOT;
    case GROVE__TABLE_PENDING:
        return GROVE_FINDING_PENDING;
    default:
        return GROVE_FINDING_GROUP;
    }
}

STORE_TEST(verify, a_part_too_many_is_found)
{
    make_everything(fixture);
    rows all = rows_read(fixture);
    for (size_t index = 0; index < all.count; index++) {
        const row *one = &all.items[index];
        bool is_last = index + 1 == all.count || row_part(one + 1) == 0 ||
                       (one + 1)->table != one->table;
        if (!is_in_parts(one->table) || !is_last) {
            continue;
        }
        grove__key key = one->key;
        grove_write_u64(key.bytes + key.size - 8, row_part(one) + 1);
        assert_added(fixture, one->table, &key,
                     (grove_bytes){one->value, one->value_bytes},
                     kind_of_added(one->table), "a part too many");
    }
    rows_free(&all);
}

STORE_TEST(verify, entries_of_a_document_without_a_record_are_orphans)
{
    make_everything(fixture);
    rows all = rows_read(fixture);
    for (size_t index = 0; index < all.count; index++) {
        const row *one = &all.items[index];
        if (one->table < GROVE__TABLE_EVENTS || one->table > GROVE__TABLE_PENDING) {
            continue;
        }
        /* The same under another name. */
        grove__key key = one->key;
        key.bytes[0] = 'z';
        findings found_all;
        find_added(fixture, one->table, &key, (grove_bytes){one->value, one->value_bytes},
                   &found_all);
        cr_assert_eq(found_all.count, 1);
        cr_assert_eq(found_all.items[0].kind, GROVE_FINDING_ORPHAN);
        cr_assert_eq(found_all.items[0].document[0], 'z');
    }
    rows_free(&all);
}

/* A row of a table whose document has the name. */
static const row *find_row(const rows *all, grove__table table, const char *name,
                           size_t nth)
{
    for (size_t index = 0; index < all->count; index++) {
        char document[FOUND_NAME_BYTES];
        row_document(&all->items[index], document);
        if (all->items[index].table == table && strcmp(document, name) == 0 &&
            nth-- == 0) {
            return &all->items[index];
        }
    }
    cr_assert_fail("no such row");
    return NULL;
}

STORE_TEST(verify, a_batch_or_a_snapshot_at_another_clock_is_found)
{
    make_everything(fixture);
    rows all = rows_read(fixture);
    static const grove__table TABLES[] = {GROVE__TABLE_EVENTS, GROVE__TABLE_SNAPSHOTS};
    for (size_t index = 0; index < 2; index++) {
        const row *one = find_row(&all, TABLES[index], "sealed", 0);
        grove__key key = one->key;
        grove_write_u64(key.bytes + key.size - 16, row_clock(one) + 1);
        assert_added(fixture, one->table, &key,
                     (grove_bytes){one->value, one->value_bytes},
                     kind_of_added(one->table), "at another clock");
    }
    rows_free(&all);
}

/* --- lies behind the checksums --- */

/* Puts a record with a number changed, its checksum renewed. */
static void lie_in_record(store_fixture *fixture, const row *one, size_t at,
                          uint64_t seed, uint64_t add)
{
    uint8_t copy[GROVE__META_RECORD_BYTES];
    cr_assert_leq(one->value_bytes, sizeof copy);
    memcpy(copy, one->value, one->value_bytes);
    grove_write_u64(copy + at, grove_read_u64(copy + at) + add);
    size_t hashed = one->value_bytes - 8;
    grove_write_u64(copy + hashed, grove__hash((grove_bytes){copy, hashed}, seed));
    row_put(fixture, one->table, &one->key, copy, one->value_bytes);
}

STORE_TEST(verify, every_number_of_a_documents_record_is_compared)
{
    make_everything(fixture);
    rows all = rows_read(fixture);
    /* Events, base clock, batches, their bytes, snapshots, theirs, the newest
     * one's clock and bytes, what waits: docs/FORMAT.md, "A document". */
    static const size_t NUMBERS[] = {37, 45, 53, 61, 69, 77, 85, 93, 109};
    static const char *const NAMES[] = {"plain", "cut", "sealed", "waiting", "opaque"};
    for (size_t name = 0; name < sizeof NAMES / sizeof *NAMES; name++) {
        const row *one = find_row(&all, GROVE__TABLE_META, NAMES[name], 0);
        for (size_t index = 0; index < sizeof NUMBERS / sizeof *NUMBERS; index++) {
            for (int step = -1; step <= 1; step += 2) {
                findings found_all;
                lie_in_record(fixture, one, NUMBERS[index], 2, (uint64_t)(int64_t)step);
                verify_store(fixture->store, false, &found_all);
                cr_assert(findings_have(&found_all, GROVE_FINDING_META) ||
                              findings_have(&found_all, GROVE_FINDING_MISSING),
                          "%s, number at %zu, %d", NAMES[name], NUMBERS[index], step);
                cr_assert_str_eq(found_all.items[0].document, NAMES[name]);
                row_restore(fixture, one);
            }
        }
    }
    rows_free(&all);
    assert_sound(fixture->store, "all is as it was");
}

STORE_TEST(verify, runs_of_replicas_that_are_not_true_are_found)
{
    make_everything(fixture);
    rows all = rows_read(fixture);
    size_t tried = 0;
    for (size_t index = 0; index < all.count; index++) {
        const row *one = &all.items[index];
        for (size_t at = 0; one->table == GROVE__TABLE_REPLICAS && at <= 8; at += 8) {
            findings found_all;
            lie_in_record(fixture, one, at, 3, 1);
            verify_store(fixture->store, false, &found_all);
            cr_assert(findings_have(&found_all, GROVE_FINDING_REPLICAS));
            row_restore(fixture, one);
            tried++;
        }
    }
    cr_assert_gt(tried, 10);
    rows_free(&all);
}

STORE_TEST(verify, two_runs_that_have_changed_places_are_found)
{
    static const char *const REPLICAS[] = {"ann", "bob"};
    for (size_t index = 0; index < 2; index++) {
        grove_document *document = open_named(fixture, "a", REPLICAS[index], false);
        insert(fixture, document, 0, "12345");
        (void)save(fixture, document);
        grove_document_close(document);
    }
    /* Together they still cover all clocks, and each begins with 0. */
    rows all = rows_read(fixture);
    const row *one = find_row(&all, GROVE__TABLE_REPLICAS, "a", 0);
    const row *other = find_row(&all, GROVE__TABLE_REPLICAS, "a", 1);
    findings found_all;
    row_put(fixture, one->table, &one->key, other->value, other->value_bytes);
    row_put(fixture, other->table, &other->key, one->value, one->value_bytes);
    verify_store(fixture->store, false, &found_all);
    cr_assert_geq(found_all.count, 1);
    cr_assert(findings_have(&found_all, GROVE_FINDING_REPLICAS));
    rows_free(&all);
}

/* Puts a value of one part whose block was changed at a byte, all checksums
 * renewed. */
static void lie_in_block(store_fixture *fixture, const row *one, size_t at, uint8_t byte)
{
    uint8_t *copy = malloc(one->value_bytes);
    memcpy(copy, one->value, one->value_bytes);
    copy[at] = byte;
    reseal(copy, one->value_bytes - 9);
    size_t hashed = one->value_bytes - 8;
    grove_write_u64(copy + hashed, grove__hash((grove_bytes){copy, hashed}, 0));
    row_put(fixture, one->table, &one->key, copy, one->value_bytes);
    free(copy);
}

STORE_TEST(verify, a_batch_that_lies_about_its_reach_is_found)
{
    make_everything(fixture);
    rows all = rows_read(fixture);
    /* The last byte of the reach: docs/FORMAT.md, "Fields of a batch". */
    findings found_all;
    const row *one = find_row(&all, GROVE__TABLE_EVENTS, "sealed", 1);
    lie_in_block(fixture, one, 15 + 15, (uint8_t)(one->value[15 + 15] - 1));
    verify_store(fixture->store, false, &found_all);
    cr_assert(findings_have(&found_all, GROVE_FINDING_GRAPH));
    row_restore(fixture, one);
    rows_free(&all);
}

STORE_TEST(verify, a_snapshot_that_lies_about_its_heads_is_found)
{
    make_everything(fixture);
    rows all = rows_read(fixture);
    const row *one = find_row(&all, GROVE__TABLE_SNAPSHOTS, "plain", 0);
    findings found_all;
    /* A byte of the name of the first head's replica, then one of its text. */
    lie_in_block(fixture, one, 15 + 24 + 9, 'z');
    verify_store(fixture->store, false, &found_all);
    cr_assert(findings_have(&found_all, GROVE_FINDING_SNAPSHOT));
    row_restore(fixture, one);
    rows_free(&all);
}

STORE_TEST(verify, only_a_replay_finds_a_snapshot_with_another_text)
{
    make_everything(fixture);
    rows all = rows_read(fixture);
    static const char *const NAMES[] = {"plain", "cut"};
    for (size_t index = 0; index < 2; index++) {
        const row *one = find_row(&all, GROVE__TABLE_SNAPSHOTS, NAMES[index], index);
        findings found_all;
        /* The last character of the text, in front of the part's end. */
        lie_in_block(fixture, one, one->value_bytes - 10, '!');
        verify_store(fixture->store, false, &found_all);
        cr_assert_eq(found_all.count, 0);
        verify_store(fixture->store, true, &found_all);
        cr_assert_eq(found_all.count, 1);
        cr_assert_eq(found_all.items[0].kind, GROVE_FINDING_REPLAY);
        cr_assert_str_eq(found_all.items[0].document, NAMES[index]);
        row_restore(fixture, one);
    }
    rows_free(&all);
}

/* --- options --- */

typedef struct places {
    size_t count;
    size_t stops_at; /* the place with this number, from 1; 0: none */
    char table[16];
    char name[FOUND_NAME_BYTES];
    size_t name_bytes;
    size_t documents;
} places;

static bool take_place(void *context, const char *table, grove_bytes name)
{
    places *all = context;
    all->count++;
    all->documents += strcmp(table, "meta") == 0 ? 1 : 0;
    (void)snprintf(all->table, sizeof all->table, "%s", table);
    cr_assert_lt(name.size, sizeof all->name);
    memcpy(all->name, name.data == NULL ? (const uint8_t *)"" : name.data, name.size);
    all->name_bytes = name.size;
    return all->count != all->stops_at;
}

STORE_TEST(verify, goes_on_behind_every_place_where_it_was_stopped)
{
    make_everything(fixture);
    grove_verify_options options = GROVE_VERIFY_OPTIONS_INIT;
    grove_verify_report report;
    places whole = {.stops_at = 0};
    options.at = take_place;
    assert_ok(fixture, grove_store_verify(fixture->store, &options, NULL, &whole, &report,
                                          &fixture->error));
    cr_assert_not(report.stopped);
    cr_assert_eq(whole.documents, 7);
    for (size_t stop = 1; stop <= whole.count; stop++) {
        places first = {.stops_at = stop};
        options.after_table = NULL;
        assert_ok(fixture, grove_store_verify(fixture->store, &options, NULL, &first,
                                              &report, &fixture->error));
        cr_assert(report.stopped);
        cr_assert_eq(first.count, stop);
        places rest = {.stops_at = 0};
        options.after_table = first.table;
        options.after_name = (grove_bytes){(const uint8_t *)first.name, first.name_bytes};
        assert_ok(fixture, grove_store_verify(fixture->store, &options, NULL, &rest,
                                              &report, &fixture->error));
        cr_assert_eq(first.count + rest.count, whole.count, "stopped at %zu", stop);
        cr_assert_eq(report.findings, 0);
    }
}

STORE_TEST(verify, looks_at_one_document_or_those_that_begin_alike)
{
    make_everything(fixture);
    grove_verify_options options = GROVE_VERIFY_OPTIONS_INIT;
    grove_verify_report report;
    options.prefix = grove_bytes_of("cut");
    assert_ok(fixture, grove_store_verify(fixture->store, &options, NULL, NULL, &report,
                                          &fixture->error));
    cr_assert_eq(report.documents, 2);
    cr_assert_eq(report.groups, 0);
    cr_assert_eq(report.commits, 0);
    options.one_document = true;
    assert_ok(fixture, grove_store_verify(fixture->store, &options, NULL, NULL, &report,
                                          &fixture->error));
    cr_assert_eq(report.documents, 1);
    options.prefix = grove_bytes_of("cu");
    assert_fails(fixture, GROVE_NONE,
                 grove_store_verify(fixture->store, &options, NULL, NULL, &report,
                                    &fixture->error));
    rows all = rows_read(fixture);
    const row *meta = find_row(&all, GROVE__TABLE_META, "cut", 0);
    options.prefix = grove_bytes_of("cut");
    row_put(fixture, meta->table, &meta->key, NULL, 0);
    assert_ok(fixture, grove_store_verify(fixture->store, &options, NULL, NULL, &report,
                                          &fixture->error));
    cr_assert_eq(report.findings, 1);
    rows_free(&all);
}

STORE_TEST(verify, refuses_options_that_are_none)
{
    grove_verify_options options = GROVE_VERIFY_OPTIONS_INIT;
    options.size--;
    assert_fails(
        fixture, GROVE_INVALID,
        grove_store_verify(fixture->store, &options, NULL, NULL, NULL, &fixture->error));
    options = (grove_verify_options)GROVE_VERIFY_OPTIONS_INIT;
    options.after_table = "tables";
    assert_fails(
        fixture, GROVE_INVALID,
        grove_store_verify(fixture->store, &options, NULL, NULL, NULL, &fixture->error));
    options.after_table = "commits";
    options.after_name = grove_bytes_of("nine byte");
    assert_fails(
        fixture, GROVE_INVALID,
        grove_store_verify(fixture->store, &options, NULL, NULL, NULL, &fixture->error));
    uint8_t name[GROVE_DOCUMENT_ID_BYTES_MAX + 1] = {1};
    options = (grove_verify_options)GROVE_VERIFY_OPTIONS_INIT;
    options.prefix = (grove_bytes){name, sizeof name};
    assert_fails(
        fixture, GROVE_LIMIT,
        grove_store_verify(fixture->store, &options, NULL, NULL, NULL, &fixture->error));
    cr_assert_str_eq(grove_finding_kind_name(GROVE_FINDING_CRASH), "crash");
    cr_assert_str_eq(grove_finding_kind_name((grove_finding_kind)99), "?");
}

static bool stop_at_once(void *context, const grove_finding *finding)
{
    (void)finding;
    ++*(size_t *)context;
    return false;
}

STORE_TEST(verify, a_callback_that_wants_no_more_gets_no_more)
{
    make_everything(fixture);
    rows all = rows_read(fixture);
    for (size_t index = 0; index < all.count; index++) {
        row_put(fixture, all.items[index].table, &all.items[index].key,
                (const uint8_t *)"x", 1);
    }
    size_t calls = 0;
    grove_verify_report report;
    assert_ok(fixture, grove_store_verify(fixture->store, NULL, stop_at_once, &calls,
                                          &report, &fixture->error));
    cr_assert_eq(calls, 1);
    cr_assert(report.stopped);
    rows_free(&all);
}

STORE_TEST(verify, packs_of_commits_are_checked)
{
    for (int count = 0; count < 1100; count++) {
        assert_ok(fixture, grove_group_save(fixture->store, grove_bytes_of("counter"),
                                            grove_bytes_of("42"), NULL, &fixture->error));
    }
    assert_sound(fixture->store, "with packs");
    rows all = rows_read(fixture);
    size_t packs = 0;
    for (size_t index = 0; index < all.count; index++) {
        const row *one = &all.items[index];
        bool is_pack =
            one->table == GROVE__TABLE_COMMITS && memcmp(one->value, "GROVE_CM", 8) == 0;
        if (!is_pack) {
            continue;
        }
        packs++;
        findings found_all;
        damage_row(fixture, one, FLIP, one->value_bytes / 2);
        verify_store(fixture->store, false, &found_all);
        cr_assert(findings_have(&found_all, GROVE_FINDING_COMMIT));
        row_restore(fixture, one);
        /* The record of a commit that the pack has as well. */
        grove__key key = one->key;
        key.bytes[key.size - 1]++;
        assert_added(fixture, GROVE__TABLE_COMMITS, &key,
                     (grove_bytes){all.items[all.count - 1].value,
                                   all.items[all.count - 1].value_bytes},
                     GROVE_FINDING_COMMIT, "a commit twice");
    }
    cr_assert_gt(packs, 0);
    rows_free(&all);
}

/* --- what only one check can see --- */

STORE_TEST(verify, a_batch_that_overlaps_another_is_found)
{
    make_everything(fixture);
    rows all = rows_read(fixture);
    const row *one = find_row(&all, GROVE__TABLE_EVENTS, "sealed", 1);
    row moved = *one;
    moved.value = malloc(one->value_bytes);
    memcpy(moved.value, one->value, one->value_bytes);
    uint64_t clock = row_clock(one) + 1;
    grove_write_u64(moved.key.bytes + moved.key.size - 16, clock);
    grove_write_u64(moved.value + 15, clock);
    findings found_all;
    lie_in_block(fixture, &moved, 0, 'G');
    verify_store(fixture->store, false, &found_all);
    bool says_so = false;
    for (size_t index = 0; index < found_all.count && index < FOUND_MAX; index++) {
        says_so = says_so || strstr(found_all.items[index].message,
                                    "has clocks of the one before it") != NULL;
    }
    cr_assert(says_so);
    cr_assert_not(findings_have(&found_all, GROVE_FINDING_GRAPH));
    free(moved.value);
    rows_free(&all);
}

STORE_TEST(verify, sequences_of_removed_events_that_leave_some_out_are_found)
{
    make_everything(fixture);
    rows all = rows_read(fixture);
    size_t tried = 0;
    for (size_t index = 0; index < all.count; index++) {
        char document[FOUND_NAME_BYTES];
        const row *one = &all.items[index];
        row_document(one, document);
        if (one->table != GROVE__TABLE_REPLICAS || strcmp(document, "cut whole") != 0) {
            continue;
        }
        grove__key key = one->key;
        uint8_t *sequence = key.bytes + key.size - 8;
        grove_write_u64(sequence, grove_read_u64(sequence) + 1);
        findings found_all;
        row_put(fixture, one->table, &one->key, NULL, 0);
        find_added(fixture, one->table, &key, (grove_bytes){one->value, one->value_bytes},
                   &found_all);
        cr_assert(findings_have(&found_all, GROVE_FINDING_REPLICAS));
        row_restore(fixture, one);
        tried++;
    }
    cr_assert_gt(tried, 2);
    rows_free(&all);
}

STORE_TEST(verify, heads_of_a_snapshot_that_others_come_after_are_found)
{
    write_apart(fixture, "apart");
    rows all = rows_read(fixture);
    row one = *find_row(&all, GROVE__TABLE_SNAPSHOTS, "apart", 0);
    uint8_t *head = one.value + 15 + 24;
    size_t name_bytes = head[8];
    uint8_t *sequence = head + 9 + name_bytes;
    cr_assert_eq(memcmp(head + 9, "left", 4), 0);
    findings found_all;
    /* Another event of the replica than the one at this clock. */
    grove_write_u64(sequence, grove_read_u64(sequence) - 1);
    lie_in_block(fixture, &one, 0, 'G');
    verify_store(fixture->store, false, &found_all);
    cr_assert(findings_have(&found_all, GROVE_FINDING_SNAPSHOT));
    /* The event before it, which it comes after. */
    grove_write_u64(head, grove_read_u64(head) - 2);
    lie_in_block(fixture, &one, 0, 'G');
    verify_store(fixture->store, false, &found_all);
    cr_assert(findings_have(&found_all, GROVE_FINDING_SNAPSHOT));
    rows_free(&all);
}
