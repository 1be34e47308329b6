/* The verbs that tend documents: compact, seal and rm. */
#include "open.h"
#include "output.h"

static int compact_in(const cli_options *options, grove_store *store)
{
    grove_document *document = NULL;
    int code = cli_document_load(options, store, &document);
    if (code != CLI_OK) {
        return code;
    }
    grove_compact_options wanted = GROVE_COMPACT_OPTIONS_INIT;
    grove_compact_result result;
    grove_error error;
    wanted.window_events = options->window;
    double begin = cli_now_ms();
    grove_status status = grove_document_compact(document, &wanted, &result, &error);
    double took_ms = cli_now_ms() - begin;
    grove_document_close(document);
    if (status != GROVE_OK) {
        return cli_failed(&error, "compact the document");
    }
    return cli_report(
        options, json_pack("{so, so, so, so, so, so, sf}", "document",
                           cli_id_value(cli_id_view(&options->document)),
                           "snapshot_clock", cli_number(result.snapshot_clock),
                           "base_clock", cli_number(result.base_clock), "removed_events",
                           cli_number(result.removed_events), "removed_batches",
                           cli_number(result.removed_batches), "removed_bytes",
                           cli_number(result.removed_bytes), "compact_ms", took_ms));
}

static int seal_in(const cli_options *options, grove_store *store)
{
    grove_document *document = NULL;
    int code = cli_document_load(options, store, &document);
    if (code != CLI_OK) {
        return code;
    }
    grove_seal_options wanted = GROVE_SEAL_OPTIONS_INIT;
    grove_seal_result result;
    grove_error error;
    wanted.level = (int32_t)options->level;
    double begin = cli_now_ms();
    grove_status status = grove_document_seal(document, &wanted, &result, &error);
    double took_ms = cli_now_ms() - begin;
    grove_document_close(document);
    if (status != GROVE_OK) {
        return cli_failed(&error, "seal the document");
    }
    return cli_report(
        options, json_pack("{so, so, so, so, so, sf}", "document",
                           cli_id_value(cli_id_view(&options->document)),
                           "batches_before", cli_number(result.batches_before),
                           "batches_after", cli_number(result.batches_after),
                           "bytes_before", cli_number(result.bytes_before), "bytes_after",
                           cli_number(result.bytes_after), "seal_ms", took_ms));
}

static int remove_in(const cli_options *options, grove_store *store)
{
    grove_document_statistics stored;
    int code = cli_document_statistics(options, store, &stored);
    if (code != CLI_OK) {
        return code;
    }
    uint64_t commit = 0;
    grove_error error;
    if (grove_document_delete(store, cli_id_view(&options->document), &commit, &error) !=
        GROVE_OK) {
        return cli_failed(&error, "remove the document");
    }
    return cli_report(options,
                      json_pack("{so, so, so}", "document",
                                cli_id_value(cli_id_view(&options->document)), "events",
                                cli_number(stored.events), "commit", cli_number(commit)));
}

int cli_compact(const cli_options *options)
{
    return cli_in_store(options, compact_in);
}

int cli_seal(const cli_options *options)
{
    return cli_in_store(options, seal_in);
}

int cli_remove(const cli_options *options)
{
    return cli_in_store(options, remove_in);
}
