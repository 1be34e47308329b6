/* C7: after a failure only abort is left, and is enough. C13: the size limit,
 * statistics. */
#include <stdlib.h>

#include "check.h"

enum { LIMIT_BYTES = 4 << 20, VALUE_BYTES = 40000 };

static grove_backend_options small_options(grove__check *check)
{
    grove_backend_options options = grove__check_options(check);
    options.size_limit_bytes = LIMIT_BYTES;
    return options;
}

/* Puts values until one does not fit; says how many did. The transaction is
 * still to be aborted, unless it was its commit that failed. */
static uint64_t fill_up(grove__check_txn *txn)
{
    grove__check *check = txn->check;
    uint8_t key[8];
    uint8_t *data = grove__check_bytes(VALUE_BYTES, 5);
    grove_bytes value = {data, VALUE_BYTES};
    grove_status status = GROVE_OK;
    uint64_t count = 0;
    while (!grove__check_has_failed(check) && status == GROVE_OK &&
           count * VALUE_BYTES <= LIMIT_BYTES) {
        status = grove__check_try_put(txn, 1, grove__check_number(count, key), value);
        count += status == GROVE_OK;
    }
    if (!grove__check_has_failed(check) && status == GROVE_OK) {
        status = grove__check_try_commit(txn);
    }
    grove__check_clause(check, 13, status == GROVE_FULL,
                        "%llu values of %d bytes went into %d bytes, then came %s",
                        (unsigned long long)count, (int)VALUE_BYTES, (int)LIMIT_BYTES,
                        grove_status_name(status));
    free(data);
    return count;
}

static void check_abort_after_full(grove__check *check)
{
    grove_bytes key = grove_bytes_of("key");
    uint8_t number[8];
    grove_backend_options options = small_options(check);
    grove__check_open(check, &options);
    grove__check_save(check, 0, key, grove_bytes_of("before"));
    for (int again = 0; again < 3; again++) {
        grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
        grove__check_put(&txn, 0, key, grove_bytes_of("lost"));
        (void)fill_up(&txn);
        grove__check_abort(&txn);
        grove__check_finds(check, 0, key, grove_bytes_of("before"));
        grove__check_misses(check, 1, grove__check_number(0, number));
    }
    grove__check_save(check, 1, key, grove_bytes_of("after"));
    grove__check_finds(check, 1, key, grove_bytes_of("after"));
    grove__check_reopen(check, &options);
    grove__check_finds(check, 0, key, grove_bytes_of("before"));
    grove__check_finds(check, 1, key, grove_bytes_of("after"));
}

/* One change of many kinds; stops at the first failure. */
static grove_status change_much(grove__check_txn *txn)
{
    uint8_t key[8];
    grove_status status = GROVE_OK;
    for (uint64_t number = 0; number < 40 && status == GROVE_OK; number++) {
        status = grove__check_try_put(txn, 1, grove__check_number(number, key),
                                      grove_bytes_of("lost"));
    }
    if (status == GROVE_OK) {
        status = grove__check_try_remove(txn, 0, grove_bytes_of("key"));
    }
    if (status == GROVE_OK) {
        grove_bytes value;
        status = grove__check_try_get(txn, 1, grove__check_number(1, key), &value);
    }
    return status;
}

static void check_abort_after_no_memory(grove__check *check)
{
    grove_bytes key = grove_bytes_of("key");
    uint8_t number[8];
    grove__check_open(check, NULL);
    grove__check_save(check, 0, key, grove_bytes_of("before"));
    for (size_t nth = 1; !grove__check_has_failed(check); nth++) {
        grove__check_txn txn;
        atomic_store(&check->allocator.has_failed, false);
        atomic_store(&check->allocator.fails_at,
                     atomic_load(&check->allocator.calls) + nth);
        grove_status status = grove__check_try_begin(check, GROVE_TXN_WRITE, &txn);
        if (status == GROVE_OK) {
            status = change_much(&txn);
        }
        atomic_store(&check->allocator.fails_at, 0);
        bool has_failed = atomic_load(&check->allocator.has_failed);
        grove__check_abort(&txn);
        /* A backend may do without, too. */
        grove__check_that(check,
                          status == GROVE_OK || (has_failed && status == GROVE_NO_MEMORY),
                          "allocation %zu failed, and the caller got %s", nth,
                          grove_status_name(status));
        grove__check_finds(check, 0, key, grove_bytes_of("before"));
        grove__check_misses(check, 1, grove__check_number(0, number));
        if (!has_failed) {
            break;
        }
    }
    grove__check_save(check, 0, key, grove_bytes_of("after"));
    grove__check_finds(check, 0, key, grove_bytes_of("after"));
}

static void check_size_limit(grove__check *check)
{
    uint8_t key[8];
    uint8_t *data = grove__check_bytes(VALUE_BYTES, 6);
    grove_bytes value = {data, VALUE_BYTES};
    grove_backend_options options = small_options(check);
    grove_status status = GROVE_OK;
    uint64_t count = 0;
    grove__check_open(check, &options);
    while (!grove__check_has_failed(check) && status == GROVE_OK &&
           count * VALUE_BYTES <= LIMIT_BYTES) {
        grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
        if (grove__check_has_failed(check)) {
            break;
        }
        status = grove__check_try_put(&txn, 0, grove__check_number(count, key), value);
        if (status == GROVE_OK) {
            status = grove__check_try_commit(&txn);
        }
        grove__check_abort(&txn);
        count += status == GROVE_OK;
        grove_backend_statistics statistics = grove__check_statistics(check);
        grove__check_that(check, statistics.size_bytes <= LIMIT_BYTES,
                          "size_bytes is %llu, over the limit",
                          (unsigned long long)statistics.size_bytes);
    }
    grove__check_status(check, status, GROVE_FULL, "filling the environment");
    grove__check_that(check, count * VALUE_BYTES > LIMIT_BYTES / 4,
                      "%d bytes were full after %llu values of %d bytes",
                      (int)LIMIT_BYTES, (unsigned long long)count, (int)VALUE_BYTES);
    for (int again = 0; again < 2; again++) {
        for (uint64_t number = 0; number < count; number++) {
            grove__check_finds(check, 0, grove__check_number(number, key), value);
        }
        grove__check_reopen(check, &options);
    }
    options.size_limit_bytes = 2 * LIMIT_BYTES;
    grove__check_reopen(check, &options);
    grove__check_save(check, 0, grove__check_number(count, key), value);
    free(data);
}

/* Saves values, each in a commit of its own, until none fits however far the
 * environment grows; says how many did. */
static uint64_t fill_for_good(grove__check *check, grove_bytes value)
{
    uint8_t key[8];
    uint64_t count = 0;
    grove_status grown = GROVE_OK;
    while (!grove__check_has_failed(check) && grown == GROVE_OK &&
           count * VALUE_BYTES <= LIMIT_BYTES) {
        grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
        if (grove__check_has_failed(check)) {
            break;
        }
        grove_status status =
            grove__check_try_put(&txn, 0, grove__check_number(count, key), value);
        if (status == GROVE_OK) {
            status = grove__check_try_commit(&txn);
        }
        grove__check_abort(&txn);
        count += status == GROVE_OK;
        if (status != GROVE_OK) {
            grove__check_status(check, status, GROVE_FULL, "filling the environment");
            grown = grove__check_try_grow(check);
        }
    }
    grove__check_status(check, grown, GROVE_NONE, "grow of a full environment");
    return count;
}

/* A change that first takes more than there is, and then gives back. */
static grove_status replace_many(grove__check *check, grove_txn_mode mode,
                                 grove_bytes value, uint64_t first, uint64_t count)
{
    uint8_t key[8];
    grove__check_txn txn = {check, NULL};
    if (grove__check_has_failed(check)) {
        return GROVE_FAILED;
    }
    grove_status status = grove__check_try_begin(check, mode, &txn);
    for (uint64_t number = 0; number < 3 && status == GROVE_OK; number++) {
        status = grove__check_try_put(&txn, 1, grove__check_number(number, key), value);
    }
    for (uint64_t number = first; number < first + count && status == GROVE_OK;
         number++) {
        status = grove__check_try_remove(&txn, 0, grove__check_number(number, key));
    }
    if (status == GROVE_OK) {
        status = grove__check_try_commit(&txn);
    }
    grove__check_abort(&txn);
    return status;
}

static void check_what_is_full_can_be_made_less_full(grove__check *check)
{
    enum { FREED = 30 };
    uint8_t key[8];
    uint8_t *data = grove__check_bytes(VALUE_BYTES, 7);
    grove_bytes value = {data, VALUE_BYTES};
    grove_backend_options options = small_options(check);
    grove__check_open(check, &options);
    uint64_t count = fill_for_good(check, value);
    grove_backend_statistics statistics = grove__check_statistics(check);
    grove__check_that(check,
                      statistics.reserve_bytes > 0 &&
                          statistics.reserve_bytes < statistics.size_limit_bytes / 2,
                      "reserve_bytes is %llu",
                      (unsigned long long)statistics.reserve_bytes);
    grove__check_that(check,
                      statistics.size_bytes <=
                          statistics.size_limit_bytes - statistics.reserve_bytes,
                      "ordinary writes took %llu bytes, and so of the reserve",
                      (unsigned long long)statistics.size_bytes);
    grove__check_that(check, count > FREED, "%llu values went in",
                      (unsigned long long)count);
    grove__check_that(check,
                      replace_many(check, GROVE_TXN_WRITE, value, 0, FREED) != GROVE_OK,
                      "an ordinary write found room in what is full");
    grove__check_misses(check, 1, grove__check_number(0, key));
    grove__check_status(check,
                        replace_many(check, GROVE_TXN_WRITE_TO_FREE, value, 0, FREED),
                        GROVE_OK, "a write that frees space, in what is full,");
    statistics = grove__check_statistics(check);
    grove__check_that(check, statistics.size_bytes <= statistics.size_limit_bytes,
                      "size_bytes is %llu, over the limit",
                      (unsigned long long)statistics.size_bytes);
    for (uint64_t number = 0; number < FREED / 3; number++) {
        grove__check_save(check, 0, grove__check_number(number, key), value);
    }
    grove__check_reopen(check, &options);
    grove__check_finds(check, 1, grove__check_number(2, key), value);
    grove__check_finds(check, 0, grove__check_number(0, key), value);
    grove__check_finds(check, 0, grove__check_number(count - 1, key), value);
    free(data);
}

static void check_space_is_used_again(grove__check *check)
{
    enum { ROUNDS = 300 };
    grove_bytes key = grove_bytes_of("key");
    grove_backend_options options = small_options(check);
    grove__check_open(check, &options);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        uint8_t *data = grove__check_bytes(VALUE_BYTES, round);
        grove_bytes value = {data, VALUE_BYTES - (size_t)round};
        grove__check_save(check, 0, key, value);
        grove__check_finds(check, 0, key, value);
        free(data);
    }
}

static void check_statistics_of_entries(grove__check *check)
{
    uint8_t key[8];
    uint64_t entries = 0;
    grove_backend_options options = grove__check_options(check);
    grove__check_open(check, NULL);
    for (uint64_t round = 0; round < 20; round++) {
        grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
        for (uint64_t number = 0; number < 10; number++) {
            grove__check_put(&txn, (uint32_t)(number % GROVE__CHECK_TABLES),
                             grove__check_number(round * 10 + number, key),
                             grove_bytes_of("value"));
        }
        grove_backend_statistics statistics = grove__check_statistics(check);
        grove__check_that(check, statistics.entries == entries,
                          "entries is %llu before the commit, not %llu",
                          (unsigned long long)statistics.entries,
                          (unsigned long long)entries);
        grove__check_commit(&txn);
        entries += 10;
        statistics = grove__check_statistics(check);
        grove__check_that(check, statistics.entries == entries,
                          "entries is %llu after the commit, not %llu",
                          (unsigned long long)statistics.entries,
                          (unsigned long long)entries);
        grove__check_that(check, statistics.free_bytes <= statistics.size_bytes,
                          "free_bytes is over size_bytes");
        grove__check_that(check, statistics.page_bytes == check->backend->page_bytes,
                          "page_bytes is %u, and %u in the table", statistics.page_bytes,
                          check->backend->page_bytes);
        grove__check_that(check,
                          statistics.size_limit_bytes > 0 &&
                              statistics.size_limit_bytes <= options.size_limit_bytes,
                          "size_limit_bytes is not the one that was given");
    }
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_remove(&txn, 0, grove__check_number(0, key));
    grove__check_put(&txn, 1, grove__check_number(1, key), grove_bytes_of("again"));
    grove__check_commit(&txn);
    grove__check_reopen(check, NULL);
    grove_backend_statistics statistics = grove__check_statistics(check);
    grove__check_that(check, statistics.entries == entries - 1,
                      "entries is %llu after a removal and a reopening, not %llu",
                      (unsigned long long)statistics.entries,
                      (unsigned long long)(entries - 1));
}

static void check_readers_are(grove__check *check, uint32_t readers)
{
    grove_backend_statistics statistics = grove__check_statistics(check);
    grove__check_that(check, statistics.readers == readers, "readers is %u, not %u",
                      statistics.readers, readers);
}

static void check_reader_slots(grove__check *check)
{
    enum { TRIED_READERS_MAX = 4096 };
    grove__check_open(check, NULL);
    check_readers_are(check, 0);
    uint32_t max = grove__check_statistics(check).readers_max;
    grove__check_that(check, grove__check_has_failed(check) || max > 0,
                      "readers_max is 0");
    uint32_t count = max < TRIED_READERS_MAX ? max : TRIED_READERS_MAX;
    grove__check_txn *readers = grove__check_memory(count * sizeof *readers);
    for (uint32_t index = 0; index < count; index++) {
        /* Before the last slot is gone, which statistics may need. */
        if (index + 1 == count) {
            check_readers_are(check, index);
        }
        readers[index] = grove__check_begin(check, GROVE_TXN_READ);
    }
    if (!grove__check_has_failed(check) && count == max) {
        grove__check_txn txn;
        grove__check_status(check, grove__check_try_begin(check, GROVE_TXN_READ, &txn),
                            GROVE_BUSY, "begin of one reader more than readers_max");
        grove__check_abort(&txn);
        grove__check_abort(&readers[0]);
        readers[0] = grove__check_begin(check, GROVE_TXN_READ);
    }
    for (uint32_t index = 0; index < count; index++) {
        grove__check_abort(&readers[index]);
    }
    check_readers_are(check, 0);
    free(readers);
}

const grove__check_case grove__contract_limits[] = {
    {7, "an abort after GROVE_FULL leaves all as before", check_abort_after_full},
    {7, "an abort after GROVE_NO_MEMORY leaves all as before",
     check_abort_after_no_memory},
    {13, "an environment keeps to its size limit", check_size_limit},
    {13, "what is full can be made less full", check_what_is_full_can_be_made_less_full},
    {13, "space that was freed is used again", check_space_is_used_again},
    {13, "statistics count the entries of the last commit", check_statistics_of_entries},
    {13, "statistics count readers, up to readers_max", check_reader_slots},
    {0, NULL, NULL},
};
