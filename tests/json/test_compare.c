/* A value in a tree against one in memory. */
#include "json/compare.h"

#include "json/text.h"
#include "json_document.h"

typedef struct two {
    const char *one;
    const char *other;
    bool are_same;
    bool are_equal;
} two;

static const two TWOS[] = {
    {"1", "1", true, true},
    {"1", "1.0", false, true},
    {"1", "\"1\"", false, false},
    {"[]", "{}", false, false},
    {"[]", "null", false, false},
    {"[]", "[]", true, true},
    {"{}", "{}", true, true},
    {"[1,2]", "[1,2]", true, true},
    {"[1,2]", "[2,1]", false, false},
    {"[1,2]", "[1]", false, false},
    {"[1]", "[1,2]", false, false},
    {"[[1,2.0],[3]]", "[[1.0,2],[3]]", false, true},
    {"[[1],[2,3]]", "[[1,2],[3]]", false, false},
    {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true, true},
    {"{\"a\":1,\"b\":2}", "{\"b\":2}", false, false},
    {"{\"a\":1}", "{\"b\":1}", false, false},
    {"{\"a\":1}", "{\"a\":1,\"b\":2}", false, false},
    {"{\"a\":{\"b\":[1,{\"c\":null}]}}", "{\"a\":{\"b\":[1,{\"c\":null}]}}", true, true},
    {"{\"a\":{\"b\":[1,{\"c\":null}]}}", "{\"a\":{\"b\":[1,{\"c\":false}]}}", false,
     false},
};

static void assert_compares(const two *at, bool is_swapped)
{
    peer one;
    grove__json_value value;
    grove__json_view view;
    json_open(&one, "a");
    json_set(&one, is_swapped ? at->other : at->one);
    assert_ok(&one.store,
              grove__json_text_read(grove_bytes_of(is_swapped ? at->one : at->other),
                                    &value, &one.store.error));
    assert_ok(&one.store, grove__json_member(one.document, GROVE_NODE_ROOT, NOTHING,
                                             &view, &one.store.error));
    cr_assert_eq(grove__json_compare(one.document, &view, &value, 0,
                                     grove__json_scalars_same, &one.store.error),
                 at->are_same ? GROVE_OK : GROVE_NONE, "%s %s", at->one, at->other);
    cr_assert_eq(grove__json_compare(one.document, &view, &value, 0,
                                     grove__json_scalars_equal, &one.store.error),
                 at->are_equal ? GROVE_OK : GROVE_NONE, "%s %s", at->one, at->other);
    grove__json_value_release(&value);
    peer_release(&one);
}

Test(json_compare, it_says_what_is_the_same_and_what_is_equal)
{
    for (size_t index = 0; index < sizeof TWOS / sizeof *TWOS; index++) {
        assert_compares(&TWOS[index], false);
        assert_compares(&TWOS[index], true);
    }
}
