/* What a third party does: a text in a store on disk, saved and loaded. */
#include <stdio.h>

#include <grove/backend_memory.h>
#include <grove/grove.h>

static int save(grove_store *store, grove_bytes id)
{
    grove_document *document = NULL;
    int failed = grove_document_open(store, id, NULL, &document, NULL) ||
                 grove_text_insert(document, 0, grove_bytes_of("ok"), NULL) ||
                 grove_document_save(document, NULL, NULL, NULL);
    grove_document_close(document);
    return failed;
}

static int load(grove_store *store, grove_bytes id)
{
    char text[8] = {0};
    size_t bytes = 0;
    uint64_t characters = 0;
    grove_document *document = NULL;
    int failed =
        grove_document_load(store, id, NULL, &document, NULL) ||
        grove_text_read(document, 0, 2, text, sizeof text, &bytes, &characters, NULL);
    grove_document_close(document);
    if (!failed) {
        printf("third party: %s\n", text);
    }
    return failed;
}

int main(int argument_count, char **arguments)
{
    grove_store_options options = GROVE_STORE_OPTIONS_INIT;
    grove_store *store = NULL;
    if (argument_count != 2) {
        return 2;
    }
    int failed = grove_store_open(arguments[1], &options, &store, NULL) ||
                 save(store, grove_bytes_of("a")) || load(store, grove_bytes_of("a"));
    grove_store_close(store);
    return failed;
}
