/* Figures of an environment, and who reads it. */
#ifndef GROVE_LMDB_STATISTICS_H
#define GROVE_LMDB_STATISTICS_H

#include "lmdb_env.h"

/* grove_backend.statistics, grove_backend.readers */
grove_status grove__lmdb_statistics(grove_backend_env *env,
                                    grove_backend_statistics *statistics_out,
                                    grove_error *error_out);
grove_status grove__lmdb_readers(grove_backend_env *env, grove_backend_reader_fn each,
                                 void *context, grove_error *error_out);

#endif
