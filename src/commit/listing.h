/* Listing the names that begin the keys of a table: documents, groups. */
#ifndef GROVE_COMMIT_LISTING_H
#define GROVE_COMMIT_LISTING_H

#include "commit/store.h"

/*
 * Calls `each` for the names that begin with `prefix` and come after `after`
 * (both may be empty), each once, in order, from a short read transaction for
 * each slice of names. Keys
 * begin with the name (format/key.h); more entries of one name are skipped by
 * a seek.
 */
grove_status grove__listing_run(grove_store *store, grove__table table,
                                grove_bytes prefix, grove_bytes after, grove_list_fn each,
                                void *context, grove_error *error_out);

#endif
