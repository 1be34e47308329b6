/*
 * Trees that are deep, wide or full of attributes: nothing recurses, and
 * nothing takes time that grows faster than they do.
 */
#include <criterion/criterion.h>

#include "base/alloc.h"
#include "program.h"

enum { MANY = 1000000, FEWER = 200000 };

/* No event: the root. */
#define ROOT UINT64_MAX

static const grove_replica LOCAL = {1, {'l'}};
static const grove_replica OTHER = {1, {'o'}};

#define BYTES(text)                               \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }

/* Events of one replica from a sequence and a time on. */
static grove_status apply(grove__tree *tree, const grove_replica *replica,
                          uint64_t sequence, uint64_t time, const grove_operation *items,
                          uint32_t count)
{
    const grove_document_type *type = grove_type_tree();
    const grove_stamp_run run = {replica, sequence, time, count};
    return type->state_apply(type, tree, (grove_operations){items, count},
                             (grove_stamps){&run, 1}, NULL);
}

/* A tree of so many puts, all but the first with this content. */
static grove__tree *put_many(grove_bytes content, uint32_t count)
{
    static const grove_bytes first = BYTES("\0\0\0\0\0\0\0\0");
    grove_operation *items = malloc(count * sizeof *items);
    cr_assert_not_null(items);
    for (uint32_t index = 0; index < count; index++) {
        items[index] =
            (grove_operation){GROVE_TREE_PUT, 1, 0, index == 0 ? first : content};
    }
    grove__tree *tree = program_tree(&grove__allocator_system);
    cr_assert_eq(apply(tree, &LOCAL, 0, 1, items, count), GROVE_OK);
    cr_assert_eq(tree->node_count, count + 1);
    free(items);
    return tree;
}

static void walk(const grove__tree *tree, bool deleted_too, uint64_t expected,
                 uint32_t depth_expected)
{
    uint32_t depth = 0;
    uint32_t deepest = 0;
    uint64_t count = 0;
    for (uint32_t node = 0; node != GROVE__TREE_NONE;
         node = grove__tree_next(tree, 0, node, true, deleted_too, &depth)) {
        deepest = depth > deepest ? depth : deepest;
        count++;
    }
    cr_assert_eq(count, expected);
    cr_assert_eq(deepest, depth_expected);
    cr_assert_eq(depth, 0);
}

static void reload(grove__tree **tree, uint64_t settled)
{
    const tree_digest digest = program_digest(*tree);
    program_reload(tree, settled);
    cr_assert(program_is_digest(*tree, &digest));
}

/* A move of another replica's, of the node that an event of LOCAL put. */
static void move(grove__tree *tree, uint64_t sequence, uint64_t time, uint64_t node,
                 uint64_t parent)
{
    grove_buffer content;
    grove_buffer_init(&content, &grove__allocator_system);
    grove_buffer_varint(&content, 2 * node + 2);
    grove_buffer_append(&content, "\1l", 2);
    if (parent != ROOT) {
        grove_buffer_varint(&content, 2 * parent + 2);
        grove_buffer_append(&content, "\1l", 2);
    } else {
        grove_buffer_append(&content, "\0\0", 2);
    }
    grove_buffer_append(&content, "\0\0\0", 3);
    const grove_operation item = {GROVE_TREE_MOVE, 1, 0, grove_buffer_view(&content)};
    cr_assert_eq(apply(tree, &OTHER, sequence, time, &item, 1), GROVE_OK);
    grove_buffer_release(&content);
}

static void set_deleted(grove__tree *tree, uint64_t sequence, uint64_t time,
                        bool is_deleted)
{
    const grove_operation item = {is_deleted ? GROVE_TREE_DELETE : GROVE_TREE_RESTORE, 1,
                                  0, BYTES("\2\1l\0")};
    cr_assert_eq(apply(tree, &OTHER, sequence, time, &item, 1), GROVE_OK);
}

Test(large, a_chain_of_a_million_levels)
{
    grove__tree *tree = put_many((grove_bytes)BYTES("\3\0\0\0\0\0\0\0"), MANY);
    walk(tree, false, MANY + 1, MANY);
    set_deleted(tree, 8, MANY + 9, true);
    walk(tree, false, 1, 0);
    walk(tree, true, MANY + 1, MANY);
    reload(&tree, 0);
    walk(tree, false, 1, 0);
    set_deleted(tree, 9, MANY + 10, false);
    walk(tree, false, MANY + 1, MANY);
    /* The top below the bottom makes a cycle, the bottom to the root does not,
     * and then the top goes below it; an earlier move undoes all that. */
    move(tree, 5, MANY + 6, 0, MANY - 1);
    walk(tree, false, MANY + 1, MANY);
    move(tree, 3, MANY + 4, MANY - 1, ROOT);
    walk(tree, false, MANY + 1, MANY);
    cr_assert_eq(tree->nodes[0].child_count, 1);
    move(tree, 1, MANY + 2, MANY / 2, ROOT);
    cr_assert_eq(tree->move_count, 3);
    walk(tree, false, MANY + 1, MANY / 2 + 1);
    cr_assert_eq(tree->nodes[0].child_count, 2);
    reload(&tree, MANY + 10);
    cr_assert_eq(tree->move_count, 0);
    walk(tree, false, MANY + 1, MANY / 2 + 1);
    grove__tree_free(tree);
}

static void check_wide(grove_bytes content, uint32_t count)
{
    grove__tree *tree = put_many(content, count);
    walk(tree, false, count + 1, 1);
    reload(&tree, 0);
    move(tree, 1, count + 2, 0, count - 1);
    move(tree, 0, count + 1, count - 1, count / 2);
    walk(tree, false, count + 1, 3);
    cr_assert_eq(tree->nodes[0].child_count, count - 2);
    reload(&tree, count + 10);
    cr_assert_null(grove__tree_check(tree));
    walk(tree, false, count + 1, 3);
    grove__tree_free(tree);
}

Test(large, a_million_children_each_after_the_one_before)
{
    check_wide((grove_bytes)BYTES("\0\0\6\0\0\0\0\0"), MANY);
}

Test(large, many_children_each_before_the_one_before)
{
    check_wide((grove_bytes)BYTES("\0\0\7\0\0\0\0\0"), FEWER);
}

Test(large, many_children_each_at_the_beginning)
{
    check_wide((grove_bytes)BYTES("\0\0\0\0\0\0\0\0"), FEWER);
}

/* All left of the first, which only hostile events are: d is the distance. */
Test(large, many_children_on_one_side_of_one)
{
    enum { SIDE = 50000 };
    static grove_operation items[SIDE];
    grove_buffer contents;
    static size_t offsets[SIDE + 1];
    grove_buffer_init(&contents, &grove__allocator_system);
    for (uint32_t index = 0; index < SIDE; index++) {
        offsets[index] = contents.size;
        grove_buffer_append(&contents, "\0\0", 2);
        grove_buffer_varint(&contents,
                            index == 0 ? 0 : (2 * (uint64_t)index + 1) * 2 + 1);
        grove_buffer_append(&contents, "\0\0\0\0\0", 5);
    }
    offsets[SIDE] = contents.size;
    for (uint32_t index = 0; index < SIDE; index++) {
        items[index] = (grove_operation){
            GROVE_TREE_PUT,
            1,
            0,
            {contents.data + offsets[index], offsets[index + 1] - offsets[index]}};
    }
    grove__tree *tree = program_tree(&grove__allocator_system);
    cr_assert_eq(apply(tree, &LOCAL, 0, 1, items, SIDE), GROVE_OK);
    walk(tree, false, SIDE + 1, 1);
    reload(&tree, 0);
    reload(&tree, SIDE);
    walk(tree, false, SIDE + 1, 1);
    grove__tree_free(tree);
    grove_buffer_release(&contents);
}

Test(large, a_node_with_a_million_attributes)
{
    enum { NAME_BYTES = 6, CONTENT_BYTES = 3 + NAME_BYTES + 3 };
    grove_operation *items = malloc(MANY * sizeof *items);
    uint8_t *contents = malloc((size_t)MANY * CONTENT_BYTES);
    cr_assert(items != NULL && contents != NULL);
    for (uint32_t index = 0; index < MANY; index++) {
        uint8_t *content = contents + (size_t)index * CONTENT_BYTES;
        /* In no order. */
        uint32_t number = (uint32_t)((uint64_t)index * 7919 % MANY);
        memcpy(content, "\0\0\6", 3);
        for (uint32_t digit = 0; digit < NAME_BYTES; digit++, number /= 10) {
            content[2 + NAME_BYTES - digit] = (uint8_t)('0' + number % 10);
        }
        memcpy(content + 3 + NAME_BYTES, "\1\0\0", 3);
        items[index] = (grove_operation){GROVE_TREE_SET, 1, 0, {content, CONTENT_BYTES}};
    }
    grove__tree *tree = program_tree(&grove__allocator_system);
    cr_assert_eq(apply(tree, &LOCAL, 0, 1, items, MANY), GROVE_OK);
    cr_assert_eq(tree->attribute_count, MANY);
    cr_assert_null(grove__tree_check(tree));
    reload(&tree, 0);
    cr_assert_eq(tree->attribute_count, MANY);
    grove__tree_free(tree);
    free(items);
    free(contents);
}
