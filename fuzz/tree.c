/*
 * Trees: whatever decodes as a snapshot is a sound tree, and comes back from
 * its own frames; whatever comes to it as events is taken and leaves a sound
 * tree, or is refused and leaves the tree as it was.
 *
 * An input is the sizes of a snapshot's structure and content in 2 bytes each,
 * big-endian, these two, and a byte that says what the rest is. 0: events, each
 * a byte with its kind, one with its replica, one with its sequence, one with
 * its time, one with the size of its content, and the content. Else: the
 * columns of so many events, the size of the structure in 2 bytes, structure
 * and content. Without a snapshot the tree is empty.
 */
#include "target.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "tree/tree.h"

enum { REPLICAS = 4 };

static const grove_replica NAMES[REPLICAS] = {
    {1, {'b'}}, {1, {'a'}}, {2, {'a', 'b'}}, {1, {0xff}}};

typedef struct fuzz_digest {
    uint8_t bytes[GROVE_DIGEST_BYTES];
} fuzz_digest;

static fuzz_digest digest_of(const grove__tree *tree)
{
    fuzz_digest digest;
    FUZZ_CHECK(grove__tree_digest(tree, digest.bytes, NULL) == GROVE_OK);
    return digest;
}

static size_t take_size(grove_reader *reader)
{
    size_t high = grove_reader_u8(reader);
    return high << 8 | grove_reader_u8(reader);
}

static void encode(const grove__tree *tree, grove_type_buffers *buffers)
{
    grove_buffer_init(&buffers->structure, &grove__allocator_system);
    grove_buffer_init(&buffers->content, &grove__allocator_system);
    buffers->structure_cut_count = 0;
    FUZZ_CHECK(grove__tree_encode(tree, 0, buffers, NULL) == GROVE_OK);
}

static void release(grove_type_buffers *buffers)
{
    grove_buffer_release(&buffers->structure);
    grove_buffer_release(&buffers->content);
}

/* It comes back from its frames, which are the same again. */
static void check_again(const grove__tree *tree)
{
    grove_type_buffers one;
    grove_type_buffers other;
    grove__tree *again = NULL;
    encode(tree, &one);
    const grove_type_frames frames = {grove_buffer_view(&one.structure),
                                      grove_buffer_view(&one.content), false};
    FUZZ_CHECK(grove__tree_decode(&grove__allocator_system, frames, &again, NULL) ==
               GROVE_OK);
    FUZZ_CHECK(grove__tree_check(again) == NULL);
    const fuzz_digest digest = digest_of(tree);
    const fuzz_digest digest_again = digest_of(again);
    FUZZ_CHECK(memcmp(&digest, &digest_again, sizeof digest) == 0);
    encode(again, &other);
    FUZZ_CHECK(grove__bytes_equal(grove_buffer_view(&one.structure),
                                  grove_buffer_view(&other.structure)));
    FUZZ_CHECK(grove__bytes_equal(grove_buffer_view(&one.content),
                                  grove_buffer_view(&other.content)));
    release(&one);
    release(&other);
    grove__tree_free(again);
}

static void apply(grove__tree *tree, grove_operations operations, grove_stamps stamps)
{
    const fuzz_digest before = digest_of(tree);
    grove_error error = {GROVE_OK, 0, ""};
    grove_status status = grove__tree_apply(tree, operations, stamps, &error);
    FUZZ_CHECK(status == GROVE_OK || status == GROVE_CORRUPT);
    FUZZ_CHECK(grove__tree_check(tree) == NULL);
    if (status != GROVE_OK) {
        const fuzz_digest after = digest_of(tree);
        FUZZ_CHECK(error.offset < operations.count);
        FUZZ_CHECK(memcmp(&before, &after, sizeof before) == 0);
    }
}

static void apply_events(grove__tree *tree, grove_reader *reader)
{
    while (!reader->failed && grove_reader_left(reader) > 0) {
        grove_operation operation = {grove_reader_u8(reader), 1, 0, {NULL, 0}};
        grove_stamp_run run = {&NAMES[grove_reader_u8(reader) % REPLICAS], 0, 0, 1};
        run.sequence = grove_reader_u8(reader);
        run.time = grove_reader_u8(reader);
        operation.content = grove_reader_bytes(reader, grove_reader_u8(reader));
        if (!reader->failed) {
            apply(tree, (grove_operations){&operation, 1}, (grove_stamps){&run, 1});
        }
    }
}

/* Each replica in turn makes an event, knowing those before. */
static void apply_columns(grove__tree *tree, grove_reader *reader, uint8_t count)
{
    const grove_document_type *type = grove_type_tree();
    grove_stamp_run runs[UINT8_MAX];
    grove_buffer decoded;
    grove_buffer scratch;
    grove__budget budget;
    size_t structure_bytes = take_size(reader);
    const grove_type_frames frames = {
        grove_reader_bytes(reader, structure_bytes),
        grove_reader_bytes(reader, grove_reader_left(reader)), false};
    grove__budget_init(&budget, &grove__allocator_system, FUZZ_MEMORY_BYTES);
    grove_buffer_init(&decoded, &budget.allocator);
    grove_buffer_init(&scratch, &budget.allocator);
    if (!reader->failed) {
        grove_status status =
            type->operations_decode(type, frames, count, &decoded, &scratch, NULL);
        FUZZ_CHECK(status == GROVE_OK || status == GROVE_CORRUPT);
        for (uint32_t index = 0; index < count; index++) {
            runs[index] = (grove_stamp_run){&NAMES[index % REPLICAS], index / REPLICAS,
                                            index + 1, 1};
        }
        if (status == GROVE_OK) {
            const grove_operation *items =
                (const grove_operation *)(const void *)decoded.data;
            FUZZ_CHECK(decoded.size == count * sizeof *items);
            apply(tree, (grove_operations){items, count}, (grove_stamps){runs, count});
        }
    }
    grove_buffer_release(&decoded);
    grove_buffer_release(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const grove_bytes input = {data, size};
    grove_reader reader = grove_reader_of(input);
    grove__budget budget;
    grove__tree *tree = NULL;
    size_t structure_bytes = take_size(&reader);
    size_t content_bytes = take_size(&reader);
    const grove_type_frames frames = {grove_reader_bytes(&reader, structure_bytes),
                                      grove_reader_bytes(&reader, content_bytes), false};
    grove__budget_init(&budget, &grove__allocator_system, FUZZ_MEMORY_BYTES);
    if (reader.failed) {
        return 0;
    }
    grove_status status =
        structure_bytes == 0 ? grove__tree_new(&budget.allocator, &tree)
                             : grove__tree_decode(&budget.allocator, frames, &tree, NULL);
    FUZZ_CHECK(status == GROVE_OK || status == GROVE_CORRUPT);
    if (status == GROVE_OK) {
        FUZZ_CHECK(grove__tree_check(tree) == NULL);
        uint8_t columns = grove_reader_u8(&reader);
        if (columns == 0) {
            apply_events(tree, &reader);
        } else {
            apply_columns(tree, &reader, columns);
        }
        check_again(tree);
    }
    grove__tree_free(tree);
    return 0;
}
