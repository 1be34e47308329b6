#include "trace.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "grow.h"
#include "utf8.h"

void cli_trace_init(cli_trace *trace)
{
    memset(trace, 0, sizeof *trace);
}

void cli_trace_release(cli_trace *trace)
{
    free(trace->patches);
    free(trace->text);
    free(trace->end_text);
    free(trace->transactions);
    free(trace->replicas);
    cli_ancestry_release(&trace->ancestry);
    cli_trace_init(trace);
}

static grove_status out_of_memory(const cli_trace *trace, grove_error *error_out)
{
    return cli_fail(error_out, GROVE_NO_MEMORY,
                    "out of memory after %zu patches of the trace", trace->patch_count);
}

static bool make_room(cli_trace *trace, size_t text_bytes)
{
    cli_patch *patches = cli_grow(trace->patches, &trace->patch_capacity,
                                  trace->patch_count, 1, sizeof *patches);
    trace->patches = patches == NULL ? trace->patches : patches;
    char *text =
        cli_grow(trace->text, &trace->text_capacity, trace->text_bytes, text_bytes, 1);
    trace->text = text == NULL ? trace->text : text;
    return patches != NULL && text != NULL;
}

/* A patch lies within the text; of merged texts only a bound is known. */
static grove_status check_range(const cli_trace *trace, const cli_patch *patch,
                                grove_error *error_out)
{
    bool is_exact = trace->transaction_count == 0;
    uint64_t length = is_exact ? trace->length : trace->inserted;
    const char *most = is_exact ? "" : "at most ";
    if (patch->position > length) {
        return cli_fail(
            error_out, GROVE_INVALID,
            "position %llu lies beyond the end of a text of %s%llu characters",
            (unsigned long long)patch->position, most, (unsigned long long)length);
    }
    if (patch->deleted > length - patch->position) {
        return cli_fail(error_out, GROVE_INVALID,
                        "deletes %llu characters at %llu of a text of %s%llu characters",
                        (unsigned long long)patch->deleted,
                        (unsigned long long)patch->position, most,
                        (unsigned long long)length);
    }
    return GROVE_OK;
}

grove_status cli_trace_append(cli_trace *trace, const cli_patch *patch, const char *text,
                              grove_error *error_out)
{
    grove_status status = check_range(trace, patch, error_out);
    if (status != GROVE_OK || (patch->deleted == 0 && patch->text_bytes == 0)) {
        return status;
    }
    if (!make_room(trace, patch->text_bytes)) {
        return out_of_memory(trace, error_out);
    }
    cli_patch *added = &trace->patches[trace->patch_count];
    *added = *patch;
    added->text_offset = trace->text_bytes;
    added->inserted = cli_utf8_length(text, patch->text_bytes);
    if (patch->text_bytes > 0) {
        memcpy(trace->text + trace->text_bytes, text, patch->text_bytes);
    }
    trace->patch_count++;
    trace->text_bytes += patch->text_bytes;
    trace->inserted += added->inserted;
    trace->events += added->inserted + added->deleted;
    if (trace->transaction_count == 0) {
        trace->length += added->inserted - added->deleted;
    } else {
        size_t last = trace->transaction_count - 1;
        trace->transactions[last].patch_end = trace->patch_count;
        cli_ancestry_fill(&trace->ancestry, last);
    }
    return GROVE_OK;
}

grove_status cli_trace_begin(cli_trace *trace, uint32_t replica, const size_t *parents,
                             size_t parent_count, grove_error *error_out)
{
    cli_transaction *transactions =
        cli_grow(trace->transactions, &trace->transaction_capacity,
                 trace->transaction_count, 1, sizeof *transactions);
    if (transactions == NULL) {
        return out_of_memory(trace, error_out);
    }
    trace->transactions = transactions;
    grove_status status =
        cli_ancestry_add(&trace->ancestry, parents, parent_count, error_out);
    if (status == GROVE_OK) {
        transactions[trace->transaction_count++] =
            (cli_transaction){trace->patch_count, replica};
    }
    return status;
}

grove_status cli_trace_replica(cli_trace *trace, const grove_replica *replica,
                               uint32_t *index_out, grove_error *error_out)
{
    for (size_t index = 0; index < trace->replica_count; index++) {
        const grove_replica *known = &trace->replicas[index];
        if (known->size == replica->size &&
            memcmp(known->bytes, replica->bytes, replica->size) == 0) {
            *index_out = (uint32_t)index;
            return GROVE_OK;
        }
    }
    if (trace->replica_count == CLI_TRACE_REPLICAS_MAX) {
        return cli_fail(error_out, GROVE_LIMIT, "more than %d replicas",
                        (int)CLI_TRACE_REPLICAS_MAX);
    }
    grove_replica *replicas = cli_grow(trace->replicas, &trace->replica_capacity,
                                       trace->replica_count, 1, sizeof *replicas);
    if (replicas == NULL) {
        return out_of_memory(trace, error_out);
    }
    trace->replicas = replicas;
    replicas[trace->replica_count] = *replica;
    *index_out = (uint32_t)trace->replica_count++;
    return GROVE_OK;
}

grove_status cli_trace_set_end(cli_trace *trace, const char *text, size_t bytes,
                               grove_error *error_out)
{
    char *copy = malloc(bytes + 1);
    if (copy == NULL) {
        return out_of_memory(trace, error_out);
    }
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    free(trace->end_text);
    trace->end_text = copy;
    trace->end_bytes = bytes;
    return GROVE_OK;
}
