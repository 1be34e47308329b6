/*
 * A binary heap, and the items of the walks over a graph. Room is reserved
 * beforehand, so that nothing here fails. O(log n) each.
 */
#ifndef GROVE_GRAPH_HEAP_H
#define GROVE_GRAPH_HEAP_H

#include "graph/array.h"

typedef struct grove__heap_item {
    uint64_t key;
    const uint64_t *rest; /* with `rest_count`, as the user of the heap says */
    uint32_t rest_count;
    uint32_t mark;
} grove__heap_item;

typedef struct grove__heap {
    grove__heap_item *items;
    size_t count;
    size_t capacity;
} grove__heap;

/* Whether an item has to leave the heap before another. Given as a constant,
 * so that the compiler sees through it. */
typedef bool grove__heap_before(const void *context, const grove__heap_item *item,
                                const grove__heap_item *other);

static inline bool grove__heap_reserve(grove__heap *heap,
                                       const grove_allocator *allocator, size_t more)
{
    return grove__array_reserve_more(allocator, (void **)&heap->items, &heap->capacity,
                                     heap->count, more, sizeof *heap->items);
}

static inline void grove__heap_push(grove__heap *heap, grove__heap_item item,
                                    grove__heap_before *before, const void *context)
{
    size_t at = heap->count++;
    while (at > 0) {
        size_t above = (at - 1) / 2;
        if (!before(context, &item, &heap->items[above])) {
            break;
        }
        heap->items[at] = heap->items[above];
        at = above;
    }
    heap->items[at] = item;
}

/* Takes the first item out; the heap is not empty. */
static inline grove__heap_item grove__heap_pop(grove__heap *heap,
                                               grove__heap_before *before,
                                               const void *context)
{
    grove__heap_item first = heap->items[0];
    grove__heap_item moved = heap->items[--heap->count];
    size_t at = 0;
    for (;;) {
        size_t below = 2 * at + 1;
        if (below >= heap->count) {
            break;
        }
        if (below + 1 < heap->count &&
            before(context, &heap->items[below + 1], &heap->items[below])) {
            below++;
        }
        if (!before(context, &heap->items[below], &moved)) {
            break;
        }
        heap->items[at] = heap->items[below];
        at = below;
    }
    if (heap->count > 0) {
        heap->items[at] = moved;
    }
    return first;
}

#endif
