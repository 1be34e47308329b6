/* Environments of the memory backend: everything but transactions. */
#ifndef GROVE_MEMORY_ENV_H
#define GROVE_MEMORY_ENV_H

#include <stdatomic.h>

#include <grove/sys/backend.h>

#include "disk.h"

enum { GROVE__MEMORY_PAGE_BYTES = 4096 };

struct grove_backend_env {
    const grove_allocator *allocator;
    grove_memory_disk *disk;
    bool is_own_disk;
    pid_t process; /* that opened it */
    uint32_t wait_ms_max;
    grove__volume *volume;
    uint64_t cuts;
    uint64_t reserve_bytes;
    grove_durability durability;
    uint64_t size_limit_bytes;
    atomic_uint txn_count;
    uint32_t table_count;
    size_t tables[]; /* by index: the number in the volume */
};

/* Whether a parent of this process opened it (C15). */
bool grove__memory_is_forked(const grove_backend_env *env);
grove_status grove__memory_fail_forked(grove_error *error_out);
/* The sentence for a status that a volume gave. */
grove_status grove__memory_fail_volume(grove_error *error_out, grove_status status);

/* The functions of grove_backend. */
grove_status grove__memory_open(const grove_backend_options *options,
                                grove_backend_env **env_out, grove_error *error_out);
void grove__memory_close(grove_backend_env *env);
grove_status grove__memory_sync(grove_backend_env *env, grove_error *error_out);
grove_status grove__memory_statistics(grove_backend_env *env,
                                      grove_backend_statistics *statistics_out,
                                      grove_error *error_out);
grove_status grove__memory_readers(grove_backend_env *env, grove_backend_reader_fn each,
                                   void *context, grove_error *error_out);
grove_status grove__memory_identity(grove_backend_env *env,
                                    grove_backend_identity *identity_out,
                                    grove_error *error_out);
grove_status grove__memory_reclaim(grove_backend_env *env, grove_error *error_out);
grove_status grove__memory_grow(grove_backend_env *env, grove_error *error_out);
grove_status grove__memory_copy(grove_backend_env *env, const char *path, bool is_compact,
                                grove_error *error_out);
grove_status grove__memory_pin_open(grove_backend_env *env, uint64_t name, uint64_t value,
                                    uint64_t *pin_out, grove_error *error_out);
void grove__memory_pin_move(grove_backend_env *env, uint64_t pin, uint64_t value);
void grove__memory_pin_close(grove_backend_env *env, uint64_t pin);
uint64_t grove__memory_pin_least(grove_backend_env *env, uint64_t name);
grove_status grove__memory_watch_open(grove_backend_env *env,
                                      grove_backend_watch **watch_out,
                                      grove_error *error_out);
grove_status grove__memory_watch_wait(grove_backend_watch *watch, uint32_t wait_ms_max,
                                      grove_error *error_out);
void grove__memory_watch_close(grove_backend_watch *watch);

#endif
