/* JSON Pointer: the examples of RFC 6901, and what is none. */
#include "json/pointer.h"

#include "json_document.h"

/* RFC 6901, section 5. */
static const char EXAMPLE[] = "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,"
                              "\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,"
                              "\"m~n\":8}";

static const struct {
    const char *pointer;
    const char *json;
} LEADS[] = {
    {"", EXAMPLE},         {"/foo", "[\"bar\",\"baz\"]"},
    {"/foo/0", "\"bar\""}, {"/", "0"},
    {"/a~1b", "1"},        {"/c%d", "2"},
    {"/e^f", "3"},         {"/g|h", "4"},
    {"/i\\j", "5"},        {"/k\"l", "6"},
    {"/ ", "7"},           {"/m~0n", "8"},
};

Test(json_pointer, the_examples_of_the_standard_lead_where_it_says)
{
    peer one;
    json_open(&one, "a");
    json_set(&one, EXAMPLE);
    for (size_t index = 0; index < sizeof LEADS / sizeof *LEADS; index++) {
        assert_json_at(&one, LEADS[index].pointer, LEADS[index].json);
    }
    peer_release(&one);
}

Test(json_pointer, escapes_are_undone_once_and_from_the_left)
{
    peer one;
    json_open(&one, "a");
    json_set(&one, "{\"~1\":1,\"/\":2,\"~\":3,\"~0\":4,\"\":{\"\":5},\"01\":6,\"-\":7}");
    assert_json_at(&one, "/~01", "1");
    assert_json_at(&one, "/~1", "2");
    assert_json_at(&one, "/~0", "3");
    assert_json_at(&one, "/~00", "4");
    assert_json_at(&one, "//", "5");
    assert_json_at(&one, "/01", "6");
    assert_json_at(&one, "/-", "7");
    peer_release(&one);
}

static const struct {
    const char *pointer;
    grove_status status;
    uint64_t offset;
} NOWHERE[] = {
    {"a", GROVE_INVALID, 0},
    {"/a/~", GROVE_INVALID, 3},
    {"/~2", GROVE_INVALID, 1},
    {"/b", GROVE_INVALID, 0},
    {"/a/3", GROVE_INVALID, 0},
    {"/a/-", GROVE_INVALID, 0},
    {"/a/01", GROVE_INVALID, 0},
    {"/a/00", GROVE_INVALID, 0},
    {"/a/-1", GROVE_INVALID, 0},
    {"/a/+1", GROVE_INVALID, 0},
    {"/a/1e0", GROVE_INVALID, 0},
    {"/a/", GROVE_INVALID, 0},
    {"/a/ 1", GROVE_INVALID, 0},
    {"/a/0/x", GROVE_INVALID, 0},
    {"/c/x/y", GROVE_INVALID, 0},
    {"/a/18446744073709551617", GROVE_INVALID, 0},
    {"/a/1000000000000000000", GROVE_INVALID, 0},
};

Test(json_pointer, what_leads_nowhere_says_so)
{
    peer one;
    json_open(&one, "a");
    assert_fails(
        &one.store, GROVE_INVALID,
        grove_json_get(one.document, NOTHING, exported_write, NULL, &one.store.error));
    json_set(&one, "{\"a\":[0,1,2],\"c\":{}}");
    for (size_t index = 0; index < sizeof NOWHERE / sizeof *NOWHERE; index++) {
        const grove_bytes pointer = grove_bytes_of(NOWHERE[index].pointer);
        exported text = {NULL, 0, 0, 0};
        assert_fails(&one.store, NOWHERE[index].status,
                     grove_json_get(one.document, pointer, exported_write, &text,
                                    &one.store.error));
        cr_assert_eq(one.store.error.offset, NOWHERE[index].offset, "%s",
                     NOWHERE[index].pointer);
        cr_assert_eq(text.size, 0);
    }
    const grove_bytes with_nul = {(const uint8_t *)"/a\0", 3};
    assert_fails(
        &one.store, GROVE_UNSUPPORTED,
        grove_json_get(one.document, with_nul, exported_write, NULL, &one.store.error));
    cr_assert_eq(one.store.error.offset, 2);
    peer_release(&one);
}

Test(json_pointer, a_long_one_is_cut_off_in_the_message)
{
    char text[1000];
    peer one;
    memset(text, '/', sizeof text);
    json_open(&one, "a");
    json_set(&one, "{}");
    assert_fails(&one.store, GROVE_INVALID,
                 grove_json_get(one.document,
                                (grove_bytes){(const uint8_t *)text, sizeof text},
                                exported_write, NULL, &one.store.error));
    cr_assert_not_null(strstr(one.store.error.message, "leads nowhere"));
    peer_release(&one);
}

Test(json_pointer, what_is_left_out_is_not_counted)
{
    peer one;
    grove__json_pointer pointer;
    grove__json_target third;
    grove__json_target target;
    json_open(&one, "a");
    json_set(&one, "[10,20,30,40]");
    assert_ok(&one.store,
              grove__json_pointer_init(&pointer, grove_bytes_of("/2"), &one.store.error));
    assert_ok(&one.store, grove__json_resolve(one.document, &pointer, GROVE_NODE_NONE,
                                              &third, &one.store.error));
    assert_ok(&one.store, grove__json_resolve(one.document, &pointer, third.view.node,
                                              &target, &one.store.error));
    grove_value scalar;
    assert_ok(&one.store, grove__json_scalar(one.document, target.view.node, &scalar,
                                             &one.store.error));
    cr_assert_eq(scalar.integer, 40);
    cr_assert_neq(target.place.sibling, third.view.node);
    grove__json_pointer_release(&pointer);
    assert_ok(&one.store,
              grove__json_pointer_init(&pointer, grove_bytes_of("/4"), &one.store.error));
    assert_fails(&one.store, GROVE_INVALID,
                 grove__json_resolve(one.document, &pointer, third.view.node, &target,
                                     &one.store.error));
    grove__json_pointer_release(&pointer);
    peer_release(&one);
}
