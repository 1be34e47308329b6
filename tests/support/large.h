/* How many are very many. Builds that look at each access, and those whose
 * pieces are tiny, take ten times as long for each. */
#ifndef GROVE_TESTS_LARGE_H
#define GROVE_TESTS_LARGE_H

#if defined(__SANITIZE_ADDRESS__) || defined(GROVE_TINY_LIMITS)
enum { VERY_MANY = 100000 };
#else
enum { VERY_MANY = 1000000 };
#endif

#endif
