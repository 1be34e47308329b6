/*
 * Dumps: whatever text is loaded is refused, and then there is no store; or it
 * makes a store whose dump is that text, and whose documents can be loaded or
 * are refused.
 *
 * An input begins with a byte. 0: the rest is loaded as it is. Else each of its
 * lines gets the sum that it should have, if it has one, and LF at its end; and
 * with 2 the sums of blocks are renewed as well where a value is in one line.
 */
#include "target.h"

#include <grove/backend_memory.h>
#include <grove/dump.h>
#include <grove/grove.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "format/dump_line.h"
#include "support/reseal.h"

static const char SUM[] = " sum=";
enum { SUM_BYTES = 21 };

/* --- making a dump --- */

/* Renews the checksums in a block that a line of data has. */
static void reseal_data(grove_bytes line, grove__dump_writer *writer)
{
    grove__dump_line taken = {line, false};
    grove_buffer block;
    grove_buffer_init(&block, &grove__allocator_system);
    if (grove__dump_take_word(&taken, "data")) {
        grove__dump_take_data(&taken, "base64", &block);
    } else {
        taken.failed = true;
    }
    if (grove__dump_done(&taken) && block.size > 0) {
        reseal(block.data, block.size);
        grove__dump_begin(writer, "data");
        grove__dump_put_data(writer, "base64", grove_buffer_view(&block));
    } else {
        grove__dump_begin(writer, "");
        grove_buffer_append(writer->text, line.data, line.size);
    }
    grove_buffer_release(&block);
}

static void put_line(grove_bytes line, bool reseals, grove__dump_writer *writer)
{
    if (line.size >= SUM_BYTES &&
        memcmp(line.data + line.size - SUM_BYTES, SUM, sizeof SUM - 1) == 0) {
        line.size -= SUM_BYTES;
    }
    if (reseals) {
        reseal_data(line, writer);
    } else {
        grove__dump_begin(writer, "");
        grove_buffer_append(writer->text, line.data, line.size);
    }
    grove__dump_end(writer);
}

static void make_dump(grove_bytes bytes, bool reseals, grove_buffer *text)
{
    grove__dump_writer writer = grove__dump_writer_to(text);
    while (bytes.size > 0) {
        const uint8_t *end = memchr(bytes.data, '\n', bytes.size);
        size_t size = end == NULL ? bytes.size : (size_t)(end - bytes.data);
        put_line((grove_bytes){bytes.data, size}, reseals, &writer);
        size += end == NULL ? 0 : 1;
        bytes = (grove_bytes){bytes.data + size, bytes.size - size};
    }
    FUZZ_CHECK(!text->failed);
}

/* --- loading it --- */

static bool read_bytes(void *context, uint8_t *room, size_t bytes, size_t *bytes_out)
{
    grove_bytes *left = context;
    size_t count = left->size < bytes ? left->size : bytes;
    if (count > 0) {
        memcpy(room, left->data, count);
        left->data += count;
    }
    left->size -= count;
    *bytes_out = count;
    return true;
}

static bool append_bytes(void *context, grove_bytes bytes)
{
    grove_buffer_append(context, bytes.data, bytes.size);
    return true;
}

static bool load_document(void *context, grove_bytes id)
{
    grove_document *document = NULL;
    grove_status status = grove_document_load(context, id, NULL, &document, NULL);
    FUZZ_CHECK(status == GROVE_OK || status == GROVE_CORRUPT || status == GROVE_INVALID ||
               status == GROVE_FORMAT_NEWER || status == GROVE_UNSUPPORTED ||
               status == GROVE_NO_MEMORY);
    grove_document_close(document);
    return true;
}

/* The store that was made of the text. */
static void check_store(const grove_store_options *options, grove_bytes text)
{
    grove_store *store = NULL;
    grove_buffer again;
    grove_bytes none = {NULL, 0};
    grove_buffer_init(&again, &grove__allocator_system);
    FUZZ_CHECK(grove_store_open("fuzz", options, &store, NULL) == GROVE_OK);
    FUZZ_CHECK(grove_store_dump(store, append_bytes, &again, NULL, NULL) == GROVE_OK);
    FUZZ_CHECK(grove__bytes_equal(grove_buffer_view(&again), text));
    FUZZ_CHECK(grove_document_list(store, none, none, load_document, store, NULL) ==
               GROVE_OK);
    grove_store_close(store);
    grove_buffer_release(&again);
}

static void check_dump(grove_bytes text)
{
    grove_memory_disk *disk = grove_memory_disk_new(NULL);
    grove_store_options options = GROVE_STORE_OPTIONS_INIT;
    grove_store *store = NULL;
    grove_bytes left = text;
    grove_error error;
    options.backend = grove_backend_find("memory");
    options.backend_context = disk;
    options.memory_bytes_max = FUZZ_MEMORY_BYTES;
    grove_status status =
        grove_store_undump("fuzz", &options, read_bytes, &left, NULL, &error);
    options.must_exist = true;
    if (status == GROVE_OK) {
        check_store(&options, text);
    } else {
        FUZZ_CHECK(status == GROVE_MALFORMED || status == GROVE_FORMAT_NEWER ||
                   status == GROVE_NO_MEMORY);
        FUZZ_CHECK(error.status == status && error.offset <= text.size);
        status = grove_store_open("fuzz", &options, &store, NULL);
        FUZZ_CHECK(status == GROVE_INVALID || status == GROVE_NONE);
    }
    grove_memory_disk_free(disk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    grove_buffer made;
    grove_bytes rest = {data + 1, size - 1};
    grove_buffer_init(&made, &grove__allocator_system);
    if (data[0] != 0) {
        make_dump(rest, data[0] == 2, &made);
        rest = grove_buffer_view(&made);
    }
    check_dump(rest);
    grove_buffer_release(&made);
    return 0;
}
