/*
 * Where nodes stand: moves in the order of their stamps (Kleppmann, Mulligan,
 * Gomes and Beresford, "A highly-available move operation for replicated
 * trees", IEEE Transactions on Parallel and Distributed Systems, 2021).
 *
 * A move takes effect at its turn unless it would put a node below itself.
 * When moves arrive that are earlier than others, these are undone, back to
 * the first of the new ones, and all are done again in their order. A move
 * without effect stays in the log: with other moves before it it may have one.
 *
 *     log     m1  m3  m4          arrives: m2
 *     undo    m1                  m4, m3: each node goes back to where it stood
 *     redo    m1  m2  m3  m4      each looks again whether it makes a cycle
 *
 * What comes together is taken in together, so that each later move is undone
 * once however many arrive. The first put of a node is not in the log: it
 * cannot make a cycle, as nothing can be below a node before it, and what
 * moves a node knows its put.
 *
 * Of a node that nothing was ever put or moved below, a move always has effect,
 * and no other node's move depends on it: such moves find their places in the
 * log, and among the moves of their nodes, with nothing undone.
 */
#include "base/assert.h"
#include "tree/tree.h"

bool grove__tree_is_above(const grove__tree *tree, uint32_t node, uint32_t below)
{
    while (below != node && below != GROVE_NODE_ROOT) {
        below = tree->places[tree->nodes[below].place].parent;
    }
    return below == node;
}

void grove__tree_stand(grove__tree *tree, uint32_t node, uint32_t place)
{
    grove__tree_node *nodes = tree->nodes;
    if (!grove__tree_is_deleted(tree, node)) {
        nodes[tree->places[nodes[node].place].parent].child_count--;
        nodes[tree->places[place].parent].child_count++;
    }
    nodes[node].place = place;
}

void grove__tree_set_deleted(grove__tree *tree, uint32_t node, bool is_deleted)
{
    if (is_deleted != grove__tree_is_deleted(tree, node)) {
        uint32_t *count = &tree->nodes[grove__tree_parent(tree, node)].child_count;
        *count = is_deleted ? *count - 1 : *count + 1;
    }
    tree->deletions[tree->nodes[node].deletion].is_deleted = is_deleted;
}

static void undo(grove__tree *tree, uint32_t move)
{
    const grove__tree_place_record *place = &tree->places[move];
    if (place->before != GROVE__TREE_NO_EFFECT) {
        GROVE_ASSERT(tree->nodes[place->node].place == move);
        grove__tree_stand(tree, place->node, place->before);
    }
}

/* Whether nothing was ever put or moved below a node. */
static bool is_leaf(const grove__tree *tree, uint32_t node)
{
    return tree->nodes[node].children.first == GROVE__TREE_NONE;
}

static void redo(grove__tree *tree, uint32_t move)
{
    grove__tree_place_record *place = &tree->places[move];
    if (!is_leaf(tree, place->node) &&
        grove__tree_is_above(tree, place->node, place->parent)) {
        place->before = GROVE__TREE_NO_EFFECT;
    } else {
        place->before = tree->nodes[place->node].place;
        grove__tree_stand(tree, place->node, move);
    }
}

static bool is_later(const grove__tree *tree, uint32_t move, uint32_t other)
{
    return grove__tree_is_later(tree, tree->places[move].stamp,
                                tree->places[other].stamp);
}

/* Sinks the item at `at` of a heap with the latest move first. */
static void sink(const grove__tree *tree, uint32_t *heap, size_t at, size_t count)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count) {
            return;
        }
        if (child + 1 < count && is_later(tree, heap[child + 1], heap[child])) {
            child++;
        }
        if (!is_later(tree, heap[child], heap[at])) {
            return;
        }
        uint32_t moved = heap[at];
        heap[at] = heap[child];
        heap[child] = moved;
        at = child;
    }
}

/* Sorts moves by their stamps, in place, which mostly are in order. */
static void sort(const grove__tree *tree, uint32_t *moves, size_t count)
{
    size_t sorted = 1;
    while (sorted < count && is_later(tree, moves[sorted], moves[sorted - 1])) {
        sorted++;
    }
    if (sorted >= count) {
        return;
    }
    for (size_t at = count / 2; at > 0; at--) {
        sink(tree, moves, at - 1, count);
    }
    for (size_t left = count; left > 1; left--) {
        uint32_t latest = moves[0];
        moves[0] = moves[left - 1];
        moves[left - 1] = latest;
        sink(tree, moves, 0, left - 1);
    }
}

/* Undoes the moves that are later than `first`; their number in the log. */
static size_t undo_later(grove__tree *tree, uint32_t first)
{
    size_t kept = tree->move_count;
    while (kept > 0 && is_later(tree, tree->moves[kept - 1], first)) {
        undo(tree, tree->moves[--kept]);
    }
    return kept;
}

/* Merges the sorted arrivals into the log. */
static void merge(grove__tree *tree)
{
    size_t old = tree->move_count;
    size_t arrived = tree->arrival_count;
    size_t to = old + arrived;
    while (arrived > 0) {
        bool is_old =
            old > 0 && is_later(tree, tree->moves[old - 1], tree->arrivals[arrived - 1]);
        tree->moves[--to] = is_old ? tree->moves[--old] : tree->arrivals[--arrived];
    }
    tree->move_count += tree->arrival_count;
    tree->arrival_count = 0;
}

/* Whether the arrivals are moves of leaves. */
static bool are_of_leaves(const grove__tree *tree)
{
    for (size_t index = 0; index < tree->arrival_count; index++) {
        const grove__tree_place_record *place = &tree->places[tree->arrivals[index]];
        if (place->is_put || !is_leaf(tree, place->node)) {
            return false;
        }
    }
    return true;
}

/* Puts the move of a leaf between those of its node; how many are later. */
static size_t insert(grove__tree *tree, uint32_t move)
{
    grove__tree_place_record *place = &tree->places[move];
    uint32_t after = GROVE__TREE_NONE;
    size_t later = 0;
    place->before = tree->nodes[place->node].place;
    /* Its base is earlier than all moves of a node. */
    while (is_later(tree, place->before, move)) {
        after = place->before;
        place->before = tree->places[after].before;
        later++;
    }
    if (after == GROVE__TREE_NONE) {
        grove__tree_stand(tree, place->node, move);
    } else {
        tree->places[after].before = move;
    }
    return later;
}

/* Inserts the arrivals, which are moves of leaves, from the first on: all of
 * them, or as many as cost less than settling them in turn. */
static void insert_all(grove__tree *tree)
{
    size_t steps = 0;
    size_t index = 0;
    size_t arrived = tree->arrival_count;
    while (index < arrived && steps <= tree->move_count) {
        steps += insert(tree, tree->arrivals[index++]);
    }
    tree->arrival_count = index;
    merge(tree);
    tree->arrival_count = arrived - index;
    memmove(tree->arrivals, tree->arrivals + index,
            tree->arrival_count * sizeof *tree->arrivals);
}

/* Undoes and does again what is later than the first arrival. */
static void settle_in_turn(grove__tree *tree)
{
    size_t kept = undo_later(tree, tree->arrivals[0]);
    for (size_t index = 0; index < tree->arrival_count; index++) {
        /* What was its node's base is a move now. */
        uint32_t node = tree->places[tree->arrivals[index]].node;
        if (tree->nodes[node].place == tree->arrivals[index]) {
            grove__tree_stand(tree, node, tree->nodes[node].base);
        }
    }
    tree->redone += tree->move_count - kept;
    merge(tree);
    for (size_t index = kept; index < tree->move_count; index++) {
        redo(tree, tree->moves[index]);
    }
}

void grove__tree_settle(grove__tree *tree)
{
    size_t kept = tree->move_count;
    size_t arrived = tree->arrival_count;
    if (arrived == 0) {
        return;
    }
    sort(tree, tree->arrivals, arrived);
    GROVE_ASSERT(!tree->is_open || kept == 0 ||
                 !is_later(tree, tree->moves[kept - 1], tree->arrivals[0]));
    if (are_of_leaves(tree)) {
        insert_all(tree);
    }
    if (tree->arrival_count > 0) {
        settle_in_turn(tree);
    }
    for (size_t index = kept; tree->is_open && index < kept + arrived; index++) {
        /* There is room for it. */
        grove_status status =
            grove__tree_note(tree, GROVE__TREE_ENTRY_MOVE, tree->moves[index], NULL);
        GROVE_ASSERT(status == GROVE_OK);
    }
}

void grove__tree_stand_all(grove__tree *tree)
{
    grove__tree_node *nodes = tree->nodes;
    for (uint32_t node = 1; node < tree->node_count; node++) {
        nodes[node].place = nodes[node].base;
        if (!grove__tree_is_deleted(tree, node)) {
            nodes[tree->places[nodes[node].base].parent].child_count++;
        }
    }
    sort(tree, tree->moves, tree->move_count);
    for (size_t index = 0; index < tree->move_count; index++) {
        redo(tree, tree->moves[index]);
    }
}
