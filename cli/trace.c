#include "trace.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"
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
    cli_trace_init(trace);
}

/*
 * Makes room for `more` items of `item_bytes` beside `count`; capacity doubles
 * so that a trace's growth costs what it holds.
 */
static bool make_room(void **items, size_t *capacity, size_t count, size_t more,
                      size_t item_bytes)
{
    if (more <= *capacity - count) {
        return true;
    }
    size_t items_max = SIZE_MAX / 2 / item_bytes;
    if (more > items_max - count) {
        return false;
    }
    size_t wanted = *capacity < 64 ? 64 : *capacity;
    while (wanted < count + more) {
        wanted *= 2;
    }
    void *grown = realloc(*items, wanted * item_bytes);
    if (grown == NULL) {
        return false;
    }
    *items = grown;
    *capacity = wanted;
    return true;
}

static bool grow(cli_trace *trace, size_t text_bytes)
{
    void *patches = trace->patches;
    void *text = trace->text;
    bool grown = make_room(&patches, &trace->patch_capacity, trace->patch_count, 1,
                           sizeof *trace->patches);
    trace->patches = patches;
    grown = grown &&
            make_room(&text, &trace->text_capacity, trace->text_bytes, text_bytes, 1);
    trace->text = text;
    return grown;
}

grove_status cli_trace_append(cli_trace *trace, const cli_patch *patch, const char *text,
                              grove_error *error_out)
{
    if (patch->position > trace->length) {
        return cli_fail(error_out, GROVE_INVALID,
                        "position %llu lies beyond the end of a text of %llu characters",
                        (unsigned long long)patch->position,
                        (unsigned long long)trace->length);
    }
    if (patch->deleted > trace->length - patch->position) {
        return cli_fail(error_out, GROVE_INVALID,
                        "deletes %llu characters at %llu of a text of %llu characters",
                        (unsigned long long)patch->deleted,
                        (unsigned long long)patch->position,
                        (unsigned long long)trace->length);
    }
    if (patch->deleted == 0 && patch->text_bytes == 0) {
        return GROVE_OK;
    }
    if (!grow(trace, patch->text_bytes)) {
        return cli_fail(error_out, GROVE_NO_MEMORY,
                        "out of memory after %zu patches of the trace",
                        trace->patch_count);
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
    trace->length += added->inserted - added->deleted;
    trace->events += added->inserted + added->deleted;
    return GROVE_OK;
}
