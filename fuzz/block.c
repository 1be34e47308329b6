/*
 * Blocks of every kind: each frame decodes to the size that its directory
 * claims, or is refused, within a budget. The input is tried as it is, then
 * with its checksums made true, or few inputs would reach what lies behind.
 */
#include "target.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "format/block.h"
#include "support/reseal.h"

static void check_frame(const grove__block *block, const grove__block_frame *frame,
                        const grove_allocator *allocator)
{
    grove_buffer decoded;
    grove_buffer viewed;
    grove_bytes view;
    grove_buffer_init(&decoded, allocator);
    grove_buffer_init(&viewed, allocator);
    grove_status status = grove__block_frame_decode(block, frame->id, &decoded, NULL);
    if (status == GROVE_OK) {
        FUZZ_CHECK(decoded.size == frame->decoded_bytes);
        status = grove__block_frame_view(block, frame->id, &viewed, &view, NULL);
        FUZZ_CHECK(status == GROVE_OK || status == GROVE_NO_MEMORY);
        FUZZ_CHECK(status != GROVE_OK ||
                   grove__bytes_equal(view, grove_buffer_view(&decoded)));
    } else {
        FUZZ_CHECK(status == GROVE_CORRUPT || status == GROVE_NO_MEMORY);
        FUZZ_CHECK(decoded.size == 0);
    }
    grove_buffer_release(&decoded);
    grove_buffer_release(&viewed);
}

static void check_block(grove_bytes bytes, grove__block_kind kind)
{
    grove__block block;
    grove_error error = {GROVE_OK, 0, ""};
    grove_status status = grove__block_open(bytes, kind, &block, &error);
    if (status != GROVE_OK) {
        FUZZ_CHECK(status == GROVE_CORRUPT || status == GROVE_FORMAT_NEWER);
        FUZZ_CHECK(error.status == status && error.offset <= bytes.size);
        return;
    }
    FUZZ_CHECK(block.frame_count <= GROVE__BLOCK_FRAMES_MAX);
    grove__budget budget;
    grove__packer packer;
    grove__budget_init(&budget, &grove__allocator_system, FUZZ_MEMORY_BYTES);
    grove__packer_init(&packer, &budget.allocator);
    block.packer = &packer;
    for (size_t index = 0; index < block.frame_count; index++) {
        check_frame(&block, &block.frames[index], &budget.allocator);
    }
    grove__packer_release(&packer);
    FUZZ_CHECK(atomic_load(&budget.used) == 0);
}

static void check_kinds(grove_bytes bytes)
{
    check_block(bytes, GROVE__BLOCK_EVENTS);
    check_block(bytes, GROVE__BLOCK_SNAPSHOT);
    check_block(bytes, GROVE__BLOCK_STATE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_kinds((grove_bytes){data, size});
    uint8_t *sealed = malloc(size > 0 ? size : 1);
    FUZZ_CHECK(sealed != NULL);
    if (size > 0) {
        memcpy(sealed, data, size);
    }
    reseal(sealed, size);
    check_kinds((grove_bytes){sealed, size});
    free(sealed);
    return 0;
}
