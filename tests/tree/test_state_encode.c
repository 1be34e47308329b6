#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "program.h"
#include "support/faulty_allocator.h"

static tree_program program;

static void edit(uint32_t replica, const program_edit *made)
{
    cr_assert(program_do(&program, replica, made));
}

static uint64_t snapshot_bytes(const grove__tree *tree, uint64_t settled)
{
    grove_type_buffers snapshot;
    program_encode(tree, settled, &snapshot);
    uint64_t bytes = snapshot.structure.size + snapshot.content.size;
    program_release(&snapshot);
    return bytes;
}

Test(state_encode, a_node_of_a_row_takes_few_bytes)
{
    enum { NODES = 500 };
    const grove_document_type *type = grove_type_tree();
    oracle_event event = {.kind = GROVE_TREE_PUT, .parent = ORACLE_NONE};
    program_clear(&program);
    for (uint32_t index = 0; index < NODES; index++) {
        event.anchor = index == 0 ? ORACLE_NONE : index - 1;
        (void)program_add(&program, 0, &event);
    }
    grove__tree *tree = program_run(&program, NODES);
    cr_assert_leq(snapshot_bytes(tree, 0), 12 * NODES);
    cr_assert_leq(snapshot_bytes(tree, 0), 2 * type->state_bytes(type, tree));
    cr_assert_geq(2 * snapshot_bytes(tree, 0), type->state_bytes(type, tree));
    grove__tree_free(tree);
}

/* Moves that are settled are left out, with the places that they left, unless
 * those are anchors; so is what was unset or restored. */
Test(state_encode, what_is_settled_leaves_nothing_behind)
{
    static const program_edit puts[] = {
        {GROVE_TREE_PUT, "N", "", GROVE_TREE_LAST, NULL},
        {GROVE_TREE_PUT, "P", "", GROVE_TREE_LAST, NULL},
    };
    static const program_edit rounds[] = {
        {GROVE_TREE_MOVE, "N", "P", GROVE_TREE_LAST, NULL},
        {GROVE_TREE_MOVE, "N", "", GROVE_TREE_FIRST, NULL},
        {GROVE_TREE_DELETE, "N", NULL, GROVE_TREE_LAST, NULL},
        {GROVE_TREE_RESTORE, "N", NULL, GROVE_TREE_LAST, NULL},
        {GROVE_TREE_SET, "P", NULL, GROVE_TREE_LAST, NULL},
        {GROVE_TREE_UNSET, "P", NULL, GROVE_TREE_LAST, NULL},
    };
    uint64_t bytes[2] = {0, 0};
    program_clear(&program);
    edit(0, &puts[0]);
    edit(0, &puts[1]);
    for (uint32_t round = 0; round < 40; round++) {
        for (size_t index = 0; index < sizeof rounds / sizeof *rounds; index++) {
            edit(0, &rounds[index]);
        }
        if (round == 0 || round == 39) {
            grove__tree *tree = program_run(&program, program.oracle.count);
            bytes[round == 0 ? 0 : 1] = snapshot_bytes(tree, program.oracle.count);
            cr_assert(round == 0 || snapshot_bytes(tree, 0) > 2 * bytes[1],
                      "nothing is left out");
            grove__tree_free(tree);
        }
    }
    cr_assert_leq(bytes[1], bytes[0] + 8, "%llu bytes, then %llu",
                  (unsigned long long)bytes[0], (unsigned long long)bytes[1]);
}

Test(state_encode, an_anchor_of_what_is_there_stays)
{
    static const program_edit edits[] = {
        {GROVE_TREE_PUT, "N", "", GROVE_TREE_LAST, NULL},
        {GROVE_TREE_PUT, "P", "", GROVE_TREE_LAST, NULL},
        {GROVE_TREE_MOVE, "N", "P", GROVE_TREE_LAST, NULL},
        {GROVE_TREE_PUT, "M", "P", GROVE_TREE_LAST, NULL},
        {GROVE_TREE_PUT, "L", "P", GROVE_TREE_BEFORE, "M"},
        {GROVE_TREE_MOVE, "N", "", GROVE_TREE_LAST, NULL},
        {GROVE_TREE_DELETE, "L", NULL, GROVE_TREE_LAST, NULL},
    };
    char outline[OUTLINE_MAX];
    program_clear(&program);
    for (size_t index = 0; index < sizeof edits / sizeof *edits; index++) {
        edit(0, &edits[index]);
    }
    grove__tree *tree = program_run(&program, program.oracle.count);
    const tree_digest digest = program_digest(tree);
    program_reload(&tree, program.oracle.count);
    cr_assert_null(grove__tree_check(tree));
    cr_assert(program_is_digest(tree, &digest));
    cr_assert_eq(tree->move_count, 0);
    cr_assert_eq(tree->settled, program.oracle.count);
    program_outline(tree, true, outline);
    cr_assert_str_eq(outline, "P(L,M),N");
    grove__tree_free(tree);
}

/* Settled once, a tree stays so. */
Test(state_encode, does_not_settle_less_than_was)
{
    static const program_edit put = {GROVE_TREE_PUT, "N", "", GROVE_TREE_LAST, NULL};
    program_clear(&program);
    edit(0, &put);
    edit(0, &put);
    grove__tree *tree = program_run(&program, 2);
    program_reload(&tree, 2);
    program_reload(&tree, 1);
    cr_assert_eq(tree->settled, 2);
    program_reload(&tree, 0);
    cr_assert_eq(tree->settled, 2);
    grove__tree_free(tree);
}

Test(state_encode, says_where_its_columns_begin)
{
    test_random random = test_random_of("state_encode");
    program_clear(&program);
    while (program.oracle.count < 60) {
        (void)program_draw(&program, 0, &random);
    }
    grove__tree *tree = program_run(&program, 60);
    grove_type_buffers snapshot;
    program_encode(tree, 0, &snapshot);
    cr_assert_gt(snapshot.structure_cut_count, 0);
    cr_assert_leq(snapshot.structure_cut_count, GROVE_TYPE_CUTS_MAX);
    size_t before = 0;
    for (size_t index = 0; index < snapshot.structure_cut_count; index++) {
        cr_assert_gt(snapshot.structure_cuts[index], before);
        cr_assert_lt(snapshot.structure_cuts[index], snapshot.structure.size);
        before = snapshot.structure_cuts[index];
    }
    program_release(&snapshot);
    grove__tree_free(tree);
}

Test(state_encode, without_memory_says_so_and_leaves_nothing_behind)
{
    const grove_document_type *type = grove_type_tree();
    test_random random = test_random_of("state_encode");
    program_clear(&program);
    while (program.oracle.count < 30) {
        (void)program_draw(&program, 0, &random);
    }
    static uint32_t events[30];
    for (uint32_t event = 0; event < 30; event++) {
        events[event] = event;
    }
    bool has_failed = true;
    for (size_t nth = 1; has_failed; nth++) {
        faulty_allocator faulty;
        grove_type_buffers snapshot = {.structure_cut_count = 0};
        faulty_allocator_init(&faulty, 0);
        grove__tree *tree = program_tree(&faulty.allocator);
        cr_assert_eq(program_apply(&program, tree, events, 30, NULL), GROVE_OK);
        const tree_digest digest = program_digest(tree);
        grove_buffer_init(&snapshot.structure, &faulty.allocator);
        grove_buffer_init(&snapshot.content, &faulty.allocator);
        faulty.fails_at = faulty.calls + nth;
        grove_status status = type->state_encode(type, tree, &snapshot, NULL);
        has_failed = faulty.has_failed;
        faulty.fails_at = 0;
        cr_assert_eq(status, has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        cr_assert(program_is_digest(tree, &digest));
        cr_assert_null(grove__tree_check(tree));
        program_release(&snapshot);
        grove__tree_free(tree);
        faulty_allocator_finish(&faulty);
    }
}
