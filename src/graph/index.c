#include "graph/index.h"

#include "base/assert.h"

static size_t bytes_of(uint32_t capacity)
{
    return ((size_t)capacity + capacity / 2) * sizeof(uint32_t);
}

void grove__index_release(grove__index *index, const grove_allocator *allocator)
{
    grove__deallocate(allocator, index->items, bytes_of(index->capacity));
    *index = (grove__index){0};
}

bool grove__index_reserve(grove__index *index, const grove_allocator *allocator)
{
    if (index->count < index->capacity) {
        return true;
    }
    if (index->capacity > UINT32_MAX / 4) {
        return false;
    }
    uint32_t capacity = index->capacity == 0 ? 2 : index->capacity * 2;
    uint32_t *items = grove__reallocate(allocator, index->items,
                                        bytes_of(index->capacity), bytes_of(capacity));
    if (items == NULL) {
        return false;
    }
    index->items = items;
    index->capacity = capacity;
    return true;
}

static int compare_items(grove__index_rule rule, uint32_t item, uint32_t other)
{
    return rule.compare(rule.key_of(rule.context, item),
                        rule.key_of(rule.context, other));
}

/* Merges the `width` items before `end` with the `width` before those. */
static void merge_pieces(grove__index *index, grove__index_rule rule, uint32_t end,
                         uint32_t width)
{
    uint32_t *low = &index->items[end - 2 * width];
    if (compare_items(rule, low[width - 1], low[width]) < 0) {
        return;
    }
    uint32_t *high = &index->items[index->capacity];
    memcpy(high, &low[width], width * sizeof *high);
    size_t low_left = width;
    size_t high_left = width;
    /* From the back, so that nothing is overwritten before it is read. */
    while (high_left > 0) {
        if (low_left > 0 &&
            compare_items(rule, low[low_left - 1], high[high_left - 1]) > 0) {
            low[low_left + high_left - 1] = low[low_left - 1];
            low_left--;
        } else {
            low[low_left + high_left - 1] = high[high_left - 1];
            high_left--;
        }
    }
}

void grove__index_add(grove__index *index, grove__index_rule rule, uint32_t item)
{
    GROVE_ASSERT(index->count < index->capacity);
    uint32_t count = index->count++;
    index->items[count] = item;
    if (!index->is_shuffled &&
        (count == 0 || compare_items(rule, index->items[count - 1], item) < 0)) {
        return;
    }
    /* Every piece of a sorted array is sorted: X1 holds from here on. */
    uint32_t width = 1;
    for (; (count & width) != 0; width *= 2) {
        merge_pieces(index, rule, count + 1, width);
    }
    index->is_shuffled = width != index->count;
}

/* How many of the `count` items of a sorted piece have keys at or before. */
static uint32_t count_at_or_before(const uint32_t *items, uint32_t count,
                                   grove__index_rule rule, const void *key)
{
    uint32_t low = 0;
    uint32_t high = count;
    /* What is looked for is often what was added last. */
    if (rule.compare(rule.key_of(rule.context, items[count - 1]), key) <= 0) {
        return count;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (rule.compare(rule.key_of(rule.context, items[middle]), key) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The first sorted piece of the items from `from` on. */
static uint32_t piece_at(const grove__index *index, uint32_t from)
{
    uint32_t left = index->count - from;
    if (!index->is_shuffled) {
        return left;
    }
    uint32_t width = 1;
    while (width <= left / 2) {
        width *= 2;
    }
    return width;
}

uint32_t grove__index_at_or_before(const grove__index *index, grove__index_rule rule,
                                   const void *key)
{
    uint32_t best = GROVE__INDEX_NONE;
    for (uint32_t from = 0, width; from < index->count; from += width) {
        width = piece_at(index, from);
        uint32_t count = count_at_or_before(&index->items[from], width, rule, key);
        if (count > 0) {
            uint32_t item = index->items[from + count - 1];
            if (best == GROVE__INDEX_NONE || compare_items(rule, item, best) > 0) {
                best = item;
            }
        }
    }
    return best;
}

uint32_t grove__index_after(const grove__index *index, grove__index_rule rule,
                            const void *key)
{
    uint32_t best = GROVE__INDEX_NONE;
    for (uint32_t from = 0, width; from < index->count; from += width) {
        width = piece_at(index, from);
        uint32_t count = count_at_or_before(&index->items[from], width, rule, key);
        if (count < width) {
            uint32_t item = index->items[from + count];
            if (best == GROVE__INDEX_NONE || compare_items(rule, item, best) < 0) {
                best = item;
            }
        }
    }
    return best;
}
