/* What the parts of the broken backend share. */
#ifndef GROVE_CONTRACT_BROKEN_INNER_H
#define GROVE_CONTRACT_BROKEN_INNER_H

#include <pthread.h>
#include <sys/types.h>

#include "broken_backend.h"

struct grove_backend_env {
    broken_fault fault;
    broken_place *place;
    const grove_backend *under;
    grove_backend_env *env;
    const grove_allocator *allocator;
    grove_backend_options options; /* for copies by hand; no pointer but these */
    pthread_t opener;
    pid_t process;
    void *odd; /* for BROKEN_GIVES_BACK_LESS */
    bool is_spoiled;
    atomic_uint pins;
    atomic_uint commits;
};

void *broken_allocate(size_t bytes);
grove_status broken_refuse(grove_error *error_out, grove_status status);

bool broken_is_forked(const grove_backend_env *env);
grove_status broken_readers(grove_backend_env *env, grove_backend_reader_fn each,
                            void *context, grove_error *error_out);
grove_status broken_identity(grove_backend_env *env, grove_backend_identity *identity_out,
                             grove_error *error_out);
grove_status broken_reclaim(grove_backend_env *env, grove_error *error_out);
grove_status broken_grow(grove_backend_env *env, grove_error *error_out);
grove_status broken_copy(grove_backend_env *env, const char *path, bool is_compact,
                         grove_error *error_out);
grove_status broken_pin_open(grove_backend_env *env, uint64_t name, uint64_t value,
                             uint64_t *pin_out, grove_error *error_out);
void broken_pin_move(grove_backend_env *env, uint64_t pin, uint64_t value);
void broken_pin_close(grove_backend_env *env, uint64_t pin);
uint64_t broken_pin_least(grove_backend_env *env, uint64_t name);
grove_status broken_watch_open(grove_backend_env *env, grove_backend_watch **watch_out,
                               grove_error *error_out);
grove_status broken_watch_wait(grove_backend_watch *watch, uint32_t wait_ms_max,
                               grove_error *error_out);
int broken_watch_descriptor(const grove_backend_watch *watch);
void broken_watch_close(grove_backend_watch *watch);

/* BROKEN_TICKETS_ARE_FINAL, BROKEN_WAITERS_TRY_AGAIN: a write transaction of
 * what is under; end_turn when it is over. */
grove_status broken_begin_writer(grove_backend_env *env, grove_txn_mode mode,
                                 grove_backend_txn **txn_out, grove_error *error_out);
void broken_end_turn(grove_backend_env *env);

#endif
