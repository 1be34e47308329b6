#include "seeds.h"

#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES = 4096 };

void seeds_write(const char *directory, const char *name, grove_bytes bytes)
{
    char path[PATH_BYTES];
    int length = snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = length < PATH_BYTES ? fopen(path, "wb") : NULL;
    if (file == NULL || fwrite(bytes.data, 1, bytes.size, file) != bytes.size ||
        fclose(file) != 0) {
        (void)fprintf(stderr, "make-seeds: cannot write %s\n", path);
        exit(EXIT_FAILURE);
    }
}

void seeds_expect(grove_status status)
{
    if (status != GROVE_OK) {
        (void)fprintf(stderr, "make-seeds: %s\n", grove_status_name(status));
        exit(EXIT_FAILURE);
    }
}
