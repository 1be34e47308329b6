/* A copy of an environment while it is in use. */
#ifndef GROVE_LMDB_COPY_H
#define GROVE_LMDB_COPY_H

#include "lmdb_env.h"

/* grove_backend.copy */
grove_status grove__lmdb_copy(grove_backend_env *env, const char *path, bool is_compact,
                              grove_error *error_out);

#endif
