/*
 * Values of any size under one key, stored in parts.
 *
 * A part is an entry whose key is the value's key followed by the part's
 * number (8 bytes, big-endian, from 0). A part's bytes:
 *
 *   offset   size  meaning
 *   0        n     payload; all parts but the last have the same n
 *   n        1     1 in the last part, 0 in all others
 *   n + 1    8     XXH3-64 of the n + 1 bytes before, seed = part number
 *
 * The last part has at least one byte of payload and at most as many as the
 * others; only an empty value has an empty part. Writers make parts of
 * kv->part_bytes = GROVE_PART_PAGES x page - 16, so that a full part fills
 * whole pages of the backend and space freed by one value fits the next;
 * readers take any size, for another build or machine may have another.
 */
#ifndef GROVE_KV_VALUE_H
#define GROVE_KV_VALUE_H

#include <grove/sys/bytes.h>

#include "kv/kv.h"

/* Bytes of a part beside its payload. */
#define GROVE__PART_OVERHEAD_BYTES 9

/* Writes the value and removes what an older, longer one left behind.
 * GROVE_LIMIT: over GROVE_VALUE_BYTES_MAX. */
grove_status grove__value_put(grove__txn *txn, grove__table table, grove_bytes key,
                              grove_bytes value, grove_error *error_out);

/*
 * Gives the value: a single part as a view of the backend's memory (K4), more
 * joined in `joined`, a buffer of the caller's that is reset first. Asks the
 * system for all parts before it reads the first. GROVE_NONE: no such key;
 * GROVE_CORRUPT: a part is missing, surplus or damaged.
 */
grove_status grove__value_get(grove__txn *txn, grove__table table, grove_bytes key,
                              grove_buffer *joined, grove_bytes *value_out,
                              grove_error *error_out);

/*
 * The same, without a look at what else begins with the key: an entry that is
 * no part, or one after the last, does not matter. For a salvage. Asks for one
 * part after the other.
 */
grove_status grove__value_get_alone(grove__txn *txn, grove__table table, grove_bytes key,
                                    grove_buffer *joined, grove_bytes *value_out,
                                    grove_error *error_out);

/* GROVE_NONE: no such key. */
grove_status grove__value_remove(grove__txn *txn, grove__table table, grove_bytes key,
                                 grove_error *error_out);

/* The size of a value, from its last part's number and entry size: without
 * reading any of it. */
static inline uint64_t grove__value_bytes(const grove__kv *kv, uint64_t last_part,
                                          size_t last_part_bytes)
{
    return last_part * (kv->part_bytes - GROVE__PART_OVERHEAD_BYTES) + last_part_bytes -
           GROVE__PART_OVERHEAD_BYTES;
}

#endif
