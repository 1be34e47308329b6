#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "program.h"
#include "support/faulty_allocator.h"

static tree_program program;

static void edit(grove_tree_kind kind, const char *node, const char *parent)
{
    const program_edit made = {kind, node, parent, GROVE_TREE_LAST, NULL};
    cr_assert(program_do(&program, 0, &made));
}

/* Below the root A, B, C, D; below A a and b; B and b are deleted; C has an e
 * with an f; D was first below A. Numbers in the order of the puts. */
enum { ROOT, A, B, C, D, SMALL_A, SMALL_B, E, F, NODES };

static grove__tree *make(void)
{
    program_clear(&program);
    edit(GROVE_TREE_PUT, "A", "");
    edit(GROVE_TREE_PUT, "B", "");
    edit(GROVE_TREE_PUT, "C", "");
    edit(GROVE_TREE_PUT, "D", "A");
    edit(GROVE_TREE_PUT, "a", "A");
    edit(GROVE_TREE_PUT, "b", "A");
    edit(GROVE_TREE_PUT, "e", "C");
    edit(GROVE_TREE_PUT, "f", "e");
    edit(GROVE_TREE_MOVE, "D", "");
    edit(GROVE_TREE_DELETE, "B", NULL);
    edit(GROVE_TREE_DELETE, "b", NULL);
    return program_run(&program, program.oracle.count);
}

#define NONE GROVE__TREE_NONE

typedef struct step_case {
    uint32_t node;
    uint32_t to[5];          /* by grove_tree_way, past deleted ones */
    uint32_t deleted_too[5]; /* and not past them */
} step_case;

static const step_case STEPS[] = {
    {ROOT, {NONE, A, D, NONE, NONE}, {NONE, A, D, NONE, NONE}},
    {A, {ROOT, SMALL_A, SMALL_A, C, NONE}, {ROOT, SMALL_A, SMALL_B, B, NONE}},
    {B, {ROOT, NONE, NONE, C, A}, {ROOT, NONE, NONE, C, A}},
    {C, {ROOT, E, E, D, A}, {ROOT, E, E, D, B}},
    {D, {ROOT, NONE, NONE, NONE, C}, {ROOT, NONE, NONE, NONE, C}},
    {SMALL_A, {A, NONE, NONE, NONE, NONE}, {A, NONE, NONE, SMALL_B, NONE}},
    {SMALL_B, {A, NONE, NONE, NONE, SMALL_A}, {A, NONE, NONE, NONE, SMALL_A}},
    {F, {E, NONE, NONE, NONE, NONE}, {E, NONE, NONE, NONE, NONE}},
};

Test(read, a_step_leads_to_the_next_that_may_be_seen)
{
    grove__tree *tree = make();
    for (size_t index = 0; index < sizeof STEPS / sizeof *STEPS; index++) {
        const step_case *step = &STEPS[index];
        for (uint32_t way = 0; way < 5; way++) {
            cr_expect_eq(grove__tree_step(tree, step->node, (grove_tree_way)way, false),
                         step->to[way], "node %u, way %u", step->node, way);
            cr_expect_eq(grove__tree_step(tree, step->node, (grove_tree_way)way, true),
                         step->deleted_too[way], "node %u, way %u", step->node, way);
        }
    }
    grove__tree_free(tree);
}

typedef struct walk_case {
    uint32_t top;
    bool deleted_too;
    uint32_t depth_max;
    const char *walk; /* the first byte of each id, and its depth */
} walk_case;

static const walk_case WALKS[] = {
    {ROOT, false, UINT32_MAX, ".0A1a2C1e2f3D1"},
    {ROOT, true, UINT32_MAX, ".0A1a2b2B1C1e2f3D1"},
    {ROOT, true, 1, ".0A1B1C1D1"},
    {ROOT, true, 0, ".0"},
    {C, false, UINT32_MAX, "C0e1f2"},
    {C, false, 1, "C0e1"},
    {F, false, UINT32_MAX, "f0"},
    {A, true, UINT32_MAX, "A0a1b1"},
};

Test(read, a_walk_meets_each_node_before_what_is_below_it_and_stays_below_its_top)
{
    grove__tree *tree = make();
    for (size_t index = 0; index < sizeof WALKS / sizeof *WALKS; index++) {
        const walk_case *walk = &WALKS[index];
        char text[2 * NODES + 1] = {0};
        size_t length = 0;
        uint32_t depth = 0;
        for (uint32_t node = walk->top; node != NONE;
             node = grove__tree_next(tree, walk->top, node, depth < walk->depth_max,
                                     walk->deleted_too, &depth)) {
            grove_tree_id_bytes id;
            grove__tree_id(tree, node, &id);
            cr_assert_lt(length + 1, sizeof text);
            text[length++] = id.size == 0 ? '.' : (char)id.bytes[0];
            text[length++] = (char)('0' + depth);
        }
        cr_expect_str_eq(text, walk->walk, "walk %zu: %s", index, text);
    }
    grove__tree_free(tree);
}

Test(read, attributes_are_found_and_sorted_unset_ones_too)
{
    static const char *const names[] = {"b", "ab", "a", "c", "\xc3\xa4"};
    static const char *const sorted[] = {"a", "ab", "b", "c", "\xc3\xa4"};
    program_clear(&program);
    for (uint32_t index = 0; index < 5; index++) {
        oracle_event event = {.kind = GROVE_TREE_SET, .node = ORACLE_NONE};
        event.write_count = 1;
        event.writes[0] =
            (oracle_write){oracle_bytes_of(names[index]), program_integer(index)};
        (void)program_add(&program, 0, &event);
    }
    oracle_event unset = {.kind = GROVE_TREE_UNSET, .node = ORACLE_NONE};
    unset.write_count = 1;
    unset.writes[0].name = oracle_bytes_of("c");
    (void)program_add(&program, 0, &unset);
    grove__tree *tree = program_run(&program, program.oracle.count);
    grove_buffer named;
    grove_buffer_init(&named, &grove__allocator_system);
    for (uint32_t pass = 0; pass < 2; pass++) {
        /* What was there is replaced. */
        cr_assert(grove__tree_sort_attributes(tree, GROVE_NODE_ROOT, &named));
        cr_assert_eq(named.size, 5 * sizeof(grove__tree_named));
    }
    const grove__tree_named *items = (const grove__tree_named *)(const void *)named.data;
    for (uint32_t index = 0; index < 5; index++) {
        cr_assert(grove__bytes_equal(items[index].name, grove_bytes_of(sorted[index])));
        uint32_t attribute = grove__tree_attribute_of(tree, GROVE_NODE_ROOT,
                                                      grove_bytes_of(sorted[index]));
        cr_assert_eq(attribute, items[index].attribute);
        cr_assert_eq(grove__tree_value_at(tree, attribute).size == 0, index == 3);
    }
    cr_assert_eq(grove__tree_attribute_of(tree, GROVE_NODE_ROOT, grove_bytes_of("d")),
                 NONE);
    grove_buffer_release(&named);
    faulty_allocator faulty;
    faulty_allocator_init(&faulty, 1);
    grove_buffer_init(&named, &faulty.allocator);
    cr_assert_not(grove__tree_sort_attributes(tree, GROVE_NODE_ROOT, &named));
    grove_buffer_release(&named);
    faulty_allocator_finish(&faulty);
    grove__tree_free(tree);
}

Test(read, places_are_found_by_their_events)
{
    grove__tree *tree = make();
    static const bool makes_place[] = {true, true, true, true,  true,  true,
                                       true, true, true, false, false, false};
    for (uint64_t sequence = 0; sequence < 12; sequence++) {
        uint32_t place = grove__tree_place_of(tree, grove_bytes_of("m"), sequence);
        cr_assert_eq(place != NONE, makes_place[sequence]);
        cr_assert(place == NONE || tree->places[place].is_put == (sequence < 8));
        cr_assert_eq(grove__tree_place_of(tree, grove_bytes_of("a"), sequence), NONE);
    }
    grove__tree_free(tree);
}
