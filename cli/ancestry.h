/*
 * Who comes after whom, among things that are numbered so that parents come
 * first: the transactions of a concurrent trace, the commits of a history.
 *
 * A node is empty while nothing happened in it. Who names an empty node as a
 * parent means what that node's own parents mean together.
 */
#ifndef CLI_ANCESTRY_H
#define CLI_ANCESTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <grove/status.h>

typedef struct cli_ancestry_node {
    /* Its parents end before this one of `parents`; they begin where those of
     * the node before end. */
    size_t parent_end;
    bool is_empty;
    /* What the walk of that number knows of it. */
    uint64_t mark;
} cli_ancestry_node;

/* All zero: no nodes. */
typedef struct cli_ancestry {
    cli_ancestry_node *nodes;
    size_t count;
    size_t capacity;
    size_t *parents;
    size_t parent_count;
    size_t parent_capacity;
    uint64_t walk;
} cli_ancestry;

void cli_ancestry_release(cli_ancestry *ancestry);

/*
 * Adds the next node, which is empty. GROVE_INVALID: a parent does not come
 * before it; GROVE_NO_MEMORY. Nothing is added on failure.
 */
grove_status cli_ancestry_add(cli_ancestry *ancestry, const size_t *parents,
                              size_t parent_count, grove_error *error_out);

/* Something happened in a node. */
void cli_ancestry_fill(cli_ancestry *ancestry, size_t node);

/* The parents of a node as they were given; borrowed until the next add. */
const size_t *cli_ancestry_parents(const cli_ancestry *ancestry, size_t node,
                                   size_t *parent_count_out);

/*
 * The version that some nodes make together: those of them and of the parents
 * of empty ones that are not empty and that no other of these comes after,
 * the latest first. Writes the first `version_max` of them; returns how many
 * there are. Cost: the nodes between the first and the last one.
 */
size_t cli_ancestry_version(cli_ancestry *ancestry, const size_t *nodes,
                            size_t node_count, size_t *version_out, size_t version_max);

#endif
