/* A look at data.mdb before LMDB maps it. */
#ifndef GROVE_LMDB_FILE_H
#define GROVE_LMDB_FILE_H

#include <grove/types.h>

/*
 * LMDB trusts the file it maps: one that is cut short kills the process with
 * SIGBUS when a page beyond the end is touched, and a header of another
 * version or machine gives no more than a code. This reads the header with
 * bounds and changes nothing.
 *
 * GROVE_INVALID: the file is not LMDB's, is of another version or byte order,
 * is damaged in its header, or is shorter than what it holds; the error says
 * which. GROVE_NONE: there is no such file. GROVE_IO, GROVE_NO_MEMORY.
 */
grove_status grove__lmdb_file_check(const char *data_path,
                                    const grove_allocator *allocator,
                                    grove_error *error_out);

#endif
