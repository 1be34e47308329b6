/* Memory: the allocator that backends are given, and bytes for checks. */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

/* The allocator. A header keeps each size, to compare with what comes back. */

typedef union allocation {
    size_t bytes;
    max_align_t alignment;
} allocation;

static void *check_allocate(void *context, size_t bytes)
{
    grove__check_allocator *allocator = context;
    size_t call = atomic_fetch_add(&allocator->calls, 1) + 1;
    if (call == atomic_load(&allocator->fails_at)) {
        atomic_store(&allocator->has_failed, true);
        return NULL;
    }
    allocation *memory = malloc(sizeof *memory + bytes);
    if (memory == NULL) {
        return NULL;
    }
    memory->bytes = bytes;
    (void)atomic_fetch_add(&allocator->bytes, bytes);
    return memory + 1;
}

static void check_deallocate(void *context, void *memory, size_t bytes)
{
    grove__check_allocator *allocator = context;
    if (memory == NULL) {
        return;
    }
    allocation *head = (allocation *)memory - 1;
    if (head->bytes != bytes) {
        atomic_store(&allocator->has_wrong_size, true);
    }
    (void)atomic_fetch_sub(&allocator->bytes, head->bytes);
    free(head);
}

static void *check_reallocate(void *context, void *memory, size_t bytes_old,
                              size_t bytes_new)
{
    void *moved = check_allocate(context, bytes_new);
    if (moved != NULL) {
        memcpy(moved, memory, bytes_old < bytes_new ? bytes_old : bytes_new);
        check_deallocate(context, memory, bytes_old);
    }
    return moved;
}

void grove__check_allocator_init(grove__check_allocator *allocator)
{
    allocator->table.context = allocator;
    allocator->table.allocate = check_allocate;
    allocator->table.reallocate = check_reallocate;
    allocator->table.deallocate = check_deallocate;
    atomic_init(&allocator->calls, 0);
    atomic_init(&allocator->bytes, 0);
    atomic_init(&allocator->fails_at, 0);
    atomic_init(&allocator->has_failed, false);
    atomic_init(&allocator->has_wrong_size, false);
}

/* Bytes */

int grove__check_compare(grove_bytes a, grove_bytes b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

bool grove__check_equal(grove_bytes a, grove_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

void *grove__check_memory(size_t bytes)
{
    void *memory = malloc(bytes > 0 ? bytes : 1);
    if (memory == NULL) {
        (void)fputs("contract suite: out of memory\n", stderr);
        abort();
    }
    return memory;
}

uint64_t grove__check_random(uint64_t *state)
{
    uint64_t value = *state += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

uint8_t *grove__check_bytes(size_t size, uint64_t number)
{
    uint8_t *bytes = grove__check_memory(size);
    uint64_t state = number;
    for (size_t index = 0; index < size; index++) {
        bytes[index] = (uint8_t)grove__check_random(&state);
    }
    return bytes;
}

grove_bytes grove__check_number(uint64_t number, uint8_t bytes[8])
{
    for (size_t index = 0; index < 8; index++) {
        bytes[index] = (uint8_t)(number >> (56 - 8 * index));
    }
    grove_bytes view = {bytes, 8};
    return view;
}
