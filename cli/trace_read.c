/*
 * Reading a trace. The file is hostile: jansson says whether it is JSON; every
 * field is then checked before it is used, and a message names its place.
 */
#include "trace.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fail.h"
#include "iso8601.h"
#include "utf8.h"

/* A file that is handed to jansson piece by piece. */
typedef struct source {
    gzFile file;
    uint64_t bytes;
    bool too_large;
} source;

/* jansson's callback: the next bytes, 0 at the end, -1 to give up. */
static size_t source_read(void *buffer, size_t bytes, void *context)
{
    source *from = context;
    int got = gzread(from->file, buffer, (unsigned)bytes);
    if (got < 0) {
        return (size_t)-1;
    }
    from->bytes += (uint64_t)got;
    if (from->bytes > CLI_TRACE_BYTES_MAX) {
        from->too_large = true;
        return (size_t)-1;
    }
    return (size_t)got;
}

/*
 * Whether the whole file went through: its compression ends soundly, and its
 * size is bearable. jansson takes a failed read for the end of the text.
 */
static grove_status check_source(const source *from, const char *path,
                                 grove_error *error_out)
{
    int code = Z_OK;
    const char *reason = gzerror(from->file, &code);
    if (from->too_large) {
        return cli_fail(error_out, GROVE_LIMIT, "%s holds more than %llu bytes of JSON",
                        path, (unsigned long long)CLI_TRACE_BYTES_MAX);
    }
    switch (code) {
    case Z_OK:
    case Z_STREAM_END:
        return GROVE_OK;
    case Z_MEM_ERROR:
        return cli_fail(error_out, GROVE_NO_MEMORY, "out of memory reading %s", path);
    case Z_ERRNO:
        return cli_fail(error_out, GROVE_IO, "%s", reason);
    default:
        return cli_fail(error_out, GROVE_MALFORMED, "damaged or cut short: %s", reason);
    }
}

/* What jansson found wrong. */
static grove_status parse_failure(const char *path, const json_error_t *detail,
                                  grove_error *error_out)
{
    /* Of most failed allocations jansson says nothing at all. */
    if (detail->text[0] == '\0' || json_error_code(detail) == json_error_out_of_memory) {
        return cli_fail(error_out, GROVE_NO_MEMORY, "out of memory reading %s", path);
    }
    return cli_fail(error_out, GROVE_MALFORMED,
                    "%s is not JSON as it should be: line %d, column %d: %s", path,
                    detail->line, detail->column, detail->text);
}

static grove_status read_json(const char *path, json_t **root_out, grove_error *error_out)
{
    errno = 0;
    source from = {gzopen(path, "rb"), 0, false};
    if (from.file == NULL) {
        return errno == 0
                   ? cli_fail(error_out, GROVE_NO_MEMORY, "out of memory opening %s",
                              path)
                   : cli_fail(error_out, GROVE_IO, "%s: %s", path, strerror(errno));
    }
    json_error_t detail;
    json_t *root = json_load_callback(source_read, &from,
                                      JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &detail);
    grove_status status = check_source(&from, path, error_out);
    if (status == GROVE_OK && root == NULL) {
        status = parse_failure(path, &detail, error_out);
    }
    (void)gzclose_r(from.file);
    if (status == GROVE_OK) {
        *root_out = root;
    } else {
        json_decref(root);
    }
    return status;
}

/* Where in the trace a fault lies, for messages. */
typedef struct place {
    size_t transaction;
    size_t patch;
} place;

/* A whole number of a patch that is at least 0. */
static bool number_of(const json_t *value, uint64_t *number_out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return false;
    }
    *number_out = (uint64_t)json_integer_value(value);
    return true;
}

static grove_status read_patch(cli_trace *trace, const json_t *item, int64_t timestamp,
                               place at, grove_error *error_out)
{
    if (!json_is_array(item) || json_array_size(item) != 3) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "transaction %zu, patch %zu: not a list of position, deleted "
                        "count and inserted text",
                        at.transaction, at.patch);
    }
    const json_t *inserted = json_array_get(item, 2);
    cli_patch patch = {.timestamp = timestamp};
    if (!number_of(json_array_get(item, 0), &patch.position)) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "transaction %zu, patch %zu: the position is not a whole number "
                        "from 0 on",
                        at.transaction, at.patch);
    }
    if (!number_of(json_array_get(item, 1), &patch.deleted)) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "transaction %zu, patch %zu: the deleted count is not a whole "
                        "number from 0 on",
                        at.transaction, at.patch);
    }
    if (!json_is_string(inserted)) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "transaction %zu, patch %zu: the inserted text is not a string",
                        at.transaction, at.patch);
    }
    patch.text_bytes = json_string_length(inserted);
    grove_error detail;
    grove_status status =
        cli_trace_append(trace, &patch, json_string_value(inserted), &detail);
    if (status == GROVE_OK) {
        return GROVE_OK;
    }
    return cli_fail(error_out, status == GROVE_INVALID ? GROVE_MALFORMED : status,
                    "transaction %zu, patch %zu: %.180s", at.transaction, at.patch,
                    detail.message);
}

static grove_status read_time(const json_t *item, place at, int64_t *timestamp_out,
                              grove_error *error_out)
{
    const json_t *time = json_object_get(item, "time");
    if (time == NULL) {
        time = json_object_get(item, "timestamp");
    }
    if (!json_is_string(time)) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "transaction %zu: no \"time\" or \"timestamp\" that is a string",
                        at.transaction);
    }
    if (!cli_time_parse(json_string_value(time), json_string_length(time),
                        timestamp_out)) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "transaction %zu: \"%.40s\" is not a time such as "
                        "2021-04-19T06:06:58.219Z",
                        at.transaction, json_string_value(time));
    }
    return GROVE_OK;
}

static grove_status read_transaction(cli_trace *trace, const json_t *item, place at,
                                     grove_error *error_out)
{
    if (!json_is_object(item)) {
        return cli_fail(error_out, GROVE_MALFORMED, "transaction %zu is not an object",
                        at.transaction);
    }
    if (json_object_get(item, "parents") != NULL) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "transaction %zu has parents: only sequential traces can be read",
                        at.transaction);
    }
    int64_t timestamp = 0;
    grove_status status = read_time(item, at, &timestamp, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    const json_t *patches = json_object_get(item, "patches");
    if (!json_is_array(patches)) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "transaction %zu: no \"patches\" that is a list", at.transaction);
    }
    for (at.patch = 0; at.patch < json_array_size(patches); at.patch++) {
        status = read_patch(trace, json_array_get(patches, at.patch), timestamp, at,
                            error_out);
        if (status != GROVE_OK) {
            return status;
        }
    }
    return GROVE_OK;
}

/* A start content is text that was there when the first transaction began. */
static grove_status read_start(cli_trace *trace, const json_t *root, const json_t *txns,
                               grove_error *error_out)
{
    const json_t *start = json_object_get(root, "startContent");
    if (start == NULL) {
        return GROVE_OK;
    }
    if (!json_is_string(start)) {
        return cli_fail(error_out, GROVE_MALFORMED, "\"startContent\" is not a string");
    }
    cli_patch patch = {.text_bytes = json_string_length(start)};
    if (patch.text_bytes > 0 && json_array_size(txns) > 0) {
        grove_status status = read_time(json_array_get(txns, 0), (place){0, 0},
                                        &patch.timestamp, error_out);
        if (status != GROVE_OK) {
            return status;
        }
    }
    return cli_trace_append(trace, &patch, json_string_value(start), error_out);
}

static grove_status read_end(cli_trace *trace, const json_t *root, grove_error *error_out)
{
    const json_t *end = json_object_get(root, "endContent");
    if (!json_is_string(end)) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "no \"endContent\" that is a string, so the outcome cannot be "
                        "checked");
    }
    size_t bytes = json_string_length(end);
    uint64_t length = cli_utf8_length(json_string_value(end), bytes);
    if (length != trace->length) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "the patches leave %llu characters, but \"endContent\" has %llu",
                        (unsigned long long)trace->length, (unsigned long long)length);
    }
    trace->end_text = malloc(bytes + 1);
    if (trace->end_text == NULL) {
        return cli_fail(error_out, GROVE_NO_MEMORY, "out of memory reading the trace");
    }
    memcpy(trace->end_text, json_string_value(end), bytes + 1);
    trace->end_bytes = bytes;
    return GROVE_OK;
}

static grove_status read_root(cli_trace *trace, const json_t *root,
                              grove_error *error_out)
{
    if (!json_is_object(root)) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "not an editing trace: the JSON is not an object");
    }
    const json_t *kind = json_object_get(root, "kind");
    if (kind != NULL &&
        (!json_is_string(kind) || strcmp(json_string_value(kind), "sequential") != 0)) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "its \"kind\" is not \"sequential\": only sequential traces can "
                        "be read");
    }
    const json_t *txns = json_object_get(root, "txns");
    if (!json_is_array(txns)) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "not an editing trace: no \"txns\" that is a list");
    }
    grove_status status = read_start(trace, root, txns, error_out);
    place at = {0, 0};
    while (status == GROVE_OK && at.transaction < json_array_size(txns)) {
        status =
            read_transaction(trace, json_array_get(txns, at.transaction), at, error_out);
        at.transaction++;
    }
    return status == GROVE_OK ? read_end(trace, root, error_out) : status;
}

grove_status cli_trace_read(const char *path, cli_trace *trace_out,
                            grove_error *error_out)
{
    json_t *root = NULL;
    grove_status status = read_json(path, &root, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    cli_trace trace;
    cli_trace_init(&trace);
    grove_error detail;
    status = read_root(&trace, root, &detail);
    json_decref(root);
    if (status != GROVE_OK) {
        cli_trace_release(&trace);
        return cli_fail(error_out, status, "%s: %.200s", path, detail.message);
    }
    *trace_out = trace;
    return GROVE_OK;
}
