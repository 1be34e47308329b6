/*
 * Rows of the table `clocks`: how far a document went in which commit.
 *
 * The key has the document and the first commit of the row. A row:
 *
 *   0   1   format of the row: 1
 *   1   ..  n, how many commits it has, LEB128, at least 1
 *   ..  ..  LEB128: the clock that the document stood at after the first
 *   ..  ..  LEB128, n - 1 times: a commit less the one before, at least 1
 *   ..  ..  LEB128, n - 1 times: the clock after it less the one before
 *   ..  8   XXH3-64 of all bytes before, seed 7
 *
 * Two to four bytes for a commit that saves a few events.
 */
#ifndef GROVE_FORMAT_CLOCK_ROW_H
#define GROVE_FORMAT_CLOCK_ROW_H

#include <grove/sys/bytes.h>

/* Writers begin a new row after so many commits. */
#ifdef GROVE_TINY_LIMITS
enum { GROVE__CLOCK_ROW_COMMITS = 6 };
#else
enum { GROVE__CLOCK_ROW_COMMITS = 256 };
#endif

/* A commit, and the clock that the document stood at after it. */
typedef struct grove__commit_clock {
    uint64_t commit;
    uint64_t clock;
} grove__commit_clock;

/* Appends a row of `count` > 0 items, whose commits ascend and whose clocks
 * never fall. The caller checks `row_out` for failure. */
void grove__clock_row_encode(const grove__commit_clock *items, size_t count,
                             grove_buffer *row_out);

/* Appends grove__commit_clock items. GROVE_CORRUPT; GROVE_FORMAT_NEWER;
 * GROVE_NO_MEMORY: nothing is appended then. */
grove_status grove__clock_row_decode(uint64_t first_commit, grove_bytes row,
                                     grove_buffer *items_out, grove_error *error_out);

#endif
