/* The verbs that only read: cat, info and ls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "open.h"
#include "output.h"

static bool print_piece(void *context, grove_bytes piece)
{
    (void)context;
    return fwrite(piece.data, 1, piece.size, stdout) == piece.size;
}

/* The text as one JSON string; NULL when there is no memory for it. */
static grove_status text_value(const grove_document *document, json_t **value_out,
                               grove_error *error_out)
{
    char *text = NULL;
    size_t bytes = 0;
    grove_status status = cli_document_text(document, &text, &bytes, error_out);
    if (status == GROVE_OK) {
        *value_out = json_stringn(text, bytes);
        free(text);
    }
    return status;
}

static int print_text(const cli_options *options, grove_document *document)
{
    grove_error error;
    json_t *text = NULL;
    grove_status status = options->json
                              ? text_value(document, &text, &error)
                              : grove_text_each(document, print_piece, NULL, &error);
    if (status != GROVE_OK) {
        return cli_failed(&error, "read the text");
    }
    if (!options->json) {
        return CLI_OK;
    }
    return cli_report(options, json_pack("{so, so}", "document",
                                         cli_id_value(cli_id_view(&options->document)),
                                         "text", text));
}

static int cat_in(const cli_options *options, grove_store *store)
{
    grove_document *document = NULL;
    int code = cli_document_load_as(options, store, grove_type_text(), "cat", &document);
    if (code == CLI_OK) {
        code = print_text(options, document);
    }
    grove_document_close(document);
    return code;
}

int cli_cat(const cli_options *options)
{
    return cli_in_store(options, cat_in);
}

/* Adds what only a loaded text knows. */
static int add_text_facts(const cli_options *options, grove_store *store, json_t *report)
{
    grove_document *document = NULL;
    int code = cli_document_load(options, store, &document);
    if (code != CLI_OK) {
        return code;
    }
    uint64_t length = 0;
    uint64_t bytes = 0;
    grove_error error;
    if (grove_text_length(document, &length, &bytes, &error) != GROVE_OK) {
        code = cli_failed(&error, "measure the text");
    } else {
        (void)json_object_set_new(report, "characters", cli_number(length));
        (void)json_object_set_new(report, "text_bytes", cli_number(bytes));
        (void)json_object_set_new(report, "damaged_snapshots",
                                  cli_number(grove_document_damaged_snapshots(document)));
    }
    grove_document_close(document);
    return code;
}

static int info_in(const cli_options *options, grove_store *store)
{
    grove_document_statistics stored;
    int code = cli_document_statistics(options, store, &stored);
    if (code != CLI_OK) {
        return code;
    }
    json_t *report = json_pack(
        "{so, ss, so, so, so, so, so, so, so, so, so, so}", "document",
        cli_id_value(cli_id_view(&options->document)), "type", stored.type_name, "events",
        cli_number(stored.events), "removed_events", cli_number(stored.base_clock),
        "batches", cli_number(stored.batches), "batch_bytes",
        cli_number(stored.batch_bytes), "snapshots", cli_number(stored.snapshots),
        "snapshot_bytes", cli_number(stored.snapshot_bytes), "newest_snapshot_clock",
        cli_number(stored.newest_snapshot_clock), "newest_snapshot_bytes",
        cli_number(stored.newest_snapshot_bytes), "revision", cli_number(stored.revision),
        "incarnation", cli_hexadecimal(stored.incarnation));
    if (strcmp(stored.type_name, grove_type_text()->name) == 0) {
        code = add_text_facts(options, store, report);
    }
    if (code != CLI_OK) {
        json_decref(report);
        return code;
    }
    return cli_report(options, report);
}

int cli_info(const cli_options *options)
{
    return cli_in_store(options, info_in);
}

/*
 * A listing goes page by page, so that no slow terminal holds a state of the
 * store. A page is read to its end before any of it is printed.
 */
enum { PAGE_IDS = 256 };

typedef struct page {
    cli_id ids[PAGE_IDS];
    size_t count;
    size_t wanted;
    bool more;
} page;

static bool take_id(void *context, grove_bytes name)
{
    page *into = context;
    if (into->count == into->wanted) {
        into->more = true;
        return false;
    }
    cli_id *id = &into->ids[into->count++];
    memcpy(id->bytes, name.data, name.size);
    id->size = name.size;
    return true;
}

static void print_page(const page *from, json_t *names)
{
    for (size_t index = 0; index < from->count; index++) {
        char text[CLI_ID_TEXT_BYTES];
        grove_bytes id = cli_id_view(&from->ids[index]);
        if (names != NULL) {
            (void)json_array_append_new(names, cli_id_value(id));
        } else {
            cli_id_format(id, text);
            (void)puts(text);
        }
    }
}

/* Prints or gathers all pages up to the limit; *last is the last id printed. */
static int list_pages(const cli_options *options, grove_store *store, json_t *names,
                      cli_id *last, bool *more_out)
{
    page *now = malloc(sizeof *now);
    if (now == NULL) {
        return cli_report(options, NULL);
    }
    uint64_t left = options->limit;
    grove_status status = GROVE_OK;
    grove_error error;
    do {
        now->count = 0;
        now->wanted = left < PAGE_IDS ? (size_t)left : PAGE_IDS;
        now->more = false;
        status = grove_document_list(store, cli_id_view(&options->prefix),
                                     cli_id_view(last), take_id, now, &error);
        if (status != GROVE_OK) {
            break;
        }
        print_page(now, names);
        if (now->count > 0) {
            *last = now->ids[now->count - 1];
        }
        left -= now->count;
    } while (now->more && left > 0);
    *more_out = now->more;
    free(now);
    return status == GROVE_OK ? CLI_OK : cli_failed(&error, "list the documents");
}

static int list_in(const cli_options *options, grove_store *store)
{
    json_t *names = options->json ? json_array() : NULL;
    cli_id last = options->after;
    bool more = false;
    int code = list_pages(options, store, names, &last, &more);
    if (code == CLI_OK && options->json) {
        json_t *next = more ? cli_id_value(cli_id_view(&last)) : json_null();
        code =
            cli_report(options, json_pack("{sO, so}", "documents", names, "next", next));
    } else if (code == CLI_OK && more) {
        char text[CLI_ID_TEXT_BYTES];
        cli_id_format(cli_id_view(&last), text);
        code = cli_refuse(CLI_OK, "there are more: go on with --after '%s'", text);
    }
    json_decref(names);
    return code;
}

int cli_list(const cli_options *options)
{
    return cli_in_store(options, list_in);
}
