#include <criterion/criterion.h>

#include "base/alloc.h"
#include "format/column.h"

typedef struct example {
    uint64_t value;
    size_t first_size;
    uint8_t first;
    size_t rest_size;
    uint8_t rest[8];
} example;

/* The edges of each form. */
static const example EXAMPLES[] = {
    {0, 1, 0, 0, {0}},
    {1, 1, 1, 0, {0}},
    {191, 1, 191, 0, {0}},
    {192, 1, 192, 1, {0}},
    {193, 1, 192, 1, {1}},
    {447, 1, 192, 1, {255}},
    {448, 1, 193, 1, {0}},
    {12479, 1, 239, 1, {255}},
    {12480, 1, 240, 1, {0}},
    {12480 + 255, 1, 240, 1, {255}},
    {12480 + 256, 1, 241, 2, {0, 1}},
    {12480 + 65535, 1, 241, 2, {255, 255}},
    {12480 + 65536, 1, 242, 3, {0, 0, 1}},
    {12480 + (UINT64_C(1) << 56) - 1, 1, 246, 7, {255, 255, 255, 255, 255, 255, 255}},
    {12480 + (UINT64_C(1) << 56), 1, 247, 8, {0, 0, 0, 0, 0, 0, 0, 1}},
    {UINT64_MAX, 1, 247, 8, {0x3f, 0xcf, 255, 255, 255, 255, 255, 255}},
};
enum { EXAMPLE_COUNT = sizeof EXAMPLES / sizeof *EXAMPLES };

Test(column, each_edge_has_the_documented_bytes_and_reads_back)
{
    for (size_t index = 0; index < EXAMPLE_COUNT; index++) {
        const example *expected = &EXAMPLES[index];
        grove_buffer first;
        grove_buffer rest;
        grove_buffer_init(&first, &grove__allocator_system);
        grove_buffer_init(&rest, &grove__allocator_system);
        grove__column_put(&first, &rest, expected->value);
        cr_assert_eq(first.size, expected->first_size);
        cr_assert_eq(first.data[0], expected->first, "example %zu", index);
        cr_assert_eq(rest.size, expected->rest_size, "example %zu", index);
        cr_assert(rest.size == 0 || memcmp(rest.data, expected->rest, rest.size) == 0);

        grove_reader first_reader = grove_reader_of(grove_buffer_view(&first));
        grove_reader rest_reader = grove_reader_of(grove_buffer_view(&rest));
        cr_assert_eq(grove__column_get(&first_reader, &rest_reader), expected->value);
        cr_assert(grove_reader_done(&first_reader));
        cr_assert(grove_reader_done(&rest_reader));
        grove_buffer_release(&first);
        grove_buffer_release(&rest);
    }
}

Test(column, one_column_may_hold_both_parts)
{
    grove_buffer column;
    grove_buffer_init(&column, &grove__allocator_system);
    for (size_t index = 0; index < EXAMPLE_COUNT; index++) {
        grove__column_put(&column, &column, EXAMPLES[index].value);
    }
    grove_reader reader = grove_reader_of(grove_buffer_view(&column));
    for (size_t index = 0; index < EXAMPLE_COUNT; index++) {
        cr_assert_eq(grove__column_get(&reader, &reader), EXAMPLES[index].value);
    }
    cr_assert(grove_reader_done(&reader));
    grove_buffer_release(&column);
}

typedef struct fault {
    const char *name;
    size_t first_size;
    uint8_t first;
    size_t rest_size;
    uint8_t rest[8];
    bool is_first_at_fault;
} fault;

static const fault FAULTS[] = {
    {"no first byte", 0, 0, 0, {0}, true},
    {"first byte 248", 1, 248, 8, {1, 1, 1, 1, 1, 1, 1, 1}, true},
    {"first byte 255", 1, 255, 8, {1, 1, 1, 1, 1, 1, 1, 1}, true},
    {"no rest of two", 1, 192, 0, {0}, false},
    {"short rest", 1, 242, 2, {1, 1}, false},
    {"longer than needed", 1, 241, 2, {1, 0}, false},
    {"over 64 bits", 1, 247, 8, {0x40, 0xcf, 255, 255, 255, 255, 255, 255}, false},
};

Test(column, a_fault_marks_the_reader_at_fault_where_it_stands)
{
    for (size_t index = 0; index < sizeof FAULTS / sizeof *FAULTS; index++) {
        const fault *bad = &FAULTS[index];
        grove_reader first = grove_reader_of((grove_bytes){&bad->first, bad->first_size});
        grove_reader rest = grove_reader_of((grove_bytes){bad->rest, bad->rest_size});
        cr_assert_eq(grove__column_get(&first, &rest), 0, "%s", bad->name);
        cr_assert_eq(first.failed, bad->is_first_at_fault, "%s", bad->name);
        cr_assert_eq(rest.failed, !bad->is_first_at_fault, "%s", bad->name);
        cr_assert_eq((bad->is_first_at_fault ? &first : &rest)->offset, 0);
        cr_assert_eq(grove__column_get(&first, &rest), 0, "%s: stays failed", bad->name);
    }
}

Test(column, zigzag_folds_and_unfolds_every_sign)
{
    const int64_t values[] = {0, -1, 1, -2, 2, INT64_MAX, INT64_MIN, INT64_MIN + 1};
    const uint64_t folded[] = {0, 1, 2, 3, 4, UINT64_MAX - 1, UINT64_MAX, UINT64_MAX - 2};
    for (size_t index = 0; index < sizeof values / sizeof *values; index++) {
        cr_assert_eq(grove__zigzag(values[index]), folded[index]);
        cr_assert_eq(grove__unzigzag(folded[index]), values[index]);
    }
}
