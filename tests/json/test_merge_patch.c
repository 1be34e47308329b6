/* JSON Merge Patch: the examples of RFC 7396, appendix A, and more. */
#include <grove/json.h>

#include "json_document.h"

static const struct {
    const char *before; /* NULL: no value */
    const char *patch;
    const char *after;
} EXAMPLES[] = {
    {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
    {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
    {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
    {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
    {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
     "{\"a\":{\"b\":\"d\"}}"},
    {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
    {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
    {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
    {"{\"a\":\"foo\"}", "null", "null"},
    {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
    {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
    {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
    {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
    /* Null in an array is null; where there was nothing it is nothing. */
    {"{\"a\":1}", "{\"a\":{\"b\":[null,{\"c\":null}],\"d\":null}}",
     "{\"a\":{\"b\":[null,{\"c\":null}]}}"},
    {NULL, "{\"a\":null,\"b\":{\"c\":null,\"d\":1}}", "{\"b\":{\"d\":1}}"},
    {NULL, "null", "null"},
    {"{\"a\":{\"b\":1,\"c\":2}}", "{}", "{\"a\":{\"b\":1,\"c\":2}}"},
    {"{\"a\":{\"b\":1},\"c\":3}", "{\"a\":{\"d\":{\"e\":null}},\"c\":null}",
     "{\"a\":{\"b\":1,\"d\":{}}}"},
};

Test(json_merge_patch, each_example_gives_what_it_says_in_one_step)
{
    for (size_t index = 0; index < sizeof EXAMPLES / sizeof *EXAMPLES; index++) {
        peer one;
        json_open(&one, "a");
        if (EXAMPLES[index].before != NULL) {
            json_set(&one, EXAMPLES[index].before);
        }
        uint64_t before = json_events(&one);
        json_merge(&one, EXAMPLES[index].patch);
        assert_json(&one, EXAMPLES[index].after);
        if (EXAMPLES[index].before != NULL && json_events(&one) > before) {
            json_undo(&one);
            assert_json(&one, EXAMPLES[index].before);
        }
        peer_release(&one);
    }
}

Test(json_merge_patch, what_was_removed_comes_back_without_what_it_had)
{
    peer one;
    json_open(&one, "a");
    json_set(&one, "{\"a\":{\"b\":{\"c\":1},\"d\":2},\"e\":3}");
    json_merge(&one, "{\"a\":null}");
    json_merge(&one, "{\"a\":{\"b\":{\"f\":4}}}");
    assert_json_at(&one, "/a", "{\"b\":{\"f\":4}}");
    peer_release(&one);
}

Test(json_merge_patch, it_takes_events_for_what_differs_only)
{
    peer one;
    json_open(&one, "a");
    json_set(&one, "{\"a\":{\"b\":1,\"c\":[1,2]},\"d\":2}");
    uint64_t before = json_events(&one);
    json_merge(&one, "{\"a\":{\"b\":1,\"c\":[1,2],\"x\":null},\"d\":2}");
    cr_assert_eq(json_events(&one), before);
    json_merge(&one, "{\"a\":{\"b\":5},\"d\":null}");
    cr_assert_eq(json_events(&one), before + 2);
    peer_release(&one);
}
