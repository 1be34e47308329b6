#include "scratch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "directory.h"
#include "output.h"

static const char SUFFIX[] = ".bench-XXXXXX";

int cli_scratch_open(const cli_options *options, cli_clock *clock,
                     cli_scratch *scratch_out)
{
    cli_scratch scratch = {cli_directory_make(options->store_path, SUFFIX), NULL};
    if (scratch.path == NULL) {
        return cli_refuse(
            CLI_FAILURE,
            "cannot make a scratch store beside %s: %s; give a place for it "
            "with --store",
            options->store_path, strerror(errno));
    }
    cli_options there = *options;
    there.store_path = scratch.path;
    int code = cli_store_open(&there, false, clock, &scratch.store);
    if (code != CLI_OK) {
        (void)cli_directory_remove(scratch.path);
        free(scratch.path);
        return code;
    }
    *scratch_out = scratch;
    return CLI_OK;
}

int cli_scratch_close(cli_scratch *scratch, int code)
{
    grove_store_close(scratch->store);
    int removed = cli_directory_remove(scratch->path);
    free(scratch->path);
    return code == CLI_OK ? removed : code;
}
