/*
 * Statuses and error details.
 *
 * Every function that can fail returns a grove_status. On failure its outputs
 * are untouched, nothing is allocated for the caller and the store is as it
 * was. The library never logs and keeps no "last error": detail goes into a
 * grove_error that the caller owns and may leave out (NULL).
 */
#ifndef GROVE_STATUS_H
#define GROVE_STATUS_H

#include <stdint.h>

#include <grove/visibility.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum grove_status {
    /* Done. */
    GROVE_OK = 0,
    /* What was asked for is not there. An answer rather than a failure. */
    GROVE_NONE = 1,
    /* An argument is outside what the function documents. */
    GROVE_INVALID = 2,
    /* A documented limit (grove/limits.h) would be exceeded. */
    GROVE_LIMIT = 3,
    /* The allocator, or the store's memory budget, has no more. */
    GROVE_NO_MEMORY = 4,
    /* The operating system failed a read, a write or a sync. */
    GROVE_IO = 5,
    /* Our own stored bytes contradict themselves: the disk lies. */
    GROVE_CORRUPT = 6,
    /* Bytes handed in by a caller or a peer are not what they claim to be. */
    GROVE_MALFORMED = 7,
    /* The store has moved on since the caller last looked. */
    GROVE_CONFLICT = 8,
    /* A known event id with other content, or a sequence that is not the
     * replica's next: two writers share one replica id. */
    GROVE_REPLICA_REUSED = 9,
    /* The event is known already, with the same content. */
    GROVE_DUPLICATE = 10,
    /* An event names a parent that is not known; the error says which. */
    GROVE_UNKNOWN_PARENT = 11,
    /* The events that this needs were removed by a compaction. */
    GROVE_HISTORY_REMOVED = 12,
    /* The document type or the backend cannot do this. */
    GROVE_UNSUPPORTED = 13,
    /* Somebody else is at work and did not finish in time. */
    GROVE_BUSY = 14,
    /* The size limit of the store, or the disk, is reached. */
    GROVE_FULL = 15,
    /* The handle was made by another process, before a fork. */
    GROVE_FORKED = 16,
    /* An earlier failure left this transaction or store unusable. */
    GROVE_FAILED = 17,
    /* The stored format is newer than this library. */
    GROVE_FORMAT_NEWER = 18
} grove_status;

enum { GROVE_ERROR_MESSAGE_BYTES = 240 };

/*
 * Detail of a failure, owned by the caller; nothing in it has to be freed.
 * Functions that take a `grove_error *error_out` fill it when they fail; after
 * a success what it holds has no meaning. NULL is allowed.
 */
typedef struct grove_error {
    grove_status status;
    /* Byte offset of the fault in the input, where there is one; else 0. */
    uint64_t offset;
    /* One sentence in English, NUL-terminated, never empty after a failure. */
    char message[GROVE_ERROR_MESSAGE_BYTES];
} grove_error;

/*
 * The name of a status, for example "GROVE_CONFLICT"; "GROVE_?" for a number
 * that is none. The string is static. Safe from any thread.
 */
GROVE_API const char *grove_status_name(grove_status status);

#ifdef __cplusplus
}
#endif

#endif
