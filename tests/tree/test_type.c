#include <criterion/criterion.h>

#include "base/alloc.h"
#include "program.h"
#include "tree/operation.h"

static const grove_document_type *tree_type(void)
{
    return grove_type_tree();
}

Test(type, has_all_that_a_type_must_have)
{
    const grove_document_type *type = tree_type();
    cr_assert_eq(type->abi, GROVE_DOCUMENT_TYPE_ABI);
    cr_assert_str_eq(type->name, "tree");
    cr_assert_eq(type->format, 1);
    cr_assert_eq(type->capabilities, GROVE_TYPE_CONCURRENT);
    cr_assert_null(type->merge);
    cr_assert_not_null(type->timed);
    cr_assert_eq(type->schema, &grove__tree_schema);
    cr_assert_eq(type->schema->kind_count, GROVE_TREE_RESTORE + 1);
}

Test(type, checks_operations_of_a_caller)
{
    static const struct {
        grove_operation operation;
        grove_status status;
    } cases[] = {
        {{GROVE_TREE_DELETE, 1, 0, {(const uint8_t *)"\3\0\0", 3}}, GROVE_OK},
        {{GROVE_TREE_DELETE, 2, 0, {(const uint8_t *)"\3\0\0", 3}}, GROVE_INVALID},
        {{GROVE_TREE_DELETE, 1, 1, {(const uint8_t *)"\3\0\0", 3}}, GROVE_INVALID},
        {{GROVE_TREE_DELETE, 1, 0, {(const uint8_t *)"\3\0\0\0", 4}}, GROVE_INVALID},
        {{GROVE_TREE_DELETE, 1, 0, {(const uint8_t *)"\1\0\0", 3}}, GROVE_INVALID},
        {{GROVE_TREE_DELETE, 1, 0, {NULL, 0}}, GROVE_INVALID},
        {{6, 1, 0, {(const uint8_t *)"\3\0\0", 3}}, GROVE_INVALID},
        {{GROVE_TREE_SET, 1, 0, {(const uint8_t *)"\0\0\1n\1\7\0", 7}}, GROVE_INVALID},
        {{GROVE_TREE_SET, 1, 0, {(const uint8_t *)"\0\0\1n\1\0\0", 7}}, GROVE_OK},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        grove_error error = {GROVE_OK, 0, ""};
        cr_expect_eq(
            tree_type()->operation_check(tree_type(), &cases[index].operation, &error),
            cases[index].status, "case %zu", index);
        cr_expect_eq(error.status, cases[index].status, "case %zu", index);
    }
}

Test(type, never_joins_operations)
{
    const grove_operation set = {
        GROVE_TREE_SET, 1, 0, {(const uint8_t *)"\0\0\1n\1\0\0", 7}};
    grove_operation last = set;
    cr_assert_not(tree_type()->operation_join(tree_type(), &last, &set));
    cr_assert_eq(last.count, 1);
    cr_assert_eq(last.content.size, set.content.size);
}

/* Through the columns of a batch and back. */
Test(type, operations_come_back_from_their_columns)
{
    static tree_program program;
    static grove_operation items[200];
    test_random random = test_random_of("type");
    program_clear(&program);
    while (program.oracle.count < 200) {
        (void)program_draw(&program, (uint32_t)test_random_below(&random, 2), &random);
        program_learn(&program, 0, 1);
    }
    for (uint32_t event = 0; event < 200; event++) {
        const oracle_event *made = &program.oracle.events[event];
        items[event] = (grove_operation){
            (uint8_t)made->kind, 1, 0, {made->content, made->content_bytes}};
        cr_assert_eq(tree_type()->operation_check(tree_type(), &items[event], NULL),
                     GROVE_OK);
    }
    grove_type_buffers columns = {.structure_cut_count = 0};
    grove_buffer decoded;
    grove_buffer scratch;
    grove_buffer_init(&columns.structure, &grove__allocator_system);
    grove_buffer_init(&columns.content, &grove__allocator_system);
    grove_buffer_init(&decoded, &grove__allocator_system);
    grove_buffer_init(&scratch, &grove__allocator_system);
    cr_assert_eq(tree_type()->operations_encode(
                     tree_type(), (grove_operations){items, 200}, &columns, NULL),
                 GROVE_OK);
    cr_assert_eq(tree_type()->operations_decode(tree_type(), program_frames(&columns),
                                                200, &decoded, &scratch, NULL),
                 GROVE_OK);
    cr_assert_eq(decoded.size, sizeof items);
    const grove_operation *again = (const grove_operation *)(const void *)decoded.data;
    for (uint32_t event = 0; event < 200; event++) {
        cr_assert_eq(again[event].kind, items[event].kind);
        cr_assert_eq(again[event].content.size, items[event].content.size);
        cr_assert_eq(memcmp(again[event].content.data, items[event].content.data,
                            items[event].content.size),
                     0);
    }
    grove_buffer_release(&decoded);
    grove_buffer_release(&scratch);
    program_release(&columns);
}
