#include "tree/numbers.h"

#include "base/alloc.h"
#include "support/faulty_allocator.h"
#include "support/random.h"

/* Things whose keys are small, so that many have the hash of another. */
enum { THINGS = 512 };

typedef struct numbers_keys {
    uint64_t hashes[THINGS];
} numbers_keys;

static uint64_t hash_of(const void *context, uint32_t number)
{
    return ((const numbers_keys *)context)->hashes[number];
}

static bool has(const grove__numbers *numbers, const numbers_keys *keys, uint32_t number)
{
    if (numbers->capacity == 0) {
        return false;
    }
    size_t slot = grove__numbers_first(numbers, keys->hashes[number]);
    size_t steps = 0;
    for (; numbers->slots[slot] != GROVE__NUMBERS_NONE && steps < numbers->capacity;
         steps++) {
        if (numbers->slots[slot] == number) {
            return true;
        }
        slot = grove__numbers_next(numbers, slot);
    }
    cr_assert_lt(steps, numbers->capacity, "a table without an empty slot");
    return false;
}

static void check_all(const grove__numbers *numbers, const numbers_keys *keys,
                      const bool *known)
{
    size_t count = 0;
    for (uint32_t number = 0; number < THINGS; number++) {
        cr_assert_eq(has(numbers, keys, number), known[number], "number %u", number);
        count += known[number] ? 1 : 0;
    }
    cr_assert_eq(numbers->count, count);
    cr_assert_leq(count, numbers->capacity - numbers->capacity / 8);
}

Test(numbers, of_an_empty_table_there_are_none_and_it_owns_nothing)
{
    static const numbers_keys keys = {{0}};
    grove__numbers numbers = {0};
    const grove__numbers_rule rule = {&keys, hash_of};
    cr_assert(grove__numbers_reserve(&numbers, &grove__allocator_system, 0, rule));
    cr_assert_null(numbers.slots);
    cr_assert_not(has(&numbers, &keys, 0));
    grove__numbers_release(&numbers, &grove__allocator_system);
}

Test(numbers, are_found_until_they_are_taken_out_whatever_their_hashes_are)
{
    static numbers_keys keys;
    /* How many hashes there are, and what lies between two of them: all in one
     * slot, next to each other, and in the last slots of the table. */
    static const uint64_t spreads[][2] = {
        {1, 0}, {3, 1}, {16, 1}, {THINGS, 1}, {4, UINT64_MAX}, {THINGS, 1 << 20}};
    test_random random = test_random_of("numbers");
    for (size_t spread = 0; spread < sizeof spreads / sizeof *spreads; spread++) {
        bool known[THINGS] = {false};
        grove__numbers numbers = {0};
        const grove__numbers_rule rule = {&keys, hash_of};
        for (uint32_t number = 0; number < THINGS; number++) {
            keys.hashes[number] =
                test_random_below(&random, spreads[spread][0]) * spreads[spread][1];
        }
        for (uint32_t step = 0; step < 3000; step++) {
            uint32_t number = (uint32_t)test_random_below(
                &random, step % 1000 < 500 ? THINGS : THINGS / 8);
            if (known[number]) {
                grove__numbers_remove(&numbers, rule, number);
            } else {
                cr_assert(grove__numbers_reserve(&numbers, &grove__allocator_system,
                                                 numbers.count + 1, rule));
                grove__numbers_add(&numbers, keys.hashes[number], number);
            }
            known[number] = !known[number];
            if (step % 16 == 0) {
                check_all(&numbers, &keys, known);
            }
        }
        check_all(&numbers, &keys, known);
        grove__numbers_release(&numbers, &grove__allocator_system);
    }
}

Test(numbers, fill_a_table_to_seven_eighths_and_then_another)
{
    static numbers_keys keys;
    grove__numbers numbers = {0};
    const grove__numbers_rule rule = {&keys, hash_of};
    static const size_t capacities[][2] = {{1, 8},   {7, 8},   {8, 16},
                                           {14, 16}, {15, 32}, {448, 512}};
    for (size_t index = 0; index < sizeof capacities / sizeof *capacities; index++) {
        cr_assert(grove__numbers_reserve(&numbers, &grove__allocator_system,
                                         capacities[index][0], rule));
        cr_assert_eq(numbers.capacity, capacities[index][1]);
    }
    grove__numbers_release(&numbers, &grove__allocator_system);
    cr_assert_eq(numbers.capacity, 0);
}

Test(numbers, without_memory_stay_as_they_were)
{
    static numbers_keys keys;
    bool known[THINGS] = {false};
    faulty_allocator faulty;
    grove__numbers numbers = {0};
    const grove__numbers_rule rule = {&keys, hash_of};
    faulty_allocator_init(&faulty, 1);
    cr_assert_not(grove__numbers_reserve(&numbers, &faulty.allocator, 1, rule));
    cr_assert_eq(numbers.capacity, 0);
    cr_assert(grove__numbers_reserve(&numbers, &faulty.allocator, 7, rule));
    for (uint32_t number = 0; number < 7; number++) {
        grove__numbers_add(&numbers, 0, number);
        known[number] = true;
    }
    faulty_allocator spare = faulty;
    faulty.fails_at = faulty.calls + 1;
    cr_assert_not(grove__numbers_reserve(&numbers, &faulty.allocator, 8, rule));
    cr_assert_eq(faulty.blocks, spare.blocks);
    check_all(&numbers, &keys, known);
    cr_assert_not(grove__numbers_reserve(&numbers, &faulty.allocator, SIZE_MAX, rule));
    check_all(&numbers, &keys, known);
    grove__numbers_release(&numbers, &faulty.allocator);
    faulty_allocator_finish(&faulty);
}

Test(numbers, hashes_of_two_numbers_differ_where_one_of_them_does)
{
    enum { SIDE = 64 };
    static uint64_t seen[SIDE * SIDE];
    for (uint64_t a = 0; a < SIDE; a++) {
        for (uint64_t b = 0; b < SIDE; b++) {
            uint64_t hash = grove__numbers_hash(a, b);
            for (uint64_t index = 0; index < a * SIDE + b; index++) {
                cr_assert_neq(seen[index], hash);
            }
            seen[a * SIDE + b] = hash;
        }
    }
}
