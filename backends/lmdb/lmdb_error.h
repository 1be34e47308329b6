/* From LMDB's codes and errno to statuses and sentences. */
#ifndef GROVE_LMDB_ERROR_H
#define GROVE_LMDB_ERROR_H

#include <lmdb.h>

#include <grove/types.h>

/* Fills in `error_out` (NULL is allowed) and returns the status. */
__attribute__((format(printf, 3, 4))) grove_status grove__lmdb_fail(
    grove_error *error_out, grove_status status, const char *format, ...);

/* For a code of LMDB's, or an errno, met while `doing` ("commit", say). */
grove_status grove__lmdb_fail_code(grove_error *error_out, int code, const char *doing);

/* The same while opening `path`: the sentence names it and says what to do. */
grove_status grove__lmdb_fail_path(grove_error *error_out, int code, const char *path);

/* mdb_txn_commit, but a write that was only begun, which LMDB calls EIO, is
 * ENOSPC: so a disk says that it has become full. */
int grove__lmdb_txn_commit(MDB_txn *txn);

/* The end of a path, as much of it as leaves a sentence room. */
const char *grove__lmdb_path_tail(const char *path);

#endif
