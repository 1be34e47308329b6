#include "json/memory.h"

#include <jansson.h>

static void *allocate(void *context, size_t bytes)
{
    json_malloc_t take = NULL;
    (void)context;
    json_get_alloc_funcs(&take, NULL);
    return take(bytes);
}

static void deallocate(void *context, void *memory, size_t bytes)
{
    json_free_t give = NULL;
    (void)context, (void)bytes;
    json_get_alloc_funcs(NULL, &give);
    give(memory);
}

static void *reallocate(void *context, void *memory, size_t bytes_old, size_t bytes_new)
{
    void *larger = allocate(context, bytes_new);
    if (larger != NULL) {
        memcpy(larger, memory, bytes_old < bytes_new ? bytes_old : bytes_new);
        deallocate(context, memory, bytes_old);
    }
    return larger;
}

const grove_allocator grove__json_allocator = {NULL, allocate, reallocate, deallocate};
