/* Reading a tree through a handle. */
#include "base/bytes.h"
#include "base/error.h"
#include "document/tree_edit.h"

static grove_status check_tree(const grove_document *document,
                               const grove__tree **tree_out, grove_error *error_out)
{
    grove_status status = grove__document_check(document, error_out);
    if (status == GROVE_OK) {
        status = grove__tree_check_type(document, error_out);
    }
    if (status == GROVE_OK) {
        *tree_out = document->state;
    }
    return status;
}

static grove_status check_node(const grove_document *document, grove_node node,
                               const grove__tree **tree_out, grove_error *error_out)
{
    grove_status status = check_tree(document, tree_out, error_out);
    return status == GROVE_OK ? grove__tree_check_node(*tree_out, node, error_out)
                              : status;
}

/* A node of the tree as callers know it. */
static grove_node public_node(uint32_t node)
{
    return node == GROVE__TREE_NONE ? GROVE_NODE_NONE : node;
}

grove_status grove_tree_id(const grove_document *document, grove_node node,
                           grove_tree_id_bytes *id_out, grove_error *error_out)
{
    const grove__tree *tree = NULL;
    grove_status status = check_node(document, node, &tree, error_out);
    if (status == GROVE_OK) {
        grove__tree_id(tree, node, id_out);
    }
    return status;
}

grove_status grove_tree_find(const grove_document *document, grove_bytes id,
                             grove_node *node_out, grove_error *error_out)
{
    const grove__tree *tree = NULL;
    grove_status status = check_tree(document, &tree, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    uint32_t node = grove__tree_find(tree, id);
    if (node == GROVE__TREE_NONE) {
        return grove__fail(error_out, GROVE_NONE, "there is no node with this id");
    }
    *node_out = node;
    return GROVE_OK;
}

grove_status grove_tree_info_get(const grove_document *document, grove_node node,
                                 grove_tree_info *info_out, grove_error *error_out)
{
    const grove__tree *tree = NULL;
    grove_status status = check_node(document, node, &tree, error_out);
    if (status == GROVE_OK) {
        const grove__tree_node *record = &tree->nodes[node];
        info_out->type = grove__names_at(&tree->names, record->type);
        info_out->parent = public_node(grove__tree_parent(tree, node));
        info_out->is_deleted = grove__tree_is_deleted(tree, node);
        info_out->children = record->child_count;
    }
    return status;
}

grove_status grove_tree_is_visible(const grove_document *document, grove_node node,
                                   bool *is_visible_out, grove_error *error_out)
{
    const grove__tree *tree = NULL;
    grove_status status = check_node(document, node, &tree, error_out);
    if (status == GROVE_OK) {
        while (node != GROVE_NODE_ROOT && !grove__tree_is_deleted(tree, node)) {
            node = grove__tree_parent(tree, node);
        }
        *is_visible_out = node == GROVE_NODE_ROOT;
    }
    return status;
}

/* An attribute's value; it was checked when it was taken in. */
static grove_value value_of(const grove__tree *tree, uint32_t attribute)
{
    grove_value value = grove_value_null();
    (void)grove__tree_value_decode(grove__tree_value_at(tree, attribute), &value);
    return value;
}

grove_status grove_tree_get(const grove_document *document, grove_node node,
                            grove_bytes name, grove_value *value_out,
                            grove_error *error_out)
{
    const grove__tree *tree = NULL;
    grove_status status = check_node(document, node, &tree, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    uint32_t attribute = grove__tree_attribute_of(tree, node, name);
    if (attribute == GROVE__TREE_NONE || tree->attributes[attribute].size == 0) {
        return grove__fail(error_out, GROVE_NONE, "the node has no such attribute");
    }
    *value_out = value_of(tree, attribute);
    return GROVE_OK;
}

grove_status grove_tree_attributes(const grove_document *document, grove_node node,
                                   grove_tree_attribute_fn each, void *context,
                                   grove_error *error_out)
{
    const grove__tree *tree = NULL;
    grove_status status = check_node(document, node, &tree, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_buffer sorted;
    grove_buffer_init(&sorted, document->allocator);
    if (!grove__tree_sort_attributes(tree, node, &sorted)) {
        status = grove__fail_memory(error_out);
    }
    const grove__tree_named *named = (const grove__tree_named *)(const void *)sorted.data;
    size_t count = status == GROVE_OK ? sorted.size / sizeof *named : 0;
    bool goes_on = true;
    for (size_t index = 0; goes_on && index < count; index++) {
        if (tree->attributes[named[index].attribute].size > 0) {
            grove_attribute attribute = {named[index].name,
                                         value_of(tree, named[index].attribute)};
            goes_on = each(context, &attribute);
        }
    }
    grove_buffer_release(&sorted);
    return status;
}

grove_status grove_tree_step(const grove_document *document, grove_node node,
                             grove_tree_way way, unsigned flags, grove_node *node_out,
                             grove_error *error_out)
{
    const grove__tree *tree = NULL;
    grove_status status = check_node(document, node, &tree, error_out);
    if (status == GROVE_OK && (unsigned)way > GROVE_TREE_TO_PREVIOUS) {
        status = grove__fail(error_out, GROVE_INVALID, "there is no way %d", (int)way);
    }
    if (status == GROVE_OK) {
        bool deleted_too = (flags & GROVE_TREE_DELETED_TOO) != 0;
        *node_out = public_node(grove__tree_step(tree, node, way, deleted_too));
    }
    return status;
}

grove_status grove_tree_child(const grove_document *document, grove_node node,
                              uint64_t index, unsigned flags, grove_node *child_out,
                              grove_error *error_out)
{
    const grove__tree *tree = NULL;
    grove_status status = check_node(document, node, &tree, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    bool deleted_too = (flags & GROVE_TREE_DELETED_TOO) != 0;
    uint32_t child = GROVE__TREE_NONE;
    if (deleted_too || index < tree->nodes[node].child_count) {
        child = grove__tree_step(tree, node, GROVE_TREE_TO_FIRST, deleted_too);
    }
    for (; child != GROVE__TREE_NONE && index > 0; index--) {
        child = grove__tree_step(tree, child, GROVE_TREE_TO_NEXT, deleted_too);
    }
    if (child == GROVE__TREE_NONE) {
        return grove__fail(error_out, GROVE_NONE, "the node has not so many children");
    }
    *child_out = child;
    return GROVE_OK;
}

grove_status grove_tree_walk(const grove_document *document, grove_node node,
                             uint32_t depth_max, unsigned flags, grove_tree_fn each,
                             void *context, grove_error *error_out)
{
    const grove__tree *tree = NULL;
    grove_status status = check_node(document, node, &tree, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    bool deleted_too = (flags & GROVE_TREE_DELETED_TOO) != 0;
    uint32_t depth = 0;
    uint32_t at = node;
    while (at != GROVE__TREE_NONE && each(context, at, depth)) {
        at = grove__tree_next(tree, node, at, depth < depth_max, deleted_too, &depth);
    }
    return GROVE_OK;
}

/* Whether a node is one that a query looks for. `value` is the encoded one. */
static bool fits(const grove__tree *tree, uint32_t node, const grove_tree_query *query,
                 grove_bytes value)
{
    grove_bytes type = grove__names_at(&tree->names, tree->nodes[node].type);
    if (query->type != NULL && !grove__bytes_equal(type, *query->type)) {
        return false;
    }
    if (query->name == NULL) {
        return true;
    }
    uint32_t attribute = grove__tree_attribute_of(tree, node, *query->name);
    if (attribute == GROVE__TREE_NONE || tree->attributes[attribute].size == 0) {
        return false;
    }
    return query->value == NULL ||
           grove__bytes_equal(grove__tree_value_at(tree, attribute), value);
}

grove_status grove_tree_search(const grove_document *document, grove_node node,
                               const grove_tree_query *query, unsigned flags,
                               grove_tree_fn each, void *context, grove_error *error_out)
{
    const grove__tree *tree = NULL;
    grove_status status = check_node(document, node, &tree, error_out);
    if (status == GROVE_OK && query->value != NULL && query->name == NULL) {
        status =
            grove__fail(error_out, GROVE_INVALID, "a value is looked for without a name");
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove_buffer value;
    grove_buffer_init(&value, document->allocator);
    if (query->value != NULL) {
        grove__tree_value_encode(query->value, &value);
    }
    bool deleted_too = (flags & GROVE_TREE_DELETED_TOO) != 0;
    uint32_t depth = 0;
    bool goes_on = !value.failed;
    for (uint32_t at = node; goes_on && at != GROVE__TREE_NONE;
         at = grove__tree_next(tree, node, at, true, deleted_too, &depth)) {
        goes_on =
            !fits(tree, at, query, grove_buffer_view(&value)) || each(context, at, depth);
    }
    status = value.failed ? grove__fail_memory(error_out) : GROVE_OK;
    grove_buffer_release(&value);
    return status;
}

grove_status grove_tree_count(const grove_document *document, uint64_t *count_out,
                              grove_error *error_out)
{
    const grove__tree *tree = NULL;
    grove_status status = check_tree(document, &tree, error_out);
    if (status == GROVE_OK) {
        *count_out = tree->node_count;
    }
    return status;
}

grove_status grove_tree_path(const grove_document *document, grove_node node,
                             grove_node *nodes, size_t capacity, size_t *count_out,
                             grove_error *error_out)
{
    const grove__tree *tree = NULL;
    grove_status status = check_node(document, node, &tree, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    size_t count = 1;
    for (uint32_t at = node; at != GROVE_NODE_ROOT; at = grove__tree_parent(tree, at)) {
        count++;
    }
    *count_out = count;
    if (count > capacity) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "the way has %zu nodes, and there is room for %zu", count,
                           capacity);
    }
    for (; count > 0; count--) {
        nodes[count - 1] = node;
        node = public_node(grove__tree_parent(tree, node));
    }
    return GROVE_OK;
}

grove_status grove_tree_digest(const grove_document *document, uint8_t *digest_out,
                               grove_error *error_out)
{
    const grove__tree *tree = NULL;
    grove_status status = check_tree(document, &tree, error_out);
    return status == GROVE_OK ? grove__tree_digest(tree, digest_out, error_out) : status;
}
