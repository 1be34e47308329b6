/*
 * How often this process asked for its data to be on the disk: fsync,
 * fdatasync, msync with MS_SYNC, and writes to files that were opened with
 * O_DSYNC or O_SYNC, as LMDB writes its meta pages.
 */
#ifndef BENCHMARKS_FLUSHES_H
#define BENCHMARKS_FLUSHES_H

#include <stdint.h>

uint64_t flushes_count(void);

#endif
