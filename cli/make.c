#include "make.h"

static grove_status open_document(cli_making *work, grove_store *store,
                                  grove_error *error_out)
{
    grove_document_options wanted = GROVE_DOCUMENT_OPTIONS_INIT;
    wanted.type = grove_type_text();
    wanted.replica = work->replica;
    work->replay = (cli_replay){.trace = work->trace,
                                .clock = &work->clock,
                                .end_is = work->end_is,
                                .progress = &work->progress};
    return grove_document_open(store, cli_id_view(&work->options->document), &wanted,
                               &work->replay.document, error_out);
}

/*
 * Makes all edits without saving one, and compares the outcome. What was never
 * saved is not stored: a trace that does not end as it should leaves nothing.
 */
static grove_status rehearse(cli_making *work, grove_error *error_out)
{
    double begin = cli_now_ms();
    grove_status status = cli_replay_run(&work->replay, error_out);
    work->edit_ms = cli_now_ms() - begin;
    return status == GROVE_OK ? cli_replay_check(&work->replay, error_out) : status;
}

/* Takes back what a save that then failed had left of the document. */
static void take_back(const cli_making *work, grove_store *store, grove_status why)
{
    if (work->replay.saves == 0) {
        return;
    }
    grove_error error;
    bool foreign = why == GROVE_CONFLICT || why == GROVE_REPLICA_REUSED;
    if (foreign || grove_document_delete(store, cli_id_view(&work->options->document),
                                         NULL, &error) != GROVE_OK) {
        (void)cli_refuse(CLI_FAILURE,
                         "%llu saves were made before that and are still there: remove "
                         "the document with grove rm",
                         (unsigned long long)work->replay.saves);
    }
}

/*
 * Saves at once what was rehearsed; or, when it is to be saved in pieces, drops
 * it and makes the same edits again in a handle that saves on its way.
 */
static grove_status save(cli_making *work, grove_store *store, grove_error *error_out)
{
    uint64_t batch =
        work->options->batch == 0 ? GROVE_BATCH_EVENTS_MAX : work->options->batch;
    if (work->trace->events <= batch) {
        return cli_replay_save(&work->replay, error_out);
    }
    grove_document_close(work->replay.document);
    work->replay.document = NULL;
    grove_status status = open_document(work, store, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    work->replay.batch = batch;
    status = cli_replay_run(&work->replay, error_out);
    if (status != GROVE_OK) {
        take_back(work, store, status);
    }
    return status;
}

static int report(const cli_making *work, grove_store *store)
{
    grove_document_statistics stored = {.events = 0};
    if (work->replay.saves > 0) {
        int code = cli_document_statistics(work->options, store, &stored);
        if (code != CLI_OK) {
            return code;
        }
    }
    json_t *made = json_pack(
        "{so, so, so, so, so, so, so, so, so, so, sf, sf, sf}", "document",
        cli_id_value(cli_id_view(&work->options->document)), "events",
        cli_number(work->trace->events), "characters", cli_number(work->trace->length),
        "patches", cli_number(work->trace->patch_count), "saves",
        cli_number(work->replay.saves), "commit", cli_number(work->replay.commit),
        "batches", cli_number(stored.batches), "batch_bytes",
        cli_number(stored.batch_bytes), "snapshots", cli_number(stored.snapshots),
        "snapshot_bytes", cli_number(stored.snapshot_bytes), "trace_ms", work->trace_ms,
        "edit_ms", work->edit_ms, "save_ms", work->replay.save_ms);
    if (work->facts != NULL && made != NULL) {
        (void)json_object_update(made, work->facts);
    }
    return cli_report(work->options, made);
}

/* CLI_OK when there is no document of that id yet. */
static int must_be_new(const cli_options *options, grove_store *store)
{
    grove_error error;
    grove_document_statistics stored;
    grove_status status = grove_document_statistics_get(
        store, cli_id_view(&options->document), &stored, &error);
    if (status == GROVE_NONE) {
        return CLI_OK;
    }
    if (status != GROVE_OK) {
        return cli_failed(&error, "look up the document");
    }
    char id[CLI_ID_TEXT_BYTES];
    cli_id_format(cli_id_view(&options->document), id);
    return cli_refuse(CLI_CONFLICT,
                      "there is a document %s in %s already: choose another --doc, or "
                      "remove it with grove rm",
                      id, options->store_path);
}

static int make_in(cli_making *work, grove_store *store)
{
    int code = must_be_new(work->options, store);
    if (code != CLI_OK) {
        return code;
    }
    grove_error error;
    work->progress = cli_progress_begin(work->options, work->doing, work->trace->events);
    grove_status status = open_document(work, store, &error);
    if (status == GROVE_OK) {
        status = rehearse(work, &error);
    }
    if (status == GROVE_OK) {
        status = save(work, store, &error);
    }
    cli_progress_end(&work->progress);
    code = status == GROVE_OK ? report(work, store)
                              : cli_failed(&error, "%s the document", work->doing);
    grove_document_close(work->replay.document);
    return code;
}

int cli_make(cli_making *work)
{
    grove_store *store = NULL;
    int code = cli_store_open(work->options, false, &work->clock, &store);
    if (code != CLI_OK) {
        return code;
    }
    return cli_store_close(work->options, store, make_in(work, store));
}
