/* The tables of an environment: their names, and opening them. */
#ifndef GROVE_LMDB_TABLES_H
#define GROVE_LMDB_TABLES_H

#include <lmdb.h>

#include <grove/sys/backend.h>

enum { LMDB_KEY_BYTES_MAX = 511 };

/* Opens the tables; writes only when one is missing. */
grove_status grove__lmdb_tables_open(MDB_env *mdb, const grove_backend_options *options,
                                     MDB_dbi *tables_out, grove_error *error_out);

/* The names of the options in one piece, each with its NUL. */
size_t grove__lmdb_names_bytes(const grove_backend_options *options);
void grove__lmdb_names_copy(const grove_backend_options *options, char *names_out);
bool grove__lmdb_names_equal(const grove_backend_options *options, const char *names,
                             size_t names_bytes);

static inline MDB_val grove__lmdb_val_of(grove_bytes bytes)
{
    MDB_val val = {bytes.size, NULL};
    /* LMDB has no const, but does not write through the pointers of keys. */
    memcpy(&val.mv_data, &bytes.data, sizeof val.mv_data);
    return val;
}

#endif
