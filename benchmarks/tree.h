/* The time that a load of a tree takes in a process of its own. */
#ifndef BENCHMARKS_TREE_H
#define BENCHMARKS_TREE_H

/* The first argument that makes this program that process. */
#define TREE_WORD "--load-tree-and-tell"

/* Loads document `id` of the store at `path` and prints how many microseconds
 * that took. The program's exit status. */
int tree_load_and_time(const char *path, const char *id);

#endif
