#include <criterion/criterion.h>
#include <sodium.h>

#include "base/alloc.h"
#include "program.h"
#include "support/faulty_allocator.h"
#include "tree/operation.h"

enum { A = 1, B = 4 };

static tree_program program;

#define BYTES(text)                               \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }

static void expect_digest_of(const grove__tree *tree, grove_bytes form)
{
    uint8_t digest[GROVE_DIGEST_BYTES];
    cr_assert_eq(crypto_generichash(digest, sizeof digest, form.data, form.size, NULL, 0),
                 0);
    const tree_digest own = program_digest(tree);
    cr_expect_eq(memcmp(own.bytes, digest, sizeof digest), 0);
}

static uint32_t add(uint32_t replica, oracle_event event)
{
    return program_add(&program, replica, &event);
}

static oracle_event put(const char *id, uint32_t parent, uint32_t anchor)
{
    return (oracle_event){.kind = GROVE_TREE_PUT,
                          .id = oracle_bytes_of(id),
                          .parent = parent,
                          .anchor = anchor};
}

Test(digest, is_that_of_this_form)
{
    program_clear(&program);
    grove__tree *tree = program_run(&program, 0);
    expect_digest_of(tree, (grove_bytes)BYTES("\0\0\0\0\0"));
    grove__tree_free(tree);
    oracle_event first = put("N", ORACLE_NONE, ORACLE_NONE);
    first.type = oracle_bytes_of("list");
    first.write_count = 2;
    first.writes[0] = (oracle_write){oracle_bytes_of("b"), program_integer(-1)};
    first.writes[1] = (oracle_write){oracle_bytes_of("c"), program_integer(1)};
    uint32_t n = add(A, first);
    (void)add(A,
              (oracle_event){.kind = GROVE_TREE_SET,
                             .node = n,
                             .writes = {{oracle_bytes_of("a"), oracle_bytes_of("\6x")}},
                             .write_count = 1});
    (void)add(A, (oracle_event){.kind = GROVE_TREE_UNSET,
                                .node = n,
                                .writes = {{oracle_bytes_of("c"), {0}}},
                                .write_count = 1});
    uint32_t deep = add(A, put("", n, ORACLE_NONE));
    (void)add(A, put("M", ORACLE_NONE, n));
    (void)add(A, (oracle_event){.kind = GROVE_TREE_DELETE, .node = deep});
    (void)add(A, (oracle_event){.kind = GROVE_TREE_SET,
                                .node = ORACLE_NONE,
                                .writes = {{oracle_bytes_of("r"), oracle_bytes_of("\2")}},
                                .write_count = 1});
    tree = program_run(&program, program.oracle.count);
    expect_digest_of(tree, (grove_bytes)BYTES("\0\0\0\0\1\1r\1\2"
                                              "\1\1N\4list\0\2\1a\2\6x\1b\2\3\1"
                                              "\2\004"
                                              "61.3\0\1\0"
                                              "\1\1M\0\0\0"));
    grove__tree_free(tree);
}

/* Each history, and what makes the tree differ from that of the first. */
typedef struct digest_case {
    const char *claim;
    program_edit edits[4];
} digest_case;

#define PUT(node, parent, where)                  \
    {                                             \
        GROVE_TREE_PUT, node, parent, where, NULL \
    }

static const digest_case DIFFERENT[] = {
    {"two nodes", {PUT("N", "", GROVE_TREE_LAST), PUT("M", "", GROVE_TREE_LAST)}},
    {"in another order", {PUT("N", "", GROVE_TREE_LAST), PUT("M", "", GROVE_TREE_FIRST)}},
    {"at another depth", {PUT("N", "", GROVE_TREE_LAST), PUT("M", "N", GROVE_TREE_LAST)}},
    {"with another id", {PUT("N", "", GROVE_TREE_LAST), PUT("O", "", GROVE_TREE_LAST)}},
    {"one deleted",
     {PUT("N", "", GROVE_TREE_LAST),
      PUT("M", "", GROVE_TREE_LAST),
      {GROVE_TREE_DELETE, "N", NULL, GROVE_TREE_LAST, NULL}}},
    {"another deleted",
     {PUT("N", "", GROVE_TREE_LAST),
      PUT("M", "", GROVE_TREE_LAST),
      {GROVE_TREE_DELETE, "M", NULL, GROVE_TREE_LAST, NULL}}},
    {"with another value",
     {PUT("N", "", GROVE_TREE_LAST),
      PUT("M", "", GROVE_TREE_LAST),
      {GROVE_TREE_SET, "N", NULL, GROVE_TREE_LAST, NULL}}},
    {"without a value",
     {PUT("N", "", GROVE_TREE_LAST),
      PUT("M", "", GROVE_TREE_LAST),
      {GROVE_TREE_UNSET, "N", NULL, GROVE_TREE_LAST, NULL}}},
    {"with a value of the root",
     {PUT("N", "", GROVE_TREE_LAST),
      PUT("M", "", GROVE_TREE_LAST),
      {GROVE_TREE_SET, "", NULL, GROVE_TREE_LAST, NULL}}},
    {"one more",
     {PUT("N", "", GROVE_TREE_LAST), PUT("M", "", GROVE_TREE_LAST),
      PUT("O", "", GROVE_TREE_LAST)}},
    {"one less", {PUT("N", "", GROVE_TREE_LAST)}},
};

static tree_digest digest_of(const digest_case *written)
{
    program_clear(&program);
    for (size_t index = 0; index < 4 && written->edits[index].node != NULL; index++) {
        cr_assert(program_do(&program, A, &written->edits[index]));
    }
    grove__tree *tree = program_run(&program, program.oracle.count);
    const tree_digest digest = program_digest(tree);
    grove__tree_free(tree);
    return digest;
}

Test(digest, is_another_for_each_single_difference)
{
    enum { CASES = sizeof DIFFERENT / sizeof *DIFFERENT };
    tree_digest digests[CASES];
    for (size_t index = 0; index < CASES; index++) {
        digests[index] = digest_of(&DIFFERENT[index]);
        for (size_t other = 0; other < index; other++) {
            cr_expect_neq(memcmp(&digests[index], &digests[other], sizeof *digests), 0,
                          "%s, %s", DIFFERENT[index].claim, DIFFERENT[other].claim);
        }
    }
}

/* Stamps, empty places and unset attributes are not in it. */
Test(digest, does_not_depend_on_the_way_to_the_tree)
{
    static const program_edit detour[] = {
        PUT("N", "", GROVE_TREE_LAST),
        PUT("M", "N", GROVE_TREE_LAST),
        {GROVE_TREE_SET, "", NULL, GROVE_TREE_LAST, NULL},
        {GROVE_TREE_DELETE, "N", NULL, GROVE_TREE_LAST, NULL},
        {GROVE_TREE_RESTORE, "N", NULL, GROVE_TREE_LAST, NULL},
        {GROVE_TREE_MOVE, "M", "", GROVE_TREE_FIRST, NULL},
        {GROVE_TREE_UNSET, "", NULL, GROVE_TREE_LAST, NULL},
        {GROVE_TREE_MOVE, "M", "", GROVE_TREE_LAST, NULL},
    };
    program_clear(&program);
    for (size_t index = 0; index < sizeof detour / sizeof *detour; index++) {
        cr_assert(program_do(&program, A, &detour[index]));
    }
    grove__tree *tree = program_run(&program, program.oracle.count);
    const tree_digest expected = digest_of(&DIFFERENT[0]);
    cr_assert(program_is_digest(tree, &expected));
    grove__tree_free(tree);
}

Test(digest, without_memory_says_so_and_writes_nothing)
{
    program_clear(&program);
    cr_assert(program_do(&program, A, &DIFFERENT[0].edits[0]));
    bool has_failed = true;
    for (size_t nth = 1; has_failed; nth++) {
        static const uint32_t first = 0;
        uint8_t digest[GROVE_DIGEST_BYTES] = {0};
        static const uint8_t nothing[GROVE_DIGEST_BYTES] = {0};
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, 0);
        grove__tree *tree = program_tree(&faulty.allocator);
        cr_assert_eq(program_apply(&program, tree, &first, 1, NULL), GROVE_OK);
        faulty.fails_at = faulty.calls + nth;
        grove_status status = grove__tree_digest(tree, digest, NULL);
        has_failed = faulty.has_failed;
        cr_assert_eq(status, has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        cr_assert_eq(memcmp(digest, nothing, sizeof digest) == 0, has_failed);
        grove__tree_free(tree);
        faulty_allocator_finish(&faulty);
    }
}
