/* What a tree shows. */
#include <stdlib.h>

#include "base/bytes.h"
#include "tree/index.h"

uint32_t grove__tree_pass(const grove__tree *tree, uint32_t place, bool forwards,
                          bool deleted_too)
{
    while (place != GROVE__TREE_NONE &&
           (!grove__tree_is_current(tree, place) ||
            (!deleted_too && grove__tree_is_deleted(tree, tree->places[place].node)))) {
        const grove__fugue_links *links = &tree->fugue.links[place];
        place = forwards ? links->next : links->previous;
    }
    return place;
}

uint32_t grove__tree_step(const grove__tree *tree, uint32_t node, grove_tree_way way,
                          bool deleted_too)
{
    const grove__tree_node *record = &tree->nodes[node];
    const grove__fugue_links *links =
        record->place == GROVE__TREE_NONE ? NULL : &tree->fugue.links[record->place];
    uint32_t place = GROVE__TREE_NONE;
    switch (way) {
    case GROVE_TREE_TO_PARENT:
        return grove__tree_parent(tree, node);
    case GROVE_TREE_TO_FIRST:
        place = record->children.first;
        break;
    case GROVE_TREE_TO_LAST:
        place = record->children.last;
        break;
    case GROVE_TREE_TO_NEXT:
        place = links == NULL ? place : links->next;
        break;
    case GROVE_TREE_TO_PREVIOUS:
        place = links == NULL ? place : links->previous;
        break;
    }
    bool forwards = way == GROVE_TREE_TO_FIRST || way == GROVE_TREE_TO_NEXT;
    place = grove__tree_pass(tree, place, forwards, deleted_too);
    return place == GROVE__TREE_NONE ? GROVE__TREE_NONE : tree->places[place].node;
}

uint32_t grove__tree_next(const grove__tree *tree, uint32_t top, uint32_t node,
                          bool descends, bool deleted_too, uint32_t *depth)
{
    if (descends) {
        uint32_t child = grove__tree_step(tree, node, GROVE_TREE_TO_FIRST, deleted_too);
        if (child != GROVE__TREE_NONE) {
            ++*depth;
            return child;
        }
    }
    while (node != top) {
        uint32_t next = grove__tree_step(tree, node, GROVE_TREE_TO_NEXT, deleted_too);
        if (next != GROVE__TREE_NONE) {
            return next;
        }
        node = grove__tree_parent(tree, node);
        --*depth;
    }
    return GROVE__TREE_NONE;
}

uint32_t grove__tree_attribute_of(const grove__tree *tree, uint32_t node,
                                  grove_bytes name)
{
    uint32_t number = grove__names_find(&tree->names, name);
    return number == GROVE__NAMES_NONE ? GROVE__TREE_NONE
                                       : grove__tree_find_attribute(tree, node, number);
}

static int compare_named(const void *a, const void *b)
{
    return grove__bytes_compare(((const grove__tree_named *)a)->name,
                                ((const grove__tree_named *)b)->name);
}

bool grove__tree_sort_attributes(const grove__tree *tree, uint32_t node,
                                 grove_buffer *named_out)
{
    grove_buffer_reset(named_out);
    for (uint32_t at = tree->nodes[node].attribute; at != GROVE__TREE_NONE;
         at = tree->attributes[at].next) {
        grove__tree_named named = {
            grove__names_at(&tree->names, tree->attributes[at].name), at};
        grove_buffer_append(named_out, &named, sizeof named);
    }
    size_t count = named_out->size / sizeof(grove__tree_named);
    if (!named_out->failed && count > 1) {
        qsort(named_out->data, count, sizeof(grove__tree_named), compare_named);
    }
    return !named_out->failed;
}
