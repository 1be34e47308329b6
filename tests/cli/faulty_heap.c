#include "faulty_heap.h"

#include <jansson.h>
#include <stdlib.h>

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);

static size_t calls_left;
static bool has_failed;

static bool fails(void)
{
    if (calls_left == 0) {
        return false;
    }
    calls_left--;
    has_failed = has_failed || calls_left == 0;
    return calls_left == 0;
}

void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes)
{
    return fails() ? NULL : __real_realloc(memory, bytes);
}

void faulty_heap_begin(size_t nth)
{
    json_set_alloc_funcs(malloc, free);
    calls_left = nth;
    has_failed = false;
}

bool faulty_heap_end(void)
{
    calls_left = 0;
    return has_failed;
}
