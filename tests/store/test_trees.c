/*
 * Trees beside all that is done with whole stores: dump, backup, verify,
 * salvage, exchange, compaction. What comes out has the digest of what went
 * in, and can be gone on with.
 */
#include "support/dump.h"
#include "support/random.h"
#include "support/tree_document.h"
#include "support/verified_store.h"

/* Some edits, of each kind. */
static void edit(store_fixture *fixture, grove_document *tree, test_random *random,
                 size_t count)
{
    for (size_t index = 0; index < count; index++) {
        uint64_t nodes = 0;
        assert_ok(fixture, grove_tree_count(tree, &nodes, &fixture->error));
        grove_node node = (grove_node)test_random_below(random, nodes);
        grove_node other = (grove_node)test_random_below(random, nodes);
        grove_status status = GROVE_OK;
        grove_tree_item item = {.type = grove_bytes_of("node")};
        switch (test_random_below(random, 6)) {
        case 0:
        case 1:
            status = grove_tree_put(tree, &item, last_of(node), NO_BYTES, NULL,
                                    &fixture->error);
            break;
        case 2:
            status =
                grove_tree_move(tree, node, first_of(other), NO_BYTES, &fixture->error);
            break;
        case 3:
            status = grove_tree_delete(tree, node, NO_BYTES, &fixture->error);
            break;
        case 4:
            status = grove_tree_restore(tree, node, NO_BYTES, &fixture->error);
            break;
        default:
            set_integer(fixture, tree, node, "k", (int64_t)index);
            break;
        }
        cr_assert(status == GROVE_OK || status == GROVE_NONE || status == GROVE_INVALID);
    }
}

/* A tree that two handles made at once, with snapshots between. */
static digest make_tree(store_fixture *fixture, uint64_t seed)
{
    test_random random = {seed};
    grove_document *one = open_tree(fixture, "tree");
    edit(fixture, one, &random, 20);
    (void)save(fixture, one);
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.policy.events_min = 0;
    options.policy.uncritical_events = 0;
    options.policy.cost_percent = 0;
    grove_document *two = NULL;
    assert_ok(fixture, grove_document_load(fixture->store, grove_bytes_of("tree"),
                                           &options, &two, &fixture->error));
    for (int round = 0; round < 5; round++) {
        edit(fixture, one, &random, 10);
        edit(fixture, two, &random, 10);
        (void)save(fixture, one);
        (void)save(fixture, two);
        assert_ok(fixture, grove_document_refresh(one, NULL, &fixture->error));
        cr_assert(digest_equal(digest_of(one), digest_of(two)));
    }
    digest made = digest_of(two);
    grove_document_close(two);
    grove_document_close(one);
    return made;
}

static void assert_same(store_fixture *fixture, grove_store *store, digest expected)
{
    grove_document *tree = NULL;
    assert_ok(fixture, grove_document_load(store, grove_bytes_of("tree"), NULL, &tree,
                                           &fixture->error));
    cr_assert_eq(grove_document_damaged_snapshots(tree), 0);
    cr_assert(digest_equal(digest_of(tree), expected));
    grove_tree_item item = {.id = grove_bytes_of("one more")};
    assert_ok(fixture,
              grove_tree_put(tree, &item, last_of(0), NO_BYTES, NULL, &fixture->error));
    assert_ok(fixture, grove_document_save(tree, NULL, NULL, &fixture->error));
    grove_document_close(tree);
}

STORE_TEST(trees, a_dump_makes_the_same_tree)
{
    digest made = make_tree(fixture, 1);
    exported whole = dump_of(fixture);
    static const char *const BACKENDS[] = {"lmdb", "memory"};
    for (size_t index = 0; index < 2; index++) {
        store_fixture other;
        undump_init(&other, BACKENDS[index], &whole);
        assert_same(&other, other.store, made);
        assert_sound(other.store, "what a dump made");
        undump_release(&other);
    }
    exported_free(&whole);
}

STORE_TEST(trees, a_backup_has_the_same_tree)
{
    char path[TEMP_DIR_PATH_BYTES];
    digest made = make_tree(fixture, 2);
    (void)temp_dir_path(&fixture->dir, "copy", path);
    grove_backup_result result;
    assert_ok(fixture,
              grove_store_backup(fixture->store, path, NULL, &result, &fixture->error));
    grove_store *copy = NULL;
    assert_ok(fixture, grove_store_open(path, &fixture->options, &copy, &fixture->error));
    assert_same(fixture, copy, made);
    grove_store_close(copy);
}

STORE_TEST(trees, verify_makes_them_again_and_finds_nothing)
{
    for (uint64_t seed = 10; seed < 15; seed++) {
        digest made = make_tree(fixture, seed);
        findings all;
        verify_store(fixture->store, true, &all);
        findings_print(&all);
        cr_assert_eq(all.count, 0);
        cr_assert_gt(all.report.snapshots_replayed, 0);
        grove_document *tree = open_tree(fixture, "tree");
        grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
        options.window_events = 30;
        assert_ok(fixture, grove_document_compact(tree, &options, NULL, &fixture->error));
        cr_assert(digest_equal(digest_of(tree), made));
        test_random random = {seed};
        edit(fixture, tree, &random, 30);
        (void)save(fixture, tree);
        options.window_events = 10;
        assert_ok(fixture, grove_document_compact(tree, &options, NULL, &fixture->error));
        grove_document_close(tree);
        verify_store(fixture->store, true, &all);
        findings_print(&all);
        cr_assert_eq(all.count, 0);
        assert_ok(fixture, grove_document_delete(fixture->store, grove_bytes_of("tree"),
                                                 NULL, &fixture->error));
    }
}

STORE_TEST(trees, a_salvage_of_a_sound_store_has_the_same_tree)
{
    digest made = make_tree(fixture, 3);
    store_fixture other;
    store_fixture_init(&other, "memory");
    store_fixture_open(&other);
    grove_salvage_report report;
    assert_ok(fixture, grove_store_salvage(fixture->store, other.store, NULL, NULL, NULL,
                                           &report, &fixture->error));
    assert_same(&other, other.store, made);
    store_fixture_close(&other);
    store_fixture_release(&other);
}

STORE_TEST(trees, who_lacks_removed_history_adopts_the_snapshot)
{
    store_fixture other;
    store_fixture_init(&other, "memory");
    store_fixture_open(&other);
    grove_document *source = open_tree(fixture, "tree");
    grove_document *target = open_tree(&other, "tree");
    test_random random = {4};
    edit(fixture, source, &random, 50);
    (void)save(fixture, source);
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    options.window_events = 0;
    assert_ok(fixture, grove_document_compact(source, &options, NULL, &fixture->error));
    edit(fixture, source, &random, 20);
    (void)save(fixture, source);
    exported bytes = {NULL, 0, 0, 0};
    assert_ok(fixture, grove_document_export(source, NULL, exported_write, &bytes,
                                             &fixture->error));
    grove_import_result result;
    assert_ok(&other, grove_document_import(target, exported_view(&bytes), &result,
                                            &other.error));
    cr_assert(result.adopted);
    cr_assert(digest_equal(digest_of(target), digest_of(source)));
    /* What each does then the other takes. */
    for (int round = 0; round < 3; round++) {
        edit(fixture, source, &random, 20);
        edit(&other, target, &random, 20);
        (void)save(fixture, source);
        (void)save(&other, target);
        exported_free(&bytes);
        assert_ok(fixture, grove_document_export(source, NULL, exported_write, &bytes,
                                                 &fixture->error));
        exported back = {NULL, 0, 0, 0};
        assert_ok(&other, grove_document_export(target, NULL, exported_write, &back,
                                                &other.error));
        assert_ok(&other, grove_document_import(target, exported_view(&bytes), &result,
                                                &other.error));
        assert_ok(fixture, grove_document_import(source, exported_view(&back), &result,
                                                 &fixture->error));
        exported_free(&back);
        cr_assert(digest_equal(digest_of(target), digest_of(source)));
    }
    exported_free(&bytes);
    grove_document_close(target);
    grove_document_close(source);
    store_fixture_close(&other);
    store_fixture_release(&other);
}
