#include "base/assert.h"
#include "tree/index.h"

grove_status grove__tree_note(grove__tree *tree, grove__tree_entry_kind kind,
                              uint32_t number, const grove__tree_before *before)
{
    grove__tree_entry entry = {kind, number};
    GROVE_ASSERT((before != NULL) == (kind >= GROVE__TREE_ENTRY_BASE));
    /* Also for the moves on their way, which are noted when all is in. */
    size_t bytes =
        (1 + tree->arrival_count) * sizeof entry + (before == NULL ? 0 : sizeof *before);
    if (grove_buffer_reserve(&tree->journal, bytes) == NULL) {
        tree->journal.failed = false;
        return GROVE_NO_MEMORY;
    }
    if (before != NULL) {
        grove_buffer_append(&tree->journal, before, sizeof *before);
    }
    grove_buffer_append(&tree->journal, &entry, sizeof entry);
    return GROVE_OK;
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

static void take_back_value(grove__tree *tree, uint32_t number,
                            const grove__tree_before *before)
{
    grove__tree_attribute *attribute = &tree->attributes[number];
    tree->value_garbage += attribute->size;
    tree->value_garbage -= before->size;
    attribute->stamp = before->stamp;
    attribute->value = before->value;
    attribute->size = before->size;
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

static void take_back_entry(grove__tree *tree, const grove__tree_entry *entry,
                            const grove__tree_before *before)
{
    uint32_t number = entry->number;
    grove__tree_node *nodes = tree->nodes;
    switch (entry->kind) {
    case GROVE__TREE_ENTRY_PLACE:
        take_back_place(tree, number);
        break;
    case GROVE__TREE_ENTRY_NODE:
        take_back_node(tree, number);
        break;
    case GROVE__TREE_ENTRY_ATTRIBUTE:
        take_back_attribute(tree, number);
        break;
    case GROVE__TREE_ENTRY_DELETION:
        grove__tree_set_deleted(tree, number, false);
        nodes[number].deletion = GROVE__TREE_NONE;
        tree->deletion_count--;
        break;
    case GROVE__TREE_ENTRY_MOVE:
        take_back_move(tree, number);
        break;
    case GROVE__TREE_ENTRY_BASE:
        nodes[number].base = before->other;
        break;
    case GROVE__TREE_ENTRY_TYPE:
        nodes[number].type = before->other;
        nodes[number].typed = before->size;
        break;
    case GROVE__TREE_ENTRY_VALUE:
        take_back_value(tree, number, before);
        break;
    case GROVE__TREE_ENTRY_FLAG:
        grove__tree_set_deleted(tree, number, before->other != 0);
        tree->deletions[nodes[number].deletion].stamp = before->stamp;
        break;
    }
}

/* Takes the last bytes off the journal. */
static void take(grove__tree *tree, void *item, size_t bytes)
{
    tree->journal.size -= bytes;
    memcpy(item, tree->journal.data + tree->journal.size, bytes);
}

void grove__tree_take_back(grove__tree *tree, size_t bytes)
{
    tree->arrival_count = 0;
    while (tree->journal.size > bytes) {
        grove__tree_entry entry;
        grove__tree_before before = {{0, 0}, 0, 0, 0};
        take(tree, &entry, sizeof entry);
        if (entry.kind >= GROVE__TREE_ENTRY_BASE) {
            take(tree, &before, sizeof before);
        }
        take_back_entry(tree, &entry, &before);
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
