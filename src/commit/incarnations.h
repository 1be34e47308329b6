/*
 * The incarnations that a store had, and the commits made in each.
 *
 * A store gets a new incarnation when it may have forgotten commits that others
 * have seen: by a restore, or by a crash in a mode that was not fully durable.
 * Numbers are then given out again; a number and the incarnation in which the
 * commit was made are never the same twice. The list is kept for whoever wants
 * to go on from a commit that was seen earlier.
 *
 * Beyond GROVE_INCARNATIONS_MAX the oldest are forgotten, and with them what
 * their commits were.
 */
#ifndef GROVE_COMMIT_INCARNATIONS_H
#define GROVE_COMMIT_INCARNATIONS_H

#include "commit/write_set.h"

/* Replaces what `list_out` holds by the grove__incarnation records of the
 * store, the oldest first, at least one. GROVE_CORRUPT, GROVE_FORMAT_NEWER,
 * GROVE_NO_MEMORY, GROVE_IO. */
grove_status grove__incarnations_read(grove__txn *txn, grove_buffer *list_out,
                                      grove_error *error_out);

/* Where the list is: table `store`. */
grove_bytes grove__incarnations_key(void);

/* The incarnation in which `commit` was made; of commit 0, the empty store,
 * the first. GROVE_NONE: it was forgotten. */
grove_status grove__incarnations_find(const grove_buffer *list, uint64_t commit,
                                      uint64_t *incarnation_out);

/*
 * Adds to `set`: the commits after the newest that `txn` sees are made in
 * `incarnation`. The set then goes through only if no commit was made and no
 * other incarnation begun meanwhile. One in which no commit was made gives way
 * to it. That the store's record says the same is up to the caller. Statuses
 * as read.
 */
grove_status grove__incarnations_append(grove__txn *txn, uint64_t incarnation,
                                        grove__write_set *set, grove_error *error_out);

#endif
