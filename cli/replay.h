/* Making the edits of a trace in a document. */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include "open.h"
#include "output.h"
#include "runs.h"

typedef struct cli_replay {
    cli_trace *trace;
    grove_document *document;
    /* The clock of the document's store: edits get the times of the trace. */
    cli_clock *clock;
    /* What the text must be in the end, for a message. */
    const char *end_is;
    /* Events of a save; 0: none is saved. */
    uint64_t batch;
    cli_progress *progress;
    /* Outcome, valid also after a failure. */
    uint64_t saves;
    uint64_t commit;
    double save_ms;
} cli_replay;

/*
 * Makes every patch in an empty text document, those of a sequential trace as
 * edits of the document's own replica; with a batch, saves after so many
 * events each, expecting that nobody else writes to the document. Statuses as
 * grove_text_insert, grove_document_add and grove_document_save.
 */
grove_status cli_replay_run(cli_replay *replay, grove_error *error_out);

/* Saves what is unsaved, as the batches before were saved. */
grove_status cli_replay_save(cli_replay *replay, grove_error *error_out);

/*
 * Whether the document's text is the trace's end text. GROVE_MALFORMED: it is
 * not; the error says from which character on.
 */
grove_status cli_replay_check(const cli_replay *replay, grove_error *error_out);

#endif
