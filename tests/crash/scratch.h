/* A directory for the stores of a test. What is tried here is the order of
 * writes and not a disk, so memory is preferred. */
#ifndef GROVE_TESTS_CRASH_SCRATCH_H
#define GROVE_TESTS_CRASH_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SCRATCH_PATH_BYTES = 256 };

/* Under TMPDIR, or in memory, or under /tmp. */
static inline void scratch_make(const char *name, char path_out[SCRATCH_PATH_BYTES])
{
    const char *parent = getenv("TMPDIR");
    if (parent == NULL) {
        parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    }
    int bytes =
        snprintf(path_out, SCRATCH_PATH_BYTES, "%s/grove-%s-XXXXXX", parent, name);
    if (bytes >= SCRATCH_PATH_BYTES || mkdtemp(path_out) == NULL) {
        perror(path_out);
        _exit(1);
    }
}

/* Says where it is when it is to be kept. */
static inline void scratch_remove(const char *path, bool is_kept)
{
    char command[SCRATCH_PATH_BYTES + 16];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", path);
    if (is_kept) {
        (void)printf("what is left: %s\n", path);
    } else if (system(command) != 0) {
        (void)fprintf(stderr, "cannot remove %s\n", path);
    }
}

#endif
