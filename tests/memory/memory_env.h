/* Opening an environment of the memory backend in a test. */
#ifndef GROVE_TESTS_MEMORY_ENV_H
#define GROVE_TESTS_MEMORY_ENV_H

#include <criterion/criterion.h>

#include <grove/backend_memory.h>
#include <grove/sys/backend.h>

#include "support/faulty_allocator.h"

static const char *const MEMORY_TABLES[] = {"one", "two"};

/* The backend as an application gets it. */
static inline const grove_backend *memory_backend(void)
{
    return grove_backend_find("memory");
}

static inline grove_backend_options memory_options(const grove_allocator *allocator,
                                                   grove_memory_disk *disk)
{
    grove_backend_options options;
    memset(&options, 0, sizeof options);
    options.path = "place";
    options.context = disk;
    options.table_names = MEMORY_TABLES;
    options.table_count = 2;
    options.size_limit_bytes = 1 << 24;
    options.wait_ms_max = 60000;
    options.durability = GROVE_DURABILITY_FULL;
    options.allocator = allocator;
    return options;
}

static inline grove_backend_env *memory_open_env(const grove_backend_options *options)
{
    grove_backend_env *env = NULL;
    cr_assert_eq(memory_backend()->open(options, &env, NULL), GROVE_OK);
    return env;
}

static inline grove_backend_txn *memory_begin_txn(grove_backend_env *env,
                                                  grove_txn_mode mode)
{
    grove_backend_txn *txn = NULL;
    cr_assert_eq(memory_backend()->begin(env, mode, &txn, NULL), GROVE_OK);
    return txn;
}

/* Puts `value` under `key` in table 0. */
static inline grove_status memory_put_string(grove_backend_txn *txn, const char *key,
                                             const char *value)
{
    uint8_t *room;
    grove_bytes bytes = grove_bytes_of(value);
    grove_status status =
        memory_backend()->put(txn, 0, grove_bytes_of(key), bytes.size, &room, NULL);
    if (status == GROVE_OK) {
        memcpy(room, bytes.data, bytes.size);
    }
    return status;
}

/* The same in a transaction of its own. */
static inline grove_status memory_save_string(grove_backend_env *env, const char *key,
                                              const char *value)
{
    grove_backend_txn *txn;
    grove_status status = memory_backend()->begin(env, GROVE_TXN_WRITE, &txn, NULL);
    if (status != GROVE_OK) {
        return status;
    }
    status = memory_put_string(txn, key, value);
    if (status != GROVE_OK) {
        memory_backend()->abort(txn);
        return status;
    }
    return memory_backend()->commit(txn, NULL);
}

/* Whether table 0 has `value` under `key`; NULL: nothing. */
static inline bool memory_holds(grove_backend_env *env, const char *key,
                                const char *value)
{
    grove_bytes found = {NULL, 0};
    grove_backend_txn *txn = memory_begin_txn(env, GROVE_TXN_READ);
    grove_status status =
        memory_backend()->get(txn, 0, grove_bytes_of(key), &found, NULL);
    bool holds = value == NULL ? status == GROVE_NONE
                               : status == GROVE_OK && found.size == strlen(value) &&
                                     memcmp(found.data, value, found.size) == 0;
    memory_backend()->abort(txn);
    return holds;
}

#endif
