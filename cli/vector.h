/*
 * A version vector as a JSON file, for carrying it to another store:
 *
 *   [ { "replica": "...", "sequence": 12 }, ... ]
 *
 * Replicas are written as ids are on a command line.
 */
#ifndef CLI_VECTOR_H
#define CLI_VECTOR_H

#include <grove/document.h>

/* A file of that form. */
#define CLI_VECTOR_BYTES_MAX (UINT64_C(64) << 20)

/* Writes one in pieces. False: out of memory, or `write` wants no more. */
bool cli_vector_write(const grove_version_vector *vector, grove_write_fn write,
                      void *context);

/*
 * Reads one; the caller frees *entries_out, of which there are *count_out.
 *
 *   GROVE_IO         the file cannot be read; the error says why
 *   GROVE_MALFORMED  it is no version vector
 *   GROVE_LIMIT      over CLI_VECTOR_BYTES_MAX
 *   GROVE_NO_MEMORY
 */
grove_status cli_vector_read(const char *path, grove_event_id **entries_out,
                             size_t *count_out, grove_error *error_out);

#endif
