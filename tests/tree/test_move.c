#include <criterion/criterion.h>

#include "base/alloc.h"
#include "orders.h"

/* Replicas; of events at one time, that of a later letter is later. */
enum { M = 0, A = 1, B = 4 };

static tree_program program;

typedef struct written_move {
    uint32_t replica;
    program_edit edit;
} written_move;

/* Nodes are put first, by M, known to all; then come edits that nobody knows
 * of but who made them: so they are at one time, in the order A, B, M. */
typedef struct written_case {
    const char *claim;
    const char *nodes[3][2]; /* and their parents */
    written_move moves[6];   /* the last is empty */
    const char *outline;
} written_case;

#define MOVE(node, parent)                                   \
    {                                                        \
        GROVE_TREE_MOVE, node, parent, GROVE_TREE_LAST, NULL \
    }
#define PUT(node, parent)                                   \
    {                                                       \
        GROVE_TREE_PUT, node, parent, GROVE_TREE_LAST, NULL \
    }

static const written_case CASES[] = {
    {"of two moves that make a cycle the earlier has effect",
     {{"X", ""}, {"Y", ""}},
     {{A, MOVE("X", "Y")}, {B, MOVE("Y", "X")}},
     "Y(X)"},
    {"an even earlier one lets the later win",
     {{"X", ""}, {"Y", ""}},
     {{B, MOVE("X", "Y")}, {M, MOVE("Y", "X")}, {A, MOVE("Y", "X")}},
     "X(Y)"},
    {"of two moves of a node the later wins",
     {{"P", ""}, {"Q", ""}, {"N", ""}},
     {{A, MOVE("N", "P")}, {B, MOVE("N", "Q")}},
     "P,Q(N)"},
    {"also if it arrives first, and goes where the node was",
     {{"P", ""}, {"N", ""}},
     {{B, MOVE("N", "")}, {A, MOVE("N", "P")}},
     "P,N"},
    {"of three moves that make a cycle the last has no effect",
     {{"X", ""}, {"Y", ""}, {"Z", ""}},
     {{A, MOVE("X", "Y")}, {B, MOVE("Y", "Z")}, {M, MOVE("Z", "X")}},
     "Z(Y(X))"},
    {"an older move decides about others, though a newer one of its node won",
     {{"X", ""}, {"Y", ""}, {"Z", ""}},
     {{A, MOVE("X", "Y")}, {B, MOVE("Y", "X")}, {M, MOVE("X", "Z")}},
     "Y,Z(X)"},
    {"a move has no effect below what came below its node",
     {{"X", ""}, {"Y", "X"}, {"Z", ""}},
     {{A, MOVE("X", "Z")}, {B, MOVE("Z", "Y")}},
     "Z(X(Y))"},
    {"nor the other way round",
     {{"X", ""}, {"Y", "X"}, {"Z", ""}},
     {{A, MOVE("Z", "Y")}, {B, MOVE("X", "Z")}},
     "X(Y(Z))"},
    {"a put of a node that there is is a move",
     {{"X", ""}, {"Y", ""}},
     {{A, PUT("X", "Y")}, {B, MOVE("Y", "X")}},
     "Y(X)"},
    {"and has no effect where that would make a cycle",
     {{"X", ""}, {"Y", ""}},
     {{B, PUT("X", "Y")}, {A, MOVE("Y", "X")}},
     "X(Y)"},
    {"of two first puts of a node the later is its place",
     {{"P", ""}, {"Q", ""}},
     {{A, PUT("N", "P")}, {B, PUT("N", "Q")}},
     "P,Q(N)"},
    {"which does not depend on who put first",
     {{"P", ""}, {"Q", ""}},
     {{B, PUT("N", "P")}, {A, PUT("N", "Q")}},
     "P(N),Q"},
};

/* The events from `first` on are what the case says. */
static uint32_t write_case(const written_case *written)
{
    program_clear(&program);
    for (uint32_t index = 0; index < 3 && written->nodes[index][0] != NULL; index++) {
        const program_edit put = PUT(written->nodes[index][0], written->nodes[index][1]);
        cr_assert(program_do(&program, M, &put));
    }
    uint32_t first = program.oracle.count;
    const oracle_set base = program.known[M];
    for (const written_move *move = written->moves; move->edit.node != NULL; move++) {
        oracle_join(&program.known[move->replica], &base);
        cr_assert(program_do(&program, move->replica, &move->edit), "%s", written->claim);
    }
    return first;
}

Test(move, is_settled_in_every_order_as_one_finds_by_thought)
{
    char outline[OUTLINE_MAX];
    for (size_t index = 0; index < sizeof CASES / sizeof *CASES; index++) {
        uint32_t first = write_case(&CASES[index]);
        cr_assert_gt(orders_check(&program, first), 1);
        grove__tree *tree = program_run(&program, program.oracle.count);
        program_outline(tree, true, outline);
        cr_expect_str_eq(outline, CASES[index].outline, "%s: %s", CASES[index].claim,
                         outline);
        grove__tree_free(tree);
    }
}

/* X under Y, then Y under X, then an earlier Y under X: what had effect has
 * none, and what had none is there already. */
Test(move, without_effect_stays_and_may_have_one_when_an_earlier_arrives)
{
    char outline[OUTLINE_MAX];
    uint32_t first = write_case(&CASES[1]);
    grove__tree *tree = program_run(&program, first + 2);
    program_outline(tree, true, outline);
    cr_assert_str_eq(outline, "Y(X)");
    cr_assert_eq(tree->move_count, 2);
    cr_assert_eq(tree->places[tree->moves[1]].before, GROVE__TREE_NO_EFFECT);
    const uint32_t last = first + 2;
    cr_assert_eq(program_apply(&program, tree, &last, 1, NULL), GROVE_OK);
    program_outline(tree, true, outline);
    cr_assert_str_eq(outline, "X(Y)");
    cr_assert_eq(tree->move_count, 3);
    cr_assert_neq(tree->places[tree->moves[0]].before, GROVE__TREE_NO_EFFECT);
    cr_assert_eq(tree->places[tree->moves[1]].before, GROVE__TREE_NO_EFFECT);
    cr_assert_neq(tree->places[tree->moves[2]].before, GROVE__TREE_NO_EFFECT);
    grove__tree_free(tree);
}

/* Of a node with nothing below it the moves only depend on each other. */
Test(move, of_a_leaf_that_comes_late_leaves_the_others_as_they_are)
{
    char outline[OUTLINE_MAX];
    static const written_case late = {"",
                                      {{"X", ""}, {"Y", "X"}, {"Z", ""}},
                                      {{B, MOVE("Z", "Y")},
                                       {B, MOVE("Y", "")},
                                       {B, MOVE("Z", "X")},
                                       {A, MOVE("Z", "")},
                                       {A, MOVE("X", "Z")}},
                                      "X(Z),Y"};
    uint32_t first = write_case(&late);
    (void)orders_check(&program, first);
    grove__tree *tree = program_run(&program, first + 3);
    for (uint32_t event = first + 3; event < first + 5; event++) {
        cr_assert_eq(program_apply(&program, tree, &event, 1, NULL), GROVE_OK);
        /* The last one has others below it: two moves are later. */
        cr_assert_eq(tree->redone, event == first + 3 ? 0 : 2);
    }
    program_outline(tree, true, outline);
    cr_assert_str_eq(outline, late.outline);
    grove__tree_free(tree);
}

Test(move, knows_what_is_above_a_node)
{
    static const written_case chain = {
        "", {{"X", ""}, {"Y", "X"}, {"Z", ""}}, {{0, {0}}}, ""};
    (void)write_case(&chain);
    grove__tree *tree = program_run(&program, program.oracle.count);
    static const bool above[4][4] = {
        {true, true, true, true},
        {false, true, true, false},
        {false, false, true, false},
        {false, false, false, true},
    };
    for (uint32_t node = 0; node < 4; node++) {
        for (uint32_t below = 0; below < 4; below++) {
            cr_assert_eq(grove__tree_is_above(tree, node, below), above[node][below]);
        }
    }
    grove__tree_free(tree);
}

/* Hands events to a tree in two batches: those of one replica first. */
static void apply_apart(grove__tree *tree, const uint32_t *order, uint32_t count,
                        uint32_t replica)
{
    static uint32_t part[ORACLE_EVENTS_MAX];
    for (int batch = 0; batch < 2; batch++) {
        uint32_t taken = 0;
        for (uint32_t index = 0; index < count; index++) {
            bool is_first =
                index < 3 || program.oracle.events[order[index]].replica == replica;
            if (is_first == (batch == 0)) {
                part[taken++] = order[index];
            }
        }
        cr_assert_eq(program_apply(&program, tree, part, taken, NULL), GROVE_OK);
    }
}

/* Many moves of some nodes, or of one that has nothing below it, that arrive in
 * one batch or two in any order. */
Test(move, of_many_in_one_batch_are_sorted)
{
    enum { MOVES = 200 };
    static uint32_t order[MOVES + 3];
    static oracle_state expected;
    test_random random = test_random_of("move");
    static const written_case nodes = {
        "", {{"X", ""}, {"Y", ""}, {"Z", ""}}, {{0, {0}}}, ""};
    static const program_edit edits[] = {
        MOVE("X", "Y"), MOVE("Y", "Z"), MOVE("Z", "X"),
        MOVE("X", ""),  MOVE("Y", ""),  MOVE("Z", ""),
    };
    static const program_edit of_leaf[] = {MOVE("Z", "X"), MOVE("Z", "Y"), MOVE("Z", "")};
    for (uint32_t round = 0; round < 20; round++) {
        bool is_leaf = round % 2 > 0;
        uint32_t first = write_case(&nodes);
        program_learn(&program, A, M);
        program_learn(&program, B, M);
        while (program.oracle.count < first + MOVES) {
            static const uint32_t replicas[] = {M, A, B};
            (void)program_do(&program, replicas[test_random_below(&random, 3)],
                             is_leaf ? &of_leaf[test_random_below(&random, 3)]
                                     : &edits[test_random_below(&random, 6)]);
        }
        oracle_set known = program.known[M];
        oracle_join(&known, &program.known[A]);
        oracle_join(&known, &program.known[B]);
        oracle_make(&program.oracle, &known, &expected);
        uint32_t count = 0;
        for (uint32_t event = 0; event < first; event++) {
            order[count++] = event;
        }
        uint32_t next[3] = {first, first, first};
        while (count < program.oracle.count) {
            static const uint32_t replicas[] = {M, A, B};
            uint32_t lane = (uint32_t)test_random_below(&random, 3);
            uint32_t *at = &next[lane];
            while (*at < program.oracle.count &&
                   program.oracle.events[*at].replica != replicas[lane]) {
                ++*at;
            }
            if (*at < program.oracle.count) {
                order[count++] = (*at)++;
            }
        }
        grove__tree *tree = program_tree(&grove__allocator_system);
        if (round % 4 < 2) {
            cr_assert_eq(program_apply(&program, tree, order, count, NULL), GROVE_OK);
        } else {
            apply_apart(tree, order, count, B);
            /* There are more arrivals than it pays to insert one by one. */
            cr_assert_gt(tree->redone, 0);
        }
        oracle_compare(&program.oracle, &known, &expected, tree);
        grove__tree_free(tree);
    }
}
