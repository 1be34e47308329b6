/* A process of its own that loads one document and tells what it took. */
#ifndef BENCHMARKS_MEMORY_H
#define BENCHMARKS_MEMORY_H

/* The first argument that makes this program that process. */
#define MEMORY_WORD "--load-and-tell"

/* Loads document `id` of the store at `path` and prints two numbers: bytes by
 * which the peak of its resident memory rose, and the peak of bytes that its
 * allocator had handed out. The program's exit status. */
int memory_load_and_tell(const char *path, const char *id);

#endif
