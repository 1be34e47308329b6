/*
 * The memory of one environment: counted, limited, and in the end all given
 * back; and the blobs that keys and values are.
 *
 *   H1  `bytes` is what the environment's nodes and blobs take together.
 *   H2  Only the one writer allocates, so it never exceeds `limit`. Any thread
 *       may give back: a reader that ends may hold the last reference.
 */
#ifndef GROVE_MEMORY_HEAP_H
#define GROVE_MEMORY_HEAP_H

#include <stdatomic.h>

#include <grove/types.h>

/* malloc, realloc and free. */
extern const grove_allocator grove__heap_system_allocator;

typedef struct grove__heap {
    const grove_allocator *allocator;
    _Atomic uint64_t bytes;
    /* Set by each writer as it begins. */
    uint64_t limit;
} grove__heap;

void grove__heap_init(grove__heap *heap, const grove_allocator *allocator);
/* GROVE_FULL: over the limit. GROVE_NO_MEMORY. */
grove_status grove__heap_allocate(grove__heap *heap, size_t bytes, void **memory_out);
void grove__heap_deallocate(grove__heap *heap, void *memory, size_t bytes);

/* References are atomic, as readers end whenever they like. */
typedef struct grove__references {
    atomic_uint count;
} grove__references;

static inline void grove__references_add(grove__references *references)
{
    (void)atomic_fetch_add_explicit(&references->count, 1, memory_order_relaxed);
}
/* True when that was the last: the caller frees. */
static inline bool grove__references_drop(grove__references *references)
{
    return atomic_fetch_sub_explicit(&references->count, 1, memory_order_acq_rel) == 1;
}
/* Whether nobody but the caller holds one. Acquires, so that what others read
 * through theirs is read before the caller writes. */
static inline bool grove__references_is_one(grove__references *references)
{
    return atomic_load_explicit(&references->count, memory_order_acquire) == 1;
}

/* A counted byte string: a key, or a value. */
typedef struct grove__blob {
    grove__references references;
    size_t size;
    uint8_t bytes[];
} grove__blob;

/* A blob with unset bytes and one reference. GROVE_FULL, GROVE_NO_MEMORY. */
grove_status grove__blob_new(grove__heap *heap, size_t size, grove__blob **blob_out);
grove__blob *grove__blob_share(grove__blob *blob);
/* Drops a reference; accepts NULL. */
void grove__blob_release(grove__heap *heap, grove__blob *blob);

static inline grove_bytes grove__blob_view(const grove__blob *blob)
{
    grove_bytes view = {blob->bytes, blob->size};
    return view;
}

#endif
