/* Where an environment is: whether LMDB can work there, and by what its place
 * is known again. */
#ifndef GROVE_LMDB_PLACE_H
#define GROVE_LMDB_PLACE_H

#include <grove/sys/backend.h>

/*
 * Refuses file systems that machines share, or that are not known not to be:
 * locks and mapped memory do not reach from one machine to another, and LMDB
 * would not notice. The path may not exist yet; then what is above it counts.
 * GROVE_INVALID names the file system.
 */
grove_status grove__lmdb_place_check(const char *path, grove_error *error_out);

/* The name of a file system that is refused, by its number of statfs; NULL
 * for one that is not. */
const char *grove__lmdb_place_refused(uint64_t type);

/* A number that changes when the machine starts anew; 0: not known. */
uint64_t grove__lmdb_boot(void);

#endif
