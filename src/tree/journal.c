#include "base/assert.h"
#include "tree/index.h"

void grove__tree_note(grove__tree *tree, grove__tree_entry entry)
{
    grove_buffer_append(&tree->journal, &entry, sizeof entry);
    GROVE_ASSERT(!tree->journal.failed);
}

static void take_back_place(grove__tree *tree, uint32_t place)
{
    grove__numbers_remove(&tree->place_numbers, grove__tree_place_rule(tree), place);
    uint32_t parent = tree->places[place].parent;
    grove__fugue_take_back(&tree->fugue, &tree->nodes[parent].children);
    tree->place_count--;
    GROVE_ASSERT(tree->place_count == place);
}

static void take_back_node(grove__tree *tree, uint32_t node)
{
    const grove__tree_node *gone = &tree->nodes[node];
    tree->nodes[grove__tree_parent(tree, node)].child_count--;
    if (gone->id != GROVE__TREE_NONE) {
        tree->id_nodes[gone->id] = GROVE__TREE_NONE;
    }
    tree->node_count--;
    GROVE_ASSERT(tree->node_count == node);
}

static void take_back_attribute(grove__tree *tree, uint32_t number)
{
    const grove__tree_attribute *gone = &tree->attributes[number];
    grove__numbers_remove(&tree->attribute_numbers, grove__tree_attribute_rule(tree),
                          number);
    GROVE_ASSERT(tree->nodes[gone->node].attribute == number);
    tree->nodes[gone->node].attribute = gone->next;
    tree->value_garbage += gone->size;
    tree->attribute_count--;
}

static void take_back_value(grove__tree *tree, const grove__tree_entry *entry)
{
    grove__tree_attribute *attribute = &tree->attributes[entry->number];
    tree->value_garbage += attribute->size;
    tree->value_garbage -= entry->size;
    attribute->stamp = entry->stamp;
    attribute->value = entry->value;
    attribute->size = entry->size;
}

static void take_back_move(grove__tree *tree, uint32_t move)
{
    const grove__tree_place_record *place = &tree->places[move];
    tree->move_count--;
    GROVE_ASSERT(tree->moves[tree->move_count] == move);
    if (place->before != GROVE__TREE_NO_EFFECT) {
        grove__tree_stand(tree, place->node, place->before);
    }
}

static void take_back_entry(grove__tree *tree, const grove__tree_entry *entry)
{
    grove__tree_node *node = &tree->nodes[entry->number];
    switch (entry->kind) {
    case GROVE__TREE_ENTRY_PLACE:
        take_back_place(tree, entry->number);
        break;
    case GROVE__TREE_ENTRY_NODE:
        take_back_node(tree, entry->number);
        break;
    case GROVE__TREE_ENTRY_BASE:
        node->base = entry->other;
        break;
    case GROVE__TREE_ENTRY_TYPE:
        node->type = entry->other;
        node->typed = entry->size;
        break;
    case GROVE__TREE_ENTRY_ATTRIBUTE:
        take_back_attribute(tree, entry->number);
        break;
    case GROVE__TREE_ENTRY_VALUE:
        take_back_value(tree, entry);
        break;
    case GROVE__TREE_ENTRY_DELETION:
        grove__tree_set_deleted(tree, entry->number, false);
        node->deletion = GROVE__TREE_NONE;
        tree->deletion_count--;
        break;
    case GROVE__TREE_ENTRY_FLAG:
        grove__tree_set_deleted(tree, entry->number, entry->other != 0);
        tree->deletions[node->deletion].stamp = entry->stamp;
        break;
    case GROVE__TREE_ENTRY_MOVE:
        take_back_move(tree, entry->number);
        break;
    }
}

void grove__tree_take_back(grove__tree *tree, size_t bytes)
{
    tree->arrival_count = 0;
    while (tree->journal.size > bytes) {
        grove__tree_entry entry;
        tree->journal.size -= sizeof entry;
        memcpy(&entry, tree->journal.data + tree->journal.size, sizeof entry);
        take_back_entry(tree, &entry);
    }
}

void grove__tree_begin(grove__tree *tree)
{
    GROVE_ASSERT(!tree->is_open && tree->journal.size == 0);
    tree->is_open = true;
}

void grove__tree_end(grove__tree *tree)
{
    tree->is_open = false;
    grove_buffer_reset(&tree->journal);
}

void grove__tree_cancel(grove__tree *tree)
{
    grove__tree_take_back(tree, 0);
    grove__tree_end(tree);
}
