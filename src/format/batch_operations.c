/* The operations of a batch: see batch_operations.h. */
#include "format/batch_operations.h"

#include "base/error.h"
#include "format/event_operations.h"

static grove_status fail_operations(const grove_document_type *type,
                                    grove_error *error_out, const char *fault)
{
    return grove__fail(error_out, GROVE_CORRUPT, "operations of type %s: %s", type->name,
                       fault);
}

/* The first event after `event` at which an id or parent run begins (E2). */
typedef struct border_walk {
    const grove__events *events;
    size_t id_run, parent_run;
} border_walk;

static uint32_t next_border(border_walk *walk, uint32_t event, uint32_t end)
{
    const grove__events *events = walk->events;
    uint32_t border = end;
    while (walk->id_run < events->id_run_count &&
           events->id_runs[walk->id_run].event <= event) {
        walk->id_run++;
    }
    while (walk->parent_run < events->parent_run_count &&
           events->parent_runs[walk->parent_run].event <= event) {
        walk->parent_run++;
    }
    if (walk->id_run < events->id_run_count) {
        border = events->id_runs[walk->id_run].event;
    }
    if (walk->parent_run < events->parent_run_count &&
        events->parent_runs[walk->parent_run].event < border) {
        border = events->parent_runs[walk->parent_run].event;
    }
    return border;
}

/*
 * Checks what every type has to keep: counts that add up and E2. Finds out
 * whether the contents lie one after the other in `content`.
 */
static grove_status check_operations(grove__events *events, uint32_t event_count,
                                     size_t content_bytes_max,
                                     const grove_document_type *type,
                                     grove_error *error_out)
{
    grove_operation *items = grove__event_operations_items(events);
    size_t count = grove__event_operations_count(events);
    border_walk walk = {events, 0, 0};
    uint32_t at = 0;
    size_t content = 0;
    bool is_in_order = true;
    for (size_t index = 0; index < count; index++) {
        grove_operation *item = &items[index];
        if (item->count == 0 || item->count > event_count - at) {
            return fail_operations(type, error_out, "of other events than there are");
        }
        if (item->count > next_border(&walk, at, event_count) - at) {
            return fail_operations(type, error_out, "one reaches across a border");
        }
        if (item->content.size > content_bytes_max) {
            return fail_operations(type, error_out, "a content that is too large");
        }
        if (item->content.size == 0) {
            item->content.data = NULL;
        } else if (is_in_order) {
            is_in_order = item->content.data == events->content.data + content;
            content += item->content.size;
        }
        at += item->count;
    }
    if (at != event_count) {
        return fail_operations(type, error_out, "of fewer events than there are");
    }
    events->contents_in_order = is_in_order && content == events->content.size;
    return GROVE_OK;
}

grove_status grove__batch_operations_decode(grove_bytes structure, bool has_contents,
                                            uint32_t event_count,
                                            const grove_document_type *type,
                                            grove__events *events, grove_error *error_out)
{
    grove_type_frames frames = {structure, grove_buffer_view(&events->content),
                                !has_contents};
    if (event_count == 0) {
        return frames.structure.size + frames.content.size == 0
                   ? GROVE_OK
                   : fail_operations(type, error_out, "of no events");
    }
    grove_status status = type->operations_decode(
        type, frames, event_count, &events->operations, &events->scratch, error_out);
    if (status == GROVE_OK) {
        status =
            check_operations(events, event_count,
                             has_contents ? GROVE_CONTENT_BYTES_MAX : 0, type, error_out);
    }
    return status;
}
