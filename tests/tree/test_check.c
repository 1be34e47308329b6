#include <criterion/criterion.h>

#include "base/alloc.h"
#include "program.h"

static tree_program program;

/* Root, N with a deleted child M and attributes, P where M was first. */
static grove__tree *make(void)
{
    static const program_edit edits[] = {
        {GROVE_TREE_PUT, "N", "", GROVE_TREE_LAST, NULL},
        {GROVE_TREE_PUT, "P", "", GROVE_TREE_LAST, NULL},
        {GROVE_TREE_PUT, "M", "P", GROVE_TREE_LAST, NULL},
        {GROVE_TREE_MOVE, "M", "N", GROVE_TREE_LAST, NULL},
        {GROVE_TREE_MOVE, "P", "", GROVE_TREE_FIRST, NULL},
        {GROVE_TREE_DELETE, "M", NULL, GROVE_TREE_LAST, NULL},
    };
    program_clear(&program);
    for (size_t index = 0; index < sizeof edits / sizeof *edits; index++) {
        cr_assert(program_do(&program, 0, &edits[index]));
    }
    return program_run(&program, program.oracle.count);
}

Test(check, finds_nothing_wrong_with_a_tree)
{
    grove__tree *tree = make();
    cr_assert_null(grove__tree_check(tree));
    grove__tree_free(tree);
}

Test(check, finds_each_number_that_is_wrong)
{
    grove__tree *tree = make();
    uint32_t *const numbers[] = {
        &tree->nodes[1].place,      &tree->nodes[1].base,
        &tree->nodes[1].made,       &tree->nodes[1].typed,
        &tree->nodes[1].type,       &tree->nodes[1].child_count,
        &tree->nodes[1].id,         &tree->nodes[0].child_count,
        &tree->places[1].parent,    &tree->nodes[0].children.first,
        &tree->fugue.links[0].next, &tree->attributes[0].node,
        &tree->attributes[0].size,  &tree->moves[0],
    };
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++) {
        uint32_t held = *numbers[index];
        *numbers[index] = held == 2 ? 1 : 2;
        if (numbers[index] == &tree->attributes[0].size) {
            *numbers[index] = UINT32_MAX;
        } else if (numbers[index] == &tree->nodes[1].type) {
            *numbers[index] = (uint32_t)tree->names.count;
        }
        cr_expect_not_null(grove__tree_check(tree), "number %zu", index);
        *numbers[index] = held;
        cr_assert_null(grove__tree_check(tree), "number %zu", index);
    }
    grove__tree_free(tree);
}

Test(check, finds_a_node_below_itself)
{
    grove__tree *tree = make();
    uint32_t place = tree->nodes[3].place;
    uint32_t parent = tree->places[tree->nodes[1].place].parent;
    tree->places[tree->nodes[1].place].parent = 3;
    cr_assert_not_null(grove__tree_check(tree));
    tree->places[tree->nodes[1].place].parent = parent;
    cr_assert_eq(tree->nodes[3].place, place);
    cr_assert_null(grove__tree_check(tree));
    grove__tree_free(tree);
}

Test(check, finds_what_a_journal_still_has)
{
    grove__tree *tree = make();
    cr_assert_eq(grove__tree_note(tree, GROVE__TREE_ENTRY_PLACE, 0, NULL), GROVE_OK);
    cr_assert_not_null(grove__tree_check(tree));
    tree->journal.size = 0;
    cr_assert_null(grove__tree_check(tree));
    grove__tree_free(tree);
}
