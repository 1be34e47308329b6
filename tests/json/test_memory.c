/* Memory comes from wherever jansson's comes from. */
#include "json/memory.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>

static size_t taken;
static size_t given;

static void *take(size_t bytes)
{
    taken++;
    return malloc(bytes);
}

static void give(void *memory)
{
    given++;
    free(memory);
}

Test(json_memory, it_is_taken_and_given_by_what_jansson_was_given)
{
    const grove_allocator *allocator = &grove__json_allocator;
    json_set_alloc_funcs(take, give);
    char *memory = allocator->allocate(allocator->context, 4);
    memcpy(memory, "abc", 4);
    memory = allocator->reallocate(allocator->context, memory, 4, 100);
    cr_assert_str_eq(memory, "abc");
    memory = allocator->reallocate(allocator->context, memory, 100, 2);
    cr_assert_eq(memcmp(memory, "ab", 2), 0);
    allocator->deallocate(allocator->context, memory, 2);
    cr_assert_eq(taken, 3);
    cr_assert_eq(given, 3);
    allocator->deallocate(allocator->context, NULL, 0);
}

static void *refuse(size_t bytes)
{
    (void)bytes;
    return NULL;
}

Test(json_memory, what_cannot_grow_stays)
{
    const grove_allocator *allocator = &grove__json_allocator;
    char *memory = allocator->allocate(allocator->context, 4);
    memcpy(memory, "abc", 4);
    json_set_alloc_funcs(refuse, free);
    cr_assert_null(allocator->reallocate(allocator->context, memory, 4, 100));
    cr_assert_str_eq(memory, "abc");
    allocator->deallocate(allocator->context, memory, 4);
}
