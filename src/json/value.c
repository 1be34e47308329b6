#include "json/value.h"

#include "base/bytes.h"
#include "json/memory.h"

void grove__json_value_init(grove__json_value *value)
{
    grove_buffer_init(&value->items, &grove__json_allocator);
    grove_buffer_init(&value->texts, &grove__json_allocator);
}

void grove__json_value_release(grove__json_value *value)
{
    grove_buffer_release(&value->items);
    grove_buffer_release(&value->texts);
}

static grove__json_item *change_item(grove__json_value *value, size_t index)
{
    return (grove__json_item *)(void *)value->items.data + index;
}

static grove__json_span add_text(grove__json_value *value, grove_bytes text)
{
    const grove__json_span span = {value->texts.size, text.size};
    grove_buffer_append(&value->texts, text.data, text.size);
    return span;
}

void grove__json_add_scalar(grove__json_value *value, grove_bytes key,
                            const grove_value *scalar)
{
    grove__json_item item = {.kind = GROVE__JSON_SCALAR, .scalar = scalar->kind};
    item.end = grove__json_item_count(value) + 1;
    item.key = add_text(value, key);
    switch (scalar->kind) {
    case GROVE_VALUE_BOOLEAN:
        item.is.boolean = scalar->boolean;
        break;
    case GROVE_VALUE_INTEGER:
        item.is.integer = scalar->integer;
        break;
    case GROVE_VALUE_DOUBLE:
        item.is.number = scalar->number;
        break;
    case GROVE_VALUE_TEXT:
        item.is.text = add_text(value, scalar->bytes);
        break;
    case GROVE_VALUE_NULL:
    case GROVE_VALUE_BYTES:
        break;
    }
    grove_buffer_append(&value->items, &item, sizeof item);
}

size_t grove__json_open(grove__json_value *value, grove_bytes key, grove__json_kind kind)
{
    size_t index = grove__json_item_count(value);
    grove__json_item item = {.kind = kind, .end = index + 1};
    item.key = add_text(value, key);
    grove_buffer_append(&value->items, &item, sizeof item);
    return index;
}

void grove__json_close(grove__json_value *value, size_t index)
{
    if (grove__json_value_failed(value)) {
        return;
    }
    size_t end = grove__json_item_count(value);
    size_t count = 0;
    for (size_t at = index + 1; at < end; at = grove__json_item_at(value, at)->end) {
        count++;
    }
    change_item(value, index)->end = end;
    change_item(value, index)->is.count = count;
}

grove_value grove__json_scalar_of(const grove__json_value *value, size_t index)
{
    const grove__json_item *item = grove__json_item_at(value, index);
    switch (item->scalar) {
    case GROVE_VALUE_BOOLEAN:
        return grove_value_boolean(item->is.boolean);
    case GROVE_VALUE_INTEGER:
        return grove_value_integer(item->is.integer);
    case GROVE_VALUE_DOUBLE:
        return grove_value_double(item->is.number);
    case GROVE_VALUE_TEXT:
        return grove_value_text(grove__json_text_at(value, item->is.text));
    case GROVE_VALUE_NULL:
    case GROVE_VALUE_BYTES:
        break;
    }
    return grove_value_null();
}

size_t grove__json_member_of(const grove__json_value *value, size_t object,
                             grove_bytes key)
{
    size_t end = grove__json_item_at(value, object)->end;
    for (size_t at = object + 1; at < end; at = grove__json_item_at(value, at)->end) {
        if (grove__bytes_equal(grove__json_key_of(value, at), key)) {
            return at;
        }
    }
    return SIZE_MAX;
}

bool grove__json_scalars_same(const grove_value *one, const grove_value *other)
{
    if (one->kind != other->kind) {
        return false;
    }
    switch (one->kind) {
    case GROVE_VALUE_NULL:
        return true;
    case GROVE_VALUE_BOOLEAN:
        return one->boolean == other->boolean;
    case GROVE_VALUE_INTEGER:
        return one->integer == other->integer;
    case GROVE_VALUE_DOUBLE:
        return grove__json_bits_of(one->number) == grove__json_bits_of(other->number);
    case GROVE_VALUE_TEXT:
    case GROVE_VALUE_BYTES:
        return grove__bytes_equal(one->bytes, other->bytes);
    }
    return false;
}

static bool number_equals_integer(double number, int64_t integer)
{
    /* Within these bounds a double without a fraction is an int64_t. */
    const double bound = 9223372036854775808.0;
    if (!(number >= -bound && number < bound)) {
        return false;
    }
    int64_t whole = (int64_t)number;
    return (double)whole == number && whole == integer;
}

bool grove__json_scalars_equal(const grove_value *one, const grove_value *other)
{
    if (one->kind == GROVE_VALUE_DOUBLE && other->kind == GROVE_VALUE_DOUBLE) {
        return one->number == other->number;
    }
    if (one->kind == GROVE_VALUE_DOUBLE && other->kind == GROVE_VALUE_INTEGER) {
        return number_equals_integer(one->number, other->integer);
    }
    if (one->kind == GROVE_VALUE_INTEGER && other->kind == GROVE_VALUE_DOUBLE) {
        return number_equals_integer(other->number, one->integer);
    }
    return grove__json_scalars_same(one, other);
}
