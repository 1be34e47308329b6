/*
 * The one way to change a store: a write set is run in one short write
 * transaction, which checks, puts, numbers the commit and writes its record,
 * and commits. Nothing slow happens under the write lock.
 */
#ifndef GROVE_COMMIT_COMMIT_H
#define GROVE_COMMIT_COMMIT_H

#include "commit/write_set.h"

/*
 * Runs the set. *commit_out (may be NULL) is the commit's number, 0 when it
 * took none. Changes happen in the order in which they were added.
 *
 *   GROVE_CONFLICT   an expectation does not hold; nothing was written
 *   GROVE_NO_MEMORY  also when a call above could not keep what it was given
 *   GROVE_FULL, GROVE_IO, GROVE_CORRUPT
 */
grove_status grove__commit(grove_store *store, grove__write_set *set,
                           uint64_t *commit_out, grove_error *error_out);

/* The same for two sets in one transaction. `along` takes no commit number, and
 * is left out when something that it expects does not hold. */
grove_status grove__commit_along(grove_store *store, const grove__write_set *set,
                                 const grove__write_set *along, uint64_t *commit_out,
                                 grove_error *error_out);

#endif
