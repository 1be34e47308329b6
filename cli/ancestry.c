#include "ancestry.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "grow.h"

void cli_ancestry_release(cli_ancestry *ancestry)
{
    free(ancestry->nodes);
    free(ancestry->parents);
    memset(ancestry, 0, sizeof *ancestry);
}

static bool make_room(cli_ancestry *ancestry, size_t parent_count)
{
    cli_ancestry_node *nodes = cli_grow(ancestry->nodes, &ancestry->capacity,
                                        ancestry->count, 1, sizeof *ancestry->nodes);
    ancestry->nodes = nodes == NULL ? ancestry->nodes : nodes;
    size_t *parents = cli_grow(ancestry->parents, &ancestry->parent_capacity,
                               ancestry->parent_count, parent_count, sizeof *parents);
    ancestry->parents = parents == NULL ? ancestry->parents : parents;
    return nodes != NULL && parents != NULL;
}

grove_status cli_ancestry_add(cli_ancestry *ancestry, const size_t *parents,
                              size_t parent_count, grove_error *error_out)
{
    for (size_t index = 0; index < parent_count; index++) {
        if (parents[index] >= ancestry->count) {
            return cli_fail(error_out, GROVE_INVALID,
                            "its parent %zu does not come before it", parents[index]);
        }
    }
    if (!make_room(ancestry, parent_count)) {
        return cli_fail(error_out, GROVE_NO_MEMORY, "out of memory");
    }
    for (size_t index = 0; index < parent_count; index++) {
        ancestry->parents[ancestry->parent_count++] = parents[index];
    }
    ancestry->nodes[ancestry->count++] =
        (cli_ancestry_node){ancestry->parent_count, true, 0};
    return GROVE_OK;
}

void cli_ancestry_fill(cli_ancestry *ancestry, size_t node)
{
    ancestry->nodes[node].is_empty = false;
}

const size_t *cli_ancestry_parents(const cli_ancestry *ancestry, size_t node,
                                   size_t *parent_count_out)
{
    size_t begin = node == 0 ? 0 : ancestry->nodes[node - 1].parent_end;
    *parent_count_out = ancestry->nodes[node].parent_end - begin;
    return ancestry->parents + begin;
}

/*
 * The marks of a walk: a node that may be of the version, and one that is
 * behind a node of the version. Greater ones replace smaller ones, and those
 * of a later walk are greater.
 */
typedef struct marks {
    uint64_t may;
    uint64_t behind;
    /* Nodes that may be of the version and were not visited yet. */
    size_t open;
} marks;

static void mark(cli_ancestry_node *node, uint64_t wanted, marks *with)
{
    if (node->mark < wanted) {
        with->open -= node->mark == with->may ? 1 : 0;
        with->open += wanted == with->may ? 1 : 0;
        node->mark = wanted;
    }
}

/* Marks the parents of a visited node. Whether it is of the version. */
static bool visit(cli_ancestry *ancestry, size_t at, marks *with)
{
    const cli_ancestry_node *node = &ancestry->nodes[at];
    bool is_open = node->mark == with->may;
    bool is_head = is_open && !node->is_empty;
    with->open -= is_open ? 1 : 0;
    size_t parent_count = 0;
    const size_t *parents = cli_ancestry_parents(ancestry, at, &parent_count);
    for (size_t index = 0; index < parent_count; index++) {
        mark(&ancestry->nodes[parents[index]], is_head ? with->behind : node->mark, with);
    }
    return is_head;
}

size_t cli_ancestry_version(cli_ancestry *ancestry, const size_t *nodes,
                            size_t node_count, size_t *version_out, size_t version_max)
{
    ancestry->walk += 2;
    marks with = {ancestry->walk, ancestry->walk + 1, 0};
    size_t at = 0;
    for (size_t index = 0; index < node_count; index++) {
        mark(&ancestry->nodes[nodes[index]], with.may, &with);
        at = nodes[index] >= at ? nodes[index] + 1 : at;
    }
    size_t found = 0;
    /* Whoever comes after a node has a greater number, and was visited. */
    while (with.open > 0) {
        at--;
        bool is_marked = ancestry->nodes[at].mark >= with.may;
        if (is_marked && visit(ancestry, at, &with)) {
            if (found < version_max) {
                version_out[found] = at;
            }
            found++;
        }
    }
    return found;
}
