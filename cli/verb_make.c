/* The verbs that make documents: import and generate. */
#include <stdio.h>
#include <string.h>

#include "make.h"
#include "session.h"

/* The exit code for a trace or for names that could not be read. */
static int read_failed(const grove_error *error, const char *what)
{
    int code = cli_failed(error, "read the %s", what);
    bool is_unusable = error->status == GROVE_IO || error->status == GROVE_INVALID;
    return is_unusable ? CLI_INPUT : code;
}

int cli_import(const cli_options *options)
{
    cli_trace trace;
    grove_error error;
    double begin = cli_now_ms();
    if (cli_trace_read(options->file, &trace, &error) != GROVE_OK) {
        return read_failed(&error, "trace");
    }
    int code = CLI_OK;
    if (options->agents != NULL &&
        cli_trace_name_agents(&trace, options->agents, &error) != GROVE_OK) {
        code = read_failed(&error, "names of the agents");
    }
    cli_making work = {.options = options,
                       .trace = &trace,
                       .doing = "import",
                       .end_is = "the trace's \"endContent\"",
                       .trace_ms = cli_now_ms() - begin};
    if (code == CLI_OK) {
        code = cli_make(&work);
    }
    cli_trace_release(&trace);
    return code;
}

static int write_out(const cli_options *options, const cli_trace *trace, double trace_ms)
{
    grove_error error;
    if (cli_trace_write(trace, options->out, &error) != GROVE_OK) {
        return cli_failed(&error, "write the trace");
    }
    return cli_report(options,
                      json_pack("{ss, so, so, so, sf}", "file", options->out, "events",
                                cli_number(trace->events), "characters",
                                cli_number(trace->length), "patches",
                                cli_number(trace->patch_count), "trace_ms", trace_ms));
}

int cli_generate(const cli_options *options)
{
    cli_session_options wanted = {options->events, options->seed,
                                  options->has_final
                                      ? options->final_length
                                      : cli_session_final_length(options->events)};
    cli_trace trace;
    grove_error error;
    double begin = cli_now_ms();
    if (cli_session_make(&wanted, &trace, &error) != GROVE_OK) {
        int code = cli_failed(&error, "make a session");
        return error.status == GROVE_INVALID ? CLI_USAGE : code;
    }
    cli_making work = {.options = options,
                       .trace = &trace,
                       .doing = "generate",
                       .end_is = "the session's text",
                       .trace_ms = cli_now_ms() - begin};
    /* The same seed gives the same events, their ids included. */
    work.replica.size =
        (uint8_t)snprintf((char *)work.replica.bytes, sizeof work.replica.bytes,
                          "generate %llu", (unsigned long long)options->seed);
    int code = options->out != NULL ? write_out(options, &trace, work.trace_ms)
                                    : cli_make(&work);
    cli_trace_release(&trace);
    return code;
}
