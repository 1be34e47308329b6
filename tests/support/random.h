/*
 * Random numbers for tests: every run takes a fresh seed, prints it, and can
 * be repeated by giving it back in the environment variable GROVE_SEED.
 */
#ifndef GROVE_TESTS_RANDOM_H
#define GROVE_TESTS_RANDOM_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <grove/types.h>

typedef struct test_random {
    uint64_t state;
} test_random;

/* splitmix64 */
static inline uint64_t test_random_next(test_random *random)
{
    uint64_t value = random->state += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

/* 0 to `bound` - 1; `bound` > 0. */
static inline uint64_t test_random_below(test_random *random, uint64_t bound)
{
    return test_random_next(random) % bound;
}

static inline void test_random_bytes(test_random *random, void *bytes, size_t size)
{
    uint8_t *byte = bytes;
    for (size_t index = 0; index < size; index++) {
        byte[index] = (uint8_t)test_random_next(random);
    }
}

/* From GROVE_SEED or the time; `name` says in the output whose seed it is. */
static inline test_random test_random_of(const char *name)
{
    const char *given = getenv("GROVE_SEED");
    struct timespec now = {0, 0};
    uint64_t seed;
    if (given != NULL) {
        seed = strtoull(given, NULL, 0);
    } else {
        (void)clock_gettime(CLOCK_REALTIME, &now);
        seed = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    }
    (void)fprintf(stderr, "%s: GROVE_SEED=%llu\n", name, (unsigned long long)seed);
    return (test_random){seed};
}

#endif
