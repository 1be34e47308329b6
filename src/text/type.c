/* The document type `text`: its table, and nothing else. */
#include <grove/sys/document_type.h>

#include "text/operation.h"
#include "text/state.h"
#include "text/walker.h"

static grove_status check_operation(const grove_document_type *type,
                                    const grove_operation *operation,
                                    grove_error *error_out)
{
    (void)type;
    return grove__text_operation_check(operation, error_out);
}

static bool join_operations(const grove_document_type *type, grove_operation *last,
                            const grove_operation *next)
{
    (void)type;
    return grove__text_operation_join(last, next);
}

static void cut_operation(const grove_document_type *type,
                          const grove_operation *operation, uint32_t count,
                          grove_operation *first_out, grove_operation *rest_out)
{
    (void)type;
    grove__text_operation_cut(operation, count, first_out, rest_out);
}

static grove_status encode_operations(const grove_document_type *type,
                                      grove_operations operations,
                                      grove_type_buffers *buffers, grove_error *error_out)
{
    (void)type;
    return grove__text_operations_encode(operations, buffers, error_out);
}

static grove_status decode_operations(const grove_document_type *type,
                                      grove_type_frames frames, uint64_t event_count,
                                      grove_buffer *operations_out,
                                      grove_buffer *scratch_out, grove_error *error_out)
{
    (void)type;
    (void)scratch_out;
    return grove__text_operations_decode(frames, event_count, operations_out, error_out);
}

static grove_status new_state(const grove_document_type *type,
                              const grove_allocator *allocator, void **state_out)
{
    (void)type;
    grove__text *text = NULL;
    grove_status status = grove__text_new(allocator, &text);
    if (status == GROVE_OK) {
        *state_out = text;
    }
    return status;
}

static void free_state(const grove_document_type *type, void *state)
{
    (void)type;
    grove__text_free(state);
}

static grove_status apply_to_state(const grove_document_type *type, void *state,
                                   grove_operations operations, grove_stamps stamps,
                                   grove_error *error_out)
{
    (void)type;
    (void)stamps;
    return grove__text_apply(state, operations, error_out);
}

static grove_status encode_state(const grove_document_type *type, const void *state,
                                 grove_type_buffers *buffers, grove_error *error_out)
{
    (void)type;
    return grove__text_encode(state, buffers, error_out);
}

static grove_status decode_state(const grove_document_type *type,
                                 const grove_allocator *allocator,
                                 grove_type_frames frames, void **state_out,
                                 grove_error *error_out)
{
    (void)type;
    grove__text *text = NULL;
    grove_status status = grove__text_decode(allocator, frames, &text, error_out);
    if (status == GROVE_OK) {
        *state_out = text;
    }
    return status;
}

static uint64_t state_bytes(const grove_document_type *type, const void *state)
{
    (void)type;
    return grove__text_bytes(state);
}

const grove_document_type *grove_type_text(void)
{
    static const grove_document_type text = {
        .abi = GROVE_DOCUMENT_TYPE_ABI,
        .name = "text",
        .format = 1,
        .capabilities = 0,
        .schema = NULL,
        .merge = &grove__text_merge,
        .operation_check = check_operation,
        .operation_join = join_operations,
        .operation_cut = cut_operation,
        .operations_encode = encode_operations,
        .operations_decode = decode_operations,
        .state_new = new_state,
        .state_free = free_state,
        .state_apply = apply_to_state,
        .state_encode = encode_state,
        .state_decode = decode_state,
        .state_bytes = state_bytes,
    };
    return &text;
}
