/* A thread of a process, and what it does. */
#ifndef GROVE_STRESS_WORKER_H
#define GROVE_STRESS_WORKER_H

#include "support/random.h"

#include "board.h"

enum { HANDLES_MAX = 4, DIRECT = 0, BRANCH = 1, CHILD = 2, AUTHORS_OF_THREAD = 3 };

struct stress_handle;

typedef struct stress_worker {
    stress_board *board;
    grove_store *store; /* the process's */
    uint32_t slot;
    uint32_t thread;
    uint32_t first_author; /* of its three */
    uint32_t when;         /* circumstances that hold all the time */
    uint32_t wait_ms_max;
    grove_durability durability;
    bool is_alone;         /* no other thread in the process */
    uint32_t actions_left; /* then it ends; 0: only with the run */
    test_random random;
    uint64_t last_commit; /* the newest that it was told of */
    struct stress_handle *handles[HANDLES_MAX];
} stress_worker;

/* What a worker is about is on the board while the call is under way. */
void worker_begins(stress_worker *self, stress_call call);
/* Passes the answer on to stress_answer. */
grove_status worker_answer(stress_worker *self, stress_call call, uint32_t when,
                           grove_status status, const grove_error *error);
/* GROVE_FULL is in order when the store is near its limit. */
uint32_t worker_when_full(stress_worker *self, grove_status status);

/* A commit that was acknowledged: later than those before. */
void worker_takes_commit(stress_worker *self, uint64_t commit);

bool worker_has_chance(stress_worker *self, uint32_t percent);
uint32_t worker_below(stress_worker *self, uint32_t bound);

/* Opens the run's store as the worker's process does. */
grove_store *worker_opens_store(stress_worker *self);

/* A place that is worth a visit, and a document of the worker's own. */
uint32_t worker_chooses_place(stress_worker *self);
uint32_t worker_own_place(const stress_worker *self);

/* Does this and that until the run is over; closes what it opened. */
void worker_run(stress_worker *self);

#endif
