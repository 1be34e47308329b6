/* Reading the JSON of a document. */
#include <grove/json.h>

#include "json_document.h"
#include "support/large.h"

static const char *const TEXTS[] = {"null",
                                    "true",
                                    "[]",
                                    "{}",
                                    "[[],{},[{}]]",
                                    "{\"a\":{\"b\":[1,{\"c\":[]},2]},\"d\":3}",
                                    "[1,[2,[3,[4]],5],6]",
                                    "{\"\":{\"\":{\"\":0}}}",
                                    "{\"\\\"\\\\\\u0001\":\"\\u0000\\n\"}"};

Test(json_get, what_was_set_is_read)
{
    peer one;
    json_open(&one, "a");
    for (size_t index = 0; index < sizeof TEXTS / sizeof *TEXTS; index++) {
        json_set(&one, TEXTS[index]);
        assert_json(&one, TEXTS[index]);
    }
    peer_release(&one);
}

Test(json_get, a_value_inside_is_read_without_what_is_around_it)
{
    peer one;
    json_open(&one, "a");
    json_set(&one, "{\"a\":{\"b\":[1,{\"c\":[]},2]},\"d\":3}");
    assert_json_at(&one, "/a", "{\"b\":[1,{\"c\":[]},2]}");
    assert_json_at(&one, "/a/b/1", "{\"c\":[]}");
    assert_json_at(&one, "/a/b/1/c", "[]");
    assert_json_at(&one, "/a/b/2", "2");
    peer_release(&one);
}

Test(json_get, writing_ends_when_no_more_is_wanted)
{
    peer one;
    exported text = {.stops_after = 1};
    json_open(&one, "a");
    char *large = malloc(20003);
    cr_assert_not_null(large);
    memset(large, 'x', 20002);
    large[0] = large[20001] = '"';
    large[20002] = '\0';
    json_set(&one, large);
    assert_fails(
        &one.store, GROVE_FAILED,
        grove_json_get(one.document, NOTHING, exported_write, &text, &one.store.error));
    cr_assert_eq(text.writes, 1);
    assert_json(&one, large);
    exported_free(&text);
    free(large);
    peer_release(&one);
}

enum { LEVELS = VERY_MANY };

/* Puts arrays into one another. */
static void put_levels(peer *one, grove_node node, size_t levels)
{
    assert_ok(&one->store, grove_tree_begin(one->document, &one->store.error));
    for (size_t level = 0; level < levels; level++) {
        node = json_put_node(one, node, "array", NULL, 0);
    }
    assert_ok(&one->store, grove_tree_end(one->document, &one->store.error));
}

Test(json_get, a_million_levels_are_read_copied_compared_and_removed)
{
    peer one;
    json_open(&one, "a");
    json_set(&one, "{\"a\":[]}");
    grove_node node;
    grove_node whole;
    assert_ok(&one.store, grove_tree_child(one.document, GROVE_NODE_ROOT, 0, 0, &whole,
                                           &one.store.error));
    assert_ok(&one.store,
              grove_tree_child(one.document, whole, 0, 0, &node, &one.store.error));
    put_levels(&one, node, LEVELS - 1);
    char *text = json_at(&one, "/a");
    cr_assert_not_null(text);
    cr_assert_eq(strlen(text), 2 * LEVELS);
    cr_assert_eq(strspn(text, "["), LEVELS);
    cr_assert_eq(strspn(text + LEVELS, "]"), LEVELS);
    free(text);
    const char *test = "[{\"op\":\"test\",\"path\":\"/a\",\"value\":[[]]}]";
    assert_fails(
        &one.store, GROVE_CONFLICT,
        grove_json_patch(one.document, grove_bytes_of(test), NOTHING, &one.store.error));
    json_set(&one, "{\"a\":[[]]}");
    assert_json(&one, "{\"a\":[[]]}");
    peer_release(&one);
}

Test(json_get, what_is_deep_is_copied)
{
    peer one;
    json_open(&one, "a");
    json_set(&one, "{\"a\":[]}");
    grove_node node;
    grove_node whole;
    assert_ok(&one.store, grove_tree_child(one.document, GROVE_NODE_ROOT, 0, 0, &whole,
                                           &one.store.error));
    assert_ok(&one.store,
              grove_tree_child(one.document, whole, 0, 0, &node, &one.store.error));
    put_levels(&one, node, GROVE_JSON_COPIES_MAX - 1);
    json_patch(&one, "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"}]");
    char *from = json_at(&one, "/a");
    char *to = json_at(&one, "/b");
    cr_assert_str_eq(from, to);
    free(from);
    free(to);
    peer_release(&one);
}
