/*
 * Imports: whatever bytes are imported are refused and change nothing, or
 * leave a document that can be saved, opened again and exported; and a good
 * import works after it.
 *
 * An input begins with a byte. 0: the rest is imported as it is. Else what is
 * imported is made of the rest, with sizes and checksums that are true: for
 * each item its kind in one byte, the size of its payload in 2, big-endian,
 * and the payload, of which ids lack the checksum; the first byte less 1 is
 * added to the number of events at the end.
 */
#include "target.h"

#include <grove/backend_memory.h>
#include <grove/grove.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "format/batch.h"
#include "format/exchange.h"
#include "support/reseal.h"

static grove_bytes id_of_document(void)
{
    return grove_bytes_of("document");
}

/* --- making an export --- */

static void append_item(grove__exchange_kind kind, grove_bytes payload,
                        grove_buffer *bytes, uint64_t *events)
{
    size_t sum = kind == GROVE__EXCHANGE_IDS ? sizeof(uint64_t) : 0;
    grove__exchange_item_encode(kind, payload.size + sum, bytes);
    size_t from = bytes->size;
    grove_buffer_append(bytes, payload.data, payload.size);
    FUZZ_CHECK(!bytes->failed);
    grove_bytes copy = {bytes->data + from, payload.size};
    if (sum > 0) {
        grove_buffer_u64(bytes, grove__hash(copy, 0));
        return;
    }
    grove__block block;
    grove__batch_header header;
    reseal(bytes->data + from, payload.size);
    if (kind == GROVE__EXCHANGE_BATCH &&
        grove__batch_open(copy, &block, &header, NULL) == GROVE_OK) {
        *events += header.event_count;
    }
}

static void make_export(grove_reader *reader, uint64_t lie, grove_buffer *bytes)
{
    const grove__exchange_header header = {.type_name = "text", .type_format = 1};
    uint64_t events = 0;
    grove__exchange_header_encode(&header, bytes);
    while (grove_reader_left(reader) >= 3) {
        uint8_t kind = grove_reader_u8(reader);
        size_t size = (size_t)grove_reader_u8(reader) << 8;
        size |= grove_reader_u8(reader);
        size_t left = grove_reader_left(reader);
        append_item((grove__exchange_kind)(kind & 3),
                    grove_reader_bytes(reader, size < left ? size : left), bytes,
                    &events);
    }
    grove__exchange_end_encode(events + lie, bytes);
    FUZZ_CHECK(!bytes->failed);
}

/* --- the document --- */

static grove_document *open_document(grove_store *store, uint8_t name)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    grove_document *document = NULL;
    options.replica.size = 2;
    options.replica.bytes[0] = options.replica.bytes[1] = name;
    FUZZ_CHECK(grove_document_open(store, id_of_document(), &options, &document, NULL) ==
               GROVE_OK);
    return document;
}

static grove_store *open_store(grove_memory_disk *disk)
{
    grove_store_options options = GROVE_STORE_OPTIONS_INIT;
    grove_store *store = NULL;
    options.backend = grove_backend_find("memory");
    options.backend_context = disk;
    options.durability = GROVE_DURABILITY_NONE;
    FUZZ_CHECK(grove_store_open("fuzz", &options, &store, NULL) == GROVE_OK);
    return store;
}

static bool append_bytes(void *context, grove_bytes bytes)
{
    grove_buffer_append(context, bytes.data, bytes.size);
    return true;
}

/* The export of another document of the same id: "good". */
static void export_good(grove_buffer *bytes)
{
    grove_memory_disk *disk = grove_memory_disk_new(NULL);
    grove_store *store = open_store(disk);
    grove_document *document = open_document(store, 0xf1);
    FUZZ_CHECK(grove_text_insert(document, 0, grove_bytes_of("good"), NULL) == GROVE_OK);
    FUZZ_CHECK(grove_document_save(document, NULL, NULL, NULL) == GROVE_OK);
    FUZZ_CHECK(grove_document_export(document, NULL, append_bytes, bytes, NULL) ==
               GROVE_OK);
    FUZZ_CHECK(!bytes->failed);
    grove_document_close(document);
    grove_store_close(store);
    grove_memory_disk_free(disk);
}

static bool has_text(grove_document *document, const char *expected)
{
    char text[64];
    size_t bytes;
    uint64_t points;
    FUZZ_CHECK(grove_text_read(document, 0, sizeof text, text, sizeof text, &bytes,
                               &points, NULL) == GROVE_OK);
    return grove__bytes_equal((grove_bytes){(const uint8_t *)text, bytes},
                              grove_bytes_of(expected));
}

static bool is_refusal(grove_status status)
{
    return status == GROVE_MALFORMED || status == GROVE_FORMAT_NEWER ||
           status == GROVE_INVALID || status == GROVE_REPLICA_REUSED ||
           status == GROVE_LIMIT || status == GROVE_NO_MEMORY;
}

/* What can be done with a document after it took something in. */
static void check_sound(grove_store *store, grove_document *document)
{
    grove_buffer bytes;
    uint64_t waiting;
    grove_buffer_init(&bytes, &grove__allocator_system);
    grove_status status = grove_document_save(document, NULL, NULL, NULL);
    FUZZ_CHECK(status == GROVE_OK || status == GROVE_LIMIT);
    FUZZ_CHECK(grove_document_pending(document, &waiting, NULL, NULL) == GROVE_OK);
    FUZZ_CHECK(grove_document_export(document, NULL, append_bytes, &bytes, NULL) ==
               GROVE_OK);
    grove_document *again = open_document(store, 0xf2);
    FUZZ_CHECK(grove_document_damaged_snapshots(again) == 0);
    FUZZ_CHECK(grove_document_clock(again) == grove_document_clock(document));
    grove_import_result result;
    FUZZ_CHECK(grove_document_import(again, grove_buffer_view(&bytes), &result, NULL) ==
               GROVE_OK);
    FUZZ_CHECK(result.events == 0 && !result.adopted);
    grove_document_close(again);
    grove_buffer_release(&bytes);
}

static void check_import(grove_bytes bytes, grove_bytes good)
{
    grove_memory_disk *disk = grove_memory_disk_new(NULL);
    grove_store *store = open_store(disk);
    grove_document *document = open_document(store, 0xf3);
    grove_error error;
    FUZZ_CHECK(grove_text_insert(document, 0, grove_bytes_of("text"), NULL) == GROVE_OK);
    FUZZ_CHECK(grove_document_save(document, NULL, NULL, NULL) == GROVE_OK);
    grove_status status = grove_document_import(document, bytes, NULL, &error);
    if (status != GROVE_OK) {
        FUZZ_CHECK(is_refusal(status) && error.status == status);
        FUZZ_CHECK(has_text(document, "text"));
        FUZZ_CHECK(grove_document_unsaved(document) == 0);
    } else {
        check_sound(store, document);
    }
    grove_status again = grove_document_import(document, good, NULL, NULL);
    FUZZ_CHECK(again == GROVE_OK || (status == GROVE_OK && is_refusal(again)));
    FUZZ_CHECK(status == GROVE_OK || has_text(document, "goodtext"));
    grove_document_close(document);
    grove_store_close(store);
    grove_memory_disk_free(disk);
}

/* The same into a document of which nothing is stored. */
static void check_newcomer(grove_bytes bytes)
{
    grove_memory_disk *disk = grove_memory_disk_new(NULL);
    grove_store *store = open_store(disk);
    grove_document *document = open_document(store, 0xf3);
    grove_import_result result;
    grove_status status = grove_document_import(document, bytes, &result, NULL);
    if (status == GROVE_OK && result.events > 0) {
        check_sound(store, document);
    } else {
        FUZZ_CHECK(status == GROVE_OK || is_refusal(status));
        FUZZ_CHECK(has_text(document, ""));
    }
    grove_document_close(document);
    grove_store_close(store);
    grove_memory_disk_free(disk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    grove_buffer made;
    grove_buffer good;
    if (size == 0) {
        return 0;
    }
    grove_buffer_init(&made, &grove__allocator_system);
    grove_buffer_init(&good, &grove__allocator_system);
    export_good(&good);
    if (data[0] == 0) {
        grove_buffer_append(&made, data + 1, size - 1);
    } else {
        grove_reader reader = grove_reader_of((grove_bytes){data + 1, size - 1});
        make_export(&reader, data[0] - 1, &made);
    }
    check_import(grove_buffer_view(&made), grove_buffer_view(&good));
    check_newcomer(grove_buffer_view(&made));
    grove_buffer_release(&good);
    grove_buffer_release(&made);
    return 0;
}
