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
        if (to->losses[index].kind == kind &&
            strcmp(to->losses[index].name, name) == 0) {
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
        assert_ok(fixture,
                  grove_text_length(document, &length, &bytes, &fixture->error));
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
        grove_status had = grove_group_load(
            fixture->store, grove_bytes_of(GROUPS[index]), &before, &fixture->error);
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
