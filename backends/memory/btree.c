#include "btree.h"

static int compare(grove_bytes a, grove_bytes b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    if (order != 0) {
        return order;
    }
    return (a.size > b.size) - (a.size < b.size);
}

/* How many of the node's keys are before `key`, or at it if `or_at`. Slot 0
 * of an inner node bounds nothing and always counts. */
static size_t count_before(const grove__btree_node *node, grove_bytes key, bool or_at)
{
    size_t low = node->level > 0 ? 1 : 0;
    size_t high = node->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(grove__blob_view(node->slots[middle].key), key);
        if (order < 0 || (order == 0 && or_at)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The child of an inner node in which `key` is or would be. */
static size_t child_of(const grove__btree_node *node, grove_bytes key)
{
    return count_before(node, key, true) - 1;
}

static grove_status new_node(grove__heap *heap, uint32_t level,
                             grove__btree_node **node_out)
{
    void *memory;
    grove_status status = grove__heap_allocate(heap, sizeof(grove__btree_node), &memory);
    if (status != GROVE_OK) {
        return status;
    }
    grove__btree_node *node = memory;
    atomic_init(&node->references.count, 1);
    node->level = level;
    node->count = 0;
    *node_out = node;
    return GROVE_OK;
}

/* Frees a node whose slots have been moved elsewhere. */
static void free_node(grove__heap *heap, grove__btree_node *node)
{
    grove__heap_deallocate(heap, node, sizeof *node);
}

/* Drops a reference, and those of all nodes that go with it. */
static void release_node(grove__heap *heap, grove__btree_node *node)
{
    struct {
        grove__btree_node *node;
        size_t next;
    } way[GROVE__BTREE_LEVELS_MAX];
    size_t depth = 0;
    if (grove__references_drop(&node->references)) {
        way[depth].node = node;
        way[depth++].next = 0;
    }
    while (depth > 0) {
        grove__btree_node *dying = way[depth - 1].node;
        if (way[depth - 1].next == dying->count) {
            free_node(heap, dying);
            depth--;
            continue;
        }
        grove__btree_slot *slot = &dying->slots[way[depth - 1].next++];
        grove__blob_release(heap, slot->key);
        if (dying->level == 0) {
            grove__blob_release(heap, slot->value);
        } else if (grove__references_drop(&slot->child->references)) {
            way[depth].node = slot->child;
            way[depth++].next = 0;
        }
    }
}

/* Makes the node at `place` the caller's alone (T5), by a copy if needed. */
static grove_status own_node(grove__heap *heap, grove__btree_node **place)
{
    grove__btree_node *node = *place;
    if (grove__references_is_one(&node->references)) {
        return GROVE_OK;
    }
    grove__btree_node *copy;
    grove_status status = new_node(heap, node->level, &copy);
    if (status != GROVE_OK) {
        return status;
    }
    for (size_t index = 0; index < node->count; index++) {
        copy->slots[index] = node->slots[index];
        if (copy->slots[index].key != NULL) {
            (void)grove__blob_share(copy->slots[index].key);
        }
        if (node->level == 0) {
            (void)grove__blob_share(copy->slots[index].value);
        } else {
            grove__references_add(&copy->slots[index].child->references);
        }
    }
    copy->count = node->count;
    *place = copy;
    release_node(heap, node);
    return GROVE_OK;
}

static void insert_slot(grove__btree_node *node, size_t index, grove__btree_slot slot)
{
    memmove(&node->slots[index + 1], &node->slots[index],
            (node->count - index) * sizeof *node->slots);
    node->slots[index] = slot;
    node->count++;
}

static void delete_slot(grove__btree_node *node, size_t index)
{
    node->count--;
    memmove(&node->slots[index], &node->slots[index + 1],
            (node->count - index) * sizeof *node->slots);
}

/* What the parent calls a node that has just got its first slot (T4). */
static grove__blob *separator_of(grove__btree_node *node)
{
    grove__blob *key = node->slots[0].key;
    if (node->level == 0) {
        return grove__blob_share(key);
    }
    node->slots[0].key = NULL;
    return key;
}

/* Splits child `index`, which is full and owned, of a parent with room. */
static grove_status split_child(grove__heap *heap, grove__btree_node *parent,
                                size_t index)
{
    grove__btree_node *left = parent->slots[index].child;
    grove__btree_node *right;
    grove_status status = new_node(heap, left->level, &right);
    if (status != GROVE_OK) {
        return status;
    }
    right->count = left->count - GROVE__BTREE_SLOTS_MIN;
    left->count = GROVE__BTREE_SLOTS_MIN;
    memcpy(right->slots, &left->slots[left->count], right->count * sizeof *right->slots);
    grove__btree_slot slot = {.key = separator_of(right), .child = right};
    insert_slot(parent, index + 1, slot);
    return GROVE_OK;
}

/* Puts a new root above a full one and splits that. */
static grove_status grow_root(grove__heap *heap, grove__btree *tree)
{
    grove__btree_node *root;
    grove_status status = new_node(heap, tree->root->level + 1, &root);
    if (status != GROVE_OK) {
        return status;
    }
    root->slots[0].key = NULL;
    root->slots[0].child = tree->root;
    root->count = 1;
    status = split_child(heap, root, 0);
    if (status != GROVE_OK) {
        free_node(heap, root);
        return status;
    }
    tree->root = root;
    return GROVE_OK;
}

/* The leaf where `key` belongs, owned and with room for one more. Full nodes
 * are split on the way down, so that a parent always has room. */
static grove_status make_room(grove__heap *heap, grove__btree *tree, grove_bytes key,
                              grove__btree_node **leaf_out)
{
    grove_status status =
        tree->root == NULL ? new_node(heap, 0, &tree->root) : own_node(heap, &tree->root);
    if (status == GROVE_OK && tree->root->count == GROVE__BTREE_SLOTS_MAX) {
        status = grow_root(heap, tree);
    }
    grove__btree_node *node = tree->root;
    while (status == GROVE_OK && node->level > 0) {
        size_t index = child_of(node, key);
        status = own_node(heap, &node->slots[index].child);
        if (status == GROVE_OK &&
            node->slots[index].child->count == GROVE__BTREE_SLOTS_MAX) {
            status = split_child(heap, node, index);
            index = child_of(node, key);
        }
        node = node->slots[index].child;
    }
    if (status == GROVE_OK) {
        *leaf_out = node;
    }
    return status;
}

static bool is_at(const grove__btree_node *leaf, size_t index, grove_bytes key)
{
    return index < leaf->count &&
           compare(grove__blob_view(leaf->slots[index].key), key) == 0;
}

grove_status grove__btree_put(grove__heap *heap, grove__btree *tree, grove_bytes key,
                              size_t size, grove__blob **value_out)
{
    grove__btree_slot slot = {.key = NULL, .value = NULL};
    grove__btree_node *leaf;
    grove_status status = make_room(heap, tree, key, &leaf);
    if (status == GROVE_OK) {
        status = grove__blob_new(heap, size, &slot.value);
    }
    if (status != GROVE_OK) {
        goto out;
    }
    size_t index = count_before(leaf, key, false);
    if (is_at(leaf, index, key)) {
        grove__blob_release(heap, leaf->slots[index].value);
        leaf->slots[index].value = slot.value;
        *value_out = slot.value;
        return GROVE_OK;
    }
    status = grove__blob_new(heap, key.size, &slot.key);
    if (status != GROVE_OK) {
        goto out;
    }
    memcpy(slot.key->bytes, key.data, key.size);
    insert_slot(leaf, index, slot);
    tree->entries++;
    *value_out = slot.value;
    return GROVE_OK;

out:
    grove__blob_release(heap, slot.value);
    if (tree->root != NULL && tree->root->count == 0) {
        grove__btree_release(heap, tree);
    }
    return status;
}

/*
 * Gives child `index`, which has no slot to spare, one from a neighbour; or
 * makes one child of both where they fit together. Both are owned afterwards.
 */
static grove_status fill_child(grove__heap *heap, grove__btree_node *parent, size_t index)
{
    size_t at = index > 0 ? index - 1 : index;
    grove_status status = own_node(heap, &parent->slots[at].child);
    if (status == GROVE_OK) {
        status = own_node(heap, &parent->slots[at + 1].child);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove__btree_node *left = parent->slots[at].child;
    grove__btree_node *right = parent->slots[at + 1].child;

    /* The separator comes down between the two, or is a copy to drop. */
    if (left->level > 0) {
        right->slots[0].key = parent->slots[at + 1].key;
    } else {
        grove__blob_release(heap, parent->slots[at + 1].key);
    }
    grove__btree_slot both[2 * GROVE__BTREE_SLOTS_MAX];
    size_t count = left->count + right->count;
    memcpy(both, left->slots, left->count * sizeof *both);
    memcpy(both + left->count, right->slots, right->count * sizeof *both);

    if (count <= GROVE__BTREE_SLOTS_MAX) {
        memcpy(left->slots, both, count * sizeof *both);
        left->count = count;
        free_node(heap, right);
        delete_slot(parent, at + 1);
        return GROVE_OK;
    }
    /* The poor one gets the larger half. */
    left->count = at == index ? count - count / 2 : count / 2;
    right->count = count - left->count;
    memcpy(left->slots, both, left->count * sizeof *both);
    memcpy(right->slots, both + left->count, right->count * sizeof *both);
    parent->slots[at + 1].key = separator_of(right);
    return GROVE_OK;
}

/* Takes away a root that only leads to one child, or that is empty. */
static void shrink_root(grove__heap *heap, grove__btree *tree)
{
    grove__btree_node *root = tree->root;
    if (root->count == 0) {
        tree->root = NULL;
        free_node(heap, root);
    } else if (root->level > 0 && root->count == 1) {
        tree->root = root->slots[0].child;
        free_node(heap, root);
    }
}

grove_status grove__btree_remove(grove__heap *heap, grove__btree *tree, grove_bytes key)
{
    if (grove__btree_get(tree, key) == NULL) {
        return GROVE_NONE;
    }
    grove_status status = own_node(heap, &tree->root);
    grove__btree_node *node = tree->root;
    while (status == GROVE_OK && node->level > 0) {
        size_t index = child_of(node, key);
        status = own_node(heap, &node->slots[index].child);
        if (status == GROVE_OK &&
            node->slots[index].child->count == GROVE__BTREE_SLOTS_MIN) {
            status = fill_child(heap, node, index);
            index = child_of(node, key);
        }
        node = node->slots[index].child;
    }
    if (status == GROVE_OK) {
        size_t index = count_before(node, key, false);
        grove__blob_release(heap, node->slots[index].key);
        grove__blob_release(heap, node->slots[index].value);
        delete_slot(node, index);
        tree->entries--;
    }
    shrink_root(heap, tree);
    return status;
}

grove__btree grove__btree_share(const grove__btree *tree)
{
    if (tree->root != NULL) {
        grove__references_add(&tree->root->references);
    }
    return *tree;
}

void grove__btree_release(grove__heap *heap, grove__btree *tree)
{
    if (tree->root != NULL) {
        release_node(heap, tree->root);
    }
    tree->root = NULL;
    tree->entries = 0;
}

grove__blob *grove__btree_get(const grove__btree *tree, grove_bytes key)
{
    const grove__btree_slot *slot =
        grove__btree_find(tree, GROVE__BTREE_FIRST_AT_OR_AFTER, key);
    if (slot == NULL || compare(grove__blob_view(slot->key), key) != 0) {
        return NULL;
    }
    return slot->value;
}

const grove__btree_slot *grove__btree_find(const grove__btree *tree,
                                           grove__btree_seek seek, grove_bytes key)
{
    bool forward =
        seek == GROVE__BTREE_FIRST_AT_OR_AFTER || seek == GROVE__BTREE_FIRST_AFTER;
    const grove__btree_node *node = tree->root;
    /* The nearest subtree on the side that is searched: it has the answer
     * when the leaf where `key` belongs has none. */
    const grove__btree_node *beside = NULL;
    if (node == NULL) {
        return NULL;
    }
    while (node->level > 0) {
        size_t index = seek == GROVE__BTREE_LAST ? node->count - 1 : child_of(node, key);
        if (forward && index + 1 < node->count) {
            beside = node->slots[index + 1].child;
        } else if (!forward && index > 0) {
            beside = node->slots[index - 1].child;
        }
        node = node->slots[index].child;
    }
    size_t before = seek == GROVE__BTREE_LAST
                        ? node->count
                        : count_before(node, key, seek == GROVE__BTREE_FIRST_AFTER);
    if (forward && before < node->count) {
        return &node->slots[before];
    }
    if (!forward && before > 0) {
        return &node->slots[before - 1];
    }
    while (beside != NULL && beside->level > 0) {
        beside = beside->slots[forward ? 0 : beside->count - 1].child;
    }
    if (beside == NULL) {
        return NULL;
    }
    return &beside->slots[forward ? 0 : beside->count - 1];
}
