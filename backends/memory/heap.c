#include "heap.h"

#include <stdlib.h>

static void *system_allocate(void *context, size_t bytes)
{
    (void)context;
    return malloc(bytes);
}

static void *system_reallocate(void *context, void *memory, size_t bytes_old,
                               size_t bytes_new)
{
    (void)context;
    (void)bytes_old;
    return realloc(memory, bytes_new);
}

static void system_deallocate(void *context, void *memory, size_t bytes)
{
    (void)context;
    (void)bytes;
    free(memory);
}

const grove_allocator grove__heap_system_allocator = {
    .context = NULL,
    .allocate = system_allocate,
    .reallocate = system_reallocate,
    .deallocate = system_deallocate,
};

void grove__heap_init(grove__heap *heap, const grove_allocator *allocator)
{
    heap->allocator = allocator;
    atomic_init(&heap->bytes, 0);
    heap->limit = 0;
}

grove_status grove__heap_allocate(grove__heap *heap, size_t bytes, void **memory_out)
{
    uint64_t used = atomic_load_explicit(&heap->bytes, memory_order_relaxed);
    if (used > heap->limit || bytes > heap->limit - used) {
        return GROVE_FULL;
    }
    void *memory = heap->allocator->allocate(heap->allocator->context, bytes);
    if (memory == NULL) {
        return GROVE_NO_MEMORY;
    }
    (void)atomic_fetch_add_explicit(&heap->bytes, bytes, memory_order_relaxed);
    *memory_out = memory;
    return GROVE_OK;
}

void grove__heap_deallocate(grove__heap *heap, void *memory, size_t bytes)
{
    heap->allocator->deallocate(heap->allocator->context, memory, bytes);
    (void)atomic_fetch_sub_explicit(&heap->bytes, bytes, memory_order_relaxed);
}

grove_status grove__blob_new(grove__heap *heap, size_t size, grove__blob **blob_out)
{
    void *memory;
    grove_status status = grove__heap_allocate(heap, sizeof(grove__blob) + size, &memory);
    if (status != GROVE_OK) {
        return status;
    }
    grove__blob *blob = memory;
    atomic_init(&blob->references.count, 1);
    blob->size = size;
    *blob_out = blob;
    return GROVE_OK;
}

grove__blob *grove__blob_share(grove__blob *blob)
{
    grove__references_add(&blob->references);
    return blob;
}

void grove__blob_release(grove__heap *heap, grove__blob *blob)
{
    if (blob != NULL && grove__references_drop(&blob->references)) {
        grove__heap_deallocate(heap, blob, sizeof(grove__blob) + blob->size);
    }
}
