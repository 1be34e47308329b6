/* A tree document in a store of its own, and the JSON that it has. */
#ifndef GROVE_TESTS_JSON_DOCUMENT_H
#define GROVE_TESTS_JSON_DOCUMENT_H

#include <grove/json.h>

#include "support/exchange.h"

static const grove_bytes NOTHING = {NULL, 0};

static inline void json_open(peer *one, const char *replica)
{
    peer_init(one, "memory", replica, grove_type_tree());
}

static inline void json_open_with(peer *one, const grove_allocator *allocator)
{
    peer_init_with(one, "memory", "a", grove_type_tree(), allocator);
}

static inline uint64_t json_events(const peer *one)
{
    return grove_document_unsaved(one->document);
}

/* A text as it is written. */
typedef struct json_text {
    char *data;
    size_t size;
    size_t capacity;
} json_text;

static inline bool json_text_write(void *context, grove_bytes piece)
{
    json_text *text = context;
    if (text->capacity - text->size <= piece.size) {
        text->capacity = 2 * (text->capacity + piece.size + 1);
        text->data = realloc(text->data, text->capacity);
        cr_assert_not_null(text->data);
    }
    memcpy(text->data + text->size, piece.data, piece.size);
    text->size += piece.size;
    text->data[text->size] = '\0';
    return true;
}

/* The JSON at a pointer, with a NUL; the caller frees it. NULL: none. */
static inline char *json_at(peer *one, const char *pointer)
{
    json_text text = {NULL, 0, 0};
    if (grove_json_get(one->document, grove_bytes_of(pointer), json_text_write, &text,
                       &one->store.error) != GROVE_OK) {
        free(text.data);
        return NULL;
    }
    return text.data;
}

#define assert_json_at(one, pointer, expected)                                  \
    do {                                                                        \
        char *assert_json_text = json_at(one, pointer);                         \
        cr_assert_not_null(assert_json_text, "%s", (one)->store.error.message); \
        cr_assert_str_eq(assert_json_text, expected);                           \
        free(assert_json_text);                                                 \
    } while (0)

#define assert_json(one, expected) assert_json_at(one, "", expected)

static inline void json_set(peer *one, const char *text)
{
    assert_ok(&one->store, grove_json_set(one->document, grove_bytes_of(text), NOTHING,
                                          &one->store.error));
}

static inline void json_patch(peer *one, const char *text)
{
    assert_ok(&one->store, grove_json_patch(one->document, grove_bytes_of(text), NOTHING,
                                            &one->store.error));
}

static inline void json_merge(peer *one, const char *text)
{
    assert_ok(&one->store, grove_json_merge_patch(one->document, grove_bytes_of(text),
                                                  NOTHING, &one->store.error));
}

static inline void json_undo(peer *one)
{
    assert_ok(&one->store, grove_tree_undo(one->document, NOTHING, &one->store.error));
}

/* What a tree is, deleted nodes included. */
typedef struct json_digest {
    uint8_t bytes[GROVE_DIGEST_BYTES];
} json_digest;

static inline json_digest json_digest_of(peer *one)
{
    json_digest digest;
    assert_ok(&one->store,
              grove_tree_digest(one->document, digest.bytes, &one->store.error));
    return digest;
}

static inline bool json_digests_equal(json_digest one, json_digest other)
{
    return memcmp(one.bytes, other.bytes, sizeof one.bytes) == 0;
}

/* The call fails so, and leaves everything as it was. */
#define assert_json_fails(one, wanted, call)                                    \
    do {                                                                        \
        json_digest assert_json_before = json_digest_of(one);                   \
        uint64_t assert_json_events = json_events(one);                         \
        assert_fails(&(one)->store, wanted, call);                              \
        cr_assert_eq(json_events(one), assert_json_events);                     \
        cr_assert(json_digests_equal(json_digest_of(one), assert_json_before)); \
    } while (0)

/* The node that a pointer leads to is known by the id that its object gives. */
static inline grove_node json_put_node(peer *one, grove_node parent, const char *type,
                                       const grove_attribute *attributes, size_t count)
{
    grove_node node;
    grove_tree_item item = {
        .type = grove_bytes_of(type), .attributes = attributes, .attribute_count = count};
    grove_tree_place place = {parent, GROVE_TREE_LAST, GROVE_NODE_NONE};
    assert_ok(&one->store, grove_tree_put(one->document, &item, place, NOTHING, &node,
                                          &one->store.error));
    return node;
}

#endif
