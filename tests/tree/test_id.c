#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "program.h"

static tree_program program;

Test(id, has_the_form_that_the_library_makes)
{
    static const struct {
        const char *id;
        bool is_printed;
    } cases[] = {
        {"61.0", true},
        {"00ff.7", true},
        {"61.281474976710655", true}, /* 2^48 - 1 */
        {"61.281474976710656", false},
        {"61.18446744073709551617", false},
        {"61.00", false},
        {"61.01", false},
        {"61.", false},
        {"61.1x", false},
        {"61.-1", false},
        {"6.1", false},
        {"616.1", false},
        {"6G.1", false},
        {"6A.1", false},
        {".1", false},
        {"61", false},
        {"6100", false},
        {"", false},
        {".", false},
        {"61.1.1", false},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        cr_expect_eq(grove__tree_is_printed_id(grove_bytes_of(cases[index].id)),
                     cases[index].is_printed, "%s", cases[index].id);
    }
}

/* A replica of the greatest size: 128 digits. */
Test(id, of_the_longest_replica_has_the_form_and_of_a_longer_one_has_not)
{
    char text[2 * GROVE_REPLICA_BYTES_MAX + 8];
    for (size_t bytes = GROVE_REPLICA_BYTES_MAX - 1; bytes <= GROVE_REPLICA_BYTES_MAX + 1;
         bytes++) {
        memset(text, 'a', 2 * bytes);
        (void)snprintf(text + 2 * bytes, 4, ".12");
        cr_expect_eq(grove__tree_is_printed_id(grove_bytes_of(text)),
                     bytes <= GROVE_REPLICA_BYTES_MAX);
    }
}

Test(id, that_is_printed_is_found_and_no_other)
{
    static const char *const others[] = {"61.1", "6d.0", "61.00", "61", "62.0", "ff.00"};
    static const program_edit put = {GROVE_TREE_PUT, "", "", GROVE_TREE_LAST, NULL};
    static const program_edit move = {GROVE_TREE_MOVE, ".", "", GROVE_TREE_LAST, NULL};
    program_clear(&program);
    cr_assert(program_do(&program, 1, &put));
    cr_assert(program_do(&program, 1, &move));
    for (uint32_t count = 0; count < 12; count++) {
        cr_assert(program_do(&program, 3, &put));
    }
    grove__tree *tree = program_run(&program, program.oracle.count);
    cr_assert_eq(grove__tree_find(tree, grove_bytes_of("61.0")), 1);
    cr_assert_eq(grove__tree_find(tree, grove_bytes_of("ff.0")), 2);
    cr_assert_eq(grove__tree_find(tree, grove_bytes_of("ff.11")), 13);
    cr_assert_eq(grove__tree_find(tree, grove_bytes_of("")), GROVE_NODE_ROOT);
    for (size_t index = 0; index < sizeof others / sizeof *others; index++) {
        cr_assert_eq(grove__tree_find(tree, grove_bytes_of(others[index])),
                     GROVE__TREE_NONE);
    }
    for (uint32_t node = 0; node < tree->node_count; node++) {
        grove_tree_id_bytes id;
        grove__tree_id(tree, node, &id);
        cr_assert_eq(grove__tree_find(tree, (grove_bytes){id.bytes, id.size}), node);
    }
    grove__tree_free(tree);
}

/* Ids are bytes: of any value, up to the limit. */
Test(id, that_was_given_is_found_whatever_its_bytes)
{
    static uint8_t bytes[GROVE_NODE_ID_BYTES_MAX];
    static const size_t sizes[] = {1, 2, GROVE_NODE_ID_BYTES_MAX - 1,
                                   GROVE_NODE_ID_BYTES_MAX};
    const grove_document_type *type = grove_type_tree();
    grove__tree *tree = program_tree(&grove__allocator_system);
    grove_replica replica = {1, {'r'}};
    for (uint32_t index = 0; index < 8; index++) {
        grove_buffer content;
        size_t size = sizes[index / 2];
        bytes[0] = index % 2 == 0 ? 0 : 0xff;
        grove_buffer_init(&content, &grove__allocator_system);
        grove_buffer_append(&content, "\0\0\0\0", 4);
        grove_buffer_varint(&content, size);
        grove_buffer_append(&content, bytes, size);
        grove_buffer_append(&content, "\0\0\0", 3);
        const grove_operation put = {GROVE_TREE_PUT, 1, 0, grove_buffer_view(&content)};
        const grove_stamp_run run = {&replica, index, index + 1, 1};
        cr_assert_eq(type->state_apply(type, tree, (grove_operations){&put, 1},
                                       (grove_stamps){&run, 1}, NULL),
                     GROVE_OK);
        cr_assert_eq(grove__tree_find(tree, (grove_bytes){bytes, size}), index + 1);
        grove_tree_id_bytes id;
        grove__tree_id(tree, index + 1, &id);
        cr_assert(grove__bytes_equal((grove_bytes){id.bytes, id.size},
                                     (grove_bytes){bytes, size}));
        grove_buffer_release(&content);
    }
    cr_assert_null(grove__tree_check(tree));
    grove__tree_free(tree);
}
