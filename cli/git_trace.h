/* A file's git history as a concurrent trace. */
#ifndef CLI_GIT_TRACE_H
#define CLI_GIT_TRACE_H

#include "git.h"
#include "trace.h"

/* What a history consists of. */
typedef struct cli_git_facts {
    uint64_t commits; /* that changed the file, or merged changes of it */
    uint64_t merges;  /* of them, those that brought branches together */
    uint64_t edited;  /* of these, those whose text is not what merging makes */
} cli_git_facts;

/*
 * Makes a transaction of each commit that changed the file or brought changes
 * of it together, with the nearest such commits before it as parents and its
 * author as replica; the trace ends in the file's text in HEAD. The caller
 * releases *trace_out.
 *
 * A merge has what its text differs from what libgrove makes of its parents'
 * texts as its patches, which may be none.
 *
 * Statuses as cli_git_text, cli_difference_append and cli_merged_text.
 */
grove_status cli_git_trace(const cli_git *git, cli_trace *trace_out,
                           cli_git_facts *facts_out, grove_error *error_out);

#endif
