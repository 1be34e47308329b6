/*
 * Reading a trace. The file is hostile: jansson says whether a value is JSON;
 * every field is then checked before it is used, and a message names its
 * place. One transaction at a time is a tree; the rest is text.
 */
#include "trace.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "input.h"
#include "iso8601.h"
#include "utf8.h"

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

/* Everything about a transaction but its patches. */
static grove_status check_transaction(const json_t *item, place at,
                                      int64_t *timestamp_out, grove_error *error_out)
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
    if (!json_is_array(json_object_get(item, "patches"))) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "transaction %zu: no \"patches\" that is a list", at.transaction);
    }
    return read_time(item, at, timestamp_out, error_out);
}

static grove_status read_patches(cli_trace *trace, const json_t *item, int64_t timestamp,
                                 place at, grove_error *error_out)
{
    const json_t *patches = json_object_get(item, "patches");
    for (at.patch = 0; at.patch < json_array_size(patches); at.patch++) {
        grove_status status = read_patch(trace, json_array_get(patches, at.patch),
                                         timestamp, at, error_out);
        if (status != GROVE_OK) {
            return status;
        }
    }
    return GROVE_OK;
}

/* What of the file was read so far. */
typedef struct reading {
    cli_input input;
    cli_trace trace;
    /* Kept until the time of the first transaction is known. */
    json_t *start;
    bool has_end;
    bool has_transactions;
} reading;

static grove_status read_start(reading *in, grove_error *error_out)
{
    if (in->start != NULL || in->has_transactions) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "\"startContent\" stands twice, or after \"txns\"");
    }
    in->start = cli_input_value(&in->input, error_out);
    if (in->start == NULL) {
        return error_out->status;
    }
    if (!json_is_string(in->start)) {
        return cli_fail(error_out, GROVE_MALFORMED, "\"startContent\" is not a string");
    }
    return GROVE_OK;
}

/* A start content is text that was there when the first transaction began. */
static grove_status insert_start(reading *in, int64_t timestamp, grove_error *error_out)
{
    cli_patch patch = {.timestamp = timestamp};
    if (in->start == NULL) {
        return GROVE_OK;
    }
    patch.text_bytes = json_string_length(in->start);
    return cli_trace_append(&in->trace, &patch, json_string_value(in->start), error_out);
}

static grove_status read_end(reading *in, grove_error *error_out)
{
    if (in->has_end) {
        return cli_fail(error_out, GROVE_MALFORMED, "\"endContent\" stands twice");
    }
    in->has_end = true;
    json_t *end = cli_input_value(&in->input, error_out);
    if (end == NULL) {
        return error_out->status;
    }
    grove_status status = GROVE_OK;
    if (!json_is_string(end)) {
        status = cli_fail(error_out, GROVE_MALFORMED, "\"endContent\" is not a string");
    } else {
        in->trace.end_bytes = json_string_length(end);
        in->trace.end_text = malloc(in->trace.end_bytes + 1);
        if (in->trace.end_text == NULL) {
            status = cli_fail(error_out, GROVE_NO_MEMORY, "out of memory");
        } else {
            memcpy(in->trace.end_text, json_string_value(end), in->trace.end_bytes + 1);
        }
    }
    json_decref(end);
    return status;
}

static grove_status read_kind(reading *in, grove_error *error_out)
{
    json_t *kind = cli_input_value(&in->input, error_out);
    if (kind == NULL) {
        return error_out->status;
    }
    bool known =
        json_is_string(kind) && strcmp(json_string_value(kind), "sequential") == 0;
    json_decref(kind);
    return known ? GROVE_OK
                 : cli_fail(error_out, GROVE_MALFORMED,
                            "its \"kind\" is not \"sequential\": only sequential traces "
                            "can be read");
}

/* The next transaction; with the first comes what was there before. */
static grove_status read_next(reading *in, place at, grove_error *error_out)
{
    json_t *item = cli_input_value(&in->input, error_out);
    if (item == NULL) {
        return error_out->status;
    }
    int64_t timestamp = 0;
    grove_status status = check_transaction(item, at, &timestamp, error_out);
    if (status == GROVE_OK && at.transaction == 0) {
        status = insert_start(in, timestamp, error_out);
    }
    if (status == GROVE_OK) {
        status = read_patches(&in->trace, item, timestamp, at, error_out);
    }
    json_decref(item);
    return status;
}

static grove_status read_transactions(reading *in, grove_error *error_out)
{
    if (in->has_transactions) {
        return cli_fail(error_out, GROVE_MALFORMED, "\"txns\" stands twice");
    }
    in->has_transactions = true;
    if (!cli_input_take(&in->input, '[')) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "not an editing trace: \"txns\" is not a list");
    }
    if (cli_input_take(&in->input, ']')) {
        return insert_start(in, 0, error_out);
    }
    place at = {0, 0};
    do {
        grove_status status = read_next(in, at, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        at.transaction++;
    } while (cli_input_take(&in->input, ','));
    return cli_input_take(&in->input, ']')
               ? GROVE_OK
               : cli_input_unexpected(&in->input, "',' or ']'", error_out);
}

/* A value that nobody asked for. */
static grove_status pass_over(reading *in, grove_error *error_out)
{
    json_t *value = cli_input_value(&in->input, error_out);
    json_decref(value);
    return value == NULL ? error_out->status : GROVE_OK;
}

typedef grove_status (*read_value)(reading *in, grove_error *error_out);

/* Who reads the value of a field. */
static read_value reader_of(const char *name)
{
    static const struct {
        const char *name;
        read_value reader;
    } FIELDS[] = {{"startContent", read_start},
                  {"endContent", read_end},
                  {"txns", read_transactions},
                  {"kind", read_kind}};
    for (size_t index = 0; index < sizeof FIELDS / sizeof *FIELDS; index++) {
        if (strcmp(name, FIELDS[index].name) == 0) {
            return FIELDS[index].reader;
        }
    }
    return pass_over;
}

static grove_status read_field(reading *in, grove_error *error_out)
{
    json_t *name = cli_input_value(&in->input, error_out);
    if (name == NULL) {
        return error_out->status;
    }
    bool named = json_is_string(name);
    read_value reader = named ? reader_of(json_string_value(name)) : pass_over;
    json_decref(name);
    if (!named) {
        return cli_input_unexpected(&in->input, "a name", error_out);
    }
    if (!cli_input_take(&in->input, ':')) {
        return cli_input_unexpected(&in->input, "':'", error_out);
    }
    return reader(in, error_out);
}

static grove_status read_fields(reading *in, grove_error *error_out)
{
    if (!cli_input_take(&in->input, '{')) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "not an editing trace: it is not a JSON object");
    }
    if (!cli_input_take(&in->input, '}')) {
        do {
            grove_status status = read_field(in, error_out);
            if (status != GROVE_OK) {
                return status;
            }
        } while (cli_input_take(&in->input, ','));
        if (!cli_input_take(&in->input, '}')) {
            return cli_input_unexpected(&in->input, "',' or '}'", error_out);
        }
    }
    return cli_input_at_end(&in->input)
               ? GROVE_OK
               : cli_input_unexpected(&in->input, "the end", error_out);
}

/* What can be said only about the whole. */
static grove_status check_whole(const reading *in, grove_error *error_out)
{
    if (!in->has_transactions) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "not an editing trace: it has no \"txns\"");
    }
    if (!in->has_end) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "it has no \"endContent\", so the outcome cannot be checked");
    }
    uint64_t length = cli_utf8_length(in->trace.end_text, in->trace.end_bytes);
    if (length != in->trace.length) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "the patches leave %llu characters, but \"endContent\" has %llu",
                        (unsigned long long)in->trace.length, (unsigned long long)length);
    }
    return GROVE_OK;
}

grove_status cli_trace_read(const char *path, cli_trace *trace_out,
                            grove_error *error_out)
{
    reading in = {.start = NULL};
    grove_status status = cli_input_open(path, CLI_TRACE_BYTES_MAX, &in.input, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_error detail = {.message = ""};
    status = read_fields(&in, &detail);
    if (status == GROVE_OK) {
        status = check_whole(&in, &detail);
    }
    json_decref(in.start);
    cli_input_release(&in.input);
    if (status != GROVE_OK) {
        cli_trace_release(&in.trace);
        return cli_fail(error_out, status, "%s: %.200s", path, detail.message);
    }
    *trace_out = in.trace;
    return GROVE_OK;
}
