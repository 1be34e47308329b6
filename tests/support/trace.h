/* Files of the directory that GROVE_TRACES names. */
#ifndef GROVE_TESTS_TRACE_H
#define GROVE_TESTS_TRACE_H

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include <criterion/criterion.h>

#include <grove/sys/bytes.h>

/*
 * Appends a gzip file, unpacked, to the text. Skips the test, with the reason,
 * when there is no such file.
 */
static inline void trace_read(const char *name, grove_buffer *text)
{
    enum { PIECE_BYTES = 1 << 16 };
    char path[1024];
    const char *directory = getenv("GROVE_TRACES");
    gzFile file = NULL;
    if (directory != NULL) {
        (void)snprintf(path, sizeof path, "%s/%s", directory, name);
        file = gzopen(path, "rb");
    }
    if (file == NULL) {
        cr_skip_test("GROVE_TRACES names no directory with %s", name);
    }
    int bytes = 0;
    do {
        uint8_t *room = grove_buffer_reserve(text, PIECE_BYTES);
        cr_assert_not_null(room);
        bytes = gzread(file, room, PIECE_BYTES);
        cr_assert_geq(bytes, 0, "%s cannot be read", path);
        grove_buffer_grow(text, (size_t)bytes);
    } while (bytes > 0);
    (void)gzclose(file);
}

#endif
