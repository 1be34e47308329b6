/* What runs in a process: threads with a store, or the keeper. */
#ifndef GROVE_STRESS_PROCESS_H
#define GROVE_STRESS_PROCESS_H

#include "worker.h"

/* A worker that stands for thread `thread` of a process in `slot`; `seed` is
 * for its random choices. */
stress_worker process_worker(stress_board *board, uint32_t slot, uint32_t thread,
                             uint64_t seed);

/* Opens the store, lets threads work, closes it. `is_whole`: for as long as
 * the run takes, with all threads that were asked for. */
void process_run(stress_board *board, uint32_t slot, uint64_t seed, bool is_whole);

/* Has the store open from before the others came until after they left, and
 * then finds nothing of theirs left behind. */
void process_keep(stress_board *board, uint64_t seed);

/* Two processes: one loads a document, the other compacts it, the first saves
 * late. late.c */
void process_late(stress_board *board, bool is_late, uint64_t seed);

#endif
