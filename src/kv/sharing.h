/*
 * What a backend does for processes and threads that share an environment:
 * pins, watches, copies. One wrapper for each call, as in kv/kv.h.
 */
#ifndef GROVE_KV_SHARING_H
#define GROVE_KV_SHARING_H

#include "kv/kv.h"

/* Whether the environment was opened by a parent of this process. */
static inline bool grove__kv_is_forked(const grove__kv *kv)
{
    return kv->backend->is_forked(kv->env);
}

grove_status grove__kv_readers(grove__kv *kv, grove_backend_reader_fn each, void *context,
                               grove_error *error_out);
grove_status grove__kv_identity(grove__kv *kv, grove_backend_identity *identity_out,
                                grove_error *error_out);
grove_status grove__kv_reclaim(grove__kv *kv, grove_error *error_out);
/* GROVE_NONE: there is no more room. */
grove_status grove__kv_grow(grove__kv *kv, grove_error *error_out);
grove_status grove__kv_copy(grove__kv *kv, const char *path, bool is_compact,
                            grove_error *error_out);

grove_status grove__kv_pin_open(grove__kv *kv, uint64_t name, uint64_t value,
                                uint64_t *pin_out, grove_error *error_out);
void grove__kv_pin_move(grove__kv *kv, uint64_t pin, uint64_t value);
void grove__kv_pin_close(grove__kv *kv, uint64_t pin);
uint64_t grove__kv_pin_least(grove__kv *kv, uint64_t name);

typedef struct grove__kv_watch {
    grove__kv *kv;
    grove_backend_watch *backend_watch;
} grove__kv_watch;

grove_status grove__kv_watch_open(grove__kv *kv, grove__kv_watch *watch_out,
                                  grove_error *error_out);
/* GROVE_NONE: no commit in time. */
grove_status grove__kv_watch_wait(grove__kv_watch *watch, uint32_t wait_ms_max,
                                  grove_error *error_out);
int grove__kv_watch_descriptor(const grove__kv_watch *watch);
void grove__kv_watch_close(grove__kv_watch *watch);

#endif
