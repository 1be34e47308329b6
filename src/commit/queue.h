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

#include <pthread.h>
#include <stdbool.h>

#include <grove/types.h>

struct grove_store;
struct grove__write_set;

/* A set on its way; on the stack of the thread that commits it. */
typedef struct grove__commit_request {
    struct grove__commit_request *next;
    struct grove__write_set *set;
    int64_t time;    /* of the commit */
    uint64_t commit; /* its number; 0: it takes none */
    grove_status status;
    grove_error error;
    bool is_taken; /* a leader has it */
    bool is_done;  /* by its leader */
    bool is_told;  /* its thread may go on */
    bool was_put;  /* its changes are in the transaction */
    pthread_cond_t changed;
} grove__commit_request;

typedef struct grove__commit_queue {
    pthread_mutex_t mutex;
    grove__commit_request *first;
    bool has_leader;
} grove__commit_queue;

void grove__commit_queue_init(grove__commit_queue *queue);
void grove__commit_queue_release(grove__commit_queue *queue);

/* Commits the request's set, alone or with others'; its status, error and
 * commit then say what became of it. */
void grove__commit_run(struct grove_store *store, grove__commit_request *request);

#endif
