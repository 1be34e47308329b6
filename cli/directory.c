#include "directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"

char *cli_directory_make(const char *path, const char *suffix)
{
    size_t bytes = strlen(path);
    while (bytes > 1 && path[bytes - 1] == '/') {
        bytes--;
    }
    size_t room = bytes + strlen(suffix) + 1;
    char *made = malloc(room);
    if (made == NULL) {
        return NULL;
    }
    (void)snprintf(made, room, "%.*s%s", (int)bytes, path, suffix);
    if (mkdtemp(made) == NULL) {
        free(made);
        return NULL;
    }
    return made;
}

static int removal_failed(const char *path)
{
    return cli_refuse(CLI_FAILURE, "cannot remove %s: %s", path, strerror(errno));
}

int cli_directory_remove(const char *path)
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
