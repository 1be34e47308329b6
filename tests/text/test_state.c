#include "text/state.h"

#include "base/alloc.h"
#include "operations.h"
#include "support/faulty_allocator.h"

/* The type's own functions are tried through its table, as callers use them. */
static const grove_document_type *text_type(void)
{
    return grove_type_text();
}

static grove_operation typing(uint64_t position, const char *utf8, uint32_t count)
{
    return (grove_operation){GROVE_TEXT_INSERT, count, position, grove_bytes_of(utf8)};
}

static void *new_state(const grove_allocator *allocator)
{
    void *state = NULL;
    cr_assert_eq(text_type()->state_new(text_type(), allocator, &state), GROVE_OK);
    return state;
}

static grove_status apply(void *state, const grove_operation *operations, size_t count,
                          grove_error *error)
{
    return text_type()->state_apply(text_type(), state,
                                    (grove_operations){operations, count},
                                    (grove_stamps){NULL, 0}, error);
}

static void assert_text(const grove__text *text, const char *expected)
{
    char buffer[256];
    uint64_t points = 0;
    cr_assert_null(grove__rope_check(&text->rope));
    size_t bytes = grove__text_read(text, 0, UINT64_MAX, buffer, sizeof buffer, &points);
    cr_assert_eq(bytes, strlen(expected));
    cr_assert_eq(memcmp(buffer, expected, bytes), 0, "%.*s", (int)bytes, buffer);
    cr_assert_eq(points, grove__text_length(text));
    cr_assert_eq(bytes, grove__text_bytes(text));
}

Test(state, operations_of_every_kind_do_what_they_say)
{
    void *state = new_state(&grove__allocator_system);
    const grove_operation operations[] = {
        typing(0, "a gr\xc3\xb6ve!", 8),         {GROVE_TEXT_DELETE, 1, 7, {NULL, 0}},
        {GROVE_TEXT_DELETE, 2, 0, {NULL, 0}},    typing(5, "s of trees", 10),
        {GROVE_TEXT_BACKSPACE, 6, 9, {NULL, 0}},
    };
    static const char *const texts[] = {
        "a gr\xc3\xb6ve!",        "a gr\xc3\xb6ve",   "gr\xc3\xb6ve",
        "gr\xc3\xb6ves of trees", "gr\xc3\xb6ves of",
    };
    for (size_t index = 0; index < sizeof texts / sizeof *texts; index++) {
        cr_assert_eq(apply(state, &operations[index], 1, NULL), GROVE_OK);
        assert_text(state, texts[index]);
    }
    cr_assert_eq(text_type()->state_bytes(text_type(), state), 10);
    text_type()->state_free(text_type(), state);
}

Test(state, an_operation_beyond_the_text_is_named_by_its_index_and_none_is_applied)
{
    static const grove_operation bad[] = {
        {GROVE_TEXT_INSERT, 1, 4, {(const uint8_t *)"x", 1}},
        {GROVE_TEXT_INSERT, 1, GROVE_DOCUMENT_EVENTS_MAX - 1, {(const uint8_t *)"x", 1}},
        {GROVE_TEXT_DELETE, 1, 3, {NULL, 0}},
        {GROVE_TEXT_DELETE, 4, 0, {NULL, 0}},
        {GROVE_TEXT_DELETE, 1, GROVE_DOCUMENT_EVENTS_MAX - 1, {NULL, 0}},
        {GROVE_TEXT_BACKSPACE, 2, 2, {NULL, 0}},
        {GROVE_TEXT_BACKSPACE, GROVE_BATCH_EVENTS_MAX, 0, {NULL, 0}},
    };
    for (size_t index = 0; index < sizeof bad / sizeof *bad; index++) {
        void *state = new_state(&grove__allocator_system);
        grove_error error = {GROVE_OK, 0, ""};
        const grove_operation operations[] = {typing(0, "ab", 2), typing(2, "c", 1),
                                              bad[index], typing(0, "d", 1)};
        cr_assert_eq(apply(state, operations, 4, &error), GROVE_CORRUPT, "case %zu",
                     index);
        cr_assert_eq(error.offset, 2);
        cr_assert_eq(error.status, GROVE_CORRUPT);
        assert_text(state, "");
        text_type()->state_free(text_type(), state);
    }
}

Test(state, a_state_comes_back_from_its_frames)
{
    test_random random = test_random_of("state");
    for (size_t round = 0; round < 30; round++) {
        history list = random_history(&random, round * 10, 1 + round % 4);
        void *state = new_state(&grove__allocator_system);
        void *again = NULL;
        grove_type_buffers buffers[2];
        cr_assert_eq(apply(state, list.items, list.count, NULL), GROVE_OK);
        for (size_t pass = 0; pass < 2; pass++) {
            grove_buffer_init(&buffers[pass].structure, &grove__allocator_system);
            grove_buffer_init(&buffers[pass].content, &grove__allocator_system);
            buffers[pass].structure_cut_count = 0;
            cr_assert_eq(text_type()->state_encode(text_type(), pass ? again : state,
                                                   &buffers[pass], NULL),
                         GROVE_OK);
            cr_assert_eq(buffers[pass].content.size,
                         text_type()->state_bytes(text_type(), state));
            if (pass == 0) {
                grove_type_frames frames = {grove_buffer_view(&buffers[0].structure),
                                            grove_buffer_view(&buffers[0].content),
                                            false};
                cr_assert_eq(text_type()->state_decode(text_type(),
                                                       &grove__allocator_system, frames,
                                                       &again, NULL),
                             GROVE_OK);
                cr_assert_null(grove__rope_check(&((grove__text *)again)->rope));
            }
        }
        cr_assert_eq(buffers[0].structure.size, buffers[1].structure.size);
        cr_assert_eq(buffers[0].content.size, buffers[1].content.size);
        cr_assert_eq(memcmp(buffers[0].structure.data, buffers[1].structure.data,
                            buffers[0].structure.size),
                     0);
        cr_assert(buffers[0].content.size == 0 ||
                  memcmp(buffers[0].content.data, buffers[1].content.data,
                         buffers[0].content.size) == 0);
        for (size_t pass = 0; pass < 2; pass++) {
            grove_buffer_release(&buffers[pass].structure);
            grove_buffer_release(&buffers[pass].content);
        }
        text_type()->state_free(text_type(), state);
        text_type()->state_free(text_type(), again);
        history_release(&list);
    }
}

Test(state, frames_that_contradict_themselves_are_corrupt)
{
    static const struct {
        const char *structure;
        size_t structure_bytes;
        const char *content;
        uint64_t offset;
    } cases[] = {
        {"", 0, "", 0},
        {"\x80", 1, "", 0},
        {"\x80\x00", 2, "", 0},
        {"\x01\x01", 2, "a", 1},
        {"\x00", 1, "a", 0},
        {"\x02", 1, "a", 0},
        {"\x02", 1, "\xc3\xa9", 0},
        {"\x02", 1, "a\xc3", 1},
        {"\x04", 1, "abc\x80", 3},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, "a", 0},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        void *state = NULL;
        grove_error error = {GROVE_OK, 12345, ""};
        grove_type_frames frames = {
            {(const uint8_t *)cases[index].structure, cases[index].structure_bytes},
            grove_bytes_of(cases[index].content),
            false};
        cr_assert_eq(text_type()->state_decode(text_type(), &grove__allocator_system,
                                               frames, &state, &error),
                     GROVE_CORRUPT, "case %zu", index);
        cr_assert_null(state);
        cr_assert_eq(error.offset, cases[index].offset, "case %zu", index);
    }
}

Test(state, every_function_without_memory_says_so_and_leaks_nothing)
{
    test_random random = test_random_of("state faults");
    history list = random_history(&random, 100, 2);
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        void *state = NULL;
        void *again = NULL;
        grove_type_buffers buffers;
        faulty_allocator_init(&faulty, nth);
        grove_buffer_init(&buffers.structure, &faulty.allocator);
        grove_buffer_init(&buffers.content, &faulty.allocator);
        buffers.structure_cut_count = 0;
        grove_status status =
            text_type()->state_new(text_type(), &faulty.allocator, &state);
        if (status == GROVE_OK) {
            status = apply(state, list.items, list.count, NULL);
        }
        if (status == GROVE_OK) {
            status = text_type()->state_encode(text_type(), state, &buffers, NULL);
            cr_assert(status == GROVE_OK ||
                      buffers.structure.size + buffers.content.size == 0);
        }
        if (status == GROVE_OK) {
            grove_type_frames frames = {grove_buffer_view(&buffers.structure),
                                        grove_buffer_view(&buffers.content), false};
            status = text_type()->state_decode(text_type(), &faulty.allocator, frames,
                                               &again, NULL);
            cr_assert_eq(status == GROVE_OK, again != NULL);
        }
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        text_type()->state_free(text_type(), state);
        text_type()->state_free(text_type(), again);
        grove_buffer_release(&buffers.structure);
        grove_buffer_release(&buffers.content);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            break;
        }
    }
    history_release(&list);
}

Test(state, pieces_of_a_text_are_handed_out_without_a_copy)
{
    grove__text *text = NULL;
    grove__rope_chunks chunks;
    grove__rope_chunk chunk;
    cr_assert_eq(grove__text_new(&grove__allocator_system, &text), GROVE_OK);
    cr_assert_eq(grove__text_insert(text, 0, grove_bytes_of("grve"), 4), GROVE_OK);
    cr_assert_eq(grove__text_insert(text, 2, grove_bytes_of("o"), 1), GROVE_OK);
    grove__text_delete(text, 0, 1);
    grove__text_chunks_init(&chunks, text, 1);
    cr_assert(grove__rope_chunks_next(&chunks, &chunk));
    cr_assert_eq(chunk.points, 3);
    cr_assert_eq(memcmp(chunk.utf8.data, "ove", 3), 0);
    cr_assert_eq(chunk.utf8.data, text->rope.root.leaf + 1);
    cr_assert_not(grove__rope_chunks_next(&chunks, &chunk));
    grove__text_free(text);
    grove__text_free(NULL);
}
