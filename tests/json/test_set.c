/* Setting the JSON of a document. */
#include <grove/json.h>

#include "json_document.h"

typedef struct change {
    const char *from;
    const char *to;
    uint64_t events;
} change;

/* How many events a document takes to become another. */
static const change CHANGES[] = {
    /* Scalars are written; nothing is said that is so. */
    {"1", "1", 0},
    {"1", "2", 1},
    {"1", "1.0", 1},
    {"0.0", "-0.0", 1},
    {"null", "false", 1},
    {"\"a\"", "\"a\\u0000\"", 1},
    /* Members, one by one. */
    {"{}", "{}", 0},
    {"{}", "{\"a\":1}", 1},
    {"{\"a\":1}", "{}", 1},
    {"{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":3}", 1},
    {"{\"a\":{\"b\":{\"c\":1}}}", "{\"a\":{\"b\":{\"c\":1,\"d\":2}}}", 1},
    {"{\"a\":{\"b\":1},\"c\":2}", "{\"c\":2}", 1},
    {"{\"\":1}", "{\"\":2}", 1},
    /* As many elements: each by itself. */
    {"[1,2,3]", "[1,5,3]", 1},
    {"[1,{\"a\":1,\"b\":2}]", "[1,{\"a\":1,\"b\":3}]", 1},
    {"[[1],[2],[3]]", "[[1],[2,4],[3]]", 1},
    /* More or fewer: what is between those that stay. */
    {"[1,2,3]", "[1,2,3,4]", 1},
    {"[1,2,3]", "[0,1,2,3]", 1},
    {"[1,2,3]", "[1,9,2,3]", 1},
    {"[1,2,3]", "[1,3]", 1},
    {"[1,2,3]", "[]", 3},
    {"[]", "[1,2]", 2},
    {"[1,2,3,4]", "[1,7,4]", 3},
    {"[1,1,1]", "[1,1]", 1},
    {"[1,1]", "[1,1,1]", 1},
    {"[{\"a\":1},2]", "[{\"a\":1.0},3,2]", 3 + 1},
    {"[[1,[2,3]],4]", "[[1,[2,3]]]", 1},
    /* Another kind: what was in it goes. */
    {"{\"a\":1}", "5", 2},
    {"5", "{\"a\":1}", 2},
    {"[1,2]", "{\"a\":1}", 4},
    {"{\"a\":[1,2],\"b\":3}", "{\"a\":4,\"b\":3}", 3},
    {"[1,[2],3]", "[1,2,3]", 2},
    {"[1,2,3]", "[1,{},3]", 1},
};

Test(json_set, it_takes_the_events_that_differ_and_can_be_undone_in_one_step)
{
    for (size_t index = 0; index < sizeof CHANGES / sizeof *CHANGES; index++) {
        const change *at = &CHANGES[index];
        peer one;
        json_open(&one, "a");
        json_set(&one, at->from);
        assert_json(&one, at->from);
        uint64_t before = json_events(&one);
        json_set(&one, at->to);
        assert_json(&one, at->to);
        cr_assert_eq(json_events(&one) - before, at->events, "%s to %s: %llu events",
                     at->from, at->to, (unsigned long long)(json_events(&one) - before));
        if (at->events > 0) {
            json_undo(&one);
            assert_json(&one, at->from);
        }
        peer_release(&one);
    }
}

Test(json_set, a_member_that_comes_back_has_nothing_of_what_it_had)
{
    peer one;
    json_open(&one, "a");
    json_set(&one, "{\"a\":{\"x\":1,\"y\":{\"z\":2}},\"b\":[1,2]}");
    json_set(&one, "{}");
    json_set(&one, "{\"a\":{\"y\":{}},\"b\":[3]}");
    assert_json(&one, "{\"a\":{\"y\":{}},\"b\":[3]}");
    json_set(&one, "{\"b\":4}");
    json_set(&one, "{\"a\":[],\"b\":4}");
    assert_json(&one, "{\"a\":[],\"b\":4}");
    peer_release(&one);
}

Test(json_set, a_node_that_becomes_of_another_kind_stays_where_it_is)
{
    peer one;
    json_open(&one, "a");
    json_set(&one, "{\"a\":1,\"b\":2,\"c\":[1,2,3]}");
    json_set(&one, "{\"a\":[],\"b\":{},\"c\":[{},2,[]]}");
    assert_json(&one, "{\"a\":[],\"b\":{},\"c\":[{},2,[]]}");
    peer_release(&one);
}

Test(json_set, bad_texts_change_nothing)
{
    static const struct {
        const char *text;
        grove_status status;
        uint64_t offset;
    } BAD[] = {{"", GROVE_MALFORMED, 0},
               {"{\"a\":1,\"a\":2}", GROVE_MALFORMED, 10},
               {"[1,2", GROVE_MALFORMED, 4},
               {"[18446744073709551616]", GROVE_LIMIT, 21},
               {"{\"\\u0000\":1}", GROVE_UNSUPPORTED, 9}};
    peer one;
    json_open(&one, "a");
    json_set(&one, "{\"a\":1}");
    for (size_t index = 0; index < sizeof BAD / sizeof *BAD; index++) {
        assert_json_fails(&one, BAD[index].status,
                          grove_json_set(one.document, grove_bytes_of(BAD[index].text),
                                         NOTHING, &one.store.error));
        cr_assert_eq(one.store.error.offset, BAD[index].offset);
        assert_json_fails(&one, BAD[index].status,
                          grove_json_merge_patch(one.document,
                                                 grove_bytes_of(BAD[index].text), NOTHING,
                                                 &one.store.error));
        assert_json_fails(&one, BAD[index].status,
                          grove_json_patch(one.document, grove_bytes_of(BAD[index].text),
                                           NOTHING, &one.store.error));
    }
    peer_release(&one);
}

Test(json_set, a_failure_on_the_way_takes_everything_back)
{
    static uint8_t metadata[GROVE_TREE_METADATA_BYTES_MAX + 1];
    const grove_bytes too_long = {metadata, sizeof metadata};
    peer one;
    json_open(&one, "a");
    json_set(&one, "{\"a\":1}");
    assert_json_fails(&one, GROVE_LIMIT,
                      grove_json_set(one.document, grove_bytes_of("{\"b\":2}"), too_long,
                                     &one.store.error));
    assert_json(&one, "{\"a\":1}");
    peer_release(&one);
}

Test(json_set, it_is_not_for_texts_views_or_changes_that_have_begun)
{
    const grove_bytes text = grove_bytes_of("{\"a\":1}");
    peer one;
    peer other;
    grove_document *view = NULL;
    json_open(&one, "a");
    json_set(&one, "1");
    peer_save(&one);
    json_set(&one, "2");
    peer_save(&one);
    assert_ok(&one.store, grove_tree_begin(one.document, &one.store.error));
    assert_fails(&one.store, GROVE_INVALID,
                 grove_json_set(one.document, text, NOTHING, &one.store.error));
    assert_ok(&one.store, grove_tree_end(one.document, &one.store.error));
    assert_json(&one, "2");
    assert_ok(&one.store,
              grove_document_load_at(one.store.store, grove_bytes_of(EXCHANGED), 1,
                                     &one.options, &view, &one.store.error));
    assert_fails(&one.store, GROVE_INVALID,
                 grove_json_set(view, text, NOTHING, &one.store.error));
    grove_document *now = one.document;
    one.document = view;
    assert_json(&one, "1");
    one.document = now;
    grove_document_close(view);
    peer_init(&other, "memory", "b", NULL);
    assert_fails(&other.store, GROVE_INVALID,
                 grove_json_set(other.document, text, NOTHING, &other.store.error));
    peer_release(&other);
    peer_release(&one);
}

Test(json_set, what_is_no_json_in_the_tree_is_left_alone)
{
    peer one;
    json_open(&one, "a");
    grove_node stranger = json_put_node(&one, GROVE_NODE_ROOT, "stranger", NULL, 0);
    json_set(&one, "{\"a\":1}");
    json_set(&one, "{}");
    grove_tree_info info;
    assert_ok(&one.store,
              grove_tree_info_get(one.document, stranger, &info, &one.store.error));
    cr_assert_not(info.is_deleted);
    assert_json(&one, "{}");
    peer_release(&one);
}

Test(json_set, what_was_set_is_there_after_it_was_saved_and_compacted)
{
    const char *text = "{\"a\":[1,2.0,{\"b\":null}],\"c\":\"x\\u0000y\",\"d\":-0.0,"
                       "\"e\":9007199254740993,\"f\":-9223372036854775808}";
    peer one;
    json_open(&one, "a");
    json_set(&one, text);
    peer_save(&one);
    peer_reopen(&one);
    assert_json(&one, text);
    peer_compact(&one, 0);
    peer_reopen(&one);
    assert_json(&one, text);
    uint64_t before = json_events(&one);
    json_set(&one, text);
    cr_assert_eq(json_events(&one), before);
    peer_release(&one);
}

static bool find_metadata(void *context, const grove_tree_event *event)
{
    size_t *found = context;
    *found += event->metadata.size == 2 && memcmp(event->metadata.data, "me", 2) == 0;
    return true;
}

Test(json_set, metadata_is_kept_with_each_event)
{
    peer one;
    size_t found = 0;
    json_open(&one, "a");
    assert_ok(&one.store, grove_json_set(one.document, grove_bytes_of("[1]"),
                                         grove_bytes_of("me"), &one.store.error));
    peer_save(&one);
    for (grove_node node = 1; node <= 2; node++) {
        assert_ok(&one.store, grove_tree_history(one.document, node, find_metadata,
                                                 &found, &one.store.error));
    }
    cr_assert_eq(found, 2);
    peer_release(&one);
}
