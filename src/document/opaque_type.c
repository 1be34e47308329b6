/*
 * The document type `opaque`: one kind of operation with one field of bytes.
 * Merging is the application's: any causal order will do.
 */
#include "document/opaque_type.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/error.h"

static const grove_field_type PAYLOAD_FIELDS[] = {GROVE_FIELD_BYTES};
static const grove_schema_kind KINDS[] = {{"payload", false, 1, PAYLOAD_FIELDS}};
static const grove_schema SCHEMA = {1, KINDS};

grove_bytes grove__opaque_payload(const grove__opaque *opaque, size_t index)
{
    const size_t *ends = (const size_t *)(const void *)opaque->ends.data;
    GROVE_ASSERT(index < grove__opaque_count(opaque));
    size_t start = index == 0 ? 0 : ends[index - 1];
    return (grove_bytes){opaque->payloads.data + start, ends[index] - start};
}

grove_status grove__opaque_set(grove__opaque *opaque, grove_bytes state)
{
    grove_buffer copy;
    grove_buffer_init(&copy, opaque->state.allocator);
    grove_buffer_append(&copy, state.data, state.size);
    if (copy.failed) {
        grove_buffer_release(&copy);
        return GROVE_NO_MEMORY;
    }
    grove_buffer_release(&opaque->state);
    grove_buffer_release(&opaque->payloads);
    grove_buffer_release(&opaque->ends);
    opaque->state = copy;
    opaque->is_set = true;
    return GROVE_OK;
}

static grove_status state_new(const grove_document_type *type,
                              const grove_allocator *allocator, void **state_out)
{
    (void)type;
    grove__opaque *opaque = grove__allocate_zeroed(allocator, sizeof *opaque);
    if (opaque == NULL) {
        return GROVE_NO_MEMORY;
    }
    grove_buffer_init(&opaque->state, allocator);
    grove_buffer_init(&opaque->payloads, allocator);
    grove_buffer_init(&opaque->ends, allocator);
    *state_out = opaque;
    return GROVE_OK;
}

static void state_free(const grove_document_type *type, void *state)
{
    (void)type;
    grove__opaque *opaque = state;
    if (opaque == NULL) {
        return;
    }
    const grove_allocator *allocator = opaque->state.allocator;
    grove_buffer_release(&opaque->state);
    grove_buffer_release(&opaque->payloads);
    grove_buffer_release(&opaque->ends);
    grove__deallocate(allocator, opaque, sizeof *opaque);
}

static grove_status state_apply(const grove_document_type *type, void *state,
                                grove_operations operations, grove_stamps stamps,
                                grove_error *error_out)
{
    (void)type;
    (void)stamps;
    grove__opaque *opaque = state;
    for (size_t index = 0; index < operations.count; index++) {
        grove_bytes payload = operations.items[index].content;
        /* Room first, so that a failure leaves no half of a payload. */
        if (grove_buffer_reserve(&opaque->payloads, payload.size) == NULL ||
            grove_buffer_reserve(&opaque->ends, sizeof(size_t)) == NULL) {
            opaque->payloads.failed = false;
            opaque->ends.failed = false;
            return grove__fail_memory(error_out);
        }
        grove_buffer_append(&opaque->payloads, payload.data, payload.size);
        grove_buffer_append(&opaque->ends, &opaque->payloads.size, sizeof(size_t));
    }
    return GROVE_OK;
}

static grove_status state_encode(const grove_document_type *type, const void *state,
                                 grove_type_buffers *buffers, grove_error *error_out)
{
    (void)type;
    const grove__opaque *opaque = state;
    if (!opaque->is_set || grove__opaque_count(opaque) > 0) {
        return GROVE_NONE;
    }
    grove_buffer_append(&buffers->content, opaque->state.data, opaque->state.size);
    return buffers->content.failed ? grove__fail_memory(error_out) : GROVE_OK;
}

static grove_status state_decode(const grove_document_type *type,
                                 const grove_allocator *allocator,
                                 grove_type_frames frames, void **state_out,
                                 grove_error *error_out)
{
    if (frames.structure.size > 0) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "an opaque snapshot has %zu bytes of structure",
                           frames.structure.size);
    }
    void *state;
    if (state_new(type, allocator, &state) != GROVE_OK) {
        return grove__fail_memory(error_out);
    }
    if (grove__opaque_set(state, frames.content) != GROVE_OK) {
        state_free(type, state);
        return grove__fail_memory(error_out);
    }
    *state_out = state;
    return GROVE_OK;
}

static uint64_t state_bytes(const grove_document_type *type, const void *state)
{
    (void)type;
    const grove__opaque *opaque = state;
    return opaque->state.size;
}

const grove_document_type *grove_type_opaque(void)
{
    static const grove_document_type TYPE = {
        .abi = GROVE_DOCUMENT_TYPE_ABI,
        .name = "opaque",
        .format = 1,
        .capabilities = GROVE_TYPE_CONCURRENT,
        .schema = &SCHEMA,
        .operation_check = grove_schema_operation_check,
        .operation_join = grove_schema_operation_join,
        .operation_cut = grove_schema_operation_cut,
        .operations_encode = grove_schema_operations_encode,
        .operations_decode = grove_schema_operations_decode,
        .state_new = state_new,
        .state_free = state_free,
        .state_apply = state_apply,
        .state_encode = state_encode,
        .state_decode = state_decode,
        .state_bytes = state_bytes,
    };
    return &TYPE;
}
