/*
 * Other processes, for checks of what processes share. A child opens the
 * environment for itself and ends without ever returning. Both sides tell each
 * other by a byte; what a child found wrong comes back when it ends.
 */
#ifndef GROVE_CONTRACT_CHILD_H
#define GROVE_CONTRACT_CHILD_H

#include <sys/types.h>

#include "check.h"

/* The other side: a child for its parent, the parent for a child. */
typedef struct grove__peer {
    pid_t process;
    int read_end;
    int write_end;
} grove__peer;

/* Runs `work` in a child. False, and the check has failed: there is none. */
bool grove__child_start(grove__check *check, void (*work)(grove__check *, grove__peer *),
                        grove__peer *child_out);

void grove__peer_tell(const grove__peer *peer);
/* Returns when the other side tells, or has ended. */
void grove__peer_wait(const grove__peer *peer);

/* Waits for the end of a child; the check fails with what failed there, or when
 * it did not end by itself. */
void grove__child_end(grove__check *check, grove__peer *child);
void grove__child_kill(grove__check *check, grove__peer *child);
/* Returns when it has stopped. */
void grove__child_stop(grove__check *check, const grove__peer *child);
void grove__child_continue(const grove__peer *child);

/* Whether the backend has all of these capabilities; the check is skipped
 * when it has not. */
bool grove__check_claims(grove__check *check, uint32_t capabilities);

/* Long enough for others to come to where they wait. Never what a check
 * depends on, only what makes it find more. */
void grove__check_linger(long milliseconds);

#endif
