/* The obvious text: an array of code points. And texts to try things on. */
#ifndef GROVE_TESTS_TEXT_MODEL_H
#define GROVE_TESTS_TEXT_MODEL_H

#include <stdlib.h>

#include <criterion/criterion.h>

#include "support/random.h"

typedef struct text_model {
    uint32_t *points;
    size_t count;
    size_t capacity;
} text_model;

static inline void model_insert(text_model *model, size_t position,
                                const uint32_t *points, size_t count)
{
    cr_assert_leq(position, model->count);
    if (count == 0) {
        return;
    }
    while (model->capacity < model->count + count) {
        model->capacity = model->capacity * 2 + 64;
        model->points = realloc(model->points, model->capacity * sizeof *model->points);
        cr_assert_not_null(model->points);
    }
    uint32_t *at = model->points + position;
    memmove(at + count, at, (model->count - position) * sizeof *at);
    memcpy(at, points, count * sizeof *at);
    model->count += count;
}

static inline void model_delete(text_model *model, size_t position, size_t count)
{
    cr_assert(position <= model->count && count <= model->count - position);
    if (count == 0) {
        return;
    }
    uint32_t *at = model->points + position;
    memmove(at, at + count, (model->count - position - count) * sizeof *at);
    model->count -= count;
}

static inline void model_release(text_model *model)
{
    free(model->points);
    *model = (text_model){NULL, 0, 0};
}

/* Writes a scalar value, 1 to 4 bytes. */
static inline size_t utf8_put(uint8_t *bytes, uint32_t point)
{
    if (point < 0x80) {
        bytes[0] = (uint8_t)point;
        return 1;
    }
    if (point < 0x800) {
        bytes[0] = (uint8_t)(0xc0 | point >> 6);
        bytes[1] = (uint8_t)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        bytes[0] = (uint8_t)(0xe0 | point >> 12);
        bytes[1] = (uint8_t)(0x80 | ((point >> 6) & 0x3f));
        bytes[2] = (uint8_t)(0x80 | (point & 0x3f));
        return 3;
    }
    bytes[0] = (uint8_t)(0xf0 | point >> 18);
    bytes[1] = (uint8_t)(0x80 | ((point >> 12) & 0x3f));
    bytes[2] = (uint8_t)(0x80 | ((point >> 6) & 0x3f));
    bytes[3] = (uint8_t)(0x80 | (point & 0x3f));
    return 4;
}

/* Code points as UTF-8; the caller frees the bytes. Exactly as large as the
 * text, so that a sanitizer sees each step beyond it. */
static inline grove_bytes utf8_of(const uint32_t *points, size_t count)
{
    uint8_t *bytes = malloc(count * 4 + 1);
    size_t size = 0;
    cr_assert_not_null(bytes);
    for (size_t index = 0; index < count; index++) {
        size += utf8_put(bytes + size, points[index]);
    }
    uint8_t *exact = realloc(bytes, size > 0 ? size : 1);
    cr_assert_not_null(exact);
    return (grove_bytes){exact, size};
}

static inline void utf8_free(grove_bytes bytes)
{
    free((void *)(uintptr_t)bytes.data);
}

/* A scalar value of 1 to `bytes_max` bytes, each length as likely. */
static inline uint32_t random_point(test_random *random, size_t bytes_max)
{
    switch (test_random_below(random, bytes_max)) {
    case 0:
        return (uint32_t)test_random_below(random, 0x80);
    case 1:
        return 0x80 + (uint32_t)test_random_below(random, 0x800 - 0x80);
    case 2: {
        uint32_t point = 0x800 + (uint32_t)test_random_below(random, 0xf800 - 0x800);
        return point < 0xd800 ? point : point + 0x800;
    }
    default:
        return 0x10000 + (uint32_t)test_random_below(random, 0x100000);
    }
}

static inline void random_points(test_random *random, uint32_t *points, size_t count,
                                 size_t bytes_max)
{
    for (size_t index = 0; index < count; index++) {
        points[index] = random_point(random, bytes_max);
    }
}

#endif
