/*
 * malloc, calloc and realloc of the program's parts (the linker wraps them),
 * and jansson's: the n-th call can be made to fail.
 */
#ifndef TESTS_CLI_FAULTY_HEAP_H
#define TESTS_CLI_FAULTY_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* From now on the `nth` allocation fails, counted from 1. */
void faulty_heap_begin(size_t nth);
/* Allocations pass again. Whether one had failed. */
bool faulty_heap_end(void);

#endif
