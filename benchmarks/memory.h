/* Memory, as an allocator sees it, and as a process of its own sees it that
 * loads one document and tells what it took. */
#ifndef BENCHMARKS_MEMORY_H
#define BENCHMARKS_MEMORY_H

#include <grove/grove.h>

typedef struct memory_count {
    size_t bytes; /* handed out now */
    size_t peak_bytes;
} memory_count;

/* malloc, counted in *counted, which has to outlive the allocator's user. */
grove_allocator memory_counting(memory_count *counted);

/* The first argument that makes this program that process. */
#define MEMORY_WORD "--load-and-tell"

/* Loads document `id` of the store at `path` and prints two numbers: bytes by
 * which the peak of its resident memory rose, and the peak of bytes that its
 * allocator had handed out. The program's exit status. */
int memory_load_and_tell(const char *path, const char *id);

#endif
