#include "json/put.h"

#include "base/bytes.h"

grove_status grove__json_begin(grove_document *document, grove_error *error_out)
{
    return grove_tree_begin(document, error_out);
}

grove_status grove__json_end(grove_document *document, grove_status status,
                             grove_error *error_out)
{
    if (status == GROVE_OK) {
        return grove_tree_end(document, error_out);
    }
    grove_error why;
    grove_status cancelled = grove_tree_cancel(document, &why);
    if (cancelled != GROVE_OK && error_out != NULL) {
        *error_out = why;
    }
    return cancelled != GROVE_OK ? cancelled : status;
}

grove_status grove__json_target_member(const grove_document *document, grove_node object,
                                       grove_bytes key, grove__json_target *target_out,
                                       grove_error *error_out)
{
    grove__json_target target = {.key = key};
    target.parent.node = object;
    target.parent.kind = GROVE__JSON_OBJECT;
    grove_status status =
        grove__json_member(document, object, key, &target.view, error_out);
    if (status != GROVE_OK && status != GROVE_NONE) {
        return status;
    }
    target.is_shown = status == GROVE_OK;
    *target_out = target;
    return GROVE_OK;
}

static bool is_member(const grove__json_target *target)
{
    return target->parent.kind == GROVE__JSON_OBJECT;
}

enum { ATTRIBUTES_MAX = 2 };

/* What a node has for the item. */
static size_t fill_attributes(const grove__json_change *change,
                              const grove__json_target *target, size_t index,
                              grove_attribute attributes_out[ATTRIBUTES_MAX])
{
    size_t count = 0;
    if (is_member(target)) {
        attributes_out[count].name = grove__json_key_name();
        attributes_out[count++].value = grove_value_text(target->key);
    }
    if (grove__json_item_at(change->value, index)->kind == GROVE__JSON_SCALAR) {
        attributes_out[count].name = grove__json_value_name();
        attributes_out[count++].value = grove__json_scalar_of(change->value, index);
    }
    return count;
}

/* Puts a node that there is not; an element's id is made by the tree. */
static grove_status put_new(const grove__json_change *change,
                            const grove__json_target *target, grove_bytes id,
                            size_t index, grove_node *node_out, grove_error *error_out)
{
    grove_attribute attributes[ATTRIBUTES_MAX];
    grove_tree_item item = {.id = id, .attributes = attributes};
    item.type = grove__json_type_of(grove__json_item_at(change->value, index)->kind);
    item.attribute_count = fill_attributes(change, target, index, attributes);
    const grove_tree_place last = {target->parent.node, GROVE_TREE_LAST, GROVE_NODE_NONE};
    return grove_tree_put(change->document, &item,
                          is_member(target) ? last : target->place, change->metadata,
                          node_out, error_out);
}

/* Where a child stands; if it is elsewhere, the end. */
static grove_status find_own_place(const grove_document *document, grove_node parent,
                                   grove_node node, grove_tree_place *place_out,
                                   grove_error *error_out)
{
    grove_tree_info info;
    grove_tree_place place = {parent, GROVE_TREE_LAST, GROVE_NODE_NONE};
    grove_status status = grove_tree_info_get(document, node, &info, error_out);
    if (status == GROVE_OK && info.parent == parent) {
        status = grove_tree_step(document, node, GROVE_TREE_TO_PREVIOUS,
                                 GROVE_TREE_DELETED_TOO, &place.sibling, error_out);
        place = grove__json_place_after(parent, place.sibling);
    }
    if (status == GROVE_OK) {
        *place_out = place;
    }
    return status;
}

static grove_status delete_children(const grove__json_change *change, grove_node node,
                                    grove_error *error_out)
{
    grove_node child;
    grove_status status = grove_tree_step(change->document, node, GROVE_TREE_TO_FIRST, 0,
                                          &child, error_out);
    while (status == GROVE_OK && child != GROVE_NODE_NONE) {
        grove_node next;
        status = grove_tree_step(change->document, child, GROVE_TREE_TO_NEXT, 0, &next,
                                 error_out);
        if (status == GROVE_OK) {
            status =
                grove_tree_delete(change->document, child, change->metadata, error_out);
        }
        child = next;
    }
    return status;
}

/* Puts a node once more: it is of another kind, or was moved elsewhere. */
static grove_status put_again(const grove__json_change *change,
                              const grove__json_target *target, grove_node node,
                              size_t index, grove_error *error_out)
{
    grove_tree_id_bytes id;
    grove_tree_place place;
    grove_attribute attributes[ATTRIBUTES_MAX];
    grove_status status = grove_tree_id(change->document, node, &id, error_out);
    if (status == GROVE_OK) {
        status = find_own_place(change->document, target->parent.node, node, &place,
                                error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove_tree_item item = {.id = {id.bytes, id.size}, .attributes = attributes};
    item.type = grove__json_type_of(grove__json_item_at(change->value, index)->kind);
    item.attribute_count = fill_attributes(change, target, index, attributes);
    return grove_tree_put_again(change->document, &item, place, change->metadata, NULL,
                                error_out);
}

static grove_status set_scalar(const grove__json_change *change, grove_node node,
                               size_t index, grove_error *error_out)
{
    grove_bytes name = grove__json_value_name();
    grove_value wanted = grove__json_scalar_of(change->value, index);
    grove_value is;
    grove_status status = grove_tree_get(change->document, node, name, &is, error_out);
    if (status == GROVE_OK && grove__json_scalars_same(&is, &wanted)) {
        return GROVE_OK;
    }
    return status == GROVE_OK || status == GROVE_NONE
               ? grove_tree_set(change->document, node, name, &wanted, change->metadata,
                                error_out)
               : status;
}

/* Whether a node is where the target is, and says of what key it is. */
static grove_status check_place(const grove__json_change *change,
                                const grove__json_target *target, grove_node node,
                                grove_error *error_out)
{
    grove_tree_info info;
    grove_value key;
    grove_status status = grove_tree_info_get(change->document, node, &info, error_out);
    if (status != GROVE_OK || !is_member(target)) {
        return status;
    }
    if (info.parent != target->parent.node) {
        return GROVE_NONE;
    }
    status =
        grove_tree_get(change->document, node, grove__json_key_name(), &key, error_out);
    bool differs = status == GROVE_OK && (key.kind != GROVE_VALUE_TEXT ||
                                          !grove__bytes_equal(key.bytes, target->key));
    return differs ? GROVE_NONE : status;
}

/* Puts over a node that there is, deleted or not. */
static grove_status put_over(const grove__json_change *change,
                             const grove__json_target *target, grove_node node,
                             size_t index, grove_error *error_out)
{
    grove__json_kind kind = grove__json_item_at(change->value, index)->kind;
    grove__json_view is;
    grove_status status =
        grove_tree_restore(change->document, node, change->metadata, error_out);
    if (status == GROVE_OK || status == GROVE_NONE) {
        status = grove__json_kind_of(change->document, node, &is, error_out);
    }
    bool is_of_kind = status == GROVE_OK && is.kind == kind;
    if (status == GROVE_OK && is_of_kind) {
        status = check_place(change, target, node, error_out);
    } else if (status == GROVE_OK || status == GROVE_NONE) {
        status = delete_children(change, node, error_out);
        status = status == GROVE_OK ? GROVE_NONE : status;
    }
    if (status == GROVE_NONE) {
        return put_again(change, target, node, index, error_out);
    }
    if (status == GROVE_OK && kind == GROVE__JSON_SCALAR) {
        status = set_scalar(change, node, index, error_out);
    }
    return status;
}

grove_status grove__json_put(const grove__json_change *change,
                             const grove__json_target *target, size_t index,
                             grove_node *node_out, grove_error *error_out)
{
    uint8_t bytes[GROVE__JSON_ID_BYTES];
    grove_bytes id = {NULL, 0};
    grove_node node = target->view.node;
    grove_status status = target->is_shown ? GROVE_OK : GROVE_NONE;
    if (status == GROVE_NONE && is_member(target)) {
        status = grove__json_member_id(change->document, target->parent.node, target->key,
                                       bytes, error_out);
        if (status == GROVE_OK) {
            id = (grove_bytes){bytes, sizeof bytes};
            status = grove_tree_find(change->document, id, &node, error_out);
        }
    }
    if (status == GROVE_NONE) {
        status = put_new(change, target, id, index, &node, error_out);
    } else if (status == GROVE_OK) {
        status = put_over(change, target, node, index, error_out);
    }
    if (status == GROVE_OK) {
        *node_out = node;
    }
    return status;
}
