/* What is read of a tree. */
#include "support/tree_document.h"

/* {k=0}[a{k=1}[b{k=2}[c:leaf] d:leaf!{k=1}] e:leaf] */
static grove_document *make_tree(store_fixture *fixture)
{
    grove_document *tree = open_tree(fixture, "tree");
    grove_tree_item leaf = {.type = grove_bytes_of("leaf")};
    grove_node a = put_node(fixture, tree, "a", last_of(0));
    grove_node b = put_node(fixture, tree, "b", last_of(a));
    grove_node d = GROVE_NODE_NONE;
    leaf.id = grove_bytes_of("c");
    assert_ok(fixture,
              grove_tree_put(tree, &leaf, last_of(b), NO_BYTES, NULL, &fixture->error));
    leaf.id = grove_bytes_of("d");
    assert_ok(fixture,
              grove_tree_put(tree, &leaf, last_of(a), NO_BYTES, &d, &fixture->error));
    leaf.id = grove_bytes_of("e");
    assert_ok(fixture,
              grove_tree_put(tree, &leaf, last_of(0), NO_BYTES, NULL, &fixture->error));
    set_integer(fixture, tree, 0, "k", 0);
    set_integer(fixture, tree, a, "k", 1);
    set_integer(fixture, tree, b, "k", 2);
    set_integer(fixture, tree, d, "k", 1);
    assert_ok(fixture, grove_tree_delete(tree, d, NO_BYTES, &fixture->error));
    assert_outline(tree, "{k=0}[a{k=1}[b{k=2}[c:leaf] d:leaf!{k=1}] e:leaf]");
    return tree;
}

/* Nodes that were told, by the last letters of their ids. */
typedef struct letters {
    const grove_document *tree;
    char text[64];
    size_t count;
    size_t stops_after; /* 0: never */
} letters;

static bool note_letter(void *context, grove_node node, uint32_t depth)
{
    letters *told = context;
    grove_tree_id_bytes id;
    grove_error error;
    cr_assert_eq(grove_tree_id(told->tree, node, &id, &error), GROVE_OK);
    told->text[told->count++] = (char)('0' + depth);
    told->text[told->count++] = id.size == 0 ? '.' : (char)id.bytes[id.size - 1];
    return told->count / 2 != told->stops_after;
}

static void assert_walk(store_fixture *fixture, const grove_document *tree,
                        grove_node node, uint32_t depth, unsigned flags, size_t stops,
                        const char *expected)
{
    letters told = {.tree = tree, .stops_after = stops};
    assert_ok(fixture, grove_tree_walk(tree, node, depth, flags, note_letter, &told,
                                       &fixture->error));
    cr_assert_str_eq(told.text, expected);
}

STORE_TEST(tree_read, a_walk_goes_depth_first_down_to_a_depth)
{
    grove_document *tree = make_tree(fixture);
    grove_node a = find_node(fixture, tree, "a");
    assert_walk(fixture, tree, 0, UINT32_MAX, 0, 0, "0.1a2b3c1e");
    assert_walk(fixture, tree, 0, UINT32_MAX, GROVE_TREE_DELETED_TOO, 0, "0.1a2b3c2d1e");
    assert_walk(fixture, tree, 0, 1, 0, 0, "0.1a1e");
    assert_walk(fixture, tree, 0, 0, 0, 0, "0.");
    assert_walk(fixture, tree, a, UINT32_MAX, 0, 0, "0a1b2c");
    assert_walk(fixture, tree, a, 1, GROVE_TREE_DELETED_TOO, 0, "0a1b1d");
    assert_walk(fixture, tree, 0, UINT32_MAX, 0, 3, "0.1a2b");
    assert_walk(fixture, tree, find_node(fixture, tree, "c"), UINT32_MAX, 0, 0, "0c");
    grove_document_close(tree);
}

STORE_TEST(tree_read, a_search_finds_by_type_name_and_value)
{
    grove_document *tree = make_tree(fixture);
    grove_bytes leaf = grove_bytes_of("leaf");
    grove_bytes k = grove_bytes_of("k");
    grove_value one = grove_value_integer(1);
    grove_value real = grove_value_double(1);
    const struct {
        grove_tree_query query;
        unsigned flags;
        const char *expected;
    } table[] = {
        {{NULL, NULL, NULL}, 0, "0.1a2b3c1e"},
        {{&leaf, NULL, NULL}, 0, "3c1e"},
        {{&leaf, NULL, NULL}, GROVE_TREE_DELETED_TOO, "3c2d1e"},
        {{NULL, &k, NULL}, 0, "0.1a2b"},
        {{NULL, &k, &one}, 0, "1a"},
        {{NULL, &k, &one}, GROVE_TREE_DELETED_TOO, "1a2d"},
        {{NULL, &k, &real}, GROVE_TREE_DELETED_TOO, ""},
        {{&leaf, &k, &one}, GROVE_TREE_DELETED_TOO, "2d"},
        {{&k, NULL, NULL}, GROVE_TREE_DELETED_TOO, ""},
        {{NULL, &leaf, NULL}, GROVE_TREE_DELETED_TOO, ""},
    };
    for (size_t index = 0; index < sizeof table / sizeof *table; index++) {
        letters told = {.tree = tree};
        assert_ok(fixture,
                  grove_tree_search(tree, 0, &table[index].query, table[index].flags,
                                    note_letter, &told, &fixture->error));
        cr_assert_str_eq(told.text, table[index].expected, "row %zu: %s", index,
                         told.text);
    }
    grove_tree_query nameless = {NULL, NULL, &one};
    letters told = {.tree = tree};
    assert_fails(
        fixture, GROVE_INVALID,
        grove_tree_search(tree, 0, &nameless, 0, note_letter, &told, &fixture->error));
    grove_document_close(tree);
}

STORE_TEST(tree_read, steps_lead_to_relatives)
{
    grove_document *tree = make_tree(fixture);
    const struct {
        const char *from;
        grove_tree_way way;
        unsigned flags;
        const char *to; /* NULL: none */
    } table[] = {
        {"", GROVE_TREE_TO_PARENT, 0, NULL},   {"", GROVE_TREE_TO_NEXT, 0, NULL},
        {"", GROVE_TREE_TO_PREVIOUS, 0, NULL}, {"", GROVE_TREE_TO_FIRST, 0, "a"},
        {"", GROVE_TREE_TO_LAST, 0, "e"},      {"a", GROVE_TREE_TO_PARENT, 0, ""},
        {"a", GROVE_TREE_TO_NEXT, 0, "e"},     {"e", GROVE_TREE_TO_PREVIOUS, 0, "a"},
        {"e", GROVE_TREE_TO_NEXT, 0, NULL},    {"a", GROVE_TREE_TO_PREVIOUS, 0, NULL},
        {"a", GROVE_TREE_TO_LAST, 0, "b"},     {"a", GROVE_TREE_TO_LAST, 1, "d"},
        {"b", GROVE_TREE_TO_NEXT, 0, NULL},    {"b", GROVE_TREE_TO_NEXT, 1, "d"},
        {"d", GROVE_TREE_TO_PREVIOUS, 0, "b"}, {"c", GROVE_TREE_TO_FIRST, 1, NULL},
        {"c", GROVE_TREE_TO_PARENT, 0, "b"},   {"d", GROVE_TREE_TO_PARENT, 0, "a"},
    };
    for (size_t index = 0; index < sizeof table / sizeof *table; index++) {
        grove_node from = find_node(fixture, tree, table[index].from);
        grove_node to = 77;
        assert_ok(fixture, grove_tree_step(tree, from, table[index].way,
                                           table[index].flags, &to, &fixture->error));
        grove_node expected = table[index].to == NULL
                                  ? GROVE_NODE_NONE
                                  : find_node(fixture, tree, table[index].to);
        cr_assert_eq(to, expected, "row %zu", index);
    }
    grove_node to = 77;
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_step(tree, 6, GROVE_TREE_TO_NEXT, 0, &to, &fixture->error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_step(tree, 0, (grove_tree_way)5, 0, &to, &fixture->error));
    grove_document_close(tree);
}

STORE_TEST(tree_read, children_are_counted_and_had_by_index)
{
    grove_document *tree = make_tree(fixture);
    grove_node a = find_node(fixture, tree, "a");
    grove_node child = 77;
    grove_tree_info info;
    assert_ok(fixture, grove_tree_info_get(tree, a, &info, &fixture->error));
    cr_assert_eq(info.children, 1);
    cr_assert_eq(info.parent, GROVE_NODE_ROOT);
    cr_assert_not(info.is_deleted);
    assert_ok(fixture, grove_tree_child(tree, a, 0, 0, &child, &fixture->error));
    cr_assert_eq(child, find_node(fixture, tree, "b"));
    assert_fails(fixture, GROVE_NONE,
                 grove_tree_child(tree, a, 1, 0, &child, &fixture->error));
    assert_ok(fixture, grove_tree_child(tree, a, 1, GROVE_TREE_DELETED_TOO, &child,
                                        &fixture->error));
    cr_assert_eq(child, find_node(fixture, tree, "d"));
    assert_fails(
        fixture, GROVE_NONE,
        grove_tree_child(tree, a, 2, GROVE_TREE_DELETED_TOO, &child, &fixture->error));
    assert_ok(fixture, grove_tree_restore(tree, child, NO_BYTES, &fixture->error));
    assert_ok(fixture, grove_tree_info_get(tree, a, &info, &fixture->error));
    cr_assert_eq(info.children, 2);
    move_node(fixture, tree, child, last_of(0));
    assert_ok(fixture, grove_tree_info_get(tree, a, &info, &fixture->error));
    cr_assert_eq(info.children, 1);
    assert_ok(fixture, grove_tree_info_get(tree, 0, &info, &fixture->error));
    cr_assert_eq(info.children, 3);
    cr_assert_eq(info.parent, GROVE_NODE_NONE);
    grove_document_close(tree);
}

STORE_TEST(tree_read, what_is_below_a_deleted_node_is_hidden)
{
    grove_document *tree = make_tree(fixture);
    grove_node a = find_node(fixture, tree, "a");
    grove_node c = find_node(fixture, tree, "c");
    bool is_visible = false;
    assert_ok(fixture, grove_tree_is_visible(tree, c, &is_visible, &fixture->error));
    cr_assert(is_visible);
    assert_ok(fixture, grove_tree_delete(tree, a, NO_BYTES, &fixture->error));
    set_integer(fixture, tree, c, "k", 9);
    assert_ok(fixture, grove_tree_is_visible(tree, c, &is_visible, &fixture->error));
    cr_assert_not(is_visible);
    assert_walk(fixture, tree, 0, UINT32_MAX, 0, 0, "0.1e");
    assert_ok(fixture, grove_tree_restore(tree, a, NO_BYTES, &fixture->error));
    assert_outline(tree, "{k=0}[a{k=1}[b{k=2}[c:leaf{k=9}] d:leaf!{k=1}] e:leaf]");
    assert_ok(fixture, grove_tree_is_visible(tree, 0, &is_visible, &fixture->error));
    cr_assert(is_visible);
    grove_document_close(tree);
}

STORE_TEST(tree_read, a_path_leads_from_the_root)
{
    grove_document *tree = make_tree(fixture);
    grove_node c = find_node(fixture, tree, "c");
    grove_node nodes[4];
    size_t count = 0;
    assert_ok(fixture, grove_tree_path(tree, c, nodes, 4, &count, &fixture->error));
    cr_assert_eq(count, 4);
    cr_assert_eq(nodes[0], GROVE_NODE_ROOT);
    cr_assert_eq(nodes[1], find_node(fixture, tree, "a"));
    cr_assert_eq(nodes[2], find_node(fixture, tree, "b"));
    cr_assert_eq(nodes[3], c);
    count = 0;
    assert_fails(fixture, GROVE_LIMIT,
                 grove_tree_path(tree, c, nodes, 3, &count, &fixture->error));
    cr_assert_eq(count, 4);
    assert_ok(fixture, grove_tree_path(tree, 0, nodes, 1, &count, &fixture->error));
    cr_assert_eq(count, 1);
    grove_document_close(tree);
}

STORE_TEST(tree_read, ids_the_library_makes_name_the_event_and_are_found)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = grove_type_tree();
    options.replica.size = 3;
    memcpy(options.replica.bytes, "\x01\xab\xff", 3);
    grove_document *tree = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of("tree"),
                                           &options, &tree, &fixture->error));
    grove_tree_item item = {.id = NO_BYTES};
    grove_node nodes[12];
    for (size_t index = 0; index < 12; index++) {
        assert_ok(fixture, grove_tree_put(tree, &item, last_of(0), NO_BYTES,
                                          &nodes[index], &fixture->error));
    }
    cr_assert_eq(find_node(fixture, tree, "01abff.0"), nodes[0]);
    cr_assert_eq(find_node(fixture, tree, "01abff.11"), nodes[11]);
    static const char *const OTHERS[] = {"01abff.12", "01abff.011", "01abff.",
                                         "01abff",    "01ABFF.1",   "1abff.1",
                                         "01abff.1 ", ".1",         "x"};
    grove_node node = 77;
    for (size_t index = 0; index < sizeof OTHERS / sizeof *OTHERS; index++) {
        assert_fails(
            fixture, GROVE_NONE,
            grove_tree_find(tree, grove_bytes_of(OTHERS[index]), &node, &fixture->error));
    }
    /* Given, such an id names the same node. */
    item.id = grove_bytes_of("01abff.3");
    assert_fails(
        fixture, GROVE_CONFLICT,
        grove_tree_put(tree, &item, last_of(0), NO_BYTES, &node, &fixture->error));
    (void)save(fixture, tree);
    grove_document_close(tree);
    tree = open_tree(fixture, "tree");
    grove_tree_id_bytes id;
    node = find_node(fixture, tree, "01abff.7");
    assert_ok(fixture, grove_tree_id(tree, node, &id, &fixture->error));
    cr_assert_eq(id.size, 8);
    cr_assert_eq(memcmp(id.bytes, "01abff.7", 8), 0);
    grove_document_close(tree);
}

STORE_TEST(tree_read, values_come_back_as_they_went)
{
    grove_document *tree = open_tree(fixture, "tree");
    double odd;
    memcpy(&odd, &(uint64_t){UINT64_C(0xfff8000000000001)}, sizeof odd);
    const grove_value values[] = {
        grove_value_null(),
        grove_value_boolean(false),
        grove_value_boolean(true),
        grove_value_integer(0),
        grove_value_integer((INT64_C(1) << 53) + 1),
        grove_value_integer(INT64_MAX),
        grove_value_integer(INT64_MIN),
        grove_value_double(0.1),
        grove_value_double(-0.0),
        grove_value_double(odd),
        grove_value_text(NO_BYTES),
        grove_value_text((grove_bytes){(const uint8_t *)"a\0b", 3}),
        grove_value_bytes(NO_BYTES),
        grove_value_bytes(grove_bytes_of("\xff\xfe")),
    };
    enum { COUNT = sizeof values / sizeof *values };
    for (size_t index = 0; index < COUNT; index++) {
        uint8_t name = (uint8_t)('a' + index);
        assert_ok(fixture, grove_tree_set(tree, 0, (grove_bytes){&name, 1},
                                          &values[index], NO_BYTES, &fixture->error));
    }
    (void)save(fixture, tree);
    grove_document_close(tree);
    tree = open_tree(fixture, "tree");
    for (size_t index = 0; index < COUNT; index++) {
        uint8_t name = (uint8_t)('a' + index);
        grove_value value;
        const grove_value *wanted = &values[index];
        assert_ok(fixture, grove_tree_get(tree, 0, (grove_bytes){&name, 1}, &value,
                                          &fixture->error));
        cr_assert_eq(value.kind, wanted->kind);
        cr_assert_eq(value.boolean, wanted->boolean);
        cr_assert_eq(value.integer, wanted->integer);
        cr_assert_eq(memcmp(&value.number, &wanted->number, sizeof value.number), 0);
        cr_assert_eq(value.bytes.size, wanted->bytes.size);
        cr_assert(value.bytes.size == 0 ||
                  memcmp(value.bytes.data, wanted->bytes.data, value.bytes.size) == 0);
    }
    grove_value value;
    assert_fails(
        fixture, GROVE_NONE,
        grove_tree_get(tree, 0, grove_bytes_of("none"), &value, &fixture->error));
    grove_document_close(tree);
}

STORE_TEST(tree_read, a_digest_is_of_all_that_is_there)
{
    grove_document *tree = make_tree(fixture);
    grove_node a = find_node(fixture, tree, "a");
    grove_node e = find_node(fixture, tree, "e");
    digest was = digest_of(tree);
    set_integer(fixture, tree, a, "k", 7);
    cr_assert_not(digest_equal(digest_of(tree), was));
    set_integer(fixture, tree, a, "k", 1);
    cr_assert(digest_equal(digest_of(tree), was));
    move_node(fixture, tree, e, first_of(0));
    cr_assert_not(digest_equal(digest_of(tree), was));
    move_node(fixture, tree, e, last_of(0));
    cr_assert(digest_equal(digest_of(tree), was));
    assert_ok(fixture, grove_tree_delete(tree, e, NO_BYTES, &fixture->error));
    cr_assert_not(digest_equal(digest_of(tree), was));
    assert_ok(fixture, grove_tree_restore(tree, e, NO_BYTES, &fixture->error));
    (void)save(fixture, tree);
    grove_document *again = open_tree(fixture, "tree");
    cr_assert(digest_equal(digest_of(again), was));
    grove_compact_options all = GROVE_COMPACT_OPTIONS_INIT;
    all.window_events = 0;
    grove_document_close(again);
    assert_ok(fixture, grove_document_compact(tree, &all, NULL, &fixture->error));
    grove_document_close(tree);
    tree = open_tree(fixture, "tree");
    cr_assert(digest_equal(digest_of(tree), was));
    grove_document_close(tree);
}

STORE_TEST(tree_read, only_trees_are_read_as_trees)
{
    grove_document *text = open_document(fixture, "text");
    grove_error *error = &fixture->error;
    grove_node node = 77;
    uint64_t count = 77;
    uint8_t bytes[GROVE_DIGEST_BYTES];
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_find(text, grove_bytes_of("a"), &node, error));
    assert_fails(fixture, GROVE_INVALID, grove_tree_count(text, &count, error));
    assert_fails(fixture, GROVE_INVALID, grove_tree_digest(text, bytes, error));
    cr_assert(node == 77 && count == 77);
    grove_document_close(text);
}
