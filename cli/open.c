#include "open.h"

#include <stdlib.h>
#include <time.h>

#include "fail.h"
#include "output.h"

static int64_t clock_now(void *context)
{
    const cli_clock *clock = context;
    if (clock->fixed) {
        return clock->now;
    }
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int cli_store_open(const cli_options *options, bool must_exist, cli_clock *clock,
                   grove_store **store_out)
{
    grove_store_options wanted = GROVE_STORE_OPTIONS_INIT;
    grove_clock hook = {clock, clock_now};
    wanted.backend = options->backend;
    wanted.durability = options->durability;
    wanted.must_exist = must_exist;
    wanted.clock = clock == NULL ? NULL : &hook;
    grove_error error;
    grove_status status =
        grove_store_open(options->store_path, &wanted, store_out, &error);
    if (status == GROVE_OK) {
        return CLI_OK;
    }
    if (status != GROVE_NONE) {
        return cli_failed(&error, "open the store %s", options->store_path);
    }
    bool persistent = (options->backend->capabilities & GROVE_BACKEND_PERSISTENT) != 0;
    return cli_refuse(CLI_NONE,
                      persistent ? "there is no store at %s: name one with --store, or "
                                   "make one with import or generate"
                                 : "there is no store at %s: this backend keeps nothing "
                                   "from one run to the next",
                      options->store_path);
}

int cli_store_close(const cli_options *options, grove_store *store, int code)
{
    if (code == CLI_OK && options->durability != GROVE_DURABILITY_FULL) {
        grove_error error;
        if (grove_store_sync(store, &error) != GROVE_OK) {
            code = cli_failed(&error, "bring the store to the disk");
        }
    }
    grove_store_close(store);
    return code;
}

int cli_in_store(const cli_options *options,
                 int (*verb)(const cli_options *options, grove_store *store))
{
    grove_store *store = NULL;
    int code = cli_store_open(options, true, NULL, &store);
    if (code != CLI_OK) {
        return code;
    }
    return cli_store_close(options, store, verb(options, store));
}

static int no_document(const cli_options *options)
{
    char id[CLI_ID_TEXT_BYTES];
    cli_id_format(cli_id_view(&options->document), id);
    return cli_refuse(CLI_NONE, "there is no document %s in %s: list them with grove ls",
                      id, options->store_path);
}

int cli_document_load(const cli_options *options, grove_store *store,
                      grove_document **document_out)
{
    grove_error error;
    grove_bytes id = cli_id_view(&options->document);
    grove_status status =
        options->has_clock ? grove_document_load_at(store, id, options->clock, NULL,
                                                    document_out, &error)
                           : grove_document_load(store, id, NULL, document_out, &error);
    if (status == GROVE_NONE) {
        return no_document(options);
    }
    if (status != GROVE_OK) {
        int code = cli_failed(&error, "load the document");
        return status == GROVE_INVALID ? CLI_INPUT : code;
    }
    uint64_t damaged = grove_document_damaged_snapshots(*document_out);
    if (damaged > 0) {
        (void)cli_refuse(
            CLI_OK,
            "%llu damaged snapshots were passed over: the document is sound, but "
            "the disk may not be",
            (unsigned long long)damaged);
    }
    return CLI_OK;
}

int cli_document_statistics(const cli_options *options, grove_store *store,
                            grove_document_statistics *statistics_out)
{
    grove_error error;
    grove_status status = grove_document_statistics_get(
        store, cli_id_view(&options->document), statistics_out, &error);
    if (status == GROVE_NONE) {
        return no_document(options);
    }
    return status == GROVE_OK ? CLI_OK : cli_failed(&error, "look up the document");
}

grove_status cli_document_text(const grove_document *document, char **text_out,
                               size_t *bytes_out, grove_error *error_out)
{
    uint64_t length = 0;
    uint64_t bytes = 0;
    uint64_t read = 0;
    grove_status status = grove_text_length(document, &length, &bytes, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    char *text = malloc((size_t)bytes + 1);
    if (text == NULL) {
        return cli_fail(error_out, GROVE_NO_MEMORY, "out of memory");
    }
    status = grove_text_read(document, 0, length, text, (size_t)bytes, bytes_out, &read,
                             error_out);
    if (status != GROVE_OK) {
        free(text);
        return status;
    }
    text[bytes] = '\0';
    *text_out = text;
    return GROVE_OK;
}

int cli_document_must_be(const cli_options *options,
                         const grove_document_statistics *statistics,
                         const grove_document_type *type, const char *verb)
{
    if (strcmp(statistics->type_name, type->name) == 0) {
        return CLI_OK;
    }
    char id[CLI_ID_TEXT_BYTES];
    cli_id_format(cli_id_view(&options->document), id);
    return cli_refuse(CLI_INPUT, "%s is a document of type %s: %s is for %ss", id,
                      statistics->type_name, verb, type->name);
}

int cli_document_load_as(const cli_options *options, grove_store *store,
                         const grove_document_type *type, const char *verb,
                         grove_document **document_out)
{
    grove_document_statistics stored;
    int code = cli_document_statistics(options, store, &stored);
    if (code == CLI_OK) {
        code = cli_document_must_be(options, &stored, type, verb);
    }
    return code == CLI_OK ? cli_document_load(options, store, document_out) : code;
}
