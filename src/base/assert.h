/*
 * Assertions. They state what our own code or the caller's code must have
 * made true; nothing read from disk or from a peer is ever asserted. They
 * stay on in release builds: a broken invariant must not reach the disk.
 */
#ifndef GROVE_BASE_ASSERT_H
#define GROVE_BASE_ASSERT_H

/* Prints the place and aborts. */
_Noreturn void grove__assert_failed(const char *condition, const char *file, int line);

/* Our own mistake if it fails. */
#define GROVE_ASSERT(condition) \
    ((condition) ? (void)0 : grove__assert_failed(#condition, __FILE__, __LINE__))

/* The caller's mistake if it fails: a contract of the public API. */
#define GROVE_ASSERT_ARG(condition) GROVE_ASSERT(condition)

#endif
