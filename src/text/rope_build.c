/* Building a rope from a whole text, from the leaves up. */
#include "text/rope.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/utf8.h"

enum {
    LEAF = GROVE__ROPE_LEAF_BYTES,
    /* Bytes of a built leaf at most, before its ends move to the borders of
     * code points: some typing fits before the leaf splits. */
    LEAF_FILLED = LEAF - LEAF / 8 - 2,
    CHILDREN = GROVE__ROPE_NODE_CHILDREN,
    HEIGHT_MAX = GROVE__ROPE_HEIGHT_MAX
};

/*
 * The nodes along the right edge while leaves are appended: on each level one
 * that is not finished, from the bottom up. `left` children are still to come
 * on a level, `nodes_left` nodes for them, so that they can be shared out
 * evenly.
 */
struct level {
    grove__rope_node *node;
    uint64_t children_left;
    uint64_t nodes_left;
};

struct builder {
    const grove_allocator *allocator;
    size_t height;
    struct level levels[HEIGHT_MAX];
};

static uint64_t divide_up(uint64_t number, uint64_t by)
{
    return number / by + (number % by != 0);
}

/* Plans how many nodes each level has for so many leaves. */
static void plan_levels(struct builder *builder, uint64_t leaves)
{
    builder->height = 0;
    uint64_t children = leaves;
    while (children > 1) {
        GROVE_ASSERT(builder->height < HEIGHT_MAX);
        uint64_t nodes = divide_up(children, CHILDREN);
        builder->levels[builder->height++] = (struct level){NULL, children, nodes};
        children = nodes;
    }
}

/* Appends a child to the unfinished node of its level. */
static void append_child(struct level *level, grove__rope_child child, uint64_t points,
                         uint64_t bytes)
{
    grove__rope_node *node = level->node;
    GROVE_ASSERT(node != NULL && node->count < CHILDREN);
    node->points[node->count] = points;
    node->bytes[node->count] = bytes;
    node->children[node->count] = child;
    node->count++;
}

/* Begins a node on every level from `from` up that has none. */
static bool begin_nodes(struct builder *builder, size_t from)
{
    for (size_t at = from; at < builder->height; at++) {
        struct level *level = &builder->levels[at];
        if (level->node != NULL) {
            break;
        }
        level->node = grove__allocate(builder->allocator, sizeof *level->node);
        if (level->node == NULL) {
            return false;
        }
        level->node->count = 0;
    }
    return true;
}

/* Hands each node that has its share of children to the level above; the last
 * node of all is the root and stays. */
static void finish_nodes(struct builder *builder)
{
    for (size_t at = 0; at + 1 < builder->height; at++) {
        struct level *level = &builder->levels[at];
        if (level->node->count < divide_up(level->children_left, level->nodes_left)) {
            break;
        }
        uint64_t points = 0;
        uint64_t bytes = 0;
        for (size_t index = 0; index < level->node->count; index++) {
            points += level->node->points[index];
            bytes += level->node->bytes[index];
        }
        grove__rope_child child = {.node = level->node};
        append_child(&builder->levels[at + 1], child, points, bytes);
        level->children_left -= level->node->count;
        level->nodes_left--;
        level->node = NULL;
    }
}

/* Frees what hangs below the unfinished nodes, and these. */
static void abandon(struct builder *builder)
{
    for (size_t at = 0; at < builder->height; at++) {
        if (builder->levels[at].node != NULL) {
            grove__rope_child child = {.node = builder->levels[at].node};
            grove__rope_tree_free(builder->allocator, child, at + 1);
        }
    }
}

/* A leaf with a copy of the text, hung into the tree. */
static bool add_leaf(struct builder *builder, grove_bytes utf8, uint64_t points)
{
    if (!begin_nodes(builder, 0)) {
        return false;
    }
    grove__rope_child child = {.leaf = grove__allocate(builder->allocator, LEAF)};
    if (child.leaf == NULL) {
        return false;
    }
    memcpy(child.leaf, utf8.data, utf8.size);
    append_child(&builder->levels[0], child, points, utf8.size);
    finish_nodes(builder);
    return true;
}

/* Cuts the text into `leaves` of about the same size. */
static bool add_leaves(struct builder *builder, grove_bytes utf8, uint64_t points,
                       size_t leaves)
{
    bool is_ascii = points == utf8.size;
    size_t each = utf8.size / leaves;
    size_t longer = utf8.size % leaves;
    size_t from = 0;
    size_t end = 0;
    for (size_t index = 0; index < leaves; index++) {
        end += each + (index < longer);
        size_t to = is_ascii ? end : grove__utf8_border(utf8, end);
        grove_bytes leaf = {utf8.data + from, to - from};
        if (!add_leaf(builder, leaf, is_ascii ? leaf.size : grove__utf8_count(leaf))) {
            return false;
        }
        from = to;
    }
    return true;
}

grove_status grove__rope_build(grove__rope *rope, grove_bytes utf8, uint64_t points)
{
    GROVE_ASSERT(rope->root.leaf == NULL);
    if (utf8.size <= LEAF) {
        return grove__rope_insert(rope, 0, utf8, points);
    }
    size_t leaves = (size_t)divide_up(utf8.size, LEAF_FILLED);
    struct builder builder = {.allocator = rope->allocator};
    plan_levels(&builder, leaves);
    GROVE_ASSERT(builder.height > 0);
    if (!add_leaves(&builder, utf8, points, leaves)) {
        abandon(&builder);
        return GROVE_NO_MEMORY;
    }
    rope->root.node = builder.levels[builder.height - 1].node;
    rope->height = builder.height;
    rope->points = points;
    rope->bytes = utf8.size;
    return GROVE_OK;
}
