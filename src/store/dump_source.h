/* A text that is read in pieces and taken line by line. */
#ifndef GROVE_STORE_DUMP_SOURCE_H
#define GROVE_STORE_DUMP_SOURCE_H

#include <grove/dump.h>

typedef struct grove__dump_source {
    grove_read_fn read;
    void *context;
    grove_buffer text; /* what was read, */
    size_t at;         /* and how much of it was taken */
    bool has_ended;
    /* The line that was taken last: its number from 1, and where it begins. */
    uint64_t line;
    uint64_t offset;
    uint64_t next_offset;
} grove__dump_source;

void grove__dump_source_init(grove__dump_source *source, const grove_allocator *allocator,
                             grove_read_fn read, void *context);
void grove__dump_source_release(grove__dump_source *source);

/*
 * The next line, without its LF; borrowed until the next call. GROVE_NONE: no
 * bytes are left. GROVE_MALFORMED: a line that is longer than any, or has no
 * LF; GROVE_FAILED: `read` could not; GROVE_NO_MEMORY.
 */
grove_status grove__dump_source_next(grove__dump_source *source, grove_bytes *line_out,
                                     grove_error *error_out);

#endif
