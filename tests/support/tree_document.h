/*
 * Trees of a store, as one line of text: a node is its id, `:` and its type if
 * it has one, its attributes in braces, its children in brackets; `!` marks
 * one that is deleted.
 *
 *     a:list{done=true}[b c!{n=-3}]
 */
#ifndef GROVE_TESTS_TREE_DOCUMENT_H
#define GROVE_TESTS_TREE_DOCUMENT_H

#include <stdio.h>

#include "support/store_fixture.h"

static const grove_bytes NO_BYTES = {NULL, 0};

enum { OUTLINE_BYTES = 4096 };

static inline grove_document *open_tree(store_fixture *fixture, const char *id)
{
    return open_manual(fixture, id, grove_type_tree());
}

static inline grove_tree_place last_of(grove_node parent)
{
    return (grove_tree_place){parent, GROVE_TREE_LAST, 0};
}

static inline grove_tree_place first_of(grove_node parent)
{
    return (grove_tree_place){parent, GROVE_TREE_FIRST, 0};
}

static inline grove_tree_place before(grove_node parent, grove_node sibling)
{
    return (grove_tree_place){parent, GROVE_TREE_BEFORE, sibling};
}

static inline grove_tree_place after(grove_node parent, grove_node sibling)
{
    return (grove_tree_place){parent, GROVE_TREE_AFTER, sibling};
}

/* Puts a node without type and attributes. */
static inline grove_node put_node(store_fixture *fixture, grove_document *tree,
                                  const char *id, grove_tree_place place)
{
    grove_tree_item item = {.id = grove_bytes_of(id)};
    grove_node node = 77;
    assert_ok(fixture,
              grove_tree_put(tree, &item, place, NO_BYTES, &node, &fixture->error));
    return node;
}

static inline void set_integer(store_fixture *fixture, grove_document *tree,
                               grove_node node, const char *name, int64_t integer)
{
    grove_value value = grove_value_integer(integer);
    assert_ok(fixture, grove_tree_set(tree, node, grove_bytes_of(name), &value, NO_BYTES,
                                      &fixture->error));
}

static inline void move_node(store_fixture *fixture, grove_document *tree,
                             grove_node node, grove_tree_place place)
{
    assert_ok(fixture, grove_tree_move(tree, node, place, NO_BYTES, &fixture->error));
}

static inline grove_node find_node(store_fixture *fixture, const grove_document *tree,
                                   const char *id)
{
    grove_node node = 77;
    assert_ok(fixture, grove_tree_find(tree, grove_bytes_of(id), &node, &fixture->error));
    return node;
}

/* Events that are not in a snapshot: what an edit adds to. */
static inline uint64_t events_of(const grove_document *document)
{
    return grove_document_snapshot_facts(document).tail_events;
}

/* --- outlines --- */

typedef struct outline {
    const grove_document *tree;
    char text[OUTLINE_BYTES];
    size_t size;
    uint32_t depth;
    bool is_open; /* a brace is */
} outline;

static inline void outline_put(outline *made, const char *text, size_t size)
{
    cr_assert_lt(made->size + size, sizeof made->text);
    memcpy(made->text + made->size, text, size);
    made->size += size;
}

static inline bool outline_attribute(void *context, const grove_attribute *attribute)
{
    outline *made = context;
    char text[64];
    outline_put(made, made->is_open ? "," : "{", 1);
    made->is_open = true;
    outline_put(made, (const char *)attribute->name.data, attribute->name.size);
    int size = 0;
    switch (attribute->value.kind) {
    case GROVE_VALUE_NULL:
        size = snprintf(text, sizeof text, "=null");
        break;
    case GROVE_VALUE_BOOLEAN:
        size = snprintf(text, sizeof text, attribute->value.boolean ? "=true" : "=false");
        break;
    case GROVE_VALUE_INTEGER:
        size = snprintf(text, sizeof text, "=%lld", (long long)attribute->value.integer);
        break;
    case GROVE_VALUE_DOUBLE:
        size = snprintf(text, sizeof text, "=%g", attribute->value.number);
        break;
    case GROVE_VALUE_TEXT:
        size = snprintf(text, sizeof text, "='%.*s'", (int)attribute->value.bytes.size,
                        (const char *)attribute->value.bytes.data);
        break;
    case GROVE_VALUE_BYTES:
        size = snprintf(text, sizeof text, "=<%zu>", attribute->value.bytes.size);
        break;
    }
    outline_put(made, text, (size_t)size);
    return true;
}

static inline bool outline_node(void *context, grove_node node, uint32_t depth)
{
    outline *made = context;
    grove_tree_id_bytes id;
    grove_tree_info info;
    grove_error error;
    if (depth > made->depth) {
        outline_put(made, "[", 1);
    }
    for (uint32_t level = depth; level < made->depth; level++) {
        outline_put(made, "]", 1);
    }
    if (depth <= made->depth && made->size > 0) {
        outline_put(made, " ", 1);
    }
    made->depth = depth;
    cr_assert_eq(grove_tree_id(made->tree, node, &id, &error), GROVE_OK);
    cr_assert_eq(grove_tree_info_get(made->tree, node, &info, &error), GROVE_OK);
    outline_put(made, (const char *)id.bytes, id.size);
    if (info.type.size > 0) {
        outline_put(made, ":", 1);
        outline_put(made, (const char *)info.type.data, info.type.size);
    }
    if (info.is_deleted) {
        outline_put(made, "!", 1);
    }
    made->is_open = false;
    cr_assert_eq(grove_tree_attributes(made->tree, node, outline_attribute, made, &error),
                 GROVE_OK);
    if (made->is_open) {
        outline_put(made, "}", 1);
    }
    return true;
}

/* The whole tree, deleted nodes too. */
static inline void assert_outline(const grove_document *tree, const char *expected)
{
    grove_error error;
    outline *made = calloc(1, sizeof *made);
    cr_assert_not_null(made);
    made->tree = tree;
    cr_assert_eq(grove_tree_walk(tree, GROVE_NODE_ROOT, UINT32_MAX,
                                 GROVE_TREE_DELETED_TOO, outline_node, made, &error),
                 GROVE_OK);
    while (made->depth-- > 0) {
        outline_put(made, "]", 1);
    }
    cr_assert_str_eq(made->text, expected);
    free(made);
}

/* As it is stored. */
static inline void assert_stored_outline(store_fixture *fixture, const char *id,
                                         const char *expected)
{
    grove_document *tree = NULL;
    assert_ok(fixture, grove_document_load(fixture->store, grove_bytes_of(id), NULL,
                                           &tree, &fixture->error));
    cr_assert_eq(grove_document_damaged_snapshots(tree), 0);
    assert_outline(tree, expected);
    grove_document_close(tree);
}

typedef struct digest {
    uint8_t bytes[GROVE_DIGEST_BYTES];
} digest;

static inline digest digest_of(const grove_document *tree)
{
    digest made;
    grove_error error;
    cr_assert_eq(grove_tree_digest(tree, made.bytes, &error), GROVE_OK);
    return made;
}

static inline bool digest_equal(digest a, digest b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

#endif
