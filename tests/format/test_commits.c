#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "format/commits.h"
#include "support/faulty_allocator.h"
#include "support/random.h"

enum { COMMITS = 512 };

static const char *const NAMES[] = {"notes", "a", "another document", "seen"};

/* Commits that save a few events each, to one document mostly. */
static void fill(grove__commits *commits, test_random *random)
{
    uint64_t ends[3] = {0, 1000, 7};
    int64_t time = 1700000000000;
    commits->first = 513;
    for (int index = 0; index < COMMITS; index++) {
        size_t size = test_random_below(random, 8) == 0 ? 2 : 1;
        time += (int64_t)test_random_below(random, 3000) - 100;
        grove__commits_entry entry = {time, size, {NULL, 0}};
        grove_buffer_append(&commits->entries, &entry, sizeof entry);
        for (size_t nth = 0; nth < size; nth++) {
            size_t which =
                test_random_below(random, 10) == 0 ? test_random_below(random, 4) : 0;
            grove__touch touch = {GROVE__TOUCH_GROUP, grove_bytes_of(NAMES[which]), 0, 0};
            if (which < 3) {
                touch.kind = GROVE__TOUCH_DOCUMENT;
                touch.first_clock = ends[which];
                touch.count = 1 + test_random_below(random, 5);
                ends[which] += touch.count;
            }
            grove_buffer_append(&commits->touches, &touch, sizeof touch);
        }
    }
}

static void assert_equal(const grove__commits *a, const grove__commits *b)
{
    cr_assert_eq(a->first, b->first);
    cr_assert_eq(a->entries.size, b->entries.size);
    const grove__commits_entry *first = grove__commits_entries(a);
    const grove__commits_entry *second = grove__commits_entries(b);
    for (size_t index = 0; index < grove__commits_count(a); index++) {
        cr_assert_eq(first[index].time, second[index].time);
        cr_assert_eq(first[index].touch_count, second[index].touch_count);
        cr_assert(grove__bytes_equal(first[index].meta, second[index].meta));
    }
    cr_assert_eq(a->touches.size, b->touches.size);
    const grove__touch *left = (const grove__touch *)(const void *)a->touches.data;
    const grove__touch *right = (const grove__touch *)(const void *)b->touches.data;
    for (size_t index = 0; index < a->touches.size / sizeof *left; index++) {
        cr_assert_eq(left[index].kind, right[index].kind);
        cr_assert(grove__bytes_equal(left[index].name, right[index].name));
        cr_assert_eq(left[index].first_clock, right[index].first_clock);
        cr_assert_eq(left[index].count, right[index].count);
    }
}

Test(commits, come_out_as_they_went_in_and_take_at_most_4_bytes_each)
{
    test_random random = test_random_of("commits");
    grove__commits commits;
    grove__commits decoded;
    grove_buffer block;
    grove__commits_init(&commits, &grove__allocator_system);
    grove__commits_init(&decoded, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    fill(&commits, &random);
    cr_assert_eq(grove__commits_encode(&commits, &block, NULL), GROVE_OK);
    cr_assert(grove__commits_is_pack(grove_buffer_view(&block)));
    cr_assert_leq(block.size, 4 * COMMITS, "%zu bytes", block.size);
    cr_assert_eq(grove__commits_decode(grove_buffer_view(&block), &decoded, NULL),
                 GROVE_OK);
    assert_equal(&commits, &decoded);
    grove_buffer_release(&block);
    grove__commits_release(&decoded);
    grove__commits_release(&commits);
}

Test(commits, keep_what_their_makers_said)
{
    static uint8_t bytes[GROVE_COMMIT_META_BYTES_MAX + 1];
    const size_t sizes[] = {0, 1, GROVE_COMMIT_META_BYTES_MAX,
                            GROVE_COMMIT_META_BYTES_MAX + 1};
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        test_random random = test_random_of("commits");
        grove__commits commits;
        grove__commits decoded;
        grove_buffer block;
        grove__commits_init(&commits, &grove__allocator_system);
        grove__commits_init(&decoded, &grove__allocator_system);
        grove_buffer_init(&block, &grove__allocator_system);
        fill(&commits, &random);
        ((grove__commits_entry *)(void *)commits.entries.data)[7].meta =
            (grove_bytes){bytes, sizes[index]};
        cr_assert_eq(grove__commits_encode(&commits, &block, NULL), GROVE_OK);
        if (sizes[index] > GROVE_COMMIT_META_BYTES_MAX) {
            cr_assert_eq(grove__commits_decode(grove_buffer_view(&block), &decoded, NULL),
                         GROVE_CORRUPT);
        } else {
            cr_assert_eq(
                grove__commits_read(513, grove_buffer_view(&block), &decoded, NULL),
                GROVE_OK);
            assert_equal(&commits, &decoded);
            cr_assert_eq(
                grove__commits_read(514, grove_buffer_view(&block), &decoded, NULL),
                GROVE_CORRUPT);
        }
        grove_buffer_release(&block);
        grove__commits_release(&decoded);
        grove__commits_release(&commits);
    }
}

Test(commits, with_any_byte_changed_or_any_end_cut_off_are_refused)
{
    test_random random = test_random_of("commits");
    grove__commits commits;
    grove__commits decoded;
    grove_buffer block;
    grove__commits_init(&commits, &grove__allocator_system);
    grove__commits_init(&decoded, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    fill(&commits, &random);
    cr_assert_eq(grove__commits_encode(&commits, &block, NULL), GROVE_OK);
    grove_error error;
    for (size_t index = 0; index < block.size; index++) {
        uint8_t mask = (uint8_t)(1 + test_random_below(&random, 255));
        block.data[index] ^= mask;
        grove_status status =
            grove__commits_decode(grove_buffer_view(&block), &decoded, &error);
        cr_assert(status == GROVE_CORRUPT || status == GROVE_FORMAT_NEWER);
        cr_assert_eq(decoded.entries.size, 0);
        block.data[index] ^= mask;
    }
    for (size_t left = 0; left < block.size; left++) {
        cr_assert_eq(
            grove__commits_decode((grove_bytes){block.data, left}, &decoded, &error),
            GROVE_CORRUPT);
    }
    grove_buffer_release(&block);
    grove__commits_release(&decoded);
    grove__commits_release(&commits);
}

Test(commits, of_too_many_things_are_left_as_they_are)
{
    grove__commits commits;
    grove_buffer block;
    grove__commits_init(&commits, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    grove__commits_entry entry = {0, GROVE__COMMITS_TOUCHES_MAX, {NULL, 0}};
    grove__touch touch = {GROVE__TOUCH_GROUP, grove_bytes_of("a"), 0, 0};
    for (int index = 0; index < GROVE__COMMITS_TOUCHES_MAX; index++) {
        grove_buffer_append(&commits.touches, &touch, sizeof touch);
    }
    grove_buffer_append(&commits.entries, &entry, sizeof entry);
    cr_assert_eq(grove__commits_encode(&commits, &block, NULL), GROVE_OK);
    grove_buffer_reset(&block);
    grove_buffer_append(&commits.touches, &touch, sizeof touch);
    grove_error error;
    cr_assert_eq(grove__commits_encode(&commits, &block, &error), GROVE_LIMIT);
    cr_assert_eq(block.size, 0);
    grove_buffer_release(&block);
    grove__commits_release(&commits);
}

Test(commits, out_of_memory_leaks_nothing)
{
    for (size_t nth = 1;; nth++) {
        test_random random = {7};
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, 0);
        grove__commits commits;
        grove__commits decoded;
        grove_buffer block;
        grove__commits_init(&commits, &grove__allocator_system);
        fill(&commits, &random);
        commits.entries.allocator = &faulty.allocator;
        grove__commits_init(&decoded, &faulty.allocator);
        grove_buffer_init(&block, &faulty.allocator);
        faulty.fails_at = nth;
        grove_status status = grove__commits_encode(&commits, &block, NULL);
        if (status == GROVE_OK) {
            status = grove__commits_decode(grove_buffer_view(&block), &decoded, NULL);
        }
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK,
                     "allocation %zu: %s", nth, grove_status_name(status));
        commits.entries.allocator = &grove__allocator_system;
        grove_buffer_release(&block);
        grove__commits_release(&decoded);
        grove__commits_release(&commits);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            break;
        }
    }
}
