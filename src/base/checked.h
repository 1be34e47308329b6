/* Arithmetic on sizes that says when it overflows. */
#ifndef GROVE_BASE_CHECKED_H
#define GROVE_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each stores the result and returns true, or returns false on overflow. */
static inline bool grove__add_size(size_t a, size_t b, size_t *sum_out)
{
    return !__builtin_add_overflow(a, b, sum_out);
}
static inline bool grove__multiply_size(size_t a, size_t b, size_t *product_out)
{
    return !__builtin_mul_overflow(a, b, product_out);
}
static inline bool grove__add_u64(uint64_t a, uint64_t b, uint64_t *sum_out)
{
    return !__builtin_add_overflow(a, b, sum_out);
}

static inline uint64_t grove__min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}
static inline uint64_t grove__max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

#endif
