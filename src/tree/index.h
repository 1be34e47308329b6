/* How places and attributes of a tree are found by what they are of, and how
 * places are ordered. */
#ifndef GROVE_TREE_INDEX_H
#define GROVE_TREE_INDEX_H

#include "tree/tree.h"

static inline uint64_t grove__tree_place_hash(uint32_t replica, uint64_t sequence)
{
    return grove__numbers_hash(replica, sequence);
}

static inline uint64_t grove__tree_attribute_hash(uint32_t node, uint32_t name)
{
    return grove__numbers_hash(node, name);
}

static inline uint64_t grove__tree_hash_of_place(const void *context, uint32_t number)
{
    const grove__tree *tree = context;
    grove__stamp stamp = tree->places[number].stamp;
    return grove__tree_place_hash(grove__stamp_replica(stamp),
                                  grove__stamp_sequence(stamp));
}

static inline uint64_t grove__tree_hash_of_attribute(const void *context, uint32_t number)
{
    const grove__tree *tree = context;
    const grove__tree_attribute *attribute = &tree->attributes[number];
    return grove__tree_attribute_hash(attribute->node, attribute->name);
}

/* The order of siblings: of places, which the context is the tree of. */
static inline bool grove__tree_is_place_later(const void *context, uint32_t one,
                                              uint32_t other)
{
    const grove__tree *tree = context;
    return grove__tree_is_later(tree, tree->places[one].stamp, tree->places[other].stamp);
}

static inline grove__fugue_order grove__tree_place_order(const grove__tree *tree)
{
    return (grove__fugue_order){tree, grove__tree_is_place_later};
}

static inline grove__numbers_rule grove__tree_place_rule(const grove__tree *tree)
{
    return (grove__numbers_rule){tree, grove__tree_hash_of_place};
}

static inline grove__numbers_rule grove__tree_attribute_rule(const grove__tree *tree)
{
    return (grove__numbers_rule){tree, grove__tree_hash_of_attribute};
}

/* The place that an event made, by the number of its replica; _NONE. */
static inline uint32_t grove__tree_find_place(const grove__tree *tree, uint32_t replica,
                                              uint64_t sequence)
{
    const grove__numbers *numbers = &tree->place_numbers;
    if (numbers->capacity == 0) {
        return GROVE__TREE_NONE;
    }
    size_t slot =
        grove__numbers_first(numbers, grove__tree_place_hash(replica, sequence));
    for (; numbers->slots[slot] != GROVE__NUMBERS_NONE;
         slot = grove__numbers_next(numbers, slot)) {
        grove__stamp stamp = tree->places[numbers->slots[slot]].stamp;
        if (grove__stamp_sequence(stamp) == sequence &&
            grove__stamp_replica(stamp) == replica) {
            return numbers->slots[slot];
        }
    }
    return GROVE__TREE_NONE;
}

/* The attribute of a node by the number of its name; _NONE. */
static inline uint32_t grove__tree_find_attribute(const grove__tree *tree, uint32_t node,
                                                  uint32_t name)
{
    const grove__numbers *numbers = &tree->attribute_numbers;
    if (numbers->capacity == 0) {
        return GROVE__TREE_NONE;
    }
    size_t slot = grove__numbers_first(numbers, grove__tree_attribute_hash(node, name));
    for (; numbers->slots[slot] != GROVE__NUMBERS_NONE;
         slot = grove__numbers_next(numbers, slot)) {
        const grove__tree_attribute *attribute = &tree->attributes[numbers->slots[slot]];
        if (attribute->node == node && attribute->name == name) {
            return numbers->slots[slot];
        }
    }
    return GROVE__TREE_NONE;
}

#endif
