/* The names of a concurrent trace's agents. The file is hostile. */
#include "trace.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "input.h"

/* More than the greatest names take when each byte of them is escaped. */
enum { NAMES_BYTES_MAX = CLI_TRACE_REPLICAS_MAX * 1024 };

static grove_status read_name(const json_t *names, size_t agent, grove_replica *name_out,
                              grove_error *error_out)
{
    const json_t *name = json_array_get(names, agent);
    if (name == NULL) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "there is an agent %zu, but only %zu names", agent,
                        json_array_size(names));
    }
    size_t bytes = json_is_string(name) ? json_string_length(name) : 0;
    if (bytes == 0 || bytes > GROVE_REPLICA_BYTES_MAX) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "name %zu is not a string of 1 to %d bytes", agent,
                        GROVE_REPLICA_BYTES_MAX);
    }
    name_out->size = (uint8_t)bytes;
    memcpy(name_out->bytes, json_string_value(name), bytes);
    return GROVE_OK;
}

/* Finds the replica of each agent among new ones, which are gathered in a
 * trace of their own. */
static grove_status read_names(const json_t *names, size_t agent_count,
                               uint32_t *replica_of, cli_trace *named,
                               grove_error *error_out)
{
    if (!json_is_array(names)) {
        return cli_fail(error_out, GROVE_MALFORMED, "it is not a list of names");
    }
    grove_status status = GROVE_OK;
    for (size_t agent = 0; status == GROVE_OK && agent < agent_count; agent++) {
        grove_replica name;
        status = read_name(names, agent, &name, error_out);
        if (status == GROVE_OK) {
            status = cli_trace_replica(named, &name, &replica_of[agent], error_out);
        }
    }
    return status;
}

/* Puts new replicas into the place of the old ones. */
static void rename_agents(cli_trace *trace, const uint32_t *replica_of, cli_trace *named)
{
    for (size_t index = 0; index < trace->transaction_count; index++) {
        uint32_t *replica = &trace->transactions[index].replica;
        *replica = replica_of[*replica];
    }
    free(trace->replicas);
    trace->replicas = named->replicas;
    trace->replica_count = named->replica_count;
    trace->replica_capacity = named->replica_capacity;
    named->replicas = NULL;
}

/* The only value of a file. */
static grove_status read_value(cli_input *input, json_t **value_out,
                               grove_error *error_out)
{
    *value_out = cli_input_value(input, error_out);
    if (*value_out == NULL) {
        return error_out->status;
    }
    return cli_input_at_end(input) ? GROVE_OK
                                   : cli_input_unexpected(input, "the end", error_out);
}

static grove_status name_agents(cli_trace *trace, cli_input *input,
                                grove_error *error_out)
{
    json_t *names = NULL;
    cli_trace named;
    cli_trace_init(&named);
    uint32_t *replica_of = calloc(trace->replica_count, sizeof *replica_of);
    grove_status status = replica_of == NULL
                              ? cli_fail(error_out, GROVE_NO_MEMORY, "out of memory")
                              : read_value(input, &names, error_out);
    if (status == GROVE_OK) {
        status = read_names(names, trace->replica_count, replica_of, &named, error_out);
    }
    if (status == GROVE_OK) {
        rename_agents(trace, replica_of, &named);
    }
    json_decref(names);
    free(replica_of);
    cli_trace_release(&named);
    return status;
}

grove_status cli_trace_name_agents(cli_trace *trace, const char *path,
                                   grove_error *error_out)
{
    if (trace->transaction_count == 0) {
        return cli_fail(error_out, GROVE_INVALID,
                        "the trace is sequential: it has no agents that %s could name",
                        path);
    }
    cli_input input;
    grove_status status = cli_input_open(path, NAMES_BYTES_MAX, &input, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_error detail = {.message = ""};
    status = name_agents(trace, &input, &detail);
    cli_input_release(&input);
    return status == GROVE_OK
               ? GROVE_OK
               : cli_fail(error_out, status, "%s: %.200s", path, detail.message);
}
