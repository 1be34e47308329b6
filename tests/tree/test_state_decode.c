#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "program.h"
#include "support/faulty_allocator.h"
#include "tree/columns.h"

static tree_program program;

enum { EVENTS = 24, LATER = 12 };

/* A program that some of the replicas know, and events of theirs after it. */
static void draw(test_random *random, grove_type_buffers *snapshot, uint64_t settled)
{
    program_clear(&program);
    while (program.oracle.count < EVENTS + LATER) {
        uint32_t replica = (uint32_t)test_random_below(random, 3);
        (void)program_draw(&program, replica, random);
        program_learn(&program, (uint32_t)test_random_below(random, 3), replica);
    }
    grove__tree *tree = program_run(&program, EVENTS);
    program_encode(tree, settled, snapshot);
    grove__tree_free(tree);
}

/* Whatever it is, it is a tree: events come to it, it is read and stored. */
static void use(grove__tree *tree)
{
    const char *fault = grove__tree_check(tree);
    cr_assert_null(fault, "%s", fault);
    tree_digest digest = program_digest(tree);
    for (uint32_t event = 0; event < program.oracle.count; event += 2) {
        grove_status status = program_apply(&program, tree, &event, 1, NULL);
        cr_assert(status == GROVE_OK || status == GROVE_CORRUPT);
        fault = grove__tree_check(tree);
        cr_assert_null(fault, "after an event: %s", fault);
        cr_assert(status == GROVE_OK || program_is_digest(tree, &digest));
        digest = program_digest(tree);
    }
    program_reload(&tree, 0);
    fault = grove__tree_check(tree);
    cr_assert_null(fault, "loaded again: %s", fault);
    cr_assert(program_is_digest(tree, &digest));
    grove__tree_free(tree);
}

/* Decodes it, which may fail. */
static bool try_decode(grove_type_frames frames)
{
    const grove_document_type *type = grove_type_tree();
    grove_error error = {GROVE_OK, 0, ""};
    void *state = NULL;
    grove_status status =
        type->state_decode(type, &grove__allocator_system, frames, &state, &error);
    if (status == GROVE_OK) {
        use(state);
        return true;
    }
    cr_assert_eq(status, GROVE_CORRUPT);
    cr_assert_eq(error.status, GROVE_CORRUPT);
    cr_assert_null(state);
    cr_assert_leq(error.offset, frames.structure.size + frames.content.size);
    return false;
}

static uint64_t try_all_bytes(const grove_type_buffers *snapshot,
                              const grove_buffer *frame)
{
    uint64_t taken = 0;
    for (size_t index = 0; index < frame->size; index++) {
        uint8_t held = frame->data[index];
        for (unsigned value = 0; value < 256; value++) {
            /* Of most values a sample will do. */
            if (value == held || (value > 40 && value % 16 != 0 && value < 0x7f)) {
                continue;
            }
            frame->data[index] = (uint8_t)value;
            taken += try_decode(program_frames(snapshot)) ? 1 : 0;
        }
        frame->data[index] = held;
    }
    return taken;
}

Test(state_decode, of_a_snapshot_with_any_byte_changed_refuses_or_makes_a_tree)
{
    test_random random = test_random_of("state_decode");
    for (uint64_t round = 0; round < 2; round++) {
        grove_type_buffers snapshot;
        draw(&random, &snapshot, round * 6);
        cr_assert_gt(try_all_bytes(&snapshot, &snapshot.structure), 0);
        (void)try_all_bytes(&snapshot, &snapshot.content);
        program_release(&snapshot);
    }
}

Test(state_decode, of_a_snapshot_with_many_bytes_changed_refuses_or_makes_a_tree)
{
    test_random random = test_random_of("state_decode");
    for (uint32_t round = 0; round < 100; round++) {
        grove_type_buffers snapshot;
        grove_buffer changed;
        draw(&random, &snapshot, test_random_below(&random, 10));
        grove_buffer_init(&changed, &grove__allocator_system);
        for (uint32_t try = 0; try < 200; try++) {
            grove_buffer_reset(&changed);
            grove_buffer_append(&changed, snapshot.structure.data,
                                snapshot.structure.size);
            uint64_t changes = 1 + test_random_below(&random, 4);
            for (uint64_t change = 0; change < changes; change++) {
                uint8_t *byte = changed.data + test_random_below(&random, changed.size);
                /* Mostly small steps, which often are numbers that may be. */
                *byte = (uint8_t)(*byte + test_random_below(&random, 5) - 2);
            }
            (void)try_decode((grove_type_frames){grove_buffer_view(&changed),
                                                 grove_buffer_view(&snapshot.content),
                                                 false});
        }
        grove_buffer_release(&changed);
        program_release(&snapshot);
    }
}

Test(state_decode, of_a_snapshot_that_is_cut_or_goes_on_refuses)
{
    test_random random = test_random_of("state_decode");
    grove_type_buffers snapshot;
    draw(&random, &snapshot, 0);
    grove_type_frames frames = program_frames(&snapshot);
    for (size_t size = 0; size < frames.structure.size; size++) {
        grove_type_frames cut = frames;
        cut.structure.size = size;
        cr_assert_not(try_decode(cut), "%zu bytes of structure", size);
    }
    for (size_t size = 0; size < frames.content.size; size++) {
        grove_type_frames cut = frames;
        cut.content.size = size;
        cr_assert_not(try_decode(cut), "%zu bytes of content", size);
    }
    grove_buffer_u8(&snapshot.content, 0);
    cr_assert_not(try_decode(program_frames(&snapshot)));
    snapshot.content.size--;
    cr_assert(try_decode(program_frames(&snapshot)));
    grove_buffer_u8(&snapshot.structure, 0);
    cr_assert_not(try_decode(program_frames(&snapshot)));
    program_release(&snapshot);
}

/* --- what each check of the decoder is for --- */

/* Root, a node "r".0 of type "" below it, and "r".1, called "N", below that,
 * with an attribute "a" = null, which is deleted. */
static void write_base(grove_buffer *columns)
{
    static const struct {
        const char *bytes;
        size_t size;
    } base[COLUMN_COUNT] = {
        [COLUMN_HEAD] = {"\0\3\1\1\1\2\1\0\1", 9},
        [COLUMN_COUNTS] = {"\1\1\0", 3},
        [COLUMN_PLACES] = {"\x10\0", 2},
        [COLUMN_NODES] = {"", 0},
        [COLUMN_REPLICAS] = {"\0\0\0\0", 4},
        [COLUMN_SEQUENCES] = {"\0\2\2\2", 4},
        [COLUMN_TIMES] = {"\2\0\0\0", 4},
        [COLUMN_ANCHORS] = {"\0\0", 2},
        [COLUMN_TYPES] = {"\0\0", 2},
        [COLUMN_IDS] = {"\0\1", 2},
        [COLUMN_DELETIONS] = {"\3", 1},
        [COLUMN_ATTRIBUTES] = {"\3", 1},
        [COLUMN_OWNERS] = {"\0", 1},
        [COLUMN_SIZES] = {"\3", 1},
    };
    for (size_t column = 0; column < COLUMN_COUNT; column++) {
        grove_buffer_init(&columns[column], &grove__allocator_system);
        grove_buffer_append(&columns[column], base[column].bytes, base[column].size);
    }
}

static void join(const grove_buffer *columns, grove_buffer *structure)
{
    grove_buffer_init(structure, &grove__allocator_system);
    for (size_t column = 0; column < COLUMN_COUNT; column++) {
        grove_buffer_varint(structure, columns[column].size);
    }
    for (size_t column = 0; column < COLUMN_COUNT; column++) {
        grove_buffer_append(structure, columns[column].data, columns[column].size);
    }
}

typedef struct wrong_column {
    const char *claim;
    size_t column;
    const char *bytes;
    size_t size;
    const char *content; /* NULL: as it is */
    bool is_well;
} wrong_column;

#define WRONG(claim, column, bytes)                          \
    {                                                        \
        claim, column, bytes, sizeof(bytes) - 1, NULL, false \
    }

static const wrong_column WRONG[] = {
    {"nothing is wrong", COLUMN_TYPES, "\0\0", 2, NULL, true},
    WRONG("no node at all", COLUMN_HEAD, "\0\0\1\1\1\2\1\0\1"),
    WRONG("more nodes than types", COLUMN_HEAD, "\0\4\1\1\1\2\1\0\1"),
    WRONG("fewer nodes than places say", COLUMN_HEAD, "\0\2\1\1\1\2\1\0\1"),
    WRONG("more attributes than there are", COLUMN_HEAD, "\0\3\2\1\1\2\1\0\1"),
    WRONG("fewer attributes", COLUMN_HEAD, "\0\3\0\1\1\2\1\0\1"),
    WRONG("more deletions than there are", COLUMN_HEAD, "\0\3\1\2\1\2\1\0\1"),
    WRONG("more replicas than there are", COLUMN_HEAD, "\0\3\1\1\3\2\1\0\1"),
    WRONG("more names than there are", COLUMN_HEAD, "\0\3\1\1\1\3\1\0\1"),
    WRONG("a replica without a name", COLUMN_HEAD, "\0\3\1\1\1\2\0\0\1"),
    WRONG("a name twice", COLUMN_HEAD, "\0\3\1\1\1\2\1\0\0"),
    WRONG("more places below a node than there are", COLUMN_COUNTS, "\1\2\0"),
    WRONG("fewer", COLUMN_COUNTS, "\1\0\0"),
    WRONG("a node after those that were met", COLUMN_COUNTS, "\0\2\0"),
    WRONG("a role that there is not", COLUMN_PLACES, "\x10\3"),
    WRONG("bits that there are not", COLUMN_PLACES, "\x10\x20"),
    WRONG("a node without a base", COLUMN_PLACES, "\x10\2"),
    WRONG("a node without a put", COLUMN_PLACES, "\x10\4"),
    WRONG("a move that names its node", COLUMN_PLACES, "\x14\0"),
    WRONG("a node that is met before and is not there", COLUMN_PLACES, "\x10\x08"),
    WRONG("a put that is left out and is not settled", COLUMN_PLACES, "\x12\0"),
    WRONG("a replica that there is not", COLUMN_REPLICAS, "\0\0\1\0"),
    WRONG("a sequence below the first", COLUMN_SEQUENCES, "\1\2\2\2"),
    WRONG("one event twice", COLUMN_SEQUENCES, "\0\0\2\2"),
    WRONG("a time of nothing", COLUMN_TIMES, "\0\0\0\0"),
    WRONG("right of what comes later", COLUMN_ANCHORS, "\0\2"),
    WRONG("left of the beginning", COLUMN_ANCHORS, "\0\6"),
    WRONG("a type that there is not", COLUMN_TYPES, "\0\2"),
    WRONG("an id for a node that has one", COLUMN_IDS, "\1\0"),
    WRONG("two ids", COLUMN_IDS, "\1\1"),
    WRONG("no id", COLUMN_IDS, "\0\0"),
    WRONG("an id beyond the end", COLUMN_IDS, "\0\4"),
    WRONG("a deletion of the node after the last", COLUMN_DELETIONS, "\5"),
    WRONG("an attribute of no name", COLUMN_ATTRIBUTES, "\5"),
    WRONG("an attribute whose name is empty", COLUMN_ATTRIBUTES, "\1"),
    WRONG("an attribute of the node after the last", COLUMN_OWNERS, "\2"),
    WRONG("an attribute of the root as of its last put", COLUMN_ATTRIBUTES, "\2"),
    WRONG("a value beyond the end", COLUMN_SIZES, "\5"),
    {"a value that is none", COLUMN_SIZES, "\3", 1, "raN\x7f", false},
    {"a name that is not UTF-8", COLUMN_SIZES, "\3", 1,
     "r\xff"
     "N\0",
     false},
};

Test(state_decode, refuses_each_column_that_cannot_be)
{
    for (size_t index = 0; index < sizeof WRONG / sizeof *WRONG; index++) {
        const wrong_column *wrong = &WRONG[index];
        grove_buffer columns[COLUMN_COUNT];
        grove_buffer structure;
        grove_error error = {GROVE_OK, 0, ""};
        void *state = NULL;
        const grove_document_type *type = grove_type_tree();
        const grove_bytes content = {
            (const uint8_t *)(wrong->content == NULL ? "raN\0" : wrong->content), 4};
        write_base(columns);
        grove_buffer_reset(&columns[wrong->column]);
        grove_buffer_append(&columns[wrong->column], wrong->bytes, wrong->size);
        join(columns, &structure);
        grove_status status = type->state_decode(
            type, &grove__allocator_system,
            (grove_type_frames){grove_buffer_view(&structure), content, false}, &state,
            &error);
        cr_expect_eq(status, wrong->is_well ? GROVE_OK : GROVE_CORRUPT, "%s: %s",
                     wrong->claim, error.message);
        cr_expect_leq(error.offset, structure.size, "%s", wrong->claim);
        if (status == GROVE_OK) {
            cr_expect_null(grove__tree_check(state), "%s", wrong->claim);
        }
        type->state_free(type, state);
        for (size_t column = 0; column < COLUMN_COUNT; column++) {
            grove_buffer_release(&columns[column]);
        }
        grove_buffer_release(&structure);
    }
}

typedef struct column_bytes {
    const char *bytes;
    size_t size;
} column_bytes;

typedef struct whole_snapshot {
    const char *claim;
    column_bytes columns[COLUMN_COUNT];
    column_bytes content;
    bool is_well;
} whole_snapshot;

#define OF(text)                 \
    {                            \
        (text), sizeof(text) - 1 \
    }

/* Of one replica, "r", whose first event has the time 1, and one name, the
 * empty one; head, counts, places, nodes, replicas, sequences, times, anchors,
 * types, ids. */
static const whole_snapshot WHOLE[] = {
    {"a node that is put twice",
     {OF("\0\2\0\0\1\1\1\0"), OF("\2\0"), OF("\x10\x09"), OF("\1"), OF("\0\0"),
      OF("\0\2"), OF("\2\0"), OF("\0\0"), OF("\0"), OF("\0")},
     OF("r"),
     true},
    {"is not named by both",
     {OF("\0\2\0\0\1\1\1\0"), OF("\2\0"), OF("\x10\x19"), OF("\1"), OF("\0\0"),
      OF("\0\2"), OF("\2\0"), OF("\0\0"), OF("\0"), OF("\0")},
     OF("r"),
     false},
    {"nor does it begin at the later one",
     {OF("\1\2\0\0\1\1\1\0"), OF("\2\0"), OF("\x12\x08"), OF("\1"), OF("\0\0"),
      OF("\0\2"), OF("\2\0"), OF("\0\0"), OF("\0"), OF("\0")},
     OF("r"),
     false},
    {"unless that is settled",
     {OF("\2\2\0\0\1\1\1\0"), OF("\2\0"), OF("\x12\x08"), OF("\1"), OF("\0\0"),
      OF("\0\2"), OF("\2\0"), OF("\0\0"), OF("\0"), OF("\0")},
     OF("r"),
     true},
    {"the earlier one is not right of the later one",
     {OF("\2\2\0\0\1\1\1\0"), OF("\2\0"), OF("\x10\x0a"), OF("\1"), OF("\0\0"),
      OF("\2\1"), OF("\2\0"), OF("\0\0"), OF("\0"), OF("\0")},
     OF("r"),
     false},
    {"an id that names a put is not given",
     {OF("\0\2\0\0\1\1\1\0"), OF("\2\0"), OF("\0\x09"), OF("\1"), OF("\0\0"), OF("\0\2"),
      OF("\2\0"), OF("\0\0"), OF("\0"), OF("\4")},
     OF("r72.0"),
     false},
    {"but may name the put of another node, which was given an id",
     {OF("\0\3\0\0\1\1\1\0"), OF("\2\0\0"), OF("\0\0"), OF(""), OF("\0\0"), OF("\0\2"),
      OF("\2\0"), OF("\0\0"), OF("\0\0"), OF("\1\4")},
     OF("rN72.0"),
     true},
    {"and not one that was not",
     {OF("\0\3\0\0\1\1\1\0"), OF("\2\0\0"), OF("\x10\0"), OF(""), OF("\0\0"), OF("\0\2"),
      OF("\2\0"), OF("\0\0"), OF("\0\0"), OF("\0\4")},
     OF("r72.0"),
     false},
    {"no two nodes have one id",
     {OF("\0\3\0\0\1\1\1\0"), OF("\2\0\0"), OF("\0\0"), OF(""), OF("\0\0"), OF("\0\2"),
      OF("\2\0"), OF("\0\0"), OF("\0\0"), OF("\1\1")},
     OF("rNN"),
     false},
    {"a node is put before what is below it",
     {OF("\0\3\0\0\1\1\1\0"), OF("\1\1\0"), OF("\x10\x10"), OF(""), OF("\0\0"),
      OF("\2\1"), OF("\2\0"), OF("\0\0"), OF("\0\0"), OF("\0\0")},
     OF("r"),
     false},
    {"two nodes that were moved",
     {OF("\3\3\0\0\1\1\1\0"), OF("\2\1\0"), OF("\x12\x0c\x10"), OF("\1"), OF("\0\0\0"),
      OF("\0\4\1"), OF("\2\0\0"), OF("\0\0\0"), OF("\0\0"), OF("\0\0")},
     OF("r"),
     true},
    {"do not stand below each other",
     {OF("\3\3\0\0\1\1\1\0"), OF("\1\1\1"), OF("\x12\x10\x0c"), OF("\1"), OF("\0\0\0"),
      OF("\0\2\2"), OF("\2\0\0"), OF("\0\0\0"), OF("\0\0"), OF("\0\0")},
     OF("r"),
     false},
};

Test(state_decode, takes_what_can_have_come_about_and_nothing_else)
{
    for (size_t index = 0; index < sizeof WHOLE / sizeof *WHOLE; index++) {
        const whole_snapshot *whole = &WHOLE[index];
        grove_buffer columns[COLUMN_COUNT];
        grove_buffer structure;
        for (size_t column = 0; column < COLUMN_COUNT; column++) {
            grove_buffer_init(&columns[column], &grove__allocator_system);
            grove_buffer_append(&columns[column], whole->columns[column].bytes,
                                whole->columns[column].size);
        }
        join(columns, &structure);
        const grove_bytes content = {(const uint8_t *)whole->content.bytes,
                                     whole->content.size};
        program_clear(&program);
        cr_expect_eq(try_decode((grove_type_frames){grove_buffer_view(&structure),
                                                    content, false}),
                     whole->is_well, "%s", whole->claim);
        for (size_t column = 0; column < COLUMN_COUNT; column++) {
            grove_buffer_release(&columns[column]);
        }
        grove_buffer_release(&structure);
    }
}

Test(state_decode, without_memory_leaves_nothing_behind)
{
    const grove_document_type *type = grove_type_tree();
    test_random random = test_random_of("state_decode");
    grove_type_buffers snapshot;
    draw(&random, &snapshot, 0);
    bool has_failed = true;
    for (size_t nth = 1; has_failed; nth++) {
        faulty_allocator faulty;
        void *state = NULL;
        faulty_allocator_init(&faulty, nth);
        grove_status status = type->state_decode(type, &faulty.allocator,
                                                 program_frames(&snapshot), &state, NULL);
        has_failed = faulty.has_failed;
        cr_assert_eq(status, has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        cr_assert_eq(state == NULL, has_failed);
        type->state_free(type, state);
        faulty_allocator_finish(&faulty);
    }
    program_release(&snapshot);
}
