#include "json/walk.h"

#include "base/error.h"
#include "json/memory.h"

/*
 * Behind `at`, of which all was told: tells of the ends of containers up to
 * where something follows, and leaves that in *at. GROVE_NONE: nothing does.
 */
static grove_status go_on(const grove_document *document, grove_node top,
                          grove__json_view *at, const grove__json_visitor *visitor,
                          grove_error *error_out)
{
    while (at->node != top) {
        grove_node above;
        grove__json_view container;
        grove_status status = grove_tree_step(document, at->node, GROVE_TREE_TO_PARENT, 0,
                                              &above, error_out);
        if (status == GROVE_OK) {
            status = grove__json_kind_of(document, above, &container, error_out);
        }
        if (status == GROVE_OK) {
            status = grove__json_next(document, &container, at, at, error_out);
        }
        if (status != GROVE_NONE) {
            return status == GROVE_OK
                       ? visitor->enter(visitor->context, at,
                                        container.kind == GROVE__JSON_OBJECT, error_out)
                       : status;
        }
        status = visitor->leave(visitor->context, container.kind, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        *at = container;
    }
    return GROVE_NONE;
}

grove_status grove__json_walk(const grove_document *document,
                              const grove__json_view *view,
                              const grove__json_visitor *visitor, grove_error *error_out)
{
    grove__json_view at = *view;
    grove_status status = visitor->enter(visitor->context, &at, false, error_out);
    while (status == GROVE_OK) {
        grove__json_view child;
        status = grove__json_first(document, &at, &child, error_out);
        if (status == GROVE_OK) {
            status = visitor->enter(visitor->context, &child,
                                    at.kind == GROVE__JSON_OBJECT, error_out);
            at = child;
            continue;
        }
        if (status == GROVE_NONE && at.kind != GROVE__JSON_SCALAR) {
            status = visitor->leave(visitor->context, at.kind, error_out);
        } else if (status == GROVE_NONE) {
            status = GROVE_OK;
        }
        if (status == GROVE_OK) {
            status = go_on(document, view->node, &at, visitor, error_out);
        }
    }
    return status == GROVE_NONE ? GROVE_OK : status;
}

/* --- a copy --- */

typedef struct copying {
    const grove_document *document;
    grove__json_value value;
    size_t count_left;
    grove_buffer open; /* size_t: the containers that are open */
} copying;

static grove_status copy_enter(void *context, const grove__json_view *view,
                               bool is_member, grove_error *error_out)
{
    copying *copy = context;
    const grove_bytes none = {NULL, 0};
    grove_bytes key = is_member ? view->key : none;
    if (copy->count_left == 0) {
        return grove__fail(error_out, GROVE_LIMIT, "%s", "too many values are copied");
    }
    copy->count_left--;
    if (view->kind != GROVE__JSON_SCALAR) {
        size_t index = grove__json_open(&copy->value, key, view->kind);
        grove_buffer_append(&copy->open, &index, sizeof index);
    } else {
        grove_value scalar;
        grove_status status =
            grove__json_scalar(copy->document, view->node, &scalar, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        grove__json_add_scalar(&copy->value, key, &scalar);
    }
    return copy->open.failed || grove__json_value_failed(&copy->value)
               ? grove__fail_memory(error_out)
               : GROVE_OK;
}

static grove_status copy_leave(void *context, grove__json_kind kind,
                               grove_error *error_out)
{
    copying *copy = context;
    size_t index;
    (void)kind, (void)error_out;
    copy->open.size -= sizeof index;
    memcpy(&index, copy->open.data + copy->open.size, sizeof index);
    grove__json_close(&copy->value, index);
    return GROVE_OK;
}

grove_status grove__json_copy(const grove_document *document,
                              const grove__json_view *view, size_t count_max,
                              grove__json_value *value_out, grove_error *error_out)
{
    copying copy = {.document = document, .count_left = count_max};
    const grove__json_visitor visitor = {&copy, copy_enter, copy_leave};
    grove__json_value_init(&copy.value);
    grove_buffer_init(&copy.open, &grove__json_allocator);
    grove_status status = grove__json_walk(document, view, &visitor, error_out);
    grove_buffer_release(&copy.open);
    if (status == GROVE_OK) {
        *value_out = copy.value;
    } else {
        grove__json_value_release(&copy.value);
    }
    return status;
}
