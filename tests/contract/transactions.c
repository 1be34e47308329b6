/* C2, C3, C4, C6 as one thread sees them. */
#include <stdlib.h>

#include "check.h"

static void check_reader_keeps_its_state(grove__check *check)
{
    grove_bytes same = grove_bytes_of("same");
    grove_bytes changed = grove_bytes_of("changed");
    grove_bytes removed = grove_bytes_of("removed");
    grove_bytes added = grove_bytes_of("added");
    grove_bytes old = grove_bytes_of("old");
    grove_bytes fresh = grove_bytes_of("new and longer");
    grove__check_open(check, NULL);
    grove__check_save(check, 0, same, old);
    grove__check_save(check, 0, changed, old);
    grove__check_save(check, 1, removed, old);

    grove__check_txn reader = grove__check_begin(check, GROVE_TXN_READ);
    grove__check_txn writer = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_put(&writer, 0, changed, fresh);
    grove__check_remove(&writer, 1, removed);
    grove__check_put(&writer, 2, added, fresh);
    grove__check_holds(&reader, 0, changed, old);
    grove__check_commit(&writer);
    for (int again = 0; again < 2; again++) {
        grove__check_holds(&reader, 0, same, old);
        grove__check_holds(&reader, 0, changed, old);
        grove__check_holds(&reader, 1, removed, old);
        grove__check_lacks(&reader, 2, added);
        grove__check_save(check, 0, changed, grove_bytes_of("newer"));
    }
    grove__check_cursor cursor = grove__check_cursor_open(&reader, 1);
    grove__check_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove__check_empty(), removed);
    grove__check_cursor_close(&cursor);
    grove__check_txn later = grove__check_begin(check, GROVE_TXN_READ);
    grove__check_holds(&later, 0, changed, grove_bytes_of("newer"));
    grove__check_lacks(&later, 1, removed);
    grove__check_holds(&later, 2, added, fresh);
    grove__check_abort(&reader);
    grove__check_holds(&later, 2, added, fresh);
    grove__check_abort(&later);
}

/* Large values too, so that space which old states still need is not reused. */
static void check_every_reader_has_its_own(grove__check *check)
{
    enum { GENERATIONS = 40, LARGE_BYTES = 50000 };
    grove__check_txn readers[GENERATIONS];
    grove_bytes small = grove_bytes_of("small");
    grove_bytes large = grove_bytes_of("large");
    uint8_t number[8];
    grove__check_open(check, NULL);
    for (uint64_t generation = 0; generation < GENERATIONS; generation++) {
        uint8_t *data = grove__check_bytes(LARGE_BYTES, generation);
        grove_bytes value = {data, LARGE_BYTES - (size_t)generation};
        grove__check_txn writer = grove__check_begin(check, GROVE_TXN_WRITE);
        grove__check_put(&writer, 0, small, grove__check_number(generation, number));
        grove__check_put(&writer, 1, large, value);
        grove__check_put(&writer, 2, grove__check_number(generation, number), small);
        grove__check_commit(&writer);
        readers[generation] = grove__check_begin(check, GROVE_TXN_READ);
        free(data);
    }
    for (uint64_t step = 0; step < GENERATIONS; step++) {
        uint64_t generation = step * 7 % GENERATIONS;
        grove__check_txn *reader = &readers[generation];
        uint8_t *data = grove__check_bytes(LARGE_BYTES, generation);
        grove_bytes value = {data, LARGE_BYTES - (size_t)generation};
        grove__check_holds(reader, 0, small, grove__check_number(generation, number));
        grove__check_holds(reader, 1, large, value);
        grove__check_holds(reader, 2, grove__check_number(generation, number), small);
        grove__check_lacks(reader, 2, grove__check_number(generation + 1, number));
        grove__check_abort(reader);
        grove__check_save(check, 1, large, grove_bytes_of("overwritten"));
        free(data);
    }
}

static void check_writer_sees_its_changes(grove__check *check)
{
    grove_bytes key = grove_bytes_of("key");
    grove_bytes other = grove_bytes_of("other");
    grove__check_open(check, NULL);
    grove__check_save(check, 0, key, grove_bytes_of("old"));
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_holds(&txn, 0, key, grove_bytes_of("old"));
    grove__check_put(&txn, 0, key, grove_bytes_of("new"));
    grove__check_holds(&txn, 0, key, grove_bytes_of("new"));
    grove__check_put(&txn, 0, key, grove_bytes_of("newer"));
    grove__check_put(&txn, 0, other, grove_bytes_of("x"));
    grove__check_holds(&txn, 0, key, grove_bytes_of("newer"));
    grove__check_remove(&txn, 0, key);
    grove__check_lacks(&txn, 0, key);
    if (!grove__check_has_failed(check)) {
        grove__check_status(check, grove__check_try_remove(&txn, 0, key), GROVE_NONE,
                            "remove of what this transaction removed");
    }
    grove__check_put(&txn, 0, key, grove__check_empty());
    grove__check_holds(&txn, 0, key, grove__check_empty());
    grove__check_holds(&txn, 0, other, grove_bytes_of("x"));
    grove__check_commit(&txn);
    grove__check_finds(check, 0, key, grove__check_empty());
}

static void check_readers_beside_the_writer(grove__check *check)
{
    grove_bytes key = grove_bytes_of("key");
    grove__check_open(check, NULL);
    grove__check_save(check, 0, key, grove_bytes_of("old"));
    grove__check_txn writer = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_put(&writer, 0, key, grove_bytes_of("new"));
    grove__check_finds(check, 0, key, grove_bytes_of("old"));
    grove__check_txn reader = grove__check_begin(check, GROVE_TXN_READ);
    grove__check_holds(&writer, 0, key, grove_bytes_of("new"));
    grove__check_holds(&reader, 0, key, grove_bytes_of("old"));
    grove__check_commit(&writer);
    grove__check_holds(&reader, 0, key, grove_bytes_of("old"));
    grove__check_abort(&reader);
    grove__check_finds(check, 0, key, grove_bytes_of("new"));
}

static void check_commit_shows_all(grove__check *check)
{
    enum { COUNT = 500 };
    uint8_t key[8];
    grove__check_open(check, NULL);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    for (uint64_t number = 0; number < COUNT; number++) {
        grove_bytes name = grove__check_number(number, key);
        grove__check_put(&txn, (uint32_t)(number % GROVE__CHECK_TABLES), name, name);
    }
    grove__check_commit(&txn);
    txn = grove__check_begin(check, GROVE_TXN_READ);
    for (uint64_t number = 0; number < COUNT; number++) {
        grove_bytes name = grove__check_number(number, key);
        grove__check_holds(&txn, (uint32_t)(number % GROVE__CHECK_TABLES), name, name);
    }
    grove__check_abort(&txn);
    /* A commit of nothing is one, too. */
    txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_commit(&txn);
    grove__check_finds(check, 0, grove__check_number(0, key),
                       grove__check_number(0, key));
}

static void check_abort_leaves_none(grove__check *check)
{
    enum { COUNT = 500, LARGE_BYTES = 100000 };
    uint8_t key[8];
    grove_bytes old = grove_bytes_of("old");
    uint8_t *data = grove__check_bytes(LARGE_BYTES, 1);
    grove_bytes large = {data, LARGE_BYTES};
    grove__check_open(check, NULL);
    grove__check_save(check, 0, old, old);
    grove__check_save(check, 1, grove__check_number(1, key), large);
    for (int again = 0; again < 3; again++) {
        grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
        grove__check_remove(&txn, 0, old);
        grove__check_put(&txn, 1, grove__check_number(1, key), old);
        for (uint64_t number = 0; number < COUNT; number++) {
            grove__check_put(&txn, 2, grove__check_number(number, key), old);
        }
        grove__check_put(&txn, 0, grove_bytes_of("large"), large);
        grove__check_abort(&txn);
        grove__check_finds(check, 0, old, old);
        grove__check_misses(check, 0, grove_bytes_of("large"));
        grove__check_finds(check, 1, grove__check_number(1, key), large);
        grove__check_misses(check, 2, grove__check_number(7, key));
    }
    free(data);
}

/* What a transaction handed out, and what it was then. */
enum { LENT_MAX = 64 };
typedef struct lent_bytes {
    grove_bytes lent;
    uint8_t *copy;
} lent_bytes;

static void keep_lent(lent_bytes *lent, grove_bytes bytes)
{
    lent->lent = bytes;
    lent->copy = grove__check_memory(bytes.size);
    if (bytes.size > 0) {
        memcpy(lent->copy, bytes.data, bytes.size);
    }
}

static void check_lent(grove__check *check, const lent_bytes *lent, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        grove_bytes copy = {lent[index].copy, lent[index].lent.size};
        grove__check_that(check, grove__check_equal(lent[index].lent, copy),
                          "bytes that were handed out have changed in their time");
    }
}

static void free_lent(lent_bytes *lent, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        free(lent[index].copy);
    }
}

/* Takes values by get and by cursor until LENT_MAX are there. */
static size_t take_lent(grove__check_txn *txn, lent_bytes lent[LENT_MAX])
{
    grove__check *check = txn->check;
    uint8_t key[8];
    size_t count = 0;
    grove__check_cursor cursor = grove__check_cursor_open(txn, 0);
    for (uint64_t number = 0; number < 20 && !grove__check_has_failed(check); number++) {
        grove_bytes value = {NULL, 0};
        grove_bytes given = {NULL, 0};
        grove_status status =
            grove__check_try_get(txn, 0, grove__check_number(number, key), &value);
        grove__check_status(check, status, GROVE_OK, "get");
        if (status == GROVE_OK) {
            keep_lent(&lent[count++], value);
        }
        status = number == 0 ? grove__check_try_seek(&cursor, GROVE_SEEK_AT_OR_AFTER,
                                                     grove__check_empty(), &given, &value)
                             : grove__check_try_next(&cursor, &given, &value);
        grove__check_status(check, status, GROVE_OK, "a walk");
        if (status == GROVE_OK) {
            keep_lent(&lent[count++], given);
            keep_lent(&lent[count++], value);
        }
    }
    grove__check_cursor_close(&cursor);
    return count;
}

static void put_values_to_lend(grove__check *check, uint64_t seed)
{
    static const size_t sizes[] = {3, 100, 2000, 5000, 70000};
    uint8_t key[8];
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    for (uint64_t number = 0; number < 20; number++) {
        size_t size = sizes[number % 5];
        uint8_t *data = grove__check_bytes(size, seed + number);
        grove_bytes value = {data, size};
        grove__check_put(&txn, 0, grove__check_number(number, key), value);
        free(data);
    }
    grove__check_commit(&txn);
}

static void check_values_of_readers_stay(grove__check *check)
{
    lent_bytes lent[LENT_MAX];
    grove__check_open(check, NULL);
    put_values_to_lend(check, 0);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_READ);
    size_t count = take_lent(&txn, lent);
    check_lent(check, lent, count);
    for (uint64_t seed = 1; seed < 6; seed++) {
        put_values_to_lend(check, 100 * seed);
    }
    check_lent(check, lent, count);
    grove__check_abort(&txn);
    free_lent(lent, count);
}

static void check_values_of_writers_stay(grove__check *check)
{
    lent_bytes lent[LENT_MAX];
    uint8_t key[8];
    grove__check_open(check, NULL);
    put_values_to_lend(check, 0);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    size_t count = take_lent(&txn, lent);
    check_lent(check, lent, count);
    free_lent(lent, count);
    /* And what was put a moment ago. */
    for (uint64_t number = 0; number < 20; number += 2) {
        grove__check_put(&txn, 0, grove__check_number(number, key), grove_bytes_of("p"));
    }
    count = take_lent(&txn, lent);
    check_lent(check, lent, count);
    free_lent(lent, count);
    grove__check_commit(&txn);
}

const grove__check_case grove__contract_transactions[] = {
    {2, "a reader keeps the state of its begin", check_reader_keeps_its_state},
    {2, "every reader has a state of its own", check_every_reader_has_its_own},
    {3, "a write transaction sees its own changes", check_writer_sees_its_changes},
    {3, "readers come and go beside the writer", check_readers_beside_the_writer},
    {4, "a commit shows all changes to later readers", check_commit_shows_all},
    {4, "an abort leaves none", check_abort_leaves_none},
    {6, "a reader's values stay until it ends", check_values_of_readers_stay},
    {6, "a writer's values stay until its next change", check_values_of_writers_stay},
    {0, NULL, NULL},
};
