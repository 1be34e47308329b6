/*
 * Text operations: whatever decodes is well-formed, and encoding it again
 * gives the same operations. Applied, they make a text or are refused; the
 * text is sound and comes back from its own frames, and its positions from
 * other units.
 *
 * An input is the number of events in 4 bytes and the size of the structure
 * in 2, both big-endian, the structure, and the content.
 */
#include "target.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "text/operation.h"
#include "text/state.h"
#include "text/units.h"

static void buffers_init(grove_type_buffers *buffers, const grove_allocator *allocator)
{
    grove_buffer_init(&buffers->structure, allocator);
    grove_buffer_init(&buffers->content, allocator);
    buffers->structure_cut_count = 0;
}

static void buffers_release(grove_type_buffers *buffers)
{
    grove_buffer_release(&buffers->structure);
    grove_buffer_release(&buffers->content);
}

static grove_type_frames frames_of(const grove_type_buffers *buffers)
{
    const grove_type_frames frames = {grove_buffer_view(&buffers->structure),
                                      grove_buffer_view(&buffers->content), false};
    return frames;
}

static grove_operations operations_of(const grove_buffer *buffer)
{
    const grove_operations operations = {
        (const grove_operation *)(const void *)buffer->data,
        buffer->size / sizeof(grove_operation)};
    return operations;
}

static void check_again(grove_operations operations, uint64_t events, grove_bytes content)
{
    grove_type_buffers buffers;
    grove_buffer decoded;
    buffers_init(&buffers, &grove__allocator_system);
    grove_buffer_init(&decoded, &grove__allocator_system);
    FUZZ_CHECK(grove__text_operations_encode(operations, &buffers, NULL) == GROVE_OK);
    FUZZ_CHECK(grove__bytes_equal(grove_buffer_view(&buffers.content), content));
    FUZZ_CHECK(grove__text_operations_decode(frames_of(&buffers), events, &decoded,
                                             NULL) == GROVE_OK);
    grove_operations again = operations_of(&decoded);
    FUZZ_CHECK(again.count == operations.count);
    for (size_t index = 0; index < again.count; index++) {
        const grove_operation *one = &operations.items[index];
        const grove_operation *other = &again.items[index];
        FUZZ_CHECK(grove__text_operation_check(one, NULL) == GROVE_OK);
        FUZZ_CHECK(one->kind == other->kind && one->count == other->count);
        FUZZ_CHECK(one->position == other->position);
        FUZZ_CHECK(grove__bytes_equal(one->content, other->content));
    }
    grove_buffer_release(&decoded);
    buffers_release(&buffers);
}

/* The same operations come without their contents. */
static void check_without_contents(grove_operations operations, uint64_t events,
                                   grove_bytes structure)
{
    const grove_type_frames frames = {structure, {NULL, 0}, true};
    grove_buffer decoded;
    grove_buffer_init(&decoded, &grove__allocator_system);
    FUZZ_CHECK(grove__text_operations_decode(frames, events, &decoded, NULL) == GROVE_OK);
    grove_operations bare = operations_of(&decoded);
    FUZZ_CHECK(bare.count == operations.count);
    for (size_t index = 0; index < bare.count; index++) {
        const grove_operation *one = &operations.items[index];
        const grove_operation *other = &bare.items[index];
        FUZZ_CHECK(one->kind == other->kind && one->count == other->count);
        FUZZ_CHECK(one->position == other->position && other->content.size == 0);
    }
    grove_buffer_release(&decoded);
}

/* Positions, some 64 of them, go into each unit and come back. */
static void check_units(const grove__rope *rope)
{
    uint64_t step = rope->points / 64 + 1;
    for (uint64_t position = 0; position <= rope->points; position += step) {
        uint64_t bytes;
        uint64_t utf16;
        uint64_t again;
        FUZZ_CHECK(grove__units_convert(rope, position, GROVE_TEXT_POINTS,
                                        GROVE_TEXT_UTF16, &utf16, NULL) == GROVE_OK);
        FUZZ_CHECK(grove__units_convert(rope, utf16, GROVE_TEXT_UTF16, GROVE_TEXT_BYTES,
                                        &bytes, NULL) == GROVE_OK);
        FUZZ_CHECK(grove__units_convert(rope, bytes, GROVE_TEXT_BYTES, GROVE_TEXT_POINTS,
                                        &again, NULL) == GROVE_OK);
        FUZZ_CHECK(again == position);
    }
}

static void check_text(grove_operations operations)
{
    grove__text *text = NULL;
    grove__text *again = NULL;
    grove_type_buffers buffers;
    grove_error error;
    buffers_init(&buffers, &grove__allocator_system);
    FUZZ_CHECK(grove__text_new(&grove__allocator_system, &text) == GROVE_OK);
    grove_status status = grove__text_apply(text, operations, &error);
    FUZZ_CHECK(status == GROVE_OK || status == GROVE_CORRUPT);
    FUZZ_CHECK(status == GROVE_OK || error.offset < operations.count);
    FUZZ_CHECK(grove__rope_check(&text->rope) == NULL);
    check_units(&text->rope);
    FUZZ_CHECK(grove__text_encode(text, &buffers, NULL) == GROVE_OK);
    FUZZ_CHECK(grove__text_decode(&grove__allocator_system, frames_of(&buffers), &again,
                                  NULL) == GROVE_OK);
    FUZZ_CHECK(grove__rope_check(&again->rope) == NULL);
    FUZZ_CHECK(grove__text_length(again) == grove__text_length(text));
    FUZZ_CHECK(grove__text_bytes(again) == grove__text_bytes(text));
    grove__text_free(text);
    grove__text_free(again);
    buffers_release(&buffers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const grove_bytes input = {data, size};
    grove_reader reader = grove_reader_of(input);
    grove__budget budget;
    grove_buffer decoded;
    uint64_t events = grove_reader_u32(&reader);
    size_t structure_bytes = (size_t)grove_reader_u8(&reader) << 8;
    structure_bytes |= grove_reader_u8(&reader);
    const grove_type_frames frames = {
        grove_reader_bytes(&reader, structure_bytes),
        grove_reader_bytes(&reader, grove_reader_left(&reader)), false};
    grove__budget_init(&budget, &grove__allocator_system, FUZZ_MEMORY_BYTES);
    grove_buffer_init(&decoded, &budget.allocator);
    if (!reader.failed) {
        grove_status status =
            grove__text_operations_decode(frames, events, &decoded, NULL);
        if (status == GROVE_OK) {
            check_again(operations_of(&decoded), events, frames.content);
            check_without_contents(operations_of(&decoded), events, frames.structure);
            check_text(operations_of(&decoded));
        } else {
            FUZZ_CHECK(status == GROVE_CORRUPT);
            FUZZ_CHECK(decoded.size == 0);
        }
    }
    grove_buffer_release(&decoded);
    return 0;
}
