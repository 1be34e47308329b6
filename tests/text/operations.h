/* Random editing histories, and comparing what they are made of. */
#ifndef GROVE_TESTS_TEXT_OPERATIONS_H
#define GROVE_TESTS_TEXT_OPERATIONS_H

#include "model.h"
#include "text/operation.h"

/* A growing array of operations that own their contents. */
typedef struct history {
    grove_operation *items;
    size_t count;
    size_t capacity;
    uint64_t events;
} history;

static inline void history_append(history *list, grove_operation operation)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity * 2 + 16;
        list->items = realloc(list->items, list->capacity * sizeof *list->items);
        cr_assert_not_null(list->items);
    }
    list->items[list->count++] = operation;
    list->events += operation.count;
}

static inline void history_release(history *list)
{
    for (size_t index = 0; index < list->count; index++) {
        utf8_free(list->items[index].content);
    }
    free(list->items);
    *list = (history){NULL, 0, 0, 0};
}

static inline grove_operations history_view(const history *list)
{
    return (grove_operations){list->items, list->count};
}

static inline grove_operation deletion(uint32_t kind, uint64_t position, uint32_t count)
{
    return (grove_operation){kind, count, position, {NULL, 0}};
}

/* A random operation on a text of `*length` code points, near `*cursor`. */
static inline grove_operation random_operation(test_random *random, uint64_t *length,
                                               uint64_t *cursor, size_t bytes_max)
{
    uint32_t points[2000];
    uint32_t count = 1 + (uint32_t)test_random_below(random, 4);
    if (test_random_below(random, 4) == 0) {
        count = 1 + (uint32_t)test_random_below(random, 80);
    }
    if (test_random_below(random, 60) == 0) {
        count = 1 + (uint32_t)test_random_below(random, 2000);
    }
    if (*cursor > *length || test_random_below(random, 3) == 0) {
        *cursor = test_random_below(random, *length + 1);
    }
    uint64_t kind = test_random_below(random, 4);
    if (kind == GROVE_TEXT_DELETE && count <= *length - *cursor) {
        *length -= count;
        return deletion(GROVE_TEXT_DELETE, *cursor, count);
    }
    if (kind == GROVE_TEXT_BACKSPACE && count <= *cursor) {
        *length -= count;
        *cursor -= count;
        return deletion(count == 1 ? GROVE_TEXT_DELETE : GROVE_TEXT_BACKSPACE, *cursor,
                        count);
    }
    random_points(random, points, count, bytes_max);
    grove_operation typed = {GROVE_TEXT_INSERT, count, *cursor, utf8_of(points, count)};
    *length += count;
    *cursor += count;
    return typed;
}

static inline history random_history(test_random *random, size_t count, size_t bytes_max)
{
    history list = {NULL, 0, 0, 0};
    uint64_t length = 0;
    uint64_t cursor = 0;
    while (list.count < count) {
        history_append(&list, random_operation(random, &length, &cursor, bytes_max));
    }
    return list;
}

static inline void assert_operation(const grove_operation *actual,
                                    const grove_operation *expected)
{
    cr_assert_eq(actual->kind, expected->kind);
    cr_assert_eq(actual->count, expected->count);
    cr_assert_eq(actual->position, expected->position);
    cr_assert_eq(actual->content.size, expected->content.size);
    cr_assert(expected->content.size == 0 ||
              memcmp(actual->content.data, expected->content.data,
                     expected->content.size) == 0);
}

#endif
