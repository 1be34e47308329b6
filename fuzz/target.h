/*
 * A fuzz target: one decoder on bytes of any kind. libFuzzer calls it, and
 * replay.c, so that every corpus is also a test in every build.
 */
#ifndef GROVE_FUZZ_TARGET_H
#define GROVE_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Returns 0; whatever is wrong ends the program. `data` has exactly `size`
 * bytes, so that a read beyond them shows under a sanitizer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What holds for every input. */
#define FUZZ_CHECK(condition) \
    ((condition) ? (void)0 : fuzz_check_failed(#condition, __FILE__, __LINE__))

static inline _Noreturn void fuzz_check_failed(const char *condition, const char *file,
                                               int line)
{
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

/* What decoding one input may take of memory, at most. */
#define FUZZ_MEMORY_BYTES ((size_t)64 << 20)

#endif
