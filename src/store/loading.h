/*
 * Filling a store that is not one yet, in steps of bounded size.
 *
 *   store's record   key "store"    : a store
 *                    key "unfinished" : none; grove_store_open refuses it
 *
 * The first step moves the record from the one key to the other, the last one
 * back. All between write under the condition that it is still there, so that
 * nobody else can have made anything of the place meanwhile. A crash, or a
 * failure, leaves it unfinished for good. The handle's durability is FULL, so
 * that the last step is not on disk before the others.
 */
#ifndef GROVE_STORE_LOADING_H
#define GROVE_STORE_LOADING_H

#include "commit/commit.h"

typedef struct grove__loading {
    grove_store *store;
    uint8_t record[GROVE__STORE_RECORD_BYTES]; /* the store's */
    grove__write_set set;                      /* what the next step writes */
    grove_buffer values;                       /* grove_buffer records, of the set */
    uint64_t bytes;                            /* in the set */
} grove__loading;

/* The key of an unfinished store's record. */
grove_bytes grove__loading_key(void);
/* For where there is no store: GROVE_INVALID when there is an unfinished one,
 * else GROVE_NONE. GROVE_IO, GROVE_CORRUPT. */
grove_status grove__loading_look(grove__txn *txn, grove_error *error_out);

/*
 * Begins to fill a store that is open and has no commits. On failure there is
 * nothing to release. GROVE_INVALID: it is not empty; GROVE_CONFLICT: it was
 * not while this looked at it; GROVE_NO_MEMORY, GROVE_IO, GROVE_FULL.
 */
grove_status grove__loading_begin(grove_store *store, grove__loading *loading_out,
                                  grove_error *error_out);
void grove__loading_release(grove__loading *loading);

/* Puts a record: one entry, copied. A step is made when enough has gathered:
 * GROVE_NO_MEMORY, GROVE_IO, GROVE_FULL. */
grove_status grove__loading_put(grove__loading *loading, grove__table table,
                                grove_bytes key, grove_bytes record,
                                grove_error *error_out);
/* The same for a value in parts, which it takes: `value` is empty after. */
grove_status grove__loading_put_value(grove__loading *loading, grove__table table,
                                      grove_bytes key, grove_buffer *value,
                                      grove_error *error_out);

/*
 * Lets the commits age that were put, a step for each run of them, as a store
 * does that makes them; what is due then. Documents must have been put, and the
 * aging record, which lets nothing go. Then commits are kept as `wanted` says.
 * GROVE_CORRUPT: they cannot age; GROVE_NO_MEMORY, GROVE_IO, GROVE_FULL.
 */
grove_status grove__loading_age(grove__loading *loading,
                                const grove__aging_record *wanted,
                                grove_error *error_out);

/* Makes the last steps, and with the very last it a store. */
grove_status grove__loading_end(grove__loading *loading, grove_error *error_out);

#endif
