/*
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
 * Order of locks: a document's handle (the caller's), this queue's mutex, the
 * backend's gate, its transaction. The mutex is never held while the gate is
 * waited for.
 */
#ifndef GROVE_COMMIT_QUEUE_H
#define GROVE_COMMIT_QUEUE_H

#include "commit/store.h"

void grove__commit_queue_init(grove__commit_queue *queue);
void grove__commit_queue_release(grove__commit_queue *queue);

/* What goes through it, grove__commit, is declared in commit/write_set.h. */

#endif
