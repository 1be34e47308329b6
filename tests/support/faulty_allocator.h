/*
 * An allocator that fails on purpose and keeps the books.
 *
 * Every allocation is remembered with its size, in front of the memory it
 * hands out, so that a release with another size, a release of something
 * else, and a leak all fail the test. Fresh memory is filled with 0xa5.
 *
 *     for (size_t nth = 1; ; nth++) {
 *         faulty_allocator faulty;
 *         faulty_allocator_init(&faulty, nth);
 *         status = call(&faulty.allocator, ...);
 *         ... release ...
 *         faulty_allocator_finish(&faulty);
 *         if (!faulty.has_failed) { break; }
 *         cr_assert_eq(status, GROVE_NO_MEMORY);
 *     }
 */
#ifndef GROVE_TESTS_FAULTY_ALLOCATOR_H
#define GROVE_TESTS_FAULTY_ALLOCATOR_H

#include <stdlib.h>

#include <criterion/criterion.h>

#include <grove/types.h>

typedef struct faulty_allocator {
    grove_allocator allocator; /* hand this out */
    /* The call that fails, counted from 1; 0: none. A failed call is not
     * repeated: all later calls pass. */
    size_t fails_at;
    size_t calls;
    bool has_failed;
    size_t blocks;     /* handed out now */
    size_t bytes;      /* handed out now */
    size_t bytes_peak; /* and at most */
} faulty_allocator;

/* In front of each allocation; 16 bytes keep what follows aligned. */
typedef union faulty_allocator_head {
    struct {
        size_t bytes;
        uint64_t mark;
    } fields;
    max_align_t alignment;
} faulty_allocator_head;

#define FAULTY_ALLOCATOR_MARK UINT64_C(0x67726f76655f6f6b)

static inline bool faulty_allocator_fails(faulty_allocator *faulty)
{
    faulty->calls++;
    if (faulty->calls == faulty->fails_at) {
        faulty->has_failed = true;
        return true;
    }
    return false;
}

static inline void *faulty_allocator_allocate(void *context, size_t bytes)
{
    faulty_allocator *faulty = context;
    cr_assert(bytes > 0, "an allocation of no bytes");
    if (faulty_allocator_fails(faulty)) {
        return NULL;
    }
    faulty_allocator_head *head = malloc(sizeof *head + bytes);
    cr_assert_not_null(head);
    head->fields.bytes = bytes;
    head->fields.mark = FAULTY_ALLOCATOR_MARK;
    memset(head + 1, 0xa5, bytes);
    faulty->blocks++;
    faulty->bytes += bytes;
    if (faulty->bytes > faulty->bytes_peak) {
        faulty->bytes_peak = faulty->bytes;
    }
    return head + 1;
}

static inline void faulty_allocator_deallocate(void *context, void *memory, size_t bytes)
{
    faulty_allocator *faulty = context;
    if (memory == NULL) {
        return;
    }
    faulty_allocator_head *head = (faulty_allocator_head *)memory - 1;
    cr_assert_eq(head->fields.mark, FAULTY_ALLOCATOR_MARK, "a release of something else");
    cr_assert_eq(head->fields.bytes, bytes, "released as %zu bytes, allocated as %zu",
                 bytes, head->fields.bytes);
    head->fields.mark = 0;
    faulty->blocks--;
    faulty->bytes -= bytes;
    free(head);
}

/* Always moves, so that a pointer kept across a growth shows. */
static inline void *faulty_allocator_reallocate(void *context, void *memory,
                                                size_t bytes_old, size_t bytes_new)
{
    cr_assert_not_null(memory);
    void *moved = faulty_allocator_allocate(context, bytes_new);
    if (moved != NULL) {
        memcpy(moved, memory, bytes_old < bytes_new ? bytes_old : bytes_new);
        faulty_allocator_deallocate(context, memory, bytes_old);
    }
    return moved;
}

/* Fails the `fails_at`-th allocation; 0 for an allocator that only counts. */
static inline void faulty_allocator_init(faulty_allocator *faulty, size_t fails_at)
{
    memset(faulty, 0, sizeof *faulty);
    faulty->allocator.context = faulty;
    faulty->allocator.allocate = faulty_allocator_allocate;
    faulty->allocator.reallocate = faulty_allocator_reallocate;
    faulty->allocator.deallocate = faulty_allocator_deallocate;
    faulty->fails_at = fails_at;
}

/* Everything was given back. */
static inline void faulty_allocator_finish(const faulty_allocator *faulty)
{
    cr_assert_eq(faulty->blocks, 0, "%zu allocations leaked, %zu bytes", faulty->blocks,
                 faulty->bytes);
}

#endif
