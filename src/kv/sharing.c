#include "kv/sharing.h"

#include "base/assert.h"

grove_status grove__kv_readers(grove__kv *kv, grove_backend_reader_fn each, void *context,
                               grove_error *error_out)
{
    grove_status status = kv->backend->readers(kv->env, each, context, error_out);
    return grove__kv_explain(kv, status, error_out);
}

grove_status grove__kv_identity(grove__kv *kv, grove_backend_identity *identity_out,
                                grove_error *error_out)
{
    grove_status status = kv->backend->identity(kv->env, identity_out, error_out);
    return grove__kv_explain(kv, status, error_out);
}

grove_status grove__kv_reclaim(grove__kv *kv, grove_error *error_out)
{
    return grove__kv_explain(kv, kv->backend->reclaim(kv->env, error_out), error_out);
}

grove_status grove__kv_grow(grove__kv *kv, grove_error *error_out)
{
    return grove__kv_explain(kv, kv->backend->grow(kv->env, error_out), error_out);
}

grove_status grove__kv_copy(grove__kv *kv, const char *path, bool is_compact,
                            grove_error *error_out)
{
    grove_status status = kv->backend->copy(kv->env, path, is_compact, error_out);
    return grove__kv_explain(kv, status, error_out);
}

grove_status grove__kv_pin_open(grove__kv *kv, uint64_t name, uint64_t value,
                                uint64_t *pin_out, grove_error *error_out)
{
    grove_status status = kv->backend->pin_open(kv->env, name, value, pin_out, error_out);
    return grove__kv_explain(kv, status, error_out);
}

void grove__kv_pin_move(grove__kv *kv, uint64_t pin, uint64_t value)
{
    GROVE_ASSERT(pin != 0);
    kv->backend->pin_move(kv->env, pin, value);
}

void grove__kv_pin_close(grove__kv *kv, uint64_t pin)
{
    GROVE_ASSERT(pin != 0);
    kv->backend->pin_close(kv->env, pin);
}

uint64_t grove__kv_pin_least(grove__kv *kv, uint64_t name)
{
    return kv->backend->pin_least(kv->env, name);
}

grove_status grove__kv_watch_open(grove__kv *kv, grove__kv_watch *watch_out,
                                  grove_error *error_out)
{
    grove_backend_watch *backend_watch = NULL;
    grove_status status = kv->backend->watch_open(kv->env, &backend_watch, error_out);
    if (status == GROVE_OK) {
        *watch_out = (grove__kv_watch){kv, backend_watch};
    }
    return grove__kv_explain(kv, status, error_out);
}

grove_status grove__kv_watch_wait(grove__kv_watch *watch, uint32_t wait_ms_max,
                                  grove_error *error_out)
{
    const grove__kv *kv = watch->kv;
    grove_status status =
        kv->backend->watch_wait(watch->backend_watch, wait_ms_max, error_out);
    return grove__kv_explain(kv, status, error_out);
}

int grove__kv_watch_descriptor(const grove__kv_watch *watch)
{
    return watch->kv->backend->watch_descriptor(watch->backend_watch);
}

void grove__kv_watch_close(grove__kv_watch *watch)
{
    watch->kv->backend->watch_close(watch->backend_watch);
}
