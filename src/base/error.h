/* Filling in the caller's grove_error. */
#ifndef GROVE_BASE_ERROR_H
#define GROVE_BASE_ERROR_H

#include <stddef.h>

#include <grove/status.h>

/*
 * Writes status, offset 0 and a formatted sentence to `error_out` (NULL is
 * allowed) and returns the status, so that a failure is one line:
 *     return grove__fail(error_out, GROVE_INVALID, "...", ...);
 *
 * A macro, so that compilers and analyzers see which status comes back, and
 * that it is not GROVE_OK: what a failed function did not write is then known
 * not to be read. Only `error_out` is evaluated twice.
 */
#define grove__fail(error_out, status, ...) \
    grove__fail_at(error_out, status, 0, __VA_ARGS__)

/* The same for a fault at a byte offset of some input. */
#define grove__fail_at(error_out, status, offset, ...) \
    (grove__error_say((error_out), __VA_ARGS__),       \
     grove__error_settle((error_out), (status), (offset)))

/* GROVE_NO_MEMORY with its sentence. */
#define grove__fail_memory(error_out)               \
    grove__fail((error_out), GROVE_NO_MEMORY, "%s", \
                "out of memory, or over the store's memory budget")

/* The message; the two below are for the macros above. */
__attribute__((format(printf, 2, 3))) void grove__error_say(grove_error *error_out,
                                                            const char *format, ...);

static inline grove_status grove__error_settle(grove_error *error_out,
                                               grove_status status, uint64_t offset)
{
    if (error_out != NULL) {
        error_out->status = status;
        error_out->offset = offset;
    }
    return status;
}

#endif
