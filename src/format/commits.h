/*
 * What the table `commits` holds: of newer commits a record each (record.h),
 * of older ones packs of many consecutive ones.
 *
 * A pack is a block "GROVE_CM". Fields: the first commit's number (8 bytes)
 * and how many there are (4 bytes), big-endian. Frame 1 has the columns, one
 * after the other, with the bytes of each but the last in front, as LEB128:
 *
 *   names   how many things are named, LEB128; each: kind (1 byte), size
 *           (LEB128), name; in the order in which they are first touched
 *   times   zigzag LEB128: the first, then differences
 *   sizes   LEB128: how many things each commit touched
 *   things  LEB128: each an index into names
 *   clocks  zigzag LEB128, for each document touched: its first clock less the
 *           end of what this pack gave the same document before (0 at first)
 *   counts  LEB128, for each document touched: how many events it got
 *   metas   the meta of each commit, its size, LEB128, in front
 *
 * For commits that save a few events each, a byte or two a commit.
 */
#ifndef GROVE_FORMAT_COMMITS_H
#define GROVE_FORMAT_COMMITS_H

#include "format/pack.h"
#include "format/record.h"

/* Beyond this many things touched in all, commits stay as they are. */
enum { GROVE__COMMITS_TOUCHES_MAX = 8192 };

typedef struct grove__commits_entry {
    int64_t time;
    size_t touch_count;
    grove_bytes meta; /* borrows as names do */
} grove__commits_entry;

/* Consecutive commits in memory. */
typedef struct grove__commits {
    uint64_t first;
    grove_buffer entries; /* grove__commits_entry records */
    grove_buffer touches; /* grove__touch records, in order; names borrow */
    grove_buffer bytes;   /* what names of decoded packs borrow from */
} grove__commits;

static inline size_t grove__commits_count(const grove__commits *commits)
{
    return commits->entries.size / sizeof(grove__commits_entry);
}

static inline const grove__commits_entry *grove__commits_entries(
    const grove__commits *commits)
{
    return (const grove__commits_entry *)(const void *)commits->entries.data;
}

/* Those of the first entry, then those of the second, and so on. */
static inline const grove__touch *grove__commits_touches(const grove__commits *commits)
{
    return (const grove__touch *)(const void *)commits->touches.data;
}

void grove__commits_init(grove__commits *commits, const grove_allocator *allocator);
void grove__commits_release(grove__commits *commits);
/* Empties it; keeps the memory. */
void grove__commits_reset(grove__commits *commits);

/* Whether a value of the table `commits` is a pack rather than one record. */
bool grove__commits_is_pack(grove_bytes value);

/* Appends the block. GROVE_LIMIT: over GROVE__COMMITS_TOUCHES_MAX;
 * GROVE_NO_MEMORY. The buffer is then as it was. */
grove_status grove__commits_encode(const grove__commits *commits, grove_buffer *block_out,
                                   grove_error *error_out);

/* Replaces what `commits` holds. GROVE_CORRUPT with an offset into the frame;
 * `commits` is then empty. */
grove_status grove__commits_decode(grove_bytes block, grove__commits *commits,
                                   grove_error *error_out);

/*
 * Replaces what `commits` holds by what the table has under `number`: a pack,
 * or one record, whose names then borrow from `value`. GROVE_CORRUPT, also when
 * it is not of that number; GROVE_FORMAT_NEWER; GROVE_NO_MEMORY. `commits` is
 * then empty.
 */
grove_status grove__commits_read(uint64_t number, grove_bytes value,
                                 grove__commits *commits, grove_error *error_out);

/* Adds a commit's record, which `value` is; names borrow from it. On failure,
 * as above, nothing is added. */
grove_status grove__commits_add_record(grove__commits *commits, grove_bytes value,
                                       grove_error *error_out);

#endif
