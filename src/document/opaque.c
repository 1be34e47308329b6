/* Documents of type `opaque`: payloads in, payloads and a state out. */
#include <grove/opaque.h>

#include "base/error.h"
#include "document/document.h"
#include "document/opaque_type.h"

static grove_status check_opaque(const grove_document *document, grove_error *error_out)
{
    grove_status status = grove__document_check(document, error_out);
    if (status == GROVE_OK && document->type != grove_type_opaque()) {
        return grove__fail(error_out, GROVE_INVALID,
                           "the document is of type %s, not opaque",
                           document->type->name);
    }
    return status;
}

grove_status grove_opaque_append(grove_document *document, grove_bytes payload,
                                 grove_error *error_out)
{
    grove_status status = check_opaque(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_operation operation = {0, 1, 0, payload};
    status = document->type->operation_check(document->type, &operation, error_out);
    if (status == GROVE_OK) {
        status = grove__document_make(document, &operation, error_out);
    }
    return status;
}

grove_status grove_opaque_set_state(grove_document *document, grove_bytes state,
                                    grove_error *error_out)
{
    grove_status status = check_opaque(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (state.size >= GROVE_FRAME_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "the state has %zu bytes; the limit is %llu", state.size,
                           (unsigned long long)GROVE_FRAME_BYTES_MAX);
    }
    status = grove__document_check_live(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (grove__opaque_set(document->state, state) != GROVE_OK) {
        return grove__fail_memory(error_out);
    }
    document->wants_snapshot = true;
    return GROVE_OK;
}

grove_status grove_opaque_state(const grove_document *document, bool *is_set_out,
                                grove_bytes *state_out, uint64_t *payloads_out,
                                grove_error *error_out)
{
    grove_status status = check_opaque(document, error_out);
    if (status == GROVE_OK) {
        const grove__opaque *opaque = document->state;
        *is_set_out = opaque->is_set;
        *state_out = grove_buffer_view(&opaque->state);
        *payloads_out = grove__opaque_count(opaque);
    }
    return status;
}

grove_status grove_opaque_payload(const grove_document *document, uint64_t index,
                                  grove_bytes *payload_out, grove_error *error_out)
{
    grove_status status = check_opaque(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    const grove__opaque *opaque = document->state;
    if (index >= grove__opaque_count(opaque)) {
        return grove__fail(error_out, GROVE_INVALID,
                           "there are %zu payloads after the state",
                           grove__opaque_count(opaque));
    }
    *payload_out = grove__opaque_payload(opaque, (size_t)index);
    return GROVE_OK;
}
