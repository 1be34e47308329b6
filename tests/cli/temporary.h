/* A file of a test's own, which goes with it. */
#ifndef TESTS_CLI_TEMPORARY_H
#define TESTS_CLI_TEMPORARY_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

/* A fresh directory's path and a file's in it. */
typedef struct temporary {
    char folder[32];
    char path[64];
} temporary;

static inline temporary temporary_of(const char *file_name)
{
    temporary made = {"/tmp/grove-cli-XXXXXX", ""};
    cr_assert_not_null(mkdtemp(made.folder));
    (void)snprintf(made.path, sizeof made.path, "%s/%s", made.folder, file_name);
    return made;
}

static inline void temporary_write(const temporary *file, const void *bytes, size_t size)
{
    FILE *stream = fopen(file->path, "wb");
    cr_assert_not_null(stream);
    cr_assert_eq(fwrite(bytes, 1, size, stream), size);
    cr_assert_eq(fclose(stream), 0);
}

static inline void temporary_release(const temporary *file)
{
    (void)unlink(file->path);
    cr_assert_eq(rmdir(file->folder), 0, "%s is not empty", file->folder);
}

#endif
