/* Making a new environment, whole or not at all. */
#ifndef GROVE_LMDB_CREATE_H
#define GROVE_LMDB_CREATE_H

#include <lmdb.h>

#include <grove/sys/backend.h>

/*
 * Makes the directory and data.mdb, with all tables, wherever they are
 * missing. The file appears under its name when it is complete and, unless
 * durability is GROVE_DURABILITY_NONE, on disk: a crash leaves no half of it,
 * and of several processes that open a new store at once one makes it. On
 * failure at most an empty directory is left behind.
 */
grove_status grove__lmdb_create(const grove_backend_options *options,
                                const char *data_path, grove_error *error_out);

/* LMDB's flags for a durability. */
unsigned grove__lmdb_durability_flags(grove_durability durability);

/* Opens the tables in `txn`; with MDB_CREATE in `flags` makes what is missing.
 * Returns LMDB's code. `tables_out` may be NULL. */
int grove__lmdb_open_tables(MDB_txn *txn, const grove_backend_options *options,
                            unsigned flags, MDB_dbi *tables_out);

/* Flushes a directory's entries; 0 or an errno. File systems that cannot are
 * taken to need none. */
int grove__lmdb_flush_directory(int directory);

/* Whether `descriptor` is what has this name now. */
bool grove__lmdb_has_name(int descriptor, const char *path);

/* What the map has room for: whole pages of the size limit. */
size_t grove__lmdb_map_bytes(const grove_backend_options *options);

#endif
