#include <criterion/criterion.h>

#include "base/alloc.h"
#include "format/sorted.h"
#include "support/faulty_allocator.h"
#include "support/random.h"

enum { ITEMS_MAX = 300 };

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* The naive answer: the greatest value at or below the key. */
static bool has_floor(const uint64_t *values, size_t count, uint64_t key,
                      uint64_t *floor_out)
{
    bool is_found = false;
    for (size_t index = 0; index < count; index++) {
        if (values[index] <= key && (!is_found || values[index] > *floor_out)) {
            *floor_out = values[index];
            is_found = true;
        }
    }
    return is_found;
}

Test(sorted, floor_is_the_greatest_at_or_below_whatever_order_items_come_in)
{
    test_random random =
        test_random_of("floor_is_the_greatest_at_or_below_whatever_order_items_come_in");
    uint64_t values[ITEMS_MAX];
    for (int shape = 0; shape < 30; shape++) {
        grove__sorted sorted = {NULL, 0, 0};
        grove__sorted_items items = {values, sizeof *values, compare};
        for (uint64_t index = 0; index < ITEMS_MAX; index++) {
            values[index] = shape == 0   ? index
                            : shape == 1 ? ITEMS_MAX - index
                                         : test_random_below(&random, 2 * ITEMS_MAX);
        }
        for (size_t count = 1; count <= ITEMS_MAX; count += (size_t)shape / 3 + 1) {
            cr_assert(
                grove__sorted_cover(&sorted, &grove__allocator_system, &items, count));
            uint64_t key = test_random_below(&random, 2 * ITEMS_MAX);
            uint64_t expected = 0;
            bool is_found = has_floor(values, count, key, &expected);
            uint32_t number = grove__sorted_floor(&sorted, &items, &key);
            cr_assert_eq(number != GROVE__SORTED_NONE, is_found);
            cr_assert(!is_found || values[number] == expected);
            cr_assert(!is_found || number < count);
        }
        grove__sorted_release(&sorted, &grove__allocator_system);
    }
}

Test(sorted, an_empty_order_finds_nothing)
{
    grove__sorted sorted = {NULL, 0, 0};
    uint64_t key = 1;
    grove__sorted_items items = {NULL, sizeof key, compare};
    cr_assert(grove__sorted_cover(&sorted, &grove__allocator_system, &items, 0));
    cr_assert_eq(grove__sorted_floor(&sorted, &items, &key), GROVE__SORTED_NONE);
}

Test(sorted, a_failed_allocation_keeps_what_was_covered)
{
    uint64_t values[ITEMS_MAX];
    for (uint64_t index = 0; index < ITEMS_MAX; index++) {
        values[index] = ITEMS_MAX - index;
    }
    grove__sorted_items items = {values, sizeof *values, compare};
    faulty_allocator faulty;
    faulty_allocator_init(&faulty, 2);
    grove__sorted sorted = {NULL, 0, 0};
    size_t count = 1;
    while (grove__sorted_cover(&sorted, &faulty.allocator, &items, count)) {
        count++;
    }
    cr_assert_eq(sorted.count, count - 1);
    cr_assert(grove__sorted_cover(&sorted, &faulty.allocator, &items, ITEMS_MAX));
    uint64_t key = 7;
    cr_assert_eq(grove__sorted_floor(&sorted, &items, &key), ITEMS_MAX - 7);
    grove__sorted_release(&sorted, &faulty.allocator);
    faulty_allocator_finish(&faulty);
}
