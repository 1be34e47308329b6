/* Runs a fuzz target on files, and on all files of directories, once each. */
#include <dirent.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "target.h"

enum { PATH_BYTES = 4096 };

/* The whole file in memory of exactly its size; NULL when it cannot be read. */
static uint8_t *read_file(const char *path, size_t size)
{
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    FILE *file = fopen(path, "rb");
    bool is_read = bytes != NULL && file != NULL && fread(bytes, 1, size, file) == size;
    if (file != NULL) {
        (void)fclose(file);
    }
    if (!is_read) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

static bool replay_file(const char *path, size_t size)
{
    uint8_t *bytes = read_file(path, size);
    if (bytes == NULL) {
        (void)fprintf(stderr, "replay: cannot read %s\n", path);
        return false;
    }
    (void)printf("%s: %zu bytes\n", path, size);
    (void)fflush(stdout);
    (void)LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    return true;
}

/* How many files were replayed, or -1 after a failure. */
static long replay_directory(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL) {
        (void)fprintf(stderr, "replay: cannot open %s\n", path);
        return -1;
    }
    long count = 0;
    const struct dirent *entry;
    while (count >= 0 && (entry = readdir(directory)) != NULL) {
        char file[PATH_BYTES];
        struct stat status;
        int bytes = snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (bytes < 0 || bytes >= PATH_BYTES || stat(file, &status) != 0) {
            (void)fprintf(stderr, "replay: cannot look at %s\n", entry->d_name);
            count = -1;
        } else if (S_ISREG(status.st_mode)) {
            count = replay_file(file, (size_t)status.st_size) ? count + 1 : -1;
        }
    }
    (void)closedir(directory);
    return count;
}

static long replay_path(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        (void)fprintf(stderr, "replay: no such file: %s\n", path);
        return -1;
    }
    if (S_ISDIR(status.st_mode)) {
        return replay_directory(path);
    }
    return replay_file(path, (size_t)status.st_size) ? 1 : -1;
}

int main(int argument_count, char **arguments)
{
    long total = 0;
    for (int index = 1; index < argument_count; index++) {
        long count = replay_path(arguments[index]);
        if (count < 0) {
            return EXIT_FAILURE;
        }
        total += count;
    }
    (void)printf("%ld inputs\n", total);
    /* An empty corpus shows nothing. */
    return total > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
