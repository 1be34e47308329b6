#include "graph/range.h"

#include "base/assert.h"

void grove__range_list_release(grove__range_list *list, const grove_allocator *allocator)
{
    grove__deallocate(allocator, list->items, list->capacity * sizeof *list->items);
    *list = (grove__range_list){0};
}

static bool add_range(grove__range_list *list, const grove_allocator *allocator,
                      grove__range range)
{
    if (!grove__array_reserve(allocator, (void **)&list->items, &list->capacity,
                              list->count, sizeof *list->items)) {
        return false;
    }
    list->items[list->count++] = range;
    return true;
}

bool grove__range_list_append(grove__range_list *list, const grove_allocator *allocator,
                              uint64_t from, uint64_t end)
{
    GROVE_ASSERT(from <= end);
    if (from == end) {
        return true;
    }
    if (list->count > 0 && list->items[list->count - 1].end == from) {
        list->items[list->count - 1].end = end;
        return true;
    }
    return add_range(list, allocator, (grove__range){from, end});
}

bool grove__range_list_append_below(grove__range_list *list,
                                    const grove_allocator *allocator, uint64_t from,
                                    uint64_t end)
{
    GROVE_ASSERT(from <= end);
    if (from == end) {
        return true;
    }
    if (list->count > 0 && list->items[list->count - 1].from == end) {
        list->items[list->count - 1].from = from;
        return true;
    }
    return add_range(list, allocator, (grove__range){from, end});
}

void grove__range_list_reverse(grove__range_list *list)
{
    for (size_t low = 0, high = list->count; low + 1 < high; low++, high--) {
        grove__range range = list->items[low];
        list->items[low] = list->items[high - 1];
        list->items[high - 1] = range;
    }
}
