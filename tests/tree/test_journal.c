#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "program.h"
#include "support/faulty_allocator.h"

static tree_program program;

static void expect_same(const grove__tree *tree, const grove__tree *other)
{
    grove_type_buffers one;
    grove_type_buffers two;
    const tree_digest digest = program_digest(other);
    const char *fault = grove__tree_check(tree);
    cr_assert_null(fault, "%s", fault);
    cr_assert(program_is_digest(tree, &digest));
    program_encode(tree, 0, &one);
    program_encode(other, 0, &two);
    cr_assert(grove__bytes_equal(grove_buffer_view(&one.structure),
                                 grove_buffer_view(&two.structure)));
    cr_assert(grove__bytes_equal(grove_buffer_view(&one.content),
                                 grove_buffer_view(&two.content)));
    program_release(&one);
    program_release(&two);
}

/* A replica that knows all goes on after a random history; its events are
 * later than all there is. */
static uint32_t begin(test_random *random, uint32_t events)
{
    program_clear(&program);
    while (program.oracle.count < events) {
        uint32_t replica = (uint32_t)test_random_below(random, 3);
        (void)program_draw(&program, replica, random);
        program_learn(&program, (uint32_t)test_random_below(random, 3), replica);
    }
    program_learn(&program, 0, 1);
    program_learn(&program, 0, 2);
    return program.oracle.count;
}

Test(journal, of_a_change_that_is_cancelled_leaves_nothing)
{
    test_random random = test_random_of("journal");
    for (uint32_t round = 0; round < 300; round++) {
        uint32_t first = begin(&random, (uint32_t)test_random_below(&random, 40));
        uint32_t count = (uint32_t)test_random_below(&random, 20);
        grove__tree *tree = program_run(&program, first);
        grove__tree *before = program_run(&program, first);
        grove__tree_begin(tree);
        for (uint32_t index = 0; index < count; index++) {
            uint32_t event = program_draw(&program, 0, &random);
            cr_assert_eq(program_apply(&program, tree, &event, 1, NULL), GROVE_OK);
            const char *fault = grove__tree_check(tree);
            cr_assert_null(fault, "%s", fault);
        }
        grove__tree *after = program_run(&program, program.oracle.count);
        expect_same(tree, after);
        grove__tree_cancel(tree);
        expect_same(tree, before);
        /* The same events fit once more. */
        grove__tree_begin(tree);
        for (uint32_t event = first; event < program.oracle.count; event++) {
            cr_assert_eq(program_apply(&program, tree, &event, 1, NULL), GROVE_OK);
        }
        grove__tree_end(tree);
        expect_same(tree, after);
        cr_assert_eq(tree->journal.size, 0);
        grove__tree_free(tree);
        grove__tree_free(before);
        grove__tree_free(after);
    }
}

Test(journal, of_an_event_that_fails_within_a_change_takes_back_that_event_alone)
{
    test_random random = test_random_of("journal");
    for (uint32_t round = 0; round < 40; round++) {
        uint32_t first = begin(&random, 10);
        grove__tree *before = program_run(&program, first);
        for (uint32_t index = 0; index < 6; index++) {
            (void)program_draw(&program, 0, &random);
        }
        grove__tree *after = program_run(&program, program.oracle.count);
        bool has_failed = true;
        for (size_t nth = 1; has_failed; nth++) {
            faulty_allocator faulty;
            faulty_allocator_init(&faulty, 0);
            grove__tree *tree = program_tree(&faulty.allocator);
            for (uint32_t event = 0; event < first; event++) {
                cr_assert_eq(program_apply(&program, tree, &event, 1, NULL), GROVE_OK);
            }
            faulty.fails_at = faulty.calls + nth;
            grove__tree_begin(tree);
            for (uint32_t event = first; event < program.oracle.count; event++) {
                if (program_apply(&program, tree, &event, 1, NULL) != GROVE_OK) {
                    cr_assert(faulty.has_failed);
                    cr_assert_eq(program_apply(&program, tree, &event, 1, NULL),
                                 GROVE_OK);
                }
            }
            has_failed = faulty.has_failed;
            faulty.fails_at = 0;
            expect_same(tree, after);
            grove__tree_cancel(tree);
            expect_same(tree, before);
            grove__tree_free(tree);
            faulty_allocator_finish(&faulty);
        }
        grove__tree_free(before);
        grove__tree_free(after);
    }
}

Test(journal, of_a_change_that_is_empty_takes_nothing_back)
{
    test_random random = test_random_of("journal");
    uint32_t first = begin(&random, 20);
    grove__tree *tree = program_run(&program, first);
    grove__tree *before = program_run(&program, first);
    grove__tree_begin(tree);
    grove__tree_cancel(tree);
    expect_same(tree, before);
    grove__tree_begin(tree);
    grove__tree_end(tree);
    expect_same(tree, before);
    grove__tree_free(tree);
    grove__tree_free(before);
}
