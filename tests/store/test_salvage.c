/*
 * What is sound of a damaged store is in the new one, which itself has no
 * findings; what is not is said.
 */
#include "support/verified_store.h"

/* --- where to --- */

typedef struct lost {
    grove_loss_kind kind;
    char name[FOUND_NAME_BYTES];
    uint64_t first_clock, end_clock;
} lost;

typedef struct salvaged {
    store_fixture store;
    grove_salvage_report report;
    lost losses[FOUND_MAX];
    size_t loss_count;
} salvaged;

static bool take_loss(void *context, const grove_loss *loss)
{
    salvaged *to = context;
    cr_assert_neq(loss->message[0], '\0');
    cr_assert_lt(to->loss_count, FOUND_MAX);
    lost *one = &to->losses[to->loss_count++];
    one->kind = loss->kind;
    one->first_clock = loss->first_clock;
    one->end_clock = loss->end_clock;
    (void)snprintf(one->name, sizeof one->name, "%.*s", (int)loss->name.size,
                   (const char *)loss->name.data);
    return true;
}

static void salvaged_print(const salvaged *to)
{
    for (size_t index = 0; index < to->loss_count; index++) {
        const lost *one = &to->losses[index];
        (void)fprintf(stderr, "  %s of '%s', %llu to %llu\n",
                      grove_loss_kind_name(one->kind), one->name,
                      (unsigned long long)one->first_clock,
                      (unsigned long long)one->end_clock);
    }
}

/* Salvages to a store in memory, which has to be sound. */
static void salvage(store_fixture *fixture, salvaged *to)
{
    memset(to, 0, sizeof *to);
    store_fixture_init(&to->store, "memory");
    store_fixture_open(&to->store);
    assert_ok(fixture, grove_store_salvage(fixture->store, to->store.store, NULL,
                                           take_loss, to, &to->report, &fixture->error));
    cr_assert_eq(to->report.losses, to->loss_count);
    assert_sound(to->store.store, "what was salvaged");
}

static void salvaged_free(salvaged *to)
{
    store_fixture_close(&to->store);
    store_fixture_release(&to->store);
}

static bool has_loss(const salvaged *to, grove_loss_kind kind, const char *name)
{
    for (size_t index = 0; index < to->loss_count; index++) {
        if (to->losses[index].kind == kind && strcmp(to->losses[index].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* --- what was there --- */

static const char *const DOCUMENTS[] = {"plain",   "cut",    "cut whole", "sealed",
                                        "waiting", "opaque", "large"};
enum { DOCUMENT_COUNT = sizeof DOCUMENTS / sizeof *DOCUMENTS };

/* A document as it was: its text (of an opaque one its payloads are counted),
 * its clock, and what is known of replicas. */
typedef struct copy {
    char *text;
    uint64_t events;
    uint64_t base;
    uint64_t waiting;
    grove_document_statistics statistics;
} copy;

static bool copy_read(store_fixture *fixture, const char *id, copy *copy_out)
{
    grove_document *document = NULL;
    memset(copy_out, 0, sizeof *copy_out);
    if (grove_document_load(fixture->store, grove_bytes_of(id), NULL, &document,
                            &fixture->error) != GROVE_OK) {
        return false;
    }
    copy_out->statistics = statistics_of(fixture, id);
    copy_out->events = grove_document_clock(document);
    copy_out->base = copy_out->statistics.base_clock;
    uint64_t aside;
    assert_ok(fixture, grove_document_pending(document, &copy_out->waiting, &aside,
                                              &fixture->error));
    uint64_t length = 0;
    uint64_t bytes = 0;
    if (strcmp(copy_out->statistics.type_name, "text") == 0) {
        size_t read;
        assert_ok(fixture, grove_text_length(document, &length, &bytes, &fixture->error));
        copy_out->text = malloc(bytes + 1);
        assert_ok(fixture, grove_text_read(document, 0, length, copy_out->text, bytes + 1,
                                           &read, &length, &fixture->error));
    } else {
        copy_out->text = malloc(1);
    }
    copy_out->text[bytes] = '\0';
    grove_document_close(document);
    return true;
}

static void copy_free(copy *one)
{
    free(one->text);
}

/* The text of a document at a clock. */
static char *text_at(store_fixture *fixture, const char *id, uint64_t clock)
{
    grove_document *document = NULL;
    uint64_t length;
    uint64_t bytes;
    size_t read;
    assert_ok(fixture, grove_document_load_at(fixture->store, grove_bytes_of(id), clock,
                                              NULL, &document, &fixture->error));
    assert_ok(fixture, grove_text_length(document, &length, &bytes, &fixture->error));
    char *text = malloc(bytes + 1);
    assert_ok(fixture, grove_text_read(document, 0, length, text, bytes + 1, &read,
                                       &length, &fixture->error));
    text[bytes] = '\0';
    grove_document_close(document);
    return text;
}

/* All groups are there that can be read in the old store, and no other. */
static void check_groups(store_fixture *fixture, salvaged *to)
{
    static const char *const GROUPS[] = {"big group", "counter", "empty"};
    for (size_t index = 0; index < sizeof GROUPS / sizeof *GROUPS; index++) {
        grove_bytes before = {NULL, 0};
        grove_bytes after = {NULL, 0};
        grove_status had = grove_group_load(fixture->store, grove_bytes_of(GROUPS[index]),
                                            &before, &fixture->error);
        grove_status has = grove_group_load(
            to->store.store, grove_bytes_of(GROUPS[index]), &after, &fixture->error);
        if (had == GROVE_OK) {
            cr_assert_eq(has, GROVE_OK);
            cr_assert_eq(before.size, after.size);
            cr_assert(before.size == 0 ||
                      memcmp(before.data, after.data, before.size) == 0);
            grove_bytes_free(fixture->store, before);
        } else if (has != GROVE_OK) {
            cr_assert_eq(has, GROVE_NONE);
            cr_assert_eq(has_loss(to, GROVE_LOSS_WHOLE, GROUPS[index]),
                         had == GROVE_CORRUPT);
        }
        if (has == GROVE_OK) {
            grove_bytes_free(to->store.store, after);
        }
    }
}

/* Clocks have not changed, and nothing was replaced but what is damaged. */
static void check_whole(store_fixture *fixture, salvaged *to, const char *id)
{
    copy before;
    copy after;
    cr_assert(copy_read(fixture, id, &before));
    cr_assert(copy_read(&to->store, id, &after), "%s", id);
    cr_assert_str_eq(before.text, after.text);
    cr_assert_eq(before.events, after.events);
    cr_assert_eq(before.base, after.base);
    cr_assert_eq(before.waiting, after.waiting);
    cr_assert_eq(before.statistics.batches, after.statistics.batches);
    cr_assert_eq(before.statistics.batch_bytes, after.statistics.batch_bytes);
    cr_assert_eq(before.statistics.snapshots, after.statistics.snapshots);
    cr_assert_eq(before.statistics.incarnation, after.statistics.incarnation);
    copy_free(&before);
    copy_free(&after);
}

STORE_TEST(salvage, of_a_sound_store_copies_everything)
{
    make_everything(fixture);
    salvaged to;
    salvage(fixture, &to);
    cr_assert_eq(to.loss_count, 0);
    cr_assert_eq(to.report.documents, DOCUMENT_COUNT);
    cr_assert_eq(to.report.documents_in_part, 0);
    cr_assert_eq(to.report.documents_lost, 0);
    cr_assert_eq(to.report.groups, 3);
    for (size_t index = 0; index < DOCUMENT_COUNT; index++) {
        check_whole(fixture, &to, DOCUMENTS[index]);
    }
    check_groups(fixture, &to);
    salvaged_free(&to);
}

/*
 * A document of which one row was damaged, which is as it was by now, has what
 * it can have: all of it, unless a batch is damaged, or the snapshot that takes
 * the place of removed history.
 */
static void check_damaged(store_fixture *fixture, salvaged *to, const row *one,
                          const char *id, const copy *original)
{
    copy after;
    bool has = copy_read(&to->store, id, &after);
    bool needs_snapshot = original->base > 0 && original->statistics.snapshots == 1;
    bool has_all = has && after.events == original->events;
    cr_assert(has_all || one->table == GROVE__TABLE_EVENTS ||
                  (one->table == GROVE__TABLE_SNAPSHOTS && needs_snapshot),
              "%s has not all events", id);
    if (!has) {
        cr_assert(has_loss(to, GROVE_LOSS_WHOLE, id));
        cr_assert(original->base > 0 || row_clock(one) == 0);
        return;
    }
    cr_assert_eq(has_all, !has_loss(to, GROVE_LOSS_EVENTS, id));
    if (one->table == GROVE__TABLE_EVENTS) {
        /* The batches before it are a beginning. */
        cr_assert(original->base > 0 || after.events >= row_clock(one));
    }
    if (strcmp(original->statistics.type_name, "text") == 0) {
        char *expected = text_at(fixture, id, after.events);
        cr_assert_str_eq(after.text, expected, "%s at clock %llu", id,
                         (unsigned long long)after.events);
        free(expected);
    }
    copy_free(&after);
}

static void check_row(store_fixture *fixture, const row *one, const uint8_t *value,
                      size_t bytes, const copy originals[DOCUMENT_COUNT])
{
    char document[FOUND_NAME_BYTES];
    salvaged to;
    row_document(one, document);
    row_put(fixture, one->table, &one->key, value, bytes);
    salvage(fixture, &to);
    check_groups(fixture, &to);
    row_restore(fixture, one);
    for (size_t index = 0; index < DOCUMENT_COUNT; index++) {
        if (strcmp(DOCUMENTS[index], document) == 0) {
            check_damaged(fixture, &to, one, document, &originals[index]);
        } else {
            check_whole(fixture, &to, DOCUMENTS[index]);
        }
    }
    for (size_t index = 0; index < to.loss_count; index++) {
        bool is_own = strcmp(to.losses[index].name, document) == 0 ||
                      one->table == GROVE__TABLE_GROUPS;
        if (!is_own) {
            salvaged_print(&to);
        }
        cr_assert(is_own);
    }
    salvaged_free(&to);
}

STORE_TEST(salvage, after_damage_to_any_row_has_all_that_was_sound)
{
    make_everything(fixture);
    copy originals[DOCUMENT_COUNT];
    for (size_t index = 0; index < DOCUMENT_COUNT; index++) {
        cr_assert(copy_read(fixture, DOCUMENTS[index], &originals[index]));
    }
    rows all = rows_read(fixture);
    for (size_t index = 0; index < all.count; index++) {
        const row *one = &all.items[index];
        if (one->table == GROVE__TABLE_COMMITS && index + 3 < all.count) {
            continue;
        }
        uint8_t *changed = malloc(one->value_bytes + 1);
        memcpy(changed, one->value, one->value_bytes);
        changed[one->value_bytes / 2] ^= 0x10;
        check_row(fixture, one, changed, one->value_bytes, originals);
        check_row(fixture, one, one->value, one->value_bytes - 1, originals);
        check_row(fixture, one, NULL, 0, originals);
        free(changed);
    }
    rows_free(&all);
    for (size_t index = 0; index < DOCUMENT_COUNT; index++) {
        copy_free(&originals[index]);
    }
}

/* --- what is worth telling apart --- */

static void remove_row(store_fixture *fixture, const char *id, grove__table table,
                       uint64_t clock)
{
    grove__key key;
    grove__key_of_clock(&key, grove_bytes_of(id), clock);
    grove__key_add_number(&key, 0);
    row_put(fixture, table, &key, NULL, 0);
}

static const lost *find_loss(const salvaged *to, grove_loss_kind kind)
{
    for (size_t index = 0; index < to->loss_count; index++) {
        if (to->losses[index].kind == kind) {
            return &to->losses[index];
        }
    }
    cr_assert_fail("there is no loss of this kind");
    return NULL;
}

static uint64_t events_of(salvaged *to, const char *id)
{
    return statistics_of(&to->store, id).events;
}

STORE_TEST(salvage, takes_the_newest_snapshot_where_the_first_batch_is_lost)
{
    write_together(fixture, "a", 12, true);
    uint64_t events = statistics_of(fixture, "a").events;
    char *text = text_at(fixture, "a", events);
    remove_row(fixture, "a", GROVE__TABLE_EVENTS, 0);
    salvaged to;
    salvage(fixture, &to);
    cr_assert_eq(to.loss_count, 1);
    const lost *history = find_loss(&to, GROVE_LOSS_HISTORY);
    cr_assert_eq(history->first_clock, 0);
    cr_assert_eq(history->end_clock, statistics_of(&to.store, "a").base_clock);
    cr_assert_eq(events_of(&to, "a"), events);
    assert_stored_text(&to.store, "a", text);
    free(text);
    /* It can be gone on with, by those who wrote before as well. */
    write_together(&to.store, "a", 3, true);
    assert_sound(to.store.store, "gone on with");
    salvaged_free(&to);
}

STORE_TEST(salvage, keeps_the_history_from_the_first_critical_border_on)
{
    enum { BYTES = 40000 };
    static char text[BYTES + 1];
    memset(text, 'x', BYTES);
    grove_document *document = open_named(fixture, "a", "ann", false);
    for (int saves = 0; saves < 3; saves++) {
        /* Too many for a roll-up. */
        insert(fixture, document, 0, text);
        insert(fixture, document, BYTES / 2, text);
        (void)save(fixture, document);
    }
    grove_document_close(document);
    compact_document(fixture, "a", UINT64_C(1) << 40);
    cr_assert_eq(statistics_of(fixture, "a").batches, 3);
    cr_assert_eq(statistics_of(fixture, "a").snapshots, 1);
    rows all = rows_read(fixture);
    for (size_t index = 0; index < all.count; index++) {
        bool is_first = all.items[index].table == GROVE__TABLE_EVENTS &&
                        row_clock(&all.items[index]) == 0;
        if (is_first) {
            row_put(fixture, GROVE__TABLE_EVENTS, &all.items[index].key, NULL, 0);
        }
    }
    salvaged to;
    salvage(fixture, &to);
    cr_assert_eq(find_loss(&to, GROVE_LOSS_HISTORY)->end_clock, 2 * BYTES);
    cr_assert_eq(statistics_of(&to.store, "a").batches, 2);
    rows_free(&all);
    salvaged_free(&to);
}

STORE_TEST(salvage, keeps_the_beginning_where_nothing_leads_further)
{
    write_together(fixture, "a", 6, false);
    rows all = rows_read(fixture);
    const row *last = NULL;
    for (size_t index = 0; index < all.count; index++) {
        last = all.items[index].table == GROVE__TABLE_EVENTS ? &all.items[index] : last;
    }
    cr_assert_not_null(last);
    uint64_t clock = row_clock(last);
    uint64_t events = statistics_of(fixture, "a").events;
    cr_assert_gt(clock, 0);
    char *text = text_at(fixture, "a", clock);
    row_put(fixture, last->table, &last->key, NULL, 0);
    salvaged to;
    salvage(fixture, &to);
    cr_assert_eq(to.loss_count, 1);
    const lost *end = find_loss(&to, GROVE_LOSS_EVENTS);
    cr_assert_eq(end->first_clock, clock);
    cr_assert_eq(end->end_clock, events);
    assert_stored_text(&to.store, "a", text);
    cr_assert_eq(to.report.events_lost, events - clock);
    cr_assert_neq(statistics_of(&to.store, "a").incarnation,
                  statistics_of(fixture, "a").incarnation);
    free(text);
    rows_free(&all);
    salvaged_free(&to);
}

STORE_TEST(salvage, keeps_a_state_with_several_heads_rather_than_nothing)
{
    write_apart(fixture, "a");
    grove_document_statistics before = statistics_of(fixture, "a");
    cr_assert_gt(before.snapshots, 0);
    uint64_t clock = before.newest_snapshot_clock;
    char *text = text_at(fixture, "a", clock);
    remove_row(fixture, "a", GROVE__TABLE_EVENTS, 0);
    salvaged to;
    salvage(fixture, &to);
    cr_assert_geq(events_of(&to, "a"), clock);
    (void)find_loss(&to, GROVE_LOSS_HISTORY);
    char *kept = text_at(&to.store, "a", clock);
    cr_assert_str_eq(kept, text);
    free(kept);
    free(text);
    salvaged_free(&to);
}

STORE_TEST(salvage, of_an_opaque_document_with_several_heads_can_be_gone_on_with)
{
    make_opaque(fixture, "a");
    remove_row(fixture, "a", GROVE__TABLE_EVENTS, 0);
    salvaged to;
    salvage(fixture, &to);
    (void)find_loss(&to, GROVE_LOSS_HISTORY);
    cr_assert_eq(events_of(&to, "a"), statistics_of(fixture, "a").events);
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_load(to.store.store, grove_bytes_of("a"), NULL,
                                           &document, &fixture->error));
    for (int round = 0; round < 30; round++) {
        assert_ok(fixture, grove_opaque_append(document, grove_bytes_of("payload"),
                                               &fixture->error));
        assert_ok(fixture, grove_opaque_set_state(document, grove_bytes_of("new state"),
                                                  &fixture->error));
        (void)save(&to.store, document);
    }
    grove_document_close(document);
    /* The snapshot that it began with went. */
    cr_assert_lt(statistics_of(&to.store, "a").snapshots, 30);
    assert_sound(to.store.store, "gone on with");
    salvaged_free(&to);
}

STORE_TEST(salvage, makes_up_ids_only_where_nothing_tells_them)
{
    write_together(fixture, "a", 8, false);
    compact_document(fixture, "a", 0);
    write_together(fixture, "a", 3, true);
    uint64_t events = statistics_of(fixture, "a").events;
    char *text = text_at(fixture, "a", events);
    rows all = rows_read(fixture);
    for (size_t index = 0; index < all.count; index++) {
        if (all.items[index].table == GROVE__TABLE_REPLICAS) {
            row_put(fixture, GROVE__TABLE_REPLICAS, &all.items[index].key, NULL, 0);
        }
    }
    salvaged to;
    salvage(fixture, &to);
    cr_assert_eq(to.loss_count, 1);
    const lost *ids = find_loss(&to, GROVE_LOSS_IDS);
    cr_assert_eq(ids->first_clock, 0);
    cr_assert_leq(ids->end_clock, statistics_of(&to.store, "a").base_clock);
    assert_stored_text(&to.store, "a", text);
    write_together(&to.store, "a", 3, true);
    assert_sound(to.store.store, "gone on with");
    free(text);
    rows_free(&all);
    salvaged_free(&to);
}

STORE_TEST(salvage, finds_the_type_of_a_document_without_a_record)
{
    make_everything(fixture);
    copy originals[DOCUMENT_COUNT];
    for (size_t index = 0; index < DOCUMENT_COUNT; index++) {
        cr_assert(copy_read(fixture, DOCUMENTS[index], &originals[index]));
        grove__key key;
        grove__key_of_document(&key, grove_bytes_of(DOCUMENTS[index]));
        row_put(fixture, GROVE__TABLE_META, &key, NULL, 0);
    }
    salvaged to;
    salvage(fixture, &to);
    cr_assert_eq(to.report.documents, DOCUMENT_COUNT);
    for (size_t index = 0; index < DOCUMENT_COUNT; index++) {
        copy after;
        cr_assert(copy_read(&to.store, DOCUMENTS[index], &after), "%s", DOCUMENTS[index]);
        cr_assert_str_eq(after.statistics.type_name,
                         originals[index].statistics.type_name);
        cr_assert_eq(after.events, originals[index].events);
        cr_assert_eq(after.waiting, originals[index].waiting);
        cr_assert_str_eq(after.text, originals[index].text);
        copy_free(&after);
        copy_free(&originals[index]);
    }
    salvaged_free(&to);
}

STORE_TEST(salvage, of_a_store_without_a_record_is_opened_as_damaged)
{
    write_together(fixture, "a", 3, true);
    grove__key key = {.size = 5};
    memcpy(key.bytes, "store", 5);
    static const uint8_t JUNK[GROVE__STORE_RECORD_BYTES] = {0, 0, 0, 1};
    row_put(fixture, GROVE__TABLE_STORE, &key, JUNK, sizeof JUNK);
    store_fixture_close(fixture);
    grove_store *store = NULL;
    assert_fails(
        fixture, GROVE_CORRUPT,
        grove_store_open(fixture->dir.path, &fixture->options, &store, &fixture->error));
    assert_ok(fixture, grove_store_open_damaged(fixture->dir.path, &fixture->options,
                                                &fixture->store, &fixture->error));
    findings all;
    verify_store(fixture->store, true, &all);
    cr_assert_eq(all.count, 1);
    cr_assert_eq(all.items[0].kind, GROVE_FINDING_STORE);
    salvaged to;
    salvage(fixture, &to);
    cr_assert_eq(to.loss_count, 0);
    check_whole(fixture, &to, "a");
    salvaged_free(&to);
    assert_fails(fixture, GROVE_NONE,
                 grove_store_open_damaged("/nonexistent/there", &fixture->options, &store,
                                          &fixture->error));
}

/* --- options --- */

typedef struct stop {
    size_t places;
    size_t stops_at;
    char table[16];
    char name[FOUND_NAME_BYTES];
} stop;

static bool stop_at(void *context, const char *table, grove_bytes name)
{
    stop *at = context;
    (void)snprintf(at->table, sizeof at->table, "%s", table);
    (void)snprintf(at->name, sizeof at->name, "%.*s", (int)name.size,
                   (const char *)name.data);
    return ++at->places != at->stops_at;
}

STORE_TEST(salvage, goes_on_behind_a_place)
{
    make_everything(fixture);
    for (size_t places = 1; places <= DOCUMENT_COUNT + 3; places++) {
        store_fixture to;
        store_fixture_init(&to, "memory");
        store_fixture_open(&to);
        grove_salvage_options options = GROVE_SALVAGE_OPTIONS_INIT;
        grove_salvage_report first;
        grove_salvage_report rest;
        stop at = {.stops_at = places};
        options.at = stop_at;
        assert_ok(fixture, grove_store_salvage(fixture->store, to.store, &options, NULL,
                                               &at, &first, &fixture->error));
        cr_assert(first.stopped);
        options.after_table = at.table;
        options.after_name = grove_bytes_of(at.name);
        stop none = {.stops_at = 0};
        assert_ok(fixture, grove_store_salvage(fixture->store, to.store, &options, NULL,
                                               &none, &rest, &fixture->error));
        /* The one where it stopped was left out. */
        cr_assert_eq(first.documents + rest.documents + first.groups + rest.groups,
                     DOCUMENT_COUNT + 3 - 1);
        assert_sound(to.store, "in two pieces");
        store_fixture_close(&to);
        store_fixture_release(&to);
    }
}

STORE_TEST(salvage, wants_another_store_that_is_empty)
{
    write_together(fixture, "a", 2, true);
    assert_fails(fixture, GROVE_INVALID,
                 grove_store_salvage(fixture->store, fixture->store, NULL, NULL, NULL,
                                     NULL, &fixture->error));
    store_fixture to;
    store_fixture_init(&to, "memory");
    store_fixture_open(&to);
    assert_ok(&to, grove_group_save(to.store, grove_bytes_of("one"), grove_bytes_of("1"),
                                    NULL, &to.error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_store_salvage(fixture->store, to.store, NULL, NULL, NULL, NULL,
                                     &fixture->error));
    grove_salvage_options options = GROVE_SALVAGE_OPTIONS_INIT;
    options.size++;
    assert_fails(fixture, GROVE_INVALID,
                 grove_store_salvage(fixture->store, to.store, &options, NULL, NULL, NULL,
                                     &fixture->error));
    store_fixture_close(&to);
    store_fixture_release(&to);
    cr_assert_str_eq(grove_loss_kind_name(GROVE_LOSS_HISTORY), "history");
    cr_assert_str_eq(grove_loss_kind_name((grove_loss_kind)99), "?");
}
