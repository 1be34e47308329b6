#include "sequence/spans.h"

#include "base/alloc.h"
#include "base/assert.h"

enum { LEAF = GROVE__SPANS_LEAF, NODE = GROVE__SPANS_NODE, SPARE = 4 };

#define NONE GROVE__SPANS_NONE

/* What a node knows of a child. */
typedef struct entry {
    uint32_t child;
    uint32_t prepare;
    uint32_t effect;
    uint32_t before;
} entry;

void grove__spans_init(grove__spans *spans, const grove_allocator *allocator)
{
    *spans = (grove__spans){.allocator = allocator};
    grove__where_init(&spans->where, allocator);
}

void grove__spans_release(grove__spans *spans)
{
    const grove_allocator *allocator = spans->allocator;
    grove__deallocate(allocator, spans->leaves,
                      spans->leaf_capacity * sizeof *spans->leaves);
    grove__deallocate(allocator, spans->nodes,
                      spans->node_capacity * sizeof *spans->nodes);
    grove__where_release(&spans->where);
    grove__spans_init(spans, allocator);
}

static bool reserve(grove__spans *spans, size_t leaves, size_t nodes)
{
    while (spans->leaf_capacity - spans->leaf_count < leaves) {
        if (!grove__array_reserve(spans->allocator, (void **)&spans->leaves,
                                  &spans->leaf_capacity, spans->leaf_capacity,
                                  sizeof *spans->leaves)) {
            return false;
        }
    }
    while (spans->node_capacity - spans->node_count < nodes) {
        if (!grove__array_reserve(spans->allocator, (void **)&spans->nodes,
                                  &spans->node_capacity, spans->node_capacity,
                                  sizeof *spans->nodes)) {
            return false;
        }
    }
    return true;
}

bool grove__spans_reserve(grove__spans *spans)
{
    /* Each may split a leaf, all nodes above it, and make a new root. */
    return reserve(spans, SPARE,
                   spans->height == 0 ? SPARE : SPARE * (spans->height + 1));
}

bool grove__spans_clear(grove__spans *spans)
{
    if (spans->leaf_capacity == 0 && !reserve(spans, 1, 0)) {
        return false;
    }
    grove__where_clear(&spans->where);
    spans->leaf_count = 1;
    spans->node_count = 0;
    spans->root = 0;
    spans->height = 0;
    grove__spans_leaf *leaf = &spans->leaves[0];
    leaf->count = 1;
    leaf->next = NONE;
    leaf->parent = NONE;
    leaf->slot = 0;
    leaf->items[0] = (grove__span){
        .first = GROVE__SPANS_BEFORE,
        .count = GROVE__SPANS_BEFORE_COUNT,
        .left = GROVE__SPANS_START,
        .right = GROVE__SPANS_END,
        .state = 1,
    };
    return true;
}

bool grove__spans_normalize(const grove__spans *spans, grove__place *place)
{
    while (place->index == spans->leaves[place->leaf].count) {
        if (spans->leaves[place->leaf].next == NONE) {
            return false;
        }
        *place = (grove__place){spans->leaves[place->leaf].next, 0};
    }
    return true;
}

/* --- finding --- */

bool grove__spans_seek(const grove__spans *spans, uint64_t nth,
                       grove__spans_found *found_out)
{
    uint64_t left = nth;
    uint64_t effect = 0;
    uint32_t child = spans->root;
    for (uint32_t level = spans->height; level > 0; level--) {
        const grove__spans_node *node = &spans->nodes[child];
        uint32_t slot = 0;
        while (slot < node->count && left > node->prepare[slot]) {
            left -= node->prepare[slot];
            effect += node->effect[slot];
            slot++;
        }
        if (slot == node->count) {
            return false;
        }
        child = node->child[slot];
    }
    const grove__spans_leaf *leaf = &spans->leaves[child];
    for (uint32_t index = 0; index < leaf->count; index++) {
        const grove__span *span = &leaf->items[index];
        uint32_t width = grove__span_prepare(span);
        if (left <= width) {
            *found_out = (grove__spans_found){{child, index}, (uint32_t)left - 1, effect};
            return true;
        }
        left -= width;
        effect += grove__span_effect(span);
    }
    return false;
}

/* The leaf with an element from before: these ascend. */
static uint32_t leaf_before(const grove__spans *spans, uint32_t number)
{
    uint32_t child = spans->root;
    for (uint32_t level = spans->height; level > 0; level--) {
        const grove__spans_node *node = &spans->nodes[child];
        uint32_t slot = 0;
        while (node->before[slot] < number) {
            slot++;
            GROVE_ASSERT(slot < node->count);
        }
        child = node->child[slot];
    }
    return child;
}

grove__place grove__spans_locate(const grove__spans *spans, uint32_t number)
{
    uint32_t leaf = number < GROVE__SPANS_BEFORE
                        ? grove__where_find(&spans->where, number).value
                        : leaf_before(spans, number);
    const grove__spans_leaf *found = &spans->leaves[leaf];
    uint32_t index = 0;
    while (number - found->items[index].first >= found->items[index].count) {
        index++;
        GROVE_ASSERT(index < found->count);
    }
    return (grove__place){leaf, index};
}

uint64_t grove__spans_effect_before(const grove__spans *spans, grove__place place)
{
    const grove__spans_leaf *leaf = &spans->leaves[place.leaf];
    uint64_t effect = 0;
    for (uint32_t index = 0; index < place.index; index++) {
        effect += grove__span_effect(&leaf->items[index]);
    }
    uint32_t slot = leaf->slot;
    uint32_t parent = leaf->parent;
    while (parent != NONE) {
        const grove__spans_node *node = &spans->nodes[parent];
        for (uint32_t index = 0; index < slot; index++) {
            effect += node->effect[index];
        }
        slot = node->slot;
        parent = node->parent;
    }
    return effect;
}

static int compare(uint32_t number, uint32_t other)
{
    return number < other ? -1 : number > other ? 1 : 0;
}

int grove__spans_compare(const grove__spans *spans, grove__place place,
                         grove__place other)
{
    if (place.leaf == other.leaf) {
        return compare(place.index, other.index);
    }
    /* All leaves lie at one depth: the two ways up meet at the same time. */
    uint32_t slot = spans->leaves[place.leaf].slot;
    uint32_t other_slot = spans->leaves[other.leaf].slot;
    uint32_t parent = spans->leaves[place.leaf].parent;
    uint32_t other_parent = spans->leaves[other.leaf].parent;
    while (parent != other_parent) {
        slot = spans->nodes[parent].slot;
        other_slot = spans->nodes[other_parent].slot;
        parent = spans->nodes[parent].parent;
        other_parent = spans->nodes[other_parent].parent;
    }
    return compare(slot, other_slot);
}

/* --- changing --- */

/* Adds to the sums of everything above a leaf, modulo 2^32. */
static void add_sums(grove__spans *spans, uint32_t leaf, uint32_t prepare,
                     uint32_t effect)
{
    uint32_t slot = spans->leaves[leaf].slot;
    uint32_t parent = spans->leaves[leaf].parent;
    while (parent != NONE) {
        grove__spans_node *node = &spans->nodes[parent];
        node->prepare[slot] += prepare;
        node->effect[slot] += effect;
        slot = node->slot;
        parent = node->parent;
    }
}

/* Tells everything above a leaf of a number from before in it. */
static void raise_before(grove__spans *spans, uint32_t leaf, uint32_t number)
{
    uint32_t slot = spans->leaves[leaf].slot;
    uint32_t parent = spans->leaves[leaf].parent;
    while (parent != NONE) {
        grove__spans_node *node = &spans->nodes[parent];
        node->before[slot] = node->before[slot] < number ? number : node->before[slot];
        slot = node->slot;
        parent = node->parent;
    }
}

static entry entry_of_leaf(const grove__spans *spans, uint32_t number)
{
    const grove__spans_leaf *leaf = &spans->leaves[number];
    entry sum = {number, 0, 0, 0};
    for (uint32_t index = 0; index < leaf->count; index++) {
        const grove__span *span = &leaf->items[index];
        sum.prepare += grove__span_prepare(span);
        sum.effect += grove__span_effect(span);
        if (span->first >= GROVE__SPANS_BEFORE) {
            sum.before = span->first + span->count - 1;
        }
    }
    return sum;
}

static entry entry_of_node(const grove__spans *spans, uint32_t number)
{
    const grove__spans_node *node = &spans->nodes[number];
    entry sum = {number, 0, 0, 0};
    for (uint32_t slot = 0; slot < node->count; slot++) {
        sum.prepare += node->prepare[slot];
        sum.effect += node->effect[slot];
        sum.before = node->before[slot] == 0 ? sum.before : node->before[slot];
    }
    return sum;
}

static entry entry_of(const grove__spans *spans, uint32_t number, uint32_t level)
{
    return level == 0 ? entry_of_leaf(spans, number) : entry_of_node(spans, number);
}

static void set_entry(grove__spans_node *node, uint32_t slot, entry child)
{
    node->child[slot] = child.child;
    node->prepare[slot] = child.prepare;
    node->effect[slot] = child.effect;
    node->before[slot] = child.before;
}

/* Tells the children from `slot` on, which lie on `level`, where they are. */
static void adopt(grove__spans *spans, uint32_t number, uint32_t slot, uint32_t level)
{
    const grove__spans_node *node = &spans->nodes[number];
    for (; slot < node->count; slot++) {
        if (level == 0) {
            spans->leaves[node->child[slot]].parent = number;
            spans->leaves[node->child[slot]].slot = slot;
        } else {
            spans->nodes[node->child[slot]].parent = number;
            spans->nodes[node->child[slot]].slot = slot;
        }
    }
}

/* Moves children from one slot on to another place, in the same node or not. */
static void move_entries(const grove__spans_node *from, uint32_t slot, uint32_t count,
                         grove__spans_node *to, uint32_t at)
{
    memmove(to->child + at, from->child + slot, count * sizeof *to->child);
    memmove(to->prepare + at, from->prepare + slot, count * sizeof *to->prepare);
    memmove(to->effect + at, from->effect + slot, count * sizeof *to->effect);
    memmove(to->before + at, from->before + slot, count * sizeof *to->before);
}

static void put_entry(grove__spans *spans, uint32_t number, uint32_t slot, entry child,
                      uint32_t level)
{
    grove__spans_node *node = &spans->nodes[number];
    GROVE_ASSERT(node->count < NODE);
    move_entries(node, slot, node->count - slot, node, slot + 1);
    set_entry(node, slot, child);
    node->count++;
    adopt(spans, number, slot, level);
}

static uint32_t take_node(grove__spans *spans)
{
    GROVE_ASSERT(spans->node_count < spans->node_capacity);
    return (uint32_t)spans->node_count++;
}

/* Moves the right half of a full node to a new one, and puts `child`, which
 * belongs into `slot`, into the half where it then belongs. */
static uint32_t split_node(grove__spans *spans, uint32_t number, uint32_t slot,
                           entry child, uint32_t level)
{
    const uint32_t half = NODE / 2;
    uint32_t fresh = take_node(spans);
    grove__spans_node *node = &spans->nodes[number];
    spans->nodes[fresh].count = NODE - half;
    move_entries(node, half, NODE - half, &spans->nodes[fresh], 0);
    node->count = half;
    adopt(spans, fresh, 0, level);
    if (slot <= half) {
        put_entry(spans, number, slot, child, level);
    } else {
        put_entry(spans, fresh, slot - half, child, level);
    }
    return fresh;
}

/* A root above the old one, which lies on `level`, and its new neighbour. */
static void grow(grove__spans *spans, uint32_t fresh, uint32_t level)
{
    uint32_t root = take_node(spans);
    grove__spans_node *node = &spans->nodes[root];
    node->count = 2;
    node->parent = NONE;
    node->slot = 0;
    set_entry(node, 0, entry_of(spans, spans->root, level));
    set_entry(node, 1, entry_of(spans, fresh, level));
    adopt(spans, root, 0, level);
    spans->root = root;
    spans->height++;
}

/* Hangs a new leaf into the tree, right of the one that it was split from. */
static void hang(grove__spans *spans, uint32_t old, uint32_t fresh)
{
    for (uint32_t level = 0;; level++) {
        uint32_t parent =
            level == 0 ? spans->leaves[old].parent : spans->nodes[old].parent;
        uint32_t slot = level == 0 ? spans->leaves[old].slot : spans->nodes[old].slot;
        if (parent == NONE) {
            grow(spans, fresh, level);
            return;
        }
        set_entry(&spans->nodes[parent], slot, entry_of(spans, old, level));
        entry added = entry_of(spans, fresh, level);
        if (spans->nodes[parent].count < NODE) {
            put_entry(spans, parent, slot + 1, added, level);
            return;
        }
        fresh = split_node(spans, parent, slot + 1, added, level);
        old = parent;
    }
}

/* Tells `where` the leaf of the spans in it. */
static void move_pieces(grove__spans *spans, uint32_t number)
{
    const grove__spans_leaf *leaf = &spans->leaves[number];
    for (uint32_t index = 0; index < leaf->count; index++) {
        if (leaf->items[index].first < GROVE__SPANS_BEFORE) {
            grove__where_put(
                &spans->where,
                (grove__where_piece){.first = leaf->items[index].first, .value = number});
        }
    }
}

/* Moves the right half of a full leaf to a new one. */
static uint32_t split_leaf(grove__spans *spans, uint32_t number)
{
    GROVE_ASSERT(spans->leaf_count < spans->leaf_capacity);
    const uint32_t half = LEAF / 2;
    uint32_t fresh = (uint32_t)spans->leaf_count++;
    grove__spans_leaf *left = &spans->leaves[number];
    grove__spans_leaf *right = &spans->leaves[fresh];
    right->count = LEAF - half;
    right->next = left->next;
    memcpy(right->items, left->items + half, right->count * sizeof *right->items);
    left->count = half;
    left->next = fresh;
    move_pieces(spans, fresh);
    hang(spans, number, fresh);
    return fresh;
}

/* Makes room for one more span, and returns where the place is then. */
static grove__place make_room(grove__spans *spans, grove__place place)
{
    if (spans->leaves[place.leaf].count < LEAF) {
        return place;
    }
    uint32_t fresh = split_leaf(spans, place.leaf);
    if (place.index > LEAF / 2) {
        place = (grove__place){fresh, place.index - LEAF / 2};
    }
    return place;
}

/* Opens a gap for a span in its leaf, and notes it in `where`. */
static void put_item(grove__spans *spans, grove__place place, grove__span span)
{
    grove__spans_leaf *leaf = &spans->leaves[place.leaf];
    memmove(leaf->items + place.index + 1, leaf->items + place.index,
            (leaf->count - place.index) * sizeof *leaf->items);
    leaf->items[place.index] = span;
    leaf->count++;
    if (span.first < GROVE__SPANS_BEFORE) {
        grove__where_put(&spans->where,
                         (grove__where_piece){.first = span.first, .value = place.leaf});
    }
}

grove__place grove__spans_put(grove__spans *spans, grove__place place, grove__span span)
{
    place = make_room(spans, place);
    put_item(spans, place, span);
    add_sums(spans, place.leaf, grove__span_prepare(&span), grove__span_effect(&span));
    if (span.first >= GROVE__SPANS_BEFORE) {
        raise_before(spans, place.leaf, span.first + span.count - 1);
    }
    return place;
}

grove__place grove__spans_cut(grove__spans *spans, grove__place place, uint32_t count)
{
    /* Room for the place after it, so that both parts are in one leaf. */
    place = make_room(spans, (grove__place){place.leaf, place.index + 1});
    place.index--;
    grove__span *span = &spans->leaves[place.leaf].items[place.index];
    GROVE_ASSERT(count > 0 && count < span->count);
    grove__span rest = *span;
    rest.first += count;
    rest.count -= count;
    rest.left = rest.first - 1;
    span->count = count;
    put_item(spans, (grove__place){place.leaf, place.index + 1}, rest);
    return place;
}

void grove__spans_change(grove__spans *spans, grove__place place, uint32_t state,
                         bool is_dead)
{
    grove__span *span = &spans->leaves[place.leaf].items[place.index];
    uint32_t prepare = grove__span_prepare(span);
    uint32_t effect = grove__span_effect(span);
    span->state = state;
    span->is_dead = is_dead;
    prepare = grove__span_prepare(span) - prepare;
    effect = grove__span_effect(span) - effect;
    if (prepare != 0 || effect != 0) {
        add_sums(spans, place.leaf, prepare, effect);
    }
}

void grove__spans_extend(grove__spans *spans, grove__place place, uint32_t more)
{
    grove__span *span = &spans->leaves[place.leaf].items[place.index];
    span->count += more;
    add_sums(spans, place.leaf, span->state == 1 ? more : 0, span->is_dead ? 0 : more);
}

size_t grove__spans_bytes(const grove__spans *spans)
{
    return spans->leaf_capacity * sizeof *spans->leaves +
           spans->node_capacity * sizeof *spans->nodes + spans->where.bytes;
}

/* --- checking --- */

static const char *check_leaf(const grove__spans *spans, uint32_t number,
                              uint32_t *before)
{
    const grove__spans_leaf *leaf = &spans->leaves[number];
    if (leaf->count == 0 || leaf->count > LEAF) {
        return "a leaf is empty or too full";
    }
    for (uint32_t index = 0; index < leaf->count; index++) {
        const grove__span *span = &leaf->items[index];
        if (span->count == 0) {
            return "a span is empty";
        }
        if (span->first >= GROVE__SPANS_BEFORE) {
            if (span->first != *before) {
                return "what was before does not ascend";
            }
            *before = span->first + span->count;
        } else if (grove__where_find(&spans->where, span->first).first != span->first ||
                   grove__where_find(&spans->where, span->first).value != number) {
            return "a span is not where it should be";
        }
    }
    return NULL;
}

static const char *check_node(const grove__spans *spans, uint32_t number, uint32_t level)
{
    const grove__spans_node *node = &spans->nodes[number];
    if (node->count < 2 || node->count > NODE) {
        return "a node has too few or too many children";
    }
    for (uint32_t slot = 0; slot < node->count; slot++) {
        uint32_t child = node->child[slot];
        entry is = {child, node->prepare[slot], node->effect[slot], node->before[slot]};
        entry should = entry_of(spans, child, level - 1);
        uint32_t parent =
            level == 1 ? spans->leaves[child].parent : spans->nodes[child].parent;
        uint32_t at = level == 1 ? spans->leaves[child].slot : spans->nodes[child].slot;
        if (parent != number || at != slot) {
            return "a child does not know its parent";
        }
        if (is.prepare != should.prepare || is.effect != should.effect ||
            is.before != should.before) {
            return "a node's sums are not its child's";
        }
    }
    return NULL;
}

/* How many steps a node is above the leaves. */
static uint32_t level_of(const grove__spans *spans, uint32_t number)
{
    uint32_t level = spans->height;
    while (number != spans->root && level > 0) {
        number = spans->nodes[number].parent;
        level--;
    }
    return level;
}

const char *grove__spans_check(const grove__spans *spans)
{
    const char *fault = NULL;
    uint32_t before = GROVE__SPANS_BEFORE;
    size_t leaves = 0;
    for (uint32_t leaf = 0; fault == NULL && leaf != NONE;
         leaf = spans->leaves[leaf].next) {
        fault = check_leaf(spans, leaf, &before);
        leaves++;
    }
    if (fault == NULL && leaves != spans->leaf_count) {
        fault = "a leaf is not linked";
    }
    if (fault == NULL && before != GROVE__SPANS_BEFORE + GROVE__SPANS_BEFORE_COUNT) {
        fault = "some of what was before is missing";
    }
    for (uint32_t node = 0; fault == NULL && node < spans->node_count; node++) {
        fault = check_node(spans, node, level_of(spans, node));
    }
    return fault;
}
