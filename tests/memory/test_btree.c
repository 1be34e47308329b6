#include <criterion/criterion.h>

#include "memory/btree.h"
#include "support/faulty_allocator.h"
#include "support/random.h"

enum { MODEL_KEYS = 600 };

typedef struct tree_fixture {
    faulty_allocator faulty;
    grove__heap heap;
} tree_fixture;

static void fixture_init(tree_fixture *fixture)
{
    faulty_allocator_init(&fixture->faulty, 0);
    grove__heap_init(&fixture->heap, &fixture->faulty.allocator);
    fixture->heap.limit = UINT64_MAX;
}

static void fixture_finish(tree_fixture *fixture)
{
    cr_assert_eq(atomic_load(&fixture->heap.bytes), 0);
    faulty_allocator_finish(&fixture->faulty);
}

static int compare(grove_bytes a, grove_bytes b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* Where the check of a tree has come to, from left to right. */
typedef struct tree_walk {
    const grove__blob *last;      /* key of the entry before */
    const grove__blob *separator; /* no key from here on is less */
    uint64_t entries;
} tree_walk;

static void check_leaf(const grove__btree_node *leaf, tree_walk *walk)
{
    for (size_t index = 0; index < leaf->count; index++) {
        grove_bytes key = grove__blob_view(leaf->slots[index].key);
        cr_assert(walk->last == NULL || compare(grove__blob_view(walk->last), key) < 0,
                  "T3: keys ascend");
        cr_assert(walk->separator == NULL ||
                      compare(grove__blob_view(walk->separator), key) <= 0,
                  "T4: a key is less than the separator left of it");
        walk->last = leaf->slots[index].key;
        walk->entries++;
    }
}

static void check_separator(const grove__blob *separator, tree_walk *walk)
{
    cr_assert_not_null(separator, "T4: a child has no separator");
    cr_assert(compare(grove__blob_view(walk->last), grove__blob_view(separator)) < 0,
              "T4: a key is not less than the separator right of it");
    walk->separator = separator;
}

static void check_counts(const grove__btree_node *node, size_t count_min)
{
    cr_assert_geq(node->count, count_min, "T2: too few slots");
    cr_assert_leq(node->count, (size_t)GROVE__BTREE_SLOTS_MAX, "T2: too many slots");
    cr_assert_geq(atomic_load(&node->references.count), 1);
    if (node->level > 0) {
        cr_assert_null(node->slots[0].key, "T4: the first slot has a separator");
    }
}

/* T1 to T4, and the count of entries. */
static void check_tree(const grove__btree *tree)
{
    struct {
        const grove__btree_node *node;
        size_t next;
    } way[GROVE__BTREE_LEVELS_MAX];
    tree_walk walk = {NULL, NULL, 0};
    size_t depth = 0;
    if (tree->root != NULL) {
        check_counts(tree->root, tree->root->level > 0 ? 2 : 1);
        way[depth].node = tree->root;
        way[depth++].next = 0;
    }
    while (depth > 0) {
        const grove__btree_node *node = way[depth - 1].node;
        size_t index = way[depth - 1].next++;
        if (node->level == 0) {
            check_leaf(node, &walk);
        }
        if (node->level == 0 || index == node->count) {
            depth--;
            continue;
        }
        const grove__btree_node *child = node->slots[index].child;
        cr_assert_eq(child->level, node->level - 1, "T1: levels");
        check_counts(child, GROVE__BTREE_SLOTS_MIN);
        if (index > 0) {
            check_separator(node->slots[index].key, &walk);
        }
        way[depth].node = child;
        way[depth++].next = 0;
    }
    cr_assert_eq(walk.entries, tree->entries);
}

static grove_bytes key_of(uint32_t number, uint8_t bytes[4])
{
    for (size_t index = 0; index < 4; index++) {
        bytes[index] = (uint8_t)(number >> (24 - 8 * index));
    }
    return (grove_bytes){bytes, 4};
}

static grove_status put(tree_fixture *fixture, grove__btree *tree, uint32_t number,
                        uint32_t value)
{
    uint8_t bytes[4];
    grove__blob *blob;
    grove_status status = grove__btree_put(&fixture->heap, tree, key_of(number, bytes),
                                           sizeof value, &blob);
    if (status == GROVE_OK) {
        cr_assert_eq(blob->size, sizeof value);
        memcpy(blob->bytes, &value, sizeof value);
    }
    return status;
}

static grove_status take(tree_fixture *fixture, grove__btree *tree, uint32_t number)
{
    uint8_t bytes[4];
    return grove__btree_remove(&fixture->heap, tree, key_of(number, bytes));
}

/* Values by key; 0: no entry. */
typedef struct tree_model {
    uint32_t values[MODEL_KEYS];
} tree_model;

static void check_against(const grove__btree *tree, const tree_model *model)
{
    uint64_t entries = 0;
    check_tree(tree);
    for (uint32_t number = 0; number < MODEL_KEYS; number++) {
        uint8_t bytes[4];
        const grove__blob *value = grove__btree_get(tree, key_of(number, bytes));
        if (model->values[number] == 0) {
            cr_assert_null(value, "key %u should be gone", number);
            continue;
        }
        cr_assert_not_null(value, "key %u is lost", number);
        cr_assert_eq(memcmp(value->bytes, &model->values[number], 4), 0);
        entries++;
    }
    cr_assert_eq(tree->entries, entries);
}

Test(btree, random_changes_keep_every_state_that_is_held)
{
    enum { HELD = 5, STEPS = 30000 };
    test_random random = test_random_of("btree");
    tree_fixture fixture;
    fixture_init(&fixture);
    grove__btree tree = {NULL, 0};
    static tree_model now;
    static tree_model held_models[HELD];
    grove__btree held[HELD] = {{NULL, 0}};
    uint32_t keys = 1 + (uint32_t)test_random_below(&random, MODEL_KEYS);
    for (uint32_t step = 1; step <= STEPS; step++) {
        /* Phases that grow and phases that shrink. */
        bool grows = (step / 4000) % 2 == 0;
        uint32_t number = (uint32_t)test_random_below(&random, keys);
        if (test_random_below(&random, 10) < (grows ? 7u : 3u)) {
            cr_assert_eq(put(&fixture, &tree, number, step), GROVE_OK);
            now.values[number] = step;
        } else {
            grove_status status = take(&fixture, &tree, number);
            cr_assert_eq(status, now.values[number] != 0 ? GROVE_OK : GROVE_NONE);
            now.values[number] = 0;
        }
        if (test_random_below(&random, 300) == 0) {
            size_t slot = (size_t)test_random_below(&random, HELD);
            check_against(&tree, &now);
            check_against(&held[slot], &held_models[slot]);
            grove__btree_release(&fixture.heap, &held[slot]);
            held[slot] = grove__btree_share(&tree);
            held_models[slot] = now;
        }
    }
    for (size_t slot = 0; slot < HELD; slot++) {
        check_against(&held[slot], &held_models[slot]);
        grove__btree_release(&fixture.heap, &held[slot]);
    }
    check_against(&tree, &now);
    grove__btree_release(&fixture.heap, &tree);
    fixture_finish(&fixture);
}

Test(btree, fills_and_empties_from_either_end)
{
    for (uint32_t kind = 0; kind < 4; kind++) {
        tree_fixture fixture;
        fixture_init(&fixture);
        grove__btree tree = {NULL, 0};
        static tree_model now;
        memset(&now, 0, sizeof now);
        for (uint32_t step = 0; step < MODEL_KEYS; step++) {
            uint32_t number = (kind & 1) != 0 ? step : MODEL_KEYS - 1 - step;
            cr_assert_eq(put(&fixture, &tree, number, step + 1), GROVE_OK);
            now.values[number] = step + 1;
            check_tree(&tree);
        }
        check_against(&tree, &now);
        cr_assert_gt(tree.root->level, 0);
        for (uint32_t step = 0; step < MODEL_KEYS; step++) {
            uint32_t number = (kind & 2) != 0 ? step : MODEL_KEYS - 1 - step;
            cr_assert_eq(take(&fixture, &tree, number), GROVE_OK);
            cr_assert_eq(take(&fixture, &tree, number), GROVE_NONE);
            check_tree(&tree);
        }
        cr_assert_null(tree.root, "an empty tree has no root");
        fixture_finish(&fixture);
    }
}

Test(btree, a_holder_alone_changes_in_place_and_shared_nodes_are_copied_once)
{
    tree_fixture fixture;
    fixture_init(&fixture);
    grove__btree tree = {NULL, 0};
    for (uint32_t number = 0; number < MODEL_KEYS; number++) {
        cr_assert_eq(put(&fixture, &tree, 2 * number, 1), GROVE_OK);
    }
    uint64_t alone = atomic_load(&fixture.heap.bytes);
    cr_assert_eq(put(&fixture, &tree, 10, 2), GROVE_OK);
    cr_assert_eq(atomic_load(&fixture.heap.bytes), alone,
                 "a replaced value adds nothing");

    grove__btree held = grove__btree_share(&tree);
    cr_assert_eq(put(&fixture, &tree, 10, 3), GROVE_OK);
    uint64_t copied = atomic_load(&fixture.heap.bytes) - alone;
    uint64_t path = (tree.root->level + 1) * sizeof(grove__btree_node);
    cr_assert_eq(copied, path + sizeof(grove__blob) + 4,
                 "a path of nodes and one value, not %llu bytes",
                 (unsigned long long)copied);
    cr_assert_eq(put(&fixture, &tree, 10, 4), GROVE_OK);
    cr_assert_eq(atomic_load(&fixture.heap.bytes) - alone, copied);

    grove__btree_release(&fixture.heap, &held);
    cr_assert_eq(atomic_load(&fixture.heap.bytes), alone, "the old state is given back");
    grove__btree_release(&fixture.heap, &tree);
    fixture_finish(&fixture);
}

/* The trees of the seek table: even numbers, so that odd ones lie between. */
static void check_seek(const grove__btree *tree, grove__btree_seek seek, uint32_t number,
                       int64_t expected)
{
    uint8_t bytes[4];
    const grove__btree_slot *entry = grove__btree_find(tree, seek, key_of(number, bytes));
    if (expected < 0) {
        cr_assert_null(entry, "seek %d of %u finds something", (int)seek, number);
        return;
    }
    uint8_t wanted[4];
    (void)key_of((uint32_t)expected, wanted);
    cr_assert_not_null(entry, "seek %d of %u finds nothing", (int)seek, number);
    cr_assert_eq(memcmp(entry->key->bytes, wanted, 4), 0, "seek %d of %u", (int)seek,
                 number);
}

Test(btree, seeks_find_the_neighbour_across_every_edge_of_a_node)
{
    for (uint32_t count = 0; count < 130; count++) {
        tree_fixture fixture;
        fixture_init(&fixture);
        grove__btree tree = {NULL, 0};
        for (uint32_t number = 0; number < count; number++) {
            cr_assert_eq(put(&fixture, &tree, 2 * number + 2, 1), GROVE_OK);
        }
        uint32_t last = 2 * count; /* 0: there is none */
        for (uint32_t number = 0; number <= last + 2; number++) {
            uint32_t even_up = number < 2 ? 2 : number + number % 2;
            uint32_t after = number < 2 ? 2 : number + 2 - number % 2;
            uint32_t below = number < 3 ? 0 : number - (number % 2 == 0 ? 2 : 1);
            check_seek(&tree, GROVE__BTREE_FIRST_AT_OR_AFTER, number,
                       even_up <= last ? (int64_t)even_up : -1);
            check_seek(&tree, GROVE__BTREE_FIRST_AFTER, number,
                       after <= last ? (int64_t)after : -1);
            below = below > last ? last : below;
            check_seek(&tree, GROVE__BTREE_LAST_BEFORE, number,
                       below > 0 ? (int64_t)below : -1);
            check_seek(&tree, GROVE__BTREE_LAST, number, last > 0 ? (int64_t)last : -1);
        }
        grove__btree_release(&fixture.heap, &tree);
        fixture_finish(&fixture);
    }
}

/* Fails the n-th allocation of one change to a shared tree of `count` keys,
 * n = 1, 2, 3, …; says how many had to fail. */
static size_t fail_each_allocation(uint32_t count, bool removes, uint32_t number)
{
    for (size_t nth = 1;; nth++) {
        tree_fixture fixture;
        fixture_init(&fixture);
        grove__btree tree = {NULL, 0};
        static tree_model before;
        memset(&before, 0, sizeof before);
        for (uint32_t key = 0; key < count; key++) {
            cr_assert_eq(put(&fixture, &tree, 2 * key, key + 1), GROVE_OK);
            before.values[2 * key] = key + 1;
        }
        grove__btree held = grove__btree_share(&tree);
        fixture.faulty.fails_at = fixture.faulty.calls + nth;
        grove_status status =
            removes ? take(&fixture, &tree, number) : put(&fixture, &tree, number, 77);
        check_against(&held, &before);
        if (fixture.faulty.has_failed) {
            cr_assert_eq(status, GROVE_NO_MEMORY);
            check_against(&tree, &before);
        }
        grove__btree_release(&fixture.heap, &held);
        grove__btree_release(&fixture.heap, &tree);
        fixture_finish(&fixture);
        if (!fixture.faulty.has_failed) {
            cr_assert_eq(status, GROVE_OK);
            return nth - 1;
        }
    }
}

Test(btree, a_failed_allocation_leaves_the_entries_as_they_were)
{
    for (uint32_t count = 0; count < 90; count++) {
        cr_assert_gt(fail_each_allocation(count, false, 2 * (count / 2) + 1), 0);
        cr_assert_gt(fail_each_allocation(count, false, 2 * count), 0);
        if (count > 0) {
            cr_assert_gt(fail_each_allocation(count, true, 2 * (count / 2)), 0);
            cr_assert_gt(fail_each_allocation(count, true, 2 * count - 2), 0);
        }
    }
}

Test(btree, the_limit_is_reached_exactly_and_never_passed)
{
    tree_fixture fixture;
    fixture_init(&fixture);
    grove__btree tree = {NULL, 0};
    uint64_t needed = sizeof(grove__btree_node) + 2 * (sizeof(grove__blob) + 4);
    fixture.heap.limit = needed - 1;
    cr_assert_eq(put(&fixture, &tree, 1, 1), GROVE_FULL);
    cr_assert_eq(atomic_load(&fixture.heap.bytes), 0);
    cr_assert_null(tree.root);
    fixture.heap.limit = needed;
    cr_assert_eq(put(&fixture, &tree, 1, 1), GROVE_OK);
    cr_assert_eq(put(&fixture, &tree, 2, 1), GROVE_FULL);
    fixture.heap.limit = 1;
    cr_assert_eq(put(&fixture, &tree, 2, 1), GROVE_FULL);
    cr_assert_eq(tree.entries, 1);
    grove__btree_release(&fixture.heap, &tree);
    fixture_finish(&fixture);
}
