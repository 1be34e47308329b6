#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void grove__assert_failed(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "libgrove: %s:%d: assertion failed: %s\n", file, line,
                  condition);
    abort();
}
