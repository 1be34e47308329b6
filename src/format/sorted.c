/* Items in sorted order: see sorted.h. */
#include "format/sorted.h"

#include "base/alloc.h"
#include "base/checked.h"

enum { CAPACITY_MIN = 24 };

void grove__sorted_release(grove__sorted *sorted, const grove_allocator *allocator)
{
    grove__deallocate(allocator, sorted->numbers, sorted->capacity * sizeof(uint32_t));
    *sorted = (grove__sorted){NULL, 0, 0};
}

static const void *item_at(const grove__sorted_items *items, uint32_t number)
{
    return (const uint8_t *)items->items + items->item_bytes * number;
}

static int compare_numbers(const grove__sorted_items *items, uint32_t a, uint32_t b)
{
    return items->compare(item_at(items, a), item_at(items, b));
}

/* Makes room for `count` numbers and half as many behind them (O2). */
static bool sorted_reserve(grove__sorted *sorted, const grove_allocator *allocator,
                           size_t count)
{
    size_t needed = count + count / 2 + 1;
    if (needed <= sorted->capacity) {
        return true;
    }
    size_t capacity = needed + needed / 2;
    if (capacity < CAPACITY_MIN) {
        capacity = CAPACITY_MIN;
    }
    size_t bytes;
    if (!grove__multiply_size(capacity, sizeof(uint32_t), &bytes)) {
        return false;
    }
    uint32_t *grown = grove__reallocate(allocator, sorted->numbers,
                                        sorted->capacity * sizeof(uint32_t), bytes);
    if (grown == NULL) {
        return false;
    }
    sorted->numbers = grown;
    sorted->capacity = capacity;
    return true;
}

/* Merges two neighbouring runs of `size` numbers by way of `room`. */
static void merge_runs(uint32_t *run, size_t size, uint32_t *room,
                       const grove__sorted_items *items)
{
    uint32_t *second = run + size;
    if (compare_numbers(items, second[-1], second[0]) <= 0) {
        return;
    }
    memcpy(room, second, size * sizeof *room);
    size_t left = size;
    size_t right = size;
    while (right > 0) {
        if (left > 0 && compare_numbers(items, run[left - 1], room[right - 1]) > 0) {
            run[left + right - 1] = run[left - 1];
            left--;
        } else {
            run[left + right - 1] = room[right - 1];
            right--;
        }
    }
}

bool grove__sorted_cover(grove__sorted *sorted, const grove_allocator *allocator,
                         const grove__sorted_items *items, size_t count)
{
    if (sorted->count >= count) {
        return true;
    }
    if (!sorted_reserve(sorted, allocator, count)) {
        return false;
    }
    while (sorted->count < count) {
        size_t before = sorted->count++;
        sorted->numbers[before] = (uint32_t)before;
        for (size_t size = 1; (before & size) != 0; size *= 2) {
            merge_runs(sorted->numbers + sorted->count - 2 * size, size,
                       sorted->numbers + sorted->count, items);
        }
    }
    return true;
}

/* The greatest at or below `key` of one sorted run. */
static uint32_t run_floor(const uint32_t *run, size_t size,
                          const grove__sorted_items *items, const void *key)
{
    size_t low = 0;
    size_t high = size;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (items->compare(key, item_at(items, run[middle])) < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low == 0 ? GROVE__SORTED_NONE : run[low - 1];
}

uint32_t grove__sorted_floor(const grove__sorted *sorted,
                             const grove__sorted_items *items, const void *key)
{
    uint32_t best = GROVE__SORTED_NONE;
    size_t begin = 0;
    while (begin < sorted->count) {
        size_t left = sorted->count - begin;
        size_t size = (size_t)1 << (63 - __builtin_clzll(left));
        uint32_t found = run_floor(sorted->numbers + begin, size, items, key);
        if (found != GROVE__SORTED_NONE &&
            (best == GROVE__SORTED_NONE || compare_numbers(items, found, best) > 0)) {
            best = found;
        }
        begin += size;
    }
    return best;
}
