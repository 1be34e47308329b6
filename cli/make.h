/* A trace becomes a new document. */
#ifndef CLI_MAKE_H
#define CLI_MAKE_H

#include "replay.h"

/* Where a document comes from, and what it costs. */
typedef struct cli_making {
    const cli_options *options;
    cli_trace *trace;
    /* Of a sequential trace; size 0: a fresh one. */
    grove_replica replica;
    /* A verb, and what the edits must end in, for messages. */
    const char *doing;
    const char *end_is;
    /* What the report says beside, an object; NULL: nothing. Borrowed. */
    json_t *facts;
    double trace_ms;
    double edit_ms;
    cli_clock clock;
    cli_replay replay;
    cli_progress progress;
} cli_making;

/*
 * Makes the document that the options name in their store, of which there is
 * none yet, and reports. What the edits end in is compared before anything is
 * saved. Says why when it cannot; returns an exit code.
 */
int cli_make(cli_making *work);

#endif
