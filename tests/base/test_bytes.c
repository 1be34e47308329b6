#include <criterion/criterion.h>

#include <grove/sys/bytes.h>

#include "base/alloc.h"

Test(bytes, varint_round_trips_at_every_length)
{
    grove_buffer buffer;
    grove_buffer_init(&buffer, &grove__allocator_system);
    for (int bit = 0; bit < 64; bit++) {
        uint64_t value = UINT64_C(1) << bit;
        grove_buffer_varint(&buffer, value - 1);
        grove_buffer_varint(&buffer, value);
        grove_buffer_signed(&buffer, (int64_t)value);
        grove_buffer_signed(&buffer, -(int64_t)(value - 1));
    }
    grove_reader reader = grove_reader_of(grove_buffer_view(&buffer));
    for (int bit = 0; bit < 64; bit++) {
        uint64_t value = UINT64_C(1) << bit;
        cr_assert_eq(grove_reader_varint(&reader), value - 1);
        cr_assert_eq(grove_reader_varint(&reader), value);
        cr_assert_eq(grove_reader_signed(&reader), (int64_t)value);
        cr_assert_eq(grove_reader_signed(&reader), -(int64_t)(value - 1));
    }
    cr_assert(grove_reader_done(&reader));
    grove_buffer_release(&buffer);
}

Test(bytes, varint_longer_than_needed_fails_where_it_stands)
{
    const uint8_t bytes[] = {0x01, 0x80, 0x00};
    grove_reader reader = grove_reader_of((grove_bytes){bytes, sizeof bytes});
    cr_assert_eq(grove_reader_varint(&reader), 1);
    cr_assert_eq(grove_reader_varint(&reader), 0);
    cr_assert(reader.failed);
    cr_assert_eq(reader.offset, 1);
}

Test(bytes, varint_over_64_bits_fails)
{
    const uint8_t bytes[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02};
    grove_reader reader = grove_reader_of((grove_bytes){bytes, sizeof bytes});
    (void)grove_reader_varint(&reader);
    cr_assert(reader.failed);
}

Test(bytes, a_failed_reader_gives_zeros_and_never_moves)
{
    const uint8_t bytes[] = {1, 2, 3};
    grove_reader reader = grove_reader_of((grove_bytes){bytes, sizeof bytes});
    cr_assert_eq(grove_reader_u32(&reader), 0);
    cr_assert_eq(grove_reader_u8(&reader), 0);
    cr_assert_eq(grove_reader_bytes(&reader, 1).size, 0);
    cr_assert_eq(reader.offset, 0);
    cr_assert_not(grove_reader_done(&reader));
}

Test(bytes, a_reader_without_bytes_has_nothing_to_read)
{
    grove_reader reader = grove_reader_of((grove_bytes){NULL, 0});
    cr_assert(grove_reader_done(&reader));
    cr_assert_eq(grove_reader_bytes(&reader, 0).size, 0);
    cr_assert_not(reader.failed);
    cr_assert_eq(grove_reader_varint(&reader), 0);
    cr_assert(reader.failed);
    cr_assert_eq(reader.offset, 0);
}

Test(bytes, numbers_of_fixed_width_are_big_endian)
{
    static const uint8_t WANTED[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
                                     0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d};
    grove_buffer buffer;
    grove_buffer_init(&buffer, &grove__allocator_system);
    grove_buffer_u8(&buffer, 0x01);
    grove_buffer_u32(&buffer, 0x02030405);
    grove_buffer_u64(&buffer, UINT64_C(0x060708090a0b0c0d));
    cr_assert_eq(buffer.size, sizeof WANTED);
    cr_assert_eq(memcmp(buffer.data, WANTED, sizeof WANTED), 0);

    grove_reader reader = grove_reader_of(grove_buffer_view(&buffer));
    cr_assert_eq(grove_reader_u8(&reader), 0x01);
    cr_assert_eq(grove_reader_left(&reader), 12);
    cr_assert_eq(grove_reader_u32(&reader), 0x02030405);
    cr_assert_eq(grove_reader_u64(&reader), UINT64_C(0x060708090a0b0c0d));
    cr_assert(grove_reader_done(&reader));
    cr_assert_eq(grove_read_u32(WANTED + 1), 0x02030405);
    cr_assert_eq(grove_read_u64(WANTED + 5), UINT64_C(0x060708090a0b0c0d));
    grove_buffer_release(&buffer);
}
