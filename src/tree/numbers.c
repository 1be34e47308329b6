#include "tree/numbers.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/checked.h"

enum { CAPACITY_MIN = 8 };

/* How many numbers a table of this size takes: 7/8. */
static size_t most_in(size_t capacity)
{
    return capacity - capacity / 8;
}

void grove__numbers_release(grove__numbers *numbers, const grove_allocator *allocator)
{
    grove__deallocate(allocator, numbers->slots,
                      numbers->capacity * sizeof *numbers->slots);
    *numbers = (grove__numbers){0};
}

bool grove__numbers_reserve(grove__numbers *numbers, const grove_allocator *allocator,
                            size_t count, grove__numbers_rule rule)
{
    if (count <= most_in(numbers->capacity)) {
        return true;
    }
    size_t capacity = numbers->capacity == 0 ? CAPACITY_MIN : numbers->capacity;
    while (most_in(capacity) < count) {
        if (capacity > SIZE_MAX / 2 / sizeof *numbers->slots) {
            return false;
        }
        capacity *= 2;
    }
    grove__numbers grown = {grove__allocate(allocator, capacity * sizeof *numbers->slots),
                            capacity, 0};
    if (grown.slots == NULL) {
        return false;
    }
    memset(grown.slots, 0xff, capacity * sizeof *grown.slots);
    for (size_t slot = 0; slot < numbers->capacity; slot++) {
        uint32_t number = numbers->slots[slot];
        if (number != GROVE__NUMBERS_NONE) {
            grove__numbers_add(&grown, rule.hash_of(rule.context, number), number);
        }
    }
    grove__numbers_release(numbers, allocator);
    *numbers = grown;
    return true;
}

void grove__numbers_add(grove__numbers *numbers, uint64_t hash, uint32_t number)
{
    GROVE_ASSERT(numbers->count < most_in(numbers->capacity));
    size_t slot = grove__numbers_first(numbers, hash);
    while (numbers->slots[slot] != GROVE__NUMBERS_NONE) {
        slot = grove__numbers_next(numbers, slot);
    }
    numbers->slots[slot] = number;
    numbers->count++;
}

/* Closes the gap, so that every number is still found from its first slot. */
void grove__numbers_remove(grove__numbers *numbers, grove__numbers_rule rule,
                           uint32_t number)
{
    uint32_t *slots = numbers->slots;
    size_t gap = grove__numbers_first(numbers, rule.hash_of(rule.context, number));
    while (slots[gap] != number) {
        GROVE_ASSERT(slots[gap] != GROVE__NUMBERS_NONE);
        gap = grove__numbers_next(numbers, gap);
    }
    numbers->count--;
    size_t mask = numbers->capacity - 1;
    for (size_t slot = grove__numbers_next(numbers, gap);
         slots[slot] != GROVE__NUMBERS_NONE; slot = grove__numbers_next(numbers, slot)) {
        size_t first =
            grove__numbers_first(numbers, rule.hash_of(rule.context, slots[slot]));
        if (((slot - first) & mask) >= ((slot - gap) & mask)) {
            slots[gap] = slots[slot];
            gap = slot;
        }
    }
    slots[gap] = GROVE__NUMBERS_NONE;
}
