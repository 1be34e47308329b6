/*
 * The type as a whole. Real editing histories, from the directory that
 * GROVE_TRACES names, go through all of it: operations, columns and the rope;
 * each ends in its own text.
 */
#include <jansson.h>
#include <zlib.h>

#include "base/alloc.h"
#include "operations.h"
#include "text/state.h"

enum { PIECE_BYTES = 1 << 16 };

/* A gzip file as JSON; NULL if there is none. */
static json_t *read_json(const char *directory, const char *name)
{
    char path[1024];
    grove_buffer text;
    (void)snprintf(path, sizeof path, "%s/%s.json.gz", directory, name);
    gzFile file = gzopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    grove_buffer_init(&text, &grove__allocator_system);
    int bytes = 0;
    do {
        uint8_t *room = grove_buffer_reserve(&text, PIECE_BYTES);
        cr_assert_not_null(room);
        bytes = gzread(file, room, PIECE_BYTES);
        cr_assert_geq(bytes, 0, "%s cannot be read", path);
        grove_buffer_grow(&text, (size_t)bytes);
    } while (bytes > 0);
    (void)gzclose(file);
    json_t *json = json_loadb((const char *)text.data, text.size, JSON_ALLOW_NUL, NULL);
    cr_assert_not_null(json, "%s is not JSON", path);
    grove_buffer_release(&text);
    return json;
}

static grove_bytes string_of(const json_t *json)
{
    return (grove_bytes){(const uint8_t *)json_string_value(json),
                         json_string_length(json)};
}

/* Operations joined as they come; the joined contents lie in `content`, and
 * are pointed at when all are there. */
struct import {
    const grove_document_type *type;
    history list;
    grove_buffer content;
};

static void import_operation(struct import *import, grove_operation operation)
{
    history *list = &import->list;
    cr_assert_eq(import->type->operation_check(import->type, &operation, NULL), GROVE_OK);
    grove_buffer_append(&import->content, operation.content.data, operation.content.size);
    grove_operation *last = list->count > 0 ? &list->items[list->count - 1] : NULL;
    if (last != NULL && import->type->operation_join(import->type, last, &operation)) {
        last->content.size += operation.content.size;
        list->events += operation.count;
    } else {
        operation.content.data = NULL;
        history_append(list, operation);
    }
}

static void import_trace(struct import *import, const json_t *trace)
{
    size_t txn_index;
    size_t patch_index;
    const json_t *txn;
    const json_t *patch;
    json_array_foreach(json_object_get(trace, "txns"), txn_index, txn)
    {
        json_array_foreach(json_object_get(txn, "patches"), patch_index, patch)
        {
            uint64_t position = (uint64_t)json_integer_value(json_array_get(patch, 0));
            uint32_t deleted = (uint32_t)json_integer_value(json_array_get(patch, 1));
            grove_bytes typed = string_of(json_array_get(patch, 2));
            if (deleted > 0) {
                import_operation(import, deletion(GROVE_TEXT_DELETE, position, deleted));
            }
            if (typed.size > 0) {
                uint32_t points = 0;
                for (size_t index = 0; index < typed.size; index++) {
                    points += (typed.data[index] & 0xc0) != 0x80;
                }
                import_operation(import, (grove_operation){GROVE_TEXT_INSERT, points,
                                                           position, typed});
            }
        }
    }
    size_t offset = 0;
    for (size_t index = 0; index < import->list.count; index++) {
        grove_operation *operation = &import->list.items[index];
        operation->content.data = import->content.data + offset;
        offset += operation->content.size;
    }
}

/* Applies the operations to an empty text, which must become `expected`. */
static void assert_replays(grove_operations operations, grove_bytes expected)
{
    grove__text *text = NULL;
    grove_error error = {GROVE_OK, 0, ""};
    grove__rope_chunks chunks;
    grove__rope_chunk chunk;
    size_t at = 0;
    cr_assert_eq(grove__text_new(&grove__allocator_system, &text), GROVE_OK);
    cr_assert_eq(grove__text_apply(text, operations, &error), GROVE_OK, "%s",
                 error.message);
    cr_assert_null(grove__rope_check(&text->rope));
    cr_assert_eq(grove__text_bytes(text), expected.size);
    grove__text_chunks_init(&chunks, text, 0);
    while (grove__rope_chunks_next(&chunks, &chunk)) {
        cr_assert_eq(memcmp(chunk.utf8.data, expected.data + at, chunk.utf8.size), 0);
        at += chunk.utf8.size;
    }
    cr_assert_eq(at, expected.size);
    grove__text_free(text);
}

static void assert_trace(const char *name, uint64_t events)
{
    const char *directory = getenv("GROVE_TRACES");
    json_t *trace = directory != NULL ? read_json(directory, name) : NULL;
    if (trace == NULL) {
        cr_skip_test("GROVE_TRACES names no directory with %s.json.gz", name);
    }
    struct import import = {grove_type_text(), {NULL, 0, 0, 0}, {0}};
    grove_type_buffers buffers;
    grove_buffer decoded;
    grove_buffer scratch;
    grove_error error = {GROVE_OK, 0, ""};
    grove_buffer_init(&import.content, &grove__allocator_system);
    grove_buffer_init(&buffers.structure, &grove__allocator_system);
    grove_buffer_init(&buffers.content, &grove__allocator_system);
    grove_buffer_init(&decoded, &grove__allocator_system);
    grove_buffer_init(&scratch, &grove__allocator_system);
    buffers.structure_cut_count = 0;

    import_trace(&import, trace);
    cr_assert_eq(import.list.events, events);
    const grove_document_type *type = import.type;
    cr_assert_eq(
        type->operations_encode(type, history_view(&import.list), &buffers, NULL),
        GROVE_OK);
    grove_type_frames frames = {grove_buffer_view(&buffers.structure),
                                grove_buffer_view(&buffers.content), false};
    cr_assert_eq(
        type->operations_decode(type, frames, events, &decoded, &scratch, &error),
        GROVE_OK, "%s", error.message);
    cr_assert_eq(decoded.size, import.list.count * sizeof(grove_operation));
    grove_operations operations = {(const grove_operation *)(void *)decoded.data,
                                   decoded.size / sizeof(grove_operation)};
    for (size_t index = 0; index < operations.count; index++) {
        assert_operation(&operations.items[index], &import.list.items[index]);
    }
    assert_replays(operations, string_of(json_object_get(trace, "endContent")));

    grove_buffer_release(&scratch);
    grove_buffer_release(&decoded);
    grove_buffer_release(&buffers.structure);
    grove_buffer_release(&buffers.content);
    grove_buffer_release(&import.content);
    free(import.list.items);
    json_decref(trace);
}

Test(type, the_type_is_named_text_and_has_every_function)
{
    const grove_document_type *type = grove_type_text();
    cr_assert_eq(type->abi, GROVE_DOCUMENT_TYPE_ABI);
    cr_assert_str_eq(type->name, "text");
    cr_assert_eq(type->format, 1);
    cr_assert_eq(type->capabilities, 0);
    cr_assert(type->operation_check && type->operation_join && type->operation_cut &&
              type->operations_encode && type->operations_decode && type->state_new &&
              type->state_free && type->state_apply && type->state_encode &&
              type->state_decode && type->state_bytes);
}

Test(type, automerge_paper_ends_in_its_text)
{
    assert_trace("automerge-paper", 259778);
}

Test(type, rustcode_ends_in_its_text)
{
    assert_trace("rustcode", 979844);
}

Test(type, sveltecomponent_ends_in_its_text)
{
    assert_trace("sveltecomponent", 169517);
}
