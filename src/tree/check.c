/* The invariants of a tree, for tests. */
#include "base/assert.h"
#include "tree/index.h"

/* What a walk over a node's list finds. */
static const char *check_list(const grove__tree *tree, uint32_t node, size_t *places)
{
    const grove__tree_node *record = &tree->nodes[node];
    const char *fault = grove__fugue_check(&tree->fugue, &record->children,
                                           grove__tree_place_order(tree));
    uint32_t shown = 0;
    for (uint32_t at = record->children.first; fault == NULL && at != GROVE__TREE_NONE;
         at = tree->fugue.links[at].next) {
        ++*places;
        if (tree->places[at].parent != node) {
            return "a place is in another node's list";
        }
        shown += grove__tree_is_current(tree, at) &&
                         !grove__tree_is_deleted(tree, tree->places[at].node)
                     ? 1
                     : 0;
    }
    return fault == NULL && shown != record->child_count ? "children are counted wrong"
                                                         : fault;
}

/* T2: how many moves lead from a node's base to its place, each later than the
 * one before; more than there are: it is at none of these. */
static size_t count_moves(const grove__tree *tree, uint32_t node)
{
    uint32_t at = tree->nodes[node].place;
    size_t moves = 0;
    while (at != tree->nodes[node].base && moves <= tree->move_count) {
        uint32_t before = tree->places[at].before;
        if (before >= tree->place_count || tree->places[before].node != node ||
            !grove__tree_is_place_later(tree, at, before)) {
            return tree->move_count + 1;
        }
        at = before;
        moves++;
    }
    return moves;
}

static const char *check_node(const grove__tree *tree, uint32_t node, size_t *moves)
{
    const grove__tree_node *record = &tree->nodes[node];
    if (record->place >= tree->place_count || record->base >= tree->place_count ||
        record->made >= tree->place_count || record->typed >= tree->place_count ||
        record->type >= tree->names.count) {
        return "a node has a number of nothing";
    }
    if (tree->places[record->place].node != node ||
        tree->places[record->base].node != node ||
        tree->places[record->made].node != node || !tree->places[record->made].is_put ||
        tree->places[record->typed].node != node || !tree->places[record->typed].is_put) {
        return "a node stands at another's place";
    }
    *moves += count_moves(tree, node);
    if (*moves > tree->move_count) {
        return "a node stands where no move led it";
    }
    size_t steps = 0;
    uint32_t at = node;
    while (at != GROVE_NODE_ROOT && steps <= tree->node_count) {
        at = grove__tree_parent(tree, at);
        steps++;
    }
    if (steps > tree->node_count) {
        return "a node is below itself";
    }
    grove_tree_id_bytes id;
    grove__tree_id(tree, node, &id);
    return grove__tree_find(tree, (grove_bytes){id.bytes, id.size}) == node
               ? NULL
               : "a node is not found by its id";
}

static const char *check_places(const grove__tree *tree)
{
    for (uint32_t place = 0; place < tree->place_count; place++) {
        grove__stamp stamp = tree->places[place].stamp;
        if (grove__tree_find_place(tree, grove__stamp_replica(stamp),
                                   grove__stamp_sequence(stamp)) != place) {
            return "a place is not found by its event";
        }
    }
    return NULL;
}

/* T1: the log is in order, and has the places that are neither settled nor the
 * base of a node; `moves` of them have effect. */
static const char *check_log(const grove__tree *tree, size_t moves)
{
    size_t open = 0;
    for (uint32_t place = 0; place < tree->place_count; place++) {
        const grove__tree_place_record *record = &tree->places[place];
        open += grove__stamp_time(record->stamp) > tree->settled &&
                        tree->nodes[record->node].base != place
                    ? 1
                    : 0;
    }
    for (size_t index = 0; index < tree->move_count; index++) {
        uint32_t move = tree->moves[index];
        const grove__tree_place_record *record = &tree->places[move];
        if (grove__stamp_time(record->stamp) <= tree->settled ||
            !grove__tree_is_place_later(tree, move, tree->nodes[record->node].base)) {
            return "a move in the log is settled, or before its base";
        }
        if (index > 0 &&
            !grove__tree_is_place_later(tree, move, tree->moves[index - 1])) {
            return "the log is not in order";
        }
        moves -= record->before == GROVE__TREE_NO_EFFECT ? 0 : 1;
    }
    return open != tree->move_count || moves != 0 ? "the log lacks a move" : NULL;
}

static const char *check_attributes(const grove__tree *tree)
{
    for (uint32_t number = 0; number < tree->attribute_count; number++) {
        const grove__tree_attribute *attribute = &tree->attributes[number];
        if (grove__tree_find_attribute(tree, attribute->node, attribute->name) !=
            number) {
            return "an attribute is not found";
        }
        if (attribute->size > tree->values.size ||
            attribute->value > tree->values.size - attribute->size) {
            return "an attribute's value is nowhere";
        }
    }
    return NULL;
}

const char *grove__tree_check(const grove__tree *tree)
{
    size_t places = 0;
    size_t moves = 0;
    const char *fault = check_places(tree);
    for (uint32_t node = 0; fault == NULL && node < tree->node_count; node++) {
        fault = node == GROVE_NODE_ROOT ? NULL : check_node(tree, node, &moves);
        fault = fault == NULL ? check_list(tree, node, &places) : fault;
    }
    if (fault == NULL && places != tree->place_count) {
        fault = "a place is in no list";
    }
    fault = fault == NULL ? check_log(tree, moves) : fault;
    if (fault == NULL && (!tree->is_open && tree->journal.size > 0)) {
        fault = "the journal is not empty";
    }
    return fault == NULL ? check_attributes(tree) : fault;
}
