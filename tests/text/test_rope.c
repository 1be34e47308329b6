#include "text/rope.h"

#include "base/alloc.h"
#include "model.h"
#include "support/faulty_allocator.h"

enum { LEAF = GROVE__ROPE_LEAF_BYTES };

static void assert_sound(const grove__rope *rope)
{
    const char *fault = grove__rope_check(rope);
    cr_assert_null(fault, "%s", fault);
}

/* The rope is sound and holds the model's text. */
static void assert_same(const grove__rope *rope, const text_model *model)
{
    assert_sound(rope);
    grove_bytes expected = utf8_of(model->points, model->count);
    uint8_t *actual = malloc(expected.size + 1);
    uint64_t points = 0;
    cr_assert_not_null(actual);
    cr_assert_eq(rope->points, model->count);
    cr_assert_eq(rope->bytes, expected.size);
    cr_assert_eq(grove__rope_read(rope, 0, UINT64_MAX, actual, expected.size, &points),
                 expected.size);
    cr_assert_eq(points, model->count);
    cr_assert(expected.size == 0 || memcmp(actual, expected.data, expected.size) == 0);
    free(actual);
    utf8_free(expected);
}

static grove_status insert_points(grove__rope *rope, size_t position,
                                  const uint32_t *points, size_t count)
{
    grove_bytes utf8 = utf8_of(points, count);
    grove_status status = grove__rope_insert(rope, position, utf8, count);
    utf8_free(utf8);
    return status;
}

static void insert_both(grove__rope *rope, text_model *model, size_t position,
                        const uint32_t *points, size_t count)
{
    cr_assert_eq(insert_points(rope, position, points, count), GROVE_OK);
    model_insert(model, position, points, count);
}

static void delete_both(grove__rope *rope, text_model *model, size_t position,
                        size_t count)
{
    grove__rope_delete(rope, position, count);
    model_delete(model, position, count);
}

/* One random edit: mostly where the last one was, as people edit. */
static void edit(test_random *random, grove__rope *rope, text_model *model,
                 size_t *cursor, size_t bytes_max)
{
    uint32_t points[3 * LEAF];
    if (*cursor > model->count || test_random_below(random, 8) == 0) {
        *cursor = (size_t)test_random_below(random, model->count + 1);
    }
    size_t many = (size_t)test_random_below(random, 3 * LEAF) + 1;
    size_t count = test_random_below(random, 12) == 0 ? many : many % 3 + 1;
    switch (test_random_below(random, 6)) {
    case 0:
    case 1:
    case 2:
        random_points(random, points, count, bytes_max);
        insert_both(rope, model, *cursor, points, count);
        *cursor += count;
        break;
    case 3:
        count = count < model->count - *cursor ? count : model->count - *cursor;
        delete_both(rope, model, *cursor, count);
        break;
    case 4:
        count = count < *cursor ? count : *cursor;
        *cursor -= count;
        delete_both(rope, model, *cursor, count);
        break;
    default:
        if (model->count > 40 * LEAF) {
            delete_both(rope, model, model->count / 4, model->count / 2);
        }
        break;
    }
}

Test(rope, random_edits_leave_what_they_leave_in_an_array)
{
    test_random random = test_random_of("rope edits");
    faulty_allocator counting;
    faulty_allocator_init(&counting, 0);
    for (size_t round = 0; round < 8; round++) {
        grove__rope rope;
        text_model model = {NULL, 0, 0};
        size_t cursor = 0;
        grove__rope_init(&rope, &counting.allocator);
        for (size_t step = 0; step < (LEAF < 100 ? 1500 : 300); step++) {
            edit(&random, &rope, &model, &cursor, 1 + round % 4);
            assert_same(&rope, &model);
        }
        delete_both(&rope, &model, 0, model.count);
        assert_same(&rope, &model);
        grove__rope_release(&rope);
        model_release(&model);
    }
    faulty_allocator_finish(&counting);
}

Test(rope, typing_backspacing_and_deleting_go_on_where_they_were)
{
    grove__rope rope;
    text_model model = {NULL, 0, 0};
    uint32_t point = 0xe9;
    grove__rope_init(&rope, &grove__allocator_system);
    for (size_t step = 0; step < 4 * LEAF; step++) {
        insert_both(&rope, &model, model.count / 3 + step % 2, &point, 1);
        point = point == 0xe9 ? 'e' : 0xe9;
    }
    assert_same(&rope, &model);
    for (size_t step = 0; step < LEAF; step++) {
        insert_both(&rope, &model, LEAF + step, &point, 1);
    }
    assert_same(&rope, &model);
    for (size_t step = 0; step < LEAF + LEAF / 2; step++) {
        delete_both(&rope, &model, 2 * LEAF - 1 - step, 1);
        assert_sound(&rope);
    }
    assert_same(&rope, &model);
    for (size_t step = 0; step < LEAF; step++) {
        delete_both(&rope, &model, LEAF / 2, 1);
        assert_sound(&rope);
    }
    assert_same(&rope, &model);
    grove__rope_release(&rope);
    model_release(&model);
}

Test(rope, texts_around_the_size_of_a_leaf_go_in_at_both_ends_and_between)
{
    static uint32_t points[4 * LEAF + 4];
    for (size_t width = 1; width <= 4; width++) {
        for (size_t index = 0; index < sizeof points / sizeof *points; index++) {
            static const uint32_t of_width[] = {0, 'a', 0xe9, 0x20ac, 0x1f600};
            points[index] = of_width[width] + (uint32_t)(index % 16);
        }
        for (size_t leaves = 1; leaves <= 3; leaves++) {
            for (size_t count = leaves * LEAF / width - 2;
                 count <= leaves * LEAF / width + 2; count++) {
                for (size_t place = 0; place < 3; place++) {
                    grove__rope rope;
                    text_model model = {NULL, 0, 0};
                    grove__rope_init(&rope, &grove__allocator_system);
                    insert_both(&rope, &model, 0, points, count);
                    insert_both(&rope, &model, place * count / 2, points + 1, count);
                    assert_same(&rope, &model);
                    delete_both(&rope, &model, place * count / 4, count);
                    assert_same(&rope, &model);
                    grove__rope_release(&rope);
                    model_release(&model);
                }
            }
        }
    }
}

Test(rope, every_range_of_a_text_can_be_deleted)
{
    enum { POINTS = 130 };
    uint32_t points[POINTS];
    test_random random = test_random_of("rope ranges");
    random_points(&random, points, POINTS, 3);
    for (size_t from = 0; from <= POINTS; from += LEAF < 100 ? 1 : 7) {
        for (size_t count = 0; count <= POINTS - from; count++) {
            grove__rope rope;
            text_model model = {NULL, 0, 0};
            grove__rope_init(&rope, &grove__allocator_system);
            insert_both(&rope, &model, 0, points, POINTS);
            delete_both(&rope, &model, from, count);
            assert_same(&rope, &model);
            insert_both(&rope, &model, from, points, 1);
            assert_same(&rope, &model);
            grove__rope_release(&rope);
            model_release(&model);
        }
    }
}

Test(rope, an_insertion_without_memory_leaves_the_text_as_it_was)
{
    enum { TYPED = 12 * LEAF, PASTED = 5 * LEAF };
    static uint32_t points[TYPED];
    test_random random = test_random_of("rope faults");
    size_t failures = 0;
    random_points(&random, points, TYPED, 2);
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        grove__rope rope;
        text_model model = {NULL, 0, 0};
        faulty_allocator_init(&faulty, 0);
        grove__rope_init(&rope, &faulty.allocator);
        insert_both(&rope, &model, 0, points, TYPED);
        faulty.fails_at = faulty.calls + nth;
        grove_status status = insert_points(&rope, TYPED / 3, points, PASTED);
        if (status == GROVE_OK) {
            model_insert(&model, TYPED / 3, points, PASTED);
        }
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        assert_same(&rope, &model);
        grove__rope_release(&rope);
        faulty_allocator_finish(&faulty);
        model_release(&model);
        if (!faulty.has_failed) {
            break;
        }
        failures++;
    }
    cr_assert_gt(failures, 5, "pasting %d bytes takes several leaves", PASTED);
}

Test(rope, typing_without_memory_goes_on_when_there_is_some)
{
    /* Every third allocation fails, at every height of the tree. */
    grove__rope rope;
    text_model model = {NULL, 0, 0};
    faulty_allocator faulty;
    size_t failures = 0;
    uint32_t point = 'x';
    faulty_allocator_init(&faulty, 0);
    grove__rope_init(&rope, &faulty.allocator);
    for (size_t step = 0; step < 40 * LEAF; step++) {
        faulty.fails_at = faulty.calls + 1 + step % 3;
        size_t position = step * 7919 % (model.count + 1);
        grove_status status = insert_points(&rope, position, &point, 1);
        if (status == GROVE_OK) {
            model_insert(&model, position, &point, 1);
        } else {
            cr_assert_eq(status, GROVE_NO_MEMORY);
            failures++;
            assert_sound(&rope);
        }
    }
    assert_same(&rope, &model);
    cr_assert_gt(failures, 3);
    grove__rope_release(&rope);
    faulty_allocator_finish(&faulty);
    model_release(&model);
}

Test(rope, an_empty_rope_owns_nothing_and_can_be_used_again_after_release)
{
    faulty_allocator counting;
    grove__rope rope;
    uint64_t points = 1;
    faulty_allocator_init(&counting, 0);
    grove__rope_init(&rope, &counting.allocator);
    assert_sound(&rope);
    grove__rope_delete(&rope, 0, 0);
    cr_assert_eq(grove__rope_insert(&rope, 0, (grove_bytes){NULL, 0}, 0), GROVE_OK);
    cr_assert_eq(grove__rope_read(&rope, 0, 5, NULL, 0, &points), 0);
    cr_assert_eq(points, 0);
    cr_assert_eq(counting.blocks, 0);
    for (size_t round = 0; round < 2; round++) {
        cr_assert_eq(grove__rope_insert(&rope, 0, grove_bytes_of("grove"), 5), GROVE_OK);
        cr_assert_eq(rope.points, 5);
        grove__rope_release(&rope);
        cr_assert_eq(rope.points, 0);
        faulty_allocator_finish(&counting);
    }
}

#ifndef GROVE_TINY_LIMITS
/* Bytes of memory per 100 bytes of text. */
static size_t percent_of_text(const faulty_allocator *counting, const grove__rope *rope)
{
    return counting->bytes * 100 / (size_t)rope->bytes;
}

Test(rope, memory_stays_in_proportion_to_the_text)
{
    enum { TYPED = 300000 };
    test_random random = test_random_of("rope memory");
    faulty_allocator counting;
    grove__rope rope;
    faulty_allocator_init(&counting, 0);
    grove__rope_init(&rope, &counting.allocator);
    for (size_t step = 0; step < TYPED; step++) {
        cr_assert_eq(grove__rope_insert(&rope, step, grove_bytes_of("x"), 1), GROVE_OK);
    }
    cr_assert_leq(percent_of_text(&counting, &rope), 145, "typed in order");
    for (size_t step = 0; step < TYPED; step++) {
        uint64_t position = test_random_below(&random, rope.points + 1);
        cr_assert_eq(grove__rope_insert(&rope, position, grove_bytes_of("y"), 1),
                     GROVE_OK);
    }
    cr_assert_leq(percent_of_text(&counting, &rope), 200, "typed anywhere");
    while (rope.points > TYPED / 10) {
        uint64_t position = test_random_below(&random, rope.points - 2);
        grove__rope_delete(&rope, position, 2);
    }
    cr_assert_leq(percent_of_text(&counting, &rope), 270, "deleted anywhere");
    assert_sound(&rope);
    grove__rope_release(&rope);
    faulty_allocator_finish(&counting);
}
#endif
