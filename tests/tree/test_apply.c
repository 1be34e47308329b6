#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "orders.h"
#include "support/faulty_allocator.h"
#include "tree/operation.h"

enum { M = 0, A = 1, B = 4 };

static tree_program program;

static void edit(uint32_t replica, grove_tree_kind kind, const char *node,
                 const char *parent)
{
    const program_edit made = {kind, node, parent, GROVE_TREE_LAST, NULL};
    cr_assert(program_do(&program, replica, &made));
}

/* Node N below the root, known to all. */
static uint32_t begin(void)
{
    program_clear(&program);
    edit(M, GROVE_TREE_PUT, "N", "");
    program_learn(&program, A, M);
    program_learn(&program, B, M);
    return program.oracle.count;
}

static grove__tree *run(void)
{
    return program_run(&program, program.oracle.count);
}

static int64_t integer_of(const grove__tree *tree, const char *id, const char *name)
{
    uint32_t node = grove__tree_find(tree, grove_bytes_of(id));
    uint32_t attribute = grove__tree_attribute_of(tree, node, grove_bytes_of(name));
    grove_value value = grove_value_null();
    if (attribute == GROVE__TREE_NONE || tree->attributes[attribute].size == 0) {
        return -1;
    }
    cr_assert(grove__tree_value_decode(grove__tree_value_at(tree, attribute), &value));
    return value.integer;
}

static void expect_outline(const grove__tree *tree, bool deleted_too,
                           const char *expected)
{
    char outline[OUTLINE_MAX];
    program_outline(tree, deleted_too, outline);
    cr_expect_str_eq(outline, expected, "%s instead of %s", outline, expected);
}

/* --- which write wins --- */

Test(apply, of_writes_of_an_attribute_the_latest_wins_and_unset_is_one)
{
    static const struct {
        grove_tree_kind kinds[2]; /* of A's edit, and of B's, which is later */
        int64_t value;
    } cases[] = {
        {{GROVE_TREE_SET, GROVE_TREE_SET}, 2},
        {{GROVE_TREE_SET, GROVE_TREE_UNSET}, -1},
        {{GROVE_TREE_UNSET, GROVE_TREE_SET}, 2},
        {{GROVE_TREE_UNSET, GROVE_TREE_UNSET}, -1},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        uint32_t first = begin();
        edit(A, cases[index].kinds[0], "N", NULL);
        edit(B, cases[index].kinds[1], "N", NULL);
        cr_assert_eq(orders_check(&program, first), 2);
        grove__tree *tree = run();
        cr_expect_eq(integer_of(tree, "N", "x"), cases[index].value, "case %zu", index);
        grove__tree_free(tree);
    }
}

Test(apply, a_longer_history_is_later_whatever_the_replica)
{
    uint32_t first = begin();
    edit(A, GROVE_TREE_SET, "N", NULL);
    edit(A, GROVE_TREE_SET, "N", NULL);
    edit(M, GROVE_TREE_SET, "N", NULL);
    cr_assert_eq(orders_check(&program, first), 3);
    grove__tree *tree = run();
    cr_assert_eq(integer_of(tree, "N", "x"), 2);
    grove__tree_free(tree);
}

Test(apply, what_one_knows_of_is_overwritten)
{
    uint32_t first = begin();
    edit(M, GROVE_TREE_SET, "N", NULL);
    program_learn(&program, A, M);
    edit(A, GROVE_TREE_SET, "N", NULL);
    cr_assert_eq(orders_check(&program, first), 1);
    grove__tree *tree = run();
    cr_assert_eq(integer_of(tree, "N", "x"), 2);
    grove__tree_free(tree);
}

/* Two put one id: the later has the place, the type and the attribute that
 * both write, and what only one writes is there. */
Test(apply, of_two_puts_of_one_id_is_one_node)
{
    program_clear(&program);
    edit(M, GROVE_TREE_PUT, "P", "");
    program_learn(&program, A, M);
    program_learn(&program, B, M);
    oracle_event puts[2] = {{.kind = GROVE_TREE_PUT}, {.kind = GROVE_TREE_PUT}};
    for (uint32_t index = 0; index < 2; index++) {
        puts[index].id = oracle_bytes_of("N");
        puts[index].parent = index == 0 ? 0 : ORACLE_NONE;
        puts[index].anchor = ORACLE_NONE;
        puts[index].type = oracle_bytes_of(index == 0 ? "early" : "late");
        puts[index].write_count = 2;
        puts[index].writes[0] = (oracle_write){oracle_bytes_of(index == 0 ? "a" : "b"),
                                               program_integer(index)};
        puts[index].writes[1] =
            (oracle_write){oracle_bytes_of("c"), program_integer(index)};
    }
    (void)program_add(&program, B, &puts[1]);
    (void)program_add(&program, A, &puts[0]);
    cr_assert_eq(orders_check(&program, 1), 2);
    grove__tree *tree = run();
    cr_assert_eq(tree->node_count, 3);
    expect_outline(tree, false, "N,P");
    cr_assert_eq(integer_of(tree, "N", "a"), 0);
    cr_assert_eq(integer_of(tree, "N", "b"), 1);
    cr_assert_eq(integer_of(tree, "N", "c"), 1);
    uint32_t node = grove__tree_find(tree, grove_bytes_of("N"));
    cr_assert(grove__bytes_equal(grove__names_at(&tree->names, tree->nodes[node].type),
                                 grove_bytes_of("late")));
    grove__tree_free(tree);
}

Test(apply, a_put_without_effect_as_a_move_writes_all_the_same)
{
    uint32_t first = begin();
    edit(A, GROVE_TREE_PUT, "X", "");
    program_learn(&program, B, A);
    first = program.oracle.count;
    edit(A, GROVE_TREE_MOVE, "N", "X");
    edit(B, GROVE_TREE_PUT, "X", "N");
    cr_assert_eq(orders_check(&program, first), 2);
    grove__tree *tree = run();
    expect_outline(tree, false, "X(N)");
    cr_assert_eq(integer_of(tree, "X", "x"), 3);
    grove__tree_free(tree);
}

Test(apply, an_id_that_the_library_makes_is_one_that_may_be_given)
{
    program_clear(&program);
    edit(M, GROVE_TREE_PUT, "", "");
    edit(A, GROVE_TREE_PUT, "6d.0", "");
    edit(B, GROVE_TREE_PUT, "6d.1", "");
    edit(B, GROVE_TREE_PUT, "6D.0", "");
    edit(B, GROVE_TREE_PUT, "6d.00", "");
    cr_assert_gt(orders_check(&program, 0), 2);
    grove__tree *tree = run();
    cr_assert_eq(tree->node_count, 5);
    grove__tree_free(tree);
}

/* --- deletion --- */

Test(apply, a_deletion_hides_and_keeps_what_others_do_until_it_is_restored)
{
    uint32_t first = begin();
    edit(A, GROVE_TREE_DELETE, "N", NULL);
    edit(B, GROVE_TREE_SET, "N", NULL);
    edit(B, GROVE_TREE_PUT, "C", "N");
    cr_assert_eq(orders_check(&program, first), 3);
    grove__tree *tree = run();
    expect_outline(tree, false, "");
    expect_outline(tree, true, "N(C)");
    cr_assert_eq(integer_of(tree, "N", "x"), 2);
    grove__tree_free(tree);
    program_learn(&program, A, B);
    edit(A, GROVE_TREE_RESTORE, "N", NULL);
    cr_assert_eq(orders_check(&program, first), 3);
    tree = run();
    expect_outline(tree, false, "N(C)");
    cr_assert_eq(integer_of(tree, "N", "x"), 2);
    grove__tree_free(tree);
}

Test(apply, of_deletions_and_restorations_the_latest_wins)
{
    uint32_t first = begin();
    edit(B, GROVE_TREE_RESTORE, "N", NULL);
    edit(A, GROVE_TREE_DELETE, "N", NULL);
    cr_assert_eq(orders_check(&program, first), 2);
    grove__tree *tree = run();
    expect_outline(tree, false, "N");
    grove__tree_free(tree);
    edit(A, GROVE_TREE_DELETE, "N", NULL);
    cr_assert_eq(orders_check(&program, first), 3);
    tree = run();
    expect_outline(tree, false, "");
    grove__tree_free(tree);
}

Test(apply, a_node_that_was_deleted_and_moved_is_deleted_there)
{
    uint32_t first = begin();
    edit(A, GROVE_TREE_PUT, "P", "");
    edit(A, GROVE_TREE_MOVE, "N", "P");
    edit(B, GROVE_TREE_DELETE, "N", NULL);
    cr_assert_eq(orders_check(&program, first), 3);
    grove__tree *tree = run();
    expect_outline(tree, false, "P");
    expect_outline(tree, true, "P(N)");
    grove__tree_free(tree);
}

/* --- siblings --- */

Test(apply, rows_that_two_put_at_one_place_do_not_mix)
{
    static const program_edit rows[2][3] = {
        {{GROVE_TREE_PUT, "1", "", GROVE_TREE_AFTER, "N"},
         {GROVE_TREE_PUT, "2", "", GROVE_TREE_AFTER, "1"},
         {GROVE_TREE_PUT, "3", "", GROVE_TREE_AFTER, "2"}},
        {{GROVE_TREE_PUT, "z", "", GROVE_TREE_AFTER, "N"},
         {GROVE_TREE_PUT, "y", "", GROVE_TREE_BEFORE, "z"},
         {GROVE_TREE_PUT, "x", "", GROVE_TREE_BEFORE, "y"}},
    };
    (void)begin();
    edit(M, GROVE_TREE_PUT, "O", "");
    program_learn(&program, A, M);
    program_learn(&program, B, M);
    uint32_t first = program.oracle.count;
    for (uint32_t index = 0; index < 3; index++) {
        cr_assert(program_do(&program, A, &rows[0][index]));
        cr_assert(program_do(&program, B, &rows[1][index]));
    }
    cr_assert_eq(orders_check(&program, first), 20);
    grove__tree *tree = run();
    expect_outline(tree, false, "N,1,2,3,x,y,z,O");
    grove__tree_free(tree);
}

Test(apply, a_place_that_is_empty_by_now_still_orders_what_was_put_beside_it)
{
    static const program_edit beside = {GROVE_TREE_PUT, "1", "", GROVE_TREE_AFTER, "N"};
    static const program_edit before = {GROVE_TREE_PUT, "0", "", GROVE_TREE_BEFORE, "N"};
    (void)begin();
    edit(M, GROVE_TREE_PUT, "P", "");
    program_learn(&program, A, M);
    program_learn(&program, B, M);
    uint32_t first = program.oracle.count;
    cr_assert(program_do(&program, A, &beside));
    cr_assert(program_do(&program, A, &before));
    edit(B, GROVE_TREE_MOVE, "N", "P");
    cr_assert_eq(orders_check(&program, first), 3);
    grove__tree *tree = run();
    expect_outline(tree, false, "0,1,P(N)");
    grove__tree_free(tree);
}

/* --- what does not fit --- */

#define BYTES(text)                               \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }

typedef struct misfit_case {
    const char *claim;
    uint8_t kind;
    uint64_t sequence;
    uint64_t time;
    grove_bytes content;
} misfit_case;

/* Replica A has put N (event 0, time 1), set x of it (1, time 2), moved it (2,
 * time 3), and put P (3, time 4); then come events of A. */
static const misfit_case MISFITS[] = {
    {"nothing", GROVE_TREE_SET, 4, 5, {NULL, 0}},
    {"a node that is put by nothing", GROVE_TREE_DELETE, 4, 5, BYTES("\x07\0\0")},
    {"a node by the move of it", GROVE_TREE_DELETE, 4, 5, BYTES("\x05\0\0")},
    {"an event before the first", GROVE_TREE_DELETE, 4, 5, BYTES("\x0b\0\0")},
    {"another replica that is none", GROVE_TREE_DELETE, 4, 5, BYTES("\2\1a\0")},
    {"a replica that nobody is", GROVE_TREE_DELETE, 4, 5, BYTES("\2\1?\0")},
    {"the root to move", GROVE_TREE_MOVE, 4, 5, BYTES("\0\0\0\0\0\0\0")},
    {"the root to delete", GROVE_TREE_DELETE, 4, 5, BYTES("\0\0\0")},
    {"the root to restore", GROVE_TREE_RESTORE, 4, 5, BYTES("\0\0\0")},
    {"a parent that is none", GROVE_TREE_PUT, 4, 5, BYTES("\7\0\0\0\0\0\0\0")},
    {"an anchor that is none", GROVE_TREE_PUT, 4, 5, BYTES("\0\0\x0e\0\0\0\0\0")},
    {"an anchor below another parent", GROVE_TREE_PUT, 4, 5,
     BYTES("\x09\0\x06\0\0\0\0\0")},
    {"an event that is not before it", GROVE_TREE_DELETE, 4, 4, BYTES("\3\0\0")},
    {"an anchor that is not before it", GROVE_TREE_PUT, 4, 4, BYTES("\0\0\6\0\0\0\0\0")},
    {"a place that is there", GROVE_TREE_PUT, 3, 5, BYTES("\0\0\0\0\0\0\0\0")},
    {"a time of nothing", GROVE_TREE_SET, 4, 0, BYTES("\0\0\1n\1\0\0")},
    {"a time far beyond", GROVE_TREE_SET, 4, GROVE_DOCUMENT_EVENTS_MAX + 7,
     BYTES("\0\0\1n\1\0\0")},
    {"a time that cannot be", GROVE_TREE_SET, 4, GROVE_DOCUMENT_EVENTS_MAX,
     BYTES("\0\0\1n\1\0\0")},
};

static void begin_misfits(void)
{
    program_clear(&program);
    edit(A, GROVE_TREE_PUT, "N", "");
    edit(A, GROVE_TREE_SET, "N", NULL);
    edit(A, GROVE_TREE_MOVE, "N", "");
    edit(A, GROVE_TREE_PUT, "P", "");
}

/* Each comes between two that fit, in one batch: none of them is applied. */
Test(apply, what_does_not_fit_is_named_by_its_index_and_none_is_applied)
{
    const grove_document_type *type = grove_type_tree();
    begin_misfits();
    for (size_t index = 0; index < sizeof MISFITS / sizeof *MISFITS; index++) {
        const misfit_case *bad = &MISFITS[index];
        grove__tree *tree = run();
        const tree_digest before = program_digest(tree);
        grove_error error = {GROVE_OK, 0, ""};
        static const grove_bytes put = BYTES("\0\0\0\0\1Q\1t\4\1a\1\0\0");
        static const grove_bytes set = BYTES("\0\0\1n\1\0\0");
        const grove_operation items[] = {
            {GROVE_TREE_PUT, 1, 0, put},
            {bad->kind, 1, 0, bad->content},
            {GROVE_TREE_SET, 1, 0, set},
        };
        const grove_replica *replicas = program.oracle.replicas;
        const grove_stamp_run runs[] = {
            {&replicas[B], 0, 1, 1},
            {&replicas[A], bad->sequence, bad->time, 1},
            {&replicas[B], 1, 2, 1},
        };
        cr_expect_eq(type->state_apply(type, tree, (grove_operations){items, 3},
                                       (grove_stamps){runs, 3}, &error),
                     GROVE_CORRUPT, "%s", bad->claim);
        cr_expect_eq(error.offset, 1, "%s", bad->claim);
        cr_expect(program_is_digest(tree, &before), "%s", bad->claim);
        cr_expect_null(grove__tree_check(tree));
        /* Without it the others fit. */
        const grove_operation others[] = {items[0], items[2]};
        const grove_stamp_run one = {&replicas[B], 0, 1, 2};
        cr_expect_eq(type->state_apply(type, tree, (grove_operations){others, 2},
                                       (grove_stamps){&one, 1}, &error),
                     GROVE_OK, "%s: %s", bad->claim, error.message);
        cr_expect_null(grove__tree_check(tree));
        grove__tree_free(tree);
    }
}

Test(apply, what_is_concurrent_with_settled_history_is_refused)
{
    begin_misfits();
    edit(B, GROVE_TREE_PUT, "Q", "");
    grove__tree *tree = program_run(&program, 4);
    const tree_digest before = program_digest(tree);
    const uint32_t late = 4;
    grove_error error = {GROVE_OK, 0, ""};
    program_reload(&tree, 1);
    cr_assert(program_is_digest(tree, &before));
    cr_assert_eq(program_apply(&program, tree, &late, 1, &error), GROVE_CORRUPT);
    cr_assert(program_is_digest(tree, &before));
    grove__tree_free(tree);
    tree = program_run(&program, 4);
    program_reload(&tree, 0);
    cr_assert_eq(program_apply(&program, tree, &late, 1, &error), GROVE_OK);
    grove__tree_free(tree);
}

/* --- memory --- */

/* Values that were overwritten are forgotten, in time, and those that are there
 * stay what they are, also when changes are taken back. */
Test(apply, what_was_overwritten_does_not_add_up)
{
    enum { VALUE_BYTES = 5000, WRITES = 400, NAMES = 3 };
    static uint8_t content[VALUE_BYTES + 16];
    const grove_document_type *type = grove_type_tree();
    grove__tree *tree = program_tree(&grove__allocator_system);
    const grove_replica replica = {1, {'r'}};
    for (uint32_t write = 0; write < WRITES; write++) {
        grove_buffer bytes;
        grove_buffer_init(&bytes, &grove__allocator_system);
        grove_buffer_append(&bytes, "\0\0\1", 3);
        grove_buffer_u8(&bytes, (uint8_t)('a' + write % NAMES));
        grove_buffer_varint(&bytes, VALUE_BYTES + 1);
        grove_buffer_u8(&bytes, 6);
        memset(content, (int)(write % 251), VALUE_BYTES);
        grove_buffer_append(&bytes, content, VALUE_BYTES);
        grove_buffer_u8(&bytes, 0);
        const grove_operation set = {GROVE_TREE_SET, 1, 0, grove_buffer_view(&bytes)};
        const grove_stamp_run run = {&replica, write, write + 1, 1};
        for (uint32_t pass = 0; pass < 2; pass++) {
            /* First as a change that is taken back. */
            if (pass == 0) {
                grove__tree_begin(tree);
            }
            cr_assert_eq(type->state_apply(type, tree, (grove_operations){&set, 1},
                                           (grove_stamps){&run, 1}, NULL),
                         GROVE_OK);
            if (pass == 0) {
                grove__tree_cancel(tree);
            }
        }
        grove_buffer_release(&bytes);
        cr_assert_leq(tree->values.size, 4 * (1 << 16));
        uint64_t used = 0;
        for (size_t index = 0; index < tree->attribute_count; index++) {
            used += tree->attributes[index].size;
        }
        cr_assert_eq(tree->values.size - tree->value_garbage, used);
        for (uint32_t name = 0; name < NAMES && name <= write; name++) {
            const uint8_t letter = (uint8_t)('a' + name);
            uint32_t last = write - (write - name) % NAMES;
            grove_bytes value = grove__tree_value_at(
                tree, grove__tree_attribute_of(tree, GROVE_NODE_ROOT,
                                               (grove_bytes){&letter, 1}));
            cr_assert_eq(value.size, VALUE_BYTES + 1);
            cr_assert_eq(value.data[1], last % 251);
            cr_assert_eq(value.data[VALUE_BYTES], last % 251);
        }
    }
    grove__tree_free(tree);
}

/* All events, one by one, with the n-th allocation failing: that one is not
 * applied, and is when it is tried again later. */
Test(apply, without_memory_leaves_the_tree_as_it_was)
{
    static oracle_state expected;
    (void)begin();
    edit(A, GROVE_TREE_PUT, "", "N");
    edit(B, GROVE_TREE_PUT, "X", "N");
    edit(B, GROVE_TREE_MOVE, "N", "");
    edit(M, GROVE_TREE_PUT, "X", "");
    edit(M, GROVE_TREE_DELETE, "N", NULL);
    edit(A, GROVE_TREE_SET, "N", NULL);
    edit(A, GROVE_TREE_UNSET, "", NULL);
    edit(M, GROVE_TREE_RESTORE, "N", NULL);
    edit(M, GROVE_TREE_PUT, "Y", "");
    oracle_set known = program.known[M];
    oracle_join(&known, &program.known[A]);
    oracle_join(&known, &program.known[B]);
    oracle_make(&program.oracle, &known, &expected);
    bool has_failed = true;
    for (size_t nth = 1; has_failed; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, 0);
        grove__tree *tree = program_tree(&faulty.allocator);
        uint32_t late = ORACLE_NONE;
        faulty.fails_at = faulty.calls + nth;
        for (uint32_t event = 0; event < program.oracle.count; event++) {
            grove_status status = program_apply(&program, tree, &event, 1, NULL);
            if (status != GROVE_OK && event != 0) {
                cr_assert_eq(status, GROVE_NO_MEMORY);
                late = event;
                /* What knows of it cannot come before it. */
                const uint32_t next = event + 1;
                if (next < program.oracle.count &&
                    program_is_causal(&program, &program.oracle.events[event].past, &next,
                                      1)) {
                    cr_assert_eq(program_apply(&program, tree, &next, 1, NULL), GROVE_OK);
                    event++;
                }
                status = program_apply(&program, tree, &late, 1, NULL);
            } else if (status != GROVE_OK) {
                status = program_apply(&program, tree, &event, 1, NULL);
            }
            cr_assert_eq(status, GROVE_OK);
            cr_assert_null(grove__tree_check(tree));
        }
        oracle_compare(&program.oracle, &known, &expected, tree);
        has_failed = faulty.has_failed;
        grove__tree_free(tree);
        faulty_allocator_finish(&faulty);
    }
}

/* A put that fails leaves nothing behind that another could stumble over. */
Test(apply, without_memory_for_one_id_another_comes_first)
{
    static oracle_state expected;
    oracle_set known = {{0}};
    program_clear(&program);
    edit(A, GROVE_TREE_PUT, "6d.0", "");
    edit(B, GROVE_TREE_PUT, "two", "");
    edit(M, GROVE_TREE_PUT, "", "");
    for (uint32_t event = 0; event < 3; event++) {
        oracle_include(&known, event);
    }
    oracle_make(&program.oracle, &known, &expected);
    bool has_failed = true;
    for (size_t nth = 1; has_failed; nth++) {
        static const uint32_t one = 0;
        static const uint32_t two = 1;
        static const uint32_t last = 2; /* its id is that of the first */
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, 0);
        grove__tree *tree = program_tree(&faulty.allocator);
        faulty.fails_at = faulty.calls + nth;
        grove_status status = program_apply(&program, tree, &one, 1, NULL);
        has_failed = faulty.has_failed;
        faulty.fails_at = 0;
        cr_assert_eq(status == GROVE_NO_MEMORY, has_failed);
        cr_assert_eq(program_apply(&program, tree, &two, 1, NULL), GROVE_OK);
        if (has_failed) {
            cr_assert_eq(tree->node_count, 2);
            cr_assert_null(grove__tree_check(tree));
            cr_assert_eq(program_apply(&program, tree, &one, 1, NULL), GROVE_OK);
        }
        cr_assert_eq(program_apply(&program, tree, &last, 1, NULL), GROVE_OK);
        oracle_compare(&program.oracle, &known, &expected, tree);
        grove__tree_free(tree);
        faulty_allocator_finish(&faulty);
    }
}
