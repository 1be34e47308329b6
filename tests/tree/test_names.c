#include "tree/names.h"

#include "base/bytes.h"
#include "support/faulty_allocator.h"
#include "support/random.h"

static uint32_t intern(grove__names *names, grove_bytes bytes)
{
    uint32_t number = GROVE__NAMES_NONE;
    cr_assert_eq(grove__names_intern(names, bytes, &number), GROVE_OK);
    return number;
}

Test(names, equal_strings_have_one_number_and_others_the_next)
{
    static const grove_bytes strings[] = {
        {(const uint8_t *)"b", 1},    {NULL, 0},
        {(const uint8_t *)"a", 1},    {(const uint8_t *)"a\0", 2},
        {(const uint8_t *)"a\0b", 3}, {(const uint8_t *)"\xff", 1},
        {(const uint8_t *)"ab", 2},   {(const uint8_t *)"", 0},
    };
    static const uint32_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 1};
    grove__names names;
    grove__names_init(&names, &grove__allocator_system);
    for (uint32_t index = 0; index < 8; index++) {
        uint32_t known = index < 7 ? GROVE__NAMES_NONE : 1;
        cr_assert_eq(grove__names_find(&names, strings[index]), known);
        cr_assert_eq(intern(&names, strings[index]), numbers[index]);
    }
    cr_assert_eq(names.count, 7);
    for (uint32_t index = 0; index < 8; index++) {
        cr_assert_eq(intern(&names, strings[index]), numbers[index]);
        cr_assert_eq(grove__names_find(&names, strings[index]), numbers[index]);
        cr_assert(
            grove__bytes_equal(grove__names_at(&names, numbers[index]), strings[index]));
    }
    cr_assert_eq(names.count, 7);
    cr_assert_eq(grove__names_find(&names, grove_bytes_of("abc")), GROVE__NAMES_NONE);
    grove__names_release(&names);
    cr_assert_eq(names.count, 0);
    cr_assert_eq(intern(&names, grove_bytes_of("x")), 0);
    grove__names_release(&names);
}

Test(names, strings_are_copied_and_never_move)
{
    enum { STRINGS = 2000, BYTES_MAX = 300 };
    static const uint8_t *places[STRINGS];
    uint8_t bytes[BYTES_MAX];
    test_random random = test_random_of("names");
    uint64_t start = random.state;
    grove__names names;
    grove__names_init(&names, &grove__allocator_system);
    for (uint32_t number = 0; number < STRINGS; number++) {
        size_t size = 8 + test_random_below(&random, BYTES_MAX - 8);
        test_random_bytes(&random, bytes, size);
        cr_assert_eq(intern(&names, (grove_bytes){bytes, size}), number);
        places[number] = grove__names_at(&names, number).data;
    }
    random.state = start;
    for (uint32_t number = 0; number < STRINGS; number++) {
        size_t size = 8 + test_random_below(&random, BYTES_MAX - 8);
        test_random_bytes(&random, bytes, size);
        const grove_bytes expected = {bytes, size};
        cr_assert_eq(grove__names_find(&names, expected), number);
        cr_assert_eq(grove__names_at(&names, number).data, places[number]);
        cr_assert(grove__bytes_equal(grove__names_at(&names, number), expected));
    }
    grove__names_release(&names);
}

/* Sizes about those of the blocks, and larger than any. */
Test(names, of_every_size_find_room)
{
    static uint8_t bytes[(1 << 16) + 2];
    static const size_t sizes[] = {
        255, 256, 257, 0, 511, 512, 513, (1 << 16) - 1, 1 << 16, (1 << 16) + 1, 1,
    };
    grove__names names;
    grove__names_init(&names, &grove__allocator_system);
    for (uint32_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        memset(bytes, (int)index, sizeof bytes);
        cr_assert_eq(intern(&names, (grove_bytes){bytes, sizes[index]}), index);
    }
    for (uint32_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        memset(bytes, (int)index, sizeof bytes);
        const grove_bytes expected = {bytes, sizes[index]};
        cr_assert(grove__bytes_equal(grove__names_at(&names, index), expected));
    }
    grove__names_release(&names);
}

Test(names, without_memory_nothing_is_added)
{
    enum { STRINGS = 40 };
    bool has_failed = true;
    for (size_t nth = 1; has_failed; nth++) {
        faulty_allocator faulty;
        grove__names names;
        uint8_t bytes[50] = {0};
        faulty_allocator_init(&faulty, nth);
        grove__names_init(&names, &faulty.allocator);
        for (uint8_t index = 0; index < STRINGS; index++) {
            bytes[0] = index;
            const grove_bytes string = {bytes, sizeof bytes};
            uint32_t number = 77;
            bool had_failed = faulty.has_failed;
            if (grove__names_intern(&names, string, &number) != GROVE_OK) {
                cr_assert(faulty.has_failed && !had_failed);
                cr_assert_eq(number, 77);
                cr_assert_eq(names.count, index);
                cr_assert_eq(grove__names_find(&names, string), GROVE__NAMES_NONE);
                cr_assert_eq(intern(&names, string), index);
            } else {
                cr_assert_eq(number, index);
            }
        }
        cr_assert_eq(names.count, STRINGS);
        grove__names_release(&names);
        faulty_allocator_finish(&faulty);
        has_failed = faulty.has_failed;
        cr_assert(has_failed || nth > 6);
    }
}
