/*
 * The memory backend with one clause broken: what the contract suite has to
 * find. A wrapper that passes every call on, but for the fault that the place
 * asks for.
 */
#ifndef GROVE_CONTRACT_BROKEN_BACKEND_H
#define GROVE_CONTRACT_BROKEN_BACKEND_H

#include <grove/backend_memory.h>
#include <grove/sys/backend.h>

typedef enum broken_fault {
    BROKEN_NOTHING,
    /* C1 */
    BROKEN_NUL_ENDS_KEY,
    BROKEN_BYTES_ARE_SIGNED,
    BROKEN_EMPTY_VALUE_IS_NONE,
    BROKEN_VALUE_IS_SHORT,
    BROKEN_LARGE_VALUE_IS_CUT,
    BROKEN_ONE_TABLE,
    BROKEN_TABLES_BY_INDEX,
    BROKEN_LONG_KEY_IS_CUT,
    BROKEN_PUT_KEEPS_THE_OLD,
    BROKEN_REMOVE_DOES_NOTHING,
    /* C2 */
    BROKEN_READER_SEES_NEWER,
    BROKEN_COMMITS_IN_PIECES, /* C4 as well */
    /* C3 */
    BROKEN_WRITER_IS_BLIND,
    BROKEN_WRITERS_DO_NOT_WAIT,
    /* C4 */
    BROKEN_ABORT_COMMITS,
    BROKEN_COMMIT_LOSES,
    BROKEN_COMMIT_LOSES_LAST_PUT,
    /* C5 */
    BROKEN_FULL_IS_NOT_DURABLE,
    BROKEN_SYNC_DOES_NOTHING,
    /* C6 */
    BROKEN_VALUES_SHARE_ROOM,
    /* C7 */
    BROKEN_FULL_IS_FOR_EVER,
    BROKEN_NO_MEMORY_IS_FOR_EVER,
    /* C8 */
    BROKEN_SEEK_SKIPS_EQUAL,
    BROKEN_SEEK_BEFORE_GIVES_EQUAL,
    BROKEN_LAST_IS_FIRST,
    BROKEN_NEXT_SKIPS,
    BROKEN_NEXT_GOES_ROUND,
    BROKEN_CURSOR_IS_STALE,
    /* C9 */
    BROKEN_PUT_KEEPS_ITS_KEY,
    /* C10 */
    BROKEN_ONE_THREAD,
    BROKEN_READER_IS_BOUND,
    /* C11 */
    BROKEN_FORGETS,
    BROKEN_GIVES_BACK_LESS,
    /* C12 */
    BROKEN_MAKES_WHAT_MUST_EXIST,
    BROKEN_FAILED_OPEN_LEAVES_IT,
    /* C13 */
    BROKEN_HAS_NO_LIMIT,
    BROKEN_COUNTS_ONE_ENTRY_MORE,
    BROKEN_COUNTS_NO_READERS,
    BROKEN_HAS_ALWAYS_A_SLOT,
    /* C14 */
    BROKEN_WRITES_ON_NONE,
    BROKEN_SAYS_NOTHING
} broken_fault;

/* What options.context points to. */
typedef struct broken_place {
    grove_memory_disk *disk;
    broken_fault fault;
} broken_place;

extern const grove_backend broken_backend;

#endif
