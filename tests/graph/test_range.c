#include <criterion/criterion.h>

#include "graph/range.h"
#include "support/faulty_allocator.h"

Test(range, a_list_joins_upwards_what_touches)
{
    grove__range_list list = {0};
    const grove_allocator *allocator = &grove__allocator_system;
    cr_assert(grove__range_list_append(&list, allocator, 3, 3));
    cr_assert_eq(list.count, 0);
    cr_assert(grove__range_list_append(&list, allocator, 3, 5));
    cr_assert(grove__range_list_append(&list, allocator, 5, 6));
    cr_assert(grove__range_list_append(&list, allocator, 1, 3)); /* not upwards */
    cr_assert_eq(list.count, 2);
    cr_assert(list.items[0].from == 3 && list.items[0].end == 6);
    cr_assert(list.items[1].from == 1 && list.items[1].end == 3);
    grove__range_list_release(&list, allocator);
}

Test(range, a_list_from_above_joins_downwards_and_turns)
{
    grove__range_list list = {0};
    const grove_allocator *allocator = &grove__allocator_system;
    cr_assert(grove__range_list_append_below(&list, allocator, 8, 9));
    cr_assert(grove__range_list_append_below(&list, allocator, 6, 8));
    cr_assert(grove__range_list_append_below(&list, allocator, 6, 6));
    cr_assert(grove__range_list_append_below(&list, allocator, 2, 3));
    cr_assert(grove__range_list_append_below(&list, allocator, 0, 1));
    cr_assert_eq(list.count, 3);
    grove__range_list_reverse(&list);
    cr_assert(list.items[0].from == 0 && list.items[0].end == 1);
    cr_assert(list.items[1].from == 2 && list.items[1].end == 3);
    cr_assert(list.items[2].from == 6 && list.items[2].end == 9);
    grove__range_list_release(&list, allocator);
}

Test(range, without_memory_a_list_stays_as_it_was)
{
    faulty_allocator faulty;
    faulty_allocator_init(&faulty, 1);
    grove__range_list list = {0};
    cr_assert_not(grove__range_list_append(&list, &faulty.allocator, 1, 2));
    cr_assert_eq(list.count, 0);
    cr_assert(grove__range_list_append_below(&list, &faulty.allocator, 1, 2));
    grove__range_list_release(&list, &faulty.allocator);
    faulty_allocator_finish(&faulty);
}
