/*
 * The way from a commit to a document's clock: table `clocks`.
 *
 * Of each document it has rows of (commit, clock after it), for the commits
 * that have aged (commit/age.h). Aging goes through the commits once and in
 * their order, so that the rows are what replaying these commits gives:
 *
 *   L1  A commit that gave a document events from clock 0 on made it, and one
 *       that gave it none deleted it: both take away the rows of the document
 *       that had the id before.
 *   L2  Between such commits the clocks of a document ascend.
 *
 * Rows are filled up before a new one is begun. A document that is not there
 * gets none: if it is made again later, that commit is yet to age.
 */
#ifndef GROVE_COMMIT_CLOCKS_H
#define GROVE_COMMIT_CLOCKS_H

#include "commit/write_set.h"
#include "format/clock_row.h"
#include "format/sorted.h"

/* What some consecutive commits touched, document after document. */
typedef struct grove__clocks {
    const grove_allocator *allocator;
    /* Records of clocks.c. Names are borrowed. */
    grove_buffer documents;
    grove_buffer touches;
    grove__sorted order; /* of the documents, by name */
} grove__clocks;

void grove__clocks_init(grove__clocks *clocks, const grove_allocator *allocator);
void grove__clocks_release(grove__clocks *clocks);

/* Takes in what a commit touched. The name is borrowed until release. Commits
 * come in their order. GROVE_NO_MEMORY. */
grove_status grove__clocks_gather(grove__clocks *clocks, uint64_t commit,
                                  const grove__touch *touch, grove_error *error_out);

/* Whether one of the commits made the document of that name or deleted it: rows
 * that there are belong to one that had the id before (L1). */
bool grove__clocks_begin_anew(const grove__clocks *clocks, grove_bytes name);

/* Whether an item may come after `last` among those of a document (L2). */
static inline bool grove__clocks_follow(const grove__commit_clock *last,
                                        const grove__commit_clock *item)
{
    return item->commit > last->commit && item->clock >= last->clock;
}

/*
 * Adds to `set` the rows of what was gathered, after those that `txn` sees, and
 * expects that their documents are still there.
 * Cost: for each document two look-ups and a row or two. GROVE_CORRUPT, for
 * rows that break L2; GROVE_FORMAT_NEWER, GROVE_NO_MEMORY, GROVE_IO.
 */
grove_status grove__clocks_put(const grove__clocks *clocks, grove__txn *txn,
                               grove__write_set *set, grove_error *error_out);

/* The clock after `commit`, from the rows alone. GROVE_NONE: they have no
 * commit at or before it. */
grove_status grove__clocks_find(grove__txn *txn, const grove_allocator *allocator,
                                grove_bytes document, uint64_t commit,
                                uint64_t *clock_out, grove_error *error_out);

#endif
