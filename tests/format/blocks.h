/* What the tests of blocks, of their damage and of packing share. */
#ifndef GROVE_TESTS_FORMAT_BLOCKS_H
#define GROVE_TESTS_FORMAT_BLOCKS_H

#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "format/block.h"
#include "support/random.h"
#include "support/reseal.h"

static const grove__packing RAW = {0, 0, NULL};
static const grove__packing ZSTD = {3, 0, NULL};

/* Offsets in a block with `fields` bytes of fields: the directory, and in an
 * entry of it. */
#define DIRECTORY(fields) (15 + (size_t)(fields) + 1)
enum { ENTRY_ID = 0, ENTRY_CODEC = 1, ENTRY_STORED = 2, ENTRY_DECODED = 6, ENTRY = 14 };

/* Text that compresses well, but to more than a few bytes. */
static inline void append_prose(grove_buffer *buffer, size_t bytes)
{
    test_random random = {12345};
    while (buffer->size < bytes) {
        static const char *const words[] = {"event", "graph", "before", "a ",
                                            "the ",  "store", " and",   "batch"};
        const char *word = words[test_random_below(&random, 8)];
        grove_buffer_append(buffer, word, strlen(word));
    }
    buffer->size = bytes;
}

static inline grove_buffer prose(size_t bytes)
{
    grove_buffer buffer;
    grove_buffer_init(&buffer, &grove__allocator_system);
    append_prose(&buffer, bytes);
    return buffer;
}

static inline grove_buffer noise(size_t bytes, test_random *random)
{
    grove_buffer buffer;
    grove_buffer_init(&buffer, &grove__allocator_system);
    test_random_bytes(random, grove_buffer_reserve(&buffer, bytes), bytes);
    grove_buffer_grow(&buffer, bytes);
    return buffer;
}

/* A block of a kind with the fields "fields". */
static inline void encode(grove__block_kind kind, uint32_t event_count,
                          const grove__frame *frames, size_t frame_count,
                          grove_buffer *block_out)
{
    cr_assert_eq(grove__block_encode(kind, event_count, grove_bytes_of("fields"), frames,
                                     frame_count, block_out, NULL),
                 GROVE_OK);
}

static inline grove_buffer state_of(grove_bytes bytes, grove__packing packing)
{
    grove_buffer block;
    const grove__frame frame = {1, bytes, packing, NULL, 0};
    grove_buffer_init(&block, &grove__allocator_system);
    encode(GROVE__BLOCK_STATE, 0, &frame, 1, &block);
    return block;
}

/* Opens the block and decodes all its frames, both ways, which must agree. */
static inline grove_status read_all(grove_bytes bytes, grove__block_kind kind,
                                    grove_error *error_out)
{
    grove__block block;
    grove_status status = grove__block_open(bytes, kind, &block, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_buffer viewed;
    grove_buffer decoded;
    grove_buffer_init(&viewed, &grove__allocator_system);
    grove_buffer_init(&decoded, &grove__allocator_system);
    for (size_t index = 0; index < block.frame_count && status == GROVE_OK; index++) {
        grove_bytes view;
        uint8_t id = block.frames[index].id;
        grove_buffer_reset(&decoded);
        status = grove__block_frame_view(&block, id, &viewed, &view, error_out);
        cr_assert_eq(grove__block_frame_decode(&block, id, &decoded, NULL), status);
        if (status == GROVE_OK) {
            cr_assert_eq(view.size, block.frames[index].decoded_bytes);
            cr_assert(grove__bytes_equal(view, grove_buffer_view(&decoded)));
        }
    }
    grove_buffer_release(&viewed);
    grove_buffer_release(&decoded);
    return status;
}

static inline void assert_frame_is(const grove__block *block, uint8_t id,
                                   grove_bytes expected)
{
    grove_buffer buffer;
    grove_bytes view = {NULL, 4711};
    grove_buffer_init(&buffer, &grove__allocator_system);
    cr_assert_eq(grove__block_frame_view(block, id, &buffer, &view, NULL), GROVE_OK);
    cr_assert(grove__bytes_equal(view, expected));
    grove_buffer_reset(&buffer);
    grove_buffer_append(&buffer, "before", 6);
    cr_assert_eq(grove__block_frame_decode(block, id, &buffer, NULL), GROVE_OK);
    cr_assert_eq(buffer.size, 6 + expected.size);
    cr_assert_eq(memcmp(buffer.data, "before", 6), 0);
    cr_assert(expected.size == 0 ||
              memcmp(buffer.data + 6, expected.data, expected.size) == 0);
    grove_buffer_release(&buffer);
}

/* A block with raw and compressed frames of every kind. */
static inline grove_buffer mixed_block(void)
{
    grove_buffer text = prose(700);
    const grove__frame frames[] = {
        {1, grove_bytes_of("graph"), RAW, NULL, 0},
        {2, grove_buffer_view(&text), ZSTD, NULL, 0},
        {3, {NULL, 0}, RAW, NULL, 0},
        {4, {text.data, 200}, ZSTD, NULL, 0},
    };
    grove_buffer bytes;
    grove_buffer_init(&bytes, &grove__allocator_system);
    encode(GROVE__BLOCK_EVENTS, 700, frames, 4, &bytes);
    grove_buffer_release(&text);
    return bytes;
}

#endif
