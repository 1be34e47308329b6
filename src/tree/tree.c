#include "tree/tree.h"

#include "base/alloc.h"
#include "base/bytes.h"

static grove_status add_root(grove__tree *tree)
{
    uint32_t type;
    if (grove__names_intern(&tree->names, (grove_bytes){NULL, 0}, &type) != GROVE_OK ||
        !grove__array_reserve(tree->allocator, (void **)&tree->nodes,
                              &tree->node_capacity, 0, sizeof *tree->nodes)) {
        return GROVE_NO_MEMORY;
    }
    tree->nodes[0] = (grove__tree_node){
        .place = GROVE__TREE_NONE,
        .base = GROVE__TREE_NONE,
        .made = GROVE__TREE_NONE,
        .id = GROVE__TREE_NONE,
        .type = type,
        .children = GROVE__FUGUE_EMPTY,
        .attribute = GROVE__TREE_NONE,
        .deletion = GROVE__TREE_NONE,
        .typed = GROVE__TREE_NONE,
    };
    tree->node_count = 1;
    return GROVE_OK;
}

grove_status grove__tree_new(const grove_allocator *allocator, grove__tree **tree_out)
{
    grove__tree *tree = grove__allocate_zeroed(allocator, sizeof *tree);
    if (tree == NULL) {
        return GROVE_NO_MEMORY;
    }
    tree->allocator = allocator;
    grove__fugue_init(&tree->fugue, allocator);
    grove__names_init(&tree->names, allocator);
    grove__names_init(&tree->ids, allocator);
    grove__names_init(&tree->replicas, allocator);
    grove_buffer_init(&tree->values, allocator);
    grove_buffer_init(&tree->journal, allocator);
    grove_status status = add_root(tree);
    if (status != GROVE_OK) {
        grove__tree_free(tree);
        return status;
    }
    *tree_out = tree;
    return GROVE_OK;
}

void grove__tree_free(grove__tree *tree)
{
    if (tree == NULL) {
        return;
    }
    const grove_allocator *allocator = tree->allocator;
    grove__deallocate(allocator, tree->nodes, tree->node_capacity * sizeof *tree->nodes);
    grove__deallocate(allocator, tree->places,
                      tree->place_capacity * sizeof *tree->places);
    grove__deallocate(allocator, tree->attributes,
                      tree->attribute_capacity * sizeof *tree->attributes);
    grove__deallocate(allocator, tree->deletions,
                      tree->deletion_capacity * sizeof *tree->deletions);
    grove__deallocate(allocator, tree->moves, tree->move_capacity * sizeof *tree->moves);
    grove__deallocate(allocator, tree->id_nodes,
                      tree->id_node_capacity * sizeof *tree->id_nodes);
    grove__deallocate(allocator, tree->arrivals,
                      tree->arrival_capacity * sizeof *tree->arrivals);
    grove__fugue_release(&tree->fugue);
    grove__names_release(&tree->names);
    grove__names_release(&tree->ids);
    grove__names_release(&tree->replicas);
    grove__numbers_release(&tree->place_numbers, allocator);
    grove__numbers_release(&tree->attribute_numbers, allocator);
    grove_buffer_release(&tree->values);
    grove_buffer_release(&tree->journal);
    grove__deallocate(allocator, tree, sizeof *tree);
}

bool grove__tree_is_later(const grove__tree *tree, grove__stamp stamp, grove__stamp other)
{
    uint64_t time = grove__stamp_time(stamp);
    uint64_t other_time = grove__stamp_time(other);
    if (time != other_time) {
        return time > other_time;
    }
    uint32_t replica = grove__stamp_replica(stamp);
    uint32_t other_replica = grove__stamp_replica(other);
    if (replica != other_replica) {
        return grove__bytes_compare(grove__names_at(&tree->replicas, replica),
                                    grove__names_at(&tree->replicas, other_replica)) > 0;
    }
    return grove__stamp_sequence(stamp) > grove__stamp_sequence(other);
}
