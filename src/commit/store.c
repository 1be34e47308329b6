#include "commit/store.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"

grove_status grove__store_random(const grove_store *store, void *bytes, size_t size,
                                 grove_error *error_out)
{
    if (!store->random.fill(store->random.context, bytes, size)) {
        return grove__fail(error_out, GROVE_IO, "the random hook gave no bytes");
    }
    return GROVE_OK;
}

void grove__handle_link(grove_store *store, grove__handle *handle)
{
    (void)pthread_mutex_lock(&store->handles_lock);
    handle->previous = NULL;
    handle->next = store->handles;
    if (handle->next != NULL) {
        handle->next->previous = handle;
    }
    store->handles = handle;
    (void)pthread_mutex_unlock(&store->handles_lock);
}

void grove__handle_unlink(grove_store *store, grove__handle *handle)
{
    (void)pthread_mutex_lock(&store->handles_lock);
    if (handle->next != NULL) {
        handle->next->previous = handle->previous;
    }
    if (handle->previous != NULL) {
        handle->previous->next = handle->next;
    } else {
        GROVE_ASSERT(store->handles == handle);
        store->handles = handle->next;
    }
    (void)pthread_mutex_unlock(&store->handles_lock);
}

void grove__handle_move(grove_store *store, grove__handle *handle, uint64_t clock)
{
    (void)pthread_mutex_lock(&store->handles_lock);
    handle->clock = clock;
    (void)pthread_mutex_unlock(&store->handles_lock);
}

uint64_t grove__handle_least_clock(grove_store *store, grove_bytes document,
                                   const grove__handle *except)
{
    uint64_t least = UINT64_MAX;
    (void)pthread_mutex_lock(&store->handles_lock);
    for (const grove__handle *handle = store->handles; handle != NULL;
         handle = handle->next) {
        if (handle != except && grove__bytes_equal(handle->document, document)) {
            least = grove__min_u64(least, handle->clock);
        }
    }
    (void)pthread_mutex_unlock(&store->handles_lock);
    return least;
}
