/*
 * The digest of a tree. docs/FORMAT.md, "Digest of a tree", is normative for
 * what is hashed: all nodes, deleted ones too, depth first, each with its
 * attributes in the order of their names. What is only there for merging is
 * not in it: stamps, empty places, attributes that were unset.
 */
#include <sodium.h>

#include "base/error.h"
#include "tree/tree.h"

_Static_assert(GROVE_DIGEST_BYTES == crypto_generichash_BYTES, "BLAKE2b-256");

enum { CHUNK_BYTES = 1 << 14 };

typedef struct hashing {
    crypto_generichash_state state;
    grove_buffer chunk;
    grove_buffer named;
} hashing;

static void flush(hashing *work)
{
    (void)crypto_generichash_update(&work->state, work->chunk.data, work->chunk.size);
    work->chunk.size = 0;
}

static void put_bytes(hashing *work, grove_bytes bytes)
{
    grove_buffer_varint(&work->chunk, bytes.size);
    grove_buffer_append(&work->chunk, bytes.data, bytes.size);
    if (work->chunk.size >= CHUNK_BYTES) {
        flush(work);
    }
}

static bool put_attributes(hashing *work, const grove__tree *tree, uint32_t node)
{
    if (!grove__tree_sort_attributes(tree, node, &work->named)) {
        return false;
    }
    const grove__tree_named *named =
        (const grove__tree_named *)(const void *)work->named.data;
    size_t count = work->named.size / sizeof *named;
    uint64_t set = 0;
    for (size_t index = 0; index < count; index++) {
        set += tree->attributes[named[index].attribute].size > 0 ? 1 : 0;
    }
    grove_buffer_varint(&work->chunk, set);
    for (size_t index = 0; index < count; index++) {
        if (tree->attributes[named[index].attribute].size > 0) {
            put_bytes(work, named[index].name);
            put_bytes(work, grove__tree_value_at(tree, named[index].attribute));
        }
    }
    return true;
}

static bool put_tree(hashing *work, const grove__tree *tree)
{
    uint32_t depth = 0;
    for (uint32_t node = GROVE_NODE_ROOT; node != GROVE__TREE_NONE;
         node = grove__tree_next(tree, GROVE_NODE_ROOT, node, true, true, &depth)) {
        grove_tree_id_bytes id;
        grove__tree_id(tree, node, &id);
        grove_buffer_varint(&work->chunk, depth);
        put_bytes(work, (grove_bytes){id.bytes, id.size});
        put_bytes(work, grove__names_at(&tree->names, tree->nodes[node].type));
        grove_buffer_u8(&work->chunk, grove__tree_is_deleted(tree, node) ? 1 : 0);
        if (!put_attributes(work, tree, node) || work->chunk.failed) {
            return false;
        }
    }
    return true;
}

grove_status grove__tree_digest(const grove__tree *tree, uint8_t *digest_out,
                                grove_error *error_out)
{
    hashing work;
    grove_buffer_init(&work.chunk, tree->allocator);
    grove_buffer_init(&work.named, tree->allocator);
    (void)crypto_generichash_init(&work.state, NULL, 0, GROVE_DIGEST_BYTES);
    bool has_memory = put_tree(&work, tree);
    if (has_memory) {
        flush(&work);
        (void)crypto_generichash_final(&work.state, digest_out, GROVE_DIGEST_BYTES);
    }
    grove_buffer_release(&work.chunk);
    grove_buffer_release(&work.named);
    return has_memory ? GROVE_OK : grove__fail_memory(error_out);
}
