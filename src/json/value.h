/*
 * A JSON value in memory: its items in a row, each before what is in it, so
 * that nothing that looks at one recurses, however deep it is.
 *
 *   {"a": [1, 2], "b": 3}   item   0 object   1 array "a"   2 1   3 2   4 "b" 3
 *                           end    5          4             3     4     5
 *
 * The items in container c are c + 1, the end of that one, and so on until the
 * end of c. Keys and texts lie in a buffer of their own.
 */
#ifndef GROVE_JSON_VALUE_H
#define GROVE_JSON_VALUE_H

#include <grove/sys/bytes.h>
#include <grove/tree.h>

typedef enum grove__json_kind {
    GROVE__JSON_SCALAR = 0,
    GROVE__JSON_ARRAY = 1,
    GROVE__JSON_OBJECT = 2
} grove__json_kind;

/* Bytes in the buffer of texts. */
typedef struct grove__json_span {
    size_t offset;
    size_t size;
} grove__json_span;

typedef struct grove__json_item {
    grove__json_kind kind;
    grove_value_kind scalar; /* of a scalar; never bytes */
    size_t end;              /* one past the last item in it */
    grove__json_span key;    /* of a member; else empty */
    union {
        size_t count; /* of a container: members or elements */
        bool boolean;
        int64_t integer;
        double number;
        grove__json_span text;
    } is;
} grove__json_item;

typedef struct grove__json_value {
    grove_buffer items; /* of grove__json_item */
    grove_buffer texts;
} grove__json_value;

void grove__json_value_init(grove__json_value *value);
void grove__json_value_release(grove__json_value *value);

/* Out of memory at some time while it was built. */
static inline bool grove__json_value_failed(const grove__json_value *value)
{
    return value->items.failed || value->texts.failed;
}

static inline size_t grove__json_item_count(const grove__json_value *value)
{
    return value->items.size / sizeof(grove__json_item);
}

/* Borrowed until an item is added. */
static inline const grove__json_item *grove__json_item_at(const grove__json_value *value,
                                                          size_t index)
{
    return (const grove__json_item *)(const void *)value->items.data + index;
}

static inline grove_bytes grove__json_text_at(const grove__json_value *value,
                                              grove__json_span span)
{
    grove_bytes text = {value->texts.data + span.offset, span.size};
    if (span.size == 0) {
        text.data = NULL;
    }
    return text;
}

static inline grove_bytes grove__json_key_of(const grove__json_value *value, size_t index)
{
    return grove__json_text_at(value, grove__json_item_at(value, index)->key);
}

/*
 * Building: each adds an item, a member of the object that is open or an
 * element of the array that is (`key` empty). A container is open until it is
 * closed with the index that open returned. After a failure these have no
 * effect.
 */
void grove__json_add_scalar(grove__json_value *value, grove_bytes key,
                            const grove_value *scalar);
size_t grove__json_open(grove__json_value *value, grove_bytes key, grove__json_kind kind);
void grove__json_close(grove__json_value *value, size_t index);

/* A scalar as an attribute's value; its text is borrowed until an item is
 * added. */
grove_value grove__json_scalar_of(const grove__json_value *value, size_t index);

/* The member of an object with a key; SIZE_MAX: there is none. O(members). */
size_t grove__json_member_of(const grove__json_value *value, size_t object,
                             grove_bytes key);
static inline bool grove__json_is_text(const grove__json_value *value, size_t index)
{
    const grove__json_item *item = grove__json_item_at(value, index);
    return item->kind == GROVE__JSON_SCALAR && item->scalar == GROVE_VALUE_TEXT;
}

static inline bool grove__json_is_null(const grove__json_value *value, size_t index)
{
    const grove__json_item *item = grove__json_item_at(value, index);
    return item->kind == GROVE__JSON_SCALAR && item->scalar == GROVE_VALUE_NULL;
}

/* The bits of a double, which tell 0.0 from -0.0. */
static inline uint64_t grove__json_bits_of(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

/* Whether two scalars are the same, kind and every bit. */
bool grove__json_scalars_same(const grove_value *one, const grove_value *other);
/* Whether they are equal as JSON has it: numbers by what they are worth, so
 * that 1 equals 1.0. Nothing is rounded. */
bool grove__json_scalars_equal(const grove_value *one, const grove_value *other);

#endif
