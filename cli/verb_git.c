/* The verb import-git. */
#include "git_trace.h"
#include "make.h"

/* Reads the history; says why when it cannot, and returns an exit code. */
static int read_history(const cli_options *options, cli_trace *trace_out,
                        cli_git_facts *facts_out)
{
    cli_git git;
    grove_error error;
    grove_status status = cli_git_open(options->repository, options->file, &git, &error);
    if (status == GROVE_OK) {
        status = cli_git_trace(&git, trace_out, facts_out, &error);
        cli_git_close(&git);
    }
    if (status == GROVE_OK) {
        return CLI_OK;
    }
    int code = cli_failed(&error, "read the history of %s", options->file);
    return status == GROVE_IO ? CLI_INPUT : code;
}

int cli_import_git(const cli_options *options)
{
    cli_trace trace;
    cli_git_facts facts;
    double begin = cli_now_ms();
    int code = read_history(options, &trace, &facts);
    if (code != CLI_OK) {
        return code;
    }
    cli_making work = {.options = options,
                       .trace = &trace,
                       .doing = "import",
                       .end_is = "the file as it is in HEAD",
                       .facts = json_pack("{so, so, so, so}", "commits",
                                          cli_number(facts.commits), "authors",
                                          cli_number(trace.replica_count), "merges",
                                          cli_number(facts.merges), "edited_merges",
                                          cli_number(facts.edited)),
                       .trace_ms = cli_now_ms() - begin};
    code = work.facts == NULL ? cli_report(options, NULL) : cli_make(&work);
    json_decref(work.facts);
    cli_trace_release(&trace);
    return code;
}
