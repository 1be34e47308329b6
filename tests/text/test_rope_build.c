#include "base/alloc.h"
#include "model.h"
#include "support/faulty_allocator.h"
#include "text/rope.h"

enum { LEAF = GROVE__ROPE_LEAF_BYTES, CHILDREN = GROVE__ROPE_NODE_CHILDREN };

/* Builds a rope of the text, and checks it. */
static void assert_builds(const uint32_t *points, size_t count)
{
    faulty_allocator counting;
    grove__rope rope;
    grove_bytes utf8 = utf8_of(points, count);
    uint8_t *read = malloc(utf8.size + 1);
    uint64_t points_read = 0;
    faulty_allocator_init(&counting, 0);
    grove__rope_init(&rope, &counting.allocator);
    cr_assert_eq(grove__rope_build(&rope, utf8, count), GROVE_OK);
    const char *fault = grove__rope_check(&rope);
    cr_assert_null(fault, "%zu code points: %s", count, fault);
    cr_assert_eq(rope.points, count);
    cr_assert_eq(grove__rope_read(&rope, 0, count, read, utf8.size, &points_read),
                 utf8.size);
    cr_assert(utf8.size == 0 || memcmp(read, utf8.data, utf8.size) == 0);
#ifndef GROVE_TINY_LIMITS
    cr_assert_leq(counting.bytes, utf8.size + utf8.size / 4 + 2048);
#endif
    grove__rope_release(&rope);
    faulty_allocator_finish(&counting);
    free(read);
    utf8_free(utf8);
}

Test(rope_build, texts_of_every_small_size_are_built_sound)
{
    enum { POINTS = LEAF < 100 ? 40 * LEAF : 6 * LEAF };
    static uint32_t points[POINTS];
    test_random random = test_random_of("rope build");
    for (size_t bytes_max = 1; bytes_max <= 4; bytes_max++) {
        random_points(&random, points, POINTS, bytes_max);
        for (size_t count = 0; count <= POINTS; count += LEAF < 100 ? 1 : 31) {
            assert_builds(points, count);
        }
    }
}

Test(rope_build, texts_around_full_nodes_are_built_sound)
{
    size_t most = (size_t)LEAF * (CHILDREN * CHILDREN + 2);
    uint32_t *points = malloc(most * sizeof *points);
    cr_assert_not_null(points);
    for (size_t index = 0; index < most; index++) {
        points[index] = 'a' + (uint32_t)(index % 26);
    }
    size_t filled = LEAF - LEAF / 8 - 2;
    for (size_t leaves = CHILDREN; leaves <= CHILDREN * CHILDREN; leaves *= CHILDREN) {
        for (size_t count = leaves * filled - 1; count <= leaves * filled + 1; count++) {
            assert_builds(points, count);
            assert_builds(points, count + filled);
        }
    }
    free(points);
}

Test(rope_build, a_built_rope_can_be_edited)
{
    enum { POINTS = 50 * LEAF };
    static uint32_t points[POINTS];
    test_random random = test_random_of("rope build edits");
    grove__rope rope;
    text_model model = {NULL, 0, 0};
    uint64_t points_read = 0;
    random_points(&random, points, POINTS, 3);
    model_insert(&model, 0, points, POINTS);
    grove_bytes utf8 = utf8_of(points, POINTS);
    grove__rope_init(&rope, &grove__allocator_system);
    cr_assert_eq(grove__rope_build(&rope, utf8, POINTS), GROVE_OK);
    utf8_free(utf8);
    for (size_t step = 0; step < 500; step++) {
        size_t position = (size_t)test_random_below(&random, model.count);
        grove_bytes typed = utf8_of(points, 4);
        cr_assert_eq(grove__rope_insert(&rope, position, typed, 4), GROVE_OK);
        model_insert(&model, position, points, 4);
        utf8_free(typed);
        position = (size_t)test_random_below(&random, model.count - 5);
        grove__rope_delete(&rope, position, 5);
        model_delete(&model, position, 5);
        cr_assert_null(grove__rope_check(&rope));
    }
    grove_bytes expected = utf8_of(model.points, model.count);
    uint8_t *read = malloc(expected.size);
    cr_assert_not_null(read);
    cr_assert_eq(
        grove__rope_read(&rope, 0, model.count, read, expected.size, &points_read),
        expected.size);
    cr_assert_eq(memcmp(read, expected.data, expected.size), 0);
    free(read);
    utf8_free(expected);
    grove__rope_release(&rope);
    model_release(&model);
}

Test(rope_build, a_build_without_memory_leaves_the_rope_empty)
{
    enum { POINTS = LEAF * (LEAF < 100 ? 40 : 70) };
    static uint32_t points[POINTS];
    for (size_t index = 0; index < POINTS; index++) {
        points[index] = 'a';
    }
    grove_bytes utf8 = utf8_of(points, POINTS);
    size_t failures = 0;
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        grove__rope rope;
        faulty_allocator_init(&faulty, nth);
        grove__rope_init(&rope, &faulty.allocator);
        grove_status status = grove__rope_build(&rope, utf8, POINTS);
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        cr_assert_eq(rope.points, faulty.has_failed ? 0 : POINTS);
        cr_assert_null(grove__rope_check(&rope));
        if (faulty.has_failed) {
            faulty_allocator_finish(&faulty);
            failures++;
        }
        grove__rope_release(&rope);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            break;
        }
    }
    cr_assert_gt(failures, 40);
    utf8_free(utf8);
}
