/* Time, for how long to wait. */
#ifndef GROVE_MEMORY_CLOCK_H
#define GROVE_MEMORY_CLOCK_H

#include <stdint.h>

/* The monotonic clock. */
uint64_t grove__memory_now_ms(void);

#endif
