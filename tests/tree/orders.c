#include "orders.h"

#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/bytes.h"

typedef struct tree_outcome {
    tree_digest digest;
    grove_type_buffers snapshot;
    bool is_known;
} tree_outcome;

/* The same knowledge is the same digest and the same bytes. */
static void check_outcome(tree_outcome *expected, const grove__tree *tree)
{
    grove_type_buffers snapshot;
    if (!expected->is_known) {
        expected->is_known = true;
        expected->digest = program_digest(tree);
        program_encode(tree, 0, &expected->snapshot);
        return;
    }
    program_encode(tree, 0, &snapshot);
    cr_assert(program_is_digest(tree, &expected->digest));
    cr_assert(grove__bytes_equal(grove_buffer_view(&snapshot.structure),
                                 grove_buffer_view(&expected->snapshot.structure)));
    cr_assert(grove__bytes_equal(grove_buffer_view(&snapshot.content),
                                 grove_buffer_view(&expected->snapshot.content)));
    program_release(&snapshot);
}

/* How the events of an order are handed in. */
enum { ONE_BY_ONE, RELOADED, IN_TWO, AT_ONCE, WAYS };

static void deliver(const tree_program *program, grove__tree **tree,
                    const uint32_t *order, uint32_t count, uint32_t way)
{
    uint32_t step = way == AT_ONCE ? count : way == IN_TWO ? (count + 1) / 2 : 1;
    for (uint32_t index = 0; index < count; index += step) {
        uint32_t some = step < count - index ? step : count - index;
        cr_assert_eq(program_apply(program, *tree, order + index, some, NULL), GROVE_OK);
        if (way == RELOADED) {
            program_reload(tree, 0);
        }
    }
}

/* Each prefix of the order in which the events were made. */
static void check_prefixes(const tree_program *program, uint32_t first)
{
    static oracle_state expected;
    oracle_set known = {{0}};
    grove__tree *tree = program_tree(&grove__allocator_system);
    for (uint32_t event = 0; event < program->oracle.count; event++) {
        cr_assert_eq(program_apply(program, tree, &event, 1, NULL), GROVE_OK);
        oracle_include(&known, event);
        if (event >= first) {
            oracle_make(&program->oracle, &known, &expected);
            oracle_compare(&program->oracle, &known, &expected, tree);
        }
    }
    grove__tree_free(tree);
}

uint64_t orders_check(const tree_program *program, uint32_t first)
{
    static oracle_state expected;
    static uint32_t before[ORACLE_EVENTS_MAX];
    uint32_t order[ORDERS_EVENTS_MAX];
    uint32_t count = program->oracle.count - first;
    uint64_t orders = 0;
    oracle_set base = {{0}};
    tree_outcome outcome = {.is_known = false};
    for (uint32_t event = 0; event < first; event++) {
        before[event] = event;
        oracle_include(&base, event);
    }
    oracle_set known = base;
    for (uint32_t index = 0; index < count; index++) {
        order[index] = first + index;
        oracle_include(&known, order[index]);
    }
    oracle_make(&program->oracle, &known, &expected);
    check_prefixes(program, first);
    do {
        if (!program_is_causal(program, &base, order, count)) {
            continue;
        }
        grove__tree *tree = program_tree(&grove__allocator_system);
        cr_assert_eq(program_apply(program, tree, before, first, NULL), GROVE_OK);
        deliver(program, &tree, order, count, (uint32_t)(orders % WAYS));
        oracle_compare(&program->oracle, &known, &expected, tree);
        check_outcome(&outcome, tree);
        grove__tree_free(tree);
        orders++;
    } while (program_next_order(order, count));
    program_release(&outcome.snapshot);
    return orders;
}
