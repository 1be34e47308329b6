/*
 * What JSON Pointer, JSON Patch and JSON Merge Patch make of jansson's values:
 * obvious, recursive, on copies. Values are counted references; what is given
 * is borrowed, what comes back is the caller's. A document without a value is
 * NULL. Numbers differ by kind, as 1 and 1.0, but for "test".
 */
#ifndef GROVE_TESTS_JSON_MODEL_H
#define GROVE_TESTS_JSON_MODEL_H

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <grove/types.h>

enum { JSON_MODEL_FLAGS = JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL };

static inline json_t *json_model_parse(grove_bytes text)
{
    return json_loadb(text.size == 0 ? "" : (const char *)text.data, text.size,
                      JSON_MODEL_FLAGS, NULL);
}

/* --- equality as "test" has it --- */

static inline bool json_model_numbers_equal(const json_t *one, const json_t *other)
{
    if (json_is_integer(one) && json_is_integer(other)) {
        return json_integer_value(one) == json_integer_value(other);
    }
    if (json_is_real(one) && json_is_real(other)) {
        return json_real_value(one) == json_real_value(other);
    }
    double real = json_real_value(json_is_real(one) ? one : other);
    json_int_t integer = json_integer_value(json_is_integer(one) ? one : other);
    return floor(real) == real && real >= -0x1p63 && real < 0x1p63 &&
           (json_int_t)real == integer;
}

static inline bool json_model_equal(json_t *one, json_t *other)
{
    if (json_is_number(one) && json_is_number(other)) {
        return json_model_numbers_equal(one, other);
    }
    if (json_typeof(one) != json_typeof(other)) {
        return false;
    }
    if (json_is_array(one)) {
        bool equal = json_array_size(one) == json_array_size(other);
        for (size_t index = 0; index < json_array_size(one) && equal; index++) {
            equal = json_model_equal(json_array_get(one, index),
                                     json_array_get(other, index));
        }
        return equal;
    }
    if (json_is_object(one)) {
        bool equal = json_object_size(one) == json_object_size(other);
        const char *key;
        json_t *value;
        json_object_foreach(one, key, value)
        {
            json_t *there = json_object_get(other, key);
            equal = equal && there != NULL && json_model_equal(value, there);
        }
        return equal;
    }
    return json_equal(one, other) != 0;
}

/* --- pointers --- */

/* The tokens of a pointer, unescaped. */
typedef struct json_model_way {
    char **tokens;
    size_t count;
    bool is_pointer;
} json_model_way;

static inline json_model_way json_model_way_of(const json_t *pointer)
{
    json_model_way way = {.tokens = NULL};
    const char *text = json_string_value(pointer);
    if (text == NULL || strlen(text) != json_string_length(pointer) ||
        (*text != '\0' && *text != '/')) {
        return way;
    }
    way.is_pointer = true;
    way.tokens = calloc(strlen(text) + 1, sizeof *way.tokens);
    while (*text == '/' && way.is_pointer) {
        char *token = calloc(1, strlen(text) + 1);
        char *to = token;
        for (text++; *text != '\0' && *text != '/'; text++) {
            if (*text == '~') {
                text++;
                way.is_pointer = way.is_pointer && (*text == '0' || *text == '1');
                *to++ = *text == '0' ? '~' : '/';
                if (*text == '\0') {
                    break;
                }
            } else {
                *to++ = *text;
            }
        }
        way.tokens[way.count++] = token;
    }
    return way;
}

static inline void json_model_way_free(json_model_way *way)
{
    for (size_t index = 0; index < way->count; index++) {
        free(way->tokens[index]);
    }
    free(way->tokens);
}

/* Of an array's token; SIZE_MAX: it is none. */
static inline size_t json_model_index(const json_t *array, const char *token)
{
    size_t digits = strspn(token, "0123456789");
    if (strcmp(token, "-") == 0) {
        return json_array_size(array);
    }
    if (digits == 0 || token[digits] != '\0' || digits > 9 ||
        (token[0] == '0' && digits > 1)) {
        return SIZE_MAX;
    }
    return strtoul(token, NULL, 10);
}

static inline json_t *json_model_step(const json_t *at, const char *token)
{
    if (json_is_array(at)) {
        return json_array_get(at, json_model_index(at, token));
    }
    return json_object_get(at, token);
}

/* What the first `count` tokens lead to; borrowed. */
static inline json_t *json_model_follow(json_t *document, const json_model_way *way,
                                        size_t count)
{
    for (size_t index = 0; index < count && document != NULL; index++) {
        document = json_model_step(document, way->tokens[index]);
    }
    return document;
}

/* --- patches: these change `*document` in place --- */

static inline bool json_model_add(json_t **document, const json_model_way *way,
                                  json_t *value)
{
    if (way->count == 0) {
        json_decref(*document);
        *document = json_deep_copy(value);
        return true;
    }
    json_t *parent = json_model_follow(*document, way, way->count - 1);
    const char *token = way->tokens[way->count - 1];
    if (json_is_object(parent)) {
        return json_object_set_new(parent, token, json_deep_copy(value)) == 0;
    }
    size_t index = json_is_array(parent) ? json_model_index(parent, token) : SIZE_MAX;
    return index != SIZE_MAX && index <= json_array_size(parent) &&
           json_array_insert_new(parent, index, json_deep_copy(value)) == 0;
}

static inline bool json_model_remove(json_t **document, const json_model_way *way)
{
    if (json_model_follow(*document, way, way->count) == NULL) {
        return false;
    }
    if (way->count == 0) {
        json_decref(*document);
        *document = NULL;
        return true;
    }
    json_t *parent = json_model_follow(*document, way, way->count - 1);
    const char *token = way->tokens[way->count - 1];
    return json_is_object(parent)
               ? json_object_del(parent, token) == 0
               : json_array_remove(parent, json_model_index(parent, token)) == 0;
}

static inline bool json_model_replace(json_t **document, const json_model_way *way,
                                      json_t *value)
{
    if (json_model_follow(*document, way, way->count) == NULL) {
        return false;
    }
    json_t *copy = json_deep_copy(value);
    bool done = json_model_remove(document, way) && json_model_add(document, way, copy);
    json_decref(copy);
    return done;
}

static inline bool json_model_is_in(const json_model_way *from,
                                    const json_model_way *path)
{
    bool is_in = path->count > from->count;
    for (size_t index = 0; is_in && index < from->count; index++) {
        is_in = strcmp(path->tokens[index], from->tokens[index]) == 0;
    }
    return is_in;
}

static inline bool json_model_move(json_t **document, const json_model_way *from,
                                   const json_model_way *path, bool is_copy)
{
    json_t *there = json_model_follow(*document, from, from->count);
    if (there == NULL || (!is_copy && json_model_is_in(from, path))) {
        return false;
    }
    json_t *value = json_deep_copy(there);
    bool done = (is_copy || json_model_remove(document, from)) &&
                json_model_add(document, path, value);
    json_decref(value);
    return done;
}

static inline bool json_model_do(json_t **document, const json_t *operation,
                                 const json_model_way *path, const json_model_way *from)
{
    const char *name = json_string_value(json_object_get(operation, "op"));
    json_t *value = json_object_get(operation, "value");
    if (name == NULL || !path->is_pointer) {
        return false;
    }
    if (strcmp(name, "remove") == 0) {
        return json_model_remove(document, path);
    }
    if (strcmp(name, "move") == 0 || strcmp(name, "copy") == 0) {
        return from->is_pointer &&
               json_model_move(document, from, path, strcmp(name, "copy") == 0);
    }
    if (value != NULL && strcmp(name, "add") == 0) {
        return json_model_add(document, path, value);
    }
    if (value != NULL && strcmp(name, "replace") == 0) {
        return json_model_replace(document, path, value);
    }
    json_t *there = json_model_follow(*document, path, path->count);
    return value != NULL && strcmp(name, "test") == 0 && there != NULL &&
           json_model_equal(there, value);
}

/* Whether the patch can be applied; then *document is what it makes of it,
 * else as it was. *failed_out: the index of the operation that cannot. */
static inline bool json_model_patch(json_t **document, const json_t *patch,
                                    size_t *failed_out)
{
    json_t *changed = *document == NULL ? NULL : json_deep_copy(*document);
    bool done = json_is_array(patch);
    for (size_t index = 0; index < json_array_size(patch) && done; index++) {
        const json_t *operation = json_array_get(patch, index);
        json_model_way path = json_model_way_of(json_object_get(operation, "path"));
        json_model_way from = json_model_way_of(json_object_get(operation, "from"));
        *failed_out = index;
        done = json_model_do(&changed, operation, &path, &from);
        json_model_way_free(&path);
        json_model_way_free(&from);
    }
    json_decref(done ? *document : changed);
    *document = done ? changed : *document;
    return done;
}

/* RFC 7396, section 2, word by word. */
static inline json_t *json_model_merge(const json_t *target, json_t *patch)
{
    if (!json_is_object(patch)) {
        return json_deep_copy(patch);
    }
    json_t *result = json_is_object(target) ? json_deep_copy(target) : json_object();
    const char *key;
    json_t *value;
    json_object_foreach(patch, key, value)
    {
        if (json_is_null(value)) {
            (void)json_object_del(result, key);
        } else {
            (void)json_object_set_new(
                result, key, json_model_merge(json_object_get(result, key), value));
        }
    }
    return result;
}

#endif
