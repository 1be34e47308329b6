#include "tree/tree.h"

#include "base/alloc.h"
#include "support/faulty_allocator.h"

Test(tree, begins_with_the_root_alone)
{
    grove__tree *tree = NULL;
    cr_assert_eq(grove__tree_new(&grove__allocator_system, &tree), GROVE_OK);
    cr_assert_eq(tree->node_count, 1);
    cr_assert_eq(grove__tree_parent(tree, GROVE_NODE_ROOT), GROVE__TREE_NONE);
    cr_assert_not(grove__tree_is_deleted(tree, GROVE_NODE_ROOT));
    cr_assert_eq(grove__names_at(&tree->names, tree->nodes[0].type).size, 0);
    cr_assert_eq(tree->nodes[0].child_count, 0);
    cr_assert_null(grove__tree_check(tree));
    grove__tree_free(tree);
    grove__tree_free(NULL);
}

Test(tree, without_memory_is_none)
{
    bool has_failed = true;
    for (size_t nth = 1; has_failed; nth++) {
        faulty_allocator faulty;
        grove__tree *tree = NULL;
        faulty_allocator_init(&faulty, nth);
        grove_status status = grove__tree_new(&faulty.allocator, &tree);
        has_failed = faulty.has_failed;
        cr_assert_eq(status, has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        cr_assert_eq(tree == NULL, has_failed);
        grove__tree_free(tree);
        faulty_allocator_finish(&faulty);
    }
}

/* By time, then by the bytes of the replica, not by its number, then by the
 * sequence; at the limits of each. */
Test(tree, orders_stamps_by_time_then_replica_then_sequence)
{
    static const char *const names[] = {"b", "a", "ab", "\xff"};
    grove__tree *tree = NULL;
    cr_assert_eq(grove__tree_new(&grove__allocator_system, &tree), GROVE_OK);
    for (uint32_t replica = 0; replica < 4; replica++) {
        uint32_t number;
        cr_assert_eq(
            grove__names_intern(&tree->replicas, grove_bytes_of(names[replica]), &number),
            GROVE_OK);
        cr_assert_eq(number, replica);
    }
    const uint64_t most = GROVE_DOCUMENT_EVENTS_MAX - 1;
    const grove__stamp ascending[] = {
        grove__stamp_of(1, 1, 0),    grove__stamp_of(1, 1, 1),
        grove__stamp_of(1, 1, most), grove__stamp_of(1, 2, 0),
        grove__stamp_of(1, 0, 0),    grove__stamp_of(1, 3, 0),
        grove__stamp_of(2, 1, 5),    grove__stamp_of(most, 1, 0),
        grove__stamp_of(most, 3, 0), grove__stamp_of(most, 3, most),
    };
    enum { STAMPS = sizeof ascending / sizeof *ascending };
    for (size_t index = 0; index < STAMPS; index++) {
        for (size_t other = 0; other < STAMPS; other++) {
            cr_assert_eq(grove__tree_is_later(tree, ascending[index], ascending[other]),
                         index > other, "%zu and %zu", index, other);
            cr_assert_eq(grove__stamp_equal(ascending[index], ascending[other]),
                         index == other);
        }
    }
    grove__tree_free(tree);
}

Test(tree, stamps_keep_what_they_are_made_of)
{
    static const uint64_t numbers[] = {
        0, 1, 0xffff, 0x10000, 0xffffffff, GROVE_DOCUMENT_EVENTS_MAX - 1};
    static const uint32_t replicas[] = {0, 1, 0xffff, 0x10000, 0xfffffffe};
    for (size_t time = 0; time < 6; time++) {
        for (size_t replica = 0; replica < 5; replica++) {
            for (size_t sequence = 0; sequence < 6; sequence++) {
                grove__stamp stamp =
                    grove__stamp_of(numbers[time], replicas[replica], numbers[sequence]);
                cr_assert_eq(grove__stamp_time(stamp), numbers[time]);
                cr_assert_eq(grove__stamp_replica(stamp), replicas[replica]);
                cr_assert_eq(grove__stamp_sequence(stamp), numbers[sequence]);
            }
        }
    }
}
