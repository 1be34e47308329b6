#include "base/alloc.h"
#include "format/column.h"
#include "operations.h"
#include "support/faulty_allocator.h"
#include "text/operation.h"

enum {
    INSERT = GROVE_TEXT_INSERT,
    FORWARD = GROVE_TEXT_DELETE,
    BACK = GROVE_TEXT_BACKSPACE
};

static void buffers_init(grove_type_buffers *buffers, const grove_allocator *allocator)
{
    grove_buffer_init(&buffers->structure, allocator);
    grove_buffer_init(&buffers->content, allocator);
    buffers->structure_cut_count = 0;
}

static void buffers_release(grove_type_buffers *buffers)
{
    grove_buffer_release(&buffers->structure);
    grove_buffer_release(&buffers->content);
}

static grove_type_frames frames_of(const grove_type_buffers *buffers)
{
    return (grove_type_frames){grove_buffer_view(&buffers->structure),
                               grove_buffer_view(&buffers->content), false};
}

/* Decodes and compares, with or without contents. */
static void assert_decodes_to(grove_type_frames frames, const history *expected)
{
    grove_buffer decoded;
    grove_error error = {GROVE_OK, 0, ""};
    grove_buffer_init(&decoded, &grove__allocator_system);
    grove_status status =
        grove__text_operations_decode(frames, expected->events, &decoded, &error);
    cr_assert_eq(status, GROVE_OK, "%s at %llu", error.message,
                 (unsigned long long)error.offset);
    cr_assert_eq(decoded.size, expected->count * sizeof(grove_operation));
    const grove_operation *operations = (const grove_operation *)(void *)decoded.data;
    for (size_t index = 0; index < expected->count; index++) {
        grove_operation item = expected->items[index];
        if (frames.is_content_left_out) {
            item.content = (grove_bytes){NULL, 0};
        }
        assert_operation(&operations[index], &item);
    }
    grove_buffer_release(&decoded);
}

static void assert_decodes(grove_type_frames frames, const history *expected)
{
    assert_decodes_to(frames, expected);
    frames.content = (grove_bytes){NULL, 0};
    frames.is_content_left_out = true;
    assert_decodes_to(frames, expected);
}

static void assert_round_trip(const history *list)
{
    grove_type_buffers buffers;
    buffers_init(&buffers, &grove__allocator_system);
    cr_assert_eq(grove__text_operations_encode(history_view(list), &buffers, NULL),
                 GROVE_OK);
    assert_decodes(frames_of(&buffers), list);
    size_t before = 0;
    for (size_t cut = 0; cut < buffers.structure_cut_count; cut++) {
        cr_assert_gt(buffers.structure_cuts[cut], before);
        cr_assert_lt(buffers.structure_cuts[cut], buffers.structure.size);
        before = buffers.structure_cuts[cut];
    }
    buffers_release(&buffers);
}

Test(operation_columns, histories_come_back_as_they_were)
{
    test_random random = test_random_of("columns");
    for (size_t round = 0; round < 60; round++) {
        history list = random_history(&random, 1 + round * round, 1 + round % 4);
        assert_round_trip(&list);
        history_release(&list);
    }
}

Test(operation_columns, counts_and_moves_of_every_size_come_back)
{
    static const uint32_t counts[] = {1,     2,     30,    31,    32,     33,
                                      222,   223,   224,   12510, 12511,  12512,
                                      12767, 12768, 65535, 65536, 1 << 20};
    static const uint64_t positions[] = {
        0,
        1,
        95,
        96,
        97,
        6240,
        6241,
        12480,
        1 << 20,
        UINT64_C(1) << 40,
        GROVE_DOCUMENT_EVENTS_MAX - (1 << 20) - 1,
        GROVE_DOCUMENT_EVENTS_MAX - (1 << 20),
    };
    history list = {NULL, 0, 0, 0};
    for (size_t count = 0; count < sizeof counts / sizeof *counts; count++) {
        for (size_t position = 0; position < sizeof positions / sizeof *positions;
             position++) {
            for (uint32_t kind = FORWARD; kind <= BACK; kind++) {
                uint32_t single = counts[count] == 1 ? FORWARD : kind;
                history_append(&list,
                               deletion(single, positions[position], counts[count]));
            }
        }
    }
    assert_round_trip(&list);
    history_release(&list);
}

Test(operation_columns, typing_and_erasing_on_the_spot_take_a_byte_each)
{
    /* "grove", its last letter erased, then the next to the right of it. */
    history list = {NULL, 0, 0, 0};
    uint32_t points[] = {'g', 'r', 'o', 'v', 'e'};
    history_append(&list, (grove_operation){INSERT, 5, 0, utf8_of(points, 5)});
    history_append(&list, deletion(FORWARD, 4, 1));
    history_append(&list, deletion(FORWARD, 4, 1));
    history_append(&list, deletion(BACK, 2, 2));
    grove_type_buffers buffers;
    buffers_init(&buffers, &grove__allocator_system);
    cr_assert_eq(grove__text_operations_encode(history_view(&list), &buffers, NULL),
                 GROVE_OK);
    static const uint8_t expected[] = {4,          0,          0,          0,
                                       4 << 3 | 0, 0 << 3 | 2, 0 << 3 | 1, 1 << 3 | 2};
    cr_assert_eq(buffers.structure.size, sizeof expected);
    cr_assert_eq(memcmp(buffers.structure.data, expected, sizeof expected), 0);
    buffers_release(&buffers);
    history_release(&list);
}

Test(operation_columns, encoding_appends_and_counts_cuts_from_the_buffers_start)
{
    history list = {NULL, 0, 0, 0};
    history_append(&list, deletion(FORWARD, 10, 50));
    grove_type_buffers buffers;
    buffers_init(&buffers, &grove__allocator_system);
    grove_buffer_append(&buffers.structure, "before", 6);
    cr_assert_eq(grove__text_operations_encode(history_view(&list), &buffers, NULL),
                 GROVE_OK);
    cr_assert_eq(buffers.structure_cut_count, 2);
    cr_assert_eq(buffers.structure_cuts[0], 6 + 4 + 1);
    cr_assert_eq(buffers.structure_cuts[1], 6 + 4 + 1 + 1);
    cr_assert_eq(memcmp(buffers.structure.data, "before", 6), 0);
    grove_type_frames frames = frames_of(&buffers);
    frames.structure.data += 6;
    frames.structure.size -= 6;
    assert_decodes(frames, &list);
    buffers_release(&buffers);
    history_release(&list);
}

Test(operation_columns, no_operations_are_no_bytes)
{
    history none = {NULL, 0, 0, 0};
    grove_type_buffers buffers;
    buffers_init(&buffers, &grove__allocator_system);
    cr_assert_eq(grove__text_operations_encode(history_view(&none), &buffers, NULL),
                 GROVE_OK);
    cr_assert_eq(buffers.structure.size + buffers.content.size, 0);
    assert_decodes(frames_of(&buffers), &none);
    buffers_release(&buffers);
}

/* Whatever passes without its content is as long as was said, and it passes
 * when the whole does. */
static void decode_without_content(grove_bytes structure, uint64_t events,
                                   grove_status with_content)
{
    grove_type_frames frames = {structure, {NULL, 0}, true};
    grove_buffer decoded;
    grove_buffer_init(&decoded, &grove__allocator_system);
    grove_status status = grove__text_operations_decode(frames, events, &decoded, NULL);
    cr_assert(status == GROVE_OK ||
              (status == GROVE_CORRUPT && with_content == GROVE_CORRUPT));
    const grove_operation *operations = (const grove_operation *)(void *)decoded.data;
    size_t count = decoded.size / sizeof *operations;
    cr_assert_leq(count, structure.size);
    for (size_t index = 0; index < count; index++) {
        cr_assert_eq(operations[index].content.size, 0);
        cr_assert_leq(operations[index].count, events);
        events -= operations[index].count;
    }
    cr_assert(status != GROVE_OK || events == 0);
    grove_buffer_release(&decoded);
}

/* Copies of exactly the frames' sizes, so that a sanitizer sees every read
 * outside. */
static grove_status decode_copy(grove_bytes structure, grove_bytes content,
                                uint64_t events, grove_buffer *decoded,
                                grove_error *error)
{
    uint8_t *first = malloc(structure.size + (structure.size == 0));
    uint8_t *second = malloc(content.size + (content.size == 0));
    cr_assert(first != NULL && second != NULL);
    if (structure.size > 0) {
        memcpy(first, structure.data, structure.size);
    }
    if (content.size > 0) {
        memcpy(second, content.data, content.size);
    }
    grove_type_frames frames = {{first, structure.size}, {second, content.size}, false};
    size_t size = decoded->size;
    grove_status status = grove__text_operations_decode(frames, events, decoded, error);
    decode_without_content(frames.structure, events, status);
    if (status == GROVE_OK) {
        /* Whatever passes is well-formed, takes up the content and has as many
         * events as was said. */
        size_t bytes = 0;
        const grove_operation *operations =
            (const grove_operation *)(void *)decoded->data;
        for (size_t index = 0; index < decoded->size / sizeof *operations; index++) {
            cr_assert_eq(grove__text_operation_check(&operations[index], NULL), GROVE_OK);
            cr_assert(operations[index].kind != INSERT ||
                      operations[index].content.data == second + bytes);
            bytes += operations[index].content.size;
            events -= operations[index].count;
        }
        cr_assert_eq(bytes, content.size);
        cr_assert_eq(events, 0);
    } else {
        cr_assert_eq(status, GROVE_CORRUPT);
        cr_assert_eq(decoded->size, size, "nothing is appended on failure");
        cr_assert_eq(error->status, GROVE_CORRUPT);
        cr_assert_neq(error->message[0], '\0');
        cr_assert_leq(error->offset,
                      structure.size > content.size ? structure.size : content.size);
    }
    free(first);
    free(second);
    return status;
}

#define STRUCTURE(...) {__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
static const struct {
    const char *name;
    uint8_t structure[24];
    size_t structure_bytes;
    const char *content;
    uint64_t events;
    uint64_t offset;
} lies[] = {
    {"no head", STRUCTURE(0x80), "", 1, 0},
    {"a head cut short", STRUCTURE(1, 0, 0), "", 1, 3},
    {"no operations", STRUCTURE(0, 0, 0, 0), "", 0, 0},
    {"no operations for an event", STRUCTURE(0, 0, 0, 0), "", 1, 0},
    {"more operations than events", STRUCTURE(2, 0, 0, 0, 1, 1), "", 1, 0},
    {"a column beyond the end", STRUCTURE(2, 0, 0, 0, 1), "", 2, 4},
    {"a column far beyond the end",
     STRUCTURE(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 1), "",
     1, 13},
    {"columns that wrap around",
     STRUCTURE(1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 1), "",
     1, 14},
    {"bytes after the columns", STRUCTURE(1, 0, 0, 0, 1, 0), "", 1, 5},
    {"kind 3", STRUCTURE(1, 0, 0, 0, 3), "", 1, 4},
    {"fewer events", STRUCTURE(1, 0, 0, 0, 1), "", 2, 5},
    {"more events", STRUCTURE(1, 0, 0, 0, 1 | 2 << 3), "", 2, 4},
    {"a count that is not there", STRUCTURE(1, 0, 0, 0, 1 | 31 << 3), "", 40, 5},
    {"a count whose rest is not there", STRUCTURE(1, 0, 0, 1, 1 | 31 << 3, 192), "", 300,
     6},
    {"a count too large", STRUCTURE(1, 0, 0, 1, 1 | 31 << 3, 9), "", 40, 4},
    {"a count of 64 bits",
     STRUCTURE(1, 0, 0, 9, 1 | 31 << 3, 247, 0x3f, 0xcf, 0xff, 0xff, 0xff, 0xff, 0xff,
               0xff),
     "", 40, 4},
    {"a count that is no number", STRUCTURE(1, 0, 0, 1, 1 | 31 << 3, 248), "", 40, 5},
    {"a count too many", STRUCTURE(1, 0, 0, 1, 1, 9), "", 1, 5},
    {"a move that is not there", STRUCTURE(1, 0, 0, 0, 5), "", 1, 5},
    {"a move whose rest is not there", STRUCTURE(1, 1, 0, 0, 5, 192), "", 1, 6},
    {"a move that is no number", STRUCTURE(1, 1, 0, 0, 5, 255), "", 1, 5},
    {"a move too many", STRUCTURE(1, 1, 0, 0, 1, 2), "", 1, 5},
    {"a move's rest too many", STRUCTURE(1, 1, 1, 0, 5, 2, 2), "", 1, 6},
    {"a move that moves nothing", STRUCTURE(1, 1, 0, 0, 5, 0), "", 1, 6},
    {"a move before the text", STRUCTURE(1, 1, 0, 0, 5, 1), "", 1, 6},
    {"a move beyond every text", STRUCTURE(1, 1, 7, 0, 5, 246, 0, 0, 0, 0, 0, 0, 2), "",
     1, 6},
    {"the move of most bits, backward",
     STRUCTURE(1, 1, 8, 0, 5, 247, 0x3f, 0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), "", 1,
     6},
    {"the move of most bits, forward",
     STRUCTURE(1, 1, 8, 0, 5, 247, 0x3e, 0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), "", 1,
     6},
    {"a run over the end of every text",
     STRUCTURE(1, 1, 7, 0, 5 | 1 << 3, 246, 0x3e, 0xcf, 0xff, 0xff, 0xff, 0xff, 1), "", 2,
     4},
    {"a backspace before the text", STRUCTURE(1, 0, 0, 0, 2 | 1 << 3), "", 2, 4},
    {"a single backspace before the text", STRUCTURE(1, 0, 0, 0, 2), "", 1, 4},
    {"an insertion without content", STRUCTURE(1, 0, 0, 0, 0), "", 1, 4},
    {"an insertion with too little", STRUCTURE(1, 0, 0, 0, 2 << 3), "\xc3\xa9z", 3, 4},
    {"an insertion with too much", STRUCTURE(1, 0, 0, 0, 1 << 3), "abc", 2, 5},
    {"a deletion with content", STRUCTURE(1, 0, 0, 0, 1), "a", 1, 5},
    {"content that is not UTF-8", STRUCTURE(1, 0, 0, 0, 1 << 3), "a\xc3", 2, 1},
    {"content that is a surrogate", STRUCTURE(1, 0, 0, 0, 0), "\xed\xa0\x80", 1, 0},
};
#undef STRUCTURE

Test(operation_columns, lies_are_corrupt_where_they_are_told)
{
    for (size_t index = 0; index < sizeof lies / sizeof *lies; index++) {
        grove_bytes structure = {lies[index].structure, lies[index].structure_bytes};
        grove_buffer decoded;
        grove_error error = {GROVE_OK, 0, ""};
        grove_buffer_init(&decoded, &grove__allocator_system);
        cr_assert_eq(decode_copy(structure, grove_bytes_of(lies[index].content),
                                 lies[index].events, &decoded, &error),
                     GROVE_CORRUPT, "%s", lies[index].name);
        cr_assert_eq(error.offset, lies[index].offset, "%s: at %llu, \"%s\"",
                     lies[index].name, (unsigned long long)error.offset, error.message);
        grove_buffer_release(&decoded);
    }
}

Test(operation_columns, a_batch_has_no_more_events_than_the_limit)
{
    for (uint64_t events = GROVE_BATCH_EVENTS_MAX - 1;
         events <= GROVE_BATCH_EVENTS_MAX + 1; events++) {
        static const uint8_t sizes_and_head[] = {1, 0, 0, 5, 1 | 31 << 3};
        grove_buffer structure;
        grove_buffer decoded;
        grove_error error = {GROVE_OK, 0, ""};
        grove_buffer_init(&structure, &grove__allocator_system);
        grove_buffer_init(&decoded, &grove__allocator_system);
        grove_buffer_append(&structure, sizes_and_head, sizeof sizes_and_head);
        grove__column_put(&structure, &structure, events - 1 - 31);
        cr_assert_eq(structure.size, sizeof sizes_and_head + 5);
        grove_type_frames frames = {grove_buffer_view(&structure), {NULL, 0}, false};
        grove_status status =
            grove__text_operations_decode(frames, events, &decoded, &error);
        cr_assert_eq(status, events <= GROVE_BATCH_EVENTS_MAX ? GROVE_OK : GROVE_CORRUPT);
        cr_assert_eq(decoded.size,
                     events <= GROVE_BATCH_EVENTS_MAX ? sizeof(grove_operation) : 0);
        grove_buffer_release(&structure);
        grove_buffer_release(&decoded);
    }
}

Test(operation_columns, every_flip_and_every_cut_is_refused_or_well_formed)
{
    test_random random = test_random_of("columns flips");
    grove_buffer decoded;
    grove_error error;
    size_t refused = 0;
    size_t tried = 0;
    grove_buffer_init(&decoded, &grove__allocator_system);
    for (size_t round = 0; round < 4; round++) {
        history list = random_history(&random, 20, 1 + round % 4);
        grove_type_buffers buffers;
        buffers_init(&buffers, &grove__allocator_system);
        cr_assert_eq(grove__text_operations_encode(history_view(&list), &buffers, NULL),
                     GROVE_OK);
        grove_type_frames frames = frames_of(&buffers);
        for (size_t frame = 0; frame < 2; frame++) {
            grove_buffer *damaged = frame == 0 ? &buffers.structure : &buffers.content;
            for (size_t bit = 0; bit < damaged->size * 8; bit++) {
                damaged->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
                decoded.size = 0;
                refused += decode_copy(frames.structure, frames.content, list.events,
                                       &decoded, &error) != GROVE_OK;
                tried++;
                damaged->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            }
            for (size_t size = 0; size < damaged->size; size++) {
                grove_bytes shorter = {damaged->data, size};
                decoded.size = 0;
                cr_assert_eq(decode_copy(frame == 0 ? shorter : frames.structure,
                                         frame == 1 ? shorter : frames.content,
                                         list.events, &decoded, &error),
                             GROVE_CORRUPT);
            }
        }
        for (uint64_t events = list.events - 1; events <= list.events + 1; events++) {
            decoded.size = 0;
            cr_assert_eq(decode_copy(frames.structure, frames.content, events, &decoded,
                                     &error) == GROVE_OK,
                         events == list.events);
        }
        buffers_release(&buffers);
        history_release(&list);
    }
    cr_assert_gt(refused, tried / 20);
    grove_buffer_release(&decoded);
}

Test(operation_columns, random_bytes_are_refused_or_well_formed)
{
    test_random random = test_random_of("columns bytes");
    grove_buffer decoded;
    grove_error error;
    grove_buffer_init(&decoded, &grove__allocator_system);
    for (size_t round = 0; round < 100000; round++) {
        uint8_t structure[40];
        uint8_t content[40];
        size_t heads = 1 + (size_t)test_random_below(&random, 8);
        size_t moves = (size_t)test_random_below(&random, 4);
        test_random_bytes(&random, structure, sizeof structure);
        structure[0] = (uint8_t)heads;
        structure[1] = (uint8_t)moves;
        structure[2] = 0;
        structure[3] = 0;
        for (size_t index = 0; index < sizeof content; index++) {
            content[index] = 'x';
        }
        decoded.size = 0;
        (void)decode_copy((grove_bytes){structure, 4 + heads + moves},
                          (grove_bytes){content, test_random_below(&random, 40)},
                          heads + test_random_below(&random, 40), &decoded, &error);
    }
    grove_buffer_release(&decoded);
}

Test(operation_columns, encoding_without_memory_leaves_the_buffers_as_they_were)
{
    test_random random = test_random_of("columns faults");
    history list = random_history(&random, 200, 3);
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        grove_type_buffers buffers;
        faulty_allocator_init(&faulty, nth);
        buffers_init(&buffers, &faulty.allocator);
        grove_buffer_append(&buffers.structure, "before", 6);
        grove_buffer_append(&buffers.content, "before", 6);
        bool has_failed = faulty.has_failed;
        size_t structure_bytes = buffers.structure.size;
        size_t content_bytes = buffers.content.size;
        grove_status status =
            grove__text_operations_encode(history_view(&list), &buffers, NULL);
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        if (faulty.has_failed) {
            cr_assert_eq(buffers.structure.size, structure_bytes);
            cr_assert_eq(buffers.content.size, content_bytes);
            cr_assert_eq(buffers.structure_cut_count, 0);
            cr_assert_eq(buffers.structure.failed || buffers.content.failed, has_failed);
        }
        buffers_release(&buffers);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            cr_assert_gt(nth, 5);
            break;
        }
    }
    history_release(&list);
}

Test(operation_columns, decoding_without_memory_says_so)
{
    test_random random = test_random_of("columns decode faults");
    history list = random_history(&random, 200, 3);
    grove_type_buffers buffers;
    buffers_init(&buffers, &grove__allocator_system);
    cr_assert_eq(grove__text_operations_encode(history_view(&list), &buffers, NULL),
                 GROVE_OK);
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        grove_buffer decoded;
        faulty_allocator_init(&faulty, nth);
        grove_buffer_init(&decoded, &faulty.allocator);
        grove_status status = grove__text_operations_decode(frames_of(&buffers),
                                                            list.events, &decoded, NULL);
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        cr_assert_eq(decoded.size,
                     faulty.has_failed ? 0 : list.count * sizeof(grove_operation));
        grove_buffer_release(&decoded);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            cr_assert_eq(nth, 2, "one allocation, for the operations");
            break;
        }
    }
    buffers_release(&buffers);
    history_release(&list);
}
