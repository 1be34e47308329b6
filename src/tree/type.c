/* The document type `tree`. */
#include "base/error.h"
#include "tree/operation.h"
#include "tree/tree.h"

static grove_status check_operation(const grove_document_type *type,
                                    const grove_operation *operation,
                                    grove_error *error_out)
{
    grove__tree_operation ignored;
    grove_status status = grove_schema_operation_check(type, operation, error_out);
    if (status == GROVE_OK) {
        status = grove__tree_operation_decode(operation, &ignored, error_out);
    }
    if (status == GROVE_CORRUPT) {
        return grove__fail(error_out, GROVE_INVALID,
                           "the content is none of a tree's operation");
    }
    return status;
}

static grove_status new_state(const grove_document_type *type,
                              const grove_allocator *allocator, void **state_out)
{
    (void)type;
    grove__tree *tree = NULL;
    grove_status status = grove__tree_new(allocator, &tree);
    if (status == GROVE_OK) {
        *state_out = tree;
    }
    return status;
}

static void free_state(const grove_document_type *type, void *state)
{
    (void)type;
    grove__tree_free(state);
}

static grove_status apply(const grove_document_type *type, void *state,
                          grove_operations operations, grove_stamps stamps,
                          grove_error *error_out)
{
    (void)type;
    return grove__tree_apply(state, operations, stamps, error_out);
}

static grove_status encode(const grove_document_type *type, const void *state,
                           grove_type_buffers *buffers, grove_error *error_out)
{
    (void)type;
    return grove__tree_encode(state, 0, buffers, error_out);
}

static grove_status encode_settled(const grove_document_type *type, const void *state,
                                   uint64_t settled, grove_type_buffers *buffers,
                                   grove_error *error_out)
{
    (void)type;
    return grove__tree_encode(state, settled, buffers, error_out);
}

static grove_status decode(const grove_document_type *type,
                           const grove_allocator *allocator, grove_type_frames frames,
                           void **state_out, grove_error *error_out)
{
    (void)type;
    grove__tree *tree = NULL;
    grove_status status = grove__tree_decode(allocator, frames, &tree, error_out);
    if (status == GROVE_OK) {
        *state_out = tree;
    }
    return status;
}

static grove_status digest(const grove_document_type *type, const void *state,
                           uint8_t *digest_out, grove_error *error_out)
{
    (void)type;
    return grove__tree_digest(state, digest_out, error_out);
}

/* A place and its node take some ten bytes, an attribute five and its value. */
enum { PLACE_BYTES = 10, ATTRIBUTE_BYTES = 5 };

static uint64_t state_bytes(const grove_document_type *type, const void *state)
{
    (void)type;
    const grove__tree *tree = state;
    return tree->place_count * PLACE_BYTES + tree->attribute_count * ATTRIBUTE_BYTES +
           tree->values.size;
}

static const grove_timed_type TIMED = {
    .state_encode_settled = encode_settled,
    .state_digest = digest,
};

const grove_document_type *grove_type_tree(void)
{
    static const grove_document_type TYPE = {
        .abi = GROVE_DOCUMENT_TYPE_ABI,
        .name = "tree",
        .format = 1,
        .capabilities = GROVE_TYPE_CONCURRENT,
        .schema = &grove__tree_schema,
        .timed = &TIMED,
        .operation_check = check_operation,
        .operation_join = grove_schema_operation_join,
        .operation_cut = grove_schema_operation_cut,
        .operations_encode = grove_schema_operations_encode,
        .operations_decode = grove_schema_operations_decode,
        .state_new = new_state,
        .state_free = free_state,
        .state_apply = apply,
        .state_encode = encode,
        .state_decode = decode,
        .state_bytes = state_bytes,
    };
    return &TYPE;
}
