#include "json/text.h"

#include <jansson.h>

#include "base/error.h"
#include "json/memory.h"

/* A container of jansson's that is being taken apart. */
typedef struct level {
    json_t *container;
    size_t index; /* of an array: the next element */
    void *member; /* of an object: the next member */
    size_t item;  /* what it became */
} level;

static grove_status refuse_text(const json_error_t *why, grove_error *error_out)
{
    uint64_t offset = why->position < 0 ? 0 : (uint64_t)why->position;
    switch (json_error_code(why)) {
    case json_error_unknown: /* It ran out of memory before it could say so. */
    case json_error_out_of_memory:
        return grove__fail_memory(error_out);
    case json_error_stack_overflow:
        return grove__fail_at(error_out, GROVE_LIMIT, offset,
                              "the JSON is nested deeper than %d levels",
                              GROVE_JSON_DEPTH_MAX);
    case json_error_numeric_overflow:
        return grove__fail_at(error_out, GROVE_LIMIT, offset,
                              "a number that neither fits in 64 bits nor is a finite "
                              "double ends at byte %llu",
                              (unsigned long long)offset);
    case json_error_null_byte_in_key:
        return grove__fail_at(error_out, GROVE_UNSUPPORTED, offset,
                              "a key with U+0000 ends at byte %llu",
                              (unsigned long long)offset);
    default:
        return grove__fail_at(error_out, GROVE_MALFORMED, offset,
                              "not JSON at byte %llu: %s", (unsigned long long)offset,
                              why->text);
    }
}

static grove_value scalar_of(const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_TRUE:
    case JSON_FALSE:
        return grove_value_boolean(json_is_true(json));
    case JSON_INTEGER:
        return grove_value_integer(json_integer_value(json));
    case JSON_REAL:
        return grove_value_double(json_real_value(json));
    case JSON_STRING: {
        grove_bytes text = {(const uint8_t *)json_string_value(json),
                            json_string_length(json)};
        return grove_value_text(text);
    }
    default:
        return grove_value_null();
    }
}

/* Adds what `json` is; a container is open then and on the stack. */
static void enter(grove__json_value *value, grove_buffer *levels, grove_bytes key,
                  json_t *json)
{
    if (!json_is_object(json) && !json_is_array(json)) {
        grove_value scalar = scalar_of(json);
        grove__json_add_scalar(value, key, &scalar);
        return;
    }
    level next = {.container = json};
    bool is_object = json_is_object(json);
    next.member = is_object ? json_object_iter(json) : NULL;
    next.item =
        grove__json_open(value, key, is_object ? GROVE__JSON_OBJECT : GROVE__JSON_ARRAY);
    grove_buffer_append(levels, &next, sizeof next);
}

/* The next value in the container, NULL behind the last one. */
static json_t *step(level *at, grove_bytes *key_out)
{
    if (json_is_array(at->container)) {
        *key_out = (grove_bytes){NULL, 0};
        return json_array_get(at->container, at->index++);
    }
    if (at->member == NULL) {
        return NULL;
    }
    key_out->data = (const uint8_t *)json_object_iter_key(at->member);
    key_out->size = json_object_iter_key_len(at->member);
    json_t *json = json_object_iter_value(at->member);
    at->member = json_object_iter_next(at->container, at->member);
    return json;
}

static void take_apart(json_t *json, grove__json_value *value, grove_buffer *levels)
{
    grove_bytes key = {NULL, 0};
    enter(value, levels, key, json);
    while (levels->size > 0 && !levels->failed) {
        level *at = (level *)(void *)(levels->data + levels->size - sizeof *at);
        json_t *next = step(at, &key);
        if (next != NULL) {
            enter(value, levels, key, next);
        } else {
            grove__json_close(value, at->item);
            levels->size -= sizeof *at;
        }
    }
}

grove_status grove__json_text_read(grove_bytes text, grove__json_value *value_out,
                                   grove_error *error_out)
{
    if (text.size > GROVE_JSON_TEXT_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "a JSON text of %zu bytes; the limit is %u", text.size,
                           GROVE_JSON_TEXT_BYTES_MAX);
    }
    json_error_t why = {.text = ""}; /* jansson leaves its code unset. */
    const char *begin = text.size == 0 ? "" : (const char *)text.data;
    json_t *json =
        json_loadb(begin, text.size,
                   JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (json == NULL) {
        return refuse_text(&why, error_out);
    }
    grove__json_value value;
    grove_buffer levels;
    grove__json_value_init(&value);
    grove_buffer_init(&levels, &grove__json_allocator);
    take_apart(json, &value, &levels);
    bool failed = levels.failed || grove__json_value_failed(&value);
    grove_buffer_release(&levels);
    json_decref(json);
    if (failed) {
        grove__json_value_release(&value);
        return grove__fail_memory(error_out);
    }
    *value_out = value;
    return GROVE_OK;
}

/* With so many digits; jansson knows how, whatever the locale. */
static size_t write_digits(const json_t *real, size_t digits,
                           char text_out[GROVE__JSON_NUMBER_BYTES])
{
    size_t bytes = json_dumpb(real, text_out, GROVE__JSON_NUMBER_BYTES,
                              JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));
    return bytes <= GROVE__JSON_NUMBER_BYTES ? bytes : 0;
}

size_t grove__json_number_write(double number, char text_out[GROVE__JSON_NUMBER_BYTES])
{
    enum { DIGITS_MIN = 15, DIGITS_ENOUGH = 17 };
    json_t *real = json_real(number);
    size_t bytes = 0;
    bool is_exact = false;
    bool has_memory = real != NULL;
    for (size_t digits = DIGITS_MIN; has_memory && !is_exact && digits <= DIGITS_ENOUGH;
         digits++) {
        bytes = write_digits(real, digits, text_out);
        json_t *again = json_loadb(text_out, bytes, JSON_DECODE_ANY, NULL);
        is_exact =
            grove__json_bits_of(json_real_value(again)) == grove__json_bits_of(number);
        has_memory = again != NULL;
        json_decref(again);
    }
    json_decref(real);
    return has_memory && is_exact ? bytes : 0;
}
