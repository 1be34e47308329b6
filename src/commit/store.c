#include "commit/store.h"

#include "base/error.h"
#include "base/hash.h"

grove_status grove__store_random(const grove_store *store, void *bytes, size_t size,
                                 grove_error *error_out)
{
    if (!store->random.fill(store->random.context, bytes, size)) {
        return grove__fail(error_out, GROVE_IO, "the random hook gave no bytes");
    }
    return GROVE_OK;
}

grove_status grove__store_check(const grove_store *store, grove_error *error_out)
{
    if (grove__kv_is_forked(&store->kv)) {
        return grove__fail(error_out, GROVE_FORKED,
                           "the store was opened before a fork, by the parent; open it "
                           "again in this process");
    }
    return GROVE_OK;
}

uint64_t grove__handle_name(grove_bytes document)
{
    return grove__hash(document, 0);
}

grove_status grove__handle_open(grove_store *store, grove_bytes document, uint64_t clock,
                                grove__handle *handle_out, grove_error *error_out)
{
    grove_status status = grove__kv_pin_open(&store->kv, grove__handle_name(document),
                                             clock, &handle_out->pin, error_out);
    if (status == GROVE_OK) {
        (void)atomic_fetch_add(&store->handle_count, 1);
    }
    return status;
}

void grove__handle_move(grove_store *store, grove__handle *handle, uint64_t clock)
{
    grove__kv_pin_move(&store->kv, handle->pin, clock);
}

void grove__handle_close(grove_store *store, grove__handle *handle)
{
    grove__kv_pin_close(&store->kv, handle->pin);
    handle->pin = 0;
    (void)atomic_fetch_sub(&store->handle_count, 1);
}

uint64_t grove__handle_least_clock(grove_store *store, grove_bytes document)
{
    return grove__kv_pin_least(&store->kv, grove__handle_name(document));
}
