#include "text/walker.h"

#include <grove/text.h>

#include "base/alloc.h"
#include "base/error.h"
#include "sequence/tracker_bytes.h"
#include "text/operation.h"

static bool is_before(const void *context, uint32_t event, uint32_t other)
{
    const grove__text_walker *walker = context;
    return walker->order.is_before(walker->order.context, walker->base + event,
                                   walker->base + other);
}

static grove_status new_walker(const grove_document_type *type,
                               const grove_allocator *allocator, grove_id_order order,
                               void **walker_out)
{
    (void)type;
    grove__text_walker *walker = grove__allocate(allocator, sizeof *walker);
    if (walker == NULL) {
        return GROVE_NO_MEMORY;
    }
    walker->allocator = allocator;
    walker->order = order;
    walker->base = 0;
    grove__tracker_init(&walker->tracker, allocator,
                        (grove__event_order){walker, is_before});
    *walker_out = walker;
    return GROVE_OK;
}

static void free_walker(const grove_document_type *type, void *walker_in)
{
    (void)type;
    grove__text_walker *walker = walker_in;
    if (walker != NULL) {
        grove__tracker_release(&walker->tracker);
        grove__deallocate(walker->allocator, walker, sizeof *walker);
    }
}

static grove_status clear_walker(const grove_document_type *type, void *walker_in,
                                 uint64_t base)
{
    (void)type;
    grove__text_walker *walker = walker_in;
    walker->base = base;
    return grove__tracker_clear(&walker->tracker);
}

/* The tracker's number of an event; one too large stays too large. */
static uint32_t number_of(const grove__text_walker *walker, uint64_t clock)
{
    uint64_t number = clock - walker->base;
    return number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
}

static grove_status retreat(const grove_document_type *type, void *walker_in,
                            uint64_t from, uint64_t end, grove_error *error_out)
{
    (void)type;
    grove__text_walker *walker = walker_in;
    return grove__tracker_retreat(&walker->tracker, number_of(walker, from),
                                  number_of(walker, end), error_out);
}

static grove_status advance(const grove_document_type *type, void *walker_in,
                            uint64_t from, uint64_t end, grove_error *error_out)
{
    (void)type;
    grove__text_walker *walker = walker_in;
    return grove__tracker_advance(&walker->tracker, number_of(walker, from),
                                  number_of(walker, end), error_out);
}

/* Appends an edit, or lets the last deletion take it. */
static grove_status add_edit(grove_buffer *edits, size_t first,
                             const grove_operation *edit, grove_error *error_out)
{
    if (edits->size > first) {
        grove_operation *last =
            (grove_operation *)(void *)(edits->data + edits->size - sizeof *last);
        if (grove__text_operation_join(last, edit)) {
            return GROVE_OK;
        }
    }
    grove_buffer_append(edits, edit, sizeof *edit);
    return edits->failed ? grove__fail_memory(error_out) : GROVE_OK;
}

static grove_status apply_insertion(grove__text_walker *walker, uint32_t event,
                                    const grove_operation *operation, grove_buffer *edits,
                                    grove_error *error_out)
{
    grove_operation edit = *operation;
    grove_status status =
        grove__tracker_insert(&walker->tracker, event, operation->count,
                              operation->position, &edit.position, error_out);
    if (status == GROVE_OK && edits != NULL) {
        grove_buffer_append(edits, &edit, sizeof edit);
        status = edits->failed ? grove__fail_memory(error_out) : GROVE_OK;
    }
    return status;
}

static grove_status apply_deletion(grove__text_walker *walker, uint32_t event,
                                   const grove_operation *operation, grove_buffer *edits,
                                   grove_error *error_out)
{
    size_t first = edits == NULL ? 0 : edits->size;
    bool is_backward = operation->kind == GROVE_TEXT_BACKSPACE;
    grove_status status = GROVE_OK;
    for (uint32_t done = 0; status == GROVE_OK && done < operation->count;) {
        grove__deletion deletion = {0, 0, false};
        status =
            grove__tracker_delete(&walker->tracker, event + done, operation->count - done,
                                  operation->position, is_backward, &deletion, error_out);
        if (status == GROVE_OK && edits != NULL && !deletion.was_dead) {
            grove_operation edit = {
                GROVE_TEXT_DELETE, deletion.count, deletion.position, {NULL, 0}};
            status = add_edit(edits, first, &edit, error_out);
        }
        done += deletion.count;
    }
    return status;
}

static grove_status apply(const grove_document_type *type, void *walker_in,
                          uint64_t clock, const grove_operation *operation,
                          grove_buffer *edits_out, grove_error *error_out)
{
    (void)type;
    grove__text_walker *walker = walker_in;
    uint32_t event = number_of(walker, clock);
    if (operation->kind == GROVE_TEXT_INSERT) {
        return apply_insertion(walker, event, operation, edits_out, error_out);
    }
    return apply_deletion(walker, event, operation, edits_out, error_out);
}

static uint64_t count_bytes(const grove_document_type *type, const void *walker_in)
{
    (void)type;
    const grove__text_walker *walker = walker_in;
    return sizeof *walker + grove__spans_bytes(&walker->tracker.spans);
}

static grove_status encode(const grove_document_type *type, const void *walker_in,
                           uint64_t end, grove_buffer *bytes_out)
{
    (void)type;
    const grove__text_walker *walker = walker_in;
    return grove__tracker_encode(&walker->tracker, number_of(walker, end), bytes_out);
}

static grove_status decode(const grove_document_type *type, void *walker_in,
                           uint64_t base, uint64_t end, grove_bytes bytes,
                           grove_error *error_out)
{
    (void)type;
    grove__text_walker *walker = walker_in;
    walker->base = base;
    return grove__tracker_decode(&walker->tracker, number_of(walker, end), bytes,
                                 error_out);
}

const grove_merge_type grove__text_merge = {
    .walker_new = new_walker,
    .walker_free = free_walker,
    .walker_clear = clear_walker,
    .walker_retreat = retreat,
    .walker_advance = advance,
    .walker_apply = apply,
    .walker_bytes = count_bytes,
    .walker_encode = encode,
    .walker_decode = decode,
};
