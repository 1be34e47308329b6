/*
 * What checks are written with: a backend's functions, watched.
 *
 * A check is a straight line of calls. The first expectation that does not
 * hold is kept, and from then on calls do nothing, except that those which
 * end something (commit, abort, close) still do end it: so a check needs no
 * branches to clean up.
 */
#ifndef GROVE_CONTRACT_CHECK_H
#define GROVE_CONTRACT_CHECK_H

#include <pthread.h>
#include <stdatomic.h>

#include "contract.h"

enum {
    GROVE__CHECK_TABLES = 3,
    GROVE__CHECK_MESSAGE_BYTES = 512,
    GROVE__CHECK_KEPT = 64
};

/* Counts what it hands out, and can fail once. For any number of threads. */
typedef struct grove__check_allocator {
    grove_allocator table; /* hand this out */
    atomic_size_t calls;
    atomic_size_t bytes;
    /* The call that fails, counted from 1; 0: none. */
    atomic_size_t fails_at;
    atomic_bool has_failed;
    atomic_bool has_wrong_size;
} grove__check_allocator;

typedef struct grove__check {
    const grove_contract_options *options;
    const grove_backend *backend;
    /* What an expectation is about that does not hold. */
    unsigned clause;
    grove_contract_place place;
    bool has_place;
    grove__check_allocator allocator;
    grove_backend_env *env; /* NULL: closed */
    bool is_skipped;
    atomic_bool has_failed;
    /* Guards what follows, as checks run threads. */
    pthread_mutex_t mutex;
    /* Arguments of the last calls, overwritten: watch.h. */
    void *kept[GROVE__CHECK_KEPT];
    size_t kept_next;
    unsigned broken_clause;
    char message[GROVE__CHECK_MESSAGE_BYTES];
} grove__check;

typedef struct grove__check_txn {
    grove__check *check;
    grove_backend_txn *txn; /* NULL: ended, or never begun */
} grove__check_txn;

typedef struct grove__check_cursor {
    grove__check *check;
    grove_backend_cursor *cursor; /* NULL: closed */
} grove__check_cursor;

/* One check of the suite; tables of them end with a NULL function. */
typedef struct grove__check_case {
    unsigned clause;
    const char *name;
    void (*run)(grove__check *check);
} grove__check_case;

/* Runs one case at a place of its own and fills in the result, whose message
 * is in `check`. */
void grove__check_run(grove__check *check, const grove_contract_options *options,
                      const grove__check_case *check_case,
                      grove_contract_result *result_out);

/* Expectations */

/* Keeps the first failure; later ones are without effect. */
__attribute__((format(printf, 3, 4))) void grove__check_that(grove__check *check,
                                                             bool holds,
                                                             const char *format, ...);
/* The same for another clause than the check's. */
__attribute__((format(printf, 4, 5))) void grove__check_clause(grove__check *check,
                                                               unsigned clause,
                                                               bool holds,
                                                               const char *format, ...);
/* The status is the one wanted; `doing` completes "… gave GROVE_X". */
void grove__check_status(grove__check *check, grove_status status, grove_status wanted,
                         const char *doing);
/* Reports the check as skipped; it should return at once. */
void grove__check_skip(grove__check *check, const char *why);
bool grove__check_has_failed(const grove__check *check);

/* Environments */

/* The defaults: tables "a", "b", "c", 64 MiB, GROVE_DURABILITY_NONE. */
grove_backend_options grove__check_options(grove__check *check);
/* Any status; the environment goes to *env_out. */
grove_status grove__check_try_open(grove__check *check,
                                   const grove_backend_options *options,
                                   grove_backend_env **env_out);
/* Opens check->env, as the options say or, with NULL, with the defaults. */
void grove__check_open(grove__check *check, const grove_backend_options *options);
/* Without effect when it is closed. */
void grove__check_close(grove__check *check);
void grove__check_reopen(grove__check *check, const grove_backend_options *options);
void grove__check_sync(grove__check *check);
grove_status grove__check_try_sync(grove__check *check);
grove_backend_statistics grove__check_statistics(grove__check *check);
/* Another environment takes the place of check->env, which goes there. */
void grove__check_swap(grove__check *check, grove_backend_env **env);
/* Moves the check to a fresh place; check->env must be closed. */
void grove__check_move(grove__check *check);

/* Transactions */

grove__check_txn grove__check_begin(grove__check *check, grove_txn_mode mode);
grove_status grove__check_try_begin(grove__check *check, grove_txn_mode mode,
                                    grove__check_txn *txn_out);
/* Must give GROVE_OK; aborts instead once the check has failed. */
void grove__check_commit(grove__check_txn *txn);
grove_status grove__check_try_commit(grove__check_txn *txn);
void grove__check_abort(grove__check_txn *txn);

/* Entries. try_ functions give any status; the others expect GROVE_OK. */

grove_status grove__check_try_put(grove__check_txn *txn, uint32_t table, grove_bytes key,
                                  grove_bytes value);
/* Asks for room and does not fill it. */
grove_status grove__check_try_put_room(grove__check_txn *txn, uint32_t table,
                                       grove_bytes key, size_t bytes);
void grove__check_put(grove__check_txn *txn, uint32_t table, grove_bytes key,
                      grove_bytes value);
grove_status grove__check_try_remove(grove__check_txn *txn, uint32_t table,
                                     grove_bytes key);
void grove__check_remove(grove__check_txn *txn, uint32_t table, grove_bytes key);
grove_status grove__check_try_get(grove__check_txn *txn, uint32_t table, grove_bytes key,
                                  grove_bytes *value_out);
/* The table has exactly this value under the key. */
void grove__check_holds(grove__check_txn *txn, uint32_t table, grove_bytes key,
                        grove_bytes value);
void grove__check_lacks(grove__check_txn *txn, uint32_t table, grove_bytes key);

/* Each in a transaction of its own. */
void grove__check_save(grove__check *check, uint32_t table, grove_bytes key,
                       grove_bytes value);
void grove__check_finds(grove__check *check, uint32_t table, grove_bytes key,
                        grove_bytes value);
void grove__check_misses(grove__check *check, uint32_t table, grove_bytes key);

/* Cursors */

grove__check_cursor grove__check_cursor_open(grove__check_txn *txn, uint32_t table);
void grove__check_cursor_close(grove__check_cursor *cursor);
grove_status grove__check_try_seek(grove__check_cursor *cursor, grove_seek seek,
                                   grove_bytes key, grove_bytes *key_out,
                                   grove_bytes *value_out);
grove_status grove__check_try_next(grove__check_cursor *cursor, grove_bytes *key_out,
                                   grove_bytes *value_out);
/* The seek gives this key; with `wanted` empty, GROVE_NONE. */
void grove__check_seek(grove__check_cursor *cursor, grove_seek seek, grove_bytes key,
                       grove_bytes wanted);
void grove__check_next(grove__check_cursor *cursor, grove_bytes wanted);

/* States that can be told apart: the number of a commit, in three tables, so
 * that half a commit would show. */

/* The commit that makes state `number`, after that of `number` - 1. */
void grove__check_save_state(grove__check *check, uint64_t number);
/* The state is whole, from `least` to `most`; its number, 0 if it is not. */
uint64_t grove__check_state(grove__check *check, uint64_t least, uint64_t most);

/* Watches and pins */

typedef struct grove__check_watch {
    grove__check *check;
    grove_backend_watch *watch; /* NULL: closed */
} grove__check_watch;

grove__check_watch grove__check_watch_open(grove__check *check);
void grove__check_watch_close(grove__check_watch *watch);
/* watch_wait must give `wanted`. */
void grove__check_watch_wait(grove__check_watch *watch, uint32_t wait_ms_max,
                             grove_status wanted);
/* Whether the descriptor is, or in this time becomes, readable; true once the
 * check has failed. */
bool grove__check_watch_poll(const grove__check_watch *watch, int wait_ms_max);

/* A pin; 0 once the check has failed, which is what the others then take. */
uint64_t grove__check_pin_open(grove__check *check, uint64_t name, uint64_t value);
void grove__check_pin_move(grove__check *check, uint64_t pin, uint64_t value);
void grove__check_pin_close(grove__check *check, uint64_t pin);
/* pin_least gives `wanted`; UINT64_MAX for none. */
void grove__check_pin_least(grove__check *check, uint64_t name, uint64_t wanted);
void grove__check_reclaim(grove__check *check);

/* Any status. */
grove_status grove__check_try_grow(grove__check *check);
grove_status grove__check_try_copy(grove__check *check, const char *path,
                                   bool is_compact);

/* Memory and bytes */

void grove__check_allocator_init(grove__check_allocator *allocator);

static inline grove_bytes grove__check_empty(void)
{
    grove_bytes bytes = {NULL, 0};
    return bytes;
}
bool grove__check_equal(grove_bytes a, grove_bytes b);
/* As keys are ordered: C1. */
int grove__check_compare(grove_bytes a, grove_bytes b);
/* Memory that the suite needs for itself; ends the program without any. */
void *grove__check_memory(size_t bytes);
/* `size` bytes that depend on `number`; the caller frees `data`. */
uint8_t *grove__check_bytes(size_t size, uint64_t number);
/* The number as 8 bytes, big-endian, in `bytes`. */
grove_bytes grove__check_number(uint64_t number, uint8_t bytes[8]);
/* splitmix64: the next of a sequence of random numbers. */
uint64_t grove__check_random(uint64_t *state);

/* The suite */

extern const grove__check_case grove__contract_entries[];
extern const grove__check_case grove__contract_cursors[];
extern const grove__check_case grove__contract_transactions[];
extern const grove__check_case grove__contract_limits[];
extern const grove__check_case grove__contract_lasting[];
extern const grove__check_case grove__contract_threads[];
extern const grove__check_case grove__contract_turns[];
extern const grove__check_case grove__contract_sharing[];
extern const grove__check_case grove__contract_copies[];
extern const grove__check_case grove__contract_forks[];
extern const grove__check_case grove__contract_processes[];
extern const grove__check_case grove__contract_random[];

#endif
