/* Pins (C17): numbers under names, in a list that grows. */
#ifndef GROVE_MEMORY_PINS_H
#define GROVE_MEMORY_PINS_H

#include <grove/sys/backend.h>

typedef struct grove__memory_pin {
    bool is_used;
    uint64_t name;
    uint64_t value;
} grove__memory_pin;

typedef struct grove__pins {
    const grove_allocator *allocator;
    grove__memory_pin *pins;
    size_t count;
} grove__pins;

void grove__pins_init(grove__pins *pins, const grove_allocator *allocator);
void grove__pins_release(grove__pins *pins);

/* A number from 1; 0: out of memory. */
uint64_t grove__pins_open(grove__pins *pins, uint64_t name, uint64_t value);
void grove__pins_move(grove__pins *pins, uint64_t pin, uint64_t value);
void grove__pins_close(grove__pins *pins, uint64_t pin);
uint64_t grove__pins_least(const grove__pins *pins, uint64_t name);

#endif
