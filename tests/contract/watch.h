/*
 * What every watched call does: arguments are lent as copies that are gone
 * after it (C9), outputs are compared with what they held before, and errors
 * with the status (C14).
 */
#ifndef GROVE_CONTRACT_WATCH_H
#define GROVE_CONTRACT_WATCH_H

#include "check.h"

/* An error that says nothing yet. */
void grove__watch_init(grove_error *error);
/* A status that is a failure comes with its sentence; `doing` begins ours. */
void grove__watch_error(grove__check *check, grove_status status,
                        const grove_error *error, const char *doing);

/* What an output of bytes holds before a call. */
grove_bytes grove__watch_untouched(void);
/* It was written if, and only if, the status is GROVE_OK. */
void grove__watch_bytes(grove__check *check, grove_status status, grove_bytes bytes,
                        const char *doing);
/* The same for a pointer that was `untouched` before. */
void grove__watch_pointer(grove__check *check, grove_status status, const void *pointer,
                          const void *untouched, const char *doing);

/* A copy to pass on, which grove__watch_take overwrites and soon frees. */
grove_bytes grove__watch_lend(grove_bytes bytes);
void grove__watch_take(grove__check *check, grove_bytes lent);
/* The same for a string, and for other memory of ours. */
char *grove__watch_lend_string(const char *string);
void grove__watch_scribble(grove__check *check, void *memory, size_t bytes);
/* Frees what is still kept. */
void grove__watch_finish(grove__check *check);

#endif
