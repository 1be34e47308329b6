/* A store to measure in, which goes when the work is done. */
#ifndef CLI_SCRATCH_H
#define CLI_SCRATCH_H

#include "open.h"

typedef struct cli_scratch {
    char *path;
    grove_store *store;
} cli_scratch;

/*
 * Opens an empty store beside the one that the options name, so that it lies
 * on the same disk, with their backend and durability. On failure says why
 * and returns the exit code.
 */
int cli_scratch_open(const cli_options *options, cli_clock *clock,
                     cli_scratch *scratch_out);

/* Closes and removes it. Returns `code`, or the code of what failed. */
int cli_scratch_close(cli_scratch *scratch, int code);

#endif
