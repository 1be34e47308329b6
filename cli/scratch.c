#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"

static const char SUFFIX[] = ".bench-XXXXXX";

static int removal_failed(const char *path)
{
    return cli_refuse(CLI_FAILURE, "cannot remove the scratch store %s: %s", path,
                      strerror(errno));
}

/* Removes a directory of files; what is no file stops it. */
static int remove_directory(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return removal_failed(path);
    }
    int code = CLI_OK;
    const struct dirent *entry = readdir(directory);
    for (; entry != NULL && code == CLI_OK; entry = readdir(directory)) {
        bool own = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        if (!own && unlinkat(dirfd(directory), entry->d_name, 0) != 0) {
            code = removal_failed(path);
        }
    }
    (void)closedir(directory);
    if (code == CLI_OK && rmdir(path) != 0) {
        code = removal_failed(path);
    }
    return code;
}

/* A fresh directory beside the store, whose path may end in slashes. */
static char *make_directory(const char *store_path)
{
    size_t bytes = strlen(store_path);
    while (bytes > 1 && store_path[bytes - 1] == '/') {
        bytes--;
    }
    char *path = malloc(bytes + sizeof SUFFIX);
    if (path == NULL) {
        return NULL;
    }
    (void)snprintf(path, bytes + sizeof SUFFIX, "%.*s%s", (int)bytes, store_path, SUFFIX);
    if (mkdtemp(path) == NULL) {
        free(path);
        return NULL;
    }
    return path;
}

int cli_scratch_open(const cli_options *options, cli_clock *clock,
                     cli_scratch *scratch_out)
{
    cli_scratch scratch = {make_directory(options->store_path), NULL};
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
        (void)remove_directory(scratch.path);
        free(scratch.path);
        return code;
    }
    *scratch_out = scratch;
    return CLI_OK;
}

int cli_scratch_close(cli_scratch *scratch, int code)
{
    grove_store_close(scratch->store);
    int removed = remove_directory(scratch->path);
    free(scratch->path);
    return code == CLI_OK ? removed : code;
}
