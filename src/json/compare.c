#include "json/compare.h"

#include "base/error.h"
#include "json/memory.h"

/* A node and an item that are still to be compared. */
typedef struct pair {
    grove__json_view view;
    size_t index;
} pair;

/* Pairs each member of the item with the node's; GROVE_NONE: one lacks it. */
static grove_status pair_members(const grove_document *document, const pair *of,
                                 const grove__json_value *value, grove_buffer *pairs,
                                 grove_error *error_out)
{
    const grove__json_item *object = grove__json_item_at(value, of->index);
    size_t count = 0;
    grove_status status = grove__json_count(document, &of->view, &count, error_out);
    if (status == GROVE_OK && count != object->is.count) {
        status = GROVE_NONE;
    }
    for (size_t at = of->index + 1; at < object->end && status == GROVE_OK;
         at = grove__json_item_at(value, at)->end) {
        pair next = {.index = at};
        status = grove__json_member(document, of->view.node,
                                    grove__json_key_of(value, at), &next.view, error_out);
        if (status == GROVE_OK) {
            grove_buffer_append(pairs, &next, sizeof next);
        }
    }
    return status;
}

/* The same of elements, in their order. */
static grove_status pair_elements(const grove_document *document, const pair *of,
                                  const grove__json_value *value, grove_buffer *pairs,
                                  grove_error *error_out)
{
    const grove__json_item *array = grove__json_item_at(value, of->index);
    pair next = {.index = of->index + 1};
    grove_status status = grove__json_first(document, &of->view, &next.view, error_out);
    while (status == GROVE_OK && next.index < array->end) {
        grove_buffer_append(pairs, &next, sizeof next);
        next.index = grove__json_item_at(value, next.index)->end;
        status = grove__json_next(document, &of->view, &next.view, &next.view, error_out);
    }
    if (status == GROVE_OK || status == GROVE_NONE) {
        bool are_as_many = status == GROVE_NONE && next.index == array->end;
        status = are_as_many ? GROVE_OK : GROVE_NONE;
    }
    return status;
}

static grove_status compare_one(const grove_document *document, const pair *one,
                                const grove__json_value *value, grove_buffer *pairs,
                                grove__json_scalar_fn *are_equal, grove_error *error_out)
{
    grove__json_kind kind = grove__json_item_at(value, one->index)->kind;
    if (one->view.kind != kind) {
        return GROVE_NONE;
    }
    if (kind == GROVE__JSON_OBJECT) {
        return pair_members(document, one, value, pairs, error_out);
    }
    if (kind == GROVE__JSON_ARRAY) {
        return pair_elements(document, one, value, pairs, error_out);
    }
    grove_value is;
    grove_value wanted = grove__json_scalar_of(value, one->index);
    grove_status status = grove__json_scalar(document, one->view.node, &is, error_out);
    if (status == GROVE_OK && !are_equal(&is, &wanted)) {
        status = GROVE_NONE;
    }
    return status;
}

grove_status grove__json_compare(const grove_document *document,
                                 const grove__json_view *view,
                                 const grove__json_value *value, size_t index,
                                 grove__json_scalar_fn *are_equal, grove_error *error_out)
{
    grove_buffer pairs;
    grove_buffer_init(&pairs, &grove__json_allocator);
    pair one = {*view, index};
    grove_status status = GROVE_OK;
    bool is_left = true;
    while (status == GROVE_OK && is_left) {
        status = compare_one(document, &one, value, &pairs, are_equal, error_out);
        if (status == GROVE_OK && pairs.failed) {
            status = grove__fail_memory(error_out);
        }
        is_left = pairs.size > 0;
        if (is_left) {
            pairs.size -= sizeof one;
            memcpy(&one, pairs.data + pairs.size, sizeof one);
        }
    }
    grove_buffer_release(&pairs);
    return status;
}
