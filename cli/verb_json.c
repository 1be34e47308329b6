/* The verbs json get, json set, json patch and json merge-patch. */
#include <stdio.h>

#include "input.h"
#include "open.h"
#include "output.h"

/* What is wrong with a patch or a pointer is a matter of what was given. */
static int json_failed(const grove_error *error, const char *doing)
{
    bool is_of_input = error->status == GROVE_INVALID || error->status == GROVE_CONFLICT;
    return is_of_input ? cli_refuse(CLI_INPUT, "cannot %s: %s", doing, error->message)
                       : cli_failed(error, "%s", doing);
}

/* --- json get --- */

typedef struct printing {
    const cli_options *options;
    bool is_begun;
} printing;

/* What stands before the value, once it is known that there is one. */
static void print_begin(const cli_options *options)
{
    json_t *id = cli_id_value(cli_id_view(&options->document));
    (void)fputs("{\"document\": ", stdout);
    (void)json_dumpf(id, stdout, JSON_ENCODE_ANY);
    (void)fputs(", \"value\": ", stdout);
    json_decref(id);
}

static bool print_piece(void *context, grove_bytes piece)
{
    printing *print = context;
    if (print->options->json && !print->is_begun) {
        print_begin(print->options);
    }
    print->is_begun = true;
    return fwrite(piece.data, 1, piece.size, stdout) == piece.size;
}

static int print_json(const cli_options *options, const grove_document *document)
{
    grove_bytes pointer =
        grove_bytes_of(options->pointer == NULL ? "" : options->pointer);
    grove_error error;
    printing print = {options, false};
    grove_status status = grove_json_get(document, pointer, print_piece, &print, &error);
    /* That the output failed is found when it is finished. */
    if (status != GROVE_OK && status != GROVE_FAILED) {
        return json_failed(&error, "read the JSON");
    }
    (void)fputs(options->json ? "}\n" : "\n", stdout);
    return CLI_OK;
}

static int get_in(const cli_options *options, grove_store *store)
{
    grove_document *document = NULL;
    int code =
        cli_document_load_as(options, store, grove_type_tree(), "json get", &document);
    if (code == CLI_OK) {
        code = print_json(options, document);
    }
    grove_document_close(document);
    return code;
}

int cli_json_get(const cli_options *options)
{
    return cli_in_store(options, get_in);
}

/* --- the verbs that write --- */

typedef grove_status edit_fn(grove_document *document, grove_bytes text,
                             grove_bytes metadata, grove_error *error_out);

/* One of these verbs. */
typedef struct editing {
    const char *verb;
    const char *doing;
    edit_fn *edit;
    bool makes; /* the document, and the store, where there is none */
} editing;

static int edit_document(const cli_options *options, const editing *work,
                         grove_document *document, const cli_input *input)
{
    const grove_bytes text = {(const uint8_t *)input->text, input->bytes};
    const grove_bytes no_metadata = {NULL, 0};
    grove_save_result saved;
    grove_error error;
    if (work->edit(document, text, no_metadata, &error) != GROVE_OK) {
        return json_failed(&error, work->doing);
    }
    if (grove_document_save(document, NULL, &saved, &error) != GROVE_OK) {
        return cli_failed(&error, "save the document");
    }
    return cli_report(
        options, json_pack("{so, so, so}", "document",
                           cli_id_value(cli_id_view(&options->document)), "events",
                           cli_number(saved.events), "commit",
                           saved.commit == 0 ? json_null() : cli_number(saved.commit)));
}

/* Opens the document, or makes it. */
static int open_document(const cli_options *options, const editing *work,
                         grove_store *store, grove_document **document_out)
{
    grove_document_options wanted = GROVE_DOCUMENT_OPTIONS_INIT;
    grove_document_statistics stored;
    grove_error error;
    grove_bytes id = cli_id_view(&options->document);
    grove_status known = grove_document_statistics_get(store, id, &stored, &error);
    if (known == GROVE_OK || !work->makes) {
        return cli_document_load_as(options, store, grove_type_tree(), work->verb,
                                    document_out);
    }
    wanted.type = grove_type_tree();
    return grove_document_open(store, id, &wanted, document_out, &error) == GROVE_OK
               ? CLI_OK
               : cli_failed(&error, "make the document");
}

static int edit_in(const cli_options *options, const editing *work,
                   const cli_input *input)
{
    grove_store *store = NULL;
    grove_document *document = NULL;
    int code = cli_store_open(options, !work->makes, NULL, &store);
    if (code != CLI_OK) {
        return code;
    }
    code = open_document(options, work, store, &document);
    if (code == CLI_OK) {
        code = edit_document(options, work, document, input);
    }
    grove_document_close(document);
    return cli_store_close(options, store, code);
}

static int edit(const cli_options *options, const editing *work)
{
    bool is_input = options->file == NULL || strcmp(options->file, "-") == 0;
    cli_input input;
    grove_error error;
    if (cli_input_open(is_input ? "/dev/stdin" : options->file, GROVE_JSON_TEXT_BYTES_MAX,
                       &input, &error) != GROVE_OK) {
        int code = cli_failed(&error, "read what was given");
        return error.status == GROVE_IO ? CLI_INPUT : code;
    }
    int code = edit_in(options, work, &input);
    cli_input_release(&input);
    return code;
}

int cli_json_set(const cli_options *options)
{
    static const editing SET = {"json set", "set the JSON", grove_json_set, true};
    return edit(options, &SET);
}

int cli_json_patch(const cli_options *options)
{
    static const editing PATCH = {"json patch", "apply the patch", grove_json_patch,
                                  false};
    return edit(options, &PATCH);
}

int cli_json_merge_patch(const cli_options *options)
{
    static const editing MERGE = {"json merge-patch", "apply the patch",
                                  grove_json_merge_patch, false};
    return edit(options, &MERGE);
}
