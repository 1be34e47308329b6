/*
 * Events cut into chains, for orders in which parents come first.
 *
 * A chain is events that follow one another in every such order: each but the
 * first has only the one before it as parent, and none but the last has other
 * children among the events. So a version among them is made of whole chains.
 *
 *     clocks   0 1 2 3 4 5 6 7        2 has no parent, 3 has 1 and 2,
 *     chains  [0 1][2][3 4][5 6 7]    5 has 1; each other the one before
 */
#ifndef GROVE_GRAPH_CHAINS_H
#define GROVE_GRAPH_CHAINS_H

#include "graph/graph.h"
#include "graph/heap.h"

#define GROVE__CHAIN_NONE UINT32_MAX

typedef struct grove__chain {
    uint64_t from;
    uint64_t end;
    uint64_t sequence; /* the id of the first event, if asked for */
    size_t run;        /* of the graph */
    uint32_t replica;
    uint32_t first_edge; /* to its children */
    uint32_t parents;    /* index of its first parent in `parents` */
    uint32_t parent_count;
} grove__chain;

/* One of a list of children. */
typedef struct grove__chain_edge {
    uint32_t chain;
    uint32_t next; /* or GROVE__CHAIN_NONE */
} grove__chain_edge;

/* Chains ascend by clock; parents are those among the chains. */
typedef struct grove__chains {
    const grove_allocator *allocator;
    const grove__graph *graph;
    grove__chain *items;
    size_t count, capacity;
    grove__chain_edge *edges;
    size_t edge_count, edge_capacity;
    uint32_t *parents; /* as many as edges */
    size_t parent_capacity;
    uint64_t *cuts; /* after parents inside runs */
    size_t cut_count, cut_capacity;
    grove__heap scratch;
    uint64_t steps; /* looked at to find parents so far: what it cost */
} grove__chains;

/* No chains; owns nothing. The allocator is borrowed. */
void grove__chains_init(grove__chains *chains, const grove_allocator *allocator);
void grove__chains_release(grove__chains *chains);

/*
 * Replaces the chains by those of some clocks: ascending ranges that do not
 * touch the same clock twice, from the graph's base on. `by_replica`: also cuts
 * where ids do not go on, and says the first event's. s chains with p parents
 * cost O((s + p) log (s + p)). False: no memory, or 2^32 - 1 chains.
 */
bool grove__chains_make(grove__chains *chains, const grove__graph *graph,
                        grove__ranges clocks, bool by_replica);

#endif
