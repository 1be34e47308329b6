#include <zstd.h>

#include "format/blocks.h"
#include "support/faulty_allocator.h"

Test(pack, every_level_round_trips_at_every_size)
{
    grove__packer packer;
    grove__packer_init(&packer, &grove__allocator_system);
    static const size_t sizes[] = {1, 2, 15, 16, 17, 63, 255, 256, 1000, 70000, 300000};
    static const int levels[] = {-200000, -7, -1, 1, 3, 9, 15, 16, 19, 22, 23, 1000};
    for (size_t size = 0; size < sizeof sizes / sizeof *sizes; size++) {
        grove_buffer text = prose(sizes[size]);
        for (size_t level = 0; level < sizeof levels / sizeof *levels; level++) {
            grove__packing packing = {levels[level], 0, &packer};
            grove_buffer bytes = state_of(grove_buffer_view(&text), packing);
            grove__block block;
            cr_assert_eq(grove__block_open(grove_buffer_view(&bytes), GROVE__BLOCK_STATE,
                                           &block, NULL),
                         GROVE_OK);
            if (sizes[size] >= 1000 && levels[level] > 0) {
                cr_assert_eq(block.frames[0].codec, GROVE__CODEC_ZSTD);
            }
            assert_frame_is(&block, 1, grove_buffer_view(&text));
            grove_buffer_release(&bytes);
        }
        grove_buffer_release(&text);
    }
    grove__packer_release(&packer);
}

Test(pack, columns_with_cuts_are_one_zstd_frame)
{
    static const size_t cuts[][4] = {{0, 0, 0, 0},
                                     {1, 2, 3, 4},
                                     {10000, 20000, 20000, 29999},
                                     {29999, 30000, 30000, 30000},
                                     {128, 5000, 12000, 30000}};
    grove_buffer text = prose(30000);
    for (size_t index = 0; index < sizeof cuts / sizeof *cuts; index++) {
        const grove__frame frame = {1, grove_buffer_view(&text), ZSTD, cuts[index], 4};
        grove_buffer bytes;
        grove__block block;
        grove_buffer_init(&bytes, &grove__allocator_system);
        encode(GROVE__BLOCK_STATE, 0, &frame, 1, &bytes);
        cr_assert_eq(grove__block_open(grove_buffer_view(&bytes), GROVE__BLOCK_STATE,
                                       &block, NULL),
                     GROVE_OK);
        cr_assert_eq(block.frames[0].codec, GROVE__CODEC_ZSTD);
        const uint8_t *stored = bytes.data + block.frames[0].offset;
        cr_assert_eq(ZSTD_findFrameCompressedSize(stored, block.frames[0].stored_bytes),
                     block.frames[0].stored_bytes);
        assert_frame_is(&block, 1, grove_buffer_view(&text));
        grove_buffer_release(&bytes);
    }
    grove_buffer_release(&text);
}

Test(pack, columns_that_zstd_makes_no_smaller_are_stored_raw)
{
    test_random random = test_random_of("block noise");
    const size_t cuts[] = {100, 5000, 99999};
    grove_buffer bytes;
    grove_buffer_init(&bytes, &grove__allocator_system);
    for (size_t cut_count = 0; cut_count <= 3; cut_count++) {
        grove_buffer random_bytes = noise(100000, &random);
        const grove__frame frame = {1, grove_buffer_view(&random_bytes), ZSTD, cuts,
                                    cut_count};
        grove__block block;
        grove_buffer_reset(&bytes);
        encode(GROVE__BLOCK_STATE, 0, &frame, 1, &bytes);
        cr_assert_eq(grove__block_open(grove_buffer_view(&bytes), GROVE__BLOCK_STATE,
                                       &block, NULL),
                     GROVE_OK);
        cr_assert_eq(block.frames[0].codec, GROVE__CODEC_RAW);
        assert_frame_is(&block, 1, grove_buffer_view(&random_bytes));
        grove_buffer_release(&random_bytes);
    }
    grove_buffer_release(&bytes);
}

Test(pack, zstd_is_used_only_where_it_saves_a_sixteenth)
{
    test_random random = test_random_of("block savings");
    /* Noise and then zeros, more and more, which take a few bytes. */
    for (size_t zeros = 0; zeros <= 512; zeros++) {
        grove_buffer bytes = noise(4096, &random);
        memset(bytes.data + bytes.size - zeros, 0, zeros);
        grove_buffer made = state_of(grove_buffer_view(&bytes), ZSTD);
        grove__block block;
        cr_assert_eq(
            grove__block_open(grove_buffer_view(&made), GROVE__BLOCK_STATE, &block, NULL),
            GROVE_OK);
        bool is_packed = block.frames[0].codec == GROVE__CODEC_ZSTD;
        cr_assert(is_packed || block.frames[0].stored_bytes == 4096);
        cr_assert(!is_packed || block.frames[0].stored_bytes <= 4096 / 16 * 15);
        cr_assert(zeros > 256 || !is_packed);
        cr_assert(zeros < 256 + 64 || is_packed);
        grove_buffer_release(&made);
        grove_buffer_release(&bytes);
    }
}

Test(pack, frames_under_the_packing_minimum_are_stored_raw)
{
    grove_buffer text = prose(1001);
    for (size_t bytes = 999; bytes <= 1001; bytes++) {
        const grove__packing packing = {3, 1000, NULL};
        grove_buffer made = state_of((grove_bytes){text.data, bytes}, packing);
        grove__block block;
        cr_assert_eq(
            grove__block_open(grove_buffer_view(&made), GROVE__BLOCK_STATE, &block, NULL),
            GROVE_OK);
        cr_assert_eq(block.frames[0].codec,
                     bytes < 1000 ? GROVE__CODEC_RAW : GROVE__CODEC_ZSTD);
        grove_buffer_release(&made);
    }
    grove_buffer_release(&text);
}

Test(pack, one_byte_repeated_two_million_times_comes_back)
{
    grove_buffer bytes;
    grove_buffer_init(&bytes, &grove__allocator_system);
    memset(grove_buffer_reserve(&bytes, 2000000), 'x', 2000000);
    grove_buffer_grow(&bytes, 2000000);
    static const int levels[] = {1, 3, 19, 22};
    for (size_t index = 0; index < 4; index++) {
        const grove__packing packing = {levels[index], 0, NULL};
        grove_buffer made = state_of(grove_buffer_view(&bytes), packing);
        grove__block block;
        cr_assert_eq(
            grove__block_open(grove_buffer_view(&made), GROVE__BLOCK_STATE, &block, NULL),
            GROVE_OK);
        cr_assert_lt(made.size, 2000);
        assert_frame_is(&block, 1, grove_buffer_view(&bytes));
        grove_buffer_release(&made);
    }
    grove_buffer_release(&bytes);
}

Test(pack, a_high_level_finds_what_lies_far_back)
{
    /* The second half repeats the first, 5 MB before: farther than the 4 MB
     * that the level's own window reaches. */
    test_random random = test_random_of("block window");
    const size_t half = 5u << 20;
    grove_buffer bytes = noise(half, &random);
    cr_assert_not_null(grove_buffer_reserve(&bytes, half));
    memcpy(bytes.data + half, bytes.data, half);
    grove_buffer_grow(&bytes, half);
    const grove__packing packing = {16, 0, NULL};
    grove_buffer made = state_of(grove_buffer_view(&bytes), packing);
    cr_assert_lt(made.size, half + half / 8);
    cr_assert_eq(read_all(grove_buffer_view(&made), GROVE__BLOCK_STATE, NULL), GROVE_OK);
    grove_buffer_release(&made);
    grove_buffer_release(&bytes);
}

/* A sealed block of one frame that claims to be zstd of `decoded` bytes. */
static grove_buffer forged(grove_bytes stored, uint32_t decoded)
{
    grove_buffer block = state_of(stored, RAW);
    block.data[DIRECTORY(6) + ENTRY_CODEC] = GROVE__CODEC_ZSTD;
    grove_write_u32(block.data + DIRECTORY(6) + ENTRY_DECODED, decoded);
    reseal(block.data, block.size);
    return block;
}

static grove_status read_forged(grove_bytes stored, uint32_t decoded)
{
    grove_buffer block = forged(stored, decoded);
    grove_status status = read_all(grove_buffer_view(&block), GROVE__BLOCK_STATE, NULL);
    grove_buffer_release(&block);
    return status;
}

Test(pack, zstd_frames_of_another_make_are_refused)
{
    grove_buffer text = prose(5000);
    uint8_t stored[6000];
    ZSTD_CCtx *context = ZSTD_createCCtx();
    cr_assert_not_null(context);
    size_t bytes = ZSTD_compress2(context, stored, sizeof stored, text.data, text.size);
    cr_assert_not(ZSTD_isError(bytes));
    cr_assert_eq(read_forged((grove_bytes){stored, bytes}, 5000), GROVE_OK);

    /* Twice the frame, and a skippable frame after and before it. */
    memcpy(stored + bytes, stored, bytes);
    cr_assert_eq(read_forged((grove_bytes){stored, 2 * bytes}, 10000), GROVE_CORRUPT);
    cr_assert_eq(read_forged((grove_bytes){stored, 2 * bytes}, 5000), GROVE_CORRUPT);
    memcpy(stored + bytes, "\x50\x2a\x4d\x18\0\0\0\0", 8);
    cr_assert_eq(read_forged((grove_bytes){stored, bytes + 8}, 5000), GROVE_CORRUPT);
    memmove(stored + 8, stored, bytes);
    memcpy(stored, "\x50\x2a\x4d\x18\0\0\0\0", 8);
    cr_assert_eq(read_forged((grove_bytes){stored, bytes + 8}, 5000), GROVE_CORRUPT);

    /* Without content size; with a checksum. */
    cr_assert_not(
        ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0)));
    bytes = ZSTD_compress2(context, stored, sizeof stored, text.data, text.size);
    cr_assert_eq(read_forged((grove_bytes){stored, bytes}, 5000), GROVE_CORRUPT);
    ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
    cr_assert_not(ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)));
    bytes = ZSTD_compress2(context, stored, sizeof stored, text.data, text.size);
    cr_assert_eq(read_forged((grove_bytes){stored, bytes}, 5000), GROVE_CORRUPT);

    /* With a dictionary, which the block does not name. */
    ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
    ZSTD_CCtx_loadDictionary(context, text.data, 2000);
    bytes = ZSTD_compress2(context, stored, sizeof stored, text.data, text.size);
    cr_assert_not(ZSTD_isError(bytes));
    cr_assert_eq(read_forged((grove_bytes){stored, bytes}, 5000), GROVE_CORRUPT);
    ZSTD_freeCCtx(context);
    grove_buffer_release(&text);
}

Test(pack, a_window_over_128_mb_is_refused)
{
    /* By hand: descriptor with an 8-byte content size, window byte, then one
     * raw block of 40 bytes. */
    uint8_t stored[100] = {0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0};
    stored[6] = 101;
    stored[14] = (uint8_t)(40 << 3);
    stored[15] = (40 >> 5);
    stored[17 + 39] = 'x';
    size_t end = 17 + 40;
    /* And one RLE block of 61 bytes, the last. */
    stored[end] = (uint8_t)((61 << 3) | 3);
    stored[end + 1] = 61 >> 5;
    stored[end + 3] = 'y';
    end += 4;
    for (unsigned window = 0; window < 256; window++) {
        stored[5] = (uint8_t)window;
        cr_assert_eq(read_forged((grove_bytes){stored, end}, 101),
                     window <= 17 << 3 ? GROVE_OK : GROVE_CORRUPT, "window %u", window);
    }
}

Test(pack, a_lie_about_a_size_costs_no_memory_before_it_is_checked)
{
    grove_buffer text = prose(700);
    uint8_t stored[700];
    size_t bytes = ZSTD_compress(stored, sizeof stored, text.data, text.size, 3);
    grove_buffer made = forged((grove_bytes){stored, bytes}, (uint32_t)bytes * 32768);
    grove__block block;
    grove_buffer buffer;
    faulty_allocator faulty;
    faulty_allocator_init(&faulty, 0);
    grove_buffer_init(&buffer, &faulty.allocator);
    cr_assert_eq(
        grove__block_open(grove_buffer_view(&made), GROVE__BLOCK_STATE, &block, NULL),
        GROVE_OK);
    cr_assert_eq(grove__block_frame_decode(&block, 1, &buffer, NULL), GROVE_CORRUPT);
    cr_assert_eq(faulty.calls, 0);
    grove_buffer_release(&made);
    /* One more is refused with the header. */
    made = forged((grove_bytes){stored, bytes}, (uint32_t)bytes * 32768 + 1);
    cr_assert_eq(
        grove__block_open(grove_buffer_view(&made), GROVE__BLOCK_STATE, &block, NULL),
        GROVE_CORRUPT);
    grove_buffer_release(&made);
    grove_buffer_release(&text);
}

Test(pack, a_lie_that_zstd_shares_stays_within_the_budget)
{
    /* Directory and zstd frame agree on 1 MB; what follows is one block. */
    uint8_t stored[40] = {0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0x10, 0};
    stored[9] = (uint8_t)((27 << 3) | 1);
    grove_buffer made = forged((grove_bytes){stored, 12 + 27}, 1u << 20);
    grove__block block;
    cr_assert_eq(
        grove__block_open(grove_buffer_view(&made), GROVE__BLOCK_STATE, &block, NULL),
        GROVE_OK);
    for (size_t limit = 0; limit < 1500000; limit += 100000) {
        grove__budget budget;
        grove_buffer buffer;
        grove_error error;
        grove__budget_init(&budget, &grove__allocator_system, limit);
        grove_buffer_init(&buffer, &budget.allocator);
        /* The content, and 96 KB for the decoder. */
        cr_assert_eq(grove__block_frame_decode(&block, 1, &buffer, &error),
                     limit < 1200000 ? GROVE_NO_MEMORY : GROVE_CORRUPT, "limit %zu: %s",
                     limit, error.message);
        cr_assert_eq(buffer.size, 0);
        cr_assert_not(buffer.failed);
        grove_buffer_release(&buffer);
        cr_assert_eq(atomic_load(&budget.used), 0);
    }
    grove_buffer_release(&made);
}

Test(pack, a_packer_keeps_its_contexts_in_memory_of_its_allocator)
{
    grove_buffer text = prose(3000);
    faulty_allocator faulty;
    grove__packer packer;
    faulty_allocator_init(&faulty, 0);
    grove__packer_init(&packer, &faulty.allocator);
    const grove__packing packing = {3, 0, &packer};
    size_t calls = 0;
    for (size_t round = 0; round < 10; round++) {
        grove_buffer bytes = state_of(grove_buffer_view(&text), packing);
        grove__block block;
        cr_assert_eq(grove__block_open(grove_buffer_view(&bytes), GROVE__BLOCK_STATE,
                                       &block, NULL),
                     GROVE_OK);
        block.packer = &packer;
        assert_frame_is(&block, 1, grove_buffer_view(&text));
        grove_buffer_release(&bytes);
        cr_assert_gt(faulty.calls, 0);
        cr_assert(round == 0 || faulty.calls == calls);
        calls = faulty.calls;
    }
    grove__packer_release(&packer);
    faulty_allocator_finish(&faulty);
    grove__packer_release(&packer);
    grove_buffer_release(&text);
}

Test(pack, a_packer_works_on_after_failures)
{
    grove_buffer text = prose(3000);
    grove__packer packer;
    grove__packer_init(&packer, &grove__allocator_system);
    grove_buffer good =
        state_of(grove_buffer_view(&text), (grove__packing){3, 0, &packer});
    grove_buffer bad =
        state_of(grove_buffer_view(&text), (grove__packing){3, 0, &packer});
    grove__block block;
    grove__block damaged;
    grove_buffer buffer;
    grove_buffer_init(&buffer, &grove__allocator_system);
    memset(bad.data + bad.size - 60, 0xee, 40);
    reseal(bad.data, bad.size);
    cr_assert_eq(
        grove__block_open(grove_buffer_view(&bad), GROVE__BLOCK_STATE, &damaged, NULL),
        GROVE_OK);
    cr_assert_eq(
        grove__block_open(grove_buffer_view(&good), GROVE__BLOCK_STATE, &block, NULL),
        GROVE_OK);
    block.packer = &packer;
    damaged.packer = &packer;
    for (size_t round = 0; round < 3; round++) {
        uint8_t room[100];
        size_t bytes = 4711;
        const grove__columns columns = {grove_buffer_view(&text), NULL, 0};
        cr_assert_eq(grove__packer_pack(&packer, 3, &columns, room, sizeof room, &bytes),
                     GROVE_NONE);
        cr_assert_eq(bytes, 4711);
        cr_assert_eq(grove__block_frame_decode(&damaged, 1, &buffer, NULL),
                     GROVE_CORRUPT);
        cr_assert_eq(buffer.size, 0);
        assert_frame_is(&block, 1, grove_buffer_view(&text));
    }
    grove_buffer_release(&buffer);
    grove_buffer_release(&good);
    grove_buffer_release(&bad);
    grove__packer_release(&packer);
    grove_buffer_release(&text);
}
