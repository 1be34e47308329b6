/* The disk lies: what is left is found, said, and healed where it can be. */
#include "commit/commit.h"
#include "damage.h"

/* 30 events with snapshots at 10, 20 and 30, all history kept. */
static void make_document(store_fixture *fixture, const char *id)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.policy.events_min = 9;
    options.policy.cost_percent = 0;
    options.policy.older_percent = 100000;
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of(id), &options,
                                           &document, &fixture->error));
    for (int round = 0; round < 3; round++) {
        insert(fixture, document, 0, "0123456789");
        cr_assert(save(fixture, document).made_snapshot);
    }
    grove_document_close(document);
    cr_assert_eq(statistics_of(fixture, id).snapshots, 3);
}

static const char TEXT[] = "012345678901234567890123456789";

static grove_document *load_damaged(store_fixture *fixture, uint64_t damaged)
{
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_load(fixture->store, grove_bytes_of("a"), NULL,
                                           &document, &fixture->error));
    cr_assert_eq(grove_document_damaged_snapshots(document), damaged);
    assert_text(fixture, document, TEXT);
    return document;
}

STORE_TEST(damage, of_snapshots_costs_a_replay_and_is_reported)
{
    make_document(fixture, "a");
    for (uint64_t damaged = 1; damaged <= 3; damaged++) {
        grove__key key = part_key("a", 40 - 10 * damaged);
        flip(fixture, GROVE__TABLE_SNAPSHOTS, &key, 20);
        grove_document_close(load_damaged(fixture, damaged));
    }
}

STORE_TEST(damage, of_the_newest_snapshot_is_healed_by_the_next_save)
{
    make_document(fixture, "a");
    grove__key key = part_key("a", 30);
    flip(fixture, GROVE__TABLE_SNAPSHOTS, &key, 20);
    grove_document *document = load_damaged(fixture, 1);
    cr_assert(save(fixture, document).made_snapshot);
    cr_assert_eq(grove_document_damaged_snapshots(document), 0);
    grove_document_close(document);
    assert_stored_text(fixture, "a", TEXT);
}

STORE_TEST(damage, of_a_missing_snapshot_is_treated_alike)
{
    make_document(fixture, "a");
    grove__key key = part_key("a", 30);
    grove__write_set set;
    grove__write_set_init(&set, fixture->store->allocator);
    grove__write_set_remove(&set, GROVE__TABLE_SNAPSHOTS, grove__key_view(&key));
    assert_ok(fixture, grove__commit(fixture->store, &set, NULL, &fixture->error));
    grove__write_set_release(&set);
    grove_document_close(load_damaged(fixture, 1));
}

STORE_TEST(damage, of_one_document_blocks_no_other)
{
    make_document(fixture, "a");
    make_document(fixture, "b");
    grove__key key;
    grove__key_of_document(&key, grove_bytes_of("b"));
    flip(fixture, GROVE__TABLE_META, &key, 30);
    grove_document *document = NULL;
    assert_fails(fixture, GROVE_CORRUPT,
                 grove_document_open(fixture->store, grove_bytes_of("b"), NULL, &document,
                                     &fixture->error));
    grove_document_close(load_damaged(fixture, 0));
}

STORE_TEST(damage, of_a_batch_that_is_needed_says_corrupt)
{
    grove_document *document = open_manual(fixture, "a", NULL);
    insert(fixture, document, 0, "some text");
    (void)save(fixture, document);
    insert(fixture, document, 0, "more ");
    (void)save(fixture, document);
    grove__key key = part_key("a", 9);
    flip(fixture, GROVE__TABLE_EVENTS, &key, 12);
    grove_document *other = NULL;
    assert_fails(fixture, GROVE_CORRUPT,
                 grove_document_load(fixture->store, grove_bytes_of("a"), NULL, &other,
                                     &fixture->error));
    cr_assert_null(other);
    /* A handle that has the events still saves new ones. */
    for (int count = 0; count < 20; count++) {
        insert(fixture, document, 0, "x");
        (void)save(fixture, document);
    }
    grove_document_close(document);
}

STORE_TEST(damage, of_a_batch_before_the_snapshot_is_not_even_noticed)
{
    make_document(fixture, "a");
    grove_bytes id = grove_bytes_of("a");
    grove__txn txn;
    grove__cursor cursor;
    grove_bytes found;
    grove_bytes value;
    grove__key key;
    grove__key_of_document(&key, id);
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    assert_ok(fixture,
              grove__cursor_open(&txn, GROVE__TABLE_EVENTS, &cursor, &fixture->error));
    assert_ok(fixture,
              grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove__key_view(&key),
                                 &found, &value, &fixture->error));
    memcpy(key.bytes, found.data, found.size);
    key.size = found.size;
    grove__cursor_close(&cursor);
    grove__txn_abort(&txn);
    flip(fixture, GROVE__TABLE_EVENTS, &key, 12);
    grove_document_close(load_damaged(fixture, 0));
}

/* Two handles that made something at once, of which one has saved; the batch
 * is damaged. */
static void meet_damage(store_fixture *fixture, const grove_document_type *type)
{
    grove_document *first = open_manual(fixture, "a", type);
    grove_document *second = open_manual(fixture, "a", type);
    bool is_text = type == grove_type_text();
    for (int handle = 0; handle < 2; handle++) {
        grove_document *document = handle == 0 ? first : second;
        grove_bytes made = grove_bytes_of(handle == 0 ? "one" : "two");
        assert_ok(fixture, is_text
                               ? grove_text_insert(document, 0, made, &fixture->error)
                               : grove_opaque_append(document, made, &fixture->error));
    }
    uint64_t unsaved = grove_document_unsaved(second);
    (void)save(fixture, first);
    grove__key key = part_key("a", 0);
    for (int times = 0; times < 2; times++) {
        flip(fixture, GROVE__TABLE_EVENTS, &key, 2);
        if (times == 0) {
            assert_fails(fixture, GROVE_CORRUPT,
                         grove_document_save(second, NULL, NULL, &fixture->error));
            assert_fails(fixture, GROVE_CORRUPT,
                         grove_document_refresh(second, NULL, &fixture->error));
            cr_assert_eq(grove_document_unsaved(second), unsaved);
        }
    }
    /* The damage is undone: nothing was lost. */
    (void)save(fixture, second);
    cr_assert_eq(statistics_of(fixture, "a").events, 2 * unsaved);
    grove_document_close(second);
    grove_document_close(first);
}

STORE_TEST(damage, met_in_the_middle_of_a_merge_leaves_the_handle_as_it_was)
{
    meet_damage(fixture, grove_type_opaque());
    assert_ok(fixture, grove_document_delete(fixture->store, grove_bytes_of("a"), NULL,
                                             &fixture->error));
    meet_damage(fixture, grove_type_text());
}

STORE_TEST(damage, of_a_record_of_a_later_format_is_said_to_be_newer)
{
    make_document(fixture, "a");
    grove__key key;
    grove__key_of_document(&key, grove_bytes_of("a"));
    flip(fixture, GROVE__TABLE_META, &key, GROVE__META_RECORD_BYTES - 1);
    grove_document *document = NULL;
    grove_document_statistics statistics;
    assert_fails(fixture, GROVE_FORMAT_NEWER,
                 grove_document_load(fixture->store, grove_bytes_of("a"), NULL, &document,
                                     &fixture->error));
    assert_fails(fixture, GROVE_FORMAT_NEWER,
                 grove_document_statistics_get(fixture->store, grove_bytes_of("a"),
                                               &statistics, &fixture->error));
    cr_assert_null(document);
}
