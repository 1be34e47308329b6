/* The first inputs of the fuzzers of trees and of JSON. */
#include <stdio.h>

#include "base/alloc.h"
#include "seeds.h"
#include "tree/tree.h"

/* Events that make a tree with all there is: replica, sequence, time. */
typedef struct tree_event {
    uint8_t kind, replica, sequence, time;
    grove_bytes content;
} tree_event;

#define TREE_BYTES(text)                          \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }

static const tree_event TREE_EVENTS[] = {
    {GROVE_TREE_PUT, 0, 0, 1, TREE_BYTES("\0\0\0\0\1N\4list\4\1a\1\0\0")},
    {GROVE_TREE_PUT, 0, 1, 2, TREE_BYTES("\0\0\6\0\0\0\0\3who")},
    {GROVE_TREE_SET, 1, 0, 3, TREE_BYTES("\2\1b\1b\2\3\2\0")},
    {GROVE_TREE_MOVE, 1, 1, 4, TREE_BYTES("\4\1b\2\1b\0\0\0")},
    {GROVE_TREE_PUT, 2, 0, 4, TREE_BYTES("\0\0\5\1b\1N\0\0\0")},
    {GROVE_TREE_MOVE, 0, 2, 3, TREE_BYTES("\5\0\3\0\0\0\0")},
    {GROVE_TREE_DELETE, 0, 3, 4, TREE_BYTES("\5\0\0")},
    {GROVE_TREE_RESTORE, 1, 2, 5, TREE_BYTES("\4\1b\0")},
    {GROVE_TREE_UNSET, 1, 3, 6, TREE_BYTES("\2\1b\1a\0")},
    {GROVE_TREE_SET, 0, 4, 5, TREE_BYTES("\0\0\1r\3\5tx\0")},
};

enum { TREE_EVENT_COUNT = sizeof TREE_EVENTS / sizeof *TREE_EVENTS };

/* As fuzz/tree.c takes them: a tree of the first `applied` events, and all. */
static void write_tree(const char *directory, const char *name, uint32_t applied,
                       uint64_t settled)
{
    static const grove_replica names[] = {{1, {'b'}}, {1, {'a'}}, {2, {'a', 'b'}}};
    grove_type_buffers buffers = {.structure_cut_count = 0};
    grove_buffer seed;
    grove__tree *tree = NULL;
    grove_buffer_init(&buffers.structure, &grove__allocator_system);
    grove_buffer_init(&buffers.content, &grove__allocator_system);
    grove_buffer_init(&seed, &grove__allocator_system);
    seeds_expect(grove__tree_new(&grove__allocator_system, &tree));
    for (uint32_t index = 0; index < applied; index++) {
        const tree_event *event = &TREE_EVENTS[index];
        const grove_operation item = {event->kind, 1, 0, event->content};
        const grove_stamp_run run = {&names[event->replica], event->sequence, event->time,
                                     1};
        seeds_expect(grove__tree_apply(tree, (grove_operations){&item, 1},
                                       (grove_stamps){&run, 1}, NULL));
    }
    if (applied > 0) {
        seeds_expect(grove__tree_encode(tree, settled, &buffers, NULL));
    }
    grove_buffer_u8(&seed, (uint8_t)(buffers.structure.size >> 8));
    grove_buffer_u8(&seed, (uint8_t)buffers.structure.size);
    grove_buffer_u8(&seed, (uint8_t)(buffers.content.size >> 8));
    grove_buffer_u8(&seed, (uint8_t)buffers.content.size);
    grove_buffer_append(&seed, buffers.structure.data, buffers.structure.size);
    grove_buffer_append(&seed, buffers.content.data, buffers.content.size);
    grove_buffer_u8(&seed, 0);
    for (uint32_t index = 0; index < TREE_EVENT_COUNT; index++) {
        const tree_event *event = &TREE_EVENTS[index];
        const uint8_t head[] = {event->kind, event->replica, event->sequence, event->time,
                                (uint8_t)event->content.size};
        grove_buffer_append(&seed, head, sizeof head);
        grove_buffer_append(&seed, event->content.data, event->content.size);
    }
    seeds_write(directory, name, grove_buffer_view(&seed));
    grove__tree_free(tree);
    grove_buffer_release(&buffers.structure);
    grove_buffer_release(&buffers.content);
    grove_buffer_release(&seed);
}

/* Operations in columns, for an empty tree. */
static void write_tree_columns(const char *directory)
{
    static const grove_operation items[] = {
        {GROVE_TREE_PUT, 1, 0, TREE_BYTES("\0\0\0\0\0\1t\0\0")},
        {GROVE_TREE_PUT, 1, 0, TREE_BYTES("\2\1b\0\0\1N\1t\4\1a\1\0\0")},
        {GROVE_TREE_MOVE, 1, 0, TREE_BYTES("\2\1a\0\0\4\1b\0")},
        {GROVE_TREE_DELETE, 1, 0, TREE_BYTES("\2\1a\0")},
        {GROVE_TREE_SET, 1, 0, TREE_BYTES("\3\0\1a\2\3\2\0")},
    };
    const grove_document_type *type = grove_type_tree();
    grove_type_buffers buffers = {.structure_cut_count = 0};
    grove_buffer seed;
    grove_buffer_init(&buffers.structure, &grove__allocator_system);
    grove_buffer_init(&buffers.content, &grove__allocator_system);
    grove_buffer_init(&seed, &grove__allocator_system);
    seeds_expect(
        type->operations_encode(type, (grove_operations){items, 5}, &buffers, NULL));
    grove_buffer_append(&seed, "\0\0\0\0\5", 5);
    grove_buffer_u8(&seed, (uint8_t)(buffers.structure.size >> 8));
    grove_buffer_u8(&seed, (uint8_t)buffers.structure.size);
    grove_buffer_append(&seed, buffers.structure.data, buffers.structure.size);
    grove_buffer_append(&seed, buffers.content.data, buffers.content.size);
    seeds_write(directory, "tree/columns", grove_buffer_view(&seed));
    grove_buffer_release(&buffers.structure);
    grove_buffer_release(&buffers.content);
    grove_buffer_release(&seed);
}

void seeds_write_trees(const char *directory)
{
    write_tree(directory, "tree/events", 0, 0);
    write_tree(directory, "tree/snapshot", 6, 0);
    write_tree(directory, "tree/settled", TREE_EVENT_COUNT, 4);
    write_tree_columns(directory);
}

/* Steps of fuzz/json.c. */
void seeds_write_json(const char *directory)
{
    static const char SET[] = "s{\"a\":[1,2.5,{\"b\":null}],\"c/d\":\"x\",\"\":true}\xff"
                              "s{\"a\":[1,{\"b\":-0.0}],\"c/d\":{}}\xffg/a/1/b\xffg/c~1d";
    static const char PATCH[] = "s{\"a\":[1,2,3],\"b\":{\"c\":{}}}\xff"
                                "p[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":4},"
                                "{\"op\":\"remove\",\"path\":\"/a/0\"},"
                                "{\"op\":\"replace\",\"path\":\"/b\",\"value\":[5]}]\xff"
                                "p[{\"op\":\"move\",\"from\":\"/a/0\",\"path\":\"/b/1\"},"
                                "{\"op\":\"copy\",\"from\":\"/b\",\"path\":\"/e\"},"
                                "{\"op\":\"test\",\"path\":\"/e/0\",\"value\":5.0}]";
    static const char MERGE[] = "m{\"a\":{\"b\":1,\"c\":null}}\xff"
                                "m{\"a\":{\"b\":null,\"d\":[null]}}\xffm[1]";
    static const char DATA[] =
        "d{\"id\":\"a\",\"type\":\"t\",\"attrs\":{\"x\":1,\"y\":{\"bytes\":\"00ff\"},"
        "\"z\":{\"double\":\"7ff8000000000000\"}},\"children\":[{\"id\":{\"bytes\":"
        "\"ff\"},\"deleted\":true},{\"attrs\":[[\"k\\u0000\",null]]}]}\xff"
        "d{\"id\":{\"bytes\":\"082ad992fb76871c33a1b9993a082952feaca5e6\"},\"type\":"
        "\"value\",\"attrs\":{\"key\":\"\",\"value\":1}}\xffg\xffs[2]";
    seeds_write(directory, "json/set", grove_bytes_of(SET));
    seeds_write(directory, "json/patch", grove_bytes_of(PATCH));
    seeds_write(directory, "json/merge", grove_bytes_of(MERGE));
    seeds_write(directory, "json/data", grove_bytes_of(DATA));
}
