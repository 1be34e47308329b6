/*
 * What becomes of the records of commits as they age.
 *
 *   A1  The table `commits` has every commit from the oldest that is kept to
 *       the newest, which always is.
 *   A2  A commit up to number `aged` of the aging record (format/record.h) is
 *       in table `clocks`, and packed or removed (it stays a record where its
 *       pack would have too many things); one after it is a record.
 *   A3  Commits age once, in their order, a run of them at a time: they are
 *       packed GROVE__PACKED_COMMITS at a time, once as many newer ones have
 *       come, or removed as soon as the retention lets them go.
 *   A4  A change that ages commits expects the aging record that it was
 *       prepared from, and the documents that it gives clocks. Of two processes
 *       that age the same, one is left out.
 *
 * Aging goes with a commit that is made anyway: it is prepared before, and left
 * out for the next one when A4 does not hold. So no more than about twice
 * GROVE__PACKED_COMMITS commits have not aged.
 */
#ifndef GROVE_COMMIT_AGE_H
#define GROVE_COMMIT_AGE_H

#include "commit/write_set.h"
#include "format/commits.h"

#ifdef GROVE_TINY_LIMITS
enum { GROVE__PACKED_COMMITS = 8 };
#else
enum { GROVE__PACKED_COMMITS = 512 };
#endif

/* The aging record; of a store that has none, what that means. */
grove_status grove__age_read(grove__txn *txn, grove__aging_record *record_out,
                             grove_error *error_out);

/* Where that is: table `store`. */
grove_bytes grove__age_key(void);

/* Takes in a commit, which `commits` has alone. Names borrow from the
 * transaction. */
typedef grove_status (*grove__age_fn)(void *context, uint64_t number,
                                      const grove__commits *commits,
                                      grove_error *error_out);

/* Calls `each` for the commits after `aged`, in their order, until it fails:
 * what it returns, or statuses as read. */
grove_status grove__age_each_young(grove__txn *txn, const grove_allocator *allocator,
                                   uint64_t aged, grove__age_fn each, void *context,
                                   grove_error *error_out);

/* Adds to `set` that the aging record becomes another, and expects that it
 * still is what `txn` sees. Statuses as read. */
grove_status grove__age_write(grove__txn *txn, const grove__aging_record *record,
                              grove__write_set *set, grove_error *error_out);

/* What aging did. */
typedef struct grove__age_result {
    uint64_t removed; /* commits */
    uint64_t aged;
    bool has_more; /* to remove */
} grove__age_result;

/*
 * Adds to `set`, which is empty, what is due: commits that the retention lets
 * go are removed, until there are `removed_max` of them (a pack goes whole),
 * and the next run is packed. GROVE_NONE: nothing is due. GROVE_CORRUPT,
 * GROVE_FORMAT_NEWER, GROVE_NO_MEMORY, GROVE_IO.
 */
grove_status grove__age_prepare(grove_store *store, uint64_t removed_max,
                                grove__write_set *set, grove__age_result *result_out,
                                grove_error *error_out);

/* The same for a commit that is made anyway, and when it is time to look. The
 * set stays empty on a failure: aging is never a reason to refuse a commit. */
void grove__age_along(grove_store *store, grove__write_set *set);

#endif
