/* The verbs that carry events from store to store: export and merge. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "input.h"
#include "open.h"
#include "output.h"
#include "vector.h"

/* An export, which is read into memory to be merged. */
#define CLI_EXPORT_BYTES_MAX (UINT64_C(1) << 30)

/* --- export --- */

typedef struct exporting {
    const cli_options *options;
    grove_document *document;
    /* What the other store has. */
    grove_event_id *entries;
    size_t entry_count;
    FILE *file;
    uint64_t bytes;
} exporting;

static bool write_piece(void *context, grove_bytes piece)
{
    exporting *work = context;
    work->bytes += piece.size;
    return fwrite(piece.data, 1, piece.size, work->file) == piece.size;
}

/* GROVE_FAILED: the file could not be written. */
static grove_status write_content(exporting *work, grove_error *error_out)
{
    grove_version_vector vector = {work->entries, work->entry_count};
    if (!work->options->vector) {
        return grove_document_export(work->document, &vector, write_piece, work,
                                     error_out);
    }
    grove_status status =
        grove_document_version_vector(work->document, &vector, error_out);
    return status == GROVE_OK && !cli_vector_write(&vector, write_piece, work)
               ? GROVE_FAILED
               : status;
}

static int write_failed(const exporting *work, int why)
{
    return cli_refuse(CLI_FAILURE, "%s could not be written: %s", work->options->out,
                      why == 0 ? "out of memory" : strerror(why));
}

/* Writes the file whole or leaves none. */
static int write_file(exporting *work)
{
    grove_error error;
    errno = 0;
    work->file = fopen(work->options->out, "wb");
    if (work->file == NULL) {
        return write_failed(work, errno);
    }
    grove_status status = write_content(work, &error);
    int why = errno;
    if (fclose(work->file) != 0 && status == GROVE_OK) {
        why = errno;
        status = GROVE_FAILED;
    }
    if (status == GROVE_OK) {
        return CLI_OK;
    }
    cli_discard_file(work->options->out);
    return status == GROVE_FAILED ? write_failed(work, why)
                                  : cli_failed(&error, "export the document");
}

static int read_known(exporting *work)
{
    grove_error error;
    if (work->options->since == NULL ||
        cli_vector_read(work->options->since, &work->entries, &work->entry_count,
                        &error) == GROVE_OK) {
        return CLI_OK;
    }
    int code = cli_failed(&error, "read what the other store has");
    return error.status == GROVE_IO ? CLI_INPUT : code;
}

static int export_in(const cli_options *options, grove_store *store)
{
    exporting work = {.options = options};
    double begin = cli_now_ms();
    int code = cli_document_load(options, store, &work.document);
    if (code == CLI_OK) {
        code = read_known(&work);
    }
    if (code == CLI_OK) {
        code = write_file(&work);
    }
    grove_document_close(work.document);
    free(work.entries);
    if (code != CLI_OK) {
        return code;
    }
    return cli_report(options,
                      json_pack("{so, ss, so, sf}", "document",
                                cli_id_value(cli_id_view(&options->document)), "file",
                                options->out, "file_bytes", cli_number(work.bytes),
                                "export_ms", cli_now_ms() - begin));
}

int cli_export(const cli_options *options)
{
    return cli_in_store(options, export_in);
}

/* --- merge --- */

typedef struct merging {
    const cli_options *options;
    grove_document *document;
    grove_import_result result;
    uint64_t commit;
} merging;

/* Takes an export into a handle and saves. */
static grove_status take_in(merging *work, grove_bytes bytes, grove_error *error_out)
{
    grove_save_result saved;
    grove_status status =
        grove_document_import(work->document, bytes, &work->result, error_out);
    if (status == GROVE_OK) {
        status = grove_document_save(work->document, NULL, &saved, error_out);
    }
    if (status == GROVE_OK) {
        work->commit = saved.commit;
    }
    return status;
}

/*
 * Merges into the stored document, or into a new one. That gets the type of
 * the export, which is known when it is taken.
 */
static grove_status merge_bytes(merging *work, grove_store *store, grove_bytes bytes,
                                grove_error *error_out)
{
    grove_bytes id = cli_id_view(&work->options->document);
    grove_document_options wanted = GROVE_DOCUMENT_OPTIONS_INIT;
    grove_document_statistics stored;
    grove_status known = grove_document_statistics_get(store, id, &stored, error_out);
    if (known != GROVE_OK && known != GROVE_NONE) {
        return known;
    }
    const grove_document_type *const types[] = {grove_type_text(), grove_type_tree(),
                                                grove_type_opaque()};
    grove_status status = GROVE_INVALID;
    for (size_t index = 0; status == GROVE_INVALID && index < 3; index++) {
        grove_document_close(work->document);
        work->document = NULL;
        wanted.type = known == GROVE_OK ? NULL : types[index];
        status = grove_document_open(store, id, &wanted, &work->document, error_out);
        if (status == GROVE_OK) {
            status = take_in(work, bytes, error_out);
        }
        if (known == GROVE_OK) {
            break;
        }
    }
    return status;
}

static int report_merge(const merging *work, double took_ms)
{
    const grove_import_result *result = &work->result;
    json_t *commit = work->commit == 0 ? json_null() : cli_number(work->commit);
    return cli_report(
        work->options,
        json_pack("{so, so, so, so, so, sb, so, sf}", "document",
                  cli_id_value(cli_id_view(&work->options->document)), "events",
                  cli_number(result->events), "known", cli_number(result->known),
                  "waiting", cli_number(result->waiting), "aside",
                  cli_number(result->aside), "adopted", (int)result->adopted, "commit",
                  commit, "merge_ms", took_ms));
}

static int merge_input(const cli_options *options, const cli_input *input)
{
    merging work = {.options = options};
    grove_bytes bytes = {(const uint8_t *)input->text, input->bytes};
    grove_store *store = NULL;
    grove_error error;
    int code = cli_store_open(options, false, NULL, &store);
    if (code != CLI_OK) {
        return code;
    }
    double begin = cli_now_ms();
    grove_status status = merge_bytes(&work, store, bytes, &error);
    double took_ms = cli_now_ms() - begin;
    grove_document_close(work.document);
    if (status == GROVE_OK) {
        code = report_merge(&work, took_ms);
    } else {
        code = cli_failed(&error, "merge %s", options->file);
        code = status == GROVE_INVALID ? CLI_INPUT : code;
    }
    return cli_store_close(options, store, code);
}

int cli_merge(const cli_options *options)
{
    cli_input input;
    grove_error error;
    grove_status status =
        cli_input_open(options->file, CLI_EXPORT_BYTES_MAX, &input, &error);
    if (status != GROVE_OK) {
        int code = cli_failed(&error, "read the export");
        return status == GROVE_IO ? CLI_INPUT : code;
    }
    int code = merge_input(options, &input);
    cli_input_release(&input);
    return code;
}
