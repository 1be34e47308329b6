#include <criterion/criterion.h>

#include "graph/index.h"
#include "support/faulty_allocator.h"
#include "support/random.h"

/* Keys are the items' values in an array. */
typedef struct item_keys {
    uint64_t values[5000];
} item_keys;

static uint64_t comparisons;

static const void *key_of(const void *context, uint32_t item)
{
    return &((const item_keys *)context)->values[item];
}

static int compare(const void *key, const void *other)
{
    uint64_t a = *(const uint64_t *)key;
    uint64_t b = *(const uint64_t *)other;
    comparisons++;
    return (a > b) - (a < b);
}

static void add(grove__index *index, const item_keys *keys, uint32_t item)
{
    cr_assert(grove__index_reserve(index, &grove__allocator_system));
    grove__index_add(index, (grove__index_rule){keys, key_of, compare}, item);
}

/* What both look-ups say of every key up to `greatest`, against a scan. */
static void check(const grove__index *index, const item_keys *keys, uint64_t greatest)
{
    grove__index_rule rule = {keys, key_of, compare};
    for (uint64_t key = 0; key <= greatest; key++) {
        uint32_t before = GROVE__INDEX_NONE;
        uint32_t after = GROVE__INDEX_NONE;
        for (uint32_t item = 0; item < index->count; item++) {
            uint64_t value = keys->values[item];
            if (value <= key &&
                (before == GROVE__INDEX_NONE || value > keys->values[before])) {
                before = item;
            }
            if (value > key &&
                (after == GROVE__INDEX_NONE || value < keys->values[after])) {
                after = item;
            }
        }
        cr_assert_eq(grove__index_at_or_before(index, rule, &key), before);
        cr_assert_eq(grove__index_after(index, rule, &key), after);
    }
}

Test(index, an_empty_one_finds_nothing)
{
    grove__index index = {0};
    static item_keys keys;
    check(&index, &keys, 2);
    grove__index_release(&index, &grove__allocator_system);
}

Test(index, every_order_of_up_to_6_keys_is_found_again)
{
    static item_keys keys;
    for (uint32_t count = 1; count <= 6; count++) {
        uint32_t orders = 1;
        for (uint32_t factor = 2; factor <= count; factor++) {
            orders *= factor;
        }
        for (uint32_t order = 0; order < orders; order++) {
            uint32_t left = order;
            uint64_t free_keys[6] = {1, 3, 5, 7, 9, 11};
            grove__index index = {0};
            for (uint32_t item = 0; item < count; item++) {
                uint32_t pick = left % (count - item);
                left /= count - item;
                keys.values[item] = free_keys[pick];
                free_keys[pick] = free_keys[count - item - 1];
                add(&index, &keys, item);
            }
            check(&index, &keys, 12);
            grove__index_release(&index, &grove__allocator_system);
        }
    }
}

Test(index, random_orders_are_found_again)
{
    test_random random = test_random_of("index");
    static item_keys keys;
    for (uint32_t round = 0; round < 200; round++) {
        uint32_t count = (uint32_t)test_random_below(&random, 70);
        uint32_t sorted = (uint32_t)test_random_below(&random, count + 1);
        grove__index index = {0};
        for (uint32_t item = 0; item < count; item++) {
            keys.values[item] = 2 * item;
        }
        for (uint32_t item = sorted; item < count; item++) {
            uint32_t other =
                sorted + (uint32_t)test_random_below(&random, count - sorted);
            uint64_t key = keys.values[item];
            keys.values[item] = keys.values[other];
            keys.values[other] = key;
        }
        for (uint32_t item = 0; item < count; item++) {
            add(&index, &keys, item);
        }
        check(&index, &keys, 2 * count + 1);
        grove__index_release(&index, &grove__allocator_system);
    }
}

Test(index, no_order_of_arrival_is_quadratic)
{
    static item_keys keys;
    enum { COUNT = 5000 };
    const uint64_t bound = COUNT * 14;
    for (int order = 0; order < 3; order++) {
        grove__index index = {0};
        comparisons = 0;
        for (uint32_t item = 0; item < COUNT; item++) {
            keys.values[item] = order == 0   ? item
                                : order == 1 ? COUNT - item
                                             : (item % 2 == 0 ? item : 2 * COUNT - item);
            add(&index, &keys, item);
        }
        cr_assert_leq(comparisons, order == 0 ? COUNT : bound, "order %d: %llu", order,
                      (unsigned long long)comparisons);
        comparisons = 0;
        for (uint32_t item = 0; item < COUNT; item++) {
            cr_assert_eq(grove__index_at_or_before(
                             &index, (grove__index_rule){&keys, key_of, compare},
                             &keys.values[item]),
                         item);
        }
        cr_assert_leq(comparisons, COUNT * 120);
        grove__index_release(&index, &grove__allocator_system);
    }
}

Test(index, without_memory_nothing_changes)
{
    static item_keys keys = {.values = {1, 0, 2}};
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        grove__index index = {0};
        uint32_t added = 0;
        while (added < 3 && grove__index_reserve(&index, &faulty.allocator)) {
            grove__index_add(&index, (grove__index_rule){&keys, key_of, compare},
                             added++);
        }
        cr_assert_eq(added < 3, faulty.has_failed);
        cr_assert_eq(index.count, added);
        check(&index, &keys, 3);
        grove__index_release(&index, &faulty.allocator);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            break;
        }
    }
}
