#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>

#include "faulty_heap.h"
#include "grow.h"

Test(grow, there_is_room_for_what_was_asked_and_what_was_there_stays)
{
    size_t capacity = 0;
    size_t count = 0;
    uint32_t *items = NULL;
    for (size_t more = 0; more < 300; more += 7) {
        items = cli_grow(items, &capacity, count, more, sizeof *items);
        cr_assert_not_null(items);
        cr_assert_geq(capacity - count, more);
        for (size_t index = 0; index < more; index++) {
            items[count] = (uint32_t)count;
            count++;
        }
    }
    for (size_t index = 0; index < count; index++) {
        cr_assert_eq(items[index], index);
    }
    cr_assert_leq(capacity, 2 * count);
    free(items);
}

Test(grow, what_does_not_fit_memory_changes_nothing)
{
    size_t capacity = 0;
    uint64_t *items = cli_grow(NULL, &capacity, 0, 1, sizeof *items);
    cr_assert_not_null(items);
    size_t before = capacity;
    items[0] = 77;
    cr_assert_null(cli_grow(items, &capacity, 1, SIZE_MAX / 2, sizeof *items));
    cr_assert_null(cli_grow(items, &capacity, 1, SIZE_MAX - 1, sizeof *items));
    faulty_heap_begin(1);
    cr_assert_null(cli_grow(items, &capacity, 1, before, sizeof *items));
    cr_assert(faulty_heap_end());
    cr_assert_eq(capacity, before);
    cr_assert_eq(items[0], 77);
    free(items);
}
