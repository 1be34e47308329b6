#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "format/clock_row.h"
#include "support/faulty_allocator.h"
#include "support/random.h"

static grove_status decode(grove_bytes row, uint64_t first_commit, size_t *count_out)
{
    grove_buffer items;
    grove_buffer_init(&items, &grove__allocator_system);
    grove_status status = grove__clock_row_decode(first_commit, row, &items, NULL);
    *count_out = items.size / sizeof(grove__commit_clock);
    cr_assert(!items.failed);
    grove_buffer_release(&items);
    return status;
}

Test(clock_row, comes_out_as_it_went_in)
{
    test_random random = test_random_of("clock_row");
    for (size_t count = 1; count <= 300; count++) {
        grove__commit_clock items[300];
        grove__commit_clock next = {1 + test_random_below(&random, 1u << 20), 0};
        for (size_t index = 0; index < count; index++) {
            next.clock += test_random_below(&random, 200);
            items[index] = next;
            next.commit += 1 + test_random_below(&random, 200);
        }
        grove_buffer row;
        grove_buffer read;
        grove_buffer_init(&row, &grove__allocator_system);
        grove_buffer_init(&read, &grove__allocator_system);
        grove__clock_row_encode(items, count, &row);
        cr_assert_leq(row.size, 16 + 4 * count);
        cr_assert_eq(grove__clock_row_decode(items[0].commit, grove_buffer_view(&row),
                                             &read, NULL),
                     GROVE_OK);
        cr_assert_eq(read.size, count * sizeof *items);
        cr_assert_eq(memcmp(read.data, items, read.size), 0);
        grove_buffer_release(&row);
        grove_buffer_release(&read);
    }
}

Test(clock_row, with_any_bit_changed_or_any_end_cut_off_is_refused)
{
    const grove__commit_clock items[] = {{9, 1}, {10, 400}, {900, 401}};
    size_t count;
    grove_buffer row;
    grove_buffer_init(&row, &grove__allocator_system);
    grove__clock_row_encode(items, 3, &row);
    for (size_t bit = 0; bit < 8 * row.size; bit++) {
        row.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert_neq(decode(grove_buffer_view(&row), 9, &count), GROVE_OK);
        cr_assert_eq(count, 0);
        row.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t left = 0; left < row.size; left++) {
        cr_assert_eq(decode((grove_bytes){row.data, left}, 9, &count), GROVE_CORRUPT);
    }
    grove_buffer_release(&row);
}

/* A row of these bytes, with a checksum that is true. */
static grove_status decode_sealed(const uint8_t *body, size_t bytes, uint64_t first)
{
    uint8_t row[64];
    size_t count;
    memcpy(row, body, bytes);
    grove_write_u64(row + bytes, grove__hash((grove_bytes){row, bytes}, 7));
    return decode((grove_bytes){row, bytes + 8}, first, &count);
}

Test(clock_row, that_contradicts_itself_is_refused)
{
    static const uint8_t sound[] = {1, 2, 5, 1, 0};
    static const struct {
        uint8_t body[16];
        size_t bytes;
        grove_status status;
    } cases[] = {
        {{1, 1, 5}, 3, GROVE_OK},
        {{1, 2, 5, 1, 0}, 5, GROVE_OK},
        {{0, 1, 5}, 3, GROVE_CORRUPT},       /* format */
        {{2, 1, 5}, 3, GROVE_FORMAT_NEWER},  /* format */
        {{1}, 1, GROVE_CORRUPT},             /* no count */
        {{1, 0}, 2, GROVE_CORRUPT},          /* no commits */
        {{1, 2, 5, 0, 0}, 5, GROVE_CORRUPT}, /* a commit twice */
        {{1, 2, 5, 1}, 4, GROVE_CORRUPT},    /* a clock is missing */
        {{1, 3, 5, 1, 1, 0}, 6, GROVE_CORRUPT},
        {{1, 2, 5, 1, 0, 0}, 6, GROVE_CORRUPT}, /* left over */
        {{1, 0xff, 0xff, 0xff, 0xff, 0x0f, 5, 1, 0}, 9, GROVE_CORRUPT},
        /* 2^48 is the last clock, and 2^48 + 1 is none */
        {{1, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40}, 9, GROVE_OK},
        {{1, 1, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40}, 9, GROVE_CORRUPT},
        {{1, 2, 1, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40}, 11, GROVE_CORRUPT},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        cr_assert_eq(decode_sealed(cases[index].body, cases[index].bytes, 9),
                     cases[index].status, "case %zu", index);
    }
    cr_assert_eq(decode_sealed(sound, sizeof sound, UINT64_MAX), GROVE_CORRUPT);
    cr_assert_eq(decode_sealed(sound, sizeof sound, UINT64_MAX - 1), GROVE_OK);
}

Test(clock_row, is_not_read_without_memory)
{
    const grove__commit_clock items[] = {{9, 1}, {10, 400}};
    faulty_allocator faulty;
    grove_buffer row;
    grove_buffer read;
    faulty_allocator_init(&faulty, 1);
    grove_buffer_init(&row, &grove__allocator_system);
    grove_buffer_init(&read, &faulty.allocator);
    grove__clock_row_encode(items, 2, &row);
    cr_assert_eq(grove__clock_row_decode(9, grove_buffer_view(&row), &read, NULL),
                 GROVE_NO_MEMORY);
    cr_assert(read.size == 0 && !read.failed);
    grove_buffer_release(&row);
    grove_buffer_release(&read);
    faulty_allocator_finish(&faulty);
}
