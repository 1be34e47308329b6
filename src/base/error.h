/* Filling in the caller's grove_error. */
#ifndef GROVE_BASE_ERROR_H
#define GROVE_BASE_ERROR_H

#include <stdarg.h>

#include <grove/status.h>

/*
 * Writes status, offset 0 and a formatted sentence to `error_out` (NULL is
 * allowed) and returns the status, so that a failure is one line:
 *     return grove__fail(error_out, GROVE_INVALID, "...", ...);
 */
__attribute__((format(printf, 3, 4))) grove_status grove__fail(grove_error *error_out,
                                                               grove_status status,
                                                               const char *format, ...);

/* The same for a fault at a byte offset of some input. */
__attribute__((format(printf, 4, 5))) grove_status grove__fail_at(grove_error *error_out,
                                                                  grove_status status,
                                                                  uint64_t offset,
                                                                  const char *format,
                                                                  ...);

/* GROVE_NO_MEMORY with its sentence. */
grove_status grove__fail_memory(grove_error *error_out);

#endif
