/*
 * What is to be changed in a store.
 *
 * A write set is prepared outside of any transaction: what must still hold
 * (expectations), what is put and removed, and what the commit touches.
 * grove__commit (commit/commit.h) runs it in one short write transaction: it
 * checks, puts, numbers the commit and writes its record, and commits. Nothing
 * slow happens under the write lock.
 *
 * Commits are numbered 1, 2, 3, … without a gap; the newest number is the last
 * key of the table `commits`. Changes that only rearrange what is stored
 * (snapshots, roll-ups, seals, compactions) take none.
 */
#ifndef GROVE_COMMIT_WRITE_SET_H
#define GROVE_COMMIT_WRITE_SET_H

#include "commit/store.h"
#include "format/key.h"
#include "format/record.h"

typedef struct grove__write_set {
    /* It removes more than it puts, and may use the store's reserve. */
    bool frees_space;
    /* Records of write_set.c. Keys and small values lie in `bytes`. */
    grove_buffer changes;
    grove_buffer expectations;
    grove_buffer touches;
    grove_buffer bytes;
    size_t borrowed_bytes; /* of values that are not in `bytes` */
    grove_bytes meta;
} grove__write_set;

void grove__write_set_init(grove__write_set *set, const grove_allocator *allocator);
void grove__write_set_release(grove__write_set *set);
/* Empties the set; keeps the memory. */
void grove__write_set_reset(grove__write_set *set);

/* The commit happens only if the key still has exactly this value; with
 * `value` NULL, only if it does not exist. The value is copied. */
void grove__write_set_expect(grove__write_set *set, grove__table table, grove_bytes key,
                             const grove_bytes *value);

/* The commit happens only if the key exists, with whatever value. */
void grove__write_set_expect_present(grove__write_set *set, grove__table table,
                                     grove_bytes key);

/* A record: one entry, small; the value is copied. */
void grove__write_set_put(grove__write_set *set, grove__table table, grove_bytes key,
                          grove_bytes value);
/* A value in parts (kv/value.h), borrowed until the set is released. */
void grove__write_set_put_value(grove__write_set *set, grove__table table,
                                grove_bytes key, grove_bytes value);
/* Everything whose key begins with `prefix`: a value, or all of a document. */
void grove__write_set_remove(grove__write_set *set, grove__table table,
                             grove_bytes prefix);

/* Names what the commit touches; a set that touches something takes a commit
 * number, any other none. The name is borrowed. */
void grove__write_set_touch(grove__write_set *set, const grove__touch *touch);

/* The commit happens only if no process has a pin of this name with a value
 * below `least`. */
void grove__write_set_expect_pins(grove__write_set *set, uint64_t name, uint64_t least);

/* What the caller says of the commit, borrowed: at most
 * GROVE_COMMIT_META_BYTES_MAX bytes. */
void grove__write_set_meta(grove__write_set *set, grove_bytes meta);

/* For commit/commit.c: whether the expectations hold (GROVE_CONFLICT), and the
 * changes, the last of which is the record of the commit. */
grove_status grove__write_set_check(grove_store *store, grove__txn *txn,
                                    const grove__write_set *set, grove_error *error_out);
grove_status grove__write_set_apply(grove_store *store, grove__txn *txn,
                                    const grove__write_set *set, int64_t time,
                                    uint64_t *commit_out, grove_error *error_out);
size_t grove__write_set_bytes(const grove__write_set *set);
/* Whether something that was added could not be kept for want of memory. */
bool grove__write_set_has_failed(const grove__write_set *set);
static inline grove_txn_mode grove__write_set_mode(const grove__write_set *set)
{
    return set->frees_space ? GROVE_TXN_WRITE_TO_FREE : GROVE_TXN_WRITE;
}

/* The number of the newest commit that `txn` sees; 0 for none. */
grove_status grove__commit_newest(grove__txn *txn, uint64_t *commit_out,
                                  grove_error *error_out);

#endif
