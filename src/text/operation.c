#include "text/operation.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/utf8.h"

static grove_status check_insertion(const grove_operation *operation,
                                    grove_error *error_out)
{
    size_t points = 0;
    size_t offset = 0;
    if (operation->content.size > GROVE_CONTENT_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "an insertion's content is larger than "
                           "GROVE_CONTENT_BYTES_MAX");
    }
    if (!grove__utf8_check(operation->content, &points, &offset)) {
        return grove__fail_at(error_out, GROVE_INVALID, offset,
                              "an insertion's content is not UTF-8 at byte %zu", offset);
    }
    if (points != operation->count) {
        return grove__fail(error_out, GROVE_INVALID,
                           "an insertion of %u events has a content of %zu code points",
                           (unsigned)operation->count, points);
    }
    return GROVE_OK;
}

static grove_status check_deletion(const grove_operation *operation,
                                   grove_error *error_out)
{
    if (operation->content.size != 0) {
        return grove__fail(error_out, GROVE_INVALID, "a deletion has a content");
    }
    if (operation->kind == GROVE_TEXT_BACKSPACE && operation->count == 1) {
        return grove__fail(error_out, GROVE_INVALID,
                           "a single deletion is of kind GROVE_TEXT_DELETE, not "
                           "GROVE_TEXT_BACKSPACE");
    }
    return GROVE_OK;
}

grove_status grove__text_operation_check(const grove_operation *operation,
                                         grove_error *error_out)
{
    if (operation->kind > GROVE_TEXT_BACKSPACE) {
        return grove__fail(error_out, GROVE_INVALID,
                           "a text has no operations of kind %u",
                           (unsigned)operation->kind);
    }
    if (operation->count == 0) {
        return grove__fail(error_out, GROVE_INVALID, "an operation stands for no events");
    }
    if (operation->count > GROVE_BATCH_EVENTS_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "an operation has more than GROVE_BATCH_EVENTS_MAX events");
    }
    if (operation->position > GROVE_DOCUMENT_EVENTS_MAX - operation->count) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "an operation reaches beyond GROVE_DOCUMENT_EVENTS_MAX");
    }
    return operation->kind == GROVE_TEXT_INSERT ? check_insertion(operation, error_out)
                                                : check_deletion(operation, error_out);
}

/* Whether the deletion can be, or is, one that goes this way. */
static bool goes_forward(const grove_operation *deletion)
{
    return deletion->kind == GROVE_TEXT_DELETE;
}

static bool goes_backward(const grove_operation *deletion)
{
    return deletion->kind == GROVE_TEXT_BACKSPACE || deletion->count == 1;
}

bool grove__text_operation_join(grove_operation *last, const grove_operation *next)
{
    uint64_t count = (uint64_t)last->count + next->count;
    if (count > GROVE_BATCH_EVENTS_MAX) {
        return false;
    }
    if (last->kind == GROVE_TEXT_INSERT || next->kind == GROVE_TEXT_INSERT) {
        if (last->kind != next->kind || next->position != last->position + last->count) {
            return false;
        }
    } else if (goes_forward(last) && goes_forward(next) &&
               next->position == last->position) {
        last->kind = GROVE_TEXT_DELETE;
    } else if (goes_backward(last) && goes_backward(next) &&
               next->position + next->count == last->position) {
        last->kind = GROVE_TEXT_BACKSPACE;
        last->position = next->position;
    } else {
        return false;
    }
    last->count = (uint32_t)count;
    return true;
}

void grove__text_operation_cut(const grove_operation *operation, uint32_t count,
                               grove_operation *first_out, grove_operation *rest_out)
{
    GROVE_ASSERT(count > 0 && count < operation->count);
    grove_operation first = *operation;
    grove_operation rest = *operation;
    first.count = count;
    rest.count = operation->count - count;
    if (operation->kind == GROVE_TEXT_INSERT) {
        rest.position += count;
        if (operation->content.size > 0) {
            first.content.size = grove__utf8_offset(operation->content, count);
            rest.content.data += first.content.size;
            rest.content.size -= first.content.size;
        }
    } else if (operation->kind == GROVE_TEXT_BACKSPACE) {
        first.position += rest.count;
        first.kind = first.count == 1 ? GROVE_TEXT_DELETE : GROVE_TEXT_BACKSPACE;
        rest.kind = rest.count == 1 ? GROVE_TEXT_DELETE : GROVE_TEXT_BACKSPACE;
    }
    *first_out = first;
    *rest_out = rest;
}
