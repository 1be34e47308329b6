/* Trees as plain data, there and back. */
#include <grove/json.h>

#include <math.h>

#include "json_document.h"
#include "support/random.h"

static const grove_tree_place AT_END = {GROVE_NODE_ROOT, GROVE_TREE_LAST,
                                        GROVE_NODE_NONE};

static grove_node put_data(peer *one, const char *text)
{
    grove_node node;
    assert_ok(&one->store,
              grove_tree_put_data(one->document, AT_END, grove_bytes_of(text), NOTHING,
                                  &node, &one->store.error));
    return node;
}

static char *data_of(peer *one, grove_node node, unsigned flags)
{
    json_text text = {NULL, 0, 0};
    assert_ok(&one->store,
              grove_tree_write_data(one->document, node, flags, json_text_write, &text,
                                    &one->store.error));
    return text.data;
}

static void assert_data(peer *one, grove_node node, unsigned flags, const char *expected)
{
    char *text = data_of(one, node, flags);
    cr_assert_str_eq(text, expected);
    free(text);
}

static const char *const CANONICAL[] = {
    "{\"id\":\"a\",\"type\":\"\"}",
    "{\"id\":\"a\",\"type\":\"list\",\"attrs\":{\"title\":\"x\"}}",
    "{\"id\":\"a\",\"type\":\"t\",\"attrs\":{\"A\":null,\"a\":true,\"b\":1,\"c\":1.0,"
    "\"d\":-0.0,\"e\":9223372036854775807,\"f\":\"\\u0000\",\"g\":4.94065645841247e-324,"
    "\"h\":{\"bytes\":\"00ff\"},\"i\":{\"bytes\":\"\"},"
    "\"j\":{\"double\":\"7ff8000000000000\"},\"k\":{\"double\":\"fff0000000000000\"},"
    "\"l\":{\"double\":\"7ff0000000000001\"}}}",
    "{\"id\":{\"bytes\":\"ff00\"},\"type\":\"\\u0000\",\"children\":["
    "{\"id\":\"b\",\"type\":\"\"},"
    "{\"id\":\"c\",\"type\":\"\",\"children\":[{\"id\":\"d\",\"type\":\"x\"}]},"
    "{\"id\":\"e\",\"type\":\"\",\"attrs\":{\"v\":[\"w\"]}}]}",
    "{\"id\":\"a\",\"type\":\"\",\"attrs\":[[\"\\u0000\",1],[\"b\",{\"bytes\":\"01\"}]]}",
    "{\"id\":\"\\u0000\",\"type\":\"\"}",
    "{\"id\":\"a\",\"type\":\"\",\"children\":[{\"id\":\"b\",\"type\":\"\","
    "\"deleted\":true,\"attrs\":{\"x\":1},\"children\":[{\"id\":\"c\",\"type\":\"\","
    "\"deleted\":true},{\"id\":\"d\",\"type\":\"\"}]},{\"id\":\"e\",\"type\":\"\"}]}",
    "{\"id\":\"a\",\"type\":\"\",\"deleted\":true}",
};

Test(json_data, what_has_ids_comes_back_as_it_was)
{
    for (size_t index = 0; index < sizeof CANONICAL / sizeof *CANONICAL; index++) {
        peer one;
        bool is_data = strstr(CANONICAL[index], "[\"w\"]") == NULL;
        json_open(&one, "a");
        if (is_data) {
            grove_node node = put_data(&one, CANONICAL[index]);
            char *text = data_of(&one, node, GROVE_TREE_DELETED_TOO);
            cr_assert_str_eq(text, CANONICAL[index]);
            free(text);
            json_undo(&one);
        } else {
            assert_json_fails(&one, GROVE_INVALID,
                              grove_tree_put_data(one.document, AT_END,
                                                  grove_bytes_of(CANONICAL[index]),
                                                  NOTHING, NULL, &one.store.error));
        }
        peer_release(&one);
    }
}

Test(json_data, other_forms_are_understood)
{
    peer one;
    json_open(&one, "a");
    grove_node node = put_data(&one, " { \"children\" : [ { \"id\" : \"b\" } ] , "
                                     "\"attrs\" : [ [ \"x\" , 1 ] ] , \"id\" : \"a\" } ");
    assert_data(&one, node, 0,
                "{\"id\":\"a\",\"type\":\"\",\"attrs\":{\"x\":1},\"children\":["
                "{\"id\":\"b\",\"type\":\"\"}]}");
    node = put_data(&one, "{\"id\":\"c\",\"deleted\":false,\"attrs\":{\"x\":"
                          "{\"double\":\"3ff0000000000000\"}},\"children\":[]}");
    assert_data(&one, node, 0, "{\"id\":\"c\",\"type\":\"\",\"attrs\":{\"x\":1.0}}");
    node = put_data(&one, "{\"type\":\"t\",\"id\":\"\"}");
    assert_data(&one, node, 0, "{\"id\":\"61.3\",\"type\":\"t\"}");
    peer_release(&one);
}

Test(json_data, deleted_nodes_are_left_out_unless_they_are_wanted)
{
    const char *all = "{\"id\":\"a\",\"type\":\"\",\"children\":[{\"id\":\"b\",\"type\":"
                      "\"\",\"deleted\":true,\"children\":[{\"id\":\"c\",\"type\":\"\"}]}"
                      ",{\"id\":\"d\",\"type\":\"\"}]}";
    peer one;
    json_open(&one, "a");
    grove_node node = put_data(&one, all);
    assert_data(&one, node, GROVE_TREE_DELETED_TOO, all);
    assert_data(
        &one, node, 0,
        "{\"id\":\"a\",\"type\":\"\",\"children\":[{\"id\":\"d\",\"type\":\"\"}]}");
    assert_data(&one, GROVE_NODE_ROOT, 0,
                "{\"id\":\"\",\"type\":\"\",\"children\":[{\"id\":\"a\",\"type\":\"\","
                "\"children\":[{\"id\":\"d\",\"type\":\"\"}]}]}");
    peer_release(&one);
}

static const struct {
    const char *text;
    grove_status status;
} BAD[] = {
    {"{", GROVE_MALFORMED},
    {"{\"id\":\"a\",\"id\":\"b\"}", GROVE_MALFORMED},
    {"[]", GROVE_INVALID},
    {"1", GROVE_INVALID},
    {"{\"idd\":\"a\"}", GROVE_INVALID},
    {"{\"id\":1}", GROVE_INVALID},
    {"{\"id\":{\"bytes\":\"0\"}}", GROVE_INVALID},
    {"{\"id\":{\"bytes\":\"0G\"}}", GROVE_INVALID},
    {"{\"id\":{\"bytes\":\"AA\"}}", GROVE_INVALID},
    {"{\"id\":{\"byte\":\"00\"}}", GROVE_INVALID},
    {"{\"type\":null}", GROVE_INVALID},
    {"{\"deleted\":1}", GROVE_INVALID},
    {"{\"attrs\":1}", GROVE_INVALID},
    {"{\"attrs\":{\"a\":[]}}", GROVE_INVALID},
    {"{\"attrs\":{\"a\":{}}}", GROVE_INVALID},
    {"{\"attrs\":{\"a\":{\"bytes\":\"00\",\"x\":1}}}", GROVE_INVALID},
    {"{\"attrs\":{\"a\":{\"double\":\"00\"}}}", GROVE_INVALID},
    {"{\"attrs\":{\"a\":{\"double\":1}}}", GROVE_INVALID},
    {"{\"attrs\":{\"\":1}}", GROVE_INVALID},
    {"{\"attrs\":[[\"a\",1],[\"a\",2]]}", GROVE_INVALID},
    {"{\"attrs\":[[\"a\"]]}", GROVE_INVALID},
    {"{\"attrs\":[[1,1]]}", GROVE_INVALID},
    {"{\"attrs\":[\"a\",1]}", GROVE_INVALID},
    {"{\"children\":{}}", GROVE_INVALID},
    {"{\"children\":[1]}", GROVE_INVALID},
    {"{\"id\":\"x\",\"children\":[{\"id\":\"y\"},{\"id\":\"y\"}]}", GROVE_CONFLICT},
    {"{\"children\":[{\"children\":[{\"id\":\"there\"}]}]}", GROVE_CONFLICT},
    {"{\"attrs\":{\"a\":1e999}}", GROVE_LIMIT},
    {"{\"attrs\":{\"\\u0000\":1}}", GROVE_UNSUPPORTED},
};

Test(json_data, what_is_no_tree_puts_nothing)
{
    peer one;
    json_open(&one, "a");
    (void)put_data(&one, "{\"id\":\"there\"}");
    for (size_t index = 0; index < sizeof BAD / sizeof *BAD; index++) {
        grove_node node = 77;
        assert_json_fails(&one, BAD[index].status,
                          grove_tree_put_data(one.document, AT_END,
                                              grove_bytes_of(BAD[index].text), NOTHING,
                                              &node, &one.store.error));
        cr_assert_eq(node, 77);
    }
    const grove_tree_place nowhere = {1000, GROVE_TREE_LAST, GROVE_NODE_NONE};
    assert_json_fails(&one, GROVE_INVALID,
                      grove_tree_put_data(one.document, nowhere, grove_bytes_of("{}"),
                                          NOTHING, NULL, &one.store.error));
    assert_fails(&one.store, GROVE_INVALID,
                 grove_tree_write_data(one.document, 1000, 0, exported_write, NULL,
                                       &one.store.error));
    peer_release(&one);
}

/* Nodes in one another, each with one of JSON's levels for itself and one for
 * its list of children; the caller frees it. */
static char *chain_text(size_t nodes)
{
    static const char BEGIN[] = "{\"children\":[";
    static const char END[] = "]}";
    char *text = malloc(nodes * (sizeof BEGIN + sizeof END));
    cr_assert_not_null(text);
    char *at = text;
    for (size_t index = 0; index < nodes; index++, at += sizeof BEGIN - 1) {
        memcpy(at, BEGIN, sizeof BEGIN);
    }
    for (size_t index = 0; index < nodes; index++, at += sizeof END - 1) {
        memcpy(at, END, sizeof END);
    }
    return text;
}

Test(json_data, a_text_has_half_as_many_levels_of_nodes_as_of_json)
{
    peer one;
    json_open(&one, "a");
    char *text = chain_text(GROVE_JSON_DEPTH_MAX / 2);
    (void)put_data(&one, text);
    free(text);
    text = chain_text(GROVE_JSON_DEPTH_MAX / 2 + 1);
    assert_json_fails(&one, GROVE_LIMIT,
                      grove_tree_put_data(one.document, AT_END, grove_bytes_of(text),
                                          NOTHING, NULL, &one.store.error));
    free(text);
    peer_release(&one);
}

Test(json_data, a_million_levels_are_written)
{
    enum { LEVELS = 1000000 };
    peer one;
    json_open(&one, "a");
    assert_ok(&one.store, grove_tree_begin(one.document, &one.store.error));
    grove_node first = json_put_node(&one, GROVE_NODE_ROOT, "", NULL, 0);
    grove_node node = first;
    for (size_t level = 1; level < LEVELS; level++) {
        node = json_put_node(&one, node, "", NULL, 0);
    }
    assert_ok(&one.store, grove_tree_end(one.document, &one.store.error));
    char *text = data_of(&one, first, 0);
    size_t opened = 0;
    size_t closed = 0;
    for (const char *at = text; *at != '\0'; at++) {
        opened += *at == '{';
        closed += *at == '}';
    }
    cr_assert_eq(opened, LEVELS);
    cr_assert_eq(closed, LEVELS);
    cr_assert_eq(text[strlen(text) - 1], '}');
    free(text);
    peer_release(&one);
}

Test(json_data, writing_ends_when_no_more_is_wanted)
{
    peer one;
    exported text = {.stops_after = 1};
    json_open(&one, "a");
    for (size_t index = 0; index < 1000; index++) {
        (void)json_put_node(&one, GROVE_NODE_ROOT, "of some length", NULL, 0);
    }
    assert_fails(&one.store, GROVE_FAILED,
                 grove_tree_write_data(one.document, GROVE_NODE_ROOT, 0, exported_write,
                                       &text, &one.store.error));
    cr_assert_eq(text.writes, 1);
    exported_free(&text);
    peer_release(&one);
}

/* --- random trees --- */

static grove_value random_value(test_random *random, uint8_t bytes[8])
{
    uint64_t bits = test_random_next(random);
    double number;
    memcpy(&number, &bits, sizeof number);
    memcpy(bytes, &bits, sizeof bits);
    switch (test_random_below(random, 7)) {
    case 0:
        return grove_value_null();
    case 1:
        return grove_value_boolean((bits & 1) != 0);
    case 2:
        return grove_value_integer((int64_t)bits);
    case 3:
        return grove_value_double(number);
    case 4:
        return grove_value_double((double)(bits % 100));
    case 5:
        bytes[0] = bytes[1] = bytes[2] = (uint8_t)(bits % 128);
        return grove_value_text((grove_bytes){bytes, bits % 4});
    default:
        return grove_value_bytes((grove_bytes){bytes, bits % 9});
    }
}

static grove_node put_random(peer *one, test_random *random, uint64_t nodes)
{
    static const char *const NAMES[] = {"a", "b", "\x01", "\xc3\xa4"};
    grove_node node;
    uint8_t id[3];
    uint8_t bytes[4][8];
    grove_attribute attributes[4];
    size_t count = test_random_below(random, 5);
    for (size_t index = 0; index < count; index++) {
        attributes[index].name = grove_bytes_of(NAMES[index]);
        attributes[index].value = random_value(random, bytes[index]);
    }
    if (count == 4 && test_random_below(random, 2) == 0) {
        attributes[3].name = (grove_bytes){(const uint8_t *)"x\0", 2};
    }
    test_random_bytes(random, id, sizeof id);
    grove_tree_item item = {.id = {id, sizeof id},
                            .type = grove_bytes_of("t"),
                            .attributes = attributes,
                            .attribute_count = count};
    grove_tree_place place = AT_END;
    if (nodes > 1) {
        place.parent = 1 + (grove_node)test_random_below(random, nodes - 1);
    }
    assert_ok(&one->store, grove_tree_put_again(one->document, &item, place, NOTHING,
                                                &node, &one->store.error));
    return node;
}

Test(json_data, random_trees_come_back_with_the_same_text)
{
    test_random random = test_random_of("json_data");
    for (size_t round = 0; round < 200; round++) {
        peer one;
        peer other;
        json_open(&one, "a");
        json_open(&other, "b");
        for (uint64_t nodes = 1; nodes < 30; nodes++) {
            grove_node node = put_random(&one, &random, nodes);
            if (test_random_below(&random, 5) == 0) {
                assert_ok(&one.store, grove_tree_delete(one.document, node, NOTHING,
                                                        &one.store.error));
            }
        }
        char *text = data_of(&one, 1, GROVE_TREE_DELETED_TOO);
        grove_node node = put_data(&other, text);
        assert_data(&other, node, GROVE_TREE_DELETED_TOO, text);
        cr_assert(json_digests_equal(json_digest_of(&one), json_digest_of(&other)));
        free(text);
        peer_release(&one);
        peer_release(&other);
    }
}
