/* JSON Patch: the examples of RFC 6902, and what cannot be applied. */
#include <grove/json.h>

#include "json_document.h"

typedef struct example {
    const char *before;
    const char *patch;
    const char *after;   /* NULL: it fails, */
    grove_status status; /* so, */
    uint64_t index;      /* at this operation */
} example;

static const example EXAMPLES[] = {
    /* RFC 6902, appendix A, in its order. */
    {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
     "{\"foo\":\"bar\",\"baz\":\"qux\"}", GROVE_OK, 0},
    {"{\"foo\":[\"bar\",\"baz\"]}",
     "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]",
     "{\"foo\":[\"bar\",\"qux\",\"baz\"]}", GROVE_OK, 0},
    {"{\"baz\":\"qux\",\"foo\":\"bar\"}", "[{\"op\":\"remove\",\"path\":\"/baz\"}]",
     "{\"foo\":\"bar\"}", GROVE_OK, 0},
    {"{\"foo\":[\"bar\",\"qux\",\"baz\"]}", "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]",
     "{\"foo\":[\"bar\",\"baz\"]}", GROVE_OK, 0},
    {"{\"baz\":\"qux\",\"foo\":\"bar\"}",
     "[{\"op\":\"replace\",\"path\":\"/baz\",\"value\":\"boo\"}]",
     "{\"baz\":\"boo\",\"foo\":\"bar\"}", GROVE_OK, 0},
    {"{\"foo\":{\"bar\":\"baz\",\"waldo\":\"fred\"},\"qux\":{\"corge\":\"grault\"}}",
     "[{\"op\":\"move\",\"from\":\"/foo/waldo\",\"path\":\"/qux/thud\"}]",
     "{\"foo\":{\"bar\":\"baz\"},\"qux\":{\"corge\":\"grault\",\"thud\":\"fred\"}}",
     GROVE_OK, 0},
    {"{\"foo\":[\"all\",\"grass\",\"cows\",\"eat\"]}",
     "[{\"op\":\"move\",\"from\":\"/foo/1\",\"path\":\"/foo/3\"}]",
     "{\"foo\":[\"all\",\"cows\",\"eat\",\"grass\"]}", GROVE_OK, 0},
    {"{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}",
     "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"qux\"},"
     "{\"op\":\"test\",\"path\":\"/foo/1\",\"value\":2}]",
     "{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}", GROVE_OK, 0},
    {"{\"baz\":\"qux\"}", "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"bar\"}]", NULL,
     GROVE_CONFLICT, 0},
    {"{\"foo\":\"bar\"}",
     "[{\"op\":\"add\",\"path\":\"/child\",\"value\":{\"grandchild\":{}}}]",
     "{\"foo\":\"bar\",\"child\":{\"grandchild\":{}}}", GROVE_OK, 0},
    {"{\"foo\":\"bar\"}",
     "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\",\"xyz\":123}]",
     "{\"foo\":\"bar\",\"baz\":\"qux\"}", GROVE_OK, 0},
    {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz/bat\",\"value\":\"qux\"}]",
     NULL, GROVE_INVALID, 0},
    {"{\"foo\":\"bar\"}",
     "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\",\"op\":\"remove\"}]", NULL,
     GROVE_MALFORMED, 45},
    {"{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":10}]",
     "{\"/\":9,\"~1\":10}", GROVE_OK, 0},
    {"{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":\"10\"}]",
     NULL, GROVE_CONFLICT, 0},
    {"{\"foo\":[\"bar\"]}",
     "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":[\"abc\",\"def\"]}]",
     "{\"foo\":[\"bar\",[\"abc\",\"def\"]]}", GROVE_OK, 0},

    /* Adding: over a member, behind the end, at the front, the whole. */
    {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":[]}]", "{\"a\":[]}",
     GROVE_OK, 0},
    {"[1]", "[{\"op\":\"add\",\"path\":\"/1\",\"value\":2}]", "[1,2]", GROVE_OK, 0},
    {"[1]", "[{\"op\":\"add\",\"path\":\"/0\",\"value\":2}]", "[2,1]", GROVE_OK, 0},
    {"[1]", "[{\"op\":\"add\",\"path\":\"/2\",\"value\":2}]", NULL, GROVE_INVALID, 0},
    {"[1]", "[{\"op\":\"add\",\"path\":\"\",\"value\":{\"a\":1}}]", "{\"a\":1}", GROVE_OK,
     0},
    {"[]",
     "[{\"op\":\"add\",\"path\":\"/-\",\"value\":1},"
     "{\"op\":\"add\",\"path\":\"/-\",\"value\":2},"
     "{\"op\":\"add\",\"path\":\"/1\",\"value\":3}]",
     "[1,3,2]", GROVE_OK, 0},
    {"1", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":1}]", NULL, GROVE_INVALID, 0},
    /* Removing and replacing what is there. */
    {"[1]", "[{\"op\":\"remove\",\"path\":\"/-\"}]", NULL, GROVE_INVALID, 0},
    {"{\"a\":1}",
     "[{\"op\":\"remove\",\"path\":\"\"},{\"op\":\"add\",\"path\":\"\",\"value\":2}]",
     "2", GROVE_OK, 0},
    {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"\"},{\"op\":\"remove\",\"path\":\"\"}]",
     NULL, GROVE_INVALID, 1},
    {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/b\",\"value\":1}]", NULL,
     GROVE_INVALID, 0},
    {"[1,[2,3]]", "[{\"op\":\"replace\",\"path\":\"/1\",\"value\":{\"a\":[2]}}]",
     "[1,{\"a\":[2]}]", GROVE_OK, 0},
    /* Moving: the path counts without what is moved. */
    {"[1,2,3]", "[{\"op\":\"move\",\"from\":\"/2\",\"path\":\"/0\"}]", "[3,1,2]",
     GROVE_OK, 0},
    {"[1,2,3]", "[{\"op\":\"move\",\"from\":\"/0\",\"path\":\"/-\"}]", "[2,3,1]",
     GROVE_OK, 0},
    {"[1,2,3]", "[{\"op\":\"move\",\"from\":\"/0\",\"path\":\"/2\"}]", "[2,3,1]",
     GROVE_OK, 0},
    {"[1,2,3]", "[{\"op\":\"move\",\"from\":\"/0\",\"path\":\"/3\"}]", NULL,
     GROVE_INVALID, 0},
    {"[[1],[2]]", "[{\"op\":\"move\",\"from\":\"/0\",\"path\":\"/0/0\"}]", NULL,
     GROVE_INVALID, 0},
    {"[[1],[2]]", "[{\"op\":\"move\",\"from\":\"/1\",\"path\":\"/0/0\"}]", "[[[2],1]]",
     GROVE_OK, 0},
    /* Not even if, without it, something else would stand there. */
    {"[1,[2]]", "[{\"op\":\"move\",\"from\":\"/0\",\"path\":\"/0/1\"}]", NULL,
     GROVE_INVALID, 0},
    {"[{\"a\":[1]},2]", "[{\"op\":\"move\",\"from\":\"/1\",\"path\":\"/0/a/0\"}]",
     "[{\"a\":[2,1]}]", GROVE_OK, 0},
    {"[{\"a\":1},2]", "[{\"op\":\"move\",\"from\":\"/1\",\"path\":\"/0/b\"}]",
     "[{\"a\":1,\"b\":2}]", GROVE_OK, 0},
    {"{\"a\":{\"b\":{\"c\":1}}}", "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/a\"}]",
     "{\"a\":{\"c\":1}}", GROVE_OK, 0},
    {"{\"a\":{\"b\":{\"c\":1}}}", "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"\"}]",
     "{\"c\":1}", GROVE_OK, 0},
    {"{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a\"}]", "{\"a\":1}",
     GROVE_OK, 0},
    {"{\"a\":1}", "[{\"op\":\"move\",\"from\":\"\",\"path\":\"/a\"}]", NULL,
     GROVE_INVALID, 0},
    {"{\"a\":1,\"ab\":{}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/ab/c\"}]",
     "{\"ab\":{\"c\":1}}", GROVE_OK, 0},
    {"{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/b\",\"path\":\"/c\"}]", NULL,
     GROVE_INVALID, 0},
    /* Copying, also into itself. */
    {"{\"a\":[1]}", "[{\"op\":\"copy\",\"from\":\"\",\"path\":\"/a/0\"}]",
     "{\"a\":[{\"a\":[1]},1]}", GROVE_OK, 0},
    {"{\"a\":{\"b\":1},\"c\":{\"d\":2}}",
     "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/c\"}]",
     "{\"a\":{\"b\":1},\"c\":{\"b\":1}}", GROVE_OK, 0},
    {"{\"a\":1}", "[{\"op\":\"copy\",\"from\":\"/b\",\"path\":\"/c\"}]", NULL,
     GROVE_INVALID, 0},
    /* Tests. */
    {"{\"a\":1,\"b\":[1.0,{}]}",
     "[{\"op\":\"test\",\"path\":\"\",\"value\":{\"b\":[1,{}],\"a\":1.0}}]",
     "{\"a\":1,\"b\":[1.0,{}]}", GROVE_OK, 0},
    {"[1,2]", "[{\"op\":\"test\",\"path\":\"\",\"value\":[1]}]", NULL, GROVE_CONFLICT, 0},
    {"[1]", "[{\"op\":\"test\",\"path\":\"\",\"value\":[1,2]}]", NULL, GROVE_CONFLICT, 0},
    {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"\",\"value\":{\"a\":1,\"b\":2}}]", NULL,
     GROVE_CONFLICT, 0},
    {"{\"a\":1,\"b\":2}", "[{\"op\":\"test\",\"path\":\"\",\"value\":{\"a\":1}}]", NULL,
     GROVE_CONFLICT, 0},
    {"{\"a\":null}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":null}]", "{\"a\":null}",
     GROVE_OK, 0},
    {"{\"a\":null}", "[{\"op\":\"test\",\"path\":\"/b\",\"value\":null}]", NULL,
     GROVE_INVALID, 0},
    {"[9007199254740993]",
     "[{\"op\":\"test\",\"path\":\"/0\",\"value\":9007199254740992.0}]", NULL,
     GROVE_CONFLICT, 0},
    /* All or nothing, and the index of what failed. */
    {"{}",
     "[{\"op\":\"add\",\"path\":\"/a\",\"value\":1},"
     "{\"op\":\"add\",\"path\":\"/b\",\"value\":{\"c\":[1]}},"
     "{\"op\":\"test\",\"path\":\"/a\",\"value\":2}]",
     NULL, GROVE_CONFLICT, 2},
    {"{}", "[]", "{}", GROVE_OK, 0},
    /* What is no patch. */
    {"{}", "{\"op\":\"add\"}", NULL, GROVE_INVALID, 0},
    {"{}", "[1]", NULL, GROVE_INVALID, 0},
    {"{}", "[{}]", NULL, GROVE_INVALID, 0},
    {"{}", "[{\"op\":\"add\",\"path\":\"/a\"}]", NULL, GROVE_INVALID, 0},
    {"{}", "[{\"op\":\"add\",\"path\":1,\"value\":1}]", NULL, GROVE_INVALID, 0},
    {"{}", "[{\"op\":\"Add\",\"path\":\"/a\",\"value\":1}]", NULL, GROVE_INVALID, 0},
    {"{\"a\":1}", "[{\"op\":\"move\",\"path\":\"/b\"}]", NULL, GROVE_INVALID, 0},
    {"{\"a\":1}", "[{\"op\":\"copy\",\"path\":\"/b\",\"from\":\"a\"}]", NULL,
     GROVE_INVALID, 0},
    {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"a\"}]", NULL, GROVE_INVALID, 0},
    {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/\\u0000\",\"value\":1}]", NULL,
     GROVE_UNSUPPORTED, 0},
};

static void assert_refused(peer *one, const example *at)
{
    char index[32];
    assert_json_fails(one, at->status,
                      grove_json_patch(one->document, grove_bytes_of(at->patch), NOTHING,
                                       &one->store.error));
    cr_assert_eq(one->store.error.offset, at->index, "%s: %llu", at->patch,
                 (unsigned long long)one->store.error.offset);
    (void)snprintf(index, sizeof index, "operation %llu", (unsigned long long)at->index);
    bool is_of_operation = at->status != GROVE_MALFORMED && at->patch[0] == '[';
    cr_assert(!is_of_operation || strstr(one->store.error.message, index) != NULL, "%s",
              one->store.error.message);
}

Test(json_patch, each_example_gives_what_it_says_in_one_step_or_nothing)
{
    for (size_t index = 0; index < sizeof EXAMPLES / sizeof *EXAMPLES; index++) {
        const example *at = &EXAMPLES[index];
        peer one;
        json_open(&one, "a");
        json_set(&one, at->before);
        if (at->after == NULL) {
            assert_refused(&one, at);
            assert_json(&one, at->before);
        } else {
            uint64_t before = json_events(&one);
            json_patch(&one, at->patch);
            assert_json(&one, at->after);
            if (json_events(&one) > before) {
                json_undo(&one);
                assert_json(&one, at->before);
            }
        }
        peer_release(&one);
    }
}

Test(json_patch, an_element_that_moves_to_an_array_stays_the_same_node)
{
    peer one;
    json_open(&one, "a");
    json_set(&one, "{\"a\":[1,2],\"b\":[3]}");
    uint64_t before = json_events(&one);
    json_patch(&one, "[{\"op\":\"move\",\"from\":\"/a/0\",\"path\":\"/b/1\"}]");
    cr_assert_eq(json_events(&one) - before, 1);
    json_patch(&one, "[{\"op\":\"move\",\"from\":\"/b/1\",\"path\":\"/b/0\"}]");
    cr_assert_eq(json_events(&one) - before, 2);
    /* It stands there; and so does any value that moves to where it is. */
    json_patch(&one, "[{\"op\":\"move\",\"from\":\"/b\",\"path\":\"/b\"},"
                     "{\"op\":\"move\",\"from\":\"/b/0\",\"path\":\"/b/0\"},"
                     "{\"op\":\"move\",\"from\":\"/b/1\",\"path\":\"/b/-\"}]");
    cr_assert_eq(json_events(&one) - before, 2);
    assert_json(&one, "{\"a\":[2],\"b\":[1,3]}");
    peer_release(&one);
}

Test(json_patch, it_goes_onto_a_document_without_a_value)
{
    peer one;
    json_open(&one, "a");
    const char *patch = "[{\"op\":\"add\",\"path\":\"/a\",\"value\":1}]";
    assert_json_fails(
        &one, GROVE_INVALID,
        grove_json_patch(one.document, grove_bytes_of(patch), NOTHING, &one.store.error));
    json_patch(&one, "[{\"op\":\"add\",\"path\":\"\",\"value\":{}},"
                     "{\"op\":\"add\",\"path\":\"/a\",\"value\":1}]");
    assert_json(&one, "{\"a\":1}");
    json_patch(&one, "[{\"op\":\"remove\",\"path\":\"\"}]");
    cr_assert_null(json_at(&one, ""));
    peer_release(&one);
}

/* An array of so many zeros, in an object; the caller frees it. */
static char *zeros_text(size_t count)
{
    char *text = malloc(2 * count + 16);
    cr_assert_not_null(text);
    size_t bytes = 6;
    memcpy(text, "{\"a\":[", bytes);
    for (size_t index = 0; index < count; index++) {
        memcpy(text + bytes, index == 0 ? "0" : ",0", index == 0 ? 1 : 2);
        bytes += index == 0 ? 1 : 2;
    }
    memcpy(text + bytes, "]}", 3);
    return text;
}

Test(json_patch, it_copies_as_many_values_as_the_limit_says)
{
    char *text = zeros_text(GROVE_JSON_COPIES_MAX - 2);
    peer one;
    json_open(&one, "a");
    json_set(&one, text);
    free(text);
    /* The array is one value more than it has elements: one is left. */
    json_patch(&one, "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"}]");
    json_patch(&one, "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"},"
                     "{\"op\":\"copy\",\"from\":\"/a/0\",\"path\":\"/c\"}]");
    const char *too_many = "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"},"
                           "{\"op\":\"copy\",\"from\":\"/a/0\",\"path\":\"/c\"},"
                           "{\"op\":\"move\",\"from\":\"/c\",\"path\":\"/d\"}]";
    assert_fails(&one.store, GROVE_LIMIT,
                 grove_json_patch(one.document, grove_bytes_of(too_many), NOTHING,
                                  &one.store.error));
    cr_assert_eq(one.store.error.offset, 2);
    assert_json_at(&one, "/c", "0");
    peer_release(&one);
}
