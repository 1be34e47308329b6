/* What the files that write seeds share. Whatever fails ends the program. */
#ifndef FUZZ_SEEDS_H
#define FUZZ_SEEDS_H

#include <grove/grove.h>

/* Writes a file of a directory. */
void seeds_write(const char *directory, const char *name, grove_bytes bytes);

/* A failure to encode means that there is no memory. */
void seeds_expect(grove_status status);

/* Seeds of trees, and of JSON: seeds_tree.c. */
void seeds_write_trees(const char *directory);
void seeds_write_json(const char *directory);

#endif
