#include <criterion/criterion.h>

#include "ancestry.h"
#include "faulty_heap.h"
#include "support/random.h"

enum { NODES = 12, PARENTS_MAX = 3 };

/* Adds a node and says whether something happens in it. */
static void add(cli_ancestry *ancestry, const size_t *parents, size_t count, bool filled)
{
    cr_assert_eq(cli_ancestry_add(ancestry, parents, count, NULL), GROVE_OK);
    if (filled) {
        cli_ancestry_fill(ancestry, ancestry->count - 1);
    }
}

/* By definition: what comes before each node, itself included, as bits. */
static void find_histories(const cli_ancestry *ancestry, uint32_t histories[NODES])
{
    for (size_t node = 0; node < ancestry->count; node++) {
        size_t count = 0;
        const size_t *parents = cli_ancestry_parents(ancestry, node, &count);
        histories[node] = ancestry->nodes[node].is_empty ? 0 : UINT32_C(1) << node;
        for (size_t index = 0; index < count; index++) {
            histories[node] |= histories[parents[index]];
        }
    }
}

/* The nodes of a history that nothing else in it comes after. */
static uint32_t heads_of(const uint32_t histories[NODES], uint32_t history)
{
    uint32_t heads = history;
    for (size_t node = 0; node < NODES; node++) {
        if ((history >> node & 1) != 0) {
            heads &= ~(histories[node] & ~(UINT32_C(1) << node));
        }
    }
    return heads;
}

static void check_version(cli_ancestry *ancestry, const uint32_t histories[NODES],
                          const size_t *nodes, size_t count)
{
    uint32_t history = 0;
    for (size_t index = 0; index < count; index++) {
        history |= histories[nodes[index]];
    }
    size_t version[NODES];
    size_t found = cli_ancestry_version(ancestry, nodes, count, version, NODES);
    uint32_t heads = 0;
    for (size_t index = 0; index < found; index++) {
        cr_assert(index == 0 || version[index] < version[index - 1]);
        heads |= UINT32_C(1) << version[index];
    }
    cr_assert_eq(heads, heads_of(histories, history));
}

Test(ancestry, a_version_is_what_it_is_by_definition)
{
    test_random random = test_random_of("ancestry");
    for (size_t round = 0; round < 2000; round++) {
        cli_ancestry ancestry = {.count = 0};
        uint32_t histories[NODES] = {0};
        for (size_t node = 0; node < NODES; node++) {
            size_t parents[PARENTS_MAX];
            size_t count = node == 0 ? 0 : test_random_below(&random, PARENTS_MAX + 1);
            for (size_t index = 0; index < count; index++) {
                parents[index] = test_random_below(&random, node);
            }
            add(&ancestry, parents, count, test_random_below(&random, 3) > 0);
        }
        find_histories(&ancestry, histories);
        for (size_t question = 0; question < 20; question++) {
            size_t nodes[4];
            size_t count = test_random_below(&random, 5);
            for (size_t index = 0; index < count; index++) {
                nodes[index] = test_random_below(&random, NODES);
            }
            check_version(&ancestry, histories, nodes, count);
        }
        cli_ancestry_release(&ancestry);
    }
}

Test(ancestry, parents_come_before_and_come_back_as_they_were_given)
{
    cli_ancestry ancestry = {.count = 0};
    grove_error error;
    add(&ancestry, NULL, 0, true);
    add(&ancestry, (size_t[]){0, 0}, 2, true);
    cr_assert_eq(cli_ancestry_add(&ancestry, (size_t[]){1, 2}, 2, &error), GROVE_INVALID);
    cr_assert_str_eq(error.message, "its parent 2 does not come before it");
    cr_assert_eq(cli_ancestry_add(&ancestry, (size_t[]){SIZE_MAX}, 1, &error),
                 GROVE_INVALID);
    cr_assert_eq(ancestry.count, 2);
    size_t count = 77;
    (void)cli_ancestry_parents(&ancestry, 0, &count);
    cr_assert_eq(count, 0);
    const size_t *parents = cli_ancestry_parents(&ancestry, 1, &count);
    cr_assert_eq(count, 2);
    cr_assert(parents[0] == 0 && parents[1] == 0);
    cli_ancestry_release(&ancestry);
}

Test(ancestry, no_more_of_a_version_is_written_than_fits)
{
    cli_ancestry ancestry = {.count = 0};
    size_t nodes[5] = {0, 1, 2, 3, 4};
    size_t version[3] = {77, 77, 77};
    for (size_t node = 0; node < 5; node++) {
        add(&ancestry, NULL, 0, true);
    }
    cr_assert_eq(cli_ancestry_version(&ancestry, nodes, 5, version, 2), 5);
    cr_assert(version[0] == 4 && version[1] == 3 && version[2] == 77);
    cr_assert_eq(cli_ancestry_version(&ancestry, nodes, 0, version, 2), 0);
    cli_ancestry_release(&ancestry);
}

Test(ancestry, without_memory_nothing_is_added)
{
    for (size_t nth = 1; nth <= 2; nth++) {
        cli_ancestry ancestry = {.count = 0};
        grove_error error;
        faulty_heap_begin(nth);
        cr_assert_eq(cli_ancestry_add(&ancestry, NULL, 0, &error), GROVE_NO_MEMORY);
        cr_assert(faulty_heap_end());
        cr_assert_eq(ancestry.count, 0);
        add(&ancestry, NULL, 0, true);
        cli_ancestry_release(&ancestry);
    }
}
