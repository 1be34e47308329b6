#include "json/node.h"

#include <sodium.h>

#include "base/bytes.h"

static const char *const TYPES[] = {"value", "array", "object"};

grove_bytes grove__json_type_of(grove__json_kind kind)
{
    return grove_bytes_of(TYPES[kind]);
}

grove_bytes grove__json_key_name(void)
{
    return grove_bytes_of("key");
}

grove_bytes grove__json_value_name(void)
{
    return grove_bytes_of("value");
}

grove_status grove__json_member_id(const grove_document *document, grove_node object,
                                   grove_bytes key, uint8_t id_out[GROVE__JSON_ID_BYTES],
                                   grove_error *error_out)
{
    grove_tree_id_bytes parent;
    grove_status status = grove_tree_id(document, object, &parent, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    const uint8_t size = (uint8_t)parent.size;
    crypto_generichash_state hash;
    (void)crypto_generichash_init(&hash, NULL, 0, GROVE__JSON_ID_BYTES);
    (void)crypto_generichash_update(&hash, &size, sizeof size);
    (void)crypto_generichash_update(&hash, parent.bytes, parent.size);
    (void)crypto_generichash_update(&hash, key.data, key.size);
    (void)crypto_generichash_final(&hash, id_out, GROVE__JSON_ID_BYTES);
    return GROVE_OK;
}

static grove_status kind_of_type(grove_bytes type, grove__json_kind *kind_out)
{
    for (size_t kind = 0; kind < sizeof TYPES / sizeof *TYPES; kind++) {
        if (grove__bytes_equal(type, grove_bytes_of(TYPES[kind]))) {
            *kind_out = (grove__json_kind)kind;
            return GROVE_OK;
        }
    }
    return GROVE_NONE;
}

grove_status grove__json_kind_of(const grove_document *document, grove_node node,
                                 grove__json_view *view_out, grove_error *error_out)
{
    grove_tree_info info;
    grove__json_view view = {.node = node};
    grove_status status = grove_tree_info_get(document, node, &info, error_out);
    if (status == GROVE_OK) {
        status = kind_of_type(info.type, &view.kind);
    }
    if (status == GROVE_OK) {
        *view_out = view;
    }
    return status;
}

/* Whether the node is that object's member with the key that it says it is. */
static grove_status check_member(const grove_document *document, grove_node object,
                                 grove_node node, grove_bytes key, grove_error *error_out)
{
    uint8_t wanted[GROVE__JSON_ID_BYTES];
    grove_tree_id_bytes id;
    grove_status status = grove__json_member_id(document, object, key, wanted, error_out);
    if (status == GROVE_OK) {
        status = grove_tree_id(document, node, &id, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    return id.size == sizeof wanted && memcmp(id.bytes, wanted, sizeof wanted) == 0
               ? GROVE_OK
               : GROVE_NONE;
}

/* What a child that is not deleted is; GROVE_NONE: it does not show. */
static grove_status look_at(const grove_document *document,
                            const grove__json_view *container, grove_node node,
                            grove__json_view *view_out, grove_error *error_out)
{
    grove__json_view view;
    grove_value key;
    grove_status status = grove__json_kind_of(document, node, &view, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove_tree_get(document, node, grove__json_key_name(), &key, error_out);
    bool has_key = status == GROVE_OK;
    if (status != GROVE_OK && status != GROVE_NONE) {
        return status;
    }
    if (has_key != (container->kind == GROVE__JSON_OBJECT)) {
        return GROVE_NONE;
    }
    if (has_key) {
        if (key.kind != GROVE_VALUE_TEXT) {
            return GROVE_NONE;
        }
        view.key = key.bytes;
        status = check_member(document, container->node, node, key.bytes, error_out);
        if (status != GROVE_OK) {
            return status;
        }
    }
    *view_out = view;
    return GROVE_OK;
}

grove_status grove__json_member(const grove_document *document, grove_node object,
                                grove_bytes key, grove__json_view *view_out,
                                grove_error *error_out)
{
    const grove__json_view container = {.node = object, .kind = GROVE__JSON_OBJECT};
    uint8_t bytes[GROVE__JSON_ID_BYTES];
    const grove_bytes id = {bytes, sizeof bytes};
    grove_node node;
    grove_tree_info info;
    grove__json_view view;
    grove_status status = grove__json_member_id(document, object, key, bytes, error_out);
    if (status == GROVE_OK) {
        status = grove_tree_find(document, id, &node, error_out);
    }
    if (status == GROVE_OK) {
        status = grove_tree_info_get(document, node, &info, error_out);
    }
    if (status == GROVE_OK && (info.is_deleted || info.parent != object)) {
        status = GROVE_NONE;
    }
    if (status == GROVE_OK) {
        status = look_at(document, &container, node, &view, error_out);
    }
    if (status == GROVE_OK) {
        *view_out = view;
    }
    return status;
}

/* The first from `node` on that shows. */
static grove_status find_shown(const grove_document *document,
                               const grove__json_view *container, grove_node node,
                               grove__json_view *view_out, grove_error *error_out)
{
    while (node != GROVE_NODE_NONE) {
        grove_status status = look_at(document, container, node, view_out, error_out);
        if (status != GROVE_NONE) {
            return status;
        }
        status = grove_tree_step(document, node, GROVE_TREE_TO_NEXT, 0, &node, error_out);
        if (status != GROVE_OK) {
            return status;
        }
    }
    return GROVE_NONE;
}

grove_status grove__json_first(const grove_document *document,
                               const grove__json_view *container,
                               grove__json_view *view_out, grove_error *error_out)
{
    if (container->kind == GROVE__JSON_SCALAR) {
        return GROVE_NONE;
    }
    grove_node node;
    grove_status status = grove_tree_step(document, container->node, GROVE_TREE_TO_FIRST,
                                          0, &node, error_out);
    return status == GROVE_OK ? find_shown(document, container, node, view_out, error_out)
                              : status;
}

grove_status grove__json_next(const grove_document *document,
                              const grove__json_view *container,
                              const grove__json_view *child, grove__json_view *view_out,
                              grove_error *error_out)
{
    grove_node node;
    grove_status status =
        grove_tree_step(document, child->node, GROVE_TREE_TO_NEXT, 0, &node, error_out);
    return status == GROVE_OK ? find_shown(document, container, node, view_out, error_out)
                              : status;
}

grove_status grove__json_count(const grove_document *document,
                               const grove__json_view *container, size_t *count_out,
                               grove_error *error_out)
{
    size_t count = 0;
    grove__json_view child;
    grove_status status = grove__json_first(document, container, &child, error_out);
    while (status == GROVE_OK) {
        count++;
        status = grove__json_next(document, container, &child, &child, error_out);
    }
    if (status != GROVE_NONE) {
        return status;
    }
    *count_out = count;
    return GROVE_OK;
}

grove_status grove__json_scalar(const grove_document *document, grove_node node,
                                grove_value *scalar_out, grove_error *error_out)
{
    grove_value scalar;
    grove_status status =
        grove_tree_get(document, node, grove__json_value_name(), &scalar, error_out);
    if (status != GROVE_OK && status != GROVE_NONE) {
        return status;
    }
    bool is_json = status == GROVE_OK && scalar.kind != GROVE_VALUE_BYTES;
    if (is_json && scalar.kind == GROVE_VALUE_DOUBLE) {
        /* Neither a NaN nor infinite. */
        is_json = scalar.number - scalar.number == 0;
    }
    *scalar_out = is_json ? scalar : grove_value_null();
    return GROVE_OK;
}
