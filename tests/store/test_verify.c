/*
 * A sound store has no findings. Whatever is changed in any of its rows is
 * found, is said to be what it is, and is said of nothing else.
 */
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

/* A group that is gone as a whole, and the newest commit: no other row tells
 * of them. */
static bool leaves_no_trace(const rows *all, size_t index, damage how)
{
    const row *one = &all->items[index];
    bool is_last = index + 1 == all->count;
    return how == DELETE &&
           ((one->table == GROVE__TABLE_GROUPS && is_whole(all, index)) ||
            (one->table == GROVE__TABLE_COMMITS && is_last));
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
