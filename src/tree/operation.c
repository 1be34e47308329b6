#include "tree/operation.h"

#include "base/bytes.h"
#include "base/error.h"
#include "base/utf8.h"

static const grove_field_type NODE_FIELDS[] = {
    GROVE_FIELD_UNSIGNED, GROVE_FIELD_BYTES, /* node */
    GROVE_FIELD_BYTES,                       /* metadata */
};
static const grove_field_type UNSET_FIELDS[] = {
    GROVE_FIELD_UNSIGNED, GROVE_FIELD_BYTES, /* node */
    GROVE_FIELD_BYTES,                       /* name */
    GROVE_FIELD_BYTES,                       /* metadata */
};
static const grove_field_type SET_FIELDS[] = {
    GROVE_FIELD_UNSIGNED, GROVE_FIELD_BYTES, /* node */
    GROVE_FIELD_BYTES,    GROVE_FIELD_BYTES, /* name, value */
    GROVE_FIELD_BYTES,                       /* metadata */
};
static const grove_field_type PUT_FIELDS[] = {
    GROVE_FIELD_UNSIGNED, GROVE_FIELD_BYTES, /* parent */
    GROVE_FIELD_UNSIGNED, GROVE_FIELD_BYTES, /* anchor */
    GROVE_FIELD_BYTES,    GROVE_FIELD_BYTES, /* id, type */
    GROVE_FIELD_BYTES,    GROVE_FIELD_BYTES, /* attributes, metadata */
};
static const grove_field_type MOVE_FIELDS[] = {
    GROVE_FIELD_UNSIGNED, GROVE_FIELD_BYTES, /* node */
    GROVE_FIELD_UNSIGNED, GROVE_FIELD_BYTES, /* parent */
    GROVE_FIELD_UNSIGNED, GROVE_FIELD_BYTES, /* anchor */
    GROVE_FIELD_BYTES,                       /* metadata */
};

#define KIND(name, fields)                                        \
    {                                                             \
        name, false, sizeof(fields) / sizeof(fields)[0], (fields) \
    }

static const grove_schema_kind KINDS[] = {
    [GROVE_TREE_PUT] = KIND("put", PUT_FIELDS),
    [GROVE_TREE_SET] = KIND("set", SET_FIELDS),
    [GROVE_TREE_UNSET] = KIND("unset", UNSET_FIELDS),
    [GROVE_TREE_MOVE] = KIND("move", MOVE_FIELDS),
    [GROVE_TREE_DELETE] = KIND("delete", NODE_FIELDS),
    [GROVE_TREE_RESTORE] = KIND("restore", NODE_FIELDS),
};

const grove_schema grove__tree_schema = {sizeof KINDS / sizeof KINDS[0], KINDS};

/* --- writing --- */

static void put_bytes(grove_buffer *content, grove_bytes bytes)
{
    grove_buffer_varint(content, bytes.size);
    grove_buffer_append(content, bytes.data, bytes.size);
}

static uint64_t reference_number(const grove__tree_reference *reference)
{
    switch (reference->kind) {
    case GROVE__TREE_REFERENCE_NONE:
        return 0;
    case GROVE__TREE_REFERENCE_OWN:
        return 2 * reference->number + 1;
    case GROVE__TREE_REFERENCE_OTHER:
        break;
    }
    return 2 * reference->number + 2;
}

static void put_reference(grove_buffer *content, const grove__tree_reference *reference)
{
    grove_buffer_varint(content, reference_number(reference));
    put_bytes(content, reference->replica);
}

static void put_anchor(grove_buffer *content, const grove__tree_operation *operation)
{
    uint64_t number = reference_number(&operation->anchor);
    grove_buffer_varint(content, 2 * number + (operation->is_left ? 1 : 0));
    put_bytes(content, operation->anchor.replica);
}

void grove__tree_operation_encode(const grove__tree_operation *operation,
                                  grove_buffer *content)
{
    if (operation->kind != GROVE_TREE_PUT) {
        put_reference(content, &operation->node);
    }
    switch (operation->kind) {
    case GROVE_TREE_PUT:
        put_reference(content, &operation->parent);
        put_anchor(content, operation);
        put_bytes(content, operation->id);
        put_bytes(content, operation->type);
        put_bytes(content, operation->attributes);
        break;
    case GROVE_TREE_SET:
        put_bytes(content, operation->name);
        put_bytes(content, operation->value);
        break;
    case GROVE_TREE_UNSET:
        put_bytes(content, operation->name);
        break;
    case GROVE_TREE_MOVE:
        put_reference(content, &operation->parent);
        put_anchor(content, operation);
        break;
    case GROVE_TREE_DELETE:
    case GROVE_TREE_RESTORE:
        break;
    }
    put_bytes(content, operation->metadata);
}

/* --- reading --- */

static grove_bytes take_bytes(grove_reader *content, size_t bytes_max)
{
    uint64_t size = grove__reader_varint(content);
    if (size > bytes_max || size > grove_reader_left(content)) {
        content->failed = true;
        return (grove_bytes){NULL, 0};
    }
    return grove_reader_bytes(content, (size_t)size);
}

static void take_reference_as(grove_reader *content, uint64_t number,
                              grove__tree_reference *reference)
{
    reference->replica = take_bytes(content, GROVE_REPLICA_BYTES_MAX);
    bool is_other = number != 0 && (number & 1) == 0;
    if (number == 0) {
        reference->kind = GROVE__TREE_REFERENCE_NONE;
    } else if (is_other) {
        reference->kind = GROVE__TREE_REFERENCE_OTHER;
        reference->number = (number - 2) / 2;
    } else {
        reference->kind = GROVE__TREE_REFERENCE_OWN;
        reference->number = (number - 1) / 2;
    }
    bool is_well =
        (reference->replica.size > 0) == is_other &&
        reference->number < GROVE_DOCUMENT_EVENTS_MAX &&
        (reference->kind != GROVE__TREE_REFERENCE_OWN || reference->number > 0);
    content->failed = content->failed || !is_well;
}

static void take_reference(grove_reader *content, grove__tree_reference *reference)
{
    take_reference_as(content, grove__reader_varint(content), reference);
}

static void take_anchor(grove_reader *content, grove__tree_operation *operation)
{
    uint64_t number = grove__reader_varint(content);
    operation->is_left = (number & 1) != 0;
    take_reference_as(content, number / 2, &operation->anchor);
    /* Nothing is left of the beginning. */
    content->failed =
        content->failed ||
        (operation->is_left && operation->anchor.kind == GROVE__TREE_REFERENCE_NONE);
}

static grove_bytes take_name(grove_reader *content)
{
    grove_bytes name = take_bytes(content, GROVE_ATTRIBUTE_NAME_BYTES_MAX);
    content->failed = content->failed || name.size == 0 || !grove__utf8_is(name);
    return name;
}

static grove_bytes take_value(grove_reader *content)
{
    grove_bytes bytes = take_bytes(content, GROVE_CONTENT_BYTES_MAX);
    grove_value value;
    content->failed = content->failed || !grove__tree_value_decode(bytes, &value);
    return bytes;
}

bool grove__tree_attribute_next(grove_reader *attributes,
                                grove__tree_written *written_out)
{
    if (grove_reader_left(attributes) == 0) {
        return false;
    }
    written_out->name = take_bytes(attributes, GROVE_ATTRIBUTE_NAME_BYTES_MAX);
    written_out->value = take_bytes(attributes, GROVE_CONTENT_BYTES_MAX);
    return true;
}

/* Attributes in the order of their names, so that none is there twice. */
static grove_bytes take_attributes(grove_reader *content)
{
    grove_bytes bytes = take_bytes(content, GROVE_CONTENT_BYTES_MAX);
    grove_reader attributes = grove_reader_of(bytes);
    grove_bytes before = {NULL, 0};
    while (!content->failed && grove_reader_left(&attributes) > 0) {
        grove_bytes name = take_name(&attributes);
        (void)take_value(&attributes);
        content->failed = attributes.failed || grove__bytes_compare(before, name) >= 0;
        before = name;
    }
    return bytes;
}

static grove_bytes take_type(grove_reader *content)
{
    grove_bytes type = take_bytes(content, GROVE_NODE_TYPE_BYTES_MAX);
    content->failed = content->failed || !grove__utf8_is(type);
    return type;
}

grove_status grove__tree_operation_decode(const grove_operation *operation,
                                          grove__tree_operation *operation_out,
                                          grove_error *error_out)
{
    grove__tree_operation made = {.kind = (grove_tree_kind)operation->kind};
    grove_reader content = grove_reader_of(operation->content);
    content.failed = operation->kind > GROVE_TREE_RESTORE || operation->count != 1 ||
                     operation->position != 0;
    if (made.kind != GROVE_TREE_PUT) {
        take_reference(&content, &made.node);
    }
    switch (made.kind) {
    case GROVE_TREE_PUT:
        take_reference(&content, &made.parent);
        take_anchor(&content, &made);
        made.id = take_bytes(&content, GROVE_NODE_ID_BYTES_MAX);
        made.type = take_type(&content);
        made.attributes = take_attributes(&content);
        break;
    case GROVE_TREE_SET:
        made.name = take_name(&content);
        made.value = take_value(&content);
        break;
    case GROVE_TREE_UNSET:
        made.name = take_name(&content);
        break;
    case GROVE_TREE_MOVE:
        take_reference(&content, &made.parent);
        take_anchor(&content, &made);
        break;
    case GROVE_TREE_DELETE:
    case GROVE_TREE_RESTORE:
        break;
    }
    made.metadata = take_bytes(&content, GROVE_TREE_METADATA_BYTES_MAX);
    if (!grove_reader_done(&content)) {
        return grove__fail_at(error_out, GROVE_CORRUPT, content.offset,
                              "what a tree's operation says is not well-formed at "
                              "byte %zu",
                              content.offset);
    }
    *operation_out = made;
    return GROVE_OK;
}

/* --- values --- */

enum { TAG_NULL, TAG_FALSE, TAG_TRUE, TAG_INTEGER, TAG_DOUBLE, TAG_TEXT, TAG_BYTES };

void grove__tree_value_encode(const grove_value *value, grove_buffer *bytes)
{
    uint64_t bits;
    switch (value->kind) {
    case GROVE_VALUE_NULL:
        grove_buffer_u8(bytes, TAG_NULL);
        break;
    case GROVE_VALUE_BOOLEAN:
        grove_buffer_u8(bytes, value->boolean ? TAG_TRUE : TAG_FALSE);
        break;
    case GROVE_VALUE_INTEGER:
        grove_buffer_u8(bytes, TAG_INTEGER);
        grove_buffer_signed(bytes, value->integer);
        break;
    case GROVE_VALUE_DOUBLE:
        memcpy(&bits, &value->number, sizeof bits);
        grove_buffer_u8(bytes, TAG_DOUBLE);
        grove_buffer_u64(bytes, bits);
        break;
    case GROVE_VALUE_TEXT:
        grove_buffer_u8(bytes, TAG_TEXT);
        grove_buffer_append(bytes, value->bytes.data, value->bytes.size);
        break;
    case GROVE_VALUE_BYTES:
        grove_buffer_u8(bytes, TAG_BYTES);
        grove_buffer_append(bytes, value->bytes.data, value->bytes.size);
        break;
    }
}

bool grove__tree_value_decode(grove_bytes bytes, grove_value *value_out)
{
    grove_reader reader = grove_reader_of(bytes);
    grove_value value = grove_value_null();
    uint8_t tag = grove_reader_u8(&reader);
    uint64_t bits;
    switch (tag) {
    case TAG_NULL:
        break;
    case TAG_FALSE:
    case TAG_TRUE:
        value = grove_value_boolean(tag == TAG_TRUE);
        break;
    case TAG_INTEGER:
        value = grove_value_integer(grove_reader_signed(&reader));
        break;
    case TAG_DOUBLE:
        bits = grove_reader_u64(&reader);
        value.kind = GROVE_VALUE_DOUBLE;
        memcpy(&value.number, &bits, sizeof bits);
        break;
    case TAG_TEXT:
    case TAG_BYTES:
        value.kind = tag == TAG_TEXT ? GROVE_VALUE_TEXT : GROVE_VALUE_BYTES;
        value.bytes = grove_reader_bytes(&reader, grove_reader_left(&reader));
        reader.failed =
            reader.failed || (tag == TAG_TEXT && !grove__utf8_is(value.bytes));
        break;
    default:
        return false;
    }
    if (!grove_reader_done(&reader)) {
        return false;
    }
    *value_out = value;
    return true;
}

void grove__tree_attribute_encode(const grove_attribute *attribute, grove_buffer *bytes)
{
    put_bytes(bytes, attribute->name);
    /* The value's size comes before it: one byte more than a text of so many,
     * or what a number takes. */
    grove_buffer value;
    grove_buffer_init(&value, bytes->allocator);
    grove__tree_value_encode(&attribute->value, &value);
    bytes->failed = bytes->failed || value.failed;
    put_bytes(bytes, grove_buffer_view(&value));
    grove_buffer_release(&value);
}
