/* Reading a rope, and checking that it is one. */
#include "text/rope.h"

#include "base/assert.h"
#include "base/utf8.h"

void grove__rope_chunks_init(grove__rope_chunks *chunks, const grove__rope *rope,
                             uint64_t position)
{
    GROVE_ASSERT(position <= rope->points);
    chunks->rope = rope;
    chunks->is_done = position == rope->points;
    if (chunks->is_done) {
        return;
    }
    grove__rope_child child = rope->root;
    for (size_t level = 0; level < rope->height; level++) {
        size_t index = 0;
        while (position >= child.node->points[index]) {
            position -= child.node->points[index++];
        }
        chunks->steps[level] = (grove__rope_step){child.node, index};
        child = child.node->children[index];
    }
    chunks->skip = position;
}

/* Goes on to the next leaf. */
static void next_leaf(grove__rope_chunks *chunks)
{
    size_t height = chunks->rope->height;
    size_t level = height;
    while (level > 0 &&
           chunks->steps[level - 1].index + 1 == chunks->steps[level - 1].node->count) {
        level--;
    }
    chunks->is_done = level == 0;
    if (chunks->is_done) {
        return;
    }
    grove__rope_step *step = &chunks->steps[level - 1];
    step->index++;
    for (; level < height; level++) {
        step = &chunks->steps[level - 1];
        chunks->steps[level] =
            (grove__rope_step){step->node->children[step->index].node, 0};
    }
}

bool grove__rope_chunks_next(grove__rope_chunks *chunks, grove__rope_chunk *chunk_out)
{
    if (chunks->is_done) {
        return false;
    }
    const grove__rope *rope = chunks->rope;
    grove_bytes leaf = {rope->root.leaf, (size_t)rope->bytes};
    uint64_t points = rope->points;
    if (rope->height > 0) {
        const grove__rope_step *step = &chunks->steps[rope->height - 1];
        leaf.data = step->node->children[step->index].leaf;
        leaf.size = (size_t)step->node->bytes[step->index];
        points = step->node->points[step->index];
    }
    size_t skip = (size_t)chunks->skip;
    if (skip > 0 && points != leaf.size) {
        skip = grove__utf8_offset(leaf, skip);
    }
    chunk_out->utf8.data = leaf.data + skip;
    chunk_out->utf8.size = leaf.size - skip;
    chunk_out->points = points - chunks->skip;
    chunks->skip = 0;
    next_leaf(chunks);
    return true;
}

size_t grove__rope_read(const grove__rope *rope, uint64_t position, uint64_t count,
                        uint8_t *buffer, size_t capacity, uint64_t *points_out)
{
    grove__rope_chunks chunks;
    grove__rope_chunk chunk;
    size_t bytes = 0;
    uint64_t points = 0;
    grove__rope_chunks_init(&chunks, rope, position);
    while (points < count && grove__rope_chunks_next(&chunks, &chunk)) {
        grove_bytes taken = chunk.utf8;
        if (chunk.points > count - points) {
            taken.size = grove__utf8_offset(taken, (size_t)(count - points));
        }
        if (taken.size > capacity - bytes) {
            taken.size = grove__utf8_border(taken, capacity - bytes);
        }
        if (taken.size > 0) {
            memcpy(buffer + bytes, taken.data, taken.size);
        }
        bytes += taken.size;
        if (taken.size < chunk.utf8.size) {
            points += grove__utf8_count(taken);
            break;
        }
        points += chunk.points;
    }
    *points_out = points;
    return bytes;
}

/* The leaf below the last of `steps`, or the root. */
static grove__rope_child child_at(const grove__rope *rope, const grove__rope_step *steps,
                                  size_t depth)
{
    return depth == 0 ? rope->root
                      : steps[depth - 1].node->children[steps[depth - 1].index];
}

static const char *check_leaf(grove_bytes leaf, uint64_t points, bool is_root)
{
    size_t counted = 0;
    size_t offset = 0;
    if (leaf.size > GROVE__ROPE_LEAF_BYTES) {
        return "a leaf has too many bytes";
    }
    if (!is_root && leaf.size < GROVE__ROPE_LEAF_BYTES_MIN) {
        return "a leaf has too few bytes";
    }
    if (!grove__utf8_check(leaf, &counted, &offset)) {
        return "a leaf is not UTF-8";
    }
    return counted == points ? NULL : "a leaf has another number of code points";
}

static const char *check_node(const grove__rope_node *node, uint64_t points,
                              uint64_t bytes, bool is_root)
{
    if (node->count > GROVE__ROPE_NODE_CHILDREN) {
        return "a node has too many children";
    }
    if (node->count < (is_root ? 2 : GROVE__ROPE_NODE_CHILDREN_MIN)) {
        return "a node has too few children";
    }
    for (size_t index = 0; index < node->count; index++) {
        points -= node->points[index];
        bytes -= node->bytes[index];
    }
    return points == 0 && bytes == 0 ? NULL : "a node's sums are not its children's";
}

/* Checks the place against the leaf that the tree has there. */
static const char *check_place(const grove__rope *rope)
{
    const grove__rope_place *place = &rope->place;
    if (!place->is_set) {
        return NULL;
    }
    uint64_t start = 0;
    uint64_t points = rope->points;
    uint64_t bytes = rope->bytes;
    for (size_t level = 0; level < rope->height; level++) {
        grove__rope_step step = place->steps[level];
        if (step.node != child_at(rope, place->steps, level).node ||
            step.index >= step.node->count) {
            return "the way to the place is not in the tree";
        }
        for (size_t index = 0; index < step.index; index++) {
            start += step.node->points[index];
        }
        points = step.node->points[step.index];
        bytes = step.node->bytes[step.index];
    }
    if (place->leaf != child_at(rope, place->steps, rope->height).leaf) {
        return "the place has another leaf";
    }
    if (place->start != start || place->leaf_points != points ||
        place->leaf_bytes != bytes) {
        return "the place has other sums";
    }
    grove_bytes before = {place->leaf, place->byte};
    if (place->byte > place->leaf_bytes || grove__utf8_count(before) != place->point) {
        return "the place's offsets do not belong together";
    }
    return NULL;
}

/* Checks the child at the end of `steps`; nodes are walked by the caller. */
static const char *check_child(const grove__rope *rope, const grove__rope_step *steps,
                               size_t depth)
{
    uint64_t points = rope->points;
    uint64_t bytes = rope->bytes;
    if (depth > 0) {
        points = steps[depth - 1].node->points[steps[depth - 1].index];
        bytes = steps[depth - 1].node->bytes[steps[depth - 1].index];
    }
    grove__rope_child child = child_at(rope, steps, depth);
    if (depth < rope->height) {
        return check_node(child.node, points, bytes, depth == 0);
    }
    if (child.leaf == NULL) {
        return rope->height == 0 && bytes == 0 && points == 0 ? NULL
                                                              : "a leaf is missing";
    }
    grove_bytes leaf = {child.leaf, (size_t)bytes};
    return check_leaf(leaf, points, depth == 0);
}

const char *grove__rope_check(const grove__rope *rope)
{
    grove__rope_step steps[GROVE__ROPE_HEIGHT_MAX];
    size_t depth = 0;
    if (rope->height > GROVE__ROPE_HEIGHT_MAX) {
        return "the rope is too high";
    }
    for (;;) {
        const char *fault = check_child(rope, steps, depth);
        if (fault != NULL) {
            return fault;
        }
        if (depth < rope->height) {
            steps[depth] = (grove__rope_step){child_at(rope, steps, depth).node, 0};
            depth++;
            continue;
        }
        while (depth > 0 && steps[depth - 1].index + 1 == steps[depth - 1].node->count) {
            depth--;
        }
        if (depth == 0) {
            return check_place(rope);
        }
        steps[depth - 1].index++;
    }
}
