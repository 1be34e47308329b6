/* Traces as C strings, for tests. */
#ifndef TESTS_CLI_TRACE_TEXT_H
#define TESTS_CLI_TRACE_TEXT_H

#include "temporary.h"
#include "trace.h"

#define TIME "\"time\":\"2021-04-19T06:06:58.219Z\""
#define TRACE(end, txns) \
    "{\"startContent\":\"\",\"endContent\":\"" end "\",\"txns\":[" txns "]}"
#define TXN(patches) "{" TIME ",\"patches\":[" patches "]}"
#define CONCURRENT(end, txns) \
    "{\"kind\":\"concurrent\",\"endContent\":\"" end "\",\"txns\":[" txns "]}"
#define BRANCH(agent, parents, patches) \
    "{" TIME ",\"agent\":" agent ",\"parents\":[" parents "],\"patches\":[" patches "]}"

/* Reads a trace from a file with that text. */
static inline grove_status trace_of_text(const char *json, cli_trace *trace,
                                         grove_error *error)
{
    temporary file = temporary_of("trace.json");
    temporary_write(&file, json, strlen(json));
    grove_status status = cli_trace_read(file.path, trace, error);
    temporary_release(&file);
    return status;
}

#endif
