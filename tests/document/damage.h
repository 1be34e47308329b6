/* Damage to what is stored, behind the library's back. */
#ifndef GROVE_TESTS_DOCUMENT_DAMAGE_H
#define GROVE_TESTS_DOCUMENT_DAMAGE_H

#include "support/store_fixture.h"

#include "commit/commit.h"

/* Flips one bit of an entry's value. */
static inline void flip(store_fixture *fixture, grove__table table, const grove__key *key,
                        size_t from_end)
{
    grove__txn txn;
    grove_bytes value;
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_WRITE, &txn,
                                        &fixture->error));
    assert_ok(fixture,
              grove__kv_get(&txn, table, grove__key_view(key), &value, &fixture->error));
    uint8_t *copy = malloc(value.size);
    memcpy(copy, value.data, value.size);
    copy[value.size - 1 - from_end] ^= 0x10;
    assert_ok(fixture, grove__kv_put(&txn, table, grove__key_view(key),
                                     (grove_bytes){copy, value.size}, &fixture->error));
    free(copy);
    assert_ok(fixture, grove__txn_commit(&txn, &fixture->error));
}

/* The key of the first part of a batch or a snapshot of a document. */
static inline grove__key part_key(const char *id, uint64_t clock)
{
    grove__key key;
    grove__key_of_clock(&key, grove_bytes_of(id), clock);
    grove__key_add_number(&key, 0);
    return key;
}

/* Flips a bit of the batch that begins at a clock; flipped again it is as it
 * was. */
static inline void flip_batch(store_fixture *fixture, const char *id, uint64_t clock)
{
    grove__key key = part_key(id, clock);
    flip(fixture, GROVE__TABLE_EVENTS, &key, 12);
}

#endif
