/* Edits of a tree through a handle: what they do, and what they refuse. */
#include "support/faulty_allocator.h"
#include "support/tree_document.h"

/* [a[x y] b c] */
static grove_document *make_tree(store_fixture *fixture)
{
    grove_document *tree = open_tree(fixture, "tree");
    grove_node a = put_node(fixture, tree, "a", last_of(GROVE_NODE_ROOT));
    (void)put_node(fixture, tree, "b", last_of(GROVE_NODE_ROOT));
    (void)put_node(fixture, tree, "c", last_of(GROVE_NODE_ROOT));
    (void)put_node(fixture, tree, "x", last_of(a));
    (void)put_node(fixture, tree, "y", last_of(a));
    assert_outline(tree, "[a[x y] b c]");
    return tree;
}

STORE_TEST(tree_edit, edits_show_at_once_and_after_a_save)
{
    grove_document *tree = make_tree(fixture);
    grove_node a = find_node(fixture, tree, "a");
    grove_node b = find_node(fixture, tree, "b");
    grove_attribute attributes[] = {
        {grove_bytes_of("z"), grove_value_text(grove_bytes_of("text"))},
        {grove_bytes_of("n"), grove_value_null()},
        {grove_bytes_of("d"), grove_value_double(-0.5)},
        {grove_bytes_of("b"), grove_value_bytes(grove_bytes_of("123"))},
    };
    grove_tree_item item = {grove_bytes_of("p"), grove_bytes_of("paragraph"), attributes,
                            4};
    grove_node p = 0;
    assert_ok(fixture, grove_tree_put(tree, &item, first_of(b), grove_bytes_of("by me"),
                                      &p, &fixture->error));
    set_integer(fixture, tree, a, "n", 1);
    set_integer(fixture, tree, a, "n", INT64_MIN);
    grove_value yes = grove_value_boolean(true);
    assert_ok(fixture, grove_tree_set(tree, GROVE_NODE_ROOT, grove_bytes_of("ok"), &yes,
                                      NO_BYTES, &fixture->error));
    assert_ok(fixture,
              grove_tree_unset(tree, p, grove_bytes_of("n"), NO_BYTES, &fixture->error));
    assert_ok(fixture, grove_tree_delete(tree, b, NO_BYTES, &fixture->error));
    static const char EXPECTED[] = "{ok=true}[a{n=-9223372036854775808}[x y] "
                                   "b![p:paragraph{b=<3>,d=-0.5,z='text'}] c]";
    assert_outline(tree, EXPECTED);
    (void)save(fixture, tree);
    assert_stored_outline(fixture, "tree", EXPECTED);
    assert_ok(fixture, grove_tree_restore(tree, b, NO_BYTES, &fixture->error));
    (void)save(fixture, tree);
    grove_document_close(tree);
    assert_stored_outline(fixture, "tree",
                          "{ok=true}[a{n=-9223372036854775808}[x y] "
                          "b[p:paragraph{b=<3>,d=-0.5,z='text'}] c]");
}

STORE_TEST(tree_edit, every_place_is_had_by_puts_and_moves)
{
    grove_document *tree = make_tree(fixture);
    grove_node a = find_node(fixture, tree, "a");
    grove_node b = find_node(fixture, tree, "b");
    grove_node x = find_node(fixture, tree, "x");
    grove_node y = find_node(fixture, tree, "y");
    (void)put_node(fixture, tree, "1", first_of(GROVE_NODE_ROOT));
    (void)put_node(fixture, tree, "2", before(GROVE_NODE_ROOT, b));
    (void)put_node(fixture, tree, "3", after(GROVE_NODE_ROOT, b));
    assert_outline(tree, "[1 a[x y] 2 b 3 c]");
    move_node(fixture, tree, x, after(a, y));
    assert_outline(tree, "[1 a[y x] 2 b 3 c]");
    move_node(fixture, tree, x, before(a, y));
    move_node(fixture, tree, x, last_of(a));
    move_node(fixture, tree, x, first_of(a));
    assert_outline(tree, "[1 a[x y] 2 b 3 c]");
    move_node(fixture, tree, y, before(GROVE_NODE_ROOT, a));
    move_node(fixture, tree, a, last_of(b));
    assert_outline(tree, "[1 y 2 b[a[x]] 3 c]");
    /* To where it is: after the one before it, and before the one after it. */
    move_node(fixture, tree, y, before(GROVE_NODE_ROOT, find_node(fixture, tree, "2")));
    move_node(fixture, tree, y, after(GROVE_NODE_ROOT, find_node(fixture, tree, "1")));
    assert_outline(tree, "[1 y 2 b[a[x]] 3 c]");
    /* Beside a deleted one. */
    assert_ok(fixture, grove_tree_delete(tree, b, NO_BYTES, &fixture->error));
    move_node(fixture, tree, find_node(fixture, tree, "c"), before(GROVE_NODE_ROOT, b));
    assert_outline(tree, "[1 y 2 c b![a[x]] 3]");
    (void)save(fixture, tree);
    grove_document_close(tree);
    assert_stored_outline(fixture, "tree", "[1 y 2 c b![a[x]] 3]");
}

STORE_TEST(tree_edit, puts_that_cannot_be_are_refused_and_change_nothing)
{
    grove_document *tree = make_tree(fixture);
    grove_node a = find_node(fixture, tree, "a");
    grove_node b = find_node(fixture, tree, "b");
    grove_node x = find_node(fixture, tree, "x");
    grove_error *error = &fixture->error;
    grove_tree_item item = {.id = grove_bytes_of("new")};
    grove_tree_item again = {.id = grove_bytes_of("a")};
    grove_value value = grove_value_null();
    grove_tree_place nowhere = {GROVE_NODE_ROOT, (grove_tree_where)4, 0};
    grove_bytes name = grove_bytes_of("name");
    digest was = digest_of(tree);
    uint64_t events = events_of(tree);
    grove_node out = 42;

    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_put(tree, &item, last_of(6), NO_BYTES, &out, error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_put(tree, &item, nowhere, NO_BYTES, &out, error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_put(tree, &item, after(b, x), NO_BYTES, &out, error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_put(tree, &item, before(a, 99), NO_BYTES, &out, error));
    assert_fails(
        fixture, GROVE_INVALID,
        grove_tree_put(tree, &item, before(a, GROVE_NODE_ROOT), NO_BYTES, &out, error));
    assert_fails(fixture, GROVE_CONFLICT,
                 grove_tree_put(tree, &again, last_of(b), NO_BYTES, &out, error));
    item.type = grove_bytes_of("\xc3");
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_put(tree, &item, last_of(b), NO_BYTES, &out, error));
    item.type = NO_BYTES;
    item.id = NO_BYTES;
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_put_again(tree, &item, last_of(b), NO_BYTES, &out, error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_put_again(tree, &again, last_of(x), NO_BYTES, &out, error));
    grove_attribute twice[] = {{name, value}, {name, value}};
    item.attributes = twice;
    item.attribute_count = 2;
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_put(tree, &item, last_of(b), NO_BYTES, &out, error));
    cr_assert_eq(out, 42);
    cr_assert(digest_equal(digest_of(tree), was));
    cr_assert_eq(events_of(tree), events);
    grove_document_close(tree);
}

STORE_TEST(tree_edit, edits_that_cannot_be_are_refused_and_change_nothing)
{
    grove_document *tree = make_tree(fixture);
    grove_node a = find_node(fixture, tree, "a");
    grove_node b = find_node(fixture, tree, "b");
    grove_node x = find_node(fixture, tree, "x");
    grove_error *error = &fixture->error;
    grove_value value = grove_value_null();
    grove_value bad_text = grove_value_text(grove_bytes_of("\xff"));
    grove_value bad_kind = grove_value_null();
    bad_kind.kind = (grove_value_kind)6;
    grove_bytes name = grove_bytes_of("name");
    digest was = digest_of(tree);
    uint64_t events = events_of(tree);
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_set(tree, 6, name, &value, NO_BYTES, error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_set(tree, a, NO_BYTES, &value, NO_BYTES, error));
    assert_fails(
        fixture, GROVE_INVALID,
        grove_tree_set(tree, a, grove_bytes_of("\xff"), &value, NO_BYTES, error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_set(tree, a, name, &bad_text, NO_BYTES, error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_set(tree, a, name, &bad_kind, NO_BYTES, error));
    assert_fails(fixture, GROVE_NONE, grove_tree_unset(tree, a, name, NO_BYTES, error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_unset(tree, a, NO_BYTES, NO_BYTES, error));

    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_move(tree, GROVE_NODE_ROOT, last_of(a), NO_BYTES, error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_move(tree, a, last_of(a), NO_BYTES, error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_move(tree, a, last_of(x), NO_BYTES, error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_move(tree, a, before(GROVE_NODE_ROOT, a), NO_BYTES, error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_move(tree, 6, last_of(a), NO_BYTES, error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_delete(tree, GROVE_NODE_ROOT, NO_BYTES, error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_restore(tree, GROVE_NODE_ROOT, NO_BYTES, error));
    assert_fails(fixture, GROVE_INVALID, grove_tree_delete(tree, 6, NO_BYTES, error));
    assert_fails(fixture, GROVE_NONE, grove_tree_restore(tree, a, NO_BYTES, error));
    assert_ok(fixture, grove_tree_delete(tree, b, NO_BYTES, error));
    assert_fails(fixture, GROVE_NONE, grove_tree_delete(tree, b, NO_BYTES, error));
    assert_ok(fixture, grove_tree_restore(tree, b, NO_BYTES, error));
    cr_assert(digest_equal(digest_of(tree), was));
    cr_assert_eq(events_of(tree), events + 2);
    grove_document_close(tree);
}

STORE_TEST(tree_edit, sizes_are_taken_up_to_their_limits)
{
    enum { LONGEST = GROVE_TREE_METADATA_BYTES_MAX + 1 };
    uint8_t *bytes = calloc(1, LONGEST);
    cr_assert_not_null(bytes);
    memset(bytes, 'x', LONGEST);
    grove_document *tree = open_tree(fixture, "tree");
    grove_error *error = &fixture->error;
    grove_value value = grove_value_null();
    for (int more = -1; more <= 1; more++) {
        grove_status wanted = more > 0 ? GROVE_LIMIT : GROVE_OK;
        grove_tree_item item = {
            .id = {bytes, (size_t)(GROVE_NODE_ID_BYTES_MAX + more)},
            .type = grove_bytes_of("t"),
        };
        grove_tree_item typed = {
            .type = {bytes, (size_t)(GROVE_NODE_TYPE_BYTES_MAX + more)}};
        grove_bytes name = {bytes, (size_t)(GROVE_ATTRIBUTE_NAME_BYTES_MAX + more)};
        grove_bytes metadata = {bytes, (size_t)(GROVE_TREE_METADATA_BYTES_MAX + more)};
        cr_assert_eq(grove_tree_put(tree, &item, last_of(0), NO_BYTES, NULL, error),
                     wanted);
        cr_assert_eq(grove_tree_put(tree, &typed, last_of(0), NO_BYTES, NULL, error),
                     wanted);
        cr_assert_eq(grove_tree_set(tree, 0, name, &value, NO_BYTES, error), wanted);
        cr_assert_eq(
            grove_tree_set(tree, 0, grove_bytes_of("n"), &value, metadata, error),
            wanted);
    }
    digest was = digest_of(tree);
    (void)save(fixture, tree);
    grove_document_close(tree);
    assert_ok(fixture, grove_document_load(fixture->store, grove_bytes_of("tree"), NULL,
                                           &tree, error));
    cr_assert(digest_equal(digest_of(tree), was));
    grove_document_close(tree);
    free(bytes);
}

STORE_TEST(tree_edit, a_put_again_moves_and_writes)
{
    grove_document *tree = make_tree(fixture);
    grove_node x = find_node(fixture, tree, "x");
    set_integer(fixture, tree, x, "stays", 1);
    set_integer(fixture, tree, x, "goes", 1);
    assert_ok(fixture, grove_tree_delete(tree, x, NO_BYTES, &fixture->error));
    grove_attribute written = {grove_bytes_of("goes"), grove_value_integer(2)};
    grove_tree_item item = {grove_bytes_of("x"), grove_bytes_of("other"), &written, 1};
    grove_node node = 77;
    assert_ok(fixture, grove_tree_put_again(tree, &item, first_of(0), NO_BYTES, &node,
                                            &fixture->error));
    cr_assert_eq(node, x);
    assert_outline(tree, "[x:other!{goes=2,stays=1} a[y] b c]");
    item.id = grove_bytes_of("new");
    assert_ok(fixture, grove_tree_put_again(tree, &item, last_of(x), NO_BYTES, &node,
                                            &fixture->error));
    cr_assert_eq(node, 6);
    (void)save(fixture, tree);
    grove_document_close(tree);
    assert_stored_outline(fixture, "tree",
                          "[x:other!{goes=2,stays=1}[new:other{goes=2}] a[y] b c]");
}

/* An id that a node was given in another document, say, may be the one that is
 * made next here; what is put without one is a new node all the same. */
STORE_TEST(tree_edit, an_id_that_was_given_is_not_made_again)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = grove_type_tree();
    options.replica = (grove_replica){1, {'r'}};
    grove_document *tree = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of("ids"),
                                           &options, &tree, &fixture->error));
    grove_node given = put_node(fixture, tree, "72.2", last_of(GROVE_NODE_ROOT));
    (void)put_node(fixture, tree, "72.2.1", last_of(GROVE_NODE_ROOT));
    grove_node made = put_node(fixture, tree, "", last_of(given));
    grove_node next = put_node(fixture, tree, "", last_of(given));
    cr_assert(made != given && next != made);
    assert_outline(tree, "[72.2[72.2.2 72.3] 72.2.1]");
    assert_ok(fixture, grove_tree_undo(tree, NO_BYTES, &fixture->error));
    assert_ok(fixture, grove_tree_undo(tree, NO_BYTES, &fixture->error));
    assert_outline(tree, "[72.2[72.2.2! 72.3!] 72.2.1]");
    (void)save(fixture, tree);
    grove_document_close(tree);
    assert_stored_outline(fixture, "ids", "[72.2[72.2.2! 72.3!] 72.2.1]");
}

STORE_TEST(tree_edit, two_handles_put_one_id_and_have_one_node)
{
    grove_document *one = open_tree(fixture, "tree");
    (void)put_node(fixture, one, "p", last_of(0));
    (void)put_node(fixture, one, "q", last_of(0));
    (void)save(fixture, one);
    grove_document *two = open_tree(fixture, "tree");
    grove_node node = put_node(fixture, one, "n", last_of(find_node(fixture, one, "p")));
    set_integer(fixture, one, node, "one", 1);
    node = put_node(fixture, two, "n", last_of(find_node(fixture, two, "q")));
    set_integer(fixture, two, node, "two", 2);
    (void)save(fixture, one);
    (void)save(fixture, two);
    assert_ok(fixture, grove_document_refresh(one, NULL, &fixture->error));
    cr_assert(digest_equal(digest_of(one), digest_of(two)));
    grove_tree_info info;
    node = find_node(fixture, one, "n");
    assert_ok(fixture, grove_tree_info_get(one, node, &info, &fixture->error));
    grove_value value;
    assert_ok(fixture,
              grove_tree_get(one, node, grove_bytes_of("one"), &value, &fixture->error));
    assert_ok(fixture,
              grove_tree_get(one, node, grove_bytes_of("two"), &value, &fixture->error));
    uint64_t count = 0;
    assert_ok(fixture, grove_tree_count(one, &count, &fixture->error));
    cr_assert_eq(count, 4);
    grove_document_close(two);
    grove_document_close(one);
}

STORE_TEST(tree_edit, trees_are_only_edited_as_trees_and_now)
{
    grove_error *error = &fixture->error;
    grove_document *text = open_document(fixture, "text");
    grove_tree_item item = {.id = NO_BYTES};
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_put(text, &item, last_of(0), NO_BYTES, NULL, error));
    assert_fails(fixture, GROVE_INVALID, grove_tree_delete(text, 1, NO_BYTES, error));
    assert_fails(fixture, GROVE_INVALID, grove_tree_begin(text, error));
    grove_document_close(text);
    grove_document *tree = make_tree(fixture);
    assert_fails(fixture, GROVE_INVALID,
                 grove_text_insert(tree, 0, grove_bytes_of("x"), error));
    (void)save(fixture, tree);
    grove_document *past = NULL;
    assert_ok(fixture, grove_document_load_at(fixture->store, grove_bytes_of("tree"), 4,
                                              NULL, &past, error));
    assert_outline(past, "[a[x] b c]");
    assert_fails(fixture, GROVE_INVALID,
                 grove_tree_put(past, &item, last_of(0), NO_BYTES, NULL, error));
    assert_fails(fixture, GROVE_INVALID, grove_tree_begin(past, error));
    grove_document_close(past);
    grove_document_close(tree);
}

/* --- when memory fails --- */

typedef grove_status (*edit_fn)(grove_document *tree, grove_error *error);

static grove_status edit_put(grove_document *tree, grove_error *error)
{
    grove_attribute attribute = {grove_bytes_of("a name"),
                                 grove_value_text(grove_bytes_of("a text"))};
    grove_tree_item item = {grove_bytes_of("an id"), grove_bytes_of("a type"), &attribute,
                            1};
    return grove_tree_put(tree, &item, last_of(1), grove_bytes_of("meta"), NULL, error);
}

static grove_status edit_set(grove_document *tree, grove_error *error)
{
    grove_value value = grove_value_text(grove_bytes_of("a text"));
    return grove_tree_set(tree, 1, grove_bytes_of("another name"), &value, NO_BYTES,
                          error);
}

static grove_status edit_move(grove_document *tree, grove_error *error)
{
    return grove_tree_move(tree, 2, last_of(1), NO_BYTES, error);
}

static grove_status edit_delete(grove_document *tree, grove_error *error)
{
    return grove_tree_delete(tree, 2, NO_BYTES, error);
}

static grove_status edit_undo(grove_document *tree, grove_error *error)
{
    return grove_tree_undo(tree, NO_BYTES, error);
}

/* Fails the nth allocation of an edit; whether there was one. */
static bool fail_edit(store_fixture *fixture, faulty_allocator *faulty, edit_fn edit,
                      size_t nth)
{
    grove_document *tree = make_tree(fixture);
    digest was = digest_of(tree);
    uint64_t events = events_of(tree);
    faulty->fails_at = faulty->calls + nth;
    faulty->has_failed = false;
    grove_status status = edit(tree, &fixture->error);
    faulty->fails_at = 0;
    bool has_failed = faulty->has_failed;
    if (status == GROVE_NO_MEMORY) {
        cr_assert(digest_equal(digest_of(tree), was));
        cr_assert_eq(events_of(tree), events);
        assert_ok(fixture, edit(tree, &fixture->error));
    } else {
        assert_ok(fixture, status);
    }
    (void)save(fixture, tree);
    grove_document_close(tree);
    assert_ok(fixture, grove_document_delete(fixture->store, grove_bytes_of("tree"), NULL,
                                             &fixture->error));
    return has_failed;
}

Test(tree_edit, an_edit_without_memory_changes_nothing)
{
    static const edit_fn EDITS[] = {edit_put, edit_set, edit_move, edit_delete,
                                    edit_undo};
    faulty_allocator faulty;
    store_fixture fixture;
    faulty_allocator_init(&faulty, 0);
    store_fixture_init(&fixture, "memory");
    fixture.options.allocator = &faulty.allocator;
    store_fixture_open(&fixture);
    for (size_t index = 0; index < sizeof EDITS / sizeof *EDITS; index++) {
        size_t nth = 1;
        while (fail_edit(&fixture, &faulty, EDITS[index], nth)) {
            nth++;
        }
        cr_assert_gt(nth, 1);
    }
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
    faulty_allocator_finish(&faulty);
}
