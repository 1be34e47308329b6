/* The events that touched a node, and the tree at earlier versions. */
#include "support/tree_document.h"

typedef struct story {
    char text[1024];
    size_t size;
    size_t stops_after;
    size_t told;
} story;

static bool note_event(void *context, const grove_tree_event *event)
{
    static const char *const KINDS[] = {"put",  "set",    "unset",
                                        "move", "delete", "restore"};
    story *made = context;
    int size =
        snprintf(made->text + made->size, sizeof made->text - made->size,
                 "%s%s %llu%s%.*s%s%.*s", made->size > 0 ? "; " : "", KINDS[event->kind],
                 (unsigned long long)event->id.sequence, event->name.size > 0 ? " " : "",
                 (int)event->name.size, (const char *)event->name.data,
                 event->metadata.size > 0 ? " by " : "", (int)event->metadata.size,
                 (const char *)event->metadata.data);
    made->size += (size_t)size;
    if (event->parent != GROVE_NODE_NONE) {
        made->size +=
            (size_t)snprintf(made->text + made->size, sizeof made->text - made->size,
                             " under %lu", (unsigned long)event->parent);
    }
    made->told++;
    return made->told != made->stops_after;
}

static void assert_story(store_fixture *fixture, grove_document *tree, grove_node node,
                         const char *expected)
{
    story made = {.size = 0};
    assert_ok(fixture,
              grove_tree_history(tree, node, note_event, &made, &fixture->error));
    cr_assert_str_eq(made.text, expected);
}

STORE_TEST(tree_history, each_event_of_a_node_is_told_with_what_it_says)
{
    grove_document *tree = open_tree(fixture, "tree");
    grove_error *error = &fixture->error;
    grove_tree_item item = {.id = grove_bytes_of("n"), .type = grove_bytes_of("t")};
    grove_node a = put_node(fixture, tree, "a", last_of(0));
    grove_node n = 77;
    assert_ok(fixture,
              grove_tree_put(tree, &item, last_of(0), grove_bytes_of("ann"), &n, error));
    set_integer(fixture, tree, a, "k", 1);
    grove_value value = grove_value_integer(1);
    assert_ok(fixture, grove_tree_set(tree, n, grove_bytes_of("k"), &value,
                                      grove_bytes_of("bob"), error));
    assert_ok(fixture,
              grove_tree_move(tree, n, last_of(a), grove_bytes_of("eve"), error));
    assert_ok(fixture, grove_tree_unset(tree, n, grove_bytes_of("k"), NO_BYTES, error));
    assert_ok(fixture, grove_tree_delete(tree, n, grove_bytes_of("ann"), error));
    assert_story(fixture, tree, n, "");
    (void)save(fixture, tree);
    assert_ok(fixture, grove_tree_restore(tree, n, NO_BYTES, error));
    (void)save(fixture, tree);
    static const char TOLD[] = "put 1 by ann under 0; set 3 k by bob; "
                               "move 4 by eve under 1; unset 5 k; delete 6 by ann; "
                               "restore 7";
    assert_story(fixture, tree, n, TOLD);
    assert_story(fixture, tree, a, "put 0 under 0; set 2 k");
    assert_story(fixture, tree, 0, "");
    grove_document_close(tree);
    tree = open_tree(fixture, "tree");
    n = find_node(fixture, tree, "n");
    assert_story(fixture, tree, n, TOLD);
    story made = {.stops_after = 2};
    assert_ok(fixture, grove_tree_history(tree, n, note_event, &made, error));
    cr_assert_eq(made.told, 2);
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_history(tree, 9, note_event, &made, error));
    grove_compact_options all = GROVE_COMPACT_OPTIONS_INIT;
    all.window_events = 0;
    assert_ok(fixture, grove_document_compact(tree, &all, NULL, error));
    set_integer(fixture, tree, n, "later", 1);
    (void)save(fixture, tree);
    story rest = {.size = 0};
    assert_ok(fixture, grove_tree_history(tree, n, note_event, &rest, error));
    cr_assert_eq(rest.told, 1);
    grove_document_close(tree);
}

STORE_TEST(tree_history, a_version_of_one_branch_lacks_the_other)
{
    grove_document *one = open_tree(fixture, "tree");
    (void)put_node(fixture, one, "a", last_of(0));
    (void)put_node(fixture, one, "b", last_of(0));
    (void)save(fixture, one);
    grove_document *two = open_tree(fixture, "tree");
    move_node(fixture, one, find_node(fixture, one, "a"),
              last_of(find_node(fixture, one, "b")));
    (void)put_node(fixture, two, "c", first_of(0));
    move_node(fixture, two, find_node(fixture, two, "b"),
              last_of(find_node(fixture, two, "a")));
    (void)save(fixture, one);
    grove_version version;
    assert_ok(fixture, grove_document_version(one, &version, &fixture->error));
    cr_assert_eq(version.head_count, 1);
    grove_event_id head = version.heads[0];
    assert_ok(fixture, grove_document_version(two, &version, &fixture->error));
    grove_event_id other = version.heads[0];
    (void)save(fixture, two);
    const struct {
        grove_event_id head;
        const char *outline;
    } table[] = {{head, "[b[a]]"}, {other, "[c a[b]]"}};
    for (size_t index = 0; index < 2; index++) {
        grove_version asked = {&table[index].head, 1};
        grove_document *view = NULL;
        assert_ok(fixture,
                  grove_document_load_version(fixture->store, grove_bytes_of("tree"),
                                              &asked, NULL, &view, &fixture->error));
        assert_outline(view, table[index].outline);
        grove_document_close(view);
    }
    assert_ok(fixture, grove_document_refresh(one, NULL, &fixture->error));
    cr_assert(digest_equal(digest_of(one), digest_of(two)));
    grove_document_close(two);
    grove_document_close(one);
}
