#include <criterion/criterion.h>
#include <signal.h>

#include "support/faulty_allocator.h"
#include "support/random.h"

#include "memory/pins.h"

Test(pins, give_the_least_of_their_name)
{
    faulty_allocator memory;
    grove__pins pins;
    faulty_allocator_init(&memory, 0);
    grove__pins_init(&pins, &memory.allocator);
    cr_assert_eq(grove__pins_least(&pins, 1), UINT64_MAX);
    uint64_t first = grove__pins_open(&pins, 1, 10);
    uint64_t second = grove__pins_open(&pins, 1, 5);
    uint64_t other = grove__pins_open(&pins, 2, 1);
    cr_assert(first != 0 && second != 0 && other != 0);
    cr_assert(first != second && second != other && first != other);
    cr_assert_eq(grove__pins_least(&pins, 1), 5);
    grove__pins_move(&pins, second, 11);
    cr_assert_eq(grove__pins_least(&pins, 1), 10);
    grove__pins_close(&pins, first);
    cr_assert_eq(grove__pins_least(&pins, 1), 11);
    cr_assert_eq(grove__pins_least(&pins, 2), 1);
    cr_assert_eq(grove__pins_open(&pins, 3, 3), first, "a free place is used again");
    grove__pins_release(&pins);
    faulty_allocator_finish(&memory);
}

/* Against a list that is looked through. */
Test(pins, agree_with_a_model)
{
    enum { PINS = 64, NAMES = 4, STEPS = 20000 };
    struct {
        uint64_t pin, name, value;
    } model[PINS] = {{0, 0, 0}};
    test_random random = test_random_of("pins");
    faulty_allocator memory;
    grove__pins pins;
    faulty_allocator_init(&memory, 0);
    grove__pins_init(&pins, &memory.allocator);
    for (int step = 0; step < STEPS; step++) {
        size_t index = test_random_below(&random, PINS);
        uint64_t value = test_random_below(&random, 1000);
        if (model[index].pin == 0) {
            model[index].name = test_random_below(&random, NAMES);
            model[index].value = value;
            model[index].pin = grove__pins_open(&pins, model[index].name, value);
            cr_assert_neq(model[index].pin, 0);
        } else if (value % 2 == 0) {
            model[index].value = value;
            grove__pins_move(&pins, model[index].pin, value);
        } else {
            grove__pins_close(&pins, model[index].pin);
            model[index].pin = 0;
        }
        uint64_t name = test_random_below(&random, NAMES);
        uint64_t least = UINT64_MAX;
        for (size_t other = 0; other < PINS; other++) {
            if (model[other].pin != 0 && model[other].name == name &&
                model[other].value < least) {
                least = model[other].value;
            }
        }
        cr_assert_eq(grove__pins_least(&pins, name), least);
    }
    grove__pins_release(&pins);
    faulty_allocator_finish(&memory);
}

Test(pins, are_as_before_when_memory_is_out)
{
    for (size_t nth = 1; nth <= 3; nth++) {
        faulty_allocator memory;
        grove__pins pins;
        uint64_t count = 0;
        uint64_t failures = 0;
        faulty_allocator_init(&memory, nth);
        grove__pins_init(&pins, &memory.allocator);
        while (count < 100) {
            uint64_t pin = grove__pins_open(&pins, 1, 1000 - count);
            count += pin != 0;
            failures += pin == 0;
            cr_assert_eq(grove__pins_least(&pins, 1),
                         count > 0 ? 1001 - count : UINT64_MAX);
        }
        cr_assert_eq(failures, 1);
        grove__pins_release(&pins);
        faulty_allocator_finish(&memory);
    }
}

Test(pins, of_which_there_is_none_stop_the_program, .signal = SIGABRT)
{
    faulty_allocator memory;
    grove__pins pins;
    faulty_allocator_init(&memory, 0);
    grove__pins_init(&pins, &memory.allocator);
    uint64_t pin = grove__pins_open(&pins, 1, 1);
    grove__pins_close(&pins, pin);
    grove__pins_move(&pins, pin, 2);
}
