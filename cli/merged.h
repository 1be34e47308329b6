/*
 * What merging makes of a concurrent trace's texts, while the trace is made: a
 * document in memory takes its events as they come.
 */
#ifndef CLI_MERGED_H
#define CLI_MERGED_H

#include "open.h"
#include "runs.h"

typedef struct cli_merged {
    grove_store *store;
    grove_document *document;
    cli_runs runs;
} cli_merged;

/* The trace is borrowed until close. The caller closes *merged_out. Statuses
 * as grove_store_open and grove_document_open. */
grove_status cli_merged_open(cli_trace *trace, cli_merged *merged_out,
                             grove_error *error_out);

/* Accepts what is all zero. */
void cli_merged_close(cli_merged *merged);

/*
 * The text of the version that some transactions make together, which the
 * caller frees. Cost: the events since the last call, and, when others than
 * these transactions are heads of the trace, loading a version. Statuses as
 * cli_runs_next, grove_document_add, grove_document_save and
 * grove_document_load_version.
 */
grove_status cli_merged_text(cli_merged *merged, const size_t *transactions, size_t count,
                             char **text_out, size_t *bytes_out, grove_error *error_out);

#endif
