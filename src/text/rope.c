#include "text/rope.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/utf8.h"

enum {
    LEAF = GROVE__ROPE_LEAF_BYTES,
    LEAF_MIN = GROVE__ROPE_LEAF_BYTES_MIN,
    /* Leaves that a deletion left small join when both fit into this much;
     * less than a leaf, so that the next insertion does not part them. */
    LEAF_JOINED_MAX = LEAF - LEAF / 4,
    /* Longer texts are inserted in pieces. Leaf and piece make two leaves. */
    PIECE = LEAF / 2,
    CHILDREN = GROVE__ROPE_NODE_CHILDREN,
    CHILDREN_MIN = GROVE__ROPE_NODE_CHILDREN_MIN,
    HEIGHT_MAX = GROVE__ROPE_HEIGHT_MAX,
    /* A code point has up to so many bytes after its first. */
    TRAIL = GROVE__UTF8_BYTES_MAX - 1,
    /* Going back so few code points is cheaper than counting from the left. */
    STEPS_BACK_MAX = 16
};

/* A child together with its sums. */
struct entry {
    uint64_t points;
    uint64_t bytes;
    grove__rope_child child;
};

/* A piece of text to insert. */
struct piece {
    const uint8_t *utf8;
    size_t bytes;
    size_t points;
};

/* The memory that a split may need, taken before anything changes. */
struct spare {
    uint8_t *leaf;
    size_t node_count;
    grove__rope_node *nodes[HEIGHT_MAX];
};

void grove__rope_init(grove__rope *rope, const grove_allocator *allocator)
{
    rope->allocator = allocator;
    rope->root.leaf = NULL;
    rope->height = 0;
    rope->points = 0;
    rope->bytes = 0;
    rope->place.is_set = false;
}

void grove__rope_tree_free(const grove_allocator *allocator, grove__rope_child root,
                           size_t height)
{
    if (height == 0) {
        grove__deallocate(allocator, root.leaf, LEAF);
        return;
    }
    grove__rope_step steps[HEIGHT_MAX];
    steps[0] = (grove__rope_step){root.node, 0};
    size_t depth = 1;
    while (depth > 0) {
        grove__rope_step *step = &steps[depth - 1];
        if (step->index == step->node->count) {
            grove__deallocate(allocator, step->node, sizeof *step->node);
            depth--;
        } else if (depth < height) {
            steps[depth++] =
                (grove__rope_step){step->node->children[step->index++].node, 0};
        } else {
            grove__deallocate(allocator, step->node->children[step->index++].leaf, LEAF);
        }
    }
}

void grove__rope_release(grove__rope *rope)
{
    grove__rope_tree_free(rope->allocator, rope->root, rope->height);
    grove__rope_init(rope, rope->allocator);
}

/*
 * Makes `place` a leaf that holds `position`. Between two leaves that is the
 * left one, or with `after` 1 the one with the code point at `position`.
 */
static void seek(grove__rope *rope, uint64_t position, uint64_t after)
{
    grove__rope_place *place = &rope->place;
    if (place->is_set && position >= place->start &&
        position - place->start + after <= place->leaf_points) {
        return;
    }
    grove__rope_child child = rope->root;
    uint64_t points = rope->points;
    uint64_t bytes = rope->bytes;
    uint64_t left = position + after;
    for (size_t level = 0; level < rope->height; level++) {
        grove__rope_node *node = child.node;
        size_t index = 0;
        while (left > node->points[index]) {
            left -= node->points[index++];
        }
        place->steps[level] = (grove__rope_step){node, index};
        points = node->points[index];
        bytes = node->bytes[index];
        child = node->children[index];
    }
    place->is_set = true;
    place->leaf = child.leaf;
    place->start = position - (left - after);
    place->leaf_points = (size_t)points;
    place->leaf_bytes = (size_t)bytes;
    place->point = 0;
    place->byte = 0;
}

/* Moves the place's pair of offsets to code point `point` of the leaf and
 * returns it in bytes. */
static size_t move_to(grove__rope_place *place, size_t point)
{
    if (place->leaf_points == place->leaf_bytes) {
        place->byte = point;
    } else if (point == place->leaf_points) {
        place->byte = place->leaf_bytes;
    } else if (point >= place->point) {
        grove_bytes rest = {place->leaf + place->byte, place->leaf_bytes - place->byte};
        place->byte += grove__utf8_offset(rest, point - place->point);
    } else if (place->point - point <= STEPS_BACK_MAX) {
        for (size_t steps = place->point - point; steps > 0 && place->byte > 0; steps--) {
            do {
                place->byte--;
            } while (place->byte > 0 && grove__utf8_continues(place->leaf[place->byte]));
        }
    } else {
        grove_bytes all = {place->leaf, place->leaf_bytes};
        place->byte = grove__utf8_offset(all, point);
    }
    place->point = point;
    return place->byte;
}

/* Adds to the sums of the place's leaf and of all above it. What is taken
 * away comes as a difference below zero, modulo 2^64. */
static void add_sums(grove__rope *rope, uint64_t points, uint64_t bytes)
{
    grove__rope_place *place = &rope->place;
    place->leaf_points += (size_t)points;
    place->leaf_bytes += (size_t)bytes;
    for (size_t level = 0; level < rope->height; level++) {
        grove__rope_step step = place->steps[level];
        step.node->points[step.index] += points;
        step.node->bytes[step.index] += bytes;
    }
    rope->points += points;
    rope->bytes += bytes;
}

/* Opens or closes a gap: moves the children from `from` on to `to`. */
static void shift_children(grove__rope_node *node, size_t from, size_t to)
{
    size_t count = node->count - from;
    memmove(node->points + to, node->points + from, count * sizeof *node->points);
    memmove(node->bytes + to, node->bytes + from, count * sizeof *node->bytes);
    memmove(node->children + to, node->children + from, count * sizeof *node->children);
    node->count = to + count;
}

static void put_child(grove__rope_node *node, size_t index, struct entry child)
{
    GROVE_ASSERT(node->count < CHILDREN);
    shift_children(node, index, index + 1);
    node->points[index] = child.points;
    node->bytes[index] = child.bytes;
    node->children[index] = child.child;
}

/* Appends `count` children of one node, from `from` on, to another. */
static void append_children(grove__rope_node *to, const grove__rope_node *node,
                            size_t from, size_t count)
{
    size_t at = to->count;
    memcpy(to->points + at, node->points + from, count * sizeof *node->points);
    memcpy(to->bytes + at, node->bytes + from, count * sizeof *node->bytes);
    memcpy(to->children + at, node->children + from, count * sizeof *node->children);
    to->count = at + count;
}

static struct entry entry_of(grove__rope_node *node)
{
    struct entry sum = {0, 0, {.node = node}};
    for (size_t index = 0; index < node->count; index++) {
        sum.points += node->points[index];
        sum.bytes += node->bytes[index];
    }
    return sum;
}

/* Moves the right half of a full node to `fresh`, puts `child` where it then
 * belongs, and returns the new node. */
static struct entry split_node(grove__rope_node *node, grove__rope_node *fresh,
                               size_t index, struct entry child)
{
    const size_t half = CHILDREN / 2;
    fresh->count = 0;
    append_children(fresh, node, half, CHILDREN - half);
    node->count = half;
    if (index <= half) {
        put_child(node, index, child);
    } else {
        put_child(fresh, index - half, child);
    }
    return entry_of(fresh);
}

static grove__rope_node *take_node(struct spare *spare)
{
    GROVE_ASSERT(spare->node_count > 0);
    grove__rope_node *node = spare->nodes[--spare->node_count];
    GROVE_ASSERT(node != NULL);
    return node;
}

/*
 * Hangs `right` into the tree directly after the place's leaf, which held its
 * text until now, with as many nodes split as are full.
 */
static void put_right(grove__rope *rope, struct spare *spare, struct entry right)
{
    for (size_t level = rope->height; level > 0; level--) {
        grove__rope_step step = rope->place.steps[level - 1];
        step.node->points[step.index] -= right.points;
        step.node->bytes[step.index] -= right.bytes;
        if (step.node->count < CHILDREN) {
            put_child(step.node, step.index + 1, right);
            return;
        }
        right = split_node(step.node, take_node(spare), step.index + 1, right);
    }
    grove__rope_node *root = take_node(spare);
    struct entry left = {rope->points - right.points, rope->bytes - right.bytes,
                         rope->root};
    root->count = 0;
    put_child(root, 0, left);
    put_child(root, 1, right);
    rope->root.node = root;
    rope->height++;
}

/* Takes a leaf, a node for each full one above the place's leaf, and one for
 * a new root if all are. False: there is no memory, and none was taken. */
static bool take_spare(const grove__rope *rope, struct spare *spare)
{
    spare->leaf = grove__allocate(rope->allocator, LEAF);
    if (spare->leaf == NULL) {
        return false;
    }
    size_t full = 0;
    while (full < rope->height &&
           rope->place.steps[rope->height - 1 - full].node->count == CHILDREN) {
        full++;
    }
    size_t needed = full == rope->height ? full + 1 : full;
    GROVE_ASSERT(needed <= HEIGHT_MAX);
    while (spare->node_count < needed) {
        grove__rope_node *node =
            grove__allocate(rope->allocator, sizeof(grove__rope_node));
        if (node == NULL) {
            break;
        }
        spare->nodes[spare->node_count++] = node;
    }
    if (spare->node_count == needed) {
        return true;
    }
    while (spare->node_count > 0) {
        grove__deallocate(rope->allocator, spare->nodes[--spare->node_count],
                          sizeof(grove__rope_node));
    }
    grove__deallocate(rope->allocator, spare->leaf, LEAF);
    return false;
}

static size_t count_points(const uint8_t *utf8, size_t bytes, bool is_ascii)
{
    grove_bytes text = {utf8, bytes};
    return is_ascii ? bytes : grove__utf8_count(text);
}

/*
 * Where to cut `total` bytes, more than a leaf holds, into two leaves: at
 * `wanted`, the end of what was inserted, as far as both halves may be. Typing
 * goes on at the end of the left leaf then, and leaves full leaves behind.
 */
static size_t choose_cut(grove_bytes joined, size_t wanted)
{
    size_t total = joined.size;
    size_t least = (total - LEAF > LEAF_MIN ? total - LEAF : LEAF_MIN) + TRAIL;
    size_t most = total - LEAF_MIN < LEAF ? total - LEAF_MIN : LEAF;
    size_t cut = wanted < least ? least : wanted > most ? most : wanted;
    return grove__utf8_border(joined, cut);
}

/* Inserts into the place's leaf, which has no room for all, at `byte`. */
static grove_status insert_splitting(grove__rope *rope, size_t byte, struct piece piece)
{
    grove__rope_place *place = &rope->place;
    struct spare spare = {.leaf = NULL, .node_count = 0};
    if (!take_spare(rope, &spare)) {
        return GROVE_NO_MEMORY;
    }
    uint8_t joined[LEAF + PIECE];
    size_t total = place->leaf_bytes + piece.bytes;
    memcpy(joined, place->leaf, byte);
    memcpy(joined + byte, piece.utf8, piece.bytes);
    memcpy(joined + byte + piece.bytes, place->leaf + byte, place->leaf_bytes - byte);
    add_sums(rope, piece.points, piece.bytes);

    size_t cut = choose_cut((grove_bytes){joined, total}, byte + piece.bytes);
    bool is_ascii = place->leaf_points == place->leaf_bytes;
    struct entry right = {count_points(joined + cut, total - cut, is_ascii),
                          total - cut,
                          {.leaf = spare.leaf}};
    memcpy(place->leaf, joined, cut);
    memcpy(spare.leaf, joined + cut, total - cut);
    put_right(rope, &spare, right);
    GROVE_ASSERT(spare.node_count == 0);
    place->is_set = false;
    return GROVE_OK;
}

static grove_status insert_piece(grove__rope *rope, uint64_t position, struct piece piece)
{
    grove__rope_place *place = &rope->place;
    seek(rope, position, 0);
    size_t byte = move_to(place, (size_t)(position - place->start));
    if (piece.bytes > LEAF - place->leaf_bytes) {
        return insert_splitting(rope, byte, piece);
    }
    uint8_t *at = place->leaf + byte;
    memmove(at + piece.bytes, at, place->leaf_bytes - byte);
    memcpy(at, piece.utf8, piece.bytes);
    add_sums(rope, piece.points, piece.bytes);
    place->point += piece.points;
    place->byte += piece.bytes;
    return GROVE_OK;
}

/* Inserts a text longer than a piece. */
static grove_status insert_pieces(grove__rope *rope, uint64_t position, grove_bytes utf8,
                                  uint64_t points)
{
    bool is_ascii = points == utf8.size;
    size_t bytes_done = 0;
    uint64_t points_done = 0;
    while (bytes_done < utf8.size) {
        struct piece next = {utf8.data + bytes_done, utf8.size - bytes_done, 0};
        if (next.bytes > PIECE) {
            next.bytes = grove__utf8_border((grove_bytes){next.utf8, next.bytes}, PIECE);
        }
        next.points = count_points(next.utf8, next.bytes, is_ascii);
        grove_status status = insert_piece(rope, position + points_done, next);
        if (status != GROVE_OK) {
            grove__rope_delete(rope, position, points_done);
            return status;
        }
        bytes_done += next.bytes;
        points_done += next.points;
    }
    return GROVE_OK;
}

grove_status grove__rope_insert(grove__rope *rope, uint64_t position, grove_bytes utf8,
                                uint64_t points)
{
    GROVE_ASSERT(position <= rope->points);
    if (utf8.size == 0) {
        return GROVE_OK;
    }
    if (rope->root.leaf == NULL) {
        rope->root.leaf = grove__allocate(rope->allocator, LEAF);
        if (rope->root.leaf == NULL) {
            return GROVE_NO_MEMORY;
        }
    }
    if (utf8.size > PIECE) {
        return insert_pieces(rope, position, utf8, points);
    }
    struct piece whole = {utf8.data, utf8.size, (size_t)points};
    return insert_piece(rope, position, whole);
}

/* Joins two neighbouring leaves, of which the left has room for both. */
static void join_leaves(grove__rope *rope, grove__rope_node *node, size_t left)
{
    size_t right = left + 1;
    memcpy(node->children[left].leaf + node->bytes[left], node->children[right].leaf,
           (size_t)node->bytes[right]);
    node->points[left] += node->points[right];
    node->bytes[left] += node->bytes[right];
    grove__deallocate(rope->allocator, node->children[right].leaf, LEAF);
    shift_children(node, right + 1, right);
}

/* Gives two neighbouring leaves about the same number of bytes. */
static void share_leaves(grove__rope_node *node, size_t left)
{
    size_t right = left + 1;
    size_t left_bytes = (size_t)node->bytes[left];
    size_t right_bytes = (size_t)node->bytes[right];
    size_t total = left_bytes + right_bytes;
    uint64_t points = node->points[left] + node->points[right];
    uint8_t joined[2 * LEAF];
    memcpy(joined, node->children[left].leaf, left_bytes);
    memcpy(joined + left_bytes, node->children[right].leaf, right_bytes);

    size_t cut = grove__utf8_border((grove_bytes){joined, total}, total / 2);
    memcpy(node->children[left].leaf, joined, cut);
    memcpy(node->children[right].leaf, joined + cut, total - cut);
    node->points[left] = count_points(joined, cut, points == total);
    node->bytes[left] = cut;
    node->points[right] = points - node->points[left];
    node->bytes[right] = total - cut;
}

/* The neighbour of a child that has fewer bytes; every node has two. */
static size_t smaller_neighbour(const grove__rope_node *node, size_t index)
{
    if (index == 0) {
        return 1;
    }
    if (index + 1 < node->count && node->bytes[index + 1] < node->bytes[index - 1]) {
        return index + 1;
    }
    return index - 1;
}

/* Restores R3 for a child of `parent` with too few children. */
static void mend_node(grove__rope *rope, grove__rope_node *parent, size_t index)
{
    size_t left = index > 0 ? index - 1 : 0;
    grove__rope_node *first = parent->children[left].node;
    grove__rope_node *second = parent->children[left + 1].node;
    size_t total = first->count + second->count;
    if (total <= CHILDREN) {
        append_children(first, second, 0, second->count);
        parent->points[left] += parent->points[left + 1];
        parent->bytes[left] += parent->bytes[left + 1];
        grove__deallocate(rope->allocator, second, sizeof *second);
        shift_children(parent, left + 2, left + 1);
        return;
    }
    size_t half = total / 2;
    if (first->count < half) {
        size_t moved = half - first->count;
        append_children(first, second, 0, moved);
        shift_children(second, moved, 0);
    } else {
        size_t moved = first->count - half;
        shift_children(second, 0, moved);
        memcpy(second->points, first->points + half, moved * sizeof *first->points);
        memcpy(second->bytes, first->bytes + half, moved * sizeof *first->bytes);
        memcpy(second->children, first->children + half, moved * sizeof *first->children);
        first->count = half;
    }
    struct entry sum = entry_of(first);
    parent->points[left + 1] += parent->points[left] - sum.points;
    parent->bytes[left + 1] += parent->bytes[left] - sum.bytes;
    parent->points[left] = sum.points;
    parent->bytes[left] = sum.bytes;
}

/* Restores R2 and R3 after the place's leaf has become smaller. */
static void mend(grove__rope *rope)
{
    grove__rope_place *place = &rope->place;
    if (rope->height == 0 || place->leaf_bytes >= LEAF / 2) {
        return;
    }
    grove__rope_step step = place->steps[rope->height - 1];
    size_t neighbour = smaller_neighbour(step.node, step.index);
    size_t left = step.index < neighbour ? step.index : neighbour;
    uint64_t total = step.node->bytes[step.index] + step.node->bytes[neighbour];
    /* A leaf that cannot stay as it is goes if it can, so that deleting a long
     * range takes one step a leaf. */
    bool is_small = place->leaf_bytes < LEAF_MIN;
    if (total <= (is_small ? LEAF : LEAF_JOINED_MAX)) {
        join_leaves(rope, step.node, left);
    } else if (is_small) {
        share_leaves(step.node, left);
    } else {
        return;
    }
    place->is_set = false;
    for (size_t level = rope->height - 1;
         level > 0 && place->steps[level].node->count < CHILDREN_MIN; level--) {
        mend_node(rope, place->steps[level - 1].node, place->steps[level - 1].index);
    }
    while (rope->height > 0 && rope->root.node->count == 1) {
        grove__rope_node *root = rope->root.node;
        rope->root = root->children[0];
        rope->height--;
        grove__deallocate(rope->allocator, root, sizeof *root);
    }
}

void grove__rope_delete(grove__rope *rope, uint64_t position, uint64_t count)
{
    GROVE_ASSERT(position <= rope->points && count <= rope->points - position);
    grove__rope_place *place = &rope->place;
    while (count > 0) {
        seek(rope, position, 1);
        size_t point = (size_t)(position - place->start);
        size_t points = place->leaf_points - point;
        if (points > count) {
            points = (size_t)count;
        }
        size_t from = move_to(place, point);
        size_t to = move_to(place, point + points);
        memmove(place->leaf + from, place->leaf + to, place->leaf_bytes - to);
        place->point = point;
        place->byte = from;
        add_sums(rope, 0 - (uint64_t)points, 0 - (uint64_t)(to - from));
        mend(rope);
        count -= points;
    }
}
