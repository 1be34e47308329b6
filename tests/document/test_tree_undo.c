/* Changes of several edits, and undoing them. */
#include "support/tree_document.h"

static void undo(store_fixture *fixture, grove_document *tree)
{
    assert_ok(fixture, grove_tree_undo(tree, NO_BYTES, &fixture->error));
}

static void redo(store_fixture *fixture, grove_document *tree)
{
    assert_ok(fixture, grove_tree_redo(tree, NO_BYTES, &fixture->error));
}

/* [a{k=1}[b] c], with nothing to undo. */
static grove_document *make_tree(store_fixture *fixture)
{
    grove_document *tree = open_tree(fixture, "tree");
    grove_node a = put_node(fixture, tree, "a", last_of(0));
    (void)put_node(fixture, tree, "b", last_of(a));
    (void)put_node(fixture, tree, "c", last_of(0));
    set_integer(fixture, tree, a, "k", 1);
    (void)save(fixture, tree);
    grove_document_close(tree);
    tree = open_tree(fixture, "tree");
    assert_outline(tree, "[a{k=1}[b] c]");
    return tree;
}

STORE_TEST(tree_undo, each_edit_is_undone_and_redone)
{
    grove_document *tree = make_tree(fixture);
    grove_error *error = &fixture->error;
    grove_node a = find_node(fixture, tree, "a");
    grove_node b = find_node(fixture, tree, "b");
    grove_node c = find_node(fixture, tree, "c");
    static const char *const STATES[] = {
        "[a{k=1}[b] c]", "[a{k=2}[b] c]", "[a[b] c]",  "[a[b] c d]",
        "[a c d b]",     "[a! c d b]",    "[a c d b]", "[a c:other{n=3} d b]",
    };
    enum { STEPS = sizeof STATES / sizeof *STATES - 1 };
    set_integer(fixture, tree, a, "k", 2);
    assert_ok(fixture, grove_tree_unset(tree, a, grove_bytes_of("k"), NO_BYTES, error));
    (void)put_node(fixture, tree, "d", last_of(0));
    move_node(fixture, tree, b, last_of(0));
    assert_ok(fixture, grove_tree_delete(tree, a, NO_BYTES, error));
    assert_ok(fixture, grove_tree_restore(tree, a, NO_BYTES, error));
    grove_attribute written = {grove_bytes_of("n"), grove_value_integer(3)};
    grove_tree_item again = {grove_bytes_of("c"), grove_bytes_of("other"), &written, 1};
    assert_ok(fixture,
              grove_tree_put_again(tree, &again, after(0, a), NO_BYTES, NULL, error));
    (void)c;
    for (int round = 0; round < 3; round++) {
        for (int step = STEPS; step > 0; step--) {
            /* What was put is deleted, not gone. */
            if (step >= 3) {
                assert_outline(tree, STATES[step]);
            }
            undo(fixture, tree);
        }
        assert_outline(tree, "[a{k=1}[b] c d!]");
        assert_fails(fixture, GROVE_NONE, grove_tree_undo(tree, NO_BYTES, error));
        for (int step = 1; step <= STEPS; step++) {
            redo(fixture, tree);
        }
        assert_outline(tree, STATES[STEPS]);
        assert_fails(fixture, GROVE_NONE, grove_tree_redo(tree, NO_BYTES, error));
    }
    (void)save(fixture, tree);
    grove_document_close(tree);
    assert_stored_outline(fixture, "tree", STATES[STEPS]);
}

STORE_TEST(tree_undo, what_others_wrote_meanwhile_stays)
{
    grove_document *mine = make_tree(fixture);
    grove_document *other = open_tree(fixture, "tree");
    grove_node a = find_node(fixture, mine, "a");
    grove_node b = find_node(fixture, mine, "b");
    set_integer(fixture, mine, a, "k", 2);
    set_integer(fixture, mine, a, "own", 2);
    move_node(fixture, mine, b, last_of(0));
    assert_ok(fixture, grove_tree_delete(mine, a, NO_BYTES, &fixture->error));
    (void)save(fixture, mine);
    assert_ok(fixture, grove_document_refresh(other, NULL, &fixture->error));
    set_integer(fixture, other, find_node(fixture, other, "a"), "k", 3);
    move_node(fixture, other, find_node(fixture, other, "b"), first_of(0));
    assert_ok(fixture, grove_tree_restore(other, find_node(fixture, other, "a"), NO_BYTES,
                                          &fixture->error));
    (void)save(fixture, other);
    assert_ok(fixture, grove_document_refresh(mine, NULL, &fixture->error));
    uint64_t events = events_of(mine);
    undo(fixture, mine); /* the deletion: another one restored it */
    undo(fixture, mine); /* the move: another one moved it */
    cr_assert_eq(events_of(mine), events);
    undo(fixture, mine); /* `own` */
    undo(fixture, mine); /* `k`: another one wrote it */
    assert_outline(mine, "[b a{k=3} c]");
    grove_document_close(other);
    grove_document_close(mine);
}

STORE_TEST(tree_undo, a_change_is_undone_as_a_whole)
{
    grove_document *tree = make_tree(fixture);
    grove_error *error = &fixture->error;
    grove_node a = find_node(fixture, tree, "a");
    assert_ok(fixture, grove_tree_begin(tree, error));
    grove_node d = put_node(fixture, tree, "d", last_of(a));
    set_integer(fixture, tree, d, "n", 1);
    set_integer(fixture, tree, d, "n", 2);
    move_node(fixture, tree, d, first_of(0));
    assert_ok(fixture, grove_tree_end(tree, error));
    set_integer(fixture, tree, a, "k", 5);
    undo(fixture, tree);
    assert_outline(tree, "[d{n=2} a{k=1}[b] c]");
    undo(fixture, tree);
    assert_outline(tree, "[a{k=1}[b d!] c]");
    redo(fixture, tree);
    assert_outline(tree, "[d{n=2} a{k=1}[b] c]");
    /* Another edit: what was undone is past. */
    set_integer(fixture, tree, a, "k", 6);
    assert_fails(fixture, GROVE_NONE, grove_tree_redo(tree, NO_BYTES, error));
    undo(fixture, tree);
    undo(fixture, tree);
    assert_outline(tree, "[a{k=1}[b d!] c]");
    (void)save(fixture, tree);
    grove_document_close(tree);
    assert_stored_outline(fixture, "tree", "[a{k=1}[b d!] c]");
}

STORE_TEST(tree_undo, a_change_that_is_cancelled_never_was)
{
    grove_document *tree = make_tree(fixture);
    grove_error *error = &fixture->error;
    grove_node a = find_node(fixture, tree, "a");
    set_integer(fixture, tree, a, "k", 4);
    digest was = digest_of(tree);
    uint64_t events = events_of(tree);
    uint64_t count = 0;
    for (int round = 0; round < 3; round++) {
        assert_ok(fixture, grove_tree_begin(tree, error));
        grove_node d = put_node(fixture, tree, "d", last_of(a));
        grove_tree_item item = {.type = grove_bytes_of("t")};
        assert_ok(fixture,
                  grove_tree_put(tree, &item, last_of(d), NO_BYTES, NULL, error));
        item.id = grove_bytes_of("b");
        assert_ok(fixture,
                  grove_tree_put_again(tree, &item, first_of(0), NO_BYTES, NULL, error));
        set_integer(fixture, tree, d, "n", 1);
        set_integer(fixture, tree, a, "k", 9);
        move_node(fixture, tree, find_node(fixture, tree, "b"), last_of(d));
        move_node(fixture, tree, a, last_of(find_node(fixture, tree, "c")));
        assert_ok(fixture, grove_tree_delete(tree, d, NO_BYTES, error));
        assert_ok(fixture, grove_tree_restore(tree, d, NO_BYTES, error));
        assert_ok(fixture,
                  grove_tree_unset(tree, a, grove_bytes_of("k"), NO_BYTES, error));
        assert_ok(fixture, grove_tree_cancel(tree, error));
        cr_assert(digest_equal(digest_of(tree), was));
        cr_assert_eq(events_of(tree), events);
        assert_ok(fixture, grove_tree_count(tree, &count, error));
        cr_assert_eq(count, 4);
        assert_fails(fixture, GROVE_NONE,
                     grove_tree_find(tree, grove_bytes_of("d"), &a, error));
        a = find_node(fixture, tree, "a");
    }
    undo(fixture, tree);
    assert_outline(tree, "[a{k=1}[b] c]");
    (void)put_node(fixture, tree, "d", last_of(a));
    (void)save(fixture, tree);
    grove_document_close(tree);
    assert_stored_outline(fixture, "tree", "[a{k=1}[b d] c]");
}

static bool take_run(void *context, uint64_t clock, const grove_event_run *run)
{
    (void)context, (void)clock, (void)run;
    return true;
}

STORE_TEST(tree_undo, while_a_change_is_open_nothing_else_is_done)
{
    grove_document *tree = make_tree(fixture);
    grove_error *error = &fixture->error;
    assert_fails(fixture, GROVE_INVALID, grove_tree_end(tree, error));
    assert_fails(fixture, GROVE_INVALID, grove_tree_cancel(tree, error));
    assert_ok(fixture, grove_tree_begin(tree, error));
    (void)put_node(fixture, tree, "d", last_of(0));
    assert_fails(fixture, GROVE_INVALID, grove_tree_begin(tree, error));
    assert_fails(fixture, GROVE_INVALID, grove_tree_undo(tree, NO_BYTES, error));
    assert_fails(fixture, GROVE_INVALID, grove_tree_redo(tree, NO_BYTES, error));
    assert_fails(fixture, GROVE_INVALID, grove_document_save(tree, NULL, NULL, error));
    assert_fails(fixture, GROVE_INVALID, grove_document_refresh(tree, NULL, error));
    assert_fails(fixture, GROVE_INVALID, grove_document_compact(tree, NULL, NULL, error));
    assert_fails(fixture, GROVE_INVALID, grove_document_seal(tree, NULL, NULL, error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_document_events(tree, 0, take_run, NULL, error));
    assert_fails(fixture, GROVE_INVALID,
                 grove_document_import(tree, NO_BYTES, NULL, error));
    assert_ok(fixture, grove_tree_end(tree, error));
    (void)save(fixture, tree);
    grove_document_close(tree);
    assert_stored_outline(fixture, "tree", "[a{k=1}[b] c d]");
}

STORE_TEST(tree_undo, the_older_changes_are_forgotten_beyond_a_limit)
{
    grove_document *tree = make_tree(fixture);
    grove_node a = find_node(fixture, tree, "a");
    for (int64_t change = 0; change <= GROVE_TREE_UNDO_CHANGES_MAX; change++) {
        set_integer(fixture, tree, a, "k", 10 + change);
    }
    int undone = 0;
    while (grove_tree_undo(tree, NO_BYTES, &fixture->error) == GROVE_OK) {
        undone++;
    }
    cr_assert_geq(undone, GROVE_TREE_UNDO_CHANGES_MAX / 2);
    cr_assert_leq(undone, GROVE_TREE_UNDO_CHANGES_MAX);
    grove_value value;
    assert_ok(fixture,
              grove_tree_get(tree, a, grove_bytes_of("k"), &value, &fixture->error));
    cr_assert_eq(value.integer, 10 + GROVE_TREE_UNDO_CHANGES_MAX - undone);
    grove_document_close(tree);
}

/* --- moves among siblings --- */

enum { SIBLINGS = 4, MOVES = 4, PLACES = SIBLINGS + 1, WAYS = SIBLINGS * PLACES };

/* The ids of the children of the root, in their order. */
static void list_children(store_fixture *fixture, const grove_document *tree,
                          char ids[SIBLINGS + 1])
{
    size_t count = 0;
    grove_node child = GROVE_NODE_NONE;
    assert_ok(fixture, grove_tree_step(tree, GROVE_NODE_ROOT, GROVE_TREE_TO_FIRST, 0,
                                       &child, &fixture->error));
    while (child != GROVE_NODE_NONE) {
        grove_tree_id_bytes id;
        assert_ok(fixture, grove_tree_id(tree, child, &id, &fixture->error));
        ids[count++] = (char)id.bytes[0];
        assert_ok(fixture, grove_tree_step(tree, child, GROVE_TREE_TO_NEXT, 0, &child,
                                           &fixture->error));
    }
    ids[count] = '\0';
}

/* Moves one of the siblings, drawn by a number, to the front or behind one. */
static void move_sibling(store_fixture *fixture, grove_document *tree, unsigned drawn)
{
    grove_node node = 1 + drawn % SIBLINGS;
    unsigned behind = drawn / SIBLINGS % PLACES;
    grove_tree_place place = {GROVE_NODE_ROOT, GROVE_TREE_FIRST, 0};
    if (behind > 0 && behind != node) {
        place.where = GROVE_TREE_AFTER;
        place.sibling = behind;
    }
    move_node(fixture, tree, node, place);
}

/* Makes some moves, in one change or each by itself, and takes all back. */
static void check_moves(store_fixture *fixture, grove_document *tree, unsigned program,
                        bool is_one_change)
{
    char states[MOVES + 1][SIBLINGS + 1];
    char now[SIBLINGS + 1];
    list_children(fixture, tree, states[0]);
    if (is_one_change) {
        assert_ok(fixture, grove_tree_begin(tree, &fixture->error));
    }
    for (int move = 0; move < MOVES; move++) {
        move_sibling(fixture, tree, program);
        program /= WAYS;
        list_children(fixture, tree, states[move + 1]);
    }
    if (is_one_change) {
        assert_ok(fixture, grove_tree_end(tree, &fixture->error));
    }
    int step = is_one_change ? MOVES : 1;
    for (int round = 0; round < 2; round++) {
        for (int left = MOVES - step; left >= 0; left -= step) {
            undo(fixture, tree);
            list_children(fixture, tree, now);
            cr_assert_str_eq(now, states[left], "%s instead of %s", now, states[left]);
        }
        for (int made = step; made <= MOVES; made += step) {
            redo(fixture, tree);
            list_children(fixture, tree, now);
            cr_assert_str_eq(now, states[made], "%s instead of %s", now, states[made]);
        }
    }
}

STORE_TEST(tree_undo, siblings_come_back_in_the_order_that_they_had)
{
    enum { PROGRAMS = WAYS * WAYS * WAYS * WAYS, STRIDE = 97 };
    for (unsigned program = 0; program < PROGRAMS; program += STRIDE) {
        grove_document *tree = open_tree(fixture, "tree");
        (void)put_node(fixture, tree, "a", last_of(0));
        (void)put_node(fixture, tree, "b", last_of(0));
        (void)put_node(fixture, tree, "c", last_of(0));
        (void)put_node(fixture, tree, "d", last_of(0));
        check_moves(fixture, tree, program, program % 2 == 0);
        /* With all the empty places that this left. */
        check_moves(fixture, tree, PROGRAMS - 1 - program, program % 3 == 0);
        grove_document_close(tree);
    }
}
