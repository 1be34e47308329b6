/*
 * A text document: write, save, change it from a second handle, take that in,
 * and look at what is stored.
 *
 *   notes STORE
 */
#include <inttypes.h>
#include <stdio.h>

#include <grove/grove.h>

static bool print_piece(void *context, grove_bytes piece)
{
    FILE *stream = context;
    return fwrite(piece.data, 1, piece.size, stream) == piece.size;
}

/* Somebody else opens the same document and saves a line. */
static grove_status add_line(grove_store *store, grove_bytes id, const char *line,
                             grove_error *error_out)
{
    grove_document *document = NULL;
    grove_status status = grove_document_open(store, id, NULL, &document, error_out);
    uint64_t length = 0;
    if (status == GROVE_OK) {
        status = grove_text_length(document, &length, NULL, error_out);
    }
    if (status == GROVE_OK) {
        status = grove_text_insert(document, length, grove_bytes_of(line), error_out);
    }
    if (status == GROVE_OK) {
        status = grove_document_save(document, NULL, NULL, error_out);
    }
    grove_document_close(document);
    return status;
}

static grove_status write_notes(grove_document *notes, grove_error *error_out)
{
    grove_status status = grove_text_insert(
        notes, 0, grove_bytes_of("Plant the ash tree.\nWater it.\n"), error_out);
    /* Positions are code points: "ash" stands at 10. */
    if (status == GROVE_OK) {
        status = grove_text_delete(notes, 10, 3, error_out);
    }
    if (status == GROVE_OK) {
        status = grove_text_insert(notes, 10, grove_bytes_of("oak"), error_out);
    }
    if (status == GROVE_OK) {
        status = grove_document_save(notes, NULL, NULL, error_out);
    }
    return status;
}

static grove_status run(grove_store *store, grove_document **notes_out,
                        grove_error *error_out)
{
    grove_bytes id = grove_bytes_of("notes");
    grove_status status = grove_document_open(store, id, NULL, notes_out, error_out);
    if (status == GROVE_OK) {
        status = write_notes(*notes_out, error_out);
    }
    if (status == GROVE_OK) {
        status = add_line(store, id, "Wait.\n", error_out);
    }
    uint64_t events = 0;
    if (status == GROVE_OK) {
        status = grove_document_refresh(*notes_out, &events, error_out);
    }
    if (status == GROVE_OK) {
        printf("%" PRIu64 " events came in from elsewhere:\n", events);
        status = grove_text_each(*notes_out, print_piece, stdout, error_out);
    }
    grove_document_statistics statistics;
    if (status == GROVE_OK) {
        status = grove_document_statistics_get(store, id, &statistics, error_out);
    }
    if (status == GROVE_OK) {
        printf("%" PRIu64 " events are stored.\n", statistics.events);
    }
    return status;
}

int main(int argument_count, char **arguments)
{
    if (argument_count != 2) {
        fprintf(stderr, "usage: notes STORE\n");
        return 2;
    }
    grove_error error;
    grove_store *store = NULL;
    grove_document *notes = NULL;
    grove_status status = grove_store_open(arguments[1], NULL, &store, &error);
    if (status == GROVE_OK) {
        status = run(store, &notes, &error);
    }
    if (status != GROVE_OK) {
        fprintf(stderr, "%s: %s\n", grove_status_name(error.status), error.message);
    }
    grove_document_close(notes);
    grove_store_close(store);
    return status == GROVE_OK ? 0 : 1;
}
