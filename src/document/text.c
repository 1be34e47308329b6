/* Reading and editing documents of type `text`. */
#include <grove/text.h>

#include "base/checked.h"
#include "base/error.h"
#include "document/document.h"
#include "text/state.h"
#include "text/units.h"
#include "base/utf8.h"

static grove_status check_text(const grove_document *document, grove_error *error_out)
{
    grove_status status = grove__document_check(document, error_out);
    if (status == GROVE_OK && document->type != grove_type_text()) {
        return grove__fail(error_out, GROVE_INVALID,
                           "the document is of type %s, not text", document->type->name);
    }
    return status;
}

static grove_status check_position(const grove__text *text, uint64_t position,
                                   uint64_t count, grove_error *error_out)
{
    uint64_t length = grove__text_length(text);
    if (position > length || count > length - position) {
        return grove__fail(
            error_out, GROVE_INVALID,
            "position %llu with %llu characters reaches beyond the end, %llu",
            (unsigned long long)position, (unsigned long long)count,
            (unsigned long long)length);
    }
    return GROVE_OK;
}

grove_status grove_text_insert(grove_document *document, uint64_t position,
                               grove_bytes utf8, grove_error *error_out)
{
    grove_status status = check_text(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = check_position(document->state, position, 0, error_out);
    size_t points = 0;
    size_t offset = 0;
    if (status == GROVE_OK && !grove__utf8_check(utf8, &points, &offset)) {
        status = grove__fail_at(error_out, GROVE_INVALID, offset,
                                "the text is not UTF-8 at byte %zu", offset);
    }
    if (status == GROVE_OK && points > GROVE_BATCH_EVENTS_MAX) {
        status =
            grove__fail(error_out, GROVE_LIMIT, "%zu characters at once; the limit is %u",
                        points, GROVE_BATCH_EVENTS_MAX);
    }
    if (status != GROVE_OK || points == 0) {
        return status;
    }
    grove_operation operation = {GROVE_TEXT_INSERT, (uint32_t)points, position, utf8};
    return grove__document_make(document, &operation, error_out);
}

grove_status grove_text_delete(grove_document *document, uint64_t position,
                               uint64_t count, grove_error *error_out)
{
    grove_status status = check_text(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = check_position(document->state, position, count, error_out);
    if (status == GROVE_OK && count > GROVE_BATCH_EVENTS_MAX) {
        status = grove__fail(error_out, GROVE_LIMIT,
                             "%llu characters at once; the limit is %u",
                             (unsigned long long)count, GROVE_BATCH_EVENTS_MAX);
    }
    if (status != GROVE_OK || count == 0) {
        return status;
    }
    grove_operation operation = {GROVE_TEXT_DELETE, (uint32_t)count, position, {NULL, 0}};
    return grove__document_make(document, &operation, error_out);
}

grove_status grove_text_length(const grove_document *document, uint64_t *length_out,
                               uint64_t *bytes_out, grove_error *error_out)
{
    grove_status status = check_text(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (length_out != NULL) {
        *length_out = grove__text_length(document->state);
    }
    if (bytes_out != NULL) {
        *bytes_out = grove__text_bytes(document->state);
    }
    return GROVE_OK;
}

grove_status grove_text_read(const grove_document *document, uint64_t position,
                             uint64_t count, void *buffer, size_t buffer_bytes,
                             size_t *bytes_out, uint64_t *read_out,
                             grove_error *error_out)
{
    grove_status status = check_text(document, error_out);
    if (status == GROVE_OK) {
        status = check_position(document->state, position, 0, error_out);
    }
    if (status == GROVE_OK) {
        *bytes_out = grove__text_read(document->state, position, count, buffer,
                                      buffer_bytes, read_out);
    }
    return status;
}

grove_status grove_text_each(const grove_document *document, grove_text_fn each,
                             void *context, grove_error *error_out)
{
    grove_status status = check_text(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__rope_chunks chunks;
    grove__rope_chunk chunk;
    grove__text_chunks_init(&chunks, document->state, 0);
    while (grove__rope_chunks_next(&chunks, &chunk) && each(context, chunk.utf8)) {
    }
    return GROVE_OK;
}

grove_status grove_text_convert(const grove_document *document, uint64_t position,
                                grove_text_unit unit, grove_text_unit wanted,
                                uint64_t *position_out, grove_error *error_out)
{
    grove_status status = check_text(document, error_out);
    if (status == GROVE_OK) {
        const grove__text *text = document->state;
        status = grove__units_convert(&text->rope, position, unit, wanted, position_out,
                                      error_out);
    }
    return status;
}

/* Tells a listener of an operation that others made. */
static void report_edit(grove_document *document, const grove_operation *operation)
{
    bool inserts = operation->kind == GROVE_TEXT_INSERT;
    grove_text_edit edit = {
        .position = operation->position,
        .deleted = inserts ? 0 : operation->count,
        .inserted = inserts ? operation->count : 0,
        .utf8 = operation->content,
    };
    document->edited(document->edited_context, &edit);
}

grove_status grove_text_on_edit(grove_document *document, grove_text_edit_fn edited,
                                void *context, grove_error *error_out)
{
    grove_status status = check_text(document, error_out);
    if (status == GROVE_OK) {
        status = grove__document_check_live(document, error_out);
    }
    if (status == GROVE_OK) {
        document->edited = edited;
        document->edited_context = context;
        document->merge.on_edit = edited == NULL ? NULL : report_edit;
    }
    return status;
}

uint64_t grove__text_points(const grove_document *document)
{
    return document->type == grove_type_text() ? grove__text_length(document->state) : 0;
}

grove_status grove__text_report_all(grove_document *document, uint64_t replaced,
                                    grove_error *error_out)
{
    if (document->edited == NULL) {
        return GROVE_OK;
    }
    uint64_t points = grove__text_points(document);
    uint64_t bytes = grove__text_bytes(document->state);
    grove_buffer text;
    grove_buffer_init(&text, document->allocator);
    uint8_t *room = bytes == 0 ? NULL : grove_buffer_reserve(&text, (size_t)bytes);
    if (bytes > 0 && room == NULL) {
        grove_buffer_release(&text);
        return grove__fail_memory(error_out);
    }
    uint64_t read = 0;
    if (bytes > 0) {
        text.size =
            grove__text_read(document->state, 0, points, room, (size_t)bytes, &read);
    }
    grove_text_edit edit = {0, replaced, points, grove_buffer_view(&text)};
    document->edited(document->edited_context, &edit);
    grove_buffer_release(&text);
    return GROVE_OK;
}
