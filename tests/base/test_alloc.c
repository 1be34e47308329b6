#include <criterion/criterion.h>

#include "base/alloc.h"
#include "support/faulty_allocator.h"

Test(alloc, zeroed_memory_is_zero)
{
    faulty_allocator faulty; /* fills what it gives with other bytes */
    faulty_allocator_init(&faulty, 0);
    uint8_t *memory = grove__allocate_zeroed(&faulty.allocator, 100);
    for (size_t index = 0; index < 100; index++) {
        cr_assert_eq(memory[index], 0, "%zu", index);
    }
    grove__deallocate(&faulty.allocator, memory, 100);
    faulty_allocator_finish(&faulty);
}

Test(alloc, reallocating_keeps_what_fits)
{
    const grove_allocator *system = &grove__allocator_system;
    char *memory = grove__reallocate(system, NULL, 0, 4);
    memcpy(memory, "abcd", 4);
    memory = grove__reallocate(system, memory, 4, 1000);
    cr_assert_eq(memcmp(memory, "abcd", 4), 0);
    memory = grove__reallocate(system, memory, 1000, 2);
    cr_assert_eq(memcmp(memory, "ab", 2), 0);
    grove__deallocate(system, memory, 2);
    grove__deallocate(system, NULL, 2);
}

Test(alloc, an_array_grows_by_half_and_keeps_its_items)
{
    faulty_allocator faulty;
    faulty_allocator_init(&faulty, 0);
    void *items = NULL;
    size_t capacity = 0;
    for (size_t count = 0; count < 1000; count++) {
        size_t before = capacity;
        cr_assert(grove__array_reserve(&faulty.allocator, &items, &capacity, count,
                                       sizeof(size_t)));
        cr_assert_gt(capacity, count);
        cr_assert(before < 8 || capacity == before || capacity == before + before / 2);
        ((size_t *)items)[count] = count;
    }
    for (size_t index = 0; index < 1000; index++) {
        cr_assert_eq(((size_t *)items)[index], index);
    }
    cr_assert_lt(faulty.calls, 20);
    grove__deallocate(&faulty.allocator, items, capacity * sizeof(size_t));
    faulty_allocator_finish(&faulty);
}

Test(alloc, an_array_that_cannot_grow_stays_as_it_is)
{
    faulty_allocator faulty;
    faulty_allocator_init(&faulty, 1);
    void *items = NULL;
    size_t capacity = 0;
    cr_assert_not(grove__array_reserve(&faulty.allocator, &items, &capacity, 0, 8));
    cr_assert_null(items);
    cr_assert_eq(capacity, 0);
    /* Nor does it when the size overflows; nothing is asked for then. */
    cr_assert_not(
        grove__array_reserve(&faulty.allocator, &items, &capacity, 0, SIZE_MAX));
    cr_assert_eq(faulty.calls, 1);
    faulty_allocator_finish(&faulty);
}

Test(alloc, a_budget_gives_its_limit_and_not_a_byte_more)
{
    faulty_allocator faulty;
    grove__budget budget;
    faulty_allocator_init(&faulty, 0);
    grove__budget_init(&budget, &faulty.allocator, 100);
    void *first = grove__allocate(&budget.allocator, 60);
    cr_assert_not_null(first);
    cr_assert_null(grove__allocate(&budget.allocator, 41));
    void *second = grove__allocate(&budget.allocator, 40);
    cr_assert_not_null(second);
    cr_assert_eq(atomic_load(&budget.used), 100);
    cr_assert_null(grove__allocate(&budget.allocator, 1));

    cr_assert_null(grove__reallocate(&budget.allocator, second, 40, 41));
    second = grove__reallocate(&budget.allocator, second, 40, 10);
    cr_assert_eq(atomic_load(&budget.used), 70);
    second = grove__reallocate(&budget.allocator, second, 10, 40);
    cr_assert_eq(atomic_load(&budget.used), 100);

    grove__deallocate(&budget.allocator, first, 60);
    grove__deallocate(&budget.allocator, second, 40);
    cr_assert_eq(atomic_load(&budget.used), 0);
    faulty_allocator_finish(&faulty);
}

Test(alloc, a_budget_takes_back_what_the_allocator_under_it_refused)
{
    for (size_t nth = 1; nth <= 2; nth++) {
        faulty_allocator faulty;
        grove__budget budget;
        faulty_allocator_init(&faulty, nth);
        grove__budget_init(&budget, &faulty.allocator, 100);
        void *memory = grove__allocate(&budget.allocator, 10);
        cr_assert_eq(memory == NULL, nth == 1);
        if (memory != NULL) {
            cr_assert_null(grove__reallocate(&budget.allocator, memory, 10, 90));
            cr_assert_eq(atomic_load(&budget.used), 10);
            grove__deallocate(&budget.allocator, memory, 10);
        }
        cr_assert_eq(atomic_load(&budget.used), 0);
        faulty_allocator_finish(&faulty);
    }
}
