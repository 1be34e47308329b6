/* JSON that two replicas edit at once, each in a store of its own. */
#include <grove/json.h>

#include "json_document.h"
#include "support/json_model.h"

typedef struct pair {
    peer a;
    peer b;
} pair;

/* Both have the same document. */
static void pair_open(pair *both, const char *text)
{
    json_open(&both->a, "a");
    json_open(&both->b, "b");
    json_set(&both->a, text);
    peer_save(&both->a);
    (void)peer_bring(&both->a, &both->b);
    peer_save(&both->b);
}

/* What two replicas do to a document, and what it is then. */
typedef struct meeting {
    const char *before;
    const char *a; /* patches: an array JSON Patch, an object JSON Merge Patch */
    const char *b;
    const char *after;
} meeting;

/* As JSON: in whatever order the members are. */
static void expect_json(peer *one, const char *expected, const meeting *at)
{
    char *text = json_at(one, "");
    json_t *shown = json_model_parse(grove_bytes_of(text));
    json_t *wanted = json_model_parse(grove_bytes_of(expected));
    cr_expect(json_equal(shown, wanted), "%s, %s and %s: %s", at->before, at->a, at->b,
              text);
    json_decref(shown);
    json_decref(wanted);
    free(text);
}

/* Both take in what the other did, and end with the same tree. */
static void pair_meet(pair *both)
{
    peer_save(&both->a);
    peer_save(&both->b);
    (void)peer_bring(&both->a, &both->b);
    (void)peer_bring(&both->b, &both->a);
    cr_assert(json_digests_equal(json_digest_of(&both->a), json_digest_of(&both->b)));
    char *text = json_at(&both->a, "");
    assert_json(&both->b, text);
    free(text);
}

static void pair_release(pair *both)
{
    peer_release(&both->a);
    peer_release(&both->b);
}

static const meeting MEETINGS[] = {
    /* Members of one object. */
    {"{}", "{\"a\":1}", "{\"b\":2}", "{\"a\":1,\"b\":2}"},
    {"{\"o\":{}}", "{\"o\":{\"a\":1}}", "{\"o\":{\"b\":{\"c\":2}}}",
     "{\"o\":{\"a\":1,\"b\":{\"c\":2}}}"},
    /* One member, two values: that of the later replica, at equal times. */
    {"{\"a\":0}", "{\"a\":1}", "{\"a\":2}", "{\"a\":2}"},
    /* b's second write is later than a's only one, and a's second than b's. */
    {"{\"a\":0}",
     "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":1},"
     "{\"op\":\"replace\",\"path\":\"/a\",\"value\":3}]",
     "{\"a\":2}", "{\"a\":3}"},
    /* The same member is made twice, and is one. */
    {"{}", "{\"o\":{\"a\":1}}", "{\"o\":{\"b\":2}}", "{\"o\":{\"a\":1,\"b\":2}}"},
    {"{}", "{\"o\":{\"p\":{\"a\":1}}}", "{\"o\":{\"p\":{\"b\":2}}}",
     "{\"o\":{\"p\":{\"a\":1,\"b\":2}}}"},
    /* Of two kinds one holds, and what is in the other does not show. */
    {"{}", "{\"o\":{\"a\":1}}", "{\"o\":5}", "{\"o\":5}"},
    {"{}", "{\"o\":5}", "{\"o\":{\"a\":1}}", "{\"o\":{\"a\":1}}"},
    {"{}", "{\"o\":[1]}", "{\"o\":{\"a\":1}}", "{\"o\":{\"a\":1}}"},
    {"{\"o\":{\"a\":1}}", "{\"o\":{\"b\":2}}", "{\"o\":[3]}", "{\"o\":[3]}"},
    {"{\"o\":[1]}", "[{\"op\":\"add\",\"path\":\"/o/1\",\"value\":2}]",
     "{\"o\":{\"a\":1}}", "{\"o\":{\"a\":1}}"},
    /* What is deleted stays so, whatever others change in it. */
    {"{\"o\":{\"a\":1}}", "{\"o\":null}", "{\"o\":{\"a\":2}}", "{}"},
    {"{\"o\":{\"a\":1}}", "{\"o\":{\"b\":2}}", "{\"o\":null}", "{}"},
    {"[{\"a\":1},2]", "[{\"op\":\"remove\",\"path\":\"/0\"}]",
     "[{\"op\":\"replace\",\"path\":\"/0/a\",\"value\":3}]", "[2]"},
    /* Elements, one by one; what is put in a row stays in a row. */
    {"[0,9]",
     "[{\"op\":\"add\",\"path\":\"/1\",\"value\":1},"
     "{\"op\":\"add\",\"path\":\"/2\",\"value\":2},"
     "{\"op\":\"add\",\"path\":\"/3\",\"value\":3}]",
     "[{\"op\":\"add\",\"path\":\"/1\",\"value\":4},"
     "{\"op\":\"add\",\"path\":\"/2\",\"value\":5},"
     "{\"op\":\"add\",\"path\":\"/3\",\"value\":6}]",
     "[0,1,2,3,4,5,6,9]"},
    {"[]",
     "[{\"op\":\"add\",\"path\":\"/-\",\"value\":1},"
     "{\"op\":\"add\",\"path\":\"/-\",\"value\":2}]",
     "[{\"op\":\"add\",\"path\":\"/-\",\"value\":3},"
     "{\"op\":\"add\",\"path\":\"/-\",\"value\":4}]",
     "[3,4,1,2]"},
    {"[1,2,3]", "[{\"op\":\"remove\",\"path\":\"/0\"}]",
     "[{\"op\":\"remove\",\"path\":\"/2\"}]", "[2]"},
    {"[1,2,3]", "[{\"op\":\"remove\",\"path\":\"/1\"}]",
     "[{\"op\":\"remove\",\"path\":\"/1\"}]", "[1,3]"},
    {"[1,2]", "[{\"op\":\"replace\",\"path\":\"/0\",\"value\":3}]",
     "[{\"op\":\"replace\",\"path\":\"/1\",\"value\":4}]", "[3,4]"},
    /* An element that moves takes edits of it along; a copy does not. */
    {"{\"a\":[{\"x\":1}],\"b\":[]}",
     "[{\"op\":\"move\",\"from\":\"/a/0\",\"path\":\"/b/0\"}]",
     "[{\"op\":\"replace\",\"path\":\"/a/0/x\",\"value\":2}]",
     "{\"a\":[],\"b\":[{\"x\":2}]}"},
    {"{\"a\":{\"x\":1}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b\"}]",
     "[{\"op\":\"replace\",\"path\":\"/a/x\",\"value\":2}]", "{\"b\":{\"x\":1}}"},
    {"[1,2,3]", "[{\"op\":\"move\",\"from\":\"/0\",\"path\":\"/2\"}]",
     "[{\"op\":\"move\",\"from\":\"/0\",\"path\":\"/1\"}]", "[2,1,3]"},
};

static void do_patch(peer *one, const char *patch)
{
    if (patch[0] == '[') {
        json_patch(one, patch);
    } else {
        json_merge(one, patch);
    }
}

Test(json_replicas, what_two_do_at_once_comes_together)
{
    for (size_t index = 0; index < sizeof MEETINGS / sizeof *MEETINGS; index++) {
        const meeting *at = &MEETINGS[index];
        pair both;
        pair_open(&both, at->before);
        do_patch(&both.a, at->a);
        do_patch(&both.b, at->b);
        pair_meet(&both);
        expect_json(&both.a, at->after, at);
        pair_release(&both);
    }
}

Test(json_replicas, the_value_of_a_document_is_one_even_if_both_make_it)
{
    pair both;
    json_open(&both.a, "a");
    json_open(&both.b, "b");
    json_set(&both.a, "{\"a\":[1],\"c\":{\"x\":1}}");
    json_set(&both.b, "{\"b\":[2],\"c\":{\"y\":2}}");
    pair_meet(&both);
    assert_json_at(&both.a, "/a", "[1]");
    assert_json_at(&both.a, "/b", "[2]");
    assert_json_at(&both.a, "/c/x", "1");
    assert_json_at(&both.a, "/c/y", "2");
    pair_release(&both);
}

Test(json_replicas, fields_of_one_element_merge_when_both_set_the_whole)
{
    pair both;
    pair_open(&both, "[{\"name\":\"x\",\"price\":1}]");
    json_set(&both.a, "[{\"name\":\"y\",\"price\":1}]");
    json_set(&both.b, "[{\"name\":\"x\",\"price\":2}]");
    pair_meet(&both);
    assert_json(&both.a, "[{\"name\":\"y\",\"price\":2}]");
    pair_release(&both);
}

Test(json_replicas, what_does_not_show_is_gone_once_its_node_is_set_again)
{
    pair both;
    pair_open(&both, "{\"o\":{\"a\":1}}");
    json_merge(&both.a, "{\"o\":{\"b\":2}}");
    json_set(&both.b, "{\"o\":7}");
    pair_meet(&both);
    assert_json(&both.a, "{\"o\":7}");
    json_set(&both.a, "{\"o\":{\"c\":3}}");
    assert_json(&both.a, "{\"o\":{\"c\":3}}");
    pair_meet(&both);
    pair_release(&both);
}

Test(json_replicas, undo_takes_back_what_one_did_and_no_more)
{
    pair both;
    pair_open(&both, "{\"a\":1,\"b\":[1]}");
    json_patch(&both.a, "[{\"op\":\"add\",\"path\":\"/c\",\"value\":{\"x\":1}},"
                        "{\"op\":\"replace\",\"path\":\"/a\",\"value\":2},"
                        "{\"op\":\"add\",\"path\":\"/b/0\",\"value\":0}]");
    json_patch(&both.b, "[{\"op\":\"add\",\"path\":\"/b/1\",\"value\":2},"
                        "{\"op\":\"add\",\"path\":\"/d\",\"value\":4}]");
    pair_meet(&both);
    assert_json(&both.a, "{\"a\":2,\"b\":[0,1,2],\"d\":4,\"c\":{\"x\":1}}");
    json_undo(&both.a);
    assert_json(&both.a, "{\"a\":1,\"b\":[1,2],\"d\":4}");
    assert_ok(&both.a.store,
              grove_tree_redo(both.a.document, NOTHING, &both.a.store.error));
    assert_json(&both.a, "{\"a\":2,\"b\":[0,1,2],\"d\":4,\"c\":{\"x\":1}}");
    pair_release(&both);
}
