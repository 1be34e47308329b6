/*
 * What a walker answers is judged through documents (tests/document/); here is
 * that one comes back from its bytes, with another base.
 */
#include "text/walker.h"

#include <criterion/criterion.h>

#include <grove/text.h>

#include "base/alloc.h"
#include "base/bytes.h"

static bool is_before(const void *context, uint64_t clock, uint64_t other)
{
    (void)context;
    /* Ids are the other way round than clocks. */
    return clock > other;
}

static const grove_merge_type *const MERGE = &grove__text_merge;

static void *walker_new(const grove_allocator *allocator)
{
    void *walker = NULL;
    cr_assert_eq(MERGE->walker_new(grove_type_text(), allocator,
                                   (grove_id_order){NULL, is_before}, &walker),
                 GROVE_OK);
    return walker;
}

/* Applies an operation; the only edit that it is has the position. */
static void apply(void *walker, uint64_t clock, uint32_t kind, uint32_t count,
                  uint64_t position, uint64_t effect)
{
    grove_buffer edits;
    const grove_operation operation = {kind, count, position, {NULL, 0}};
    grove_buffer_init(&edits, &grove__allocator_system);
    cr_assert_eq(
        MERGE->walker_apply(grove_type_text(), walker, clock, &operation, &edits, NULL),
        GROVE_OK);
    const grove_operation *edit = (const grove_operation *)(const void *)edits.data;
    cr_assert_eq(edits.size, sizeof *edit);
    cr_assert_eq(edit->position, effect, "at %llu", (unsigned long long)edit->position);
    cr_assert_eq(edit->count, count);
    grove_buffer_release(&edits);
}

/* Two who insert at once at position 10, and one of them deletes. */
static void begin(void *walker, uint64_t base)
{
    cr_assert_eq(MERGE->walker_clear(grove_type_text(), walker, base), GROVE_OK);
    apply(walker, base, GROVE_TEXT_INSERT, 5, 10, 10);
    apply(walker, base + 5, GROVE_TEXT_BACKSPACE, 2, 13, 13);
    cr_assert_eq(MERGE->walker_retreat(grove_type_text(), walker, base, base + 7, NULL),
                 GROVE_OK);
    apply(walker, base + 7, GROVE_TEXT_INSERT, 4, 10, 10);
}

/* What comes after that. */
static void go_on(void *walker, uint64_t base)
{
    apply(walker, base + 11, GROVE_TEXT_DELETE, 1, 15, 18);
    cr_assert_eq(
        MERGE->walker_retreat(grove_type_text(), walker, base + 7, base + 12, NULL),
        GROVE_OK);
    /* Left of all others, as its id is the least. */
    apply(walker, base + 12, GROVE_TEXT_INSERT, 1, 10, 10);
    cr_assert_eq(MERGE->walker_advance(grove_type_text(), walker, base, base + 7, NULL),
                 GROVE_OK);
    /* Three are left of the five. */
    apply(walker, base + 13, GROVE_TEXT_DELETE, 3, 11, 15);
}

Test(walker_bytes, that_were_decoded_goes_on_at_another_base)
{
    grove_buffer bytes;
    grove_buffer again;
    grove_buffer_init(&bytes, &grove__allocator_system);
    grove_buffer_init(&again, &grove__allocator_system);
    void *walker = walker_new(&grove__allocator_system);
    begin(walker, 100);
    grove_buffer_u8(&bytes, 7);
    cr_assert_eq(MERGE->walker_encode(grove_type_text(), walker, 111, &bytes), GROVE_OK);
    cr_assert_eq(bytes.data[0], 7);
    const grove_bytes appended = {bytes.data + 1, bytes.size - 1};
    go_on(walker, 100);
    void *decoded = walker_new(&grove__allocator_system);
    begin(decoded, 5);
    cr_assert_eq(MERGE->walker_decode(grove_type_text(), decoded, UINT64_C(1) << 40,
                                      (UINT64_C(1) << 40) + 11, appended, NULL),
                 GROVE_OK);
    cr_assert_eq(MERGE->walker_encode(grove_type_text(), decoded,
                                      (UINT64_C(1) << 40) + 11, &again),
                 GROVE_OK);
    cr_assert(grove__bytes_equal(grove_buffer_view(&again), appended));
    go_on(decoded, UINT64_C(1) << 40);
    MERGE->walker_free(grove_type_text(), decoded);
    MERGE->walker_free(grove_type_text(), walker);
    grove_buffer_release(&again);
    grove_buffer_release(&bytes);
}

Test(walker_bytes, of_other_events_are_corrupt)
{
    static const struct {
        uint64_t base, end;
    } cases[] = {{0, 10},
                 {0, 12},
                 {12, 11},
                 {0, (UINT64_C(1) << 30) + 1},
                 {0, (UINT64_C(1) << 32) + 11},
                 {0, UINT64_MAX}};
    grove_buffer bytes;
    grove_buffer_init(&bytes, &grove__allocator_system);
    void *walker = walker_new(&grove__allocator_system);
    begin(walker, 0);
    cr_assert_eq(MERGE->walker_encode(grove_type_text(), walker, 11, &bytes), GROVE_OK);
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        grove_error error = {0};
        cr_assert_eq(MERGE->walker_decode(grove_type_text(), walker, cases[index].base,
                                          cases[index].end, grove_buffer_view(&bytes),
                                          &error),
                     GROVE_CORRUPT, "case %zu", index);
        cr_assert_eq(error.status, GROVE_CORRUPT);
    }
    begin(walker, 0);
    go_on(walker, 0);
    MERGE->walker_free(grove_type_text(), walker);
    grove_buffer_release(&bytes);
}
