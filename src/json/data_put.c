/* Plain data made into nodes. */
#include <grove/json.h>

#include "base/bytes.h"
#include "base/error.h"
#include "json/data.h"
#include "json/memory.h"
#include "json/put.h"
#include "json/text.h"

/* A node that is there, whose children are being put. */
typedef struct level {
    grove_node node;
    bool is_deleted;
    size_t next; /* the item of the next child */
    size_t end;
} level;

typedef struct putting {
    grove_document *document;
    grove_bytes metadata;
    grove__json_value value;
    grove_buffer levels;     /* of level */
    grove_buffer bytes;      /* of the node at hand, read from hexadecimal */
    grove_buffer attributes; /* of the node at hand */
} putting;

/* A node's members by their names; SIZE_MAX: it has none. */
typedef struct node_parts {
    size_t id;
    size_t type;
    size_t deleted;
    size_t attributes;
    size_t children;
} node_parts;

/* `item` is not what it has to be. */
static grove_status refuse(const putting *put, size_t item, const char *why,
                           grove_error *error_out)
{
    grove_bytes key = grove__json_key_of(&put->value, item);
    return grove__fail(error_out, GROVE_INVALID, "item %zu of the data, \"%.*s\": %s",
                       item, (int)(key.size < 60 ? key.size : 60),
                       key.size == 0 ? "" : (const char *)key.data, why);
}

static grove_bytes text_of(const putting *put, size_t item)
{
    return grove__json_scalar_of(&put->value, item).bytes;
}

static bool is_kind(const putting *put, size_t item, grove__json_kind kind)
{
    return grove__json_item_at(&put->value, item)->kind == kind;
}

/* --- values --- */

static int digit_of(uint8_t byte)
{
    return byte >= '0' && byte <= '9'   ? byte - '0'
           : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
                                        : -1;
}

/* Room for the bytes of a node's hexadecimal texts is made before any of them
 * is read, so that they stay where they are. */
static bool read_hex(putting *put, grove_bytes text, grove_bytes *bytes_out)
{
    grove_bytes read = {put->bytes.data + put->bytes.size, text.size / 2};
    bool is_hex = text.size % 2 == 0;
    for (size_t at = 0; at + 1 < text.size && is_hex; at += 2) {
        int high = digit_of(text.data[at]);
        int low = digit_of(text.data[at + 1]);
        is_hex = high >= 0 && low >= 0;
        grove_buffer_u8(&put->bytes, (uint8_t)(((unsigned)high << 4 | (unsigned)low)));
    }
    if (is_hex) {
        *bytes_out = read;
    }
    return is_hex;
}

/* The text of an object's only member, if it has this name. */
static bool take_only(const putting *put, size_t item, const char *name,
                      grove_bytes *text_out)
{
    const grove__json_item *object = grove__json_item_at(&put->value, item);
    bool fits = object->kind == GROVE__JSON_OBJECT && object->is.count == 1 &&
                grove__bytes_equal(grove__json_key_of(&put->value, item + 1),
                                   grove_bytes_of(name)) &&
                grove__json_is_text(&put->value, item + 1);
    if (fits) {
        *text_out = text_of(put, item + 1);
    }
    return fits;
}

static grove_status take_value(putting *put, size_t item, grove_value *value_out,
                               grove_error *error_out)
{
    grove_bytes text;
    grove_bytes bytes;
    if (is_kind(put, item, GROVE__JSON_SCALAR)) {
        *value_out = grove__json_scalar_of(&put->value, item);
        return GROVE_OK;
    }
    if (take_only(put, item, GROVE__DATA_BYTES, &text) && read_hex(put, text, &bytes)) {
        *value_out = grove_value_bytes(bytes);
        return GROVE_OK;
    }
    double number;
    if (take_only(put, item, GROVE__DATA_DOUBLE, &text) && read_hex(put, text, &bytes) &&
        bytes.size == sizeof number) {
        uint64_t bits = grove_read_u64(bytes.data);
        memcpy(&number, &bits, sizeof number);
        *value_out = grove_value_double(number);
        return GROVE_OK;
    }
    return refuse(put, item,
                  "neither a scalar nor {\"bytes\": hex} nor {\"double\": hex}",
                  error_out);
}

/* --- a node --- */

static grove_status take_attribute(putting *put, grove_bytes name, size_t item,
                                   grove_error *error_out)
{
    grove_attribute attribute = {.name = name};
    grove_status status = take_value(put, item, &attribute.value, error_out);
    if (status == GROVE_OK) {
        grove_buffer_append(&put->attributes, &attribute, sizeof attribute);
    }
    return status;
}

/* An object, or a list of pairs of a name and a value. */
static grove_status take_attributes(putting *put, size_t item, grove_error *error_out)
{
    const grove__json_value *value = &put->value;
    if (is_kind(put, item, GROVE__JSON_SCALAR)) {
        return refuse(put, item, "neither an object nor a list of pairs", error_out);
    }
    bool is_list = is_kind(put, item, GROVE__JSON_ARRAY);
    size_t end = grove__json_item_at(value, item)->end;
    grove_status status = GROVE_OK;
    for (size_t at = item + 1; at < end && status == GROVE_OK;
         at = grove__json_item_at(value, at)->end) {
        if (!is_list) {
            status = take_attribute(put, grove__json_key_of(value, at), at, error_out);
            continue;
        }
        bool is_pair = is_kind(put, at, GROVE__JSON_ARRAY) &&
                       grove__json_item_at(value, at)->is.count == 2 &&
                       grove__json_is_text(value, at + 1);
        status = is_pair ? take_attribute(put, text_of(put, at + 1), at + 2, error_out)
                         : refuse(put, at, "no pair of a name and a value", error_out);
    }
    return status;
}

/* Finds the members of a node. */
static grove_status take_parts(const putting *put, size_t item, node_parts *parts_out,
                               grove_error *error_out)
{
    const grove__json_value *value = &put->value;
    node_parts found = {SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX};
    const struct {
        const char *name;
        size_t *item;
    } known[] = {{GROVE__DATA_ID, &found.id},
                 {GROVE__DATA_TYPE, &found.type},
                 {GROVE__DATA_DELETED, &found.deleted},
                 {GROVE__DATA_ATTRIBUTES, &found.attributes},
                 {GROVE__DATA_CHILDREN, &found.children}};
    size_t count = 0;
    if (!is_kind(put, item, GROVE__JSON_OBJECT)) {
        return refuse(put, item, "a node is an object", error_out);
    }
    for (size_t at = 0; at < sizeof known / sizeof *known; at++) {
        *known[at].item =
            grove__json_member_of(value, item, grove_bytes_of(known[at].name));
        count += *known[at].item != SIZE_MAX;
    }
    if (count != grove__json_item_at(value, item)->is.count) {
        return refuse(put, item, "a node has id, type, deleted, attrs and children only",
                      error_out);
    }
    if (found.children != SIZE_MAX && !is_kind(put, found.children, GROVE__JSON_ARRAY)) {
        return refuse(put, found.children, "children are an array", error_out);
    }
    *parts_out = found;
    return GROVE_OK;
}

static grove_status take_item(putting *put, const node_parts *parts,
                              grove_tree_item *item_out, grove_error *error_out)
{
    grove_tree_item item = {.attributes = NULL};
    grove_bytes hex;
    if (parts->type != SIZE_MAX && !grove__json_is_text(&put->value, parts->type)) {
        return refuse(put, parts->type, "a type is a string", error_out);
    }
    if (parts->type != SIZE_MAX) {
        item.type = text_of(put, parts->type);
    }
    if (parts->id != SIZE_MAX && grove__json_is_text(&put->value, parts->id)) {
        item.id = text_of(put, parts->id);
    } else if (parts->id != SIZE_MAX &&
               !(take_only(put, parts->id, GROVE__DATA_BYTES, &hex) &&
                 read_hex(put, hex, &item.id))) {
        return refuse(put, parts->id, "an id is a string or {\"bytes\": hex}", error_out);
    }
    grove_status status = parts->attributes == SIZE_MAX
                              ? GROVE_OK
                              : take_attributes(put, parts->attributes, error_out);
    if (status == GROVE_OK && put->attributes.failed) {
        status = grove__fail_memory(error_out);
    }
    item.attributes = (const grove_attribute *)(const void *)put->attributes.data;
    item.attribute_count = put->attributes.size / sizeof(grove_attribute);
    *item_out = item;
    return status;
}

/* As many bytes as all hexadecimal texts of a node, but for its children, can
 * have: those of all its texts. */
static size_t hex_bytes(const putting *put, const node_parts *parts)
{
    const size_t items[] = {parts->id, parts->attributes};
    size_t bytes = 0;
    for (size_t index = 0; index < sizeof items / sizeof *items; index++) {
        size_t end = items[index] == SIZE_MAX
                         ? 0
                         : grove__json_item_at(&put->value, items[index])->end;
        for (size_t at = items[index]; at < end; at++) {
            bytes += grove__json_is_text(&put->value, at) ? text_of(put, at).size : 0;
        }
    }
    return bytes;
}

/* Puts one node and makes it the last level. */
static grove_status put_node(putting *put, size_t item, grove_tree_place place,
                             grove_node *node_out, grove_error *error_out)
{
    node_parts parts;
    grove_tree_item node;
    level next = {.end = 0};
    grove_status status = take_parts(put, item, &parts, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_buffer_reset(&put->bytes);
    grove_buffer_reset(&put->attributes);
    if (grove_buffer_reserve(&put->bytes, hex_bytes(put, &parts) + 1) == NULL) {
        return grove__fail_memory(error_out);
    }
    if (parts.deleted != SIZE_MAX) {
        const grove__json_item *deleted = grove__json_item_at(&put->value, parts.deleted);
        if (deleted->kind != GROVE__JSON_SCALAR ||
            deleted->scalar != GROVE_VALUE_BOOLEAN) {
            return refuse(put, parts.deleted, "deleted is true or false", error_out);
        }
        next.is_deleted = deleted->is.boolean;
    }
    status = take_item(put, &parts, &node, error_out);
    if (status == GROVE_OK) {
        status = grove_tree_put(put->document, &node, place, put->metadata, &next.node,
                                error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    if (parts.children != SIZE_MAX) {
        next.next = parts.children + 1;
        next.end = grove__json_item_at(&put->value, parts.children)->end;
    }
    *node_out = next.node;
    grove_buffer_append(&put->levels, &next, sizeof next);
    return put->levels.failed ? grove__fail_memory(error_out) : GROVE_OK;
}

static grove_status put_all(putting *put, grove_tree_place place, grove_node *node_out,
                            grove_error *error_out)
{
    grove_node node;
    grove_status status = put_node(put, 0, place, node_out, error_out);
    while (status == GROVE_OK && put->levels.size > 0) {
        level *at = (level *)(void *)(put->levels.data + put->levels.size - sizeof *at);
        if (at->next < at->end) {
            const grove_tree_place last = {at->node, GROVE_TREE_LAST, GROVE_NODE_NONE};
            size_t item = at->next;
            at->next = grove__json_item_at(&put->value, item)->end;
            status = put_node(put, item, last, &node, error_out);
        } else {
            put->levels.size -= sizeof *at;
            if (at->is_deleted) {
                status =
                    grove_tree_delete(put->document, at->node, put->metadata, error_out);
            }
        }
    }
    return status;
}

grove_status grove_tree_put_data(grove_document *document, grove_tree_place place,
                                 grove_bytes text, grove_bytes metadata,
                                 grove_node *node_out, grove_error *error_out)
{
    putting put = {.document = document, .metadata = metadata};
    grove_node node;
    grove_status status = grove__json_text_read(text, &put.value, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_buffer_init(&put.levels, &grove__json_allocator);
    grove_buffer_init(&put.bytes, &grove__json_allocator);
    grove_buffer_init(&put.attributes, &grove__json_allocator);
    status = grove__json_begin(document, error_out);
    if (status == GROVE_OK) {
        status = put_all(&put, place, &node, error_out);
        status = grove__json_end(document, status, error_out);
    }
    grove_buffer_release(&put.levels);
    grove_buffer_release(&put.bytes);
    grove_buffer_release(&put.attributes);
    grove__json_value_release(&put.value);
    if (status == GROVE_OK && node_out != NULL) {
        *node_out = node;
    }
    return status;
}
