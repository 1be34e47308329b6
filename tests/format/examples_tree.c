/* The examples of docs/FORMAT.md for trees: four events, and what they make. */
#include <grove/sys/document_type.h>

#include "base/alloc.h"
#include "format/examples.h"

/* By the replica `ann`, with the times 1 to 4: puts a node of type `list` with
 * n = 1 below the root; puts `x` below it; moves that before it; deletes it,
 * with the metadata `m`. */
enum { EVENTS = 4 };

static const grove_operation OPERATIONS[EVENTS] = {
    {0,
     1,
     0,
     {(const uint8_t *)"\x00\x00\x00\x00\x00\x04list\x05\x01n\x02\x03\x02\x00", 17}},
    {0, 1, 0, {(const uint8_t *)"\x03\x00\x00\x00\x01x\x00\x00\x00", 9}},
    {3, 1, 0, {(const uint8_t *)"\x03\x00\x00\x00\x0b\x00\x00", 7}},
    {4, 1, 0, {(const uint8_t *)"\x07\x00\x01m", 4}},
};

static void init(grove_type_buffers *buffers)
{
    memset(buffers, 0, sizeof *buffers);
    grove_buffer_init(&buffers->structure, &grove__allocator_system);
    grove_buffer_init(&buffers->content, &grove__allocator_system);
}

static void release(grove_type_buffers *buffers)
{
    grove_buffer_release(&buffers->structure);
    grove_buffer_release(&buffers->content);
}

static void encode_operations(grove_type_buffers *buffers)
{
    const grove_document_type *tree = grove_type_tree();
    const grove_operations all = {OPERATIONS, EVENTS};
    init(buffers);
    for (size_t index = 0; index < EVENTS; index++) {
        cr_assert_eq(tree->operation_check(tree, &OPERATIONS[index], NULL), GROVE_OK);
    }
    cr_assert_eq(tree->operations_encode(tree, all, buffers, NULL), GROVE_OK);
}

/* The state that the events make. */
static void *make_state(void)
{
    const grove_document_type *tree = grove_type_tree();
    const grove_operations all = {OPERATIONS, EVENTS};
    const grove_replica ann = {3, "ann"};
    const grove_stamp_run run = {&ann, 0, 1, EVENTS};
    void *state = NULL;
    cr_assert_eq(tree->state_new(tree, &grove__allocator_system, &state), GROVE_OK);
    cr_assert_eq(tree->state_apply(tree, state, all, (grove_stamps){&run, 1}, NULL),
                 GROVE_OK);
    return state;
}

static void encode_state(grove_type_buffers *buffers)
{
    const grove_document_type *tree = grove_type_tree();
    void *state = make_state();
    init(buffers);
    cr_assert_eq(tree->state_encode(tree, state, buffers, NULL), GROVE_OK);
    tree->state_free(tree, state);
}

void check_tree_operations_example(grove_bytes page)
{
    grove_type_buffers buffers;
    encode_operations(&buffers);
    assert_bytes(grove_buffer_view(&buffers.structure), page);
    release(&buffers);
}

void check_tree_operations_content_example(grove_bytes page)
{
    grove_type_buffers buffers;
    encode_operations(&buffers);
    assert_bytes(grove_buffer_view(&buffers.content), page);
    release(&buffers);
}

void check_tree_state_example(grove_bytes page)
{
    grove_type_buffers buffers;
    encode_state(&buffers);
    assert_bytes(grove_buffer_view(&buffers.structure), page);
    release(&buffers);
}

void check_tree_state_content_example(grove_bytes page)
{
    grove_type_buffers buffers;
    encode_state(&buffers);
    assert_bytes(grove_buffer_view(&buffers.content), page);
    release(&buffers);
}

/* The content is the one above. */
void check_bad_tree_state_example(grove_bytes page)
{
    const grove_document_type *tree = grove_type_tree();
    grove_type_buffers buffers;
    void *state = NULL;
    encode_state(&buffers);
    grove_type_frames frames = {page, grove_buffer_view(&buffers.content), false};
    cr_assert_eq(tree->state_decode(tree, &grove__allocator_system, frames, &state, NULL),
                 GROVE_CORRUPT);
    release(&buffers);
}

void check_tree_digest_example(grove_bytes page)
{
    const grove_document_type *tree = grove_type_tree();
    uint8_t digest[GROVE_DIGEST_BYTES];
    void *state = make_state();
    cr_assert_eq(tree->timed->state_digest(tree, state, digest, NULL), GROVE_OK);
    assert_bytes((grove_bytes){digest, sizeof digest}, page);
    tree->state_free(tree, state);
}
