/*
 * JSON from strangers, step by step on one document. What fails leaves the tree
 * as it was; what succeeds shows, as text that can be read, what an obvious
 * implementation says. Plain data that was put is written so that it can be put
 * again.
 *
 * An input is a row of steps with a byte 0xff, which no JSON has, between them.
 * A step is a letter and a text: s sets, p patches, m merges a patch, g reads
 * at a pointer, d puts plain data.
 */
#include "target.h"

#include <grove/backend_memory.h>
#include <grove/json.h>

#include "support/json_model.h"

static const grove_bytes NOTHING = {NULL, 0};
static const grove_tree_place AT_END = {GROVE_NODE_ROOT, GROVE_TREE_LAST,
                                        GROVE_NODE_NONE};

/* A document in a store of its own. */
typedef struct place {
    grove_memory_disk *disk;
    grove_store *store;
    grove_document *document;
} place;

static void place_open(place *one)
{
    grove_store_options options = GROVE_STORE_OPTIONS_INIT;
    grove_document_options wanted = GROVE_DOCUMENT_OPTIONS_INIT;
    one->disk = grove_memory_disk_new(NULL);
    FUZZ_CHECK(one->disk != NULL);
    options.backend = grove_backend_find("memory");
    options.backend_context = one->disk;
    wanted.type = grove_type_tree();
    wanted.replica.size = 1;
    wanted.replica.bytes[0] = 'a';
    FUZZ_CHECK(grove_store_open("fuzz", &options, &one->store, NULL) == GROVE_OK);
    FUZZ_CHECK(grove_document_open(one->store, grove_bytes_of("d"), &wanted,
                                   &one->document, NULL) == GROVE_OK);
}

static void place_close(place *one)
{
    grove_document_close(one->document);
    grove_store_close(one->store);
    grove_memory_disk_free(one->disk);
}

static bool append(void *context, grove_bytes piece)
{
    grove_buffer *text = context;
    grove_buffer_append(text, piece.data, piece.size);
    return !text->failed;
}

static void *allocate(void *context, size_t bytes)
{
    (void)context;
    return malloc(bytes);
}

static void *reallocate(void *context, void *memory, size_t bytes_old, size_t bytes_new)
{
    (void)context, (void)bytes_old;
    return realloc(memory, bytes_new);
}

static void deallocate(void *context, void *memory, size_t bytes)
{
    (void)context, (void)bytes;
    free(memory);
}

static const grove_allocator HEAP = {NULL, allocate, reallocate, deallocate};

typedef struct trial {
    place place;
    json_t *model;    /* the document's value; NULL: none */
    bool is_foreign;  /* plain data was put, whose ids may be those of members */
    bool is_too_deep; /* for jansson */
} trial;

/* What the document shows at a pointer; NULL: nothing, or too deep. */
static json_t *read_value(trial *run, grove_bytes pointer, grove_status *status_out)
{
    grove_buffer text;
    json_error_t why = {.text = ""};
    json_t *value = NULL;
    grove_buffer_init(&text, &HEAP);
    *status_out = grove_json_get(run->place.document, pointer, append, &text, NULL);
    if (*status_out == GROVE_OK) {
        value = json_loadb((const char *)text.data, text.size, JSON_MODEL_FLAGS, &why);
        run->is_too_deep =
            value == NULL && json_error_code(&why) == json_error_stack_overflow;
        FUZZ_CHECK(value != NULL || run->is_too_deep);
    }
    grove_buffer_release(&text);
    return value;
}

/* Takes over what the document should show, and checks that it does. */
static void expect(trial *run, json_t *model)
{
    grove_status status;
    json_t *shown = read_value(run, NOTHING, &status);
    json_decref(run->model);
    run->model = model;
    if (!run->is_too_deep) {
        FUZZ_CHECK((shown == NULL) == (model == NULL));
        FUZZ_CHECK(shown == NULL || json_equal(shown, model));
    }
    json_decref(shown);
}

/* What an edit that ended so makes of a value, which is taken over; false: it
 * cannot be made. */
static bool edit_model(json_t **model, char letter, json_t *given, grove_status status)
{
    size_t failed = 0;
    if (given == NULL) {
        return false;
    }
    if (letter == 'p') {
        /* Copies that are too many are more than the model can take. */
        return status == GROVE_LIMIT || json_model_patch(model, given, &failed);
    }
    json_t *made = letter == 's' ? json_incref(given) : json_model_merge(*model, given);
    json_decref(*model);
    *model = made;
    return true;
}

static void edit(trial *run, char letter, grove_bytes text)
{
    grove_document *document = run->place.document;
    uint8_t before[GROVE_DIGEST_BYTES];
    uint8_t after[GROVE_DIGEST_BYTES];
    uint64_t events = grove_document_unsaved(document);
    FUZZ_CHECK(grove_tree_digest(document, before, NULL) == GROVE_OK);
    grove_status status = letter == 's' ? grove_json_set(document, text, NOTHING, NULL)
                          : letter == 'p'
                              ? grove_json_patch(document, text, NOTHING, NULL)
                              : grove_json_merge_patch(document, text, NOTHING, NULL);
    json_t *given = json_model_parse(text);
    json_t *model = json_incref(run->model);
    bool does = edit_model(&model, letter, given, status);
    FUZZ_CHECK(status != GROVE_OK || does);
    FUZZ_CHECK(status == GROVE_OK || !does || status == GROVE_LIMIT || run->is_foreign);
    if (status == GROVE_OK) {
        expect(run, model);
    } else {
        json_decref(model);
        FUZZ_CHECK(grove_tree_digest(document, after, NULL) == GROVE_OK);
        FUZZ_CHECK(memcmp(before, after, sizeof before) == 0);
        FUZZ_CHECK(grove_document_unsaved(document) == events);
        expect(run, json_incref(run->model));
    }
    json_decref(given);
}

static void look(trial *run, grove_bytes pointer)
{
    grove_status status;
    json_t *shown = read_value(run, pointer, &status);
    json_t *text = json_stringn_nocheck(
        pointer.size == 0 ? "" : (const char *)pointer.data, pointer.size);
    json_model_way way = json_model_way_of(text);
    json_t *there =
        way.is_pointer ? json_model_follow(run->model, &way, way.count) : NULL;
    FUZZ_CHECK((status == GROVE_OK) == (there != NULL));
    FUZZ_CHECK(there == NULL || json_equal(shown, there));
    json_model_way_free(&way);
    json_decref(text);
    json_decref(shown);
}

static void put(trial *run, grove_bytes data)
{
    grove_document *document = run->place.document;
    grove_buffer text;
    grove_buffer again;
    place other;
    grove_node node;
    grove_status status =
        grove_tree_put_data(document, AT_END, data, NOTHING, &node, NULL);
    if (status != GROVE_OK) {
        expect(run, json_incref(run->model));
        return;
    }
    grove_buffer_init(&text, &HEAP);
    grove_buffer_init(&again, &HEAP);
    place_open(&other);
    FUZZ_CHECK(grove_tree_write_data(document, node, GROVE_TREE_DELETED_TOO, append,
                                     &text, NULL) == GROVE_OK);
    FUZZ_CHECK(grove_tree_put_data(other.document, AT_END, grove_buffer_view(&text),
                                   NOTHING, &node, NULL) == GROVE_OK);
    FUZZ_CHECK(grove_tree_write_data(other.document, node, GROVE_TREE_DELETED_TOO, append,
                                     &again, NULL) == GROVE_OK);
    FUZZ_CHECK(text.size == again.size && memcmp(text.data, again.data, text.size) == 0);
    place_close(&other);
    grove_buffer_release(&text);
    grove_buffer_release(&again);
    /* It may have members of the document's value in it. */
    run->is_foreign = true;
    json_decref(run->model);
    run->model = read_value(run, NOTHING, &status);
}

static void step(trial *run, const uint8_t *data, size_t size)
{
    const grove_bytes text = {data + 1, size - 1};
    switch (data[0]) {
    case 's':
    case 'p':
    case 'm':
        edit(run, (char)data[0], text);
        break;
    case 'g':
        look(run, text);
        break;
    case 'd':
        put(run, text);
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    trial run = {.model = NULL};
    place_open(&run.place);
    while (size > 0 && !run.is_too_deep) {
        const uint8_t *border = memchr(data, 0xff, size);
        size_t bytes = border == NULL ? size : (size_t)(border - data);
        if (bytes > 0) {
            step(&run, data, bytes);
        }
        data += border == NULL ? bytes : bytes + 1;
        size -= border == NULL ? bytes : bytes + 1;
    }
    json_decref(run.model);
    place_close(&run.place);
    return 0;
}
