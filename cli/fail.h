/* For the parts of the program that fail. */
#ifndef CLI_FAIL_H
#define CLI_FAIL_H

#include <grove/status.h>

/*
 * Writes the status and the formatted sentence to *error_out (may be NULL)
 * and returns the status. A sentence that does not fit is cut.
 */
grove_status cli_fail(grove_error *error_out, grove_status status, const char *format,
                      ...) __attribute__((format(printf, 3, 4)));

/* Takes a half-written file away, but not a pipe or a terminal. */
void cli_discard_file(const char *path);

#endif
