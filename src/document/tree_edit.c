#include "document/tree_edit.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/utf8.h"

grove_status grove__tree_editable(const grove_document *document, grove__tree **tree_out,
                                  grove_error *error_out)
{
    grove_status status = grove__document_check_editable(document, error_out);
    if (status == GROVE_OK) {
        status = grove__tree_check_type(document, error_out);
    }
    if (status == GROVE_OK) {
        *tree_out = document->state;
    }
    return status;
}

grove_status grove__tree_check_type(const grove_document *document,
                                    grove_error *error_out)
{
    if (document->type != grove_type_tree()) {
        return grove__fail(error_out, GROVE_INVALID,
                           "the document is of type %s, not tree", document->type->name);
    }
    return GROVE_OK;
}

/* --- what an operation names --- */

/* The event that made a place, as the handle's next event names it. */
static grove__tree_reference reference_of(const grove_document *document, uint32_t place)
{
    const grove__tree *tree = document->state;
    grove__tree_reference reference = {GROVE__TREE_REFERENCE_NONE, 0, {NULL, 0}};
    if (place == GROVE__TREE_NONE) {
        return reference;
    }
    grove__stamp stamp = tree->places[place].stamp;
    grove_bytes replica = grove__names_at(&tree->replicas, grove__stamp_replica(stamp));
    uint64_t sequence = grove__stamp_sequence(stamp);
    if (grove__bytes_equal(replica, grove__replica_bytes(&document->replica))) {
        reference.kind = GROVE__TREE_REFERENCE_OWN;
        reference.number = document->next_sequence - sequence;
    } else {
        reference.kind = GROVE__TREE_REFERENCE_OTHER;
        reference.number = sequence;
        reference.replica = replica;
    }
    return reference;
}

/* Room for a number and a size beside each field's bytes. */
enum { FIELD_BYTES_MAX = 20, FIELDS_MAX = 16 };

static grove_status check_size(const grove__tree_operation *operation,
                               grove_error *error_out)
{
    size_t bytes = operation->id.size + operation->type.size + operation->name.size +
                   operation->attributes.size + operation->value.size +
                   operation->metadata.size;
    if (bytes > GROVE_CONTENT_BYTES_MAX - FIELD_BYTES_MAX * FIELDS_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "an event of %zu bytes; the limit is near %llu "
                           "(GROVE_CONTENT_BYTES_MAX)",
                           bytes, (unsigned long long)GROVE_CONTENT_BYTES_MAX);
    }
    return GROVE_OK;
}

grove_status grove__tree_emit(grove_document *document, grove__tree_operation *operation,
                              uint32_t node, const grove__tree_spot *spot,
                              grove_error *error_out)
{
    const grove__tree *tree = document->state;
    const grove__tree_row *row = document->noting;
    grove_status status = check_size(operation, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (operation->kind != GROVE_TREE_PUT) {
        operation->node = reference_of(document, tree->nodes[node].made);
    }
    if (spot != NULL) {
        operation->parent = reference_of(document, tree->nodes[spot->parent].made);
        operation->anchor = reference_of(document, spot->place.anchor);
        operation->is_left = spot->place.is_left;
    }
    size_t records = row->records.size;
    size_t values = row->values.size;
    status = grove__tree_remember(document, operation, node, error_out);
    grove_buffer content;
    grove_buffer_init(&content, document->allocator);
    if (status == GROVE_OK) {
        grove__tree_operation_encode(operation, &content);
        status = content.failed ? grove__fail_memory(error_out) : GROVE_OK;
    }
    if (status == GROVE_OK) {
        grove_operation made = {operation->kind, 1, 0, grove_buffer_view(&content)};
        status = grove__document_make(document, &made, error_out);
    }
    if (status != GROVE_OK) {
        grove__tree_forget(document, records, values);
    } else if (!document->is_changing) {
        grove__tree_close_change(document);
    }
    grove_buffer_release(&content);
    return status;
}

/* --- where a node goes --- */

grove__tree_spot grove__tree_spot_of(const grove__tree *tree, uint32_t place)
{
    const grove__fugue_links *links = &tree->fugue.links[place];
    uint32_t parent = tree->places[place].parent;
    uint32_t left = grove__tree_pass(tree, links->previous, false, true);
    uint32_t right = grove__tree_pass(tree, links->next, true, true);
    return (grove__tree_spot){
        parent,
        grove__fugue_between(&tree->fugue, &tree->nodes[parent].children, left, right)};
}

grove_status grove__tree_check_node(const grove__tree *tree, grove_node node,
                                    grove_error *error_out)
{
    if (node >= tree->node_count) {
        return grove__fail(error_out, GROVE_INVALID, "there is no node %lu",
                           (unsigned long)node);
    }
    return GROVE_OK;
}

static grove_status check_sibling(const grove__tree *tree, const grove_tree_place *place,
                                  grove_node node, grove_error *error_out)
{
    grove_status status = grove__tree_check_node(tree, place->sibling, error_out);
    if (status == GROVE_OK &&
        (place->sibling == node ||
         grove__tree_parent(tree, place->sibling) != place->parent)) {
        status = grove__fail(error_out, GROVE_INVALID,
                             "node %lu is not another child of node %lu",
                             (unsigned long)place->sibling, (unsigned long)place->parent);
    }
    return status;
}

/* The spot that a place means, for a node that goes there. */
static grove_status find_spot(const grove__tree *tree, const grove_tree_place *place,
                              grove_node node, grove__tree_spot *spot_out,
                              grove_error *error_out)
{
    grove_status status = grove__tree_check_node(tree, place->parent, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    const grove__fugue_list *list = &tree->nodes[place->parent].children;
    uint32_t left = GROVE__TREE_NONE;
    uint32_t right = GROVE__TREE_NONE;
    uint32_t at = GROVE__TREE_NONE;
    switch (place->where) {
    case GROVE_TREE_LAST:
        left = grove__tree_pass(tree, list->last, false, true);
        break;
    case GROVE_TREE_FIRST:
        right = grove__tree_pass(tree, list->first, true, true);
        break;
    case GROVE_TREE_BEFORE:
    case GROVE_TREE_AFTER:
        status = check_sibling(tree, place, node, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        at = tree->nodes[place->sibling].place;
        if (place->where == GROVE_TREE_BEFORE) {
            right = at;
            left = grove__tree_pass(tree, tree->fugue.links[at].previous, false, true);
        } else {
            left = at;
            right = grove__tree_pass(tree, tree->fugue.links[at].next, true, true);
        }
        break;
    default:
        return grove__fail(error_out, GROVE_INVALID, "there is no place of kind %d",
                           (int)place->where);
    }
    spot_out->parent = place->parent;
    spot_out->place = grove__fugue_between(&tree->fugue, list, left, right);
    return GROVE_OK;
}

/* --- what is written --- */

static grove_status check_text(grove_bytes text, size_t bytes_max, const char *what,
                               grove_error *error_out)
{
    size_t points;
    size_t offset = 0;
    if (text.size > bytes_max) {
        return grove__fail(error_out, GROVE_LIMIT, "a %s has %zu bytes; it may have %zu",
                           what, text.size, bytes_max);
    }
    if (!grove__utf8_check(text, &points, &offset)) {
        return grove__fail_at(error_out, GROVE_INVALID, offset,
                              "a %s is not UTF-8 at byte %zu", what, offset);
    }
    return GROVE_OK;
}

static grove_status check_name(grove_bytes name, grove_error *error_out)
{
    if (name.size == 0) {
        return grove__fail(error_out, GROVE_INVALID, "an attribute has an empty name");
    }
    return check_text(name, GROVE_ATTRIBUTE_NAME_BYTES_MAX, "name", error_out);
}

static grove_status check_value(const grove_value *value, grove_error *error_out)
{
    if ((unsigned)value->kind > GROVE_VALUE_BYTES) {
        return grove__fail(error_out, GROVE_INVALID, "there is no value of kind %d",
                           (int)value->kind);
    }
    bool has_bytes = value->kind == GROVE_VALUE_TEXT || value->kind == GROVE_VALUE_BYTES;
    if (has_bytes && value->bytes.size >= GROVE_CONTENT_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT, "a value has %zu bytes",
                           value->bytes.size);
    }
    return value->kind == GROVE_VALUE_TEXT
               ? check_text(value->bytes, GROVE_CONTENT_BYTES_MAX, "text", error_out)
               : GROVE_OK;
}

static grove_status check_metadata(grove_bytes metadata, grove_error *error_out)
{
    if (metadata.size > GROVE_TREE_METADATA_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "metadata has %zu bytes; it may have %d", metadata.size,
                           GROVE_TREE_METADATA_BYTES_MAX);
    }
    return GROVE_OK;
}

/* An attribute of an item, for sorting. */
typedef struct item_attribute {
    const grove_attribute *given;
} item_attribute;

static int compare_names(const void *a, const void *b)
{
    const item_attribute *left = a;
    const item_attribute *right = b;
    return grove__bytes_compare(left->given->name, right->given->name);
}

/* Appends the attributes of an item, in the order of their names. */
static grove_status encode_attributes(const grove_tree_item *item, item_attribute *sorted,
                                      grove_buffer *bytes_out, grove_error *error_out)
{
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < item->attribute_count; index++) {
        sorted[index].given = &item->attributes[index];
        status = check_name(item->attributes[index].name, error_out);
        if (status == GROVE_OK) {
            status = check_value(&item->attributes[index].value, error_out);
        }
    }
    if (status != GROVE_OK) {
        return status;
    }
    qsort(sorted, item->attribute_count, sizeof *sorted, compare_names);
    for (size_t index = 0; index < item->attribute_count; index++) {
        if (index > 0 && compare_names(&sorted[index - 1], &sorted[index]) == 0) {
            return grove__fail(error_out, GROVE_INVALID, "an item has a name twice");
        }
        grove__tree_attribute_encode(sorted[index].given, bytes_out);
    }
    return bytes_out->failed ? grove__fail_memory(error_out) : GROVE_OK;
}

/* --- putting --- */

static grove_status check_item(const grove_tree_item *item, grove_bytes metadata,
                               grove_error *error_out)
{
    if (item->id.size > GROVE_NODE_ID_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT, "an id has %zu bytes; it may have %d",
                           item->id.size, GROVE_NODE_ID_BYTES_MAX);
    }
    grove_status status =
        check_text(item->type, GROVE_NODE_TYPE_BYTES_MAX, "type", error_out);
    return status == GROVE_OK ? check_metadata(metadata, error_out) : status;
}

/* The id of a new node that was given none: empty, it is made of the event's
 * own. Where a node with that was given one already, perhaps in another
 * document from where it came, it has a number more. */
static grove_bytes make_id(const grove_document *document, grove_tree_id_bytes *id)
{
    const grove__tree *tree = document->state;
    grove_bytes made = {NULL, 0};
    for (uint64_t number = 0; tree->printed_ids > 0; number++) {
        grove__tree_print_id(grove__replica_bytes(&document->replica),
                             document->next_sequence, id);
        if (number > 0) {
            grove__tree_extend_id(id, number);
            made = (grove_bytes){id->bytes, id->size};
        }
        if (grove__tree_find(tree, (grove_bytes){id->bytes, id->size}) ==
            GROVE__TREE_NONE) {
            break;
        }
    }
    return made;
}

/* Puts an item at a spot, as a new node or again. */
static grove_status put_item(grove_document *document, const grove_tree_item *item,
                             const grove__tree_spot *spot, grove_node node,
                             grove_bytes metadata, grove_error *error_out)
{
    size_t bytes = item->attribute_count * sizeof(item_attribute);
    item_attribute *sorted = NULL;
    if (bytes > 0) {
        sorted = grove__allocate(document->allocator, bytes);
        if (sorted == NULL) {
            return grove__fail_memory(error_out);
        }
    }
    grove_buffer attributes;
    grove_buffer_init(&attributes, document->allocator);
    grove_status status = GROVE_OK;
    if (bytes > 0) {
        status = encode_attributes(item, sorted, &attributes, error_out);
    }
    if (status == GROVE_OK) {
        grove__tree_operation operation = {
            .kind = GROVE_TREE_PUT,
            .id = item->id,
            .type = item->type,
            .attributes = grove_buffer_view(&attributes),
            .metadata = metadata,
        };
        status = grove__tree_emit(document, &operation, node, spot, error_out);
    }
    grove_buffer_release(&attributes);
    grove__deallocate(document->allocator, sorted, bytes);
    return status;
}

grove_status grove_tree_put(grove_document *document, const grove_tree_item *item,
                            grove_tree_place place, grove_bytes metadata,
                            grove_node *node_out, grove_error *error_out)
{
    grove__tree *tree = NULL;
    grove__tree_spot spot;
    grove_status status = grove__tree_editable(document, &tree, error_out);
    if (status == GROVE_OK) {
        status = check_item(item, metadata, error_out);
    }
    if (status == GROVE_OK) {
        status = find_spot(tree, &place, GROVE_NODE_NONE, &spot, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    if (item->id.size > 0 && grove__tree_find(tree, item->id) != GROVE__TREE_NONE) {
        return grove__fail(error_out, GROVE_CONFLICT, "there is a node with this id");
    }
    grove_tree_id_bytes id;
    grove_tree_item named = *item;
    if (item->id.size == 0) {
        named.id = make_id(document, &id);
    }
    grove_node node = (grove_node)tree->node_count;
    status = put_item(document, &named, &spot, node, metadata, error_out);
    if (status == GROVE_OK && node_out != NULL) {
        *node_out = node;
    }
    return status;
}

grove_status grove_tree_put_again(grove_document *document, const grove_tree_item *item,
                                  grove_tree_place place, grove_bytes metadata,
                                  grove_node *node_out, grove_error *error_out)
{
    grove__tree *tree = NULL;
    grove__tree_spot spot;
    grove_status status = grove__tree_editable(document, &tree, error_out);
    if (status == GROVE_OK) {
        status = check_item(item, metadata, error_out);
    }
    if (status == GROVE_OK && item->id.size == 0) {
        status = grove__fail(error_out, GROVE_INVALID,
                             "only a node with an id can be put again");
    }
    if (status != GROVE_OK) {
        return status;
    }
    uint32_t node = grove__tree_find(tree, item->id);
    bool is_new = node == GROVE__TREE_NONE;
    status = find_spot(tree, &place, is_new ? GROVE_NODE_NONE : node, &spot, error_out);
    if (status == GROVE_OK && !is_new && grove__tree_is_above(tree, node, spot.parent)) {
        status = grove__fail(error_out, GROVE_INVALID,
                             "the place is below the node that is put there");
    }
    if (status != GROVE_OK) {
        return status;
    }
    node = is_new ? (uint32_t)tree->node_count : node;
    status = put_item(document, item, &spot, node, metadata, error_out);
    if (status == GROVE_OK && node_out != NULL) {
        *node_out = node;
    }
    return status;
}

/* --- the other edits --- */

/* What all edits of a node that is there begin with. */
static grove_status begin_edit(grove_document *document, grove_node node,
                               grove_bytes metadata, grove__tree **tree_out,
                               grove_error *error_out)
{
    grove_status status = grove__tree_editable(document, tree_out, error_out);
    if (status == GROVE_OK) {
        status = grove__tree_check_node(*tree_out, node, error_out);
    }
    return status == GROVE_OK ? check_metadata(metadata, error_out) : status;
}

grove_status grove_tree_set(grove_document *document, grove_node node, grove_bytes name,
                            const grove_value *value, grove_bytes metadata,
                            grove_error *error_out)
{
    grove__tree *tree = NULL;
    grove_status status = begin_edit(document, node, metadata, &tree, error_out);
    if (status == GROVE_OK) {
        status = check_name(name, error_out);
    }
    if (status == GROVE_OK) {
        status = check_value(value, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove_buffer bytes;
    grove_buffer_init(&bytes, document->allocator);
    grove__tree_value_encode(value, &bytes);
    grove__tree_operation operation = {.kind = GROVE_TREE_SET,
                                       .name = name,
                                       .value = grove_buffer_view(&bytes),
                                       .metadata = metadata};
    status = bytes.failed ? grove__fail_memory(error_out)
                          : grove__tree_emit(document, &operation, node, NULL, error_out);
    grove_buffer_release(&bytes);
    return status;
}

grove_status grove_tree_unset(grove_document *document, grove_node node, grove_bytes name,
                              grove_bytes metadata, grove_error *error_out)
{
    grove__tree *tree = NULL;
    grove_status status = begin_edit(document, node, metadata, &tree, error_out);
    if (status == GROVE_OK) {
        status = check_name(name, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    uint32_t attribute = grove__tree_attribute_of(tree, node, name);
    if (attribute == GROVE__TREE_NONE || tree->attributes[attribute].size == 0) {
        return grove__fail(error_out, GROVE_NONE, "the node has no such attribute");
    }
    grove__tree_operation operation = {
        .kind = GROVE_TREE_UNSET, .name = name, .metadata = metadata};
    return grove__tree_emit(document, &operation, node, NULL, error_out);
}

static grove_status fail_root(grove_error *error_out)
{
    return grove__fail(error_out, GROVE_INVALID, "the root is neither moved nor deleted");
}

grove_status grove_tree_move(grove_document *document, grove_node node,
                             grove_tree_place place, grove_bytes metadata,
                             grove_error *error_out)
{
    grove__tree *tree = NULL;
    grove__tree_spot spot;
    grove_status status = begin_edit(document, node, metadata, &tree, error_out);
    if (status == GROVE_OK && node == GROVE_NODE_ROOT) {
        status = fail_root(error_out);
    }
    if (status == GROVE_OK) {
        status = find_spot(tree, &place, node, &spot, error_out);
    }
    if (status == GROVE_OK && grove__tree_is_above(tree, node, spot.parent)) {
        status =
            grove__fail(error_out, GROVE_INVALID, "a node cannot be moved below itself");
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove__tree_operation operation = {.kind = GROVE_TREE_MOVE, .metadata = metadata};
    return grove__tree_emit(document, &operation, node, &spot, error_out);
}

static grove_status write_flag(grove_document *document, grove_node node,
                               grove_tree_kind kind, grove_bytes metadata,
                               grove_error *error_out)
{
    grove__tree *tree = NULL;
    grove_status status = begin_edit(document, node, metadata, &tree, error_out);
    if (status == GROVE_OK && node == GROVE_NODE_ROOT) {
        status = fail_root(error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    if (grove__tree_is_deleted(tree, node) == (kind == GROVE_TREE_DELETE)) {
        return grove__fail(error_out, GROVE_NONE,
                           kind == GROVE_TREE_DELETE ? "the node is deleted already"
                                                     : "the node is not deleted");
    }
    grove__tree_operation operation = {.kind = kind, .metadata = metadata};
    return grove__tree_emit(document, &operation, node, NULL, error_out);
}

grove_status grove_tree_delete(grove_document *document, grove_node node,
                               grove_bytes metadata, grove_error *error_out)
{
    return write_flag(document, node, GROVE_TREE_DELETE, metadata, error_out);
}

grove_status grove_tree_restore(grove_document *document, grove_node node,
                                grove_bytes metadata, grove_error *error_out)
{
    return write_flag(document, node, GROVE_TREE_RESTORE, metadata, error_out);
}
