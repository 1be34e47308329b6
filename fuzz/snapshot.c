/*
 * Snapshots: whatever opens keeps the rules of its fields, and encoding it
 * again gives the same fields and, if it has them, times. Checksums are made
 * true first, as in block.c.
 */
#include "target.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "format/snapshot.h"
#include "support/reseal.h"

static void check_heads(const grove__snapshot_header *header, const grove__head *heads)
{
    FUZZ_CHECK(header->base_clock <= header->clock);
    FUZZ_CHECK(header->clock <= GROVE_DOCUMENT_EVENTS_MAX);
    for (uint32_t index = 0; index < header->head_count; index++) {
        FUZZ_CHECK(heads[index].clock < header->clock);
        FUZZ_CHECK(index == 0 || heads[index].clock > heads[index - 1].clock);
        FUZZ_CHECK(heads[index].id.replica.size >= 1);
        FUZZ_CHECK(heads[index].id.replica.size <= GROVE_REPLICA_BYTES_MAX);
    }
}

/* Gives the heads times if the snapshot has them. */
static void check_times(const grove__block *block, const grove_allocator *allocator,
                        grove__head *heads, uint32_t count)
{
    grove_status status = grove__snapshot_times(block, allocator, heads, count, NULL);
    FUZZ_CHECK(status == GROVE_OK || status == GROVE_CORRUPT ||
               status == GROVE_NO_MEMORY);
    for (uint32_t index = 0; index < count; index++) {
        FUZZ_CHECK((heads[index].time > 0) == (status == GROVE_OK));
        FUZZ_CHECK(heads[index].time <= heads[index].clock + 1);
    }
}

static void check_again(const grove__block *block, const grove__snapshot_header *header,
                        const grove__head *heads)
{
    const grove__packing raw = {0, 0, NULL};
    const grove_bytes none = {NULL, 0};
    grove__block block_again;
    grove__snapshot_header header_again;
    grove_buffer bytes;
    grove_buffer_init(&bytes, &grove__allocator_system);
    FUZZ_CHECK(grove__snapshot_encode(header, heads,
                                      &(grove__snapshot_frames){none, none, {NULL, 0}},
                                      raw, &bytes, NULL) == GROVE_OK);
    FUZZ_CHECK(grove__snapshot_open(grove_buffer_view(&bytes), &block_again,
                                    &header_again, NULL, NULL) == GROVE_OK);
    FUZZ_CHECK(grove__bytes_equal(block_again.fields, block->fields));
    FUZZ_CHECK(block_again.frame_count ==
               2u + (header->head_count > 0 && heads[0].time > 0));
    grove_buffer_release(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    grove__block block;
    grove__snapshot_header header;
    grove__budget budget;
    grove_buffer heads;
    uint8_t *sealed = malloc(size > 0 ? size : 1);
    FUZZ_CHECK(sealed != NULL);
    if (size > 0) {
        memcpy(sealed, data, size);
    }
    reseal(sealed, size);
    grove_bytes bytes = {sealed, size};
    grove__budget_init(&budget, &grove__allocator_system, FUZZ_MEMORY_BYTES);
    grove_buffer_init(&heads, &budget.allocator);
    grove_status status = grove__snapshot_open(bytes, &block, &header, &heads, NULL);
    if (status == GROVE_OK) {
        grove__head *items = (grove__head *)(void *)heads.data;
        FUZZ_CHECK(heads.size == header.head_count * sizeof *items);
        check_heads(&header, items);
        check_times(&block, &budget.allocator, items, header.head_count);
        check_again(&block, &header, items);
    } else {
        FUZZ_CHECK(status == GROVE_CORRUPT || status == GROVE_FORMAT_NEWER);
        FUZZ_CHECK(heads.size == 0);
    }
    grove_buffer_release(&heads);
    free(sealed);
    return 0;
}
