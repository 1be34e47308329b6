/* Which nodes of a tree are JSON. */
#include "json/node.h"

#include <math.h>

#include "json_document.h"

/* BLAKE2b with 20 bytes, by another implementation. */
static const uint8_t WHOLE[] = {0x08, 0x2a, 0xd9, 0x92, 0xfb, 0x76, 0x87,
                                0x1c, 0x33, 0xa1, 0xb9, 0x99, 0x3a, 0x08,
                                0x29, 0x52, 0xfe, 0xac, 0xa5, 0xe6};
static const uint8_t MEMBER[] = {0xf5, 0x4d, 0xb4, 0x8f, 0x37, 0x81, 0x54,
                                 0xe4, 0x3f, 0xe1, 0x66, 0x1a, 0x48, 0x27,
                                 0xb5, 0xfb, 0xb6, 0x1b, 0xb6, 0x86};

static void assert_id(peer *one, grove_node node, const uint8_t *id)
{
    grove_tree_id_bytes is;
    assert_ok(&one->store, grove_tree_id(one->document, node, &is, &one->store.error));
    cr_assert_eq(is.size, GROVE__JSON_ID_BYTES);
    cr_assert_eq(memcmp(is.bytes, id, GROVE__JSON_ID_BYTES), 0);
}

Test(json_node, a_members_id_follows_from_its_parents_and_the_key)
{
    peer one;
    grove__json_view whole;
    grove__json_view member;
    json_open(&one, "a");
    json_set(&one, "{\"key\":1}");
    assert_ok(&one.store, grove__json_member(one.document, GROVE_NODE_ROOT, NOTHING,
                                             &whole, &one.store.error));
    assert_ok(&one.store,
              grove__json_member(one.document, whole.node, grove_bytes_of("key"), &member,
                                 &one.store.error));
    assert_id(&one, whole.node, WHOLE);
    assert_id(&one, member.node, MEMBER);
    cr_assert_eq(whole.kind, GROVE__JSON_OBJECT);
    cr_assert_eq(member.kind, GROVE__JSON_SCALAR);
    cr_assert_eq(grove__json_member(one.document, whole.node, grove_bytes_of("kez"),
                                    &member, &one.store.error),
                 GROVE_NONE);
    peer_release(&one);
}

static grove_node member_of(peer *one, grove_node object, const char *key)
{
    grove__json_view view;
    assert_ok(&one->store, grove__json_member(one->document, object, grove_bytes_of(key),
                                              &view, &one->store.error));
    return view.node;
}

static void move_to(peer *one, grove_node node, grove_node parent)
{
    const grove_tree_place last = {parent, GROVE_TREE_LAST, GROVE_NODE_NONE};
    assert_ok(&one->store,
              grove_tree_move(one->document, node, last, NOTHING, &one->store.error));
}

static void set_attribute(peer *one, grove_node node, const char *name, grove_value value)
{
    assert_ok(&one->store, grove_tree_set(one->document, node, grove_bytes_of(name),
                                          &value, NOTHING, &one->store.error));
}

Test(json_node, only_what_is_json_and_in_its_place_shows)
{
    peer one;
    json_open(&one, "a");
    json_set(&one, "{\"a\":{\"x\":1,\"y\":2,\"z\":3},\"b\":[4,5],\"c\":6}");
    grove_node whole = member_of(&one, GROVE_NODE_ROOT, "");
    grove_node a = member_of(&one, whole, "a");
    grove_node b = member_of(&one, whole, "b");
    grove_node c = member_of(&one, whole, "c");
    const grove_attribute value = {grove_bytes_of("value"), grove_value_integer(7)};
    const grove_attribute key = {grove_bytes_of("key"),
                                 grove_value_text(grove_bytes_of("k"))};
    /* An element below an object, a member with another's id, another type. */
    (void)json_put_node(&one, a, "value", &value, 1);
    (void)json_put_node(&one, a, "value", &key, 1);
    (void)json_put_node(&one, a, "stranger", NULL, 0);
    (void)json_put_node(&one, b, "stranger", NULL, 0);
    (void)json_put_node(&one, b, "value", &key, 1);
    (void)json_put_node(&one, c, "value", &value, 1);
    assert_json(&one, "{\"a\":{\"x\":1,\"y\":2,\"z\":3},\"b\":[4,5],\"c\":6}");
    /* A member that was moved elsewhere, one whose key is none any more. */
    move_to(&one, member_of(&one, a, "x"), whole);
    set_attribute(&one, member_of(&one, a, "y"), "key", grove_value_integer(1));
    assert_json(&one, "{\"a\":{\"z\":3},\"b\":[4,5],\"c\":6}");
    cr_assert_null(json_at(&one, "/a/x"));
    cr_assert_null(json_at(&one, "/x"));
    cr_assert_null(json_at(&one, "/a/y"));
    /* Setting finds them again, where they belong. */
    json_set(&one, "{\"a\":{\"x\":8,\"y\":9},\"b\":[4,5],\"c\":{}}");
    assert_json_at(&one, "/a/x", "8");
    assert_json_at(&one, "/a/y", "9");
    cr_assert_null(json_at(&one, "/a/z"));
    assert_json_at(&one, "/c", "{}");
    peer_release(&one);
}

Test(json_node, what_is_no_json_scalar_counts_as_null)
{
    peer one;
    json_open(&one, "a");
    json_set(&one, "[1,2,3,4]");
    grove_node whole = member_of(&one, GROVE_NODE_ROOT, "");
    grove_node nodes[4];
    for (uint64_t index = 0; index < 4; index++) {
        assert_ok(&one.store, grove_tree_child(one.document, whole, index, 0,
                                               &nodes[index], &one.store.error));
    }
    set_attribute(&one, nodes[0], "value", grove_value_bytes(grove_bytes_of("x")));
    set_attribute(&one, nodes[1], "value", grove_value_double((double)NAN));
    set_attribute(&one, nodes[2], "value", grove_value_double(-(double)INFINITY));
    assert_ok(&one.store,
              grove_tree_unset(one.document, nodes[3], grove_bytes_of("value"), NOTHING,
                               &one.store.error));
    assert_json(&one, "[null,null,null,null]");
    json_patch(&one, "[{\"op\":\"test\",\"path\":\"/0\",\"value\":null}]");
    uint64_t before = json_events(&one);
    json_set(&one, "[null,null,null,null]");
    cr_assert_eq(json_events(&one) - before, 4);
    peer_release(&one);
}
