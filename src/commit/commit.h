/*
 * The one way to change a store: a write set is committed.
 *
 * Group commit: threads that commit at the same time share one transaction and
 * one flush of the disk.
 *
 *   enqueue ─► somebody leads? ─ yes ─► sleep until the leader has done it,
 *                   │ no                or it is our turn to lead
 *                   ▼
 *                  lead: begin the write transaction (and wait for others)
 *                        take what is queued by now; the next may lead
 *                        for each: expectations hold? put : tell it so
 *                        commit; tell all
 *
 * A set whose expectations fail is out before its first put. One that fails
 * later has spoiled the transaction: it is aborted, and each set gets one of
 * its own, so that none has to do with another's failure.
 *
 * While a leader waits for its flush, the next one waits for the writers' gate;
 * the sets that come meanwhile are the next group.
 *
 * Order of locks: a document's handle (the caller's), the lead of this queue,
 * the backend's gate, its transaction. The queue's mutex only guards the list:
 * whoever holds it waits for nothing.
 */
#ifndef GROVE_COMMIT_COMMIT_H
#define GROVE_COMMIT_COMMIT_H

#include "commit/write_set.h"

void grove__commit_queue_init(grove__commit_queue *queue);
void grove__commit_queue_release(grove__commit_queue *queue);

/*
 * Runs the set. *commit_out (may be NULL) is the commit's number, 0 when it
 * took none. Changes happen in the order in which they were added.
 *
 *   GROVE_CONFLICT   an expectation does not hold; nothing was written
 *   GROVE_NO_MEMORY  also when a call above could not keep what it was given
 *   GROVE_FULL, GROVE_IO, GROVE_CORRUPT, GROVE_BUSY, GROVE_FAILED
 */
grove_status grove__commit(grove_store *store, const grove__write_set *set,
                           uint64_t *commit_out, grove_error *error_out);

/* The same for two sets in one transaction. `along` (may be NULL) takes no
 * commit number, and is left out when something that it expects does not
 * hold. */
grove_status grove__commit_along(grove_store *store, const grove__write_set *set,
                                 const grove__write_set *along, uint64_t *commit_out,
                                 grove_error *error_out);

/*
 * The same within a write transaction that the caller has begun and read from,
 * so that nothing can have moved on; ends it in every case. GROVE_CONFLICT
 * also: the store was full, and grew. Do it again.
 */
grove_status grove__commit_within(grove_store *store, grove__txn *txn,
                                  const grove__write_set *set, uint64_t *commit_out,
                                  grove_error *error_out);

#endif
