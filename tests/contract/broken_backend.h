/*
 * A backend with one clause broken: what the contract suite has to find. A
 * wrapper that passes every call on, but for the fault that the place asks for;
 * to the memory backend or, for faults between processes, to one that is
 * shared.
 */
#ifndef GROVE_CONTRACT_BROKEN_BACKEND_H
#define GROVE_CONTRACT_BROKEN_BACKEND_H

#include <stdatomic.h>

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
    BROKEN_WAITERS_TRY_AGAIN,
    BROKEN_BUSY_NAMES_NOBODY,
    BROKEN_KNOWS_NO_WRITER,
    BROKEN_TICKETS_ARE_FINAL, /* shared */
    /* C4 */
    BROKEN_ABORT_COMMITS,
    BROKEN_COMMIT_LOSES,
    BROKEN_COMMIT_LOSES_LAST_PUT,
    /* C5 */
    BROKEN_FULL_IS_NOT_DURABLE,
    BROKEN_SYNC_DOES_NOTHING,
    BROKEN_SYNC_NEVER_FAILS,
    BROKEN_SYNC_TRIES_AGAIN,
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
    BROKEN_PATH_OPENS_ONCE,
    BROKEN_TAKES_OTHER_OPTIONS,
    BROKEN_CLOSE_ENDS_READERS,
    /* C12 */
    BROKEN_MAKES_WHAT_MUST_EXIST,
    BROKEN_FAILED_OPEN_LEAVES_IT,
    /* C13 */
    BROKEN_HAS_NO_LIMIT,
    BROKEN_COUNTS_ONE_ENTRY_MORE,
    BROKEN_COUNTS_NO_READERS,
    BROKEN_HAS_ALWAYS_A_SLOT,
    BROKEN_HAS_NO_RESERVE,
    BROKEN_RESERVE_IS_FOR_ALL,
    BROKEN_READERS_HAVE_NO_LAG,
    BROKEN_LISTS_NO_READERS,
    BROKEN_READERS_ARE_OURS, /* shared */
    /* C14 */
    BROKEN_WRITES_ON_NONE,
    BROKEN_SAYS_NOTHING,
    /* C15 */
    BROKEN_IS_NEVER_FORKED,
    BROKEN_CHILD_SYNCS,
    BROKEN_CHILD_WATCHES,
    BROKEN_CHILD_CANNOT_OPEN,
    /* C16 */
    BROKEN_WATCH_IS_DEAF,
    BROKEN_WATCH_TELLS_OF_ABORTS,
    BROKEN_WATCH_TELLS_TWICE,
    BROKEN_WATCH_STAYS_READABLE,
    BROKEN_WATCH_IS_SILENT,
    BROKEN_WATCH_HEARS_ITS_HANDLE,
    BROKEN_WATCH_HEARS_ITS_PROCESS, /* shared */
    /* C17 */
    BROKEN_PINS_HAVE_ONE_NAME,
    BROKEN_PINS_DO_NOT_MOVE,
    BROKEN_PINS_STAY,
    BROKEN_PINS_ARE_FEW,
    BROKEN_PINS_ARE_OF_THE_HANDLE,
    BROKEN_PINS_ARE_OF_THE_PROCESS, /* shared */
    BROKEN_RECLAIM_DOES_NOTHING,    /* shared */
    /* C18 */
    BROKEN_COPY_REPLACES,
    BROKEN_COPY_DOES_NOTHING,
    BROKEN_COPY_IS_OF_TWO_COMMITS,
    BROKEN_COPY_IS_NOT_DURABLE,
    BROKEN_COPY_LEAVES_HALF,
    BROKEN_COPY_IS_THE_ORIGINAL,
    BROKEN_BOOT_IS_FOR_EVER
} broken_fault;

/* What processes share of BROKEN_TICKETS_ARE_FINAL. */
typedef struct broken_tickets {
    atomic_uint next;
    atomic_uint serving;
} broken_tickets;

/* What options.context points to. */
typedef struct broken_place {
    const grove_backend *under;
    void *under_context;
    broken_fault fault;
    broken_tickets *tickets;
    /* Of this process. */
    atomic_uint handles;
    atomic_uint closes;
    atomic_uint commits;
} broken_place;

extern const grove_backend broken_backend;
/* The same, and says that it is shared and persistent. */
extern const grove_backend broken_shared_backend;

#endif
