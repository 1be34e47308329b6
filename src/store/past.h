/*
 * What a store knows of its commits beside those that it keeps: how far
 * documents went in the ones that retention removed. As it is told by a dump,
 * the same however far commits have aged and rows of clocks are cut:
 *
 *   P1  Commits from `oldest` to `newest` are kept, those before have aged.
 *   P2  A document's items are those before `oldest` of the rows that it has;
 *       none, if a kept commit made it. What comes after them the kept commits
 *       say.
 */
#ifndef GROVE_STORE_PAST_H
#define GROVE_STORE_PAST_H

#include "commit/clocks.h"

/* Numbers of commits stay below this. */
#define GROVE__PAST_COMMIT_MAX ((uint64_t)1 << 63)

typedef struct grove__past {
    grove__aging_record aging;
    uint64_t oldest; /* 1 when none was ever made */
    uint64_t newest;
    grove__clocks young; /* commits that have not aged */
    grove_buffer items;  /* grove__commit_clock items, of one row or document */
} grove__past;

/*
 * Looks at a store, and whether the commits that have not aged can: that the
 * clocks of documents ascend in them. Borrows from `txn` until it is released.
 * Cost: a pass over these commits. On failure there is nothing to release.
 * GROVE_CORRUPT, GROVE_FORMAT_NEWER, GROVE_NO_MEMORY, GROVE_IO.
 */
grove_status grove__past_init(grove__past *past_out, grove__txn *txn,
                              const grove_allocator *allocator, grove_error *error_out);
void grove__past_release(grove__past *past);

static inline const grove__commit_clock *grove__past_items(const grove__past *past)
{
    return (const grove__commit_clock *)(const void *)past->items.data;
}

static inline size_t grove__past_item_count(const grove__past *past)
{
    return past->items.size / sizeof(grove__commit_clock);
}

/* Makes `items` those of a document that is there and has `events` events.
 * Statuses as above. */
grove_status grove__past_of_document(grove__past *past, grove__txn *txn,
                                     grove_bytes document, uint64_t events,
                                     grove_error *error_out);

/*
 * Whether a store that was filled is sound so far, and its documents have
 * `count` items together. GROVE_CORRUPT: fewer, since a kept commit made one
 * that was given some. Cost: reads the whole table `clocks`, unless `count` is
 * 0. Statuses as above.
 */
grove_status grove__past_check(grove_store *store, uint64_t count,
                               grove_error *error_out);

/* Whether an item may come after `last`, zeros for none, in a document of
 * `events` events. */
static inline bool grove__past_follows(const grove__past *past,
                                       const grove__commit_clock *last,
                                       const grove__commit_clock *item, uint64_t events)
{
    return grove__clocks_follow(last, item) && item->commit < past->oldest &&
           item->clock <= events;
}

#endif
