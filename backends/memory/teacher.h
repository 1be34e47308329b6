/*
 * What the memory backend says to whoever breaks the contract.
 *
 * A breach that a function can answer is answered with GROVE_INVALID (or
 * GROVE_FAILED after C7) and a sentence. One that can only be an error in the
 * calling code and has no way back, such as closing an environment with a
 * transaction open, prints the sentence and aborts: this backend is for
 * tests, and a test should stop where the mistake is made.
 */
#ifndef GROVE_MEMORY_TEACHER_H
#define GROVE_MEMORY_TEACHER_H

#include <stdbool.h>

#include <grove/status.h>

/* Fills error_out (may be NULL) and returns the status. */
__attribute__((format(printf, 3, 4))) grove_status grove__teacher_fail(
    grove_error *error_out, grove_status status, const char *format, ...);

/* The sentence for a status that the heap gave. */
grove_status grove__teacher_fail_heap(grove_error *error_out, grove_status status);

/* Prints the sentence and aborts unless the condition holds. */
void grove__teacher_insist(bool holds, const char *sentence);

#endif
