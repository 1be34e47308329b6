#include "pins.h"

#include "teacher.h"

enum { COUNT_MIN = 8 };

void grove__pins_init(grove__pins *pins, const grove_allocator *allocator)
{
    *pins = (grove__pins){.allocator = allocator};
}

void grove__pins_release(grove__pins *pins)
{
    if (pins->pins != NULL) {
        pins->allocator->deallocate(pins->allocator->context, pins->pins,
                                    pins->count * sizeof *pins->pins);
    }
}

static bool grow(grove__pins *pins)
{
    size_t count = pins->count == 0 ? COUNT_MIN : 2 * pins->count;
    grove__memory_pin *grown =
        pins->allocator->allocate(pins->allocator->context, count * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    memset(grown, 0, count * sizeof *grown);
    if (pins->count > 0) {
        memcpy(grown, pins->pins, pins->count * sizeof *grown);
    }
    grove__pins_release(pins);
    pins->pins = grown;
    pins->count = count;
    return true;
}

uint64_t grove__pins_open(grove__pins *pins, uint64_t name, uint64_t value)
{
    size_t index = 0;
    while (index < pins->count && pins->pins[index].is_used) {
        index++;
    }
    if (index == pins->count && !grow(pins)) {
        return 0;
    }
    pins->pins[index] = (grove__memory_pin){true, name, value};
    return (uint64_t)index + 1;
}

static grove__memory_pin *find(grove__pins *pins, uint64_t pin)
{
    grove__teacher_insist(pin > 0 && pin <= pins->count && pins->pins[pin - 1].is_used,
                          "a pin is used that is not open (C17)");
    return &pins->pins[pin - 1];
}

void grove__pins_move(grove__pins *pins, uint64_t pin, uint64_t value)
{
    find(pins, pin)->value = value;
}

void grove__pins_close(grove__pins *pins, uint64_t pin)
{
    find(pins, pin)->is_used = false;
}

uint64_t grove__pins_least(const grove__pins *pins, uint64_t name)
{
    uint64_t least = UINT64_MAX;
    for (size_t index = 0; index < pins->count; index++) {
        const grove__memory_pin *pin = &pins->pins[index];
        if (pin->is_used && pin->name == name && pin->value < least) {
            least = pin->value;
        }
    }
    return least;
}
