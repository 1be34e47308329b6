/*
 * Reading a trace. The file is hostile: jansson says whether a value is JSON;
 * every field is then checked before it is used, and a message names its
 * place. One transaction at a time is a tree; the rest is text.
 */
#include "trace.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "grow.h"
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

/* Everything about a transaction but its patches and parents. */
static grove_status check_transaction(const json_t *item, place at,
                                      int64_t *timestamp_out, grove_error *error_out)
{
    if (!json_is_object(item)) {
        return cli_fail(error_out, GROVE_MALFORMED, "transaction %zu is not an object",
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

/* What a trace is; the first thing that tells decides. */
typedef enum form { FORM_UNKNOWN, FORM_SEQUENTIAL, FORM_CONCURRENT } form;

/* What of the file was read so far. */
typedef struct reading {
    cli_input input;
    cli_trace trace;
    form form;
    /* Kept until the time of the first transaction is known. */
    json_t *start;
    bool has_end;
    bool has_transactions;
    /* What "numAgents" says; UINT64_MAX without it. */
    uint64_t agent_count;
    uint64_t agent_end; /* one past the greatest agent of a transaction */
    /* The parents of a transaction. */
    size_t *parents;
    size_t parent_capacity;
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
    grove_status status =
        json_is_string(end)
            ? cli_trace_set_end(&in->trace, json_string_value(end),
                                json_string_length(end), error_out)
            : cli_fail(error_out, GROVE_MALFORMED, "\"endContent\" is not a string");
    json_decref(end);
    return status;
}

static grove_status read_kind(reading *in, grove_error *error_out)
{
    json_t *kind = cli_input_value(&in->input, error_out);
    if (kind == NULL) {
        return error_out->status;
    }
    const char *name = json_is_string(kind) ? json_string_value(kind) : "";
    form said = strcmp(name, "sequential") == 0   ? FORM_SEQUENTIAL
                : strcmp(name, "concurrent") == 0 ? FORM_CONCURRENT
                                                  : FORM_UNKNOWN;
    json_decref(kind);
    if (said == FORM_UNKNOWN) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "its \"kind\" is neither \"sequential\" nor \"concurrent\"");
    }
    if (in->form != FORM_UNKNOWN && in->form != said) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "its \"kind\" is not what its transactions are");
    }
    in->form = said;
    return GROVE_OK;
}

static grove_status read_agent_count(reading *in, grove_error *error_out)
{
    json_t *count = cli_input_value(&in->input, error_out);
    if (count == NULL) {
        return error_out->status;
    }
    bool is_number = number_of(count, &in->agent_count);
    json_decref(count);
    return is_number ? GROVE_OK
                     : cli_fail(error_out, GROVE_MALFORMED,
                                "\"numAgents\" is not a whole number from 0 on");
}

static grove_status read_parents(reading *in, const json_t *list, place at,
                                 size_t *count_out, grove_error *error_out)
{
    size_t count = json_array_size(list);
    size_t *parents =
        cli_grow(in->parents, &in->parent_capacity, 0, count, sizeof *parents);
    if (parents == NULL) {
        return cli_fail(error_out, GROVE_NO_MEMORY, "out of memory");
    }
    in->parents = parents;
    for (size_t index = 0; index < count; index++) {
        uint64_t parent = 0;
        if (!number_of(json_array_get(list, index), &parent) ||
            parent >= at.transaction) {
            return cli_fail(error_out, GROVE_MALFORMED,
                            "transaction %zu: its parent %zu is no transaction before it",
                            at.transaction, index);
        }
        parents[index] = (size_t)parent;
    }
    *count_out = count;
    return GROVE_OK;
}

/* Begins a transaction of a concurrent trace. Its replica is the agent's
 * number until all agents are known. */
static grove_status begin_transaction(reading *in, const json_t *item, place at,
                                      grove_error *error_out)
{
    const json_t *parents = json_object_get(item, "parents");
    uint64_t agent = 0;
    size_t parent_count = 0;
    if (!json_is_array(parents)) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "transaction %zu: no \"parents\" that is a list, in a concurrent "
                        "trace",
                        at.transaction);
    }
    if (!number_of(json_object_get(item, "agent"), &agent)) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "transaction %zu: no \"agent\" that is a whole number from 0 on",
                        at.transaction);
    }
    if (agent >= CLI_TRACE_REPLICAS_MAX) {
        return cli_fail(error_out, GROVE_LIMIT,
                        "transaction %zu: agent %llu; they are numbers below %d",
                        at.transaction, (unsigned long long)agent,
                        (int)CLI_TRACE_REPLICAS_MAX);
    }
    in->agent_end = agent >= in->agent_end ? agent + 1 : in->agent_end;
    grove_status status = read_parents(in, parents, at, &parent_count, error_out);
    return status == GROVE_OK ? cli_trace_begin(&in->trace, (uint32_t)agent, in->parents,
                                                parent_count, error_out)
                              : status;
}

/* Finds out what the trace is, and begins a transaction. */
static grove_status place_transaction(reading *in, const json_t *item, place at,
                                      int64_t timestamp, grove_error *error_out)
{
    bool has_parents = json_object_get(item, "parents") != NULL;
    if (in->form == FORM_UNKNOWN) {
        in->form = has_parents ? FORM_CONCURRENT : FORM_SEQUENTIAL;
    }
    if (in->form == FORM_CONCURRENT) {
        return begin_transaction(in, item, at, error_out);
    }
    if (has_parents) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "transaction %zu has parents, in a sequential trace",
                        at.transaction);
    }
    return at.transaction == 0 ? insert_start(in, timestamp, error_out) : GROVE_OK;
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
    if (status == GROVE_OK) {
        status = place_transaction(in, item, at, timestamp, error_out);
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
                  {"kind", read_kind},
                  {"numAgents", read_agent_count}};
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

static grove_status check_sequential(const reading *in, uint64_t length,
                                     grove_error *error_out)
{
    return length == in->trace.length
               ? GROVE_OK
               : cli_fail(error_out, GROVE_MALFORMED,
                          "the patches leave %llu characters, but \"endContent\" has "
                          "%llu",
                          (unsigned long long)in->trace.length,
                          (unsigned long long)length);
}

/* The agents' numbers become replicas. */
static grove_status number_agents(reading *in, grove_error *error_out)
{
    if (in->start != NULL && json_string_length(in->start) > 0) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "a \"startContent\" that is not empty, in a concurrent trace");
    }
    if (in->agent_end > in->agent_count) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "there is an agent %llu, but \"numAgents\" is %llu",
                        (unsigned long long)in->agent_end - 1,
                        (unsigned long long)in->agent_count);
    }
    grove_status status = GROVE_OK;
    for (uint64_t agent = 0; status == GROVE_OK && agent < in->agent_end; agent++) {
        grove_replica replica;
        uint32_t index = 0;
        replica.size = (uint8_t)snprintf((char *)replica.bytes, sizeof replica.bytes,
                                         "%llu", (unsigned long long)agent);
        status = cli_trace_replica(&in->trace, &replica, &index, error_out);
    }
    return status;
}

/* What can be said only about the whole. */
static grove_status check_whole(reading *in, grove_error *error_out)
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
    grove_status status = in->form == FORM_CONCURRENT
                              ? number_agents(in, error_out)
                              : check_sequential(in, length, error_out);
    in->trace.length = length;
    return status;
}

grove_status cli_trace_read(const char *path, cli_trace *trace_out,
                            grove_error *error_out)
{
    reading in = {.agent_count = UINT64_MAX};
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
    free(in.parents);
    cli_input_release(&in.input);
    if (status != GROVE_OK) {
        cli_trace_release(&in.trace);
        return cli_fail(error_out, status, "%s: %.200s", path, detail.message);
    }
    *trace_out = in.trace;
    return GROVE_OK;
}
