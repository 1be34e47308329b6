/*
 * Making a commit durable together with others.
 *
 * A commit of LMDB's flushes the data it wrote, and with it everything that was
 * written to the file before: also the header pages of earlier commits. So of
 * two commits in a row, whoever made them, the second makes the first durable,
 * and the first need not flush its header page itself: it waits for the second,
 * if there is one to come, about as long as a flush would take.
 */
#ifndef GROVE_LMDB_DURABLE_H
#define GROVE_LMDB_DURABLE_H

#include "lmdb_shared.h"

/* All transactions up to `txn` are on disk: says so to all who wait for it. */
void grove__lmdb_flushed(grove__lmdb_shared *shared, uint64_t txn);

/* Flushes all that is written, transactions up to `txn` at least. Returns 0, or
 * an errno: then the environment has failed (C5). */
int grove__lmdb_flush(grove__lmdb_shared *shared, uint64_t txn);

/* Returns when `txn` is on disk. `has_heir`: another commit is to come. */
int grove__lmdb_make_durable(grove__lmdb_shared *shared, uint64_t txn, bool has_heir);

#endif
