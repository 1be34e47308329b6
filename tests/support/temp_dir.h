/* A temporary directory for a test, under TMPDIR or /tmp. */
#ifndef GROVE_TESTS_TEMP_DIR_H
#define GROVE_TESTS_TEMP_DIR_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

enum { TEMP_DIR_PATH_BYTES = 4096 };

typedef struct temp_dir {
    char path[TEMP_DIR_PATH_BYTES];
} temp_dir;

static inline void temp_dir_make(temp_dir *dir)
{
    const char *parent = getenv("TMPDIR");
    int bytes = snprintf(dir->path, sizeof dir->path, "%s/grove-test-XXXXXX",
                         parent != NULL ? parent : "/tmp");
    cr_assert(bytes > 0 && (size_t)bytes < sizeof dir->path);
    cr_assert_not_null(mkdtemp(dir->path));
}

/* The path of something in the directory: writes to `path_out`, which has
 * room for TEMP_DIR_PATH_BYTES, and returns it. */
static inline char *temp_dir_path(const temp_dir *dir, const char *name, char *path_out)
{
    size_t bytes = strlen(dir->path);
    cr_assert(bytes + 1 + strlen(name) < TEMP_DIR_PATH_BYTES);
    memcpy(path_out, dir->path, bytes);
    path_out[bytes] = '/';
    memcpy(path_out + bytes + 1, name, strlen(name) + 1);
    return path_out;
}

/* Appends the name of an entry of the directory `path`; false: it is empty. */
static inline bool temp_dir_first_entry(char *path)
{
    DIR *directory = opendir(path);
    cr_assert_not_null(directory, "%s", path);
    struct dirent *entry;
    do {
        entry = readdir(directory);
    } while (entry != NULL &&
             (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    if (entry != NULL) {
        size_t bytes = strlen(path);
        cr_assert(bytes + 1 + strlen(entry->d_name) < TEMP_DIR_PATH_BYTES);
        path[bytes] = '/';
        memcpy(path + bytes + 1, entry->d_name, strlen(entry->d_name) + 1);
    }
    (void)closedir(directory);
    return entry != NULL;
}

/* Removes the directory and everything in it. */
static inline void temp_dir_remove(temp_dir *dir)
{
    char path[TEMP_DIR_PATH_BYTES];
    size_t root_bytes = strlen(dir->path);
    memcpy(path, dir->path, root_bytes + 1);
    for (;;) {
        if (temp_dir_first_entry(path)) {
            /* What cannot be unlinked is a directory: empty it first. */
            if (unlink(path) != 0) {
                continue;
            }
        } else {
            cr_assert_eq(rmdir(path), 0, "%s", path);
            if (strlen(path) == root_bytes) {
                return;
            }
        }
        *strrchr(path, '/') = '\0';
    }
}

#endif
