#include "merged.h"

#include <string.h>

#include "fail.h"

static grove_bytes document_id(void)
{
    return grove_bytes_of("merged");
}

grove_status cli_merged_open(cli_trace *trace, cli_merged *merged_out,
                             grove_error *error_out)
{
    cli_merged merged = {.store = NULL};
    grove_store_options in_memory = GROVE_STORE_OPTIONS_INIT;
    grove_document_options wanted = GROVE_DOCUMENT_OPTIONS_INIT;
    in_memory.backend = grove_backend_find("memory");
    wanted.type = grove_type_text();
    if (in_memory.backend == NULL) {
        return cli_fail(error_out, GROVE_UNSUPPORTED, "there is no backend in memory");
    }
    grove_status status =
        grove_store_open("merged", &in_memory, &merged.store, error_out);
    if (status == GROVE_OK) {
        status = grove_document_open(merged.store, document_id(), &wanted,
                                     &merged.document, error_out);
    }
    if (status == GROVE_OK) {
        status = cli_runs_init(&merged.runs, trace, error_out);
    }
    if (status != GROVE_OK) {
        cli_merged_close(&merged);
        return status;
    }
    *merged_out = merged;
    return GROVE_OK;
}

void cli_merged_close(cli_merged *merged)
{
    cli_runs_release(&merged->runs);
    grove_document_close(merged->document);
    grove_store_close(merged->store);
    memset(merged, 0, sizeof *merged);
}

/* Takes in the events that the trace has by now. */
static grove_status follow(cli_merged *merged, grove_error *error_out)
{
    grove_event_run run;
    grove_status status = cli_runs_next(&merged->runs, UINT64_MAX, &run, error_out);
    while (status == GROVE_OK) {
        status = grove_document_add(merged->document, &run, error_out);
        if (status == GROVE_OK) {
            status = cli_runs_next(&merged->runs, UINT64_MAX, &run, error_out);
        }
    }
    return status == GROVE_NONE ? GROVE_OK : status;
}

static bool same_version(const grove_version *a, const grove_version *b)
{
    bool is_same = a->head_count == b->head_count;
    for (size_t index = 0; is_same && index < a->head_count; index++) {
        const grove_event_id *of_a = &a->heads[index];
        const grove_event_id *of_b = &b->heads[index];
        is_same =
            of_a->sequence == of_b->sequence &&
            of_a->replica.size == of_b->replica.size &&
            memcmp(of_a->replica.bytes, of_b->replica.bytes, of_a->replica.size) == 0;
    }
    return is_same;
}

/* The text of a version that is in the past of the document's. */
static grove_status past_text(cli_merged *merged, const grove_version *version,
                              char **text_out, size_t *bytes_out, grove_error *error_out)
{
    grove_document *past = NULL;
    grove_status status = grove_document_save(merged->document, NULL, NULL, error_out);
    if (status == GROVE_OK) {
        status = grove_document_load_version(merged->store, document_id(), version, NULL,
                                             &past, error_out);
    }
    if (status == GROVE_OK) {
        status = cli_document_text(past, text_out, bytes_out, error_out);
        grove_document_close(past);
    }
    return status;
}

grove_status cli_merged_text(cli_merged *merged, const size_t *transactions, size_t count,
                             char **text_out, size_t *bytes_out, grove_error *error_out)
{
    grove_version wanted = {NULL, 0};
    grove_version newest = {NULL, 0};
    grove_status status = follow(merged, error_out);
    if (status == GROVE_OK) {
        status = cli_runs_version(&merged->runs, transactions, count, &wanted.heads,
                                  &wanted.head_count, error_out);
    }
    if (status == GROVE_OK) {
        status = grove_document_version(merged->document, &newest, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    return same_version(&wanted, &newest)
               ? cli_document_text(merged->document, text_out, bytes_out, error_out)
               : past_text(merged, &wanted, text_out, bytes_out, error_out);
}
