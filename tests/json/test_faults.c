/*
 * Every allocation of a call fails once, jansson's and the store's. Whatever
 * fails: the status says so, the document is as it was, nothing leaks, and the
 * next try goes through.
 */
#include <grove/json.h>
#include <jansson.h>

#include "json_document.h"
#include "support/faulty_allocator.h"

static const char BEFORE[] =
    "{\"a\":{\"x\":[1,2.5,\"three\"]},\"b\":[{\"y\":1},2],\"c\":0}";

/* One call; the JSON after it. */
typedef struct step {
    grove_status (*run)(peer *one);
    const char *after;
} step;

static grove_status run_set(peer *one)
{
    const char *text = "{\"a\":{\"x\":[2.5,{}]},\"b\":{\"z\":\"new\"},\"d\":[0.1]}";
    return grove_json_set(one->document, grove_bytes_of(text), NOTHING,
                          &one->store.error);
}

static grove_status run_patch(peer *one)
{
    const char *text = "[{\"op\":\"test\",\"path\":\"/a\",\"value\":"
                       "{\"x\":[1,2.5,\"three\"]}},"
                       "{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b/1\"},"
                       "{\"op\":\"move\",\"from\":\"/b/0\",\"path\":\"/b/1\"},"
                       "{\"op\":\"move\",\"from\":\"/c\",\"path\":\"/d\"},"
                       "{\"op\":\"remove\",\"path\":\"/a\"}]";
    return grove_json_patch(one->document, grove_bytes_of(text), NOTHING,
                            &one->store.error);
}

static grove_status run_merge_patch(peer *one)
{
    const char *text = "{\"a\":{\"x\":null,\"z\":{\"u\":null}},\"b\":[1],\"c\":null}";
    return grove_json_merge_patch(one->document, grove_bytes_of(text), NOTHING,
                                  &one->store.error);
}

static grove_status run_put_data(peer *one)
{
    const char *text =
        "{\"id\":\"n\",\"type\":\"t\",\"attrs\":{\"k\":{\"bytes\":\"00\"}},"
        "\"children\":[{\"type\":\"u\",\"deleted\":true},{\"id\":\"m\"}]}";
    const grove_tree_place last = {GROVE_NODE_ROOT, GROVE_TREE_LAST, GROVE_NODE_NONE};
    return grove_tree_put_data(one->document, last, grove_bytes_of(text), NOTHING, NULL,
                               &one->store.error);
}

/* Into an array that is large enough: exported_write would allocate too. */
typedef struct room {
    char text[1024];
    size_t size;
} room;

static bool write_to_room(void *context, grove_bytes bytes)
{
    room *into = context;
    cr_assert_lt(into->size + bytes.size, sizeof into->text);
    memcpy(into->text + into->size, bytes.data, bytes.size);
    into->size += bytes.size;
    return true;
}

static grove_status run_get(peer *one)
{
    room into = {.size = 0};
    return grove_json_get(one->document, NOTHING, write_to_room, &into,
                          &one->store.error);
}

static grove_status run_write_data(peer *one)
{
    room into = {.size = 0};
    return grove_tree_write_data(one->document, 2, 0, write_to_room, &into,
                                 &one->store.error);
}

static const step STEPS[] = {
    {run_set, "{\"a\":{\"x\":[2.5,{}]},\"b\":{\"z\":\"new\"},\"d\":[0.1]}"},
    {run_patch, "{\"b\":[{\"x\":[1,2.5,\"three\"]},{\"y\":1},2],\"d\":0}"},
    {run_merge_patch, "{\"a\":{\"z\":{}},\"b\":[1]}"},
    {run_put_data, BEFORE},
    {run_get, BEFORE},
    {run_write_data, BEFORE},
};

/* --- jansson's memory --- */

static size_t calls_left;
static bool has_failed;
static size_t blocks;

static void *take(size_t bytes)
{
    if (calls_left > 0 && --calls_left == 0) {
        has_failed = true;
        return NULL;
    }
    blocks++;
    return malloc(bytes);
}

static void give(void *memory)
{
    blocks -= memory != NULL;
    free(memory);
}

/* Whether the nth allocation was reached. */
static bool fail_jansson(const step *at, size_t nth)
{
    peer one;
    json_open(&one, "a");
    json_set(&one, BEFORE);
    json_digest before = json_digest_of(&one);
    uint64_t events = json_events(&one);
    has_failed = false;
    blocks = 0;
    calls_left = nth;
    json_set_alloc_funcs(take, give);
    grove_status status = at->run(&one);
    calls_left = 0;
    cr_assert_eq(blocks, 0, "%zu allocations leaked", blocks);
    cr_assert_eq(status == GROVE_OK, !has_failed);
    if (has_failed) {
        /* jansson takes a string without memory for something that is none. */
        cr_assert(status == GROVE_NO_MEMORY ||
                      (status == GROVE_MALFORMED &&
                       strstr(one.store.error.message, " near ") != NULL),
                  "%s", one.store.error.message);
        cr_assert(json_digests_equal(json_digest_of(&one), before));
        cr_assert_eq(json_events(&one), events);
        assert_ok(&one.store, at->run(&one));
    }
    json_set_alloc_funcs(malloc, free);
    assert_json(&one, at->after);
    peer_release(&one);
    return has_failed;
}

Test(json_faults, any_allocation_of_janssons_may_fail)
{
    for (size_t index = 0; index < sizeof STEPS / sizeof *STEPS; index++) {
        size_t nth = 1;
        while (fail_jansson(&STEPS[index], nth)) {
            nth++;
        }
        cr_assert_gt(nth, 2, "nothing failed in step %zu", index);
    }
}

/* --- the store's memory --- */

static bool fail_store(const step *at, size_t nth)
{
    faulty_allocator faulty;
    peer one;
    faulty_allocator_init(&faulty, 0);
    json_open_with(&one, &faulty.allocator);
    json_set(&one, BEFORE);
    json_digest before = json_digest_of(&one);
    uint64_t events = json_events(&one);
    faulty.calls = 0;
    faulty.fails_at = nth;
    grove_status status = at->run(&one);
    faulty.fails_at = 0;
    cr_assert_eq(status == GROVE_OK, !faulty.has_failed, "%zu: %s", nth,
                 one.store.error.message);
    if (faulty.has_failed) {
        cr_assert_eq(status, GROVE_NO_MEMORY);
        cr_assert(json_digests_equal(json_digest_of(&one), before));
        cr_assert_eq(json_events(&one), events);
        assert_ok(&one.store, at->run(&one));
    }
    assert_json(&one, at->after);
    peer_release(&one);
    faulty_allocator_finish(&faulty);
    return faulty.has_failed;
}

Test(json_faults, any_allocation_of_the_stores_may_fail)
{
    for (size_t index = 0; index < sizeof STEPS / sizeof *STEPS; index++) {
        for (size_t nth = 1; fail_store(&STEPS[index], nth); nth++) {
        }
    }
}
