/* A table of replicas, with a number for each. */
#ifndef GROVE_STRESS_REPLICAS_H
#define GROVE_STRESS_REPLICAS_H

#include "board.h"

typedef struct replicas_entry {
    grove_replica replica; /* size 0: free */
    uint64_t next;
} replicas_entry;

typedef struct replicas {
    stress_board *board;
    replicas_entry *entries;
    size_t count;
    size_t room; /* a power of two */
} replicas;

void replicas_init(replicas *table, stress_board *board);
void replicas_release(replicas *table);
/* The replica's number, 0 at first; to be changed before the next call. */
uint64_t *replicas_next(replicas *table, const grove_replica *replica);

#endif
