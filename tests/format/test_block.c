#include <sys/mman.h>

#include "format/blocks.h"
#include "support/faulty_allocator.h"

Test(block, has_the_bytes_that_the_format_says)
{
    static const char expected[] = "GROVE_EG"
                                   "\1"
                                   "\0\0\0\7"
                                   "\0\6"
                                   "fields"
                                   "\1"
                                   "\4\0\0\0\0\5\0\0\0\5";
    const grove__frame frame = {4, grove_bytes_of("bytes"), RAW, NULL, 0};
    grove_buffer block;
    grove_buffer_init(&block, &grove__allocator_system);
    encode(GROVE__BLOCK_EVENTS, 7, &frame, 1, &block);
    cr_assert_eq(block.size, sizeof expected - 1 + 4 + 4 + 5);
    cr_assert_eq(memcmp(block.data, expected, sizeof expected - 1), 0);
    cr_assert_eq(memcmp(block.data + block.size - 5, "bytes", 5), 0);
    /* The checksums are those that the other implementation computes. */
    grove_buffer again;
    grove_buffer_init(&again, &grove__allocator_system);
    grove_buffer_append(&again, block.data, block.size);
    memset(again.data + sizeof expected - 1, 0, 8);
    reseal(again.data, again.size);
    cr_assert(grove__bytes_equal(grove_buffer_view(&again), grove_buffer_view(&block)));
    grove_buffer_release(&again);
    grove_buffer_release(&block);
}

Test(block, comes_back_as_it_went_in)
{
    grove_buffer text = prose(5000);
    const grove__frame frames[] = {
        {1, grove_bytes_of("raw"), RAW, NULL, 0},
        {2, {NULL, 0}, RAW, NULL, 0},
        {3, {NULL, 0}, ZSTD, NULL, 0},
        {7, grove_buffer_view(&text), ZSTD, NULL, 0},
        {9, grove_buffer_view(&text), RAW, NULL, 0},
        {10, grove_bytes_of("x"), ZSTD, NULL, 0},
        {254, grove_bytes_of("abc"), {22, 0, NULL}, NULL, 0},
        {255, grove_buffer_view(&text), {-5, 0, NULL}, NULL, 0},
    };
    grove_buffer bytes;
    grove_buffer_init(&bytes, &grove__allocator_system);
    for (size_t count = 0; count <= 8; count++) {
        grove__block block;
        grove_buffer_reset(&bytes);
        encode(GROVE__BLOCK_EVENTS, 77, frames, count, &bytes);
        cr_assert_eq(grove__block_open(grove_buffer_view(&bytes), GROVE__BLOCK_EVENTS,
                                       &block, NULL),
                     GROVE_OK);
        cr_assert_null(block.packer);
        cr_assert_eq(block.kind, GROVE__BLOCK_EVENTS);
        cr_assert_eq(block.event_count, 77);
        cr_assert_eq(block.frame_count, count);
        cr_assert(grove__bytes_equal(block.fields, grove_bytes_of("fields")));
        cr_assert_eq(block.fields.data, bytes.data + block.fields_offset);
        for (size_t index = 0; index < count; index++) {
            assert_frame_is(&block, frames[index].id, frames[index].bytes);
        }
    }
    grove_buffer_release(&bytes);
    grove_buffer_release(&text);
}

Test(block, an_absent_frame_is_none_and_its_view_is_empty)
{
    grove_buffer bytes = state_of(grove_bytes_of("x"), RAW);
    grove_buffer buffer;
    grove__block block;
    grove_bytes view = {bytes.data, 3};
    grove_error error;
    grove_buffer_init(&buffer, &grove__allocator_system);
    cr_assert_eq(
        grove__block_open(grove_buffer_view(&bytes), GROVE__BLOCK_STATE, &block, NULL),
        GROVE_OK);
    cr_assert_eq(grove__block_frame_decode(&block, 2, &buffer, &error), GROVE_NONE);
    cr_assert_eq(error.status, GROVE_NONE);
    cr_assert_eq(buffer.size, 0);
    cr_assert_eq(grove__block_frame_view(&block, 2, &buffer, &view, NULL), GROVE_OK);
    cr_assert_eq(view.size, 0);
    grove_buffer_release(&buffer);
    grove_buffer_release(&bytes);
}

Test(block, a_raw_frame_is_viewed_in_place)
{
    grove_buffer bytes = state_of(grove_bytes_of("in place"), RAW);
    grove__block block;
    grove_bytes view;
    faulty_allocator faulty;
    grove_buffer buffer;
    faulty_allocator_init(&faulty, 0);
    grove_buffer_init(&buffer, &faulty.allocator);
    cr_assert_eq(
        grove__block_open(grove_buffer_view(&bytes), GROVE__BLOCK_STATE, &block, NULL),
        GROVE_OK);
    cr_assert_eq(grove__block_frame_view(&block, 1, &buffer, &view, NULL), GROVE_OK);
    cr_assert_eq(view.data, bytes.data + bytes.size - 8);
    cr_assert_eq(faulty.calls, 0);
    grove_buffer_release(&bytes);
}

Test(block, appends_to_what_the_buffer_holds)
{
    const grove__frame frame = {1, grove_bytes_of("frame"), RAW, NULL, 0};
    grove_buffer bytes;
    grove_buffer_init(&bytes, &grove__allocator_system);
    grove_buffer_append(&bytes, "before", 6);
    encode(GROVE__BLOCK_STATE, 0, &frame, 1, &bytes);
    cr_assert_eq(memcmp(bytes.data, "before", 6), 0);
    cr_assert_eq(
        read_all((grove_bytes){bytes.data + 6, bytes.size - 6}, GROVE__BLOCK_STATE, NULL),
        GROVE_OK);
    grove_buffer_release(&bytes);
}

Test(block, patched_fields_are_read_back)
{
    grove_buffer bytes = state_of(grove_bytes_of("frame"), RAW);
    grove__block block;
    grove__block_patch_fields(bytes.data, 0, (const uint8_t *)"F", 1);
    grove__block_patch_fields(bytes.data, 3, (const uint8_t *)"LDS", 3);
    grove__block_patch_fields(bytes.data, 6, (const uint8_t *)"", 0);
    cr_assert_eq(
        grove__block_open(grove_buffer_view(&bytes), GROVE__BLOCK_STATE, &block, NULL),
        GROVE_OK);
    cr_assert(grove__bytes_equal(block.fields, grove_bytes_of("FieLDS")));
    assert_frame_is(&block, 1, grove_bytes_of("frame"));
    grove_buffer_release(&bytes);
}

Test(block, limits_of_fields_frames_and_events_hold_to_one)
{
    uint8_t *fields = calloc(1, 65536);
    cr_assert_not_null(fields);
    grove_buffer block;
    grove_error error;
    grove_buffer_init(&block, &grove__allocator_system);
    for (size_t bytes = 65534; bytes <= 65536; bytes++) {
        grove_buffer_reset(&block);
        grove_status status = grove__block_encode(
            GROVE__BLOCK_STATE, 0, (grove_bytes){fields, bytes}, NULL, 0, &block, &error);
        cr_assert_eq(status, bytes <= 65535 ? GROVE_OK : GROVE_LIMIT);
        cr_assert_eq(block.size, bytes <= 65535 ? 20 + bytes : 0);
        cr_assert(bytes > 65535 || read_all(grove_buffer_view(&block), GROVE__BLOCK_STATE,
                                            NULL) == GROVE_OK);
    }
    for (uint32_t count = GROVE_BATCH_EVENTS_MAX - 1; count <= GROVE_BATCH_EVENTS_MAX + 1;
         count++) {
        grove_buffer_reset(&block);
        grove_status status = grove__block_encode(
            GROVE__BLOCK_EVENTS, count, (grove_bytes){NULL, 0}, NULL, 0, &block, &error);
        bool is_fine = count <= GROVE_BATCH_EVENTS_MAX;
        cr_assert_eq(status, is_fine ? GROVE_OK : GROVE_LIMIT);
        cr_assert(!is_fine || read_all(grove_buffer_view(&block), GROVE__BLOCK_EVENTS,
                                       NULL) == GROVE_OK);
    }
    grove_buffer_release(&block);
    free(fields);
}

Test(block, frames_over_their_limits_are_refused_unread)
{
    /* The bytes are never touched: only their number is. */
    grove_bytes too_large = {(const uint8_t *)"", (size_t)GROVE_FRAME_BYTES_MAX + 1};
    grove_bytes large = {(const uint8_t *)"", (size_t)GROVE_FRAME_BYTES_MAX};
    const grove__frame one[] = {{1, too_large, RAW, NULL, 0}};
    const grove__frame three[] = {
        {1, large, RAW, NULL, 0}, {2, large, RAW, NULL, 0}, {3, large, RAW, NULL, 0}};
    grove_buffer block;
    grove_error error;
    grove_buffer_init(&block, &grove__allocator_system);
    cr_assert_eq(grove__block_encode(GROVE__BLOCK_STATE, 0, (grove_bytes){NULL, 0}, one,
                                     1, &block, &error),
                 GROVE_LIMIT);
    cr_assert_not_null(strstr(error.message, "GROVE_FRAME_BYTES_MAX"));
    cr_assert_eq(grove__block_encode(GROVE__BLOCK_STATE, 0, (grove_bytes){NULL, 0}, three,
                                     3, &block, &error),
                 GROVE_LIMIT);
    cr_assert_not_null(strstr(error.message, "GROVE_VALUE_BYTES_MAX"));
    cr_assert_null(block.data);
}

Test(block, the_largest_frame_is_taken)
{
    /* Never written, so all of it is the one page of zeros. */
    size_t size = (size_t)GROVE_FRAME_BYTES_MAX;
    if (getenv("GROVE_RUN_UNDER") != NULL) {
        /* 4 GB are too much for a simulated processor. */
        size = 1u << 20;
    }
    void *zeros =
        mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (zeros == MAP_FAILED) {
        cr_skip_test("no 4 GB of addresses");
    }
    const grove__frame frame = {1, {zeros, size}, {1, 0, NULL}, NULL, 0};
    grove_buffer bytes;
    grove__block block;
    grove_buffer_init(&bytes, &grove__allocator_system);
    grove_status status = grove__block_encode(
        GROVE__BLOCK_STATE, 0, (grove_bytes){NULL, 0}, &frame, 1, &bytes, NULL);
    (void)munmap(zeros, size);
    if (status == GROVE_NO_MEMORY) {
        cr_skip_test("no 4 GB of memory to promise");
    }
    cr_assert_eq(status, GROVE_OK);
    cr_assert_eq(
        grove__block_open(grove_buffer_view(&bytes), GROVE__BLOCK_STATE, &block, NULL),
        GROVE_OK);
    cr_assert_eq(block.frames[0].decoded_bytes, size);
    cr_assert_eq(block.frames[0].codec, GROVE__CODEC_ZSTD);
    grove_buffer_release(&bytes);
}

Test(block, encoding_without_memory_leaves_the_buffer_as_it_was)
{
    grove_buffer text = prose(3000);
    const size_t cuts[] = {1000, 2000};
    const grove__frame frames[] = {{1, grove_buffer_view(&text), ZSTD, NULL, 0},
                                   {2, grove_buffer_view(&text), ZSTD, cuts, 2},
                                   {3, grove_bytes_of("raw"), RAW, NULL, 0}};
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        grove_buffer block;
        grove_error error = {GROVE_OK, 0, ""};
        grove_buffer_init(&block, &faulty.allocator);
        grove_buffer_append(&block, "before", 6);
        if (block.failed) {
            grove_buffer_release(&block);
            continue;
        }
        grove_status status = grove__block_encode(
            GROVE__BLOCK_STATE, 0, grove_bytes_of("fields"), frames, 3, &block, &error);
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        cr_assert_eq(error.status, status);
        cr_assert_not(block.failed);
        cr_assert_eq(memcmp(block.data, "before", 6), 0);
        cr_assert(!faulty.has_failed || block.size == 6);
        cr_assert_leq(faulty.blocks, 1);
        grove_buffer_release(&block);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            cr_assert_gt(nth, 3);
            break;
        }
    }
    grove_buffer_release(&text);
}

Test(block, decoding_without_memory_leaves_the_buffer_as_it_was)
{
    grove_buffer bytes = mixed_block();
    grove__block block;
    cr_assert_eq(
        grove__block_open(grove_buffer_view(&bytes), GROVE__BLOCK_EVENTS, &block, NULL),
        GROVE_OK);
    for (uint8_t id = 1; id <= 4; id++) {
        for (size_t nth = 1;; nth++) {
            faulty_allocator faulty;
            faulty_allocator_init(&faulty, nth);
            grove_buffer buffer;
            grove_error error = {GROVE_OK, 0, ""};
            grove_buffer_init(&buffer, &faulty.allocator);
            grove_status status = grove__block_frame_decode(&block, id, &buffer, &error);
            cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK);
            cr_assert_eq(error.status, status);
            cr_assert_not(buffer.failed);
            cr_assert(!faulty.has_failed || buffer.size == 0);
            grove_buffer_release(&buffer);
            faulty_allocator_finish(&faulty);
            if (!faulty.has_failed) {
                break;
            }
        }
    }
    grove_buffer_release(&bytes);
}
